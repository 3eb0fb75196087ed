//! Tags and subjects as a checkpoint writes them: numbers as they lie in memory, whatever is open, but for
//! what few have.
//!
//! ```text
//!  tag      0      1       2    6    10         14      16            24            32        40
//!           +------+-------+----+----+----------+-------+-------------+-------------+---------+
//!           | 3    | flags | x  | y  | accuracy | floor | observed_at | received_at | heard   |
//!           +------+-------+----+----+----------+-------+-------------+-------------+---------+
//!          40        44        45              53   then, each if its flag says so:
//!           +---------+---------+---------------+ z (4), floor's age (4), ahead (4)
//!           | silence | battery | latest pings  |
//!           +---------+---------+---------------+
//!
//!  subject  0      1       2       3   of its fix, if it has one, and z (4) if that has one:
//!           +------+-------+-------+-----+----+----+----------+-------+-------------+-------------+
//!           | 4    | flags | count | tag | x  | y  | accuracy | floor | observed_at | received_at |
//!           +------+-------+-------+-----+----+----+----------+-------+-------------+-------------+
//!           then, each if its flag says so: observed (8) and received (8) of the position that it was
//!           asked with last, if not the fix's; when it is due (8), its gate (8) and a later one (8),
//!           unheard (8)
//!           then each membership: a word (8) and, if its bits 62 and 63 say so, when its tolerance ends
//!           (8) and its exit is due (8)
//! ```
//!
//! Little-endian. What a checkpoint costs is the making of a million of these beside the pings that are
//! decided, so every number has its place and hardly any is looked at; a record at rest is smaller
//! (`packed.rs`). A form is never changed: another one gets another number.

use std::num::NonZeroU64;

use ach_actors_model::{Fix, TagRef, Timestamp};
use ach_geo::{Floor, Occupancy, Position, Stance};

use crate::packed::{FLAT_SUBJECT_FORM, FLAT_TAG_FORM};
use crate::record::{Reader, Writer, flag};
use crate::tag_watch::TagWatch;
use crate::{Subject, Tag};

/// Flags of both forms.
const HAS_Z: u8 = 1;
const HAS_FLOOR: u8 = 2;
/// Flags of a tag.
const HAS_FLOOR_AGE: u8 = 4;
const IS_AHEAD: u8 = 8;
/// Flags of a subject.
const HAS_FIX: u8 = 4;
const HAS_HEARD: u8 = 8;
const HAS_DUE: u8 = 16;
const HAS_GATE: u8 = 32;
const HAS_LATER: u8 = 64;
const HAS_UNHEARD: u8 = 128;

/// Above a stance's word.
const HAS_TOLERANCE_DUE: u64 = 1 << 62;
const HAS_DELAY_DUE: u64 = 1 << 63;

/// The longest records, and eight bytes that do not count behind them.
const TAG_ROOM: usize = 65 + 8;
const SUBJECT_ROOM: usize = 185 + 8;

impl Tag {
    /// Appends the bytes of all but what few tags have; false if a ping is held.
    #[inline]
    pub(crate) fn flatten_rest(&self, record: &mut Vec<u8>) -> bool {
        let Tag { observed_at, received_at, x_mm, y_mm, z_mm, accuracy_mm, floor, .. } = *self;
        let Tag { recent, floor_age_ms, ahead_ms, ref watch, ref held, .. } = *self;
        let TagWatch { heard_ns, silence_mark, battery_mark, rare: _ } = *watch;
        if held.is_some() {
            return false;
        }
        let flags = flag(z_mm.is_some(), HAS_Z)
            | flag(floor.is_some(), HAS_FLOOR)
            | flag(floor_age_ms > 0, HAS_FLOOR_AGE)
            | flag(ahead_ms > 0, IS_AHEAD);
        let mut writer = Writer::<TAG_ROOM>::new();
        writer.put_bytes([FLAT_TAG_FORM, flags]);
        writer.put_bytes(x_mm.to_le_bytes());
        writer.put_bytes(y_mm.to_le_bytes());
        writer.put_bytes(accuracy_mm.to_le_bytes());
        writer.put_bytes(floor.map_or(0, |floor| floor.0).to_le_bytes());
        writer.put_bytes(observed_at.0.to_le_bytes());
        writer.put_bytes(received_at.0.to_le_bytes());
        writer.put_bytes(heard_ns.to_le_bytes());
        writer.put_bytes(silence_mark.to_le_bytes());
        writer.put_bytes([battery_mark]);
        for digest in recent {
            writer.put_bytes(digest.to_le_bytes());
        }
        writer.put_bytes_if(z_mm.is_some(), z_mm.unwrap_or(0).to_le_bytes());
        writer.put_bytes_if(floor_age_ms > 0, floor_age_ms.to_le_bytes());
        writer.put_bytes_if(ahead_ms > 0, ahead_ms.to_le_bytes());
        writer.finish(record)
    }

    /// The tag again, from what follows its form and flags.
    pub(crate) fn unflatten(mut reader: Reader<'_>, flags: u8) -> Option<Tag> {
        let has = |flag| flags & flag != 0;
        let (x_mm, y_mm) = (reader.int()?, reader.int()?);
        let accuracy_mm = reader.short()?;
        let floor = has(HAS_FLOOR).then_some(reader.floor()?);
        let (observed_at, received_at) = (Timestamp(reader.long()?), Timestamp(reader.long()?));
        let (heard_ns, silence_mark) = (reader.long()?, reader.short()?);
        let [battery_mark] = reader.take()?;
        let recent = reader.digests()?;
        let z_mm = i32::from_le_bytes(reader.take_if(has(HAS_Z))?);
        let z_mm = has(HAS_Z).then_some(z_mm);
        let floor_age_ms = u32::from_le_bytes(reader.take_if(has(HAS_FLOOR_AGE))?);
        let ahead_ms = u32::from_le_bytes(reader.take_if(has(IS_AHEAD))?);
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
    /// Appends the bytes of all but what few subjects have; false if it is in very many watches, or has
    /// a dwell deadline.
    #[inline]
    pub(crate) fn flatten_rest(&self, record: &mut Vec<u8>) -> bool {
        let Some(stances) = self.occupancy.stances() else { return false };
        let Ok(count) = u8::try_from(stances.len()) else { return false };
        let heard_ns = self.occupancy.heard_ns();
        let is_heard_apart = heard_ns != heard_ns_of(self.fix.as_ref());
        let due_ns = self.occupancy.next_due_ns();
        let z_mm = self.fix.and_then(|fix| fix.position.z_mm);
        let floor = self.fix.and_then(|fix| fix.position.floor);
        let flags = flag(self.fix.is_some(), HAS_FIX)
            | flag(z_mm.is_some(), HAS_Z)
            | flag(floor.is_some(), HAS_FLOOR)
            | flag(is_heard_apart, HAS_HEARD)
            | flag(due_ns.is_some(), HAS_DUE)
            | flag(self.gate_due.is_some(), HAS_GATE)
            | flag(self.gate_later.is_some(), HAS_LATER)
            | flag(self.unheard_ns > 0, HAS_UNHEARD);
        let mut writer = Writer::<SUBJECT_ROOM>::new();
        writer.put_bytes([FLAT_SUBJECT_FORM, flags, count]);
        if let Some(Fix { tag, position, accuracy_mm, observed_at, received_at }) = self.fix {
            writer.put_bytes(tag.0.to_le_bytes());
            writer.put_bytes(position.x_mm.to_le_bytes());
            writer.put_bytes(position.y_mm.to_le_bytes());
            writer.put_bytes(accuracy_mm.to_le_bytes());
            writer.put_bytes(floor.map_or(0, |floor| floor.0).to_le_bytes());
            writer.put_bytes(observed_at.0.to_le_bytes());
            writer.put_bytes(received_at.0.to_le_bytes());
            writer.put_bytes_if(z_mm.is_some(), z_mm.unwrap_or(0).to_le_bytes());
        }
        if flags & (HAS_HEARD | HAS_DUE | HAS_GATE | HAS_LATER | HAS_UNHEARD) != 0 {
            let put = |at: Option<NonZeroU64>| at.map_or(0, NonZeroU64::get).to_le_bytes();
            writer.put_bytes_if(is_heard_apart, heard_ns.0.to_le_bytes());
            writer.put_bytes_if(is_heard_apart, heard_ns.1.to_le_bytes());
            writer.put_bytes_if(due_ns.is_some(), due_ns.unwrap_or(0).to_le_bytes());
            writer.put_bytes_if(self.gate_due.is_some(), put(self.gate_due));
            writer.put_bytes_if(self.gate_later.is_some(), put(self.gate_later));
            writer.put_bytes_if(self.unheard_ns > 0, self.unheard_ns.to_le_bytes());
        }
        for Stance { word, tolerance_due_ns, delay_due_ns } in stances {
            let (has_tolerance, has_delay) =
                (tolerance_due_ns != Stance::NEVER_NS, delay_due_ns != Stance::NEVER_NS);
            let marks = if has_tolerance { HAS_TOLERANCE_DUE } else { 0 }
                | if has_delay { HAS_DELAY_DUE } else { 0 };
            writer.put_bytes((word | marks).to_le_bytes());
            writer.put_bytes_if(has_tolerance, tolerance_due_ns.to_le_bytes());
            writer.put_bytes_if(has_delay, delay_due_ns.to_le_bytes());
        }
        writer.finish(record)
    }

    /// The subject again, from what follows its form and flags.
    pub(crate) fn unflatten(mut reader: Reader<'_>, flags: u8) -> Option<Subject> {
        let has = |flag| flags & flag != 0;
        let [count] = reader.take()?;
        let fix = if has(HAS_FIX) { Some(reader.fix(flags)?) } else { None };
        let heard_ns = if has(HAS_HEARD) {
            (reader.long()?, reader.long()?)
        } else {
            heard_ns_of(fix.as_ref())
        };
        let mut long = |flag| reader.take_if(has(flag)).map(u64::from_le_bytes);
        let due_ns = has(HAS_DUE).then_some(long(HAS_DUE)?);
        let gate_due = NonZeroU64::new(long(HAS_GATE)?);
        let gate_later = NonZeroU64::new(long(HAS_LATER)?);
        let unheard_ns = long(HAS_UNHEARD)?;
        let count = usize::from(count);
        if count > Stance::COUNT_MAX {
            return None;
        }
        let nobody =
            Stance { word: 0, tolerance_due_ns: Stance::NEVER_NS, delay_due_ns: Stance::NEVER_NS };
        let mut stances = [nobody; Stance::COUNT_MAX];
        for stance in stances.iter_mut().take(count) {
            *stance = reader.stance()?;
        }
        let stances = stances.into_iter().take(count);
        let occupancy = Occupancy::of_stances(heard_ns, due_ns, stances)?;
        Some(Subject { fix, occupancy, gate_due, gate_later, unheard_ns, ..Subject::default() })
    }
}

/// When the position of a fix was observed and received; zeros without one.
pub(crate) fn heard_ns_of(fix: Option<&Fix>) -> (u64, u64) {
    fix.map_or((0, 0), |fix| (fix.observed_at.0, fix.received_at.0))
}

impl Reader<'_> {
    fn floor(&mut self) -> Option<Floor> {
        self.take().map(i16::from_le_bytes).map(Floor)
    }

    fn fix(&mut self, flags: u8) -> Option<Fix> {
        let tag = TagRef(self.short()?);
        let (x_mm, y_mm) = (self.int()?, self.int()?);
        let accuracy_mm = self.short()?;
        let floor = (flags & HAS_FLOOR != 0).then_some(self.floor()?);
        let (observed_at, received_at) = (Timestamp(self.long()?), Timestamp(self.long()?));
        let z_mm = i32::from_le_bytes(self.take_if(flags & HAS_Z != 0)?);
        let z_mm = (flags & HAS_Z != 0).then_some(z_mm);
        let position = Position { x_mm, y_mm, z_mm, floor };
        Some(Fix { tag, position, accuracy_mm, observed_at, received_at })
    }

    fn stance(&mut self) -> Option<Stance> {
        let marked = self.long()?;
        let mut due_ns = |mark| {
            let due_ns = u64::from_le_bytes(self.take_if(marked & mark != 0)?);
            Some(if marked & mark != 0 { due_ns } else { Stance::NEVER_NS })
        };
        let (tolerance_due_ns, delay_due_ns) = (due_ns(HAS_TOLERANCE_DUE)?, due_ns(HAS_DELAY_DUE)?);
        let word = marked & !(HAS_TOLERANCE_DUE | HAS_DELAY_DUE);
        Some(Stance { word, tolerance_due_ns, delay_due_ns })
    }
}

#[cfg(test)]
mod tests {
    use ach_actors_runtime::Cell;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// Numbers of all lengths.
    struct Numbers(ChaCha8Rng);

    impl Numbers {
        fn long(&mut self) -> u64 {
            self.0.random::<u64>() >> self.0.random_range(0..64)
        }

        fn short(&mut self) -> u32 {
            self.0.random::<u32>() >> self.0.random_range(0..32)
        }

        fn int(&mut self) -> i32 {
            self.short().cast_signed()
        }

        fn some<T>(&mut self, make: impl FnOnce(&mut Numbers) -> T) -> Option<T> {
            self.0.random_ratio(1, 2).then(|| make(self))
        }

        fn tag(&mut self) -> Tag {
            let watch = TagWatch {
                heard_ns: self.long(),
                silence_mark: self.short(),
                battery_mark: self.0.random_range(0..102),
                rare: None,
            };
            Tag {
                observed_at: Timestamp(self.long()),
                received_at: Timestamp(self.long()),
                x_mm: self.int(),
                y_mm: self.int(),
                z_mm: self.some(Numbers::int),
                accuracy_mm: self.short(),
                floor: self.some(|numbers| Floor(numbers.0.random())),
                recent: self.0.random(),
                floor_age_ms: self.some(Numbers::short).unwrap_or(0),
                ahead_ms: self.some(Numbers::short).unwrap_or(0),
                watch,
                held: None,
            }
        }

        fn stance(&mut self) -> Stance {
            let word = (self.0.random::<u64>() >> 8) | self.0.random_range(0..4_u64) << 56;
            let due_ns = |due_ns: Option<u64>| due_ns.unwrap_or(Stance::NEVER_NS);
            let (tolerance, delay) = (self.some(Numbers::long), self.some(Numbers::long));
            Stance { word, tolerance_due_ns: due_ns(tolerance), delay_due_ns: due_ns(delay) }
        }

        fn subject(&mut self) -> Subject {
            let fix = self.some(Numbers::tag).map(|tag| Fix {
                tag: TagRef(tag.watch.silence_mark),
                position: Position {
                    x_mm: tag.x_mm,
                    y_mm: tag.y_mm,
                    z_mm: tag.z_mm,
                    floor: tag.floor,
                },
                accuracy_mm: tag.accuracy_mm,
                observed_at: tag.observed_at,
                received_at: tag.received_at,
            });
            let heard_ns = self.some(|numbers| (numbers.long(), numbers.long()));
            let heard_ns = heard_ns.unwrap_or(heard_ns_of(fix.as_ref()));
            let due_ns = self.some(Numbers::long);
            let count = self.0.random_range(0..=Stance::COUNT_MAX);
            let stances: Vec<_> = (0..count).map(|_| self.stance()).collect();
            let occupancy = Occupancy::of_stances(heard_ns, due_ns, stances).expect("stances");
            let gate_due = self.some(Numbers::long).and_then(NonZeroU64::new);
            let gate_later = self.some(Numbers::long).and_then(NonZeroU64::new);
            let unheard_ns = self.some(Numbers::long).unwrap_or(0);
            Subject { fix, occupancy, gate_due, gate_later, unheard_ns, ..Subject::default() }
        }
    }

    /// It comes back as it was and is made alike again; cut anywhere it is nothing.
    #[track_caller]
    fn check<A: Cell + std::fmt::Debug>(actor: &A, len_max: usize) {
        let mut record = Vec::new();
        assert!(actor.flatten(&mut record), "{actor:?}");
        assert!(record.len() <= len_max, "{} bytes of {actor:?}", record.len());
        for cut in 0..record.len() {
            assert!(A::unpack(record.get(..cut).expect("shorter")).is_none(), "{actor:?}");
        }
        let with_zeros = [record.as_slice(), &[0, 0, 0]].concat();
        let again = A::unpack(&with_zeros).expect("a record");
        assert_eq!(format!("{again:?}"), format!("{actor:?}"));
        let mut made_again = Vec::new();
        assert!(again.flatten(&mut made_again));
        assert_eq!(made_again, record);
    }

    #[test]
    fn whoever_is_flattened_comes_back_whatever_is_open() {
        let seed = 23;
        println!("seed {seed}");
        let mut numbers = Numbers(ChaCha8Rng::seed_from_u64(seed));
        check(&Tag::default(), TAG_ROOM - 8);
        check(&Subject::default(), SUBJECT_ROOM - 8);
        for _ in 0..3_000 {
            check(&numbers.tag(), TAG_ROOM - 8);
            check(&numbers.subject(), SUBJECT_ROOM - 8);
        }
    }

    /// What was written once is never read otherwise.
    #[test]
    fn the_first_flat_forms_stay_as_they_are() {
        let (heard_ns, silence_mark) = (4_000_000_000, 0x8000_0001);
        let watch = TagWatch { heard_ns, silence_mark, battery_mark: 81, rare: None };
        let tag = Tag {
            observed_at: Timestamp(1_795_392_000_000_000_000),
            received_at: Timestamp(1_795_392_000_050_000_000),
            x_mm: -7,
            y_mm: 64,
            z_mm: Some(1_200),
            accuracy_mm: 400,
            floor: Some(Floor(-100)),
            recent: [1, 2, 3, 0],
            floor_age_ms: 5,
            ahead_ms: 6,
            watch,
            held: None,
        };
        let word = (3 << 56) | (1 << 32) | 9;
        let stance = Stance { word, tolerance_due_ns: 10, delay_due_ns: 11 };
        let position = Position { x_mm: -7, y_mm: 64, z_mm: Some(1_200), floor: Some(Floor(-100)) };
        let (observed_at, received_at) = (Timestamp(2), Timestamp(3));
        let fix = Fix { tag: TagRef(300), position, accuracy_mm: 400, observed_at, received_at };
        let occupancy = Occupancy::of_stances((4, 5), Some(10), [stance]).expect("a stance");
        let subject = Subject {
            fix: Some(fix),
            occupancy,
            gate_due: NonZeroU64::new(12),
            gate_later: NonZeroU64::new(13),
            unheard_ns: 14,
            ..Subject::default()
        };
        let (mut of_tag, mut of_subject) = (Vec::new(), Vec::new());
        assert!(tag.flatten(&mut of_tag) && subject.flatten(&mut of_subject));
        let hex = |bytes: &[u8]| {
            bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
        };
        assert_eq!(
            hex(&of_tag),
            "030ff9ffffff40000000900100009cff000094f88283ea1880f08efb8283ea1800286bee00000000\
             01000080510100020003000000b00400000500000006000000"
        );
        assert_eq!(
            hex(&of_subject),
            "04ff012c010000f9ffffff40000000900100009cff02000000000000000300000000000000b00400\
             00040000000000000005000000000000000a000000000000000c000000000000000d000000000000\
             000e0000000000000009000000010000c30a000000000000000b00000000000000"
        );
    }

    #[test]
    fn who_has_what_few_have_is_not_flattened() {
        let mut alarmed = Tag::default();
        alarmed.watch.rare = Some(Box::default());
        assert!(!alarmed.flatten(&mut Vec::new()));
        let paired = Subject { company: crate::company::Company::of_two(), ..Subject::default() };
        assert!(!paired.flatten(&mut Vec::new()));
        for nothing in [&[3, 0][..], &[4, 0, 5], &[4, 0, 1, 0, 0, 0, 0, 0, 0, 0, 4]] {
            assert!(Tag::unpack(nothing).is_none() && Subject::unpack(nothing).is_none());
        }
    }
}
