//! A test of the tests: eighteen bugs, planted one at a time, each found by the invariant that should.

use ach_engine_node::PlantedBug;
use ach_engine_sim::{World, invariants};

/// Plays seeds from 1 on with the bug until one breaks an invariant: one of `by`, within `seeds_max`.
#[track_caller]
fn check(bug: PlantedBug, by: &[&str], seeds_max: u64) {
    assert!(by.iter().all(|name| invariants().any(|known| known == *name)), "{by:?}");
    let found = (1..=seeds_max).find_map(|seed| {
        let outcome = World::new(seed).with_bug(bug).play().unwrap();
        outcome.violation.map(|violation| (seed, violation))
    });
    let Some((seed, violation)) = found else { panic!("{bug:?} not found in {seeds_max} seeds") };
    println!("{bug:?}: seed {seed}, \"{}\": {}", violation.invariant, violation.detail);
    assert!(by.contains(&violation.invariant), "{bug:?}, seed {seed}: {violation:?}");
}

#[test]
fn acked_before_synced() {
    check(PlantedBug::AckedBeforeSynced, &["acked is kept"], 20);
}

#[test]
fn failed_sync_ignored() {
    check(PlantedBug::FailedSyncIgnored, &["acked is kept"], 20);
}

#[test]
fn entry_not_stored() {
    check(PlantedBug::EntryNotStored, &["life goes on"], 5);
}

#[test]
fn outage_not_told() {
    check(PlantedBug::OutageNotTold, &["time goes on"], 5);
}

#[test]
fn time_goes_back() {
    check(PlantedBug::TimeGoesBack, &["life goes on"], 20);
}

#[test]
fn open_set_cut_short() {
    check(PlantedBug::OpenSetCutShort, &["open set is whole"], 5);
}

#[test]
fn durable_not_told() {
    check(PlantedBug::DurableNotTold, &["told is settled", "alarms as modelled"], 5);
}

#[test]
fn id_from_time() {
    check(PlantedBug::IdFromTime, &["one alarm an episode", "alarms as modelled"], 5);
}

#[test]
fn accepted_said_durable() {
    check(PlantedBug::AcceptedSaidDurable, &["acked is kept"], 20);
}

#[test]
fn refused_not_counted() {
    check(PlantedBug::RefusedNotCounted, &["counts add up"], 20);
}

#[test]
fn failed_history_counts() {
    check(PlantedBug::FailedHistoryCounts, &["journal is kept", "history as modelled"], 20);
}

#[test]
fn history_entry_emptied() {
    check(PlantedBug::HistoryEntryEmptied, &["history as modelled"], 10);
}

#[test]
fn history_gap_skipped() {
    check(PlantedBug::HistoryGapSkipped, &["history as modelled"], 10);
}

#[test]
fn history_not_asked() {
    check(PlantedBug::HistoryNotAsked, &["journal is kept", "history as modelled"], 20);
}

#[test]
fn history_begins_late() {
    check(PlantedBug::HistoryBeginsLate, &["history as modelled"], 60);
}

#[test]
fn history_blurs_pings() {
    check(PlantedBug::HistoryBlursPings, &["history as modelled"], 3);
}

#[test]
fn history_forgets_causes() {
    check(PlantedBug::HistoryForgetsCauses, &["history as modelled"], 3);
}

#[test]
fn shard_waits_for_history() {
    check(PlantedBug::ShardWaitsForHistory, &["alarms do not wait"], 60);
}
