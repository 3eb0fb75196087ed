//! Whose grant it was: named by a vendor, and told of a door that was forced.

use ach_actors_model::{AlarmKind, Lane, NS_PER_S, Timestamp};
use ach_clients_rust::{AlarmUpdate, Report, ReportWord, now};
use ach_engine_net::Role;
use ach_engine_wire::{Code, Frame, Intern, InternItem, WireReport, encode_reports};

use crate::audit::drain;
use crate::ward::raw::Raw;
use crate::ward::{Ward, in_time, name};

const GRANT: ReportWord = ReportWord::AccessGranted { valid_ms: 1_000 };

/// A moment so many seconds ago.
fn ago(moment: Timestamp, seconds: u64) -> Timestamp {
    Timestamp(moment.0 - seconds * NS_PER_S)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_counts_whoever_has_the_badge_and_a_forced_door_tells_who_had_the_last() {
    let ward = Ward::new();
    let node = ward.start();
    let mut alarms = ward.alarms_of(node.address(), vec![AlarmKind::DoorForced]).await;
    let vendor = ward.vendor(node.address()).await;
    let start = now();
    let door = |seconds, word| Report::door(name("vault-door"), ago(start, seconds), word);
    for report in [
        // Nobody's badge, and the door is not forced.
        door(9, GRANT).to_badge(name("card-of-nobody")),
        door(8, ReportWord::DoorOpened),
        door(7, ReportWord::DoorClosed),
        door(6, GRANT).to_badge(name("card-1")),
        door(3, ReportWord::DoorOpened),
    ] {
        vendor.report(report).await.unwrap();
    }
    let forced = loop {
        if let Some(AlarmUpdate::Note(note)) = in_time("an alarm", alarms.stream.next()).await {
            break *note;
        }
    };
    assert_eq!(forced.observed_at, ago(start, 3), "the first opening had leave");
    let known = forced.door.expect("what is known of the door");
    assert_eq!(known.granted_at, Some(ago(start, 6)));
    assert_eq!(known.granted_to, Some(name("nurse")));
    vendor.close().await.unwrap();
    drain(node).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_that_names_what_is_no_badge_is_refused_alone() {
    let ward = Ward::new();
    let node = ward.start();
    let mut raw = Raw::open(node.address(), &ward.bundle(Role::Vendor, "uwb")).await;
    let badge = |id| InternItem::Badge(name(id));
    let items = vec![InternItem::Door(name("vault-door")), badge("card-1"), badge("card-x")];
    raw.say(Intern { first_handle: 0, items }).await;
    let Frame::Interned(interned) = raw.hear(|it| matches!(it, Frame::Interned(_))).await else {
        panic!()
    };
    let refused: Vec<_> = interned.refused.iter().map(|it| (it.handle, it.code)).collect();
    assert_eq!(refused, [(2, Code::UnknownThing)]);
    // To card-1, to a badge that nobody has, to none, to a door, to what was never named.
    let badges = [Some(1), Some(2), None, Some(0), Some(9)];
    let report = |(seq, badge)| WireReport {
        seq,
        observed_at: Timestamp(now().0 + seq),
        handle: 0,
        badge,
        word: GRANT,
    };
    let reports: Vec<_> = (1..).zip(badges).map(report).collect();
    let mut bytes = Vec::new();
    encode_reports(&reports, &mut bytes).unwrap();
    raw.lane(Lane::Door).await.write_all(&bytes).await.unwrap();
    let is_all = |frame: &Frame| matches!(frame, Frame::Ack(ack) if ack.lane == Lane::Door && ack.durable_through == 5);
    let Frame::Ack(ack) = raw.hear(is_all).await else { panic!() };
    assert_eq!((ack.totals.accepted, ack.totals.refused), (3, 2));
    drop(raw);
    drain(node).await;
}
