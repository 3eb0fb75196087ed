//! How far each feed has come on each lane, as its session tells it.
//!
//! The shard's verdicts come in as [`Accepted`], the disk's as the same value once more when its
//! entry is durable. Numbers that a session refused by itself (the shard never sees a report that
//! names an unknown tag) close the gaps between them.

use std::collections::BTreeMap;

use ach_actors_entities::Accepted;
use ach_actors_model::{Lane, SourceRef};
use ach_engine_wire::LaneTotals;
use tokio::sync::watch;

use crate::planted::{PlantedBug, is_planted};

/// The lanes a vendor may use.
pub(crate) const VENDOR_LANES: [Lane; 3] = [Lane::Duress, Lane::Door, Lane::Ping];

/// Runs of refused numbers remembered a lane. A session that refuses more, with reports between them that
/// are not decided on, has its refusals acked late, which only costs the vendor memory.
const REFUSED_MAX: usize = 4_096;

/// How far one lane has come.
#[derive(Debug, Clone, Default)]
pub(crate) struct LaneProgress {
    /// Every number up to this one has been decided on.
    pub accepted_through: u64,
    /// Every number up to this one is on disk.
    pub durable_through: u64,
    /// Every number up to this one was given to the shard.
    pub sent_through: u64,
    /// What became of them.
    pub totals: LaneTotals,
    /// Numbers that the shard does not decide on, by runs: first and last.
    refused: BTreeMap<u64, u64>,
}

impl LaneProgress {
    /// The session refuses `seq`, which is the next number on its lane.
    pub(crate) fn refuse(&mut self, seq: u64) {
        if !is_planted(PlantedBug::RefusedNotCounted) {
            self.totals.refused = self.totals.refused.saturating_add(1);
        }
        self.pass(seq, seq);
    }

    /// The vendor begins a session with `first_seq`, after all it has sent. What it leaves out below that
    /// was decided before: what this node does not know of, it refused before it started.
    pub(crate) fn leave_out_before(&mut self, first_seq: u64) {
        let first = self.accepted_through.saturating_add(1);
        if first < first_seq {
            self.pass(first, first_seq.saturating_sub(1));
        }
    }

    /// Goes past numbers that the shard never sees. Runs that touch become one.
    fn pass(&mut self, first: u64, last: u64) {
        let (mut first, mut last) = (first, last);
        let before = self.refused.range(..=first).next_back();
        if let Some((&start, &end)) = before.filter(|(_, end)| end.saturating_add(1) >= first) {
            (first, last) = (start, last.max(end));
        }
        while let Some((&start, &end)) = self.refused.range(first..=last.saturating_add(1)).next() {
            last = last.max(end);
            self.refused.remove(&start);
        }
        if self.refused.len() < REFUSED_MAX {
            self.refused.insert(first, last);
        }
        self.accepted_through = self.close_gaps(self.accepted_through);
        self.durable_through = self.close_gaps(self.durable_through);
        self.forget();
    }

    fn close_gaps(&self, through: u64) -> u64 {
        let mut through = through;
        while let Some((_, &last)) = self.refused.range(..=through.saturating_add(1)).next_back()
            && last > through
        {
            through = last;
        }
        through
    }

    fn forget(&mut self) {
        let durable_through = self.durable_through;
        while self.refused.first_key_value().is_some_and(|(_, &last)| last <= durable_through) {
            self.refused.pop_first();
        }
    }
}

/// How far one feed has come.
#[derive(Debug, Default)]
pub(crate) struct SourceProgress {
    /// The epoch in force; 0 before the first.
    pub epoch: u32,
    /// The greatest epoch that the shard was asked to open, by whichever connection of the feed.
    pub asked_epoch: u32,
    lanes: [LaneProgress; 3],
    /// Whether a change of the ping lane was told and not yet acked: one wake-up an ack is enough.
    pub is_ping_noted: bool,
    /// Whoever acks for this feed is told of every change.
    pub changed: watch::Sender<()>,
}

impl SourceProgress {
    /// How far it has come on a lane.
    pub(crate) fn lane(&self, lane: Lane) -> &LaneProgress {
        let [duress, door, ping] = &self.lanes;
        match lane {
            Lane::Duress => duress,
            Lane::Ping => ping,
            Lane::Door | Lane::Audit | Lane::Console => door,
        }
    }

    /// How far it has come on a lane.
    pub(crate) fn lane_mut(&mut self, lane: Lane) -> &mut LaneProgress {
        let [duress, door, ping] = &mut self.lanes;
        match lane {
            Lane::Duress => duress,
            Lane::Ping => ping,
            Lane::Door | Lane::Audit | Lane::Console => door,
        }
    }

    /// Wakes whoever acks.
    fn note(&mut self, lane: Lane) {
        if lane != Lane::Ping || !std::mem::replace(&mut self.is_ping_noted, true) {
            self.changed.send_replace(());
        }
    }

    /// Whether the epoch in force will stay: no connection has asked for a later one.
    pub(crate) fn is_epoch_certain(&self) -> bool {
        self.epoch > 0 && self.asked_epoch <= self.epoch
    }

    /// Whether the shard has decided on all it was given.
    pub(crate) fn is_settled(&self) -> bool {
        self.lanes.iter().all(|lane| lane.accepted_through >= lane.sent_through)
    }
}

/// All feeds.
#[derive(Debug, Default)]
pub(crate) struct AckTable {
    sources: BTreeMap<SourceRef, SourceProgress>,
}

impl AckTable {
    /// A feed.
    pub(crate) fn source(&mut self, source: SourceRef) -> &mut SourceProgress {
        self.sources.entry(source).or_default()
    }

    /// After recovery: what the shard knows is on disk.
    pub(crate) fn recover(&mut self, source: SourceRef, lane: Lane, epoch: u32, through: u64) {
        let progress = self.source(source);
        progress.epoch = progress.epoch.max(epoch);
        let lane = progress.lane_mut(lane);
        lane.accepted_through = through;
        lane.durable_through = through;
        lane.sent_through = through;
    }

    /// A new epoch is in force and on disk, or as good as: its lanes begin anew.
    pub(crate) fn open_epoch(&mut self, source: SourceRef, epoch: u32) {
        let progress = self.source(source);
        if epoch > progress.epoch {
            progress.epoch = epoch;
            progress.lanes = Default::default();
        }
        progress.changed.send_replace(());
    }

    /// The shard has decided.
    pub(crate) fn accepted(&mut self, accepted: &Accepted) {
        let progress = self.source(accepted.source);
        // A new epoch may be accepted before it is told to be open: both wait for the same disk.
        if accepted.epoch == progress.epoch {
            let lane = progress.lane_mut(accepted.lane);
            let through = lane.accepted_through.max(accepted.through_seq);
            lane.accepted_through = lane.close_gaps(through);
            let totals = &mut lane.totals;
            let add = |total: &mut u64, count: u32| *total = total.saturating_add(count.into());
            add(&mut totals.accepted, accepted.accepted_count);
            add(&mut totals.duplicate, accepted.duplicate_count);
            add(&mut totals.late, accepted.late_count);
            add(&mut totals.refused, accepted.refused_count);
            add(&mut totals.conflated, accepted.conflated_count);
        }
        progress.note(accepted.lane);
    }

    /// The disk has what the shard decided.
    pub(crate) fn durable(&mut self, accepted: &Accepted) {
        let progress = self.source(accepted.source);
        if accepted.epoch == progress.epoch {
            let lane = progress.lane_mut(accepted.lane);
            let through = lane.durable_through.max(accepted.through_seq);
            lane.durable_through = lane.close_gaps(through);
            lane.forget();
        }
        progress.note(accepted.lane);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: SourceRef = SourceRef(3);

    fn accepted(through_seq: u64, accepted_count: u32) -> Accepted {
        Accepted {
            source: SOURCE,
            lane: Lane::Door,
            epoch: 1,
            through_seq,
            accepted_count,
            duplicate_count: 0,
            late_count: 0,
            refused_count: 0,
            conflated_count: 0,
        }
    }

    /// Plays words `accept N`, `durable N`, `refuse N` and checks both cursors after the last.
    #[track_caller]
    fn check(words: &str, accepted_through: u64, durable_through: u64) {
        let mut table = AckTable::default();
        table.open_epoch(SOURCE, 1);
        for word in words.split(", ") {
            let (verb, seq) = word.split_once(' ').unwrap();
            let seq = seq.parse().unwrap();
            match verb {
                "accept" => table.accepted(&accepted(seq, 1)),
                "durable" => table.durable(&accepted(seq, 1)),
                "refuse" => table.source(SOURCE).lane_mut(Lane::Door).refuse(seq),
                "begin" => table.source(SOURCE).lane_mut(Lane::Door).leave_out_before(seq),
                "recover" => table.recover(SOURCE, Lane::Door, 1, seq),
                other => panic!("{other}"),
            }
        }
        let lane = table.source(SOURCE).lane(Lane::Door);
        assert_eq!(
            (lane.accepted_through, lane.durable_through),
            (accepted_through, durable_through)
        );
    }

    #[test]
    fn a_recovery_keeps_what_became_of_the_inputs() {
        let mut table = AckTable::default();
        table.open_epoch(SOURCE, 1);
        table.accepted(&accepted(5, 5));
        table.recover(SOURCE, Lane::Door, 1, 5);
        let lane = table.source(SOURCE).lane(Lane::Door);
        assert_eq!((lane.totals.accepted, lane.durable_through), (5, 5));
    }

    #[test]
    fn cursors_follow_the_shard_and_the_disk() {
        check("accept 1, accept 2, durable 1", 2, 1);
        check("accept 2, durable 2, durable 1", 2, 2);
    }

    #[test]
    fn what_a_session_refused_counts_as_decided_on_and_as_durable_in_its_turn() {
        check("refuse 1", 1, 1);
        check("accept 1, refuse 2, refuse 3", 3, 0);
        check("accept 1, refuse 2, refuse 3, durable 1", 3, 3);
        check("refuse 2, refuse 3, accept 1, durable 1", 3, 3);
        check("accept 1, refuse 3", 1, 0);
        check("accept 1, refuse 3, accept 2", 3, 0);
        check("refuse 3, refuse 5, refuse 4, accept 2, durable 2", 5, 5);
        check("refuse 7, refuse 8, refuse 7, accept 6, durable 6", 8, 8);
        check("accept 5, refuse 8, begin 12, durable 7", 11, 11);
    }

    #[test]
    fn what_a_vendor_leaves_out_when_it_begins_was_decided_before() {
        check("recover 5, begin 7, refuse 7", 7, 7);
        check("recover 5, begin 8, accept 8", 8, 7);
        check("recover 5, begin 8, refuse 8, begin 10, refuse 10", 10, 10);
        check("recover 5, begin 6, accept 6", 6, 5);
        // Decided on and not on disk: leaving it out makes it no more durable.
        check("accept 5, begin 4", 5, 0);
        check("accept 5, begin 7, refuse 7", 7, 0);
        check("accept 5, begin 7, refuse 7, durable 5", 7, 7);
    }

    #[test]
    fn a_new_epoch_begins_anew_and_an_old_one_says_nothing() {
        let mut table = AckTable::default();
        table.recover(SOURCE, Lane::Door, 1, 9);
        assert_eq!(table.source(SOURCE).lane(Lane::Door).durable_through, 9);
        table.open_epoch(SOURCE, 2);
        assert_eq!(table.source(SOURCE).lane(Lane::Door).accepted_through, 0);
        table.accepted(&accepted(12, 1));
        assert_eq!(table.source(SOURCE).lane(Lane::Door).accepted_through, 0);
        table.open_epoch(SOURCE, 1);
        assert_eq!(table.source(SOURCE).epoch, 2);
    }
}
