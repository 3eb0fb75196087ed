//! AES-256-GCM under a key: the nonce in front, the tag behind.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::Zeroizing;

use super::PeopleError;

/// Bytes of a key.
pub(super) const KEY_BYTES: usize = 32;

/// By so many bytes what is sealed is longer.
pub(super) const OVERHEAD_BYTES: usize = NONCE_LEN + 16;

/// A person's key, or the node's secret.
pub(super) type Key = Zeroizing<[u8; KEY_BYTES]>;

/// A key nobody had before.
pub(super) fn fresh_key() -> Result<Key, PeopleError> {
    let mut key: Key = Zeroizing::new([0; KEY_BYTES]);
    aws_lc_rs::rand::fill(key.as_mut_slice()).map_err(|_| PeopleError::Cipher)?;
    Ok(key)
}

/// Encrypts something about a subject.
pub(super) fn encrypt(key: &Key, subject: &str, plain: &[u8]) -> Result<Vec<u8>, PeopleError> {
    let cipher = cipher(key).ok_or(PeopleError::Cipher)?;
    let mut nonce = [0; NONCE_LEN];
    aws_lc_rs::rand::fill(&mut nonce).map_err(|_| PeopleError::Cipher)?;
    // Room for all of it at once, or growing would leave plain bytes behind.
    let mut sealed = Vec::with_capacity(plain.len().saturating_add(OVERHEAD_BYTES));
    sealed.extend_from_slice(plain);
    let aad = Aad::from(subject.as_bytes());
    cipher
        .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut sealed)
        .map_err(|_| PeopleError::Cipher)?;
    let mut value = nonce.to_vec();
    value.extend_from_slice(&sealed);
    Ok(value)
}

/// The other way; `None` if it was not encrypted so, or about somebody else.
pub(super) fn decrypt(key: &Key, subject: &str, value: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, sealed) = value.split_first_chunk()?;
    let mut bytes = Zeroizing::new(sealed.to_vec());
    let aad = Aad::from(subject.as_bytes());
    let nonce = Nonce::assume_unique_for_key(*nonce);
    let length = cipher(key)?.open_in_place(nonce, aad, &mut bytes).ok()?.len();
    bytes.truncate(length);
    Some(bytes)
}

fn cipher(key: &Key) -> Option<LessSafeKey> {
    UnboundKey::new(&AES_256_GCM, key.as_slice()).ok().map(LessSafeKey::new)
}
