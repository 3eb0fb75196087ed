//! A real node on loopback, its journal, and clients that behave well, badly, or not at all.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "everything here is a test, also what is not marked as one"
)]

mod alarm;
mod answering;
mod applying;
mod attention;
mod audit;
mod bad_input;
mod badges;
mod broken_quic;
mod checkpoints;
mod clocks;
mod door_orders;
mod following;
mod full_disk;
mod history;
mod history_gaps;
mod incidents;
mod late_journal;
mod leave;
mod motion;
mod node_troubles;
mod numbers;
mod overload;
mod past;
mod responses;
mod restart;
mod revoking;
mod selftests;
mod stalled_history;
mod storing;
mod strangers;
mod subscribers;
mod unregistered;
mod vendors;
mod ward;
mod worn_wire;
