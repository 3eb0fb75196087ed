//! Journals that earlier versions wrote, kept as fixtures: they are read, and written again to the
//! same bytes.

use crate::data_key::Tag;
use crate::disk::{Disk, DiskFile, SimDisk};
use crate::group::{self, GROUP_HEADER_BYTES};
use crate::scan::{Expected, Finding, judge};
use crate::segment::{GROUPS_AT, HeaderState, SegmentHeader};
use crate::{Kek, Lsn, Reader};

const FILES: [(&str, &[u8]); 3] = [
    ("0000000000000001.seg", include_bytes!("../tests/fixtures/v1/0000000000000001.seg")),
    ("0000000000000002.seg", include_bytes!("../tests/fixtures/v1/0000000000000002.seg")),
    ("mark", include_bytes!("../tests/fixtures/v1/mark")),
];

fn kek() -> Kek {
    Kek::from_bytes(&std::array::from_fn(|place| u8::try_from(place).unwrap())).unwrap()
}

#[test]
fn a_journal_of_version_1_is_read() {
    let disk = SimDisk::new(1, 1 << 20);
    for (name, bytes) in FILES {
        let file = disk.create(name, u64::try_from(bytes.len()).unwrap()).unwrap();
        file.write_at(0, bytes).unwrap();
    }
    let mut lines = Vec::new();
    let report = Reader::new(disk)
        .show(&kek(), &mut |record| {
            let text = String::from_utf8_lossy(record.payload);
            let (lsn, kind, shard) = (record.lsn, record.kind, record.shard);
            lines.push(format!("{lsn} {kind:?} {shard} {} {} {text}", record.term, record.index));
        })
        .unwrap();
    let max = u64::MAX;
    let last = format!("5 Purge {} {max} {max} {}", u32::MAX, "\u{fffd}".repeat(100));
    let expected = [
        "1 Vote 3 7 0 for node 2",
        "2 Entry 3 7 100 a ping of tag 4711",
        "3 Committed 3 7 100 ",
        "4 Truncate 4 8 50 ",
        &last,
    ];
    assert_eq!(lines, expected);
    assert_eq!((report.damage, report.tail, report.was_closed), (None, None, true));
    assert_eq!((report.groups, report.records_by_kind), (3, [1; 5]));
}

#[test]
fn what_is_written_today_is_version_1_byte_for_byte() {
    let mut groups = 0;
    let mut lsn = Lsn(1);
    for (_, bytes) in &FILES[..2] {
        let HeaderState::Born { header, copies: 2 } = SegmentHeader::read(bytes) else {
            panic!("the header is not there");
        };
        assert_eq!(header.to_bytes(), bytes[..GROUPS_AT]);
        let key = header.unwrap_key(&kek()).unwrap();
        let (mut at, mut chain): (usize, Tag) = (GROUPS_AT, header.tag());
        let expected = |lsn, chain| Expected { home: header.home(), lsn, chain };
        while let Finding::Group(group, whole) = judge(bytes, at, expected(lsn, chain)) {
            let mut again = vec![0; GROUP_HEADER_BYTES];
            again.extend_from_slice(group.open(whole, &key, &mut Vec::new()).unwrap());
            let home = header.home();
            let tag = group::seal(&mut again, &key, home, lsn, chain, group.records).unwrap();
            assert_eq!(again, whole, "group at {at}");
            (at, chain, lsn) = (at + whole.len(), tag, group.next_lsn());
            groups += 1;
        }
    }
    assert_eq!(groups, 3);
}
