//! Everything an operator may ask the numbers of.

use ach_actors_model::{AlarmKind, snake_case};

use crate::history_page;
use crate::rim::Rim;

/// Every number of a node by name.
pub(crate) fn counts(rim: &Rim) -> Vec<(String, u64)> {
    let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    let mut counts: Vec<(String, u64)> = Vec::new();
    let mut add = |name: &str, count: u64| counts.push((name.to_owned(), count));
    for (name, count) in rim.counters.read() {
        add(name, count);
    }
    for (name, count) in rim.gauge.named() {
        add(name, count);
    }
    add("handshakes_challenged", rim.listener.retried_count());
    add("handshakes_dropped", rim.listener.dropped_count());
    let [duress, door, ping] = rim.lanes.depths();
    add("lane_duress_depth", number(duress));
    add("lane_door_depth", number(door));
    add("lane_ping_depth", number(ping));
    add("outlet_depth", number(rim.outlet.depth()));
    add("durable_index", rim.mark.durable_index());
    add("backlog_bytes", rim.mark.backlog_bytes());
    add("is_storing", u64::from(rim.mark.is_storing()));
    if let Some(why) = rim.mark.stopped() {
        add(&format!("storing_stopped_{}", why.word()), 1);
    }
    for trouble in rim.mark.troubles() {
        add(&format!("journal_trouble_{}", trouble.word()), 1);
    }
    add("audit_size", rim.audit.size());
    let troubles = rim.audit.troubles();
    add("is_audit_sound", u64::from(troubles.is_empty()));
    for why in troubles {
        add(&format!("audit_trouble_{}", why.word()), 1);
    }
    let [unseen, overdue, _, displaying] = rim.counters.tally.unseen();
    add("alarms_unseen", unseen);
    add("alarms_unseen_overdue", overdue);
    add("receivers_displaying", displaying);
    add("is_display_expected", u64::from(rim.counters.tally.is_display_expected()));
    let [tested, good] = rim.counters.tally.selftest();
    add("is_selftest_good", u64::from(tested.0 > 0 && tested == good));
    if let Some(why) = rim.counters.tally.selftest_trouble() {
        add(&format!("selftest_trouble_{}", why.word()), 1);
    }
    add("is_clock_doubted", u64::from(rim.clock.is_doubted()));
    let history = &rim.counters.tally.history;
    add("is_history_on", u64::from(history.is_on()));
    if history.is_on() {
        let trouble = history.trouble();
        add("is_history_sound", u64::from(trouble.is_none()));
        if let Some(why) = trouble {
            add(&format!("history_trouble_{}", why.word()), 1);
        }
        let (entries, ns) = history.lag(rim.mark.durable_index(), rim.clock.now());
        add("history_lag_entries", entries);
        add("history_lag_ns", ns);
        for (name, _, value) in history_page::numbers(history) {
            add(name, value);
        }
    }
    let fan_out = rim.fan_out.borrow();
    let [alarms, events, positions] = fan_out.subscriber_counts();
    add("subscribers_alarms", number(alarms));
    add("subscribers_events", number(events));
    add("subscribers_positions", number(positions));
    add("alarms_open_told", number(fan_out.open_count()));
    for (kind, count) in rim.counters.tally.raised() {
        add(&format!("alarms_raised_{}", kind_word(kind)), count);
    }
    counts
}

/// A kind of alarm as files and metrics name it.
pub(crate) fn kind_word(kind: AlarmKind) -> String {
    snake_case(&format!("{kind:?}"))
}
