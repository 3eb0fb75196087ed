//! The last word of a run.

use std::collections::BTreeMap;

use ach_actors_model::{AlarmKind, NS_PER_S, Timestamp};
use ach_clients_rust::Progress;
use serde::Serialize;

use crate::hospital::Hospital;
use crate::judge::{HeardAlarm, Verdict, judge};
use crate::latency::Percentiles;
use crate::ledger::Ledger;

/// The opening incidents must have been raised by this age of the run.
pub const OPENING_NS: u64 = 8 * NS_PER_S;

/// What came of a run. Serialised as the object the demo prints last.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// Always `summary`.
    pub event: &'static str,
    /// Pings handed to the client; sending again after a crash does not count.
    pub pings_sent: u64,
    /// Of these: new to the node.
    pub pings_accepted: u64,
    /// Seen before.
    pub pings_duplicate: u64,
    /// Older than what was known of their tag.
    pub pings_late: u64,
    /// Refused.
    pub pings_refused: u64,
    /// Given way to newer ones.
    pub pings_conflated: u64,
    /// Acked as durable.
    pub pings_durable: u64,
    /// Reports of doors, buttons and bands.
    pub reports_sent: u64,
    /// Of these acked as durable.
    pub reports_durable: u64,
    /// Episodes raised.
    pub alarms_raised: u64,
    /// Of these durable.
    pub alarms_durable: u64,
    /// Of these withdrawn.
    pub alarms_withdrawn: u64,
    /// Breaches beyond doubt without an alarm.
    pub alarms_missed: u64,
    /// Alarms without a breach.
    pub alarms_false: u64,
    /// Second alarms for one breach.
    pub alarms_repeated: u64,
    /// Episodes raised, by kind.
    pub alarms_by_kind: BTreeMap<AlarmKind, u64>,
    /// Opening incidents whose alarm came within the first eight seconds.
    pub opening_in_time: u64,
    /// Opening incidents; of a run shorter than that, those that came.
    pub opening: u64,
    /// From the intended sending of the opening input to the subscriber.
    pub alarm_latency_us: Percentiles,
    /// Of echo probes in the same run.
    pub floor_latency_us: Percentiles,
    /// Of alarms that a deadline opened, from the deadline.
    pub deadline_lateness_us: Percentiles,
    /// How late the sender was: part of the latencies above.
    pub send_lateness_us: Percentiles,
    /// Durably acked and not in the journal.
    pub lost_durable: u64,
}

impl Summary {
    /// Draws the balance `until_ns` after the beginning. `progress` holds one value a feed,
    /// `lost_durable` comes from reading the journal.
    pub fn new(
        hospital: &Hospital,
        ledger: &Ledger,
        progress: &[Progress],
        until_ns: u64,
        lost_durable: u64,
    ) -> Summary {
        let verdict = verdict(hospital, ledger, until_ns);
        let pings = |of: fn(&Progress) -> u64| progress.iter().map(of).sum();
        let episodes = ledger.episodes();
        let mut alarms_by_kind = BTreeMap::new();
        for episode in episodes {
            *alarms_by_kind.entry(episode.kind).or_insert(0) += 1;
        }
        let opening_in_time = opening_in_time(hospital, ledger);
        // A run that ends before the eighth second owes none that it has not raised.
        let opening = if until_ns < OPENING_NS {
            opening_in_time
        } else {
            hospital.incidents().iter().filter(|incident| incident.is_opening).count()
        };
        Summary {
            event: "summary",
            pings_sent: pings(|it| it.ping.published_through),
            pings_accepted: pings(|it| it.ping.totals.accepted),
            pings_duplicate: pings(|it| it.ping.totals.duplicate),
            pings_late: pings(|it| it.ping.totals.late),
            pings_refused: pings(|it| it.ping.totals.refused),
            pings_conflated: pings(|it| it.ping.totals.conflated),
            pings_durable: pings(|it| it.ping.durable_through),
            reports_sent: pings(|it| it.door.published_through + it.duress.published_through),
            reports_durable: pings(|it| it.door.durable_through + it.duress.durable_through),
            alarms_raised: count(episodes.len()),
            alarms_durable: count(episodes.iter().filter(|it| it.is_durable).count()),
            alarms_withdrawn: count(episodes.iter().filter(|it| it.is_withdrawn).count()),
            alarms_missed: count(verdict.missed.len()) + hospital.truth().lost_count(),
            alarms_false: count(verdict.wrong.len()),
            alarms_repeated: count(verdict.repeated.len()),
            alarms_by_kind,
            opening_in_time: count(opening_in_time),
            opening: count(opening),
            alarm_latency_us: ledger.alarm_latency().percentiles(),
            floor_latency_us: ledger.floor_latency().percentiles(),
            deadline_lateness_us: ledger.deadline_lateness().percentiles(),
            send_lateness_us: ledger.send_lateness().percentiles(),
            lost_durable,
        }
    }

    /// Whether the run shows a fault of the product, and which; empty is clean.
    pub fn faults(&self) -> Vec<String> {
        let decided = self.pings_accepted
            + self.pings_duplicate
            + self.pings_late
            + self.pings_refused
            + self.pings_conflated;
        let mut faults = Vec::new();
        let mut check = |is_fine: bool, fault: String| {
            if !is_fine {
                faults.push(fault);
            }
        };
        check(
            self.pings_sent == decided,
            format!("{} pings sent, {decided} decided on", self.pings_sent),
        );
        check(
            self.pings_durable == self.pings_sent,
            format!("{} pings sent, {} durable", self.pings_sent, self.pings_durable),
        );
        check(
            self.reports_durable == self.reports_sent,
            format!("{} reports sent, {} durable", self.reports_sent, self.reports_durable),
        );
        check(self.pings_refused == 0, format!("{} pings refused", self.pings_refused));
        check(self.alarms_missed == 0, format!("{} alarms missed", self.alarms_missed));
        check(self.alarms_false == 0, format!("{} false alarms", self.alarms_false));
        check(
            self.alarms_repeated == 0,
            format!("{} breaches alarmed twice", self.alarms_repeated),
        );
        check(
            self.alarms_durable == self.alarms_raised,
            format!("{} alarms raised, {} durable", self.alarms_raised, self.alarms_durable),
        );
        check(
            self.opening_in_time == self.opening,
            format!("{} of {} opening incidents in time", self.opening_in_time, self.opening),
        );
        check(self.lost_durable == 0, format!("{} durable inputs lost", self.lost_durable));
        faults
    }
}

/// What the judge says of a run, with the alarms in the order of [`Ledger::episodes`].
pub fn verdict(hospital: &Hospital, ledger: &Ledger, until_ns: u64) -> Verdict {
    let alarms: Vec<HeardAlarm> =
        ledger.episodes().iter().map(|episode| episode.alarm.clone()).collect();
    judge(&hospital.world().config, hospital.truth(), &alarms, until_ns)
}

fn opening_in_time(hospital: &Hospital, ledger: &Ledger) -> usize {
    let config = &hospital.world().config;
    let by: Timestamp = hospital.truth().start_at().plus_ns(OPENING_NS);
    let rule_of = |rule: u32| usize::try_from(rule).ok().and_then(|rule| config.rules.get(rule));
    let subject_of = |it: u32| usize::try_from(it).ok().and_then(|it| config.subjects.get(it));
    hospital
        .incidents()
        .iter()
        .filter(|incident| incident.is_opening)
        .filter(|incident| {
            let rule = rule_of(incident.rule).map(|rule| rule.id.as_str());
            let subject = incident.subject.and_then(subject_of).map(|it| it.id.as_str());
            ledger.episodes().iter().any(|episode| {
                episode.alarm.rule.as_deref() == rule
                    && episode.alarm.subject.as_deref() == subject
                    && episode.arrived_at <= by
            })
        })
        .count()
}

fn count(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
