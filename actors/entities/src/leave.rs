//! Leave to open a door: passes that were given, and the lock that was drawn back.

use ach_actors_model::{BadgeRef, DoorEvidence, LockMark, NS_PER_MS, PassMark, Timestamp};
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::{Site, Verdict};

/// How much later than the opening a pass or a lock may be stamped and still cover it: reader, lock
/// and position switch are stamped by different boards of one controller, some tens of
/// milliseconds apart, and nobody opens a door and shows his card within that time.
pub(crate) const SKEW_NS: u64 = 100 * NS_PER_MS;
/// The longest a pass is believed to be valid: an hour is more than any reader or button gives, and
/// what a vendor sends by mistake (a `u32` of milliseconds is 49 days) must not leave a door
/// unwatched for weeks. A door that is free for longer has its lock drawn back.
const PASS_MS_MAX: u32 = 3_600_000;
/// Passes remembered, the newest and those that end last: more are not valid at once at one door.
const PASS_COUNT_MAX: usize = 8;
/// Turns of the lock remembered, the latest: they are asked about openings that are told late.
const LOCK_TURN_COUNT_MAX: usize = 8;
/// Those of either that need no memory of their own: most doors have one or two.
const INLINE_COUNT: usize = 2;

/// What is known of the leave to open one door.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Leave {
    /// Ascending.
    passes: SmallVec<[Pass; INLINE_COUNT]>,
    /// Ascending by moment.
    lock_turns: SmallVec<[LockTurn; INLINE_COUNT]>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Pass {
    from: Timestamp,
    until: Timestamp,
    /// A request to exit, and no grant.
    is_request: bool,
    /// Whose badge a grant was given to.
    badge: Option<BadgeRef>,
}

/// A pass as it is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PassGiven {
    pub(crate) valid_ms: u32,
    /// A request to exit, and no grant.
    pub(crate) is_request: bool,
    /// The badge a grant was given to, if that is known.
    pub(crate) badge: Option<BadgeRef>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct LockTurn {
    at: Timestamp,
    is_drawn_back: bool,
    /// Until when passes hold that follow each other from then on, of a lock that drew back for one. The passes
    /// themselves are forgotten sooner.
    passed_until: Option<Timestamp>,
}

impl PassGiven {
    pub(crate) fn grant(valid_ms: u32, badge: Option<BadgeRef>) -> PassGiven {
        PassGiven { valid_ms, is_request: false, badge }
    }

    pub(crate) fn request(valid_ms: u32) -> PassGiven {
        PassGiven { valid_ms, is_request: true, badge: None }
    }
}

impl Leave {
    /// When a pass is over.
    pub(crate) fn end_of(from: Timestamp, valid_ms: u32) -> Timestamp {
        from.plus_ns(u64::from(valid_ms.min(PASS_MS_MAX)) * NS_PER_MS)
    }

    /// From when until when the passes are valid that are remembered.
    pub(crate) fn passes(&self) -> impl Iterator<Item = (Timestamp, Timestamp)> + '_ {
        self.passes.iter().map(|pass| (pass.from, pass.until))
    }

    /// A pass was given.
    pub(crate) fn give(&mut self, from: Timestamp, given: PassGiven) -> Verdict {
        let PassGiven { valid_ms, is_request, badge } = given;
        let pass = Pass { from, until: Leave::end_of(from, valid_ms), is_request, badge };
        if self.passes.contains(&pass) {
            return Verdict::Duplicate;
        }
        if self.passes.len() >= PASS_COUNT_MAX {
            let first_over = (0..).zip(&self.passes).min_by_key(|(_, pass)| pass.until);
            if let Some((at, _)) = first_over {
                self.passes.remove(at);
            }
        }
        let place = self.passes.partition_point(|known| *known < pass);
        let is_late = place < self.passes.len();
        self.passes.insert(place, pass);
        let passes = &self.passes;
        for turn in self.lock_turns.iter_mut().filter(|turn| turn.is_drawn_back) {
            let held_until = turn.passed_until;
            turn.passed_until = ends_after(passes, held_until.unwrap_or(turn.at)).or(held_until);
        }
        if is_late { Verdict::Late } else { Verdict::Accepted }
    }

    /// The lock has turned.
    pub(crate) fn turn_lock(&mut self, is_drawn_back: bool, at: Timestamp) {
        if self.lock_turns.len() >= LOCK_TURN_COUNT_MAX {
            self.lock_turns.remove(0);
        }
        let place = self.lock_turns.partition_point(|turn| turn.at <= at);
        let passed_until = self.ends_after(at).filter(|_| is_drawn_back);
        self.lock_turns.insert(place, LockTurn { at, is_drawn_back, passed_until });
    }

    /// Whether a door that opened at this moment was opened with leave.
    pub(crate) fn covers(&self, opened_at: Timestamp) -> bool {
        let is_good = |pass: &Pass| is_good((pass.from, pass.until), opened_at, opened_at);
        self.passes.iter().any(is_good) || self.is_back_within((opened_at, opened_at), |_| true)
    }

    /// When the last of the passes ends that hold from a moment on without a gap, if one does.
    pub(crate) fn ends_after(&self, at: Timestamp) -> Option<Timestamp> {
        ends_after(&self.passes, at)
    }

    /// What was known by the time of an opening: the last of each that could have been leave.
    pub(crate) fn evidence(&self, opened_at: Timestamp, site: &Site) -> DoorEvidence {
        let latest = opened_at.plus_ns(SKEW_NS);
        let last = |is_request: bool| {
            let mut given = self.passes.iter().filter(|pass| pass.is_request == is_request);
            given.rfind(|pass| pass.from <= latest)
        };
        let mark = |pass: &Pass| PassMark { at: pass.from, until: pass.until };
        let lock = self.lock_turns.iter().rfind(|turn| turn.at <= latest);
        DoorEvidence {
            granted: last(false).map(mark),
            requested: last(true).map(mark),
            lock: lock.map(|turn| LockMark { at: turn.at, is_drawn_back: turn.is_drawn_back }),
            near: Vec::new(),
            granted_to: last(false).and_then(|pass| site.badge_subject(pass.badge?)),
        }
    }

    /// Whether anybody may go through who did between two moments, in an opening that began when it did: the
    /// lock was drawn back, and by no pass that was valid then, nor by passes that follow each other without a
    /// gap. Many controllers tell of each grant that the lock draws back for it, and that is leave for one; of a
    /// second grant while it is still back they tell nothing new.
    pub(crate) fn is_free_at(
        &self,
        opened_at: Timestamp,
        since_and_at: (Timestamp, Timestamp),
    ) -> bool {
        self.is_back_within(since_and_at, |turn| {
            turn.passed_until.is_none_or(|end| end < opened_at)
        })
    }

    /// Whether the lock had drawn back by the later of two moments, in a way that counts, and not thrown again
    /// by the earlier.
    fn is_back_within(
        &self,
        (since, at): (Timestamp, Timestamp),
        counts: impl Fn(&LockTurn) -> bool,
    ) -> bool {
        let thrown_at = self.lock_turns.iter().skip(1).map(|turn| Some(turn.at)).chain([None]);
        self.lock_turns.iter().zip(thrown_at).any(|(turn, next_at)| {
            let holds_on = next_at.is_none_or(|next_at| since <= next_at);
            turn.is_drawn_back && turn.at <= at.plus_ns(SKEW_NS) && holds_on && counts(turn)
        })
    }
}

/// Whether a pass, valid from one moment until another, is good for who is through at a moment, in an opening
/// that began when it did.
pub(crate) fn is_good(
    (from, until): (Timestamp, Timestamp),
    opened_at: Timestamp,
    at: Timestamp,
) -> bool {
    opened_at <= until && from <= at.plus_ns(SKEW_NS)
}

/// See [`Leave::ends_after`].
fn ends_after(passes: &[Pass], at: Timestamp) -> Option<Timestamp> {
    let ends = |at: Timestamp| {
        let holding = passes.iter().filter(|pass| is_good((pass.from, pass.until), at, at));
        holding.map(|pass| pass.until).max()
    };
    // One pass after the other, where the next begins before the last has ended.
    let mut last = ends(at)?;
    while let Some(next) = ends(last).filter(|next| *next > last) {
        last = next;
    }
    Some(last)
}
