//! The client library: publish, subscribe, resume, reconnect.
//!
//! A vendor publishes with a [`Publisher`], a receiver follows with a [`Subscriber`], tools ask and
//! command with an [`Operator`]; which of them a [`Client`] may be is decided by its certificate.
//! `examples/vendor.rs` and `examples/receiver.rs` show each in thirty lines.
//!
//! What a caller may rely on:
//!
//! - A connection that breaks is made again, more and more seldom; an answer that will not change by
//!   itself (a certificate that is refused) is asked for again twice a minute, and
//!   [`ConnectError`] says what to do. A publisher that was taken over by another program with its
//!   certificate ends.
//! - Every input that got a [`Ticket`] is sent until the node has it on disk, but for a ping that gives
//!   way: where there is no room, the newest position of a tag takes the place, and the ticket, of its
//!   older one that was never sent. It is counted, and [`PublisherOptions::may_conflate`] turns it off. What
//!   finds no room otherwise is refused with an error, never dropped. [`ClientConfig::keeping_in`] keeps inputs over a restart
//!   of the vendor as well.
//! - Every wait ends: when the publisher is closed, and when a node that does not store has decided
//!   on what is waited for. [`PublishError::NotDurable`] then says what is not on disk.
//! - A receiver is told each change of an alarm once, and of those it held for open and whose end it
//!   missed. Its cursor is that of what it was given: to resume after it hides nothing.
//! - A receiver whose node or network is dead is told within three seconds, by
//!   [`AlarmUpdate::Disconnected`] and its like, and says what people could see with
//!   [`AlarmStream::displayed`].

mod alarm_book;
mod alarm_stream;
mod backoff;
mod client;
mod clock;
mod connect_error;
mod door_orders;
mod handles;
mod incoming;
mod lane_outbox;
mod leftover;
mod newest_pings;
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
mod shown;
mod silence;
mod source_slot;
mod spool;
mod subscriber;
mod surroundings;
mod tag_index;

pub use alarm_book::{AlarmBook, AlarmUpdate};
pub use alarm_stream::AlarmStream;
pub use backoff::Backoff;
pub use client::{Client, ClientConfig};
pub use clock::now;
pub use connect_error::ConnectError;
pub use door_orders::DoorOrders;
pub use handles::{Handles, TooManyHandles};
pub use incoming::Prober;
pub use lane_outbox::{LaneOutbox, OutboxError};
pub use leftover::Leftover;
pub use note_stream::{EventStream, NoteUpdate, PositionStream};
pub use operator::{Operator, OperatorError, SiteWish};
pub use ping::{Ping, Report};
pub use progress::{LaneProgress, Progress, Ticket};
pub use publish_error::PublishError;
pub use publisher::{Publisher, PublisherOptions};
pub use publisher_notice::PublisherNotice;
pub use source_slot::SubscriptionRefused;
pub use spool::SpoolError;
pub use subscriber::{Subscriber, SubscriberError};
pub use surroundings::{Machine, Surroundings};

pub use ach_actors_model::{
    AlarmAct, AlarmCause, AlarmId, AlarmKind, AlarmPriority, AlarmReason, AlarmState,
    AlarmStateName, AlarmTransition, AlarmWish, DoorAnswer, DoorMode, DoorSlot, EmergencyKind,
    Lane, Name, Practice, QuietKind, Remark, RemarkError, TagId, Timestamp,
};
pub use ach_engine_net::{Bundle, Identity, Role};
pub use ach_engine_wire::{
    ActNote, AlarmNote, AlarmSettled, Attention, BandOrder, Code, Coordinates, Cursor, DoorActWord,
    DoorNote, Doors, EventNote, EventWord, Filter, FrameMarks, Gap, IncidentNote, InternItem,
    LaneTotals, LeaveOrder, LifeNote, PositionNote, ProvisionalReason, QuietOrder, ReportWord,
    ResponseNote, SelftestReport, SiteDigest, SiteVerdict, Status, Storage, Thing, UnregisteredTag,
    WireCause, WireDoor, WireDoorOrder, WireDoorWish, WireEmergency, WireEmergencyWish, WireLeave,
    WireQuiet, WireReceiver,
};
pub use ach_geo::{Floor, Position};
