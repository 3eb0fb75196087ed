//! Collects findings while files are read and checked.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use crate::finding::{Finding, FindingKind, Severity};

/// Where something was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) file: Arc<str>,
    pub(crate) line: Option<u32>,
    pub(crate) place: String,
}

/// Bounds memory while a broken file of millions of records is read; `Findings` keeps fewer.
const COLLECTED_MAX: usize = 10_000;

/// What was found so far. Shared by readers that hold parts of the same tree.
#[derive(Debug, Default)]
pub(crate) struct Report {
    findings: RefCell<Vec<Finding>>,
    is_torn: Cell<bool>,
    has_errors: Cell<bool>,
}

impl Report {
    pub(crate) fn error(&self, kind: FindingKind, origin: &Origin, problem: &str, remedy: &str) {
        self.add(Severity::Error, kind, origin, problem, remedy);
    }

    pub(crate) fn warning(&self, kind: FindingKind, origin: &Origin, problem: &str, remedy: &str) {
        self.add(Severity::Warning, kind, origin, problem, remedy);
    }

    fn add(
        &self,
        severity: Severity,
        kind: FindingKind,
        origin: &Origin,
        problem: &str,
        remedy: &str,
    ) {
        let is_torn =
            matches!(kind, FindingKind::Unreadable | FindingKind::Syntax | FindingKind::TooLarge);
        if severity == Severity::Error {
            self.has_errors.set(true);
            self.is_torn.set(self.is_torn.get() || is_torn);
        }
        let mut findings = self.findings.borrow_mut();
        if findings.len() < COLLECTED_MAX {
            findings.push(Finding {
                severity,
                kind,
                file: origin.file.to_string(),
                line: origin.line,
                place: origin.place.clone(),
                problem: problem.to_owned(),
                remedy: remedy.to_owned(),
            });
        }
    }

    /// Whether a whole file could not be used, so that what others say of it cannot be judged.
    pub(crate) fn is_torn(&self) -> bool {
        self.is_torn.get()
    }

    /// Whether the site cannot be used.
    pub(crate) fn has_errors(&self) -> bool {
        self.has_errors.get()
    }

    pub(crate) fn into_findings(self) -> Vec<Finding> {
        self.findings.into_inner()
    }
}

impl Origin {
    pub(crate) fn new(file: &Arc<str>, line: Option<u32>, place: impl Into<String>) -> Origin {
        Origin { file: Arc::clone(file), line, place: place.into() }
    }

    /// The same place, on a line of its own if it has one.
    pub(crate) fn at(&self, line: Option<u32>) -> Origin {
        Origin { line: line.or(self.line), ..self.clone() }
    }
}
