//! Where a node's history lies: a folder, or tables of a simulated world.

use std::path::PathBuf;

use ach_engine_store::{OpenError, OpenedStore, SimTables, Store};

/// Where history lies.
#[derive(Debug, Clone)]
pub(crate) enum HistoryPlace {
    /// In a folder.
    Folder(PathBuf),
    /// In tables of a simulated world.
    Simulated(SimTables),
}

impl HistoryPlace {
    /// Opens it as it is.
    pub(crate) fn open(&self) -> Result<Store, OpenError> {
        match self {
            HistoryPlace::Folder(folder) => Store::open(folder),
            HistoryPlace::Simulated(tables) => Store::open_simulated(tables),
        }
    }

    /// Opens it; a damaged one makes way for an empty one.
    pub(crate) fn open_or_set_aside(&self) -> Result<OpenedStore, OpenError> {
        match self {
            HistoryPlace::Folder(folder) => Store::open_or_set_aside(folder),
            HistoryPlace::Simulated(tables) => match Store::open_simulated(tables) {
                Err(OpenError::Damaged { detail }) => {
                    tables.lose();
                    let store = Store::open_simulated(tables)?;
                    Ok(OpenedStore { store, set_aside: Some((PathBuf::new(), detail)) })
                }
                opened => opened.map(|store| OpenedStore { store, set_aside: None }),
            },
        }
    }

    /// Has a damaged one, which nobody has open, make way.
    pub(crate) fn set_aside(&self) -> Result<(), OpenError> {
        match self {
            HistoryPlace::Folder(folder) => Store::set_aside(folder).map(drop),
            HistoryPlace::Simulated(tables) => {
                tables.lose();
                Ok(())
            }
        }
    }
}
