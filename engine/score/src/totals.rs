//! Adds up what became of all lives.

use std::collections::BTreeMap;

use ach_actors_model::SiteConfig;

use crate::life::{Account, RuleAccount};
use crate::number::count;
use crate::score::{Score, Tally};

/// Sums over rounds.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    pub(crate) life_count: u64,
    pub(crate) ping_count: u64,
    tag_s: u64,
    zones: Tally,
    rules: Tally,
    tentative: Tally,
    by_rule: BTreeMap<String, (Tally, Option<Tally>)>,
}

impl Totals {
    /// Adds lives of so many seconds.
    pub(crate) fn add(&mut self, accounts: Vec<Account>, config: &SiteConfig, seconds: u32) {
        let tag_s = u64::from(seconds);
        self.life_count += count(accounts.len());
        for account in accounts {
            self.tag_s += tag_s;
            self.zones.add(tag_s, &account.plain, &account.omlox, &account.zone);
            for rule in &account.rules {
                self.add_rule(&account, rule, config, tag_s);
            }
        }
    }

    fn add_rule(&mut self, account: &Account, rule: &RuleAccount, config: &SiteConfig, tag_s: u64) {
        let Some(known) = config.rules.get(rule.rule) else { return };
        let Account { plain, omlox, .. } = account;
        let (last_by_rule, first_by_rule) =
            self.by_rule.entry(known.id.as_str().to_owned()).or_default();
        for tally in [&mut self.rules, last_by_rule] {
            tally.add(tag_s, plain, omlox, &rule.last_words);
        }
        if known.is_tentative {
            for tally in [&mut self.tentative, first_by_rule.get_or_insert_default()] {
                let first = &rule.first_words;
                tally.add(tag_s, &first.plain, &first.omlox, &first.ours);
            }
        }
    }

    pub(crate) fn finish(self, seed: u64, left_out: u64) -> Score {
        let by_rule = self.by_rule.into_iter().map(|(rule, (last, first))| {
            (rule, last.finish(seed), first.map(|first| first.finish(seed)))
        });
        Score {
            seed,
            tag_s: self.tag_s,
            life_count: self.life_count,
            ping_count: self.ping_count,
            left_out,
            by_rule: by_rule.collect(),
            zones: self.zones.finish(seed),
            rules: self.rules.finish(seed),
            tentative: self.tentative.finish(seed),
        }
    }
}
