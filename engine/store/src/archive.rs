//! Archives: entries the journal has given up, compressed and encrypted, kept as long as history.
//!
//! One file holds the entries of one day from one index to another:
//!
//! ```text
//! day-2026-11-22-0000000000000001-00000000000003e8.arc
//!
//!  0        8         12     16            24        36         68      84
//!  +--------+---------+------+-------------+---------+----------+-------+-----+---------
//!  | magic  | version | day  | first index | nonce   | wrapped  | tag   | crc | frames
//!  | 8      | u32, 1  | u32  | u64         | 12      | key, 32  | 16    | u32 |
//!  +--------+---------+------+-------------+---------+----------+-------+-----+---------
//!
//!  frame:  0          4           8     12
//!          +----------+-----------+-----+------------------------+-----+
//!          | sealed   | plain     | crc | AES-256-GCM of an LZ4  | tag |
//!          | length   | length    |     | block of records       | 16  |
//!          +----------+-----------+-----+------------------------+-----+
//!  record: index u64, time u64, length u32, the entry's bytes
//! ```
//!
//! Every file has a key of its own, wrapped under a secret of the node; a frame's nonce is its number,
//! its additional data the file's header and the frame's. The last frame is empty: without it a file
//! is cut. The name is given when the file is whole and synced. The day counts from 1970-01-01; 0 is not
//! told, by an earlier program. What the name tells is compared with what is in the file.

mod read;
mod retention;
mod write;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

pub use self::read::{ArchiveReader, ArchivedEntry};
pub use self::retention::{Unwanted, unwanted_archives};
pub use self::write::ArchiveWriter;
use crate::Day;

const MAGIC: &[u8; 8] = b"ACHARCH1";
const VERSION: u32 = 1;
const HEADER_BYTES: usize = 88;
const FRAME_HEADER_BYTES: usize = 12;
const RECORD_HEADER_BYTES: usize = 20;
const KEY_BYTES: usize = 32;

/// Records gather to this before they are compressed: LZ4 looks back 64 KiB, and a reader holds one
/// frame in memory.
const FRAME_BYTES: usize = 1 << 20;

/// The largest entry: what the journal's largest record can be.
pub const ARCHIVED_ENTRY_BYTES_MAX: usize = 64 << 20;

/// Plain bytes of a frame at most: those gathered before the largest entry came, and that.
const PLAIN_BYTES_MAX: usize = FRAME_BYTES + RECORD_HEADER_BYTES + ARCHIVED_ENTRY_BYTES_MAX;

/// LZ4 packs at most so many bytes into one.
const LZ4_RATIO_MAX: usize = 255;

/// Why an archive was not written or read.
#[derive(Debug, Error)]
pub enum ArchiveError {
    /// An entry does not follow the one before.
    #[error("entry {got} does not follow {after} in the archive; begin another archive with it")]
    OutOfOrder {
        /// The last entry.
        after: u64,
        /// The entry that came.
        got: u64,
    },
    /// An entry is too large.
    #[error("entry {index} has {bytes} bytes; at most {ARCHIVED_ENTRY_BYTES_MAX} are archived")]
    TooLarge {
        /// Which.
        index: u64,
        /// How large.
        bytes: usize,
    },
    /// A newer program wrote it.
    #[error("the archive is of version {version}, written by a newer program; read it with that")]
    Newer {
        /// Its version.
        version: u32,
    },
    /// It is not as it was written.
    #[error("the archive is damaged behind entry {after}: {what}; take it from your backup")]
    Damaged {
        /// The last sound entry; 0 before the first.
        after: u64,
        /// What was found.
        what: &'static str,
    },
    /// It is another one than its name says.
    #[error(
        "{} is not what its name says: {what}; give it its name back or take it from your backup",
        file.display()
    )]
    Misnamed {
        /// Where it lies.
        file: PathBuf,
        /// What is different.
        what: &'static str,
    },
    /// The secret is another one.
    #[error(
        "the archive cannot be opened with this key of the node; give the one it was written with"
    )]
    WrongSecret,
    /// The library of cryptography refused.
    #[error("the cryptography failed; try again")]
    Cipher,
    /// The disk or the system refused.
    #[error("cannot {verb} the archive")]
    Disk {
        /// What was tried.
        verb: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

/// What an archive holds, as its name tells.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ArchiveSpan {
    /// Its first entry.
    pub first_index: u64,
    /// Its last entry.
    pub last_index: u64,
    /// The day of all of them.
    pub day: Day,
    /// Where it lies.
    pub file: PathBuf,
}

impl ArchiveSpan {
    fn file_name(day: Day, first: u64, last: u64) -> String {
        format!("day-{day}-{first:016x}-{last:016x}.arc")
    }

    fn named(folder: &Path, name: &str) -> Option<ArchiveSpan> {
        let rest = name.strip_prefix("day-")?.strip_suffix(".arc")?;
        let (rest, last) = rest.rsplit_once('-')?;
        let (day, first) = rest.rsplit_once('-')?;
        let number = |text: &str| u64::from_str_radix(text, 16).ok();
        let (first_index, last_index) = (number(first)?, number(last)?);
        let file = folder.join(name);
        Some(ArchiveSpan { first_index, last_index, day: day.parse().ok()?, file })
    }
}

/// The archives in a folder, by their first entry; no folder holds none.
///
/// # Errors
///
/// When the folder cannot be read.
pub fn archives(folder: &Path) -> Result<Vec<ArchiveSpan>, ArchiveError> {
    let failed = |source| ArchiveError::Disk { verb: "list", source };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(failed(source)),
    };
    let mut spans = Vec::new();
    for entry in entries {
        let name = entry.map_err(failed)?.file_name();
        spans.extend(name.to_str().and_then(|name| ArchiveSpan::named(folder, name)));
    }
    spans.sort();
    Ok(spans)
}

/// The additional data of a frame: everything about it that is not in it.
fn frame_aad(header: &[u8; HEADER_BYTES], number: u64, plain_bytes: u32) -> Vec<u8> {
    let mut aad = header.to_vec();
    aad.extend_from_slice(&number.to_le_bytes());
    aad.extend_from_slice(&plain_bytes.to_le_bytes());
    aad
}

/// A frame's nonce is its number: a key seals one file.
fn frame_nonce(number: u64) -> aws_lc_rs::aead::Nonce {
    let mut nonce = [0; aws_lc_rs::aead::NONCE_LEN];
    for (byte, digit) in nonce.iter_mut().skip(4).zip(number.to_le_bytes()) {
        *byte = digit;
    }
    aws_lc_rs::aead::Nonce::assume_unique_for_key(nonce)
}
