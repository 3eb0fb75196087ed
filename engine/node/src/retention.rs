//! What is over goes: days of history, and archives. Legal holds are read anew before each day and each
//! round of archives, and stay locked until what they do not protect is gone: who is told that a hold is
//! placed can rely on it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ach_actors_model::Timestamp;
use ach_engine_checkpoint::name_of;
use ach_engine_journal::{Kek, KekRefused};
use ach_engine_store::{
    ArchiveError, ArchiveReader, ArchiveSpan, Day, HoldError, SteadyHolds, Store, Unwanted,
    WriteError, archives, unwanted_archives,
};

use crate::history_state::told;
use crate::rereading::{ARCHIVE_PURPOSE, checkpoints_beside};

/// The file of legal holds in the data directory.
const HOLDS_FILE: &str = "holds";

/// Whoever places or lifts a hold has the file for milliseconds, and who imports persons only looks at it, as
/// is done here. Beyond this what is over waits for the next minute.
const HOLDS_WAIT: Duration = Duration::from_secs(1);

/// The folder of archives in the data directory.
pub(crate) const ARCHIVE_FOLDER: &str = "archive";

/// Why something that is over is still there.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotDropped {
    #[error("{0}")]
    Holds(String),
    /// Somebody changes the holds just now.
    #[error("{0}")]
    Busy(String),
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    #[error(transparent)]
    Day(#[from] WriteError),
    #[error("cannot {verb} {}", file.display())]
    Disk { verb: &'static str, file: PathBuf, source: io::Error },
    #[error(transparent)]
    Cipher(#[from] KekRefused),
}

/// The first day that is kept.
pub(crate) fn keep_from(now: Timestamp, keep_days: u32) -> Day {
    Day::of(now).before(keep_days.max(1) - 1)
}

/// What is over, and the holds that were looked at: none is placed until they are let go.
type Over = (Unwanted, SteadyHolds);

/// The holds of a node while nobody changes them, or why nothing must be dropped.
fn holds(data: &Path) -> Result<SteadyHolds, NotDropped> {
    let locked = SteadyHolds::load_within(&data.join(HOLDS_FILE), HOLDS_WAIT);
    locked.map_err(|error| match error {
        HoldError::Busy { .. } => NotDropped::Busy(told(&error)),
        _ => NotDropped::Holds(told(&error)),
    })
}

/// Drops the days before `keep_from` that no hold protects, the oldest first and at most `days_max`, and counts
/// them, also those that went before an error.
pub(crate) fn drop_days(
    data: &Path,
    store: &Store,
    keep_from: Day,
    days_max: usize,
    count: &mut u64,
) -> Result<(), NotDropped> {
    let days_max = u64::try_from(days_max).unwrap_or(u64::MAX);
    for day in store.days().into_iter().filter(|day| *day < keep_from) {
        if *count >= days_max {
            break;
        }
        // A drop may last long enough for somebody to wait with a hold.
        let locked = holds(data)?;
        for dropped in store.drop_before(Day(day.0.saturating_add(1)), &locked.holds)? {
            tracing::info!(day = %dropped, "a day of history is over and gone");
            *count += 1;
        }
    }
    Ok(())
}

/// Drops the archives of days before `keep_from` that no day that is kept or held needs, and history neither, of
/// at most `days_max` days. Says how many went.
pub(crate) fn drop_archives(
    data: &Path,
    keep_from: Day,
    written_index: Option<u64>,
    days_max: usize,
    kek: &Kek,
) -> Result<u64, NotDropped> {
    match archives_that_are_over(data, keep_from, written_index, days_max)? {
        Some((unwanted, _locked)) => {
            remove(&data.join(ARCHIVE_FOLDER), &unwanted, kek)?;
            Ok(u64::try_from(unwanted.archives.len()).unwrap_or(u64::MAX))
        }
        None => Ok(0),
    }
}

/// Whether history has all of these archives: one that is derived anew reads them. Without one it does.
fn has_all(unwanted: &Unwanted, written_index: Option<u64>) -> bool {
    let written_index = written_index.unwrap_or(u64::MAX);
    unwanted.archives.iter().all(|span| span.last_index <= written_index)
}

/// The archives of days before `keep_from` that no day that is kept or held needs, by their names; none of
/// them while history, which has what is up to `written_index`, has not read them. Of at most `days_max` days, but
/// for those that go with them.
fn archives_that_are_over(
    data: &Path,
    keep_from: Day,
    written_index: Option<u64>,
    days_max: usize,
) -> Result<Option<Over>, NotDropped> {
    let folder = data.join(ARCHIVE_FOLDER);
    let spans = archives(&folder)?;
    if spans.first().is_none_or(|span| span.day >= keep_from) || days_max == 0 {
        return Ok(None);
    }
    let locked = holds(data)?;
    let kept = beside(&folder)?;
    let before = |keep_from: Day| unwanted_archives(&spans, &kept, keep_from, &locked.holds);
    let is_any = |it: &Unwanted| !it.archives.is_empty() || !it.checkpoints.is_empty();
    let mut unwanted = before(keep_from);
    if days_max < usize::MAX {
        let mut days: Vec<Day> = spans.iter().map(|span| span.day).collect();
        days.dedup();
        // What a day has after its checkpoint goes only with the day behind it, so a day may free nothing.
        let next = days.into_iter().skip(days_max).filter(|day| *day < keep_from);
        if let Some(some) = next.map(before).find(|it| !it.archives.is_empty()) {
            unwanted = some;
        }
    }
    let is_over = is_any(&unwanted) && has_all(&unwanted, written_index);
    Ok(is_over.then_some((unwanted, locked)))
}

/// Drops the oldest archives before their time, a day of them, so that those to come have room: else
/// the journal could not go, and would fill the disk. None is dropped that a hold wants, and not
/// those of the last day, nor what history has not read. Says how many went.
pub(crate) fn drop_oldest_archives(
    data: &Path,
    written_index: Option<u64>,
    kek: &Kek,
) -> Result<u64, NotDropped> {
    let folder = data.join(ARCHIVE_FOLDER);
    let (spans, kept, locked) = (archives(&folder)?, beside(&folder)?, holds(data)?);
    let mut days: Vec<Day> = spans.iter().map(|span| span.day).collect();
    days.dedup();
    days.pop();
    let of_day = |day: Day| {
        let keep_from = Day(day.0.saturating_add(1));
        Some(unwanted_archives(&spans, &kept, keep_from, &locked.holds))
            .filter(|unwanted| !unwanted.archives.is_empty() && has_all(unwanted, written_index))
    };
    let Some(unwanted) = days.into_iter().find_map(of_day) else { return Ok(0) };
    remove(&folder, &unwanted, kek)?;
    for ArchiveSpan { file, day, .. } in &unwanted.archives {
        let file = file.display();
        tracing::error!(%file, %day, "there is no room: an archive has gone before its time");
    }
    Ok(u64::try_from(unwanted.archives.len()).unwrap_or(u64::MAX))
}

fn beside(folder: &Path) -> Result<Vec<u64>, NotDropped> {
    let failed = |source| NotDropped::Disk { verb: "list", file: folder.to_owned(), source };
    checkpoints_beside(folder).map_err(failed)
}

/// What is of a later day than its name says must not go with the days before. What cannot be read goes
/// when its name says so: nothing else is known of it.
fn must_be_named_rightly(spans: &[ArchiveSpan], kek: &Kek) -> Result<(), NotDropped> {
    let secret = kek.secret_for(ARCHIVE_PURPOSE)?;
    for span in spans {
        if let Err(error @ ArchiveError::Misnamed { .. }) = ArchiveReader::open(span, &secret) {
            return Err(error.into());
        }
    }
    Ok(())
}

/// Removes them, if each is what its name says.
fn remove(folder: &Path, unwanted: &Unwanted, kek: &Kek) -> Result<(), NotDropped> {
    must_be_named_rightly(&unwanted.archives, kek)?;
    let checkpoints = unwanted.checkpoints.iter().map(|&index| folder.join(name_of(index)));
    // Archives first: a checkpoint without them is of no use, they without it are of none either.
    let files = unwanted.archives.iter().map(|span| span.file.clone()).chain(checkpoints);
    for file in files {
        fs::remove_file(&file).map_err(|source| NotDropped::Disk {
            verb: "remove",
            file,
            source,
        })?;
    }
    let failed = |source| NotDropped::Disk { verb: "sync", file: folder.to_owned(), source };
    fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)
}

#[cfg(test)]
mod tests {
    use ach_engine_store::{ArchiveWriter, HistoryWriter, LockedHolds};

    use super::*;
    use crate::test_past::kek;

    const DAY_NS: u64 = 86_400_000_000_000;

    fn day(number: u64) -> Timestamp {
        Timestamp((20_000 + number) * DAY_NS)
    }

    /// Somebody is about to place a hold: it would come too late for what goes meanwhile.
    #[test]
    fn nothing_goes_while_somebody_changes_the_holds() {
        let data = tempfile::tempdir().unwrap();
        let folder = data.path().join(ARCHIVE_FOLDER);
        fs::create_dir(&folder).unwrap();
        let store = Store::open(&data.path().join("history")).unwrap();
        let mut history = HistoryWriter::open(store.clone()).unwrap();
        for number in 0..4 {
            let (index, at) = (number + 1, day(number));
            let mut archive = ArchiveWriter::begin(&folder, &[7; 32], index, at).unwrap();
            archive.push(index, at, b"an entry").unwrap();
            archive.finish().unwrap();
            let entry = ach_engine_shard::Entry {
                index,
                at,
                site_version: 0,
                logic_version: ach_engine_shard::LOGIC_VERSION,
                inputs: vec![ach_engine_shard::Input::Tick],
                effects_hash: 0,
            };
            history.take(&entry, &[], None).unwrap();
        }
        history.flush().unwrap();
        let keep_from = Day::of(day(2));
        let locked = LockedHolds::load(&data.path().join(HOLDS_FILE)).unwrap();
        let all = usize::MAX;
        let mut count = 0;
        let mut days = |days_max| {
            count = 0;
            drop_days(data.path(), &store, keep_from, days_max, &mut count).map(|()| count)
        };
        let refused = days(all);
        assert!(matches!(refused, Err(NotDropped::Busy(_))), "{refused:?}");
        let over = drop_archives(data.path(), keep_from, None, all, &kek());
        assert!(matches!(over, Err(NotDropped::Busy(_))), "{over:?}");
        assert!(matches!(
            drop_oldest_archives(data.path(), None, &kek()),
            Err(NotDropped::Busy(_))
        ));
        assert_eq!((store.days().len(), archives(&folder).unwrap().len()), (4, 4));
        drop(locked);
        assert_eq!(days(0).unwrap(), 0);
        assert_eq!(days(1).unwrap(), 1);
        // Who imports persons only looks at them, however long it takes.
        let _looking = SteadyHolds::load(&data.path().join(HOLDS_FILE)).unwrap();
        assert_eq!(days(all).unwrap(), 1);
        drop_archives(data.path(), keep_from, None, all, &kek()).unwrap();
        // Without a checkpoint a day that is kept needs all archives before it.
        assert_eq!(store.days().first(), Some(&keep_from));
    }

    /// Three days' archives, of which the second is named after the first: it must not go with that, by
    /// whichever way archives go.
    #[test]
    fn an_archive_of_a_later_day_than_its_name_says_stays() {
        let data = tempfile::tempdir().unwrap();
        let folder = data.path().join(ARCHIVE_FOLDER);
        fs::create_dir(&folder).unwrap();
        let secret = kek().secret_for(ARCHIVE_PURPOSE).unwrap();
        for number in 0..3 {
            let (index, at) = (number + 1, day(number));
            let mut archive = ArchiveWriter::begin(&folder, &secret, index, at).unwrap();
            archive.push(index, at, b"an entry").unwrap();
            archive.finish().unwrap();
            fs::write(folder.join(name_of(index)), "a checkpoint").unwrap();
        }
        let misnamed = archives(&folder).unwrap().remove(1).file;
        let name = misnamed.file_name().unwrap().to_str().unwrap();
        let (first, second) = (Day::of(day(0)), Day::of(day(1)));
        let false_name = name.replace(&second.to_string(), &first.to_string());
        assert_ne!(false_name, name);
        fs::rename(&misnamed, folder.join(&false_name)).unwrap();

        let over = drop_archives(data.path(), second, None, usize::MAX, &kek());
        let is_misnamed =
            |it: &NotDropped| matches!(it, NotDropped::Archive(ArchiveError::Misnamed { .. }));
        assert!(over.as_ref().is_err_and(is_misnamed), "{over:?}");
        let early = drop_oldest_archives(data.path(), None, &kek());
        assert!(early.as_ref().is_err_and(is_misnamed), "{early:?}");
        assert_eq!(archives(&folder).unwrap().len(), 3);
        fs::rename(folder.join(&false_name), &misnamed).unwrap();
        assert_eq!(drop_oldest_archives(data.path(), None, &kek()).unwrap(), 1);
        drop_archives(data.path(), Day::of(day(2)), None, usize::MAX, &kek()).unwrap();
        assert_eq!(archives(&folder).unwrap().len(), 1);
    }
}
