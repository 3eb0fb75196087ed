//! A file system that is really full: a small tmpfs in a namespace of its own.

use std::path::Path;
use std::process::{Command, Output};

use ach_engine_journal::{CommitError, FileDisk, OpenError, PrepareError, Reader};

use crate::support::{Driven, Owned, kek, open};

/// Names the folder on the small file system to the test that runs within the namespace.
const FOLDER_VARIABLE: &str = "ACH_TEST_SMALL_DISK";

/// Said by the test within, so that it cannot be taken for having run when it was filtered out.
const DONE: &str = "the small file system was filled";

const NAME: &str = "full_disk::a_full_file_system_refuses_the_group_and_loses_nothing";

#[test]
fn a_full_file_system_refuses_the_group_and_loses_nothing() {
    if let Some(folder) = std::env::var_os(FOLDER_VARIABLE) {
        fill(Path::new(&folder));
        println!("{DONE}");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut outcome = run_within(&["--mount"], folder.path());
    if outcome.status.code() != Some(101) && !outcome.status.success() {
        outcome = run_within(&["--user", "--map-root-user", "--mount"], folder.path());
    }
    let (out, err) =
        (String::from_utf8_lossy(&outcome.stdout), String::from_utf8_lossy(&outcome.stderr));
    if outcome.status.success() {
        assert!(out.contains(DONE), "it did not run: {out}{err}");
    } else if outcome.status.code() == Some(101) {
        panic!("{out}{err}");
    } else {
        assert!(std::env::var_os("ACH_NO_SKIPS").is_none(), "no small tmpfs can be made: {err}");
        eprintln!("SKIPPED: no namespace with a small tmpfs can be made here: {err}");
    }
}

/// Runs this test again, with a tmpfs of 192 KiB over the folder.
fn run_within(namespaces: &[&str], folder: &Path) -> Output {
    let script = "mount -t tmpfs -o size=192k none \"$0\" || exit 77; exec \"$@\"";
    Command::new("unshare")
        .args(namespaces)
        .args(["sh", "-c", script])
        .arg(folder)
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", NAME, "--nocapture"])
        .env(FOLDER_VARIABLE, folder)
        .output()
        .unwrap()
}

fn fill(folder: &Path) {
    let ballast = folder.join("ballast");
    std::fs::write(&ballast, vec![1; 40 << 10]).unwrap();
    let disk = FileDisk::create(folder.join("journal")).unwrap();
    let mut driven = Driven::new(disk.clone());
    let refused = loop {
        driven.append(9_000).unwrap();
        if let Err(error) = driven.commit() {
            break error;
        }
    };
    assert!(matches!(refused, CommitError::Full { .. }), "{refused:?}");
    assert!(driven.acked >= 6 && !driven.journal.is_dead(), "{} acked", driven.acked);
    assert!(matches!(driven.commit(), Err(CommitError::Full { .. })), "still full");
    assert!(matches!(driven.journal.preparation(), Err(PrepareError::Full { .. })));
    let left: Vec<_> = std::fs::read_dir(folder.join("journal")).unwrap().collect();
    // What is acked is there for a reader, and for an opener, who then has no room to go on.
    let mut read: Vec<Owned> = Vec::new();
    let report = Reader::new(disk.clone()).show(&kek(), &mut |one| read.push(one.into())).unwrap();
    assert_eq!((report.damage, report.tail), (None, None));
    assert_eq!(read, driven.appended[..driven.acked]);
    let Driven { journal, appended, acked } = driven;
    drop(journal);
    let (outcome, read) = open(disk.clone());
    assert!(matches!(outcome, Err(OpenError::Full { .. })), "{outcome:?}");
    assert_eq!(read, appended[..acked]);
    let after: Vec<_> = std::fs::read_dir(folder.join("journal")).unwrap().collect();
    assert_eq!(after.len(), left.len(), "a refused segment was left behind");
    std::fs::remove_file(ballast).unwrap();
    let (journal, _) = open(disk.clone()).0.unwrap();
    let mut driven = Driven { journal, acked, appended: read };
    driven.groups(&[&[9_000]]);
    driven.journal.close().unwrap();
    assert_eq!(open(disk).1, driven.appended);
}
