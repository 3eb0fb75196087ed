//! All watches and lines of a site, ready to be asked what lies round a position.

use std::sync::Arc;

use thiserror::Error;

use crate::bounds::Bounds;
use crate::cell_grid::Cell;
use crate::edge::Edge;
use crate::line::{Line, LineCrossing, path_bounds};
use crate::post::Post;
use crate::storey::{LineEntry, Storey, ZoneEntry};
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

/// An immutable index over watches and lines: an R-tree for each floor, and a grid made from it.
///
/// A region of every floor is in the tree of each. A position that does not know its floor looks
/// into all. The trees hold plain outlines: tolerances concern only those who are in already, and
/// whoever is in is tested directly ([`Occupancy`](crate::Occupancy)). Wrap it in an `Arc` and swap
/// it when the site changes.
#[derive(Debug)]
pub struct WatchIndex {
    /// By key.
    posts: Box<[Post]>,
    lines: Box<[Line]>,
    /// Ascending, each with its storey.
    floors: Box<[Floor]>,
    storeys: Box<[Storey]>,
    /// Floors that have nothing of their own.
    elsewhere: Storey,
    /// For positions without a floor.
    everywhere: Storey,
}

impl WatchIndex {
    /// Builds the index: up to thirty microseconds a watch, cells included.
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
        let storey = |has: &dyn Fn(Option<Floor>) -> bool| {
            let zones = zones.iter().filter(|(floor, _)| has(*floor)).map(|(_, zone)| *zone);
            let lines = pieces.iter().filter(|(floor, _)| has(Some(*floor)));
            Storey::of(zones.collect(), lines.map(|(_, line)| *line).collect(), &watches)
        };
        let storeys = floors.iter().map(|floor| storey(&|of| of.is_none_or(|of| of == *floor)));
        let storeys: Box<[Storey]> = storeys.collect();
        let elsewhere = storey(&|floor| floor.is_none());
        let everywhere = storey(&|_| true);
        let frame_of = |watch: &Watch| {
            let floor = watch.region.floor();
            let at = floor.and_then(|floor| floors.binary_search(&floor).ok());
            at.and_then(|at| storeys.get(at)).unwrap_or(&everywhere).frame()
        };
        let post = |watch: Watch| {
            let frame = frame_of(&watch);
            Post::new(watch, frame)
        };
        Ok(WatchIndex {
            posts: watches.into_iter().map(post).collect(),
            storeys,
            elsewhere,
            everywhere,
            floors: floors.into_boxed_slice(),
            lines: lines.into_boxed_slice(),
        })
    }

    /// How many watches there are.
    pub fn watch_count(&self) -> usize {
        self.posts.len()
    }

    /// The watch with a key.
    pub fn watch(&self, key: u32) -> Option<&Watch> {
        self.posts
            .get(self.posts.binary_search_by_key(&key, |post| post.key).ok()?)
            .map(|post| &**post)
    }

    /// All watches by key.
    pub fn watches(&self) -> impl ExactSizeIterator<Item = &Watch> {
        self.posts.iter().map(|post| &**post)
    }

    /// Calls `visit` with each watch whose region holds the position, gates aside, in no order.
    pub fn watches_at<'a>(&'a self, position: &Position, mut visit: impl FnMut(&'a Watch)) {
        let Position { x_mm, y_mm, floor, .. } = *position;
        let mut test = |entry: &ZoneEntry, cell: Option<&Cell<'_>>| {
            let place = cell.map_or((x_mm, y_mm), |cell| cell.place);
            if entry.bounds.contains(place.0, place.1)
                && let Some(watch) = self.at(entry.ordinal())
                && watch.matches(position)
                && cell
                    .and_then(|cell| cell.holds(entry, x_mm, y_mm))
                    .unwrap_or_else(|| watch.contains(x_mm, y_mm))
            {
                visit(watch);
            }
        };
        let storey = self.storey(floor);
        if let Some(cell) = storey.cell(x_mm, y_mm) {
            cell.zones().for_each(|entry| test(entry, Some(&cell)));
        } else {
            storey.zones_meeting(&Bounds::around(x_mm, y_mm, 0), |entry| test(entry, None));
        }
    }

    /// Appends the lines crossed on the straight path between two positions, in the order in which
    /// the path meets them, those met at once by key. See [`LineCrossing`] for the rule.
    ///
    /// Whether a straight path is likely, after so long a time, is for the caller to say.
    pub fn lines_crossed(&self, from: &Position, to: &Position, out: &mut Vec<LineCrossing>) {
        let storey = self.storey(from.floor.or(to.floor));
        if !storey.has_lines() {
            return;
        }
        let start = out.len();
        let mut test = |entry: &LineEntry| {
            if let Some(line) =
                usize::try_from(entry.ordinal).ok().and_then(|at| self.lines.get(at))
                && let Some(crossing) = LineCrossing::of(line, from, to)
            {
                out.push(crossing);
            }
        };
        let path = path_bounds(from, to);
        let straight = Edge { a: (from.x_mm, from.y_mm), b: (to.x_mm, to.y_mm) };
        match storey.cell(to.x_mm, to.y_mm) {
            Some(cell) if cell.window.holds(&cell.frame.bounds_of(&straight)) => {
                cell.lines.iter().for_each(test);
            }
            _ => storey.lines_meeting(&path, |entry| test(entry)),
        }
        if let Some(found) = out.get_mut(start..) {
            found.sort_by(LineCrossing::order);
        }
    }

    /// The watch at a place in the list.
    #[inline]
    pub(crate) fn at(&self, ordinal: u32) -> Option<&Post> {
        self.posts.get(usize::try_from(ordinal).ok()?)
    }

    /// The place of a key in the list.
    pub(crate) fn ordinal(&self, key: u32) -> Option<u32> {
        let at = self.posts.binary_search_by_key(&key, |post| post.key).ok()?;
        u32::try_from(at).ok()
    }

    /// What a position on this floor can meet.
    #[inline]
    pub(crate) fn storey(&self, floor: Option<Floor>) -> &Storey {
        let Some(floor) = floor else { return &self.everywhere };
        let at = self.floors.partition_point(|of| *of < floor);
        match (self.floors.get(at), self.storeys.get(at)) {
            (Some(of), Some(storey)) if *of == floor => storey,
            _ => &self.elsewhere,
        }
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
