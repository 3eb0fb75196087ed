//! A site's own certificate authority: who has its certificate may connect.

use std::fmt;
use std::net::IpAddr;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use ach_actors_model::{NS_PER_S, Name, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, SanType, SerialNumber, date_time_ymd, string,
};
use zeroize::Zeroizing;

use crate::bundle::{
    AUTHORITY_FILE, Bundle, Secrecy, make_directory, read_key, read_text, write_file,
};
use crate::clock::since_1970;
use crate::{Identity, PkiError, Role};

const KEY_FILE: &str = "ca-key.pem";

const REMEDY: &str = "start the node once to make an authority, or restore it from a backup";

const DAY: Duration = Duration::from_hours(24);

/// How long an authority is good: longer than the equipment it vouches for.
const AUTHORITY_VALIDITY: Duration = DAY.saturating_mul(365 * 20);

/// How long a certificate is good: two years and a margin to renew it in.
const CERTIFICATE_VALIDITY: Duration = DAY.saturating_mul(365 * 2 + 60);

/// Certificates are good from an hour ago, so that a peer whose clock is behind can connect.
pub(crate) const CLOCK_MARGIN: Duration = Duration::from_hours(1);

/// Longest list of hosts in a node's certificate.
const HOSTS_MAX: usize = 64;

/// A site's certificate authority: `ca.pem` and `ca-key.pem` in a directory. ECDSA P-256.
pub struct Authority {
    site: Name,
    certificate_pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").field("site", &self.site).finish_non_exhaustive()
    }
}

impl Authority {
    /// Makes an authority for a site and writes it.
    ///
    /// # Errors
    ///
    /// There is one already, or a file cannot be written.
    pub fn create(directory: &Path, site: &Name) -> Result<Authority, PkiError> {
        for file in [AUTHORITY_FILE, KEY_FILE] {
            let path = directory.join(file);
            if path.exists() {
                return Err(PkiError::Exists { path });
            }
        }
        make_directory(directory)?;
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let params = authority_params(site)?;
        let certificate_pem = params.self_signed(&key)?.pem();
        let key_pem = Zeroizing::new(key.serialize_pem());
        write_file(&directory.join(KEY_FILE), &key_pem, Secrecy::Secret)?;
        write_file(&directory.join(AUTHORITY_FILE), &certificate_pem, Secrecy::Public)?;
        Ok(Authority { site: site.clone(), certificate_pem, issuer: Issuer::new(params, key) })
    }

    /// Opens an authority that was made before.
    ///
    /// # Errors
    ///
    /// A missing or damaged file, or a key that others can read.
    pub fn open(directory: &Path, site: &Name) -> Result<Authority, PkiError> {
        let certificate_path = directory.join(AUTHORITY_FILE);
        let certificate_pem = read_text(&certificate_path, REMEDY)?;
        let key_path = directory.join(KEY_FILE);
        let key_pem = read_key(&key_path, REMEDY)?;
        let key = KeyPair::from_pem(&key_pem)
            .map_err(|_| PkiError::Content { path: key_path, wanted: "private key" })?;
        let public_key = key.public_key_raw().to_vec();
        let issuer = Issuer::from_ca_cert_pem(&certificate_pem, key).map_err(|_| {
            PkiError::Content { path: certificate_path.clone(), wanted: "certificate" }
        })?;
        check_pair(&certificate_pem, &public_key, site, &certificate_path)?;
        Ok(Authority { site: site.clone(), certificate_pem, issuer })
    }

    /// Opens the authority in a directory, or makes it if there is none.
    ///
    /// # Errors
    ///
    /// As [`Authority::open`] and [`Authority::create`].
    pub fn open_or_create(directory: &Path, site: &Name) -> Result<Authority, PkiError> {
        let is_there = directory.join(AUTHORITY_FILE).exists() || directory.join(KEY_FILE).exists();
        if is_there { Authority::open(directory, site) } else { Authority::create(directory, site) }
    }

    /// The site it vouches for.
    pub fn site(&self) -> &Name {
        &self.site
    }

    /// Its certificate.
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// Makes a node's key and certificate, good for these host names and addresses and for
    /// `localhost`, `127.0.0.1` and `::1`.
    ///
    /// # Errors
    ///
    /// A text that is no host.
    pub fn issue_node(&self, name: &Name, hosts: &[String]) -> Result<Bundle, PkiError> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        self.issue_node_with(&key, name, hosts)
    }

    /// As [`Authority::issue_node`], for the key of an earlier bundle: a node that keeps its key can
    /// tell the clients of its earlier life at once that their connections are gone.
    ///
    /// # Errors
    ///
    /// A text that is no host, or a key of another kind.
    pub fn renew_node(
        &self,
        earlier: &Bundle,
        name: &Name,
        hosts: &[String],
    ) -> Result<Bundle, PkiError> {
        self.issue_node_with(&KeyPair::from_pem(earlier.key_pem())?, name, hosts)
    }

    fn issue_node_with(
        &self,
        key: &KeyPair,
        name: &Name,
        hosts: &[String],
    ) -> Result<Bundle, PkiError> {
        if let Some(host) = hosts.get(HOSTS_MAX) {
            return Err(PkiError::Host { host: host.clone() });
        }
        let always = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
        let mut names = Vec::new();
        for host in always.iter().chain(hosts) {
            let name = match IpAddr::from_str(host) {
                Ok(address) => SanType::IpAddress(address),
                Err(_) => SanType::DnsName(host_name(host)?),
            };
            if !names.contains(&name) {
                names.push(name);
            }
        }
        self.issue_with(key, Role::Node, name, names, since_1970())
    }

    /// Makes a key and certificate for a vendor, receiver or operator. For a vendor `name` is the
    /// id of its feed. A node's certificate made so is good for this machine only.
    ///
    /// # Errors
    ///
    /// The cryptography failed.
    pub fn issue(&self, role: Role, name: &Name) -> Result<Bundle, PkiError> {
        self.issue_after(role, name, None)
    }

    /// As [`Authority::issue`], made later than `after` by its own words: certificates that were
    /// revoked then stay void, and this one is good.
    ///
    /// # Errors
    ///
    /// The cryptography failed.
    pub fn issue_after(
        &self,
        role: Role,
        name: &Name,
        after: Option<Timestamp>,
    ) -> Result<Bundle, PkiError> {
        match role {
            Role::Node => self.issue_node(name, &[]),
            Role::Vendor | Role::Receiver | Role::Operator => {
                let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
                // Certificates know whole seconds.
                let next_s = after.map_or(0, |after| (after.0 / NS_PER_S).saturating_add(1));
                let made_at = since_1970().max(Duration::from_secs(next_s));
                self.issue_with(&key, role, name, Vec::new(), made_at)
            }
        }
    }

    fn issue_with(
        &self,
        key: &KeyPair,
        role: Role,
        name: &Name,
        mut names: Vec<SanType>,
        made_at: Duration,
    ) -> Result<Bundle, PkiError> {
        let identity = Identity { site: self.site.clone(), role, name: name.clone() };
        names.push(SanType::URI(string::Ia5String::try_from(identity.uri())?));
        let mut params = dated_params(made_at, CERTIFICATE_VALIDITY)?;
        params.distinguished_name.push(DnType::CommonName, format!("{} {name}", role.word()));
        params.subject_alt_names = names;
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        // A node also connects to other nodes.
        params.extended_key_usages = match role {
            Role::Node => {
                vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth]
            }
            Role::Vendor | Role::Receiver | Role::Operator => {
                vec![ExtendedKeyUsagePurpose::ClientAuth]
            }
        };
        let certificate_pem = params.signed_by(key, &self.issuer)?.pem();
        let key_pem = Zeroizing::new(key.serialize_pem());
        Ok(Bundle::new(self.certificate_pem.clone(), certificate_pem, key_pem, identity))
    }
}

fn host_name(host: &str) -> Result<string::Ia5String, PkiError> {
    let is_host = (1..=253).contains(&host.len())
        && host.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        });
    let refused = || PkiError::Host { host: host.chars().take(64).collect() };
    if !is_host {
        return Err(refused());
    }
    string::Ia5String::try_from(host.to_owned()).map_err(|_| refused())
}

fn authority_params(site: &Name) -> Result<CertificateParams, PkiError> {
    let mut params = dated_params(since_1970(), AUTHORITY_VALIDITY)?;
    params.distinguished_name.push(DnType::CommonName, common_name(site));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

fn common_name(site: &Name) -> String {
    format!("HMS-ACH authority of {site}")
}

fn dated_params(made_at: Duration, validity: Duration) -> Result<CertificateParams, PkiError> {
    let mut params = CertificateParams::new(Vec::new())?;
    let now = date_time_ymd(1970, 1, 1) + made_at;
    params.not_before = now - CLOCK_MARGIN;
    params.not_after = now + validity;
    let mut serial = [0; 16];
    aws_lc_rs::rand::fill(&mut serial).map_err(|_| rcgen::Error::RingUnspecified)?;
    // A serial number is positive, so the highest bit is clear (RFC 5280, 4.1.2.2).
    if let Some(first) = serial.first_mut() {
        *first &= 0x7f;
    }
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    params.distinguished_name = rcgen::DistinguishedName::new();
    Ok(params)
}

/// Certificate and key belong together and to this site.
fn check_pair(pem: &str, public_key: &[u8], site: &Name, path: &Path) -> Result<(), PkiError> {
    use rustls_pki_types::CertificateDer;
    use rustls_pki_types::pem::PemObject as _;
    use x509_parser::prelude::{FromDer as _, X509Certificate};

    let wrong = || PkiError::Content { path: path.to_owned(), wanted: "certificate" };
    let der = CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|_| wrong())?;
    let (_, certificate) = X509Certificate::from_der(&der).map_err(|_| wrong())?;
    let is_key_its = certificate.public_key().subject_public_key.data.as_ref() == public_key;
    let expected = common_name(site);
    let is_sites =
        certificate.subject().iter_common_name().any(|name| name.as_str() == Ok(expected.as_str()));
    if !certificate.is_ca() || !is_key_its || !is_sites {
        return Err(PkiError::Mismatch { path: path.to_owned() });
    }
    Ok(())
}
