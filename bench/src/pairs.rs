//! Measures a workload beside its plain limit in turns: on a machine whose speed drifts by two within
//! minutes, only the ratio within one round means something.

use std::time::{Duration, Instant};

use ach_load_tests_fleet::Spread;
use serde::Serialize;

/// Rounds: nine give an interval that is 96 % sure, from the second lowest to the second highest.
pub const ROUNDS: usize = 9;

/// A workload beside its limit.
#[derive(Debug, Clone, Serialize)]
pub struct Pair {
    /// What.
    pub what: String,
    /// Beside what.
    pub beside: &'static str,
    /// Nanoseconds for one, ours.
    pub ours_ns: Spread,
    /// Nanoseconds for one, the limit's.
    pub plain_ns: Spread,
    /// Ours over the limit's, round by round.
    pub ratio: Spread,
    /// What came of the work, so that none of it can be left out, and two runs can be compared.
    pub checksum: u64,
}

/// A stretch of work: how long it took, and a checksum.
pub type Timed = (Duration, u64);

/// Times one stretch of work.
#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
pub fn stopwatch(work: impl FnOnce() -> u64) -> Timed {
    let begun = Instant::now();
    let checksum = std::hint::black_box(work());
    (begun.elapsed(), checksum)
}

impl Pair {
    /// Lets both take turns on `state`, `ROUNDS` times after one that does not count. Each call
    /// does `count` of what is measured.
    pub fn measure<S>(
        what: String,
        beside: &'static str,
        count: usize,
        state: &mut S,
        mut ours: impl FnMut(&mut S) -> Timed,
        mut plain: impl FnMut(&mut S) -> Timed,
    ) -> Option<Pair> {
        let (mut ours_ns, mut plain_ns) = (Vec::new(), Vec::new());
        let mut checksum = 0_u64;
        for round in 0..=ROUNDS {
            let (our_time, our_sum) = ours(state);
            let (plain_time, _) = plain(state);
            checksum = checksum.rotate_left(1) ^ our_sum;
            if round > 0 {
                ours_ns.push(each_ns(our_time, count));
                plain_ns.push(each_ns(plain_time, count));
            }
        }
        let ratios = ours_ns.iter().zip(&plain_ns).map(|(ours, plain)| ours / plain).collect();
        Some(Pair {
            what,
            beside,
            ours_ns: Spread::of(ours_ns)?,
            plain_ns: Spread::of(plain_ns)?,
            ratio: Spread::of(ratios)?,
            checksum,
        })
    }

    /// A line of a table.
    pub fn line(&self) -> String {
        let Pair { what, beside, ours_ns, plain_ns, ratio, checksum } = self;
        format!(
            "{what:<34} {:>10.1} ns {:>12.0}/s   {beside:<20} {:>10.1} ns   ratio {:.2} \
             ({:.2} to {:.2})   checksum {checksum:016x}",
            ours_ns.median,
            1e9 / ours_ns.median,
            plain_ns.median,
            ratio.median,
            ratio.low,
            ratio.high
        )
    }
}

fn each_ns(time: Duration, count: usize) -> f64 {
    time.as_secs_f64() * 1e9 / u32::try_from(count.max(1)).map_or(f64::INFINITY, f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_is_the_median_of_its_rounds_without_the_first() {
        let mut round = 0;
        let ours = |round: &mut u64| {
            *round += 1;
            // The round that warms up is a hundred times slower.
            (Duration::from_micros(if *round == 1 { 20_000 } else { 200 }), *round)
        };
        let plain = |_: &mut u64| (Duration::from_micros(100), 0);
        let pair = Pair::measure("work".to_owned(), "limit", 1_000, &mut round, ours, plain);
        let pair = pair.expect("nine rounds");
        assert_eq!(round, 10);
        assert!((pair.ours_ns.median - 200.0).abs() < 0.01, "{pair:?}");
        assert!((pair.ours_ns.high - 200.0).abs() < 0.01, "{pair:?}");
        assert!((pair.ratio.median - 2.0).abs() < 0.01, "{pair:?}");
        assert!(pair.line().contains("5000000/s"), "{}", pair.line());
    }
}
