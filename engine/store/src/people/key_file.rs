//! The file of one person's key. It is made once and no other file takes its place, it is only overwritten
//! where it lies: so no copy of a key is left in a file that has no name any more.
//!
//! ```text
//!  0          8         16      28            60    76    80
//!  +----------+---------+-------+-------------+-----+-----+
//!  | ACHKEY01 | made at | nonce | wrapped key | tag | crc |
//!  | ACHGONE1 | gone at | zeros                    | crc |
//!  +----------+---------+-------+-------------+-----+-----+
//! ```
//!
//! A key is wrapped under the node's secret (AES-256-GCM), with the subject's id as additional data: a
//! file that was given another name opens nothing. All of it lies in one sector.

use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use ach_actors_model::Timestamp;
use zeroize::Zeroizing;

use super::PeopleError;
use super::cipher::{KEY_BYTES, Key, OVERHEAD_BYTES, decrypt, encrypt};
use super::error::damaged;
use super::steps::step;

const MADE: [u8; 8] = *b"ACHKEY01";
const GONE: [u8; 8] = *b"ACHGONE1";
const WRAPPED_BYTES: usize = OVERHEAD_BYTES + KEY_BYTES;
const FILE_BYTES: usize = 8 + 8 + WRAPPED_BYTES + 4;

/// What a file says, before it is decrypted.
pub(super) enum Sealed {
    /// There is a key, wrapped.
    Key { wrapped: Vec<u8>, since: Timestamp },
    /// It was destroyed.
    Gone { since: Timestamp },
    /// There never was one.
    Nothing,
}

/// What is known of a key.
pub(super) enum Kept {
    /// It is there.
    Key { key: Key },
    /// It was destroyed.
    Gone,
    /// There never was one.
    Nothing,
}

/// Writes a key to a file that is not there yet; the caller syncs it.
pub(super) fn write_new(
    file: &Path,
    (secret, subject): (&Key, &str),
    key: &Key,
    now: Timestamp,
) -> Result<(), PeopleError> {
    let wrapped = encrypt(secret, subject, key.as_slice())?;
    let bytes = file_bytes(MADE, now, &wrapped);
    let mut options = fs::OpenOptions::new();
    let opened = step()
        .and_then(|()| options.write(true).create_new(true).mode(0o600).open(file))
        .and_then(|opened| step().map(|()| opened));
    opened.and_then(|opened| opened.write_all_at(&bytes, 0)).map_err(PeopleError::disk("write"))
}

/// Reads a key. One that is sound and does not open belongs to another secret or another subject.
pub(super) fn read(file: &Path, (secret, subject): (&Key, &str)) -> Result<Kept, PeopleError> {
    match read_sealed(file, subject)? {
        Sealed::Gone { .. } => Ok(Kept::Gone),
        Sealed::Nothing => Ok(Kept::Nothing),
        Sealed::Key { wrapped, .. } => {
            let key = decrypt(secret, subject, &wrapped);
            let key = key.and_then(|key| Some(Zeroizing::new(*key.first_chunk()?)));
            Ok(Kept::Key { key: key.ok_or(PeopleError::WrongSecret)? })
        }
    }
}

/// Reads what needs no secret.
pub(super) fn read_sealed(file: &Path, subject: &str) -> Result<Sealed, PeopleError> {
    let bytes = match File::open(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Sealed::Nothing),
        opened => {
            let mut bytes = Zeroizing::new(Vec::new());
            let limit = u64::try_from(FILE_BYTES).unwrap_or(u64::MAX).saturating_add(1);
            opened
                .and_then(|opened| opened.take(limit).read_to_end(&mut bytes))
                .map_err(PeopleError::disk("read"))?;
            bytes
        }
    };
    let no_key = || damaged(format!("that of `{subject}` is no key"));
    if bytes.len() != FILE_BYTES {
        return Err(no_key());
    }
    let (rest, crc) = bytes.split_last_chunk().ok_or_else(no_key)?;
    let (magic, rest_of) = rest.split_first_chunk::<8>().ok_or_else(no_key)?;
    let (since, wrapped) = rest_of.split_first_chunk().ok_or_else(no_key)?;
    if crc32c::crc32c(rest) != u32::from_le_bytes(*crc) {
        return Err(no_key());
    }
    let since = Timestamp(u64::from_le_bytes(*since));
    match *magic {
        GONE => Ok(Sealed::Gone { since }),
        MADE => Ok(Sealed::Key { wrapped: wrapped.to_vec(), since }),
        _ => Err(no_key()),
    }
}

/// Overwrites a key where it lies, whatever is there, and syncs that.
pub(super) fn destroy(file: &Path, now: Timestamp) -> Result<(), PeopleError> {
    overwrite(file, &file_bytes(GONE, now, &[0; WRAPPED_BYTES]))
}

/// Puts a new key in the place of a damaged one, where that lies.
pub(super) fn replace(
    file: &Path,
    (secret, subject): (&Key, &str),
    key: &Key,
    now: Timestamp,
) -> Result<(), PeopleError> {
    let wrapped = encrypt(secret, subject, key.as_slice())?;
    overwrite(file, &file_bytes(MADE, now, &wrapped))
}

fn overwrite(file: &Path, bytes: &[u8]) -> Result<(), PeopleError> {
    let mut options = fs::OpenOptions::new();
    let opened = step()
        .and_then(|()| options.write(true).create(true).truncate(false).mode(0o600).open(file));
    opened
        .and_then(|opened| {
            step()?;
            opened.write_all_at(bytes, 0)?;
            step()?;
            opened.set_len(u64::try_from(bytes.len()).unwrap_or(0))?;
            step()?;
            opened.sync_all()
        })
        .map_err(PeopleError::disk("overwrite"))
}

fn file_bytes(magic: [u8; 8], since: Timestamp, wrapped: &[u8]) -> Vec<u8> {
    let mut bytes = magic.to_vec();
    bytes.extend_from_slice(&since.0.to_le_bytes());
    bytes.extend_from_slice(wrapped);
    let crc = crc32c::crc32c(&bytes);
    bytes.extend_from_slice(&crc.to_le_bytes());
    bytes
}
