//! Those who follow: late, slow, gone and back, and what they do to each other.

use std::time::Duration;

use crate::ward::raw::Raw;
use crate::ward::{PATIENCE, Ward, in_time, name, ping};
use ach_actors_model::{AlarmKind, Lane, TagId};
use ach_clients_rust::{Filter, Progress, Report, ReportWord, now};
use ach_engine_net::{FrameSource, Role};
use ach_engine_node::{Ended, NodeLimits, Running};
use ach_engine_wire::{Code, Cursor, Echo, Frame, Padding, Preamble, Subscribe, Topic};

fn subscribe(subscription: u32, topic: Topic, resume_after: Option<Cursor>) -> Subscribe {
    Subscribe { subscription, topic, filter: Filter::default(), resume_after }
}

/// The next frame of a subscription's stream.
async fn next(stream: &mut FrameSource) -> Frame {
    let raw = tokio::time::timeout(PATIENCE, stream.next()).await.unwrap().unwrap();
    Frame::decode(raw.expect("the stream ended")).unwrap().unwrap()
}

async fn opened(raw: &Raw) -> (Preamble, FrameSource) {
    let stream = raw.connection.accept_uni().await.unwrap();
    FrameSource::open(stream).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_back_with_a_cursor_hears_what_it_missed() {
    let ward = Ward::new();
    let node = ward.start();
    let vendor = ward.vendor(node.address()).await;
    let press = |word| Report::tag(TagId(1), now(), word);
    vendor.report(press(ReportWord::ButtonPressed)).await.unwrap();
    vendor.drain().await.unwrap();
    let bundle = ward.bundle(Role::Receiver, "desk");
    let mut raw = Raw::open(node.address(), &bundle).await;
    raw.say(subscribe(1, Topic::Alarms, None)).await;
    let (preamble, mut stream) = opened(&raw).await;
    assert_eq!(preamble, Preamble::Subscription { lane: Lane::Door, subscription: 1 });
    let Frame::AlarmNote(open) = next(&mut stream).await else { panic!() };
    assert!(open.is_resent);
    let cursor = open.cursor;
    assert!(matches!(next(&mut stream).await, Frame::OpenSetEnd(end) if end.open_count == 1));
    drop((raw, stream));
    for word in [ReportWord::ButtonReset, ReportWord::ButtonPressed] {
        vendor.report(press(word)).await.unwrap();
    }
    vendor.drain().await.unwrap();
    let mut raw = Raw::open(node.address(), &bundle).await;
    raw.say(subscribe(9, Topic::Alarms, cursor)).await;
    let (_, mut stream) = opened(&raw).await;
    let mut told = Vec::new();
    for _ in 0..4 {
        told.push(match next(&mut stream).await {
            Frame::AlarmNote(told) => format!("{:?} {}", told.transition, told.is_resent),
            Frame::OpenSetEnd(end) => format!("open {}", end.open_count),
            other => panic!("{other:?}"),
        });
    }
    assert_eq!(told, ["Cleared false", "Raised false", "Raised true", "open 1"]);
    // A cursor nobody gave out is told to be one.
    let strange = Cursor { shard: 0, index: 1 << 40, ordinal: 0 };
    raw.say(subscribe(10, Topic::Alarms, Some(strange))).await;
    let (_, mut stream) = opened(&raw).await;
    let Frame::Gap(gap) = next(&mut stream).await else { panic!() };
    assert_eq!(gap.code, Code::CursorOutOfRange);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscriber_that_does_not_read_is_cut_and_disturbs_nobody() {
    let limits = NodeLimits {
        subscriber_stall_max: Duration::from_millis(300),
        sink_bytes_max: 64 * 1024,
        ..NodeLimits::default()
    };
    let ward = Ward { limits, ..Ward::new() };
    let node = ward.start();
    let bundle = ward.bundle(Role::Receiver, "desk");
    let mut slow = Raw::open(node.address(), &bundle).await;
    slow.say(subscribe(1, Topic::Events, None)).await;
    slow.say(subscribe(2, Topic::Alarms, None)).await;
    let _unread = (opened(&slow).await, opened(&slow).await);
    let mut alarms = ward.alarms(node.address()).await;
    let vendor = ward.vendor(node.address()).await;
    let door = name("vault-door");
    let mut raised = 0;
    // Each opening is an alarm that is raised and cleared, and events beside it.
    while node.counters().subscribers_cut.get() == 0 {
        for word in [ReportWord::DoorOpened, ReportWord::DoorClosed] {
            vendor.report(Report::door(door.clone(), now(), word)).await.unwrap();
        }
        raised += 1;
        alarms.expect("Raised DoorForced - Provisional(None)").await;
        while alarms.next().await != "Cleared DoorForced - Durable" {}
        assert!(raised < 100_000, "the slow one was never cut");
    }
    assert_eq!(slow.closed_with().await, Code::TooSlow);
    assert_eq!(node.counters().alarms_raised.get(), raised);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscriber_that_fell_behind_is_told_and_sent_the_open_alarms_again() {
    let limits = NodeLimits {
        subscriber_stall_max: PATIENCE,
        sink_bytes_max: 8 * 1024,
        ..NodeLimits::default()
    };
    let ward = Ward { limits, ..Ward::new() };
    let node = ward.start();
    let bundle = ward.bundle(Role::Receiver, "desk");
    let mut behind = Raw::open(node.address(), &bundle).await;
    behind.say(subscribe(1, Topic::Alarms, None)).await;
    let (_, mut stream) = opened(&behind).await;
    let vendor = ward.vendor(node.address()).await;
    vendor.report(Report::tag(TagId(1), now(), ReportWord::ButtonPressed)).await.unwrap();
    let door = name("vault-door");
    while node.counters().frames_shed.get() == 0 {
        for word in [ReportWord::DoorOpened, ReportWord::DoorClosed].repeat(100) {
            vendor.report(Report::door(door.clone(), now(), word)).await.unwrap();
        }
        vendor.drain().await.unwrap();
    }
    while !matches!(next(&mut stream).await, Frame::Gap(gap) if gap.code == Code::TooSlow) {}
    // Doors whose closing waits for the disk may be among the open ones.
    let mut again = Vec::new();
    let end = loop {
        match next(&mut stream).await {
            Frame::AlarmNote(told) if told.is_resent => again.push(told.kind),
            // It fell behind once more while the open ones were written: they are sent anew.
            Frame::Gap(gap) if gap.code == Code::TooSlow => again.clear(),
            // What happened meanwhile.
            Frame::AlarmNote(_) | Frame::AlarmSettled(_) => {}
            Frame::OpenSetEnd(end) => break end,
            other => panic!("{other:?}"),
        }
    };
    assert!(again.contains(&AlarmKind::Duress));
    assert_eq!(usize::try_from(end.open_count).unwrap(), again.len());
    assert!(node.counters().subscribers_resynchronised.get() > 0);
    assert_eq!(node.counters().subscribers_cut.get(), 0);
}

fn started() -> (Ward, Running) {
    let ward = Ward::new();
    let node = ward.start();
    (ward, node)
}

/// A receiver that follows the alarms of a node that has none open.
async fn nothing_open(ward: &Ward, node: &Running) -> (Raw, FrameSource) {
    let bundle = ward.bundle(Role::Receiver, "desk");
    let mut raw = Raw::open(node.address(), &bundle).await;
    raw.say(subscribe(1, Topic::Alarms, None)).await;
    let (_, mut stream) = opened(&raw).await;
    assert!(matches!(next(&mut stream).await, Frame::OpenSetEnd(_)));
    (raw, stream)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_is_answered_on_the_alarms_own_stream() {
    let (ward, node) = started();
    let (mut raw, mut stream) = nothing_open(&ward, &node).await;
    let padding = Padding { bytes: 10 };
    let echo = |subscription| Echo { nonce: 42, subscription, reply_bytes: 300, padding };
    raw.say(echo(Some(1))).await;
    let Frame::EchoReply(reply) = next(&mut stream).await else { panic!() };
    assert_eq!((reply.nonce, reply.padding.bytes), (42, 300));
    raw.say(echo(None)).await;
    assert!(matches!(raw.hear(|f| matches!(f, Frame::EchoReply(_))).await, Frame::EchoReply(_)));
    raw.say(echo(Some(7))).await;
    let Frame::Refused(refused) = raw.hear(|f| matches!(f, Frame::Refused(_))).await else {
        panic!()
    };
    assert_eq!(refused.code, Code::UnknownTopic);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_tells_everything_and_says_goodbye() {
    let (ward, node) = started();
    let (mut raw, mut stream) = nothing_open(&ward, &node).await;
    let vendor = ward.vendor(node.address()).await;
    vendor.report(Report::tag(TagId(1), now(), ReportWord::ButtonPressed)).await.unwrap();
    let mut progress = vendor.progress();
    let is_decided = |progress: &Progress| progress.duress.accepted_through == 1;
    in_time("the verdict", progress.wait_for(is_decided)).await.unwrap();
    let ended = tokio::task::spawn_blocking(move || node.drain());
    assert!(matches!(next(&mut stream).await, Frame::AlarmNote(_)));
    assert!(matches!(next(&mut stream).await, Frame::AlarmSettled(_)));
    let end = tokio::time::timeout(PATIENCE, stream.next()).await.unwrap().unwrap();
    assert_eq!(end, None, "the stream ends in good order");
    let Frame::Goodbye(goodbye) = raw.hear(|f| matches!(f, Frame::Goodbye(_))).await else {
        panic!()
    };
    assert_eq!(goodbye.code, Code::ShuttingDown);
    assert_eq!(ended.await.unwrap(), Ended::Drained);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_sets_an_actor_aside_and_releases_it() {
    let ward = Ward::new();
    let node = ward.start();
    let mut alarms = ward.alarms(node.address()).await;
    let mut operator = ward.client(node.address(), Role::Operator, "chief").await.operator();
    let thing = ach_clients_rust::Thing::Subject(name("visitor-2"));
    let cursor = operator.quarantine(thing.clone()).await.unwrap();
    assert!(cursor.is_some());
    let raised = alarms.next().await;
    assert!(raised.starts_with("Raised ActorQuarantined"), "{raised}");
    alarms.expect("durable Raised").await;
    let vendor = ward.vendor(node.address()).await;
    vendor.publish(ping(2, 25_000, 5_000)).await.unwrap();
    vendor.drain().await.unwrap();
    operator.release(thing).await.unwrap();
    let cleared = alarms.next().await;
    assert!(cleared.starts_with("Cleared ActorQuarantined"), "{cleared}");
    let unknown = ach_clients_rust::Thing::Zone(name("nowhere"));
    assert!(operator.release(unknown).await.is_err());
    assert_eq!(node.counters().commands_taken.get(), 2);
}
