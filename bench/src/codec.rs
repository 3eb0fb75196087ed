//! Pings to bytes and back, on the wire and in the journal. Every ping is decoded once and encoded
//! once; slower here is fewer tags on the same machine.

use ach_actors_model::{Ping, PingBatch, SourceRef, TagRef, Timestamp};
use ach_engine_shard::{Entry, Input};
use ach_engine_wire::{Coordinates, PING_BYTES, PingReading, WirePing, decode_entry, encode_entry};
use ach_geo::Position;

use crate::{Campus, Moves, SEED, Size};

/// Pings, as readings, as wire bytes and as a journal entry.
#[derive(Debug)]
pub struct PingCodec {
    readings: Vec<PingReading>,
    wire: Vec<[u8; PING_BYTES]>,
    entry: Entry,
    entry_bytes: Vec<u8>,
    scratch: Vec<u8>,
}

impl PingCodec {
    /// Pings of one pass.
    pub const PINGS: Size = Size { smoke: 100, full: 4_096 };

    /// Makes that many pings.
    ///
    /// # Panics
    ///
    /// The codec refuses what it must take.
    pub fn new(pings: usize) -> PingCodec {
        let positions = Campus::new(100).positions(Moves::Walks, pings, 1, SEED);
        let readings: Vec<PingReading> = (0..).zip(&positions).map(reading).collect();
        let wire = readings.iter().map(|reading| WirePing::new(reading).bytes()).collect();
        let entry = entry(&positions);
        let mut entry_bytes = Vec::new();
        #[expect(clippy::expect_used, reason = "an entry of plain pings")]
        encode_entry(&entry, &mut entry_bytes).expect("it fits");
        PingCodec {
            readings,
            wire,
            entry,
            scratch: Vec::with_capacity(entry_bytes.len()),
            entry_bytes,
        }
    }

    /// How many pings one pass has.
    pub fn ping_count(&self) -> usize {
        self.readings.len()
    }

    /// Readings to wire bytes.
    pub fn encode_wire(&mut self) -> u64 {
        self.scratch.clear();
        for reading in &self.readings {
            self.scratch.extend_from_slice(&WirePing::new(reading).bytes());
        }
        checksum(&self.scratch)
    }

    /// Wire bytes to checked readings.
    pub fn decode_wire(&self) -> u64 {
        self.wire
            .iter()
            .filter_map(|bytes| WirePing::from_bytes(*bytes).reading().ok())
            .map(|reading| u64::from(reading.handle))
            .sum()
    }

    /// An entry to the bytes of the journal.
    pub fn encode_entry(&mut self) -> u64 {
        self.scratch.clear();
        match encode_entry(&self.entry, &mut self.scratch) {
            Ok(()) => checksum(&self.scratch),
            Err(_) => 0,
        }
    }

    /// The bytes of the journal to an entry.
    pub fn decode_entry(&self) -> u64 {
        decode_entry(&self.entry_bytes).map_or(0, |entry| entry.index)
    }

    /// The plain limit: the same bytes copied, ping by ping.
    pub fn copy(&mut self) -> u64 {
        self.scratch.clear();
        for bytes in &self.wire {
            self.scratch.extend_from_slice(std::hint::black_box(bytes));
        }
        checksum(&self.scratch)
    }
}

/// The length and the last bytes: enough to keep the work, too little to be work itself.
fn checksum(bytes: &[u8]) -> u64 {
    let last: u64 = bytes.iter().rev().take(64).copied().map(u64::from).sum();
    u64::try_from(bytes.len()).unwrap_or(u64::MAX).wrapping_add(last)
}

fn reading((handle, position): (u32, &Position)) -> PingReading {
    PingReading {
        handle,
        observed_at: Timestamp(1_800_000_000_000_000_000),
        coordinates: Coordinates::Local { x_mm: position.x_mm, y_mm: position.y_mm },
        z_mm: position.z_mm,
        floor: position.floor,
        accuracy_mm: Some(400),
        battery_percent: None,
    }
}

fn entry(positions: &[Position]) -> Entry {
    let at = Timestamp(1_800_000_000_000_000_000);
    let pings: Vec<Ping> = (0_u32..)
        .zip(positions)
        .map(|(number, position)| Ping {
            tag: TagRef(number),
            seq_offset: number,
            observed_at: at,
            position: *position,
            accuracy_mm: 400,
            battery_percent: None,
        })
        .collect();
    let batch = PingBatch {
        source: SourceRef(0),
        epoch: 1,
        first_seq: 1,
        last_seq: u64::try_from(pings.len()).unwrap_or(u64::MAX),
        received_at: at,
        conflated_count: 0,
        refused_count: 0,
        pings,
    };
    Entry {
        index: 1,
        at,
        site_version: 1,
        logic_version: 1,
        inputs: vec![Input::Pings(batch)],
        effects_hash: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_takes_and_gives_all_pings() {
        let mut codec = PingCodec::new(PingCodec::PINGS.smoke);
        assert_eq!(codec.ping_count(), 100);
        assert_eq!(codec.decode_wire(), (0..100_u64).sum::<u64>());
        assert_eq!(codec.decode_entry(), 1);
        assert_eq!(codec.encode_wire(), codec.copy());
        assert!(codec.encode_entry() > 4_800);
        assert_eq!(decode_entry(&codec.entry_bytes).expect("an entry"), codec.entry);
    }
}
