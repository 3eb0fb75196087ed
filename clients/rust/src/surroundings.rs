//! What a client takes from the machine it runs on: time, chance, and a way to the node.

use std::fmt;
use std::net::SocketAddr;

use ach_actors_model::Timestamp;
use ach_engine_net::{Bundle, EndpointError, client_endpoint};
use quinn::Endpoint;

use crate::clock;

/// What a client takes from the machine it runs on. A client in a simulated world is given another
/// one than [`Machine`], and is the same client in all else.
pub trait Surroundings: fmt::Debug + Send + Sync {
    /// What time it is, by the client's own clock.
    fn now(&self) -> Timestamp;

    /// A number nobody can foresee, so that not everybody comes back at once.
    fn chance(&self) -> u64;

    /// An endpoint from which `remote` can be reached.
    ///
    /// # Errors
    ///
    /// A bundle that cannot be used or no free port.
    fn endpoint(&self, remote: SocketAddr, bundle: &Bundle) -> Result<Endpoint, EndpointError>;

    /// Whether what is kept on disk is written by whoever publishes, rather than by a thread of its
    /// own: slower, and the same every time.
    fn keeps_at_once(&self) -> bool {
        false
    }
}

/// The real machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct Machine {}

impl Surroundings for Machine {
    fn now(&self) -> Timestamp {
        clock::now()
    }

    fn chance(&self) -> u64 {
        clock::chance()
    }

    fn endpoint(&self, remote: SocketAddr, bundle: &Bundle) -> Result<Endpoint, EndpointError> {
        client_endpoint(remote, bundle)
    }
}
