//! The results of a command as one page: for each scenario its text, latencies beside the floor, throughput
//! over time, and what became of every ping.

use std::fs;
use std::path::Path;

use ach_load_tests_fleet::Latencies;

use crate::chart::{Bar, Line, bars, over_time, percentiles};
use crate::failure::Failure;
use crate::outcome::{Outcome, float};
use crate::page::Page;
use crate::report::Report;
use crate::verdict::Held;

/// A page of several scenarios that ran in turns.
#[derive(Debug)]
pub(crate) struct ReportPage {
    names: Vec<String>,
    page: Page,
}

impl ReportPage {
    /// A page without scenarios yet.
    pub(crate) fn new() -> ReportPage {
        ReportPage { names: Vec::new(), page: Page::new("Load test") }
    }

    /// Adds a scenario.
    pub(crate) fn add(&mut self, report: &Report<'_>) -> Result<(), Failure> {
        self.names.push(report.name.to_owned());
        let page = &mut self.page;
        page.heading(report.name);
        page.paragraph(&report.scenario.goal);
        figures(report, page);
        if report.runs.iter().any(|run| run.echoes_sent > 0) {
            let caption = "All runs together. Alarms from the moment their pings were meant to \
                           leave; the floor is an echo over the same connection in the same runs.";
            page.figure(caption, &percentiles(&latencies(report.runs))?);
        }
        let rate = |(number, run): (usize, &Outcome)| Line {
            name: format!("run {number}"),
            points: run.timeline.per_s(|moment| moment.durable),
        };
        let rates: Vec<Line> = (1..).zip(report.runs).map(rate).collect();
        page.figure("Pings made durable, a second.", &over_time("pings a second", &rates)?);
        page.figure("What became of every ping, all runs.", &bars("pings", &counts(report.runs))?);
        page.preformatted(&report.text());
        Ok(())
    }

    /// Writes the page, named after its scenarios.
    pub(crate) fn write(&self, folder: &Path) -> Result<(), Failure> {
        let file = folder.join(format!("{}.html", self.names.join("+")));
        Ok(fs::write(file, self.page.html())?)
    }
}

/// The verdict, figure by figure.
fn figures(report: &Report<'_>, page: &mut Page) {
    let number = |value: f64| crate::chart::grouped(value);
    let row = |figure: &crate::verdict::Figure| {
        let spread = figure.spread;
        vec![
            figure.what.to_owned(),
            spread.map_or("not said".to_owned(), |spread| number(spread.median)),
            spread.map_or(String::new(), |spread| {
                format!("{} to {}", number(spread.low), number(spread.high))
            }),
            figure.limit.map_or(String::new(), number),
            match figure.held {
                Some(Held::Yes) => "held",
                Some(Held::No) => "NOT HELD",
                Some(Held::NotShown) => "NOT SHOWN",
                None => "",
            }
            .to_owned(),
        ]
    };
    let rows: Vec<Vec<String>> = report.verdict.figures.iter().map(row).collect();
    page.table(&["what", "median run", "interval", "limit", ""], &rows);
}

fn latencies(runs: &[Outcome]) -> [Line; 2] {
    let merged = |of: &dyn Fn(&Outcome) -> &Latencies| {
        let mut all = Latencies::default();
        for run in runs {
            all.merge(of(run));
        }
        all
    };
    let alarms = merged(&|run| &run.latencies.alarms);
    let echoes = merged(&|run| &run.latencies.echoes);
    [Line::of_latencies("alarm", &alarms), Line::of_latencies("echo (floor)", &echoes)]
}

fn counts(runs: &[Outcome]) -> Vec<Bar> {
    let sum = |of: &dyn Fn(&Outcome) -> u64| float(runs.iter().map(of).sum());
    let counts: [(&str, f64); 6] = [
        ("decided on", sum(&|run| run.totals.accepted)),
        ("gave way", sum(&|run| run.totals.conflated)),
        ("late", sum(&|run| run.totals.late)),
        ("duplicate", sum(&|run| run.totals.duplicate)),
        ("refused", sum(&|run| run.totals.refused)),
        ("no room, not sent", sum(&|run| run.pings_unqueued)),
    ];
    counts.map(|(name, value)| Bar { name: name.to_owned(), value }).to_vec()
}
