//! A list of who is to be erased: an id a line, or what `ach person list --json` said.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read};

use ach_actors_model::Name;
use ach_engine_store::PEOPLE_MAX;
use serde_json::Value;
use thiserror::Error;

/// A line of `ach person list --json` has under 400 bytes.
const LINE_BYTES_MAX: u64 = 4_096;

/// Why a list was not taken: by line, never with what stands there.
#[derive(Debug, Error)]
#[error("line {line}: {why}; nobody is erased")]
pub(super) struct ListError {
    line: u64,
    why: String,
}

/// Everybody on a list, each once. Of what `ach person list --json` said, those who were erased.
///
/// # Errors
///
/// A line that cannot be read, or more persons than are kept.
pub(super) fn parse(list: impl Read) -> Result<BTreeSet<Name>, ListError> {
    let mut list = BufReader::new(list);
    let mut ids = BTreeSet::new();
    for line in 1_u64.. {
        let broken = |why: String| ListError { line, why };
        let mut bytes = Vec::new();
        let read = list.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut bytes);
        if read.map_err(|error| broken(format!("it cannot be read: {error}")))? == 0 {
            break;
        }
        let text = std::str::from_utf8(&bytes).map_err(|_| broken("it is no text".to_owned()))?;
        let id = erased(text.trim()).map_err(|why| broken(why.to_owned()))?;
        ids.extend(id);
        if ids.len() > PEOPLE_MAX {
            return Err(broken(format!("at most {PEOPLE_MAX} persons are kept")));
        }
    }
    Ok(ids)
}

/// Who is to be erased by a line, if anybody.
fn erased(line: &str) -> Result<Option<Name>, &'static str> {
    if line.is_empty() {
        return Ok(None);
    }
    let id = if line.starts_with('{') {
        let told: Value = serde_json::from_str(line).map_err(|_| "it is no whole JSON object")?;
        match (told.get("id").and_then(Value::as_str), told.get("is_erased")) {
            (Some(_), Some(Value::Bool(false))) => return Ok(None),
            (Some(id), Some(Value::Bool(true))) => Name::new(id),
            (Some(_), Some(Value::Null)) => {
                return Err(
                    "nobody could tell whether they were erased; put the id alone in its place to \
                            erase them, or take the line out",
                );
            }
            _ => return Err("it does not have `id` and `is_erased`"),
        }
    } else {
        Name::new(line)
    };
    id.map(Some).map_err(|_| "an id is made of A-Z a-z 0-9 . _ : -")
}
