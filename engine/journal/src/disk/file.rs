//! A folder of real files.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::{Disk, DiskFile};

/// The file whose lock holds the folder. It stays when the lock is gone: removing it would let two
/// writers lock two files of the same name.
const LOCK_NAME: &str = "lock";

/// Journal files are for the node's user alone.
const FILE_MODE: u32 = 0o600;

/// A folder of real files, synced with `fdatasync`.
#[derive(Debug, Clone)]
pub struct FileDisk {
    folder: PathBuf,
}

/// Holds a folder for one writer; the system releases it when the process ends, however it ends.
#[derive(Debug)]
pub struct FileLock {
    _file: File,
}

impl FileDisk {
    /// The folder, made (for this user alone) if it is not there, with its name synced: a folder that
    /// a power cut takes away takes all that was durable in it along. So are the names of the folders
    /// it lies in, which may have been made a moment ago by somebody who did not.
    ///
    /// # Errors
    /// What the system says.
    pub fn create(folder: impl Into<PathBuf>) -> io::Result<FileDisk> {
        use std::os::unix::fs::DirBuilderExt;
        let folder = folder.into();
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
        for above in folder.canonicalize()?.ancestors().skip(1) {
            match File::open(above) {
                // A folder that cannot even be read was there before, and is somebody else's.
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => break,
                opened => sync_folder(&opened?)?,
            }
        }
        Ok(FileDisk { folder })
    }

    /// A folder that is there already; nothing is made or changed.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] when it is not there.
    pub fn existing(folder: impl Into<PathBuf>) -> io::Result<FileDisk> {
        let folder = folder.into();
        if folder.is_dir() {
            Ok(FileDisk { folder })
        } else {
            Err(io::Error::from(io::ErrorKind::NotFound))
        }
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

impl Disk for FileDisk {
    type File = File;
    type Lock = FileLock;

    fn lock(&self) -> io::Result<FileLock> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(FILE_MODE);
        let file = options.open(self.path(LOCK_NAME))?;
        match file.try_lock() {
            Ok(()) => Ok(FileLock { _file: file }),
            Err(TryLockError::WouldBlock) => Err(io::Error::from(io::ErrorKind::WouldBlock)),
            Err(TryLockError::Error(source)) => Err(source),
        }
    }

    fn list(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            // A name that is not text is none of ours.
            if let Ok(name) = entry?.file_name().into_string() {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }

    fn create(&self, name: &str, len_bytes: u64) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true).mode(FILE_MODE);
        let file = options.open(self.path(name))?;
        match reserve(&file, len_bytes) {
            Ok(()) => Ok(file),
            Err(source) => {
                // The first error is the one to tell; a file left behind is a stray, removed later.
                drop(fs::remove_file(self.path(name)));
                Err(source)
            }
        }
    }

    fn open(&self, name: &str) -> io::Result<File> {
        OpenOptions::new().read(true).write(true).open(self.path(name))
    }

    fn open_reading(&self, name: &str) -> io::Result<File> {
        File::open(self.path(name))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path(from), self.path(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.path(name))
    }

    fn sync_dir(&self) -> io::Result<()> {
        File::open(&self.folder)?.sync_all()
    }

    fn free_bytes(&self) -> io::Result<u64> {
        let state = rustix::fs::statvfs(&self.folder)?;
        Ok(state.f_bavail.saturating_mul(state.f_frsize))
    }
}

/// Syncs a folder, if it is one that has names to sync: some mounts refuse, as a root that is read
/// only does.
fn sync_folder(folder: &File) -> io::Result<()> {
    match folder.sync_all() {
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::InvalidInput | io::ErrorKind::ReadOnlyFilesystem
            ) =>
        {
            Ok(())
        }
        other => other,
    }
}

/// Reserves space where the file system can; lengthens the file where it cannot.
#[cfg(target_os = "linux")]
fn reserve(file: &File, len_bytes: u64) -> io::Result<()> {
    use rustix::io::Errno;
    if len_bytes == 0 {
        return Ok(());
    }
    match rustix::fs::fallocate(file, rustix::fs::FallocateFlags::empty(), 0, len_bytes) {
        Ok(()) => Ok(()),
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => file.set_len(len_bytes),
        Err(errno) => Err(errno.into()),
    }
}

#[cfg(not(target_os = "linux"))]
fn reserve(file: &File, len_bytes: u64) -> io::Result<()> {
    file.set_len(len_bytes)
}

impl DiskFile for File {
    fn len_bytes(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn set_len(&self, len_bytes: u64) -> io::Result<()> {
        File::set_len(self, len_bytes)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            let at = offset.saturating_add(u64::try_from(filled).unwrap_or(u64::MAX));
            match FileExt::read_at(self, rest, at) {
                Ok(0) => break,
                Ok(count) => filled = filled.saturating_add(count),
                Err(source) if source.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => return Err(source),
            }
        }
        Ok(filled)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.write_all_at(bytes, offset)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INVALID: io::ErrorKind = io::ErrorKind::InvalidInput;

    #[test]
    fn real_files_keep_the_promises_of_a_disk() {
        super::super::suite::run(|| {
            let folder = tempfile::tempdir().unwrap();
            let disk = FileDisk::create(folder.path().join("journal")).unwrap();
            (disk, folder)
        })
        .unwrap();
    }

    #[test]
    fn a_folder_is_made_with_all_above_it() {
        let top = tempfile::tempdir().unwrap();
        let folder = top.path().join("a/b/c");
        assert_eq!(FileDisk::create(&folder).unwrap().folder(), folder);
        assert!(FileDisk::create(&folder).unwrap().list().unwrap().is_empty(), "again");
        fs::write(top.path().join("file"), b"").unwrap();
        assert!(FileDisk::create(top.path().join("file")).is_err(), "a file is no folder");
        assert!(FileDisk::create(top.path().join("file/below")).is_err());
    }

    #[test]
    fn a_reserved_file_really_takes_its_space() {
        use std::os::unix::fs::MetadataExt;
        let folder = tempfile::tempdir().unwrap();
        let disk = FileDisk::create(folder.path()).unwrap();
        let file = disk.create("a", 1 << 20).unwrap();
        let reserved_bytes = file.metadata().unwrap().blocks() * 512;
        assert!(reserved_bytes >= 1 << 20, "only {reserved_bytes} bytes are reserved");
    }

    #[test]
    fn a_sync_asks_the_system_and_tells_its_answer() {
        // Neither a pipe nor a folder of processes can be synced, so a yes would be made up.
        let (end, _other) = io::pipe().unwrap();
        let pipe = File::from(std::os::fd::OwnedFd::from(end));
        assert_eq!(DiskFile::sync(&pipe).map_err(|error| error.kind()), Err(INVALID));
        if cfg!(target_os = "linux") {
            let folder = FileDisk::existing("/proc/self").unwrap();
            assert_eq!(folder.sync_dir().map_err(|error| error.kind()), Err(INVALID));
        }
    }

    #[test]
    fn journal_files_are_for_their_owner_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let disk = FileDisk::create(folder.path()).unwrap();
        let file = disk.create("a", 4096).unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
}
