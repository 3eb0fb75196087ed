//! No bytes, however wrong, panic, exceed a limit, or read as something that cannot be written.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test ends where it fails"
)]

mod samples;

use ach_engine_wire::{
    Code, FrameHeader, FrameReader, PREAMBLE_BYTES, Preamble, RawFrame, WireError, limits,
};
use bytes::Bytes;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use samples::{decoded, encoded, frames};

/// What reads must be what it is written as.
#[track_caller]
fn check_stable(bytes: &[u8]) {
    if let Ok(Some(frame)) = decoded(bytes) {
        assert_eq!(decoded(&encoded(&frame)), Ok(Some(frame)));
    }
}

#[test]
fn a_frame_cut_anywhere_is_refused_or_waits_for_more() {
    for (name, frame) in frames() {
        let whole = encoded(&frame);
        for cut in 0..whole.len() {
            assert!(decoded(&whole[..cut]).is_err(), "{name} cut at {cut}");
            // The same with a header that says so, as a liar would write it.
            if cut >= 8 {
                let mut lie = whole[..cut].to_vec();
                lie[..4].copy_from_slice(&u32::try_from(cut - 8).unwrap().to_le_bytes());
                check_stable(&lie);
            }
        }
    }
}

#[test]
fn a_flipped_bit_anywhere_is_refused_or_reads_as_a_frame() {
    for (_, frame) in frames() {
        let whole = encoded(&frame);
        for bit in 0..(whole.len() * 8) {
            let mut flipped = whole.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let mut reader = FrameReader::new();
            reader.push(Bytes::from(flipped.clone()));
            if let Ok(Some(_)) = reader.take()
                && !reader.is_within_frame()
            {
                check_stable(&flipped);
            }
        }
    }
}

#[test]
fn random_bytes_of_every_type_are_refused_or_read_as_a_frame() {
    let seed = 42;
    println!("seed {seed}");
    let mut chance = ChaCha8Rng::seed_from_u64(seed);
    for _ in 0..100_000 {
        let length = chance.random_range(0..200);
        let mut payload = vec![0; length];
        chance.fill(payload.as_mut_slice());
        // Fields with small tags and lengths get past the first check.
        if chance.random_range(0..2) == 0 && length >= 4 {
            payload[1] = 0;
            payload[0] %= 25;
            payload[3] = 0;
            payload[2] %= 40;
        }
        let frame_type = chance.random_range(0..140);
        let header = FrameHeader { payload_bytes: u32::try_from(length).unwrap(), frame_type };
        let mut bytes = header.bytes().to_vec();
        bytes.extend_from_slice(&payload);
        check_stable(&bytes);
    }
}

#[test]
fn random_preambles_are_refused_or_read_as_one() {
    let seed = 42;
    println!("seed {seed}");
    let mut chance = ChaCha8Rng::seed_from_u64(seed);
    for _ in 0..10_000 {
        let mut bytes = [0; PREAMBLE_BYTES];
        chance.fill(&mut bytes);
        bytes[0] %= 4;
        bytes[1] %= 8;
        bytes[2] %= 2;
        bytes[3] %= 2;
        if let Ok(preamble) = Preamble::read(bytes) {
            assert_eq!(preamble.bytes(), bytes);
        }
    }
}

#[test]
fn however_a_stream_is_cut_into_chunks_the_same_frames_come_out() {
    let seed = 42;
    println!("seed {seed}");
    let mut chance = ChaCha8Rng::seed_from_u64(seed);
    let expected: Vec<_> = frames().into_iter().map(|(_, frame)| frame).collect();
    let stream: Vec<u8> = expected.iter().flat_map(encoded).collect();
    for most in [1, 2, 7, 8, 9, 50, 1_000, stream.len()] {
        let mut reader = FrameReader::new();
        let mut read = Vec::new();
        let mut rest = Bytes::from(stream.clone());
        while !rest.is_empty() {
            let count = chance.random_range(1..=most.min(rest.len()));
            reader.push(rest.split_to(count));
            while let Some(raw) = reader.take().unwrap() {
                read.extend(ach_engine_wire::Frame::decode(raw).unwrap());
            }
        }
        assert!(!reader.is_within_frame());
        assert_eq!(read, expected, "chunks of at most {most}");
    }
}

#[test]
fn a_frame_within_one_chunk_is_not_copied() {
    let (_, frame) = frames().pop().unwrap();
    let chunk = Bytes::from(encoded(&frame));
    let mut reader = FrameReader::new();
    reader.push(chunk.clone());
    let raw = reader.take().unwrap().unwrap();
    assert_eq!(raw.payload.as_ptr(), chunk.slice(8..).as_ptr());
}

#[test]
fn the_size_of_a_frame_is_checked_before_room_is_made_for_it() {
    let header = FrameHeader { payload_bytes: 1 << 30, frame_type: 32 };
    let mut reader = FrameReader::new();
    for byte in header.bytes() {
        reader.push(Bytes::copy_from_slice(&[byte]));
        if let Err(error) = reader.take() {
            assert_eq!(error, WireError::FrameTooLarge { bytes: 1 << 30 });
            return;
        }
    }
    panic!("a frame of 1 GiB was let through");
}

#[test]
fn what_a_later_version_adds_is_skipped_unless_it_is_critical() {
    let (_, frame) = frames().into_iter().find(|(name, _)| *name == "ack").unwrap();
    let with_field = |tag: u16| {
        let mut bytes = encoded(&frame);
        bytes.extend_from_slice(&tag.to_le_bytes());
        bytes.extend_from_slice(&[3, 0, 1, 2, 3]);
        let payload = u32::try_from(bytes.len() - 8).unwrap();
        bytes[..4].copy_from_slice(&payload.to_le_bytes());
        decoded(&bytes)
    };
    assert_eq!(with_field(0x7fff), Ok(Some(frame.clone())));
    assert_eq!(with_field(0x8000).map_err(|error| error.code()), Err(Code::UnknownField));
    for (frame_type, expected) in [(200, Ok(None)), (255, Ok(None)), (127, Err(Code::UnknownFrame))]
    {
        let raw = RawFrame { frame_type, payload: Bytes::from_static(&[1, 2, 3]) };
        let read = ach_engine_wire::Frame::decode(raw).map_err(|error| error.code());
        assert_eq!(read, expected, "{frame_type}");
    }
}

#[test]
fn lists_and_payloads_over_their_limits_are_not_written() {
    use ach_engine_wire::{Echo, Filter, Frame, Intern, InternItem, Padding, Subscribe, Topic};
    let mut out = vec![1, 2, 3];
    let tags = |count: u64| (0..count).map(ach_actors_model::TagId).collect::<Vec<_>>();
    let items = |count| tags(count).into_iter().map(InternItem::Tag).collect::<Vec<_>>();
    let subscribe = |count| {
        Frame::Subscribe(Subscribe {
            subscription: 0,
            topic: Topic::Alarms,
            filter: Filter { tags: tags(count), ..Filter::default() },
            resume_after: None,
        })
    };
    let intern = |count| Frame::Intern(Intern { first_handle: 0, items: items(count) });
    for too_long in [subscribe(257), intern(513), Frame::Reports(vec![])] {
        assert!(too_long.encode(&mut out).is_err());
        assert_eq!(out, [1, 2, 3], "nothing is left behind");
    }
    for fits in [subscribe(256), intern(512)] {
        assert_eq!(decoded(&encoded(&fits)), Ok(Some(fits)));
    }
    let echo = |bytes| {
        Frame::Echo(Echo {
            nonce: 0,
            subscription: None,
            reply_bytes: 0,
            padding: Padding { bytes },
        })
    };
    let largest = encoded(&echo(limits::ECHO_BYTES_MAX));
    assert_eq!(encoded(&echo(u32::MAX)), largest, "padding is cut to its limit");
}
