//! Reads the journal and holds it against what the node had acknowledged as durable.

use std::collections::BTreeMap;

use ach_actors_model::{Lane, SiteConfig, SourceRef};
use ach_clients_rust::{LaneProgress, Progress};
use ach_engine_shard::{Entry, Input};

use crate::commands::journal::entries;
use crate::data_directory::DataDirectory;
use crate::exit::Failure;

/// The sequence numbers the journal has, by source, lane and epoch: ranges without overlap, by their
/// first number.
#[derive(Debug, Default)]
struct Found {
    sources: Vec<String>,
    ranges: BTreeMap<(SourceRef, Lane, u32), BTreeMap<u64, u64>>,
}

/// How many inputs were acknowledged as durable and are not in the journal.
pub(super) fn lost(
    directory: &DataDirectory,
    progress: &BTreeMap<String, Progress>,
) -> Result<u64, Failure> {
    let mut found = Found::default();
    // A node that could not store has no journal, and has acknowledged nothing as durable.
    if directory.has_journal()? {
        let report = entries(directory, |entry| found.take(&entry))?;
        if let Some(damage) = report.damage {
            return Err(Failure::new(format!("the journal is damaged: {}", damage.harm)));
        }
    }
    let mut lost = 0_u64;
    for (feed, progress) in progress {
        let lanes = [
            (Lane::Duress, progress.duress),
            (Lane::Door, progress.door),
            (Lane::Ping, progress.ping),
        ];
        for (lane, acked) in lanes {
            lost = lost.saturating_add(found.missing(feed, lane, &acked));
        }
    }
    Ok(lost)
}

impl Found {
    fn take(&mut self, entry: &Entry) {
        for input in &entry.inputs {
            match input {
                Input::SiteChange(config) => self.name_sources(config),
                Input::Pings(batch) => {
                    let key = (batch.source, Lane::Ping, batch.epoch);
                    self.add(key, batch.first_seq, batch.last_seq);
                }
                Input::Report(report) => {
                    let key = (report.source, report.lane, report.epoch);
                    self.add(key, report.seq, report.seq);
                }
                _ => {}
            }
        }
    }

    /// The demo's site never changes its feeds. A shard numbers them by id, not by place in the list.
    fn name_sources(&mut self, config: &SiteConfig) {
        if self.sources.is_empty() {
            self.sources = config.sources.iter().map(|source| source.id.to_string()).collect();
            self.sources.sort_unstable();
        }
    }

    fn add(&mut self, key: (SourceRef, Lane, u32), first: u64, last: u64) {
        let ranges = self.ranges.entry(key).or_default();
        let (mut first, mut last) = (first, last);
        // What it touches becomes one with it.
        while let Some((&start, &end)) = ranges.range(..=last.saturating_add(1)).next_back() {
            if end.saturating_add(1) < first {
                break;
            }
            ranges.remove(&start);
            first = first.min(start);
            last = last.max(end);
        }
        ranges.insert(first, last);
    }

    /// The client numbers its inputs through all epochs; an epoch's sequence numbers start at 1, so
    /// what all epochs have together is what can be compared.
    fn missing(&self, feed: &str, lane: Lane, acked: &LaneProgress) -> u64 {
        let source = self.sources.iter().position(|id| id == feed);
        let Some(source) = source.and_then(|at| u32::try_from(at).ok()).map(SourceRef) else {
            return acked.durable_through;
        };
        let of_lane = self.ranges.iter().filter(|(key, _)| key.0 == source && key.1 == lane);
        let kept: u64 = of_lane
            .map(|(key, ranges)| {
                // In the epoch in force, only what was acknowledged counts.
                let most = if key.2 == acked.epoch { acked.durable_through } else { u64::MAX };
                ranges
                    .iter()
                    .map(|(&first, &last)| (last.min(most) + 1).saturating_sub(first))
                    .sum::<u64>()
            })
            .sum();
        acked.durable_through.saturating_sub(kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: (SourceRef, Lane, u32) = (SourceRef(0), Lane::Ping, 1);

    fn found(ranges: &[(u64, u64)]) -> Found {
        let mut found = Found { sources: vec!["rtls".to_owned()], ..Found::default() };
        for &(first, last) in ranges {
            found.add(KEY, first, last);
        }
        found
    }

    #[track_caller]
    fn check(ranges: &[(u64, u64)], durable_through: u64, missing: u64) {
        let acked = LaneProgress { epoch: 1, durable_through, ..LaneProgress::default() };
        assert_eq!(found(ranges).missing("rtls", Lane::Ping, &acked), missing, "{ranges:?}");
    }

    #[test]
    fn what_was_acked_and_is_not_there_is_counted() {
        check(&[(1, 10)], 10, 0);
        check(&[(1, 10), (5, 20)], 20, 0);
        check(&[(11, 20), (1, 10)], 20, 0);
        check(&[(1, 4), (6, 10)], 10, 1);
        check(&[(1, 4), (6, 30)], 10, 1);
        check(&[], 7, 7);
        check(&[(1, 30)], 10, 0);
        check(&[(1, 3), (7, 9), (2, 8)], 9, 0);
    }
}
