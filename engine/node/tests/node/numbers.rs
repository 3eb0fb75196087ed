//! What a node tells its operators over HTTP, while and after things happen.

use std::collections::BTreeMap;

use crate::ward::raw::{Raw, pings, reading};
use crate::ward::{Ward, in_time, ping};
use ach_actors_model::{Lane, NS_PER_MS, TagId, Timestamp};
use ach_clients_rust::{Report, ReportWord, now};
use ach_engine_journal::{SimDisk, SimFault};
use ach_engine_metrics::{Exposition, Page};
use ach_engine_net::Role;
use ach_engine_node::{NodeLimits, NodePage};
use ach_engine_wire::{Frame, PingReading, WirePing};

/// Every sample by name and labels, as it is written.
fn samples(page: &NodePage) -> BTreeMap<String, String> {
    let mut exposition = Exposition::default();
    page.write(&mut exposition);
    let text = exposition.into_text();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| line.rsplit_once(' '))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alarm_is_seen_in_every_number_it_concerns() {
    let ward = Ward::new();
    let node = ward.start();
    let page = node.page();
    let before = samples(&page);
    assert_eq!(before["ach_alarms_raised_by_kind_total{kind=\"duress\"}"], "0");
    assert_eq!(before["ach_residence_seconds_count{stage=\"handover\"}"], "0");
    let mut alarms = ward.alarms(node.address()).await;
    let vendor = ward.vendor(node.address()).await;
    vendor.publish(ping(1, 5_000, 5_000)).await.unwrap();
    // So that the report is in an entry of its own.
    vendor.drain().await.unwrap();
    vendor.report(Report::tag(TagId(1), now(), ReportWord::ButtonPressed)).await.unwrap();
    alarms.expect("Raised Duress nurse Provisional(None)").await;
    alarms.expect("durable Raised").await;
    vendor.drain().await.unwrap();
    let after = samples(&page);
    for (name, value) in [
        ("ach_alarms_raised_by_kind_total{kind=\"duress\"}", "1"),
        ("ach_alarms_raised_by_kind_total{kind=\"elopement\"}", "0"),
        ("ach_alarms_open_told", "1"),
        ("ach_subscribers{topic=\"alarms\"}", "1"),
        ("ach_residence_seconds_count{stage=\"handover\"}", "1"),
        ("ach_residence_seconds_count{stage=\"alarm\"}", "1"),
        ("ach_residence_seconds_count{stage=\"lane_wait\"}", "2"),
        ("ach_ack_latency_seconds_count", "2"),
        ("ach_storing_stopped{reason=\"disk_full\"}", "0"),
        ("ach_pings_accepted_total", "1"),
    ] {
        assert_eq!(after[name], value, "{name}");
    }
    for (name, _) in node.counters().read() {
        let is_told = after.contains_key(&format!("ach_{name}_total"))
            || name == "bytes_committed" && after.contains_key("ach_committed_bytes_total");
        assert!(is_told, "{name} is forgotten");
    }
    assert_eq!((page.health(), page.readiness()), (Ok(()), Ok(())));
    let ended = tokio::task::spawn_blocking(move || node.drain());
    ended.await.unwrap();
    assert!(page.health().is_err_and(|why| why.contains("ended in order")));
}

/// A node without a disk is at work and not ready: whoever restarts it for that makes it worse.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_does_not_store_is_healthy_and_not_ready() {
    let ward = Ward::new();
    let disk = SimDisk::new(1, 256 << 20);
    let node = ward.start_on(disk.clone());
    let vendor = ward.vendor(node.address()).await;
    for op in 1..=8 {
        disk.plan(op, SimFault::Fail);
    }
    vendor.publish(ping(2, 5_000, 5_000)).await.unwrap();
    in_time("storing to stop", node.storing_stopped()).await;
    let page = node.page();
    assert_eq!(page.health(), Ok(()));
    let why = page.readiness().unwrap_err();
    assert!(why.starts_with("not storing, alarms go on as provisional: the disk failed"), "{why}");
    let told = samples(&page);
    assert_eq!(told["ach_is_storing"], "0");
    assert_eq!(told["ach_storing_stopped{reason=\"disk_failed\"}"], "1");
    assert_eq!(told["ach_storing_stopped{reason=\"disk_full\"}"], "0");
}

/// Under overload pings give way, and nothing that may not.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_conflated_is_counted_for_pings_alone() {
    const PINGS: u64 = 1_024;
    let limits = NodeLimits {
        ping_window: 1_024,
        ping_batches_max: 1,
        long_turn_pings: 0,
        ..NodeLimits::default()
    };
    let ward = Ward { limits, ..Ward::new() };
    let node = ward.start();
    let mut raw = Raw::open(node.address(), &ward.bundle(Role::Vendor, "uwb")).await;
    raw.intern(&[1, 2, 3, 4, 5, 6, 7, 8]).await;
    let started_at = now().0 - PINGS * NS_PER_MS;
    let flood: Vec<WirePing> = (0..PINGS)
        .map(|n| {
            let observed_at = Timestamp(started_at + n * NS_PER_MS);
            let handle = u32::try_from(n % 8).unwrap();
            WirePing::new(&PingReading { ..reading(handle, observed_at) })
        })
        .collect();
    raw.lane(Lane::Ping).await.write_all(&pings(1, &flood)).await.unwrap();
    let is_durable = |frame: &Frame| matches!(frame, Frame::Ack(ack) if ack.lane == Lane::Ping && ack.durable_through == PINGS);
    let Frame::Ack(ack) = raw.hear(is_durable).await else { panic!() };
    let told = samples(&node.page());
    let conflated = |lane| told[&format!("ach_inputs_conflated_total{{lane=\"{lane}\"}}")].clone();
    assert_ne!(ack.totals.conflated, 0);
    assert_eq!(conflated("ping"), ack.totals.conflated.to_string());
    for lane in ["duress", "door", "audit", "console"] {
        assert_eq!(conflated(lane), "0", "{lane}");
    }
    for lane in ["duress", "door", "audit"] {
        assert_eq!(told[&format!("ach_effects_shed_total{{lane=\"{lane}\"}}")], "0", "{lane}");
    }
}
