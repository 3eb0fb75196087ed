//! Frames out of a QUIC stream.

use std::future::Future as _;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use ach_engine_wire::{Code, FrameReader, PREAMBLE_BYTES, Preamble, RawFrame, WireError};
use bytes::{Buf, Bytes, BytesMut};
use quinn::{ReadError, RecvStream, VarInt};
use thiserror::Error;
use tokio::time::{Instant, timeout_at};

/// A frame that was begun must be whole after this long, unless the reader says otherwise.
pub const FRAME_DEADLINE: Duration = Duration::from_secs(5);

/// Most bytes taken from the stream at once; four of the largest frames.
const CHUNK_BYTES_MAX: usize = 256 * 1024;

/// Reads frames from a stream.
#[derive(Debug)]
pub struct FrameSource {
    stream: RecvStream,
    reader: FrameReader,
    frame_within: Duration,
    within_since: Option<Instant>,
}

/// Why a stream cannot be read or written any further.
#[derive(Debug, Error)]
pub enum StreamError {
    /// The peer sent what is not understood.
    #[error("the peer sent what is not understood: {0}")]
    Wire(#[from] WireError),
    /// A frame was begun and not finished.
    #[error("a frame was not finished in {within:?}")]
    FrameTimeout {
        /// How long it had.
        within: Duration,
    },
    /// The stream ended within a frame.
    #[error("the stream ended within a frame")]
    CutShort,
    /// Reading failed; the peer reset the stream or the connection is gone.
    #[error("reading the stream failed: {0}")]
    Read(#[from] ReadError),
    /// Writing failed; the peer stopped the stream or the connection is gone.
    #[error("writing the stream failed: {0}")]
    Write(#[from] quinn::WriteError),
}

impl StreamError {
    /// The code to close with, if this is the peer's fault.
    pub fn code(&self) -> Option<Code> {
        match self {
            StreamError::Wire(error) => Some(error.code()),
            StreamError::FrameTimeout { .. } => Some(Code::FrameTimeout),
            StreamError::CutShort => Some(Code::Malformed),
            StreamError::Read(_) | StreamError::Write(_) => None,
        }
    }
}

impl FrameSource {
    /// Reads frames from the stream's start (or from after its preamble).
    pub fn new(stream: RecvStream) -> FrameSource {
        FrameSource::within(stream, FRAME_DEADLINE)
    }

    /// As [`FrameSource::new`], with another deadline for a frame that was begun.
    pub fn within(stream: RecvStream, frame_within: Duration) -> FrameSource {
        FrameSource { stream, reader: FrameReader::new(), frame_within, within_since: None }
    }

    /// Reads a unidirectional stream's preamble, then frames.
    ///
    /// # Errors
    ///
    /// A preamble that is refused, cut short or not there in time.
    pub async fn open(stream: RecvStream) -> Result<(Preamble, FrameSource), StreamError> {
        FrameSource::open_within(stream, FRAME_DEADLINE).await
    }

    /// As [`FrameSource::open`], with another deadline for the preamble and each frame.
    ///
    /// # Errors
    ///
    /// As [`FrameSource::open`].
    pub async fn open_within(
        mut stream: RecvStream,
        within: Duration,
    ) -> Result<(Preamble, FrameSource), StreamError> {
        let deadline = Instant::now() + within;
        let mut gathered = BytesMut::with_capacity(PREAMBLE_BYTES);
        while gathered.len() < PREAMBLE_BYTES {
            let missing = PREAMBLE_BYTES.saturating_sub(gathered.len());
            let chunk = timeout_at(deadline, stream.read_chunk(missing, true))
                .await
                .map_err(|_| StreamError::FrameTimeout { within })??
                .ok_or(StreamError::CutShort)?;
            gathered.extend_from_slice(&chunk.bytes);
        }
        let mut bytes = [0; PREAMBLE_BYTES];
        gathered.copy_to_slice(&mut bytes);
        Ok((Preamble::read(bytes)?, FrameSource::within(stream, within)))
    }

    /// The next frame; `None` when the peer has finished the stream. May be cancelled: nothing is
    /// lost, and the deadline of a frame that has begun runs on.
    ///
    /// # Errors
    ///
    /// The peer sent what is not understood, did not finish a frame in time, or is gone.
    pub async fn next(&mut self) -> Result<Option<RawFrame>, StreamError> {
        loop {
            if let Some(frame) = self.at_hand()? {
                return Ok(Some(frame));
            }
            match self.chunk().await? {
                Some(bytes) => self.reader.push(bytes),
                None if self.reader.is_within_frame() => return Err(StreamError::CutShort),
                None => return Ok(None),
            }
        }
    }

    /// The next frame if it has come already, without waiting: takes what one wake-up brought, however
    /// many packets it lies in. That the stream has ended, or broken, is told by [`FrameSource::next`] alone:
    /// whoever wants to be woken asks that.
    ///
    /// # Errors
    ///
    /// The peer sent what is not understood.
    pub fn ready(&mut self) -> Result<Option<RawFrame>, StreamError> {
        loop {
            let frame = self.at_hand()?;
            if frame.is_some() || !self.pull() {
                return Ok(frame);
            }
        }
    }

    /// Takes a chunk that the connection has received already, if there is one.
    fn pull(&mut self) -> bool {
        let read = pin!(self.stream.read_chunk(CHUNK_BYTES_MAX, true));
        match read.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(Some(chunk))) => {
                self.reader.push(chunk.bytes);
                true
            }
            // An end stays an end, and an error an error, until it is asked for.
            Poll::Ready(Ok(None) | Err(_)) | Poll::Pending => false,
        }
    }

    /// The next frame of the chunks that were taken.
    fn at_hand(&mut self) -> Result<Option<RawFrame>, StreamError> {
        let frame = self.reader.take()?;
        if frame.is_some() || !self.reader.is_within_frame() {
            self.within_since = None;
        }
        Ok(frame)
    }

    /// Tells the peer to send no more.
    pub fn stop(&mut self, code: Code) {
        // Fails only when the stream has ended already, which is as good.
        let _ = self.stream.stop(VarInt::from_u32(u32::from(code.value())));
    }

    async fn chunk(&mut self) -> Result<Option<Bytes>, StreamError> {
        let read = self.stream.read_chunk(CHUNK_BYTES_MAX, true);
        let chunk = if self.reader.is_within_frame() {
            let since = *self.within_since.get_or_insert_with(Instant::now);
            let within = self.frame_within;
            timeout_at(since + within, read)
                .await
                .map_err(|_| StreamError::FrameTimeout { within })??
        } else {
            read.await?
        };
        Ok(chunk.map(|chunk| chunk.bytes))
    }
}
