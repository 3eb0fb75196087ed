//! A contact with two states: a door's position, its lock, a tamper contact.

use ach_actors_model::Timestamp;
use serde::{Deserialize, Serialize};

use crate::recall::Recall;
use crate::{Arrival, Verdict};

/// What a contact has said, in the order in which it happened.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Switch {
    /// Open, drawn back, tampered with or lost; `None` before the first report.
    is_on: Option<bool>,
    /// When the latest report happened.
    reported_at: Timestamp,
    recall: Recall,
}

impl Switch {
    /// Its state; `None` before it has told.
    pub(crate) fn is_on(&self) -> Option<bool> {
        self.is_on
    }

    /// When what it said last happened.
    pub(crate) fn reported_at(&self) -> Timestamp {
        self.reported_at
    }

    /// Takes a report: duplicate if it is sent again, late if it is older than the latest.
    pub(crate) fn report(&mut self, is_on: bool, arrival: &Arrival) -> Verdict {
        if self.recall.is_repeated(is_on, arrival) {
            return Verdict::Duplicate;
        }
        let happened_at = arrival.happened_at();
        if self.is_on.is_some() && happened_at < self.reported_at {
            return Verdict::Late;
        }
        self.is_on = Some(is_on);
        self.reported_at = happened_at;
        Verdict::Accepted
    }

    /// What follows from something else that happened, unless it said otherwise since.
    pub(crate) fn infer(&mut self, is_on: bool, happened_at: Timestamp) {
        if self.reported_at <= happened_at {
            self.is_on = Some(is_on);
            self.reported_at = happened_at;
        }
    }
}
