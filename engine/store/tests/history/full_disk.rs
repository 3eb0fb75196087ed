//! A file system that is really full: a small tmpfs in a namespace of its own.

use std::path::Path;

use ach_engine_store::{HistoryWriter, Store, WriteError};
use ach_engine_trial::on_small_disk;

use crate::hospital::{Hospital, Step};
use crate::oracle::Oracle;
use crate::random::compare;

const NAME: &str = "full_disk::history_that_finds_no_room_stops_and_goes_on_when_there_is_some";

/// What takes the room that is given back later.
const BALLAST_BYTES: usize = 2 << 20;

#[test]
fn history_that_finds_no_room_stops_and_goes_on_when_there_is_some() {
    on_small_disk(NAME, "3m", fill);
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
