//! Whatever a power cut or a kill leaves can be gone on with; limits and locks hold.

mod platter;
mod power;
pub(super) mod suite;

use std::path::Path;
use std::time::Duration;

use super::*;
use crate::Holds;

const SECRET: [u8; 32] = [7; 32];

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn person(text: &str) -> Person {
    let link = Link { system: "hospital".to_owned(), number: format!("MRN-{text}") };
    Person { name: text.to_owned(), links: vec![link] }
}

fn keeping(holds: &Holds) -> Keeping<'_> {
    Keeping { now: Timestamp(1), holds, replaces_damaged: true }
}

fn opened(folder: &Path) -> People {
    People::open(folder, &SECRET).unwrap()
}

#[test]
fn no_more_persons_are_kept_than_can_be_told() {
    let none = Holds::default();
    let folder = tempfile::tempdir().unwrap();
    let limited = Folder::limited(folder.path(), 3, Duration::ZERO);
    let mut people = People::with(limited, &SECRET).unwrap();
    let of = |ids: &[&str]| ids.iter().map(|id| (name(id), person(id))).collect::<Vec<_>>();
    people.put(&of(&["a", "b"]), keeping(&none)).unwrap();
    Subjects::of(folder.path()).forget(&name("a"), Timestamp(2), &none).unwrap();
    let refused = people.put(&of(&["b", "c", "d"]), keeping(&none));
    assert!(matches!(refused, Err(PeopleError::TooMany { limit: 3 })), "{refused:?}");
    people.put(&of(&["b", "c"]), keeping(&none)).unwrap();
    assert_eq!(people.subjects.all().unwrap().len(), 3, "all of them can be told");
}

#[test]
fn who_hangs_with_the_lock_is_named() {
    let none = Holds::default();
    let folder = tempfile::tempdir().unwrap();
    opened(folder.path()).put(&[(name("a"), person("a"))], keeping(&none)).unwrap();
    let hung = Folder::limited(folder.path(), 3, Duration::ZERO);
    let _lock = hung.lock().unwrap();
    let impatient = Folder::limited(folder.path(), 3, Duration::ZERO);
    let mut people = People::with(impatient, &SECRET).unwrap();
    let mut busy = vec![people.person(&name("a")).map(|_| ())];
    busy.push(people.put(&[(name("a"), person("b"))], keeping(&none)).map(|_| ()));
    busy.push(people.subjects.known(&name("a")).map(|_| ()));
    busy.push(people.subjects.forget(&name("a"), Timestamp(2), &none));
    for outcome in busy {
        let error = outcome.expect_err("somebody else has it");
        assert!(matches!(error, PeopleError::Busy { .. }), "{error}");
        assert!(error.to_string().contains("lock"), "{error}");
    }
}
