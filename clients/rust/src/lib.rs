//! The client library: publish, subscribe, resume, reconnect.
//!
//! A vendor publishes with a [`Publisher`], a receiver follows with a [`Subscriber`], tools ask and
//! command with an [`Operator`]; which of them a [`Client`] may be is decided by its certificate.
//! `examples/vendor.rs` and `examples/receiver.rs` show each in thirty lines.

mod alarm_book;
mod alarm_stream;
mod backoff;
mod client;
mod clock;
mod connect_error;
mod handles;
mod incoming;
mod lane_outbox;
mod leftover;
mod note_stream;
mod operator;
mod outboxes;
mod ping;
mod progress;
mod publish_error;
mod publish_session;
mod publisher;
mod publisher_notice;
mod session;
mod shared;
mod source_slot;
mod spool;
mod subscriber;

pub use alarm_book::{AlarmBook, AlarmUpdate};
pub use alarm_stream::AlarmStream;
pub use backoff::Backoff;
pub use client::{Client, ClientConfig};
pub use clock::now;
pub use connect_error::ConnectError;
pub use handles::{Handles, TooManyHandles};
pub use incoming::Prober;
pub use lane_outbox::{LaneOutbox, OutboxError};
pub use leftover::Leftover;
pub use note_stream::{EventStream, NoteUpdate, PositionStream};
pub use operator::{Operator, OperatorError};
pub use ping::{Ping, Report};
pub use progress::{LaneProgress, Progress, Ticket};
pub use publish_error::PublishError;
pub use publisher::{Publisher, PublisherOptions};
pub use publisher_notice::PublisherNotice;
pub use source_slot::SubscriptionRefused;
pub use spool::SpoolError;
pub use subscriber::{Subscriber, SubscriberError};

pub use ach_engine_net::{Bundle, Identity, Role};
pub use ach_engine_wire::{
    AlarmNote, AlarmSettled, Code, Coordinates, Cursor, EventNote, EventWord, Filter, Gap,
    InternItem, LaneTotals, PositionNote, ProvisionalReason, ReportWord, Status, Storage, Thing,
    WireCause,
};
