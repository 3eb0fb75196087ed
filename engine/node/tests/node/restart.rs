//! A node that ends, in good order or by a kill, and comes back.

use std::net::SocketAddr;

use crate::ward::raw::{Raw, wire_ping};
use crate::ward::{PATIENCE, Ward, in_time, name, ping, render};
use ach_actors_model::{Lane, TagId};
use ach_clients_rust::{Filter, Report, ReportWord, now};
use ach_engine_journal::{Config, Journal, KekSource, RecordKind, SimDisk};
use ach_engine_net::Role;
use ach_engine_node::{Ended, Node, Running, StartError, StoringStopped};
use ach_engine_shard::{Entry, Input, LOGIC_VERSION};
use ach_engine_wire::{Frame, LaneResume, encode_entry, encode_pings};

const DISK_BYTES: u64 = 256 << 20;

async fn drain(node: Running) {
    assert_eq!(tokio::task::spawn_blocking(move || node.drain()).await.unwrap(), Ended::Drained);
}

/// A stream of alarms from its start: the open ones, then this.
async fn open_alarms(ward: &Ward, address: SocketAddr, count: usize) -> Vec<String> {
    let client = ward.client(address, Role::Receiver, "desk").await;
    let mut stream = client.subscriber().alarms(Filter::default(), None).await.unwrap();
    let mut told = Vec::new();
    for _ in 0..count {
        let update = tokio::time::timeout(PATIENCE, stream.next()).await.unwrap().unwrap();
        told.push(render(&update));
    }
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_alarm_is_open_after_a_restart_and_ends_under_the_same_id() {
    let ward = Ward::new();
    let node = ward.start();
    let mut alarms = ward.alarms(node.address()).await;
    let vendor = ward.vendor(node.address()).await;
    vendor.report(Report::tag(TagId(1), now(), ReportWord::ButtonPressed)).await.unwrap();
    let raised = tokio::time::timeout(PATIENCE, alarms.stream.next()).await.unwrap().unwrap();
    vendor.close().await.unwrap();
    drain(node).await;

    let node = ward.start();
    let client = ward.client(node.address(), Role::Receiver, "desk").await;
    let mut again = client.subscriber().alarms(Filter::default(), None).await.unwrap();
    let open = tokio::time::timeout(PATIENCE, again.next()).await.unwrap().unwrap();
    assert_eq!(render(&open), "Raised Duress nurse Durable");
    let id = |update| match update {
        ach_clients_rust::AlarmUpdate::Note(alarm) => alarm.id,
        other => panic!("{other:?}"),
    };
    let expected = id(raised);
    assert_eq!(id(open), expected);
    let vendor = ward.vendor(node.address()).await;
    vendor.report(Report::tag(TagId(1), now(), ReportWord::ButtonReset)).await.unwrap();
    let end = tokio::time::timeout(PATIENCE, again.next()).await.unwrap().unwrap();
    assert_eq!(render(&end), "open 1");
    let cleared = tokio::time::timeout(PATIENCE, again.next()).await.unwrap().unwrap();
    assert_eq!(render(&cleared), "Cleared Duress nurse Durable");
    assert_eq!(id(cleared), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadline_outlives_a_restart() {
    let mut ward = Ward::new();
    let silent = ach_actors_model::Condition::TagSilent { after_ns: 1_500_000_000 };
    let mut rule = ward.site.rules[0].clone();
    rule.id = name("silent");
    rule.condition = silent;
    rule.alarm = ach_actors_model::AlarmKind::TagSilent;
    ward.site.rules.push(rule);
    let node = ward.start();
    let vendor = ward.vendor(node.address()).await;
    vendor.publish(ping(1, 1_000, 1_000)).await.unwrap();
    vendor.close().await.unwrap();
    drain(node).await;
    let node = ward.start();
    let client = ward.client(node.address(), Role::Receiver, "desk").await;
    let mut alarms = client.subscriber().alarms(Filter::default(), None).await.unwrap();
    loop {
        let update = tokio::time::timeout(PATIENCE, alarms.next()).await.unwrap().unwrap();
        if render(&update).starts_with("Raised TagSilent nurse") {
            break;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acked_survives_a_kill_and_a_power_cut() {
    let ward = Ward::new();
    let disk = SimDisk::new(7, DISK_BYTES);
    let node = ward.start_on(disk.clone());
    let vendor = ward.vendor(node.address()).await;
    for tag in 2..=9 {
        vendor.publish(ping(tag, 25_000, 5_000)).await.unwrap();
    }
    vendor.report(Report::tag(TagId(1), now(), ReportWord::ButtonPressed)).await.unwrap();
    vendor.drain().await.unwrap();
    let killed = disk.fork(8);
    let cut = disk.fork(9);
    cut.cut_power();
    for disk in [killed, cut.power_on()] {
        let node = ward.start_on(disk);
        let mut told = open_alarms(&ward, node.address(), 10).await;
        assert_eq!(told.pop().unwrap(), "open 9");
        told.sort();
        assert_eq!(told[0], "Raised Duress nurse Durable");
        assert_eq!(told[8], "Raised UnauthorisedEntry visitor-9 Durable");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vendor_goes_on_where_it_was_over_a_restart() {
    let ward = Ward::new();
    let node = ward.start();
    let address = node.address();
    let vendor = ward.vendor(address).await;
    let before = vendor.publish(ping(1, 1_000, 1_000)).await.unwrap();
    vendor.wait_durable(before).await.unwrap();
    drain(node).await;
    // Else it may send to the node that has gone, and once more to the one that comes.
    let mut progress = vendor.progress();
    in_time("the loss", progress.wait_for(|now| !now.is_connected)).await.unwrap();
    let after = vendor.publish(ping(1, 2_000, 1_000)).await.unwrap();
    let mut config = ward.config();
    config.listen = address;
    let node = Node::start(config).unwrap();
    tokio::time::timeout(PATIENCE, vendor.wait_durable(after)).await.unwrap().unwrap();
    let progress = vendor.progress().borrow().ping;
    assert_eq!((progress.epoch, progress.published_through, progress.sent_count), (1, 2, 2));
    assert_eq!(node.counters().pings_accepted.get(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn inputs_sent_again_after_a_kill_are_decided_once() {
    let ward = Ward::new();
    let disk = SimDisk::new(17, DISK_BYTES);
    let node = ward.start_on(disk.clone());
    let bundle = ward.bundle(Role::Vendor, "uwb");
    let mut raw = Raw::open(node.address(), &bundle).await;
    raw.intern(&[1]).await;
    let mut bytes = Vec::new();
    encode_pings(1, &[wire_ping(0); 5], &mut bytes).unwrap();
    raw.lane(Lane::Ping).await.write_all(&bytes).await.unwrap();
    let is_durable = |frame: &Frame| matches!(frame, Frame::Ack(ack) if ack.durable_through == 5);
    raw.hear(is_durable).await;
    let node = ward.start_on(disk.fork(18));
    let resume = LaneResume { lane: Lane::Ping, epoch: raw.epoch(), last_seq: 8 };
    let again = Raw::resume(node.address(), &bundle, vec![resume]).await;
    let lane = again.welcome.lanes.iter().find(|lane| lane.lane == Lane::Ping).unwrap();
    assert_eq!((lane.epoch, lane.accepted_through, lane.durable_through), (raw.epoch(), 5, 5));

    // A vendor that claims less than the node knows has lost its memory: a new epoch.
    let resume = LaneResume { lane: Lane::Ping, epoch: raw.epoch(), last_seq: 4 };
    let forgetful = Raw::resume(node.address(), &bundle, vec![resume]).await;
    assert_eq!(forgetful.epoch(), raw.epoch() + 1);
    assert_eq!(forgetful.welcome.lanes[2].accepted_through, 0);
    assert_eq!(again.closed_with().await, ach_engine_wire::Code::TakenOver);

    // One that is further ahead than the shard lets a lane jump would be refused for ever: a new epoch.
    let ahead = LaneResume { lane: Lane::Duress, epoch: forgetful.epoch(), last_seq: 1 << 40 };
    let ahead = Raw::resume(node.address(), &bundle, vec![ahead]).await;
    assert_eq!(ahead.epoch(), forgetful.epoch() + 1);
    assert_eq!(ahead.welcome.lanes[0].durable_through, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_site_is_put_in_force_at_the_next_start_and_keeps_episodes() {
    let mut ward = Ward::new();
    let node = ward.start();
    let vendor = ward.vendor(node.address()).await;
    vendor.publish(ping(2, 25_000, 5_000)).await.unwrap();
    vendor.drain().await.unwrap();
    drain(node).await;
    ward.site.zones[0].capacity = Some(3);
    let node = ward.start();
    let told = open_alarms(&ward, node.address(), 2).await;
    assert_eq!(told, ["Raised UnauthorisedEntry visitor-2 Durable", "open 1"]);
    let mut operator = ward.client(node.address(), Role::Operator, "chief").await.operator();
    let count = |status: &ach_clients_rust::Status, name: &str| {
        status.counters.iter().find(|c| c.name.as_str() == name).unwrap().count
    };
    let status = operator.status().await.unwrap();
    assert_eq!(count(&status, "shard_site_version"), 2);
    drain(node).await;
    // The same site again is no new version.
    let node = ward.start();
    let mut operator = ward.client(node.address(), Role::Operator, "chief").await.operator();
    let status = operator.status().await.unwrap();
    assert_eq!(count(&status, "shard_site_version"), 2);
    drain(node).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_journal_ends_storing_and_alarms_go_on() {
    let ward = Ward::new();
    let disk = SimDisk::new(27, DISK_BYTES);
    let node = ward.start_on(disk.clone());
    let vendor = ward.vendor(node.address()).await;
    vendor.report(Report::tag(TagId(1), now(), ReportWord::ButtonPressed)).await.unwrap();
    vendor.drain().await.unwrap();
    vendor.publish(ping(2, 25_000, 5_000)).await.unwrap();
    vendor.drain().await.unwrap();
    vendor.close().await.unwrap();
    drain(node).await;
    let damaged = disk.fork(28);
    let segment = ach_engine_journal::Disk::list(&damaged).unwrap().into_iter();
    let segment = segment.filter(|name| damaged.contents(name).len() > 64 << 10).min().unwrap();
    // Bytes between groups are zero and mean nothing; one in the middle of the others does.
    let contents = damaged.contents(&segment);
    let used: Vec<usize> = (0..contents.len()).filter(|&at| contents[at] != 0).collect();
    damaged.corrupt(&segment, |bytes| bytes[used[used.len() / 2]] ^= 1).unwrap();
    let node = ward.start_on(damaged);
    let health = node.health();
    assert!(matches!(health.stopped, Some(StoringStopped::Damaged { .. })), "{health:?}");
    let client = ward.client(node.address(), Role::Receiver, "desk").await;
    let mut alarms = client.subscriber().alarms(Filter::default(), None).await.unwrap();
    let vendor = ward.vendor(node.address()).await;
    assert!(!vendor.progress().borrow().is_storing);
    vendor.publish(ping(9, 25_000, 5_000)).await.unwrap();
    loop {
        let update = tokio::time::timeout(PATIENCE, alarms.next()).await.unwrap().unwrap();
        if render(&update) == "Raised UnauthorisedEntry visitor-9 Provisional(NoDisk)" {
            break;
        }
    }
}

fn journal_with(folder: &Ward, entry: &Entry) {
    let path = folder.folder.path().join("data").join("journal");
    let disk = ach_engine_journal::FileDisk::create(path).unwrap();
    let key = KekSource::File(folder.folder.path().join("journal.key"));
    let kek = key.load_for(&disk).unwrap();
    let config = Config { segment_bytes: 1 << 20, reserve_bytes: 0, ..Config::default() };
    let (mut journal, _) = Journal::open(disk, config, kek, &mut |_| {}).unwrap();
    let mut bytes = Vec::new();
    encode_entry(entry, &mut bytes).unwrap();
    journal.append(RecordKind::Entry, 0, 1, entry.index, &bytes).unwrap();
    journal.close().unwrap();
}

fn first_entry(ward: &Ward) -> Entry {
    let mut site = ward.site.clone();
    site.version = 1;
    Entry {
        index: 1,
        at: now(),
        site_version: 0,
        logic_version: LOGIC_VERSION,
        inputs: vec![Input::SiteChange(Box::new(site))],
        effects_hash: 0,
    }
}

#[test]
fn a_journal_that_this_build_decides_differently_is_refused() {
    let ward = Ward::new();
    journal_with(&ward, &Entry { effects_hash: 1, ..first_entry(&ward) });
    let refused = Node::start(ward.config()).unwrap_err();
    assert!(matches!(refused, StartError::Diverged { index: 1, from: 0 }), "{refused}");
}

#[test]
fn an_entry_of_a_newer_logic_is_refused_and_not_decided() {
    let ward = Ward::new();
    journal_with(&ward, &Entry { logic_version: LOGIC_VERSION + 1, ..first_entry(&ward) });
    let refused = Node::start(ward.config()).unwrap_err();
    assert!(matches!(refused, StartError::NewerLogic { index: 1, .. }), "{refused}");
    assert!(refused.to_string().contains("start the newer program"), "{refused}");
}

#[test]
fn a_journal_without_its_beginning_and_without_a_checkpoint_is_refused() {
    let ward = Ward::new();
    journal_with(&ward, &Entry { index: 2, ..first_entry(&ward) });
    let refused = Node::start(ward.config()).unwrap_err();
    assert!(matches!(refused, StartError::NoCheckpoint { index: 2 }), "{refused}");
}

#[test]
fn a_folder_of_another_site_and_a_second_process_are_refused() {
    let mut ward = Ward::new();
    let node = ward.start();
    let refused = Node::start(ward.config()).unwrap_err();
    assert!(matches!(refused, StartError::Journal(_)), "{refused}");
    assert_eq!(node.drain(), Ended::Drained);
    ward.site.site = name("st-elsewhere");
    let refused = Node::start(ward.config()).unwrap_err();
    assert!(matches!(refused, StartError::OtherCertificate { .. }), "{refused}");
}
