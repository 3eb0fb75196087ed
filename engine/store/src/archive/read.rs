//! Reads an archive; trusts nothing.

use std::fs::File;
use std::io::{self, BufReader, Read};

use ach_actors_model::Timestamp;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use zeroize::Zeroizing;

use super::{
    ArchiveError, ArchiveSpan, FRAME_HEADER_BYTES, HEADER_BYTES, KEY_BYTES, LZ4_RATIO_MAX, MAGIC,
    PLAIN_BYTES_MAX, VERSION, frame_aad, frame_nonce,
};
use crate::Day;

/// Bytes of the tag of AES-GCM.
const TAG_BYTES: usize = 16;

/// An entry out of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchivedEntry {
    /// Its index.
    pub index: u64,
    /// Its time.
    pub at: Timestamp,
    /// Its bytes, as `ach_engine_wire::decode_entry` reads them.
    pub bytes: Vec<u8>,
}

/// The entries of an archive in order. After an error there are none.
pub struct ArchiveReader<R> {
    source: R,
    key: LessSafeKey,
    header: [u8; HEADER_BYTES],
    frame: Vec<u8>,
    at: usize,
    frame_count: u64,
    first_index: u64,
    last_index: u64,
    /// The day of all entries; `None` if the file does not tell.
    day: Option<Day>,
    /// What its name says, if it has one.
    named: Option<ArchiveSpan>,
    is_over: bool,
}

impl<R> std::fmt::Debug for ArchiveReader<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ArchiveReader")
            .field("last_index", &self.last_index)
            .finish_non_exhaustive()
    }
}

impl ArchiveReader<BufReader<File>> {
    /// Opens a file, which must be what its name says.
    ///
    /// # Errors
    ///
    /// When it cannot be read, is damaged, is another than its name says, or belongs to another secret.
    pub fn open(span: &ArchiveSpan, secret: &[u8; KEY_BYTES]) -> Result<Self, ArchiveError> {
        let file =
            File::open(&span.file).map_err(|source| ArchiveError::Disk { verb: "open", source })?;
        let mut reader = ArchiveReader::new(BufReader::new(file), secret)?;
        let misnamed = |what| Err(ArchiveError::Misnamed { file: span.file.clone(), what });
        if reader.first_index != span.first_index {
            return misnamed("it begins with another entry");
        }
        if reader.day.is_some_and(|day| day != span.day) {
            return misnamed("it is of another day");
        }
        reader.named = Some(span.clone());
        Ok(reader)
    }
}

impl<R: Read> ArchiveReader<R> {
    /// Reads an archive from anywhere.
    ///
    /// # Errors
    ///
    /// When it cannot be read, is damaged, or belongs to another secret.
    pub fn new(mut source: R, secret: &[u8; KEY_BYTES]) -> Result<ArchiveReader<R>, ArchiveError> {
        let damaged = |what| ArchiveError::Damaged { after: 0, what };
        let mut header = [0; HEADER_BYTES];
        source.read_exact(&mut header).map_err(|error| disk(error, 0))?;
        let (text, crc) = header.split_last_chunk().ok_or_else(|| damaged("no header"))?;
        if u32::from_le_bytes(*crc) != crc32c::crc32c(text) || !text.starts_with(MAGIC) {
            return Err(damaged("the header is not as it was written"));
        }
        let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
        match part(8, 12).first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes)) {
            VERSION => {}
            version if version > VERSION => return Err(ArchiveError::Newer { version }),
            _ => return Err(damaged("no version")),
        }
        let day = part(12, 16).first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes));
        let first_index = part(16, 24).first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
        let nonce = part(24, 36).try_into().map_err(|_| damaged("no nonce"))?;
        let mut both = Zeroizing::new(part(36, 84).to_vec());
        let aad = Aad::from(part(0, 24));
        let key = cipher(secret)?
            .open_in_place(Nonce::assume_unique_for_key(nonce), aad, &mut both)
            .map_err(|_| ArchiveError::WrongSecret)?;
        let key: &[u8; KEY_BYTES] = (&*key).try_into().map_err(|_| ArchiveError::WrongSecret)?;
        Ok(ArchiveReader {
            source,
            key: cipher(key)?,
            header,
            frame: Vec::new(),
            at: 0,
            frame_count: 0,
            first_index,
            last_index: u64::saturating_sub(first_index, 1),
            day: Some(Day(day)).filter(|day| day.0 != 0),
            named: None,
            is_over: false,
        })
    }

    fn damaged(&self, what: &'static str) -> ArchiveError {
        ArchiveError::Damaged { after: self.last_index, what }
    }

    /// Reads the next frame; false when it is the empty one at the end.
    fn next_frame(&mut self) -> Result<bool, ArchiveError> {
        let mut head = [0; FRAME_HEADER_BYTES];
        self.source.read_exact(&mut head).map_err(|error| disk(error, self.last_index))?;
        let cut = || ArchiveError::Damaged { after: self.last_index, what: "a frame is cut" };
        let (lengths, crc) = head.split_first_chunk::<8>().ok_or_else(cut)?;
        let crc = u32::from_le_bytes(*crc.first_chunk().ok_or_else(cut)?);
        let both = u64::from_le_bytes(*lengths);
        let plain = u32::try_from(both >> 32).unwrap_or(u32::MAX);
        let sealed = usize::try_from(both & u64::from(u32::MAX));
        let (Ok(sealed_bytes), Ok(plain_bytes)) = (sealed, usize::try_from(plain)) else {
            return Err(self.damaged("a frame is too long"));
        };
        // No more is allocated than LZ4 can make of what is there to be read.
        let packed_bytes = sealed_bytes.saturating_sub(TAG_BYTES);
        let is_possible = sealed_bytes >= TAG_BYTES
            && plain_bytes <= PLAIN_BYTES_MAX
            && sealed_bytes
                <= lz4_flex::block::get_maximum_output_size(PLAIN_BYTES_MAX) + TAG_BYTES
            && plain_bytes <= packed_bytes.saturating_mul(LZ4_RATIO_MAX);
        if !is_possible {
            return Err(self.damaged("a frame's lengths make no sense"));
        }
        let mut sealed = Vec::new();
        let limit = u64::try_from(sealed_bytes).unwrap_or(u64::MAX);
        let read = self.source.by_ref().take(limit).read_to_end(&mut sealed);
        let read = read.map_err(|error| disk(error, self.last_index))?;
        let expected = crc32c::crc32c_append(crc32c::crc32c(lengths), &sealed);
        if read != sealed_bytes || crc != expected {
            return Err(self.damaged("a frame's checksum does not fit"));
        }
        let aad = Aad::from(frame_aad(&self.header, self.frame_count, plain));
        let opened = self.key.open_in_place(frame_nonce(self.frame_count), aad, &mut sealed);
        let packed = opened.map_err(|_| self.damaged("a frame was not sealed by this node"))?;
        if plain_bytes == 0 {
            return Ok(false);
        }
        let plain = lz4_flex::block::decompress(packed, plain_bytes);
        self.frame = plain.map_err(|_| self.damaged("a frame does not unpack"))?;
        if self.frame.len() != plain_bytes {
            return Err(self.damaged("a frame unpacks to another length"));
        }
        (self.at, self.frame_count) = (0, self.frame_count + 1);
        Ok(true)
    }

    /// All of it was read: it must have been all that its name says.
    fn end(&self) -> Result<Option<ArchivedEntry>, ArchiveError> {
        match &self.named {
            Some(span) if span.last_index != self.last_index => Err(ArchiveError::Misnamed {
                file: span.file.clone(),
                what: "it ends with another entry",
            }),
            Some(_) | None => Ok(None),
        }
    }

    fn next_entry(&mut self) -> Result<Option<ArchivedEntry>, ArchiveError> {
        if self.at >= self.frame.len() && !self.next_frame()? {
            let mut more = [0; 1];
            return match self.source.read(&mut more) {
                Ok(0) => self.end(),
                Ok(_) => Err(self.damaged("something lies behind its end")),
                Err(error) => Err(disk(error, self.last_index)),
            };
        }
        let rest = self.frame.get(self.at..).unwrap_or_default();
        let record = rest.split_first_chunk::<8>().and_then(|(index, rest)| {
            let (at, rest) = rest.split_first_chunk::<8>()?;
            let (length, rest) = rest.split_first_chunk::<4>()?;
            let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
            let (bytes, rest) = rest.split_at_checked(length)?;
            let entry = ArchivedEntry {
                index: u64::from_le_bytes(*index),
                at: Timestamp(u64::from_le_bytes(*at)),
                bytes: bytes.to_vec(),
            };
            Some((entry, rest.len()))
        });
        let (entry, left) = record.ok_or_else(|| self.damaged("a record is cut"))?;
        if entry.index != self.last_index.saturating_add(1) {
            return Err(self.damaged("an entry is missing"));
        }
        if self.day.is_some_and(|day| day != Day::of(entry.at)) {
            return Err(self.damaged("an entry is of another day"));
        }
        self.at = self.frame.len().saturating_sub(left);
        self.last_index = entry.index;
        Ok(Some(entry))
    }
}

impl<R: Read> Iterator for ArchiveReader<R> {
    type Item = Result<ArchivedEntry, ArchiveError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let entry = self.next_entry().transpose();
        self.is_over = !matches!(entry, Some(Ok(_)));
        entry
    }
}

/// A file that ends too soon is cut.
fn disk(error: io::Error, after: u64) -> ArchiveError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => ArchiveError::Damaged { after, what: "it ends too soon" },
        _ => ArchiveError::Disk { verb: "read", source: error },
    }
}

fn cipher(key: &[u8; KEY_BYTES]) -> Result<LessSafeKey, ArchiveError> {
    let key = UnboundKey::new(&AES_256_GCM, key).map_err(|_| ArchiveError::Cipher)?;
    Ok(LessSafeKey::new(key))
}
