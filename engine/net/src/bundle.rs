//! What a peer needs to connect: the authority's certificate, its own and its key.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use zeroize::Zeroizing;

use crate::{Identity, PkiError};

/// The authority's certificate.
pub(crate) const AUTHORITY_FILE: &str = "ca.pem";
const CERTIFICATE_FILE: &str = "cert.pem";
const KEY_FILE: &str = "key.pem";

/// Largest file that is read: a PEM certificate has about 1 KiB.
const FILE_BYTES_MAX: u64 = 64 * 1024;

const REMEDY: &str = "ask for a certificate with `ach vendor enrol`, `ach receiver enrol` or \
                      `ach operator enrol` on the node";

/// Certificates and key of one identity; a directory with `ca.pem`, `cert.pem` and `key.pem`.
#[derive(Clone)]
pub struct Bundle {
    authority_pem: String,
    certificate_pem: String,
    key_pem: Zeroizing<String>,
    identity: Identity,
}

impl fmt::Debug for Bundle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bundle").field("identity", &self.identity).finish_non_exhaustive()
    }
}

impl Bundle {
    pub(crate) fn new(
        authority_pem: String,
        certificate_pem: String,
        key_pem: Zeroizing<String>,
        identity: Identity,
    ) -> Bundle {
        Bundle { authority_pem, certificate_pem, key_pem, identity }
    }

    /// A bundle of what the files of a directory would hold.
    ///
    /// # Errors
    ///
    /// A certificate that names no one.
    pub fn from_pem(
        authority_pem: String,
        certificate_pem: String,
        key_pem: String,
    ) -> Result<Bundle, PkiError> {
        let path = Path::new(CERTIFICATE_FILE);
        let certificate = first_certificate(&certificate_pem, path)?;
        let identity = Identity::from_certificate(&certificate)
            .map_err(|source| PkiError::Identity { path: path.to_owned(), source })?;
        Ok(Bundle { authority_pem, certificate_pem, key_pem: Zeroizing::new(key_pem), identity })
    }

    /// Reads a directory.
    ///
    /// # Errors
    ///
    /// A missing or damaged file, or a key that others can read.
    pub fn load(directory: &Path) -> Result<Bundle, PkiError> {
        let certificate_path = directory.join(CERTIFICATE_FILE);
        let authority_pem = read_text(&directory.join(AUTHORITY_FILE), REMEDY)?;
        let certificate_pem = read_text(&certificate_path, REMEDY)?;
        let key_pem = read_key(&directory.join(KEY_FILE), REMEDY)?;
        first_certificate(&authority_pem, &directory.join(AUTHORITY_FILE))?;
        let certificate = first_certificate(&certificate_pem, &certificate_path)?;
        let identity = Identity::from_certificate(&certificate)
            .map_err(|source| PkiError::Identity { path: certificate_path, source })?;
        if PrivateKeyDer::from_pem_slice(key_pem.as_bytes()).is_err() {
            return Err(PkiError::Content {
                path: directory.join(KEY_FILE),
                wanted: "private key",
            });
        }
        Ok(Bundle { authority_pem, certificate_pem, key_pem, identity })
    }

    /// Writes a directory; the key with mode 600. Files of an earlier bundle are replaced.
    ///
    /// # Errors
    ///
    /// A file that cannot be written.
    pub fn save(&self, directory: &Path) -> Result<(), PkiError> {
        make_directory(directory)?;
        write_file(&directory.join(AUTHORITY_FILE), &self.authority_pem, Secrecy::Public)?;
        write_file(&directory.join(CERTIFICATE_FILE), &self.certificate_pem, Secrecy::Public)?;
        write_file(&directory.join(KEY_FILE), &self.key_pem, Secrecy::Secret)
    }

    /// Whose it is.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The authority's certificate, as PEM.
    pub fn authority_pem(&self) -> &str {
        &self.authority_pem
    }

    /// Its own certificate, as PEM.
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    pub(crate) fn authority(&self) -> Vec<CertificateDer<'static>> {
        certificates(&self.authority_pem)
    }

    pub(crate) fn chain(&self) -> Vec<CertificateDer<'static>> {
        certificates(&self.certificate_pem)
    }

    pub(crate) fn key_pem(&self) -> &str {
        &self.key_pem
    }

    pub(crate) fn key(&self) -> Option<PrivateKeyDer<'static>> {
        PrivateKeyDer::from_pem_slice(self.key_pem.as_bytes()).ok()
    }
}

fn certificates(pem: &str) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(pem.as_bytes()).filter_map(Result::ok).collect()
}

fn first_certificate(pem: &str, path: &Path) -> Result<CertificateDer<'static>, PkiError> {
    certificates(pem)
        .into_iter()
        .next()
        .ok_or_else(|| PkiError::Content { path: path.to_owned(), wanted: "certificate" })
}

/// Who may read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Secrecy {
    /// Everybody.
    Public,
    /// Its owner.
    Secret,
}

pub(crate) fn read_text(path: &Path, remedy: &'static str) -> Result<String, PkiError> {
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => PkiError::Missing { path: path.to_owned(), remedy },
        _ => PkiError::File { verb: "read", path: path.to_owned(), source },
    };
    let is_too_long = fs::metadata(path).map_err(failed)?.len() > FILE_BYTES_MAX;
    if is_too_long {
        return Err(PkiError::Content { path: path.to_owned(), wanted: "PEM of 64 KiB at most" });
    }
    fs::read_to_string(path).map_err(failed)
}

/// Reads a private key, refusing one that others can read.
pub(crate) fn read_key(path: &Path, remedy: &'static str) -> Result<Zeroizing<String>, PkiError> {
    let text = Zeroizing::new(read_text(path, remedy)?);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(path)
            .map_err(|source| PkiError::File { verb: "read", path: path.to_owned(), source })?
            .permissions()
            .mode()
            & 0o777;
        if mode & 0o077 != 0 {
            return Err(PkiError::Mode { path: path.to_owned(), mode });
        }
    }
    Ok(text)
}

pub(crate) fn make_directory(directory: &Path) -> Result<(), PkiError> {
    fs::create_dir_all(directory).map_err(|source| PkiError::File {
        verb: "create",
        path: directory.to_owned(),
        source,
    })
}

/// Writes beside, syncs, renames, and syncs the directory, so that a crash leaves the old file or
/// the new one, and nothing takes the new one away again.
pub(crate) fn write_file(path: &Path, text: &str, secrecy: Secrecy) -> Result<(), PkiError> {
    let beside = path.with_extension("new");
    let write = || -> io::Result<()> {
        match fs::remove_file(&beside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            options.mode(if secrecy == Secrecy::Secret { 0o600 } else { 0o644 });
        }
        let mut file = options.open(&beside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, path)?;
        // The name itself must be on disk as well, or a power cut brings the old file back.
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        fs::File::open(directory.unwrap_or_else(|| Path::new(".")))?.sync_all()
    };
    write().map_err(|source| PkiError::File { verb: "write", path: path.to_owned(), source })
}
