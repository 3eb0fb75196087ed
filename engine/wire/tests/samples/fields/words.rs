//! The numbers of words, as the specification has them.

use ach_actors_model::Lane;

pub(super) fn lane(lane: Lane) -> u8 {
    match lane {
        Lane::Duress => 0,
        Lane::Door => 1,
        Lane::Audit => 2,
        Lane::Ping => 3,
        Lane::Console => 4,
    }
}

/// The number of a word on the wire. Only the samples' words are known: the spec has them all.
pub(super) fn word(word: &dyn std::fmt::Debug) -> u8 {
    match format!("{word:?}").as_str() {
        "Acknowledge" | "Alarms" | "Elopement" | "Low" | "Raised" | "ZoneEntered"
        | "Provisional(None)" => 1,
        "Allowed" | "ConditionEnded" | "OutOfService" | "Provisional(NoDisk)" => 2,
        "Assign" | "High" => 3,
        "Cleared" | "Durable" => 4,
        "Shelve" | "TagSilent" | "Withdrawn" => 5,
        "Duress" => 10,
        "Close" => 8,
        "ClockSkewed" => 14,
        "TagsContradict" => 15,
        "Closed" | "SelfTest" => 16,
        "AuditTrouble" => 17,
        "NodeClockOff" => 18,
        "SelftestFailed" => 19,
        "DoorForced" => 12,
        "DoorHeld" => 20,
        "DoorTampered" => 21,
        "ReaderTampered" => 22,
        "DoorLost" => 23,
        "DoorBatteryLow" => 24,
        "DoorNotFollowing" => 25,
        "AssetNotReturned" => 28,
        "LoneWorker" => 29,
        "ForbiddenMeeting" => 30,
        "BadgeElsewhere" => 31,
        "UnexplainedMotion" => 34,
        "LeaveEndsSoon" => 26,
        "Tailgating" => 33,
        other => panic!("{other} has no number here yet"),
    }
}
