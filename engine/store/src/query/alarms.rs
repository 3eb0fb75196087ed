//! What became of alarms.

use ach_actors_model::{AlarmId, AlarmTransition, NS_PER_S, Timestamp};

use super::malformed;
use crate::alarm_record::AlarmRecord;
use crate::errors::{Fault, QueryError};
use crate::tables::{Found, Iter, Keyspace};
use crate::{Day, HistoryGap, Store, key};

/// Most changes of one alarm that are told: one that was silenced and came back each minute for 30 days.
pub const ALARM_CHANGES_MAX: usize = 65_536;

/// An incident takes alarms for an hour after it began, by shard time; a moment more, for the last.
const INCIDENT_NS: u64 = 3_601 * NS_PER_S;

/// What is kept of an alarm.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeptAlarm {
    /// Everything that became of it and is known, oldest first.
    pub records: Vec<AlarmRecord>,
    /// Gaps in which more may have become of it, oldest first: that it is not told to have ended does not say
    /// that it is open.
    pub gaps: Vec<HistoryGap>,
}

impl Store {
    /// What became of an alarm, and where it is not known what did: its evidence is not refused for the sake of
    /// what is missing beside it.
    ///
    /// # Errors
    ///
    /// When there is more than [`ALARM_CHANGES_MAX`], or something is damaged.
    pub fn alarm(&self, id: AlarmId) -> Result<KeptAlarm, QueryError> {
        let mut records = Vec::new();
        for day in self.days() {
            let Some(keyspace) = self.keyspace(day)? else { continue };
            for found in keyspace.prefix(key::alarms_of(id)) {
                let (key, value) = super::row(found)?;
                records.push(AlarmRecord::read(&key, &value)?);
                if records.len() > ALARM_CHANGES_MAX {
                    return Err(QueryError::TooMany { limit: ALARM_CHANGES_MAX });
                }
            }
        }
        let mut gaps = self.gaps()?;
        gaps.retain(|gap| may_hide(gap, &records));
        Ok(KeptAlarm { records, gaps })
    }

    /// The alarms of the incident that began with an alarm, as they were raised, in order: as far as is known, and at
    /// most `limit`.
    ///
    /// # Errors
    ///
    /// When there are more than `limit`, or something is damaged.
    pub fn incident(&self, first: AlarmId, limit: usize) -> Result<Vec<AlarmRecord>, QueryError> {
        let known = self.alarm(first)?.records;
        // Of a first alarm that is not kept any more the others may be.
        let began_at = known.first().map(|record| record.notice.changed_at);
        let from = began_at.unwrap_or_default();
        let until = began_at.map_or(Timestamp(u64::MAX), |at| at.plus_ns(INCIDENT_NS));
        let (first_day, last_day) = (Day::of(from), Day::of(until));
        let mut records = Vec::new();
        for day in self.days().into_iter().filter(|&day| day >= first_day && day <= last_day) {
            let Some(keyspace) = self.keyspace(day)? else { continue };
            for found in keyspace.range(key::alarms_from(from)..=key::alarms_from(until)) {
                let (row, is_raised) = super::row(found)?;
                if is_raised != [1] {
                    continue;
                }
                let record = record_at(&row, &keyspace, day)?;
                if record.notice.incident.is_some_and(|mark| mark.id == first) {
                    records.push(record);
                }
                if records.len() > limit {
                    return Err(QueryError::TooMany { limit });
                }
            }
        }
        records.sort_by_key(|record| record.notice.incident.map(|mark| mark.place));
        Ok(records)
    }

    /// What became of any alarm from `from` on and before `until`, oldest first. At most `limit`.
    ///
    /// # Errors
    ///
    /// When there are more than `limit`, or something is damaged.
    pub fn alarms(
        &self,
        (from, until): (Timestamp, Timestamp),
        limit: usize,
    ) -> Result<Vec<AlarmRecord>, QueryError> {
        self.must_keep(from, until)?;
        let mut records = Vec::new();
        let (first, last) = (Day::of(from), Day::of(until));
        for day in self.days().into_iter().filter(|&day| day >= first && day <= last) {
            let Some(keyspace) = self.keyspace(day)? else { continue };
            for found in keyspace.range(key::alarms_from(from)..key::alarms_from(until)) {
                records.push(record_of(found, &keyspace, day)?);
                if records.len() > limit {
                    return Err(QueryError::TooMany { limit });
                }
            }
        }
        Ok(records)
    }

    /// Everything that became of any alarm on a day, oldest first, read as the iterator goes.
    ///
    /// # Errors
    ///
    /// When the day cannot be opened.
    pub fn alarms_on(&self, day: Day) -> Result<Alarms, QueryError> {
        let rows = self.keyspace(day)?.map(|keyspace| {
            let all = key::alarms_from(Timestamp(0))..=key::alarms_from(Timestamp(u64::MAX));
            (keyspace.range(all), keyspace)
        });
        Ok(Alarms { day, rows })
    }
}

/// Whether more may have become of an alarm in a gap: it may have been raised by then, and not ended before.
fn may_hide(gap: &HistoryGap, records: &[AlarmRecord]) -> bool {
    use AlarmTransition::{Cleared, Raised, Retracted};
    let is_raised_later =
        records.first().is_some_and(|it| it.notice.transition == Raised && it.index > gap.until);
    // People may have done something with it since.
    let said = |it: &&AlarmRecord| it.notice.transition.is_of_the_condition();
    let has_ended_before = records.iter().rfind(said).is_some_and(|it| {
        matches!(it.notice.transition, Cleared | Retracted) && it.index <= gap.after
    });
    !is_raised_later && !has_ended_before
}

/// What became of alarms on a day.
pub struct Alarms {
    day: Day,
    /// None is left after an error.
    rows: Option<(Iter, Keyspace)>,
}

impl std::fmt::Debug for Alarms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Alarms").field("day", &self.day).finish_non_exhaustive()
    }
}

impl Iterator for Alarms {
    type Item = Result<AlarmRecord, QueryError>;

    fn next(&mut self) -> Option<Self::Item> {
        let (rows, keyspace) = self.rows.as_mut()?;
        let record = record_of(rows.next()?, keyspace, self.day);
        if record.is_err() {
            self.rows = None;
        }
        Some(record.map_err(QueryError::from))
    }
}

/// The record that a row by time leads to.
fn record_of(
    found: fjall::Result<Found>,
    keyspace: &Keyspace,
    day: Day,
) -> Result<AlarmRecord, Fault> {
    let (row, _) = super::row(found)?;
    record_at(&row, keyspace, day)
}

/// The record that a row by time leads to, by its key.
fn record_at(row: &[u8], keyspace: &Keyspace, day: Day) -> Result<AlarmRecord, Fault> {
    let (id, index) = (key::u128_at(row, 9), key::u64_at(row, 25));
    let ordinal = row.get(33..).and_then(|rest| rest.first_chunk());
    let (Some(id), Some(index), Some(ordinal)) = (id, index, ordinal) else {
        return Err(malformed("an alarm", day));
    };
    let key = key::alarm(AlarmId(id), index, u16::from_be_bytes(*ordinal));
    let value = keyspace.get(&key).map_err(Fault::of("read"))?;
    let value = value.ok_or_else(|| malformed("an alarm", day))?;
    AlarmRecord::read(&key, &value)
}
