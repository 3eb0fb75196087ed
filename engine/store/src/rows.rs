//! Rows on their way into the LSM.

use std::collections::BTreeMap;

use crate::errors::Fault;
use crate::tables::Keyspace;

/// Rows by key.
pub(crate) type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

/// Writes rows as one table: all of them or none, synced when this returns, never through the LSM's
/// own journal (`docs/specs/store.md` says why).
pub(crate) fn write_rows(keyspace: &Keyspace, rows: Rows) -> Result<(), Fault> {
    keyspace.write(rows).map_err(Fault::of("write a table of"))
}
