//! Reads the groups of one segment, and judges what lies where the next group should be.
//!
//! At most one group is ever written and not yet synced. So what a crash can leave behind the last
//! intact group is one group that is there only in part, and a part that is not there reads as zeros,
//! because segments are zeroed beforehand. Everything else is damage:
//!
//! | what lies there | verdict |
//! |---|---|
//! | zeros to the end | clean |
//! | anything, and an intact header of this segment further on | damage: the later group was written after this one was durable |
//! | an intact header that does not continue the last group | damage: a write was lost or went astray |
//! | an intact header, contents with a sector of zeros or a zero at the end | torn |
//! | an intact header, contents that are all there and do not fit | damage |
//! | a header with one of its marks that does not fit | damage, unless the write stopped within it |
//! | anything else | torn |
//!
//! The durable mark, judged by the caller, overrules "clean" and "torn".

use crate::Lsn;
use crate::damage::Harm;
use crate::data_key::Tag;
use crate::group::{self, GROUP_ALIGN, GROUP_HEADER_BYTES, GroupHeader, Home};

/// The smallest part of a write that a disk does or does not do.
const SECTOR_BYTES: usize = 512;

/// Which group must come next.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expected {
    pub(crate) home: Home,
    pub(crate) lsn: Lsn,
    pub(crate) chain: Tag,
}

/// What lies at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Finding<'a> {
    /// The expected group, header and all.
    Group(GroupHeader, &'a [u8]),
    /// Nothing.
    Clean,
    /// A group of which only a part was written.
    Torn { torn_bytes: usize },
    /// Something that a crash does not explain.
    Harmed(Harm),
}

/// Judges what lies at `at`, a multiple of 64, in the bytes of a segment.
pub(crate) fn judge(segment: &[u8], at: usize, expected: Expected) -> Finding<'_> {
    let rest = segment.get(at..).unwrap_or_default();
    let Some(header) = group::read_header(rest) else {
        return judge_without_header(rest, expected);
    };
    if header.home != expected.home {
        return Finding::Harmed(Harm::Stray);
    }
    if header.first_lsn != expected.lsn || header.chain != expected.chain {
        return Finding::Harmed(Harm::Sequence);
    }
    let whole = rest.get(..header.extent());
    if let Some(group) = whole.filter(|group| header.is_body_intact(group)) {
        return Finding::Group(header, group);
    }
    let is_torn = whole.is_none_or(|group| has_hole(at, group));
    if is_torn && !has_later_group(rest, expected.home) {
        Finding::Torn { torn_bytes: used(rest) }
    } else {
        Finding::Harmed(Harm::GroupContents)
    }
}

fn judge_without_header(rest: &[u8], expected: Expected) -> Finding<'_> {
    let torn_bytes = used(rest);
    if torn_bytes == 0 {
        return Finding::Clean;
    }
    let stopped_within = torn_bytes < GROUP_HEADER_BYTES;
    let is_header_harmed = group::was_header(rest) && !stopped_within;
    if is_header_harmed || has_later_group(rest, expected.home) {
        Finding::Harmed(Harm::GroupHeader)
    } else {
        Finding::Torn { torn_bytes }
    }
}

/// Bytes up to the last that is not zero.
fn used(bytes: &[u8]) -> usize {
    // A sector at a time: most of a segment may be zeros, and all of it is asked.
    const ZEROS: [u8; SECTOR_BYTES] = [0; SECTOR_BYTES];
    let blank = bytes.rchunks_exact(SECTOR_BYTES).take_while(|sector| *sector == ZEROS).count();
    let rest = bytes.get(..bytes.len().saturating_sub(blank * SECTOR_BYTES)).unwrap_or(bytes);
    rest.iter().rposition(|byte| *byte != 0).map_or(0, |last| last.saturating_add(1))
}

/// Whether a part of the group, which begins at `at`, was not written: a sector of it is zeros, or
/// its last byte is, which no group's is.
fn has_hole(at: usize, group: &[u8]) -> bool {
    let to_boundary = SECTOR_BYTES - at % SECTOR_BYTES;
    let (first, others) = group.split_at_checked(to_boundary).unwrap_or((group, &[]));
    let mut sectors = std::iter::once(first).chain(others.chunks(SECTOR_BYTES));
    group.last() == Some(&0) || sectors.any(|sector| used(sector) == 0)
}

/// Whether an intact group header of this segment lies anywhere behind the first 64 bytes.
fn has_later_group(rest: &[u8], home: Home) -> bool {
    let places = (GROUP_ALIGN..rest.len()).step_by(GROUP_ALIGN);
    let mut headers = places.filter_map(|at| group::read_header(rest.get(at..)?));
    headers.any(|header| header.home == home)
}

/// Whether any group of that segment, of whatever incarnation, lies in the bytes of a file whose
/// header cannot be read.
pub(crate) fn has_any_group(segment: &[u8], number: u64) -> bool {
    let places = (0..segment.len()).step_by(GROUP_ALIGN);
    let mut headers = places.filter_map(|at| group::read_header(segment.get(at..)?));
    headers.any(|header| header.home.segment == number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data_key::DataKey;
    use proptest::prelude::*;
    use zeroize::Zeroizing;

    const HOME: Home = Home { segment: 1, incarnation: 2 };

    /// Groups of one record each with bodies of these lengths, and 4 KiB of zeros; the places where
    /// groups begin and end.
    fn segment(bodies: &[usize]) -> (Vec<u8>, Vec<usize>, Vec<Expected>) {
        let key = DataKey::new(&Zeroizing::new([1; 32])).unwrap();
        let mut expected = Expected { home: HOME, lsn: Lsn(1), chain: [0; 16] };
        let (mut bytes, mut places, mut expectations) = (Vec::new(), vec![0], vec![expected]);
        for body in bodies {
            let mut buffer = vec![7; GROUP_HEADER_BYTES + body];
            let Expected { lsn, chain, .. } = expected;
            let chain = group::seal(&mut buffer, &key, HOME, lsn, chain, 1).unwrap();
            bytes.extend_from_slice(&buffer);
            places.push(bytes.len());
            expected = Expected { lsn: lsn.plus(1), chain, ..expected };
            expectations.push(expected);
        }
        bytes.resize(bytes.len() + 4096, 0);
        (bytes, places, expectations)
    }

    #[test]
    fn whole_groups_are_found_and_then_nothing() {
        let (bytes, places, expected) = segment(&[10, 5000, 0]);
        for group in 0..3 {
            let finding = judge(&bytes, places[group], expected[group]);
            assert!(matches!(finding, Finding::Group(..)), "group {group}: {finding:?}");
        }
        assert_eq!(judge(&bytes, places[3], expected[3]), Finding::Clean);
    }

    #[test]
    fn a_write_that_stopped_at_any_byte_is_torn() {
        let (bytes, places, expected) = segment(&[10, 700]);
        for stop in places[1] + 1..places[2] {
            let mut torn = bytes.clone();
            torn[stop..].fill(0);
            let finding = judge(&torn, places[1], expected[1]);
            assert!(matches!(finding, Finding::Torn { .. }), "stopped at {stop}: {finding:?}");
        }
    }

    #[test]
    fn a_write_of_which_any_sector_is_missing_is_torn() {
        let (bytes, places, expected) = segment(&[10, 5000]);
        for sector in (0..places[2]).step_by(SECTOR_BYTES) {
            let mut torn = bytes.clone();
            torn[sector.max(places[1])..sector + SECTOR_BYTES].fill(0);
            let finding = judge(&torn, places[1], expected[1]);
            assert!(matches!(finding, Finding::Torn { .. }), "sector {sector}: {finding:?}");
        }
    }

    #[test]
    fn a_flipped_bit_in_the_last_group_is_damage() {
        let (bytes, places, expected) = segment(&[10, 700]);
        for bit in places[1] * 8..places[2] * 8 {
            let mut harmed = bytes.clone();
            harmed[bit / 8] ^= 1 << (bit % 8);
            let finding = judge(&harmed, places[1], expected[1]);
            assert!(matches!(finding, Finding::Harmed(_)), "bit {bit}: {finding:?}");
        }
    }

    #[test]
    fn a_hole_before_a_later_group_is_damage() {
        let (bytes, places, expected) = segment(&[10, 700, 10]);
        for length in [1, 64, places[2] - places[1]] {
            let mut harmed = bytes.clone();
            harmed[places[1]..places[1] + length].fill(0);
            let finding = judge(&harmed, places[1], expected[1]);
            assert!(matches!(finding, Finding::Harmed(_)), "{length} bytes: {finding:?}");
        }
    }

    #[test]
    fn a_group_out_of_turn_is_damage() {
        let (bytes, places, expected) = segment(&[10, 10]);
        let check = |name, expected, harm| {
            assert_eq!(judge(&bytes, places[1], expected), Finding::Harmed(harm), "{name}");
        };
        check("another LSN", Expected { lsn: Lsn(1), ..expected[1] }, Harm::Sequence);
        check("another chain", Expected { chain: [9; 16], ..expected[1] }, Harm::Sequence);
        let elsewhere = Home { segment: 1, incarnation: 3 };
        check("another home", Expected { home: elsewhere, ..expected[1] }, Harm::Stray);
    }

    #[test]
    fn a_length_beyond_the_file_is_no_group() {
        let (mut bytes, places, expected) = segment(&[10, 10, 10]);
        for body_len in [1 << 20, u32::MAX - 100, u32::MAX] {
            group::forge_length(&mut bytes[places[1]..], body_len);
            let last = judge(&bytes[..places[2]], places[1], expected[1]);
            assert!(matches!(last, Finding::Torn { .. }), "{body_len}, the last: {last:?}");
            let not_last = judge(&bytes, places[1], expected[1]);
            assert_eq!(not_last, Finding::Harmed(Harm::GroupContents), "{body_len}, not the last");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_judged_without_a_panic(bytes: Vec<u8>, at in 0usize..4) {
            let expected = Expected { home: HOME, lsn: Lsn(1), chain: [0; 16] };
            let finding = judge(&bytes, at * 64, expected);
            prop_assert!(!matches!(finding, Finding::Group(..)));
        }
    }
}
