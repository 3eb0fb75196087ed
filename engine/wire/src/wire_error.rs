//! Why bytes were not understood.

use thiserror::Error;

use crate::Code;
use crate::limits::PAYLOAD_BYTES_MAX;

/// Why bytes could not be read, or a value could not be written.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum WireError {
    /// A header announced more than [`PAYLOAD_BYTES_MAX`].
    #[error("a frame of {bytes} bytes is over the limit of {PAYLOAD_BYTES_MAX}, send smaller ones")]
    FrameTooLarge {
        /// Bytes announced or needed.
        bytes: usize,
    },
    /// Reserved bytes were not zero.
    #[error("reserved bytes of {part} are not zero, send zeros")]
    ReservedNotZero {
        /// Of what.
        part: &'static str,
    },
    /// A frame type that is not known and may not be skipped.
    #[error("frame type {frame_type} is not known in this version")]
    UnknownFrame {
        /// The type.
        frame_type: u8,
    },
    /// Too few or too many bytes.
    #[error("{part} has {bytes} bytes, which is not its length")]
    Length {
        /// Of what.
        part: &'static str,
        /// Bytes found.
        bytes: usize,
    },
    /// A value outside its range.
    #[error("{part} has a value that is not allowed")]
    Value {
        /// Of what.
        part: &'static str,
    },
    /// A field that is not known and may not be skipped.
    #[error("field {tag} of {message} is not known in this version and may not be skipped")]
    UnknownField {
        /// In which message.
        message: &'static str,
        /// Its tag.
        tag: u16,
    },
    /// A field that must be there is not.
    #[error("{message} lacks its field `{field}`")]
    MissingField {
        /// In which message.
        message: &'static str,
        /// Its name.
        field: &'static str,
    },
    /// A field that may be there once is there twice.
    #[error("{message} has its field `{field}` twice")]
    FieldTwice {
        /// In which message.
        message: &'static str,
        /// Its name.
        field: &'static str,
    },
    /// More elements than a list may have.
    #[error("{part} has more than {max} elements, split it")]
    TooMany {
        /// In what.
        part: &'static str,
        /// Most.
        max: usize,
    },
}

impl WireError {
    /// The code a peer is told.
    pub fn code(&self) -> Code {
        match self {
            WireError::FrameTooLarge { .. } => Code::FrameTooLarge,
            WireError::ReservedNotZero { .. } => Code::ReservedNotZero,
            WireError::UnknownFrame { .. } => Code::UnknownFrame,
            WireError::UnknownField { .. } => Code::UnknownField,
            WireError::TooMany { .. } => Code::TooMany,
            WireError::Length { .. }
            | WireError::Value { .. }
            | WireError::MissingField { .. }
            | WireError::FieldTwice { .. } => Code::Malformed,
        }
    }
}
