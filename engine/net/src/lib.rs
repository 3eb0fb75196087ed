//! QUIC endpoints, certificates and framed streams.
