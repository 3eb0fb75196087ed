//! What the journal asks of a disk, and what MUST hold of it.
//!
//! A [`Disk`] is one folder. The journal never sees a path, only names in that folder, so that the
//! same code runs over files and over a simulated disk with faults. [`suite`] tests what is promised
//! here, as far as no power need be cut for it; both implementations run it.

use std::fmt::Debug;
use std::io;

mod file;
mod sim;
mod sim_file;
mod sim_state;
mod stalling;
pub mod suite;

pub use file::{FileDisk, FileLock};
pub use sim::{SimDisk, SimFault};
pub use sim_file::{SimFile, SimLock};
pub use stalling::{Stall, StallingDisk, StallingFile};

/// The unit in which a power cut keeps or loses what was written but not synced, as the page cache
/// and common drives have it.
pub const PAGE_BYTES: u64 = 4096;

/// One folder on a disk.
pub trait Disk: Debug {
    /// An open file.
    type File: DiskFile;
    /// Holds the folder for one writer until it is dropped.
    type Lock: Debug + Send + Sync;

    /// Takes the folder for this writer alone.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] when another holds it, in this process or any other.
    fn lock(&self) -> io::Result<Self::Lock>;

    /// The names of the files in the folder, in order.
    ///
    /// # Errors
    /// When the folder cannot be read.
    fn list(&self) -> io::Result<Vec<String>>;

    /// Makes a new file of `len_bytes` that reads as zeros and whose space is reserved.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`]; [`io::ErrorKind::StorageFull`] when there is no room, and
    /// then no file is left behind.
    fn create(&self, name: &str, len_bytes: u64) -> io::Result<Self::File>;

    /// Opens a file for reading and writing.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`], or what the disk says.
    fn open(&self, name: &str) -> io::Result<Self::File>;

    /// Opens a file for reading only.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`], or what the disk says.
    fn open_reading(&self, name: &str) -> io::Result<Self::File>;

    /// Gives a file another name, replacing what had it. After a power cut the folder shows either
    /// the old or the new name, never neither.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`], or what the disk says.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`], or what the disk says.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Returns once every change of names so far survives a power cut.
    ///
    /// # Errors
    /// What the disk says; then nothing is known about the changes.
    fn sync_dir(&self) -> io::Result<()>;

    /// Bytes that can still be reserved.
    ///
    /// # Errors
    /// What the disk says.
    fn free_bytes(&self) -> io::Result<u64>;
}

/// An open file. All methods take `&self` and name their offset, so that there is no cursor.
pub trait DiskFile: Debug + Send {
    /// How long the file is.
    ///
    /// # Errors
    /// What the disk says.
    fn len_bytes(&self) -> io::Result<u64>;

    /// Cuts the file, or lengthens it with zeros.
    ///
    /// # Errors
    /// What the disk says.
    fn set_len(&self, len_bytes: u64) -> io::Result<()>;

    /// Reads from `offset` until `buffer` is full or the file ends, and says how much.
    ///
    /// # Errors
    /// What the disk says.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;

    /// Writes all of `bytes` at `offset`. Until [`DiskFile::sync`] returns, a power cut may keep
    /// any part of it.
    ///
    /// # Errors
    /// What the disk says; then any part of it may have been written.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Returns once the contents and length of the file survive a power cut.
    ///
    /// # Errors
    /// What the disk says. Then nothing is known about what was written since the last good sync,
    /// and a later good sync does not change that.
    fn sync(&self) -> io::Result<()>;

    /// Reads the whole file into `buffer`, replacing what it held.
    ///
    /// # Errors
    /// What the disk says; [`io::ErrorKind::FileTooLarge`] above `limit_bytes`.
    fn read_all(&self, buffer: &mut Vec<u8>, limit_bytes: u64) -> io::Result<()> {
        let len_bytes = self.len_bytes()?;
        let len = usize::try_from(len_bytes).unwrap_or(usize::MAX);
        if len_bytes > limit_bytes || len == usize::MAX {
            return Err(io::Error::from(io::ErrorKind::FileTooLarge));
        }
        buffer.clear();
        buffer.resize(len, 0);
        let read = self.read_at(0, buffer)?;
        buffer.truncate(read);
        Ok(())
    }
}
