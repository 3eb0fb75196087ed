//! An image of a slab, taken in slices while its cells go on changing.
//!
//! Every cell is told once, as it was when the image began: by the next slice that comes to its seat
//! or, if an input touches it before, as a copy made first.

use crate::cell::Cell;

/// Seats without anything to tell that cost a slice as much as one cell: a look at a word against
/// some hundred nanoseconds.
pub(crate) const SEATS_A_CELL: usize = 16;

/// A cell of an image.
#[derive(Debug, Clone, Copy)]
pub enum Image<'a, C> {
    /// In its packed form, which it has whenever its state allows, wherever it is kept.
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
    pub(crate) copies: Vec<(u32, C)>,
}

impl<C: Cell> Imaging<C> {
    pub(crate) fn of(seat_count: usize) -> Imaging<C> {
        let words = seat_count.div_ceil(64);
        Imaging { done: vec![0; words], next: 0, end: seat_count, copies: Vec::new() }
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

    /// An input is about to change a cell.
    #[inline]
    pub(crate) fn copy(&mut self, id: u32, at: usize, cell: &C) {
        if self.mark(at) {
            self.copies.push((id, cell.clone()));
        }
    }

    pub(crate) fn is_over(&self) -> bool {
        self.next >= self.end && self.copies.is_empty()
    }
}

/// Tells a cell in its smallest form, made in `record`.
pub(crate) fn tell<C: Cell>(
    id: u32,
    cell: &C,
    record: &mut Vec<u8>,
    each: &mut dyn FnMut(u32, Image<'_, C>),
) {
    record.clear();
    if cell.pack(record) && C::unpack(record).is_some() {
        each(id, Image::Packed(record));
    } else {
        each(id, Image::Whole(cell));
    }
}
