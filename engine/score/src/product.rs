//! The product itself: a shard with the site's rules, and what it says of zones and alarms.

use std::collections::BTreeMap;

use ach_actors_entities::Effect;
use ach_actors_model::{
    AlarmNotice, AlarmTransition, Condition, EventKind, Ping, PingBatch, Place, RuleRef,
    SiteConfig, SourceRef, SubjectRef, TagRef, Timestamp, ZoneRef,
};
use ach_engine_shard::{Entry, Input, LOGIC_VERSION, Shard};
use ach_geo::Position;

use crate::ScoreError;
use crate::ground::Side;

/// What the product has said of one subject at one zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Word {
    /// Indexes in the site configuration.
    pub(crate) subject: usize,
    pub(crate) zone: usize,
    pub(crate) at: Timestamp,
    pub(crate) side: Side,
    pub(crate) saying: Saying,
}

/// By what it said so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Saying {
    /// The zone's own gates.
    Zone,
    /// An alarm of the rule, on evidence that is not complete yet.
    Tentative { rule: usize },
    /// An alarm of the rule, raised or upheld; or cleared, because the subject went back. `had_word` says
    /// whether a tentative one came before.
    Rule { rule: usize, had_word: bool },
}

/// A ping to be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen {
    /// Index in the site configuration.
    pub(crate) tag: usize,
    pub(crate) position: Position,
    pub(crate) accuracy_mm: u32,
}

/// A shard with the site in force.
pub(crate) struct Product {
    shard: Shard,
    effects: Vec<Effect>,
    /// By index in the site configuration: what the shard calls it, and whose feed it is.
    tags: Vec<Option<(TagRef, SourceRef)>>,
    subjects: BTreeMap<SubjectRef, usize>,
    zones: BTreeMap<ZoneRef, usize>,
    /// And whether it is about leaving.
    rules: BTreeMap<String, (usize, bool)>,
    seqs: BTreeMap<SourceRef, u64>,
}

impl Product {
    /// One that hears of the site at that moment.
    pub(crate) fn new(config: &SiteConfig, at: Timestamp) -> Result<Product, ScoreError> {
        let mut product = Product {
            shard: Shard::new(),
            effects: Vec::new(),
            tags: Vec::new(),
            subjects: BTreeMap::new(),
            zones: BTreeMap::new(),
            rules: BTreeMap::new(),
            seqs: BTreeMap::new(),
        };
        product.step(at, vec![Input::SiteChange(Box::new(config.clone()))]);
        let site = product.shard.site().cloned().ok_or(ScoreError::SiteRefused)?;
        product.tags = config
            .tags
            .iter()
            .map(|tag| {
                let tag = site.tag(tag.id)?;
                Some((tag, site.tag_source(tag)?))
            })
            .collect();
        let subjects = (0..).zip(&config.subjects);
        product.subjects = subjects
            .filter_map(|(at, subject)| Some((site.subject(subject.id.as_str())?, at)))
            .collect();
        let zones = (0..).zip(&config.zones);
        product.zones =
            zones.filter_map(|(at, zone)| Some((site.zone(zone.id.as_str())?, at))).collect();
        let rules = (0..).zip(&config.rules);
        product.rules = rules
            .map(|(at, rule)| {
                let is_about_leaving = matches!(rule.condition, Condition::Leaves { .. });
                (rule.id.as_str().to_owned(), (at, is_about_leaving))
            })
            .collect();
        let sources: Vec<SourceRef> =
            config.sources.iter().filter_map(|source| site.source(source.id.as_str())).collect();
        product.seqs = sources.iter().map(|source| (*source, 0)).collect();
        let open = |source| Input::OpenEpoch { source, epoch: 1 };
        product.step(at, sources.into_iter().map(open).collect());
        product.effects.clear();
        Ok(product)
    }

    /// Hears the pings of one moment, after what was due before; appends what it says to all that.
    pub(crate) fn hear(&mut self, at: Timestamp, seen: &[Seen], words: &mut Vec<Word>) {
        self.wake_up(at, words);
        let mut batches: BTreeMap<SourceRef, Vec<Ping>> = BTreeMap::new();
        for seen in seen {
            let Some(&Some((tag, source))) = self.tags.get(seen.tag) else { continue };
            let pings = batches.entry(source).or_default();
            let Ok(seq_offset) = u32::try_from(pings.len()) else { continue };
            pings.push(Ping {
                tag,
                seq_offset,
                observed_at: at,
                position: seen.position,
                accuracy_mm: seen.accuracy_mm,
                battery_percent: None,
            });
        }
        let inputs: Vec<Input> =
            batches.into_iter().map(|(source, pings)| self.batch(source, at, pings)).collect();
        self.step(at, inputs);
        self.listen(words);
    }

    /// A node wakes up for every deadline.
    pub(crate) fn wake_up(&mut self, until: Timestamp, words: &mut Vec<Word>) {
        while let Some(due_at) = self.shard.next_due().filter(|due_at| *due_at < until) {
            self.step(due_at.max(self.shard.entry_at()), vec![Input::Tick]);
            self.listen(words);
        }
    }

    fn batch(&mut self, source: SourceRef, at: Timestamp, pings: Vec<Ping>) -> Input {
        let last_seq = self.seqs.entry(source).or_default();
        let first_seq = *last_seq + 1;
        *last_seq += crate::number::count(pings.len());
        Input::Pings(PingBatch {
            source,
            epoch: 1,
            first_seq,
            last_seq: *last_seq,
            received_at: at,
            conflated_count: 0,
            refused_count: 0,
            pings,
        })
    }

    fn step(&mut self, at: Timestamp, inputs: Vec<Input>) {
        let entry = Entry {
            index: self.shard.entry_index() + 1,
            at,
            site_version: self.shard.site().map_or(0, |site| site.version()),
            logic_version: LOGIC_VERSION,
            inputs,
            effects_hash: 0,
        };
        self.shard.step(&entry, &mut self.effects);
    }

    fn listen(&mut self, words: &mut Vec<Word>) {
        let effects = std::mem::take(&mut self.effects);
        words.extend(effects.iter().filter_map(|effect| match effect {
            Effect::Alarm(notice) => self.alarm(notice),
            Effect::Event(event) => {
                let (subject, zone, side) = match event.kind {
                    EventKind::ZoneEntered { subject, zone, .. } => (subject, zone, Side::In),
                    EventKind::ZoneExited { subject, zone, .. } => (subject, zone, Side::Out),
                    _ => return None,
                };
                self.word(subject, zone, event.at, side, Saying::Zone)
            }
            _ => None,
        }));
        self.effects = effects;
        self.effects.clear();
    }

    fn word(
        &self,
        subject: SubjectRef,
        zone: ZoneRef,
        at: Timestamp,
        side: Side,
        saying: Saying,
    ) -> Option<Word> {
        let (subject, zone) = (*self.subjects.get(&subject)?, *self.zones.get(&zone)?);
        Some(Word { subject, zone, at, side, saying })
    }

    /// What an alarm says of where its subject is.
    fn alarm(&self, notice: &AlarmNotice) -> Option<Word> {
        let (Some(subject), Place::Zone(zone)) = (notice.subject, notice.place) else {
            return None;
        };
        let (rule, is_about_leaving) = self.rule(notice.rule?)?;
        let (gone, back) =
            if is_about_leaving { (Side::Out, Side::In) } else { (Side::In, Side::Out) };
        let (side, saying) = match notice.transition {
            AlarmTransition::Raised if notice.is_tentative => (gone, Saying::Tentative { rule }),
            AlarmTransition::Raised => (gone, Saying::Rule { rule, had_word: false }),
            AlarmTransition::Upheld => (gone, Saying::Rule { rule, had_word: true }),
            AlarmTransition::Cleared => (back, Saying::Rule { rule, had_word: false }),
            // What people do with it says nothing of where anybody is.
            _ => return None,
        };
        self.word(subject, zone, notice.changed_at, side, saying)
    }

    fn rule(&self, rule: RuleRef) -> Option<(usize, bool)> {
        let site = self.shard.site()?;
        self.rules.get(site.rule_name(rule)?).copied()
    }
}
