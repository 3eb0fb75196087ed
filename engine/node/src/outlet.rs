//! What leaves the shard: a ring of effects from its thread to the publisher.
//!
//! Nothing that matters is ever lost here. When the ring is full, events and positions are left out
//! and counted; alarms, acks and the like spill over into a list of the shard's own, and as long
//! as that is not empty the shard takes no pings.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Waker;

use ach_actors_entities::{Effect, Site};
use ach_actors_model::{Fix, WishRefusal};
use ach_engine_shard::QuietThing;
use atomic_waker::AtomicWaker;
use crossbeam::queue::ArrayQueue;

/// Things in the ring. An entry of 256 pings has some 3 to 300 effects; 16,384 of some 250 bytes
/// are 4 MiB and more than a publisher leaves lying while the shard works for 20 ms.
const RING_MAX: usize = 16_384;

/// Below this much room events and positions are left out, so that alarms find room.
const RESERVE: usize = RING_MAX / 4;

/// One thing for the publisher.
#[derive(Debug, Clone)]
pub(crate) enum Outbound {
    /// An effect of an entry.
    Effect {
        /// The entry.
        index: u64,
        /// The effect's place in it.
        ordinal: u32,
        /// What.
        effect: Effect,
    },
    /// An input that somebody waits for was in this entry.
    Stepped {
        /// The entry.
        index: u64,
        /// Who waits.
        ticket: u64,
        /// Why nothing came of the input, if it was a wish and nothing did.
        refusal: Option<WishRefusal>,
    },
    /// From here on refs mean this site.
    Site(Arc<Site>),
    /// Where tags are now.
    Fixes(Vec<Fix>),
    /// All that is quiet now.
    Quiet(Vec<QuietThing>),
    /// UTC less shard time in nanoseconds, when that has become too much; 0 when it no longer is.
    Skewed(i64),
}

impl Outbound {
    fn may_be_left_out(&self) -> bool {
        matches!(self, Outbound::Fixes(_) | Outbound::Effect { effect: Effect::Event(_), .. })
    }
}

/// The ring, seen from both sides.
#[derive(Debug)]
pub(crate) struct Outlet {
    ring: ArrayQueue<Outbound>,
    publisher: AtomicWaker,
    wants_fixes: AtomicBool,
}

impl Outlet {
    /// An empty ring.
    pub(crate) fn new() -> Outlet {
        Outlet::with_capacity(RING_MAX)
    }

    fn with_capacity(ring_max: usize) -> Outlet {
        Outlet {
            ring: ArrayQueue::new(ring_max),
            publisher: AtomicWaker::new(),
            wants_fixes: AtomicBool::new(false),
        }
    }

    /// The next thing, on the publisher's side.
    pub(crate) fn pop(&self) -> Option<Outbound> {
        self.ring.pop()
    }

    /// Who is woken when something comes. The caller looks once more after it has registered.
    pub(crate) fn register_publisher(&self, waker: &Waker) {
        self.publisher.register(waker);
    }

    /// Wakes the publisher.
    pub(crate) fn wake_publisher(&self) {
        self.publisher.wake();
    }

    /// Whether positions are to be sent.
    pub(crate) fn wants_fixes(&self) -> bool {
        self.wants_fixes.load(Ordering::Relaxed)
    }

    /// Says whether positions are to be sent.
    pub(crate) fn want_fixes(&self, wanted: bool) {
        self.wants_fixes.store(wanted, Ordering::Relaxed);
    }

    /// How much is in the ring.
    pub(crate) fn depth(&self) -> usize {
        self.ring.len()
    }
}

/// The shard's side of the ring.
#[derive(Debug)]
pub(crate) struct Spout {
    outlet: Arc<Outlet>,
    spill: VecDeque<Outbound>,
    /// Whether something was sent that the publisher was not woken for.
    has_news: bool,
}

impl Spout {
    /// Writes into `outlet`. There is one spout an outlet.
    pub(crate) fn new(outlet: Arc<Outlet>) -> Spout {
        Spout { outlet, spill: VecDeque::new(), has_news: false }
    }

    /// Sends, or leaves out what may be left out when there is little room. Says whether it was
    /// sent.
    pub(crate) fn send(&mut self, outbound: Outbound) -> bool {
        if outbound.may_be_left_out() {
            let reserve = RESERVE.min(self.outlet.ring.capacity() / 4);
            let room = self.outlet.ring.capacity().saturating_sub(self.outlet.ring.len());
            if room <= reserve || !self.spill.is_empty() {
                return false;
            }
        }
        self.has_news = true;
        if self.spill.is_empty() {
            match self.outlet.ring.push(outbound) {
                Ok(()) => return true,
                Err(back) => self.spill.push_back(back),
            }
        } else {
            self.spill.push_back(outbound);
        }
        true
    }

    /// Moves what has spilled over back into the ring and wakes the publisher if there is anything
    /// for it. True when nothing is left over.
    pub(crate) fn flush(&mut self) -> bool {
        if !self.has_news && self.spill.is_empty() {
            return true;
        }
        self.has_news = false;
        while let Some(outbound) = self.spill.pop_front() {
            if let Err(back) = self.outlet.ring.push(outbound) {
                self.spill.push_front(back);
                break;
            }
        }
        self.outlet.wake_publisher();
        self.spill.is_empty()
    }

    /// Whether positions are to be sent.
    pub(crate) fn wants_fixes(&self) -> bool {
        self.outlet.wants_fixes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stepped(index: u64) -> Outbound {
        Outbound::Stepped { index, ticket: 0, refusal: None }
    }

    fn indexes(outlet: &Outlet) -> Vec<u64> {
        std::iter::from_fn(|| outlet.pop())
            .map(|outbound| match outbound {
                Outbound::Stepped { index, .. } => index,
                other => panic!("{other:?}"),
            })
            .collect()
    }

    #[test]
    fn what_finds_no_room_spills_over_and_comes_in_order() {
        let outlet = Arc::new(Outlet::with_capacity(4));
        let mut spout = Spout::new(outlet.clone());
        for index in 1..=10 {
            assert!(spout.send(stepped(index)));
        }
        assert!(!spout.spill.is_empty());
        let mut told = Vec::new();
        while !spout.flush() || outlet.depth() > 0 {
            told.extend(indexes(&outlet));
        }
        assert_eq!(told, (1..=10).collect::<Vec<u64>>());
    }

    #[test]
    fn positions_are_left_out_before_the_ring_is_full() {
        let outlet = Arc::new(Outlet::with_capacity(8));
        let mut spout = Spout::new(outlet.clone());
        let sent = (0..8).filter(|_| spout.send(Outbound::Fixes(Vec::new()))).count();
        assert_eq!(sent, 6);
        assert!(spout.send(stepped(1)));
        assert!(spout.send(stepped(2)));
        assert_eq!(outlet.depth(), 8);
        assert!(spout.spill.is_empty());
    }
}
