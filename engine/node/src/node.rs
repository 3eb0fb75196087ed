//! A node: started with a site and a data folder, stopped in good order.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

use ach_actors_model::{Lane, Name, SiteConfig};
use ach_engine_journal::{Config, Disk, FileDisk, KekSource};
use ach_engine_net::Bundle;
use ach_engine_shard::Input;
use ach_engine_wire::SiteDigest;
use ach_geo::SiteFrame;
use actix::System;
use tokio::sync::watch;

use crate::assembly::{Assembled, assemble};
use crate::audit_state::{AuditState, AuditTrouble};
use crate::clock::{Clock, ShardClock, SystemClock};
use crate::commit_mark::{CommitMark, JournalTrouble, StoringStopped};
use crate::counters::Counters;
use crate::give_way::rim_runtime;
use crate::here::{Here, HereHistory};
use crate::history_start;
use crate::history_state::HistoryTrouble;
use crate::lanes::{Lanes, LanesClosed};
use crate::limits::NodeLimits;
use crate::node_page::NodePage;
use crate::outlet::Outlet;
use crate::recovery::recover;
use crate::selftest::schedule::SelftestTrouble;
use crate::serve::{FrontDoor, Serving, serve};
use crate::shard_actor::ShardState;
use crate::shard_gauge::ShardGauge;
use crate::start_error::StartError;

/// The list of revoked certificates in a node's folder. Whoever changes it changes what a running node
/// lets in, within seconds.
pub const REVOKED_FILE: &str = "revoked";

/// Which threads do what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Arrangement {
    /// Sessions and shard share a thread: the shortest way on few cores.
    OneThread,
    /// The shard has a thread of its own.
    TwoThread,
    /// Two from four cores on.
    #[default]
    Auto,
}

/// What a node is to be.
#[derive(Debug)]
pub struct NodeConfig {
    /// Its name.
    pub name: Name,
    /// The site, in whatever version; the node counts versions itself.
    pub site: SiteConfig,
    /// How to read global coordinates; without it they are refused.
    pub frame: Option<SiteFrame>,
    /// Which version of the site it was made from, and its digest, if that is known: then what was put
    /// in force over a connection gives way to it where it was made from just that.
    pub made_from: Option<(u32, SiteDigest)>,
    /// Its folder: the journal lies in `journal`, the audit log in `audit`, its key in `audit.key`.
    pub data: PathBuf,
    /// Where the journal's key comes from.
    pub kek: KekSource,
    /// Sizes of the journal.
    pub journal: Config,
    /// Its certificate, key and authority.
    pub bundle: Bundle,
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Which threads do what.
    pub arrangement: Arrangement,
    /// Limits.
    pub limits: NodeLimits,
}

/// How a node ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Everything that came in was decided, and stored if the node stored.
    Drained,
    /// It could not drain in time, or something inside failed. Start it again: it comes back from
    /// its journal.
    Failed,
}

/// How a node is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// Why it does not store, if so.
    pub stopped: Option<StoringStopped>,
    /// The last entry on disk.
    pub durable_index: u64,
    /// Bytes that wait for the disk.
    pub backlog_bytes: u64,
    /// Whether the shard works.
    pub is_running: bool,
    /// What is wrong with the audit log, if anything. Alarms go on; an operator must act.
    pub audit_trouble: Option<AuditTrouble>,
    /// Open alarms that no receiver has displayed within 30 s. Perhaps nobody looks.
    pub undisplayed_count: u64,
    /// Whether a receiver of this site has ever said that it displays alarms, in this run or an earlier
    /// one. Where none has, that nobody displays an alarm is no trouble of the node's.
    pub is_display_expected: bool,
    /// What is wrong with the daily self-test, where there is one.
    pub selftest_trouble: Option<SelftestTrouble>,
    /// What is wrong with history or archives, if anything. Alarms go on, and so does storing.
    pub history_trouble: Option<HistoryTrouble>,
    /// What is wrong with the journal that does not end storing.
    pub journal_troubles: Vec<JournalTrouble>,
}

impl Health {
    /// Whether it works and stores. One that does not store still raises alarms: keep its feeds
    /// connected, and see [`Health::stopped`] for what an operator must do.
    pub fn is_ready(&self) -> bool {
        self.is_running && self.stopped.is_none()
    }

    /// Whether it works and something is not as it must be, so that an operator must act.
    pub fn is_degraded(&self) -> bool {
        let is_troubled = self.audit_trouble.is_some()
            || self.history_trouble.is_some()
            || self.selftest_trouble.is_some()
            || !self.journal_troubles.is_empty();
        let is_wrong = self.stopped.is_some() || is_troubled;
        let is_unseen = self.is_display_expected && self.undisplayed_count > 0;
        self.is_running && (is_wrong || is_unseen)
    }
}

/// The node.
#[derive(Debug)]
pub struct Node {}

impl Node {
    /// Starts a node: replays its journal, puts the site in force, listens. Returns when the
    /// endpoint takes connections.
    ///
    /// # Errors
    ///
    /// See [`StartError`].
    pub fn start(config: NodeConfig) -> Result<Running, StartError> {
        Node::start_by(config, Arc::new(SystemClock::default()))
    }

    /// As [`Node::start`], with other clocks than the machine's: a recording is replayed on a node
    /// whose time follows the recording. Whoever moves such a clock calls [`Running::tick`] after.
    ///
    /// # Errors
    ///
    /// See [`StartError`].
    pub fn start_by(config: NodeConfig, clock: Arc<dyn Clock>) -> Result<Running, StartError> {
        let folder = config.data.join("journal");
        let disk = FileDisk::create(&folder).map_err(|source| StartError::Folder {
            folder: folder.display().to_string(),
            source,
        })?;
        Node::start_on(config, &disk, clock)
    }

    /// As [`Node::start_by`], with the journal on another disk: simulated, to see a node through
    /// faults.
    ///
    /// # Errors
    ///
    /// See [`StartError`].
    pub fn start_on<D>(
        config: NodeConfig,
        disk: &D,
        clock: Arc<dyn Clock>,
    ) -> Result<Running, StartError>
    where
        D: Disk + Clone + Send + 'static,
    {
        let folder = config.data.join("audit");
        Node::start_in(config, disk, move || FileDisk::create(&folder), clock, None)
    }

    /// As [`Node::start_on`], with history, if the node is to have one, in simulated tables instead of a
    /// folder.
    ///
    /// # Errors
    ///
    /// See [`StartError`].
    pub fn start_with_history<D>(
        config: NodeConfig,
        disk: &D,
        clock: Arc<dyn Clock>,
        history: HereHistory,
    ) -> Result<Running, StartError>
    where
        D: Disk + Clone + Send + 'static,
    {
        let folder = config.data.join("audit");
        Node::start_in(config, disk, move || FileDisk::create(&folder), clock, Some(history))
    }

    /// As [`Node::start_on`], with the audit log on another disk too.
    ///
    /// # Errors
    ///
    /// See [`StartError`]. That the audit log cannot be written is none: see
    /// [`Health::audit_trouble`].
    pub fn start_on_disks<D, A>(
        config: NodeConfig,
        disk: &D,
        audit_disk: A,
        clock: Arc<dyn Clock>,
    ) -> Result<Running, StartError>
    where
        D: Disk + Clone + Send + 'static,
        A: Disk + Clone + Send + 'static,
    {
        Node::start_in(config, disk, move || Ok(audit_disk.clone()), clock, None)
    }

    /// `audit_place` gives the folder of the audit log, and is asked until it does.
    fn start_in<D, A>(
        config: NodeConfig,
        disk: &D,
        audit_place: impl FnMut() -> io::Result<A> + Send + 'static,
        clock: Arc<dyn Clock>,
        tables: Option<HereHistory>,
    ) -> Result<Running, StartError>
    where
        D: Disk + Clone + Send + 'static,
        A: Disk + Clone + Send + 'static,
    {
        let kek = config.kek.load_for(disk)?;
        let recovered = recover(disk, config.journal, &kek, config.limits.checkpoints, true)?;
        let history = |config: &NodeConfig, parts| {
            history_start::start(config, (disk.clone(), kek), parts, tables)
        };
        start(assemble(config, recovered, audit_place, history, clock, None)?)
    }

    /// As [`Node::start_on_disks`], with everything on the caller's thread: the node is the future, which
    /// must be polled within a local set of a tokio runtime, and is killed by dropping both. It has
    /// the parts, and the code, that a node with threads has.
    ///
    /// # Errors
    ///
    /// See [`StartError`].
    pub fn start_here<D, A>(
        config: NodeConfig,
        disk: &D,
        audit_disk: A,
        clock: Arc<dyn Clock>,
        here: Here,
    ) -> Result<(Running, impl Future<Output = ()> + 'static), StartError>
    where
        D: Disk + Clone + Send + 'static,
        A: Disk + Clone + Send + 'static,
    {
        let kek = config.kek.load_for(disk)?;
        let recovered = recover(disk, config.journal, &kek, config.limits.checkpoints, false)?;
        let Here { endpoint, disk_pace, history } = here;
        let audit_place = move || Ok(audit_disk.clone());
        let (mut historian, history_pace) = (None, clock.clone());
        let start_history = |config: &NodeConfig, parts| {
            let started = history.and_then(|here| {
                history_start::start_here(config, (disk.clone(), kek), parts, (here, history_pace))
            });
            let (feed, writer) = started.unzip();
            historian = writer;
            Ok(feed)
        };
        let pace = Some(disk_pace);
        let Assembled { serving, running, mut beside } =
            assemble(config, recovered, audit_place, start_history, clock, pace)?;
        beside.extend(historian);
        let serving = Serving { door: FrontDoor::Endpoint(endpoint), ..serving };
        let node = async move {
            let beside: Vec<_> = beside.into_iter().map(tokio::task::spawn_local).collect();
            serve(serving).await;
            beside.iter().for_each(tokio::task::JoinHandle::abort);
        };
        Ok((running, node))
    }
}

/// A node at work. Dropping it stops the node, without waiting.
#[derive(Debug)]
pub struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) stop: watch::Sender<bool>,
    pub(crate) state: watch::Receiver<ShardState>,
    pub(crate) thread: Option<JoinHandle<()>>,
    pub(crate) lanes: Arc<Lanes>,
    pub(crate) outlet: Arc<Outlet>,
    pub(crate) clock: Arc<ShardClock>,
    pub(crate) mark: Arc<CommitMark>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) gauge: Arc<ShardGauge>,
    pub(crate) audit: Arc<AuditState>,
    pub(crate) site_version: u32,
    pub(crate) is_site_as_given: bool,
    /// Ends the watch over revoked certificates when it is dropped.
    pub(crate) _end_watch: Option<Sender<()>>,
}

impl Running {
    /// The version of the site that was in force when it started.
    pub fn site_version(&self) -> u32 {
        self.site_version
    }

    /// Whether that is the site it was given. It is not where another one was put in force while an
    /// earlier run of the node was at work, and the given one is older: that one stays in force.
    pub fn is_site_as_given(&self) -> bool {
        self.is_site_as_given
    }

    /// Its numbers for operators, to be served by whoever likes, from any thread.
    pub fn page(&self) -> NodePage {
        NodePage {
            state: self.state.clone(),
            lanes: self.lanes.clone(),
            outlet: self.outlet.clone(),
            clock: self.clock.clone(),
            mark: self.mark.clone(),
            counters: self.counters.clone(),
            gauge: self.gauge.clone(),
            audit: self.audit.clone(),
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Everything counted.
    pub fn counters(&self) -> &Arc<Counters> {
        &self.counters
    }

    /// Numbers of the shard, as of its last heartbeat (once a second).
    pub fn gauges(&self) -> Vec<(&'static str, u64)> {
        self.gauge.named()
    }

    /// How it is.
    pub fn health(&self) -> Health {
        Health {
            stopped: self.mark.stopped().cloned(),
            durable_index: self.mark.durable_index(),
            backlog_bytes: self.mark.backlog_bytes(),
            is_running: *self.state.borrow() == ShardState::Running,
            audit_trouble: self.audit.trouble(),
            undisplayed_count: self.counters.tally.undisplayed(),
            is_display_expected: self.counters.tally.is_display_expected(),
            selftest_trouble: self.counters.tally.selftest_trouble(),
            history_trouble: self.counters.tally.history.trouble(),
            journal_troubles: self.mark.troubles(),
        }
    }

    /// Puts another version of the site in force. It is in force when it is durable; subscribers of
    /// events are told.
    ///
    /// # Errors
    ///
    /// The node is ending.
    pub async fn change_site(&self, site: SiteConfig) -> Result<(), LanesClosed> {
        self.lanes.send(Lane::Door, Input::SiteChange(Box::new(site))).await
    }

    /// Lets the shard look at its clock and fire what is due.
    ///
    /// # Errors
    ///
    /// The node is ending.
    pub async fn tick(&self) -> Result<(), LanesClosed> {
        self.lanes.send(Lane::Door, Input::Tick).await
    }

    /// Returns when nothing is stored any more, and says why. Alarms go on; an operator must act.
    pub async fn storing_stopped(&self) -> StoringStopped {
        self.mark.when_stopped().await
    }

    /// Returns when the shard works no longer, whether it was asked to end or failed.
    pub async fn over(&self) {
        let mut state = self.state.clone();
        // An error means that the rim's thread is gone, which is the same.
        drop(state.wait_for(|state| *state != ShardState::Running).await);
    }

    /// Begins to end: nothing new comes in, what came in is decided, stored and told.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Ends in good order and waits for it.
    pub fn drain(mut self) -> Ended {
        self.stop();
        self.join()
    }

    fn join(&mut self) -> Ended {
        let is_joined = self.thread.take().is_none_or(|thread| thread.join().is_ok());
        if is_joined && *self.state.borrow() == ShardState::Drained {
            Ended::Drained
        } else {
            Ended::Failed
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Gives a node that is put together its threads.
fn start(assembled: Assembled) -> Result<Running, StartError> {
    let Assembled { serving, mut running, .. } = assembled;
    let (ready, is_ready) = channel();
    let serving = Serving { ready: Some(ready), ..serving };
    let runtime = rim_runtime().map_err(StartError::Thread)?;
    let thread = std::thread::Builder::new()
        .name("ach-rim".to_owned())
        .spawn(move || System::with_tokio_rt(|| runtime).block_on(serve(serving)))
        .map_err(StartError::Thread)?;
    let address = is_ready.recv().map_err(|_| StartError::Failed)??;
    tracing::info!(%address, "the node takes connections");
    running.address = address;
    running.thread = Some(thread);
    Ok(running)
}
