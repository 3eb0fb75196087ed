//! What the doctor found about one thing.

use std::fmt;

use serde_json::{Value, json};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verdict {
    /// As it should be.
    Ok,
    /// A node runs, with less than it could have.
    Warning,
    /// A node must not be trusted to run so.
    Wrong,
}

impl Verdict {
    /// In a word.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Verdict::Ok => "ok",
            Verdict::Warning => "warning",
            Verdict::Wrong => "wrong",
        }
    }
}

/// What was found about one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    /// What was looked at, in a stable word.
    pub(crate) what: &'static str,
    /// How bad it is.
    pub(crate) verdict: Verdict,
    /// What was seen.
    pub(crate) seen: String,
    /// What to do, unless all is well.
    pub(crate) remedy: Option<String>,
}

impl Finding {
    /// All is well.
    pub(crate) fn ok(what: &'static str, seen: impl Into<String>) -> Finding {
        Finding { what, verdict: Verdict::Ok, seen: seen.into(), remedy: None }
    }

    /// It could be better.
    pub(crate) fn warning(
        what: &'static str,
        seen: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Finding {
        let remedy = Some(remedy.into());
        Finding { what, verdict: Verdict::Warning, seen: seen.into(), remedy }
    }

    /// It must not stay so.
    pub(crate) fn wrong(
        what: &'static str,
        seen: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Finding {
        Finding { verdict: Verdict::Wrong, ..Finding::warning(what, seen, remedy) }
    }

    /// For programs.
    pub(crate) fn object(&self) -> Value {
        json!({
            "event": "finding",
            "what": self.what,
            "verdict": self.verdict.word(),
            "seen": self.seen,
            "remedy": self.remedy,
        })
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<8} {:<13} {}", self.verdict.word(), self.what, self.seen)?;
        match &self.remedy {
            Some(remedy) => write!(f, "\n{:23}{remedy}", ""),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remedy_stands_below_what_was_seen() {
        let finding = Finding::warning("cores", "1 core", "give it two");
        let text = finding.to_string();
        assert_eq!(text, format!("warning  cores         1 core\n{:23}give it two", ""));
        assert_eq!(finding.object()["verdict"], "warning");
        assert!(Verdict::Wrong > Verdict::Warning && Verdict::Warning > Verdict::Ok);
    }
}
