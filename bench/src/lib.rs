//! Benchmarks, each beside its plain limit. See `benches/`.
