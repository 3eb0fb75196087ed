//! The handles a publisher gave to things. Pure.
//!
//! Handles stay the same over reconnects, so what is sent again needs no new coding; only the node
//! has to be told again what they stand for.

use std::collections::HashMap;

use ach_actors_model::TagId;
use ach_engine_wire::limits::{HANDLE_COUNT_MAX, INTERN_ITEMS_MAX};
use ach_engine_wire::{Code, Intern, InternItem, Interned};

use crate::tag_index::TagIndex;

/// Intern frames under way at once: with 512 items each, 100,000 tags take 13 round trips.
const QUESTIONS_MAX: u32 = 16;

/// More things have handles than the node takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("more things have handles than the node takes, publish with a second certificate")]
pub struct TooManyHandles;

/// What each handle stands for and how far the node knows.
#[derive(Debug)]
pub struct Handles {
    /// Tags apart: each ping asks for one.
    by_tag: TagIndex,
    /// Doors, anchors and badges.
    by_item: HashMap<InternItem, u32>,
    items: Vec<InternItem>,
    refused: HashMap<u32, Code>,
    asked_count: u32,
    confirmed_count: u32,
    count_max: u32,
}

impl Default for Handles {
    fn default() -> Handles {
        Handles {
            by_tag: TagIndex::default(),
            by_item: HashMap::new(),
            items: Vec::new(),
            refused: HashMap::new(),
            asked_count: 0,
            confirmed_count: 0,
            count_max: HANDLE_COUNT_MAX,
        }
    }
}

impl Handles {
    /// Heeds how many handles the node takes.
    ///
    /// # Errors
    ///
    /// There are more already.
    pub fn set_max(&mut self, count_max: u32) -> Result<(), TooManyHandles> {
        self.count_max = count_max.min(HANDLE_COUNT_MAX);
        let is_within = u32::try_from(self.items.len()).is_ok_and(|count| count <= self.count_max);
        if is_within { Ok(()) } else { Err(TooManyHandles) }
    }

    /// The handle of a thing, a new one if it has none; `None` when there are no more.
    pub fn handle(&mut self, item: &InternItem) -> Option<u32> {
        self.known(item).or_else(|| self.begin(item.clone()))
    }

    /// The handle of a tag, a new one if it has none; `None` when there are no more.
    pub fn handle_of_tag(&mut self, tag: TagId) -> Option<u32> {
        self.known_of_tag(tag).or_else(|| self.begin(InternItem::Tag(tag)))
    }

    /// The handle of a thing that has one.
    pub fn known(&self, item: &InternItem) -> Option<u32> {
        match item {
            InternItem::Tag(tag) => self.known_of_tag(*tag),
            InternItem::Door(_)
            | InternItem::Anchor(_)
            | InternItem::Badge(_)
            | InternItem::Zone(_) => self.by_item.get(item).copied(),
        }
    }

    /// The handle of a tag that has one.
    pub fn known_of_tag(&self, tag: TagId) -> Option<u32> {
        self.by_tag.get(&tag).copied()
    }

    /// Gives a thing that has none a handle.
    #[cold]
    fn begin(&mut self, item: InternItem) -> Option<u32> {
        let handle = u32::try_from(self.items.len()).ok()?;
        if handle >= self.count_max {
            return None;
        }
        match &item {
            InternItem::Tag(tag) => self.by_tag.insert(*tag, handle),
            InternItem::Door(_)
            | InternItem::Anchor(_)
            | InternItem::Badge(_)
            | InternItem::Zone(_) => self.by_item.insert(item.clone(), handle),
        };
        self.items.push(item);
        Some(handle)
    }

    /// What a handle stands for.
    pub fn item(&self, handle: u32) -> Option<&InternItem> {
        self.items.get(usize::try_from(handle).ok()?)
    }

    /// Why a thing was refused, if it was.
    pub fn refusal(&self, item: &InternItem) -> Option<Code> {
        self.refused.get(&self.known(item)?).copied()
    }

    /// All handles below this one may be used.
    pub fn confirmed_count(&self) -> u32 {
        self.confirmed_count
    }

    /// Whether the node knows all handles.
    pub fn is_all_confirmed(&self) -> bool {
        usize::try_from(self.confirmed_count).is_ok_and(|count| count >= self.items.len())
    }

    /// A new connection, on which handles mean nothing yet.
    pub fn on_connected(&mut self) {
        self.asked_count = 0;
        self.confirmed_count = 0;
        self.refused.clear();
    }

    /// The next question to the node; `None` when all is asked or enough is under way.
    pub fn next_question(&mut self) -> Option<Intern> {
        let window = QUESTIONS_MAX.saturating_mul(u32::try_from(INTERN_ITEMS_MAX).ok()?);
        if self.asked_count.saturating_sub(self.confirmed_count) >= window {
            return None;
        }
        let start = usize::try_from(self.asked_count).ok()?;
        let items: Vec<_> =
            self.items.get(start..)?.iter().take(INTERN_ITEMS_MAX).cloned().collect();
        if items.is_empty() {
            return None;
        }
        let first_handle = self.asked_count;
        self.asked_count = first_handle.saturating_add(u32::try_from(items.len()).ok()?);
        Some(Intern { first_handle, items })
    }

    /// The node's answer. One that does not follow the questions changes nothing.
    pub fn on_answer(&mut self, answer: &Interned) {
        let through = answer.first_handle.saturating_add(answer.item_count);
        if answer.first_handle != self.confirmed_count || through > self.asked_count {
            return;
        }
        self.confirmed_count = through;
        self.refused.extend(answer.refused.iter().map(|refusal| (refusal.handle, refusal.code)));
    }
}

#[cfg(test)]
mod tests {
    use ach_actors_model::TagId;
    use ach_engine_wire::InternRefusal;

    use super::*;

    fn tag(number: u64) -> InternItem {
        InternItem::Tag(TagId(number))
    }

    #[test]
    fn a_thing_keeps_its_handle_and_the_node_is_told_again_after_a_reconnect() {
        let mut handles = Handles::default();
        for number in 0..600 {
            assert_eq!(handles.handle(&tag(number)), u32::try_from(number).ok());
        }
        assert_eq!(handles.handle(&tag(3)), Some(3));
        for _ in 0..2 {
            handles.on_connected();
            let first = handles.next_question().unwrap();
            let second = handles.next_question().unwrap();
            assert_eq!((first.first_handle, first.items.len()), (0, 512));
            assert_eq!((second.first_handle, second.items.len()), (512, 88));
            assert_eq!(handles.next_question(), None);
            assert_eq!(handles.confirmed_count(), 0);
            handles.on_answer(&Interned { first_handle: 0, item_count: 512, refused: vec![] });
            assert_eq!(handles.confirmed_count(), 512);
            let refused = vec![InternRefusal { handle: 515, code: Code::UnknownThing }];
            handles.on_answer(&Interned { first_handle: 512, item_count: 88, refused });
            assert!(handles.is_all_confirmed());
            assert_eq!(handles.refusal(&tag(515)), Some(Code::UnknownThing));
            assert_eq!(handles.refusal(&tag(514)), None);
        }
    }

    #[test]
    fn no_more_handles_are_given_than_the_node_takes() {
        let mut handles = Handles::default();
        assert_eq!(handles.set_max(2), Ok(()));
        assert_eq!(
            (1..=3).map(|n| handles.handle(&tag(n))).collect::<Vec<_>>(),
            [Some(0), Some(1), None]
        );
        assert_eq!(handles.handle(&tag(2)), Some(1), "a known one is still known");
        assert_eq!(handles.set_max(1), Err(TooManyHandles));
    }

    #[test]
    fn an_answer_that_follows_no_question_changes_nothing() {
        let mut handles = Handles::default();
        handles.handle(&tag(1));
        handles.next_question();
        for (first_handle, item_count) in [(1, 1), (0, 2), (0, u32::MAX), (u32::MAX, 1)] {
            handles.on_answer(&Interned { first_handle, item_count, refused: vec![] });
            assert_eq!(handles.confirmed_count(), 0, "{first_handle} {item_count}");
        }
    }
}
