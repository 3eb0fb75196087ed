//! Room on a disk, asked for while it is used: what can be derived again stops before it takes the room of
//! what cannot.

use std::path::Path;
#[cfg(test)]
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use ach_engine_store::SimTables;

/// Who tells how much room there is.
#[derive(Debug, Clone)]
pub(crate) enum Room {
    /// The file system.
    OfDisk,
    /// Tables of a simulated world.
    Simulated(SimTables),
    /// A test: there is room so many times more.
    #[cfg(test)]
    Times(Arc<AtomicU64>),
}

impl Room {
    /// Whether less than `left_bytes` are free where `folder` lies. A file system that does not tell is
    /// tried.
    pub(crate) fn is_low(&self, folder: &Path, left_bytes: u64) -> bool {
        let bytes = match self {
            Room::OfDisk => rustix::fs::statvfs(folder)
                .map_or(u64::MAX, |room| room.f_bavail.saturating_mul(room.f_frsize)),
            Room::Simulated(tables) if tables.is_room_low() => 0,
            Room::Simulated(_) => u64::MAX,
            #[cfg(test)]
            Room::Times(times) => {
                let left = times.load(Ordering::SeqCst);
                times.store(left.saturating_sub(1), Ordering::SeqCst);
                if left > 0 { u64::MAX } else { 0 }
            }
        };
        bytes < left_bytes
    }
}
