//! The records of a spool. Pure.
//!
//! ```text
//! 0            4                 8
//! | body bytes | crc32c of body  | body: u8 kind, then
//!   1 head:    u32 epoch, for each lane u64 base, u64 durable, u64 ticket of the next input
//!   2 input:   u8 length of item, item (u8 kind, then u64 tag or name), then
//!              48 bytes of a ping or the 40 of a frame of one report
//!   3 durable: u64 a lane
//!   4 epoch:   u32 epoch, u64 base a lane
//!   5 taken:   u64 a lane
//!   6 grant:   as an input that is a report of a door, and then the name of the badge
//! ```
//!
//! What is durable was taken by the node, but for what comes after the ticket in a record of kind 5, which
//! was refused and follows the head or the record of kind 3 that it goes with.
//!
//! A record of another kind, or one whose checksum is right and whose body is none of these, was written by a
//! newer version. What comes behind it cannot be understood without it, so the spool is not opened: no
//! input that was kept is left out silently. Whoever changes the layout of a record gives it a new kind.
//!
//! All little-endian. Lanes are in the order duress, door, ping. An input's lane is in its bytes,
//! its ticket is the next one of that lane.

use ach_actors_model::{Lane, Name, TagId, Timestamp};
use ach_engine_wire::{
    InternItem, PING_BYTES, REPORT_BYTES, ReportWord, WirePing, WireReport, decode_reports,
    encode_reports, limits::HEADER_BYTES,
};
use crc32c::crc32c;

/// Bytes before a body.
const PREFIX_BYTES: usize = 8;

/// Most bytes of a body: the length and kind of an item, a name of 64 bytes, a ping.
const BODY_BYTES_MAX: usize = 256;

/// Bytes of a report: the payload of a frame that holds it alone.
const REPORT_PAYLOAD_BYTES: usize = 8 + REPORT_BYTES;

const KIND_HEAD: u8 = 1;
const KIND_INPUT: u8 = 2;
const KIND_DURABLE: u8 = 3;
const KIND_EPOCH: u8 = 4;
const KIND_TAKEN: u8 = 5;
const KIND_GRANT: u8 = 6;

const ITEM_TAG: u8 = 1;
const ITEM_DOOR: u8 = 2;
const ITEM_ANCHOR: u8 = 3;
const ITEM_ZONE: u8 = 5;

/// How things stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) epoch: u32,
    /// Ticket less sequence number.
    pub(super) bases: [u64; 3],
    /// Tickets up to these are on the node's disk, or were refused.
    pub(super) durable: [u64; 3],
    /// The last of them that were not refused.
    pub(super) taken: [u64; 3],
    /// The tickets that the next inputs get.
    pub(super) next: [u64; 3],
}

impl Default for Head {
    fn default() -> Head {
        Head { epoch: 0, bases: [0; 3], durable: [0; 3], taken: [0; 3], next: [1; 3] }
    }
}

impl Head {
    /// An input is published on a lane.
    pub(super) fn publish(&mut self, lane: Lane) {
        if let Some(next) = self.next.get_mut(lane_place(lane)) {
            *next = next.saturating_add(1);
        }
    }

    /// Whether everything published is on the node's disk.
    pub(super) fn is_all_durable(&self) -> bool {
        self.durable.iter().zip(self.next).all(|(durable, next)| durable.saturating_add(1) >= next)
    }
}

/// What an input says, without its handle, which is another one on every connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KeptRecord {
    /// A ping.
    Ping(WirePing),
    /// A report.
    Report {
        /// When it happened.
        observed_at: Timestamp,
        /// What.
        word: ReportWord,
        /// The badge that a grant was given to.
        badge: Option<Name>,
    },
}

/// An input that was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeptInput {
    /// What it is about.
    pub(crate) item: InternItem,
    /// What it says.
    pub(crate) record: KeptRecord,
}

impl KeptInput {
    pub(super) fn lane(&self) -> Lane {
        match self.record {
            KeptRecord::Ping(_) => Lane::Ping,
            KeptRecord::Report { word, .. } => word.lane(),
        }
    }
}

/// A record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Record {
    Head(Head),
    Input(KeptInput),
    Durable([u64; 3]),
    Epoch(u32, [u64; 3]),
    Taken([u64; 3]),
}

/// A lane's place among the three of a vendor.
pub(super) fn lane_place(lane: Lane) -> usize {
    match lane {
        Lane::Duress => 0,
        Lane::Door => 1,
        Lane::Ping | Lane::Audit | Lane::Console => 2,
    }
}

fn put(out: &mut Vec<u8>, fill: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[0; PREFIX_BYTES]);
    fill(out);
    let body_start = start.saturating_add(PREFIX_BYTES);
    let body = out.get(body_start..).unwrap_or_default();
    let (length, sum) = (u32::try_from(body.len()).unwrap_or(u32::MAX), crc32c(body));
    let prefix = [length.to_le_bytes(), sum.to_le_bytes()].concat();
    if let Some(slot) = out.get_mut(start..body_start) {
        slot.copy_from_slice(&prefix);
    }
}

fn put_lanes(values: [u64; 3], out: &mut Vec<u8>) {
    for value in values {
        out.extend_from_slice(&value.to_le_bytes());
    }
}

pub(super) fn put_head(head: &Head, out: &mut Vec<u8>) {
    put(out, |out| {
        out.push(KIND_HEAD);
        out.extend_from_slice(&head.epoch.to_le_bytes());
        for lanes in [head.bases, head.durable, head.next] {
            put_lanes(lanes, out);
        }
    });
    if head.taken != head.durable {
        put_taken(head.taken, out);
    }
}

pub(super) fn put_taken(taken: [u64; 3], out: &mut Vec<u8>) {
    put(out, |out| {
        out.push(KIND_TAKEN);
        put_lanes(taken, out);
    });
}

pub(super) fn put_durable(durable: [u64; 3], out: &mut Vec<u8>) {
    put(out, |out| {
        out.push(KIND_DURABLE);
        put_lanes(durable, out);
    });
}

pub(super) fn put_epoch(epoch: u32, bases: [u64; 3], out: &mut Vec<u8>) {
    put(out, |out| {
        out.push(KIND_EPOCH);
        out.extend_from_slice(&epoch.to_le_bytes());
        put_lanes(bases, out);
    });
}

pub(super) fn put_ping(item: &InternItem, ping: &WirePing, out: &mut Vec<u8>) {
    put(out, |out| {
        put_item(KIND_INPUT, item, out);
        out.extend_from_slice(&ping.bytes());
    });
}

pub(super) fn put_report(
    item: &InternItem,
    report: &WireReport,
    badge: Option<&Name>,
    out: &mut Vec<u8>,
) {
    // Its handle is another one on every connection.
    let report = &WireReport { badge: None, ..*report };
    put(out, |out| {
        put_item(if badge.is_some() { KIND_GRANT } else { KIND_INPUT }, item, out);
        let mut frame = Vec::with_capacity(HEADER_BYTES.saturating_add(REPORT_PAYLOAD_BYTES));
        // One report with a number is within every limit.
        if encode_reports(std::slice::from_ref(report), &mut frame).is_ok() {
            out.extend_from_slice(frame.get(HEADER_BYTES..).unwrap_or_default());
        }
        out.extend_from_slice(badge.map_or(&[], |badge| badge.as_str().as_bytes()));
    });
}

fn put_item(record: u8, item: &InternItem, out: &mut Vec<u8>) {
    let (kind, tag, name) = match item {
        InternItem::Tag(tag) => (ITEM_TAG, tag.0.to_le_bytes(), None),
        InternItem::Door(name) => (ITEM_DOOR, [0; 8], Some(name)),
        InternItem::Anchor(name) => (ITEM_ANCHOR, [0; 8], Some(name)),
        InternItem::Zone(name) => (ITEM_ZONE, [0; 8], Some(name)),
        // No input is about a badge; one that was would be taken for torn.
        InternItem::Badge(name) => (0, [0; 8], Some(name)),
    };
    let id = name.map_or(tag.as_slice(), |name| name.as_str().as_bytes());
    out.extend_from_slice(&[record, u8::try_from(id.len()).unwrap_or(0), kind]);
    out.extend_from_slice(id);
}

/// A whole record that this version does not know, of this kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Newer(pub(super) u8);

/// Takes the next record off `bytes`; `None` at their end, or where they are torn.
pub(super) fn take(bytes: &mut &[u8]) -> Result<Option<Record>, Newer> {
    let Some((body, rest)) = whole(bytes) else { return Ok(None) };
    let record = match (read(body), body.first()) {
        (Some(record), _) => record,
        (None, Some(&kind)) => return Err(Newer(kind)),
        // Zeros, as a disk leaves them behind the last that it wrote.
        (None, None) => return Ok(None),
    };
    *bytes = rest;
    Ok(Some(record))
}

/// The body of the next record, if it is as it was written, and what follows.
fn whole(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&[l0, l1, l2, l3, s0, s1, s2, s3], rest) = bytes.split_first_chunk::<PREFIX_BYTES>()?;
    let length = usize::try_from(u32::from_le_bytes([l0, l1, l2, l3])).ok()?;
    if length > BODY_BYTES_MAX {
        return None;
    }
    let (body, rest) = rest.split_at_checked(length)?;
    (crc32c(body) == u32::from_le_bytes([s0, s1, s2, s3])).then_some((body, rest))
}

fn read(body: &[u8]) -> Option<Record> {
    let (kind, mut rest) = body.split_first()?;
    match *kind {
        KIND_HEAD => {
            let epoch = take_u32(&mut rest)?;
            let (bases, durable) = (take_lanes(&mut rest)?, take_lanes(&mut rest)?);
            let next = take_lanes(&mut rest)?;
            let head = Head { epoch, bases, durable, taken: durable, next };
            rest.is_empty().then_some(Record::Head(head))
        }
        KIND_INPUT => read_input(rest, false).map(Record::Input),
        KIND_GRANT => read_input(rest, true).map(Record::Input),
        KIND_DURABLE => {
            let durable = take_lanes(&mut rest)?;
            rest.is_empty().then_some(Record::Durable(durable))
        }
        KIND_EPOCH => {
            let (epoch, bases) = (take_u32(&mut rest)?, take_lanes(&mut rest)?);
            rest.is_empty().then_some(Record::Epoch(epoch, bases))
        }
        KIND_TAKEN => {
            let taken = take_lanes(&mut rest)?;
            rest.is_empty().then_some(Record::Taken(taken))
        }
        _ => None,
    }
}

fn read_input(bytes: &[u8], has_badge: bool) -> Option<KeptInput> {
    let (&[length, kind], rest) = bytes.split_first_chunk()?;
    let (id, rest) = rest.split_at_checked(usize::from(length))?;
    let read_name = |id: &[u8]| Name::new(std::str::from_utf8(id).ok()?).ok();
    let name = || read_name(id);
    let item = match kind {
        ITEM_TAG => InternItem::Tag(TagId(u64::from_le_bytes(id.try_into().ok()?))),
        ITEM_DOOR => InternItem::Door(name()?),
        ITEM_ANCHOR => InternItem::Anchor(name()?),
        ITEM_ZONE => InternItem::Zone(name()?),
        _ => return None,
    };
    let record = if has_badge {
        let (report, badge) = rest.split_at_checked(REPORT_PAYLOAD_BYTES)?;
        kept_report(report, Some(read_name(badge)?))?
    } else if let Ok(ping) = <[u8; PING_BYTES]>::try_from(rest) {
        KeptRecord::Ping(WirePing::from_bytes(ping))
    } else {
        kept_report(rest, None)?
    };
    Some(KeptInput { item, record })
}

fn kept_report(payload: &[u8], badge: Option<Name>) -> Option<KeptRecord> {
    let report = decode_reports(payload).ok()?.pop()?;
    Some(KeptRecord::Report { observed_at: report.observed_at, word: report.word, badge })
}

fn take_u32(bytes: &mut &[u8]) -> Option<u32> {
    let (value, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(u32::from_le_bytes(*value))
}

fn take_lanes(bytes: &mut &[u8]) -> Option<[u64; 3]> {
    let mut lanes = [0; 3];
    for lane in &mut lanes {
        let (value, rest) = bytes.split_first_chunk()?;
        *bytes = rest;
        *lane = u64::from_le_bytes(*value);
    }
    Some(lanes)
}
