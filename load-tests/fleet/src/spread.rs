//! What several runs say together: a median, and how sure it is.

use serde::Serialize;

/// How sure an interval must be, if the number of runs allows it.
const COVERAGE_MIN: f64 = 0.95;

/// A median over runs, with an interval that holds the true median.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// The lower end.
    pub low: f64,
    /// The middle run; with an even number the worse of the two in the middle is not known, so it
    /// is their mean.
    pub median: f64,
    /// The upper end.
    pub high: f64,
    /// How sure the interval is, from order statistics: no shape is assumed.
    pub coverage: f64,
}

impl Spread {
    /// The spread of values; none of no values.
    pub fn of(mut values: Vec<f64>) -> Option<Spread> {
        values.sort_by(f64::total_cmp);
        let count = values.len();
        let middle = (values.get(count.checked_sub(1)? / 2)?, values.get(count / 2)?);
        let trimmed =
            (0..=count / 2).rev().find(|&trimmed| coverage(count, trimmed) >= COVERAGE_MIN);
        let trimmed = trimmed.unwrap_or(0);
        Some(Spread {
            low: *values.get(trimmed)?,
            median: f64::midpoint(*middle.0, *middle.1),
            high: *values.get(count - 1 - trimmed)?,
            coverage: coverage(count, trimmed),
        })
    }
}

/// How likely the true median lies between the `trimmed`th lowest and highest, counted from nought:
/// one less twice the chance that at most so many of `count` fair coins show heads.
fn coverage(count: usize, trimmed: usize) -> f64 {
    let mut chance = 1.0;
    (0..count).for_each(|_| chance /= 2.0);
    let mut sum = 0.0;
    let mut left = count;
    for heads in 0..=trimmed {
        sum += chance;
        chance *= float(left) / float(heads + 1);
        left = left.saturating_sub(1);
    }
    1.0 - 2.0 * sum
}

fn float(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::INFINITY, f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nine_runs_give_the_interval_from_the_second_to_the_eighth() {
        let values = vec![9.0, 1.0, 5.0, 2.0, 8.0, 3.0, 7.0, 4.0, 6.0];
        let spread = Spread::of(values).expect("nine values");
        assert_eq!((spread.low, spread.median, spread.high), (2.0, 5.0, 8.0));
        assert!((spread.coverage - 0.961).abs() < 0.001, "{spread:?}");
    }

    #[test]
    fn few_runs_give_their_whole_range_and_say_how_little_it_means() {
        let check = |values: Vec<f64>, expected: (f64, f64, f64), sure: f64| {
            let spread = Spread::of(values).expect("values");
            assert_eq!((spread.low, spread.median, spread.high), expected);
            assert!((spread.coverage - sure).abs() < 0.001, "{spread:?}");
        };
        check(vec![3.0], (3.0, 3.0, 3.0), 0.0);
        check(vec![1.0, 2.0], (1.0, 1.5, 2.0), 0.5);
        check(vec![1.0, 2.0, 3.0], (1.0, 2.0, 3.0), 0.75);
        assert_eq!(Spread::of(Vec::new()), None);
    }
}
