//! Positions of a person: all that was measured while they bore a tag, however late it came, and no more.

use std::collections::BTreeSet;

use ach_actors_model::{NS_PER_S, PingBatch, SourceRef, SubjectRef, TagRef, Timestamp};
use ach_engine_shard::Input;
use ach_engine_store::{Day, HistoryWriter, KeptPing, NameKind, QueryError, Store};
use ach_geo::{Floor, Position};

use crate::hospital::{Hospital, Step, folder};

const HOUR_NS: u64 = 3_600 * NS_PER_S;

/// A spool of one tag that comes now, measured at these moments.
fn spool(hospital: &mut Hospital, first_seq: u64, observed: &[u64]) -> Step {
    let pings = (0..).zip(observed).map(|(seq_offset, &at_ns)| ach_actors_model::Ping {
        tag: TagRef(0),
        seq_offset,
        observed_at: Timestamp(at_ns),
        position: Position { x_mm: 2_500, y_mm: 2_500, z_mm: None, floor: Some(Floor(0)) },
        accuracy_mm: 300,
        battery_percent: None,
    });
    let last_seq = first_seq + u64::try_from(observed.len()).unwrap() - 1;
    let batch = PingBatch {
        source: SourceRef(0),
        epoch: 1,
        first_seq,
        last_seq,
        received_at: Timestamp(hospital.now_ns),
        conflated_count: 0,
        refused_count: 0,
        pings: pings.collect(),
    };
    hospital.step(vec![Input::Pings(batch)])
}

fn of(store: &Store, subject: u32) -> Vec<KeptPing> {
    let found: Result<Vec<(TagRef, KeptPing)>, QueryError> =
        store.positions_of(SubjectRef(subject)).unwrap().collect();
    found.unwrap().into_iter().map(|(_, ping)| ping).collect()
}

/// What a test looks at.
struct Lived {
    _folder: tempfile::TempDir,
    store: Store,
    /// When the tag was given to somebody else.
    given_at: Timestamp,
    /// When what the spool had was measured.
    measured: Vec<u64>,
}

/// The node is away for a whole day and more while the vendor keeps a spool, and in the midst of that time
/// the tag is given to somebody else, before the link is back. History may have lost that.
fn lived(is_giving_lost: bool) -> Lived {
    let folder = folder();
    let store = Store::open(folder.path()).unwrap();
    let mut writer = HistoryWriter::open(store.clone()).unwrap();
    let mut hospital = Hospital::new(2, 2, 5);
    let take = |writer: &mut HistoryWriter, step: &Step| {
        writer.take(&step.entry, &step.effects, step.site.as_deref()).unwrap();
    };
    take(&mut writer, &hospital.begin());
    let begun_ns = hospital.now_ns;
    hospital.now_ns += NS_PER_S;
    let at_once = hospital.now_ns;
    take(&mut writer, &spool(&mut hospital, 1, &[at_once]));
    hospital.now_ns += 12 * HOUR_NS;
    let given_at = Timestamp(hospital.now_ns);
    let given = hospital.wear(&[1, 0]);
    if is_giving_lost {
        writer.begin_after(hospital.shard()).unwrap();
    } else {
        take(&mut writer, &given);
    }
    hospital.now_ns += 60 * HOUR_NS;
    let measured: Vec<u64> = (1..=60).map(|hour| begun_ns + hour * HOUR_NS).collect();
    take(&mut writer, &spool(&mut hospital, 2, &measured));
    writer.flush().unwrap();
    Lived { _folder: folder, store, given_at, measured }
}

#[test]
fn who_bore_the_tag_when_it_was_measured_was_there() {
    let lived = lived(false);
    let (store, given_at) = (&lived.store, lived.given_at);
    let kept = store.verify().unwrap().pings;
    assert_eq!(kept, 61, "all of the spool is kept");
    let days: BTreeSet<Day> = lived.measured.iter().map(|&at| Day::of(Timestamp(at))).collect();
    assert!(days.iter().any(|day| !store.days().contains(day)), "a day without an entry");

    let (first, second) = (of(store, 0), of(store, 1));
    assert!(first.iter().all(|ping| ping.observed_at < given_at), "{first:?}");
    assert!(second.iter().all(|ping| ping.observed_at >= given_at), "{second:?}");
    assert_eq!((first.len(), second.len()), (1 + 12, 48), "together all that is kept");
    let bearer = |ping: &KeptPing| store.bearer(TagRef(0), ping.observed_by()).unwrap();
    assert!(first.iter().all(|ping| bearer(ping) == Some(SubjectRef(0))));
    assert_eq!(store.number(NameKind::Subject, "s1").unwrap(), Some(1));
}

/// Nobody knows who bore the tag then.
#[test]
fn what_was_measured_in_a_gap_is_nobodys() {
    let lived = lived(true);
    let store = &lived.store;
    let gap = store.gaps().unwrap()[0];
    let (first, second) = (of(store, 0), of(store, 1));
    assert_eq!((first.len(), second.len()), (1, 48), "twelve were measured in the gap");
    assert!(second.iter().all(|ping| ping.observed_at > gap.until_at), "{second:?}");
}

/// What became of everybody's alarms is read one after the other, however many there are.
#[test]
fn alarms_of_a_day_are_read_as_they_come() {
    let folder = folder();
    let store = Store::open(folder.path()).unwrap();
    let mut writer = HistoryWriter::open(store.clone()).unwrap();
    let mut hospital = Hospital::new(12, 6, 9);
    let mut step = hospital.begin();
    for _ in 0..600 {
        writer.take(&step.entry, &step.effects, step.site.as_deref()).unwrap();
        step = hospital.walk(60_000);
    }
    writer.flush().unwrap();
    let mut told = Vec::new();
    for day in store.days() {
        told.extend(store.alarms_on(day).unwrap().map(Result::unwrap));
    }
    let whole = (Timestamp(0), Timestamp(u64::MAX));
    assert_eq!(told, store.alarms(whole, usize::MAX).unwrap());
    let subjects: BTreeSet<_> = told.iter().map(|it| it.notice.subject).collect();
    assert!(told.len() > 10 && subjects.len() > 1, "{} of {subjects:?}", told.len());
}
