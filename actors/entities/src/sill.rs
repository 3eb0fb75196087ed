//! A subject goes through the sill of a door.

use ach_actors_model::{DoorRef, EntityRef, Event, EventKind, Fix, SubjectClass};

use crate::docket::Bench;
use crate::subject::Subject;
use crate::tailgating::{passage_rules, traveller};
use crate::{Effect, Message, MessageBody, Outbox};

/// Positions that say that they are coarser do not tell on which side of a door somebody is: one in front of
/// it would be seen to go through with each opening.
const ACCURACY_MAX_MM: u32 = 2_000;

impl Subject {
    /// Tells of one that was passed, and tells the door, if a rule asks of the likes of this subject who goes
    /// through it. Things are pushed through by somebody, and whoever has leave to be out makes use of no other.
    pub(crate) fn pass_sill(
        &self,
        door: DoorRef,
        (before, fix): (&Fix, &Fix),
        is_leftward: bool,
        bench: &Bench<'_>,
        out: &mut Outbox,
    ) {
        let (subject, site) = (bench.me, bench.turn.site);
        let kind = EventKind::DoorPassed { subject, door, tag: fix.tag };
        out.effects.push(Effect::Event(Event { at: bench.turn.now, kind }));
        let mut rules = passage_rules(site, door).iter();
        if rules.any(|&rule| traveller(site, rule, subject).is_some())
            && site.subject_class(subject) != Some(SubjectClass::Asset)
            && before.accuracy_mm.max(fix.accuracy_mm) <= ACCURACY_MAX_MM
            && !self.docket.has_leave(bench.turn.now)
        {
            let (since, fix) = (before.observed_at, *fix);
            let body = MessageBody::PassedDoor { subject, since, fix, is_leftward };
            let (to, cause) = (EntityRef::Door(door), bench.evidence.cause);
            out.messages.push_back(Message { to, cause, body });
        }
    }
}
