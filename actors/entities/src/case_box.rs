//! Where a subject's cases lie: copied only when they are written to while a copy of the subject holds them too.
//!
//! A subject is saved before each input that may change more than where it is, so that a panic can be undone, and
//! most of these inputs change nothing of its cases. So what is saved shares them until the first write.
//!
//! ```text
//! holders   stirring   cases ...
//! |------ one line ------|
//! ```
//!
//! Each ping asks whether a case looks at it, and nearly none does: the answer lies before the cases, beside the count
//! of who holds them, so that nothing else need be fetched.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};

use crate::cases::Cases;

/// The cases. To write is to borrow them mutably: look first, and borrow so only what is to change.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(from = "Cases")]
pub(crate) struct CaseBox(Arc<Held>);

#[derive(Debug, Clone, Default)]
#[repr(C)]
struct Held {
    stirring: Stirring,
    cases: Cases,
}

/// What of the cases looks at positions, as of the end of the last input.
#[derive(Debug, Clone, Copy, Default)]
struct Stirring {
    /// Something that looks at each.
    is_waiting: bool,
    /// Something that looks at those that may change more than where the subject is.
    is_there: bool,
}

impl Stirring {
    fn of(cases: &Cases) -> Stirring {
        let is_waiting = cases.is_waiting();
        Stirring { is_waiting, is_there: is_waiting || cases.pass.is_some() }
    }
}

impl CaseBox {
    /// Whether a position must be looked at even if it crosses nothing. Between inputs.
    pub(crate) fn is_waiting(&self) -> bool {
        self.0.stirring.is_waiting
    }

    /// Whether anything may look at positions: it did when this input began, or somebody may have written to the cases
    /// since.
    pub(crate) fn may_stir(&self) -> bool {
        self.0.stirring.is_there || Arc::strong_count(&self.0) == 1
    }

    /// An input is over. Cases that another holds as well were not written to.
    pub(crate) fn end_input(&mut self) {
        // Most are held by what was saved: seen by a plain look, and a mutable borrow locks.
        if Arc::strong_count(&self.0) > 1 {
            return;
        }
        if let Some(held) = Arc::get_mut(&mut self.0) {
            held.stirring = Stirring::of(&held.cases);
        }
    }
}

impl Deref for CaseBox {
    type Target = Cases;

    fn deref(&self) -> &Cases {
        &self.0.cases
    }
}

impl DerefMut for CaseBox {
    fn deref_mut(&mut self) -> &mut Cases {
        &mut Arc::make_mut(&mut self.0).cases
    }
}

impl PartialEq for CaseBox {
    fn eq(&self, other: &CaseBox) -> bool {
        **self == **other
    }
}

impl Eq for CaseBox {}

impl From<Cases> for CaseBox {
    fn from(cases: Cases) -> CaseBox {
        CaseBox(Arc::new(Held { stirring: Stirring::of(&cases), cases }))
    }
}

impl Serialize for CaseBox {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.cases.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use ach_actors_model::SubjectRef;

    use super::*;

    /// An input as the runtime plays it: a copy of what was before is kept meanwhile.
    fn play(cases: &mut CaseBox, input: impl FnOnce(&mut CaseBox)) -> CaseBox {
        let saved = cases.clone();
        input(cases);
        cases.end_input();
        saved
    }

    #[test]
    fn what_was_saved_is_shared_until_somebody_writes() {
        let mut cases = CaseBox::default();
        let saved = play(&mut cases, |cases| assert!(cases.wards.is_empty() && !cases.may_stir()));
        assert!(Arc::ptr_eq(&cases.0, &saved.0), "a look copies nothing");
        let saved = play(&mut cases, |cases| {
            cases.wards.push(SubjectRef(3));
            assert!(cases.may_stir(), "what was written in this input counts in it");
        });
        assert!(saved.wards.is_empty() && !saved.is_waiting());
        assert_eq!((cases.wards.as_slice(), cases.is_waiting()), (&[SubjectRef(3)][..], true));
    }

    #[test]
    fn whether_positions_are_looked_at_follows_from_the_cases() {
        let mut cases = CaseBox::default();
        let saved = play(&mut cases, |cases| cases.wards.push(SubjectRef(3)));
        let again = CaseBox::from(Cases::clone(&cases));
        assert_eq!((again.is_waiting(), &again), (true, &cases));
        cases = saved;
        assert!(!cases.is_waiting(), "what is undone is undone with it");
        play(&mut cases, |cases| cases.wards.push(SubjectRef(3)));
        play(&mut cases, |cases| cases.wards.clear());
        assert!(!cases.is_waiting() && cases == CaseBox::default());
    }
}
