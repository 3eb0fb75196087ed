//! What a client of a test says in TLS, right or not.

use std::fs;
use std::sync::Arc;

use ach_clients_rust::Bundle;
use ach_engine_net::Authority;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

/// What both sides call the protocol.
pub(crate) const ALPN: &[u8] = b"ach/1";

/// A client that trusts `authority`, shows `bundle` or nothing, and names the protocol so, or not at all.
pub(crate) fn client_tls(
    authority: &Authority,
    bundle: Option<&Bundle>,
    alpn: &[u8],
) -> ClientConfig {
    let certificate = |pem: &str| CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(certificate(authority.certificate_pem())).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(roots);
    let mut config = match bundle {
        None => builder.with_no_client_auth(),
        Some(bundle) => {
            // A bundle tells its key to files alone.
            let folder = tempfile::tempdir().unwrap();
            bundle.save(folder.path()).unwrap();
            let key = fs::read(folder.path().join("key.pem")).unwrap();
            let key = PrivateKeyDer::from_pem_slice(&key).unwrap();
            let chain = vec![certificate(bundle.certificate_pem())];
            builder.with_client_auth_cert(chain, key).unwrap()
        }
    };
    if !alpn.is_empty() {
        config.alpn_protocols = vec![alpn.to_vec()];
    }
    config
}
