//! What doors are told to do, by whom, and how they stand.

use ach_actors_model::{
    DoorAct, DoorAnswer, DoorMode, DoorSlot, EmergencyKind, Name, Practice, Remark, Timestamp,
};

use crate::tlv::message;
use crate::value::words;

words!(DoorMode { Unlocked = 1, Locked = 2, Blocked = 3, });
words!(DoorSlot {
    LifeSafety = 1,
    LocalOverride = 2,
    Lockdown = 3,
    Evacuation = 4,
    Operator = 5,
    Schedule = 6,
    Response = 7,
});
words!(DoorAnswer { NoOrders = 0, Waited = 1, Followed = 2, Deviates = 3, Refused = 4, });
words!(EmergencyKind { Lockdown = 1, Evacuation = 2, });
words!(Practice { Real = 1, Drill = 2, Exercise = 3, });

message! {
    /// What a door is to do, told to the vendor of its feed. It says how the door is to be, so it is told
    /// again on each connection.
    pub struct WireDoorOrder {
        /// Which.
        1 => door: Name,
        /// Counts up for each door: one with a lower number than another that was told is out of date.
        2 => number: u64,
        /// What it is to do.
        3 => mode: DoorMode,
        /// Who says so; nobody if it is what the door does by itself.
        4 => slot: Option<DoorSlot>,
        /// When it was decided.
        5 => given_at: Timestamp,
        /// When what it says ends by itself.
        6 => until: Option<Timestamp>,
        /// Whether it is a drill.
        7 => is_drill: bool,
        /// Of the node that says so.
        8 => fencing_epoch: u64,
    }
}

/// What can be wished of a door.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DoorActWord {
    /// The operator's slot says something for a time.
    Move,
    /// It says nothing any more.
    GiveBack,
    /// Let people out, until it is taken back.
    Release,
    /// Take that back.
    EndRelease,
    /// The fire that is told at it is over.
    EndFire,
}

words!(DoorActWord { Move = 1, GiveBack = 2, Release = 3, EndRelease = 4, EndFire = 5, });

message! {
    /// What is wished of one door.
    pub struct WireDoorWish {
        /// Which.
        1 => door: Name,
        /// What.
        2 => act: DoorActWord,
        /// What it is to do, if it is to be moved.
        3 => mode: Option<DoorMode>,
        /// For how long, if it is to be moved.
        4 => for_ns: Option<u64>,
        /// What makes it the same wish if it is sent again.
        5 => key: Option<u128>,
        /// When it is not wished any more.
        6 => void_at: Option<Timestamp>,
        /// The person a program wishes it for; none is whoever is connected.
        7 => person: Option<Name>,
        /// Why.
        8 => remark: Option<Remark>,
    }
}

impl WireDoorWish {
    /// What it means; nothing if what the word needs is not there.
    pub fn to_act(&self) -> Option<DoorAct> {
        Some(match self.act {
            DoorActWord::Move => DoorAct::Move { mode: self.mode?, for_ns: self.for_ns? },
            DoorActWord::GiveBack => DoorAct::GiveBack,
            DoorActWord::Release => DoorAct::Release,
            DoorActWord::EndRelease => DoorAct::EndRelease,
            DoorActWord::EndFire => DoorAct::EndFire,
        })
    }
}

message! {
    /// A lockdown or an evacuation is to begin, to last longer or to end. Without a zone or label it is of
    /// all doors; both are not named.
    pub struct WireEmergencyWish {
        /// What.
        1 => kind: EmergencyKind,
        /// Of the doors at this zone.
        2 => zone: Option<Name>,
        /// Of the doors with this label.
        3 => label: Option<Name>,
        /// Whether it is meant.
        4 => practice: Practice,
        /// For how long from now; 0 ends it.
        5 => for_ns: u64,
        /// What makes it the same wish if it is sent again.
        6 => key: Option<u128>,
        /// When it is not wished any more.
        7 => void_at: Option<Timestamp>,
        /// The person a program wishes it for; none is whoever is connected.
        8 => person: Option<Name>,
        /// Why.
        9 => remark: Option<Remark>,
    }
}

message! {
    /// An operator asks how doors stand, and what is declared.
    pub struct DoorsQuery {
        /// The operator's own number for it.
        1 => query: u64,
    }
}

message! {
    /// How one door stands.
    pub struct WireDoor {
        /// Which.
        1 => door: Name,
        /// Whether it is open; left out before it has told.
        2 => is_open: Option<bool>,
        /// Whether its lock is thrown; left out before it has told.
        3 => is_locked: Option<bool>,
        /// What it was told to do last.
        4 => order: Option<WireDoorOrder>,
        /// What became of that.
        5 => answer: DoorAnswer,
        /// Whether the vendor of its feed is connected.
        6 => is_connected: bool,
        /// Whether its fire input is on.
        7 => is_fire_told: bool,
    }
}

message! {
    /// A lockdown or evacuation that runs.
    pub struct WireEmergency {
        /// What.
        1 => kind: EmergencyKind,
        /// Of the doors at this zone.
        2 => zone: Option<Name>,
        /// Of the doors with this label.
        3 => label: Option<Name>,
        /// Whether it is meant.
        4 => practice: Practice,
        /// Who declared it.
        5 => by: Name,
        /// Why.
        6 => remark: Option<Remark>,
        /// Since when.
        7 => since: Timestamp,
        /// Until when.
        8 => until: Timestamp,
        /// How many doors it moves, or would move.
        9 => door_count: u32,
    }
}

message! {
    /// A part of the answer to [`DoorsQuery`].
    pub struct Doors {
        /// As in the question.
        1 => query: u64,
        /// Doors, by name.
        2 => doors: Vec<WireDoor>,
        /// What is declared; with the first part.
        3 => emergencies: Vec<WireEmergency>,
        /// Whether no other part follows.
        4 => is_last: bool,
    }
}
