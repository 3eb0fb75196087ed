//! The one call back of a kind that an actor has ordered.

use ach_actors_model::{EntityRef, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{Deadline, DeadlineKind, Outbox};

/// When the actor is called next: because a window that concerns it opens or closes, or a time that it
/// measures is over. A deadline cannot be taken back, so calls at other moments are ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub(crate) struct CallBack(Option<std::num::NonZeroU64>);

impl CallBack {
    /// Whether nothing is ordered.
    pub(crate) fn is_idle(self) -> bool {
        self.0.is_none()
    }

    /// Orders a call for a window unless an earlier one is ordered.
    pub(crate) fn order(&mut self, at: Option<Timestamp>, who: EntityRef, out: &mut Outbox) {
        self.order_for(DeadlineKind::Window, at, who, out);
    }

    /// Orders a call of a kind, always the same, unless an earlier one is ordered.
    pub(crate) fn order_for(
        &mut self,
        kind: DeadlineKind,
        at: Option<Timestamp>,
        who: EntityRef,
        out: &mut Outbox,
    ) {
        let Some(at) = at.and_then(|at| std::num::NonZeroU64::new(at.0)) else { return };
        if self.0.is_none_or(|ordered| at < ordered) {
            self.0 = Some(at);
            out.deadlines.push(Deadline { due_at: Timestamp(at.get()), entity: who, kind });
        }
    }

    /// Forgets a call that was due by now. Whoever was not there to take it would wait for it for ever.
    pub(crate) fn forget_past(&mut self, now: Timestamp) {
        self.0 = self.0.filter(|ordered| ordered.get() > now.0);
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
