//! The short way of a fix: most change nothing but where the subject is, and need no copy to undo them.

use crate::meeting::{located, passes_by};
use crate::subject::{is_next, observation};
use crate::{HealthChange, PlainPing, Subject, Turn};

/// What came of a fix that was tried on the short way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Followed {
    /// Nothing was done.
    Not,
    /// The subject is there now, and nothing else comes of it.
    Quietly,
    /// The same, and others find it there.
    Seen(HealthChange),
}

impl Subject {
    /// Takes a fix that plainly changes nothing but where the subject is. Otherwise nothing
    /// was done, and [`step`](Subject::step) is to be asked.
    ///
    /// Two pings of three are such. Nothing comes of it, and it cannot fail once it has begun, so
    /// its caller need not be able to undo it.
    #[inline]
    pub fn follow_quietly(&mut self, plain: &PlainPing, turn: &Turn<'_>) -> Followed {
        let PlainPing { subject, fix, kept_apart_by, .. } = plain;
        let mut followed = Followed::Quietly;
        // The dearest question is the last: whoever takes the long way is asked it there.
        let meets_nobody = || {
            let Some(rules) = kept_apart_by.and_then(|number| turn.site.rule_set(number)) else {
                return true;
            };
            let by_itself = passes_by(*subject, fix, rules, turn);
            if let Some(sighting) = by_itself {
                followed = Followed::Seen(located(*subject, sighting));
            }
            by_itself.is_some()
        };
        let next = self.occupancy.next_due_ns();
        let is_armed = next.is_none_or(|next| self.gate_due.is_some_and(|due| due.get() <= next));
        let is_quiet = is_armed
            && !self.docket.is_waiting()
            && self.fix.is_some_and(|current| is_next(&current, fix))
            && self.occupancy.observe_quietly(&observation(fix), meets_nobody);
        if !is_quiet {
            return Followed::Not;
        }
        self.fix = Some(*fix);
        followed
    }
}
