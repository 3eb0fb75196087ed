//! The kinds of alarms that the samples ask for.

use ach_actors_model::AlarmKind;

pub(super) const KINDS: [AlarmKind; 20] = [
    AlarmKind::Elopement,
    AlarmKind::Duress,
    AlarmKind::ClockSkewed,
    AlarmKind::TagsContradict,
    AlarmKind::AuditTrouble,
    AlarmKind::NodeClockOff,
    AlarmKind::SelftestFailed,
    AlarmKind::DoorHeld,
    AlarmKind::DoorTampered,
    AlarmKind::ReaderTampered,
    AlarmKind::DoorLost,
    AlarmKind::DoorBatteryLow,
    AlarmKind::DoorNotFollowing,
    AlarmKind::AssetNotReturned,
    AlarmKind::LoneWorker,
    AlarmKind::ForbiddenMeeting,
    AlarmKind::BadgeElsewhere,
    AlarmKind::UnexplainedMotion,
    AlarmKind::LeaveEndsSoon,
    AlarmKind::Tailgating,
];
