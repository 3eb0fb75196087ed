//! What detectors see where nobody is, as vendors tell it and receivers hear it.

use ach_actors_model::{AlarmKind, Condition, Lane, NS_PER_S, RuleConfig, Timestamp, Who};
use ach_clients_rust::{AlarmUpdate, Report, Thing, now};
use ach_engine_net::Role;
use ach_engine_wire::{
    Code, Frame, Intern, InternItem, ReportWord, WireCause, WireReport, encode_reports,
};

use crate::audit::drain;
use crate::ward::raw::Raw;
use crate::ward::{Ward, in_time, name};

/// A vault in which nobody may be unseen, whose detectors feed `uwb` tells of.
fn watched() -> Ward {
    let mut ward = Ward::new();
    ward.site.zones[1].motion_source = Some(0);
    let (zones, with, after_ns) = (vec![1], Who::default(), NS_PER_S);
    let rule = RuleConfig {
        id: name("motion"),
        alarm: AlarmKind::UnexplainedMotion,
        condition: Condition::Motion { zones, with, after_ns },
        ..ward.site.rules[0].clone()
    };
    ward.site.rules.push(rule);
    ward
}

#[tokio::test(flavor = "multi_thread")]
async fn what_moves_in_an_empty_vault_is_told_with_the_report_that_said_so() {
    let ward = watched();
    let node = ward.start();
    let mut alarms = ward.alarms_of(node.address(), vec![AlarmKind::UnexplainedMotion]).await;
    let vendor = ward.vendor(node.address()).await;
    let seen_at = Timestamp(now().0 - 2 * NS_PER_S);
    vendor.report(Report::motion(name("vault"), seen_at)).await.unwrap();
    let told = loop {
        if let Some(AlarmUpdate::Note(note)) = in_time("an alarm", alarms.stream.next()).await {
            break *note;
        }
    };
    assert_eq!((told.place, told.subject), (Thing::Zone(name("vault")), None));
    assert_eq!(told.observed_at, seen_at);
    let WireCause::Input(cause) = told.cause else { panic!("{:?}", told.cause) };
    assert_eq!((cause.source, cause.lane, cause.seq), (name("uwb"), Lane::Door, 1));
    vendor.close().await.unwrap();
    drain(node).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn motion_is_told_by_the_zones_own_feed_alone() {
    let ward = watched();
    let node = ward.start();
    for (feed, refusals) in [
        // The ward has no detectors, and there is no attic.
        ("uwb", vec![(1, Code::ForeignThing), (2, Code::UnknownThing)]),
        ("rival", vec![(0, Code::ForeignThing), (1, Code::ForeignThing), (2, Code::UnknownThing)]),
    ] {
        let mut raw = Raw::open(node.address(), &ward.bundle(Role::Vendor, feed)).await;
        let items = ["vault", "ward", "attic"].map(|id| InternItem::Zone(name(id))).to_vec();
        let door = InternItem::Door(name("vault-door"));
        raw.say(Intern { first_handle: 0, items: [items, vec![door]].concat() }).await;
        let Frame::Interned(interned) = raw.hear(|it| matches!(it, Frame::Interned(_))).await
        else {
            panic!()
        };
        let refused = interned.refused.iter().map(|it| (it.handle, it.code));
        let of_zones: Vec<_> = refused.filter(|&(handle, _)| handle < 3).collect();
        assert_eq!(of_zones, refusals, "{feed}");
        // In each of them, and of a door, which is no zone.
        let report = |handle| WireReport {
            seq: u64::from(handle) + 1,
            observed_at: now(),
            handle,
            badge: None,
            word: ReportWord::MotionSeen,
        };
        let mut bytes = Vec::new();
        encode_reports(&(0..4).map(report).collect::<Vec<_>>(), &mut bytes).unwrap();
        raw.lane(Lane::Door).await.write_all(&bytes).await.unwrap();
        let is_all = |frame: &Frame| matches!(frame, Frame::Ack(ack) if ack.lane == Lane::Door && ack.durable_through == 4);
        let Frame::Ack(ack) = raw.hear(is_all).await else { panic!() };
        let accepted = u64::from(feed == "uwb");
        assert_eq!((ack.totals.accepted, ack.totals.refused), (accepted, 4 - accepted), "{feed}");
    }
    drain(node).await;
}
