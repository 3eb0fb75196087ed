//! Effects in words.

use ach_actors_entities::{Effect, Site};
use ach_actors_model::{AlarmNotice, AlarmTransition, EventKind, Place};

pub(crate) fn tell(effect: &Effect, site: &Site) -> String {
    let zone = |zone| site.zone_name(zone).expect("a zone").to_owned();
    let subject = |subject| site.subject_name(subject).expect("a subject").to_owned();
    let door = |door| site.door_name(door).expect("a door").to_owned();
    let source = |source| site.source_name(source).expect("a feed").to_owned();
    match effect {
        Effect::Alarm(notice) => alarm(notice, site),
        Effect::Event(event) => match event.kind {
            EventKind::ZoneEntered { subject: who, zone: place, occupant_count, .. } => {
                format!("+{} {} {occupant_count}", subject(who), zone(place))
            }
            EventKind::ZoneExited { subject: who, zone: place, occupant_count, .. } => {
                format!("-{} {} {occupant_count}", subject(who), zone(place))
            }
            EventKind::DoorPassed { subject: who, door: through, .. } => {
                format!("{} through {}", subject(who), door(through))
            }
            EventKind::DoorOpened { door: which, is_forced } => {
                format!("{} {}", door(which), if is_forced { "forced" } else { "opened" })
            }
            EventKind::DoorClosed { door: which } => format!("{} closed", door(which)),
            EventKind::DoorLocked { door: which } => format!("{} locked", door(which)),
            EventKind::DoorUnlocked { door: which } => format!("{} unlocked", door(which)),
            EventKind::FeedRestored { source: which } => format!("{} heard", source(which)),
            EventKind::FeedFellSilent { source: which } => format!("{} silent", source(which)),
            EventKind::ZoneWentBlind { zone: place, .. } => format!("{} blind", zone(place)),
            EventKind::ZoneSighted { zone: place } => format!("{} sighted", zone(place)),
            EventKind::TagHeard { tag } => {
                format!("tag {} heard", site.tag_id(tag).expect("a tag").0)
            }
            EventKind::SiteChanged { version } => format!("site {version}"),
            other => format!("{other:?}"),
        },
        other => format!("{other:?}"),
    }
}

/// `RAISED KIND SUBJECT PLACE [tentative] [late]`, `CLEARED ... : reason`.
fn alarm(notice: &AlarmNotice, site: &Site) -> String {
    let who = notice.subject.and_then(|subject| site.subject_name(subject)).unwrap_or("-");
    let place = match notice.place {
        Place::Site => "site".to_owned(),
        Place::Zone(zone) => site.zone_name(zone).expect("a zone").to_owned(),
        Place::Door(door) => site.door_name(door).expect("a door").to_owned(),
        Place::Line(line) => site.line_name(line).expect("a line").to_owned(),
        Place::Tag(tag) => format!("tag{}", site.tag_id(tag).expect("a tag").0),
        Place::Source(source) => site.source_name(source).expect("a feed").to_owned(),
        Place::Anchor(anchor) => site.anchor_name(anchor).expect("an anchor").to_owned(),
        Place::Subject(other) => site.subject_name(other).expect("a subject").to_owned(),
    };
    let verb = format!("{:?}", notice.transition).to_uppercase();
    let mut text = format!("{verb} {:?} {who} {place}", notice.kind);
    if notice.transition == AlarmTransition::Raised && notice.is_tentative {
        text.push_str(" tentative");
    }
    if notice.transition == AlarmTransition::Raised && notice.is_late {
        text.push_str(" late");
    }
    if let Some(reason) = notice.reason {
        text = format!("{text}: {reason:?}");
    }
    text
}
