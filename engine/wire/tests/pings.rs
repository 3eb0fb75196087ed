//! Pings one by one: what is taken and what is refused.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test ends where it fails"
)]

mod samples;

use ach_engine_wire::{Code, Coordinates, NOT_A_NUMBER, PING_BYTES, PingReading, WirePing};
use ach_geo::Floor;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use samples::{hex, reading};

/// The sample's bytes with some of them replaced.
fn patched(patches: &[(usize, &[u8])]) -> WirePing {
    let mut bytes = WirePing::new(&reading()).bytes();
    for (offset, patch) in patches {
        bytes[*offset..*offset + patch.len()].copy_from_slice(patch);
    }
    WirePing::from_bytes(bytes)
}

#[test]
fn the_layout_is_the_one_in_the_spec() {
    let bytes = WirePing::new(&reading()).bytes();
    let expected = [
        "07000000",
        "1b00",
        "6aff",
        "00e06ef9c03eea18",
        "3930000000000000",
        "5afdffffffffffff",
        "4c040000",
        "96000000",
        "58",
        "00000000000000",
    ];
    assert_eq!(hex(&bytes), expected.concat());
}

#[test]
fn each_wrong_ping_is_refused_with_its_code() {
    let nan = NOT_A_NUMBER.to_le_bytes();
    let beyond = (i64::from(i32::MAX) + 1).to_le_bytes();
    let check = |patches: &[(usize, &[u8])], expected: Code| {
        assert_eq!(patched(patches).reading(), Err(expected), "{patches:?}");
    };
    check(&[(16, &nan)], Code::NotANumber);
    check(&[(24, &nan)], Code::NotANumber);
    check(&[(16, &beyond)], Code::OutOfRange);
    check(&[(24, &(-3_000_000_000_i64).to_le_bytes())], Code::OutOfRange);
    check(&[(40, &[101])], Code::OutOfRange);
    check(&[(4, &[0x3b])], Code::ReservedNotZero);
    check(&[(5, &[1])], Code::ReservedNotZero);
    check(&[(4, &[0x1a])], Code::ReservedNotZero);
    check(&[(47, &[1])], Code::ReservedNotZero);
    let global = 0x1f;
    check(&[(4, &[global]), (16, &180_000_000_001_i64.to_le_bytes())], Code::OutOfRange);
    check(&[(4, &[global]), (24, &(-90_000_000_001_i64).to_le_bytes())], Code::OutOfRange);
    check(&[(4, &[global]), (24, &nan)], Code::NotANumber);
    assert_eq!(patched(&[]).reading(), Ok(reading()));
}

#[test]
fn any_reading_survives_its_bytes() {
    let seed = 42;
    println!("seed {seed}");
    let mut chance = ChaCha8Rng::seed_from_u64(seed);
    for _ in 0..20_000 {
        let coordinates = if chance.random() {
            Coordinates::Local { x_mm: chance.random(), y_mm: chance.random() }
        } else {
            Coordinates::Wgs84 {
                lon_nano_deg: chance.random_range(-180_000_000_000..=180_000_000_000),
                lat_nano_deg: chance.random_range(-90_000_000_000..=90_000_000_000),
            }
        };
        let reading = PingReading {
            handle: chance.random(),
            observed_at: ach_actors_model::Timestamp(chance.random()),
            coordinates,
            z_mm: chance.random::<bool>().then(|| chance.random()),
            floor: chance.random::<bool>().then(|| Floor(chance.random())),
            accuracy_mm: chance.random::<bool>().then(|| chance.random()),
            battery_percent: chance.random::<bool>().then(|| chance.random_range(0..=100)),
        };
        let ping = WirePing::new(&reading);
        assert_eq!(WirePing::from_bytes(ping.bytes()).reading(), Ok(reading));
        assert_eq!(ping.with_handle(9).handle(), 9);
    }
}

#[test]
fn random_bytes_are_refused_or_read_as_what_they_are_written_as() {
    let seed = 43;
    println!("seed {seed}");
    let mut chance = ChaCha8Rng::seed_from_u64(seed);
    let mut taken_count = 0;
    for _ in 0..100_000 {
        let mut bytes = WirePing::new(&reading()).bytes();
        for _ in 0..chance.random_range(1..6) {
            bytes[chance.random_range(0..PING_BYTES)] = chance.random();
        }
        if let Ok(reading) = WirePing::from_bytes(bytes).reading() {
            taken_count += 1;
            assert_eq!(WirePing::new(&reading).bytes(), bytes, "one spelling only");
        }
    }
    assert!(taken_count > 1_000);
}
