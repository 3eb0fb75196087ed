//! One connection from hello to goodbye.

use std::time::Duration;

use ach_engine_net::{FrameSink, FrameSource, Role, peer_identity};
use ach_engine_wire::{
    Code, Frame, Goodbye, Hello, LaneResume, PROTOCOL_VERSION, Text, Welcome, WireError,
};
use quinn::{Connection, VarInt};
use tokio::time::timeout;

use crate::client::Connector;
use crate::{ConnectError, now};

/// How long a node may take to answer the handshake and the hello. A node that restarts comes back
/// within, and the next attempt meets it.
const ANSWER_DEADLINE: Duration = Duration::from_secs(5);

/// Priority of the control stream over lanes on the sender's side.
const CONTROL_PRIORITY: i32 = 3;

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
        let late = ConnectError::NoAnswer { address, within: ANSWER_DEADLINE };
        timeout(ANSWER_DEADLINE, Session::open_patiently(connector, resume))
            .await
            .map_err(|_| late)?
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
        let (send, receive) = connection.open_bi().await?;
        let mut sink = FrameSink::new(send);
        sink.set_priority(CONTROL_PRIORITY);
        let mut source = FrameSource::new(receive);
        let hello = Hello {
            versions: vec![PROTOCOL_VERSION],
            client: Text::new(&config.program),
            site: Some(config.bundle.identity().site.clone()),
            resume,
            persists: false,
            sent_at: now(),
        };
        push(&mut sink, &Frame::Hello(hello))?;
        sink.flush().await?;
        match next_frame(&mut source).await? {
            Some(Frame::Welcome(welcome)) => {
                if welcome.site != config.bundle.identity().site {
                    return Err(ConnectError::OtherSite { site: welcome.site });
                }
                Ok(Session { connection, sink, source, welcome })
            }
            Some(other) => Err(unexpected(other, "a welcome")),
            None => Err(connection.close_reason().map_or(
                ConnectError::Protocol { found: "an end", wanted: "a welcome" },
                Into::into,
            )),
        }
    }

    /// Says goodbye and waits until the node has heard it.
    pub(crate) async fn close(mut self) {
        let goodbye = Goodbye { code: Code::Done, detail: Text::default() };
        if self.sink.push(&Frame::Goodbye(goodbye)).is_ok() {
            // Whoever closes does not care why the other end is gone already.
            let _ = timeout(ANSWER_DEADLINE, self.sink.finish()).await;
        }
        self.connection.close(VarInt::from_u32(0), b"");
    }
}

/// The next frame this version knows; others are skipped.
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
            ConnectError::Refused { code: refused.code, detail: refused.detail.as_str().to_owned() }
        }
        Frame::Goodbye(goodbye) => {
            ConnectError::Refused { code: goodbye.code, detail: goodbye.detail.as_str().to_owned() }
        }
        _ => ConnectError::Protocol { found: "another frame", wanted },
    }
}
