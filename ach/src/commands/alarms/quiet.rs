//! `ach alarms mute`, `take-out` and their ends: what is quiet for a time.

use ach_actors_model::QuietKind;
use ach_clients_rust::{Code, Name, OperatorError, QuietOrder, Thing};
use serde_json::json;

use super::super::connection::{OPERATORS, connect, runtime};
use crate::cli::alarms::{Loud, ScopeKind};
use crate::cli::history;
use crate::exit::{Failure, Outcome};

/// Gives the order; `for_ns` 0 ends it.
pub(super) fn run(what: &Loud, kind: QuietKind, for_ns: u64) -> Result<Outcome, Failure> {
    let place = place(what)?;
    let rule = match what.kind {
        ScopeKind::Rule => Some(name(&what.id)?),
        _ => None,
    };
    let order = QuietOrder { place, rule, kind, for_ns, person: None, remark: what.remark.clone() };
    runtime()?.block_on(async {
        let mut operator = connect(&what.connect, OPERATORS).await?.operator();
        let given = operator.quiet(order).await;
        operator.close().await;
        let is_waiting = match given {
            Ok(_) => false,
            Err(OperatorError::Refused { code: Code::NeedsSecondPerson, .. }) => true,
            Err(error) => return Err(error.into()),
        };
        if what.connect.json {
            let state = if is_waiting { "waits_for_second_person" } else { "in_force" };
            say!("{}", json!({ "event": "quiet", "state": state, "is_quiet": for_ns > 0 }));
        } else if is_waiting {
            say!(
                "waits for a second person: another operator gives the same command within 10 minutes"
            );
        } else {
            say!("{} {}: {}", kind_word(what.kind), what.id, done_word(kind, for_ns));
        }
        Ok(Outcome::Done)
    })
}

fn kind_word(kind: ScopeKind) -> &'static str {
    match kind {
        ScopeKind::Zone => "zone",
        ScopeKind::Door => "door",
        ScopeKind::Line => "line",
        ScopeKind::Tag => "tag",
        ScopeKind::Feed => "feed",
        ScopeKind::Anchor => "anchor",
        ScopeKind::Rule => "rule",
    }
}

fn done_word(kind: QuietKind, for_ns: u64) -> &'static str {
    match (kind, for_ns) {
        (QuietKind::Suppressed, 0) => "muted no more",
        (QuietKind::Suppressed, _) => "muted, it ends by itself",
        (QuietKind::OutOfService, 0) => "back in service",
        (QuietKind::OutOfService, _) => "out of service, it comes back by itself",
    }
}

fn place(what: &Loud) -> Result<Option<Thing>, Failure> {
    let id = &what.id;
    Ok(Some(match what.kind {
        ScopeKind::Rule => return Ok(None),
        ScopeKind::Tag => Thing::Tag(history::tag(id).map_err(Failure::misused)?),
        ScopeKind::Zone => Thing::Zone(name(id)?),
        ScopeKind::Door => Thing::Door(name(id)?),
        ScopeKind::Line => Thing::Line(name(id)?),
        ScopeKind::Feed => Thing::Source(name(id)?),
        ScopeKind::Anchor => Thing::Anchor(name(id)?),
    }))
}

fn name(id: &str) -> Result<Name, Failure> {
    Name::new(id).map_err(|error| Failure::misused(format!("`{id}` is no id: {error}")))
}
