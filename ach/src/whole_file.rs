//! A file for whoever asked, that is there when all of it is.
//!
//! Where the file system can, it has no name until it is whole: a process that is killed leaves nothing. Where
//! it cannot, it has one nobody else chooses. It never takes the place of another.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, RenameFlags, linkat, renameat_with};
use rustix::io::Errno;

use crate::exit::Failure;

/// What is being written. Without [`WholeFile::finish`] nothing is left of it.
#[derive(Debug)]
pub(crate) struct WholeFile {
    opened: BufWriter<File>,
    file: PathBuf,
    folder: PathBuf,
    /// What it is called until it is whole, where it must be called something.
    new: Option<PathBuf>,
}

impl WholeFile {
    /// Begins a file that must not be there yet. Nobody else on the machine may read it.
    pub(crate) fn begin(file: &Path) -> Result<WholeFile, Failure> {
        let folder = file.parent().filter(|it| !it.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new(".")).to_owned();
        if file.symlink_metadata().is_ok() {
            return Err(not_written(file, &ErrorKind::AlreadyExists.into()));
        }
        let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
        match rustix::fs::open(&folder, flags, Mode::RUSR | Mode::WUSR) {
            Ok(opened) => {
                let opened = BufWriter::new(File::from(opened));
                Ok(WholeFile { opened, file: file.to_owned(), folder, new: None })
            }
            Err(Errno::OPNOTSUPP | Errno::INVAL | Errno::ISDIR) => {
                WholeFile::begin_named(file, folder)
            }
            Err(error) => Err(not_written(file, &error.into())),
        }
    }

    /// As [`WholeFile::begin`], on file systems on which every file has a name.
    fn begin_named(file: &Path, folder: PathBuf) -> Result<WholeFile, Failure> {
        let mut name = OsString::from(".");
        name.push(file.file_name().unwrap_or_default());
        name.push(format!(".{:016x}.new", rand::random::<u64>()));
        let new = folder.join(name);
        let mut options = OpenOptions::new();
        let opened = options.write(true).create_new(true).mode(0o600).open(&new);
        let opened = BufWriter::new(opened.map_err(|error| not_written(file, &error))?);
        Ok(WholeFile { opened, file: file.to_owned(), folder, new: Some(new) })
    }

    /// Gives it its name, once it is on disk. Who has made a file of that name meanwhile keeps it.
    pub(crate) fn finish(mut self) -> Result<(), Failure> {
        self.opened.flush()?;
        self.opened.get_ref().sync_all()?;
        let named = match &self.new {
            None => {
                let opened = format!("/proc/self/fd/{}", self.opened.get_ref().as_raw_fd());
                linkat(CWD, opened, CWD, &self.file, AtFlags::SYMLINK_FOLLOW)
                    .map_err(io::Error::from)
            }
            Some(new) => rename(new, &self.file),
        };
        named.map_err(|error| not_written(&self.file, &error))?;
        self.new = None;
        Ok(File::open(&self.folder)?.sync_all()?)
    }
}

/// Renames where nothing is yet.
fn rename(new: &Path, file: &Path) -> io::Result<()> {
    match renameat_with(CWD, new, CWD, file, RenameFlags::NOREPLACE) {
        // Over a network there is no such call, but a link, which takes no other's place either.
        Err(Errno::INVAL | Errno::NOSYS) => {
            fs::hard_link(new, file)?;
            fs::remove_file(new)
        }
        renamed => Ok(renamed?),
    }
}

fn not_written(file: &Path, error: &io::Error) -> Failure {
    Failure::new(format!("cannot write {}: {error}; name another file", file.display()))
}

impl Write for WholeFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.opened.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.opened.flush()
    }
}

impl Drop for WholeFile {
    fn drop(&mut self) {
        if let Some(new) = &self.new {
            // Of no use to anybody; what cannot be removed only takes room.
            drop(fs::remove_file(new));
        }
    }
}

/// A file, or stdout.
#[derive(Debug)]
pub(crate) enum Target {
    /// A file.
    File(WholeFile),
    /// Stdout.
    Stdout(BufWriter<io::Stdout>),
}

impl Target {
    /// A file if one is named, else stdout.
    pub(crate) fn begin(file: Option<&Path>) -> Result<Target, Failure> {
        Ok(match file {
            Some(file) => Target::File(WholeFile::begin(file)?),
            None => Target::Stdout(BufWriter::new(io::stdout())),
        })
    }

    /// Nothing more comes.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        match self {
            Target::File(file) => file.finish(),
            Target::Stdout(mut stdout) => Ok(stdout.flush()?),
        }
    }
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Target::File(file) => file.write(bytes),
            Target::Stdout(stdout) => stdout.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Target::File(file) => file.flush(),
            Target::Stdout(stdout) => stdout.flush(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Begin = fn(&Path) -> Result<WholeFile, Failure>;

    /// Both ways, whatever the file system here can.
    const WAYS: [Begin; 2] =
        [WholeFile::begin, |file| WholeFile::begin_named(file, file.parent().unwrap().to_owned())];

    #[test]
    fn a_file_is_whole_or_is_not_there() {
        for begin in WAYS {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("walks.csv");
            let mut half = begin(&file).unwrap();
            half.write_all(b"half of it").unwrap();
            drop(half);
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
            let others = folder.path().join("walks.csv.new");
            fs::write(&others, "somebody's").unwrap();
            let mut whole = begin(&file).unwrap();
            whole.write_all(b"all").unwrap();
            assert!(!file.exists());
            whole.finish().unwrap();
            assert_eq!(fs::read(&file).unwrap(), b"all");
            assert_eq!(fs::read(&others).unwrap(), b"somebody's");
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
            let refused = WholeFile::begin(&file).expect_err("it is there").to_string();
            assert!(refused.contains("name another file"), "{refused}");
        }
    }

    /// The second ends first; the first says that it has no file, and does not touch that of the second.
    #[test]
    fn two_who_write_one_file_do_not_mix() {
        for begin in WAYS {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("walks.csv");
            let (mut first, mut second) = (begin(&file).unwrap(), begin(&file).unwrap());
            first.write_all(b"the first").unwrap();
            second.write_all(b"the second").unwrap();
            second.finish().unwrap();
            let refused = first.finish().expect_err("the name is taken").to_string();
            assert!(refused.contains("name another file"), "{refused}");
            assert_eq!(fs::read(&file).unwrap(), b"the second");
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        }
    }
}
