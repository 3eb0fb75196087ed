//! A file for whoever asked, that is there when all of it is.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::exit::Failure;

/// What is being written under another name. Without [`WholeFile::finish`] nothing is left of it.
#[derive(Debug)]
pub(crate) struct WholeFile {
    opened: BufWriter<File>,
    file: PathBuf,
    new: PathBuf,
    is_whole: bool,
}

impl WholeFile {
    /// Begins a file that must not be there yet. Nobody else on the machine may read it.
    pub(crate) fn begin(file: &Path) -> Result<WholeFile, Failure> {
        let failed = |error: io::Error| {
            Failure::new(format!("cannot write {}: {error}; name another file", file.display()))
        };
        if file.symlink_metadata().is_ok() {
            return Err(failed(io::ErrorKind::AlreadyExists.into()));
        }
        let mut name = OsString::from(file);
        name.push(".new");
        let new = PathBuf::from(name);
        // Left by one that was killed.
        match fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            Ok(()) | Err(_) => {}
        }
        let mut options = OpenOptions::new();
        let opened = options.write(true).create_new(true).mode(0o600).open(&new);
        let opened = BufWriter::new(opened.map_err(failed)?);
        Ok(WholeFile { opened, file: file.to_owned(), new, is_whole: false })
    }

    /// Gives it its name, once it is on disk.
    pub(crate) fn finish(mut self) -> Result<(), Failure> {
        self.opened.flush()?;
        self.opened.get_ref().sync_all()?;
        fs::rename(&self.new, &self.file)?;
        self.is_whole = true;
        Ok(())
    }
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
        if !self.is_whole {
            // It only takes room; the next one of that name removes it.
            drop(fs::remove_file(&self.new));
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

    #[test]
    fn a_file_is_whole_or_is_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("walks.csv");
        let mut half = WholeFile::begin(&file).unwrap();
        half.write_all(b"half of it").unwrap();
        drop(half);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        fs::write(folder.path().join("walks.csv.new"), "of one that was killed").unwrap();
        let mut whole = WholeFile::begin(&file).unwrap();
        whole.write_all(b"all").unwrap();
        assert!(!file.exists());
        whole.finish().unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"all");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        let refused = WholeFile::begin(&file).expect_err("it is there").to_string();
        assert!(refused.contains("name another file"), "{refused}");
    }
}
