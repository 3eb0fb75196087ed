//! Wishes of operators; each may be refused.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    AlarmCause, AlarmId, AnchorRef, BandWish, DoorMode, DoorRef, DoorScope, EmergencyKind, Name,
    NodeTrouble, PassWish, Place, Practice, Remark, RuleRef, SourceRef, SubjectRef, TagRef,
    Timestamp, ZoneRef,
};

/// A wish.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Command {
    /// Who wishes it, for the record.
    pub by: Name,
    /// What.
    pub kind: CommandKind,
}

/// What is wished.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum CommandKind {
    /// Let a quarantined actor work again.
    ReleaseActor(EntityRef),
    /// Quarantine an actor by hand.
    QuarantineActor(EntityRef),
    /// Raise a test alarm. One that is still open is ended first.
    BeginSelftest,
    /// End the test alarm, if one is open.
    EndSelftest,
    /// Something is wrong with the node itself, or no longer. Said by the node alone.
    NodeTrouble {
        /// What.
        trouble: NodeTrouble,
        /// Whether it is so.
        is_on: bool,
    },
    /// Do something with an alarm.
    Act(AlarmWish),
    /// Mute a place or rule, or take it out of service, or end that.
    Quiet(QuietWish),
    /// Say what a door is to do.
    MoveDoor(DoorWish),
    /// Declare or end a lockdown or an evacuation.
    Declare(EmergencyWish),
    /// Give a subject leave, or end it.
    Pass(PassWish),
    /// Say that a band may be off for a time, or is on.
    Band(BandWish),
}

/// What is to be done with one alarm.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct AlarmWish {
    /// Which.
    pub alarm: AlarmId,
    /// What.
    pub act: AlarmAct,
    /// The person a program wishes it for; none is whoever wishes it.
    pub person: Option<Name>,
    /// Words with it.
    pub remark: Option<Remark>,
}

/// What can be done with an alarm.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum AlarmAct {
    /// Take notice.
    Acknowledge,
    /// Confirm that what had to be done was done. It must have been acknowledged.
    Confirm,
    /// Give it to somebody to see to, or to nobody.
    Assign {
        /// To whom.
        to: Option<Name>,
    },
    /// Say something about it: the remark.
    Comment,
    /// Put its condition aside: this alarm and those that the same condition raises meanwhile.
    Shelve {
        /// For how long.
        for_ns: u64,
    },
    /// Put it aside no more.
    Unshelve,
    /// Let it latch no more. Its condition must have ended, and it must have been acknowledged.
    Reset,
    /// Say what it was. It must have been acknowledged.
    Close {
        /// What it was.
        cause: AlarmCause,
    },
}

/// What is to be quiet, how, and for how long.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct QuietWish {
    /// What.
    pub scope: QuietScope,
    /// How.
    pub kind: QuietKind,
    /// For how long from now; 0 ends it.
    pub for_ns: u64,
    /// The person a program wishes it for; none is whoever wishes it.
    pub person: Option<Name>,
    /// Words with it.
    pub remark: Option<Remark>,
}

/// What can be quiet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum QuietScope {
    /// All alarms about a place.
    Place(Place),
    /// All alarms of a rule.
    Rule(RuleRef),
}

/// How something is quiet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum QuietKind {
    /// Muted: two persons must wish it.
    Suppressed,
    /// Worked on: of a zone or rule two persons must wish it.
    OutOfService,
}

/// What is to become of a door.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct DoorWish {
    /// Which.
    pub door: DoorRef,
    /// What.
    pub act: DoorAct,
    /// What makes it the same wish if it is sent again.
    pub key: Option<u128>,
    /// Shard time from which on it is not wished any more.
    pub void_at: Option<Timestamp>,
    /// The person a program wishes it for; none is whoever wishes it.
    pub person: Option<Name>,
    /// Why.
    pub remark: Option<Remark>,
}

/// What can be wished of a door.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum DoorAct {
    /// The operator's slot says this for so long.
    Move {
        /// What the door is to do.
        mode: DoorMode,
        /// For how long.
        for_ns: u64,
    },
    /// The operator's slot says nothing any more.
    GiveBack,
    /// Let people out: unlocked, whatever else is said, until it is taken back.
    Release,
    /// Take that back. A fire goes on releasing.
    EndRelease,
    /// The fire that is told at it is over, whatever its fire input says or cannot say any more.
    EndFire,
}

/// A lockdown or an evacuation is to begin, to last longer or to end.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct EmergencyWish {
    /// What.
    pub kind: EmergencyKind,
    /// For which doors.
    pub scope: DoorScope,
    /// Whether it is meant.
    pub practice: Practice,
    /// For how long from now; 0 ends it.
    pub for_ns: u64,
    /// What makes it the same wish if it is sent again.
    pub key: Option<u128>,
    /// Shard time from which on it is not wished any more.
    pub void_at: Option<Timestamp>,
    /// The person a program wishes it for; none is whoever wishes it.
    pub person: Option<Name>,
    /// Why.
    pub remark: Option<Remark>,
}

/// Why a wish changed nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Error)]
pub enum WishRefusal {
    /// There is no such alarm, or it is over.
    #[error("no such alarm is open: it is over, or the id is wrong")]
    NotOpen,
    /// It must be acknowledged first.
    #[error("nobody has acknowledged it: acknowledge it first")]
    NotAcknowledged,
    /// Its condition holds.
    #[error("its condition still holds: reset it when that has ended")]
    StillActive,
    /// It does not latch.
    #[error("it does not latch, there is nothing to reset")]
    NotLatched,
    /// Life may hang on it.
    #[error("a life may hang on it: it is never shelved, suppressed or out of service")]
    LifeSafety,
    /// For no time, or for longer than allowed.
    #[error("give a time above 0: at most 12 h to shelve, 24 h to mute, 31 days out of service")]
    TooLong,
    /// A comment without words, or a cause that needs some.
    #[error("a remark is needed: say what it was")]
    NoRemark,
    /// No more comments.
    #[error("it has as many comments as are kept")]
    TooManyComments,
    /// No more things are quiet at once.
    #[error("too many things are quiet at once: end some first")]
    TooManyQuiet,
    /// The site does not have what is to be quiet.
    #[error("the site has no such place or rule")]
    NoSuchThing,
    /// Another person must wish the same.
    #[error("it waits for a second person: another one must wish the same within 10 minutes")]
    NeedsSecondPerson,
    /// Another person's hand is needed: this one has asked already.
    #[error("you have asked for it already: another person must wish the same")]
    SamePerson,
    /// The door is not the node's to move.
    #[error("this door takes no orders: its feature in the site's files names no `control`")]
    NoOrders,
    /// Another door of its interlock is open or unlocked.
    #[error("another door of its interlock is open or unlocked: close and lock that first")]
    Interlocked,
    /// For no time, or for longer than a door is moved.
    #[error("give a time above 0 and of at most 24 h")]
    NotForSoLong,
    /// Nobody could say later why.
    #[error("a reason is needed: say why, in a few words")]
    NoReason,
    /// It came too late to be wished still.
    #[error("it came too late: look how things are, and give it anew if it is still wanted")]
    TooLate,
    /// The key was used for something else.
    #[error("its key was used for another command: use a new one for each")]
    KeyReused,
    /// There is nothing to end.
    #[error("no such lockdown or evacuation runs: list them to see what does")]
    NotDeclared,
    /// Its actor is set aside, and would not hear of it.
    #[error("what it is about is set aside after a fault: release it first (`ach actor release`)")]
    SetAside,
    /// No more of them.
    #[error("as many lockdowns and evacuations run as can: end some first")]
    TooManyDeclared,
    /// Leave for no time, or for longer than allowed.
    #[error("give leave for a time above 0, and for 24 h at most")]
    LeaveTooLong,
    /// No more subjects have leave at once.
    #[error("too many have leave at once: end some first")]
    TooManyPasses,
    /// More places than leave may name.
    #[error("leave names 64 places at most; without any it is for all")]
    TooManyPlaces,
    /// No more subjects have leave with one escort at once.
    #[error("that escort goes with as many as one may: name another, or end some first")]
    TooManyWards,
    /// An escort that cannot be one.
    #[error("an escort is somebody else, within 1 to 100 m, missed for 1 s to 10 min at most")]
    NoEscort,
    /// The tag is not on that subject.
    #[error("the tag is not on that subject: look who wears it")]
    NotWorn,
    /// A band off for no time, or for longer than allowed.
    #[error("a band may be off for a time above 0, and for 60 min at most")]
    OffTooLong,
}

/// Anything that has an actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum EntityRef {
    /// A tag.
    Tag(TagRef),
    /// A subject.
    Subject(SubjectRef),
    /// A zone.
    Zone(ZoneRef),
    /// A door.
    Door(DoorRef),
    /// A feed.
    Source(SourceRef),
    /// An anchor.
    Anchor(AnchorRef),
}
