//! Bugs planted between the journal and its disk, one at a time: each must be caught by the tests
//! that every change runs. A test of the tests.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use ach_engine_journal::{Disk, DiskFile, SimDisk, SimFile, SimLock};

use crate::{faults, power_cut};

/// What a writer could do wrong, as its disk would see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bug {
    /// Groups are acked without a sync.
    AcksBeforeSync,
    /// The header of a segment is not synced before its first group is written.
    WritesBeforeHeaderSync,
    /// The name of a new segment is not synced.
    SkipsFolderSync,
    /// A failed sync is tried again, and the second answer is believed.
    RetriesFailedSync,
    /// A failed write is taken for a good one.
    IgnoresFailedWrite,
    /// The mark says durable before the group is.
    MarksBeforeSync,
    /// The mark is not synced before segments are removed.
    SkipsMarkSync,
    /// What a killed process left unsynced is not written again before it is handed out.
    SkipsRewrite,
    /// A segment is made of an older one without being zeroed.
    SkipsZeroing,
    /// The folder is not locked.
    IgnoresLock,
}

/// A simulated disk with a writer's bug before it, or none.
#[derive(Debug, Clone)]
pub(crate) struct Planted {
    disk: SimDisk,
    bug: Option<Bug>,
    /// The group whose sync waits for the mark.
    unsynced: Arc<Mutex<Option<Arc<SimFile>>>>,
}

/// An open file behind the bug.
#[derive(Debug)]
pub(crate) struct PlantedFile {
    file: Arc<SimFile>,
    bug: Option<Bug>,
    is_mark: bool,
    /// It was there before and is opened again.
    is_old: bool,
    /// Where it was last written.
    last_at: Mutex<u64>,
    unsynced: Arc<Mutex<Option<Arc<SimFile>>>>,
}

/// Where groups begin; before it lies the header.
const GROUPS_AT: u64 = 8192;

impl Planted {
    pub(crate) fn on(disk: &SimDisk, bug: Option<Bug>) -> Planted {
        Planted { disk: disk.clone(), bug, unsynced: Arc::default() }
    }

    fn file(&self, name: &str, file: SimFile, is_old: bool) -> PlantedFile {
        PlantedFile {
            file: Arc::new(file),
            bug: self.bug,
            is_mark: name == "mark",
            is_old,
            last_at: Mutex::new(0),
            unsynced: Arc::clone(&self.unsynced),
        }
    }
}

impl Disk for Planted {
    type File = PlantedFile;
    type Lock = Option<SimLock>;

    fn lock(&self) -> std::io::Result<Option<SimLock>> {
        if self.bug == Some(Bug::IgnoresLock) {
            return Ok(None);
        }
        self.disk.lock().map(Some)
    }

    fn list(&self) -> std::io::Result<Vec<String>> {
        self.disk.list()
    }

    fn create(&self, name: &str, len_bytes: u64) -> std::io::Result<PlantedFile> {
        let older = self.disk.list()?.into_iter().rfind(|name| name.strip_suffix(".seg").is_some());
        let file = self.disk.create(name, len_bytes)?;
        if self.bug == Some(Bug::SkipsZeroing)
            && name != "mark"
            && let Some(older) = older
        {
            let bytes = self.disk.contents(&older);
            file.write_at(GROUPS_AT, bytes.get(GROUPS_AT as usize..).unwrap_or_default())?;
        }
        Ok(self.file(name, file, false))
    }

    fn open(&self, name: &str) -> std::io::Result<PlantedFile> {
        Ok(self.file(name, self.disk.open(name)?, true))
    }

    fn open_reading(&self, name: &str) -> std::io::Result<PlantedFile> {
        Ok(self.file(name, self.disk.open_reading(name)?, true))
    }

    fn rename(&self, from: &str, to: &str) -> std::io::Result<()> {
        self.disk.rename(from, to)
    }

    fn remove(&self, name: &str) -> std::io::Result<()> {
        self.disk.remove(name)
    }

    fn sync_dir(&self) -> std::io::Result<()> {
        if self.bug == Some(Bug::SkipsFolderSync) {
            return Ok(());
        }
        self.disk.sync_dir()
    }

    fn free_bytes(&self) -> std::io::Result<u64> {
        self.disk.free_bytes()
    }
}

impl DiskFile for PlantedFile {
    fn len_bytes(&self) -> std::io::Result<u64> {
        self.file.len_bytes()
    }

    fn set_len(&self, len_bytes: u64) -> std::io::Result<()> {
        self.file.set_len(len_bytes)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.file.read_at(offset, buffer)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> std::io::Result<()> {
        *self.last_at.lock().unwrap() = offset;
        let is_zeros = bytes.iter().all(|byte| *byte == 0);
        match self.bug {
            Some(Bug::IgnoresFailedWrite) => {
                drop(self.file.write_at(offset, bytes));
                Ok(())
            }
            Some(Bug::SkipsRewrite) if self.is_old && !self.is_mark => Ok(()),
            Some(Bug::SkipsZeroing) if is_zeros => Ok(()),
            Some(Bug::MarksBeforeSync) if self.is_mark => {
                self.file.write_at(offset, bytes)?;
                self.unsynced.lock().unwrap().take().map_or(Ok(()), |group| group.sync())
            }
            _ => self.file.write_at(offset, bytes),
        }
    }

    fn sync(&self) -> std::io::Result<()> {
        let is_header = *self.last_at.lock().unwrap() == 0 && !self.is_mark && !self.is_old;
        let is_group = *self.last_at.lock().unwrap() >= GROUPS_AT;
        match self.bug {
            Some(Bug::AcksBeforeSync) if is_group => Ok(()),
            Some(Bug::WritesBeforeHeaderSync) if is_header => Ok(()),
            Some(Bug::SkipsMarkSync) if self.is_mark => Ok(()),
            Some(Bug::RetriesFailedSync) => self.file.sync().or_else(|_| self.file.sync()),
            Some(Bug::MarksBeforeSync) if is_group && !self.is_old => {
                *self.unsynced.lock().unwrap() = Some(Arc::clone(&self.file));
                Ok(())
            }
            _ => self.file.sync(),
        }
    }
}

/// A test that can be run with a bug planted.
type Test = fn(Option<Bug>);

/// Whether a test, given that bug, fails.
fn is_caught(bug: Bug, test: Test) -> bool {
    catch_unwind(AssertUnwindSafe(|| test(Some(bug)))).is_err()
}

fn cut_everywhere(bug: Option<Bug>) {
    power_cut::cut_everywhere(bug);
}

#[test]
fn ten_planted_bugs_are_caught_by_the_tests_that_are_there() {
    let by: [(Bug, Test); 10] = [
        (Bug::AcksBeforeSync, cut_everywhere),
        (Bug::WritesBeforeHeaderSync, cut_everywhere),
        (Bug::SkipsFolderSync, cut_everywhere),
        (Bug::RetriesFailedSync, faults::fail_everywhere),
        (Bug::IgnoresFailedWrite, faults::fail_everywhere),
        (Bug::MarksBeforeSync, cut_everywhere),
        (Bug::SkipsMarkSync, power_cut::cut_releases),
        (Bug::SkipsRewrite, power_cut::kill_after_failed_syncs),
        (Bug::SkipsZeroing, cut_everywhere),
        (Bug::IgnoresLock, faults::open_twice),
    ];
    let missed: Vec<Bug> =
        by.into_iter().filter(|(bug, test)| !is_caught(*bug, *test)).map(|(bug, _)| bug).collect();
    assert_eq!(missed, []);
}
