//! Writes a checkpoint: under another name until it is whole and on the disk.

use std::io;

use ach_engine_journal::{Disk, DiskFile, FileKey, Kek, WrappedKey};
use zerocopy::IntoBytes;
use zerocopy::little_endian::{U32, U64};

use crate::errors::WriteError;
use crate::layout::{
    FORMAT_VERSION, Header, MAGIC, SEAL_KIND, SECTION_BYTES_MAX, SECTION_HEADER_BYTES,
    SECTION_MAGIC, Seal, SealLayout, SectionHeader, TAG_BYTES,
};
use crate::shelf::{DRAFT_NAME, name_of};

/// How much is written between two syncs: little enough that a group of the journal, on the same
/// disk, waits milliseconds for it.
const SYNC_EVERY_BYTES: u64 = 1 << 20;

/// How much is written at once.
const STEP_BYTES: usize = 1 << 20;

/// A checkpoint that is being written. One that is dropped leaves a file that the next one, or the
/// next start, removes.
#[derive(Debug)]
pub struct Draft<D: Disk> {
    disk: D,
    file: D::File,
    key: FileKey,
    index: u64,
    chain: [u8; TAG_BYTES],
    number: u64,
    at: u64,
    synced_at: u64,
    kept_bytes: u64,
}

impl<D: Disk> Draft<D> {
    /// Begins the checkpoint of a shard at an entry. `kept_bytes` of the disk stay free for others.
    ///
    /// # Errors
    /// See [`WriteError`].
    pub fn begin(
        disk: D,
        kek: &Kek,
        shard: u32,
        index: u64,
        kept_bytes: u64,
    ) -> Result<Draft<D>, WriteError> {
        room(&disk, kept_bytes)?;
        match disk.remove(DRAFT_NAME) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(WriteError::Disk { verb: "remove the remains of", source });
            }
            Ok(()) | Err(_) => {}
        }
        let (header, key) = header(kek, shard, index)?;
        let created = disk.create(DRAFT_NAME, 0);
        let file = created.map_err(|source| failed(&disk, kept_bytes, "create", source))?;
        let mut draft = Draft {
            disk,
            file,
            key,
            index,
            chain: header.wrap_tag,
            number: 0,
            at: 0,
            synced_at: 0,
            kept_bytes,
        };
        draft.write(header.as_bytes())?;
        Ok(draft)
    }

    /// Adds a section. `kind` is the caller's, and not 0. The bytes are encrypted in place; nothing
    /// of them is of use afterwards.
    ///
    /// # Errors
    /// See [`WriteError`]; drop the draft then.
    pub fn section(&mut self, kind: u32, body: &mut Vec<u8>) -> Result<(), WriteError> {
        let too_large = WriteError::TooLarge { bytes: body.len() };
        if body.len() > SECTION_BYTES_MAX {
            return Err(too_large);
        }
        let length = u32::try_from(body.len()).map_err(|_| too_large)?;
        self.number = self.number.saturating_add(1);
        let mut header = SectionHeader {
            magic: SECTION_MAGIC,
            kind: U32::new(kind),
            number: U64::new(self.number),
            chain: self.chain,
            length: U32::new(length),
            body_crc: U32::ZERO,
            zero: [0; 4],
            crc: U32::ZERO,
        };
        let tag = self.key.seal(self.number, &header.aad(), body);
        let tag = tag.map_err(|_| WriteError::Cipher)?;
        body.extend_from_slice(&tag);
        header.body_crc = U32::new(crc32c::crc32c(body));
        header.crc = U32::new(header.checksum());
        let section_bytes = length_of(SECTION_HEADER_BYTES).saturating_add(length_of(body.len()));
        if section_bytes > SYNC_EVERY_BYTES {
            room(&self.disk, self.kept_bytes.saturating_add(section_bytes))?;
        }
        self.write(header.as_bytes())?;
        for step in body.chunks(STEP_BYTES) {
            self.write(step)?;
        }
        self.chain = tag;
        Ok(())
    }

    /// Writes the next bytes, of which there are at most as many as fit between two syncs.
    fn write(&mut self, bytes: &[u8]) -> Result<(), WriteError> {
        let written = self.file.write_at(self.at, bytes);
        written.map_err(|source| self.failed("write", source))?;
        self.at = self.at.saturating_add(length_of(bytes.len()));
        if self.at.saturating_sub(self.synced_at) >= SYNC_EVERY_BYTES {
            self.sync()?;
            room(&self.disk, self.kept_bytes)?;
        }
        Ok(())
    }

    fn sync(&mut self) -> Result<(), WriteError> {
        self.synced_at = self.at;
        self.file.sync().map_err(|source| self.failed("sync", source))
    }

    fn failed(&self, verb: &'static str, source: io::Error) -> WriteError {
        failed(&self.disk, self.kept_bytes, verb, source)
    }

    /// Ends the checkpoint. When this returns it is under its name and survives a power cut. Says
    /// how many bytes it has.
    ///
    /// # Errors
    /// See [`WriteError`]. It may be under its name all the same, and whole; nothing may be given up
    /// in reliance on it.
    ///
    /// # Panics
    /// If the seal is of another entry.
    pub fn finish(mut self, seal: &Seal) -> Result<u64, WriteError> {
        assert_eq!(seal.index, self.index, "a checkpoint is sealed for the entry it was begun at");
        let number = self.number.saturating_add(1);
        let mut body = SealLayout::new(seal, number).as_bytes().to_vec();
        self.section(SEAL_KIND, &mut body)?;
        self.sync()?;
        let named = self.disk.rename(DRAFT_NAME, &name_of(self.index));
        named.map_err(|source| self.failed("name", source))?;
        self.disk.sync_dir().map_err(|source| self.failed("sync the folder of", source))?;
        Ok(self.at)
    }

    /// Gives it up and takes its file away.
    pub fn give_up(self) {
        let Draft { disk, file, .. } = self;
        drop(file);
        // What cannot be removed now is removed by the next one.
        drop(disk.remove(DRAFT_NAME));
    }
}

fn header(kek: &Kek, shard: u32, index: u64) -> Result<(Header, FileKey), WriteError> {
    let mut header = Header {
        magic: MAGIC,
        version: U32::new(FORMAT_VERSION),
        shard: U32::new(shard),
        index: U64::new(index),
        more_zeros: [0; 16],
        kek_id: kek.id(),
        wrap_nonce: [0; 12],
        zero: [0; 4],
        wrapped_key: [0; 32],
        wrap_tag: [0; 16],
        zeros: [0; 132],
        crc: U32::ZERO,
    };
    let (key, wrapped) = kek.make_key(&header.aad()).map_err(|_| WriteError::Cipher)?;
    let WrappedKey { nonce, key: wrapped_key, tag } = wrapped;
    (header.wrap_nonce, header.wrapped_key, header.wrap_tag) = (nonce, wrapped_key, tag);
    header.crc = U32::new(header.checksum());
    Ok((header, key))
}

fn room<D: Disk>(disk: &D, kept_bytes: u64) -> Result<(), WriteError> {
    let free_bytes = disk.free_bytes();
    let free_bytes =
        free_bytes.map_err(|source| WriteError::Disk { verb: "ask for room for", source })?;
    let next_bytes = kept_bytes.saturating_add(SYNC_EVERY_BYTES);
    if free_bytes < next_bytes {
        return Err(WriteError::Full { free_bytes, kept_bytes });
    }
    Ok(())
}

fn failed<D: Disk>(disk: &D, kept_bytes: u64, verb: &'static str, source: io::Error) -> WriteError {
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            // A quota may be met with much free; what the disk says is what an operator sees.
            WriteError::Full { free_bytes: disk.free_bytes().unwrap_or(0), kept_bytes }
        }
        _ => WriteError::Disk { verb, source },
    }
}

fn length_of(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}
