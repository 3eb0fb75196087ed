//! Buttons, bands and doors: which of their words count, and what they raise.

use std::collections::VecDeque;

use ach_actors_model::{NS_PER_MS, NS_PER_S, ReportKind, Timestamp};

use super::Notice;
use super::episode::{Cause, Episodes, Moment, Place};

/// Words of which a repetition is known by its content (`docs/specs/acks.md`).
const REMEMBERED: usize = 8;

/// A pass may be stamped so much later than the opening it covers.
const PASS_SKEW_NS: u64 = 100 * NS_PER_MS;

/// A door that says once more that it opened, after so long, was closed meanwhile.
const SAME_OPENING_NS: u64 = 600 * NS_PER_S;

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
    pub episodes: &'a mut Episodes,
    pub notices: &'a mut Vec<Notice>,
}

impl Told<'_> {
    fn moment(&self) -> Moment {
        Moment { index: self.index, since: self.stamped_at, input: Some(self.input) }
    }

    fn raise(&mut self, rule: &'static str, who: Option<u32>, place: Place) {
        self.episodes.raise(rule, who, place, self.moment(), self.notices);
    }

    fn end(&mut self, rule: &'static str, who: Option<u32>, place: Place) {
        self.episodes.end(rule, who, place, self.moment(), self.notices);
    }
}

/// The latest words of a device with two.
#[derive(Debug, Default)]
struct Words(VecDeque<(Timestamp, u32, bool)>);

impl Words {
    fn is_repeated(&mut self, is_on: bool, told: &Told<'_>) -> bool {
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

/// A door.
#[derive(Debug, Default)]
pub(super) struct DoorFacts {
    words: Words,
    is_open: Option<bool>,
    told_at: Option<Timestamp>,
    opened_at: Option<Timestamp>,
    /// When the opening was that the open alarm is about.
    forced_at: Option<Timestamp>,
    passes: Vec<(Timestamp, Timestamp)>,
}

impl DoorFacts {
    pub(super) fn take(&mut self, door: u32, kind: ReportKind, told: &mut Told<'_>) {
        let place = Place::Door(door);
        let happened_at = told.happened_at;
        match kind {
            ReportKind::AccessGranted { valid_ms, .. } => {
                let until = happened_at.plus_ns(u64::from(valid_ms) * NS_PER_MS);
                self.passes.push((happened_at, until));
                if self.forced_at.is_some_and(|at| self.is_covered(at)) {
                    told.end("forced", None, place);
                }
            }
            ReportKind::DoorClosed { .. } => {
                let is_late = self.is_late(happened_at);
                if self.words.is_repeated(false, told) || is_late {
                    return;
                }
                self.told_at = Some(happened_at);
                if self.is_open.replace(false) != Some(false) {
                    told.end("forced", None, place);
                }
            }
            ReportKind::DoorOpened { .. } => self.open(place, told),
            _ => {}
        }
    }

    fn is_late(&self, happened_at: Timestamp) -> bool {
        self.told_at.is_some_and(|told_at| happened_at < told_at)
    }

    fn is_covered(&self, at: Timestamp) -> bool {
        let is_over = |(from, until): &(Timestamp, Timestamp)| {
            *from <= at.plus_ns(PASS_SKEW_NS) && at <= *until
        };
        self.passes.iter().any(is_over)
    }

    fn open(&mut self, place: Place, told: &mut Told<'_>) {
        let happened_at = told.happened_at;
        let (was_open, before_at) = (self.is_open == Some(true), self.told_at);
        let is_late = self.is_late(happened_at);
        if self.words.is_repeated(true, told) {
            return;
        }
        if is_late {
            let is_known = self.opened_at.is_some_and(|known_at| known_at < happened_at);
            if was_open && is_known {
                return;
            }
        } else {
            self.is_open = Some(true);
            self.told_at = Some(happened_at);
            if was_open {
                let since_ns = before_at.map_or(0, |before_at| happened_at.since_ns(before_at));
                if since_ns <= SAME_OPENING_NS {
                    return;
                }
                told.end("forced", None, place);
            }
        }
        self.opened_at = self.opened_at.max(Some(happened_at));
        if !self.is_covered(happened_at) {
            self.forced_at = Some(happened_at);
            told.raise("forced", None, place);
        }
        if self.is_open != Some(true) {
            told.end("forced", None, place);
        }
    }
}
