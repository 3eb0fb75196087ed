//! Consecutive pings in one frame: `u64 first_seq, u32 count, u32 0`, then the pings.

use bytes::Bytes;
use zerocopy::{FromBytes, IntoBytes};

use crate::header::put_frame;
use crate::limits::BATCH_PINGS_MAX;
use crate::wire_ping::PING_BYTES;
use crate::{FrameType, WireError, WirePing};

const RUN_HEADER_BYTES: usize = 16;

/// Pings with consecutive sequence numbers; numbers start at 1. Read in place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PingRun {
    first_seq: u64,
    records: Bytes,
}

impl PingRun {
    /// Checks the frame's layout. What each ping says is checked by [`WirePing::reading`].
    ///
    /// # Errors
    ///
    /// A count of none or too many, a length that does not fit the count, a first sequence number
    /// of zero or one with which the last would overflow.
    pub fn read(mut payload: Bytes) -> Result<PingRun, WireError> {
        let bytes = payload.len();
        let Some((&header, _)) = payload.split_first_chunk::<RUN_HEADER_BYTES>() else {
            return Err(WireError::Length { part: "a ping frame", bytes });
        };
        let (first_seq, count) = read_run_header(header, "a ping frame", BATCH_PINGS_MAX)?;
        let records = payload.split_off(RUN_HEADER_BYTES);
        if records.len() != count.saturating_mul(PING_BYTES) {
            return Err(WireError::Length { part: "a ping frame", bytes });
        }
        Ok(PingRun { first_seq, records })
    }

    /// Sequence number of the first ping.
    pub fn first_seq(&self) -> u64 {
        self.first_seq
    }

    /// Sequence number of the last ping.
    pub fn last_seq(&self) -> u64 {
        let count = u64::try_from(self.pings().len()).unwrap_or(u64::MAX);
        self.first_seq.saturating_add(count).saturating_sub(1)
    }

    /// The pings, 1 to [`BATCH_PINGS_MAX`] of them.
    pub fn pings(&self) -> &[WirePing] {
        <[WirePing]>::ref_from_bytes(&self.records).unwrap_or_default()
    }
}

/// Appends a frame of consecutive pings.
///
/// # Errors
///
/// None or more than [`BATCH_PINGS_MAX`] pings, or a first sequence number of zero.
pub fn encode_pings(
    first_seq: u64,
    pings: &[WirePing],
    out: &mut Vec<u8>,
) -> Result<(), WireError> {
    put_frame(FrameType::Pings.value(), out, |out| {
        put_run_header(first_seq, pings.len(), "a ping frame", BATCH_PINGS_MAX, out)?;
        out.extend_from_slice(pings.as_bytes());
        Ok(())
    })
}

fn put_run_header(
    first_seq: u64,
    count: usize,
    part: &'static str,
    max: usize,
    out: &mut Vec<u8>,
) -> Result<(), WireError> {
    if count > max {
        return Err(WireError::TooMany { part, max });
    }
    let count = u32::try_from(count).map_err(|_| WireError::TooMany { part, max })?;
    if count == 0 || first_seq == 0 || first_seq.checked_add(u64::from(count)).is_none() {
        return Err(WireError::Value { part });
    }
    out.extend_from_slice(&first_seq.to_le_bytes());
    out.extend_from_slice(&count.to_le_bytes());
    out.extend_from_slice(&[0; 4]);
    Ok(())
}

fn read_run_header(
    header: [u8; RUN_HEADER_BYTES],
    part: &'static str,
    max: usize,
) -> Result<(u64, usize), WireError> {
    let [s0, s1, s2, s3, s4, s5, s6, s7, c0, c1, c2, c3, zero @ ..] = header;
    let first_seq = u64::from_le_bytes([s0, s1, s2, s3, s4, s5, s6, s7]);
    let count = u32::from_le_bytes([c0, c1, c2, c3]);
    if zero != [0; 4] {
        return Err(WireError::ReservedNotZero { part });
    }
    if usize::try_from(count).map_or(true, |count| count > max) {
        return Err(WireError::TooMany { part, max });
    }
    if count == 0 || first_seq == 0 || first_seq.checked_add(u64::from(count)).is_none() {
        return Err(WireError::Value { part });
    }
    let count = usize::try_from(count).map_err(|_| WireError::TooMany { part, max })?;
    Ok((first_seq, count))
}
