//! What time it is: the machine's clocks as an argument, and the time of a shard made of them.
//!
//! Shard time goes on from the last logged time with the monotonic clock and is slewed towards UTC
//! by at most [`SLEW_MAX_PPM`]. It never goes back and never stands still, whatever happens to the
//! machine's UTC clock; an hour's jump of that clock bends shard time by one percent and no more.

use std::fmt;
use std::sync::Arc;

use ach_actors_model::{NS_PER_MS, NS_PER_S, Timestamp};
use arc_swap::ArcSwap;

use crate::planted::{PlantedBug, is_planted};

/// Fastest correction towards UTC: one percent. Gates and dwell times are seconds to minutes, so
/// even under full correction a rule is at most one percent early or late.
pub(crate) const SLEW_MAX_PPM: i64 = 10_000;

/// A difference from UTC is worked off over ten seconds, unless [`SLEW_MAX_PPM`] makes it longer.
const SLEW_OVER_S: i64 = 10;

/// A difference from UTC above this is reported to operators.
pub(crate) const SKEW_MAX_NS: u64 = 500 * NS_PER_MS;

/// A UTC that is so far ahead of the last logged time at a start may be a clock nobody has set yet: an
/// outage is mostly shorter.
const DOUBT_FROM_NS: u64 = 24 * 3_600 * NS_PER_S;

/// How long such a clock is doubted: whoever sets clocks over the network does it within minutes, and a
/// person who is told does it within a shift.
const DOUBT_FOR_NS: u64 = 6 * 3_600 * NS_PER_S;

/// The machine's clocks.
pub trait Clock: Send + Sync + fmt::Debug {
    /// Nanoseconds since some fixed moment; never goes back; counts while the machine is suspended.
    fn monotonic_ns(&self) -> u64;

    /// UTC as the machine believes it; may jump.
    fn utc(&self) -> Timestamp;

    /// Whether it runs by itself, so that a jump of [`Clock::monotonic_ns`] means that the process
    /// was suspended. A clock that somebody moves, as the replay of a recording does, says no.
    fn runs_by_itself(&self) -> bool {
        true
    }
}

/// The real clocks.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock {}

impl Clock for SystemClock {
    fn monotonic_ns(&self) -> u64 {
        // Boot time counts through a suspend, `Instant` does not.
        let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        let s = u64::try_from(time.tv_sec).unwrap_or(0);
        let ns = u64::try_from(time.tv_nsec).unwrap_or(0);
        s.saturating_mul(NS_PER_S).saturating_add(ns)
    }

    fn utc(&self) -> Timestamp {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::Realtime);
        let s = u64::try_from(time.tv_sec).unwrap_or(0);
        let ns = u64::try_from(time.tv_nsec).unwrap_or(0);
        Timestamp(s.saturating_mul(NS_PER_S).saturating_add(ns))
    }
}

/// The time of a shard. Any thread may read it; one thread steers it.
#[derive(Debug)]
pub(crate) struct ShardClock {
    clock: Arc<dyn Clock>,
    line: ArcSwap<Line>,
    /// Set at a start with a UTC that may be wrong.
    doubt: Option<Doubt>,
}

/// A UTC that was far ahead of the last logged time.
#[derive(Debug, Clone, Copy)]
struct Doubt {
    /// Until when, by the monotonic clock, nothing is called old.
    until_ns: u64,
    /// Unless UTC was set back to this or before.
    above: Timestamp,
}

/// Shard time as a straight line over the monotonic clock.
#[derive(Debug, Clone, Copy)]
struct Line {
    from_monotonic_ns: u64,
    from: Timestamp,
    slew_ppm: i64,
}

impl Line {
    fn at(&self, monotonic_ns: u64) -> Timestamp {
        let elapsed_ns = monotonic_ns.saturating_sub(self.from_monotonic_ns);
        let bent = i128::from(elapsed_ns) * i128::from(1_000_000 + self.slew_ppm) / 1_000_000;
        self.from.plus_ns(u64::try_from(bent).unwrap_or(u64::MAX))
    }

    /// Monotonic nanoseconds from `monotonic_ns` until shard time reaches `due`.
    fn until_ns(&self, monotonic_ns: u64, due: Timestamp) -> u64 {
        let left_ns = due.since_ns(self.at(monotonic_ns));
        let bent = i128::from(left_ns) * 1_000_000 / i128::from(1_000_000 + self.slew_ppm);
        // One more nanosecond, so that rounding never wakes us just before.
        u64::try_from(bent).unwrap_or(u64::MAX).saturating_add(u64::from(left_ns > 0))
    }
}

impl ShardClock {
    /// Goes on after `last_logged`: at UTC when that is later, for an outage may be jumped over,
    /// else right after the last logged time.
    pub(crate) fn start(clock: Arc<dyn Clock>, last_logged: Option<Timestamp>) -> ShardClock {
        let after_last = last_logged.map_or(Timestamp(0), |at| at.plus_ns(1));
        let is_lost = is_planted(PlantedBug::TimeGoesBack);
        let from = if is_lost { clock.utc() } else { clock.utc().max(after_last) };
        let line = Line { from_monotonic_ns: clock.monotonic_ns(), from, slew_ppm: 0 };
        let last_at = last_logged.unwrap_or(from);
        let ahead_ns = from.since_ns(last_at);
        let doubt = (ahead_ns > DOUBT_FROM_NS).then(|| Doubt {
            until_ns: line.from_monotonic_ns.saturating_add(DOUBT_FOR_NS),
            above: last_at.plus_ns(DOUBT_FROM_NS),
        });
        if doubt.is_some() {
            let ahead_hours = ahead_ns / (3_600 * NS_PER_S);
            tracing::error!(
                ahead_hours,
                "the clock is more than a day ahead of the last entry; nothing that is kept for a time \
                 is dropped for six hours, and then a day an hour: look whether the clock is right"
            );
        }
        let line = ArcSwap::from_pointee(line);
        let shard_clock = ShardClock { clock, line, doubt };
        shard_clock.steer();
        shard_clock
    }

    /// Shard time.
    pub(crate) fn now(&self) -> Timestamp {
        self.line.load().at(self.clock.monotonic_ns())
    }

    /// The time by which what is kept grows old: the earlier of shard time and UTC, so that neither a clock
    /// that was ahead at the start nor one that jumps ahead makes anything old. `None` while it is not known
    /// whether the clock is right.
    pub(crate) fn ageing(&self) -> Option<Timestamp> {
        (!self.is_doubted()).then(|| self.now().min(self.clock.utc()))
    }

    /// Whether UTC was so far ahead at the start that it may be wrong, and nobody has set it back or let six
    /// hours pass since.
    pub(crate) fn is_doubted(&self) -> bool {
        self.doubt.is_some_and(|doubt| {
            self.clock.monotonic_ns() < doubt.until_ns && self.clock.utc() > doubt.above
        })
    }

    /// Whether it was doubted at the start. What is over by it goes slowly, for nobody has said that it is right.
    pub(crate) fn was_doubted(&self) -> bool {
        self.doubt.is_some()
    }

    /// Nanoseconds of the monotonic clock until shard time reaches `due`.
    pub(crate) fn until_ns(&self, due: Timestamp) -> u64 {
        self.line.load().until_ns(self.clock.monotonic_ns(), due)
    }

    /// Bends shard time towards UTC. Called about once a second, always from the same thread.
    pub(crate) fn steer(&self) {
        let monotonic_ns = self.clock.monotonic_ns();
        let from = self.line.load().at(monotonic_ns);
        let error_ns = i128::from(self.clock.utc().0) - i128::from(from.0);
        let wanted_ppm = error_ns / i128::from(SLEW_OVER_S) / 1_000;
        let slew_ppm = wanted_ppm.clamp(i128::from(-SLEW_MAX_PPM), i128::from(SLEW_MAX_PPM));
        let slew_ppm = i64::try_from(slew_ppm).unwrap_or(0);
        self.line.store(Arc::new(Line { from_monotonic_ns: monotonic_ns, from, slew_ppm }));
    }

    /// Whether a jump means that the process was suspended.
    pub(crate) fn runs_by_itself(&self) -> bool {
        self.clock.runs_by_itself()
    }

    /// UTC by the machine.
    pub(crate) fn utc(&self) -> Timestamp {
        self.clock.utc()
    }

    /// UTC less shard time, in nanoseconds.
    pub(crate) fn skew_ns(&self) -> i64 {
        let skew_ns = i128::from(self.clock.utc().0) - i128::from(self.now().0);
        i64::try_from(skew_ns).unwrap_or(if skew_ns < 0 { i64::MIN } else { i64::MAX })
    }
}

/// A clock that tests move by hand.
#[cfg(test)]
#[derive(Debug, Default)]
pub(crate) struct SimClock {
    monotonic_ns: std::sync::atomic::AtomicU64,
    utc_ns: std::sync::atomic::AtomicU64,
}

#[cfg(test)]
impl SimClock {
    /// UTC starts at `utc`.
    pub(crate) fn at(utc: Timestamp) -> SimClock {
        SimClock { monotonic_ns: 0.into(), utc_ns: utc.0.into() }
    }

    /// Lets time pass.
    pub(crate) fn pass(&self, ns: u64) {
        use std::sync::atomic::Ordering::SeqCst;
        self.monotonic_ns.fetch_add(ns, SeqCst);
        self.utc_ns.fetch_add(ns, SeqCst);
    }

    /// Sets UTC, as an operator or a time server does.
    pub(crate) fn set_utc(&self, utc: Timestamp) {
        self.utc_ns.store(utc.0, std::sync::atomic::Ordering::SeqCst);
    }
}

#[cfg(test)]
impl Clock for SimClock {
    fn monotonic_ns(&self) -> u64 {
        self.monotonic_ns.load(std::sync::atomic::Ordering::SeqCst)
    }

    fn utc(&self) -> Timestamp {
        Timestamp(self.utc_ns.load(std::sync::atomic::Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp(1_795_000_000 * NS_PER_S);
    const HOUR_NS: u64 = 3_600 * NS_PER_S;

    fn started(last_logged: Option<Timestamp>) -> (Arc<SimClock>, ShardClock) {
        let sim = Arc::new(SimClock::at(NOON));
        let shard_clock = ShardClock::start(sim.clone(), last_logged);
        (sim, shard_clock)
    }

    /// Lets `seconds` pass, steering every second, and holds shard time to its promise.
    #[track_caller]
    fn run(sim: &SimClock, shard_clock: &ShardClock, seconds: u64) {
        for _ in 0..seconds {
            let before = shard_clock.now();
            sim.pass(NS_PER_S);
            shard_clock.steer();
            let passed_ns = shard_clock.now().0 - before.0;
            assert!((990_000_000..=1_010_000_000).contains(&passed_ns), "{passed_ns}");
        }
    }

    #[test]
    fn a_first_start_takes_utc() {
        let (_sim, shard_clock) = started(None);
        assert_eq!(shard_clock.now(), NOON);
    }

    #[test]
    fn a_restart_jumps_over_the_outage() {
        let (_sim, shard_clock) = started(Some(Timestamp(NOON.0 - HOUR_NS)));
        assert_eq!(shard_clock.now(), NOON);
    }

    #[test]
    fn nothing_grows_old_by_a_clock_that_is_ahead() {
        let day_ns = 24 * HOUR_NS;
        let (_sim, shard_clock) = started(Some(Timestamp(NOON.0 - day_ns)));
        assert_eq!(shard_clock.ageing(), Some(NOON), "a day's outage");
        let last = Timestamp(NOON.0 - 60 * day_ns);
        let (sim, shard_clock) = started(Some(last));
        assert_eq!(shard_clock.ageing(), None, "sixty days, or nobody has set the clock");
        assert!(shard_clock.is_doubted() && shard_clock.was_doubted());
        sim.set_utc(last);
        assert!(!shard_clock.is_doubted() && shard_clock.was_doubted(), "somebody has");
        sim.pass(6 * HOUR_NS);
        assert_eq!(shard_clock.ageing(), Some(last.plus_ns(6 * HOUR_NS)), "it was set");
        assert!(shard_clock.now() > NOON, "the shard's time does not go back");
        let (sim, shard_clock) = started(Some(last));
        sim.pass(6 * HOUR_NS);
        assert_eq!(shard_clock.ageing(), Some(shard_clock.now()), "nobody had a better one");
        let (sim, shard_clock) = started(Some(NOON));
        sim.set_utc(NOON.plus_ns(60 * day_ns));
        shard_clock.steer();
        assert!(shard_clock.ageing() < Some(NOON.plus_ns(HOUR_NS)), "it jumped");
    }

    #[test]
    fn a_restart_with_a_clock_set_back_goes_on_after_the_last_logged_time() {
        let last = NOON.plus_ns(HOUR_NS);
        let (sim, shard_clock) = started(Some(last));
        assert_eq!(shard_clock.now(), last.plus_ns(1));
        run(&sim, &shard_clock, 10);
        assert!(shard_clock.now() > last);
    }

    #[test]
    fn a_jump_of_an_hour_either_way_bends_time_by_one_percent_at_most() {
        for jumped in [NOON.0 - HOUR_NS, NOON.0 + HOUR_NS] {
            let (sim, shard_clock) = started(None);
            sim.set_utc(Timestamp(jumped));
            shard_clock.steer();
            run(&sim, &shard_clock, 100);
            let expected = if jumped > NOON.0 { 101 } else { 99 };
            assert_eq!(shard_clock.now().0 - NOON.0, expected * NS_PER_S);
            assert!(shard_clock.skew_ns().unsigned_abs() > SKEW_MAX_NS);
        }
    }

    #[test]
    fn a_leap_second_is_worked_off() {
        let (sim, shard_clock) = started(None);
        sim.set_utc(Timestamp(NOON.0 - NS_PER_S));
        shard_clock.steer();
        run(&sim, &shard_clock, 200);
        assert!(shard_clock.skew_ns().unsigned_abs() < NS_PER_MS, "{}", shard_clock.skew_ns());
    }

    #[test]
    fn waiting_for_a_moment_ends_at_it_or_just_after() {
        for jumped in [NOON.0, NOON.0 - HOUR_NS, NOON.0 + HOUR_NS] {
            let (sim, shard_clock) = started(None);
            sim.set_utc(Timestamp(jumped));
            shard_clock.steer();
            let due = shard_clock.now().plus_ns(7 * NS_PER_S + 1);
            sim.pass(shard_clock.until_ns(due));
            assert!(shard_clock.now() >= due);
            assert!(shard_clock.now().since_ns(due) <= 2);
            assert_eq!(shard_clock.until_ns(due), 0);
        }
    }
}
