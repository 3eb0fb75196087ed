//! Tags that vendors name and the site does not have.

use ach_actors_model::{Lane, TagConfig, TagId};
use ach_clients_rust::{Code, SiteWish};
use ach_engine_net::Role;
use ach_engine_wire::{Frame, UnregisteredQuery, encode_site};

use crate::ward::raw::{Raw, pings, wire_ping};
use crate::ward::{Ward, in_time, site};

#[tokio::test(flavor = "multi_thread")]
async fn they_are_counted_listed_and_gone_once_they_are_registered() {
    let ward = Ward::new();
    let node = ward.start();
    let mut vendor = Raw::open(node.address(), &ward.bundle(Role::Vendor, "uwb")).await;
    let unknown = Some(Code::UnknownThing);
    // Tag 100 is the rival's: known, and no business of this list.
    let named = vendor.intern(&[1, 50, 51, 100]).await;
    assert_eq!(named, [None, unknown, unknown, Some(Code::ForeignThing)]);
    let mut lane = vendor.lane(Lane::Ping).await;
    let sent = [wire_ping(0), wire_ping(2), wire_ping(2), wire_ping(3)];
    lane.write_all(&pings(1, &sent)).await.unwrap();
    let is_told = |frame: &Frame| matches!(frame, Frame::Refusal(refusal) if refusal.code == Code::UnknownThing);
    let Frame::Refusal(refusal) = vendor.hear(is_told).await else { panic!() };
    assert_eq!((refusal.handle, refusal.count), (Some(2), 2), "the vendor is told");
    let mut rival = Raw::open(node.address(), &ward.bundle(Role::Vendor, "rival")).await;
    rival.intern(&[60]).await;

    let mut operator = ward.client(node.address(), Role::Operator, "chief").await.operator();
    let tags = in_time("the list", operator.unregistered_tags()).await.unwrap();
    let lines: Vec<(&str, u64, u64)> =
        tags.iter().map(|it| (it.feed.as_str(), it.tag.0, it.count)).collect();
    assert_eq!(lines, [("rival", 60, 1), ("uwb", 51, 3), ("uwb", 50, 1)]);
    assert!(tags[1].first_at <= tags[1].last_at);
    assert_eq!(node.counters().tags_unregistered.get(), 3);

    let mut next = site();
    next.tags.push(TagConfig { id: TagId(51), source: 0, subject: Some(9) });
    let wish = SiteWish {
        base_version: 1,
        base_digest: None,
        frame: None,
        is_dry_run: false,
        may_strand: false,
    };
    let done = operator.offer_site(&wish, &encode_site(&next).unwrap()).await.unwrap();
    assert_eq!(done.code, Code::Done);
    let left = operator.unregistered_tags().await.unwrap();
    assert_eq!(left.iter().map(|it| it.tag.0).collect::<Vec<_>>(), [60, 50]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_list_comes_in_parts_and_to_operators_alone() {
    let ward = Ward::new();
    let node = ward.start();
    let mut vendor = Raw::open(node.address(), &ward.bundle(Role::Vendor, "uwb")).await;
    let many: Vec<u64> = (1_000..1_512).collect();
    vendor.intern(&many).await;
    let mut operator = ward.client(node.address(), Role::Operator, "chief").await.operator();
    let tags = in_time("the list", operator.unregistered_tags()).await.unwrap();
    assert_eq!(tags.len(), 512);
    let mut receiver = Raw::open(node.address(), &ward.bundle(Role::Receiver, "board")).await;
    receiver.say(UnregisteredQuery { query: 1 }).await;
    let is_answer = |frame: &Frame| matches!(frame, Frame::Unregistered(_) | Frame::Refused(_));
    let Frame::Refused(refused) = receiver.hear(is_answer).await else { panic!() };
    assert_eq!(refused.code, Code::WrongRole);
}
