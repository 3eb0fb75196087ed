//! More pings than the shard can take: the newest of each tag is decided on, all are counted.

use crate::ward::raw::{Raw, pings, reading};
use crate::ward::{Ward, in_time, ping};
use ach_actors_model::{Lane, NS_PER_MS, TagId, Timestamp};
use ach_clients_rust::{AlarmUpdate, Report, ReportWord, now};
use ach_engine_net::Role;
use ach_engine_node::NodeLimits;
use ach_engine_wire::{Coordinates, Frame, PingReading, WirePing};

/// A shard that takes one batch of 256 at a time, and sessions that take more.
fn narrow() -> Ward {
    let limits = NodeLimits {
        ping_window: 1_024,
        ping_batches_max: 1,
        long_turn_pings: 0,
        ..NodeLimits::default()
    };
    Ward { limits, ..Ward::new() }
}

#[tokio::test(flavor = "multi_thread")]
async fn under_overload_the_newest_ping_of_each_tag_decides_and_the_rest_is_counted() {
    const PINGS: u64 = 1_024;
    let ward = narrow();
    let node = ward.start();
    let mut alarms = ward.alarms(node.address()).await;
    let mut raw = Raw::open(node.address(), &ward.bundle(Role::Vendor, "uwb")).await;
    raw.intern(&[1, 2, 3, 4, 5, 6, 7, 8]).await;
    let started_at = now().0 - PINGS * NS_PER_MS;
    // Eight tags walk on the ward; the last word of tag 2 is from the vault.
    let flood: Vec<WirePing> = (0..PINGS)
        .map(|n| {
            let is_last_of_2 = n == PINGS - 7;
            let x_mm = if is_last_of_2 { 25_000 } else { 1_000 };
            let observed_at = Timestamp(started_at + n * NS_PER_MS);
            let handle = u32::try_from(n % 8).unwrap();
            let coordinates = Coordinates::Local { x_mm, y_mm: 5_000 };
            WirePing::new(&PingReading { coordinates, ..reading(handle, observed_at) })
        })
        .collect();
    raw.lane(Lane::Ping).await.write_all(&pings(1, &flood)).await.unwrap();
    alarms.expect("Raised UnauthorisedEntry visitor-2 Provisional(None)").await;
    let is_durable = |frame: &Frame| matches!(frame, Frame::Ack(ack) if ack.lane == Lane::Ping && ack.durable_through == PINGS);
    let Frame::Ack(ack) = raw.hear(is_durable).await else { panic!() };
    // One batch had gone to the shard; of what waited behind it one ping a tag is left.
    let totals = ack.totals;
    assert_eq!((totals.accepted, totals.conflated), (256 + 8, PINGS - 256 - 8));
    assert_eq!(totals.sum(), PINGS);
    assert_eq!(node.counters().pings_conflated.get(), totals.conflated);
}

/// LOAD-1.
#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_pings_holds_up_no_duress_and_loses_nothing_uncounted() {
    const PINGS: u64 = 50_000;
    let ward = narrow();
    let node = ward.start();
    let mut alarms = ward.alarms(node.address()).await;
    let vendor = ward.vendor(node.address()).await;
    let flood: Vec<_> = (0..PINGS).map(|n| ping(2 + n % 8, 1_000, 1_000)).collect();
    let flooding = async {
        let ticket = vendor.publish_all(&flood).await.unwrap();
        in_time("the disk", vendor.wait_durable(ticket)).await.unwrap();
    };
    let pressing = async {
        vendor.report(Report::tag(TagId(1), now(), ReportWord::ButtonPressed)).await.unwrap();
        alarms.expect("Raised Duress nurse Provisional(None)").await;
        alarms.expect("durable Raised").await;
    };
    tokio::join!(flooding, pressing);
    let totals = vendor.progress().borrow().ping.totals;
    assert_eq!(totals.sum(), PINGS, "{totals:?}");
    assert_eq!(totals.refused, 0);
}

/// PATH-1: the first ping of a large frame is decided on, and told of, before the last one is read. The last
/// came when the first did: what it waited for is on its way.
#[tokio::test(flavor = "multi_thread")]
async fn a_large_frame_is_decided_on_as_it_is_read() {
    const PINGS: u64 = 1_000;
    const PINGS_A_TURN: u64 = 8;
    let ward = Ward::new();
    let node = ward.start();
    let mut alarms = ward.alarms(node.address()).await;
    let mut raw = Raw::open(node.address(), &ward.bundle(Role::Vendor, "uwb")).await;
    raw.intern(&[1, 2, 3]).await;
    let observed_at = now().0 - PINGS * NS_PER_MS;
    // Two visitors go into the vault: the one with the first ping, the other with the last.
    let floor: Vec<WirePing> = (0..PINGS)
        .map(|n| {
            let (handle, x_mm) = match n {
                0 => (1, 25_000),
                _ if n == PINGS - 1 => (2, 25_000),
                _ => (0, 1_000),
            };
            let coordinates = Coordinates::Local { x_mm, y_mm: 5_000 };
            let observed_at = Timestamp(observed_at + n * NS_PER_MS);
            WirePing::new(&PingReading { coordinates, ..reading(handle, observed_at) })
        })
        .collect();
    raw.lane(Lane::Ping).await.write_all(&pings(1, &floor)).await.unwrap();
    let (mut received, mut entries) = (Vec::new(), Vec::new());
    while received.len() < 2 || entries.len() < 2 {
        match in_time("both alarms", alarms.stream.next()).await {
            Some(AlarmUpdate::Note(raised)) => received.push(raised.received_at),
            Some(AlarmUpdate::Durable { cursor, .. }) => entries.push(cursor.unwrap().index),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(received[0], received[1], "one frame came at one time");
    let between = entries[1] - entries[0];
    assert!(between >= (PINGS - 1) / PINGS_A_TURN, "only {between} entries between the two");
}

/// PATH-2: a vendor that sends all of its floor at once, now and then.
#[tokio::test(flavor = "multi_thread")]
async fn a_large_frame_is_decided_on_in_pieces_and_every_number_keeps_its_place() {
    const PINGS: u64 = 1_000;
    let ward = Ward::new();
    let node = ward.start();
    let mut raw = Raw::open(node.address(), &ward.bundle(Role::Vendor, "uwb")).await;
    raw.intern(&[1, 2]).await;
    let before = node.counters().entries_stepped.get();
    let observed_at = now().0 - PINGS * NS_PER_MS;
    // Handle 9 stands for nothing.
    let floor: Vec<WirePing> = (0..PINGS)
        .map(|n| if n == 777 { 9 } else { u32::try_from(n % 2).unwrap() })
        .zip(1..)
        .map(|(handle, n)| WirePing::new(&reading(handle, Timestamp(observed_at + n * NS_PER_MS))))
        .collect();
    let mut lane = raw.lane(Lane::Ping).await;
    lane.write_all(&pings(1, &floor)).await.unwrap();
    // Half of it again, with news behind.
    let news = [&floor[500..], &floor[..1]].concat();
    lane.write_all(&pings(501, &news)).await.unwrap();
    let Frame::Refusal(refusal) = raw.hear(|it| matches!(it, Frame::Refusal(_))).await else {
        panic!()
    };
    assert_eq!((refusal.first_seq, refusal.count), (778, 1));
    let is_durable = |frame: &Frame| matches!(frame, Frame::Ack(ack) if ack.lane == Lane::Ping && ack.durable_through == PINGS + 1);
    let Frame::Ack(ack) = raw.hear(is_durable).await else { panic!() };
    let totals = ack.totals;
    assert_eq!((totals.accepted, totals.refused, totals.conflated), (PINGS - 1, 1, 0));
    assert_eq!(totals.late + totals.duplicate, 500 + 1);
    let entries = node.counters().entries_stepped.get() - before;
    assert!(entries >= PINGS / 64, "{entries} entries");
}
