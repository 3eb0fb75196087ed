//! Derives history from what a shard was told and what it decided.

mod admission;
mod beginning;
mod state;

use std::collections::BTreeMap;

use ach_actors_entities::{Effect, Site};
use ach_actors_model::{
    AlarmNotice, Cause, Event, EventKind, Lane, NS_PER_S, PingBatch, Place, SourceRef, SubjectRef,
    Timestamp, ZoneRef,
};
use ach_engine_shard::{Entry, Input};

use self::admission::Admission;
use crate::alarm_record::{AlarmInput, AlarmRecord};
use crate::block::KeptPing;
use crate::day_mark::DayMark;
use crate::errors::{Fault, OpenError, WriteError};
use crate::heads::Heads;
use crate::keyframe::Keyframes;
use crate::name_rows::LastBearers;
use crate::presence::Presence;
use crate::rows::{Rows, write_rows};
use crate::tables::Keyspace;
use crate::{Day, Store};

const HOUR_NS: u64 = 3_600 * NS_PER_S;

/// What was heard is written at least this often, by shard time: so much of the journal is read
/// again after a crash, and so old may be what history knows. Oftener, blocks would be written twice.
pub const WRITE_EVERY_NS: u64 = 300 * NS_PER_S;

/// Pings that may wait to be written: at some 5 bytes each 20 MiB.
pub const PINGS_WAITING_MAX: u64 = 4 << 20;

/// Changes of alarms that may wait to be written: text of some 850 bytes each, so 14 MiB. A hospital has ten an hour.
pub const ALARMS_WAITING_MAX: u64 = 16_384;

/// The one writer of a store. It is given every entry of the journal that is durable, in order, with
/// the effects it had; it has no clock and no thread of its own. After a failure it writes nothing
/// more: history is opened again, or derived again.
#[derive(Debug)]
pub struct HistoryWriter {
    store: Store,
    today: Option<Today>,
    /// The last entry taken.
    through: u64,
    through_at: Timestamp,
    /// Hash of its effects; 0 if it is not known.
    through_hash: u64,
    admission: Admission,
    heads: Heads,
    presence: Presence,
    last_bearers: LastBearers,
    /// Who was where when history began in the middle, until something is written or taken behind that.
    found_within: Vec<(ZoneRef, SubjectRef)>,
    clock_offsets_ns: BTreeMap<SourceRef, i64>,
    keyframes: Keyframes,
    rows: Rows,
    waiting_pings: u64,
    waiting_alarms: u64,
    written_at: Timestamp,
    write_every_ns: u64,
    ping_count: u64,
    has_failed: bool,
}

/// The day that is being written.
struct Today {
    keyspace: Keyspace,
    mark: DayMark,
}

impl std::fmt::Debug for Today {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Today").field("mark", &self.mark).finish_non_exhaustive()
    }
}

impl HistoryWriter {
    /// Goes on where `store` ends. There must be no other writer of it.
    ///
    /// # Errors
    ///
    /// When what the last one left cannot be read.
    pub fn open(store: Store) -> Result<HistoryWriter, OpenError> {
        let mut writer = HistoryWriter {
            store,
            today: None,
            through: 0,
            through_at: Timestamp(0),
            through_hash: 0,
            admission: Admission::default(),
            heads: Heads::default(),
            presence: Presence::default(),
            last_bearers: LastBearers::default(),
            found_within: Vec::new(),
            clock_offsets_ns: BTreeMap::new(),
            keyframes: Keyframes::default(),
            rows: Rows::new(),
            waiting_pings: 0,
            waiting_alarms: 0,
            written_at: Timestamp(0),
            write_every_ns: WRITE_EVERY_NS,
            ping_count: 0,
            has_failed: false,
        };
        writer.recall()?;
        Ok(writer)
    }

    /// Writes what was heard at least this often instead of every [`WRITE_EVERY_NS`].
    #[must_use]
    pub fn writing_every(self, write_every_ns: u64) -> HistoryWriter {
        HistoryWriter { write_every_ns, ..self }
    }

    /// The last entry it has taken; the next must be the one after. What is before is skipped.
    pub fn taken_through(&self) -> u64 {
        self.through
    }

    /// When that entry was made.
    pub fn taken_at(&self) -> Timestamp {
        self.through_at
    }

    /// Everything of entries up to this one is on disk. The journal, and the checkpoint from which a
    /// restart would decide again, must be kept from the next entry on.
    pub fn written_through(&self) -> u64 {
        self.today.as_ref().map_or(0, |today| today.mark.through)
    }

    /// Pings kept since it was opened.
    pub fn ping_count(&self) -> u64 {
        self.ping_count
    }

    /// The store it writes.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Takes the next entry with the effects it had, and the site in force after it. Entries that were
    /// taken before are skipped. Writes when it is time to.
    ///
    /// # Errors
    ///
    /// See [`WriteError`]; also when the last one that was taken comes again and is another one.
    pub fn take(
        &mut self,
        entry: &Entry,
        effects: &[Effect],
        site: Option<&Site>,
    ) -> Result<(), WriteError> {
        if self.has_failed {
            return Err(WriteError::Stopped);
        }
        if entry.index <= self.through {
            let (hash, known) = (entry.effects_hash, self.through_hash);
            // 0 is not known.
            if entry.index == self.through && hash != known && hash != 0 && known != 0 {
                return Err(self.another(entry.index));
            }
            return self.must_follow(entry.index, entry.at);
        }
        let expected = self.through.saturating_add(1);
        if entry.index != expected {
            return Err(WriteError::Gap { expected, got: entry.index });
        }
        let taken = self.take_next(entry, effects, site);
        self.has_failed = taken.is_err();
        Ok(taken?)
    }

    /// Lets an entry count as taken that was not: what a bug that is planted to see it found would do.
    #[cfg(debug_assertions)]
    pub fn leave_out(&mut self, entry: &Entry) {
        (self.through, self.through_at) = (entry.index, entry.at);
        self.through_hash = entry.effects_hash;
    }

    /// Writes what waits, so that everything taken is on disk when this returns. For a checkpoint, a
    /// question about the last minutes, or the end.
    ///
    /// # Errors
    ///
    /// See [`WriteError`].
    pub fn flush(&mut self) -> Result<(), WriteError> {
        if self.has_failed {
            return Err(WriteError::Stopped);
        }
        if self.written_through() >= self.through {
            return Ok(());
        }
        let written = self.enter_found().and_then(|()| self.write(false));
        self.has_failed = written.is_err();
        Ok(written?)
    }

    /// Refuses an entry, be it that of a checkpoint, that is not the one of its number that was taken
    /// last: the journal was put back from a backup, or its disk has lost what was there, and it has
    /// gone on otherwise since. Of other numbers nothing is known.
    ///
    /// # Errors
    ///
    /// [`WriteError::Damaged`].
    pub fn must_follow(&mut self, index: u64, at: Timestamp) -> Result<(), WriteError> {
        let is_another = index > 0 && index == self.through && at != self.through_at;
        if is_another { Err(self.another(index)) } else { Ok(()) }
    }

    fn another(&mut self, index: u64) -> WriteError {
        self.has_failed = true;
        WriteError::Damaged { detail: format!("entry {index} is another one in the journal") }
    }

    fn take_next(
        &mut self,
        entry: &Entry,
        effects: &[Effect],
        site: Option<&Site>,
    ) -> Result<(), Fault> {
        self.enter_found()?;
        self.turn_day(entry.at)?;
        self.turn_hour(entry.at);
        if let Some(minute) = self.keyframes.minute(entry.at) {
            self.keyframes.heard(self.heads.take_heard());
            self.keyframes.write(minute, self.heads.last_pings(), &mut self.rows);
        }
        for input in &entry.inputs {
            match input {
                Input::Pings(batch) if is_decided(batch, effects) => {
                    self.take_pings(batch, entry, site);
                }
                Input::OpenEpoch { source, epoch } => self.admission.open(*source, *epoch),
                Input::ClockCompared { source, offset_ns, .. } => {
                    self.clock_offsets_ns.insert(*source, *offset_ns);
                }
                _ => {}
            }
        }
        for (ordinal, effect) in (0..).zip(effects) {
            match effect {
                Effect::Alarm(notice) => {
                    let clock_offset_ns = self.clock_offset_ns(notice, site);
                    let (index, notice) = (entry.index, notice.clone());
                    let input = AlarmInput::of(&notice, &entry.inputs);
                    let record = AlarmRecord { index, ordinal, notice, clock_offset_ns, input };
                    record.put(&mut self.rows)?;
                    self.waiting_alarms += 1;
                }
                Effect::Event(event) => self.take_event(event),
                // What a site ends, it ends at its place among what happened. Of several in one entry
                // only the last is known.
                Effect::SiteInForce { version } => {
                    if let Some(site) = site.filter(|site| site.version() == *version) {
                        self.take_site(site, entry.at)?;
                    }
                }
                _ => {}
            }
        }
        (self.through, self.through_at) = (entry.index, entry.at);
        self.through_hash = entry.effects_hash;
        let is_due = entry.at.since_ns(self.written_at) >= self.write_every_ns
            || self.waiting_pings >= PINGS_WAITING_MAX
            || self.waiting_alarms >= ALARMS_WAITING_MAX;
        if is_due { self.write(false) } else { Ok(()) }
    }

    /// Ends the day before, if this moment is of another.
    fn turn_day(&mut self, at: Timestamp) -> Result<(), Fault> {
        let day = Day::of(at);
        // Time does not go back; should it all the same, what comes is still the last day's.
        if self.today.as_ref().is_some_and(|today| day <= today.mark.day) {
            return Ok(());
        }
        if self.today.is_some() {
            self.write(true)?;
        }
        let before = self.today.as_ref().map(|today| today.mark.day);
        let keyspace = self.store.make_keyspace(day)?;
        let mark = DayMark {
            day,
            follows: before,
            begins_after: self.through,
            through: self.through,
            through_at: at,
            through_hash: 0,
            is_over: false,
            ping_count: 0,
            earliest_observed_at: None,
            lanes: Vec::new(),
            hour_at: day.begins_at(),
            clock_offsets_ns: Vec::new(),
        };
        self.today = Some(Today { keyspace, mark });
        self.written_at = at;
        // The day stands for itself, also when its first entry comes hours after midnight.
        self.presence.note_day(day.begins_at(), &mut self.rows);
        self.presence.note_hour(day.begins_at(), &mut self.rows);
        Ok(())
    }

    fn turn_hour(&mut self, at: Timestamp) {
        let Some(today) = &mut self.today else { return };
        let hour_at = Timestamp(at.0 - at.0 % HOUR_NS);
        if hour_at > today.mark.hour_at {
            today.mark.hour_at = hour_at;
            self.presence.note_hour(hour_at, &mut self.rows);
        }
    }

    fn take_site(&mut self, site: &Site, at: Timestamp) -> Result<(), Fault> {
        self.store.names().take(site, at, &mut self.last_bearers)?;
        let is_gone = |zone, subject| {
            !site.has(ach_actors_model::EntityRef::Zone(zone))
                || !site.has(ach_actors_model::EntityRef::Subject(subject))
        };
        self.presence.end_where(is_gone, at, &mut self.rows);
        Ok(())
    }

    /// Keeps the pings that were decided on: not those sent again, and not those refused.
    fn take_pings(&mut self, batch: &PingBatch, entry: &Entry, site: Option<&Site>) {
        let Some(seen_through) = self.admission.admit(batch) else { return };
        let received_at = batch.received_at.min(entry.at);
        let Some(today) = &mut self.today else { return };
        for ping in &batch.pings {
            let seq = batch.first_seq.saturating_add(ping.seq_offset.into());
            let is_its_own =
                site.is_some_and(|site| site.tag_source(ping.tag) == Some(batch.source));
            if seq <= seen_through || !is_its_own {
                continue;
            }
            let kept = KeptPing::of(ping, received_at);
            let mark = &mut today.mark;
            let earliest = mark.earliest_observed_at.get_or_insert(kept.observed_at);
            *earliest = kept.observed_at.min(*earliest);
            mark.ping_count += 1;
            self.waiting_pings += 1;
            self.ping_count += 1;
            self.heads.push(ping.tag, kept, (entry.index, entry.at), &mut self.rows);
        }
    }

    /// How far the clock of the feed from which an alarm came was ahead.
    fn clock_offset_ns(&self, notice: &AlarmNotice, site: Option<&Site>) -> Option<i64> {
        let of_tag = || notice.tag.and_then(|tag| site?.tag_source(tag));
        let source = match (notice.cause, notice.place) {
            (Cause::Input { source, .. }, _) | (_, Place::Source(source)) => Some(source),
            _ => of_tag(),
        };
        self.clock_offsets_ns.get(&source?).copied()
    }

    fn take_event(&mut self, event: &Event) {
        let Event { at, kind } = *event;
        match kind {
            EventKind::ZoneEntered { subject, zone, .. } => {
                self.presence.entered(subject, zone, at, &mut self.rows);
            }
            EventKind::ZoneExited { subject, zone, .. } => {
                self.presence.exited(subject, zone, at, &mut self.rows);
            }
            _ => {}
        }
    }

    /// Writes all that waits with the mark, in one piece. Only then the mark is the day's: until it is on
    /// disk nobody may be told that it is.
    fn write(&mut self, is_over: bool) -> Result<(), Fault> {
        let Some(today) = &self.today else { return Ok(()) };
        let offsets = self.clock_offsets_ns.iter();
        let mark = DayMark {
            through: self.through,
            through_at: self.through_at,
            through_hash: self.through_hash,
            is_over,
            lanes: self.admission.marks(),
            clock_offsets_ns: offsets.map(|(&source, &ns)| (source, ns)).collect(),
            ..today.mark.clone()
        };
        self.heads.write(self.through_at, is_over, &mut self.rows);
        let mut rows = std::mem::take(&mut self.rows);
        let (key, value) = mark.row()?;
        rows.insert(key, value);
        let (key, value) = self.state_row();
        rows.insert(key, value);
        let Some(today) = &mut self.today else { return Ok(()) };
        write_rows(&today.keyspace, rows)?;
        // Only now: what a failed write was to cover is still wanted of the journal.
        today.mark = mark;
        (self.waiting_pings, self.waiting_alarms) = (0, 0);
        self.written_at = self.through_at;
        Ok(())
    }
}

/// Whether the shard decided on a batch: it says how far each feed has come with the entry.
fn is_decided(batch: &PingBatch, effects: &[Effect]) -> bool {
    effects.iter().any(|effect| match effect {
        Effect::Accepted(accepted) => {
            accepted.lane == Lane::Ping
                && (accepted.source, accepted.epoch) == (batch.source, batch.epoch)
                && accepted.through_seq >= batch.last_seq
        }
        _ => false,
    })
}
