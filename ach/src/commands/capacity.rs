//! `ach capacity`: what a site of a size needs, from constants that were measured.
//!
//! `docs/operate/sizing.md` names the source of each; tests here hold the bytes to what is encoded.

use serde_json::json;

use crate::cli::Capacity;
use crate::exit::Outcome;

/// Bytes of history a ping takes: 7.3 measured on walks (decision 0011), and visits and alarms.
const HISTORY_PING_BYTES: u64 = 8;
/// Bytes of the archives a ping that was alone in its entry takes, and one of 64.
const SINGLE_ARCHIVED_BYTES: u64 = 66;
const BATCH_ARCHIVED_BYTES: u64 = 24;
/// What the journal keeps until history, archives and two checkpoints have it: some segments of 64 MiB.
const JOURNAL_KEPT_BYTES: u64 = 512 << 20;
/// CPU time of history and archives for a ping, at low priority (decision 0011: 366 to 762 ns).
const HISTORY_PING_NS: u64 = 760;

/// CPU time of a whole node for a ping that comes alone: 6.3 s for 500,000 (`alarms-50k`).
pub(crate) const SINGLE_PING_NS: u64 = 12_600;
/// CPU time of a whole node for a ping among 64: 11.1 s for 23.8 million (`durable-64`).
pub(crate) const BATCH_PING_NS: u64 = 470;
/// CPU time of the shard's step alone on the same machine (`shard`, 10,000 tags).
pub(crate) const STEP_NS: u64 = 466;
/// What is left free, for bursts and for what else the machine does.
pub(crate) const HEADROOM_PERCENT: u64 = 40;

/// Memory of a node that serves the sample hospital and nobody.
const BASE_BYTES: u64 = 96 << 20;
/// Memory of a tag and its subject at work, with their part of the site (`step_rate`: 367 and 107).
const TAG_BYTES: u64 = 480;
/// What may wait for a disk that does not answer, before storing ends.
const BACKLOG_BYTES: u64 = 256 << 20;
/// The segment that is being written, and the spare one.
const SEGMENTS_BYTES: u64 = 128 << 20;
/// Pings of a batch that a node takes in one turn and entry, of a vendor that sends fewer than that a second; of one that
/// sends more it takes whole batches (decisions 0019 and 0024).
const ENTRY_PINGS: u32 = 8;
const LONG_TURNS_PINGS_PER_S: u64 = 100_000;
/// CPU time of a turn, whatever is taken in it.
const TURN_NS: u64 = 3_000;
/// Pings of a batch from which on more bring little.
const BATCH_FULL: u64 = 64;
const S_PER_DAY: u64 = 86_400;

/// What a site needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Needs {
    pings_per_s: u64,
    history_bytes_per_day: u64,
    archive_bytes_per_day: u64,
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
        "disk    at most {} for {} days: {} a day of history, {} of archives, {} for the journal",
        size(needs.disk_bytes),
        wish.days,
        size(needs.history_bytes_per_day),
        size(needs.archive_bytes_per_day),
        size(JOURNAL_KEPT_BYTES + SEGMENTS_BYTES)
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
        let in_entry = if pings_per_s < LONG_TURNS_PINGS_PER_S {
            wish.batch.min(ENTRY_PINGS)
        } else {
            wish.batch
        };
        let archived = between(SINGLE_ARCHIVED_BYTES, BATCH_ARCHIVED_BYTES, in_entry);
        let turns_ns =
            TURN_NS / u64::from(in_entry.max(1)) - TURN_NS / u64::from(wish.batch.max(1));
        let cpu_ns =
            between(SINGLE_PING_NS, BATCH_PING_NS, wish.batch) + turns_ns + HISTORY_PING_NS;
        let per_day = |bytes: u64| pings_per_s.saturating_mul(bytes).saturating_mul(S_PER_DAY);
        let (history, archive) = (per_day(HISTORY_PING_BYTES), per_day(archived));
        let both = history.saturating_add(archive);
        let millicores = pings_per_s.saturating_mul(cpu_ns).div_ceil(1_000_000);
        let with_headroom = millicores.saturating_mul(100) / (100 - HEADROOM_PERCENT);
        Needs {
            pings_per_s,
            history_bytes_per_day: history,
            archive_bytes_per_day: archive,
            disk_bytes_per_day: both,
            disk_bytes: both
                .saturating_mul(wish.days.into())
                .saturating_add(JOURNAL_KEPT_BYTES + SEGMENTS_BYTES),
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
            "history_bytes_per_day": self.history_bytes_per_day,
            "archive_bytes_per_day": self.archive_bytes_per_day,
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
    use ach_engine_shard::{Entry, Input};
    use ach_engine_store::ArchiveWriter;
    use ach_engine_wire::encode_entry;
    use ach_geo::{Floor, Position};

    use super::*;

    fn wish(tags: u32, rate: f64, days: u32, batch: u32) -> Capacity {
        Capacity { tags, rate, days, batch, json: false }
    }

    /// An entry of so many pings, no two of which are alike.
    fn encoded(index: u64, pings: u32) -> Vec<u8> {
        let now_ns = 1_795_392_000_000_000_000 + index * 987_654_321;
        // Digits that a compressor does not foresee (splitmix64).
        let noise = |n: u64| {
            let z = (n.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ (n >> 30))
                .wrapping_mul(0xBF58_476D_1CE4_E5B9);
            z ^ (z >> 27)
        };
        let ping = |tag: u32| {
            let dice = noise(index << 8 | u64::from(tag));
            let mm = |shift: u32| i32::try_from(dice >> shift & 0xFFFF).unwrap();
            Ping {
                tag: TagRef(u32::try_from(dice >> 40 & 0x1FFF).unwrap()),
                seq_offset: tag,
                observed_at: Timestamp(now_ns - (dice & 0xFFF) * 1_000_000),
                position: Position {
                    x_mm: mm(0),
                    y_mm: mm(16),
                    z_mm: Some(900),
                    floor: Some(Floor(100)),
                },
                accuracy_mm: 300,
                battery_percent: Some(80),
            }
        };
        let entry = Entry {
            index,
            at: Timestamp(now_ns),
            site_version: 1,
            logic_version: 1,
            inputs: vec![Input::Pings(PingBatch {
                source: SourceRef(0),
                epoch: 1,
                first_seq: index * u64::from(pings),
                last_seq: (index + 1) * u64::from(pings) - 1,
                received_at: Timestamp(now_ns),
                conflated_count: 0,
                refused_count: 0,
                pings: (0..pings).map(ping).collect(),
            })],
            effects_hash: noise(index),
        };
        let mut bytes = Vec::new();
        encode_entry(&entry, &mut bytes).unwrap();
        bytes
    }

    /// Bytes of the archives a ping takes when `pings` are an entry.
    fn archived_bytes(pings: u32) -> u64 {
        const ENTRIES: u64 = 5_000;
        let folder = tempfile::tempdir().unwrap();
        let at = Timestamp(1_795_392_000_000_000_000);
        let mut writer = ArchiveWriter::begin(folder.path(), &[3; 32], 1, at).unwrap();
        for index in 1..=ENTRIES {
            writer.push(index, at, &encoded(index, pings)).unwrap();
        }
        let span = writer.finish().unwrap();
        std::fs::metadata(span.file).unwrap().len() / ENTRIES / u64::from(pings)
    }

    #[test]
    fn the_bytes_of_a_ping_are_those_that_are_written() {
        let cases = [
            (SINGLE_ARCHIVED_BYTES, 1, archived_bytes(1)),
            (
                between(SINGLE_ARCHIVED_BYTES, BATCH_ARCHIVED_BYTES, ENTRY_PINGS),
                8,
                archived_bytes(8),
            ),
            (BATCH_ARCHIVED_BYTES, 64, archived_bytes(64)),
        ];
        for (constant, pings, written) in cases {
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
        assert_eq!(small.history_bytes_per_day, 1_000 * HISTORY_PING_BYTES * 86_400);
        assert_eq!(small.archive_bytes_per_day, 1_000 * SINGLE_ARCHIVED_BYTES * 86_400);
        assert_eq!(small.cores, 2);
        assert_eq!(small.millicores, 14);
        let large = Needs::of(&wish(200_000, 1.0, 7, 1));
        assert_eq!((large.millicores, large.cores), (2_672, 5));
        let batched = Needs::of(&wish(200_000, 1.0, 7, 64));
        assert_eq!((batched.millicores, batched.cores), (246, 2));
        assert!(batched.disk_bytes < large.disk_bytes / 2);
        // A vendor of less is told of at once, in smaller entries, and costs more a ping.
        let eighths = Needs::of(&wish(20_000, 1.0, 7, 64));
        assert_eq!((eighths.millicores, eighths.cores), (32, 2));
        assert!(eighths.archive_bytes_per_day * 10 > batched.archive_bytes_per_day);
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
