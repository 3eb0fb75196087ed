//! A disk that does not answer while a checkpoint is told: the shard goes on, and what is kept for the
//! checkpoint is bounded.

use ach_actors_model::{Ping, PingBatch, SourceConfig, SourceRef, TagConfig, TagId, TagRef};
use ach_engine_journal::StallingDisk;
use ach_geo::Floor;

use super::*;

/// Tags and subjects together are more than twice what may be copied while nothing is told.
const TAGS: u32 = 80_000;
const BATCH_TAGS: u32 = 8_000;

/// A site with everybody in it.
fn crowd() -> Vec<Input> {
    let mut site = site(1, TAGS);
    let id = Name::new("rtls").unwrap();
    site.sources = vec![SourceConfig { id, silence_ns: None, zones: Vec::new() }];
    let tag = |at: u32| TagConfig { id: TagId(u64::from(at) + 1), source: 0, subject: Some(at) };
    site.tags = (0..TAGS).map(tag).collect();
    let epoch = Input::OpenEpoch { source: SourceRef(0), epoch: 1 };
    vec![Input::SiteChange(Box::new(site)), epoch]
}

fn on_stalling(disk: &StallingDisk<SimDisk>) -> Box<dyn CheckpointStore> {
    let place = (disk.clone(), Arc::new(disk.lock().unwrap()));
    Box::new(DiskStore::new(place, kek(), 0, Arc::new(JournalFloor::new()), Vec::new()))
}

impl Rig {
    /// Everybody is heard, for the so-manieth time from 0.
    fn hear_everybody(&mut self, time: u32) {
        for first in (0..TAGS).step_by(usize::try_from(BATCH_TAGS).unwrap()) {
            let at = Timestamp(self.index + 1);
            let position =
                ach_geo::Position { x_mm: 5, y_mm: 5, z_mm: None, floor: Some(Floor(0)) };
            let ping = |offset: u32| Ping {
                tag: TagRef(first + offset),
                seq_offset: offset,
                observed_at: at,
                position,
                accuracy_mm: 0,
                battery_percent: None,
            };
            let first_seq = u64::from(time * TAGS + first) + 1;
            let batch = PingBatch {
                source: SourceRef(0),
                epoch: 1,
                first_seq,
                last_seq: first_seq + u64::from(BATCH_TAGS) - 1,
                received_at: at,
                conflated_count: 0,
                refused_count: 0,
                pings: (0..BATCH_TAGS).map(ping).collect(),
            };
            self.step(vec![Input::Pings(batch)]);
        }
    }

    /// Tells until the keeper takes nothing more.
    fn tell_until_it_waits(&mut self) {
        // It waits for good once its queue is full and it has not moved for as long as a turn takes.
        let mut still = 0;
        while still < 1_000 {
            still = if self.scribe.tell(&mut self.shard, false) == Told::Paused {
                still + 1
            } else {
                0
            };
            std::thread::yield_now();
        }
    }
}

#[test]
fn while_the_disk_does_not_answer_copies_are_bounded_and_another_checkpoint_is_made_later() {
    let disk = StallingDisk::new(SimDisk::new(3, 256 << 20));
    let mut rig = rig(on_stalling(&disk), policy(40));
    rig.step(crowd());
    rig.hear_everybody(0);
    disk.stall();
    while !rig.tick() {}
    assert!(rig.shard.is_in_checkpoint() && rig.is_busy(), "it has begun");
    assert_eq!(rig.counters.checkpoints_given_up.get(), 0);
    // The shard decides on, and what it changes is copied, but not without end.
    let mut most = 0;
    for time in 1..10 {
        rig.hear_everybody(time);
        most = most.max(rig.shard.checkpoint_copy_count());
        rig.scribe.tell(&mut rig.shard, false);
        if rig.counters.checkpoints_given_up.get() > 0 {
            break;
        }
    }
    assert!(most > COPIES_MAX, "only {most} copies");
    assert_eq!(rig.counters.checkpoints_given_up.get(), 1);
    assert!(!rig.shard.is_in_checkpoint() && rig.scribe.waiting.is_empty());
    assert_eq!(rig.shard.checkpoint_copy_count(), 0, "nothing is kept for it");
    assert_eq!(rig.scribe.tell(&mut rig.shard, false), Told::Nothing);
    disk.go_on();
    let index = rig.checkpoint();
    assert_eq!(rig.counters.checkpoints_taken.get(), 1);
    let restored = restore(&disk, index, &kek()).unwrap();
    assert_eq!(restored.shard.entry_index(), index);
}

#[test]
fn a_disk_that_answers_again_in_time_costs_no_checkpoint() {
    let disk = StallingDisk::new(SimDisk::new(4, 256 << 20));
    let mut rig = rig(on_stalling(&disk), policy(40));
    rig.step(crowd());
    rig.hear_everybody(0);
    disk.stall();
    while !rig.tick() {}
    let index = rig.index;
    rig.tell_until_it_waits();
    for _ in 0..5 {
        let _ = rig.tick();
    }
    let entry_hash = hash(b"entry");
    disk.go_on();
    rig.pin.set(Position { index, lsn: index, entry_hash, chain: CHAIN_START });
    rig.settle();
    assert_eq!(rig.counters.checkpoints_given_up.get(), 0);
    assert_eq!(rig.counters.checkpoints_taken.get(), 1);
    assert_eq!(restore(&disk, index, &kek()).unwrap().shard.entry_index(), index);
}
