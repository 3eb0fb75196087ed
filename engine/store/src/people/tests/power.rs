//! A process that is killed, or whose power is cut, with any change leaves nothing that cannot be gone on
//! with; and each sync is needed for that.

use std::collections::BTreeSet;

use super::super::disk::Disk;
use super::platter::{End, Platter};
use super::*;

/// More changes than there are.
const OPS_MAX: u32 = 1_000;

/// Many seeds find what happens once in a hundred times.
const SEEDS: u64 = 12;

/// What strikes: with which change the process ends, how, and which sync does nothing.
#[derive(Debug, Clone, Copy)]
struct Strike {
    op: u32,
    end: End,
    seed: u64,
    lost_sync: Option<u32>,
}

/// What a strike left wrong, or how many changes there were, which were syncs, and whether all were done.
type Struck = Result<(u32, Vec<u32>, bool), String>;

fn must(is_right: bool, wrong: impl FnOnce() -> String) -> Result<(), String> {
    if is_right { Ok(()) } else { Err(wrong()) }
}

fn people(disk: &Platter) -> Result<People, String> {
    People::with(Folder::on(disk.clone()), &SECRET).map_err(|error| format!("opening: {error}"))
}

fn subjects(disk: &Platter) -> Subjects {
    Subjects::on(Folder::on(disk.clone()))
}

/// A file of a key that somebody was cut short in.
fn leave_begun(disk: &Platter, name: &str) {
    let begun = [&b"ACHKEY01"[..], &[9; 72]].concat();
    disk.create(name).unwrap().write(&begun).unwrap();
}

/// Takes a file away, also what was in it.
fn lose(disk: &Platter, name: &str) {
    disk.edit(name, Vec::clear);
    disk.remove(name).unwrap();
}

fn flip(disk: &Platter, name: &str) {
    disk.edit(name, |bytes| bytes[40] ^= 1);
}

fn is_begun(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|it| it == "new")
}

/// Of whom what is known must be the wish, once that is kept.
fn check_kept(disk: &Platter, wish: &[(Name, Person)]) -> Result<(), String> {
    let people = people(disk)?;
    for (subject, person) in wish {
        let told = people.person(subject);
        must(matches!(&told, Ok(Some(told)) if told == person), || {
            format!("`{subject}` is kept, and then: {told:?}")
        })?;
    }
    must(people.has_check().is_ok_and(|it| it), || "the check is not kept".to_owned())?;
    let mut begun = Vec::new();
    disk.names(&mut |name| begun.extend(is_begun(name).then(|| name.to_owned()))).unwrap();
    must(begun.is_empty(), || format!("{begun:?} are left"))
}

/// What may be there of somebody while they are not kept for sure.
fn check_half(disk: &Platter, (subject, wished): &(Name, Person)) -> Result<(), String> {
    let (known, told) = (subjects(disk).known(subject), people(disk)?.person(subject));
    let is_right = match (subject.as_str(), &told) {
        (_, Ok(Some(told))) if told == wished => true,
        ("known", Ok(Some(told))) => *told == person("k1"),
        // As before; or, in between, the new key and what was sealed under the old one.
        ("damaged" | "lost", Err(PeopleError::Damaged { .. })) => true,
        ("known" | "same" | "damaged" | "lost", _) => false,
        (_, Ok(None)) => matches!(known, Ok(None)),
        (_, Err(PeopleError::NoRow { .. })) => matches!(known, Ok(Some(Known::Unfinished(_)))),
        _ => false,
    };
    must(is_right, || format!("`{subject}`: {known:?}, {told:?}"))
}

/// Keeps somebody new, known, known as they are, with a damaged and with a lost key, beside a damaged check
/// and a file that somebody else was cut short in; and erases them all when that is done.
fn keep(strike: Strike, new_count: usize) -> Struck {
    let none = Holds::default();
    let disk = Platter::new(strike.seed);
    let before = [("known", "k1"), ("same", "s"), ("damaged", "d1"), ("lost", "l1")];
    let before = before.map(|(subject, text)| (name(subject), person(text)));
    people(&disk)?.put(&before, keeping(&none)).unwrap();
    lose(&disk, "lost.key");
    leave_begun(&disk, "late.key.new");
    flip(&disk, "damaged.key");
    flip(&disk, "check");
    disk.rest();

    let wish = [("known", "k2"), ("same", "s"), ("damaged", "d2"), ("lost", "l2")];
    let mut wish = wish.map(|(subject, text)| (name(subject), person(text))).to_vec();
    wish.extend((0..new_count).map(|it| (name(&format!("new-{it}")), person("n"))));
    disk.plan(Some((strike.op, strike.end)), strike.lost_sync);
    let put = people(&disk)?.put(&wish, keeping(&none));
    let (ops, syncs) = disk.ops();
    disk.restart(strike.end);
    if put.is_ok() {
        check_kept(&disk, &wish)?;
    } else {
        wish.iter().try_for_each(|it| check_half(&disk, it))?;
    }

    let again = people(&disk)?.put(&wish, keeping(&none));
    must(matches!(&again, Ok(it) if *it == NotKept::default()), || format!("again: {again:?}"))?;
    disk.restart(End::PowerCut);
    check_kept(&disk, &wish)?;

    for (subject, _) in &wish {
        let forgotten = subjects(&disk).forget(subject, Timestamp(2), &none);
        forgotten.map_err(|error| format!("erasing `{subject}`: {error}"))?;
    }
    disk.restart(End::PowerCut);
    let late = name("late");
    for subject in wish.iter().map(|(subject, _)| subject).chain([&late]) {
        must(!disk.has_key_of(subject.as_str()), || format!("a key of `{subject}` is on disk"))?;
    }
    Ok((ops, syncs, put.is_ok()))
}

fn check_erased(disk: &Platter, patient: &Name) -> Result<(), String> {
    let known = subjects(disk).known(patient);
    must(matches!(known, Ok(Some(Known::Erased(_)))), || format!("erased, and then: {known:?}"))?;
    must(!disk.has(&format!("{patient}.row")).unwrap(), || format!("`{patient}` has a row"))?;
    must(!disk.has_key_of(patient.as_str()), || format!("the key of `{patient}` is on disk"))
}

/// Erases somebody whose key is sound, damaged or lost, beside a file that somebody was cut short in.
fn erase(strike: Strike, key: &str) -> Struck {
    let none = Holds::default();
    let disk = Platter::new(strike.seed);
    let (patient, other) = (name("patient-17"), name("other"));
    let both = [(patient.clone(), person("p")), (other.clone(), person("o"))];
    people(&disk)?.put(&both, keeping(&none)).unwrap();
    leave_begun(&disk, "patient-17.key.new");
    match key {
        "lost" => lose(&disk, "patient-17.key"),
        "damaged" => disk.edit("patient-17.key", |bytes| bytes.extend_from_within(40..)),
        _ => {}
    }
    disk.rest();
    disk.plan(Some((strike.op, strike.end)), strike.lost_sync);
    let forgotten = subjects(&disk).forget(&patient, Timestamp(2), &none);
    let (ops, syncs) = disk.ops();
    disk.restart(strike.end);
    if forgotten.is_ok() {
        check_erased(&disk, &patient)?;
    }
    let known = subjects(&disk).known(&patient);
    let told = people(&disk)?.person(&patient);
    let is_right = match (&known, &told) {
        // Cut to its length a key is sound again.
        (Ok(Some(Known::Since(_))), Ok(Some(told))) => key != "lost" && *told == person("p"),
        (Ok(Some(Known::Erased(_))), Ok(None)) => true,
        // The length may be the old one still, and a file that was made anew be empty.
        (Err(PeopleError::PerhapsErased { .. } | PeopleError::Damaged { .. }), Err(_)) => {
            key != "sound"
        }
        _ => false,
    };
    must(is_right, || format!("{key}: {known:?}, {told:?}"))?;
    let again = subjects(&disk).forget(&patient, Timestamp(3), &none);
    again.map_err(|error| format!("again: {error}"))?;
    disk.restart(End::PowerCut);
    check_erased(&disk, &patient)?;
    let other = people(&disk)?.person(&other);
    must(matches!(&other, Ok(Some(told)) if *told == person("o")), || format!("other: {other:?}"))?;
    Ok((ops, syncs, forgotten.is_ok()))
}

/// What may be there of somebody on a list before it is erased to its end: all of it as it was, or no key.
fn check_whole(disk: &Platter, subject: &Name) -> Result<(), String> {
    let (known, told) = (subjects(disk).known(subject), people(disk)?.person(subject));
    let is_right = match (&known, &told) {
        (Ok(Some(Known::Erased(_))), Ok(None)) => true,
        _ if subject.as_str().starts_with("known") => {
            matches!((&known, &told), (Ok(Some(Known::Since(_))), Ok(Some(it))) if *it == person("p"))
        }
        // A file that was made anew may be empty, with a row or without.
        (Err(PeopleError::PerhapsErased { .. } | PeopleError::Damaged { .. }), Err(_)) => true,
        _ => {
            !subject.as_str().starts_with("lost") && matches!((&known, &told), (Ok(None), Ok(None)))
        }
    };
    must(is_right, || format!("`{subject}`: {known:?}, {told:?}"))
}

/// Erases by a list, so many at once, some who are known, as many whose keys are lost, and as many whom a backup
/// that was put back does not know.
fn erase_list(strike: Strike, at_once_max: usize, of_each: usize) -> Struck {
    let none = Holds::default();
    let disk = Platter::new(strike.seed);
    let of = |kind: &str| (0..of_each).map(|at| name(&format!("{kind}-{at}"))).collect::<Vec<_>>();
    let (known, keyless, other) = (of("known"), of("lost"), name("other"));
    let mut all: Vec<_> =
        known.iter().chain(&keyless).map(|it| (it.clone(), person("p"))).collect();
    all.push((other.clone(), person("o")));
    people(&disk)?.put(&all, keeping(&none)).unwrap();
    for subject in &keyless {
        lose(&disk, &format!("{subject}.key"));
    }
    disk.rest();
    let list: BTreeSet<Name> = known.iter().cloned().chain(keyless).chain(of("stranger")).collect();
    let forget_all = |at| {
        let mut subjects = Subjects { erased_at_once_max: at_once_max, ..subjects(&disk) };
        subjects.forget_all(&list, Timestamp(at), &none)
    };
    disk.plan(Some((strike.op, strike.end)), strike.lost_sync);
    let forgotten = forget_all(2);
    let (ops, syncs) = disk.ops();
    disk.restart(strike.end);
    list.iter().try_for_each(|subject| check_whole(&disk, subject))?;
    if forgotten.is_err() {
        forget_all(3).map_err(|error| format!("again: {error}"))?;
        disk.restart(End::PowerCut);
    }
    for subject in &list {
        check_erased(&disk, subject)?;
        let put = people(&disk)?.put(&[(subject.clone(), person("x"))], keeping(&none));
        must(matches!(&put, Ok(it) if it.erased == [subject.clone()]), || format!("put: {put:?}"))?;
    }
    let other = people(&disk)?.person(&other);
    must(matches!(&other, Ok(Some(told)) if *told == person("o")), || format!("other: {other:?}"))?;
    Ok((ops, syncs, forgotten.is_ok()))
}

/// Strikes with every change until there are no more.
#[track_caller]
fn check_all_strikes(seeds: u64, act: impl Fn(Strike) -> Struck) {
    for op in 1..OPS_MAX {
        let kill = Strike { op, end: End::Kill, seed: 0, lost_sync: None };
        let cuts = (0..seeds).map(|seed| Strike { end: End::PowerCut, seed, ..kill });
        for strike in cuts.chain([kill]) {
            match act(strike) {
                Err(wrong) => panic!("{strike:?}: {wrong}"),
                Ok((_, _, true)) if strike.end == End::Kill => return,
                Ok(_) => {}
            }
        }
    }
    panic!("it never came to its end");
}

/// Leaves out one sync after the other: something must be seen to be wrong then.
#[track_caller]
fn check_every_sync_is_needed(least: usize, act: impl Fn(Strike) -> Struck) {
    let whole = Strike { op: OPS_MAX, end: End::PowerCut, seed: 0, lost_sync: None };
    let (ops, syncs, _) = act(whole).unwrap();
    assert!(syncs.len() >= least, "{syncs:?}");
    for sync in syncs {
        let mut cuts = (0..SEEDS * 4).flat_map(|seed| {
            (sync..=ops + 1).map(move |op| Strike { op, seed, lost_sync: Some(sync), ..whole })
        });
        let is_seen = cuts.any(|strike| act(strike).is_err());
        assert!(is_seen, "without the sync that is change {sync} of {ops} nothing goes wrong");
    }
}

#[test]
fn keeping_persons_can_end_with_any_change_and_is_done_again() {
    check_all_strikes(SEEDS, |strike| keep(strike, 1));
}

/// So many that the whole file system is synced. Each is kept as those of the test before, so fewer seeds do.
#[test]
fn keeping_many_persons_can_end_with_any_change_and_is_done_again() {
    check_all_strikes(SEEDS / 4, |strike| keep(strike, 14));
}

#[test]
fn erasing_can_end_with_any_change_and_is_done_again() {
    for key in ["sound", "damaged", "lost"] {
        check_all_strikes(SEEDS, |strike| erase(strike, key));
    }
}

/// Those of what was begun, of three new keys and the damaged one, of four rows, and of names three times.
#[test]
fn no_sync_of_those_that_keep_persons_can_be_left_out() {
    check_every_sync_is_needed(12, |strike| keep(strike, 1));
    check_every_sync_is_needed(5, |strike| keep(strike, 14));
}

/// Those of what was begun, of the key, and of names before and after the row goes.
#[test]
fn no_sync_of_those_that_erase_a_person_can_be_left_out() {
    check_every_sync_is_needed(4, |strike| erase(strike, "lost"));
}

/// In three goes, the last of them a part of one; and so many in each of two that the whole file system is synced.
#[test]
fn erasing_a_list_can_end_with_any_change_and_is_done_again() {
    check_all_strikes(SEEDS, |strike| erase_list(strike, 4, 3));
    check_all_strikes(SEEDS / 4, |strike| erase_list(strike, 17, 7));
}

/// Those of each key, of names before the rows go, and of names at the end.
#[test]
fn no_sync_of_those_that_erase_a_list_can_be_left_out() {
    check_every_sync_is_needed(6 + 2, |strike| erase_list(strike, 6, 2));
    check_every_sync_is_needed(3, |strike| erase_list(strike, 18, 6));
}

#[test]
fn many_persons_are_erased_with_few_syncs() {
    let whole = Strike { op: OPS_MAX, end: End::PowerCut, seed: 0, lost_sync: None };
    // Files and names of each go, and names once more at the end.
    for (at_once_max, of_each, expected) in [(1_024, 30, 2 + 1), (45, 30, 2 * 2 + 1)] {
        let (_, syncs, is_done) = erase_list(whole, at_once_max, of_each).unwrap();
        assert!(is_done);
        assert_eq!(syncs.len(), expected, "{at_once_max} at once of {}", 3 * of_each);
    }
}

/// The disk refuses one key in the middle of a list: whoever was erased before it stays erased when the power goes.
#[test]
fn who_is_told_to_be_erased_is_so_also_when_the_disk_refused_another() {
    let none = Holds::default();
    // So many that keys are synced one by one, and so many that the whole file system is.
    for (count, seed) in [3, 30].into_iter().flat_map(|count| (0..SEEDS).map(move |it| (count, it)))
    {
        let disk = Platter::new(seed);
        let all: Vec<_> = (0..count).map(|at| (name(&format!("p-{at:02}")), person("p"))).collect();
        people(&disk).unwrap().put(&all, keeping(&none)).unwrap();
        lose(&disk, "p-00.key");
        disk.rest();
        let list: BTreeSet<Name> = all.into_iter().map(|(subject, _)| subject).collect();
        let refused = format!("p-{:02}", count - 1);
        disk.refuse(&format!("{refused}.key"));
        let forgotten = subjects(&disk).forget_all(&list, Timestamp(2), &none);
        assert!(matches!(forgotten, Err(PeopleError::Disk { .. })), "{forgotten:?}");
        disk.restart(End::PowerCut);
        for subject in list.iter().filter(|subject| subject.as_str() != refused) {
            let known = subjects(&disk).known(subject);
            let is_erased = matches!(known, Ok(Some(Known::Erased(Timestamp(2)))));
            assert!(is_erased, "seed {seed}: `{subject}` of {count}: {known:?}");
        }
    }
}
