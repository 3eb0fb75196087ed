//! How fast a recording is sent.

use std::time::Duration;

use crate::exit::Failure;

/// Fastest factor that still paces; above it `max` is meant.
const FACTOR_MAX: f64 = 1e6;

/// How fast.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Pace {
    /// So many times its own pace.
    Times(f64),
    /// As fast as the node takes it.
    Max,
}

impl Pace {
    /// Reads `1`, `60`, `0.5` or `max`.
    pub(super) fn parse(text: &str) -> Result<Pace, Failure> {
        if text == "max" {
            return Ok(Pace::Max);
        }
        let factor: f64 = text.parse().map_err(|_| {
            Failure::misused(format!("--speed takes a factor or `max`, not `{text}`"))
        })?;
        if factor.is_finite() && factor > 0.0 && factor <= FACTOR_MAX {
            Ok(Pace::Times(factor))
        } else {
            Err(Failure::misused(format!(
                "--speed {text} is not between 0 and {FACTOR_MAX}; try `max`"
            )))
        }
    }

    /// When, after the beginning, something recorded `recorded_ns` after the recording's beginning
    /// is to be sent.
    pub(super) fn due(self, recorded_ns: u64) -> Duration {
        match self {
            Pace::Times(factor) => Duration::from_nanos(recorded_ns).div_f64(factor),
            Pace::Max => Duration::ZERO,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pace_is_a_factor_or_max() {
        assert_eq!(Pace::parse("max").ok(), Some(Pace::Max));
        assert_eq!(Pace::parse("60").ok(), Some(Pace::Times(60.0)));
        for text in ["0", "-1", "NaN", "inf", "fast", ""] {
            assert!(Pace::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn twice_as_fast_takes_half_the_time() {
        assert_eq!(Pace::Times(2.0).due(3_000_000_000), Duration::from_millis(1_500));
        assert_eq!(Pace::Max.due(3_000_000_000), Duration::ZERO);
    }
}
