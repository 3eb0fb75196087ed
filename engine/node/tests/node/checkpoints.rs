//! A node with checkpoints: it comes back from them, from the one before, or from the journal.

use ach_actors_model::TagId;
use ach_clients_rust::{Report, ReportWord, Role, now};
use ach_engine_checkpoint::{Shelf, name_of};
use ach_engine_journal::{Disk, SimDisk};
use ach_engine_node::{CheckpointPolicy, Ended, Node, Running, StartError, StoringStopped};

use crate::ward::{PATIENCE, Ward, in_time, ping, render};

pub(crate) const DISK_BYTES: u64 = 256 << 20;

/// A ward that takes a checkpoint after every few entries.
pub(crate) fn ward(is_journal_kept: bool) -> Ward {
    let mut ward = Ward::new();
    ward.limits.checkpoints = CheckpointPolicy { journal_bytes: 1, entries: 3, is_journal_kept };
    ward
}

/// Waits until a node has taken so many checkpoints; gives it something to decide meanwhile.
pub(crate) async fn taken(ward: &Ward, node: &Running, count: u64) {
    let vendor = ward.vendor(node.address()).await;
    let mut x_mm = 1_000;
    let taking = async {
        while node.counters().checkpoints_taken.get() < count {
            x_mm = if x_mm > 8_000 { 1_000 } else { x_mm + 100 };
            let seq = vendor.publish(ping(1, x_mm, 1_000)).await.unwrap();
            vendor.wait_durable(seq).await.unwrap();
        }
    };
    in_time("checkpoints", taking).await;
    vendor.close().await.unwrap();
}

pub(crate) fn is_segment(name: &str) -> bool {
    std::path::Path::new(name).extension().is_some_and(|extension| extension == "seg")
}

pub(crate) async fn drain(node: Running) {
    let ended = tokio::task::spawn_blocking(move || node.drain()).await.unwrap();
    assert_eq!(ended, Ended::Drained);
}

/// The open alarms and the mark behind them, in words.
pub(crate) async fn open_alarms(ward: &Ward, node: &Running) -> Vec<String> {
    let client = ward.client(node.address(), Role::Receiver, "desk").await;
    let filter = ach_clients_rust::Filter::default();
    let mut alarms = client.subscriber().alarms(filter, None).await.unwrap();
    let mut told = Vec::new();
    loop {
        let update = tokio::time::timeout(PATIENCE, alarms.next()).await.unwrap().unwrap();
        let words = render(&update);
        let is_over = words.starts_with("open ");
        told.push(words);
        if is_over {
            told.sort();
            return told;
        }
    }
}

pub(crate) fn gauge(node: &Running, name: &str) -> u64 {
    node.gauges().into_iter().find(|(found, _)| *found == name).unwrap().1
}

pub(crate) fn indexes(disk: &SimDisk) -> Vec<u64> {
    Shelf::new(disk.clone()).list().unwrap().into_iter().map(|one| one.index).collect()
}

/// A disk on which a node has raised alarms, taken checkpoints and raised another alarm since.
pub(crate) async fn lived(ward: &Ward, seed: u64) -> SimDisk {
    let disk = SimDisk::new(seed, DISK_BYTES);
    let node = ward.start_on(disk.clone());
    let vendor = ward.vendor(node.address()).await;
    vendor.publish(ping(2, 25_000, 5_000)).await.unwrap();
    vendor.report(Report::tag(TagId(1), now(), ReportWord::ButtonPressed)).await.unwrap();
    vendor.drain().await.unwrap();
    vendor.close().await.unwrap();
    taken(ward, &node, 3).await;
    let vendor = ward.vendor(node.address()).await;
    vendor.publish(ping(3, 25_000, 5_000)).await.unwrap();
    vendor.drain().await.unwrap();
    vendor.close().await.unwrap();
    drain(node).await;
    disk
}

pub(crate) const OPEN: [&str; 4] = [
    "Raised Duress nurse Durable",
    "Raised UnauthorisedEntry visitor-2 Durable",
    "Raised UnauthorisedEntry visitor-3 Durable",
    "open 3",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_node_comes_back_from_a_checkpoint_and_the_journal_after_it() {
    let ward = ward(false);
    let disk = lived(&ward, 7).await;
    assert_eq!(indexes(&disk).len(), 2, "two are kept");
    for disk in [disk.fork(8), cut(&disk, 9)] {
        let node = ward.start_on(disk);
        assert_eq!(open_alarms(&ward, &node).await, OPEN);
        assert_eq!(gauge(&node, "alarms_open"), 3);
        assert!(node.health().stopped.is_none());
        // It goes on where it was: the same alarm does not come twice, and ends.
        let vendor = ward.vendor(node.address()).await;
        vendor.publish(ping(2, 1_000, 1_000)).await.unwrap();
        vendor.drain().await.unwrap();
        assert_eq!(open_alarms(&ward, &node).await.len(), 3);
    }
}

fn cut(disk: &SimDisk, seed: u64) -> SimDisk {
    let cut = disk.fork(seed);
    cut.cut_power();
    cut.power_on()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_checkpoint_is_passed_over_for_the_one_before_and_both_for_the_whole_journal() {
    let ward = ward(true);
    let disk = lived(&ward, 17).await;
    let found = indexes(&disk);
    for damaged_count in 1..=2 {
        let damaged = disk.fork(18);
        for &index in found.iter().take(damaged_count) {
            damaged.corrupt(&name_of(index), |bytes| bytes[300] ^= 1).unwrap();
        }
        let node = ward.start_on(damaged.clone());
        assert_eq!(open_alarms(&ward, &node).await, OPEN, "{damaged_count} damaged");
        assert!(node.health().stopped.is_none());
        taken(&ward, &node, 2).await;
        drain(node).await;
        let left = indexes(&damaged);
        assert!(left.len() == 2 && left.iter().all(|index| !found.contains(index)), "{left:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lives_that_are_each_too_short_for_a_checkpoint_make_one_together() {
    const LIFE_ENTRIES: u64 = 10;
    let mut ward = Ward::new();
    ward.limits.checkpoints =
        CheckpointPolicy { journal_bytes: u64::MAX, entries: 45, is_journal_kept: true };
    let mut disk = SimDisk::new(47, DISK_BYTES);
    let mut lives = 0;
    while indexes(&disk).is_empty() {
        lives += 1;
        assert!(lives < 20, "no checkpoint after {lives} lives");
        let node = ward.start_on(disk.clone());
        let vendor = ward.vendor(node.address()).await;
        for step in 0..LIFE_ENTRIES {
            // Waited for one by one, so each has an entry of its own.
            let x_mm = 1_000 + 100 * i32::try_from(step).unwrap();
            let seq = vendor.publish(ping(1, x_mm, 1_000)).await.unwrap();
            vendor.wait_durable(seq).await.unwrap();
        }
        vendor.close().await.unwrap();
        drain(node).await;
        disk = cut(&disk, lives);
    }
    assert!(lives > 2, "one life was long enough: {lives}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_was_given_up_and_no_checkpoint_left_is_refused_with_the_remedy() {
    let ward = ward(false);
    let disk = SimDisk::new(27, DISK_BYTES);
    // Every start begins a segment.
    let node = ward.start_on(disk.clone());
    let first = disk.list().unwrap().into_iter().find(|name| is_segment(name)).unwrap();
    taken(&ward, &node, 1).await;
    drain(node).await;
    let node = ward.start_on(disk.clone());
    let mut count = 3;
    let given_up = async {
        while node.counters().segments_given_up.get() == 0 {
            taken(&ward, &node, count).await;
            count += 1;
        }
    };
    in_time("a segment to be given up", given_up).await;
    drain(node).await;
    assert!(!disk.list().unwrap().contains(&first));
    let node = ward.start_on(disk.fork(28));
    assert_eq!(open_alarms(&ward, &node).await, ["open 0"]);
    drop(node);
    let bare = disk.fork(29);
    for index in indexes(&bare) {
        bare.corrupt(&name_of(index), |bytes| bytes[300] ^= 1).unwrap();
    }
    let clock = std::sync::Arc::new(ach_engine_node::SystemClock::default());
    let refused = Node::start_on(ward.config(), &bare, clock).unwrap_err();
    assert!(matches!(refused, StartError::NoCheckpoint { .. }), "{refused}");
    assert!(refused.to_string().contains("backup"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_ends_before_its_checkpoint_has_lost_what_was_acked_and_says_so() {
    let ward = ward(true);
    let disk = lived(&ward, 37).await;
    let lost = disk.fork(38);
    for name in lost.list().unwrap() {
        if is_segment(&name) || name == "mark" {
            lost.remove(&name).unwrap();
        }
    }
    let node = ward.start_on(lost);
    let health = node.health();
    assert!(matches!(health.stopped, Some(StoringStopped::Damaged { .. })), "{health:?}");
    // The state of the checkpoint is there all the same; the alarm after it is not.
    assert_eq!(open_alarms(&ward, &node).await[..2], OPEN[..2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_of_another_journal_is_not_believed() {
    let ward = ward(true);
    let disk = lived(&ward, 47).await;
    let other = lived(&ward, 48).await;
    let foreign = indexes(&other)[0];
    let mixed = disk.fork(49);
    for index in indexes(&mixed) {
        mixed.remove(&name_of(index)).unwrap();
    }
    let bytes = other.contents(&name_of(foreign));
    let file = mixed.create(&name_of(foreign), 0).unwrap();
    ach_engine_journal::DiskFile::write_at(&file, 0, &bytes).unwrap();
    // The journal is whole, so it is believed instead.
    let node = ward.start_on(mixed);
    assert_eq!(open_alarms(&ward, &node).await, OPEN);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_costs_checkpoints_and_neither_alarms_nor_acks() {
    let ward = ward(false);
    let disk = SimDisk::new(57, DISK_BYTES);
    let node = ward.start_on(disk.clone());
    taken(&ward, &node, 1).await;
    // Room for what is there and the next segment, not for what a checkpoint must leave.
    disk.set_capacity(DISK_BYTES - disk.free_bytes().unwrap() + (1 << 20));
    let vendor = ward.vendor(node.address()).await;
    let mut alarms = ward.alarms(node.address()).await;
    let given_up = async {
        while node.counters().checkpoints_given_up.get() == 0 {
            let seq = vendor.publish(ping(1, 1_000, 1_000)).await.unwrap();
            vendor.wait_durable(seq).await.unwrap();
        }
    };
    in_time("a checkpoint to be given up", given_up).await;
    vendor.publish(ping(2, 25_000, 5_000)).await.unwrap();
    alarms.expect("Raised UnauthorisedEntry visitor-2 Provisional(None)").await;
    alarms.expect("durable Raised").await;
    let before = node.counters().checkpoints_taken.get();
    disk.set_capacity(DISK_BYTES);
    taken(&ward, &node, before + 1).await;
    assert!(node.health().stopped.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_that_changed_and_an_actor_that_is_set_aside_come_back() {
    let mut ward = ward(false);
    let disk = SimDisk::new(67, DISK_BYTES);
    let node = ward.start_on(disk.clone());
    let mut operator = ward.client(node.address(), Role::Operator, "chief").await.operator();
    let tag = ach_clients_rust::Thing::Tag(TagId(2));
    operator.quarantine(tag.clone()).await.unwrap();
    let mut changed = ward.site.clone();
    changed.zones[0].capacity = Some(3);
    changed.version = 2;
    node.change_site(changed.clone()).await.unwrap();
    taken(&ward, &node, 2).await;
    drain(node).await;
    ward.site = changed;
    let node = ward.start_on(disk);
    assert_eq!(gauge(&node, "shard_site_version"), 2);
    assert_eq!(gauge(&node, "actors_quarantined"), 1);
    let mut operator = ward.client(node.address(), Role::Operator, "chief").await.operator();
    operator.release(tag).await.unwrap();
    let vendor = ward.vendor(node.address()).await;
    let mut alarms = ward.alarms(node.address()).await;
    vendor.publish(ping(2, 25_000, 5_000)).await.unwrap();
    let alarm = in_time("the released tag's alarm", alarms.next()).await;
    assert!(alarm.starts_with("Raised UnauthorisedEntry visitor-2"), "{alarm}");
}

/// The key of the fixture.
fn fixed_key(ward: &Ward) {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let path = ward.folder.path().join("journal.key");
    let mut file =
        std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).unwrap();
    file.write_all("2a".repeat(32).as_bytes()).unwrap();
}

/// A checkpoint of a format, alone on a disk, and what a node makes of it.
fn started_from(version: u32) -> (Ward, Running) {
    let ward = ward(true);
    fixed_key(&ward);
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let bytes = std::fs::read(folder.join(format!("v{version}/state.ckpt"))).unwrap();
    assert_eq!(bytes[8..12], version.to_le_bytes());
    let index = u64::from_le_bytes(bytes[16..24].try_into().unwrap());
    let disk = SimDisk::new(78, DISK_BYTES);
    let file = disk.create(&name_of(index), 0).unwrap();
    ach_engine_journal::DiskFile::write_at(&file, 0, &bytes).unwrap();
    let node = ward.start_on(disk);
    (ward, node)
}

/// A checkpoint of each released format is restored whole by this build. `ACH_FIXTURE` names a folder to
/// write the one of this build into; what is there for old formats stays.
#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_of_format_3_is_restored_as_it_was() {
    if let Some(folder) = std::env::var_os("ACH_FIXTURE") {
        let ward = ward(true);
        fixed_key(&ward);
        let disk = lived(&ward, 77).await;
        let bytes = disk.contents(&name_of(indexes(&disk)[0]));
        std::fs::write(std::path::Path::new(&folder).join("state.ckpt"), bytes).unwrap();
    }
    let (ward, node) = started_from(3);
    // Its journal is not there, which is told.
    let stopped = node.health().stopped;
    assert!(matches!(stopped, Some(StoringStopped::Damaged { .. })), "{stopped:?}");
    assert_eq!(open_alarms(&ward, &node).await, [OPEN[0], OPEN[1], "open 2"]);
    assert_eq!(gauge(&node, "shard_site_version"), 1);
}

/// Formats from before the first release: nothing is made up of them, and alarms go on.
#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_of_a_format_that_was_never_released_is_not_taken() {
    let (ward, node) = started_from(2);
    assert_eq!(open_alarms(&ward, &node).await, ["open 0"]);
}
