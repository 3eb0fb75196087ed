//! What was published on a lane and is not durable yet. Pure: it knows no socket and no clock.
//!
//! ```text
//!        first           unsent         credit        next
//!   ... | sent, not durable | may be sent | must wait | ...     tickets
//! ```
//!
//! Over a reconnect within an epoch everything after `durable_through` is sent again under the same
//! sequence numbers; in a new epoch it is numbered anew from 1.

use std::collections::{BTreeSet, VecDeque};

use ach_engine_wire::{Ack, LaneTotals, LaneWelcome};
use thiserror::Error;

use crate::LaneProgress;

/// Epochs whose numbering is remembered, so that an alarm's cause can still be traced.
const EPOCHS_REMEMBERED: usize = 64;

/// Refused inputs that are remembered: as many as a node remembers of a lane.
const REFUSED_REMEMBERED: usize = 4_096;

/// Why a lane cannot go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum OutboxError {
    /// As much waits as may.
    #[error("{capacity} inputs are not durable yet, wait for room or drop this one")]
    Full {
        /// How many may wait.
        capacity: usize,
    },
    /// The node has forgotten what it had said was durable.
    #[error("the node has forgotten inputs it had acknowledged, a new epoch is needed")]
    NodeIsBehind,
}

#[derive(Debug, Clone, Copy)]
struct Epoch {
    epoch: u32,
    /// Ticket less sequence number.
    base: u64,
}

/// The inputs of one lane.
#[derive(Debug)]
pub struct LaneOutbox<T> {
    items: VecDeque<T>,
    first: u64,
    unsent: u64,
    /// Greatest ticket ever sent.
    sent_through: u64,
    credit_through: u64,
    epochs: VecDeque<Epoch>,
    capacity: usize,
    progress: LaneProgress,
    totals_before: LaneTotals,
    /// Greatest ticket that was given up.
    unkept_through: u64,
    /// Tickets the node refused, as far as none that it took is known to be durable after them. They
    /// are durable to us and in no journal.
    refused: BTreeSet<u64>,
    is_node_storing: bool,
}

impl<T: Clone> LaneOutbox<T> {
    /// An outbox that keeps at most `capacity` inputs, but one at least.
    pub fn new(capacity: usize) -> LaneOutbox<T> {
        LaneOutbox {
            items: VecDeque::new(),
            first: 1,
            unsent: 1,
            sent_through: 0,
            credit_through: 0,
            epochs: VecDeque::new(),
            capacity: capacity.max(1),
            progress: LaneProgress::default(),
            totals_before: LaneTotals::default(),
            unkept_through: 0,
            refused: BTreeSet::new(),
            is_node_storing: true,
        }
    }

    /// Goes on where an earlier life of the vendor left off: in this epoch, with tickets that are
    /// `base` ahead of sequence numbers, `durable_through` on the node's disk, and inputs from
    /// `first` on kept. Push those with [`LaneOutbox::push_kept`].
    pub fn restore(&mut self, epoch: u32, base: u64, durable_through: u64, first: u64) {
        let before = first.saturating_sub(1);
        self.epochs = VecDeque::from_iter((epoch > 0).then_some(Epoch { epoch, base }));
        self.first = first;
        self.unsent = first;
        self.sent_through = before;
        self.progress.epoch = epoch;
        self.progress.published_through = before;
        self.progress.durable_through = durable_through.min(before);
        self.progress.accepted_through = self.progress.durable_through;
    }

    /// Of what is durable the node took, in an earlier life of the vendor, what lies up to this ticket, and
    /// refused the rest.
    pub fn restore_taken(&mut self, taken_through: u64) {
        let durable_through = self.progress.durable_through;
        self.excuse(taken_through.saturating_add(1), durable_through);
    }

    /// Adds an input that was published in an earlier life, whether or not there is room. It counts
    /// as sent, because it may have been.
    pub fn push_kept(&mut self, item: T) {
        self.items.push_back(item);
        self.progress.published_through = self.progress.published_through.saturating_add(1);
        self.sent_through = self.progress.published_through;
    }

    /// How many inputs it keeps at most.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Keeps an input and gives its ticket's number.
    ///
    /// # Errors
    ///
    /// [`OutboxError::Full`].
    pub fn push(&mut self, item: T) -> Result<u64, OutboxError> {
        if self.items.len() >= self.capacity && !self.give_up() {
            return Err(OutboxError::Full { capacity: self.capacity });
        }
        self.items.push_back(item);
        self.progress.published_through = self.progress.published_through.saturating_add(1);
        Ok(self.progress.published_through)
    }

    /// The input under a ticket, if it waits and was never sent.
    pub fn unsent(&self, number: u64) -> Option<&T> {
        self.items.get(self.unsent_place(number)?)
    }

    /// The greatest ticket that was ever sent.
    pub fn sent_through(&self) -> u64 {
        self.sent_through
    }

    /// Whether something waits that the node would take at once: it has given credit for it.
    pub fn has_sendable(&self) -> bool {
        let has_credit = self.unsent <= self.credit_through;
        has_credit && self.unsent <= self.progress.published_through && !self.epochs.is_empty()
    }

    fn unsent_place(&self, number: u64) -> Option<usize> {
        let was_sent = number <= self.sent_through;
        if was_sent { None } else { usize::try_from(number.checked_sub(self.first)?).ok() }
    }

    /// Counts an input that gives way to another before either has a number on the wire. With `newer` that
    /// takes the place of the one under this ticket; without, it is the one that came. False if what
    /// waits there was sent, or nothing does: then nothing changes.
    pub fn give_way(&mut self, number: u64, newer: Option<T>) -> bool {
        let place = self.unsent_place(number);
        let Some(slot) = place.and_then(|place| self.items.get_mut(place)) else { return false };
        if let Some(newer) = newer {
            *slot = newer;
        }
        self.progress.gave_way_count = self.progress.gave_way_count.saturating_add(1);
        true
    }

    /// How many more may be pushed.
    pub fn room(&self) -> usize {
        let free = self.capacity.saturating_sub(self.items.len());
        if free == 0 { self.decided_count().min(self.give_up_max()) } else { free }
    }

    /// Says whether the node stores. While it does not, nothing becomes durable: to go on, what was
    /// decided on longest ago is given up when there is no room.
    pub fn on_storing(&mut self, is_node_storing: bool) {
        self.is_node_storing = is_node_storing;
    }

    /// How many of the items kept may be given up: decided on by a node that does not store.
    fn decided_count(&self) -> usize {
        let decided = self.progress.accepted_through.saturating_add(1).saturating_sub(self.first);
        let count = usize::try_from(decided).unwrap_or(usize::MAX).min(self.items.len());
        if self.is_node_storing { 0 } else { count }
    }

    /// A quarter at a time, so that as much as possible is still there when the node is back.
    fn give_up_max(&self) -> usize {
        (self.capacity / 4).max(1)
    }

    fn give_up(&mut self) -> bool {
        let count = self.decided_count().min(self.give_up_max());
        self.items.drain(..count);
        let given_up = u64::try_from(count).unwrap_or(0);
        self.first = self.first.saturating_add(given_up);
        self.unsent = self.unsent.max(self.first);
        self.unkept_through = self.unkept_through.max(self.first.saturating_sub(1));
        self.progress.unkept_count = self.progress.unkept_count.saturating_add(given_up);
        count > 0
    }

    /// How far it has come.
    pub fn progress(&self) -> LaneProgress {
        self.progress
    }

    /// The epoch in force and the greatest sequence number sent in it, to resume with.
    pub fn resume(&self) -> Option<(u32, u64)> {
        let epoch = self.epochs.back()?;
        Some((epoch.epoch, self.sent_through.saturating_sub(epoch.base)))
    }

    /// The epoch in force and by how much tickets are ahead of its sequence numbers.
    pub fn epoch_base(&self) -> Option<(u32, u64)> {
        self.epochs.back().map(|epoch| (epoch.epoch, epoch.base))
    }

    /// Takes the next inputs to send, at most `count_max` and only as far as credit reaches and
    /// `is_ready` holds; appends them to `out` and gives the first one's sequence number.
    pub fn take(
        &mut self,
        count_max: usize,
        is_ready: impl Fn(&T) -> bool,
        out: &mut Vec<T>,
    ) -> Option<u64> {
        let base = self.epochs.back()?.base;
        let skipped = usize::try_from(self.unsent.saturating_sub(self.first)).ok()?;
        let credit =
            usize::try_from(self.credit_through.saturating_add(1).saturating_sub(self.unsent))
                .unwrap_or(usize::MAX);
        let start = out.len();
        let ready = self.items.range(skipped.min(self.items.len())..);
        out.extend(ready.take(count_max.min(credit)).take_while(|item| is_ready(item)).cloned());
        let count = u64::try_from(out.len().saturating_sub(start)).unwrap_or(0);
        if count == 0 {
            return None;
        }
        let first_seq = self.unsent.saturating_sub(base);
        self.unsent = self.unsent.saturating_add(count);
        let last = self.unsent.saturating_sub(1);
        let fresh = last.saturating_sub(self.sent_through).min(count);
        self.sent_through = self.sent_through.max(last);
        self.progress.sent_count = self.progress.sent_count.saturating_add(count);
        self.progress.resent_count =
            self.progress.resent_count.saturating_add(count.saturating_sub(fresh));
        Some(first_seq)
    }

    /// Applies an ack. One of another epoch changes nothing, and cursors never go back.
    pub fn on_ack(&mut self, ack: &Ack) {
        let Some(current) = self.epochs.back().copied() else { return };
        if current.epoch != ack.epoch {
            return;
        }
        let last = self.unsent.saturating_sub(1);
        let ticket = |seq: u64| seq.saturating_add(current.base);
        let accepted = ticket(ack.accepted_through).min(last);
        let durable = ticket(ack.durable_through).min(last);
        self.progress.accepted_through = self.progress.accepted_through.max(accepted);
        self.credit_through = self.credit_through.max(ticket(ack.credit_through));
        self.progress.totals = sum(self.totals_before, ack.totals);
        self.forget(durable);
    }

    /// The node has refused these numbers of an epoch, or the first, the last and some between. A node that
    /// starts again does not know of it: what it refused is in no journal.
    pub fn on_refused(&mut self, epoch: u32, numbers: std::ops::RangeInclusive<u64>) {
        let Some(base) = self.epochs.back().filter(|it| it.epoch == epoch).map(|it| it.base) else {
            return;
        };
        let (first, last) = numbers.into_inner();
        let last = last.saturating_add(base).min(self.sent_through);
        self.excuse(first.saturating_add(base), last);
    }

    /// Notes tickets as refused. Of too many the last are remembered: it is looked for from the end.
    fn excuse(&mut self, first: u64, last: u64) {
        let most = u64::try_from(REFUSED_REMEMBERED).unwrap_or(u64::MAX);
        let from = first.max(last.saturating_add(1).saturating_sub(most));
        self.refused.extend(from..=last);
        while self.refused.len() > REFUSED_REMEMBERED {
            self.refused.pop_first();
        }
    }

    /// What the node took after a refused one, and has on disk, it knows after a start as well.
    fn forget_refused(&mut self) {
        let taken = self.taken_through();
        self.refused = self.refused.split_off(&taken);
    }

    /// The last durable ticket that was not refused: the node has it in its journal.
    pub fn taken_through(&self) -> u64 {
        let durable_through = self.progress.durable_through;
        let descending = (0..=durable_through).rev();
        let mut refused = self.refused.range(..=durable_through).rev().peekable();
        descending
            .zip(std::iter::from_fn(|| Some(refused.next().copied())))
            .find(|(ticket, refused)| Some(*ticket) != *refused)
            .map_or(0, |(ticket, _)| ticket)
    }

    /// Applies the node's welcome, after a connect or reconnect.
    ///
    /// # Errors
    ///
    /// [`OutboxError::NodeIsBehind`]; say hello again without resuming.
    pub fn on_welcome(&mut self, welcome: &LaneWelcome) -> Result<(), OutboxError> {
        let goes_on = self.epochs.back().filter(|current| current.epoch == welcome.epoch).copied();
        let base = match goes_on {
            Some(current) => current.base,
            None => self.begin_epoch(welcome.epoch),
        };
        let ticket = |seq: u64| seq.saturating_add(base);
        let durable = ticket(welcome.durable_through).min(self.sent_through.max(base));
        if durable < self.taken_through() {
            return Err(OutboxError::NodeIsBehind);
        }
        self.forget(durable);
        let accepted = ticket(welcome.accepted_through).min(self.sent_through);
        self.progress.accepted_through = accepted.max(self.progress.durable_through);
        self.unsent = self.first;
        self.credit_through = ticket(welcome.credit_through);
        Ok(())
    }

    /// Which ticket a sequence number of an epoch stands for, if the epoch is remembered.
    pub fn ticket_of(&self, epoch: u32, seq: u64) -> Option<u64> {
        let epoch = self.epochs.iter().rev().find(|known| known.epoch == epoch)?;
        Some(seq.saturating_add(epoch.base))
    }

    fn begin_epoch(&mut self, epoch: u32) -> u64 {
        let base = self.first.saturating_sub(1);
        if self.epochs.len() >= EPOCHS_REMEMBERED {
            self.epochs.pop_front();
        }
        self.epochs.push_back(Epoch { epoch, base });
        self.totals_before = self.progress.totals;
        self.progress.epoch = epoch;
        self.progress.accepted_through = self.progress.durable_through;
        base
    }

    fn forget(&mut self, durable: u64) {
        // What was given up is not durable because a new epoch begins after it.
        if durable <= self.progress.durable_through || durable <= self.unkept_through {
            return;
        }
        let count = durable.saturating_add(1).saturating_sub(self.first);
        let count = usize::try_from(count).unwrap_or(usize::MAX).min(self.items.len());
        self.items.drain(..count);
        self.first = self.first.max(durable.saturating_add(1));
        self.unsent = self.unsent.max(self.first);
        self.progress.durable_through = durable;
        self.progress.accepted_through = self.progress.accepted_through.max(durable);
        self.forget_refused();
    }
}

fn sum(before: LaneTotals, now: LaneTotals) -> LaneTotals {
    LaneTotals {
        accepted: before.accepted.saturating_add(now.accepted),
        duplicate: before.duplicate.saturating_add(now.duplicate),
        late: before.late.saturating_add(now.late),
        refused: before.refused.saturating_add(now.refused),
        conflated: before.conflated.saturating_add(now.conflated),
    }
}

#[cfg(test)]
mod tests;
