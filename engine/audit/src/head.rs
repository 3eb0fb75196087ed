//! The head of the log: how many records it has and what they hash to, signed.
//!
//! A head is a text that can be mailed, printed or pasted: a checkpoint in the form of a signed note
//! (`c2sp.org/tlog-checkpoint`, `c2sp.org/signed-note`), with three lines of our own.
//!
//! ```text
//! hms-ach/st-anna/node-1
//! 42
//! CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
//! at 1763798400000000000
//! link 47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=
//! previous AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
//!
//! — hms-ach/st-anna/node-1 Az3grk...
//! ```
//!
//! `at` is when it was signed, nanoseconds since 1970 UTC; `link` is the link of the last record;
//! `previous` is the hash of the signed text of the head before. So a head that is left out is
//! missed by the next one.

use std::fmt;

use ach_actors_model::{Name, Timestamp};
use thiserror::Error;

use crate::base64;
use crate::hash::Hash;
use crate::key::{SigningKey, VerifyingKey};

/// Largest head: two names of 64 bytes, twice, and five lines of at most 60 bytes, rounded up.
pub const HEAD_BYTES_MAX: usize = 1_024;

/// What begins the line with the signature: an em dash and a space.
const DASH: &str = "\u{2014} ";

/// Whose log it is: what the first line of its heads says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogName(String);

impl LogName {
    /// The log of a node of a site.
    pub fn new(site: &Name, node: &Name) -> LogName {
        LogName(format!("hms-ach/{site}/{node}"))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn read(text: &str) -> Option<LogName> {
        let mut parts = text.split('/');
        let is_ours = parts.next() == Some("hms-ach");
        let site = Name::new(parts.next()?).ok()?;
        let node = Name::new(parts.next()?).ok()?;
        (is_ours && parts.next().is_none()).then(|| LogName::new(&site, &node))
    }
}

impl fmt::Display for LogName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// What is signed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Head {
    /// Whose log it is.
    pub log: LogName,
    /// How many records it had.
    pub size: u64,
    /// The root of their tree.
    pub root: Hash,
    /// When it was signed.
    pub at: Timestamp,
    /// The link of the last record.
    pub link: Hash,
    /// The hash of the head before, zeros in the first.
    pub previous: Hash,
}

/// A head and its signature.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SignedHead {
    /// What is signed.
    pub head: Head,
    key_id: [u8; 4],
    signature: [u8; 64],
}

/// Why a text is no head, or not one that the key has signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum HeadError {
    /// It has another form.
    #[error("this is no head of an audit log")]
    Malformed,
    /// The signature is another key's.
    #[error("the head was signed with another key")]
    OtherKey,
    /// The signature does not fit.
    #[error("the signature of the head does not fit what it says")]
    Forged,
}

impl Head {
    /// The signed text.
    fn body(&self) -> String {
        format!(
            "{}\n{}\n{}\nat {}\nlink {}\nprevious {}\n",
            self.log,
            self.size,
            base64::encode(&self.root.0),
            self.at.0,
            base64::encode(&self.link.0),
            base64::encode(&self.previous.0),
        )
    }

    /// What the next head calls this one.
    pub fn hash(&self) -> Hash {
        Hash::of(&[self.body().as_bytes()])
    }

    /// Signs it.
    pub fn sign(self, key: &SigningKey) -> SignedHead {
        let signed = key.sign(self.body().as_bytes());
        let mut signature = [0; 64];
        signature.copy_from_slice(&signed);
        let key_id = key.verifying().id(self.log.as_str());
        SignedHead { head: self, key_id, signature }
    }

    fn read(body: &str) -> Option<Head> {
        let mut lines = body.split('\n');
        let mut line = |word: &str| lines.next()?.strip_prefix(word);
        let hash = |text: &str| base64::decode(text)?.try_into().ok().map(Hash);
        let head = Head {
            log: LogName::read(line("")?)?,
            size: line("")?.parse().ok()?,
            root: hash(line("")?)?,
            at: Timestamp(line("at ")?.parse().ok()?),
            link: hash(line("link ")?)?,
            previous: hash(line("previous ")?)?,
        };
        // Numbers can be read from more texts than are written.
        (head.body() == body).then_some(head)
    }
}

impl SignedHead {
    /// Reads the text of a head. What white space the way it was carried has put at its end does not
    /// matter. Says nothing of its signature yet.
    ///
    /// # Errors
    ///
    /// [`HeadError::Malformed`].
    pub fn from_text(text: &str) -> Result<SignedHead, HeadError> {
        let text = text.trim_end();
        if text.len() > HEAD_BYTES_MAX {
            return Err(HeadError::Malformed);
        }
        let read = || {
            let (body, last) = text.rsplit_once("\n\n")?;
            let head = Head::read(&format!("{body}\n"))?;
            let signed = last.strip_prefix(DASH)?.strip_prefix(head.log.as_str())?;
            let bytes = base64::decode(signed.strip_prefix(' ')?)?;
            let (key_id, signature) = bytes.split_first_chunk()?;
            Some(SignedHead { head, key_id: *key_id, signature: signature.try_into().ok()? })
        };
        read().ok_or(HeadError::Malformed)
    }

    /// Whether the key has signed it.
    ///
    /// # Errors
    ///
    /// It has not.
    pub fn verify(&self, key: &VerifyingKey) -> Result<(), HeadError> {
        if key.id(self.head.log.as_str()) != self.key_id {
            return Err(HeadError::OtherKey);
        }
        let is_signed = key.is_of(self.head.body().as_bytes(), &self.signature);
        if is_signed { Ok(()) } else { Err(HeadError::Forged) }
    }
}

impl fmt::Display for SignedHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let signed = [&self.key_id[..], &self.signature].concat();
        let log = &self.head.log;
        writeln!(f, "{}\n{DASH}{log} {}", self.head.body(), base64::encode(&signed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_values::name;

    fn signed(key: &SigningKey) -> SignedHead {
        let head = Head {
            log: LogName::new(&name("st-anna"), &name("node-1")),
            size: 42,
            root: Hash::leaf(b"root"),
            at: Timestamp(1_763_798_400_000_000_000),
            link: Hash::leaf(b"link"),
            previous: Hash::default(),
        };
        head.sign(key)
    }

    #[test]
    fn a_head_survives_its_text_and_is_known_as_its_keys() {
        let key = SigningKey::generate().unwrap();
        let head = signed(&key);
        let text = head.to_string();
        assert!(text.len() < HEAD_BYTES_MAX);
        for carried in [text.clone(), format!("{text}\n \n"), text.trim_end().to_owned()] {
            let read = SignedHead::from_text(&carried).unwrap();
            assert_eq!(read, head);
            assert_eq!(read.verify(&key.verifying()), Ok(()));
        }
        let other = SigningKey::generate().unwrap();
        assert_eq!(head.verify(&other.verifying()), Err(HeadError::OtherKey));
    }

    /// Whatever byte of the text is changed: it is no head any more, or not one that was signed.
    #[test]
    fn no_changed_head_passes() {
        let key = SigningKey::generate().unwrap();
        let text = signed(&key).to_string();
        let text = text.trim_end();
        for at in 0..text.len() {
            for flip in [1, 2, 16, 32] {
                let mut bytes = text.as_bytes().to_vec();
                bytes[at] ^= flip;
                let Ok(changed) = String::from_utf8(bytes) else { continue };
                let passed = SignedHead::from_text(&changed)
                    .and_then(|head| head.verify(&key.verifying()))
                    .is_ok();
                assert!(!passed, "byte {at} with {flip}: {changed}");
            }
        }
    }

    #[test]
    fn what_is_no_head_is_refused() {
        for text in ["", "\n\n", "hms-ach/a/b\n1\n\n\u{2014} x y", &"x".repeat(5_000)] {
            assert_eq!(SignedHead::from_text(text), Err(HeadError::Malformed));
        }
        let text = signed(&SigningKey::generate().unwrap()).to_string();
        let check = |from: &str, to: &str| {
            let changed = text.replacen(from, to, 1);
            assert_ne!(changed, text);
            assert_eq!(SignedHead::from_text(&changed), Err(HeadError::Malformed), "{to}");
        };
        check("\n42\n", "\n042\n");
        check("\n42\n", "\n+42\n");
        check("\nat ", "\nmore\nat ");
        check("hms-ach/", "other/");
    }
}
