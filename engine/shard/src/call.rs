//! One step of one actor: who is called, and with what.

use ach_actors_entities::{
    AnchorInput, Arrival, Deadline, DoorInput, DoorPassage, Message, MessageBody, Site,
    SourceInput, SubjectInput, TagInput, ZoneInput,
};
use ach_actors_model::{
    AnchorRef, DoorRef, EntityRef, Report, ReportKind, SourceRef, SubjectRef, TagRef, ZoneRef,
};

/// An actor and its input.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Call<'a> {
    Tag(TagRef, TagInput<'a>),
    Subject(SubjectRef, SubjectInput<'a>),
    Zone(ZoneRef, ZoneInput),
    Door(DoorRef, DoorInput<'a>),
    Source(SourceRef, SourceInput),
    Anchor(AnchorRef, AnchorInput<'a>),
}

impl<'a> Call<'a> {
    pub(crate) fn to(&self) -> EntityRef {
        match *self {
            Call::Tag(tag, _) => EntityRef::Tag(tag),
            Call::Subject(subject, _) => EntityRef::Subject(subject),
            Call::Zone(zone, _) => EntityRef::Zone(zone),
            Call::Door(door, _) => EntityRef::Door(door),
            Call::Source(source, _) => EntityRef::Source(source),
            Call::Anchor(anchor, _) => EntityRef::Anchor(anchor),
        }
    }

    /// A deadline that is due.
    pub(crate) fn due(deadline: Deadline) -> Call<'a> {
        let Deadline { due_at, entity, kind } = deadline;
        match entity {
            EntityRef::Tag(tag) => Call::Tag(tag, TagInput::Due { kind, due_at }),
            EntityRef::Subject(subject) => {
                Call::Subject(subject, SubjectInput::Due { kind, due_at })
            }
            EntityRef::Zone(zone) => Call::Zone(zone, ZoneInput::Due { kind, due_at }),
            EntityRef::Door(door) => Call::Door(door, DoorInput::Due { kind, due_at }),
            EntityRef::Source(source) => Call::Source(source, SourceInput::Due { kind, due_at }),
            EntityRef::Anchor(anchor) => Call::Anchor(anchor, AnchorInput::Due { kind, due_at }),
        }
    }

    /// A message; `None` if its receiver has no ear for it, which no machine of ours does.
    pub(crate) fn message(message: &'a Message) -> Option<Call<'a>> {
        let cause = message.cause;
        let call = match (message.to, &message.body) {
            (EntityRef::Subject(to), MessageBody::Fix { fix, is_jump_confirmed }) => {
                let is_jump_confirmed = *is_jump_confirmed;
                Call::Subject(to, SubjectInput::Fix { fix, is_jump_confirmed, cause })
            }
            (EntityRef::Subject(to), &MessageBody::Moved { subject: other }) => {
                Call::Subject(to, SubjectInput::Moved { other, cause })
            }
            (EntityRef::Subject(to), &MessageBody::Escort { ward, is_wanted }) => {
                Call::Subject(to, SubjectInput::Escort { ward, is_wanted })
            }
            (EntityRef::Subject(to), MessageBody::EscortSeen { escort, fix }) => {
                let escort = *escort;
                Call::Subject(to, SubjectInput::EscortSeen { escort, fix, cause })
            }
            (EntityRef::Door(to), MessageBody::PassedDoor { subject, since, fix, is_leftward }) => {
                let (subject, since, is_leftward) = (*subject, *since, *is_leftward);
                let passage = DoorPassage { subject, since, fix, is_leftward, cause };
                Call::Door(to, DoorInput::Passed(passage))
            }
            (
                EntityRef::Subject(to),
                &MessageBody::BadgeGranted { door, observed_at, received_at },
            ) => {
                let arrival = Arrival { observed_at, received_at, cause };
                Call::Subject(to, SubjectInput::BadgeGranted { door, arrival })
            }
            (EntityRef::Zone(to), &MessageBody::Entered { subject, tag, at }) => {
                Call::Zone(to, ZoneInput::Entered { subject, tag, at, cause })
            }
            (EntityRef::Zone(to), &MessageBody::Exited { subject, tag, at }) => {
                Call::Zone(to, ZoneInput::Exited { subject, tag, at, cause })
            }
            (EntityRef::Zone(to), &MessageBody::AnchorLost { anchor }) => {
                Call::Zone(to, ZoneInput::AnchorLost(anchor))
            }
            (EntityRef::Zone(to), &MessageBody::AnchorFound { anchor }) => {
                Call::Zone(to, ZoneInput::AnchorFound(anchor))
            }
            _ => return None,
        };
        Some(call)
    }

    /// A report from outside.
    pub(crate) fn report(report: &Report, arrival: Arrival) -> Call<'a> {
        match report.kind {
            ReportKind::ButtonPressed { tag } => Call::Tag(tag, TagInput::ButtonPressed(arrival)),
            ReportKind::ButtonReset { tag } => Call::Tag(tag, TagInput::ButtonReset(arrival)),
            ReportKind::BandCut { tag } => Call::Tag(tag, TagInput::BandCut(arrival)),
            ReportKind::BandWhole { tag } => Call::Tag(tag, TagInput::BandWhole(arrival)),
            ReportKind::DoorOpened { door } => Call::Door(door, DoorInput::Opened(arrival)),
            ReportKind::DoorClosed { door } => Call::Door(door, DoorInput::Closed(arrival)),
            ReportKind::DoorLocked { door } => Call::Door(door, DoorInput::Locked(arrival)),
            ReportKind::DoorUnlocked { door } => Call::Door(door, DoorInput::Unlocked(arrival)),
            ReportKind::AccessGranted { door, valid_ms, badge } => {
                Call::Door(door, DoorInput::AccessGranted { arrival, valid_ms, badge })
            }
            ReportKind::ExitRequested { door, valid_ms } => {
                Call::Door(door, DoorInput::ExitRequested { arrival, valid_ms })
            }
            ReportKind::AnchorAlive { anchor } => Call::Anchor(anchor, AnchorInput::Alive(arrival)),
            ReportKind::AnchorLost { anchor } => Call::Anchor(anchor, AnchorInput::Lost(arrival)),
            ReportKind::DoorTampered { door } => Call::Door(door, DoorInput::Tampered(arrival)),
            ReportKind::DoorUntampered { door } => Call::Door(door, DoorInput::Untampered(arrival)),
            ReportKind::ReaderTampered { door } => {
                Call::Door(door, DoorInput::ReaderTampered(arrival))
            }
            ReportKind::ReaderUntampered { door } => {
                Call::Door(door, DoorInput::ReaderUntampered(arrival))
            }
            ReportKind::DoorAlive { door } => Call::Door(door, DoorInput::Alive(arrival)),
            ReportKind::DoorLost { door } => Call::Door(door, DoorInput::Lost(arrival)),
            ReportKind::DoorBattery { door, percent } => {
                Call::Door(door, DoorInput::Battery { arrival, percent })
            }
            ReportKind::OrderDone { door, number } => {
                Call::Door(door, DoorInput::OrderDone { arrival, number })
            }
            ReportKind::OrderRefused { door, number } => {
                Call::Door(door, DoorInput::OrderRefused { arrival, number })
            }
            ReportKind::FireOn { door } => {
                Call::Door(door, DoorInput::Fire { arrival, is_on: true })
            }
            ReportKind::FireOver { door } => {
                Call::Door(door, DoorInput::Fire { arrival, is_on: false })
            }
            ReportKind::LocalOverride { door, mode } => {
                Call::Door(door, DoorInput::LocalOverride { arrival, mode })
            }
            ReportKind::MotionSeen { zone } => Call::Zone(zone, ZoneInput::MotionSeen(arrival)),
        }
    }

    /// Another version of the site is in force; `old` is the one the actor last saw.
    pub(crate) fn site_changed(entity: EntityRef, old: &'a Site) -> Call<'a> {
        match entity {
            EntityRef::Tag(tag) => Call::Tag(tag, TagInput::SiteChanged { old }),
            EntityRef::Subject(subject) => {
                Call::Subject(subject, SubjectInput::SiteChanged { old })
            }
            EntityRef::Zone(zone) => Call::Zone(zone, ZoneInput::SiteChanged),
            EntityRef::Door(door) => Call::Door(door, DoorInput::SiteChanged { old }),
            EntityRef::Source(source) => Call::Source(source, SourceInput::SiteChanged),
            EntityRef::Anchor(anchor) => Call::Anchor(anchor, AnchorInput::SiteChanged { old }),
        }
    }
}
