//! What history and archives take, and how long the disk has room for more.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use ach_engine_store::{Day, archives};

use super::finding::Finding;

/// Fewer days of room than this leave little time to buy a disk.
const ROOM_DAYS_MIN: u64 = 7;

/// Looks at what a node has remembered in its data directory.
pub(crate) fn findings(data: &Path) -> Vec<Finding> {
    let mut findings = Vec::new();
    let history = data.join("history");
    // A link to another disk is followed.
    let damaged = history.canonicalize().unwrap_or_else(|_| history.clone());
    if damaged.with_extension("damaged").exists() {
        findings.push(Finding::warning(
            "history",
            "a damaged history was set aside, and another derived",
            "look at the health of its disk, then remove history.damaged",
        ));
    } else if history.exists() {
        let megabytes = folder_bytes(&history) / 1_000_000;
        findings.push(Finding::ok("history", format!("{megabytes} MB")));
    } else {
        findings.push(Finding::ok("history", "none is written"));
    }
    let archive = data.join("archive");
    let Ok(spans) = archives(&archive) else {
        findings.push(Finding::wrong(
            "archives",
            "they cannot be listed",
            "run as the user who owns the data directory",
        ));
        return findings;
    };
    let mut by_day: BTreeMap<Day, u64> = BTreeMap::new();
    for span in &spans {
        *by_day.entry(span.day).or_default() +=
            fs::metadata(&span.file).map_or(0, |file| file.len());
    }
    if let (false, Ok(disk)) = (by_day.is_empty(), rustix::fs::statvfs(&archive)) {
        let free_bytes = disk.f_bavail.saturating_mul(disk.f_frsize);
        findings.push(room(&by_day, free_bytes));
    }
    findings
}

/// How long the room lasts if every day brings as much as the fullest so far.
fn room(by_day: &BTreeMap<Day, u64>, free_bytes: u64) -> Finding {
    let total = by_day.values().sum::<u64>() / 1_000_000;
    let a_day = by_day.values().copied().max().unwrap_or(0).max(1);
    let days = free_bytes / a_day;
    let seen = format!("{total} MB of {} days, room for {days} more", by_day.len());
    if days < ROOM_DAYS_MIN {
        Finding::warning(
            "archives",
            seen,
            "make room, or keep fewer days: `ach serve --history-days`, `--archive-days`",
        )
    } else {
        Finding::ok("archives", seen)
    }
}

/// Bytes of all files in a folder and those below it; what cannot be read counts nothing.
fn folder_bytes(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.file_type() {
            Ok(kind) if kind.is_dir() => folder_bytes(&entry.path()),
            Ok(_) => entry.metadata().map_or(0, |file| file.len()),
            Err(_) => 0,
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::doctor::Verdict;

    #[test]
    fn room_is_told_in_days() {
        let by_day = BTreeMap::from([(Day(1), 20_000_000), (Day(2), 50_000_000)]);
        let enough = room(&by_day, 350_000_000);
        assert_eq!(
            (enough.verdict, enough.seen.as_str()),
            (Verdict::Ok, "70 MB of 2 days, room for 7 more")
        );
        assert_eq!(room(&by_day, 349_000_000).verdict, Verdict::Warning);
    }

    #[test]
    fn a_damaged_history_is_told() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(findings(folder.path()), [Finding::ok("history", "none is written")]);
        fs::create_dir(folder.path().join("history")).unwrap();
        fs::write(folder.path().join("history/x"), vec![0; 2_000_000]).unwrap();
        assert_eq!(findings(folder.path())[0].seen, "2 MB");
        fs::create_dir(folder.path().join("history.damaged")).unwrap();
        assert_eq!(findings(folder.path())[0].verdict, Verdict::Warning);
    }
}
