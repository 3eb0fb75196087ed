//! Certificates of a simulated site: made once a process, with signatures of one length.
//!
//! Ed25519 rather than the P-256 of real ones: an ECDSA signature is 70 to 72 bytes by chance, and a
//! packet that is longer in one run than in the next makes another run.

use std::path::PathBuf;
use std::sync::OnceLock;

use ach_engine_net::{Bundle, Identity, Role};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ED25519, SanType, SerialNumber, date_time_ymd, string,
};
use tempfile::TempDir;
use thiserror::Error;

use crate::site::{NODE, RECEIVER, SITE, VENDOR, name};

/// The journal's key, as a node finds it in its file.
const KEK_HEX: &str = "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a";

/// Why there are no identities.
#[derive(Debug, Error)]
pub(crate) enum IdentitiesError {
    /// A certificate could not be made.
    #[error("could not make a certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    /// A certificate that was made cannot be used.
    #[error("could not use a certificate: {0}")]
    Bundle(#[from] ach_engine_net::PkiError),
    /// The folder could not be made.
    #[error("could not write the journal's key: {0}")]
    Folder(#[from] std::io::Error),
}

/// Everybody's certificates, and the journal's key.
#[derive(Debug)]
pub(crate) struct Identities {
    pub node: Bundle,
    pub vendor: Bundle,
    pub receiver: Bundle,
    folder: TempDir,
}

impl Identities {
    /// Those of this process.
    pub(crate) fn get() -> Result<&'static Identities, &'static IdentitiesError> {
        static IDENTITIES: OnceLock<Result<Identities, IdentitiesError>> = OnceLock::new();
        IDENTITIES.get_or_init(Identities::make).as_ref()
    }

    fn make() -> Result<Identities, IdentitiesError> {
        use std::os::unix::fs::OpenOptionsExt as _;
        let key = KeyPair::generate_for(&PKCS_ED25519)?;
        let mut params = dated(1)?;
        params.distinguished_name.push(DnType::CommonName, "authority of the simulated site");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let authority_pem = params.self_signed(&key)?.pem();
        let issuer = Issuer::new(params, key);
        let folder = tempfile::tempdir()?;
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        let mut file = options.open(folder.path().join("journal.key"))?;
        std::io::Write::write_all(&mut file, KEK_HEX.as_bytes())?;
        let issue = |serial, role, who| issue(&issuer, &authority_pem, serial, role, who);
        Ok(Identities {
            node: issue(2, Role::Node, NODE)?,
            vendor: issue(3, Role::Vendor, VENDOR)?,
            receiver: issue(4, Role::Receiver, RECEIVER)?,
            folder,
        })
    }

    /// The file with the journal's key.
    pub(crate) fn kek_file(&self) -> PathBuf {
        self.folder.path().join("journal.key")
    }
}

fn dated(serial: u8) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.not_before = date_time_ymd(2000, 1, 1);
    params.not_after = date_time_ymd(2200, 1, 1);
    params.serial_number = Some(SerialNumber::from_slice(&[serial]));
    params.distinguished_name = rcgen::DistinguishedName::new();
    Ok(params)
}

fn issue(
    issuer: &Issuer<'static, KeyPair>,
    authority_pem: &str,
    serial: u8,
    role: Role,
    who: &str,
) -> Result<Bundle, IdentitiesError> {
    let key = KeyPair::generate_for(&PKCS_ED25519)?;
    let identity = Identity { site: name(SITE), role, name: name(who) };
    let mut params = dated(serial)?;
    params.distinguished_name.push(DnType::CommonName, who);
    let mut names = vec![SanType::URI(string::Ia5String::try_from(identity.uri())?)];
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    if role == Role::Node {
        names.push(SanType::DnsName(string::Ia5String::try_from("localhost".to_owned())?));
        params.extended_key_usages.push(ExtendedKeyUsagePurpose::ServerAuth);
    }
    params.subject_alt_names = names;
    let certificate_pem = params.signed_by(&key, issuer)?.pem();
    Ok(Bundle::from_pem(authority_pem.to_owned(), certificate_pem, key.serialize_pem())?)
}
