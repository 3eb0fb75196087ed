//! Rules about where things and people are with regard to a place or to others, in words.

use super::Explainer;
use super::event::EventWords;
use super::gate_words::{entry_words, exit_words, metres};
use super::people::{count_words, who_words};
use crate::text::span_text;
use crate::{RulePlan, What};

impl Explainer<'_> {
    pub(super) fn away(&self, rule: &RulePlan, after_ns: u64) -> EventWords {
        let zones = self.catalogue.zones_of(&rule.place);
        let places = self.zone_words(rule, &zones);
        let places = places.replacen("one of", "any of", 1);
        let phrase = format!("one of them has not been in {places} for {}", span_text(after_ns));
        let (last, exit) = match (zones.len(), self.gates(rule, &zones)) {
            (1, None) => ("it", " by its own gates".to_owned()),
            (1, Some(gates)) => ("it", exit_words(&gates)),
            (_, None) => ("the last of them", " by the zone's own gates".to_owned()),
            (_, Some(gates)) => ("the last of them", exit_words(&gates)),
        };
        let counts = format!(
            "The time counts from leaving {last}{exit}; for what was never seen there, from its first \
             position."
        );
        let entry = self.gates(rule, &zones).map(|gates| entry_words(&gates)).unwrap_or_default();
        let back = (!entry.is_empty()).then(|| format!("Only what is in again{entry}, is back."));
        let mut further = vec![counts];
        further.extend(back);
        further.push(
            "The time goes on while a tag is silent. While its feed is silent or a zone it belongs to is \
             blind, nothing is raised."
                .to_owned(),
        );
        EventWords { phrase, further }
    }

    pub(super) fn alone(&self, rule: &RulePlan, after_ns: u64) -> EventWords {
        let zones = self.catalogue.zones_of(&rule.place);
        let places = self.zone_words(rule, &zones);
        let after = span_text(after_ns);
        let phrase = format!("one of them has been in {places} without company for {after}");
        let others = rule.others_meant().unwrap_or_default();
        let mut further = vec![format!(
            "Company is: {}. Whoever carries no tag is not seen as company.",
            who_words(&others)
        )];
        if zones.len() > 1 {
            further.push("Each zone is looked at on its own.".to_owned());
        }
        further.push("While a zone is blind, nothing is raised about it.".to_owned());
        EventWords { phrase, further }
    }

    pub(super) fn motion(&self, rule: &RulePlan, after_ns: u64) -> EventWords {
        let zones = self.catalogue.zones_of(&rule.place);
        let places = self.zone_words(rule, &zones);
        let after = span_text(after_ns);
        let phrase = format!("something moves in {places} and nobody is there");
        let others = rule.others_meant().unwrap_or_default();
        let further = vec![
            format!(
                "Who is there accounts for it: {}. So does whoever left up to {after} before it, or \
                 comes up to {after} after it. Whoever carries no tag is not seen.",
                who_words(&others)
            ),
            format!(
                "It is raised {after} after the motion, and ends 10 min after the last. What moves while \
                 a zone is blind is raised once it is seen again, if nobody is found there."
            ),
        ];
        EventWords { phrase, further }
    }

    pub(super) fn meets(&self, rule: &RulePlan) -> EventWords {
        let What::Meets { within_mm, apart_mm, after_ns } = rule.what else {
            return EventWords { phrase: String::new(), further: Vec::new() };
        };
        let (within, apart, after) = (metres(within_mm), metres(apart_mm), span_text(after_ns));
        let others = rule.others_meant().unwrap_or_default();
        let count = self.census.count(&others);
        let zones = self.catalogue.zones_of(&rule.place);
        let (place, walls) = if zones.is_empty() {
            (String::new(), "Walls between them are not looked at.")
        } else {
            let places = self.zone_words(rule, &zones);
            (format!(" in {places}"), "Two in different zones do not begin to meet.")
        };
        let phrase = format!(
            "one of them has been within {within} of somebody they are kept apart from{place} for {after}"
        );
        let further = vec![
            format!(
                "They are kept apart from {}: {} today.",
                who_words(&others),
                count_words(&others, count.all)
            ),
            format!(
                "It ends when the two are surely more than {apart} apart, or on different floors."
            ),
            format!(
                "{walls} A position that is older than {FRESH}, less exact than \
                 {within}, or of an unknown floor brings nobody near."
            ),
        ];
        EventWords { phrase, further }
    }
}

/// How long a position says where somebody is: `SIGHTING_AGE_MAX_NS` of ach-actors-entities
/// (`whereabouts.rs`), which is no part of what this crate may know.
const FRESH: &str = "1 min";
