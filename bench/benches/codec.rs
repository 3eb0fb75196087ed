//! Pings to bytes and back, beside a copy of the same bytes.

use std::hint::black_box;

use ach_bench::PingCodec;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

fn codec(criterion: &mut Criterion) {
    let mut codec = PingCodec::new(PingCodec::PINGS.full);
    let count = u64::try_from(codec.ping_count()).unwrap_or(u64::MAX);
    println!("{count} pings, checksums {} {}", codec.encode_wire(), codec.decode_wire());
    let mut group = criterion.benchmark_group("codec");
    group.throughput(Throughput::Elements(count));
    group.bench_function("encode wire", |bench| bench.iter(|| black_box(codec.encode_wire())));
    group.bench_function("decode wire", |bench| bench.iter(|| black_box(codec.decode_wire())));
    group.bench_function("encode entry", |bench| bench.iter(|| black_box(codec.encode_entry())));
    group.bench_function("decode entry", |bench| bench.iter(|| black_box(codec.decode_entry())));
    group.bench_function("plain copy", |bench| bench.iter(|| black_box(codec.copy())));
    group.finish();
}

criterion_group!(benches, codec);
criterion_main!(benches);
