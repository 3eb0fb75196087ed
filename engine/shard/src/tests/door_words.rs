//! What is kept of what alarms say to doors, held to the alarms that are open.

use std::collections::BTreeMap;

use ach_actors_entities::door_words;

use crate::{Entry, Shard};

/// After each entry what is kept is what open alarms say; while those are looked at anew, no more than that. How often
/// anything was.
#[track_caller]
pub(super) fn check_words(entries: &[Entry]) -> usize {
    let mut shard = Shard::new();
    let mut said_count = 0;
    for entry in entries {
        shard.step(entry, &mut vec![]);
        let Some(site) = shard.site() else { continue };
        let mut said = BTreeMap::new();
        for open in shard.board.open() {
            let words = door_words(&open.notice, site, shard.entry_at());
            let id = open.notice.id;
            said.extend(words.into_iter().map(|(door, word)| ((door, id), word)));
        }
        let kept = &shard.door_desk.responses.words;
        if shard.board.quiets.is_sweeping() {
            said.retain(|key, _| kept.contains_key(key));
        }
        assert_eq!(*kept, said, "after entry {}", entry.index);
        said_count += usize::from(!said.is_empty());
    }
    said_count
}
