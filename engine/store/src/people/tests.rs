//! A process that ends before any step leaves nothing that cannot be gone on with; limits and locks hold.

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::steps::ending_after;
use super::*;

const SECRET: [u8; 32] = [7; 32];

/// Far more steps than there are.
const STEPS_MAX: u32 = 200;

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

/// No file that was begun is left once somebody has changed something again.
#[track_caller]
fn check_clean(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        assert!(path.extension().is_none_or(|it| it != "new"), "{}", path.display());
    }
}

/// Somebody new, somebody known, somebody whose key is damaged, beside a damaged check.
#[test]
fn keeping_persons_can_end_before_any_step_and_is_done_again() {
    let none = Holds::default();
    let wish = [("new", "n"), ("known", "k2"), ("damaged", "d2")];
    let wish = wish.map(|(subject, text)| (name(subject), person(text)));
    let mut is_whole = false;
    for steps in 0..STEPS_MAX {
        let folder = tempfile::tempdir().unwrap();
        let before = [("known", "k1"), ("damaged", "d1")];
        let before = before.map(|(subject, text)| (name(subject), person(text)));
        opened(folder.path()).put(&before, keeping(&none)).unwrap();
        for file in ["damaged.key", "check"] {
            let file = folder.path().join(file);
            let mut bytes = fs::read(&file).unwrap();
            bytes[40] ^= 1;
            fs::write(&file, bytes).unwrap();
        }
        let put = ending_after(Some(steps), || opened(folder.path()).put(&wish, keeping(&none)));
        let mut people = opened(folder.path());
        let known = people.person(&name("known")).unwrap();
        assert!([Some(person("k1")), Some(person("k2"))].contains(&known), "step {steps}");
        let new = match Subjects::of(folder.path()).known(&name("new")).unwrap() {
            None => None,
            Some(Known::Unfinished(_)) => {
                let read = people.person(&name("new"));
                assert!(matches!(read, Err(PeopleError::NoRow { .. })), "step {steps}: {read:?}");
                None
            }
            Some(_) => Some(people.person(&name("new")).unwrap().unwrap()),
        };
        assert!(new.is_none_or(|it| it == person("n")), "step {steps}");
        // Done again it is whole.
        assert_eq!(people.put(&wish, keeping(&none)).unwrap(), NotKept::default(), "step {steps}");
        for (subject, person) in &wish {
            let told = opened(folder.path()).person(subject).unwrap();
            assert_eq!(told.as_ref(), Some(person), "step {steps}");
        }
        check_clean(folder.path());
        if put.is_ok() {
            is_whole = true;
            break;
        }
    }
    assert!(is_whole, "it never came to its end");
}

#[test]
fn erasing_can_end_before_any_step_and_is_done_again() {
    let none = Holds::default();
    let (patient, other) = (name("patient-17"), name("other"));
    let mut is_whole = false;
    for steps in 0..STEPS_MAX {
        let folder = tempfile::tempdir().unwrap();
        let both = [(patient.clone(), person("p")), (other.clone(), person("o"))];
        opened(folder.path()).put(&both, keeping(&none)).unwrap();
        let file = folder.path().join("patient-17.key");
        let key = fs::read(&file).unwrap()[16..76].to_vec();
        let mut subjects = Subjects::of(folder.path());
        let forgotten =
            ending_after(Some(steps), || subjects.forget(&patient, Timestamp(2), &none));
        let known = Subjects::of(folder.path()).known(&patient).unwrap();
        let told = opened(folder.path()).person(&patient).unwrap();
        match known {
            Some(Known::Since(_)) => assert_eq!(told, Some(person("p")), "step {steps}"),
            Some(Known::Erased(_)) => assert_eq!(told, None, "step {steps}"),
            known => panic!("step {steps}: {known:?}"),
        }
        assert!(forgotten.is_err() || matches!(known, Some(Known::Erased(_))), "step {steps}");
        Subjects::of(folder.path()).forget(&patient, Timestamp(3), &none).unwrap();
        assert_eq!(opened(folder.path()).person(&patient).unwrap(), None);
        assert_eq!(opened(folder.path()).person(&other).unwrap(), Some(person("o")));
        for entry in fs::read_dir(folder.path()).unwrap() {
            let bytes = fs::read(entry.unwrap().path()).unwrap();
            assert!(!bytes.windows(key.len()).any(|window| window == key), "step {steps}");
        }
        assert!(!folder.path().join("patient-17.row").exists(), "step {steps}");
        check_clean(folder.path());
        if forgotten.is_ok() {
            is_whole = true;
            break;
        }
    }
    assert!(is_whole, "it never came to its end");
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
    let hung = Folder::new(folder.path());
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
