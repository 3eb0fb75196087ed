//! Why a connection did not come about or broke.

use std::net::SocketAddr;
use std::time::Duration;

use ach_actors_model::Name;
use ach_engine_net::{EndpointError, Identity, IdentityError, StreamError};
use ach_engine_wire::Code;
use thiserror::Error;

/// Why a connection did not come about or broke.
#[derive(Debug, Error)]
pub enum ConnectError {
    /// No endpoint could be opened.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// The address or server name cannot be connected to.
    #[error("cannot connect to {address}: {source}")]
    Address {
        /// The address.
        address: SocketAddr,
        /// Why not.
        source: quinn::ConnectError,
    },
    /// The node did not answer.
    #[error("{address} did not answer in {within:?}: is the node running and reachable by udp")]
    NoAnswer {
        /// The address.
        address: SocketAddr,
        /// How long it was waited.
        within: Duration,
    },
    /// The connection was refused or lost.
    #[error("connection refused or lost: {0}")]
    Connection(#[from] quinn::ConnectionError),
    /// The peer's certificate names no one.
    #[error("the node's certificate is refused: {0}")]
    Identity(#[from] IdentityError),
    /// The peer is no node.
    #[error("the peer is {identity}, not a node")]
    NotANode {
        /// Who it is.
        identity: Identity,
    },
    /// The node serves another site.
    #[error("the node serves site {site}, not the one of this certificate: connect elsewhere")]
    OtherSite {
        /// The site it serves.
        site: Name,
    },
    /// A stream broke.
    #[error(transparent)]
    Stream(#[from] StreamError),
    /// The node said no.
    #[error("the node refused: {code}: {detail}")]
    Refused {
        /// Why.
        code: Code,
        /// In its words.
        detail: String,
    },
    /// The node does not follow the protocol.
    #[error("the node sent {found} where {wanted} was expected, check its version")]
    Protocol {
        /// What came.
        found: &'static str,
        /// What should have.
        wanted: &'static str,
    },
}
