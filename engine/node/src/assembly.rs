//! Puts the parts of a node together.

use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::mpsc::Sender;

use ach_actors_entities::Site;
use ach_actors_model::{SiteConfig, SourceRef};
use ach_engine_journal::Disk;
use ach_engine_net::Revocations;
use tokio::sync::watch;

use crate::ack_table::{AckTable, VENDOR_LANES};
use crate::audit_start::{audit, audit_here};
use crate::clock::{Clock, ShardClock, SystemClock};
use crate::commit_mark::{CommitMark, JournalTrouble};
use crate::committer::{Committer, DiskPace};
use crate::counters::Counters;
use crate::door_table::DoorTable;
use crate::history_feed::HistoryFeed;
use crate::history_start::HistoryParts;
use crate::keeper::Keeper;
use crate::lanes::Lanes;
use crate::limits::NodeLimits;
use crate::memo::MemoBook;
use crate::node::{Arrangement, NodeConfig, REVOKED_FILE, Running};
use crate::outlet::{Outlet, Spout};
use crate::planted::{PlantedBug, is_planted};
use crate::recent::NoticeAt;
use crate::recovery::Recovered;
use crate::revocation_watch;
use crate::rim::RimParts;
use crate::scribe::{CheckpointPolicy, Scribe};
use crate::serve::{FrontDoor, Serving};
use crate::shard_actor::ShardState;
use crate::shard_gauge::ShardGauge;
use crate::shard_worker::{ShardParts, ShardWorker};
use crate::site_note::{self, Given};
use crate::start_error::StartError;
use crate::told::Told;

/// What a node without threads does beside the rest.
pub(crate) type Beside = Pin<Box<dyn Future<Output = ()>>>;

/// A node that is put together and does nothing yet.
pub(crate) struct Assembled {
    pub serving: Serving,
    pub running: Running,
    /// What is to be run beside it, unless it has threads for that.
    pub beside: Vec<Beside>,
}

/// Puts a node together. With a `pace` it has no thread of its own.
pub(crate) fn assemble<A>(
    config: NodeConfig,
    recovered: Recovered,
    audit_place: impl FnMut() -> io::Result<A> + Send + 'static,
    history: impl FnOnce(&NodeConfig, HistoryParts) -> Result<Option<HistoryFeed>, StartError>,
    clock: Arc<dyn Clock>,
    pace: Option<DiskPace>,
) -> Result<Assembled, StartError>
where
    A: Disk + Clone + Send + 'static,
{
    check_site(&config, &recovered)?;
    let mut beside = Vec::new();
    let shared = Shared::new(&recovered, clock.clone(), &config.limits);
    let audit = if pace.is_some() {
        let (audit, writer) = audit_here(&config, audit_place, &shared.counters, &shared.clock);
        beside.push(writer);
        audit
    } else {
        audit(&config, audit_place, &shared.counters, &shared.clock)?
    };
    let history = history(&config, shared.history_parts(&recovered))?;
    recovered.floor.decide();
    let NodeConfig { name, bundle, listen, arrangement, limits, data, .. } = config;
    let given = Given { site: config.site, frame: config.frame, made_from: config.made_from };
    let chosen = if pace.is_some() {
        site_note::choose_unnoted(given, recovered.site.as_ref())
    } else {
        site_note::choose(&data, given, recovered.site.as_ref())
    };
    let site_digest = chosen.digest(recovered.site.as_ref());
    let memo = memo_book(pace.is_none(), &data)?;
    let was_revoked = memo.memo().revoked_at.0 > 0;
    let (revocations, end_watch) =
        revocations(pace.is_none(), &data, &shared.counters, was_revoked)?;
    let arrangement = if pace.is_some() { Arrangement::OneThread } else { arrangement };
    let timing = (clock, pace, limits.checkpoints, history);
    let (worker, known) = worker(&shared, recovered, chosen.change, timing, &mut beside)?;
    let site = worker.shard().site().cloned().ok_or(StartError::Failed)?;
    let site_version = site.version();
    let rim = RimParts {
        node: name,
        frame: chosen.frame,
        lanes: shared.lanes.clone(),
        outlet: shared.outlet.clone(),
        clock: shared.clock.clone(),
        mark: shared.mark.clone(),
        counters: shared.counters.clone(),
        gauge: shared.gauge.clone(),
        limits,
        audit: audit.auditor,
        acks: recovered_acks(known.acks, &worker, &site),
        told: known.told,
        doors: known.doors,
        passes: worker.shard().passes().cloned().collect(),
        site,
        site_digest,
        revocations,
        memo,
    };
    let (state, running) = watch::channel(ShardState::Running);
    let (stop, stopping) = watch::channel(false);
    let door = FrontDoor::Address(listen, bundle);
    let serving = Serving { door, arrangement, worker, rim, state, stop: stopping, ready: None };
    let running = Running {
        address: listen,
        stop,
        state: running,
        thread: None,
        lanes: shared.lanes,
        outlet: shared.outlet,
        clock: shared.clock,
        mark: shared.mark,
        counters: shared.counters,
        gauge: shared.gauge,
        audit: audit.state,
        site_version,
        is_site_as_given: chosen.is_as_given,
        _end_watch: end_watch,
    };
    Ok(Assembled { serving, running, beside })
}

/// What the node remembers beside its journal. Without a disk of its own it remembers until it ends.
fn memo_book(is_kept: bool, data: &Path) -> Result<MemoBook, StartError> {
    if !is_kept {
        return Ok(MemoBook::fleeting());
    }
    MemoBook::open(data).map_err(StartError::Thread)
}

/// Which certificates are revoked, and what ends the watch over the list of them. Without threads nobody
/// watches, and none are.
fn revocations(
    is_threaded: bool,
    data: &Path,
    counters: &Arc<Counters>,
    was_there: bool,
) -> Result<(watch::Receiver<Revocations>, Option<Sender<()>>), StartError> {
    if !is_threaded {
        return Ok((watch::channel(Revocations::default()).1, None));
    }
    let watched = revocation_watch::start(data.join(REVOKED_FILE), counters.clone(), was_there);
    let (revocations, end_watch) = watched.map_err(StartError::Thread)?;
    Ok((revocations, Some(end_watch)))
}

/// By what clock and pace the disk is written, when checkpoints are made, and who is told for history.
type Timing = (Arc<dyn Clock>, Option<DiskPace>, CheckpointPolicy, Option<HistoryFeed>);

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
        let mark = CommitMark::at(recovered.last_index);
        // Before anybody asks whether anything is stored.
        if let Some(why) = &recovered.stopped {
            mark.stop(why.clone());
        }
        Shared {
            lanes: Arc::new(Lanes::new(limits.ping_batches_max)),
            outlet: Arc::new(Outlet::new()),
            clock: Arc::new(ShardClock::start(clock, last_logged)),
            mark: Arc::new(mark),
            counters: Arc::default(),
            gauge: Arc::default(),
        }
    }

    /// What history is told of.
    fn history_parts(&self, recovered: &Recovered) -> HistoryParts {
        HistoryParts {
            mark: self.mark.clone(),
            clock: self.clock.clone(),
            counters: self.counters.clone(),
            floor: recovered.floor.clone(),
            last_at: recovered.last_at,
        }
    }
}

/// What sessions know of what was recovered.
struct Known {
    told: Told,
    doors: DoorTable,
    acks: AckTable,
}

/// Puts the recovered shard to work, with a committer that stores what it decides. Gives back what
/// the rim goes on with.
fn worker(
    shared: &Shared,
    recovered: Recovered,
    change: Option<SiteConfig>,
    (clock, pace, policy, history): Timing,
    beside: &mut Vec<Beside>,
) -> Result<(ShardWorker, Known), StartError> {
    let (mark, counters) = (shared.mark.clone(), shared.counters.clone());
    if let Some(first) = recovered.old_damage.first() {
        let (count, first) = (recovered.old_damage.len(), first.to_string());
        mark.trouble(JournalTrouble::OldDamage { count, first });
    }
    let is_threaded = pace.is_none();
    let committer = match (recovered.log, pace) {
        // Groups are gathered by real time, whatever time the shard follows: the disk is real.
        (Some(log), None) => {
            let clock = Arc::new(SystemClock::default());
            Committer::start(log, mark.clone(), counters.clone(), clock)
                .map_err(StartError::Thread)?
        }
        (Some(log), Some(pace)) => {
            let (committer, writer) =
                Committer::start_here(log, mark.clone(), counters.clone(), clock, pace);
            beside.push(Box::pin(writer));
            committer
        }
        (None, _) => Committer::absent(mark.clone(), counters.clone()),
    };
    let keeper = match recovered.store {
        Some(store) if is_threaded => {
            Some(Keeper::start(store, committer.pin(), mark.clone(), counters.clone()))
                .transpose()
                .map_err(StartError::Thread)?
        }
        Some(store) => {
            let (keeper, writer) =
                Keeper::start_here(store, committer.pin(), mark.clone(), counters.clone());
            beside.push(Box::pin(writer));
            Some(keeper)
        }
        None => None,
    };
    let (told, acks) =
        (recovered.ledger.told(recovered.shard.open_notices()), recovered.ledger.acks());
    let at = NoticeAt { index: recovered.last_index, ordinal: 0 };
    let (standings, emergencies) =
        (recovered.shard.door_standings(), recovered.shard.emergencies());
    let doors = DoorTable::restore(standings, emergencies, at);
    let past = (recovered.ledger, recovered.sites, recovered.since);
    let mut worker = ShardWorker::new(ShardParts {
        shard: recovered.shard,
        lanes: shared.lanes.clone(),
        clock: shared.clock.clone(),
        committer,
        mark,
        spout: Spout::new(shared.outlet.clone()),
        scribe: Scribe::new(past, keeper, policy, counters.clone()),
        history,
        counters,
        gauge: shared.gauge.clone(),
        last_index: recovered.last_index,
        last_at: recovered.last_at,
        site_version: recovered.site.as_ref().map_or(0, |site| site.version),
    });
    let away_since = (recovered.last_index > 0).then_some(recovered.last_at);
    let away_since = away_since.filter(|_| !is_planted(PlantedBug::OutageNotTold));
    worker.open(away_since, change.map(Box::new));
    Ok((worker, Known { told, doors, acks }))
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
