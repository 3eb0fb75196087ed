//! The past, handed over entry by entry to whoever wants to see it once more.

use std::ops::ControlFlow;
use std::path::Path;

use ach_actors_model::Timestamp;
use ach_engine_journal::{KekSource, SimDisk};
use ach_engine_node::{RereadError, Rereading, Standing};
use ach_engine_shard::Entry;

use crate::checkpoints::{indexes, lived, ward};
use crate::late_journal::{give_up, set_version};
use crate::ward::Ward;

fn rereading(ward: &Ward, disk: &SimDisk) -> Rereading<SimDisk> {
    let KekSource::File(key) = ward.config().kek else { panic!("the key is in a file") };
    let kek = KekSource::File(key).load().unwrap();
    Rereading::new(disk.clone(), kek, Path::new("no archives"))
}

/// Follows to the end in goes of so many entries; both shards decide what was decided. The entries.
fn followed(rereading: &Rereading<SimDisk>, standing: Standing, at_once: usize) -> Vec<Entry> {
    let Standing { mut shard, mut twin, mut place, .. } = standing;
    let mut entries: Vec<Entry> = Vec::new();
    loop {
        let mut left = at_once;
        let before = entries.len();
        rereading
            .follow(&mut place, &mut |entry| {
                assert_eq!(entry.index, shard.entry_index() + 1, "none is left out or told twice");
                for shard in [&mut shard, &mut twin] {
                    assert_eq!(shard.step(&entry, &mut Vec::new()), entry.effects_hash);
                }
                entries.push(entry);
                left -= 1;
                if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })
            .unwrap();
        if entries.len() == before {
            return entries;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_past_is_followed_from_the_checkpoint_before_a_moment() {
    let ward = ward(true);
    let disk = lived(&ward, 150).await;
    let rereading = rereading(&ward, &disk);
    let begun = rereading.stand_by(Timestamp(0)).unwrap();
    assert_eq!((begun.shard.entry_index(), begun.site.is_none()), (0, true));
    let all = followed(&rereading, begun, usize::MAX);
    assert_eq!(all.last().map(|entry| entry.index), Some(rereading.end().unwrap().index));
    let made_at = |index: u64| all.iter().find(|entry| entry.index == index).unwrap().at;
    let found = indexes(&disk);
    assert!(found.len() >= 2, "{found:?}");
    for &index in &found {
        let at = made_at(index);
        let standing = rereading.stand_by(at).unwrap();
        // Several checkpoints may be of one moment: then the last of them.
        let stood = standing.shard.entry_index();
        assert!(stood >= index && made_at(stood) == at, "{stood} for {index}");
        assert_eq!(standing.twin.entry_index(), stood);
        assert!(standing.site.is_some());
        let rest = followed(&rereading, standing, 2);
        let after = all.iter().filter(|entry| entry.index > stood).cloned();
        assert_eq!(rest, after.collect::<Vec<_>>());
    }
    let oldest = found.iter().copied().min().unwrap();
    let before = Timestamp(made_at(oldest).0 - 1);
    assert_eq!(rereading.stand_by(before).unwrap().shard.entry_index(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_given_up_is_not_followed_and_what_cannot_be_read_for_now_is_waited_for() {
    let mut ward = ward(false);
    ward.limits.history = None;
    let disk = lived(&ward, 151).await;
    give_up(&ward, &disk).await;
    let rereading = rereading(&ward, &disk);
    let found = indexes(&disk);
    let oldest = found.iter().copied().min().unwrap();
    let standing = rereading.stand_by(Timestamp(0)).unwrap();
    assert_eq!(standing.shard.entry_index(), oldest);
    let rest = followed(&rereading, standing, usize::MAX);
    assert_eq!(rest.last().map(|entry| entry.index), Some(rereading.end().unwrap().index));
    for &index in &found {
        set_version(&disk, index, ach_engine_checkpoint::FORMAT_VERSION + 1);
    }
    let refused = rereading.stand_by(Timestamp(u64::MAX)).unwrap_err();
    assert!(matches!(refused, RereadError::Checkpoint { .. }), "{refused}");
}
