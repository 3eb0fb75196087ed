//! What a disk can do to a checkpoint: it is whole or it is refused, and the one before is there.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "everything here is a test, also what is not marked as one"
)]

use ach_engine_checkpoint::{
    DRAFT_NAME, Draft, Flaw, ReadError, Seal, Shelf, WriteError, name_of, read, read_file, verify,
};
use ach_engine_journal::{Disk, DiskFile, Kek, SimDisk, SimFault};

const AMPLE: u64 = 64 << 20;

fn kek() -> Kek {
    Kek::from_bytes(&[42; 32]).unwrap()
}

fn seal(index: u64) -> Seal {
    let wide = u128::from(index) << 70;
    Seal { index, lsn: index + 5, entry_hash: wide, chain: wide + 1, state_hash: wide + 2 }
}

/// The sections of the checkpoint of an entry: of many sizes, none and large ones among them.
fn sections(index: u64) -> Vec<(u32, Vec<u8>)> {
    let length = |at: u64| usize::try_from((index * 7 + at * 131) % 9 * 3_000 % 40_001).unwrap();
    let byte = |at: u64| u8::try_from((index + at) % 251).unwrap();
    (0..9).map(|at| (u32::try_from(at % 5 + 1).unwrap(), vec![byte(at); length(at)])).collect()
}

fn write(disk: &SimDisk, index: u64) -> Result<u64, WriteError> {
    let mut draft = Draft::begin(disk.clone(), &kek(), 0, index, 0)?;
    for (kind, mut body) in sections(index) {
        draft.section(kind, &mut body)?;
    }
    draft.finish(&seal(index))
}

/// Reads the checkpoint of an entry; what it holds must be what was written.
fn check(disk: &SimDisk, index: u64) -> Result<(), ReadError> {
    let mut found = Vec::new();
    let seal_read = read(disk, index, &kek(), &mut |section| {
        found.push((section.kind, section.body.to_vec()));
        true
    })?;
    assert_eq!(seal_read, seal(index));
    assert_eq!(found, sections(index));
    assert_eq!(verify(disk, index).unwrap(), 10);
    Ok(())
}

/// The newest checkpoint of a folder that is whole.
fn newest(disk: &SimDisk) -> Option<u64> {
    let listed = Shelf::new(disk.clone()).list().unwrap();
    listed.into_iter().map(|one| one.index).find(|&index| check(disk, index).is_ok())
}

#[test]
fn a_checkpoint_comes_back_as_it_was_written_under_its_key_alone() {
    let disk = SimDisk::new(1, AMPLE);
    let bytes = write(&disk, 7).unwrap();
    check(&disk, 7).unwrap();
    assert_eq!(Shelf::new(disk.clone()).list().unwrap()[0].bytes, bytes);
    assert_eq!(disk.list().unwrap(), [name_of(7)], "no remains");
    let other = Kek::from_bytes(&[43; 32]).unwrap();
    let refused = read(&disk, 7, &other, &mut |_| true);
    assert!(matches!(refused, Err(ReadError::WrongKey)), "{refused:?}");
    let meaningless = read(&disk, 7, &kek(), &mut |section| section.kind != 3);
    let flaw = Flaw::Meaning;
    assert!(
        matches!(&meaningless, Err(ReadError::Damaged { flaw: found, .. }) if *found == flaw),
        "{meaningless:?}"
    );
    let text = disk.contents(&name_of(7));
    assert!(text.windows(64).all(|window| window != [9; 64]), "contents are not in the clear");
}

#[test]
fn a_flipped_bit_anywhere_is_found() {
    let disk = SimDisk::new(2, AMPLE);
    write(&disk, 7).unwrap();
    let sound = disk.contents(&name_of(7));
    let bits = sound.len() * 8;
    // All of the header, of the first section's head and of the end, and a few hundred between.
    let chosen =
        (0..304 * 8).chain((304 * 8..bits - 900).step_by(bits / 400)).chain(bits - 900..bits);
    for bit in chosen {
        let mut harmed = sound.clone();
        harmed[bit / 8] ^= 1 << (bit % 8);
        let with_key = read_file(&harmed, 7, &kek(), &mut |_| true);
        assert!(with_key.is_err(), "bit {bit}");
        let holding = SimDisk::holding(&[(&name_of(7), &harmed)]);
        assert!(verify(&holding, 7).is_err(), "bit {bit} without a key");
    }
}

#[test]
fn a_cut_lengthened_or_zeroed_checkpoint_is_refused_and_nothing_is_made_room_for() {
    let disk = SimDisk::new(3, AMPLE);
    write(&disk, 7).unwrap();
    let sound = disk.contents(&name_of(7));
    let is_refused = |bytes: &[u8]| read_file(bytes, 7, &kek(), &mut |_| true).is_err();
    for length in (0..sound.len()).step_by(101).chain(sound.len() - 80..sound.len()) {
        assert!(is_refused(&sound[..length]), "cut at {length}");
    }
    assert!(is_refused(&[sound.as_slice(), &[0]].concat()));
    assert!(is_refused(&[sound.as_slice(), &sound].concat()));
    for page in 0..sound.len() / 4_096 {
        let mut zeroed = sound.clone();
        zeroed[page * 4_096..(page + 1) * 4_096].fill(0);
        assert!(is_refused(&zeroed), "page {page}");
    }
    // One of another entry under this name, and sections of two files mixed.
    write(&disk, 8).unwrap();
    let other = disk.contents(&name_of(8));
    assert!(is_refused(&other));
    assert!(is_refused(&[&sound[..256], &other[256..]].concat()));
}

#[test]
fn whatever_strikes_at_whichever_moment_the_checkpoint_before_stays_good() {
    let disk = SimDisk::new(4, AMPLE);
    write(&disk, 7).unwrap();
    let before = disk.ops();
    write(&disk.fork(1), 9).unwrap();
    let clean = disk.fork(2);
    write(&clean, 9).unwrap();
    let ops = clean.ops() - before;
    assert!(ops > 20, "{ops} operations");
    let misdirected = SimFault::Misdirect { shift_bytes: 8_192 };
    for fault in [SimFault::Fail, SimFault::Full, SimFault::PowerCut, SimFault::Lose, misdirected] {
        let (mut written, mut lost) = (0, 0);
        for op in 1..=ops {
            let seed = op;
            let struck = disk.fork(seed);
            struck.plan(op, fault);
            let outcome = write(&struck, 9);
            // What is said to be written survives, unless the disk has lied about it.
            if fault != SimFault::PowerCut {
                struck.cut_power();
            }
            let after = struck.power_on();
            let found = newest(&after).unwrap_or_else(|| panic!("{fault:?} at {op}: none is good"));
            match (&outcome, found) {
                (Ok(_), 9) => written += 1,
                (Ok(_), _) => {
                    assert!(matches!(fault, SimFault::Lose | SimFault::Misdirect { .. }));
                    lost += 1;
                }
                (Err(_), 7 | 9) => {}
                (Err(error), other) => panic!("{fault:?} at {op}: {error}, and {other} is newest"),
            }
            // Another one can be written over the remains.
            write(&after, 11).unwrap();
            check(&after, 11).unwrap();
            Shelf::new(after.clone()).keep(&[11, found]).unwrap();
            let left: Vec<u64> =
                Shelf::new(after.clone()).list().unwrap().iter().map(|one| one.index).collect();
            assert_eq!(left, [11, found]);
            assert!(!after.list().unwrap().contains(&DRAFT_NAME.to_owned()));
        }
        println!(
            "{fault:?}: {ops} moments, {written} written all the same, {lost} lost by the disk"
        );
    }
}

#[test]
fn a_full_disk_is_told_and_its_room_is_left_to_the_journal() {
    let disk = SimDisk::new(5, AMPLE);
    let bytes = write(&disk, 7).unwrap();
    let kept_bytes = 1 << 20;
    disk.set_capacity(bytes + kept_bytes);
    let refused = Draft::begin(disk.clone(), &kek(), 0, 9, kept_bytes).unwrap_err();
    assert!(matches!(refused, WriteError::Full { .. }), "{refused}");
    assert_eq!(disk.list().unwrap(), [name_of(7)]);
    // It fills while the checkpoint is written: given up, and its room is given back.
    disk.set_capacity(bytes + kept_bytes + (3 << 20));
    let mut draft = Draft::begin(disk.clone(), &kek(), 0, 9, kept_bytes).unwrap();
    let mut outcome = Ok(());
    for _ in 0..64 {
        outcome = draft.section(3, &mut vec![1; 100_000]);
        if outcome.is_err() {
            break;
        }
    }
    assert!(matches!(outcome, Err(WriteError::Full { .. })), "{outcome:?}");
    draft.give_up();
    assert_eq!(disk.list().unwrap(), [name_of(7)]);
}

#[test]
fn a_large_section_is_written_in_steps_and_leaves_the_reserve_alone() {
    const KEPT_BYTES: u64 = 1 << 20;
    const BODY_BYTES: usize = 9 << 20;
    let disk = SimDisk::new(6, AMPLE);
    let mut draft = Draft::begin(disk.clone(), &kek(), 0, 9, KEPT_BYTES).unwrap();
    let before = disk.ops();
    draft.section(2, &mut vec![7; BODY_BYTES]).unwrap();
    // Its head, nine steps and the tag, a sync after each mebibyte.
    assert!(disk.ops() - before >= 2 + 9 + 9, "{} operations", disk.ops() - before);
    draft.give_up();
    // Less room than it needs: not even its first step takes of what is kept.
    disk.set_capacity(KEPT_BYTES + (4 << 20));
    let mut draft = Draft::begin(disk.clone(), &kek(), 0, 9, KEPT_BYTES).unwrap();
    let free_bytes = disk.free_bytes().unwrap();
    let refused = draft.section(2, &mut vec![7; BODY_BYTES]).unwrap_err();
    assert!(matches!(refused, WriteError::Full { .. }), "{refused}");
    assert_eq!(disk.free_bytes().unwrap(), free_bytes);
    // Where the room goes while it is written, the error says what there is.
    disk.set_capacity(AMPLE);
    let mut draft = Draft::begin(disk.clone(), &kek(), 0, 9, KEPT_BYTES).unwrap();
    disk.plan(2, SimFault::Full);
    let full = draft.section(2, &mut vec![7; BODY_BYTES]).unwrap_err();
    let WriteError::Full { free_bytes, kept_bytes } = full else { panic!("{full}") };
    assert!(free_bytes > 32 << 20 && kept_bytes == KEPT_BYTES, "{full}");
}

/// What a build of today must read, because one of before has written it.
#[test]
fn a_checkpoint_of_format_1_is_read_as_it_was_written() {
    let bytes = include_bytes!("fixtures/v1/0000000000000007.ckpt");
    let disk = SimDisk::holding(&[(&name_of(7), bytes)]);
    check(&disk, 7).unwrap();
    let file = disk.open_reading(&name_of(7)).unwrap();
    assert_eq!(file.len_bytes().unwrap(), u64::try_from(bytes.len()).unwrap());
}
