//! Assembles a node: ingest, shard, journal, fan-out, recovery.
