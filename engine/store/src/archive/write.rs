//! Writes an archive, an entry at a time.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use ach_actors_model::Timestamp;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use zeroize::Zeroizing;

use super::{
    ARCHIVED_ENTRY_BYTES_MAX, ArchiveError, ArchiveSpan, FRAME_BYTES, HEADER_BYTES, KEY_BYTES,
    MAGIC, RECORD_HEADER_BYTES, VERSION, frame_aad, frame_nonce,
};
use crate::Day;

/// An archive that is being written. Without [`ArchiveWriter::finish`] nothing is left of it but a file
/// of no name, which the next one of that index replaces.
#[derive(Debug)]
pub struct ArchiveWriter {
    folder: PathBuf,
    unfinished: PathBuf,
    file: BufWriter<File>,
    key: LessSafeKey,
    header: [u8; HEADER_BYTES],
    frame: Vec<u8>,
    frame_count: u64,
    first_index: u64,
    last_index: u64,
    day: Day,
}

impl ArchiveWriter {
    /// Begins an archive in `folder` with the entry `first_index` of the day of `at`. `secret` wraps
    /// its key.
    ///
    /// # Errors
    ///
    /// When the disk or the cryptography refuses.
    pub fn begin(
        folder: &Path,
        secret: &[u8; KEY_BYTES],
        first_index: u64,
        at: Timestamp,
    ) -> Result<ArchiveWriter, ArchiveError> {
        let failed = |verb| move |source| ArchiveError::Disk { verb, source };
        fs::create_dir_all(folder).map_err(failed("make the folder of"))?;
        let unfinished = folder.join(format!("{first_index:016x}.unfinished"));
        let file = File::create(&unfinished).map_err(failed("create"))?;
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        aws_lc_rs::rand::fill(key.as_mut_slice()).map_err(|_| ArchiveError::Cipher)?;
        let header = header_of(secret, (Day::of(at), first_index), &key)?;
        let mut file = BufWriter::new(file);
        file.write_all(&header).map_err(failed("write"))?;
        Ok(ArchiveWriter {
            folder: folder.to_owned(),
            unfinished,
            file,
            key: cipher(&key)?,
            header,
            frame: Vec::new(),
            frame_count: 0,
            first_index,
            last_index: first_index.saturating_sub(1),
            day: Day::of(at),
        })
    }

    /// The day of its entries.
    pub fn day(&self) -> Day {
        self.day
    }

    /// Adds the next entry. It must be of the archive's day.
    ///
    /// # Errors
    ///
    /// When it is not the next, is too large, or the disk refuses.
    pub fn push(&mut self, index: u64, at: Timestamp, entry: &[u8]) -> Result<(), ArchiveError> {
        if index != self.last_index.saturating_add(1) || Day::of(at) != self.day {
            return Err(ArchiveError::OutOfOrder { after: self.last_index, got: index });
        }
        let too_large = || ArchiveError::TooLarge { index, bytes: entry.len() };
        let length = u32::try_from(entry.len()).map_err(|_| too_large())?;
        if entry.len() > ARCHIVED_ENTRY_BYTES_MAX {
            return Err(too_large());
        }
        self.frame.reserve(RECORD_HEADER_BYTES.saturating_add(entry.len()));
        self.frame.extend_from_slice(&index.to_le_bytes());
        self.frame.extend_from_slice(&at.0.to_le_bytes());
        self.frame.extend_from_slice(&length.to_le_bytes());
        self.frame.extend_from_slice(entry);
        self.last_index = index;
        if self.frame.len() >= FRAME_BYTES { self.seal_frame() } else { Ok(()) }
    }

    /// Writes what is left, syncs it and gives it its name.
    ///
    /// # Errors
    ///
    /// When the disk refuses.
    pub fn finish(mut self) -> Result<ArchiveSpan, ArchiveError> {
        let failed = |verb| move |source| ArchiveError::Disk { verb, source };
        if !self.frame.is_empty() {
            self.seal_frame()?;
        }
        // The empty frame that says that nothing is missing.
        self.seal_frame()?;
        self.file.flush().map_err(failed("write"))?;
        self.file.get_ref().sync_all().map_err(failed("sync"))?;
        let name = ArchiveSpan::file_name(self.day, self.first_index, self.last_index);
        let file = self.folder.join(name);
        fs::rename(&self.unfinished, &file).map_err(failed("rename"))?;
        let folder = File::open(&self.folder).and_then(|folder| folder.sync_all());
        folder.map_err(failed("sync the folder of"))?;
        let (first_index, last_index) = (self.first_index, self.last_index);
        Ok(ArchiveSpan { first_index, last_index, day: self.day, file })
    }

    fn seal_frame(&mut self) -> Result<(), ArchiveError> {
        let plain_bytes = u32::try_from(self.frame.len()).map_err(|_| ArchiveError::Cipher)?;
        let mut sealed =
            if self.frame.is_empty() { Vec::new() } else { lz4_flex::block::compress(&self.frame) };
        let aad = frame_aad(&self.header, self.frame_count, plain_bytes);
        let nonce = frame_nonce(self.frame_count);
        self.key
            .seal_in_place_append_tag(nonce, Aad::from(aad), &mut sealed)
            .map_err(|_| ArchiveError::Cipher)?;
        let sealed_bytes = u32::try_from(sealed.len()).map_err(|_| ArchiveError::Cipher)?;
        let mut head = [0; 8];
        head[..4].copy_from_slice(&sealed_bytes.to_le_bytes());
        head[4..].copy_from_slice(&plain_bytes.to_le_bytes());
        let crc = crc32c::crc32c_append(crc32c::crc32c(&head), &sealed);
        let failed = |source| ArchiveError::Disk { verb: "write", source };
        for part in [&head[..], &crc.to_le_bytes(), &sealed] {
            self.file.write_all(part).map_err(failed)?;
        }
        self.frame.clear();
        self.frame_count += 1;
        Ok(())
    }
}

/// The header of a file whose key is wrapped under the node's secret.
fn header_of(
    secret: &[u8; KEY_BYTES],
    (day, first_index): (Day, u64),
    key: &Zeroizing<[u8; KEY_BYTES]>,
) -> Result<[u8; HEADER_BYTES], ArchiveError> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes.extend_from_slice(&day.0.to_le_bytes());
    bytes.extend_from_slice(&first_index.to_le_bytes());
    let mut nonce = [0; aws_lc_rs::aead::NONCE_LEN];
    aws_lc_rs::rand::fill(&mut nonce).map_err(|_| ArchiveError::Cipher)?;
    let mut wrapped = **key;
    let aad = Aad::from(bytes.clone());
    let tag = cipher(secret)?
        .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), aad, &mut wrapped)
        .map_err(|_| ArchiveError::Cipher)?;
    bytes.extend_from_slice(&nonce);
    bytes.extend_from_slice(&wrapped);
    bytes.extend_from_slice(tag.as_ref());
    bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_le_bytes());
    bytes.try_into().map_err(|_| ArchiveError::Cipher)
}

fn cipher(key: &[u8; KEY_BYTES]) -> Result<LessSafeKey, ArchiveError> {
    let key = UnboundKey::new(&AES_256_GCM, key).map_err(|_| ArchiveError::Cipher)?;
    Ok(LessSafeKey::new(key))
}
