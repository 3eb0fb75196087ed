//! From a ping on the wire to a durable alarm, through a real node.

use crate::ward::{FLOOR, PATIENCE, Ward, in_time, name, ping};
use ach_actors_model::{NS_PER_S, TagId, Timestamp};
use ach_clients_rust::{EventWord, Filter, NoteUpdate, Ping, Report, ReportWord, now};
use ach_engine_net::Role;
use ach_engine_node::{Arrangement, Ended};

async fn a_visitor_enters_the_vault(arrangement: Arrangement) {
    let ward = Ward { arrangement, ..Ward::new() };
    let node = ward.start();
    let mut alarms = ward.alarms(node.address()).await;
    let vendor = ward.vendor(node.address()).await;
    // A walk of two seconds, told in one go.
    let seen = |seconds_ago: u64, x_mm| {
        let at = Timestamp(now().0 - seconds_ago * NS_PER_S);
        Ping::local(TagId(2), at, x_mm, 5_000).on_floor(FLOOR)
    };
    vendor.publish(seen(2, 5_000)).await.unwrap();
    let ticket = vendor.publish(seen(1, 25_000)).await.unwrap();
    alarms.expect("Raised UnauthorisedEntry visitor-2 Provisional(None)").await;
    alarms.expect("durable Raised").await;
    vendor.wait_durable(ticket).await.unwrap();
    vendor.publish(seen(0, 5_000)).await.unwrap();
    alarms.expect("Cleared UnauthorisedEntry visitor-2 Durable").await;
    vendor.close().await.unwrap();
    assert_eq!(node.counters().pings_accepted.get(), 3);
    assert_eq!(tokio::task::spawn_blocking(move || node.drain()).await.unwrap(), Ended::Drained);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alarm_leaves_before_the_disk_answers_and_becomes_durable() {
    a_visitor_enters_the_vault(Arrangement::OneThread).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_with_a_thread_of_its_own_for_the_shard() {
    a_visitor_enters_the_vault(Arrangement::TwoThread).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_button_and_a_door_raise_alarms_of_their_own() {
    let ward = Ward::new();
    let node = ward.start();
    let mut alarms = ward.alarms(node.address()).await;
    let vendor = ward.vendor(node.address()).await;
    vendor.report(Report::tag(TagId(1), now(), ReportWord::ButtonPressed)).await.unwrap();
    alarms.expect("Raised Duress nurse Provisional(None)").await;
    alarms.expect("durable Raised").await;
    let door = || name("vault-door");
    vendor.report(Report::door(door(), now(), ReportWord::DoorOpened)).await.unwrap();
    alarms.expect("Raised DoorForced - Provisional(None)").await;
    alarms.expect("durable Raised").await;
    vendor.report(Report::door(door(), now(), ReportWord::DoorClosed)).await.unwrap();
    alarms.expect("Cleared DoorForced - Durable").await;
    vendor.drain().await.unwrap();
    let progress = *vendor.progress().borrow();
    assert_eq!((progress.duress.totals.accepted, progress.door.totals.accepted), (1, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn events_and_positions_reach_who_wants_them() {
    let ward = Ward::new();
    let node = ward.start();
    let client = ward.client(node.address(), Role::Operator, "desk").await;
    let mut subscriber = client.subscriber();
    let only_entries = Filter { events: vec![EventWord::ZoneEntered], ..Filter::default() };
    let mut events = subscriber.events(only_entries, None).await.unwrap();
    let mut positions = subscriber.positions(Filter::default()).await.unwrap();
    // A stream begins when the node has taken the wish; what happens before is not in it.
    let mut status = ward.client(node.address(), Role::Operator, "desk").await.operator();
    loop {
        let counters = status.status().await.unwrap().counters;
        let count = |name: &str| counters.iter().find(|c| c.name.as_str() == name).unwrap().count;
        if count("subscribers_events") == 1 && count("subscribers_positions") == 1 {
            break;
        }
    }
    let vendor = ward.vendor(node.address()).await;
    vendor.publish(ping(1, 5_000, 5_000)).await.unwrap();
    let event = tokio::time::timeout(PATIENCE, events.next()).await.unwrap().unwrap();
    let NoteUpdate::Note(event) = event else { panic!("{event:?}") };
    assert_eq!(event.zone, Some(name("ward")));
    assert_eq!(event.subject, Some(name("nurse")));
    let position = tokio::time::timeout(PATIENCE, positions.next()).await.unwrap().unwrap();
    let NoteUpdate::Note(position) = position else { panic!("{position:?}") };
    assert_eq!((position.tag, position.position.x_mm), (TagId(1), 5_000));
    assert_eq!(position.subject, Some(name("nurse")));
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_is_published_is_decided_and_durable() {
    let ward = Ward::new();
    let node = ward.start();
    let vendor = ward.vendor(node.address()).await;
    let pings: Vec<_> = (0..20_000).map(|n| ping(1 + n % 9, 1_000, 1_000)).collect();
    let ticket = vendor.publish_all(&pings).await.unwrap();
    vendor.wait_durable(ticket).await.unwrap();
    let totals = vendor.progress().borrow().ping.totals;
    assert_eq!(totals.sum(), 20_000, "{totals:?}");
    vendor.close().await.unwrap();
    let counters = node.counters().clone();
    let sum = [
        &counters.pings_accepted,
        &counters.pings_duplicate,
        &counters.pings_late,
        &counters.pings_refused,
        &counters.pings_conflated,
    ];
    assert_eq!(sum.iter().map(|counter| counter.get()).sum::<u64>(), 20_000);
    assert_eq!(tokio::task::spawn_blocking(move || node.drain()).await.unwrap(), Ended::Drained);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_feed_no_longer_sees_is_told_by_one_event_about_the_feed() {
    let mut ward = Ward::new();
    ward.site.sources[0].silence_ns = Some(NS_PER_S / 2);
    let node = ward.start();
    let client = ward.client(node.address(), Role::Receiver, "desk").await;
    let wanted = vec![
        EventWord::FeedFellSilent,
        EventWord::FeedRestored,
        EventWord::ZoneWentBlind,
        EventWord::ZoneSighted,
    ];
    let only_sight = Filter { events: wanted, ..Filter::default() };
    let mut events = client.subscriber().events(only_sight, None).await.unwrap();
    // A stream begins when the node has taken the wish; what happens before is not in it.
    let mut operator = ward.client(node.address(), Role::Operator, "chief").await.operator();
    let begun = async {
        loop {
            let counters = operator.status().await.unwrap().counters;
            let follow = counters.iter().find(|c| c.name.as_str() == "subscribers_events").unwrap();
            if follow.count == 1 {
                return;
            }
        }
    };
    in_time("the stream", begun).await;
    let vendor = ward.vendor(node.address()).await;
    for word in [EventWord::FeedFellSilent, EventWord::FeedRestored, EventWord::FeedFellSilent] {
        vendor.publish(ping(1, 5_000, 5_000)).await.unwrap();
        let update = in_time("the feed", events.next()).await.unwrap();
        let NoteUpdate::Note(told) = update else { panic!("{update:?}") };
        assert_eq!((told.word, told.source), (word, Some(name("uwb"))));
        assert_eq!((told.zone, told.anchor), (None, None));
    }
}
