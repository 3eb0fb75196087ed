//! Rules in plain English: what each really says, made from its fields and never from its name.
//!
//! Pure: a site and a moment go in, sentences come out. The moment is only for the next change of the clocks.

mod answer_words;
mod clocks;
mod company;
mod doors;
mod event;
mod gate_words;
mod holiday_words;
mod people;
mod place_words;
mod responses;

use ach_actors_model::{AlarmKind, Name, Timestamp, UtcOffset};
use ach_geo::Gates;
use serde::Serialize;

use crate::catalogue::Catalogue;
use crate::census::Census;
use crate::holiday_plan;
use crate::hours::{Hours, window_words};
use crate::text::nearest;
use crate::write::{alarm_word, priority_word};
use crate::{RulePlan, SiteDirectory, What, utc_offsets};

/// What one rule says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// Its id.
    pub rule: String,
    /// The alarm, as rules.toml has it.
    pub alarm: &'static str,
    /// Its priority, as rules.toml has it.
    pub priority: &'static str,
    /// How many it is about today; of a rule about doors none.
    pub subject_count: usize,
    /// How many of them carry no tag, and are never heard.
    pub untagged_count: usize,
    /// A paragraph for a person.
    pub text: String,
}

/// Explains the rules of one site.
#[derive(Debug)]
pub struct Explainer<'a> {
    directory: &'a SiteDirectory,
    catalogue: Catalogue<'a>,
    census: Census<'a>,
    offsets: Vec<UtcOffset>,
    /// Local days, ascending.
    holidays: Vec<u32>,
    now: Timestamp,
}

impl<'a> Explainer<'a> {
    /// For a site that has passed its check.
    pub fn new(directory: &'a SiteDirectory, now: Timestamp) -> Explainer<'a> {
        Explainer {
            directory,
            catalogue: Catalogue::new(directory),
            census: Census::new(directory),
            offsets: utc_offsets::of(&directory.time_zone).unwrap_or_default(),
            holidays: holiday_plan::days_of(&directory.holidays),
            now,
        }
    }

    /// All rules, in their order.
    pub fn all(&self) -> impl Iterator<Item = Explanation> + '_ {
        self.directory.rules.iter().map(|rule| self.explain(rule))
    }

    /// The rule of an id.
    ///
    /// # Errors
    ///
    /// There is none; the id that is nearest to it, if one is near.
    pub fn rule(&self, id: &str) -> Result<Explanation, Option<&'a Name>> {
        let rules = &self.directory.rules;
        if let Some(rule) = rules.iter().find(|rule| rule.id.as_str() == id) {
            return Ok(self.explain(rule));
        }
        let near = nearest(id, rules.iter().map(|rule| rule.id.as_str()));
        let ids = || rules.iter().map(|rule| &rule.id);
        Err(near.and_then(|near| ids().find(|known| known.as_str() == near)))
    }

    fn explain(&self, rule: &RulePlan) -> Explanation {
        let count = if rule.what.is_about_nobody() {
            crate::census::Count::default()
        } else {
            self.census.count(&rule.who)
        };
        let event = self.event(rule);
        let mut sentences: Vec<String> = Vec::new();
        if !rule.what.is_about_nobody() {
            sentences.push(people::sentence(rule, &count));
        }
        let raised =
            format!("a {}-priority {} alarm", priority_word(rule.priority), alarm_noun(rule.alarm));
        sentences.push(format!("{}, when {}, it raises {raised}.", self.when(rule), event.phrase));
        sentences.extend(event.further);
        sentences.extend(self.hours_sentence(rule));
        sentences.extend(answer_words::sentences(rule));
        sentences.extend(responses::sentences(self, rule));
        sentences.extend(holiday_words::sentence(self, rule));
        sentences.extend(clocks::sentence(self, &rule.when));
        Explanation {
            rule: rule.id.to_string(),
            alarm: alarm_word(rule.alarm),
            priority: priority_word(rule.priority),
            subject_count: count.all,
            untagged_count: count.all - count.tagged,
            text: sentences.join(" "),
        }
    }

    fn hours(&self, rule: &RulePlan) -> Hours {
        Hours::of(&rule.when, !self.holidays.is_empty())
    }

    fn when(&self, rule: &RulePlan) -> String {
        let hours = self.hours(rule);
        if hours.is_always() {
            return "At all hours".to_owned();
        }
        if hours.is_never() {
            return "Never".to_owned();
        }
        let words = |window| window_words(window, !self.holidays.is_empty());
        let windows: Vec<String> = rule.when.iter().map(words).collect();
        let words = windows.join(", and ");
        let mut letters = words.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        let rest: String = letters.collect();
        format!("{}{rest} ({} time)", first.unwrap_or_default(), self.directory.time_zone)
    }

    /// The gates by which all of these zones are judged; `None` if they differ.
    fn gates(&self, rule: &RulePlan, zones: &[u32]) -> Option<Gates> {
        if let Some(gates) = rule.gates {
            return Some(gates);
        }
        let of_zone = |&zone: &u32| {
            let own = self.catalogue.zone(zone).and_then(|zone| zone.gates);
            own.unwrap_or(self.directory.gates)
        };
        let mut gates = zones.iter().map(of_zone);
        let first = gates.next().unwrap_or_default();
        gates.all(|other| other == first).then_some(first)
    }

    /// What a rule with hours makes of what began before them.
    fn hours_sentence(&self, rule: &RulePlan) -> Option<String> {
        let hours = self.hours(rule);
        if hours.is_always() || hours.is_never() {
            return None;
        }
        let of_zone = |&zone: &u32| Some(self.gates(rule, &[zone])?.dwell_ns.is_some());
        let zones = || self.catalogue.zones_of(&rule.place);
        let words = match rule.what {
            What::Inside if zones().iter().filter_map(of_zone).any(|dwells| dwells) => LONG_BEFORE,
            What::Inside => {
                "Somebody who is already there when these hours begin raises it then, and the alarm \
                 ends with these hours."
            }
            What::Stays { .. } => LONG_BEFORE,
            What::DoorHeld { .. } => {
                "The time before these hours counts: a door that has stood open for so long when they \
                 begin raises it then, and the alarm ends with these hours."
            }
            // It is told when the subject is heard, and not by the clock.
            What::TagsContradict => {
                "If it is already so when these hours begin, it is raised when the tags are next heard, \
                 and the alarm ends with these hours."
            }
            what if what.is_state() => {
                "If it is already so when these hours begin, it is raised then, and the alarm ends with \
                 these hours."
            }
            What::Leaves => {
                "Whoever leaves at other hours raises nothing, not even when these hours begin."
            }
            _ => "At other hours nothing is raised, and nothing is made up for later.",
        };
        Some(words.to_owned())
    }
}

/// Of whom it is asked how long they have been there, also while the rule does not hold.
const LONG_BEFORE: &str = "The time before these hours counts: somebody who has been there for so long when \
                           they begin raises it then, and the alarm ends with these hours.";

/// An alarm, as it is called before the word alarm.
fn alarm_noun(alarm: AlarmKind) -> &'static str {
    match alarm {
        AlarmKind::Elopement => "elopement",
        AlarmKind::AssetTheft => "theft",
        AlarmKind::UnauthorisedEntry => "unauthorised-entry",
        AlarmKind::Loitering => "loitering",
        AlarmKind::TagSilent => "silent-tag",
        AlarmKind::BatteryLow => "low-battery",
        AlarmKind::BandCut => "cut-band",
        AlarmKind::Duress => "duress",
        AlarmKind::OverCapacity => "over-capacity",
        AlarmKind::DoorForced => "forced-door",
        AlarmKind::TagsContradict => "contradicting-tags",
        AlarmKind::DoorHeld => "held-door",
        AlarmKind::DoorTampered => "tampered-door",
        AlarmKind::ReaderTampered => "tampered-reader",
        AlarmKind::DoorLost => "lost-door",
        AlarmKind::DoorBatteryLow => "low-door-battery",
        AlarmKind::DoorNotFollowing => "disobedient-door",
        AlarmKind::AssetNotReturned => "not-returned",
        AlarmKind::LoneWorker => "lone-worker",
        AlarmKind::ForbiddenMeeting => "forbidden-meeting",
        AlarmKind::Tailgating => "tailgating",
        AlarmKind::BadgeElsewhere => "badge-elsewhere",
        AlarmKind::UnexplainedMotion => "unexplained-motion",
        // Rules raise no other.
        _ => "system",
    }
}
