//! Buttons and bands: which of their words count, and what they raise.

use std::collections::VecDeque;

use ach_actors_model::{ReportKind, Timestamp};

use super::Notice;
use super::episode::{Cause, Episodes, Moment, Place};

/// Words of which a repetition is known by its content (`docs/specs/acks.md`).
const REMEMBERED: usize = 8;

/// One word of a device, and where what follows from it goes.
pub(super) struct Told<'a> {
    /// By the device's clock.
    pub stamped_at: Timestamp,
    /// By the device's clock, at most when it arrived.
    pub happened_at: Timestamp,
    pub epoch: u32,
    /// What it is.
    pub input: Cause,
    pub index: u64,
    /// Of the entry.
    pub now: Timestamp,
    pub episodes: &'a mut Episodes,
    pub notices: &'a mut Vec<Notice>,
}

impl Told<'_> {
    pub(super) fn moment(&self) -> Moment {
        Moment { index: self.index, since: self.stamped_at, input: Some(self.input) }
    }

    pub(super) fn raise(&mut self, rule: &'static str, who: Option<u32>, place: Place) {
        self.episodes.raise(rule, who, place, self.moment(), self.notices);
    }

    pub(super) fn end(&mut self, rule: &'static str, who: Option<u32>, place: Place) {
        self.episodes.end(rule, who, place, self.moment(), self.notices);
    }
}

/// The latest words of a device with two.
#[derive(Debug, Default)]
pub(super) struct Words(VecDeque<(Timestamp, u32, bool)>);

impl Words {
    pub(super) fn is_repeated(&mut self, is_on: bool, told: &Told<'_>) -> bool {
        let same: Vec<_> = self.0.iter().filter(|word| word.0 == told.stamped_at).collect();
        let is_next = same.last().is_some_and(|word| word.2 != is_on && word.1 == told.epoch);
        if !is_next && same.iter().any(|word| word.2 == is_on) {
            return true;
        }
        if self.0.len() == REMEMBERED {
            self.0.pop_front();
        }
        self.0.push_back((told.stamped_at, told.epoch, is_on));
        false
    }
}

/// Button and band of a tag.
#[derive(Debug, Default)]
pub(super) struct TagFacts {
    buttons: Words,
    bands: Words,
    pressed_at: Option<Timestamp>,
    reset_at: Option<Timestamp>,
    band_at: Option<Timestamp>,
    is_cut: bool,
}

impl TagFacts {
    /// Takes a word. Returns whether it was a sign of life.
    pub(super) fn take(&mut self, tag: u32, kind: ReportKind, told: &mut Told<'_>) -> bool {
        let place = Place::Tag(tag);
        let happened_at = Some(told.happened_at);
        match kind {
            ReportKind::ButtonPressed { .. } => {
                if self.buttons.is_repeated(true, told) {
                    return false;
                }
                self.pressed_at = self.pressed_at.max(happened_at);
                told.raise("duress", Some(tag), place);
                if self.reset_at > self.pressed_at {
                    told.end("duress", Some(tag), place);
                }
            }
            ReportKind::ButtonReset { .. } => {
                if self.buttons.is_repeated(false, told) {
                    return false;
                }
                self.reset_at = self.reset_at.max(happened_at);
                if self.pressed_at <= happened_at {
                    told.end("duress", Some(tag), place);
                }
            }
            ReportKind::BandCut { .. } | ReportKind::BandWhole { .. } => {
                let is_cut = matches!(kind, ReportKind::BandCut { .. });
                if self.bands.is_repeated(is_cut, told) {
                    return false;
                }
                if happened_at >= self.band_at {
                    self.band_at = happened_at;
                    self.is_cut = is_cut;
                }
                if is_cut {
                    told.raise("band", Some(tag), place);
                }
                if !self.is_cut {
                    told.end("band", Some(tag), place);
                }
            }
            _ => {}
        }
        true
    }
}
