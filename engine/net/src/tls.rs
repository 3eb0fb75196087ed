//! TLS 1.3 with certificates both ways, no resumption and no early data.

use std::sync::Arc;

use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use rustls::client::Resumption;
use rustls::crypto::CryptoProvider;
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::{ClientConfig, RootCertStore, ServerConfig};

use crate::transport::ALPN;
use crate::{Bundle, EndpointError};

pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

fn roots(bundle: &Bundle) -> Result<RootCertStore, EndpointError> {
    let mut roots = RootCertStore::empty();
    for certificate in bundle.authority() {
        roots.add(certificate).map_err(EndpointError::Tls)?;
    }
    Ok(roots)
}

/// What a node demands and shows.
pub(crate) fn server_crypto(bundle: &Bundle) -> Result<Arc<QuicServerConfig>, EndpointError> {
    let key = bundle.key().ok_or(EndpointError::Key)?;
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots(bundle)?), provider())
            .build()
            .map_err(|_| EndpointError::Authority)?;
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(EndpointError::Tls)?
        .with_client_cert_verifier(verifier)
        .with_single_cert(bundle.chain(), key)
        .map_err(EndpointError::Tls)?;
    config.alpn_protocols = vec![ALPN.to_vec()];
    // Every connection shows its certificate anew: a resumed one would skip that check.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.max_early_data_size = 0;
    QuicServerConfig::try_from(config).map(Arc::new).map_err(|_| EndpointError::Suite)
}

/// What a client demands and shows.
pub(crate) fn client_crypto(bundle: &Bundle) -> Result<Arc<QuicClientConfig>, EndpointError> {
    let key = bundle.key().ok_or(EndpointError::Key)?;
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(EndpointError::Tls)?
        .with_root_certificates(roots(bundle)?)
        .with_client_auth_cert(bundle.chain(), key)
        .map_err(EndpointError::Tls)?;
    config.alpn_protocols = vec![ALPN.to_vec()];
    config.resumption = Resumption::disabled();
    config.enable_early_data = false;
    QuicClientConfig::try_from(config).map(Arc::new).map_err(|_| EndpointError::Suite)
}
