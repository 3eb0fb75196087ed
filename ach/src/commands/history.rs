//! `ach where`, `ach visits`, `ach explain`, `ach history`: what was, out of a data directory.

mod explain;
mod export;
mod hold;
mod source;

use ach_actors_model::{Name, Timestamp};
use ach_engine_audit::{Object, ObjectKind};
use ach_engine_store::{HistoryGap, KeptPing, NameKind, Visit};
use serde_json::json;

pub(crate) use self::explain::object as alarm_object;
pub(crate) use self::hold::object as hold_object;
pub(crate) use self::source::Source;
use crate::audit_deposit;
use crate::cli::history::{Explain, History, Visits, Where};
use crate::exit::{Failure, Outcome};
use crate::moment::{iso, local};

/// Most visits that are told at once: 10,000 people for a day of a busy corridor.
const VISITS_MAX: usize = 1_000_000;

/// Does `ach history`.
pub(crate) fn run(wish: &History) -> Result<Outcome, Failure> {
    match wish {
        History::Export(export) => export::run(export),
        History::Build { data } => source::build(data),
        History::Hold(wish) => hold::place(wish),
        History::Release { id, data, json } => hold::lift(id, data, *json),
        History::Holds { data, json } => hold::list(data, *json),
    }
}

/// Does `ach explain`.
pub(crate) fn explain(wish: &Explain) -> Result<Outcome, Failure> {
    explain::run(wish)
}

/// Does `ach where`.
pub(crate) fn whereabouts(wish: &Where) -> Result<Outcome, Failure> {
    let source = Source::open(&wish.data)?;
    let at = wish.at.unwrap_or(Timestamp(u64::MAX));
    let tag = source.tag(wish.tag)?;
    audit_deposit::remembered(&wish.data, "where", audit_deposit::tags(&[wish.tag])?)?;
    let found = source.store.whereabouts(tag, at)?;
    let bearer = match found {
        None => None,
        Some(ping) => match source.store.bearer(tag, ping.observed_by())? {
            None => None,
            Some(subject) => source.store.id(NameKind::Subject, subject.0)?,
        },
    };
    match found {
        None if wish.json => say!("{}", json!({ "event": "unknown", "tag": wish.tag.to_string() })),
        None => say!("tag {} had not been heard by then", wish.tag),
        Some(ping) if wish.json => {
            let mut object = ping_object(&ping);
            if let Some(fields) = object.as_object_mut() {
                fields.insert("event".to_owned(), json!("whereabouts"));
                fields.insert("tag".to_owned(), json!(wish.tag.to_string()));
                fields.insert("subject".to_owned(), json!(bearer));
            }
            say!("{object}");
        }
        Some(ping) => {
            let who = bearer.map_or_else(String::new, |bearer| format!(" ({bearer})"));
            say!("tag {}{who}  {}  {}", wish.tag, local(ping.observed_at), place_words(&ping));
        }
    }
    Ok(source.outcome(if found.is_some() { Outcome::Done } else { Outcome::Unsound }))
}

/// Does `ach visits`.
pub(crate) fn visits(wish: &Visits) -> Result<Outcome, Failure> {
    if wish.from >= wish.to {
        return Err(Failure::misused("--from must lie before --to"));
    }
    let source = Source::open(&wish.data)?;
    let number = source.store.number(NameKind::Zone, &wish.zone)?.ok_or_else(|| {
        Failure::new(format!("no site of this node has had a zone `{}`; check its id", wish.zone))
    })?;
    let asked = Object::new(ObjectKind::Zone, Name::new(&wish.zone)?);
    audit_deposit::remembered(&wish.data, "visits", vec![asked])?;
    let zone = ach_actors_model::ZoneRef(number);
    let visits = source.store.visits_of_zone(zone, (wish.from, wish.to), VISITS_MAX)?;
    for visit in &visits {
        let subject = source.name(NameKind::Subject, visit.subject.0)?;
        say!(
            "{}",
            if wish.json {
                visit_object(visit, &subject, wish)
            } else {
                visit_line(visit, &subject)
            }
        );
    }
    if visits.is_empty() && !wish.json {
        say!("nobody was in {} in that time", wish.zone);
    }
    Ok(source.outcome(Outcome::Done))
}

fn visit_line(visit: &Visit, subject: &str) -> String {
    let left = match (visit.exited_at, visit.ended_before) {
        (Some(at), _) => local(at),
        (None, Some(at)) => format!("left before {}", local(at)),
        (None, None) => "still there".to_owned(),
    };
    format!("{subject:<24}  {}  {left}", local(visit.entered_at))
}

fn visit_object(visit: &Visit, subject: &str, wish: &Visits) -> String {
    json!({
        "event": "visit",
        "zone": wish.zone,
        "subject": subject,
        "entered_at": iso(visit.entered_at),
        "exited_at": visit.exited_at.map(iso),
        "ended_before": visit.ended_before.map(iso),
    })
    .to_string()
}

fn place_words(ping: &KeptPing) -> String {
    let metres = |mm: i32| f64::from(mm) / 1_000.0;
    let position = &ping.position;
    let floor = position.floor.map_or_else(
        || "floor unknown".to_owned(),
        |floor| format!("floor {}", f64::from(floor.0) / 100.0),
    );
    let accuracy = match ping.accuracy_mm {
        0 => String::new(),
        mm => format!(", within {:.1} m", f64::from(mm) / 1_000.0),
    };
    format!(
        "{:.1} m east, {:.1} m north, {floor}{accuracy}",
        metres(position.x_mm),
        metres(position.y_mm)
    )
}

/// A time of which nothing is known.
pub(crate) fn gap_object(gap: &HistoryGap) -> serde_json::Value {
    json!({ "event": "gap", "after": iso(gap.after_at), "until": iso(gap.until_at) })
}

pub(crate) fn ping_object(ping: &KeptPing) -> serde_json::Value {
    json!({
        "observed_at": iso(ping.observed_at),
        "received_at": iso(ping.received_at),
        "x_mm": ping.position.x_mm,
        "y_mm": ping.position.y_mm,
        "z_mm": ping.position.z_mm,
        "floor": ping.position.floor.map(|floor| f64::from(floor.0) / 100.0),
        "accuracy_mm": ping.accuracy_mm,
        "battery_percent": ping.battery_percent,
    })
}
