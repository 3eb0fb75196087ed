//! Power cuts at every step, with every kind of torn page.

use ach_engine_journal::{Disk, Lsn, SimDisk, SimFault};

use crate::planted::{Bug, Planted};
use crate::support::{self, AMPLE, Chance, Driven, open, open_well, record};

/// Runs a story until the planned fault strikes, then checks what the next starts find.
fn run_until_cut(seed: u64, op: u64, bug: Option<Bug>) -> bool {
    let disk = SimDisk::new(seed, AMPLE);
    disk.plan(op, SimFault::PowerCut);
    let mut chance = Chance(seed);
    let story = format!("seed {seed}, cut at operation {op}");
    let (mut appended, mut acked) = (Vec::new(), 0);
    let (outcome, _) = open(Planted::on(&disk, bug));
    if let Ok((journal, _)) = outcome {
        let mut driven = Driven { journal, appended, acked };
        play(&mut driven, &mut chance);
        (appended, acked) = (driven.appended, driven.acked);
    }
    let was_cut = disk.list().is_err();
    // The power may go again while the journal is being opened.
    let mut disk = disk.power_on();
    for again in 0..2 {
        disk.plan(1 + chance.below(40), SimFault::PowerCut);
        let (outcome, read) = open(Planted::on(&disk, bug));
        support::check_prefix(&appended, acked, &read, &format!("{story}, start {again}"));
        if outcome.is_ok() {
            // What was handed out must stay, acked or not.
            (appended, acked) = (read.clone(), read.len());
        }
        drop(outcome);
        disk.cut_power();
        disk = disk.power_on();
    }
    let (journal, _, read) = open_well(Planted::on(&disk, bug));
    support::check_prefix(&appended, acked, &read, &format!("{story}, last start"));
    let acked = read.len();
    let mut driven = Driven { journal, appended: read, acked };
    driven.groups(&[&[48; 3], &[10_000], &[10_000], &[10_000]]);
    disk.cut_power();
    let (_, _, read) = open_well(disk.power_on());
    driven.check(&read, &format!("{story}, afterwards"));
    was_cut
}

/// Groups of all sizes, with seals, prepared segments and releases in between, until an error.
fn play(driven: &mut Driven<Planted>, chance: &mut Chance) {
    for _ in 0..12 {
        for _ in 0..=chance.below(4) {
            let payload_len = [0, 48, 700, 5_000, 11_000][chance.below(5) as usize];
            if driven.append(payload_len).is_err() {
                break;
            }
        }
        if driven.commit().is_err() {
            return;
        }
        let outcome = match chance.below(6) {
            0 => driven.journal.seal().is_ok(),
            1 => prepare(driven),
            _ => true,
        };
        if !outcome {
            return;
        }
    }
}

fn prepare(driven: &mut Driven<Planted>) -> bool {
    match driven.journal.preparation() {
        Ok(Some(preparation)) => {
            preparation.run().is_ok_and(|prepared| driven.journal.adopt(prepared).is_ok())
        }
        Ok(None) => true,
        Err(_) => false,
    }
}

/// Cuts the power at every operation of many stories; says how often it really went.
pub(crate) fn cut_everywhere(bug: Option<Bug>) -> u32 {
    let mut cuts = 0;
    for seed in 0..25 {
        for op in 1..70 {
            cuts += u32::from(run_until_cut(seed * 1_000 + op, op, bug));
        }
    }
    cuts
}

#[test]
fn a_power_cut_at_any_operation_loses_nothing_acked() {
    let cuts = cut_everywhere(None);
    assert!(cuts > 1_500, "only {cuts} power cuts struck");
}

/// Cuts the power at every operation of a release.
pub(crate) fn cut_releases(bug: Option<Bug>) {
    for seed in 0..50 {
        for op in 1..9 {
            let disk = SimDisk::new(seed * 100 + op, AMPLE);
            let mut driven = Driven::new(Planted::on(&disk, bug));
            driven.groups(&[&[9_000][..]; 12]);
            disk.plan(op, SimFault::PowerCut);
            let outcome = driven.journal.release_before(Lsn(8));
            disk.cut_power();
            let disk = disk.power_on();
            let (journal, opened, read) = open_well(disk.clone());
            let story = format!("seed {seed}, cut at {op}: {outcome:?}");
            let files = support::segments(&disk).len();
            assert_eq!(files, journal.closed_segments().count() + 1, "{story}: files are left");
            assert_eq!(opened.last_lsn, Lsn(12), "{story}");
            assert_eq!(read, driven.appended[12 - read.len()..], "{story}");
            assert!(read.len() >= 5, "{story}: a record from 8 on is gone");
        }
    }
}

#[test]
fn a_release_cut_short_by_the_power_is_finished_at_the_next_start() {
    cut_releases(None);
}

#[test]
fn a_tail_torn_at_any_byte_always_opens() {
    let disk = SimDisk::new(1, AMPLE);
    let mut driven = Driven::new(disk.clone());
    driven.groups(&[&[48; 3]]);
    let name = support::segments(&disk).pop().unwrap();
    let before = disk.contents(&name);
    let mark = disk.contents("mark");
    driven.append(900).unwrap();
    driven.commit().unwrap();
    let after = disk.contents(&name);
    let start = 8192 + 64 * ((48 + 32) * 3 + 64 + 24_usize).div_ceil(64);
    let end = after.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    assert_eq!(before[..start], after[..start]);
    for stop in start..end {
        let torn = disk.fork(1);
        torn.corrupt(&name, |bytes| bytes[stop..].fill(0)).unwrap();
        // The group was not acked, so it was not marked.
        torn.corrupt("mark", |bytes| bytes.clone_from(&mark)).unwrap();
        let (mut journal, opened, read) = open_well(torn.clone());
        assert_eq!(read, driven.appended[..3], "stopped at {stop}");
        assert_eq!(opened.cut.is_some(), stop > start, "stopped at {stop}");
        // The numbers of what was cut are given again, and what was cut never comes back.
        let other = record(4, 30);
        let support::Owned { kind, shard, term, index, payload, .. } = &other;
        journal.append(*kind, *shard, *term, *index, payload).unwrap();
        journal.commit().unwrap();
        let (_, again, read) = open_well(torn.restart());
        assert_eq!((read.len(), &read[3]), (4, &other), "stopped at {stop}");
        assert_eq!(again.cut, None);
    }
}

#[test]
fn a_write_that_comes_after_the_next_segment_was_begun_is_void() {
    let disk = SimDisk::new(1, AMPLE);
    let mut driven = Driven::new(disk.clone());
    driven.groups(&[&[48; 3]]);
    let name = support::segments(&disk).pop().unwrap();
    let (before, mark) = (disk.contents(&name), disk.contents("mark"));
    driven.groups(&[&[900]]);
    let after = disk.contents(&name);
    // The drive has not yet done the last write when the machine starts again.
    disk.corrupt(&name, |bytes| bytes.clone_from(&before)).unwrap();
    disk.corrupt("mark", |bytes| bytes.clone_from(&mark)).unwrap();
    let disk = disk.restart();
    let mut driven = Driven::new(disk.clone());
    assert_eq!(driven.appended.len(), 3);
    driven.groups(&[&[30]]);
    disk.corrupt(&name, |bytes| bytes.clone_from(&after)).unwrap();
    let (_, opened, read) = open_well(disk.restart());
    assert_eq!((read, opened.cut), (driven.appended, None));
}

/// Kills processes whose last sync failed, and cuts the power after the next start.
pub(crate) fn kill_after_failed_syncs(bug: Option<Bug>) {
    for seed in 0..50 {
        let disk = SimDisk::new(seed, AMPLE);
        let mut driven = Driven::new(disk.clone());
        driven.groups(&[&[48; 3]]);
        driven.append(6_000).unwrap();
        disk.plan(2, SimFault::Fail);
        assert!(driven.commit().is_err(), "the sync must have failed");
        let killed = disk.restart();
        let (journal, _, read) = open_well(Planted::on(&killed, bug));
        assert_eq!(read.len(), 4, "the page cache still has the group");
        drop(journal);
        killed.cut_power();
        let (_, _, after) = open_well(killed.power_on());
        assert_eq!(after, read, "seed {seed}: what was handed out is gone");
    }
}

#[test]
fn what_a_killed_process_wrote_but_did_not_sync_is_durable_once_it_was_handed_out() {
    kill_after_failed_syncs(None);
}

#[test]
fn what_failed_to_be_synced_while_opening_is_written_again_at_the_next_start() {
    for op in 1..30 {
        for seed in 0..10 {
            let (disk, appended) = support::killed_journal(seed);
            disk.plan(op, SimFault::Fail);
            let first = open(disk.clone()).0.map(|_| ());
            let story = format!("seed {seed}, failure at {op}: {first:?}");
            let again = disk.restart();
            let (outcome, read) = open(again.clone());
            assert!(outcome.is_ok(), "{story}, with the page cache: {outcome:?}");
            assert_eq!(read, appended, "{story}");
            drop(outcome);
            again.cut_power();
            let (outcome, read) = open(again.power_on());
            assert!(outcome.is_ok(), "{story}, after the power was cut: {outcome:?}");
            assert_eq!(read, appended, "{story}, after the power was cut");
        }
    }
}
