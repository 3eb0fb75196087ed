//! The alarms about an actor that failed, and about what is reported of it meanwhile.

use ach_actors_model::{
    AlarmKind, AlarmNotice, AlarmPriority, Cause, EntityRef, Place, Report, ReportKind, SubjectRef,
    Timestamp,
};

use crate::Turn;
use crate::episodes::{Opening, raised};
use crate::evidence::Evidence;

/// The alarm that an actor is set aside: what it watched is not watched.
///
/// It belongs to the shard, which counts its episodes (`ordinal`, from 1, by actor) and ends it
/// with [`ended`](crate::ended) and the reason `Released`.
pub fn quarantine_notice(
    actor: EntityRef,
    ordinal: u32,
    cause: Cause,
    received_at: Timestamp,
    turn: &Turn<'_>,
) -> AlarmNotice {
    notice_about(actor, AlarmKind::ActorQuarantined, ordinal, (cause, received_at), turn)
}

/// The alarm that a report cannot be judged, because the actor it is for is set aside, though the
/// report may be a duress call, a cut band or a forced door. Only tentative for a door, which may
/// have been opened with a grant. `None` for reports that no alarm is made of.
///
/// It belongs to the shard as [`quarantine_notice`] does, and has its ordinals.
pub fn unheard_notice(
    report: &Report,
    ordinal: u32,
    (cause, received_at): (Cause, Timestamp),
    turn: &Turn<'_>,
) -> Option<AlarmNotice> {
    let (actor, kind) = match report.kind {
        ReportKind::ButtonPressed { tag } => (EntityRef::Tag(tag), AlarmKind::Duress),
        ReportKind::BandCut { tag } => (EntityRef::Tag(tag), AlarmKind::BandCut),
        ReportKind::DoorOpened { door } => (EntityRef::Door(door), AlarmKind::DoorForced),
        _ => return None,
    };
    let notice = notice_about(actor, kind, ordinal, (cause, received_at), turn);
    let observed_at = report.observed_at.min(received_at);
    let is_tentative = kind == AlarmKind::DoorForced;
    Some(AlarmNotice { observed_at, certain_at: observed_at, is_tentative, ..notice })
}

fn notice_about(
    actor: EntityRef,
    kind: AlarmKind,
    ordinal: u32,
    (cause, received_at): (Cause, Timestamp),
    turn: &Turn<'_>,
) -> AlarmNotice {
    let (subject, place): (Option<SubjectRef>, Place) = match actor {
        EntityRef::Tag(tag) => (turn.site.tag_subject(tag), Place::Tag(tag)),
        EntityRef::Subject(subject) => (Some(subject), Place::Site),
        EntityRef::Zone(zone) => (None, Place::Zone(zone)),
        EntityRef::Door(door) => (None, Place::Door(door)),
        EntityRef::Source(source) => (None, Place::Source(source)),
        EntityRef::Anchor(anchor) => (None, Place::Anchor(anchor)),
    };
    let tag = match actor {
        EntityRef::Tag(tag) => Some(tag),
        _ => None,
    };
    let evidence = Evidence {
        cause,
        observed_at: received_at,
        received_at,
        is_late: false,
        tag,
        position: None,
        accuracy_mm: 0,
        gates_passed: 0,
    };
    let opening = Opening {
        rule: None,
        kind,
        priority: AlarmPriority::High,
        subject,
        place,
        is_tentative: false,
        is_drill: false,
        evidence,
    };
    raised(&opening, ordinal, turn)
}
