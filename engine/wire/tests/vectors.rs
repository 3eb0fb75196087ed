//! The golden vectors in `clients/vectors`, both ways.
//!
//! After a wanted change run with `ACH_WRITE_VECTORS=1` and read the difference.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test ends where it fails"
)]

mod samples;

use std::fs;
use std::path::PathBuf;

use ach_actors_model::Lane;
use ach_engine_wire::{Code, FrameType, PREAMBLE_BYTES, Preamble, WirePing};
use serde_json::{Value, json};

use samples::fields::{fields, reading};
use samples::{decoded, encoded, frames, hex};

fn path(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../clients/vectors").join(file)
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits = hex.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    digits.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

#[track_caller]
fn check_file(file: &str, made: &[Value]) {
    let text = format!("{}\n", serde_json::to_string_pretty(made).unwrap());
    if std::env::var_os("ACH_WRITE_VECTORS").is_some() {
        fs::write(path(file), &text).unwrap();
    }
    let kept = fs::read_to_string(path(file)).unwrap_or_default();
    assert!(kept == text, "{file} differs from what is written now: was the change wanted?");
}

#[test]
fn every_frame_is_written_as_its_vector_says() {
    let made: Vec<_> = frames()
        .iter()
        .map(|(name, frame)| {
            json!({
                "name": name,
                "type": frame.frame_type().value(),
                "hex": hex(&encoded(frame)),
                "fields": fields(frame),
            })
        })
        .collect();
    check_file("frames.json", &made);
}

#[test]
fn every_vector_reads_as_its_frame() {
    let text = fs::read_to_string(path("frames.json")).unwrap();
    let vectors: Vec<Value> = serde_json::from_str(&text).unwrap();
    let frames = frames();
    assert_eq!(vectors.len(), frames.len());
    for (vector, (name, frame)) in vectors.iter().zip(&frames) {
        assert_eq!(vector["name"].as_str(), Some(*name));
        let read = decoded(&bytes(vector["hex"].as_str().unwrap()));
        assert_eq!(read.as_ref(), Ok(&Some(frame.clone())), "{name}");
    }
}

#[test]
fn every_frame_type_has_a_vector() {
    let frames = frames();
    for frame_type in FrameType::ALL {
        let is_there = frames.iter().any(|(_, frame)| frame.frame_type() == *frame_type);
        assert!(is_there, "{frame_type:?}");
    }
}

#[test]
fn every_preamble_is_written_and_read_as_its_vector_says() {
    let lanes = [(0, Lane::Duress), (1, Lane::Door), (3, Lane::Ping)];
    let lanes = lanes.map(|(number, lane)| {
        let fields = json!({ "kind": 1, "lane": number, "epoch": 3 });
        (fields, Preamble::Lane { lane, epoch: 3 })
    });
    let topics = [(1, Lane::Door), (2, Lane::Audit), (4, Lane::Console)];
    let topics = topics.map(|(number, lane)| {
        let fields = json!({ "kind": 2, "lane": number, "subscription": u32::MAX });
        (fields, Preamble::Subscription { lane, subscription: u32::MAX })
    });
    let preambles: Vec<_> = lanes.into_iter().chain(topics).collect();
    let made: Vec<_> = preambles
        .iter()
        .map(|(fields, preamble)| json!({ "hex": hex(&preamble.bytes()), "fields": fields }))
        .collect();
    check_file("preambles.json", &made);
    for (vector, (_, preamble)) in made.iter().zip(&preambles) {
        let bytes: [u8; PREAMBLE_BYTES] =
            bytes(vector["hex"].as_str().unwrap()).try_into().unwrap();
        assert_eq!(Preamble::read(bytes).as_ref(), Ok(preamble));
    }
}

/// Single pings of 48 bytes: what each says, or the code with which it alone is refused.
#[test]
fn every_ping_reads_or_is_refused_as_its_vector_says() {
    const SAMPLE: &str = "07000000 1b00 6aff 00e06ef9c03eea18 3930000000000000 5afdffffffffffff \
                          4c040000 96000000 58 00000000000000";
    let patched = |offset: usize, patch: &[u8]| {
        let mut ping: [u8; 48] = bytes(&SAMPLE.replace(' ', "")).try_into().unwrap();
        ping[offset..offset + patch.len()].copy_from_slice(patch);
        ping
    };
    let global = |lon: i64, lat: i64| {
        let mut ping = patched(4, &[0x1f]);
        ping[16..24].copy_from_slice(&lon.to_le_bytes());
        ping[24..32].copy_from_slice(&lat.to_le_bytes());
        ping
    };
    let pings = [
        ("a whole ping", patched(0, &[])),
        ("on the globe, at its corner", global(180_000_000_000, -90_000_000_000)),
        ("as far as millimetres reach", patched(16, &i64::from(i32::MIN).to_le_bytes())),
        ("x is not a number", patched(16, &i64::MIN.to_le_bytes())),
        ("y is not a number", patched(24, &i64::MIN.to_le_bytes())),
        ("a longitude that is not a number", global(i64::MIN, 0)),
        ("x a millimetre too far", patched(16, &(i64::from(i32::MAX) + 1).to_le_bytes())),
        ("y far too far", patched(24, &(i64::MIN + 1).to_le_bytes())),
        ("a longitude beyond the globe", global(180_000_000_001, 0)),
        ("a latitude beyond the globe", global(0, -90_000_000_001)),
        ("a battery of 101 percent", patched(40, &[101])),
        ("an unknown flag", patched(4, &[0x3b])),
        ("a floor without its flag", patched(4, &[0x1a])),
        ("a height without its flag", patched(4, &[0x19])),
        ("an accuracy without its flag", patched(4, &[0x13])),
        ("a battery without its flag", patched(4, &[0x0b])),
        ("a last byte that is not zero", patched(47, &[1])),
    ];
    let made: Vec<_> = pings
        .iter()
        .map(|(name, ping)| match WirePing::from_bytes(*ping).reading() {
            Ok(said) => json!({ "name": name, "hex": hex(ping), "fields": reading(&said) }),
            Err(code) => json!({ "name": name, "hex": hex(ping), "code": code.value() }),
        })
        .collect();
    assert_eq!(made.iter().filter(|vector| vector.get("fields").is_some()).count(), 3);
    check_file("pings.json", &made);
}

/// Bytes that must be refused, and the code with which.
const BAD_FRAMES: &[(&str, &str, Code)] = &[
    ("a frame of 1 GiB", "0000004020000000", Code::FrameTooLarge),
    ("a frame of 64 KiB and a byte", "0100010020000000", Code::FrameTooLarge),
    ("flags that mean nothing", "0000000009010000", Code::ReservedNotZero),
    ("an unknown type", "000000007f000000", Code::UnknownFrame),
    ("a ping frame without a header", "0000000020000000", Code::Malformed),
    (
        "a ping frame of no pings",
        "10000000200000000100000000000000 0000000000000000",
        Code::Malformed,
    ),
    (
        "a ping frame that says two and has none",
        "10000000200000000100000000000000 0200000000000000",
        Code::Malformed,
    ),
    (
        "a ping frame of 1,025 pings",
        "10000000200000000100000000000000 0104000000000000",
        Code::TooMany,
    ),
    (
        "a ping frame whose first number is 0",
        "10000000200000000000000000000000 0100000000000000",
        Code::Malformed,
    ),
    (
        "a ping frame whose numbers overflow",
        "1000000020000000ffffffffffffffff 0200000000000000",
        Code::Malformed,
    ),
    ("a heartbeat without its time", "0000000009000000", Code::Malformed),
    ("a heartbeat whose time is cut", "06000000090000000100 0200 0000", Code::Malformed),
    (
        "a heartbeat with two times",
        "18000000 09000000 01000800 0000000000000000 01000800 0000000000000000",
        Code::Malformed,
    ),
    (
        "a heartbeat with a critical field",
        "10000000 09000000 01000800 0000000000000000 01800000",
        Code::UnknownField,
    ),
    ("a field that ends after its frame", "04000000 09000000 01000800", Code::Malformed),
    ("a goodbye without its text", "06000000 08000000 01000200 0000", Code::Malformed),
    ("a text that is not UTF-8", "0b000000 08000000 01000200 0000 02000100 ff", Code::Malformed),
    (
        "an alarm that is settled as a word nobody knows",
        "2a000000 31000000 01001000 00000000000000000000000000000000 02000100 01 03000100 09 \
         05000800 0000000000000000",
        Code::Malformed,
    ),
    ("a name with a space", "0a000000 0f000000 02000600 01 01 61206263", Code::Malformed),
    (
        "an echo whose padding is not zero",
        "19000000 0d000000 01000800 0000000000000000 03000400 00000000 04000100 01",
        Code::ReservedNotZero,
    ),
    (
        "a report without a number",
        "28000000 21000000 01000000 00000000 0000000000000000 0000000000000000 00000000 01 \
         000000 00000000 00000000",
        Code::Malformed,
    ),
    (
        "a report of a kind nobody knows",
        "28000000 21000000 01000000 00000000 0100000000000000 0000000000000000 00000000 05 \
         000000 00000000 00000000",
        Code::Malformed,
    ),
    (
        "a button that is valid for a while",
        "28000000 21000000 01000000 00000000 0100000000000000 0000000000000000 00000000 01 \
         000000 01000000 00000000",
        Code::ReservedNotZero,
    ),
    (
        "a battery of 101 percent",
        "28000000 21000000 01000000 00000000 0100000000000000 0000000000000000 00000000 1c \
         000000 65000000 00000000",
        Code::Malformed,
    ),
    (
        "reports that say two and are one",
        "28000000 21000000 02000000 00000000 0100000000000000 0000000000000000 00000000 01 \
         000000 00000000 00000000",
        Code::Malformed,
    ),
];

#[test]
fn every_bad_frame_is_refused_with_its_code() {
    let made: Vec<_> = BAD_FRAMES
        .iter()
        .map(|(name, hex, code)| {
            json!({ "name": name, "hex": hex.replace(' ', ""), "code": code.value() })
        })
        .collect();
    for (vector, (name, _, code)) in made.iter().zip(BAD_FRAMES) {
        let bytes = bytes(vector["hex"].as_str().unwrap());
        let announced = u32::from_le_bytes(bytes[..4].try_into().unwrap());
        let is_whole = usize::try_from(announced).unwrap() == bytes.len() - 8;
        assert!(is_whole || bytes.len() == 8, "{name}: {announced} of {}", bytes.len() - 8);
        let read = decoded(&bytes);
        assert_eq!(read.map_err(|error| error.code()), Err(*code), "{name}");
    }
    check_file("refused.json", &made);
}

/// Every code stands in the spec with its name, meaning and whether to try again, and nothing else.
#[test]
fn the_spec_lists_every_code() {
    let spec = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/specs/wire.md");
    let spec = fs::read_to_string(spec).unwrap();
    let (_, codes) = spec.split_once("| code | name | meaning | try again |").unwrap();
    let rows: Vec<_> = codes.lines().skip(2).take_while(|line| line.starts_with('|')).collect();
    let expected: Vec<_> = Code::ALL
        .iter()
        .map(|code| {
            let again = if code.may_retry() { "yes" } else { "" };
            format!("| {} | {code:?} | {} | {again} |", code.value(), code.meaning())
        })
        .collect();
    assert_eq!(rows, expected);
}
