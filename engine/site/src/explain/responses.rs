//! What happens at once when a rule raises an alarm, in sentences.

use ach_actors_model::{DoorMode, Name};

use super::Explainer;
use super::place_words::{all_words, words_and};
use crate::text::span_text;
use crate::{ResponsePlan, RulePlan};

/// The sentences; none of a rule without responses.
pub(super) fn sentences(explainer: &Explainer<'_>, rule: &RulePlan) -> Vec<String> {
    let plans = &explainer.directory.responses;
    let named = rule.responses.iter().filter_map(|id| plans.iter().find(|plan| plan.id == *id));
    let mut sentences: Vec<String> = named.flat_map(|plan| of_one(explainer, plan)).collect();
    if !sentences.is_empty() && rule.is_tentative {
        sentences.push("All this only once it is upheld.".to_owned());
    }
    sentences
}

fn of_one(explainer: &Explainer<'_>, plan: &ResponsePlan) -> Vec<String> {
    let catalogue = &explainer.catalogue;
    let doors = plan.moved_doors(catalogue);
    let names: Vec<&str> =
        doors.iter().filter_map(|&door| Some(catalogue.door(door)?.name.as_str())).collect();
    let mut sentences = Vec::new();
    if !names.is_empty() {
        let (done, who) = match plan.mode {
            DoorMode::Blocked => ("blocked", "nobody comes in there"),
            _ => ("locked", "who is granted access comes in there"),
        };
        sentences.push(format!(
            "While it is open and not both over and acknowledged, for at most {} from when it was observed, {} {} \
             {done}, unless an operator, a lockdown or an evacuation says otherwise: {who}, and who may leave is \
             let out.",
            span_text(plan.for_ns),
            all_words("door", &plan.doors, &plan.doors_labelled, &names),
            if names.len() == 1 { "is" } else { "are" },
        ));
    }
    if !plan.tell.is_empty() {
        let tell: Vec<String> = plan.tell.iter().map(Name::to_string).collect();
        sentences.push(format!("It is to be handed to {} at once.", words_and(&tell)));
    }
    sentences
}
