//! How a command ends.

use std::fmt;
use std::process::ExitCode;

use crate::out;

/// How a command ended when nothing failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It did what it was asked.
    Done,
    /// It served until it was told to end; what it printed was by the way.
    Served,
    /// It looked, and what it looked at is not as it should be.
    Unsound,
}

/// Why a command could not be done, for the person who typed it. Says what to do next.
#[derive(Debug)]
pub(crate) struct Failure {
    text: String,
    exit: Exit,
}

impl Failure {
    /// Joins what was tried, what went wrong and what to do.
    pub(crate) fn new(text: impl Into<String>) -> Failure {
        Failure { text: text.into(), exit: Exit::Failed }
    }

    /// As [`Failure::new`], of what was typed: it cannot be done as long as it is typed so.
    pub(crate) fn misused(text: impl Into<String>) -> Failure {
        Failure { text: text.into(), exit: Exit::Misused }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Failure {
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            let part = cause.to_string();
            if !text.contains(&part) {
                text.push_str(": ");
                text.push_str(&part);
            }
            source = cause.source();
        }
        Failure::new(text)
    }
}

/// The process's exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// 0.
    Done,
    /// 1.
    Failed,
    /// 2, which is clap's as well.
    Misused,
    /// 3.
    Unsound,
}

impl Exit {
    /// Prints a failure and chooses the code. Of a reader that hung up nobody has to be told.
    pub(crate) fn of(result: Result<Outcome, Failure>) -> Exit {
        match (result, out::failure()) {
            (Err(Failure { text, exit }), _) => {
                complain!("ach: {text}");
                exit
            }
            (Ok(Outcome::Served | Outcome::Done), None) | (Ok(Outcome::Served), Some(_)) => {
                Exit::Done
            }
            (Ok(Outcome::Done | Outcome::Unsound), Some(error)) => {
                if error.kind() != std::io::ErrorKind::BrokenPipe {
                    complain!(
                        "ach: cannot write to stdout: {error}; nothing was lost but the words"
                    );
                }
                Exit::Failed
            }
            (Ok(Outcome::Unsound), None) => Exit::Unsound,
        }
    }

    /// The number the shell sees.
    pub(crate) fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Misused => 2,
            Exit::Unsound => 3,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_exit_code_is_explained() {
        let page = include_str!("../../docs/errors/README.md");
        for exit in [Exit::Done, Exit::Failed, Exit::Misused, Exit::Unsound] {
            assert!(page.contains(&format!("\n| {} | ", exit.code())), "{exit:?}");
        }
    }

    #[test]
    fn a_failure_tells_its_causes_once_each() {
        let cause = std::io::Error::other("the disk is gone");
        let failure = Failure::from(std::io::Error::other(cause));
        assert_eq!(failure.to_string(), "the disk is gone");
    }
}
