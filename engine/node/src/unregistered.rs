//! Tags that vendors name or report and the site does not have, to be listed and registered.
//!
//! Of each feed the last named ones since the node began; a locating system that hears every band of
//! the house next door does not fill the memory.

use std::collections::{BTreeMap, BTreeSet};

use ach_actors_entities::Site;
use ach_actors_model::{SourceRef, TagId, Timestamp};

/// Tags kept of one feed: as many as somebody may look through; some 100 bytes each.
pub(crate) const TAGS_A_FEED_MAX: usize = 1_000;

/// A tag that the site does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Named {
    pub tag: TagId,
    pub first_at: Timestamp,
    pub last_at: Timestamp,
    pub count: u64,
}

/// One feed's.
#[derive(Debug, Default)]
struct Feed {
    tags: BTreeMap<TagId, Named>,
    by_last: BTreeSet<(Timestamp, TagId)>,
}

/// All feeds'.
#[derive(Debug, Default)]
pub(crate) struct UnregisteredBook {
    feeds: BTreeMap<SourceRef, Feed>,
}

impl UnregisteredBook {
    /// A feed's vendor has named the tag, or reported it. True if it was not in the book.
    pub(crate) fn note(&mut self, source: SourceRef, tag: TagId, at: Timestamp) -> bool {
        let feed = self.feeds.entry(source).or_default();
        let is_new = !feed.tags.contains_key(&tag);
        if is_new
            && feed.tags.len() >= TAGS_A_FEED_MAX
            && let Some((_, oldest)) = feed.by_last.pop_first()
        {
            feed.tags.remove(&oldest);
        }
        let first = Named { tag, first_at: at, last_at: at, count: 0 };
        let named = feed.tags.entry(tag).or_insert(first);
        feed.by_last.remove(&(named.last_at, tag));
        named.last_at = at.max(named.last_at);
        named.count = named.count.saturating_add(1);
        feed.by_last.insert((named.last_at, tag));
        is_new
    }

    /// All of them, by feed, those last named first, without those that the site has by now: they are
    /// forgotten.
    pub(crate) fn list(&mut self, site: &Site) -> Vec<(SourceRef, Named)> {
        let mut list = Vec::new();
        for (&source, feed) in &mut self.feeds {
            let Feed { tags, by_last } = feed;
            tags.retain(|tag, named| {
                let is_missing = site.tag(*tag).is_none();
                if !is_missing {
                    by_last.remove(&(named.last_at, *tag));
                }
                is_missing
            });
            let newest_first = by_last.iter().rev().filter_map(|(_, tag)| tags.get(tag));
            list.extend(newest_first.map(|named| (source, *named)));
        }
        list
    }
}

#[cfg(test)]
mod tests {
    use ach_actors_model::{SourceConfig, TagConfig};

    use super::*;
    use crate::test_values::{empty_site, site};

    #[test]
    fn of_each_feed_the_last_named_are_kept_and_counted() {
        let mut book = UnregisteredBook::default();
        let one = SourceRef(0);
        for number in 0..1_500 {
            assert!(book.note(one, TagId(number), Timestamp(number)));
            assert!(!book.note(one, TagId(number), Timestamp(number)));
        }
        assert!(book.note(SourceRef(1), TagId(7), Timestamp(3)));
        assert!(!book.note(one, TagId(500), Timestamp(2_000)), "the oldest that is kept");
        assert!(book.note(one, TagId(1), Timestamp(2_001)), "forgotten meanwhile");
        let list = book.list(&site());
        assert_eq!(list.len(), TAGS_A_FEED_MAX + 1);
        let tags: Vec<u64> = list.iter().take(3).map(|(_, named)| named.tag.0).collect();
        assert_eq!(tags, [1, 500, 1_499]);
        let kept = list[1].1;
        assert_eq!(
            (kept.first_at, kept.last_at, kept.count),
            (Timestamp(500), Timestamp(2_000), 3)
        );
        assert_eq!(list.last().unwrap().0, SourceRef(1));
        assert!(!list.iter().any(|(source, named)| *source == one && named.tag == TagId(501)));
    }

    #[test]
    fn what_was_registered_is_forgotten() {
        let mut book = UnregisteredBook::default();
        for number in [7, 8] {
            book.note(SourceRef(0), TagId(number), Timestamp(1));
        }
        let name = |text: &str| ach_actors_model::Name::new(text).unwrap();
        let mut config = empty_site("st-anna");
        config.sources = vec![SourceConfig { id: name("uwb"), silence_ns: None, zones: vec![] }];
        config.tags = vec![TagConfig { id: TagId(7), source: 0, subject: None }];
        let site = Site::compile(None, &config).unwrap();
        let left: Vec<u64> = book.list(&site).iter().map(|(_, named)| named.tag.0).collect();
        assert_eq!(left, [8]);
    }
}
