//! Blocks: what is packed comes back, and nothing else is ever read out of bytes.

use ach_actors_model::Timestamp;
use ach_geo::{Floor, Position};
use proptest::prelude::*;

use super::unit::Unit;
use super::*;

/// Packs as much as fits into blocks, as the store does.
fn packed(pings: &[KeptPing]) -> Vec<Vec<u8>> {
    let mut blocks = Vec::new();
    let mut open: Option<BlockWriter> = None;
    let mut coarsest = Unit::Ms;
    for (index, &ping) in (1..).zip(pings) {
        if open.as_mut().is_some_and(|block| block.push(ping, index)) {
            continue;
        }
        coarsest = coarsest.min(Unit::of(ping.observed_at.0));
        let codes = open.as_ref().map_or(Codes::UNKNOWN, BlockWriter::codes);
        let next = BlockWriter::begin(ping, index, coarsest, codes);
        blocks.extend(open.replace(next).map(|full| full.to_bytes()));
    }
    blocks.extend(open.map(|last| last.to_bytes()));
    blocks
}

fn unpacked(blocks: &[Vec<u8>]) -> Vec<KeptPing> {
    blocks.iter().flat_map(|block| decode_block(block).unwrap()).collect()
}

prop_compose! {
    fn any_ping()(
        second in 0u64..20_000_000_000,
        fraction in prop_oneof![Just(0u64), 0u64..1_000_000_000, (0u64..1_000).prop_map(|ms| ms * 1_000_000)],
        lag_ms in prop_oneof![0u64..100, 0u64..100_000_000],
        x_mm in any::<i32>(), y_mm in any::<i32>(), z_mm in any::<Option<i32>>(),
        floor in prop::option::of(any::<i16>()),
        accuracy_mm in any::<u32>(), battery_percent in any::<Option<u8>>(),
    ) -> KeptPing {
        let observed_ns: u64 = (second % 18_000_000_000) * 1_000_000_000 + fraction;
        KeptPing {
            observed_at: Timestamp(observed_ns),
            received_at: Timestamp((observed_ns / 10_000_000 + lag_ms) * 10_000_000),
            position: Position { x_mm, y_mm, z_mm, floor: floor.map(Floor) },
            accuracy_mm,
            battery_percent,
        }
    }
}

fn walk(count: u64) -> Vec<KeptPing> {
    let mut pings = Vec::new();
    let (mut x_mm, mut y_mm) = (12_000, -3_000);
    for second in 0..count {
        let wobble = i32::try_from(second * second % 601).unwrap() - 300;
        (x_mm, y_mm) = (x_mm + 400 + wobble, y_mm + wobble / 2);
        let ms = 1_790_000_000_000 + second * 1_000 + second % 7;
        pings.push(KeptPing {
            observed_at: Timestamp(ms * 1_000_000),
            received_at: Timestamp((ms / 10 + 2 + second % 5) * 10_000_000),
            position: Position { x_mm, y_mm, z_mm: None, floor: Some(Floor(200)) },
            accuracy_mm: 300,
            battery_percent: Some(80),
        });
    }
    pings
}

proptest! {
    #[test]
    fn pings_come_back_as_they_were(pings in prop::collection::vec(any_ping(), 1..60)) {
        prop_assert_eq!(unpacked(&packed(&pings)), pings);
    }

    /// A header of a sound checksum in front of any bits: no panic, and what is read out of them is
    /// what these very bits say.
    #[test]
    fn any_bits_are_read_without_a_panic(
        bits in prop::collection::vec(any::<u8>(), 0..200),
        count in 0u16..2_000,
        unit in 0u8..4,
        codes in prop_oneof![any::<[u8; 6]>(), Just([0; 6])],
        first in prop_oneof![any::<u64>(), Just(0), Just(u64::MAX)],
    ) {
        let mut block = vec![BLOCK_VERSION, unit];
        block.extend_from_slice(&count.to_le_bytes());
        block.extend_from_slice(&[0; 4]);
        for number in [first, first, first, 7] {
            block.extend_from_slice(&number.to_le_bytes());
        }
        block.extend_from_slice(&codes);
        block.extend_from_slice(&bits);
        let crc = crc_of(&block).to_le_bytes();
        block[CRC_AT].copy_from_slice(&crc);
        if let Ok(pings) = decode_block(&block) {
            prop_assert_eq!(pings.len(), usize::from(count));
        }
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(decode_block(&bytes).is_err());
    }
}

#[test]
fn every_flipped_bit_of_a_block_is_found() {
    let block = &packed(&walk(300))[0];
    for bit in 0..block.len() * 8 {
        let mut flipped = block.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(decode_block(&flipped).is_err(), "bit {bit}");
    }
    for cut in 0..block.len() {
        assert!(decode_block(&block[..cut]).is_err(), "cut to {cut} bytes");
    }
}

#[test]
fn a_walk_takes_four_bytes_a_ping() {
    let pings = walk(1_000);
    let bytes: usize = packed(&pings).iter().map(Vec::len).sum();
    assert_eq!(unpacked(&packed(&pings)), pings);
    assert!(bytes <= 4_000, "{bytes} bytes for 1,000 pings");
}

#[test]
fn a_block_is_full_at_its_limit_and_a_finer_moment_begins_another() {
    let mut pings = walk(1_001);
    assert_eq!(packed(&pings).len(), 2);
    pings.truncate(10);
    pings[5].observed_at.0 += 1_000;
    let blocks = packed(&pings);
    assert_eq!(blocks.len(), 2, "microseconds do not fit a block that counts milliseconds");
    assert_eq!(unpacked(&blocks), pings);
}

/// The bytes are a promise: a store written today is read by every later program. They were made by
/// an encoder written from the specification in another language.
#[test]
fn the_bytes_of_a_block_stay_as_they_are() {
    let block = &packed(&walk(3))[0];
    let golden = include_str!("golden.txt").trim().as_bytes();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    let expected: Vec<u8> = golden.chunks(2).map(byte).collect();
    assert_eq!(*block, expected);
}

#[test]
fn a_later_version_is_told_from_damage() {
    let mut block = packed(&walk(3))[0].clone();
    block[0] = 2;
    assert_eq!(decode_block(&block), Err(BlockError::Version { version: 2 }));
}
