//! One straight piece of an outline or of a line, and the exact questions asked of it.
//!
//! Products of two differences of `i32` stay below 2^64, their sums below 2^65, their squares below
//! 2^127: everything is exact in `i128`, and in `i64` where the ends and the point lie within
//! [`RANGE_MM`](crate::RANGE_MM).

use std::cmp::Ordering;

use crate::bounds::Bounds;
use crate::polygon::DistanceRange;

/// A segment with its two ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Edge {
    pub(crate) a: (i32, i32),
    pub(crate) b: (i32, i32),
}

/// How an edge bears on a ray that goes east from a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ray {
    /// The ray misses it.
    Misses,
    /// The ray crosses it.
    Crosses,
    /// The point lies on it.
    OnEdge,
}

impl Edge {
    /// The box round it.
    pub(crate) fn bounds(&self) -> Bounds {
        Bounds::spanned(self.a, self.b)
    }

    /// Whether it may share a point with the box; false only if it does not.
    pub(crate) fn may_meet(&self, window: &Bounds) -> bool {
        if !self.bounds().meets(window) {
            return false;
        }
        let sides = window.corners().map(|corner| self.side(corner));
        !sides.iter().all(|side| *side > 0) && !sides.iter().all(|side| *side < 0)
    }

    /// Twice the signed area of the triangle edge and point: positive if the point lies to the
    /// left when going from `a` to `b`.
    pub(crate) fn side(&self, point: (i32, i32)) -> i128 {
        let (abx, aby) = difference(self.a, self.b);
        let (apx, apy) = difference(self.a, point);
        i128::from(abx) * i128::from(apy) - i128::from(aby) * i128::from(apx)
    }

    /// The even-odd step of containment. The edge's lower end belongs to it, its upper end to the
    /// next edge, so a ray through a vertex is counted once.
    pub(crate) fn ray_east(&self, x_mm: i32, y_mm: i32) -> Ray {
        let (above_a, above_b) = (self.a.1 > y_mm, self.b.1 > y_mm);
        if above_a == above_b {
            let touches = y_mm == self.a.1
                && ((x_mm == self.a.0)
                    || (y_mm == self.b.1
                        && self.a.0.min(self.b.0) <= x_mm
                        && x_mm <= self.a.0.max(self.b.0)));
            return if touches { Ray::OnEdge } else { Ray::Misses };
        }
        if x_mm < self.a.0.min(self.b.0) {
            return Ray::Crosses;
        }
        if self.a.0.max(self.b.0) < x_mm {
            return Ray::Misses;
        }
        // The point lies in the edge's box, so both products are below 2^63.
        let (abx, aby) = difference(self.a, self.b);
        let (apx, apy) = difference(self.a, (x_mm, y_mm));
        let (across, along) = (apx * aby, abx * apy);
        match across.cmp(&along) {
            Ordering::Equal => Ray::OnEdge,
            order => {
                if (order == Ordering::Less) == (aby > 0) {
                    Ray::Crosses
                } else {
                    Ray::Misses
                }
            }
        }
    }

    /// How far a point that is in range lies from the edge: both ends to within a millimetre or, on
    /// edges shorter than their distance, to within the same part of it.
    pub(crate) fn distance(&self, point: (i32, i32)) -> DistanceRange {
        let (abx, aby) = difference(self.a, self.b);
        let (apx, apy) = difference(self.a, point);
        let (bpx, bpy) = difference(self.b, point);
        // In range, so products are below 4.1e18 and their sums below 8.2e18.
        let along = apx * abx + apy * aby;
        let squared_length = abx * abx + aby * aby;
        let root = |x: i64, y: i64| (x * x + y * y).unsigned_abs().isqrt();
        if along <= 0 {
            let least_mm = root(apx, apy);
            return DistanceRange { least_mm, most_mm: least_mm + 1 };
        }
        if squared_length <= along {
            let least_mm = root(bpx, bpy);
            return DistanceRange { least_mm, most_mm: least_mm + 1 };
        }
        let across = (abx * apy - aby * apx).unsigned_abs();
        let length_mm = squared_length.unsigned_abs().isqrt().max(1);
        DistanceRange { least_mm: across / (length_mm + 1), most_mm: across / length_mm + 1 }
    }

    /// Compares the distance from the point to the edge with a length, without a square root.
    pub(crate) fn compare_distance(&self, point: (i32, i32), length_mm: u64) -> Ordering {
        let (gap_x, gap_y) = self.bounds().gap_mm(point.0, point.1);
        if gap_x > length_mm || gap_y > length_mm {
            return Ordering::Greater;
        }
        let (abx, aby) = wide(difference(self.a, self.b));
        let (apx, apy) = wide(difference(self.a, point));
        let (bpx, bpy) = wide(difference(self.b, point));
        let limit = i128::from(length_mm).saturating_mul(i128::from(length_mm));
        let along = apx * abx + apy * aby;
        let squared_length = abx * abx + aby * aby;
        if along <= 0 {
            return (apx * apx + apy * apy).cmp(&limit);
        }
        if squared_length <= along {
            return (bpx * bpx + bpy * bpy).cmp(&limit);
        }
        // Squared distance is across^2 / length^2. The right side may saturate at 2^127 - 1, which
        // is still above any left side.
        let across = abx * apy - aby * apx;
        (across * across).cmp(&limit.saturating_mul(squared_length))
    }
}

/// From `a` to `b`.
pub(crate) fn difference(a: (i32, i32), b: (i32, i32)) -> (i64, i64) {
    (i64::from(b.0) - i64::from(a.0), i64::from(b.1) - i64::from(a.1))
}

fn wide(vector: (i64, i64)) -> (i128, i128) {
    (i128::from(vector.0), i128::from(vector.1))
}
