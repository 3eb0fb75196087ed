//! Which pings of an entry the shard decided on, told from the entries alone.
//!
//! The same rule as `Lanes` of the shard: an epoch must be in force, numbers go up, what is sent
//! again is seen, and a jump of more than [`SEQUENCE_WINDOW`] is refused. A test compares the counts
//! with those the shard gives.

use std::collections::BTreeMap;

use ach_actors_model::{PingBatch, SourceRef};
use ach_engine_shard::SEQUENCE_WINDOW;

use crate::day_mark::LaneMark;

#[derive(Debug, Clone, Copy, Default)]
struct Lane {
    epoch: u32,
    through_seq: u64,
}

/// How far each feed has come on its ping lane.
#[derive(Debug, Default)]
pub(super) struct Admission {
    lanes: BTreeMap<SourceRef, Lane>,
}

impl Admission {
    /// Goes on from a mark.
    pub(super) fn from_marks(marks: &[LaneMark]) -> Admission {
        let lane = |mark: &LaneMark| {
            (mark.source, Lane { epoch: mark.epoch, through_seq: mark.through_seq })
        };
        Admission { lanes: marks.iter().map(lane).collect() }
    }

    /// How far it has come.
    pub(super) fn marks(&self) -> Vec<LaneMark> {
        let mark = |(&source, lane): (&SourceRef, &Lane)| LaneMark {
            source,
            epoch: lane.epoch,
            through_seq: lane.through_seq,
        };
        self.lanes.iter().map(mark).collect()
    }

    /// A feed has come so far before history begins.
    pub(super) fn begin(&mut self, source: SourceRef, epoch: u32, through_seq: u64) {
        if epoch > 0 {
            self.lanes.insert(source, Lane { epoch, through_seq });
        }
    }

    /// A feed begins to count anew, if the epoch is greater than any it had.
    pub(super) fn open(&mut self, source: SourceRef, epoch: u32) {
        let lane = self.lanes.entry(source).or_default();
        if epoch > lane.epoch {
            *lane = Lane { epoch, through_seq: 0 };
        }
    }

    /// Up to which number a batch was seen before; `None` if none of it is decided on.
    pub(super) fn admit(&mut self, batch: &PingBatch) -> Option<u64> {
        let lane = self.lanes.get_mut(&batch.source)?;
        let PingBatch { epoch, first_seq, last_seq, .. } = *batch;
        let seen_through = lane.through_seq;
        let is_new = epoch > 0
            && epoch == lane.epoch
            && (1..=last_seq).contains(&first_seq)
            && last_seq > seen_through
            && last_seq - seen_through <= SEQUENCE_WINDOW;
        if is_new {
            lane.through_seq = last_seq;
        }
        is_new.then_some(seen_through)
    }
}
