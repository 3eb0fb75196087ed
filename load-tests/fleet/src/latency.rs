//! Latencies and what may be said of them.

use hdrhistogram::Histogram;
use serde::Serialize;

/// A 99th percentile of fewer samples is one of its ten worst: nothing is said below this.
const P99_SAMPLES_MIN: u64 = 1_000;
/// The same for the 99.9th.
const P99_9_SAMPLES_MIN: u64 = 100_000;
/// Latencies are kept with three digits, up to an hour.
const HIGHEST_NS: u64 = 3_600_000_000_000;

/// Many latencies.
#[derive(Debug, Clone)]
pub struct Latencies(Histogram<u64>);

/// What is reported of them, in microseconds. What too few samples cannot show is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Percentiles {
    /// Half were faster.
    pub p50: Option<f64>,
    /// 99 of 100 were faster; from 1,000 samples on.
    pub p99: Option<f64>,
    /// 999 of 1,000 were faster; from 100,000 samples on.
    pub p99_9: Option<f64>,
    /// The slowest.
    pub max: Option<f64>,
    /// How many.
    pub samples: u64,
}

impl Default for Latencies {
    fn default() -> Latencies {
        #[expect(clippy::expect_used, reason = "constant bounds that the crate accepts")]
        Latencies(Histogram::new_with_bounds(1, HIGHEST_NS, 3).expect("valid bounds"))
    }
}

impl Latencies {
    /// Adds one.
    pub fn record(&mut self, latency_ns: u64) {
        self.0.saturating_record(latency_ns.max(1));
    }

    /// Adds all of another.
    pub fn merge(&mut self, other: &Latencies) {
        // Both have the same bounds, so nothing can fall out.
        let _ = self.0.add(&other.0);
    }

    /// All of it, to be kept: percentiles of several runs can only be made from this.
    pub fn histogram(&self) -> &Histogram<u64> {
        &self.0
    }

    /// What may be said.
    pub fn percentiles(&self) -> Percentiles {
        let samples = self.0.len();
        let at = |quantile: f64, least: u64| {
            (samples >= least.max(1)).then(|| micros(self.0.value_at_quantile(quantile)))
        };
        Percentiles {
            p50: at(0.5, 1),
            p99: at(0.99, P99_SAMPLES_MIN),
            p99_9: at(0.999, P99_9_SAMPLES_MIN),
            max: at(1.0, 1),
            samples,
        }
    }
}

fn micros(ns: u64) -> f64 {
    (crate::plane::float_ns(ns) / 100.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_said_only_of_enough_samples() {
        let check = |samples: u64, has_p50, has_p99, has_p99_9| {
            let mut latencies = Latencies::default();
            (0..samples).for_each(|sample| latencies.record(1_000 * (sample + 1)));
            let said = latencies.percentiles();
            let has = (said.p50.is_some(), said.p99.is_some(), said.p99_9.is_some());
            assert_eq!(has, (has_p50, has_p99, has_p99_9), "{samples} samples");
            assert_eq!(said.samples, samples);
        };
        check(0, false, false, false);
        check(1, true, false, false);
        check(999, true, false, false);
        check(1_000, true, true, false);
        check(99_999, true, true, false);
        check(100_000, true, true, true);
    }

    #[test]
    fn values_keep_three_digits() {
        let mut latencies = Latencies::default();
        (1..=1_000).for_each(|us| latencies.record(us * 1_000));
        let said = latencies.percentiles();
        assert!((said.p50.expect("enough") - 500.0).abs() < 1.0, "{said:?}");
        assert!((said.p99.expect("enough") - 990.0).abs() < 1.5, "{said:?}");
        assert!((said.max.expect("enough") - 1_000.0).abs() < 1.5, "{said:?}");
    }
}
