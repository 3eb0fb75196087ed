//! The file of persons' keys.
//!
//! ```text
//! checksum of the rest, CRC32C in hexadecimal
//! {"check": .., "people": [{"subject": .., "key": wrapped, or null, "since": ..}, ..]}
//! ```
//!
//! A wrapped key is nonce, 32 bytes and tag in hexadecimal, AES-256-GCM under the node's secret, with
//! the subject's id as additional data: a key moved to another person opens nothing. `check` is a
//! wrapped block of zeros, so that a wrong secret is told from damage.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{ErrorKind, Seek, Write};
use std::path::{Path, PathBuf};

use ach_actors_model::{Name, Timestamp};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{PEOPLE_MAX, PeopleError};
use crate::holds::replace;

const KEY_BYTES: usize = 32;

/// Whose "key" the check is; no subject has an id with a space.
const CHECK: &str = "the check";

/// A person's key, or the node's secret.
type Key = Zeroizing<[u8; KEY_BYTES]>;

/// What the book has of a subject.
pub(super) enum Kept {
    Key(Key),
    Forgotten,
    Nothing,
}

#[derive(Debug, Serialize, Deserialize)]
struct Line {
    subject: Name,
    /// The wrapped key; `None` once it was destroyed.
    key: Option<String>,
    /// When it was made or destroyed.
    since: Timestamp,
}

#[derive(Debug, Serialize, Deserialize)]
struct Page {
    check: String,
    people: Vec<Line>,
}

/// All keys, wrapped as they are in the file.
pub(super) struct KeyBook {
    file: PathBuf,
    secret: Key,
    lines: BTreeMap<Name, (Option<String>, Timestamp)>,
}

impl std::fmt::Debug for KeyBook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyBook").field("people", &self.lines.len()).finish_non_exhaustive()
    }
}

impl KeyBook {
    pub(super) fn open(file: &Path, secret: &[u8; KEY_BYTES]) -> Result<KeyBook, PeopleError> {
        let secret = Zeroizing::new(*secret);
        let mut book = KeyBook { file: file.to_owned(), secret, lines: BTreeMap::new() };
        let text = match fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(book),
            Err(error) if error.kind() == ErrorKind::InvalidData => return Err(damaged("no text")),
            Err(source) => return Err(PeopleError::Disk { verb: "read", source }),
        };
        let (crc, text) = text.split_once('\n').ok_or_else(|| damaged("too short"))?;
        if crc != checksum(text) {
            return Err(damaged("the checksum does not fit"));
        }
        let page: Page = serde_json::from_str(text).map_err(|error| damaged(&error.to_string()))?;
        if page.people.len() > PEOPLE_MAX {
            return Err(damaged("more persons than there may be"));
        }
        unwrap(&book.secret, CHECK, &page.check).map_err(|_| PeopleError::WrongSecret)?;
        let line = |line: Line| (line.subject, (line.key, line.since));
        book.lines = page.people.into_iter().map(line).collect();
        Ok(book)
    }

    pub(super) fn key(&self, subject: &Name) -> Result<Kept, PeopleError> {
        match self.lines.get(subject) {
            None => Ok(Kept::Nothing),
            Some((None, _)) => Ok(Kept::Forgotten),
            Some((Some(wrapped), _)) => {
                unwrap(&self.secret, subject.as_str(), wrapped).map(Kept::Key)
            }
        }
    }

    /// Makes a key and writes the book.
    pub(super) fn make(&mut self, subject: &Name, now: Timestamp) -> Result<Key, PeopleError> {
        if self.lines.len() >= PEOPLE_MAX {
            let (subject, what) = (subject.clone(), "keys besides that");
            return Err(PeopleError::TooMuch { subject, what, limit: PEOPLE_MAX });
        }
        let mut key: Key = Zeroizing::new([0; KEY_BYTES]);
        aws_lc_rs::rand::fill(key.as_mut_slice()).map_err(|_| PeopleError::Cipher)?;
        let wrapped = wrap(&self.secret, subject.as_str(), &key)?;
        self.lines.insert(subject.clone(), (Some(wrapped), now));
        self.save().inspect_err(|_| drop(self.lines.remove(subject)))?;
        Ok(key)
    }

    /// Destroys a key: first the new file, then the old one's bytes.
    pub(super) fn forget(&mut self, subject: &Name, now: Timestamp) -> Result<(), PeopleError> {
        if self.forgotten_at(subject).is_some() {
            return Ok(());
        }
        let before = self.lines.insert(subject.clone(), (None, now));
        let old = fs::OpenOptions::new().write(true).open(&self.file);
        if let Err(error) = self.save() {
            match before {
                Some(line) => self.lines.insert(subject.clone(), line),
                None => self.lines.remove(subject),
            };
            return Err(error);
        }
        old.and_then(overwrite).or_else(|error| match error.kind() {
            // There was no file, so no key.
            ErrorKind::NotFound => Ok(()),
            _ => Err(PeopleError::Disk { verb: "overwrite the old file of", source: error }),
        })
    }

    pub(super) fn forgotten_at(&self, subject: &Name) -> Option<Timestamp> {
        self.lines.get(subject).filter(|(key, _)| key.is_none()).map(|(_, since)| *since)
    }

    fn save(&self) -> Result<(), PeopleError> {
        let line = |(subject, (key, since)): (&Name, &(Option<String>, Timestamp))| Line {
            subject: subject.clone(),
            key: key.clone(),
            since: *since,
        };
        let check = wrap(&self.secret, CHECK, &Zeroizing::new([0; KEY_BYTES]))?;
        let page = Page { check, people: self.lines.iter().map(line).collect() };
        let text = serde_json::to_string(&page).map_err(|error| damaged(&error.to_string()))?;
        let bytes = format!("{}\n{text}", checksum(&text));
        replace(&self.file, bytes.as_bytes())
            .map_err(|source| PeopleError::Disk { verb: "write", source })
    }
}

/// Writes zeros over a file that has no name any more.
fn overwrite(mut file: fs::File) -> std::io::Result<()> {
    let length = file.metadata()?.len();
    file.rewind()?;
    std::io::copy(&mut std::io::Read::take(std::io::repeat(0), length), &mut file)?;
    file.flush()?;
    file.sync_all()
}

/// Encrypts what is known about a person.
pub(super) fn seal(key: &Key, subject: &Name, text: &[u8]) -> Result<Vec<u8>, PeopleError> {
    encrypt(key, subject.as_str(), text)
}

/// The other way.
pub(super) fn unseal(key: &Key, subject: &Name, value: &[u8]) -> Result<Vec<u8>, PeopleError> {
    decrypt(key, subject.as_str(), value)
        .ok_or_else(|| damaged("what is known about a person was not sealed under this key"))
}

fn wrap(secret: &Key, subject: &str, key: &Key) -> Result<String, PeopleError> {
    let bytes = encrypt(secret, subject, key.as_slice())?;
    let mut text = String::with_capacity(bytes.len().saturating_mul(2));
    for byte in bytes {
        // Writing into a text cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    Ok(text)
}

fn unwrap(secret: &Key, subject: &str, wrapped: &str) -> Result<Key, PeopleError> {
    let bytes: Option<Vec<u8>> = wrapped
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect();
    let plain = bytes.and_then(|bytes| decrypt(secret, subject, &bytes)).map(Zeroizing::new);
    let key = plain.and_then(|plain| plain.as_slice().try_into().ok());
    key.map(Zeroizing::new).ok_or_else(|| damaged("a key cannot be unwrapped"))
}

fn encrypt(key: &Key, subject: &str, plain: &[u8]) -> Result<Vec<u8>, PeopleError> {
    let cipher = cipher(key).ok_or(PeopleError::Cipher)?;
    let mut nonce = [0; NONCE_LEN];
    aws_lc_rs::rand::fill(&mut nonce).map_err(|_| PeopleError::Cipher)?;
    let mut sealed = plain.to_vec();
    let aad = Aad::from(subject.as_bytes());
    cipher
        .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut sealed)
        .map_err(|_| PeopleError::Cipher)?;
    let mut value = nonce.to_vec();
    value.extend_from_slice(&sealed);
    Ok(value)
}

fn decrypt(key: &Key, subject: &str, value: &[u8]) -> Option<Vec<u8>> {
    let (nonce, sealed) = value.split_first_chunk()?;
    let mut bytes = sealed.to_vec();
    let aad = Aad::from(subject.as_bytes());
    let nonce = Nonce::assume_unique_for_key(*nonce);
    let plain = cipher(key)?.open_in_place(nonce, aad, &mut bytes).ok()?;
    Some(plain.to_vec())
}

fn cipher(key: &Key) -> Option<LessSafeKey> {
    UnboundKey::new(&AES_256_GCM, key.as_slice()).ok().map(LessSafeKey::new)
}

fn checksum(text: &str) -> String {
    format!("{:08x}", crc32c::crc32c(text.as_bytes()))
}

fn damaged(detail: &str) -> PeopleError {
    PeopleError::Damaged { detail: detail.to_owned() }
}
