//! All cells of one kind, addressed by a dense number.
//!
//! An input touches cells through [`Slab::touch`], which keeps what puts each back, and ends
//! with [`Slab::commit`] or [`Slab::roll_back`]. Between inputs [`Slab::sweep`] compacts cells that
//! nobody touched for a whole round; the next touch brings them back, and nothing else shows it.

use crate::cell::{Cell, Kept, unpacked};
use crate::imaging::{Image, Imaging, SEATS_A_CELL, WARM_SEAT_COUNT, tell};
use crate::pool::Pool;
use crate::seat::{PLACE_COUNT_MAX, Place, Seat};
use crate::shelf::Shelf;

/// Most cells of one kind: what a seat's 27 bits can name.
pub const CELL_COUNT_MAX: u32 = PLACE_COUNT_MAX;

/// What puts a cell back to what it was before the input; `None` if it did not exist.
#[derive(Debug)]
struct Saved<S> {
    id: u32,
    before: Option<S>,
}

/// Cells of one kind.
#[derive(Debug)]
pub struct Slab<C: Cell> {
    seats: Vec<Seat>,
    hot: Pool<C>,
    cold: Pool<C::Cold>,
    packed: Shelf,
    saved: Vec<Saved<C::Saved>>,
    sweep_id: usize,
    /// Where a record is made.
    record: Vec<u8>,
    imaging: Option<Box<Imaging<C>>>,
}

/// How many cells there are, and what they cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SlabCounts {
    /// Ready for an input.
    pub hot: usize,
    /// Compacted.
    pub cold: usize,
    /// Bytes reserved for seats and cells, without what cells keep on the heap.
    pub reserved_bytes: usize,
}

impl<C: Cell> Slab<C> {
    /// No cells.
    pub const fn new() -> Slab<C> {
        Slab {
            seats: Vec::new(),
            hot: Pool::new(),
            cold: Pool::new(),
            packed: Shelf::new(),
            saved: Vec::new(),
            sweep_id: 0,
            record: Vec::new(),
            imaging: None,
        }
    }

    /// Makes room for ids below `seat_count`, at most [`CELL_COUNT_MAX`]. Ids beyond have no cell
    /// and cannot be touched. Seats are never taken away.
    pub fn seat(&mut self, seat_count: u32) {
        let seat_count = index(seat_count.min(CELL_COUNT_MAX));
        if seat_count > self.seats.len() {
            self.seats.reserve_exact(seat_count - self.seats.len());
            self.seats.resize(seat_count, Seat::default());
        }
    }

    /// How many ids there is room for.
    pub fn seat_count(&self) -> usize {
        self.seats.len()
    }

    /// The cell for an input to change: woken if it was compacted, made if there was none, saved
    /// if this input has not touched it before. `None` if there is no such seat.
    pub fn touch(&mut self, id: u32, make: impl FnOnce() -> C) -> Option<&mut C> {
        let seat = self.seats.get_mut(index(id))?;
        let at = match seat.place() {
            Place::Hot(at) => at,
            Place::Cold(_) | Place::Packed(_) | Place::Vacant => return self.touch_slow(id, make),
        };
        let cell = self.hot.get_mut(at)?;
        if !seat.is_saved() {
            if let Some(imaging) = &mut self.imaging {
                imaging.copy(id, index(id), cell);
            }
            seat.mark_saved(true);
            seat.mark_recent(true);
            self.saved.push(Saved { id, before: Some(cell.save()) });
        }
        Some(cell)
    }

    /// The cell for an input to change without a copy to put back: only where nothing that may
    /// still fail follows within the input. `None` if the cell is not hot, or was touched by this
    /// input before.
    #[inline]
    pub fn touch_last(&mut self, id: u32) -> Option<&mut C> {
        let seat = self.seats.get_mut(index(id))?;
        let Place::Hot(at) = seat.place() else { return None };
        if seat.is_saved() {
            return None;
        }
        seat.mark_recent(true);
        let cell = self.hot.get_mut(at)?;
        if let Some(imaging) = &mut self.imaging {
            imaging.copy(id, index(id), cell);
        }
        Some(cell)
    }

    #[cold]
    #[inline(never)]
    fn touch_slow(&mut self, id: u32, make: impl FnOnce() -> C) -> Option<&mut C> {
        // A panic in `thaw` or `make` leaves the seat as it was and nothing to undo.
        let was = self.seats.get(index(id))?.place();
        let mut cell = match was {
            Place::Cold(at) => C::thaw(self.cold.get(at)?),
            Place::Packed(at) => unpacked(self.packed.get(at)?),
            Place::Vacant | Place::Hot(_) => make(),
        };
        if let Some(imaging) = &mut self.imaging {
            match was {
                Place::Cold(_) | Place::Packed(_) => imaging.copy(id, index(id), &cell),
                // There was none: there is nothing to tell of it.
                Place::Vacant | Place::Hot(_) => drop(imaging.mark(index(id))),
            }
        }
        let before = match was {
            Place::Cold(_) | Place::Packed(_) => Some(cell.save()),
            Place::Vacant | Place::Hot(_) => None,
        };
        match was {
            Place::Cold(at) => drop(self.take_cold(at)?),
            Place::Packed(at) => self.remove_packed(at),
            Place::Vacant | Place::Hot(_) => {}
        }
        let at = self.hot.push(id, cell);
        let seat = self.seats.get_mut(index(id))?;
        seat.put(Place::Hot(at));
        seat.mark_saved(true);
        seat.mark_recent(true);
        self.saved.push(Saved { id, before });
        self.hot.get_mut(at)
    }

    /// Keeps all that was done since the last commit.
    #[inline]
    pub fn commit(&mut self) {
        if !self.saved.is_empty() {
            self.commit_saved();
        }
    }

    fn commit_saved(&mut self) {
        for saved in &self.saved {
            if let Some(seat) = self.seats.get_mut(index(saved.id)) {
                seat.mark_saved(false);
            }
        }
        self.saved.clear();
    }

    /// Puts every cell touched since the last commit back to what it was.
    pub fn roll_back(&mut self) {
        while let Some(Saved { id, before }) = self.saved.pop() {
            let Some(seat) = self.seats.get_mut(index(id)) else { continue };
            seat.mark_saved(false);
            let Place::Hot(at) = seat.place() else { continue };
            if let Some(before) = before {
                if let Some(cell) = self.hot.get_mut(at) {
                    cell.restore(before);
                }
            } else {
                seat.put(Place::Vacant);
                self.take_hot(at);
            }
        }
    }

    /// The cell as it is, if there is one.
    pub fn get(&self, id: u32) -> Option<Kept<'_, C>> {
        match self.seats.get(index(id))?.place() {
            Place::Hot(at) => self.hot.get(at).map(Kept::Hot),
            Place::Cold(at) => self.cold.get(at).map(Kept::Cold),
            Place::Packed(at) => self.packed.get(at).map(Kept::Packed),
            Place::Vacant => None,
        }
    }

    /// The cell, if it is ready for an input.
    #[inline]
    pub fn hot(&self, id: u32) -> Option<&C> {
        match self.seats.get(index(id))?.place() {
            Place::Hot(at) => self.hot.get(at),
            Place::Cold(_) | Place::Packed(_) | Place::Vacant => None,
        }
    }

    /// Fetches the seat of a cell into the cache. First of two passes over a batch.
    pub fn warm_seat(&self, id: u32) -> u64 {
        self.seats.get(index(id)).map_or(0, |seat| u64::from(seat.is_recent()))
    }

    /// Fetches the cell into the cache. Second of two passes over a batch.
    pub fn warm_cell(&self, id: u32) -> u64 {
        self.hot(id).map_or(0, Cell::warm)
    }

    /// Whether the actor is set aside.
    pub fn is_set_aside(&self, id: u32) -> bool {
        self.seats.get(index(id)).is_some_and(|seat| seat.is_set_aside())
    }

    /// Sets an actor aside or lets it work again. Whoever delivers inputs must ask
    /// [`is_set_aside`](Slab::is_set_aside) first.
    pub fn set_aside(&mut self, id: u32, is_set_aside: bool) {
        if let Some(seat) = self.seats.get_mut(index(id)) {
            seat.set_aside(is_set_aside);
        }
    }

    /// Visits the next `seat_count` seats in turn and compacts the cells there that were not
    /// touched since the visit before. Call it between inputs only.
    pub fn sweep(&mut self, seat_count: usize) {
        for _ in 0..seat_count.min(self.seats.len()) {
            if self.sweep_id >= self.seats.len() {
                self.sweep_id = 0;
            }
            let at = self.sweep_id;
            self.sweep_id += 1;
            let Some(seat) = self.seats.get_mut(at) else { continue };
            let Place::Hot(place) = seat.place() else { continue };
            if seat.is_recent() || seat.is_saved() {
                seat.mark_recent(false);
            } else {
                self.freeze(at, place);
            }
        }
    }

    fn freeze(&mut self, seat_at: usize, place: usize) {
        let (Some(cell), Some(id)) = (self.hot.get(place), self.hot.id(place)) else { return };
        let mut record = std::mem::take(&mut self.record);
        record.clear();
        let is_packed = cell.pack(&mut record) && C::unpack(&record).is_some();
        let packed_at = if is_packed { self.packed.push(id, &record) } else { None };
        self.record = record;
        if let Some(at) = packed_at {
            self.take_hot(place);
            if let Some(seat) = self.seats.get_mut(seat_at) {
                seat.put(Place::Packed(at));
            }
            return;
        }
        let Some(cold) = cell.freeze() else { return };
        if self.take_hot(place).is_none() {
            return;
        }
        let at = self.cold.push(id, cold);
        if let Some(seat) = self.seats.get_mut(seat_at) {
            seat.put(Place::Cold(at));
        }
    }

    /// Takes a hot cell out of its pool and tells the one that moved into its place. The seat of
    /// the taken cell is the caller's to put.
    fn take_hot(&mut self, at: usize) -> Option<C> {
        let cell = self.hot.swap_remove(at)?;
        if let Some(moved) = self.hot.id(at)
            && let Some(seat) = self.seats.get_mut(index(moved))
        {
            seat.put(Place::Hot(at));
        }
        Some(cell)
    }

    fn take_cold(&mut self, at: usize) -> Option<C::Cold> {
        let cell = self.cold.swap_remove(at)?;
        if let Some(moved) = self.cold.id(at)
            && let Some(seat) = self.seats.get_mut(index(moved))
        {
            seat.put(Place::Cold(at));
        }
        Some(cell)
    }

    /// Takes a record away and tells the owner of the one that moved into its place. The seat of
    /// the one taken is the caller's to put.
    fn remove_packed(&mut self, at: usize) {
        if let Some(moved) = self.packed.remove(at)
            && let Some(seat) = self.seats.get_mut(index(moved))
        {
            seat.put(Place::Packed(at));
        }
    }

    /// Begins an image of all cells as they are now. Call it between inputs only.
    pub fn begin_image(&mut self) {
        self.imaging = Some(Box::new(Imaging::of(self.seats.len())));
    }

    /// Tells `each` of copies that cells of the image were kept in, at most `count_max`, and says
    /// how many.
    pub fn image_copies(
        &mut self,
        count_max: usize,
        each: &mut impl FnMut(u32, Image<'_, C>),
    ) -> usize {
        let Some(imaging) = &mut self.imaging else { return 0 };
        let count = imaging.tell_copies(count_max, each);
        self.drop_image_if_over();
        count
    }

    /// Tells `each` of the next cells of the image that nobody has touched, at most `count_max`, and
    /// says how many it counts for: seats without anything to tell cost a little too. Call it
    /// between inputs only.
    pub fn image_seats(
        &mut self,
        count_max: usize,
        each: &mut impl FnMut(u32, Image<'_, C>),
    ) -> usize {
        let Some(mut imaging) = self.imaging.take() else { return 0 };
        let mut record = std::mem::take(&mut self.record);
        let mut left = count_max.saturating_mul(SEATS_A_CELL);
        while left >= SEATS_A_CELL && imaging.next < imaging.end {
            let at = imaging.next;
            if at.is_multiple_of(WARM_SEAT_COUNT) {
                self.warm_untold(at, &imaging);
            }
            imaging.next += 1;
            left -= 1;
            let Some(id) = u32::try_from(at).ok().filter(|_| imaging.mark(at)) else { continue };
            match self.get(id) {
                Some(Kept::Packed(packed)) => tell(id, &unpacked(packed), &mut record, each),
                Some(Kept::Hot(cell)) => tell(id, cell, &mut record, each),
                Some(Kept::Cold(cold)) => tell(id, &C::thaw(cold), &mut record, each),
                None => continue,
            }
            left -= SEATS_A_CELL - 1;
        }
        self.record = record;
        self.imaging = Some(imaging);
        self.drop_image_if_over();
        count_max - left / SEATS_A_CELL
    }

    /// Forgets an image that was told whole: other kinds may take many times as long, and until they are
    /// told too every touch would look for its bit.
    fn drop_image_if_over(&mut self) {
        if self.is_imaged() {
            self.imaging = None;
        }
    }

    /// Fetches the cells of the next seats into the cache, all at once, but those that were told.
    fn warm_untold(&self, from: usize, imaging: &Imaging<C>) {
        let mut fetched = 0;
        let seats = from..from.saturating_add(WARM_SEAT_COUNT);
        for at in seats.filter(|at| imaging.is_untold(*at)) {
            let kept = u32::try_from(at).ok().and_then(|id| self.get(id));
            fetched ^= match kept {
                Some(Kept::Hot(cell)) => cell.warm(),
                Some(Kept::Packed(record)) => record.first().copied().map_or(0, u64::from),
                Some(Kept::Cold(_)) | None => 0,
            };
        }
        std::hint::black_box(fetched);
    }

    /// Copies that are still to be told.
    pub fn copy_count(&self) -> usize {
        self.imaging.as_ref().map_or(0, |imaging| imaging.copy_count())
    }

    /// Whether the image is whole, or none is under way.
    pub fn is_imaged(&self) -> bool {
        self.imaging.as_ref().is_none_or(|imaging| imaging.is_over())
    }

    /// Ends the image, whole or not.
    pub fn end_image(&mut self) {
        self.imaging = None;
    }

    /// Puts a cell of an image into its seat. False if there is no such seat, or it is taken.
    pub fn put(&mut self, id: u32, cell: C) -> bool {
        if !self.is_vacant(id) {
            return false;
        }
        let at = self.hot.push(id, cell);
        if let Some(seat) = self.seats.get_mut(index(id)) {
            seat.put(Place::Hot(at));
        }
        true
    }

    /// The same for a cell in its packed form, which it keeps. False also if it is no such form.
    pub fn put_packed(&mut self, id: u32, record: &[u8]) -> bool {
        let Some(cell) = C::unpack(record).filter(|_| self.is_vacant(id)) else { return false };
        match self.packed.push(id, record) {
            Some(at) => {
                if let Some(seat) = self.seats.get_mut(index(id)) {
                    seat.put(Place::Packed(at));
                }
                true
            }
            None => self.put(id, cell),
        }
    }

    fn is_vacant(&self, id: u32) -> bool {
        self.seats.get(index(id)).is_some_and(|seat| seat.place() == Place::Vacant)
    }

    /// How many cells there are, and what they cost.
    pub fn counts(&self) -> SlabCounts {
        SlabCounts {
            hot: self.hot.len(),
            cold: self.cold.len() + self.packed.len(),
            reserved_bytes: self.seats.capacity() * size_of::<Seat>()
                + self.hot.reserved_bytes()
                + self.cold.reserved_bytes()
                + self.packed.reserved_bytes(),
        }
    }
}

impl<C: Cell> Default for Slab<C> {
    fn default() -> Slab<C> {
        Slab::new()
    }
}

#[expect(clippy::as_conversions, reason = "u32 fits usize on all supported targets")]
fn index(id: u32) -> usize {
    id as usize
}
