//! `ach history hold`, `release`, `holds`: days that are kept though their time is over, and persons who are
//! not erased.

use std::path::Path;

use ach_actors_model::Name;
use ach_engine_audit::{Action, Object, ObjectKind, Outcome as Told, Reason};
use ach_engine_node::{Clock, SystemClock};
use ach_engine_store::{Day, Hold, Holds, Known, LockedHolds};
use serde_json::{Value, json};

use super::source;
use crate::audit_deposit;
use crate::cli::history::Hold as Wish;
use crate::data_directory::DataDirectory;
use crate::exit::{Failure, Outcome};
use crate::moment::{iso, local};

/// Places one.
pub(super) fn place(wish: &Wish) -> Result<Outcome, Failure> {
    if wish.through.is_some_and(|through| through < wish.from) {
        return Err(Failure::misused("--through must not lie before --from"));
    }
    let id = named(&wish.id)?;
    let subject = wish.subject.as_deref().map(named).transpose()?;
    let user = format!("uid:{}", rustix::process::getuid().as_raw());
    let directory = DataDirectory::existing(&wish.data)?;
    directory.must_be_ours()?;
    let mut locked = LockedHolds::load(&directory.holds())?;
    if let Some(subject) = &subject {
        must_be_known(&directory, (&id, subject), wish.yes)?;
    }
    let hold = Hold {
        id,
        from: wish.from,
        through: wish.through,
        subject,
        reason: wish.reason.clone(),
        placed_by: Name::new(&user)?,
        placed_at: SystemClock::default().utc(),
    };
    locked.holds.place(hold.clone())?;
    save(&directory, &locked, (Action::HoldPlaced, &hold))?;
    drop(locked);
    say_placed(&directory, &hold, wish.json);
    Ok(Outcome::Done)
}

/// Refuses to hold somebody of whom nothing is left, and, unless it is meant, somebody nobody knows: it may
/// be a typing error, and the one who is meant would be erased. What is damaged can be held.
fn must_be_known(
    directory: &DataDirectory,
    (id, subject): (&Name, &Name),
    is_meant: bool,
) -> Result<(), Failure> {
    match directory.subjects().known(subject) {
        Ok(Some(Known::Since(_) | Known::Unfinished(_))) => Ok(()),
        Ok(Some(Known::Erased(at))) => {
            let objects = vec![
                Object::new(ObjectKind::Hold, id.clone()),
                Object::new(ObjectKind::Subject, subject.clone()),
            ];
            let reason = Reason::new("the person was erased");
            audit_deposit::ended(directory, (Action::HoldPlaced, Told::Refused, reason), objects);
            Err(Failure::new(format!(
                "`{subject}` was erased {}; nothing is left to be held",
                local(at)
            )))
        }
        Ok(None) if is_meant => Ok(()),
        Ok(None) => Err(Failure::misused(format!(
            "nobody is known as `{subject}` (ach person list); add --yes to hold them before they are"
        ))),
        Err(error) => {
            complain!("{error}; `{subject}` is held as they are");
            Ok(())
        }
    }
}

/// Says what is kept now, and which of it there is.
fn say_placed(directory: &DataDirectory, hold: &Hold, is_json: bool) {
    let is_in_it = |day: &Day| *day >= hold.from && hold.through.is_none_or(|last| *day <= last);
    let days = source::days(directory).unwrap_or_else(|error| {
        complain!("which of these days there are cannot be told: {error}");
        Vec::new()
    });
    if let Some(oldest) = days.first().filter(|oldest| hold.from < **oldest) {
        complain!("history begins with {oldest}; nothing before that day can be kept");
    }
    let kept_days: Vec<Day> = days.into_iter().filter(is_in_it).collect();
    let ends = kept_days.first().zip(kept_days.last());
    if is_json {
        let mut object = object("hold_placed", hold);
        if let Some(fields) = object.as_object_mut() {
            fields.insert("first_day".to_owned(), json!(ends.map(|(day, _)| day.to_string())));
            fields.insert("last_day".to_owned(), json!(ends.map(|(_, day)| day.to_string())));
        }
        say!("{object}");
        return;
    }
    let through = hold.through.map_or_else(|| "on".to_owned(), |day| format!("through {day}"));
    let person = hold.subject.as_ref();
    let person = person.map_or_else(String::new, |it| format!(", and {it} is not erased"));
    say!("days from {} {through} are kept{person}", hold.from);
    match ends {
        Some((first, last)) => say!("history has {} of them, {first} to {last}", kept_days.len()),
        None => say!("history has none of them yet"),
    }
}

/// Lifts one.
pub(super) fn lift(id: &str, data: &Path, is_json: bool) -> Result<Outcome, Failure> {
    let directory = DataDirectory::existing(data)?;
    directory.must_be_ours()?;
    let mut locked = LockedHolds::load(&directory.holds())?;
    let hold = locked.holds.lift(&named(id)?)?;
    save(&directory, &locked, (Action::HoldLifted, &hold))?;
    if is_json {
        say!("{}", object("hold_lifted", &hold));
    } else {
        say!("hold {} is released", hold.id);
    }
    Ok(Outcome::Done)
}

/// Records what becomes of a hold, and has it become so.
fn save(
    directory: &DataDirectory,
    locked: &LockedHolds,
    (action, hold): (Action, &Hold),
) -> Result<(), Failure> {
    let mut objects = vec![Object::new(ObjectKind::Hold, hold.id.clone())];
    objects.extend(hold.subject.iter().map(|it| Object::new(ObjectKind::Subject, it.clone())));
    let act = |outcome, reason| (action, outcome, Reason::new(reason));
    audit_deposit::done(directory, act(Told::Done, ""), objects.clone())?;
    locked.save().inspect_err(|_| {
        audit_deposit::ended(directory, act(Told::Failed, "the file was not written"), objects);
    })?;
    Ok(())
}

/// Tells all of them.
pub(super) fn list(data: &Path, is_json: bool) -> Result<Outcome, Failure> {
    let directory = DataDirectory::existing(data)?;
    audit_deposit::read(&directory, "holds", Vec::new());
    let holds = Holds::load(&directory.holds())?;
    for hold in holds.iter() {
        if is_json {
            say!("{}", object("hold", hold));
        } else {
            let through = hold.through.map_or_else(|| "on".to_owned(), |day| day.to_string());
            let placed = format!("{}, {}", hold.placed_by, local(hold.placed_at));
            // What a person wrote must not move the cursor.
            let reason: String = hold.reason.escape_default().collect();
            let person = hold.subject.as_ref();
            let person = person.map_or_else(String::new, |it| format!("  protects {it}"));
            say!("{}  {} to {through}{person}  {reason}  ({placed})", hold.id, hold.from);
        }
    }
    if !is_json && holds.iter().next().is_none() {
        say!("there is no hold");
    }
    Ok(Outcome::Done)
}

/// A hold for programs.
pub(crate) fn object(event: &str, hold: &Hold) -> Value {
    json!({
        "event": event,
        "id": hold.id.as_str(),
        "from": hold.from.to_string(),
        "through": hold.through.map(|day| day.to_string()),
        "subject": hold.subject.as_ref().map(Name::as_str),
        "reason": hold.reason,
        "placed_by": hold.placed_by.as_str(),
        "placed_at": iso(hold.placed_at),
    })
}

fn named(id: &str) -> Result<Name, Failure> {
    Name::new(id).map_err(|error| Failure::misused(format!("`{id}`: {error}")))
}
