//! A client that tries to send before its certificate was looked at.

#![allow(clippy::unwrap_used, reason = "a test ends where it fails")]

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use ach_actors_model::Name;
use ach_engine_net::{Authority, Bundle, Role, server_endpoint};
use quinn::Endpoint;
use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tempfile::TempDir;

const ALPN: &[u8] = b"ach/1";

fn any_port() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}

fn certificate(pem: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()
}

/// Its key, which a bundle tells to files alone.
fn key(bundle: &Bundle, folder: &Path) -> PrivateKeyDer<'static> {
    bundle.save(folder).unwrap();
    let mut files =
        fs::read_dir(folder).unwrap().map(|file| fs::read(file.unwrap().path()).unwrap());
    files.find_map(|pem| PrivateKeyDer::from_pem_slice(&pem).ok()).unwrap()
}

/// A client with a good certificate that resumes and sends early whenever it can.
fn eager(bundle: &Bundle, folder: &Path) -> Endpoint {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate(bundle.authority_pem())).unwrap();
    let mut config = rustls::ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(roots)
        .with_client_auth_cert(vec![certificate(bundle.certificate_pem())], key(bundle, folder))
        .unwrap();
    config.alpn_protocols = vec![ALPN.to_vec()];
    config.enable_early_data = true;
    let crypto = QuicClientConfig::try_from(config).unwrap();
    let mut endpoint = Endpoint::client(any_port()).unwrap();
    endpoint.set_default_client_config(quinn::ClientConfig::new(Arc::new(crypto)));
    endpoint
}

/// A server that lets anybody resume and send early.
fn careless(bundle: &Bundle, folder: &Path) -> Endpoint {
    let mut config = rustls::ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate(bundle.certificate_pem())], key(bundle, folder))
        .unwrap();
    config.alpn_protocols = vec![ALPN.to_vec()];
    config.max_early_data_size = u32::MAX;
    let crypto = QuicServerConfig::try_from(config).unwrap();
    let config = quinn::ServerConfig::with_crypto(Arc::new(crypto));
    Endpoint::server(config, any_port()).unwrap()
}

/// Comes, hears all that the server has to say, goes, and comes again. Whether it could send early then.
async fn can_send_early(server: Endpoint, client: &Endpoint) -> bool {
    let address = server.local_addr().unwrap();
    let serving = tokio::spawn(async move {
        while let Some(incoming) = server.accept().await {
            let connection = incoming.await.unwrap();
            let mut stream = connection.open_uni().await.unwrap();
            stream.write_all(b"welcome").await.unwrap();
            stream.finish().unwrap();
            connection.closed().await;
        }
    });
    let connection = client.connect(address, "localhost").unwrap().await.unwrap();
    let mut stream = connection.accept_uni().await.unwrap();
    stream.read_to_end(64).await.unwrap();
    connection.close(0_u32.into(), b"");
    let is_early = match client.connect(address, "localhost").unwrap().into_0rtt() {
        Ok(_) => true,
        Err(connecting) => {
            connecting.await.unwrap();
            false
        }
    };
    serving.abort();
    is_early
}

#[tokio::test]
async fn who_comes_again_can_resume_nothing_and_send_nothing_early() {
    let folder = TempDir::new().unwrap();
    let site = Name::new("st-anna").unwrap();
    let authority = Authority::create(&folder.path().join("pki"), &site).unwrap();
    let issue = |role, id| authority.issue(role, &Name::new(id).unwrap()).unwrap();
    let (node, vendor) = (issue(Role::Node, "node-1"), issue(Role::Vendor, "uwb"));
    let client = eager(&vendor, &folder.path().join("vendor"));
    let careless = careless(&node, &folder.path().join("node"));
    assert!(can_send_early(careless, &client).await, "this client does try");
    let client = eager(&vendor, &folder.path().join("vendor"));
    let sound = server_endpoint(any_port(), &node).unwrap();
    assert!(!can_send_early(sound, &client).await);
}
