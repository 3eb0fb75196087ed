//! Who takes the room of history's disk: several may at once, and each gives back its own.

use ach_engine_store::SimRoom;

/// What room is taken.
#[derive(Debug, Default)]
pub(crate) struct Shortage {
    low_count: u32,
    full_count: u32,
    /// The disk that history and journal share is about to be full, or is.
    is_shared: bool,
}

impl Shortage {
    /// Somebody leaves that much room.
    pub(crate) fn begin(&mut self, room: SimRoom) {
        self.change(room, |count| count.saturating_add(1));
    }

    /// He gives it back.
    pub(crate) fn end(&mut self, room: SimRoom) {
        self.change(room, |count| count.saturating_sub(1));
    }

    /// The disk that history and journal share fills up, or has room again. History is told: it leaves
    /// half a gibibyte.
    pub(crate) fn share(&mut self, is_shared: bool) {
        self.is_shared = is_shared;
    }

    /// How much room there is.
    pub(crate) fn room(&self) -> SimRoom {
        match (self.full_count, self.low_count, self.is_shared) {
            (1.., ..) => SimRoom::Full,
            (0, 0, false) => SimRoom::Enough,
            (0, ..) => SimRoom::Low,
        }
    }

    fn change(&mut self, room: SimRoom, change: impl Fn(u32) -> u32) {
        match room {
            SimRoom::Full => self.full_count = change(self.full_count),
            SimRoom::Low => self.low_count = change(self.low_count),
            SimRoom::Enough => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_that_overlap_each_ends_by_itself() {
        for (one, other, both) in [
            (SimRoom::Full, SimRoom::Full, SimRoom::Full),
            (SimRoom::Full, SimRoom::Low, SimRoom::Full),
            (SimRoom::Low, SimRoom::Low, SimRoom::Low),
        ] {
            let mut shortage = Shortage::default();
            shortage.begin(one);
            shortage.begin(other);
            assert_eq!(shortage.room(), both);
            shortage.end(one);
            assert_eq!(shortage.room(), other, "the first gives back nothing of the second");
            shortage.share(true);
            shortage.end(other);
            assert_eq!(shortage.room(), SimRoom::Low);
            shortage.share(false);
            assert_eq!(shortage.room(), SimRoom::Enough);
        }
    }
}
