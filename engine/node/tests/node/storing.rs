//! A disk that fails, fills up or stalls: alarms go on, and nothing is acked that is not stored.

use crate::ward::raw::{Raw, wire_ping};
use crate::ward::{Alarms, PATIENCE, Ward, in_time, name, ping};
use ach_actors_model::{Lane, TagId};
use ach_clients_rust::{Filter, Progress, Publisher, PublisherOptions, Report, ReportWord, now};
use ach_engine_journal::{SimDisk, SimFault, StallingDisk};
use ach_engine_net::Role;
use ach_engine_node::{Arrangement, Ended, NodeLimits, Running, StoringStopped};
use ach_engine_wire::{Frame, encode_pings};

const DISK_BYTES: u64 = 256 << 20;

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_flush_ends_storing_and_alarms_go_on_as_provisional() {
    let ward = Ward::new();
    let disk = SimDisk::new(1, DISK_BYTES);
    let node = ward.start_on(disk.clone());
    let mut alarms = ward.alarms(node.address()).await;
    let vendor = ward.vendor(node.address()).await;
    vendor.report(Report::tag(TagId(1), now(), ReportWord::ButtonPressed)).await.unwrap();
    vendor.drain().await.unwrap();
    alarms.expect("Raised Duress nurse Provisional(None)").await;
    alarms.expect("durable Raised").await;
    assert!(node.health().is_ready());
    for op in 1..=8 {
        disk.plan(op, SimFault::Fail);
    }
    vendor.publish(ping(2, 25_000, 5_000)).await.unwrap();
    let raised = alarms.next().await;
    assert!(raised.starts_with("Raised UnauthorisedEntry visitor-2 Provisional"), "{raised}");
    let why = in_time("storing to stop", node.storing_stopped()).await;
    assert!(matches!(why, StoringStopped::Failed { .. }), "{why}");
    assert_eq!(node.health().stopped, Some(why));
    assert!(!node.health().is_ready());
    let door = name("vault-door");
    vendor.report(Report::door(door.clone(), now(), ReportWord::DoorOpened)).await.unwrap();
    let mut told = alarms.next().await;
    if raised.ends_with("Provisional(None)") {
        // It was told before the disk had failed, and now that it will not be stored.
        assert_eq!(told, "Raised is still provisional: NoDisk");
        told = alarms.next().await;
    }
    assert_eq!(told, "Raised DoorForced - Provisional(NoDisk)");
    vendor.report(Report::door(door, now(), ReportWord::DoorClosed)).await.unwrap();
    alarms.expect("Cleared DoorForced - Provisional(NoDisk)").await;
    let progress = *vendor.progress().borrow();
    assert_eq!(progress.door.durable_through, 0, "nothing is acked as durable any more");
    let mut operator = ward.client(node.address(), Role::Operator, "chief").await.operator();
    let status = operator.status().await.unwrap();
    assert!(!status.is_storing);
    let said = status.counters.iter().find(|c| c.name.as_str() == "storing_stopped_disk_failed");
    assert_eq!(said.map(|counter| counter.count), Some(1), "the operator is told why");
    assert!(node.counters().entries_not_stored.get() > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_to_a_node_that_does_not_store_hears_what_ended_while_he_was_away() {
    let ward = Ward::new();
    let disk = SimDisk::new(1, DISK_BYTES);
    let node = ward.start_on(disk.clone());
    let (mut present, mut away) =
        (ward.alarms(node.address()).await, ward.alarms(node.address()).await);
    let vendor = ward.vendor(node.address()).await;
    vendor.report(Report::tag(TagId(1), now(), ReportWord::ButtonPressed)).await.unwrap();
    vendor.drain().await.unwrap();
    for alarms in [&mut present, &mut away] {
        alarms.expect("Raised Duress nurse Provisional(None)").await;
        alarms.expect("durable Raised").await;
    }
    let cursor = away.stream.cursor();
    drop(away);
    for op in 1..=8 {
        disk.plan(op, SimFault::Fail);
    }
    vendor.publish(ping(1, 2_000, 2_000)).await.unwrap();
    in_time("storing to stop", node.storing_stopped()).await;
    vendor.report(Report::tag(TagId(1), now(), ReportWord::ButtonReset)).await.unwrap();
    present.expect("Cleared Duress nurse Provisional(NoDisk)").await;
    for resume_after in [cursor, None] {
        let client = ward.client(node.address(), Role::Receiver, "desk").await;
        let stream = client.subscriber().alarms(Filter::default(), resume_after).await.unwrap();
        let mut alarms = Alarms { stream };
        alarms.expect("Cleared Duress nurse Provisional(NoDisk)").await;
        alarms.expect("open 0").await;
        assert_eq!(alarms.stream.cursor(), cursor, "nothing more is durable");
    }
}

/// A node whose disk has stopped to answer, with a subscriber and a vendor that has an epoch.
async fn stalled(ward: &Ward) -> (Running, StallingDisk<SimDisk>, Alarms, Publisher) {
    let disk = StallingDisk::new(SimDisk::new(1, DISK_BYTES));
    let node = ward.start_on(disk.clone());
    let alarms = ward.alarms(node.address()).await;
    let vendor = ward.vendor(node.address()).await;
    let first = vendor.publish(ping(1, 1_000, 1_000)).await.unwrap();
    vendor.wait_durable(first).await.unwrap();
    disk.stall();
    vendor.report(Report::tag(TagId(1), now(), ReportWord::ButtonPressed)).await.unwrap();
    (node, disk, alarms, vendor)
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_disk_does_not_answer_alarms_go_on_and_no_durable_ack_does() {
    for arrangement in [Arrangement::OneThread, Arrangement::TwoThread] {
        let ward = Ward { arrangement, ..Ward::new() };
        let (node, disk, mut alarms, vendor) = stalled(&ward).await;
        alarms.expect("Raised Duress nurse Provisional(None)").await;
        let opened = Report::door(name("vault-door"), now(), ReportWord::DoorOpened);
        vendor.report(opened).await.unwrap();
        alarms.expect("Raised DoorForced - Provisional(None)").await;
        let mut progress = vendor.progress();
        let is_decided = |progress: &Progress| progress.door.accepted_through == 1;
        let seen = *in_time("the verdict", progress.wait_for(is_decided)).await.unwrap();
        assert_eq!((seen.duress.durable_through, seen.door.durable_through), (0, 0));
        assert_eq!(node.health().stopped, None);
        disk.go_on();
        alarms.expect("durable Raised").await;
        alarms.expect("durable Raised").await;
        vendor.drain().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_ends_in_time_though_the_disk_does_not_answer() {
    for arrangement in [Arrangement::OneThread, Arrangement::TwoThread] {
        let drain_within = std::time::Duration::from_millis(400);
        let limits = NodeLimits { drain_within, ..NodeLimits::default() };
        let ward = Ward { limits, arrangement, ..Ward::new() };
        let (node, disk, mut alarms, _vendor) = stalled(&ward).await;
        alarms.expect("Raised Duress nurse Provisional(None)").await;
        let ended = tokio::task::spawn_blocking(move || node.drain());
        assert_eq!(in_time("the end", ended).await.unwrap(), Ended::Failed);
        alarms.expect("disconnected").await;
        disk.go_on();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vendor_that_comes_without_a_disk_has_a_volatile_epoch_and_credit() {
    let ward = Ward::new();
    let disk = SimDisk::new(2, DISK_BYTES);
    let node = ward.start_on(disk.clone());
    for op in 1..=8 {
        disk.plan(op, SimFault::Fail);
    }
    let bundle = ward.bundle(Role::Vendor, "uwb");
    // The epoch of this one is lost with the disk.
    let first = Raw::open(node.address(), &bundle).await;
    in_time("storing to stop", node.storing_stopped()).await;
    let mut raw = Raw::open(node.address(), &bundle).await;
    assert!(!raw.welcome.is_storing);
    assert_eq!(raw.epoch(), first.epoch() + 1);
    raw.intern(&[1]).await;
    let mut bytes = Vec::new();
    encode_pings(1, &[wire_ping(0)], &mut bytes).unwrap();
    raw.lane(Lane::Ping).await.write_all(&bytes).await.unwrap();
    let is_accepted = |frame: &Frame| matches!(frame, Frame::Ack(ack) if ack.lane == Lane::Ping && ack.accepted_through == 1);
    let Frame::Ack(ack) = raw.hear(is_accepted).await else { panic!() };
    assert_eq!(ack.durable_through, 0);
    assert!(ack.credit_through > 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vendor_publishes_more_than_it_may_keep_while_nothing_becomes_durable() {
    let ward = Ward::new();
    let disk = SimDisk::new(5, DISK_BYTES);
    let node = ward.start_on(disk.clone());
    let mut alarms = ward.alarms(node.address()).await;
    let client = ward.client(node.address(), Role::Vendor, "uwb").await;
    let options = PublisherOptions { pings_max: 100, reports_max: 10, may_conflate: false };
    let vendor = client.publisher(options).unwrap();
    let first = vendor.publish(ping(1, 1_000, 1_000)).await.unwrap();
    vendor.wait_durable(first).await.unwrap();
    for op in 1..=8 {
        disk.plan(op, SimFault::Fail);
    }
    for _ in 0..1_000 {
        tokio::time::timeout(PATIENCE, vendor.publish(ping(1, 1_000, 1_000)))
            .await
            .expect("the vendor was held up for the disk")
            .unwrap();
    }
    for _ in 0..50 {
        let press = Report::tag(TagId(1), now(), ReportWord::ButtonPressed);
        tokio::time::timeout(PATIENCE, vendor.report(press)).await.unwrap().unwrap();
    }
    alarms.expect("Raised Duress nurse Provisional(NoDisk)").await;
    let all = |progress: &Progress| {
        progress.ping.accepted_through == 1_001 && progress.duress.accepted_through == 50
    };
    let mut progress = vendor.progress();
    tokio::time::timeout(PATIENCE, progress.wait_for(all)).await.unwrap().unwrap();
    assert!(!progress.borrow().is_storing);
    assert_eq!(progress.borrow().ping.durable_through, first.number);
    assert!(progress.borrow().ping.unkept_count > 800);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_ends_storing_and_a_drain_still_ends_in_good_order() {
    let ward = Ward::new();
    let disk = SimDisk::new(3, 8 << 20);
    let node = ward.start_on(disk.clone());
    let vendor = ward.vendor(node.address()).await;
    let first = vendor.publish(ping(1, 1_000, 1_000)).await.unwrap();
    vendor.wait_durable(first).await.unwrap();
    disk.set_capacity(0);
    // The two segments at hand hold some 40,000 pings.
    let flood = async {
        loop {
            let pings: Vec<_> = (0..2_000).map(|n| ping(1 + n % 9, 1_000, 1_000)).collect();
            vendor.publish_all(&pings).await.unwrap();
        }
    };
    let why = tokio::select! {
        why = in_time("storing to stop", node.storing_stopped()) => why,
        () = flood => unreachable!(),
    };
    assert!(matches!(why, StoringStopped::Full { .. }), "{why}");
    let mut operator = ward.client(node.address(), Role::Operator, "chief").await.operator();
    let counters = operator.status().await.unwrap().counters;
    assert!(counters.iter().any(|counter| counter.name.as_str() == "storing_stopped_disk_full"));
    let acked = vendor.durable_through();
    assert_eq!(tokio::task::spawn_blocking(move || node.drain()).await.unwrap(), Ended::Drained);
    // All that was acked is there when the disk has room again.
    let disk = disk.fork(4);
    disk.set_capacity(DISK_BYTES);
    let node = ward.start_on(disk);
    let bundle = ward.bundle(Role::Vendor, "uwb");
    let resume =
        ach_engine_wire::LaneResume { lane: Lane::Ping, epoch: 1, last_seq: acked + 40_000 };
    let raw = Raw::resume(node.address(), &bundle, vec![resume]).await;
    assert_eq!(raw.epoch(), 1);
    assert!(raw.welcome.lanes[2].durable_through >= acked);
}
