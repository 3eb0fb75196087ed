//! What a tag costs in memory, with its subject: when it is active and when it is compacted.
//!
//! `cargo run --release -p ach-bench --example memory [TAGS]`; Linux only, it reads
//! `/proc/self/status`.

use ach_bench::{ShardSteps, Size};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Tags, unless given.
const TAGS: Size = Size { smoke: 1_000, full: 1_000_000 };
/// Rounds in which all tags walk.
const ACTIVE_ROUNDS: usize = 5;
/// Seconds without a ping: enough for two rounds of the sweep that compacts.
const IDLE_S: usize = 120;

fn main() {
    let given = std::env::args().nth(1);
    let tags = match given.as_deref() {
        None => TAGS.full,
        Some("smoke") => TAGS.smoke,
        Some(count) => count.parse().unwrap_or(TAGS.full),
    };
    let empty = resident_bytes();
    let mut steps = ShardSteps::new(ShardSteps::ZONES.full, tags);
    report("site in force, nobody heard yet", tags, empty, &steps);
    let mut checksum = 0;
    for _ in 0..ACTIVE_ROUNDS {
        let entries = steps.next_round();
        checksum ^= steps.step(&entries);
    }
    report("all active", tags, empty, &steps);
    for _ in 0..IDLE_S {
        steps.idle();
    }
    report("after two minutes of silence", tags, empty, &steps);
    println!("checksum {checksum:016x}");
}

fn report(when: &str, tags: usize, empty: u64, steps: &ShardSteps) {
    let status = steps.shard().status();
    let resident = resident_bytes();
    let each = resident.saturating_sub(empty) / u64::try_from(tags.max(1)).unwrap_or(1);
    println!(
        "{when}: resident {} MiB in all, {each} bytes a tag with site, subject, index and the \
         benchmark's own walkers; {} hot cells, {} compacted",
        resident >> 20,
        status.hot_cell_count,
        status.cold_cell_count,
    );
}

fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) * 1_024
}
