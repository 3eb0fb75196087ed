//! A small strict write-ahead log: one per node, encrypted, group-committed.
