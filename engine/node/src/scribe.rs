//! The shard's side of checkpoints: when one is made, and telling it slice by slice between turns.

use std::sync::Arc;
use std::task::{Context, Poll};

use ach_actors_entities::{Effect, Site};
use ach_actors_model::SiteConfig;
use ach_engine_shard::{COPIES_MAX, Entry, Input, SLICE_CELLS, Shard};
use ach_engine_wire::{encode_piece, encode_state};

use crate::counters::Counters;
use crate::keeper::{CodedSite, Keeper, Order, kind};
use crate::ledger::Ledger;
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

/// How far the checkpoint under way is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Idle,
    /// The shard tells its pieces.
    Pieces {
        index: u64,
        last: NoticeAt,
    },
    /// Notices after one are told.
    Notices {
        index: u64,
        after: NoticeAt,
        last: NoticeAt,
    },
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
    since: Since,
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
            ledger,
            sites,
            keeper,
            policy,
            counters,
            since,
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
        let is_new_site = |effect: &Effect| matches!(effect, Effect::SiteInForce { .. });
        if effects.iter().any(is_new_site)
            && let Some(site) = shard.site()
        {
            self.take_site(entry, site);
            self.forget_sites(shard);
        }
    }

    fn take_site(&mut self, entry: &Entry, site: &Arc<Site>) {
        let config = entry.inputs.iter().rev().find_map(|input| match input {
            Input::SiteChange(config) if config.version == site.version() => Some(&**config),
            _ => None,
        });
        match config.map(|config| coded_site(site, config)) {
            Some(Ok(coded)) => self.sites.push(coded),
            // A site that was journaled can be coded.
            Some(Err(_)) | None => self.keeper = None,
        }
    }

    /// Lets go of versions that nothing goes by any more.
    fn forget_sites(&mut self, shard: &Shard) {
        let in_use: Vec<u32> = shard.sites_in_use().iter().map(|site| site.version()).collect();
        self.sites.retain(|coded| in_use.contains(&coded.site.version()));
    }

    /// An entry goes to the disk.
    pub(crate) fn stored(&mut self, bytes: usize) {
        self.since.add(bytes);
    }

    /// Whether a checkpoint is to be made of the entry that was just stepped.
    pub(crate) fn is_due(&self) -> bool {
        let Some(keeper) = &self.keeper else { return false };
        let bytes = self.policy.journal_bytes.max(keeper.last_bytes().saturating_mul(2));
        let is_due = self.since.bytes >= bytes || self.since.entries >= self.policy.entries;
        is_due && self.stage == Stage::Idle && self.waiting.is_empty() && !keeper.is_busy()
    }

    /// Begins the checkpoint of the entry that was just stepped.
    pub(crate) fn begin(&mut self, shard: &mut Shard, index: u64) {
        let Some(keeper) = &self.keeper else { return };
        self.since = Since::default();
        if !keeper.begin(index) {
            return;
        }
        self.forget_sites(shard);
        let head = shard.begin_checkpoint();
        let ledger = self.ledger.head();
        self.stage = Stage::Pieces { index, last: ledger.last };
        let (mut body, mut ledger_body) = (Vec::new(), Vec::new());
        let coded = encode_state(&head, &mut body);
        if coded.and_then(|()| encode_state(&ledger, &mut ledger_body)).is_err() {
            self.give_up(shard);
            return;
        }
        self.send(Order::Section { kind: kind::HEAD, body });
        for coded in self.sites.clone() {
            self.send(Order::Site(coded));
        }
        self.send(Order::Section { kind: kind::LEDGER, body: ledger_body });
    }

    /// Tells what there is time for. `is_busy` says that more waits for the shard.
    pub(crate) fn tell(&mut self, shard: &mut Shard, is_busy: bool) -> Told {
        let (Stage::Pieces { index, .. } | Stage::Notices { index, .. }) = self.stage else {
            return self.flush();
        };
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
        match (self.stage, self.waiting.is_empty()) {
            (_, false) => Told::Paused,
            (Stage::Idle, true) => Told::Nothing,
            (_, true) => Told::More,
        }
    }

    fn slice(&mut self, shard: &mut Shard) {
        match self.stage {
            Stage::Idle => {}
            Stage::Pieces { index, last } => self.slice_pieces(shard, index, last),
            Stage::Notices { index, after, last } => self.slice_notices(index, after, last),
        }
    }

    fn slice_pieces(&mut self, shard: &mut Shard, index: u64, last: NoticeAt) {
        let chunk = &mut self.chunk;
        let mut is_coded = true;
        let is_whole = shard.checkpoint_slice(&mut |piece| {
            is_coded &= encode_piece(&piece, chunk).is_ok();
        });
        if !is_coded {
            self.give_up(shard);
            return;
        }
        if is_whole {
            self.stage = Stage::Notices { index, after: NoticeAt::default(), last };
        }
        if self.chunk.len() >= CHUNK_BYTES || (is_whole && !self.chunk.is_empty()) {
            let next = Vec::with_capacity(CHUNK_BYTES.saturating_mul(2));
            let body = std::mem::replace(&mut self.chunk, next);
            self.send(Order::Section { kind: kind::PIECES, body });
        }
    }

    fn slice_notices(&mut self, index: u64, after: NoticeAt, last: NoticeAt) {
        let notices: Vec<_> = self.ledger.notices(after, last, SLICE_NOTICES).copied().collect();
        let Some(&(after, _)) = notices.last() else {
            self.send(Order::End);
            self.stage = Stage::Idle;
            return;
        };
        self.stage = Stage::Notices { index, after, last };
        let mut body = Vec::new();
        // Notices have a fixed size: two hundred fit.
        if encode_state(&notices, &mut body).is_ok() {
            self.send(Order::Section { kind: kind::NOTICES, body });
        }
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
        if let (Some(keeper), Stage::Pieces { index, .. } | Stage::Notices { index, .. }) =
            (&self.keeper, self.stage)
        {
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

/// A version of the site as a checkpoint keeps it.
pub(crate) fn coded_site(
    site: &Arc<Site>,
    config: &SiteConfig,
) -> Result<CodedSite, ach_engine_wire::StateError> {
    let mut bytes = Vec::new();
    encode_state(config, &mut bytes)?;
    Ok(CodedSite { site: Arc::clone(site), config: bytes.into() })
}
