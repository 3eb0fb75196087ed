//! A history whose disk does not answer: neither alarms nor acks nor checkpoints wait for it, however much has
//! gathered meanwhile.

use ach_actors_model::TagId;
use ach_clients_rust::{Publisher, Report, ReportWord, now};
use ach_engine_journal::SimDisk;
use ach_engine_node::{Arrangement, CheckpointPolicy, Ended, HistoryPolicy, Running};
use ach_engine_store::{SimTables, Store};

use crate::ward::{PATIENCE, Ward, in_time, name, ping};

const DISK_BYTES: u64 = 256 << 20;

/// Versions of the site that are put in force: four times what the queue of history holds of them.
const SITES: u32 = 32;

/// A ward that remembers, and takes a checkpoint after every few entries.
fn ward(arrangement: Arrangement) -> Ward {
    let mut ward = Ward { arrangement, ..Ward::new() };
    ward.limits.history = Some(HistoryPolicy { keep_days: 30, archive_days: 0 });
    ward.limits.checkpoints =
        CheckpointPolicy { journal_bytes: 1, entries: 5, is_journal_kept: false };
    ward
}

/// Steps, each in an entry of its own, until the node has taken two more checkpoints.
async fn walk_over_checkpoints(vendor: &Publisher, node: &Running) {
    let before = node.counters().checkpoints_taken.get();
    let walking = async {
        let mut step = 0;
        while node.counters().checkpoints_taken.get() < before + 2 || step < 30 {
            let ticket = vendor.publish(ping(2, 1_000 + step, 1_000)).await.unwrap();
            vendor.wait_durable(ticket).await.unwrap();
            step += 1;
        }
    };
    in_time("steps to be durable, and checkpoints", walking).await;
}

/// Waits until history has all that is in the journal.
async fn caught_up(tables: &SimTables, node: &Running) {
    let catching_up = async {
        loop {
            let written = tables.writing_count();
            let through = Store::open_simulated(&tables.fork()).unwrap().through().unwrap();
            if through == node.health().durable_index {
                break;
            }
            let written_to = tables.clone();
            let more = move || written_to.wait_until_written(written, PATIENCE);
            assert!(tokio::task::spawn_blocking(more).await.unwrap(), "history writes no more");
        }
    };
    in_time("history to catch up", catching_up).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_historys_disk_does_not_answer_alarms_acks_and_checkpoints_go_on() {
    for arrangement in [Arrangement::OneThread, Arrangement::TwoThread] {
        let ward = ward(arrangement);
        let tables = SimTables::default();
        let node = ward.start_with_history(&SimDisk::new(9, DISK_BYTES), &tables);
        let mut alarms = ward.alarms(node.address()).await;
        let vendor = ward.vendor(node.address()).await;
        walk_over_checkpoints(&vendor, &node).await;
        caught_up(&tables, &node).await;
        tables.hold_writings();
        vendor.publish(ping(2, 2_000, 2_000)).await.unwrap();
        let held = tables.clone();
        let is_held = tokio::task::spawn_blocking(move || held.wait_until_held(PATIENCE));
        assert!(is_held.await.unwrap(), "history writes every entry");
        let written = tables.writing_count();

        vendor.report(Report::tag(TagId(1), now(), ReportWord::ButtonPressed)).await.unwrap();
        alarms.expect("Raised Duress nurse Provisional(None)").await;
        alarms.expect("durable Raised").await;
        walk_over_checkpoints(&vendor, &node).await;

        // More than the queue of history holds.
        let mut site = ward.site.clone();
        for version in 2..2 + SITES {
            site.zones[0].capacity = Some(version);
            site.version = version;
            node.change_site(site.clone()).await.unwrap();
        }
        let door = name("vault-door");
        vendor.report(Report::door(door.clone(), now(), ReportWord::DoorOpened)).await.unwrap();
        alarms.expect("Raised DoorForced - Provisional(None)").await;
        alarms.expect("durable Raised").await;
        in_time("all acks", vendor.drain()).await.unwrap();
        assert!(node.counters().history_entries_left_out.get() > 0, "the queue is full");
        walk_over_checkpoints(&vendor, &node).await;
        assert_eq!(tables.writing_count(), written, "the same writing waits all the while");

        tables.let_go();
        caught_up(&tables, &node).await;
        vendor.report(Report::door(door, now(), ReportWord::DoorClosed)).await.unwrap();
        alarms.expect("Cleared DoorForced - Durable").await;
        vendor.close().await.unwrap();
        let ended = tokio::task::spawn_blocking(move || node.drain()).await.unwrap();
        assert_eq!(ended, Ended::Drained);
    }
}
