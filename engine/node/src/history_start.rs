//! Starts the threads of a node's history.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use ach_engine_journal::{Disk, Kek};

use crate::archivist::{self, ARCHIVE_FOLDER, ArchivistParts};
use crate::clock::ShardClock;
use crate::commit_mark::CommitMark;
use crate::counters::Counters;
use crate::historian::{self, HistorianParts};
use crate::history_feed::{HistoryFeed, HistoryQueue};
use crate::journal_floor::JournalFloor;
use crate::node::NodeConfig;
use crate::rereading::Rereading;
use crate::start_error::StartError;

/// What the threads of a node share that history is told of.
#[derive(Debug, Clone)]
pub(crate) struct HistoryParts {
    pub mark: Arc<CommitMark>,
    pub clock: Arc<ShardClock>,
    pub counters: Arc<Counters>,
    pub floor: Arc<JournalFloor>,
}

/// Begins to write the history of a node whose journal is on `disk`, if it is to have one. Returns at
/// once: the store is opened and what it has not is read while the node works.
///
/// # Errors
///
/// When the system gives no thread.
pub(crate) fn start<D>(
    config: &NodeConfig,
    (disk, kek): (D, Kek),
    parts: HistoryParts,
) -> Result<Option<HistoryFeed>, StartError>
where
    D: Disk + Clone + Send + 'static,
{
    let Some(policy) = config.limits.history else { return Ok(None) };
    let data = &config.data;
    let queue = Arc::new(HistoryQueue::new());
    let HistoryParts { mark, clock, counters, floor } = parts;
    counters.tally.history.is_on.store(1, Ordering::Relaxed);
    // Nothing is given up before both have said what they have.
    floor.history_has(0);
    let mut threads = Vec::new();
    // A journal that is not written gives nothing up.
    if policy.archive_days > 0 && mark.is_storing() {
        floor.archives_have(0);
        let parts = ArchivistParts {
            data: data.to_owned(),
            keep_days: policy.archive_days,
            queue: queue.clone(),
            last_index: mark.durable_index(),
            disk: disk.clone(),
            kek: kek.clone(),
            clock: clock.clone(),
            counters: counters.clone(),
            floor: floor.clone(),
        };
        threads.push(archivist::start(parts).map_err(StartError::Thread)?);
    }
    let parts = HistorianParts {
        data: data.to_owned(),
        keep_days: policy.keep_days,
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
