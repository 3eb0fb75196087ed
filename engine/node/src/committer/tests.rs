//! The committer over logs that fail and are held up.

use std::sync::Mutex;
use std::task::Waker;

use super::*;
use crate::clock::SystemClock;

/// A log that fails on its `fails_at`th commit and can be held up.
#[derive(Debug, Default)]
struct TestLog {
    appended: Vec<u64>,
    committed: Arc<Mutex<Vec<Vec<u64>>>>,
    commits: usize,
    fails_at: Option<usize>,
    held: Arc<Mutex<()>>,
    panics: bool,
}

impl EntryLog for TestLog {
    fn append(&mut self, index: u64, _bytes: &[u8]) -> Result<(), StoringStopped> {
        self.appended.push(index);
        Ok(())
    }

    fn commit(&mut self) -> Result<(), StoringStopped> {
        assert!(!self.panics, "told to");
        let _held = self.held.lock();
        self.commits += 1;
        if self.fails_at == Some(self.commits) {
            return Err(StoringStopped::Failed { detail: "told to".to_owned() });
        }
        self.committed.lock().unwrap().push(std::mem::take(&mut self.appended));
        Ok(())
    }
}

struct Rig {
    committer: Committer,
    mark: Arc<CommitMark>,
    counters: Arc<Counters>,
    committed: Arc<Mutex<Vec<Vec<u64>>>>,
}

impl Rig {
    /// Closes the committer and waits until all is on disk, or will never be.
    fn close(&mut self) {
        self.committer.begin_close();
        self.committer.join();
    }
}

fn rig(log: TestLog) -> Rig {
    let mark = Arc::new(CommitMark::at(0));
    let counters = Arc::new(Counters::default());
    let committed = log.committed.clone();
    let clock = Arc::new(SystemClock::default());
    let started = Committer::start(Box::new(log), mark.clone(), counters.clone(), clock);
    Rig { committer: started.unwrap(), mark, counters, committed }
}

#[test]
fn everything_given_is_on_disk_when_the_committer_closes() {
    let mut rig = rig(TestLog::default());
    for index in 1..=1_000 {
        rig.committer.store(index, vec![0; 48], index % 7 == 0);
    }
    rig.close();
    let committed: Vec<u64> = rig.committed.lock().unwrap().concat();
    assert_eq!(committed, (1..=1_000).collect::<Vec<u64>>());
    assert_eq!(rig.mark.durable_index(), 1_000);
    assert_eq!(rig.counters.entries_committed.get(), 1_000);
    assert_eq!(rig.mark.backlog_bytes(), 0);
}

#[test]
fn what_comes_while_the_disk_is_busy_is_one_group() {
    let held = Arc::new(Mutex::new(()));
    let mut rig = rig(TestLog { held: held.clone(), ..TestLog::default() });
    let busy = held.lock().unwrap();
    rig.committer.store(1, vec![0; 48], true);
    while rig.mark.backlog_bytes() > 0 {
        std::thread::yield_now();
    }
    for index in 2..=50 {
        rig.committer.store(index, vec![0; 48], true);
    }
    drop(busy);
    rig.close();
    assert!(rig.committed.lock().unwrap().len() <= 3);
    assert_eq!(rig.mark.durable_index(), 50);
}

#[test]
fn a_failed_flush_ends_storing_and_nothing_later_counts_as_durable() {
    let mut rig = rig(TestLog { fails_at: Some(2), ..TestLog::default() });
    rig.committer.store(1, vec![0; 48], true);
    while rig.mark.durable_index() < 1 {
        std::thread::yield_now();
    }
    rig.committer.store(2, vec![0; 48], true);
    while rig.mark.is_storing() {
        std::thread::yield_now();
    }
    rig.committer.store(3, vec![0; 48], true);
    rig.close();
    assert_eq!(rig.mark.durable_index(), 1);
    assert!(matches!(rig.mark.stopped(), Some(StoringStopped::Failed { .. })));
    assert_eq!(rig.counters.entries_not_stored.get(), 2);
}

#[test]
fn too_much_waiting_ends_storing_instead_of_filling_memory() {
    let held = Arc::new(Mutex::new(()));
    let rig = rig(TestLog { held: held.clone(), ..TestLog::default() });
    let busy = held.lock().unwrap();
    let large = 64 * 1024 * 1024;
    for index in 1..=7 {
        rig.committer.store(index, vec![0; large], true);
    }
    assert!(matches!(rig.mark.stopped(), Some(StoringStopped::Backlog { .. })));
    drop(busy);
}

#[test]
fn nobody_is_made_to_wait_for_a_disk_that_does_not_answer() {
    let held = Arc::new(Mutex::new(()));
    let mut rig = rig(TestLog { held: held.clone(), ..TestLog::default() });
    let busy = held.lock().unwrap();
    rig.committer.store(1, vec![0; 48], true);
    rig.committer.begin_close();
    let cx = Context::from_waker(Waker::noop());
    assert!(rig.committer.poll_closed(&cx).is_pending());
    drop(busy);
    rig.close();
    assert!(rig.committer.poll_closed(&cx).is_ready());
    assert_eq!(rig.mark.durable_index(), 1);
    rig.committer.store(2, vec![0; 48], true);
    assert_eq!(rig.counters.entries_not_stored.get(), 1, "nothing is taken after the end");
}

#[test]
fn a_committer_that_is_dropped_leaves_a_stuck_disk_behind() {
    let held = Arc::new(Mutex::new(()));
    let rig = rig(TestLog { held: held.clone(), ..TestLog::default() });
    let busy = held.lock().unwrap();
    rig.committer.store(1, vec![0; 48], true);
    drop(rig);
    drop(busy);
}

#[test]
fn a_panic_of_the_committer_is_a_failed_disk() {
    let mut rig = rig(TestLog { panics: true, ..TestLog::default() });
    rig.committer.store(1, vec![0; 48], true);
    rig.close();
    assert!(matches!(rig.mark.stopped(), Some(StoringStopped::Failed { .. })));
    assert_eq!(rig.mark.durable_index(), 0);
}
