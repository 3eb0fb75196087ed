//! A node that is killed again and again while a vendor publishes and a receiver listens.
//!
//! People walk in and out of a forbidden vault and press and reset buttons in a known pattern, so
//! that every episode is known before it happens. The node is a process of its own; it dies by
//! SIGKILL at random moments, sometimes while it is still reading its journal. At the end the
//! journal, the receiver's book and the pattern must agree.
//!
//! `ACH_KILLS` sets how often it dies, `ACH_SEED` repeats a run.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "everything here is a test, also what is not marked as one"
)]

mod answering;
mod audit;
mod chance;
mod diskless;
mod heard;
mod history;
mod journal;
mod leave;
mod lives;
mod load;
mod orders;
mod process;
mod selftest;
mod ward;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ach_actors_model::{AlarmKind, Timestamp};
use ach_clients_rust::{
    AlarmStream, Bundle, Client, ClientConfig, Filter, Progress, Publisher, PublisherOptions, now,
};
use ach_engine_node::{Rung, ring};

use crate::chance::Chance;
use crate::heard::Heard;
use crate::journal::Journaled;
use crate::load::Load;
use crate::process::{Keeping, Process, enrol};

/// Longest wait for anything that must come. Only a failing test waits so long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(45);
/// How often the node dies unless the environment says otherwise.
const KILLS_DEFAULT: u64 = 50;

/// How often it dies while it gives up its journal: each start and stop is as above, and what is new, a
/// segment that is removed, comes with every other checkpoint.
const KILLS_FORGETTING: u64 = 20;
/// It lives at least and at most for so long under load.
const LIFE_MS: (u64, u64) = (20, 300);
/// One life in so many ends while the node starts, whether it listens yet or not.
const STARTS_KILLED_ONE_IN: u64 = 3;
/// Such a life is at most so long.
const START_MS: (u64, u64) = (0, 400);
/// One life in so many ends without a disk: what is raised in its last moments is lost for certain.
const DISKLESS_ONE_IN: u64 = 8;

/// An episode by what it is about: rule, subject, ordinal.
pub(crate) type Episode = (String, String, u32);

/// How far the vendor had been told that its inputs are on disk when the node died.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Death {
    killed_at: Timestamp,
    durable: Progress,
}

/// A node that was killed again and again, and at last ended in order.
struct Run {
    folder: tempfile::TempDir,
    deaths: Vec<Death>,
    diskless_count: u64,
    expected: BTreeSet<Episode>,
    progress: Progress,
    heard: Arc<Mutex<Heard>>,
}

impl Run {
    fn data(&self) -> PathBuf {
        self.folder.path().join("node")
    }
}

async fn run(keeping: Keeping) -> Run {
    let kills = number("ACH_KILLS").unwrap_or(match keeping {
        Keeping::Journal => KILLS_DEFAULT,
        Keeping::Checkpoints => KILLS_FORGETTING,
    });
    let seed = number("ACH_SEED").unwrap_or_else(|| now().0);
    println!("{kills} kills, ACH_SEED={seed}");
    let folder = tempfile::tempdir().unwrap();
    let site = folder.path().join("site");
    let data = folder.path().join("node");
    ward::directory().write(&site).unwrap();

    let mut node = Process::start_keeping(&site, &data, None, keeping);
    node.listening().await;
    let vendor = connect(&node, &enrol("vendor", ward::FEED, &data, folder.path()).await).await;
    let vendor = vendor.publisher(PublisherOptions::default()).unwrap();
    let receiver = connect(&node, &enrol("receiver", "desk", &data, folder.path()).await).await;
    // What is wrong with the node itself is another story: without a disk its audit log cannot be written.
    let kinds = vec![AlarmKind::UnauthorisedEntry, AlarmKind::Duress];
    let filter = Filter { kinds, ..Filter::default() };
    let alarms = receiver.subscriber().alarms(filter, None).await.unwrap();
    let heard = Arc::new(Mutex::new(Heard::default()));
    let hearing = tokio::spawn(follow(alarms, Arc::clone(&heard)));
    let stop = Arc::new(AtomicBool::new(false));
    let sending = tokio::spawn(Load::default().run(vendor.clone(), Arc::clone(&stop)));

    let mut chance = Chance::new(seed);
    let (mut deaths, mut diskless_count) = (Vec::new(), 0);
    for kill in 1..=kills {
        let life_ms = if chance.below(STARTS_KILLED_ONE_IN) == 0 {
            chance.between(START_MS)
        } else {
            node.listening().await;
            under_load(&vendor, deaths.last(), kill).await;
            if chance.below(DISKLESS_ONE_IN) == 0 {
                diskless_count += 1;
                node.take_disk_away();
            }
            chance.between(LIFE_MS)
        };
        tokio::time::sleep(Duration::from_millis(life_ms)).await;
        assert!(!sending.is_finished(), "before kill {kill} the vendor stopped publishing");
        let durable = *vendor.progress().borrow();
        node.kill().await;
        deaths.push(Death { killed_at: now(), durable });
        node = Process::start_keeping(&site, &data, Some(node.address()), keeping);
    }
    node.listening().await;
    stop.store(true, Ordering::Relaxed);
    let expected = sending.await.expect("the load ended in a panic");
    settle(&vendor, &heard, &expected).await;
    if keeping == Keeping::Journal {
        remembered(&data).await;
    }
    hearing.abort();
    let progress = *vendor.progress().borrow();
    node.terminate().await;
    assert_eq!((progress.ping.epoch, progress.duress.epoch), (1, 1), "the node forgot its vendor");
    assert!(progress.ping.resent_count > 0, "no kill came under load");
    assert!(journal::checkpoints(&data) > 0, "no checkpoint was ever whole");
    Run { folder, deaths, diskless_count, expected, progress, heard }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_under_load_a_node_loses_nothing_it_acknowledged_and_raises_each_episode_once() {
    let run = run(Keeping::Journal).await;
    let (data, progress) = (run.data(), run.progress);
    let journaled = Journaled::read(&data, &run.deaths);
    journaled.check(&progress, &run.expected);
    let heard = run.heard.lock().unwrap();
    heard.check(&journaled);
    history::check(&data, &run.folder.path().join("derived"));
    let (records, audit) = audit::audit_of(&data);
    assert!(audit.is_sound() && audit.tail.is_none(), "{audit:?}");
    assert!(!records.is_empty(), "nobody was recorded");
    println!(
        "{} pings ({} sent again), {} reports, {} episodes, {} of them heard before they were \
         durable, {} withdrawn and told again; {} lives ended without a disk",
        progress.ping.published_through,
        progress.ping.resent_count,
        progress.duress.published_through,
        run.expected.len(),
        heard.provisional_count,
        heard.withdrawn_count,
        run.diskless_count,
    );
    assert!(heard.provisional_count > 0, "no alarm left before its entry was on disk");
}

/// The same, with what no start needs given up: kills come while segments are removed, and starts go on
/// from a journal that begins late. Vendor and receiver are the judges, for the journal is not whole.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_while_it_gives_up_its_journal_a_node_loses_nothing_either() {
    let run = run(Keeping::Checkpoints).await;
    for lane in [run.progress.ping, run.progress.duress] {
        assert_eq!(lane.durable_through, lane.published_through, "acknowledged, of all published");
    }
    run.heard.lock().unwrap().check_all(&run.expected);
    let (first, last) = journal::entries(&run.data());
    assert!(first > 1, "nothing was given up");
    println!("{} episodes; the journal has entries {first} to {last}", run.expected.len());
}

async fn follow(mut alarms: AlarmStream, heard: Arc<Mutex<Heard>>) {
    while let Some(update) = alarms.next().await {
        heard.lock().unwrap().take(&update);
    }
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable}=`{text}` is no number")))
}

async fn connect(node: &Process, credentials: &Path) -> Client {
    let bundle = Bundle::load(credentials).unwrap();
    let config = ClientConfig::new(node.address(), "localhost", bundle);
    let connecting = tokio::time::timeout(PATIENCE, Client::connect(config));
    connecting.await.expect("no connection in time").expect("the node refused a client")
}

/// Waits until the node has acknowledged more than before its latest death.
async fn under_load(vendor: &Publisher, death: Option<&Death>, kill: u64) {
    let before = death.map_or(0, |death| death.durable.ping.durable_through);
    let mut progress = vendor.progress();
    let waiting = progress.wait_for(|now| now.ping.durable_through > before);
    let waited = tokio::time::timeout(PATIENCE, waiting).await;
    assert!(
        waited.is_ok_and(|waited| waited.is_ok()),
        "before kill {kill} nothing became durable after ping {before} in {PATIENCE:?}: {:?}",
        vendor.progress().borrow()
    );
}

/// Waits until the node says that all that is durable is on disk in its history, too: one that ends does
/// not wait for a history that is behind.
async fn remembered(data: &Path) {
    let asking = async {
        loop {
            let data = data.to_owned();
            // It answers when it has written, or when it has been behind for a while.
            let rung = tokio::task::spawn_blocking(move || ring(&data)).await.unwrap();
            if matches!(rung, Ok(Rung::Written { .. })) {
                break;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, asking).await.expect("history does not catch up in time");
}

/// Waits until all that was published is durable and the receiver has heard the end of all that
/// was to happen.
async fn settle(vendor: &Publisher, heard: &Mutex<Heard>, expected: &BTreeSet<Episode>) {
    let drained = tokio::time::timeout(PATIENCE, vendor.drain()).await;
    assert!(
        drained.is_ok_and(|drained| drained.is_ok()),
        "not all that was published became durable in {PATIENCE:?}: {:?}",
        vendor.progress().borrow()
    );
    let hearing = async {
        while heard.lock().unwrap().ended_count() < expected.len() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    // What is missing after the wait is told in full by the comparison with the journal.
    if tokio::time::timeout(PATIENCE, hearing).await.is_err() {
        let count = heard.lock().unwrap().ended_count();
        println!("the receiver heard of {count} of {} ended episodes", expected.len());
    }
}
