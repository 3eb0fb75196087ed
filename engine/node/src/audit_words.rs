//! What the protocol and the site call things, as the audit log calls them.

use ach_actors_model::{CommandKind, Lane, Name};
use ach_engine_audit::{Action, Object, ObjectKind, Reason};
use ach_engine_net::HandshakeError;
use ach_engine_wire::{InternItem, Subscribe, Thing, Topic, Wish};
use quinn::ConnectionError;

/// An object with a word of ours for its id.
fn word(kind: ObjectKind, text: &str) -> Option<Object> {
    Name::new(text).ok().map(|id| Object::new(kind, id))
}

/// A thing by its own name.
pub(crate) fn thing(thing: &Thing, site: &Name) -> Object {
    let (kind, id) = match thing {
        Thing::Site => (ObjectKind::Site, site.clone()),
        Thing::Zone(id) => (ObjectKind::Zone, id.clone()),
        Thing::Door(id) => (ObjectKind::Door, id.clone()),
        Thing::Line(id) => (ObjectKind::Line, id.clone()),
        Thing::Anchor(id) => (ObjectKind::Anchor, id.clone()),
        Thing::Source(id) => (ObjectKind::Feed, id.clone()),
        Thing::Subject(id) => (ObjectKind::Subject, id.clone()),
        Thing::Tag(tag) => {
            return word(ObjectKind::Tag, &tag.to_string())
                .unwrap_or_else(|| Object::new(ObjectKind::Site, site.clone()));
        }
    };
    Object::new(kind, id)
}

/// What a vendor named.
pub(crate) fn named(item: &InternItem) -> Option<Object> {
    match item {
        InternItem::Tag(tag) => word(ObjectKind::Tag, &tag.to_string()),
        InternItem::Door(id) => Some(Object::new(ObjectKind::Door, id.clone())),
        InternItem::Anchor(id) => Some(Object::new(ObjectKind::Anchor, id.clone())),
    }
}

/// What a wish does, and to what.
pub(crate) fn wish(wish: &Wish, site: &Name) -> (Action, Object) {
    match wish {
        Wish::ReleaseActor(it) => (Action::ActorReleased, thing(it, site)),
        Wish::QuarantineActor(it) => (Action::ActorSetAside, thing(it, site)),
    }
}

/// Whether a command takes protection away, so that it is not done unless it is in the audit log.
pub(crate) fn takes_protection_away(kind: &CommandKind) -> bool {
    match kind {
        CommandKind::ReleaseActor(_) => false,
        CommandKind::QuarantineActor(_) => true,
    }
}

/// A vendor's lane.
pub(crate) fn lane(lane: Lane) -> Option<Object> {
    let text = match lane {
        Lane::Duress => "duress",
        Lane::Door => "door",
        Lane::Audit => "audit",
        Lane::Ping => "ping",
        Lane::Console => "console",
    };
    word(ObjectKind::Lane, text)
}

/// Whether who follows a topic learns about people.
pub(crate) fn topic(topic: Topic) -> Option<Object> {
    let text = match topic {
        Topic::Alarms => "alarms",
        Topic::Events => "events",
        Topic::Positions => "positions",
    };
    word(ObjectKind::Topic, text)
}

/// What a subscription lets its reader see: its topic, and what it asked for.
pub(crate) fn read(request: &Subscribe) -> Vec<Object> {
    let filter = &request.filter;
    let mut objects: Vec<Object> = topic(request.topic).into_iter().collect();
    let names = [
        (ObjectKind::Zone, &filter.zones),
        (ObjectKind::Subject, &filter.subjects),
        (ObjectKind::Door, &filter.doors),
    ];
    for (kind, ids) in names {
        objects.extend(ids.iter().map(|id| Object::new(kind, id.clone())));
    }
    let tags = filter.tags.iter().map(|tag| (ObjectKind::Tag, tag.to_string()));
    let kinds = filter.kinds.iter().map(|kind| (ObjectKind::Kind, format!("{kind:?}")));
    let events = filter.events.iter().map(|kind| (ObjectKind::Kind, format!("{kind:?}")));
    let priorities = filter.priorities.iter().map(|it| (ObjectKind::Priority, format!("{it:?}")));
    let floors = filter.floors.iter().map(|floor| (ObjectKind::Floor, floor.0.to_string()));
    let words = tags.chain(kinds).chain(events).chain(priorities).chain(floors);
    objects.extend(words.filter_map(|(kind, text)| word(kind, &text)));
    objects
}

/// Why a handshake came to nothing. What the peer said is not repeated.
pub(crate) fn handshake(error: &HandshakeError) -> Reason {
    Reason::new(match error {
        HandshakeError::Late { .. } => "the handshake was not finished in time",
        HandshakeError::Identity { .. } => "the certificate names no one",
        HandshakeError::Refused { source, .. } => match source {
            ConnectionError::TransportError(_) => {
                "no certificate of this site, a wrong or an expired one"
            }
            ConnectionError::VersionMismatch => "no common version of QUIC",
            ConnectionError::ConnectionClosed(_) | ConnectionError::ApplicationClosed(_) => {
                "the peer gave up the handshake"
            }
            ConnectionError::TimedOut | ConnectionError::Reset => "the peer fell silent",
            ConnectionError::LocallyClosed | ConnectionError::CidsExhausted => {
                "the node gave up the handshake"
            }
        },
    })
}
