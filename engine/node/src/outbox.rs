//! What waits for the disk: effects that may leave only when their entry is durable.

use std::collections::VecDeque;

/// Things to release, each with the index of the entry it came from, in order of index.
#[derive(Debug)]
pub(crate) struct Outbox<T> {
    waiting: VecDeque<(u64, T)>,
}

impl<T> Outbox<T> {
    /// Nothing waits.
    pub(crate) fn new() -> Outbox<T> {
        Outbox { waiting: VecDeque::new() }
    }

    /// Keeps `item` until entry `index` is durable. Indexes never go down.
    pub(crate) fn keep(&mut self, index: u64, item: T) {
        debug_assert!(self.waiting.back().is_none_or(|&(last, _)| last <= index), "in order");
        self.waiting.push_back((index, item));
    }

    /// The next item whose entry is at or below `durable_index`.
    pub(crate) fn release(&mut self, durable_index: u64) -> Option<(u64, T)> {
        let &(index, _) = self.waiting.front()?;
        if index <= durable_index { self.waiting.pop_front() } else { None }
    }

    /// How many wait.
    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_effect_leaves_with_its_entry_and_not_before() {
        let mut outbox = Outbox::new();
        outbox.keep(3, "cleared");
        outbox.keep(3, "ack");
        outbox.keep(5, "epoch");
        assert_eq!(outbox.release(2), None);
        assert_eq!(outbox.release(4), Some((3, "cleared")));
        assert_eq!(outbox.release(4), Some((3, "ack")));
        assert_eq!(outbox.release(4), None);
        assert_eq!(outbox.len(), 1);
        assert_eq!(outbox.release(u64::MAX), Some((5, "epoch")));
        assert_eq!(outbox.release(u64::MAX), None);
    }
}
