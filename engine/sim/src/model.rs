//! The reference model: which alarms a journal of inputs must have raised.
//!
//! Written from `docs/specs/entry.md`, `time.md`, `acks.md`, `identity.md` and `site.md` for the simulated
//! site alone: squares without gates, one tag a subject, one feed, one version of the site. It is slow,
//! short and knows no actor, so that it is wrong in other places than the shard. What it leaves out:
//! silence, which has bounds of its own ([`Model::may_be_silent`]), the feed's clock, and what is away, alone,
//! near another or one too many at a door, of which the simulated site has no rules: random stories of
//! `actors/entities` are about those.

mod devices;
mod diary;
mod door_facts;
mod episode;
mod mover;

use std::collections::{BTreeMap, BTreeSet};

use ach_actors_model::{
    AlarmId, AlarmTransition, Command, CommandKind, Lane, PingBatch, Report, ReportKind, Timestamp,
};
use ach_engine_shard::{Entry, Input};

use crate::site::{MUTE_NS, SILENCE_NS, TAG_COUNT};
use devices::TagFacts;
pub(crate) use diary::Diary;
use door_facts::DoorFacts;
pub(crate) use episode::{About, Place, clock_skew_id, rule_id};
use episode::{Cause, Episodes, Moment};
use mover::{Mover, Verdict};

/// Nanoseconds by which the moment a tag was heard may differ from that of the entry that says so.
const HEARD_SLACK_NS: u64 = 1_000_000_000;

/// A change of an alarm that the journal demands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Notice {
    pub id: AlarmId,
    pub transition: AlarmTransition,
    /// The entry.
    pub index: u64,
    /// Since when there was reason to: by the clock of the device that said so, when it was due, or else when
    /// the entry was made.
    pub since: Timestamp,
    /// What it is about, if a rule raised it.
    pub about: Option<About>,
}

/// The model.
#[derive(Debug, Default)]
pub struct Model {
    epoch: u32,
    /// How far duress, door and ping lane were decided on.
    through: [u64; 3],
    movers: BTreeMap<u32, Mover>,
    tags: BTreeMap<u32, TagFacts>,
    doors: BTreeMap<u32, DoorFacts>,
    episodes: Episodes,
    notices: Vec<Notice>,
    diary: Diary,
    /// When each tag was heard, by the time of entries.
    heard: BTreeMap<u32, Vec<Timestamp>>,
    at: Timestamp,
}

impl Model {
    /// Plays a journal from its first entry.
    pub fn play(entries: &[Entry]) -> Model {
        let mut model = Model::default();
        for entry in entries {
            model.step(entry);
        }
        model
    }

    /// The changes it demands, in order.
    pub(crate) fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// What history must remember.
    pub(crate) fn diary(&self) -> &Diary {
        &self.diary
    }

    /// One that demands a change alone, at the beginning of time.
    #[cfg(test)]
    pub(crate) fn with_notice(id: AlarmId, transition: AlarmTransition) -> Model {
        let notice = Notice { id, transition, index: 1, since: Timestamp(0), about: None };
        Model { notices: vec![notice], ..Model::default() }
    }

    /// The alarms that must be open.
    pub(crate) fn open(&self) -> BTreeSet<AlarmId> {
        self.episodes.open_ids()
    }

    /// Ids that silence alarms may have: of each tag as many as it was unheard for long enough, of each door
    /// as many as it can have been within the times that it was surely unheard, and was said to be lost.
    pub(crate) fn may_be_silent(&self) -> BTreeSet<AlarmId> {
        let mut ids = BTreeSet::new();
        for (&tag, heard) in &self.heard {
            let ends = heard.iter().skip(1).chain([&self.at]);
            let is_long = |(from, to): &(&Timestamp, &Timestamp)| {
                to.since_ns(**from).saturating_add(HEARD_SLACK_NS) >= SILENCE_NS
            };
            let gaps = heard.iter().zip(ends).filter(is_long).count();
            let ordinals = 1..=u32::try_from(gaps).unwrap_or(u32::MAX);
            ids.extend(
                ordinals.map(|ordinal| rule_id("silent", Some(tag), Place::Tag(tag), ordinal)),
            );
        }
        for (&door, facts) in &self.doors {
            let ends = facts.heard.iter().skip(1).chain([&self.at]);
            let silences = facts.heard.iter().zip(ends).map(|(from, to)| {
                let gap_ns = to.since_ns(*from).saturating_add(HEARD_SLACK_NS);
                u32::try_from(gap_ns / MUTE_NS).unwrap_or(u32::MAX)
            });
            let count = silences.fold(facts.loss_count, u32::saturating_add);
            ids.extend(
                (1..=count).map(|ordinal| rule_id("mute", None, Place::Door(door), ordinal)),
            );
        }
        ids
    }

    fn step(&mut self, entry: &Entry) {
        self.at = entry.at;
        let index = entry.index;
        for tag in 0..TAG_COUNT {
            self.end_stays(tag, entry.at, (index, None));
        }
        self.hold_doors(entry);
        for input in &entry.inputs {
            match input {
                Input::OpenEpoch { epoch, .. } if *epoch > self.epoch => {
                    self.epoch = *epoch;
                    self.through = [0; 3];
                }
                Input::Pings(batch) => self.take_batch(batch, entry),
                Input::Report(report) => self.take_report(report, entry),
                Input::Command(Command {
                    kind: CommandKind::NodeTrouble { trouble, is_on },
                    ..
                }) => {
                    let moment = Moment { index, since: entry.at, input: None };
                    self.episodes.set_trouble(*trouble, *is_on, moment, &mut self.notices);
                }
                _ => {}
            }
        }
    }

    /// A stay that has become too long is told by the clock, or by the ping before which it had.
    fn end_stays(&mut self, tag: u32, now: Timestamp, (index, input): (u64, Option<Cause>)) {
        let Some(mover) = self.movers.get_mut(&tag) else { return };
        if let Some((zone, since)) = mover.take_stay_due(now) {
            let (place, moment) = (Place::Zone(zone), Moment { index, since, input });
            self.episodes.raise("stay", Some(tag), place, moment, &mut self.notices);
        }
    }

    /// A door that has stood open for too long is told by the clock.
    fn hold_doors(&mut self, entry: &Entry) {
        let Model { doors, episodes, notices, .. } = self;
        for (&door, facts) in doors {
            let mut told = devices::Told {
                stamped_at: entry.at,
                happened_at: entry.at,
                epoch: 0,
                input: (Lane::Door, 0, 0),
                index: entry.index,
                now: entry.at,
                episodes,
                notices,
            };
            facts.fall_due(door, &mut told);
        }
    }

    /// Whether a number is new on its lane; it is decided on from here.
    fn is_new(&mut self, lane: Lane, epoch: u32, seq: u64) -> bool {
        let [duress, door, ping] = &mut self.through;
        let through = match lane {
            Lane::Duress => duress,
            Lane::Ping => ping,
            Lane::Door | Lane::Audit | Lane::Console => door,
        };
        let is_new = epoch == self.epoch && seq > *through;
        if is_new {
            *through = seq;
        }
        is_new
    }

    fn take_batch(&mut self, batch: &PingBatch, entry: &Entry) {
        let before = self.through;
        if !self.is_new(Lane::Ping, batch.epoch, batch.last_seq) {
            return;
        }
        let [.., through] = before;
        let received_at = batch.received_at.min(entry.at);
        for ping in &batch.pings {
            let seq = batch.first_seq.saturating_add(u64::from(ping.seq_offset));
            if seq <= through {
                continue;
            }
            let tag = ping.tag.0;
            self.diary.see(ping, received_at, entry.index);
            let mover = self.movers.entry(tag).or_default();
            let verdict = mover.judge(ping, received_at);
            if verdict != Verdict::Duplicate {
                self.heard.entry(tag).or_default().push(entry.at);
            }
            if verdict != Verdict::New {
                continue;
            }
            let input = (Lane::Ping, batch.epoch, seq);
            self.end_stays(tag, received_at, (entry.index, Some(input)));
            let times = (ping.observed_at.min(received_at), received_at);
            self.walk(tag, times, entry, input);
        }
    }

    /// The tag has moved: zones are left first, then entered.
    fn walk(
        &mut self,
        tag: u32,
        (observed_at, received_at): (Timestamp, Timestamp),
        entry: &Entry,
        input: Cause,
    ) {
        let moment = Moment { index: entry.index, since: observed_at, input: Some(input) };
        let Some(mover) = self.movers.get_mut(&tag) else { return };
        let (left, entered) = mover.cross(observed_at, received_at);
        let notices = &mut self.notices;
        let now = (entry.index, entry.at);
        let number = |zone: usize| u32::try_from(zone).unwrap_or(u32::MAX);
        for zone in left {
            self.diary.exit(number(zone), tag, now);
            let place = Place::Zone(zone);
            match zone {
                0 => self.episodes.end("entry", Some(tag), place, moment, notices),
                1 => self.episodes.raise("exit", Some(tag), place, moment, notices),
                _ => self.episodes.end("stay", Some(tag), place, moment, notices),
            }
        }
        for zone in entered {
            self.diary.enter(number(zone), tag, now);
            let place = Place::Zone(zone);
            match zone {
                0 => self.episodes.raise("entry", Some(tag), place, moment, notices),
                1 => self.episodes.end("exit", Some(tag), place, moment, notices),
                _ => {}
            }
        }
    }

    fn take_report(&mut self, report: &Report, entry: &Entry) {
        if !self.is_new(report.lane, report.epoch, report.seq) {
            return;
        }
        let stamped_at = report.observed_at;
        let happened_at = stamped_at.min(report.received_at.min(entry.at));
        let mut told = devices::Told {
            stamped_at,
            happened_at,
            epoch: report.epoch,
            input: (report.lane, report.epoch, report.seq),
            index: entry.index,
            now: entry.at,
            episodes: &mut self.episodes,
            notices: &mut self.notices,
        };
        match report.kind {
            ReportKind::ButtonPressed { tag }
            | ReportKind::ButtonReset { tag }
            | ReportKind::BandCut { tag }
            | ReportKind::BandWhole { tag } => {
                let facts = self.tags.entry(tag.0).or_default();
                if facts.take(tag.0, report.kind, &mut told) {
                    self.heard.entry(tag.0).or_default().push(entry.at);
                }
            }
            ReportKind::DoorOpened { door }
            | ReportKind::DoorClosed { door }
            | ReportKind::DoorLocked { door }
            | ReportKind::DoorUnlocked { door }
            | ReportKind::DoorTampered { door }
            | ReportKind::DoorUntampered { door }
            | ReportKind::DoorAlive { door }
            | ReportKind::DoorLost { door }
            | ReportKind::AccessGranted { door, .. } => {
                self.doors.entry(door.0).or_default().take(door.0, report.kind, &mut told);
            }
            _ => {}
        }
    }
}
