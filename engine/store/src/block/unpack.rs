//! Unpacks a block; trusts nothing.

use ach_actors_model::{NS_PER_MS, Timestamp};
use ach_geo::{Floor, Position};
use thiserror::Error;

use super::unit::Unit;
use super::{
    BLOCK_PINGS_MAX, BLOCK_VERSION, COLUMNS, CRC_AT, Columns, HEADER_BYTES, KeptPing, crc_of,
};
use crate::bits::BitReader;

/// Bits of the shortest ping: one for each of shape, interval, lag, x, y and accuracy.
const PING_BITS_MIN: usize = 6;

/// Why bytes are no block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BlockError {
    /// A later version.
    #[error("the block is of version {version}, written by a newer program; read it with that")]
    Version {
        /// The version.
        version: u8,
    },
    /// The checksum does not fit.
    #[error("the checksum of the block does not fit; it is damaged")]
    Checksum,
    /// The bytes do not follow the layout.
    #[error("the {part} of the block is malformed; it was not written by this program")]
    Malformed {
        /// Where.
        part: &'static str,
    },
}

/// What the header of a block tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockHead {
    /// Pings in it.
    pub count: usize,
    /// The earliest moment of a ping in it.
    pub earliest_at: Timestamp,
    /// The latest.
    pub latest_at: Timestamp,
    /// The entry that held the last ping.
    pub last_index: u64,
    first_ns: u64,
    unit: Unit,
}

impl BlockHead {
    /// Reads the header and checks the checksum of the whole block.
    ///
    /// # Errors
    ///
    /// Bytes of a later version, damaged, or that do not follow the layout.
    pub fn read(block: &[u8]) -> Result<BlockHead, BlockError> {
        const HEADER: BlockError = BlockError::Malformed { part: "header" };
        match block.first() {
            Some(&BLOCK_VERSION) => {}
            Some(&version) if version > BLOCK_VERSION => {
                return Err(BlockError::Version { version });
            }
            _ => return Err(HEADER),
        }
        let crc = block.get(CRC_AT).and_then(|bytes| bytes.first_chunk()).ok_or(HEADER)?;
        if u32::from_le_bytes(*crc) != crc_of(block) {
            return Err(BlockError::Checksum);
        }
        let number = |at: usize| {
            block.get(at..).and_then(|rest| rest.first_chunk()).map(|it| u64::from_le_bytes(*it))
        };
        let count = block.get(2..).and_then(|rest| rest.first_chunk()).ok_or(HEADER)?;
        let head = BlockHead {
            count: usize::from(u16::from_le_bytes(*count)),
            earliest_at: Timestamp(number(16).ok_or(HEADER)?),
            latest_at: Timestamp(number(24).ok_or(HEADER)?),
            last_index: number(32).ok_or(HEADER)?,
            first_ns: number(8).ok_or(HEADER)?,
            unit: block.get(1).and_then(|&code| Unit::from_code(code)).ok_or(HEADER)?,
        };
        let body_bits = block.len().saturating_sub(HEADER_BYTES).saturating_mul(8);
        let is_sound = (1..=BLOCK_PINGS_MAX).contains(&head.count)
            && head.count.saturating_mul(PING_BITS_MIN) <= body_bits
            && head.unit.fits(head.first_ns);
        if is_sound { Ok(head) } else { Err(HEADER) }
    }
}

/// Unpacks a whole block, pings in the order in which they came. Allocates for at most
/// [`BLOCK_PINGS_MAX`](super::BLOCK_PINGS_MAX) pings, and only what the bytes can hold.
///
/// # Errors
///
/// Bytes of a later version, damaged, or that do not add up.
pub fn decode_block(block: &[u8]) -> Result<Vec<KeptPing>, BlockError> {
    const END: BlockError = BlockError::Malformed { part: "end" };
    let head = BlockHead::read(block)?;
    let bits = BitReader::new(block.get(HEADER_BYTES..).unwrap_or_default());
    let mut unpacker =
        Unpacker::begin(bits, &head).ok_or(BlockError::Malformed { part: "first ping" })?;
    let mut pings = Vec::with_capacity(head.count);
    pings.push(unpacker.last);
    while pings.len() < head.count {
        let ping = unpacker.next().ok_or(BlockError::Malformed { part: "stream" })?;
        pings.push(ping);
    }
    let earliest = pings.iter().map(|ping| ping.observed_at).min();
    let latest = pings.iter().map(|ping| ping.observed_at).max();
    let is_whole = unpacker.bits.is_at_end()
        && (earliest, latest) == (Some(head.earliest_at), Some(head.latest_at));
    if is_whole { Ok(pings) } else { Err(END) }
}

struct Unpacker<'a> {
    bits: BitReader<'a>,
    columns: Columns,
    unit_ns: u64,
    last: KeptPing,
    interval: i64,
    z_mm: i32,
}

/// What is the same for most pings.
struct Shape {
    has_z: bool,
    floor: Option<Floor>,
    battery_percent: Option<u8>,
}

impl Unpacker<'_> {
    fn begin<'a>(bits: BitReader<'a>, head: &BlockHead) -> Option<Unpacker<'a>> {
        let position = Position { x_mm: 0, y_mm: 0, z_mm: None, floor: None };
        let observed_at = Timestamp(head.first_ns);
        let last = KeptPing {
            observed_at,
            received_at: observed_at,
            position,
            accuracy_mm: 0,
            battery_percent: None,
        };
        let unit_ns = head.unit.ns();
        let mut unpacker = Unpacker { bits, columns: COLUMNS, unit_ns, last, interval: 0, z_mm: 0 };
        let shape = unpacker.shape()?;
        let lag_ms = unpacker.columns.lag.take(&mut unpacker.bits)?;
        let mut plain = || u32::try_from(unpacker.bits.take(32)?).ok();
        let (x, y, accuracy_mm) = (plain()?, plain()?, plain()?);
        unpacker.z(shape.has_z)?;
        let z_mm = shape.has_z.then_some(unpacker.z_mm);
        unpacker.last = KeptPing {
            observed_at,
            received_at: received(observed_at, lag_ms)?,
            position: Position {
                x_mm: x.cast_signed(),
                y_mm: y.cast_signed(),
                z_mm,
                floor: shape.floor,
            },
            accuracy_mm,
            battery_percent: shape.battery_percent,
        };
        Some(unpacker)
    }

    fn next(&mut self) -> Option<KeptPing> {
        let was = self.last;
        let shape = if self.bits.take(1)? == 1 {
            let has_z = was.position.z_mm.is_some();
            Shape { has_z, floor: was.position.floor, battery_percent: was.battery_percent }
        } else {
            self.shape()?
        };
        let (columns, bits) = (&mut self.columns, &mut self.bits);
        self.interval = self.interval.wrapping_add(columns.interval.take_signed(bits)?);
        let units = (was.observed_at.0 / self.unit_ns).wrapping_add(self.interval.cast_unsigned());
        let observed_at = Timestamp(units.checked_mul(self.unit_ns)?);
        let lag = was.lag_ms().wrapping_add(columns.lag.take_signed(bits)?.cast_unsigned());
        let moved = |was: i32, by: i64| i32::try_from(i64::from(was).checked_add(by)?).ok();
        let x_mm = moved(was.position.x_mm, columns.x.take_signed(bits)?)?;
        let y_mm = moved(was.position.y_mm, columns.y.take_signed(bits)?)?;
        let accuracy =
            i64::from(was.accuracy_mm).checked_add(columns.accuracy.take_signed(bits)?)?;
        self.z(shape.has_z)?;
        let z_mm = shape.has_z.then_some(self.z_mm);
        self.last = KeptPing {
            observed_at,
            received_at: received(observed_at, lag)?,
            position: Position { x_mm, y_mm, z_mm, floor: shape.floor },
            accuracy_mm: u32::try_from(accuracy).ok()?,
            battery_percent: shape.battery_percent,
        };
        Some(self.last)
    }

    fn shape(&mut self) -> Option<Shape> {
        let has_z = self.bits.take(1)? == 1;
        let mut value = |bits: u32| {
            let is_told = self.bits.take(1)? == 1;
            Some(if is_told { Some(self.bits.take(bits)?) } else { None })
        };
        let (floor, battery) = (value(16)?, value(8)?);
        Some(Shape {
            has_z,
            floor: floor.and_then(|it| u16::try_from(it).ok()).map(|it| Floor(it.cast_signed())),
            battery_percent: battery.and_then(|it| u8::try_from(it).ok()),
        })
    }

    /// Reads the height, if one is told.
    fn z(&mut self, has_z: bool) -> Option<()> {
        if has_z {
            let by = self.columns.z.take_signed(&mut self.bits)?;
            self.z_mm = i32::try_from(i64::from(self.z_mm).checked_add(by)?).ok()?;
        }
        Some(())
    }
}

/// The moment `lag_ms` after the millisecond that holds `observed_at`.
fn received(observed_at: Timestamp, lag_ms: u64) -> Option<Timestamp> {
    let ms = (observed_at.0 / NS_PER_MS).checked_add(lag_ms)?;
    ms.checked_mul(NS_PER_MS).map(Timestamp)
}
