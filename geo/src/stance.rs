//! How a mover stands towards each watch it is in or seems to enter, in plain numbers: what a checkpoint
//! writes of an occupancy, whatever is open in it.

use crate::Occupancy;
use crate::membership::{Heard, Membership, NEVER_NS, Standing};
use crate::occupancy::INLINE_COUNT;

/// Where the parts of [`Stance::word`] begin, above the ordinal.
const FLAGS_SHIFT: u32 = 32;
const EVIDENCE_SHIFT: u32 = 40;
const BEYOND_SHIFT: u32 = 48;
const STANDING_SHIFT: u32 = 56;

/// One membership, good for the index the occupancy was used with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stance {
    /// The watch's place in the index, and all but the deadlines. Below `1 << 58`.
    pub word: u64,
    /// When a tolerance ends; [`Stance::NEVER_NS`] if none runs.
    pub tolerance_due_ns: u64,
    /// When a delayed exit is due; [`Stance::NEVER_NS`] if none is.
    pub delay_due_ns: u64,
}

impl Stance {
    /// A deadline that never comes.
    pub const NEVER_NS: u64 = NEVER_NS;
    /// How many an occupancy tells of.
    pub const COUNT_MAX: usize = INLINE_COUNT;

    #[inline]
    fn of(member: &Membership) -> Stance {
        let Membership { ordinal, flags, evidence, beyond, standing, .. } = *member;
        let standing = match standing {
            Standing::Inside => 0,
            Standing::Blurred => 1,
            Standing::Tolerated => 2,
            Standing::Beyond => 3,
        };
        let word = u64::from(ordinal)
            | u64::from(flags) << FLAGS_SHIFT
            | u64::from(evidence) << EVIDENCE_SHIFT
            | u64::from(beyond) << BEYOND_SHIFT
            | standing << STANDING_SHIFT;
        let Membership { tolerance_due_ns, delay_due_ns, .. } = *member;
        Stance { word, tolerance_due_ns, delay_due_ns }
    }

    /// None if the word is no stance's.
    fn membership(&self) -> Option<Membership> {
        let [o0, o1, o2, o3, flags, evidence, beyond, standing] = self.word.to_le_bytes();
        let standing = match standing {
            0 => Standing::Inside,
            1 => Standing::Blurred,
            2 => Standing::Tolerated,
            3 => Standing::Beyond,
            _ => return None,
        };
        let Stance { tolerance_due_ns, delay_due_ns, .. } = *self;
        let ordinal = u32::from_le_bytes([o0, o1, o2, o3]);
        Some(Membership {
            ordinal,
            flags,
            evidence,
            beyond,
            standing,
            tolerance_due_ns,
            delay_due_ns,
        })
    }
}

impl Occupancy {
    /// Its memberships, by ordinal; none of an occupancy in more than [`Stance::COUNT_MAX`] watches or
    /// with dwell deadlines. With [`heard_ns`](Occupancy::heard_ns) and
    /// [`next_due_ns`](Occupancy::next_due_ns) they are all that its answers depend on.
    #[inline]
    pub fn stances(&self) -> Option<impl ExactSizeIterator<Item = Stance> + '_> {
        let is_short = self.members().len() <= Stance::COUNT_MAX && !self.has_stays();
        is_short.then(|| self.members().iter().map(Stance::of))
    }

    /// The occupancy again, from what it told: when its last position was observed and received, when
    /// it is due next, and its stances, at most [`Stance::COUNT_MAX`]. None if one of them is none.
    pub fn of_stances(
        heard_ns: (u64, u64),
        next_due_ns: Option<u64>,
        stances: impl IntoIterator<Item = Stance>,
    ) -> Option<Occupancy> {
        let heard = Heard { observed_at_ns: heard_ns.0, received_at_ns: heard_ns.1 };
        let members = stances.into_iter().map(|stance| stance.membership());
        let members: Option<_> = members.collect();
        Some(Occupancy::standing(heard, next_due_ns.unwrap_or(NEVER_NS), members?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_membership_comes_back_as_it_was() {
        let standings =
            [Standing::Inside, Standing::Blurred, Standing::Tolerated, Standing::Beyond];
        for (number, standing) in (1_u8..).zip(standings) {
            let member = Membership {
                ordinal: u32::MAX - u32::from(number),
                flags: 255 - number,
                evidence: 3 * number,
                beyond: 7 * number,
                standing,
                tolerance_due_ns: if number == 2 { NEVER_NS } else { u64::from(number) },
                delay_due_ns: if number == 3 { NEVER_NS } else { u64::MAX - u64::from(number) },
            };
            let stance = Stance::of(&member);
            assert!(stance.word >> 58 == 0, "{stance:?}");
            assert_eq!(stance.membership(), Some(member));
        }
        let no_stance = Stance { word: 4 << STANDING_SHIFT, tolerance_due_ns: 0, delay_due_ns: 0 };
        assert_eq!(no_stance.membership(), None);
        assert!(Occupancy::of_stances((0, 0), None, [no_stance]).is_none());
    }
}
