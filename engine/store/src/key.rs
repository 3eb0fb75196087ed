//! What lies where in the keyspace of a day. Numbers in keys are big-endian, so that rows lie in the
//! order of their numbers.

use ach_actors_model::{AlarmId, SubjectRef, TagRef, Timestamp, ZoneRef};
use ach_geo::Floor;

/// What the day covers.
pub(crate) const MARK: u8 = 0x00;
/// What its writer must know to go on.
pub(crate) const STATE: u8 = 0x01;
/// Pings of a tag.
pub(crate) const BLOCK: u8 = 0x10;
/// Who was in a zone.
pub(crate) const ZONE_VISIT: u8 = 0x20;
/// Who is in a zone at the full hour.
pub(crate) const ZONE_PRESENT: u8 = 0x21;
/// Where a subject was.
pub(crate) const SUBJECT_VISIT: u8 = 0x22;
/// Where a subject is when the day begins.
pub(crate) const SUBJECT_PRESENT: u8 = 0x23;
/// Where everybody on a floor is.
pub(crate) const KEYFRAME: u8 = 0x30;
/// What became of an alarm.
pub(crate) const ALARM: u8 = 0x40;
/// When something became of an alarm.
pub(crate) const ALARM_AT: u8 = 0x41;

/// A key under construction.
fn joined(kind: u8, parts: &[&[u8]]) -> Vec<u8> {
    let mut key = Vec::with_capacity(24);
    key.push(kind);
    for part in parts {
        key.extend_from_slice(part);
    }
    key
}

pub(crate) fn block(tag: TagRef, first_index: u64, part: u16) -> Vec<u8> {
    joined(BLOCK, &[&tag.0.to_be_bytes(), &first_index.to_be_bytes(), &part.to_be_bytes()])
}

pub(crate) fn blocks_of(tag: TagRef) -> Vec<u8> {
    joined(BLOCK, &[&tag.0.to_be_bytes()])
}

pub(crate) fn zone_visit(zone: ZoneRef, entered_at: Timestamp, subject: SubjectRef) -> Vec<u8> {
    let entered = entered_at.0.to_be_bytes();
    joined(ZONE_VISIT, &[&zone.0.to_be_bytes(), &entered, &subject.0.to_be_bytes()])
}

/// Before every visit of a zone that begins then or later.
pub(crate) fn zone_visits_from(zone: ZoneRef, at: Timestamp) -> Vec<u8> {
    joined(ZONE_VISIT, &[&zone.0.to_be_bytes(), &at.0.to_be_bytes()])
}

pub(crate) fn subject_visit(subject: SubjectRef, entered_at: Timestamp, zone: ZoneRef) -> Vec<u8> {
    let entered = entered_at.0.to_be_bytes();
    joined(SUBJECT_VISIT, &[&subject.0.to_be_bytes(), &entered, &zone.0.to_be_bytes()])
}

/// Before every visit of a subject that begins then or later.
pub(crate) fn subject_visits_from(subject: SubjectRef, at: Timestamp) -> Vec<u8> {
    joined(SUBJECT_VISIT, &[&subject.0.to_be_bytes(), &at.0.to_be_bytes()])
}

pub(crate) fn zone_present(zone: ZoneRef, at: Timestamp) -> Vec<u8> {
    joined(ZONE_PRESENT, &[&zone.0.to_be_bytes(), &at.0.to_be_bytes()])
}

pub(crate) fn subject_present(subject: SubjectRef) -> Vec<u8> {
    joined(SUBJECT_PRESENT, &[&subject.0.to_be_bytes()])
}

/// A floor that is not known lies before those that are.
pub(crate) fn keyframe(floor: Option<Floor>, at: Timestamp) -> Vec<u8> {
    let number = floor.map_or(0, |floor| floor.0);
    // With its sign turned, a negative number lies before a positive one.
    let place = number.cast_unsigned() ^ 0x8000;
    joined(KEYFRAME, &[&[u8::from(floor.is_some())], &place.to_be_bytes(), &at.0.to_be_bytes()])
}

pub(crate) fn alarm(id: AlarmId, index: u64, ordinal: u16) -> Vec<u8> {
    joined(ALARM, &[&id.0.to_be_bytes(), &index.to_be_bytes(), &ordinal.to_be_bytes()])
}

pub(crate) fn alarms_of(id: AlarmId) -> Vec<u8> {
    joined(ALARM, &[&id.0.to_be_bytes()])
}

pub(crate) fn alarm_at(at: Timestamp, id: AlarmId, index: u64, ordinal: u16) -> Vec<u8> {
    let (index, ordinal) = (index.to_be_bytes(), ordinal.to_be_bytes());
    joined(ALARM_AT, &[&at.0.to_be_bytes(), &id.0.to_be_bytes(), &index, &ordinal])
}

/// Before every change of an alarm that happens then or later.
pub(crate) fn alarms_from(at: Timestamp) -> Vec<u8> {
    joined(ALARM_AT, &[&at.0.to_be_bytes()])
}

/// A number of four bytes in a key.
pub(crate) fn u32_at(key: &[u8], at: usize) -> Option<u32> {
    key.get(at..)?.first_chunk().map(|bytes| u32::from_be_bytes(*bytes))
}

/// A number of eight bytes in a key.
pub(crate) fn u64_at(key: &[u8], at: usize) -> Option<u64> {
    key.get(at..)?.first_chunk().map(|bytes| u64::from_be_bytes(*bytes))
}

/// A number of sixteen bytes in a key.
pub(crate) fn u128_at(key: &[u8], at: usize) -> Option<u128> {
    key.get(at..)?.first_chunk().map(|bytes| u128::from_be_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_lie_in_the_order_of_their_numbers() {
        let floors = [None, Some(-200), Some(-1), Some(0), Some(150)];
        let keys: Vec<Vec<u8>> =
            floors.iter().map(|floor| keyframe(floor.map(Floor), Timestamp(9))).collect();
        assert!(keys.is_sorted(), "{keys:?}");
        let (zone, tag) = (ZoneRef(258), TagRef(7));
        assert!(
            zone_visits_from(zone, Timestamp(8)) < zone_visit(zone, Timestamp(8), SubjectRef(0))
        );
        assert!(block(tag, 255, 3) < block(tag, 256, 0));
        assert_eq!(u32_at(&block(tag, 255, 3), 1), Some(7));
        assert_eq!(u64_at(&block(tag, 255, 3), 5), Some(255));
    }
}
