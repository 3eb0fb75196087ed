//! A replay to a running node, as if it happened now.

use std::net::SocketAddr;

use ach_actors_model::Timestamp;
use ach_clients_rust::{Client, ClientConfig, Publisher, PublisherOptions, now};
use indicatif::ProgressBar;

use super::pace::Pace;
use super::{Tally, ping};
use crate::cli::Replay;
use crate::commands::connection::{self, VENDORS, runtime};
use crate::exit::Failure;
use crate::interruption::Interruption;
use crate::out;
use crate::recording::{Recording, Row};

/// With `max`, the node's own time cannot follow: pings are stamped with the moment they are sent.
pub(super) fn run(
    replay: &Replay,
    node: SocketAddr,
    recording: &Recording,
    pace: Pace,
    bar: &ProgressBar,
) -> Result<Tally, Failure> {
    let credentials = replay
        .credentials
        .as_deref()
        .ok_or_else(|| Failure::new("--node needs --credentials DIR"))?;
    let bundle = connection::credentials(credentials, VENDORS)?;
    runtime()?.block_on(async {
        let mut interruption = Interruption::of_visit()?;
        let config = ClientConfig::new(node, &replay.server_name, bundle);
        let client = Client::connect(config).await?;
        let publisher = client.publisher(PublisherOptions::default().keeping_every_position())?;
        let refused = publisher.intern_tags(&recording.tags()).await?;
        if let Some((tag, code)) = refused.first() {
            return Err(Failure::new(format!(
                "the node refuses {} tags, {tag} for one: {code}; enter them in the site directory",
                refused.len()
            )));
        }
        let is_whole = tokio::select! {
            sent = send(recording, pace, &publisher, bar) => sent.map(|()| true)?,
            () = interruption.told() => false,
            () = out::gone() => false,
        };
        // A second wish to end is meant: what is not on disk by then stays unacknowledged.
        let is_stored = tokio::select! {
            drained = publisher.drain() => drained.map(|()| true)?,
            () = interruption.told() => false,
        };
        let totals = *publisher.progress().borrow();
        let mut tally = super::hosted::tally(&totals, None);
        if is_stored {
            publisher.close().await?;
        } else {
            tally.trouble = Some("interrupted before the node had stored everything".to_owned());
        }
        if !is_whole {
            tally.trouble = tally.trouble.or_else(|| Some("interrupted".to_owned()));
        }
        Ok(tally)
    })
}

async fn send(
    recording: &Recording,
    pace: Pace,
    publisher: &Publisher,
    bar: &ProgressBar,
) -> Result<(), Failure> {
    let first = recording.rows.first().map_or(Timestamp(0), |row| row.at);
    let begun = tokio::time::Instant::now();
    for rows in recording.rows.chunk_by(|a: &Row, b: &Row| a.at == b.at) {
        let recorded_ns = rows.first().map_or(0, |row| row.at.since_ns(first));
        tokio::time::sleep_until(begun + pace.due(recorded_ns)).await;
        let at = now();
        let pings = rows.iter().map(|row| ping(row, at)).collect::<Result<Vec<_>, _>>()?;
        publisher.publish_all(&pings).await?;
        bar.inc(u64::try_from(rows.len()).unwrap_or(0));
    }
    Ok(())
}
