//! What became of alarms, and the evidence that is kept of it.

use ach_actors_model::{Cause, Lane, Place as Told};
use ach_engine_shard::{Entry, Input};
use ach_engine_store::{AlarmInput, AlarmRecord, NameKind, QueryError, Store};

use super::super::alarms_as_modelled::unmodelled;
use super::{Answer, Journal, ROWS_MAX, Run};
use crate::model::{About, Place};
use crate::site::{ZONES, door_name};

pub(super) fn check(store: &Store, journal: &Journal<'_>) -> Answer {
    // Day by day: what is asked so is told whatever is missing beside it.
    let mut kept = Vec::new();
    for day in store.days() {
        kept.extend(store.alarms_on(day)?.collect::<Result<Vec<AlarmRecord>, QueryError>>()?);
    }
    let is_as_modelled = changes(&kept, journal);
    if is_as_modelled.is_err() {
        return Ok(is_as_modelled);
    }
    for Run { asked: (from, until), .. } in &journal.runs {
        let mut of_run = kept.clone();
        of_run.retain(|record| (*from..*until).contains(&record.notice.changed_at));
        if store.alarms((*from, *until), ROWS_MAX)? != of_run {
            return Ok(Err("its days have other alarms than history in all".to_owned()));
        }
    }
    for record in &kept {
        let id = record.notice.id;
        let mut of_one = kept.clone();
        of_one.retain(|other| other.notice.id == id);
        if store.alarm(id)?.records != of_one {
            return Ok(Err(format!("what became of {id} is not what became of it in all")));
        }
        let Some(entry) = journal.past.entries.iter().find(|it| it.index == record.index) else {
            return Ok(Err(format!("{record:?} is of no entry")));
        };
        let input = heard(record.notice.cause, entry);
        if record.input != input || record.notice.changed_at != entry.at {
            return Ok(Err(format!("{record:?} was caused by {input:?} at {:?}", entry.at)));
        }
        let mut notices = journal.model.notices().iter();
        let about = notices
            .find(|it| it.index == record.index && it.id == id)
            .and_then(|notice| notice.about);
        if let Some(about) = about
            && !is_about(store, record, about)?
        {
            return Ok(Err(format!("{record:?} is about {about:?}")));
        }
    }
    Ok(Ok(()))
}

/// Every change that the model demands is there once, and no other.
fn changes(kept: &[AlarmRecord], journal: &Journal<'_>) -> Result<(), String> {
    let unmodelled = unmodelled(journal.model);
    let mut found: Vec<_> = kept
        .iter()
        .map(|record| (record.index, record.notice.id, record.notice.transition))
        .filter(|(_, id, _)| !unmodelled.contains(id))
        .collect();
    let notices = journal.model.notices().iter();
    let mut expected: Vec<_> = notices
        .filter(|notice| journal.has(notice.index))
        .map(|notice| (notice.index, notice.id, notice.transition))
        .collect();
    found.sort_unstable();
    expected.sort_unstable();
    if found == expected {
        return Ok(());
    }
    let surplus = found.iter().find(|it| !expected.contains(it));
    let missing = expected.iter().find(|it| !found.contains(it));
    Err(format!("of alarms history lacks {missing:?} and has {surplus:?} besides"))
}

/// What was heard with an entry that has this number.
fn heard(cause: Cause, entry: &Entry) -> Option<AlarmInput> {
    let Cause::Input { source, lane, epoch, seq } = cause else { return None };
    for input in &entry.inputs {
        match input {
            Input::Report(report)
                if (report.source, report.lane, report.epoch, report.seq)
                    == (source, lane, epoch, seq) =>
            {
                return Some(AlarmInput::Report(*report));
            }
            Input::Pings(batch)
                if (Lane::Ping, batch.source, batch.epoch) == (lane, source, epoch) =>
            {
                let number = |offset: u32| batch.first_seq.saturating_add(offset.into());
                let ping = batch.pings.iter().find(|ping| number(ping.seq_offset) == seq);
                if let Some(ping) = ping {
                    let received_at = batch.received_at;
                    return Some(AlarmInput::Ping { ping: *ping, received_at });
                }
            }
            _ => {}
        }
    }
    None
}

/// Whether a record tells rule, subject, place, ordinal and what opened the episode as they are.
fn is_about(store: &Store, record: &AlarmRecord, about: About) -> Result<bool, QueryError> {
    let notice = &record.notice;
    let rule = notice.rule.map(|rule| store.id(NameKind::Rule, rule.0)).transpose()?.flatten();
    let is_there = match (about.place, notice.place) {
        (Place::Zone(zone), Told::Zone(number)) => {
            let name = store.id(NameKind::Zone, number.0)?;
            name.as_deref() == ZONES.get(zone).map(|(name, _)| *name)
        }
        (Place::Door(door), Told::Door(number)) => {
            let name = store.id(NameKind::Door, number.0)?;
            name.as_deref() == Some(door_name(door).as_str())
        }
        (Place::Tag(tag), Told::Tag(number)) => number.0 == tag,
        _ => false,
    };
    let opening = match notice.cause {
        Cause::Input { lane, epoch, seq, .. } => Some((lane, epoch, seq)),
        _ => None,
    };
    Ok(is_there
        && opening == about.input
        && rule.as_deref() == Some(about.rule)
        && notice.subject.map(|subject| subject.0) == about.who
        && notice.episode == about.ordinal)
}
