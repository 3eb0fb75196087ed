//! What a contact has said lately: tells what is sent again from what happened again.

use ach_actors_model::{Cause, Timestamp};
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::Arrival;

/// Words remembered: a vendor that starts anew sends again what it has not seen acknowledged, of
/// one contact a few.
const WORD_COUNT_MAX: usize = 8;
/// Those that need no memory of their own. Most contacts say two words, one for each state.
const WORD_COUNT_INLINE: usize = 2;

/// The latest words of a contact with two states, as they arrived.
///
/// A word of a moment that is known is sent again. Many devices stamp whole seconds, though, and a
/// button can be pressed, reset and pressed again within one: where the latest word of the same
/// moment is the opposite one and of the same epoch, whose sequence numbers say that this one came
/// after it, it happened again.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub(crate) struct Recall {
    /// The oldest first.
    words: SmallVec<[Word; WORD_COUNT_INLINE]>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Word {
    /// By the device's clock, whatever it says: so it is told again.
    stamped_at: Timestamp,
    epoch: u32,
    is_on: bool,
}

impl Recall {
    /// Whether nothing was said yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Whether a word is sent again; remembers it if not.
    pub(crate) fn is_repeated(&mut self, is_on: bool, arrival: &Arrival) -> bool {
        let stamped_at = arrival.observed_at;
        let epoch = match arrival.cause {
            Cause::Input { epoch, .. } => epoch,
            Cause::Deadline { .. } | Cause::SiteChange => 0,
        };
        let mut same_moment = self.words.iter().filter(|word| word.stamped_at == stamped_at);
        let is_after_the_other = same_moment
            .clone()
            .next_back()
            .is_some_and(|latest| latest.is_on != is_on && latest.epoch == epoch);
        if !is_after_the_other && same_moment.any(|word| word.is_on == is_on) {
            return true;
        }
        if self.words.len() == WORD_COUNT_MAX {
            self.words.remove(0);
        }
        self.words.push(Word { stamped_at, epoch, is_on });
        false
    }
}
