//! Reads what people owe the alarms of a rule.

use ach_actors_model::{AnswerConfig, DelayConfig, Escalation, NS_PER_S, StaysUntil};

use crate::finding::FindingKind;
use crate::text::Fields;

/// What must be done before an alarm is over.
pub(crate) const STAYS_UNTIL: &[(&str, StaysUntil)] = &[
    ("condition_ends", StaysUntil::ConditionEnds),
    ("acknowledged", StaysUntil::Acknowledged),
    ("confirmed", StaysUntil::Confirmed),
    ("closed", StaysUntil::Closed),
];

/// Shortest time after which an acknowledged alarm calls again: more often nobody could do anything else.
const CALLS_AGAIN_MIN_NS: u64 = 60 * NS_PER_S;

/// Longest of these times: longer than a day nobody is on duty.
const SPAN_MAX_NS: u64 = 86_400 * NS_PER_S;

/// Shortest time a rule waits before it tells, or tells that it is over: what is shorter is what gates are for.
const DELAY_MIN_NS: u64 = NS_PER_S;

/// Longest: what may go on for longer before anybody is told is for `stays`, `away` and their `after`.
const DELAY_MAX_NS: u64 = 3_600 * NS_PER_S;

/// Steps in which a rule's alarms are passed on, as the node takes them.
pub(crate) const ESCALATIONS_MAX: usize = 16;

/// Reads the fields of a rule.
pub(super) fn read(fields: &Fields<'_>) -> AnswerConfig {
    AnswerConfig {
        stays_until: fields.word("stays_until", STAYS_UNTIL).unwrap_or_default(),
        latches: fields.flag("latches"),
        is_life_safety: fields.flag("life_safety"),
        escalations: read_escalations(fields),
        again_after_ns: fields.span_in("calls_again", CALLS_AGAIN_MIN_NS..=SPAN_MAX_NS),
        // They are named by the rule, and put in once the site is compiled.
        responses: Vec::new(),
        delays: DelayConfig {
            on_ns: fields.span_in("on_delay", DELAY_MIN_NS..=DELAY_MAX_NS).unwrap_or(0),
            off_ns: fields.span_in("off_delay", DELAY_MIN_NS..=DELAY_MAX_NS).unwrap_or(0),
        },
    }
}

fn read_escalations(fields: &Fields<'_>) -> Vec<Escalation> {
    let nodes = fields.list("escalate");
    if nodes.len() > ESCALATIONS_MAX {
        let problem = format!("escalate has {} steps, at most {ESCALATIONS_MAX}", nodes.len());
        let origin = &fields.origin;
        let remedy = "leave some out: the last one is who decides in the end";
        fields.report.error(FindingKind::TooLarge, origin, &problem, remedy);
        return Vec::new();
    }
    let mut steps: Vec<Escalation> = Vec::new();
    for node in nodes {
        let Some(step) = Fields::new(node, &fields.origin, fields.report) else { continue };
        let _ = step.need("after", "after = \"2 min\"");
        let after_ns = step.span_in("after", NS_PER_S..=SPAN_MAX_NS);
        let _ = step.need("to", "to = \"charge-nurse\"");
        let to = step.name("to");
        step.finish();
        let (Some(after_ns), Some(to)) = (after_ns, to) else { continue };
        if steps.last().is_some_and(|last| last.after_ns >= after_ns) {
            let problem = format!("escalate passes it on to {to} before the step above it does");
            let remedy = "order the steps by after, each later than the one before";
            fields.report.error(FindingKind::BadValue, &fields.origin, &problem, remedy);
            continue;
        }
        steps.push(Escalation { after_ns, to });
    }
    steps
}
