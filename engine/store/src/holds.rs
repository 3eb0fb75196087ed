//! Legal holds: days that are kept though their time is over, and people who must not be forgotten yet.
//!
//! They lie beside the store, not in it: a store that is derived again must not forget them.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ach_actors_model::{Name, Timestamp};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::Day;
use crate::file_lock::{self, COMMAND_WAIT};

/// Most holds: each is placed by a person for a case.
pub const HOLDS_MAX: usize = 10_000;

/// Longest reason of a hold: a line.
pub const HOLD_REASON_CHARS_MAX: usize = 200;

/// Longest file of holds. As it is written one takes under 2 KiB: a reason of characters that are
/// escaped as six bytes, and three ids.
const FILE_BYTES_MAX: u64 = 2 * 1_024 * 10_000;

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
    /// It would end before it begins, and protect nothing.
    #[error("a hold from {from} through {through} protects no day; turn the two round")]
    Backwards {
        /// The first day.
        from: Day,
        /// The last.
        through: Day,
    },
    /// The reason is too long.
    #[error("a reason has at most {HOLD_REASON_CHARS_MAX} characters; name the case and no more")]
    LongReason,
    /// There are as many as there may be.
    #[error("there are {HOLDS_MAX} holds, which is the most; lift one first")]
    TooMany,
    /// Another command has them, and does not let go.
    #[error(
        "another command keeps {} locked; let it end, or see why it hangs, and do it again",
        file.display()
    )]
    Busy {
        /// The lock.
        file: PathBuf,
    },
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
        let failed = |verb| move |source| HoldError::Disk { verb, file: file.to_owned(), source };
        let opened = match fs::File::open(file) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Holds::default()),
            opened => opened.map_err(failed("open"))?,
        };
        let mut text = Vec::new();
        opened.take(FILE_BYTES_MAX).read_to_end(&mut text).map_err(failed("read"))?;
        let text = String::from_utf8(text).map_err(|_| damaged(file, "it is no text"))?;
        let (crc, text) = text.split_once('\n').ok_or_else(|| damaged(file, "it is too short"))?;
        if crc != checksum(text) {
            return Err(damaged(file, "its checksum does not fit"));
        }
        let holds: Vec<Hold> =
            serde_json::from_str(text).map_err(|error| damaged(file, &error.to_string()))?;
        if holds.len() > HOLDS_MAX {
            return Err(damaged(file, "it has more holds than there may be"));
        }
        Ok(Holds { holds })
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
    /// When its id is taken, it protects no day, its reason is too long or there are too many.
    pub fn place(&mut self, hold: Hold) -> Result<(), HoldError> {
        if let Some(through) = hold.through.filter(|&through| through < hold.from) {
            return Err(HoldError::Backwards { from: hold.from, through });
        }
        if hold.reason.chars().count() > HOLD_REASON_CHARS_MAX {
            return Err(HoldError::LongReason);
        }
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

/// The holds of a node for who changes them, while nobody else looks at them: between looking whether one
/// protects somebody and erasing them none is placed.
#[derive(Debug)]
pub struct LockedHolds {
    /// The holds.
    pub holds: Holds,
    file: PathBuf,
    _lock: fs::File,
}

impl LockedHolds {
    /// Waits until nobody else has them, and reads them. Who has them for 10 s is not waited for.
    ///
    /// # Errors
    ///
    /// As [`Holds::load`], and [`HoldError::Busy`].
    pub fn load(file: &Path) -> Result<LockedHolds, HoldError> {
        LockedHolds::load_within(file, COMMAND_WAIT)
    }

    /// As [`LockedHolds::load`], with another patience.
    ///
    /// # Errors
    ///
    /// The same.
    pub fn load_within(file: &Path, wait: Duration) -> Result<LockedHolds, HoldError> {
        let locked = locked(file, |lock| file_lock::lock(lock, wait))?;
        Ok(LockedHolds { holds: Holds::load(file)?, file: file.to_owned(), _lock: locked })
    }

    /// Writes them as they are now.
    ///
    /// # Errors
    ///
    /// When the disk refuses.
    pub fn save(&self) -> Result<(), HoldError> {
        self.holds.save(&self.file)
    }
}

/// The holds of a node for who only looks at them: meanwhile none is placed or lifted, and others may look as
/// well, however long it takes.
#[derive(Debug)]
pub struct SteadyHolds {
    /// The holds.
    pub holds: Holds,
    _lock: fs::File,
}

impl SteadyHolds {
    /// Waits until nobody changes them, and reads them. Who does for 10 s is not waited for.
    ///
    /// # Errors
    ///
    /// As [`Holds::load`], and [`HoldError::Busy`].
    pub fn load(file: &Path) -> Result<SteadyHolds, HoldError> {
        SteadyHolds::load_within(file, COMMAND_WAIT)
    }

    /// As [`SteadyHolds::load`], with another patience.
    ///
    /// # Errors
    ///
    /// The same.
    pub fn load_within(file: &Path, wait: Duration) -> Result<SteadyHolds, HoldError> {
        let locked = locked(file, |lock| file_lock::lock_shared(lock, wait))?;
        Ok(SteadyHolds { holds: Holds::load(file)?, _lock: locked })
    }
}

/// Locks what lies beside the file, which is replaced.
fn locked(
    file: &Path,
    lock: impl FnOnce(&fs::File) -> std::io::Result<()>,
) -> Result<fs::File, HoldError> {
    let beside = file.with_extension("lock");
    let mut options = fs::OpenOptions::new();
    let opened = options.write(true).create(true).truncate(false).open(&beside);
    let locked = opened.and_then(|opened| lock(&opened).map(|()| opened));
    locked.map_err(|source| match source.kind() {
        ErrorKind::WouldBlock => HoldError::Busy { file: beside },
        _ => HoldError::Disk { verb: "lock", file: beside, source },
    })
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
        let refused = holds.place(hold("c", 10, Some(9)));
        assert!(matches!(refused, Err(HoldError::Backwards { .. })), "{refused:?}");
        let long = Hold { reason: "x".repeat(201), ..hold("c", 1, None) };
        assert!(matches!(holds.place(long), Err(HoldError::LongReason)));
        holds.lift(&name("a")).unwrap();
        assert!(!holds.protect(Day(11)));
        assert!(matches!(holds.lift(&name("a")), Err(HoldError::Unknown { .. })));
    }

    #[test]
    fn the_longest_holds_fit_into_their_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("holds");
        let long = |text: &str| Name::new(&text.repeat(64)[..64]).unwrap();
        let mut holds = Holds::default();
        for number in 0..HOLDS_MAX {
            let mut hold = hold(&format!("{number:064}"), 10, Some(12));
            (hold.subject, hold.placed_by) = (Some(long("s")), long("p"));
            hold.reason = "\u{1}".repeat(HOLD_REASON_CHARS_MAX);
            holds.place(hold).unwrap();
        }
        assert!(matches!(holds.place(hold("x", 1, None)), Err(HoldError::TooMany)));
        holds.save(&file).unwrap();
        assert_eq!(Holds::load(&file).unwrap(), holds);
        holds.holds.push(hold("x", 1, None));
        holds.save(&file).unwrap();
        assert!(matches!(Holds::load(&file), Err(HoldError::Damaged { .. })));
    }

    #[test]
    fn two_who_change_holds_do_so_one_after_the_other() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("holds");
        let threads: Vec<_> = (0..8)
            .map(|number| {
                let file = file.clone();
                std::thread::spawn(move || {
                    let mut locked = LockedHolds::load(&file).unwrap();
                    locked.holds.place(hold(&format!("h{number}"), 1, None)).unwrap();
                    locked.save().unwrap();
                })
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(Holds::load(&file).unwrap().iter().count(), 8);
    }

    #[test]
    fn who_only_looks_keeps_out_who_changes_and_nobody_else() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("holds");
        let look = || SteadyHolds::load_within(&file, Duration::ZERO);
        let change = || LockedHolds::load_within(&file, Duration::ZERO);
        let looking = (look().unwrap(), look().unwrap());
        assert!(matches!(change(), Err(HoldError::Busy { .. })));
        drop(looking.0);
        assert!(matches!(change(), Err(HoldError::Busy { .. })), "the other one still looks");
        drop(looking.1);
        let mut changing = change().unwrap();
        assert!(matches!(look(), Err(HoldError::Busy { .. })));
        assert!(matches!(change(), Err(HoldError::Busy { .. })));
        changing.holds.place(hold("a", 10, None)).unwrap();
        changing.save().unwrap();
        drop(changing);
        assert!(look().unwrap().holds.on(&name("patient-17")).is_some());
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
