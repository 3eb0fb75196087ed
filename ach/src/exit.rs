//! How a command ends.

use std::process::ExitCode;

/// How a command ended when nothing failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It did what it was asked.
    Done,
    /// It looked, and what it looked at is not as it should be.
    Unsound,
}

/// Why a command could not be done, for the person who typed it. Says what to do next.
#[derive(Debug)]
pub(crate) struct Failure(String);

impl Failure {
    /// Joins what was tried, what went wrong and what to do.
    pub(crate) fn new(text: impl Into<String>) -> Failure {
        Failure(text.into())
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
        Failure(text)
    }
}

/// The process's exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// 0.
    Done,
    /// 1.
    Failed,
    /// 3; 2 is clap's, for a command that was not understood.
    Unsound,
}

impl Exit {
    /// Prints a failure and chooses the code.
    pub(crate) fn of(result: Result<Outcome, Failure>) -> Exit {
        match result {
            Ok(Outcome::Done) => Exit::Done,
            Ok(Outcome::Unsound) => Exit::Unsound,
            Err(Failure(text)) => {
                anstream::eprintln!("ach: {text}");
                Exit::Failed
            }
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Unsound => 3,
        })
    }
}
