//! The journal against a list: whatever is done in whatever order, they agree.

use ach_engine_journal::{Disk, Kek, Lsn, Reader, Report, SimDisk, read_files};
use proptest::prelude::*;

use crate::support::{self, AMPLE, CONFIG, Driven, kek, open_well};

#[derive(Debug, Clone)]
enum Deed {
    Append(usize),
    Commit,
    Seal,
    Prepare,
    Release(u8),
    Close,
    Kill,
    CutPower,
    Verify,
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        10 => prop_oneof![0usize..100, 0usize..11_000].prop_map(Deed::Append),
        6 => Just(Deed::Commit),
        1 => Just(Deed::Seal),
        1 => Just(Deed::Prepare),
        1 => any::<u8>().prop_map(Deed::Release),
        1 => Just(Deed::Close),
        1 => Just(Deed::Kill),
        1 => Just(Deed::CutPower),
        1 => Just(Deed::Verify),
    ]
}

/// The journal under test and how many of its records were released from the front.
struct Pair {
    disk: SimDisk,
    driven: Driven,
    released: usize,
}

impl Pair {
    fn act(mut self, deed: &Deed) -> Pair {
        match deed {
            Deed::Append(payload_len) => {
                if self.driven.append(*payload_len).is_err() {
                    self.driven.commit().unwrap();
                    self.driven.append(*payload_len).unwrap();
                }
            }
            Deed::Commit => self.driven.commit().unwrap(),
            Deed::Seal => self.driven.journal.seal().unwrap(),
            Deed::Prepare => {
                if let Some(preparation) = self.driven.journal.preparation().unwrap() {
                    assert!(self.driven.journal.adopt(preparation.run().unwrap()).unwrap());
                }
            }
            Deed::Release(part) => {
                let lsn = self.driven.acked * usize::from(*part) / 255;
                self.driven.journal.release_before(Lsn(lsn as u64)).unwrap();
                let first = self.driven.journal.closed_segments().next();
                self.released = first
                    .map_or(self.released, |span| self.released.max(span.first_lsn.0 as usize - 1));
                assert!(self.released <= lsn.max(self.released));
            }
            Deed::Close => {
                self.driven.acked = self.driven.appended.len();
                self.driven.journal.close().unwrap();
                return Pair::reopen(self.disk, self.driven.appended, self.driven.acked);
            }
            Deed::Kill => {
                let disk = self.disk.restart();
                return Pair::reopen(disk, self.driven.appended, self.driven.acked);
            }
            Deed::CutPower => {
                self.disk.cut_power();
                let disk = self.disk.power_on();
                return Pair::reopen(disk, self.driven.appended, self.driven.acked);
            }
            Deed::Verify => {
                let report = Reader::new(self.disk.clone()).verify(Some(&kek())).unwrap();
                assert_eq!((report.damage, report.tail), (None, None));
                assert_eq!(report.last_lsn, Lsn(self.driven.acked as u64));
            }
        }
        self
    }

    fn reopen(disk: SimDisk, mut appended: Vec<support::Owned>, acked: usize) -> Pair {
        let (journal, opened, read) = open_well(disk.clone());
        let first =
            read.first().map_or(opened.last_lsn.0 as usize, |record| record.lsn as usize - 1);
        assert!(first + read.len() >= acked, "{} of {acked} came back", first + read.len());
        assert!(read == appended[first..first + read.len()], "other records came back");
        appended.truncate(first + read.len());
        let acked = appended.len();
        Pair { disk, driven: Driven { journal, appended, acked }, released: first }
    }
}

/// What the pure function says of all files of a disk.
fn read_from_memory(disk: &SimDisk, kek: Option<&Kek>) -> Report {
    let names = disk.list().unwrap();
    let contents: Vec<Vec<u8>> = names.iter().map(|name| disk.contents(name)).collect();
    let files: Vec<(&str, &[u8])> =
        names.iter().map(String::as_str).zip(contents.iter().map(Vec::as_slice)).collect();
    read_files(&files, kek, &mut |_| {}).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, ..ProptestConfig::default() })]

    #[test]
    fn the_journal_agrees_with_a_list(
        seed: u64,
        deeds in prop::collection::vec(deed(), 1..40),
    ) {
        let disk = SimDisk::new(seed, AMPLE);
        let driven = Driven::new(disk.clone());
        let mut pair = Pair { disk, driven, released: 0 };
        for deed in &deeds {
            pair = pair.act(deed);
        }
        pair.act(&Deed::CutPower);
    }

    #[test]
    fn any_files_are_read_without_a_panic(
        files in prop::collection::vec(
            (
                prop_oneof![
                    Just("mark"), Just("0000000000000001.seg"), Just("ffffffffffffffff.seg"),
                    Just("spare"), Just(""), Just("../x"),
                ],
                prop::collection::vec(any::<u8>(), 0..9_000),
            ),
            0..4,
        ),
    ) {
        let files: Vec<(&str, &[u8])> =
            files.iter().map(|(name, bytes)| (*name, bytes.as_slice())).collect();
        // Damaged, or no journal: random bytes never make a record.
        let read = read_files(&files, Some(&kek()), &mut |_| panic!("a record of random bytes"));
        prop_assert!(read.is_err() || read.is_ok_and(|report| report.records == 0));
    }

    #[test]
    fn any_bytes_in_any_file_are_read_without_a_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..600),
        at in 0usize..10_000,
        name in prop_oneof![Just("mark"), Just("0000000000000001.seg"), Just("spare")],
        is_new: bool,
    ) {
        let disk = SimDisk::new(1, AMPLE);
        let mut driven = Driven::new(disk.clone());
        driven.groups(&[&[48; 3], &[900]]);
        let appended = driven.appended.clone();
        drop(driven);
        if is_new && disk.list().unwrap().contains(&name.to_owned()) {
            disk.remove(name).unwrap();
        }
        drop(disk.create(name, CONFIG.segment_bytes));
        disk.corrupt(name, |file| {
            let end = (at + bytes.len()).min(file.len());
            let start = at.min(end);
            file[start..end].copy_from_slice(&bytes[..end - start]);
        }).unwrap();
        let kek = kek();
        let reports = [None, Some(&kek)].map(|kek| {
            let report = Reader::new(disk.clone()).verify(kek).unwrap();
            assert_eq!(read_from_memory(&disk, kek), report);
            report
        });
        prop_assert!(reports[0].damage.is_none() || reports[1].damage.is_some());
        let (outcome, read) = support::open(disk);
        prop_assert!(read.len() <= appended.len() && read == appended[..read.len()]);
        prop_assert!(outcome.is_err() || read.len() == appended.len());
    }
}
