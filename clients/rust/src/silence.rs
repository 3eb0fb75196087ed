//! Silence: whether a link is dead, counted in ticks.
//!
//! Ticks, not seconds: a program that was busy for long has not listened, and must not take the node
//! for dead.

use std::time::Duration;

/// A receiver knows within this that its link is dead.
pub(crate) const DEAD_AFTER: Duration = Duration::from_secs(3);

/// So many ticks in a row without one, and the link is dead. The sign before them may have come just
/// after a tick: five ticks of six have passed at most, so that it is known in time also where a tick
/// is late.
const SILENT_TICKS_MAX: u32 = 4;

/// From one tick to the next, at which the node is asked for a sign of life: six in [`DEAD_AFTER`].
pub(crate) const TICK: Duration = Duration::from_millis(500);

/// Ticks since the last sign of life.
#[derive(Debug, Default)]
pub(crate) struct Silence {
    has_heard: bool,
    silent_ticks: u32,
}

impl Silence {
    /// The node has said something.
    pub(crate) fn hear(&mut self) {
        self.has_heard = true;
    }

    /// Whether the link is dead, now that another tick has passed.
    pub(crate) fn is_dead_at_tick(&mut self) -> bool {
        let has_heard = std::mem::replace(&mut self.has_heard, false);
        self.silent_ticks = if has_heard { 0 } else { self.silent_ticks.saturating_add(1) };
        self.silent_ticks >= SILENT_TICKS_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_dead_after_four_silent_ticks_in_a_row_and_known_to_be_within_three_seconds() {
        let mut silence = Silence::default();
        for _ in 0..3 {
            assert!(!silence.is_dead_at_tick());
        }
        silence.hear();
        // The sign of life may have come right after the tick before.
        let said: Vec<bool> = (0..5).map(|_| silence.is_dead_at_tick()).collect();
        assert_eq!(said, [false, false, false, false, true]);
        assert!(TICK * 6 <= DEAD_AFTER && TICK * 5 < DEAD_AFTER);
    }
}
