//! How fast the journal is beside its plain limit: a pre-zeroed file with the same groups, written
//! and synced with nothing else done.
//!
//! ```console
//! $ cargo run --release -p ach-engine-journal --example journal_rate -- /path/on/the/disk
//! ```
//!
//! Both take turns in short bursts on the same disk in the same run, because its speed drifts by two
//! within minutes; only the ratio means something. The disk that holds the folder must be a real one.

use std::error::Error;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use ach_engine_journal::{Config, Disk, DiskFile, FileDisk, Journal, Kek, Preparation, RecordKind};

/// Payload of a record: one ping.
const PING_BYTES: usize = 48;

/// Pings in one record, as the node writes them: a batch of pings is one entry.
const ENTRY_PINGS_MAX: usize = 256;

/// Bursts of each kind for one size; odd, so that there is a median.
const ROUNDS: usize = 9;

/// What one burst writes at most, so that a row takes seconds.
const BURST: Duration = Duration::from_millis(250);

/// The plain limit's file.
const RAW_BYTES: usize = 64 << 20;

/// Groups and seconds of one burst.
#[derive(Clone, Copy)]
struct Burst {
    groups: u32,
    seconds: f64,
}

impl Burst {
    fn groups_per_s(self) -> f64 {
        f64::from(self.groups) / self.seconds
    }
}

#[expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]
fn now() -> Instant {
    Instant::now()
}

fn burst(mut group: impl FnMut() -> Result<(), Box<dyn Error>>) -> Result<Burst, Box<dyn Error>> {
    let start = now();
    let mut groups = 0;
    while start.elapsed() < BURST {
        group()?;
        groups += 1;
    }
    Ok(Burst { groups, seconds: start.elapsed().as_secs_f64() })
}

fn append_group(journal: &mut Journal, pings: usize, payload: &[u8]) -> Result<(), Box<dyn Error>> {
    let mut left = pings;
    while left > 0 {
        let entry = left.min(ENTRY_PINGS_MAX);
        let bytes = payload.get(..entry * PING_BYTES).ok_or("a payload too short")?;
        journal.append(RecordKind::Entry, 0, 1, 1, bytes)?;
        left -= entry;
    }
    journal.commit()?;
    Ok(())
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The plain limit: as many bytes as the group has payload, at the next place of a zeroed file.
struct Raw {
    file: std::fs::File,
    at: usize,
}

impl Raw {
    fn new(disk: &FileDisk) -> Result<Raw, Box<dyn Error>> {
        let file = disk.create("raw", u64::try_from(RAW_BYTES)?)?;
        file.write_at(0, &vec![0; RAW_BYTES])?;
        file.sync()?;
        Ok(Raw { file, at: 0 })
    }

    fn group(&mut self, bytes: &[u8]) -> Result<(), Box<dyn Error>> {
        if self.at + bytes.len() > RAW_BYTES {
            self.at = 0;
        }
        self.file.write_at(u64::try_from(self.at)?, bytes)?;
        self.file.sync()?;
        self.at += bytes.len();
        Ok(())
    }
}

fn prepare(journal: &mut Journal) -> Result<(), Box<dyn Error>> {
    if let Some(preparation) = journal.preparation()? {
        journal.adopt(Preparation::run(preparation)?)?;
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = folder.join(format!("journal-rate-{}", std::process::id()));
    let disk = FileDisk::create(&folder)?;
    let outcome = measure(&disk);
    std::fs::remove_dir_all(&folder)?;
    outcome
}

fn measure(disk: &FileDisk) -> Result<(), Box<dyn Error>> {
    let payload: Vec<u8> = (0..=255).cycle().take(8 << 20).collect();
    let mut raw = Raw::new(disk)?;
    println!("{ROUNDS} rounds of {} ms each, medians; in turns", BURST.as_millis());
    println!(
        "{:>7} {:>9} | {:>11} {:>9} {:>10} | {:>11} {:>9} | {:>6}",
        "pings", "bytes", "journal g/s", "MB/s", "pings/s", "raw g/s", "MB/s", "ratio"
    );
    for pings in [1, 16, 64, 256, 1_024, 4_096, 16_384] {
        let kek = Kek::from_bytes(&[7; 32])?;
        let (mut journal, _) = Journal::open(disk.clone(), Config::default(), kek, &mut |_| {})?;
        let bytes = payload.get(..pings * PING_BYTES).ok_or("a payload too short")?;
        let (mut ours, mut theirs, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            // As the node does it: the next segment is made ready while nothing waits.
            prepare(&mut journal)?;
            let journal = burst(|| append_group(&mut journal, pings, bytes))?.groups_per_s();
            let raw = burst(|| raw.group(bytes))?.groups_per_s();
            ours.push(journal);
            theirs.push(raw);
            ratios.push(journal / raw);
        }
        let counters = journal.counters();
        journal.close()?;
        let (ours, theirs) = (median(&mut ours), median(&mut theirs));
        let group_mb = f64::from(u32::try_from(bytes.len())?) / 1e6;
        let pings_per_s = ours * f64::from(u32::try_from(pings)?);
        println!(
            "{pings:>7} {:>9} | {ours:>11.0} {:>9.1} {pings_per_s:>10.0} | {theirs:>11.0} {:>9.1} | {:>6.2}",
            bytes.len(),
            ours * group_mb,
            theirs * group_mb,
            median(&mut ratios),
        );
        if counters.rolls_unprepared > 0 {
            println!("{:>17} | {} rolls were unprepared", "", counters.rolls_unprepared);
        }
    }
    Ok(())
}
