//! Lengths of time, and where most of them lie.

/// What some lengths of time were like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lengths {
    /// How many.
    pub count: usize,
    /// The shortest that half of them do not exceed.
    pub median_ns: u64,
    /// The shortest that 95 of a hundred do not exceed.
    pub p95_ns: u64,
    /// The longest.
    pub max_ns: u64,
}

impl Lengths {
    /// Of none there is nothing to say.
    pub(crate) fn of(mut all: Vec<u64>) -> Option<Lengths> {
        all.sort_unstable();
        Some(Lengths {
            count: all.len(),
            median_ns: rank(&all, 50)?,
            p95_ns: rank(&all, 95)?,
            max_ns: *all.last()?,
        })
    }
}

/// The nearest rank: one of the lengths themselves, and nothing between two.
fn rank(ascending: &[u64], percent: usize) -> Option<u64> {
    let place = ascending.len().saturating_mul(percent).div_ceil(100);
    ascending.get(place.checked_sub(1)?).copied()
}
