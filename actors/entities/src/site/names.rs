//! Ids by number and numbers by id, small enough for a million of them.

use ach_actors_model::TagId;
use serde::{Deserialize, Serialize};

/// Names in one text: 8 bytes and the name itself for each. A number, once given, is never taken
/// back, so that alarms about removed things can still be told.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Names {
    text: String,
    ends: Vec<u32>,
    sorted: Vec<u32>,
}

impl Names {
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether names read back are such as [`intern`](Names::intern) makes: as many of each, and each
    /// name once.
    pub(crate) fn is_sound(&self) -> bool {
        let are_ascending = self.ends.is_sorted();
        let is_whole = self.ends.last().is_none_or(|&end| narrow(self.text.len()) == end);
        let names = (0..narrow(self.ends.len())).all(|at| self.name(at).is_some());
        let is_sorted = self.sorted.is_sorted_by(|&a, &b| match (self.name(a), self.name(b)) {
            (Some(a), Some(b)) => a < b,
            _ => false,
        });
        are_ascending && is_whole && names && is_sorted && self.sorted.len() == self.ends.len()
    }

    pub(crate) fn name(&self, at: u32) -> Option<&str> {
        let at = usize::try_from(at).ok()?;
        let end = usize::try_from(*self.ends.get(at)?).ok()?;
        let start = match at.checked_sub(1) {
            Some(before) => usize::try_from(*self.ends.get(before)?).ok()?,
            None => 0,
        };
        self.text.get(start..end)
    }

    pub(crate) fn get(&self, name: &str) -> Option<u32> {
        let found = self.sorted.binary_search_by(|&at| self.name(at).unwrap_or("").cmp(name));
        found.ok().and_then(|place| self.sorted.get(place).copied())
    }

    /// Numbers of `names` in their order; those not known yet get the next ones.
    pub(crate) fn intern<'a>(&mut self, names: impl Iterator<Item = &'a str>) -> Vec<u32> {
        let names: Vec<&str> = names.collect();
        let mut fresh: Vec<&str> =
            names.iter().copied().filter(|name| self.get(name).is_none()).collect();
        fresh.sort_unstable();
        fresh.dedup();
        // Fresh names are numbered by their text: a sorted run, which the sort merges in one pass.
        for name in fresh {
            self.sorted.push(narrow(self.ends.len()));
            self.text.push_str(name);
            self.ends.push(narrow(self.text.len()));
        }
        let mut sorted = std::mem::take(&mut self.sorted);
        sorted.sort_by(|&a, &b| self.name(a).cmp(&self.name(b)));
        self.sorted = sorted;
        names.iter().map(|name| self.get(name).unwrap_or(u32::MAX)).collect()
    }

    pub(crate) fn reserved_bytes(&self) -> usize {
        self.text.capacity() + (self.ends.capacity() + self.sorted.capacity()) * size_of::<u32>()
    }
}

/// Factory numbers of tags: 12 bytes each.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct TagIds {
    ids: Vec<TagId>,
    sorted: Vec<u32>,
}

impl TagIds {
    /// Whether ids read back are such as [`intern`](TagIds::intern) makes.
    pub(crate) fn is_sound(&self) -> bool {
        let id = |at: u32| usize::try_from(at).ok().and_then(|at| self.id(at));
        let is_sorted = self.sorted.is_sorted_by(|&a, &b| match (id(a), id(b)) {
            (Some(a), Some(b)) => a < b,
            _ => false,
        });
        is_sorted && self.sorted.len() == self.ids.len()
    }

    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }

    pub(crate) fn id(&self, at: usize) -> Option<TagId> {
        self.ids.get(at).copied()
    }

    pub(crate) fn get(&self, id: TagId) -> Option<u32> {
        let key = |&at: &u32| usize::try_from(at).ok().and_then(|at| self.id(at));
        let found = self.sorted.binary_search_by_key(&Some(id), key);
        found.ok().and_then(|place| self.sorted.get(place).copied())
    }

    /// Numbers of `ids` in their order; those not known yet get the next ones.
    pub(crate) fn intern(&mut self, ids: &[TagId]) -> Vec<u32> {
        let mut fresh: Vec<TagId> =
            ids.iter().copied().filter(|&id| self.get(id).is_none()).collect();
        fresh.sort_unstable();
        fresh.dedup();
        for id in fresh {
            self.sorted.push(narrow(self.ids.len()));
            self.ids.push(id);
        }
        let mut sorted = std::mem::take(&mut self.sorted);
        sorted.sort_by_key(|&at| usize::try_from(at).ok().and_then(|at| self.id(at)));
        self.sorted = sorted;
        ids.iter().map(|&id| self.get(id).unwrap_or(u32::MAX)).collect()
    }

    pub(crate) fn reserved_bytes(&self) -> usize {
        self.ids.capacity() * size_of::<TagId>() + self.sorted.capacity() * size_of::<u32>()
    }
}

/// Counts and byte counts of a site fit 32 bits: its limits see to that.
pub(crate) fn narrow(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(versions: &[&[&str]], expected: &[&[u32]]) {
        let mut names = Names::default();
        for (version, expected) in versions.iter().zip(expected) {
            assert_eq!(names.intern(version.iter().copied()), *expected, "{version:?}");
            for (name, &number) in version.iter().zip(*expected) {
                assert_eq!(names.get(name), Some(number));
                assert_eq!(names.name(number), Some(*name));
            }
        }
    }

    #[test]
    fn a_name_keeps_its_number_and_numbers_are_never_reused() {
        check(
            &[&["ward", "lobby"], &["lobby"], &["attic", "ward", "zoo"], &[]],
            &[&[1, 0], &[0], &[2, 1, 3], &[]],
        );
    }

    #[test]
    fn an_unknown_name_has_no_number() {
        let mut names = Names::default();
        names.intern(["b", "d"].into_iter());
        for unknown in ["", "a", "c", "e"] {
            assert_eq!(names.get(unknown), None);
        }
        assert_eq!(names.name(2), None);
        assert_eq!(names.len(), 2);
    }

    #[test]
    fn a_tag_keeps_its_number() {
        let mut tags = TagIds::default();
        assert_eq!(tags.intern(&[TagId(9), TagId(5), TagId(9)]), [1, 0, 1]);
        assert_eq!(tags.intern(&[TagId(1), TagId(9)]), [2, 1]);
        assert_eq!(tags.get(TagId(5)), Some(0));
        assert_eq!(tags.get(TagId(6)), None);
        assert_eq!((tags.id(2), tags.id(3), tags.len()), (Some(TagId(1)), None, 3));
    }
}
