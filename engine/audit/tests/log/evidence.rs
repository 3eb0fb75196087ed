//! Whoever changes, cuts or leaves out what is in a log is found out.

use ach_engine_audit::{Harm, HeadError, NotedWrong, ReadError, SignedHead, SigningKey, Verifier};
use ach_engine_journal::{Disk, SimDisk};

use crate::scene::{
    DISK_BYTES, at, keep, live, log_name, open, reading, report, report_with, segments, used,
};

/// A log of three segments and its heads.
fn written(key: &SigningKey) -> (SimDisk, u64) {
    let disk = SimDisk::new(3, DISK_BYTES);
    let (mut log, _) = open(disk.clone(), key);
    let size = live(&mut log, 24);
    log.close(at(50)).unwrap();
    assert!(segments(&disk).len() >= 2);
    (disk, size)
}

#[test]
fn a_log_that_nobody_touched_is_sound() {
    let key = SigningKey::generate().unwrap();
    let (disk, size) = written(&key);
    let mut met = 0;
    let verifier = Verifier::new(Some(key.verifying()));
    let report = verifier
        .run(&disk, &mut |entry| {
            assert_eq!(entry.index, met);
            assert_eq!(entry.leaf, ach_engine_audit::Hash::leaf(entry.bytes));
            assert!(entry.record.is_ok());
            met += 1;
        })
        .unwrap();
    assert!(report.is_sound(), "{report:?}");
    assert_eq!((met, report.records, report.tail), (size, size, None));
    let head = report.head.unwrap();
    assert_eq!((head.head.size, head.head.root), (size, report.root));
    assert!(report.heads > 5);
}

/// 300 flips, spread over all that is used of every segment.
#[test]
fn every_flipped_bit_is_found_and_its_place_told() {
    let key = SigningKey::generate().unwrap();
    let (disk, size) = written(&key);
    for segment in segments(&disk) {
        let used = used(&disk, &segment);
        for flip in 0..100 {
            let byte = if flip < 70 { used * flip / 70 } else { used - 1 - (flip - 70) };
            let harmed = disk.fork(7);
            harmed.corrupt(&segment, |file| file[byte] ^= 1 << (flip % 8)).unwrap();
            let report = report(&harmed, &key);
            let damage = report.damage.unwrap_or_else(|| panic!("bit in byte {byte} of {segment}"));
            assert!(damage.offset <= u64::try_from(byte).unwrap(), "{damage} for byte {byte}");
            assert_eq!(format!("{:016x}.aud", damage.segment), segment);
            assert_eq!(damage.record, report.records);
            assert!(report.records <= size);
        }
    }
}

#[test]
fn a_cut_at_any_place_is_found() {
    let key = SigningKey::generate().unwrap();
    let disk = SimDisk::new(3, DISK_BYTES);
    let (mut log, _) = open(disk.clone(), &key);
    keep(&mut log, 0..9);
    log.close(at(9)).unwrap();
    let last = segments(&disk).pop().unwrap();
    let end = used(&disk, &last);
    for cut in (0..end).rev().step_by(37).chain([end - 1]) {
        let harmed = disk.fork(7);
        harmed.corrupt(&last, |file| file[cut..].fill(0)).unwrap();
        assert!(report(&harmed, &key).damage.is_some(), "zeros from byte {cut}");
        let harmed = disk.fork(7);
        harmed.corrupt(&last, |file| file.truncate(cut)).unwrap();
        assert!(report(&harmed, &key).damage.is_some(), "nothing from byte {cut}");
    }
}

/// Who can write the folder and has no key cuts the log to an earlier head and says in the mark that the
/// disk never came further.
#[test]
fn a_cut_with_a_mark_that_was_made_to_fit_is_found() {
    let key = SigningKey::generate().unwrap();
    let (disk, _) = written(&key);
    let last = segments(&disk).pop().unwrap();
    let number = u64::try_from(segments(&disk).len()).unwrap();
    let whole = disk.contents(&last);
    let heads = (4_096..used(&disk, &last))
        .step_by(8)
        .filter(|at| whole[*at..].starts_with(b"ACHF") && whole[at + 8] == 2);
    let mut cuts = 0;
    for head in heads.collect::<Vec<_>>().into_iter().rev().skip(1) {
        let length = usize::from(u16::from_le_bytes([whole[head + 4], whole[head + 5]]));
        let end = (head + 64 + length).next_multiple_of(8);
        let size: [u8; 8] = whole[head + 16..head + 24].try_into().unwrap();
        let cut = disk.fork(9);
        cut.corrupt(&last, |file| file[end..].fill(0)).unwrap();
        cut.corrupt("mark", |file| {
            for (slot, sequence) in [(0, 1_000_u64), (4_096, 1_001)] {
                file[slot + 8..slot + 16].copy_from_slice(&sequence.to_le_bytes());
                file[slot + 16..slot + 24].copy_from_slice(&size);
                file[slot + 24..slot + 32].copy_from_slice(&number.to_le_bytes());
                file[slot + 32..slot + 40]
                    .copy_from_slice(&u64::try_from(end).unwrap().to_le_bytes());
                file[slot + 40..slot + 72].copy_from_slice(&whole[head + 24..head + 56]);
                let crc = crc32c(&[&file[slot..slot + 140]]);
                file[slot + 140..slot + 144].copy_from_slice(&crc.to_le_bytes());
            }
        })
        .unwrap();
        let report = report(&cut, &key);
        assert_eq!(report.damage.map(|it| it.harm), Some(Harm::MarkForged), "{report:?}");
        let config = ach_engine_audit::Config { segment_bytes: 0 };
        let opened = ach_engine_audit::Log::open(cut, config, key.clone(), log_name(), at(0));
        assert!(matches!(opened, Err(ach_engine_audit::OpenError::Corrupt(_))));
        cuts += 1;
    }
    assert!(cuts > 1, "there must be heads to cut to");
}

/// With the key and the name of another log of the node, which was moved away.
#[test]
fn a_mark_of_another_log_of_the_same_key_is_found() {
    let key = SigningKey::generate().unwrap();
    let write = |numbers: std::ops::Range<u64>| {
        let disk = SimDisk::new(3, DISK_BYTES);
        let (mut log, _) = open(disk.clone(), &key);
        for number in numbers {
            log.append(&reading(number, 1)).unwrap();
        }
        log.close(at(9)).unwrap();
        disk
    };
    let (moved, disk) = (write(10..12), write(0..2));
    let mark = moved.contents("mark");
    disk.corrupt("mark", |file| file.clone_from(&mark)).unwrap();
    assert_eq!(report(&disk, &key).damage.map(|it| it.harm), Some(Harm::MarkForged));
}

/// At rest there is no second mark that speaks of less.
#[test]
fn a_closed_log_cannot_be_cut_by_half_a_mark() {
    let key = SigningKey::generate().unwrap();
    let (disk, _) = written(&key);
    let last = segments(&disk).pop().unwrap();
    let end = used(&disk, &last);
    for slot in [0, 4_096] {
        let harmed = disk.fork(7);
        harmed.corrupt("mark", |file| file[slot..slot + 144].fill(0)).unwrap();
        assert!(report(&harmed, &key).is_sound());
        harmed.corrupt(&last, |file| file[end - 300..].fill(0)).unwrap();
        assert!(!report(&harmed, &key).is_sound(), "slot {slot}");
    }
}

#[test]
fn a_noted_head_behind_a_damage_is_not_called_cut_off() {
    let key = SigningKey::generate().unwrap();
    let disk = SimDisk::new(3, DISK_BYTES);
    let (mut log, _) = open(disk.clone(), &key);
    keep(&mut log, 0..5);
    let noted = log.close(at(9)).unwrap();
    let segment = &segments(&disk)[0];
    let end = used(&disk, segment);
    disk.corrupt(segment, |file| file[end - 1_500] ^= 1).unwrap();
    let report = report_with(&disk, &key, &noted);
    assert!(report.damage.is_some());
    assert_eq!(report.noted, Some(NotedWrong::Unmet { size: 5 }));
}

#[test]
fn a_segment_or_mark_that_is_taken_away_is_missed() {
    let key = SigningKey::generate().unwrap();
    let (disk, _) = written(&key);
    for segment in segments(&disk) {
        let harmed = disk.fork(7);
        harmed.remove(&segment).unwrap();
        let damage = report(&harmed, &key).damage.unwrap();
        assert_eq!(damage.harm, Harm::Missing, "{segment}");
        assert_eq!(format!("{:016x}.aud", damage.segment), segment);
    }
    disk.remove("mark").unwrap();
    assert_eq!(report(&disk, &key).damage.unwrap().harm, Harm::NoMark);
    let empty = SimDisk::new(1, DISK_BYTES);
    let nothing = Verifier::default().run(&empty, &mut |_| {});
    assert!(matches!(nothing, Err(ReadError::NoLog)));
}

/// Who can compute checksums can change bytes; he cannot continue the chain.
#[test]
fn an_edit_with_a_right_checksum_breaks_the_chain() {
    let key = SigningKey::generate().unwrap();
    let disk = SimDisk::new(3, DISK_BYTES);
    let (mut log, _) = open(disk.clone(), &key);
    keep(&mut log, 0..5);
    log.close(at(9)).unwrap();
    let segment = &segments(&disk)[0];
    let contents = disk.contents(segment);
    let place = contents.windows(5).position(|window| window == b"\x04desk").unwrap();
    let frame = (0..place).rev().find(|at| contents[*at..].starts_with(b"ACHF")).unwrap();
    disk.corrupt(segment, |file| {
        file[place + 1..place + 5].copy_from_slice(b"kiss");
        let length = usize::from(u16::from_le_bytes([file[frame + 4], file[frame + 5]]));
        let crc = crc32c(&[&file[frame..frame + 56], &file[frame + 64..frame + 64 + length]]);
        file[frame + 56..frame + 60].copy_from_slice(&crc.to_le_bytes());
    })
    .unwrap();
    let damage = report(&disk, &key).damage.unwrap();
    assert_eq!(damage.harm, Harm::Link);
    assert_eq!((damage.record, damage.offset), (0, u64::try_from(frame).unwrap()));
}

/// CRC32C bit by bit, so that the test does not believe the code.
fn crc32c(parts: &[&[u8]]) -> u32 {
    let mut crc = u32::MAX;
    for byte in parts.iter().flat_map(|part| part.iter()) {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0x82f6_3b78 } else { crc >> 1 };
        }
    }
    !crc
}

/// Whoever has machine and key writes a whole log anew, sound in itself. A head that was noted
/// elsewhere tells.
#[test]
fn a_log_written_anew_is_known_by_a_head_that_was_noted() {
    let key = SigningKey::generate().unwrap();
    let write = |numbers: &[u64]| {
        let disk = SimDisk::new(3, DISK_BYTES);
        let (mut log, _) = open(disk.clone(), &key);
        for number in numbers {
            log.append(&reading(*number, 1)).unwrap();
        }
        let head = log.close(at(9)).unwrap();
        (disk, head)
    };
    let (disk, noted) = write(&[0, 1, 2, 3, 4]);
    let told = |disk: &SimDisk, noted: &SignedHead| {
        let report = report_with(disk, &key, noted);
        assert_eq!(report.damage, None, "it is sound in itself");
        report.noted
    };
    assert_eq!(told(&disk, &noted), None);
    let (longer, _) = write(&[0, 1, 2, 3, 4, 5, 6]);
    assert_eq!(told(&longer, &noted), None, "a log may go on");
    let (edited, _) = write(&[0, 1, 7, 3, 4, 5]);
    assert_eq!(told(&edited, &noted), Some(NotedWrong::Differs { size: 5 }));
    let (cut, _) = write(&[0, 1, 2]);
    assert_eq!(told(&cut, &noted), Some(NotedWrong::Cut { size: 5, found: 3 }));
    let other = SigningKey::generate().unwrap();
    let theirs = Verifier::new(Some(other.verifying())).with_head(noted.clone());
    let report = theirs.run(&disk, &mut |_| {}).unwrap();
    assert_eq!(report.noted, Some(NotedWrong::Head(HeadError::OtherKey)));
    assert_eq!(report.damage.unwrap().harm, Harm::Head(HeadError::OtherKey));
    let text = noted.to_string().replace("st-anna", "st-mark");
    let elsewhere = SignedHead::from_text(&text).unwrap();
    assert_eq!(told(&disk, &elsewhere), Some(NotedWrong::OtherLog));
    assert_eq!(log_name().as_str(), "hms-ach/st-anna/node-1");
}

#[test]
fn a_log_is_read_while_it_is_written() {
    let key = SigningKey::generate().unwrap();
    let disk = SimDisk::new(3, DISK_BYTES);
    let (mut log, _) = open(disk.clone(), &key);
    for group in 0..30 {
        keep(&mut log, group * 5..group * 5 + 5);
        let report = report(&disk, &key);
        assert!(report.is_sound(), "{report:?}");
        assert_eq!(report.records, group * 5 + 5);
    }
}
