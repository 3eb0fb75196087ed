//! Tables in the LSM.

use std::ops::Bound;
use std::path::Path;

use fjall::config::{BlockSizePolicy, CompressionPolicy, PartitioningPolicy, PinningPolicy};
use fjall::{CompressionType, Database, KeyspaceCreateOptions, Slice};

use super::{Iter, Keyspace, Table, Tables};
use crate::rows::Rows;

/// Blocks in which the LSM reads and compresses: a day of a tag is read in a few dozen.
const LSM_BLOCK_BYTES: u32 = 16 * 1024;

/// Memory for blocks that were read. Reading history must not push the node's cells out.
const CACHE_BYTES: u64 = 16 * 1024 * 1024;

/// Bytes of a table before it is split: compaction never rewrites more than some of these at once.
const MEMTABLE_BYTES: u64 = 8 * 1024 * 1024;

/// The LSM.
struct Lsm(Database);

/// One of its keyspaces.
struct LsmTable(fjall::Keyspace);

/// Opens the LSM in a folder, and makes it if there is none.
pub(crate) fn open_lsm(folder: &Path) -> fjall::Result<impl Tables + use<>> {
    Database::builder(folder).worker_threads(1).cache_size(CACHE_BYTES).open().map(Lsm)
}

/// Indexes and filters are cut into blocks that come and go through the cache as data do. As the LSM has it, a
/// merge leaves those of its first two levels in memory for as long as the tables are there, and others come
/// into the cache whole, a table's index at a time: neither should grow with a node's history.
fn options() -> KeyspaceCreateOptions {
    KeyspaceCreateOptions::default()
        .max_memtable_size(MEMTABLE_BYTES)
        .index_block_partitioning_policy(PartitioningPolicy::all(true))
        .index_block_pinning_policy(PinningPolicy::all(false))
        .filter_block_partitioning_policy(PartitioningPolicy::all(true))
        .filter_block_pinning_policy(PinningPolicy::all(false))
        .data_block_size_policy(BlockSizePolicy::all(LSM_BLOCK_BYTES))
        .data_block_compression_policy(CompressionPolicy::all(CompressionType::Lz4))
}

impl Tables for Lsm {
    fn names(&self) -> Vec<String> {
        self.0.list_keyspace_names().iter().map(ToString::to_string).collect()
    }

    fn has(&self, name: &str) -> bool {
        self.0.keyspace_exists(name)
    }

    fn keyspace(&self, name: &str) -> fjall::Result<Keyspace> {
        self.0.keyspace(name, options).map(|keyspace| Keyspace::new(LsmTable(keyspace)))
    }

    fn remove(&self, name: &str) -> fjall::Result<()> {
        if !self.0.keyspace_exists(name) {
            return Ok(());
        }
        let keyspace = self.0.keyspace(name, options)?;
        self.0.delete_keyspace(keyspace)
    }
}

impl Table for LsmTable {
    fn get(&self, key: &[u8]) -> fjall::Result<Option<Slice>> {
        self.0.get(key)
    }

    fn between(&self, from: Bound<&[u8]>, until: Bound<&[u8]>) -> Iter {
        Box::new(self.0.range::<&[u8], _>((from, until)).map(fjall::Guard::into_inner))
    }

    fn write(&self, rows: Rows) -> fjall::Result<()> {
        let mut table = self.0.start_ingestion()?;
        for (key, value) in rows {
            table.write(key, value)?;
        }
        table.finish()
    }

    fn disk_bytes(&self) -> u64 {
        self.0.disk_space()
    }

    fn merge(&self) -> fjall::Result<()> {
        self.0.major_compact()
    }
}
