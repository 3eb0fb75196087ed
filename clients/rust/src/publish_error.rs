//! Why something could not be published, or not be seen stored.

use ach_engine_wire::limits::HANDLE_COUNT_MAX;
use thiserror::Error;

use crate::Leftover;

/// Why something could not be published, or not be seen stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PublishError {
    /// As much waits for the node as may: publish again when there is room.
    #[error("{capacity} inputs are not durable yet, wait for room or drop this one")]
    Full {
        /// How many may wait on this lane.
        capacity: usize,
    },
    /// The publisher has been closed.
    #[error("the publisher is closed, connect again")]
    Closed,
    /// Another program publishes under the same certificate.
    #[error(
        "a newer connection with this certificate took over: stop one of the two programs, or \
         enrol the other as a feed of its own"
    )]
    TakenOver,
    /// Too many different tags, doors and anchors.
    #[error("one publisher names at most {HANDLE_COUNT_MAX} things, use a second one")]
    TooManyThings,
    /// What was waited for is not on disk, and is not about to be.
    #[error("{left}: see whether the node runs and stores")]
    NotDurable {
        /// What is left over.
        left: Leftover,
    },
}
