//! How long to wait before the next attempt to connect.

use std::time::Duration;

/// First wait; a node that restarts is back in well under a second.
const FIRST: Duration = Duration::from_millis(50);

/// Longest wait: a feed must not stay away for longer than people notice.
const LONGEST: Duration = Duration::from_secs(5);

/// Doubles from attempt to attempt, between half and all of it by chance, so that a thousand
/// clients do not come back in the same moment.
#[derive(Debug, Clone, Default)]
pub struct Backoff {
    attempts: u32,
}

impl Backoff {
    /// How long to wait now; `chance` is any number nobody can foresee.
    pub fn next_wait(&mut self, chance: u64) -> Duration {
        let whole = FIRST.saturating_mul(1 << self.attempts.min(10)).min(LONGEST);
        self.attempts = self.attempts.saturating_add(1);
        let half_ns = u64::try_from(whole.as_nanos() / 2).unwrap_or(0);
        Duration::from_nanos(half_ns.saturating_add(chance % half_ns.saturating_add(1)))
    }

    /// A connection stood: the next loss waits the first time again.
    pub fn reset(&mut self) {
        self.attempts = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_between_half_and_whole_up_to_the_longest() {
        for (chance, first_ms, second_ms, last_ms) in
            [(0, 25, 50, 2_500), (25_000_000, 50, 75, 2_525)]
        {
            let mut backoff = Backoff::default();
            let waits: Vec<_> = (0..20).map(|_| backoff.next_wait(chance)).collect();
            assert_eq!(waits[0], Duration::from_millis(first_ms));
            assert_eq!(waits[1], Duration::from_millis(second_ms));
            assert_eq!(waits[19], Duration::from_millis(last_ms));
            backoff.reset();
            assert_eq!(backoff.next_wait(chance), waits[0]);
        }
    }

    #[test]
    fn no_chance_makes_it_longer_than_the_longest() {
        for chance in [u64::MAX, u64::MAX - 1, 1 << 63, 12_345] {
            let mut backoff = Backoff::default();
            assert!((0..40).map(|_| backoff.next_wait(chance)).all(|wait| wait <= LONGEST));
        }
    }
}
