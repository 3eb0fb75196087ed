//! A disk that fails, fills up or stalls: alarms go on, and nothing is acked that is not stored.

use crate::ward::raw::{Raw, wire_ping};
use crate::ward::{PATIENCE, Ward, ping, until};
use ach_actors_model::{Lane, TagId};
use ach_clients_rust::{PublisherOptions, Report, ReportWord, now};
use ach_engine_journal::{SimDisk, SimFault};
use ach_engine_net::Role;
use ach_engine_node::{Ended, StoringStopped};
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
    for op in 1..=8 {
        disk.plan(op, SimFault::Fail);
    }
    vendor.publish(ping(2, 25_000, 5_000)).await.unwrap();
    let raised = alarms.next().await;
    assert!(raised.starts_with("Raised UnauthorisedEntry visitor-2 Provisional"), "{raised}");
    until("storing to stop", || node.health().stopped.is_some()).await;
    assert!(matches!(node.health().stopped, Some(StoringStopped::Failed { .. })));
    let door = crate::ward::name("vault-door");
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
    assert!(!operator.status().await.unwrap().is_storing);
    assert!(node.counters().entries_not_stored.get() > 0);
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
    until("storing to stop", || node.health().stopped.is_some()).await;
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
    let options = PublisherOptions { pings_max: 100, reports_max: 10 };
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
    let all = |progress: &ach_clients_rust::Progress| {
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
    while node.health().stopped.is_none() {
        let pings: Vec<_> = (0..2_000).map(|n| ping(1 + n % 9, 1_000, 1_000)).collect();
        if vendor.try_publish_all(&pings).is_err() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }
    let health = node.health();
    assert!(matches!(health.stopped, Some(StoringStopped::Full { .. })), "{health:?}");
    let acked = vendor.durable_through();
    assert_eq!(tokio::task::spawn_blocking(move || node.drain()).await.unwrap(), Ended::Drained);
    // All that was acked is there when the disk has room again.
    let disk = disk.fork(4);
    disk.set_capacity(DISK_BYTES);
    let node = ward.start_on(disk);
    let bundle = ward.bundle(Role::Vendor, "uwb");
    let resume = ach_engine_wire::LaneResume { lane: Lane::Ping, epoch: 1, last_seq: 1 << 40 };
    let raw = Raw::resume(node.address(), &bundle, vec![resume]).await;
    assert_eq!(raw.epoch(), 1);
    assert!(raw.welcome.lanes[2].durable_through >= acked);
}
