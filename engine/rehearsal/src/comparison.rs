//! What two runs raised, held against each other.

use std::collections::BTreeMap;

use ach_actors_model::Timestamp;
use ach_engine_review::Episode;

use crate::pairing::{Pair, pair};
use crate::score::Score;

/// Pairs of alarms of a span of time, in the order in which they were raised.
#[derive(Debug, Clone)]
pub struct Comparison<'a> {
    pairs: Vec<Pair<'a>>,
    span: (Timestamp, Timestamp),
}

/// Holds the alarms of two runs against each other, those raised from the first moment of `span` on and before
/// the second. Others help to find out which is which: one that was raised just before the span has not come
/// because it would have been raised just within.
///
/// Both lists are in the order in which alarms were raised. Takes time as sorting them does.
pub fn compare<'a>(
    was: &'a [Episode],
    would: &'a [Episode],
    span: (Timestamp, Timestamp),
) -> Comparison<'a> {
    let pairs = pair(was, would).into_iter().filter(|pair| pair.is_within(span)).collect();
    Comparison { pairs, span }
}

impl<'a> Comparison<'a> {
    /// All of them.
    pub fn pairs(&self) -> &[Pair<'a>] {
        &self.pairs
    }

    /// All counts.
    pub fn score(&self) -> Score {
        self.by(|_| ()).remove(&()).unwrap_or_default()
    }

    /// Counts by what `key` says of an alarm: its rule, its place, the hour it was raised in. A pair whose two
    /// alarms have different keys counts as one that was under the one and one that would be under the other, and
    /// its difference under the latter.
    pub fn by<K: Ord>(&self, key: impl Fn(&Episode) -> K) -> BTreeMap<K, Score> {
        let mut scores: BTreeMap<K, Score> = BTreeMap::new();
        for pair in &self.pairs {
            if let Some(was) = pair.was.filter(|was| self.is_within(was)) {
                scores.entry(key(was)).or_default().was += 1;
            }
            if let Some(would) = pair.would.filter(|would| self.is_within(would)) {
                scores.entry(key(would)).or_default().would += 1;
            }
            if let Some(shown) = pair.would.or(pair.was) {
                scores.entry(key(shown)).or_default().add(pair);
            }
        }
        scores
    }

    fn is_within(&self, episode: &Episode) -> bool {
        let (from, to) = self.span;
        from <= episode.raised_at && episode.raised_at < to
    }
}
