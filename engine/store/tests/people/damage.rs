//! Files of persons that are damaged or lost: one person's each, and nobody comes back who was erased.

use std::fs;

use ach_actors_model::Timestamp;
use ach_engine_store::{Holds, Keeping, Known, NotKept, People, PeopleError};

use super::{
    SECRET, at, damage, files, hold_on, is_on_disk, name, opened, person, subjects, wrapped,
};

/// The note that a key was destroyed is all that keeps somebody from coming back with the next table.
#[test]
fn who_was_erased_does_not_come_back_whatever_becomes_of_the_note() {
    let folder = tempfile::tempdir().unwrap();
    let (patient, other) = (name("patient-17"), name("patient-18"));
    let both = [(patient.clone(), person(17)), (other, person(18))];
    opened(folder.path()).put(&both, at(1)).unwrap();
    subjects(folder.path()).forget(&patient, Timestamp(3), &Holds::default()).unwrap();
    let (note, row) =
        ["key", "row"].map(|it| folder.path().join(format!("people/patient-17.{it}"))).into();
    let good = fs::read(&note).unwrap();
    let flipped = (0..good.len() * 8).map(|bit| {
        let mut bytes = good.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        bytes
    });
    let cut = (0..good.len()).map(|count| good[..count].to_vec());
    // A sector that a drive lost, and what an erasing that was cut short had not cut off yet.
    let others = [vec![0; 80], vec![0xff; 80], [&good[..], &[7; 40]].concat()];
    for bytes in flipped.chain(cut).chain(others) {
        for replaces_damaged in [false, true] {
            fs::write(&note, &bytes).unwrap();
            let known = subjects(folder.path()).known(&patient);
            assert!(
                matches!(known, Err(PeopleError::PerhapsErased { .. })),
                "{bytes:?}: {known:?}"
            );
            let keeping = Keeping { replaces_damaged, ..at(4) };
            let not_kept = opened(folder.path()).put(&both, keeping).unwrap();
            let them = NotKept { perhaps_erased: vec![patient.clone()], ..NotKept::default() };
            assert_eq!(not_kept, them, "{bytes:?}");
            assert!(opened(folder.path()).person(&patient).is_err() && !row.exists(), "{bytes:?}");
        }
        subjects(folder.path()).forget(&patient, Timestamp(5), &Holds::default()).unwrap();
        let known = subjects(folder.path()).known(&patient).unwrap();
        assert_eq!(known, Some(Known::Erased(Timestamp(5))), "{bytes:?}");
    }
    // As it is when the power went before the row did.
    fs::copy(folder.path().join("people/patient-18.row"), &row).unwrap();
    for byte in [3, 40] {
        fs::write(&note, &good).unwrap();
        damage(&note, byte);
        let not_kept =
            opened(folder.path()).put(&both, Keeping { replaces_damaged: true, ..at(6) });
        assert_eq!(not_kept.unwrap().perhaps_erased, std::slice::from_ref(&patient), "byte {byte}");
    }
}

/// An erasing that was cut short, or whose disk refused, is done again whatever is left.
#[test]
fn what_is_damaged_can_still_be_erased() {
    let folder = tempfile::tempdir().unwrap();
    let patient = name("patient-17");
    let mut people = opened(folder.path());
    people.put(&[(patient.clone(), person(17))], at(1)).unwrap();
    let file = folder.path().join("people/patient-17.key");
    let key = wrapped(folder.path(), "patient-17");
    let mut bytes = fs::read(&file).unwrap();
    bytes[3] ^= 1;
    bytes.extend_from_slice(&key);
    fs::write(&file, &bytes).unwrap();
    assert!(matches!(people.person(&patient), Err(PeopleError::Damaged { .. })));
    subjects(folder.path()).forget(&patient, Timestamp(3), &Holds::default()).unwrap();
    assert_eq!(subjects(folder.path()).known(&patient).unwrap(), Some(Known::Erased(Timestamp(3))));
    assert!(!is_on_disk(&folder.path().join("people"), &key));
}

#[test]
fn what_is_lost_is_said_to_be_so() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (name("one"), name("two"));
    let mut people = opened(folder.path());
    people.put(&[(one.clone(), person(1)), (two.clone(), person(2))], at(1)).unwrap();
    let root = folder.path().join("people");
    fs::remove_file(root.join("one.row")).unwrap();
    assert!(matches!(people.person(&one), Err(PeopleError::NoRow { .. })));
    fs::remove_file(root.join("two.key")).unwrap();
    assert!(matches!(people.person(&two), Err(PeopleError::Damaged { .. })));
    // A row under the name of somebody else.
    people.put(&[(one.clone(), person(1))], at(2)).unwrap();
    people.put(&[(name("three"), person(3))], at(2)).unwrap();
    fs::copy(root.join("three.row"), root.join("one.row")).unwrap();
    assert!(matches!(people.person(&one), Err(PeopleError::Damaged { .. })));
    // And a key.
    fs::copy(root.join("three.key"), root.join("one.key")).unwrap();
    assert!(matches!(people.person(&one), Err(PeopleError::Damaged { .. })));
}

#[test]
fn a_row_whose_key_is_lost_waits_for_its_backup() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (name("one"), name("two"));
    let both = |plus: u32| [(one.clone(), person(1 + plus)), (two.clone(), person(2 + plus))];
    opened(folder.path()).put(&both(0), at(1)).unwrap();
    let (key, row) = ["key", "row"].map(|it| folder.path().join(format!("people/two.{it}"))).into();
    let (backup, sealed) = (fs::read(&key).unwrap(), fs::read(&row).unwrap());
    fs::remove_file(&key).unwrap();
    let not_kept = opened(folder.path()).put(&both(10), at(2)).unwrap();
    assert_eq!(not_kept, NotKept { damaged: vec![two.clone()], ..NotKept::default() });
    assert!(!key.exists() && fs::read(&row).unwrap() == sealed, "it is as it was");
    assert_eq!(opened(folder.path()).person(&one).unwrap(), Some(person(11)));
    // What a hold protects waits also when it is asked for.
    let mut holds = Holds::default();
    holds.place(hold_on(&two)).unwrap();
    let instead = Keeping { replaces_damaged: true, ..at(3) };
    let not_kept =
        opened(folder.path()).put(&both(10), Keeping { holds: &holds, ..instead }).unwrap();
    assert_eq!(not_kept.damaged, std::slice::from_ref(&two));
    fs::write(&key, &backup).unwrap();
    assert_eq!(opened(folder.path()).person(&two).unwrap(), Some(person(2)));
    fs::remove_file(&key).unwrap();
    assert_eq!(opened(folder.path()).put(&both(10), instead).unwrap(), NotKept::default());
    assert_eq!(opened(folder.path()).person(&two).unwrap(), Some(person(12)));
}

/// Every key tells whose the secret is, so nobody is out of reach because of one file.
#[test]
fn a_lost_or_damaged_check_stops_nobody_and_is_written_again() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (name("one"), name("two"));
    opened(folder.path())
        .put(&[(one.clone(), person(1)), (two.clone(), person(2))], at(1))
        .unwrap();
    let root = folder.path().join("people");
    for is_lost in [true, false] {
        if is_lost {
            fs::remove_file(root.join("check")).unwrap();
        } else {
            damage(&root.join("check"), 30);
        }
        // One damaged key does not stop the others either.
        damage(&root.join("one.key"), 30);
        assert_eq!(opened(folder.path()).person(&two).unwrap(), Some(person(2)));
        let wrong = People::open(&root, &[8; 32]);
        assert!(matches!(wrong, Err(PeopleError::WrongSecret)), "{wrong:?}");
        damage(&root.join("one.key"), 30);
        opened(folder.path()).put(&[(one.clone(), person(1))], at(2)).unwrap();
        fs::rename(root.join("one.key"), root.join("away")).unwrap();
        fs::rename(root.join("two.key"), root.join("away-too")).unwrap();
        assert!(People::open(&root, &SECRET).is_ok(), "the check is sound again");
        fs::rename(root.join("away"), root.join("one.key")).unwrap();
        fs::rename(root.join("away-too"), root.join("two.key")).unwrap();
    }
    // With nothing that is sound nobody can be read; erasing goes on.
    for file in ["check", "one.key", "two.key"] {
        damage(&root.join(file), 30);
    }
    let none = People::open(&root, &SECRET);
    assert!(matches!(none, Err(PeopleError::Damaged { .. })), "{none:?}");
    let mut trusted = People::open_to_replace(&root, &SECRET).unwrap();
    assert!(matches!(trusted.person(&one), Err(PeopleError::Damaged { .. })));
    let refused = trusted.put(&[(name("three"), person(3))], at(3));
    assert!(matches!(refused, Err(PeopleError::Damaged { .. })), "{refused:?}");
    for subject in [&one, &two] {
        subjects(folder.path()).forget(subject, Timestamp(3), &Holds::default()).unwrap();
    }
    opened(folder.path()).put(&[(name("three"), person(3))], at(4)).unwrap();
}

/// It is what one who has no backup can do; a secret that is told to be another one is refused all the same.
#[test]
fn where_nothing_is_sound_new_keys_can_be_given_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("people");
    let both = [(name("one"), person(1)), (name("two"), person(2))];
    opened(folder.path()).put(&both, at(1)).unwrap();
    let wrong = People::open_to_replace(&root, &[8; 32]);
    assert!(matches!(wrong, Err(PeopleError::WrongSecret)), "{wrong:?}");
    damage(&root.join("check"), 30);
    damage(&root.join("one.key"), 30);
    let wrong = People::open_to_replace(&root, &[8; 32]);
    assert!(matches!(wrong, Err(PeopleError::WrongSecret)), "one key is sound: {wrong:?}");
    damage(&root.join("two.key"), 30);
    let mut people = People::open_to_replace(&root, &SECRET).unwrap();
    let instead = Keeping { replaces_damaged: true, ..at(2) };
    assert_eq!(people.put(&both[..1], instead).unwrap(), NotKept::default());
    assert_eq!(opened(folder.path()).person(&name("one")).unwrap(), Some(person(1)));
    let wrong = People::open(&root, &[8; 32]);
    assert!(matches!(wrong, Err(PeopleError::WrongSecret)), "the check is sound again: {wrong:?}");
    assert_eq!(opened(folder.path()).put(&both, instead).unwrap(), NotKept::default());
    assert_eq!(opened(folder.path()).person(&name("two")).unwrap(), Some(person(2)));
}

#[test]
fn a_damaged_key_keeps_nobody_else_out_and_gives_way_if_asked() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (name("one"), name("two"));
    opened(folder.path()).put(&[(one.clone(), person(1))], at(1)).unwrap();
    let file = folder.path().join("people/one.key");
    damage(&file, 70);
    let left = wrapped(folder.path(), "one");
    let both = [(one.clone(), person(10)), (two.clone(), person(2))];
    let not_kept = opened(folder.path()).put(&both, at(2)).unwrap();
    assert_eq!(not_kept, NotKept { damaged: vec![one.clone()], ..NotKept::default() });
    assert_eq!(opened(folder.path()).person(&two).unwrap(), Some(person(2)));
    assert_eq!(wrapped(folder.path(), "one"), left, "it may be put right from a backup");
    let instead = Keeping { replaces_damaged: true, ..at(3) };
    // What a hold protects is left, damaged as it is.
    let mut holds = Holds::default();
    holds.place(hold_on(&one)).unwrap();
    let not_kept = opened(folder.path()).put(&both, Keeping { holds: &holds, ..instead }).unwrap();
    assert_eq!(not_kept.damaged, std::slice::from_ref(&one));
    assert_eq!(opened(folder.path()).put(&both, instead).unwrap(), NotKept::default());
    assert_eq!(opened(folder.path()).person(&one).unwrap(), Some(person(10)));
}

#[test]
fn another_secret_is_told_from_damage_and_every_flipped_bit_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("people");
    let patient = name("patient-17");
    opened(folder.path()).put(&[(patient.clone(), person(17))], at(1)).unwrap();
    let wrong = People::open(&root, &[8; 32]);
    assert!(matches!(wrong, Err(PeopleError::WrongSecret)), "{wrong:?}");
    for file in files(&root) {
        let good = fs::read(&file).unwrap();
        for bit in 0..good.len() * 8 {
            let mut bytes = good.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            fs::write(&file, &bytes).unwrap();
            let read = People::open(&root, &SECRET).and_then(|people| people.person(&patient));
            // The key proves the secret in the place of the check.
            let is_right = if file.ends_with("check") {
                matches!(&read, Ok(Some(told)) if *told == person(17))
            } else {
                matches!(read, Err(PeopleError::Damaged { .. }))
            };
            assert!(is_right, "bit {bit} of {}: {read:?}", file.display());
        }
        for cut in 0..good.len() {
            fs::write(&file, &good[..cut]).unwrap();
            let read = People::open(&root, &SECRET).and_then(|people| people.person(&patient));
            assert_eq!(read.is_ok(), file.ends_with("check"), "{} cut to {cut}", file.display());
        }
        fs::write(&file, &good).unwrap();
    }
}
