//! What a tag's button and band have reported, in the order in which it happened.

use ach_actors_model::Timestamp;
use serde::{Deserialize, Serialize};

use crate::recall::Recall;
use crate::{Arrival, Verdict};

/// The states of button and band, and the latest reports.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub(crate) struct TagReports {
    buttons: Recall,
    bands: Recall,
    /// When the latest press happened.
    pressed_at: Timestamp,
    /// When the latest reset happened.
    reset_at: Timestamp,
    band_at: Timestamp,
    is_cut: bool,
}

impl TagReports {
    pub(crate) fn press(&mut self, arrival: &Arrival) -> Verdict {
        let verdict = self.button(true, arrival);
        self.pressed_at = self.pressed_at.max(arrival.happened_at());
        verdict
    }

    pub(crate) fn reset(&mut self, arrival: &Arrival) -> Verdict {
        let verdict = self.button(false, arrival);
        self.reset_at = self.reset_at.max(arrival.happened_at());
        verdict
    }

    pub(crate) fn cut(&mut self, arrival: &Arrival) -> Verdict {
        self.band(true, arrival)
    }

    pub(crate) fn mend(&mut self, arrival: &Arrival) -> Verdict {
        self.band(false, arrival)
    }

    /// Whether anything was ever reported.
    pub(crate) fn has_any(&self) -> bool {
        !self.buttons.is_empty() || !self.bands.is_empty()
    }

    /// Whether a reset of this moment came after every press.
    pub(crate) fn is_reset_by(&self, happened_at: Timestamp) -> bool {
        self.pressed_at <= happened_at
    }

    /// Whether a reset is known that happened later than every press.
    pub(crate) fn is_reset(&self) -> bool {
        self.pressed_at < self.reset_at
    }

    /// Whether the latest report of the band is that it was cut.
    pub(crate) fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// Forgets how the band stands; what was reported stays known.
    pub(crate) fn forget_band(&mut self) {
        self.is_cut = false;
    }

    fn button(&mut self, is_press: bool, arrival: &Arrival) -> Verdict {
        if self.buttons.is_repeated(is_press, arrival) {
            return Verdict::Duplicate;
        }
        if arrival.happened_at() < self.pressed_at.max(self.reset_at) {
            return Verdict::Late;
        }
        Verdict::Accepted
    }

    fn band(&mut self, is_cut: bool, arrival: &Arrival) -> Verdict {
        if self.bands.is_repeated(is_cut, arrival) {
            return Verdict::Duplicate;
        }
        let happened_at = arrival.happened_at();
        if happened_at < self.band_at {
            return Verdict::Late;
        }
        self.band_at = happened_at;
        self.is_cut = is_cut;
        Verdict::Accepted
    }
}
