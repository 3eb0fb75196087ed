//! The battery of a door: of its lock, reader or controller, whatever runs on one.

use ach_actors_model::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Arrival, Verdict};

/// What was said of the battery last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct DoorBattery {
    /// Its charge; `None` before it has told.
    percent: Option<u8>,
    /// When that was.
    reported_at: Timestamp,
}

impl DoorBattery {
    /// Its charge; `None` before it has told.
    pub(crate) fn percent(&self) -> Option<u8> {
        self.percent
    }

    /// Takes a report.
    pub(crate) fn report(&mut self, percent: u8, arrival: &Arrival) -> Verdict {
        let happened_at = arrival.happened_at();
        let percent = Some(percent.min(100));
        if self.percent.is_some() {
            if happened_at < self.reported_at {
                return Verdict::Late;
            }
            if happened_at == self.reported_at && percent == self.percent {
                return Verdict::Duplicate;
            }
        }
        *self = DoorBattery { percent, reported_at: happened_at };
        Verdict::Accepted
    }
}
