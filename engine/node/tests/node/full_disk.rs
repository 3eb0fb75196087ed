//! A node whose journal and history share a file system that fills up: history stops first, the journal last.

use std::path::Path;

use ach_actors_model::{AlarmKind, TagId, Timestamp};
use ach_clients_rust::{Publisher, Report, ReportWord, now};
use ach_engine_node::{Ended, HistoryPolicy, HistoryTrouble, Rung, Running, StoringStopped, ring};
use ach_engine_trial::{on_small_disk, resize};
use tempfile::TempDir;

use crate::history::opened;
use crate::ward::{Ward, in_time, ping};

const NAME: &str = "full_disk::on_a_disk_that_fills_up_history_stops_first_and_the_journal_last";

/// More than history leaves for the rest; nothing of it is used that is not written.
const ROOMY: &str = "640m";

/// Less than history leaves, and plenty for a journal.
const TIGHT: &str = "256m";

#[test]
fn on_a_disk_that_fills_up_history_stops_first_and_the_journal_last() {
    on_small_disk(NAME, ROOMY, |folder| {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(fill(folder));
    });
}

/// Publishes steps, each durable before the next.
async fn walk(vendor: &Publisher, steps: std::ops::Range<i32>) {
    let walking = async {
        for step in steps {
            let ticket = vendor.publish(ping(2, 1_000 + step, 5_000)).await.unwrap();
            vendor.wait_durable(ticket).await.unwrap();
        }
    };
    in_time("steps to be durable", walking).await;
}

/// Waits until the node says this of its history, while somebody else walks on.
async fn told(
    what: &str,
    (node, vendor): (&Running, &Publisher),
    is_it: impl Fn(Option<HistoryTrouble>) -> bool,
) {
    let telling = async {
        while !is_it(node.health().history_trouble) {
            let ticket = vendor.publish(ping(3, 1_000, 1_000)).await.unwrap();
            vendor.wait_durable(ticket).await.unwrap();
        }
    };
    in_time(what, telling).await;
}

/// What is used of the file system, and so many bytes.
fn used_and(folder: &Path, more_bytes: u64) -> String {
    let room = rustix::fs::statvfs(folder).unwrap();
    let used_bytes = (room.f_blocks - room.f_bfree) * room.f_frsize;
    (used_bytes + more_bytes).to_string()
}

async fn drain(node: Running) {
    assert_eq!(tokio::task::spawn_blocking(move || node.drain()).await.unwrap(), Ended::Drained);
}

async fn fill(folder: &Path) {
    let mut ward = Ward { folder: TempDir::new_in(folder).unwrap(), ..Ward::new() };
    ward.authority =
        ach_engine_net::Authority::create(&ward.folder.path().join("pki"), &ward.site.site)
            .unwrap();
    ward.limits.history = Some(HistoryPolicy { keep_days: 30, archive_days: 0 });
    let node = ward.start();
    // The audit log, which lies there too, has an alarm of its own.
    let mut alarms = ward.alarms_of(node.address(), vec![AlarmKind::Duress]).await;
    let vendor = ward.vendor(node.address()).await;
    walk(&vendor, 0..10).await;
    assert_eq!(node.health().history_trouble, None);

    // Somebody takes room: history is the first to stop.
    resize(folder, TIGHT);
    let is_without_room = |trouble| matches!(trouble, Some(HistoryTrouble::NotWritten { detail }) if detail.contains("room"));
    told("history to say that there is no room", (&node, &vendor), is_without_room).await;
    assert_eq!(node.health().stopped, None, "the journal goes on");
    walk(&vendor, 10..40).await;
    vendor.report(Report::tag(TagId(1), now(), ReportWord::ButtonPressed)).await.unwrap();
    alarms.expect("Raised Duress nurse Provisional(None)").await;
    alarms.expect("durable Raised").await;

    // All of it: what the journal has at hand is used up.
    resize(folder, &used_and(folder, 64 << 10));
    let flood = async {
        loop {
            let pings: Vec<_> = (0..2_000).map(|n| ping(3 + n % 7, 1_000, 1_000)).collect();
            vendor.publish_all(&pings).await.unwrap();
        }
    };
    let why = tokio::select! {
        why = in_time("storing to stop", node.storing_stopped()) => why,
        () = flood => unreachable!(),
    };
    assert!(matches!(why, StoringStopped::Full { .. }), "{why}");
    assert!(is_without_room(node.health().history_trouble), "{:?}", node.health());
    vendor.report(Report::tag(TagId(1), now(), ReportWord::ButtonReset)).await.unwrap();
    alarms.expect("Cleared Duress nurse Provisional(NoDisk)").await;
    drop(vendor);
    drain(node).await;

    // Room again: history has everything that was durable.
    resize(folder, ROOMY);
    let node = ward.start();
    assert_eq!(node.health().stopped, None);
    let vendor = ward.vendor(node.address()).await;
    walk(&vendor, 40..50).await;
    let data = ward.folder.path().join("data");
    let ringing = async {
        let asked = || {
            tokio::task::spawn_blocking({
                let data = data.clone();
                move || ring(&data)
            })
        };
        while !matches!(asked().await.unwrap(), Ok(Rung::Written { .. })) {}
    };
    in_time("history to have all that is durable", ringing).await;
    drain(node).await;
    let store = opened(&data.join("history"));
    store.verify().unwrap();
    let tag = store.tag(TagId(2)).unwrap().expect("the tag is known");
    let pings = store.pings(tag, Timestamp(0), Timestamp(u64::MAX)).unwrap();
    let steps: Vec<i32> = pings.map(|ping| ping.unwrap().position.x_mm - 1_000).collect();
    assert_eq!(steps, (0..50).collect::<Vec<_>>());
}
