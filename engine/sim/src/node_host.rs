//! The node's machine: starts the process, kills it, loses power, has its disk replaced.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ach_engine_audit::Verifier;
use ach_engine_journal::{Config, Disk as _, Kek, KekSource, SimDisk, SimFault};
use ach_engine_net::{Underlay, server_endpoint_on};
use ach_engine_node::{
    Arrangement, CheckpointPolicy, Here, HereHistory, HistoryPolicy, Node, NodeConfig, NodeLimits,
    Running, StartError, StoringStopped,
};
use ach_engine_shard::Entry;
use ach_engine_store::{SimRoom, SimTables, SimTablesFault, Store};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, LocalSet};

use crate::base::{latest_beginning, latest_return};
use crate::chance::Chance;
use crate::clock::MachineClock;
use crate::identities::Identities;
use crate::journal_disk::{GivenUp, JournalDisk};
use crate::journal_entries::{AllGivenUp, KEK, last_index, read, read_segments};
use crate::network::{NODE_PORT, Network, machine};
use crate::past::{NodeLife, Past};
use crate::runtime::SimRuntime;
use crate::shortage::Shortage;
use crate::site::{NODE, name, site};
use crate::socket::SimSocket;
use crate::trace::Trace;

/// The node's machine in the network.
pub(crate) const NODE_MACHINE: u8 = 1;

/// The smallest segments there may be, so that a run rolls over several and gives some up.
const SEGMENT_BYTES: u64 = 16 << 10;

/// Room on the disk: more than a run can fill.
const DISK_BYTES: u64 = 64 << 20;

/// A checkpoint every so many entries, so that a run makes several.
const CHECKPOINTS: CheckpointPolicy =
    CheckpointPolicy { journal_bytes: 8 << 10, entries: 30, is_journal_kept: false };

/// How often history is written: less often than checkpoints are made, as in a node under load, so that
/// history is what the journal is kept for.
const WRITE_HISTORY_EVERY: Duration = Duration::from_secs(8);

/// How the names of checkpoints end.
const CHECKPOINT_SUFFIX: &str = ".ckpt";

/// Without archives: those are files of a folder.
const HISTORY: HistoryPolicy = HistoryPolicy { keep_days: 30, archive_days: 0 };

/// The machine.
#[derive(Debug)]
pub(crate) struct NodeHost {
    identities: &'static Identities,
    network: Network,
    /// A folder for keys.
    data: PathBuf,
    disk: JournalDisk,
    /// Where history lies.
    pub history: SimTables,
    history_chance: Chance,
    /// Whether the next start writes history.
    is_history_on: bool,
    shortage: Shortage,
    /// Where the audit log lies.
    audit_disk: SimDisk,
    chance: Chance,
    trace: Trace,
    /// Its clocks.
    pub clock: Arc<MachineClock>,
    life: Option<Life>,
    /// Bits that flipped since the disk was good.
    flipped: Vec<Flipped>,
}

/// A bit of a file, and the byte it made.
#[derive(Debug)]
struct Flipped {
    file: String,
    place: usize,
    mask: u8,
    byte: u8,
}

/// A process at work.
#[derive(Debug)]
struct Life {
    running: Running,
    task: JoinHandle<()>,
    runtime: Arc<SimRuntime>,
}

/// Where the node listens.
pub(crate) fn address() -> SocketAddr {
    SocketAddr::new(machine(NODE_MACHINE), NODE_PORT)
}

impl NodeHost {
    /// A machine with an empty disk. `data` is a folder for what is no part of a journal: keys.
    pub(crate) fn new(
        identities: &'static Identities,
        (network, data): (Network, PathBuf),
        clock: Arc<MachineClock>,
        mut chance: Chance,
        trace: Trace,
    ) -> NodeHost {
        let history = SimTables::default();
        let disk = JournalDisk::new(SimDisk::new(chance.next(), DISK_BYTES), history.clone());
        let audit_disk = SimDisk::new(chance.next(), DISK_BYTES);
        let history_chance = Chance::of(chance.clone().next(), 1);
        NodeHost {
            identities,
            network,
            data,
            disk,
            history,
            history_chance,
            is_history_on: true,
            shortage: Shortage::default(),
            audit_disk,
            chance,
            trace,
            clock,
            life: None,
            flipped: Vec::new(),
        }
    }

    fn config(&self) -> NodeConfig {
        NodeConfig {
            name: name(NODE),
            site: site(),
            frame: None,
            made_from: None,
            data: self.data.clone(),
            kek: KekSource::File(self.identities.kek_file()),
            journal: Config {
                segment_bytes: SEGMENT_BYTES,
                group_bytes_max: 8 << 10,
                reserve_bytes: 0,
            },
            bundle: self.identities.node.clone(),
            listen: address(),
            arrangement: Arrangement::OneThread,
            limits: NodeLimits {
                checkpoints: CHECKPOINTS,
                history: self.is_history_on.then_some(HISTORY),
                // As small as they may be: the whole log is checked at every start.
                audit_segment_bytes: 0,
                ..NodeLimits::default()
            },
        }
    }

    /// Starts the process. One that does not start is noted and tried again with the next call.
    pub(crate) async fn start(&mut self, past: &mut Past) {
        let begun_after = self.entries().map_or(0, |entries| last_index(&entries));
        match self.try_start().await {
            Ok(life) => {
                let stopped = life.running.health().stopped;
                self.trace.say("node", format_args!("started after {begun_after}, {stopped:?}"));
                if stopped.is_none() {
                    past.node_lives.push(NodeLife { begun_after });
                }
                self.life = Some(life);
            }
            Err(error) => {
                self.trace.say("node", format_args!("did not start: {error}"));
                past.failed_starts.push(error.to_string());
            }
        }
    }

    async fn try_start(&mut self) -> Result<Life, StartError> {
        let (config, clock) = (self.config(), self.clock.clone());
        let (disk, audit_disk) = (self.disk.clone(), self.audit_disk.clone());
        let socket = SimSocket::new(
            self.network.clone(),
            self.network.bind(machine(NODE_MACHINE), Some(NODE_PORT)),
        );
        let runtime: Arc<SimRuntime> = Arc::default();
        let under = Underlay { socket, runtime: runtime.clone(), seed: self.chance.seed_bytes() };
        let (told, tell) = oneshot::channel();
        let (pace_disk, before_ns) = (disk.sim.clone(), Cell::new(disk.sim.stalled_ns()));
        let disk_pace = Box::new(move || {
            let now_ns = pace_disk.stalled_ns();
            Duration::from_nanos(now_ns.saturating_sub(before_ns.replace(now_ns)))
        });
        let history =
            Some(HereHistory { tables: self.history.clone(), write_every: WRITE_HISTORY_EVERY });
        // Dropped as a whole with what it runs, whether the node ends or is killed.
        let process = async move {
            let started = server_endpoint_on(under, &config.bundle)
                .map_err(StartError::from)
                .and_then(|endpoint| {
                    let here = Here { endpoint, disk_pace, history };
                    Node::start_here(config, &disk, audit_disk, clock, here)
                });
            match started {
                Ok((running, node)) => {
                    drop(told.send(Ok(running)));
                    Box::pin(node).await;
                }
                Err(error) => drop(told.send(Err(error))),
            }
        };
        let task =
            tokio::task::spawn_local(
                async move { Box::pin(LocalSet::new().run_until(process)).await },
            );
        let running = tell.await.map_err(|_| StartError::Failed)??;
        Ok(Life { running, task, runtime })
    }

    /// Whether a process works.
    pub(crate) fn is_up(&self) -> bool {
        self.life.as_ref().is_some_and(|life| life.running.health().is_running)
    }

    /// Why it does not store, if so.
    pub(crate) fn stopped(&self) -> Option<StoringStopped> {
        self.life.as_ref()?.running.health().stopped
    }

    /// The process is gone, wherever it was.
    async fn end_process(&mut self) {
        let Some(life) = self.life.take() else { return };
        life.runtime.kill();
        life.task.abort();
        // An error says that it was killed, which was the wish.
        drop(life.task.await);
        drop(life.running);
        // What the transport ran is dropped by the scheduler.
        tokio::task::yield_now().await;
    }

    /// Kills the process; the machine's page cache stays.
    pub(crate) async fn kill(&mut self) {
        self.trace.say("node", "killed");
        self.end_process().await;
        self.restart_disks();
    }

    fn restart_disks(&mut self) {
        self.disk = self.disk.with(self.disk.sim.restart());
        self.audit_disk = self.audit_disk.restart();
        self.history.restart(true);
    }

    /// The machine loses power.
    pub(crate) async fn lose_power(&mut self) {
        self.trace.say("node", "lost power");
        self.disk.sim.cut_power();
        self.audit_disk.cut_power();
        self.end_process().await;
        self.disk = self.disk.with(self.disk.sim.power_on());
        self.audit_disk = self.audit_disk.power_on();
        self.history.restart(self.history_chance.happens(500));
    }

    /// Whether the power went in the middle of an operation of the disk.
    pub(crate) fn has_lost_power(&self) -> bool {
        self.disk.free_bytes().is_err()
    }

    /// Ends the process in good order. Returns whether it did.
    pub(crate) async fn drain(&mut self) -> bool {
        let Some(life) = self.life.take() else { return false };
        life.running.stop();
        let is_over = life.task.await.is_ok();
        life.runtime.kill();
        let is_drained = life.running.drain() == ach_engine_node::Ended::Drained;
        self.restart_disks();
        is_over && is_drained
    }

    /// Plans a fault for one of the next operations of the journal's disk.
    pub(crate) fn plan(&mut self, fault: SimFault) {
        let op = self.chance.between(1, 12);
        self.disk.sim.plan(op, fault);
    }

    /// The same of the audit log's.
    pub(crate) fn plan_for_audit(&mut self, fault: SimFault) {
        let op = self.chance.between(1, 12);
        self.audit_disk.plan(op, fault);
    }

    /// The same of one of the next writings of history.
    pub(crate) fn plan_for_history(&mut self, fault: SimTablesFault) {
        self.history.plan(self.history_chance.between(1, 2), fault);
    }

    /// Somebody leaves history that much room.
    pub(crate) fn begin_shortage(&mut self, room: SimRoom) {
        self.shortage.begin(room);
        self.history.set_room(self.shortage.room());
    }

    /// He gives it back.
    pub(crate) fn end_shortage(&mut self, room: SimRoom) {
        self.shortage.end(room);
        self.history.set_room(self.shortage.room());
    }

    /// The disks fill up: there is little room, which is told to history, and enough for the rest.
    pub(crate) fn run_low(&mut self) {
        self.shortage.share(true);
        self.history.set_room(self.shortage.room());
    }

    /// Nobody takes any room of history's.
    pub(crate) fn end_shortages(&mut self) {
        self.shortage = Shortage::default();
        self.history.set_room(self.shortage.room());
    }

    /// The disks have no room for anything new, or have again.
    pub(crate) fn set_full(&mut self, is_full: bool) {
        self.shortage.share(is_full);
        self.history.set_room(self.shortage.room());
        let capacity_bytes = if is_full { 0 } else { DISK_BYTES };
        self.disk.sim.set_capacity(capacity_bytes);
        self.audit_disk.set_capacity(capacity_bytes);
    }

    /// What is wrong with the audit log, with nobody using it.
    pub(crate) fn audit_fault(&self) -> Option<String> {
        match Verifier::new(None).run(&self.audit_disk.fork(0), &mut |_| {}) {
            Ok(report) => report.damage.map(|damage| damage.to_string()),
            Err(error) => Some(error.to_string()),
        }
    }

    /// Whether the next start writes history. Where it is off, nothing of the journal waits for it.
    pub(crate) fn set_history_on(&mut self, is_on: bool) {
        self.trace.say("node", if is_on { "history is on again" } else { "history is off" });
        self.is_history_on = is_on;
        self.disk.set_history_on(is_on);
    }

    /// Whether the next start writes none.
    pub(crate) fn is_history_off(&self) -> bool {
        !self.is_history_on
    }

    /// The last entry before those with which history goes on if the journal has not what it lacks.
    pub(crate) fn history_goes_on_after(&self) -> u64 {
        let through = self.history_through();
        Kek::from_bytes(&KEK).map_or(u64::MAX, |kek| latest_return(&self.disk.sim, &kek, through))
    }

    /// A copy of the disk, which is not running.
    pub(crate) fn backup(&mut self) -> JournalDisk {
        self.disk.backup(self.chance.next())
    }

    /// Another disk is put in.
    pub(crate) fn restore(&mut self, disk: JournalDisk) {
        self.trace.say("node", "a backup is put back");
        self.disk = disk;
        self.flipped.clear();
    }

    /// Flips a bit of one of the journal's files. Returns whether it is one of a checkpoint's.
    pub(crate) fn flip_bit(&mut self) -> bool {
        let names = self.disk.list().unwrap_or_default();
        let Some(file) = self.chance.pick(&names).cloned() else { return false };
        let is_of_checkpoint = file.ends_with(CHECKPOINT_SUFFIX);
        let (place, bit) = (self.chance.next(), self.chance.between(0, 7));
        let (mask, made) = (1 << bit, Cell::new(None));
        let flipped = self.disk.sim.corrupt(&file, |bytes| {
            let length = u64::try_from(bytes.len()).unwrap_or(1).max(1);
            let place = usize::try_from(place % length).unwrap_or(0);
            if let Some(byte) = bytes.get_mut(place) {
                *byte ^= mask;
                made.set(Some((place, *byte)));
            }
        });
        self.trace.say("node", format_args!("a bit of {file} flipped: {}", flipped.is_ok()));
        if let Some((place, byte)) = made.take() {
            self.flipped.push(Flipped { file, place, mask, byte });
        }
        is_of_checkpoint
    }

    /// What a check of the whole journal finds in a segment that no start reads any more is put back
    /// from the backup, under a node that goes on: its flipped bits are as they were.
    pub(crate) fn mend_old(&mut self) {
        for Flipped { file, place, mask, byte } in std::mem::take(&mut self.flipped) {
            // A file that is gone, or was written there since, has no such bit any more.
            let mend = |bytes: &mut Vec<u8>| {
                if let Some(found) = bytes.get_mut(place).filter(|found| **found == byte) {
                    *found ^= mask;
                }
            };
            drop(self.disk.sim.corrupt(&file, mend));
            self.disk.mend_given_up(&file, mend);
        }
    }

    /// The last entry that a history may be without which is begun with the journal as it is.
    pub(crate) fn latest_beginning(&self) -> u64 {
        Kek::from_bytes(&KEK).map_or(u64::MAX, |kek| latest_beginning(&self.disk.sim, &kek))
    }

    /// Whether history has nothing, or nothing that can be read.
    pub(crate) fn has_no_history(&self) -> bool {
        self.history_through() == 0
    }

    /// What history has, if it can be read. A copy is asked: to open it may write.
    fn history_through(&self) -> u64 {
        let through = Store::open_simulated(&self.history.fork()).and_then(|it| it.through());
        through.unwrap_or(0)
    }

    /// What history says, with nobody using it.
    pub(crate) fn history(&self) -> Result<Store, String> {
        Store::open_simulated(&self.history).map_err(|error| error.to_string())
    }

    /// All entries there were, with nobody using the disk: those on it, after those that were given up.
    pub(crate) fn entries(&self) -> Result<Vec<Entry>, String> {
        let on_disk = read(&self.disk.sim.fork(0)).map(|(entries, _)| entries)?;
        let (mut entries, _) = self.given_up()?;
        let first = on_disk.first().map_or(u64::MAX, |entry| entry.index);
        entries.retain(|entry| entry.index < first);
        entries.extend(on_disk);
        Ok(entries)
    }

    /// The entries that were given up, and each time a segment was, with the last of its own.
    pub(crate) fn given_up(&self) -> Result<AllGivenUp, String> {
        let (entries, last) = read_segments(&self.disk.given_up())?;
        let mut times = Vec::new();
        for (number, given_up) in self.disk.all_given_up().into_iter().enumerate() {
            let known = last
                .iter()
                .find(|(_, it)| (&it.name, &it.bytes) == (&given_up.name, &given_up.bytes));
            let last_index = match known {
                Some((last_index, _)) => *last_index,
                // Of a journal that a backup took the place of: after what it gave up before.
                None => self.last_of(number)?,
            };
            times.push((last_index, given_up));
        }
        Ok((entries, times))
    }

    /// The last entry of the segment that was given up as that one of all, read after those before it.
    fn last_of(&self, number: usize) -> Result<u64, String> {
        let all = self.disk.all_given_up();
        let Some(segment) = all.get(number) else { return Ok(0) };
        let before = all.iter().take(number).filter(|it| it.name < segment.name);
        let by_name: BTreeMap<&str, &GivenUp> =
            before.chain([segment]).map(|it| (it.name.as_str(), it)).collect();
        let (_, last) = read_segments(&by_name.into_values().cloned().collect::<Vec<_>>())?;
        Ok(last.last().map_or(0, |(last_index, _)| *last_index))
    }
}
