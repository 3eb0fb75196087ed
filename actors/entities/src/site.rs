//! A site, compiled for deciding.

/// A site configuration, checked, interned and indexed. Immutable; swapped whole.
#[derive(Debug, Default)]
pub struct Site {}
