//! What receivers say to have displayed, and what nobody has.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ach_actors_model::{NS_PER_S, TagId, Timestamp};
use ach_clients_rust::{
    AlarmStream, AlarmUpdate, Attention, Filter, Operator, Report, ReportWord, now,
};
use ach_engine_net::Role;
use ach_engine_node::{Clock, Node, Running, SystemClock};
use ach_engine_wire::{Displayed, Frame, Subscribe, Topic};

use crate::audit::drain;
use crate::ward::raw::Raw;
use crate::ward::{Ward, in_time, render};

async fn attention(operator: &mut Operator) -> Attention {
    in_time("the answer", operator.attention()).await.unwrap()
}

/// Asks until it is so: what a receiver says and what an operator asks come over two connections.
async fn until(operator: &mut Operator, is_so: impl Fn(&Attention) -> bool) -> Attention {
    let asked = async {
        loop {
            let found = attention(operator).await;
            if is_so(&found) {
                return found;
            }
        }
    };
    in_time("what was displayed to be known", asked).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_sees_who_has_displayed_what_and_what_waits() {
    let ward = Ward::new();
    let node = ward.start();
    let client = ward.client(node.address(), Role::Receiver, "board").await;
    let mut board = client.subscriber().alarms(Filter::default(), None).await.unwrap();
    let update = in_time("the mark", board.next()).await.unwrap();
    assert_eq!(render(&update), "open 0");
    board.displayed().await.unwrap();
    let mut operator = ward.client(node.address(), Role::Operator, "chief").await.operator();
    let found = attention(&mut operator).await;
    assert_eq!((found.receivers.len(), found.unseen_count), (1, 0));
    assert_eq!(found.receivers[0].name.as_str(), "board");

    let vendor = ward.vendor(node.address()).await;
    vendor.report(Report::tag(TagId(1), now(), ReportWord::ButtonPressed)).await.unwrap();
    vendor.drain().await.unwrap();
    let raised = in_time("the alarm", board.next()).await.unwrap();
    assert_eq!(render(&raised), "Raised Duress nurse Provisional(None)");
    let found = until(&mut operator, |found| found.unseen_count == 1).await;
    assert_eq!(found.receivers[0].waiting_count, 1, "read, and not displayed: {found:?}");
    assert!(found.unseen_since.is_some());

    board.displayed().await.unwrap();
    let found = until(&mut operator, |found| found.unseen_count == 0).await;
    assert!(found.receivers[0].displayed_at.is_some(), "{found:?}");
    let durable = in_time("that it is durable", board.next()).await.unwrap();
    let AlarmUpdate::Durable { cursor: Some(cursor), .. } = durable else { panic!("{durable:?}") };
    board.displayed().await.unwrap();
    let found = until(&mut operator, |found| found.receivers[0].displayed == Some(cursor)).await;
    assert_eq!((found.receivers[0].waiting_count, found.unseen_count), (0, 0));

    // Another, who shows nothing, sees the open alarm, and is known to have it waiting.
    let mut wall = ward.client(node.address(), Role::Receiver, "wall").await.subscriber();
    let mut silent = wall.alarms(Filter::default(), None).await.unwrap();
    in_time("the open alarm", silent.next()).await.unwrap();
    let found = until(&mut operator, |found| found.receivers.len() == 2).await;
    let of_wall = found.receivers.iter().find(|it| it.name.as_str() == "wall").unwrap();
    assert_eq!((of_wall.displayed, of_wall.waiting_count), (None, 1));
    assert_eq!(found.unseen_count, 0, "somebody has seen it");
    assert_eq!(node.health().undisplayed_count, 0);
}

/// The machine's clocks, set ahead by so many seconds.
#[derive(Debug, Default)]
struct Ahead {
    system: SystemClock,
    seconds: AtomicU64,
}

impl Clock for Ahead {
    fn monotonic_ns(&self) -> u64 {
        self.system.monotonic_ns() + self.seconds.load(Ordering::SeqCst) * NS_PER_S
    }

    fn utc(&self) -> Timestamp {
        self.system.utc().plus_ns(self.seconds.load(Ordering::SeqCst) * NS_PER_S)
    }
}

/// Hears of the one open alarm, and that there is no other.
async fn until_mark(stream: &mut AlarmStream) {
    let open = in_time("the open alarm", stream.next()).await.unwrap();
    assert_eq!(render(&open), "Raised Duress nurse Durable");
    assert_eq!(render(&in_time("the mark", stream.next()).await.unwrap()), "open 1");
}

/// Waits until the open alarm of the ward counts as displayed by nobody.
async fn until_overdue(operator: &mut Operator, node: &Running) {
    until(operator, |_| node.health().undisplayed_count == 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn that_nobody_displays_is_trouble_only_where_a_receiver_ever_did_also_before_a_restart() {
    let ward = Ward::new();
    let clock = Arc::new(Ahead::default());
    let node = Node::start_by(ward.config(), clock.clone()).unwrap();
    let vendor = ward.vendor(node.address()).await;
    vendor.report(Report::tag(TagId(1), now(), ReportWord::ButtonPressed)).await.unwrap();
    vendor.drain().await.unwrap();
    let chief = ward.client(node.address(), Role::Operator, "chief").await;
    let mut operator = chief.operator();
    until(&mut operator, |found| found.unseen_count == 1).await;
    clock.seconds.store(40, Ordering::SeqCst);
    until_overdue(&mut operator, &node).await;
    assert!(!node.health().is_degraded(), "nobody ever said that he displays alarms");
    // Somebody looks in at a terminal: he displays it, and is not expected to be there always.
    let looker = ward.client(node.address(), Role::Operator, "looker").await;
    let mut terminal = looker.subscriber().alarms(Filter::default(), None).await.unwrap();
    until_mark(&mut terminal).await;
    terminal.displayed().await.unwrap();
    until(&mut operator, |found| found.unseen_count == 0).await;
    assert!(!node.health().is_display_expected);
    let client = ward.client(node.address(), Role::Receiver, "board").await;
    let mut board = client.subscriber().alarms(Filter::default(), None).await.unwrap();
    until_mark(&mut board).await;
    board.displayed().await.unwrap();
    until(&mut operator, |_| node.health().is_display_expected).await;
    assert!(!node.health().is_degraded());
    drop((board, terminal));
    operator.close().await;
    drop(vendor);
    drain(node).await;

    // No board comes back after the restart.
    let clock = Arc::new(Ahead::default());
    clock.seconds.store(60, Ordering::SeqCst);
    let node = Node::start_by(ward.config(), clock.clone()).unwrap();
    assert!(node.health().is_display_expected);
    let mut operator = ward.client(node.address(), Role::Operator, "chief").await.operator();
    until(&mut operator, |found| found.unseen_count == 1).await;
    assert!(!node.health().is_degraded(), "a desk needs time to connect again");
    clock.seconds.store(100, Ordering::SeqCst);
    until_overdue(&mut operator, &node).await;
    assert!(node.health().is_degraded());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_names_no_subscription_to_alarms_is_left_aside_and_vendors_display_nothing() {
    let ward = Ward::new();
    let node = ward.start();
    let mut raw = Raw::open(node.address(), &ward.bundle(Role::Receiver, "board")).await;
    raw.say(Subscribe {
        subscription: 3,
        topic: Topic::Positions,
        filter: Filter::default(),
        resume_after: None,
    })
    .await;
    for subscription in [3, 9] {
        raw.say(Displayed { subscription, through: None, alarms: vec![] }).await;
    }
    let mut operator = ward.client(node.address(), Role::Operator, "chief").await.operator();
    assert!(attention(&mut operator).await.receivers.is_empty());
    let mut vendor = Raw::open(node.address(), &ward.bundle(Role::Vendor, "uwb")).await;
    vendor.say(Displayed { subscription: 3, through: None, alarms: vec![] }).await;
    let Frame::Refused(refused) = vendor.hear(|it| matches!(it, Frame::Refused(_))).await else {
        panic!()
    };
    assert_eq!(refused.code, ach_engine_wire::Code::WrongRole);
    assert!(raw.connection.close_reason().is_none());
}
