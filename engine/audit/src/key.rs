//! The key that signs heads, and its public half: Ed25519, as PEM files that other tools read too.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{PrivatePkcs8KeyDer, SubjectPublicKeyInfoDer};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::base64;
use crate::hash::Hash;

/// What stands before the 32 bytes of an Ed25519 key in its `SubjectPublicKeyInfo` (RFC 8410).
const PUBLIC_PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0];

/// Largest key file that is read: one of these has 120 bytes.
const FILE_BYTES_MAX: u64 = 4_096;

/// Why there is no key.
#[derive(Debug, Error)]
pub enum KeyError {
    /// The file is not there.
    #[error("there is no key of the audit log in {}", path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The file is not there, but a log is that was signed with it.
    #[error(
        "there is an audit log, but its key {} is gone; put the key back from your backup, or move \
         the folder of the log and `audit.pub` away to begin a new one",
        path.display()
    )]
    Lost {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The key has signed a log, which is not there.
    #[error(
        "there was an audit log, and it is gone; find out who did it and put its folder back, or move \
         {} away to begin a new one",
        public.display()
    )]
    LogGone {
        /// The public half, which is there since the log was begun.
        public: PathBuf,
    },
    /// The file holds something else.
    #[error("{} holds no Ed25519 key as PEM", path.display())]
    Malformed {
        /// Which file.
        path: PathBuf,
    },
    /// Others may read it.
    #[error("{} may be read by others (mode {mode:o}); run `chmod 600` on it", path.display())]
    Exposed {
        /// Which file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The system refused.
    #[error("could not {verb} {}", path.display())]
    System {
        /// What was tried.
        verb: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The library of cryptography refused.
    #[error("the library of cryptography refused to make a key for the audit log")]
    Cipher,
}

/// Signs.
#[derive(Clone)]
pub struct SigningKey {
    pair: Arc<Ed25519KeyPair>,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").finish_non_exhaustive()
    }
}

impl SigningKey {
    /// A new one, kept nowhere.
    ///
    /// # Errors
    ///
    /// [`KeyError::Cipher`].
    pub fn generate() -> Result<SigningKey, KeyError> {
        let pair = Ed25519KeyPair::generate().map_err(|_| KeyError::Cipher)?;
        Ok(SigningKey { pair: Arc::new(pair) })
    }

    /// The one that a seed gives, for vectors.
    #[cfg(test)]
    pub(crate) fn from_seed(seed: &[u8; 32]) -> SigningKey {
        SigningKey { pair: Arc::new(Ed25519KeyPair::from_seed_unchecked(seed).unwrap()) }
    }

    /// The one in a file.
    ///
    /// # Errors
    ///
    /// See [`KeyError`]; a file that others may read is refused.
    pub fn load(path: &Path) -> Result<SigningKey, KeyError> {
        let text = Zeroizing::new(read(path, true)?);
        let malformed = || KeyError::Malformed { path: path.to_owned() };
        let der = PrivatePkcs8KeyDer::from_pem_slice(text.as_bytes()).map_err(|_| malformed())?;
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der.secret_pkcs8_der());
        Ok(SigningKey { pair: Arc::new(pair.map_err(|_| malformed())?) })
    }

    /// The one in a file, which is made, for its owner alone, if it is not there and `has_log` is
    /// false. A lost key is not replaced: the new one would make it look as if somebody else had
    /// written the log. Nor is a lost log: where the public half lies beside the key, at
    /// [`VerifyingKey::path_beside`], a log was begun; see [`SigningKey::publish`].
    ///
    /// # Errors
    ///
    /// See [`KeyError`].
    pub fn load_or_create(path: &Path, has_log: bool) -> Result<SigningKey, KeyError> {
        let public = VerifyingKey::path_beside(path);
        if !has_log && is_there(&public)? {
            return Err(KeyError::LogGone { public });
        }
        if !is_there(path)? {
            if has_log {
                return Err(KeyError::Lost { path: path.to_owned() });
            }
            let document = SigningKey::generate()?.pair.to_pkcs8v1();
            let document = document.map_err(|_| KeyError::Cipher)?;
            write(path, &pem("PRIVATE KEY", document.as_ref()), 0o600)?;
        }
        SigningKey::load(path)
    }

    /// Lays the public half down beside the key in `path`, unless it is there. To be done as soon as
    /// a log was begun, and not before: it tells that there must be one.
    ///
    /// # Errors
    ///
    /// See [`KeyError`].
    pub fn publish(&self, path: &Path) -> Result<(), KeyError> {
        let public = VerifyingKey::path_beside(path);
        if is_there(&public)? {
            return Ok(());
        }
        write(&public, &Zeroizing::new(self.verifying().to_pem()), 0o644)
    }

    /// Its public half.
    pub fn verifying(&self) -> VerifyingKey {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(self.pair.public_key().as_ref());
        VerifyingKey { bytes }
    }

    /// Signs.
    pub(crate) fn sign(&self, text: &[u8]) -> Vec<u8> {
        self.pair.sign(text).as_ref().to_vec()
    }
}

/// Tells whether a signature is right.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct VerifyingKey {
    bytes: [u8; 32],
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyingKey({})", base64::encode(&self.bytes))
    }
}

impl VerifyingKey {
    /// Where the public half of the key in `path` lies: `audit.key` and `audit.pub`.
    pub fn path_beside(path: &Path) -> PathBuf {
        path.with_extension("pub")
    }

    /// The one in a file.
    ///
    /// # Errors
    ///
    /// See [`KeyError`].
    pub fn load(path: &Path) -> Result<VerifyingKey, KeyError> {
        let text = read(path, false)?;
        VerifyingKey::from_pem(&text).ok_or_else(|| KeyError::Malformed { path: path.to_owned() })
    }

    /// The one in a PEM text.
    pub fn from_pem(text: &str) -> Option<VerifyingKey> {
        let der = SubjectPublicKeyInfoDer::from_pem_slice(text.as_bytes()).ok()?;
        let bytes = der.as_ref().strip_prefix(&PUBLIC_PREFIX)?.try_into().ok()?;
        Some(VerifyingKey { bytes })
    }

    /// As PEM.
    pub fn to_pem(&self) -> String {
        pem("PUBLIC KEY", &[&PUBLIC_PREFIX[..], &self.bytes].concat()).to_string()
    }

    /// Its 32 bytes (RFC 8032).
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// Which key it is, to those who know the name of its owner: 4 bytes, as signed notes have it.
    pub(crate) fn id(&self, owner: &str) -> [u8; 4] {
        let Hash(hash) = Hash::of(&[owner.as_bytes(), b"\n\x01", &self.bytes]);
        let [a, b, c, d, ..] = hash;
        [a, b, c, d]
    }

    /// Whether `signature` is of `text`.
    pub(crate) fn is_of(&self, text: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.bytes).verify(text, signature).is_ok()
    }
}

fn pem(label: &str, der: &[u8]) -> Zeroizing<String> {
    let body = Zeroizing::new(base64::encode(der));
    Zeroizing::new(format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", *body))
}

/// Whether a file is there. One that cannot be looked for is neither there nor not.
fn is_there(path: &Path) -> Result<bool, KeyError> {
    path.try_exists().map_err(|source| KeyError::System {
        verb: "look for",
        path: path.to_owned(),
        source,
    })
}

fn read(path: &Path, is_secret: bool) -> Result<String, KeyError> {
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => KeyError::Missing { path: path.to_owned() },
        _ => KeyError::System { verb: "read", path: path.to_owned(), source },
    };
    let file = File::open(path).map_err(failed)?;
    let mode = file.metadata().map_err(failed)?.permissions().mode() & 0o777;
    if is_secret && mode & 0o077 != 0 {
        return Err(KeyError::Exposed { path: path.to_owned(), mode });
    }
    let mut text = String::with_capacity(512);
    match file.take(FILE_BYTES_MAX).read_to_string(&mut text) {
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            Err(KeyError::Malformed { path: path.to_owned() })
        }
        read => read.map(|_| text).map_err(failed),
    }
}

/// The whole file or none: it gets its name when it is complete, and never replaces another.
fn write(path: &Path, text: &Zeroizing<String>, mode: u32) -> Result<(), KeyError> {
    let failed = |verb: &'static str| {
        let path = path.to_owned();
        move |source| KeyError::System { verb, path, source }
    };
    let mut new = path.as_os_str().to_owned();
    new.push(format!(".{}.new", std::process::id()));
    let new = PathBuf::from(new);
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(mode);
    let mut file = options.open(&new).map_err(failed("create"))?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed("write"))?;
    // A link, unlike a rename, fails if another start was quicker; then that key is the key.
    let linked = fs::hard_link(&new, path);
    drop(fs::remove_file(&new));
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(failed("create")(error));
        }
        Ok(()) | Err(_) => {}
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = File::open(folder.unwrap_or(Path::new(".")));
    folder.and_then(|folder| folder.sync_all()).map_err(failed("sync the folder of"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_for_its_owner_alone_with_its_public_half_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.key");
        let key = SigningKey::load_or_create(&path, false).unwrap();
        // A start that ended before it had begun a log.
        let next = SigningKey::load_or_create(&path, false).unwrap();
        assert_eq!(key.verifying(), next.verifying());
        key.publish(&path).unwrap();
        let again = SigningKey::load_or_create(&path, true).unwrap();
        assert_eq!(key.verifying(), again.verifying());
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let public = VerifyingKey::load(&folder.path().join("audit.pub")).unwrap();
        assert_eq!(public, key.verifying());
        assert!(public.is_of(b"text", &key.sign(b"text")));
        assert!(!public.is_of(b"test", &key.sign(b"text")));
        let left = fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(left, 2, "nothing is left lying about");
        fs::remove_file(folder.path().join("audit.pub")).unwrap();
        SigningKey::load_or_create(&path, true).unwrap().publish(&path).unwrap();
        assert!(folder.path().join("audit.pub").exists(), "the public half is no secret");
    }

    #[test]
    fn a_log_that_was_begun_and_is_gone_is_not_begun_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.key");
        SigningKey::load_or_create(&path, false).unwrap().publish(&path).unwrap();
        let refused = SigningKey::load_or_create(&path, false);
        assert!(matches!(refused, Err(KeyError::LogGone { .. })), "{refused:?}");
        // So an operator says that he knows.
        fs::remove_file(folder.path().join("audit.pub")).unwrap();
        SigningKey::load_or_create(&path, false).unwrap();
    }

    #[test]
    fn a_lost_or_exposed_or_foreign_key_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.key");
        let refused = SigningKey::load_or_create(&path, true);
        assert!(matches!(refused, Err(KeyError::Lost { .. })));
        assert!(!path.exists(), "no key is put in the place of a lost one");
        SigningKey::load_or_create(&path, false).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(SigningKey::load(&path), Err(KeyError::Exposed { mode: 0o640, .. })));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, "no key").unwrap();
        assert!(matches!(SigningKey::load(&path), Err(KeyError::Malformed { .. })));
        fs::write(&path, [0xff, 0xfe]).unwrap();
        assert!(matches!(SigningKey::load(&path), Err(KeyError::Malformed { .. })));
    }
}
