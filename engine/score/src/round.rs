//! A round: lives that one shard hears of at once.

use std::collections::BTreeMap;

use ach_actors_model::{NS_PER_S, Timestamp};

use crate::life::{Account, Life};
use crate::number::count;
use crate::product::{Product, Seen, Word};
use crate::stay::second_ns;

/// Monday, 23 November 2026, midnight in UTC. Rules hold at all hours, so that it is any day.
pub(crate) const BEGIN: Timestamp = Timestamp(1_795_392_000 * NS_PER_S);

/// Lives and the product that hears of them.
pub(crate) struct Round {
    product: Product,
    lives: Vec<Life>,
    /// Which life is a subject's.
    by_subject: BTreeMap<usize, usize>,
    seen: Vec<Seen>,
    heard: Vec<usize>,
    words: Vec<Word>,
}

impl Round {
    pub(crate) fn new(product: Product, lives: Vec<Life>) -> Round {
        let by_subject = (0..).zip(&lives).map(|(at, life)| (life.haunt().subject, at)).collect();
        Round { product, lives, by_subject, seen: Vec::new(), heard: Vec::new(), words: Vec::new() }
    }

    /// Everybody lives for a second; how many pings are heard.
    pub(crate) fn step(&mut self, second: u32) -> u64 {
        let now = BEGIN.plus_ns(second_ns(second));
        self.product.wake_up(now, &mut self.words);
        self.listen();
        self.seen.clear();
        self.heard.clear();
        for (at, life) in (0..).zip(&mut self.lives) {
            if let Some(seen) = life.step(second) {
                self.seen.push(seen);
                self.heard.push(at);
            }
        }
        self.product.hear(now, &self.seen, &mut self.words);
        self.listen();
        for at in &self.heard {
            if let Some(life) = self.lives.get_mut(*at) {
                life.count();
            }
        }
        count(self.heard.len())
    }

    /// What became of the lives, after so many seconds.
    pub(crate) fn finish(mut self, seconds: u32) -> Vec<Account> {
        self.product.wake_up(BEGIN.plus_ns(second_ns(seconds)), &mut self.words);
        self.listen();
        self.lives.into_iter().map(|life| life.finish(seconds)).collect()
    }

    fn listen(&mut self) {
        for word in self.words.drain(..) {
            let life = self.by_subject.get(&word.subject).and_then(|at| self.lives.get_mut(*at));
            if let Some(life) = life {
                life.listen(&word, word.at.since_ns(BEGIN));
            }
        }
    }
}
