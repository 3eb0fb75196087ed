//! A replay on a node of its own.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use ach_actors_model::{AlarmTransition, NS_PER_S, Timestamp};
use ach_clients_rust::{
    AlarmUpdate, Client, ClientConfig, EventNote, EventWord, Filter, NoteUpdate, Publisher,
    PublisherOptions,
};
use ach_engine_net::Role;
use ach_engine_node::{Arrangement, Ended, Node, Running};
use indicatif::ProgressBar;

use super::followed_clock::FollowedClock;
use super::pace::Pace;
use super::{Heard, Tally, feed_of, ping};
use crate::cli::Replay;
use crate::commands::{serve::node_config, site};
use crate::data_directory::DataDirectory;
use crate::exit::Failure;
use crate::notes::{self, thing_id};
use crate::recording::{Recording, Row};

/// Times below this many nanoseconds count from the beginning of the recording, not from 1970: no
/// recording is older than 1971.
const RELATIVE_NS_MAX: u64 = 365 * 24 * 3_600 * NS_PER_S;
/// What is pending when the recording ends (delays, dwell) is given this much time of the recording.
const AFTERMATH_S: u64 = 120;
/// How long what followed may still be on its way.
const LAST_NOTES_WAIT: std::time::Duration = std::time::Duration::from_millis(300);

/// Runs it.
pub(super) fn run(
    replay: &Replay,
    site_dir: &Path,
    recording: &Recording,
    pace: Pace,
    bar: &ProgressBar,
) -> Result<Tally, Failure> {
    let directory = site::read(site_dir)?;
    let temporary = tempfile::Builder::new().prefix("ach-replay-").tempdir()?;
    let data = replay.data.clone().unwrap_or_else(|| temporary.path().to_owned());
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
    let tally = runtime.block_on(async {
        let to = |bundle| ClientConfig::new(running.address(), "localhost", bundle);
        let shown = replay.events.then_some(replay.json);
        let heard = listen_in(Client::connect(to(receiver)).await?, shown).await?;
        let publisher = Client::connect(to(vendor)).await?.publisher(PublisherOptions::default())?;
        send(recording, base, pace, &publisher, &running, &clock, bar).await?;
        settle(&running, &clock).await?;
        tokio::time::sleep(LAST_NOTES_WAIT).await;
        let totals = *publisher.progress().borrow();
        let heard = *heard.lock().unwrap_or_else(PoisonError::into_inner);
        Ok::<Tally, Failure>(tally(&totals, Some(heard)))
    })?;
    match running.drain() {
        Ended::Drained => Ok(tally),
        Ended::Failed => Err(Failure::new("the node could not end in order")),
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
    Ok(publisher.drain().await?)
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

/// Counts what follows, on a connection of its own, and prints crossings if asked to: `Some(true)` as
/// JSON.
async fn listen_in(client: Client, shown: Option<bool>) -> Result<Arc<Mutex<Heard>>, Failure> {
    let heard = Arc::new(Mutex::new(Heard::default()));
    let mut subscriber = client.subscriber();
    let mut events = subscriber.events(Filter::default(), None).await?;
    let mut alarms = subscriber.alarms(Filter::default(), None).await?;
    let (of_events, of_alarms) = (Arc::clone(&heard), Arc::clone(&heard));
    tokio::spawn(async move {
        while let Some(update) = events.next().await {
            let NoteUpdate::Note(note) = update else { continue };
            if let Some(is_json) = shown
                && matches!(note.word, EventWord::ZoneEntered | EventWord::ZoneExited)
            {
                print_crossing(&note, is_json);
            }
            let mut heard = of_events.lock().unwrap_or_else(PoisonError::into_inner);
            match note.word {
                EventWord::ZoneEntered => heard.entered += 1,
                EventWord::ZoneExited => heard.exited += 1,
                _ => {}
            }
        }
        drop(subscriber);
    });
    tokio::spawn(async move {
        while let Some(update) = alarms.next().await {
            let AlarmUpdate::Note(note) = update else { continue };
            if note.transition == AlarmTransition::Raised && !note.is_resent {
                of_alarms.lock().unwrap_or_else(PoisonError::into_inner).alarms += 1;
            }
        }
    });
    Ok(heard)
}

fn print_crossing(note: &EventNote, is_json: bool) {
    if is_json {
        anstream::println!("{}", notes::event_object(note));
    } else {
        anstream::println!("{}", notes::event_line(note, thing_id));
    }
}
