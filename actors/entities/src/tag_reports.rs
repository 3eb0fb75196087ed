//! What a tag's button and band have reported, in the order in which it happened.

use ach_actors_model::Timestamp;
use smallvec::SmallVec;

use crate::Verdict;

/// Reports remembered to tell repeated ones: a vendor that starts anew sends again what it has not
/// seen acknowledged, of one tag a few.
const REPORT_COUNT_MAX: usize = 8;

/// The states of button and band, and the latest reports.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(crate) struct TagReports {
    /// The latest to arrive, the oldest first.
    latest: SmallVec<[(Word, Timestamp); REPORT_COUNT_MAX]>,
    /// When the latest report of the button happened.
    button_at: Timestamp,
    /// When the latest press happened.
    pressed_at: Timestamp,
    band_at: Timestamp,
    is_cut: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Word {
    Pressed,
    Reset,
    Cut,
    Whole,
}

impl TagReports {
    pub(crate) fn press(&mut self, happened_at: Timestamp) -> Verdict {
        self.pressed_at = self.pressed_at.max(happened_at);
        self.button(Word::Pressed, happened_at)
    }

    pub(crate) fn reset(&mut self, happened_at: Timestamp) -> Verdict {
        self.button(Word::Reset, happened_at)
    }

    pub(crate) fn cut(&mut self, happened_at: Timestamp) -> Verdict {
        self.band(Word::Cut, happened_at)
    }

    pub(crate) fn mend(&mut self, happened_at: Timestamp) -> Verdict {
        self.band(Word::Whole, happened_at)
    }

    /// Whether a reset of this moment came after every press.
    pub(crate) fn is_reset_by(&self, happened_at: Timestamp) -> bool {
        self.pressed_at <= happened_at
    }

    /// Whether the latest report of the band is that it was cut.
    pub(crate) fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// Forgets how button and band stand; what was reported stays known.
    pub(crate) fn forget_states(&mut self) {
        self.is_cut = false;
    }

    fn button(&mut self, word: Word, happened_at: Timestamp) -> Verdict {
        if self.is_repeated(word, happened_at) {
            return Verdict::Duplicate;
        }
        if happened_at < self.button_at {
            return Verdict::Late;
        }
        self.button_at = happened_at;
        Verdict::Accepted
    }

    fn band(&mut self, word: Word, happened_at: Timestamp) -> Verdict {
        if self.is_repeated(word, happened_at) {
            return Verdict::Duplicate;
        }
        if happened_at < self.band_at {
            return Verdict::Late;
        }
        self.band_at = happened_at;
        self.is_cut = word == Word::Cut;
        Verdict::Accepted
    }

    /// Whether the report is known; remembers it if not.
    fn is_repeated(&mut self, word: Word, happened_at: Timestamp) -> bool {
        let report = (word, happened_at);
        if self.latest.contains(&report) {
            return true;
        }
        if self.latest.len() == REPORT_COUNT_MAX {
            self.latest.remove(0);
        }
        self.latest.push(report);
        false
    }
}
