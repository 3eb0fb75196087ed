//! How long somebody really was on one side of an outline.

use ach_actors_model::NS_PER_S;

use crate::ground::{Ground, Side};

/// Who is this far inside is in, whatever the gates.
pub const CLEAR_IN_MM: u64 = 1_000;
/// Who is this far outside is out, whatever the gates.
pub const CLEAR_OUT_MM: u64 = 1_500;
/// If it lasts for so many seconds on end.
pub const CLEAR_S: u32 = 10;

/// From one true transition to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stay {
    /// On which side.
    pub side: Side,
    /// The first second at which he was there, in nanoseconds of his life.
    pub begin_ns: u64,
    /// The first second at which he was there no more.
    pub end_ns: u64,
    /// Pings heard before it began.
    pub pings_before: u32,
    /// Whether it must be found: it began with a transition and was clear for long enough.
    pub is_due: bool,
}

/// The truth of one life, second by second.
#[derive(Debug, Clone, Default)]
pub(crate) struct StayLog {
    stays: Vec<Stay>,
    clear_s: u32,
}

impl StayLog {
    /// He is there, before the ping of that second.
    pub(crate) fn note(&mut self, at_ns: u64, at_mm: (i32, i32), ground: &Ground, heard: u32) {
        let side = ground.side(at_mm);
        if self.stays.last().is_none_or(|stay| stay.side != side) {
            if let Some(stay) = self.stays.last_mut() {
                stay.end_ns = at_ns;
            }
            self.clear_s = 0;
            self.stays.push(Stay {
                side,
                begin_ns: at_ns,
                end_ns: u64::MAX,
                pings_before: heard,
                is_due: false,
            });
        }
        let clear_mm = if side == Side::In { CLEAR_IN_MM } else { CLEAR_OUT_MM };
        let is_clear = ground.is_clear(at_mm, side, clear_mm);
        self.clear_s = if is_clear { self.clear_s + 1 } else { 0 };
        let is_first = self.stays.len() == 1;
        if let Some(stay) = self.stays.last_mut() {
            stay.is_due |= !is_first && self.clear_s >= CLEAR_S;
        }
    }

    /// All of them. What began in the last `patience_ns` need not have been found.
    pub(crate) fn finish(self, end_ns: u64, patience_ns: u64) -> Vec<Stay> {
        let mut stays = self.stays;
        for stay in &mut stays {
            stay.is_due &= stay.begin_ns.saturating_add(patience_ns) <= end_ns;
        }
        stays
    }
}

/// That moment in a life.
pub(crate) fn second_ns(second: u32) -> u64 {
    u64::from(second) * NS_PER_S
}
