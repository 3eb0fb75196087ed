//! What history takes on disk and how fast it answers, against what is wished.

use std::error::Error;
use std::fmt::Write as _;
use std::fs::File;
use std::path::Path;
use std::time::Duration;

use ach_actors_model::{NS_PER_S, TagRef, Timestamp, ZoneRef};
use ach_engine_store::{Store, StoreReport};
use serde::Serialize;

use crate::history_walks::HistoryWalks;
use crate::pairs::stopwatch;
use crate::{Scale, Size};

/// What can go wrong in a benchmark.
type Failure = Box<dyn Error>;

/// Visits of a zone in an hour: more than there are people.
const LIMIT: usize = 1_000_000;
/// Questions of each kind; the median is told.
const QUESTIONS: u32 = 21;
/// Wished for: bytes a ping on disk, a day of one tag, and who was in a zone in an hour.
const PING_BYTES_MAX: f64 = 8.0;
const DAY_MAX: Duration = Duration::from_millis(20);
const HOUR_MAX: Duration = Duration::from_millis(100);

/// A hospital to measure.
#[derive(Debug, Clone, Copy)]
struct Walk {
    tags: Size,
    zones: Size,
    seconds: Size,
    /// With the journal's archives.
    has_archive: bool,
}

/// A day of a hundred tags: what one tag's day takes does not depend on how many others there are.
const A_DAY: Walk = Walk {
    tags: Size { smoke: 4, full: 100 },
    zones: Size { smoke: 10, full: 1_000 },
    seconds: Size { smoke: 120, full: 24 * 3_600 },
    has_archive: true,
};

/// An hour and ten minutes of ten thousand tags: an hour is asked about that is no full one.
const AN_HOUR: Walk = Walk {
    tags: Size { smoke: 10, full: 10_000 },
    zones: Size { smoke: 10, full: 1_000 },
    seconds: Size { smoke: 130, full: 70 * 60 },
    has_archive: false,
};

/// The figures of one hospital.
#[derive(Debug, Clone, Serialize)]
pub struct HistoryFigures {
    tags: usize,
    zones: usize,
    seconds: usize,
    pings: u64,
    /// Bytes a ping on disk as it stands, and when each day was merged.
    ping_bytes: f64,
    merged_ping_bytes: f64,
    ping_bytes_max: f64,
    /// Of them, blocks of pings.
    block_ping_bytes: f64,
    /// The journal's archives, apart.
    archive_ping_bytes: Option<f64>,
    /// Processor time a ping of history, and of the shard's steps.
    history_ns: f64,
    shard_ns: f64,
    questions: Vec<Question>,
}

/// How long a question took.
#[derive(Debug, Clone, Serialize)]
struct Question {
    what: &'static str,
    median_ms: f64,
    slowest_ms: f64,
    /// What is wished, if something is.
    max_ms: Option<f64>,
    /// The most that one found.
    found: u64,
}

/// Measures both hospitals, on the disk where `below` lies.
///
/// # Errors
///
/// When the disk refuses.
pub fn measure(scale: Scale, below: &Path) -> Result<Vec<HistoryFigures>, Box<dyn Error>> {
    [A_DAY, AN_HOUR].into_iter().map(|walk| walk.measure(scale, below)).collect()
}

impl Walk {
    fn measure(self, scale: Scale, below: &Path) -> Result<HistoryFigures, Failure> {
        let number = |size| scale.of(size);
        let (tags, zones) = (number(self.tags), number(self.zones));
        let seconds = number(self.seconds);
        let folder = tempfile::tempdir_in(below)?;
        let of = (u32::try_from(tags)?, u32::try_from(zones)?);
        let mut walks = HistoryWalks::begin(of, folder.path(), self.has_archive)?;
        walks.live(u64::try_from(seconds)?)?;
        let (pings, costs) = (walks.ping_count(), walks.costs());
        let each = |bytes: u64| per(bytes, pings);
        let archive_ping_bytes = walks.archive_bytes()?.map(each);
        let store = walks.store().clone();
        let ping_bytes = each(store.disk_bytes());
        // As it stands; merged it is faster.
        let mut questions = ask(&walks, &store, tags)?;
        let StoreReport { block_bytes, .. } = store.verify()?;
        for day in store.days() {
            store.compact(day)?;
        }
        let merged_ping_bytes = each(store.disk_bytes());
        if self.has_archive {
            questions.push(cold(&walks, folder.path(), tags)?);
        }
        let ns = |time: Duration| per(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX), pings);
        Ok(HistoryFigures {
            tags,
            zones,
            seconds,
            pings,
            ping_bytes,
            merged_ping_bytes,
            ping_bytes_max: PING_BYTES_MAX,
            block_ping_bytes: each(block_bytes),
            archive_ping_bytes,
            history_ns: ns(costs.history),
            shard_ns: ns(costs.shard),
            questions,
        })
    }
}

fn ask(walks: &HistoryWalks, store: &Store, tags: usize) -> Result<Vec<Question>, Failure> {
    let (zones, ends_at) = (walks.zone_count(), walks.ends_at());
    let tags = u32::try_from(tags)?;
    let day = before(ends_at, 24 * 3_600);
    let day_of_a_tag = question("a day of one tag", Some(DAY_MAX), |round| {
        walk(store, TagRef(round * 7 % tags), day)
    })?;
    let hour = before(ends_at, 3_600);
    let mut busiest = (0, ZoneRef(0));
    for zone in (0..u32::try_from(zones)?).map(ZoneRef) {
        let count = store.visits_of_zone(zone, hour, LIMIT)?.len();
        busiest = busiest.max((count, zone));
    }
    let of_zone = |zone| Ok(u64::try_from(store.visits_of_zone(zone, hour, LIMIT)?.len())?);
    let of_busiest =
        question("an hour of the busiest zone", Some(HOUR_MAX), |_| of_zone(busiest.1))?;
    let zones = u32::try_from(zones.max(1))?;
    let of_any = question("an hour of any zone", Some(HOUR_MAX), |round| {
        of_zone(ZoneRef(round * 37 % zones))
    })?;
    let whereabouts = question("where one tag was", None, |round| {
        let at = before(ends_at, u64::from(round) * 60).0;
        Ok(u64::from(store.whereabouts(TagRef(round * 7 % tags), at)?.is_some()))
    })?;
    Ok(vec![day_of_a_tag, of_busiest, of_any, whereabouts])
}

/// A day of one tag out of a store that was just opened, and of which the system has no page in memory:
/// as after a restart.
fn cold(walks: &HistoryWalks, folder: &Path, tags: usize) -> Result<Question, Failure> {
    let day = before(walks.ends_at(), 24 * 3_600);
    let tags = u32::try_from(tags)?;
    let (lsm, scratch) = (folder.join("lsm"), folder.join("linked"));
    let (mut times, mut found) = (Vec::new(), 0);
    for round in 0..QUESTIONS {
        forget(&lsm)?;
        let store = Store::open_linked(&lsm, &scratch)?;
        let (time, count) = timed(|| walk(&store, TagRef(round * 7 % tags), day))?;
        times.push(time);
        found = found.max(count);
        drop(store);
        std::fs::remove_dir_all(&scratch)?;
    }
    Question::of("a day of one tag, not in memory", Some(DAY_MAX), times, found)
}

/// Has the system drop what it has of the files below a folder.
fn forget(folder: &Path) -> Result<(), Failure> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            forget(&path)?;
        } else {
            let file = File::open(&path)?;
            file.sync_all()?;
            rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed)?;
        }
    }
    Ok(())
}

fn walk(store: &Store, tag: TagRef, (from, until): (Timestamp, Timestamp)) -> Result<u64, Failure> {
    let mut count = 0;
    for ping in store.pings(tag, from, until)? {
        std::hint::black_box(ping?);
        count += 1;
    }
    Ok(count)
}

fn timed(work: impl FnOnce() -> Result<u64, Failure>) -> Result<(Duration, u64), Failure> {
    let mut outcome = Ok(0);
    let (time, _) = stopwatch(|| {
        outcome = work();
        0
    });
    outcome.map(|found| (time, found))
}

fn question(
    what: &'static str,
    max: Option<Duration>,
    mut ask: impl FnMut(u32) -> Result<u64, Failure>,
) -> Result<Question, Failure> {
    let (mut times, mut found) = (Vec::new(), 0);
    for round in 0..QUESTIONS {
        let (time, count) = timed(|| ask(round))?;
        times.push(time);
        found = found.max(count);
    }
    Question::of(what, max, times, found)
}

impl Question {
    fn of(
        what: &'static str,
        max: Option<Duration>,
        mut times: Vec<Duration>,
        found: u64,
    ) -> Result<Question, Failure> {
        times.sort_unstable();
        let ms = |time: Duration| time.as_secs_f64() * 1_000.0;
        let median = times.get(times.len() / 2).ok_or("nothing was asked")?;
        Ok(Question {
            what,
            median_ms: ms(*median),
            slowest_ms: times.last().copied().map_or(0.0, ms),
            max_ms: max.map(ms),
            found,
        })
    }
}

fn before(at: Timestamp, seconds: u64) -> (Timestamp, Timestamp) {
    (Timestamp(at.0.saturating_sub(seconds * NS_PER_S)), at)
}

#[expect(clippy::cast_precision_loss, clippy::as_conversions, reason = "told to three digits")]
fn per(sum: u64, count: u64) -> f64 {
    sum as f64 / count.max(1) as f64
}

impl HistoryFigures {
    /// Whether everything that is wished holds, in this run.
    pub fn is_met(&self) -> bool {
        let is_quick = |it: &Question| it.max_ms.is_none_or(|max_ms| it.median_ms <= max_ms);
        self.ping_bytes <= self.ping_bytes_max && self.questions.iter().all(is_quick)
    }

    /// As lines of a text.
    pub fn text(&self) -> String {
        let mut text = format!(
            "{} tags, {} zones, {} s: {} pings\n  bytes a ping on disk {:.2} (wished {}), when days are \
             merged {:.2}, of them blocks {:.2}\n",
            self.tags,
            self.zones,
            self.seconds,
            self.pings,
            self.ping_bytes,
            self.ping_bytes_max,
            self.merged_ping_bytes,
            self.block_ping_bytes
        );
        if let Some(bytes) = self.archive_ping_bytes {
            // Writing into a text cannot fail.
            let _ = writeln!(text, "  bytes a ping of the journal's archives, apart {bytes:.2}");
        }
        let _ = writeln!(
            text,
            "  processor time a ping: history {:.0} ns, the shard's step {:.0} ns",
            self.history_ns, self.shard_ns
        );
        for Question { what, median_ms, slowest_ms, max_ms, found } in &self.questions {
            let max = max_ms.map_or_else(String::new, |max_ms| format!(", wished {max_ms} ms"));
            let _ = writeln!(
                text,
                "  {what:<34} median {median_ms:>8.3} ms, slowest {slowest_ms:>8.3} ms{max}; \
                 {found} found at most"
            );
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn history_can_be_measured() {
        let folder = tempfile::tempdir().expect("a folder");
        let figures = measure(Scale::Smoke, folder.path()).expect("a disk");
        assert_eq!(figures.len(), 2);
        for figures in figures {
            assert!(figures.pings > 300, "{figures:?}");
            assert!(figures.questions.len() >= 4);
            assert!(figures.questions.iter().all(|it| it.found > 0 || it.what.contains("any")));
            assert!(figures.text().contains("a day of one tag"));
        }
    }
}
