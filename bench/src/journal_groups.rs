//! Groups of pings to the disk. Slower here is a later durable ack, and vendors that must keep more.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use ach_engine_journal::{Config, FileDisk, Journal, KekSource, Preparation, RecordKind};
use tempfile::TempDir;

use crate::Size;

/// Bytes of a ping.
const PING_BYTES: usize = 48;
/// What an entry adds to its pings, about.
const ENTRY_BYTES: usize = 96;
/// The raw file is overwritten from the start when its end is reached, as segments are reused.
const RAW_BYTES: usize = 64 << 20;

/// The journal and a raw pre-zeroed file, on the same disk.
#[derive(Debug)]
pub struct JournalGroups {
    journal: Journal<FileDisk>,
    raw: File,
    raw_at: usize,
    payload: Vec<u8>,
    index: u64,
    _folder: TempDir,
}

impl JournalGroups {
    /// Pings a group.
    pub const PINGS: [Size; 5] = [
        Size { smoke: 1, full: 1 },
        Size { smoke: 2, full: 16 },
        Size { smoke: 4, full: 64 },
        Size { smoke: 8, full: 256 },
        Size { smoke: 16, full: 1_024 },
    ];

    /// Opens both in a folder of their own below `on`, which decides the disk.
    ///
    /// # Errors
    ///
    /// The disk or the journal refuses.
    pub fn new(on: &Path, pings: usize) -> io::Result<JournalGroups> {
        let folder = TempDir::new_in(on)?;
        let disk = FileDisk::create(folder.path().join("journal"))?;
        let kek = KekSource::File(folder.path().join("journal.key"))
            .load_for(&disk)
            .map_err(io::Error::other)?;
        let (journal, _) =
            Journal::open(disk, Config::default(), kek, &mut |_| ()).map_err(io::Error::other)?;
        let path = folder.path().join("raw");
        let raw = OpenOptions::new().read(true).write(true).create_new(true).open(path)?;
        let zeros = vec![0; 1 << 20];
        for part in 0..RAW_BYTES / zeros.len() {
            raw.write_all_at(&zeros, offset(part * zeros.len()))?;
        }
        raw.sync_all()?;
        let payload = (0..=u8::MAX).cycle().take(pings * PING_BYTES + ENTRY_BYTES).collect();
        Ok(JournalGroups { journal, raw, raw_at: 0, payload, index: 0, _folder: folder })
    }

    /// Has the next segment zeroed, if none is ready: a node leaves that to another thread, so it is
    /// no part of a group.
    ///
    /// # Errors
    ///
    /// The disk refuses, or has no room.
    pub fn make_ready(&mut self) -> io::Result<()> {
        if let Some(preparation) = self.journal.preparation().map_err(io::Error::other)? {
            let prepared = Preparation::run(preparation).map_err(io::Error::other)?;
            self.journal.adopt(prepared).map_err(io::Error::other)?;
        }
        Ok(())
    }

    /// One group through the journal: encrypted, chained, checked, synced.
    ///
    /// # Errors
    ///
    /// The journal refuses.
    pub fn ours(&mut self) -> io::Result<u64> {
        self.index += 1;
        self.journal
            .append(RecordKind::Entry, 0, 1, self.index, &self.payload)
            .map_err(io::Error::other)?;
        self.journal.commit().map_err(io::Error::other)?;
        Ok(self.index)
    }

    /// The plain limit: the same bytes over zeros, synced.
    ///
    /// # Errors
    ///
    /// The disk refuses.
    pub fn plain(&mut self) -> io::Result<u64> {
        if self.raw_at + self.payload.len() > RAW_BYTES {
            self.raw_at = 0;
        }
        self.raw.write_all_at(&self.payload, offset(self.raw_at))?;
        self.raw.sync_data()?;
        self.raw_at += self.payload.len();
        Ok(offset(self.raw_at))
    }
}

fn offset(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_of_every_size_become_durable() {
        let folder = TempDir::new().expect("a folder");
        for pings in JournalGroups::PINGS {
            let mut groups = JournalGroups::new(folder.path(), pings.smoke).expect("opens");
            groups.make_ready().expect("there is room");
            for round in 1..=3 {
                assert_eq!(groups.ours().expect("durable"), round);
            }
            let bytes = pings.smoke * PING_BYTES + ENTRY_BYTES;
            assert_eq!(groups.plain().expect("durable"), offset(bytes));
            assert_eq!(groups.plain().expect("durable"), offset(2 * bytes));
        }
    }
}
