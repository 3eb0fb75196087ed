//! `ach person erase --from`: everybody on a list. Whoever puts `people` back from a backup brings back who was
//! erased since.

use std::collections::BTreeSet;
use std::path::Path;

use ach_actors_model::Name;
use ach_engine_audit::{Action, Outcome as Told, Reason};
use ach_engine_node::{Clock, SystemClock};
use ach_engine_store::LockedHolds;
use serde_json::json;

use super::{SUBJECTS_A_RECORD, erased_list, objects, source};
use crate::audit_deposit;
use crate::data_directory::DataDirectory;
use crate::exit::{Failure, Outcome};

/// Erases everybody on a list, also who is not known here: then no import brings them back.
pub(super) fn run(
    file: &Path,
    data: &Path,
    (is_meant, is_json): (bool, bool),
) -> Result<Outcome, Failure> {
    let directory = DataDirectory::existing(data)?;
    directory.must_be_ours()?;
    let ids = erased_list::parse(source(file)?)?;
    if ids.is_empty() {
        complain!("nobody is on that list, and nobody was erased; see ach person list --json");
        return Ok(Outcome::Unsound);
    }
    if !is_meant {
        return Err(Failure::misused(format!(
            "this would erase for ever what is known about {}; add --yes",
            persons(ids.len())
        )));
    }
    // Until it is done no hold is placed.
    let locked = LockedHolds::load(&directory.holds())?;
    let (held, free): (BTreeSet<Name>, BTreeSet<Name>) =
        ids.into_iter().partition(|id| locked.holds.on(id).is_some());
    let act = |outcome, words| (Action::PersonErased, outcome, Reason::new(words));
    for some in chunks(&held) {
        let refused = act(Told::Refused, "a hold protects the person");
        audit_deposit::ended(&directory, refused, objects(&some));
    }
    for some in chunks(&free) {
        audit_deposit::done(&directory, act(Told::Begun, ""), objects(&some))?;
    }
    let now = SystemClock::default().utc();
    let forgotten = directory.subjects().forget_all(&free, now, &locked.holds);
    let (outcome, words) = match forgotten {
        Ok(()) => (Told::Done, ""),
        Err(_) => (Told::Failed, "some keys may still be on disk"),
    };
    for some in chunks(&free) {
        audit_deposit::ended(&directory, act(outcome, words), objects(&some));
    }
    forgotten?;
    Ok(say_erased(&free, &held, is_json))
}

/// As many as a record of the audit log has room for.
fn chunks(ids: &BTreeSet<Name>) -> Vec<Vec<&Name>> {
    let ids: Vec<&Name> = ids.iter().collect();
    ids.chunks(SUBJECTS_A_RECORD).map(<[&Name]>::to_vec).collect()
}

fn say_erased(erased: &BTreeSet<Name>, held: &BTreeSet<Name>, is_json: bool) -> Outcome {
    for id in held {
        complain!("`{id}` is not erased: a hold protects what is known (ach history holds)");
    }
    if is_json {
        let held: Vec<&str> = held.iter().map(Name::as_str).collect();
        let told = json!({ "event": "persons_erased", "count": erased.len(), "held": held });
        say!("{told}");
    } else {
        let verb = if erased.len() == 1 { "is" } else { "are" };
        say!(
            "{} {verb} erased: no key is left, and no import brings them back",
            persons(erased.len())
        );
    }
    if held.is_empty() { Outcome::Done } else { Outcome::Unsound }
}

fn persons(count: usize) -> String {
    format!("{count} {}", if count == 1 { "person" } else { "persons" })
}
