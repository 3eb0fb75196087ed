//! Handles of the simulated disk.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::DiskFile;
use super::sim::SimFault;
use super::sim_state::{FileNumber, State};

/// An open file of a simulated disk. After a power cut it is dead, as the process would be.
pub struct SimFile {
    pub(super) state: Arc<Mutex<State>>,
    pub(super) number: FileNumber,
    pub(super) boot: u64,
    pub(super) is_writable: bool,
}

/// Holds a simulated folder for one writer.
pub struct SimLock {
    pub(super) state: Arc<Mutex<State>>,
    pub(super) boot: u64,
}

pub(super) fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a disk says when it can say no more.
pub(super) fn broken() -> io::Error {
    io::Error::other("input/output error of the simulated disk")
}

fn index(offset: u64) -> io::Result<usize> {
    usize::try_from(offset).map_err(|_| io::Error::from(io::ErrorKind::FileTooLarge))
}

impl Drop for SimLock {
    fn drop(&mut self) {
        let mut state = locked(&self.state);
        if state.boots == self.boot {
            state.is_locked = false;
        }
    }
}

impl SimFile {
    fn writable(&self) -> io::Result<()> {
        if self.is_writable {
            Ok(())
        } else {
            Err(io::Error::from(io::ErrorKind::PermissionDenied))
        }
    }
}

impl DiskFile for SimFile {
    fn len_bytes(&self) -> io::Result<u64> {
        let mut state = locked(&self.state);
        state.alive(self.boot)?;
        Ok(u64::try_from(state.file(self.number)?.seen.len()).unwrap_or(u64::MAX))
    }

    fn set_len(&self, len_bytes: u64) -> io::Result<()> {
        self.writable()?;
        let len = index(len_bytes)?;
        let mut state = locked(&self.state);
        let fault = state.begin(self.boot)?;
        match fault {
            Some(SimFault::Fail) => return Err(broken()),
            Some(SimFault::Full) => return Err(io::Error::from(io::ErrorKind::StorageFull)),
            _ => state.file(self.number)?.set_len(len),
        }
        if fault == Some(SimFault::PowerCut) {
            state.cut_power();
            return Err(broken());
        }
        Ok(())
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut state = locked(&self.state);
        state.alive(self.boot)?;
        let start = index(offset)?;
        let seen = &state.file(self.number)?.seen;
        let end = start.saturating_add(buffer.len()).min(seen.len());
        let from = seen.get(start.min(end)..end).unwrap_or_default();
        if let Some(room) = buffer.get_mut(..from.len()) {
            room.copy_from_slice(from);
        }
        Ok(from.len())
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.writable()?;
        let at = index(offset)?;
        let mut state = locked(&self.state);
        let fault = state.begin(self.boot)?;
        state.write_back_by_chance(self.number, at, bytes.len());
        match fault {
            Some(SimFault::Fail) => {
                let written = state.random_prefix(bytes.len());
                let part = bytes.get(..written).unwrap_or_default();
                state.file(self.number)?.put(at, part, true);
                Err(broken())
            }
            Some(SimFault::Full) => Err(io::Error::from(io::ErrorKind::StorageFull)),
            Some(SimFault::Lose) => {
                state.file(self.number)?.put(at, bytes, false);
                Ok(())
            }
            Some(SimFault::Misdirect { shift_bytes }) => {
                let elsewhere = at.saturating_add(index(shift_bytes)?);
                state.file(self.number)?.put(elsewhere, bytes, true);
                Ok(())
            }
            Some(SimFault::PowerCut) => {
                state.file(self.number)?.put(at, bytes, true);
                state.cut_power();
                Err(broken())
            }
            Some(SimFault::Stall { .. }) | None => {
                state.file(self.number)?.put(at, bytes, true);
                Ok(())
            }
        }
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = locked(&self.state);
        match state.begin(self.boot)? {
            Some(SimFault::Fail | SimFault::Full) => {
                // The system forgets which pages it could not write: the next sync says all is well.
                state.sync_in_part(self.number)?;
                Err(broken())
            }
            Some(SimFault::PowerCut) => {
                state.cut_power();
                Err(broken())
            }
            Some(SimFault::Lose) => Ok(()),
            Some(SimFault::Misdirect { .. } | SimFault::Stall { .. }) | None => {
                state.file(self.number)?.sync();
                Ok(())
            }
        }
    }
}

impl fmt::Debug for SimFile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SimFile").field("number", &self.number).finish_non_exhaustive()
    }
}

impl fmt::Debug for SimLock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SimLock").finish_non_exhaustive()
    }
}
