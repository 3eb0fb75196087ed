//! Who was where, and when.

use std::collections::BTreeMap;

use ach_actors_model::{SubjectRef, Timestamp, ZoneRef};

use super::malformed;
use crate::coding::opened;
use crate::errors::{Fault, QueryError};
use crate::presence::{exit_in, unlisted};
use crate::tables::Keyspace;
use crate::{Day, Store, key};

/// A stay of a subject in a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Visit {
    /// When it began.
    pub entered_at: Timestamp,
    /// When it ended; `None` if it had not by the last entry that is written, or `ended_before` says more.
    pub exited_at: Option<Timestamp>,
    /// How it ended is not known: on a day that is not kept any more, or in a gap of history, which ends at
    /// this moment. Who is still there behind a gap is told to have come again.
    pub ended_before: Option<Timestamp>,
    /// Who.
    pub subject: SubjectRef,
    /// Where.
    pub zone: ZoneRef,
}

impl Visit {
    /// Whether any of it lies from `from` on and before `until`.
    fn touches(&self, from: Timestamp, until: Timestamp) -> bool {
        self.entered_at < until
            && (self.entered_at >= from || self.exited_at.is_none_or(|exited_at| exited_at > from))
    }
}

/// Visits found so far, each once.
struct Found {
    visits: BTreeMap<(Timestamp, SubjectRef, ZoneRef), Option<Timestamp>>,
    from: Timestamp,
    until: Timestamp,
    limit: usize,
}

impl Found {
    fn add(&mut self, visit: Visit) -> Result<(), QueryError> {
        if !visit.touches(self.from, self.until) {
            return Ok(());
        }
        let known = self.visits.entry((visit.entered_at, visit.subject, visit.zone)).or_default();
        *known = known.or(visit.exited_at);
        if self.visits.len() > self.limit {
            return Err(QueryError::TooMany { limit: self.limit });
        }
        Ok(())
    }
}

impl Store {
    /// Who was in a zone from `from` on and before `until`, by when they entered: all of it, those
    /// who had been there for days too. At most `limit`.
    ///
    /// # Errors
    ///
    /// When there are more than `limit`, or something is damaged.
    pub fn visits_of_zone(
        &self,
        zone: ZoneRef,
        (from, until): (Timestamp, Timestamp),
        limit: usize,
    ) -> Result<Vec<Visit>, QueryError> {
        self.must_keep(from, until)?;
        let mut found = Found { visits: BTreeMap::new(), from, until, limit };
        for (day, keyspace) in self.days_touching(from, until)? {
            let begins_at = from.max(day.begins_at());
            let (noted_at, present) = present_in(&keyspace, zone, day, begins_at)?;
            for (subject, entered_at) in present {
                let row = key::zone_visit(zone, entered_at, subject);
                let exited_at = exit_of(&keyspace, &row, entered_at)?;
                found.add(Visit { entered_at, exited_at, ended_before: None, subject, zone })?;
            }
            let rows = key::zone_visits_from(zone, noted_at)..key::zone_visits_from(zone, until);
            for guard in keyspace.range(rows) {
                let (key, value) = super::row(guard)?;
                let entered_at = key::u64_at(&key, 5).map(Timestamp);
                let subject = key::u32_at(&key, 13).map(SubjectRef);
                let (Some(entered_at), Some(subject)) = (entered_at, subject) else {
                    return Err(malformed("a visit", day).into());
                };
                let exited_at = exit_in(&value, entered_at)?;
                found.add(Visit { entered_at, exited_at, ended_before: None, subject, zone })?;
            }
        }
        self.with_later_exits(found)
    }

    /// Where a subject was from `from` on and before `until`, by when it entered. At most `limit`.
    ///
    /// # Errors
    ///
    /// When there are more than `limit`, or something is damaged.
    pub fn visits_of_subject(
        &self,
        subject: SubjectRef,
        (from, until): (Timestamp, Timestamp),
        limit: usize,
    ) -> Result<Vec<Visit>, QueryError> {
        self.must_keep(from, until)?;
        let mut found = Found { visits: BTreeMap::new(), from, until, limit };
        for (day, keyspace) in self.days_touching(from, until)? {
            let row = key::subject_present(subject);
            let value = keyspace.get(&row).map_err(Fault::of("read"))?;
            if let Some(value) = value {
                let present = opened(&row, &value).and_then(|it| unlisted(it, day.begins_at()));
                for (zone, entered_at) in present.ok_or_else(|| malformed("a presence", day))? {
                    let zone = ZoneRef(zone);
                    let row = key::subject_visit(subject, entered_at, zone);
                    let exited_at = exit_of(&keyspace, &row, entered_at)?;
                    found.add(Visit {
                        entered_at,
                        exited_at,
                        ended_before: None,
                        subject,
                        zone,
                    })?;
                }
            }
            let first = key::subject_visits_from(subject, day.begins_at());
            for guard in keyspace.range(first..key::subject_visits_from(subject, until)) {
                let (key, value) = super::row(guard)?;
                let entered_at = key::u64_at(&key, 5).map(Timestamp);
                let zone = key::u32_at(&key, 13).map(ZoneRef);
                let (Some(entered_at), Some(zone)) = (entered_at, zone) else {
                    return Err(malformed("a visit", day).into());
                };
                let exited_at = exit_in(&value, entered_at)?;
                found.add(Visit { entered_at, exited_at, ended_before: None, subject, zone })?;
            }
        }
        self.with_later_exits(found)
    }

    /// The days a time touches. Where its first day has no entry, the last one before comes too: who
    /// was somewhere at its end still was.
    fn days_touching(
        &self,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<(Day, Keyspace)>, QueryError> {
        let first_day = Day::of(from);
        let mut before = None;
        let mut days = Vec::new();
        for day in self.days() {
            if day.begins_at() >= until {
                break;
            }
            let Some(keyspace) = self.keyspace(day)? else { continue };
            if keyspace.is_empty() {
                continue;
            }
            if day < first_day {
                before = Some((day, keyspace));
            } else {
                days.push((day, keyspace));
            }
        }
        if days.first().is_none_or(|(day, _)| *day > first_day) {
            if let Some((day, _)) = &before {
                self.must_keep(day.ends_at(), first_day.ends_at())?;
            }
            days.extend(before);
            days.sort_unstable_by_key(|(day, _)| *day);
        }
        Ok(days)
    }

    /// Visits that outlasted the time asked about ended on a later day, if they ended.
    fn with_later_exits(&self, found: Found) -> Result<Vec<Visit>, QueryError> {
        let last_day = Day::of(Timestamp(found.until.0.saturating_sub(1)));
        // Days within the time asked about have told their exits.
        let mut later = Vec::new();
        let (dropped, gaps) = (self.names().dropped()?, self.gaps()?);
        let mut last = last_day;
        for day in self.days().into_iter().filter(|&day| day > last_day) {
            let Some(keyspace) = self.keyspace(day)? else { continue };
            if keyspace.is_empty() {
                continue;
            }
            let is_behind_a_gap = dropped.range(last..day).any(|(&gone, _)| gone > last);
            later.push((day, keyspace, is_behind_a_gap));
            last = day;
        }
        let mut visits = Vec::with_capacity(found.visits.len());
        for ((entered_at, subject, zone), exited_at) in found.visits {
            let mut visit = Visit { entered_at, exited_at, ended_before: None, subject, zone };
            for (day, keyspace, is_behind_a_gap) in &later {
                if visit.exited_at.is_some() || visit.ended_before.is_some() {
                    break;
                }
                let begins_at = day.begins_at();
                if *is_behind_a_gap {
                    // Who had not left by then is noted at the beginning of the day.
                    let (_, present) = present_in(keyspace, zone, *day, begins_at)?;
                    let is_there = present.contains(&(subject, entered_at));
                    visit.ended_before = (!is_there).then_some(begins_at);
                }
                let row = key::zone_visit(zone, entered_at, subject);
                visit.exited_at = exit_of(keyspace, &row, entered_at)?;
            }
            // What was open at a gap is written as if it had ended with the last entry before.
            if let Some(gap) = gaps.iter().find(|gap| visit.exited_at == Some(gap.after_at)) {
                (visit.exited_at, visit.ended_before) = (None, Some(gap.until_at));
            }
            visits.push(visit);
        }
        Ok(visits)
    }

    /// Refuses a time some of which lies on days that were dropped, or in a gap.
    ///
    /// # Errors
    ///
    /// Which of both, or that something is damaged.
    pub fn must_keep(&self, from: Timestamp, until: Timestamp) -> Result<(), QueryError> {
        self.must_have_days(from, until)?;
        self.must_have_no_gap(from, until)
    }

    /// Refuses a time some of which lies on days that were dropped.
    pub(super) fn must_have_days(
        &self,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<(), QueryError> {
        let last = Day::of(Timestamp(until.0.saturating_sub(1)));
        if from >= until || last < Day::of(from) {
            return Ok(());
        }
        let dropped = self.names().dropped()?;
        match dropped.range(Day::of(from)..=last).next_back() {
            Some((&day, _)) => Err(QueryError::Dropped { day }),
            None => Ok(()),
        }
    }
}

/// Who was in a zone at the last note before `at`, and when that was: the beginning of the day if
/// there is none, when the zone was empty.
fn present_in(
    keyspace: &Keyspace,
    zone: ZoneRef,
    day: Day,
    at: Timestamp,
) -> Result<(Timestamp, Vec<(SubjectRef, Timestamp)>), Fault> {
    let first = key::zone_present(zone, day.begins_at());
    let Some(guard) = keyspace.range(first..=key::zone_present(zone, at)).next_back() else {
        return Ok((day.begins_at(), Vec::new()));
    };
    let (key, value) = super::row(guard)?;
    let present = key::u64_at(&key, 5).map(Timestamp).and_then(|noted_at| {
        let present = unlisted(opened(&key, &value)?, noted_at)?;
        Some((noted_at, present))
    });
    let (noted_at, present) = present.ok_or_else(|| malformed("a presence", day))?;
    let subjects = present.into_iter().map(|(subject, since)| (SubjectRef(subject), since));
    Ok((noted_at, subjects.collect()))
}

/// When a visit ended, if it did on that day.
fn exit_of(
    keyspace: &Keyspace,
    row: &[u8],
    entered_at: Timestamp,
) -> Result<Option<Timestamp>, Fault> {
    let value = keyspace.get(row).map_err(Fault::of("read"))?;
    let Some(value) = value else { return Ok(None) };
    exit_in(&value, entered_at)
}
