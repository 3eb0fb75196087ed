//! One of the two shards, and the alarms it raised.

use std::collections::BTreeMap;
use std::sync::Arc;

use ach_actors_entities::{Effect, Site};
use ach_actors_model::{AlarmId, AlarmNotice, AlarmTransition, RuleRef};
use ach_engine_shard::{Entry, Shard};

use crate::episode::Episode;

/// Most alarms of a rehearsal: ten thousand a day for a hundred days take about 150 MB. More than that nobody
/// reads, and rules that raise them are told sooner by a shorter time.
pub const EPISODES_MAX: usize = 1_000_000;

/// A shard and its alarms.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) shard: Shard,
    effects: Vec<Effect>,
    episodes: Vec<Episode>,
    /// Where in the list those are that have not ended.
    open: BTreeMap<AlarmId, usize>,
    /// Ids of rules that have raised something, each kept once.
    rules: BTreeMap<RuleRef, Arc<str>>,
}

/// It raised more alarms than are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooMany;

impl Run {
    /// One that goes on from a shard, with the alarms that are open in it.
    pub(crate) fn new(shard: Shard) -> Run {
        let mut run = Run {
            effects: Vec::new(),
            episodes: Vec::new(),
            open: BTreeMap::new(),
            rules: BTreeMap::new(),
            shard,
        };
        for notice in run.shard.open_alarms() {
            run.begin(&notice);
        }
        run
    }

    /// Decides an entry; its effects' hash.
    pub(crate) fn step(&mut self, entry: &Entry) -> Result<u64, TooMany> {
        self.effects.clear();
        let hash = self.shard.step(entry, &mut self.effects);
        let mut outcome = Ok(hash);
        let effects = std::mem::take(&mut self.effects);
        for effect in &effects {
            if let Effect::Alarm(notice) = effect
                && !self.hear(notice)
            {
                outcome = Err(TooMany);
            }
        }
        self.effects = effects;
        outcome
    }

    /// Whether the last entry put another version of the site in force.
    pub(crate) fn has_changed_site(&self) -> bool {
        self.effects.iter().any(|effect| matches!(effect, Effect::SiteInForce { .. }))
    }

    /// All alarms in the order in which they were raised, and the site that was in force last.
    pub(crate) fn finish(self) -> (Vec<Episode>, Option<Arc<Site>>) {
        (self.episodes, self.shard.site().cloned())
    }

    /// Takes what is said of an alarm; `false` if there is no room for another.
    fn hear(&mut self, notice: &AlarmNotice) -> bool {
        if notice.transition == AlarmTransition::Raised {
            return self.begin(notice);
        }
        let known = self.open.get(&notice.id).and_then(|&at| self.episodes.get_mut(at));
        if let Some(episode) = known {
            episode.go_on(notice);
            if episode.ended_at().is_some() {
                self.open.remove(&notice.id);
            }
        }
        true
    }

    fn begin(&mut self, notice: &AlarmNotice) -> bool {
        if self.episodes.len() >= EPISODES_MAX {
            return false;
        }
        let rule = notice.rule.map(|rule| self.rule(rule));
        self.open.insert(notice.id, self.episodes.len());
        self.episodes.push(Episode::begin(notice, rule));
        true
    }

    fn rule(&mut self, rule: RuleRef) -> Arc<str> {
        let site = self.shard.site();
        let id = self.rules.entry(rule).or_insert_with(|| {
            let id = site.and_then(|site| site.rule_name(rule));
            id.map_or_else(|| Arc::from(format!("#{}", rule.0)), Arc::from)
        });
        Arc::clone(id)
    }
}
