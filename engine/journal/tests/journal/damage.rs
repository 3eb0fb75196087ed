//! Flipped bits, zeroed pages, lost and misdirected writes: never silently wrong, never short.

use ach_engine_journal::{Disk, Harm, Lsn, Note, OpenError, Reader, SimDisk, SimFault};

use crate::support::{
    self, AMPLE, Chance, Driven, Owned, kek, killed_journal, open, open_well, segments,
};

/// Opens a harmed copy: either everything that was acked comes back, or it is said to be damaged
/// and what came back before is right. Says whether it opened.
#[track_caller]
fn check(harmed: &SimDisk, appended: &[Owned], story: &str) -> bool {
    let report = Reader::new(harmed.clone()).verify(Some(&kek())).unwrap();
    let (outcome, read) = open(harmed.clone());
    let acked = if outcome.is_ok() { appended.len() } else { 0 };
    support::check_prefix(appended, acked, &read, story);
    match outcome {
        Ok(_) => assert_eq!(report.damage, None, "{story}: the reader disagrees"),
        Err(OpenError::Corrupt { lsn, segment, offset, harm }) => {
            assert!(lsn.0 <= read.len() as u64 + 1, "{story}: damage behind what was read");
            let damage = report.damage.expect(story);
            assert_eq!((damage.lsn, damage.segment), (lsn, segment), "{story}");
            assert_eq!((damage.offset, damage.harm), (offset, harm), "{story}");
            return false;
        }
        Err(other) => panic!("{story}: {other}"),
    }
    true
}

#[test]
fn single_flipped_bits_in_segments_are_found() {
    let (disk, appended) = killed_journal(1);
    let mut chance = Chance(300);
    let mut found = 0;
    for trial in 0..300 {
        let names = segments(&disk);
        let name = &names[chance.below(names.len() as u64) as usize];
        let bit = chance.below(disk.contents(name).len() as u64 * 8) as usize;
        let harmed = disk.fork(trial);
        harmed.corrupt(name, |bytes| bytes[bit / 8] ^= 1 << (bit % 8)).unwrap();
        found += u32::from(!check(&harmed, &appended, &format!("bit {bit} of {name}")));
    }
    assert!(found > 100, "only {found} flips were damage");
}

#[test]
fn single_flipped_bits_in_the_last_group_are_found_even_without_a_mark() {
    let (disk, appended) = killed_journal(1);
    let name = segments(&disk).pop().unwrap();
    let bytes = disk.contents(&name);
    let end = bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    for bit in (end - 192) * 8..end * 8 {
        let harmed = disk.fork(1);
        harmed.remove("mark").unwrap();
        harmed.corrupt(&name, |bytes| bytes[bit / 8] ^= 1 << (bit % 8)).unwrap();
        assert!(!check(&harmed, &appended, &format!("bit {bit} of {name}")), "bit {bit}");
    }
}

#[test]
fn single_flipped_bits_in_the_mark_cost_nothing_and_are_told() {
    let (disk, appended) = killed_journal(1);
    for trial in 0..300 {
        let bit = if trial % 2 == 0 { trial } else { 4096 * 8 + trial };
        let harmed = disk.fork(1);
        harmed.corrupt("mark", |bytes| bytes[bit / 8] ^= 1 << (bit % 8)).unwrap();
        let (_, opened, read) = open_well(harmed);
        assert_eq!((read, opened.notes), (appended.clone(), vec![Note::MarkDamaged]), "bit {bit}");
    }
}

#[test]
fn single_flipped_bits_in_the_headers_of_segments_cost_nothing_and_are_told() {
    let (disk, appended) = killed_journal(1);
    let names = segments(&disk);
    let mut chance = Chance(300);
    for trial in 0..300 {
        let name = &names[trial % names.len()];
        let bit = chance.below(512 * 8) as usize + 4096 * 8 * (trial % 2);
        let harmed = disk.fork(1);
        harmed.corrupt(name, |bytes| bytes[bit / 8] ^= 1 << (bit % 8)).unwrap();
        let (_, opened, read) = open_well(harmed);
        assert_eq!(read, appended, "bit {bit} of {name}");
        assert!(matches!(opened.notes[..], [Note::HeaderCopyDamaged { .. }]), "bit {bit}");
    }
}

#[test]
fn a_segment_without_a_header_costs_no_record_before_it() {
    let (disk, appended) = killed_journal(1);
    let names = segments(&disk);
    let spans = Reader::new(disk.clone()).verify(None).unwrap().segments;
    assert_eq!(names.len(), spans.len());
    for (name, span) in names.iter().zip(&spans) {
        let before = &appended[..span.first_lsn.0 as usize - 1];
        let no_header = disk.fork(1);
        no_header.corrupt(name, |bytes| bytes[..8192].fill(0x55)).unwrap();
        let gone = disk.fork(1);
        gone.remove(name).unwrap();
        for (story, harmed) in [("no header", no_header), ("gone", gone)] {
            let report = Reader::new(harmed.clone()).verify(Some(&kek())).unwrap();
            let (outcome, read) = open(harmed);
            let Err(OpenError::Corrupt { lsn, .. }) = outcome else {
                panic!("{name}, {story}: {outcome:?}");
            };
            assert!(read == before, "{name}, {story}: {} of {} came", read.len(), before.len());
            assert_eq!(lsn, span.first_lsn, "{name}, {story}");
            assert_eq!(report.records, before.len() as u64, "{name}, {story}");
        }
    }
}

#[test]
fn a_flipped_bit_in_the_mark_after_a_release_costs_nothing() {
    let disk = SimDisk::new(1, AMPLE);
    let mut driven = Driven::new(disk.clone());
    driven.groups(&[&[9_000][..]; 12]);
    assert!(driven.journal.release_before(Lsn(9)).unwrap() > 0);
    let (_, _, kept) = open_well(disk.fork(1));
    for bit in (0..512).chain(4096 * 8..4096 * 8 + 512) {
        let harmed = disk.fork(1);
        harmed.corrupt("mark", |bytes| bytes[bit / 8] ^= 1 << (bit % 8)).unwrap();
        let (outcome, read) = open(harmed);
        assert!(outcome.is_ok(), "bit {bit}: {outcome:?}");
        assert_eq!(read, kept, "bit {bit}");
    }
}

#[test]
fn a_zeroed_page_is_found_wherever_it_is() {
    let (disk, appended) = killed_journal(1);
    let (mut pages, mut found) = (0, 0);
    for name in segments(&disk).into_iter().chain(["mark".to_owned()]) {
        for at in (0..disk.contents(&name).len()).step_by(4096) {
            let harmed = disk.fork(1);
            let zeroed =
                |bytes: &mut Vec<u8>| bytes[at..].iter_mut().take(4096).for_each(|b| *b = 0);
            harmed.corrupt(&name, zeroed).unwrap();
            found += u32::from(!check(&harmed, &appended, &format!("page {at} of {name}")));
            pages += 1;
        }
    }
    assert!(found * 3 > pages && found < pages, "{found} of {pages} pages mattered");
}

#[test]
fn a_file_that_is_cut_short_is_found() {
    let (disk, appended) = killed_journal(1);
    for name in segments(&disk) {
        let used = disk.contents(&name).iter().rposition(|byte| *byte != 0).unwrap() + 1;
        for len in [0, 100, 4096, 8192, 8200, used / 2, used - 1] {
            let harmed = disk.fork(1);
            harmed.corrupt(&name, |bytes| bytes.truncate(len)).unwrap();
            assert!(
                !check(&harmed, &appended, &format!("{name} cut to {len}")),
                "{name} cut to {len} of {used} opened"
            );
        }
    }
}

#[test]
fn a_missing_or_exchanged_segment_is_found() {
    let (disk, appended) = killed_journal(1);
    let names = segments(&disk);
    assert!(names.len() >= 3, "{names:?}");
    for name in &names {
        let harmed = disk.fork(1);
        harmed.remove(name).unwrap();
        assert!(!check(&harmed, &appended, &format!("{name} is missing")));
    }
    let swapped = disk.fork(1);
    swapped.rename(&names[0], "x").unwrap();
    swapped.rename(&names[1], &names[0]).unwrap();
    swapped.rename("x", &names[1]).unwrap();
    assert!(!check(&swapped, &appended, "two segments are exchanged"));
    let copied = disk.fork(1);
    let first = disk.contents(&names[0]);
    copied.corrupt(&names[1], |bytes| bytes.clone_from(&first)).unwrap();
    assert!(!check(&copied, &appended, "a segment is a copy of another"));
}

#[test]
fn a_segment_of_another_past_is_found() {
    let disk = SimDisk::new(1, AMPLE);
    Driven::new(disk.clone()).groups(&[&[48; 10]]);
    // Two copies of the folder go on apart: the same numbers of segments and records, other keys.
    let [mut ours, mut theirs] = [disk.fork(1), disk.fork(2)];
    for _ in 0..3 {
        for copy in [&mut ours, &mut theirs] {
            *copy = copy.restart();
            Driven::new(copy.clone()).groups(&[&[48; 10]]);
        }
    }
    let (_, _, appended) = open_well(ours.fork(1));
    let names = segments(&ours);
    assert_eq!((names.len(), segments(&theirs)), (4, names.clone()));
    for name in &names[1..] {
        let harmed = ours.fork(1);
        let alien = theirs.contents(name);
        harmed.corrupt(name, |bytes| bytes.clone_from(&alien)).unwrap();
        assert!(!check(&harmed, &appended, &format!("{name} is of another past")));
    }
}

#[test]
fn everything_gone_but_the_mark_is_found() {
    let (disk, appended) = killed_journal(1);
    for name in segments(&disk) {
        disk.remove(&name).unwrap();
    }
    assert!(!check(&disk, &appended, "all segments are missing"));
}

#[test]
fn an_old_copy_of_the_last_segment_is_found() {
    let disk = SimDisk::new(1, AMPLE);
    let mut driven = Driven::new(disk.clone());
    driven.groups(&[&[48; 10]]);
    let name = segments(&disk).pop().unwrap();
    let old = disk.contents(&name);
    driven.groups(&[&[48; 10]]);
    let harmed = disk.fork(1);
    harmed.corrupt(&name, |bytes| bytes.clone_from(&old)).unwrap();
    let (outcome, read) = open(harmed);
    assert!(matches!(outcome, Err(OpenError::Corrupt { harm: Harm::Short, .. })), "{outcome:?}");
    assert_eq!(read, driven.appended[..10]);
}

#[test]
fn lost_and_misdirected_writes_are_found() {
    let (mut found, mut healed) = (0, 0);
    for seed in 0..200 {
        let disk = SimDisk::new(seed, AMPLE);
        let mut driven = Driven::new(disk.clone());
        driven.groups(&[&[48; 3], &[500]]);
        let fault = match seed % 4 {
            0 | 1 => SimFault::Lose,
            2 => SimFault::Misdirect { shift_bytes: 4096 },
            _ => SimFault::Misdirect { shift_bytes: 64 * (1 + seed) },
        };
        disk.plan(1, fault);
        driven.groups(&[&[5_000], &[48; 2], &[5_000]]);
        driven.journal.seal().unwrap();
        disk.cut_power();
        if check(&disk.power_on(), &driven.appended, &format!("seed {seed}, {fault:?}")) {
            healed += 1;
        } else {
            found += 1;
        }
    }
    assert!(found >= 150, "{found} found, {healed} healed by a later write of the same page");
}

#[test]
fn a_lost_last_write_is_found_once_it_was_sealed() {
    let disk = SimDisk::new(5, AMPLE);
    let mut driven = Driven::new(disk.clone());
    driven.groups(&[&[5_000]]);
    disk.plan(1, SimFault::Lose);
    driven.groups(&[&[5_000]]);
    driven.journal.seal().unwrap();
    disk.cut_power();
    assert!(!check(&disk.power_on(), &driven.appended, "the last write was lost"));
}
