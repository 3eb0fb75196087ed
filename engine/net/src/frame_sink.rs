//! Frames into a QUIC stream: many small ones in one write.

use ach_engine_wire::{Code, Frame, Preamble, WireError, WirePing, encode_pings};
use quinn::{SendStream, VarInt};

use crate::StreamError;

/// When so much waits, it should be flushed before more is pushed: four of the largest frames.
pub const SINK_BYTES_FULL: usize = 256 * 1024;

/// Gathers frames and writes them together. A single small write costs 10 µs once the stream is
/// backlogged, so push all there is, then flush once.
#[derive(Debug)]
pub struct FrameSink {
    stream: SendStream,
    buffer: Vec<u8>,
    written_bytes: usize,
}

impl FrameSink {
    /// Writes frames to a stream.
    pub fn new(stream: SendStream) -> FrameSink {
        FrameSink { stream, buffer: Vec::new(), written_bytes: 0 }
    }

    /// Writes a preamble, then frames.
    pub fn with_preamble(stream: SendStream, preamble: Preamble) -> FrameSink {
        let mut sink = FrameSink::new(stream);
        sink.buffer.extend_from_slice(&preamble.bytes());
        sink
    }

    /// Adds a frame to what will be flushed.
    ///
    /// # Errors
    ///
    /// A frame over its limits; nothing is added then.
    pub fn push(&mut self, frame: &Frame) -> Result<(), WireError> {
        frame.encode(&mut self.buffer)
    }

    /// Adds a frame of consecutive pings.
    ///
    /// # Errors
    ///
    /// None or too many pings.
    pub fn push_pings(&mut self, first_seq: u64, pings: &[WirePing]) -> Result<(), WireError> {
        encode_pings(first_seq, pings, &mut self.buffer)
    }

    /// Adds bytes that are frames already, encoded once for many streams.
    pub fn push_encoded(&mut self, frames: &[u8]) {
        self.buffer.extend_from_slice(frames);
    }

    /// Bytes that wait to be flushed.
    pub fn pending_bytes(&self) -> usize {
        self.buffer.len().saturating_sub(self.written_bytes)
    }

    /// Whether it should be flushed before more is pushed.
    pub fn is_full(&self) -> bool {
        self.pending_bytes() >= SINK_BYTES_FULL
    }

    /// Hands everything to the stream; waits while the peer's window is full. May be cancelled:
    /// what was written is remembered.
    ///
    /// # Errors
    ///
    /// The peer stopped the stream or is gone.
    pub async fn flush(&mut self) -> Result<(), StreamError> {
        while let Some(rest) = self.buffer.get(self.written_bytes..)
            && !rest.is_empty()
        {
            let bytes = self.stream.write(rest).await?;
            self.written_bytes = self.written_bytes.saturating_add(bytes);
        }
        self.buffer.clear();
        self.written_bytes = 0;
        Ok(())
    }

    /// Sets how important the stream is beside others of the connection; greater goes first.
    pub fn set_priority(&self, priority: i32) {
        // Fails only when the stream has ended already, which is as good.
        let _ = self.stream.set_priority(priority);
    }

    /// Flushes, ends the stream, and waits until the peer has all of it.
    ///
    /// # Errors
    ///
    /// The peer stopped the stream or is gone.
    pub async fn finish(mut self) -> Result<(), StreamError> {
        self.flush().await?;
        // Fails only when the stream has ended already, which is as good.
        let _ = self.stream.finish();
        // An error means that the connection is gone, and with it anybody to wait for.
        let _ = self.stream.stopped().await;
        Ok(())
    }

    /// Ends the stream at once; what was not sent is dropped.
    pub fn reset(&mut self, code: Code) {
        // Fails only when the stream has ended already, which is as good.
        let _ = self.stream.reset(VarInt::from_u32(u32::from(code.value())));
    }
}
