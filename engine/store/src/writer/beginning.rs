//! A history that begins in the middle, because nobody has the entries before any more.

use ach_actors_model::{EntityRef, Lane, SourceRef, ZoneRef};
use ach_engine_shard::Shard;

use super::HistoryWriter;
use crate::errors::WriteError;

impl HistoryWriter {
    /// Has an empty store begin with the entry after those that `shard` has decided on. Who is in a
    /// zone then is told to have come with the first entry that is taken.
    ///
    /// # Errors
    ///
    /// When something was taken before, or the disk refuses.
    pub fn begin_after(&mut self, shard: &Shard) -> Result<(), WriteError> {
        if self.has_failed {
            return Err(WriteError::Stopped);
        }
        if self.through > 0 {
            let expected = self.through.saturating_add(1);
            return Err(WriteError::Gap { expected, got: shard.entry_index().saturating_add(1) });
        }
        if let Some(site) = shard.site() {
            let at = shard.entry_at();
            let named = self.store.names().take(site, at, &mut self.last_bearers);
            self.has_failed = named.is_err();
            named?;
            for zone in (0..).map(ZoneRef).take(site.zone_ref_count()) {
                let is_there = site.has(EntityRef::Zone(zone));
                let within = shard.occupants(zone).into_iter().filter(|_| is_there);
                self.found_within.extend(within.map(|subject| (zone, subject)));
            }
            for source in (0..).map(SourceRef).take(site.source_ref_count()) {
                let lane = shard.lane_state(source, Lane::Ping);
                self.admission.begin(source, lane.epoch, lane.accepted_through);
            }
        }
        (self.through, self.through_at) = (shard.entry_index(), shard.entry_at());
        Ok(())
    }
}
