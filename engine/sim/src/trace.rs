//! What happened in a run, line by line, so that two runs can be compared.

use std::fmt::Display;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use twox_hash::XxHash3_64;

/// The lines of a run. Clones write to the same.
#[derive(Debug, Clone)]
pub(crate) struct Trace {
    begun_at: Instant,
    lines: Arc<Mutex<Vec<Line>>>,
}

/// When, who, and the whole of it.
type Line = (u128, String, String);

impl Trace {
    /// A trace that begins now.
    pub(crate) fn begin() -> Trace {
        Trace { begun_at: Instant::now(), lines: Arc::default() }
    }

    /// How long the run has lasted.
    pub(crate) fn elapsed(&self) -> Duration {
        self.begun_at.elapsed()
    }

    /// Adds a line.
    pub(crate) fn say(&self, who: &str, what: impl Display) {
        let at_ms = self.elapsed().as_millis();
        let line = (at_ms, who.to_owned(), format!("{at_ms:>7} {who:<8} {what}"));
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }

    /// All lines so far, those of one millisecond by who says them: in which order several who wait
    /// for one thing are woken is not the seed's (`docs/decisions/0013-simulate-below-the-transport.md`).
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner).clone();
        lines.sort_by(|(at, who, _), (later, other, _)| (at, who).cmp(&(later, other)));
        lines.into_iter().map(|(_, _, line)| line).collect()
    }
}

/// A number that two runs share when they did the same.
pub(crate) fn digest(lines: &[String]) -> u64 {
    XxHash3_64::oneshot(lines.join("\n").as_bytes())
}
