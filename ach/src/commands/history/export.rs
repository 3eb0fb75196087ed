//! `ach history export`: positions as a table.

use ach_actors_model::{TagId, TagRef};
use ach_engine_store::{Cell, ColumnKind, KeptPing, NameKind, ParquetWriter};
use serde_json::json;

use super::source::Source;
use crate::audit_deposit;
use crate::cli::history::{Export, Format};
use crate::exit::{Failure, Outcome};
use crate::moment::iso;
use crate::whole_file::Target;

/// The columns of both kinds of table.
const COLUMNS: [(&str, ColumnKind); 10] = [
    ("tag", ColumnKind::Text),
    ("subject", ColumnKind::Text),
    ("observed_at", ColumnKind::Moment),
    ("received_at", ColumnKind::Moment),
    ("x_mm", ColumnKind::Int),
    ("y_mm", ColumnKind::Int),
    ("z_mm", ColumnKind::Int),
    ("floor", ColumnKind::Double),
    ("accuracy_mm", ColumnKind::Long),
    ("battery_percent", ColumnKind::Int),
];

/// Of so many tags the record of the reading tells.
const TAGS_RECORDED_MAX: usize = 16;

/// Does what was asked.
pub(super) fn run(wish: &Export) -> Result<Outcome, Failure> {
    if wish.from >= wish.to {
        return Err(Failure::misused("--from must lie before --to"));
    }
    let source = Source::open(&wish.data)?;
    let of: Vec<_> = wish.tag.iter().take(TAGS_RECORDED_MAX).copied().collect();
    audit_deposit::remembered(&wish.data, "history", audit_deposit::tags(&of)?)?;
    for tag in &wish.tag {
        source.tag(*tag)?;
    }
    let mut out = Target::begin(wish.out.as_deref())?;
    let rows = match wish.format {
        Format::Csv => {
            let mut table = csv::Writer::from_writer(&mut out);
            table.write_record(COLUMNS.map(|(name, _)| name))?;
            let rows = each_ping(&source, wish, |tag, subject, ping| {
                Ok(table.write_record(csv_row(tag, subject, ping))?)
            })?;
            table.flush()?;
            rows
        }
        Format::Parquet => {
            let mut table = ParquetWriter::begin(&mut out, &COLUMNS)?;
            let rows = each_ping(&source, wish, |tag, subject, ping| {
                Ok(table.row(&parquet_row(tag, subject, ping))?)
            })?;
            table.finish()?;
            rows
        }
    };
    out.finish()?;
    if let Some(file) = &wish.out {
        if wish.json {
            say!("{}", json!({ "event": "exported", "file": file, "rows": rows }));
        } else {
            say!("{rows} positions written to {}", file.display());
        }
    }
    Ok(source.outcome(Outcome::Done))
}

/// Hands over what was asked for, by tag; says how many.
fn each_ping(
    source: &Source,
    wish: &Export,
    mut each: impl FnMut(&str, Option<&str>, &KeptPing) -> Result<(), Failure>,
) -> Result<u64, Failure> {
    let store = &source.store;
    let mut rows = 0;
    for number in 0.. {
        let Some(id) = store.id(NameKind::Tag, number)? else { break };
        let is_asked = wish.tag.is_empty() || wish.tag.iter().any(|tag| is_named(*tag, &id));
        if !is_asked {
            continue;
        }
        let tag = TagRef(number);
        let mut bearers = Vec::new();
        for (since, subject) in store.bearers(tag)? {
            let name = match subject {
                Some(subject) => Some(source.name(NameKind::Subject, subject.0)?),
                None => None,
            };
            bearers.push((since, name));
        }
        for ping in store.pings(tag, wish.from, wish.to)? {
            let ping = ping?;
            let by = bearers.partition_point(|(since, _)| *since <= ping.observed_by());
            let bearer = by.checked_sub(1).and_then(|last| bearers.get(last));
            each(&id, bearer.and_then(|(_, name)| name.as_deref()), &ping)?;
            rows += 1;
        }
    }
    Ok(rows)
}

fn is_named(tag: TagId, id: &str) -> bool {
    tag.to_string() == id
}

fn csv_row(tag: &str, subject: Option<&str>, ping: &KeptPing) -> [String; 10] {
    let told = |value: Option<String>| value.unwrap_or_default();
    let position = &ping.position;
    [
        plain(tag),
        plain(subject.unwrap_or_default()),
        iso(ping.observed_at),
        iso(ping.received_at),
        position.x_mm.to_string(),
        position.y_mm.to_string(),
        told(position.z_mm.map(|mm| mm.to_string())),
        told(position.floor.map(|floor| (f64::from(floor.0) / 100.0).to_string())),
        ping.accuracy_mm.to_string(),
        told(ping.battery_percent.map(|percent| percent.to_string())),
    ]
}

/// A text that no spreadsheet takes for a formula.
fn plain(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

fn parquet_row<'a>(
    tag: &'a str,
    subject: Option<&'a str>,
    ping: &KeptPing,
) -> [Option<Cell<'a>>; 10] {
    let moment = |ns: u64| i64::try_from(ns).ok().map(Cell::Moment);
    let position = &ping.position;
    [
        Some(Cell::Text(tag)),
        subject.map(Cell::Text),
        moment(ping.observed_at.0),
        moment(ping.received_at.0),
        Some(Cell::Int(position.x_mm)),
        Some(Cell::Int(position.y_mm)),
        position.z_mm.map(Cell::Int),
        position.floor.map(|floor| Cell::Double(f64::from(floor.0) / 100.0)),
        Some(Cell::Long(ping.accuracy_mm.into())),
        ping.battery_percent.map(|percent| Cell::Int(percent.into())),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for (text, expected) in [("=cmd", "'=cmd"), ("-1", "'-1"), ("ward-1", "ward-1"), ("", "")] {
            assert_eq!(plain(text), expected);
        }
    }
}
