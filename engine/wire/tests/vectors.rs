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
use ach_engine_wire::{Code, FrameType, PREAMBLE_BYTES, Preamble};
use serde_json::{Value, json};

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
            let meaning = format!("{frame:?}");
            json!({ "name": name, "hex": hex(&encoded(frame)), "meaning": meaning })
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
    let lanes = [Lane::Duress, Lane::Door, Lane::Ping];
    let lanes = lanes.map(|lane| Preamble::Lane { lane, epoch: 3 });
    let topics = [Lane::Door, Lane::Audit, Lane::Console];
    let topics = topics.map(|lane| Preamble::Subscription { lane, subscription: 1 });
    let made: Vec<_> = lanes
        .iter()
        .chain(&topics)
        .map(
            |preamble| json!({ "hex": hex(&preamble.bytes()), "meaning": format!("{preamble:?}") }),
        )
        .collect();
    check_file("preambles.json", &made);
    for (vector, preamble) in made.iter().zip(lanes.iter().chain(&topics)) {
        let bytes: [u8; PREAMBLE_BYTES] =
            bytes(vector["hex"].as_str().unwrap()).try_into().unwrap();
        assert_eq!(Preamble::read(bytes).as_ref(), Ok(preamble));
    }
}

/// Bytes that must be refused, and the code with which.
#[test]
fn every_bad_frame_is_refused_with_its_code() {
    let bad: &[(&str, &str, Code)] = &[
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
    ];
    let made: Vec<_> = bad
        .iter()
        .map(|(name, hex, code)| {
            json!({ "name": name, "hex": hex.replace(' ', ""), "code": code.value() })
        })
        .collect();
    for (vector, (name, _, code)) in made.iter().zip(bad) {
        let read = decoded(&bytes(vector["hex"].as_str().unwrap()));
        assert_eq!(read.map_err(|error| error.code()), Err(*code), "{name}");
    }
    check_file("refused.json", &made);
}
