//! The thread that archives what the journal is about to give up, and drops archives that are over.
//!
//! It looks once a second; when no start needs a part of the journal any more, it copies its entries,
//! compressed and encrypted, into files of a day each or less, and once a day the checkpoint at which it
//! has come beside them. It works at low priority and at most half of the time. Only what is archived is
//! given up by the journal.

use std::fs::{self, File};
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;

use ach_actors_model::NS_PER_S;
use ach_engine_checkpoint::name_of;
use ach_engine_journal::{
    Disk, DiskFile, Kek, KekRefused, Lsn, ReadError, Reader, Record, RecordKind,
};
use ach_engine_store::{ArchiveError, ArchiveSpan, ArchiveWriter, Day, archives};
use ach_engine_wire::{EntryError, entry_time};
use zeroize::Zeroizing;

use crate::checkpoint_store::Good;
use crate::clock::{Clock, ShardClock, SystemClock};
use crate::counters::Counters;
use crate::drop_pace::DropPace;
use crate::historian::NICENESS;
use crate::history_feed::HistoryQueue;
use crate::history_state::{HistoryState, HistoryTrouble, ThreadEnd, told};
use crate::journal_floor::JournalFloor;
use crate::rereading::{ARCHIVE_PURPOSE, checkpoints_beside};
use crate::retention::{self, ARCHIVE_FOLDER, NotDropped, keep_from};
use crate::room::Room;

/// How often it looks whether there is something to archive.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How often it looks for archives that are over, and tries again what failed.
const HOUSEKEEPING_NS: u64 = 60 * NS_PER_S;

/// After damage in the journal it waits twice as long each time, up to sixteen minutes: each try may read
/// the whole journal up to it.
const DOUBLINGS_MAX: u32 = 4;

/// After so many bytes of entries it looks for room, and rests for as long as they took, so that a reading of the whole
/// journal takes no more than half of a core's idle time.
const REST_AFTER_BYTES: usize = 1 << 20;

/// A rest lasts at most so long: a machine that was suspended does not sleep on.
const REST_MAX: Duration = Duration::from_secs(1);

/// A copy of a checkpoint is read and written in such pieces.
const COPY_BYTES: usize = 1 << 20;

/// Room that archives leave on the disk, beside what the journal keeps for itself.
const LEFT_BYTES: u64 = 1 << 30;

/// What it works with.
#[derive(Debug)]
pub(crate) struct ArchivistParts<D> {
    pub data: PathBuf,
    pub keep_days: u32,
    pub queue: Arc<HistoryQueue>,
    /// The last entry of the journal when the node started.
    pub last_index: u64,
    pub disk: D,
    pub kek: Kek,
    pub room: Room,
    pub clock: Arc<ShardClock>,
    pub counters: Arc<Counters>,
    pub floor: Arc<JournalFloor>,
}

/// The thread.
#[derive(Debug)]
struct Archivist<D> {
    parts: ArchivistParts<D>,
    folder: PathBuf,
    pace: SystemClock,
    /// The record of the last entry that is archived, if it was read by this process.
    after: Lsn,
    /// The checkpoint up to which it came last, and when it looked at its folder.
    done_index: u64,
    tidied_at_ns: Option<u64>,
    /// How often in a row the journal could not be read, and until when it is not tried again.
    unread_count: u32,
    rests_until_ns: u64,
    /// How archives go before their time, and how those that are over go.
    early_pace: DropPace,
    over_pace: DropPace,
    is_foreign_aside: bool,
}

/// Why nothing was archived.
#[derive(Debug, thiserror::Error)]
enum NotArchived {
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    #[error("the journal cannot be read")]
    Read(#[from] ReadError),
    #[error("the journal is damaged: {0}")]
    Damaged(String),
    #[error("an entry cannot be read")]
    Entry(#[from] EntryError),
    #[error("cannot {verb} {}", file.display())]
    Disk { verb: &'static str, file: PathBuf, source: io::Error },
    #[error("there is less than 1 GiB of room left")]
    NoRoom,
    #[error(transparent)]
    Cipher(#[from] KekRefused),
    #[error(transparent)]
    NotDropped(#[from] NotDropped),
}

/// Starts the thread.
///
/// # Errors
///
/// When the system gives no thread.
pub(crate) fn start<D>(parts: ArchivistParts<D>) -> io::Result<JoinHandle<()>>
where
    D: Disk + Clone + Send + 'static,
{
    let running = parts.queue.begin_running();
    let mut archivist = Archivist::new(parts);
    std::thread::Builder::new().name("ach-archive".to_owned()).spawn(move || {
        let _running = running;
        // Of the calling thread only. Where it is not allowed nothing is lost.
        let _ = rustix::process::setpriority_process(None, NICENESS);
        archivist.run();
    })
}

impl<D: Disk + Clone> Archivist<D> {
    fn new(parts: ArchivistParts<D>) -> Archivist<D> {
        Archivist {
            folder: parts.data.join(ARCHIVE_FOLDER),
            parts,
            pace: SystemClock::default(),
            after: Lsn::NONE,
            done_index: 0,
            tidied_at_ns: None,
            unread_count: 0,
            rests_until_ns: 0,
            early_pace: DropPace::default(),
            over_pace: DropPace::default(),
            is_foreign_aside: false,
        }
    }

    fn state(&self) -> &HistoryState {
        &self.parts.counters.tally.history
    }

    fn run(&mut self) {
        let _end = ThreadEnd::of(self.parts.counters.clone(), |state| &state.archiving);
        self.remove_unfinished();
        while !self.parts.queue.is_closed() {
            if self.has_to_do() {
                match self.round() {
                    Ok(()) => {
                        self.unread_count = 0;
                        self.state().archiving.recover();
                    }
                    Err(error) => self.fail(&error),
                }
            }
            std::thread::park_timeout(LOOK_EVERY);
        }
    }

    /// Something went wrong: said aloud, and tried again later.
    fn fail(&mut self, error: &NotArchived) {
        if matches!(error, NotArchived::Damaged(_) | NotArchived::Entry(_)) {
            let wait_ns = HOUSEKEEPING_NS << self.unread_count;
            self.rests_until_ns = self.pace.monotonic_ns().saturating_add(wait_ns);
            self.unread_count = self.unread_count.saturating_add(1).min(DOUBLINGS_MAX);
        }
        let detail = told(error);
        self.state().archiving.fail(HistoryTrouble::NotArchived { detail });
    }

    /// Removes what an earlier life did not finish.
    fn remove_unfinished(&self) {
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.extension().is_some_and(|it| it == "unfinished" || it == "new") {
                // It only takes room.
                drop(fs::remove_file(path));
            }
        }
    }

    /// Sets aside what is archived of entries that the journal does not have: it was put back from a backup,
    /// and goes on otherwise.
    fn set_foreign_aside(&self) -> Result<(), NotArchived> {
        let last_index = self.parts.last_index;
        let spans = archives(&self.folder)?.into_iter();
        let foreign = spans.filter(|span| span.last_index > last_index).map(|span| span.file);
        let failed = |file: &Path| {
            let file = file.to_owned();
            move |source| NotArchived::Disk { verb: "set aside", file, source }
        };
        let kept = checkpoints_beside(&self.folder).map_err(failed(&self.folder))?;
        let kept = kept.into_iter().filter(|&index| index > last_index);
        let kept = kept.map(|index| self.folder.join(name_of(index)));
        for file in foreign.chain(kept) {
            let mut aside = file.clone().into_os_string();
            aside.push(".other");
            fs::rename(&file, &aside).map_err(failed(&file))?;
            tracing::error!(file = %file.display(), "an archive is of another journal and set aside");
        }
        Ok(())
    }

    /// Whether more may be archived, or it is time to look at the folder.
    fn has_to_do(&mut self) -> bool {
        let now_ns = self.pace.monotonic_ns();
        let is_time = |at_ns: u64| now_ns.saturating_sub(at_ns) >= HOUSEKEEPING_NS;
        let until_index = self.parts.floor.archivable().map_or(0, |until| until.index);
        if until_index <= self.done_index && !self.tidied_at_ns.is_none_or(is_time) {
            return false;
        }
        self.done_index = until_index;
        self.tidied_at_ns = Some(now_ns);
        true
    }

    /// Archives what may be, and drops what is over.
    fn round(&mut self) -> Result<(), NotArchived> {
        if !self.is_foreign_aside {
            // What is not known to be of this journal must not let it go.
            self.set_foreign_aside()?;
            self.is_foreign_aside = true;
        }
        let spans = archives(&self.folder)?;
        let mut archived_index = spans.last().map_or(0, |span| span.last_index);
        self.note(archived_index);
        // First, so that there is room, and whatever becomes of the rest.
        let dropped = self.drop_what_is_over();
        let until = self.parts.floor.archivable().filter(|it| it.index > archived_index);
        if let Some(until) = until.filter(|_| self.pace.monotonic_ns() >= self.rests_until_ns) {
            self.must_have_room()?;
            archived_index = self.archive(archived_index, until)?;
            self.note(archived_index);
            if archived_index == until.index {
                self.keep_checkpoint(until, &archives(&self.folder)?)?;
            }
        }
        dropped
    }

    /// Tells how far it is.
    fn note(&self, archived_index: u64) {
        self.parts.floor.archives_have(archived_index);
        self.state().archived_index.store(archived_index, Ordering::Relaxed);
    }

    /// Without room the oldest archives go: the journal, which cannot be derived, needs it sooner or
    /// later.
    fn must_have_room(&mut self) -> Result<(), NotArchived> {
        let failed = |source| NotArchived::Disk { verb: "make", file: self.folder.clone(), source };
        fs::create_dir_all(&self.folder).map_err(failed)?;
        let (room, folder) = (&self.parts.room, &self.folder);
        let is_low = || room.is_low(folder, LEFT_BYTES);
        if !is_low() {
            return Ok(());
        }
        // What an earlier round did not finish takes room too.
        self.remove_unfinished();
        // At most a day an hour: who fills the disk in passing is not to cost a month.
        let now_ns = self.pace.monotonic_ns();
        if is_low() && self.early_pace.days_max(true, now_ns) > 0 {
            let written_index = self.parts.floor.written_index();
            let ArchivistParts { data, kek, .. } = &self.parts;
            let dropped = retention::drop_oldest_archives(data, written_index, kek);
            // Whoever changes the holds must not keep the journal from being archived for long either.
            let count = self.early_pace.bear(dropped, now_ns)?;
            self.parts.counters.archives_dropped_early.add(count);
            if count > 0 {
                self.early_pace.has_dropped(now_ns);
            }
        }
        if is_low() { Err(NotArchived::NoRoom) } else { Ok(()) }
    }

    /// Archives the entries after one and up to that of a checkpoint, and says how far it came: a node
    /// that ends does not wait for it.
    fn archive(&mut self, after_index: u64, until: Good) -> Result<u64, NotArchived> {
        let secret = self.parts.kek.secret_for(ARCHIVE_PURPOSE)?;
        let mut copy = Copy {
            folder: &self.folder,
            secret,
            writer: None,
            last_index: after_index,
            after: self.after,
        };
        let (queue, room, pace) = (&self.parts.queue, &self.parts.room, self.pace);
        let (mut outcome, mut bytes, mut begun_ns) = (Ok(()), 0_usize, pace.monotonic_ns());
        let mut each = |record: Record<'_>| {
            let is_entry = record.kind == RecordKind::Entry;
            if queue.is_closed() || (is_entry && record.index > until.index) {
                return ControlFlow::Break(());
            }
            if !is_entry {
                return ControlFlow::Continue(());
            }
            outcome = copy.take(&record);
            bytes = bytes.saturating_add(record.payload.len());
            if bytes >= REST_AFTER_BYTES && outcome.is_ok() {
                if room.is_low(copy.folder, LEFT_BYTES) {
                    outcome = Err(NotArchived::NoRoom);
                }
                let worked_ns = pace.monotonic_ns().saturating_sub(begun_ns);
                std::thread::park_timeout(Duration::from_nanos(worked_ns).min(REST_MAX));
                (bytes, begun_ns) = (0, pace.monotonic_ns());
            }
            if outcome.is_err() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let reader = Reader::new(self.parts.disk.clone());
        // A segment before that is missing, given up or taken away by hand, is no matter.
        let oldest = reader.oldest_lsn().unwrap_or(Lsn::NONE);
        let after = self.after.max(Lsn(oldest.0.saturating_sub(1)));
        let report = reader.show_until(&self.parts.kek, after, &mut each);
        outcome?;
        let report = report?;
        if let Some(damage) = report.damage.filter(|_| copy.last_index < until.index) {
            return Err(NotArchived::Damaged(format!("{} (LSN {})", damage.harm, damage.lsn)));
        }
        if copy.last_index < until.index {
            // It was told to end. What is begun is begun anew.
            return Ok(after_index);
        }
        copy.finish()?;
        self.after = copy.after;
        let count = copy.last_index.saturating_sub(after_index);
        self.parts.counters.history_entries_archived.add(count);
        tracing::debug!(through = copy.last_index, "the journal is archived");
        Ok(copy.last_index)
    }

    /// Puts the checkpoint up to which is archived beside the archives, once a day, so that what follows
    /// can be decided again when what is before is gone.
    fn keep_checkpoint(&self, until: Good, spans: &[ArchiveSpan]) -> Result<(), NotArchived> {
        let day_of = |index: u64| {
            let span =
                spans.iter().find(|span| (span.first_index..=span.last_index).contains(&index));
            span.map(|span| span.day)
        };
        let failed = |verb, file: &Path| {
            let file = file.to_owned();
            move |source| NotArchived::Disk { verb, file, source }
        };
        let kept = checkpoints_beside(&self.folder).map_err(failed("list", &self.folder))?;
        let last: Option<Day> = kept.first().and_then(|&index| day_of(index));
        if last.is_some() && last == day_of(until.index) {
            return Ok(());
        }
        let name = name_of(until.index);
        let (new, file) = (self.folder.join("checkpoint.new"), self.folder.join(&name));
        let from = match self.parts.disk.open_reading(&name) {
            // Newer ones have taken its place meanwhile; the next is as good.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            from => from.map_err(failed("read", Path::new(&name)))?,
        };
        let mut to = File::create(&new).map_err(failed("create", &new))?;
        let (mut at, mut buffer) = (0_u64, vec![0; COPY_BYTES]);
        loop {
            let read = from.read_at(at, &mut buffer).map_err(failed("read", Path::new(&name)))?;
            let Some(piece) = buffer.get(..read).filter(|piece| !piece.is_empty()) else { break };
            to.write_all(piece).map_err(failed("write", &new))?;
            at = at.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
        }
        to.sync_all().map_err(failed("sync", &new))?;
        fs::rename(&new, &file).map_err(failed("rename", &new))?;
        let synced = File::open(&self.folder).and_then(|folder| folder.sync_all());
        synced.map_err(failed("sync", &self.folder))
    }

    /// Drops what is over, and measures.
    fn drop_what_is_over(&mut self) -> Result<(), NotArchived> {
        if let Some(now) = self.parts.clock.ageing() {
            let ArchivistParts { data, kek, keep_days, clock, floor, .. } = &self.parts;
            let now_ns = self.pace.monotonic_ns();
            let days_max = self.over_pace.days_max(clock.was_doubted(), now_ns);
            let (keep_from, written_index) = (keep_from(now, *keep_days), floor.written_index());
            let dropped = retention::drop_archives(data, keep_from, written_index, days_max, kek);
            if self.over_pace.bear(dropped, now_ns)? > 0 {
                self.over_pace.has_dropped(now_ns);
            }
        }
        let spans = archives(&self.folder)?;
        let bytes =
            spans.iter().map(|span| fs::metadata(&span.file).map_or(0, |it| it.len())).sum();
        self.state().archive_bytes.store(bytes, Ordering::Relaxed);
        Ok(())
    }
}

/// Entries on their way into archives.
struct Copy<'a> {
    folder: &'a Path,
    secret: Zeroizing<[u8; 32]>,
    writer: Option<ArchiveWriter>,
    last_index: u64,
    after: Lsn,
}

impl Copy<'_> {
    fn take(&mut self, record: &Record<'_>) -> Result<(), NotArchived> {
        self.after = record.lsn;
        if record.index <= self.last_index {
            return Ok(());
        }
        let at = entry_time(record.payload)?;
        if self.writer.as_ref().is_some_and(|writer| writer.day() != Day::of(at)) {
            self.finish()?;
        }
        let mut writer = if let Some(writer) = self.writer.take() {
            writer
        } else {
            if record.index > self.last_index.saturating_add(1) {
                let (after, next) = (self.last_index, record.index);
                tracing::warn!(after, next, "entries between are in no archive");
            }
            ArchiveWriter::begin(self.folder, &self.secret, record.index, at)?
        };
        writer.push(record.index, at, record.payload)?;
        self.last_index = record.index;
        self.writer = Some(writer);
        Ok(())
    }

    fn finish(&mut self) -> Result<(), NotArchived> {
        if let Some(writer) = self.writer.take() {
            writer.finish()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
