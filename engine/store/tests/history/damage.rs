//! Flipped bits: what is damaged is refused, or has no part in an answer. Never a wrong answer.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use ach_actors_model::{TagRef, Timestamp, ZoneRef};
use ach_engine_store::{HistoryWriter, OpenError, QueryError, Store};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::hospital::{Hospital, START_NS, Step, folder};
use crate::oracle::Oracle;
use crate::random::LIMIT;

const SEED: u64 = 31;
/// Single bits flipped, each in a fresh copy.
const FLIPS: u32 = 300;

/// A store of two days on disk, and the steps it was derived from.
fn written(root: &Path) -> (Vec<Step>, Oracle) {
    let store = Store::open(root).unwrap();
    let mut writer = HistoryWriter::open(store).unwrap();
    let (mut hospital, mut oracle) = (Hospital::new(6, 8, SEED), Oracle::default());
    let mut steps = vec![hospital.begin()];
    steps.extend((0..1_000).map(|_| hospital.walk(20_000)));
    for step in &steps {
        writer.take(&step.entry, &step.effects, step.site.as_deref()).unwrap();
        oracle.take(step);
    }
    writer.flush().unwrap();
    (steps, oracle)
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

/// Asks everything. Right answers are true, an error is false; a wrong answer fails the test.
fn answers(store: &Store, oracle: &Oracle, context: &str) -> bool {
    let (from, until) = (Timestamp(START_NS - (1 << 47)), Timestamp(u64::MAX));
    let mut is_sound = store.verify().is_ok();
    for tag in (0..6).map(TagRef) {
        let walk: Result<Vec<_>, QueryError> =
            store.pings(tag, from, until).and_then(Iterator::collect);
        is_sound &=
            walk.inspect(|it| assert_eq!(*it, oracle.walk(tag, from, until), "{context}")).is_ok();
    }
    for zone in (0..8).map(ZoneRef) {
        let visits = store.visits_of_zone(zone, (from, until), LIMIT);
        is_sound &= visits
            .inspect(|it| assert_eq!(*it, oracle.in_zone(zone, from, until), "{context}"))
            .is_ok();
    }
    let alarms = store.alarms((from, until), LIMIT);
    is_sound &= alarms.inspect(|it| assert_eq!(it.len(), oracle.alarms.len(), "{context}")).is_ok();
    is_sound
}

fn fate(root: &Path, steps: &[Step], oracle: &Oracle, context: &str) -> Fate {
    let store = match Store::open(root) {
        Ok(store) => store,
        Err(OpenError::Damaged { .. } | OpenError::Disk { .. } | OpenError::Newer { .. }) => {
            return Fate::Refused;
        }
        Err(error) => panic!("{context}: {error}"),
    };
    let Ok(through) = store.through() else { return Fate::FoundByReading };
    let last = steps.last().unwrap().entry.index;
    if through == last {
        let is_sound = answers(&store, oracle, context);
        return if is_sound { Fate::Unharmed } else { Fate::FoundByReading };
    }
    // It says itself that it has less, so the journal is read again from there.
    let Ok(mut writer) = HistoryWriter::open(store.clone()) else { return Fate::FoundByReading };
    for step in steps {
        if writer.take(&step.entry, &step.effects, step.site.as_deref()).is_err() {
            return Fate::FoundByReading;
        }
    }
    if writer.flush().is_err() {
        return Fate::FoundByReading;
    }
    if answers(&store, oracle, context) { Fate::Shorter } else { Fate::FoundByReading }
}

#[test]
fn a_flipped_bit_is_found_or_harmless() {
    let folder = folder();
    let good = folder.path().join("good");
    let (steps, oracle) = written(&good);
    let mut all = Vec::new();
    files(&good, &mut all);
    all.sort();
    println!("seed {SEED}, {} files", all.len());
    let mut chance = ChaCha8Rng::seed_from_u64(SEED);
    let mut fates: BTreeMap<Fate, u32> = BTreeMap::new();
    for flip in 0..FLIPS {
        let bad = folder.path().join("bad");
        copy(&good, &bad);
        // Every file in turn, the small ones too: they say what the others mean.
        let file = &all[usize::try_from(flip).unwrap() % all.len()];
        let mut bytes = fs::read(file).unwrap();
        let bit = chance.random_range(0..bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        let name = file.strip_prefix(&good).unwrap();
        fs::write(bad.join(name), &bytes).unwrap();
        let context = format!("seed {SEED}, bit {bit} of {}", name.display());
        *fates.entry(fate(&bad, &steps, &oracle, &context)).or_default() += 1;
        fs::remove_dir_all(&bad).unwrap();
    }
    println!("{fates:?}");
    let found =
        fates.get(&Fate::Refused).unwrap_or(&0) + fates.get(&Fate::FoundByReading).unwrap_or(&0);
    assert!(found > FLIPS / 4, "the flips hit nothing: {fates:?}");
}
