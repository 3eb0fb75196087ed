//! A file system that is really full: a small tmpfs in a namespace of its own.

use std::path::Path;

use ach_engine_journal::{CommitError, FileDisk, OpenError, PrepareError, Reader};
use ach_engine_trial::on_small_disk;

use crate::support::{Driven, Owned, kek, open};

const NAME: &str = "full_disk::a_full_file_system_refuses_the_group_and_loses_nothing";

#[test]
fn a_full_file_system_refuses_the_group_and_loses_nothing() {
    on_small_disk(NAME, "192k", fill);
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
