//! How fast the journal is beside its plain limit: a pre-zeroed file with the same groups, written
//! and synced with nothing else done.
//!
//! ```console
//! $ cargo run --release -p ach-engine-journal --example journal_rate -- /path/on/the/disk 1 64 1024
//! ```
//!
//! Both take turns in short bursts on the same disk in the same run, because its speed drifts by two
//! within minutes; only the ratios mean something. Beside the time of the clock stands the thread's
//! CPU time, which a busy neighbour and a slow disk leave alone: what the journal adds of it to a
//! group, and how slow a sync may then be at most for the journal to fall below 60 % of the file.
//! A segment is zeroed between bursts, as a node has it done by another thread, and reported apart.

use std::error::Error;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use ach_engine_journal::{Config, Disk, DiskFile, FileDisk, Journal, Kek, Preparation, RecordKind};

/// Payload of a record: one ping.
const PING_BYTES: usize = 48;

/// Pings in one record, as the node writes them: a batch of pings is one entry.
const ENTRY_PINGS_MAX: usize = 256;

/// Pings a group, when none are named.
const SIZES: [usize; 5] = [1, 16, 64, 256, 1_024];

/// Bursts of each kind for one size; odd, so that there is a median.
const ROUNDS: usize = 101;

/// What one burst takes at most: short, because a disk changes its pace within a second.
const BURST: Duration = Duration::from_millis(20);

/// Room in the segment below which the next one is begun before a burst.
const ROOM_BYTES: u64 = 24 << 20;

/// The plain limit's file is as long as a segment, and written from its start again at its end.
const RAW_BYTES: usize = 64 << 20;

/// One burst: groups, and what each took.
#[derive(Clone, Copy)]
struct Burst {
    wall_us: f64,
    cpu_us: f64,
}

#[expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]
fn now() -> Instant {
    Instant::now()
}

/// CPU time of this thread, user and system.
fn cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// Does groups until the burst is over or `group` says that it cannot go on.
fn burst(mut group: impl FnMut() -> Result<bool, Box<dyn Error>>) -> Result<Burst, Box<dyn Error>> {
    let (start, cpu_start) = (now(), cpu());
    let mut groups = 0;
    while start.elapsed() < BURST && group()? {
        groups += 1;
    }
    let groups = f64::from(u32::max(groups, 1));
    let per_group = |spent: Duration| spent.as_secs_f64() * 1e6 / groups;
    Ok(Burst {
        wall_us: per_group(start.elapsed()),
        cpu_us: per_group(cpu().saturating_sub(cpu_start)),
    })
}

/// The journal under measurement.
struct Ours {
    journal: Journal,
    room_bytes: u64,
    zeroing: Vec<f64>,
}

impl Ours {
    fn new(disk: &FileDisk) -> Result<Ours, Box<dyn Error>> {
        let kek = Kek::from_bytes(&[7; 32])?;
        let (journal, _) = Journal::open(disk.clone(), Config::default(), kek, &mut |_| {})?;
        let room_bytes = journal.room()?.segment_bytes;
        Ok(Ours { journal, room_bytes, zeroing: Vec::new() })
    }

    /// One group; false, and nothing done, when a new segment would have to be begun.
    fn group(&mut self, payload: &[u8]) -> Result<bool, Box<dyn Error>> {
        let before = self.journal.counters().bytes;
        if self.room_bytes < u64::try_from(payload.len() * 2 + 4_096)? {
            return Ok(false);
        }
        for entry in payload.chunks(ENTRY_PINGS_MAX * PING_BYTES) {
            self.journal.append(RecordKind::Entry, 0, 1, 1, entry)?;
        }
        self.journal.commit()?;
        let written = self.journal.counters().bytes.saturating_sub(before);
        self.room_bytes = self.room_bytes.saturating_sub(written);
        Ok(true)
    }

    /// A fresh segment for the next burst, if the present one has little room: it is filled up.
    fn make_room(&mut self) -> Result<(), Box<dyn Error>> {
        if self.room_bytes > ROOM_BYTES {
            return Ok(());
        }
        let start = now();
        if let Some(preparation) = self.journal.preparation()? {
            self.journal.adopt(Preparation::run(preparation)?)?;
            self.zeroing.push(start.elapsed().as_secs_f64() * 1e3);
        }
        let rolls = self.journal.counters().rolls_prepared;
        while self.journal.counters().rolls_prepared == rolls {
            self.journal.append(RecordKind::Entry, 0, 1, 1, &vec![0; 4 << 20])?;
            self.journal.commit()?;
        }
        self.room_bytes = self.journal.room()?.segment_bytes;
        Ok(())
    }
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

    fn group(&mut self, bytes: &[u8]) -> Result<bool, Box<dyn Error>> {
        if self.at + bytes.len() > RAW_BYTES {
            self.at = 0;
        }
        self.file.write_at(u64::try_from(self.at)?, bytes)?;
        self.file.sync()?;
        self.at += bytes.len();
        Ok(true)
    }
}

fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let folder = words.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let sizes: Vec<usize> = words.map(|word| word.parse()).collect::<Result<_, _>>()?;
    let folder = folder.join(format!("journal-rate-{}", std::process::id()));
    let disk = FileDisk::create(&folder)?;
    let outcome = measure(&disk, if sizes.is_empty() { &SIZES } else { &sizes });
    std::fs::remove_dir_all(&folder)?;
    outcome
}

fn measure(disk: &FileDisk, sizes: &[usize]) -> Result<(), Box<dyn Error>> {
    let mut raw = Raw::new(disk)?;
    println!("{ROUNDS} rounds of at most {} ms each, in turns; medians", BURST.as_millis());
    println!(
        "{:>6} | {:>10} {:>10} {:>10} | {:>5} {:>5}..{:<5} | {:>9} {:>9} {:>9} | {:>10}",
        "pings",
        "journal us",
        "raw us",
        "pings/s",
        "ratio",
        "least",
        "most",
        "cpu us",
        "raw cpu",
        "added",
        "sync >= us"
    );
    for pings in sizes.iter().copied() {
        let payload: Vec<u8> = (0..=u8::MAX).cycle().take(pings * PING_BYTES).collect();
        let mut ours = Ours::new(disk)?;
        let mut pairs = Vec::new();
        for round in 0..ROUNDS {
            ours.make_room()?;
            // Whoever comes first after zeroing finds a busier disk: they take turns in that too.
            let pair = if round % 2 == 0 {
                let journal = burst(|| ours.group(&payload))?;
                (journal, burst(|| raw.group(&payload))?)
            } else {
                let raw = burst(|| raw.group(&payload))?;
                (burst(|| ours.group(&payload))?, raw)
            };
            pairs.push(pair);
        }
        show(pings, &pairs)?;
        if pings == *sizes.last().unwrap_or(&pings) {
            println!("a segment of 64 MiB is zeroed in {:.0} ms", median(ours.zeroing));
        }
        ours.journal.close()?;
    }
    Ok(())
}

fn show(pings: usize, pairs: &[(Burst, Burst)]) -> Result<(), Box<dyn Error>> {
    let of = |value: fn(&(Burst, Burst)) -> f64| median(pairs.iter().map(value));
    let ratio = |(ours, raw): &(Burst, Burst)| raw.wall_us / ours.wall_us;
    let ratios = || pairs.iter().map(ratio);
    let (wall_us, raw_us) = (of(|(ours, _)| ours.wall_us), of(|(_, raw)| raw.wall_us));
    let (cpu_us, raw_cpu_us) = (of(|(ours, _)| ours.cpu_us), of(|(_, raw)| raw.cpu_us));
    // A file of `raw` and a journal of `raw + added`: 60 % from raw = 1.5 * added on, sync included.
    let added_us = cpu_us - raw_cpu_us;
    let enough_us = (1.5 * added_us - raw_cpu_us).max(0.0);
    println!(
        "{pings:>6} | {wall_us:>10.1} {raw_us:>10.1} {:>10.0} | {:>5.2} {:>5.2}..{:<5.2} | \
         {cpu_us:>9.2} {raw_cpu_us:>9.2} {added_us:>9.2} | {enough_us:>10.1}",
        f64::from(u32::try_from(pings)?) / wall_us * 1e6,
        median(ratios()),
        ratios().fold(f64::INFINITY, f64::min),
        ratios().fold(0.0, f64::max),
    );
    Ok(())
}
