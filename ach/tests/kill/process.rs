//! The node as a process of its own, and commands that end by themselves.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::PATIENCE;

const PROGRAM: &str = env!("CARGO_BIN_EXE_ach");

/// A life of some hundred milliseconds under load journals some 50 KB.
const CHECKPOINT_BYTES: &str = "4096";

/// What a node keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keeping {
    /// The whole journal.
    Journal,
    /// What a start needs.
    Checkpoints,
}

/// A node that runs.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    address: Option<SocketAddr>,
    is_listening: bool,
}

impl Process {
    /// Starts it on a free port, or on the one it had before. The journal is kept whole, for it is what
    /// most is judged by.
    pub(crate) fn start(site: &Path, data: &Path, at: Option<SocketAddr>) -> Process {
        Process::start_keeping(site, data, at, Keeping::Journal)
    }

    /// As [`Process::start`], with a choice of what is kept.
    pub(crate) fn start_keeping(
        site: &Path,
        data: &Path,
        at: Option<SocketAddr>,
        keeping: Keeping,
    ) -> Process {
        let listen = at.map_or_else(|| "127.0.0.1:0".to_owned(), |at| at.to_string());
        // An ignored signal stays ignored in what a shell becomes: a write beyond the limit of
        // `take_disk_away` is to fail like one to a broken disk, not to end the node.
        let mut child = Command::new("/bin/sh")
            .args(["-c", "trap '' XFSZ; exec \"$@\"", "sh", PROGRAM])
            .args(["serve", "--json", "--listen", &listen])
            // So many that most kills meet one.
            .args(["--checkpoint-bytes", CHECKPOINT_BYTES])
            .args(match keeping {
                Keeping::Journal => &["--keep-journal"][..],
                Keeping::Checkpoints => &["--history", "off", "--forget-journal"],
            })
            .arg("--site")
            .arg(site)
            .arg("--data")
            .arg(data)
            .env("ACH_LOG", "error")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the node does not start");
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Process { child, lines, address: at, is_listening: false }
    }

    /// Where it listens, once that is known.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address.expect("the node has not said where it listens")
    }

    /// Waits until it says that it listens.
    pub(crate) async fn listening(&mut self) {
        if self.is_listening {
            return;
        }
        let line = tokio::time::timeout(PATIENCE, self.lines.next_line()).await;
        let line = line.unwrap_or_else(|_| panic!("the node did not listen in {PATIENCE:?}"));
        let Some(line) = line.unwrap() else {
            let status = self.child.wait().await.unwrap();
            panic!("the node ended with {status} before it listened; its log is above");
        };
        let said: serde_json::Value = serde_json::from_str(&line).unwrap();
        let address = said["node"].as_str().unwrap_or_else(|| panic!("the node said {line}"));
        let address: SocketAddr = address.parse().unwrap();
        assert!(self.address.is_none_or(|before| before == address), "it moved to {address}");
        self.address = Some(address);
        self.is_listening = true;
    }

    /// From now on every write of the node to a file fails, as on a disk that is broken.
    pub(crate) fn take_disk_away(&self) {
        let none = rustix::process::Rlimit { current: Some(0), maximum: Some(0) };
        let limit = rustix::process::Resource::Fsize;
        rustix::process::prlimit(Some(self.id()), limit, none).unwrap();
    }

    fn id(&self) -> rustix::process::Pid {
        let id = i32::try_from(self.child.id().expect("the node ended by itself")).unwrap();
        rustix::process::Pid::from_raw(id).unwrap()
    }

    /// Ends it with SIGKILL, in the middle of whatever it does.
    pub(crate) async fn kill(&mut self) {
        if let Some(status) = self.child.try_wait().unwrap() {
            panic!("the node ended by itself with {status}; its log is above");
        }
        self.child.kill().await.unwrap();
    }

    /// Ends it with SIGTERM, in order.
    pub(crate) async fn terminate(mut self) {
        rustix::process::kill_process(self.id(), rustix::process::Signal::TERM).unwrap();
        let ended = tokio::time::timeout(PATIENCE, self.child.wait()).await;
        let status = ended.expect("the node did not end after SIGTERM in time").unwrap();
        assert!(status.success(), "after SIGTERM the node ended with {status}");
    }
}

/// Enrols a client by the command for it; gives the directory with its credentials.
pub(crate) async fn enrol(role: &str, name: &str, data: &Path, folder: &Path) -> PathBuf {
    let out = folder.join(format!("{role}-credentials"));
    let running = Command::new(PROGRAM)
        .args([role, "enrol", name, "--data"])
        .arg(data)
        .arg("--out")
        .arg(&out)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .status();
    let status = tokio::time::timeout(PATIENCE, running).await;
    let status = status.unwrap_or_else(|_| panic!("enrolling a {role} takes too long")).unwrap();
    assert!(status.success(), "`ach {role} enrol {name}` ended with {status}");
    out
}
