//! Rows on their way into the LSM.

use std::collections::BTreeMap;

use fjall::Keyspace;

use crate::errors::Fault;

/// Rows by key.
pub(crate) type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

/// Writes rows as one table: all of them or none, synced when this returns, never through the LSM's
/// own journal (`docs/specs/store.md` says why).
pub(crate) fn write_rows(keyspace: &Keyspace, rows: Rows) -> Result<(), Fault> {
    let failed = Fault::of("write a table of");
    let mut table = keyspace.start_ingestion().map_err(&failed)?;
    for (key, value) in rows {
        table.write(key, value).map_err(&failed)?;
    }
    table.finish().map_err(&failed)
}
