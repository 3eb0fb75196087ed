//! How a node's history is: written by the threads that have it, read by everybody.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ach_actors_model::Timestamp;
use arc_swap::ArcSwapOption;

use crate::counters::Counters;

/// What a node remembers, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistoryPolicy {
    /// Days that can be asked about, today with them.
    pub keep_days: u32,
    /// Days of which the entries are archived when the journal gives them up; 0 for none: then history
    /// that is damaged is derived again only as far back as the journal reaches.
    pub archive_days: u32,
}

impl Default for HistoryPolicy {
    /// A month, as most incidents are looked into within days and most complaints come within weeks.
    fn default() -> HistoryPolicy {
        HistoryPolicy { keep_days: 30, archive_days: 30 }
    }
}

/// Why history is not as it must be. Alarms go on, and nothing that was not taken is given up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HistoryTrouble {
    /// It could not be opened. It is tried again.
    #[error("history cannot be opened: {detail}")]
    NotOpened {
        /// Why.
        detail: String,
    },
    /// A write failed or there is no room. It is tried again.
    #[error(
        "history is not written: {detail}; make room or replace the disk, it goes on by itself"
    )]
    NotWritten {
        /// Why.
        detail: String,
    },
    /// It was found damaged again and again.
    #[error(
        "history was damaged several times: {detail}; replace its disk, then start the node again"
    )]
    Damaged {
        /// What was found last.
        detail: String,
    },
    /// What it has not taken yet cannot be decided again.
    #[error("what history has not taken yet cannot be read again: {detail}")]
    Unreadable {
        /// Why.
        detail: String,
    },
    /// The thread failed.
    #[error(
        "a thread of history failed; start the node again and report this: what is not in history and \
         archives stays in the journal, which grows until then"
    )]
    Failed,
    /// The journal is not archived, and kept meanwhile.
    #[error("the journal cannot be archived and is kept: {detail}")]
    NotArchived {
        /// Why.
        detail: String,
    },
    /// What is over is not dropped.
    #[error("days that are over are kept: {detail}")]
    NotDropped {
        /// Why.
        detail: String,
    },
}

impl HistoryTrouble {
    /// All the words of [`word`](Self::word).
    pub(crate) const WORDS: &[&str] = &[
        "not_opened",
        "not_written",
        "damaged",
        "unreadable",
        "failed",
        "not_archived",
        "not_dropped",
    ];

    /// Why, in a word that fits into the name of a number.
    pub fn word(&self) -> &'static str {
        match self {
            HistoryTrouble::NotOpened { .. } => "not_opened",
            HistoryTrouble::NotWritten { .. } => "not_written",
            HistoryTrouble::Damaged { .. } => "damaged",
            HistoryTrouble::Unreadable { .. } => "unreadable",
            HistoryTrouble::Failed => "failed",
            HistoryTrouble::NotArchived { .. } => "not_archived",
            HistoryTrouble::NotDropped { .. } => "not_dropped",
        }
    }
}

/// One thing that can be wrong.
#[derive(Debug, Default)]
pub(crate) struct TroubleSlot(ArcSwapOption<HistoryTrouble>);

impl TroubleSlot {
    /// Something is wrong, loudly; said once for each thing.
    pub(crate) fn fail(&self, why: HistoryTrouble) {
        let is_known = self.0.load().as_deref().is_some_and(|known| known.word() == why.word());
        if !is_known {
            tracing::error!(%why, "history trouble; alarms go on");
        }
        self.0.store(Some(why.into()));
    }

    /// It is right again.
    pub(crate) fn recover(&self) {
        if self.0.swap(None).is_some() {
            tracing::info!("history goes on");
        }
    }

    fn get(&self) -> Option<HistoryTrouble> {
        self.0.load().as_deref().cloned()
    }
}

/// How it is.
#[derive(Debug, Default)]
pub(crate) struct HistoryState {
    /// 1 if the node writes history.
    pub is_on: AtomicU64,
    /// The last entry that was taken.
    pub taken_index: AtomicU64,
    /// When that entry was made.
    pub taken_at: AtomicU64,
    /// Everything up to this entry can be asked about after a crash.
    pub written_index: AtomicU64,
    /// Bytes of the store, as of a minute ago.
    pub disk_bytes: AtomicU64,
    /// Everything up to this entry is archived.
    pub archived_index: AtomicU64,
    /// Bytes of archives.
    pub archive_bytes: AtomicU64,
    /// What the historian has.
    pub writing: TroubleSlot,
    /// What the archivist has.
    pub archiving: TroubleSlot,
    /// What keeps days that are over from being dropped.
    pub dropping: TroubleSlot,
}

impl HistoryState {
    /// What is wrong, if anything; the worst first.
    pub(crate) fn trouble(&self) -> Option<HistoryTrouble> {
        self.writing.get().or_else(|| self.archiving.get()).or_else(|| self.dropping.get())
    }

    /// Whether the node writes history.
    pub(crate) fn is_on(&self) -> bool {
        self.is_on.load(Ordering::Relaxed) == 1
    }

    /// Entries that are on disk and not in history yet, and since when, in ns.
    pub(crate) fn lag(&self, durable_index: u64, now: Timestamp) -> (u64, u64) {
        let entries = durable_index.saturating_sub(self.taken_index.load(Ordering::Relaxed));
        let taken_at = Timestamp(self.taken_at.load(Ordering::Relaxed));
        (entries, if entries == 0 || taken_at.0 == 0 { 0 } else { now.since_ns(taken_at) })
    }
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

/// Says that a thread of history has failed, if it has.
pub(crate) struct ThreadEnd {
    counters: Arc<Counters>,
    slot: fn(&HistoryState) -> &TroubleSlot,
}

impl ThreadEnd {
    /// To be held by a thread until it ends.
    pub(crate) fn of(
        counters: Arc<Counters>,
        slot: fn(&HistoryState) -> &TroubleSlot,
    ) -> ThreadEnd {
        ThreadEnd { counters, slot }
    }
}

impl Drop for ThreadEnd {
    fn drop(&mut self) {
        if std::thread::panicking() {
            (self.slot)(&self.counters.tally.history).fail(HistoryTrouble::Failed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_trouble_has_its_word() {
        let detail = String::new;
        let words: Vec<&str> = [
            HistoryTrouble::NotOpened { detail: detail() },
            HistoryTrouble::NotWritten { detail: detail() },
            HistoryTrouble::Damaged { detail: detail() },
            HistoryTrouble::Unreadable { detail: detail() },
            HistoryTrouble::Failed,
            HistoryTrouble::NotArchived { detail: detail() },
            HistoryTrouble::NotDropped { detail: detail() },
        ]
        .iter()
        .map(HistoryTrouble::word)
        .collect();
        assert_eq!(words, HistoryTrouble::WORDS);
    }

    #[test]
    fn a_trouble_that_is_over_lets_the_next_be_seen() {
        let state = HistoryState::default();
        state.dropping.fail(HistoryTrouble::NotDropped { detail: "holds".into() });
        state.writing.fail(HistoryTrouble::Failed);
        assert_eq!(state.trouble(), Some(HistoryTrouble::Failed));
        state.writing.recover();
        assert_eq!(state.trouble().map(|it| it.word()), Some("not_dropped"));
    }

    #[test]
    fn a_thread_that_fails_is_told() {
        let counters = Arc::new(Counters::default());
        let state = |counters: &Counters| counters.tally.history.trouble();
        let end = ThreadEnd::of(counters.clone(), |state| &state.archiving);
        std::thread::spawn(move || drop(end)).join().unwrap();
        assert_eq!(state(&counters), None);
        let end = ThreadEnd::of(counters.clone(), |state| &state.archiving);
        let failed = std::thread::spawn(move || {
            let _end = end;
            panic!("told to");
        });
        assert!(failed.join().is_err());
        assert_eq!(state(&counters), Some(HistoryTrouble::Failed));
    }

    #[test]
    fn what_is_taken_does_not_lag() {
        let state = HistoryState::default();
        state.taken_index.store(7, Ordering::Relaxed);
        state.taken_at.store(1_000, Ordering::Relaxed);
        assert_eq!(state.lag(7, Timestamp(5_000)), (0, 0));
        assert_eq!(state.lag(9, Timestamp(5_000)), (2, 4_000));
    }
}
