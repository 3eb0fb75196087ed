//! `ach doctor`: is this machine fit to run a node, and what can it carry?

mod audit_log;
mod carry;
mod certificates;
mod disk_speed;
mod finding;
mod machine;
mod remembered;
mod stopwatch;

use std::path::{Path, PathBuf};

pub(crate) use self::finding::{Finding, Verdict};
use crate::cli::Doctor;
use crate::exit::{Failure, Outcome};

/// Looks, and prints what it finds.
pub(crate) fn run(wish: &Doctor) -> Result<Outcome, Failure> {
    let findings = examine(wish.data.as_deref(), &wish.credentials)?;
    for finding in &findings {
        if wish.json {
            say!("{}", finding.object());
        } else {
            say!("{finding}");
        }
    }
    let is_wrong = findings.iter().any(|finding| finding.verdict == Verdict::Wrong);
    Ok(if is_wrong { Outcome::Unsound } else { Outcome::Done })
}

/// Everything that can be found out. No finding names a path, a person or the machine.
pub(crate) fn examine(
    data: Option<&Path>,
    credentials: &[PathBuf],
) -> Result<Vec<Finding>, Failure> {
    let folder = data.unwrap_or(Path::new("."));
    if !folder.is_dir() {
        return Err(Failure::new(format!(
            "{} is no directory; `ach serve --data {0}` makes one",
            folder.display()
        )));
    }
    let mut findings = disk_speed::findings(folder);
    findings.extend(machine::findings());
    if let Some(data) = data {
        findings.extend(certificates::of_node(data));
        findings.push(audit_log::finding(data));
        findings.extend(remembered::findings(data));
    }
    findings.extend(credentials.iter().map(|it| certificates::of_credentials(it)));
    findings.extend(carry::findings());
    Ok(findings)
}
