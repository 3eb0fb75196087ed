//! `ach person`: what is known about persons is kept, told and erased.

mod erase_all;
mod erased_list;
mod export;
mod table;

use std::io::Read;
use std::path::Path;

use ach_actors_model::Name;
use ach_engine_audit::{Action, Object, ObjectKind, Outcome as Told, Reason};
use ach_engine_node::{Clock, SystemClock};
use ach_engine_store::{Keeping, Known, LockedHolds, NotKept, PeopleError, SteadyHolds};
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
        Person::Import { file, data, replace_damaged, json } => {
            import(file, data, (*replace_damaged, *json))
        }
        Person::List { data, json } => list(data, *json),
        Person::Export(wish) => export::run(wish),
        Person::Erase { who, data, yes, json } => match (&who.id, &who.from) {
            (_, Some(list)) => erase_all::run(list, data, (*yes, *json)),
            (id, None) => erase(id.as_deref().unwrap_or_default(), data, (*yes, *json)),
        },
    }
}

/// Opens a file, or stdin for `-`.
fn source(file: &Path) -> Result<Box<dyn Read>, Failure> {
    if file == Path::new("-") {
        return Ok(Box::new(std::io::stdin()));
    }
    let opened = std::fs::File::open(file).map_err(|error| {
        Failure::new(format!("cannot read {}: {error}; check the path", file.display()))
    });
    Ok(Box::new(opened?))
}

fn import(
    file: &Path,
    data: &Path,
    (replaces_damaged, is_json): (bool, bool),
) -> Result<Outcome, Failure> {
    let directory = DataDirectory::existing(data)?;
    directory.must_be_ours()?;
    let persons = table::parse(source(file)?)?;
    let mut people =
        if replaces_damaged { directory.people_to_replace() } else { directory.people() }?;
    let ids: Vec<&Name> = persons.iter().map(|(id, _)| id).collect();
    for ids in ids.chunks(SUBJECTS_A_RECORD) {
        let act = (Action::PersonKept, Told::Begun, Reason::default());
        audit_deposit::done(&directory, act, objects(ids))?;
    }
    // No hold is placed on somebody whose name is just being replaced.
    let steady = SteadyHolds::load(&directory.holds())?;
    let now = SystemClock::default().utc();
    let put = people.put(&persons, Keeping { now, holds: &steady.holds, replaces_damaged });
    drop(steady);
    let tell = |outcome, reason, objects| {
        let act = (Action::PersonKept, outcome, Reason::new(reason));
        audit_deposit::ended(&directory, act, objects);
    };
    let not_kept =
        put.inspect_err(|_| tell(Told::Failed, "some of them may not be kept", Vec::new()))?;
    let each = [
        (&not_kept.held, Told::Refused, "a hold protects what is known"),
        (&not_kept.damaged, Told::Failed, "the key is damaged"),
        (&not_kept.erased, Told::Refused, "the person was erased"),
        (&not_kept.perhaps_erased, Told::Refused, "the person may have been erased"),
    ];
    for (ids, outcome, reason) in each {
        for ids in ids.iter().collect::<Vec<_>>().chunks(SUBJECTS_A_RECORD) {
            tell(outcome, reason, objects(ids));
        }
    }
    tell(Told::Done, "", Vec::new());
    Ok(say_kept(persons.len(), &not_kept, is_json))
}

/// Tells who was kept and who was not.
fn say_kept(asked: usize, not_kept: &NotKept, is_json: bool) -> Outcome {
    for id in &not_kept.held {
        complain!(
            "`{id}` is as before: a hold protects what is known about them (ach history holds)"
        );
    }
    for id in &not_kept.damaged {
        complain!(
            "`{id}` is as before: their key is damaged or lost; put it back from your backup, or give them \
             a new one with --replace-damaged"
        );
    }
    for id in &not_kept.erased {
        complain!("`{id}` is not kept: they were erased, and no name comes back under this id");
    }
    for id in &not_kept.perhaps_erased {
        complain!(
            "`{id}` is not kept: their key is damaged and may be of somebody who was erased; erase them \
             again (ach person erase {id})"
        );
    }
    let count = asked.saturating_sub(not_kept.count());
    if is_json {
        let ids = |ids: &[Name]| ids.iter().map(|id| id.as_str().to_owned()).collect::<Vec<_>>();
        say!(
            "{}",
            json!({
                "event": "persons_kept",
                "count": count,
                "held": ids(&not_kept.held),
                "damaged": ids(&not_kept.damaged),
                "erased": ids(&not_kept.erased),
                "perhaps_erased": ids(&not_kept.perhaps_erased),
            })
        );
    } else {
        let are = if count == 1 { "person is" } else { "persons are" };
        say!("{count} {are} kept, each under a key of their own");
    }
    if not_kept.count() == 0 { Outcome::Done } else { Outcome::Unsound }
}

fn list(data: &Path, is_json: bool) -> Result<Outcome, Failure> {
    let directory = DataDirectory::existing(data)?;
    audit_deposit::read(&directory, "person", Vec::new());
    let mut outcome = Outcome::Done;
    let subjects = directory.subjects().all()?;
    for (id, known) in &subjects {
        let known = match known {
            Ok(known) => *known,
            Err(error) => {
                complain!("{id}: {error}");
                if is_json {
                    // Who erases by this list is to decide on them.
                    say!("{}", json!({ "event": "person", "id": id.as_str(), "is_erased": null }));
                }
                outcome = Outcome::Unsound;
                continue;
            }
        };
        let (word, at) = match known {
            Known::Since(at) => ("known", at),
            Known::Erased(at) => ("erased", at),
            Known::Unfinished(at) => ("no row", at),
        };
        if matches!(known, Known::Unfinished(_)) {
            complain!("{id}: there is a key and nothing under it; import them again");
            outcome = Outcome::Unsound;
        }
        if is_json {
            say!(
                "{}",
                json!({
                    "event": "person",
                    "id": id.as_str(),
                    "is_erased": matches!(known, Known::Erased(_)),
                    "has_row": matches!(known, Known::Since(_)),
                    "since": iso(at),
                })
            );
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
    let mut subjects = directory.subjects();
    let known = match subjects.known(&id) {
        Ok(None) if !is_meant => return Ok(nothing_kept(&id)),
        // Meant, it is asked again under the lock, where what an import left half done is cleared.
        Ok(known) => known,
        // What is damaged can be erased too.
        Err(PeopleError::Damaged { .. } | PeopleError::PerhapsErased { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    if !is_meant {
        return Err(not_meant(&id, known));
    }
    // Until it is done no hold is placed.
    let locked = LockedHolds::load(&directory.holds())?;
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
    match subjects.forget(&id, SystemClock::default().utc(), &locked.holds) {
        Ok(()) => {}
        Err(error @ PeopleError::Held { .. }) => return Err(error.into()),
        Err(PeopleError::Unknown { .. }) => {
            let act = tell(Told::Refused, "nothing is kept");
            audit_deposit::ended(&directory, act, vec![subject(id.clone())]);
            return Ok(nothing_kept(&id));
        }
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

fn nothing_kept(id: &Name) -> Outcome {
    complain!("nothing is kept about `{id}`, and nothing was erased; see ach person list");
    Outcome::Unsound
}

/// Says what would be erased.
fn not_meant(id: &Name, known: Option<Known>) -> Failure {
    Failure::misused(match known {
        Some(Known::Erased(at)) => format!("`{id}` was erased {}", local(at)),
        Some(Known::Since(at) | Known::Unfinished(at)) => format!(
            "this would erase for ever what is known about `{id}` since {}; add --yes",
            local(at)
        ),
        None => format!("this would erase for ever what is known about `{id}`; add --yes"),
    })
}

fn objects(ids: &[&Name]) -> Vec<Object> {
    ids.iter().map(|id| subject((*id).clone())).collect()
}

fn subject(id: Name) -> Object {
    Object::new(ObjectKind::Subject, id)
}

fn named(id: &str) -> Result<Name, Failure> {
    Name::new(id).map_err(|error| Failure::misused(format!("`{id}`: {error}")))
}
