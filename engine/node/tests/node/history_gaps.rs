//! A history that goes on where the journal has given up what it lacks: it says what is missing, and holds nothing
//! back any more.

use std::path::Path;

use ach_actors_model::{TagId, Timestamp};
use ach_engine_checkpoint::FORMAT_VERSION;
use ach_engine_journal::{Disk, SimDisk};
use ach_engine_node::{HistoryPolicy, HistoryTrouble, Running};
use ach_engine_store::{HistoryGap, QueryError, Store};

use crate::checkpoints::{self, indexes, lived};
use crate::history::{LIMIT, asked, data, drain, opened, segment_files, vault, walk, ward};
use crate::late_journal::{give_up, set_version};
use crate::ward::{Ward, in_time};

const WITHOUT_ARCHIVES: HistoryPolicy = HistoryPolicy { keep_days: 30, archive_days: 0 };

const EVER: (Timestamp, Timestamp) = (Timestamp(0), Timestamp(u64::MAX));

fn steps(store: &Store, (from, until): (Timestamp, Timestamp)) -> Vec<i32> {
    let tag = store.tag(TagId(2)).unwrap().expect("the tag is known");
    let pings = store.pings(tag, from, until).unwrap();
    pings.map(|ping| ping.unwrap().position.x_mm).collect()
}

/// What a store has before and behind its one gap: the first steps, and the last ones up to `count`.
#[track_caller]
fn check_gap(store: &Store, before: i32, count: i32) -> HistoryGap {
    let gaps = store.gaps().unwrap();
    let [gap] = gaps[..] else { panic!("{gaps:?}") };
    let (begun, behind) = (gap.after_at.plus_ns(1), gap.until_at.plus_ns(1));
    assert!(steps(store, (EVER.0, begun)).into_iter().eq(22_000..22_000 + before));
    let found = steps(store, (behind, EVER.1));
    assert_eq!(found.last(), Some(&(22_000 + count - 1)));
    assert!(found.windows(2).all(|two| two[0] + 1 == two[1]), "{found:?}");
    let tag = store.tag(TagId(2)).unwrap().unwrap();
    let refused = store.pings(tag, EVER.0, EVER.1).err();
    assert!(matches!(refused, Some(QueryError::Gap { gap: it }) if it == gap), "{refused:?}");
    let inside = store.visits_of_zone(vault(store), (behind, EVER.1), LIMIT).unwrap();
    assert_eq!(inside.len(), 1, "who was inside is inside");
    let inside = store.visits_of_zone(vault(store), (EVER.0, begun), LIMIT).unwrap();
    assert_eq!(inside[0].ended_before, Some(gap.until_at), "how long is not known");
    store.verify().unwrap();
    gap
}

/// Steps until the journal has none of these segments any more; `lives` that begin one each, or one.
async fn until_gone(ward: &Ward, before: &[std::path::PathBuf], mut count: i32) -> i32 {
    let journal = data(ward).join("journal");
    while segment_files(&journal).iter().any(|file| before.contains(file)) {
        assert!(count < 1_000, "the journal keeps {:?}", segment_files(&journal));
        let node = ward.start();
        for _ in 0..3 {
            walk(ward, &node, 22_000 + count, 6).await;
            count += 6;
            if ward.limits.history.is_some() {
                drop(asked(ward).await);
            }
        }
        drain(node).await;
    }
    count
}

/// To save the disk somebody turns history off and lets the journal go, and on again weeks later.
async fn check_off_and_on(policy: HistoryPolicy) {
    let mut ward = ward();
    ward.limits.history = Some(policy);
    let journal = data(&ward).join("journal");
    let node = ward.start();
    walk(&ward, &node, 22_000, 20).await;
    drain(node).await;
    let through = opened(&data(&ward).join("history")).through().unwrap();
    ward.limits.history = None;
    let count = until_gone(&ward, &segment_files(&journal), 20).await;
    let while_off = segment_files(&journal);

    ward.limits.history = Some(policy);
    let node = ward.start();
    walk(&ward, &node, 22_000 + count, 12).await;
    let count = count + 12;
    let (store, _scratch) = asked(&ward).await;
    let gap = check_gap(&store, 20, count);
    assert_eq!(gap.after, through);
    assert_eq!((node.health().history_trouble, node.counters().history_rebuilds.get()), (None, 0));
    drop(store);
    drain(node).await;
    // And the journal goes as before, over starts that find the gap there.
    let count = until_gone(&ward, &while_off, count).await;
    let store = opened(&data(&ward).join("history"));
    assert_eq!(check_gap(&store, 20, count), gap);
}

#[tokio::test(flavor = "multi_thread")]
async fn history_that_was_off_while_the_journal_went_goes_on_behind_a_gap_and_so_does_the_journal()
{
    check_off_and_on(WITHOUT_ARCHIVES).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn archives_of_before_a_gap_keep_nothing_from_going_on() {
    check_off_and_on(HistoryPolicy::default()).await;
}

async fn life(ward: &Ward, disk: &SimDisk, count: &mut i32) -> Running {
    let node = ward.start_on(disk.clone());
    in_time("what is walked to be durable", walk(ward, &node, 22_000 + *count, 12)).await;
    *count += 12;
    node
}

fn segments(disk: &SimDisk) -> Vec<String> {
    let mut names = disk.list().unwrap();
    names.retain(|name| Path::new(name).extension().is_some_and(|it| it == "seg"));
    names
}

/// History that cannot be opened must not cost the node its storing: it loses its say before the journal takes the
/// room that it keeps for itself.
#[tokio::test(flavor = "multi_thread")]
async fn a_history_that_cannot_go_on_gives_way_before_the_journals_disk_is_full() {
    const ROOM_BYTES: u64 = 64 << 20;
    let mut ward = ward();
    ward.limits.history = Some(WITHOUT_ARCHIVES);
    let disk = SimDisk::new(71, ROOM_BYTES);
    let mut count = 0;
    let node = life(&ward, &disk, &mut count).await;
    drain(node).await;
    let held = opened(&data(&ward).join("history"));
    let through = held.through().unwrap();
    // Every start begins a segment.
    for _ in 0..4 {
        let node = life(&ward, &disk, &mut count).await;
        assert_eq!(node.counters().segments_given_up.get(), 0, "there is room");
        drain(node).await;
    }
    let kept = segments(&disk);
    // Enough for a start, which takes over what the last one prepared, and for checkpoints; too little to hold
    // anything back.
    let used_bytes = ROOM_BYTES - disk.free_bytes().unwrap();
    disk.set_capacity(used_bytes + (7 << 19));
    let mut given_up = 0;
    for _ in 0..3 {
        let node = life(&ward, &disk, &mut count).await;
        assert!(node.health().is_ready(), "{:?}", node.health().stopped);
        given_up += node.counters().segments_given_up.get();
        drain(node).await;
    }
    let left = segments(&disk);
    assert!(given_up >= 3 && !left.contains(&kept[0]), "{given_up} of {kept:?}, left are {left:?}");
    disk.set_capacity(ROOM_BYTES);
    drop(held);
    let node = life(&ward, &disk, &mut count).await;
    let (store, _scratch) = asked(&ward).await;
    assert_eq!(check_gap(&store, 12, count).after, through);
    assert_eq!(node.health().history_trouble, None);
    drop(store);
    drain(node).await;
}

/// History is turned on after the journal's beginning was given up, and the checkpoint to go on from cannot be read
/// until the right program is back. With `has_past` there was history before, which goes on behind a gap.
async fn check_waits_for_a_checkpoint(has_past: bool, seed: u64) {
    let mut ward = checkpoints::ward(false);
    ward.limits.history = has_past.then_some(WITHOUT_ARCHIVES);
    let disk = lived(&ward, seed).await;
    ward.limits.history = None;
    give_up(&ward, &disk).await;
    ward.limits.history = Some(WITHOUT_ARCHIVES);
    let history = data(&ward).join("history");
    let through = opened(&history).through().unwrap();
    assert_eq!(through > 0, has_past);
    let found = indexes(&disk);
    let [newest, oldest] = found[..] else { panic!("{found:?}") };
    assert!(newest > oldest && oldest > through, "{found:?}");

    set_version(&disk, oldest, FORMAT_VERSION + 1);
    let node = ward.start_on(disk.clone());
    let told = async {
        loop {
            match node.health().history_trouble {
                Some(HistoryTrouble::Unreadable { detail }) => return detail,
                Some(other) => panic!("{other}"),
                None => tokio::task::yield_now().await,
            }
        }
    };
    let detail = in_time("what history waits for", told).await;
    let waits = format!("the checkpoint of entry {oldest} cannot be read: ");
    assert!(detail.starts_with(&waits) && detail.ends_with("; history waits for it"), "{detail}");
    checkpoints::drain(node).await;
    let store = opened(&history);
    assert_eq!((store.through().unwrap(), store.gaps().unwrap()), (through, Vec::new()));
    drop(store);

    set_version(&disk, oldest, FORMAT_VERSION);
    let node = ward.start_on(disk.clone());
    let (store, _scratch) = asked(&ward).await;
    assert_eq!(node.health().history_trouble, None);
    checkpoints::drain(node).await;
    if has_past {
        let gaps = store.gaps().unwrap();
        let [HistoryGap { after, until, .. }] = gaps[..] else { panic!("{gaps:?}") };
        assert_eq!((after, until), (through, oldest));
    } else {
        let first = store.mark(store.days()[0]).unwrap().unwrap();
        assert_eq!(first.begins_after, oldest);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn history_waits_for_a_checkpoint_that_cannot_be_read_for_now_where_it_begins() {
    check_waits_for_a_checkpoint(false, 140).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn history_waits_for_a_checkpoint_that_cannot_be_read_for_now_behind_a_gap() {
    check_waits_for_a_checkpoint(true, 141).await;
}
