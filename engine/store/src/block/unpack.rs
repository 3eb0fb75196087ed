//! Unpacks a block; trusts nothing.

use ach_actors_model::Timestamp;
use ach_geo::{Floor, Position};
use thiserror::Error;

use super::columns::{Codes, Columns};
use super::kept_ping::RECEIVED_NS;
use super::unit::Unit;
use super::{BLOCK_PINGS_MAX, BLOCK_VERSION, CRC_AT, HEADER_BYTES, KeptPing, crc_of};
use crate::bits::BitReader;

/// Bits of the shortest ping: one for each of interval, x, y, shape, accuracy and lag.
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
    codes: Codes,
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
            codes: block
                .get(40..)
                .and_then(|rest| rest.first_chunk())
                .copied()
                .map(Codes)
                .ok_or(HEADER)?,
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
        let columns = Columns::beginning(head.codes);
        let mut unpacker = Unpacker { bits, columns, unit_ns: head.unit.ns(), last };
        let mut plain = || u32::try_from(unpacker.bits.take(32)?).ok().map(u32::cast_signed);
        let (x_mm, y_mm) = (plain()?, plain()?);
        unpacker.last = unpacker.rest(observed_at, x_mm, y_mm)?;
        Some(unpacker)
    }

    fn next(&mut self) -> Option<KeptPing> {
        let was = self.last;
        let (columns, bits) = (&mut self.columns, &mut self.bits);
        let interval = columns.interval.take(bits)?;
        let units = (was.observed_at.0 / self.unit_ns).wrapping_add(interval);
        let observed_at = Timestamp(units.checked_mul(self.unit_ns)?);
        let moved = |was: i32, by: i64| i32::try_from(i64::from(was).checked_add(by)?).ok();
        let x_mm = moved(was.position.x_mm, columns.x.take_signed(bits)?)?;
        let y_mm = moved(was.position.y_mm, columns.y.take_signed(bits)?)?;
        self.last = self.rest(observed_at, x_mm, y_mm)?;
        Some(self.last)
    }

    /// What every ping tells alike.
    fn rest(&mut self, observed_at: Timestamp, x_mm: i32, y_mm: i32) -> Option<KeptPing> {
        let (columns, bits) = (&mut self.columns, &mut self.bits);
        if bits.take(1)? == 1 {
            columns.floor.take(bits)?;
            columns.battery.take(bits)?;
            columns.height.take(bits)?;
        }
        let accuracy_mm = u32::try_from(columns.accuracy.take(bits)?).ok()?;
        let lag = columns.lag_mean.now().wrapping_add(columns.lag.take_signed(bits)?);
        columns.lag_mean.learn(lag);
        let has_height = match columns.height.last() {
            0 => false,
            1 => true,
            _ => return None,
        };
        let z_mm = if has_height {
            let z = columns.z_mean.now().checked_add(columns.z.take_signed(bits)?)?;
            columns.z_mean.learn(z);
            Some(i32::try_from(z).ok()?)
        } else {
            None
        };
        let floor = match columns.floor.last() {
            0 => None,
            told => Some(Floor(i16::try_from(told.cast_signed().checked_sub(32_769)?).ok()?)),
        };
        let battery_percent = match columns.battery.last() {
            0 => None,
            told => Some(u8::try_from(told - 1).ok()?),
        };
        let received_at = received(observed_at, u64::try_from(lag).ok()?)?;
        let position = Position { x_mm, y_mm, z_mm, floor };
        Some(KeptPing { observed_at, received_at, position, accuracy_mm, battery_percent })
    }
}

/// The moment `lag` hundredths of a second after the one that holds `observed_at`.
fn received(observed_at: Timestamp, lag: u64) -> Option<Timestamp> {
    let units = (observed_at.0 / RECEIVED_NS).checked_add(lag)?;
    units.checked_mul(RECEIVED_NS).map(Timestamp)
}
