//! What people owe the alarms of a rule, in sentences.

use ach_actors_model::StaysUntil;

use crate::RulePlan;
use crate::text::span_text;

/// The sentences; none where a rule asks nothing.
pub(super) fn sentences(rule: &RulePlan) -> Vec<String> {
    let answer = &rule.answer;
    let mut sentences = delay_sentences(rule);
    let stays = match answer.stays_until {
        StaysUntil::ConditionEnds => None,
        StaysUntil::Acknowledged => Some("somebody has acknowledged it"),
        StaysUntil::Confirmed => Some("somebody has acknowledged and confirmed it"),
        StaysUntil::Closed => Some("somebody has acknowledged it and said what its cause was"),
    };
    match (stays, answer.latches) {
        (Some(stays), false) => sentences.push(format!("The alarm stays open until {stays}.")),
        (Some(stays), true) => {
            sentences.push(format!("The alarm stays open until it is reset by hand and {stays}."));
        }
        (None, true) => {
            sentences.push("The alarm stays open until it is reset by hand.".to_owned());
        }
        (None, false) => {}
    }
    let steps: Vec<String> = answer
        .escalations
        .iter()
        .map(|step| format!("to {} after {}", step.to, span_text(step.after_ns)))
        .collect();
    if !steps.is_empty() {
        let steps = steps.join(", then ");
        sentences.push(format!("While nobody acknowledges it, it is passed on {steps}."));
    }
    if let Some(again_after_ns) = answer.again_after_ns {
        sentences.push(format!(
            "If it still holds {} after it was acknowledged, it calls again.",
            span_text(again_after_ns)
        ));
    }
    if answer.is_life_safety {
        sentences.push("It can never be shelved, muted or taken out of service.".to_owned());
    }
    sentences
}

/// How long it waits before it is raised, and before it ends.
fn delay_sentences(rule: &RulePlan) -> Vec<String> {
    let delays = rule.answer.delays;
    let mut sentences = Vec::new();
    if delays.on_ns > 0 {
        let wait = span_text(delays.on_ns);
        sentences.push(format!(
            "It is raised only when that has held for {wait}; what is over sooner nobody is told of."
        ));
    }
    if delays.off_ns > 0 {
        let wait = span_text(delays.off_ns);
        sentences.push(format!(
            "It ends when that has been over for {wait}; if it holds again sooner, it is the same alarm."
        ));
    }
    sentences
}
