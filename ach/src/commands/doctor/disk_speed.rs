//! The disk: what lies below it, how much room there is, how long a sync takes.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::finding::Finding;
use super::stopwatch::Stopwatch;
use crate::moment::length;

/// Bytes of the file that is written over: 256 pages, so that not one page is worn.
const FILE_BYTES: u64 = 1024 * 1024;
/// Bytes a sync makes durable, as of a small group.
const PAGE_BYTES: u64 = 4 * 1024;
/// Syncs measured at most: enough to see the slowest in a hundred several times.
const SYNCS_MAX: usize = 500;
/// Time for them: a disk of 100 ms a sync still shows thirty.
const MEASURED_NS_MAX: u64 = 3_000_000_000;

/// A sync above this at the median delays every durable ack by more than people accept of a click.
const P50_SLOW_US: u64 = 20_000;
/// One sync in a hundred above this: a disk that is shared, worn or behind a network.
const P99_SLOW_US: u64 = 100_000;

/// Below this no new segment of the journal (64 MiB, and a spare one) can be had for long.
const ROOM_WRONG_BYTES: u64 = 512 * 1024 * 1024;
/// Below this a hospital of 10,000 tags at one ping a second fills the disk within hours.
const ROOM_LOW_BYTES: u64 = 20 * 1024 * 1024 * 1024;

/// Kinds of file systems by their magic numbers, as `statfs(2)` lists them.
const TMPFS: u64 = 0x0102_1994;
const RAMFS: u64 = 0x8584_58f6;
const REMOTE: &[u64] = &[0x6969, 0xff53_4d42, 0xfe53_4d42, 0x517b, 0x0102_1997];

/// Looks at the disk below `folder`. What cannot be looked at is a finding too: the doctor is asked
/// just when a disk is full or refuses.
pub(crate) fn findings(folder: &Path) -> Vec<Finding> {
    let disk = rustix::fs::statfs(folder).map(|disk| u64::try_from(disk.f_type).unwrap_or(0));
    let room = rustix::fs::statvfs(folder).map(|room| room.f_bavail.saturating_mul(room.f_frsize));
    vec![
        disk.map_or_else(|error| unmeasured("disk kind", &error.into()), kind),
        room.map_or_else(|error| unmeasured("disk room", &error.into()), free),
        syncs(folder).map_or_else(|error| unmeasured("disk speed", &error), |ns| speed(&ns)),
    ]
}

/// The error in a word: its text could hold a path.
fn unmeasured(what: &'static str, error: &io::Error) -> Finding {
    let seen = format!("could not be measured: {}", error.kind());
    Finding::wrong(what, seen, "look at the directory's owner and mode, and make room")
}

fn kind(magic: u64) -> Finding {
    if magic == TMPFS || magic == RAMFS {
        return Finding::wrong(
            "disk kind",
            "the data directory lies in memory",
            "what is acknowledged as durable would be gone with the power: choose a real disk",
        );
    }
    if REMOTE.contains(&magic) {
        return Finding::warning(
            "disk kind",
            "the data directory lies on another machine",
            "a sync waits for the network, and may not mean what it says: choose a local disk",
        );
    }
    Finding::ok("disk kind", "a local file system")
}

fn free(bytes: u64) -> Finding {
    let gib = |bytes: u64| format!("{}.{} GiB", bytes >> 30, (bytes >> 20) % 1_024 * 10 / 1_024);
    let seen = format!("{} free", gib(bytes));
    let remedy = "make room; `ach capacity` tells how much a site needs";
    if bytes < ROOM_WRONG_BYTES {
        Finding::wrong("disk room", seen, remedy)
    } else if bytes < ROOM_LOW_BYTES {
        Finding::warning("disk room", seen, remedy)
    } else {
        Finding::ok("disk room", seen)
    }
}

/// Times of syncs, ascending.
fn syncs(folder: &Path) -> io::Result<Vec<u64>> {
    let path = folder.join(format!("doctor.{}.new", std::process::id()));
    let file = OpenOptions::new().write(true).create_new(true).open(&path)?;
    let measured = measure(&file);
    drop(file);
    std::fs::remove_file(&path)?;
    let mut times_ns = measured?;
    times_ns.sort_unstable();
    Ok(times_ns)
}

/// Overwrites zeroed pages, one a sync, as the journal does.
fn measure(file: &File) -> io::Result<Vec<u64>> {
    let page = vec![0xA5; usize::try_from(PAGE_BYTES).unwrap_or(0)];
    let zeros = vec![0; page.len()];
    for at in (0..FILE_BYTES).step_by(page.len()) {
        file.write_all_at(&zeros, at)?;
    }
    file.sync_all()?;
    let whole = Stopwatch::start();
    let mut times_ns = Vec::with_capacity(SYNCS_MAX);
    for at in (0..FILE_BYTES).step_by(page.len()).cycle().take(SYNCS_MAX) {
        let one = Stopwatch::start();
        file.write_all_at(&page, at)?;
        file.sync_data()?;
        times_ns.push(one.ns());
        if whole.ns() > MEASURED_NS_MAX {
            break;
        }
    }
    Ok(times_ns)
}

/// The value below which so many percent lie; 0 of nothing.
fn percentile_us(sorted_ns: &[u64], percent: usize) -> u64 {
    let rank = (sorted_ns.len() * percent).div_ceil(100).max(1);
    sorted_ns.get(rank - 1).or(sorted_ns.last()).map_or(0, |ns| ns / 1_000)
}

fn speed(sorted_ns: &[u64]) -> Finding {
    let [p50, p90, p99, max] = [50, 90, 99, 100].map(|percent| percentile_us(sorted_ns, percent));
    let seen = format!(
        "a sync of 4 KiB took {} at p50, {} at p90, {} at p99, {} at most, of {}",
        length(p50),
        length(p90),
        length(p99),
        length(max),
        sorted_ns.len()
    );
    if p50 > P50_SLOW_US || p99 > P99_SLOW_US {
        return Finding::warning(
            "disk speed",
            seen,
            "alarms do not wait for it, durable acks do: choose a disk with power-loss protection, \
             and let no other program write much to it",
        );
    }
    Finding::ok("disk speed", seen)
}

#[cfg(test)]
mod tests {
    use super::super::finding::Verdict;
    use super::*;

    #[test]
    fn the_file_is_gone_and_the_syncs_are_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let times = syncs(folder.path()).unwrap();
        assert!(!times.is_empty() && times.is_sorted());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_cannot_be_measured_is_a_finding() {
        let nowhere = tempfile::tempdir().unwrap().path().join("nowhere");
        let findings = findings(&nowhere);
        assert_eq!(findings.len(), 3);
        for finding in findings {
            assert_eq!(finding.verdict, Verdict::Wrong);
            assert!(finding.seen.starts_with("could not be measured: "), "{finding}");
            assert!(!finding.seen.contains("nowhere"), "{finding}");
        }
    }

    #[test]
    fn percentiles_are_values_that_were_seen() {
        let sorted: Vec<u64> = (1..=100).map(|n| n * 1_000).collect();
        assert_eq!(percentile_us(&sorted, 50), 50);
        assert_eq!(percentile_us(&sorted, 99), 99);
        assert_eq!(percentile_us(&sorted, 100), 100);
        assert_eq!(percentile_us(&[7_000], 50), 7);
        assert_eq!(percentile_us(&[], 50), 0);
    }

    #[test]
    fn memory_little_room_and_a_slow_disk_are_told() {
        assert_eq!(kind(TMPFS).verdict, Verdict::Wrong);
        assert_eq!(kind(0x6969).verdict, Verdict::Warning);
        assert_eq!(kind(0xEF53).verdict, Verdict::Ok);
        assert_eq!(free(1 << 20).verdict, Verdict::Wrong);
        assert_eq!(free(1 << 30).verdict, Verdict::Warning);
        let free = free((1 << 40) + (1 << 29));
        assert_eq!((free.verdict, free.seen.as_str()), (Verdict::Ok, "1024.5 GiB free"));
        assert_eq!(speed(&[100_000; 100]).verdict, Verdict::Ok);
        assert_eq!(speed(&[30_000_000; 100]).verdict, Verdict::Warning);
        let mut one_in_fifty = vec![100_000; 98];
        one_in_fifty.extend([300_000_000; 2]);
        assert_eq!(speed(&one_in_fifty).verdict, Verdict::Warning);
    }
}
