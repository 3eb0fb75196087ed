//! Records as lines for people and objects for programs.

use std::fmt::Write;

use ach_engine_audit::{Hash, Record, RecordError};
use serde_json::{Value, json};

use crate::commands::hex::hex;
use crate::moment;

/// A line for people.
pub(crate) fn record_line(index: u64, record: &Result<Record, RecordError>) -> String {
    let record = match record {
        Ok(record) => record,
        Err(error) => return format!("{index:>8}  {error}"),
    };
    let at = moment::iso(record.at);
    let (who, action, outcome) = (&record.who, record.action.word(), record.outcome.word());
    let mut line = format!("{index:>8}  {at}  {who} from {}  {action}  {outcome}", record.from);
    // Writing into a string does not fail.
    for object in &record.objects {
        let _ = write!(line, "  {object}");
    }
    if let Some(code) = record.code {
        let _ = write!(line, "  code {code}");
    }
    if !record.reason.as_str().is_empty() {
        let _ = write!(line, "  ({})", record.reason.as_str());
    }
    if let Some(repeated) = record.repeated {
        let _ = write!(line, "  {} times since {}", repeated.count, moment::iso(repeated.since));
    }
    line
}

/// An object for programs. `bytes` are what is hashed: whoever does not believe us hashes them.
pub(crate) fn record_object(
    index: u64,
    leaf: Hash,
    bytes: &[u8],
    record: &Result<Record, RecordError>,
) -> Value {
    let (leaf, bytes) = (leaf.to_string(), hex(bytes));
    let record = match record {
        Ok(record) => record,
        Err(error) => {
            let problem = error.to_string();
            return json!({
                "event": "audit_record", "index": index, "leaf": leaf, "bytes": bytes,
                "problem": problem,
            });
        }
    };
    let objects: Vec<Value> = record
        .objects
        .iter()
        .map(|object| {
            json!({
                "kind": object.kind.word(),
                "id": object.id.as_str(),
                "version": object.version.map(std::num::NonZero::get),
            })
        })
        .collect();
    json!({
        "event": "audit_record",
        "index": index,
        "at": moment::iso(record.at),
        "site": record.site.as_str(),
        "node": record.node.as_str(),
        "role": record.who.role.word(),
        "who": record.who.name.as_ref().map(ach_actors_model::Name::as_str),
        "from": record.from.to_string(),
        "action": record.action.word(),
        "act": record.action.letter().to_string(),
        "objects": objects,
        "outcome": record.outcome.word(),
        "code": record.code,
        "reason": record.reason.as_str(),
        "count": record.repeated.map_or(1, |repeated| repeated.count),
        "since": record.repeated.map(|repeated| moment::iso(repeated.since)),
        "session": record.session,
        "request": record.request,
        "entry": record.entry,
        "leaf": leaf,
        "bytes": bytes,
    })
}
