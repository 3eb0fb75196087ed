//! Why a connection did not come about or broke.

use std::net::SocketAddr;
use std::time::Duration;

use ach_actors_model::Name;
use ach_engine_net::{EndpointError, Identity, IdentityError, StreamError};
use ach_engine_wire::{Code, Text};
use quinn::ConnectionError;
use thiserror::Error;

use crate::SpoolError;

/// QUIC's codes for alerts of TLS (RFC 9001, 4.8): bad certificates, among others.
const TLS_ALERTS: std::ops::Range<u64> = 0x100..0x200;

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
    /// The connection was lost, or is not one of QUIC's.
    #[error("connection refused or lost: {0}")]
    Connection(ConnectionError),
    /// This side does not trust the node.
    #[error(
        "the node's certificate is not trusted: {reason}; check the server name, the clock, and \
         that both sides' certificates come from the site's own authority"
    )]
    Untrusted {
        /// What TLS said.
        reason: String,
    },
    /// The node does not trust this side.
    #[error(
        "the node refused this certificate: {reason}; check that it comes from the site's own \
         authority and has not expired, or enrol again"
    )]
    Unwelcome {
        /// What TLS said.
        reason: String,
    },
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
    /// What was kept from an earlier life cannot be read.
    #[error(transparent)]
    Spool(#[from] SpoolError),
}

impl ConnectError {
    /// Whether the same attempt may well succeed in a moment. Where it may not, somebody has to
    /// change something first: a certificate, the site, a second program under the same name.
    pub fn may_retry(&self) -> bool {
        match self {
            ConnectError::Endpoint(_)
            | ConnectError::Address { .. }
            | ConnectError::NoAnswer { .. }
            | ConnectError::Connection(_)
            | ConnectError::Stream(_) => true,
            ConnectError::Refused { code, .. } => code.may_retry(),
            ConnectError::Untrusted { .. }
            | ConnectError::Unwelcome { .. }
            | ConnectError::Identity(_)
            | ConnectError::NotANode { .. }
            | ConnectError::OtherSite { .. }
            | ConnectError::Protocol { .. }
            | ConnectError::Spool(_) => false,
        }
    }

    /// Whether a newer connection of the same vendor took over. Then this one must not come back,
    /// or the two would take each other's place for ever.
    pub fn is_taken_over(&self) -> bool {
        matches!(self, ConnectError::Refused { code: Code::TakenOver, .. })
    }
}

impl From<ConnectionError> for ConnectError {
    fn from(error: ConnectionError) -> ConnectError {
        match error {
            ConnectionError::ApplicationClosed(close) => {
                let value = u16::try_from(close.error_code.into_inner()).ok();
                let code = value.and_then(Code::from_value).unwrap_or(Code::Internal);
                let detail = Text::new(&String::from_utf8_lossy(&close.reason)).to_string();
                ConnectError::Refused { code, detail }
            }
            ConnectionError::ConnectionClosed(close)
                if TLS_ALERTS.contains(&u64::from(close.error_code)) =>
            {
                ConnectError::Unwelcome { reason: close.to_string() }
            }
            ConnectionError::TransportError(error)
                if TLS_ALERTS.contains(&u64::from(error.code)) =>
            {
                ConnectError::Untrusted { reason: error.to_string() }
            }
            other => ConnectError::Connection(other),
        }
    }
}
