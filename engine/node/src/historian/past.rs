//! Whether a history is of the journal's past.

use ach_engine_journal::Disk;
use ach_engine_store::{HistoryWriter, WriteError};

use super::Historian;
use super::fault::Fault;

/// What a history has taken last, against the journal.
enum Past {
    /// The journal has it.
    Ours,
    /// The journal has another entry in its place, or never had one.
    Another,
    /// This process decided it, and a command read it before it was known to be on disk.
    NotDurable,
}

impl<D: Disk + Clone> Historian<D> {
    /// Compares a store that was opened with the journal, once.
    pub(super) fn compare(&mut self, writer: &HistoryWriter) -> Result<(), Fault> {
        if !self.is_compared {
            match self.past(writer)? {
                Past::Ours => {}
                // The journal was put back from a backup, or its disk lost what a question had read of it.
                Past::Another => {
                    let detail = "it has entries that the journal does not have".to_owned();
                    return Err(WriteError::Damaged { detail }.into());
                }
                Past::NotDurable => return Err(Fault::Ahead),
            }
        }
        self.is_compared = true;
        Ok(())
    }

    /// What is before the journal's end at the start is compared when what follows is read.
    fn past(&self, writer: &HistoryWriter) -> Result<Past, Fault> {
        let Some((last_index, last_at)) = self.parts.began else { return Ok(Past::Ours) };
        let (taken, taken_at) = (writer.taken_through(), writer.taken_at());
        let judged = |is_ours| if is_ours { Past::Ours } else { Past::Another };
        if taken == last_index {
            return Ok(judged(taken == 0 || taken_at == last_at));
        }
        if taken < last_index {
            return Ok(Past::Ours);
        }
        if taken > self.parts.mark.durable_index() {
            // A command reads what is written, also what is not synced yet. What is older than this
            // process is none of that.
            let is_of_this_life = taken_at >= self.begun_at;
            return Ok(if is_of_this_life { Past::NotDurable } else { Past::Another });
        }
        // A command may have written what this process decided.
        Ok(judged(self.parts.rereading.time_of(taken)? == Some(taken_at)))
    }
}
