//! A disk in memory that fails on command, the same way for the same seed.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex};

use super::Disk;
use super::sim_file::{SimFile, SimLock, broken, locked};
use super::sim_state::State;

/// What the disk does to the operation it strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SimFault {
    /// The power goes in the middle: each unsynced page is kept, lost or torn by sectors of 512
    /// bytes; unsynced names come back as they were from some point on. See [`SimDisk::power_on`].
    PowerCut,
    /// Input/output error. A write may have been done in part; after a failed sync some pages are
    /// lost and the system has forgotten which.
    Fail,
    /// No room.
    Full,
    /// The disk says yes and does nothing. A lost write is still seen until the power goes; a lost
    /// sync syncs nothing.
    Lose,
    /// The disk writes to another place of the same file and says yes.
    Misdirect {
        /// How far behind the right place.
        shift_bytes: u64,
    },
    /// The operation takes this long, which the disk reports instead of sleeping.
    Stall {
        /// For how long.
        stall_ns: u64,
    },
}

/// A disk in memory. Clones of a handle are the same disk; [`SimDisk::fork`] makes another one.
#[derive(Clone)]
pub struct SimDisk {
    state: Arc<Mutex<State>>,
    /// Which run of the machine this handle belongs to; later ones refuse it.
    boot: u64,
}

impl SimDisk {
    /// An empty disk with room for `capacity_bytes`.
    pub fn new(seed: u64, capacity_bytes: u64) -> SimDisk {
        SimDisk { state: Arc::new(Mutex::new(State::new(seed, capacity_bytes))), boot: 0 }
    }

    /// A disk that holds these files and has room for nothing more. Of two files with one name the
    /// first counts.
    pub fn holding(files: &[(&str, &[u8])]) -> SimDisk {
        let disk = SimDisk::new(0, u64::MAX);
        for (name, bytes) in files {
            locked(&disk.state).put_file(name, bytes);
        }
        disk.set_capacity(0);
        disk
    }

    /// A second disk that holds what this one holds now, with no faults planned and no lock.
    #[must_use]
    pub fn fork(&self, seed: u64) -> SimDisk {
        let mut state = locked(&self.state).clone();
        state.planned.clear();
        state.end_process();
        state.reseed(seed);
        let boot = state.boots;
        SimDisk { state: Arc::new(Mutex::new(state)), boot }
    }

    /// Plans a fault for the operation that will be the `op`th from now, counted from one. Only
    /// operations that change something count.
    pub fn plan(&self, op: u64, fault: SimFault) {
        let mut state = locked(&self.state);
        let at = state.ops.saturating_add(op);
        state.planned.insert(at, fault);
    }

    /// How many operations have changed something so far.
    pub fn ops(&self) -> u64 {
        locked(&self.state).ops
    }

    /// Cuts the power now. Every handle is dead.
    pub fn cut_power(&self) {
        locked(&self.state).cut_power();
    }

    /// The machine comes back: a new handle to what the power cut left.
    #[must_use]
    pub fn power_on(&self) -> SimDisk {
        let mut state = locked(&self.state);
        state.planned.clear();
        state.power_on();
        SimDisk { state: Arc::clone(&self.state), boot: state.boots }
    }

    /// The process is killed and starts again; the page cache of the machine stays.
    #[must_use]
    pub fn restart(&self) -> SimDisk {
        let mut state = locked(&self.state);
        state.planned.clear();
        state.end_process();
        SimDisk { state: Arc::clone(&self.state), boot: state.boots }
    }

    /// How long operations have been stalled, all together.
    pub fn stalled_ns(&self) -> u64 {
        locked(&self.state).stalled_ns
    }

    /// Changes how much the disk holds.
    pub fn set_capacity(&self, capacity_bytes: u64) {
        locked(&self.state).capacity_bytes = capacity_bytes;
    }

    /// What a file holds, or nothing when it is not there.
    pub fn contents(&self, name: &str) -> Vec<u8> {
        let mut state = locked(&self.state);
        let number = state.number(name);
        let seen = number.and_then(|number| state.file(number).map(|file| file.seen.clone()));
        seen.unwrap_or_default()
    }

    /// Changes a file behind everybody's back, on the platter and in the cache.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`].
    pub fn corrupt(&self, name: &str, change: impl Fn(&mut Vec<u8>)) -> io::Result<()> {
        let mut state = locked(&self.state);
        let number = state.number(name)?;
        state.file(number)?.corrupt(change);
        Ok(())
    }

    fn handle(&self, number: usize, is_writable: bool) -> SimFile {
        SimFile { state: Arc::clone(&self.state), number, boot: self.boot, is_writable }
    }

    /// Runs an operation on names, with the faults that can strike one.
    fn on_names<T>(&self, op: impl FnOnce(&mut State) -> io::Result<T>) -> io::Result<T> {
        let mut state = locked(&self.state);
        match state.begin(self.boot)? {
            Some(SimFault::Fail) => Err(broken()),
            Some(SimFault::Full) => Err(io::Error::from(io::ErrorKind::StorageFull)),
            Some(SimFault::PowerCut) => {
                // Done or not, nobody will know; an error of the operation itself is moot now.
                drop(op(&mut state));
                state.cut_power();
                Err(broken())
            }
            Some(SimFault::Lose | SimFault::Misdirect { .. } | SimFault::Stall { .. }) | None => {
                op(&mut state)
            }
        }
    }
}

impl Disk for SimDisk {
    type File = SimFile;
    type Lock = SimLock;

    fn lock(&self) -> io::Result<SimLock> {
        let mut state = locked(&self.state);
        state.alive(self.boot)?;
        if state.is_locked {
            return Err(io::Error::from(io::ErrorKind::WouldBlock));
        }
        state.is_locked = true;
        Ok(SimLock { state: Arc::clone(&self.state), boot: self.boot })
    }

    fn list(&self) -> io::Result<Vec<String>> {
        let state = locked(&self.state);
        state.alive(self.boot)?;
        Ok(state.names.keys().cloned().collect())
    }

    fn create(&self, name: &str, len_bytes: u64) -> io::Result<SimFile> {
        let len =
            usize::try_from(len_bytes).map_err(|_| io::Error::from(io::ErrorKind::StorageFull))?;
        let number = self.on_names(|state| state.create(name, len))?;
        Ok(self.handle(number, true))
    }

    fn open(&self, name: &str) -> io::Result<SimFile> {
        let state = locked(&self.state);
        state.alive(self.boot)?;
        let number = state.number(name)?;
        Ok(self.handle(number, true))
    }

    fn open_reading(&self, name: &str) -> io::Result<SimFile> {
        let state = locked(&self.state);
        state.alive(self.boot)?;
        let number = state.number(name)?;
        Ok(self.handle(number, false))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.on_names(|state| state.rename(from, to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.on_names(|state| state.remove(name))
    }

    fn sync_dir(&self) -> io::Result<()> {
        let mut state = locked(&self.state);
        match state.begin(self.boot)? {
            Some(SimFault::Fail | SimFault::Full) => {
                state.sync_dir_in_part();
                Err(broken())
            }
            Some(SimFault::PowerCut) => {
                state.cut_power();
                Err(broken())
            }
            Some(SimFault::Lose) => Ok(()),
            Some(SimFault::Misdirect { .. } | SimFault::Stall { .. }) | None => {
                state.sync_dir();
                Ok(())
            }
        }
    }

    fn free_bytes(&self) -> io::Result<u64> {
        let state = locked(&self.state);
        state.alive(self.boot)?;
        Ok(state.capacity_bytes.saturating_sub(state.used_bytes()))
    }
}

impl fmt::Debug for SimDisk {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SimDisk").field("boot", &self.boot).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::{DiskFile, suite};

    #[test]
    fn the_simulated_disk_keeps_the_promises_of_a_disk() {
        suite::run(|| (SimDisk::new(1, 1 << 20), ())).unwrap();
    }

    #[test]
    fn what_was_synced_survives_a_power_cut_and_what_was_not_may_not() {
        let (mut lost, mut kept) = (0, 0);
        for seed in 0..200 {
            let disk = SimDisk::new(seed, 1 << 20);
            let file = disk.create("a", 8192).unwrap();
            file.write_at(0, &[1; 4096]).unwrap();
            file.sync().unwrap();
            disk.sync_dir().unwrap();
            file.write_at(4096, &[2; 4096]).unwrap();
            disk.cut_power();
            assert!(file.sync().is_err(), "handles die with the power");
            let disk = disk.power_on();
            let now = disk.contents("a");
            assert_eq!(now[..4096], [1; 4096], "seed {seed}");
            match now[4096..].iter().map(|byte| usize::from(*byte == 2)).sum() {
                0 => lost += 1,
                4096 => kept += 1,
                torn => assert_eq!(torn % 512, 0, "seed {seed}: pages tear by sectors"),
            }
        }
        assert!(lost > 20 && kept > 20 && lost + kept < 200, "lost {lost}, kept {kept}");
    }

    #[test]
    fn what_was_written_over_may_be_what_a_power_cut_leaves() {
        let mut left = std::collections::BTreeMap::new();
        for seed in 0..200 {
            let disk = SimDisk::new(seed, 1 << 20);
            let file = disk.create("a", 512).unwrap();
            file.sync().unwrap();
            disk.sync_dir().unwrap();
            for version in 1..=3 {
                file.write_at(0, &[version; 512]).unwrap();
            }
            disk.cut_power();
            *left.entry(disk.power_on().contents("a")[0]).or_insert(0) += 1;
        }
        assert!((0..=3).all(|version| left.contains_key(&version)), "{left:?}");
    }

    #[test]
    fn an_unsynced_name_may_vanish_but_a_rename_is_whole() {
        for seed in 0..100 {
            let disk = SimDisk::new(seed, 1 << 20);
            disk.create("old", 10).unwrap();
            disk.sync_dir().unwrap();
            disk.rename("old", "new").unwrap();
            disk.cut_power();
            let names = disk.power_on().list().unwrap();
            assert!(names == ["old"] || names == ["new"], "seed {seed}: {names:?}");
        }
    }

    #[test]
    fn a_failed_sync_forgets() {
        let disk = SimDisk::new(3, 1 << 20);
        let file = disk.create("a", 1 << 16).unwrap();
        file.sync().unwrap();
        disk.sync_dir().unwrap();
        file.write_at(0, &vec![1; 1 << 16]).unwrap();
        disk.plan(1, SimFault::Fail);
        assert!(file.sync().is_err());
        file.sync().unwrap();
        disk.cut_power();
        let now = disk.power_on().contents("a");
        assert!(now.contains(&0), "the second sync must not have saved what the first one lost");
    }

    #[test]
    fn a_stall_is_reported_as_time() {
        let disk = SimDisk::new(3, 1 << 20);
        let file = disk.create("a", 10).unwrap();
        disk.plan(1, SimFault::Stall { stall_ns: 1_000_000_000 });
        file.sync().unwrap();
        assert_eq!(disk.stalled_ns(), 1_000_000_000);
    }
}
