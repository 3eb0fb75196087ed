//! What the protocol and the site call things, as the audit log calls them.

use ach_actors_entities::Site;
use ach_actors_model::{
    AlarmAct, CommandKind, DoorAct, DoorMode, EmergencyKind, Lane, NS_PER_S, Name, Practice,
    QuietKind, snake_case,
};
use ach_engine_audit::{Action, Object, ObjectKind, Reason};
use ach_engine_net::HandshakeError;
use ach_engine_wire::{
    ActWish, ActWord, BandOrder, DoorActWord, InternItem, LeaveOrder, QuietOrder, Subscribe, Thing,
    Topic, WireDoorWish, WireEmergencyWish, Wish,
};
use quinn::ConnectionError;

/// An object with a word of ours for its id.
fn word(kind: ObjectKind, text: &str) -> Option<Object> {
    Name::new(text).ok().map(|id| Object::new(kind, id))
}

/// A name that the site does not have may be anybody's, and what is in the log is there for ever. So
/// it is not kept: only of what kind it is, and how many there are.
fn unknown(kind: ObjectKind, count: usize) -> Option<Object> {
    word(ObjectKind::Unknown, &format!("{}:{count}", kind.word()))
}

/// A thing by its own name, if it is one of the site's.
fn known(site: &Site, kind: ObjectKind, id: &Name) -> Option<Object> {
    let text = id.as_str();
    let is_known = match kind {
        ObjectKind::Zone => site.zone(text).is_some(),
        ObjectKind::Door => site.door(text).is_some(),
        ObjectKind::Line => site.line(text).is_some(),
        ObjectKind::Anchor => site.anchor(text).is_some(),
        ObjectKind::Feed => site.source(text).is_some(),
        ObjectKind::Subject => site.subject(text).is_some(),
        _ => false,
    };
    is_known.then(|| Object::new(kind, id.clone()))
}

/// A thing by its own name, or that it is none of the site's.
fn thing(thing: &Thing, site: &Site) -> Object {
    let (kind, id) = match thing {
        Thing::Site => return whole(site),
        Thing::Zone(id) => (ObjectKind::Zone, id),
        Thing::Door(id) => (ObjectKind::Door, id),
        Thing::Line(id) => (ObjectKind::Line, id),
        Thing::Anchor(id) => (ObjectKind::Anchor, id),
        Thing::Source(id) => (ObjectKind::Feed, id),
        Thing::Subject(id) => (ObjectKind::Subject, id),
        Thing::Tag(tag) => {
            return word(ObjectKind::Tag, &tag.to_string()).unwrap_or_else(|| whole(site));
        }
    };
    known(site, kind, id).or_else(|| unknown(kind, 1)).unwrap_or_else(|| whole(site))
}

fn whole(site: &Site) -> Object {
    Object::new(ObjectKind::Site, site.id().clone())
}

/// What a vendor named.
pub(crate) fn named(item: &InternItem, site: &Site) -> Option<Object> {
    let (kind, id) = match item {
        InternItem::Tag(tag) => return word(ObjectKind::Tag, &tag.to_string()),
        InternItem::Door(id) => (ObjectKind::Door, id),
        InternItem::Anchor(id) => (ObjectKind::Anchor, id),
        InternItem::Zone(id) => (ObjectKind::Zone, id),
        // Whoever reads the log needs no number that opens doors.
        InternItem::Badge(_) => return None,
    };
    known(site, kind, id).or_else(|| unknown(kind, 1))
}

/// What a wish does, and to what.
pub(crate) fn wish(wish: &Wish, site: &Site) -> (Action, Vec<Object>) {
    match wish {
        Wish::ReleaseActor(it) => (Action::ActorReleased, vec![thing(it, site)]),
        Wish::QuarantineActor(it) => (Action::ActorSetAside, vec![thing(it, site)]),
        Wish::Act(wish) => (act(wish.act), acted_on(wish)),
        Wish::Quiet(order) => (quiet(order), quieted(order, site)),
        Wish::MoveDoor(wish) => (door_act(wish), moved(wish, site)),
        Wish::Declare(wish) => (emergency_act(wish), declared(wish, site)),
        Wish::Leave(order) => {
            let is_given = order.for_ns.is_some();
            (if is_given { Action::LeaveGiven } else { Action::LeaveEnded }, on_leave(order, site))
        }
        Wish::Band(order) => {
            let is_off = order.for_ns.is_some();
            (if is_off { Action::BandTakenOff } else { Action::BandPutOn }, of_band(order, site))
        }
    }
}

fn act(word: ActWord) -> Action {
    match word {
        ActWord::Acknowledge => Action::AlarmAcknowledged,
        ActWord::Confirm => Action::AlarmConfirmed,
        ActWord::Assign => Action::AlarmAssigned,
        ActWord::Comment => Action::AlarmCommented,
        ActWord::Shelve => Action::AlarmShelved,
        ActWord::Unshelve => Action::AlarmUnshelved,
        ActWord::Reset => Action::AlarmReset,
        ActWord::Close => Action::AlarmClosed,
    }
}

fn quiet(order: &QuietOrder) -> Action {
    match (order.kind, order.for_ns) {
        (QuietKind::Suppressed, 0) => Action::AlarmsUnmuted,
        (QuietKind::Suppressed, _) => Action::AlarmsMuted,
        (QuietKind::OutOfService, 0) => Action::PutBackInService,
        (QuietKind::OutOfService, _) => Action::TakenOutOfService,
    }
}

/// The alarm, and for whom and to whom. What was said with it is in the journal alone.
fn acted_on(wish: &ActWish) -> Vec<Object> {
    let alarm = word(ObjectKind::Alarm, &wish.alarm.to_string());
    let to = wish.to.clone().map(|to| Object::new(ObjectKind::Assignee, to));
    let cause = wish.cause.map(|cause| snake_case(&format!("{cause:?}")));
    let cause = cause.and_then(|cause| word(ObjectKind::Cause, &cause));
    let objects = alarm.into_iter().chain(on_behalf_of(wish.person.as_ref())).chain(to);
    objects.chain(wish.for_ns.and_then(seconds)).chain(cause).collect()
}

fn door_act(wish: &WireDoorWish) -> Action {
    match wish.act {
        DoorActWord::Move => Action::DoorMoved,
        DoorActWord::GiveBack => Action::DoorGivenBack,
        DoorActWord::Release => Action::DoorReleased,
        DoorActWord::EndRelease => Action::DoorReleaseEnded,
        DoorActWord::EndFire => Action::FireEnded,
    }
}

/// The door, and what it is to do for how long, for whom.
fn moved(wish: &WireDoorWish, site: &Site) -> Vec<Object> {
    let mode = wish.mode.map(|mode| snake_case(&format!("{mode:?}")));
    let mode = mode.and_then(|mode| word(ObjectKind::DoorMode, &mode));
    let door = [thing(&Thing::Door(wish.door.clone()), site)];
    let objects = door.into_iter().chain(mode).chain(on_behalf_of(wish.person.as_ref()));
    objects.chain(wish.for_ns.and_then(seconds)).collect()
}

fn emergency_act(wish: &WireEmergencyWish) -> Action {
    match (wish.kind, wish.for_ns) {
        (EmergencyKind::Lockdown, 0) => Action::LockdownEnded,
        (EmergencyKind::Lockdown, _) => Action::LockdownDeclared,
        (EmergencyKind::Evacuation, 0) => Action::EvacuationEnded,
        (EmergencyKind::Evacuation, _) => Action::EvacuationDeclared,
    }
}

/// Which doors, whether it is meant, for whom and for how long.
fn declared(wish: &WireEmergencyWish, site: &Site) -> Vec<Object> {
    let zone = wish.zone.as_ref().map(|zone| thing(&Thing::Zone(zone.clone()), site));
    let label = wish.label.as_ref().map(|label| {
        let is_known = site.has_door_label(label);
        let known = is_known.then(|| Object::new(ObjectKind::Label, label.clone()));
        known.or_else(|| unknown(ObjectKind::Label, 1))
    });
    let practice = snake_case(&format!("{:?}", wish.practice));
    let practice = word(ObjectKind::Practice, &practice);
    let length = if wish.for_ns > 0 { seconds(wish.for_ns) } else { None };
    let objects = zone.into_iter().chain(label.flatten()).chain(practice);
    objects.chain(on_behalf_of(wish.person.as_ref())).chain(length).collect()
}

/// For how long something is quiet.
fn seconds(for_ns: u64) -> Option<Object> {
    word(ObjectKind::Seconds, &(for_ns / NS_PER_S).to_string())
}

fn quieted(order: &QuietOrder, site: &Site) -> Vec<Object> {
    let place = order.place.as_ref().map(|place| thing(place, site));
    let rule = order.rule.as_ref().and_then(|rule| {
        let is_known = site.rule_named(rule.as_str()).is_some();
        let known = is_known.then(|| Object::new(ObjectKind::Rule, rule.clone()));
        known.or_else(|| unknown(ObjectKind::Rule, 1))
    });
    let length = if order.for_ns > 0 { seconds(order.for_ns) } else { None };
    let objects = place.into_iter().chain(rule).chain(on_behalf_of(order.person.as_ref()));
    objects.chain(length).collect()
}

/// Who has leave, for whom it was given, to leave what, with whom and for how long. Why is in the journal
/// alone.
fn on_leave(order: &LeaveOrder, site: &Site) -> Vec<Object> {
    let escort = order.escort.as_ref().and_then(|escort| {
        let is_known = site.subject(escort.as_str()).is_some();
        let known = is_known.then(|| Object::new(ObjectKind::Escort, escort.clone()));
        known.or_else(|| unknown(ObjectKind::Escort, 1))
    });
    let whose = thing(&Thing::Subject(order.subject.clone()), site);
    let places = order.places.iter().map(|place| thing(place, site));
    let objects = std::iter::once(whose).chain(on_behalf_of(order.person.as_ref())).chain(places);
    objects.chain(escort).chain(order.for_ns.and_then(seconds)).collect()
}

/// Whose band, which, for whom it was said, and for how long. Why is in the journal alone.
fn of_band(order: &BandOrder, site: &Site) -> Vec<Object> {
    let whose = thing(&Thing::Subject(order.subject.clone()), site);
    let objects = [whose, thing(&Thing::Tag(order.tag), site)].into_iter();
    let objects = objects.chain(on_behalf_of(order.person.as_ref()));
    objects.chain(order.for_ns.and_then(seconds)).collect()
}

fn on_behalf_of(person: Option<&Name>) -> Option<Object> {
    person.cloned().map(|person| Object::new(ObjectKind::OnBehalfOf, person))
}

/// Whether a command takes protection away, so that it is not done unless it is in the audit log.
pub(crate) fn takes_protection_away(kind: &CommandKind) -> bool {
    match kind {
        CommandKind::Act(wish) => matches!(wish.act, AlarmAct::Shelve { .. }),
        CommandKind::Quiet(wish) => wish.for_ns > 0,
        CommandKind::Pass(wish) => wish.for_ns.is_some(),
        CommandKind::Band(wish) => wish.for_ns.is_some(),
        CommandKind::ReleaseActor(_)
        | CommandKind::BeginSelftest
        | CommandKind::EndSelftest
        | CommandKind::NodeTrouble { .. } => false,
        // Whoever lets people out, or shuts others out of danger, waits for nothing.
        CommandKind::MoveDoor(wish) => {
            matches!(
                wish.act,
                DoorAct::Move { mode: DoorMode::Unlocked, .. }
                    | DoorAct::GiveBack
                    | DoorAct::EndFire
            )
        }
        CommandKind::Declare(wish) => wish.for_ns == 0 && wish.practice == Practice::Real,
        CommandKind::QuarantineActor(_) => true,
    }
}

/// Whether a command lets people out, so that it waits neither for the audit log's disk nor for other commands.
pub(crate) fn waits_for_nothing(kind: &CommandKind) -> bool {
    matches!(kind, CommandKind::MoveDoor(wish) if wish.act == DoorAct::Release)
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

/// Who has leave, as something that was read.
pub(crate) fn leaves() -> Option<Object> {
    word(ObjectKind::Topic, "leaves")
}

/// What a subscription lets its reader see: its topic, and what it asked for.
pub(crate) fn read(request: &Subscribe, site: &Site) -> Vec<Object> {
    let filter = &request.filter;
    let mut objects: Vec<Object> = topic(request.topic).into_iter().collect();
    let names = [
        (ObjectKind::Zone, &filter.zones),
        (ObjectKind::Subject, &filter.subjects),
        (ObjectKind::Door, &filter.doors),
    ];
    for (kind, ids) in names {
        let before = objects.len();
        objects.extend(ids.iter().filter_map(|id| known(site, kind, id)));
        let unknown_count = ids.len().saturating_sub(objects.len().saturating_sub(before));
        objects.extend(if unknown_count > 0 { unknown(kind, unknown_count) } else { None });
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
