//! What the node remembers after all its deaths, held against what the journal says from the beginning.

use std::path::Path;

use ach_actors_model::{TagRef, Timestamp, ZoneRef};
use ach_engine_journal::{FileDisk, KekSource};
use ach_engine_node::Rereading;
use ach_engine_store::{HistoryWriter, KeptPing, Store};

use crate::ward::{NURSES, WALKERS};

const LIMIT: usize = 1_000_000;
const ALL: (Timestamp, Timestamp) = (Timestamp(0), Timestamp(u64::MAX));

/// Has a store take what it has not, and says through which entry.
fn brought_up(store: &Store, data: &Path) -> u64 {
    let mut writer = HistoryWriter::open(store.clone()).unwrap();
    let kek = KekSource::File(data.join("journal.key")).load().unwrap();
    let disk = FileDisk::existing(data.join("journal")).unwrap();
    let mut rereading = Rereading::new(disk, kek, Path::new("no archives"));
    rereading.bring_up(&mut writer, u64::MAX, &mut |_| true).unwrap();
    writer.flush().unwrap();
    writer.written_through()
}

/// Compares the history that was written through all lives with one that is derived at one go.
pub(crate) fn check(data: &Path, scratch: &Path) {
    let kept = Store::open(&data.join("history")).unwrap();
    let derived = Store::open(scratch).unwrap();
    assert!(kept.through().unwrap() > 0, "no life wrote any of it");
    // What the last life had not come to is what a next one would begin with.
    assert_eq!(brought_up(&kept, data), brought_up(&derived, data));

    let pings = |store: &Store, tag: u32| -> Vec<KeptPing> {
        store.pings(TagRef(tag), ALL.0, ALL.1).unwrap().map(|ping| ping.unwrap()).collect()
    };
    for tag in 0..WALKERS + NURSES {
        assert!(pings(&kept, tag) == pings(&derived, tag), "other pings of tag {tag}");
    }
    for zone in [ZoneRef(0), ZoneRef(1)] {
        let visits = |store: &Store| store.visits_of_zone(zone, ALL, LIMIT).unwrap();
        assert_eq!(visits(&kept), visits(&derived), "{zone:?}");
    }
    let alarms = kept.alarms(ALL, LIMIT).unwrap();
    assert_eq!(alarms, derived.alarms(ALL, LIMIT).unwrap());
    let (kept, derived) = (kept.verify().unwrap(), derived.verify().unwrap());
    assert_eq!(kept.pings, derived.pings);
    println!("{} pings and {} changes of alarms are remembered", kept.pings, alarms.len());
}
