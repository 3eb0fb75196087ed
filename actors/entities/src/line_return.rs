//! Whoever left by a line and may have come back unseen: what it takes to be back.
//!
//! A path that is seen crosses the line inward, and that ends the alarm. One who was not heard for
//! longer than a path is believed over may be within again all the same. Several positions well
//! inside the line, one after the other, say so; without such a gap they do not, for one whose every
//! step was seen and who never crossed the line has gone round its end.
//!
//! Positions err together, and an alarm that is ended for somebody who is outside is worse than one
//! that stands for somebody who is back. So for a while it stays in doubt whether he is: found
//! outside meanwhile, he has left, though nobody saw him cross the line again.

use ach_actors_model::{Fix, LineRef, NS_PER_S, Place, RuleRef, Timestamp};
use ach_geo::{Confirm, gate};
use serde::{Deserialize, Serialize};

use crate::Outbox;
use crate::cases::Cases;
use crate::docket::Bench;
use crate::line_side::{LineSide, side_of};
use crate::site::RulePlan;
use crate::tag::ACCURACY_UNKNOWN_MM;

/// So many positions it takes at least, whatever the rule confirms by: what a locating system tells
/// of its accuracy is a guess, and one or two errors inward are common.
const INSIDE_COUNT_MIN: u8 = 3;

/// He is within, beyond doubt, when every position since this long was well inside: no error of a
/// locating system lasts as long while a person moves.
const DOUBT_NS: u64 = 60 * NS_PER_S;

/// An alarm about a line, and what was seen since the subject was out of sight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct LineReturn {
    pub(crate) rule: RuleRef,
    pub(crate) line: LineRef,
    /// Whether each of the latest positions was well inside, the latest in the lowest bit.
    inside: u8,
    /// Once the alarm has ended: the latest moment at which he was not plainly inside.
    in_doubt_since: Option<Timestamp>,
}

impl LineReturn {
    pub(crate) fn is_about(&self, rule: RuleRef, place: Place) -> bool {
        self.rule == rule && Place::Line(self.line) == place
    }

    /// Takes a position into account, and tells whether there is enough.
    fn see(&mut self, is_inside: bool, plan: &RulePlan) -> bool {
        let Confirm { needed, of } = plan.line_gates.confirm;
        let needed = needed.max(INSIDE_COUNT_MIN);
        let mask =
            u8::MAX.checked_shr(8_u32.saturating_sub(u32::from(of.max(needed)))).unwrap_or(0);
        self.inside = ((self.inside << 1) | u8::from(is_inside)) & mask;
        is_inside && self.inside.count_ones() >= u32::from(needed)
    }
}

impl Cases {
    /// Whether an upheld alarm about a line is open, or held back by leave.
    pub(crate) fn has_left_by_line(&self) -> bool {
        self.left_lines().next().is_some()
    }

    fn left_lines(&self) -> impl Iterator<Item = (RuleRef, LineRef)> {
        let notices = self.episodes.open_notices().iter().filter(|notice| !notice.is_tentative);
        let told = notices.filter_map(|notice| Some((notice.rule?, notice.place)));
        // What leave holds back ends as an alarm would.
        let left = told.chain(self.excused.iter().map(|exit| (exit.rule, exit.place)));
        left.filter_map(|(rule, place)| match place {
            Place::Line(line) => Some((rule, line)),
            _ => None,
        })
    }

    /// Whoever is outside may be inside again.
    pub(crate) fn lose_sight(&mut self) {
        let is_known = |rule, line| {
            self.line_returns.iter().any(|back| back.is_about(rule, Place::Line(line)))
        };
        let fresh = self.left_lines().filter(|&(rule, line)| !is_known(rule, line));
        let fresh =
            fresh.map(|(rule, line)| LineReturn { rule, line, inside: 0, in_doubt_since: None });
        let fresh: Vec<LineReturn> = fresh.collect();
        self.line_returns.extend(fresh);
    }

    /// Ends alarms about lines of whoever is well inside them again, after a time out of sight, and
    /// raises those anew that were ended so for one who is outside after all.
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
            let side = |tolerance_mm| side_of(&line.points_mm, &fix.position, tolerance_mm);
            // Past an end nothing is clear but for a tolerance above 0.
            let is_outside =
                is_on_its_floor && side(plan.line_tolerance_mm.max(1)) == LineSide::Outside;
            let is_inside = is_on_its_floor && side(margin_mm(plan, fix)) == LineSide::Inside;
            match back.in_doubt_since {
                None if is_outside => {} // From here on every step counts again.
                None => {
                    if back.see(is_inside, plan) {
                        are_back.push(back.rule);
                    } else {
                        self.line_returns.push(back);
                    }
                }
                Some(_) if is_outside => self.leave_unseen(&back, plan, bench, out),
                Some(since) if is_inside && fix.observed_at.since_ns(since) >= DOUBT_NS => {}
                Some(since) => {
                    let since = if is_inside { since } else { fix.observed_at };
                    self.line_returns.push(LineReturn { in_doubt_since: Some(since), ..back });
                }
            }
        }
        // By two lines of one rule he is back once.
        are_back.sort_unstable();
        are_back.dedup();
        for rule in are_back {
            self.come_in_unseen(rule, fix.observed_at, bench, out);
        }
    }

    /// Within again, by all that is known of where he is, and not seen to come.
    fn come_in_unseen(
        &mut self,
        rule: RuleRef,
        observed_at: Timestamp,
        bench: &Bench<'_>,
        out: &mut Outbox,
    ) {
        let left = self.left_lines().filter(|&(other, _)| other == rule);
        let in_doubt_since = Some(observed_at);
        let in_doubt =
            left.map(|(rule, line)| LineReturn { rule, line, inside: 0, in_doubt_since });
        let in_doubt: Vec<LineReturn> = in_doubt.collect();
        self.come_in(rule, bench, out);
        self.line_returns.extend(in_doubt);
    }

    /// Outside, though he was taken to be within: he was not, or he has left again.
    fn leave_unseen(
        &mut self,
        back: &LineReturn,
        plan: &RulePlan,
        bench: &Bench<'_>,
        out: &mut Outbox,
    ) {
        if !bench.is_in_force(plan) {
            return;
        }
        let place = Place::Line(back.line);
        let gates_passed =
            if plan.line_tolerance_mm > 0 { gate::EXIT_TOLERANCE } else { gate::LINE };
        self.leave(&bench.opening(back.rule, plan, place, gates_passed), bench, out);
    }
}

/// How far inside the line a position must be for nobody to doubt it: by its accuracy further than
/// the rule's gates want, whether or not they ask for the error circle.
fn margin_mm(plan: &RulePlan, fix: &Fix) -> u32 {
    let gates = &plan.line_gates;
    let error_mm = if fix.accuracy_mm == 0 { ACCURACY_UNKNOWN_MM } else { fix.accuracy_mm };
    gates.exit_tolerance_mm.max(gates.entry_margin_mm).saturating_add(error_mm)
}
