//! A checkpoint at any entry, taken in slices while the shard goes on, makes a shard that decides
//! everything after it as the first one did.

use std::sync::Arc;

use ach_actors_entities::Site;
use ach_actors_runtime::Cell;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::play::{Setup, check_same};
use crate::{Entry, PackedKind, Piece, Restoration, Shard, ShardHead, StoredPiece};

/// Pieces a slice, so that the actors of a small hospital take several; a tenth of a crowd's.
const SLICE: usize = 8;
const SLICE_SHARE: usize = 10;

/// A checkpoint that is being taken.
struct Taking {
    head: ShardHead,
    sites: Vec<Arc<Site>>,
    restoring: Restoration,
    /// Place among the entries of the first one that is not in it.
    next: usize,
    slice: usize,
}

impl Taking {
    fn begin(shard: &mut Shard, next: usize) -> Taking {
        let (head, sites) = (shard.begin_checkpoint(), shard.sites_in_use());
        let restoring = Restoration::begin(head.clone(), &sites).expect("a head that was told");
        let status = shard.status();
        // Empty seats are looked at as well.
        let seats = shard.site().map_or(0, |site| site.tag_ref_count() + site.subject_ref_count());
        let count = status.hot_cell_count + status.cold_cell_count + status.deadline_count + seats;
        Taking { head, sites, restoring, next, slice: SLICE.max(count / SLICE_SHARE) }
    }

    /// Takes a slice. True once all was told.
    fn slice(&mut self, shard: &mut Shard) -> bool {
        let mut count = 0;
        let restoring = &mut self.restoring;
        let is_whole = shard.slice_of(self.slice, &mut |piece| {
            count += 1;
            let mut record = Vec::new();
            let piece = stored(&piece, &mut record);
            restoring.take(piece).expect("every piece is told once");
        });
        assert!(count <= self.slice, "{count} pieces in a slice");
        is_whole
    }
}

/// Steps through entries, takes one checkpoint after the other, and compares what they restore.
#[track_caller]
pub(super) fn check_restored(entries: &[Entry], setup: Setup, hashes: &[u64], state: &str) {
    let mut shard = Shard::new();
    setup(&mut shard);
    let mut taking: Option<Taking> = None;
    let mut restored_count = 0;
    for (at, entry) in entries.iter().enumerate() {
        shard.step(entry, &mut Vec::new());
        let Some(mut current) = taking.take() else {
            taking = Some(Taking::begin(&mut shard, at + 1));
            continue;
        };
        if !shard.is_in_checkpoint() {
            continue;
        }
        if !current.slice(&mut shard) {
            taking = Some(current);
            continue;
        }
        assert_eq!(current.head.entry_index(), entries[current.next - 1].index);
        let mut again = current.restoring.finish();
        setup(&mut again);
        let site = current.sites.first().map(|site| site.version());
        assert_eq!(again.site().map(|site| site.version()), site, "the site comes first");
        for (entry, hash) in entries.iter().zip(hashes).take(at + 1).skip(current.next) {
            assert_eq!(again.step(entry, &mut Vec::new()), *hash, "after entry {}", entry.index);
        }
        check_same(&again.state_text(), &shard.state_text());
        assert_eq!(again.status().alarms_raised, shard.status().alarms_raised);
        restored_count += 1;
        // From here on the restored one is the shard: what is wrong in it shows in the end.
        shard = again;
    }
    assert!(entries.len() < 40 || restored_count > 0, "no checkpoint was ever whole");
    check_same(&shard.state_text(), state);
}

/// What comes back of a piece that went through a file.
fn stored<'a>(piece: &Piece<'_>, record: &'a mut Vec<u8>) -> StoredPiece<'a> {
    match *piece {
        Piece::Packed(kind, id, bytes) => {
            record.extend_from_slice(bytes);
            check_packed(kind, record);
            StoredPiece::Packed(kind, id, record)
        }
        Piece::Tag(id, tag) => StoredPiece::Tag(id, Box::new(through_text(tag))),
        Piece::Subject(id, subject) => StoredPiece::Subject(id, Box::new(through_text(subject))),
        Piece::Zone(id, zone) => StoredPiece::Zone(id, Box::new(through_text(zone))),
        Piece::Door(id, door) => StoredPiece::Door(id, Box::new(through_text(door))),
        Piece::Source(id, source) => StoredPiece::Source(id, Box::new(through_text(source))),
        Piece::Anchor(id, anchor) => StoredPiece::Anchor(id, Box::new(through_text(anchor))),
        Piece::Deadline(due_at, entity, kind) => StoredPiece::Deadline(due_at, entity, kind),
        Piece::Open(open) => StoredPiece::Open(Box::new(through_text(open))),
    }
}

/// A state has one flat form, wherever it was kept.
fn check_packed(kind: PackedKind, record: &[u8]) {
    let mut again = Vec::new();
    let is_packed = match kind {
        PackedKind::Tag => <ach_actors_entities::Tag as Cell>::unpack(record)
            .is_some_and(|tag| Cell::flatten(&tag, &mut again)),
        PackedKind::Subject => <ach_actors_entities::Subject as Cell>::unpack(record)
            .is_some_and(|subject| Cell::flatten(&subject, &mut again)),
    };
    assert!(is_packed);
    assert_eq!(again, record);
}

fn through_text<T: Serialize + DeserializeOwned>(value: &T) -> T {
    let text = serde_json::to_string(value).expect("a state can be written");
    serde_json::from_str(&text).expect("and read")
}
