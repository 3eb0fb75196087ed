//! A node that writes its history: what can be asked, after whatever happens to it.

use std::fs::File;
use std::path::{Path, PathBuf};

use ach_actors_model::{TagId, Timestamp, ZoneRef};
use ach_clients_rust::{Report, ReportWord, now};
use ach_engine_node::{
    CheckpointPolicy, Ended, HistoryPolicy, HistoryTrouble, Node, Rung, Running, ring,
};
use ach_engine_store::{KeptPing, NameKind, OpenError, Store, archives};

use crate::ward::{Ward, in_time, ping};

pub(crate) const LIMIT: usize = 1_000;

/// A ward that remembers, and takes a checkpoint after every few entries.
pub(crate) fn ward() -> Ward {
    let mut ward = Ward::new();
    ward.limits.history = Some(HistoryPolicy::default());
    ward.limits.checkpoints =
        CheckpointPolicy { journal_bytes: 1, entries: 5, is_journal_kept: false };
    ward
}

pub(crate) fn data(ward: &Ward) -> PathBuf {
    ward.folder.path().join("data")
}

pub(crate) async fn drain(node: Running) {
    assert_eq!(tokio::task::spawn_blocking(move || node.drain()).await.unwrap(), Ended::Drained);
}

/// Publishes so many pings, each in an entry of its own, a step east each.
pub(crate) async fn walk(ward: &Ward, node: &Running, from_mm: i32, count: i32) {
    let vendor = ward.vendor(node.address()).await;
    for step in 0..count {
        let seq = vendor.publish(ping(2, from_mm + step, 5_000)).await.unwrap();
        vendor.wait_durable(seq).await.unwrap();
    }
    vendor.close().await.unwrap();
}

/// What a store has of the walker, which must be the steps from 22,000 mm on, in the vault, each once.
#[track_caller]
fn check_walk(store: &Store, count: i32) {
    let tag = store.tag(TagId(2)).unwrap().expect("the tag is known");
    let pings: Result<Vec<KeptPing>, _> =
        store.pings(tag, Timestamp(0), Timestamp(u64::MAX)).unwrap().collect();
    let found: Vec<i32> = pings.unwrap().iter().map(|ping| ping.position.x_mm).collect();
    let expected: Vec<i32> = (22_000..22_000 + count).collect();
    assert_eq!(found, expected);
    store.verify().unwrap();
}

pub(crate) fn vault(store: &Store) -> ZoneRef {
    ZoneRef(store.number(NameKind::Zone, "vault").unwrap().unwrap())
}

/// Asks a running node to write, and opens what it has written.
pub(crate) async fn asked(ward: &Ward) -> (Store, tempfile::TempDir) {
    let data = data(ward);
    let ringing = async {
        loop {
            let place = data.clone();
            let rung = tokio::task::spawn_blocking(move || ring(&place)).await.unwrap();
            // It opens its history while it works already.
            if let Ok(Rung::Written { through }) = rung {
                return through;
            }
        }
    };
    let through = in_time("history to be written", ringing).await;
    let scratch = tempfile::tempdir_in(&data).unwrap();
    let store = Store::open_linked(&data.join("history"), &scratch.path().join("lsm")).unwrap();
    assert!(store.through().unwrap() >= through);
    (store, scratch)
}

/// The history of a node that has stopped. Whoever still has its lock for a moment is waited for.
#[track_caller]
pub(crate) fn opened(folder: &Path) -> Store {
    match Store::open(folder) {
        Err(OpenError::InUse) => {
            File::open(folder.join("lock")).unwrap().lock().unwrap();
            Store::open(folder).unwrap()
        }
        opened => opened.unwrap(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_node_is_asked_and_what_it_says_is_there_after_a_restart() {
    let ward = ward();
    let node = ward.start();
    walk(&ward, &node, 22_000, 20).await;
    let vendor = ward.vendor(node.address()).await;
    vendor.report(Report::tag(TagId(1), now(), ReportWord::ButtonPressed)).await.unwrap();
    vendor.drain().await.unwrap();
    vendor.close().await.unwrap();
    let (store, _scratch) = asked(&ward).await;
    check_walk(&store, 20);
    let all = (Timestamp(0), Timestamp(u64::MAX));
    assert_eq!(store.visits_of_zone(vault(&store), all, LIMIT).unwrap().len(), 1);
    assert_eq!(store.alarms(all, LIMIT).unwrap().len(), 2);
    drop(store);
    assert_eq!(node.counters().history_entries_left_out.get(), 0);
    drain(node).await;
    let kept = opened(&data(&ward).join("history"));
    check_walk(&kept, 20);
    drop(kept);
    // Another life: nothing twice.
    let node = ward.start();
    walk(&ward, &node, 22_020, 10).await;
    let (store, _scratch) = asked(&ward).await;
    check_walk(&store, 30);
    assert_eq!(store.alarms(all, LIMIT).unwrap().len(), 2);
    assert_eq!(node.health().history_trouble, None);
    drain(node).await;
    assert!(ring(&data(&ward)).is_err(), "nobody is there any more");
}

/// A kill is an end at which nothing was written: the store is as it was at some moment before.
#[tokio::test(flavor = "multi_thread")]
async fn after_a_kill_history_goes_on_from_the_journal_whatever_it_had_written() {
    let ward = ward();
    let node = ward.start();
    let history = data(&ward).join("history");
    walk(&ward, &node, 22_000, 15).await;
    let (_, early) = asked(&ward).await;
    walk(&ward, &node, 22_015, 30).await;
    drain(node).await;
    // The store as of the fifteenth ping, the journal as of the last.
    std::fs::remove_dir_all(&history).unwrap();
    std::fs::rename(early.path().join("lsm"), &history).unwrap();
    let node = ward.start();
    let (store, _scratch) = asked(&ward).await;
    check_walk(&store, 45);
    assert!(node.counters().history_entries_reread.get() >= 30);
    assert_eq!(node.counters().history_rebuilds.get(), 0);
    drain(node).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_history_is_derived_anew_while_the_node_works() {
    let ward = ward();
    let node = ward.start();
    walk(&ward, &node, 22_000, 12).await;
    drain(node).await;
    let current = data(&ward).join("history/keyspaces/1/current");
    let mut bytes = std::fs::read(&current).unwrap();
    bytes[9] ^= 1;
    std::fs::write(&current, bytes).unwrap();
    let node = ward.start();
    walk(&ward, &node, 22_012, 12).await;
    let (store, _scratch) = asked(&ward).await;
    check_walk(&store, 24);
    assert_eq!(node.counters().history_rebuilds.get(), 1);
    assert!(data(&ward).join("history.damaged").exists());
    let trouble = async {
        while node.health().history_trouble.is_some() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    in_time("the trouble to be over", trouble).await;
    drain(node).await;
}

/// Somebody looks into the store when the node starts: it works, waits, and then takes what it missed.
#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_in_use_is_waited_for() {
    let ward = ward();
    let held = opened(&data(&ward).join("history"));
    let node = ward.start();
    let told = async {
        while !matches!(node.health().history_trouble, Some(HistoryTrouble::NotOpened { .. })) {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    in_time("the trouble to be told", told).await;
    assert!(node.health().is_degraded() && node.health().is_ready());
    walk(&ward, &node, 22_000, 25).await;
    drop(held);
    let (store, _scratch) = asked(&ward).await;
    check_walk(&store, 25);
    drain(node).await;
}

pub(crate) fn segment_files(journal: &Path) -> Vec<PathBuf> {
    let files = std::fs::read_dir(journal).unwrap().map(|it| it.unwrap().path());
    let mut files: Vec<PathBuf> =
        files.filter(|file| file.extension().is_some_and(|it| it == "seg")).collect();
    files.sort();
    files
}

/// Lives until the journal has given something up, and says how many steps were walked.
async fn given_up(ward: &Ward, mut count: i32) -> i32 {
    let has_archives = ward.limits.history.is_some_and(|policy| policy.archive_days > 0);
    // Every start begins a segment.
    loop {
        let node = ward.start();
        walk(ward, &node, 22_000 + count, 12).await;
        count += 12;
        let archived = async {
            while has_archives && node.counters().history_entries_archived.get() == 0 {
                walk(ward, &node, 22_000 + count, 6).await;
                count += 6;
            }
        };
        in_time("something to be archived", archived).await;
        let (store, _scratch) = asked(ward).await;
        check_walk(&store, count);
        drop(store);
        // The next commit gives up what it may.
        walk(ward, &node, 22_000 + count, 6).await;
        count += 6;
        let given_up = node.counters().segments_given_up.get();
        drain(node).await;
        if given_up > 0 {
            return count;
        }
        assert!(
            count < 1_000,
            "nothing was given up: {} segments",
            segment_files(&data(ward).join("journal")).len()
        );
    }
}

/// The journal gives up only what is archived and in history, and then all of it can be derived again
/// from archives, checkpoints and what is left.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_journal_gives_up_is_in_history_and_archives() {
    let ward = ward();
    let mut count = given_up(&ward, 0).await;
    let journal = data(&ward).join("journal");
    let before = segment_files(&journal);
    let spans = archives(&data(&ward).join("archive")).unwrap();
    assert_eq!(spans[0].first_index, 1);
    let has_gap = spans.windows(2).any(|two| two[0].last_index + 1 != two[1].first_index);
    assert!(!has_gap, "{spans:?}");
    // All of it anew.
    std::fs::remove_dir_all(data(&ward).join("history")).unwrap();
    let node = ward.start();
    let (store, _scratch) = asked(&ward).await;
    check_walk(&store, count);
    drop(store);
    // Until the journal has nothing of it, a few steps at a time: a start asks history first.
    let gone = async {
        while segment_files(&journal).iter().any(|file| before.contains(file)) {
            walk(&ward, &node, 22_000 + count, 6).await;
            count += 6;
            drop(asked(&ward).await);
        }
    };
    in_time("the journal to give up what is archived", gone).await;
    drain(node).await;
    // All but some in the middle: what was before them nothing joins to what comes.
    std::fs::remove_file(&spans.last().unwrap().file).unwrap();
    let count = check_begins_later(&ward, count).await;
    std::fs::remove_dir_all(data(&ward).join("archive")).unwrap();
    check_begins_later(&ward, count).await;
}

/// A new history begins after a checkpoint of which all that follows is there, and says so by what it has.
async fn check_begins_later(ward: &Ward, count: i32) -> i32 {
    std::fs::remove_dir_all(data(ward).join("history")).unwrap();
    let node = ward.start();
    // After the last checkpoint there may be entries without a ping.
    walk(ward, &node, 22_000 + count, 6).await;
    let count = count + 6;
    let (store, _scratch) = asked(ward).await;
    let tag = store.tag(TagId(2)).unwrap().unwrap();
    let pings: Result<Vec<KeptPing>, _> =
        store.pings(tag, Timestamp(0), Timestamp(u64::MAX)).unwrap().collect();
    let found: Vec<i32> = pings.unwrap().iter().map(|ping| ping.position.x_mm).collect();
    let last = 22_000 + count - 1;
    assert_eq!(found.last(), Some(&last));
    assert!(
        found.len() < usize::try_from(count).unwrap()
            && found.windows(2).all(|two| two[0] + 1 == two[1])
    );
    let all = (Timestamp(0), Timestamp(u64::MAX));
    let visits = store.visits_of_zone(vault(&store), all, LIMIT).unwrap();
    assert_eq!(visits.len(), 1, "who was inside is inside");
    drain(node).await;
    count
}

/// A history that was put back, with the checkpoint it was to go on from: what follows is in archives.
#[tokio::test(flavor = "multi_thread")]
async fn history_goes_on_from_a_checkpoint_of_which_the_journal_is_archived() {
    let ward = ward();
    let (journal, history) = (data(&ward).join("journal"), data(&ward).join("history"));
    let node = ward.start();
    walk(&ward, &node, 22_000, 24).await;
    drain(node).await;
    let saved = ward.folder.path().join("saved");
    copy(&journal, &saved);
    std::fs::rename(&history, ward.folder.path().join("early")).unwrap();
    let count = given_up(&ward, 24).await;
    std::fs::remove_dir_all(&history).unwrap();
    std::fs::rename(ward.folder.path().join("early"), &history).unwrap();
    for file in std::fs::read_dir(&saved).unwrap() {
        let file = file.unwrap();
        if file.path().extension().is_some_and(|it| it == "ckpt") {
            std::fs::copy(file.path(), journal.join(file.file_name())).unwrap();
        }
    }
    let node = ward.start();
    let (store, _scratch) = asked(&ward).await;
    check_walk(&store, count);
    assert_eq!(node.counters().history_rebuilds.get(), 0);
    drain(node).await;
}

/// A store that is opened late is gone on with, though nothing but one checkpoint tells what was before.
#[tokio::test(flavor = "multi_thread")]
async fn the_checkpoint_that_history_goes_on_from_waits_for_it() {
    let mut ward = ward();
    ward.limits.history = Some(HistoryPolicy { keep_days: 30, archive_days: 0 });
    let count = given_up(&ward, 0).await;
    let held = opened(&data(&ward).join("history"));
    let node = ward.start();
    walk(&ward, &node, 22_000 + count, 40).await;
    assert!(node.counters().checkpoints_taken.get() > 3);
    drop(held);
    let (store, _scratch) = asked(&ward).await;
    check_walk(&store, count + 40);
    drain(node).await;
}

/// What an operator does who has no backup of a damaged segment.
#[tokio::test(flavor = "multi_thread")]
async fn a_journal_whose_beginning_was_moved_away_is_history_and_archived_from_there_on() {
    let mut ward = ward();
    ward.limits.checkpoints.is_journal_kept = true;
    ward.limits.history = Some(HistoryPolicy { keep_days: 30, archive_days: 0 });
    for life in 0..4 {
        let node = ward.start();
        walk(&ward, &node, 22_000 + life * 12, 12).await;
        drain(node).await;
    }
    let mut files = segment_files(&data(&ward).join("journal"));
    files.truncate(2);
    for file in files {
        std::fs::remove_file(file).unwrap();
    }
    let count = check_begins_later(&ward, 48).await;
    ward.limits.history = Some(HistoryPolicy::default());
    let node = ward.start();
    let archived = async {
        let mut count = count;
        while node.counters().history_entries_archived.get() == 0 {
            walk(&ward, &node, 22_000 + count, 6).await;
            count += 6;
        }
    };
    in_time("something to be archived", archived).await;
    drain(node).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_is_damaged_leaves_history_and_archives_as_they_are() {
    let ward = ward();
    let count = given_up(&ward, 0).await;
    let archive = data(&ward).join("archive");
    let spans = archives(&archive).unwrap();
    for file in &segment_files(&data(&ward).join("journal")) {
        let mut bytes = std::fs::read(file).unwrap();
        if let Some(end) = bytes.iter().skip(8_192).rposition(|byte| *byte != 0) {
            bytes[8_192 + end] ^= 1;
            std::fs::write(file, bytes).unwrap();
        }
    }
    let node = ward.start();
    assert!(node.health().stopped.is_some(), "{:?}", node.health());
    let (store, _scratch) = asked(&ward).await;
    check_walk(&store, count);
    drop(store);
    assert_eq!(node.counters().history_rebuilds.get(), 0);
    drain(node).await;
    assert_eq!(archives(&archive).unwrap(), spans);
    assert!(!data(&ward).join("history.damaged").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_history_that_knows_more_than_the_journal_is_derived_anew() {
    let ward = ward();
    let node = ward.start();
    walk(&ward, &node, 22_000, 10).await;
    let (_, early) = asked(&ward).await;
    drop(early);
    drain(node).await;
    let (data, saved) = (data(&ward), ward.folder.path().join("saved"));
    copy(&data.join("journal"), &saved);
    let node = ward.start();
    walk(&ward, &node, 22_010, 10).await;
    drain(node).await;
    // The journal is put back from a backup; vendors send again what it lost.
    std::fs::remove_dir_all(data.join("journal")).unwrap();
    copy(&saved, &data.join("journal"));
    let node = Node::start(ward.config()).unwrap();
    let (store, _scratch) = asked(&ward).await;
    check_walk(&store, 10);
    assert_eq!(node.counters().history_rebuilds.get(), 1);
    drain(node).await;
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for file in std::fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}
