//! `fleet soak`: half of what a node carries on one core, for hours, and whether its memory stays flat.

use std::fmt::Write as _;
use std::time::Duration;

use ach_load_tests_fleet::Provenance;
use serde::Serialize;

use super::judgement::{Finding, kept};
use super::pair::Pair;
use super::phase::{PhaseOutcome, Rig};
use crate::arguments::Soak;
use crate::chart::{Line, over_time};
use crate::failure::Failure;
use crate::page::Page;
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
    let pair = Pair::new(&soak.with)?;
    let carried = pair.carried()?.carried;
    let host = pair.host()?;
    let rig = Rig::new(&host, &pair.watched)?;
    let length = Duration::from_secs_f64(soak.hours * 3_600.0);
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
        let json = serde_json::to_value(&soaked)?;
        super::write(out, "soak", &provenance, &soaked.text(), &json, &soaked.page()?)?;
    }
    Ok(if is_held { Ending::Held } else { Ending::NotHeld })
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
