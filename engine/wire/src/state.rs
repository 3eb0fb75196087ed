//! The state of a shard as a checkpoint keeps it. `docs/specs/checkpoint.md` draws the bytes.
//!
//! Pieces, of which there are millions, are framed one by one, so that each can be hashed and counted
//! without being understood; what they hold is bincode with limits, or the packed form of an actor at
//! rest.

use ach_actors_entities::{Anchor, DeadlineKind, Door, Source, Subject, Tag, Zone};
use ach_actors_model::{EntityRef, Timestamp};
use ach_engine_shard::{OpenNotice, PackedKind, Piece, StoredPiece};
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

use crate::limits::STATE_BYTES_MAX;
use crate::state_writer::StateWriter;

const PACKED_TAG: u8 = 1;
const PACKED_SUBJECT: u8 = 2;
const TAG: u8 = 3;
const SUBJECT: u8 = 4;
const ZONE: u8 = 5;
const DOOR: u8 = 6;
const SOURCE: u8 = 7;
const ANCHOR: u8 = 8;
const DEADLINE: u8 = 9;
const OPEN: u8 = 10;

/// Bytes before each piece: how long it is.
const LENGTH_BYTES: usize = 4;
/// Bytes of a packed state before its record: kind and number.
const PACKED_HEAD_BYTES: usize = 5;
/// Bytes of a deadline with its kind of piece.
const DEADLINE_BYTES: u8 = 15;

/// Why the state of a shard could not be written or read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum StateError {
    /// It is over the limit.
    #[error("a part of the state is over the limit of {STATE_BYTES_MAX} bytes")]
    TooLarge,
    /// The bytes do not follow the layout.
    #[error("the state's {part} does not follow the layout")]
    Malformed {
        /// Which part.
        part: &'static str,
    },
}

fn coding() -> impl bincode::config::Config {
    bincode::config::standard().with_fixed_int_encoding().with_limit::<STATE_BYTES_MAX>()
}

/// Appends a value of a checkpoint.
///
/// # Errors
///
/// [`StateError::TooLarge`], also of what could be written and not be read again; some of it may be
/// appended then.
pub fn encode_state<T: Serialize>(value: &T, out: &mut Vec<u8>) -> Result<(), StateError> {
    let start = out.len();
    let writer = &mut StateWriter { out };
    value.serialize(writer).map_err(|_| StateError::TooLarge)?;
    // The limit of the coding is for reading alone.
    if out.len().saturating_sub(start) > STATE_BYTES_MAX {
        return Err(StateError::TooLarge);
    }
    Ok(())
}

/// Reads a value of a checkpoint; nothing may follow it.
///
/// # Errors
///
/// [`StateError::Malformed`].
pub fn decode_state<T: DeserializeOwned>(
    bytes: &[u8],
    part: &'static str,
) -> Result<T, StateError> {
    match bincode::serde::decode_from_slice(bytes, coding()) {
        Ok((value, used)) if used == bytes.len() => Ok(value),
        _ => Err(StateError::Malformed { part }),
    }
}

/// Appends a piece.
///
/// # Errors
///
/// [`StateError::TooLarge`]; nothing is appended then.
pub fn encode_piece(piece: &Piece<'_>, out: &mut Vec<u8>) -> Result<(), StateError> {
    match *piece {
        Piece::Packed(PackedKind::Tag, id, record) => put_packed(PACKED_TAG, id, record, out),
        Piece::Packed(PackedKind::Subject, id, record) => {
            put_packed(PACKED_SUBJECT, id, record, out)
        }
        Piece::Tag(id, tag) => put_cell(TAG, id, tag, out),
        Piece::Subject(id, subject) => put_cell(SUBJECT, id, subject, out),
        Piece::Zone(id, zone) => put_cell(ZONE, id, zone, out),
        Piece::Door(id, door) => put_cell(DOOR, id, door, out),
        Piece::Source(id, source) => put_cell(SOURCE, id, source, out),
        Piece::Anchor(id, anchor) => put_cell(ANCHOR, id, anchor, out),
        Piece::Deadline(due_at, entity, kind) => {
            put_deadline(due_at, entity, kind, out);
            Ok(())
        }
        Piece::Open(open) => put_framed(&[OPEN], open, out),
    }
}

fn put_packed(kind: u8, id: u32, record: &[u8], out: &mut Vec<u8>) -> Result<(), StateError> {
    let length = PACKED_HEAD_BYTES.saturating_add(record.len());
    let length = u32::try_from(length).map_err(|_| StateError::TooLarge)?;
    let [l0, l1, l2, l3] = length.to_le_bytes();
    let [i0, i1, i2, i3] = id.to_le_bytes();
    out.extend_from_slice(&[l0, l1, l2, l3, kind, i0, i1, i2, i3]);
    out.extend_from_slice(record);
    Ok(())
}

fn put_cell<T: Serialize>(
    kind: u8,
    id: u32,
    state: &T,
    out: &mut Vec<u8>,
) -> Result<(), StateError> {
    let [i0, i1, i2, i3] = id.to_le_bytes();
    put_framed(&[kind, i0, i1, i2, i3], state, out)
}

/// Puts a value behind its head, with the length of both before it.
fn put_framed<T: Serialize>(head: &[u8], value: &T, out: &mut Vec<u8>) -> Result<(), StateError> {
    let start = out.len();
    out.extend_from_slice(&[0; LENGTH_BYTES]);
    out.extend_from_slice(head);
    let encoded = encode_state(value, out).and_then(|()| {
        let length = out.len().saturating_sub(start.saturating_add(LENGTH_BYTES));
        u32::try_from(length).map_err(|_| StateError::TooLarge)
    });
    let slot = out.get_mut(start..start.saturating_add(LENGTH_BYTES));
    match (encoded, slot) {
        (Ok(length), Some(slot)) => slot.copy_from_slice(&length.to_le_bytes()),
        (Err(error), _) => {
            out.truncate(start);
            return Err(error);
        }
        // It was put there above.
        (Ok(_), None) => {}
    }
    Ok(())
}

/// Fourteen bytes, because there are as many as tags: when, what kind of entity, which, what for. The
/// length and the kind of piece are before them.
fn put_deadline(due_at: Timestamp, entity: EntityRef, kind: DeadlineKind, out: &mut Vec<u8>) {
    let (code, number) = match entity {
        EntityRef::Tag(tag) => (1, tag.0),
        EntityRef::Subject(subject) => (2, subject.0),
        EntityRef::Zone(zone) => (3, zone.0),
        EntityRef::Door(door) => (4, door.0),
        EntityRef::Source(source) => (5, source.0),
        EntityRef::Anchor(anchor) => (6, anchor.0),
    };
    let kind = match kind {
        DeadlineKind::Silence => 1,
        DeadlineKind::Gate => 2,
        DeadlineKind::Window => 3,
        DeadlineKind::Term => 4,
        DeadlineKind::Pass => 5,
        DeadlineKind::Delay => 6,
    };
    let [d0, d1, d2, d3, d4, d5, d6, d7] = due_at.0.to_le_bytes();
    let [n0, n1, n2, n3] = number.to_le_bytes();
    let length = DEADLINE_BYTES;
    out.extend_from_slice(&[
        length, 0, 0, 0, DEADLINE, d0, d1, d2, d3, d4, d5, d6, d7, code, n0, n1, n2, n3, kind,
    ]);
}

/// Cuts pieces out of bytes: their contents, undecoded, in order.
///
/// # Errors
///
/// [`StateError::Malformed`] when a length does not fit; the pieces before it were handed out.
pub fn split_pieces<'a>(
    mut bytes: &'a [u8],
    each: &mut dyn FnMut(&'a [u8]),
) -> Result<(), StateError> {
    const LENGTH: StateError = StateError::Malformed { part: "length of a piece" };
    while !bytes.is_empty() {
        let (length, rest) = bytes.split_first_chunk::<LENGTH_BYTES>().ok_or(LENGTH)?;
        let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| LENGTH)?;
        let (piece, rest) = rest.split_at_checked(length).ok_or(LENGTH)?;
        each(piece);
        bytes = rest;
    }
    Ok(())
}

/// Reads one piece as [`split_pieces`] cut it out.
///
/// # Errors
///
/// [`StateError::Malformed`].
pub fn decode_piece(piece: &[u8]) -> Result<StoredPiece<'_>, StateError> {
    const PIECE: StateError = StateError::Malformed { part: "piece" };
    let (&kind, body) = piece.split_first().ok_or(PIECE)?;
    match kind {
        DEADLINE => return take_deadline(body).ok_or(PIECE),
        OPEN => {
            let open: OpenNotice = decode_state(body, "open alarm")?;
            return Ok(StoredPiece::Open(Box::new(open)));
        }
        _ => {}
    }
    let (id, state) = body.split_first_chunk().ok_or(PIECE)?;
    let id = u32::from_le_bytes(*id);
    Ok(match kind {
        PACKED_TAG => StoredPiece::Packed(PackedKind::Tag, id, state),
        PACKED_SUBJECT => StoredPiece::Packed(PackedKind::Subject, id, state),
        TAG => StoredPiece::Tag(id, boxed::<Tag>(state, "tag")?),
        SUBJECT => StoredPiece::Subject(id, boxed::<Subject>(state, "subject")?),
        ZONE => StoredPiece::Zone(id, boxed::<Zone>(state, "zone")?),
        DOOR => StoredPiece::Door(id, boxed::<Door>(state, "door")?),
        SOURCE => StoredPiece::Source(id, boxed::<Source>(state, "feed")?),
        ANCHOR => StoredPiece::Anchor(id, boxed::<Anchor>(state, "anchor")?),
        _ => return Err(PIECE),
    })
}

fn boxed<T: DeserializeOwned>(state: &[u8], part: &'static str) -> Result<Box<T>, StateError> {
    decode_state(state, part).map(Box::new)
}

fn take_deadline(body: &[u8]) -> Option<StoredPiece<'static>> {
    use ach_actors_model::{AnchorRef, DoorRef, SourceRef, SubjectRef, TagRef, ZoneRef};
    let (due_at, rest) = body.split_first_chunk()?;
    let (&code, rest) = rest.split_first()?;
    let (number, rest) = rest.split_first_chunk()?;
    let &[kind] = rest else { return None };
    let number = u32::from_le_bytes(*number);
    let entity = match code {
        1 => EntityRef::Tag(TagRef(number)),
        2 => EntityRef::Subject(SubjectRef(number)),
        3 => EntityRef::Zone(ZoneRef(number)),
        4 => EntityRef::Door(DoorRef(number)),
        5 => EntityRef::Source(SourceRef(number)),
        6 => EntityRef::Anchor(AnchorRef(number)),
        _ => return None,
    };
    let kind = match kind {
        1 => DeadlineKind::Silence,
        2 => DeadlineKind::Gate,
        3 => DeadlineKind::Window,
        4 => DeadlineKind::Term,
        5 => DeadlineKind::Pass,
        6 => DeadlineKind::Delay,
        _ => return None,
    };
    Some(StoredPiece::Deadline(Timestamp(u64::from_le_bytes(*due_at)), entity, kind))
}
