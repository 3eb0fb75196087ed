//! The writer on its thread: what does not fit is read again, and history is whole.

use std::sync::{Arc, Mutex};

use ach_engine_journal::{Config, FileDisk, Journal, Kek, RecordKind};
use ach_engine_store::{
    FeedStopped, HistoryWriter, JournalRereader, Rereader, Step as Fed, Store, history_feed,
};
use ach_engine_wire::encode_entry;

use crate::hospital::{Hospital, Step, folder};
use crate::oracle::Oracle;
use crate::random::compare;

/// Steps that are durable, as a journal has them.
#[derive(Debug, Clone, Default)]
struct Kept {
    steps: Arc<Mutex<Vec<Step>>>,
    refuses: bool,
}

impl Rereader for Kept {
    fn reread(&mut self, from: u64, each: &mut dyn FnMut(&Fed) -> bool) -> Result<(), String> {
        if self.refuses {
            return Err("the journal is gone".to_owned());
        }
        let steps = self.steps.lock().unwrap().clone();
        for step in steps.iter().filter(|step| step.entry.index >= from) {
            if !each(&fed(step)) {
                break;
            }
        }
        Ok(())
    }
}

fn fed(step: &Step) -> Fed {
    let Step { entry, effects, site } = step.clone();
    Fed { entry, effects, site }
}

#[test]
fn what_did_not_fit_is_read_again() {
    let folder = folder();
    let store = Store::open(folder.path()).unwrap();
    let writer = HistoryWriter::open(store.clone()).unwrap();
    let kept = Kept::default();
    // Room for four entries, and nobody takes them yet.
    let (feed, runner) = history_feed(writer, Box::new(kept.clone()), 4);
    let (mut hospital, mut oracle) = (Hospital::new(12, 8, 51), Oracle::default());
    let mut step = hospital.begin();
    let mut left_out = 0;
    for _ in 0..200 {
        oracle.take(&step);
        kept.steps.lock().unwrap().push(step.clone());
        left_out += u64::from(!feed.offer(fed(&step)));
        step = hospital.walk(5_000);
    }
    assert_eq!((left_out, feed.status().left_out_count), (196, 196));
    let thread = std::thread::spawn(|| runner.run());
    // The queue is full until the thread has taken something.
    let answer = loop {
        if let Some(answer) = feed.flush() {
            break answer;
        }
        std::thread::yield_now();
    };
    assert_eq!(answer.recv().unwrap(), Ok(200));
    let status = feed.status();
    assert_eq!((status.written_through, status.reread_count), (200, 196));
    assert_eq!(status.stopped, None);
    for _ in 0..50 {
        oracle.take(&step);
        kept.steps.lock().unwrap().push(step.clone());
        feed.offer(fed(&step));
        step = hospital.walk(5_000);
    }
    feed.end();
    thread.join().unwrap();
    compare(&store, &oracle, hospital.now_ns, 51);
    assert_eq!(store.through().unwrap(), 250);
}

/// The same with a real journal, which is being written at the time.
#[test]
fn what_did_not_fit_is_read_again_from_the_journal() {
    let folder = folder();
    let store = Store::open(&folder.path().join("lsm")).unwrap();
    let kek = || Kek::from_bytes(&[9; 32]).unwrap();
    let config = Config { segment_bytes: 1 << 20, ..Config::default() };
    let disk = FileDisk::create(folder.path().join("journal")).unwrap();
    let (mut journal, _) = Journal::open(disk, config, kek(), &mut |_| {}).unwrap();
    let disk = FileDisk::existing(folder.path().join("journal")).unwrap();
    let writer = HistoryWriter::open(store.clone()).unwrap();
    let rereader = Box::new(JournalRereader::new(disk, kek()));
    let (feed, runner) = history_feed(writer, rereader, 4);
    let (mut hospital, mut oracle) = (Hospital::new(12, 8, 53), Oracle::default());
    let mut step = hospital.begin();
    for _ in 0..100 {
        oracle.take(&step);
        let (index, mut bytes) = (step.entry.index, Vec::new());
        encode_entry(&step.entry, &mut bytes).unwrap();
        journal.append(RecordKind::Entry, 0, 1, index, &bytes).unwrap();
        journal.commit().unwrap();
        feed.offer(fed(&step));
        step = hospital.walk(5_000);
    }
    let thread = std::thread::spawn(|| runner.run());
    // The four that fit are taken first; an end asks for the rest.
    feed.end();
    thread.join().unwrap();
    assert_eq!(store.through().unwrap(), 100);
    compare(&store, &oracle, hospital.now_ns, 53);
}

#[test]
fn history_that_cannot_be_read_again_stops_and_says_why() {
    let folder = folder();
    let writer = HistoryWriter::open(Store::open(folder.path()).unwrap()).unwrap();
    let kept = Kept { refuses: true, ..Kept::default() };
    let (feed, runner) = history_feed(writer, Box::new(kept), 8);
    let mut hospital = Hospital::new(3, 2, 52);
    hospital.begin();
    feed.offer(fed(&hospital.walk(1_000)));
    let answer = feed.flush().unwrap();
    let thread = std::thread::spawn(|| runner.run());
    assert_eq!(answer.recv().unwrap(), Err(FeedStopped));
    let why = feed.status().stopped.unwrap();
    assert!(why.contains("the journal is gone"), "{why}");
    assert!(feed.offer(fed(&hospital.walk(1_000))), "the shard is not held up");
    feed.end();
    thread.join().unwrap();
}
