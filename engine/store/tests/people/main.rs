//! Persons are kept under a key each, and gone with it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "everything here is a test, also what is not marked as one"
)]

mod damage;

use std::fs;
use std::path::{Path, PathBuf};

use ach_actors_model::{Name, Timestamp};
use ach_engine_store::{
    Day, Hold, Holds, Keeping, Known, Link, LockedHolds, NotKept, People, PeopleError, Person,
    Subjects,
};

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

/// Keeps at a moment what no hold protects.
fn at(moment: u64) -> Keeping<'static> {
    static NONE: std::sync::LazyLock<Holds> = std::sync::LazyLock::new(Holds::default);
    Keeping { now: Timestamp(moment), holds: &NONE, replaces_damaged: false }
}

fn hold_on(subject: &Name) -> Hold {
    Hold {
        id: name("case-4"),
        from: Day(0),
        through: None,
        subject: Some(subject.clone()),
        reason: "court order".to_owned(),
        placed_by: name("desk"),
        placed_at: Timestamp(1),
    }
}

fn subjects(folder: &Path) -> Subjects {
    Subjects::of(&folder.join("people"))
}

/// Turns a bit of a file.
fn damage(file: &Path, byte: usize) {
    let mut bytes = fs::read(file).unwrap();
    bytes[byte] ^= 1;
    fs::write(file, bytes).unwrap();
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
    let root = folder.path();
    let (patient, other) = (name("patient-17"), name("patient-18"));
    let mut people = opened(root);
    people.put(&[(patient.clone(), person(17))], at(1)).unwrap();
    remember(root);
    people.put(&[(other.clone(), person(18))], at(1)).unwrap();
    remember(root);
    people.put(&[(patient.clone(), person(170))], at(2)).unwrap();
    remember(root);
    assert_eq!(people.person(&patient).unwrap(), Some(person(170)));
    for text in ["Unverwechselbar", "MRN-0815"] {
        assert!(!is_on_disk(&root.join("people"), text.as_bytes()), "{text} lies open on disk");
    }
    let key = wrapped(root, "patient-17");
    assert!(is_on_disk(&root.join("seen"), &key));
    let people = opened(root);
    subjects(folder.path()).forget(&patient, Timestamp(3), &Holds::default()).unwrap();
    assert!(!is_on_disk(&root.join("seen"), &key), "the key is still there");
    assert!(!is_on_disk(&root.join("people"), &key), "the key is still there");
    assert_eq!(people.person(&patient).unwrap(), None);
    assert_eq!(people.person(&other).unwrap(), Some(person(18)), "nobody else is forgotten");

    let mut people = opened(root);
    assert_eq!(people.person(&patient).unwrap(), None);
    assert_eq!(subjects(folder.path()).known(&patient).unwrap(), Some(Known::Erased(Timestamp(3))));
    assert_eq!(subjects(folder.path()).known(&other).unwrap(), Some(Known::Since(Timestamp(1))));
    // Nobody else is kept out by who was erased.
    let more = [(name("patient-16"), person(16)), (patient.clone(), person(17))];
    let not_kept =
        people.put(&[&more[..], &[(other.clone(), person(180))]].concat(), at(4)).unwrap();
    assert_eq!(not_kept, NotKept { erased: vec![patient.clone()], ..NotKept::default() });
    assert_eq!(not_kept.count(), 1);
    assert_eq!(people.person(&patient).unwrap(), None);
    assert_eq!(people.person(&name("patient-16")).unwrap(), Some(person(16)));
    assert_eq!(people.person(&other).unwrap(), Some(person(180)));
    // Again is as good, and the first time stands.
    subjects(folder.path()).forget(&patient, Timestamp(5), &Holds::default()).unwrap();
    assert_eq!(subjects(folder.path()).known(&patient).unwrap(), Some(Known::Erased(Timestamp(3))));
    let all = subjects(root).all().unwrap().into_iter().map(|(id, _)| id);
    assert_eq!(all.collect::<Vec<_>>(), [name("patient-16"), patient, other]);
}

/// A nightly table has nearly everybody as they were.
#[test]
fn who_is_known_already_is_not_written_again() {
    let folder = tempfile::tempdir().unwrap();
    let both = |number| [(name("one"), person(1)), (name("two"), person(number))];
    opened(folder.path()).put(&both(2), at(1)).unwrap();
    let rows = ["one", "two"].map(|it| folder.path().join(format!("people/{it}.row")));
    let read = || rows.each_ref().map(|row| fs::read(row).unwrap());
    let before = read();
    opened(folder.path()).put(&both(2), at(2)).unwrap();
    assert_eq!(read(), before, "under a fresh nonce each would be another one");
    opened(folder.path()).put(&both(3), at(3)).unwrap();
    assert!(read()[0] == before[0] && read()[1] != before[1]);
    assert_eq!(opened(folder.path()).person(&name("two")).unwrap(), Some(person(3)));
}

/// A put that was cut short leaves nothing that is neither known nor erased.
#[test]
fn what_a_put_left_that_was_cut_short_is_cleared_away() {
    let folder = tempfile::tempdir().unwrap();
    let mut people = opened(folder.path());
    people.put(&[(name("patient-17"), person(17))], at(1)).unwrap();
    let left = folder.path().join("people/patient-18.key.new");
    let second = folder.path().join("left");
    fs::write(&left, wrapped(folder.path(), "patient-17")).unwrap();
    fs::hard_link(&left, &second).unwrap();
    people.put(&[(name("patient-19"), person(19))], at(2)).unwrap();
    assert!(!left.exists());
    assert!(fs::read(&second).unwrap().iter().all(|&byte| byte == 0), "it was not overwritten");
}

#[test]
fn many_persons_are_kept_at_once_and_each_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut people = opened(folder.path());
    let many: Vec<_> = (0..300).map(|it| (name(&format!("p-{it}")), person(it))).collect();
    people.put(&many, at(1)).unwrap();
    let people = opened(folder.path());
    for (subject, person) in &many {
        assert_eq!(people.person(subject).unwrap().as_ref(), Some(person));
    }
    assert_eq!(subjects(folder.path()).all().unwrap().len(), 300);
    let twice = [(name("x"), person(1)), (name("x"), person(2))];
    let refused = opened(folder.path()).put(&twice, at(2));
    assert!(matches!(refused, Err(PeopleError::Twice { .. })), "{refused:?}");
    assert_eq!(subjects(folder.path()).known(&name("x")).unwrap(), None);
}

#[test]
fn what_a_hold_protects_is_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (name("one"), name("two"));
    let mut people = opened(folder.path());
    people.put(&[(one.clone(), person(1))], at(1)).unwrap();
    let mut holds = Holds::default();
    holds.place(hold_on(&one)).unwrap();
    let held = Keeping { holds: &holds, ..at(2) };
    let changed = [(one.clone(), person(100)), (two.clone(), person(2))];
    let not_kept = people.put(&changed, held).unwrap();
    assert_eq!(not_kept, NotKept { held: vec![one.clone()], ..NotKept::default() });
    assert_eq!(people.person(&one).unwrap(), Some(person(1)));
    assert_eq!(people.person(&two).unwrap(), Some(person(2)), "nobody else is kept out");
    let same = people.put(&[(one.clone(), person(1))], held).unwrap();
    assert_eq!(same, NotKept::default(), "the same again changes nothing");
    holds.lift(&name("case-4")).unwrap();
    people.put(&changed, Keeping { holds: &holds, ..at(3) }).unwrap();
    assert_eq!(people.person(&one).unwrap(), Some(person(100)));
}

/// As the commands do it, each under the lock of the holds: whoever is first keeps the other from it.
#[test]
fn nobody_is_both_erased_and_held() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("holds");
    for round in 0..20 {
        let subject = name(&format!("p-{round}"));
        opened(folder.path()).put(&[(subject.clone(), person(round))], at(1)).unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut locked = LockedHolds::load(&file).unwrap();
                if matches!(subjects(folder.path()).known(&subject), Ok(Some(Known::Since(_)))) {
                    let id = name(&format!("case-{round}"));
                    locked.holds.place(Hold { id, ..hold_on(&subject) }).unwrap();
                    locked.save().unwrap();
                }
            });
            scope.spawn(|| {
                let locked = LockedHolds::load(&file).unwrap();
                let _ = subjects(folder.path()).forget(&subject, Timestamp(2), &locked.holds);
            });
        });
        let is_held = Holds::load(&file).unwrap().on(&subject).is_some();
        let known = subjects(folder.path()).known(&subject).unwrap();
        assert_eq!(is_held, matches!(known, Some(Known::Since(_))), "round {round}: {known:?}");
    }
}

#[test]
fn a_hold_keeps_a_person_from_being_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let patient = name("patient-17");
    let mut people = opened(folder.path());
    let unknown = subjects(folder.path()).forget(&patient, Timestamp(1), &Holds::default());
    assert!(matches!(unknown, Err(PeopleError::Unknown { .. })), "{unknown:?}");
    assert!(!folder.path().join("people").exists(), "a question makes nothing");
    people.put(&[(patient.clone(), person(17))], at(1)).unwrap();
    let mut holds = Holds::default();
    holds.place(hold_on(&patient)).unwrap();
    let refused = subjects(folder.path()).forget(&patient, Timestamp(2), &holds);
    assert!(matches!(refused, Err(PeopleError::Held { .. })), "{refused:?}");
    assert_eq!(people.person(&patient).unwrap(), Some(person(17)));
    holds.lift(&name("case-4")).unwrap();
    subjects(folder.path()).forget(&patient, Timestamp(3), &holds).unwrap();
}

#[test]
fn too_much_about_a_person_is_refused_and_nothing_of_one_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let mut people = opened(folder.path());
    let long = Person { name: "x".repeat(257), links: Vec::new() };
    let refused = people.put(&[(name("patient-17"), long)], at(1));
    assert!(matches!(refused, Err(PeopleError::TooMuch { .. })), "{refused:?}");
    // The most there can be fits.
    let text = "\u{1}".repeat(256);
    let links = (0..16).map(|_| Link { system: text.clone(), number: text.clone() }).collect();
    let most = Person { name: text, links };
    people.put(&[(name("patient-17"), most.clone())], at(1)).unwrap();
    assert_eq!(people.person(&name("patient-17")).unwrap(), Some(most));
    assert!(!format!("{:?}", person(1)).contains("Anna"));
}
