//! What the historian looks after beside writing: days that are over, and how much there is.

use std::sync::atomic::Ordering;

use ach_actors_model::{NS_PER_S, Timestamp};
use ach_engine_journal::Disk;

use super::Historian;
use crate::history_state::{HistoryTrouble, told};
use crate::retention::{NotDropped, drop_archives, drop_days, keep_from};

/// How often days that are over are looked for, and the store is measured.
const HOUSEKEEPING_NS: u64 = 60 * NS_PER_S;

impl<D: Disk + Clone> Historian<D> {
    /// Looks after what is over now and then, also while history catches up for hours.
    pub(super) fn keep_house_in_time(&mut self, now_ns: u64) {
        if now_ns.saturating_sub(self.tidied_at_ns) >= HOUSEKEEPING_NS || self.tidied_at_ns == 0 {
            self.tidied_at_ns = now_ns;
            self.keep_house(now_ns);
        }
    }

    /// Drops what is over, and measures.
    pub(super) fn keep_house(&mut self, now_ns: u64) {
        if let Some(writer) = &self.writer {
            self.state().disk_bytes.store(writer.store().disk_bytes(), Ordering::Relaxed);
        }
        let Some(now) = self.parts.clock.ageing() else { return };
        let dropped = self.drop_what_is_over(now, now_ns);
        match self.drop_pace.bear(dropped, now_ns) {
            Ok(()) => self.state().dropping.recover(),
            Err(error) => {
                let detail = told(&error);
                self.state().dropping.fail(HistoryTrouble::NotDropped { detail });
            }
        }
    }

    fn drop_what_is_over(&mut self, now: Timestamp, now_ns: u64) -> Result<(), NotDropped> {
        let data = &self.parts.data;
        let days_max = self.drop_pace.days_max(self.parts.clock.was_doubted(), now_ns);
        let mut outcome = Ok(());
        let mut count = 0;
        if let Some(writer) = &self.writer {
            let keep_from = keep_from(now, self.parts.keep_days);
            outcome = drop_days(data, writer.store(), keep_from, days_max, &mut count);
            self.parts.counters.history_days_dropped.add(count);
        }
        if let Some(archive_days) = self.parts.archive_keep_days
            && outcome.is_ok()
        {
            let (keep_from, written) =
                (keep_from(now, archive_days), self.parts.floor.written_index());
            let kek = self.parts.rereading.kek();
            let archives = drop_archives(data, keep_from, written, days_max, kek);
            outcome = archives.map(|dropped| count = count.saturating_add(dropped));
        }
        if count > 0 {
            self.drop_pace.has_dropped(now_ns);
        }
        outcome
    }
}
