//! Tags and subjects at rest, as bytes: all of them, but for what few have, which `cold.rs` keeps
//! beside these.
//!
//! ```text
//! byte 0      1        2 .. 10         then, each if its flag says so
//!      form   flags    observed_at     place, arrival, and what else the form has
//! ```
//!
//! A subject that was never located has neither of the last two: its zones follow its flags.
//!
//! Numbers are little-endian base 128, signed ones folded (0, -1, 1, -2 ..), so that what is near 0
//! is short; moments and marks are whole. A form is never changed: another one gets another number.
//! Bytes behind a record are not read.

use ach_actors_model::{Fix, TagRef, Timestamp};
use ach_geo::{Floor, Occupancy, Position, Settled};

use crate::flat::heard_ns_of;
use crate::record::{Reader, Writer, flag};
use crate::tag_watch::TagWatch;
use crate::{Subject, Tag};

/// The forms. 0 is none, so that empty memory is no record.
const TAG_FORM: u8 = 1;
const SUBJECT_FORM: u8 = 2;
/// Those that a checkpoint writes (`flat.rs`).
pub(crate) const FLAT_TAG_FORM: u8 = 3;
pub(crate) const FLAT_SUBJECT_FORM: u8 = 4;

/// Flags of both forms.
const HAS_Z: u8 = 1;
const HAS_FLOOR: u8 = 2;
/// It arrived later than it was observed.
const HAS_DELAY: u8 = 4;
/// Of a subject; a tag without one has zeros.
const HAS_FIX: u8 = 8;
/// Flags of a tag.
const IS_AHEAD: u8 = 16;
const HAS_FLOOR_AGE: u8 = 32;
const HAS_CALL: u8 = 64;
const HAS_BATTERY: u8 = 128;
/// Of a subject: the upper bits of its flags count its zones.
const COUNT_SHIFT: u32 = 4;

impl Tag {
    /// Appends the bytes of all but what few tags have; false if a ping is held.
    pub(crate) fn pack_rest(&self, record: &mut Vec<u8>) -> bool {
        let Tag { observed_at, received_at, x_mm, y_mm, z_mm, accuracy_mm, floor, .. } = *self;
        let Tag { recent, floor_age_ms, ahead_ms, ref watch, ref held, .. } = *self;
        let TagWatch { heard_ns, silence_mark, battery_mark, rare: _ } = *watch;
        let delay_ns = received_at.0.checked_sub(observed_at.0);
        let (Some(delay_ns), None) = (delay_ns, held) else { return false };
        let position = Position { x_mm, y_mm, z_mm, floor };
        let flags = flag(ahead_ms > 0, IS_AHEAD)
            | flag(floor_age_ms > 0, HAS_FLOOR_AGE)
            | flag(silence_mark > 0, HAS_CALL)
            | flag(battery_mark > 0, HAS_BATTERY);
        let mut writer = Writer::new();
        writer.put_bytes([TAG_FORM, flags | place_flags(&position, delay_ns)]);
        writer.put_place(observed_at, &position, (accuracy_mm, delay_ns));
        writer.put_if(ahead_ms);
        writer.put_if(floor_age_ms);
        writer.put(heard_ns);
        if silence_mark > 0 {
            writer.put_bytes(silence_mark.to_le_bytes());
        }
        if battery_mark > 0 {
            writer.put_bytes([battery_mark]);
        }
        for digest in recent {
            writer.put_bytes(digest.to_le_bytes());
        }
        writer.finish(record)
    }

    /// The tag again, without what few have.
    pub(crate) fn unpack(record: &[u8]) -> Option<Tag> {
        let mut reader = Reader { rest: record };
        let [form, flags] = reader.take()?;
        match form {
            TAG_FORM => {}
            FLAT_TAG_FORM => return Tag::unflatten(reader, flags),
            _ => return None,
        }
        let (observed_at, position, accuracy_mm, received_at) = reader.place(flags)?;
        let Position { x_mm, y_mm, z_mm, floor } = position;
        let ahead_ms = if flags & IS_AHEAD != 0 { reader.narrow()? } else { 0 };
        let floor_age_ms = if flags & HAS_FLOOR_AGE != 0 { reader.narrow()? } else { 0 };
        let heard_ns = reader.number()?;
        let silence_mark = u32::from_le_bytes(reader.take_if(flags & HAS_CALL != 0)?);
        let [battery_mark] = reader.take_if(flags & HAS_BATTERY != 0)?;
        let recent = reader.digests()?;
        let watch = TagWatch { heard_ns, silence_mark, battery_mark, rare: None };
        Some(Tag {
            observed_at,
            received_at,
            x_mm,
            y_mm,
            z_mm,
            accuracy_mm,
            floor,
            recent,
            floor_age_ms,
            ahead_ms,
            watch,
            held: None,
        })
    }
}

impl Subject {
    /// Appends the bytes of all but what few subjects have; false if a gate is open.
    pub(crate) fn pack_rest(&self, record: &mut Vec<u8>) -> bool {
        let heard_ns = heard_ns_of(self.fix.as_ref());
        if self.gate_due.is_some() || self.occupancy.heard_ns() != heard_ns {
            return false;
        }
        let Some(settled) = self.occupancy.settled() else { return false };
        let delay_ns = heard_ns.1.checked_sub(heard_ns.0);
        let count = u8::try_from(settled.numbers().count()).ok();
        let (Some(delay_ns), Some(count)) = (delay_ns, count) else { return false };
        let flags = count << COUNT_SHIFT;
        let mut writer = Writer::new();
        if let Some(fix) = self.fix {
            let flags = flags | HAS_FIX | place_flags(&fix.position, delay_ns);
            writer.put_bytes([SUBJECT_FORM, flags]);
            writer.put_place(fix.observed_at, &fix.position, (fix.accuracy_mm, delay_ns));
            writer.put(fix.tag.0);
        } else {
            writer.put_bytes([SUBJECT_FORM, flags]);
        }
        settled.numbers().for_each(|number| writer.put(number));
        writer.finish(record)
    }

    /// The subject again, without what few have.
    pub(crate) fn unpack(record: &[u8]) -> Option<Subject> {
        let mut reader = Reader { rest: record };
        let [form, flags] = reader.take()?;
        match form {
            SUBJECT_FORM => {}
            FLAT_SUBJECT_FORM => return Subject::unflatten(reader, flags),
            _ => return None,
        }
        let mut fix = None;
        if flags & HAS_FIX != 0 {
            let (observed_at, position, accuracy_mm, received_at) = reader.place(flags)?;
            let tag = TagRef(reader.narrow()?);
            fix = Some(Fix { tag, position, accuracy_mm, observed_at, received_at });
        }
        let count = usize::from(flags >> COUNT_SHIFT);
        if count > Settled::COUNT_MAX {
            return None;
        }
        let mut numbers = [0; Settled::COUNT_MAX];
        for number in numbers.iter_mut().take(count) {
            *number = reader.narrow()?;
        }
        let settled = Settled::of_numbers(numbers.into_iter().take(count));
        let occupancy = Occupancy::wake(&settled, heard_ns_of(fix.as_ref()));
        Some(Subject { fix, occupancy, ..Subject::default() })
    }
}

fn place_flags(position: &Position, delay_ns: u64) -> u8 {
    flag(position.z_mm.is_some(), HAS_Z)
        | flag(position.floor.is_some(), HAS_FLOOR)
        | flag(delay_ns > 0, HAS_DELAY)
}

/// Room for the longest record, a tag's of 76 bytes if every number is as long as it can be, and for
/// the zeros that a short number is written with.
const WRITER_BYTES: usize = 96;

impl Writer<WRITER_BYTES> {
    fn put_place(
        &mut self,
        observed_at: Timestamp,
        position: &Position,
        (accuracy_mm, delay_ns): (u32, u64),
    ) {
        let Position { x_mm, y_mm, z_mm, floor } = *position;
        self.put_bytes(observed_at.0.to_le_bytes());
        self.put(folded(x_mm));
        self.put(folded(y_mm));
        self.put(accuracy_mm);
        if let Some(z_mm) = z_mm {
            self.put(folded(z_mm));
        }
        if let Some(floor) = floor {
            self.put(folded(i32::from(floor.0)));
        }
        if delay_ns > 0 {
            self.put(delay_ns);
        }
    }
}

/// 0, -1, 1, -2 .. as 0, 1, 2, 3 ..
fn folded(number: i32) -> u32 {
    ((number << 1) ^ (number >> 31)).cast_unsigned()
}

fn unfolded(number: u32) -> i32 {
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}

impl Reader<'_> {
    /// When it was observed, where, how exactly, and when it was received.
    fn place(&mut self, flags: u8) -> Option<(Timestamp, Position, u32, Timestamp)> {
        let observed_at = Timestamp(self.long()?);
        let (x_mm, y_mm) = (unfolded(self.narrow()?), unfolded(self.narrow()?));
        let accuracy_mm = self.narrow()?;
        let z_mm = if flags & HAS_Z != 0 { Some(unfolded(self.narrow()?)) } else { None };
        let mut floor = None;
        if flags & HAS_FLOOR != 0 {
            floor = Some(Floor(i16::try_from(unfolded(self.narrow()?)).ok()?));
        }
        let delay_ns = if flags & HAS_DELAY != 0 { self.number()? } else { 0 };
        let received_at = Timestamp(observed_at.0.checked_add(delay_ns)?);
        let position = Position { x_mm, y_mm, z_mm, floor };
        Some((observed_at, position, accuracy_mm, received_at))
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    fn tag() -> Tag {
        let watch = TagWatch {
            heard_ns: 4_000_000_000,
            silence_mark: 0x8000_0001,
            battery_mark: 81,
            rare: None,
        };
        Tag {
            observed_at: Timestamp(1_795_392_000_000_000_000),
            received_at: Timestamp(1_795_392_000_050_000_000),
            x_mm: -7,
            y_mm: 64,
            z_mm: None,
            accuracy_mm: 400,
            floor: Some(Floor(-100)),
            recent: [1, 2, 3, 0],
            floor_age_ms: 0,
            ahead_ms: 0,
            watch,
            held: None,
        }
    }

    fn subject(zones: &[u32]) -> Subject {
        let Tag { observed_at, received_at, x_mm, y_mm, z_mm, floor, accuracy_mm, .. } = tag();
        let position = Position { x_mm, y_mm, z_mm, floor };
        let fix = Fix { tag: TagRef(300), position, accuracy_mm, observed_at, received_at };
        // A watch of that number that the subject is in: flag 1.
        let settled = Settled::of_numbers(zones.iter().map(|zone| (zone << 8) | 1));
        let occupancy = Occupancy::wake(&settled, (observed_at.0, received_at.0));
        Subject { fix: Some(fix), occupancy, ..Subject::default() }
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
    }

    /// What was packed once is never read otherwise.
    #[test]
    fn the_first_forms_stay_as_they_are() {
        let (mut of_tag, mut of_subject) = (Vec::new(), Vec::new());
        assert!(tag().pack_rest(&mut of_tag) && subject(&[5, 9_999]).pack_rest(&mut of_subject));
        assert_eq!(
            hex(&of_tag),
            "01c6000094f88283ea180d80019003c70180e1eb1780d0acf30e0100008051\
             0100020003000000"
        );
        assert_eq!(hex(&of_subject), "022e000094f88283ea180d80019003c70180e1eb17ac02810a819e9c01");
    }

    #[test]
    fn any_tag_comes_back_as_it_was() {
        let seed = 11;
        println!("seed {seed}");
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut wide = |most: u64| {
            rng.random::<u64>().checked_shr(rng.random_range(0..64)).unwrap_or(0) % most
        };
        for _ in 0..5_000 {
            let half = |number: u64| u32::try_from(number & 0xffff_ffff).expect("masked");
            let observed_at = wide(u64::MAX);
            let tag = Tag {
                observed_at: Timestamp(observed_at),
                received_at: Timestamp(observed_at.saturating_add(wide(u64::MAX))),
                x_mm: half(wide(u64::MAX)).cast_signed(),
                y_mm: half(wide(u64::MAX)).cast_signed(),
                z_mm: (wide(3) > 0).then(|| half(wide(u64::MAX)).cast_signed()),
                accuracy_mm: half(wide(u64::MAX)),
                floor: (wide(3) > 0).then(|| {
                    Floor(
                        i16::MIN.wrapping_add_unsigned(u16::try_from(wide(65_536)).expect("below")),
                    )
                }),
                recent: [7, 0, u16::MAX, 256],
                floor_age_ms: half(wide(u64::MAX)),
                ahead_ms: half(wide(u64::MAX)),
                watch: TagWatch {
                    heard_ns: wide(u64::MAX),
                    silence_mark: half(wide(u64::MAX)),
                    battery_mark: u8::try_from(wide(102)).expect("below"),
                    rare: None,
                },
                held: None,
            };
            let mut record = Vec::new();
            assert!(tag.pack_rest(&mut record));
            for cut in 0..record.len() {
                assert_eq!(Tag::unpack(record.get(..cut).expect("shorter")), None, "{tag:?}");
            }
            record.extend([0, 0, 0]);
            assert_eq!(Tag::unpack(&record), Some(tag));
            assert!(Subject::unpack(&record).is_none());
        }
    }

    #[test]
    fn any_subject_comes_back_as_it_was() {
        for zones in [&[][..], &[0], &[5, 9_999], &[1, 2, 3, 900_000]] {
            let mut record = Vec::new();
            let subject = subject(zones);
            assert!(subject.pack_rest(&mut record));
            let again = Subject::unpack(&record).map(|subject| format!("{subject:?}"));
            assert_eq!(again, Some(format!("{subject:?}")));
            assert!(record.len() <= 50, "{}", record.len());
            assert!(Tag::unpack(&record).is_none());
            for cut in 0..record.len() {
                assert!(Subject::unpack(record.get(..cut).expect("shorter")).is_none());
            }
        }
        let mut record = Vec::new();
        assert!(Subject::default().pack_rest(&mut record));
        let again = Subject::unpack(&record).map(|subject| format!("{subject:?}"));
        assert_eq!(again, Some(format!("{:?}", Subject::default())));
    }

    #[test]
    fn who_has_something_open_is_not_packed() {
        let mut restless = subject(&[5]);
        restless.gate_due = std::num::NonZeroU64::new(5);
        assert!(!restless.pack_rest(&mut Vec::new()));
        for nothing in [&[][..], &[0, 0, 0], &[3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]] {
            assert!(Tag::unpack(nothing).is_none() && Subject::unpack(nothing).is_none());
        }
    }
}
