//! The store as its owner sees it: opened, checked, its days dropped in time.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::day_mark::DayMark;
use crate::errors::Fault;
use crate::name_rows::NameRows;
use crate::tables::{Keyspace, SimTables, Tables, open_lsm};
use crate::{Day, Holds, OpenError, WriteError, manifest};

/// What the keyspaces of days are called, before the date.
const DAY_PREFIX: &str = "day-";

/// The keyspace of what outlives days.
const NAMES: &str = "names";

/// History. A handle that may be cloned and read from any thread; one [`HistoryWriter`] writes.
///
/// [`HistoryWriter`]: crate::HistoryWriter
#[derive(Clone)]
pub struct Store {
    tables: Arc<dyn Tables>,
    names: NameRows,
    root: PathBuf,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("root", &self.root).finish_non_exhaustive()
    }
}

/// Makes the folder of a store. Where a link leads to nothing, its disk is not there, and nothing may be begun
/// in its place; but for one that was set aside just before a crash, which lies beside.
fn make_folder(folder: &Path) -> Result<(), Fault> {
    let failed = |source| Fault::Disk { verb: "make the folder of", source };
    let (Ok(target), Some(parent)) = (fs::read_link(folder), folder.parent()) else {
        return fs::create_dir_all(folder).map_err(failed);
    };
    let target = parent.join(target);
    if target.exists() {
        return Ok(());
    }
    if !target.with_extension("damaged").exists() {
        let (target, folder) = (target.display(), folder.display());
        let told = format!(
            "{target} is not there: is its disk mounted? If you moved it away to begin a new history, remove \
             the link {folder} too"
        );
        let source = std::io::Error::new(std::io::ErrorKind::NotFound, told);
        return Err(Fault::Disk { verb: "find", source });
    }
    fs::create_dir_all(&target).map_err(failed)
}

/// The lock that the LSM takes too, so that nobody else has the store.
struct Lock {
    /// Unlocked when it is closed; `None` where there is no store yet.
    _file: Option<fs::File>,
}

impl Lock {
    fn take(folder: &Path) -> Result<Lock, Fault> {
        let opened = fs::OpenOptions::new().read(true).write(true).open(folder.join("lock"));
        let file = match opened {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            opened => Some(opened.map_err(Fault::of_io("open the lock of"))?),
        };
        match file.as_ref().map(fs::File::try_lock) {
            Some(Err(fs::TryLockError::WouldBlock)) => Err(Fault::InUse),
            Some(Err(fs::TryLockError::Error(source))) => Err(Fault::Disk { verb: "lock", source }),
            Some(Ok(())) | None => Ok(Lock { _file: file }),
        }
    }
}

/// Tables that were opened, and the one of names.
type Opened = (Arc<dyn Tables>, Keyspace);

/// A store that was opened, and what became of a damaged one in its place.
#[derive(Debug)]
pub struct OpenedStore {
    /// The store.
    pub store: Store,
    /// Where a damaged one was moved, and what was wrong with it. History is to be derived anew.
    pub set_aside: Option<(PathBuf, String)>,
}

impl Store {
    /// Opens the store in `folder`, and makes it if there is none. Everything it says of itself is
    /// checked: manifests, marks, and that no day is missing between others. Rows are checked when
    /// they are read.
    ///
    /// # Errors
    ///
    /// See [`OpenError`]. A damaged store is left as it is.
    pub fn open(folder: &Path) -> Result<Store, OpenError> {
        make_folder(folder)?;
        // While somebody else writes here it looks damaged. The LSM takes the lock again.
        let lock = Lock::take(folder)?;
        manifest::check(folder)?;
        drop(lock);
        // What is damaged may run into an assertion of the LSM; that must not end the node.
        let opened = catch_unwind(AssertUnwindSafe(|| open_tables(folder)));
        let opened =
            opened.unwrap_or_else(|_| Err(Fault::damage("the LSM gave up on its files")))?;
        Ok(Store::on(opened, folder)?)
    }

    /// Opens the store in tables of a simulated world, which nobody else may have open.
    ///
    /// # Errors
    ///
    /// See [`OpenError`].
    pub fn open_simulated(tables: &SimTables) -> Result<Store, OpenError> {
        let names = tables.keyspace(NAMES).map_err(Fault::of("open the names of"))?;
        Ok(Store::on((Arc::new(tables.clone()), names), Path::new(""))?)
    }

    fn on((tables, names): Opened, folder: &Path) -> Result<Store, Fault> {
        let has_days = tables.names().iter().any(|name| name.starts_with(DAY_PREFIX));
        let names = NameRows::open(names, has_days)?;
        let store = Store { tables, names, root: folder.to_owned() };
        store.check_days()?;
        Ok(store)
    }

    /// Opens the store in `folder`. A damaged one is moved aside, so that a new one can be filled from
    /// the journal while alarms go on; one damaged store is kept, for whoever looks into it.
    ///
    /// # Errors
    ///
    /// See [`OpenError`]; never [`OpenError::Damaged`], unless the new store is.
    pub fn open_or_set_aside(folder: &Path) -> Result<OpenedStore, OpenError> {
        let detail = match Store::open(folder) {
            Ok(store) => return Ok(OpenedStore { store, set_aside: None }),
            Err(OpenError::Damaged { detail }) => detail,
            Err(error) => return Err(error),
        };
        let aside = Store::set_aside(folder)?;
        let store = Store::open(folder)?;
        Ok(OpenedStore { store, set_aside: Some((aside, detail)) })
    }

    /// Moves the store in `folder`, which nobody may have open, aside as a damaged one, and says where
    /// it is. Two are kept, the first and the last: the first has what cannot be derived any more, days that a
    /// hold protects perhaps, and goes only by hand.
    ///
    /// # Errors
    ///
    /// [`OpenError::Disk`].
    pub fn set_aside(folder: &Path) -> Result<PathBuf, OpenError> {
        // A link to another disk is followed, so that what is moved stays on that.
        let folder =
            fs::canonicalize(folder).map_err(|source| OpenError::Disk { verb: "find", source })?;
        let _lock = Lock::take(&folder)?;
        let mut aside = folder.with_extension("damaged");
        if aside.exists() {
            aside = folder.with_extension("damaged-again");
            match fs::remove_dir_all(&aside) {
                Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                    return Err(OpenError::Disk { verb: "remove a damaged copy of", source });
                }
                Ok(()) | Err(_) => {}
            }
        }
        fs::rename(&folder, &aside)
            .map_err(|source| OpenError::Disk { verb: "set aside", source })?;
        Ok(aside)
    }

    /// Days that are kept, oldest first.
    pub fn days(&self) -> Vec<Day> {
        let names = self.tables.names();
        let mut days: Vec<Day> = names.iter().filter_map(|name| day_named(name)).collect();
        days.sort_unstable();
        days
    }

    /// What a day covers.
    ///
    /// # Errors
    ///
    /// When its mark cannot be read.
    pub fn mark(&self, day: Day) -> Result<Option<DayMark>, OpenError> {
        Ok(self.day_mark(day)?)
    }

    /// Everything of entries up to this one is kept; 0 if nothing is.
    ///
    /// # Errors
    ///
    /// When the mark of the last day cannot be read.
    pub fn through(&self) -> Result<u64, OpenError> {
        for day in self.days().into_iter().rev() {
            if let Some(mark) = self.mark(day)? {
                return Ok(mark.through);
            }
        }
        Ok(0)
    }

    /// Drops the days before `keep_from` but those that `holds` protect, and says which.
    ///
    /// # Errors
    ///
    /// When the disk refuses; days dropped before stay so.
    pub fn drop_before(&self, keep_from: Day, holds: &Holds) -> Result<Vec<Day>, WriteError> {
        let mut dropped = Vec::new();
        let mut marks = Vec::new();
        for day in self.days() {
            marks.extend(self.day_mark(day)?);
        }
        // The last day that was written goes on being written.
        marks.pop();
        for mark in marks.iter().filter(|mark| mark.day < keep_from && !holds.protect(mark.day)) {
            let day = mark.day;
            // First it is noted that the day may be missing, else the next start would call it damage.
            self.names.note_dropped(day, mark.follows)?;
            self.tables.remove(&name_of(day)).map_err(Fault::of("drop a day of"))?;
            dropped.push(day);
        }
        Ok(dropped)
    }

    /// Bytes on disk: tables of all days and of names.
    pub fn disk_bytes(&self) -> u64 {
        let days = self.days().into_iter().filter_map(|day| self.keyspace(day).ok().flatten());
        days.map(|keyspace| keyspace.disk_bytes())
            .sum::<u64>()
            .saturating_add(self.names.disk_bytes())
    }

    /// Merges the tables of a day that is over. Costs one reading and writing of the day.
    ///
    /// # Errors
    ///
    /// When the disk refuses or something is damaged.
    pub fn compact(&self, day: Day) -> Result<(), WriteError> {
        let Some(keyspace) = self.keyspace(day)? else { return Ok(()) };
        keyspace.merge().map_err(Fault::of("merge the tables of"))?;
        Ok(())
    }

    /// Where it lies.
    pub fn folder(&self) -> &Path {
        &self.root
    }

    /// The mark of a day. One that was begun and never written has none: the process ended in between.
    pub(crate) fn day_mark(&self, day: Day) -> Result<Option<DayMark>, Fault> {
        let Some(keyspace) = self.keyspace(day)? else { return Ok(None) };
        if keyspace.is_empty() {
            return Ok(None);
        }
        DayMark::read(day, &keyspace).map(Some)
    }

    pub(crate) fn names(&self) -> &NameRows {
        &self.names
    }

    /// The keyspace of a day, if there is one.
    pub(crate) fn keyspace(&self, day: Day) -> Result<Option<Keyspace>, Fault> {
        let name = name_of(day);
        if !self.tables.has(&name) {
            return Ok(None);
        }
        self.tables.keyspace(&name).map(Some).map_err(Fault::of("open a day of"))
    }

    /// The keyspace of a day, made if there is none.
    pub(crate) fn make_keyspace(&self, day: Day) -> Result<Keyspace, Fault> {
        self.tables.keyspace(&name_of(day)).map_err(Fault::of("begin a day of"))
    }

    /// Days must follow each other; one may be missing only if it was dropped.
    fn check_days(&self) -> Result<(), Fault> {
        let dropped = self.names.dropped()?;
        let mut last: Option<DayMark> = None;
        for day in self.days() {
            let Some(mark) = self.day_mark(day)? else { continue };
            let is_next = mark.follows == last.as_ref().map(|last| last.day)
                && last.as_ref().is_none_or(|last| last.through == mark.begins_after);
            // Back over days that were dropped, to the one before or to the beginning.
            let mut before = mark.follows;
            while let Some(follows) = before.and_then(|before| dropped.get(&before)) {
                before = *follows;
            }
            let is_dropped_between =
                mark.follows != before && before == last.as_ref().map(|last| last.day);
            if !is_next && !is_dropped_between {
                return Err(Fault::damage(format!(
                    "the day before {day} is missing or incomplete"
                )));
            }
            last = Some(mark);
        }
        Ok(())
    }
}

fn open_tables(folder: &Path) -> Result<Opened, Fault> {
    let tables = open_lsm(folder).map_err(Fault::of("open"))?;
    let names = tables.keyspace(NAMES).map_err(Fault::of("open the names of"))?;
    Ok((Arc::new(tables), names))
}

fn name_of(day: Day) -> String {
    format!("{DAY_PREFIX}{day}")
}

fn day_named(name: &str) -> Option<Day> {
    name.strip_prefix(DAY_PREFIX)?.parse().ok()
}
