//! A file of rules that is named on the command line.

use std::path::Path;

use ach_engine_site::{Findings, RuleBook, Severity};

use crate::exit::Failure;

/// Reads it, and tells what should be mended in it all the same.
pub(super) fn read(file: &Path) -> Result<RuleBook, Failure> {
    let book = RuleBook::read(file).map_err(|findings| mistaken(file, &findings))?;
    book.warnings().iter().for_each(|warning| complain!("{warning}"));
    Ok(book)
}

/// What is wrong with it.
pub(super) fn mistaken(file: &Path, findings: &Findings) -> Failure {
    findings.iter().for_each(|finding| complain!("{finding}"));
    let count = findings.count(Severity::Error);
    let mistakes = if count == 1 { "a mistake".to_owned() } else { format!("{count} mistakes") };
    Failure::new(format!("{} has {mistakes}; mend them and try again", file.display()))
}
