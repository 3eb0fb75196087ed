//! Coordinates along the walls of a building that stands askew to the site's axes.
//!
//! With a slope `t` of 2^15ths, `u = x + t y` is rounded down and `v = y - t x` up. Both roundings
//! keep order, so the box round the ends of an edge in `u` and `v` holds all of the edge, and a box in
//! `u` and `v` that does not meet it is, in the plane, a rectangle that the edge does not enter.
//! Nothing here is approximate but in one direction: boxes may come out too small. Lengths in `u` and
//! `v` are up to 1.42 times those in millimetres; distances convert to no more, or to no less.

use std::collections::BTreeMap;

use crate::bounds::Bounds;
use crate::edge::{Edge, difference};
use crate::region::{Region, Shape};

const ONE_BITS: u32 = 15;
const ONE: i64 = 1 << ONE_BITS;
/// How far apart the slopes of walls are, by rounding to millimetres, that count as parallel: a
/// thousandth.
const BIN: i64 = 32;
/// How thick the seam may be in which an outline lies that counts as a rectangle. More is asked of
/// the outline too often.
const SEAM_MAX: u32 = 100;
/// Walls make a frame if they are no less than one in so many.
const PART: u128 = 4;

/// An axis frame, by its slope against the site's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Frame {
    slope: i16,
}

/// A rectangle in a frame, but for its seam.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fit {
    /// Whatever lies in the outline lies in here.
    pub(crate) outer: Bounds,
    /// How much smaller the box is to each side all of which lies in the outline.
    pub(crate) seam: u8,
}

impl Fit {
    /// All of it lies in the outline.
    #[inline]
    pub(crate) fn inner(&self) -> Bounds {
        self.outer.shrunk(self.seam.into())
    }
}

impl Frame {
    /// The site's own.
    pub(crate) const SITE: Frame = Frame { slope: 0 };

    /// The frame that most walls are parallel to, by their length.
    pub(crate) fn of<'a>(regions: impl Iterator<Item = &'a Region>) -> Frame {
        let mut bins: BTreeMap<i64, (u128, i128)> = BTreeMap::new();
        let (mut total, mut straight) = (0_u128, 0_u128);
        for region in regions {
            for edge in region.edges_between(i32::MIN, i32::MAX).as_ref() {
                let (dx, dy) = difference(edge.a, edge.b);
                // A quarter of a turn makes no difference.
                let (long, across) = if dx.abs() >= dy.abs() { (dx, dy) } else { (dy, -dx) };
                if long == 0 {
                    continue;
                }
                let slope = across * ONE / long;
                let weight = u128::from(long.unsigned_abs());
                let bin = bins.entry(slope.div_euclid(BIN)).or_default();
                total += weight;
                straight += if slope == 0 { weight } else { 0 };
                bin.0 += weight;
                bin.1 += i128::from(long.unsigned_abs()) * i128::from(slope);
            }
        }
        // Parallel walls may lie in two neighbouring bins.
        let pair = |at: i64| {
            let (first, second) = (bins.get(&at), bins.get(&(at + 1)));
            let (first, second) = (first.copied().unwrap_or_default(), second.copied());
            let second = second.unwrap_or_default();
            (first.0 + second.0, first.1 + second.1)
        };
        let best = bins.keys().map(|at| pair(*at)).max_by_key(|(weight, _)| *weight);
        let Some((weight, moment)) = best else { return Frame::SITE };
        if weight * PART < total || weight < straight * 2 {
            return Frame::SITE;
        }
        let mean = i128::try_from(weight).map_or(0, |weight| moment / weight);
        Frame { slope: i16::try_from(mean).unwrap_or(i16::MAX) }
    }

    /// Whether it is the site's own.
    #[inline]
    pub(crate) fn is_site(self) -> bool {
        self.slope == 0
    }

    /// Where a point lies.
    #[inline]
    pub(crate) fn wide_place(self, (x_mm, y_mm): (i32, i32)) -> (i64, i64) {
        let (x, y, slope) = (i64::from(x_mm), i64::from(y_mm), i64::from(self.slope));
        (x + ((slope * y) >> ONE_BITS), y - ((slope * x) >> ONE_BITS))
    }

    /// The same, cut off at the ends of `i32`, which points in range do not come near.
    #[inline]
    pub(crate) fn place(self, point: (i32, i32)) -> (i32, i32) {
        if self.is_site() {
            return point;
        }
        let (u, v) = self.wide_place(point);
        (narrow(u), narrow(v))
    }

    /// The box that holds all of an edge.
    #[inline]
    pub(crate) fn bounds_of(self, edge: &Edge) -> Bounds {
        Bounds::spanned(self.place(edge.a), self.place(edge.b))
    }

    /// A box that holds all of one in the site's frame.
    pub(crate) fn bounds_round(self, bounds: &Bounds) -> Bounds {
        let [a, b, c, d] = bounds.corners().map(|corner| self.place(corner));
        Bounds::spanned(a, c).joined(Bounds::spanned(b, d))
    }

    /// A box in the site's frame that holds all of one in this.
    pub(crate) fn site_bounds(self, bounds: &Bounds) -> Bounds {
        if self.is_site() {
            return *bounds;
        }
        let [a, b, c, d] = bounds.corners().map(|corner| self.site_place(corner));
        let around = Bounds::spanned(a, c).joined(Bounds::spanned(b, d));
        // One for the division and two for the roundings of `u` and `v`.
        around.grown(3, 3)
    }

    /// Within three millimetres, where a point of this frame lies.
    fn site_place(self, (u, v): (i32, i32)) -> (i32, i32) {
        let (u, v, slope) = (i64::from(u), i64::from(v), i64::from(self.slope));
        let one = ONE * ONE + slope * slope;
        // Ends of `i32` times 2^16 are below 2^47, and these times 2^15 below 2^62.
        let x = ((u * ONE - slope * v) * ONE).div_euclid(one);
        let y = ((v * ONE + slope * u) * ONE).div_euclid(one);
        (narrow(x), narrow(y))
    }

    /// A point, in the site's frame, that lies in a box, if there is an obvious one.
    pub(crate) fn point_in(self, bounds: &Bounds) -> Option<(i32, i32)> {
        let middle = (bounds.x_low.midpoint(bounds.x_high), bounds.y_low.midpoint(bounds.y_high));
        let point = self.site_place(middle);
        let (u, v) = self.place(point);
        bounds.contains(u, v).then_some(point)
    }

    /// How much longer lengths are, in 2^15ths: no more than they are, and no less.
    fn stretches(self) -> (u64, u64) {
        let square = u64::from(self.slope.unsigned_abs()).pow(2) >> ONE_BITS;
        let (fourth, sixth) = ((square * square) >> ONE_BITS, square.pow(3) >> (2 * ONE_BITS));
        // sqrt(1 + s) lies between 1 + s/2 - s^2/8 and that and s^3/16.
        let least = (1 << ONE_BITS) + square / 2 - fourth / 8 - 2;
        (least, least + sixth / 16 + 8)
    }

    /// A length that is no longer than this.
    #[inline]
    pub(crate) fn at_most(self, length_mm: u64) -> u64 {
        if self.is_site() {
            return length_mm;
        }
        (length_mm.saturating_mul(self.stretches().0) >> ONE_BITS).saturating_sub(self.blur())
    }

    /// A length that is no shorter than this.
    #[inline]
    pub(crate) fn at_least(self, length_mm: u64) -> u64 {
        if self.is_site() {
            return length_mm;
        }
        (length_mm.saturating_mul(self.stretches().1) >> ONE_BITS) + 1 + self.blur()
    }

    /// How much the distance of two points may be off because each is rounded.
    #[inline]
    pub(crate) fn blur(self) -> u64 {
        if self.is_site() { 0 } else { 3 }
    }

    /// With `normal` across an edge and `side` the product of it and the way from the edge to a
    /// point, which is positive: numbers so that a box that reaches `eu`, `ev` from the point
    /// towards the edge stays off it if `|nu| eu + |nv| ev <= slack`.
    #[inline]
    pub(crate) fn slanted(self, normal: (i64, i64), side: i64) -> ((i64, i64), i64) {
        if self.is_site() {
            return (normal, side - 1);
        }
        let slope = i64::from(self.slope);
        // Both are rounded down, so that what is not negative was not before.
        let away = |n: i64| if n < 0 { n - 1 } else { n + 1 };
        let nu = away(normal.0 + ((slope * normal.1) >> ONE_BITS));
        let nv = away(normal.1 + ((-slope * normal.0) >> ONE_BITS));
        // The plane's own length of `u` and `v` comes in twice, and a rounding for each.
        let stretch = (side >> ONE_BITS) * ((slope * slope) >> ONE_BITS);
        let slack = (side - 1).saturating_add(stretch) - nu.abs() - nv.abs();
        ((nu, nv), slack)
    }

    /// Whether an edge may share a point with a box; false only if it does not.
    pub(crate) fn may_meet(self, edge: &Edge, window: &Bounds) -> bool {
        if self.is_site() {
            return edge.may_meet(window);
        }
        if !self.bounds_of(edge).meets(window) {
            return false;
        }
        let Some(point) = self.point_in(window) else { return true };
        let (u, v) = self.place(point);
        let (abx, aby) = difference(edge.a, edge.b);
        let side = edge.side(point);
        let Ok(apart) = i64::try_from(side.unsigned_abs()) else { return true };
        if apart == 0 {
            return true;
        }
        let ((nu, nv), slack) = self.slanted((-aby, abx), apart);
        let reach =
            |low: i32, at: i32, high: i32| i64::from(low.abs_diff(at).max(high.abs_diff(at)));
        let to_u = reach(window.x_low, u, window.x_high);
        let to_v = reach(window.y_low, v, window.y_high);
        nu.abs().saturating_mul(to_u).saturating_add(nv.abs().saturating_mul(to_v)) > slack
    }

    /// The outline as a rectangle of this frame, if it is one but for a seam.
    pub(crate) fn fit(self, region: &Region) -> Option<Fit> {
        let Shape::Polygon(polygon) = region.shape() else { return None };
        let edges = polygon.edges_between(i32::MIN, i32::MAX);
        let outer = edges.iter().map(|edge| self.bounds_of(edge)).reduce(Bounds::joined)?;
        // Each edge lies along one side.
        let depth = |edge: &Edge| {
            let of = self.bounds_of(edge);
            let west_east = of.x_high.abs_diff(outer.x_low).min(of.x_low.abs_diff(outer.x_high));
            let south_north = of.y_high.abs_diff(outer.y_low).min(of.y_low.abs_diff(outer.y_high));
            west_east.min(south_north)
        };
        let seam = edges.iter().map(depth).max()? + 1;
        let fit = Fit { outer, seam: u8::try_from(seam).ok().filter(|_| seam <= SEAM_MAX)? };
        // No edge runs through the inner box, so it is all inside or all outside.
        let (x_mm, y_mm) = self.point_in(&fit.inner())?;
        region.contains(x_mm, y_mm).then_some(fit)
    }
}

fn narrow(wide: i64) -> i32 {
    i32::try_from(wide.clamp(i32::MIN.into(), i32::MAX.into())).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slopes() -> impl Iterator<Item = Frame> {
        (i16::MIN + 1..=i16::MAX).step_by(977).map(|slope| Frame { slope })
    }

    #[test]
    fn lengths_convert_to_no_more_and_to_no_less() {
        for frame in slopes().filter(|frame| !frame.is_site()) {
            let slope = f64::from(frame.slope) / 32_768.0;
            for length_mm in [0_u32, 1, 300, 65_000, 2_000_000_000] {
                let exact = f64::from(length_mm) * (1.0 + slope * slope).sqrt();
                let (most, least) =
                    (frame.at_most(length_mm.into()), frame.at_least(length_mm.into()));
                #[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "small")]
                let (most, least) = (most as f64, least as f64);
                assert!(most <= exact && exact <= least, "{frame:?}: {most} {exact} {least}");
                assert!(least - most <= exact * 0.05 + 15.0, "{frame:?}: {most} to {least}");
            }
        }
    }

    #[test]
    fn what_lies_in_a_box_lies_in_its_box_in_the_other_frame() {
        for frame in slopes() {
            for (x_mm, y_mm) in [(0, 0), (12_345, -678), (-1_000_000_000, 999_999_999)] {
                let around = Bounds::around(x_mm, y_mm, 40);
                let turned = frame.bounds_round(&around);
                let back = frame.site_bounds(&turned);
                assert!(back.holds(&around), "{frame:?}: {around:?} {back:?}");
                for corner in around.corners() {
                    let (u, v) = frame.place(corner);
                    assert!(turned.contains(u, v), "{frame:?}: {corner:?}");
                }
                let (x_mm, y_mm) = frame.point_in(&turned).expect("a box of 80 mm has a middle");
                assert!(around.grown(5, 5).contains(x_mm, y_mm), "{frame:?}");
            }
        }
    }
}
