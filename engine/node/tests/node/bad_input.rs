//! Everything a peer may do wrong: the answer, the counter, and that nobody else is disturbed.

use std::time::Duration;

use crate::ward::raw::{Raw, closed_with, connect, pings, reading, wire_ping};
use crate::ward::scene::Scene;
use ach_actors_model::{Lane, TagId};
use ach_clients_rust::now;
use ach_engine_net::Role;
use ach_engine_node::{Counter, NodeLimits};
use ach_engine_wire::{
    Code, Coordinates, Echo, Filter, Frame, NOT_A_NUMBER, Padding, Subscribe, Thing, Topic,
    WireCommand, WirePing, WireReport, Wish, encode_reports,
};

/// Writes bytes on the ping lane; the node must close the connection with `code`.
async fn check_closed(
    bytes: &[u8],
    code: Code,
    counter: impl Fn(&ach_engine_node::Counters) -> &Counter,
) {
    check_closed_by(Scene::new().await, bytes, code, counter).await;
}

async fn check_closed_by(
    scene: Scene,
    bytes: &[u8],
    code: Code,
    counter: impl Fn(&ach_engine_node::Counters) -> &Counter,
) {
    let mut raw = scene.raw().await;
    assert_eq!(raw.intern(&[1]).await, [None]);
    let mut lane = raw.lane(Lane::Ping).await;
    lane.write_all(bytes).await.unwrap();
    assert_eq!(raw.closed_with().await, code);
    scene.check_counted(counter).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frame_of_a_wrong_length_is_refused() {
    let mut bytes = pings(1, &[wire_ping(0), wire_ping(0)]);
    // The frame says 40 bytes less than its two pings need.
    bytes[0] -= 40;
    check_closed(&bytes, Code::Malformed, |counters| &counters.frames_malformed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frame_of_a_gibibyte_is_refused_by_its_header() {
    let mut header = (1_u32 << 30).to_le_bytes().to_vec();
    header.extend([32, 0, 0, 0]);
    check_closed(&header, Code::FrameTooLarge, |counters| &counters.frames_too_long).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reserved_bits_and_unknown_frames_are_refused() {
    let mut flagged = pings(1, &[wire_ping(0)]);
    flagged[5] = 1;
    check_closed(&flagged, Code::ReservedNotZero, |counters| &counters.frames_malformed).await;
    let unknown = [0, 0, 0, 0, 99, 0, 0, 0];
    check_closed(&unknown, Code::UnknownFrame, |counters| &counters.frames_malformed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_frame_and_then_silence_ends_the_session() {
    let bytes = pings(1, &[wire_ping(0)]);
    for half in [&bytes[..30], &bytes[..3]] {
        let frame_within = Duration::from_millis(100);
        let scene = Scene::with(NodeLimits { frame_within, ..NodeLimits::default() }).await;
        check_closed_by(scene, half, Code::FrameTimeout, |counters| &counters.frames_unfinished)
            .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_hello_and_half_a_hello_end_the_session() {
    let within = Duration::from_millis(100);
    let limits = NodeLimits { hello_within: within, frame_within: within, ..NodeLimits::default() };
    for half in [&[][..], &[40, 0, 0, 0, 1, 0]] {
        let scene = Scene::with(limits).await;
        let (_endpoint, connection) = connect(scene.address(), &scene.vendor()).await.unwrap();
        let (mut send, _receive) = connection.open_bi().await.unwrap();
        send.write_all(half).await.unwrap();
        assert_eq!(closed_with(&connection).await, Code::FrameTimeout);
        scene.check_counted(|counters| &counters.frames_unfinished).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_asks_and_does_not_read_the_answers_is_cut() {
    let subscriber_stall_max = Duration::from_millis(100);
    let scene = Scene::with(NodeLimits { subscriber_stall_max, ..NodeLimits::default() }).await;
    let mut raw = scene.raw().await;
    // More than the stream's window of 512 KiB, and fewer than the answers that may wait.
    let echo = Echo {
        nonce: 1,
        subscription: None,
        reply_bytes: ach_engine_wire::limits::ECHO_BYTES_MAX,
        padding: Padding { bytes: 0 },
    };
    for _ in 0..300 {
        raw.sink.push(&echo.clone().into()).unwrap();
        // It may be cut before the last.
        if raw.sink.flush().await.is_err() {
            break;
        }
    }
    assert_eq!(raw.closed_with().await, Code::TooSlow);
    scene.check_counted(|counters| &counters.subscribers_cut).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sequence_that_jumps_is_refused() {
    for first_seq in [2, 1 << 63, u64::MAX - 1] {
        let bytes = pings(first_seq, &[wire_ping(0)]);
        check_closed(&bytes, Code::SequenceGap, |counters| &counters.sequence_jumps).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_the_credit_is_refused() {
    let limits = NodeLimits { ping_window: 8, ..NodeLimits::default() };
    let scene = Scene::with(limits).await;
    let mut raw = scene.raw().await;
    raw.intern(&[1]).await;
    assert_eq!(raw.welcome.lanes[2].credit_through, 8);
    let mut lane = raw.lane(Lane::Ping).await;
    lane.write_all(&pings(1, &[wire_ping(0); 9])).await.unwrap();
    assert_eq!(raw.closed_with().await, Code::BeyondCredit);
    scene.check_counted(|counters| &counters.credit_exceeded).await;
}

/// Pings that are refused one by one, while the session goes on. Handle 0 is a good tag.
async fn check_refused(
    bad: WirePing,
    tags: &[u64],
    code: Code,
    counter: impl Fn(&ach_engine_node::Counters) -> &Counter,
) {
    let scene = Scene::new().await;
    let mut raw = scene.raw().await;
    raw.intern(tags).await;
    let mut lane = raw.lane(Lane::Ping).await;
    lane.write_all(&pings(1, &[wire_ping(0), bad, wire_ping(0)])).await.unwrap();
    let Frame::Refusal(refusal) = raw.hear(|frame| matches!(frame, Frame::Refusal(_))).await else {
        panic!()
    };
    assert_eq!((refusal.code, refusal.first_seq, refusal.count), (code, 2, 1));
    let is_durable = |frame: &Frame| matches!(frame, Frame::Ack(ack) if ack.lane == Lane::Ping && ack.durable_through == 3);
    let Frame::Ack(ack) = raw.hear(is_durable).await else { panic!() };
    assert_eq!((ack.totals.refused, ack.totals.sum()), (1, 3));
    scene.check_counted(counter).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn coordinates_that_are_no_numbers_or_out_of_range_are_refused() {
    let with_x = |x: i64| {
        let mut bytes = wire_ping(0).bytes();
        bytes[16..24].copy_from_slice(&x.to_le_bytes());
        WirePing::from_bytes(bytes)
    };
    let nan = with_x(NOT_A_NUMBER);
    check_refused(nan, &[1], Code::NotANumber, |counters| &counters.positions_not_a_number).await;
    let far = with_x(1 << 40);
    check_refused(far, &[1], Code::OutOfRange, |counters| &counters.positions_out_of_range).await;
    let global = Coordinates::Wgs84 { lon_nano_deg: 13_000_000_000, lat_nano_deg: 52_000_000_000 };
    let global =
        WirePing::new(&ach_engine_wire::PingReading { coordinates: global, ..reading(0, now()) });
    check_refused(global, &[1], Code::NoGeoreference, |counters| &counters.positions_out_of_range)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_and_foreign_tags_are_refused() {
    let unknown = wire_ping(1);
    check_refused(unknown, &[1, 7_777], Code::UnknownThing, |counters| &counters.handles_unknown)
        .await;
    check_refused(unknown, &[1], Code::UnknownHandle, |counters| &counters.handles_unknown).await;
    check_refused(unknown, &[1, 100], Code::ForeignThing, |counters| &counters.handles_foreign)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_report_counts_as_decided_on() {
    let scene = Scene::new().await;
    let mut raw = scene.raw().await;
    assert_eq!(raw.intern(&[1, 100]).await, [None, Some(Code::ForeignThing)]);
    let mut lane = raw.lane(Lane::Duress).await;
    let report = |seq, handle| WireReport {
        seq,
        handle,
        badge: None,
        observed_at: now(),
        word: ach_engine_wire::ReportWord::ButtonPressed,
    };
    let mut bytes = Vec::new();
    encode_reports(&[report(1, 0), report(2, 1)], &mut bytes).unwrap();
    lane.write_all(&bytes).await.unwrap();
    let is_durable = |frame: &Frame| matches!(frame, Frame::Ack(ack) if ack.lane == Lane::Duress && ack.durable_through == 2);
    let Frame::Ack(ack) = raw.hear(is_durable).await else { panic!() };
    assert_eq!((ack.totals.accepted, ack.totals.refused), (1, 1));
    scene.check_counted(|counters| &counters.reports_refused).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_sent_again_have_one_effect() {
    let scene = Scene::new().await;
    let mut raw = scene.raw().await;
    raw.intern(&[1]).await;
    let mut lane = raw.lane(Lane::Ping).await;
    let bytes = pings(1, &[wire_ping(0)]);
    for _ in 0..3 {
        lane.write_all(&bytes).await.unwrap();
    }
    let is_all = |frame: &Frame| matches!(frame, Frame::Ack(ack) if ack.lane == Lane::Ping && ack.totals.sum() == 3);
    let Frame::Ack(ack) = raw.hear(is_all).await else { panic!() };
    assert_eq!((ack.totals.accepted, ack.totals.duplicate), (1, 2));
    scene.check_counted(|counters| &counters.pings_duplicate).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_is_held_to_what_it_may_do() {
    let scene = Scene::new().await;
    let subscribe = Subscribe {
        subscription: 1,
        topic: Topic::Alarms,
        filter: Filter::default(),
        resume_after: None,
    };
    let command = WireCommand { command: 1, wish: Wish::QuarantineActor(Thing::Tag(TagId(1))) };
    let mut vendor = scene.raw().await;
    vendor.say(subscribe).await;
    vendor.say(command.clone()).await;
    let receiver = scene.ward.bundle(Role::Receiver, "desk");
    let mut receiver = Raw::open(scene.address(), &receiver).await;
    assert!(receiver.welcome.lanes.is_empty());
    receiver.say(command).await;
    let refused = vendor.hear(|frame| matches!(frame, Frame::Refused(_))).await;
    let Frame::Refused(refused) = refused else { panic!() };
    assert_eq!(refused.code, Code::WrongRole);
    // It may give other commands, so it learns which of them it was.
    let receipt = receiver.hear(|frame| matches!(frame, Frame::Receipt(_))).await;
    let Frame::Receipt(receipt) = receipt else { panic!() };
    assert_eq!((receipt.command, receipt.code), (1, Code::WrongRole));
    let mut stream = receiver.connection.open_uni().await.unwrap();
    stream.write_all(&[1, 3, 0, 0, 1, 0, 0, 0]).await.unwrap();
    assert_eq!(receiver.closed_with().await, Code::WrongRole);
    scene.check_counted(|counters| &counters.role_refused).await;
    assert_eq!(scene.node.counters().commands_taken.get(), 0);
}
