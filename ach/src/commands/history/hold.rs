//! `ach history hold`, `release`, `holds`: days that are kept though their time is over.

use std::path::Path;

use ach_actors_model::Name;
use ach_engine_node::{Clock, SystemClock};
use ach_engine_store::Holds;
use serde_json::json;

use crate::cli::history::Hold;
use crate::data_directory::DataDirectory;
use crate::exit::{Failure, Outcome};
use crate::moment::{iso, local};

/// The longest reason: a line.
const REASON_CHARS_MAX: usize = 200;

/// Places one.
pub(super) fn place(wish: &Hold) -> Result<Outcome, Failure> {
    if wish.through.is_some_and(|through| through < wish.from) {
        return Err(Failure::misused("--through must not lie before --from"));
    }
    if wish.reason.chars().count() > REASON_CHARS_MAX {
        return Err(Failure::misused(format!("--reason: at most {REASON_CHARS_MAX} characters")));
    }
    let id = named(&wish.id)?;
    let user = format!("uid:{}", rustix::process::getuid().as_raw());
    let directory = DataDirectory::existing(&wish.data)?;
    let hold = ach_engine_store::Hold {
        id,
        from: wish.from,
        through: wish.through,
        subject: None,
        reason: wish.reason.clone(),
        placed_by: Name::new(&user)?,
        placed_at: SystemClock::default().utc(),
    };
    Holds::change(&directory.holds(), |holds| holds.place(hold))?;
    let through = wish.through.map_or_else(|| "on".to_owned(), |day| format!("through {day}"));
    say!("days from {} {through} are kept", wish.from);
    Ok(Outcome::Done)
}

/// Lifts one.
pub(super) fn lift(id: &str, data: &Path) -> Result<Outcome, Failure> {
    let file = DataDirectory::existing(data)?.holds();
    let id = named(id)?;
    let hold = Holds::change(&file, |holds| holds.lift(&id))?;
    say!("hold {} is released", hold.id);
    Ok(Outcome::Done)
}

/// Tells all of them.
pub(super) fn list(data: &Path, is_json: bool) -> Result<Outcome, Failure> {
    let holds = Holds::load(&DataDirectory::existing(data)?.holds())?;
    for hold in holds.iter() {
        let through = hold.through.map(|day| day.to_string());
        if is_json {
            say!(
                "{}",
                json!({
                    "event": "hold",
                    "id": hold.id.as_str(),
                    "from": hold.from.to_string(),
                    "through": through,
                    "reason": hold.reason,
                    "placed_by": hold.placed_by.as_str(),
                    "placed_at": iso(hold.placed_at),
                })
            );
        } else {
            let through = through.unwrap_or_else(|| "on".to_owned());
            let placed = format!("{}, {}", hold.placed_by, local(hold.placed_at));
            // What a person wrote must not move the cursor.
            let reason: String = hold.reason.escape_default().collect();
            say!("{}  {} to {through}  {reason}  ({placed})", hold.id, hold.from);
        }
    }
    Ok(Outcome::Done)
}

fn named(id: &str) -> Result<Name, Failure> {
    Name::new(id).map_err(|error| Failure::misused(format!("`{id}`: {error}")))
}
