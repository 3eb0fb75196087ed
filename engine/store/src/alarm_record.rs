//! What became of an alarm, as it is kept to be explained.

use ach_actors_model::{AlarmNotice, AlarmTransition, Cause, Lane, Ping, Report, Timestamp};
use ach_engine_shard::Input;
use serde::{Deserialize, Serialize};

use crate::coding::{opened, sealed};
use crate::errors::Fault;
use crate::key;
use crate::rows::Rows;

/// One change of one alarm with its evidence: what opened it, the gates it passed, the rule and the
/// version of the site it was read from, when it was observed, received and told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlarmRecord {
    /// The entry that changed it.
    pub index: u64,
    /// Which effect of that entry.
    pub ordinal: u16,
    /// What was told.
    pub notice: AlarmNotice,
    /// How far the clock of the feed it came from was ahead of the node's when they were last
    /// compared; `None` if they never were, or it came from no feed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_offset_ns: Option<i64>,
    /// What was heard with that entry and caused it; `None` if it was a deadline or a change of the
    /// site, or was heard with an earlier entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<AlarmInput>,
}

/// What was heard, as the session decoded it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum AlarmInput {
    /// A position.
    Ping {
        /// What was reported of the tag.
        ping: Ping,
        /// When the session had decoded it.
        received_at: Timestamp,
    },
    /// A door, button, band or anchor.
    Report(Report),
}

impl AlarmInput {
    /// The input a change names as its cause.
    pub(crate) fn of(notice: &AlarmNotice, inputs: &[Input]) -> Option<AlarmInput> {
        let Cause::Input { source, lane, epoch, seq } = notice.cause else { return None };
        inputs.iter().find_map(|input| match input {
            Input::Pings(batch)
                if lane == Lane::Ping && (batch.source, batch.epoch) == (source, epoch) =>
            {
                let offset = u32::try_from(seq.checked_sub(batch.first_seq)?).ok()?;
                let ping = batch.pings.iter().find(|ping| ping.seq_offset == offset)?;
                Some(AlarmInput::Ping { ping: *ping, received_at: batch.received_at })
            }
            Input::Report(report)
                if (report.source, report.lane, report.epoch, report.seq)
                    == (source, lane, epoch, seq) =>
            {
                Some(AlarmInput::Report(*report))
            }
            _ => None,
        })
    }
}

impl AlarmRecord {
    /// Keeps it, by alarm and by time. Alarms are few and the record is what people are judged by: it
    /// is text, so that later versions can add to it.
    pub(crate) fn put(&self, rows: &mut Rows) -> Result<(), Fault> {
        let key = key::alarm(self.notice.id, self.index, self.ordinal);
        let text = serde_json::to_vec(self)
            .map_err(|error| Fault::damage(format!("an alarm cannot be told: {error}")))?;
        let value = sealed(&key, &text);
        rows.insert(key, value);
        let at = key::alarm_at(self.notice.changed_at, self.notice.id, self.index, self.ordinal);
        rows.insert(at, vec![u8::from(self.notice.transition == AlarmTransition::Raised)]);
        Ok(())
    }

    /// Reads it.
    pub(crate) fn read(key: &[u8], value: &[u8]) -> Result<AlarmRecord, Fault> {
        let record = opened(key, value).and_then(|text| serde_json::from_slice(text).ok());
        record.ok_or_else(|| Fault::damage("a record of an alarm"))
    }
}
