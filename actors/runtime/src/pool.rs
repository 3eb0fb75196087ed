//! Dense storage that grows and shrinks by chunks.
//!
//! A plain `Vec` of a million cells would copy hundreds of megabytes when it grows, in the middle
//! of a turn, and would never give memory back.

/// Items a chunk. At about 400 bytes a cell a chunk is 100 KB: small enough for a small site,
/// large enough that the table of chunks of a million cells stays in the cache.
pub(crate) const CHUNK_ITEM_COUNT: usize = 256;

#[derive(Debug)]
pub(crate) struct Pool<T> {
    chunks: Vec<Vec<T>>,
    item_count: usize,
}

impl<T> Pool<T> {
    pub(crate) const fn new() -> Pool<T> {
        Pool { chunks: Vec::new(), item_count: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.item_count
    }

    pub(crate) fn get(&self, at: usize) -> Option<&T> {
        self.chunks.get(at / CHUNK_ITEM_COUNT)?.get(at % CHUNK_ITEM_COUNT)
    }

    pub(crate) fn get_mut(&mut self, at: usize) -> Option<&mut T> {
        self.chunks.get_mut(at / CHUNK_ITEM_COUNT)?.get_mut(at % CHUNK_ITEM_COUNT)
    }

    /// Adds an item at the end and returns its place.
    pub(crate) fn push(&mut self, item: T) -> usize {
        let at = self.item_count;
        if at.is_multiple_of(CHUNK_ITEM_COUNT) {
            self.chunks.push(Vec::with_capacity(CHUNK_ITEM_COUNT));
        }
        if let Some(chunk) = self.chunks.last_mut() {
            chunk.push(item);
            self.item_count += 1;
        }
        at
    }

    /// Takes the item at `at` out; the last item, if it is another, moves into its place.
    pub(crate) fn swap_remove(&mut self, at: usize) -> Option<T> {
        if at >= self.item_count {
            return None;
        }
        let last = self.chunks.last_mut()?.pop()?;
        self.item_count -= 1;
        if self.chunks.last().is_some_and(Vec::is_empty) {
            self.chunks.pop();
        }
        match self.get_mut(at) {
            Some(place) => Some(std::mem::replace(place, last)),
            None => Some(last),
        }
    }

    /// Bytes of the chunks, whether filled or not.
    pub(crate) fn reserved_bytes(&self) -> usize {
        self.chunks.len() * (CHUNK_ITEM_COUNT * size_of::<T>() + size_of::<Vec<T>>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_item_fills_the_gap_and_empty_chunks_are_given_back() {
        let mut pool = Pool::new();
        for item in 0..=CHUNK_ITEM_COUNT {
            assert_eq!(pool.push(item), item);
        }
        assert_eq!(pool.chunks.len(), 2);
        assert_eq!(pool.swap_remove(3), Some(3));
        assert_eq!(pool.get(3), Some(&CHUNK_ITEM_COUNT));
        assert_eq!(pool.chunks.len(), 1, "the second chunk is empty and gone");
        assert_eq!(pool.swap_remove(CHUNK_ITEM_COUNT - 1), Some(CHUNK_ITEM_COUNT - 1));
        assert_eq!(pool.swap_remove(CHUNK_ITEM_COUNT - 1), None);
        assert_eq!(pool.len(), CHUNK_ITEM_COUNT - 1);
    }
}
