//! Reads the frames of one segment in order, and holds each against what came before.

use std::io;

use ach_engine_journal::{Disk, DiskFile};

use crate::chain::Chain;
use crate::errors::ReadError;
use crate::frame::{FRAME_BYTES, Frame, FrameKind};
use crate::harm::Harm;
use crate::hash::Hash;
use crate::head::SignedHead;
use crate::key::VerifyingKey;
use crate::segment::{self, HEADER_BYTES, HeaderError};

/// Largest segment that is read, and so the largest that is made.
pub(crate) const SEGMENT_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// What a frame held.
#[derive(Debug)]
pub(crate) enum Found<'a> {
    /// A record, with its number and leaf.
    Record { index: u64, leaf: Hash, bytes: &'a [u8] },
    /// A head, which fits the records before it.
    Head(SignedHead),
}

/// A walk through a segment.
#[derive(Debug)]
pub(crate) struct Walk<'a> {
    bytes: &'a [u8],
    /// Where the next frame begins.
    pub(crate) offset: usize,
    /// What the log has come to.
    pub(crate) chain: Chain,
    /// The last head; none before the first of the walk.
    pub(crate) head: Option<SignedHead>,
    key: Option<&'a VerifyingKey>,
}

impl<'a> Walk<'a> {
    /// From the first frame of a segment. `head` is the last one of the segment before, if that was
    /// read; without a key signatures are not looked at.
    pub(crate) fn new(
        bytes: &'a [u8],
        chain: Chain,
        head: Option<SignedHead>,
        key: Option<&'a VerifyingKey>,
    ) -> Walk<'a> {
        Walk { bytes, offset: HEADER_BYTES, chain, head, key }
    }

    /// The next frame; none at the end. After an error the walk is over.
    pub(crate) fn next(&mut self) -> Result<Option<Found<'a>>, Harm> {
        let rest = self.bytes.get(self.offset..).unwrap_or_default();
        let is_first = self.offset == HEADER_BYTES;
        let Some(frame) = Frame::read(rest)? else {
            return if is_first { Err(Harm::Seam) } else { Ok(None) };
        };
        let found = match frame.kind {
            // A segment gets its name when its first head is on disk.
            FrameKind::Record if is_first => return Err(Harm::Seam),
            FrameKind::Record => self.take_record(&frame)?,
            FrameKind::Head => self.take_head(&frame)?,
        };
        self.offset = self.offset.saturating_add(Frame::bytes(frame.payload.len()));
        Ok(Some(found))
    }

    fn take_record(&mut self, frame: &Frame<'a>) -> Result<Found<'a>, Harm> {
        let index = self.chain.size();
        if frame.index != index {
            return Err(Harm::Order { expected: index, found: frame.index });
        }
        let leaf = Hash::leaf(frame.payload);
        if self.chain.next_link(&leaf) != frame.link {
            return Err(Harm::Link);
        }
        self.chain.push(leaf);
        Ok(Found::Record { index, leaf, bytes: frame.payload })
    }

    fn take_head(&mut self, frame: &Frame<'a>) -> Result<Found<'a>, Harm> {
        let signed = head_of(frame)?;
        if let Some(key) = self.key {
            signed.verify(key).map_err(Harm::Head)?;
        }
        let size = self.chain.size();
        let head = &signed.head;
        let earlier = self.head.as_ref().map(|earlier| &earlier.head);
        let parts = [
            ("size", head.size == size && frame.index == size),
            ("root", head.root == self.chain.frontier.root()),
            ("link", head.link == self.chain.link && frame.link == head.link),
            ("log", earlier.is_none_or(|earlier| earlier.log == head.log)),
            ("head before", earlier.is_none_or(|earlier| earlier.hash() == head.previous)),
        ];
        if let Some((part, _)) = parts.into_iter().find(|(_, fits)| !fits) {
            return Err(Harm::HeadDiffers { size, part });
        }
        self.head = Some(signed.clone());
        Ok(Found::Head(signed))
    }

    /// Whether an intact head follows somewhere behind `offset`: heads are written only when all
    /// before them is on disk, so nothing before one is a torn tail.
    pub(crate) fn has_head_behind(&self) -> bool {
        let rest = self.bytes.get(self.offset..).unwrap_or_default();
        let starts = (8..rest.len().saturating_sub(FRAME_BYTES)).step_by(8);
        starts.into_iter().any(|start| {
            let at = rest.get(start..).filter(|at| Frame::may_begin(at)).unwrap_or_default();
            let frame = Frame::read(at).ok().flatten();
            frame.is_some_and(|frame| frame.kind == FrameKind::Head && self.is_signed(&frame))
        })
    }

    fn is_signed(&self, frame: &Frame<'_>) -> bool {
        head_of(frame).is_ok_and(|signed| self.key.is_none_or(|key| signed.verify(key).is_ok()))
    }

    /// How many bytes behind the walk's end are not zero, the last of them included.
    pub(crate) fn tail_bytes(&self) -> u64 {
        let rest = self.bytes.get(self.offset..).unwrap_or_default();
        let last = rest.iter().rposition(|byte| *byte != 0);
        last.map_or(0, |last| u64::try_from(last).unwrap_or(u64::MAX).saturating_add(1))
    }
}

fn head_of(frame: &Frame<'_>) -> Result<SignedHead, Harm> {
    let malformed = Harm::Head(crate::head::HeadError::Malformed);
    let text = std::str::from_utf8(frame.payload).map_err(|_| malformed)?;
    let signed = SignedHead::from_text(text).map_err(Harm::Head)?;
    // What is around a head that was carried does not matter; in a log nothing is.
    if signed.to_string() == text { Ok(signed) } else { Err(malformed) }
}

/// A segment's bytes and what the log had come to before it.
pub(crate) fn read_segment<D: Disk>(
    disk: &D,
    segment: u64,
    buffer: &mut Vec<u8>,
) -> Result<Result<Chain, Harm>, ReadError> {
    let file = segment::name(segment);
    let failed = |verb: &'static str, source: io::Error| ReadError::Disk {
        verb,
        file: file.clone(),
        source,
    };
    let opened = match disk.open_reading(&file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Err(Harm::Missing)),
        opened => opened.map_err(|source| failed("open", source))?,
    };
    opened.read_all(buffer, SEGMENT_BYTES_MAX).map_err(|source| failed("read", source))?;
    match segment::read_header(segment, buffer) {
        Ok(chain) => Ok(Ok(chain)),
        Err(HeaderError::Damaged) => Ok(Err(Harm::Header)),
        Err(HeaderError::Newer(version)) => Err(ReadError::NewerFormat { segment, version }),
    }
}
