//! A histogram of fixed buckets: two relaxed additions a value, read by whoever asks.

use std::sync::atomic::{AtomicU64, Ordering};

/// Bounds of latencies, in nanoseconds: three a decade from 10 µs to 10 s. Below 10 µs the clock's own
/// cost shows, above 10 s an operator has been called long since.
pub const LATENCY_NS: &[u64] = &[
    10_000,
    25_000,
    50_000,
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    25_000_000,
    50_000_000,
    100_000_000,
    250_000_000,
    500_000_000,
    1_000_000_000,
    2_500_000_000,
    5_000_000_000,
    10_000_000_000,
];

/// Bounds of how many entries one sync made durable.
pub const GROUP_ENTRIES: &[u64] = &[1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024, 4_096];

/// How often values fell between bounds, and their sum.
#[derive(Debug)]
pub struct Histogram {
    bounds: &'static [u64],
    /// One more than there are bounds: the last is for what lies above them all.
    buckets: Box<[AtomicU64]>,
    sum: AtomicU64,
}

impl Histogram {
    /// An empty one. `bounds` ascend; each is the largest value of its bucket.
    pub fn new(bounds: &'static [u64]) -> Histogram {
        let buckets = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Histogram { bounds, buckets, sum: AtomicU64::new(0) }
    }

    /// Counts a value.
    pub fn record(&self, value: u64) {
        let bucket = self.bounds.partition_point(|&bound| bound < value);
        if let Some(bucket) = self.buckets.get(bucket) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
        self.sum.fetch_add(value, Ordering::Relaxed);
    }

    /// The bounds with how many values were at most that, ascending.
    pub fn cumulative(&self) -> Vec<(u64, u64)> {
        let mut total = 0;
        let counted = self.bounds.iter().zip(&self.buckets);
        counted
            .map(|(&bound, bucket)| {
                total += bucket.load(Ordering::Relaxed);
                (bound, total)
            })
            .collect()
    }

    /// How many values were counted.
    pub fn count(&self) -> u64 {
        self.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed)).sum()
    }

    /// Their sum.
    pub fn sum(&self) -> u64 {
        self.sum.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_counts_for_its_own_bound_and_all_above() {
        let histogram = Histogram::new(&[10, 20]);
        for value in [0, 10, 11, 20, 21, u64::from(u32::MAX)] {
            histogram.record(value);
        }
        assert_eq!(histogram.cumulative(), [(10, 2), (20, 4)]);
        assert_eq!(histogram.count(), 6);
        assert_eq!(histogram.sum(), 62 + u64::from(u32::MAX));
    }

    #[test]
    fn bounds_ascend() {
        assert!(LATENCY_NS.is_sorted() && GROUP_ENTRIES.is_sorted());
    }
}
