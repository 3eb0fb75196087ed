//! Opening: what is on disk, how far it can be trusted, and from where to go on.

use std::io;

use ach_engine_journal::Disk;

use crate::chain::Chain;
use crate::errors::OpenError;
use crate::harm::{Damage, Harm, Tail};
use crate::head::{HeadError, LogName, SignedHead};
use crate::key::VerifyingKey;
use crate::mark::{self, Mark, Reach};
use crate::segment;
use crate::walk::{Walk, read_segment};

/// What an opening found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// How many records the log has.
    pub size: u64,
    /// What was cut off: it was being written when the last writer ended, and nobody was told that
    /// it is kept.
    pub cut: Option<Tail>,
    /// Whether the log was begun just now.
    pub is_new: bool,
}

/// A log as it is on disk.
#[derive(Debug)]
pub(crate) struct Standing {
    pub(crate) mark: Mark,
    /// The last segment.
    pub(crate) segment: u64,
    /// Where the next frame belongs in it.
    pub(crate) end: u64,
    pub(crate) chain: Chain,
    pub(crate) head: SignedHead,
    pub(crate) tail: Option<Tail>,
    /// What may be written and not synced: the bytes from where the mark says to the end.
    pub(crate) unsure: Vec<u8>,
}

/// Whether there is a log in the folder, be it damaged.
///
/// # Errors
///
/// The folder cannot be read.
pub fn has_log<D: Disk>(disk: &D) -> io::Result<bool> {
    let names = disk.list()?;
    Ok(!segment::numbers(&names).is_empty()
        || mark::read(disk)?.is_some_and(|at| at.reach.segment > 0))
}

/// What is on disk, none where no log was begun. Reads the last segment only; the whole is the
/// [`Verifier`](crate::Verifier)'s business.
pub(crate) fn look<D: Disk>(
    disk: &D,
    key: &VerifyingKey,
    name: &LogName,
) -> Result<Option<Standing>, OpenError> {
    let disk_failed = |verb: &'static str, file: &str| {
        let file = file.to_owned();
        move |source| OpenError::Disk { verb, file, source }
    };
    let mark = mark::read(disk).map_err(disk_failed("read", mark::MARK_NAME))?;
    let numbers = segment::numbers(&disk.list().map_err(disk_failed("list", "the folder"))?);
    let Some(last) = numbers.last().copied() else {
        return match mark {
            Some(Mark { reach, .. }) if reach.segment > 0 => {
                Err(corrupt(reach.segment, 0, 0, Harm::Missing))
            }
            _ => Ok(None),
        };
    };
    if let Some((expected, _)) = (1..).zip(&numbers).find(|(expected, found)| expected != *found) {
        return Err(corrupt(expected, 0, 0, Harm::Missing));
    }
    let Some(mark) = mark else { return Err(corrupt(last, 0, 0, Harm::NoMark)) };
    let reach = mark.reach;
    if reach.segment > last {
        return Err(corrupt(reach.segment, 0, 0, Harm::Missing));
    }
    let mut bytes = Vec::new();
    let chain = match read_segment(disk, last, &mut bytes)? {
        Ok(chain) => chain,
        Err(harm) => return Err(corrupt(last, 0, 0, harm)),
    };
    let (walk, harm, is_reach) = walk_through(Walk::new(&bytes, chain, None, Some(key)), &reach);
    let end = offset(walk.offset);
    let durable_end = if reach.segment == last { reach.end } else { 0 };
    let damaged = |harm| corrupt(last, end, walk.chain.size(), harm);
    let is_torn = end >= durable_end && walk.head.is_some() && !walk.has_head_behind();
    match harm {
        Some(Harm::Head(HeadError::OtherKey)) => return Err(OpenError::OtherKey),
        Some(harm) if !is_torn => return Err(damaged(harm)),
        _ => {}
    }
    let Some(head) = walk.head.clone() else { return Err(damaged(Harm::Seam)) };
    let found = walk.chain.size();
    if found < reach.size || end < durable_end {
        return Err(damaged(Harm::Cut { durable: reach.size, found }));
    }
    if !is_reach || !mark.is_signed(key) {
        return Err(damaged(Harm::MarkForged));
    }
    if head.head.log != *name {
        return Err(OpenError::OtherLog { found: head.head.log, wanted: name.clone() });
    }
    let tail = harm.map(|_| Tail { segment: last, offset: end, bytes: walk.tail_bytes() });
    let from = usize::try_from(durable_end).unwrap_or(usize::MAX);
    let unsure = bytes.get(from..walk.offset).unwrap_or_default().to_vec();
    let chain = walk.chain;
    Ok(Some(Standing { mark, segment: last, end, chain, head, tail, unsure }))
}

/// Walks to the end, or to what is wrong. Whether the records are those that the mark speaks of, as far
/// as they are met here.
fn walk_through<'a>(mut walk: Walk<'a>, reach: &Reach) -> (Walk<'a>, Option<Harm>, bool) {
    let mut is_reach = true;
    loop {
        is_reach &= walk.chain.size() != reach.size || walk.chain.link == reach.link;
        match walk.next() {
            Ok(Some(_)) => {}
            Ok(None) => return (walk, None, is_reach),
            Err(harm) => return (walk, Some(harm), is_reach),
        }
    }
}

fn offset(at: usize) -> u64 {
    u64::try_from(at).unwrap_or(u64::MAX)
}

fn corrupt(segment: u64, offset: u64, record: u64, harm: Harm) -> OpenError {
    OpenError::Corrupt(Damage { segment, offset, record, harm })
}
