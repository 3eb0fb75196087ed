//! The daily self-test: when it is due, when it was missed, and what a node is in for after one that
//! failed.

use std::cell::Cell;
use std::rc::Rc;

use ach_actors_entities::Site;
use ach_actors_model::{NS_PER_S, Timestamp};
use ach_engine_audit::{Action, Outcome};

use super::{conclude, run};
use crate::rim::Rim;

const DAY_S: i64 = 86_400;

/// How late a daily test may begin before it counts as missed.
const LATE_MAX_S: i64 = 600;

/// How long after its start a node waits with a test that is due: as long as desks may take to connect
/// again and to show what is open, twice.
const SETTLE_NS: u64 = 60 * NS_PER_S;

/// A minute of the day by the clocks on the site's walls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayMinute {
    minute: u16,
}

impl DayMinute {
    /// That hour and minute, if a day has them.
    pub fn new(hour: u8, minute: u8) -> Option<DayMinute> {
        let is_one = hour < 24 && minute < 60;
        is_one.then(|| DayMinute { minute: u16::from(hour) * 60 + u16::from(minute) })
    }

    fn second(self) -> i64 {
        i64::from(self.minute) * 60
    }
}

/// Why a node whose test is due every day is not as it must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SelftestTrouble {
    /// The last test did not come all the way.
    #[error("the last self-test failed: the log says where; mend it and run `ach selftest`")]
    Failed,
    /// The node was away, or could not begin it.
    #[error("the daily self-test was missed: it is made up for a minute after the start")]
    Missed,
}

impl SelftestTrouble {
    /// All the words of [`word`](Self::word).
    pub(crate) const WORDS: &[&str; 2] = &["failed", "missed"];

    /// Which, in a word that fits into the name of a number.
    pub fn word(self) -> &'static str {
        match self {
            SelftestTrouble::Failed => "failed",
            SelftestTrouble::Missed => "missed",
        }
    }
}

/// When the daily test is due.
#[derive(Debug)]
pub(crate) struct Schedule {
    at: DayMinute,
    begun_at: Timestamp,
    /// Since when a test is known to be due in this run.
    due_since: Cell<Option<Timestamp>>,
    is_missed: Cell<bool>,
}

impl Schedule {
    /// A test a day, at a node that began then.
    pub(crate) fn new(at: DayMinute, begun_at: Timestamp) -> Schedule {
        Schedule { at, begun_at, due_since: Cell::new(None), is_missed: Cell::new(false) }
    }

    /// Where a moment lies: the number of the day whose test was due last, and for how many seconds it
    /// has been due. By days and not by moments, so that an hour that is there twice, or not at all,
    /// makes no test more and none less.
    fn place(&self, site: &Site, at: Timestamp) -> (i64, i64) {
        let wall_s = site.wall_s(at).saturating_sub(self.at.second());
        (wall_s.div_euclid(DAY_S), wall_s.rem_euclid(DAY_S))
    }

    /// For how many seconds a test has been due, if one is.
    fn due_for_s(&self, site: &Site, last: Timestamp, now: Timestamp) -> Option<i64> {
        // A node that has never tested has missed nothing that was due before it began.
        let last = if last.0 == 0 { self.begun_at } else { last };
        let ((last_day, _), (day, for_s)) = (self.place(site, last), self.place(site, now));
        let missed_days = day.saturating_sub(last_day).saturating_sub(1);
        (day > last_day).then(|| for_s.saturating_add(missed_days.saturating_mul(DAY_S)))
    }

    /// Whether a trouble is an alarm. A test that was missed while the node was away is one only if it is not made
    /// up for as soon as it could begin: until then nobody is called for a planned stop, and what is open stays
    /// open.
    pub(crate) fn is_alarm(
        &self,
        trouble: Option<SelftestTrouble>,
        now: Timestamp,
    ) -> Option<bool> {
        let Some(trouble) = trouble else { return Some(false) };
        let due_since = self.due_since.get().unwrap_or(now);
        let is_late = Schedule::waited_s(due_since, now) > LATE_MAX_S;
        if trouble == SelftestTrouble::Missed && !is_late { None } else { Some(true) }
    }

    /// How long something has been so.
    fn waited_s(since: Timestamp, now: Timestamp) -> i64 {
        i64::try_from(now.since_ns(since) / NS_PER_S).unwrap_or(i64::MAX)
    }

    /// Looks at the time. Gives whether a test is to begin, and what is wrong.
    fn look(
        &self,
        site: &Site,
        (tested_at, test_good_at): (Timestamp, Timestamp),
        now: Timestamp,
    ) -> (bool, Option<SelftestTrouble>) {
        // Also while the next one is due, until it is good.
        let failed = (tested_at > test_good_at).then_some(SelftestTrouble::Failed);
        let Some(for_s) = self.due_for_s(site, tested_at, now) else {
            self.due_since.set(None);
            self.is_missed.set(false);
            return (false, failed);
        };
        let since = self.due_since.get();
        self.due_since.set(since.or(Some(now)));
        // What was due before this run is late by the clock on the wall, what is due now by ours: at
        // the end of a skipped hour the wall is an hour late and nobody has missed anything.
        let waited_s = Schedule::waited_s(since.unwrap_or(now), now);
        let is_first_look = since.is_none() && now.since_ns(self.begun_at) < SETTLE_NS;
        if waited_s > LATE_MAX_S || (is_first_look && for_s > LATE_MAX_S) {
            self.is_missed.set(true);
        }
        let is_settled = now.since_ns(self.begun_at) >= SETTLE_NS;
        (is_settled, if self.is_missed.get() { Some(SelftestTrouble::Missed) } else { failed })
    }
}

/// Looks once a second whether the daily test is due, and begins it.
pub(crate) fn look(rim: &Rc<Rim>) {
    let Some(schedule) = &rim.schedule else { return };
    if !rim.clock.runs_by_itself() {
        return;
    }
    let memo = rim.memo.memo();
    let past = (memo.tested_at, memo.test_good_at);
    let was_missed = schedule.is_missed.get();
    let (is_due, trouble) = schedule.look(&rim.site(), past, rim.clock.now());
    if schedule.is_missed.get() && !was_missed {
        rim.counters.selftests_missed.count();
        tracing::error!("the daily self-test was missed; it is made up for as soon as it can be");
    }
    rim.counters.tally.set_selftest_trouble(trouble);
    if is_due && !rim.selftest.is_under_way.get() {
        let rim = rim.clone();
        tokio::task::spawn_local(async move {
            let ended = run(&rim, &rim.node).await;
            // An operator's own test does as well.
            if let Ok(tested) = ended {
                conclude(&rim, &tested, rim.audit.own(Action::SelfTested, Outcome::Done));
            }
        });
    }
}

#[cfg(test)]
mod tests;
