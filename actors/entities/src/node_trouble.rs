//! Alarms about the node itself: of no rule, about nobody.
//!
//! All are of medium priority (IEC 60601-1-8): nobody is harmed by them at once, and somebody may be
//! before long, for alarms that no screen shows, times that are wrong, or an intruder who covers his
//! tracks. A feed's clock that is off is as urgent.

use ach_actors_model::{AlarmNotice, AlarmPriority, NodeTrouble, Place};

use crate::Turn;
use crate::episodes::{Opening, raised};
use crate::evidence::Evidence;

/// The alarm about a trouble of the node.
///
/// It belongs to the shard, which counts its episodes (`ordinal`, from 1) and ends it with
/// [`ended`](crate::ended) and the reason `ConditionEnded`.
pub fn trouble_notice(trouble: NodeTrouble, ordinal: u32, turn: &Turn<'_>) -> AlarmNotice {
    let opening = Opening {
        rule: None,
        kind: trouble.alarm_kind(),
        priority: AlarmPriority::Medium,
        subject: None,
        place: Place::Site,
        is_tentative: false,
        is_drill: false,
        // Like a command it is no numbered input, and has the cause that those have.
        evidence: Evidence::of_site_change(turn),
    };
    raised(&opening, ordinal, turn)
}
