//! A history that could not take some entries and goes on behind them: what it has is told, what it lacks is
//! said to be missing.

use ach_actors_model::{TagRef, Timestamp, ZoneRef};
use ach_engine_store::{HistoryGap, HistoryWriter, KeptPing, QueryError, Store, Visit, WriteError};

use crate::hospital::{Hospital, Step, folder};
use crate::oracle::Oracle;
use crate::random::{LIMIT, compare};

const TAGS: u32 = 12;
const ZONES: u32 = 8;

fn take(writer: &mut HistoryWriter, oracle: &mut Oracle, step: &Step) {
    writer.take(&step.entry, &step.effects, step.site.as_deref()).unwrap();
    oracle.take(step);
}

/// Who is told of in a zone: when it began, who, and how it ended.
type Told = Vec<(Timestamp, u32, Option<Timestamp>, Option<Timestamp>)>;

fn told(visits: &[Visit]) -> Told {
    let one =
        |visit: &Visit| (visit.entered_at, visit.subject.0, visit.exited_at, visit.ended_before);
    visits.iter().map(one).collect()
}

/// Every number once. The shard counts one with the content of another as a repetition; it is kept all the same.
fn ping_count(oracle: &Oracle) -> u64 {
    oracle.pings.values().map(|of_tag| u64::try_from(of_tag.len()).unwrap()).sum()
}

/// What touches a gap is refused, and no more.
fn check_refused(store: &Store, gap: HistoryGap, now: Timestamp) {
    let HistoryGap { after_at, until_at, .. } = gap;
    let (begun, behind) = (Timestamp(0), until_at.plus_ns(1));
    let within = (after_at.plus_ns(1), until_at);
    for asked in [(begun, now), within, (begun, behind), (until_at, now)] {
        let zone = store.visits_of_zone(ZoneRef(0), asked, LIMIT).err();
        let tag = store.pings(TagRef(0), asked.0, asked.1).err();
        let alarms = store.alarms(asked, LIMIT).err();
        let place = store.whereabouts(TagRef(0), until_at).err();
        let frame = store.keyframe(None, until_at).err();
        for refused in [zone, tag, alarms, place, frame] {
            assert!(
                matches!(&refused, Some(QueryError::Gap { gap: it }) if *it == gap),
                "{refused:?}"
            );
        }
    }
    store.alarms((begun, after_at), LIMIT).unwrap();
    store.alarms((behind, now), LIMIT).unwrap();
}

/// A hundred entries, a hundred that nobody has, a hundred more, each some time after the other.
fn check(step_ms: u64, seed: u64) {
    println!("seed {seed}, {step_ms} ms");
    let folder = folder();
    let store = Store::open(folder.path()).unwrap();
    let mut writer = HistoryWriter::open(store.clone()).unwrap();
    let mut hospital = Hospital::new(TAGS, ZONES, seed);
    let (mut before, mut all) = (Oracle::default(), Oracle::default());
    let mut step = hospital.begin();
    for _ in 0..100 {
        take(&mut writer, &mut before, &step);
        all.take(&step);
        step = hospital.walk(step_ms);
    }
    let after_at = writer.taken_at();
    all.take(&step);
    for _ in 0..99 {
        all.take(&hospital.walk(step_ms));
    }
    let until_at = Timestamp(hospital.now_ns);
    let in_gap = ping_count(&all) - ping_count(&before);
    writer.begin_after(hospital.shard()).unwrap();
    let again = writer.begin_after(hospital.shard()).unwrap_err();
    assert!(matches!(again, WriteError::Gap { .. }), "nothing lies between: {again}");
    let mut comes_at = None;
    for _ in 0..100 {
        let step = hospital.walk(step_ms);
        comes_at.get_or_insert(step.entry.at);
        take(&mut writer, &mut all, &step);
    }
    writer.flush().unwrap();
    drop(writer);
    drop(store);
    let store = Store::open(folder.path()).unwrap();
    drop(HistoryWriter::open(store.clone()).unwrap());
    let gap = HistoryGap { after: 100, after_at, until: 200, until_at };
    assert_eq!(store.gaps().unwrap(), [gap]);
    assert_eq!(store.verify().unwrap().pings, ping_count(&all) - in_gap);

    let (begun, behind) = (Timestamp(0), until_at.plus_ns(1));
    let now = Timestamp(hospital.now_ns + 1);
    for zone in (0..ZONES).map(ZoneRef) {
        let found = store.visits_of_zone(zone, (begun, after_at.plus_ns(1)), LIMIT).unwrap();
        let mut expected = before.in_zone(zone, begun, after_at.plus_ns(1));
        for visit in &mut expected {
            // Whoever left with the very last entry is not told from those of whom nothing is known.
            if visit.exited_at.is_none_or(|at| at == after_at) {
                (visit.exited_at, visit.ended_before) = (None, Some(until_at));
            }
        }
        assert_eq!(told(&found), told(&expected), "before");
        let found = store.visits_of_zone(zone, (behind, now), LIMIT).unwrap();
        let mut expected = all.in_zone(zone, behind, now);
        for visit in &mut expected {
            visit.entered_at = visit.entered_at.max(comes_at.unwrap());
            visit.exited_at = visit.exited_at.map(|at| at.max(visit.entered_at));
        }
        expected.sort_by_key(|visit| (visit.entered_at, visit.subject));
        assert_eq!(told(&found), told(&expected), "behind");
    }
    let is_kept = |ping: &&KeptPing| ping.received_at <= after_at || ping.received_at > until_at;
    for tag in (0..TAGS).map(TagRef) {
        // What was measured before may have come behind it.
        let heard = all.pings[&tag].iter().filter(is_kept);
        let last =
            heard.filter(|ping| ping.observed_at <= after_at).max_by_key(|it| it.observed_at);
        assert_eq!(store.whereabouts(tag, after_at).unwrap().as_ref(), last);
        let found: Result<Vec<_>, _> = store.pings(tag, behind, now).unwrap().collect();
        assert_eq!(found.unwrap(), all.walk(tag, behind, now));
    }
    check_refused(&store, gap, now);
}

#[test]
fn what_is_before_and_behind_a_gap_is_told_and_what_lies_in_it_is_refused() {
    // All within an hour, each third some hours, each some days.
    for (step_ms, seed) in [(3_000, 31), (120_000, 32), (2_000_000, 33)] {
        check(step_ms, seed);
    }
}

#[test]
fn a_gap_behind_which_nothing_was_written_closes_when_what_was_missing_comes() {
    let folder = folder();
    let store = Store::open(folder.path()).unwrap();
    let mut writer = HistoryWriter::open(store.clone()).unwrap();
    let (mut hospital, mut oracle) = (Hospital::new(TAGS, ZONES, 34), Oracle::default());
    let first = hospital.begin();
    take(&mut writer, &mut oracle, &first);
    let later: Vec<Step> = (0..1_000).map(|_| hospital.walk(12_000)).collect();
    writer.begin_after(hospital.shard()).unwrap();
    assert_eq!(store.gaps().unwrap().len(), 1);
    // The process ends. The archives are put back.
    drop(writer);
    let mut writer = HistoryWriter::open(store.clone()).unwrap();
    assert_eq!((writer.taken_through(), store.gaps().unwrap()), (1, Vec::new()));
    for step in &later {
        take(&mut writer, &mut oracle, step);
    }
    writer.flush().unwrap();
    compare(&store, &oracle, hospital.now_ns, 34);
}
