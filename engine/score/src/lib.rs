//! Scores a site's rules on walks whose truth is known.
//!
//! People of the site walk about its zones: they rest, keep to the walls, leave and come back. What a locating
//! system makes of where they are ([`Noise`]) is heard by three judges: the plain inside or outside test of each
//! ping, a fence of omlox, and the product itself, a shard with the site's own gates and rules. What each of
//! them says is held against the truth: false transitions for an hour of a tag, missed ones, and delays.
//!
//! Pure: a seed gives the same score everywhere. What is counted, and how, is in `docs/specs/score.md`.

mod casting;
mod chance;
mod ground;
mod interval;
mod life;
mod matching;
mod noise;
mod number;
mod omlox;
#[cfg(test)]
mod planted;
mod product;
mod radio;
mod round;
mod score;
mod scoring;
mod stay;
mod totals;
mod walker;

pub use ground::Side;
pub use interval::Ratio;
pub use matching::{Delay, LATE_NS, Marks, NEAR_NS, Report, matched};
pub use noise::{Noise, NoiseError};
pub use omlox::OmloxFence;
pub use score::{
    Contest, EXTRA_PINGS_MAX, Extra, Held, Judged, RATIO_MAX, SOON_PERCENT_MIN, Score,
};
pub use scoring::{HOURS_MAX, Options, ScoreError, score};
pub use stay::{CLEAR_IN_MM, CLEAR_OUT_MM, CLEAR_S, Stay};
