//! Notices of the shard as notes on the wire: numbers become names.

use ach_actors_entities::Site;
use ach_actors_model::{
    AlarmId, AlarmKind, AlarmNotice, AlarmResponse, Cause, DoorEvidence, Event, EventKind, Fix,
};
use ach_engine_wire::{
    AlarmNote, AlarmSettled, Cursor, DoorNote, EventNote, EventWord, IncidentNote, InputCause,
    LifeNote, PositionNote, ResponseNote, Storage, WireCause,
};

use crate::names::Names;
use crate::planted::{PlantedBug, is_planted};
use crate::recent::NoticeAt;

/// The number of this node's only shard.
pub(crate) const SHARD: u32 = 0;

/// The leadership of a node that runs alone.
pub(crate) const FENCING_EPOCH: u64 = 1;

/// Where a notice stands, as a subscriber keeps it.
pub(crate) fn cursor(at: NoticeAt) -> Cursor {
    Cursor { shard: SHARD, index: at.index, ordinal: at.ordinal }
}

/// A notice with names.
pub(crate) fn alarm_note(
    site: &Site,
    notice: &AlarmNotice,
    storage: Storage,
    at: Option<NoticeAt>,
    is_resent: bool,
) -> AlarmNote {
    let names = Names(site);
    AlarmNote {
        id: told_id(notice),
        transition: notice.transition,
        reason: notice.reason,
        kind: notice.kind,
        priority: notice.priority,
        rule: notice.rule.map(|rule| names.rule(rule)),
        site_version: notice.site_version,
        episode: notice.episode,
        subject: notice.subject.map(|subject| names.subject(subject)),
        tag: notice.tag.map(|tag| names.tag(tag)),
        place: names.place(notice.place),
        is_tentative: notice.is_tentative,
        is_late: notice.is_late,
        cause: cause(names, notice),
        observed_at: notice.observed_at,
        received_at: notice.received_at,
        changed_at: notice.changed_at,
        position: notice.position,
        accuracy_mm: notice.accuracy_mm,
        gates_passed: notice.gates_passed,
        storage,
        cursor: at.map(cursor),
        fencing_epoch: FENCING_EPOCH,
        is_resent,
        state: notice.state,
        life: notice.life.as_deref().map(|life| Box::new(LifeNote::from(life))),
        incident: notice.incident.map(IncidentNote::from),
        door: notice.door.as_deref().map(|known| Box::new(door(names, known))),
        response: notice.response.as_deref().map(|known| Box::new(response(names, known))),
        is_drill: notice.is_drill,
    }
}

fn door(names: Names<'_>, known: &DoorEvidence) -> DoorNote {
    DoorNote {
        granted_at: known.granted.map(|pass| pass.at),
        granted_until: known.granted.map(|pass| pass.until),
        requested_at: known.requested.map(|pass| pass.at),
        requested_until: known.requested.map(|pass| pass.until),
        lock_at: known.lock.map(|lock| lock.at),
        is_drawn_back: known.lock.map(|lock| lock.is_drawn_back),
        near: known.near.iter().map(|&subject| names.subject(subject)).collect(),
        granted_to: known.granted_to.map(|subject| names.subject(subject)),
    }
}

fn response(names: Names<'_>, known: &AlarmResponse) -> ResponseNote {
    ResponseNote {
        tell: known.tell.clone(),
        doors: known.doors.iter().map(|&door| names.door(door)).collect(),
        until: (!known.doors.is_empty()).then_some(known.until),
    }
}

/// The id an alarm is told under: its own.
fn told_id(notice: &AlarmNotice) -> AlarmId {
    if is_planted(PlantedBug::IdFromTime) {
        return AlarmId(notice.id.0 ^ u128::from(notice.received_at.0));
    }
    notice.id
}

fn cause(names: Names<'_>, notice: &AlarmNotice) -> WireCause {
    match notice.cause {
        Cause::Input { source, lane, epoch, seq } => {
            WireCause::Input(InputCause { source: names.source(source), lane, epoch, seq })
        }
        Cause::Deadline { due_at } => WireCause::Deadline { due_at },
        Cause::SiteChange if is_of_the_node(notice.kind) => WireCause::Node,
        Cause::SiteChange => WireCause::SiteChange,
    }
}

/// Whether alarms of a kind are about the node itself, not about its site.
fn is_of_the_node(kind: AlarmKind) -> bool {
    matches!(
        kind,
        AlarmKind::SelfTest
            | AlarmKind::AuditTrouble
            | AlarmKind::NodeClockOff
            | AlarmKind::SelftestFailed
    )
}

/// That a notice is on disk now.
pub(crate) fn settled(notice: &AlarmNotice, at: NoticeAt) -> AlarmSettled {
    AlarmSettled {
        id: told_id(notice),
        transition: notice.transition,
        storage: Storage::Durable,
        cursor: Some(cursor(at)),
        fencing_epoch: FENCING_EPOCH,
    }
}

/// A fact with names.
pub(crate) fn event_note(site: &Site, event: &Event, storage: Storage, at: NoticeAt) -> EventNote {
    let names = Names(site);
    let mut note = EventNote {
        word: EventWord::from(&event.kind),
        at: event.at,
        subject: None,
        zone: None,
        door: None,
        tag: None,
        source: None,
        anchor: None,
        occupant_count: None,
        is_forced: None,
        site_version: None,
        storage,
        cursor: cursor(at),
        practice: None,
    };
    match event.kind {
        EventKind::ZoneEntered { subject, zone, tag, occupant_count }
        | EventKind::ZoneExited { subject, zone, tag, occupant_count } => {
            note.subject = Some(names.subject(subject));
            note.zone = Some(names.zone(zone));
            note.tag = Some(names.tag(tag));
            note.occupant_count = Some(occupant_count);
        }
        EventKind::DoorPassed { subject, door, tag } => {
            note.subject = Some(names.subject(subject));
            note.door = Some(names.door(door));
            note.tag = Some(names.tag(tag));
        }
        EventKind::DoorOpened { door, is_forced } => {
            note.door = Some(names.door(door));
            note.is_forced = Some(is_forced);
        }
        EventKind::DoorClosed { door }
        | EventKind::DoorLocked { door }
        | EventKind::DoorUnlocked { door } => note.door = Some(names.door(door)),
        EventKind::FeedRestored { source } | EventKind::FeedFellSilent { source } => {
            note.source = Some(names.source(source));
        }
        EventKind::ZoneWentBlind { zone, without } => {
            note.zone = Some(names.zone(zone));
            note.anchor = Some(names.anchor(without));
        }
        EventKind::ZoneSighted { zone } => note.zone = Some(names.zone(zone)),
        EventKind::TagHeard { tag } => note.tag = Some(names.tag(tag)),
        EventKind::SiteChanged { version } => note.site_version = Some(version),
        EventKind::FireTold { door } | EventKind::FireOver { door } => {
            note.door = Some(names.door(door));
        }
        EventKind::EmergencyDeclared { practice, zone, .. }
        | EventKind::EmergencyEnded { practice, zone, .. } => {
            note.zone = zone.map(|zone| names.zone(zone));
            note.practice = Some(practice);
        }
    }
    note
}

/// A fix with names.
pub(crate) fn position_note(site: &Site, fix: &Fix) -> PositionNote {
    let names = Names(site);
    PositionNote {
        tag: names.tag(fix.tag),
        subject: site.tag_subject(fix.tag).map(|subject| names.subject(subject)),
        position: fix.position,
        accuracy_mm: fix.accuracy_mm,
        observed_at: fix.observed_at,
        received_at: fix.received_at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_values::{notice, site};

    #[test]
    fn what_a_node_raises_about_itself_is_not_said_to_come_of_a_change_of_the_site() {
        let cause_of = |kind| {
            let notice = AlarmNotice { kind, cause: Cause::SiteChange, ..notice(1) };
            alarm_note(&site(), &notice, Storage::Durable, None, false).cause
        };
        for kind in [
            AlarmKind::SelfTest,
            AlarmKind::AuditTrouble,
            AlarmKind::NodeClockOff,
            AlarmKind::SelftestFailed,
        ] {
            assert_eq!(cause_of(kind), WireCause::Node, "{kind:?}");
        }
        assert_eq!(cause_of(AlarmKind::OverCapacity), WireCause::SiteChange);
    }
}
