//! A publisher against a node that is no more than the protocol: it takes inputs, acknowledges
//! what it likes, and goes away when it likes.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test ends where it fails"
)]

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use ach_actors_model::{Lane, Name, TagId, Timestamp};
use ach_clients_rust::{
    Bundle, Client, ClientConfig, Code, InternItem, Ping, Publisher, PublisherNotice,
    PublisherOptions, Report, ReportWord,
};
use ach_engine_net::{Authority, FrameSink, FrameSource, Listener, Role, server_endpoint};
use ach_engine_wire::{
    Ack, Frame, Hello, InternRefusal, Interned, LaneTotals, LaneWelcome, Preamble, Welcome,
};
use quinn::VarInt;
use tempfile::TempDir;
use tokio::sync::mpsc;

const LANES: [Lane; 3] = [Lane::Duress, Lane::Door, Lane::Ping];

/// Lane, epoch and sequence numbers of one frame.
type Inputs = (Lane, u32, Vec<u64>);

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

struct Node {
    listener: Listener,
    address: SocketAddr,
    vendor: Bundle,
    _directory: TempDir,
}

fn node() -> Node {
    let directory = TempDir::new().unwrap();
    let authority = Authority::create(directory.path(), &name("st-anna")).unwrap();
    let bundle = authority.issue(Role::Node, &name("node-1")).unwrap();
    let endpoint = server_endpoint((Ipv4Addr::LOCALHOST, 0).into(), &bundle).unwrap();
    let address = endpoint.local_addr().unwrap();
    let vendor = authority.issue(Role::Vendor, &name("uwb")).unwrap();
    Node { listener: Listener::new(endpoint), address, vendor, _directory: directory }
}

/// What is on the node's disk: sequence numbers by lane.
#[derive(Default)]
struct Disk {
    epoch: u32,
    durable: [Vec<u64>; 3],
}

impl Disk {
    fn through(&self, lane: Lane) -> u64 {
        last(&self.durable[lane_index(lane)])
    }
}

struct Plan {
    /// Goes away once that many pings of the session have come.
    pings_before_leaving: usize,
    /// Whether it stores what comes.
    stores: bool,
}

fn lane_index(lane: Lane) -> usize {
    LANES.iter().position(|known| *known == lane).unwrap()
}

fn last(seqs: &[u64]) -> u64 {
    seqs.last().copied().unwrap_or(0)
}

fn welcome(hello: &Hello, disk: &Disk, stores: bool) -> Frame {
    let lanes = LANES.map(|lane| LaneWelcome {
        lane,
        epoch: disk.epoch,
        accepted_through: disk.through(lane),
        durable_through: disk.through(lane),
        credit_through: disk.through(lane) + 1_000,
    });
    Frame::Welcome(Welcome {
        version: 1,
        site: name("st-anna"),
        node: name("node-1"),
        lanes: lanes.to_vec(),
        server_time: Timestamp(1),
        hello_sent_at: hello.sent_at,
        fencing_epoch: 1,
        payload_bytes_max: 65_536,
        batch_pings_max: 1_024,
        handle_count_max: 1_000,
        is_storing: stores,
        site_version: 1,
    })
}

async fn say(sink: &mut FrameSink, frame: Frame) {
    sink.push(&frame).unwrap();
    // The peer may have gone, which the other half notices.
    let _ = sink.flush().await;
}

/// Serves one session by a plan.
async fn serve(node: &Node, disk: &mut Disk, plan: &Plan) {
    let peer = node.listener.accept().await.unwrap().finish().await.unwrap();
    let (send, receive) = peer.connection.accept_bi().await.unwrap();
    let (mut sink, mut control) = (FrameSink::new(send), FrameSource::new(receive));
    let raw = control.next().await.unwrap().unwrap();
    let Some(Frame::Hello(hello)) = Frame::decode(raw).unwrap() else { panic!("no hello") };
    let goes_on = hello.resume.iter().all(|lane| lane.epoch == disk.epoch);
    if hello.resume.is_empty() || !goes_on {
        *disk = Disk { epoch: disk.epoch + 1, ..Disk::default() };
    }
    say(&mut sink, welcome(&hello, disk, plan.stores)).await;
    let (inputs, mut came) = mpsc::channel(64);
    let mut ping_count = 0;
    let mut memory = disk.durable.clone();
    loop {
        tokio::select! {
            stream = peer.connection.accept_uni() => match stream {
                Ok(stream) => drop(tokio::spawn(read_lane(stream, inputs.clone()))),
                Err(_) => return,
            },
            frame = control.next() => match frame {
                Ok(Some(raw)) => on_control(Frame::decode(raw).unwrap().unwrap(), &mut sink).await,
                Ok(None) | Err(_) => return,
            },
            Some(frame) = came.recv() => {
                ping_count += if frame.0 == Lane::Ping { frame.2.len() } else { 0 };
                let ack = take(disk, &mut memory, frame, plan.stores);
                if ping_count >= plan.pings_before_leaving {
                    peer.connection.close(VarInt::from_u32(1), b"");
                    return;
                }
                say(&mut sink, ack).await;
            }
        }
    }
}

fn take(disk: &mut Disk, memory: &mut [Vec<u64>; 3], frame: Inputs, stores: bool) -> Frame {
    let (lane, epoch, seqs) = frame;
    assert_eq!(epoch, disk.epoch);
    let known = &mut memory[lane_index(lane)];
    assert!(seqs[0] <= last(known) + 1, "a gap before {seqs:?}");
    for seq in seqs {
        if seq > last(known) {
            known.push(seq);
        }
    }
    let accepted_through = last(known);
    if stores {
        disk.durable[lane_index(lane)].clone_from(known);
    }
    Frame::Ack(Ack {
        lane,
        epoch,
        accepted_through,
        durable_through: disk.through(lane),
        credit_through: accepted_through + 1_000,
        totals: LaneTotals { accepted: accepted_through, ..LaneTotals::default() },
    })
}

/// Knows every thing but tag 13.
async fn on_control(frame: Frame, sink: &mut FrameSink) {
    if let Frame::Intern(intern) = frame {
        let refused = (intern.first_handle..)
            .zip(&intern.items)
            .filter(|(_, item)| **item == InternItem::Tag(TagId(13)))
            .map(|(handle, _)| InternRefusal { handle, code: Code::UnknownThing })
            .collect();
        let item_count = u32::try_from(intern.items.len()).unwrap();
        say(sink, Interned { first_handle: intern.first_handle, item_count, refused }.into()).await;
    }
}

async fn read_lane(stream: quinn::RecvStream, inputs: mpsc::Sender<Inputs>) {
    let Ok((Preamble::Lane { lane, epoch }, mut source)) = FrameSource::open(stream).await else {
        return;
    };
    while let Ok(Some(raw)) = source.next().await {
        let seqs = match Frame::decode(raw).unwrap().unwrap() {
            Frame::Pings(run) => (run.first_seq()..=run.last_seq()).collect(),
            Frame::Reports(reports) => reports.iter().map(|report| report.seq).collect(),
            other => panic!("{other:?} on a lane"),
        };
        if inputs.send((lane, epoch, seqs)).await.is_err() {
            return;
        }
    }
}

async fn publisher(node: &Node, pings_max: usize) -> Publisher {
    let config = ClientConfig::new(node.address, "localhost", node.vendor.clone());
    let client = Client::connect(config).await.unwrap();
    client.publisher(PublisherOptions { pings_max, reports_max: 100 }).unwrap()
}

fn ping(number: u64) -> Ping {
    Ping::local(TagId(number % 7 + 100), Timestamp(number), 1, 2)
}

#[tokio::test]
async fn over_lost_connections_and_a_forgetful_node_everything_becomes_durable_once() {
    let node = node();
    let mut disk = Disk::default();
    let plans = [(300, true), (200, false), (1, false), (500, true), (usize::MAX, true)];
    let serving = async {
        for (pings_before_leaving, stores) in plans {
            serve(&node, &mut disk, &Plan { pings_before_leaving, stores }).await;
        }
    };
    let publishing = async {
        let publisher = publisher(&node, 400).await;
        for number in 1..=3_000 {
            assert_eq!(publisher.publish(ping(number)).await.unwrap().number, number);
            if number % 1_000 == 0 {
                let door = Report::door(name("exit"), Timestamp(number), ReportWord::DoorOpened);
                let ticket = publisher.report(door).await.unwrap();
                assert_eq!((ticket.lane, ticket.number), (Lane::Door, number / 1_000));
            }
        }
        publisher.drain().await.unwrap();
        let progress = *publisher.progress().borrow();
        assert_eq!((progress.ping.durable_through, progress.door.durable_through), (3_000, 3));
        assert!(progress.is_all_durable());
        assert!(progress.ping.resent_count > 0, "the plan loses connections");
        publisher.close().await.unwrap();
    };
    tokio::join!(serving, publishing);
    assert_eq!(disk.epoch, 1, "each reconnect went on with the epoch");
    assert_eq!(disk.durable[2], (1..=3_000).collect::<Vec<_>>());
    assert_eq!(disk.durable[1], [1, 2, 3]);
}

#[tokio::test]
async fn a_refused_tag_is_told_and_a_full_outbox_goes_on_without_a_disk() {
    let node = node();
    let mut disk = Disk::default();
    let plan = Plan { pings_before_leaving: usize::MAX, stores: false };
    let publishing = async {
        let publisher = publisher(&node, 5).await;
        let mut notices = publisher.notices();
        let refused = publisher.intern_tags(&[TagId(12), TagId(13)]).await.unwrap();
        assert_eq!(refused, [(TagId(13), Code::UnknownThing)]);
        let (count, first) = publisher.try_publish_all(&[ping(1); 8]).unwrap();
        assert_eq!((count, first.number), (5, 1));
        assert!(publisher.try_publish(ping(6)).is_err());
        let mut progress = publisher.progress();
        progress.wait_for(|progress| progress.ping.accepted_through == 5).await.unwrap();
        assert_eq!(publisher.durable_through(), 0, "this node does not store");
        assert_eq!(publisher.ticket_of(Lane::Ping, 1, 4).map(|ticket| ticket.number), Some(4));
        // Alarms go on without a disk, so the publisher gives up what it cannot keep for ever.
        let goes_on = tokio::time::timeout(Duration::from_secs(30), publisher.publish(ping(6)));
        assert_eq!(goes_on.await.unwrap().unwrap().number, 6);
        assert_eq!(publisher.progress().borrow().ping.durable_through, 0);
        while let Ok(notice) = notices.try_recv() {
            assert!(matches!(notice, PublisherNotice::Connected { epoch: 1 }), "{notice:?}");
        }
        drop(publisher);
    };
    tokio::join!(serve(&node, &mut disk, &plan), publishing);
}
