//! A text signed with the key of a certificate: who vouches for it, and that nobody has changed it since.
//!
//! Keys of people sign in TLS as well. What is signed there begins with spaces, what is signed here with words that
//! whoever calls puts first, so that neither can be taken for the other.

use std::sync::Arc;
use std::time::Duration;

use ach_actors_model::{NS_PER_S, Timestamp};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, SignatureScheme};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, UnixTime};
use thiserror::Error;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::tls::provider;
use crate::{Bundle, Identity, IdentityError};

/// Why a text was not signed, or a signature is not believed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SignatureError {
    /// The key cannot sign.
    #[error("this key does not sign: it must be of the curve P-256; enrol again")]
    Key,
    /// There is no certificate.
    #[error("there is no {what} in it: restore the file")]
    Missing {
        /// Whose certificate is missing.
        what: &'static str,
    },
    /// The authority did not issue the certificate, or it was not valid then.
    #[error("the certificate is not of this site's authority, or was not valid then: {why}")]
    Chain {
        /// What is wrong.
        why: String,
    },
    /// The certificate names no one.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The text is not the one that was signed, or another key signed it.
    #[error("the signature does not fit: the text was changed, or another key signed it")]
    Signature,
}

impl Bundle {
    /// Signs a text with this identity's key: ECDSA on P-256 with SHA-256, as ASN.1.
    ///
    /// # Errors
    ///
    /// The key is of another kind, or the cryptography failed.
    pub fn sign(&self, text: &[u8]) -> Result<Vec<u8>, SignatureError> {
        let key = self.key().ok_or(SignatureError::Key)?;
        let key = any_supported_type(&key).map_err(|_| SignatureError::Key)?;
        let scheme = [SignatureScheme::ECDSA_NISTP256_SHA256];
        let signer = key.choose_scheme(&scheme).ok_or(SignatureError::Key)?;
        signer.sign(text).map_err(|_| SignatureError::Key)
    }
}

/// Who signed a text: the authority issued the certificate, it was valid at `at`, and its key signed. Whether the
/// certificate was revoked is known to the node alone.
///
/// # Errors
///
/// Any of that is not so.
pub fn verify_signature(
    authority_pem: &str,
    certificate_pem: &str,
    at: Timestamp,
    (text, signature): (&[u8], &[u8]),
) -> Result<Identity, SignatureError> {
    let certificate = first(certificate_pem, "certificate")?;
    let mut roots = RootCertStore::empty();
    let refused = |why: rustls::Error| SignatureError::Chain { why: why.to_string() };
    roots.add(first(authority_pem, "certificate of the authority")?).map_err(refused)?;
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider())
        .build()
        .map_err(|why| SignatureError::Chain { why: why.to_string() })?;
    let then = UnixTime::since_unix_epoch(Duration::from_secs(at.0 / NS_PER_S));
    verifier.verify_client_cert(&certificate, &[], then).map_err(refused)?;
    let identity = Identity::from_certificate(&certificate)?;
    let (_, parsed) =
        X509Certificate::from_der(&certificate).map_err(|_| IdentityError::Certificate)?;
    let key = &parsed.public_key().subject_public_key.data;
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, key)
        .verify(text, signature)
        .map_err(|_| SignatureError::Signature)?;
    Ok(identity)
}

fn first(pem: &str, what: &'static str) -> Result<CertificateDer<'static>, SignatureError> {
    let found = CertificateDer::pem_slice_iter(pem.as_bytes()).next();
    found.and_then(Result::ok).ok_or(SignatureError::Missing { what })
}

#[cfg(test)]
mod tests {
    use ach_actors_model::Name;

    use super::*;
    use crate::clock::since_1970;
    use crate::{Authority, Role};

    #[test]
    fn a_signature_is_of_one_text_one_key_one_authority_and_one_time() {
        let (ours, theirs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let name = |text: &str| Name::new(text).unwrap();
        let authority = Authority::create(ours.path(), &name("st-anna")).unwrap();
        let other = Authority::create(theirs.path(), &name("st-anna")).unwrap();
        let desk = authority.issue(Role::Operator, &name("desk")).unwrap();
        let guard = authority.issue(Role::Operator, &name("guard")).unwrap();
        let foreign = other.issue(Role::Operator, &name("desk")).unwrap();
        let now = Timestamp(u64::try_from(since_1970().as_nanos()).unwrap());
        let signature = desk.sign(b"all answered").unwrap();
        let check = |authority: &Bundle, signer: &Bundle, at, text: &[u8]| {
            let pem = (authority.authority_pem(), signer.certificate_pem());
            verify_signature(pem.0, pem.1, at, (text, &signature))
        };
        assert_eq!(check(&desk, &desk, now, b"all answered").as_ref(), Ok(desk.identity()));
        for (authority, signer, at, text) in [
            (&desk, &desk, now, b"all Answered"),
            (&desk, &guard, now, b"all answered"),
            (&foreign, &desk, now, b"all answered"),
            (&desk, &foreign, now, b"all answered"),
            (&desk, &desk, Timestamp(0), b"all answered"),
        ] {
            assert!(check(authority, signer, at, text).is_err());
        }
    }
}
