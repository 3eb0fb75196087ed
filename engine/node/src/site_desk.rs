//! Where versions of the site are handed in: one at a time.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};
use std::time::Duration;

use ach_engine_wire::SiteDigest;
use tokio::time::Instant;

/// How long an operator has to send a site: 40 MB of the largest site we know of take some seconds on
/// a slow network.
pub(crate) const OFFER_WITHIN: Duration = Duration::from_mins(1);

/// Whose turn it is.
#[derive(Debug, Clone, Copy)]
struct Turn {
    number: u64,
    /// Until when all of the site must be here; none once it is, and is judged.
    until: Option<Instant>,
}

/// The desk.
#[derive(Debug)]
pub(crate) struct SiteDesk {
    known: Cell<(u32, Option<SiteDigest>)>,
    turn: Rc<Cell<Option<Turn>>>,
    numbers: Cell<u64>,
    /// What has come in the last turn.
    come: RefCell<Weak<RefCell<Vec<u8>>>>,
}

impl SiteDesk {
    /// A desk at which nobody is, with this version in force.
    pub(crate) fn new(version: u32, digest: Option<SiteDigest>) -> SiteDesk {
        let known = Cell::new((version, digest));
        SiteDesk { known, turn: Rc::default(), numbers: Cell::new(0), come: RefCell::default() }
    }

    /// The digest of a version, if it is known of it.
    pub(crate) fn digest(&self, version: u32) -> Option<SiteDigest> {
        let (known, digest) = self.known.get();
        digest.filter(|_| known == version)
    }

    /// A version with this digest came into force.
    pub(crate) fn put(&self, version: u32, digest: SiteDigest) {
        self.known.set((version, Some(digest)));
    }

    /// Begins a turn, if nobody has one, or whoever has one was too slow.
    pub(crate) fn begin(&self, now: Instant) -> Option<DeskTurn> {
        if self.turn.get().is_some_and(|turn| turn.until.is_none_or(|until| now < until)) {
            return None;
        }
        let number = self.numbers.get().wrapping_add(1);
        self.numbers.set(number);
        self.turn.set(Some(Turn { number, until: Some(now + OFFER_WITHIN) }));
        let come = Rc::new(RefCell::new(Vec::new()));
        // Nobody needs what came from one that was too slow, and its session may stay for long.
        if let Some(slow) = self.come.replace(Rc::downgrade(&come)).upgrade() {
            slow.take();
        }
        Some(DeskTurn { number, turn: self.turn.clone(), come })
    }
}

/// A turn at the desk; over when it is dropped.
#[derive(Debug)]
pub(crate) struct DeskTurn {
    number: u64,
    turn: Rc<Cell<Option<Turn>>>,
    come: Rc<RefCell<Vec<u8>>>,
}

impl DeskTurn {
    /// How many bytes of the site have come.
    pub(crate) fn byte_count(&self) -> usize {
        self.come.borrow().len()
    }

    /// Some more have.
    pub(crate) fn add(&self, bytes: &[u8]) {
        self.come.borrow_mut().extend_from_slice(bytes);
    }

    /// Takes all that have.
    pub(crate) fn take(&self) -> Vec<u8> {
        self.come.take()
    }

    /// All of the site is here: from now on nobody can take the turn. False if somebody has.
    pub(crate) fn keep(&self) -> bool {
        let is_its = self.is_its();
        if is_its {
            self.turn.set(Some(Turn { number: self.number, until: None }));
        }
        is_its
    }

    /// Whether it is still this one's turn.
    pub(crate) fn is_its(&self) -> bool {
        self.turn.get().is_some_and(|turn| turn.number == self.number)
    }
}

impl Drop for DeskTurn {
    fn drop(&mut self) {
        if self.is_its() {
            self.turn.set(None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_and_the_slow_give_way() {
        let desk = SiteDesk::new(3, Some(SiteDigest(7)));
        let now = Instant::now();
        let slow = desk.begin(now).unwrap();
        assert!(desk.begin(now + OFFER_WITHIN / 2).is_none());
        slow.add(b"half");
        let next = desk.begin(now + OFFER_WITHIN).unwrap();
        assert_eq!(slow.byte_count(), 0, "its bytes are let go, also while its session stays");
        next.add(b"all");
        assert!(!slow.keep() && next.keep());
        assert_eq!(next.take(), b"all");
        drop(slow);
        assert!(desk.begin(now + OFFER_WITHIN * 3).is_none(), "what is judged is not pushed aside");
        drop(next);
        assert!(desk.begin(now + OFFER_WITHIN * 3).is_some());
    }

    #[test]
    fn a_digest_is_of_one_version() {
        let desk = SiteDesk::new(3, Some(SiteDigest(7)));
        assert_eq!((desk.digest(3), desk.digest(4)), (Some(SiteDigest(7)), None));
        desk.put(4, SiteDigest(8));
        assert_eq!((desk.digest(3), desk.digest(4)), (None, Some(SiteDigest(8))));
    }
}
