//! Entries of a shard as the journal keeps them. `docs/specs/entry-bytes.md` draws the bytes.
//!
//! Pings, of which there are millions, are fixed records; all else is bincode with limits. Every
//! released version is read for ever: its golden files lie in `tests/golden`.

use ach_actors_model::{Ping, PingBatch, SourceRef, TagRef, Timestamp};
use ach_engine_shard::{Entry, Input};
use ach_geo::{Floor, Position};
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;
use zerocopy::little_endian::{I16, I32, U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::limits::{ENTRY_BYTES_MAX, INPUT_BYTES_MAX};

/// The format this build writes.
pub const ENTRY_FORMAT_VERSION: u8 = 1;

const KIND_PINGS: u8 = 1;
const KIND_REPORT: u8 = 2;
const KIND_COMMAND: u8 = 3;
const KIND_SITE_CHANGE: u8 = 4;
const KIND_OPEN_EPOCH: u8 = 5;
const KIND_RESUMED: u8 = 6;
const KIND_TICK: u8 = 7;
const KIND_CLOCK_COMPARED: u8 = 8;

const HAS_Z: u16 = 1;
const HAS_FLOOR: u16 = 2;
const HAS_BATTERY: u16 = 4;

/// Why an entry could not be written or read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EntryError {
    /// It was written by a later build.
    #[error("an entry of format {version} needs a newer build, this one reads 1 to 1")]
    Version {
        /// Its format.
        version: u8,
    },
    /// It is over the limits.
    #[error("an entry of {bytes} bytes is over the limit of {ENTRY_BYTES_MAX}, split it")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// The bytes do not follow the layout.
    #[error("an entry's {part} does not follow the layout")]
    Malformed {
        /// Which part.
        part: &'static str,
    },
}

#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct EntryHeader {
    version: u8,
    zero: u8,
    logic_version: U16,
    site_version: U32,
    index: U64,
    at: U64,
    effects_hash: U64,
    input_count: U32,
    more_zero: U32,
}

#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct InputHeader {
    kind: u8,
    zero: [u8; 3],
    body_bytes: U32,
}

#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct BatchHeader {
    source: U32,
    epoch: U32,
    first_seq: U64,
    last_seq: U64,
    received_at: U64,
    conflated_count: U32,
    refused_count: U32,
}

#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct PingRecord {
    tag: U32,
    seq_offset: U32,
    observed_at: U64,
    x_mm: I32,
    y_mm: I32,
    z_mm: I32,
    floor: I16,
    flags: U16,
    accuracy_mm: U32,
    battery: u8,
    zero: [u8; 3],
}

const _: () = assert!(size_of::<EntryHeader>() == 40);
const _: () = assert!(size_of::<InputHeader>() == 8);
const _: () = assert!(size_of::<BatchHeader>() == 40);
const _: () = assert!(size_of::<PingRecord>() == 40);

/// Appends an entry.
///
/// # Errors
///
/// [`EntryError::TooLarge`]; nothing is appended then.
pub fn encode_entry(entry: &Entry, out: &mut Vec<u8>) -> Result<(), EntryError> {
    let start = out.len();
    let encoded = put_entry(entry, start, out);
    if encoded.is_err() {
        out.truncate(start);
    }
    encoded
}

/// When an entry was made, out of its bytes.
///
/// # Errors
///
/// When it has no sound header.
pub fn entry_time(bytes: &[u8]) -> Result<Timestamp, EntryError> {
    let header = EntryHeader::read_from_prefix(bytes);
    let (header, _) = header.map_err(|_| EntryError::Malformed { part: "header" })?;
    match header.version {
        ENTRY_FORMAT_VERSION => Ok(Timestamp(header.at.get())),
        version => Err(EntryError::Version { version }),
    }
}

fn put_entry(entry: &Entry, start: usize, out: &mut Vec<u8>) -> Result<(), EntryError> {
    let input_count = u32::try_from(entry.inputs.len())
        .map_err(|_| EntryError::TooLarge { bytes: usize::MAX })?;
    let header = EntryHeader {
        version: ENTRY_FORMAT_VERSION,
        zero: 0,
        logic_version: U16::new(entry.logic_version),
        site_version: U32::new(entry.site_version),
        index: U64::new(entry.index),
        at: U64::new(entry.at.0),
        effects_hash: U64::new(entry.effects_hash),
        input_count: U32::new(input_count),
        more_zero: U32::new(0),
    };
    out.extend_from_slice(header.as_bytes());
    for input in &entry.inputs {
        put_input(input, out)?;
        let bytes = out.len().saturating_sub(start);
        if bytes > ENTRY_BYTES_MAX {
            return Err(EntryError::TooLarge { bytes });
        }
    }
    Ok(())
}

fn put_input(input: &Input, out: &mut Vec<u8>) -> Result<(), EntryError> {
    let start = out.len();
    out.extend_from_slice(&[0; size_of::<InputHeader>()]);
    let body_start = out.len();
    let kind = match input {
        Input::Pings(batch) => {
            put_batch(batch, out);
            KIND_PINGS
        }
        Input::Report(report) => put_serde(report, KIND_REPORT, out)?,
        Input::Command(command) => put_serde(command, KIND_COMMAND, out)?,
        Input::SiteChange(site) => put_serde(site, KIND_SITE_CHANGE, out)?,
        Input::OpenEpoch { source, epoch } => put_serde(&(source, epoch), KIND_OPEN_EPOCH, out)?,
        Input::Resumed { away_since } => put_serde(away_since, KIND_RESUMED, out)?,
        Input::ClockCompared { source, offset_ns, received_at } => {
            put_serde(&(source, offset_ns, received_at), KIND_CLOCK_COMPARED, out)?
        }
        Input::Tick => KIND_TICK,
    };
    let bytes = out.len().saturating_sub(body_start);
    if bytes > INPUT_BYTES_MAX {
        return Err(EntryError::TooLarge { bytes });
    }
    let body_bytes = u32::try_from(bytes).map_err(|_| EntryError::TooLarge { bytes })?;
    let header = InputHeader { kind, zero: [0; 3], body_bytes: U32::new(body_bytes) };
    if let Some(slot) = out.get_mut(start..body_start) {
        slot.copy_from_slice(header.as_bytes());
    }
    Ok(())
}

fn put_batch(batch: &PingBatch, out: &mut Vec<u8>) {
    let header = BatchHeader {
        source: U32::new(batch.source.0),
        epoch: U32::new(batch.epoch),
        first_seq: U64::new(batch.first_seq),
        last_seq: U64::new(batch.last_seq),
        received_at: U64::new(batch.received_at.0),
        conflated_count: U32::new(batch.conflated_count),
        refused_count: U32::new(batch.refused_count),
    };
    out.extend_from_slice(header.as_bytes());
    out.reserve(batch.pings.len().saturating_mul(size_of::<PingRecord>()));
    for ping in &batch.pings {
        out.extend_from_slice(record_of(ping).as_bytes());
    }
}

fn record_of(ping: &Ping) -> PingRecord {
    let flag = |has: bool, flag: u16| if has { flag } else { 0 };
    PingRecord {
        tag: U32::new(ping.tag.0),
        seq_offset: U32::new(ping.seq_offset),
        observed_at: U64::new(ping.observed_at.0),
        x_mm: I32::new(ping.position.x_mm),
        y_mm: I32::new(ping.position.y_mm),
        z_mm: I32::new(ping.position.z_mm.unwrap_or(0)),
        floor: I16::new(ping.position.floor.map_or(0, |floor| floor.0)),
        flags: U16::new(
            flag(ping.position.z_mm.is_some(), HAS_Z)
                | flag(ping.position.floor.is_some(), HAS_FLOOR)
                | flag(ping.battery_percent.is_some(), HAS_BATTERY),
        ),
        accuracy_mm: U32::new(ping.accuracy_mm),
        battery: ping.battery_percent.unwrap_or(0),
        zero: [0; 3],
    }
}

fn put_serde<T: Serialize>(value: &T, kind: u8, out: &mut Vec<u8>) -> Result<u8, EntryError> {
    let too_large = |_| EntryError::TooLarge { bytes: INPUT_BYTES_MAX.saturating_add(1) };
    bincode::serde::encode_into_std_write(value, out, coding()).map_err(too_large)?;
    Ok(kind)
}

fn coding() -> impl bincode::config::Config {
    bincode::config::standard().with_fixed_int_encoding().with_limit::<INPUT_BYTES_MAX>()
}

/// Reads an entry and checks every byte of it.
///
/// # Errors
///
/// A later version, a size over the limits, or bytes that do not follow the layout.
pub fn decode_entry(bytes: &[u8]) -> Result<Entry, EntryError> {
    const HEADER: EntryError = EntryError::Malformed { part: "header" };
    if bytes.len() > ENTRY_BYTES_MAX {
        return Err(EntryError::TooLarge { bytes: bytes.len() });
    }
    match bytes.first() {
        Some(&ENTRY_FORMAT_VERSION) => {}
        Some(&version) if version > ENTRY_FORMAT_VERSION => {
            return Err(EntryError::Version { version });
        }
        _ => return Err(HEADER),
    }
    let (header, mut rest) = EntryHeader::ref_from_prefix(bytes).map_err(|_| HEADER)?;
    if header.zero != 0 || header.more_zero.get() != 0 {
        return Err(HEADER);
    }
    // Every input has a header, so the bytes bound the count that may be reserved.
    let input_count = usize::try_from(header.input_count.get()).map_err(|_| HEADER)?;
    if input_count > rest.len() / size_of::<InputHeader>() {
        return Err(EntryError::Malformed { part: "input count" });
    }
    let mut inputs = Vec::with_capacity(input_count);
    for _ in 0..input_count {
        let (input, after) = take_input(rest)?;
        inputs.push(input);
        rest = after;
    }
    if !rest.is_empty() {
        return Err(EntryError::Malformed { part: "end" });
    }
    Ok(Entry {
        index: header.index.get(),
        at: Timestamp(header.at.get()),
        site_version: header.site_version.get(),
        logic_version: header.logic_version.get(),
        inputs,
        effects_hash: header.effects_hash.get(),
    })
}

fn take_input(bytes: &[u8]) -> Result<(Input, &[u8]), EntryError> {
    const HEADER: EntryError = EntryError::Malformed { part: "input header" };
    let (header, rest) = InputHeader::ref_from_prefix(bytes).map_err(|_| HEADER)?;
    let body_bytes = usize::try_from(header.body_bytes.get()).map_err(|_| HEADER)?;
    if header.zero != [0; 3] || body_bytes > INPUT_BYTES_MAX {
        return Err(HEADER);
    }
    let (body, rest) = rest.split_at_checked(body_bytes).ok_or(HEADER)?;
    let input = match header.kind {
        KIND_PINGS => Input::Pings(take_batch(body)?),
        KIND_REPORT => Input::Report(take_serde(body, "report")?),
        KIND_COMMAND => Input::Command(take_serde(body, "command")?),
        KIND_SITE_CHANGE => Input::SiteChange(Box::new(take_serde(body, "site change")?)),
        KIND_OPEN_EPOCH => {
            let (source, epoch): (SourceRef, u32) = take_serde(body, "epoch")?;
            Input::OpenEpoch { source, epoch }
        }
        KIND_RESUMED => Input::Resumed { away_since: take_serde(body, "resumption")? },
        KIND_CLOCK_COMPARED => {
            let (source, offset_ns, received_at) = take_serde(body, "clock")?;
            Input::ClockCompared { source, offset_ns, received_at }
        }
        KIND_TICK if body.is_empty() => Input::Tick,
        _ => return Err(EntryError::Malformed { part: "input kind" }),
    };
    Ok((input, rest))
}

fn take_serde<T: DeserializeOwned>(body: &[u8], part: &'static str) -> Result<T, EntryError> {
    match bincode::serde::decode_from_slice(body, coding()) {
        Ok((value, used)) if used == body.len() => Ok(value),
        _ => Err(EntryError::Malformed { part }),
    }
}

fn take_batch(body: &[u8]) -> Result<PingBatch, EntryError> {
    const BATCH: EntryError = EntryError::Malformed { part: "ping batch" };
    let (header, records) = BatchHeader::ref_from_prefix(body).map_err(|_| BATCH)?;
    let records = <[PingRecord]>::ref_from_bytes(records).map_err(|_| BATCH)?;
    let mut pings = Vec::with_capacity(records.len());
    for record in records {
        pings.push(ping_of(record).ok_or(BATCH)?);
    }
    Ok(PingBatch {
        source: SourceRef(header.source.get()),
        epoch: header.epoch.get(),
        first_seq: header.first_seq.get(),
        last_seq: header.last_seq.get(),
        received_at: Timestamp(header.received_at.get()),
        conflated_count: header.conflated_count.get(),
        refused_count: header.refused_count.get(),
        pings,
    })
}

/// The ping; `None` if a byte is set that means nothing.
fn ping_of(record: &PingRecord) -> Option<Ping> {
    let flags = record.flags.get();
    let has = |flag: u16| flags & flag != 0;
    let is_spelt_out_once = flags & !(HAS_Z | HAS_FLOOR | HAS_BATTERY) == 0
        && (has(HAS_Z) || record.z_mm.get() == 0)
        && (has(HAS_FLOOR) || record.floor.get() == 0)
        && (has(HAS_BATTERY) || record.battery == 0)
        && record.zero == [0; 3];
    is_spelt_out_once.then(|| Ping {
        tag: TagRef(record.tag.get()),
        seq_offset: record.seq_offset.get(),
        observed_at: Timestamp(record.observed_at.get()),
        position: Position {
            x_mm: record.x_mm.get(),
            y_mm: record.y_mm.get(),
            z_mm: has(HAS_Z).then(|| record.z_mm.get()),
            floor: has(HAS_FLOOR).then(|| Floor(record.floor.get())),
        },
        accuracy_mm: record.accuracy_mm.get(),
        battery_percent: has(HAS_BATTERY).then_some(record.battery),
    })
}
