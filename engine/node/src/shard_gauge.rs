//! The shard as operators see it: a few numbers, read once a second.

use std::sync::{Mutex, PoisonError};

use ach_engine_shard::Shard;

use crate::clock::SKEW_MAX_NS;

/// Numbers of a shard, as of its last heartbeat.
#[derive(Debug, Default)]
pub(crate) struct ShardGauge {
    numbers: Mutex<Numbers>,
}

#[derive(Debug, Default)]
struct Numbers {
    skew_ns: i64,
    named: Vec<(&'static str, u64)>,
}

impl ShardGauge {
    /// Reads the shard's numbers.
    pub(crate) fn read(&self, shard: &Shard, last_index: u64, skew_ns: i64) {
        let status = shard.status();
        let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        let named = vec![
            ("shard_last_index", last_index),
            ("shard_skew_ns", skew_ns.unsigned_abs()),
            ("shard_site_version", u64::from(status.site_version)),
            ("alarms_open", number(status.alarm_open_count)),
            ("things_quiet", number(status.quiet_count)),
            ("emergencies_running", number(status.emergency_count)),
            ("fires_told", number(status.fire_count)),
            ("door_words_dropped", status.door_words_dropped_count),
            ("subjects_on_leave", number(status.pass_count)),
            ("actors_quarantined", number(status.quarantined.len())),
            ("inputs_set_aside", status.set_aside_input_count),
            ("messages_set_aside", status.set_aside_message_count),
            ("cells_hot", number(status.hot_cell_count)),
            ("cells_cold", number(status.cold_cell_count)),
            ("deadlines_waiting", number(status.deadline_count)),
            ("shard_bytes_reserved", number(status.reserved_bytes)),
        ];
        let mut numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        *numbers = Numbers { skew_ns, named };
    }

    /// Whether shard time was further from UTC than it should be.
    pub(crate) fn is_skewed(&self) -> bool {
        let numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        numbers.skew_ns.unsigned_abs() > SKEW_MAX_NS
    }

    /// The numbers by name.
    pub(crate) fn named(&self) -> Vec<(&'static str, u64)> {
        self.numbers.lock().unwrap_or_else(PoisonError::into_inner).named.clone()
    }
}
