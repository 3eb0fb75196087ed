//! The other alarms of an alarm's incident, in order.

use ach_actors_model::IncidentMark;
use ach_engine_store::{AlarmRecord, NameKind};
use serde_json::{Value, json};

use super::super::source::Source;
use super::place_of;
use crate::exit::Failure;
use crate::moment::{iso, local};
use crate::notes::{snake, spaced};

/// Alarms of an incident that are told: as many as one has.
const ALARMS_MAX: usize = 1_000;

/// Tells them, the alarm itself among them. Nothing is told of an alarm that an older node recorded, nor of one that is
/// alone.
pub(super) fn tell(source: &Source, records: &[AlarmRecord], is_json: bool) -> Result<(), Failure> {
    let Some(record) = records.first() else { return Ok(()) };
    let Some(IncidentMark { id, .. }) = record.notice.incident else { return Ok(()) };
    let alarms = source.store.incident(id, ALARMS_MAX)?;
    if alarms.len() < 2 {
        return Ok(());
    }
    if is_json {
        let alarms: Result<Vec<Value>, Failure> =
            alarms.iter().map(|alarm| object(source, alarm)).collect();
        say!("{}", json!({ "event": "incident", "id": id.to_string(), "alarms": alarms? }));
        return Ok(());
    }
    say!("incident {id}, {} alarms of one cause:", alarms.len());
    for alarm in &alarms {
        let this = if alarm.notice.id == record.notice.id { ">" } else { " " };
        say!("  {this} {}", line(source, alarm)?);
    }
    Ok(())
}

fn line(source: &Source, alarm: &AlarmRecord) -> Result<String, Failure> {
    let notice = &alarm.notice;
    let mark = notice.incident.map_or(0, |mark| mark.place);
    let mut parts = vec![
        format!("{mark:>3}"),
        local(notice.changed_at),
        format!("{} ({})", spaced(notice.kind), snake(notice.priority)),
    ];
    parts.extend(subject(source, alarm)?);
    let (word, place) = place_of(source, notice.place)?;
    parts.push(place.map_or_else(|| word.to_owned(), |place| format!("{word} {place}")));
    if notice.incident.is_some_and(|mark| mark.is_first()) {
        parts.push("the first".to_owned());
    }
    if notice.incident.is_some_and(|mark| mark.is_raising) {
        parts.push("raises it".to_owned());
    }
    parts.push(notice.id.to_string());
    Ok(parts.join("  "))
}

fn object(source: &Source, alarm: &AlarmRecord) -> Result<Value, Failure> {
    let notice = &alarm.notice;
    let (word, place) = place_of(source, notice.place)?;
    let mark = notice.incident;
    Ok(json!({
        "id": notice.id.to_string(),
        "place_in_incident": mark.map(|mark| mark.place),
        "is_raising": mark.map(|mark| mark.is_raising),
        "kind": snake(notice.kind),
        "priority": snake(notice.priority),
        "subject": subject(source, alarm)?,
        "place": json!({ "kind": word, "id": place }),
        "raised_at": iso(notice.changed_at),
    }))
}

fn subject(source: &Source, alarm: &AlarmRecord) -> Result<Option<String>, Failure> {
    let subject = alarm.notice.subject;
    subject.map(|subject| source.name(NameKind::Subject, subject.0)).transpose()
}
