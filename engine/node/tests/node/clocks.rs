//! Clocks that differ: the vendors', and the node's own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::ward::raw::{Raw, hello, pings, reading};
use crate::ward::scene::Scene;
use crate::ward::{Alarms, Ward, in_time, name};
use ach_actors_model::{AlarmKind, Lane, NS_PER_S, Timestamp};
use ach_clients_rust::{AlarmUpdate, Thing, now};
use ach_engine_net::Role;
use ach_engine_node::{Clock, Node, Running, SystemClock};
use ach_engine_wire::{Code, Frame, Hello, ReportWord, WirePing, WireReport, encode_reports};

/// A press of the first tag that was named.
fn press(observed_at: Timestamp) -> Vec<u8> {
    let report =
        WireReport { seq: 1, observed_at, handle: 0, badge: None, word: ReportWord::ButtonPressed };
    let mut bytes = Vec::new();
    encode_reports(&[report], &mut bytes).unwrap();
    bytes
}

/// What the vendor is told next about its clock, in seconds.
async fn told_offset_s(raw: &mut Raw) -> i64 {
    let told = raw.hear(|frame| matches!(frame, Frame::ClockOffset(_))).await;
    let Frame::ClockOffset(offset) = told else { panic!() };
    offset.offset_ns / 1_000_000_000
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_in_the_future_is_clamped_and_told() {
    let scene = Scene::new().await;
    let mut raw = scene.raw().await;
    raw.intern(&[1]).await;
    let mut lane = raw.lane(Lane::Ping).await;
    let ahead = Timestamp(now().0 + 3_600 * NS_PER_S);
    let from_the_future = WirePing::new(&reading(0, ahead));
    lane.write_all(&pings(1, &[from_the_future; 3])).await.unwrap();
    let told = told_offset_s(&mut raw).await;
    assert!((3_500..=3_600).contains(&told), "{told}");
    scene.check_counted(|counters| &counters.inputs_from_the_future).await;
    assert_eq!(scene.node.counters().inputs_from_the_future.get(), 3);
    assert_eq!(scene.node.counters().clock_offsets_told.get(), 1, "told now and then");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vendor_whose_clock_is_behind_is_told_at_its_hello() {
    let scene = Scene::new().await;
    let sent_at = Timestamp(now().0 - 3_600 * NS_PER_S);
    let hello = Hello { sent_at, ..hello(Vec::new()) };
    let mut raw = Raw::greet(scene.address(), &scene.vendor(), hello).await.welcomed().await;
    let told = told_offset_s(&mut raw).await;
    assert!((-3_700..=-3_600).contains(&told), "{told}");
    scene.check_counted(|counters| &counters.clock_offsets_told).await;
}

/// A feed whose clock is an hour behind, and the alarm about it.
async fn an_hour_behind(ward: &Ward, node: &Running, alarms: &mut Alarms) -> Raw {
    let bundle = ward.bundle(Role::Vendor, "uwb");
    let sent_at = Timestamp(now().0 - 3_600 * NS_PER_S);
    let behind = Hello { sent_at, ..hello(Vec::new()) };
    let raw = Raw::greet(node.address(), &bundle, behind).await.welcomed().await;
    alarms.expect("Raised ClockSkewed - Provisional(None)").await;
    alarms.expect("durable Raised").await;
    raw
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_whose_clock_is_off_is_one_alarm() {
    let ward = Ward::new();
    let node = ward.start();
    let mut alarms = ward.alarms(node.address()).await;
    let mut raw = an_hour_behind(&ward, &node, &mut alarms).await;
    assert!(told_offset_s(&mut raw).await < -3_500);
    raw.intern(&[1]).await;
    let mut lane = raw.lane(Lane::Ping).await;
    let ahead = Timestamp(now().0 + 3_600 * NS_PER_S);
    lane.write_all(&pings(1, &[WirePing::new(&reading(0, ahead)); 3])).await.unwrap();
    assert!(told_offset_s(&mut raw).await > 3_500);
    // Whatever would come of the pings comes before the alarm that another vendor's hello makes.
    let rival = ward.bundle(Role::Vendor, "rival");
    let ahead = Hello { sent_at: ahead, ..hello(Vec::new()) };
    let _rival = Raw::greet(node.address(), &rival, ahead).await.welcomed().await;
    let AlarmUpdate::Note(told) = in_time("the rival's", alarms.stream.next()).await.unwrap()
    else {
        panic!("not an alarm")
    };
    assert_eq!(told.place, Thing::Source(name("rival")));
}

/// The machine's clocks, with a UTC that can be set.
#[derive(Debug, Default)]
pub(crate) struct SetClock {
    system: SystemClock,
    pub(crate) ahead_ns: AtomicU64,
}

impl Clock for SetClock {
    fn monotonic_ns(&self) -> u64 {
        self.system.monotonic_ns()
    }

    fn utc(&self) -> Timestamp {
        self.system.utc().plus_ns(self.ahead_ns.load(Ordering::SeqCst))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_nodes_own_clock_jumps_its_vendors_are_told_and_its_operators_see_it() {
    let ward = Ward::new();
    let clock = Arc::new(SetClock::default());
    let node = Node::start_by(ward.config(), clock.clone()).unwrap();
    let mut raw = Raw::open(node.address(), &ward.bundle(Role::Vendor, "uwb")).await;
    clock.ahead_ns.store(3_600 * NS_PER_S, Ordering::SeqCst);
    let told = told_offset_s(&mut raw).await;
    assert!((3_500..=3_600).contains(&told), "{told}");
    assert_eq!(node.counters().clock_skews_seen.get(), 1);
    clock.ahead_ns.store(0, Ordering::SeqCst);
    assert_eq!(told_offset_s(&mut raw).await, 0, "and when it is over");
    let gauges = node.gauges();
    assert!(gauges.iter().any(|&(name, _)| name == "shard_skew_ns"));
}

/// Shard time follows slowly, so for hours a right vendor looks as if it were ahead.
#[tokio::test(flavor = "multi_thread")]
async fn while_the_nodes_own_clock_is_off_no_vendor_is_blamed() {
    let ward = Ward::new();
    let clock = Arc::new(SetClock::default());
    let node = Node::start_by(ward.config(), clock.clone()).unwrap();
    let kinds = vec![AlarmKind::Duress, AlarmKind::ClockSkewed];
    let mut alarms = ward.alarms_of(node.address(), kinds).await;
    let mut raw = Raw::open(node.address(), &ward.bundle(Role::Vendor, "uwb")).await;
    raw.intern(&[1]).await;
    let mut lane = raw.lane(Lane::Duress).await;
    clock.ahead_ns.store(3_600 * NS_PER_S, Ordering::SeqCst);
    assert!(told_offset_s(&mut raw).await > 3_500);
    lane.write_all(&press(clock.utc())).await.unwrap();
    alarms.expect("Raised Duress nurse Provisional(None)").await;
    alarms.expect("durable Raised").await;
    // Nor one that comes now. What would come of its hello comes before its call.
    let rival = ward.bundle(Role::Vendor, "rival");
    let hello = Hello { sent_at: clock.utc(), ..hello(Vec::new()) };
    let mut rival = Raw::greet(node.address(), &rival, hello).await.welcomed().await;
    rival.intern(&[100]).await;
    let mut lane = rival.lane(Lane::Duress).await;
    lane.write_all(&press(clock.utc())).await.unwrap();
    alarms.expect("Raised Duress pump Provisional(None)").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_of_a_clock_that_is_off_goes_before_the_word_about_its_clock() {
    let ward = Ward::new();
    let node = ward.start();
    let mut alarms = ward.alarms(node.address()).await;
    let mut raw = Raw::open(node.address(), &ward.bundle(Role::Vendor, "uwb")).await;
    raw.intern(&[1]).await;
    let mut lane = raw.lane(Lane::Duress).await;
    lane.write_all(&press(Timestamp(now().0 + 60 * NS_PER_S))).await.unwrap();
    alarms.expect("Raised Duress nurse Provisional(None)").await;
    while alarms.next().await != "Raised ClockSkewed - Provisional(None)" {}
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_that_comes_again_with_a_right_clock_ends_the_alarm() {
    let ward = Ward::new();
    let node = ward.start();
    let mut alarms = ward.alarms(node.address()).await;
    let _behind = an_hour_behind(&ward, &node, &mut alarms).await;
    // On a busy machine a hello may take too long to tell anything; no input is heard meanwhile.
    let come_again = async {
        loop {
            let _right = Raw::open(node.address(), &ward.bundle(Role::Vendor, "uwb")).await;
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    tokio::select! {
        () = alarms.expect("Cleared ClockSkewed - Durable") => {}
        () = come_again => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_with_the_certificate_that_let_its_peer_in() {
    let ward = Ward::new();
    let clock = Arc::new(SetClock::default());
    let node = Node::start_by(ward.config(), clock.clone()).unwrap();
    let raw = Raw::open(node.address(), &ward.bundle(Role::Vendor, "uwb")).await;
    let receiver = Raw::open(node.address(), &ward.bundle(Role::Receiver, "desk")).await;
    // Longer than any certificate is made for.
    clock.ahead_ns.store(100 * 366 * 86_400 * NS_PER_S, Ordering::SeqCst);
    assert_eq!(raw.closed_with().await, Code::CertificateEnded);
    assert_eq!(receiver.closed_with().await, Code::CertificateEnded);
    assert_eq!(node.counters().certificates_ended.get(), 2);
}
