//! What doors and buttons report in an overload, and when: a hundred reports a second, half of which are
//! alarms.

use ach_actors_model::{NS_PER_S, Timestamp};
use ach_clients_rust::{Lane, Report, ReportWord};

use crate::watched::Watched;

/// Reports a second: each thing is pressed or opened every two seconds, and reset or closed in between.
pub(crate) const REPORTS_PER_S: u64 = 100;

/// The plan, from a moment on.
#[derive(Debug)]
pub(crate) struct AlertPlan<'a> {
    watched: &'a Watched,
    begins_at: Timestamp,
    number: u64,
}

impl<'a> AlertPlan<'a> {
    /// From `begins_at` on, without end.
    pub(crate) fn new(watched: &'a Watched, begins_at: Timestamp) -> AlertPlan<'a> {
        AlertPlan { watched, begins_at, number: 0 }
    }

    /// All buttons reset and all doors closed: what an earlier plan left is cleared, and the node has
    /// met every thing.
    pub(crate) fn cleared(watched: &Watched, observed_at: Timestamp) -> Vec<Report> {
        let reset = |&tag| Report::tag(tag, observed_at, ReportWord::ButtonReset);
        let closed =
            |door: &_| Report::door(Clone::clone(door), observed_at, ReportWord::DoorClosed);
        let (buttons, doors) = (watched.buttons.iter(), watched.doors.iter());
        buttons.map(reset).chain(doors.map(closed)).collect()
    }

    /// When the next report is meant to leave.
    pub(crate) fn next_at(&self) -> Timestamp {
        self.begins_at.plus_ns(self.number * (NS_PER_S / REPORTS_PER_S))
    }

    /// The next report if it is due by `now`, with the moment it is meant to leave.
    pub(crate) fn due(&mut self, now: Timestamp) -> Option<(Timestamp, Report)> {
        let send_at = self.next_at();
        if send_at > now {
            return None;
        }
        let (kind, turn) = (self.number % 4, self.number / 4);
        self.number += 1;
        let at = |count: usize, ahead: bool| {
            let offset = if ahead { count / 2 } else { 0 };
            let turn = usize::try_from(turn).unwrap_or(0).saturating_add(offset);
            turn.checked_rem(count).unwrap_or(0)
        };
        let (buttons, doors) = (&self.watched.buttons, &self.watched.doors);
        let button = |ahead, word| {
            let tag = buttons.get(at(buttons.len(), ahead))?;
            Some(Report::tag(*tag, send_at, word))
        };
        let door = |ahead, word| {
            let door = doors.get(at(doors.len(), ahead))?;
            Some(Report::door(door.clone(), send_at, word))
        };
        let report = match kind {
            0 => button(false, ReportWord::ButtonPressed),
            1 => door(false, ReportWord::DoorOpened),
            2 => button(true, ReportWord::ButtonReset),
            _ => door(true, ReportWord::DoorClosed),
        };
        report.map(|report| (send_at, report))
    }
}

/// Whether a report must raise an alarm.
pub(crate) fn is_alarm(report: &Report) -> bool {
    matches!(report.word, ReportWord::ButtonPressed | ReportWord::DoorOpened)
}

/// The lanes that reports travel on.
pub(crate) const REPORT_LANES: [Lane; 2] = [Lane::Duress, Lane::Door];

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// A thing that is pressed while it is pressed raises no second alarm.
    #[test]
    fn every_alarm_falls_on_a_thing_that_was_reset_before() {
        let watched = Watched::new(1_000, 2_000);
        let begins_at = Timestamp(1_800_000_000 * NS_PER_S);
        let mut plan = AlertPlan::new(&watched, begins_at);
        let mut is_on: BTreeMap<String, bool> = BTreeMap::new();
        let mut alarms = 0;
        let end = begins_at.plus_ns(10 * NS_PER_S - 1);
        while let Some((send_at, report)) = plan.due(end) {
            assert!(send_at <= end);
            let was_on = is_on.insert(format!("{:?}", report.thing), is_alarm(&report));
            if is_alarm(&report) {
                assert_ne!(was_on, Some(true), "{report:?}");
                alarms += 1;
            }
        }
        assert_eq!(alarms, 500, "half of a thousand reports in ten seconds");
        assert_eq!(is_on.len(), 100);
    }
}
