//! A version of the site that an operator applies while the node runs.

use std::sync::Arc;

use ach_actors_model::{Condition, SiteConfig, TagConfig, TagId};
use ach_clients_rust::{
    Code, Filter, NoteUpdate, Operator, Ping, Report, ReportWord, SiteVerdict, SiteWish, now,
};
use ach_engine_journal::{SimDisk, SimFault, StallingDisk};
use ach_engine_net::Role;
use ach_engine_node::{Node, NodeConfig, Running, SystemClock};
use ach_engine_wire::{Frame, PartBytes, SiteDigest, SiteOffer, SitePart, encode_site};
use ach_geo::{ControlPoint, SiteFrame};

use crate::audit::{check_has, drain, records};
use crate::ward::raw::Raw;
use crate::ward::{FLOOR, Ward, in_time, name, ping, site};

/// The ward with one more tag on the pump.
fn with_tag(tag: u64) -> SiteConfig {
    let mut next = site();
    next.tags.push(TagConfig { id: TagId(tag), source: 0, subject: Some(9) });
    next
}

fn wish(base_version: u32) -> SiteWish {
    SiteWish { base_version, base_digest: None, frame: None, is_dry_run: false, may_strand: false }
}

async fn operator(ward: &Ward, node: &Running) -> Operator {
    ward.client(node.address(), Role::Operator, "chief").await.operator()
}

async fn apply(operator: &mut Operator, wish: &SiteWish, next: &SiteConfig) -> SiteVerdict {
    let bytes = encode_site(next).unwrap();
    in_time("a verdict", operator.offer_site(wish, &bytes)).await.unwrap()
}

fn offer(command: u64, bytes: &[u8]) -> SiteOffer {
    SiteOffer {
        command,
        base_version: 1,
        base_digest: None,
        frame: None,
        total_bytes: u32::try_from(bytes.len()).unwrap(),
        digest: SiteDigest::of(bytes),
        is_dry_run: false,
        may_strand: false,
    }
}

fn reasons(verdict: &SiteVerdict) -> Vec<&str> {
    verdict.reasons.iter().map(ach_engine_wire::Text::as_str).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_comes_into_force_under_a_live_feed_and_stays_so_over_a_start() {
    let ward = Ward::new();
    let node = ward.start();
    let mut vendor = Raw::open(node.address(), &ward.bundle(Role::Vendor, "uwb")).await;
    assert_eq!(vendor.intern(&[1, 50]).await, [None, Some(Code::UnknownThing)]);
    let watcher = ward.client(node.address(), Role::Receiver, "board").await;
    let mut events = watcher.subscriber().events(Filter::default(), None).await.unwrap();
    // Answered on the same connection, so it has begun.
    let mut operator = operator(&ward, &node).await;
    let before = operator.site_in_force().await.unwrap();
    assert_eq!((before.code, before.version), (Code::Done, 1));
    assert_eq!(before.digest, Some(SiteDigest::of(&encode_site(&site()).unwrap())));

    let verdict = apply(&mut operator, &wish(1), &with_tag(50)).await;
    assert_eq!((verdict.code, verdict.version), (Code::Done, 2), "{verdict:?}");
    assert!(verdict.cursor.is_some(), "answered when it is durable: {verdict:?}");
    assert_eq!(verdict.digest, Some(SiteDigest::of(&encode_site(&with_tag(50)).unwrap())));
    let changed = async {
        loop {
            if let Some(NoteUpdate::Note(note)) = events.next().await
                && note.site_version == Some(2)
            {
                return;
            }
        }
    };
    in_time("the event of the change", changed).await;
    // The handle that was refused names the tag now, on the connection it was refused on.
    let mut lane = vendor.lane(ach_actors_model::Lane::Ping).await;
    let pings = [crate::ward::raw::wire_ping(1)];
    lane.write_all(&crate::ward::raw::pings(1, &pings)).await.unwrap();
    let ack = vendor.hear(|frame| matches!(frame, Frame::Ack(ack) if ack.accepted_through == 1));
    let Frame::Ack(ack) = ack.await else { panic!() };
    assert_eq!((ack.totals.accepted, ack.totals.refused), (1, 0));

    // Who asks again for what he has got is told so.
    let again = apply(&mut operator, &wish(1), &with_tag(50)).await;
    assert_eq!((again.code, again.version, again.cursor), (Code::Done, 2, None));
    drop((vendor, events, lane));
    operator.close().await;
    drain(node).await;
    let records = records(&ward);
    check_has(&records, "operator chief site_put_in_force begun [site st-anna version 2]");
    check_has(&records, "operator chief site_put_in_force done [site st-anna version 2]");

    // The start is given the site the first one was given, which is the older one by now.
    let node = ward.start();
    assert_eq!((node.site_version(), node.is_site_as_given()), (2, false));
    let mut vendor = Raw::open(node.address(), &ward.bundle(Role::Vendor, "uwb")).await;
    assert_eq!(vendor.intern(&[50]).await, [None]);
    drop(vendor);
    drain(node).await;
    // Who edits the given site from what is in force has his word.
    let ward = Ward { site: with_tag(50), ..ward };
    let node = ward.start();
    assert_eq!((node.site_version(), node.is_site_as_given()), (2, true));
    drain(node).await;
    let ward = Ward { site: with_tag(51), ..ward };
    let node = ward.start();
    assert_eq!((node.site_version(), node.is_site_as_given()), (3, true));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_made_from_an_older_one_and_one_that_does_not_compile_change_nothing() {
    let ward = Ward::new();
    let node = ward.start();
    let mut operator = operator(&ward, &node).await;
    assert_eq!(apply(&mut operator, &wish(1), &with_tag(50)).await.code, Code::Done);
    let stale = apply(&mut operator, &wish(1), &with_tag(51)).await;
    assert_eq!((stale.code, stale.version), (Code::SiteStale, 2));
    assert_eq!(stale.detail.as_str(), "made from version 1, in force is 2");
    let mut wrong = with_tag(51);
    wrong.tags[9].source = 7;
    let unsound = apply(&mut operator, &wish(2), &wrong).await;
    assert_eq!((unsound.code, unsound.version), (Code::SiteUnsound, 2));
    assert!(unsound.reason_count > 0 && !unsound.reasons.is_empty(), "{unsound:?}");
    let frame = ach_engine_wire::FrameMarks {
        origin_lon: 1,
        origin_lat: 1,
        x_lon: 2,
        x_lat: 1,
        y_lon: 1,
        y_lat: 2,
    };
    let framed = SiteWish { frame: Some(frame), ..wish(2) };
    let other = apply(&mut operator, &framed, &with_tag(51)).await;
    assert_eq!(other.code, Code::SiteFrameDiffers);
    let dry = SiteWish { is_dry_run: true, ..wish(2) };
    let judged = apply(&mut operator, &dry, &with_tag(51)).await;
    assert_eq!((judged.code, judged.version), (Code::Done, 2), "only judged");
    assert_eq!(operator.site_in_force().await.unwrap().version, 2);
    operator.close().await;
    drain(node).await;
    let records = records(&ward);
    check_has(
        &records,
        "operator chief site_put_in_force refused code 98 [site st-anna version 2]",
    );
    check_has(
        &records,
        "operator chief site_put_in_force refused code 99 [site st-anna version 3]",
    );
    check_has(
        &records,
        "operator chief site_put_in_force refused code 100 [site st-anna version 3]",
    );
    check_has(&records, "operator chief site_judged done [site st-anna version 3]");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_end_or_be_cut_is_named_first_and_ends_when_it_is_meant() {
    let ward = Ward::new();
    let node = ward.start();
    let mut alarms = ward.alarms(node.address()).await;
    let vendor = ward.vendor(node.address()).await;
    vendor.report(Report::tag(TagId(1), now(), ReportWord::ButtonPressed)).await.unwrap();
    vendor.drain().await.unwrap();
    alarms.expect("Raised Duress nurse Provisional(None)").await;
    alarms.expect("durable Raised").await;
    let mut rival = Raw::open(node.address(), &ward.bundle(Role::Vendor, "rival")).await;
    rival.intern(&[100]).await;

    let mut next = site();
    next.rules.retain(|rule| rule.id.as_str() != "duress");
    next.sources.retain(|source| source.id.as_str() != "rival");
    next.tags.retain(|tag| tag.source == 0);
    let mut operator = operator(&ward, &node).await;
    let refused = apply(&mut operator, &wish(1), &next).await;
    assert_eq!((refused.code, refused.version, refused.reason_count), (Code::SiteStrands, 1, 2));
    let said = reasons(&refused);
    assert!(said[0].starts_with("feed rival: its vendor is connected"), "{said:?}");
    assert!(said[1].contains("(Duress of nurse): rule duress is gone"), "{said:?}");

    let meant = SiteWish { may_strand: true, ..wish(1) };
    let done = apply(&mut operator, &meant, &next).await;
    assert_eq!((done.code, done.version), (Code::Done, 2), "{done:?}");
    alarms.expect("Cleared Duress nurse Durable").await;
    assert_eq!(rival.closed_with().await, Code::UnknownSource);
}

/// A rule that watches a new zone finds who stands in it; a zone that goes takes its alarms along.
#[tokio::test(flavor = "multi_thread")]
async fn who_stands_in_a_new_zone_is_found_there_and_a_removed_zone_ends_its_alarms() {
    let ward = Ward::new();
    let node = ward.start();
    let mut alarms = ward.alarms(node.address()).await;
    let vendor = ward.vendor(node.address()).await;
    let ticket = vendor.publish(ping(2, 5_000, 5_000)).await.unwrap();
    in_time("the ping", vendor.wait_durable(ticket)).await.unwrap();
    let mut operator = operator(&ward, &node).await;
    let mut next = site();
    let mut annex = next.zones[0].clone();
    annex.id = name("annex");
    next.zones.push(annex);
    next.rules[1].condition = Condition::Inside { zones: vec![1, 2] };
    assert_eq!(apply(&mut operator, &wish(1), &next).await.code, Code::Done);
    let ticket = vendor.publish(ping(2, 5_000, 5_001)).await.unwrap();
    alarms.expect("Raised UnauthorisedEntry visitor-2 Provisional(None)").await;
    alarms.expect("durable Raised").await;
    in_time("the ping", vendor.wait_durable(ticket)).await.unwrap();
    let refused = apply(&mut operator, &wish(2), &site()).await;
    assert_eq!(refused.code, Code::SiteStrands, "{refused:?}");
    assert!(reasons(&refused)[0].ends_with("zone annex is gone"), "{refused:?}");
    let meant = SiteWish { may_strand: true, ..wish(2) };
    assert_eq!(apply(&mut operator, &meant, &site()).await.version, 3);
    alarms.expect("Cleared UnauthorisedEntry visitor-2 Durable").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_operators_apply_and_one_at_a_time() {
    let ward = Ward::new();
    let node = ward.start();
    let bytes = encode_site(&with_tag(50)).unwrap();
    let offer = |command| offer(command, &bytes);
    let is_answer = |frame: &Frame| matches!(frame, Frame::SiteVerdict(_) | Frame::Refused(_));
    let mut receiver = Raw::open(node.address(), &ward.bundle(Role::Receiver, "board")).await;
    receiver.say(offer(1)).await;
    let Frame::Refused(refused) = receiver.hear(is_answer).await else { panic!() };
    assert_eq!(refused.code, Code::WrongRole);

    let mut slow = Raw::open(node.address(), &ward.bundle(Role::Operator, "slow")).await;
    slow.say(offer(1)).await;
    // Of no offer: left aside.
    let part = PartBytes::cut(&bytes).next().unwrap();
    slow.say(SitePart { command: 9, bytes: part.clone() }).await;
    slow.say(ach_engine_wire::SiteQuery { command: 2 }).await;
    let Frame::SiteVerdict(verdict) = slow.hear(is_answer).await else { panic!() };
    assert_eq!((verdict.command, verdict.code), (2, Code::Done), "the offer waits for its bytes");
    let mut other = operator(&ward, &node).await;
    let busy = apply(&mut other, &wish(1), &with_tag(51)).await;
    assert_eq!((busy.code, busy.version), (Code::NotNow, 1));
    // More than was offered, in one piece.
    slow.say(SitePart { command: 1, bytes: part.clone() }).await;
    let rest = bytes.len() - part.as_slice().len();
    assert_eq!(rest, 0, "the ward is a small site");
    let Frame::SiteVerdict(verdict) = slow.hear(is_answer).await else { panic!() };
    assert_eq!((verdict.command, verdict.code, verdict.version), (1, Code::Done, 2));
    let mut greedy = offer(3);
    greedy.total_bytes = 1;
    slow.say(greedy).await;
    slow.say(SitePart { command: 3, bytes: part }).await;
    let Frame::SiteVerdict(verdict) = slow.hear(is_answer).await else { panic!() };
    assert_eq!((verdict.command, verdict.code), (3, Code::SiteUnsound));
    let mut huge = offer(4);
    huge.total_bytes = u32::MAX;
    slow.say(huge).await;
    let Frame::SiteVerdict(verdict) = slow.hear(is_answer).await else { panic!() };
    assert_eq!((verdict.command, verdict.code), (4, Code::SiteUnsound));
    // Who goes in the middle of it holds nobody up.
    slow.say(offer(5)).await;
    slow.connection.close(0_u32.into(), b"");
    let next = async {
        loop {
            let verdict = apply(&mut other, &wish(2), &with_tag(51)).await;
            if verdict.code != Code::NotNow {
                return verdict;
            }
        }
    };
    assert_eq!(in_time("the desk to be free", next).await.version, 3);
    other.close().await;
    drop((slow, receiver));
    drain(node).await;
    let records = records(&ward);
    check_has(
        &records,
        "receiver board site_put_in_force refused code 33 [site st-anna version 2]",
    );
    check_has(
        &records,
        "operator chief site_put_in_force refused code 96 [site st-anna version 2]",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_does_not_store_takes_no_version_it_would_lose() {
    let ward = Ward::new();
    let disk = SimDisk::new(1, 256 << 20);
    let node = ward.start_on(disk.clone());
    let vendor = ward.vendor(node.address()).await;
    let ticket = vendor.publish(ping(2, 5_000, 5_000)).await.unwrap();
    in_time("the ping", vendor.wait_durable(ticket)).await.unwrap();
    for op in 1..=8 {
        disk.plan(op, SimFault::Fail);
    }
    vendor.publish(ping(2, 5_100, 5_000)).await.unwrap();
    in_time("storing to stop", node.storing_stopped()).await;
    let mut operator = operator(&ward, &node).await;
    let refused = apply(&mut operator, &wish(1), &with_tag(50)).await;
    assert_eq!((refused.code, refused.version), (Code::NotNow, 1), "{refused:?}");
}

/// A frame whose origin lies so many degrees north of 47.9.
fn frame(north_deg: f64) -> SiteFrame {
    let lat_deg = 47.9 + north_deg;
    let point = |east: f64, north: f64| ControlPoint {
        lon_deg: 7.8 + east / 74_700.0,
        lat_deg: lat_deg + north / 111_190.0,
        x_m: east,
        y_m: north,
    };
    SiteFrame::fit(&[point(0.0, 0.0), point(100.0, 0.0), point(0.0, 100.0)]).unwrap()
}

/// What the vault's rule says of a visitor 5 m into it by a frame, told in degrees.
async fn raises_in_the_vault_of(ward: &Ward, node: &Running, drawn_by: &SiteFrame) {
    let mut alarms = ward.alarms(node.address()).await;
    let (lon_deg, lat_deg) = drawn_by.to_wgs84_deg(25.0, 5.0).unwrap();
    let vendor = ward.vendor(node.address()).await;
    let ping = Ping::wgs84(TagId(2), now(), lon_deg, lat_deg).unwrap();
    vendor.publish(Ping { floor: Some(FLOOR), ..ping }).await.unwrap();
    alarms.expect("Raised UnauthorisedEntry visitor-2 Provisional(None)").await;
}

/// A site stays in force that was drawn by another origin than the one the node is started with then.
#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_stays_in_force_keeps_the_origin_it_was_drawn_by() {
    let ward = Ward::new();
    let (old, new) = (frame(0.0), frame(0.01));
    let started = |site: SiteConfig, frame| {
        Node::start(NodeConfig { site, frame: Some(frame), ..ward.config() }).unwrap()
    };
    let node = started(site(), old);
    let mut operator = operator(&ward, &node).await;
    let marks = ach_engine_wire::FrameMarks::of(&old);
    let first = SiteWish { frame: marks, ..wish(1) };
    assert_eq!(apply(&mut operator, &first, &with_tag(50)).await.code, Code::Done);
    operator.close().await;
    drain(node).await;
    let node = started(with_tag(51), new);
    assert_eq!((node.site_version(), node.is_site_as_given()), (2, false));
    raises_in_the_vault_of(&ward, &node, &old).await;
}

/// The judge knows what was open when he began. The audit log's disk holds the change up meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn an_alarm_that_opens_while_a_version_is_judged_is_not_ended_unsaid() {
    let ward = Ward::new();
    std::fs::create_dir_all(ward.folder.path().join("data")).unwrap();
    let audit_disk = StallingDisk::new(SimDisk::new(2, 256 << 20));
    let clock = Arc::new(SystemClock::default());
    let disk = SimDisk::new(1, 256 << 20);
    let node = Node::start_on_disks(ward.config(), &disk, audit_disk.clone(), clock).unwrap();
    let vendor = ward.vendor(node.address()).await;
    let mut alarms = ward.alarms(node.address()).await;
    let mut chief = Raw::open(node.address(), &ward.bundle(Role::Operator, "chief")).await;
    for tag in 1..=9 {
        let mut next = site();
        next.tags.retain(|it| it.id != TagId(tag));
        let bytes = encode_site(&next).unwrap();
        audit_disk.stall();
        chief.say(offer(tag, &bytes)).await;
        for part in PartBytes::cut(&bytes) {
            chief.say(SitePart { command: tag, bytes: part }).await;
        }
        // What is asked after an answer to what was asked after the offer is answered after that began
        // to be judged.
        for round in 1..=2 {
            let command = 100 * tag + round;
            chief.say(ach_engine_wire::SiteQuery { command }).await;
            chief.hear(|it| matches!(it, Frame::SiteVerdict(it) if it.command == command)).await;
        }
        vendor.report(Report::tag(TagId(tag), now(), ReportWord::ButtonPressed)).await.unwrap();
        while !alarms.next().await.starts_with("Raised Duress") {}
        audit_disk.go_on();
        let answer =
            chief.hear(|it| matches!(it, Frame::SiteVerdict(it) if it.command == tag)).await;
        let Frame::SiteVerdict(verdict) = answer else { panic!() };
        // On a busy machine the log may have been waited for too long; then another tag is tried.
        if verdict.code != Code::NotNow {
            assert_eq!((verdict.code, verdict.version), (Code::SiteStrands, 1), "{verdict:?}");
            assert!(reasons(&verdict)[0].contains("Duress"), "{verdict:?}");
            return;
        }
    }
    panic!("nine times the audit log was waited for too long");
}
