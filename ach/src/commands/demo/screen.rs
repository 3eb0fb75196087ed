//! What the demo shows.

use std::path::Path;

use ach_actors_model::AlarmTransition;
use ach_engine_site::NameBook;
use ach_engine_wire::AlarmNote;
use ach_load_tests_fleet::{Hospital, Ledger, Percentiles, Summary, verdict};
use owo_colors::OwoColorize;
use serde_json::json;

use super::cast::Cast;
use super::hosted_node::HostedNode;
use super::name_of;
use crate::exit::Failure;
use crate::notes;

/// Text for people or JSON for programs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Screen {
    is_json: bool,
}

impl Screen {
    /// Chooses.
    pub(super) fn new(is_json: bool) -> Screen {
        Screen { is_json }
    }

    /// Where everything is, and what to type in a second terminal.
    pub(super) fn opening(
        self,
        node: &HostedNode,
        data: &Path,
        cast: &Cast,
        seed: u64,
        is_kept: bool,
    ) {
        let address = node.address();
        let (node_data, operator) = (data.join("node"), cast.operator.display());
        if self.is_json {
            say!(
                "{}",
                json!({
                    "event": "listening",
                    "node": address.to_string(),
                    "data": data.display().to_string(),
                    "seed": seed,
                })
            );
            return;
        }
        let rule = if is_kept { "kept" } else { "removed at the end; --data DIR keeps it" };
        let ach = std::env::current_exe()
            .map_or_else(|_| "ach".to_owned(), |it| it.display().to_string());
        say!("{}", "HMS-ACH demo".bold());
        say!("  node   quic {address}    seed {seed}");
        say!("  data   {} ({rule})", data.display());
        say!("  site   {} (GeoJSON in metres)", data.join("site").display());
        say!("In a second terminal:");
        say!("  {ach} tail alarms --node {address} --credentials {operator}");
        say!("  {ach} tail events --node {address} --credentials {operator}");
        say!("  {ach} status --node {address} --credentials {operator}");
        say!("  {ach} journal verify {}", node_data.display());
        say!("Ctrl-C ends it with a summary.\n");
    }

    /// The node is about to die.
    pub(super) fn killing(self) {
        if self.is_json {
            say!("{}", json!({ "event": "killed" }));
        } else {
            say!("{}", "-- SIGKILL to the node --".bold());
        }
    }

    /// The node is back.
    pub(super) fn restarted(self, node: &HostedNode) {
        if self.is_json {
            say!("{}", json!({ "event": "restarted", "node": node.address().to_string() }));
        } else {
            say!("{}", "-- the node is back, from its journal --".bold());
        }
    }

    /// An alarm has arrived.
    pub(super) fn alarm(self, note: &AlarmNote, latency_ns: Option<u64>, names: &NameBook) {
        // An alarm that is sent again on a new connection has been shown.
        if note.is_resent && latency_ns.is_none() {
            return;
        }
        let is_new = note.transition == AlarmTransition::Raised;
        let shown_us = latency_ns.filter(|_| is_new).map(|ns| ns / 1_000);
        if self.is_json {
            say!("{}", notes::alarm_object(note, shown_us));
        } else {
            say!("{}", notes::alarm_line(note, shown_us, |thing| name_of(names, thing)));
        }
    }

    /// What the judge holds against the run, if anything.
    pub(super) fn verdict(hospital: &Hospital, ledger: &Ledger, until_ns: u64, names: &NameBook) {
        let verdict = verdict(hospital, ledger, until_ns);
        for number in verdict.wrong.iter().chain(&verdict.repeated) {
            let Some(episode) = ledger.episodes().get(*number) else { continue };
            complain!("not true, or twice: {:?} {:?}", episode.kind, episode.alarm);
        }
        for number in &verdict.missed {
            let Some(breach) = hospital.truth().breaches().get(*number) else { continue };
            let config = &hospital.world().config;
            let subject = breach
                .subject
                .and_then(|it| usize::try_from(it).ok())
                .and_then(|it| config.subjects.get(it))
                .map_or("-", |subject| names.subject(&subject.id));
            complain!("missed: {subject}: {breach:?}");
        }
    }

    /// The balance.
    pub(super) fn summary(self, summary: &Summary) -> Result<(), Failure> {
        if self.is_json {
            say!("{}", serde_json::to_string(summary)?);
            return Ok(());
        }
        say!("\n{}", "Summary".bold());
        say!(
            "  pings    {} sent = {} accepted + {} duplicate + {} late + {} refused + {} conflated",
            summary.pings_sent,
            summary.pings_accepted,
            summary.pings_duplicate,
            summary.pings_late,
            summary.pings_refused,
            summary.pings_conflated
        );
        say!(
            "  durable  {} pings, {} of {} reports; acknowledged and not in the journal: {}",
            summary.pings_durable,
            summary.reports_durable,
            summary.reports_sent,
            summary.lost_durable
        );
        let kinds: Vec<String> = summary
            .alarms_by_kind
            .iter()
            .map(|(kind, count)| format!("{count} {}", notes::spaced(kind)))
            .collect();
        say!(
            "  alarms   {} raised, {} durable, {} missed, {} false: {}",
            summary.alarms_raised,
            summary.alarms_durable,
            summary.alarms_missed,
            summary.alarms_false,
            kinds.join(", ")
        );
        say!("  latency  {}", percentiles(&summary.alarm_latency_us));
        say!(
            "  floor    {}  (echoes on the same connection)",
            percentiles(&summary.floor_latency_us)
        );
        for fault in summary.faults() {
            say!("  {} {fault}", "FAULT".red().bold());
        }
        Ok(())
    }
}

fn percentiles(of: &Percentiles) -> String {
    let part = |name: &str, value: Option<f64>| match value {
        Some(us) => format!("{name} {us:.0} µs"),
        None => format!("{name} -"),
    };
    format!(
        "{}  {}  {}  {}  ({} samples)",
        part("p50", of.p50),
        part("p99", of.p99),
        part("p99.9", of.p99_9),
        part("max", of.max),
        of.samples
    )
}
