//! `ach leave`: gives leave, ends it, and lists who has any.

use ach_clients_rust::{Cursor, LeaveOrder, Name, Thing, WireLeave, now};
use serde_json::{Value, json};

use super::connection::{VIEWERS, connect, runtime};
use crate::cli::Connect;
use crate::cli::leave::{Give, Leave};
use crate::exit::{Failure, Outcome};
use crate::moment;
use crate::notes::thing_id;
use crate::span::nanoseconds;

/// Does what is wished with leave.
pub(crate) fn run(wish: &Leave) -> Result<Outcome, Failure> {
    match wish {
        Leave::Give(give) => order(&give.connect, given(give)),
        Leave::End { subject, person, connect } => {
            let over = ended(subject.clone(), person.clone());
            order(connect, over)
        }
        Leave::List { connect } => list(connect),
    }
}

fn given(give: &Give) -> LeaveOrder {
    let zones = give.zones.iter().cloned().map(Thing::Zone);
    let lines = give.lines.iter().cloned().map(Thing::Line);
    LeaveOrder {
        subject: give.subject.clone(),
        for_ns: Some(nanoseconds(give.length)),
        places: zones.chain(lines).collect(),
        is_until_back: give.until_back,
        escort: give.escort.clone(),
        within_mm: give.within.map(|metres| metres.saturating_mul(1_000)),
        gap_ns: give.missed_for.map(nanoseconds),
        person: give.person.clone(),
        reason: Some(give.reason.clone()),
    }
}

fn ended(subject: Name, person: Option<Name>) -> LeaveOrder {
    LeaveOrder {
        subject,
        for_ns: None,
        places: Vec::new(),
        is_until_back: false,
        escort: None,
        within_mm: None,
        gap_ns: None,
        person,
        reason: None,
    }
}

fn order(to: &Connect, order: LeaveOrder) -> Result<Outcome, Failure> {
    let (subject, for_ns) = (order.subject.clone(), order.for_ns);
    runtime()?.block_on(async {
        let mut operator = connect(to, VIEWERS).await?.operator();
        let cursor: Option<Cursor> = operator.leave(order).await?;
        operator.close().await;
        let until = for_ns.map(|for_ns| now().plus_ns(for_ns));
        if to.json {
            let state = if until.is_some() { "given" } else { "ended" };
            let index = cursor.map(|cursor| cursor.index);
            let whose = subject.as_str();
            say!(
                "{}",
                json!({ "event": "leave_order", "state": state, "subject": whose, "index": index })
            );
            return Ok(Outcome::Done);
        }
        let stored = if cursor.is_some() { "" } else { "; it is not stored: no disk" };
        match until {
            Some(until) => {
                say!("{subject} has leave until {}{stored}", moment::local(until));
            }
            None => say!("{subject} has no leave{stored}"),
        }
        Ok(Outcome::Done)
    })
}

fn list(to: &Connect) -> Result<Outcome, Failure> {
    runtime()?.block_on(async {
        let mut operator = connect(to, VIEWERS).await?.operator();
        let leaves = operator.leaves().await?;
        operator.close().await;
        for leave in &leaves {
            if to.json {
                say!("{}", object(leave));
            } else {
                say!("{}", line(leave));
            }
        }
        if !to.json && leaves.is_empty() {
            say!("nobody has leave");
        }
        Ok(Outcome::Done)
    })
}

/// `patient-8  until 2026-11-23 16:00:00.000  by desk  out of zone ward-3  with nurse-7 within 10 m: x-ray`
fn line(leave: &WireLeave) -> String {
    let WireLeave { subject, until, by, reason, .. } = leave;
    let back = if leave.is_until_back { " or back" } else { "" };
    let mut parts = vec![format!("{subject}"), format!("until {}{back}", moment::local(*until))];
    parts.push(format!("by {by}"));
    if !leave.places.is_empty() {
        let places: Vec<String> = leave.places.iter().map(thing_id).collect();
        parts.push(format!("out of {}", places.join(", ")));
    }
    if let (Some(escort), Some(within_mm)) = (&leave.escort, leave.within_mm) {
        parts.push(format!("with {escort} within {} m", within_mm / 1_000));
    }
    format!("{}: {reason}", parts.join("  "))
}

fn object(leave: &WireLeave) -> Value {
    json!({
        "event": "leave",
        "subject": leave.subject.as_str(),
        "given_at": moment::iso(leave.given_at),
        "until": moment::iso(leave.until),
        "is_until_back": leave.is_until_back,
        "places": leave.places.iter().map(thing_id).collect::<Vec<_>>(),
        "escort": leave.escort.as_ref().map(Name::as_str),
        "within_mm": leave.within_mm,
        "missed_for_ms": leave.gap_ns.map(|ns| ns / 1_000_000),
        "by": leave.by.as_str(),
        "reason": leave.reason.as_str(),
    })
}
