//! What is printed may find no room, or nobody who reads it.

use std::fs::File;
use std::process::Stdio;

use super::{check, command};

/// A file in which there is never room.
fn full() -> File {
    File::options().write(true).open("/dev/full").unwrap()
}

#[test]
fn a_full_disk_behind_stdout_is_told_without_a_panic() {
    let folder = tempfile::tempdir().unwrap();
    check(folder.path(), "site new site", 0, &[]);
    for words in ["site check site", "demo --for 2s --json", "site sample hospital"] {
        let output = command(folder.path(), words).stdout(full()).output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{words}: {told}");
        assert!(told.contains("cannot write to stdout"), "{words}: {told}");
        assert!(!told.contains("panicked"), "{words}: {told}");
    }
}

#[test]
fn a_reader_that_hangs_up_is_no_news() {
    let folder = tempfile::tempdir().unwrap();
    check(folder.path(), "site sample hospital", 0, &[]);
    for words in ["site check hospital", "demo"] {
        let mut child = command(folder.path(), words)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // The reader is gone before the first word. The demo would go on for ever.
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), told.as_str()), (Some(1), ""), "{words}");
    }
}
