//! Cuts a stream of chunks into frames.

use bytes::{Buf, Bytes, BytesMut};

use crate::limits::HEADER_BYTES;
use crate::{FrameHeader, WireError};

/// A frame whose payload has not been looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawFrame {
    /// What the payload is.
    pub frame_type: u8,
    /// The payload.
    pub payload: Bytes,
}

/// Cuts chunks into frames. A frame that lies within one chunk is not copied; one that spans chunks
/// is gathered in a buffer of exactly its size, which is bounded because the header is checked
/// first.
///
/// Give it a chunk, then take frames until there are none; holds at most one chunk and one frame.
#[derive(Debug, Default)]
pub struct FrameReader {
    chunk: Bytes,
    header: Option<FrameHeader>,
    partial: BytesMut,
}

impl FrameReader {
    /// A reader at the start of a stream.
    pub fn new() -> FrameReader {
        FrameReader::default()
    }

    /// Gives the next chunk, in the order of the stream. Take all frames before; bytes of an
    /// earlier chunk that were not taken are kept by copying.
    pub fn push(&mut self, chunk: Bytes) {
        if self.chunk.is_empty() {
            self.chunk = chunk;
        } else {
            let mut joined = BytesMut::with_capacity(self.chunk.len().saturating_add(chunk.len()));
            joined.extend_from_slice(&self.chunk);
            joined.extend_from_slice(&chunk);
            self.chunk = joined.freeze();
        }
    }

    /// The next whole frame; `None` when more bytes are needed.
    ///
    /// # Errors
    ///
    /// A header that is refused. The stream cannot be read any further then.
    pub fn take(&mut self) -> Result<Option<RawFrame>, WireError> {
        let header = match self.header {
            Some(header) => header,
            None => match self.take_header()? {
                Some(header) => header,
                None => return Ok(None),
            },
        };
        let needed = usize::try_from(header.payload_bytes).unwrap_or(usize::MAX);
        let payload = if self.partial.is_empty() && self.chunk.len() >= needed {
            self.chunk.split_to(needed)
        } else {
            self.gather(needed);
            if self.partial.len() < needed {
                return Ok(None);
            }
            std::mem::take(&mut self.partial).freeze()
        };
        self.header = None;
        Ok(Some(RawFrame { frame_type: header.frame_type, payload }))
    }

    /// Whether a frame has begun and not ended.
    pub fn is_within_frame(&self) -> bool {
        self.header.is_some() || !self.partial.is_empty() || !self.chunk.is_empty()
    }

    fn take_header(&mut self) -> Result<Option<FrameHeader>, WireError> {
        if self.partial.is_empty()
            && let Some((bytes, _)) = self.chunk.split_first_chunk::<HEADER_BYTES>()
        {
            let header = FrameHeader::read(*bytes)?;
            self.chunk.advance(HEADER_BYTES);
            self.header = Some(header);
            return Ok(Some(header));
        }
        self.gather(HEADER_BYTES);
        let Some((bytes, _)) = self.partial.split_first_chunk::<HEADER_BYTES>() else {
            return Ok(None);
        };
        let header = FrameHeader::read(*bytes)?;
        self.partial.clear();
        self.header = Some(header);
        Ok(Some(header))
    }

    /// Moves bytes of the chunk over until `needed` are gathered or the chunk is used up.
    fn gather(&mut self, needed: usize) {
        let missing = needed.saturating_sub(self.partial.len());
        self.partial.reserve(missing);
        let taken = self.chunk.split_to(missing.min(self.chunk.len()));
        self.partial.extend_from_slice(&taken);
    }
}
