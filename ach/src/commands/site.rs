//! `ach site`: makes and checks site directories.

use std::path::Path;

use ach_engine_site::{Findings, Severity, SiteDirectory, sample_hospital, write_example};

use super::site_apply;
use crate::cli::Site;
use crate::exit::{Failure, Outcome};

/// Does what was asked.
pub(crate) fn run(site: &Site) -> Result<Outcome, Failure> {
    match site {
        Site::New { dir } => {
            must_be_new(dir)?;
            write_example(dir)?;
            say!("{} written; next:", dir.display());
            say!("  ach site check {0}\n  ach serve --site {0} --data DIR", dir.display());
            Ok(Outcome::Done)
        }
        Site::Sample { dir } => {
            must_be_new(dir)?;
            sample_hospital().directory.write(dir)?;
            say!("{0} written; open {0}/floors/*.geojson in any viewer", dir.display());
            Ok(Outcome::Done)
        }
        Site::Check { dir, json } => check(dir, *json),
        Site::Apply(wish) => site_apply::run(wish),
    }
}

/// Reads a site directory for a node; every mistake is printed.
pub(crate) fn read(dir: &Path) -> Result<SiteDirectory, Failure> {
    must_be_there(dir)?;
    match SiteDirectory::read(dir) {
        Ok(reading) => {
            for warning in &reading.warnings {
                complain!("{warning}");
            }
            Ok(reading.directory)
        }
        Err(findings) => {
            for finding in &findings {
                complain!("{finding}");
            }
            Err(Failure::new(format!(
                "{} has {}; mend them and try again",
                dir.display(),
                counted(findings.count(Severity::Error), "mistake")
            )))
        }
    }
}

fn check(dir: &Path, is_json: bool) -> Result<Outcome, Failure> {
    must_be_there(dir)?;
    let (findings, summary) = match SiteDirectory::read(dir) {
        Ok(reading) => {
            let summary = Some(words(&reading.directory));
            (reading.warnings, summary)
        }
        Err(findings) => (findings, None),
    };
    print(&findings, is_json);
    if !is_json {
        let (errors, warnings) =
            (findings.count(Severity::Error), findings.count(Severity::Warning));
        match summary {
            Some(summary) => say!("sound: {summary}; {}", counted(warnings, "warning")),
            None => say!("{}, {}", counted(errors, "mistake"), counted(warnings, "warning")),
        }
    }
    Ok(if findings.has_errors() { Outcome::Unsound } else { Outcome::Done })
}

fn words(site: &SiteDirectory) -> String {
    let zones: usize = site.floors.iter().map(|floor| floor.zones.len()).sum();
    let doors: usize = site.floors.iter().map(|floor| floor.doors.len()).sum();
    [
        counted(site.floors.len(), "floor"),
        counted(zones, "zone"),
        counted(doors, "door"),
        format!("{} people", site.people.len()),
        format!("{} of equipment", counted(site.equipment.len(), "piece")),
        counted(site.rules.len(), "rule"),
    ]
    .join(", ")
}

/// `1 door`, `2 doors`.
pub(super) fn counted(count: usize, word: &str) -> String {
    if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") }
}

fn print(findings: &Findings, is_json: bool) {
    for finding in findings {
        if is_json {
            let object = serde_json::to_string(finding).unwrap_or_default();
            say!("{object}");
        } else {
            say!("{finding}");
        }
    }
}

pub(super) fn must_be_there(dir: &Path) -> Result<(), Failure> {
    if dir.is_dir() {
        return Ok(());
    }
    let what = if dir.exists() { "is no directory" } else { "does not exist" };
    Err(Failure::new(format!(
        "{0} {what}; name a site directory, or write one with `ach site new DIR`",
        dir.display()
    )))
}

fn must_be_new(dir: &Path) -> Result<(), Failure> {
    if dir.exists() {
        return Err(Failure::new(format!(
            "{} exists already; name a new directory",
            dir.display()
        )));
    }
    Ok(())
}
