//! A subscriber against a node that tells what it likes.

use std::time::Duration;

use ach_actors_model::{
    AlarmId, AlarmKind, AlarmPriority, AlarmState, AlarmTransition, TagId, Timestamp,
};
use ach_clients_rust::{
    AlarmNote, AlarmStream, AlarmUpdate, Client, Code, Cursor, Filter, NoteUpdate, Role, Storage,
    SubscriberError, Thing, WireCause,
};
use ach_engine_net::FrameSink;
use ach_engine_wire::{Frame, Gap, OpenSetEnd, Preamble, Refused, Subscribe};
use quinn::VarInt;

use crate::node::{Heard, Node, PATIENCE, node, say, soon};

#[expect(clippy::unnecessary_wraps, reason = "whatever takes a cursor here takes none as well")]
fn at(index: u64) -> Option<Cursor> {
    Some(Cursor { shard: 0, index, ordinal: 0 })
}

/// The state of an alarm of a rule that asks nothing of people.
fn state_after(transition: AlarmTransition) -> AlarmState {
    match transition {
        AlarmTransition::Raised | AlarmTransition::Upheld => {
            AlarmState::ACTIVE.with(AlarmState::RETAINED)
        }
        _ => AlarmState::default(),
    }
}

/// A durable change of alarm `id` at `index`.
fn note(id: u128, transition: AlarmTransition, index: u64) -> AlarmNote {
    AlarmNote {
        id: AlarmId(id),
        transition,
        reason: None,
        kind: AlarmKind::Elopement,
        priority: AlarmPriority::High,
        rule: None,
        site_version: 1,
        episode: 1,
        subject: None,
        tag: None,
        place: Thing::Site,
        is_tentative: false,
        is_late: false,
        is_drill: false,
        cause: WireCause::SiteChange,
        observed_at: Timestamp(1),
        received_at: Timestamp(2),
        changed_at: Timestamp(3),
        position: None,
        accuracy_mm: 0,
        gates_passed: 0,
        storage: Storage::Durable,
        cursor: at(index),
        fencing_epoch: 1,
        is_resent: false,
        state: state_after(transition),
        life: None,
        incident: None,
        door: None,
        response: None,
    }
}

fn raised(id: u128, index: u64) -> AlarmNote {
    note(id, AlarmTransition::Raised, index)
}

fn end(open_count: u32, index: u64) -> OpenSetEnd {
    OpenSetEnd { open_count, cursor: at(index) }
}

/// A subscription as the node sees it.
async fn subscribed(heard: &mut Heard) -> (Subscribe, FrameSink) {
    let Some(Frame::Subscribe(asked)) = heard.next().await else { panic!("no subscription") };
    let stream = heard.peer.connection.open_uni().await.unwrap();
    let subscription = asked.subscription;
    let lane = ach_actors_model::Lane::Door;
    (asked, FrameSink::with_preamble(stream, Preamble::Subscription { lane, subscription }))
}

/// A receiver, and its connection as the node sees it.
async fn connected(node: &Node) -> (Heard, Client) {
    soon(async { tokio::join!(node.welcome(), node.client(Role::Receiver)) }).await
}

async fn words(alarms: &mut AlarmStream, count: usize) -> Vec<String> {
    let mut words = Vec::new();
    for _ in 0..count {
        words.push(match soon(alarms.next()).await.expect("the stream ended") {
            AlarmUpdate::Note(note) => format!("{:?} {}", note.transition, note.id.0),
            AlarmUpdate::Gone { id } => format!("gone {}", id.0),
            AlarmUpdate::Unreadable(_) => "unreadable".to_owned(),
            AlarmUpdate::OpenSetComplete { open_count } => format!("open {open_count}"),
            AlarmUpdate::Disconnected => "disconnected".to_owned(),
            other => format!("{other:?}"),
        });
    }
    words
}

#[tokio::test]
async fn who_comes_back_asks_for_what_it_missed_after_the_mark_it_had() {
    let node = node();
    let (mut heard, client) = connected(&node).await;
    let mut alarms = client.subscriber().alarms(Filter::default(), None).await.unwrap();
    let (asked, mut notes) = soon(subscribed(&mut heard)).await;
    assert_eq!(asked.resume_after, None);
    say(&mut notes, AlarmNote { is_resent: true, ..raised(1, 4) }).await;
    say(&mut notes, end(1, 9)).await;
    assert_eq!(words(&mut alarms, 2).await, ["Raised 1", "open 1"]);
    assert_eq!(alarms.cursor(), at(9));
    heard.peer.connection.close(VarInt::from_u32(0), b"");
    assert_eq!(words(&mut alarms, 1).await, ["disconnected"]);
    let mut heard = soon(node.welcome()).await;
    let (asked, mut notes) = soon(subscribed(&mut heard)).await;
    assert_eq!(asked.resume_after, at(9));
    // Raised and cleared while it was away; 1 is not open any more, and how that came is not told.
    say(&mut notes, raised(2, 10)).await;
    say(&mut notes, note(2, AlarmTransition::Cleared, 11)).await;
    say(&mut notes, end(0, 12)).await;
    assert_eq!(words(&mut alarms, 4).await, ["Raised 2", "Cleared 2", "gone 1", "open 0"]);
    assert_eq!(alarms.cursor(), at(12));
}

/// The cursor may not run ahead of what was given: who stops in between would never hear the rest.
#[tokio::test]
async fn the_cursor_stays_behind_what_was_not_given_yet() {
    let node = node();
    let (mut heard, client) = connected(&node).await;
    let mut alarms = client.subscriber().alarms(Filter::default(), at(1)).await.unwrap();
    let (_, mut notes) = soon(subscribed(&mut heard)).await;
    say(&mut notes, raised(1, 2)).await;
    say(&mut notes, raised(2, 3)).await;
    say(&mut notes, Gap { code: Code::TooSlow, missed_count: None, cursor: None }).await;
    // One frame, three news.
    say(&mut notes, end(0, 9)).await;
    assert_eq!(words(&mut alarms, 2).await, ["Raised 1", "Raised 2"]);
    assert_eq!(alarms.cursor(), at(3));
    assert!(matches!(soon(alarms.next()).await, Some(AlarmUpdate::Gap(_))));
    assert_eq!(words(&mut alarms, 2).await, ["gone 1", "gone 2"]);
    assert_eq!(alarms.cursor(), at(3));
    assert_eq!(words(&mut alarms, 1).await, ["open 0"]);
    assert_eq!(alarms.cursor(), at(9));
}

#[tokio::test]
async fn a_note_of_a_later_version_is_reported_and_those_after_it_are_read() {
    let node = node();
    let (mut heard, client) = connected(&node).await;
    let mut alarms = client.subscriber().alarms(Filter::default(), None).await.unwrap();
    let (_, mut notes) = soon(subscribed(&mut heard)).await;
    let mut bytes = Vec::new();
    Frame::AlarmNote(raised(1, 4)).encode(&mut bytes).unwrap();
    // Field 4, the alarm's kind: one byte.
    let kind = bytes.windows(4).position(|at| at == [4, 0, 1, 0]).unwrap() + 4;
    bytes[kind] = 250;
    notes.push_encoded(&bytes);
    say(&mut notes, raised(2, 5)).await;
    assert_eq!(words(&mut alarms, 2).await, ["unreadable", "Raised 2"]);
}

#[tokio::test]
async fn a_refused_subscription_ends_with_the_reason_and_the_others_live_on() {
    let node = node();
    let (mut heard, client) = connected(&node).await;
    let mut subscriber = client.subscriber();
    let mut refused = subscriber.positions(Filter::default()).await.unwrap();
    let mut alarms = subscriber.alarms(Filter::default(), None).await.unwrap();
    let Some(Frame::Subscribe(asked)) = soon(heard.next()).await else { panic!() };
    heard
        .say(Refused {
            code: Code::TooMany,
            lane: None,
            seq: None,
            detail: "enough".into(),
            retry_after_ms: None,
            subscription: Some(asked.subscription),
        })
        .await;
    assert_eq!(soon(refused.next()).await, None);
    let why = refused.refused().unwrap();
    assert_eq!((why.code, why.detail.as_str()), (Code::TooMany, "enough"));
    let (_, mut notes) = soon(subscribed(&mut heard)).await;
    say(&mut notes, end(0, 1)).await;
    assert_eq!(words(&mut alarms, 1).await, ["open 0"]);
}

#[tokio::test]
async fn a_filter_that_fits_no_frame_is_refused_at_once() {
    let node = node();
    let (_heard, client) = connected(&node).await;
    let mut subscriber = client.subscriber();
    let filter = Filter { tags: (0..257).map(TagId).collect(), ..Filter::default() };
    let refused = subscriber.alarms(filter, None).await.expect_err("it was taken");
    assert!(matches!(refused, SubscriberError::Filter(_)), "{refused:?}");
    assert!(*subscriber.connected().borrow());
}

/// What was not read of older connections comes again in the newest, which therefore is the one to
/// read.
#[tokio::test]
async fn a_stream_that_is_not_read_over_many_reconnects_goes_on_with_the_newest() {
    let node = node();
    let (mut heard, client) = connected(&node).await;
    let mut subscriber = client.subscriber();
    let mut connected = subscriber.connected();
    let mut alarms = subscriber.alarms(Filter::default(), None).await.unwrap();
    let mut positions = subscriber.positions(Filter::default()).await.unwrap();
    for number in 1..=6 {
        let (_, mut notes) = soon(subscribed(&mut heard)).await;
        say(&mut notes, raised(number, 1)).await;
        let (_, mut others) = soon(subscribed(&mut heard)).await;
        // An echo that is heard on the second stream shows that the first has come as well.
        let padding = ach_engine_wire::Padding { bytes: 0 };
        say(&mut others, ach_engine_wire::EchoReply { nonce: 1, padding }).await;
        while soon(positions.next()).await != Some(NoteUpdate::EchoReply { nonce: 1 }) {}
        if number < 6 {
            heard.peer.connection.close(VarInt::from_u32(0), b"");
            soon(connected.wait_for(|is_connected| !is_connected)).await.unwrap();
            heard = soon(node.welcome()).await;
        } else {
            say(&mut notes, raised(7, 2)).await;
            assert_eq!(words(&mut alarms, 2).await, ["Raised 6", "Raised 7"]);
        }
    }
}

#[tokio::test]
async fn a_receiver_is_told_why_it_is_not_connected() {
    let node = node();
    let (heard, client) = connected(&node).await;
    let subscriber = client.subscriber();
    let mut trouble = subscriber.trouble();
    let code = VarInt::from_u32(u32::from(Code::WrongSite.value()));
    heard.peer.connection.close(code, b"moved");
    let told = soon(trouble.wait_for(Option::is_some)).await.unwrap();
    let told = told.as_ref().unwrap();
    assert!(!told.may_retry());
    assert!(told.to_string().contains("moved"), "{told}");
}

#[tokio::test]
async fn a_subscriber_that_closes_says_goodbye_and_ends_its_streams() {
    let node = node();
    let (mut heard, client) = connected(&node).await;
    let mut subscriber = client.subscriber();
    let mut alarms = subscriber.alarms(Filter::default(), None).await.unwrap();
    let mut events = subscriber.events(Filter::default(), None).await.unwrap();
    let (_, _notes) = soon(subscribed(&mut heard)).await;
    let goodbye = async {
        while let Some(frame) = heard.next().await {
            if let Frame::Goodbye(told) = frame {
                return Some(told.code);
            }
        }
        None
    };
    let (said, ()) = soon(async { tokio::join!(goodbye, subscriber.close_within(PATIENCE)) }).await;
    assert_eq!(said, Some(Code::Done));
    let last = async { while alarms.next().await.is_some() {} };
    soon(last).await;
    let last = async { while events.next().await.is_some() {} };
    soon(last).await;
}

/// Nobody is there to hear a goodbye, and nobody waits for one.
#[tokio::test]
async fn a_subscriber_closes_while_its_node_is_away() {
    let node = node();
    let (heard, client) = connected(&node).await;
    let mut subscriber = client.subscriber();
    let mut alarms = subscriber.alarms(Filter::default(), None).await.unwrap();
    let mut connected = subscriber.connected();
    heard.peer.connection.close(VarInt::from_u32(0), b"");
    drop(node);
    soon(connected.wait_for(|is_connected| !is_connected)).await.unwrap();
    soon(subscriber.close()).await;
    let last = async { while alarms.next().await.is_some() {} };
    soon(last).await;
}

/// The node hears no goodbye and writes on; the reader holds a stream of the connection.
#[tokio::test]
async fn a_subscriber_that_waits_for_nobody_is_closed_all_the_same() {
    let node = node();
    let (mut heard, client) = connected(&node).await;
    let mut subscriber = client.subscriber();
    let mut alarms = subscriber.alarms(Filter::default(), None).await.unwrap();
    let mut events = subscriber.events(Filter::default(), None).await.unwrap();
    let (_, mut notes) = soon(subscribed(&mut heard)).await;
    say(&mut notes, raised(1, 1)).await;
    assert_eq!(words(&mut alarms, 1).await, ["Raised 1"]);
    soon(subscriber.close_within(Duration::ZERO)).await;
    soon(heard.peer.connection.closed()).await;
    soon(async { while alarms.next().await.is_some() {} }).await;
    soon(async { while events.next().await.is_some() {} }).await;
}

/// As after the node was restored from a backup.
#[tokio::test]
async fn who_was_refused_its_cursor_comes_back_with_that_of_the_mark() {
    let node = node();
    let (mut heard, client) = connected(&node).await;
    let mut alarms = client.subscriber().alarms(Filter::default(), at(1_000)).await.unwrap();
    let (asked, mut notes) = soon(subscribed(&mut heard)).await;
    assert_eq!(asked.resume_after, at(1_000));
    say(&mut notes, Gap { code: Code::CursorOutOfRange, missed_count: None, cursor: at(900) })
        .await;
    say(&mut notes, end(0, 900)).await;
    assert!(matches!(soon(alarms.next()).await, Some(AlarmUpdate::Gap(_))));
    assert_eq!(words(&mut alarms, 1).await, ["open 0"]);
    heard.peer.connection.close(VarInt::from_u32(0), b"");
    let mut heard = soon(node.welcome()).await;
    let (asked, _notes) = soon(subscribed(&mut heard)).await;
    assert_eq!(asked.resume_after, at(900));
}
