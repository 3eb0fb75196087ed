//! A vendor that comes twice at once, or comes back knowing more than the journal.

use crate::ward::raw::{Raw, closed_with, hello, pings, wire_ping};
use crate::ward::{Ward, in_time};
use ach_actors_model::Lane;
use ach_clients_rust::{Operator, now};
use ach_engine_journal::{SimDisk, StallingDisk};
use ach_engine_net::Role;
use ach_engine_node::Ended;
use ach_engine_wire::{Code, Frame, LaneResume, ReportWord, WireReport, encode_reports};

const DISK_BYTES: u64 = 256 << 20;

/// Asks until the shard has stepped so many entries.
async fn until_stepped(operator: &mut Operator, entries: u64) {
    let asking = async {
        loop {
            let counters = operator.status().await.unwrap().counters;
            let counter = counters.iter().find(|c| c.name.as_str() == "entries_stepped").unwrap();
            if counter.count >= entries {
                return;
            }
        }
    };
    in_time("the shard", asking).await;
}

/// Two connections of one vendor say hello while the disk is slow. Each must have an epoch of its
/// own: with the same one the second's inputs would be taken for repetitions of the first's, and
/// with the old one they would be refused.
async fn check_two_at_once(second_resume: Vec<LaneResume>, expected_epoch: u32) {
    let ward = Ward::new();
    let disk = StallingDisk::new(SimDisk::new(1, DISK_BYTES));
    let node = ward.start_on(disk.clone());
    let bundle = ward.bundle(Role::Vendor, "uwb");
    let mut operator = ward.client(node.address(), Role::Operator, "chief").await.operator();
    if !second_resume.is_empty() {
        drop(Raw::open(node.address(), &bundle).await);
    }
    let before = node.counters().entries_stepped.get();
    disk.stall();
    let first = Raw::greet(node.address(), &bundle, hello(Vec::new())).await;
    until_stepped(&mut operator, before + 1).await;
    let second = Raw::greet(node.address(), &bundle, hello(second_resume)).await;
    until_stepped(&mut operator, before + 2).await;
    disk.go_on();
    assert_eq!(closed_with(&first.connection).await, Code::TakenOver);
    let mut second = second.welcomed().await;
    assert_eq!(second.epoch(), expected_epoch);
    second.intern(&[1]).await;
    second.lane(Lane::Ping).await.write_all(&pings(1, &[wire_ping(0)])).await.unwrap();
    let is_durable = |frame: &Frame| matches!(frame, Frame::Ack(ack) if ack.durable_through == 1);
    let Frame::Ack(ack) = second.hear(is_durable).await else { panic!() };
    assert_eq!((ack.totals.accepted, ack.totals.sum()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_connections_that_begin_at_once_get_an_epoch_each() {
    check_two_at_once(Vec::new(), 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_resumes_while_another_begins_is_not_let_into_the_old_epoch() {
    let resume = LaneResume { lane: Lane::Ping, epoch: 1, last_seq: 0 };
    check_two_at_once(vec![resume], 3).await;
}

/// A refused report is durable to the vendor, which forgets it, and in no journal. With the totals of
/// accepted and refused ones when those that come after a restart are durable.
async fn totals_after_a_refused_one_a_restart_and(next: &[(u64, u32)]) -> (u64, u64) {
    let ward = Ward::new();
    let node = ward.start();
    let bundle = ward.bundle(Role::Vendor, "uwb");
    let reports = |numbers: &[(u64, u32)]| {
        let report = |&(seq, handle)| WireReport {
            seq,
            handle,
            badge: None,
            observed_at: now(),
            word: ReportWord::ButtonPressed,
        };
        let reports: Vec<_> = numbers.iter().map(report).collect();
        let mut bytes = Vec::new();
        encode_reports(&reports, &mut bytes).unwrap();
        bytes
    };
    let acked = |through: u64| move |frame: &Frame| matches!(frame, Frame::Ack(ack) if ack.lane == Lane::Duress && ack.durable_through == through);
    let mut raw = Raw::open(node.address(), &bundle).await;
    // Tag 100 is another feed's.
    raw.intern(&[1, 100]).await;
    raw.lane(Lane::Duress).await.write_all(&reports(&[(1, 0), (2, 1)])).await.unwrap();
    raw.hear(acked(2)).await;
    let epoch = raw.epoch();
    drop(raw);
    assert_eq!(tokio::task::spawn_blocking(move || node.drain()).await.unwrap(), Ended::Drained);
    let node = ward.start();
    let resume = LaneResume { lane: Lane::Duress, epoch, last_seq: 2 };
    let mut raw = Raw::resume(node.address(), &bundle, vec![resume]).await;
    assert_eq!(raw.epoch(), epoch);
    raw.intern(&[1, 100]).await;
    raw.lane(Lane::Duress).await.write_all(&reports(next)).await.unwrap();
    let Frame::Ack(ack) = raw.hear(acked(2 + u64::try_from(next.len()).unwrap())).await else {
        panic!()
    };
    (ack.totals.accepted, ack.totals.refused)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vendor_whose_last_report_was_refused_goes_on_after_a_restart() {
    assert_eq!(totals_after_a_refused_one_a_restart_and(&[(3, 0)]).await, (2, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_after_a_refused_report_and_a_restart_is_acked() {
    assert_eq!(totals_after_a_refused_one_a_restart_and(&[(3, 1)]).await, (1, 1));
    assert_eq!(totals_after_a_refused_one_a_restart_and(&[(3, 1), (4, 1)]).await, (1, 2));
    assert_eq!(totals_after_a_refused_one_a_restart_and(&[(3, 1), (4, 0)]).await, (2, 1));
}
