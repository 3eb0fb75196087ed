//! Where a cell is and what is known about it, in one word.
//!
//! ```text
//! bit  31 .. 5          4            3          2             1 0
//!      place in pool    is_recent    is_saved   is_set_aside  kept
//! ```

/// Places a seat can name.
pub(crate) const PLACE_COUNT_MAX: u32 = 1 << 27;

const KEPT_MASK: u32 = 0b11;
const KEPT_HOT: u32 = 0b01;
const KEPT_COLD: u32 = 0b10;
const KEPT_PACKED: u32 = 0b11;
const SET_ASIDE: u32 = 1 << 2;
const SAVED: u32 = 1 << 3;
const RECENT: u32 = 1 << 4;
const FLAGS: u32 = SET_ASIDE | SAVED | RECENT;
const PLACE_SHIFT: u32 = 5;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Seat(u32);

/// Where the cell of a seat is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Vacant,
    Hot(usize),
    Cold(usize),
    Packed(usize),
}

impl Seat {
    #[expect(clippy::as_conversions, reason = "27 bits fit usize on all supported targets")]
    pub(crate) fn place(self) -> Place {
        let place = (self.0 >> PLACE_SHIFT) as usize;
        match self.0 & KEPT_MASK {
            KEPT_HOT => Place::Hot(place),
            KEPT_COLD => Place::Cold(place),
            KEPT_PACKED => Place::Packed(place),
            _ => Place::Vacant,
        }
    }

    /// Records where the cell is now. Places beyond [`PLACE_COUNT_MAX`] never arise: a slab has no
    /// more seats than that.
    pub(crate) fn put(&mut self, place: Place) {
        let word = |at: usize, kept: u32| {
            let at = u32::try_from(at).unwrap_or(PLACE_COUNT_MAX);
            assert!(at < PLACE_COUNT_MAX, "a pool holds no more cells than a slab has seats");
            (at << PLACE_SHIFT) | kept
        };
        let kept = match place {
            Place::Vacant => 0,
            Place::Hot(at) => word(at, KEPT_HOT),
            Place::Cold(at) => word(at, KEPT_COLD),
            Place::Packed(at) => word(at, KEPT_PACKED),
        };
        self.0 = (self.0 & FLAGS) | kept;
    }

    pub(crate) fn is_set_aside(self) -> bool {
        self.0 & SET_ASIDE != 0
    }

    pub(crate) fn set_aside(&mut self, is_set_aside: bool) {
        self.set(SET_ASIDE, is_set_aside);
    }

    pub(crate) fn is_saved(self) -> bool {
        self.0 & SAVED != 0
    }

    pub(crate) fn mark_saved(&mut self, is_saved: bool) {
        self.set(SAVED, is_saved);
    }

    pub(crate) fn is_recent(self) -> bool {
        self.0 & RECENT != 0
    }

    pub(crate) fn mark_recent(&mut self, is_recent: bool) {
        self.set(RECENT, is_recent);
    }

    fn set(&mut self, flag: u32, is_on: bool) {
        if is_on {
            self.0 |= flag;
        } else {
            self.0 &= !flag;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seat_keeps_its_flags_when_its_cell_moves() {
        let mut seat = Seat::default();
        seat.set_aside(true);
        seat.mark_saved(true);
        seat.mark_recent(true);
        for place in [
            Place::Hot(0),
            Place::Cold(134_217_727),
            Place::Packed(134_217_726),
            Place::Vacant,
            Place::Hot(77),
        ] {
            seat.put(place);
            assert_eq!(seat.place(), place);
            assert!(seat.is_set_aside() && seat.is_saved() && seat.is_recent());
        }
        seat.mark_saved(false);
        assert!(seat.is_set_aside() && !seat.is_saved() && seat.is_recent());
        assert_eq!(seat.place(), Place::Hot(77));
    }
}
