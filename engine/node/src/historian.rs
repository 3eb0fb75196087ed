//! The thread that writes history: what the shard decided, once it is on disk.
//!
//! It takes entries from a queue in order, those that are durable. What did not fit the queue, what was
//! decided before the last crash, and all of it when the store is derived anew, it reads from the journal.
//! It runs at the lowest priority: when a machine has too little for everything, history falls behind and catches
//! up later, and neither shard nor disk wait for it. Whatever goes wrong is told and tried again.

use std::io;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;

use ach_actors_model::{NS_PER_S, Timestamp};
use ach_engine_journal::Disk;
use ach_engine_store::{Day, HistoryWriter, Holds, OpenError, OpenedStore, Store, WriteError};

use crate::bell::{self, Bell};
use crate::clock::{Clock, ShardClock, SystemClock};
use crate::commit_mark::CommitMark;
use crate::counters::Counters;
use crate::history_feed::{HistoryQueue, Step};
use crate::history_state::{HistoryState, HistoryTrouble};
use crate::journal_floor::JournalFloor;
use crate::rereading::{RereadError, Rereading};

/// How nice the threads of history are: as nice as may be. On a core that is full each gets one part in
/// seventy; at a nicety of 10 it was one in ten, and an alarm found one of them in its way that often.
pub(crate) const NICENESS: i32 = 19;

/// How often it looks for something to do. The queue holds six times what comes in that time.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// So few missing entries are read while the queue goes on to fill.
const GAP_ENTRIES_MAX: u64 = 4_096;

/// How often in one look it reads what is missing. Each time leaves less.
const ROUNDS_MAX: usize = 8;

/// A history that has been behind for so long says so to who asks, and does not let him wait.
const BEHIND_NS: u64 = 5 * NS_PER_S;

/// How often, in entries, it looks then whether somebody asks: some milliseconds.
const BELL_ENTRIES: u64 = 1_024;

/// Writings that questions ask for are at least so far apart.
const WRITE_APART_NS: u64 = NS_PER_S;

/// When a failure may be over.
const RETRY_NS: u64 = 10 * NS_PER_S;

/// When somebody who looks into the store of a node that has just started may be done.
const IN_USE_RETRY_NS: u64 = NS_PER_S;

/// How often a process derives history anew. A disk that damages it again each time is not to be trusted.
const REBUILDS_MAX: u64 = 3;

/// How often days that are over are looked for, and the store is measured.
const HOUSEKEEPING_NS: u64 = 60 * NS_PER_S;

/// Room that history leaves on the disk for journal, checkpoints and audit log: it is the first to stop, after
/// archives.
const LEFT_BYTES: u64 = 512 << 20;

/// The folder of the store in the data directory.
pub(crate) const HISTORY_FOLDER: &str = "history";

/// The file of legal holds in the data directory.
pub(crate) const HOLDS_FILE: &str = "holds";

/// What it works with.
#[derive(Debug)]
pub(crate) struct HistorianParts<D> {
    pub data: PathBuf,
    pub keep_days: u32,
    pub queue: Arc<HistoryQueue>,
    pub rereading: Rereading<D>,
    pub mark: Arc<CommitMark>,
    pub clock: Arc<ShardClock>,
    pub counters: Arc<Counters>,
    pub floor: Arc<JournalFloor>,
}

/// The thread.
#[derive(Debug)]
struct Historian<D> {
    parts: HistorianParts<D>,
    /// The machine's time, for pacing.
    pace: SystemClock,
    writer: Option<HistoryWriter>,
    /// An entry that is not durable yet.
    held: Option<Step>,
    bell: Option<Bell>,
    ringing: Vec<UnixStream>,
    rebuild_count: u64,
    must_set_aside: bool,
    retry_at_ns: u64,
    asked_at_ns: u64,
    tidied_at_ns: u64,
}

/// Why history did not go on.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Reread(#[from] RereadError),
    #[error("there is less than 512 MiB of room left")]
    NoRoom,
}

impl From<WriteError> for Fault {
    fn from(error: WriteError) -> Fault {
        Fault::Reread(error.into())
    }
}

/// What the queue had.
enum Found {
    /// Everything that is durable was taken.
    All,
    /// Entries up to this one are durable and not in the queue.
    Missing { through: u64 },
}

/// Starts the thread.
///
/// # Errors
///
/// When the system gives no thread.
pub(crate) fn start<D>(parts: HistorianParts<D>) -> io::Result<JoinHandle<()>>
where
    D: Disk + Clone + Send + 'static,
{
    let running = parts.queue.begin_running();
    let mut historian = Historian {
        parts,
        pace: SystemClock::default(),
        writer: None,
        held: None,
        bell: None,
        ringing: Vec::new(),
        rebuild_count: 0,
        must_set_aside: false,
        retry_at_ns: 0,
        asked_at_ns: 0,
        tidied_at_ns: 0,
    };
    std::thread::Builder::new().name("ach-history".to_owned()).spawn(move || {
        // The last thing to go, also when this thread fails.
        let _running = running;
        // Of the calling thread only. Where it is not allowed nothing is lost.
        let _ = rustix::process::setpriority_process(None, NICENESS);
        historian.run();
    })
}

impl<D: Disk + Clone> Historian<D> {
    fn run(&mut self) {
        let _end = End(self.parts.counters.clone());
        self.bell = Bell::hang(&self.parts.data)
            .inspect_err(
                |error| tracing::warn!(%error, "commands cannot ask for history to be written"),
            )
            .ok();
        loop {
            let is_last = self.parts.queue.is_closed();
            self.turn(is_last);
            if is_last {
                break;
            }
            std::thread::park_timeout(LOOK_EVERY);
        }
        // The store is closed before the node has ended.
        self.writer = None;
        bell::answer(&mut self.ringing, Err("the node has ended"));
    }

    fn state(&self) -> &HistoryState {
        &self.parts.counters.tally.history
    }

    fn turn(&mut self, is_last: bool) {
        let now_ns = self.pace.monotonic_ns();
        if now_ns >= self.retry_at_ns || is_last {
            let gone_on = self.go_on(is_last);
            self.note();
            match gone_on {
                Ok(()) => self.state().writing.recover(),
                Err(fault) => self.fail(fault, now_ns),
            }
        }
        if let Some(bell) = &self.bell {
            bell.rung(&mut self.ringing);
        }
        self.answer(now_ns);
        if is_last {
            return;
        }
        if now_ns.saturating_sub(self.tidied_at_ns) >= HOUSEKEEPING_NS || self.tidied_at_ns == 0 {
            self.tidied_at_ns = now_ns;
            self.keep_house();
        }
    }

    /// Takes all that is durable.
    fn go_on(&mut self, is_last: bool) -> Result<(), Fault> {
        if self.writer.is_none() {
            // A node that ends does not wait for a store to be opened: the next start goes on.
            if is_last {
                return Ok(());
            }
            self.open()?;
        }
        self.must_have_room()?;
        if self.parts.queue.is_paused() && !is_last {
            self.catch_up()?;
        }
        for _ in 0..ROUNDS_MAX {
            match self.take_queue()? {
                Found::All => {
                    self.parts.rereading.rest();
                    break;
                }
                // A node that ends does not wait for a history that is behind; the next start goes on.
                Found::Missing { .. } if is_last => break,
                Found::Missing { through } => self.fill(through)?,
            }
        }
        if is_last && let Some(writer) = &mut self.writer {
            writer.flush()?;
        }
        Ok(())
    }

    /// History stops before it takes the room of what must not stop.
    fn must_have_room(&self) -> Result<(), Fault> {
        // A file system that does not tell is tried.
        let room = rustix::fs::statvfs(self.parts.data.join(HISTORY_FOLDER));
        let is_low =
            room.is_ok_and(|room| room.f_bavail.saturating_mul(room.f_frsize) < LEFT_BYTES);
        if is_low { Err(Fault::NoRoom) } else { Ok(()) }
    }

    fn open(&mut self) -> Result<(), Fault> {
        let folder = self.parts.data.join(HISTORY_FOLDER);
        if self.must_set_aside {
            Store::set_aside(&folder)?;
            self.must_set_aside = false;
        }
        let OpenedStore { store, set_aside } = Store::open_or_set_aside(&folder)?;
        if let Some((aside, detail)) = set_aside {
            self.count_rebuild();
            let aside = aside.display();
            tracing::error!(%aside, %detail, "history was damaged and is derived anew; alarms go on");
        }
        let writer = HistoryWriter::open(store)?;
        if writer.taken_through() > self.parts.mark.durable_index() {
            // The journal was put back from a backup, or its disk lost what a question had read of it.
            let detail = "it has entries that the journal does not have".to_owned();
            return Err(WriteError::Damaged { detail }.into());
        }
        let (taken, durable) = (writer.taken_through(), self.parts.mark.durable_index());
        tracing::info!(taken, durable, "history goes on");
        self.writer = Some(writer);
        Ok(())
    }

    fn count_rebuild(&mut self) {
        self.rebuild_count += 1;
        self.parts.counters.history_rebuilds.count();
    }

    /// Takes what waits in the queue, as far as it is durable.
    fn take_queue(&mut self) -> Result<Found, Fault> {
        let HistorianParts { queue, mark, .. } = &self.parts;
        let Some(writer) = &mut self.writer else { return Ok(Found::All) };
        // Every entry that is durable now was offered before.
        let durable_index = mark.durable_index();
        while let Some(step) = self.held.take().or_else(|| queue.pop()) {
            let index = step.entry.index;
            if index > durable_index {
                // What waits for a disk that has failed never comes.
                self.held = mark.is_storing().then_some(step);
                break;
            }
            if index > writer.taken_through().saturating_add(1) {
                self.held = Some(step);
                return Ok(Found::Missing { through: index.saturating_sub(1) });
            }
            writer.take(&step.entry, &step.effects, step.site.as_deref())?;
        }
        if writer.taken_through() < durable_index {
            return Ok(Found::Missing { through: durable_index });
        }
        Ok(Found::All)
    }

    /// Has what is missing up to an entry read again.
    fn fill(&mut self, through: u64) -> Result<(), Fault> {
        let taken = self.writer.as_ref().map_or(0, HistoryWriter::taken_through);
        if through.saturating_sub(taken) <= GAP_ENTRIES_MAX {
            return self.reread(through);
        }
        self.catch_up()
    }

    /// Has all that is durable read again. What comes meanwhile is left out of the queue and read too,
    /// until it is so little that the queue holds what comes while it is read.
    fn catch_up(&mut self) -> Result<(), Fault> {
        self.parts.queue.pause();
        self.held = None;
        while !self.parts.queue.is_closed() {
            let through = self.parts.mark.durable_index();
            self.reread(through)?;
            if self.parts.mark.durable_index().saturating_sub(through) <= GAP_ENTRIES_MAX {
                break;
            }
        }
        self.parts.queue.resume();
        Ok(())
    }

    fn reread(&mut self, through: u64) -> Result<(), Fault> {
        let Historian { parts, writer, bell, ringing, pace, .. } = self;
        let HistorianParts { queue, counters, rereading, floor, .. } = parts;
        let Some(writer) = writer else { return Ok(()) };
        let (state, mut written) = (&counters.tally.history, writer.written_through());
        let begun_ns = pace.monotonic_ns();
        let mut goes_on = |writer: &HistoryWriter| {
            counters.history_entries_reread.count();
            if writer.taken_through().is_multiple_of(BELL_ENTRIES)
                && pace.monotonic_ns().saturating_sub(begun_ns) >= BEHIND_NS
                && let Some(bell) = bell
            {
                let left = through.saturating_sub(writer.taken_through());
                bell.rung(ringing);
                bell::answer(ringing, Err(&format!("it is {left} entries behind")));
            }
            state.taken_index.store(writer.taken_through(), Ordering::Relaxed);
            if writer.written_through() > written {
                written = writer.written_through();
                state.written_index.store(written, Ordering::Relaxed);
                floor.history_has(written);
            }
            !queue.is_closed()
        };
        Ok(rereading.bring_up(writer, through, &mut goes_on)?)
    }

    /// Tells how far it is.
    fn note(&self) {
        let Some(writer) = &self.writer else { return };
        let state = self.state();
        state.taken_index.store(writer.taken_through(), Ordering::Relaxed);
        state.taken_at.store(writer.taken_at().0, Ordering::Relaxed);
        state.written_index.store(writer.written_through(), Ordering::Relaxed);
        self.parts.floor.history_has(writer.written_through());
    }

    /// Something went wrong: said aloud, and tried again later.
    fn fail(&mut self, fault: Fault, now_ns: u64) {
        self.parts.queue.pause();
        self.held = None;
        self.parts.rereading.rest();
        let detail = told(&fault);
        let mut wait_ns = RETRY_NS;
        let trouble = match fault {
            Fault::Open(OpenError::Damaged { .. })
            | Fault::Reread(RereadError::Write(WriteError::Damaged { .. })) => {
                self.count_rebuild();
                self.writer = None;
                self.must_set_aside = true;
                if self.rebuild_count > REBUILDS_MAX {
                    wait_ns = u64::MAX;
                    HistoryTrouble::Damaged { detail }
                } else {
                    tracing::error!(%detail, "history is damaged and is derived anew; alarms go on");
                    wait_ns = 0;
                    HistoryTrouble::NotWritten { detail }
                }
            }
            Fault::Open(error) => {
                if matches!(error, OpenError::InUse) {
                    wait_ns = IN_USE_RETRY_NS;
                }
                self.writer = None;
                HistoryTrouble::NotOpened { detail }
            }
            Fault::Reread(RereadError::Write(_)) => {
                self.writer = None;
                HistoryTrouble::NotWritten { detail }
            }
            Fault::NoRoom => HistoryTrouble::NotWritten { detail },
            Fault::Reread(_) => HistoryTrouble::Unreadable { detail },
        };
        self.retry_at_ns = now_ns.saturating_add(wait_ns);
        self.state().writing.fail(trouble);
    }

    /// Writes for those who ask, and tells them.
    fn answer(&mut self, now_ns: u64) {
        if self.ringing.is_empty() {
            return;
        }
        let trouble = self.state().trouble();
        let Some(writer) = self.writer.as_mut().filter(|_| now_ns >= self.retry_at_ns) else {
            let why = trouble.map_or_else(|| "history is opened".to_owned(), |why| why.to_string());
            bell::answer(&mut self.ringing, Err(&why));
            return;
        };
        if now_ns.saturating_sub(self.asked_at_ns) < WRITE_APART_NS {
            return;
        }
        self.asked_at_ns = now_ns;
        match writer.flush() {
            Ok(()) => {
                let through = writer.written_through();
                bell::answer(&mut self.ringing, Ok(through));
                self.note();
            }
            Err(error) => {
                bell::answer(&mut self.ringing, Err(&error.to_string()));
                self.fail(error.into(), now_ns);
            }
        }
    }

    /// Drops days that are over, and measures.
    fn keep_house(&mut self) {
        let Some(writer) = &self.writer else { return };
        let store = writer.store();
        let state = self.state();
        state.disk_bytes.store(store.disk_bytes(), Ordering::Relaxed);
        let keep_from = keep_from(self.parts.clock.now(), self.parts.keep_days);
        if store.days().first().is_none_or(|&day| day >= keep_from) {
            state.dropping.recover();
            return;
        }
        let holds = match holds(&self.parts.data) {
            Ok(holds) => holds,
            Err(detail) => return state.dropping.fail(HistoryTrouble::NotDropped { detail }),
        };
        match store.drop_before(keep_from, &holds) {
            Ok(dropped) => {
                for day in &dropped {
                    tracing::info!(%day, "a day of history is over and gone");
                }
                let count = u64::try_from(dropped.len()).unwrap_or(0);
                self.parts.counters.history_days_dropped.add(count);
                state.dropping.recover();
            }
            Err(error) => {
                state.dropping.fail(HistoryTrouble::NotDropped { detail: error.to_string() });
            }
        }
    }
}

/// Says that the thread has failed, if it has.
struct End(Arc<Counters>);

impl Drop for End {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.tally.history.writing.fail(HistoryTrouble::Failed);
        }
    }
}

/// The first day that is kept.
pub(crate) fn keep_from(now: Timestamp, keep_days: u32) -> Day {
    Day::of(now).before(keep_days.max(1) - 1)
}

/// The holds of a node, or why nothing must be dropped.
pub(crate) fn holds(data: &Path) -> Result<Holds, String> {
    Holds::load(&data.join(HOLDS_FILE)).map_err(|error| told(&error))
}

/// A failure with its causes.
pub(crate) fn told(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let part = cause.to_string();
        if !text.contains(&part) {
            text.push_str(": ");
            text.push_str(&part);
        }
        source = cause.source();
    }
    text
}
