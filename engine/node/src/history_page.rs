//! The numbers of history for operators.

use std::sync::atomic::Ordering;

use ach_actors_model::Timestamp;
use ach_engine_metrics::{Amount, Exposition, Kind};

use crate::counters::Counters;
use crate::history_state::{HistoryState, HistoryTrouble};

/// Writes them; nothing of a node that writes no history.
pub(crate) fn write(
    page: &mut Exposition,
    counters: &Counters,
    durable_index: u64,
    now: Timestamp,
) {
    let history = &counters.tally.history;
    page.gauge(
        "ach_is_history_on",
        "1 if the node writes history.",
        Amount::Count(u64::from(history.is_on())),
    );
    if !history.is_on() {
        return;
    }
    let trouble = history.trouble();
    page.gauge(
        "ach_is_history_sound",
        "1 while history is written, archived and dropped as it should be.",
        Amount::Count(u64::from(trouble.is_none())),
    );
    let mut family = page.family(
        Kind::Gauge,
        "ach_history_trouble",
        "1 for what is wrong with history or archives.",
    );
    for reason in HistoryTrouble::WORDS {
        let is_it = trouble.as_ref().is_some_and(|why| why.word() == *reason);
        family.sample(&[("reason", reason)], Amount::Count(u64::from(is_it)));
    }
    let (entries, ns) = history.lag(durable_index, now);
    page.gauge(
        "ach_history_lag_entries",
        "Entries that are on disk and not in history yet.",
        Amount::Count(entries),
    );
    page.gauge(
        "ach_history_lag_seconds",
        "How long ago the last entry that is in history was made, while others wait.",
        Amount::Ns(ns),
    );
    for (name, help, value) in numbers(history) {
        page.gauge(&format!("ach_{name}"), help, Amount::Count(value));
    }
}

/// Every plain number.
pub(crate) fn numbers(history: &HistoryState) -> [(&'static str, &'static str, u64); 5] {
    let read = |number: &std::sync::atomic::AtomicU64| number.load(Ordering::Relaxed);
    [
        ("history_taken_index", "The last entry in history.", read(&history.taken_index)),
        (
            "history_written_index",
            "The last entry that is in history after a crash; what follows is read from the journal.",
            read(&history.written_index),
        ),
        ("history_bytes", "Bytes of history on disk.", read(&history.disk_bytes)),
        (
            "history_archived_index",
            "The last entry that is archived.",
            read(&history.archived_index),
        ),
        ("history_archive_bytes", "Bytes of archives on disk.", read(&history.archive_bytes)),
    ]
}
