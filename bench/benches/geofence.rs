//! Zones of a position at 1,000, 10,000 and 100,000 zones, on random positions and on walks, beside
//! tree and exact test each time.

use std::hint::black_box;
use std::time::Duration;

use ach_bench::{Geofence, Moves};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

fn geofence(criterion: &mut Criterion) {
    for zones in Geofence::ZONES {
        for moves in [Moves::Walks, Moves::Random] {
            let (tags, rounds) = (Geofence::TAGS.full, Geofence::ROUNDS.full);
            let mut workload = Geofence::new(zones.full, moves, tags, rounds);
            let answered = workload.ours();
            let count = u64::try_from(workload.position_count()).unwrap_or(u64::MAX);
            println!("{} zones, {moves:?}: {answered:?}, plain {}", zones.full, workload.plain());
            let mut group = criterion.benchmark_group(format!("geofence/{}/{moves:?}", zones.full));
            group.throughput(Throughput::Elements(count));
            group.sample_size(10).measurement_time(Duration::from_secs(3));
            group.bench_function("ours", |bench| bench.iter(|| black_box(workload.ours())));
            group.bench_function("plain", |bench| bench.iter(|| black_box(workload.plain())));
            group.finish();
        }
    }
}

criterion_group!(benches, geofence);
criterion_main!(benches);
