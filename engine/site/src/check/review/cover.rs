//! Which of two rules asks for more before it says something.

use ach_geo::{Confirm, Gates};

use super::{Review, Reviewed};
use crate::What;

/// How the evidence that two rules of one kind ask for compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Evidence {
    /// Both ask for the same.
    Same,
    /// The first asks for more: whenever it has enough, the second has.
    More,
    /// The second does.
    Less,
    /// Each may have enough without the other.
    Other,
}

impl Review<'_> {
    /// Compares what two rules of one kind ask for, at the places of the first: its zones if the second
    /// watches zones too, and likewise its lines. `None` when that takes too many steps.
    pub(super) fn evidence(&self, a: &Reviewed<'_>, b: &Reviewed<'_>) -> Option<Evidence> {
        let mut as_strict = threshold(a.plan.what) >= threshold(b.plan.what);
        let mut as_lax = threshold(a.plan.what) <= threshold(b.plan.what);
        let (ours, theirs) = (a.plan.answer.delays.on_ns, b.plan.answer.delays.on_ns);
        as_strict &= ours >= theirs;
        as_lax &= ours <= theirs;
        // A rule that lets a door stand open while its lock is drawn back holds back more.
        as_strict &= excuses_unlocked(a.plan.what) || !excuses_unlocked(b.plan.what);
        as_lax &= excuses_unlocked(b.plan.what) || !excuses_unlocked(a.plan.what);
        // Who is nearer is near, and who is further apart is apart.
        let is_as_narrow = |ours: What, theirs: What| {
            let ((near, far), (other_near, other_far)) = (reach(ours), reach(theirs));
            near <= other_near && far <= other_far
        };
        as_strict &= is_as_narrow(a.plan.what, b.plan.what);
        as_lax &= is_as_narrow(b.plan.what, a.plan.what);
        if a.plan.what.has_gates() {
            let mut compare = |ours: Gates, theirs: Gates| {
                as_strict &= is_as_strict(a.plan.what, &ours, &theirs);
                as_lax &= is_as_strict(a.plan.what, &theirs, &ours);
            };
            if !a.places.zones.is_empty() && !b.places.zones.is_empty() {
                match (a.plan.gates, b.plan.gates) {
                    (None, None) => {}
                    (Some(ours), Some(theirs)) => compare(ours, theirs),
                    _ => {
                        if !self.steps.take(a.places.zones.len()) {
                            return None;
                        }
                        for &zone in &a.places.zones {
                            compare(self.gates_of(a.plan, zone), self.gates_of(b.plan, zone));
                        }
                    }
                }
            }
            if !a.places.lines.is_empty() && !b.places.lines.is_empty() {
                // Of a rule's gates lines take this one, and of zones' gates none.
                let beyond = |rule: &Reviewed<'_>| {
                    rule.plan.gates.map_or(0, |gates| gates.exit_tolerance_mm)
                };
                as_strict &= beyond(a) >= beyond(b);
                as_lax &= beyond(a) <= beyond(b);
            }
        }
        Some(match (as_strict, as_lax) {
            (true, true) => Evidence::Same,
            (true, false) => Evidence::More,
            (false, true) => Evidence::Less,
            (false, false) => Evidence::Other,
        })
    }
}

/// How much a rule waits for: more is later.
fn threshold(what: What) -> u64 {
    match what {
        // A battery is at ten percent after it was at twenty.
        What::BatteryLow { percent } | What::DoorBatteryLow { percent } => {
            u64::from(100_u8.saturating_sub(percent))
        }
        what => what.after_ns().unwrap_or(0),
    }
}

/// How near a meeting begins and how far it goes on.
fn reach(what: What) -> (u32, u32) {
    match what {
        What::Meets { within_mm, apart_mm, .. } => (within_mm, apart_mm),
        // What is elsewhere by a wide circle is elsewhere by a narrow one.
        What::BadgeElsewhere { within_mm } => (u32::MAX - within_mm, 0),
        _ => (0, 0),
    }
}

fn excuses_unlocked(what: What) -> bool {
    matches!(what, What::DoorHeld { also_unlocked: false, .. })
}

/// Whether the first gates hold back whatever the second hold back. Where that cannot be said field by
/// field, they do not.
fn is_as_strict(what: What, a: &Gates, b: &Gates) -> bool {
    if matches!(what, What::Away { .. }) {
        // They say both when it is gone and when it is back.
        return a == b;
    }
    // The gates that make an entry sure hold back the exit, too. Where it counts for how long somebody is
    // there, surer is therefore not later: a stay that one outlier ends by the one goes on by the other.
    let lasts = match what {
        What::Stays { .. } => true,
        What::Inside => a.dwell_ns.is_some() || b.dwell_ns.is_some(),
        _ => false,
    };
    let is_sure = if lasts {
        a.confirm == b.confirm && a.error_circle == b.error_circle
    } else {
        is_as_sure(a.confirm, b.confirm) && (a.error_circle || !b.error_circle)
    };
    let is_deeper = a.entry_margin_mm >= b.entry_margin_mm && is_sure;
    if what == What::Leaves {
        // Silence is no leaving: the fence timeout counts as one of the tolerance.
        let tolerated = |gates: &Gates| match gates.tolerance_timeout_ns {
            Some(ns) if ns > 0 => Some(ns),
            _ => gates.fence_timeout_ns,
        };
        // How long somebody may be just outside. Without a tolerance that is outside.
        let waits = |gates: &Gates| match gates.exit_tolerance_mm {
            0 => gates.exit_delay_ns,
            _ => tolerated(gates).unwrap_or(u64::MAX),
        };
        return is_deeper
            && a.exit_tolerance_mm >= b.exit_tolerance_mm
            && a.exit_delay_ns >= b.exit_delay_ns
            && waits(a) >= waits(b);
    }
    let dwell = |gates: &Gates| match what {
        What::Inside => gates.dwell_ns,
        _ => None,
    };
    is_deeper
        && dwell(a) >= dwell(b)
        && a.exit_tolerance_mm == b.exit_tolerance_mm
        && a.exit_delay_ns == b.exit_delay_ns
        && a.tolerance_timeout_ns == b.tolerance_timeout_ns
        && a.fence_timeout_ns == b.fence_timeout_ns
}

/// Whether the second is sure whenever the first is.
fn is_as_sure(a: Confirm, b: Confirm) -> bool {
    b.needed <= 1 || (a.needed >= b.needed && a.of <= b.of)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gates_that_hold_back_more_are_stricter() {
        let plain = Gates::default();
        let twice = Gates { confirm: Confirm { needed: 2, of: 3 }, ..plain };
        let sure = Gates { confirm: Confirm { needed: 3, of: 3 }, ..plain };
        let many = Gates { confirm: Confirm { needed: 3, of: 5 }, ..plain };
        let deep = Gates { entry_margin_mm: 500, ..plain };
        let far = Gates { exit_tolerance_mm: 1_000, ..plain };
        let brief = Gates { tolerance_timeout_ns: Some(5), ..far };
        let silent = Gates { fence_timeout_ns: Some(5), ..far };
        let slow = Gates { exit_delay_ns: 5, ..plain };
        let slower = Gates { exit_delay_ns: 6, ..plain };
        let long = Gates { dwell_ns: Some(5), ..plain };
        let sure_long = Gates { dwell_ns: Some(5), ..sure };
        let circle = Gates { error_circle: true, ..plain };
        let (inside, leaves, stays) = (What::Inside, What::Leaves, What::Stays { after_ns: 1 });
        for (what, a, b, is_stricter, is_laxer) in [
            (inside, plain, plain, true, true),
            (inside, twice, plain, true, false),
            (inside, sure, twice, true, false),
            (inside, many, twice, false, false),
            (inside, deep, plain, true, false),
            (inside, deep, twice, false, false),
            (inside, far, plain, false, false),
            (inside, long, plain, true, false),
            (inside, sure_long, long, false, false),
            (inside, long, twice, false, false),
            (inside, circle, plain, true, false),
            (stays, long, plain, true, true),
            (stays, deep, plain, true, false),
            (stays, sure, plain, false, false),
            (stays, circle, plain, false, false),
            (leaves, long, plain, true, true),
            (leaves, far, plain, true, false),
            (leaves, brief, far, false, true),
            (leaves, silent, brief, true, true),
            (leaves, brief, plain, true, false),
            (leaves, brief, slow, false, false),
            (leaves, Gates { exit_delay_ns: 5, ..brief }, slow, true, false),
            (leaves, Gates { exit_delay_ns: 6, ..brief }, slower, false, false),
            (leaves, slow, plain, true, false),
            (leaves, slow, far, false, false),
        ] {
            assert_eq!(is_as_strict(what, &a, &b), is_stricter, "{what:?} {a:?} {b:?}");
            assert_eq!(is_as_strict(what, &b, &a), is_laxer, "{what:?} {b:?} {a:?}");
        }
    }
}
