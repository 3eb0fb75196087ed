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

use std::io;

use ach_actors_model::Timestamp;
use zeroize::Zeroizing;

use super::PeopleError;
use super::cipher::{KEY_BYTES, Key, OVERHEAD_BYTES, decrypt, encrypt};
use super::disk::{Disk, DiskFile};

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

/// A file that is not as it was written. That a key was destroyed is said twice, by the first bytes, and by
/// zeros where no key has them: what damages the one leaves the other.
pub(super) struct NoKey {
    pub(super) looks_gone: bool,
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

/// The file of a key.
pub(super) fn made(
    (secret, subject): (&Key, &str),
    key: &Key,
    now: Timestamp,
) -> Result<Vec<u8>, PeopleError> {
    Ok(file_bytes(MADE, now, &encrypt(secret, subject, key.as_slice())?))
}

/// Decrypts a key, if there is one. One that does not open belongs to another secret or another subject.
pub(super) fn unsealed(
    sealed: &Sealed,
    (secret, subject): (&Key, &str),
) -> Result<Kept, PeopleError> {
    match sealed {
        Sealed::Gone { .. } => Ok(Kept::Gone),
        Sealed::Nothing => Ok(Kept::Nothing),
        Sealed::Key { wrapped, .. } => {
            let key = decrypt(secret, subject, wrapped);
            let key = key.and_then(|key| Some(Zeroizing::new(*key.first_chunk()?)));
            Ok(Kept::Key { key: key.ok_or(PeopleError::WrongSecret)? })
        }
    }
}

/// Reads what needs no secret.
pub(super) fn read_sealed(
    disk: &dyn Disk,
    name: &str,
) -> Result<Result<Sealed, NoKey>, PeopleError> {
    let read = disk.read(name, FILE_BYTES.saturating_add(1)).map_err(PeopleError::disk("read"))?;
    let Some(bytes) = read else { return Ok(Ok(Sealed::Nothing)) };
    Ok(sealed(&bytes).ok_or_else(|| NoKey { looks_gone: looks_gone(&bytes) }))
}

/// `None` of what is not as it was written.
fn sealed(bytes: &[u8]) -> Option<Sealed> {
    let (rest, crc) = bytes.split_last_chunk()?;
    let (magic, rest_of) = rest.split_first_chunk::<8>()?;
    let (since, wrapped) = rest_of.split_first_chunk()?;
    if wrapped.len() != WRAPPED_BYTES || crc32c::crc32c(rest) != u32::from_le_bytes(*crc) {
        return None;
    }
    let since = Timestamp(u64::from_le_bytes(*since));
    match *magic {
        GONE => Some(Sealed::Gone { since }),
        MADE => Some(Sealed::Key { wrapped: wrapped.to_vec(), since }),
        _ => None,
    }
}

fn looks_gone(bytes: &[u8]) -> bool {
    let wrapped = bytes.get(16..16 + WRAPPED_BYTES);
    bytes.starts_with(&GONE) || wrapped.is_some_and(|it| it.iter().all(|&byte| byte == 0))
}

/// Overwrites a key where it lies, whatever is there; the caller syncs it.
pub(super) fn destroy(disk: &dyn Disk, name: &str, now: Timestamp) -> Result<(), PeopleError> {
    replace(disk, name, &file_bytes(GONE, now, &[0; WRAPPED_BYTES]))
}

/// Puts other bytes in the place of a key, where that lies; the caller syncs it.
pub(super) fn replace(disk: &dyn Disk, name: &str, bytes: &[u8]) -> Result<(), PeopleError> {
    overwritten(disk, name, bytes).map(|_| ()).map_err(PeopleError::disk("overwrite"))
}

fn overwritten(disk: &dyn Disk, name: &str, bytes: &[u8]) -> io::Result<Box<dyn DiskFile>> {
    let file = if disk.has(name)? { disk.open(name)? } else { disk.create(name)? };
    file.write(bytes)?;
    file.set_len(u64::try_from(bytes.len()).unwrap_or(0))?;
    Ok(file)
}

fn file_bytes(magic: [u8; 8], since: Timestamp, wrapped: &[u8]) -> Vec<u8> {
    let mut bytes = magic.to_vec();
    bytes.extend_from_slice(&since.0.to_le_bytes());
    bytes.extend_from_slice(wrapped);
    let crc = crc32c::crc32c(&bytes);
    bytes.extend_from_slice(&crc.to_le_bytes());
    bytes
}
