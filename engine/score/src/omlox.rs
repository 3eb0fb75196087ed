//! Judges that keep to the words of others: the plain test, and the fences of the omlox hub API 2.0.0.
//!
//! A fence is entered at once. It is left by the first of two deadlines, which fall due without a further
//! position: the tolerance timeout, from the first position outside but within the exit tolerance on, and the
//! exit delay, from the first one beyond it on. A position inside stops both, one within the tolerance the
//! latter. Written apart from `ach-geo`'s gates.

use ach_actors_model::NS_PER_S;
use ach_geo::Region;

use crate::ground::Side;
use crate::matching::Report;

/// The gates of an omlox fence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OmloxFence {
    /// How far outside somebody may be and still count as in.
    pub exit_tolerance_mm: u64,
    /// How long.
    pub tolerance_timeout_ns: u64,
    /// How long somebody beyond that still counts as in.
    pub exit_delay_ns: u64,
}

impl OmloxFence {
    /// The values that the standard's own API description has as examples of the three fields.
    pub const USUAL: OmloxFence = OmloxFence {
        exit_tolerance_mm: 2_000,
        tolerance_timeout_ns: 5 * NS_PER_S,
        exit_delay_ns: NS_PER_S / 10,
    };
    /// The standard's defaults: nothing is waited for, which is the plain inside or outside test of each ping.
    pub const PLAIN: OmloxFence =
        OmloxFence { exit_tolerance_mm: 0, tolerance_timeout_ns: 0, exit_delay_ns: 0 };
}

/// One mover and one fence.
#[derive(Debug, Clone)]
pub(crate) struct FenceJudge {
    fence: OmloxFence,
    is_in: bool,
    tolerance_due_ns: Option<u64>,
    delay_due_ns: Option<u64>,
    heard: u32,
    reports: Vec<Report>,
}

impl FenceJudge {
    pub(crate) fn new(fence: OmloxFence) -> FenceJudge {
        FenceJudge {
            fence,
            is_in: false,
            tolerance_due_ns: None,
            delay_due_ns: None,
            heard: 0,
            reports: Vec::new(),
        }
    }

    /// Takes a position.
    pub(crate) fn hear(&mut self, at_ns: u64, (x_mm, y_mm): (i32, i32), region: &Region) {
        self.wake_up(at_ns);
        if region.contains(x_mm, y_mm) {
            (self.tolerance_due_ns, self.delay_due_ns) = (None, None);
            if !self.is_in {
                self.is_in = true;
                self.tell(Side::In, at_ns);
            }
        } else if self.is_in {
            let fence = self.fence;
            if fence.exit_tolerance_mm > 0 && region.is_within(x_mm, y_mm, fence.exit_tolerance_mm)
            {
                self.tolerance_due_ns.get_or_insert(at_ns + fence.tolerance_timeout_ns);
                self.delay_due_ns = None;
            } else {
                self.delay_due_ns.get_or_insert(at_ns + fence.exit_delay_ns);
            }
            // What is not waited for is so at this very position.
            self.wake_up(at_ns);
        }
        self.heard += 1;
    }

    /// What it has told, to the end of the life.
    pub(crate) fn finish(mut self, end_ns: u64) -> Vec<Report> {
        self.wake_up(end_ns);
        self.reports
    }

    fn wake_up(&mut self, now_ns: u64) {
        let due_ns = [self.tolerance_due_ns, self.delay_due_ns].into_iter().flatten().min();
        if let Some(due_ns) = due_ns.filter(|due_ns| *due_ns <= now_ns) {
            (self.tolerance_due_ns, self.delay_due_ns) = (None, None);
            self.is_in = false;
            self.tell(Side::Out, due_ns);
        }
    }

    fn tell(&mut self, side: Side, at_ns: u64) {
        self.reports.push(Report { side, at_ns, pings_before: self.heard });
    }
}

#[cfg(test)]
mod tests {
    use ach_geo::Outline;

    use super::*;

    /// Positions on a line, one a second; `-` is a lost one. The fence is inside from 0 on down.
    #[track_caller]
    fn check(fence: OmloxFence, told_mm: &str, expected: &[(Side, u64, u32)]) {
        let outer_mm = vec![(-10_000, -10_000), (0, -10_000), (0, 10_000), (-10_000, 10_000)];
        let outline = Outline::Polygon { outer_mm, holes_mm: vec![] };
        let region = Region::new(outline, None, None).unwrap();
        let mut judge = FenceJudge::new(fence);
        let mut at_ns = 0;
        for word in told_mm.split(' ') {
            if let Ok(x_mm) = word.parse() {
                judge.hear(at_ns, (x_mm, 0), &region);
            }
            at_ns += NS_PER_S;
        }
        let reports = judge.finish(at_ns);
        let found: Vec<(Side, u64, u32)> = reports
            .iter()
            .map(|report| (report.side, report.at_ns / 100_000_000, report.pings_before))
            .collect();
        assert_eq!(found, expected, "{told_mm}");
    }

    #[test]
    fn the_plain_test_believes_every_ping() {
        use Side::{In, Out};
        let plain = OmloxFence::PLAIN;
        check(plain, "-5 1 -5 -5", &[(In, 0, 0), (Out, 10, 1), (In, 20, 2)]);
        check(plain, "-5 - 1 0", &[(In, 0, 0), (Out, 20, 1), (In, 30, 2)]);
    }

    #[test]
    fn a_fence_of_omlox_waits_for_the_first_of_its_deadlines() {
        use Side::{In, Out};
        let usual = OmloxFence::USUAL;
        // Back within the tolerance timeout.
        check(usual, "-5 9 9 9 -5 9 9 9 9 -5", &[(In, 0, 0)]);
        // Outside for longer; the ping that comes at that moment is not waited for.
        check(usual, "-5 9 9 9 9 9 9 9", &[(In, 0, 0), (Out, 60, 6)]);
        // Beyond: a tenth of a second later, though nothing is heard.
        check(usual, "-5 3000 - - -5", &[(In, 0, 0), (Out, 11, 2), (In, 40, 2)]);
        check(usual, "-5 1999 2001 -5", &[(In, 0, 0), (Out, 21, 3), (In, 30, 3)]);
    }
}
