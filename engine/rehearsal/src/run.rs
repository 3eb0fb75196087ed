//! One of the two shards, and the alarms it raised.

use std::collections::BTreeMap;
use std::sync::Arc;

use ach_actors_entities::{Effect, Site};
use ach_actors_model::{AlarmNotice, RuleRef};
use ach_engine_review::{AlarmLog, Episode, TooManyAlarms};
use ach_engine_shard::{Entry, Shard};

/// A shard and its alarms.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) shard: Shard,
    effects: Vec<Effect>,
    log: AlarmLog,
    /// Ids of rules that have raised something, each kept once.
    rules: BTreeMap<RuleRef, Arc<str>>,
}

impl Run {
    /// One that goes on from a shard, with the alarms that are open in it.
    pub(crate) fn new(shard: Shard) -> Result<Run, TooManyAlarms> {
        let mut run =
            Run { effects: Vec::new(), log: AlarmLog::default(), rules: BTreeMap::new(), shard };
        for notice in run.shard.open_alarms() {
            run.hear(&notice)?;
        }
        Ok(run)
    }

    /// Decides an entry; its effects' hash.
    pub(crate) fn step(&mut self, entry: &Entry) -> Result<u64, TooManyAlarms> {
        self.effects.clear();
        let hash = self.shard.step(entry, &mut self.effects);
        let effects = std::mem::take(&mut self.effects);
        for effect in &effects {
            if let Effect::Alarm(notice) = effect {
                self.hear(notice)?;
            }
        }
        self.effects = effects;
        Ok(hash)
    }

    /// Whether the last entry put another version of the site in force.
    pub(crate) fn has_changed_site(&self) -> bool {
        self.effects.iter().any(|effect| matches!(effect, Effect::SiteInForce { .. }))
    }

    /// All alarms in the order in which they were raised, and the site that was in force last.
    pub(crate) fn finish(self) -> (Vec<Episode>, Option<Arc<Site>>) {
        (self.log.finish(), self.shard.site().cloned())
    }

    fn hear(&mut self, notice: &AlarmNotice) -> Result<(), TooManyAlarms> {
        let rule = notice.rule.map(|rule| self.rule(rule));
        self.log.hear(notice, rule)
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
