//! Groups of 1 to 1,024 pings made durable, beside a raw pre-zeroed file with the same groups.
//!
//! Runs below the current directory unless `ACH_BENCH_DISK` names a folder on the disk to measure;
//! `/tmp` is often no disk at all. The two are measured one after the other; where a disk's speed
//! drifts, `cargo run --release -p ach-engine-journal --example journal_rate` lets them take turns.

use std::hint::black_box;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use ach_bench::JournalGroups;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

fn journal(criterion: &mut Criterion) {
    let on = std::env::var_os("ACH_BENCH_DISK").map_or_else(|| PathBuf::from("."), PathBuf::from);
    for pings in JournalGroups::PINGS {
        let mut groups = match JournalGroups::new(&on, pings.full) {
            Ok(groups) => groups,
            Err(error) => {
                eprintln!("left out, no journal below {}: {error}", on.display());
                return;
            }
        };
        let mut group = criterion.benchmark_group(format!("journal/{}", pings.full));
        group.throughput(Throughput::Elements(u64::try_from(pings.full).unwrap_or(1)));
        group.sample_size(20).measurement_time(Duration::from_secs(3));
        group.bench_function("ours", |bench| bench.iter_custom(|count| ours(&mut groups, count)));
        group.bench_function("plain", |bench| bench.iter(|| black_box(groups.plain().ok())));
        group.finish();
        println!("{} pings a group, last {:?} {:?}", pings.full, groups.ours(), groups.plain());
    }
}

/// What that many groups take, the zeroing of segments left out.
#[expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]
fn ours(groups: &mut JournalGroups, count: u64) -> Duration {
    let mut spent = Duration::ZERO;
    for _ in 0..count {
        if let Err(error) = groups.make_ready() {
            eprintln!("a segment is begun unprepared: {error}");
        }
        let start = Instant::now();
        black_box(groups.ours().ok());
        spent += start.elapsed();
    }
    spent
}

criterion_group!(benches, journal);
criterion_main!(benches);
