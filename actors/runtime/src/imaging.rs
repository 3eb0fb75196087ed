//! An image of a slab, taken in slices while its cells go on changing.
//!
//! Every cell is told once, as it was when the image began: by the next slice that comes to its seat
//! or, if an input touches it before, as a copy made first. A copy is made in the flat form where
//! there is one: the cell lies in the cache just then, a quarter of its bytes is written, and nothing
//! is left to do when it is told.

use crate::cell::Cell;

/// Seats without anything to tell that cost a slice as much as one cell: a look at a word against
/// some hundred nanoseconds.
pub(crate) const SEATS_A_CELL: usize = 16;

/// Seats whose cells are fetched into the cache together: as many as a core waits for at once.
pub(crate) const WARM_SEAT_COUNT: usize = 16;

/// A cell of an image.
#[derive(Debug, Clone, Copy)]
pub enum Image<'a, C> {
    /// As the bytes of its flat form, which it has whenever its state allows, wherever it is kept.
    Packed(&'a [u8]),
    /// As it is.
    Whole(&'a C),
}

/// How far an image is.
#[derive(Debug)]
pub(crate) struct Imaging<C> {
    /// A bit a seat: told, or copied to be told.
    done: Vec<u64>,
    /// The next seat to visit.
    pub(crate) next: usize,
    /// Seats from here on are younger than the image.
    pub(crate) end: usize,
    /// Copies in their flat form, one behind the other.
    records: Vec<u8>,
    /// Whose they are, and where each begins.
    flat: Vec<(u32, usize)>,
    /// Copies that have no flat form.
    whole: Vec<(u32, C)>,
}

impl<C: Cell> Imaging<C> {
    pub(crate) fn of(seat_count: usize) -> Imaging<C> {
        let words = seat_count.div_ceil(64);
        let (records, flat, whole) = (Vec::new(), Vec::new(), Vec::new());
        Imaging { done: vec![0; words], next: 0, end: seat_count, records, flat, whole }
    }

    /// Marks a seat as done. False if it was, or is none of the image's.
    #[inline]
    pub(crate) fn mark(&mut self, at: usize) -> bool {
        if at >= self.end {
            return false;
        }
        let Some(word) = self.done.get_mut(at / 64) else { return false };
        let bit = 1 << (at % 64);
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    }

    /// Whether a seat is of the image and nothing was told of it yet.
    pub(crate) fn is_untold(&self, at: usize) -> bool {
        let word = self.done.get(at / 64).copied().unwrap_or(u64::MAX);
        at < self.end && word & (1 << (at % 64)) == 0
    }

    /// An input is about to change a cell.
    #[inline]
    pub(crate) fn copy(&mut self, id: u32, at: usize, cell: &C) {
        if self.mark(at) {
            self.keep(id, cell);
        }
    }

    /// Once a cell and image, so that it does not weigh on every touch.
    #[inline(never)]
    fn keep(&mut self, id: u32, cell: &C) {
        let from = self.records.len();
        if cell.flatten(&mut self.records) {
            debug_assert!(self.records.get(from..).is_some_and(is_record::<C>));
            self.flat.push((id, from));
        } else {
            self.records.truncate(from);
            self.whole.push((id, cell.clone()));
        }
    }

    /// Tells `each` of copies, at most `count_max`, and says how many. The latest first: they are in
    /// the cache.
    pub(crate) fn tell_copies(
        &mut self,
        count_max: usize,
        each: &mut impl FnMut(u32, Image<'_, C>),
    ) -> usize {
        let mut count = 0;
        while count < count_max
            && let Some((id, from)) = self.flat.pop()
        {
            each(id, Image::Packed(self.records.get(from..).unwrap_or_default()));
            self.records.truncate(from);
            count += 1;
        }
        while count < count_max
            && let Some((id, cell)) = self.whole.pop()
        {
            each(id, Image::Whole(&cell));
            count += 1;
        }
        count
    }

    /// Copies that are still to be told.
    pub(crate) fn copy_count(&self) -> usize {
        self.flat.len() + self.whole.len()
    }

    pub(crate) fn is_over(&self) -> bool {
        self.next >= self.end && self.copy_count() == 0
    }
}

/// Tells a cell in its flat form, made in `record`.
pub(crate) fn tell<C: Cell>(
    id: u32,
    cell: &C,
    record: &mut Vec<u8>,
    each: &mut impl FnMut(u32, Image<'_, C>),
) {
    record.clear();
    if cell.flatten(record) {
        debug_assert!(is_record::<C>(record));
        each(id, Image::Packed(record));
    } else {
        each(id, Image::Whole(cell));
    }
}

/// Whether bytes are a state, as a cell that was flattened promises.
fn is_record<C: Cell>(record: &[u8]) -> bool {
    C::unpack(record).is_some()
}
