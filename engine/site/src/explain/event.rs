//! What must happen for a rule to alarm, in words.

use super::Explainer;
use super::gate_words::{entry_words, exit_words, has_first_sign_of_exit, metres, silence_words};
use super::place_words::place_words;
use crate::text::span_text;
use crate::{RulePlan, What};

/// Tags of one subject may contradict each other for so long: `CONTRADICTION_NS` of ach-actors-entities
/// (`company.rs`), which is no part of what this crate may know.
const CONTRADICTION: &str = "1 min";

/// What happens, and what is to be known about it.
pub(super) struct EventWords {
    /// Follows `when`.
    pub(super) phrase: String,
    /// Further sentences.
    pub(super) further: Vec<String>,
}

impl EventWords {
    fn plain(phrase: String) -> EventWords {
        EventWords { phrase, further: Vec::new() }
    }
}

impl Explainer<'_> {
    pub(super) fn event(&self, rule: &RulePlan) -> EventWords {
        match rule.what {
            What::Inside => self.inside(rule),
            What::Leaves => self.leaves(rule),
            What::Stays { after_ns } => self.stays(rule, after_ns),
            What::Away { after_ns } => self.away(rule, after_ns),
            What::Alone { after_ns } => self.alone(rule, after_ns),
            What::Meets { .. } => self.meets(rule),
            What::Motion { after_ns } => self.motion(rule, after_ns),
            What::OverCapacity => EventWords::plain(self.over_capacity(rule)),
            What::DoorForced
            | What::DoorHeld { .. }
            | What::DoorTampered
            | What::ReaderTampered
            | What::DoorLost { .. }
            | What::DoorBatteryLow { .. }
            | What::DoorNotFollowing { .. }
            | What::BadgeElsewhere { .. } => self.of_doors(rule),
            What::Tailgating => self.tailgating(rule),
            What::TagSilent { after_ns } => EventWords {
                phrase: format!("a tag of one of them is not heard for {}", span_text(after_ns)),
                further: vec![
                    "While its whole feed is silent, that is one alarm about the feed instead."
                        .to_owned(),
                    "A tag that was never heard raises nothing.".to_owned(),
                ],
            },
            What::BatteryLow { percent } => EventWords::plain(format!(
                "the battery of a tag of one of them is at {percent} % or less"
            )),
            What::BandCut => {
                EventWords::plain("the band of one of them is cut, or a tag torn off".to_owned())
            }
            What::ButtonPressed => {
                EventWords::plain("one of them presses the button on a tag".to_owned())
            }
            What::TagsContradict => EventWords::plain(format!(
                "the tags of one of them have been too far apart for {CONTRADICTION} to be on one body"
            )),
        }
    }

    fn inside(&self, rule: &RulePlan) -> EventWords {
        let zones = self.catalogue.zones_of(&rule.place);
        let places = self.zone_words(rule, &zones);
        let Some(gates) = self.gates(rule, &zones) else {
            let phrase = format!("one of them is in {places}, by the zone's own gates");
            let further = rule.is_tentative.then(|| FIRST_SIGN.to_owned());
            return EventWords { phrase, further: further.into_iter().collect() };
        };
        let entry = entry_words(&gates);
        // Who must have been in for a while is not told of before.
        let (verb, lasting) = match gates.dwell_ns {
            Some(dwell_ns) => ("has been", format!(" for {}", span_text(dwell_ns))),
            None => ("is", String::new()),
        };
        let phrase = format!("one of them {verb} in {places}{lasting}{entry}");
        let waits = gates.confirm.needed > 1 && gates.dwell_ns.is_none();
        let mut further = tentative(rule, waits, gates.dwell_ns.is_some() || waits);
        if gates.fence_timeout_ns.is_some() {
            further.push(format!("Whoever leaves{} is there no more.", silence_words(&gates)));
        }
        EventWords { phrase, further }
    }

    fn stays(&self, rule: &RulePlan, after_ns: u64) -> EventWords {
        let zones = self.catalogue.zones_of(&rule.place);
        let places = self.zone_words(rule, &zones);
        let phrase = format!("one of them stays in {} for {}", places, span_text(after_ns));
        let gates = self.gates(rule, &zones);
        let aside = |words: String| match words.trim_start_matches([',', ' ']) {
            "" => String::new(),
            words => format!(" ({words})"),
        };
        let (entry, exit, silence) = match gates {
            Some(gates) => {
                let silence = silence_words(&gates);
                (aside(entry_words(&gates)), aside(exit_words(&gates)), silence)
            }
            None => (" by the zone's own gates".to_owned(), String::new(), String::new()),
        };
        let counts = format!(
            "The time counts from entering{entry}, and begins anew for whoever leaves{exit}{silence}."
        );
        EventWords { phrase, further: vec![counts] }
    }

    fn leaves(&self, rule: &RulePlan) -> EventWords {
        let zones = self.catalogue.zones_of(&rule.place);
        let mut parts = Vec::new();
        let mut further = Vec::new();
        let mut has_first_sign = false;
        if !zones.is_empty() {
            let places = self.zone_words(rule, &zones);
            if let Some(gates) = self.gates(rule, &zones) {
                parts.push(format!("leaves {places}{}", exit_words(&gates)));
                has_first_sign = has_first_sign_of_exit(&gates);
                let entry = entry_words(&gates);
                if !entry.is_empty() {
                    let entry = entry.trim_start_matches(", ");
                    further
                        .push(format!("Only somebody who was inside before ({entry}) can leave."));
                }
            } else {
                parts.push(format!("leaves {places}, by the zone's own gates"));
                has_first_sign = true;
            }
        }
        let lines = self.catalogue.lines_of(&rule.place);
        if !lines.is_empty() {
            let names: Vec<&str> = lines
                .iter()
                .filter_map(|&line| Some(self.catalogue.line(line)?.name.as_str()))
                .collect();
            let words = place_words("line", &rule.place.lines, &rule.place.lines_labelled, &names);
            let tolerance_mm = rule.gates.map_or(0, |gates| gates.exit_tolerance_mm);
            let beyond = match tolerance_mm {
                0 => String::new(),
                mm => format!(" and is then more than {} beyond it", metres(mm)),
            };
            parts.push(format!("crosses {words} outward{beyond}"));
            has_first_sign |= tolerance_mm > 0;
            let gap = span_text(self.directory.largest_gap_ns);
            further.push(format!(
                "A crossing is believed only between two positions at most {gap} apart."
            ));
        }
        let mut sentences = tentative(rule, has_first_sign, has_first_sign);
        sentences.extend(further);
        EventWords { phrase: format!("one of them {}", parts.join(", or ")), further: sentences }
    }

    fn over_capacity(&self, rule: &RulePlan) -> String {
        let zones = self.catalogue.zones_of(&rule.place);
        let places = self.zone_words(rule, &zones);
        let mut capacities = zones.iter().filter_map(|&zone| self.catalogue.zone(zone)?.capacity);
        match (capacities.next(), capacities.next()) {
            (Some(only), None) => format!("more than {only} of them are in {places}"),
            _ => format!("more of them are in {places} than it may hold"),
        }
    }

    pub(super) fn zone_words(&self, rule: &RulePlan, zones: &[u32]) -> String {
        let zones = zones.iter().filter_map(|&zone| self.catalogue.zone(zone));
        let names: Vec<&str> = zones.map(|zone| zone.name.as_str()).collect();
        place_words("zone", &rule.place.zones, &rule.place.zones_labelled, &names)
    }
}

const FIRST_SIGN: &str = "It is raised tentatively at the first sign, and upheld or retracted as the \
                          next positions decide.";

/// When the alarm is told: at the first sign, or not before it is certain. What needs one position is
/// both.
fn tentative(rule: &RulePlan, has_first_sign: bool, waits: bool) -> Vec<String> {
    match (rule.is_tentative && has_first_sign, waits) {
        (true, _) => vec![FIRST_SIGN.to_owned()],
        (false, true) => vec!["No alarm is raised before that is certain.".to_owned()],
        (false, false) => Vec::new(),
    }
}
