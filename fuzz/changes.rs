//! Changes of files that were written well: each is four bytes, which file, where (two), what.

/// Applies changes; those beyond the end of a file change nothing. Says whether anything is different.
pub fn apply(changes: &[u8], files: &mut [(&str, Vec<u8>)]) -> bool {
    let count = files.len();
    let mut is_changed = false;
    for change in changes.chunks_exact(4) {
        let place = usize::from(u16::from_le_bytes([change[1], change[2]]));
        let (_, bytes) = &mut files[usize::from(change[0]) % count];
        if let Some(byte) = bytes.get_mut(place) {
            is_changed |= *byte != change[3];
            *byte = change[3];
        }
    }
    is_changed
}

/// Makes a CRC32C right again: of the bytes `from` to `to`, kept at `at`. Beyond the end, nothing.
pub fn mend(bytes: &mut [u8], from: usize, to: usize, at: usize) {
    let Some(sum) = bytes.get(from..to).map(crc32c::crc32c) else { return };
    if let Some(place) = bytes.get_mut(at..at + 4) {
        place.copy_from_slice(&sum.to_le_bytes());
    }
}
