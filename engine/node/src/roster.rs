//! Who is connected, so that there are never too many.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use ach_engine_net::Identity;

use crate::limits::NodeLimits;

/// All connections, handshakes included.
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

    /// A seat for a handshake, if there is one.
    pub(crate) fn seat(self: &Rc<Roster>) -> Option<Seat> {
        let mut seats = self.seats.borrow_mut();
        if seats.taken >= self.connections_max {
            return None;
        }
        seats.taken = seats.taken.saturating_add(1);
        Some(Seat { roster: self.clone(), identity: None })
    }
}

/// A seat. It is free again when this is dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    roster: Rc<Roster>,
    identity: Option<Identity>,
}

impl Seat {
    /// Says whose seat it is. False if that identity has too many.
    pub(crate) fn name(&mut self, identity: &Identity) -> bool {
        let mut seats = self.roster.seats.borrow_mut();
        let taken = seats.by_identity.entry(identity.clone()).or_default();
        if *taken >= self.roster.per_identity_max {
            return false;
        }
        *taken = taken.saturating_add(1);
        self.identity = Some(identity.clone());
        true
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut seats = self.roster.seats.borrow_mut();
        seats.taken = seats.taken.saturating_sub(1);
        if let Some(identity) = self.identity.take()
            && let Some(taken) = seats.by_identity.get_mut(&identity)
        {
            *taken = taken.saturating_sub(1);
            if *taken == 0 {
                seats.by_identity.remove(&identity);
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
            connections_per_identity_max: 1,
            ..NodeLimits::default()
        };
        let roster = Roster::new(&limits);
        let mut first = roster.seat().unwrap();
        let mut second = roster.seat().unwrap();
        let _third = roster.seat().unwrap();
        assert!(roster.seat().is_none());
        assert!(first.name(&identity("desk")));
        assert!(!second.name(&identity("desk")));
        drop(first);
        assert!(second.name(&identity("desk")));
        assert_eq!(roster.seats.borrow().taken, 2);
        assert!(roster.seat().is_some());
    }
}
