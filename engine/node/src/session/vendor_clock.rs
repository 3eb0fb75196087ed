//! A vendor's clock as its session finds it: what it is told, and what its feed's alarm goes by.
//!
//! Only what is certain counts, however long a frame took: an input stamped later than it came is of
//! a clock that is ahead, a hello stamped before its connection was asked for of one that is behind.
//! Nothing is certain while the node's own clock is not: see [`Rim::has_certain_clock`].
//!
//! [`Rim::has_certain_clock`]: crate::rim::Rim::has_certain_clock

use std::cell::Cell;

use ach_actors_model::{NS_PER_MS, NS_PER_S, Timestamp};
use ach_engine_wire::ClockOffset;

use crate::clock::SKEW_MAX_NS;

/// A vendor is told of its clock at most this often.
const TOLD_EVERY_NS: u64 = 10 * NS_PER_S;

/// A clock is right again when nothing came from the future for this long: tags have clocks of their
/// own, and the feed's is no better than the worst of them.
const CALM_NS: u64 = 60 * NS_PER_S;

/// An input that came within this of its stamp shows a clock that is right. So does a hello that can
/// be no further off: many a locating system smooths for longer, and has no input as fresh as that.
const FRESH_NS: u64 = 250 * NS_PER_MS;

/// What is known of the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// Nothing yet in this session; an alarm may be open from before.
    Unknown,
    Off,
    Right,
}

/// A vendor's clock.
#[derive(Debug)]
pub(crate) struct VendorClock {
    standing: Cell<Standing>,
    told_at: Cell<Timestamp>,
    /// When the latest input from the future came.
    ahead_at: Cell<Timestamp>,
    /// Whether the node's own clock is certain enough to compare with.
    is_certain: Cell<bool>,
    /// What the shard is to be told: the offset in nanoseconds, and when it was found.
    finding: Cell<Option<(i64, Timestamp)>>,
}

impl VendorClock {
    /// Of a session that has just begun: its hello was stamped `sent_at`, its connection asked for at
    /// `begun_at`, and the hello read at `received_at`. A hello without a time says nothing, and
    /// neither does one to a node whose own clock is not certain.
    pub(crate) fn new(
        is_certain: bool,
        sent_at: Timestamp,
        begun_at: Timestamp,
        received_at: Timestamp,
    ) -> VendorClock {
        let clock = VendorClock {
            standing: Cell::new(Standing::Unknown),
            told_at: Cell::default(),
            ahead_at: Cell::new(received_at),
            is_certain: Cell::new(is_certain),
            finding: Cell::default(),
        };
        if !is_certain || sent_at == Timestamp(0) {
            return clock;
        }
        // It was sent between these two, so its clock's offset lies between those to them.
        let [least_ns, most_ns] = [received_at, begun_at].map(|at| offset_ns(sent_at, at));
        let certain_ns = if most_ns < 0 { most_ns } else { least_ns.max(0) };
        if certain_ns.unsigned_abs() > SKEW_MAX_NS {
            clock.find(Standing::Off, certain_ns, received_at);
        } else if least_ns.unsigned_abs().max(most_ns.unsigned_abs()) <= FRESH_NS {
            clock.find(Standing::Right, certain_ns, received_at);
        }
        clock
    }

    /// What the vendor is to be told with its welcome.
    pub(crate) fn at_hello(&self) -> Option<ClockOffset> {
        let is_off = self.standing.get() == Standing::Off;
        self.finding.get().filter(|_| is_off).map(|(offset_ns, _)| ClockOffset { offset_ns })
    }

    /// What the shard is to be told, once.
    pub(crate) fn take_finding(&self) -> Option<(i64, Timestamp)> {
        self.finding.take()
    }

    /// Whether the node's own clock is certain; what is seen while it is not tells nothing.
    pub(crate) fn compare_with(&self, is_certain: bool) {
        self.is_certain.set(is_certain);
    }

    /// Looks at the stamp of an input. Returns whether it is from the future, and what the vendor is
    /// to be told of it, now and then.
    pub(crate) fn see(
        &self,
        observed_at: Timestamp,
        received_at: Timestamp,
    ) -> (bool, Option<ClockOffset>) {
        let ahead_ns = observed_at.since_ns(received_at);
        if ahead_ns <= SKEW_MAX_NS {
            if self.is_certain.get() && self.standing.get() != Standing::Right {
                self.settle(observed_at, received_at);
            }
            return (false, None);
        }
        self.ahead_at.set(received_at);
        let offset_ns = signed(ahead_ns);
        if self.is_certain.get() && self.standing.get() != Standing::Off {
            self.find(Standing::Off, offset_ns, received_at);
        }
        let told_at = self.told_at.get();
        if told_at != Timestamp(0) && received_at.since_ns(told_at) < TOLD_EVERY_NS {
            return (true, None);
        }
        self.told_at.set(received_at);
        (true, Some(ClockOffset { offset_ns }))
    }

    fn settle(&self, observed_at: Timestamp, received_at: Timestamp) {
        let offset_ns = offset_ns(observed_at, received_at);
        let is_calm = received_at.since_ns(self.ahead_at.get()) >= CALM_NS;
        if is_calm && offset_ns.unsigned_abs() <= FRESH_NS {
            self.find(Standing::Right, offset_ns, received_at);
        }
    }

    fn find(&self, standing: Standing, offset_ns: i64, at: Timestamp) {
        self.standing.set(standing);
        self.finding.set(Some((offset_ns, at)));
    }
}

/// How far a clock is ahead that said `said` at `at`; less than 0 if it is behind.
fn offset_ns(said: Timestamp, at: Timestamp) -> i64 {
    signed(said.since_ns(at)).saturating_sub(signed(at.since_ns(said)))
}

fn signed(ns: u64) -> i64 {
    i64::try_from(ns).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGUN_MS: u64 = 1_000_000;
    const READ_MS: u64 = 1_002_000;

    fn at(ms: u64) -> Timestamp {
        Timestamp(ms * NS_PER_MS)
    }

    fn greeted(sent_at_ms: u64) -> VendorClock {
        VendorClock::new(true, at(sent_at_ms), at(BEGUN_MS), at(READ_MS))
    }

    /// The next finding in milliseconds.
    fn found_ms(clock: &VendorClock) -> Option<i64> {
        clock.take_finding().map(|(offset_ns, _)| offset_ns / 1_000_000)
    }

    #[track_caller]
    fn check_hello(sent_at_ms: u64, expected_ms: Option<i64>) {
        let clock = greeted(sent_at_ms);
        let told_ms = clock.at_hello().map(|told| told.offset_ns / 1_000_000);
        assert_eq!(told_ms, expected_ms);
        assert_eq!(found_ms(&clock), expected_ms);
        assert_eq!(found_ms(&clock), None, "told once");
    }

    #[test]
    fn a_hello_tells_of_a_clock_that_is_off_either_way_and_not_of_a_slow_way() {
        check_hello(READ_MS + 500, None);
        check_hello(READ_MS + 3_600, Some(3_600));
        check_hello(BEGUN_MS + 1, None);
        check_hello(BEGUN_MS - 500, None);
        check_hello(BEGUN_MS - 3_600, Some(-3_600));
        check_hello(0, None);
    }

    #[test]
    fn a_clock_is_found_off_once_and_right_when_nothing_came_from_the_future_for_a_minute() {
        let clock = greeted(READ_MS);
        let see = |observed_ms, received_ms| {
            let (_, told) = clock.see(at(observed_ms), at(received_ms));
            (told.is_some(), found_ms(&clock))
        };
        assert_eq!(see(READ_MS + 601, READ_MS + 1), (true, Some(600)));
        assert_eq!(see(READ_MS + 900, READ_MS + 2), (false, None), "told now and then, found once");
        assert_eq!(see(READ_MS + 59_000, READ_MS + 59_000), (false, None), "not calm yet");
        assert_eq!(see(READ_MS + 61_000, READ_MS + 61_300), (false, None), "too old to tell");
        assert_eq!(see(READ_MS + 62_000, READ_MS + 62_100), (false, Some(-100)));
        assert_eq!(see(READ_MS + 63_000, READ_MS + 63_000), (false, None));
        assert_eq!(see(READ_MS + 65_000, READ_MS + 64_000), (true, Some(1_000)));
    }

    #[test]
    fn while_the_nodes_own_clock_is_not_certain_nothing_is_found() {
        let clock = VendorClock::new(false, at(READ_MS + 3_600), at(BEGUN_MS), at(READ_MS));
        assert!(clock.at_hello().is_none());
        let (is_ahead, told) = clock.see(at(READ_MS + 3_600), at(READ_MS));
        assert!(is_ahead && told.is_some());
        clock.see(at(READ_MS + 90_000), at(READ_MS + 90_000));
        assert_eq!(found_ms(&clock), None);
        // It is again.
        clock.compare_with(true);
        clock.see(at(READ_MS + 100_000), at(READ_MS + 100_000));
        assert_eq!(found_ms(&clock), Some(0));
    }

    #[test]
    fn what_was_found_in_another_session_is_settled_by_this_one() {
        let clock = greeted(READ_MS);
        clock.see(at(READ_MS + 60_000), at(READ_MS + 60_000));
        assert_eq!(found_ms(&clock), Some(0));
    }

    /// A hello on a quick way, read 100 ms after the connection was asked for.
    #[track_caller]
    fn check_quick_hello(sent_at_ms: u64, expected_ms: Option<i64>) {
        let read_ms = BEGUN_MS + 100;
        let clock = VendorClock::new(true, at(sent_at_ms), at(BEGUN_MS), at(read_ms));
        assert_eq!(clock.at_hello(), None, "nobody is told that his clock is right");
        assert_eq!(found_ms(&clock), expected_ms);
    }

    #[test]
    fn a_feed_whose_inputs_are_old_is_settled_by_a_hello_that_is_surely_right() {
        check_quick_hello(BEGUN_MS, Some(0));
        check_quick_hello(BEGUN_MS + 50, Some(0));
        check_quick_hello(BEGUN_MS + 100, Some(0));
        check_quick_hello(BEGUN_MS - 150, Some(-150));
        check_quick_hello(BEGUN_MS + 250, Some(150));
        // It may be 250 ms off or more.
        check_quick_hello(BEGUN_MS - 151, None);
        check_quick_hello(BEGUN_MS + 251, None);
        check_quick_hello(0, None);
    }
}
