//! The segment that is reserved before it is needed, so that audit goes on for a while when the disk is
//! full, and how a segment is made of it.

use std::io;

use ach_engine_journal::{Disk, DiskFile};

use crate::chain::Chain;
use crate::frame::{Frame, FrameKind};
use crate::head::SignedHead;
use crate::segment;
use crate::walk::SEGMENT_BYTES_MAX;

/// Its name.
const SPARE_NAME: &str = "spare";

/// Zeros are written in pieces of this size.
const ZERO_BYTES: usize = 64 * 1024;

static ZEROS: [u8; ZERO_BYTES] = [0; ZERO_BYTES];

/// Whether an operation failed for want of room alone, be it of the disk or of a quota.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// Reserves a spare. One of an earlier run is kept with its room, which may be all that is left; what
/// a birth that came to nothing has left in it is zeroed.
pub(crate) fn prepare<D: Disk>(disk: &D, segment_bytes: u64) -> io::Result<()> {
    if keep(disk, segment_bytes)? {
        return Ok(());
    }
    // Its room outlives a power cut, too.
    disk.create(SPARE_NAME, segment_bytes)?.sync()?;
    disk.sync_dir()
}

/// Whether there is a spare, fit for use. One of another size is removed.
fn keep<D: Disk>(disk: &D, segment_bytes: u64) -> io::Result<bool> {
    let file = match disk.open(SPARE_NAME) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        opened => opened?,
    };
    if file.len_bytes()? != segment_bytes {
        disk.remove(SPARE_NAME)?;
        return Ok(false);
    }
    let mut bytes = Vec::new();
    file.read_all(&mut bytes, SEGMENT_BYTES_MAX)?;
    let mut is_clean = true;
    for (at, piece) in (0..).step_by(ZERO_BYTES).zip(bytes.chunks(ZERO_BYTES)) {
        if piece.iter().any(|byte| *byte != 0) {
            zero(&file, at, length(piece))?;
            is_clean = false;
        }
    }
    if !is_clean {
        file.sync()?;
    }
    Ok(true)
}

/// Writes zeros over what is there: room that is reserved stays so.
pub(crate) fn zero(file: &impl DiskFile, from: u64, count: u64) -> io::Result<()> {
    let (mut at, mut left) = (from, count);
    while left > 0 {
        let len = usize::try_from(left).unwrap_or(ZERO_BYTES).min(ZERO_BYTES);
        let piece = ZEROS.get(..len).unwrap_or_default();
        file.write_at(at, piece)?;
        at = at.saturating_add(length(piece));
        left = left.saturating_sub(length(piece));
    }
    Ok(())
}

/// Whether nothing but zeros is there, as far as the file reaches.
pub(crate) fn is_zero(file: &impl DiskFile, from: u64, count: u64) -> io::Result<bool> {
    let mut bytes = vec![0; usize::try_from(count).unwrap_or(usize::MAX)];
    let read = file.read_at(from, &mut bytes)?;
    Ok(bytes.iter().take(read).all(|byte| *byte == 0))
}

/// How a segment begins: with its header and a head of what was before.
pub(crate) fn beginning(segment: u64, chain: &Chain, head: &SignedHead) -> Vec<u8> {
    let mut bytes = segment::header(segment, chain);
    bytes.extend(head_frame(head));
    bytes
}

/// A head as it lies in a segment.
pub(crate) fn head_frame(signed: &SignedHead) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(512);
    let (index, link) = (signed.head.size, signed.head.link);
    let text = signed.to_string();
    Frame { kind: FrameKind::Head, index, link, payload: text.as_bytes() }.put(&mut bytes);
    bytes
}

/// Writes the beginning of a segment into the spare.
pub(crate) fn fill<D: Disk>(disk: &D, bytes: &[u8]) -> io::Result<D::File> {
    let file = disk.open(SPARE_NAME)?;
    file.write_at(0, bytes)?;
    Ok(file)
}

/// Makes a segment of the spare. It gets its name when what was filled into it is on disk, so that no
/// segment is ever seen without it.
pub(crate) fn give_birth<D: Disk>(disk: &D, file: &D::File, segment: u64) -> io::Result<()> {
    file.sync()?;
    disk.rename(SPARE_NAME, &segment::name(segment))?;
    disk.sync_dir()
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
