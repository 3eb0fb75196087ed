//! The numbers that words have in the hash of effects. A number is given once and never to another
//! word: replicas of two builds compare their hashes.

use ach_actors_model::{
    AlarmCause, AlarmKind, AlarmPriority, AlarmReason, AlarmTransition, DoorAnswer, DoorMode,
    DoorSlot, EmergencyKind, Lane, PassEnd, Practice, WishRefusal,
};

pub(crate) fn mode_code(mode: DoorMode) -> u8 {
    match mode {
        DoorMode::Unlocked => 1,
        DoorMode::Locked => 2,
        DoorMode::Blocked => 3,
    }
}

pub(crate) fn slot_code(slot: DoorSlot) -> u8 {
    match slot {
        DoorSlot::LifeSafety => 1,
        DoorSlot::LocalOverride => 2,
        DoorSlot::Lockdown => 3,
        DoorSlot::Evacuation => 4,
        DoorSlot::Operator => 5,
        DoorSlot::Schedule => 6,
        DoorSlot::Response => 7,
    }
}

pub(crate) fn answer_code(answer: DoorAnswer) -> u8 {
    match answer {
        DoorAnswer::NoOrders => 0,
        DoorAnswer::Waited => 1,
        DoorAnswer::Followed => 2,
        DoorAnswer::Deviates => 3,
        DoorAnswer::Refused => 4,
    }
}

pub(crate) fn emergency_code(kind: EmergencyKind) -> u8 {
    match kind {
        EmergencyKind::Lockdown => 1,
        EmergencyKind::Evacuation => 2,
    }
}

pub(crate) fn practice_code(practice: Practice) -> u8 {
    match practice {
        Practice::Real => 1,
        Practice::Drill => 2,
        Practice::Exercise => 3,
    }
}

pub(crate) fn lane_code(lane: Lane) -> u8 {
    match lane {
        Lane::Duress => 0,
        Lane::Door => 1,
        Lane::Audit => 2,
        Lane::Ping => 3,
        Lane::Console => 4,
    }
}

pub(crate) fn transition_code(transition: AlarmTransition) -> u8 {
    match transition {
        AlarmTransition::Raised => 1,
        AlarmTransition::Upheld => 2,
        AlarmTransition::Retracted => 3,
        AlarmTransition::Cleared => 4,
        AlarmTransition::Acknowledged => 5,
        AlarmTransition::Confirmed => 6,
        AlarmTransition::Assigned => 7,
        AlarmTransition::Commented => 8,
        AlarmTransition::Shelved => 9,
        AlarmTransition::Unshelved => 10,
        AlarmTransition::Suppressed => 11,
        AlarmTransition::Unsuppressed => 12,
        AlarmTransition::TakenOut => 13,
        AlarmTransition::PutBack => 14,
        AlarmTransition::Reset => 15,
        AlarmTransition::Closed => 16,
        AlarmTransition::Escalated => 17,
        AlarmTransition::Realarmed => 18,
        AlarmTransition::Dropped => 19,
        AlarmTransition::Responded => 20,
    }
}

pub(crate) fn cause_code(cause: AlarmCause) -> u8 {
    match cause {
        AlarmCause::Real => 1,
        AlarmCause::Allowed => 2,
        AlarmCause::WrongPosition => 3,
        AlarmCause::DeviceFault => 4,
        AlarmCause::RuleTooStrict => 5,
        AlarmCause::Test => 6,
        AlarmCause::Duplicate => 7,
        AlarmCause::Other => 8,
    }
}

pub(crate) fn refusal_code(why: WishRefusal) -> u8 {
    match why {
        WishRefusal::NotOpen => 1,
        WishRefusal::NotAcknowledged => 2,
        WishRefusal::StillActive => 3,
        WishRefusal::NotLatched => 4,
        WishRefusal::LifeSafety => 5,
        WishRefusal::TooLong => 6,
        WishRefusal::NoRemark => 7,
        WishRefusal::TooManyComments => 8,
        WishRefusal::TooManyQuiet => 9,
        WishRefusal::NoSuchThing => 10,
        WishRefusal::NeedsSecondPerson => 11,
        WishRefusal::SamePerson => 12,
        WishRefusal::NoOrders => 13,
        WishRefusal::Interlocked => 14,
        WishRefusal::NotForSoLong => 15,
        WishRefusal::NoReason => 16,
        WishRefusal::TooLate => 17,
        WishRefusal::KeyReused => 18,
        WishRefusal::NotDeclared => 19,
        WishRefusal::TooManyDeclared => 20,
        WishRefusal::SetAside => 21,
        WishRefusal::LeaveTooLong => 22,
        WishRefusal::TooManyPasses => 23,
        WishRefusal::NoEscort => 24,
        WishRefusal::NotWorn => 25,
        WishRefusal::OffTooLong => 26,
        WishRefusal::TooManyWards => 27,
        WishRefusal::TooManyPlaces => 28,
    }
}

pub(crate) fn end_code(end: PassEnd) -> u8 {
    match end {
        PassEnd::TimeOver => 1,
        PassEnd::CameBack => 2,
        PassEnd::Ended => 3,
        PassEnd::SubjectGone => 4,
    }
}

pub(crate) fn reason_code(reason: AlarmReason) -> u8 {
    match reason {
        AlarmReason::CameBack => 1,
        AlarmReason::ConditionEnded => 2,
        AlarmReason::RuleRemoved => 3,
        AlarmReason::TagRemoved => 4,
        AlarmReason::Released => 5,
        AlarmReason::Authorised => 6,
        AlarmReason::Escorted => 7,
        AlarmReason::LeaveOver => 8,
    }
}

pub(crate) fn priority_code(priority: AlarmPriority) -> u8 {
    match priority {
        AlarmPriority::Low => 1,
        AlarmPriority::Medium => 2,
        AlarmPriority::High => 3,
    }
}

pub(crate) fn kind_code(kind: AlarmKind) -> u8 {
    match kind {
        AlarmKind::Elopement => 1,
        AlarmKind::AssetTheft => 2,
        AlarmKind::UnauthorisedEntry => 3,
        AlarmKind::Loitering => 4,
        AlarmKind::TagSilent => 5,
        AlarmKind::FeedSilent => 6,
        AlarmKind::ZoneBlind => 7,
        AlarmKind::BatteryLow => 8,
        AlarmKind::BandCut => 9,
        AlarmKind::Duress => 10,
        AlarmKind::OverCapacity => 11,
        AlarmKind::DoorForced => 12,
        AlarmKind::ActorQuarantined => 13,
        AlarmKind::ClockSkewed => 14,
        AlarmKind::TagsContradict => 15,
        AlarmKind::SelfTest => 16,
        AlarmKind::AuditTrouble => 17,
        AlarmKind::NodeClockOff => 18,
        AlarmKind::SelftestFailed => 19,
        AlarmKind::DoorHeld => 20,
        AlarmKind::DoorTampered => 21,
        AlarmKind::ReaderTampered => 22,
        AlarmKind::DoorLost => 23,
        AlarmKind::DoorBatteryLow => 24,
        AlarmKind::DoorNotFollowing => 25,
        AlarmKind::LeaveEndsSoon => 26,
        AlarmKind::AssetNotReturned => 28,
        AlarmKind::LoneWorker => 29,
        AlarmKind::ForbiddenMeeting => 30,
        AlarmKind::Tailgating => 33,
        AlarmKind::BadgeElsewhere => 31,
        AlarmKind::UnexplainedMotion => 34,
    }
}
