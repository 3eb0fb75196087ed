//! `ach journal verify` and `ach journal show`: read a journal, whether or not a node is running.

mod checkpoints;
mod door_wish;
mod entry_object;
mod site_names;

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::path::Path;

use ach_engine_journal::{FileDisk, Reader, RecordKind, Report};
use ach_engine_node::checkpointed_site;
use ach_engine_shard::Entry;
use ach_engine_wire::decode_entry;
use serde_json::json;

use self::checkpoints::{Checkpoint, Meeting};
use self::site_names::SiteNames;
use crate::audit_deposit;
use crate::cli::Journal;
use crate::data_directory::DataDirectory;
use crate::exit::{Exit, Failure, Outcome};
use crate::out;

/// Most entries `--last` keeps: they are held in memory until the end of the journal is found.
const LAST_MAX: u64 = 100_000;

/// Does what was asked.
pub(crate) fn run(journal: &Journal) -> Result<Outcome, Failure> {
    match journal {
        Journal::Verify { dir, json } => verify(dir, *json),
        Journal::Show { dir, from, count, last, json } => match last {
            Some(last) => show_last(dir, *last, *json),
            None => show_from(dir, from.unwrap_or(1), *count, *json),
        },
    }
}

/// Hands every entry of the journal in `directory` to `each`, in order.
pub(crate) fn entries(
    directory: &DataDirectory,
    mut each: impl FnMut(Entry),
) -> Result<Report, Failure> {
    let reader = Reader::new(FileDisk::existing(directory.journal())?);
    let kek = directory.key_source().load()?;
    let mut refused = None;
    let report = reader.show(&kek, &mut |record| {
        if record.kind == RecordKind::Entry && refused.is_none() {
            match decode_entry(record.payload) {
                Ok(entry) => each(entry),
                Err(error) => refused = Some(format!("entry {}: {error}", record.index)),
            }
        }
    })?;
    refused.map_or(Ok(report), |reason| Err(Failure::new(reason)))
}

fn verify(dir: &Path, is_json: bool) -> Result<Outcome, Failure> {
    let directory = DataDirectory::existing(dir)?;
    let disk = FileDisk::existing(directory.journal())?;
    let reader = Reader::new(disk.clone());
    // Lengths, chain and checksums are checked without the key; with it, contents too.
    let kek = directory.key_source().load();
    let mut first_bad = None;
    let mut begins_at = None;
    // Before the journal: a running node gives up segments only after it has a newer checkpoint.
    let mut checkpoints = checkpoints::read(&disk, kek.as_ref().ok())?;
    let mut meeting = Meeting::default();
    let report = match &kek {
        Ok(kek) => reader.show(kek, &mut |record| {
            if record.kind != RecordKind::Entry {
                return;
            }
            begins_at.get_or_insert(record.index);
            meeting.take(&record, &mut checkpoints);
            if decode_entry(record.payload).is_err() {
                first_bad.get_or_insert(record.index);
            }
        })?,
        Err(_) => reader.verify(None)?,
    };
    // What lies behind damage was not read.
    meeting.end(report.damage.is_none(), &mut checkpoints);
    let keyless = kek.err().map(|error| Failure::from(error).to_string());
    let is_sound = report.damage.is_none()
        && first_bad.is_none()
        && checkpoints.iter().all(Checkpoint::is_sound);
    if is_json {
        let mut object = report_object(&report, first_bad, keyless.as_deref());
        for (name, value) in [
            ("is_sound", json!(is_sound)),
            ("begins_at_entry", json!(begins_at)),
            ("checkpoints", checkpoints.iter().map(Checkpoint::object).collect()),
        ] {
            object.insert(name.to_owned(), value);
        }
        let object = serde_json::Value::Object(object);
        say!("{object}");
    } else {
        if let Some(index) = begins_at.filter(|index| *index > 1) {
            say!("begins with entry {index}: what lies before was given up for a checkpoint");
        }
        for checkpoint in &checkpoints {
            say!("{checkpoint}");
        }
        print_report(&report, first_bad, keyless.as_deref());
    }
    Ok(if is_sound { Outcome::Done } else { Outcome::Unsound })
}

fn print_report(report: &Report, first_bad: Option<u64>, keyless: Option<&str>) {
    say!(
        "{} segments, {} groups, {} records, last LSN {}",
        report.segments.len(),
        report.groups,
        report.records,
        report.last_lsn
    );
    if let Some(why) = keyless {
        say!("lengths, chain and checksums were checked, contents were not: {why}");
    }
    if let Some(tail) = report.tail {
        say!(
            "an unacknowledged tail of {} bytes in segment {} at byte {} will be cut at the next start",
            tail.torn_bytes,
            tail.segment,
            tail.offset
        );
    }
    for note in &report.notes {
        say!("note: {note:?}");
    }
    match (&report.damage, first_bad) {
        (Some(damage), _) => say!(
            "DAMAGED: {} (segment {}, byte {}, LSN {}); keep a copy before you start the node: it will \
             raise alarms but store nothing",
            damage.harm,
            damage.segment,
            damage.offset,
            damage.lsn
        ),
        (None, Some(index)) => say!("DAMAGED: entry {index} cannot be decoded"),
        (None, None) => {
            let how = if keyless.is_some() { "sound as far as it was checked" } else { "sound" };
            let end = if report.was_closed {
                "closed in order"
            } else {
                "not closed in order, or a node is running"
            };
            say!("{how}, {end}");
        }
    }
}

fn report_object(
    report: &Report,
    first_bad: Option<u64>,
    keyless: Option<&str>,
) -> serde_json::Map<String, serde_json::Value> {
    let object = json!({
        "event": "verified",
        "segments": report.segments.len(),
        "groups": report.groups,
        "records": report.records,
        "last_lsn": report.last_lsn.0,
        "had_key": report.had_key,
        "key_problem": keyless,
        "was_closed": report.was_closed,
        "torn_tail_bytes": report.tail.map(|tail| tail.torn_bytes),
        "damage": report.damage.map(|damage| json!({
            "what": damage.harm.to_string(),
            "segment": damage.segment,
            "offset": damage.offset,
            "lsn": damage.lsn.0,
        })),
        "undecodable_entry": first_bad,
    });
    match object {
        serde_json::Value::Object(object) => object,
        // It is written as an object above.
        _ => serde_json::Map::new(),
    }
}

/// The names of the latest checkpoint; a journal need not begin with its site.
fn site_names(directory: &DataDirectory) -> Result<SiteNames, Failure> {
    let disk = FileDisk::existing(directory.journal())?;
    let kek = directory.key_source().load()?;
    Ok(SiteNames::of(checkpointed_site(&disk, &kek)))
}

fn show_from(dir: &Path, from: u64, count: u64, is_json: bool) -> Result<Outcome, Failure> {
    let until = from.saturating_add(count);
    let directory = DataDirectory::existing(dir)?;
    audit_deposit::read(&directory, "journal", Vec::new());
    let mut names = site_names(&directory)?;
    let report = entries(&directory, |entry| {
        names.take(&entry);
        if (from..until).contains(&entry.index) {
            print(&entry, &names, is_json);
        }
    })?;
    Ok(soundness(&report))
}

fn show_last(dir: &Path, last: u64, is_json: bool) -> Result<Outcome, Failure> {
    if last > LAST_MAX {
        return Err(Failure::misused(format!(
            "--last takes at most {LAST_MAX}; use --from and --count"
        )));
    }
    let keep = usize::try_from(last).unwrap_or(0);
    let mut kept: VecDeque<Entry> = VecDeque::new();
    let directory = DataDirectory::existing(dir)?;
    audit_deposit::read(&directory, "journal", Vec::new());
    let mut names = site_names(&directory)?;
    let report = entries(&directory, |entry| {
        names.take(&entry);
        kept.push_back(entry);
        if kept.len() > keep {
            kept.pop_front();
        }
    })?;
    for entry in &kept {
        print(entry, &names, is_json);
    }
    Ok(soundness(&report))
}

fn soundness(report: &Report) -> Outcome {
    match &report.damage {
        None => Outcome::Done,
        Some(damage) => {
            complain!("what follows is damaged: {} (LSN {})", damage.harm, damage.lsn);
            Outcome::Unsound
        }
    }
}

fn print(entry: &Entry, names: &SiteNames, is_json: bool) {
    if out::failure().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe) {
        // The rest of the journal, which may be long, would be read for nobody. There is nothing to
        // tidy up.
        std::process::exit(Exit::Failed.code().into());
    }
    if is_json {
        say!("{}", entry_object::entry_object(entry, names));
    } else {
        say!("{}", entry_object::entry_line(entry, names));
    }
}
