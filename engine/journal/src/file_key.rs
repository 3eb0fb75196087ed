//! Keys of files that lie beside the journal: sealed as its segments are, under the same key.

use aws_lc_rs::rand;
use zeroize::Zeroizing;

use crate::Lsn;
use crate::data_key::{DataKey, KEY_BYTES, TAG_BYTES};
use crate::kek::{Kek, KekRefused, NONCE_BYTES};

/// The key of one file, good for as many pieces as a file has. Never seen outside in the clear.
#[derive(Debug)]
pub struct FileKey(DataKey);

/// The key of a file as the file carries it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WrappedKey {
    /// Random, for this wrapping alone.
    pub nonce: [u8; NONCE_BYTES],
    /// The key, encrypted.
    pub key: [u8; KEY_BYTES],
    /// What proves it, and the additional bytes it was wrapped with.
    pub tag: [u8; TAG_BYTES],
}

impl Kek {
    /// Makes a key for one file. `aad` says which file, and must be given again to open it.
    ///
    /// # Errors
    /// When the library of cryptography refuses.
    pub fn make_key(&self, aad: &[u8]) -> Result<(FileKey, WrappedKey), KekRefused> {
        let mut nonce = [0; NONCE_BYTES];
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        rand::fill(&mut nonce).map_err(|_| KekRefused)?;
        rand::fill(key.as_mut_slice()).map_err(|_| KekRefused)?;
        let (wrapped, tag) = self.wrap(nonce, aad, &key).map_err(|_| KekRefused)?;
        let file_key = FileKey(DataKey::new(&key).map_err(|_| KekRefused)?);
        Ok((file_key, WrappedKey { nonce, key: wrapped, tag }))
    }

    /// Opens the key of a file.
    ///
    /// # Errors
    /// When it was wrapped by another key, for another file, or was changed since.
    pub fn open_key(&self, aad: &[u8], wrapped: &WrappedKey) -> Result<FileKey, KekRefused> {
        let WrappedKey { nonce, key, tag } = *wrapped;
        let key = self.unwrap(nonce, aad, key, tag).map_err(|_| KekRefused)?;
        Ok(FileKey(DataKey::new(&key).map_err(|_| KekRefused)?))
    }
}

impl FileKey {
    /// Encrypts the piece of that number in place and gives its tag. A number is used once.
    ///
    /// # Errors
    /// When the library of cryptography refuses.
    pub fn seal(
        &self,
        number: u64,
        aad: &[u8],
        body: &mut [u8],
    ) -> Result<[u8; TAG_BYTES], KekRefused> {
        self.0.seal(Lsn(number), aad, body).map_err(|_| KekRefused)
    }

    /// Decrypts the piece of that number, ciphertext and then tag, in place.
    ///
    /// # Errors
    /// When any of it is not as it was sealed.
    pub fn open<'a>(
        &self,
        number: u64,
        aad: &[u8],
        sealed: &'a mut [u8],
    ) -> Result<&'a [u8], KekRefused> {
        self.0.open(Lsn(number), aad, sealed).map_err(|_| KekRefused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_opens_only_in_its_place_of_its_file_and_under_its_key() {
        let (one, two) = (Kek::from_bytes(&[1; 32]).unwrap(), Kek::from_bytes(&[2; 32]).unwrap());
        let (key, wrapped) = one.make_key(b"file 7").unwrap();
        let mut body = *b"text";
        let tag = key.seal(3, b"head", &mut body).unwrap();
        let mut sealed = [body.as_slice(), &tag].concat();
        let again = one.open_key(b"file 7", &wrapped).unwrap();
        assert_eq!(again.open(3, b"head", &mut sealed.clone()).unwrap(), b"text");
        assert!(again.open(4, b"head", &mut sealed.clone()).is_err(), "another place");
        assert!(again.open(3, b"other", &mut sealed).is_err(), "another head");
        assert!(one.open_key(b"file 8", &wrapped).is_err(), "another file");
        assert!(two.open_key(b"file 7", &wrapped).is_err(), "another key");
    }
}
