//! What a node tells its operators over HTTP: metrics in Prometheus' text format, health, readiness.
//!
//! A [`Page`] knows the numbers, an [`Exposition`] writes them down, a [`Server`] answers on a thread of
//! its own and of low priority. Nothing here reads or changes what decides: the numbers are atomics that
//! others count up ([`Histogram`]).

mod exposition;
mod histogram;
mod page;
mod process;
mod server;

pub use exposition::{Amount, Exposition, Family, Kind};
pub use histogram::{GROUP_ENTRIES, Histogram, LATENCY_NS};
pub use page::Page;
pub use process::{ProcessCounts, own_process};
pub use server::{Server, ServerError, ServerLimits};
