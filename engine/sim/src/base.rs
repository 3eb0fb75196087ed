//! From where on a history that is lost can be made again, and one that was off goes on.

use std::ops::ControlFlow;

use ach_engine_checkpoint::{Shelf, verify};
use ach_engine_journal::{Kek, Lsn, Reader, Record, RecordKind, SimDisk};

/// The last entry that a history which is begun now may be without: 0 while the journal has its first, else that
/// of the oldest sound checkpoint of which the journal has all that follows. Anything, if there is none.
pub(crate) fn latest_beginning(disk: &SimDisk, kek: &Kek) -> u64 {
    let disk = disk.fork(0);
    let Ok(oldest) = Reader::new(disk.clone()).oldest_lsn() else { return u64::MAX };
    if oldest <= Lsn(1) {
        return 0;
    }
    let first = first_entry(&disk, kek, oldest);
    let shelved = Shelf::new(disk.clone()).list().unwrap_or_default();
    let indexes = shelved.iter().map(|one| one.index);
    let joined =
        indexes.filter(|index| first.is_some_and(|first| index.saturating_add(1) >= first));
    joined.filter(|index| verify(&disk, *index).is_ok()).min().unwrap_or(u64::MAX)
}

/// The same of a history that has everything up to `through` and goes on now: 0 if the journal has what follows,
/// and what it is decided again from: a checkpoint that is not behind it, or the beginning.
pub(crate) fn latest_return(disk: &SimDisk, kek: &Kek, through: u64) -> u64 {
    let copy = disk.fork(0);
    let Ok(oldest) = Reader::new(copy.clone()).oldest_lsn() else { return u64::MAX };
    let beginning = latest_beginning(disk, kek);
    match first_entry(&copy, kek, oldest) {
        Some(1) => 0,
        Some(first) if first <= through.saturating_add(1) && beginning <= through => 0,
        _ => beginning,
    }
}

/// The first entry that a journal has which begins with the record `oldest`.
fn first_entry(disk: &SimDisk, kek: &Kek, oldest: Lsn) -> Option<u64> {
    let mut first = None;
    let mut each = |record: Record<'_>| {
        if record.kind == RecordKind::Entry {
            first = Some(record.index);
        }
        if first.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    // What is wrong behind the first entry does not matter here.
    let before = Lsn(oldest.0.saturating_sub(1));
    drop(Reader::new(disk.clone()).show_until(kek, before, &mut each));
    first
}
