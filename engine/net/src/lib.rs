//! QUIC endpoints, certificates and framed streams.
//!
//! Every window, count and time-out is set here, with its reason, in [`transport`]; who may connect
//! is decided by certificates of the site's own [`Authority`].

mod authority;
mod bundle;
mod clock;
mod endpoint;
mod frame_sink;
mod frame_source;
mod identity;
mod listener;
mod pki_error;
mod revocations;
mod signature;
mod tls;
pub mod transport;
mod validity;

pub use authority::Authority;
pub use bundle::Bundle;
pub use endpoint::{
    EndpointError, Underlay, client_endpoint, client_endpoint_on, peer_identity, server_endpoint,
    server_endpoint_on,
};
pub use frame_sink::{FrameSink, SINK_BYTES_FULL};
pub use frame_source::{FRAME_DEADLINE, FrameSource, StreamError};
pub use identity::{Identity, IdentityError, Role};
pub use listener::{Handshake, HandshakeCounts, HandshakeError, HandshakeLimits, Listener, Peer};
pub use pki_error::PkiError;
pub use revocations::{Revocations, made_at};
pub use signature::{SignatureError, verify_signature};
pub use validity::{valid_from, valid_until};
