//! Why something could not be published.

use ach_engine_wire::limits::HANDLE_COUNT_MAX;
use thiserror::Error;

/// Why something could not be published.
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
    /// Too many different tags, doors and anchors.
    #[error("one publisher names at most {HANDLE_COUNT_MAX} things, use a second one")]
    TooManyThings,
}
