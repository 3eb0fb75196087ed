//! One node that is killed now and then, and is started again where it was.

use std::path::PathBuf;

use ach_clients_rust::now;
use ach_engine_site::SiteDirectory;
use tempfile::TempDir;

use crate::chance::Chance;
use crate::number;
use crate::process::{Process, enrol};

/// A node's lives, how many there are to be, and when each ends.
pub(crate) struct Lives {
    pub(crate) kills: u64,
    pub(crate) chance: Chance,
    pub(crate) node: Process,
    folder: TempDir,
}

impl Lives {
    /// Starts the first. `ACH_KILLS` says how many end by a kill, else `kills` do; `ACH_SEED` repeats a run.
    pub(crate) async fn begin(site: &SiteDirectory, kills: u64) -> Lives {
        let kills = number("ACH_KILLS").unwrap_or(kills);
        let seed = number("ACH_SEED").unwrap_or_else(|| now().0);
        println!("{kills} kills, ACH_SEED={seed}");
        let folder = tempfile::tempdir().unwrap();
        site.write(&folder.path().join("site")).unwrap();
        let mut node =
            Process::start(&folder.path().join("site"), &folder.path().join("node"), None);
        node.listening().await;
        Lives { kills, chance: Chance::new(seed), node, folder }
    }

    /// Credentials of a client, by its role and name.
    pub(crate) async fn enrol(&self, role: &str, name: &str) -> PathBuf {
        enrol(role, name, &self.data(), self.folder.path()).await
    }

    /// Where the node keeps what it remembers.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("node")
    }

    /// Ends one with SIGKILL.
    pub(crate) async fn die(&mut self) {
        self.node.kill().await;
    }

    /// Starts the next, at the same address, and waits until it listens.
    pub(crate) async fn rise(&mut self) {
        let site = self.folder.path().join("site");
        self.node = Process::start(&site, &self.data(), Some(self.node.address()));
        self.node.listening().await;
    }

    /// Ends the last in order; what the node remembers goes with the folder.
    pub(crate) async fn end(self) -> TempDir {
        self.node.terminate().await;
        self.folder
    }
}
