//! What is meant to leave when, in an open loop: the plan does not look at how the node is doing.

use ach_actors_model::{NS_PER_S, Timestamp};

use crate::campus::QUIET_TAGS;
use crate::scenario::Scenario;

/// Each quiet tag reports this often: it is silent for a second, alarms, and is heard again.
const QUIET_EVERY_NS: u64 = 2 * NS_PER_S;

/// What a ping is to say of its tag's battery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Battery {
    /// Nothing.
    Untold,
    /// That it is low: this raises an alarm.
    Low,
    /// That it was charged: this clears the alarm.
    Charged,
}

/// What is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    /// A ping of the tag of that index.
    Ping { tag: usize, battery: Battery },
    /// A ping of the quiet tag of that index.
    Quiet { tag: usize },
    /// The probe of that number.
    Probe { nonce: u64 },
}

/// The plan of one run, in order of time.
///
/// Every so manyth ping raises an alarm, each on another tag, whose next ping clears it. Probes
/// leave at the rate of the alarms, half a period after each.
#[derive(Debug, Clone)]
pub(crate) struct Schedule {
    begins_at: Timestamp,
    run_ns: u64,
    rate: u64,
    lap: u64,
    every: u64,
    alarms_per_s: u64,
    pings: u64,
    quiets: u64,
    probes: u64,
}

impl Schedule {
    /// The plan of a scenario's run that begins at that moment; nothing for a closed loop.
    pub(crate) fn new(scenario: &Scenario, begins_at: Timestamp) -> Schedule {
        let rate = u64::from(scenario.pings_per_s.unwrap_or(0));
        let alarms_per_s = u64::from(scenario.alarms_per_s);
        let every = rate.checked_div(alarms_per_s).unwrap_or(u64::MAX);
        let lap = lap(u64::from(scenario.tags), every);
        let run_ns = u64::from(scenario.run_s) * NS_PER_S;
        let (pings, quiets, probes) = (0, 0, 0);
        Schedule { begins_at, run_ns, rate, lap, every, alarms_per_s, pings, quiets, probes }
    }

    /// How many pings the whole plan has, about.
    pub(crate) fn ping_count(&self) -> u64 {
        let quiets = self.run_ns / (QUIET_EVERY_NS / u64::from(QUIET_TAGS));
        self.run_ns / NS_PER_S * self.rate + quiets + 1
    }

    fn battery(&self, number: u64) -> Battery {
        let is_slot = |number: u64| self.alarms_per_s > 0 && number.is_multiple_of(self.every);
        if is_slot(number) {
            Battery::Low
        } else if number.checked_sub(self.lap).is_some_and(is_slot) {
            Battery::Charged
        } else {
            Battery::Untold
        }
    }
}

/// How many tags take turns: the most whose number shares no divisor with `every`, so that alarms
/// fall on each of them in turn and never twice in two laps.
fn lap(tags: u64, every: u64) -> u64 {
    (1..=tags).rev().find(|&lap| greatest_divisor(lap, every) == 1).unwrap_or(1)
}

fn greatest_divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { greatest_divisor(b, a % b) }
}

impl Iterator for Schedule {
    type Item = (Timestamp, Due);

    fn next(&mut self) -> Option<(Timestamp, Due)> {
        let after = |number: u64, per_s: u64| {
            number.saturating_mul(NS_PER_S).checked_div(per_s).unwrap_or(u64::MAX)
        };
        let ping_ns = after(self.pings, self.rate);
        let period_ns = after(1, self.alarms_per_s);
        let probe_ns = after(self.probes, self.alarms_per_s).saturating_add(period_ns / 2);
        let quiet_ns = match self.alarms_per_s {
            0 => u64::MAX,
            _ => self.quiets * (QUIET_EVERY_NS / u64::from(QUIET_TAGS)) + period_ns / 4,
        };
        let due_ns = ping_ns.min(probe_ns).min(quiet_ns);
        if due_ns >= self.run_ns {
            return None;
        }
        let due = if due_ns == ping_ns {
            let number = self.pings;
            self.pings += 1;
            let tag = usize::try_from(number % self.lap).unwrap_or(0);
            Due::Ping { tag, battery: self.battery(number) }
        } else if due_ns == probe_ns {
            self.probes += 1;
            Due::Probe { nonce: self.probes - 1 }
        } else {
            self.quiets += 1;
            let tag = (self.quiets - 1) % u64::from(QUIET_TAGS);
            Due::Quiet { tag: usize::try_from(tag).unwrap_or(0) }
        };
        Some((self.begins_at.plus_ns(due_ns), due))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::scenario::Limits;

    const BEGINS_AT: Timestamp = Timestamp(1_800_000_000 * NS_PER_S);

    fn plan(tags: u32, pings_per_s: u32, alarms_per_s: u32, run_s: u32) -> Schedule {
        let scenario = Scenario {
            goal: String::new(),
            tags,
            zones: 100,
            pings_per_s: Some(pings_per_s),
            alarms_per_s,
            batch_pings: 64,
            runs: 1,
            run_s,
            limits: Limits::default(),
        };
        Schedule::new(&scenario, BEGINS_AT)
    }

    #[test]
    fn a_plan_is_in_order_and_holds_its_rates() {
        for (tags, rate) in [(20_000, 20_000), (50_000, 50_000), (1_000, 20_000)] {
            let all: Vec<_> = plan(tags, rate, 500, 10).collect();
            assert!(all.windows(2).all(|pair| pair[0].0 <= pair[1].0));
            let count = |is: fn(&Due) -> bool| all.iter().filter(|(_, due)| is(due)).count();
            let pings = usize::try_from(rate * 10).expect("small");
            assert_eq!(count(|due| matches!(due, Due::Ping { .. })), pings);
            assert_eq!(count(|due| matches!(due, Due::Probe { .. })), 5_000);
            assert_eq!(count(|due| matches!(due, Due::Quiet { .. })), 500);
            let is_low = |due: &Due| matches!(due, Due::Ping { battery: Battery::Low, .. });
            assert_eq!(count(is_low), 5_000);
        }
    }

    /// A tag that is low already raises no second alarm, so every slot needs one that is not.
    #[test]
    fn every_alarm_falls_on_a_tag_that_is_charged() {
        let mut low = BTreeSet::new();
        let mut raised = 0;
        for (_, due) in plan(20_000, 20_000, 500, 60) {
            match due {
                Due::Ping { tag, battery: Battery::Low } => {
                    assert!(low.insert(tag), "tag {tag} is low already");
                    raised += 1;
                }
                Due::Ping { tag, battery: Battery::Charged } => assert!(low.remove(&tag)),
                _ => {}
            }
        }
        assert_eq!(raised, 30_000);
    }

    #[test]
    fn probes_leave_half_a_period_after_alarms() {
        let mut alarm_at = BEGINS_AT;
        for (at, due) in plan(20_000, 20_000, 500, 10) {
            match due {
                Due::Ping { battery: Battery::Low, .. } => alarm_at = at,
                Due::Probe { .. } => assert_eq!(at.since_ns(alarm_at), 1_000_000),
                _ => {}
            }
        }
    }
}
