//! Dense storage that grows and shrinks by chunks.
//!
//! A plain `Vec` of a million cells would copy hundreds of megabytes when it grows, in the middle
//! of a turn, and would never give memory back.

/// Items a chunk. At about 200 bytes a cell a chunk is 50 KB: small enough for a small site, large
/// enough that the table of chunks of a million cells stays in the cache.
pub(crate) const CHUNK_ITEM_COUNT: usize = 256;

/// Items and the ids of their owners, so that an owner can follow when its item is moved. Ids lie
/// apart: beside an item they would cost a word of padding each.
#[derive(Debug)]
pub(crate) struct Pool<T> {
    chunks: Vec<Chunk<T>>,
    item_count: usize,
}

#[derive(Debug)]
struct Chunk<T> {
    items: Vec<T>,
    ids: Vec<u32>,
}

impl<T> Pool<T> {
    pub(crate) const fn new() -> Pool<T> {
        Pool { chunks: Vec::new(), item_count: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.item_count
    }

    pub(crate) fn get(&self, at: usize) -> Option<&T> {
        self.chunks.get(at / CHUNK_ITEM_COUNT)?.items.get(at % CHUNK_ITEM_COUNT)
    }

    pub(crate) fn get_mut(&mut self, at: usize) -> Option<&mut T> {
        self.chunks.get_mut(at / CHUNK_ITEM_COUNT)?.items.get_mut(at % CHUNK_ITEM_COUNT)
    }

    /// Whose item is at a place.
    pub(crate) fn id(&self, at: usize) -> Option<u32> {
        self.chunks.get(at / CHUNK_ITEM_COUNT)?.ids.get(at % CHUNK_ITEM_COUNT).copied()
    }

    /// Adds an item at the end and returns its place.
    pub(crate) fn push(&mut self, id: u32, item: T) -> usize {
        let at = self.item_count;
        if at.is_multiple_of(CHUNK_ITEM_COUNT) {
            let items = Vec::with_capacity(CHUNK_ITEM_COUNT);
            self.chunks.push(Chunk { items, ids: Vec::with_capacity(CHUNK_ITEM_COUNT) });
        }
        if let Some(chunk) = self.chunks.last_mut() {
            chunk.items.push(item);
            chunk.ids.push(id);
            self.item_count += 1;
        }
        at
    }

    /// Takes the item at `at` out; the last item, if it is another, moves into its place.
    pub(crate) fn swap_remove(&mut self, at: usize) -> Option<T> {
        if at >= self.item_count {
            return None;
        }
        let chunk = self.chunks.last_mut()?;
        let (last, last_id) = (chunk.items.pop()?, chunk.ids.pop()?);
        self.item_count -= 1;
        if chunk.items.is_empty() {
            self.chunks.pop();
        }
        if at == self.item_count {
            return Some(last);
        }
        let chunk = self.chunks.get_mut(at / CHUNK_ITEM_COUNT)?;
        *chunk.ids.get_mut(at % CHUNK_ITEM_COUNT)? = last_id;
        let place = chunk.items.get_mut(at % CHUNK_ITEM_COUNT)?;
        Some(std::mem::replace(place, last))
    }

    /// Bytes of the chunks, whether filled or not.
    pub(crate) fn reserved_bytes(&self) -> usize {
        let each = CHUNK_ITEM_COUNT * (size_of::<T>() + size_of::<u32>()) + size_of::<Chunk<T>>();
        self.chunks.len() * each
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_item_fills_the_gap_and_empty_chunks_are_given_back() {
        let mut pool = Pool::new();
        for id in 0..257 {
            let item = usize::try_from(id).expect("small") * 10;
            assert_eq!(pool.push(id, item), item / 10);
        }
        assert_eq!(pool.chunks.len(), 2);
        assert_eq!(pool.swap_remove(3), Some(30));
        assert_eq!((pool.id(3), pool.get(3)), (Some(256), Some(&2_560)));
        assert_eq!(pool.chunks.len(), 1, "the second chunk is empty and gone");
        assert_eq!(pool.swap_remove(CHUNK_ITEM_COUNT - 1), Some(2_550));
        assert_eq!(pool.swap_remove(CHUNK_ITEM_COUNT - 1), None);
        assert_eq!(pool.len(), CHUNK_ITEM_COUNT - 1);
    }
}
