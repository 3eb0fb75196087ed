//! What the journal has, read without a node and decided again.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use ach_actors_entities::Effect;
use ach_actors_model::{AlarmId, AlarmNotice, AlarmTransition, Lane};
use ach_clients_rust::{LaneProgress, Progress};
use ach_engine_journal::{FileDisk, KekSource, Reader, RecordKind};
use ach_engine_shard::{Entry, Input, Shard};
use ach_engine_wire::decode_entry;

use crate::{Death, Episode};

/// The first and the last entry that the journal has, which is sound as far as it reaches.
pub(crate) fn entries(data: &Path) -> (u64, u64) {
    let kek = KekSource::File(data.join("journal.key")).load().unwrap();
    let reader = Reader::new(FileDisk::existing(data.join("journal")).unwrap());
    let (mut first, mut last) = (None, 0);
    let report = reader.show(&kek, &mut |record| {
        if record.kind == RecordKind::Entry {
            first.get_or_insert(record.index);
            last = record.index;
        }
    });
    let report = report.unwrap();
    assert!(report.damage.is_none(), "the journal is damaged: {:?}", report.damage);
    (first.expect("an entry"), last)
}

/// The journal's content.
#[derive(Debug)]
pub(crate) struct Journaled {
    /// All episodes by id.
    pub(crate) episodes: BTreeMap<AlarmId, Episode>,
    raised: Vec<AlarmId>,
    cleared: BTreeSet<AlarmId>,
    /// Every number up to this one is there, by lane.
    through: BTreeMap<Lane, u64>,
    shard: Shard,
    faults: Vec<String>,
}

impl Journaled {
    /// Reads it, and holds what was there at each death against what had been acknowledged by then.
    pub(crate) fn read(data: &Path, deaths: &[Death]) -> Journaled {
        let kek = KekSource::File(data.join("journal.key")).load().unwrap();
        let reader = Reader::new(FileDisk::existing(data.join("journal")).unwrap());
        let mut journaled = Journaled {
            episodes: BTreeMap::new(),
            raised: Vec::new(),
            cleared: BTreeSet::new(),
            through: BTreeMap::new(),
            shard: Shard::new(),
            faults: Vec::new(),
        };
        let mut next_death = 0;
        let mut check_deaths = |journaled: &mut Journaled, entry: Option<&Entry>| {
            while let Some(death) = deaths.get(next_death)
                && entry.is_none_or(|entry| entry.at > death.killed_at)
            {
                next_death += 1;
                journaled.check_acked(&format!("at kill {next_death}"), &death.durable);
            }
        };
        let report = reader
            .show(&kek, &mut |record| {
                if record.kind == RecordKind::Entry {
                    let entry = decode_entry(record.payload).unwrap();
                    check_deaths(&mut journaled, Some(&entry));
                    journaled.take(&entry);
                }
            })
            .unwrap();
        check_deaths(&mut journaled, None);
        assert!(report.damage.is_none(), "the journal is damaged: {:?}", report.damage);
        assert!(report.was_closed, "the journal was not closed in order");
        journaled
    }

    /// It has all that was published and acknowledged, and each expected episode once.
    pub(crate) fn check(&self, progress: &Progress, expected: &BTreeSet<Episode>) {
        assert!(self.faults.is_empty(), "the journal is wrong: {:#?}", self.faults);
        for (lane, progress) in [(Lane::Ping, progress.ping), (Lane::Duress, progress.duress)] {
            let LaneProgress { published_through, durable_through, .. } = progress;
            let through = self.through.get(&lane).copied().unwrap_or(0);
            assert_eq!(
                (through, durable_through),
                (published_through, published_through),
                "{lane:?}: in the journal, and acknowledged, of what was published"
            );
        }
        let raised: BTreeSet<Episode> = self.episodes.values().cloned().collect();
        let missing: Vec<_> = expected.difference(&raised).collect();
        let extra: Vec<_> = raised.difference(expected).collect();
        assert!(
            missing.is_empty() && extra.is_empty(),
            "never raised: {missing:#?}; raised without reason: {extra:#?}"
        );
        assert_eq!(raised.len(), self.episodes.len(), "an episode has two ids");
        let is_ended = |id: &AlarmId| self.cleared.contains(id);
        assert!(self.episodes.keys().all(is_ended), "an episode has not ended");
        assert!(self.shard.open_alarms().is_empty(), "an alarm is open");
    }

    /// Every alarm that was raised has ended.
    pub(crate) fn check_ended(&self) {
        let open: Vec<_> = self.raised.iter().filter(|id| !self.cleared.contains(id)).collect();
        assert!(open.is_empty() && self.faults.is_empty(), "{open:?} {:?}", self.faults);
    }

    /// Every time an alarm was raised.
    pub(crate) fn raised_in_order(&self) -> &[AlarmId] {
        &self.raised
    }

    fn take(&mut self, entry: &Entry) {
        for input in &entry.inputs {
            match input {
                Input::Pings(batch) => {
                    let is_whole = batch.conflated_count == 0 && batch.refused_count == 0;
                    if batch.epoch != 1 || !is_whole {
                        let index = entry.index;
                        self.faults.push(format!("entry {index} has another epoch or left out"));
                    }
                    self.heard(entry, Lane::Ping, batch.first_seq, batch.last_seq);
                }
                Input::Report(report) => self.heard(entry, report.lane, report.seq, report.seq),
                _ => {}
            }
        }
        let mut effects = Vec::new();
        let effects_hash = self.shard.step(entry, &mut effects);
        if effects_hash != entry.effects_hash {
            self.faults.push(format!("entry {} has other effects than it had", entry.index));
        }
        for effect in &effects {
            if let Effect::Alarm(notice) = effect {
                self.notice(notice);
            }
        }
    }

    fn heard(&mut self, entry: &Entry, lane: Lane, first_seq: u64, last_seq: u64) {
        let through = self.through.entry(lane).or_insert(0);
        if first_seq > *through + 1 {
            let index = entry.index;
            self.faults.push(format!("entry {index}: {lane:?} {first_seq} after {through}"));
        }
        *through = last_seq.max(*through);
    }

    fn notice(&mut self, notice: &AlarmNotice) {
        let site = self.shard.site().expect("an alarm before a site");
        let rule = notice.rule.and_then(|rule| site.rule_name(rule)).unwrap_or_default();
        let subject = notice.subject.and_then(|it| site.subject_name(it)).unwrap_or_default();
        let episode = (rule.to_owned(), subject.to_owned(), notice.episode);
        let id = notice.id;
        let fault = match notice.transition {
            AlarmTransition::Raised => {
                self.raised.push(id);
                let before = self.episodes.insert(id, episode.clone());
                before.map(|before| format!("{episode:?} raised as {id}, as {before:?} was"))
            }
            AlarmTransition::Cleared if self.episodes.get(&id) != Some(&episode) => {
                Some(format!("{episode:?} cleared and never raised"))
            }
            AlarmTransition::Cleared => {
                (!self.cleared.insert(id)).then(|| format!("{episode:?} cleared twice"))
            }
            other => Some(format!("{episode:?} was {other:?}, and no rule is tentative")),
        };
        self.faults.extend(fault);
    }

    fn check_acked(&mut self, when: &str, acked: &Progress) {
        for (lane, acked) in [(Lane::Ping, acked.ping), (Lane::Duress, acked.duress)] {
            let through = self.through.get(&lane).copied().unwrap_or(0);
            if through < acked.durable_through {
                let acked = acked.durable_through;
                self.faults.push(format!(
                    "{when} {lane:?} {acked} was acknowledged as durable, and {through} was"
                ));
            }
        }
    }
}

/// How many checkpoints the node left, each whole: two at most, and one that history may have to go on
/// from, or the three oldest after one of which it may have to begin.
pub(crate) fn checkpoints(data: &Path) -> usize {
    let disk = FileDisk::existing(data.join("journal")).unwrap();
    let kek = KekSource::File(data.join("journal.key")).load().unwrap();
    let shelved = ach_engine_checkpoint::Shelf::new(disk.clone()).list().unwrap();
    assert!(shelved.len() <= 5, "{shelved:?}");
    for one in &shelved {
        let read = ach_engine_checkpoint::read(&disk, one.index, &kek, &mut |_| true);
        assert_eq!(read.unwrap().index, one.index);
    }
    shelved.len()
}
