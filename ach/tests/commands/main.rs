//! Commands as a person types them: what they say, where, and which exit code follows.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "everything here is a test, also what is not marked as one"
)]

mod applying;
mod audit;
mod bands;
mod certificates;
mod cut_off;
mod delays;
mod full_disk;
mod history;
mod history_gaps;
mod incidents;
mod leave;
mod looking;
mod metrics;
mod motion;
mod node;
mod operating;
mod output;
mod persons;
mod quieting;
mod rehearsing;
mod replaying;
mod reviewing;
mod rules;
mod scoring;
#[path = "../../../engine/metrics/tests/http/strict.rs"]
mod strict;
mod tags;
mod tailgating;
mod typed;
mod walking;

use std::path::Path;
use std::process::{Command, Stdio};

/// The program under test.
const PROGRAM: &str = env!("CARGO_BIN_EXE_ach");

/// What a command said and how it ended.
#[derive(Debug)]
struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

/// Runs `ach` in `folder`; words are separated by blanks.
fn ach(folder: &Path, words: &str) -> Said {
    let output = command(folder, words).output().unwrap();
    Said {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

fn command(folder: &Path, words: &str) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(words.split_whitespace()).current_dir(folder).stdin(Stdio::null());
    command.env_remove("ACH_LOG").env_remove("ACH_JOURNAL_KEY").env("TMPDIR", folder);
    command
}

/// Expects an exit code, and each of these parts on stdout or stderr.
#[track_caller]
fn check(folder: &Path, words: &str, code: i32, parts: &[&str]) -> Said {
    let said = ach(folder, words);
    assert_eq!(said.code, Some(code), "`ach {words}`: {said:?}");
    for part in parts {
        let is_said = said.out.contains(part) || said.err.contains(part);
        assert!(is_said, "`ach {words}` does not say `{part}`: {said:?}");
    }
    assert!(!said.err.contains("panicked"), "`ach {words}`: {said:?}");
    said
}
