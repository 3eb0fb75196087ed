//! Peers that break QUIC itself, before they are let in and after: the node stays up, counts them, and nobody
//! else hears of it.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::ops::RangeInclusive;

use crate::ward::initial::{DATAGRAM_BYTES, Initial, client_hello, crypto_frame, varint};
use crate::ward::saboteur::Saboteur;
use crate::ward::scene::Scene;
use crate::ward::tls::{ALPN, client_tls};
use crate::ward::{Alarms, in_time};
use ach_actors_model::{Lane, TagId};
use ach_clients_rust::{Report, ReportWord, now};
use ach_engine_net::Role;
use ach_engine_wire::{Echo, Padding};
use quinn::ConnectionError;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A duress button of the good vendor's, and somebody who must hear of it.
async fn check_alarm_comes(scene: &Scene, alarms: &mut Alarms) {
    let pressed = Report::tag(TagId(100), now(), ReportWord::ButtonPressed);
    scene.good.report(pressed).await.unwrap();
    alarms.expect("Raised Duress pump Provisional(None)").await;
    alarms.expect("durable Raised").await;
    scene.check_undisturbed().await;
}

/// Waits until the node says so, while the good vendor goes on.
async fn until(scene: &Scene, what: &str, is_so: impl Fn() -> bool) {
    let waiting = async {
        while !is_so() {
            scene.check_undisturbed().await;
        }
    };
    in_time(what, waiting).await;
}

/// Numbers of QUIC, one after the other.
fn numbers(values: &[u64]) -> Vec<u8> {
    values.iter().flat_map(|&value| varint(value)).collect()
}

/// A frame of numbers with bytes behind it.
fn frame(values: &[u64], rest: &[u8]) -> Vec<u8> {
    [numbers(values).as_slice(), rest].concat()
}

/// The error codes of RFC 9000, 20.1.
const FLOW_CONTROL: u64 = 0x3;
const STREAM_LIMIT: u64 = 0x4;
const STREAM_STATE: u64 = 0x5;
const FINAL_SIZE: u64 = 0x6;
const FRAME_ENCODING: u64 = 0x7;
const CONNECTION_ID_LIMIT: u64 = 0x9;
const PROTOCOL_VIOLATION: u64 = 0xa;
const CRYPTO_BUFFER: u64 = 0xd;
const CRYPTO: RangeInclusive<u64> = 0x100..=0x1ff;

/// Frames of a peer that was let in, and the code it must be cut with. Stream 2 is the first lane, 1 and 3
/// would be the node's.
fn broken_frames() -> Vec<(&'static str, Vec<u8>, RangeInclusive<u64>)> {
    let id = [7; 8 + 16];
    let one = |code: u64| code..=code;
    vec![
        ("an unknown frame", numbers(&[0x21]), one(FRAME_ENCODING)),
        ("more than the packet has", numbers(&[0x0e, 2, 0, 16_000]), one(FRAME_ENCODING)),
        ("a stream of the node's", frame(&[0x0e, 3, 0, 1], b"x"), one(STREAM_STATE)),
        ("a stream of the node's not begun", frame(&[0x0e, 1, 0, 1], b"x"), one(STREAM_STATE)),
        ("a stop of what the node sends not", numbers(&[0x05, 2, 0]), one(STREAM_STATE)),
        ("a window for what the node sends not", numbers(&[0x11, 2, 9]), one(STREAM_STATE)),
        ("a stream too many", frame(&[0x0e, 4_002, 0, 1], b"x"), one(STREAM_LIMIT)),
        ("more than the window", frame(&[0x0e, 2, 1 << 40, 1], b"x"), one(FLOW_CONTROL)),
        ("two ends", numbers(&[0x0f, 2, 10, 0, 0x0f, 2, 20, 0]), one(FINAL_SIZE)),
        (
            "an end before what came",
            [frame(&[0x0e, 2, 100, 1], b"x"), numbers(&[0x04, 2, 0, 5])].concat(),
            one(FINAL_SIZE),
        ),
        ("streams without end", numbers(&[0x12, 1 << 61]), one(FRAME_ENCODING)),
        (
            "thanks for what was not sent",
            numbers(&[0x02, 1 << 20, 0, 0, 0]),
            one(PROTOCOL_VIOLATION),
        ),
        ("thanks for less than nothing", numbers(&[0x02, 5, 0, 0, 10]), one(FRAME_ENCODING)),
        ("the node's own word", numbers(&[0x1e]), one(PROTOCOL_VIOLATION)),
        ("a token from a client", frame(&[0x07, 1], b"x"), one(PROTOCOL_VIOLATION)),
        ("a datagram nobody asked for", frame(&[0x31, 1], b"x"), one(PROTOCOL_VIOLATION)),
        ("an id that voids itself", frame(&[0x18, 5, 9, 8], &id), one(FRAME_ENCODING)),
        ("an id too long", frame(&[0x18, 5, 0, 21], &[7; 21 + 16]), one(FRAME_ENCODING)),
        ("an id too many", frame(&[0x18, 900, 0, 8], &id), one(CONNECTION_ID_LIMIT)),
        ("an id never given", numbers(&[0x19, 900]), one(PROTOCOL_VIOLATION)),
        ("thanks sooner than can be", numbers(&[0xaf, 1, 1, 0, 1]), one(PROTOCOL_VIOLATION)),
        ("TLS beyond what is kept", crypto_frame(1 << 20, 1, b"x"), one(CRYPTO_BUFFER)),
        ("TLS that is none", crypto_frame(0, 5, &[0x63, 0, 0, 1, 0]), CRYPTO),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_breaks_quic_is_cut_and_counted_and_disturbs_nobody() {
    let scene = Scene::new().await;
    let mut alarms = scene.ward.alarms(scene.address()).await;
    let counters = scene.node.counters();
    let mut wrong = Vec::new();
    for (what, frames, codes) in broken_frames() {
        let before = counters.transport_broken.get();
        let vendor = scene.vendor();
        let mut saboteur = Saboteur::open(&scene.ward, scene.address(), &vendor).await;
        saboteur.smuggled.put(frames);
        // Whatever makes a packet with room.
        let padding = Padding { bytes: 900 };
        let echo = Echo { nonce: 1, subscription: None, reply_bytes: 0, padding };
        saboteur.raw.sink.push(&echo.into()).unwrap();
        // It may be closed by now: a packet that only acknowledges has room for a short frame.
        let _ = saboteur.raw.sink.flush().await;
        let closed = in_time(what, saboteur.raw.connection.closed()).await;
        assert_eq!(saboteur.smuggled.left(), 0, "{what}");
        match closed {
            ConnectionError::ConnectionClosed(close)
                if codes.contains(&u64::from(close.error_code)) => {}
            other => wrong.push(format!("{what}: {other}")),
        }
        until(&scene, what, || counters.transport_broken.get() == before + 1).await;
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert_eq!(counters.sessions_broken.get(), 0, "it was not the protocol above that was broken");
    check_alarm_comes(&scene, &mut alarms).await;
}

/// One byte here, one there: what came must be kept until the rest does, up to a bound.
#[tokio::test(flavor = "multi_thread")]
async fn a_stream_of_gaps_is_closed() {
    const PACKETS: u64 = 60;
    const PIECES: u64 = 100;
    let scene = Scene::new().await;
    let mut alarms = scene.ward.alarms(scene.address()).await;
    let saboteur = Saboteur::open(&scene.ward, scene.address(), &scene.vendor()).await;
    let mut lane = saboteur.raw.lane(Lane::Ping).await;
    for packet in 0..PACKETS {
        let offsets = (packet * PIECES..(packet + 1) * PIECES).map(|piece| 1_000 + 2 * piece);
        let pieces = offsets.flat_map(|offset| frame(&[0x0e, 2, offset, 1], b"x"));
        saboteur.smuggled.put(pieces.collect());
    }
    // It may be closed before the last.
    let _ = lane.write_all(&vec![0; 200_000]).await;
    let closed = in_time("the end of the gaps", saboteur.raw.connection.closed()).await;
    assert!(matches!(closed, ConnectionError::ConnectionClosed(_)), "{closed}");
    let counters = scene.node.counters();
    until(&scene, "the count", || counters.transport_broken.get() == 1).await;
    check_alarm_comes(&scene, &mut alarms).await;
}

const ID: [u8; 8] = *b"abcdefgh";

/// A transport parameter (RFC 9000, 18).
fn parameter(id: u64, value: &[u8]) -> Vec<u8> {
    frame(&[id, u64::try_from(value.len()).unwrap()], value)
}

/// Those that a client must say, and more.
fn parameters(more: &[u8]) -> Vec<u8> {
    [&parameter(0x0f, &ID), more].concat()
}

/// Frames of a first packet that no handshake can come of.
fn broken_first_frames(scene: &Scene) -> Vec<(&'static str, Vec<u8>)> {
    let hello = |alpn: &[u8], parameters: Vec<u8>| {
        let vendor = scene.vendor();
        let tls = client_tls(&scene.ward.authority, Some(&vendor), alpn);
        let hello = client_hello(tls, parameters);
        crypto_frame(0, u64::try_from(hello.len()).unwrap(), &hello)
    };
    let with = |more: Vec<u8>| hello(ALPN, parameters(&more));
    let twice = [parameter(0x04, &[9]), parameter(0x04, &[9])].concat();
    let most_streams = varint((1 << 60) + 1);
    vec![
        ("TLS that ends too soon", crypto_frame(0, 4_000, b"\x01")),
        ("TLS beyond what is kept", crypto_frame(1 << 20, 1, b"\x01")),
        ("TLS that is none", crypto_frame(0, 64, &[0xee; 64])),
        ("a hello of 16 MiB", crypto_frame(0, 4, &[1, 0xff, 0xff, 0xff])),
        ("a stream before its time", frame(&[0x0e, 0, 0, 1], b"x")),
        ("an unknown frame", numbers(&[0x21])),
        ("a close", numbers(&[0x1c, 0, 0, 0])),
        ("another protocol", hello(b"h3", parameters(&[]))),
        ("no protocol", hello(b"", parameters(&[]))),
        ("no parameters", hello(ALPN, Vec::new())),
        ("parameters of another connection", hello(ALPN, parameter(0x0f, b"ijklmnop"))),
        ("a parameter cut short", with(vec![0x04, 9, 1])),
        ("a parameter twice", with(twice)),
        ("packets too small", with(parameter(0x03, &varint(1_199)))),
        ("an exponent too large", with(parameter(0x0a, &varint(21)))),
        ("a delay too large", with(parameter(0x0b, &varint(1 << 14)))),
        ("too few ids", with(parameter(0x0e, &[1]))),
        ("too many streams", with(parameter(0x08, &most_streams))),
        ("a number of the wrong length", with(parameter(0x01, &[0xc0, 0, 0]))),
        ("what a server alone says", with(parameter(0x02, &[1; 16]))),
        ("an address to prefer", with(parameter(0x0d, &[1; 60]))),
    ]
}

/// Sends a first packet from an address that nobody answers at.
fn send_first(to: SocketAddr, from: Ipv4Addr, id: &[u8], frames: &[u8]) {
    let initial = Initial { first_id: id, to: id, from: &ID, number: 0, frames };
    let socket = UdpSocket::bind((from, 0)).unwrap();
    // What the socket has no room for is lost, as on any wire.
    let _ = socket.send_to(&initial.of_client(), to);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_packet_that_no_handshake_can_come_of_is_refused_and_counted() {
    let scene = Scene::new().await;
    let mut alarms = scene.ward.alarms(scene.address()).await;
    let counters = scene.node.counters();
    for (number, (what, frames)) in (0_u64..).zip(broken_first_frames(&scene)) {
        let before = (counters.connections_offered.get(), counters.handshakes_failed.get());
        let id = number.to_be_bytes();
        send_first(scene.address(), Ipv4Addr::LOCALHOST, &id, &frames);
        until(&scene, what, || counters.handshakes_failed.get() == before.1 + 1).await;
        assert_eq!(counters.connections_offered.get(), before.0 + 1, "{what}");
    }
    assert_eq!(counters.sessions_begun.get(), 2, "the good vendor and the receiver");
    check_alarm_comes(&scene, &mut alarms).await;
}

/// Each asks from an address of its own, and never says another word.
#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_half_open_handshakes_keep_nobody_out() {
    const WAVES: u32 = 8;
    const WAVE: u32 = 500;
    let scene = Scene::new().await;
    let mut alarms = scene.ward.alarms(scene.address()).await;
    let begun_before = scene.node.counters().connections_offered.get();
    let tls = client_tls(&scene.ward.authority, None, ALPN);
    let hello = client_hello(tls, parameters(&[]));
    let frames = crypto_frame(0, u64::try_from(hello.len()).unwrap(), &hello);
    for wave in 0..WAVES {
        for asker in wave * WAVE..(wave + 1) * WAVE {
            let from = Ipv4Addr::from_bits(Ipv4Addr::new(127, 1, 0, 1).to_bits() + asker);
            send_first(scene.address(), from, &u64::from(asker).to_be_bytes(), &frames);
        }
        scene.check_undisturbed().await;
    }
    // Those who prove their address come in beside them.
    let chief = scene.ward.client_at_last(scene.address(), Role::Operator, "chief").await;
    let mut operator = chief.operator();
    let counted = operator.status().await.unwrap().counters;
    let challenged =
        counted.iter().find(|c| c.name.as_str() == "handshakes_challenged").unwrap().count;
    let offered = scene.node.counters().connections_offered.get() - begun_before;
    assert!(challenged > 0, "all of them were believed: {offered} offered");
    assert!(offered < u64::from(WAVES * WAVE / 2), "{offered} handshakes were begun");
    check_alarm_comes(&scene, &mut alarms).await;
}

/// A datagram that is no packet, or one for nobody.
fn garbage(chance: &mut ChaCha8Rng) -> Vec<u8> {
    let length = chance.random_range(0..DATAGRAM_BYTES + 300);
    let mut bytes = vec![0; length];
    chance.fill_bytes(&mut bytes);
    let header: &[u8] = match chance.random_range(0..8) {
        // A first packet of version 1 with an id too long, one without any, one that is cut.
        0 => &[0xc3, 0, 0, 0, 1, 0xff],
        1 => &[0xc3, 0, 0, 0, 1, 0, 0, 0],
        2 => &[0xc3, 0, 0, 0, 1, 8],
        // A later one of a handshake, one before its keys, a retry, the versions of somebody.
        3 => &[0xe3, 0, 0, 0, 1, 8],
        4 => &[0xd3, 0, 0, 0, 1, 8],
        5 => &[0xf0, 0, 0, 0, 1, 8],
        6 => &[0xc0, 0, 0, 0, 0, 8],
        // Noise.
        _ => &[],
    };
    let known = header.len().min(length);
    bytes[..known].copy_from_slice(&header[..known]);
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_on_the_port_lets_nobody_in_and_disturbs_nobody() {
    const WAVES: u32 = 20;
    const WAVE: u32 = 500;
    let seed = now().0;
    println!("seed {seed}");
    let mut chance = ChaCha8Rng::seed_from_u64(seed);
    let scene = Scene::new().await;
    let mut alarms = scene.ward.alarms(scene.address()).await;
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    for _ in 0..WAVES {
        for _ in 0..WAVE {
            let _ = socket.send_to(&garbage(&mut chance), scene.address());
        }
        scene.check_undisturbed().await;
    }
    let counters = scene.node.counters();
    assert_eq!(counters.sessions_begun.get(), 2, "the good vendor and the receiver");
    assert_eq!(counters.sessions_ended.get(), 0);
    // It did arrive: a packet for a connection that is not there is answered with a reset.
    socket.set_read_timeout(Some(crate::ward::PATIENCE)).unwrap();
    assert!(socket.recv(&mut [0; 2_048]).unwrap() > 0);
    check_alarm_comes(&scene, &mut alarms).await;
}
