//! Streams of frames, in chunks of any size: whatever comes is refused or reads as what it is written as.
//!
//! The first byte says how long the chunks are, so that a frame is cut everywhere in turn.

#![no_main]

use ach_engine_wire::{Frame, FrameReader, PREAMBLE_BYTES, Preamble};
use bytes::Bytes;
use libfuzzer_sys::fuzz_target;

/// A frame that was read reads the same once more after it is written.
fn is_stable(frame: &Frame) {
    let mut bytes = Vec::new();
    // What was read within the limits can be written within them.
    frame.encode(&mut bytes).expect("a frame that was read can be written");
    let mut reader = FrameReader::new();
    reader.push(Bytes::from(bytes));
    let raw = reader.take().expect("well formed").expect("whole");
    let again = Frame::decode(raw).expect("a frame that was written can be read");
    assert_eq!(again.as_ref(), Some(frame));
}

fuzz_target!(|input: &[u8]| {
    if let Some(preamble) = input.first_chunk::<PREAMBLE_BYTES>()
        && let Ok(read) = Preamble::read(*preamble)
    {
        assert_eq!(read.bytes(), *preamble);
    }
    let Some((&chunk, stream)) = input.split_first() else { return };
    let mut reader = FrameReader::new();
    for chunk in stream.chunks(usize::from(chunk).max(1)) {
        reader.push(Bytes::copy_from_slice(chunk));
        loop {
            match reader.take() {
                Ok(Some(raw)) => {
                    let Ok(frame) = Frame::decode(raw) else { return };
                    if let Some(frame) = frame {
                        is_stable(&frame);
                    }
                }
                Ok(None) => break,
                Err(_) => return,
            }
        }
    }
});
