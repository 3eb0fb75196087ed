//! When stays have lasted for their dwell time.

use crate::membership::NEVER_NS;
use serde::{Deserialize, Serialize};

/// Dwell deadlines of one mover. Few watches have one, so it takes a word, and heap once used.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Stays {
    #[expect(clippy::box_collection, reason = "one word in every mover instead of three")]
    dues: Option<Box<Vec<(u32, u64)>>>,
}

impl Stays {
    pub(crate) fn is_empty(&self) -> bool {
        self.dues.is_none()
    }

    /// Sets the deadline of a watch.
    pub(crate) fn arm(&mut self, ordinal: u32, due_ns: u64) {
        self.disarm(ordinal);
        if due_ns != NEVER_NS {
            self.dues.get_or_insert_default().push((ordinal, due_ns));
        }
    }

    /// Forgets the deadline of a watch.
    pub(crate) fn disarm(&mut self, ordinal: u32) {
        let Some(dues) = &mut self.dues else { return };
        dues.retain(|(of, _)| *of != ordinal);
        if dues.is_empty() {
            self.dues = None;
        }
    }

    /// The deadline of a watch.
    pub(crate) fn due_ns(&self, ordinal: u32) -> Option<u64> {
        let dues = self.dues.as_deref()?;
        dues.iter().find(|(of, _)| *of == ordinal).map(|(_, due_ns)| *due_ns)
    }

    /// The deadline of a watch, if it is due, and then no more.
    pub(crate) fn take_due(&mut self, ordinal: u32, now_ns: u64) -> Option<u64> {
        let due_ns = self.due_ns(ordinal).filter(|due_ns| *due_ns <= now_ns)?;
        self.disarm(ordinal);
        Some(due_ns)
    }

    /// Puts off what is due.
    pub(crate) fn postpone(&mut self, now_ns: u64, until_ns: u64) {
        let dues = self.dues.as_deref_mut().into_iter().flatten();
        for (_, due_ns) in dues.filter(|(_, due_ns)| *due_ns <= now_ns) {
            *due_ns = until_ns;
        }
    }

    /// The first of all deadlines.
    pub(crate) fn first_due_ns(&self) -> u64 {
        let dues = self.dues.as_deref().into_iter().flatten();
        dues.map(|(_, due_ns)| *due_ns).min().unwrap_or(NEVER_NS)
    }
}
