//! A node for a load test: a process of its own, or within this one.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use ach_actors_model::Name;
use ach_clients_rust::{Bundle, ClientConfig, Role, now};
use ach_engine_journal::{Disk, FileDisk, KekSource, Stall, StallingDisk};
use ach_engine_net::Authority;
use ach_engine_node::{
    Arrangement, Clock, Ended, Node, NodeConfig, NodeLimits, Running, SystemClock,
};
use ach_engine_site::SiteDirectory;
use clap::ValueEnum;
use serde::Serialize;
use tempfile::TempDir;

use crate::campus::FEED;
use crate::cores::Cores;
use crate::failure::Failure;

/// A node that does not listen by then will not: it reads a site of a million tags meanwhile.
const START_WITHIN: Duration = Duration::from_mins(2);
/// The name its certificate bears.
pub(crate) const SERVER_NAME: &str = "localhost";

/// Which threads the node has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Threads {
    /// As the node chooses.
    #[default]
    Auto,
    /// Sessions and shard share one.
    One,
    /// The shard has its own.
    Two,
}

impl Threads {
    fn word(self) -> &'static str {
        match self {
            Threads::Auto => "auto",
            Threads::One => "one",
            Threads::Two => "two",
        }
    }

    fn arrangement(self) -> Arrangement {
        match self {
            Threads::Auto => Arrangement::Auto,
            Threads::One => Arrangement::OneThread,
            Threads::Two => Arrangement::TwoThread,
        }
    }
}

/// What a process of its own keeps of the past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Remembers {
    /// History and archives, as a node does that is asked nothing else.
    History,
    /// The same; what nobody needs of the journal goes also if history is off: a long load fills a disk
    /// otherwise.
    HistoryWithoutJournal,
    /// History and no archives, and of the journal what a start needs.
    HistoryAlone,
    /// The journal.
    JournalAlone,
}

/// How the node is to run.
#[derive(Debug, Clone)]
pub(crate) struct HostPlan {
    /// Below which folder its data lie; it decides the disk.
    pub(crate) below: PathBuf,
    /// The `ach` program; `None` runs the node within this process.
    pub(crate) program: Option<PathBuf>,
    pub(crate) threads: Threads,
    /// Which core a process of its own is kept on; without it, on any.
    pub(crate) cores: Option<Cores>,
    pub(crate) remembers: Remembers,
    /// Whether a process of its own measures what it spends on an alarm.
    pub(crate) measures_residence: bool,
}

impl HostPlan {
    /// A process of its own, which remembers as a node does by default, on any core.
    ///
    /// # Errors
    ///
    /// The program is not named, and not beside this one.
    pub(crate) fn process(below: &Path, ach: Option<&Path>) -> Result<HostPlan, Failure> {
        Ok(HostPlan {
            below: below.to_owned(),
            program: Some(ach.map_or_else(program_beside, |program| Ok(program.to_owned()))?),
            threads: Threads::Auto,
            cores: None,
            remembers: Remembers::History,
            measures_residence: false,
        })
    }
}

/// A node at work, with credentials for all who load it. Its data go with it.
#[derive(Debug)]
pub(crate) struct Host {
    pub(crate) vendor: ClientConfig,
    pub(crate) receiver: ClientConfig,
    pub(crate) operator: ClientConfig,
    /// Where a process of its own serves its numbers.
    pub(crate) metrics: Option<SocketAddr>,
    /// Stalls the disk of a node within this process.
    pub(crate) stall: Option<Stall>,
    node: HostedNode,
    folder: TempDir,
}

#[derive(Debug)]
enum HostedNode {
    Process(Child),
    Here(Option<Box<Running>>),
}

impl Host {
    /// Starts a node on a site, on a free port.
    pub(crate) fn start(plan: &HostPlan, directory: &SiteDirectory) -> Result<Host, Failure> {
        let folder = tempfile::Builder::new().prefix("fleet-").tempdir_in(&plan.below)?;
        let data = folder.path().join("data");
        let stall = Stall::default();
        let (node, address, metrics) = if let Some(program) = &plan.program {
            let site = folder.path().join("site");
            directory.write(&site)?;
            let (child, listening) = spawn(program, &site, &data, plan)?;
            (HostedNode::Process(child), listening.node, listening.metrics)
        } else {
            let running = start_here(directory, &data, plan.threads, &stall)?;
            let address = running.address();
            (HostedNode::Here(Some(Box::new(running))), address, None)
        };
        let enrolled = |role: Role, name: &str| -> Result<ClientConfig, Failure> {
            let bundle = match &plan.program {
                Some(program) => enrol(program, role, name, &data, &folder.path().join(name))?,
                None => authority(directory, &data)?.issue(role, &name_of(name))?,
            };
            Ok(ClientConfig::new(address, SERVER_NAME, bundle))
        };
        let vendor = enrolled(Role::Vendor, FEED)?;
        let receiver = enrolled(Role::Receiver, "load-test")?;
        let operator = enrolled(Role::Operator, "desk")?;
        let stall = plan.program.is_none().then_some(stall);
        Ok(Host { vendor, receiver, operator, metrics, stall, node, folder })
    }

    /// The node's process, when it has its own.
    pub(crate) fn process(&self) -> Option<u32> {
        match &self.node {
            HostedNode::Process(child) => Some(child.id()),
            HostedNode::Here(_) => None,
        }
    }

    /// Kills the node's process, as a power cut would end it.
    pub(crate) fn kill(&self) -> Result<(), Failure> {
        let id = self.process().and_then(|id| i32::try_from(id).ok());
        let id = id.and_then(rustix::process::Pid::from_raw);
        let id = id.ok_or_else(|| Failure::new("the node is no process of its own"))?;
        Ok(rustix::process::kill_process(id, rustix::process::Signal::KILL)?)
    }

    /// Starts a process anew that was killed, on what it left. Says how long it took until it listened.
    pub(crate) fn start_again(&mut self, plan: &HostPlan) -> Result<Duration, Failure> {
        let (HostedNode::Process(child), Some(program)) = (&mut self.node, &plan.program) else {
            return Err(Failure::new("the node is no process of its own"));
        };
        child.wait()?;
        let folder = self.folder.path();
        let begun_at = now();
        let (child, listening) = spawn(program, &folder.join("site"), &folder.join("data"), plan)?;
        let took = Duration::from_nanos(now().since_ns(begun_at));
        self.node = HostedNode::Process(child);
        self.metrics = listening.metrics;
        for config in [&mut self.vendor, &mut self.receiver, &mut self.operator] {
            config.addr = listening.node;
        }
        Ok(took)
    }

    /// Ends the node in order.
    pub(crate) fn end(mut self) -> Result<(), Failure> {
        match &mut self.node {
            HostedNode::Process(child) => {
                let id = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw);
                let id = id.ok_or_else(|| Failure::new("the node's process has no number"))?;
                rustix::process::kill_process(id, rustix::process::Signal::TERM)?;
                let status = child.wait()?;
                if status.success() {
                    return Ok(());
                }
                Err(Failure::new(format!("the node ended with {status}; its log is above")))
            }
            HostedNode::Here(running) => {
                let ended = running.take().map_or(Ended::Drained, |running| running.drain());
                if ended == Ended::Drained {
                    return Ok(());
                }
                Err(Failure::new("the node did not end in order; its log is above"))
            }
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if let HostedNode::Process(child) = &mut self.node {
            // One that has ended in order is gone already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The `ach` beside this program, as cargo puts both into one folder.
pub(crate) fn program_beside() -> Result<PathBuf, Failure> {
    let beside = std::env::current_exe()?.with_file_name("ach");
    if beside.is_file() {
        return Ok(beside);
    }
    Err(Failure::new(format!(
        "there is no {}; build it (cargo build --release -p ach), name another with --ach, or run \
         the node in this process (--in-process)",
        beside.display()
    )))
}

/// Where a node says that it listens.
#[derive(Debug, Clone, Copy)]
struct Listening {
    node: SocketAddr,
    metrics: Option<SocketAddr>,
}

impl Listening {
    /// Reads a line of `ach serve --json`.
    fn read(line: &str) -> Option<Listening> {
        let value: serde_json::Value = serde_json::from_str(line).ok()?;
        let address = |name: &str| value.get(name)?.as_str()?.parse().ok();
        Some(Listening { node: address("node")?, metrics: address("metrics") })
    }
}

fn spawn(
    program: &Path,
    site: &Path,
    data: &Path,
    plan: &HostPlan,
) -> Result<(Child, Listening), Failure> {
    let mut command = Command::new(program);
    command
        .args(["serve", "--json", "--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0"])
        .args(["--arrangement", plan.threads.word(), "--site"])
        .arg(site)
        .arg("--data")
        .arg(data)
        .env("ACH_LOG", std::env::var("ACH_LOG").unwrap_or_else(|_| "warn".to_owned()))
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    if plan.measures_residence {
        command.args(["--measure", "residence"]);
    }
    match plan.remembers {
        Remembers::History => {}
        Remembers::HistoryWithoutJournal => {
            command.arg("--forget-journal");
        }
        Remembers::HistoryAlone => {
            command.args(["--archive-days", "0", "--forget-journal"]);
        }
        Remembers::JournalAlone => {
            command.args(["--history", "off"]);
        }
    }
    let mut child = match &plan.cores {
        Some(cores) => cores.on_node_core(|| command.spawn())??,
        None => command.spawn()?,
    };
    let (said, hears) = channel();
    if let Some(stdout) = child.stdout.take() {
        // Ends with the child's output.
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if let Some(listening) = Listening::read(&line) {
                    // Only the first is waited for.
                    let _ = said.send(listening);
                }
            }
        });
    }
    if let Ok(listening) = hears.recv_timeout(START_WITHIN) {
        return Ok((child, listening));
    }
    // It may have ended by itself, which is as good.
    let _ = child.kill();
    let status = child.wait()?;
    let text = format!("{} did not listen; it ended with {status}", program.display());
    Err(Failure::new(text))
}

/// Enrols by the command that a user would type.
fn enrol(
    program: &Path,
    role: Role,
    name: &str,
    data: &Path,
    out: &Path,
) -> Result<Bundle, Failure> {
    let mut command = Command::new(program);
    command.args([role.word(), "enrol", name, "--data"]).arg(data).arg("--out").arg(out);
    let ended = command.stdin(Stdio::null()).output()?;
    if ended.status.success() {
        return Ok(Bundle::load(out)?);
    }
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    Err(Failure::new(format!("`{} enrol {name}` failed: {said}", role.word())))
}

fn start_here(
    directory: &SiteDirectory,
    data: &Path,
    threads: Threads,
    stall: &Stall,
) -> Result<Running, Failure> {
    let disk = StallingDisk::behind(FileDisk::create(data.join("journal"))?, stall.clone());
    start_on(directory, data, threads, &disk, Arc::new(SystemClock::default()))
}

/// Starts a node within this process, on a disk and by a clock.
pub(crate) fn start_on<D: Disk + Clone + Send + 'static>(
    directory: &SiteDirectory,
    data: &Path,
    threads: Threads,
    disk: &D,
    clock: Arc<dyn Clock>,
) -> Result<Running, Failure> {
    fs::create_dir_all(data)?;
    let node = name_of("node-1");
    let config = NodeConfig {
        bundle: authority(directory, data)?.issue_node(&node, &[])?,
        name: node,
        site: directory.config(1)?,
        frame: None,
        made_from: None,
        data: data.to_owned(),
        kek: KekSource::File(data.join("journal.key")),
        journal: ach_engine_journal::Config::default(),
        listen: (Ipv4Addr::LOCALHOST, 0).into(),
        arrangement: threads.arrangement(),
        limits: NodeLimits::default(),
    };
    Ok(Node::start_on(config, disk, clock)?)
}

pub(crate) fn authority(directory: &SiteDirectory, data: &Path) -> Result<Authority, Failure> {
    Ok(Authority::open_or_create(&data.join("pki"), &directory.id)?)
}

pub(crate) fn name_of(id: &str) -> Name {
    #[expect(clippy::expect_used, reason = "literals of letters and digits")]
    Name::new(id).expect("a short plain id")
}
