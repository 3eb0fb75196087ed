//! What a node knows beside its shard, and a replay would find again: what became of the inputs of
//! each feed, and the latest durable notices.
//!
//! The shard's thread keeps one of its own, so that a checkpoint can be made of it at the very entry
//! the shard's is made at.

use std::collections::BTreeMap;

use ach_actors_entities::{Accepted, Effect};
use ach_actors_model::{AlarmNotice, Lane, SourceRef};
use ach_engine_shard::OpenNotice;
use ach_engine_wire::{LaneTotals, Storage};
use serde::{Deserialize, Serialize};

use crate::ack_table::AckTable;
use crate::recent::{NoticeAt, RECENT_MAX, Recent};
use crate::told::{OpenAlarm, Told};

/// What became of one feed's inputs in the epoch in force.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
struct FeedTotals {
    epoch: u32,
    duress: LaneTotals,
    door: LaneTotals,
    ping: LaneTotals,
}

impl FeedTotals {
    fn lane_mut(&mut self, lane: Lane) -> &mut LaneTotals {
        match lane {
            Lane::Duress => &mut self.duress,
            Lane::Ping => &mut self.ping,
            Lane::Door | Lane::Audit | Lane::Console => &mut self.door,
        }
    }
}

/// What is told of a ledger at once.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct LedgerHead {
    feeds: BTreeMap<SourceRef, FeedTotals>,
    /// Every notice after this one is told.
    pub complete_after: NoticeAt,
    /// The last notice, whether it is still known or not.
    pub last: NoticeAt,
}

/// The ledger.
#[derive(Debug)]
pub(crate) struct Ledger {
    feeds: BTreeMap<SourceRef, FeedTotals>,
    recent: Recent,
}

impl Ledger {
    /// Nothing yet.
    pub(crate) fn new() -> Ledger {
        Ledger { feeds: BTreeMap::new(), recent: Recent::new(RECENT_MAX) }
    }

    /// Nothing yet, and few notices will be kept.
    #[cfg(test)]
    pub(crate) fn with_notices_max(notices_max: usize) -> Ledger {
        Ledger { feeds: BTreeMap::new(), recent: Recent::new(notices_max) }
    }

    /// One of a checkpoint; its notices are still to be [kept](Ledger::keep).
    pub(crate) fn restore(head: LedgerHead) -> Ledger {
        Ledger { feeds: head.feeds, recent: Recent::restore(RECENT_MAX, head.complete_after) }
    }

    /// The same with all its room taken, for who takes over effects on an alarm's way: see [`Recent::new`].
    pub(crate) fn settled_in(self) -> Ledger {
        Ledger { recent: self.recent.clone(), feeds: self.feeds }
    }

    /// Takes over the effects of an entry.
    pub(crate) fn note(&mut self, index: u64, effects: &[Effect]) {
        for (ordinal, effect) in (0..).zip(effects) {
            match effect {
                Effect::Alarm(notice) => self.keep(NoticeAt { index, ordinal }, notice.clone()),
                Effect::Accepted(accepted) => self.count(accepted),
                Effect::EpochOpened { source, epoch } => {
                    let feed = self.feeds.entry(*source).or_default();
                    if *epoch > feed.epoch {
                        *feed = FeedTotals { epoch: *epoch, ..FeedTotals::default() };
                    }
                }
                _ => {}
            }
        }
    }

    /// Keeps a notice that is later than all before it.
    pub(crate) fn keep(&mut self, at: NoticeAt, notice: AlarmNotice) {
        self.recent.push(at, notice);
    }

    fn count(&mut self, accepted: &Accepted) {
        let feed = self.feeds.entry(accepted.source).or_default();
        if accepted.epoch != feed.epoch {
            return;
        }
        let totals = feed.lane_mut(accepted.lane);
        let add = |total: &mut u64, count: u32| *total = total.saturating_add(count.into());
        add(&mut totals.accepted, accepted.accepted_count);
        add(&mut totals.duplicate, accepted.duplicate_count);
        add(&mut totals.late, accepted.late_count);
        add(&mut totals.refused, accepted.refused_count);
        add(&mut totals.conflated, accepted.conflated_count);
    }

    /// What a checkpoint tells of it at once.
    pub(crate) fn head(&self) -> LedgerHead {
        let (complete_after, last) = self.recent.span();
        LedgerHead { feeds: self.feeds.clone(), complete_after, last }
    }

    /// The last notice that is not known any more.
    pub(crate) fn complete_after(&self) -> NoticeAt {
        self.recent.complete_after()
    }

    /// Notices after one and up to another, at most `count_max`.
    pub(crate) fn notices(
        &self,
        after: NoticeAt,
        last: NoticeAt,
        count_max: usize,
    ) -> impl Iterator<Item = &(NoticeAt, AlarmNotice)> {
        let known = self.recent.after(after).notices;
        known.take_while(move |&&(at, _)| at <= last).take(count_max)
    }

    /// The feeds as sessions know them; how far they have come is the shard's to tell.
    pub(crate) fn acks(&self) -> AckTable {
        let mut acks = AckTable::default();
        for (&source, feed) in &self.feeds {
            acks.open_epoch(source, feed.epoch);
            let progress = acks.source(source);
            progress.lane_mut(Lane::Duress).totals = feed.duress;
            progress.lane_mut(Lane::Door).totals = feed.door;
            progress.lane_mut(Lane::Ping).totals = feed.ping;
        }
        acks
    }

    /// The alarms as subscribers know them, with those that are open.
    pub(crate) fn told<'a>(&self, open: impl Iterator<Item = &'a OpenNotice>) -> Told {
        let open = open.map(|one| {
            let at = NoticeAt { index: one.index, ordinal: one.ordinal };
            let storage = Storage::Durable;
            (one.notice.id, Box::new(OpenAlarm::new(one.notice.clone(), storage, at)))
        });
        let (_, durable_at) = self.recent.span();
        Told::durable(open.collect(), self.recent.clone(), durable_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_values::notice;

    fn accepted(epoch: u32, accepted_count: u32) -> Effect {
        Effect::Accepted(Accepted {
            source: SourceRef(2),
            lane: Lane::Ping,
            epoch,
            through_seq: 9,
            accepted_count,
            duplicate_count: 1,
            late_count: 0,
            refused_count: 0,
            conflated_count: 0,
        })
    }

    #[test]
    fn a_ledger_of_a_checkpoint_goes_on_as_the_one_it_was_made_of() {
        let mut ledger = Ledger::new();
        let opened = Effect::EpochOpened { source: SourceRef(2), epoch: 3 };
        ledger.note(1, &[opened, accepted(3, 5), accepted(2, 100)]);
        ledger.note(2, &[Effect::Alarm(notice(7)), accepted(3, 1), Effect::Alarm(notice(8))]);
        let head = ledger.head();
        let mut again = Ledger::restore(head.clone());
        let at = |index, ordinal| NoticeAt { index, ordinal };
        let told: Vec<_> = ledger.notices(NoticeAt::default(), head.last, 10).cloned().collect();
        assert_eq!(told.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [at(2, 0), at(2, 2)]);
        for (at, notice) in told {
            again.keep(at, notice);
        }
        for ledger in [&mut ledger, &mut again] {
            ledger.note(3, &[Effect::Alarm(notice(9)), accepted(3, 10)]);
            let mut acks = ledger.acks();
            let totals = acks.source(SourceRef(2)).lane(Lane::Ping).totals;
            assert_eq!((totals.accepted, totals.duplicate), (16, 3), "of epoch 3 alone");
            assert_eq!(ledger.told([].iter()).durable_at, at(3, 0));
        }
        assert_eq!(again.head(), ledger.head());
    }

    #[test]
    fn notices_are_told_in_parts_and_only_up_to_the_last_of_the_checkpoint() {
        let mut ledger = Ledger::new();
        for index in 1..=5 {
            ledger.note(index, &[Effect::Alarm(notice(index.into()))]);
        }
        let last = ledger.head().last;
        ledger.note(6, &[Effect::Alarm(notice(6))]);
        let part = |after: u64, count| {
            let after = NoticeAt { index: after, ordinal: 0 };
            ledger.notices(after, last, count).map(|(at, _)| at.index).collect::<Vec<_>>()
        };
        assert_eq!(part(0, 2), [1, 2]);
        assert_eq!(part(2, 9), [3, 4, 5]);
        assert_eq!(part(5, 9), Vec::<u64>::new());
    }
}
