//! Starts the threads of a node's history.

use std::cell::Cell;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ach_actors_model::Timestamp;
use ach_engine_journal::{Disk, Kek};
use ach_engine_store::WRITE_EVERY_NS;

use crate::archivist::{self, ArchivistParts};
use crate::assembly::Beside;
use crate::clock::{Clock, ShardClock, SystemClock};
use crate::commit_mark::CommitMark;
use crate::counters::Counters;
use crate::here::HereHistory;
use crate::historian::{self, HISTORY_FOLDER, HistorianParts};
use crate::history_feed::{HistoryFeed, HistoryQueue};
use crate::history_place::HistoryPlace;
use crate::journal_floor::JournalFloor;
use crate::node::NodeConfig;
use crate::rereading::Rereading;
use crate::retention::ARCHIVE_FOLDER;
use crate::room::Room;
use crate::start_error::StartError;

/// What the threads of a node share that history is told of.
#[derive(Debug, Clone)]
pub(crate) struct HistoryParts {
    pub mark: Arc<CommitMark>,
    pub clock: Arc<ShardClock>,
    pub counters: Arc<Counters>,
    pub floor: Arc<JournalFloor>,
    /// When the last entry of the journal was made.
    pub last_at: Timestamp,
}

/// Begins to write the history of a node whose journal is on `disk`, if it is to have one: in a folder, or in
/// the tables that are given. Returns at once: the store is opened and what it has not is read while the
/// node works.
///
/// # Errors
///
/// When the system gives no thread.
pub(crate) fn start<D>(
    config: &NodeConfig,
    (disk, kek): (D, Kek),
    parts: HistoryParts,
    tables: Option<HereHistory>,
) -> Result<Option<HistoryFeed>, StartError>
where
    D: Disk + Clone + Send + 'static,
{
    let data = &config.data;
    let Some(policy) = config.limits.history else {
        if data.join(HISTORY_FOLDER).exists() && !config.limits.checkpoints.is_journal_kept {
            tracing::warn!(
                "history is off and the journal goes as it does without one: the history that is there \
                 will have a gap when it is on again"
            );
        }
        return Ok(None);
    };
    let queue = Arc::new(HistoryQueue::new());
    let HistoryParts { mark, clock, counters, floor, last_at } = parts;
    counters.tally.history.is_on.store(1, Ordering::Relaxed);
    // Nothing is given up before both have said what they have.
    floor.history_has(0);
    let mut threads = Vec::new();
    // A journal that is not written gives nothing up; and how far it was read says nothing of history
    // and archives.
    let began = mark.is_storing().then(|| (mark.durable_index(), last_at));
    let has_archivist = policy.archive_days > 0 && began.is_some();
    if has_archivist {
        floor.archives_have(0);
        let parts = ArchivistParts {
            data: data.to_owned(),
            keep_days: policy.archive_days,
            queue: queue.clone(),
            last_index: mark.durable_index(),
            disk: disk.clone(),
            kek: kek.clone(),
            room: Room::OfDisk,
            clock: clock.clone(),
            counters: counters.clone(),
            floor: floor.clone(),
        };
        threads.push(archivist::start(parts).map_err(StartError::Thread)?);
    }
    let (place, room, write_every_ns) = place_of(data, tables);
    let parts = HistorianParts {
        data: data.to_owned(),
        place,
        write_every_ns,
        pace: Arc::new(SystemClock::default()),
        keep_days: policy.keep_days,
        // Those of before go when the days go of which they are.
        archive_keep_days: (!has_archivist).then(|| policy.archive_days.max(policy.keep_days)),
        began,
        room,
        queue: queue.clone(),
        rereading: Rereading::new(disk, kek, &data.join(ARCHIVE_FOLDER)),
        mark,
        clock,
        counters: counters.clone(),
        floor,
    };
    threads.push(historian::start(parts).map_err(StartError::Thread)?);
    Ok(Some(HistoryFeed::new(queue, counters, threads)))
}

/// Where history lies, who tells how much room there is, and how often it is written.
fn place_of(data: &Path, tables: Option<HereHistory>) -> (HistoryPlace, Room, u64) {
    match tables {
        Some(HereHistory { tables, write_every }) => {
            let room = Room::Simulated(tables.clone());
            (HistoryPlace::Simulated(tables), room, ns(write_every))
        }
        None => (HistoryPlace::Folder(data.join(HISTORY_FOLDER)), Room::OfDisk, WRITE_EVERY_NS),
    }
}

fn ns(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// The same for a node that has no thread of its own: a future that writes it. Nothing is archived.
pub(crate) fn start_here<D>(
    config: &NodeConfig,
    (disk, kek): (D, Kek),
    parts: HistoryParts,
    (here, pace): (HereHistory, Arc<dyn Clock>),
) -> Option<(HistoryFeed, Beside)>
where
    D: Disk + Clone + Send + 'static,
{
    let policy = config.limits.history?;
    let HereHistory { tables, write_every } = here;
    let queue = Arc::new(HistoryQueue::new());
    let HistoryParts { mark, clock, counters, floor, last_at } = parts;
    counters.tally.history.is_on.store(1, Ordering::Relaxed);
    floor.history_has(0);
    let began = mark.is_storing().then(|| (mark.durable_index(), last_at));
    let (of_disk, before_ns) = (tables.clone(), Cell::new(tables.stalled_ns()));
    let disk_pace = Box::new(move || {
        let now_ns = of_disk.stalled_ns();
        Duration::from_nanos(now_ns.saturating_sub(before_ns.replace(now_ns)))
    });
    let parts = HistorianParts {
        data: config.data.clone(),
        place: HistoryPlace::Simulated(tables.clone()),
        write_every_ns: ns(write_every),
        pace,
        keep_days: policy.keep_days,
        archive_keep_days: None,
        began,
        room: Room::Simulated(tables),
        queue: queue.clone(),
        rereading: Rereading::new(disk, kek, &config.data.join(ARCHIVE_FOLDER)),
        mark,
        clock,
        counters: counters.clone(),
        floor,
    };
    let writer = historian::start_here(parts, disk_pace);
    Some((HistoryFeed::new(queue, counters, Vec::new()), Box::pin(writer)))
}
