//! Persons are kept under a key each, and gone with it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "everything here is a test, also what is not marked as one"
)]

use std::fs;
use std::path::{Path, PathBuf};

use ach_actors_model::{Name, Timestamp};
use ach_engine_store::{Day, Hold, Holds, Known, Link, People, PeopleError, Person};

const SECRET: [u8; 32] = [7; 32];

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn person(number: u32) -> Person {
    let link = Link { system: "hospital".to_owned(), number: format!("MRN-0815-{number}") };
    Person { name: format!("Anna Unverwechselbar {number}"), links: vec![link] }
}

/// Every file below `folder`.
fn files(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

/// Whether any file in `folder` holds the bytes.
fn is_on_disk(folder: &Path, bytes: &[u8]) -> bool {
    let holds =
        |file: &PathBuf| fs::read(file).unwrap().windows(bytes.len()).any(|window| window == bytes);
    files(folder).iter().any(holds)
}

fn opened(folder: &Path) -> People {
    People::open(&folder.join("people"), &SECRET).unwrap()
}

/// Gives every file there is a second name, so that what is in it can be looked at also when its first
/// name is gone.
fn remember(folder: &Path) {
    let seen = folder.join("seen");
    fs::create_dir_all(&seen).unwrap();
    for file in files(&folder.join("people")) {
        let count = files(&seen).len();
        fs::hard_link(&file, seen.join(count.to_string())).unwrap();
    }
}

/// The wrapped key of a person, as it lies in the file.
fn wrapped(folder: &Path, subject: &str) -> Vec<u8> {
    fs::read(folder.join("people").join(format!("{subject}.key"))).unwrap()[16..76].to_vec()
}

#[test]
fn no_file_there_ever_was_has_the_key_of_a_person_who_was_erased() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let (patient, other) = (name("patient-17"), name("patient-18"));
    let mut people = opened(at);
    people.put(&[(patient.clone(), person(17))], Timestamp(1)).unwrap();
    remember(at);
    people.put(&[(other.clone(), person(18))], Timestamp(1)).unwrap();
    remember(at);
    people.put(&[(patient.clone(), person(170))], Timestamp(2)).unwrap();
    remember(at);
    assert_eq!(people.person(&patient).unwrap(), Some(person(170)));
    for text in ["Unverwechselbar", "MRN-0815"] {
        assert!(!is_on_disk(&at.join("people"), text.as_bytes()), "{text} lies open on disk");
    }
    let key = wrapped(at, "patient-17");
    assert!(is_on_disk(&at.join("seen"), &key));
    let mut people = opened(at);
    people.forget(&patient, Timestamp(3), &Holds::default()).unwrap();
    assert!(!is_on_disk(&at.join("seen"), &key), "the key is still there");
    assert!(!is_on_disk(&at.join("people"), &key), "the key is still there");
    assert_eq!(people.person(&patient).unwrap(), None);
    assert_eq!(people.person(&other).unwrap(), Some(person(18)), "nobody else is forgotten");

    let mut people = opened(at);
    assert_eq!(people.person(&patient).unwrap(), None);
    assert_eq!(people.known(&patient).unwrap(), Some(Known::Erased(Timestamp(3))));
    assert_eq!(people.known(&other).unwrap(), Some(Known::Since(Timestamp(1))));
    let again = people.put(&[(patient.clone(), person(17))], Timestamp(4));
    assert!(matches!(again, Err(PeopleError::Forgotten { .. })), "{again:?}");
    // Again is as good, and the first time stands.
    people.forget(&patient, Timestamp(5), &Holds::default()).unwrap();
    assert_eq!(people.known(&patient).unwrap(), Some(Known::Erased(Timestamp(3))));
    assert_eq!(people.subjects().unwrap(), [patient, other]);
}

/// An erasing that was cut short, or whose disk refused, is done again whatever is left.
#[test]
fn what_is_damaged_can_still_be_erased() {
    let folder = tempfile::tempdir().unwrap();
    let patient = name("patient-17");
    let mut people = opened(folder.path());
    people.put(&[(patient.clone(), person(17))], Timestamp(1)).unwrap();
    let file = folder.path().join("people/patient-17.key");
    let key = wrapped(folder.path(), "patient-17");
    let mut bytes = fs::read(&file).unwrap();
    bytes[3] ^= 1;
    bytes.extend_from_slice(&key);
    fs::write(&file, &bytes).unwrap();
    assert!(matches!(people.person(&patient), Err(PeopleError::Damaged { .. })));
    people.forget(&patient, Timestamp(3), &Holds::default()).unwrap();
    assert_eq!(people.known(&patient).unwrap(), Some(Known::Erased(Timestamp(3))));
    assert!(!is_on_disk(&folder.path().join("people"), &key));
}

/// A put that was cut short leaves nothing that is neither known nor erased.
#[test]
fn what_a_put_left_that_was_cut_short_is_cleared_away() {
    let folder = tempfile::tempdir().unwrap();
    let mut people = opened(folder.path());
    people.put(&[(name("patient-17"), person(17))], Timestamp(1)).unwrap();
    let left = folder.path().join("people/patient-18.key.new");
    let second = folder.path().join("left");
    fs::write(&left, wrapped(folder.path(), "patient-17")).unwrap();
    fs::hard_link(&left, &second).unwrap();
    people.put(&[(name("patient-19"), person(19))], Timestamp(2)).unwrap();
    assert!(!left.exists());
    assert!(fs::read(&second).unwrap().iter().all(|&byte| byte == 0), "it was not overwritten");
}

#[test]
fn many_persons_are_kept_at_once_and_each_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut people = opened(folder.path());
    let many: Vec<_> = (0..300).map(|it| (name(&format!("p-{it}")), person(it))).collect();
    people.put(&many, Timestamp(1)).unwrap();
    let people = opened(folder.path());
    for (subject, person) in &many {
        assert_eq!(people.person(subject).unwrap().as_ref(), Some(person));
    }
    assert_eq!(people.subjects().unwrap().len(), 300);
    let twice = [(name("x"), person(1)), (name("x"), person(2))];
    let refused = opened(folder.path()).put(&twice, Timestamp(2));
    assert!(matches!(refused, Err(PeopleError::Twice { .. })), "{refused:?}");
    assert_eq!(people.known(&name("x")).unwrap(), None);
}

#[test]
fn what_is_lost_is_said_to_be_so() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (name("one"), name("two"));
    let mut people = opened(folder.path());
    people.put(&[(one.clone(), person(1)), (two.clone(), person(2))], Timestamp(1)).unwrap();
    let at = folder.path().join("people");
    fs::remove_file(at.join("one.row")).unwrap();
    assert!(matches!(people.person(&one), Err(PeopleError::NoRow { .. })));
    fs::remove_file(at.join("two.key")).unwrap();
    assert!(matches!(people.person(&two), Err(PeopleError::Damaged { .. })));
    // A row under the name of somebody else.
    people.put(&[(one.clone(), person(1))], Timestamp(2)).unwrap();
    people.put(&[(name("three"), person(3))], Timestamp(2)).unwrap();
    fs::copy(at.join("three.row"), at.join("one.row")).unwrap();
    assert!(matches!(people.person(&one), Err(PeopleError::Damaged { .. })));
    // And a key.
    fs::copy(at.join("three.key"), at.join("one.key")).unwrap();
    assert!(matches!(people.person(&one), Err(PeopleError::Damaged { .. })));
    fs::remove_file(at.join("check")).unwrap();
    let opened = People::open(&at, &SECRET);
    assert!(matches!(opened, Err(PeopleError::Damaged { .. })), "{opened:?}");
}

#[test]
fn a_hold_keeps_a_person_from_being_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let patient = name("patient-17");
    let mut people = opened(folder.path());
    let unknown = people.forget(&patient, Timestamp(1), &Holds::default());
    assert!(matches!(unknown, Err(PeopleError::Unknown { .. })), "{unknown:?}");
    assert!(!folder.path().join("people").exists(), "a question makes nothing");
    people.put(&[(patient.clone(), person(17))], Timestamp(1)).unwrap();
    let mut holds = Holds::default();
    let hold = Hold {
        id: name("case-4"),
        from: Day(0),
        through: None,
        subject: Some(patient.clone()),
        reason: "court order".to_owned(),
        placed_by: name("desk"),
        placed_at: Timestamp(1),
    };
    holds.place(hold).unwrap();
    let refused = people.forget(&patient, Timestamp(2), &holds);
    assert!(matches!(refused, Err(PeopleError::Held { .. })), "{refused:?}");
    assert_eq!(people.person(&patient).unwrap(), Some(person(17)));
    holds.lift(&name("case-4")).unwrap();
    people.forget(&patient, Timestamp(3), &holds).unwrap();
}

#[test]
fn another_secret_is_told_from_damage_and_every_flipped_bit_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().join("people");
    let patient = name("patient-17");
    opened(folder.path()).put(&[(patient.clone(), person(17))], Timestamp(1)).unwrap();
    let wrong = People::open(&at, &[8; 32]);
    assert!(matches!(wrong, Err(PeopleError::WrongSecret)), "{wrong:?}");
    for file in files(&at) {
        let good = fs::read(&file).unwrap();
        for bit in 0..good.len() * 8 {
            let mut bytes = good.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            fs::write(&file, &bytes).unwrap();
            let read = People::open(&at, &SECRET).and_then(|people| people.person(&patient));
            let is_found = matches!(read, Err(PeopleError::Damaged { .. }));
            assert!(is_found, "bit {bit} of {}: {read:?}", file.display());
        }
        for cut in 0..good.len() {
            fs::write(&file, &good[..cut]).unwrap();
            let read = People::open(&at, &SECRET).and_then(|people| people.person(&patient));
            assert!(read.is_err(), "{} cut to {cut}", file.display());
        }
        fs::write(&file, &good).unwrap();
    }
}

#[test]
fn too_much_about_a_person_is_refused_and_nothing_of_one_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let mut people = opened(folder.path());
    let long = Person { name: "x".repeat(257), links: Vec::new() };
    let refused = people.put(&[(name("patient-17"), long)], Timestamp(1));
    assert!(matches!(refused, Err(PeopleError::TooMuch { .. })), "{refused:?}");
    // The most there can be fits.
    let text = "\u{1}".repeat(256);
    let links = (0..16).map(|_| Link { system: text.clone(), number: text.clone() }).collect();
    let most = Person { name: text, links };
    people.put(&[(name("patient-17"), most.clone())], Timestamp(1)).unwrap();
    assert_eq!(people.person(&name("patient-17")).unwrap(), Some(most));
    assert!(!format!("{:?}", person(1)).contains("Anna"));
}
