//! What the sample hospital's people owe its alarms: what may be somebody in need is closed with a cause and
//! passed on within minutes, other urgent alarms are acknowledged, and the rest ends by itself.

use ach_actors_model::{AlarmKind, AlarmPriority, AnswerConfig, Escalation, StaysUntil};

use super::name;
use super::rules::{MINUTE_NS, SECOND_NS};
use crate::RulePlan;

/// Gives a rule what people owe its alarms.
pub(super) fn asked(rule: RulePlan) -> RulePlan {
    let answer = match (rule.alarm, rule.priority) {
        (AlarmKind::Duress, _) => AnswerConfig {
            is_life_safety: true,
            again_after_ns: Some(5 * MINUTE_NS),
            ..closed(&[(30 * SECOND_NS, "security-desk"), (2 * MINUTE_NS, "house-supervisor")])
        },
        (AlarmKind::Elopement | AlarmKind::BandCut, AlarmPriority::High) => {
            closed(&[(MINUTE_NS, "charge-nurse"), (3 * MINUTE_NS, "security-desk")])
        }
        (_, AlarmPriority::High) => AnswerConfig {
            stays_until: StaysUntil::Acknowledged,
            ..closed(&[(3 * MINUTE_NS, "security-desk")])
        },
        _ => AnswerConfig::default(),
    };
    RulePlan { answer, ..rule }
}

fn closed(steps: &[(u64, &str)]) -> AnswerConfig {
    let step = |&(after_ns, to): &(u64, &str)| Escalation { after_ns, to: name(to) };
    AnswerConfig {
        stays_until: StaysUntil::Closed,
        escalations: steps.iter().map(step).collect(),
        ..AnswerConfig::default()
    }
}
