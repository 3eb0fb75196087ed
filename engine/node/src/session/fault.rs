//! Why a session ends early.

use ach_engine_net::StreamError;
use ach_engine_wire::{Code, WireError};
use thiserror::Error;

use crate::counters::{Counter, Counters};
use crate::lanes::LanesClosed;

/// Why a session, or one of its streams, ends.
#[derive(Debug, Error)]
pub(crate) enum Fault {
    /// The peer broke the protocol or asked for what it may not have.
    #[error("{detail}: {code}")]
    Peer {
        /// What it is told.
        code: Code,
        /// More, without names.
        detail: String,
    },
    /// The peer is gone.
    #[error("the peer is gone")]
    Gone,
    /// The peer wants no more of a stream.
    #[error("the peer stopped the stream")]
    Stopped,
    /// The node is ending.
    #[error(transparent)]
    Closed(#[from] LanesClosed),
}

impl Fault {
    /// The peer's fault.
    pub(crate) fn peer(code: Code, detail: impl Into<String>) -> Fault {
        Fault::Peer { code, detail: detail.into() }
    }
}

impl From<WireError> for Fault {
    fn from(error: WireError) -> Fault {
        Fault::peer(error.code(), error.to_string())
    }
}

impl From<StreamError> for Fault {
    fn from(error: StreamError) -> Fault {
        if matches!(error, StreamError::Write(quinn::WriteError::Stopped(_))) {
            return Fault::Stopped;
        }
        match error.code() {
            Some(code) => Fault::peer(code, error.to_string()),
            None => Fault::Gone,
        }
    }
}

impl From<quinn::ConnectionError> for Fault {
    fn from(_: quinn::ConnectionError) -> Fault {
        Fault::Gone
    }
}

/// The counter of a code, beside the one of the answer's form.
pub(crate) fn counter(counters: &Counters, code: Code) -> Option<&Counter> {
    Some(match code {
        Code::FrameTooLarge => &counters.frames_too_long,
        Code::FrameTimeout => &counters.frames_unfinished,
        Code::ReservedNotZero
        | Code::UnknownFrame
        | Code::Malformed
        | Code::UnknownField
        | Code::BadStream
        | Code::UnexpectedFrame
        | Code::NoCommonVersion
        | Code::WrongLane
        | Code::TooMany => &counters.frames_malformed,
        Code::WrongRole | Code::WrongSite | Code::UnknownSource => &counters.role_refused,
        Code::TooManyConnections => &counters.connections_refused_limit,
        Code::WrongEpoch => &counters.epochs_wrong,
        Code::UnknownThing | Code::UnknownHandle => &counters.handles_unknown,
        Code::ForeignThing => &counters.handles_foreign,
        Code::NotANumber => &counters.positions_not_a_number,
        Code::OutOfRange | Code::NoGeoreference => &counters.positions_out_of_range,
        Code::BeyondCredit => &counters.credit_exceeded,
        Code::SequenceGap => &counters.sequence_jumps,
        Code::CertificateEnded => &counters.certificates_ended,
        Code::CertificateRevoked => &counters.certificates_revoked,
        Code::FromTheFuture => &counters.inputs_from_the_future,
        Code::TooSlow => &counters.subscribers_cut,
        Code::Done
        | Code::ShuttingDown
        | Code::TakenOver
        | Code::UnknownTopic
        | Code::CursorOutOfRange
        | Code::NotNow
        | Code::NotApplicable
        | Code::SiteStale
        | Code::SiteUnsound
        | Code::SiteFrameDiffers
        | Code::SiteStrands
        | Code::SelftestFailed
        | Code::NeedsSecondPerson
        | Code::TooLate
        | Code::Internal => return None,
    })
}
