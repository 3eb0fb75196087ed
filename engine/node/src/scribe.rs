//! The shard's side of checkpoints: when one is made, and telling it slice by slice between turns.

use std::sync::Arc;
use std::task::{Context, Poll};

use ach_actors_entities::Effect;
use ach_engine_shard::{COPIES_MAX, Entry, SLICE_CELLS, Shard};
use ach_engine_wire::{encode_piece, encode_state};

use crate::coded_site::{CodedSite, follow_sites, forget_sites, has_all_sites};
use crate::counters::Counters;
use crate::keeper::{Keeper, Order, kind};
use crate::ledger::{Ledger, LedgerHead};
use crate::recent::NoticeAt;

/// When checkpoints are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckpointPolicy {
    /// Bytes of entries since the last one. Twice the size of the last checkpoint is waited for as
    /// well, so that a large site writes its state less often than its journal.
    pub journal_bytes: u64,
    /// Entries since the last one, should they be small.
    pub entries: u64,
    /// Whether the journal is kept though no start needs it.
    pub is_journal_kept: bool,
}

impl Default for CheckpointPolicy {
    /// 32 MiB of journal are 750,000 pings, or 100,000 entries of whatever else: read and decided
    /// again in about half a second on a slow machine, so that a start stays under two seconds even
    /// when the latest checkpoint is lost and the one before is used.
    fn default() -> CheckpointPolicy {
        CheckpointPolicy { journal_bytes: 32 << 20, entries: 100_000, is_journal_kept: false }
    }
}

/// How many pieces are told to the disk at a time: 64 KiB of them.
const CHUNK_BYTES: usize = 64 << 10;

/// While more waits for the shard, a slice is told every so many turns: copies excepted, a checkpoint
/// then takes less than a twentieth of its time.
const BUSY_TURNS: u32 = 4;

/// Notices a slice tells: 200 bytes each.
const SLICE_NOTICES: usize = 200;

/// What a look at the checkpoint came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    /// There is nothing to tell.
    Nothing,
    /// There is more to tell as soon as there is time.
    More,
    /// There is more to tell, but the disk must catch up first.
    Paused,
}

/// What the journal has after the entry of the latest checkpoint, or altogether without one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Since {
    pub bytes: u64,
    pub entries: u64,
}

impl Since {
    /// One more entry of so many bytes.
    pub(crate) fn add(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_add(u64::try_from(bytes).unwrap_or(0));
        self.entries = self.entries.saturating_add(1);
    }
}

/// A checkpoint that was given up is tried again after this share of the distance between two.
const RETRY_SHARE: u64 = 8;

/// How far the checkpoint under way is.
#[derive(Debug)]
enum Stage {
    Idle,
    /// The shard tells its pieces.
    Pieces {
        index: u64,
        ledger: Box<LedgerHead>,
    },
    /// Notices after one are told, and then the ledger as it was.
    Notices {
        index: u64,
        after: NoticeAt,
        ledger: Box<LedgerHead>,
    },
}

impl Stage {
    /// The entry whose checkpoint is told.
    fn index(&self) -> Option<u64> {
        match self {
            Stage::Idle => None,
            Stage::Pieces { index, .. } | Stage::Notices { index, .. } => Some(*index),
        }
    }
}

/// A checkpoint that was begun and not yet heard of again.
#[derive(Debug, Clone, Copy)]
struct Begun {
    index: u64,
    /// What the journal had then.
    since: Since,
}

/// What the shard's thread keeps for checkpoints.
#[derive(Debug)]
pub(crate) struct Scribe {
    ledger: Ledger,
    /// The versions of the site that something still goes by, coded.
    sites: Vec<CodedSite>,
    keeper: Option<Keeper>,
    policy: CheckpointPolicy,
    counters: Arc<Counters>,
    /// What the journal has after the entry of the last whole checkpoint.
    since: Since,
    begun: Option<Begun>,
    /// What it had when one was given up, until another one is whole.
    tried: Option<Since>,
    stage: Stage,
    chunk: Vec<u8>,
    /// Orders there was no room for yet.
    waiting: std::collections::VecDeque<Order>,
    turns: u32,
}

impl Scribe {
    /// One that goes on from a recovery, or makes no checkpoints without a keeper.
    pub(crate) fn new(
        (ledger, sites, since): (Ledger, Vec<CodedSite>, Since),
        keeper: Option<Keeper>,
        policy: CheckpointPolicy,
        counters: Arc<Counters>,
    ) -> Scribe {
        Scribe {
            ledger: ledger.settled_in(),
            sites,
            keeper,
            policy,
            counters,
            since,
            begun: None,
            tried: None,
            stage: Stage::Idle,
            chunk: Vec::new(),
            waiting: std::collections::VecDeque::new(),
            turns: 0,
        }
    }

    /// One that makes no checkpoints.
    #[cfg(test)]
    pub(crate) fn absent() -> Scribe {
        let past = (Ledger::new(), Vec::new(), Since::default());
        Scribe::new(past, None, CheckpointPolicy::default(), Arc::default())
    }

    /// Takes over what an entry came to.
    pub(crate) fn note(&mut self, entry: &Entry, effects: &[Effect], shard: &Shard) {
        if self.keeper.is_none() {
            return;
        }
        self.ledger.note(entry.index, effects);
        follow_sites(&mut self.sites, shard, &entry.inputs, effects);
    }

    /// An entry goes to the disk.
    pub(crate) fn stored(&mut self, bytes: usize) {
        self.since.add(bytes);
    }

    /// Whether a checkpoint is to be made of the entry that was just stepped.
    pub(crate) fn is_due(&mut self) -> bool {
        let Some(keeper) = &self.keeper else { return false };
        if self.stage.index().is_some() || !self.waiting.is_empty() || keeper.is_busy() {
            return false;
        }
        let is_lost = keeper.is_lost();
        let bytes = self.policy.journal_bytes.max(keeper.last_bytes().saturating_mul(2));
        self.hear_of_begun();
        let tried = self.tried.unwrap_or_default();
        let is_over = |now: u64, tried: u64, distance: u64| {
            now >= distance && (tried == 0 || now.saturating_sub(tried) >= distance / RETRY_SHARE)
        };
        let is_due = is_over(self.since.bytes, tried.bytes, bytes)
            || is_over(self.since.entries, tried.entries, self.policy.entries);
        is_due && !is_lost
    }

    /// What became of the checkpoint that was begun last: only a whole one shortens what a start has
    /// to decide again.
    fn hear_of_begun(&mut self) {
        let Some(Begun { index, since }) = self.begun.take() else { return };
        if self.keeper.as_ref().is_some_and(|keeper| keeper.has_finished(index)) {
            self.since.bytes = self.since.bytes.saturating_sub(since.bytes);
            self.since.entries = self.since.entries.saturating_sub(since.entries);
            self.tried = None;
        } else {
            self.tried = Some(self.since);
        }
    }

    /// Begins the checkpoint of the entry that was just stepped.
    pub(crate) fn begin(&mut self, shard: &mut Shard, index: u64) {
        let Some(keeper) = &self.keeper else { return };
        self.begun = Some(Begun { index, since: self.since });
        if !keeper.begin(index) {
            return;
        }
        forget_sites(&mut self.sites, shard);
        let head = shard.begin_checkpoint();
        let ledger = Box::new(self.ledger.head());
        self.stage = Stage::Pieces { index, ledger };
        let mut body = Vec::new();
        let is_coded = encode_state(&head, &mut body).is_ok();
        if !is_coded || !has_all_sites(&self.sites, shard) {
            self.counters.checkpoints_given_up.count();
            tracing::error!(index, is_coded, "a checkpoint cannot be made: a site is missing");
            self.give_up(shard);
            return;
        }
        self.send(Order::Section { kind: kind::HEAD, body });
        for coded in self.sites.clone() {
            self.send(Order::Site(coded));
        }
    }

    /// Tells what there is time for. `is_busy` says that more waits for the shard.
    pub(crate) fn tell(&mut self, shard: &mut Shard, is_busy: bool) -> Told {
        let is_open = self.stage.index().is_some() || !self.waiting.is_empty();
        if is_open && self.keeper.as_ref().is_some_and(Keeper::is_lost) {
            // It has said so itself. Nothing is kept for it.
            self.give_up(shard);
        }
        let Some(index) = self.stage.index() else { return self.flush() };
        let has_keeper = self.keeper.as_ref().is_some_and(Keeper::is_busy);
        let is_torn = matches!(self.stage, Stage::Pieces { .. })
            && (!shard.is_in_checkpoint() || shard.checkpoint_copy_count() > COPIES_MAX);
        if !has_keeper || is_torn {
            if has_keeper {
                self.counters.checkpoints_given_up.count();
                tracing::info!(index, "a checkpoint is given up; another one is tried later");
            }
            self.give_up(shard);
            return Told::Nothing;
        }
        if self.flush() == Told::Paused {
            return Told::Paused;
        }
        self.turns = self.turns.wrapping_add(1);
        let is_its_turn = !is_busy || self.turns.is_multiple_of(BUSY_TURNS);
        // What was copied in this turn is told in this turn, a slice at a time, or it would pile up.
        while shard.checkpoint_copy_count() >= SLICE_CELLS && self.waiting.is_empty() {
            self.slice(shard);
        }
        if is_its_turn && self.waiting.is_empty() {
            self.slice(shard);
        }
        match (self.stage.index(), self.waiting.is_empty()) {
            (_, false) => Told::Paused,
            (None, true) => Told::Nothing,
            (Some(_), true) => Told::More,
        }
    }

    fn slice(&mut self, shard: &mut Shard) {
        match std::mem::replace(&mut self.stage, Stage::Idle) {
            Stage::Idle => {}
            Stage::Pieces { index, ledger } => self.slice_pieces(shard, index, ledger),
            Stage::Notices { index, after, ledger } => self.slice_notices(index, after, ledger),
        }
    }

    fn slice_pieces(&mut self, shard: &mut Shard, index: u64, ledger: Box<LedgerHead>) {
        let chunk = &mut self.chunk;
        let mut is_coded = true;
        let is_whole = shard.checkpoint_slice(&mut |piece| {
            is_coded &= encode_piece(&piece, chunk).is_ok();
        });
        let after = ledger.complete_after;
        self.stage = if is_whole {
            Stage::Notices { index, after, ledger }
        } else {
            Stage::Pieces { index, ledger }
        };
        if !is_coded {
            self.give_up(shard);
            return;
        }
        if self.chunk.len() >= CHUNK_BYTES || (is_whole && !self.chunk.is_empty()) {
            let next = Vec::with_capacity(CHUNK_BYTES.saturating_mul(2));
            let body = std::mem::replace(&mut self.chunk, next);
            self.send(Order::Section { kind: kind::PIECES, body });
        }
    }

    /// Tells the next notices; after the last the ledger, which says from where on none is missing.
    fn slice_notices(&mut self, index: u64, after: NoticeAt, mut ledger: Box<LedgerHead>) {
        let gone = self.ledger.complete_after().min(ledger.last);
        if gone > after {
            // Later ones have taken the places of some that were not told yet.
            ledger.complete_after = gone;
        }
        let notices = self.ledger.notices(after, ledger.last, SLICE_NOTICES);
        let notices: Vec<_> = notices.cloned().collect();
        let mut body = Vec::new();
        if let Some(&(after, _)) = notices.last() {
            self.stage = Stage::Notices { index, after, ledger };
            // Notices have a fixed size: two hundred fit.
            if encode_state(&notices, &mut body).is_ok() {
                self.send(Order::Section { kind: kind::NOTICES, body });
            }
            return;
        }
        // Nine numbers a feed.
        if encode_state(&ledger, &mut body).is_ok() {
            self.send(Order::Section { kind: kind::LEDGER, body });
        }
        self.send(Order::End);
    }

    /// Gives an order, now or when there is room.
    fn send(&mut self, order: Order) {
        self.waiting.push_back(order);
        self.flush();
    }

    fn flush(&mut self) -> Told {
        while let Some(order) = self.waiting.pop_front() {
            let Some(keeper) = &self.keeper else { continue };
            if let Err(order) = keeper.order(order) {
                self.waiting.push_front(order);
                return Told::Paused;
            }
        }
        Told::Nothing
    }

    fn give_up(&mut self, shard: &mut Shard) {
        shard.end_checkpoint();
        if let (Some(keeper), Some(index)) = (&self.keeper, self.stage.index()) {
            keeper.give_up(index);
        }
        self.stage = Stage::Idle;
        self.waiting.clear();
        self.chunk.clear();
    }

    /// Makes no more checkpoints.
    pub(crate) fn begin_close(&mut self, shard: &mut Shard) {
        self.give_up(shard);
        if let Some(keeper) = &mut self.keeper {
            keeper.begin_close();
        }
    }

    /// Ready once the thread has ended.
    pub(crate) fn poll_closed(&mut self, cx: &Context<'_>) -> Poll<()> {
        self.keeper.as_mut().map_or(Poll::Ready(()), |keeper| keeper.poll_closed(cx))
    }
}

#[cfg(test)]
mod tests;
