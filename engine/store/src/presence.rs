//! Who is where: visits that are open, and what is written of them.

use std::collections::{BTreeMap, BTreeSet};

use ach_actors_model::{SubjectRef, Timestamp, ZoneRef};

use crate::coding::{put_varint, sealed, take_u32, take_varint};
use crate::errors::Fault;
use crate::key;
use crate::rows::Rows;

/// Visits that have not ended.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Presence {
    open: BTreeMap<(ZoneRef, SubjectRef), Timestamp>,
    /// Zones in which something happened since the last full hour.
    stirred: BTreeSet<ZoneRef>,
}

impl Presence {
    /// A subject came into a zone.
    pub(crate) fn entered(
        &mut self,
        subject: SubjectRef,
        zone: ZoneRef,
        at: Timestamp,
        rows: &mut Rows,
    ) {
        self.stirred.insert(zone);
        // Who is in already is not entered again; the visit goes on.
        if let std::collections::btree_map::Entry::Vacant(place) = self.open.entry((zone, subject))
        {
            place.insert(at);
            put_visit(zone, subject, at, None, rows);
        }
    }

    /// A subject left a zone. One that was not known to be in it is left alone.
    pub(crate) fn exited(
        &mut self,
        subject: SubjectRef,
        zone: ZoneRef,
        at: Timestamp,
        rows: &mut Rows,
    ) {
        self.stirred.insert(zone);
        if let Some(entered_at) = self.open.remove(&(zone, subject)) {
            put_visit(zone, subject, entered_at, Some(at), rows);
        }
    }

    /// Ends the visits of zones and subjects that are no more.
    pub(crate) fn end_where(
        &mut self,
        is_gone: impl Fn(ZoneRef, SubjectRef) -> bool,
        at: Timestamp,
        rows: &mut Rows,
    ) {
        let gone: Vec<(ZoneRef, SubjectRef)> =
            self.open.keys().copied().filter(|&(zone, subject)| is_gone(zone, subject)).collect();
        for (zone, subject) in gone {
            self.exited(subject, zone, at, rows);
        }
    }

    /// Notes who is in every zone in which somebody is or something happened. `at` is a full hour,
    /// before which everything is told and after which nothing.
    pub(crate) fn note_hour(&mut self, at: Timestamp, rows: &mut Rows) {
        let mut zones = std::mem::take(&mut self.stirred);
        zones.extend(self.open.keys().map(|(zone, _)| *zone));
        for zone in zones {
            let within = (zone, SubjectRef(0))..=(zone, SubjectRef(u32::MAX));
            let present = self.open.range(within).map(|((_, subject), since)| (subject.0, *since));
            let key = key::zone_present(zone, at);
            let value = sealed(&key, &listed(present, at));
            rows.insert(key, value);
        }
    }

    /// Notes in which zones every subject is when the day begins.
    pub(crate) fn note_day(&self, at: Timestamp, rows: &mut Rows) {
        let mut by_subject: BTreeMap<SubjectRef, Vec<(u32, Timestamp)>> = BTreeMap::new();
        for (&(zone, subject), &since) in &self.open {
            by_subject.entry(subject).or_default().push((zone.0, since));
        }
        for (subject, zones) in by_subject {
            let key = key::subject_present(subject);
            let value = sealed(&key, &listed(zones.into_iter(), at));
            rows.insert(key, value);
        }
    }

    /// All of it, to go on after a restart.
    pub(crate) fn put_state(&self, out: &mut Vec<u8>) {
        put_varint(u64::try_from(self.open.len()).unwrap_or(u64::MAX), out);
        for (&(zone, subject), since) in &self.open {
            put_varint(zone.0.into(), out);
            put_varint(subject.0.into(), out);
            put_varint(since.0, out);
        }
        put_varint(u64::try_from(self.stirred.len()).unwrap_or(u64::MAX), out);
        for zone in &self.stirred {
            put_varint(zone.0.into(), out);
        }
    }

    /// The other way.
    pub(crate) fn take_state(bytes: &mut &[u8]) -> Option<Presence> {
        let mut presence = Presence::default();
        for _ in 0..take_varint(bytes)? {
            let (zone, subject) = (ZoneRef(take_u32(bytes)?), SubjectRef(take_u32(bytes)?));
            presence.open.insert((zone, subject), Timestamp(take_varint(bytes)?));
        }
        for _ in 0..take_varint(bytes)? {
            presence.stirred.insert(ZoneRef(take_u32(bytes)?));
        }
        Some(presence)
    }
}

/// A visit under its zone and under its subject: nothing while it lasts, its length when it is over.
fn put_visit(
    zone: ZoneRef,
    subject: SubjectRef,
    entered_at: Timestamp,
    exited_at: Option<Timestamp>,
    rows: &mut Rows,
) {
    let mut value = Vec::new();
    if let Some(exited_at) = exited_at {
        put_varint(exited_at.since_ns(entered_at), &mut value);
    }
    rows.insert(key::zone_visit(zone, entered_at, subject), value.clone());
    rows.insert(key::subject_visit(subject, entered_at, zone), value);
}

/// When a visit that began then ended, as its row tells it; `None` while it lasts.
pub(crate) fn exit_in(mut value: &[u8], entered_at: Timestamp) -> Result<Option<Timestamp>, Fault> {
    if value.is_empty() {
        return Ok(None);
    }
    let length_ns = take_varint(&mut value).filter(|_| value.is_empty());
    let length_ns = length_ns.ok_or_else(|| Fault::damage("the length of a visit is malformed"))?;
    Ok(Some(entered_at.plus_ns(length_ns)))
}

/// Numbers with the moment since when, which is before `at`.
fn listed(present: impl Iterator<Item = (u32, Timestamp)>, at: Timestamp) -> Vec<u8> {
    let mut out = Vec::new();
    let mut last = 0;
    for (number, since) in present {
        // Ascending, so that steps are small.
        put_varint(u64::from(number.wrapping_sub(last)), &mut out);
        put_varint(at.since_ns(since), &mut out);
        last = number;
    }
    out
}

/// The other way. `None` if it is malformed.
pub(crate) fn unlisted(mut bytes: &[u8], at: Timestamp) -> Option<Vec<(u32, Timestamp)>> {
    let mut present = Vec::new();
    let mut last = 0_u32;
    while !bytes.is_empty() {
        last = last.wrapping_add(take_u32(&mut bytes)?);
        let since = at.0.checked_sub(take_varint(&mut bytes)?)?;
        present.push((last, Timestamp(since)));
    }
    Some(present)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn lists_come_back(present in prop::collection::btree_map(any::<u32>(), 0u64..1_000, 0..40)) {
            let at = Timestamp(1_000);
            let present: Vec<(u32, Timestamp)> =
                present.into_iter().map(|(number, since)| (number, Timestamp(since))).collect();
            prop_assert_eq!(unlisted(&listed(present.iter().copied(), at), at), Some(present));
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let _ = unlisted(&bytes, Timestamp(1 << 40));
            let _ = exit_in(&bytes, Timestamp(7));
            let _ = Presence::take_state(&mut &bytes[..]);
        }
    }

    #[test]
    fn what_is_open_is_known_again() {
        let (mut presence, mut rows) = (Presence::default(), Rows::new());
        presence.entered(SubjectRef(3), ZoneRef(1), Timestamp(50), &mut rows);
        presence.entered(SubjectRef(4), ZoneRef(1), Timestamp(60), &mut rows);
        presence.exited(SubjectRef(3), ZoneRef(1), Timestamp(70), &mut rows);
        let mut bytes = Vec::new();
        presence.put_state(&mut bytes);
        assert_eq!(Presence::take_state(&mut &bytes[..]), Some(presence));
        let (left, stays) = (
            key::zone_visit(ZoneRef(1), Timestamp(50), SubjectRef(3)),
            key::zone_visit(ZoneRef(1), Timestamp(60), SubjectRef(4)),
        );
        assert_eq!(exit_in(&rows[&left], Timestamp(50)).unwrap(), Some(Timestamp(70)));
        assert_eq!(exit_in(&rows[&stays], Timestamp(60)).unwrap(), None);
    }
}
