//! What can be wrong, how urgent it is, and what is said about it.

use std::sync::Arc;

use ach_geo::Position;
use serde::{Deserialize, Serialize};

use crate::{
    AlarmId, AlarmLife, AlarmResponse, AlarmState, AnchorRef, DoorEvidence, DoorRef, IncidentMark,
    Lane, LineRef, RuleRef, SourceRef, SubjectRef, TagRef, Timestamp, ZoneRef,
};

/// How soon a person must respond (IEC 60601-1-8: high, medium, low).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlarmPriority {
    /// Aware.
    Low,
    /// Prompt.
    Medium,
    /// At once.
    High,
}

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlarmKind {
    /// A protected person left, or is leaving, without leave.
    Elopement,
    /// An asset left the place it must stay in.
    AssetTheft,
    /// A subject is where it may not be.
    UnauthorisedEntry,
    /// A subject has stayed too long.
    Loitering,
    /// A tag has not been heard for longer than it may be silent.
    TagSilent,
    /// A whole feed has fallen silent.
    FeedSilent,
    /// An anchor is lost, and the zones it covers are blind.
    ZoneBlind,
    /// A tag's battery is nearly empty.
    BatteryLow,
    /// A band was cut or a tag tampered with.
    BandCut,
    /// A duress button was pressed.
    Duress,
    /// More subjects are in a zone than it may hold.
    OverCapacity,
    /// A door was opened without a grant or a request to exit, its lock not drawn back.
    DoorForced,
    /// An actor failed and is set aside; what it watched is not watched.
    ActorQuarantined,
    /// The clock of a feed differs from the node's by more than it should.
    ClockSkewed,
    /// Tags on one subject are too far apart to be on one body.
    TagsContradict,
    /// Nothing is wrong: a test of the way that alarms take.
    SelfTest,
    /// The node's audit log is not written, or was changed.
    AuditTrouble,
    /// The node's time and the clock of its machine differ by more than they should.
    NodeClockOff,
    /// The node's daily self-test failed or was missed.
    SelftestFailed,
    /// A door stands open for longer than it may.
    DoorHeld,
    /// A door's housing, or that of its controller, was opened or torn off.
    DoorTampered,
    /// A door's reader was opened or torn off.
    ReaderTampered,
    /// A door is not heard: its system has lost it, or it has been silent for too long.
    DoorLost,
    /// The battery of a door is nearly empty.
    DoorBatteryLow,
    /// A door is not as it was told to be.
    DoorNotFollowing,
    /// A thing has not been where it belongs for too long.
    AssetNotReturned,
    /// Somebody has been without company for too long.
    LoneWorker,
    /// Two who must be kept apart are near each other.
    ForbiddenMeeting,
    /// A subject is out, and its leave is soon over.
    LeaveEndsSoon,
    /// More went through a door than there was leave for.
    Tailgating,
    /// A badge was granted access at a door that its holder was too far from.
    BadgeElsewhere,
    /// Something moved in a zone in which nobody was.
    UnexplainedMotion,
}

/// Where or what an alarm is about, beside its subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Place {
    /// Nowhere in particular.
    Site,
    /// A zone.
    Zone(ZoneRef),
    /// A door.
    Door(DoorRef),
    /// A perimeter line.
    Line(LineRef),
    /// A tag (silent, battery, band).
    Tag(TagRef),
    /// A feed.
    Source(SourceRef),
    /// An anchor.
    Anchor(AnchorRef),
    /// Another subject.
    Subject(SubjectRef),
}

/// What became of an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlarmTransition {
    /// It is new.
    Raised,
    /// A tentative alarm has been borne out.
    Upheld,
    /// A tentative alarm was not borne out.
    Retracted,
    /// Its condition no longer holds.
    Cleared,
    /// Somebody took notice of it.
    Acknowledged,
    /// Somebody saw to it that what had to be done was done.
    Confirmed,
    /// Somebody is to see to it, or nobody any more.
    Assigned,
    /// Somebody said something about it.
    Commented,
    /// It was put aside for a time.
    Shelved,
    /// It is put aside no more.
    Unshelved,
    /// Its place or rule was muted.
    Suppressed,
    /// Its place or rule is muted no more.
    Unsuppressed,
    /// Its place or rule was taken out of service.
    TakenOut,
    /// Its place or rule is in service again.
    PutBack,
    /// It latched no more, by somebody's hand.
    Reset,
    /// Somebody said what it was.
    Closed,
    /// Nobody took notice in time: it was passed on.
    Escalated,
    /// It holds for so long that it calls for attention anew.
    Realarmed,
    /// It was given up to make room: too many wait for somebody to take notice.
    Dropped,
    /// Its rule has responses by now, which it calls for.
    Responded,
}

impl AlarmTransition {
    /// Whether it is what the condition says, and not what people or timers did.
    pub fn is_of_the_condition(self) -> bool {
        use AlarmTransition::{Cleared, Raised, Retracted, Upheld};
        matches!(self, Raised | Upheld | Retracted | Cleared)
    }
}

/// Why an alarm was retracted or cleared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlarmReason {
    /// The subject came back before the evidence was complete.
    CameBack,
    /// The condition ended.
    ConditionEnded,
    /// The rule was removed or no longer applies.
    RuleRemoved,
    /// The tag was taken off the subject.
    TagRemoved,
    /// An operator released the actor.
    Released,
    /// Somebody gave the subject leave.
    Authorised,
    /// Whoever must be with the subject is.
    Escorted,
    /// Leave is over, and what it held back is told instead.
    LeaveOver,
}

/// What opened an episode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Cause {
    /// A ping or report.
    Input {
        /// Whose.
        source: SourceRef,
        /// On which lane.
        lane: Lane,
        /// In which epoch.
        epoch: u32,
        /// Under which sequence number.
        seq: u64,
    },
    /// A deadline.
    Deadline {
        /// When it was due.
        due_at: Timestamp,
    },
    /// A change of the site.
    SiteChange,
}

/// Everything said about one change of one alarm.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct AlarmNotice {
    /// The episode.
    pub id: AlarmId,
    /// What became of it.
    pub transition: AlarmTransition,
    /// Why, for [`AlarmTransition::Retracted`] and [`AlarmTransition::Cleared`].
    pub reason: Option<AlarmReason>,
    /// What is wrong.
    pub kind: AlarmKind,
    /// How urgent it is.
    pub priority: AlarmPriority,
    /// The rule that says so; system alarms have none.
    pub rule: Option<RuleRef>,
    /// The version of the site the rule was read from.
    pub site_version: u32,
    /// The episode's ordinal among those of the same rule, subject and place.
    pub episode: u32,
    /// Whom it is about.
    pub subject: Option<SubjectRef>,
    /// The tag the evidence came from.
    pub tag: Option<TagRef>,
    /// Where.
    pub place: Place,
    /// Whether the evidence is still incomplete.
    pub is_tentative: bool,
    /// Whether the opening input came late or its deadline fell into an outage.
    pub is_late: bool,
    /// Whether its door was told what to do for a drill when it was raised. It calls as any other: somebody may be in need
    /// while others practise.
    pub is_drill: bool,
    /// What opened the episode.
    pub cause: Cause,
    /// When the opening input happened, by its device, at most `received_at`.
    pub observed_at: Timestamp,
    /// When the opening input arrived, or its deadline was due.
    pub received_at: Timestamp,
    /// Shard time of this change.
    pub changed_at: Timestamp,
    /// Where the subject was, if known.
    pub position: Option<Position>,
    /// Accuracy of that position in millimetres; 0 is unknown.
    pub accuracy_mm: u32,
    /// The gates that were passed, as the bits of [`Gate`].
    pub gates_passed: u16,
    /// Its state after this change. What its actor says has none: the shard knows it.
    #[serde(default)]
    pub state: AlarmState,
    /// What people and timers did with it, if they did anything.
    #[serde(default)]
    pub life: Option<Arc<AlarmLife>>,
    /// The incident it belongs to. What its actor says has none: the shard knows it.
    #[serde(default)]
    pub incident: Option<IncidentMark>,
    /// What was known of the door, of one that was forced.
    #[serde(default)]
    pub door: Option<Arc<DoorEvidence>>,
    /// What its rule's responses came to when it called for them first. What its actor says has none: the shard
    /// knows it.
    #[serde(default)]
    pub response: Option<Arc<AlarmResponse>>,
    /// When what made it certain was observed: what opened it, or of one that was tentative at first what bore it out.
    /// Its responses count from then. It is told nobody.
    #[serde(default)]
    pub certain_at: Timestamp,
}

impl AlarmNotice {
    /// Whether somebody's life may hang on it, whatever its rule says: then it is never quiet. That a tag, door or
    /// subject is set aside may be somebody's button; a test alarm that nobody hears is none.
    pub fn is_life_safety(&self) -> bool {
        match self.kind {
            AlarmKind::Duress | AlarmKind::SelfTest => true,
            AlarmKind::ActorQuarantined => {
                !matches!(self.place, Place::Zone(_) | Place::Source(_) | Place::Anchor(_))
            }
            _ => false,
        }
    }

    /// What its condition said last, with the state and the life it has after an act: nothing else of
    /// it changes by one.
    #[must_use]
    pub fn after_act(&self, act: &AlarmNotice) -> AlarmNotice {
        let (life, response) = (act.life.clone(), act.response.clone());
        AlarmNotice { state: act.state, life, response, ..self.clone() }
    }
}

/// A gate that evidence has passed; the values are bits of `gates_passed`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u16)]
pub enum Gate {
    /// On the line.
    Line = 1,
    /// The entry margin.
    EntryMargin = 2,
    /// The exit tolerance.
    ExitTolerance = 4,
    /// The tolerance timeout.
    ToleranceTimeout = 8,
    /// The exit delay.
    ExitDelay = 16,
    /// N of M positions.
    Confirm = 32,
    /// Dwell.
    Dwell = 64,
    /// The error circle.
    ErrorCircle = 128,
    /// The fence timeout.
    FenceTimeout = 256,
    /// A perimeter line or door was crossed between two positions.
    Crossed = 512,
    /// A second position bore out a jump.
    JumpConfirmed = 1024,
    /// Its condition held for as long as the rule wants before it tells anybody.
    OnDelay = 2048,
}
