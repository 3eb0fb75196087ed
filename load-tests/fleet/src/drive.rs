//! Sends what the hospital's devices send, each at its moment, whatever the node does: open loop.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ach_actors_model::{AnchorRef, DoorRef, NS_PER_MS, ReportKind, SiteConfig, TagRef, Timestamp};
use ach_clients_rust::{Ping, PublishError, Publisher, Report, Ticket, now};
use ach_engine_wire::{Coordinates, ReportWord};
use thiserror::Error;

use crate::door_controller::DoorController;
use crate::hospital::Hospital;
use crate::ledger::Ledger;
use crate::observation::{Observation, Observed};

/// The hospital is asked this far ahead, so that what is due is at hand.
const AHEAD_NS: u64 = 20 * NS_PER_MS;
/// How long the sender sleeps at a time when the node takes nothing more.
const FULL_WAIT: Duration = Duration::from_millis(1);

/// Why the sender gave up.
#[derive(Debug, Error)]
pub enum DriveError {
    /// A feed of the site has no publisher.
    #[error("feed {source_id} has no publisher, connect one with its certificate")]
    NoPublisher {
        /// The feed.
        source_id: String,
    },
    /// A publisher refuses for good.
    #[error("feed {source_id} cannot publish: {error}")]
    Publish {
        /// The feed.
        source_id: String,
        /// Why.
        error: PublishError,
    },
}

/// The sender. [`Drive::run`] blocks: give it a thread of its own, within no runtime.
#[derive(Debug)]
pub struct Drive {
    hospital: Hospital,
    publishers: BTreeMap<String, Publisher>,
    ledger: Arc<Mutex<Ledger>>,
    controllers: Vec<DoorController>,
}

impl Drive {
    /// Sends for `hospital` through one publisher for each feed, by the feed's id.
    pub fn new(
        hospital: Hospital,
        publishers: BTreeMap<String, Publisher>,
        ledger: Arc<Mutex<Ledger>>,
    ) -> Drive {
        let controllers = publishers.iter();
        let controllers = controllers.map(|(feed, publisher)| DoorController::new(feed, publisher));
        let controllers = controllers.collect();
        Drive { hospital, publishers, ledger, controllers }
    }

    /// Sends until the run is `until_ns` old or `stop` is set, and gives the hospital back: its
    /// truth then reaches up to about that moment.
    ///
    /// # Errors
    ///
    /// A feed cannot publish.
    pub fn run(mut self, until_ns: u64, stop: &AtomicBool) -> Result<Hospital, DriveError> {
        let start_at = self.hospital.truth().start_at();
        let end_at = start_at.plus_ns(until_ns);
        while !stop.load(Ordering::Relaxed) {
            let current = now();
            if current >= end_at {
                break;
            }
            let ahead_ns = current.since_ns(start_at).saturating_add(AHEAD_NS).min(until_ns);
            self.move_doors()?;
            let due = self.hospital.advance(ahead_ns);
            if due.is_empty() {
                sleep_until(current.plus_ns(AHEAD_NS / 2).min(end_at));
            }
            for observation in due {
                sleep_until(observation.send_at);
                self.send(&observation, stop)?;
            }
        }
        Ok(self.hospital)
    }

    /// Doors do what they are told.
    fn move_doors(&mut self) -> Result<(), DriveError> {
        for controller in &mut self.controllers {
            let Some(publisher) = self.publishers.get(controller.feed()) else { continue };
            controller.obey(publisher, now()).map_err(|error| {
                let source_id = controller.feed().to_owned();
                DriveError::Publish { source_id, error }
            })?;
        }
        Ok(())
    }

    fn send(&self, observation: &Observation, stop: &AtomicBool) -> Result<(), DriveError> {
        let config = &self.hospital.world().config;
        let Some(source) = at(&config.sources, observation.source) else { return Ok(()) };
        let source_id = source.id.as_str();
        let Some(publisher) = self.publishers.get(source_id) else {
            return Err(DriveError::NoPublisher { source_id: source_id.to_owned() });
        };
        let Some(message) = Message::of(observation, config) else { return Ok(()) };
        while !stop.load(Ordering::Relaxed) {
            // Under the lock, so that no alarm is heard before its ping is in the book.
            let mut ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
            match message.publish(publisher) {
                Ok(ticket) => {
                    let (send_at, observed_at) = (observation.send_at, observation.observed_at);
                    ledger.sent(source_id, ticket, send_at, observed_at, now());
                    return Ok(());
                }
                Err(PublishError::Full { .. }) => {
                    drop(ledger);
                    std::thread::sleep(FULL_WAIT);
                }
                Err(error) => {
                    return Err(DriveError::Publish { source_id: source_id.to_owned(), error });
                }
            }
        }
        Ok(())
    }
}

/// An observation in the client's words.
enum Message {
    Ping(Ping),
    Report(Report),
}

impl Message {
    fn of(observation: &Observation, config: &SiteConfig) -> Option<Message> {
        let observed_at = observation.observed_at;
        Some(match &observation.what {
            Observed::Ping { tag, position, accuracy_mm, battery_percent } => Message::Ping(Ping {
                tag: at(&config.tags, *tag)?.id,
                observed_at,
                coordinates: Coordinates::Local { x_mm: position.x_mm, y_mm: position.y_mm },
                z_mm: position.z_mm,
                floor: position.floor,
                accuracy_mm: Some(*accuracy_mm),
                battery_percent: *battery_percent,
            }),
            Observed::Report(kind) => Message::Report(report(kind, observed_at, config)?),
        })
    }

    fn publish(&self, publisher: &Publisher) -> Result<Ticket, PublishError> {
        match self {
            Message::Ping(ping) => publisher.try_publish(*ping),
            Message::Report(report) => publisher.try_report(report),
        }
    }
}

fn report(kind: &ReportKind, observed_at: Timestamp, config: &SiteConfig) -> Option<Report> {
    let tag = |tag: TagRef, word| Some(Report::tag(at(&config.tags, tag.0)?.id, observed_at, word));
    let door = |door: DoorRef, word| {
        Some(Report::door(at(&config.doors, door.0)?.id.clone(), observed_at, word))
    };
    let anchor = |anchor: AnchorRef, word| {
        Some(Report::anchor(at(&config.anchors, anchor.0)?.id.clone(), observed_at, word))
    };
    match *kind {
        ReportKind::ButtonPressed { tag: it } => tag(it, ReportWord::ButtonPressed),
        ReportKind::ButtonReset { tag: it } => tag(it, ReportWord::ButtonReset),
        ReportKind::BandCut { tag: it } => tag(it, ReportWord::BandCut),
        ReportKind::BandWhole { tag: it } => tag(it, ReportWord::BandWhole),
        ReportKind::DoorOpened { door: it } => door(it, ReportWord::DoorOpened),
        ReportKind::DoorClosed { door: it } => door(it, ReportWord::DoorClosed),
        ReportKind::DoorLocked { door: it } => door(it, ReportWord::DoorLocked),
        ReportKind::DoorUnlocked { door: it } => door(it, ReportWord::DoorUnlocked),
        ReportKind::AccessGranted { door: it, valid_ms, badge } => {
            let badge = badge.and_then(|badge| at(&config.badges, badge.0));
            let grant = door(it, ReportWord::AccessGranted { valid_ms })?;
            Some(badge.map_or(grant.clone(), |badge| grant.to_badge(badge.id.clone())))
        }
        ReportKind::ExitRequested { door: it, valid_ms } => {
            door(it, ReportWord::ExitRequested { valid_ms })
        }
        ReportKind::AnchorAlive { anchor: it } => anchor(it, ReportWord::AnchorAlive),
        ReportKind::AnchorLost { anchor: it } => anchor(it, ReportWord::AnchorLost),
        ReportKind::DoorTampered { door: it } => door(it, ReportWord::DoorTampered),
        ReportKind::DoorUntampered { door: it } => door(it, ReportWord::DoorUntampered),
        ReportKind::ReaderTampered { door: it } => door(it, ReportWord::ReaderTampered),
        ReportKind::ReaderUntampered { door: it } => door(it, ReportWord::ReaderUntampered),
        ReportKind::DoorAlive { door: it } => door(it, ReportWord::DoorAlive),
        ReportKind::DoorLost { door: it } => door(it, ReportWord::DoorLost),
        ReportKind::OrderDone { door: it, number } => door(it, ReportWord::OrderDone { number }),
        ReportKind::OrderRefused { door: it, number } => {
            door(it, ReportWord::OrderRefused { number })
        }
        ReportKind::FireOn { door: it } => door(it, ReportWord::FireOn),
        ReportKind::FireOver { door: it } => door(it, ReportWord::FireOver),
        ReportKind::LocalOverride { door: it, mode } => {
            door(it, ReportWord::LocalOverride { mode })
        }
        ReportKind::DoorBattery { door: it, percent } => {
            door(it, ReportWord::DoorBattery { percent })
        }
        ReportKind::MotionSeen { zone: it } => {
            Some(Report::motion(at(&config.zones, it.0)?.id.clone(), observed_at))
        }
    }
}

/// A thread's sleep is good to about 60 µs on Linux; an async timer would be to a millisecond.
fn sleep_until(moment: Timestamp) {
    let wait_ns = moment.since_ns(now());
    if wait_ns > 0 {
        std::thread::sleep(Duration::from_nanos(wait_ns));
    }
}

fn at<T>(list: &[T], index: u32) -> Option<&T> {
    usize::try_from(index).ok().and_then(|index| list.get(index))
}
