//! The thread that writes history: what the shard decided, once it is on disk.
//!
//! It takes entries from a queue in order, those that are durable. What did not fit the queue, what was
//! decided before the last crash, and all of it when the store is derived anew, it reads from the journal.
//! It runs at the lowest priority: when a machine has too little for everything, history falls behind and catches
//! up later, and neither shard nor disk wait for it. Whatever goes wrong is told and tried again.

mod fault;
mod here;
mod house;
mod past;

use std::io;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;

use ach_actors_model::{NS_PER_S, Timestamp};
use ach_engine_journal::Disk;
use ach_engine_store::{HistoryWriter, OpenedStore};

use self::fault::Fault;
pub(crate) use self::here::start_here;
use crate::bell::{self, Bell};
use crate::clock::{Clock, ShardClock};
use crate::commit_mark::CommitMark;
use crate::counters::Counters;
use crate::drop_pace::DropPace;
use crate::history_feed::{HistoryQueue, Step};
use crate::history_place::HistoryPlace;
use crate::history_state::{HistoryState, ThreadEnd};
use crate::journal_floor::JournalFloor;
use crate::planted::{PlantedBug, is_planted};
use crate::rereading::Rereading;
use crate::room::Room;

/// How nice the threads of history are: as nice as may be. On a core that is full each gets one part in
/// seventy; at a nicety of 10 it was one in ten, and an alarm found one of them in its way that often.
pub(crate) const NICENESS: i32 = 19;

/// How often it looks for something to do. The queue holds six times what comes in that time.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// So few missing entries are read while the queue goes on to fill.
const GAP_ENTRIES_MAX: u64 = 4_096;

/// After so many entries a history that catches up looks after the house: a minute or so.
const CATCH_UP_ENTRIES: u64 = 1 << 20;

/// How often in one look it reads what is missing. Each time leaves less.
const ROUNDS_MAX: usize = 8;

/// A history that has been behind for so long says so to who asks, and does not let him wait.
const BEHIND_NS: u64 = 5 * NS_PER_S;

/// How often, in entries, it looks meanwhile for room on the disk, and then whether somebody asks: some
/// milliseconds.
const LOOK_ENTRIES: u64 = 1_024;

/// Writings that questions ask for are at least so far apart.
const WRITE_APART_NS: u64 = NS_PER_S;

/// When a failure may be over.
const RETRY_NS: u64 = 10 * NS_PER_S;

/// How often the wait is doubled while the journal cannot be read: to ten minutes, for each try may
/// restore a shard and read hours of journal up to the same damage.
const DOUBLINGS_MAX: u32 = 6;

/// When somebody who looks into the store of a node that has just started may be done.
const IN_USE_RETRY_NS: u64 = NS_PER_S;

/// How often a process derives history anew. A disk that damages it again each time is not to be trusted.
const REBUILDS_MAX: u64 = 3;

/// Room that history leaves on the disk for journal, checkpoints and audit log: it is the first to stop, after
/// archives.
const LEFT_BYTES: u64 = 512 << 20;

/// The folder of the store in the data directory.
pub(crate) const HISTORY_FOLDER: &str = "history";

/// What it works with.
#[derive(Debug)]
pub(crate) struct HistorianParts<D> {
    pub data: PathBuf,
    pub place: HistoryPlace,
    /// How often what was heard is written.
    pub write_every_ns: u64,
    /// The machine's time, for pacing.
    pub pace: Arc<dyn Clock>,
    pub keep_days: u32,
    /// How long archives are kept; none if another thread drops them.
    pub archive_keep_days: Option<u32>,
    /// The last entry of the journal when the node started, and when it was made; none if the journal
    /// could not be read then. History is not judged by such a one, for it may be whole elsewhere.
    pub began: Option<(u64, Timestamp)>,
    pub room: Room,
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
    pace: Arc<dyn Clock>,
    writer: Option<HistoryWriter>,
    /// An entry that is not durable yet.
    held: Option<Step>,
    bell: Option<Bell>,
    ringing: Vec<UnixStream>,
    /// What was durable when the last of them rang.
    ringing_index: u64,
    /// Whether a store was compared with the journal of which this process knows how it ended.
    is_compared: bool,
    /// Before all that this process decides.
    begun_at: Timestamp,
    unread_count: u32,
    rebuild_count: u64,
    must_set_aside: bool,
    retry_at_ns: u64,
    asked_at_ns: u64,
    tidied_at_ns: u64,
    drop_pace: DropPace,
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
    let mut historian = Historian::new(parts);
    std::thread::Builder::new().name("ach-history".to_owned()).spawn(move || {
        // The last thing to go, also when this thread fails.
        let _running = running;
        // Of the calling thread only. Where it is not allowed nothing is lost.
        let _ = rustix::process::setpriority_process(None, NICENESS);
        historian.run();
    })
}

impl<D: Disk + Clone> Historian<D> {
    fn new(parts: HistorianParts<D>) -> Historian<D> {
        Historian {
            pace: parts.pace.clone(),
            begun_at: parts.clock.now(),
            parts,
            writer: None,
            held: None,
            bell: None,
            ringing: Vec::new(),
            ringing_index: 0,
            is_compared: false,
            unread_count: 0,
            rebuild_count: 0,
            must_set_aside: false,
            retry_at_ns: 0,
            asked_at_ns: 0,
            tidied_at_ns: 0,
            drop_pace: DropPace::default(),
        }
    }

    fn run(&mut self) {
        let _end = ThreadEnd::of(self.parts.counters.clone(), |state| &state.writing);
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
        self.hear();
        if now_ns >= self.retry_at_ns || is_last {
            match self.go_on(is_last) {
                Ok(()) => {
                    self.unread_count = 0;
                    self.note();
                    self.state().writing.recover();
                }
                Err(fault) => {
                    if is_planted(PlantedBug::FailedHistoryCounts) {
                        self.note_taken();
                    }
                    self.fail(fault, now_ns);
                }
            }
        }
        self.answer(now_ns);
        if is_last {
            return;
        }
        self.keep_house_in_time(now_ns);
    }

    /// Lets in who rings. Whoever has heard that something is durable before he rang is told of it.
    fn hear(&mut self) {
        let Some(bell) = &self.bell else { return };
        let count = self.ringing.len();
        bell.rung(&mut self.ringing);
        if self.ringing.len() > count {
            self.ringing_index = self.parts.mark.durable_index();
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
            // What waits came before all that was left out.
            self.take_queue()?;
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
        let is_low = self.parts.room.is_low(&self.parts.data.join(HISTORY_FOLDER), LEFT_BYTES);
        if is_low { Err(Fault::NoRoom) } else { Ok(()) }
    }

    fn open(&mut self) -> Result<(), Fault> {
        let place = &self.parts.place;
        if self.must_set_aside {
            place.set_aside()?;
            self.must_set_aside = false;
        }
        let OpenedStore { store, set_aside } = if self.parts.began.is_some() {
            place.open_or_set_aside()?
        } else {
            // There may be nothing to derive a new one from.
            OpenedStore { store: place.open()?, set_aside: None }
        };
        if let Some((aside, detail)) = set_aside {
            self.count_rebuild();
            let aside = aside.display();
            tracing::error!(%aside, %detail, "history was damaged and is derived anew; alarms go on");
        }
        let writer = HistoryWriter::open(store)?.writing_every(self.parts.write_every_ns);
        self.compare(&writer)?;
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
            let taken = self.writer.as_ref().map_or(0, HistoryWriter::taken_through);
            let durable_index = self.parts.mark.durable_index();
            let through = durable_index.min(taken.saturating_add(CATCH_UP_ENTRIES));
            self.reread(through)?;
            if self.parts.mark.durable_index().saturating_sub(through) <= GAP_ENTRIES_MAX {
                break;
            }
            self.keep_house_in_time(self.pace.monotonic_ns());
        }
        self.parts.queue.resume();
        Ok(())
    }

    fn reread(&mut self, through: u64) -> Result<(), Fault> {
        let Historian { parts, writer, bell, ringing, pace, .. } = self;
        let HistorianParts { queue, counters, rereading, floor, room, data, mark, .. } = parts;
        let Some(writer) = writer else { return Ok(()) };
        let folder = data.join(HISTORY_FOLDER);
        let mut is_room_low = false;
        let (state, mut written) = (&counters.tally.history, writer.written_through());
        let begun_ns = pace.monotonic_ns();
        let mut goes_on = |writer: &HistoryWriter| {
            counters.history_entries_reread.count();
            let is_time = writer.taken_through().is_multiple_of(LOOK_ENTRIES);
            if is_time
                && pace.monotonic_ns().saturating_sub(begun_ns) >= BEHIND_NS
                && let Some(bell) = bell
            {
                let left = mark.durable_index().saturating_sub(writer.taken_through());
                bell.rung(ringing);
                bell::answer(ringing, Err(&format!("it is {left} entries behind")));
            }
            state.taken_index.store(writer.taken_through(), Ordering::Relaxed);
            if writer.written_through() > written {
                written = writer.written_through();
                state.written_index.store(written, Ordering::Relaxed);
                floor.history_has(written);
            }
            is_room_low = is_time && room.is_low(&folder, LEFT_BYTES);
            !is_room_low && !queue.is_closed()
        };
        rereading.bring_up(writer, through, &mut goes_on)?;
        if is_room_low { Err(Fault::NoRoom) } else { Ok(()) }
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

    /// As if all that was taken were written: a bug that is planted.
    fn note_taken(&self) {
        if let Some(writer) = &self.writer {
            self.parts.floor.history_has(writer.taken_through());
        }
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
                let left = self.ringing_index.saturating_sub(through);
                let behind = format!("it is {left} entries behind");
                let told = if left == 0 { Ok(through) } else { Err(behind.as_str()) };
                bell::answer(&mut self.ringing, told);
                self.note();
            }
            Err(error) => {
                bell::answer(&mut self.ringing, Err(&error.to_string()));
                self.fail(error.into(), now_ns);
            }
        }
    }
}

#[cfg(test)]
mod tests;
