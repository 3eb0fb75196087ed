//! What must happen for a rule about doors to alarm, in words.

use super::Explainer;
use super::event::EventWords;
use super::gate_words::metres;
use super::people::who_words;
use super::place_words::place_words;
use crate::text::span_text;
use crate::{RulePlan, What, WhoPlan};

impl Explainer<'_> {
    pub(super) fn of_doors(&self, rule: &RulePlan) -> EventWords {
        self.at_doors(rule, |words| told(rule.what, words))
    }

    pub(super) fn tailgating(&self, rule: &RulePlan) -> EventWords {
        let others = rule.others_meant();
        self.at_doors(rule, |words| passed(words, others.as_ref()))
    }

    fn at_doors(
        &self,
        rule: &RulePlan,
        tell: impl Fn(&str) -> (String, Vec<String>),
    ) -> EventWords {
        let doors = self.catalogue.doors_of(&rule.place);
        let doors: Vec<_> = doors.iter().filter_map(|&door| self.catalogue.door(door)).collect();
        let names: Vec<&str> = doors.iter().map(|door| door.name.as_str()).collect();
        let words = place_words("door", &rule.place.doors, &rule.place.doors_labelled, &names);
        let (phrase, mut further) = tell(&words);
        let unwired = doors.iter().filter(|door| door.feed.is_none()).count();
        if unwired > 0 {
            let verb = if unwired == 1 { "is" } else { "are" };
            further.push(format!("No feed reports {unwired} of them, which {verb} not watched."));
        }
        EventWords { phrase, further }
    }
}

/// Who goes through the doors of these words, and what is to be known about it.
fn passed(doors: &str, others: Option<&WhoPlan>) -> (String, Vec<String>) {
    let phrase = format!(
        "one of them goes through {doors} on no leave, or on leave that somebody else has used"
    );
    let first = match others {
        None => "Nobody else is counted.".to_owned(),
        Some(others) => format!(
            "Leave is used besides, and first, by {}, whoever went before.",
            who_words(others)
        ),
    };
    let further = [
        "A grant lets one person through, and so does a request to exit; while the lock is drawn back, or the \
         door is told to be unlocked, anybody may go.",
        &first,
        "Equipment never counts, nor does whoever has leave to be out, nor whoever carries no tag.",
        "It ends when the door is closed, when leave is told that was given in time, or when the one goes back.",
    ];
    (phrase, further.map(str::to_owned).to_vec())
}

/// What happens to the doors of these words, and what is to be known about it.
fn told(what: What, doors: &str) -> (String, Vec<String>) {
    let is_whole = |thing: &str| vec![format!("It ends when the {thing} is whole again.")];
    match what {
        What::DoorHeld { after_ns, also_unlocked } => {
            let unlocked = if also_unlocked {
                "The time counts from the opening, also while its lock is drawn back."
            } else {
                "While its lock is drawn back it may stand open, and the time counts from when the lock \
                 throws."
            };
            let forced = "While a forced-door alarm about it is open, it is not held besides.";
            let further = vec![unlocked.to_owned(), forced.to_owned()];
            let after = span_text(after_ns);
            (format!("{doors} stands open for {after}, with or without leave"), further)
        }
        What::DoorTampered => {
            let phrase =
                format!("the housing of {doors}, or of its controller, is opened or torn off");
            (phrase, is_whole("housing"))
        }
        What::ReaderTampered => {
            (format!("the reader of {doors} is opened or torn off"), is_whole("reader"))
        }
        What::DoorNotFollowing { after_ns } => {
            let after = span_text(after_ns);
            let phrase = format!(
                "{doors} is not as it was told to be for {after}, or its controller refuses"
            );
            let further = [
                "Who has leave may draw the lock back meanwhile.",
                "It is over when the door is as it is told to be.",
            ];
            (phrase, further.map(str::to_owned).to_vec())
        }
        What::DoorLost { after_ns } => {
            let after = span_text(after_ns);
            let phrase =
                format!("{doors} is lost, as its system says, or says nothing for {after}");
            let further = [
                "Every report of it is a sign of life.",
                "While its whole feed is silent, that is one alarm about the feed instead.",
                "A door that was never heard is not silent.",
            ];
            (phrase, further.map(str::to_owned).to_vec())
        }
        What::BadgeElsewhere { within_mm } => {
            let within = metres(within_mm);
            let phrase = format!(
                "a badge of one of them is granted access at {doors} while their tag is further from it \
                 than they can go in the time between, and {within}"
            );
            let further = [
                "A position says for 1 min, before and after, where they are; one storey up or down is \
                 taken for a slip.",
                "It ends 10 min after it was last so, or when they are seen at the door within \
                 1 min of the grant.",
                "A grant that names no badge, or one that nobody has, raises nothing.",
            ];
            (phrase, further.map(str::to_owned).to_vec())
        }
        What::DoorBatteryLow { percent } => {
            (format!("the battery of {doors} is at {percent} % or less"), Vec::new())
        }
        _ => {
            let phrase = format!(
                "{doors} is opened without a grant or a request to exit and its lock is not drawn back"
            );
            (phrase, Vec::new())
        }
    }
}
