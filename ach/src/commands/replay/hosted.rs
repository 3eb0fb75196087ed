//! A replay on a node of its own.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ach_actors_model::{NS_PER_S, Timestamp};
use ach_clients_rust::{Client, ClientConfig, Publisher, PublisherOptions};
use ach_engine_net::Role;
use ach_engine_node::{Arrangement, Ended, FollowedClock, Node, Running};
use indicatif::ProgressBar;

use super::listener::{Listener, Show};
use super::pace::Pace;
use super::{Heard, Tally, feed_of, ping};
use crate::cli::Replay;
use crate::commands::{serve::node_config, site};
use crate::data_directory::DataDirectory;
use crate::exit::Failure;
use crate::interruption::Interruption;
use crate::out;
use crate::recording::{Recording, Row};

/// Times below this many nanoseconds count from the beginning of the recording, not from 1970: no
/// recording is older than 1971.
const RELATIVE_NS_MAX: u64 = 365 * 24 * 3_600 * NS_PER_S;
/// What is pending when the recording ends (delays, dwell) is given this much time of the recording.
const AFTERMATH_S: u64 = 120;
/// How often it is asked whether the node still stores while its acknowledgements are waited for.
const HEALTH_EVERY: Duration = Duration::from_millis(200);

/// Runs it.
pub(super) fn run(
    replay: &Replay,
    site_dir: &Path,
    recording: &Recording,
    pace: Pace,
    bar: &ProgressBar,
) -> Result<Tally, Failure> {
    let directory = site::read(site_dir)?;
    let (data, _temporary) = data_directory(replay)?;
    let listen = std::net::SocketAddr::from((std::net::Ipv4Addr::LOCALHOST, 0));
    let config = node_config(&directory, &data, listen, &[], Arrangement::Auto)?;
    let feed = feed_of(&config.site, &recording.tags())?;
    let base = base(recording);
    let first_at = recording.rows.first().map_or(base, |row| base.plus_ns(row.at.0));
    let clock = Arc::new(FollowedClock::at(first_at));
    let running = Node::start_by(config, clock.clone())?;
    let data = DataDirectory::existing(&data)?;
    let vendor = data.enrol(Role::Vendor, &feed)?;
    let receiver = data.enrol(Role::Receiver, &ach_actors_model::Name::new("replay")?)?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(async {
        let mut interruption = Interruption::of_visit()?;
        let to = |bundle| ClientConfig::new(running.address(), "localhost", bundle);
        let end_at = recording.rows.last().map_or(base, |row| base.plus_ns(row.at.0));
        let show = Show { events: replay.events, is_json: replay.json, bar: bar.clone(), end_at };
        let listener = Listener::start(Client::connect(to(receiver)).await?, show).await?;
        let client = Client::connect(to(vendor)).await?;
        let publisher = client.publisher(PublisherOptions::default().keeping_every_position())?;
        let going = async {
            send(recording, base, pace, &publisher, &running, &clock, bar).await?;
            settle(&running, &clock).await
        };
        let mut trouble = Some("interrupted".to_owned());
        tokio::select! {
            gone = going => {
                gone?;
                trouble = None;
            }
            () = interruption.told() => {}
            () = out::gone() => {}
            () = running.over() => {
                return Err(Failure::new("the node failed; the log above says why"));
            }
            why = storing_end(&running) => trouble = Some(why),
        }
        tokio::select! {
            drained = publisher.drain() => drained?,
            why = storing_end(&running) => trouble = Some(why),
            // A second wish to end is meant: what is not on disk by then shows in the summary.
            () = interruption.told() => trouble = Some("interrupted".to_owned()),
        }
        let totals = *publisher.progress().borrow();
        listener.expect_end();
        drop(publisher);
        let ended = tokio::task::spawn_blocking(move || running.drain()).await?;
        let heard = listener.finish().await?;
        match ended {
            Ended::Drained => Ok(Tally { trouble, ..tally(&totals, Some(heard)) }),
            Ended::Failed => Err(Failure::new("the node could not end in order")),
        }
    })
}

/// The directory for the node's data, and its owner if it is to be removed at the end.
fn data_directory(
    replay: &Replay,
) -> Result<(std::path::PathBuf, Option<tempfile::TempDir>), Failure> {
    match &replay.data {
        // A recording must not get into the journal of a node that serves.
        Some(path) if path.exists() => Err(Failure::new(format!(
            "{} exists already; a replay begins with a new directory",
            path.display()
        ))),
        Some(path) => Ok((path.clone(), None)),
        None => {
            let temporary = tempfile::Builder::new().prefix("ach-replay-").tempdir()?;
            Ok((temporary.path().to_owned(), Some(temporary)))
        }
    }
}

/// Returns once the node stores no more, and says why. Without a disk nothing is acknowledged as
/// durable, and who waits for that would wait for ever.
async fn storing_end(running: &Running) -> String {
    let mut asking = tokio::time::interval(HEALTH_EVERY);
    loop {
        asking.tick().await;
        if let Some(why) = running.health().stopped {
            return format!("not everything was stored: {why}");
        }
    }
}

/// Sums up what the node has said.
pub(super) fn tally(progress: &ach_clients_rust::Progress, heard: Option<Heard>) -> Tally {
    let ping = &progress.ping;
    Tally {
        sent: ping.published_through,
        accepted: ping.totals.accepted,
        duplicate: ping.totals.duplicate,
        late: ping.totals.late,
        refused: ping.totals.refused,
        durable: ping.durable_through,
        heard,
        trouble: None,
    }
}

/// What to add to the recording's times: nothing if they are moments, else the present.
pub(super) fn base(recording: &Recording) -> Timestamp {
    let is_relative = recording.rows.last().is_none_or(|row| row.at.0 < RELATIVE_NS_MAX);
    if is_relative { ach_clients_rust::now() } else { Timestamp(0) }
}

/// Sends everything of one moment, waits until it is decided, and lets the clock go on.
async fn send(
    recording: &Recording,
    base: Timestamp,
    pace: Pace,
    publisher: &Publisher,
    running: &Running,
    clock: &FollowedClock,
    bar: &ProgressBar,
) -> Result<(), Failure> {
    let first = recording.rows.first().map_or(Timestamp(0), |row| row.at);
    let begun = tokio::time::Instant::now();
    let mut progress = publisher.progress();
    for rows in recording.rows.chunk_by(|a: &Row, b: &Row| a.at == b.at) {
        let Some(recorded_at) = rows.first().map(|row| row.at) else { continue };
        let at = base.plus_ns(recorded_at.0);
        if let Pace::Times(_) = pace {
            let due = begun + pace.due(recorded_at.since_ns(first));
            tokio::time::sleep_until(due).await;
        }
        clock.follow(at);
        running.tick().await?;
        let pings = rows.iter().map(|row| ping(row, at)).collect::<Result<Vec<_>, _>>()?;
        let ticket = publisher.publish_all(&pings).await?;
        progress.wait_for(|now| now.ping.accepted_through >= ticket.number).await?;
        bar.inc(u64::try_from(rows.len()).unwrap_or(0));
    }
    Ok(())
}

/// Lets what is pending fall due, a second at a time so that each deadline sees its own moment.
async fn settle(running: &Running, clock: &FollowedClock) -> Result<(), Failure> {
    use ach_engine_node::Clock;
    for _ in 0..AFTERMATH_S {
        clock.follow(clock.utc().plus_ns(NS_PER_S));
        running.tick().await?;
    }
    Ok(())
}
