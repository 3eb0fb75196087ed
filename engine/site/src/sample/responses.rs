//! What happens at once in the sample hospital when certain alarms are raised.

use ach_actors_model::DoorMode;

use super::name;
use super::rules::MINUTE_NS;
use crate::{ResponsePlan, RulePlan};

/// Nobody follows out of memory care by a door whose lock is drawn back: it is locked, never blocked, so that staff
/// run after whoever left.
const HOLD_MEMORY_CARE: &str = "hold-memory-care";

/// Long enough to walk the ward and its stairs.
const HELD_NS: u64 = 10 * MINUTE_NS;

/// All of them.
pub(super) fn all() -> Vec<ResponsePlan> {
    vec![ResponsePlan {
        doors: vec![name("door-dementia-ward")],
        mode: DoorMode::Locked,
        for_ns: HELD_NS,
        tell: vec![name("security-desk")],
        ..ResponsePlan::new(name(HOLD_MEMORY_CARE))
    }]
}

/// Gives a rule its responses.
pub(super) fn given(rule: RulePlan) -> RulePlan {
    match rule.id.as_str() {
        "dementia-elopement" => RulePlan { responses: vec![name(HOLD_MEMORY_CARE)], ..rule },
        _ => rule,
    }
}
