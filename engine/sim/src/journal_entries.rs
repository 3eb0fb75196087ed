//! Entries of a journal, read with nobody using its disk.

use std::cell::Cell;
use std::rc::Rc;

use ach_engine_journal::{Kek, Lsn, Reader, RecordKind, SimDisk};
use ach_engine_shard::Entry;
use ach_engine_wire::decode_entry;

use crate::journal_disk::GivenUp;

/// The journal's key, as in the file that the node reads.
pub(crate) const KEK: [u8; 32] = [0x5a; 32];

/// The entries of segments, and each segment with its last one.
pub(crate) fn read_segments(segments: &[GivenUp]) -> Result<AllGivenUp, String> {
    if segments.is_empty() {
        return Ok((Vec::new(), Vec::new()));
    }
    let files = segments.iter().map(|it| (it.name.as_str(), it.bytes.as_slice()));
    let (entries, last) = read(&SimDisk::holding(&files.collect::<Vec<_>>()))?;
    Ok((entries, last.into_iter().zip(segments.iter().cloned()).collect()))
}

/// Entries that were given up, and segments, each with its last one.
pub(crate) type AllGivenUp = (Vec<Entry>, Vec<(u64, GivenUp)>);

/// The entries of a journal, and the last one of each segment.
pub(crate) fn read(disk: &SimDisk) -> Result<(Vec<Entry>, Vec<u64>), String> {
    let kek = Kek::from_bytes(&KEK).map_err(|error| error.to_string())?;
    let (mut entries, mut places) = (Vec::new(), Vec::new());
    let unread: Rc<Cell<Option<String>>> = Rc::default();
    let report = Reader::new(disk.clone())
        .show(&kek, &mut |record| {
            if record.kind != RecordKind::Entry {
                return;
            }
            places.push((record.lsn, record.index));
            match decode_entry(record.payload) {
                Ok(entry) => entries.push(entry),
                Err(error) => unread.set(Some(error.to_string())),
            }
        })
        .map_err(|error| error.to_string())?;
    if let Some(damage) = report.damage {
        return Err(format!("{damage:?}"));
    }
    let last_of = |last_lsn: Lsn| places.iter().rfind(|(lsn, _)| *lsn <= last_lsn);
    let last =
        report.segments.iter().map(|span| last_of(span.last_lsn).map_or(0, |(_, index)| *index));
    let last = last.collect();
    unread.take().map_or(Ok((entries, last)), Err)
}

/// The last entry of all; 0 if there is none.
pub(crate) fn last_index(entries: &[Entry]) -> u64 {
    entries.last().map_or(0, |entry| entry.index)
}
