//! A disk in memory whose power goes, or on which a process ends: of what was not synced any part is there
//! after a power cut, each name and each sector for itself.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Error, ErrorKind, Result};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use zeroize::Zeroizing;

use super::super::disk::{Disk, DiskFile};

/// What a drive writes whole or not.
const SECTOR_BYTES: usize = 512;

/// How a process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// It is killed before the change: what was written stays, synced or not.
    Kill,
    /// The power goes in the middle of it.
    PowerCut,
}

/// One file: as programs see it, on the platter, and each version since the last sync.
#[derive(Debug, Clone, Default)]
struct Contents {
    seen: Vec<u8>,
    durable: Vec<u8>,
    versions: Vec<Vec<u8>>,
}

#[derive(Debug)]
enum NameChange {
    Set(String, usize),
    Unset(String, usize),
    Move(String, String, usize),
}

#[derive(Debug)]
struct State {
    chance: ChaCha8Rng,
    files: Vec<Contents>,
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    unsynced: Vec<NameChange>,
    /// Changes so far, syncs among them.
    ops: u32,
    sync_ops: Vec<u32>,
    /// The process ends with this change.
    end: Option<(u32, End)>,
    /// This sync says yes and does nothing.
    lost_sync: Option<u32>,
    is_ended: bool,
    /// Writing to a file of this name is refused.
    refused: Option<String>,
    /// What was ever written as a wrapped key, and to which file.
    wrapped: Vec<(String, Vec<u8>)>,
}

/// The disk. Clones are the same one.
#[derive(Debug, Clone)]
pub(super) struct Platter {
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct PlatterFile {
    disk: Platter,
    name: String,
    number: usize,
}

impl Contents {
    fn change(&mut self, change: impl FnOnce(&mut Vec<u8>)) {
        change(&mut self.seen);
        self.versions.push(self.seen.clone());
    }

    fn sync(&mut self) {
        self.durable.clone_from(&self.seen);
        self.versions.clear();
    }

    /// Length and each sector are those of any version since the last sync.
    fn cut(&mut self, chance: &mut ChaCha8Rng) {
        self.versions.push(self.durable.clone());
        let mut any = || self.versions[chance.random_range(0..self.versions.len())].clone();
        let mut left = vec![0; any().len()];
        for (sector, place) in left.chunks_mut(SECTOR_BYTES).enumerate() {
            let version = any();
            let from = version.get(sector * SECTOR_BYTES..).unwrap_or_default();
            let count = from.len().min(place.len());
            place[..count].copy_from_slice(&from[..count]);
        }
        self.seen = left;
        self.sync();
    }
}

impl State {
    fn alive(&self) -> Result<()> {
        if self.is_ended { Err(Error::other("the process ended here")) } else { Ok(()) }
    }

    fn number(&self, name: &str) -> Result<usize> {
        self.names.get(name).copied().ok_or_else(|| Error::from(ErrorKind::NotFound))
    }

    fn cut(&mut self) {
        for file in &mut self.files {
            file.cut(&mut self.chance);
        }
        for change in std::mem::take(&mut self.unsynced) {
            if self.chance.random() {
                continue;
            }
            let names = &mut self.durable_names;
            match change {
                NameChange::Set(name, number) => {
                    names.insert(name, number);
                }
                NameChange::Unset(name, number) => {
                    names.retain(|it, at| *it != name || *at != number);
                }
                NameChange::Move(from, to, number) => {
                    names.retain(|it, at| *it != from || *at != number);
                    names.insert(to, number);
                }
            }
        }
        self.names.clone_from(&self.durable_names);
    }

    fn end(&mut self, end: End) {
        self.is_ended = true;
        if end == End::PowerCut {
            self.cut();
        }
    }
}

impl Platter {
    pub(super) fn new(seed: u64) -> Platter {
        let state = State {
            chance: ChaCha8Rng::seed_from_u64(seed),
            files: Vec::new(),
            names: BTreeMap::new(),
            durable_names: BTreeMap::new(),
            unsynced: Vec::new(),
            ops: 0,
            sync_ops: Vec::new(),
            end: None,
            lost_sync: None,
            is_ended: false,
            refused: None,
            wrapped: Vec::new(),
        };
        Platter { state: Arc::new(Mutex::new(state)) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Plans, for changes counted from one from now, with which the process ends and which sync is lost.
    pub(super) fn plan(&self, end: Option<(u32, End)>, lost_sync: Option<u32>) {
        let mut state = self.state();
        (state.ops, state.end, state.lost_sync) = (0, end, lost_sync);
        state.sync_ops.clear();
    }

    /// How many changes there were since the plan, and which of them were syncs.
    pub(super) fn ops(&self) -> (u32, Vec<u32>) {
        let state = self.state();
        (state.ops, state.sync_ops.clone())
    }

    /// Refuses to write to a file from now on, as a bad sector does.
    pub(super) fn refuse(&self, name: &str) {
        self.state().refused = Some(name.to_owned());
    }

    /// The process ends now, if it has not yet, and another one starts.
    pub(super) fn restart(&self, end: End) {
        let mut state = self.state();
        if !state.is_ended {
            state.end(end);
        }
        (state.is_ended, state.end, state.lost_sync) = (false, None, None);
    }

    /// Changes a file behind everybody's back.
    pub(super) fn edit(&self, name: &str, edit: impl FnOnce(&mut Vec<u8>)) {
        let mut state = self.state();
        let number = state.number(name).unwrap();
        let file = &mut state.files[number];
        file.change(edit);
        file.sync();
    }

    /// Everything written so far survives a power cut.
    pub(super) fn rest(&self) {
        let state = &mut *self.state();
        state.files.iter_mut().for_each(Contents::sync);
        state.durable_names.clone_from(&state.names);
        state.unsynced.clear();
    }

    /// Whether any file there ever was, with a name or without, has a key that was ever wrapped for a subject.
    pub(super) fn has_key_of(&self, subject: &str) -> bool {
        let state = self.state();
        let of = format!("{subject}.key");
        let keys = state.wrapped.iter().filter(|(name, _)| name.starts_with(&of));
        let is_in = |file: &Contents, key: &[u8]| file.seen.windows(key.len()).any(|it| it == key);
        keys.map(|(_, key)| key).any(|key| state.files.iter().any(|file| is_in(file, key)))
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> Result<T>) -> Result<T> {
        let mut state = self.state();
        state.alive()?;
        state.ops += 1;
        match state.end {
            Some((op, end)) if op == state.ops => {
                if end == End::PowerCut {
                    drop(change(&mut state));
                }
                state.end(end);
                Err(Error::other("the process ended here"))
            }
            _ => change(&mut state),
        }
    }

    fn sync(&self, sync: impl FnOnce(&mut State)) -> Result<()> {
        let mut state = self.state();
        state.alive()?;
        state.ops += 1;
        let op = state.ops;
        state.sync_ops.push(op);
        match state.end {
            Some((at, end)) if at == op => {
                state.end(end);
                return Err(Error::other("the process ended here"));
            }
            _ if state.lost_sync == Some(op) => {}
            _ => sync(&mut state),
        }
        Ok(())
    }

    fn file(&self, name: &str, number: usize) -> Box<dyn DiskFile> {
        Box::new(PlatterFile { disk: self.clone(), name: name.to_owned(), number })
    }
}

impl Disk for Platter {
    fn is_there(&self) -> bool {
        true
    }

    fn make(&self) -> Result<()> {
        self.state().alive()
    }

    fn lock(&self, _: Duration) -> Result<Option<File>> {
        self.state().alive().map(|()| None)
    }

    fn lock_shared(&self, _: Duration) -> Result<Option<File>> {
        self.state().alive().map(|()| None)
    }

    fn lock_file(&self) -> PathBuf {
        PathBuf::from("lock")
    }

    fn names(&self, see: &mut dyn FnMut(&str)) -> Result<()> {
        let state = self.state();
        state.alive()?;
        state.names.keys().for_each(|name| see(name));
        Ok(())
    }

    fn has(&self, name: &str) -> Result<bool> {
        let state = self.state();
        state.alive().map(|()| state.names.contains_key(name))
    }

    fn read(&self, name: &str, limit_bytes: usize) -> Result<Option<Zeroizing<Vec<u8>>>> {
        let state = self.state();
        state.alive()?;
        let Ok(number) = state.number(name) else { return Ok(None) };
        let seen = &state.files[number].seen;
        Ok(Some(Zeroizing::new(seen[..seen.len().min(limit_bytes)].to_vec())))
    }

    fn create(&self, name: &str) -> Result<Box<dyn DiskFile>> {
        let number = self.change(|state| {
            if state.names.contains_key(name) {
                return Err(Error::from(ErrorKind::AlreadyExists));
            }
            let number = state.files.len();
            state.files.push(Contents::default());
            state.names.insert(name.to_owned(), number);
            state.unsynced.push(NameChange::Set(name.to_owned(), number));
            Ok(number)
        })?;
        Ok(self.file(name, number))
    }

    fn open(&self, name: &str) -> Result<Box<dyn DiskFile>> {
        let state = self.state();
        state.alive()?;
        Ok(self.file(name, state.number(name)?))
    }

    fn rename(&self, from: &str, to: &str) -> Result<()> {
        self.change(|state| {
            let number = state.number(from)?;
            state.names.remove(from);
            state.names.insert(to.to_owned(), number);
            state.unsynced.push(NameChange::Move(from.to_owned(), to.to_owned(), number));
            Ok(())
        })
    }

    fn remove(&self, name: &str) -> Result<()> {
        self.change(|state| {
            let number = state.number(name)?;
            state.names.remove(name);
            state.unsynced.push(NameChange::Unset(name.to_owned(), number));
            Ok(())
        })
    }

    fn sync_names(&self) -> Result<()> {
        self.sync(|state| {
            state.durable_names.clone_from(&state.names);
            state.unsynced.clear();
        })
    }

    fn sync_files(&self) -> Result<()> {
        self.sync(|state| state.files.iter_mut().for_each(Contents::sync))
    }
}

impl DiskFile for PlatterFile {
    fn len_bytes(&self) -> Result<u64> {
        let state = self.disk.state();
        state.alive()?;
        Ok(u64::try_from(state.files[self.number].seen.len()).unwrap())
    }

    fn write(&self, bytes: &[u8]) -> Result<()> {
        self.disk.change(|state| {
            if state.refused.as_ref() == Some(&self.name) {
                return Err(Error::other("a bad sector"));
            }
            if bytes.starts_with(b"ACHKEY01") {
                state.wrapped.push((self.name.clone(), bytes[16..76].to_vec()));
            }
            state.files[self.number].change(|seen| {
                seen.resize(seen.len().max(bytes.len()), 0);
                seen[..bytes.len()].copy_from_slice(bytes);
            });
            Ok(())
        })
    }

    fn set_len(&self, len_bytes: u64) -> Result<()> {
        let length = usize::try_from(len_bytes).unwrap();
        self.disk.change(|state| {
            state.files[self.number].change(|seen| seen.resize(length, 0));
            Ok(())
        })
    }

    fn sync(&self) -> Result<()> {
        self.disk.sync(|state| state.files[self.number].sync())
    }
}

#[test]
fn the_disk_in_memory_keeps_the_promises_of_a_disk() {
    super::suite::check(&Platter::new(1));
}

#[test]
fn what_was_not_synced_is_there_in_any_part_after_a_power_cut_and_what_was_is_there() {
    let mut left = BTreeMap::new();
    for seed in 0..400 {
        let disk = Platter::new(seed);
        for (name, bytes) in [("a", [1; 80]), ("b", [2; 80])] {
            disk.create(name).unwrap().write(&bytes).unwrap();
        }
        let synced = disk.create("synced").unwrap();
        synced.write(&[3; 600]).unwrap();
        synced.sync().unwrap();
        disk.sync_names().unwrap();
        disk.rename("a", "a2").unwrap();
        disk.remove("b").unwrap();
        disk.restart(End::PowerCut);
        let read = |name: &str| disk.read(name, 1_000).unwrap().map(|bytes| bytes.to_vec());
        assert_eq!(read("synced").unwrap(), [3; 600], "seed {seed}");
        let (old, new) = (read("a"), read("a2"));
        assert!(old.is_some() != new.is_some(), "seed {seed}: a rename is whole");
        let bytes = old.clone().or(new).unwrap();
        *left.entry((old.is_some(), read("b").is_some(), bytes)).or_insert(0) += 1;
    }
    // Names in either order, and nothing, zeros or all of what was written.
    assert!(left.values().all(|&count| count > 10) && left.len() == 2 * 2 * 3, "{left:?}");
}

#[test]
fn a_process_that_is_killed_loses_nothing_and_does_nothing_any_more() {
    let disk = Platter::new(1);
    let file = disk.create("a").unwrap();
    disk.plan(Some((2, End::Kill)), None);
    file.write(b"before").unwrap();
    assert!(file.write(b"behind").is_err() && disk.create("b").is_err() && disk.has("a").is_err());
    disk.restart(End::Kill);
    assert_eq!(disk.read("a", 100).unwrap().unwrap().to_vec(), b"before");
    assert!(!disk.has("b").unwrap());
}
