//! The result of a scenario: read by people, by programs, and by tools that know histograms.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use ach_load_tests_fleet::{Latencies, Provenance};
use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{IntervalLogWriterBuilder, Tag};
use serde::Serialize;

use crate::failure::Failure;
use crate::host::Threads;
use crate::outcome::Outcome;
use crate::pacer::Pacing;
use crate::residence::Residence;
use crate::scenario::Scenario;
use crate::verdict::{Figure, Held, Verdict};

/// Values in the log are nanoseconds; tools are to show microseconds.
const LOG_DIVISOR: f64 = 1_000.0;

/// Everything about one scenario.
#[derive(Debug, Serialize)]
pub(crate) struct Report<'a> {
    /// Its file's name without the extension.
    pub(crate) name: &'a str,
    pub(crate) scenario: &'a Scenario,
    pub(crate) provenance: &'a Provenance,
    /// Where the node ran: `process`, `in-process` or its address.
    pub(crate) node: String,
    pub(crate) threads: Option<Threads>,
    pub(crate) pacing: Pacing,
    pub(crate) verdict: Verdict,
    pub(crate) runs: &'a [Outcome],
}

impl Report<'_> {
    /// The text that people read.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = self.put(&mut text);
        text
    }

    fn put(&self, text: &mut String) -> std::fmt::Result {
        writeln!(text, "{}: {}", self.name, self.scenario.goal)?;
        writeln!(text)?;
        write!(text, "{}", self.provenance.text())?;
        let threads = self.threads.map(|it| format!(", threads: {it:?}")).unwrap_or_default();
        writeln!(text, "node      {}{threads}; sender: {:?}", self.node, self.pacing)?;
        writeln!(text)?;
        self.put_runs(text)?;
        writeln!(text)?;
        let verdict = &self.verdict;
        writeln!(text, "{} runs count, {} are void", verdict.runs_counted, verdict.runs_void)?;
        for figure in &verdict.figures {
            writeln!(text, "{}", line(figure))?;
        }
        writeln!(text, "{}", if verdict.is_held { "HELD" } else { "NOT HELD" })
    }

    fn put_runs(&self, text: &mut String) -> std::fmt::Result {
        let has_echoes = self.runs.iter().any(|run| run.echoes_sent > 0);
        if has_echoes {
            writeln!(
                text,
                "run   pings/s  alarms   alarm us p50/p99       echo us p50/p99        ratio \
                 p50/p99   late us p50/p99   deadline us p50/p99  cpu s node/fleet/stolen"
            )?;
        } else {
            writeln!(text, "run   durable/s  published  cpu s node/fleet/stolen")?;
        }
        for (number, run) in (1..).zip(self.runs) {
            let said = |value: Option<f64>| value.map_or("-".to_owned(), |it| format!("{it:.0}"));
            let ratio = |value: Option<f64>| value.map_or("-".to_owned(), |it| format!("{it:.2}"));
            let node = run.cpu.node_s.map_or("-".to_owned(), |it| format!("{it:.1}"));
            let cpu = format!("{node} / {:.1} / {:.1}", run.cpu.fleet_s, run.cpu.stolen_s);
            if has_echoes {
                writeln!(
                    text,
                    "{number:>3} {:>9.0} {:>7} {:>10} / {:<9} {:>10} / {:<9} {:>8} / {:<6} \
                     {:>7} / {:<7} {:>8} / {:<8} {cpu}",
                    run.durable_pings_per_s,
                    run.alarms_heard,
                    said(run.alarm_latency_us.p50),
                    said(run.alarm_latency_us.p99),
                    said(run.echo_latency_us.p50),
                    said(run.echo_latency_us.p99),
                    ratio(run.ratio.p50),
                    ratio(run.ratio.p99),
                    said(run.send_lateness_us.p50),
                    said(run.send_lateness_us.p99),
                    said(run.deadline_lateness_us.p50),
                    said(run.deadline_lateness_us.p99),
                )?;
            } else {
                let (rate, published) = (run.durable_pings_per_s, run.pings_published);
                writeln!(text, "{number:>3} {rate:>11.0} {published:>10}  {cpu}")?;
            }
            if let Some(residence) = &run.residence {
                writeln!(text, "{}", residence_line(residence))?;
            }
            for reason in &run.void {
                writeln!(text, "    VOID: {reason}")?;
            }
        }
        Ok(())
    }

    /// Writes the text, the numbers and the histograms into a folder.
    pub(crate) fn write(&self, folder: &Path) -> Result<(), Failure> {
        fs::create_dir_all(folder)?;
        let file = |extension: &str| folder.join(format!("{}.{extension}", self.name));
        fs::write(file("txt"), self.text())?;
        fs::write(file("json"), format!("{}\n", serde_json::to_string_pretty(self)?))?;
        if self.runs.iter().any(|run| run.echoes_sent > 0) {
            fs::write(file("hlog"), self.histograms()?)?;
        }
        Ok(())
    }

    /// An interval log of `HdrHistogram`: a line a run and kind of latency.
    fn histograms(&self) -> Result<Vec<u8>, Failure> {
        let failed = |error: &dyn std::fmt::Debug| Failure::new(format!("histograms: {error:?}"));
        let mut out = Vec::new();
        let mut serializer = V2DeflateSerializer::new();
        let mut builder = IntervalLogWriterBuilder::new();
        builder.add_comment(&format!("{}, commit {}", self.name, self.provenance.commit));
        builder.with_base_time(SystemTime::UNIX_EPOCH).with_max_value_divisor(LOG_DIVISOR);
        let mut log = builder.begin_log_with(&mut out, &mut serializer)?;
        for (number, run) in (0_u64..).zip(self.runs) {
            let set = &run.latencies;
            let kinds: [(&str, &Latencies); 4] = [
                ("alarm", &set.alarms),
                ("echo", &set.echoes),
                ("deadline", &set.deadlines),
                ("sender-late", &set.lateness),
            ];
            for (kind, latencies) in kinds {
                let tag = Tag::new(kind).ok_or_else(|| failed(&kind))?;
                let start = Duration::from_secs(number * u64::from(self.scenario.run_s));
                let length = Duration::from_secs(u64::from(self.scenario.run_s));
                log.write_histogram(latencies.histogram(), start, length, Some(tag))
                    .map_err(|error| failed(&error))?;
            }
        }
        drop(log);
        Ok(out)
    }
}

fn residence_line(residence: &Residence) -> String {
    let us = |value: Option<f64>| value.map_or("-".to_owned(), |it| format!("{it:.0}"));
    format!(
        "    residence of {} alarms, us at most: cpu p50 {}, p99 {}, p99.9 {}; wall p50 {}, p99.9 {}; the \
         node was interrupted {} times",
        residence.samples,
        us(residence.cpu_p50_us),
        us(residence.cpu_p99_us),
        us(residence.cpu_p99_9_us),
        us(residence.wall_p50_us),
        us(residence.wall_p99_9_us),
        residence.switches_involuntary,
    )
}

fn line(figure: &Figure) -> String {
    let what = figure.what;
    let held = figure.held.map_or("", |held| match held {
        Held::Yes => "held",
        Held::No => "NOT HELD",
        Held::NotShown => "NOT SHOWN",
    });
    let limit = figure.limit.map(|limit| format!("limit {limit}: {held}")).unwrap_or_default();
    let Some(spread) = figure.spread else { return format!("{what:<30} not said  {limit}") };
    let digits = if spread.median < 100.0 { 2 } else { 0 };
    let sure = spread.coverage * 100.0;
    format!(
        "{what:<30} {:>10.digits$}   {:.digits$} to {:.digits$} ({sure:.0} %)   {limit}",
        spread.median, spread.low, spread.high
    )
}

#[cfg(test)]
mod tests {
    use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};

    use super::*;
    use crate::outcome::LatencySet;
    use crate::scenario::Limits;

    #[test]
    fn a_result_is_read_back_whole_by_people_programs_and_histogram_tools() {
        let mut alarms = Latencies::default();
        (1..=1_000).for_each(|us| alarms.record(us * 1_000));
        let run = Outcome {
            echoes_sent: 1,
            void: vec!["7 pings found no room in the client".to_owned()],
            latencies: LatencySet { alarms, ..LatencySet::default() },
            ..Outcome::default()
        };
        let scenario = Scenario {
            goal: "to see a report".to_owned(),
            tags: 10,
            zones: 10,
            pings_per_s: Some(10),
            alarms_per_s: 1,
            batch_pings: 64,
            runs: 1,
            run_s: 10,
            limits: Limits { p50_ratio_max: Some(1.5), ..Limits::default() },
        };
        let runs = [run];
        let report = Report {
            name: "sample",
            scenario: &scenario,
            provenance: &Provenance::find("fleet"),
            node: "in-process".to_owned(),
            threads: Some(Threads::One),
            pacing: Pacing::Sleep,
            verdict: Verdict::of(&runs, &scenario.limits),
            runs: &runs,
        };
        let folder = tempfile::tempdir().expect("a folder");
        report.write(folder.path()).expect("written");
        let read = |name: &str| fs::read_to_string(folder.path().join(name)).expect("a file");
        let text = read("sample.txt");
        assert!(text.contains("VOID: 7 pings found no room"), "{text}");
        assert!(text.contains("NOT SHOWN") && text.ends_with("NOT HELD\n"), "{text}");
        let json: serde_json::Value = serde_json::from_str(&read("sample.json")).expect("JSON");
        assert_eq!(json["verdict"]["is_held"], false);
        assert!(json["provenance"]["commit"].as_str().is_some_and(|commit| commit.len() >= 7));
        let log = read("sample.hlog");
        let mut samples = Vec::new();
        for entry in IntervalLogIterator::new(log.as_bytes()) {
            if let LogEntry::Interval(interval) = entry.expect("an entry") {
                samples.push((interval.tag().map(|tag| tag.as_str().to_owned()), interval.max()));
            }
        }
        let tags: Vec<&str> = samples.iter().filter_map(|(tag, _)| tag.as_deref()).collect();
        assert_eq!(tags, ["alarm", "echo", "deadline", "sender-late"]);
        assert!((samples[0].1 - 1_000.0).abs() < 1.0, "{samples:?}");
    }
}
