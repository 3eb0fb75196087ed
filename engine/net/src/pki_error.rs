//! Why certificates could not be made, written or read.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::IdentityError;

/// Why certificates could not be made, written or read; each says what to do.
#[derive(Debug, Error)]
pub enum PkiError {
    /// There is an authority already.
    #[error("{path} exists already: open that authority, or choose another directory")]
    Exists {
        /// The file found.
        path: PathBuf,
    },
    /// A file is not there.
    #[error("{path} is missing: {remedy}")]
    Missing {
        /// The file.
        path: PathBuf,
        /// What to do.
        remedy: &'static str,
    },
    /// A file could not be read or written.
    #[error("could not {verb} {path}: {source}")]
    File {
        /// What was tried.
        verb: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A private key can be read by others.
    #[error("others can read the private key {path} (mode {mode:o}): run `chmod 600 {path}`")]
    Mode {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// A file holds something else.
    #[error("{path} holds no {wanted}: restore it or enrol again")]
    Content {
        /// The file.
        path: PathBuf,
        /// What was expected.
        wanted: &'static str,
    },
    /// Certificate and key belong to different identities or authorities.
    #[error("{path} and the files beside it do not belong together: enrol again")]
    Mismatch {
        /// The certificate.
        path: PathBuf,
    },
    /// The certificate names no one.
    #[error("{path}: {source}")]
    Identity {
        /// The certificate.
        path: PathBuf,
        /// Why.
        source: IdentityError,
    },
    /// A host to put into a certificate is no host name or address.
    #[error("{host:?} is no host name or address to put into a certificate")]
    Host {
        /// What was given.
        host: String,
    },
    /// Making a key or certificate failed.
    #[error("could not make a certificate: {0}")]
    Make(#[from] rcgen::Error),
}
