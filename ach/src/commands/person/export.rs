//! `ach person export`: everything that is kept of a person.

use std::io::Write;

use ach_actors_model::{Name, SubjectRef};
use ach_engine_store::{Day, Holds, Known, NameKind, Visit};
use serde_json::{Value, json};

use super::{named, subject};
use crate::audit_deposit;
use crate::cli::person::Export;
use crate::commands::history::{Source, alarm_object, gap_object, hold_object, ping_object};
use crate::data_directory::DataDirectory;
use crate::exit::{Failure, Outcome};
use crate::moment::iso;
use crate::whole_file::Target;

/// Most visits of a day: far more than a person can make.
const VISITS_MAX: usize = 1_000_000;

/// What was written.
struct Pages {
    out: Target,
    count: u64,
}

impl Pages {
    fn put(&mut self, object: &Value) -> Result<(), Failure> {
        self.count += 1;
        Ok(writeln!(self.out, "{object}")?)
    }
}

/// Does what was asked.
pub(super) fn run(wish: &Export) -> Result<Outcome, Failure> {
    let id = named(&wish.id)?;
    let directory = DataDirectory::existing(&wish.data)?;
    directory.must_be_ours()?;
    audit_deposit::decrypted(&directory, "person", vec![subject(id.clone())])?;
    let source = Source::open(&wish.data)?;
    let mut pages = Pages { out: Target::begin(wish.out.as_deref())?, count: 0 };
    let outcome = put_known(&directory, &id, &mut pages)?;
    if let Some(number) = source.store.number(NameKind::Subject, id.as_str())? {
        let who = SubjectRef(number);
        put_gaps(&source, &mut pages)?;
        put_tags(&source, who, &mut pages)?;
        let days = source.store.days();
        put_visits(&source, who, &days, &mut pages)?;
        put_alarms(&source, who, &days, &mut pages)?;
        put_positions(&source, who, &mut pages)?;
    }
    let count = pages.count;
    if count == 0 {
        complain!("nothing is kept of `{id}`");
        return Ok(Outcome::Unsound);
    }
    pages.out.finish()?;
    if let Some(file) = &wish.out {
        say!("{}", json!({ "event": "exported", "file": file, "rows": count }));
    }
    Ok(source.outcome(outcome))
}

/// What is known by name, and what protects it. Says whether it is all there.
fn put_known(directory: &DataDirectory, id: &Name, pages: &mut Pages) -> Result<Outcome, Failure> {
    let mut outcome = Outcome::Done;
    match directory.subjects().known(id)? {
        None => {}
        Some(Known::Unfinished(at)) => {
            complain!("there is a key of `{id}` and nothing under it; import them again");
            outcome = Outcome::Unsound;
            pages.put(&json!({ "event": "person", "id": id.as_str(), "known_since": iso(at) }))?;
        }
        Some(Known::Erased(at)) => {
            pages.put(&json!({ "event": "person", "id": id.as_str(), "erased_at": iso(at) }))?;
        }
        Some(Known::Since(at)) => {
            let person = directory.people()?.person(id)?;
            let links = person.iter().flat_map(|person| &person.links);
            let links = links.map(|it| json!({ "system": it.system, "number": it.number }));
            pages.put(&json!({
                "event": "person",
                "id": id.as_str(),
                "known_since": iso(at),
                "name": person.as_ref().map(|person| person.name.as_str()),
                "links": links.collect::<Vec<_>>(),
            }))?;
        }
    }
    let holds = Holds::load(&directory.holds())?;
    for hold in holds.iter().filter(|hold| hold.subject.as_ref() == Some(id)) {
        pages.put(&hold_object("hold", hold))?;
    }
    Ok(outcome)
}

/// The times of which nothing is known, of nobody.
fn put_gaps(source: &Source, pages: &mut Pages) -> Result<(), Failure> {
    for gap in source.store.gaps()? {
        pages.put(&gap_object(&gap))?;
    }
    Ok(())
}

fn put_tags(source: &Source, who: SubjectRef, pages: &mut Pages) -> Result<(), Failure> {
    for (tag, since, until) in source.store.tags_of(who)? {
        pages.put(&json!({
            "event": "tag",
            "tag": source.name(NameKind::Tag, tag.0)?,
            "since": iso(since),
            "until": until.map(iso),
        }))?;
    }
    Ok(())
}

/// Day by day, since days between may be gone, and around what is missing. A visit is told with the last day that
/// knows of it, which knows its end.
fn put_visits(
    source: &Source,
    who: SubjectRef,
    days: &[Day],
    pages: &mut Pages,
) -> Result<(), Failure> {
    let mut open: Vec<Visit> = Vec::new();
    let mut known = Vec::new();
    for day in days {
        known.extend(source.store.known_of(*day)?);
    }
    for asked in known {
        let visits = source.store.visits_of_subject(who, asked, VISITS_MAX)?;
        let is_same = |one: &Visit, other: &Visit| {
            (one.zone, one.entered_at) == (other.zone, other.entered_at)
        };
        let gone = open.extract_if(.., |it| !visits.iter().any(|visit| is_same(visit, it)));
        for visit in gone.collect::<Vec<_>>() {
            put_visit(source, &visit, pages)?;
        }
        for visit in visits {
            open.retain(|it| !is_same(&visit, it));
            open.push(visit);
        }
    }
    open.iter().try_for_each(|visit| put_visit(source, visit, pages))
}

fn put_visit(source: &Source, visit: &Visit, pages: &mut Pages) -> Result<(), Failure> {
    pages.put(&json!({
        "event": "visit",
        "zone": source.name(NameKind::Zone, visit.zone.0)?,
        "entered_at": iso(visit.entered_at),
        "exited_at": visit.exited_at.map(iso),
        "ended_before": visit.ended_before.map(iso),
    }))
}

/// With their evidence, as `ach explain` tells it. Those of others are passed over, however many.
fn put_alarms(
    source: &Source,
    who: SubjectRef,
    days: &[Day],
    pages: &mut Pages,
) -> Result<(), Failure> {
    for day in days {
        for record in source.store.alarms_on(*day)? {
            let record = record?;
            if record.notice.subject == Some(who) {
                pages.put(&alarm_object(source, &record, "alarm")?)?;
            }
        }
    }
    Ok(())
}

/// What was measured of tags while the person bore them.
fn put_positions(source: &Source, who: SubjectRef, pages: &mut Pages) -> Result<(), Failure> {
    let mut last = None;
    for found in source.store.positions_of(who)? {
        let (tag, ping) = found?;
        if last.as_ref().is_none_or(|(of, _)| *of != tag) {
            last = Some((tag, source.name(NameKind::Tag, tag.0)?));
        }
        let mut object = ping_object(&ping);
        if let Some(fields) = object.as_object_mut() {
            fields.insert("event".to_owned(), json!("position"));
            fields.insert("tag".to_owned(), json!(last.as_ref().map(|(_, id)| id)));
        }
        pages.put(&object)?;
    }
    Ok(())
}
