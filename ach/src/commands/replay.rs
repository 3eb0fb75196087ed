//! `ach replay`: sends a recording, to a running node or to one of its own.
//!
//! On a node of its own, time follows the recording: the node hears everything of one moment before
//! its clock goes on to the next, so the same recording brings the same decisions at any speed.

mod hosted;
mod listener;
mod live;
mod pace;

use std::collections::BTreeSet;

use ach_actors_model::{TagId, Timestamp};
use ach_clients_rust::{Coordinates, Ping};
use ach_geo::Floor;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use crate::cli::Replay;
use crate::exit::{Failure, Outcome};
use crate::log;
use crate::moment;
use crate::recording::{Columns, Place, Recording, Row};

/// What a replay came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Pings handed over.
    pub(crate) sent: u64,
    /// New to the node.
    pub(crate) accepted: u64,
    /// Seen before.
    pub(crate) duplicate: u64,
    /// Older than what was known.
    pub(crate) late: u64,
    /// Refused.
    pub(crate) refused: u64,
    /// On disk.
    pub(crate) durable: u64,
    /// Zones entered and left, and alarms raised, where they were listened for.
    pub(crate) heard: Option<Heard>,
    /// Why it cannot be called done, though it came to an end.
    pub(crate) trouble: Option<String>,
}

/// What followed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Heard {
    /// Zones entered.
    pub(crate) entered: u64,
    /// Zones left.
    pub(crate) exited: u64,
    /// Alarms raised.
    pub(crate) alarms: u64,
}

/// Replays.
pub(crate) fn run(replay: &Replay) -> Result<Outcome, Failure> {
    log::start("error", replay.json);
    let columns = Columns {
        unit: replay.unit,
        delimiter: u8::try_from(replay.delimiter)
            .ok()
            .filter(u8::is_ascii)
            .ok_or_else(|| Failure::misused("--delimiter takes one ASCII character"))?,
        ..Columns::default()
    }
    .mapped(&replay.columns)
    .map_err(|error| Failure::misused(error.to_string()))?;
    let pace = pace::Pace::parse(&replay.speed)?;
    let recording = Recording::read(&replay.file, &columns)?;
    if replay.list_tags {
        recording.tag_names.equipment_lines().iter().for_each(|line| say!("{line}"));
        return Ok(Outcome::Done);
    }
    if !replay.json {
        say!(
            "{} pings of {} tags over {}",
            recording.rows.len(),
            recording.tags().len(),
            moment::length(recording.length_ns() / 1_000)
        );
    }
    let bar = progress_bar(&recording, replay.json);
    let tally = match (&replay.site, replay.node) {
        (Some(site), _) => hosted::run(replay, site, &recording, pace, &bar),
        (None, Some(node)) => live::run(replay, node, &recording, pace, &bar),
        (None, None) => Err(Failure::misused(
            "say where to: --site DIR for a node of its own, or --node ADDRESS --credentials DIR",
        )),
    };
    bar.finish_and_clear();
    let tally = tally?;
    print(&tally, replay.json);
    tally.trouble.map_or(Ok(Outcome::Done), |trouble| Err(Failure::new(trouble)))
}

fn progress_bar(recording: &Recording, is_json: bool) -> ProgressBar {
    if is_json {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(u64::try_from(recording.rows.len()).unwrap_or(u64::MAX));
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} pings  {per_sec}  {eta} left");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

fn print(tally: &Tally, is_json: bool) {
    let heard = tally.heard;
    if is_json {
        say!(
            "{}",
            json!({
                "event": "summary",
                "pings_sent": tally.sent,
                "pings_accepted": tally.accepted,
                "pings_duplicate": tally.duplicate,
                "pings_late": tally.late,
                "pings_refused": tally.refused,
                "pings_durable": tally.durable,
                "zones_entered": heard.map(|heard| heard.entered),
                "zones_exited": heard.map(|heard| heard.exited),
                "alarms_raised": heard.map(|heard| heard.alarms),
            })
        );
        return;
    }
    say!(
        "{} sent = {} accepted + {} duplicate + {} late + {} refused; {} durable",
        tally.sent,
        tally.accepted,
        tally.duplicate,
        tally.late,
        tally.refused,
        tally.durable
    );
    if let Some(heard) = heard {
        say!(
            "zones entered {} times and left {} times; {} alarms",
            heard.entered,
            heard.exited,
            heard.alarms
        );
    }
}

/// A row as the client sends it, `at` being when it is said to have happened.
fn ping(row: &Row, at: Timestamp) -> Result<Ping, Failure> {
    let mut ping = match row.place {
        Place::Local { x_m, y_m } => {
            Ping::at(row.tag, at, Coordinates::Local { x_mm: mm(x_m)?, y_mm: mm(y_m)? })
        }
        Place::Wgs84 { lon_deg, lat_deg } => Ping::wgs84(row.tag, at, lon_deg, lat_deg)
            .ok_or_else(|| Failure::new(format!("lon {lon_deg}, lat {lat_deg} is no position")))?,
    };
    ping.z_mm = row.z_m.map(mm).transpose()?;
    ping.floor = row.floor.map(floor).transpose()?;
    ping.accuracy_mm = row.accuracy_m.map(mm).transpose()?.and_then(|it| u32::try_from(it).ok());
    Ok(ping)
}

/// Whole millimetres, rounded.
fn mm(metres: f64) -> Result<i32, Failure> {
    let mm = (metres * 1000.0).round();
    if mm.abs() > f64::from(i32::MAX) {
        return Err(Failure::new(format!("{metres} m is too far from the origin of the site")));
    }
    #[expect(clippy::as_conversions, clippy::cast_possible_truncation, reason = "checked above")]
    Ok(mm as i32)
}

fn floor(storey: f64) -> Result<Floor, Failure> {
    let hundredths = (storey * 100.0).round();
    if hundredths.abs() > f64::from(i16::MAX) {
        return Err(Failure::new(format!("{storey} is no floor")));
    }
    #[expect(clippy::as_conversions, clippy::cast_possible_truncation, reason = "checked above")]
    Ok(Floor(hundredths as i16))
}

/// The feed that may report every tag of a recording.
fn feed_of(
    site: &ach_actors_model::SiteConfig,
    tags: &[TagId],
) -> Result<ach_actors_model::Name, Failure> {
    let mut missing = BTreeSet::new();
    let mut sources = BTreeSet::new();
    for tag in tags {
        match site.tags.iter().find(|known| known.id == *tag) {
            Some(known) => drop(sources.insert(known.source)),
            None => drop(missing.insert(*tag)),
        }
    }
    if let Some(first) = missing.first() {
        return Err(Failure::new(format!(
            "{} tags of the recording are not of the site, {first} for one; put them on people or \
             equipment, or into a feed's spare_tags in site.toml; `--list-tags` prints them as an \
             equipment.csv",
            missing.len()
        )));
    }
    let source = sources.pop_first().and_then(|index| usize::try_from(index).ok());
    let source = source.and_then(|index| site.sources.get(index));
    match (source, sources.is_empty()) {
        (Some(source), true) => Ok(source.id.clone()),
        _ => Err(Failure::new(
            "the recording has tags of several feeds; split it, or give the tags to one feed",
        )),
    }
}
