//! Legal holds: days that are kept though their time is over, and people who must not be forgotten yet.
//!
//! They lie beside the store, not in it: a store that is derived again must not forget them.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use ach_actors_model::{Name, Timestamp};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::Day;

/// Most holds: each is placed by a person for a case.
pub const HOLDS_MAX: usize = 10_000;

/// One hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Its own id.
    pub id: Name,
    /// The first day it protects.
    pub from: Day,
    /// The last day; `None` for every day to come.
    pub through: Option<Day>,
    /// Of whom the key must not be destroyed; `None` protects nobody's.
    pub subject: Option<Name>,
    /// Why, in words; it is shown to operators and holds no names.
    pub reason: String,
    /// Who placed it.
    pub placed_by: Name,
    /// When.
    pub placed_at: Timestamp,
}

/// Why holds were not read or changed.
#[derive(Debug, Error)]
pub enum HoldError {
    /// The file is not as it was written.
    #[error("{} is damaged: {detail}; put it back from your backup: until then nothing is dropped", file.display())]
    Damaged {
        /// The file.
        file: PathBuf,
        /// What was found.
        detail: String,
    },
    /// The id is taken.
    #[error("there is a hold `{id}` already; choose another id")]
    Taken {
        /// The id.
        id: Name,
    },
    /// There is no such hold.
    #[error("there is no hold `{id}`")]
    Unknown {
        /// The id.
        id: Name,
    },
    /// There are as many as there may be.
    #[error("there are {HOLDS_MAX} holds, which is the most; lift one first")]
    TooMany,
    /// The disk or the system refused.
    #[error("cannot {verb} {}", file.display())]
    Disk {
        /// What was tried.
        verb: &'static str,
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

/// All holds of a node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holds {
    holds: Vec<Hold>,
}

impl Holds {
    /// Reads them. No file is no hold.
    ///
    /// # Errors
    ///
    /// When the file is damaged or cannot be read; then nothing must be dropped.
    pub fn load(file: &Path) -> Result<Holds, HoldError> {
        let text = match fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Holds::default()),
            Err(source) if source.kind() == ErrorKind::InvalidData => {
                return Err(damaged(file, "it is no text"));
            }
            Err(source) => {
                return Err(HoldError::Disk { verb: "read", file: file.to_owned(), source });
            }
        };
        let (crc, text) = text.split_once('\n').ok_or_else(|| damaged(file, "it is too short"))?;
        if crc != checksum(text) {
            return Err(damaged(file, "its checksum does not fit"));
        }
        let holds =
            serde_json::from_str(text).map_err(|error| damaged(file, &error.to_string()))?;
        Ok(Holds { holds })
    }

    /// Changes them: reads them, has them changed, and writes them, while nobody else does.
    ///
    /// # Errors
    ///
    /// What `change` says, and when they cannot be read or written; then they are as they were.
    pub fn change<T>(
        file: &Path,
        change: impl FnOnce(&mut Holds) -> Result<T, HoldError>,
    ) -> Result<T, HoldError> {
        use std::os::unix::fs::OpenOptionsExt;
        let lock = file.with_extension("lock");
        let failed = |source| HoldError::Disk { verb: "lock", file: lock.clone(), source };
        let mut options = fs::OpenOptions::new();
        let opened = options.create(true).write(true).truncate(false).mode(0o600).open(&lock);
        // Unlocked when it is closed. The file stays: who waits has it open.
        let locked = opened.map_err(failed)?;
        locked.lock().map_err(failed)?;
        let mut holds = Holds::load(file)?;
        let changed = change(&mut holds)?;
        holds.save(file)?;
        Ok(changed)
    }

    /// Writes them: the whole file or the one before, synced.
    ///
    /// # Errors
    ///
    /// When the disk refuses.
    pub fn save(&self, file: &Path) -> Result<(), HoldError> {
        let text = serde_json::to_string_pretty(&self.holds)
            .map_err(|error| damaged(file, &error.to_string()))?;
        let failed = |verb| move |source| HoldError::Disk { verb, file: file.to_owned(), source };
        let bytes = format!("{}\n{text}", checksum(&text));
        replace(file, bytes.as_bytes()).map_err(failed("write"))
    }

    /// Places one.
    ///
    /// # Errors
    ///
    /// When its id is taken or there are too many.
    pub fn place(&mut self, hold: Hold) -> Result<(), HoldError> {
        if self.holds.iter().any(|it| it.id == hold.id) {
            return Err(HoldError::Taken { id: hold.id });
        }
        if self.holds.len() >= HOLDS_MAX {
            return Err(HoldError::TooMany);
        }
        self.holds.push(hold);
        Ok(())
    }

    /// Lifts one.
    ///
    /// # Errors
    ///
    /// When there is none of that id.
    pub fn lift(&mut self, id: &Name) -> Result<Hold, HoldError> {
        let at = self.holds.iter().position(|it| it.id == *id);
        at.map(|at| self.holds.remove(at)).ok_or_else(|| HoldError::Unknown { id: id.clone() })
    }

    /// Whether a day must be kept.
    pub fn protect(&self, day: Day) -> bool {
        self.holds
            .iter()
            .any(|it| it.from <= day && it.through.is_none_or(|through| day <= through))
    }

    /// The hold for which a person must not be forgotten, if there is one.
    pub fn on(&self, subject: &Name) -> Option<&Hold> {
        self.holds.iter().find(|it| it.subject.as_ref() == Some(subject))
    }

    /// All of them, as they were placed.
    pub fn iter(&self) -> impl Iterator<Item = &Hold> {
        self.holds.iter()
    }
}

fn checksum(text: &str) -> String {
    format!("{:08x}", crc32c::crc32c(text.as_bytes()))
}

fn damaged(file: &Path, detail: &str) -> HoldError {
    HoldError::Damaged { file: file.to_owned(), detail: detail.to_owned() }
}

/// Puts a file in the place of another, so that after a crash it is the one or the other.
pub(crate) fn replace(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let new = file.with_extension("new");
    let mut options = fs::OpenOptions::new();
    let mut opened = options.create(true).write(true).truncate(true).mode(0o600).open(&new)?;
    opened.write_all(bytes)?;
    opened.sync_all()?;
    fs::rename(&new, file)?;
    let folder = file.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    fn hold(id: &str, from: u32, through: Option<u32>) -> Hold {
        Hold {
            id: name(id),
            from: Day(from),
            through: through.map(Day),
            subject: Some(name("patient-17")),
            reason: "case 4".to_owned(),
            placed_by: name("desk"),
            placed_at: Timestamp(9),
        }
    }

    #[test]
    fn holds_protect_their_days_until_they_are_lifted() {
        let mut holds = Holds::default();
        holds.place(hold("a", 10, Some(12))).unwrap();
        holds.place(hold("b", 20, None)).unwrap();
        let kept: Vec<u32> = (0..25).filter(|&day| holds.protect(Day(day))).collect();
        assert_eq!(kept, [10, 11, 12, 20, 21, 22, 23, 24]);
        assert!(matches!(holds.place(hold("a", 1, None)), Err(HoldError::Taken { .. })));
        assert_eq!(holds.on(&name("patient-17")).map(|it| it.id.as_str()), Some("a"));
        holds.lift(&name("a")).unwrap();
        assert!(!holds.protect(Day(11)));
        assert!(matches!(holds.lift(&name("a")), Err(HoldError::Unknown { .. })));
    }

    #[test]
    fn two_who_change_holds_at_once_change_both() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("holds");
        std::thread::scope(|scope| {
            for who in 0..8 {
                let file = &file;
                scope.spawn(move || {
                    for turn in 0..5 {
                        let hold = hold(&format!("h{who}-{turn}"), 1, None);
                        Holds::change(file, |holds| holds.place(hold)).unwrap();
                    }
                });
            }
        });
        assert_eq!(Holds::load(&file).unwrap().iter().count(), 40);
        let refused = Holds::change(&file, |holds| holds.lift(&name("nobody")));
        assert!(matches!(refused, Err(HoldError::Unknown { .. })));
        assert_eq!(Holds::load(&file).unwrap().iter().count(), 40);
    }

    #[test]
    fn holds_come_back_from_their_file_and_every_flipped_bit_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("holds");
        assert_eq!(Holds::load(&file).unwrap(), Holds::default());
        let mut holds = Holds::default();
        holds.place(hold("a", 10, Some(12))).unwrap();
        holds.save(&file).unwrap();
        assert_eq!(Holds::load(&file).unwrap(), holds);
        let good = fs::read(&file).unwrap();
        for bit in 0..good.len() * 8 {
            let mut bytes = good.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            fs::write(&file, &bytes).unwrap();
            assert!(Holds::load(&file).is_err(), "bit {bit}");
        }
    }
}
