//! Takes connections, bounded: no flood of handshakes disturbs those who are connected.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ach_engine_wire::Code;
use quinn::{Connection, ConnectionError, Endpoint, Incoming, VarInt};
use thiserror::Error;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::transport::{HANDSHAKE_DEADLINE, PENDING_HANDSHAKES_MAX, RETRY_ABOVE};
use crate::{Identity, IdentityError, peer_identity};

/// Takes connections from an endpoint.
///
/// Above [`RETRY_ABOVE`] handshakes under way a client must prove its address first; above
/// [`PENDING_HANDSHAKES_MAX`] packets that ask for one more are dropped unanswered.
#[derive(Debug)]
pub struct Listener {
    endpoint: Endpoint,
    free: Arc<Semaphore>,
    retry_above: usize,
    counters: Arc<Counters>,
}

#[derive(Debug, Default)]
struct Counters {
    retried: AtomicU64,
    dropped: AtomicU64,
}

/// A handshake that is under way; it holds one of the places until it is finished or dropped.
#[derive(Debug)]
pub struct Handshake {
    incoming: Incoming,
    remote: SocketAddr,
    _place: OwnedSemaphorePermit,
}

/// A peer that is connected and known.
#[derive(Debug)]
pub struct Peer {
    /// The connection.
    pub connection: Connection,
    /// Who it is.
    pub identity: Identity,
}

/// Why a handshake came to nothing.
#[derive(Debug, Error)]
pub enum HandshakeError {
    /// TLS or QUIC refused: no certificate, a wrong or expired one, another protocol.
    #[error("handshake with {remote} refused: {source}")]
    Refused {
        /// Where from.
        remote: SocketAddr,
        /// Why.
        source: ConnectionError,
    },
    /// It took too long.
    #[error("handshake with {remote} not finished in {HANDSHAKE_DEADLINE:?}")]
    Late {
        /// Where from.
        remote: SocketAddr,
    },
    /// The certificate is the site's but names no one.
    #[error("certificate of {remote} refused: {source}")]
    Identity {
        /// Where from.
        remote: SocketAddr,
        /// Why.
        source: IdentityError,
    },
}

impl Listener {
    /// Takes connections from an endpoint made by [`server_endpoint`](crate::server_endpoint).
    pub fn new(endpoint: Endpoint) -> Listener {
        Listener::with_retry_above(endpoint, RETRY_ABOVE)
    }

    /// As [`Listener::new`] with another threshold for proofs of address; 0 always asks.
    pub fn with_retry_above(endpoint: Endpoint, retry_above: usize) -> Listener {
        Listener {
            endpoint,
            free: Arc::new(Semaphore::new(PENDING_HANDSHAKES_MAX)),
            retry_above,
            counters: Arc::default(),
        }
    }

    /// The endpoint.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// How many clients were asked to prove their address.
    pub fn retried_count(&self) -> u64 {
        self.counters.retried.load(Ordering::Relaxed)
    }

    /// How many were dropped because too many handshakes were under way.
    pub fn dropped_count(&self) -> u64 {
        self.counters.dropped.load(Ordering::Relaxed)
    }

    /// The next handshake; finish each on a task of its own. `None` once the endpoint is closed.
    pub async fn accept(&self) -> Option<Handshake> {
        loop {
            let incoming = self.endpoint.accept().await?;
            let pending_count =
                PENDING_HANDSHAKES_MAX.saturating_sub(self.free.available_permits());
            if pending_count >= self.retry_above && !incoming.remote_address_validated() {
                self.counters.retried.fetch_add(1, Ordering::Relaxed);
                if let Err(error) = incoming.retry() {
                    error.into_incoming().ignore();
                }
                continue;
            }
            if let Ok(place) = Arc::clone(&self.free).try_acquire_owned() {
                let remote = incoming.remote_address();
                return Some(Handshake { incoming, remote, _place: place });
            }
            self.counters.dropped.fetch_add(1, Ordering::Relaxed);
            incoming.ignore();
        }
    }
}

impl Handshake {
    /// Where it comes from.
    pub fn remote(&self) -> SocketAddr {
        self.remote
    }

    /// Finishes it and tells who it is.
    ///
    /// # Errors
    ///
    /// The peer showed no certificate of the site, was too slow, or is no one.
    pub async fn finish(self) -> Result<Peer, HandshakeError> {
        let Handshake { incoming, remote, _place } = self;
        let connection = match timeout(HANDSHAKE_DEADLINE, incoming).await {
            Ok(Ok(connection)) => connection,
            Ok(Err(source)) => return Err(HandshakeError::Refused { remote, source }),
            Err(_) => return Err(HandshakeError::Late { remote }),
        };
        match peer_identity(&connection) {
            Ok(identity) => Ok(Peer { connection, identity }),
            Err(source) => {
                let code = VarInt::from_u32(u32::from(Code::WrongRole.value()));
                connection.close(code, b"the certificate names no one");
                Err(HandshakeError::Identity { remote, source })
            }
        }
    }
}
