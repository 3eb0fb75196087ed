//! The key-encryption key: the one secret a node must keep.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hmac;
use zeroize::Zeroizing;

use crate::data_key::{KEY_BYTES, TAG_BYTES, Tag};

/// Bytes of a nonce of AES-GCM.
pub(crate) const NONCE_BYTES: usize = 12;

/// What the key's id is a keyed hash of; the id tells a wrong key from a damaged one.
const ID_TEXT: &[u8] = b"ach journal key-encryption key, version 1";

/// The key that wraps the keys of files. It is never shown; clones are the same key.
#[derive(Clone)]
pub struct Kek {
    key: Arc<LessSafeKey>,
    root: hmac::Key,
    id: [u8; 16],
}

impl Kek {
    /// A key of these bytes. The caller wipes its own copy.
    ///
    /// # Errors
    /// When the library of cryptography refuses.
    pub fn from_bytes(bytes: &[u8; KEY_BYTES]) -> Result<Kek, KekRefused> {
        let key = UnboundKey::new(&AES_256_GCM, bytes).map_err(|_| KekRefused)?;
        let root = hmac::Key::new(hmac::HMAC_SHA256, bytes);
        let id = hmac::sign(&root, ID_TEXT).as_ref().first_chunk().copied().ok_or(KekRefused)?;
        Ok(Kek { key: Arc::new(LessSafeKey::new(key)), root, id })
    }

    /// A secret for something else beside the journal: HMAC-SHA-256 of `purpose`, so that a node has
    /// one key to keep. The same purpose gives the same secret.
    ///
    /// # Errors
    /// When the library of cryptography refuses.
    pub fn secret_for(&self, purpose: &str) -> Result<Zeroizing<[u8; KEY_BYTES]>, KekRefused> {
        let text = format!("ach secret: {purpose}");
        let hash = hmac::sign(&self.root, text.as_bytes());
        hash.as_ref().first_chunk().copied().map(Zeroizing::new).ok_or(KekRefused)
    }

    /// Tells one key from another without showing either.
    pub fn id(&self) -> [u8; 16] {
        self.id
    }

    /// Wraps a segment's key.
    pub(crate) fn wrap(
        &self,
        nonce: [u8; NONCE_BYTES],
        aad: &[u8],
        key: &Zeroizing<[u8; KEY_BYTES]>,
    ) -> Result<([u8; KEY_BYTES], Tag), Unspecified> {
        let mut wrapped = **key;
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = self.key.seal_in_place_separate_tag(nonce, Aad::from(aad), &mut wrapped)?;
        Ok((wrapped, tag.as_ref().try_into().map_err(|_| Unspecified)?))
    }

    /// Unwraps a segment's key.
    pub(crate) fn unwrap(
        &self,
        nonce: [u8; NONCE_BYTES],
        aad: &[u8],
        wrapped: [u8; KEY_BYTES],
        tag: Tag,
    ) -> Result<Zeroizing<[u8; KEY_BYTES]>, Unspecified> {
        let mut both = Zeroizing::new([0; KEY_BYTES + TAG_BYTES]);
        let (head, rest) = both.split_at_mut(KEY_BYTES);
        head.copy_from_slice(&wrapped);
        rest.copy_from_slice(&tag);
        let nonce = Nonce::assume_unique_for_key(nonce);
        let opened = self.key.open_in_place(nonce, Aad::from(aad), both.as_mut_slice())?;
        Ok(Zeroizing::new(<[u8; KEY_BYTES]>::try_from(&*opened).map_err(|_| Unspecified)?))
    }
}

impl fmt::Debug for Kek {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Kek(..)")
    }
}

/// The library of cryptography refused a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the library of cryptography refused the key-encryption key")]
pub struct KekRefused;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_never_shown() {
        let kek = Kek::from_bytes(&[0x41; 32]).unwrap();
        assert_eq!(format!("{kek:?}"), "Kek(..)");
    }

    #[test]
    fn each_purpose_has_a_secret_of_its_own() {
        let kek = Kek::from_bytes(&[1; 32]).unwrap();
        let secret = |kek: &Kek, purpose| *kek.secret_for(purpose).unwrap();
        assert_eq!(secret(&kek, "archives"), secret(&kek, "archives"));
        assert_ne!(secret(&kek, "archives"), secret(&kek, "people"));
        let other = Kek::from_bytes(&[2; 32]).unwrap();
        assert_ne!(secret(&kek, "archives"), secret(&other, "archives"));
        assert_ne!(secret(&kek, "archives"), [1; 32]);
    }

    #[test]
    fn different_keys_have_different_ids_and_do_not_unwrap_each_other() {
        let (one, two) = (Kek::from_bytes(&[1; 32]).unwrap(), Kek::from_bytes(&[2; 32]).unwrap());
        assert_ne!(one.id(), two.id());
        let secret = Zeroizing::new([9; 32]);
        let (wrapped, tag) = one.wrap([3; 12], b"aad", &secret).unwrap();
        assert_eq!(*one.unwrap([3; 12], b"aad", wrapped, tag).unwrap(), *secret);
        assert!(two.unwrap([3; 12], b"aad", wrapped, tag).is_err());
        assert!(one.unwrap([3; 12], b"other", wrapped, tag).is_err());
    }
}
