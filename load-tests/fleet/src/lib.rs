//! Simulated tags, doors and staff over QUIC, with the truth beside them.
