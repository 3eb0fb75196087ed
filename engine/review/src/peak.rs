//! The busiest stretch of a length.

use ach_actors_model::Timestamp;

/// The most alarms that were raised within a length of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peak {
    /// When the first of them was raised.
    pub from: Timestamp,
    /// How many.
    pub count: usize,
}

/// The first stretch of a length in which most were raised; moments ascend. A stretch has its first moment and not
/// its last.
pub(crate) fn peak(raised: &[Timestamp], length_ns: u64) -> Option<Peak> {
    let mut peak: Option<Peak> = None;
    let mut first = 0;
    for (number, &at) in raised.iter().enumerate() {
        while raised.get(first).is_some_and(|from| at.since_ns(*from) >= length_ns) {
            first += 1;
        }
        let count = number + 1 - first;
        if let Some(&from) = raised.get(first)
            && peak.is_none_or(|peak| count > peak.count)
        {
            peak = Some(Peak { from, count });
        }
    }
    peak
}
