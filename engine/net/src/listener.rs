//! Takes connections, bounded: no flood of handshakes disturbs those who are connected.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ach_actors_model::Timestamp;
use ach_engine_wire::Code;
use quinn::{Connection, ConnectionError, Endpoint, Incoming, VarInt};
use thiserror::Error;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::yield_now;
use tokio::time::timeout;

use crate::endpoint::{Credentials, peer_credentials};
use crate::transport::{HANDSHAKE_DEADLINE, PENDING_HANDSHAKES_MAX, RETRY_ABOVE};
use crate::{Identity, IdentityError};

/// Askers turned away before other tasks of the thread get their turn: a proof of address costs
/// some 10 µs of cryptography and a packet.
const TURNED_AWAY_A_TURN_MAX: usize = 16;

/// How many handshakes may be under way, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HandshakeLimits {
    /// Handshakes under way at once; who asks for one more is dropped unanswered, before anything
    /// is kept for it.
    pub pending_max: usize,
    /// From this many on, a client must prove its address first; 0 always asks.
    pub retry_above: usize,
    /// A handshake that takes longer is given up.
    pub within: Duration,
}

impl Default for HandshakeLimits {
    fn default() -> HandshakeLimits {
        HandshakeLimits {
            pending_max: PENDING_HANDSHAKES_MAX,
            retry_above: RETRY_ABOVE,
            within: HANDSHAKE_DEADLINE,
        }
    }
}

/// Takes connections from an endpoint, within [`HandshakeLimits`].
#[derive(Debug)]
pub struct Listener {
    endpoint: Endpoint,
    free: Arc<Semaphore>,
    limits: HandshakeLimits,
    counters: Arc<HandshakeCounts>,
}

/// Handshakes that were not simply taken. Any thread may read them.
#[derive(Debug, Default)]
pub struct HandshakeCounts {
    retried: AtomicU64,
    dropped: AtomicU64,
}

impl HandshakeCounts {
    /// How many clients were asked to prove their address.
    pub fn retried(&self) -> u64 {
        self.retried.load(Ordering::Relaxed)
    }

    /// How many were dropped because too many handshakes were under way.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

/// A handshake that is under way; it holds one of the places until it is finished or dropped.
#[derive(Debug)]
pub struct Handshake {
    incoming: Incoming,
    remote: SocketAddr,
    within: Duration,
    _place: OwnedSemaphorePermit,
}

/// A peer that is connected and known.
#[derive(Debug)]
pub struct Peer {
    /// The connection.
    pub connection: Connection,
    /// Who it is.
    pub identity: Identity,
    /// When its certificate begins to be good.
    pub valid_from: Timestamp,
    /// When its certificate ends.
    pub valid_until: Timestamp,
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
    #[error("handshake with {remote} not finished in {within:?}")]
    Late {
        /// Where from.
        remote: SocketAddr,
        /// How long it had.
        within: Duration,
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
        Listener::with_limits(endpoint, HandshakeLimits::default())
    }

    /// As [`Listener::new`], with other limits.
    pub fn with_limits(endpoint: Endpoint, limits: HandshakeLimits) -> Listener {
        Listener {
            endpoint,
            free: Arc::new(Semaphore::new(limits.pending_max)),
            limits,
            counters: Arc::default(),
        }
    }

    /// The endpoint.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// How many clients were asked to prove their address.
    pub fn retried_count(&self) -> u64 {
        self.counters.retried()
    }

    /// How many were dropped because too many handshakes were under way.
    pub fn dropped_count(&self) -> u64 {
        self.counters.dropped()
    }

    /// The counts, for another thread.
    pub fn counts(&self) -> Arc<HandshakeCounts> {
        self.counters.clone()
    }

    /// The next handshake; finish each on a task of its own. `None` once the endpoint is closed.
    pub async fn accept(&self) -> Option<Handshake> {
        let mut turned_away: usize = 0;
        loop {
            if turned_away >= TURNED_AWAY_A_TURN_MAX {
                turned_away = 0;
                yield_now().await;
            }
            turned_away = turned_away.saturating_add(1);
            let incoming = self.endpoint.accept().await?;
            let pending_count =
                self.limits.pending_max.saturating_sub(self.free.available_permits());
            if pending_count >= self.limits.retry_above && !incoming.remote_address_validated() {
                self.counters.retried.fetch_add(1, Ordering::Relaxed);
                if let Err(error) = incoming.retry() {
                    error.into_incoming().ignore();
                }
                continue;
            }
            if let Ok(place) = Arc::clone(&self.free).try_acquire_owned() {
                let remote = incoming.remote_address();
                let within = self.limits.within;
                return Some(Handshake { incoming, remote, within, _place: place });
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
        let Handshake { incoming, remote, within, _place } = self;
        let connection = match timeout(within, incoming).await {
            Ok(Ok(connection)) => connection,
            Ok(Err(source)) => return Err(HandshakeError::Refused { remote, source }),
            Err(_) => return Err(HandshakeError::Late { remote, within }),
        };
        match peer_credentials(&connection) {
            Ok(Credentials { identity, valid_from, valid_until }) => {
                Ok(Peer { connection, identity, valid_from, valid_until })
            }
            Err(source) => {
                let code = VarInt::from_u32(u32::from(Code::WrongRole.value()));
                connection.close(code, b"the certificate names no one");
                Err(HandshakeError::Identity { remote, source })
            }
        }
    }
}
