//! What history asks of the tables it lies in, and nothing more: the LSM of a node, or tables in memory
//! that fail on command.
//!
//! A writing is whole or not there, and survives a power cut when it returns. A later writing of a key
//! replaces the one before. Tables that were begun and never written may be gone after a crash. One suite
//! of tests holds both kinds to it.

mod lsm;
mod simulated;
#[cfg(test)]
mod tests;

use std::ops::{Bound, RangeBounds};
use std::sync::Arc;

use fjall::Slice;

pub(crate) use self::lsm::open_lsm;
pub use self::simulated::{SimRoom, SimTables, SimTablesFault};
use crate::rows::Rows;

/// A key and its value.
pub(crate) type Found = (Slice, Slice);

/// Rows in order of their keys, from either end.
pub(crate) type Iter = Box<dyn DoubleEndedIterator<Item = fjall::Result<Found>> + Send>;

/// A set of tables by name.
pub(crate) trait Tables: Send + Sync {
    /// The names of all there are.
    fn names(&self) -> Vec<String>;

    /// Whether there is one of that name.
    fn has(&self, name: &str) -> bool;

    /// The table of that name, made if there is none.
    fn keyspace(&self, name: &str) -> fjall::Result<Keyspace>;

    /// Removes the table of that name, if there is one.
    fn remove(&self, name: &str) -> fjall::Result<()>;
}

/// A table.
pub(crate) trait Table: Send + Sync {
    /// The value of a key.
    fn get(&self, key: &[u8]) -> fjall::Result<Option<Slice>>;

    /// The rows between two keys.
    fn between(&self, from: Bound<&[u8]>, until: Bound<&[u8]>) -> Iter;

    /// Writes rows in one piece; durable when it returns.
    fn write(&self, rows: Rows) -> fjall::Result<()>;

    /// Bytes it takes on the disk.
    fn disk_bytes(&self) -> u64;

    /// Merges what was written in many pieces.
    fn merge(&self) -> fjall::Result<()>;
}

/// A handle to a table.
#[derive(Clone)]
pub(crate) struct Keyspace(Arc<dyn Table>);

impl Keyspace {
    pub(crate) fn new(table: impl Table + 'static) -> Keyspace {
        Keyspace(Arc::new(table))
    }

    /// The value of a key.
    pub(crate) fn get(&self, key: impl AsRef<[u8]>) -> fjall::Result<Option<Slice>> {
        self.0.get(key.as_ref())
    }

    /// All rows.
    pub(crate) fn iter(&self) -> Iter {
        self.0.between(Bound::Unbounded, Bound::Unbounded)
    }

    /// The rows between two keys.
    pub(crate) fn range<K: AsRef<[u8]>>(&self, range: impl RangeBounds<K>) -> Iter {
        let bytes = |bound: Bound<&K>| bound.map(|key| key.as_ref().to_vec());
        let (from, until) = (bytes(range.start_bound()), bytes(range.end_bound()));
        self.0.between(from.as_ref().map(Vec::as_slice), until.as_ref().map(Vec::as_slice))
    }

    /// The rows whose keys begin with these bytes.
    pub(crate) fn prefix(&self, prefix: impl AsRef<[u8]>) -> Iter {
        let prefix = prefix.as_ref();
        let until = after_all_of(prefix);
        let until = until.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        self.0.between(Bound::Included(prefix), until)
    }

    /// Whether nothing was written. What cannot be read is something.
    pub(crate) fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    /// Writes rows in one piece; durable when it returns.
    pub(crate) fn write(&self, rows: Rows) -> fjall::Result<()> {
        self.0.write(rows)
    }

    /// Bytes it takes on the disk.
    pub(crate) fn disk_bytes(&self) -> u64 {
        self.0.disk_bytes()
    }

    /// Merges what was written in many pieces.
    pub(crate) fn merge(&self) -> fjall::Result<()> {
        self.0.merge()
    }
}

/// The first key after all that begin with these bytes; `None` if there is none.
fn after_all_of(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte < u8::MAX)?;
    let mut after = prefix.get(..=last)?.to_vec();
    if let Some(byte) = after.last_mut() {
        *byte += 1;
    }
    Some(after)
}
