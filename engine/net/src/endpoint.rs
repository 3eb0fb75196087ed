//! Sockets that speak QUIC.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;

use ach_actors_model::Timestamp;
use aws_lc_rs::hmac;
use quinn::{
    AsyncUdpSocket, ClientConfig, Connection, Endpoint, EndpointConfig, Runtime, ServerConfig,
};
use quinn_proto::HashedConnectionIdGenerator;
use rustix::net::sockopt::{set_socket_recv_buffer_size, set_socket_send_buffer_size};
use rustls_pki_types::CertificateDer;
use thiserror::Error;

use crate::identity::certificate_validity;
use crate::tls::{client_crypto, server_crypto};
use crate::transport::{client_transport, limit_handshakes, node_transport};
use crate::{Bundle, Identity, IdentityError};

/// Why an endpoint could not be opened.
#[derive(Debug, Error)]
pub enum EndpointError {
    /// The bundle's key cannot be used.
    #[error("the bundle's private key cannot be used, enrol again")]
    Key,
    /// The bundle's authority cannot be used.
    #[error("the bundle's authority cannot be used, enrol again")]
    Authority,
    /// The cryptography lacks what QUIC demands.
    #[error("the cryptography lacks the cipher suite that QUIC demands")]
    Suite,
    /// TLS refused the bundle.
    #[error("tls refused the bundle: {0}")]
    Tls(rustls::Error),
    /// The socket could not be opened.
    #[error("could not open udp {address}: {source}, choose another address or port")]
    Socket {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
}

/// Bytes that a node's socket may hold while its thread is away: 3,000 full packets, which is 30 ms
/// of half a million pings a second. The system gives as much of it as `net.core.rmem_max` and
/// `net.core.wmem_max` allow.
const SOCKET_BYTES: usize = 4 * 1024 * 1024;

/// A smaller buffer than wanted costs packets that are sent again, and keeps nobody from working.
fn make_roomy(socket: &UdpSocket) {
    let _ = set_socket_recv_buffer_size(socket, SOCKET_BYTES);
    let _ = set_socket_send_buffer_size(socket, SOCKET_BYTES);
}

/// Opens a node's endpoint. Take connections from it with a [`Listener`](crate::Listener).
///
/// # Errors
///
/// A bundle that cannot be used or an address that cannot be opened.
pub fn server_endpoint(address: SocketAddr, bundle: &Bundle) -> Result<Endpoint, EndpointError> {
    let config = server_config(bundle)?;
    let failed = |source| EndpointError::Socket { address, source };
    let socket = UdpSocket::bind(address).map_err(failed)?;
    make_roomy(&socket);
    let runtime = quinn::default_runtime()
        .ok_or_else(|| failed(io::Error::other("no tokio runtime is running")))?;
    Endpoint::new(resetting(bundle), Some(config), socket, runtime).map_err(failed)
}

fn server_config(bundle: &Bundle) -> Result<ServerConfig, EndpointError> {
    let mut config = ServerConfig::with_crypto(server_crypto(bundle)?);
    config.transport_config(node_transport());
    limit_handshakes(&mut config);
    Ok(config)
}

/// What an endpoint stands on when it is not a socket of the system: packets, timers, tasks and
/// chance of somebody's making, so that the same code runs in a simulated network.
#[derive(Debug, Clone)]
pub struct Underlay {
    /// Carries packets.
    pub socket: Arc<dyn AsyncUdpSocket>,
    /// Has the time, and runs the connections.
    pub runtime: Arc<dyn Runtime>,
    /// Where the transport's chance comes from. That of the cryptography stays the system's.
    pub seed: [u8; 32],
}

/// As [`server_endpoint`], on an [`Underlay`].
///
/// # Errors
///
/// A bundle that cannot be used.
pub fn server_endpoint_on(under: Underlay, bundle: &Bundle) -> Result<Endpoint, EndpointError> {
    open_on(under, resetting(bundle), Some(server_config(bundle)?))
}

/// As [`client_endpoint`], on an [`Underlay`].
///
/// # Errors
///
/// A bundle that cannot be used.
pub fn client_endpoint_on(under: Underlay, bundle: &Bundle) -> Result<Endpoint, EndpointError> {
    let config = client_config(bundle)?;
    let mut endpoint = open_on(under, EndpointConfig::default(), None)?;
    endpoint.set_default_client_config(config);
    Ok(endpoint)
}

fn open_on(
    under: Underlay,
    mut config: EndpointConfig,
    server: Option<ServerConfig>,
) -> Result<Endpoint, EndpointError> {
    let Underlay { socket, runtime, seed } = under;
    config.rng_seed(Some(seed));
    let address = socket.local_addr().unwrap_or((Ipv4Addr::UNSPECIFIED, 0).into());
    Endpoint::new_with_abstract_socket(config, server, socket, runtime)
        .map_err(|source| EndpointError::Socket { address, source })
}

fn client_config(bundle: &Bundle) -> Result<ClientConfig, EndpointError> {
    let mut config = ClientConfig::new(client_crypto(bundle)?);
    config.transport_config(client_transport());
    Ok(config)
}

/// After a crash the next process must be able to tell clients that their connections are gone
/// (RFC 9000, 10.3), or each would wait for its idle time-out before it sends again what was not
/// durable. So the keys for that are derived from the bundle's, not drawn by chance.
fn resetting(bundle: &Bundle) -> EndpointConfig {
    let secret = hmac::Key::new(hmac::HMAC_SHA256, bundle.key_pem().as_bytes());
    let reset = hmac::sign(&secret, b"ach/1 stateless reset");
    let ids = hmac::sign(&secret, b"ach/1 connection ids");
    let ids = ids.as_ref().iter().take(8).fold(0, |key, byte| (key << 8) | u64::from(*byte));
    let mut config =
        EndpointConfig::new(Arc::new(hmac::Key::new(hmac::HMAC_SHA256, reset.as_ref())));
    config.cid_generator(move || Box::new(HashedConnectionIdGenerator::from_key(ids)));
    config
}

/// Opens a client's endpoint that can reach `remote`'s address family.
///
/// # Errors
///
/// A bundle that cannot be used or no free port.
pub fn client_endpoint(remote: SocketAddr, bundle: &Bundle) -> Result<Endpoint, EndpointError> {
    let config = client_config(bundle)?;
    let address: SocketAddr = if remote.is_ipv4() {
        (Ipv4Addr::UNSPECIFIED, 0).into()
    } else {
        (Ipv6Addr::UNSPECIFIED, 0).into()
    };
    let mut endpoint =
        Endpoint::client(address).map_err(|source| EndpointError::Socket { address, source })?;
    endpoint.set_default_client_config(config);
    Ok(endpoint)
}

/// Who is at the other end, by the certificate that the handshake verified.
///
/// # Errors
///
/// A certificate that names no one.
pub fn peer_identity(connection: &Connection) -> Result<Identity, IdentityError> {
    peer_credentials(connection).map(|credentials| credentials.identity)
}

/// What a peer's certificate says.
#[derive(Debug)]
pub(crate) struct Credentials {
    pub(crate) identity: Identity,
    pub(crate) valid_from: Timestamp,
    pub(crate) valid_until: Timestamp,
}

/// As [`peer_identity`], with the times between which the certificate is good.
pub(crate) fn peer_credentials(connection: &Connection) -> Result<Credentials, IdentityError> {
    let shown = connection.peer_identity().ok_or(IdentityError::Certificate)?;
    let chain =
        shown.downcast::<Vec<CertificateDer<'static>>>().map_err(|_| IdentityError::Certificate)?;
    let certificate = chain.first().ok_or(IdentityError::Certificate)?;
    let identity = Identity::from_certificate(certificate)?;
    let (valid_from, valid_until) = certificate_validity(certificate)?;
    Ok(Credentials { identity, valid_from, valid_until })
}
