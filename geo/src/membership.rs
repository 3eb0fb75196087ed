//! The state between one mover and one watch.

use crate::crossing::{Crossing, CrossingKind, gate};
use crate::post::Post;
use crate::{Confirm, Gates, Observation, Watch};
use serde::{Deserialize, Serialize};

/// A deadline, or a time, that never comes.
pub(crate) const NEVER_NS: u64 = u64::MAX;

const IS_IN: u8 = 1;
const IS_SUSPECTED: u8 = 2;
/// All evidence of being in came without a floor.
const IN_UNSURE: u8 = 4;
/// All evidence of being out came without a floor.
const OUT_UNSURE: u8 = 8;
const HAS_DWELLED: u8 = 16;
/// The gates have a fence timeout, so there is always a deadline.
const HAS_FENCE_TIMEOUT: u8 = 32;

/// A mover is in, or there is evidence that it has entered. 24 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Membership {
    /// The watch's place in the index.
    pub(crate) ordinal: u32,
    pub(crate) flags: u8,
    /// The latest positions, newest in bit 0. Not in yet: 1 is evidence of entry. In: 1 speaks for
    /// an exit, as one beyond the tolerance does and one within it, if that is limited in time.
    pub(crate) evidence: u8,
    /// The same; 1 is beyond the tolerance.
    pub(crate) beyond: u8,
    /// Where the position lay that it took last; what it left as it was may be missing.
    pub(crate) standing: Standing,
    pub(crate) tolerance_due_ns: u64,
    pub(crate) delay_due_ns: u64,
}

/// Where a position lies. For one who is not in, it is either inside, and evidence of entry, or
/// beyond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Standing {
    /// In the region.
    Inside,
    /// Outside, but the circle of accuracy reaches in.
    Blurred,
    /// Outside, within the tolerance.
    Tolerated,
    /// Further outside, or on another floor or height.
    Beyond,
}

/// What to do with a membership after a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// A position that stands alike changes nothing.
    Steady,
    /// A position that stands alike is one more.
    Restless,
    /// Over: forget it.
    Over,
}

/// A way out that a deadline opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Due {
    /// When.
    pub(crate) at_ns: u64,
    /// The gate whose time it is.
    pub(crate) gate: u16,
}

impl Membership {
    /// Takes a first position that shows entry: the membership, and what to say.
    pub(crate) fn begin(ordinal: u32, watch: &Watch, seen: &Observation) -> (Membership, Crossing) {
        let is_in = watch.gates.confirm.needed <= 1;
        let mut flags = if is_in { IS_IN } else { IS_SUSPECTED };
        if is_unsure(watch, seen) {
            flags |= IN_UNSURE;
        }
        if watch.gates.fence_timeout_ns.is_some() {
            flags |= HAS_FENCE_TIMEOUT;
        }
        let membership = Membership {
            ordinal,
            flags,
            evidence: u8::from(!is_in),
            beyond: 0,
            standing: Standing::Inside,
            tolerance_due_ns: NEVER_NS,
            delay_due_ns: NEVER_NS,
        };
        let kind = if is_in { CrossingKind::Entered } else { CrossingKind::EntrySuspected };
        (membership, membership.entry(watch, kind, seen.observed_at_ns))
    }

    /// Takes the next position.
    pub(crate) fn observe(
        &mut self,
        post: &Post,
        seen: &Observation,
    ) -> (Outcome, Option<Crossing>) {
        self.standing = if self.is_in() {
            Standing::of(post, seen)
        } else if shows_entry(post, seen) {
            Standing::Inside
        } else {
            Standing::Beyond
        };
        self.observe_alike(post, seen)
    }

    /// Takes a position that stands as the latest did.
    pub(crate) fn observe_alike(
        &mut self,
        watch: &Watch,
        seen: &Observation,
    ) -> (Outcome, Option<Crossing>) {
        if self.is_in() { self.stay(watch, seen) } else { self.approach(watch, seen) }
    }

    fn approach(&mut self, watch: &Watch, seen: &Observation) -> (Outcome, Option<Crossing>) {
        let is_evidence = self.standing == Standing::Inside;
        let Confirm { needed, of } = watch.gates.confirm;
        self.evidence = shifted(self.evidence, is_evidence, of);
        if is_evidence && !is_unsure(watch, seen) {
            self.flags &= !IN_UNSURE;
        }
        if has(self.evidence, needed) {
            self.flags = (self.flags & (IN_UNSURE | HAS_FENCE_TIMEOUT)) | IS_IN;
            self.evidence = 0;
            let crossing = self.entry(watch, CrossingKind::Entered, seen.observed_at_ns);
            return (self.outcome(&watch.gates), Some(crossing));
        }
        if self.evidence == 0 {
            let crossing = self.entry(watch, CrossingKind::EntryDropped, seen.observed_at_ns);
            return (Outcome::Over, Some(crossing));
        }
        (Outcome::Restless, None)
    }

    fn stay(&mut self, watch: &Watch, seen: &Observation) -> (Outcome, Option<Crossing>) {
        let (gates, standing) = (&watch.gates, self.standing);
        let is_beyond = standing == Standing::Beyond;
        let speaks = speaks_for_exit(gates, standing);
        self.evidence = shifted(self.evidence, speaks, gates.confirm.of);
        self.beyond = shifted(self.beyond, is_beyond, gates.confirm.of);
        self.arm(gates, standing, seen);
        let had_evidence = self.flags & IS_SUSPECTED != 0;
        if speaks {
            self.note_floor(OUT_UNSURE, !had_evidence, is_unsure(watch, seen));
        } else if standing != Standing::Tolerated && !is_unsure(watch, seen) {
            self.flags &= !IN_UNSURE;
        }
        if let Some(due) = self.exit_due(gates)
            && due.at_ns <= seen.received_at_ns
        {
            return (Outcome::Over, Some(self.exit(watch, due.gate, seen.observed_at_ns)));
        }
        let at_ns = seen.observed_at_ns;
        let crossing = match (had_evidence, self.evidence != 0) {
            (false, true) => {
                self.flags |= IS_SUSPECTED;
                let passed = if is_beyond { tolerance_bit(gates) } else { 0 };
                Some(self.departure(watch, CrossingKind::ExitSuspected, passed, at_ns))
            }
            (true, false) => {
                let crossing = self.departure(watch, CrossingKind::ExitDropped, 0, at_ns);
                self.flags &= !(IS_SUSPECTED | OUT_UNSURE);
                Some(crossing)
            }
            _ => None,
        };
        (self.outcome(gates), crossing)
    }

    /// Whether further positions of this standing leave it as it is: all that is remembered of the
    /// latest is alike.
    fn outcome(&self, gates: &Gates) -> Outcome {
        let all = |is_so: bool| if is_so { mask(gates.confirm.of) } else { 0 };
        let is_alike = self.evidence == all(speaks_for_exit(gates, self.standing))
            && self.beyond == all(self.standing == Standing::Beyond);
        if is_alike { Outcome::Steady } else { Outcome::Restless }
    }

    /// Whether it would learn its floor from a position on the region, were it nearer than this one.
    pub(crate) fn may_learn_floor(&self, watch: &Watch, seen: &Observation) -> bool {
        self.flags & IN_UNSURE != 0 && !is_unsure(watch, seen)
    }

    /// Starts and stops the deadlines: outside within the tolerance starts the tolerance timeout,
    /// which only coming back inside stops; beyond starts the exit delay, which coming back within
    /// the tolerance stops.
    fn arm(&mut self, gates: &Gates, standing: Standing, seen: &Observation) {
        match standing {
            Standing::Inside | Standing::Blurred => {
                self.tolerance_due_ns = NEVER_NS;
                self.delay_due_ns = NEVER_NS;
            }
            Standing::Tolerated => {
                if self.tolerance_due_ns == NEVER_NS {
                    self.tolerance_due_ns = seen.due_ns(tolerance_ns(gates));
                }
                self.delay_due_ns = NEVER_NS;
            }
            Standing::Beyond => {
                if self.delay_due_ns == NEVER_NS {
                    self.delay_due_ns = seen.due_ns(gates.exit_delay_ns);
                }
            }
        }
    }

    fn note_floor(&mut self, flag: u8, is_first: bool, is_unsure: bool) {
        if !is_unsure {
            self.flags &= !flag;
        } else if is_first {
            self.flags |= flag;
        }
    }

    /// The exit deadline that comes first, of those whose positions agree.
    fn exit_due(&self, gates: &Gates) -> Option<Due> {
        let needed = gates.confirm.needed;
        let delay = if has(self.beyond, needed) { self.delay_due_ns } else { NEVER_NS };
        let tolerance = if has(self.evidence, needed) { self.tolerance_due_ns } else { NEVER_NS };
        let due = if delay <= tolerance {
            Due { at_ns: delay, gate: gate::EXIT_DELAY }
        } else {
            Due { at_ns: tolerance, gate: gate::TOLERANCE_TIMEOUT }
        };
        (due.at_ns != NEVER_NS).then_some(due)
    }

    /// The deadline that ends the membership: an exit, or not having been heard since `heard`.
    pub(crate) fn end_due(&self, gates: &Gates, heard: &Heard) -> Option<Due> {
        let exit = if self.is_in() { self.exit_due(gates) } else { None };
        let silence = gates
            .fence_timeout_ns
            .map(|timeout_ns| Due { at_ns: heard.due_ns(timeout_ns), gate: gate::FENCE_TIMEOUT })
            .filter(|due| due.at_ns != NEVER_NS);
        match (exit, silence) {
            (Some(exit), Some(silence)) if silence.at_ns < exit.at_ns => Some(silence),
            (None, silence) => silence,
            (exit, _) => exit,
        }
    }

    /// What to say when a deadline has ended the membership.
    pub(crate) fn end(&self, watch: &Watch, due: Due) -> Crossing {
        if !self.is_in() {
            let mut crossing = self.entry(watch, CrossingKind::EntryDropped, due.at_ns);
            crossing.gates_passed = gate::FENCE_TIMEOUT;
            return crossing;
        }
        if due.gate == gate::FENCE_TIMEOUT {
            return Crossing {
                watch: watch.key,
                kind: CrossingKind::Exited,
                at_ns: due.at_ns,
                gates_passed: gate::FENCE_TIMEOUT,
                is_floor_unknown: false,
            };
        }
        self.exit(watch, due.gate, due.at_ns)
    }

    fn exit(&self, watch: &Watch, by: u16, at_ns: u64) -> Crossing {
        let gates = &watch.gates;
        let passed = match by {
            gate::EXIT_DELAY if gates.exit_delay_ns == 0 => tolerance_bit(gates),
            gate::EXIT_DELAY => tolerance_bit(gates) | gate::EXIT_DELAY,
            _ => by,
        };
        let confirmed = if gates.confirm.needed > 1 { gate::CONFIRM } else { 0 };
        self.departure(watch, CrossingKind::Exited, passed | confirmed, at_ns)
    }

    fn departure(&self, watch: &Watch, kind: CrossingKind, passed: u16, at_ns: u64) -> Crossing {
        let circle = if watch.gates.error_circle { gate::ERROR_CIRCLE } else { 0 };
        Crossing {
            watch: watch.key,
            kind,
            at_ns,
            gates_passed: gate::LINE | circle | passed,
            is_floor_unknown: self.flags & OUT_UNSURE != 0,
        }
    }

    fn entry(&self, watch: &Watch, kind: CrossingKind, at_ns: u64) -> Crossing {
        let gates = &watch.gates;
        let mut gates_passed = gate::LINE;
        if gates.entry_margin_mm > 0 {
            gates_passed |= gate::ENTRY_MARGIN;
        }
        if gates.error_circle {
            gates_passed |= gate::ERROR_CIRCLE;
        }
        if gates.confirm.needed > 1 && kind == CrossingKind::Entered {
            gates_passed |= gate::CONFIRM;
        }
        let is_floor_unknown = self.flags & IN_UNSURE != 0;
        Crossing { watch: watch.key, kind, at_ns, gates_passed, is_floor_unknown }
    }

    /// What to say when the dwell time is over, and not to say it again.
    pub(crate) fn dwell(&mut self, watch: &Watch, at_ns: u64) -> Crossing {
        self.flags |= HAS_DWELLED;
        let mut crossing = self.entry(watch, CrossingKind::Dwelled, at_ns);
        crossing.gates_passed |= gate::DWELL;
        crossing
    }

    /// Fits what is open to other gates. A stay that was long enough and is not any more goes on;
    /// returns by how much.
    pub(crate) fn refit(
        &mut self,
        ordinal: u32,
        gates: &Gates,
        old_dwell_ns: Option<u64>,
    ) -> Option<u64> {
        self.ordinal = ordinal;
        let added_ns = gates.dwell_ns.zip(old_dwell_ns).and_then(|(new, old)| new.checked_sub(old));
        let added_ns = added_ns.filter(|added_ns| self.has_dwelled() && *added_ns > 0);
        if added_ns.is_some() || gates.dwell_ns.is_none() {
            self.flags &= !HAS_DWELLED;
        }
        self.flags &= !HAS_FENCE_TIMEOUT;
        if gates.fence_timeout_ns.is_some() {
            self.flags |= HAS_FENCE_TIMEOUT;
        }
        self.evidence &= mask(gates.confirm.of);
        self.beyond &= mask(gates.confirm.of);
        if tolerance_ns(gates) == NEVER_NS {
            self.tolerance_due_ns = NEVER_NS;
            if self.is_in() {
                self.evidence = self.beyond;
            }
        }
        if gates.exit_delay_ns == NEVER_NS {
            self.delay_due_ns = NEVER_NS;
        }
        added_ns
    }

    /// Whether a position inside leaves everything as it is: in, surely, and nothing open.
    #[inline]
    pub(crate) fn is_quiet(&self) -> bool {
        self.flags & (IS_IN | IS_SUSPECTED | IN_UNSURE) == IS_IN
            && self.evidence | self.beyond == 0
            && self.tolerance_due_ns & self.delay_due_ns == NEVER_NS
    }

    /// Whether silence ends it.
    #[inline]
    pub(crate) fn has_fence_timeout(&self) -> bool {
        self.flags & HAS_FENCE_TIMEOUT != 0
    }

    /// Whether it may have a deadline. Those of an exit stand on evidence.
    #[inline]
    pub(crate) fn may_end(&self) -> bool {
        self.has_fence_timeout() || self.has_evidence()
    }

    /// Whether the mover is in; otherwise there is only evidence of it.
    pub(crate) fn is_in(&self) -> bool {
        self.flags & IS_IN != 0
    }

    /// Whether an entry or an exit has been suspected and is still open.
    pub(crate) fn is_suspected(&self) -> bool {
        self.flags & IS_SUSPECTED != 0
    }

    /// Whether one of the latest positions speaks for a change.
    pub(crate) fn has_evidence(&self) -> bool {
        self.evidence != 0 || self.beyond != 0
    }

    /// Whether the dwell time of this stay is over.
    pub(crate) fn has_dwelled(&self) -> bool {
        self.flags & HAS_DWELLED != 0
    }
}

/// When a mover was last heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Heard {
    pub(crate) observed_at_ns: u64,
    pub(crate) received_at_ns: u64,
}

impl Heard {
    /// `received_at + max(0, delay - (received_at - observed_at))`.
    pub(crate) fn due_ns(&self, delay_ns: u64) -> u64 {
        self.observed_at_ns.saturating_add(delay_ns).max(self.received_at_ns)
    }
}

impl Observation {
    /// When it was.
    pub(crate) fn heard(&self) -> Heard {
        Heard { observed_at_ns: self.observed_at_ns, received_at_ns: self.received_at_ns }
    }

    /// When a delay that begins with it is over.
    pub(crate) fn due_ns(&self, delay_ns: u64) -> u64 {
        self.heard().due_ns(delay_ns)
    }
}

impl Standing {
    fn of(post: &Post, seen: &Observation) -> Standing {
        let gates = &post.gates;
        let (x_mm, y_mm) = (seen.position.x_mm, seen.position.y_mm);
        if !post.matches(&seen.position) {
            return Standing::Beyond;
        }
        if post.contains(x_mm, y_mm) {
            return Standing::Inside;
        }
        let blur_mm = blur_mm(gates, seen);
        if blur_mm > 0 && post.is_within(x_mm, y_mm, blur_mm) {
            return Standing::Blurred;
        }
        let reach_mm = blur_mm + u64::from(gates.exit_tolerance_mm);
        if gates.exit_tolerance_mm > 0 && post.is_within(x_mm, y_mm, reach_mm) {
            return Standing::Tolerated;
        }
        Standing::Beyond
    }
}

/// Whether a position is evidence of entry: deep enough inside, on a floor and height that agree.
pub(crate) fn shows_entry(post: &Post, seen: &Observation) -> bool {
    let depth_mm = blur_mm(&post.gates, seen) + u64::from(post.gates.entry_margin_mm);
    post.matches(&seen.position)
        && post.is_deep_inside(seen.position.x_mm, seen.position.y_mm, depth_mm)
}

/// The radius of the circle that must lie inside or outside as a whole.
pub(crate) fn blur_mm(gates: &Gates, seen: &Observation) -> u64 {
    if gates.error_circle { u64::from(seen.accuracy_mm) } else { 0 }
}

/// How long a mover may stay within the tolerance (omlox hub API 2.0.0, section 8.2.1.4: unset or 0
/// takes the fence timeout).
pub(crate) fn tolerance_ns(gates: &Gates) -> u64 {
    if gates.exit_tolerance_mm == 0 {
        return NEVER_NS;
    }
    gates
        .tolerance_timeout_ns
        .filter(|timeout_ns| *timeout_ns > 0)
        .or(gates.fence_timeout_ns)
        .unwrap_or(NEVER_NS)
}

/// Whether a position of one who is in speaks for an exit.
fn speaks_for_exit(gates: &Gates, standing: Standing) -> bool {
    match standing {
        Standing::Inside | Standing::Blurred => false,
        Standing::Tolerated => tolerance_ns(gates) != NEVER_NS,
        Standing::Beyond => true,
    }
}

fn tolerance_bit(gates: &Gates) -> u16 {
    if gates.exit_tolerance_mm > 0 { gate::EXIT_TOLERANCE } else { 0 }
}

fn is_unsure(watch: &Watch, seen: &Observation) -> bool {
    seen.position.floor.is_none() && watch.region.floor().is_some()
}

fn mask(of: u8) -> u8 {
    u8::MAX.checked_shr(8_u32.saturating_sub(u32::from(of))).unwrap_or(0)
}

fn shifted(history: u8, newest: bool, of: u8) -> u8 {
    ((history << 1) | u8::from(newest)) & mask(of)
}

fn has(history: u8, needed: u8) -> bool {
    history.count_ones() >= u32::from(needed)
}
