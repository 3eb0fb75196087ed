//! A straight line through points, and how sure its slope is.

use serde::Serialize;

use crate::outcome::float;

/// A slope with its standard error.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Slope {
    pub(crate) value: f64,
    pub(crate) error: f64,
}

impl Slope {
    /// The least-squares slope; none of fewer than ten points, or of points at one place.
    ///
    /// Looks at memory lie close together and resemble each other, which makes the textbook's error too
    /// small: it is widened by the correlation of neighbouring residuals, as for an AR(1) series.
    pub(crate) fn of(points: &[(f64, f64)]) -> Option<Slope> {
        if points.len() < 10 {
            return None;
        }
        let count = float(u64::try_from(points.len()).ok()?);
        let mean = |of: &dyn Fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
        let (x_mean, y_mean) = (mean(&|point| point.0), mean(&|point| point.1));
        let spread: f64 = points.iter().map(|(x, _)| (x - x_mean).powi(2)).sum();
        if spread <= 0.0 {
            return None;
        }
        let together: f64 = points.iter().map(|(x, y)| (x - x_mean) * (y - y_mean)).sum();
        let value = together / spread;
        let residuals: Vec<f64> =
            points.iter().map(|(x, y)| y - y_mean - value * (x - x_mean)).collect();
        let squares: f64 = residuals.iter().map(|residual| residual.powi(2)).sum();
        let neighbours: f64 =
            residuals.iter().zip(residuals.iter().skip(1)).map(|(one, next)| one * next).sum();
        let likeness = if squares > 0.0 { (neighbours / squares).clamp(0.0, 0.999) } else { 0.0 };
        let widened = ((1.0 + likeness) / (1.0 - likeness)).sqrt();
        let error = (squares / (count - 2.0) / spread).sqrt() * widened;
        Some(Slope { value, error })
    }

    /// The same in another unit.
    pub(crate) fn times(self, factor: f64) -> Slope {
        Slope { value: self.value * factor, error: self.error * factor }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(slope: f64, wobble: &dyn Fn(u32) -> f64) -> Slope {
        let points: Vec<(f64, f64)> = (0..1_000)
            .map(|at| (f64::from(at), 100.0 + slope * f64::from(at) + wobble(at)))
            .collect();
        Slope::of(&points).expect("a slope")
    }

    #[test]
    fn a_straight_line_has_its_slope_and_no_error() {
        let found = line(0.25, &|_| 0.0);
        assert!((found.value - 0.25).abs() < 1e-9 && found.error < 1e-9, "{found:?}");
        assert_eq!(Slope::of(&[(1.0, 1.0); 20]), None);
        assert_eq!(Slope::of(&[(1.0, 1.0), (2.0, 2.0)]), None);
    }

    #[test]
    fn a_wobble_that_lasts_makes_a_slope_less_sure_than_one_that_does_not() {
        let quick = line(0.0, &|at| if at % 2 == 0 { 1.0 } else { -1.0 });
        let slow = line(0.0, &|at| if at / 100 % 2 == 0 { 1.0 } else { -1.0 });
        assert!(slow.error > 5.0 * quick.error, "{slow:?} {quick:?}");
        assert!(slow.value.abs() <= 2.0 * slow.error, "{slow:?} is no growth");
    }
}
