//! The one call back an actor has ordered for the windows of its rules.

use ach_actors_model::{EntityRef, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{Deadline, DeadlineKind, Outbox};

/// When the actor is called next because a window that concerns it opens or closes. A deadline
/// cannot be taken back, so calls at other moments are ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub(crate) struct WindowCall(Option<std::num::NonZeroU64>);

impl WindowCall {
    /// Whether nothing is ordered.
    pub(crate) fn is_idle(self) -> bool {
        self.0.is_none()
    }

    /// Orders a call unless an earlier one is ordered.
    pub(crate) fn order(&mut self, at: Option<Timestamp>, who: EntityRef, out: &mut Outbox) {
        let Some(at) = at.and_then(|at| std::num::NonZeroU64::new(at.0)) else { return };
        if self.0.is_none_or(|ordered| at < ordered) {
            self.0 = Some(at);
            let due_at = Timestamp(at.get());
            out.deadlines.push(Deadline { due_at, entity: who, kind: DeadlineKind::Window });
        }
    }

    /// Whether this is the call that was ordered; it is then over.
    pub(crate) fn take(&mut self, due_at: Timestamp) -> bool {
        let is_this = self.0.is_some_and(|ordered| ordered.get() == due_at.0);
        if is_this {
            self.0 = None;
        }
        is_this
    }
}
