//! What a receiver is told of alarms.

use ach_actors_model::{
    ActMark, AlarmCause, AlarmId, AlarmKind, AlarmLife, AlarmPriority, AlarmReason, AlarmState,
    AlarmTransition, IncidentMark, Name, Remark, TagId, Timestamp,
};
use ach_geo::Position;

use crate::tlv::{Value, message};
use crate::{Cursor, Thing, WireCause, WireError};

/// Whether what is told is stored yet. It says nothing about the evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Storage {
    /// Not yet, or not now.
    Provisional(ProvisionalReason),
    /// On disk, in a cluster on a quorum.
    Durable,
    /// It was provisional and has been lost with a deposed leader.
    Withdrawn,
}

/// Why something is provisional.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProvisionalReason {
    /// None but that the disk has not answered yet.
    None,
    /// Storing has stopped on this node.
    NoDisk,
    /// The node has no quorum.
    NoQuorum,
}

impl Value for Storage {
    fn put(&self, out: &mut Vec<u8>) -> Result<(), WireError> {
        out.push(match self {
            Storage::Provisional(ProvisionalReason::None) => 1,
            Storage::Provisional(ProvisionalReason::NoDisk) => 2,
            Storage::Provisional(ProvisionalReason::NoQuorum) => 3,
            Storage::Durable => 4,
            Storage::Withdrawn => 5,
        });
        Ok(())
    }

    fn take(bytes: &[u8], part: &'static str) -> Result<Storage, WireError> {
        match bytes {
            [1] => Ok(Storage::Provisional(ProvisionalReason::None)),
            [2] => Ok(Storage::Provisional(ProvisionalReason::NoDisk)),
            [3] => Ok(Storage::Provisional(ProvisionalReason::NoQuorum)),
            [4] => Ok(Storage::Durable),
            [5] => Ok(Storage::Withdrawn),
            [_] => Err(WireError::Value { part }),
            _ => Err(WireError::Length { part, bytes: bytes.len() }),
        }
    }
}

message! {
    /// One change of one alarm, with its evidence.
    pub struct AlarmNote {
        /// The episode; the same on every node and after every crash.
        1 => id: AlarmId,
        /// What became of it.
        2 => transition: AlarmTransition,
        /// Why, when it was retracted or cleared.
        3 => reason: Option<AlarmReason>,
        /// What is wrong.
        4 => kind: AlarmKind,
        /// How urgent it is.
        5 => priority: AlarmPriority,
        /// The rule; system alarms have none.
        6 => rule: Option<Name>,
        /// The version of the site the rule was read from.
        7 => site_version: u32,
        /// Its ordinal among the episodes of the same rule, subject and place.
        8 => episode: u32,
        /// Whom it is about.
        9 => subject: Option<Name>,
        /// The tag the evidence came from.
        10 => tag: Option<TagId>,
        /// Where.
        11 => place: Thing,
        /// Whether the evidence is still incomplete.
        12 => is_tentative: bool,
        /// Whether the opening input came late or its deadline fell into an outage.
        13 => is_late: bool,
        /// What opened the episode.
        14 => cause: WireCause,
        /// When the opening input happened, by its device, at most `received_at`.
        15 => observed_at: Timestamp,
        /// When the opening input arrived, or its deadline was due.
        16 => received_at: Timestamp,
        /// When it changed, by shard time.
        17 => changed_at: Timestamp,
        /// Where the subject was, if known.
        18 => position: Option<Position>,
        /// Accuracy of that position in millimetres; 0 is unknown.
        19 => accuracy_mm: u32,
        /// Bits of the gates that were passed.
        20 => gates_passed: u16,
        /// Whether it is stored.
        21 => storage: Storage,
        /// Its cursor, when it is durable.
        22 => cursor: Option<Cursor>,
        /// The leadership that says so.
        23 => fencing_epoch: u64,
        /// Whether it was sent again as one of the open ones rather than as news.
        24 => is_resent: bool,
        /// The state it has after this change.
        25 => state: AlarmState,
        /// What people and timers did with it, if they did anything.
        26 => life: Option<Box<LifeNote>>,
        /// The incident it belongs to.
        27 => incident: Option<IncidentNote>,
        /// What was known of the door, of one that was forced.
        28 => door: Option<Box<DoorNote>>,
        /// What its rule's responses came to when it called for them first.
        29 => response: Option<Box<ResponseNote>>,
        /// Whether its door was told what to do for a drill when it was raised.
        30 => is_drill: bool,
    }
}

message! {
    /// What an alarm did at once: whom it is to be handed to, and which doors it asked to lock.
    pub struct ResponseNote {
        /// Roles, persons or devices by id.
        1 => tell: Vec<Name>,
        /// The doors, by id; none if the time for that was over when it was told.
        2 => doors: Vec<Name>,
        /// When the last of them is given back at the latest; nothing if there are no doors.
        3 => until: Option<Timestamp>,
    }
}

message! {
    /// What was known of a door when it was opened without leave.
    pub struct DoorNote {
        /// The last time its reader had granted access.
        1 => granted_at: Option<Timestamp>,
        /// Until when the door could be opened on that.
        2 => granted_until: Option<Timestamp>,
        /// The last time somebody had asked to leave.
        3 => requested_at: Option<Timestamp>,
        /// Until when the door could be opened on that.
        4 => requested_until: Option<Timestamp>,
        /// When its lock had told of itself last.
        5 => lock_at: Option<Timestamp>,
        /// Whether it was drawn back then.
        6 => is_drawn_back: Option<bool>,
        /// Who was within ten metres in the rooms on either side, the nearest first.
        7 => near: Vec<Name>,
        /// Whose badge the last grant was given to.
        8 => granted_to: Option<Name>,
    }
}

message! {
    /// Which incident an alarm belongs to: occurrences of one cause, to be seen together.
    pub struct IncidentNote {
        /// The alarm it began with.
        1 => id: AlarmId,
        /// Which alarm of it this is, from 1.
        2 => place: u32,
        /// Whether it joined aloud and is more urgent than all of it that wait for somebody, or about a subject about
        /// whom none of those is.
        3 => is_raising: bool,
    }
}

impl From<IncidentMark> for IncidentNote {
    fn from(mark: IncidentMark) -> IncidentNote {
        IncidentNote { id: mark.id, place: mark.place, is_raising: mark.is_raising }
    }
}

message! {
    /// What people and timers have done with an alarm.
    pub struct LifeNote {
        /// Counts what was done: each is told once.
        1 => revision: u32,
        /// Who did the last of it; nobody for a timer.
        2 => by: Option<Name>,
        /// What was said with it.
        3 => remark: Option<Remark>,
        /// Who took notice, since it last called for attention.
        4 => acknowledged: Option<ActNote>,
        /// Who confirmed.
        5 => confirmed: Option<ActNote>,
        /// Who said what it was.
        6 => closed: Option<ActNote>,
        /// What it was.
        7 => cause: Option<AlarmCause>,
        /// Who is to see to it.
        8 => assignee: Option<Name>,
        /// Until when it is quiet.
        9 => quiet_until: Option<Timestamp>,
        /// How often it was passed on because nobody took notice.
        10 => level: u8,
        /// To whom it was passed on last.
        11 => escalated_to: Option<Name>,
        /// How many comments there are.
        12 => comment_count: u16,
    }
}

message! {
    /// Who did something, and when.
    pub struct ActNote {
        /// Who.
        1 => by: Name,
        /// When, by shard time.
        2 => at: Timestamp,
    }
}

impl From<&ActMark> for ActNote {
    fn from(mark: &ActMark) -> ActNote {
        ActNote { by: mark.by.clone(), at: mark.at }
    }
}

impl From<&AlarmLife> for LifeNote {
    fn from(life: &AlarmLife) -> LifeNote {
        let act = |mark: &Option<ActMark>| mark.as_ref().map(ActNote::from);
        LifeNote {
            revision: life.revision,
            by: life.by.clone(),
            remark: life.remark.clone(),
            acknowledged: act(&life.acknowledged),
            confirmed: act(&life.confirmed),
            closed: act(&life.closed),
            cause: life.cause,
            assignee: life.assignee.clone(),
            quiet_until: life.quiet_until,
            level: life.level,
            escalated_to: life.escalated_to.clone(),
            comment_count: life.comment_count,
        }
    }
}

message! {
    /// A provisional note has become durable, or is withdrawn.
    pub struct AlarmSettled {
        /// The episode.
        1 => id: AlarmId,
        /// Which change of it.
        2 => transition: AlarmTransition,
        /// [`Storage::Durable`] or [`Storage::Withdrawn`].
        3 => storage: Storage,
        /// Its cursor, when it is durable.
        4 => cursor: Option<Cursor>,
        /// The leadership that says so.
        5 => fencing_epoch: u64,
    }
}

message! {
    /// All open alarms have been sent: any other provisional one that the receiver knows is
    /// withdrawn.
    pub struct OpenSetEnd {
        /// How many there were.
        1 => open_count: u32,
        /// Up to where the set is complete, if anything is durable.
        2 => cursor: Option<Cursor>,
    }
}

message! {
    /// Notes were left out.
    pub struct Gap {
        /// Why: [`Code::TooSlow`](crate::Code::TooSlow) or
        /// [`Code::CursorOutOfRange`](crate::Code::CursorOutOfRange).
        1 => code: crate::Code,
        /// How many, if that is known.
        2 => missed_count: Option<u64>,
        /// The stream goes on after this.
        3 => cursor: Option<Cursor>,
    }
}
