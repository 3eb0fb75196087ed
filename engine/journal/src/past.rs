//! What lies before the segment a start reads from: looked at, not read.
//!
//! A header tells where its segment begins and where the one before ends, and with which tag. So two
//! short reads a segment find one that is missing, cut, exchanged or of another key; what is flipped
//! within a group is found by whoever reads the whole journal.

use std::io;

use crate::damage::{Damage, Harm};
use crate::disk::{Disk, DiskFile};
use crate::segment::{
    Birth, COPY_AT, GROUPS_AT, HEADER_BYTES, HeaderState, SegmentHeader, file_name,
};
use crate::walk::{SegmentSpan, WalkError};
use crate::{Kek, Lsn, group};

/// The segments that are passed over.
#[derive(Debug, Default)]
pub(crate) struct Past {
    /// How many of the files there are.
    pub(crate) passed_count: usize,
    pub(crate) spans: Vec<SegmentSpan>,
    pub(crate) damage: Vec<Damage>,
}

/// What a look at a segment came to.
struct Looked<F> {
    file: F,
    header: SegmentHeader,
}

/// Finds the last of these segments that begins with the record after `after` or before, and looks at
/// those that lie before it. Without one none is passed over.
pub(crate) fn look<D: Disk>(
    disk: &D,
    kek: Option<&Kek>,
    numbers: &[u64],
    oldest: Option<u64>,
    after: Lsn,
) -> Result<Past, WalkError> {
    let Some((passed_count, first)) = find(disk, numbers, after)? else {
        return Ok(Past::default());
    };
    let mut past = Past { passed_count, ..Past::default() };
    let mut next = (first.birth(), true);
    for &number in numbers.iter().take(passed_count).rev() {
        let is_adjacent = number.checked_add(1) == Some(next.0.segment) && next.1;
        if number.saturating_add(1) < next.0.segment {
            past.harmed(number.saturating_add(1), next.0.first_lsn, Harm::SegmentMissing);
        }
        let seam = is_adjacent.then_some(next.0);
        let (birth, harm) = match read(disk, number)? {
            Ok(looked) => (Some(looked.header.birth()), judge(&looked, kek, seam)),
            Err(harm) => (None, Some(harm)),
        };
        let known = birth.filter(|birth| birth.first_lsn <= next.0.first_lsn);
        let first_lsn = known.map_or(next.0.first_lsn, |birth| birth.first_lsn);
        if let Some(harm) = harm {
            past.harmed(number, first_lsn, harm);
        }
        past.spans.push(SegmentSpan {
            segment: number,
            first_lsn,
            last_lsn: next.0.first_lsn.before(),
            used_bytes: seam.map_or(0, |seam| seam.previous_end),
        });
        let unknown = Birth { segment: number, first_lsn, previous_end: 0, chain: [0; 16] };
        next = (known.unwrap_or(unknown), known.is_some());
    }
    if let Some(oldest) = oldest.filter(|oldest| *oldest < next.0.segment) {
        past.harmed(oldest, next.0.first_lsn, Harm::SegmentMissing);
    }
    past.spans.reverse();
    past.damage.reverse();
    Ok(past)
}

impl Past {
    fn harmed(&mut self, segment: u64, lsn: Lsn, harm: Harm) {
        self.damage.push(Damage { segment, offset: 0, lsn, harm });
    }
}

/// The last segment that begins early enough, with its place. Those behind it are read, and judged
/// then.
fn find<D: Disk>(
    disk: &D,
    numbers: &[u64],
    after: Lsn,
) -> Result<Option<(usize, SegmentHeader)>, WalkError> {
    if after == Lsn::NONE {
        return Ok(None);
    }
    for (place, &number) in numbers.iter().enumerate().rev() {
        if let Ok(Looked { header, .. }) = read(disk, number)?
            && header.birth().first_lsn <= after.plus(1)
        {
            return Ok(Some((place, header)));
        }
    }
    Ok(None)
}

/// The header of a segment, or what is wrong with it.
fn read<D: Disk>(disk: &D, number: u64) -> Result<Result<Looked<D::File>, Harm>, WalkError> {
    let mut bytes = [0; COPY_AT + HEADER_BYTES];
    let opened = disk.open_reading(&file_name(number));
    let read = opened.and_then(|file| file.read_at(0, &mut bytes).map(|count| (file, count)));
    let (file, count) = match read {
        Ok(read) => read,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Ok(Err(Harm::SegmentMissing));
        }
        Err(_) => return Ok(Err(Harm::SegmentUnreadable)),
    };
    match SegmentHeader::read(bytes.get(..count).unwrap_or_default()) {
        HeaderState::Born { header, .. } if header.birth().segment == number => {
            Ok(Ok(Looked { file, header: *header }))
        }
        HeaderState::Newer { version } => Err(WalkError::Newer { segment: number, version }),
        HeaderState::Born { .. } | HeaderState::Unreadable => Ok(Err(Harm::SegmentHeader)),
    }
}

/// What is wrong with a segment; `next` is where the one after it begins.
fn judge<F: DiskFile>(looked: &Looked<F>, kek: Option<&Kek>, next: Option<Birth>) -> Option<Harm> {
    let Looked { file, header } = looked;
    if kek.is_some_and(|kek| !header.is_wrapped_by(kek) || header.unwrap_key(kek).is_err()) {
        return Some(Harm::SegmentKey);
    }
    let next = next?;
    if header.birth().first_lsn > next.first_lsn {
        return Some(Harm::SegmentSequence);
    }
    if usize::try_from(next.previous_end) == Ok(GROUPS_AT) {
        return (next.chain != header.tag()).then_some(Harm::SegmentSequence);
    }
    let mut tail = [0; group::TAIL_BYTES];
    let tail_bytes = u64::try_from(tail.len()).unwrap_or(u64::MAX);
    let at = next.previous_end.saturating_sub(tail_bytes);
    match file.read_at(at, &mut tail) {
        Ok(count) if count == tail.len() && group::ends_with(&tail, next.chain) => None,
        Ok(_) => Some(Harm::GroupContents),
        Err(_) => Some(Harm::SegmentUnreadable),
    }
}
