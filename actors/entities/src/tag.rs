//! A tag: orders its pings, doubts its jumps, and alarms for itself.
//!
//! ```text
//!           plausible from the latest fix
//!   ping ------------------------------------> fix, a held ping is dropped
//!     |  not plausible, or another floor
//!     v
//!   held --- next ping plausible from it ----> both become fixes, the jump is confirmed
//!     |----- next ping plausible from the fix > dropped
//!     |----- neither ------------------------> the next ping is held too
//!     '----- neither, the third in a row ----> all three become fixes, the jump is confirmed
//! ```
//!
//! Three pings in a row that are far from the fix and from each other are somebody who moves
//! faster than his class should: who runs out with a child in his arms must not be invisible
//! until he stops.
//!
//! Battery, band, button and silence alarm under the rules of the subject the tag is on; a tag on
//! nobody is under the rules for everybody, silence excepted.

use ach_actors_model::{Cause, EntityRef, Fix, NS_PER_MS, Ping, TagRef, Timestamp};
use ach_geo::{Floor, Position};
use serde::{Deserialize, Serialize};

use crate::tag_watch::TagWatch;
use crate::{Arrival, DeadlineKind, Message, MessageBody, Outbox, Site, Turn, Verdict};

/// Pings remembered to tell repeated ones from late ones.
pub(crate) const RECENT_COUNT: usize = 4;
/// Added to what speed and accuracies allow: clocks of anchors and tags differ by some ten
/// milliseconds, and a still tag's positions wander by some decimetres.
const JUMP_SLACK_MM: u64 = 500;
/// Taken for an accuracy that is not told: a metre is usual where none is told.
pub(crate) const ACCURACY_UNKNOWN_MM: u32 = 1_000;
/// A floor is believed for this long without being told again: about a ride in a lift, after which
/// a person may be anywhere.
pub(crate) const FLOOR_MEMORY_MS: u32 = 60_000;

/// The state of one tag. Small, because there are a million; what few tags have is boxed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tag {
    pub(crate) observed_at: Timestamp,
    /// 0 before the first fix.
    pub(crate) received_at: Timestamp,
    pub(crate) x_mm: i32,
    pub(crate) y_mm: i32,
    pub(crate) z_mm: Option<i32>,
    pub(crate) accuracy_mm: u32,
    pub(crate) floor: Option<Floor>,
    /// Digests of the latest pings, the newest first; 0 is none.
    pub(crate) recent: [u16; RECENT_COUNT],
    /// How old the knowledge of the floor was at the latest fix.
    pub(crate) floor_age_ms: u32,
    /// How far ahead of its arrival the latest ping was stamped, rounded up.
    pub(crate) ahead_ms: u32,
    /// Battery, band, button and silence.
    pub(crate) watch: TagWatch,
    pub(crate) held: Option<Box<Held>>,
}

/// Pings that are too far from the latest fix, and from each other, to be believed alone: at most
/// two, for a third in a row is believed with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Held {
    latest: Heard,
    former: Option<Heard>,
}

/// A ping as far as it can be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Heard {
    position: Position,
    accuracy_mm: u32,
    observed_at: Timestamp,
    received_at: Timestamp,
    cause: Cause,
}

/// Where and when a ping was, as far as it can be believed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sight<'a> {
    pub(crate) position: &'a Position,
    pub(crate) accuracy_mm: u32,
    pub(crate) observed_at: Timestamp,
}

/// What a believed sight makes of its tag.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NextPlace {
    pub(crate) position: Position,
    pub(crate) accuracy_mm: u32,
    pub(crate) observed_at: Timestamp,
    pub(crate) received_at: Timestamp,
    pub(crate) floor_age_ms: u32,
}

/// What a tag can be told.
#[derive(Debug, Clone, Copy)]
pub enum TagInput<'a> {
    /// It was located.
    Ping {
        /// Where and when.
        ping: &'a Ping,
        /// When the session had decoded it, by shard time.
        received_at: Timestamp,
        /// Which input it was.
        cause: Cause,
    },
    /// Its duress button was pressed.
    ButtonPressed(Arrival),
    /// Its duress button was reset.
    ButtonReset(Arrival),
    /// Its band was cut, or it was tampered with.
    BandCut(Arrival),
    /// Its band is whole again.
    BandWhole(Arrival),
    /// Somebody says that its band may be off until then.
    BandOff {
        /// When that is over.
        until: Timestamp,
    },
    /// Somebody says that its band is on.
    BandOn,
    /// One of its deadlines is due.
    Due {
        /// What for.
        kind: DeadlineKind,
        /// When it was due.
        due_at: Timestamp,
    },
    /// Another version of the site is in force: it is `turn.site`.
    SiteChanged {
        /// The one before.
        old: &'a Site,
    },
}

impl Tag {
    /// Takes one input.
    pub fn step(
        &mut self,
        me: TagRef,
        input: TagInput<'_>,
        turn: &Turn<'_>,
        out: &mut Outbox,
    ) -> Verdict {
        match input {
            TagInput::Ping { ping, received_at, cause } => {
                self.hear(me, ping, received_at, cause, turn, out)
            }
            TagInput::ButtonPressed(arrival) => {
                let at = self.place();
                self.watch.press(me, &arrival, at, turn, out)
            }
            TagInput::ButtonReset(arrival) => self.watch.reset(me, &arrival, turn, out),
            TagInput::BandCut(arrival) => {
                let at = self.place();
                self.watch.cut(me, &arrival, at, turn, out)
            }
            TagInput::BandWhole(arrival) => self.watch.mend(me, &arrival, turn, out),
            TagInput::BandOff { until } => {
                let at = self.place();
                self.watch.take_off(me, until, at, turn, out);
                Verdict::Accepted
            }
            TagInput::BandOn => {
                let at = self.place();
                self.watch.put_on(me, at, turn, out);
                Verdict::Accepted
            }
            TagInput::Due { kind, due_at } => {
                let at = self.place();
                self.watch.fall_due(me, kind, due_at, at, turn, out);
                Verdict::Accepted
            }
            TagInput::SiteChanged { old } => {
                let at = self.place();
                self.watch.change_site(me, old, at, turn, out);
                if turn.site.tag_plan(me).is_none() {
                    let watch = std::mem::take(&mut self.watch);
                    *self = Tag { watch, ..Tag::default() };
                }
                Verdict::Accepted
            }
        }
    }

    /// Its latest accepted fix.
    pub fn fix(&self, me: TagRef) -> Option<Fix> {
        let (position, accuracy_mm) = self.place()?;
        let (observed_at, received_at) = (self.observed_at, self.received_at);
        Some(Fix { tag: me, position, accuracy_mm, observed_at, received_at })
    }

    /// Where its latest fix was, and how exact that is.
    fn place(&self) -> Option<(Position, u32)> {
        let position =
            Position { x_mm: self.x_mm, y_mm: self.y_mm, z_mm: self.z_mm, floor: self.floor };
        (self.received_at.0 > 0).then_some((position, self.accuracy_mm))
    }

    fn hear(
        &mut self,
        me: TagRef,
        ping: &Ping,
        received_at: Timestamp,
        cause: Cause,
        turn: &Turn<'_>,
        out: &mut Outbox,
    ) -> Verdict {
        let Some(plan) = turn.site.tag_plan(me) else { return Verdict::Refused };
        let digest = digest(ping);
        if let Some(verdict) = self.known(ping, digest, received_at) {
            if verdict == Verdict::Late {
                self.watch.hear_late(me, plan, turn, out);
            }
            return verdict;
        }
        self.remember(digest);
        self.ahead_ms = ahead_ms(ping.observed_at, received_at);
        let heard = Heard {
            position: ping.position,
            accuracy_mm: ping.accuracy_mm,
            observed_at: ping.observed_at.min(received_at),
            received_at,
            cause,
        };
        let at = Some((ping.position, ping.accuracy_mm));
        self.watch.hear(me, plan, ping.battery_percent, &heard.arrival(), at, turn, out);
        let limit_mm_per_s = plan.speed_limit_mm_per_s;
        if self.received_at.0 == 0 || self.follows(&heard.sight(), limit_mm_per_s) {
            self.held = None;
            self.accept(me, &heard, false, turn, out);
        } else {
            self.doubt(me, &heard, limit_mm_per_s, turn, out);
        }
        Verdict::Accepted
    }

    /// Holds a ping that is far from the latest fix, or believes it with those that are held.
    fn doubt(
        &mut self,
        me: TagRef,
        heard: &Heard,
        limit_mm_per_s: u32,
        turn: &Turn<'_>,
        out: &mut Outbox,
    ) {
        let Some(mut held) = self.held.take() else {
            self.held = Some(Box::new(Held { latest: *heard, former: None }));
            return;
        };
        let is_borne_out = held.latest.bears_out(heard, limit_mm_per_s);
        if !is_borne_out && held.former.is_none() {
            *held = Held { latest: *heard, former: Some(held.latest) };
            self.held = Some(held);
            return;
        }
        if let Some(former) = held.former.filter(|_| !is_borne_out) {
            self.accept(me, &former, true, turn, out);
        }
        self.accept(me, &held.latest, true, turn, out);
        self.accept(me, heard, true, turn, out);
    }

    /// What a ping is that tells nothing new: seen before, or older than what is known.
    ///
    /// A ping of the same moment keeps what is there (omlox hub API 2.0.0). Of new pings whose clock
    /// is ahead only the order of arrival is known, for such a clock may be put right; but one that
    /// is sent again is known by its stamp, however old it is.
    fn known(&self, ping: &Ping, digest: u16, received_at: Timestamp) -> Option<Verdict> {
        if self.received_at.0 == 0 {
            return None;
        }
        let latest_at = self.held.as_ref().map_or(self.observed_at, |held| held.latest.observed_at);
        let latest_stamp = latest_at.plus_ns(u64::from(self.ahead_ms) * NS_PER_MS);
        if ping.observed_at <= latest_stamp && self.recent.contains(&digest) {
            return Some(Verdict::Duplicate);
        }
        let is_late = if ping.observed_at > received_at {
            received_at < latest_at
        } else {
            ping.observed_at <= latest_at
        };
        is_late.then_some(Verdict::Late)
    }

    /// Whether a ping can come from where the tag was: no faster than its subject can be, and on
    /// the same floor, as far as it tells one and the old one is not forgotten.
    pub(crate) fn follows(&self, sight: &Sight<'_>, limit_mm_per_s: u32) -> bool {
        let Sight { position, accuracy_mm, observed_at } = *sight;
        let passed_ns = observed_at.since_ns(self.observed_at);
        let is_floor_known =
            self.floor_age_ms.saturating_add(whole_ms(passed_ns)) < FLOOR_MEMORY_MS;
        let floor_agrees = match (self.floor, position.floor) {
            (Some(ours), Some(theirs)) => ours == theirs || !is_floor_known,
            _ => true,
        };
        let accuracies = (self.accuracy_mm, accuracy_mm);
        let reach_mm = reach_mm(passed_ns, limit_mm_per_s, accuracies);
        floor_agrees && is_within((self.x_mm, self.y_mm), position, reach_mm)
    }

    fn accept(
        &mut self,
        me: TagRef,
        heard: &Heard,
        is_jump_confirmed: bool,
        turn: &Turn<'_>,
        out: &mut Outbox,
    ) {
        let next = self.next_place(&heard.sight(), heard.received_at, turn);
        self.be_at(&next);
        let Some(subject) = turn.site.tag_subject(me) else { return };
        let Some(fix) = self.fix(me) else { return };
        let body = MessageBody::Fix { fix, is_jump_confirmed };
        let to = EntityRef::Subject(subject);
        out.messages.push_back(Message { to, cause: heard.cause, body });
    }
}

impl Tag {
    /// Where a believed sight puts the tag: where it was seen, on the floor it told, or else on the
    /// site's only one, or for a while on the last one told.
    #[inline]
    pub(crate) fn next_place(
        &self,
        sight: &Sight<'_>,
        received_at: Timestamp,
        turn: &Turn<'_>,
    ) -> NextPlace {
        let Sight { position, accuracy_mm, observed_at } = *sight;
        let told = position.floor.or(turn.site.only_floor());
        let (floor, floor_age_ms) = if told.is_some() {
            (told, 0)
        } else {
            let passed_ms = whole_ms(observed_at.since_ns(self.observed_at));
            let age_ms = self.floor_age_ms.saturating_add(passed_ms);
            (self.floor.filter(|_| age_ms < FLOOR_MEMORY_MS), age_ms)
        };
        let position = Position { floor, ..*position };
        NextPlace { position, accuracy_mm, observed_at, received_at, floor_age_ms }
    }

    /// It is there now.
    #[inline]
    pub(crate) fn be_at(&mut self, next: &NextPlace) {
        let Position { x_mm, y_mm, z_mm, floor } = next.position;
        (self.x_mm, self.y_mm, self.z_mm, self.floor) = (x_mm, y_mm, z_mm, floor);
        self.accuracy_mm = next.accuracy_mm;
        self.observed_at = next.observed_at;
        self.received_at = next.received_at;
        self.floor_age_ms = next.floor_age_ms;
    }

    /// Remembers a ping, to know it when it is sent again.
    #[inline]
    pub(crate) fn remember(&mut self, digest: u16) {
        let [newest, next, third, _] = self.recent;
        self.recent = [digest, newest, next, third];
    }
}

impl Heard {
    fn sight(&self) -> Sight<'_> {
        let Heard { position, accuracy_mm, observed_at, .. } = self;
        Sight { position, accuracy_mm: *accuracy_mm, observed_at: *observed_at }
    }

    fn arrival(&self) -> Arrival {
        let Heard { observed_at, received_at, cause, .. } = *self;
        Arrival { observed_at, received_at, cause }
    }

    /// Whether the next ping is near this one, and on the same floor.
    fn bears_out(&self, next: &Heard, limit_mm_per_s: u32) -> bool {
        let passed_ns = next.observed_at.since_ns(self.observed_at);
        let accuracies = (self.accuracy_mm, next.accuracy_mm);
        let reach_mm = reach_mm(passed_ns, limit_mm_per_s, accuracies);
        self.position.floor == next.position.floor
            && is_within((self.position.x_mm, self.position.y_mm), &next.position, reach_mm)
    }
}

/// How far a subject can be after a time, given how exact both positions are.
fn reach_mm(passed_ns: u64, limit_mm_per_s: u32, accuracies_mm: (u32, u32)) -> u64 {
    let known = |accuracy_mm: u32| {
        u64::from(if accuracy_mm == 0 { ACCURACY_UNKNOWN_MM } else { accuracy_mm })
    };
    // Whole milliseconds: a millimetre at most is lost at a metre a millisecond.
    let moved_mm = (passed_ns / NS_PER_MS).saturating_mul(u64::from(limit_mm_per_s)) / 1_000;
    moved_mm
        .saturating_add(known(accuracies_mm.0))
        .saturating_add(known(accuracies_mm.1))
        .saturating_add(JUMP_SLACK_MM)
}

/// Whether a position is at most `reach_mm` away.
fn is_within(from_mm: (i32, i32), position: &Position, reach_mm: u64) -> bool {
    let across_mm = u64::from(from_mm.0.abs_diff(position.x_mm));
    let along_mm = u64::from(from_mm.1.abs_diff(position.y_mm));
    // Squares of 32 bit numbers; their sum saturates beyond any reach that matters.
    let squares = (across_mm * across_mm).saturating_add(along_mm * along_mm);
    squares <= reach_mm.saturating_mul(reach_mm)
}

/// How far a stamp is ahead of its arrival; mostly not at all.
fn ahead_ms(observed_at: Timestamp, received_at: Timestamp) -> u32 {
    if observed_at <= received_at {
        return 0;
    }
    whole_ms(observed_at.since_ns(received_at)).saturating_add(1)
}

pub(crate) fn whole_ms(ns: u64) -> u32 {
    u32::try_from(ns / NS_PER_MS).unwrap_or(u32::MAX)
}

/// Sixteen bits of a ping: moment, place, accuracy and battery. Never 0. Only asked where the
/// moments already agree with a repetition, so a chance hit merely counts a late ping as duplicate.
pub(crate) fn digest(ping: &Ping) -> u16 {
    let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut mix = |word: u64| {
        state = (state ^ word).wrapping_mul(0xff51_afd7_ed55_8ccd);
        state ^= state >> 32;
    };
    let position = &ping.position;
    mix(ping.observed_at.0);
    let (x_mm, y_mm) = (position.x_mm.cast_unsigned(), position.y_mm.cast_unsigned());
    mix((u64::from(x_mm) << 32) | u64::from(y_mm));
    let z_mm = position.z_mm.map_or(1 << 32, |z_mm| u64::from(z_mm.cast_unsigned()));
    let floor = position.floor.map_or(1 << 16, |floor| u64::from(floor.0.cast_unsigned()));
    mix(z_mm ^ (floor << 34));
    let battery = u64::from(ping.battery_percent.map_or(u8::MAX, |percent| percent));
    mix((u64::from(ping.accuracy_mm) << 8) | battery);
    let folded = state ^ (state >> 16);
    u16::try_from(folded & 0xffff).unwrap_or(u16::MAX).max(1)
}
