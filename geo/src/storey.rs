//! What lies on one floor: trees of all of it, and a grid of what is near where.

use std::ops::ControlFlow;
use std::sync::Arc;

use rstar::{AABB, RTree, RTreeObject};

use crate::bounds::Bounds;
use crate::cell_grid::{Cell, CellGrid};
use crate::edge::Edge;
use crate::frame::Frame;
use crate::patch::Patch;
use crate::region::Coverage;
use crate::{WATCHES_MAX, Watch};

/// What lies on one floor.
#[derive(Debug)]
pub(crate) struct Storey {
    frame: Frame,
    zones: RTree<ZoneEntry>,
    lines: RTree<LineEntry>,
    /// None where things lie too far apart for it.
    grid: Option<CellGrid>,
}

/// A watch as a search meets it. 24 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ZoneEntry {
    pub(crate) bounds: Bounds,
    /// The place in the list of watches, and below it the seam of its rectangle and four flags.
    tag: u32,
    /// In a cell that the outline runs through.
    pub(crate) patch: Patch,
}

/// Being in the bounds is being in the region, height included.
const IS_FILLED: u32 = 1;
/// One position in the region is all it takes to be in.
const ENTERS_AT_ONCE: u32 = 2;
/// Filled, and no outline and no line runs through the inside: all of it is one safe box.
const IS_CLEAR: u32 = 4;
/// Only in a range of heights.
const HAS_HEIGHT: u32 = 8;
const SEAM_SHIFT: u32 = 4;
const SEAM_MASK: u32 = 0xFF << SEAM_SHIFT;
const ORDINAL_SHIFT: u32 = SEAM_SHIFT + 8;

const _: () = assert!(WATCHES_MAX <= 1 << (u32::BITS - ORDINAL_SHIFT));

/// A piece of a line. 20 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LineEntry {
    pub(crate) edge: Edge,
    pub(crate) ordinal: u32,
}

impl RTreeObject for ZoneEntry {
    type Envelope = AABB<[i32; 2]>;

    fn envelope(&self) -> AABB<[i32; 2]> {
        envelope(&self.bounds)
    }
}

impl RTreeObject for LineEntry {
    type Envelope = AABB<[i32; 2]>;

    fn envelope(&self) -> AABB<[i32; 2]> {
        envelope(&self.edge.bounds())
    }
}

fn envelope(bounds: &Bounds) -> AABB<[i32; 2]> {
    AABB::from_corners([bounds.x_low, bounds.y_low], [bounds.x_high, bounds.y_high])
}

impl Storey {
    pub(crate) fn of(zones: Vec<ZoneEntry>, lines: Vec<LineEntry>, watches: &[Watch]) -> Storey {
        let lines = RTree::bulk_load(lines);
        let mut storey =
            Storey { frame: Frame::SITE, zones: RTree::bulk_load(zones), lines, grid: None };
        let regions = storey.zones.iter().filter_map(|zone| Some(&zone.watch(watches)?.region));
        storey.frame = Frame::of(regions.map(Arc::as_ref));
        let zones = storey.zones.iter().map(|zone| storey.marked(zone, watches)).collect();
        storey.zones = RTree::bulk_load(zones);
        storey.grid = CellGrid::build(&storey, storey.frame, watches);
        storey
    }

    /// The frame along most of its walls.
    pub(crate) fn frame(&self) -> Frame {
        self.frame
    }

    /// The watches by ordinal, as they are in a frame.
    pub(crate) fn framed_zones(&self, frame: Frame, watches: &[Watch]) -> Vec<ZoneEntry> {
        let mut zones: Vec<ZoneEntry> =
            self.zones.iter().map(|zone| self.framed(zone, frame, watches)).collect();
        zones.sort_unstable_by_key(ZoneEntry::ordinal);
        zones
    }

    /// The boxes of all pieces of lines, in a frame.
    pub(crate) fn line_boxes(&self, frame: Frame) -> impl Iterator<Item = Bounds> + '_ {
        self.lines.iter().map(move |entry| frame.bounds_of(&entry.edge))
    }

    fn framed(&self, entry: &ZoneEntry, frame: Frame, watches: &[Watch]) -> ZoneEntry {
        let Some(watch) = entry.watch(watches) else { return *entry };
        let region = &watch.region;
        if frame.is_site() && region.is_rectangle() {
            return *entry;
        }
        let tag = entry.tag & !(IS_FILLED | IS_CLEAR);
        if let Some(fit) = frame.fit(region)
            && region.height().is_none()
        {
            let tag = tag | IS_FILLED | (u32::from(fit.seam) << SEAM_SHIFT);
            let fitted = ZoneEntry { bounds: fit.outer, tag, patch: Patch::NONE };
            return self.cleared(&fitted, frame, watches);
        }
        ZoneEntry { bounds: region.bounds_in(frame), tag, patch: Patch::NONE }
    }

    /// The filled entry, marked as clear if it is.
    fn cleared(&self, entry: &ZoneEntry, frame: Frame, watches: &[Watch]) -> ZoneEntry {
        let inside = entry.inside();
        let mut is_clear = inside.room() > 0;
        let around = frame.site_bounds(&inside);
        self.zones_meeting(&around, |other| {
            is_clear &= other.ordinal() == entry.ordinal()
                || other.watch(watches).is_some_and(|watch| is_even(watch, frame, &inside));
        });
        self.lines_meeting(&around, |line| is_clear &= !frame.may_meet(&line.edge, &inside));
        ZoneEntry { tag: entry.tag | if is_clear { IS_CLEAR } else { 0 }, ..*entry }
    }

    /// What is near a point, if the grid has it.
    #[inline]
    pub(crate) fn cell(&self, x_mm: i32, y_mm: i32) -> Option<Cell<'_>> {
        self.grid.as_ref()?.cell(x_mm, y_mm)
    }

    /// Whether there are lines at all.
    #[inline]
    pub(crate) fn has_lines(&self) -> bool {
        self.lines.size() > 0
    }

    /// Every watch whose box meets the window.
    pub(crate) fn zones_meeting(&self, window: &Bounds, mut visit: impl FnMut(&ZoneEntry)) {
        let flow = self.zones.locate_in_envelope_intersecting_int(envelope(window), |entry| {
            visit(entry);
            ControlFlow::<()>::Continue(())
        });
        debug_assert!(flow.is_continue(), "the visit never stops");
    }

    /// Every piece of a line whose box meets the window.
    pub(crate) fn lines_meeting(&self, window: &Bounds, mut visit: impl FnMut(&LineEntry)) {
        if self.lines.size() == 0 {
            return;
        }
        let flow = self.lines.locate_in_envelope_intersecting_int(envelope(window), |entry| {
            visit(entry);
            ControlFlow::<()>::Continue(())
        });
        debug_assert!(flow.is_continue(), "the visit never stops");
    }

    /// The entry, marked as clear if it is.
    fn marked(&self, entry: &ZoneEntry, watches: &[Watch]) -> ZoneEntry {
        if entry.is_filled() { self.cleared(entry, Frame::SITE, watches) } else { *entry }
    }

    /// How many zones and pieces of lines there are.
    pub(crate) fn count(&self) -> usize {
        self.zones.size() + self.lines.size()
    }
}

impl ZoneEntry {
    /// Holds nothing and meets nothing.
    pub(crate) const VACANT: ZoneEntry =
        ZoneEntry { bounds: Bounds::NOWHERE, tag: 0, patch: Patch::NONE };

    pub(crate) fn of(ordinal: u32, watch: &Watch) -> ZoneEntry {
        let (region, gates) = (&watch.region, &watch.gates);
        let is_filled = region.is_rectangle() && region.height().is_none();
        let enters_at_once =
            gates.entry_margin_mm == 0 && gates.confirm.needed == 1 && !gates.error_circle;
        let mut tag = ordinal << ORDINAL_SHIFT;
        if is_filled {
            tag |= IS_FILLED;
        }
        if enters_at_once {
            tag |= ENTERS_AT_ONCE;
        }
        if region.height().is_some() {
            tag |= HAS_HEIGHT;
        }
        ZoneEntry { bounds: region.bounds(), tag, patch: Patch::NONE }
    }

    /// The same watch, in a part of the plane that lies wholly in its region.
    pub(crate) fn filling(&self, part: Bounds) -> ZoneEntry {
        ZoneEntry {
            bounds: part,
            tag: (self.tag | IS_FILLED) & !(IS_CLEAR | SEAM_MASK),
            patch: Patch::NONE,
        }
    }

    fn watch<'a>(&self, watches: &'a [Watch]) -> Option<&'a Watch> {
        watches.get(usize::try_from(self.ordinal()).ok()?)
    }

    /// If it is filled, a box all of which lies in the region.
    #[inline]
    pub(crate) fn inner(&self) -> Bounds {
        self.bounds.shrunk(self.seam_mm().into())
    }

    /// The same without the outline.
    #[inline]
    pub(crate) fn inside(&self) -> Bounds {
        self.bounds.shrunk(self.seam_mm().max(1).into())
    }

    #[inline]
    fn seam_mm(&self) -> u32 {
        (self.tag & SEAM_MASK) >> SEAM_SHIFT
    }

    /// Its place in the list of watches.
    #[inline]
    pub(crate) fn ordinal(&self) -> u32 {
        self.tag >> ORDINAL_SHIFT
    }

    /// Whether being in the bounds is being in the region.
    #[inline]
    pub(crate) fn is_filled(&self) -> bool {
        self.tag & IS_FILLED != 0
    }

    /// Whether no outline and no line runs through the inside of the bounds.
    #[inline]
    pub(crate) fn is_clear(&self) -> bool {
        self.tag & IS_CLEAR != 0
    }

    /// Whether the region is one of certain heights only.
    #[inline]
    pub(crate) fn has_height(&self) -> bool {
        self.tag & HAS_HEIGHT != 0
    }

    /// Whether one position in the region is all it takes to be in.
    #[inline]
    pub(crate) fn enters_at_once(&self) -> bool {
        self.tag & ENTERS_AT_ONCE != 0
    }
}

/// Whether a part of the plane lies wholly in the region or wholly outside, at any height.
fn is_even(watch: &Watch, frame: Frame, part: &Bounds) -> bool {
    match watch.region.coverage_in(frame, part) {
        Coverage::None => true,
        Coverage::Whole => watch.region.height().is_none(),
        Coverage::Part => false,
    }
}
