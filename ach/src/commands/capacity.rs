//! `ach capacity`: what a site of a size needs, from constants that were measured.
//!
//! `docs/operate/sizing.md` names the source of each; tests here hold the bytes to what is encoded.

use serde_json::json;

use crate::cli::Capacity;
use crate::exit::Outcome;

/// Bytes of the journal a ping that is alone in its entry and its group takes: the entry, the record's
/// and the group's heads, up to the next 64 bytes. A node that is busy gathers, and writes less.
pub(crate) const SINGLE_PING_BYTES: u64 = 256;
/// Bytes a ping takes among 64 in an entry.
pub(crate) const BATCH_PING_BYTES: u64 = 44;

/// CPU time of a whole node for a ping that comes alone: 6.3 s for 500,000 (`alarms-50k`).
pub(crate) const SINGLE_PING_NS: u64 = 12_600;
/// CPU time of a whole node for a ping among 64: 11.1 s for 23.8 million (`durable-64`).
pub(crate) const BATCH_PING_NS: u64 = 470;
/// CPU time of the shard's step alone on the same machine (`shard`, 10,000 tags).
pub(crate) const STEP_NS: u64 = 466;
/// What is left free, for bursts and for what else the machine does.
pub(crate) const HEADROOM_PERCENT: u64 = 40;

/// Memory of a node that serves the sample hospital and nobody.
const BASE_BYTES: u64 = 64 << 20;
/// Memory of a tag and its subject at work, with their part of the site (`step_rate`: 367 and 107).
const TAG_BYTES: u64 = 480;
/// What may wait for a disk that does not answer, before storing ends.
const BACKLOG_BYTES: u64 = 256 << 20;
/// The segment that is being written, and the spare one.
const SEGMENTS_BYTES: u64 = 128 << 20;
/// Pings of a batch from which on more bring little.
const BATCH_FULL: u64 = 64;
const S_PER_DAY: u64 = 86_400;

/// What a site needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Needs {
    pings_per_s: u64,
    disk_bytes_per_day: u64,
    disk_bytes: u64,
    memory_bytes: u64,
    /// Thousandths of a core, without headroom.
    millicores: u64,
    cores: u64,
}

/// Prints it.
pub(crate) fn run(wish: &Capacity) -> Outcome {
    let needs = Needs::of(wish);
    if wish.json {
        say!("{}", needs.object());
        return Outcome::Done;
    }
    say!("{} pings a second", needs.pings_per_s);
    say!(
        "disk    at most {} for {} days: {} a day, in the journal",
        size(needs.disk_bytes),
        wish.days,
        size(needs.disk_bytes_per_day)
    );
    say!(
        "memory  {}, of which {} for a disk that stalls",
        size(needs.memory_bytes),
        size(BACKLOG_BYTES)
    );
    say!(
        "cores   {}: {}.{:02} of one at work, {HEADROOM_PERCENT} % to spare, at least two",
        needs.cores,
        needs.millicores / 1_000,
        needs.millicores % 1_000 / 10
    );
    say!("estimated from figures of a 2.5 GHz Xeon; `ach doctor` tells how this machine compares");
    Outcome::Done
}

impl Needs {
    fn of(wish: &Capacity) -> Needs {
        let tags = u64::from(wish.tags);
        let pings_per_s = pings_per_s(wish.tags, wish.rate);
        let bytes = between(SINGLE_PING_BYTES, BATCH_PING_BYTES, wish.batch);
        let cpu_ns = between(SINGLE_PING_NS, BATCH_PING_NS, wish.batch);
        let per_day = pings_per_s.saturating_mul(bytes).saturating_mul(S_PER_DAY);
        let millicores = pings_per_s.saturating_mul(cpu_ns).div_ceil(1_000_000);
        let with_headroom = millicores.saturating_mul(100) / (100 - HEADROOM_PERCENT);
        Needs {
            pings_per_s,
            disk_bytes_per_day: per_day,
            disk_bytes: per_day.saturating_mul(wish.days.into()).saturating_add(SEGMENTS_BYTES),
            memory_bytes: BASE_BYTES + BACKLOG_BYTES + tags * TAG_BYTES,
            millicores,
            cores: with_headroom.div_ceil(1_000).max(2),
        }
    }

    fn object(&self) -> serde_json::Value {
        json!({
            "event": "capacity",
            "pings_per_s": self.pings_per_s,
            "disk_bytes": self.disk_bytes,
            "disk_bytes_per_day": self.disk_bytes_per_day,
            "memory_bytes": self.memory_bytes,
            "millicores": self.millicores,
            "cores": self.cores,
        })
    }
}

/// What a ping costs among so many: each batch has a head, shared by its pings.
fn between(single: u64, batched: u64, batch: u32) -> u64 {
    let pings = u64::from(batch).clamp(1, BATCH_FULL);
    batched + (single - batched) * (BATCH_FULL - pings) / (pings * (BATCH_FULL - 1))
}

/// At least one.
fn pings_per_s(tags: u32, rate: f64) -> u64 {
    let pings = (f64::from(tags) * rate).ceil().clamp(1.0, 2e9);
    #[expect(
        clippy::as_conversions,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a whole number between 1 and two billion"
    )]
    let pings = pings as u64;
    pings
}

fn size(bytes: u64) -> String {
    match bytes {
        0..1_000_000_000 => format!("{} MB", bytes.div_ceil(1_000_000)),
        1_000_000_000..10_000_000_000_000 => {
            format!("{}.{} GB", bytes / 1_000_000_000, bytes / 100_000_000 % 10)
        }
        _ => format!("{}.{} TB", bytes / 1_000_000_000_000, bytes / 100_000_000_000 % 10),
    }
}

#[cfg(test)]
mod tests {
    use ach_actors_model::{Ping, PingBatch, SourceRef, TagRef, Timestamp};
    use ach_engine_journal::{Config, Journal, Kek, RecordKind, SimDisk};
    use ach_engine_shard::{Entry, Input};
    use ach_engine_wire::encode_entry;
    use ach_geo::{Floor, Position};

    use super::*;

    fn wish(tags: u32, rate: f64, days: u32, batch: u32) -> Capacity {
        Capacity { tags, rate, days, batch, json: false }
    }

    /// Bytes of the journal a ping takes when `pings` are an entry and a group.
    fn journaled_bytes(pings: u32) -> u64 {
        let ping = |tag: u32| Ping {
            tag: TagRef(tag),
            seq_offset: tag,
            observed_at: Timestamp(1_795_392_000_000_000_000),
            position: Position {
                x_mm: 12_345,
                y_mm: 6_789,
                z_mm: Some(900),
                floor: Some(Floor(100)),
            },
            accuracy_mm: 300,
            battery_percent: Some(80),
        };
        let entry = Entry {
            index: 1,
            at: Timestamp(1_795_392_000_000_000_000),
            site_version: 1,
            logic_version: 1,
            inputs: vec![Input::Pings(PingBatch {
                source: SourceRef(0),
                epoch: 1,
                first_seq: 1,
                last_seq: pings.into(),
                received_at: Timestamp(1_795_392_000_000_000_000),
                conflated_count: 0,
                refused_count: 0,
                pings: (0..pings).map(ping).collect(),
            })],
            effects_hash: 0x1234_5678_9ABC_DEF0,
        };
        let mut bytes = Vec::new();
        encode_entry(&entry, &mut bytes).unwrap();
        let disk = SimDisk::new(1, 1 << 30);
        let kek = Kek::from_bytes(&[7; 32]).unwrap();
        let (mut journal, _) = Journal::open(disk, Config::default(), kek, &mut |_| {}).unwrap();
        let before = journal.counters().bytes;
        for index in 1..=100 {
            journal.append(RecordKind::Entry, 0, 1, index, &bytes).unwrap();
            journal.commit().unwrap();
        }
        (journal.counters().bytes - before) / 100 / u64::from(pings)
    }

    #[test]
    fn the_bytes_of_a_ping_are_those_that_are_written() {
        for (constant, pings) in [(SINGLE_PING_BYTES, 1), (BATCH_PING_BYTES, 64)] {
            let written = journaled_bytes(pings);
            assert!(
                written.abs_diff(constant) * 8 <= constant,
                "{written} bytes a ping are written among {pings}, and {constant} are told"
            );
        }
    }

    #[test]
    fn what_is_needed_grows_with_what_comes() {
        let small = Needs::of(&wish(1_000, 1.0, 7, 1));
        assert_eq!(small.pings_per_s, 1_000);
        assert_eq!(small.disk_bytes_per_day, 1_000 * SINGLE_PING_BYTES * 86_400);
        assert_eq!(small.cores, 2);
        assert_eq!(small.millicores, 13);
        let large = Needs::of(&wish(200_000, 1.0, 7, 1));
        assert_eq!((large.millicores, large.cores), (2_520, 5));
        let batched = Needs::of(&wish(200_000, 1.0, 7, 64));
        assert_eq!((batched.millicores, batched.cores), (94, 2));
        assert!(batched.disk_bytes < large.disk_bytes / 3);
        assert_eq!(Needs::of(&wish(1, 0.00001, 1, 1)).pings_per_s, 1);
    }

    #[test]
    fn a_batch_costs_between_one_and_sixty_four() {
        assert_eq!(between(256, 44, 1), 256);
        assert_eq!(between(256, 44, 64), 44);
        assert_eq!(between(256, 44, 256), 44);
        assert!(between(256, 44, 2) < 160);
    }

    #[test]
    fn sizes_are_told_in_the_unit_that_fits() {
        assert_eq!(size(1), "1 MB");
        assert_eq!(size(1_250_000_000), "1.2 GB");
        assert_eq!(size(12_340_000_000_000), "12.3 TB");
    }
}
