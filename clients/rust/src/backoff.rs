//! How long to wait before the next attempt to connect.

use std::time::Duration;

use crate::ConnectError;

/// First wait; a node that restarts is back in well under a second.
const FIRST: Duration = Duration::from_millis(50);

/// Longest wait: a feed must not stay away for longer than people notice.
const LONGEST: Duration = Duration::from_secs(5);

/// Wait after an answer that will be the same until somebody changes something: seldom enough to
/// disturb no node, often enough that nobody has to restart a feed by hand.
const UNWELCOME: Duration = Duration::from_secs(30);

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
        between_half_and_whole(whole, chance)
    }

    /// How long to wait after an error, which may be one that does not pass by itself.
    pub fn wait_after(&mut self, error: &ConnectError, chance: u64) -> Duration {
        let usual = self.next_wait(chance);
        if error.may_retry() { usual } else { between_half_and_whole(UNWELCOME, chance) }
    }

    /// A connection was of use: the next loss waits the first time again.
    pub fn reset(&mut self) {
        self.attempts = 0;
    }
}

fn between_half_and_whole(whole: Duration, chance: u64) -> Duration {
    let half_ns = u64::try_from(whole.as_nanos() / 2).unwrap_or(0);
    Duration::from_nanos(half_ns.saturating_add(chance % half_ns.saturating_add(1)))
}

#[cfg(test)]
mod tests {
    use ach_engine_wire::Code;

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
    fn an_answer_that_will_stay_the_same_is_not_asked_for_again_and_again() {
        let refused = |code| ConnectError::Refused { code, detail: String::new() };
        let mut backoff = Backoff::default();
        let wait = backoff.wait_after(&refused(Code::WrongRole), 0);
        assert_eq!(wait, Duration::from_secs(15));
        backoff.reset();
        let wait = backoff.wait_after(&refused(Code::ShuttingDown), 0);
        assert_eq!(wait, Duration::from_millis(25));
    }

    #[test]
    fn no_chance_makes_it_longer_than_the_longest() {
        for chance in [u64::MAX, u64::MAX - 1, 1 << 63, 12_345] {
            let mut backoff = Backoff::default();
            assert!((0..40).map(|_| backoff.next_wait(chance)).all(|wait| wait <= LONGEST));
        }
    }
}
