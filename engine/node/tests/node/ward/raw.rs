//! A client that says whatever a test wants.

use std::net::SocketAddr;

use ach_actors_model::{Lane, TagId, Timestamp};
use ach_clients_rust::{Bundle, now};
use ach_engine_net::{FrameSink, FrameSource, client_endpoint};
use ach_engine_wire::{
    Code, Coordinates, Frame, Hello, Intern, InternItem, LaneResume, PROTOCOL_VERSION, PingReading,
    Preamble, Text, Welcome, WirePing, encode_pings,
};
use quinn::{Connection, ConnectionError, SendStream};

use super::{FLOOR, PATIENCE, in_time};

pub(crate) struct Raw {
    pub(crate) connection: Connection,
    pub(crate) sink: FrameSink,
    pub(crate) source: FrameSource,
    pub(crate) welcome: Welcome,
    _endpoint: quinn::Endpoint,
}

/// A client that has said hello.
pub(crate) struct Greeted {
    pub(crate) connection: Connection,
    sink: FrameSink,
    source: FrameSource,
    endpoint: quinn::Endpoint,
}

impl Greeted {
    /// Waits for the welcome.
    pub(crate) async fn welcomed(self) -> Raw {
        let Greeted { connection, sink, mut source, endpoint } = self;
        let raw = in_time("the welcome", source.next()).await.unwrap().expect("a welcome");
        let Some(Frame::Welcome(welcome)) = Frame::decode(raw).unwrap() else {
            panic!("no welcome")
        };
        Raw { connection, sink, source, welcome, _endpoint: endpoint }
    }
}

pub(crate) async fn connect(
    address: SocketAddr,
    bundle: &Bundle,
) -> Result<(quinn::Endpoint, Connection), ConnectionError> {
    let endpoint = client_endpoint(address, bundle).unwrap();
    let connection = endpoint.connect(address, "localhost").unwrap().await?;
    Ok((endpoint, connection))
}

pub(crate) fn hello(resume: Vec<LaneResume>) -> Hello {
    Hello {
        versions: vec![PROTOCOL_VERSION],
        client: Text::new("raw"),
        site: None,
        resume,
        persists: false,
        sent_at: now(),
    }
}

impl Raw {
    pub(crate) async fn open(address: SocketAddr, bundle: &Bundle) -> Raw {
        Raw::resume(address, bundle, Vec::new()).await
    }

    pub(crate) async fn resume(
        address: SocketAddr,
        bundle: &Bundle,
        resume: Vec<LaneResume>,
    ) -> Raw {
        Raw::greet(address, bundle, hello(resume)).await.welcomed().await
    }

    /// Connects and says hello, without waiting for the welcome.
    pub(crate) async fn greet(address: SocketAddr, bundle: &Bundle, hello: Hello) -> Greeted {
        let (endpoint, connection) = connect(address, bundle).await.unwrap();
        Raw::greet_over(endpoint, connection, hello).await
    }

    /// As [`Raw::greet`], over a connection that there is.
    pub(crate) async fn greet_over(
        endpoint: quinn::Endpoint,
        connection: Connection,
        hello: Hello,
    ) -> Greeted {
        let (send, receive) = connection.open_bi().await.unwrap();
        let (mut sink, source) = (FrameSink::new(send), FrameSource::new(receive));
        sink.push(&hello.into()).unwrap();
        sink.flush().await.unwrap();
        Greeted { connection, sink, source, endpoint }
    }

    pub(crate) fn epoch(&self) -> u32 {
        self.welcome.lanes[0].epoch
    }

    /// Names tags, as handles from 0.
    pub(crate) async fn intern(&mut self, tags: &[u64]) -> Vec<Option<Code>> {
        let items = tags.iter().map(|&tag| InternItem::Tag(TagId(tag))).collect();
        self.say(Intern { first_handle: 0, items }).await;
        let Frame::Interned(interned) = self.hear(|f| matches!(f, Frame::Interned(_))).await else {
            panic!()
        };
        let code = |handle| interned.refused.iter().find(|r| r.handle == handle).map(|r| r.code);
        (0..u32::try_from(tags.len()).unwrap()).map(code).collect()
    }

    pub(crate) async fn say(&mut self, frame: impl Into<Frame>) {
        self.sink.push(&frame.into()).unwrap();
        self.sink.flush().await.unwrap();
    }

    /// The next frame on the control stream that is wanted.
    pub(crate) async fn hear(&mut self, is_wanted: impl Fn(&Frame) -> bool) -> Frame {
        let heard = tokio::time::timeout(PATIENCE, async {
            loop {
                let raw = self.source.next().await.unwrap().expect("the stream ended");
                match Frame::decode(raw).unwrap() {
                    Some(frame) if is_wanted(&frame) => return frame,
                    _ => {}
                }
            }
        });
        heard.await.expect("nothing wanted was heard in time")
    }

    /// Opens the ping lane by hand.
    pub(crate) async fn lane(&self, lane: Lane) -> SendStream {
        let mut stream = self.connection.open_uni().await.unwrap();
        let preamble = Preamble::Lane { lane, epoch: self.epoch() };
        stream.write_all(&preamble.bytes()).await.unwrap();
        stream
    }

    /// The code the node closes with.
    pub(crate) async fn closed_with(&self) -> Code {
        closed_with(&self.connection).await
    }
}

pub(crate) async fn closed_with(connection: &Connection) -> Code {
    let closed = tokio::time::timeout(PATIENCE, connection.closed()).await;
    match closed.expect("not closed in time") {
        ConnectionError::ApplicationClosed(close) => {
            let value = u16::try_from(close.error_code.into_inner()).unwrap();
            Code::from_value(value).unwrap()
        }
        other => panic!("closed otherwise: {other}"),
    }
}

pub(crate) fn reading(handle: u32, observed_at: Timestamp) -> PingReading {
    PingReading {
        handle,
        observed_at,
        coordinates: Coordinates::Local { x_mm: 1_000, y_mm: 1_000 },
        z_mm: None,
        floor: Some(FLOOR),
        accuracy_mm: None,
        battery_percent: None,
    }
}

/// A frame of pings.
pub(crate) fn pings(first_seq: u64, pings: &[WirePing]) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode_pings(first_seq, pings, &mut bytes).unwrap();
    bytes
}

pub(crate) fn wire_ping(handle: u32) -> WirePing {
    WirePing::new(&reading(handle, now()))
}
