//! What a unidirectional stream opens with.
//!
//! ```text
//! 0      1      2        4                8
//! | kind | lane | 0    0 | epoch or id    |
//! ```

use ach_actors_model::Lane;

use crate::WireError;
use crate::tlv::Value;

/// Bytes of a preamble.
pub const PREAMBLE_BYTES: usize = 8;

const KIND_LANE: u8 = 1;
const KIND_SUBSCRIPTION: u8 = 2;

/// What a unidirectional stream carries. The control stream, bidirectional, has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preamble {
    /// Inputs of a vendor, opened by the client: `Duress`, `Door` or `Ping`.
    Lane {
        /// Which.
        lane: Lane,
        /// The epoch its sequence numbers belong to.
        epoch: u32,
    },
    /// Notes, opened by the node.
    Subscription {
        /// The lane by whose priority it is sent.
        lane: Lane,
        /// The id the client chose when it subscribed.
        subscription: u32,
    },
}

impl Preamble {
    /// Reads and checks a preamble.
    ///
    /// # Errors
    ///
    /// An unknown kind or lane, or reserved bytes that are not zero.
    pub fn read(bytes: [u8; PREAMBLE_BYTES]) -> Result<Preamble, WireError> {
        let [kind, lane, zero_0, zero_1, n0, n1, n2, n3] = bytes;
        if [zero_0, zero_1] != [0; 2] {
            return Err(WireError::ReservedNotZero { part: "a preamble" });
        }
        let lane = Lane::take(&[lane], "a preamble's lane")?;
        let number = u32::from_le_bytes([n0, n1, n2, n3]);
        match kind {
            KIND_LANE if matches!(lane, Lane::Duress | Lane::Door | Lane::Ping) => {
                Ok(Preamble::Lane { lane, epoch: number })
            }
            KIND_LANE => Err(WireError::Value { part: "a preamble's lane" }),
            KIND_SUBSCRIPTION => Ok(Preamble::Subscription { lane, subscription: number }),
            _ => Err(WireError::Value { part: "a preamble's kind" }),
        }
    }

    /// The bytes.
    pub fn bytes(self) -> [u8; PREAMBLE_BYTES] {
        let (kind, lane, number) = match self {
            Preamble::Lane { lane, epoch } => (KIND_LANE, lane, epoch),
            Preamble::Subscription { lane, subscription } => {
                (KIND_SUBSCRIPTION, lane, subscription)
            }
        };
        let [n0, n1, n2, n3] = number.to_le_bytes();
        [kind, lane_byte(lane), 0, 0, n0, n1, n2, n3]
    }
}

fn lane_byte(lane: Lane) -> u8 {
    match lane {
        Lane::Duress => 0,
        Lane::Door => 1,
        Lane::Audit => 2,
        Lane::Ping => 3,
        Lane::Console => 4,
    }
}
