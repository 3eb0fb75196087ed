//! The client against nodes that are no more than the protocol: they say what a test wants, and go
//! away when it wants.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::large_futures,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "everything here is a test, also what is not marked as one"
)]

mod connect;
mod follow;
mod node;
mod operate;
mod publish;
mod restart;
mod trouble;
