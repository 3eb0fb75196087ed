//! A listener with the certificates of a site, and what a node says first.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use ach_actors_model::{Lane, Name, Timestamp};
use ach_clients_rust::{Bundle, Client, ClientConfig};
use ach_engine_net::{Authority, FrameSink, FrameSource, Listener, Peer, Role, server_endpoint};
use ach_engine_wire::{Frame, Hello, LaneWelcome, Welcome};
use tempfile::TempDir;

pub(crate) const LANES: [Lane; 3] = [Lane::Duress, Lane::Door, Lane::Ping];

/// Longer than anything here takes; what is not there by then does not come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

pub(crate) struct Node {
    pub(crate) listener: Listener,
    pub(crate) address: SocketAddr,
    pub(crate) authority: Authority,
    _directory: TempDir,
}

pub(crate) fn node() -> Node {
    let directory = TempDir::new().unwrap();
    let authority = Authority::create(directory.path(), &name("st-anna")).unwrap();
    let bundle = authority.issue(Role::Node, &name("node-1")).unwrap();
    let endpoint = server_endpoint((Ipv4Addr::LOCALHOST, 0).into(), &bundle).unwrap();
    let address = endpoint.local_addr().unwrap();
    Node { listener: Listener::new(endpoint), address, authority, _directory: directory }
}

/// A connection whose hello was heard.
pub(crate) struct Heard {
    pub(crate) peer: Peer,
    pub(crate) sink: FrameSink,
    pub(crate) control: FrameSource,
    pub(crate) hello: Hello,
}

impl Node {
    pub(crate) fn config(&self, role: Role, who: &str) -> ClientConfig {
        self.config_of(self.authority.issue(role, &name(who)).unwrap())
    }

    pub(crate) fn config_of(&self, bundle: Bundle) -> ClientConfig {
        ClientConfig::new(self.address, "localhost", bundle)
    }

    pub(crate) async fn client(&self, role: Role) -> Client {
        Client::connect(self.config(role, "desk")).await.unwrap()
    }

    /// The next connection, up to its hello.
    pub(crate) async fn hear(&self) -> Heard {
        let peer = self.listener.accept().await.unwrap().finish().await.unwrap();
        let (send, receive) = peer.connection.accept_bi().await.unwrap();
        let mut control = FrameSource::new(receive);
        let raw = control.next().await.unwrap().unwrap();
        let Some(Frame::Hello(hello)) = Frame::decode(raw).unwrap() else { panic!("no hello") };
        Heard { peer, sink: FrameSink::new(send), control, hello }
    }

    /// The next connection, welcomed without lanes.
    pub(crate) async fn welcome(&self) -> Heard {
        let mut heard = self.hear().await;
        let welcome = welcome(&heard.hello, Vec::new());
        heard.say(welcome).await;
        heard
    }
}

impl Heard {
    pub(crate) async fn say(&mut self, frame: impl Into<Frame>) {
        say(&mut self.sink, frame).await;
    }

    /// The next frame on the control stream; `None` when there will be none.
    pub(crate) async fn next(&mut self) -> Option<Frame> {
        let raw = self.control.next().await.ok()??;
        Some(Frame::decode(raw).unwrap().unwrap())
    }
}

pub(crate) fn welcome(hello: &Hello, lanes: Vec<LaneWelcome>) -> Welcome {
    Welcome {
        version: 1,
        site: name("st-anna"),
        node: name("node-1"),
        lanes,
        server_time: Timestamp(1),
        hello_sent_at: hello.sent_at,
        fencing_epoch: 1,
        payload_bytes_max: 65_536,
        batch_pings_max: 1_024,
        handle_count_max: 1_000,
        is_storing: true,
        site_version: 1,
    }
}

/// The lanes of a vendor, of which so much is durable.
pub(crate) fn lanes(epoch: u32, durable: [u64; 3]) -> Vec<LaneWelcome> {
    let lane = |(lane, through): (Lane, u64)| LaneWelcome {
        lane,
        epoch,
        accepted_through: through,
        durable_through: through,
        credit_through: through + 1_000,
    };
    LANES.into_iter().zip(durable).map(lane).collect()
}

pub(crate) async fn say(sink: &mut FrameSink, frame: impl Into<Frame>) {
    sink.push(&frame.into()).unwrap();
    // The peer may have gone, which the other half notices.
    let _ = sink.flush().await;
}

/// Waits for something that must come.
pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what).await.expect("it did not come in time")
}
