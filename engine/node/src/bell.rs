//! How a command on the same machine asks a running node that its history be written.
//!
//! Who connects to `history.sock` in the data directory is sent one line, once everything that was durable
//! then is on disk in the history: `through ENTRY`, or `not written: REASON`. Nothing is read from it, so
//! nobody can hold the node up. Who may open the directory may ask.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The name of the socket.
const NAME: &str = "history.sock";

/// Who waits for the same writing at once. Beyond that the kernel keeps them waiting.
pub(crate) const RINGING_MAX: usize = 64;

/// The longest answer.
const ANSWER_BYTES_MAX: u64 = 4_096;

/// How long an answer may take. History that is far behind does not answer sooner.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// What a running node says of its history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rung {
    /// Everything up to this entry, the last that was durable, is on disk.
    Written {
        /// The entry.
        through: u64,
    },
    /// It is not, and why.
    NotWritten {
        /// Why.
        why: String,
    },
}

/// Asks the node that runs on a data directory to write its history, and waits for it.
///
/// # Errors
///
/// When no node that writes history runs there, or it does not answer.
pub fn ring(data: &Path) -> io::Result<Rung> {
    let place = Place::of(data)?;
    let mut stream = UnixStream::connect(place.path())?;
    stream.set_read_timeout(Some(ANSWER_WITHIN))?;
    let mut text = String::new();
    Read::by_ref(&mut stream).take(ANSWER_BYTES_MAX).read_to_string(&mut text)?;
    let text = text.trim_end();
    let through = text.strip_prefix("through ").and_then(|number| number.parse().ok());
    if let Some(through) = through {
        return Ok(Rung::Written { through });
    }
    match text.strip_prefix("not written: ") {
        Some(why) => Ok(Rung::NotWritten { why: why.to_owned() }),
        None => Err(io::Error::new(ErrorKind::InvalidData, "the node gave no answer")),
    }
}

/// A folder however long its path: the path of a socket may have 107 bytes at most.
struct Place(File);

impl Place {
    fn of(folder: &Path) -> io::Result<Place> {
        File::open(folder).map(Place)
    }

    fn path(&self) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}", self.0.as_raw_fd())).join(NAME)
    }
}

/// The node's end.
#[derive(Debug)]
pub(crate) struct Bell {
    listener: UnixListener,
    file: PathBuf,
    /// Which file it is: a later process may have hung its own in its place.
    inode: u64,
}

impl Bell {
    /// Hangs it into a data directory, which belongs to this process.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub(crate) fn hang(data: &Path) -> io::Result<Bell> {
        let file = data.join(NAME);
        match fs::remove_file(&file) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let place = Place::of(data)?;
        let listener = UnixListener::bind(place.path())?;
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600))?;
        listener.set_nonblocking(true)?;
        let inode = fs::symlink_metadata(&file)?.ino();
        Ok(Bell { listener, file, inode })
    }

    /// Those who have come since, at most [`RINGING_MAX`] with those that wait already.
    pub(crate) fn rung(&self, waiting: &mut Vec<UnixStream>) {
        while waiting.len() < RINGING_MAX {
            let Ok((stream, _)) = self.listener.accept() else { return };
            // A socket that would make us wait for its reader is of no use.
            if stream.set_nonblocking(true).is_ok() {
                waiting.push(stream);
            }
        }
    }
}

impl Drop for Bell {
    fn drop(&mut self) {
        let is_ours = fs::symlink_metadata(&self.file).is_ok_and(|it| it.ino() == self.inode);
        if is_ours {
            // A socket that stays behind is replaced by the next start.
            drop(fs::remove_file(&self.file));
        }
    }
}

/// Answers those who wait. Who has gone does not matter.
pub(crate) fn answer(waiting: &mut Vec<UnixStream>, written: Result<u64, &str>) {
    let line = match written {
        Ok(through) => format!("through {through}\n"),
        Err(why) => format!("not written: {}\n", why.replace('\n', " ")),
    };
    for mut stream in waiting.drain(..) {
        drop(stream.write_all(line.as_bytes()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rings while a thread answers.
    fn rung(data: &Path, written: Result<u64, &'static str>) -> io::Result<Rung> {
        let bell = Bell::hang(data).unwrap();
        std::thread::scope(|scope| {
            let asking = scope.spawn(|| ring(data));
            let mut waiting = Vec::new();
            while waiting.is_empty() {
                bell.rung(&mut waiting);
                std::thread::yield_now();
            }
            answer(&mut waiting, written);
            asking.join().unwrap()
        })
    }

    #[test]
    fn a_late_bell_leaves_that_of_its_successor() {
        let folder = tempfile::tempdir().unwrap();
        let late = Bell::hang(folder.path()).unwrap();
        let own = Bell::hang(folder.path()).unwrap();
        drop(late);
        assert!(folder.path().join(NAME).exists());
        drop(own);
        assert!(!folder.path().join(NAME).exists());
    }

    #[test]
    fn who_rings_is_answered_also_in_a_folder_with_a_long_name() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("long".repeat(40));
        fs::create_dir(&data).unwrap();
        assert!(ring(&data).is_err(), "nobody is there");
        assert_eq!(rung(&data, Ok(42)).unwrap(), Rung::Written { through: 42 });
        let why = "the disk\nis full".to_owned();
        let found = rung(&data, Err("the disk\nis full")).unwrap();
        assert_eq!(found, Rung::NotWritten { why: why.replace('\n', " ") });
        assert!(!data.join(NAME).exists(), "a bell that is gone leaves no socket");
    }
}
