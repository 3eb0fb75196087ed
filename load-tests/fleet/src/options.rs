//! What can be chosen about a run.

use ach_actors_model::{NS_PER_S, Timestamp};
use serde::{Deserialize, Serialize};

use crate::radio::Noise;

/// A tag in motion or on a person reports this often.
pub const PERIOD_NS: u64 = NS_PER_S;
/// A thing at rest reports this often; its accelerometer wakes it when it is moved.
pub const STILL_PERIOD_NS: u64 = 5 * NS_PER_S;

/// Choices.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// The moment the run begins.
    #[serde(skip)]
    pub start_at: Timestamp,
    /// The locating system's faults.
    pub noise: Noise,
    /// Whether the script is played: the five opening incidents and those after them.
    pub has_incidents: bool,
    /// Mean time between later incidents; 0 is none.
    pub incident_every_ns: u64,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            start_at: Timestamp(0),
            noise: Noise::default(),
            has_incidents: true,
            incident_every_ns: 15 * NS_PER_S,
        }
    }
}
