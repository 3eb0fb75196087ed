//! Tables in memory that fail on command, the same way each time: for worlds of a seed.

use std::collections::BTreeMap;
use std::io;
use std::ops::Bound;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fjall::Slice;

use super::{Iter, Keyspace, Table, Tables};
use crate::rows::Rows;

/// What becomes of the writing that is struck.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SimTablesFault {
    /// It fails. With `is_kept` it is there all the same: only the answer was lost.
    Fail {
        /// Whether the rows are there.
        is_kept: bool,
    },
    /// The process is killed or the power goes in the middle: all of it is there, or nothing. Nothing
    /// more is read or written until [`SimTables::restart`].
    Die {
        /// Whether the rows are there.
        is_kept: bool,
    },
    /// It takes this long, which is told instead of slept.
    Stall {
        /// For how long.
        stall_ns: u64,
    },
}

/// How much room the disk has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SimRoom {
    /// Enough.
    #[default]
    Enough,
    /// Little, and who asks is told so.
    Low,
    /// None, though who asks was told otherwise: somebody else took the rest.
    Full,
}

/// Tables in memory. Clones are the same tables; [`SimTables::fork`] makes others.
#[derive(Debug, Clone, Default)]
pub struct SimTables(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Clone, Default)]
struct State {
    tables: BTreeMap<String, Rows>,
    writings: u64,
    planned: BTreeMap<u64, SimTablesFault>,
    room: SimRoom,
    is_dead: bool,
    is_damaged: bool,
    stalled_ns: u64,
    is_held: bool,
    held_count: u64,
}

impl State {
    fn alive(&self) -> fjall::Result<()> {
        if self.is_dead { Err(broken("the power of the simulated disk was cut")) } else { Ok(()) }
    }

    /// What is read must be sound.
    fn readable(&self) -> fjall::Result<()> {
        self.alive()?;
        if self.is_damaged {
            let error = io::Error::new(io::ErrorKind::InvalidData, "a checksum does not fit");
            return Err(fjall::Error::Io(error));
        }
        Ok(())
    }

    fn with_room(&self) -> fjall::Result<()> {
        self.alive()?;
        if self.room == SimRoom::Full {
            return Err(fjall::Error::Io(io::Error::from(io::ErrorKind::StorageFull)));
        }
        Ok(())
    }

    fn write(&mut self, name: &str, rows: Rows) -> fjall::Result<()> {
        self.with_room()?;
        self.writings = self.writings.saturating_add(1);
        let (is_kept, answer) = match self.planned.remove(&self.writings) {
            None => (true, Ok(())),
            Some(SimTablesFault::Stall { stall_ns }) => {
                self.stalled_ns = self.stalled_ns.saturating_add(stall_ns);
                (true, Ok(()))
            }
            Some(SimTablesFault::Fail { is_kept }) => {
                (is_kept, Err(broken("an error of the disk")))
            }
            Some(SimTablesFault::Die { is_kept }) => {
                self.is_dead = true;
                (is_kept, Err(broken("the process was killed in the middle of a writing")))
            }
        };
        if is_kept {
            self.tables.entry(name.to_owned()).or_default().extend(rows);
        }
        answer
    }
}

fn broken(why: &str) -> fjall::Error {
    fjall::Error::Io(io::Error::other(why))
}

impl SimTables {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A copy of what is written, with the damage it has and with no faults planned.
    #[must_use]
    pub fn fork(&self) -> SimTables {
        let state = self.state();
        let (tables, is_damaged) = (state.tables.clone(), state.is_damaged);
        let state = Mutex::new(State { tables, is_damaged, ..State::default() });
        SimTables(Arc::new(Shared { state, changed: Condvar::new() }))
    }

    /// From now on no writing returns, as on a disk that does not answer; what is there can be read.
    pub fn hold_writings(&self) {
        self.state().is_held = true;
    }

    /// Waits until a writing is held, or for so long. Says whether one is.
    pub fn wait_until_held(&self, within: Duration) -> bool {
        let is_free = |state: &mut State| state.held_count == 0;
        let waited = self.0.changed.wait_timeout_while(self.state(), within, is_free);
        waited.unwrap_or_else(PoisonError::into_inner).0.held_count > 0
    }

    /// Waits until there were more than so many writings, or for so long. Says whether there were.
    pub fn wait_until_written(&self, count: u64, within: Duration) -> bool {
        let is_short = |state: &mut State| state.writings <= count;
        let waited = self.0.changed.wait_timeout_while(self.state(), within, is_short);
        waited.unwrap_or_else(PoisonError::into_inner).0.writings > count
    }

    /// Writings that are held are done, and others go on.
    pub fn let_go(&self) {
        self.state().is_held = false;
        self.0.changed.notify_all();
    }

    /// Plans a fault for the writing that will be the `writing`th from now, counted from one.
    pub fn plan(&self, writing: u64, fault: SimTablesFault) {
        let mut state = self.state();
        let at = state.writings.saturating_add(writing);
        state.planned.insert(at, fault);
    }

    /// How much room there is from now on.
    pub fn set_room(&self, room: SimRoom) {
        self.state().room = room;
    }

    /// Whether who asks is told that there is little room.
    pub fn is_room_low(&self) -> bool {
        self.state().room == SimRoom::Low
    }

    /// Something of it is damaged: whoever reads finds out.
    pub fn damage(&self) {
        self.state().is_damaged = true;
    }

    /// All of it is gone: another disk is put in, or the damaged one is set aside.
    pub fn lose(&self) {
        let mut state = self.state();
        state.tables.clear();
        state.is_damaged = false;
    }

    /// Whether it ended in the middle of a writing.
    pub fn is_dead(&self) -> bool {
        self.state().is_dead
    }

    /// The process that had it is gone, and with it what was planned. Of tables that were begun and
    /// never written nothing need be left.
    pub fn restart(&self, keeps_begun: bool) {
        let mut state = self.state();
        state.is_dead = false;
        state.planned.clear();
        state.tables.retain(|_, rows| keeps_begun || !rows.is_empty());
    }

    /// What was planned and has not struck does not.
    pub fn forget_faults(&self) {
        self.state().planned.clear();
    }

    /// How long writings have been stalled, all together.
    pub fn stalled_ns(&self) -> u64 {
        self.state().stalled_ns
    }

    /// How many writings there were, whatever became of them.
    pub fn writing_count(&self) -> u64 {
        self.state().writings
    }
}

impl Tables for SimTables {
    fn names(&self) -> Vec<String> {
        self.state().tables.keys().cloned().collect()
    }

    fn has(&self, name: &str) -> bool {
        self.state().tables.contains_key(name)
    }

    fn keyspace(&self, name: &str) -> fjall::Result<Keyspace> {
        let mut state = self.state();
        state.alive()?;
        if !state.tables.contains_key(name) {
            state.with_room()?;
            state.tables.insert(name.to_owned(), Rows::new());
        }
        Ok(Keyspace::new(SimTable { tables: self.clone(), name: name.to_owned() }))
    }

    fn remove(&self, name: &str) -> fjall::Result<()> {
        let mut state = self.state();
        state.alive()?;
        state.tables.remove(name);
        Ok(())
    }
}

/// One of them.
struct SimTable {
    tables: SimTables,
    name: String,
}

impl Table for SimTable {
    fn get(&self, key: &[u8]) -> fjall::Result<Option<Slice>> {
        let state = self.tables.state();
        state.readable()?;
        let value = state.tables.get(&self.name).and_then(|rows| rows.get(key));
        Ok(value.map(|value| Slice::from(value.as_slice())))
    }

    /// As it is at this moment.
    fn between(&self, from: Bound<&[u8]>, until: Bound<&[u8]>) -> Iter {
        let state = self.tables.state();
        if let Err(error) = state.readable() {
            return Box::new(std::iter::once(Err(error)));
        }
        let rows = state.tables.get(&self.name);
        // As the LSM does, and not a panic as the map would.
        let is_backwards = match (from, until) {
            (Bound::Excluded(from), Bound::Excluded(until)) => from >= until,
            (
                Bound::Included(from) | Bound::Excluded(from),
                Bound::Included(until) | Bound::Excluded(until),
            ) => from > until,
            _ => false,
        };
        let found: Vec<_> = rows
            .filter(|_| !is_backwards)
            .into_iter()
            .flat_map(|rows| rows.range::<[u8], _>((from, until)))
            .map(|(key, value)| Ok((Slice::from(key.as_slice()), Slice::from(value.as_slice()))))
            .collect();
        Box::new(found.into_iter())
    }

    fn write(&self, rows: Rows) -> fjall::Result<()> {
        let mut state = self.tables.state();
        if state.is_held {
            state.held_count += 1;
            let changed = &self.tables.0.changed;
            changed.notify_all();
            let waited = changed.wait_while(state, |state| state.is_held);
            state = waited.unwrap_or_else(PoisonError::into_inner);
            state.held_count -= 1;
        }
        let written = state.write(&self.name, rows);
        self.tables.0.changed.notify_all();
        written
    }

    fn disk_bytes(&self) -> u64 {
        let state = self.tables.state();
        let rows = state.tables.get(&self.name).into_iter().flatten();
        let bytes = rows.map(|(key, value)| key.len().saturating_add(value.len()));
        bytes.map(|bytes| u64::try_from(bytes).unwrap_or(u64::MAX)).sum()
    }

    fn merge(&self) -> fjall::Result<()> {
        self.tables.state().alive()
    }
}
