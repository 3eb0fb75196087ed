//! The gates once more, as simply as they can be said: the whole history of one mover and one watch
//! is kept, and every question is answered by going through it.

use ach_geo::{Crossing, CrossingKind, Observation, Watch, gate};

const NEVER: u64 = u64::MAX;

/// One mover and one watch.
pub(crate) struct GatesModel {
    watch: Watch,
    /// All positions since the last entry, or since the last exit.
    phase: Vec<Observation>,
    /// The position that let it in, and whether all evidence of that lacked a floor.
    entered: Option<(Observation, bool)>,
    has_dwelled: bool,
    was_suspected: bool,
    last: Option<Observation>,
}

#[derive(PartialEq)]
enum Where {
    In,
    Near,
    Far,
}

fn due(seen: &Observation, delay: u64) -> u64 {
    let waited = seen.received_at_ns - seen.observed_at_ns;
    if delay == NEVER { NEVER } else { seen.received_at_ns + delay.saturating_sub(waited) }
}

impl GatesModel {
    pub(crate) fn new(watch: Watch) -> GatesModel {
        GatesModel {
            watch,
            phase: vec![],
            entered: None,
            has_dwelled: false,
            was_suspected: false,
            last: None,
        }
    }

    fn blur(&self, seen: &Observation) -> u64 {
        if self.watch.gates.error_circle { u64::from(seen.accuracy_mm) } else { 0 }
    }

    fn shows_entry(&self, seen: &Observation) -> bool {
        let depth = self.blur(seen) + u64::from(self.watch.gates.entry_margin_mm);
        let region = &self.watch.region;
        region.matches(&seen.position)
            && region.is_deep_inside(seen.position.x_mm, seen.position.y_mm, depth)
    }

    fn place(&self, seen: &Observation) -> Where {
        let region = &self.watch.region;
        let (x, y) = (seen.position.x_mm, seen.position.y_mm);
        let blur = self.blur(seen);
        if !region.matches(&seen.position) {
            Where::Far
        } else if region.is_within(x, y, blur) {
            Where::In
        } else if region.is_within(x, y, blur + u64::from(self.watch.gates.exit_tolerance_mm)) {
            Where::Near
        } else {
            Where::Far
        }
    }

    fn lacks_floor(&self, seen: &Observation) -> bool {
        seen.position.floor.is_none() && self.watch.region.floor().is_some()
    }

    fn tolerance(&self) -> u64 {
        let gates = &self.watch.gates;
        match (gates.exit_tolerance_mm, gates.tolerance_timeout_ns) {
            (0, _) => NEVER,
            (_, Some(timeout)) if timeout > 0 => timeout,
            _ => gates.fence_timeout_ns.unwrap_or(NEVER),
        }
    }

    /// Whether enough of the latest positions agree.
    fn agree(&self, holds: impl Fn(&Observation) -> bool) -> bool {
        let confirm = self.watch.gates.confirm;
        let latest = self.phase.iter().rev().take(usize::from(confirm.of));
        latest.filter(|seen| holds(seen)).count() >= usize::from(confirm.needed)
    }

    fn is_evidence(&self, seen: &Observation) -> bool {
        if self.entered.is_none() {
            return self.shows_entry(seen);
        }
        match self.place(seen) {
            Where::In => false,
            Where::Near => self.tolerance() != NEVER,
            Where::Far => true,
        }
    }

    fn is_suspected(&self) -> bool {
        let of = usize::from(self.watch.gates.confirm.of);
        self.phase.iter().rev().take(of).any(|seen| self.is_evidence(seen))
    }

    /// Whether none of the evidence, back to where the window was last empty of it, had a floor.
    fn evidence_lacks_floor(&self) -> bool {
        let of = usize::from(self.watch.gates.confirm.of);
        let marks: Vec<bool> = self.phase.iter().map(|seen| self.is_evidence(seen)).collect();
        let mut from = 0;
        for end in 1..=marks.len() {
            if marks[end.saturating_sub(of)..end].iter().all(|mark| !mark) {
                from = end;
            }
        }
        // When the latest window is empty, what counts is the evidence that has just been dropped.
        if from == marks.len() {
            let Some(last) = marks.iter().rposition(|mark| *mark) else { return false };
            from = 0;
            for end in 1..=last {
                if marks[end.saturating_sub(of)..end].iter().all(|mark| !mark) {
                    from = end;
                }
            }
        }
        let mut evidence = (from..marks.len()).filter(|at| marks[*at]).peekable();
        evidence.peek().is_some() && evidence.all(|at| self.lacks_floor(&self.phase[at]))
    }

    /// The exit deadline that comes first, and its gate.
    fn exit_due(&self) -> (u64, u16) {
        let run_of = |holds: fn(&Where) -> bool| {
            self.phase.iter().rev().take_while(|seen| holds(&self.place(seen))).count()
        };
        let mut result = (NEVER, gate::EXIT_DELAY);
        if self.agree(|seen| self.place(seen) == Where::Far) {
            let run = run_of(|place| *place == Where::Far);
            if run > 0 {
                let first = &self.phase[self.phase.len() - run];
                result.0 = due(first, self.watch.gates.exit_delay_ns);
            }
        }
        if self.agree(|seen| self.place(seen) != Where::In) {
            let run = run_of(|place| *place != Where::In);
            let outside = &self.phase[self.phase.len() - run..];
            if let Some(first) = outside.iter().find(|seen| self.place(seen) == Where::Near) {
                let tolerance = due(first, self.tolerance());
                if tolerance < result.0 {
                    result = (tolerance, gate::TOLERANCE_TIMEOUT);
                }
            }
        }
        result
    }

    fn silence_due(&self) -> u64 {
        match (&self.last, self.watch.gates.fence_timeout_ns) {
            (Some(last), Some(timeout)) => due(last, timeout),
            _ => NEVER,
        }
    }

    fn dwell_due(&self) -> u64 {
        match (&self.entered, self.watch.gates.dwell_ns) {
            (Some((seen, _)), Some(dwell)) if !self.has_dwelled => due(seen, dwell),
            _ => NEVER,
        }
    }

    pub(crate) fn next_due(&self) -> u64 {
        if self.entered.is_some() {
            self.exit_due().0.min(self.silence_due()).min(self.dwell_due())
        } else if self.is_suspected() {
            self.silence_due()
        } else {
            NEVER
        }
    }

    pub(crate) fn expire(&mut self, now: u64) -> Vec<Crossing> {
        let mut out = vec![];
        if self.entered.is_none() {
            let at = self.silence_due();
            if self.is_suspected() && at <= now {
                out.push(self.said(CrossingKind::EntryDropped, at, gate::FENCE_TIMEOUT));
                self.forget();
            }
            return out;
        }
        let (mut at, mut by) = self.exit_due();
        if self.silence_due() < at {
            (at, by) = (self.silence_due(), gate::FENCE_TIMEOUT);
        }
        if self.dwell_due() <= now && self.dwell_due() < at {
            let gates = self.entry_gates(false) | gate::DWELL;
            out.push(self.said(CrossingKind::Dwelled, self.dwell_due(), gates));
            self.has_dwelled = true;
        }
        if at <= now {
            out.push(self.exit(at, by));
        }
        out
    }

    pub(crate) fn observe(&mut self, seen: &Observation) -> Vec<Crossing> {
        self.phase.push(*seen);
        self.last = Some(*seen);
        let at = seen.observed_at_ns;
        if self.entered.is_some() {
            let place = self.place(seen);
            if place == Where::In && !self.lacks_floor(seen) {
                self.entered.as_mut().unwrap().1 = false;
            }
            let (due_at, by) = self.exit_due();
            if due_at <= seen.received_at_ns {
                return vec![self.exit(at, by)];
            }
            let circle = if self.watch.gates.error_circle { gate::ERROR_CIRCLE } else { 0 };
            let tolerance = if place == Where::Far { self.tolerance_gate() } else { 0 };
            return match (self.was_suspected, self.is_suspected()) {
                (false, true) => {
                    self.was_suspected = true;
                    let gates = gate::LINE | circle | tolerance;
                    vec![self.said(CrossingKind::ExitSuspected, at, gates)]
                }
                (true, false) => {
                    self.was_suspected = false;
                    vec![self.said(CrossingKind::ExitDropped, at, gate::LINE | circle)]
                }
                _ => vec![],
            };
        }
        if self.agree(|seen| self.shows_entry(seen)) {
            let crossing = self.said(CrossingKind::Entered, at, self.entry_gates(true));
            self.entered = Some((*seen, crossing.is_floor_unknown));
            (self.phase, self.was_suspected, self.has_dwelled) = (vec![], false, false);
            return vec![crossing];
        }
        match (self.was_suspected, self.is_suspected()) {
            (false, true) => {
                self.was_suspected = true;
                vec![self.said(CrossingKind::EntrySuspected, at, self.entry_gates(false))]
            }
            (true, false) => {
                self.was_suspected = false;
                vec![self.said(CrossingKind::EntryDropped, at, self.entry_gates(false))]
            }
            _ => vec![],
        }
    }

    fn tolerance_gate(&self) -> u16 {
        if self.watch.gates.exit_tolerance_mm > 0 { gate::EXIT_TOLERANCE } else { 0 }
    }

    fn entry_gates(&self, is_through: bool) -> u16 {
        let gates = &self.watch.gates;
        gate::LINE
            | if gates.entry_margin_mm > 0 { gate::ENTRY_MARGIN } else { 0 }
            | if gates.error_circle { gate::ERROR_CIRCLE } else { 0 }
            | if is_through && gates.confirm.needed > 1 { gate::CONFIRM } else { 0 }
    }

    fn exit(&mut self, at: u64, by: u16) -> Crossing {
        let gates = self.watch.gates;
        let passed = if by == gate::FENCE_TIMEOUT {
            by
        } else {
            let way = match by {
                gate::EXIT_DELAY if gates.exit_delay_ns == 0 => self.tolerance_gate(),
                gate::EXIT_DELAY => self.tolerance_gate() | by,
                _ => by,
            };
            let circle = if gates.error_circle { gate::ERROR_CIRCLE } else { 0 };
            let confirm = if gates.confirm.needed > 1 { gate::CONFIRM } else { 0 };
            gate::LINE | way | circle | confirm
        };
        let mut crossing = self.said(CrossingKind::Exited, at, passed);
        crossing.is_floor_unknown &= by != gate::FENCE_TIMEOUT;
        self.forget();
        crossing
    }

    fn forget(&mut self) {
        (self.phase, self.entered, self.was_suspected) = (vec![], None, false);
    }

    fn said(&self, kind: CrossingKind, at_ns: u64, gates_passed: u16) -> Crossing {
        let is_floor_unknown = match (kind, &self.entered) {
            (CrossingKind::Dwelled, Some((_, lacked))) => *lacked,
            _ => self.evidence_lacks_floor(),
        };
        Crossing { watch: self.watch.key, kind, at_ns, gates_passed, is_floor_unknown }
    }
}
