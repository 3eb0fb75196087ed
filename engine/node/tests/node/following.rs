//! Subscriptions side by side on one connection, and what each may rely on.

use crate::ward::raw::Raw;
use crate::ward::{PATIENCE, Ward, in_time, name};
use ach_actors_model::TagId;
use ach_clients_rust::{Code, Filter, Report, ReportWord, now};
use ach_engine_net::{FrameSource, Role};
use ach_engine_wire::{Cursor, Frame, Preamble, Subscribe, Topic};

async fn next(stream: &mut FrameSource) -> Frame {
    let raw = tokio::time::timeout(PATIENCE, stream.next()).await.unwrap().unwrap();
    Frame::decode(raw.expect("the stream ended")).unwrap().unwrap()
}

async fn subscribed(raw: &mut Raw, subscribe: Subscribe) -> FrameSource {
    let expected = subscribe.subscription;
    raw.say(subscribe).await;
    let stream = raw.connection.accept_uni().await.unwrap();
    let (preamble, source) = FrameSource::open(stream).await.unwrap();
    assert!(
        matches!(preamble, Preamble::Subscription { subscription, .. } if subscription == expected)
    );
    source
}

fn all(subscription: u32, topic: Topic, resume_after: Option<Cursor>) -> Subscribe {
    Subscribe { subscription, topic, filter: Filter::default(), resume_after }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_stops_one_stream_keeps_the_others() {
    let ward = Ward::new();
    let node = ward.start();
    let mut raw = Raw::open(node.address(), &ward.bundle(Role::Receiver, "desk")).await;
    let mut stopped = subscribed(&mut raw, all(1, Topic::Alarms, None)).await;
    let mut kept = subscribed(&mut raw, all(2, Topic::Alarms, None)).await;
    for stream in [&mut stopped, &mut kept] {
        assert!(matches!(next(stream).await, Frame::OpenSetEnd(_)));
    }
    stopped.stop(Code::Done);
    let vendor = ward.vendor(node.address()).await;
    // The first note after it finds the stream stopped, the second the subscription gone.
    for word in [ReportWord::ButtonPressed, ReportWord::ButtonReset, ReportWord::ButtonPressed] {
        let ticket = vendor.report(Report::tag(TagId(1), now(), word)).await.unwrap();
        vendor.wait_durable(ticket).await.unwrap();
    }
    let mut raised = 0;
    while raised < 2 {
        if let Frame::AlarmNote(note) = next(&mut kept).await {
            raised += u32::from(note.transition == ach_actors_model::AlarmTransition::Raised);
        }
    }
    assert_eq!(node.counters().sessions_broken.get(), 0);
    // Its number is free again, once the node has noticed.
    let mut operator = ward.client(node.address(), Role::Operator, "chief").await.operator();
    let one_left = async {
        loop {
            let counters = operator.status().await.unwrap().counters;
            let follow = counters.iter().find(|c| c.name.as_str() == "subscribers_alarms").unwrap();
            if follow.count == 1 {
                return;
            }
        }
    };
    in_time("the end of the stopped one", one_left).await;
    let mut again = subscribed(&mut raw, all(1, Topic::Alarms, None)).await;
    assert!(matches!(next(&mut again).await, Frame::AlarmNote(open) if open.is_resent));
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_are_to_go_on_begin_with_a_gap() {
    let ward = Ward::new();
    let node = ward.start();
    let mut raw = Raw::open(node.address(), &ward.bundle(Role::Receiver, "desk")).await;
    let after = Some(Cursor { shard: 0, index: 1, ordinal: 0 });
    let mut events = subscribed(&mut raw, all(1, Topic::Events, after)).await;
    let Frame::Gap(gap) = next(&mut events).await else { panic!() };
    assert_eq!(gap.code, Code::CursorOutOfRange);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_subscription_is_named() {
    let ward = Ward::new();
    let node = ward.start();
    let mut raw = Raw::open(node.address(), &ward.bundle(Role::Receiver, "desk")).await;
    let filter = Filter { zones: vec![name("vault")], ..Filter::default() };
    let resume_after = None;
    raw.say(Subscribe { subscription: 7, topic: Topic::Positions, filter, resume_after }).await;
    let Frame::Refused(refused) = raw.hear(|frame| matches!(frame, Frame::Refused(_))).await else {
        panic!()
    };
    assert_eq!((refused.code, refused.subscription), (Code::UnknownTopic, Some(7)));
    let mut vendor = Raw::open(node.address(), &ward.bundle(Role::Vendor, "uwb")).await;
    vendor.say(all(3, Topic::Alarms, None)).await;
    let is_refused = |frame: &Frame| matches!(frame, Frame::Refused(_));
    let Frame::Refused(refused) = vendor.hear(is_refused).await else { panic!() };
    assert_eq!((refused.code, refused.subscription), (Code::WrongRole, Some(3)));
}
