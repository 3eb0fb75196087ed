//! Writes a site directory. What is written reads back as the same site.

mod floor_writer;
mod table_writer;
mod toml_text;

use std::path::{Path, PathBuf};

use ach_actors_model::{AlarmKind, AlarmPriority};
use thiserror::Error;

use crate::SiteDirectory;

/// Why a site was not written.
#[derive(Debug, Error)]
pub enum WriteError {
    /// The folder already holds a site or other files.
    #[error("{path} is not empty, name a new folder")]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// The disk refused.
    #[error("cannot write {path}: {source}, check the disk and the permissions")]
    Disk {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// Writes all files into a new or empty folder.
pub(crate) fn write(directory: &SiteDirectory, root: &Path) -> Result<(), WriteError> {
    let mut files = vec![
        ("site.toml".to_owned(), table_writer::site(directory)),
        ("people.toml".to_owned(), table_writer::people(directory)),
        ("equipment.toml".to_owned(), table_writer::equipment(directory)),
        ("rules.toml".to_owned(), table_writer::rules(directory)),
    ];
    for plan in &directory.floors {
        files.push((format!("floors/{}.geojson", plan.id), floor_writer::floor(plan)));
    }
    write_files(root, files.iter().map(|(name, text)| (name.as_str(), text.as_str())))
}

/// Writes files into a new or empty folder with a folder `floors`.
pub(crate) fn write_files<'a>(
    root: &Path,
    files: impl Iterator<Item = (&'a str, &'a str)>,
) -> Result<(), WriteError> {
    let disk = |path: &Path| {
        let path = path.to_owned();
        |source| WriteError::Disk { path, source }
    };
    std::fs::create_dir_all(root).map_err(disk(root))?;
    if std::fs::read_dir(root).map_err(disk(root))?.next().is_some() {
        return Err(WriteError::NotEmpty { path: root.to_owned() });
    }
    let floors = root.join("floors");
    std::fs::create_dir(&floors).map_err(disk(&floors))?;
    for (name, text) in files {
        let path = root.join(name);
        std::fs::write(&path, text).map_err(disk(&path))?;
    }
    Ok(())
}

/// The word for an alarm in `rules.toml`; system alarms have none of their own.
pub(crate) fn alarm_word(alarm: AlarmKind) -> &'static str {
    let words = crate::read::ALARMS;
    words.iter().find(|(_, kind)| *kind == alarm).map_or("a system alarm", |(word, _)| word)
}

/// The word for a priority in `rules.toml`.
pub(crate) fn priority_word(priority: AlarmPriority) -> &'static str {
    let words = crate::read::PRIORITIES;
    words.iter().find(|(_, known)| *known == priority).map_or("", |(word, _)| word)
}
