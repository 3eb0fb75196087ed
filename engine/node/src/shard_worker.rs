//! One turn of a shard: take what waits, make an entry of it, step it, tell what follows.
//!
//! A plain struct without sockets or tasks; `shard_actor` gives it a thread. In every turn duress
//! and doors come first, then at most [`BATCH_PINGS_MAX`] pings. An entry with an alarm is encoded
//! and given to the disk only in the next turn, so that the alarm is on its way before.

use std::sync::Arc;
use std::task::{Context, Poll};

use ach_actors_entities::Effect;
use ach_actors_model::{AlarmKind, Lane, NS_PER_MS, NS_PER_S, PingBatch, SiteConfig, Timestamp};
use ach_engine_shard::{Entry, Input, LOGIC_VERSION, Shard};
use ach_engine_wire::encode_entry;

use crate::clock::{SKEW_MAX_NS, ShardClock};
use crate::commit_mark::{CommitMark, StoringStopped};
use crate::committer::Committer;
use crate::counters::Counters;
use crate::history_feed::{HistoryFeed, Step};
use crate::lanes::{Lanes, Ticketed};
use crate::outlet::{Outbound, Spout};
use crate::ping_buffer::BATCH_PINGS_MAX;
use crate::planted::{PlantedBug, is_planted};
use crate::scribe::{Scribe, Told};
use crate::shard_gauge::ShardGauge;

/// Most inputs other than pings in one entry, so that a flood of door reports cannot keep pings
/// away for longer than a few hundred microseconds.
const REPORTS_MAX: usize = 64;

/// How often the clock is steered and the gauges are read.
pub(crate) const HEARTBEAT_NS: u64 = NS_PER_S;

/// How long a checkpoint waits for its disk when nothing else is to be done: a MiB is written and
/// synced in some milliseconds.
const CHECKPOINT_PAUSE_NS: u64 = 2 * NS_PER_MS;

/// A heartbeat this late means that the machine or the process was suspended: the time between
/// counts as an outage, in which silence is nobody's fault.
const SUSPEND_NS: u64 = 5 * NS_PER_S;

/// What a turn came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turned {
    /// Nothing waited and nothing was due.
    Idle,
    /// An entry was stepped that held this many pings.
    Stepped {
        /// How many.
        pings: usize,
        /// Whether something was told that others should send on before the next turn.
        has_alarm: bool,
    },
    /// Only pings wait and the publisher must catch up before they are taken.
    Choked,
    /// Nothing waited and nothing was due, so a slice of a checkpoint was told, and more is to be.
    Told,
}

/// What a shard is made of.
#[derive(Debug)]
pub(crate) struct ShardParts {
    pub shard: Shard,
    pub lanes: Arc<Lanes>,
    pub clock: Arc<ShardClock>,
    pub committer: Committer,
    pub mark: Arc<CommitMark>,
    pub spout: Spout,
    pub scribe: Scribe,
    pub history: Option<HistoryFeed>,
    pub counters: Arc<Counters>,
    pub gauge: Arc<ShardGauge>,
    pub last_index: u64,
    pub last_at: Timestamp,
    pub site_version: u32,
}

/// A shard at work.
#[derive(Debug)]
pub(crate) struct ShardWorker {
    parts: ShardParts,
    effects: Vec<Effect>,
    /// Who waits for an input, by its place in the entry that is being made.
    tickets: Vec<(u32, u64)>,
    /// An entry whose alarms were told and that the disk is still to get, with its effects for history.
    unstored: Option<(Entry, Vec<Effect>)>,
    heartbeat_at: Timestamp,
    is_checkpoint_paused: bool,
    /// What was quiet when it was told last.
    quiet_revision: u64,
}

impl ShardWorker {
    /// Puts the parts to work.
    pub(crate) fn new(parts: ShardParts) -> ShardWorker {
        let heartbeat_at = parts.last_at.max(parts.clock.now());
        let mut worker = ShardWorker {
            parts,
            effects: Vec::new(),
            tickets: Vec::new(),
            unstored: None,
            heartbeat_at,
            is_checkpoint_paused: false,
            quiet_revision: 0,
        };
        worker.gauge();
        // Of a checkpoint there may be something.
        worker.tell_quiet();
        worker
    }

    /// Steps the entries that open a run of the node: back from an outage, then a changed site.
    pub(crate) fn open(&mut self, away_since: Option<Timestamp>, site: Option<Box<SiteConfig>>) {
        if let Some(away_since) = away_since {
            self.step(vec![Input::Resumed { away_since }]);
        }
        if let Some(site) = site {
            self.step(vec![Input::SiteChange(site)]);
        }
        self.store_rest();
        self.gauge();
    }

    /// Whether a writing of history takes its time.
    pub(crate) fn is_history_stalled(&self) -> bool {
        self.parts.history.as_ref().is_some_and(HistoryFeed::is_stalled)
    }

    /// Takes what waits and steps it.
    pub(crate) fn turn(&mut self) -> Turned {
        self.store_rest();
        self.notice_suspend();
        let has_room = self.parts.spout.flush();
        let mut inputs = Vec::new();
        let mut pings = 0;
        while inputs.len() < REPORTS_MAX
            && let Some(Ticketed { input, ticket }) = self.parts.lanes.pop_report()
        {
            let place = u32::try_from(inputs.len()).unwrap_or(u32::MAX);
            self.tickets.extend(ticket.map(|ticket| (place, ticket)));
            inputs.push(input);
        }
        while has_room
            && pings < BATCH_PINGS_MAX
            && let Some(batch) = self.parts.lanes.pop_pings()
        {
            pings += batch.pings.len().max(1);
            inputs.push(Input::Pings(batch));
        }
        if inputs.is_empty() {
            if !self.is_due() {
                let is_choked = !has_room && !self.parts.lanes.is_empty();
                return if is_choked { Turned::Choked } else { self.tell_checkpoint() };
            }
            inputs.push(Input::Tick);
        }
        let has_alarm = self.step(inputs);
        if !has_alarm {
            let is_busy = !self.parts.lanes.is_empty();
            self.parts.scribe.tell(&mut self.parts.shard, is_busy);
        }
        Turned::Stepped { pings, has_alarm }
    }

    /// Uses a turn in which nothing waits for a checkpoint, if one is under way.
    fn tell_checkpoint(&mut self) -> Turned {
        let told = self.parts.scribe.tell(&mut self.parts.shard, false);
        self.is_checkpoint_paused = told == Told::Paused;
        if told == Told::More { Turned::Told } else { Turned::Idle }
    }

    /// Done about once a second: steers the clock, notices a suspend, reads the gauges.
    pub(crate) fn heartbeat(&mut self) {
        self.notice_suspend();
        self.heartbeat_at = self.parts.clock.now();
        self.parts.counters.tally.beat(self.heartbeat_at);
        self.parts.clock.steer();
        self.gauge();
    }

    /// Says so when the heartbeat is long overdue. Asked before every turn: after a suspend the
    /// timer that drives the heartbeat may be late as well, and no deadline must fire before.
    fn notice_suspend(&mut self) {
        let now = self.parts.clock.now();
        let away_since = self.heartbeat_at;
        let is_late = now.since_ns(away_since) > SUSPEND_NS;
        if !is_late || !self.parts.clock.runs_by_itself() {
            return;
        }
        self.heartbeat_at = now;
        self.parts.counters.suspends_seen.count();
        tracing::warn!(
            away_ms = now.since_ns(away_since) / 1_000_000,
            "the process was suspended; silence in that time is left out"
        );
        self.step(vec![Input::Resumed { away_since }]);
    }

    /// Nanoseconds until a deadline is due, if there is one.
    pub(crate) fn until_due_ns(&mut self) -> Option<u64> {
        let due = self.parts.shard.next_due().map(|due| self.parts.clock.until_ns(due));
        let look_again = self.is_checkpoint_paused.then_some(CHECKPOINT_PAUSE_NS);
        due.into_iter().chain(look_again).min()
    }

    /// What it takes its inputs from.
    pub(crate) fn lanes(&self) -> &Arc<Lanes> {
        &self.parts.lanes
    }

    /// The shard as it is.
    pub(crate) fn shard(&self) -> &Shard {
        &self.parts.shard
    }

    /// The last entry that was stepped.
    pub(crate) fn last_index(&self) -> u64 {
        self.parts.last_index
    }

    /// Gives the disk what it is still to get and lets the committer end.
    pub(crate) fn begin_close(&mut self) {
        self.store_rest();
        self.gauge();
        self.parts.scribe.begin_close(&mut self.parts.shard);
        self.parts.committer.begin_close();
    }

    /// Ready once the disk has everything, after [`ShardWorker::begin_close`].
    pub(crate) fn poll_closed(&mut self, cx: &Context<'_>) -> Poll<()> {
        // A checkpoint holds the folder too.
        let scribe = self.parts.scribe.poll_closed(cx);
        if self.parts.committer.poll_closed(cx).is_ready() { scribe } else { Poll::Pending }
    }

    /// Ready once history has written what it had, after [`ShardWorker::poll_closed`] is: only then
    /// everything that will ever be durable is.
    pub(crate) fn poll_remembered(&mut self, cx: &Context<'_>) -> Poll<()> {
        self.parts.history.as_mut().map_or(Poll::Ready(()), |history| {
            history.begin_close();
            history.poll_closed(cx)
        })
    }

    fn is_due(&mut self) -> bool {
        let now = self.parts.clock.now();
        self.parts.shard.is_due(now)
    }

    /// Steps an entry and tells what follows. Returns whether an alarm is told.
    fn step(&mut self, inputs: Vec<Input>) -> bool {
        self.store_rest();
        let parts = &mut self.parts;
        let received = || inputs.iter().map(received_at);
        let now = parts.clock.now();
        let last_at =
            if is_planted(PlantedBug::TimeGoesBack) { Timestamp(0) } else { parts.last_at };
        let at = now.max(received().max().unwrap_or_default()).max(last_at);
        if let Some(oldest) = received().filter(|at| *at > Timestamp(0)).min() {
            parts.counters.tally.lane_wait.record(now.since_ns(oldest));
        }
        let mut entry = Entry {
            index: parts.last_index.saturating_add(1),
            at,
            site_version: parts.site_version,
            logic_version: LOGIC_VERSION,
            inputs,
            effects_hash: 0,
        };
        self.effects.clear();
        entry.effects_hash = parts.shard.step(&entry, &mut self.effects);
        parts.last_index = entry.index;
        parts.last_at = at;
        parts.counters.entries_stepped.count();
        let parts = &mut self.parts;
        parts.scribe.note(&entry, &self.effects, &parts.shard);
        let has_alarm = self.tell(&entry);
        self.parts.spout.flush();
        let effects = self.historic();
        if has_alarm {
            self.unstored = Some((entry, effects));
            return true;
        }
        let is_pings_only = entry.inputs.iter().all(|it| matches!(it, Input::Pings(_)));
        // Not after an alarm, which is on its way out of this thread.
        let is_checkpointed = self.parts.scribe.is_due();
        let index = entry.index;
        self.store((entry, effects), !is_pings_only, is_checkpointed);
        if is_checkpointed {
            self.parts.scribe.begin(&mut self.parts.shard, index);
        }
        false
    }

    /// The effects, for history if there is one. They were told already.
    fn historic(&mut self) -> Vec<Effect> {
        if self.parts.history.is_some() { std::mem::take(&mut self.effects) } else { Vec::new() }
    }

    /// Gives the disk the entry it is still to get.
    fn store_rest(&mut self) {
        if let Some(unstored) = self.unstored.take() {
            self.store(unstored, true, false);
        }
    }

    /// Sends all that is quiet: as much as a checkpoint tells of it at once, and seldom.
    fn tell_quiet(&mut self) {
        let parts = &mut self.parts;
        self.quiet_revision = parts.shard.quiet_revision();
        parts.spout.send(Outbound::Quiet(parts.shard.quiet_things()));
    }

    /// Sends the effects on. Returns whether an alarm is among them.
    fn tell(&mut self, entry: &Entry) -> bool {
        let parts = &mut self.parts;
        let mut has_alarm = false;
        let is_new_site = |effect: &Effect| matches!(effect, Effect::SiteInForce { .. });
        if self.effects.iter().any(is_new_site)
            && let Some(site) = parts.shard.site()
        {
            parts.site_version = site.version();
            parts.spout.send(Outbound::Site(site.clone()));
        }
        for (ordinal, effect) in (0..).zip(&self.effects) {
            has_alarm |= matches!(effect, Effect::Alarm(_));
            let lane = lane(effect);
            let effect = effect.clone();
            let outbound = Outbound::Effect { index: entry.index, ordinal, effect };
            if !parts.spout.send(outbound) {
                parts.counters.frames_shed.count();
                parts.counters.tally.shed.of(lane).count();
            }
        }
        if self.quiet_revision != self.parts.shard.quiet_revision() {
            // Before whoever wished it is told that it is so.
            self.tell_quiet();
        }
        let parts = &mut self.parts;
        for (place, ticket) in self.tickets.drain(..) {
            let refusal = self.effects.iter().find_map(|effect| match *effect {
                Effect::WishRefused { input, why } if input == place => Some(why),
                _ => None,
            });
            parts.spout.send(Outbound::Stepped { index: entry.index, ticket, refusal });
        }
        if parts.spout.wants_fixes() {
            let batches = entry.inputs.iter().filter_map(|input| match input {
                Input::Pings(batch) => Some(batch),
                _ => None,
            });
            let fixes: Vec<_> = batches
                .flat_map(|batch| batch.pings.iter())
                .filter_map(|ping| parts.shard.fix(ping.tag))
                .collect();
            let count = u64::try_from(fixes.len()).unwrap_or(u64::MAX);
            if !fixes.is_empty() && !parts.spout.send(Outbound::Fixes(fixes)) {
                parts.counters.frames_shed.add(count);
                parts.counters.tally.shed.of(Lane::Console).add(count);
            }
        }
        has_alarm
    }

    /// Gives an entry to the disk, and with its effects to history, which waits for the disk too.
    fn store(
        &mut self,
        (entry, effects): (Entry, Vec<Effect>),
        is_urgent: bool,
        is_checkpointed: bool,
    ) {
        let parts = &mut self.parts;
        if is_planted(PlantedBug::EntryNotStored) && is_urgent && entry.index % 8 == 0 {
            return;
        }
        if !parts.committer.is_storing() {
            parts.counters.entries_not_stored.count();
            return;
        }
        let mut bytes = parts.committer.buffer();
        let index = entry.index;
        match encode_entry(&entry, &mut bytes) {
            Ok(()) => {
                // Before it is durable, so that what is durable and not offered was left out.
                if let Some(history) = &parts.history {
                    history.offer(Step { entry, effects, site: parts.shard.site().cloned() });
                }
                parts.scribe.stored(bytes.len());
                if is_checkpointed {
                    parts.committer.store_pinned(index, bytes, is_urgent);
                } else {
                    parts.committer.store(index, bytes, is_urgent);
                }
            }
            Err(error) => {
                let detail = error.to_string();
                parts.mark.stop(StoringStopped::Unencodable { index, detail });
            }
        }
    }

    fn gauge(&mut self) {
        let parts = &mut self.parts;
        let skew_ns = parts.clock.skew_ns();
        let was_skewed = parts.gauge.is_skewed();
        parts.gauge.read(&parts.shard, parts.last_index, skew_ns);
        let is_skewed = skew_ns.unsigned_abs() > SKEW_MAX_NS;
        if is_skewed != was_skewed {
            parts.spout.send(Outbound::Skewed(if is_skewed { skew_ns } else { 0 }));
            parts.spout.flush();
        }
        if is_skewed && !was_skewed {
            parts.counters.clock_skews_seen.count();
            tracing::error!(
                skew_ms = skew_ns / 1_000_000,
                "the machine's clock has jumped; shard time follows it slowly"
            );
        }
    }
}

/// On which lane an effect counts: alarms and acks are not to be shed, events are for consoles.
fn lane(effect: &Effect) -> Lane {
    match effect {
        Effect::Alarm(notice)
            if matches!(
                notice.kind,
                AlarmKind::Duress | AlarmKind::BandCut | AlarmKind::SelfTest
            ) =>
        {
            Lane::Duress
        }
        Effect::Event(_) => Lane::Console,
        _ => Lane::Door,
    }
}

/// When an input arrived, for those that say so.
fn received_at(input: &Input) -> Timestamp {
    match input {
        Input::Pings(PingBatch { received_at, .. }) => *received_at,
        Input::Report(report) => report.received_at,
        _ => Timestamp(0),
    }
}

#[cfg(test)]
mod storm;
#[cfg(test)]
mod tests;
