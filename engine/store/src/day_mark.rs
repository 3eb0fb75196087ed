//! What the keyspace of a day says of itself. It is written in one piece with the rows it speaks of.

use ach_actors_model::{SourceRef, Timestamp};
use serde::{Deserialize, Serialize};

use crate::coding::{opened, sealed};
use crate::errors::Fault;
use crate::tables::Keyspace;
use crate::{Day, key};

/// The mark of a day: what it covers, and which day it follows. Days follow each other without a
/// gap, so that a day that went missing is noticed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayMark {
    /// The day.
    pub day: Day,
    /// The day before it that had an entry.
    pub follows: Option<Day>,
    /// The last entry before the day; everything after it is the day's or later.
    pub begins_after: u64,
    /// Everything of the day's entries up to this one is here.
    pub through: u64,
    /// Time of that entry.
    pub through_at: Timestamp,
    /// Nothing more will come: a later day has begun.
    pub is_over: bool,
    /// Hash of the effects of that entry: another entry of that number is of another journal.
    #[serde(default)]
    pub(crate) through_hash: u64,
    /// Pings of the day.
    pub ping_count: u64,
    /// When the earliest of them was measured, which may be days before.
    pub earliest_observed_at: Option<Timestamp>,
    /// How far each feed had come, so that what is sent again is kept once.
    pub(crate) lanes: Vec<LaneMark>,
    /// The last full hour whose presence was noted.
    pub(crate) hour_at: Timestamp,
    /// How far the clock of each feed was ahead when it was last compared.
    #[serde(default)]
    pub(crate) clock_offsets_ns: Vec<(SourceRef, i64)>,
}

/// How far a feed had come on its ping lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LaneMark {
    pub(crate) source: SourceRef,
    pub(crate) epoch: u32,
    pub(crate) through_seq: u64,
}

const KEY: &[u8] = &[key::MARK];

impl DayMark {
    /// The row.
    pub(crate) fn row(&self) -> Result<(Vec<u8>, Vec<u8>), Fault> {
        let text = serde_json::to_vec(self).map_err(|error| {
            Fault::damage(format!("the mark of {} cannot be told: {error}", self.day))
        })?;
        Ok((KEY.to_vec(), sealed(KEY, &text)))
    }

    /// Reads the mark of a day.
    pub(crate) fn read(day: Day, keyspace: &Keyspace) -> Result<DayMark, Fault> {
        let value = keyspace.get(KEY).map_err(Fault::of("read the mark of a day of"))?;
        DayMark::of_row(day, value.as_deref().unwrap_or_default())
    }

    /// The mark in the value of its row.
    pub(crate) fn of_row(day: Day, value: &[u8]) -> Result<DayMark, Fault> {
        let text = opened(KEY, value);
        let mark = text.and_then(|text| serde_json::from_slice::<DayMark>(text).ok());
        mark.filter(|mark| mark.day == day)
            .ok_or_else(|| Fault::damage(format!("{day} has no sound mark")))
    }
}
