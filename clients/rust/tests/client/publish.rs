//! A publisher against a node that takes inputs, acknowledges what it likes, and goes away when it
//! likes.

use std::time::Duration;

use ach_actors_model::{Lane, TagId, Timestamp};
use ach_clients_rust::{
    Client, Code, InternItem, Ping, PublishError, Publisher, PublisherNotice, PublisherOptions,
    Report, ReportWord,
};
use ach_engine_net::{FrameSink, FrameSource, Role};
use ach_engine_wire::{Ack, Frame, InternRefusal, Interned, LaneTotals, Preamble, Welcome};
use quinn::VarInt;
use tokio::sync::mpsc;

use crate::node::{LANES, Node, lanes, name, node, say, soon, welcome};

/// Lane, epoch and sequence numbers of one frame.
pub(crate) type Inputs = (Lane, u32, Vec<u64>);

/// What is on the node's disk: sequence numbers by lane.
#[derive(Default)]
pub(crate) struct Disk {
    pub(crate) epoch: u32,
    pub(crate) durable: [Vec<u64>; 3],
}

impl Disk {
    fn through(&self, lane: Lane) -> u64 {
        last(&self.durable[lane_index(lane)])
    }
}

pub(crate) struct Plan {
    /// Goes away once that many pings of the session have come.
    pub(crate) pings_before_leaving: usize,
    /// Whether it stores what comes.
    pub(crate) stores: bool,
    /// Most handles and pings in a frame it takes.
    pub(crate) handle_count_max: u32,
    pub(crate) batch_pings_max: u32,
}

impl Default for Plan {
    fn default() -> Plan {
        let (handle_count_max, batch_pings_max) = (1_000, 1_024);
        Plan { pings_before_leaving: usize::MAX, stores: true, handle_count_max, batch_pings_max }
    }
}

/// What a session came to.
#[derive(Debug, Default)]
pub(crate) struct Served {
    /// How many pings each frame had.
    pub(crate) batches: Vec<usize>,
    pub(crate) said_goodbye: bool,
}

fn lane_index(lane: Lane) -> usize {
    LANES.iter().position(|known| *known == lane).unwrap()
}

fn last(seqs: &[u64]) -> u64 {
    seqs.last().copied().unwrap_or(0)
}

/// Serves one session by a plan.
pub(crate) async fn serve(node: &Node, disk: &mut Disk, plan: &Plan) -> Served {
    let mut heard = node.hear().await;
    let resume = &heard.hello.resume;
    let goes_on = resume.iter().all(|lane| lane.epoch == disk.epoch);
    if resume.is_empty() || !goes_on {
        *disk = Disk { epoch: disk.epoch + 1, ..Disk::default() };
    }
    let lanes = lanes(disk.epoch, LANES.map(|lane| disk.through(lane)));
    let welcome = Welcome {
        is_storing: plan.stores,
        handle_count_max: plan.handle_count_max,
        batch_pings_max: plan.batch_pings_max,
        ..welcome(&heard.hello, lanes)
    };
    heard.say(welcome).await;
    let (inputs, mut came) = mpsc::channel(64);
    let mut served = Served::default();
    let mut memory = disk.durable.clone();
    loop {
        tokio::select! {
            stream = heard.peer.connection.accept_uni() => match stream {
                Ok(stream) => drop(tokio::spawn(read_lane(stream, inputs.clone()))),
                Err(_) => return served,
            },
            frame = heard.control.next() => match frame {
                Ok(Some(raw)) => match Frame::decode(raw).unwrap().unwrap() {
                    Frame::Goodbye(_) => served.said_goodbye = true,
                    frame => on_control(frame, &mut heard.sink).await,
                },
                Ok(None) | Err(_) => return served,
            },
            Some(frame) = came.recv() => {
                if frame.0 == Lane::Ping {
                    served.batches.push(frame.2.len());
                }
                let ack = take(disk, &mut memory, frame, plan.stores);
                if served.batches.iter().sum::<usize>() >= plan.pings_before_leaving {
                    heard.peer.connection.close(VarInt::from_u32(1), b"");
                    return served;
                }
                say(&mut heard.sink, ack).await;
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
pub(crate) async fn on_control(frame: Frame, sink: &mut FrameSink) {
    if let Frame::Intern(intern) = frame {
        let refused = (intern.first_handle..)
            .zip(&intern.items)
            .filter(|(_, item)| **item == InternItem::Tag(TagId(13)))
            .map(|(handle, _)| InternRefusal { handle, code: Code::UnknownThing })
            .collect();
        let item_count = u32::try_from(intern.items.len()).unwrap();
        say(sink, Interned { first_handle: intern.first_handle, item_count, refused }).await;
    }
}

pub(crate) async fn read_lane(stream: quinn::RecvStream, inputs: mpsc::Sender<Inputs>) {
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

pub(crate) async fn publisher(node: &Node, pings_max: usize) -> Publisher {
    let client = Client::connect(node.config(Role::Vendor, "uwb")).await.unwrap();
    client.publisher(PublisherOptions { pings_max, reports_max: 100, may_conflate: false }).unwrap()
}

pub(crate) fn ping(number: u64) -> Ping {
    Ping::local(TagId(number % 7 + 100), Timestamp(number), 1, 2)
}

#[tokio::test]
async fn over_lost_connections_and_a_forgetful_node_everything_becomes_durable_once() {
    let node = node();
    let mut disk = Disk::default();
    let plans = [(300, true), (200, false), (1, false), (500, true), (usize::MAX, true)];
    let serving = async {
        for (pings_before_leaving, stores) in plans {
            let plan = Plan { pings_before_leaving, stores, ..Plan::default() };
            serve(&node, &mut disk, &plan).await;
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
    let plan = Plan { stores: false, ..Plan::default() };
    let publishing = async {
        let publisher = publisher(&node, 5).await;
        let mut notices = publisher.notices();
        let refused = publisher.intern_tags(&[TagId(12), TagId(13)]).await.unwrap();
        assert_eq!(refused, [(TagId(13), Code::UnknownThing)]);
        let (count, last) = publisher.try_publish_all(&[ping(1); 8]).unwrap();
        assert_eq!((count, last.number), (5, 5));
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

#[tokio::test]
async fn closing_against_a_node_without_a_disk_ends_and_says_what_is_not_stored() {
    let node = node();
    let mut disk = Disk::default();
    let plan = Plan { stores: false, ..Plan::default() };
    let publishing = async {
        let publisher = publisher(&node, 100).await;
        let clone = publisher.clone();
        let ticket = publisher.publish_all(&[ping(1), ping(2), ping(3)]).await.unwrap();
        let stored = soon(publisher.wait_durable(ticket)).await;
        let Err(PublishError::NotDurable { left }) = stored else { panic!("{stored:?}") };
        assert_eq!((left.decided_count, left.undecided_count, left.unkept_count), (3, 0, 0));
        let closed = soon(publisher.close()).await;
        assert_eq!(closed, Err(PublishError::NotDurable { left }));
        assert_eq!(clone.try_publish(ping(4)), Err(PublishError::Closed));
        assert_eq!(clone.publish(ping(4)).await, Err(PublishError::Closed));
    };
    let (served, ()) = tokio::join!(serve(&node, &mut disk, &plan), publishing);
    assert!(served.said_goodbye);
}

#[tokio::test]
async fn closing_while_the_node_is_away_ends_as_well() {
    let node = node();
    let mut disk = Disk::default();
    let plan = Plan { pings_before_leaving: 2, ..Plan::default() };
    let (_, publisher) = tokio::join!(serve(&node, &mut disk, &plan), async {
        let publisher = publisher(&node, 100).await;
        publisher.publish_all(&[ping(1), ping(2)]).await.unwrap();
        publisher
    });
    let mut progress = publisher.progress();
    soon(progress.wait_for(|progress| !progress.is_connected)).await.unwrap();
    let closed = soon(publisher.close_within(Duration::from_millis(20))).await;
    let Err(PublishError::NotDurable { left }) = closed else { panic!("{closed:?}") };
    assert_eq!((left.decided_count, left.undecided_count), (0, 2));
}

#[tokio::test]
async fn whoever_waits_when_another_closes_is_told() {
    let node = node();
    let mut disk = Disk::default();
    let plan = Plan { stores: false, handle_count_max: 1, ..Plan::default() };
    let publishing = async {
        let publisher = publisher(&node, 1).await;
        let clone = publisher.clone();
        let never = ach_clients_rust::Ticket { lane: Lane::Door, number: 1 };
        let waiting = async { soon(clone.wait_durable(never)).await };
        let closing = async { soon(publisher.close()).await };
        let (waited, closed) = tokio::join!(waiting, closing);
        assert_eq!((waited, closed), (Err(PublishError::Closed), Ok(())));
        assert_eq!(clone.intern_tags(&[TagId(1)]).await, Err(PublishError::Closed));
        assert_eq!(soon(clone.drain()).await, Ok(()), "nothing was published");
    };
    tokio::join!(serve(&node, &mut disk, &plan), publishing);
}

#[tokio::test]
async fn what_a_call_could_not_take_is_told_and_the_rest_is_sent() {
    let node = node();
    let mut disk = Disk::default();
    let plan = Plan { handle_count_max: 2, batch_pings_max: 3, ..Plan::default() };
    let publishing = async {
        let publisher = publisher(&node, 10).await;
        let pings: Vec<_> = (1..=9).map(|n| Ping { tag: TagId(n / 4), ..ping(n) }).collect();
        // Tags 0 and 1 have handles; 2, from the eighth on, has none.
        let (count, last) = publisher.try_publish_all(&pings).unwrap();
        assert_eq!((count, last.number), (7, 7));
        let refused = publisher.try_publish_all(&pings[7..]);
        assert_eq!(refused, Err(PublishError::TooManyThings));
        soon(publisher.drain()).await.unwrap();
        assert_eq!(publisher.progress().borrow().ping.published_through, 7);
        soon(publisher.close()).await.unwrap();
    };
    let (served, ()) = tokio::join!(serve(&node, &mut disk, &plan), publishing);
    assert_eq!(served.batches, [3, 3, 1], "the node takes no more in a frame");
    assert_eq!(disk.durable[2], (1..=7).collect::<Vec<_>>());
    assert!(served.said_goodbye);
}

/// Where every position counts, whatever finds no room is refused with an error; every ticket that was given out becomes durable.
#[tokio::test]
async fn a_full_queue_refuses_and_never_drops() {
    let node = node();
    let mut disk = Disk::default();
    let publishing = async {
        let publisher = publisher(&node, 50).await;
        let (mut taken, mut refused) = (0, 0);
        while refused < 20 || taken < 500 {
            match publisher.try_publish(ping(taken + 1)) {
                Ok(ticket) => {
                    taken += 1;
                    assert_eq!(ticket.number, taken);
                }
                Err(error) => {
                    assert_eq!(error, PublishError::Full { capacity: 50 });
                    refused += 1;
                    tokio::task::yield_now().await;
                }
            }
        }
        for _ in 0..100 {
            let press = Report::tag(TagId(100), Timestamp(1), ReportWord::ButtonPressed);
            publisher.report(press).await.unwrap();
        }
        soon(publisher.close()).await.unwrap();
        taken
    };
    let plan = Plan::default();
    let (_, taken) = tokio::join!(serve(&node, &mut disk, &plan), publishing);
    assert_eq!(disk.durable[2], (1..=taken).collect::<Vec<_>>());
    assert_eq!(disk.durable[0].len(), 100);
}

/// A live feed that never stops: whoever publishes is not held up, and what is sent are the newest.
#[tokio::test]
async fn where_there_is_no_room_the_newest_counts_and_all_are_counted() {
    const PINGS: u64 = 400;
    let node = node();
    let mut disk = Disk::default();
    let publishing = async {
        let client = Client::connect(node.config(Role::Vendor, "uwb")).await.unwrap();
        let options = PublisherOptions { pings_max: 3, ..PublisherOptions::default() };
        let publisher = client.publisher(options).unwrap();
        let mut last = 0;
        for number in 1..=PINGS {
            let of_one_tag = Ping { tag: TagId(100), ..ping(number) };
            last = soon(publisher.publish(of_one_tag)).await.unwrap().number;
        }
        soon(publisher.drain()).await.unwrap();
        let sent = publisher.progress().borrow().ping.published_through;
        assert_eq!(sent, last, "the newest is the last");
        assert_eq!(sent + publisher.gave_way_count(), PINGS);
        assert!(publisher.gave_way_count() > 0);
        soon(publisher.close()).await.unwrap();
        sent
    };
    let plan = Plan::default();
    let (_, sent) = tokio::join!(serve(&node, &mut disk, &plan), publishing);
    assert_eq!(disk.durable[2], (1..=sent).collect::<Vec<_>>());
}

/// One that brings more than is taken under one hold of the lock.
#[tokio::test]
async fn a_long_call_is_taken_in_order_as_far_as_there_is_room() {
    let node = node();
    let mut disk = Disk::default();
    let publishing = async {
        let publisher = publisher(&node, 2_500).await;
        let pings: Vec<Ping> = (1..=3_000).map(ping).collect();
        let (count, last) = publisher.try_publish_all(&pings).unwrap();
        assert_eq!((count, last.number), (2_500, 2_500));
        assert!(publisher.try_publish_all(&pings[count..]).is_err(), "nothing was sent meanwhile");
        soon(publisher.publish_all(&pings[count..])).await.unwrap();
        soon(publisher.drain()).await.unwrap();
        soon(publisher.close()).await.unwrap();
    };
    let plan = Plan::default();
    tokio::join!(serve(&node, &mut disk, &plan), publishing);
    assert_eq!(disk.durable[2], (1..=3_000).collect::<Vec<_>>());
}
