//! An occupancy at rest, in a tenth of its size.

use crate::Occupancy;
use crate::membership::{Heard, Membership, NEVER_NS, Standing};
use crate::occupancy::INLINE_COUNT;
use serde::{Deserialize, Serialize};

/// No membership in this place.
const VACANT: u32 = u32::MAX;
/// Ordinals are below a million, so they leave the flags a byte.
const FLAG_BITS: u32 = 8;

/// The memberships of a mover of whom nothing is open: no evidence, no deadline. 16 bytes, good for
/// the index the occupancy was used with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Settled {
    members: [u32; INLINE_COUNT],
}

impl Occupancy {
    /// The occupancy in short, if nothing is open and it is in no more watches than fit.
    ///
    /// What [`wake`](Occupancy::wake) makes of it answers every position as this occupancy would;
    /// only the first answer comes from the index where this one might have used its safe box.
    pub fn settled(&self) -> Option<Settled> {
        if self.next_due_ns().is_some() || self.members().len() > INLINE_COUNT {
            return None;
        }
        let mut members = [VACANT; INLINE_COUNT];
        for (slot, member) in members.iter_mut().zip(self.members()) {
            let flags = member.resting_flags()?;
            if member.ordinal >> (u32::BITS - FLAG_BITS) != 0 {
                return None;
            }
            *slot = (member.ordinal << FLAG_BITS) | u32::from(flags);
        }
        Some(Settled { members })
    }

    /// The occupancy again. The two moments are those of the last position it was given, as
    /// [`heard_ns`](Occupancy::heard_ns) told them.
    pub fn wake(settled: &Settled, heard_ns: (u64, u64)) -> Occupancy {
        let members = settled.members.iter().filter(|word| **word != VACANT).map(|word| {
            let flags = u8::try_from(word & ((1 << FLAG_BITS) - 1)).unwrap_or(0);
            Membership::resting(word >> FLAG_BITS, flags)
        });
        let heard = Heard { observed_at_ns: heard_ns.0, received_at_ns: heard_ns.1 };
        Occupancy::standing(heard, NEVER_NS, members.collect())
    }
}

impl Settled {
    /// How many watches it may hold.
    pub const COUNT_MAX: usize = INLINE_COUNT;

    /// The memberships as numbers, none of them `u32::MAX`.
    pub fn numbers(&self) -> impl Iterator<Item = u32> + '_ {
        self.members.iter().copied().filter(|word| *word != VACANT)
    }

    /// From what [`numbers`](Settled::numbers) told, at most [`COUNT_MAX`](Settled::COUNT_MAX).
    pub fn of_numbers(numbers: impl IntoIterator<Item = u32>) -> Settled {
        let mut members = [VACANT; INLINE_COUNT];
        for (slot, number) in members.iter_mut().zip(numbers) {
            *slot = number;
        }
        Settled { members }
    }
}

impl Membership {
    /// The flags, if nothing else is worth keeping.
    fn resting_flags(&self) -> Option<u8> {
        let is_resting = self.is_in()
            && !self.is_suspected()
            && !self.has_evidence()
            && self.tolerance_due_ns == NEVER_NS
            && self.delay_due_ns == NEVER_NS;
        is_resting.then_some(self.flags)
    }

    fn resting(ordinal: u32, flags: u8) -> Membership {
        Membership {
            ordinal,
            flags,
            evidence: 0,
            beyond: 0,
            standing: Standing::Inside,
            tolerance_due_ns: NEVER_NS,
            delay_due_ns: NEVER_NS,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{Crossing, Gates, Observation, Outline, Position, Region, Watch, WatchIndex};

    /// Two rooms in a ward, one with a dwell gate: a walk told with and without a rest before each
    /// step must tell the same.
    #[test]
    fn a_rest_before_any_position_changes_nothing_that_is_told() {
        let square = |key: u32, west_mm: i32, east_mm: i32, gates: Gates| {
            let outer_mm = vec![(west_mm, 0), (east_mm, 0), (east_mm, 4_000), (west_mm, 4_000)];
            let outline = Outline::Polygon { outer_mm, holes_mm: Vec::new() };
            let region = Arc::new(Region::new(outline, None, None).expect("a square"));
            Watch { key, region, gates }
        };
        let tolerant = Gates { exit_tolerance_mm: 500, exit_delay_ns: 2, ..Gates::default() };
        let dwelling = Gates { dwell_ns: Some(3), ..Gates::default() };
        let watches = vec![
            square(5, 0, 8_000, tolerant),
            square(6, 0, 4_000, dwelling),
            square(7, 4_000, 8_000, Gates::default()),
        ];
        let index = WatchIndex::build(watches, Vec::new()).expect("sound watches");
        let (mut plain, mut rested) = (Occupancy::default(), Occupancy::default());
        let (mut told, mut told_rested): (Vec<Crossing>, Vec<Crossing>) = Default::default();
        let mut rest_count = 0;
        for step in 0..400_i32 {
            let at_ns = u64::from(step.unsigned_abs());
            // A walk to and fro over both rooms and out at both ends.
            let x_mm = (step * 700).rem_euclid(12_000) - 2_000;
            let position = Position { x_mm, y_mm: 2_000, z_mm: None, floor: None };
            let seen = Observation {
                position,
                accuracy_mm: 0,
                observed_at_ns: at_ns,
                received_at_ns: at_ns,
            };
            plain.observe(&index, &seen, &mut told);
            if let Some(settled) = rested.settled() {
                rested = Occupancy::wake(&settled, rested.heard_ns());
                rest_count += 1;
            }
            rested.observe(&index, &seen, &mut told_rested);
            assert_eq!(told, told_rested, "after step {step}");
        }
        assert!(rest_count > 50 && told.len() > 50, "{rest_count} rests, {} crossings", told.len());
    }
}
