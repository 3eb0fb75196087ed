//! What the folder of persons asks of a disk, and the real one.
//!
//! Nothing is promised to survive a power cut but what was synced: the contents of a file by
//! [`DiskFile::sync`] or [`Disk::sync_files`], and then which names there are by [`Disk::sync_names`].
//! Names that were not synced may survive in any order.

use std::fmt::Debug;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use zeroize::Zeroizing;

use crate::file_lock;

/// The name of the file whose lock keeps others out. It stays: who removed it would let two lock two files.
const LOCK_NAME: &str = "lock";

/// Files of persons are for the node's user alone.
const FILE_MODE: u32 = 0o600;

/// One folder.
pub(super) trait Disk: Debug + Send + Sync {
    /// Whether it is there.
    fn is_there(&self) -> bool;

    /// Makes it if it is not there, so that it survives a power cut.
    fn make(&self) -> io::Result<()>;

    /// Keeps everybody else out. [`ErrorKind::WouldBlock`] if somebody had it all the time.
    fn lock(&self, wait: Duration) -> io::Result<Option<File>>;

    /// Keeps out who changes something. Where nobody ever did there is nothing to keep.
    fn lock_shared(&self, wait: Duration) -> io::Result<Option<File>>;

    /// The file that is locked, for who is to be told.
    fn lock_file(&self) -> PathBuf;

    /// Shows each name in the folder, in any order. No folder is no name.
    fn names(&self, see: &mut dyn FnMut(&str)) -> io::Result<()>;

    /// Whether there is a file of this name.
    fn has(&self, name: &str) -> io::Result<bool>;

    /// Reads a file, and no more of it than so many bytes. `None` if there is none.
    fn read(&self, name: &str, limit_bytes: usize) -> io::Result<Option<Zeroizing<Vec<u8>>>>;

    /// Makes a file that is not there yet.
    fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>>;

    /// Opens a file to write to it where it lies.
    fn open(&self, name: &str) -> io::Result<Box<dyn DiskFile>>;

    /// Gives a file another name, in the place of what had it: never neither.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Returns once every change of names so far survives a power cut.
    fn sync_names(&self) -> io::Result<()>;

    /// Returns once the contents of every file survive one.
    fn sync_files(&self) -> io::Result<()>;
}

/// A file that is written to where it lies.
pub(super) trait DiskFile {
    /// How long it is.
    fn len_bytes(&self) -> io::Result<u64>;

    /// Writes all of it at the beginning.
    fn write(&self, bytes: &[u8]) -> io::Result<()>;

    /// Cuts it, or lengthens it with zeros.
    fn set_len(&self, len_bytes: u64) -> io::Result<()>;

    /// Returns once contents and length survive a power cut.
    fn sync(&self) -> io::Result<()>;
}

/// A folder of real files.
#[derive(Debug)]
pub(super) struct FolderDisk {
    root: PathBuf,
}

impl FolderDisk {
    pub(super) fn new(root: &Path) -> FolderDisk {
        FolderDisk { root: root.to_owned() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }
}

impl Disk for FolderDisk {
    fn is_there(&self) -> bool {
        self.root.exists()
    }

    fn make(&self) -> io::Result<()> {
        if self.root.is_dir() {
            return Ok(());
        }
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.root)?;
        let above = self.root.parent().filter(|it| !it.as_os_str().is_empty());
        File::open(above.unwrap_or(Path::new(".")))?.sync_all()
    }

    fn lock(&self, wait: Duration) -> io::Result<Option<File>> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false).mode(FILE_MODE);
        let file = options.open(self.lock_file())?;
        file_lock::lock(&file, wait)?;
        Ok(Some(file))
    }

    fn lock_shared(&self, wait: Duration) -> io::Result<Option<File>> {
        let file = match File::open(self.lock_file()) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            file => file?,
        };
        file_lock::lock_shared(&file, wait)?;
        Ok(Some(file))
    }

    fn lock_file(&self) -> PathBuf {
        self.path(LOCK_NAME)
    }

    fn names(&self, see: &mut dyn FnMut(&str)) -> io::Result<()> {
        let entries = match fs::read_dir(&self.root) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            entries => entries?,
        };
        for entry in entries {
            // A name that is no text is none of ours.
            if let Some(name) = entry?.file_name().to_str() {
                see(name);
            }
        }
        Ok(())
    }

    fn has(&self, name: &str) -> io::Result<bool> {
        self.path(name).try_exists()
    }

    fn read(&self, name: &str, limit_bytes: usize) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
        let opened = match File::open(self.path(name)) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        let mut bytes = Zeroizing::new(Vec::new());
        let limit_bytes = u64::try_from(limit_bytes).unwrap_or(u64::MAX);
        opened.take(limit_bytes).read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        let mut options = OpenOptions::new();
        let opened = options.write(true).create_new(true).mode(FILE_MODE).open(self.path(name));
        Ok(Box::new(opened?))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(OpenOptions::new().write(true).open(self.path(name))?))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path(from), self.path(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.path(name))
    }

    fn sync_names(&self) -> io::Result<()> {
        File::open(&self.root)?.sync_all()
    }

    fn sync_files(&self) -> io::Result<()> {
        Ok(rustix::fs::syncfs(File::open(&self.root)?)?)
    }
}

impl DiskFile for File {
    fn len_bytes(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn write(&self, bytes: &[u8]) -> io::Result<()> {
        self.write_all_at(bytes, 0)
    }

    fn set_len(&self, len_bytes: u64) -> io::Result<()> {
        File::set_len(self, len_bytes)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::suite;
    use super::*;

    #[test]
    fn real_files_keep_the_promises_of_a_disk() {
        let folder = tempfile::tempdir().unwrap();
        suite::check(&FolderDisk::new(&folder.path().join("above/people")));
    }

    #[test]
    fn who_has_a_folder_keeps_others_out() {
        let folder = tempfile::tempdir().unwrap();
        let disk = FolderDisk::new(folder.path());
        let wait = Duration::ZERO;
        let is_busy =
            |it: io::Result<Option<File>>| it.is_err_and(|it| it.kind() == ErrorKind::WouldBlock);
        assert!(disk.lock_shared(wait).unwrap().is_none(), "nobody ever changed something");
        let lock = disk.lock(wait).unwrap();
        assert!(is_busy(disk.lock(wait)) && is_busy(disk.lock_shared(wait)));
        drop(lock);
        let shared = disk.lock_shared(wait).unwrap();
        assert!(disk.lock_shared(wait).unwrap().is_some() && is_busy(disk.lock(wait)));
        drop(shared);
        assert!(disk.lock(wait).unwrap().is_some());
    }

    #[test]
    fn a_sync_asks_the_system_and_tells_its_answer() {
        // Neither a pipe nor a folder of processes can be synced, so a yes would be made up.
        let invalid = Err(ErrorKind::InvalidInput);
        let (end, _other) = io::pipe().unwrap();
        let pipe = File::from(std::os::fd::OwnedFd::from(end));
        assert_eq!(DiskFile::sync(&pipe).map_err(|error| error.kind()), invalid);
        if cfg!(target_os = "linux") {
            let processes = FolderDisk::new(Path::new("/proc/self"));
            assert_eq!(processes.sync_names().map_err(|error| error.kind()), invalid);
        }
    }

    #[test]
    fn files_of_persons_are_for_their_owner_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("people");
        let disk = FolderDisk::new(&root);
        disk.make().unwrap();
        disk.create("a").unwrap();
        let _lock = disk.lock(Duration::ZERO).unwrap();
        for (file, mode) in
            [(root.clone(), 0o700), (root.join("a"), 0o600), (root.join("lock"), 0o600)]
        {
            let is = fs::metadata(&file).unwrap().permissions().mode() & 0o777;
            assert_eq!(is, mode, "{}", file.display());
        }
    }
}
