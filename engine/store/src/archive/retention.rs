//! Which archives may go.
//!
//! Entries are decided again from a checkpoint on. So a day that is kept needs, beside its own
//! archives, those from the last checkpoint before it on.

use super::ArchiveSpan;
use crate::{Day, Holds};

/// What no day that is kept needs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unwanted {
    /// Archives.
    pub archives: Vec<ArchiveSpan>,
    /// Entries whose checkpoints lie beside the archives.
    pub checkpoints: Vec<u64>,
}

/// What may go of `archives` (by their first entry) and of the checkpoints beside them, given by their
/// entries, when days are kept from `keep_from` on and while a hold protects them.
pub fn unwanted_archives(
    archives: &[ArchiveSpan],
    checkpoints: &[u64],
    keep_from: Day,
    holds: &Holds,
) -> Unwanted {
    let is_kept = |span: &ArchiveSpan| span.day >= keep_from || holds.protect(span.day);
    // For each kept archive: from the checkpoint before it on. None before it means from itself on, or
    // from the first entry of all, if that is there.
    let base_of = |span: &ArchiveSpan| {
        let before = checkpoints.iter().copied().filter(|&index| index < span.first_index);
        before.max()
    };
    let mut needs: Vec<(u64, u64)> = archives
        .iter()
        .filter(|span| is_kept(span))
        .map(|span| (base_of(span).unwrap_or(0), span.last_index))
        .collect();
    // The newest is the base of what is to come.
    let newest = checkpoints.iter().copied().max();
    needs.extend(newest.map(|newest| (newest, u64::MAX)));
    let is_needed = |first: u64, last: u64| {
        needs.iter().any(|&(base, through)| first <= through && last > base)
    };
    let archives = archives.iter().filter(|span| !is_needed(span.first_index, span.last_index));
    // A checkpoint is needed as a base, or in the middle, to begin nearer.
    let is_base =
        |index: u64| needs.iter().any(|&(base, through)| (base..through).contains(&index));
    let checkpoints = checkpoints.iter().copied().filter(|&index| !is_base(index));
    Unwanted { archives: archives.cloned().collect(), checkpoints: checkpoints.collect() }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use ach_actors_model::{Name, Timestamp};

    use super::*;
    use crate::Hold;

    /// Ten entries a day, in two archives.
    fn spans(days: u32) -> Vec<ArchiveSpan> {
        let span = |half: u32| {
            let first_index = u64::from(half) * 5 + 1;
            let day = Day(100 + half / 2);
            ArchiveSpan { first_index, last_index: first_index + 4, day, file: PathBuf::new() }
        };
        (0..days * 2).map(span).collect()
    }

    #[track_caller]
    fn check(checkpoints: &[u64], keep_from: u32, holds: &Holds, firsts: &[u64], gone: &[u64]) {
        let unwanted = unwanted_archives(&spans(4), checkpoints, Day(keep_from), holds);
        let found: Vec<u64> = unwanted.archives.iter().map(|span| span.first_index).collect();
        assert_eq!((found.as_slice(), unwanted.checkpoints.as_slice()), (firsts, gone));
    }

    #[test]
    fn a_kept_day_keeps_what_it_is_decided_again_from() {
        let none = Holds::default();
        // Days 100 to 103 are entries 1 to 40; the checkpoints are of entries of days 100, 101, 102.
        check(&[7, 17, 27], 100, &none, &[], &[]);
        check(&[7, 17, 27], 102, &none, &[1, 6, 11], &[7]);
        check(&[7, 17, 27], 103, &none, &[1, 6, 11, 16, 21], &[7, 17]);
        // Nothing to begin from but the first entry.
        check(&[], 103, &none, &[], &[]);
        check(&[33], 103, &none, &[], &[]);
        // Days that are over: what is to come needs the last checkpoint.
        check(&[7, 17, 27], 200, &none, &[1, 6, 11, 16, 21], &[7, 17]);
    }

    #[test]
    fn a_held_day_is_kept_with_what_it_is_decided_again_from() {
        let mut holds = Holds::default();
        let name = |text: &str| Name::new(text).unwrap();
        let (from, through) = (Day(101), Some(Day(101)));
        let reason = "case 4".to_owned();
        let (placed_by, placed_at) = (name("desk"), Timestamp(9));
        let hold =
            Hold { id: name("a"), from, through, subject: None, reason, placed_by, placed_at };
        holds.place(hold).unwrap();
        check(&[7, 17, 27], 103, &holds, &[1, 21], &[]);
    }
}
