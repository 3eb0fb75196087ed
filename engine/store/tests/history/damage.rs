//! Flipped bits, files that are cut or gone: what is damaged is refused, or has no part in an answer. Never
//! a wrong answer.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use ach_actors_model::{NS_PER_S, SubjectRef, TagId, TagRef, Timestamp, ZoneRef};
use ach_engine_store::{HistoryWriter, Keyframe, NameKind, OpenError, QueryError, Store};
use ach_geo::Floor;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::hospital::{Hospital, START_NS, Step, folder};
use crate::oracle::Oracle;
use crate::random::LIMIT;

const SEED: u64 = 31;
/// Single bits flipped, each in a fresh copy.
const FLIPS: u32 = 300;
/// Files cut, emptied or removed, each in a fresh copy.
const CUTS: u32 = 150;
const TAGS: u32 = 6;
const ZONES: u32 = 8;

/// A store of two days on disk, and what it must say.
fn written(root: &Path) -> Expected {
    let store = Store::open(root).unwrap();
    let mut writer = HistoryWriter::open(store).unwrap();
    let (mut hospital, mut oracle) = (Hospital::new(TAGS, ZONES, SEED), Oracle::default());
    let mut steps = vec![hospital.begin()];
    steps.extend((0..1_000).map(|_| hospital.walk(20_000)));
    for step in &steps {
        writer.take(&step.entry, &step.effects, step.site.as_deref()).unwrap();
        oracle.take(step);
    }
    writer.flush().unwrap();
    let keyframes = keyframes(writer.store()).unwrap();
    assert!(keyframes.iter().flatten().count() > 10, "too few keyframes");
    Expected { steps, oracle, keyframes }
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if fs::metadata(&path).unwrap().len() > 0 {
            found.push(path);
        }
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

/// What became of a store with a flipped bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    /// It did not open.
    Refused,
    /// It opened, and something could not be read.
    FoundByReading,
    /// It answered everything rightly: the bit meant nothing.
    Unharmed,
    /// It had less, said so, and has all again once the rest of the entries are taken.
    Shorter,
}

/// Keyframes as the sound store tells them: they are held against nothing else here.
type Keyframes = Vec<Option<Keyframe>>;

fn keyframes(store: &Store) -> Result<Keyframes, QueryError> {
    let floors = [None, Some(Floor(0)), Some(Floor(100))];
    let moments = (0..20).map(|half_hour| Timestamp(START_NS + half_hour * 1_800 * NS_PER_S));
    let all = moments.flat_map(|at| floors.map(|floor| (floor, at)));
    all.map(|(floor, at)| store.keyframe(floor, at)).collect()
}

/// What a sound store says.
struct Expected {
    steps: Vec<Step>,
    oracle: Oracle,
    keyframes: Keyframes,
}

/// Asks everything. Right answers are true, an error is false; a wrong answer fails the test.
fn answers(store: &Store, expected: &Expected, context: &str) -> bool {
    let oracle = &expected.oracle;
    let (from, until) = (Timestamp(START_NS - (1 << 47)), Timestamp(u64::MAX));
    let mut is_sound = store.verify().is_ok();
    let mut held = |is_right: Result<bool, QueryError>| match is_right {
        Ok(is_right) => assert!(is_right, "{context}: a wrong answer"),
        Err(_) => is_sound = false,
    };
    for number in 0..TAGS {
        let (tag, who) = (TagRef(number), SubjectRef(number));
        let walk: Result<Vec<_>, QueryError> =
            store.pings(tag, from, until).and_then(Iterator::collect);
        held(walk.map(|it| it == oracle.walk(tag, from, until)));
        for hours in [0, 1, 3, 5, 6] {
            let at = Timestamp(START_NS + hours * 3_600 * NS_PER_S);
            held(store.whereabouts(tag, at).map(|it| it == oracle.whereabouts(tag, at)));
        }
        let visits = store.visits_of_subject(who, (from, until), LIMIT);
        held(visits.map(|it| it == oracle.of_subject(who, from, until)));
        held(store.tag(TagId(0xAC00 + u64::from(number))).map(|it| it == Some(tag)));
        let name = format!("s{number}");
        held(store.id(NameKind::Subject, number).map(|it| it == Some(name)));
        held(store.bearers(tag).map(|it| it == [(Timestamp(START_NS), Some(who))]));
    }
    for zone in (0..ZONES).map(ZoneRef) {
        let visits = store.visits_of_zone(zone, (from, until), LIMIT);
        held(visits.map(|it| it == oracle.in_zone(zone, from, until)));
    }
    let alarms = store.alarms((from, until), LIMIT);
    held(alarms.map(|it| it.len() == oracle.alarms.len()));
    for id in oracle.alarms.iter().map(|record| record.notice.id).take(20) {
        held(store.alarm(id).map(|it| it.records == oracle.alarm(id)));
    }
    is_sound
}

fn fate(root: &Path, expected: &Expected, context: &str) -> Fate {
    let store = match Store::open(root) {
        Ok(store) => store,
        Err(OpenError::Damaged { .. } | OpenError::Disk { .. } | OpenError::Newer { .. }) => {
            return Fate::Refused;
        }
        Err(error) => panic!("{context}: {error}"),
    };
    let Ok(through) = store.through() else { return Fate::FoundByReading };
    let last = expected.steps.last().unwrap().entry.index;
    if through == last {
        let found = keyframes(&store);
        let mut is_sound = answers(&store, expected, context);
        is_sound &= found.inspect(|it| assert_eq!(*it, expected.keyframes, "{context}")).is_ok();
        return if is_sound { Fate::Unharmed } else { Fate::FoundByReading };
    }
    // It says itself that it has less, so the journal is read again from there.
    let Ok(mut writer) = HistoryWriter::open(store.clone()) else { return Fate::FoundByReading };
    for step in &expected.steps {
        if writer.take(&step.entry, &step.effects, step.site.as_deref()).is_err() {
            return Fate::FoundByReading;
        }
    }
    if writer.flush().is_err() {
        return Fate::FoundByReading;
    }
    if answers(&store, expected, context) { Fate::Shorter } else { Fate::FoundByReading }
}

/// Harms a copy of a sound store so many times, and says what became of each.
fn harmed(seed: u64, times: u32, mut harm: impl FnMut(&mut ChaCha8Rng, &Path) -> String) -> Fates {
    let folder = folder();
    let good = folder.path().join("good");
    let expected = written(&good);
    let mut all = Vec::new();
    files(&good, &mut all);
    all.sort();
    println!("seed {seed}, {} files", all.len());
    let mut chance = ChaCha8Rng::seed_from_u64(seed);
    let mut fates = Fates::new();
    for time in 0..times {
        let bad = folder.path().join("bad");
        copy(&good, &bad);
        // Every file in turn, the small ones too: they say what the others mean.
        let file = &all[usize::try_from(time).unwrap() % all.len()];
        let name = file.strip_prefix(&good).unwrap();
        let what = harm(&mut chance, &bad.join(name));
        let context = format!("seed {seed}, {what} {}", name.display());
        *fates.entry(fate(&bad, &expected, &context)).or_default() += 1;
        fs::remove_dir_all(&bad).unwrap();
    }
    println!("{fates:?}");
    fates
}

type Fates = BTreeMap<Fate, u32>;

fn found(fates: &Fates) -> u32 {
    fates.get(&Fate::Refused).unwrap_or(&0) + fates.get(&Fate::FoundByReading).unwrap_or(&0)
}

#[test]
fn a_flipped_bit_is_found_or_harmless() {
    let fates = harmed(SEED, FLIPS, |chance, file| {
        let mut bytes = fs::read(file).unwrap();
        let bit = chance.random_range(0..bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        fs::write(file, &bytes).unwrap();
        format!("bit {bit} of")
    });
    assert!(found(&fates) > FLIPS / 4, "the flips hit nothing: {fates:?}");
}

/// As a power cut does on a drive that did not write what it said it had, or a copy that was cut short.
#[test]
fn a_file_that_is_cut_emptied_or_missing_is_found_or_harmless() {
    let fates = harmed(SEED + 1, CUTS, |chance, file| {
        let length = fs::metadata(file).unwrap().len();
        match chance.random_range(0..4) {
            0 => {
                fs::remove_file(file).unwrap();
                "without".to_owned()
            }
            1 => {
                // Its length was written and what is in it was not.
                let from = chance.random_range(0..length);
                let mut bytes = fs::read(file).unwrap();
                bytes[usize::try_from(from).unwrap()..].fill(0);
                fs::write(file, &bytes).unwrap();
                format!("zeros from {from} on in")
            }
            _ => {
                let kept = chance.random_range(0..length);
                fs::OpenOptions::new().write(true).open(file).unwrap().set_len(kept).unwrap();
                format!("{kept} bytes of")
            }
        }
    });
    assert!(found(&fates) > CUTS / 3, "the cuts hit nothing: {fates:?}");
}
