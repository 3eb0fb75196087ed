//! Alarms that are open, with the latest word on each.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use ach_actors_entities::Effect;
use ach_actors_model::{AlarmId, AlarmKind, AlarmNotice, AlarmTransition};
use serde::{Deserialize, Serialize};

/// An open alarm and where its latest word is told: the entry, and the place among its effects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenNotice {
    /// The latest word.
    pub notice: AlarmNotice,
    /// Index of the entry.
    pub index: u64,
    /// Place among that entry's effects.
    pub ordinal: u32,
}

/// Follows the effects.
#[derive(Debug, Default)]
pub(crate) struct Board {
    open: BTreeMap<AlarmId, OpenNotice>,
    raised_by_kind: BTreeMap<AlarmKind, u64>,
    imaging: Option<Imaging>,
}

/// A checkpoint of the board that is under way: what is open changes meanwhile.
#[derive(Debug, Default)]
struct Imaging {
    /// Alarms up to this one were visited.
    done: Option<AlarmId>,
    /// What changed beyond it since the checkpoint began; not to be visited.
    changed: BTreeSet<AlarmId>,
    /// What was open of it, and is still to be told.
    copies: Vec<OpenNotice>,
    is_over: bool,
}

impl Board {
    /// A board with these alarms on it.
    pub(crate) fn restore(raised_by_kind: BTreeMap<AlarmKind, u64>) -> Board {
        Board { raised_by_kind, ..Board::default() }
    }

    /// Puts an alarm of a checkpoint on it. False if it has that one.
    pub(crate) fn put(&mut self, open: OpenNotice) -> bool {
        self.open.insert(open.notice.id, open).is_none()
    }

    /// Takes over what an entry had for effects.
    pub(crate) fn follow(&mut self, index: u64, effects: &[Effect]) {
        for (ordinal, effect) in (0..).zip(effects) {
            let Effect::Alarm(notice) = effect else { continue };
            self.copy_before_change(notice.id);
            let open = OpenNotice { notice: *notice, index, ordinal };
            match notice.transition {
                AlarmTransition::Raised => {
                    *self.raised_by_kind.entry(notice.kind).or_insert(0) += 1;
                    self.open.insert(notice.id, open);
                }
                AlarmTransition::Upheld => {
                    self.open.insert(notice.id, open);
                }
                AlarmTransition::Retracted | AlarmTransition::Cleared => {
                    self.open.remove(&notice.id);
                }
            }
        }
    }

    fn copy_before_change(&mut self, id: AlarmId) {
        let Some(imaging) = &mut self.imaging else { return };
        let is_visited = imaging.is_over || imaging.done.is_some_and(|done| id <= done);
        if !is_visited && imaging.changed.insert(id) {
            imaging.copies.extend(self.open.get(&id).copied());
        }
    }

    /// Begins an image of what is open now.
    pub(crate) fn begin_image(&mut self) {
        self.imaging = Some(Imaging::default());
    }

    /// Hands the next alarms of the image to `each`, at most `count_max`, and says how many.
    pub(crate) fn image(&mut self, count_max: usize, each: &mut dyn FnMut(&OpenNotice)) -> usize {
        let Some(imaging) = &mut self.imaging else { return 0 };
        let mut count = 0;
        while count < count_max
            && let Some(copy) = imaging.copies.pop()
        {
            each(&copy);
            count += 1;
        }
        let from = imaging.done.map_or(Bound::Unbounded, Bound::Excluded);
        let mut rest = self.open.range((from, Bound::Unbounded));
        while count < count_max && !imaging.is_over {
            let Some((&id, open)) = rest.next() else {
                imaging.is_over = true;
                break;
            };
            imaging.done = Some(id);
            // What changed costs a look as well, so it counts.
            count += 1;
            if !imaging.changed.contains(&id) {
                each(open);
            }
        }
        count
    }

    /// Whether the image is whole.
    pub(crate) fn is_imaged(&self) -> bool {
        self.imaging.as_ref().is_none_or(|imaging| imaging.is_over && imaging.copies.is_empty())
    }

    /// Ends the image, whole or not.
    pub(crate) fn end_image(&mut self) {
        self.imaging = None;
    }

    /// Open alarms by id.
    pub(crate) fn open(&self) -> impl Iterator<Item = &OpenNotice> {
        self.open.values()
    }

    /// How many are open.
    pub(crate) fn open_count(&self) -> usize {
        self.open.len()
    }

    /// How many were raised, by kind.
    pub(crate) fn raised_by_kind(&self) -> &BTreeMap<AlarmKind, u64> {
        &self.raised_by_kind
    }
}
