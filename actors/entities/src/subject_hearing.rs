//! What nobody could have heard of a subject: its feed was silent, or a zone it is in was blind.

use crate::{SILENCE_RECHECK_NS, Subject, Turn};

impl Subject {
    /// Leaves out what nobody could have heard: a fence timeout goes by the listening clock of the
    /// feed and waits while a zone it is in is blind, and a stay is not too long by times at which
    /// the feed is known to be silent.
    pub(crate) fn excuse(&mut self, turn: &Turn<'_>) {
        let Some(fix) = self.fix else { return };
        let index = turn.site.index();
        if turn.site.tag_source(fix.tag).is_some_and(|source| turn.health.is_silent(source)) {
            let again_at = turn.now.plus_ns(SILENCE_RECHECK_NS);
            self.occupancy.hold_stays(index, turn.now.0, again_at.0);
        }
        if !self.occupancy.has_fence_timeout() {
            return;
        }
        let is_blind = turn.may_be_blind() && self.zones(turn.site).any(|zone| turn.is_blind(zone));
        let lag_ns = self.lag_ns(turn).saturating_sub(self.unheard_ns);
        let excused_ns = match lag_ns / SILENCE_RECHECK_NS {
            _ if is_blind => turn.now.since_ns(fix.received_at),
            _ if lag_ns == 0 => 0,
            // Rounded up, so that a clock that stands is looked at once a second and not oftener.
            whole => (whole + 1).saturating_mul(SILENCE_RECHECK_NS),
        };
        let (observed_at, received_at) = (fix.observed_at, fix.received_at);
        let moments = (observed_at.plus_ns(excused_ns), received_at.plus_ns(excused_ns));
        self.occupancy.hear_again(index, moments.0.0, moments.1.0);
    }

    /// Shard time less the listening clock of the feed it was last heard by.
    pub(crate) fn lag_ns(&self, turn: &Turn<'_>) -> u64 {
        let source = self.fix.and_then(|fix| turn.site.tag_source(fix.tag));
        let listened_ns = source.and_then(|source| turn.listened_ns(source));
        listened_ns.map_or(0, |listened_ns| turn.now.0.saturating_sub(listened_ns))
    }
}
