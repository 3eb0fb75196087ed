//! Records of idle cells, by size.
//!
//! Records are a few dozen bytes and differ in length. Those of about one length lie in chunks of
//! their own without gaps: a record that is taken leaves its place to the last of its length.

/// Records a chunk: a few kilobytes.
const CHUNK_RECORD_COUNT: usize = 256;
/// Lengths are rounded up to this: half of it is lost on average.
const LENGTH_STEP: usize = 4;
/// The longest record. A tag takes 40 bytes, a subject in four zones 50; what is longer is seldom
/// and keeps another form.
pub(crate) const RECORD_BYTES_MAX: usize = 96;
const LENGTH_COUNT: usize = RECORD_BYTES_MAX / LENGTH_STEP;

/// Records and the ids of their owners.
#[derive(Debug)]
pub(crate) struct Shelf {
    chunks: Vec<Chunk>,
    /// Numbers of the chunks of each length, shortest first. All but the last of each are full.
    by_length: [Vec<u32>; LENGTH_COUNT],
    /// Numbers of chunks that are of no length now.
    vacant: Vec<u32>,
    record_count: usize,
}

#[derive(Debug, Default)]
struct Chunk {
    /// Which of the lengths.
    length: usize,
    bytes: Vec<u8>,
    ids: Vec<u32>,
}

impl Chunk {
    fn record_bytes(&self) -> usize {
        (self.length + 1) * LENGTH_STEP
    }

    fn get(&self, slot: usize) -> Option<&[u8]> {
        let from = slot * self.record_bytes();
        self.bytes.get(from..from + self.record_bytes())
    }
}

impl Shelf {
    pub(crate) const fn new() -> Shelf {
        Shelf {
            chunks: Vec::new(),
            by_length: [const { Vec::new() }; LENGTH_COUNT],
            vacant: Vec::new(),
            record_count: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.record_count
    }

    /// The record at a place, with zeros behind it.
    pub(crate) fn get(&self, at: usize) -> Option<&[u8]> {
        self.chunks.get(at / CHUNK_RECORD_COUNT)?.get(at % CHUNK_RECORD_COUNT)
    }

    /// Adds a record and returns its place; `None` if it is too long, or empty.
    pub(crate) fn push(&mut self, id: u32, record: &[u8]) -> Option<usize> {
        let length = record.len().div_ceil(LENGTH_STEP).checked_sub(1)?;
        let last = self.by_length.get(length)?.last().copied();
        let is_open = |number: &u32| {
            self.chunk(*number).is_some_and(|chunk| chunk.ids.len() < CHUNK_RECORD_COUNT)
        };
        let number = match last.filter(is_open) {
            Some(number) => number,
            None => self.add_chunk(length)?,
        };
        let at = usize::try_from(number).ok()?;
        let chunk = self.chunks.get_mut(at)?;
        let place = at * CHUNK_RECORD_COUNT + chunk.ids.len();
        chunk.bytes.extend_from_slice(record);
        chunk.ids.push(id);
        chunk.bytes.resize(chunk.ids.len() * chunk.record_bytes(), 0);
        self.record_count += 1;
        Some(place)
    }

    /// Takes a record away. If another moves into its place, the id of that one's owner.
    pub(crate) fn remove(&mut self, at: usize) -> Option<u32> {
        let (number, slot) = (at / CHUNK_RECORD_COUNT, at % CHUNK_RECORD_COUNT);
        let length = self.chunks.get(number)?.length;
        let last_number = *self.by_length.get(length)?.last()?;
        let last = self.chunks.get_mut(usize::try_from(last_number).ok()?)?;
        let last_slot = last.ids.len().checked_sub(1)?;
        let (bytes, mut record) = (last.record_bytes(), [0; RECORD_BYTES_MAX]);
        let moved = record.get_mut(..bytes)?;
        moved.copy_from_slice(last.get(last_slot)?);
        let moved_id = last.ids.pop()?;
        last.bytes.truncate(last_slot * bytes);
        if last.ids.is_empty() {
            *last = Chunk::default();
            self.by_length.get_mut(length)?.pop();
            self.vacant.push(last_number);
        }
        self.record_count -= 1;
        if usize::try_from(last_number).ok() == Some(number) && last_slot == slot {
            return None;
        }
        let chunk = self.chunks.get_mut(number)?;
        *chunk.ids.get_mut(slot)? = moved_id;
        chunk.bytes.get_mut(slot * bytes..(slot + 1) * bytes)?.copy_from_slice(moved);
        Some(moved_id)
    }

    fn chunk(&self, number: u32) -> Option<&Chunk> {
        self.chunks.get(usize::try_from(number).ok()?)
    }

    fn add_chunk(&mut self, length: usize) -> Option<u32> {
        let record_bytes = (length + 1) * LENGTH_STEP;
        let chunk = Chunk {
            length,
            bytes: Vec::with_capacity(CHUNK_RECORD_COUNT * record_bytes),
            ids: Vec::with_capacity(CHUNK_RECORD_COUNT),
        };
        let number = if let Some(number) = self.vacant.pop() {
            *self.chunks.get_mut(usize::try_from(number).ok()?)? = chunk;
            number
        } else {
            self.chunks.push(chunk);
            u32::try_from(self.chunks.len() - 1).ok()?
        };
        self.by_length.get_mut(length)?.push(number);
        Some(number)
    }

    /// Bytes of the chunks, whether filled or not.
    pub(crate) fn reserved_bytes(&self) -> usize {
        let of_chunk =
            |chunk: &Chunk| chunk.bytes.capacity() + chunk.ids.capacity() * size_of::<u32>();
        let chunks: usize = self.chunks.iter().map(of_chunk).sum();
        chunks + self.chunks.capacity() * (size_of::<Chunk>() + size_of::<u32>())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// Records come and go; a map from owners to places and one from owners to records agree with
    /// what lies there.
    #[track_caller]
    fn check(seed: u64) {
        println!("seed {seed}");
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut shelf = Shelf::new();
        let mut owners: BTreeMap<u32, (usize, Vec<u8>)> = BTreeMap::new();
        for round in 0..20_000_u32 {
            let is_growing = (round / 3_000).is_multiple_of(2);
            if rng.random_ratio(if is_growing { 3 } else { 1 }, 4) {
                let record: Vec<u8> =
                    (0..rng.random_range(0..110)).map(|_| rng.random_range(1..=255)).collect();
                let place = shelf.push(round, &record);
                assert_eq!(place.is_some(), (1..=RECORD_BYTES_MAX).contains(&record.len()));
                if let Some(place) = place {
                    owners.insert(round, (place, record));
                }
            } else if let Some((&id, _)) = owners.range(rng.random_range(0..=round)..).next() {
                let (place, _) = owners.remove(&id).expect("found just now");
                if let Some(moved) = shelf.remove(place) {
                    owners.get_mut(&moved).expect("its owner is known").0 = place;
                }
            }
        }
        assert_eq!(shelf.len(), owners.len());
        for (place, record) in owners.values() {
            let found = shelf.get(*place).expect("a record");
            assert!(found.starts_with(record) && found.len() < record.len() + LENGTH_STEP);
            assert!(found.iter().skip(record.len()).all(|byte| *byte == 0));
        }
        let ids: usize = owners.values().map(|(_, record)| record.len()).sum();
        let most = ids + owners.len() * 10 + LENGTH_COUNT * CHUNK_RECORD_COUNT * 110;
        assert!(shelf.reserved_bytes() < most, "{} of {most}", shelf.reserved_bytes());
        for (id, (_, record)) in owners.clone() {
            let (place, _) = owners.remove(&id).expect("still there");
            assert!(shelf.get(place).expect("a record").starts_with(&record));
            if let Some(moved) = shelf.remove(place) {
                owners.get_mut(&moved).expect("its owner is known").0 = place;
            }
        }
        assert_eq!((shelf.len(), shelf.remove(0)), (0, None));
    }

    #[test]
    fn records_are_found_whatever_came_and_went() {
        for seed in 0..4 {
            check(seed);
        }
    }
}
