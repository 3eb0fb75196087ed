//! Plays one seed: a node, a vendor, a receiver, what people do, what goes wrong, and the end.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ach_actors_model::{NS_PER_MS, Timestamp};
use ach_clients_rust::ClientConfig;
use ach_engine_net::Bundle;
#[cfg(debug_assertions)]
use ach_engine_node::plant;
use ach_engine_node::{Clock as _, PlantedBug};
use ach_engine_store::SimRoom;
use tempfile::TempDir;
use thiserror::Error;
use tokio::task::LocalSet;
use tokio::time::{Instant, sleep, sleep_until};

use crate::chance::Chance;
use crate::clock::{MachineClock, WorldTime};
use crate::fault::{self, Fault};
use crate::identities::Identities;
use crate::invariants;
use crate::journal_disk::JournalDisk;
use crate::model::Model;
use crate::network::{Network, Weather, machine};
use crate::node_host::{NODE_MACHINE, NodeHost, address};
use crate::outcome::Outcome;
use crate::past::Past;
use crate::receiver::{Receiver, in_world, newcomer};
use crate::runtime::SimRuntime;
use crate::script::{self, ACTIVE_MS, Deed};
use crate::trace::{Trace, digest};
use crate::vendor::{SimSurroundings, Vendor};

mod purpose;
mod trouble;

use purpose::Purpose;

/// Machines in the network, beside the node's.
const VENDOR_MACHINE: u8 = 2;
const RECEIVER_MACHINE: u8 = 3;
const NEWCOMER_MACHINE: u8 = 4;

/// How often it is looked after the node, in milliseconds.
const LOOK_EVERY_MS: u64 = 100;

/// Longest wait, by the simulated clock, until everybody is connected or everything is on disk.
const CALM_WITHIN: Duration = Duration::from_mins(2);

/// How long everybody may take to hear the rest: two of a client's longest waits, and a look at a
/// connection that is dead.
const SETTLE_FOR: Duration = Duration::from_secs(25);

/// Of a thousand runs so many have no fault at all, so that every count must be exact.
const FAULTLESS_PERMILLE: u64 = 60;

/// Why a world could not be made; nothing of the product's doing.
#[derive(Debug, Error)]
pub enum WorldError {
    /// The runtime could not be made.
    #[error("could not make a runtime: {0}")]
    Runtime(io::Error),
    /// The vendor's or the node's folder could not be made.
    #[error("could not make a folder for the vendor or the node: {0}")]
    Folder(io::Error),
    /// There are no certificates.
    #[error("could not make certificates: {detail}")]
    Identities {
        /// Why.
        detail: String,
    },
}

/// A world of one seed.
#[derive(Debug, Clone, Copy)]
pub struct World {
    seed: u64,
    planted: Option<PlantedBug>,
}

impl World {
    /// The world of a seed.
    pub fn new(seed: u64) -> World {
        World { seed, planted: None }
    }

    /// The same with a bug planted in its node, to see that it is found.
    #[cfg(debug_assertions)]
    #[must_use]
    pub fn with_bug(self, bug: PlantedBug) -> World {
        World { planted: Some(bug), ..self }
    }

    /// Plays it to its end.
    ///
    /// # Errors
    ///
    /// The real machine has no room for it.
    pub fn play(self) -> Result<Outcome, WorldError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .map_err(WorldError::Runtime)?;
        let local = LocalSet::new();
        #[cfg(debug_assertions)]
        plant(self.planted);
        let played = runtime.block_on(local.run_until(play(self)));
        #[cfg(debug_assertions)]
        plant(None);
        played
    }
}

/// What happens next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Event {
    Deed(Deed),
    Fault(Fault),
    /// The weather is fair again, and nobody is cut off.
    Fair,
    /// The node's machine is looked after.
    Look,
    StartVendor,
    /// Who took that much of the room of history's disk gives it back.
    HistoryRoom(SimRoom),
    /// The disks, of which history was told that they fill up, are full.
    DiskFull,
    /// Somebody turns history on again.
    HistoryOn,
}

/// A world at work.
#[derive(Debug)]
struct Stage {
    network: Network,
    time: Arc<WorldTime>,
    host: NodeHost,
    vendor: Vendor,
    receiver: Receiver,
    chance: Chance,
    /// Of what becomes of history.
    history_chance: Chance,
    past: Past,
    trace: Trace,
    events: BTreeMap<(u64, u64), Event>,
    event_count: u64,
    /// When a node that is down is started again.
    start_at_ms: Option<u64>,
    /// When somebody repairs a node that does not store.
    repair_at_ms: Option<u64>,
    /// What is put back should the journal be found damaged.
    backup: Option<JournalDisk>,
    /// How long writings of history have been stalled.
    stalled_ns: u64,
    /// Whether something of the disk is among the faults.
    has_disk_faults: bool,
    _folder: TempDir,
}

async fn play(World { seed, planted }: World) -> Result<Outcome, WorldError> {
    let identities =
        Identities::get().map_err(|error| WorldError::Identities { detail: error.to_string() })?;
    let mut plan = Purpose::Faults.chance(seed);
    let is_faultless = plan.happens(FAULTLESS_PERMILLE);
    let mut faults = if is_faultless { Vec::new() } else { fault::draw(&mut plan, ACTIVE_MS) };
    let mut of_history = fault::draw_of_history(&mut Purpose::History.chance(seed), ACTIVE_MS);
    of_history.retain(|(_, fault)| !is_faultless || fault.is_of_history_alone());
    if is_faultless {
        // Only there it can be seen whether alarms wait for it.
        of_history.push((fault::draw_stall(&mut Purpose::Stall.chance(seed)), Fault::HistoryStall));
    }
    faults.extend(of_history);
    faults.sort();
    let mut stage = Stage::set(seed, identities)?;
    stage.gather().await;
    stage.plan(&faults, script::draw(&mut Purpose::Deeds.chance(seed)));
    stage.act().await;
    stage.heal().await;
    let past = stage.end(seed, identities).await;
    let lines = past.1.lines();
    let model = Model::play(&past.0.entries);
    let violation = invariants::check(&past.0, &model);
    Ok(Outcome {
        seed,
        planted,
        faults,
        digest: digest(&lines),
        trace: lines,
        entry_count: past.0.entries.len(),
        notice_count: model.notices().len(),
        alarms_due_in_stalls: invariants::due_in_stalls(&past.0, &model),
        violation,
    })
}

fn client(
    seed: u64,
    machine: u8,
    bundle: &Bundle,
    network: &Network,
    time: &Arc<WorldTime>,
) -> (ClientConfig, SimSurroundings) {
    let surroundings = SimSurroundings {
        network: network.clone(),
        machine,
        clock: MachineClock::new(time.clone()),
        chance: Mutex::new(Purpose::Client.chance(seed ^ u64::from(machine))),
        runtime: Arc::<SimRuntime>::default(),
    };
    (ClientConfig::new(address(), "localhost", bundle.clone()), surroundings)
}

impl Stage {
    fn set(seed: u64, identities: &'static Identities) -> Result<Stage, WorldError> {
        let (network, trace, time) =
            (Network::new(seed), Trace::begin(), WorldTime::begin(Purpose::Time.chance(seed)));
        let mut chance = Purpose::Trouble.chance(seed);
        let folder = spool_folder().map_err(WorldError::Folder)?;
        let clock = MachineClock::new(time.clone());
        let host_chance = Purpose::Node.chance(seed);
        let data = folder.path().join("node");
        std::fs::create_dir(&data).map_err(WorldError::Folder)?;
        let place = (network.clone(), data);
        let host = NodeHost::new(identities, place, clock, host_chance, trace.clone());
        let (config, surroundings) =
            client(seed, VENDOR_MACHINE, &identities.vendor, &network, &time);
        let spool = chance.happens(500).then(|| folder.path().join("spool"));
        let vendor = Vendor::new(config, surroundings, spool, trace.clone());
        let (config, surroundings) =
            client(seed, RECEIVER_MACHINE, &identities.receiver, &network, &time);
        let receiver = Receiver::start(in_world(config, surroundings), trace.clone());
        Ok(Stage {
            network,
            time,
            host,
            vendor,
            receiver,
            chance,
            history_chance: Purpose::History.chance(seed ^ 1),
            past: Past::default(),
            trace,
            events: BTreeMap::new(),
            event_count: 0,
            start_at_ms: None,
            repair_at_ms: None,
            backup: None,
            stalled_ns: 0,
            has_disk_faults: false,
            _folder: folder,
        })
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.trace.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn put(&mut self, at_ms: u64, event: Event) {
        self.event_count = self.event_count.saturating_add(1);
        self.events.insert((at_ms, self.event_count), event);
    }

    /// Starts everybody and waits until all are connected.
    async fn gather(&mut self) {
        self.host.start(&mut self.past).await;
        self.vendor.start();
        let until = Instant::now() + CALM_WITHIN;
        while Instant::now() < until
            && (self.vendor.publisher().is_none() || self.receiver.heard().open_sets == 0)
        {
            sleep(Duration::from_millis(10)).await;
        }
    }

    fn plan(&mut self, faults: &[(u64, Fault)], deeds: Vec<(u64, Deed)>) {
        let from_ms = self.now_ms();
        self.past.has_faults = faults.iter().any(|(_, fault)| *fault != Fault::HistoryStall);
        self.past.is_uncut = faults.iter().all(|(_, fault)| fault.is_of_history_alone());
        self.has_disk_faults = faults.iter().any(|(_, fault)| fault.is_of_disk());
        for (at_ms, deed) in deeds {
            self.put(from_ms.saturating_add(at_ms), Event::Deed(deed));
        }
        for (at_ms, fault) in faults {
            self.put(from_ms.saturating_add(*at_ms), Event::Fault(*fault));
        }
        for look in 1..ACTIVE_MS / LOOK_EVERY_MS {
            self.put(from_ms.saturating_add(look * LOOK_EVERY_MS), Event::Look);
        }
    }

    /// Lets everything happen that was planned.
    async fn act(&mut self) {
        let begun_at = Instant::now() - self.trace.elapsed();
        while let Some(((at_ms, _), event)) = self.events.pop_first() {
            sleep_until(begun_at + Duration::from_millis(at_ms)).await;
            match event {
                Event::Deed(deed) => self.vendor.publish(deed, &mut self.past),
                Event::Fault(fault) => {
                    self.trace.say("fault", fault.name());
                    self.strike(fault).await;
                }
                Event::Fair => self.network.heal(),
                Event::Look => {
                    self.note_stalls();
                    self.look_after_node().await;
                }
                Event::StartVendor => self.vendor.start(),
                Event::HistoryRoom(room) => self.host.end_shortage(room),
                Event::DiskFull => self.host.set_full(true),
                Event::HistoryOn => self.turn_history_on().await,
            }
        }
    }

    /// Everything is whole again: network, disk, node, vendor.
    async fn heal(&mut self) {
        self.trace.say("world", "everything is healed");
        self.network.heal();
        self.host.set_full(false);
        self.host.end_shortages();
        self.turn_history_on().await;
        if self.host.has_lost_power() {
            self.host.lose_power().await;
        } else if self.has_disk_faults || !self.host.is_up() || self.host.history.is_dead() {
            // Whatever fault of the disk is still planned is forgotten with the process.
            self.host.kill().await;
        }
        self.host.history.forget_faults();
        if !self.host.is_up() {
            self.host.start(&mut self.past).await;
        }
        if let Some(backup) = self.backup.take()
            && self.host.stopped().is_some()
        {
            self.host.kill().await;
            self.put_back(backup);
            self.host.start(&mut self.past).await;
        }
        self.host.mend_old();
        let until = Instant::now() + CALM_WITHIN;
        while Instant::now() < until && self.vendor.publisher().is_none() {
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// Notes whether a writing of history began to stall since the last look, and until when it does.
    fn note_stalls(&mut self) {
        let stalled_ns = self.host.history.stalled_ns();
        let more_ns =
            stalled_ns.saturating_sub(std::mem::replace(&mut self.stalled_ns, stalled_ns));
        if more_ns > 0 {
            // It began after the last look, and is at its end when that is as long ago.
            let now = self.host.clock.utc();
            let until = Timestamp(now.plus_ns(more_ns).0.saturating_sub(LOOK_EVERY_MS * NS_PER_MS));
            self.past.stalls.push((now, until));
        }
    }

    /// Waits until the node has all of the vendor's on disk. What is wrong, if it never has.
    async fn drain(&self) -> Option<String> {
        let until = Instant::now() + CALM_WITHIN;
        let Some(publisher) = self.vendor.publisher() else {
            return Some("the vendor never came back".to_owned());
        };
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match publisher.drain_within(left).await {
                Ok(()) => return None,
                Err(error) if left.is_zero() => return Some(error.to_string()),
                // It takes seconds until a client notices that a node which did not store is gone.
                Err(_) => sleep(Duration::from_millis(500)).await,
            }
        }
    }

    /// Waits until all is told, ends everybody, and gathers what there is to know.
    async fn end(mut self, seed: u64, identities: &Identities) -> (Past, Trace) {
        self.past.drained = self.drain().await;
        sleep(SETTLE_FOR).await;
        self.vendor.note_acks(&mut self.past);
        let (config, surroundings) =
            client(seed, NEWCOMER_MACHINE, &identities.receiver, &self.network, &self.time);
        let newcomer = newcomer(in_world(config, surroundings), &self.trace).await;
        match newcomer {
            Some(heard) => self.past.newcomer = heard,
            None => self.past.newcomer.nonsense.push("no open set is told".to_owned()),
        }
        self.past.heard = self.receiver.heard();
        self.vendor.kill(&mut self.past);
        drop(self.receiver);
        self.past.has_ended_well = self.host.drain().await;
        match self.host.entries() {
            Ok(entries) => self.past.entries = entries,
            Err(error) => self.past.journal_fault = Some(error),
        }
        self.past.audit_fault = self.host.audit_fault();
        self.past.history = Some(self.host.history());
        match self.host.given_up() {
            Ok((_, given_up)) => self.past.given_up = given_up,
            Err(error) => self.past.journal_fault = Some(error),
        }
        let (given_up, writings) = (self.past.given_up.len(), self.host.history.writing_count());
        let lost = self.network.lost_count();
        let entry_count = self.past.entries.len();
        self.trace.say(
            "world",
            format_args!(
                "over: {entry_count} entries, {lost} packets lost, {given_up} segments given up, \
                 history written {writings} times"
            ),
        );
        (self.past, self.trace)
    }
}

/// Where a vendor keeps its spool: in memory if the machine has such a folder, for it is synced often.
fn spool_folder() -> io::Result<TempDir> {
    let in_memory = std::path::Path::new("/dev/shm");
    if in_memory.is_dir() { tempfile::tempdir_in(in_memory) } else { tempfile::tempdir() }
}
