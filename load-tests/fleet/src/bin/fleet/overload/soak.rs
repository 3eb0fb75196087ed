//! `fleet soak`: half of what a node carries on one core, for hours, and whether its memory stays flat.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use ach_load_tests_fleet::Provenance;
use serde::Serialize;

use super::judgement::{Finding, kept};
use super::pair::Pair;
use super::phase::{PhaseOutcome, Rig};
use crate::arguments::Soak;
use crate::chart::{Line, over_time};
use crate::failure::Failure;
use crate::host::Remembers;
use crate::outcome::float;
use crate::page::Page;
use crate::results;
use crate::series::Ending;
use crate::slope::Slope;
use crate::timeline::Timeline;

/// The first part of a soak is not looked at: tables grow to the size of the site, buffers to that of the
/// load, and a checkpoint's copies come and go.
const WARM_PART: f64 = 0.25;
/// Nor is the first quarter of an hour: the 65,536 latest notices, which a node keeps for receivers that
/// come back, are full after eleven minutes of a hundred a second. A soak of less than twice as long tells
/// the slope and does not judge it.
const WARM_S_MIN: f64 = 900.0;
/// Memory may grow by this part of itself in a day and still be called flat, for a node is started anew with
/// every update.
const GROWTH_A_DAY_MAX: f64 = 0.05;

const HOUR_S: f64 = 3_600.0;
/// What a ping takes of the disk for good: a little more than `cargo bench --bench history` shows.
const HISTORY_BYTES: f64 = 8.0;
const ARCHIVE_BYTES: f64 = 26.0;
/// The journal, should history be far behind for a while, and the reserve.
const SPARE_BYTES: f64 = 8e9;

/// Everything about a soak.
#[derive(Debug, Serialize)]
struct Soaked<'a> {
    provenance: &'a Provenance,
    carried_pings_per_s: u64,
    load: PhaseOutcome,
    /// Resident memory, in MiB an hour.
    slope: Option<Slope>,
    findings: Vec<Finding>,
    is_held: bool,
}

/// `fleet soak`.
pub(crate) fn soak(soak: &Soak) -> Result<Ending, Failure> {
    // Before the cores are split: it tells how many there are.
    let provenance = Provenance::find("fleet");
    let remembers = remembers(soak);
    let pair = Pair::new(&soak.with, remembers)?;
    let carried = pair.carried(true)?.carried;
    let need_bytes = need_bytes(carried / 2, soak.hours, remembers);
    has_room(&soak.with.below, need_bytes)?;
    let host = pair.host()?;
    let rig = Rig::new(&host, &pair.watched)?;
    let length = Duration::from_secs_f64(soak.hours * HOUR_S);
    let load = rig.run(carried / 2, length)?;
    host.end()?;
    let slope = slope(&load.timeline);
    let mut findings = kept("half", &load);
    findings.push(flat(&load, slope));
    let is_held = findings.iter().all(|finding| finding.is_held || finding.is_timing);
    let soaked = Soaked {
        provenance: &provenance,
        carried_pings_per_s: carried,
        load,
        slope,
        findings,
        is_held,
    };
    println!("\n{}", soaked.text());
    if let Some(out) = &soak.with.out {
        let (text, page) = (soaked.text(), soaked.page()?);
        results::write(out, &provenance, "soak", &text, &soaked, Some(&page))?;
    }
    Ok(if is_held { Ending::Held } else { Ending::NotHeld })
}

fn remembers(soak: &Soak) -> Remembers {
    if soak.without_archives { Remembers::HistoryAlone } else { Remembers::HistoryWithoutJournal }
}

/// What the load will take of the disk by its end.
fn need_bytes(pings_per_s: u64, hours: f64, remembers: Remembers) -> f64 {
    let archived = if remembers == Remembers::HistoryAlone { 0.0 } else { ARCHIVE_BYTES };
    SPARE_BYTES + float(pings_per_s) * hours * HOUR_S * (HISTORY_BYTES + archived)
}

/// Says what a soak takes, and refuses one that would end on a full disk.
fn has_room(below: &Path, need_bytes: f64) -> Result<(), Failure> {
    let disk = rustix::fs::statvfs(below).map_err(std::io::Error::from)?;
    let free_bytes = float(disk.f_bavail) * float(disk.f_frsize);
    let (need, free) = (need_bytes / 1e9, free_bytes / 1e9);
    println!("it will take {need:.0} GB of the disk, of which {free:.0} are free");
    if need_bytes <= free_bytes {
        return Ok(());
    }
    Err(Failure::new(format!(
        "{} has {free:.0} GB free, and the soak takes {need:.0}: use a larger disk (--below), fewer \
         --hours, or --without-archives",
        below.display()
    )))
}

/// How memory went after the load had warmed up, an hour.
fn slope(timeline: &Timeline) -> Option<Slope> {
    let all = timeline.residents();
    let whole_s = all.last()?.0;
    let warm_s = whole_s * WARM_PART;
    let warm_s = if is_long(whole_s) { warm_s.max(WARM_S_MIN) } else { warm_s };
    let warm: Vec<(f64, f64)> = all.into_iter().filter(|(at_s, _)| *at_s >= warm_s).collect();
    Slope::of(&warm).map(|a_second| a_second.times(3_600.0))
}

fn is_long(whole_s: f64) -> bool {
    whole_s >= 2.0 * WARM_S_MIN
}

/// Flat: that it grows by more than it may is not within the error.
fn flat(load: &PhaseOutcome, slope: Option<Slope>) -> Finding {
    let most = load.resident_max_mib.map(|mib| mib * GROWTH_A_DAY_MAX / 24.0);
    let is_held =
        slope.zip(most).is_some_and(|(slope, most)| slope.value - 2.0 * slope.error <= most);
    let said = |slope: Slope| format!("{:+.3} +- {:.3} MiB an hour", slope.value, slope.error);
    Finding {
        what: format!("memory is flat: at most {:.3} MiB an hour", most.unwrap_or(0.0)),
        found: slope.map_or("not measured".to_owned(), said),
        is_held,
        is_timing: !is_long(load.seconds),
        is_shown: true,
    }
}

impl Soaked<'_> {
    fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = self.put(&mut text);
        text
    }

    fn put(&self, text: &mut String) -> std::fmt::Result {
        writeln!(text, "soak: half of what one core carries\n\n{}", self.provenance.text())?;
        writeln!(text, "carried   {} pings/s", self.carried_pings_per_s)?;
        writeln!(text, "half      {}\n", self.load.line())?;
        for finding in &self.findings {
            writeln!(text, "{}", finding.line(false))?;
        }
        writeln!(text, "{}", if self.is_held { "HELD" } else { "NOT HELD" })
    }

    fn page(&self) -> Result<String, Failure> {
        let mut page = Page::new("Soak");
        page.preformatted(&self.text());
        let memory = Line { name: "resident".to_owned(), points: self.load.timeline.residents() };
        page.figure("Memory of the node over time.", &over_time("MiB", &[memory])?);
        let durable = self.load.timeline.per_s(|moment| moment.durable);
        let rate = Line { name: "on disk".to_owned(), points: durable };
        page.figure("Pings made durable, a second.", &over_time("pings a second", &[rate])?);
        Ok(page.html())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(mib_an_hour: f64, expected: bool) {
        let load = PhaseOutcome { resident_max_mib: Some(240.0), ..PhaseOutcome::default() };
        let slope = Some(Slope { value: mib_an_hour, error: 0.1 });
        assert_eq!(flat(&load, slope).is_held, expected, "{mib_an_hour} MiB an hour");
    }

    #[test]
    fn a_soak_takes_of_the_disk_what_its_pings_do() {
        let bytes = |remembers| need_bytes(500_000, 2.0, remembers);
        assert!((bytes(Remembers::HistoryWithoutJournal) / 1e9 - 130.4).abs() < 1e-6);
        assert!((bytes(Remembers::HistoryAlone) / 1e9 - 36.8).abs() < 1e-6);
        assert!(has_room(Path::new("."), 1e30).unwrap_err().to_string().contains("--below"));
        has_room(Path::new("."), 0.0).unwrap();
    }

    #[test]
    fn memory_is_flat_unless_it_surely_grows_by_more_than_a_twentieth_a_day() {
        check(-3.0, true);
        check(0.5, true);
        check(0.69, true);
        check(0.71, false);
        assert!(!flat(&PhaseOutcome::default(), None).is_held, "what was not measured");
        let short = PhaseOutcome { seconds: 180.0, ..PhaseOutcome::default() };
        let long = PhaseOutcome { seconds: 7_200.0, ..PhaseOutcome::default() };
        assert!(flat(&short, None).is_timing, "told, not judged");
        assert!(!flat(&long, None).is_timing, "judged");
    }
}
