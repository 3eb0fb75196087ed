//! All watches and lines of a site, ready to be asked what lies round a position.

use std::ops::ControlFlow;
use std::sync::Arc;

use rstar::{AABB, RTree, RTreeObject};
use thiserror::Error;

use crate::bounds::Bounds;
use crate::edge::Edge;
use crate::line::{Line, LineCrossing, path_bounds};
use crate::{Floor, Gates, Position, RANGE_MM, Region};

/// Most watches, and most lines, of one index: a rule over every room of the largest campus needs a
/// tenth of it.
pub const WATCHES_MAX: usize = 1_000_000;

/// A region watched through gates, under the key its owner gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watch {
    /// The owner's name for it; unique in an index.
    pub key: u32,
    /// Where.
    pub region: Arc<Region>,
    /// How sure one must be.
    pub gates: Gates,
}

/// Why an index could not be built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum WatchIndexError {
    /// Two watches have one key.
    #[error("watch key {key} is given twice, give each watch its own")]
    DuplicateKey {
        /// The key.
        key: u32,
    },
    /// N of M is not within 1 of 1 to 8 of 8.
    #[error("watch {key} asks for {needed} of {of} positions, ask for 1 to `of`, of at most 8")]
    ConfirmOutOfRange {
        /// The watch.
        key: u32,
        /// N.
        needed: u8,
        /// M.
        of: u8,
    },
    /// A line without length.
    #[error("line {key} has a piece of no length, remove it")]
    LineWithoutLength {
        /// The line.
        key: u32,
    },
    /// A line too far from the origin.
    #[error("line {key} lies more than 1,000 km from the site's origin, check the frame")]
    LineOutOfRange {
        /// The line.
        key: u32,
    },
    /// Too many watches or lines.
    #[error("{count} watches or lines are more than {limit}, split the site")]
    TooMany {
        /// How many there are.
        count: usize,
        /// How many there may be.
        limit: usize,
    },
}

/// An immutable index over watches and lines: an R-tree for each floor.
///
/// A region of every floor is in the tree of each. A position that does not know its floor looks
/// into all. The trees hold plain outlines: tolerances concern only those who are in already, and
/// whoever is in is tested directly ([`Occupancy`](crate::Occupancy)). Wrap it in an `Arc` and swap
/// it when the site changes.
#[derive(Debug)]
pub struct WatchIndex {
    watches: Box<[Watch]>,
    lines: Box<[Line]>,
    storeys: Box<[(Floor, Storey)]>,
    /// Floors that have nothing of their own.
    elsewhere: Storey,
    /// For positions without a floor.
    everywhere: Storey,
}

/// What lies on one floor.
#[derive(Debug, Default)]
pub(crate) struct Storey {
    zones: RTree<ZoneEntry>,
    lines: RTree<LineEntry>,
}

/// A watch in a tree.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ZoneEntry {
    pub(crate) bounds: Bounds,
    /// Its place in the list of watches.
    pub(crate) ordinal: u32,
    /// Being in the box is all it takes to be in.
    pub(crate) is_plain: bool,
}

/// A piece of a line in a tree.
#[derive(Debug, Clone, Copy)]
struct LineEntry {
    edge: Edge,
    ordinal: u32,
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

impl WatchIndex {
    /// Builds the index: one to two microseconds a watch.
    ///
    /// # Errors
    ///
    /// What is wrong with which watch or line: see [`WatchIndexError`].
    pub fn build(mut watches: Vec<Watch>, lines: Vec<Line>) -> Result<WatchIndex, WatchIndexError> {
        watches.sort_by_key(|watch| watch.key);
        check_watches(&watches)?;
        check_lines(&lines)?;
        let mut floors: Vec<Floor> = watches
            .iter()
            .filter_map(|watch| watch.region.floor())
            .chain(lines.iter().map(|line| line.floor))
            .collect();
        floors.sort_unstable();
        floors.dedup();
        let zones: Vec<(Option<Floor>, ZoneEntry)> = (0..)
            .zip(&watches)
            .map(|(ordinal, watch)| (watch.region.floor(), ZoneEntry::of(ordinal, watch)))
            .collect();
        let pieces: Vec<(Floor, LineEntry)> = (0..)
            .zip(&lines)
            .map(|(ordinal, line)| {
                let edge = Edge { a: line.from_mm, b: line.to_mm };
                (line.floor, LineEntry { edge, ordinal })
            })
            .collect();
        let storeys = floors
            .into_iter()
            .map(|floor| {
                let is_here = |of: Option<Floor>| of.is_none_or(|of| of == floor);
                (floor, Storey::of(&zones, is_here, &pieces, |of| of == floor))
            })
            .collect();
        Ok(WatchIndex {
            storeys,
            elsewhere: Storey::of(&zones, |floor| floor.is_none(), &pieces, |_| false),
            everywhere: Storey::of(&zones, |_| true, &pieces, |_| true),
            watches: watches.into_boxed_slice(),
            lines: lines.into_boxed_slice(),
        })
    }

    /// How many watches there are.
    pub fn watch_count(&self) -> usize {
        self.watches.len()
    }

    /// The watch with a key.
    pub fn watch(&self, key: u32) -> Option<&Watch> {
        self.watches.get(self.watches.binary_search_by_key(&key, |watch| watch.key).ok()?)
    }

    /// All watches by key.
    pub fn watches(&self) -> &[Watch] {
        &self.watches
    }

    /// Calls `visit` with each watch whose region holds the position, gates aside, in no order.
    pub fn watches_at<'a>(&'a self, position: &Position, mut visit: impl FnMut(&'a Watch)) {
        let point = Bounds::around(position.x_mm, position.y_mm, 0);
        self.storey(position.floor).zones_meeting(&point, |entry| {
            if let Some(watch) = self.at(entry.ordinal)
                && watch.region.matches(position)
                && watch.region.contains(position.x_mm, position.y_mm)
            {
                visit(watch);
            }
        });
    }

    /// Appends the lines crossed on the straight path between two positions, in the order in which
    /// the path meets them, those met at once by key. See [`LineCrossing`] for the rule.
    ///
    /// Whether a straight path is likely, after so long a time, is for the caller to say.
    pub fn lines_crossed(&self, from: &Position, to: &Position, out: &mut Vec<LineCrossing>) {
        let start = out.len();
        let storey = self.storey(from.floor.or(to.floor));
        storey.visit_lines(&path_bounds(from, to), |entry| {
            if let Some(line) =
                usize::try_from(entry.ordinal).ok().and_then(|at| self.lines.get(at))
                && let Some(crossing) = LineCrossing::of(line, from, to)
            {
                out.push(crossing);
            }
        });
        if let Some(found) = out.get_mut(start..) {
            found.sort_by(LineCrossing::order);
        }
    }

    /// The watch at a place in the list.
    pub(crate) fn at(&self, ordinal: u32) -> Option<&Watch> {
        self.watches.get(usize::try_from(ordinal).ok()?)
    }

    /// The place of a key in the list.
    pub(crate) fn ordinal(&self, key: u32) -> Option<u32> {
        let at = self.watches.binary_search_by_key(&key, |watch| watch.key).ok()?;
        u32::try_from(at).ok()
    }

    /// What a position on this floor can meet.
    pub(crate) fn storey(&self, floor: Option<Floor>) -> &Storey {
        let Some(floor) = floor else { return &self.everywhere };
        self.storeys
            .binary_search_by_key(&floor, |(floor, _)| *floor)
            .ok()
            .and_then(|at| self.storeys.get(at))
            .map_or(&self.elsewhere, |(_, storey)| storey)
    }
}

impl Storey {
    fn of(
        zones: &[(Option<Floor>, ZoneEntry)],
        has_zone: impl Fn(Option<Floor>) -> bool,
        lines: &[(Floor, LineEntry)],
        has_line: impl Fn(Floor) -> bool,
    ) -> Storey {
        let zones = zones.iter().filter(|(floor, _)| has_zone(*floor)).map(|(_, entry)| *entry);
        let lines = lines.iter().filter(|(floor, _)| has_line(*floor)).map(|(_, entry)| *entry);
        Storey {
            zones: RTree::bulk_load(zones.collect()),
            lines: RTree::bulk_load(lines.collect()),
        }
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
    pub(crate) fn edges_meeting(&self, window: &Bounds, mut visit: impl FnMut(&Edge)) {
        self.visit_lines(window, |entry| visit(&entry.edge));
    }

    fn visit_lines(&self, window: &Bounds, mut visit: impl FnMut(&LineEntry)) {
        let flow = self.lines.locate_in_envelope_intersecting_int(envelope(window), |entry| {
            visit(entry);
            ControlFlow::<()>::Continue(())
        });
        debug_assert!(flow.is_continue(), "the visit never stops");
    }
}

impl ZoneEntry {
    fn of(ordinal: u32, watch: &Watch) -> ZoneEntry {
        let gates = &watch.gates;
        let is_plain = watch.region.is_rectangle()
            && watch.region.height().is_none()
            && gates.entry_margin_mm == 0
            && gates.confirm.needed == 1
            && !gates.error_circle;
        ZoneEntry { bounds: watch.region.bounds(), ordinal, is_plain }
    }
}

fn check_watches(watches: &[Watch]) -> Result<(), WatchIndexError> {
    if watches.len() > WATCHES_MAX {
        return Err(WatchIndexError::TooMany { count: watches.len(), limit: WATCHES_MAX });
    }
    for (watch, next) in watches.iter().zip(watches.iter().skip(1)) {
        if watch.key == next.key {
            return Err(WatchIndexError::DuplicateKey { key: watch.key });
        }
    }
    for Watch { key, gates, .. } in watches {
        let (needed, of) = (gates.confirm.needed, gates.confirm.of);
        if needed == 0 || of < needed || 8 < of {
            return Err(WatchIndexError::ConfirmOutOfRange { key: *key, needed, of });
        }
    }
    Ok(())
}

fn check_lines(lines: &[Line]) -> Result<(), WatchIndexError> {
    if lines.len() > WATCHES_MAX {
        return Err(WatchIndexError::TooMany { count: lines.len(), limit: WATCHES_MAX });
    }
    for line in lines {
        let limit = RANGE_MM.unsigned_abs();
        let ends = [line.from_mm, line.to_mm];
        if ends.iter().any(|end| end.0.unsigned_abs() > limit || end.1.unsigned_abs() > limit) {
            return Err(WatchIndexError::LineOutOfRange { key: line.key });
        }
        if line.from_mm == line.to_mm {
            return Err(WatchIndexError::LineWithoutLength { key: line.key });
        }
    }
    Ok(())
}
