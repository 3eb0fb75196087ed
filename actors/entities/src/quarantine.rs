//! The alarm about an actor that failed.

use ach_actors_model::{
    AlarmKind, AlarmNotice, AlarmPriority, Cause, EntityRef, Place, SubjectRef, Timestamp,
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
        kind: AlarmKind::ActorQuarantined,
        priority: AlarmPriority::High,
        subject,
        place,
        is_tentative: false,
        evidence,
    };
    raised(&opening, ordinal, turn)
}
