//! Reads a checkpoint, and refuses what is not whole.

use std::io;

use ach_engine_journal::{Disk, DiskFile, FileKey, Kek, SimDisk, WrappedKey};
use zerocopy::FromBytes;

use crate::errors::{Flaw, ReadError};
use crate::layout::{
    FORMAT_VERSION, FORMAT_VERSION_MIN, HEADER_BYTES, Header, MAGIC, SEAL_KIND, SECTION_BYTES_MAX,
    SECTION_HEADER_BYTES, SECTION_MAGIC, Seal, SealLayout, SectionHeader, TAG_BYTES,
};
use crate::shelf::name_of;

/// A section as its writer gave it.
#[derive(Debug, Clone, Copy)]
pub struct Section<'a> {
    /// The writer's word for it.
    pub kind: u32,
    /// Its contents.
    pub body: &'a [u8],
    /// The version of the format that its file is written in, at most [`FORMAT_VERSION`].
    pub version: u32,
}

/// Reads the checkpoint of an entry and hands its sections in order to `each`, which says whether
/// they make sense. What was handed out is good only if this returns well.
///
/// # Errors
/// See [`ReadError`].
pub fn read<D: Disk>(
    disk: &D,
    index: u64,
    kek: &Kek,
    each: &mut dyn FnMut(Section<'_>) -> bool,
) -> Result<Seal, ReadError> {
    let mut walk = Walk::open(disk, index)?;
    let key = walk.key(kek)?;
    let mut seal = None;
    while seal.is_none() {
        let header = walk.next()?;
        let Some(body) = open(&key, &header, &mut walk.body) else {
            return Err(walk.damaged(Flaw::Contents));
        };
        if header.kind.get() != SEAL_KIND {
            let version = walk.header.version.get();
            if !each(Section { kind: header.kind.get(), body, version }) {
                return Err(walk.damaged(Flaw::Meaning));
            }
            continue;
        }
        let layout = SealLayout::read_from_bytes(body).ok();
        let found = layout.and_then(|layout| layout.seal(header.number.get()));
        seal = found.filter(|seal| seal.index == index);
        if seal.is_none() {
            return Err(walk.damaged(Flaw::Seal));
        }
    }
    walk.end()?;
    seal.ok_or(ReadError::Damaged { offset: walk.at, flaw: Flaw::Unfinished })
}

/// Checks lengths, chain and checksums of the checkpoint of an entry without a key, which finds
/// every damage but not every forgery. Says how many sections it has.
///
/// # Errors
/// See [`ReadError`].
pub fn verify<D: Disk>(disk: &D, index: u64) -> Result<u64, ReadError> {
    let mut walk = Walk::open(disk, index)?;
    loop {
        let header = walk.next()?;
        if header.kind.get() == SEAL_KIND {
            walk.end()?;
            return Ok(header.number.get());
        }
    }
}

/// Reads a checkpoint that is in memory: what [`read`] does, whatever the bytes are.
///
/// # Errors
/// See [`ReadError`].
pub fn read_file(
    bytes: &[u8],
    index: u64,
    kek: &Kek,
    each: &mut dyn FnMut(Section<'_>) -> bool,
) -> Result<Seal, ReadError> {
    read(&SimDisk::holding(&[(&name_of(index), bytes)]), index, kek, each)
}

/// A checkpoint, as far as it was read.
struct Walk<F> {
    file: F,
    header: Header,
    len_bytes: u64,
    at: u64,
    number: u64,
    chain: [u8; TAG_BYTES],
    body: Vec<u8>,
}

impl<F: DiskFile> Walk<F> {
    fn open<D: Disk<File = F>>(disk: &D, index: u64) -> Result<Walk<F>, ReadError> {
        let file = disk.open_reading(&name_of(index)).map_err(failed("open"))?;
        let len_bytes = file.len_bytes().map_err(failed("measure"))?;
        let damaged = |flaw| Err(ReadError::Damaged { offset: 0, flaw });
        let mut bytes = [0; HEADER_BYTES];
        let read = file.read_at(0, &mut bytes).map_err(failed("read"))?;
        let Ok(header) = Header::read_from_bytes(bytes.get(..read).unwrap_or_default()) else {
            return damaged(Flaw::Header);
        };
        if header.magic != MAGIC || header.crc.get() != header.checksum() {
            return damaged(Flaw::Header);
        }
        let version = header.version.get();
        if version > FORMAT_VERSION {
            return Err(ReadError::NewerFormat { version });
        }
        // No program ever wrote a lower one.
        if version < FORMAT_VERSION_MIN {
            return damaged(Flaw::Header);
        }
        if header.zero != [0; 4] || header.zeros != [0; 132] || header.more_zeros != [0; 16] {
            return damaged(Flaw::Header);
        }
        if header.index.get() != index {
            return damaged(Flaw::Name);
        }
        let at = u64::try_from(HEADER_BYTES).unwrap_or(u64::MAX);
        let chain = header.wrap_tag;
        Ok(Walk { file, header, len_bytes, at, number: 0, chain, body: Vec::new() })
    }

    fn key(&self, kek: &Kek) -> Result<FileKey, ReadError> {
        let header = &self.header;
        if header.kek_id != kek.id() {
            return Err(ReadError::WrongKey);
        }
        let (nonce, key, tag) = (header.wrap_nonce, header.wrapped_key, header.wrap_tag);
        let opened = kek.open_key(&header.aad(), &WrappedKey { nonce, key, tag });
        opened.map_err(|_| self.damaged(Flaw::Key))
    }

    /// Reads the next section, ciphertext and tag, into `body`.
    fn next(&mut self) -> Result<SectionHeader, ReadError> {
        let left_bytes = self.len_bytes.saturating_sub(self.at);
        if left_bytes == 0 {
            return Err(self.damaged(Flaw::Unfinished));
        }
        let mut bytes = [0; SECTION_HEADER_BYTES];
        let read = self.file.read_at(self.at, &mut bytes).map_err(failed("read"))?;
        let Ok(header) = SectionHeader::read_from_bytes(bytes.get(..read).unwrap_or_default())
        else {
            return Err(self.damaged(Flaw::SectionHeader));
        };
        let is_intact = header.magic == SECTION_MAGIC
            && header.crc.get() == header.checksum()
            && header.zero == [0; 4];
        if !is_intact {
            return Err(self.damaged(Flaw::SectionHeader));
        }
        if header.number.get() != self.number.saturating_add(1) || header.chain != self.chain {
            return Err(self.damaged(Flaw::Sequence));
        }
        let length = usize::try_from(header.length.get()).unwrap_or(usize::MAX);
        let body_len = length.saturating_add(TAG_BYTES);
        let head_bytes = u64::try_from(SECTION_HEADER_BYTES).unwrap_or(u64::MAX);
        let body_bytes = u64::try_from(body_len).unwrap_or(u64::MAX);
        // Only what is there is made room for.
        if length > SECTION_BYTES_MAX || body_bytes > left_bytes.saturating_sub(head_bytes) {
            return Err(self.damaged(Flaw::Length));
        }
        self.body.resize(body_len, 0);
        let body_at = self.at.saturating_add(head_bytes);
        let read = self.file.read_at(body_at, &mut self.body).map_err(failed("read"))?;
        if read != body_len || crc32c::crc32c(&self.body) != header.body_crc.get() {
            return Err(self.damaged(Flaw::Contents));
        }
        self.chain = self.body.last_chunk().copied().unwrap_or_default();
        self.number = header.number.get();
        self.at = body_at.saturating_add(body_bytes);
        Ok(header)
    }

    fn end(&self) -> Result<(), ReadError> {
        if self.at == self.len_bytes { Ok(()) } else { Err(self.damaged(Flaw::Trailing)) }
    }

    fn damaged(&self, flaw: Flaw) -> ReadError {
        ReadError::Damaged { offset: self.at, flaw }
    }
}

fn open<'a>(key: &FileKey, header: &SectionHeader, body: &'a mut [u8]) -> Option<&'a [u8]> {
    key.open(header.number.get(), &header.aad(), body).ok()
}

fn failed(verb: &'static str) -> impl FnOnce(io::Error) -> ReadError {
    move |source| ReadError::Disk { verb, source }
}
