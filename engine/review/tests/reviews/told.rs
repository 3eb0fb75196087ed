//! Alarms as tests tell them.

use std::sync::Arc;

use ach_actors_model::{
    ActMark, AlarmId, AlarmKind, AlarmLife, AlarmNotice, AlarmPriority, AlarmReason, AlarmState,
    AlarmTransition, Cause, NS_PER_S, Name, Place, SubjectRef, Timestamp, ZoneRef,
};
use ach_engine_review::{AlarmLog, Episode};

pub(crate) fn at(second: u64) -> Timestamp {
    Timestamp(1_000_000 * NS_PER_S + second * NS_PER_S)
}

pub(crate) fn notice(id: u128, transition: AlarmTransition, second: u64) -> AlarmNotice {
    let ends = matches!(transition, AlarmTransition::Retracted | AlarmTransition::Cleared);
    AlarmNotice {
        id: AlarmId(id),
        transition,
        reason: ends.then_some(AlarmReason::ConditionEnded),
        kind: AlarmKind::Loitering,
        priority: AlarmPriority::Low,
        rule: None,
        site_version: 1,
        episode: 1,
        subject: Some(SubjectRef(0)),
        tag: None,
        place: Place::Zone(ZoneRef(0)),
        is_tentative: false,
        is_late: false,
        is_drill: false,
        cause: Cause::SiteChange,
        observed_at: at(second),
        received_at: at(second),
        changed_at: at(second),
        position: None,
        accuracy_mm: 0,
        gates_passed: 0,
        state: if ends {
            AlarmState::default()
        } else {
            AlarmState::ACTIVE.with(AlarmState::RETAINED)
        },
        life: None,
        incident: None,
        door: None,
        response: None,
        certain_at: at(second),
    }
}

/// An alarm of a rule, from a second to another; without the other it stays open.
pub(crate) fn alarm(rule: &str, from: u64, to: Option<u64>) -> Episode {
    let mut log = AlarmLog::default();
    log.hear(&notice(1, AlarmTransition::Raised, from), Some(Arc::from(rule))).unwrap();
    if let Some(to) = to {
        log.hear(&notice(1, AlarmTransition::Cleared, to), None).unwrap();
    }
    log.finish().remove(0)
}

/// An alarm that people answer, in words: `raised@0 acknowledged@5 cleared@30`, beginning with `quiet` if nobody was
/// called.
pub(crate) fn answered(rule: &str, priority: AlarmPriority, told: &str) -> Episode {
    let mut log = AlarmLog::default();
    let (told, is_quiet) = told.strip_prefix("quiet ").map_or((told, false), |told| (told, true));
    let owes = AlarmState::RETAINED.set(AlarmState::SHELVED, is_quiet);
    let mut life = AlarmLife::default();
    for word in told.split(' ') {
        let (word, second) = word.split_once('@').unwrap();
        let second = second.parse().unwrap();
        let mark = || Some(ActMark { by: Name::new("nurse-7").unwrap(), at: at(second) });
        let transition = match word {
            "raised" => AlarmTransition::Raised,
            "cleared" | "over" => AlarmTransition::Cleared,
            "retracted" => AlarmTransition::Retracted,
            "escalated" => AlarmTransition::Escalated,
            "again" => AlarmTransition::Realarmed,
            "reset" => AlarmTransition::Reset,
            "acknowledged" => AlarmTransition::Acknowledged,
            _ => AlarmTransition::Closed,
        };
        match transition {
            AlarmTransition::Acknowledged => life.acknowledged = mark(),
            AlarmTransition::Realarmed => (life.acknowledged, life.level) = (None, 0),
            AlarmTransition::Escalated => life.level += 1,
            AlarmTransition::Closed => {
                life.closed = mark();
                life.cause = serde_json::from_value(word.into()).unwrap();
            }
            _ => {}
        }
        let is_over = matches!(word, "over" | "retracted" | "reset");
        let said = AlarmNotice {
            priority,
            state: if is_over { AlarmState::default() } else { owes },
            life: (life != AlarmLife::default()).then(|| Arc::new(life.clone())),
            ..notice(1, transition, second)
        };
        log.hear(&said, Some(Arc::from(rule))).unwrap();
    }
    log.finish().remove(0)
}

pub(crate) fn alarms(seconds: &[u64]) -> Vec<Episode> {
    seconds.iter().map(|&second| alarm("r", second, Some(second + 90))).collect()
}
