//! A history that begins in the middle, or goes on behind a gap, because nobody has the entries before any
//! more.

use ach_actors_model::{EntityRef, Lane, SourceRef, ZoneRef};
use ach_engine_shard::Shard;

use super::HistoryWriter;
use super::admission::Admission;
use crate::errors::{Fault, WriteError};
use crate::gap::HistoryGap;
use crate::heads::Heads;
use crate::keyframe::Keyframes;

impl HistoryWriter {
    /// Has the store go on with the entry after those that `shard` has decided on. Who is in a zone then is
    /// told to have come with the last of those: they are there also until the next one comes. What lies
    /// between that and what was taken before is a gap, which is written down: how visits that were open
    /// ended is not known.
    ///
    /// # Errors
    ///
    /// When nothing lies between, or the disk refuses.
    pub fn begin_after(&mut self, shard: &Shard) -> Result<(), WriteError> {
        if self.has_failed {
            return Err(WriteError::Stopped);
        }
        if self.through > 0 && shard.entry_index() <= self.through {
            let expected = self.through.saturating_add(1);
            return Err(WriteError::Gap { expected, got: shard.entry_index().saturating_add(1) });
        }
        self.flush()?;
        let begun = self.leave_gap(shard).and_then(|()| self.stand_at(shard));
        self.has_failed = begun.is_err();
        Ok(begun?)
    }

    /// Notes what is missing, and ends what nothing is known of any more.
    fn leave_gap(&mut self, shard: &Shard) -> Result<(), Fault> {
        if self.today.is_none() {
            return Ok(());
        }
        let gap = HistoryGap {
            after: self.through,
            after_at: self.through_at,
            until: shard.entry_index(),
            until_at: shard.entry_at(),
        };
        self.store.names().note_gap(&gap)?;
        self.presence.end_where(|_, _| true, self.through_at, &mut self.rows);
        // All that waited is written.
        self.heads = Heads::default();
        self.keyframes = Keyframes::default();
        self.clock_offsets_ns.clear();
        Ok(())
    }

    /// Has everybody who was found somewhere come with the last entry that was not taken. Not before something is
    /// written behind it, so that a gap can still close.
    pub(super) fn enter_found(&mut self) -> Result<(), Fault> {
        if self.found_within.is_empty() {
            return Ok(());
        }
        let at = self.through_at;
        self.turn_day(at)?;
        self.turn_hour(at);
        for (zone, subject) in std::mem::take(&mut self.found_within) {
            self.presence.entered(subject, zone, at, &mut self.rows);
        }
        Ok(())
    }

    /// Knows what the shard knows.
    fn stand_at(&mut self, shard: &Shard) -> Result<(), Fault> {
        self.found_within.clear();
        self.admission = Admission::default();
        if let Some(site) = shard.site() {
            self.store.names().take(site, shard.entry_at(), &mut self.last_bearers)?;
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
        // That of a checkpoint's entry is not known.
        self.through_hash = 0;
        Ok(())
    }
}
