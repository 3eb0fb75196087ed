//! The hash of effects: XXH3-64 over bytes that depend on nothing but the effects.
//!
//! Written out by hand, field by field, so that neither a derive nor a compiler decides what two
//! replicas compare. Every effect is one tag byte and its fields in order, integers little-endian,
//! an option one byte 0 or 1 and its value. `docs/specs/entry.md` says the same.

use ach_actors_entities::{Accepted, Effect};
use ach_actors_model::{
    ActMark, AlarmLife, AlarmNotice, AlarmResponse, Cause, DoorEvidence, DoorScope, DoorStanding,
    Emergency, EmergencyKind, Event, EventKind, Name, PassMark, PassNotice, Place, Practice,
    ZoneRef,
};
use ach_geo::Position;
use twox_hash::XxHash3_64;

use crate::digest_codes::{
    answer_code, cause_code, emergency_code, end_code, kind_code, lane_code, mode_code,
    practice_code, priority_code, reason_code, refusal_code, slot_code, transition_code,
};

/// Collects the bytes of one entry's effects. Kept between entries for its buffer.
#[derive(Debug, Default)]
pub(crate) struct Digest {
    bytes: Vec<u8>,
}

impl Digest {
    /// The hash of `effects`; that of no effects is the hash of no bytes.
    pub(crate) fn of(&mut self, effects: &[Effect]) -> u64 {
        self.bytes.clear();
        for effect in effects {
            self.effect(effect);
        }
        XxHash3_64::oneshot(&self.bytes)
    }

    fn u8(&mut self, value: u8) {
        self.bytes.push(value);
    }

    fn u16(&mut self, value: u16) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    fn u32(&mut self, value: u32) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    fn i32(&mut self, value: i32) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    fn u64(&mut self, value: u64) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    fn option<T>(&mut self, value: Option<T>, put: impl FnOnce(&mut Digest, T)) {
        self.u8(u8::from(value.is_some()));
        if let Some(value) = value {
            put(self, value);
        }
    }

    fn effect(&mut self, effect: &Effect) {
        match effect {
            Effect::Alarm(notice) => {
                self.u8(1);
                self.notice(notice);
            }
            Effect::Event(event) => {
                self.u8(2);
                self.event(event);
            }
            Effect::Accepted(accepted) => {
                self.u8(3);
                self.accepted(accepted);
            }
            Effect::SiteInForce { version } => {
                self.u8(4);
                self.u32(*version);
            }
            Effect::SiteRefused { version } => {
                self.u8(5);
                self.u32(*version);
            }
            Effect::EpochOpened { source, epoch } => {
                self.u8(6);
                self.u32(source.0);
                self.u32(*epoch);
            }
            Effect::WishRefused { input, why } => {
                self.u8(7);
                self.u32(*input);
                self.u8(refusal_code(*why));
            }
            Effect::Door(standing) => {
                self.u8(8);
                self.standing(standing);
            }
            Effect::Emergency { emergency, is_running } => {
                self.u8(9);
                self.emergency(emergency);
                self.u8(u8::from(*is_running));
            }
            Effect::Pass(notice) => {
                self.u8(10);
                self.pass(notice);
            }
        }
    }

    fn standing(&mut self, standing: &DoorStanding) {
        self.u32(standing.door.0);
        self.option(standing.is_open, |digest, is_open| digest.u8(u8::from(is_open)));
        self.option(standing.is_locked, |digest, is_locked| digest.u8(u8::from(is_locked)));
        self.option(standing.order, |digest, order| {
            digest.u64(order.number);
            digest.u8(mode_code(order.mode));
            digest.option(order.slot, |digest, slot| digest.u8(slot_code(slot)));
            digest.u64(order.given_at.0);
            digest.option(order.until, |digest, until| digest.u64(until.0));
            digest.u8(u8::from(order.is_drill));
        });
        self.u8(answer_code(standing.answer));
        self.u8(u8::from(standing.is_fire_told));
    }

    fn emergency(&mut self, emergency: &Emergency) {
        self.u8(emergency_code(emergency.kind));
        match &emergency.scope {
            DoorScope::Site => self.u8(0),
            DoorScope::Zone(zone) => {
                self.u8(1);
                self.u32(zone.0);
            }
            DoorScope::Label(label) => {
                self.u8(2);
                self.name(label);
            }
        }
        self.u8(practice_code(emergency.practice));
        self.name(&emergency.by);
        self.option(emergency.remark.as_ref(), |digest, remark| digest.text(remark.as_str()));
        self.u64(emergency.since.0);
        self.u64(emergency.until.0);
        self.u32(emergency.door_count);
    }

    fn notice(&mut self, notice: &AlarmNotice) {
        self.bytes.extend_from_slice(&notice.id.0.to_le_bytes());
        self.u8(transition_code(notice.transition));
        self.option(notice.reason, |digest, reason| digest.u8(reason_code(reason)));
        self.u8(kind_code(notice.kind));
        self.u8(priority_code(notice.priority));
        self.option(notice.rule, |digest, rule| digest.u32(rule.0));
        self.u32(notice.site_version);
        self.u32(notice.episode);
        self.option(notice.subject, |digest, subject| digest.u32(subject.0));
        self.option(notice.tag, |digest, tag| digest.u32(tag.0));
        self.place(notice.place);
        self.u8(u8::from(notice.is_tentative));
        self.u8(u8::from(notice.is_late));
        self.cause(notice.cause);
        self.u64(notice.observed_at.0);
        self.u64(notice.received_at.0);
        self.u64(notice.changed_at.0);
        self.option(notice.position, Digest::position);
        self.u32(notice.accuracy_mm);
        self.u16(notice.gates_passed);
        self.u16(notice.state.0);
        self.option(notice.life.as_deref(), Digest::life);
        self.option(notice.incident, |digest, incident| {
            digest.bytes.extend_from_slice(&incident.id.0.to_le_bytes());
            digest.u32(incident.place);
            digest.u8(u8::from(incident.is_raising));
        });
        self.option(notice.door.as_deref(), Digest::door_evidence);
        self.option(notice.response.as_deref(), Digest::response);
        self.u8(u8::from(notice.is_drill));
    }

    fn response(&mut self, response: &AlarmResponse) {
        // A site has few of either.
        self.u16(u16::try_from(response.tell.len()).unwrap_or(u16::MAX));
        for name in &response.tell {
            self.name(name);
        }
        self.u16(u16::try_from(response.doors.len()).unwrap_or(u16::MAX));
        for door in &response.doors {
            self.u32(door.0);
        }
        self.u64(response.until.0);
    }

    fn door_evidence(&mut self, known: &DoorEvidence) {
        let pass = |digest: &mut Digest, pass: PassMark| {
            digest.u64(pass.at.0);
            digest.u64(pass.until.0);
        };
        self.option(known.granted, pass);
        self.option(known.requested, pass);
        self.option(known.lock, |digest, lock| {
            digest.u64(lock.at.0);
            digest.u8(u8::from(lock.is_drawn_back));
        });
        // Few: the shard looks for eight at most.
        self.u16(u16::try_from(known.near.len()).unwrap_or(u16::MAX));
        for subject in &known.near {
            self.u32(subject.0);
        }
        self.option(known.granted_to, |digest, subject| digest.u32(subject.0));
    }

    fn pass(&mut self, notice: &PassNotice) {
        let pass = &notice.pass;
        self.u32(pass.subject.0);
        self.option(notice.end, |digest, end| digest.u8(end_code(end)));
        self.u64(notice.changed_at.0);
        self.u64(pass.given_at.0);
        self.u64(pass.until.0);
        self.u8(u8::from(pass.is_until_back));
        self.u16(u16::try_from(pass.places.len()).unwrap_or(u16::MAX));
        for &place in &pass.places {
            self.place(place);
        }
        self.option(pass.escort, |digest, escort| {
            digest.u32(escort.subject.0);
            digest.u32(escort.within_mm);
            digest.u64(escort.gap_ns);
        });
        self.name(&pass.by);
        self.text(pass.reason.as_str());
    }

    fn life(&mut self, life: &AlarmLife) {
        self.u32(life.revision);
        self.option(life.by.as_ref(), Digest::name);
        self.option(life.remark.as_ref(), |digest, remark| digest.text(remark.as_str()));
        self.option(life.acknowledged.as_ref(), Digest::mark);
        self.option(life.confirmed.as_ref(), Digest::mark);
        self.option(life.closed.as_ref(), Digest::mark);
        self.option(life.cause, |digest, cause| digest.u8(cause_code(cause)));
        self.option(life.assignee.as_ref(), Digest::name);
        self.option(life.quiet_until, |digest, until| digest.u64(until.0));
        self.u8(life.level);
        self.option(life.escalated_to.as_ref(), Digest::name);
        self.option(life.calls_since, |digest, since| digest.u64(since.0));
        self.u16(life.comment_count);
    }

    fn mark(&mut self, mark: &ActMark) {
        self.name(&mark.by);
        self.u64(mark.at.0);
    }

    fn name(&mut self, name: &Name) {
        self.text(name.as_str());
    }

    fn text(&mut self, text: &str) {
        // Names and remarks have 256 bytes at most.
        self.u16(u16::try_from(text.len()).unwrap_or(u16::MAX));
        self.bytes.extend_from_slice(text.as_bytes());
    }

    fn place(&mut self, place: Place) {
        let (code, number) = match place {
            Place::Site => (0, 0),
            Place::Zone(zone) => (1, zone.0),
            Place::Door(door) => (2, door.0),
            Place::Line(line) => (3, line.0),
            Place::Tag(tag) => (4, tag.0),
            Place::Source(source) => (5, source.0),
            Place::Anchor(anchor) => (6, anchor.0),
            Place::Subject(subject) => (7, subject.0),
        };
        self.u8(code);
        self.u32(number);
    }

    fn cause(&mut self, cause: Cause) {
        match cause {
            Cause::Input { source, lane, epoch, seq } => {
                self.u8(1);
                self.u32(source.0);
                self.u8(lane_code(lane));
                self.u32(epoch);
                self.u64(seq);
            }
            Cause::Deadline { due_at } => {
                self.u8(2);
                self.u64(due_at.0);
            }
            Cause::SiteChange => self.u8(3),
        }
    }

    fn position(&mut self, position: Position) {
        self.i32(position.x_mm);
        self.i32(position.y_mm);
        self.option(position.z_mm, Digest::i32);
        self.option(position.floor, |digest, floor| {
            digest.bytes.extend_from_slice(&floor.0.to_le_bytes());
        });
    }

    fn event(&mut self, event: &Event) {
        self.u64(event.at.0);
        match event.kind {
            EventKind::ZoneEntered { subject, zone, tag, occupant_count } => {
                self.numbers(1, &[subject.0, zone.0, tag.0, occupant_count]);
            }
            EventKind::ZoneExited { subject, zone, tag, occupant_count } => {
                self.numbers(2, &[subject.0, zone.0, tag.0, occupant_count]);
            }
            EventKind::DoorPassed { subject, door, tag } => {
                self.numbers(3, &[subject.0, door.0, tag.0]);
            }
            EventKind::DoorOpened { door, is_forced } => {
                self.numbers(4, &[door.0, u32::from(is_forced)]);
            }
            EventKind::DoorClosed { door } => self.numbers(5, &[door.0]),
            EventKind::DoorLocked { door } => self.numbers(6, &[door.0]),
            EventKind::DoorUnlocked { door } => self.numbers(7, &[door.0]),
            EventKind::FeedRestored { source } => self.numbers(8, &[source.0]),
            EventKind::FeedFellSilent { source } => self.numbers(9, &[source.0]),
            EventKind::ZoneWentBlind { zone, without } => {
                self.numbers(10, &[zone.0, without.0]);
            }
            EventKind::ZoneSighted { zone } => self.numbers(11, &[zone.0]),
            EventKind::TagHeard { tag } => self.numbers(12, &[tag.0]),
            EventKind::SiteChanged { version } => self.numbers(13, &[version]),
            EventKind::FireTold { door } => self.numbers(14, &[door.0]),
            EventKind::FireOver { door } => self.numbers(15, &[door.0]),
            EventKind::EmergencyDeclared { kind, practice, zone } => {
                self.declaration(16, kind, practice, zone);
            }
            EventKind::EmergencyEnded { kind, practice, zone } => {
                self.declaration(17, kind, practice, zone);
            }
        }
    }

    fn declaration(
        &mut self,
        code: u8,
        kind: EmergencyKind,
        practice: Practice,
        zone: Option<ZoneRef>,
    ) {
        self.u8(code);
        self.u8(emergency_code(kind));
        self.u8(practice_code(practice));
        self.option(zone, |digest, zone| digest.u32(zone.0));
    }

    fn numbers(&mut self, code: u8, numbers: &[u32]) {
        self.u8(code);
        for number in numbers {
            self.u32(*number);
        }
    }

    fn accepted(&mut self, accepted: &Accepted) {
        self.u32(accepted.source.0);
        self.u8(lane_code(accepted.lane));
        self.u32(accepted.epoch);
        self.u64(accepted.through_seq);
        self.u32(accepted.accepted_count);
        self.u32(accepted.duplicate_count);
        self.u32(accepted.late_count);
        self.u32(accepted.refused_count);
        self.u32(accepted.conflated_count);
    }
}
