//! A history that could not take some entries and goes on behind them: what it has is told, what it lacks is
//! said to be missing.

use std::collections::BTreeSet;

use ach_actors_model::{
    AlarmId, AlarmTransition, NS_PER_MS, NS_PER_S, SubjectRef, TagRef, Timestamp, ZoneRef,
};
use ach_engine_store::{
    HistoryGap, HistoryWriter, KeptAlarm, KeptPing, QueryError, Store, Visit, WriteError,
};
use ach_geo::Floor;

use crate::hospital::{Hospital, Step, folder};
use crate::oracle::Oracle;
use crate::random::{LIMIT, compare};

const TAGS: u32 = 12;
const ZONES: u32 = 8;

fn take(writer: &mut HistoryWriter, oracle: &mut Oracle, step: &Step) {
    writer.take(&step.entry, &step.effects, step.site.as_deref()).unwrap();
    oracle.take(step);
}

/// Who was not heard for an hour is not shown in a keyframe.
const MEMORY_NS: u64 = 3_600 * NS_PER_S;
const MINUTE_NS: u64 = 60 * NS_PER_S;

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
    assert_eq!(store.known().unwrap().map(|(from, _)| from), Some(behind));
}

/// Behind a gap a keyframe is told once it shows everybody who was heard within the hour, and not before.
/// Returns how many were told.
fn check_keyframes(store: &Store, all: &Oracle, gap: HistoryGap, now: Timestamp) -> usize {
    let mut told = 0;
    let minutes = gap.until_at.0.div_ceil(MINUTE_NS)..=now.0 / MINUTE_NS;
    let asked = minutes.map(|minute| Timestamp(minute * MINUTE_NS));
    for (at, floor) in asked.flat_map(|at| [None, Some(Floor(0))].map(|floor| (at, floor))) {
        let frame = match store.keyframe(floor, at) {
            Ok(Some(frame)) => frame,
            Ok(None) => continue,
            Err(QueryError::Gap { gap: it }) if it == gap => continue,
            Err(error) => panic!("{at:?}: {error}"),
        };
        let is_shown = |ping: &&KeptPing| {
            ping.position.floor == floor && frame.at.since_ns(ping.observed_at) < MEMORY_NS
        };
        let last =
            |pings: &[KeptPing]| pings.iter().rfind(|ping| ping.received_at < frame.at).copied();
        let heard = all.pings.iter().filter_map(|(tag, pings)| Some((*tag, last(pings)?)));
        let expected: Vec<TagRef> =
            heard.filter(|(_, ping)| is_shown(&ping)).map(|(tag, _)| tag).collect();
        let shown: Vec<TagRef> = frame.places.iter().map(|place| place.tag).collect();
        assert_eq!(shown, expected, "asked at {at:?}, a keyframe of {floor:?} at {:?}", frame.at);
        told += 1;
    }
    told
}

/// What is kept of an alarm is told, and the gap with it if more may have become of it there. Returns how many may
/// have, and how many have not.
fn check_alarms(store: &Store, all: &Oracle, gap: HistoryGap) -> [usize; 2] {
    use AlarmTransition::{Cleared, Retracted};
    let ids: BTreeSet<AlarmId> = all.alarms.iter().map(|record| record.notice.id).collect();
    let mut counts = [0; 2];
    for id in ids {
        let became = all.alarm(id);
        let ended = became.iter().find(|it| matches!(it.notice.transition, Cleared | Retracted));
        let is_outside =
            became[0].index > gap.until || ended.is_some_and(|it| it.index <= gap.after);
        let mut records = became.clone();
        records.retain(|it| !(gap.after + 1..=gap.until).contains(&it.index));
        let gaps = if is_outside { Vec::new() } else { vec![gap] };
        assert_eq!(store.alarm(id).unwrap(), KeptAlarm { records, gaps }, "{became:?}");
        counts[usize::from(is_outside)] += 1;
    }
    let nobodys = KeptAlarm { records: Vec::new(), gaps: vec![gap] };
    assert_eq!(store.alarm(AlarmId(7)).unwrap(), nobodys, "it may have come and gone");
    counts
}

/// Who was where before it, and behind it also until its first entry comes.
fn check_visits(
    store: &Store,
    before: &Oracle,
    all: &Oracle,
    (gap, comes_at, now): (HistoryGap, Timestamp, Timestamp),
) {
    let HistoryGap { after_at, until_at, .. } = gap;
    let (begun, behind) = (Timestamp(0), until_at.plus_ns(1));
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
        // Also before the first entry comes.
        for until in [behind.plus_ns(1), comes_at, now] {
            let found = store.visits_of_zone(zone, (behind, until), LIMIT).unwrap();
            let expected = come_by(until_at, all.in_zone(zone, behind, until));
            assert_eq!(told(&found), told(&expected), "behind, until {until:?}");
        }
    }
    for who in (0..TAGS).map(SubjectRef) {
        for until in [comes_at, now] {
            let found = store.visits_of_subject(who, (behind, until), LIMIT).unwrap();
            let expected = come_by(until_at, all.of_subject(who, behind, until));
            assert_eq!(found, expected, "behind, until {until:?}");
        }
    }
}

/// Where everybody was before it and behind it.
fn check_pings(store: &Store, all: &Oracle, gap: HistoryGap, now: Timestamp) {
    let HistoryGap { after_at, until_at, .. } = gap;
    let behind = until_at.plus_ns(1);
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
}

/// A hundred entries, a hundred that nobody has, a hundred more, each some time after the other; behind the
/// gap nothing comes for a while.
fn check(step_ms: u64, quiet_ms: u64, seed: u64) {
    println!("seed {seed}, {step_ms} ms, quiet for {quiet_ms} ms");
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
    if quiet_ms > 0 {
        // The node is started once more meanwhile.
        writer.flush().unwrap();
        drop(writer);
        writer = HistoryWriter::open(store.clone()).unwrap();
    }
    hospital.now_ns += quiet_ms * NS_PER_MS;
    let comes_at = Timestamp(hospital.now_ns + step_ms * NS_PER_MS);
    for _ in 0..100 {
        take(&mut writer, &mut all, &hospital.walk(step_ms));
    }
    writer.flush().unwrap();
    drop(writer);
    drop(store);
    let store = Store::open(folder.path()).unwrap();
    drop(HistoryWriter::open(store.clone()).unwrap());
    let gap = HistoryGap { after: 100, after_at, until: 200, until_at };
    assert_eq!(store.gaps().unwrap(), [gap]);
    assert_eq!(store.verify().unwrap().pings, ping_count(&all) - in_gap);

    let now = Timestamp(hospital.now_ns + 1);
    check_visits(&store, &before, &all, (gap, comes_at, now));
    check_pings(&store, &all, gap, now);
    check_refused(&store, gap, now);
    let alarms = check_alarms(&store, &all, gap);
    assert!(alarms.iter().all(|count| *count > 0), "{alarms:?}");
    let told = check_keyframes(&store, &all, gap, now);
    let is_long = now.since_ns(until_at) > 2 * MEMORY_NS;
    assert_eq!(told > 0, is_long, "{told} keyframes are told");
}

/// Visits as they are told behind a gap: who was there already has come with its last entry.
fn come_by(until_at: Timestamp, mut visits: Vec<Visit>) -> Vec<Visit> {
    for visit in &mut visits {
        visit.entered_at = visit.entered_at.max(until_at);
    }
    visits.sort_by_key(|visit| (visit.entered_at, visit.subject, visit.zone));
    visits
}

#[test]
fn what_is_before_and_behind_a_gap_is_told_and_what_lies_in_it_is_refused() {
    const DAY_MS: u64 = 86_400_000;
    // All within an hour, each third some hours, each some days; the first entry behind it days later.
    for (step_ms, quiet_ms, seed) in [
        (3_000, 0, 31),
        (120_000, 0, 32),
        (2_000_000, 0, 33),
        (3_000, DAY_MS / 4, 35),
        (120_000, 3 * DAY_MS, 36),
        (2_000_000, 3 * DAY_MS, 37),
    ] {
        check(step_ms, quiet_ms, seed);
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
