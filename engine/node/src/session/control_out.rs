//! What a session has to say on its control stream.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use ach_actors_model::Lane;
use ach_engine_wire::{Code, Frame, Refusal};
use tokio::sync::Notify;

/// Answers that may wait. A peer asks one thing at a time or a few; one that asks a thousand and
/// reads no answer is cut.
const FRAMES_MAX: usize = 1_024;

/// Answers and refusals that wait to be written.
#[derive(Debug, Default)]
pub(crate) struct ControlOut {
    frames: RefCell<VecDeque<Frame>>,
    refusals: RefCell<BTreeMap<(Lane, Code), Refusal>>,
    logged: RefCell<BTreeSet<Code>>,
    ready: Notify,
}

/// The peer reads no answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unread;

impl ControlOut {
    /// Adds an answer.
    pub(crate) fn push(&self, frame: impl Into<Frame>) -> Result<(), Unread> {
        let mut frames = self.frames.borrow_mut();
        if frames.len() >= FRAMES_MAX {
            return Err(Unread);
        }
        frames.push_back(frame.into());
        self.ready.notify_one();
        Ok(())
    }

    /// Adds a refused input to those of its lane and code.
    pub(crate) fn refuse(&self, lane: Lane, epoch: u32, seq: u64, code: Code, handle: Option<u32>) {
        let mut refusals = self.refusals.borrow_mut();
        let refusal = refusals.entry((lane, code)).or_insert(Refusal {
            lane,
            epoch,
            first_seq: seq,
            last_seq: seq,
            count: 0,
            code,
            handle,
        });
        refusal.last_seq = refusal.last_seq.max(seq);
        refusal.count = refusal.count.saturating_add(1);
        if refusal.count == 1 {
            self.ready.notify_one();
        }
    }

    /// Whether this is the first refusal with this code on this session: then it is logged.
    pub(crate) fn is_first(&self, code: Code) -> bool {
        self.logged.borrow_mut().insert(code)
    }

    /// Takes all answers.
    pub(crate) fn take(&self) -> VecDeque<Frame> {
        std::mem::take(&mut *self.frames.borrow_mut())
    }

    /// Takes refusals, joined by lane and code; those of pings only if they may be told now.
    pub(crate) fn take_refusals(&self, are_pings_due: bool) -> Vec<Refusal> {
        let is_due = |(lane, _): &(Lane, Code)| are_pings_due || *lane != Lane::Ping;
        let mut refusals = self.refusals.borrow_mut();
        refusals.extract_if(.., |key, _| is_due(key)).map(|(_, refusal)| refusal).collect()
    }

    /// Waits until there may be something.
    pub(crate) async fn ready(&self) {
        self.ready.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_of_one_kind_are_told_together() {
        let out = ControlOut::default();
        for seq in 5..1_000 {
            out.refuse(Lane::Ping, 2, seq, Code::NotANumber, Some(3));
        }
        out.refuse(Lane::Ping, 2, 1_000, Code::OutOfRange, None);
        out.refuse(Lane::Door, 2, 1, Code::UnknownThing, None);
        let at_once = out.take_refusals(false);
        assert_eq!(at_once.iter().map(|it| it.lane).collect::<Vec<_>>(), [Lane::Door]);
        let told = out.take_refusals(true);
        assert_eq!(told.len(), 2);
        let first = &told[0];
        assert_eq!((first.first_seq, first.last_seq, first.count), (5, 999, 995));
        assert_eq!((first.code, first.handle, first.epoch), (Code::NotANumber, Some(3), 2));
        assert_eq!(out.take_refusals(true), []);
    }

    #[test]
    fn a_kind_of_refusal_is_logged_once_a_session() {
        let out = ControlOut::default();
        assert!(out.is_first(Code::NotANumber));
        assert!(!out.is_first(Code::NotANumber));
    }

    #[test]
    fn a_peer_that_reads_no_answers_is_noticed() {
        let out = ControlOut::default();
        let answer = || ach_engine_wire::ClockOffset { offset_ns: 1 };
        for _ in 0..FRAMES_MAX {
            assert_eq!(out.push(answer()), Ok(()));
        }
        assert_eq!(out.push(answer()), Err(Unread));
    }
}
