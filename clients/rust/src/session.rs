//! One connection from hello to goodbye.

use std::time::Duration;

use ach_actors_model::Lane;
use ach_engine_net::{FrameSink, FrameSource, Role, peer_identity};
use ach_engine_wire::limits::{BATCH_PINGS_MAX, BATCH_REPORTS_MAX};
use ach_engine_wire::{
    Code, Frame, Goodbye, Hello, LaneResume, PING_BYTES, PROTOCOL_VERSION, REPORT_BYTES, Text,
    Welcome, WireError,
};
use quinn::{Connection, ConnectionError, VarInt};
use tokio::time::timeout;

use crate::ConnectError;
use crate::client::Connector;

/// How long a goodbye may take to arrive. Whoever closes is not kept by a node that reads nothing.
pub(crate) const GOODBYE_WITHIN: Duration = Duration::from_secs(2);

/// Priority of the control stream over lanes on the sender's side.
const CONTROL_PRIORITY: i32 = 3;

/// Bytes before the records in a payload: of pings, and more than of reports.
const RECORDS_HEADER_BYTES: usize = 16;

/// The lanes of a vendor.
pub(crate) const VENDOR_LANES: [Lane; 3] = [Lane::Duress, Lane::Door, Lane::Ping];

/// A connection on which hello and welcome have been said.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) connection: Connection,
    pub(crate) sink: FrameSink,
    pub(crate) source: FrameSource,
    pub(crate) welcome: Welcome,
}

impl Session {
    pub(crate) async fn open(
        connector: &Connector,
        resume: Vec<LaneResume>,
    ) -> Result<Session, ConnectError> {
        let address = connector.config.addr;
        let within = connector.config.answer_within;
        let late = ConnectError::NoAnswer { address, within };
        timeout(within, Session::open_patiently(connector, resume)).await.map_err(|_| late)?
    }

    async fn open_patiently(
        connector: &Connector,
        resume: Vec<LaneResume>,
    ) -> Result<Session, ConnectError> {
        let config = &connector.config;
        let connection = connector
            .endpoint
            .connect(config.addr, &config.server_name)
            .map_err(|source| ConnectError::Address { address: config.addr, source })?
            .await?;
        let identity = peer_identity(&connection)?;
        if identity.role != Role::Node {
            return Err(ConnectError::NotANode { identity });
        }
        match greet(connector, &connection, resume).await {
            Ok((sink, source, welcome)) => {
                check(connector, &welcome)?;
                Ok(Session { connection, sink, source, welcome })
            }
            Err(error) => Err(cause(&connection, error)),
        }
    }

    /// Says goodbye and waits until the node has heard it.
    pub(crate) async fn close(self) {
        leave(self.sink, &self.connection).await;
    }
}

async fn greet(
    connector: &Connector,
    connection: &Connection,
    resume: Vec<LaneResume>,
) -> Result<(FrameSink, FrameSource, Welcome), ConnectError> {
    let config = &connector.config;
    let (send, receive) = connection.open_bi().await?;
    let mut sink = FrameSink::new(send);
    sink.set_priority(CONTROL_PRIORITY);
    let mut source = FrameSource::new(receive);
    let hello = Hello {
        versions: vec![PROTOCOL_VERSION],
        client: Text::new(&config.program),
        site: Some(config.bundle.identity().site.clone()),
        resume,
        persists: config.spool.is_some(),
        sent_at: config.surroundings.now(),
    };
    push(&mut sink, &Frame::Hello(hello))?;
    sink.flush().await?;
    match next_frame(&mut source).await? {
        Some(Frame::Welcome(welcome)) => Ok((sink, source, welcome)),
        Some(other) => Err(unexpected(other, "a welcome")),
        None => Err(ConnectError::Protocol { found: "an end", wanted: "a welcome" }),
    }
}

/// A welcome that this client can work with.
fn check(connector: &Connector, welcome: &Welcome) -> Result<(), ConnectError> {
    let identity = connector.config.bundle.identity();
    if welcome.version != PROTOCOL_VERSION {
        let found = "a welcome of a version that was not offered";
        return Err(ConnectError::Protocol { found, wanted: "version 1" });
    }
    if welcome.site != identity.site {
        return Err(ConnectError::OtherSite { site: welcome.site.clone() });
    }
    let mut epochs = welcome.lanes.iter().map(|lane| lane.epoch);
    let first = epochs.next();
    let has_lanes = welcome.lanes.len() == VENDOR_LANES.len()
        && VENDOR_LANES.iter().all(|wanted| welcome.lanes.iter().any(|lane| lane.lane == *wanted))
        && epochs.all(|epoch| Some(epoch) == first);
    if identity.role == Role::Vendor && !has_lanes {
        let found = "a welcome without a vendor's three lanes in one epoch";
        return Err(ConnectError::Protocol { found, wanted: "lanes 0, 1 and 3" });
    }
    let has_room = welcome.batch_pings_max > 0
        && records_max(welcome, PING_BYTES) > 0
        && records_max(welcome, REPORT_BYTES) > 0;
    if identity.role == Role::Vendor && !has_room {
        let found = "a welcome with room for no input";
        return Err(ConnectError::Protocol { found, wanted: "room for one at least" });
    }
    Ok(())
}

fn records_max(welcome: &Welcome, record_bytes: usize) -> usize {
    let payload = usize::try_from(welcome.payload_bytes_max).unwrap_or(usize::MAX);
    payload.saturating_sub(RECORDS_HEADER_BYTES).checked_div(record_bytes).unwrap_or(0)
}

/// Most pings in a batch that this node takes.
pub(crate) fn batch_pings_max(welcome: &Welcome) -> usize {
    let batch = usize::try_from(welcome.batch_pings_max).unwrap_or(usize::MAX);
    BATCH_PINGS_MAX.min(batch).min(records_max(welcome, PING_BYTES))
}

/// Most reports in a frame that this node takes.
pub(crate) fn batch_reports_max(welcome: &Welcome) -> usize {
    BATCH_REPORTS_MAX.min(records_max(welcome, REPORT_BYTES))
}

/// Says goodbye and closes; whoever closes does not care why the other end is gone already.
pub(crate) async fn leave(mut sink: FrameSink, connection: &Connection) {
    let goodbye = Goodbye { code: Code::Done, detail: Text::default() };
    if sink.push(&Frame::Goodbye(goodbye)).is_ok() {
        let _ = timeout(GOODBYE_WITHIN, sink.finish()).await;
    }
    connection.close(VarInt::from_u32(0), b"");
}

/// Why the connection closed says more than what a stream felt of it.
pub(crate) fn cause(connection: &Connection, error: ConnectError) -> ConnectError {
    match connection.close_reason() {
        Some(ConnectionError::LocallyClosed) | None => error,
        Some(reason) => reason.into(),
    }
}

/// The next frame this version knows; others are skipped. May be cancelled.
pub(crate) async fn next_frame(source: &mut FrameSource) -> Result<Option<Frame>, ConnectError> {
    while let Some(raw) = source.next().await? {
        if let Some(frame) = Frame::decode(raw).map_err(wire)? {
            return Ok(Some(frame));
        }
    }
    Ok(None)
}

/// Adds a frame to what will be flushed.
pub(crate) fn push(sink: &mut FrameSink, frame: &Frame) -> Result<(), ConnectError> {
    sink.push(frame).map_err(wire)
}

fn wire(error: WireError) -> ConnectError {
    ConnectError::Stream(error.into())
}

/// What a frame that has no place here means.
pub(crate) fn unexpected(frame: Frame, wanted: &'static str) -> ConnectError {
    match frame {
        Frame::Refused(refused) => {
            ConnectError::Refused { code: refused.code, detail: refused.detail.to_string() }
        }
        Frame::Goodbye(goodbye) => {
            ConnectError::Refused { code: goodbye.code, detail: goodbye.detail.to_string() }
        }
        _ => ConnectError::Protocol { found: "another frame", wanted },
    }
}
