//! The crate against simple oracles, on random and degenerate input.
//!
//! Every random test prints its seed; `ACH_SEED` repeats one.
#![cfg(test)]

mod askew;
mod boxes;
mod dice;
mod frames;
mod gates_model;
mod indexes;
mod lines;
mod regions;
mod stories;
mod walks;
mod world;
