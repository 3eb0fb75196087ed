//! How fast what is over goes: at once, but a day an hour where the clock was doubted; and what waits for
//! whoever changes the holds.

use ach_actors_model::NS_PER_S;

use crate::retention::NotDropped;

/// Days that are dropped before anybody has said that they may are so far apart: whoever sees the first go, by a
/// clock that is wrong or on a disk that something else has filled, can still do something about it.
const DROP_APART_NS: u64 = 3_600 * NS_PER_S;

/// Somebody who has had the holds for so long hangs. An import of a whole hospital takes minutes.
const BUSY_MAX_NS: u64 = 3_600 * NS_PER_S;

/// When days went, and since when none could.
#[derive(Debug, Default)]
pub(crate) struct DropPace {
    last_at_ns: Option<u64>,
    busy_since_ns: Option<u64>,
}

impl DropPace {
    /// How many days may go now, if they go slowly.
    pub(crate) fn days_max(&self, is_slow: bool, now_ns: u64) -> usize {
        let is_soon = |at_ns: u64| now_ns.saturating_sub(at_ns) < DROP_APART_NS;
        let may_one = !self.last_at_ns.is_some_and(is_soon);
        if is_slow { usize::from(may_one) } else { usize::MAX }
    }

    /// Some went.
    pub(crate) fn has_dropped(&mut self, now_ns: u64) {
        self.last_at_ns = Some(now_ns);
    }

    /// Passes over that somebody changes the holds: it is looked again a minute later. Only after an hour
    /// something is wrong.
    ///
    /// # Errors
    ///
    /// Whatever else it was.
    pub(crate) fn bear<T: Default>(
        &mut self,
        dropped: Result<T, NotDropped>,
        now_ns: u64,
    ) -> Result<T, NotDropped> {
        match dropped {
            Err(busy @ NotDropped::Busy(_)) => {
                let since_ns = *self.busy_since_ns.get_or_insert(now_ns);
                if now_ns.saturating_sub(since_ns) >= BUSY_MAX_NS {
                    Err(busy)
                } else {
                    Ok(T::default())
                }
            }
            other => {
                self.busy_since_ns = None;
                other
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE_NS: u64 = 60 * NS_PER_S;

    #[test]
    fn slow_days_go_an_hour_apart() {
        let mut pace = DropPace::default();
        assert_eq!(pace.days_max(true, 5), 1);
        pace.has_dropped(5);
        assert_eq!(pace.days_max(true, DROP_APART_NS), 0);
        assert_eq!(pace.days_max(false, DROP_APART_NS), usize::MAX);
        assert_eq!(pace.days_max(true, DROP_APART_NS + 5), 1);
    }

    #[test]
    fn who_changes_the_holds_is_borne_with_for_an_hour() {
        let busy = || Err::<u64, _>(NotDropped::Busy("by another".to_owned()));
        let mut pace = DropPace::default();
        for minute in 10..70 {
            assert_eq!(pace.bear(busy(), minute * MINUTE_NS).unwrap(), 0, "minute {minute}");
        }
        assert!(matches!(pace.bear(busy(), 70 * MINUTE_NS), Err(NotDropped::Busy(_))));
        assert_eq!(pace.bear(Ok(3), 71 * MINUTE_NS).unwrap(), 3);
        assert_eq!(pace.bear(busy(), 200 * MINUTE_NS).unwrap(), 0, "somebody else");
        let holds = Err::<u64, _>(NotDropped::Holds("damaged".to_owned()));
        assert!(pace.bear(holds, 201 * MINUTE_NS).is_err());
    }
}
