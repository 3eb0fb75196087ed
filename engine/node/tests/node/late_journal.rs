//! A start from a journal whose beginning is damaged, given up, or of another program.

use ach_engine_checkpoint::{FORMAT_VERSION, name_of};
use ach_engine_journal::{Disk, SimDisk};
use ach_engine_node::{JournalTrouble, Node, StartError, StoringStopped};

use crate::checkpoints::{OPEN, drain, indexes, is_segment, lived, open_alarms, taken, ward};
use crate::ward::{Ward, in_time};

fn segments(disk: &SimDisk) -> Vec<String> {
    let mut segments = disk.list().unwrap();
    segments.retain(|name| is_segment(name));
    segments.sort();
    segments
}

/// A disk of several lives, with a checkpoint in each of the last: the first segments are of no use to
/// a start.
async fn lived_on(ward: &Ward, seed: u64) -> SimDisk {
    let disk = lived(ward, seed).await;
    live_on(ward, &disk).await;
    disk
}

async fn live_on(ward: &Ward, disk: &SimDisk) {
    for _ in 0..2 {
        let node = ward.start_on(disk.clone());
        taken(ward, &node, 2).await;
        drain(node).await;
    }
}

/// What is done to a segment, and what that is called.
type Deed<'a> = (&'a str, &'a dyn Fn(&SimDisk, &str));

#[tokio::test(flavor = "multi_thread")]
async fn damage_before_the_checkpoint_is_told_and_costs_no_alarm_and_no_storing() {
    let ward = ward(true);
    let disk = lived_on(&ward, 107).await;
    let first = segments(&disk).remove(0);
    let deeds: [Deed<'_>; 3] = [
        ("a flipped bit", &|disk, name| disk.corrupt(name, |bytes| bytes[9_000] ^= 1).unwrap()),
        ("both headers", &|disk, name| {
            disk.corrupt(name, |bytes| {
                bytes[30] ^= 1;
                bytes[4_126] ^= 1;
            })
            .unwrap();
        }),
        ("removed by hand", &|disk, name| disk.remove(name).unwrap()),
    ];
    for (story, deed) in deeds {
        let harmed = disk.fork(108);
        deed(&harmed, &first);
        for _ in 0..2 {
            let node = ward.start_on(harmed.clone());
            assert_eq!(open_alarms(&ward, &node).await, OPEN, "{story}");
            let health = node.health();
            assert!(health.stopped.is_none(), "{story}: {health:?}");
            let is_told = matches!(health.journal_troubles[..], [JournalTrouble::OldDamage { .. }]);
            // What only a reading of every byte can find is `ach journal verify`'s to tell.
            assert_eq!(is_told, story != "a flipped bit", "{story}: {health:?}");
            assert!(!is_told || health.is_degraded(), "{story}: {health:?}");
            taken(&ward, &node, 1).await;
            drain(node).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_after_the_checkpoint_ends_storing_as_ever() {
    let ward = ward(true);
    let disk = lived(&ward, 117).await;
    let segment = segments(&disk).remove(0);
    let harmed = disk.fork(118);
    harmed
        .corrupt(&segment, |bytes| {
            let end = bytes.iter().rposition(|byte| *byte != 0).unwrap();
            bytes[end] ^= 1;
        })
        .unwrap();
    let node = ward.start_on(harmed);
    let health = node.health();
    assert!(matches!(health.stopped, Some(StoringStopped::Damaged { .. })), "{health:?}");
}

/// A disk whose journal begins late.
async fn given_up(ward: &Ward, seed: u64) -> SimDisk {
    let disk = lived(ward, seed).await;
    give_up(ward, &disk).await;
    disk
}

/// Lives on until the journal has its beginning no more.
pub(crate) async fn give_up(ward: &Ward, disk: &SimDisk) {
    live_on(ward, disk).await;
    let first = segments(disk).remove(0);
    let node = ward.start_on(disk.clone());
    let mut count = 1;
    let giving = async {
        while disk.list().unwrap().contains(&first) {
            taken(ward, &node, count).await;
            count += 1;
        }
    };
    in_time("a segment to be given up", giving).await;
    drain(node).await;
}

fn crc32c(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc: u32, _| {
            (crc >> 1) ^ (0x82F6_3B78 & 0_u32.wrapping_sub(crc & 1))
        })
    })
}

pub(crate) fn set_version(disk: &SimDisk, index: u64, version: u32) {
    disk.corrupt(&name_of(index), |bytes| {
        bytes[8..12].copy_from_slice(&version.to_le_bytes());
        let crc = crc32c(&bytes[..252]);
        bytes[252..256].copy_from_slice(&crc.to_le_bytes());
    })
    .unwrap();
}

fn refusal(ward: &Ward, disk: &SimDisk) -> StartError {
    let clock = std::sync::Arc::new(ach_engine_node::SystemClock::default());
    Node::start_on(ward.config(), disk, clock).unwrap_err()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_this_program_cannot_use_is_refused_with_the_right_remedy() {
    let ward = ward(false);
    let disk = given_up(&ward, 127).await;
    let found = indexes(&disk);
    assert_eq!(found.len(), 2);
    let newer = disk.fork(128);
    for &index in &found {
        set_version(&newer, index, FORMAT_VERSION + 1);
    }
    let refused = refusal(&ward, &newer);
    assert!(matches!(refused, StartError::NewerCheckpoint { .. }), "{refused}");
    assert!(refused.to_string().contains("start the newer program"), "{refused}");
    // One that says 0 is damaged, not newer.
    let older = disk.fork(129);
    for &index in &found {
        set_version(&older, index, 0);
    }
    let refused = refusal(&ward, &older);
    assert!(matches!(refused, StartError::NoCheckpoint { .. }), "{refused}");
    // The newest is a newer program's, the one before is not: it is used.
    let mixed = disk.fork(130);
    set_version(&mixed, found[0], FORMAT_VERSION + 1);
    let node = ward.start_on(mixed);
    assert_eq!(open_alarms(&ward, &node).await, OPEN);
    drop(node);
    // With the whole journal there, nothing is needed of them.
    let kept = crate::checkpoints::ward(true);
    let disk = lived(&kept, 131).await;
    for index in indexes(&disk) {
        set_version(&disk, index, FORMAT_VERSION + 1);
    }
    let node = kept.start_on(disk);
    assert_eq!(open_alarms(&kept, &node).await, OPEN);
    assert!(node.health().stopped.is_none());
}
