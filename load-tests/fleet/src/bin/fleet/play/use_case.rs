//! A use case as a file: who does what, when, and what the node is to say.

use std::path::Path;

use ach_actors_model::{
    AlarmCause, AlarmKind, AlarmPriority, AlarmTransition, DoorMode, DoorSlot, Name, Practice,
    Remark,
};
use serde::Deserialize;

use super::hours::TimeOfDay;
use crate::failure::Failure;

/// Steps and expectations of each kind at most: a use case is read by people.
const PARTS_MAX: usize = 200;

/// A use case.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UseCase {
    /// What it shows, in words.
    pub(crate) goal: String,
    /// Where it happens.
    pub(crate) site: SiteWord,
    /// When it begins, in the site's local time: `2026-11-24 14:00:00`.
    pub(crate) start: String,
    /// When it is over, within a day.
    pub(crate) end: TimeOfDay,
    /// What happens, in the order of time.
    #[serde(rename = "step")]
    pub(crate) steps: Vec<Step>,
    /// The alarms that follow. There must be no other.
    #[serde(rename = "alarm", default)]
    pub(crate) alarms: Vec<ExpectedAlarm>,
    /// What doors are told. They must be told nothing else, but by their own hours.
    #[serde(rename = "order", default)]
    pub(crate) orders: Vec<ExpectedOrder>,
}

/// Which site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SiteWord {
    /// The sample hospital, as `ach site sample` writes it.
    Sample,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "toml::Table")]
pub(crate) struct Step {
    /// When.
    pub(crate) at: TimeOfDay,
    /// What.
    pub(crate) deed: Deed,
}

impl TryFrom<toml::Table> for Step {
    type Error = String;

    fn try_from(mut table: toml::Table) -> Result<Step, String> {
        let at = table.remove("at").ok_or("a step needs `at`, the time of day it happens")?;
        let at = TimeOfDay::deserialize(at).map_err(|error| error.to_string())?;
        let deed = Deed::deserialize(toml::Value::Table(table))
            .map_err(|error| format!("the step at {at}: {error}"))?;
        Ok(Step { at, deed })
    }
}

/// A place of the site.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub(crate) enum Spot {
    /// A zone, of which its middle is meant, or a door.
    Named(Name),
    /// Metres east, metres north, storey.
    Point([f64; 3]),
}

/// What is done at the doors on somebody's way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Passing {
    /// Nothing is said of them: somebody else holds them, or has just opened them.
    #[default]
    Unsaid,
    /// A badge is held to the reader of each, and it opens and closes.
    Badge,
    /// Leave to go out is asked for at each, and it opens and closes.
    Asks,
}

/// What a reader says to a badge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ReaderAnswer {
    Granted,
    Denied,
}

/// What somebody, a door or an operator does.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "does", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Deed {
    /// Somebody or something is there from now on, and its tags are heard.
    Stands {
        subject: Name,
        place: Spot,
    },
    /// It walks there, along walkways where the place has a name and straight where it is a point.
    Walks {
        subject: Name,
        to: Vec<Spot>,
        #[serde(default = "walking_pace")]
        metres_per_s: f64,
        #[serde(default)]
        doors: Passing,
    },
    /// The button of its last tag is pressed, or reset.
    PressesButton {
        subject: Name,
    },
    ResetsButton {
        subject: Name,
    },
    /// The band of its first tag is cut, or is whole again.
    CutsBand {
        subject: Name,
    },
    MendsBand {
        subject: Name,
    },
    /// A badge is held to a door's reader. Whoever's is not known is turned away, and at a door that is blocked
    /// anybody is.
    Badges {
        door: Name,
        #[serde(default = "is_known")]
        is_known: bool,
        answer: Option<ReaderAnswer>,
    },
    /// Somebody asks to leave by a door.
    AsksToLeave {
        door: Name,
    },
    /// It is opened, or closed.
    Opens {
        door: Name,
    },
    Closes {
        door: Name,
    },
    /// From now on its controller does nothing that it is told.
    Sticks {
        door: Name,
    },
    /// It works again, and does what it was told last.
    Works {
        door: Name,
    },
    /// Its controller's fire input is on, or off again.
    FireOn {
        door: Name,
    },
    FireOff {
        door: Name,
    },
    /// A motion detector in the zone sees something.
    MovesIn {
        zone: Name,
    },
    /// An operator declares one, or ends it: of a zone's doors, of those with a label, or of all.
    StartsLockdown {
        zone: Option<Name>,
        label: Option<Name>,
        #[serde(default = "real")]
        practice: Practice,
        minutes: u32,
        reason: Remark,
    },
    EndsLockdown {
        zone: Option<Name>,
        label: Option<Name>,
        #[serde(default = "real")]
        practice: Practice,
    },
    StartsEvacuation {
        zone: Option<Name>,
        label: Option<Name>,
        #[serde(default = "real")]
        practice: Practice,
        minutes: u32,
        reason: Remark,
    },
    EndsEvacuation {
        zone: Option<Name>,
        label: Option<Name>,
        #[serde(default = "real")]
        practice: Practice,
    },
    /// An operator moves a door, or gives it back.
    MovesDoor {
        door: Name,
        mode: DoorMode,
        minutes: u32,
        reason: Remark,
    },
    GivesDoorBack {
        door: Name,
    },
    /// An operator answers an alarm, by its name among those expected.
    Acknowledges {
        alarm: Name,
        remark: Option<Remark>,
    },
    ClosesAlarm {
        alarm: Name,
        cause: AlarmCause,
        remark: Option<Remark>,
    },
    /// An operator gives leave, or ends it.
    GivesLeave {
        subject: Name,
        escort: Option<Name>,
        minutes: u32,
        reason: Remark,
    },
    EndsLeave {
        subject: Name,
    },
}

fn walking_pace() -> f64 {
    1.2
}

fn is_known() -> bool {
    true
}

fn real() -> Practice {
    Practice::Real
}

/// An alarm that is to follow.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExpectedAlarm {
    /// What steps call it by.
    pub(crate) name: Name,
    pub(crate) kind: AlarmKind,
    pub(crate) priority: AlarmPriority,
    /// Whom it is about; without it, nobody.
    pub(crate) subject: Option<Name>,
    /// The zone, door or line; without it, none: it is about the site, or about what somebody wears.
    pub(crate) place: Option<Name>,
    /// The rule; without it, none.
    pub(crate) rule: Option<Name>,
    /// When it is raised, both ends included.
    pub(crate) raised: [TimeOfDay; 2],
    /// To whom it is passed on because nobody answers, in that order.
    #[serde(default)]
    pub(crate) passed_on_to: Vec<Name>,
    /// With what it is over; without it, it is still open in the end.
    pub(crate) over_with: Option<AlarmTransition>,
    /// When it is over, both ends included.
    pub(crate) over: Option<[TimeOfDay; 2]>,
}

/// What doors are to be told.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExpectedOrder {
    /// Which.
    pub(crate) doors: Vec<Name>,
    pub(crate) mode: DoorMode,
    /// Who says so; without it nobody: it is what the doors do by themselves.
    pub(crate) slot: Option<DoorSlot>,
    #[serde(default)]
    pub(crate) is_drill: bool,
    /// When, both ends included.
    pub(crate) told: [TimeOfDay; 2],
    /// Until when that holds at the latest, both ends included; left out, it is not looked at.
    pub(crate) until: Option<[TimeOfDay; 2]>,
}

impl UseCase {
    /// Reads a file and looks whether it can be played.
    ///
    /// # Errors
    ///
    /// It cannot be read, is not understood, or names what it does not say.
    pub(crate) fn read(path: &Path) -> Result<UseCase, Failure> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| Failure::new(format!("could not read it: {error}")))?;
        UseCase::parse(&text).map_err(Failure::new)
    }

    fn parse(text: &str) -> Result<UseCase, String> {
        let case: UseCase = toml::from_str(text).map_err(|error| error.to_string())?;
        case.problem().map_or(Ok(case), Err)
    }

    fn problem(&self) -> Option<String> {
        let counts = [self.steps.len(), self.alarms.len(), self.orders.len()];
        if counts.iter().any(|&count| count > PARTS_MAX) {
            return Some(format!("at most {PARTS_MAX} of each: steps, alarms and orders"));
        }
        for (index, alarm) in self.alarms.iter().enumerate() {
            if self.alarms.iter().take(index).any(|other| other.name == alarm.name) {
                return Some(format!("two alarms are called {}; name each apart", alarm.name));
            }
            if alarm.over.is_some() && alarm.over_with.is_none() {
                return Some(format!(
                    "alarm {} is over at a time, but not with anything: say over_with",
                    alarm.name
                ));
            }
        }
        self.steps.iter().find_map(|step| {
            let (Deed::Acknowledges { alarm, .. } | Deed::ClosesAlarm { alarm, .. }) = &step.deed
            else {
                return pace_problem(step).or_else(|| badge_problem(step));
            };
            let is_named = self.alarms.iter().any(|it| it.name == *alarm);
            (!is_named).then(|| {
                format!(
                    "the step at {} answers alarm {alarm}, and no [[alarm]] has that name",
                    step.at
                )
            })
        })
    }
}

/// Slower than a snail or faster than a sprinter is a slip of the pen.
fn pace_problem(step: &Step) -> Option<String> {
    match &step.deed {
        Deed::Walks { metres_per_s, .. } if !(0.05..=10.0).contains(metres_per_s) => {
            Some(format!("the step at {}: metres_per_s is from 0.05 to 10", step.at))
        }
        _ => None,
    }
}

/// An expectation that nothing can fail shows nothing: who is not known is turned away here, by no word of the node.
fn badge_problem(step: &Step) -> Option<String> {
    match &step.deed {
        Deed::Badges { is_known: false, answer: Some(_), .. } => Some(format!(
            "the step at {}: a badge that is not known is denied, whatever the node says; leave out `answer`",
            step.at
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str =
        "goal = \"g\"\nsite = \"sample\"\nstart = \"2026-11-24 14:00:00\"\nend = \"14:20:00\"\n";

    #[track_caller]
    fn check(rest: &str, expected: &str) {
        let found = UseCase::parse(&format!("{HEAD}{rest}"));
        match (found, expected) {
            (Ok(_), "") => {}
            (Err(problem), part) if !part.is_empty() && problem.contains(part) => {}
            (found, _) => panic!("{rest}: expected `{expected}`, found {found:?}"),
        }
    }

    #[test]
    fn a_use_case_that_cannot_be_played_is_told_why() {
        let step = |rest: &str| format!("[[step]]\nat = \"14:01:00\"\n{rest}");
        check(&step("does = \"opens\"\ndoor = \"d\""), "");
        check("step = []", "");
        check(&step("does = \"flies\""), "unknown variant `flies`");
        check(&step("does = \"opens\"\ndoor = \"d\"\nspeed = 1"), "unknown field `speed`");
        check("[[step]]\ndoes = \"opens\"\ndoor = \"d\"", "a step needs `at`");
        check("[[step]]\nat = \"25:00:00\"\ndoes = \"opens\"\ndoor = \"d\"", "25:00:00");
        check(&step("does = \"acknowledges\"\nalarm = \"left\""), "no [[alarm]] has that name");
        check(
            &step("does = \"walks\"\nsubject = \"s\"\nto = [\"lobby\"]\nmetres_per_s = 100.0"),
            "from 0.05 to 10",
        );
        check("step = []\nalarms = []", "unknown field `alarms`");
        check(&step("does = \"badges\"\ndoor = \"d\"\nanswer = \"denied\""), "");
        check(
            &step("does = \"badges\"\ndoor = \"d\"\nis_known = false\nanswer = \"denied\""),
            "leave out `answer`",
        );
    }
}
