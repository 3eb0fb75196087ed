//! What a door is to do, who says so, and what is known of it.

use serde::{Deserialize, Serialize};

use crate::{DoorRef, Name, Remark, Timestamp, ZoneRef};

/// What a door's lock is to do. A mode says who may come in; none of them takes the way out away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DoorMode {
    /// The lock is drawn back: anybody may pass.
    Unlocked,
    /// The lock is thrown: who has a grant may come in.
    Locked,
    /// The lock is thrown and no grant is given: nobody comes in.
    Blocked,
}

/// Who says what a door is to do. The first that says anything is obeyed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DoorSlot {
    /// Fire, or somebody who lets people out. It unlocks and does nothing else.
    LifeSafety,
    /// A key switch at the door.
    LocalOverride,
    /// A lockdown.
    Lockdown,
    /// An evacuation.
    Evacuation,
    /// An operator.
    Operator,
    /// The hours of the site's files.
    Schedule,
    /// Alarms whose rule locks doors. It counts after an operator and before the hours; it stands last because values
    /// of before are journaled.
    Response,
}

impl DoorSlot {
    /// All, the first to be obeyed first.
    pub const ALL: [DoorSlot; 7] = [
        DoorSlot::LifeSafety,
        DoorSlot::LocalOverride,
        DoorSlot::Lockdown,
        DoorSlot::Evacuation,
        DoorSlot::Operator,
        DoorSlot::Response,
        DoorSlot::Schedule,
    ];
}

/// What one slot says, for how long, and whose word it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct DoorLease {
    /// What the door is to do.
    pub mode: DoorMode,
    /// Who says so; nobody if a device or the site's files do.
    pub by: Option<Name>,
    /// Why.
    pub remark: Option<Remark>,
    /// Since when.
    pub since: Timestamp,
    /// Until when; `None` is until it is taken back.
    pub until: Option<Timestamp>,
    /// Whether it is a drill.
    pub is_drill: bool,
}

/// What a door was told to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct DoorOrder {
    /// Counts up for each door, over restarts too: an order with a lower number is out of date.
    pub number: u64,
    /// What it is to do.
    pub mode: DoorMode,
    /// Who says so; nobody if it is what the door does by itself.
    pub slot: Option<DoorSlot>,
    /// When it was told.
    pub given_at: Timestamp,
    /// When what it says ends by itself.
    pub until: Option<Timestamp>,
    /// Whether it is a drill.
    pub is_drill: bool,
}

impl DoorOrder {
    /// Whether it lets people out whatever else is said: it is repeated safely and waits for nothing.
    pub fn is_release(&self) -> bool {
        self.slot == Some(DoorSlot::LifeSafety) && self.mode == DoorMode::Unlocked
    }
}

/// What became of a door's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DoorAnswer {
    /// The door takes no orders.
    NoOrders,
    /// Nothing yet.
    Waited,
    /// It is as it was told to be.
    Followed,
    /// It is not as it was told to be, though it has said that it is, or was.
    Deviates,
    /// Its controller has refused.
    Refused,
}

/// All that is known of a door just now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct DoorStanding {
    /// Which.
    pub door: DoorRef,
    /// Whether it is open; `None` before it has told.
    pub is_open: Option<bool>,
    /// Whether its lock is thrown; `None` before it has told.
    pub is_locked: Option<bool>,
    /// What it was told to do last.
    pub order: Option<DoorOrder>,
    /// What became of that.
    pub answer: DoorAnswer,
    /// Whether its fire input is on.
    pub is_fire_told: bool,
}

impl DoorStanding {
    /// Of a door that has told nothing, and was told nothing.
    pub fn unknown(door: DoorRef) -> DoorStanding {
        let answer = DoorAnswer::NoOrders;
        DoorStanding {
            door,
            is_open: None,
            is_locked: None,
            order: None,
            answer,
            is_fire_told: false,
        }
    }
}

/// Which doors are meant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum DoorScope {
    /// All.
    Site,
    /// Those at a zone: of which one side, or both, lies within it.
    Zone(ZoneRef),
    /// Those with a label.
    Label(Name),
}

/// What is declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EmergencyKind {
    /// Nobody is to come in.
    Lockdown,
    /// Everybody is to come out.
    Evacuation,
}

/// Whether it is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Practice {
    /// It is real.
    Real,
    /// It is a drill: doors move, but for those that stay as they are in a drill.
    Drill,
    /// It is an exercise at the desk: no door moves.
    Exercise,
}

/// A lockdown or evacuation that runs.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Emergency {
    /// What.
    pub kind: EmergencyKind,
    /// For which doors.
    pub scope: DoorScope,
    /// Whether it is meant.
    pub practice: Practice,
    /// Who declared it.
    pub by: Name,
    /// Why.
    pub remark: Option<Remark>,
    /// Since when.
    pub since: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// How many doors it moves, or would move.
    pub door_count: u32,
}
