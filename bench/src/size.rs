//! How large a workload is.

/// The seed of every workload.
pub const SEED: u64 = 42;

/// A size for tests and one for measuring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Runs in well under a second in a debug build.
    pub smoke: usize,
    /// What is measured.
    pub full: usize,
}
