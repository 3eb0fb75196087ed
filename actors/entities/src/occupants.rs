//! Who is in a zone, so kept that an input can be undone without a copy: a building holds thousands.

use ach_actors_model::SubjectRef;
use serde::{Deserialize, Serialize};

/// The occupants, and what the input under way did to them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Occupants {
    /// Ascending. Bounded by the subjects of the site.
    subjects: Vec<SubjectRef>,
    /// Since the input began. Bounded by its messages. Nothing is under way when it is stored.
    #[serde(skip)]
    moves: Vec<Move>,
}

/// Somebody came or went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Move {
    subject: SubjectRef,
    is_in: bool,
}

impl Occupants {
    /// Ascending.
    pub(crate) fn as_slice(&self) -> &[SubjectRef] {
        &self.subjects
    }

    pub(crate) fn count(&self) -> u32 {
        u32::try_from(self.subjects.len()).unwrap_or(u32::MAX)
    }

    /// Puts somebody in or out. False if that changes nothing.
    pub(crate) fn put(&mut self, subject: SubjectRef, is_in: bool) -> bool {
        let is_changed = self.set(subject, is_in);
        if is_changed {
            self.moves.push(Move { subject, is_in });
        }
        is_changed
    }

    /// Puts everybody out.
    pub(crate) fn clear(&mut self) {
        let gone = std::mem::take(&mut self.subjects);
        self.moves.extend(gone.into_iter().map(|subject| Move { subject, is_in: false }));
    }

    /// From here on can be undone.
    pub(crate) fn begin_input(&mut self) {
        self.moves.clear();
    }

    /// Undoes what came since the input began.
    pub(crate) fn undo_input(&mut self) {
        while let Some(Move { subject, is_in }) = self.moves.pop() {
            self.set(subject, !is_in);
        }
    }

    fn set(&mut self, subject: SubjectRef, is_in: bool) -> bool {
        match (self.subjects.binary_search(&subject), is_in) {
            (Err(place), true) => self.subjects.insert(place, subject),
            (Ok(place), false) => {
                self.subjects.remove(place);
            }
            _ => return false,
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Moves: up is in, down is out, 0 is everybody out.
    #[track_caller]
    fn check(before: &[i64], input: &[i64], expected: &[u32]) {
        let play = |occupants: &mut Occupants, moves: &[i64]| {
            for &subject in moves {
                match u32::try_from(subject.unsigned_abs()).expect("small") {
                    0 => occupants.clear(),
                    number => drop(occupants.put(SubjectRef(number), subject > 0)),
                }
            }
        };
        let numbers = |occupants: &Occupants| -> Vec<u32> {
            occupants.as_slice().iter().map(|subject| subject.0).collect()
        };
        let mut occupants = Occupants::default();
        play(&mut occupants, before);
        let was = numbers(&occupants);
        occupants.begin_input();
        play(&mut occupants, input);
        assert_eq!(numbers(&occupants), expected);
        occupants.undo_input();
        assert_eq!(numbers(&occupants), was, "undone");
    }

    #[test]
    fn who_came_and_went_can_be_undone() {
        check(&[], &[3, 1, 2], &[1, 2, 3]);
        check(&[1, 2, 3], &[-2, 4, -9, 3], &[1, 3, 4]);
        check(&[1, 2, 3], &[-2, 2, -2], &[1, 3]);
        check(&[1, 2, 3], &[0, 2], &[2]);
        check(&[1, 2], &[5, 0], &[]);
    }
}
