//! Random days: every answer of the store is that of brute force.

use ach_actors_model::{NS_PER_S, SubjectRef, TagId, TagRef, Timestamp, ZoneRef};
use ach_engine_store::{HistoryWriter, KeptAlarm, NameKind, QueryError, Store, Visit};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::hospital::{Hospital, START_NS, folder};
use crate::oracle::Oracle;

const TAGS: u32 = 12;
const ZONES: u32 = 8;
/// Visits of a whole run are some thousands.
pub(crate) const LIMIT: usize = 100_000;

/// Asks the same of both, many times.
pub(crate) fn compare(store: &Store, oracle: &Oracle, until_ns: u64, seed: u64) {
    let mut chance = ChaCha8Rng::seed_from_u64(seed ^ 0xA5);
    let mut moment = |earliest: u64| Timestamp(chance.random_range(earliest..=until_ns + NS_PER_S));
    for round in 0..60 {
        let (a, b) = (moment(START_NS - 90_000 * NS_PER_S), moment(START_NS));
        let (from, until) = (a.min(b), a.max(b));
        for number in 0..TAGS {
            let tag = TagRef(number);
            let found = store.whereabouts(tag, b).unwrap();
            assert_eq!(found, oracle.whereabouts(tag, b), "seed {seed} {tag:?} at {b:?}");
            if round % 10 == 0 {
                let walk: Result<Vec<_>, QueryError> =
                    store.pings(tag, from, until).unwrap().collect();
                assert_eq!(walk.unwrap(), oracle.walk(tag, from, until), "seed {seed} {tag:?}");
            }
            let (who, asked) = (SubjectRef(number), (from, until));
            let visits = store.visits_of_subject(who, asked, LIMIT).unwrap();
            assert_same(&visits, &oracle.of_subject(who, from, until), seed, asked);
        }
        // Short times too: most visits last for seconds.
        for until in
            [until, Timestamp((from.0 + 60 * NS_PER_S).max(START_NS)), Timestamp(from.0 + 1)]
        {
            for zone in (0..ZONES).map(ZoneRef) {
                let visits = store.visits_of_zone(zone, (from, until), LIMIT).unwrap();
                assert_same(&visits, &oracle.in_zone(zone, from, until), seed, (from, until));
            }
        }
    }
    let caused = oracle.alarms.iter().filter(|record| record.input.is_some()).count();
    assert!(caused > 0, "no alarm came from a ping, seed {seed}");
    for record in &oracle.alarms {
        let id = record.notice.id;
        let kept = KeptAlarm { records: oracle.alarm(id), gaps: Vec::new() };
        assert_eq!(store.alarm(id).unwrap(), kept, "seed {seed}");
    }
    let all = store.alarms((Timestamp(0), Timestamp(until_ns + 1)), LIMIT).unwrap();
    assert_eq!(all.len(), oracle.alarms.len(), "seed {seed}");
}

#[track_caller]
fn assert_same(found: &[Visit], expected: &[Visit], seed: u64, asked: (Timestamp, Timestamp)) {
    assert_eq!(found, expected, "seed {seed}, asked {asked:?}");
}

/// From 20:00 on in steps of some seconds, with outages.
#[test]
fn the_store_answers_as_brute_force_does() {
    for seed in [1, 2, 3] {
        println!("seed {seed}");
        let folder = folder();
        let store = Store::open(&folder.path().join("lsm")).unwrap();
        let mut writer = HistoryWriter::open(store.clone()).unwrap();
        let (mut hospital, mut oracle) = (Hospital::new(TAGS, ZONES, seed), Oracle::default());
        let mut step = hospital.begin();
        for round in 0..2_400 {
            oracle.take(&step);
            writer.take(&step.entry, &step.effects, step.site.as_deref()).unwrap();
            // The node is away over midnight, and for two days.
            hospital.now_ns += match round {
                800 => 9 * 3_600 * NS_PER_S,
                1_800 => 50 * 3_600 * NS_PER_S,
                _ => 0,
            };
            step = if round == 1_500 {
                hospital.close_a_zone()
            } else {
                let ms = hospital.chance.random_range(500..23_500);
                hospital.walk(ms)
            };
        }
        writer.flush().unwrap();
        let kept: u64 =
            oracle.pings.values().map(|pings| u64::try_from(pings.len()).unwrap()).sum();
        assert_eq!(writer.ping_count(), kept, "seed {seed}");
        assert_eq!(kept, oracle.decided_count, "as many as the shard decided on, seed {seed}");
        assert!(oracle.alarms.len() > 10 && oracle.visits.len() > 500, "too little happened");
        compare(&store, &oracle, hospital.now_ns, seed);
        let report = store.verify().unwrap();
        assert_eq!((report.days, report.pings), (3, kept), "seed {seed}");
    }
}

#[test]
fn names_and_bearers_are_known() {
    let folder = folder();
    let store = Store::open(folder.path()).unwrap();
    let mut writer = HistoryWriter::open(store.clone()).unwrap();
    let mut hospital = Hospital::new(3, 2, 4);
    for step in [hospital.begin(), hospital.walk(1_000), hospital.close_a_zone()] {
        writer.take(&step.entry, &step.effects, step.site.as_deref()).unwrap();
    }
    assert_eq!(store.tag(TagId(0xAC02)).unwrap(), Some(TagRef(2)));
    assert_eq!(store.tag(TagId(0xAC03)).unwrap(), None);
    assert_eq!(store.number(NameKind::Zone, "z1").unwrap(), Some(1), "a zone that is gone");
    assert_eq!(store.id(NameKind::Zone, 1).unwrap().as_deref(), Some("z1"));
    assert_eq!(store.id(NameKind::Rule, 0).unwrap().as_deref(), Some("closed"));
    let at = Timestamp(START_NS);
    assert_eq!(store.bearer(TagRef(1), at).unwrap(), Some(SubjectRef(1)));
    assert_eq!(store.bearer(TagRef(1), Timestamp(START_NS - 1)).unwrap(), None);
    assert_eq!(store.bearers(TagRef(1)).unwrap(), [(at, Some(SubjectRef(1)))]);
    assert_eq!(store.tags_of(SubjectRef(1)).unwrap(), [(TagRef(1), at, None)]);
    assert_eq!(store.tags_of(SubjectRef(9)).unwrap(), []);
}

/// Tags go from one to the other, also while another process writes on.
#[test]
fn who_bore_which_tag_is_known_after_every_change() {
    let folder = folder();
    let mut hospital = Hospital::new(3, 2, 4);
    let (first, second) = (SubjectRef(0), SubjectRef(1));
    let mut steps = vec![hospital.begin()];
    for bearers in [[1, 0, 2], [1, 1, 2], [0, 1, 2]] {
        steps.push(hospital.walk(1_000));
        steps.push(hospital.wear(&bearers));
    }
    let at: Vec<Timestamp> = steps.iter().map(|step| step.entry.at).collect();
    for step in &steps {
        // Each time another writer, which knows nothing but what is written.
        let store = Store::open(folder.path()).unwrap();
        let mut writer = HistoryWriter::open(store).unwrap();
        writer.take(&step.entry, &step.effects, step.site.as_deref()).unwrap();
        writer.flush().unwrap();
    }
    let one_go = super::hospital::folder();
    let store = Store::open(one_go.path()).unwrap();
    let mut writer = HistoryWriter::open(store).unwrap();
    for step in &steps {
        writer.take(&step.entry, &step.effects, step.site.as_deref()).unwrap();
    }
    writer.flush().unwrap();
    for store in [Store::open(folder.path()).unwrap(), writer.store().clone()] {
        let zero = [(at[0], Some(first)), (at[2], Some(second)), (at[6], Some(first))];
        assert_eq!(store.bearers(TagRef(0)).unwrap(), zero);
        let one = [(at[0], Some(second)), (at[2], Some(first)), (at[4], Some(second))];
        assert_eq!(store.bearers(TagRef(1)).unwrap(), one);
        let of_first = [
            (TagRef(0), at[0], Some(at[2])),
            (TagRef(0), at[6], None),
            (TagRef(1), at[2], Some(at[4])),
        ];
        assert_eq!(store.tags_of(first).unwrap(), of_first);
    }
}

#[test]
fn a_question_with_too_many_answers_is_refused() {
    let folder = folder();
    let store = Store::open(folder.path()).unwrap();
    let mut writer = HistoryWriter::open(store.clone()).unwrap();
    let mut hospital = Hospital::new(TAGS, ZONES, 5);
    let begin = hospital.begin();
    writer.take(&begin.entry, &begin.effects, begin.site.as_deref()).unwrap();
    for _ in 0..300 {
        let step = hospital.walk(1_000);
        writer.take(&step.entry, &step.effects, step.site.as_deref()).unwrap();
    }
    writer.flush().unwrap();
    let asked = (Timestamp(0), Timestamp(u64::MAX));
    let count = store.visits_of_zone(ZoneRef(0), asked, LIMIT).unwrap().len();
    assert!(count > 5, "{count}");
    assert_eq!(store.visits_of_zone(ZoneRef(0), asked, count).unwrap().len(), count);
    let refused = store.visits_of_zone(ZoneRef(0), asked, count - 1);
    assert!(matches!(refused, Err(QueryError::TooMany { .. })), "{refused:?}");
}
