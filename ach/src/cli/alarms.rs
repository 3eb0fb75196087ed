//! What is typed about alarms that were.

use std::path::PathBuf;
use std::time::Duration;

use ach_actors_model::{AlarmCause, Name, Remark, Timestamp};
use clap::{Args, Subcommand, ValueEnum};

use super::Connect;
use crate::{moment, span};

/// `ach alarms`.
#[derive(Debug, Subcommand)]
pub(crate) enum Alarms {
    /// List the alarms of a time, each with what became of it
    #[command(after_help = "\
Examples:
  ach alarms list --data my-data --from '2026-11-16 00:00' --to '2026-11-23 00:00'
  ach alarms list --data my-data --by-incident
  ach alarms list --data my-data --json > alarms.jsonl

An incident is alarms of one cause: docs/specs/incidents.md.")]
    List {
        /// Which alarms.
        #[command(flatten)]
        of: AlarmsOf,
        /// Put the alarms of an incident together, each under the first
        #[arg(long)]
        by_incident: bool,
    },
    /// Tell what alarms were like for those who answer them: how many, floods, chatter, how soon answered, how many false
    #[command(after_help = "\
Examples:
  ach alarms stats --data my-data --from '2026-11-16 00:00' --to '2026-11-23 00:00'
  ach alarms stats --data my-data --target 2m --json

Counted as ISA-18.2 (IEC 62682) has it: more than ten alarms in ten minutes are a flood, an alarm that is raised \
three times in a minute chatters, one that is open for more than a day stands. What is raised while it is shelved, \
muted or out of service calls nobody and is told apart. docs/specs/alarm-review.md says it in full. All of it can be \
counted again from what `ach alarms list --json` prints.")]
    Stats {
        /// Which alarms.
        #[command(flatten)]
        of: AlarmsOf,
        /// How soon an alarm should be acknowledged: 30s, 2m
        #[arg(long, value_name = "TIME", default_value = "60s", value_parser = span::parse)]
        target: Duration,
    },
    /// List the alarms that are open on a running node: what is wrong, and who sees to it
    #[command(after_help = "\
Examples:
  ach alarms open --credentials desk-credentials
  ach alarms open --credentials desk-credentials --by-incident
  ach alarms open --credentials desk-credentials --json

What is urgent and nobody has acknowledged comes first. The state is one of ISA-18.2; docs/specs/alarm-life.md has \
the table.")]
    Open {
        /// Which node, and as whom.
        #[command(flatten)]
        connect: Connect,
        /// Put the alarms of an incident together: what has one cause
        #[arg(long)]
        by_incident: bool,
    },
    /// Acknowledge an alarm: somebody has taken notice
    #[command(
        name = "ack",
        after_help = "Example:\n  ach alarms ack 3f9a1c --credentials desk-credentials"
    )]
    Acknowledge(OnAlarm),
    /// Confirm that what an alarm asked for was done
    #[command(after_help = "Example:\n  ach alarms confirm 3f9a1c --credentials desk-credentials")]
    Confirm(OnAlarm),
    /// Give an alarm to somebody to see to
    #[command(after_help = "\
Examples:
  ach alarms assign 3f9a1c --to nurse-7 --credentials desk-credentials
  ach alarms assign 3f9a1c --credentials desk-credentials       nobody sees to it any more")]
    Assign {
        /// Which alarm, and as whom.
        #[command(flatten)]
        on: OnAlarm,
        /// A person or role, by id; without it, nobody
        #[arg(long, value_name = "ID", value_parser = Name::new)]
        to: Option<Name>,
    },
    /// Say something about an alarm: --remark
    #[command(
        after_help = "Example:\n  ach alarms comment 3f9a1c --remark 'seen at lift 2' --credentials desk-credentials"
    )]
    Comment(OnAlarm),
    /// Put the condition of an alarm aside for a time: this alarm and what it raises meanwhile
    #[command(after_help = "\
Examples:
  ach alarms shelve 3f9a1c --for 30m --remark 'door is being painted' --credentials desk-credentials

For 12 hours at most. It comes back by itself. Never what a life may hang on: a duress call, or the alarms of a rule \
with life_safety = true.")]
    Shelve {
        /// Which alarm, and as whom.
        #[command(flatten)]
        on: OnAlarm,
        /// For how long: 30m, 2h
        #[arg(long = "for", value_name = "TIME", value_parser = span::parse)]
        length: Duration,
    },
    /// Put a shelved condition aside no more
    #[command(after_help = "Example:\n  ach alarms unshelve 3f9a1c --credentials desk-credentials")]
    Unshelve(OnAlarm),
    /// Reset an alarm that latched
    #[command(after_help = "Example:\n  ach alarms reset 3f9a1c --credentials desk-credentials")]
    Reset(OnAlarm),
    /// Close an alarm: say what it was
    #[command(after_help = "\
Examples:
  ach alarms close 3f9a1c --cause real --credentials desk-credentials
  ach alarms close 3f9a1c --cause other --remark 'cleaning cart' --credentials desk-credentials")]
    Close {
        /// Which alarm, and as whom.
        #[command(flatten)]
        on: OnAlarm,
        /// What it was
        #[arg(long, value_enum)]
        cause: CauseWord,
    },
    /// List what is quiet on a running node: shelved, muted, out of service, and what waits for a second person
    #[command(after_help = "\
Examples:
  ach alarms quiet --credentials desk-credentials
  ach alarms quiet --credentials desk-credentials --json

Each with who wished it, of a mute both, why, and until when. It ends by itself.")]
    Quiet {
        /// Which node, and as whom.
        #[command(flatten)]
        connect: Connect,
    },
    /// Mute the alarms of a place or rule for a time: a second operator must give the same command
    #[command(after_help = "\
Examples:
  ach alarms mute zone ward-3 --for 2h --remark 'fire drill' --credentials desk-credentials
  ach alarms mute rule night-wander --for 8h --credentials desk-credentials

In force when another operator, with a certificate of another name, gives the same command within 10 minutes; for the \
shorter of both times, 24 hours at most. Duress calls are never muted.")]
    Mute(Quiet),
    /// Mute the alarms of a place or rule no more
    #[command(
        after_help = "Example:\n  ach alarms unmute zone ward-3 --credentials desk-credentials"
    )]
    Unmute(Loud),
    /// Take a place or rule out of service for a time: it is being worked on. A zone or rule takes two operators
    #[command(
        after_help = "Example:\n  ach alarms take-out door exit-east --for 4h --remark 'new strike' --credentials desk-credentials"
    )]
    TakeOut(Quiet),
    /// Put a place or rule back in service
    #[command(
        after_help = "Example:\n  ach alarms put-back door exit-east --credentials desk-credentials"
    )]
    PutBack(Loud),
}

/// Which alarm is meant, and as whom.
#[derive(Debug, Args)]
pub(crate) struct OnAlarm {
    /// The alarm: its id, or as many of its first digits as tell it from other open ones, 4 at least
    #[arg(value_parser = alarm_digits)]
    pub(crate) alarm: String,
    /// Words with it, on one line; people by their ids, for it is never erased
    #[arg(long, value_name = "TEXT", value_parser = remark)]
    pub(crate) remark: Option<Remark>,
    /// The person for whom a program does it, by id
    #[arg(long, value_name = "ID", value_parser = Name::new)]
    pub(crate) person: Option<Name>,
    /// Which node, and as whom.
    #[command(flatten)]
    pub(crate) connect: Connect,
}

/// What is to be quiet, and for how long.
#[derive(Debug, Args)]
pub(crate) struct Quiet {
    /// What.
    #[command(flatten)]
    pub(crate) what: Loud,
    /// For how long: 30m, 2h
    #[arg(long = "for", value_name = "TIME", value_parser = span::parse)]
    pub(crate) length: Duration,
}

/// A place or rule, and as whom.
#[derive(Debug, Args)]
pub(crate) struct Loud {
    /// What kind of thing
    #[arg(value_enum)]
    pub(crate) kind: ScopeKind,
    /// Which, by id; of a tag its number
    pub(crate) id: String,
    /// Words with it, on one line; people by their ids, for it is never erased
    #[arg(long, value_name = "TEXT", value_parser = remark)]
    pub(crate) remark: Option<Remark>,
    /// Which node, and as whom.
    #[command(flatten)]
    pub(crate) connect: Connect,
}

/// What can be quiet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ScopeKind {
    /// Alarms about a zone
    Zone,
    /// About a door
    Door,
    /// About a perimeter line
    Line,
    /// About a tag
    Tag,
    /// About a feed
    Feed,
    /// About an anchor
    Anchor,
    /// Of a rule
    Rule,
}

/// What an alarm turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CauseWord {
    /// As it said
    Real,
    /// As it said, and allowed: leave nobody had told the system of
    Allowed,
    /// The position was wrong
    WrongPosition,
    /// A tag, band, button, door or reader was broken or not worn right
    DeviceFault,
    /// The rule asks for too little and is to be changed
    RuleTooStrict,
    /// Somebody tried it out
    Test,
    /// The same thing raised another alarm too
    Duplicate,
    /// Something else: --remark says what
    Other,
}

impl From<CauseWord> for AlarmCause {
    fn from(word: CauseWord) -> AlarmCause {
        match word {
            CauseWord::Real => AlarmCause::Real,
            CauseWord::Allowed => AlarmCause::Allowed,
            CauseWord::WrongPosition => AlarmCause::WrongPosition,
            CauseWord::DeviceFault => AlarmCause::DeviceFault,
            CauseWord::RuleTooStrict => AlarmCause::RuleTooStrict,
            CauseWord::Test => AlarmCause::Test,
            CauseWord::Duplicate => AlarmCause::Duplicate,
            CauseWord::Other => AlarmCause::Other,
        }
    }
}

pub(super) fn remark(text: &str) -> Result<Remark, String> {
    Remark::new(text).map_err(|error| error.to_string())
}

/// Digits of an alarm's id that are typed: 8 are shown, fewer than 4 are a slip of the hand.
fn alarm_digits(text: &str) -> Result<String, String> {
    let is_id = (4..=32).contains(&text.len()) && text.bytes().all(|it| it.is_ascii_hexdigit());
    if is_id {
        Ok(text.to_ascii_lowercase())
    } else {
        Err(format!(
            "`{text}` is no alarm; write 4 to 32 digits of its id, as `ach alarms open` shows it"
        ))
    }
}

/// Which alarms.
#[derive(Debug, Args)]
pub(crate) struct AlarmsOf {
    /// The node's data directory
    #[arg(long, value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// Raised from this moment on; without it, from the first that is remembered
    #[arg(long, value_name = "TIME", value_parser = moment::parse)]
    pub(crate) from: Option<Timestamp>,
    /// Raised before this moment; without it, to the last
    #[arg(long, value_name = "TIME", value_parser = moment::parse)]
    pub(crate) to: Option<Timestamp>,
    /// Print one JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
}
