//! What was sent when, what came back when: the accounts of a run.

use std::collections::{BTreeMap, VecDeque};

use ach_actors_model::{AlarmId, AlarmKind, AlarmTransition, Lane, Timestamp};
use ach_clients_rust::{AlarmUpdate, Ticket};
use ach_engine_wire::{AlarmNote, InputCause, Storage, Thing, WireCause};

use crate::judge::HeardAlarm;
use crate::latency::Latencies;

/// Sent inputs remembered on each lane of each feed: half an hour of 600 pings a second. An alarm
/// that names an older one has no latency.
const SENT_MAX: usize = 1 << 20;
/// Probes on their way at most.
const PROBES_MAX: usize = 65_536;

/// When an input was meant to leave.
#[derive(Debug, Clone, Copy)]
struct Sent {
    number: u64,
    send_at: Timestamp,
    observed_at: Timestamp,
}

/// An episode as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Episode {
    /// What is judged.
    pub alarm: HeardAlarm,
    /// What is wrong.
    pub kind: AlarmKind,
    /// When it arrived.
    pub arrived_at: Timestamp,
    /// From the intended sending of the input that opened it, or from its deadline.
    pub latency_ns: Option<u64>,
    /// Whether its raising is durable.
    pub is_durable: bool,
    /// Whether it was withdrawn.
    pub is_withdrawn: bool,
}

/// The accounts. Share it as `Arc<Mutex<Ledger>>` between the sender and those who listen.
#[derive(Debug, Default)]
pub struct Ledger {
    sent: BTreeMap<(String, Lane), VecDeque<Sent>>,
    probes: BTreeMap<u64, Timestamp>,
    episodes: Vec<Episode>,
    number_of: BTreeMap<AlarmId, usize>,
    alarm_latency: Latencies,
    deadline_lateness: Latencies,
    floor_latency: Latencies,
    send_lateness: Latencies,
}

impl Ledger {
    /// Nothing was sent yet.
    pub fn new() -> Ledger {
        Ledger::default()
    }

    /// An input was handed to the client at `now`, meant for `send_at`.
    pub fn sent(
        &mut self,
        source: &str,
        ticket: Ticket,
        send_at: Timestamp,
        observed_at: Timestamp,
        now: Timestamp,
    ) {
        self.send_lateness.record(now.since_ns(send_at));
        let key = (source.to_owned(), ticket.lane);
        let lane = self.sent.entry(key).or_default();
        if lane.len() == SENT_MAX {
            lane.pop_front();
        }
        lane.push_back(Sent { number: ticket.number, send_at, observed_at });
    }

    /// A probe is meant to leave at `send_at`.
    pub fn probe_sent(&mut self, nonce: u64, send_at: Timestamp) {
        if self.probes.len() == PROBES_MAX {
            self.probes.pop_first();
        }
        self.probes.insert(nonce, send_at);
    }

    /// Takes what the subscriber heard at `now`; gives the episode if it is a new one.
    pub fn heard(&mut self, update: &AlarmUpdate, now: Timestamp) -> Option<&Episode> {
        match update {
            AlarmUpdate::Note(note) => return self.note(note, now),
            AlarmUpdate::Durable { id, transition: AlarmTransition::Raised, .. } => {
                if let Some(episode) = self.episode_mut(*id) {
                    episode.is_durable = true;
                }
            }
            AlarmUpdate::Withdrawn { id, transition: AlarmTransition::Raised } => {
                if let Some(episode) = self.episode_mut(*id) {
                    episode.is_withdrawn = true;
                }
            }
            AlarmUpdate::EchoReply { nonce } => {
                if let Some(send_at) = self.probes.remove(nonce) {
                    self.floor_latency.record(now.since_ns(send_at));
                }
            }
            _ => {}
        }
        None
    }

    /// All episodes in the order they came.
    pub fn episodes(&self) -> &[Episode] {
        &self.episodes
    }

    /// From intended sending to the subscriber.
    pub fn alarm_latency(&self) -> &Latencies {
        &self.alarm_latency
    }

    /// From a deadline to the subscriber.
    pub fn deadline_lateness(&self) -> &Latencies {
        &self.deadline_lateness
    }

    /// Of echo probes.
    pub fn floor_latency(&self) -> &Latencies {
        &self.floor_latency
    }

    /// How late the sender itself was: part of every latency, and not the product's doing.
    pub fn send_lateness(&self) -> &Latencies {
        &self.send_lateness
    }

    fn note(&mut self, note: &AlarmNote, now: Timestamp) -> Option<&Episode> {
        let is_durable = note.storage == Storage::Durable;
        if let Some(episode) = self.episode_mut(note.id) {
            episode.is_durable |= is_durable;
            return None;
        }
        if matches!(note.transition, AlarmTransition::Retracted | AlarmTransition::Cleared) {
            return None;
        }
        let latency_ns = self.latency_ns(note, now);
        let alarm = HeardAlarm {
            id: note.id.0,
            rule: note.rule.as_ref().map(ToString::to_string),
            subject: note.subject.as_ref().map(ToString::to_string),
            place: match &note.place {
                Thing::Zone(name) | Thing::Door(name) | Thing::Line(name) => Some(name.to_string()),
                _ => None,
            },
            observed_at: note.observed_at,
        };
        self.number_of.insert(note.id, self.episodes.len());
        self.episodes.push(Episode {
            alarm,
            kind: note.kind,
            arrived_at: now,
            latency_ns,
            is_durable,
            is_withdrawn: note.storage == Storage::Withdrawn,
        });
        self.episodes.last()
    }

    /// Records and gives the latency. One that was sent again over a new connection has none of
    /// its own: it may have been lost with the crash that the run is about.
    fn latency_ns(&mut self, note: &AlarmNote, now: Timestamp) -> Option<u64> {
        match &note.cause {
            WireCause::Input(cause) => {
                let send_at = self.send_at(cause, note.observed_at)?;
                let latency_ns = now.since_ns(send_at);
                self.alarm_latency.record(latency_ns);
                Some(latency_ns)
            }
            WireCause::Deadline { due_at } => {
                let lateness_ns = now.since_ns(*due_at);
                self.deadline_lateness.record(lateness_ns);
                Some(lateness_ns)
            }
            WireCause::SiteChange | WireCause::Node => None,
        }
    }

    /// A ticket's number is its sequence number in the publisher's first epoch. After that the
    /// moment of observation finds it.
    fn send_at(&self, cause: &InputCause, observed_at: Timestamp) -> Option<Timestamp> {
        let lane = self.sent.get(&(cause.source.to_string(), cause.lane))?;
        let first = lane.front()?.number;
        let by_number = cause
            .seq
            .checked_sub(first)
            .and_then(|at| usize::try_from(at).ok())
            .and_then(|at| lane.get(at))
            .filter(|sent| sent.observed_at == observed_at);
        by_number
            .or_else(|| lane.iter().rev().find(|sent| sent.observed_at == observed_at))
            .map(|sent| sent.send_at)
    }

    fn episode_mut(&mut self, id: AlarmId) -> Option<&mut Episode> {
        self.number_of.get(&id).and_then(|number| self.episodes.get_mut(*number))
    }
}
