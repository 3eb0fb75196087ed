//! `ach demo`: a hospital's worth of people and things, a node, and a receiver, each on its own
//! connection.
//!
//! The simulator knows the truth and the judge holds the alarms against it; the journal is read at
//! the end and held against what the node had acknowledged as durable.

mod cast;
mod hosted_node;
mod journal_check;
mod listener;
mod screen;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ach_actors_model::NS_PER_MS;
use ach_clients_rust::{Publisher, now};
use ach_engine_site::{NameBook, sample_hospital};
use ach_load_tests_fleet::{Drive, Hospital, Ledger, Options, Summary, World};

use self::cast::Cast;
use self::hosted_node::HostedNode;
use self::screen::Screen;
use crate::cli::Demo;
use crate::data_directory::DataDirectory;
use crate::exit::{Failure, Outcome};
use crate::interruption::Interruption;
use crate::span::nanoseconds;
use crate::{log, out};

/// From connecting to the first ping, so that nothing is late before it begins.
const LEAD_NS: u64 = 300 * NS_PER_MS;
/// With `--crash` and no `--for`, the node dies after this long; with `--for`, in the middle.
const CRASH_AFTER: Duration = Duration::from_secs(10);
/// How long the end waits for the node to acknowledge what was sent.
const DRAIN_WAIT: Duration = Duration::from_secs(15);
/// A run without `--for` ends by itself after a day, for the accounts are kept in memory.
const LENGTH_MAX: Duration = Duration::from_hours(24);

/// Runs it.
pub(crate) fn run(demo: &Demo) -> Result<Outcome, Failure> {
    log::start("error", false);
    let seed = demo.seed.unwrap_or_else(rand::random);
    let (kept, temporary) = data_directory(demo)?;
    let screen = Screen::new(demo.json);
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let (summary, ended) =
        runtime.block_on(play(demo, seed, &kept, temporary.is_none(), screen))?;
    runtime.shutdown_timeout(Duration::from_secs(1));
    screen.summary(&summary)?;
    ended?;
    Ok(if summary.faults().is_empty() { Outcome::Done } else { Outcome::Unsound })
}

/// The directory the data goes to, and its owner if it is to be removed at the end.
fn data_directory(demo: &Demo) -> Result<(PathBuf, Option<tempfile::TempDir>), Failure> {
    match &demo.data {
        Some(path) if path.exists() => Err(Failure::new(format!(
            "{} exists already; a demo begins with a new directory",
            path.display()
        ))),
        Some(path) => {
            std::fs::create_dir_all(path).map_err(|error| {
                Failure::new(format!(
                    "cannot make {}: {error}; choose another --data",
                    path.display()
                ))
            })?;
            Ok((path.clone(), None))
        }
        None => {
            let temporary = tempfile::Builder::new().prefix("ach-demo-").tempdir()?;
            Ok((temporary.path().to_owned(), Some(temporary)))
        }
    }
}

/// Plays it all. Gives the balance, and apart from it whether the node ended in order.
async fn play(
    demo: &Demo,
    seed: u64,
    data: &std::path::Path,
    is_kept: bool,
    screen: Screen,
) -> Result<(Summary, Result<(), Failure>), Failure> {
    let mut interruption = Interruption::of_visit()?;
    let sample = sample_hospital();
    let names = Arc::new(sample.directory.name_book());
    let site = data.join("site");
    sample.directory.write(&site)?;
    let node_data = data.join("node");
    let mut node = HostedNode::start(&sample.directory, &site, &node_data, demo.crash)?;
    let directory = DataDirectory::existing(&node_data)?;
    let cast = Cast::enrol(&directory, data, &sample.directory)?;
    screen.opening(&node, data, &cast, seed, is_kept);

    let ledger = Arc::new(Mutex::new(Ledger::new()));
    let config = sample.directory.config(1).map_err(|it| Failure::new(it.to_string()))?;
    let listener =
        listener::Listener::start(&cast, node.address(), &ledger, &names, screen).await?;
    let publishers = cast.publishers(node.address(), &config).await?;
    let start_at = now().plus_ns(LEAD_NS);
    let options = Options { start_at, ..Options::default() };
    let world = Arc::new(World::of_sample(&sample, config));
    let hospital = Hospital::new(world, seed, options);
    let course = Course { demo, publishers: &publishers, ledger: &ledger, screen };
    let (hospital, lasted_ns) = course.run(hospital, &mut node, &mut interruption).await?;

    let progress = settle(&publishers, &mut interruption).await;
    listener.expect_end().await;
    let ended = node.end().await;
    listener.finish().await?;
    let lost = journal_check::lost(&directory, &progress)?;
    let ledger = ledger.lock().unwrap_or_else(PoisonError::into_inner);
    let accounts: Vec<_> = progress.values().copied().collect();
    let summary = Summary::new(&hospital, &ledger, &accounts, lasted_ns, lost);
    Screen::verdict(&hospital, &ledger, lasted_ns, &names);
    Ok((summary, ended))
}

/// What a run needs beside the hospital.
struct Course<'a> {
    demo: &'a Demo,
    publishers: &'a BTreeMap<String, Publisher>,
    ledger: &'a Arc<Mutex<Ledger>>,
    screen: Screen,
}

impl Course<'_> {
    /// Sends for as long as asked; kills the node in between if asked. Gives the hospital back, and
    /// how long it ran.
    async fn run(
        &self,
        hospital: Hospital,
        node: &mut HostedNode,
        interruption: &mut Interruption,
    ) -> Result<(Hospital, u64), Failure> {
        let length = self.demo.length.unwrap_or(LENGTH_MAX).min(LENGTH_MAX);
        let until_ns = nanoseconds(length);
        let start_at = hospital.truth().start_at();
        let stop = Arc::new(AtomicBool::new(false));
        let sender = Drive::new(hospital, self.publishers.clone(), Arc::clone(self.ledger));
        let stopping = Arc::clone(&stop);
        let mut sending = tokio::task::spawn_blocking(move || sender.run(until_ns, &stopping));
        let crash_after = self.demo.length.map_or(CRASH_AFTER, |length| length / 2);
        let crash_at = tokio::time::Instant::now() + crash_after;
        let mut is_to_crash = self.demo.crash;
        let mut is_to_stop = false;
        let hospital = loop {
            tokio::select! {
                sent = &mut sending => break sent??,
                () = interruption.told() => is_to_stop = true,
                () = out::gone(), if !is_to_stop => is_to_stop = true,
                () = tokio::time::sleep_until(crash_at), if is_to_crash => {
                    is_to_crash = false;
                    self.screen.killing();
                    node.kill_and_restart().await?;
                    self.screen.restarted(node);
                }
            }
            stop.store(is_to_stop, Ordering::Relaxed);
        };
        let lasted_ns = now().since_ns(start_at).min(until_ns);
        Ok((hospital, lasted_ns))
    }
}

/// Waits until everything is durable, or for so long, or until a second wish to end; then says how far
/// each feed came. What is not durable by then the summary shows as a fault.
async fn settle(
    publishers: &BTreeMap<String, Publisher>,
    interruption: &mut Interruption,
) -> BTreeMap<String, ach_clients_rust::Progress> {
    let all_durable = async {
        for publisher in publishers.values() {
            // One that is closed has inputs that are not durable.
            let _ = publisher.drain().await;
        }
    };
    tokio::select! {
        () = all_durable => {}
        () = tokio::time::sleep(DRAIN_WAIT) => {}
        () = interruption.told() => {}
    }
    publishers
        .iter()
        .map(|(feed, publisher)| (feed.clone(), *publisher.progress().borrow()))
        .collect()
}

/// The name people use for a thing.
fn name_of(names: &NameBook, thing: &ach_clients_rust::Thing) -> String {
    use ach_clients_rust::Thing;
    match thing {
        Thing::Site => names.site().to_owned(),
        Thing::Zone(id) => names.zone(id).to_owned(),
        Thing::Door(id) => names.door(id).to_owned(),
        Thing::Line(id) => names.line(id).to_owned(),
        Thing::Tag(id) => format!("tag {id}"),
        Thing::Source(id) => names.feed(id).to_owned(),
        Thing::Anchor(id) => names.anchor(id).to_owned(),
        Thing::Subject(id) => format!("{} ({id})", names.subject(id)),
    }
}
