//! History, derived from what a shard was told and decided.
//!
//! A [`HistoryWriter`] takes every durable entry of the journal with its effects; a [`Store`] answers:
//! where a tag was ([`Store::whereabouts`], [`Store::pings`]), who was in a zone
//! ([`Store::visits_of_zone`]), where everybody was ([`Store::keyframe`]), what became of an alarm
//! ([`Store::alarm`]). It is not the write-ahead log: what is damaged or lost is derived again from the
//! journal. Nothing here has a clock. The format and the reasons are in `docs/specs/store.md`.

mod alarm_record;
mod archive;
mod bits;
mod block;
mod coding;
mod day;
mod day_mark;
mod errors;
mod file_lock;
mod gap;
mod heads;
mod holds;
mod key;
mod keyframe;
mod linked;
mod manifest;
mod name_rows;
mod parquet;
mod people;
mod presence;
mod query;
mod rice;
mod rows;
mod store;
mod tables;
mod writer;

pub use alarm_record::{AlarmInput, AlarmRecord};
pub use archive::{
    ARCHIVED_ENTRY_BYTES_MAX, ArchiveError, ArchiveReader, ArchiveSpan, ArchiveWriter,
    ArchivedEntry, Unwanted, archives, unwanted_archives,
};
pub use block::{BLOCK_PINGS_MAX, BlockError, BlockHead, KeptPing, decode_block};
pub use day::{Day, NoDay};
pub use day_mark::DayMark;
pub use errors::{OpenError, QueryError, WriteError};
pub use gap::HistoryGap;
pub use holds::{
    HOLD_REASON_CHARS_MAX, HOLDS_MAX, Hold, HoldError, Holds, LockedHolds, SteadyHolds,
};
pub use keyframe::{Keyframe, Place};
pub use name_rows::{Borne, BorneTag, NameKind};
pub use parquet::{Cell, ColumnKind, ParquetWriter};
pub use people::{
    Keeping, Known, LINKS_MAX, Link, NotKept, PEOPLE_MAX, PERSON_TEXT_BYTES_MAX, People,
    PeopleError, Person, Subject, Subjects,
};
pub use query::{ALARM_CHANGES_MAX, Alarms, KeptAlarm, Pings, Positions, StoreReport, Visit};
pub use store::{OpenedStore, Store};
pub use tables::{SimRoom, SimTables, SimTablesFault};
pub use writer::{ALARMS_WAITING_MAX, HistoryWriter, PINGS_WAITING_MAX, WRITE_EVERY_NS};
