//! The eight bytes before every frame.
//!
//! ```text
//! 0        4      5       6        8
//! | length | type | flags | 0    0 |
//! ```
//!
//! `length` is the payload's, little-endian; `flags` is zero in version 1.

use crate::WireError;
use crate::limits::{HEADER_BYTES, PAYLOAD_BYTES_MAX};

/// From this type on a frame that is not known is skipped rather than refused.
pub const SKIPPABLE_FRAME_TYPE: u8 = 128;

/// What stands before a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameHeader {
    /// Bytes of the payload.
    pub payload_bytes: u32,
    /// What the payload is.
    pub frame_type: u8,
}

impl FrameHeader {
    /// Reads and checks a header.
    ///
    /// # Errors
    ///
    /// A payload over the limit, or reserved bytes that are not zero.
    pub fn read(bytes: [u8; HEADER_BYTES]) -> Result<FrameHeader, WireError> {
        let [l0, l1, l2, l3, frame_type, flags, zero_0, zero_1] = bytes;
        let payload_bytes = u32::from_le_bytes([l0, l1, l2, l3]);
        let bytes = usize::try_from(payload_bytes).unwrap_or(usize::MAX);
        if bytes > PAYLOAD_BYTES_MAX {
            return Err(WireError::FrameTooLarge { bytes });
        }
        if [flags, zero_0, zero_1] != [0; 3] {
            return Err(WireError::ReservedNotZero { part: "a frame header" });
        }
        Ok(FrameHeader { payload_bytes, frame_type })
    }

    /// The bytes.
    pub fn bytes(self) -> [u8; HEADER_BYTES] {
        let [l0, l1, l2, l3] = self.payload_bytes.to_le_bytes();
        [l0, l1, l2, l3, self.frame_type, 0, 0, 0]
    }
}

/// Appends a frame whose payload `fill` writes; nothing is appended when that fails.
pub(crate) fn put_frame(
    frame_type: u8,
    out: &mut Vec<u8>,
    fill: impl FnOnce(&mut Vec<u8>) -> Result<(), WireError>,
) -> Result<(), WireError> {
    let start = out.len();
    out.extend_from_slice(&[0; HEADER_BYTES]);
    let filled = fill(out).and_then(|()| {
        let bytes = out.len().saturating_sub(start).saturating_sub(HEADER_BYTES);
        let payload_bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        if bytes > PAYLOAD_BYTES_MAX {
            return Err(WireError::FrameTooLarge { bytes });
        }
        Ok(FrameHeader { payload_bytes, frame_type })
    });
    match filled {
        Ok(header) => {
            if let Some(slot) = out.get_mut(start..start.saturating_add(HEADER_BYTES)) {
                slot.copy_from_slice(&header.bytes());
            }
            Ok(())
        }
        Err(error) => {
            out.truncate(start);
            Err(error)
        }
    }
}
