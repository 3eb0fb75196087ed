//! A shard, its scribe and its keeper, with a disk that can fail anywhere.

mod proven;
mod stalled;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ach_actors_model::{
    Command, CommandKind, EntityRef, Name, SiteConfig, SubjectClass, SubjectConfig, SubjectRef,
    Timestamp,
};
use ach_engine_checkpoint::{CHAIN_START, Draft, Seal, Shelf, WriteError, hash, name_of};
use ach_engine_journal::{Disk, Kek, SimDisk, SimFault};
use ach_engine_shard::{Input, LOGIC_VERSION};

use super::*;
use crate::checkpoint_store::{CheckpointStore, DiskStore, FinishError};
use crate::commit_mark::{CommitMark, JournalTrouble};
use crate::journal_floor::{JournalFloor, Pin, Position};
use crate::restore::{Unusable, restore};
use crate::test_values::{empty_site, notice};

const PATIENCE: Duration = Duration::from_mins(1);

/// A store that tells what is asked of it, and does one thing badly.
#[derive(Debug)]
struct Scripted {
    events: Sender<&'static str>,
    bad: Bad,
}

impl Scripted {
    fn hear(&self, event: &'static str) -> Result<(), WriteError> {
        // Nobody may listen any more.
        let _ = self.events.send(event);
        let mut bad = self.bad.lock().unwrap_or_else(PoisonError::into_inner);
        let is_panic = bad.is_some_and(|bad| bad == "panic" && event == "section");
        assert!(!is_panic, "as the test wants it");
        if *bad == Some(event) {
            *bad = None;
            return Err(WriteError::Cipher);
        }
        Ok(())
    }
}

impl CheckpointStore for Scripted {
    fn begin(&mut self, _: u64) -> Result<(), WriteError> {
        self.hear("begin")
    }

    fn section(&mut self, _: u32, _: &mut Vec<u8>) -> Result<(), WriteError> {
        self.hear("section")
    }

    fn finish(&mut self, _: &Seal) -> Result<u64, FinishError> {
        Ok(self.hear("finish").map(|()| 1_000)?)
    }

    fn last_bytes(&self) -> u64 {
        7
    }

    fn give_up(&mut self) {
        let _ = self.hear("give up");
    }
}

struct Rig {
    shard: Shard,
    scribe: Scribe,
    pin: Arc<Pin>,
    mark: Arc<CommitMark>,
    counters: Arc<Counters>,
    index: u64,
}

fn rig(store: Box<dyn CheckpointStore>, policy: CheckpointPolicy) -> Rig {
    let (pin, mark) = (Arc::new(Pin::default()), Arc::new(CommitMark::at(0)));
    let counters = Arc::new(Counters::default());
    let keeper = Keeper::start(store, pin.clone(), mark.clone(), counters.clone()).unwrap();
    let past = (Ledger::with_notices_max(300), Vec::new(), Since::default());
    let scribe = Scribe::new(past, Some(keeper), policy, counters.clone());
    Rig { shard: Shard::new(), scribe, pin, mark, counters, index: 0 }
}

fn policy(entries: u64) -> CheckpointPolicy {
    CheckpointPolicy { journal_bytes: u64::MAX, entries, is_journal_kept: false }
}

/// What the store is to do badly next.
type Bad = Arc<Mutex<Option<&'static str>>>;

fn fake(policy: CheckpointPolicy) -> (Rig, Receiver<&'static str>, Bad) {
    let (events, heard) = channel();
    let bad = Arc::new(Mutex::new(None));
    (rig(Box::new(Scripted { events, bad: bad.clone() }), policy), heard, bad)
}

fn kek() -> Kek {
    Kek::from_bytes(&[42; 32]).unwrap()
}

fn on_disk(disk: &SimDisk, floor: &Arc<JournalFloor>) -> Box<dyn CheckpointStore> {
    let place = (disk.clone(), Arc::new(disk.lock().unwrap()));
    Box::new(DiskStore::new(place, kek(), 0, floor.clone(), Vec::new()))
}

impl Rig {
    fn step(&mut self, inputs: Vec<Input>) -> bool {
        let mut effects = Vec::new();
        self.index += 1;
        let entry = Entry {
            index: self.index,
            at: Timestamp(self.index),
            site_version: self.shard.site().map_or(0, |site| site.version()),
            logic_version: LOGIC_VERSION,
            inputs,
            effects_hash: 0,
        };
        self.shard.step(&entry, &mut effects);
        self.scribe.note(&entry, &effects, &self.shard);
        let is_due = self.scribe.is_due();
        self.scribe.stored(100);
        if is_due {
            self.scribe.begin(&mut self.shard, entry.index);
        }
        self.on_disk();
        is_due
    }

    /// The last entry is durable.
    fn on_disk(&self) {
        let (index, entry_hash) = (self.index, hash(b"entry"));
        self.pin.set(Position { index, lsn: index, entry_hash, chain: CHAIN_START });
    }

    fn tick(&mut self) -> bool {
        self.step(vec![Input::Tick])
    }

    fn is_busy(&self) -> bool {
        self.scribe.keeper.as_ref().unwrap().is_busy()
    }

    /// Tells the checkpoint that was begun to its end, good or bad.
    fn settle(&mut self) {
        while self.is_busy() || self.scribe.stage.index().is_some() {
            self.scribe.tell(&mut self.shard, false);
            std::thread::yield_now();
        }
    }

    /// A checkpoint of the next entry that is due.
    fn checkpoint(&mut self) -> u64 {
        while !self.tick() {}
        self.settle();
        self.index
    }
}

fn site(version: u32, subject_count: u32) -> SiteConfig {
    let mut site = empty_site("st-anna");
    site.version = version;
    site.subjects = (0..subject_count)
        .map(|number| SubjectConfig {
            id: Name::new(&format!("nurse-{number}")).unwrap(),
            class: SubjectClass::Staff,
            labels: Vec::new(),
        })
        .collect();
    site
}

fn change(version: u32) -> Input {
    Input::SiteChange(Box::new(site(version, 3 + version)))
}

#[test]
fn a_site_that_is_in_force_only_within_an_entry_comes_back_if_an_actor_goes_by_it() {
    let (disk, floor) = (SimDisk::new(1, 64 << 20), Arc::new(JournalFloor::new()));
    let mut rig = rig(on_disk(&disk, &floor), policy(3));
    rig.step(vec![change(1)]);
    let actor = EntityRef::Subject(SubjectRef(1));
    let kind = CommandKind::QuarantineActor(actor);
    let aside = Input::Command(Command { by: Name::new("chief").unwrap(), kind });
    // One that is refused asks for a version that another one gets.
    let mut refused = site(2, 5);
    refused.subjects.push(refused.subjects[0].clone());
    let refused = Input::SiteChange(Box::new(refused));
    rig.step(vec![refused, change(2), aside, change(3)]);
    let versions: Vec<u32> = rig.shard.sites_in_use().iter().map(|site| site.version()).collect();
    assert_eq!(versions, [3, 2], "the actor saw version 2 last");
    let index = rig.checkpoint();
    let restored = restore(&disk, index, &kek()).unwrap();
    assert_eq!(restored.shard.site().unwrap().version(), 3);
    assert_eq!(restored.site.unwrap().subjects.len(), 6);
    assert_eq!(restored.sites.len(), 2);
}

#[test]
fn a_checkpoint_that_lacks_a_site_is_not_made() {
    let (mut rig, heard, _) = fake(policy(2));
    rig.step(vec![change(1)]);
    rig.scribe.sites.clear();
    while !rig.tick() {}
    rig.settle();
    assert_eq!(rig.counters.checkpoints_given_up.get(), 1);
    assert_eq!(rig.counters.checkpoints_taken.get(), 0);
    assert!(heard.try_iter().all(|event| event != "finish"));
}

#[test]
fn whatever_the_disk_refuses_another_checkpoint_is_made_soon_and_nothing_is_forgotten() {
    for refused in ["begin", "section", "finish"] {
        let (mut rig, heard, bad) = fake(policy(16));
        assert_eq!(rig.scribe.keeper.as_ref().unwrap().last_bytes(), 7, "as the store had it");
        rig.step(vec![change(1)]);
        *bad.lock().unwrap() = Some(refused);
        let first = rig.checkpoint();
        assert_eq!(first, 17, "{refused}");
        let gone = || heard.recv_timeout(PATIENCE).expect("it is given up");
        while gone() != "give up" {}
        assert_eq!(rig.counters.checkpoints_given_up.get(), 1, "{refused}");
        assert_eq!(rig.counters.checkpoints_taken.get(), 0, "{refused}");
        // Tried again after an eighth, of all that there is since none is whole.
        let second = rig.checkpoint();
        assert_eq!(second, 20, "{refused}");
        assert_eq!(rig.counters.checkpoints_taken.get(), 1, "{refused}");
        let third = rig.checkpoint();
        assert_eq!(third, second + 17, "{refused}");
        assert_eq!(rig.counters.checkpoints_given_up.get(), 1, "{refused}");
    }
}

#[test]
fn entries_decided_while_a_checkpoint_is_told_count_towards_the_next() {
    let (mut rig, _heard, _) = fake(policy(16));
    rig.step(vec![change(1)]);
    while !rig.tick() {}
    let first = rig.index;
    for _ in 0..5 {
        rig.tick();
    }
    // The pinned one is what the keeper waits for.
    let entry_hash = hash(b"entry");
    rig.pin.set(Position { index: first, lsn: first, entry_hash, chain: CHAIN_START });
    rig.settle();
    assert_eq!(rig.counters.checkpoints_taken.get(), 1);
    while !rig.tick() {}
    assert_eq!(rig.index, first + 17);
}

#[test]
fn a_keeper_that_fails_is_seen_and_nothing_is_kept_for_it() {
    let (mut rig, _heard, bad) = fake(policy(4));
    rig.step(vec![change(1)]);
    *bad.lock().unwrap() = Some("panic");
    while !rig.tick() {}
    while !rig.scribe.keeper.as_ref().unwrap().is_lost() {
        rig.scribe.tell(&mut rig.shard, false);
        std::thread::yield_now();
    }
    assert_eq!(rig.scribe.tell(&mut rig.shard, false), Told::Nothing);
    assert!(!rig.shard.is_in_checkpoint() && rig.scribe.waiting.is_empty());
    assert_eq!(rig.mark.troubles(), [JournalTrouble::NoCheckpoints]);
    assert!((0..50).all(|_| !rig.tick()), "no other one is begun");
    assert_eq!(rig.counters.checkpoints_given_up.get(), 1);
    rig.scribe.begin_close(&mut rig.shard);
    let waker = std::task::Waker::noop();
    assert!(rig.scribe.poll_closed(&Context::from_waker(waker)).is_ready());
}

#[test]
fn notices_that_make_room_while_they_are_told_are_a_gap_after_a_restore() {
    let (disk, floor) = (SimDisk::new(2, 64 << 20), Arc::new(JournalFloor::new()));
    let mut rig = rig(on_disk(&disk, &floor), policy(400));
    rig.step(vec![change(1)]);
    for number in 0..350 {
        rig.tick();
        let alarm = Effect::Alarm(notice(number));
        rig.scribe.ledger.note(rig.index, &[alarm]);
    }
    let mut is_due = rig.tick();
    while !is_due {
        is_due = rig.tick();
    }
    let index = rig.index;
    let before = rig.scribe.ledger.complete_after();
    assert!(before > NoticeAt::default(), "the ring is full");
    let mut late = index;
    while rig.scribe.stage.index().is_some() {
        // A few alarms for every slice.
        for _ in 0..10 {
            late += 1;
            rig.scribe.ledger.note(late, &[Effect::Alarm(notice(u128::from(late)))]);
        }
        rig.scribe.tell(&mut rig.shard, false);
    }
    rig.settle();
    let restored = restore(&disk, index, &kek()).unwrap();
    let told = restored.ledger.told([].iter());
    let complete_after = restored.ledger.complete_after();
    assert!(complete_after > before, "some were gone before they were told");
    let known = told.recent.after(complete_after).notices.map(|(at, _)| at.index);
    let expected = complete_after.index + 1..=351;
    assert!(known.eq(expected), "from there on none is missing");
    assert!(told.recent.after(before).is_gap, "a subscriber that was there is told so");
}

/// A store that writes something else than it is told, now and then.
#[derive(Debug)]
struct Slipping {
    store: Box<dyn CheckpointStore>,
    slips: Arc<AtomicBool>,
}

impl CheckpointStore for Slipping {
    fn begin(&mut self, index: u64) -> Result<(), WriteError> {
        self.store.begin(index)
    }

    fn section(&mut self, kind: u32, body: &mut Vec<u8>) -> Result<(), WriteError> {
        if self.slips.load(Ordering::SeqCst) && kind == kind::HEAD {
            body.push(0);
        }
        self.store.section(kind, body)
    }

    fn finish(&mut self, seal: &Seal) -> Result<u64, FinishError> {
        self.store.finish(seal)
    }

    fn last_bytes(&self) -> u64 {
        self.store.last_bytes()
    }

    fn give_up(&mut self) {
        self.store.give_up();
    }
}

fn listed(disk: &SimDisk) -> Vec<u64> {
    Shelf::new(disk.clone()).list().unwrap().iter().map(|one| one.index).collect()
}

#[test]
fn two_in_a_row_that_do_not_read_back_cost_neither_those_before_nor_the_journal() {
    let (disk, floor) = (SimDisk::new(3, 64 << 20), Arc::new(JournalFloor::new()));
    let slips = Arc::new(AtomicBool::new(false));
    let store = Slipping { store: on_disk(&disk, &floor), slips: slips.clone() };
    let mut rig = rig(Box::new(store), policy(8));
    rig.step(vec![change(1)]);
    let good = [rig.checkpoint(), rig.checkpoint()];
    assert_eq!(floor.lsn(), good[0]);
    slips.store(true, Ordering::SeqCst);
    for strike in 1..=2 {
        rig.checkpoint();
        assert_eq!(rig.counters.checkpoints_taken.get(), 2, "strike {strike}");
        assert_eq!(rig.counters.checkpoints_given_up.get(), strike);
        assert_eq!(listed(&disk), [good[1], good[0]], "strike {strike}");
        assert_eq!(floor.lsn(), good[0], "strike {strike}");
    }
    for index in good {
        restore(&disk, index, &kek()).unwrap();
    }
    slips.store(false, Ordering::SeqCst);
    // One from before that has been damaged since is believed no more.
    disk.corrupt(&name_of(good[1]), |bytes| bytes[300] ^= 1).unwrap();
    let next = rig.checkpoint();
    assert_eq!(listed(&disk), [next, good[0]], "the two that are whole");
    assert_eq!(floor.lsn(), good[0]);
    for index in [next, good[0]] {
        restore(&disk, index, &kek()).unwrap();
    }
}

#[test]
fn a_write_that_goes_astray_anywhere_is_found_before_anything_is_given_up_for_it() {
    let (disk, floor) = (SimDisk::new(6, 64 << 20), Arc::new(JournalFloor::new()));
    let mut rig = rig(on_disk(&disk, &floor), policy(8));
    rig.step(vec![change(1)]);
    let index = rig.checkpoint();
    let mut sections = Vec::new();
    let seal = ach_engine_checkpoint::read(&disk, index, &kek(), &mut |section| {
        sections.push((section.kind, section.body.to_vec()));
        true
    });
    let seal = seal.unwrap();
    let write = |disk: &SimDisk| -> Result<u64, FinishError> {
        let mut store = on_disk(disk, &Arc::new(JournalFloor::new()));
        store.begin(index)?;
        for (kind, body) in &sections {
            store.section(*kind, &mut body.clone())?;
        }
        store.finish(&seal)
    };
    let clean = SimDisk::new(7, 64 << 20);
    write(&clean).unwrap();
    let mut found = 0;
    for op in 1..=clean.ops() {
        let struck = SimDisk::new(op, 64 << 20);
        struck.plan(op, SimFault::Misdirect { shift_bytes: 8_192 });
        match write(&struck) {
            Ok(_) => drop(restore(&struck, index, &kek()).unwrap()),
            Err(error) => {
                assert!(matches!(error, FinishError::Proof(_)), "{error}");
                assert_eq!(listed(&struck), [0_u64; 0], "it is taken away");
                found += 1;
            }
        }
    }
    assert!(found >= sections.len(), "{found} of {} sections", sections.len());
}

#[test]
fn a_state_that_is_restored_otherwise_than_it_was_told_is_refused() {
    let (disk, floor) = (SimDisk::new(4, 64 << 20), Arc::new(JournalFloor::new()));
    let mut rig = rig(on_disk(&disk, &floor), policy(8));
    rig.step(vec![change(1)]);
    let index = rig.checkpoint();
    let mut sections = Vec::new();
    let seal = ach_engine_checkpoint::read(&disk, index, &kek(), &mut |section| {
        sections.push((section.kind, section.body.to_vec()));
        true
    })
    .unwrap();
    // A site that numbers its subjects otherwise, and a ledger that knows another feed, under the seal
    // of the true ones.
    let other = site(1, 4);
    let mut renamed = other;
    renamed.subjects.reverse();
    let compiled = Arc::new(ach_actors_entities::Site::compile(None, &renamed).unwrap());
    let coded = CodedSite::new(&compiled, &renamed).unwrap();
    let mut parts = Vec::new();
    coded
        .parts::<ach_engine_wire::StateError>(&mut |part| {
            parts.push((kind::SITE, part));
            Ok(())
        })
        .unwrap();
    let forged = SimDisk::new(5, 64 << 20);
    let mut draft = Draft::begin(forged.clone(), &kek(), 0, index, 0).unwrap();
    let told = sections.iter().filter(|(kind, _)| *kind != kind::SITE).cloned();
    let mut all: Vec<(u32, Vec<u8>)> = told.collect();
    drop(all.splice(1..1, parts));
    for (kind, mut body) in all {
        draft.section(kind, &mut body).unwrap();
    }
    draft.finish(&seal).unwrap();
    let refused = restore(&forged, index, &kek()).unwrap_err();
    assert!(matches!(refused, Unusable::OtherState), "{refused}");
}
