//! Which ping of each tag is the newest that waits, so that it may give way to a newer one.
//!
//! ```text
//!   sent through        looked through       published through
//!   ... | waits, looked at | waits, not looked at |
//! ```
//!
//! A ping that can be sent soon is never looked at: it costs nothing. Only when so many wait that some may
//! have to give way is each looked at, once, in the order of their tickets, [`LOOK_BEHIND`] behind the last:
//! so as many at most are left to be looked at in the moment when there is no room.

use ach_engine_wire::WirePing;

use crate::LaneOutbox;

/// How many pings may wait without a look. A busy line has some 4,000 in it (what is made ready and what the
/// node's window takes); four times as many that wait mean that it stands. To look at them all takes 50 µs.
const LOOK_BEHIND: u64 = 16_384;

/// The latest ping of a tag that was looked at.
#[derive(Debug, Clone, Copy, Default)]
struct Newest {
    /// Its ticket; 0 for none.
    number: u64,
    /// When the position was measured that waits there, ns UTC.
    observed_at_ns: u64,
}

/// The latest pings by handle: handles count up from 0.
#[derive(Debug)]
pub(crate) struct NewestPings {
    by_handle: Vec<Newest>,
    looked_through: u64,
    /// How many may wait without a look.
    look_behind: u64,
}

impl Default for NewestPings {
    fn default() -> NewestPings {
        NewestPings::looking_behind(LOOK_BEHIND)
    }
}

impl NewestPings {
    /// Looks at what is so many pings behind the last.
    fn looking_behind(look_behind: u64) -> NewestPings {
        NewestPings { by_handle: Vec::new(), looked_through: 0, look_behind }
    }

    /// A ping was published. If many wait, looks at one of them.
    pub(crate) fn keep_up(&mut self, outbox: &LaneOutbox<WirePing>) {
        let number = self.next_unlooked(outbox);
        let behind = outbox.progress().published_through.checked_sub(number);
        if behind.is_some_and(|behind| behind >= self.look_behind) {
            self.look_at(number, outbox);
        }
    }

    /// Lets the older of two pings of a tag give way, the one that waits to be sent and the one that came.
    /// Gives the ticket that both have; `None` if nothing of the tag waits.
    pub(crate) fn give_way(
        &mut self,
        outbox: &mut LaneOutbox<WirePing>,
        newer: &WirePing,
        observed_at_ns: u64,
    ) -> Option<u64> {
        for number in self.next_unlooked(outbox)..=outbox.progress().published_through {
            self.look_at(number, outbox);
        }
        let waiting = self.by_handle.get_mut(usize::try_from(newer.handle()).ok()?)?;
        let is_newer = observed_at_ns >= waiting.observed_at_ns;
        let has_waited = outbox.give_way(waiting.number, is_newer.then_some(*newer));
        if has_waited && is_newer {
            waiting.observed_at_ns = observed_at_ns;
        }
        has_waited.then_some(waiting.number)
    }

    /// What was sent needs no look any more.
    fn next_unlooked(&self, outbox: &LaneOutbox<WirePing>) -> u64 {
        self.looked_through.max(outbox.sent_through()).saturating_add(1)
    }

    fn look_at(&mut self, number: u64, outbox: &LaneOutbox<WirePing>) {
        self.looked_through = number;
        let Some(ping) = outbox.unsent(number) else { return };
        let Ok(place) = usize::try_from(ping.handle()) else { return };
        if place >= self.by_handle.len() {
            self.by_handle.resize(place.saturating_add(1), Newest::default());
        }
        if let Some(newest) = self.by_handle.get_mut(place) {
            // Of a ping that cannot be read anything is newer: the node would refuse it.
            let observed_at_ns = ping.reading().map_or(0, |reading| reading.observed_at.0);
            *newest = Newest { number, observed_at_ns };
        }
    }
}

#[cfg(test)]
mod tests;
