//! The shard's step for 10,000, 100,000 and a million tags on walks, with 10,000 zones and rules
//! armed, beside the plain loop over the same positions.

use std::time::Duration;

use ach_bench::{ShardSteps, stopwatch};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn shard(criterion: &mut Criterion) {
    for tags in ShardSteps::TAGS {
        let mut steps = ShardSteps::new(ShardSteps::ZONES.full, tags.full);
        for _ in 0..3 {
            let entries = steps.next_round();
            println!(
                "{} tags, checksum {:016x} {}",
                tags.full,
                steps.step(&entries),
                steps.plain()
            );
        }
        let mut group = criterion.benchmark_group(format!("shard/{}", tags.full));
        group.throughput(Throughput::Elements(u64::try_from(tags.full).unwrap_or(1)));
        group.sample_size(10).measurement_time(Duration::from_secs(5));
        group.bench_function("ours", |bench| {
            bench.iter_custom(|rounds| {
                let round = |_| {
                    let entries = steps.next_round();
                    stopwatch(|| steps.step(&entries)).0
                };
                (0..rounds).map(round).sum()
            });
        });
        group.bench_function("plain", |bench| {
            bench.iter_custom(|rounds| {
                let round = |_| {
                    steps.next_round();
                    stopwatch(|| steps.plain()).0
                };
                (0..rounds).map(round).sum()
            });
        });
        group.finish();
    }
}

criterion_group!(benches, shard);
criterion_main!(benches);
