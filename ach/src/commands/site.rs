//! `ach site`: makes and checks site directories.

use std::path::Path;

use ach_engine_site::{Findings, Severity, SiteDirectory, sample_hospital, write_example};

use crate::cli::Site;
use crate::exit::{Failure, Outcome};

/// Does what was asked.
pub(crate) fn run(site: &Site) -> Result<Outcome, Failure> {
    match site {
        Site::New { dir } => {
            must_be_new(dir)?;
            write_example(dir)?;
            anstream::println!("{} written; next:", dir.display());
            anstream::println!(
                "  ach site check {0}\n  ach serve --site {0} --data DIR",
                dir.display()
            );
            Ok(Outcome::Done)
        }
        Site::Sample { dir } => {
            must_be_new(dir)?;
            sample_hospital().directory.write(dir)?;
            anstream::println!("{} written; open floors/*.geojson in any viewer", dir.display());
            Ok(Outcome::Done)
        }
        Site::Check { dir, json } => Ok(check(dir, *json)),
    }
}

/// Reads a site directory for a node; every mistake is printed.
pub(crate) fn read(dir: &Path) -> Result<SiteDirectory, Failure> {
    match SiteDirectory::read(dir) {
        Ok(reading) => {
            for warning in &reading.warnings {
                anstream::eprintln!("{warning}");
            }
            Ok(reading.directory)
        }
        Err(findings) => {
            for finding in &findings {
                anstream::eprintln!("{finding}");
            }
            Err(Failure::new(format!(
                "{} has {} mistakes; mend them and try again",
                dir.display(),
                findings.count(Severity::Error)
            )))
        }
    }
}

fn check(dir: &Path, is_json: bool) -> Outcome {
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
            Some(summary) => anstream::println!("sound: {summary}; {warnings} warnings"),
            None => anstream::println!("{errors} errors, {warnings} warnings"),
        }
    }
    if findings.has_errors() { Outcome::Unsound } else { Outcome::Done }
}

fn words(site: &SiteDirectory) -> String {
    let zones: usize = site.floors.iter().map(|floor| floor.zones.len()).sum();
    let doors: usize = site.floors.iter().map(|floor| floor.doors.len()).sum();
    format!(
        "{} floors, {zones} zones, {doors} doors, {} people, {} pieces of equipment, {} rules",
        site.floors.len(),
        site.people.len(),
        site.equipment.len(),
        site.rules.len()
    )
}

fn print(findings: &Findings, is_json: bool) {
    for finding in findings {
        if is_json {
            let object = serde_json::to_string(finding).unwrap_or_default();
            anstream::println!("{object}");
        } else {
            anstream::println!("{finding}");
        }
    }
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
