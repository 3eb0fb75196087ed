//! Persons are kept: each under the key there is, or a new one, or not at all.

use std::collections::BTreeSet;

use ach_actors_model::{Name, Timestamp};
use zeroize::Zeroizing;

use super::cipher::{KEY_BYTES, Key, decrypt, encrypt, fresh_key};
use super::folder::{CHECK_NAME, Unsettled, key_name, new_name, row_name};
use super::key_file::{self, Kept};
use super::{CHECK_SUBJECT, People, PeopleError, Person, all_damaged};
use crate::Holds;

/// How persons are to be kept.
#[derive(Debug, Clone, Copy)]
pub struct Keeping<'a> {
    /// When.
    pub now: Timestamp,
    /// Nothing takes the place of what is known about somebody one of these protects.
    pub holds: &'a Holds,
    /// Whether a key that is damaged or lost gives way to a new one; what it protected is lost then.
    pub replaces_damaged: bool,
}

/// Of whom nothing new was kept, while the others were.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NotKept {
    /// A hold protects what was known, and it was something else.
    pub held: Vec<Name>,
    /// Their key is damaged, or lost.
    pub damaged: Vec<Name>,
    /// They were erased, and stay so.
    pub erased: Vec<Name>,
    /// Their key is damaged, and what is left of it may be the note that they were erased: no key takes its
    /// place, whatever is asked. They are to be erased again.
    pub perhaps_erased: Vec<Name>,
}

impl NotKept {
    /// How many they are.
    pub fn count(&self) -> usize {
        let NotKept { held, damaged, erased, perhaps_erased } = self;
        [held, damaged, erased, perhaps_erased].iter().map(|them| them.len()).sum()
    }
}

/// What becomes of what is to be kept about somebody.
enum Verdict {
    Write(Under),
    /// It is known already.
    Same,
    Held,
    Damaged,
    Erased,
    PerhapsErased,
}

/// Under which key a person is to be written.
enum Under {
    /// The one there is, and under which something else was written.
    Kept(Key),
    /// The one there is. Nothing was sealed under it, so whoever wrote it may not have come to sync it.
    KeptInDoubt(Key),
    /// A new one.
    New,
    /// A new one in the place of a damaged one.
    Instead,
}

impl People {
    /// Keeps what is known about some subjects, in the place of what was known, and says of whom it was not
    /// kept. It is on disk when this returns. What is known already is not written again. After a failure
    /// some of it may be kept; doing it again is safe.
    ///
    /// # Errors
    ///
    /// When something is too long or somebody is there twice, there would be too many, nothing proves the
    /// secret and nothing is replaced, or the disk refuses. But for the last of these nothing is kept then.
    pub fn put(
        &mut self,
        persons: &[(Name, Person)],
        keeping: Keeping<'_>,
    ) -> Result<NotKept, PeopleError> {
        let mut subjects = BTreeSet::new();
        for (subject, person) in persons {
            person.check(subject)?;
            if !subjects.insert(subject) {
                return Err(PeopleError::Twice { subject: subject.clone() });
            }
        }
        if !self.is_proved && !keeping.replaces_damaged {
            return Err(all_damaged());
        }
        let _lock = self.folder().lock()?;
        let there = self.folder().subjects()?;
        let new = subjects.iter().filter(|subject| !there.contains(**subject)).count();
        let limit = self.folder().people_max();
        if there.len().saturating_add(new) > limit {
            return Err(PeopleError::TooMany { limit });
        }
        let (mut not_kept, mut to_write) = (NotKept::default(), Vec::new());
        for (subject, person) in persons {
            let not_kept = match self.verdict(subject, person, keeping)? {
                Verdict::Write(under) => {
                    to_write.push((subject, person, under));
                    continue;
                }
                Verdict::Same => continue,
                Verdict::Held => &mut not_kept.held,
                Verdict::Damaged => &mut not_kept.damaged,
                Verdict::Erased => &mut not_kept.erased,
                Verdict::PerhapsErased => &mut not_kept.perhaps_erased,
            };
            not_kept.push(subject.clone());
        }
        // Also when there is nothing to write: who wrote what is known may have been cut short before it was
        // synced. No check is written under a secret that neither a key nor this import takes for right.
        let is_checked = self.has_check()? || (!self.is_proved && to_write.is_empty());
        self.write(to_write, is_checked, keeping.now)?;
        Ok(not_kept)
    }

    fn verdict(
        &self,
        subject: &Name,
        person: &Person,
        keeping: Keeping<'_>,
    ) -> Result<Verdict, PeopleError> {
        let is_held = keeping.holds.on(subject).is_some();
        let is_replaced = keeping.replaces_damaged && !is_held;
        Ok(match self.kept(subject) {
            Ok(Kept::Gone) => Verdict::Erased,
            Err(PeopleError::PerhapsErased { .. }) => Verdict::PerhapsErased,
            Ok(Kept::Key { key }) => {
                let row = match self.row(subject) {
                    // What no key opens either.
                    Err(PeopleError::Damaged { .. }) => Some(Vec::new()),
                    row => row?,
                };
                let text = row.as_ref().and_then(|row| decrypt(&key, subject.as_str(), row));
                let known = text.as_ref().and_then(|text| Person::from_text(text).ok());
                match (known, row) {
                    (Some(known), _) if known == *person => Verdict::Same,
                    (_, Some(_)) if is_held => Verdict::Held,
                    (Some(_), _) => Verdict::Write(Under::Kept(key)),
                    (None, _) => Verdict::Write(Under::KeptInDoubt(key)),
                }
            }
            // A key that was lost may be in a backup, as a damaged one may; no import that was cut short
            // leaves a row without one.
            Ok(Kept::Nothing) if is_replaced || !self.folder().has_row(subject)? => {
                Verdict::Write(Under::New)
            }
            Err(PeopleError::Damaged { .. }) if is_replaced => Verdict::Write(Under::Instead),
            Ok(Kept::Nothing) | Err(PeopleError::Damaged { .. }) => Verdict::Damaged,
            Err(error) => return Err(error),
        })
    }

    /// Writes persons, each under the key there is or a new one, and the check unless there is one.
    fn write(
        &self,
        persons: Vec<(&Name, &Person, Under)>,
        is_checked: bool,
        now: Timestamp,
    ) -> Result<(), PeopleError> {
        let disk = self.folder().disk.as_ref();
        let new = persons.iter().filter(|(_, _, under)| matches!(under, Under::New));
        let mut files = Unsettled {
            keys: new.map(|(subject, _, _)| new_name(&key_name(subject))).collect(),
            ..Unsettled::default()
        };
        let check = (!is_checked).then(|| new_name(CHECK_NAME));
        files.keys.extend(check.clone());
        self.folder().begin(&files.keys)?;
        let fill = |name: &str, bytes: &[u8]| {
            let written = disk.open(name).and_then(|file| file.write(bytes));
            written.map_err(PeopleError::disk("write"))
        };
        if let Some(name) = check {
            let zeros = Zeroizing::new([0; KEY_BYTES]);
            fill(&name, &key_file::made((&self.secret, CHECK_SUBJECT), &zeros, now)?)?;
        }
        for (subject, person, under) in persons {
            let sealer = self.sealer(subject);
            let key = match under {
                Under::Kept(key) => key,
                Under::KeptInDoubt(key) => {
                    files.unsynced.push(key_name(subject));
                    key
                }
                Under::New => {
                    let key = fresh_key()?;
                    let name = new_name(&key_name(subject));
                    fill(&name, &key_file::made(sealer, &key, now)?)?;
                    key
                }
                Under::Instead => {
                    let key = fresh_key()?;
                    let name = key_name(subject);
                    key_file::replace(disk, &name, &key_file::made(sealer, &key, now)?)?;
                    files.unsynced.push(name);
                    key
                }
            };
            let name = new_name(&row_name(subject));
            let row = encrypt(&key, subject.as_str(), &person.to_text()?)?;
            let written = disk.create(&name).and_then(|file| file.write(&row));
            written.map_err(PeopleError::disk("write"))?;
            files.rows.push(name);
        }
        self.folder().settle(&files)
    }
}
