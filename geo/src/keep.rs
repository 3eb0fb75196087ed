//! What a box must keep to, so that the answer of one watch stays as it is.
//!
//! An answer hangs on the distance from the position to the region (positive outside, negative
//! inside), the height and the accuracy, through thresholds only. So each state of a mover and a
//! watch that a like position leaves as it is asks for one or two of: distance at most so much;
//! distance more than so much; height within a band or off it. A box that keeps to these for every
//! watch, and off every line, is safe. Where the circle of accuracy counts, a part of the slack is
//! left to the accuracy and the rest to the box.
//!
//! All here is conservative: a box may come out too small, and empty if need be. What is asked of a
//! watch is asked in the site's frame, and exactly; what is cut is cut in the frame of the box, off
//! more than the region or to less.

use crate::bounds::Bounds;
use crate::box_cutter::{BoxCutter, REACH_MM};
use crate::membership::{Membership, NEVER_NS, Standing, blur_mm, tolerance_ns};
use crate::polygon::DistanceRange;
use crate::post::Post;
use crate::region::Shape;

/// Longest distance that a threshold is looked for at; beyond, no box is made. Squares of twice as
/// much fit in 64 bits.
const THRESHOLD_MAX_MM: u64 = 1 << 31;
/// What is left to an accuracy, of an unknown one.
const ACCURACY_ROOM_MM: u64 = 256;

/// Everything within `radius_mm` of a rectangle or, with both ends the same, of a point.
#[derive(Debug, Clone, Copy)]
struct Rounded {
    core: Bounds,
    radius_mm: u64,
}

impl BoxCutter {
    /// Keeps a mover that is in where it stands.
    fn keep_standing(&mut self, watch: &Post, standing: Standing) {
        let gates = &watch.gates;
        if !watch.matches(&self.seen.position) {
            return self.keep_mismatch(watch);
        }
        if let (Some(height), true) = (watch.height(), standing != Standing::Beyond) {
            self.stay_in_height(height);
        }
        let tolerance_mm = u64::from(gates.exit_tolerance_mm);
        let is_endless = tolerance_ns(gates) == NEVER_NS;
        match standing {
            Standing::Inside | Standing::Blurred if !is_endless => self.stay_near(watch, 0),
            Standing::Inside | Standing::Blurred => self.stay_near(watch, tolerance_mm),
            Standing::Tolerated => {
                if !is_endless {
                    self.stay_far(watch, 0);
                }
                self.stay_near(watch, tolerance_mm);
            }
            Standing::Beyond => self.stay_far(watch, tolerance_mm),
        }
    }

    /// Keeps to what a member of a watch stands for.
    pub(crate) fn keep_member(&mut self, watch: &Post, member: &Membership) {
        if member.may_learn_floor(watch, &self.seen) && member.standing == Standing::Tolerated {
            // Like one inside, if the tolerance has no end, but for this.
            return self.give_up();
        }
        match (member.is_in(), member.standing) {
            (true, standing) => self.keep_standing(watch, standing),
            (false, Standing::Inside) => self.keep_deep(watch),
            (false, _) => self.keep_out(watch),
        }
    }

    /// Keeps a mover deep enough inside to show entry.
    fn keep_deep(&mut self, watch: &Post) {
        let gates = &watch.gates;
        if let Some(height) = watch.height() {
            self.stay_in_height(height);
        }
        let margin_mm = u64::from(gates.entry_margin_mm);
        if !gates.error_circle {
            return self.keep_deeper(watch, margin_mm);
        }
        let accuracy_mm = u64::from(self.seen.accuracy_mm);
        let far_mm = (margin_mm + accuracy_mm) * 2 + ACCURACY_ROOM_MM;
        let depth_mm = distance(watch, self.point(), far_mm).least_mm;
        let slack_mm = depth_mm.saturating_sub(margin_mm + accuracy_mm);
        let room_mm = (slack_mm / 2).min(accuracy_mm.max(ACCURACY_ROOM_MM));
        self.limit_accuracy_to(narrow(accuracy_mm + room_mm));
        self.keep_deeper(watch, margin_mm + accuracy_mm + room_mm);
    }

    /// Keeps the depth inside a region at `depth_mm` or above.
    fn keep_deeper(&mut self, watch: &Post, depth_mm: u64) {
        if depth_mm == 0 {
            return self.keep_within(watch, 0);
        }
        if let Some(fit) = watch.fit_in(self.frame) {
            return self.stay_within(&fit.inner().shrunk(self.frame.at_least(depth_mm)));
        }
        if let Shape::Circle { center_mm, radius_mm } = watch.shape() {
            let radius_mm = u64::from(*radius_mm).saturating_sub(depth_mm);
            return self.stay_in(&self.disc(*center_mm, self.frame.at_most(radius_mm)));
        }
        let far_mm = depth_mm + u64::from(REACH_MM.unsigned_abs());
        let free_mm = distance(watch, self.point(), far_mm).least_mm;
        self.stay_within(&self.square(free_mm.saturating_sub(depth_mm)));
    }

    /// Keeps a mover out that is not in and shows no entry.
    pub(crate) fn keep_out(&mut self, watch: &Post) {
        let gates = &watch.gates;
        let (x_mm, y_mm) = self.point();
        let margin_mm = u64::from(gates.entry_margin_mm);
        if !watch.is_deep_inside(x_mm, y_mm, margin_mm) {
            return self.keep_beyond(watch, -signed(margin_mm));
        }
        let accuracy_mm = blur_mm(gates, &self.seen);
        if watch.is_deep_inside(x_mm, y_mm, margin_mm + accuracy_mm) {
            return self.keep_mismatch(watch);
        }
        // Deep enough for a point, not for its circle.
        let depth_mm = distance(watch, (x_mm, y_mm), margin_mm + accuracy_mm).least_mm;
        let slack_mm = (margin_mm + accuracy_mm).saturating_sub(depth_mm);
        let least_mm = accuracy_mm - (slack_mm / 2).min(accuracy_mm);
        self.demand_accuracy_of(narrow(least_mm));
        self.keep_beyond(watch, -signed(margin_mm + least_mm));
    }

    /// Floor or height says no, and goes on saying so. The floor does by itself.
    fn keep_mismatch(&mut self, watch: &Post) {
        let floors = watch.floor().zip(self.seen.position.floor);
        if floors.is_some_and(|(ours, theirs)| ours != theirs) {
            return;
        }
        match watch.height() {
            Some(height) => self.stay_off_height(height),
            None => self.give_up(),
        }
    }

    /// Stays within `reach_mm` and the accuracy of a region.
    fn stay_near(&mut self, watch: &Post, reach_mm: u64) {
        let (x_mm, y_mm) = self.point();
        let accuracy_mm = blur_mm(&watch.gates, &self.seen);
        if accuracy_mm == 0 || watch.is_within(x_mm, y_mm, reach_mm) {
            return self.keep_within(watch, reach_mm);
        }
        let most_mm = distance(watch, (x_mm, y_mm), reach_mm + accuracy_mm).most_mm;
        let slack_mm = (reach_mm + accuracy_mm).saturating_sub(most_mm);
        let least_mm = accuracy_mm - (slack_mm / 2).min(accuracy_mm);
        self.demand_accuracy_of(narrow(least_mm));
        self.keep_within(watch, reach_mm + least_mm);
    }

    /// Stays further than `reach_mm` and the accuracy from a region.
    fn stay_far(&mut self, watch: &Post, reach_mm: u64) {
        if !watch.gates.error_circle {
            return self.keep_beyond(watch, signed(reach_mm));
        }
        let accuracy_mm = u64::from(self.seen.accuracy_mm);
        let far_mm = (reach_mm + accuracy_mm).saturating_mul(2).saturating_add(ACCURACY_ROOM_MM);
        let least_mm = distance(watch, self.point(), far_mm).least_mm;
        let slack_mm = least_mm.saturating_sub(reach_mm + accuracy_mm);
        let room_mm = (slack_mm / 2).min(accuracy_mm.max(ACCURACY_ROOM_MM));
        self.limit_accuracy_to(narrow(accuracy_mm + room_mm));
        self.keep_beyond(watch, signed(reach_mm + accuracy_mm + room_mm));
    }

    /// Keeps the distance to a region at `reach_mm` or below.
    fn keep_within(&mut self, watch: &Post, reach_mm: u64) {
        if let Some(fit) = watch.fit_in(self.frame) {
            let core = fit.inner();
            if reach_mm == 0 {
                return self.stay_within(&core);
            }
            return self.stay_in(&Rounded { core, radius_mm: self.frame.at_most(reach_mm) });
        }
        if let Shape::Circle { center_mm, radius_mm } = watch.shape() {
            let radius_mm = self.frame.at_most(u64::from(*radius_mm) + reach_mm);
            return self.stay_in(&self.disc(*center_mm, radius_mm));
        }
        self.stay_in_polygon(watch, reach_mm);
    }

    /// Keeps the distance to a region above `reach_mm`; a negative one is a depth.
    fn keep_beyond(&mut self, watch: &Post, reach_mm: i64) {
        let outward_mm = u64::try_from(reach_mm).unwrap_or(0);
        let inward_mm = reach_mm.min(0).unsigned_abs();
        let radius_mm = if outward_mm == 0 { 0 } else { self.frame.at_least(outward_mm) };
        if let Some(fit) = watch.fit_in(self.frame) {
            let core = fit.outer.shrunk(self.frame.at_most(inward_mm));
            if core.room() > 0 {
                self.stay_off(&Rounded { core, radius_mm });
            }
            return;
        }
        if let Shape::Circle { center_mm, radius_mm } = watch.shape() {
            // Nowhere is deeper than the middle.
            let radius_mm = (u64::from(*radius_mm) + outward_mm).checked_sub(inward_mm);
            if let Some(radius_mm) = radius_mm {
                self.stay_off(&self.disc(*center_mm, self.frame.at_least(radius_mm)));
            }
            return;
        }
        let (x_mm, y_mm) = self.point();
        if watch.bounds().is_within(x_mm, y_mm, outward_mm) {
            self.stay_off_polygon(watch, reach_mm);
        } else {
            let core = if self.frame.is_site() {
                watch.bounds()
            } else {
                watch.region.bounds_in(self.frame)
            };
            self.stay_off(&Rounded { core, radius_mm });
        }
    }

    /// A disc of the plane, with its radius in the frame.
    fn disc(&self, center_mm: (i32, i32), radius_mm: u64) -> Rounded {
        let center = self.frame.place(center_mm);
        Rounded { core: Bounds::spanned(center, center), radius_mm }
    }

    /// Inside, the edges or the reach beyond them limit the box; outside, the reach.
    fn stay_in_polygon(&mut self, watch: &Post, reach_mm: u64) {
        let (x_mm, y_mm) = self.point();
        let is_inside = watch.contains(x_mm, y_mm);
        let mut square = Bounds::EMPTY;
        if reach_mm > 0 {
            let range = distance(watch, (x_mm, y_mm), reach_mm.max(REACH_MM.unsigned_abs().into()));
            let free_mm = if is_inside {
                reach_mm + range.least_mm
            } else {
                reach_mm.saturating_sub(range.most_mm)
            };
            square = self.square(free_mm);
        }
        self.keep_off_edges_or(watch, is_inside, square);
    }

    /// Outside, the edges limit the box, or the reach if it is negative; inside, the depth does.
    fn stay_off_polygon(&mut self, watch: &Post, reach_mm: i64) {
        let (x_mm, y_mm) = self.point();
        let is_outside = !watch.contains(x_mm, y_mm);
        let mut square = Bounds::EMPTY;
        if reach_mm != 0 {
            let far_mm = reach_mm.unsigned_abs() + u64::from(REACH_MM.unsigned_abs());
            let range = distance(watch, (x_mm, y_mm), far_mm);
            let distance_mm =
                if is_outside { signed(range.least_mm) } else { -signed(range.most_mm) };
            square = self.square(u64::try_from(distance_mm.saturating_sub(reach_mm)).unwrap_or(0));
        }
        self.keep_off_edges_or(watch, is_outside && reach_mm <= 0, square);
    }

    /// Keeps off all edges, if that does, or stays in a square, whichever has more room.
    fn keep_off_edges_or(&mut self, watch: &Post, may_keep_off: bool, square: Bounds) {
        let before = self.bounds;
        if may_keep_off {
            let Bounds { y_low, y_high, .. } = self.frame.site_bounds(&before);
            for edge in watch.region.edges_between(y_low, y_high).as_ref() {
                self.keep_off_edge(edge);
            }
        } else {
            self.give_up();
        }
        let square = before.shared(&square);
        if self.is_empty() || self.bounds.room() < square.room() {
            self.bounds = square;
        }
    }

    /// The square about the position all of which is nearer to it than `free_mm`.
    fn square(&self, free_mm: u64) -> Bounds {
        let (x_mm, y_mm) = self.place();
        // 7/10 is a little less than the half of the root of two.
        match free_mm.checked_sub(1 + self.frame.blur()) {
            Some(free_mm) => {
                let half_mm = i32::try_from(free_mm.saturating_mul(7) / 10).unwrap_or(REACH_MM);
                Bounds::around(x_mm, y_mm, half_mm)
            }
            None => Bounds::EMPTY,
        }
    }

    /// Stays in a rounded rectangle that holds the position: in a rectangle that it holds.
    fn stay_in(&mut self, rounded: &Rounded) {
        let Rounded { core, radius_mm } = *rounded;
        let (x_mm, y_mm) = self.place();
        let (gap_x, gap_y) = core.gap_mm(x_mm, y_mm);
        let radius_mm = radius_mm.min(THRESHOLD_MAX_MM);
        if gap_x > radius_mm || gap_y > radius_mm {
            return self.give_up();
        }
        if gap_x == 0 && gap_y == 0 {
            let even = radius_mm * 7 / 10;
            return self.stay_within(&core.grown(even, even));
        }
        if gap_x == 0 || gap_y == 0 {
            // Beside one side of the core, and on that side as far as it goes.
            let (to_x, to_y) = if gap_x == 0 { (0, radius_mm) } else { (radius_mm, 0) };
            return self.stay_within(&core.grown(to_x, to_y));
        }
        // Whatever it reaches to the sides, so high it may be there.
        let other = |reach: u64| (radius_mm * radius_mm - reach * reach).isqrt();
        let even = (radius_mm * 7 / 10).max(gap_x);
        let reaches = [(gap_x, other(gap_x)), (even, other(even)), (other(gap_y), gap_y)];
        self.stay_within_one(&reaches.map(|(to_x, to_y)| core.grown(to_x, to_y)));
    }

    /// Stays off a rounded rectangle that does not hold the position.
    fn stay_off(&mut self, rounded: &Rounded) {
        let Rounded { core, radius_mm } = *rounded;
        let (x_mm, y_mm) = self.place();
        if radius_mm >= THRESHOLD_MAX_MM {
            return self.give_up();
        }
        let around = core.grown(radius_mm, radius_mm);
        if !around.contains(x_mm, y_mm) {
            return self.stay_beside(&around);
        }
        if !self.bounds.meets(&around) {
            return;
        }
        let (gap_x, gap_y) = core.gap_mm(x_mm, y_mm);
        let distance_mm = (gap_x * gap_x + gap_y * gap_y).isqrt();
        // Beyond a corner. What lies within the one gap or the other of the core is a cross, and
        // the rest of the box's side of it is a quadrant that begins beyond the rounding.
        let beyond = |reach: u64| (radius_mm * radius_mm - reach * reach).isqrt() + 1;
        let step_mm = (distance_mm.saturating_sub(radius_mm + 1) * 7 / 10).min(gap_x).min(gap_y);
        let reaches =
            [(gap_x, beyond(gap_x)), (beyond(gap_y), gap_y), (gap_x - step_mm, gap_y - step_mm)];
        let quadrant = |(from_x, from_y): (u64, u64)| {
            let near = core.grown(from_x.saturating_sub(1), from_y.saturating_sub(1));
            let mut part = self.bounds;
            if from_x > 0 && x_mm < core.x_low {
                part.x_high = part.x_high.min(near.x_low.saturating_sub(1));
            } else if from_x > 0 {
                part.x_low = part.x_low.max(near.x_high.saturating_add(1));
            }
            if from_y > 0 && y_mm < core.y_low {
                part.y_high = part.y_high.min(near.y_low.saturating_sub(1));
            } else if from_y > 0 {
                part.y_low = part.y_low.max(near.y_high.saturating_add(1));
            }
            part
        };
        let is_beyond =
            |(to_x, to_y): &(u64, u64)| to_x * to_x + to_y * to_y > radius_mm * radius_mm;
        let parts =
            reaches.map(|reach| if is_beyond(&reach) { quadrant(reach) } else { Bounds::EMPTY });
        self.stay_within_one(&parts);
    }
}

/// Whether inside or outside, how far a point is from the outline: see [`Polygon::distance`].
fn distance(watch: &Post, (x_mm, y_mm): (i32, i32), reach_mm: u64) -> DistanceRange {
    let exact = |least_mm: u64| DistanceRange { least_mm, most_mm: least_mm + 1 };
    match watch.shape() {
        Shape::Polygon(polygon) => polygon.distance((x_mm, y_mm), reach_mm),
        Shape::Rectangle => {
            let bounds = watch.bounds();
            let (gap_x, gap_y) = bounds.gap_mm(x_mm, y_mm);
            if gap_x > 0 || gap_y > 0 {
                return exact((gap_x * gap_x + gap_y * gap_y).isqrt());
            }
            exact(bounds.depth_mm(x_mm, y_mm))
        }
        Shape::Circle { center_mm, radius_mm } => {
            let gap_x = u64::from(center_mm.0.abs_diff(x_mm));
            let gap_y = u64::from(center_mm.1.abs_diff(y_mm));
            let from_center_mm = (gap_x * gap_x + gap_y * gap_y).isqrt();
            let apart_mm = from_center_mm.abs_diff(u64::from(*radius_mm));
            DistanceRange { least_mm: apart_mm.saturating_sub(1), most_mm: apart_mm + 1 }
        }
    }
}

fn signed(mm: u64) -> i64 {
    i64::try_from(mm).unwrap_or(i64::MAX)
}

fn narrow(mm: u64) -> u32 {
    u32::try_from(mm).unwrap_or(u32::MAX)
}
