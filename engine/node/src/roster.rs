//! Who is connected, so that there are never too many.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use ach_engine_net::Identity;

use crate::limits::NodeLimits;

/// All sessions. Handshakes are none yet: whoever cannot finish one takes no seat, and how many are
/// under way the listener limits.
#[derive(Debug)]
pub(crate) struct Roster {
    connections_max: usize,
    per_identity_max: usize,
    seats: RefCell<Seats>,
}

#[derive(Debug, Default)]
struct Seats {
    taken: usize,
    by_identity: BTreeMap<Identity, usize>,
}

impl Roster {
    /// Nobody is connected.
    pub(crate) fn new(limits: &NodeLimits) -> Rc<Roster> {
        Rc::new(Roster {
            connections_max: limits.connections_max,
            per_identity_max: limits.connections_per_identity_max,
            seats: RefCell::default(),
        })
    }

    /// Whether every seat is taken.
    pub(crate) fn is_full(&self) -> bool {
        self.seats.borrow().taken >= self.connections_max
    }

    /// A seat, unless all are taken or this identity has too many.
    pub(crate) fn seat(self: &Rc<Roster>, identity: &Identity) -> Option<Seat> {
        if self.is_full() {
            return None;
        }
        let mut seats = self.seats.borrow_mut();
        let taken = seats.by_identity.get(identity).copied().unwrap_or(0);
        if taken >= self.per_identity_max {
            return None;
        }
        seats.by_identity.insert(identity.clone(), taken.saturating_add(1));
        seats.taken = seats.taken.saturating_add(1);
        Some(Seat { roster: self.clone(), identity: identity.clone() })
    }
}

/// A seat. It is free again when this is dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    roster: Rc<Roster>,
    identity: Identity,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut seats = self.roster.seats.borrow_mut();
        seats.taken = seats.taken.saturating_sub(1);
        if let Some(taken) = seats.by_identity.get_mut(&self.identity) {
            *taken = taken.saturating_sub(1);
            if *taken == 0 {
                seats.by_identity.remove(&self.identity);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use ach_actors_model::Name;
    use ach_engine_net::Role;

    use super::*;

    fn identity(text: &str) -> Identity {
        let name = |text| Name::new(text).unwrap();
        Identity { site: name("st-anna"), role: Role::Receiver, name: name(text) }
    }

    #[test]
    fn seats_are_limited_in_all_and_for_each_identity() {
        let limits = NodeLimits {
            connections_max: 3,
            connections_per_identity_max: 2,
            ..NodeLimits::default()
        };
        let roster = Roster::new(&limits);
        let first = roster.seat(&identity("desk")).unwrap();
        let _second = roster.seat(&identity("desk")).unwrap();
        assert!(roster.seat(&identity("desk")).is_none());
        assert!(!roster.is_full());
        let _third = roster.seat(&identity("ward")).unwrap();
        assert!(roster.is_full());
        assert!(roster.seat(&identity("gate")).is_none());
        drop(first);
        assert!(!roster.is_full());
        assert!(roster.seat(&identity("gate")).is_some());
        assert!(roster.seat(&identity("desk")).is_some());
        assert_eq!(roster.seats.borrow().taken, 2);
        assert_eq!(roster.seats.borrow().by_identity.len(), 2);
    }
}
