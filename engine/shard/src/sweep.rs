//! When idle actors are compacted: a round in half a minute of shard time, in small slices.

use ach_actors_model::{NS_PER_S, Timestamp};

use crate::actors::Actors;

/// One round over all actors. An actor is compacted in the round after one in which nobody called
/// it, so after 30 to 60 seconds: longer than tags on the move pause, shorter than a shift.
const ROUND_NS: u64 = 30 * NS_PER_S;

/// Slices a round: with a million tags a slice visits a thousand, which is less than 100 µs.
const SLICE_COUNT: u64 = 1_024;

const SLICE_NS: u64 = ROUND_NS / SLICE_COUNT;

/// Slices caught up with in one entry after a pause.
const CATCH_UP_COUNT_MAX: u64 = 4;

/// Paces the compaction by shard time.
#[derive(Debug, Default)]
pub(crate) struct Sweep {
    swept_at: Timestamp,
    #[cfg(test)]
    pub(crate) pace: Pace,
}

/// Other paces, to show that none can be told from the effects.
#[cfg(test)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Pace {
    #[default]
    Normal,
    Never,
    Always,
}

impl Sweep {
    pub(crate) fn step(&mut self, actors: &mut Actors, now: Timestamp) {
        #[cfg(test)]
        match self.pace {
            Pace::Normal => {}
            Pace::Never => return,
            Pace::Always => {
                actors.sweep(|seat_count| seat_count);
                actors.sweep(|seat_count| seat_count);
            }
        }
        let slice_count = now.since_ns(self.swept_at) / SLICE_NS;
        if slice_count == 0 {
            return;
        }
        self.swept_at = now;
        let slice_count = usize::try_from(slice_count.min(CATCH_UP_COUNT_MAX)).unwrap_or(1);
        let round = usize::try_from(SLICE_COUNT).unwrap_or(1);
        actors.sweep(|seat_count| seat_count.div_ceil(round) * slice_count);
    }
}
