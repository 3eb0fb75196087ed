//! `fleet overload`: finds what a node carries on one core, then loads it with half of that and with three
//! times of it, and judges what must not be touched by either.

mod console;
mod judgement;
mod offer;
mod pair;
mod phase;
mod soak;

use std::fmt::Write as _;
use std::time::Duration;

use ach_load_tests_fleet::Provenance;
use serde::Serialize;

use self::judgement::Judgement;
use self::pair::{Carried, Pair};
use self::phase::{PhaseOutcome, Rig};
pub(crate) use self::soak::soak;
use crate::arguments::Overload;
use crate::chart::{Bar, Line, bars, over_time, percentiles};
use crate::failure::Failure;
use crate::host::Remembers;
use crate::outcome::float;
use crate::page::Page;
use crate::results;
use crate::series::Ending;

/// Half the load lasts this part of three times the load, and this at least.
const HALF_PART: u32 = 4;
const HALF_S_MIN: u64 = 10;

/// Everything about an overload.
#[derive(Debug, Serialize)]
struct Overloaded<'a> {
    provenance: &'a Provenance,
    node_core: usize,
    load_cores: usize,
    tags: u32,
    zones: u32,
    ramp: Carried,
    half: PhaseOutcome,
    triple: PhaseOutcome,
    judgement: Judgement,
}

/// `fleet overload`.
pub(crate) fn overload(overload: &Overload) -> Result<Ending, Failure> {
    let with = &overload.with;
    // Before the cores are split: it tells how many there are.
    let provenance = Provenance::find("fleet");
    let pair = Pair::new(with, Remembers::HistoryWithoutJournal)?;
    let ramp = pair.carried(false)?;
    // A node that has not been loaded yet: its memory must be that of half the load.
    let host = pair.host()?;
    let rig = Rig::new(&host, &pair.watched)?;
    let half_s = u64::from(overload.seconds / HALF_PART).max(HALF_S_MIN);
    let half = rig.run(ramp.carried / 2, Duration::from_secs(half_s))?;
    println!("half: {}", half.line());
    let triple = rig.run(ramp.carried * 3, Duration::from_secs(u64::from(overload.seconds)))?;
    println!("triple: {}", triple.line());
    host.end()?;
    let judgement = Judgement::of(&ramp, &half, &triple, !overload.counts_only);
    let overloaded = Overloaded {
        provenance: &provenance,
        node_core: pair.cores.node_core(),
        load_cores: pair.cores.load_count(),
        tags: with.tags,
        zones: with.zones,
        ramp,
        half,
        triple,
        judgement,
    };
    println!("\n{}", overloaded.text());
    if let Some(out) = &with.out {
        let (text, page) = (overloaded.text(), overloaded.page()?);
        results::write(out, &provenance, "overload", &text, &overloaded, Some(&page))?;
    }
    Ok(if overloaded.judgement.is_held { Ending::Held } else { Ending::NotHeld })
}

impl PhaseOutcome {
    fn line(&self) -> String {
        let said = |value: Option<f64>| value.map_or("-".to_owned(), |it| format!("{it:.0}"));
        format!(
            "{} pings/s planned, {:.0} decided on, {} conflated, {} conflated in the client, {} without room; alarms {} of {}, \
             p50 {} us, p99 {} us (echo p50 {}, sent late p50 {}; p50 to the node {}, in its lane {}, to \
             the receiver {}); {} MiB; cpu s of {:.0}: node {}, load {:.1}; drained after {:.2} s",
            self.pings_per_s_planned,
            self.pings_accepted_per_s,
            self.totals.conflated,
            self.pings_conflated_in_client,
            self.pings_unqueued,
            self.lanes.iter().map(|lane| lane.alarms_heard).sum::<u64>(),
            self.lanes.iter().map(|lane| lane.alarms_due).sum::<u64>(),
            said(self.alarm_latency_us.p50),
            said(self.alarm_latency_us.p99),
            said(self.echo_latency_us.p50),
            said(self.send_lateness_us.p50),
            said(self.alarm_way_us.to_node.p50),
            said(self.alarm_way_us.in_lane.p50),
            said(self.alarm_way_us.to_receiver.p50),
            said(self.resident_max_mib),
            self.seconds,
            said(self.cpu.node_s),
            self.cpu.fleet_s,
            self.drained_after_s,
        )
    }
}

impl Overloaded<'_> {
    fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = self.put(&mut text);
        text
    }

    fn put(&self, text: &mut String) -> std::fmt::Result {
        writeln!(
            text,
            "overload: {} tags, {} zones, one core for the node",
            self.tags, self.zones
        )?;
        write!(text, "\n{}", self.provenance.text())?;
        writeln!(
            text,
            "\nramp: pings a second offered, decided on; gave way in the node, in the client, found no room; \
             the node's part of its core"
        )?;
        for step in &self.ramp.steps {
            writeln!(
                text,
                "{:>9} {:>11.0} {:>9} {:>9} {:>9} {:>5.2}  {}",
                step.offered_per_s,
                step.accepted_per_s,
                step.conflated,
                step.conflated_in_client,
                step.unqueued,
                step.node_core_part,
                step.verdict()
            )?;
        }
        writeln!(text, "carried   {} pings/s", self.ramp.carried)?;
        writeln!(text, "half      {}", self.half.line())?;
        writeln!(text, "triple    {}\n", self.triple.line())?;
        for finding in &self.judgement.findings {
            writeln!(text, "{}", finding.line(self.judgement.is_timing_judged))?;
        }
        writeln!(text, "{}", self.judgement.verdict())
    }

    fn page(&self) -> Result<String, Failure> {
        let mut page = Page::new("Overload");
        page.preformatted(&self.text());
        let phases = [("half", &self.half), ("triple", &self.triple)];
        let lines = phases.map(|(name, phase)| Line::of_latencies(name, &phase.alarms));
        let caption = "Alarms of buttons and doors, from the moment their reports were meant to \
                       leave, at half of what the node carries and at three times of it.";
        page.figure(caption, &percentiles(&lines)?);
        let lines = phases.map(|(name, phase)| Line {
            name: name.to_owned(),
            points: phase.timeline.residents(),
        });
        page.figure("Memory of the node over time.", &over_time("MiB", &lines)?);
        let lines = [
            ("decided on", self.triple.timeline.per_s(|moment| moment.accepted)),
            ("gave way", self.triple.timeline.per_s(|moment| moment.conflated)),
        ];
        let lines = lines.map(|(name, points)| Line { name: name.to_owned(), points });
        let caption = "Pings a second at three times what the node carries.";
        page.figure(caption, &over_time("pings a second", &lines)?);
        let totals = &self.triple.totals;
        let counts = [
            ("decided on", totals.accepted),
            ("gave way", totals.conflated),
            ("gave way in the client", self.triple.pings_conflated_in_client),
            ("late", totals.late),
            ("duplicate", totals.duplicate),
            ("refused", totals.refused),
            ("no room, not sent", self.triple.pings_unqueued),
        ];
        let counts = counts.map(|(name, count)| Bar { name: name.to_owned(), value: float(count) });
        let caption = "What became of every ping of three times the load.";
        page.figure(caption, &bars("pings", &counts)?);
        Ok(page.html())
    }
}
