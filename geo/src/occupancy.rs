//! Turns a sequence of positions into crossings.
//!
//! A tag beside a wall jitters by its accuracy, so a plain inside or outside test would flap. Each
//! watch has its [`Gates`](crate::Gates); the words and the order of things follow the omlox hub API
//! 2.0.0: entry is at once unless gates say otherwise, an exit runs up to three deadlines of which
//! the first wins, and they fall due without a further position.

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::bounds::Bounds;
use crate::box_cutter::BoxCutter;
use crate::crossing::{Crossing, gate};
use crate::frame::Frame;
use crate::membership::{Heard, Membership, NEVER_NS, Outcome, Standing};
use crate::post::Post;
use crate::safe_box::SafeBox;
use crate::stay::Stays;
use crate::sweep::{Fence, Found, Sweep};
use crate::{Position, WatchIndex};

/// Memberships kept in place: most movers are in a room, a ward, a floor and a building.
pub(crate) const INLINE_COUNT: usize = 4;

/// What one mover is in or seems to enter.
pub(crate) type Members = SmallVec<[Membership; INLINE_COUNT]>;

/// A position, how good it is, and when it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Observation {
    /// Where.
    pub position: Position,
    /// Radius of the circle that holds the mover; 0 is unknown and counts as a point.
    pub accuracy_mm: u32,
    /// When it was measured; not after `received_at_ns`.
    pub observed_at_ns: u64,
    /// When it was accepted, by the clock that [`Occupancy::expire`] is called with.
    pub received_at_ns: u64,
}

/// How a position was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lookup {
    /// From the safe box: towards every watch the mover stands as it stood, so that only what
    /// counts positions can have changed, and the straight path from the position before crosses no
    /// line of the index.
    SafeBox,
    /// From the index.
    Index,
}

/// A watch that a mover is in, or seems to enter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Presence {
    /// The watch's key.
    pub watch: u32,
    /// Whether it is in; otherwise there is only evidence of entry.
    pub is_in: bool,
    /// Whether an entry or an exit is suspected.
    pub is_suspected: bool,
    /// Whether it has been in for the dwell time of this stay.
    pub has_dwelled: bool,
}

/// The watches one mover is in, and what is open between it and them.
///
/// Always used with the same index; [`rebase`](Occupancy::rebase) carries it to another. The owner
/// feeds positions in the order of their observation and calls [`expire`](Occupancy::expire) as
/// [`next_due_ns`](Occupancy::next_due_ns) tells. Deterministic: integers only, no clock. 168 bytes,
/// heap only for more than four watches at once and for dwell deadlines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Occupancy {
    /// A cache: what is stored goes without, and finds it anew.
    #[serde(skip)]
    safe_box: SafeBox,
    heard: Heard,
    /// The first deadline of all.
    deadline_ns: u64,
    /// By ordinal.
    members: Members,
    stays: Stays,
}

impl Default for Occupancy {
    fn default() -> Occupancy {
        Occupancy {
            safe_box: SafeBox::NONE,
            heard: Heard::default(),
            deadline_ns: NEVER_NS,
            members: SmallVec::new(),
            stays: Stays::default(),
        }
    }
}

impl Occupancy {
    /// Takes the next position and appends what changed: first what deadlines due by
    /// `received_at_ns` decided, then exits, entries and dwelling, each by key.
    #[inline]
    pub fn observe(
        &mut self,
        index: &WatchIndex,
        seen: &Observation,
        out: &mut Vec<Crossing>,
    ) -> Lookup {
        if self.deadline_ns <= seen.received_at_ns {
            self.expire(index, seen.received_at_ns, out);
        }
        if self.safe_box.holds(seen) {
            self.heard = seen.heard();
            if self.safe_box.is_restless() {
                self.count_alike(index, seen, out);
            } else if self.has_fence_timeout() {
                self.find_deadline(index);
            }
            return Lookup::SafeBox;
        }
        self.look_up(index, seen, true, out);
        Lookup::Index
    }

    /// Takes the next position if it plainly changes nothing but when the mover was heard, and something else, which is asked
    /// last, agrees: true. Otherwise nothing was done, and [`observe`](Occupancy::observe) is to be asked.
    #[inline]
    pub fn observe_quietly(&mut self, seen: &Observation, agrees: impl FnOnce() -> bool) -> bool {
        let is_quiet = seen.received_at_ns < self.deadline_ns
            && !self.safe_box.is_restless()
            && !self.has_fence_timeout()
            && self.safe_box.holds(seen)
            && agrees();
        if is_quiet {
            self.heard = seen.heard();
        }
        is_quiet
    }

    /// The same as [`observe`](Occupancy::observe), always from the index and without a box: what
    /// the box is measured and tested against.
    pub fn observe_exact(
        &mut self,
        index: &WatchIndex,
        seen: &Observation,
        out: &mut Vec<Crossing>,
    ) {
        if self.deadline_ns <= seen.received_at_ns {
            self.expire(index, seen.received_at_ns, out);
        }
        self.look_up(index, seen, false, out);
    }

    /// Appends what the deadlines due by `now_ns` decide, by their time, then exits before
    /// dwelling, then by key.
    ///
    /// A stay that ends when its dwell time is over has not dwelled.
    pub fn expire(&mut self, index: &WatchIndex, now_ns: u64, out: &mut Vec<Crossing>) {
        if now_ns < self.deadline_ns || self.deadline_ns == NEVER_NS {
            return;
        }
        let start = out.len();
        let (heard, stays) = (self.heard, &mut self.stays);
        let mut is_silent = false;
        self.members.retain(|member| {
            let Some(watch) = index.at(member.ordinal) else { return false };
            let end = member.end_due(&watch.gates, &heard).filter(|due| due.at_ns <= now_ns);
            let dwelled_at_ns = stays.take_due(member.ordinal, now_ns);
            if let Some(at_ns) = dwelled_at_ns
                && end.is_none_or(|end| at_ns < end.at_ns)
            {
                out.push(member.dwell(watch, at_ns));
            }
            if let Some(end) = end {
                stays.disarm(member.ordinal);
                out.push(member.end(watch, end));
                is_silent |= end.gate == gate::FENCE_TIMEOUT;
            }
            end.is_none()
        });
        if is_silent {
            // It may be where it was, only not in: the next position may enter. Whoever has left
            // otherwise stands outside, and goes on standing there as long as the box holds.
            self.safe_box = SafeBox::NONE;
        }
        if let Some(fresh) = out.get_mut(start..) {
            fresh.sort_by_key(|crossing| (crossing.at_ns, crossing.family(), crossing.watch));
        }
        self.find_deadline(index);
    }

    /// When [`expire`](Occupancy::expire) has something to decide, if nothing is heard before.
    pub fn next_due_ns(&self) -> Option<u64> {
        (self.deadline_ns != NEVER_NS).then_some(self.deadline_ns)
    }

    /// The watches the mover is in or seems to enter, by key.
    pub fn presences<'a>(&'a self, index: &'a WatchIndex) -> impl Iterator<Item = Presence> + 'a {
        self.members.iter().filter_map(|member| {
            let watch = index.at(member.ordinal)?.key;
            Some(Presence {
                watch,
                is_in: member.is_in(),
                is_suspected: member.is_suspected(),
                has_dwelled: member.has_dwelled(),
            })
        })
    }

    /// When the last position was observed and when it was received.
    pub fn heard_ns(&self) -> (u64, u64) {
        (self.heard.observed_at_ns, self.heard.received_at_ns)
    }

    /// Reads a word of every cache line that the next position needs and returns something made of
    /// them, so that the memory of many can be fetched together.
    #[inline]
    pub fn warm(&self) -> u64 {
        self.deadline_ns ^ self.heard.observed_at_ns ^ u64::from(self.safe_box.is_restless())
    }

    pub(crate) fn members(&self) -> &[Membership] {
        &self.members
    }

    /// One with these memberships, by ordinal, and the first deadline of all.
    pub(crate) fn standing(heard: Heard, deadline_ns: u64, members: Members) -> Occupancy {
        Occupancy { heard, deadline_ns, members, ..Occupancy::default() }
    }

    pub(crate) fn has_stays(&self) -> bool {
        !self.stays.is_empty()
    }

    /// Whether the mover is in a watch.
    pub fn is_in(&self, index: &WatchIndex, key: u32) -> bool {
        index
            .ordinal(key)
            .and_then(|ordinal| self.members.iter().find(|member| member.ordinal == ordinal))
            .is_some_and(Membership::is_in)
    }

    /// Whether a watch the mover is in, or seems to enter, ends when it is not heard.
    #[inline]
    pub fn has_fence_timeout(&self) -> bool {
        // One always has a deadline.
        self.deadline_ns != NEVER_NS && self.members.iter().any(Membership::has_fence_timeout)
    }

    /// Takes the last position as observed and received at other moments: fence timeouts count from
    /// there. For times in which nobody listened.
    pub fn hear_again(&mut self, index: &WatchIndex, observed_at_ns: u64, received_at_ns: u64) {
        self.heard = Heard { observed_at_ns, received_at_ns };
        self.find_deadline(index);
    }

    /// Puts dwell deadlines due by `now_ns` off until `until_ns`: while nobody can tell whether the
    /// mover is still there.
    pub fn hold_stays(&mut self, index: &WatchIndex, now_ns: u64, until_ns: u64) {
        self.stays.postpone(now_ns, until_ns);
        self.find_deadline(index);
    }

    /// Goes over to another index without inventing a crossing.
    ///
    /// `heirs` are pairs of an old key and a new one that goes on from there; a watch may have
    /// several heirs, and the first of several ancestors counts. What goes on keeps its evidence and
    /// its deadlines; a dwell gate that is new counts from the last position, one that is longer or
    /// shorter from when it counted. The next position is judged by the new outlines. Keys of
    /// watches without an heir that were in this occupancy, as member or as suspicion, are appended
    /// to `dropped`, as they were.
    pub fn rebase(
        &mut self,
        old: &WatchIndex,
        new: &WatchIndex,
        heirs: &[(u32, u32)],
        dropped: &mut Vec<u32>,
    ) {
        let mut members = Members::new();
        let mut stays = Stays::default();
        for &(old_key, new_key) in heirs {
            let ancestor = old.ordinal(old_key).and_then(|ordinal| {
                let member = self.members.iter().find(|member| member.ordinal == ordinal)?;
                Some((*member, old.at(ordinal)?.gates.dwell_ns))
            });
            let heir = new.ordinal(new_key).and_then(|ordinal| Some((ordinal, new.at(ordinal)?)));
            let (Some((mut member, old_dwell_ns)), Some((ordinal, watch))) = (ancestor, heir)
            else {
                continue;
            };
            if members.iter().any(|taken| taken.ordinal == ordinal) {
                continue;
            }
            let armed_ns = self.stays.due_ns(member.ordinal);
            let added_ns = member.refit(ordinal, &watch.gates, old_dwell_ns);
            if let Some(dwell_ns) = watch.gates.dwell_ns
                && member.is_in()
                && !member.has_dwelled()
            {
                let due_ns = match (armed_ns, old_dwell_ns) {
                    (Some(armed_ns), Some(old_dwell_ns)) => {
                        armed_ns.saturating_sub(old_dwell_ns).saturating_add(dwell_ns)
                    }
                    _ => self.heard.due_ns(added_ns.unwrap_or(dwell_ns)),
                };
                stays.arm(ordinal, due_ns);
            }
            members.push(member);
        }
        for member in &self.members {
            let key = old.at(member.ordinal).map(|watch| watch.key);
            dropped.extend(key.filter(|key| heirs.iter().all(|(old_key, _)| old_key != key)));
        }
        members.sort_unstable_by_key(|member| member.ordinal);
        self.members = members;
        self.stays = stays;
        self.safe_box = SafeBox::NONE;
        self.find_deadline(new);
    }

    fn look_up(
        &mut self,
        index: &WatchIndex,
        seen: &Observation,
        wants_box: bool,
        out: &mut Vec<Crossing>,
    ) {
        let (start, old_count) = (out.len(), self.members.len());
        let Position { x_mm, y_mm, floor, .. } = seen.position;
        self.heard = seen.heard();
        let storey = index.storey(floor);
        // Without a box the trees alone are asked.
        let cell = if wants_box { storey.cell(x_mm, y_mm) } else { None };
        let (members, stays) = (&mut self.members, &mut self.stays);
        let found = Found::default();
        let (frame, place) =
            cell.map_or((Frame::SITE, (x_mm, y_mm)), |cell| (cell.frame, cell.place));
        let out_of = &mut *out;
        let mut sweep = Sweep { index, seen, place, members, old_count, stays, out: out_of, found };
        if let Some(cell) = &cell {
            for entry in cell.zones() {
                if entry.bounds.contains(place.0, place.1) {
                    sweep.meet(entry, cell.holds(entry, x_mm, y_mm));
                }
            }
        } else {
            storey.zones_meeting(&Bounds::around(x_mm, y_mm, 0), |entry| {
                sweep.meet(entry, entry.is_filled().then_some(true));
            });
        }
        let mut found = sweep.found;
        let window = found.clear.or(cell.map(|cell| cell.window));
        let mut cutter = BoxCutter::new(seen, frame, place, window);
        if !wants_box {
            cutter.give_up();
        }
        self.step_members(index, (&mut found, old_count), &mut cutter, out);
        self.safe_box = SafeBox::NONE;
        if !cutter.is_empty() {
            let mut fence = Fence { index, members: &self.members, found, cutter };
            match &cell {
                _ if found.clear.is_some() && !found.has_bystanders => {}
                _ if found.clear.is_some() => fence.keep_bystanders(storey, cell.as_ref()),
                Some(cell) => fence.keep_listed(cell),
                None => fence.keep_stored(storey),
            }
            self.safe_box = fence.cutter.finish().marked(found.is_restless);
        }
        self.find_deadline(index);
        sort_fresh(out, start);
    }

    /// Takes a position that stands to every watch as the latest did.
    fn count_alike(&mut self, index: &WatchIndex, seen: &Observation, out: &mut Vec<Crossing>) {
        let start = out.len();
        let mut is_restless = false;
        let stays = &mut self.stays;
        self.members.retain(|member| {
            if member.is_quiet() {
                return true;
            }
            let Some(watch) = index.at(member.ordinal) else { return false };
            let alike = |member: &mut Membership, watch: &Post, seen: &Observation| {
                member.observe_alike(watch, seen)
            };
            let outcome = step(member, watch, seen, stays, out, alike);
            is_restless |= outcome == Outcome::Restless;
            outcome != Outcome::Over
        });
        self.safe_box = self.safe_box.marked(is_restless);
        self.find_deadline(index);
        sort_fresh(out, start);
    }

    /// Takes the position to every old member that was not found quiet, and puts the new ones in
    /// their places. The box keeps to what they say.
    fn step_members(
        &mut self,
        index: &WatchIndex,
        (found, old_count): (&mut Found, usize),
        cutter: &mut BoxCutter,
        out: &mut Vec<Crossing>,
    ) {
        let count = self.members.len();
        if (0..count).all(|at| found.is_quiet(at)) {
            found.is_all_quiet = true;
        } else {
            self.step_restless(index, (&mut *found, old_count), cutter, out);
        }
        if !found.is_all_quiet && !cutter.is_empty() {
            for member in &self.members {
                if let Some(watch) = index.at(member.ordinal) {
                    cutter.keep_member(watch, member);
                }
            }
        }
        if old_count < count {
            self.members.sort_unstable_by_key(|member| member.ordinal);
        }
    }

    /// The first part of that.
    fn step_restless(
        &mut self,
        index: &WatchIndex,
        (found, old_count): (&mut Found, usize),
        cutter: &BoxCutter,
        out: &mut Vec<Crossing>,
    ) {
        let stays = &mut self.stays;
        let (mut places, mut is_all_quiet) = (0.., true);
        self.members.retain(|member| {
            let at = places.next().unwrap_or(usize::MAX);
            if found.is_quiet(at) {
                member.standing = Standing::Inside;
                return true;
            }
            let Some(watch) = index.at(member.ordinal) else { return false };
            if at < old_count {
                let was_in = member.is_in();
                match step(member, watch, &cutter.seen, stays, out, Membership::observe) {
                    Outcome::Steady => {}
                    Outcome::Restless => found.is_restless = true,
                    Outcome::Over => {
                        // It may stand in the outline all the same: at another height, or not deep
                        // enough.
                        found.has_bystanders |= !was_in || watch.height().is_some();
                        return false;
                    }
                }
            } else {
                found.is_restless |= !member.is_in();
            }
            is_all_quiet = false;
            true
        });
        found.is_all_quiet = is_all_quiet;
    }

    fn find_deadline(&mut self, index: &WatchIndex) {
        let mut deadline_ns = self.stays.first_due_ns();
        for member in self.members.iter().filter(|member| member.may_end()) {
            let Some(watch) = index.at(member.ordinal) else { continue };
            if let Some(due) = member.end_due(&watch.gates, &self.heard) {
                deadline_ns = deadline_ns.min(due.at_ns);
            }
        }
        self.deadline_ns = deadline_ns;
    }
}

/// Brings what one position has changed into order.
fn sort_fresh(out: &mut [Crossing], start: usize) {
    if let Some(fresh) = out.get_mut(start..)
        && fresh.len() > 1
    {
        fresh.sort_by_key(|crossing| (crossing.family(), crossing.watch));
    }
}

/// Takes the position to one watch the mover is in or seems to enter.
fn step(
    member: &mut Membership,
    watch: &Post,
    seen: &Observation,
    stays: &mut Stays,
    out: &mut Vec<Crossing>,
    observe: impl Fn(&mut Membership, &Post, &Observation) -> (Outcome, Option<Crossing>),
) -> Outcome {
    let was_in = member.is_in();
    let (outcome, crossing) = observe(member, watch, seen);
    out.extend(crossing);
    if !was_in
        && member.is_in()
        && let Some(dwell_ns) = watch.gates.dwell_ns
    {
        stays.arm(member.ordinal, seen.due_ns(dwell_ns));
    }
    if outcome == Outcome::Over {
        stays.disarm(member.ordinal);
    }
    outcome
}
