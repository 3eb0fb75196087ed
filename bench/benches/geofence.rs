//! Zones of a position at 1,000, 10,000 and 100,000 zones, on random positions and on walks, beside
//! tree and exact test each time; at 10,000 zones for every kind of campus.

use std::hint::black_box;
use std::time::Duration;

use ach_bench::{Geofence, Layout, Moves};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

fn geofence(criterion: &mut Criterion) {
    for zones in Geofence::ZONES {
        for moves in [Moves::Walks, Moves::Random] {
            measure(criterion, Layout::Rooms, zones.full, moves);
        }
    }
    let [_, zones, _] = Geofence::ZONES;
    for layout in Layout::ALL.into_iter().filter(|layout| *layout != Layout::Rooms) {
        measure(criterion, layout, zones.full, Moves::Walks);
    }
}

fn measure(criterion: &mut Criterion, layout: Layout, zones: usize, moves: Moves) {
    let size = (Geofence::TAGS.full, Geofence::ROUNDS.full);
    let mut workload = Geofence::new(layout, zones, moves, size);
    let (answered, plain) = (workload.ours(), workload.plain());
    let count = u64::try_from(workload.position_count()).unwrap_or(u64::MAX);
    println!("{zones} zones, {layout:?}, {moves:?}: {answered:?}, plain {plain}");
    let mut group = criterion.benchmark_group(format!("geofence/{zones}/{layout:?}/{moves:?}"));
    group.throughput(Throughput::Elements(count));
    group.sample_size(10).measurement_time(Duration::from_secs(3));
    group.bench_function("ours", |bench| bench.iter(|| black_box(workload.ours())));
    group.bench_function("plain", |bench| bench.iter(|| black_box(workload.plain())));
    group.finish();
}

criterion_group!(benches, geofence);
criterion_main!(benches);
