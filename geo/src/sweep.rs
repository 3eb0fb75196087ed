//! One look at all that lies round a position: who is entered, what is still so, and how far round
//! about nothing changes.

use crate::bounds::Bounds;
use crate::box_cutter::BoxCutter;
use crate::cell_grid::Cell;
use crate::crossing::Crossing;
use crate::edge::Edge;
use crate::membership::{Membership, shows_entry};
use crate::occupancy::Members;
use crate::stay::Stays;
use crate::storey::{Storey, ZoneEntry};
use crate::{Observation, WatchIndex};

/// With more edges than this about it, a box reaches no further than `NEAR_MM`: most of them are
/// then passed over, and walls that jagged leave little room anyway.
const FEW_EDGES: usize = 12;
const NEAR_MM: i32 = 1_024;
/// Up to so many members are gone through, more are searched.
const SCAN_MAX: usize = 8;

/// The first half of a look: what holds the position.
pub(crate) struct Sweep<'a> {
    pub(crate) index: &'a WatchIndex,
    pub(crate) seen: &'a Observation,
    /// Where the position lies in the frame of what is met.
    pub(crate) place: (i32, i32),
    pub(crate) members: &'a mut Members,
    /// How many members there were before; new ones are behind them.
    pub(crate) old_count: usize,
    pub(crate) stays: &'a mut Stays,
    pub(crate) out: &'a mut Vec<Crossing>,
    pub(crate) found: Found,
}

/// What the first half has found besides new members.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Found {
    /// Members that the position leaves as they are, by their place, and new ones that another such
    /// position would leave so.
    pub(crate) quiet: u64,
    /// The inside of a rectangle that holds the position and is crossed by no outline and no line.
    pub(crate) clear: Option<Bounds>,
    /// All members are quiet, if there are any: the position is in their outlines, and they have not
    /// been asked further.
    pub(crate) is_all_quiet: bool,
    /// Some member counts positions, however alike.
    pub(crate) is_restless: bool,
    /// There are watches whose outline holds the position and that were not entered.
    pub(crate) has_bystanders: bool,
}

impl Found {
    /// What has no bit is stepped like the others.
    #[inline]
    fn mark_quiet(&mut self, at: usize) {
        let bit = u32::try_from(at).ok().and_then(|at| 1_u64.checked_shl(at));
        self.quiet |= bit.unwrap_or(0);
    }

    /// Whether the member at a place has been found quiet.
    #[inline]
    pub(crate) fn is_quiet(&self, at: usize) -> bool {
        let marks = u32::try_from(at).ok().and_then(|at| self.quiet.checked_shr(at));
        marks.is_some_and(|marks| marks & 1 == 1)
    }
}

impl Sweep<'_> {
    /// Takes a watch whose box holds the position, and whose outline does too as far as is known.
    #[inline]
    pub(crate) fn meet(&mut self, entry: &ZoneEntry, is_inside: Option<bool>) {
        let (x_mm, y_mm) = (self.seen.position.x_mm, self.seen.position.y_mm);
        let old = self.members.get(..self.old_count).unwrap_or(&[]);
        if let Some(at) = place_of(old, entry.ordinal()) {
            let is_known = is_inside == Some(true) && !entry.has_height();
            if is_known && old.get(at).is_some_and(Membership::is_quiet) {
                self.found.mark_quiet(at);
            }
        } else if is_inside.unwrap_or_else(|| {
            self.index.at(entry.ordinal()).is_some_and(|post| post.contains(x_mm, y_mm))
        }) {
            self.approach(entry, is_inside == Some(true) && !entry.has_height());
        }
        if entry.is_clear() {
            let inside = entry.inside();
            if inside.contains(self.place.0, self.place.1) {
                self.found.clear = Some(inside);
            }
        }
    }

    /// Takes a watch, not yet among the members, whose outline holds the position.
    fn approach(&mut self, entry: &ZoneEntry, is_known: bool) {
        let Some(watch) = self.index.at(entry.ordinal()) else { return };
        let is_plain = entry.enters_at_once() && !entry.has_height();
        let shows = is_plain || shows_entry(watch, self.seen);
        if !shows {
            self.found.has_bystanders = true;
            return;
        }
        let (member, crossing) = Membership::begin(entry.ordinal(), watch, self.seen);
        if member.is_in()
            && let Some(dwell_ns) = watch.gates.dwell_ns
        {
            self.stays.arm(entry.ordinal(), self.seen.due_ns(dwell_ns));
        }
        if is_known && member.is_quiet() {
            self.found.mark_quiet(self.members.len());
        }
        self.members.push(member);
        self.out.push(crossing);
    }
}

/// The second half of a look, once the members have taken the position: what limits the box.
pub(crate) struct Fence<'a> {
    pub(crate) index: &'a WatchIndex,
    pub(crate) members: &'a Members,
    pub(crate) cutter: BoxCutter,
    pub(crate) found: Found,
}

impl Fence<'_> {
    /// Keeps the box off what a cell lists.
    pub(crate) fn keep_listed(&mut self, cell: &Cell<'_>) {
        if cell.edge_count() > FEW_EDGES {
            self.cutter.stay_about(NEAR_MM);
        }
        for entry in cell.zones() {
            if self.cutter.meets(&entry.bounds) && !self.keep_plain(entry) {
                self.keep(entry, Some(cell));
            }
        }
        cell.lines.iter().for_each(|line| self.cutter.keep_off_edge(&line.edge));
    }

    /// Keeps the box off what the trees hold.
    pub(crate) fn keep_stored(&mut self, storey: &Storey) {
        let window = self.cutter.bounds;
        storey.zones_meeting(&window, |entry| self.keep(entry, None));
        storey.lines_meeting(&window, |line| self.cutter.keep_off_edge(&line.edge));
    }

    /// The same, where only those who hold the position can have a say.
    pub(crate) fn keep_bystanders(&mut self, storey: &Storey, cell: Option<&Cell<'_>>) {
        let (x_mm, y_mm) = self.cutter.place();
        let mut keep = |entry: &ZoneEntry| {
            if entry.bounds.contains(x_mm, y_mm)
                && place_of(self.members, entry.ordinal()).is_none()
                && let Some(watch) = self.index.at(entry.ordinal())
            {
                self.cutter.keep_out(watch);
            }
        };
        match cell {
            Some(cell) => cell.zones().for_each(keep),
            None => storey.zones_meeting(&Bounds::around(x_mm, y_mm, 0), |entry| keep(entry)),
        }
    }

    /// Keeps to the answer of a rectangle, if the place is plainly in it or beside it and nobody is
    /// in between: what is met most.
    #[inline]
    fn keep_plain(&mut self, entry: &ZoneEntry) -> bool {
        if !(entry.is_filled() && self.found.is_all_quiet) {
            return false;
        }
        let (x_mm, y_mm) = self.cutter.place();
        if !entry.bounds.contains(x_mm, y_mm) {
            // All members are in their outlines, so this is none of theirs.
            self.cutter.stay_beside(&entry.bounds);
            return true;
        }
        let inner = entry.inner();
        let is_sure = inner.contains(x_mm, y_mm) && !self.found.has_bystanders;
        if is_sure {
            self.cutter.stay_within(&inner);
        }
        is_sure
    }

    /// Keeps to the answer of one watch.
    fn keep(&mut self, entry: &ZoneEntry, cell: Option<&Cell<'_>>) {
        if !self.cutter.meets(&entry.bounds) {
            return;
        }
        let (x_mm, y_mm) = self.cutter.place();
        let is_near = entry.bounds.contains(x_mm, y_mm);
        let edges = cell.and_then(|cell| cell.edges(entry));
        if place_of(self.members, entry.ordinal()).is_some() {
            if !self.found.is_all_quiet {
                // The members have had their say.
            } else if entry.is_filled() {
                self.cutter.stay_within(&entry.inner());
            } else {
                self.keep_off_edges(edges.unwrap_or(&[]));
            }
        } else if !is_near && (entry.is_filled() || edges.is_none()) {
            // Beside its box there is room enough.
            self.cutter.stay_beside(&entry.bounds);
        } else if let Some(edges) = edges
            && !(is_near && self.found.has_bystanders)
        {
            self.keep_off_edges(edges);
        } else if let Some(watch) = self.index.at(entry.ordinal()) {
            self.cutter.keep_out(watch);
        }
    }

    fn keep_off_edges(&mut self, edges: &[Edge]) {
        for edge in edges {
            self.cutter.keep_off_edge(edge);
        }
    }
}

/// The place of a watch among members, which are in order.
#[inline]
fn place_of(members: &[Membership], ordinal: u32) -> Option<usize> {
    if members.len() <= SCAN_MAX {
        members.iter().position(|member| member.ordinal == ordinal)
    } else {
        members.binary_search_by_key(&ordinal, |member| member.ordinal).ok()
    }
}
