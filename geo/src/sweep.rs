//! One look at all that lies round a position: who is entered, what is still so, and how far round
//! about nothing changes.

use crate::cell_grid::Cell;
use crate::crossing::Crossing;
use crate::membership::{Membership, shows_entry};
use crate::occupancy::Members;
use crate::safe_box::BoxCutter;
use crate::stay::Stays;
use crate::storey::{Storey, ZoneEntry};
use crate::{Observation, WatchIndex};

/// A pass over what lies round a position, in two halves: first what holds the position, then,
/// once the members have taken it, what else limits the box.
pub(crate) struct Sweep<'a> {
    pub(crate) index: &'a WatchIndex,
    pub(crate) seen: &'a Observation,
    pub(crate) members: &'a mut Members,
    pub(crate) stays: &'a mut Stays,
    pub(crate) out: &'a mut Vec<Crossing>,
    /// Members that the position was found to leave as they are, by their place.
    pub(crate) quiet: u64,
    pub(crate) cutter: BoxCutter,
}

impl Sweep<'_> {
    /// Takes a watch whose box holds the position.
    #[inline]
    pub(crate) fn meet(&mut self, entry: &ZoneEntry) {
        let at = self.members.iter().position(|member| member.ordinal == entry.ordinal());
        if entry.is_filled() {
            if entry.is_clear() {
                self.cutter.fill(&entry.bounds);
            } else if !self.cutter.is_done() {
                self.cutter.stay_within(&entry.bounds);
            }
            match at.and_then(|at| Some((at, self.members.get(at)?))) {
                Some((at, member)) if member.is_quiet() => self.note_quiet(at),
                Some((_, member)) if member.is_in() => {}
                Some(_) => self.cutter.give_up(),
                None => self.approach(entry),
            }
        } else if let Some(member) = at.and_then(|at| self.members.get(at)) {
            // In but for the height, or not yet in: the answer hangs on more than the outline.
            if !member.is_in() || self.has_height(entry) {
                self.cutter.give_up();
            }
        } else if let Some(watch) = self.index.at(entry.ordinal()) {
            if watch.region.height().is_some() {
                self.cutter.give_up();
            }
            if watch.region.contains(self.seen.position.x_mm, self.seen.position.y_mm) {
                self.approach(entry);
            }
        }
    }

    /// Takes a watch, not yet among the members, whose outline holds the position.
    fn approach(&mut self, entry: &ZoneEntry) {
        let Some(watch) = self.index.at(entry.ordinal()) else { return };
        let shows = (entry.is_filled() && entry.enters_at_once()) || shows_entry(watch, self.seen);
        if !shows {
            self.cutter.give_up();
            return;
        }
        let (member, crossing) = Membership::begin(entry.ordinal(), watch, self.seen);
        if member.is_in()
            && let Some(dwell_ns) = watch.gates.dwell_ns
        {
            self.stays.arm(entry.ordinal(), self.seen.due_ns(dwell_ns));
        }
        self.members.push(member);
        self.out.push(crossing);
    }

    fn note_quiet(&mut self, at: usize) {
        // What has no bit is stepped like the others.
        self.quiet |= u32::try_from(at).ok().and_then(|at| 1_u64.checked_shl(at)).unwrap_or(0);
    }

    fn has_height(&self, entry: &ZoneEntry) -> bool {
        let watch = self.index.at(entry.ordinal());
        watch.is_some_and(|watch| watch.region.height().is_some())
    }

    /// Keeps the box off a watch, after all that hold the position have been met.
    #[inline]
    fn avoid(cutter: &mut BoxCutter, index: &WatchIndex, entry: &ZoneEntry) {
        if !cutter.meets(&entry.bounds) {
            return;
        }
        if entry.is_filled() {
            cutter.stay_beside(&entry.bounds);
        } else if let Some(watch) = index.at(entry.ordinal()) {
            cutter.keep_off(&watch.region);
        }
    }

    /// Keeps the box off all watches and lines of a list.
    pub(crate) fn avoid_listed(cutter: &mut BoxCutter, index: &WatchIndex, cell: &Cell<'_>) {
        for entry in cell.zones {
            Sweep::avoid(cutter, index, entry);
        }
        for line in cell.lines {
            cutter.keep_off_edge(&line.edge);
        }
    }

    /// Keeps the box off all watches and lines of a tree.
    pub(crate) fn avoid_stored(cutter: &mut BoxCutter, index: &WatchIndex, storey: &Storey) {
        let window = cutter.window();
        storey.zones_meeting(&window, |entry| Sweep::avoid(cutter, index, entry));
        storey.lines_meeting(&window, |line| cutter.keep_off_edge(&line.edge));
    }
}
