//! The tags of one subject: which of them speaks for it.
//!
//! One tag speaks, and goes on speaking. Two tags on one body say the same, so it does not matter
//! which; two that contradict each other are not on one body, and a subject that followed both
//! would leave and come back with every ping. The one that moves is worn:
//!
//! ```text
//!   speaks ---- another walks while it stays, or --------> left, if they are apart
//!          ---- another is heard beside where it fell
//!               silent, or is much more accurate,
//!               or it has been lost for long ------------> listens
//!   listens --- the speaker walks away from it ----------> left
//!   left ------ beside the speaker again ----------------> listens
//!          '--- walks while the speaker stays -----------> speaks
//! ```
//!
//! What lies still while another walks, a band that was cut off or a spare tag in a drawer, has
//! nothing to say until it moves itself.

use ach_actors_model::{Fix, NS_PER_S, SubjectRef, TagRef};
use ach_geo::Floor;
use serde::{Deserialize, Serialize};

use crate::Site;
use crate::tag::ACCURACY_UNKNOWN_MM;

/// A position this many times less accurate than another is much less accurate.
const MUCH_LESS_ACCURATE: u32 = 4;
/// Beyond what both positions may be wrong by, so far apart are two tags that are not on one body,
/// and so far goes one that walks: from a bed to its door.
const APART_MM: u64 = 3_000;
/// A speaker not heard for this long gives way to a tag beside it: three pings of a tag that sends
/// one a second.
const STALE_NS: u64 = 3 * NS_PER_S;
/// One not heard for this long gives way to any that may be worn. Tags that send this seldom and
/// contradict each other without either moving cannot be told apart.
const LOST_NS: u64 = 30 * NS_PER_S;

/// The tags of a subject but the one that speaks, as far as they were heard. One word; most
/// subjects have one tag.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub(crate) struct Company {
    /// Bounded by the tags on the subject.
    #[expect(clippy::box_collection, reason = "one word in every subject instead of three")]
    others: Option<Box<Vec<Other>>>,
}

/// A tag that does not speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Other {
    tag: TagRef,
    /// Where it was, and where the speaker was, when they were last compared.
    from: Spot,
    speaker_from: Spot,
    /// It stayed where it was while the speaker walked away.
    is_left: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Spot {
    x_mm: i32,
    y_mm: i32,
    floor: Option<Floor>,
    accuracy_mm: u32,
}

/// What a fix is to its subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Voice {
    /// Nothing: its tag does not speak.
    Unheard,
    /// The next position.
    Follows,
    /// The next position, but far from the last one, which another tag told.
    Leaps,
}

impl Company {
    /// Whether no other tag was heard.
    pub(crate) fn is_empty(&self) -> bool {
        self.others.is_none()
    }

    /// Takes a fix of a tag that does not speak; `speaker` is the fix in force.
    pub(crate) fn hear(&mut self, fix: &Fix, speaker: &Fix) -> Voice {
        let (here, there) = (Spot::of(fix), Spot::of(speaker));
        let others = self.others.get_or_insert_default();
        let known = others.iter().position(|other| other.tag == fix.tag);
        let place = known.unwrap_or(others.len());
        if known.is_none() {
            others.push(Other { tag: fix.tag, from: here, speaker_from: there, is_left: false });
        }
        let Some(other) = others.get_mut(place) else { return Voice::Unheard };
        if !other.takes_over(fix, speaker) {
            return Voice::Unheard;
        }
        let is_apart = here.is_apart(&there);
        let is_left = is_apart && here.is_apart(&other.from);
        *other = Other { tag: speaker.tag, from: there, speaker_from: here, is_left };
        for other in others.iter_mut() {
            other.speaker_from = here;
        }
        if is_apart { Voice::Leaps } else { Voice::Follows }
    }

    /// A tag speaks because the one that spoke was taken off.
    pub(crate) fn succeed(&mut self, tag: TagRef) {
        self.retain(|other| other.tag != tag);
    }

    /// Forgets tags that are on the subject no more.
    pub(crate) fn change_site(&mut self, me: SubjectRef, site: &Site) {
        self.retain(|other| site.tag_subject(other.tag) == Some(me));
    }

    fn retain(&mut self, keeps: impl Fn(&Other) -> bool) {
        if let Some(others) = &mut self.others {
            others.retain(keeps);
            if others.is_empty() {
                self.others = None;
            }
        }
    }
}

impl Other {
    /// Compares its new fix with the speaker's latest, and tells whether it speaks from now on.
    fn takes_over(&mut self, fix: &Fix, speaker: &Fix) -> bool {
        let (here, there) = (Spot::of(fix), Spot::of(speaker));
        let is_apart = here.is_apart(&there);
        let is_walking = here.is_apart(&self.from);
        self.is_left &= is_apart;
        // Twice as far: of two on one body, the one heard last seems to have gone a little further.
        if is_walking && here.square_mm(&self.from) / 4 >= there.square_mm(&self.speaker_from) {
            return true;
        }
        if there.is_apart(&self.speaker_from) {
            self.is_left = is_apart && !is_walking;
            (self.from, self.speaker_from) = (here, there);
        }
        if self.is_left {
            return false;
        }
        let lost_ns = fix.observed_at.since_ns(speaker.observed_at);
        let is_beside = !is_apart && !is_much_less_accurate(fix, speaker);
        is_much_less_accurate(speaker, fix)
            || (lost_ns >= STALE_NS && is_beside)
            || lost_ns >= LOST_NS
    }
}

/// An accuracy of 0 is unknown, and compared with nothing.
fn is_much_less_accurate(one: &Fix, other: &Fix) -> bool {
    let limit_mm = other.accuracy_mm.saturating_mul(MUCH_LESS_ACCURATE);
    other.accuracy_mm > 0 && one.accuracy_mm > limit_mm
}

impl Spot {
    fn of(fix: &Fix) -> Spot {
        let position = &fix.position;
        Spot {
            x_mm: position.x_mm,
            y_mm: position.y_mm,
            floor: position.floor,
            accuracy_mm: if fix.accuracy_mm == 0 { ACCURACY_UNKNOWN_MM } else { fix.accuracy_mm },
        }
    }

    /// Whether it is further from another than two positions of one body are.
    fn is_apart(&self, other: &Spot) -> bool {
        let reach_mm = APART_MM + u64::from(self.accuracy_mm) + u64::from(other.accuracy_mm);
        self.square_mm(other) > reach_mm * reach_mm
    }

    /// The square of the distance; on another floor, more than any.
    fn square_mm(&self, other: &Spot) -> u64 {
        let is_other_floor = matches!((self.floor, other.floor), (Some(a), Some(b)) if a != b);
        if is_other_floor {
            return u64::MAX;
        }
        let across_mm = u64::from(self.x_mm.abs_diff(other.x_mm));
        let along_mm = u64::from(self.y_mm.abs_diff(other.y_mm));
        // Squares of 32 bit numbers; their sum saturates beyond any distance on a site.
        (across_mm * across_mm).saturating_add(along_mm * along_mm)
    }
}
