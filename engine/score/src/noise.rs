//! What a locating system gets wrong, as plain numbers.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The faults of a locating system. The default is fitted to a recording of one UWB tag;
/// `docs/specs/score.md` says which, and how each number was got.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Noise {
    /// Deviation of each coordinate, each ping by itself.
    pub sigma_mm: f64,
    /// Deviation of what wanders slowly, in each coordinate.
    pub drift_mm: f64,
    /// How long that is remembered.
    pub drift_memory_s: f64,
    /// Deviation of the bias across a wall, of one who stands at it.
    pub wall_mm: f64,
    /// Where that has faded away.
    pub wall_reach_mm: f64,
    /// How long that bias is remembered.
    pub wall_memory_s: f64,
    /// Share of pings with which a jump begins.
    pub jump_begins: f64,
    /// Share of jumps that last for one ping more, asked each ping.
    pub jump_goes_on: f64,
    /// Half of all jumps go further.
    pub jump_median_mm: f64,
    /// Deviation of the logarithm of how far jumps go.
    pub jump_spread: f64,
    /// Share of pings that are lost after one that was heard.
    pub loss_begins: f64,
    /// Share of pings that are lost after one that was lost.
    pub loss_goes_on: f64,
    /// How often an hour a tag is not heard for longer.
    pub gaps_per_hour: f64,
    /// For how long, on average.
    pub gap_mean_s: f64,
}

impl Default for Noise {
    fn default() -> Noise {
        Noise {
            sigma_mm: 80.0,
            drift_mm: 100.0,
            drift_memory_s: 20.0,
            wall_mm: 340.0,
            wall_reach_mm: 1_000.0,
            wall_memory_s: 45.0,
            jump_begins: 0.016,
            jump_goes_on: 0.125,
            jump_median_mm: 650.0,
            jump_spread: 0.8,
            loss_begins: 0.20,
            loss_goes_on: 0.14,
            gaps_per_hour: 1.0,
            gap_mean_s: 15.0,
        }
    }
}

/// A number that no noise can have.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
#[error("`{field}` is {value}; {wanted}")]
pub struct NoiseError {
    field: &'static str,
    value: f64,
    wanted: &'static str,
}

/// Further than this nothing errs: a kilometre is more than any site is wide.
const FAR: f64 = 1_000_000.0;

impl Noise {
    /// A locating system that errs in nothing.
    pub const NONE: Noise = Noise {
        sigma_mm: 0.0,
        drift_mm: 0.0,
        drift_memory_s: 1.0,
        wall_mm: 0.0,
        wall_reach_mm: 0.0,
        wall_memory_s: 1.0,
        jump_begins: 0.0,
        jump_goes_on: 0.0,
        jump_median_mm: 0.0,
        jump_spread: 0.0,
        loss_begins: 0.0,
        loss_goes_on: 0.0,
        gaps_per_hour: 0.0,
        gap_mean_s: 0.0,
    };

    /// Finds the first number that none can have.
    ///
    /// # Errors
    ///
    /// Which it is, and what it may be.
    pub fn check(&self) -> Result<(), NoiseError> {
        let sizes = [
            ("sigma_mm", self.sigma_mm),
            ("drift_mm", self.drift_mm),
            ("wall_mm", self.wall_mm),
            ("wall_reach_mm", self.wall_reach_mm),
            ("jump_median_mm", self.jump_median_mm),
            ("jump_spread", self.jump_spread),
            ("gaps_per_hour", self.gaps_per_hour),
            ("gap_mean_s", self.gap_mean_s),
        ];
        let memories =
            [("drift_memory_s", self.drift_memory_s), ("wall_memory_s", self.wall_memory_s)];
        let shares = [
            ("jump_begins", self.jump_begins),
            ("jump_goes_on", self.jump_goes_on),
            ("loss_begins", self.loss_begins),
            ("loss_goes_on", self.loss_goes_on),
        ];
        let is_size = |value: f64| (0.0..=FAR).contains(&value);
        let is_memory = |value: f64| value > 0.0 && value <= FAR;
        // One ping in ten at least comes through, so that there is something to judge.
        let is_share = |value: f64| (0.0..=0.9).contains(&value);
        check(&sizes, is_size, "it may be from 0 to 1000000")?;
        check(&memories, is_memory, "it must be above 0, and at most 1000000")?;
        check(&shares, is_share, "it is a share and may be from 0 to 0.9")
    }
}

fn check(
    fields: &[(&'static str, f64)],
    is_sound: impl Fn(f64) -> bool,
    wanted: &'static str,
) -> Result<(), NoiseError> {
    let wrong = fields.iter().find(|&&(_, value)| !is_sound(value));
    wrong.map_or(Ok(()), |&(field, value)| Err(NoiseError { field, value, wanted }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_is(noise: Noise, expected: Option<&str>) {
        let said = noise.check().err().map(|error| error.to_string());
        assert_eq!(said.as_deref(), expected);
    }

    #[test]
    fn numbers_that_no_noise_has_are_told() {
        let fitted = Noise::default();
        check_is(fitted, None);
        check_is(Noise::NONE, None);
        check_is(
            Noise { sigma_mm: -1.0, ..fitted },
            Some("`sigma_mm` is -1; it may be from 0 to 1000000"),
        );
        check_is(
            Noise { wall_memory_s: 0.0, ..fitted },
            Some("`wall_memory_s` is 0; it must be above 0, and at most 1000000"),
        );
        check_is(
            Noise { loss_begins: 1.0, ..fitted },
            Some("`loss_begins` is 1; it is a share and may be from 0 to 0.9"),
        );
        check_is(
            Noise { gap_mean_s: f64::NAN, ..fitted },
            Some("`gap_mean_s` is NaN; it may be from 0 to 1000000"),
        );
    }
}
