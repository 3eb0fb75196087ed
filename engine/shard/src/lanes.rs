//! How far every source has come, and what a sequence number that arrives means.

use ach_actors_model::{Lane, SourceRef};
use serde::{Deserialize, Serialize};

/// How far ahead of what was decided a sequence number may lie. A million inputs are two seconds
/// of the fastest feed one node is built for (500,000 pings a second); a feed that jumps further
/// has lost count, and believing it would make everything it sends from then on a duplicate.
pub const SEQUENCE_WINDOW: u64 = 1 << 20;

/// How far a source has come on one lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LaneState {
    /// The epoch in force; 0 before the first.
    pub epoch: u32,
    /// Every sequence number up to this one has been decided on; numbers start at 1.
    pub accepted_through: u64,
}

/// What is to be done with a run of sequence numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admission {
    /// Numbers up to `seen_through` were decided on before, the rest are new.
    New { seen_through: u64 },
    /// All of them were decided on before.
    Seen,
    /// Another epoch is in force, or the run is empty, starts at 0, or lies beyond the window.
    Refused,
}

/// The three lanes on which sources speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Row {
    /// Whether the source is in the site in force.
    is_live: bool,
    epoch: u32,
    duress_through: u64,
    door_through: u64,
    ping_through: u64,
}

impl Row {
    fn through(&self, lane: Lane) -> u64 {
        match lane {
            Lane::Duress => self.duress_through,
            Lane::Door => self.door_through,
            Lane::Ping => self.ping_through,
            Lane::Audit | Lane::Console => 0,
        }
    }
}

/// All sources' lanes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Lanes {
    rows: Vec<Row>,
}

impl Lanes {
    /// Takes over which sources there are: one flag for each, false for a removed one. A row is
    /// never taken away, so a source that comes back goes on where it was.
    pub(crate) fn seat(&mut self, are_live: impl Iterator<Item = bool>) {
        for (at, is_live) in are_live.enumerate() {
            if at == self.rows.len() {
                self.rows.push(Row::default());
            }
            if let Some(row) = self.rows.get_mut(at) {
                row.is_live = is_live;
            }
        }
    }

    /// Begins a new epoch, in which all lanes count from 1. False if the source is unknown or has
    /// had that epoch or a later one.
    pub(crate) fn open(&mut self, source: SourceRef, epoch: u32) -> bool {
        match self.rows.get_mut(source.index()) {
            Some(row) if row.is_live && epoch > row.epoch => {
                *row = Row { is_live: true, epoch, ..Row::default() };
                true
            }
            _ => false,
        }
    }

    /// What `first..=last` means. Changes nothing.
    pub(crate) fn admit(
        &self,
        source: SourceRef,
        lane: Lane,
        epoch: u32,
        (first, last): (u64, u64),
    ) -> Admission {
        let Some(row) = self.rows.get(source.index()) else { return Admission::Refused };
        let is_spoken_on = matches!(lane, Lane::Duress | Lane::Door | Lane::Ping);
        if !is_spoken_on
            || !row.is_live
            || epoch == 0
            || epoch != row.epoch
            || first == 0
            || first > last
        {
            return Admission::Refused;
        }
        let through = row.through(lane);
        if last <= through {
            Admission::Seen
        } else if last - through > SEQUENCE_WINDOW {
            Admission::Refused
        } else {
            Admission::New { seen_through: through }
        }
    }

    /// Everything up to `through` has been decided on.
    pub(crate) fn advance(&mut self, source: SourceRef, lane: Lane, through: u64) {
        let Some(row) = self.rows.get_mut(source.index()) else { return };
        let place = match lane {
            Lane::Duress => &mut row.duress_through,
            Lane::Door => &mut row.door_through,
            Lane::Ping => &mut row.ping_through,
            Lane::Audit | Lane::Console => return,
        };
        *place = (*place).max(through);
    }

    /// How far a source has come on a lane.
    pub(crate) fn state(&self, source: SourceRef, lane: Lane) -> LaneState {
        self.rows.get(source.index()).map_or_else(LaneState::default, |row| LaneState {
            epoch: row.epoch,
            accepted_through: row.through(lane),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FEED: SourceRef = SourceRef(1);

    /// A feed in epoch 3 that has been decided on through 100 on its ping lane.
    fn lanes() -> Lanes {
        let mut lanes = Lanes::default();
        lanes.seat([true, true].into_iter());
        assert!(lanes.open(FEED, 3));
        lanes.advance(FEED, Lane::Ping, 100);
        lanes
    }

    #[track_caller]
    fn check(epoch: u32, first: u64, last: u64, expected: Admission) {
        let actual = lanes().admit(FEED, Lane::Ping, epoch, (first, last));
        assert_eq!(actual, expected, "epoch {epoch}, {first}..={last}");
    }

    #[test]
    fn a_run_is_new_seen_or_refused() {
        let new = Admission::New { seen_through: 100 };
        check(3, 101, 164, new);
        check(3, 90, 110, new);
        check(3, 200, 210, new);
        check(3, 1, 100, Admission::Seen);
        check(3, 100, 100, Admission::Seen);
        check(3, 101, 100 + SEQUENCE_WINDOW, new);
        check(3, 101, 101 + SEQUENCE_WINDOW, Admission::Refused);
        check(3, u64::MAX, u64::MAX, Admission::Refused);
        check(3, 0, 5, Admission::Refused);
        check(3, 102, 101, Admission::Refused);
        check(2, 101, 101, Admission::Refused);
        check(4, 101, 101, Admission::Refused);
        check(0, 101, 101, Admission::Refused);
    }

    #[test]
    fn lanes_count_apart_and_an_epoch_begins_them_all_anew() {
        let mut lanes = lanes();
        assert_eq!(lanes.state(FEED, Lane::Duress), LaneState { epoch: 3, accepted_through: 0 });
        lanes.advance(FEED, Lane::Door, 7);
        lanes.advance(FEED, Lane::Door, 5);
        assert_eq!(lanes.state(FEED, Lane::Door).accepted_through, 7, "never back");
        assert!(!lanes.open(FEED, 3));
        assert!(!lanes.open(FEED, 2));
        assert_eq!(lanes.state(FEED, Lane::Ping).accepted_through, 100);
        assert!(lanes.open(FEED, 9));
        assert_eq!(lanes.state(FEED, Lane::Ping), LaneState { epoch: 9, accepted_through: 0 });
        assert!(!lanes.open(SourceRef(2), 1), "an unknown feed has no epoch");
    }

    #[test]
    fn a_removed_source_is_refused_until_it_comes_back() {
        let mut lanes = lanes();
        lanes.seat([true, false].into_iter());
        assert!(!lanes.open(FEED, 4));
        assert_eq!(lanes.admit(FEED, Lane::Ping, 3, (101, 101)), Admission::Refused);
        lanes.seat([true, true, true].into_iter());
        let new = Admission::New { seen_through: 100 };
        assert_eq!(lanes.admit(FEED, Lane::Ping, 3, (101, 101)), new);
    }

    #[test]
    fn nobody_speaks_on_the_other_lanes() {
        let mut lanes = lanes();
        lanes.advance(FEED, Lane::Console, 5);
        assert_eq!(lanes.admit(FEED, Lane::Console, 3, (1, 1)), Admission::Refused);
        assert_eq!(lanes.admit(SourceRef(7), Lane::Ping, 3, (1, 1)), Admission::Refused);
        assert_eq!(lanes.state(SourceRef(7), Lane::Ping), LaneState::default());
    }
}
