//! What a rule says of its alarms beside when they are raised: what people owe them, what happens at once, what waits.

use serde::{Deserialize, Serialize};

use crate::{DoorMode, Name};

/// What people owe the alarms of a rule, what becomes of one that nobody answers, and what happens at once.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct AnswerConfig {
    /// What must be done before an alarm whose condition has ended is over.
    pub stays_until: StaysUntil,
    /// Whether an alarm whose condition has ended stands until it is reset.
    pub latches: bool,
    /// Whether a life may hang on it: then it is never shelved, suppressed or out of service.
    pub is_life_safety: bool,
    /// To whom it is passed on while nobody acknowledges it, by how long that takes.
    pub escalations: Vec<Escalation>,
    /// After how long an acknowledged alarm whose condition still holds calls again.
    pub again_after_ns: Option<u64>,
    /// What happens at once when one is raised, beside that it is told.
    pub responses: Vec<ResponseConfig>,
    /// For how long it waits to be raised, and to end.
    pub delays: DelayConfig,
}

/// For how long a condition must hold before its alarm is raised, and be over before it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct DelayConfig {
    /// Before it is raised; 0 is at once.
    pub on_ns: u64,
    /// Before it ends; 0 is at once.
    pub off_ns: u64,
}

/// What an alarm does: locks doors for a while, and is handed to somebody at once.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ResponseConfig {
    /// Its id.
    pub id: Name,
    /// Indexes of the doors it locks.
    pub doors: Vec<u32>,
    /// What they do; never unlocked.
    pub mode: DoorMode,
    /// For how long at most, counted from when what raised the alarm was observed. Above 0 if there are doors.
    pub for_ns: u64,
    /// Roles, persons or devices that the alarm is to be handed to at once, by id.
    pub tell: Vec<Name>,
}

/// What must be done before an alarm whose condition has ended is over.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum StaysUntil {
    /// Nothing.
    #[default]
    ConditionEnds,
    /// Somebody has taken notice.
    Acknowledged,
    /// And somebody has confirmed that what had to be done was done.
    Confirmed,
    /// Somebody has taken notice, and somebody has said what it was.
    Closed,
}

/// One step of passing an alarm on.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Escalation {
    /// How long nobody took notice.
    pub after_ns: u64,
    /// A role or person, by id.
    pub to: Name,
}
