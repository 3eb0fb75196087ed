//! Whoever left by a line and may have come back unseen: what it takes to be back.
//!
//! A path that is seen crosses the line inward, and that ends the alarm. One who was not heard for
//! longer than a path is believed over may be within again all the same. Positions well inside the
//! line say so; without such a gap they do not, for one whose every step was seen and who never
//! crossed the line has gone round its end.

use ach_actors_model::{Fix, LineRef, Place, RuleRef};
use serde::{Deserialize, Serialize};

use crate::Outbox;
use crate::cases::Cases;
use crate::docket::Bench;
use crate::line_side::{LineSide, side_of};
use crate::site::RulePlan;

/// An alarm about a line, and what was seen since the subject was out of sight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct LineReturn {
    pub(crate) rule: RuleRef,
    pub(crate) line: LineRef,
    /// Whether each of the latest positions was well inside, the latest in the lowest bit.
    inside: u8,
}

impl LineReturn {
    pub(crate) fn is_about(&self, rule: RuleRef, place: Place) -> bool {
        self.rule == rule && Place::Line(self.line) == place
    }

    /// Takes a position into account, and tells whether there is enough.
    fn see(&mut self, is_inside: bool, plan: &RulePlan) -> bool {
        let confirm = plan.line_gates.confirm;
        let mask = u8::MAX.checked_shr(8_u32.saturating_sub(u32::from(confirm.of))).unwrap_or(0);
        self.inside = ((self.inside << 1) | u8::from(is_inside)) & mask;
        is_inside && self.inside.count_ones() >= u32::from(confirm.needed)
    }
}

impl Cases {
    /// Whether an upheld alarm about a line is open.
    pub(crate) fn has_left_by_line(&self) -> bool {
        self.left_lines().next().is_some()
    }

    fn left_lines(&self) -> impl Iterator<Item = (RuleRef, LineRef)> {
        let notices = self.episodes.open_notices().iter();
        notices.filter(|notice| !notice.is_tentative).filter_map(|notice| match notice.place {
            Place::Line(line) => Some((notice.rule?, line)),
            _ => None,
        })
    }

    /// Whoever is outside may be inside again.
    pub(crate) fn lose_sight(&mut self) {
        let is_known = |rule, line| {
            self.line_returns.iter().any(|back| back.is_about(rule, Place::Line(line)))
        };
        let fresh = self.left_lines().filter(|&(rule, line)| !is_known(rule, line));
        let fresh: Vec<LineReturn> =
            fresh.map(|(rule, line)| LineReturn { rule, line, inside: 0 }).collect();
        self.line_returns.extend(fresh);
    }

    /// Ends alarms about lines of whoever is well inside them again, after a time out of sight.
    pub(crate) fn look_within_lines(&mut self, fix: &Fix, bench: &Bench<'_>, out: &mut Outbox) {
        if self.line_returns.is_empty() {
            return;
        }
        let mut are_back: Vec<RuleRef> = Vec::new();
        for mut back in std::mem::take(&mut self.line_returns) {
            let plan = bench.plan(back.rule);
            let (Some(plan), Some(line)) = (plan, bench.turn.site.line_plan(back.line)) else {
                continue;
            };
            let is_on_its_floor = fix.position.floor == Some(line.floor);
            let side = side_of(&line.points_mm, &fix.position, margin_mm(plan, fix));
            match side {
                // Seen outside: from here on every step counts again.
                LineSide::Outside if is_on_its_floor => {}
                _ if back.see(is_on_its_floor && side == LineSide::Inside, plan) => {
                    are_back.push(back.rule);
                }
                _ => self.line_returns.push(back),
            }
        }
        for rule in are_back {
            self.come_in(rule, bench, out);
        }
    }
}

/// How far from the line a position must be to say on which side it is.
fn margin_mm(plan: &RulePlan, fix: &Fix) -> u32 {
    let gates = &plan.line_gates;
    let error_mm = if gates.error_circle { fix.accuracy_mm } else { 0 };
    // Past an end nothing is clear but for a margin above 0.
    gates.exit_tolerance_mm.max(gates.entry_margin_mm).saturating_add(error_mm).max(1)
}
