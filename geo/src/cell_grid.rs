//! A floor cut into square cells, each with a list of what lies in or near it.
//!
//! A tree asks some fifty boxes, scattered over memory, to find the eight rooms round a position;
//! a cell has them in one place. Built from the trees, which go on to answer where there is no cell.

use crate::bounds::Bounds;
use crate::edge::Edge;
use crate::frame::Frame;
use crate::patch::Patch;
use crate::region::{Coverage, Shape};
use crate::storey::{LineEntry, Storey, ZoneEntry};
use crate::{RANGE_MM, Watch};

/// The side of a cell is a power of two of millimetres: 4.1 m if the floor is not too large for it,
/// else 8.2 m and so on to 65.5 m.
const SIDE_BITS: std::ops::RangeInclusive<u32> = 12..=16;
/// How far beyond its cell a list reaches, and with it a safe box.
const MARGIN_MM: i32 = 1_024;
/// Zones and lines larger than this (a campus, a flight zone) are listed where there are cells but
/// do not ask for cells.
const LOCAL_MM: u32 = 262_144;
/// Bounds of memory, for each zone or piece of a line: cells of 128 bytes, further entries of 24 and
/// edges of 16. A hospital needs about 2 to 6 cells and hardly any further entries and, askew to the
/// axes, 40 edges.
const CELLS_EACH: usize = 8;
const ENTRIES_EACH: usize = 24;
const EDGES_EACH: usize = 64;
/// So that a small site, too, may have a few hundred square metres of cells.
const CELLS_BASE: usize = 1_024;
const ENTRIES_BASE: usize = 16_384;
const EDGES_BASE: usize = 16_384;

/// Entries that a cell has in place: in rows of rooms it has two to four.
const INLINE_COUNT: usize = 4;

/// A grid over most of a floor, along the walls of most rooms there: all places and boxes in it are
/// in that frame.
#[derive(Debug)]
pub(crate) struct CellGrid {
    frame: Frame,
    x_low: i32,
    y_low: i32,
    side_bits: u32,
    columns: u32,
    rows: u32,
    plots: Box<[Plot]>,
    zones: Box<[ZoneEntry]>,
    lines: Box<[LineEntry]>,
    edges: Box<[Edge]>,
}

/// What is kept of a cell: two neighbouring cache lines, most often all that is fetched.
#[derive(Debug, Clone, Copy)]
#[repr(align(128))]
struct Plot {
    zones: [ZoneEntry; INLINE_COUNT],
    more_zones: Span,
    lines: Span,
    edges: Span,
}

/// A part of a list.
#[derive(Debug, Clone, Copy)]
struct Span {
    from: u32,
    count: u32,
}

/// All that meets a window, which lies about the point that was asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cell<'a> {
    /// The frame of the window, of the boxes of the watches and of the place.
    pub(crate) frame: Frame,
    /// Where the point that was asked for lies.
    pub(crate) place: (i32, i32),
    pub(crate) window: Bounds,
    zones: &'a [ZoneEntry],
    more_zones: &'a [ZoneEntry],
    pub(crate) lines: &'a [LineEntry],
    edges: &'a [Edge],
}

impl<'a> Cell<'a> {
    /// The watches.
    #[inline]
    pub(crate) fn zones(&self) -> impl Iterator<Item = &'a ZoneEntry> {
        self.zones.iter().chain(self.more_zones)
    }

    /// Whether an entry's outline holds the point, whose place its box holds; `None` if the region
    /// must be asked.
    #[inline]
    pub(crate) fn holds(&self, entry: &ZoneEntry, x_mm: i32, y_mm: i32) -> Option<bool> {
        if entry.is_filled() {
            entry.inner().contains(self.place.0, self.place.1).then_some(true)
        } else {
            entry.patch.holds(self.edges, x_mm, y_mm)
        }
    }

    /// How many edges there are.
    #[inline]
    pub(crate) fn edge_count(&self) -> usize {
        self.edges.len()
    }

    /// The edges of an entry's outline in the window, if they are here.
    #[inline]
    pub(crate) fn edges(&self, entry: &ZoneEntry) -> Option<&'a [Edge]> {
        entry.patch.edges(self.edges)
    }
}

impl Span {
    fn since(from: usize, now: usize) -> Option<Span> {
        let count = u32::try_from(now.checked_sub(from)?).ok()?;
        Some(Span { from: u32::try_from(from).ok()?, count })
    }

    #[inline]
    fn of<T>(self, list: &[T]) -> Option<&[T]> {
        if self.count == 0 {
            return Some(&[]);
        }
        let from = usize::try_from(self.from).ok()?;
        list.get(from..from + usize::try_from(self.count).ok()?)
    }
}

impl CellGrid {
    /// Builds the grid with the smallest cells that keep to the bounds of memory, if any do.
    pub(crate) fn build(storey: &Storey, frame: Frame, watches: &[Watch]) -> Option<CellGrid> {
        let zones = storey.framed_zones(frame, watches);
        let is_local = |of: &Bounds| {
            of.x_low.abs_diff(of.x_high) <= LOCAL_MM && of.y_low.abs_diff(of.y_high) <= LOCAL_MM
        };
        let lines = storey.line_boxes(frame);
        let boxes = zones.iter().map(|zone| zone.bounds).chain(lines);
        let extent = boxes.filter(is_local).reduce(Bounds::joined)?;
        let ground = Ground { storey, frame, zones, watches };
        SIDE_BITS.into_iter().find_map(|bits| CellGrid::with_side(bits, extent, &ground))
    }

    fn with_side(side_bits: u32, extent: Bounds, ground: &Ground<'_>) -> Option<CellGrid> {
        let storey = ground.storey;
        let columns = (extent.x_low.abs_diff(extent.x_high) >> side_bits) + 1;
        let rows = (extent.y_low.abs_diff(extent.y_high) >> side_bits) + 1;
        let cell_count = usize::try_from(u64::from(columns) * u64::from(rows)).ok()?;
        if cell_count > CELLS_BASE.saturating_add(CELLS_EACH.saturating_mul(storey.count())) {
            return None;
        }
        let entries_max = ENTRIES_BASE.saturating_add(ENTRIES_EACH.saturating_mul(storey.count()));
        let edges_max = EDGES_BASE.saturating_add(EDGES_EACH.saturating_mul(storey.count()));
        let (mut zones, mut lines, mut edges) = (Vec::new(), Vec::new(), Vec::new());
        let (mut near, mut near_edges): (Vec<ZoneEntry>, _) = (Vec::new(), Vec::new());
        let mut plots = Vec::with_capacity(cell_count);
        let mut grid = CellGrid {
            frame: ground.frame,
            x_low: extent.x_low,
            y_low: extent.y_low,
            side_bits,
            columns,
            rows,
            plots: Box::default(),
            zones: Box::default(),
            lines: Box::default(),
            edges: Box::default(),
        };
        for (row, column) in (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column)))
        {
            let window = grid.window(column, row);
            let edges_left = edges_max.saturating_sub(edges.len());
            ground.zones_meeting(&window, |entry| {
                near.extend(ground.local(entry, &window, edges_left, &mut near_edges));
            });
            let line_count = lines.len();
            ground.lines_meeting(&window, |entry| lines.push(*entry));
            let mut inline = [ZoneEntry::VACANT; INLINE_COUNT];
            for (place, entry) in inline.iter_mut().zip(&near) {
                *place = *entry;
            }
            let zone_count = zones.len();
            zones.extend(near.drain(..).skip(INLINE_COUNT));
            let edge_count = edges.len();
            edges.append(&mut near_edges);
            plots.push(Plot {
                zones: inline,
                more_zones: Span::since(zone_count, zones.len())?,
                lines: Span::since(line_count, lines.len())?,
                edges: Span::since(edge_count, edges.len())?,
            });
            if zones.len().saturating_add(lines.len()) > entries_max {
                return None;
            }
        }
        grid.plots = plots.into_boxed_slice();
        grid.zones = zones.into_boxed_slice();
        grid.lines = lines.into_boxed_slice();
        grid.edges = edges.into_boxed_slice();
        Some(grid)
    }

    /// The cell of a point; `None` outside of the grid.
    #[inline]
    pub(crate) fn cell(&self, x_mm: i32, y_mm: i32) -> Option<Cell<'_>> {
        let place = self.frame.place((x_mm, y_mm));
        let since = |low: i32, at: i32| u32::try_from(i64::from(at) - i64::from(low)).ok();
        let column = since(self.x_low, place.0)? >> self.side_bits;
        let row = since(self.y_low, place.1)? >> self.side_bits;
        if column >= self.columns || row >= self.rows {
            return None;
        }
        let plot = self.plots.get(usize::try_from(row * self.columns + column).ok()?)?;
        Some(Cell {
            frame: self.frame,
            place,
            window: self.window(column, row),
            zones: &plot.zones,
            more_zones: plot.more_zones.of(&self.zones)?,
            lines: plot.lines.of(&self.lines)?,
            edges: plot.edges.of(&self.edges)?,
        })
    }

    /// The cell and its margin.
    #[inline]
    fn window(&self, column: u32, row: u32) -> Bounds {
        let low = |origin: i32, place: u32| {
            origin.wrapping_add_unsigned(place << self.side_bits).saturating_sub(MARGIN_MM)
        };
        let (x_low, y_low) = (low(self.x_low, column), low(self.y_low, row));
        let reach_mm = (1 << self.side_bits) - 1 + 2 * MARGIN_MM;
        Bounds {
            x_low,
            y_low,
            x_high: x_low.saturating_add(reach_mm),
            y_high: y_low.saturating_add(reach_mm),
        }
    }
}

/// What a grid is built on.
struct Ground<'a> {
    storey: &'a Storey,
    frame: Frame,
    /// By ordinal, with their boxes in the frame.
    zones: Vec<ZoneEntry>,
    watches: &'a [Watch],
}

impl Ground<'_> {
    /// Every watch whose box meets the window.
    fn zones_meeting(&self, window: &Bounds, mut visit: impl FnMut(&ZoneEntry)) {
        self.storey.zones_meeting(&self.frame.site_bounds(window), |stored| {
            let at = self.zones.binary_search_by_key(&stored.ordinal(), ZoneEntry::ordinal);
            let entry = at.ok().and_then(|at| self.zones.get(at));
            if let Some(entry) = entry.filter(|entry| entry.bounds.meets(window)) {
                visit(entry);
            }
        });
    }

    /// Every piece of a line whose box meets the window.
    fn lines_meeting(&self, window: &Bounds, mut visit: impl FnMut(&LineEntry)) {
        self.storey.lines_meeting(&self.frame.site_bounds(window), |entry| {
            if self.frame.bounds_of(&entry.edge).meets(window) {
                visit(entry);
            }
        });
    }

    /// The entry as it is in a window, where most polygons are all or nothing; with its edges there,
    /// if there is room for them.
    fn local(
        &self,
        entry: &ZoneEntry,
        window: &Bounds,
        edges_left: usize,
        edges: &mut Vec<Edge>,
    ) -> Option<ZoneEntry> {
        let mut entry = local(entry, window, self.frame, self.watches)?;
        if edges.len() < edges_left {
            entry.patch = patch(&entry, &self.frame.site_bounds(window), self.watches, edges);
        }
        Some(entry)
    }
}

/// The entry as it is in a window, where most polygons are all or nothing.
fn local(entry: &ZoneEntry, window: &Bounds, frame: Frame, watches: &[Watch]) -> Option<ZoneEntry> {
    if entry.is_filled() {
        return Some(*entry);
    }
    let watch = watches.get(usize::try_from(entry.ordinal()).ok()?)?;
    match watch.region.coverage_in(frame, window) {
        Coverage::None => None,
        Coverage::Whole if watch.region.height().is_none() => {
            // A little larger, so that safe boxes may fill the window.
            let (x_high, y_high) =
                (window.x_high.saturating_add(1), window.y_high.saturating_add(1));
            let (x_low, y_low) = (window.x_low.saturating_sub(1), window.y_low.saturating_sub(1));
            Some(entry.filling(Bounds { x_low, y_low, x_high, y_high }))
        }
        Coverage::Whole | Coverage::Part => Some(*entry),
    }
}

/// The edges of a polygon that runs through a window, kept beside the cell.
fn patch(entry: &ZoneEntry, window: &Bounds, watches: &[Watch], edges: &mut Vec<Edge>) -> Patch {
    let watch = usize::try_from(entry.ordinal()).ok().and_then(|at| watches.get(at));
    match watch.map(|watch| watch.region.shape()) {
        Some(Shape::Polygon(polygon)) if !entry.is_filled() => Patch::of(polygon, window, edges),
        _ => Patch::NONE,
    }
}

/// Extents lie within twice the range, so windows do not come near the ends of `i32`.
const _: () = assert!(RANGE_MM < i32::MAX / 2 - (1 << 18));
