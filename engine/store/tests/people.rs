//! Persons are kept under a key each, and gone with it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "everything here is a test, also what is not marked as one"
)]

use std::fs;
use std::path::Path;

use ach_actors_model::{Name, Timestamp};
use ach_engine_store::{Day, Hold, Holds, Link, People, PeopleError, Person, Store};

const SECRET: [u8; 32] = [7; 32];

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn anna() -> Person {
    let link = Link { system: "hospital".to_owned(), number: "MRN-0815-4711".to_owned() };
    Person { name: "Anna Unverwechselbar".to_owned(), links: vec![link] }
}

/// Whether any file below `folder` holds the text.
fn is_on_disk(folder: &Path, text: &[u8]) -> bool {
    fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            is_on_disk(&path, text)
        } else {
            fs::read(&path).unwrap().windows(text.len()).any(|window| window == text)
        }
    })
}

fn opened(folder: &Path) -> People {
    let store = Store::open(&folder.join("lsm")).unwrap();
    People::open(store, &folder.join("people.keys"), &SECRET).unwrap()
}

#[test]
fn a_person_without_a_key_is_noise_even_in_an_old_copy_of_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let (patient, other) = (name("patient-17"), name("patient-18"));
    let old_keys = {
        let mut people = opened(folder.path());
        people.put(&patient, &anna(), Timestamp(1)).unwrap();
        people.put(&other, &anna(), Timestamp(1)).unwrap();
        assert_eq!(people.person(&patient).unwrap(), Some(anna()));
        fs::read_to_string(folder.path().join("people.keys")).unwrap()
    };
    for text in ["Unverwechselbar", "MRN-0815"] {
        assert!(!is_on_disk(folder.path(), text.as_bytes()), "{text} lies open on disk");
    }
    // The wrapped key of the person, as it stood in the file.
    let line = old_keys.split("patient-17\",\"key\":\"").nth(1).unwrap();
    let wrapped = &line[..line.find('"').unwrap()];
    assert!(is_on_disk(folder.path(), wrapped.as_bytes()));
    let mut people = opened(folder.path());
    people.forget(&patient, Timestamp(2), &Holds::default()).unwrap();
    assert_eq!(people.person(&patient).unwrap(), None);
    assert_eq!(people.person(&other).unwrap(), Some(anna()), "nobody else is forgotten");
    assert!(!is_on_disk(folder.path(), wrapped.as_bytes()), "the key is still there");
    drop(people);

    // The row is still in the tables; it opens under no key that is left.
    let mut people = opened(folder.path());
    assert_eq!(people.person(&patient).unwrap(), None);
    assert_eq!(people.forgotten_at(&patient), Some(Timestamp(2)));
    let again = people.put(&patient, &anna(), Timestamp(3));
    assert!(matches!(again, Err(PeopleError::Forgotten { .. })), "{again:?}");
}

#[test]
fn a_hold_keeps_a_person_from_being_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let patient = name("patient-17");
    let mut people = opened(folder.path());
    people.put(&patient, &anna(), Timestamp(1)).unwrap();
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
    assert_eq!(people.person(&patient).unwrap(), Some(anna()));
}

#[test]
fn another_secret_is_told_from_damage() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("people.keys");
    opened(folder.path()).put(&name("patient-17"), &anna(), Timestamp(1)).unwrap();
    let store = Store::open(&folder.path().join("lsm")).unwrap();
    let wrong = People::open(store.clone(), &file, &[8; 32]);
    assert!(matches!(wrong, Err(PeopleError::WrongSecret)), "{wrong:?}");
    let good = fs::read(&file).unwrap();
    for bit in 0..good.len() * 8 {
        let mut bytes = good.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        fs::write(&file, &bytes).unwrap();
        let opened = People::open(store.clone(), &file, &SECRET);
        assert!(matches!(opened, Err(PeopleError::Damaged { .. })), "bit {bit}: {opened:?}");
    }
}

#[test]
fn too_much_about_a_person_is_refused_and_nothing_of_one_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let mut people = opened(folder.path());
    let long = Person { name: "x".repeat(257), links: Vec::new() };
    let refused = people.put(&name("patient-17"), &long, Timestamp(1));
    assert!(matches!(refused, Err(PeopleError::TooMuch { .. })), "{refused:?}");
    assert!(!format!("{:?}", anna()).contains("Anna"));
}
