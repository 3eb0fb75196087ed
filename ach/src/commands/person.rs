//! `ach person`: what is known about persons is kept, told and erased.

mod export;
mod table;

use std::path::Path;

use ach_actors_model::Name;
use ach_engine_audit::{Action, Object, ObjectKind, Outcome as Told, Reason};
use ach_engine_node::{Clock, SystemClock};
use ach_engine_store::{Known, LockedHolds, PeopleError};
use serde_json::json;

use crate::audit_deposit;
use crate::cli::person::Person;
use crate::data_directory::DataDirectory;
use crate::exit::{Failure, Outcome};
use crate::moment::{iso, local};

/// A record of the audit log has room for twice as many ids.
const SUBJECTS_A_RECORD: usize = 1_000;

/// Does what is wished with persons.
pub(crate) fn run(wish: &Person) -> Result<Outcome, Failure> {
    match wish {
        Person::Import { file, data, json } => import(file, data, *json),
        Person::List { data, json } => list(data, *json),
        Person::Export(wish) => export::run(wish),
        Person::Erase { id, data, yes, json } => erase(id, data, (*yes, *json)),
    }
}

fn import(file: &Path, data: &Path, is_json: bool) -> Result<Outcome, Failure> {
    let directory = DataDirectory::existing(data)?;
    directory.must_be_ours()?;
    let persons = table::read(file)?;
    let mut people = directory.people()?;
    for persons in persons.chunks(SUBJECTS_A_RECORD) {
        let ids = persons.iter().map(|(id, _)| subject(id.clone()));
        let act = (Action::PersonKept, Told::Begun, Reason::default());
        audit_deposit::done(&directory, act, ids.collect())?;
    }
    let put = people.put(&persons, SystemClock::default().utc());
    let (outcome, reason) = match &put {
        Ok(()) => (Told::Done, ""),
        Err(PeopleError::Forgotten { .. }) => (Told::Refused, "somebody was erased"),
        Err(_) => (Told::Failed, "some of them may not be kept"),
    };
    audit_deposit::ended(
        &directory,
        (Action::PersonKept, outcome, Reason::new(reason)),
        Vec::new(),
    );
    put?;
    if is_json {
        say!("{}", json!({ "event": "persons_kept", "count": persons.len() }));
    } else {
        let are = if persons.len() == 1 { "person is" } else { "persons are" };
        say!("{} {are} kept, each under a key of their own", persons.len());
    }
    Ok(Outcome::Done)
}

fn list(data: &Path, is_json: bool) -> Result<Outcome, Failure> {
    let directory = DataDirectory::existing(data)?;
    let people = directory.people()?;
    audit_deposit::read(&directory, "person", Vec::new());
    let mut outcome = Outcome::Done;
    let subjects = people.subjects()?;
    for id in &subjects {
        let known = match people.known(id) {
            Ok(Some(known)) => known,
            Ok(None) => continue,
            Err(error @ PeopleError::Damaged { .. }) => {
                complain!("{id}: {error}");
                outcome = Outcome::Unsound;
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        let (word, at) = match known {
            Known::Since(at) => ("known", at),
            Known::Erased(at) => ("erased", at),
        };
        if is_json {
            let is_erased = matches!(known, Known::Erased(_));
            let object = json!({ "event": "person", "id": id.as_str(), "is_erased": is_erased, "since": iso(at) });
            say!("{object}");
        } else {
            say!("{:<24}  {word:<6}  since {}", id.as_str(), local(at));
        }
    }
    if subjects.is_empty() && !is_json {
        say!("nobody is known; ach person import FILE --data {}", data.display());
    }
    Ok(outcome)
}

fn erase(id: &str, data: &Path, (is_meant, is_json): (bool, bool)) -> Result<Outcome, Failure> {
    let id = named(id)?;
    let directory = DataDirectory::existing(data)?;
    directory.must_be_ours()?;
    // Until it is done no hold is placed.
    let locked = LockedHolds::load(&directory.holds())?;
    let mut people = directory.people()?;
    let known = match people.known(&id) {
        Ok(None) if matches!(people.person(&id), Ok(None)) => {
            complain!("nothing is kept about `{id}`, and nothing was erased; see ach person list");
            return Ok(Outcome::Unsound);
        }
        Ok(known) => known,
        // What is damaged can be erased too.
        Err(PeopleError::Damaged { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    if !is_meant {
        return Err(Failure::misused(match known {
            Some(Known::Erased(at)) => format!("`{id}` was erased {}", local(at)),
            Some(Known::Since(at)) => format!(
                "this would erase for ever what is known about `{id}` since {}; add --yes",
                local(at)
            ),
            None => format!("this would erase for ever what is known about `{id}`; add --yes"),
        }));
    }
    let tell = |outcome, words| (Action::PersonErased, outcome, Reason::new(words));
    if let Some(hold) = locked.holds.on(&id) {
        let objects = vec![subject(id.clone()), Object::new(ObjectKind::Hold, hold.id.clone())];
        audit_deposit::ended(
            &directory,
            tell(Told::Refused, "a hold protects the person"),
            objects,
        );
    } else {
        audit_deposit::done(&directory, tell(Told::Begun, ""), vec![subject(id.clone())])?;
    }
    match people.forget(&id, SystemClock::default().utc(), &locked.holds) {
        Ok(()) => {}
        Err(error @ PeopleError::Held { .. }) => return Err(error.into()),
        Err(error) => {
            let act = tell(Told::Failed, "the key may still be on disk");
            audit_deposit::ended(&directory, act, vec![subject(id)]);
            return Err(error.into());
        }
    }
    audit_deposit::ended(&directory, tell(Told::Done, ""), vec![subject(id.clone())]);
    if is_json {
        say!("{}", json!({ "event": "person_erased", "id": id.as_str() }));
    } else {
        say!(
            "{id} is erased: the key is destroyed. Take the name out of the site directory too, and"
        );
        say!("let backups of {} expire", data.join("people").display());
    }
    Ok(Outcome::Done)
}

fn subject(id: Name) -> Object {
    Object::new(ObjectKind::Subject, id)
}

fn named(id: &str) -> Result<Name, Failure> {
    Name::new(id).map_err(|error| Failure::misused(format!("`{id}`: {error}")))
}
