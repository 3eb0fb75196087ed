//! The pings of one tag, packed: a header and a stream of bits.
//!
//! ```text
//!  0         1      2       4       8          16         24         32      40      46
//!  +---------+------+-------+-------+----------+----------+----------+-------+-------+---------
//!  | version | unit | count | crc   | first    | earliest | latest   | last  | codes | bits ...
//!  | u8, 1   | u8   | u16   | u32   | observed | observed | observed | index | 6 u8  |
//!  +---------+------+-------+-------+----------+----------+----------+-------+-------+---------
//! ```
//!
//! Numbers are little-endian; moments are nanoseconds, `last index` is that of the entry that held
//! the last ping, `codes` are the parameters with which the columns begin. The checksum, CRC32C,
//! covers everything but itself. What the bits are is in `docs/specs/store.md`: per ping the interval
//! since the ping before, the lag until it was received, and the way it moved, each as a Rice code
//! ([`crate::rice`]).
//!
//! A decoder trusts nothing: it allocates for no more pings than the bytes can hold, and refuses
//! what does not add up.

mod columns;
mod kept_ping;
mod pack;
mod unit;
mod unpack;

pub(crate) use columns::Codes;
pub use kept_ping::KeptPing;
pub(crate) use pack::BlockWriter;
pub(crate) use unit::Unit;
pub use unpack::{BlockError, BlockHead, decode_block};

/// Most pings of a block: at one a second a quarter of an hour, so that a day of a tag is a hundred
/// rows, and a moment is found by unpacking 4 KiB.
pub const BLOCK_PINGS_MAX: usize = 1_000;

/// Bytes of the header.
const HEADER_BYTES: usize = 46;

/// The format that is written.
const BLOCK_VERSION: u8 = 1;

/// Where the checksum lies.
const CRC_AT: std::ops::Range<usize> = 4..8;

/// The checksum of a block: of everything but itself.
fn crc_of(block: &[u8]) -> u32 {
    let before = block.get(..CRC_AT.start).unwrap_or_default();
    let behind = block.get(CRC_AT.end..).unwrap_or_default();
    crc32c::crc32c_append(crc32c::crc32c(before), behind)
}

#[cfg(test)]
mod tests;
