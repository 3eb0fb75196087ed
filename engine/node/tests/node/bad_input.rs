//! Everything a peer may do wrong: the answer, the counter, and that nobody else is disturbed.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::ward::raw::{Raw, closed_with, connect, reading, wire_ping};
use crate::ward::{PATIENCE, Ward, name, ping, until};
use ach_actors_model::{Lane, NS_PER_S, TagId, Timestamp};
use ach_clients_rust::{Bundle, Publisher, PublisherOptions, now};
use ach_engine_net::{Authority, Role};
use ach_engine_node::{Counter, NodeLimits, Running};
use ach_engine_wire::{
    Code, Coordinates, Filter, Frame, NOT_A_NUMBER, Subscribe, Thing, Topic, WireCommand, WirePing,
    WireReport, Wish, encode_pings, encode_reports,
};
use quinn::ConnectionError;

/// A node with a good vendor, to see that it is never disturbed.
struct Scene {
    ward: Ward,
    node: Running,
    good: Publisher,
}

impl Scene {
    async fn new() -> Scene {
        Scene::with(NodeLimits::default()).await
    }

    async fn with(limits: NodeLimits) -> Scene {
        let ward = Ward { limits, ..Ward::new() };
        let node = ward.start();
        let client = ward.client(node.address(), Role::Vendor, "rival").await;
        let good = client.publisher(PublisherOptions::default()).unwrap();
        Scene { ward, node, good }
    }

    fn address(&self) -> SocketAddr {
        self.node.address()
    }

    fn vendor(&self) -> Bundle {
        self.ward.bundle(Role::Vendor, "uwb")
    }

    async fn raw(&self) -> Raw {
        Raw::open(self.address(), &self.vendor()).await
    }

    /// The good vendor still publishes and hears that it is on disk, on its first connection.
    async fn check_undisturbed(&self) {
        let ticket = self.good.publish(ping(100, 1_000, 1_000)).await.unwrap();
        let durable = tokio::time::timeout(PATIENCE, self.good.wait_durable(ticket)).await;
        durable.expect("the good vendor was disturbed").unwrap();
        assert_eq!(self.good.progress().borrow().ping.resent_count, 0);
        assert_eq!(self.node.counters().sessions_panicked.get(), 0);
    }

    async fn check_counted(&self, counter: impl Fn(&ach_engine_node::Counters) -> &Counter) {
        until("the counter", || counter(self.node.counters()).get() > 0).await;
        self.check_undisturbed().await;
    }
}

fn pings(first_seq: u64, pings: &[WirePing]) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode_pings(first_seq, pings, &mut bytes).unwrap();
    bytes
}

/// Writes bytes on the ping lane; the node must close the connection with `code`.
async fn check_closed(
    bytes: &[u8],
    code: Code,
    counter: impl Fn(&ach_engine_node::Counters) -> &Counter,
) {
    let scene = Scene::new().await;
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
    check_closed(&bytes[..30], Code::FrameTimeout, |counters| &counters.frames_unfinished).await;
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
async fn a_time_in_the_future_is_clamped_and_told() {
    let scene = Scene::new().await;
    let mut raw = scene.raw().await;
    raw.intern(&[1]).await;
    let mut lane = raw.lane(Lane::Ping).await;
    let ahead = Timestamp(now().0 + 3_600 * NS_PER_S);
    lane.write_all(&pings(1, &[WirePing::new(&reading(0, ahead))])).await.unwrap();
    let told = raw.hear(|frame| matches!(frame, Frame::ClockOffset(_))).await;
    let Frame::ClockOffset(offset) = told else { panic!() };
    assert!((3_500..=3_600).contains(&(offset.offset_ns / 1_000_000_000)), "{offset:?}");
    scene.check_counted(|counters| &counters.inputs_from_the_future).await;
    assert_eq!(scene.node.counters().pings_accepted.get(), 2);
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
    for raw in [&mut vendor, &mut receiver] {
        let refused = raw.hear(|frame| matches!(frame, Frame::Refused(_))).await;
        let Frame::Refused(refused) = refused else { panic!() };
        assert_eq!(refused.code, Code::WrongRole);
    }
    let mut stream = receiver.connection.open_uni().await.unwrap();
    stream.write_all(&[1, 3, 0, 0, 1, 0, 0, 0]).await.unwrap();
    assert_eq!(receiver.closed_with().await, Code::WrongRole);
    scene.check_counted(|counters| &counters.role_refused).await;
    assert_eq!(scene.node.counters().commands_taken.get(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vendor_that_is_no_feed_of_the_site_is_refused() {
    let scene = Scene::new().await;
    let stranger = scene.ward.bundle(Role::Vendor, "stranger");
    let (_endpoint, connection) = connect(scene.address(), &stranger).await.unwrap();
    let (send, _receive) = connection.open_bi().await.unwrap();
    let mut sink = ach_engine_net::FrameSink::new(send);
    sink.push(&crate::ward::raw::hello(Vec::new()).into()).unwrap();
    sink.flush().await.unwrap();
    assert_eq!(closed_with(&connection).await, Code::UnknownSource);
    scene.check_counted(|counters| &counters.role_refused).await;
}

/// A certificate of another authority, whose holder trusts ours.
fn forged(ward: &Ward) -> Bundle {
    let folder = ward.folder.path().join("forged");
    let other = Authority::create(&ward.folder.path().join("other"), &name("st-anna")).unwrap();
    other.issue(Role::Vendor, &name("uwb")).unwrap().save(&folder).unwrap();
    std::fs::write(folder.join("ca.pem"), ward.authority.certificate_pem()).unwrap();
    Bundle::load(&folder).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_certificate_is_refused() {
    let scene = Scene::new().await;
    let (_endpoint, connection) = match connect(scene.address(), &forged(&scene.ward)).await {
        Ok(connected) => connected,
        // The refusal may come before the client thinks that it is connected.
        Err(error) => return check_tls_refusal(&scene, &error).await,
    };
    let error = tokio::time::timeout(PATIENCE, connection.closed()).await.unwrap();
    check_tls_refusal(&scene, &error).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_certificate_is_refused() {
    let scene = Scene::new().await;
    let mut roots = rustls::RootCertStore::empty();
    let pem = scene.ward.authority.certificate_pem().to_owned();
    let der =
        <rustls_pki_types::CertificateDer as rustls_pki_types::pem::PemObject>::from_pem_slice(
            pem.as_bytes(),
        );
    roots.add(der.unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    tls.alpn_protocols = vec![b"ach/1".to_vec()];
    let crypto = quinn::crypto::rustls::QuicClientConfig::try_from(tls).unwrap();
    let mut endpoint = quinn::Endpoint::client("127.0.0.1:0".parse().unwrap()).unwrap();
    endpoint.set_default_client_config(quinn::ClientConfig::new(Arc::new(crypto)));
    let error = match endpoint.connect(scene.address(), "localhost").unwrap().await {
        Ok(connection) => tokio::time::timeout(PATIENCE, connection.closed()).await.unwrap(),
        Err(error) => error,
    };
    check_tls_refusal(&scene, &error).await;
}

async fn check_tls_refusal(scene: &Scene, error: &ConnectionError) {
    assert!(matches!(error, ConnectionError::ConnectionClosed(_)), "{error}");
    scene.check_counted(|counters| &counters.handshakes_failed).await;
    assert_eq!(scene.node.counters().sessions_begun.get(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_connections_leaves_those_inside_undisturbed() {
    const SEATS: usize = 40;
    const FLOOD: usize = 2_000;
    // Who is dropped unanswered is not waited for.
    const ATTEMPT: std::time::Duration = std::time::Duration::from_secs(5);
    let limits = NodeLimits {
        connections_max: SEATS,
        connections_per_identity_max: SEATS / 2,
        ..NodeLimits::default()
    };
    let scene = Scene::with(limits).await;
    let bundle = scene.ward.bundle(Role::Receiver, "flood");
    let endpoint = ach_engine_net::client_endpoint(scene.address(), &bundle).unwrap();
    let mut attempts = tokio::task::JoinSet::new();
    for _ in 0..FLOOD {
        let connecting = endpoint.connect(scene.address(), "localhost").unwrap();
        attempts.spawn(async move { tokio::time::timeout(ATTEMPT, connecting).await });
    }
    scene.check_undisturbed().await;
    let mut refused = 0;
    let mut inside = Vec::new();
    while let Some(attempt) = attempts.join_next().await {
        match attempt.unwrap() {
            Ok(Ok(connection)) => inside.push(connection),
            Ok(Err(_)) | Err(_) => refused += 1,
        }
    }
    let stays = |connection: &&quinn::Connection| connection.close_reason().is_none();
    scene.check_counted(|counters| &counters.connections_refused_limit).await;
    until("the surplus to be closed", || inside.iter().filter(stays).count() <= SEATS / 2).await;
    assert!(refused > 0);
    // Somebody else still finds a seat.
    let mut alarms = scene.ward.client(scene.address(), Role::Receiver, "desk").await.subscriber();
    let _alarms = alarms.alarms(Filter::default(), None).await.unwrap();
}
