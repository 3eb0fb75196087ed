//! Whether a door is heard: what its system says of it, and how long it has said nothing.
//!
//! Every report of a door is a sign of life. Its silence, like a tag's, is measured on the listening
//! clock of its feed, so neither the node's own outages nor a feed that has stopped count against it.

use ach_actors_model::{DoorRef, EntityRef, Timestamp};
use serde::{Deserialize, Serialize};

use crate::call_back::CallBack;
use crate::switch::Switch;
use crate::{Arrival, DeadlineKind, Outbox, SILENCE_RECHECK_NS, Site, Turn, Verdict};

/// The signs of life of one door.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct DoorLife {
    /// On while it is said to be lost.
    loss: Switch,
    /// Its feed's listening clock at its last sign of life; `None` before the first.
    heard_ns: Option<u64>,
    /// The look that is ordered.
    look: CallBack,
}

impl DoorLife {
    /// Its system says that it works.
    pub(crate) fn report_alive(&mut self, arrival: &Arrival) -> Verdict {
        self.loss.report(false, arrival)
    }

    /// Its system has lost it.
    pub(crate) fn report_lost(&mut self, arrival: &Arrival) -> Verdict {
        self.loss.report(true, arrival)
    }

    /// A sign of life. One that is older than the word that the door is lost ends a silence, but does
    /// not take that word back.
    pub(crate) fn hear(&mut self, me: DoorRef, happened_at: Timestamp, turn: &Turn<'_>) {
        self.loss.infer(false, happened_at);
        self.heard_ns = listened_ns(me, turn);
    }

    /// Whether it has ever given a sign of life.
    pub(crate) fn was_heard(&self) -> bool {
        self.heard_ns.is_some()
    }

    /// Whether this is the look that was ordered; it is then over.
    pub(crate) fn take_look(&mut self, due_at: Timestamp) -> bool {
        self.look.take(due_at)
    }

    /// How long it may go on saying nothing before it has been silent for `after_ns`; `None` if it is
    /// lost for a rule that lets it be silent for so long. Of a door that was never heard nothing is
    /// expected.
    pub(crate) fn left_ns(&self, me: DoorRef, after_ns: u64, turn: &Turn<'_>) -> Option<u64> {
        if self.loss.is_on() == Some(true) {
            return None;
        }
        let (Some(heard_ns), Some(listened_ns)) = (self.heard_ns, listened_ns(me, turn)) else {
            return Some(u64::MAX);
        };
        let silent_ns = listened_ns.saturating_sub(heard_ns);
        after_ns.checked_sub(silent_ns).filter(|&left_ns| left_ns > 0)
    }

    /// Orders the look at which the silence may be over.
    pub(crate) fn look_in(&mut self, me: DoorRef, left_ns: u64, turn: &Turn<'_>, out: &mut Outbox) {
        if left_ns == u64::MAX {
            return;
        }
        // The clock of a feed that is watched goes on when it is heard: soon, if it was just now, and
        // the later the longer it has said nothing.
        let source = turn.site.door_source(me);
        let gap_ns = source.map_or(0, |source| turn.unheard_ns(source));
        let left_ns = left_ns.max(gap_ns.min(SILENCE_RECHECK_NS));
        let due_at = turn.now.plus_ns(left_ns);
        self.look.order_for(DeadlineKind::Silence, Some(due_at), EntityRef::Door(me), out);
    }

    /// Another version of the site is in force instead of `old`: the silence so far goes on if it is
    /// measured as before.
    pub(crate) fn change_site(&mut self, me: DoorRef, old: &Site, turn: &Turn<'_>) {
        let clock = |site: &Site| {
            let source = site.door_source(me)?;
            Some((source, site.source_plan(source)?.silence_ns.is_some()))
        };
        if self.heard_ns.is_some() && clock(old) != clock(turn.site) {
            self.heard_ns = listened_ns(me, turn);
        }
    }
}

/// The listening clock of its feed.
fn listened_ns(me: DoorRef, turn: &Turn<'_>) -> Option<u64> {
    turn.listened_ns(turn.site.door_source(me)?)
}
