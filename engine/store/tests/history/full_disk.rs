//! A file system that is really full: a small tmpfs in a namespace of its own.

use std::path::Path;
use std::process::{Command, Output};

use ach_engine_store::{HistoryWriter, Store, WriteError};

use crate::hospital::{Hospital, Step};
use crate::oracle::Oracle;
use crate::random::compare;

/// Names the folder on the small file system to the test that runs within the namespace.
const FOLDER_VARIABLE: &str = "ACH_TEST_SMALL_DISK";

/// Said by the test within, so that it cannot be taken for having run when it was filtered out.
const DONE: &str = "the small file system was filled";

const NAME: &str = "full_disk::history_that_finds_no_room_stops_and_goes_on_when_there_is_some";

/// What takes the room that is given back later.
const BALLAST_BYTES: usize = 2 << 20;

#[test]
fn history_that_finds_no_room_stops_and_goes_on_when_there_is_some() {
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

/// Runs this test again, with a tmpfs of 3 MiB over the folder.
fn run_within(namespaces: &[&str], folder: &Path) -> Output {
    let script = "mount -t tmpfs -o size=3m none \"$0\" || exit 77; exec \"$@\"";
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

fn take(writer: &mut HistoryWriter, step: &Step) -> Result<(), WriteError> {
    writer.take(&step.entry, &step.effects, step.site.as_deref())?;
    // Each a table of its own, so that it is merged too while the disk fills.
    if step.entry.index.is_multiple_of(20) { writer.flush() } else { Ok(()) }
}

fn fill(folder: &Path) {
    let ballast = folder.join("ballast");
    std::fs::write(&ballast, vec![1; BALLAST_BYTES]).unwrap();
    let root = folder.join("lsm");
    let (mut hospital, mut oracle) = (Hospital::new(12, 8, 51), Oracle::default());
    let mut steps = vec![hospital.begin()];
    let mut writer = HistoryWriter::open(Store::open(&root).unwrap()).unwrap();
    let refused = loop {
        let step = steps.last().unwrap();
        if let Err(error) = take(&mut writer, step) {
            break error;
        }
        assert!(steps.len() < 200_000, "the disk is not full yet");
        steps.push(hospital.walk(3_000));
    };
    println!("{refused:?} at entry {}", steps.len());
    assert!(matches!(refused, WriteError::Disk { .. }), "{refused:?}");
    let stopped = writer.flush();
    assert!(matches!(stopped, Err(WriteError::Stopped)), "{stopped:?}");
    let written = writer.written_through();
    assert!(written > 100, "{written}");
    drop(writer);
    std::fs::remove_file(ballast).unwrap();
    let store = Store::open(&root).unwrap();
    let found = store.through().unwrap();
    // More, if what the disk refused was to clear up behind a table that is there.
    assert!(found >= written, "{written} entries were written, and {found} are there");
    store.verify().unwrap();
    let mut writer = HistoryWriter::open(store.clone()).unwrap();
    steps.extend((0..200).map(|_| hospital.walk(3_000)));
    for step in &steps {
        take(&mut writer, step).unwrap();
        oracle.take(step);
    }
    writer.flush().unwrap();
    compare(&store, &oracle, hospital.now_ns, 51);
    assert_eq!(store.verify().unwrap().pings, oracle.decided_count);
}
