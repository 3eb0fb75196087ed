//! The test alarm: of no rule, about nobody, of low priority, and of a kind of its own.

use ach_actors_model::{AlarmKind, AlarmNotice, AlarmPriority, Cause, Place};

use crate::Turn;
use crate::episodes::{Opening, raised};
use crate::evidence::Evidence;

/// The alarm of a self-test. Nothing is wrong.
///
/// It belongs to the shard, which counts its episodes (`ordinal`, from 1) and ends it with
/// [`ended`](crate::ended) and the reason `ConditionEnded`.
pub fn selftest_notice(ordinal: u32, turn: &Turn<'_>) -> AlarmNotice {
    let evidence = Evidence {
        cause: Cause::SiteChange,
        observed_at: turn.now,
        received_at: turn.now,
        is_late: false,
        tag: None,
        position: None,
        accuracy_mm: 0,
        gates_passed: 0,
    };
    let opening = Opening {
        rule: None,
        kind: AlarmKind::SelfTest,
        priority: AlarmPriority::Low,
        subject: None,
        place: Place::Site,
        is_tentative: false,
        is_drill: false,
        evidence,
    };
    raised(&opening, ordinal, turn)
}
