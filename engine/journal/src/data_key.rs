//! The key of one segment: it seals that segment's groups and nothing else.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::error::Unspecified;
use zeroize::Zeroizing;

use crate::Lsn;

/// Bytes of a key of AES-256.
pub(crate) const KEY_BYTES: usize = 32;

/// Bytes of the tag of AES-GCM.
pub(crate) const TAG_BYTES: usize = 16;

/// The tag of an operation of AES-GCM. Each group's tag is the next group's chain.
pub(crate) type Tag = [u8; TAG_BYTES];

/// The key of one segment. It is made when the segment is, and never seen outside in the clear.
#[derive(Debug)]
pub(crate) struct DataKey(LessSafeKey);

impl DataKey {
    pub(crate) fn new(bytes: &Zeroizing<[u8; KEY_BYTES]>) -> Result<DataKey, Unspecified> {
        Ok(DataKey(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, bytes.as_slice())?)))
    }

    /// A nonce is used once: an LSN begins at most one group of a segment, because after a failed
    /// write nothing more is written to it, and after a cut the next group is in a new segment.
    fn nonce(first: Lsn) -> Nonce {
        let mut nonce = [0; 12];
        for (byte, digit) in nonce.iter_mut().skip(4).zip(first.0.to_le_bytes()) {
            *byte = digit;
        }
        Nonce::assume_unique_for_key(nonce)
    }

    /// Encrypts `body` in place.
    pub(crate) fn seal(&self, first: Lsn, aad: &[u8], body: &mut [u8]) -> Result<Tag, Unspecified> {
        let tag = self.0.seal_in_place_separate_tag(DataKey::nonce(first), Aad::from(aad), body)?;
        tag.as_ref().try_into().map_err(|_| Unspecified)
    }

    /// Decrypts `sealed`, ciphertext and then tag, in place.
    pub(crate) fn open<'a>(
        &self,
        first: Lsn,
        aad: &[u8],
        sealed: &'a mut [u8],
    ) -> Result<&'a [u8], Unspecified> {
        let body = self.0.open_in_place(DataKey::nonce(first), Aad::from(aad), sealed)?;
        Ok(body)
    }
}
