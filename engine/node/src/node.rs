//! A node: started with a site and a data folder, stopped in good order.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread::JoinHandle;

use ach_actors_entities::Site;
use ach_actors_model::{Lane, Name, SiteConfig, SourceRef};
use ach_engine_journal::{Config, Disk, FileDisk, KekSource};
use ach_engine_net::Bundle;
use ach_engine_shard::Input;
use ach_geo::SiteFrame;
use actix::System;
use tokio::sync::watch;

use crate::ack_table::{AckTable, VENDOR_LANES};
use crate::audit_start::{Audit, audit};
use crate::audit_state::{AuditState, AuditTrouble};
use crate::clock::{Clock, ShardClock, SystemClock};
use crate::commit_mark::{CommitMark, JournalTrouble, StoringStopped};
use crate::committer::Committer;
use crate::counters::Counters;
use crate::keeper::Keeper;
use crate::lanes::{Lanes, LanesClosed};
use crate::limits::NodeLimits;
use crate::node_page::NodePage;
use crate::outlet::{Outlet, Spout};
use crate::recovery::{Recovered, recover};
use crate::rim::RimParts;
use crate::scribe::{CheckpointPolicy, Scribe};
use crate::serve::{Serving, serve};
use crate::shard_actor::ShardState;
use crate::shard_gauge::ShardGauge;
use crate::shard_worker::{ShardParts, ShardWorker};
use crate::start_error::StartError;
use crate::told::Told;

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
        let is_troubled = self.audit_trouble.is_some() || !self.journal_troubles.is_empty();
        self.is_running && (self.stopped.is_some() || is_troubled)
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
        let audit_disk = FileDisk::create(&folder).map_err(|source| StartError::AuditFolder {
            folder: folder.display().to_string(),
            source,
        })?;
        Node::start_on_disks(config, disk, audit_disk, clock)
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
        let kek = config.kek.load_for(disk)?;
        let recovered = recover(disk, config.journal, &kek, config.limits.checkpoints)?;
        check_site(&config, &recovered)?;
        let shared = Shared::new(&recovered, clock, &config.limits);
        let audit = audit(&config, audit_disk, &shared.counters, &shared.clock)?;
        start(config, recovered, shared, audit)
    }
}

/// A node at work. Dropping it stops the node, without waiting.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    state: watch::Receiver<ShardState>,
    thread: Option<JoinHandle<()>>,
    lanes: Arc<Lanes>,
    outlet: Arc<Outlet>,
    clock: Arc<ShardClock>,
    mark: Arc<CommitMark>,
    counters: Arc<Counters>,
    gauge: Arc<ShardGauge>,
    audit: Arc<AuditState>,
}

impl Running {
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

/// Starts a node from a journal that has been replayed.
fn start(
    config: NodeConfig,
    recovered: Recovered,
    shared: Shared,
    audit: Audit,
) -> Result<Running, StartError> {
    let NodeConfig { name, site, frame, bundle, listen, arrangement, limits, .. } = config;
    let (worker, told, acks) = worker(&shared, recovered, site, limits.checkpoints)?;
    let site = worker.shard().site().cloned().ok_or(StartError::Failed)?;
    let rim = RimParts {
        node: name,
        frame,
        lanes: shared.lanes.clone(),
        outlet: shared.outlet.clone(),
        clock: shared.clock.clone(),
        mark: shared.mark.clone(),
        counters: shared.counters.clone(),
        gauge: shared.gauge.clone(),
        limits,
        audit: audit.auditor,
        acks: recovered_acks(acks, &worker, &site),
        told,
        site,
    };
    let (state, running) = watch::channel(ShardState::Running);
    let (stop, stopping) = watch::channel(false);
    let (ready, is_ready) = channel();
    let serving =
        Serving { listen, bundle, arrangement, worker, rim, state, stop: stopping, ready };
    let thread = std::thread::Builder::new()
        .name("ach-rim".to_owned())
        .spawn(move || System::new().block_on(serve(serving)))
        .map_err(StartError::Thread)?;
    let address = is_ready.recv().map_err(|_| StartError::Failed)??;
    tracing::info!(%address, "the node takes connections");
    Ok(Running {
        address,
        stop,
        state: running,
        thread: Some(thread),
        lanes: shared.lanes,
        outlet: shared.outlet,
        clock: shared.clock,
        mark: shared.mark,
        counters: shared.counters,
        gauge: shared.gauge,
        audit: audit.state,
    })
}

/// What the threads of a node share.
#[derive(Debug)]
struct Shared {
    lanes: Arc<Lanes>,
    outlet: Arc<Outlet>,
    clock: Arc<ShardClock>,
    mark: Arc<CommitMark>,
    counters: Arc<Counters>,
    gauge: Arc<ShardGauge>,
}

impl Shared {
    fn new(recovered: &Recovered, clock: Arc<dyn Clock>, limits: &NodeLimits) -> Shared {
        let last_logged = (recovered.last_index > 0).then_some(recovered.last_at);
        Shared {
            lanes: Arc::new(Lanes::new(limits.ping_batches_max)),
            outlet: Arc::new(Outlet::new()),
            clock: Arc::new(ShardClock::start(clock, last_logged)),
            mark: Arc::new(CommitMark::at(recovered.last_index)),
            counters: Arc::default(),
            gauge: Arc::default(),
        }
    }
}

/// Puts the recovered shard to work, with a committer that stores what it decides. Gives back what
/// the rim goes on with.
fn worker(
    shared: &Shared,
    recovered: Recovered,
    site: SiteConfig,
    policy: CheckpointPolicy,
) -> Result<(ShardWorker, Told, AckTable), StartError> {
    let (mark, counters) = (shared.mark.clone(), shared.counters.clone());
    if let Some(why) = recovered.stopped {
        mark.stop(why);
    }
    if let Some(first) = recovered.old_damage.first() {
        let (count, first) = (recovered.old_damage.len(), first.to_string());
        mark.trouble(JournalTrouble::OldDamage { count, first });
    }
    let committer = match recovered.log {
        // Groups are gathered by real time, whatever time the shard follows: the disk is real.
        Some(log) => {
            let clock = Arc::new(SystemClock::default());
            Committer::start(log, mark.clone(), counters.clone(), clock)
                .map_err(StartError::Thread)?
        }
        None => Committer::absent(mark.clone(), counters.clone()),
    };
    let keeper = recovered
        .store
        .map(|store| Keeper::start(store, committer.pin(), mark.clone(), counters.clone()));
    let keeper = keeper.transpose().map_err(StartError::Thread)?;
    let (told, acks) =
        (recovered.ledger.told(recovered.shard.open_notices()), recovered.ledger.acks());
    let past = (recovered.ledger, recovered.sites, recovered.since);
    let change = changed_site(site, recovered.site.as_ref());
    let mut worker = ShardWorker::new(ShardParts {
        shard: recovered.shard,
        lanes: shared.lanes.clone(),
        clock: shared.clock.clone(),
        committer,
        mark,
        spout: Spout::new(shared.outlet.clone()),
        scribe: Scribe::new(past, keeper, policy, counters.clone()),
        counters,
        gauge: shared.gauge.clone(),
        last_index: recovered.last_index,
        last_at: recovered.last_at,
        site_version: recovered.site.as_ref().map_or(0, |site| site.version),
    });
    let away_since = (recovered.last_index > 0).then_some(recovered.last_at);
    worker.open(away_since, change.map(Box::new));
    Ok((worker, told, acks))
}

fn check_site(config: &NodeConfig, recovered: &Recovered) -> Result<(), StartError> {
    let wanted = config.site.site.clone();
    let found = &config.bundle.identity().site;
    if *found != wanted {
        return Err(StartError::OtherCertificate { found: found.clone(), wanted });
    }
    match &recovered.site {
        Some(site) if site.site != wanted => {
            Err(StartError::OtherSite { found: site.site.clone(), wanted })
        }
        _ => {
            let mut next = config.site.clone();
            next.version = recovered.site.as_ref().map_or(1, |site| site.version.saturating_add(1));
            let in_force = recovered.shard.site().map(Arc::as_ref);
            Site::compile(in_force, &next)?;
            Ok(())
        }
    }
}

/// The site's next version, if it differs from the one in force.
fn changed_site(wanted: SiteConfig, in_force: Option<&SiteConfig>) -> Option<SiteConfig> {
    match in_force {
        None => Some(SiteConfig { version: 1, ..wanted }),
        Some(in_force) => {
            let same = SiteConfig { version: in_force.version, ..wanted };
            let version = in_force.version.saturating_add(1);
            if same == *in_force { None } else { Some(SiteConfig { version, ..same }) }
        }
    }
}

/// What became of the inputs is known from the replay; how far they reach, from the shard.
fn recovered_acks(mut acks: AckTable, worker: &ShardWorker, site: &Site) -> AckTable {
    for source in (0..).map(SourceRef).take(site.source_ref_count()) {
        for lane in VENDOR_LANES {
            let state = worker.shard().lane_state(source, lane);
            acks.recover(source, lane, state.epoch, state.accepted_through);
        }
    }
    acks
}
