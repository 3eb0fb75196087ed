//! How sure a ratio of two counts is.
//!
//! False transitions come in clusters: whoever stands at a wall with a bias makes ten, and the others none. So
//! counts are not Poisson, and whole lives are drawn anew (a bootstrap), each with what all judges made of it.
//! Where the count on top is so small that few draws have any of it, that says too little: the upper end is at
//! least the one that a Poisson count of so many has.

use crate::chance::Chance;
use crate::number::{count, float};

/// So often all lives are drawn anew: the ends of the interval are the 50th and the 1,950th of them.
const DRAWS: usize = 2_000;
/// What is left out at either end of the interval: 2.5 %.
const TAIL: usize = 50;
/// As many deviations of a normal distribution.
const TAIL_DEVIATIONS: f64 = 1.96;
/// Draws are a stream of their own, beyond those of lives.
const STREAM: u64 = u64::MAX;

/// A ratio with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ratio {
    /// As it was seen.
    pub is: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Ratio {
    /// The ratio of two sums over the same lives: pairs of the count on top and the one below. `None` if
    /// nothing is below.
    pub fn of(pairs: &[(u64, u64)], seed: u64) -> Option<Ratio> {
        let (top, below) = sums(pairs.iter());
        if below == 0 {
            return None;
        }
        let mut chance = Chance::new(seed, STREAM);
        let mut draws = Vec::with_capacity(DRAWS);
        for _ in 0..DRAWS {
            let anew = (0..pairs.len()).filter_map(|_| chance.pick(pairs));
            let (top, below) = sums(anew);
            // A draw with nothing below says nothing.
            if below > 0 {
                draws.push(float(top) / float(below));
            }
        }
        draws.sort_by(f64::total_cmp);
        let is = float(top) / float(below);
        let end = |at: usize| draws.get(at).copied().unwrap_or(is);
        let high = end(draws.len().saturating_sub(TAIL + 1)).max(poisson_high(top) / float(below));
        Some(Ratio { is, low: end(TAIL.min(draws.len() / 2)), high })
    }
}

fn sums<'a>(pairs: impl Iterator<Item = &'a (u64, u64)>) -> (u64, u64) {
    pairs.fold((0, 0), |sum, pair| (sum.0 + pair.0, sum.1 + pair.1))
}

/// The upper end of the interval of a Poisson count (Wilson and Hilferty; within 1 % of the exact one).
fn poisson_high(seen: u64) -> f64 {
    let next = float(seen) + 1.0;
    next * (1.0 - 1.0 / (9.0 * next) + TAIL_DEVIATIONS / (3.0 * next.sqrt())).powi(3)
}

/// A part of a whole, in order: the value below which that share of all lies.
pub(crate) fn percentile<T: Copy>(sorted: &[T], percent: usize) -> Option<T> {
    let last = sorted.len().checked_sub(1)?;
    sorted.get((sorted.len() * percent).div_ceil(100).saturating_sub(1).min(last)).copied()
}

/// The mean.
pub(crate) fn mean(of: impl ExactSizeIterator<Item = f64>) -> Option<f64> {
    let length = count(of.len());
    (length > 0).then(|| of.sum::<f64>() / float(length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_upper_end_of_a_count_is_poissons() {
        // Exact: half the 97.5 % point of chi-squared with 2 (n + 1) degrees of freedom.
        for (seen, exact) in [(0, 3.689), (1, 5.572), (5, 11.668), (20, 30.888), (100, 121.627)] {
            let found = poisson_high(seen);
            assert!((found - exact).abs() < 0.01 * exact, "{seen}: {found} for {exact}");
        }
    }

    #[test]
    fn an_interval_holds_what_it_is_of_and_narrows_with_more_of_it() {
        let pairs = |lives: u64| (0..lives).map(|life| (u64::from(life % 10 == 0), 10));
        let few: Vec<(u64, u64)> = pairs(50).collect();
        let many: Vec<(u64, u64)> = pairs(5_000).collect();
        let (few, many) = (Ratio::of(&few, 1).unwrap(), Ratio::of(&many, 1).unwrap());
        for ratio in [few, many] {
            assert!((ratio.is - 0.01).abs() < 1e-9, "{ratio:?}");
            assert!(ratio.low < 0.01 && 0.01 < ratio.high, "{ratio:?}");
        }
        assert!(many.high - many.low < (few.high - few.low) / 5.0, "{few:?} {many:?}");
        // One in ten of 5,000: a deviation of 21 of 500.
        assert!((many.high - 0.010_84).abs() < 0.000_3, "{many:?}");
    }

    #[test]
    fn clusters_widen_it_and_none_at_all_is_not_certainty() {
        let even: Vec<(u64, u64)> = vec![(1, 10); 100];
        let mut clustered = vec![(0, 10); 99];
        clustered.push((100, 10));
        let (even, clustered) = (Ratio::of(&even, 1).unwrap(), Ratio::of(&clustered, 1).unwrap());
        assert!(clustered.high > 2.0 * even.high, "{even:?} {clustered:?}");
        let none = Ratio::of(&[(0, 10); 100], 1).unwrap();
        assert!(none.is == 0.0 && (none.high - 0.003_69).abs() < 0.000_05, "{none:?}");
        assert_eq!(Ratio::of(&[(0, 0); 100], 1), None);
        assert_eq!(Ratio::of(&[], 1), None);
    }

    #[test]
    fn the_interval_of_chance_holds_the_truth_as_often_as_it_says() {
        // Lives with a false transition each in one of twelve, and ten below.
        let mut chance = Chance::new(42, 0);
        let holding = (0..200).filter(|seed| {
            let life = |_| (u64::from(chance.happens(1.0 / 12.0)), 10);
            let pairs: Vec<(u64, u64)> = (0..300).map(life).collect();
            let ratio = Ratio::of(&pairs, *seed).unwrap();
            ratio.low <= 1.0 / 120.0 && 1.0 / 120.0 <= ratio.high
        });
        let held = holding.count();
        assert!(held >= 180, "{held} of 200, seed 42");
    }

    #[test]
    fn percentiles_are_members() {
        assert_eq!(percentile(&[1, 2, 3, 4], 50), Some(2));
        assert_eq!(percentile(&[1, 2, 3, 4], 95), Some(4));
        assert_eq!(percentile(&[7], 50), Some(7));
        assert_eq!(percentile::<u8>(&[], 50), None);
    }
}
