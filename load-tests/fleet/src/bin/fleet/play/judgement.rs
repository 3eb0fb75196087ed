//! What the node told, held against what a use case expects. Pure.

use std::collections::{BTreeMap, BTreeSet};

use ach_actors_model::{AlarmId, Name, Timestamp};
use ach_clients_rust::WireDoorOrder;

use super::hours::{Hours, TimeOfDay};
use super::own_hours::OwnHours;
use super::told::{Told, ToldAlarm, alarm_words, order_words, spaced};
use super::use_case::{ExpectedAlarm, ExpectedOrder, UseCase};
use crate::failure::Failure;

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Judgement {
    /// The names of the alarms that were expected.
    pub(crate) named: BTreeMap<AlarmId, Name>,
    /// Which of the orders were expected, by their place among those told.
    pub(crate) orders: BTreeSet<usize>,
    /// Which nobody expected and nobody has to: what doors do by themselves.
    pub(crate) by_themselves: BTreeSet<usize>,
    /// What is otherwise than expected, a sentence each.
    pub(crate) differences: Vec<String>,
}

/// Whether an alarm is the one that is meant, whenever it came.
pub(crate) fn is_meant(expected: &ExpectedAlarm, told: &ToldAlarm) -> bool {
    (expected.kind, &expected.subject, &expected.place, &expected.rule)
        == (told.kind, &told.subject, &told.place, &told.rule)
}

/// Compares.
///
/// # Errors
///
/// A time of the use case is no moment.
pub(crate) fn judge(
    case: &UseCase,
    (hours, own_hours): (&Hours, &OwnHours),
    told: &Told,
) -> Result<Judgement, Failure> {
    let mut judgement = Judgement::default();
    for expected in &case.alarms {
        judgement.alarm(expected, hours, &told.alarms)?;
    }
    for expected in &case.orders {
        judgement.order(expected, hours, told)?;
    }
    for alarm in &told.alarms {
        if !judgement.named.contains_key(&alarm.id) {
            let at = hours.time_of(alarm.raised_at);
            judgement.differ(format!("an alarm that is not expected: {at} {}", alarm.words()));
        }
    }
    for (index, order) in told.orders.iter().enumerate() {
        if judgement.orders.contains(&index) {
            continue;
        }
        if own_hours.may_tell(order, hours) {
            judgement.by_themselves.insert(index);
        } else {
            let (at, words) = (hours.time_of(order.given_at), order_words(order));
            judgement.differ(format!("an order that is not expected: {at} {} {words}", order.door));
        }
    }
    Ok(judgement)
}

impl Judgement {
    pub(crate) fn differ(&mut self, text: String) {
        self.differences.push(text);
    }

    fn alarm(
        &mut self,
        expected: &ExpectedAlarm,
        hours: &Hours,
        told: &[ToldAlarm],
    ) -> Result<(), Failure> {
        let name = &expected.name;
        let is_free = |it: &&ToldAlarm| !self.named.contains_key(&it.id) && is_meant(expected, it);
        let Some(alarm) = told.iter().find(is_free) else {
            let what = (expected.priority, expected.kind);
            let (subject, place) = (expected.subject.as_ref(), expected.place.as_ref());
            let words = alarm_words(what, subject, place, expected.rule.as_ref());
            let [from, until] = expected.raised;
            self.differ(format!("alarm {name} was never raised: {words}, {from} to {until}"));
            return Ok(());
        };
        self.named.insert(alarm.id, name.clone());
        let what = format!("alarm {name} was raised at");
        self.moment(&what, alarm.raised_at, expected.raised, hours)?;
        if alarm.priority != expected.priority {
            let (is, was) = (spaced(alarm.priority), spaced(expected.priority));
            self.differ(format!("alarm {name} is {is}, expected {was}"));
        }
        if alarm.passed_on_to != expected.passed_on_to {
            let list = |to: &[Name]| match to {
                [] => "nobody".to_owned(),
                to => to.iter().map(Name::as_str).collect::<Vec<_>>().join(", then "),
            };
            let (is, was) = (list(&alarm.passed_on_to), list(&expected.passed_on_to));
            self.differ(format!("alarm {name} was passed on to {is}, expected to {was}"));
        }
        match (alarm.over, expected.over_with) {
            (None, None) => {}
            (Some((with, at)), Some(expected_with)) if with == expected_with => {
                if let Some(window) = expected.over {
                    self.moment(&format!("alarm {name} was over at"), at, window, hours)?;
                }
            }
            (over, expected_with) => {
                let is = over.map_or_else(
                    || "is still open in the end".to_owned(),
                    |(with, at)| format!("was over with {} at {}", spaced(with), hours.time_of(at)),
                );
                let was = expected_with.map_or_else(
                    || "that it stays open".to_owned(),
                    |with| format!("that it is over with {}", spaced(with)),
                );
                self.differ(format!("alarm {name} {is}, expected {was}"));
            }
        }
        Ok(())
    }

    fn order(
        &mut self,
        expected: &ExpectedOrder,
        hours: &Hours,
        told: &Told,
    ) -> Result<(), Failure> {
        let [from, until] = window(expected.told, hours)?;
        for door in &expected.doors {
            let found = told.orders.iter().enumerate().find(|(index, order)| {
                !self.orders.contains(index)
                    && order.door == *door
                    && (order.mode, order.slot, order.is_drill)
                        == (expected.mode, expected.slot, expected.is_drill)
                    && (from..=until).contains(&order.given_at)
            });
            if let Some((index, _)) = found {
                self.orders.insert(index);
                if let Some(order) = told.orders.get(index) {
                    self.until(order, expected, hours)?;
                }
                continue;
            }
            let others: Vec<String> = told
                .orders
                .iter()
                .filter(|order| order.door == *door)
                .map(|order| format!("{} at {}", order_words(order), hours.time_of(order.given_at)))
                .collect();
            let others = if others.is_empty() { "nothing".to_owned() } else { others.join("; ") };
            let by = expected
                .slot
                .map_or_else(|| "as it rests".to_owned(), |it| format!("by {}", spaced(it)));
            let drill = if expected.is_drill { ", drill" } else { "" };
            let [from, until] = expected.told;
            self.differ(format!(
                "door {door} was not told to be {} {by}{drill} from {from} to {until}; it was told {others}",
                spaced(expected.mode)
            ));
        }
        Ok(())
    }

    /// Until when it holds, if that was said.
    fn until(
        &mut self,
        order: &WireDoorOrder,
        expected: &ExpectedOrder,
        hours: &Hours,
    ) -> Result<(), Failure> {
        let Some(window) = expected.until else { return Ok(()) };
        let what = format!("door {} was told to be {} until", order.door, order_words(order));
        if let Some(until) = order.until {
            return self.moment(&what, until, window, hours);
        }
        let [from, until] = window;
        self.differ(format!("{what} further notice, expected from {from} to {until}"));
        Ok(())
    }

    fn moment(
        &mut self,
        what: &str,
        at: Timestamp,
        expected: [TimeOfDay; 2],
        hours: &Hours,
    ) -> Result<(), Failure> {
        let [from, until] = window(expected, hours)?;
        if !(from..=until).contains(&at) {
            let [from, until] = expected;
            let at = hours.time_of(at);
            self.differ(format!("{what} {at}, expected from {from} to {until}"));
        }
        Ok(())
    }
}

/// The last second is in it to its end.
fn window(times: [TimeOfDay; 2], hours: &Hours) -> Result<[Timestamp; 2], Failure> {
    let [from, until] = times;
    Ok([hours.at(from)?, hours.at(until)?.plus_ns(999_999_999)])
}
