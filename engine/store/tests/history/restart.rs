//! A writer that ends at any moment and goes on: nothing is missing, nothing is there twice.

use ach_actors_entities::Effect;
use ach_actors_model::{AlarmId, AlarmNotice, Timestamp};
use ach_engine_store::{ALARMS_WAITING_MAX, HistoryWriter, Store, WriteError};
use rand::RngExt;

use crate::hospital::{Hospital, Step, folder};
use crate::oracle::Oracle;
use crate::random::compare;

#[test]
fn after_every_end_history_goes_on_from_what_is_written() {
    for seed in [11, 12] {
        println!("seed {seed}");
        let folder = folder();
        let (mut hospital, mut oracle) = (Hospital::new(12, 8, seed), Oracle::default());
        let mut steps: Vec<Step> = vec![hospital.begin()];
        let mut done = 0;
        let mut ends = 0;
        while done < 1_200 {
            let store = Store::open(folder.path()).unwrap();
            assert_eq!(store.through().unwrap(), written(&store), "seed {seed}");
            let mut writer = HistoryWriter::open(store).unwrap();
            // The journal is read again from what is not written; some of what is comes too.
            let again = usize::try_from(writer.taken_through()).unwrap().saturating_sub(3);
            for step in steps.iter().skip(again) {
                writer.take(&step.entry, &step.effects, step.site.as_deref()).unwrap();
            }
            for _ in 0..hospital.chance.random_range(1..150) {
                let ms = hospital.chance.random_range(500..40_000);
                let step = hospital.walk(ms);
                writer.take(&step.entry, &step.effects, step.site.as_deref()).unwrap();
                steps.push(step);
                done += 1;
            }
            if hospital.chance.random_bool(0.3) {
                writer.flush().unwrap();
                assert_eq!(writer.written_through(), writer.taken_through());
            }
            ends += 1;
        }
        assert!(ends > 8, "{ends}");
        let store = Store::open(folder.path()).unwrap();
        let mut writer = HistoryWriter::open(store.clone()).unwrap();
        for step in &steps {
            writer.take(&step.entry, &step.effects, step.site.as_deref()).unwrap();
            oracle.take(step);
        }
        writer.flush().unwrap();
        compare(&store, &oracle, hospital.now_ns, seed);
        assert_eq!(store.verify().unwrap().pings, oracle.decided_count, "seed {seed}");
    }
}

/// Each row: how many alarms change with one entry after the other, and how far history is written after each.
#[test]
fn what_many_alarms_say_does_not_wait_for_its_time() {
    let half = usize::try_from(ALARMS_WAITING_MAX / 2).unwrap();
    let folder = folder();
    let mut hospital = Hospital::new(12, 8, 13);
    let mut writer = HistoryWriter::open(Store::open(folder.path()).unwrap()).unwrap();
    let step = hospital.begin();
    writer.take(&step.entry, &step.effects, step.site.as_deref()).unwrap();
    let notice = loop {
        let step = hospital.walk(500);
        writer.take(&step.entry, &step.effects, step.site.as_deref()).unwrap();
        let alarm = step.effects.iter().find_map(|effect| match effect {
            Effect::Alarm(notice) => Some(notice.clone()),
            _ => None,
        });
        if let Some(notice) = alarm {
            break notice;
        }
    };
    writer.flush().unwrap();
    let mut alarms = 0;
    for (count, is_written) in
        [(half, false), (half - 1, false), (1, true), (half, false), (half, true)]
    {
        let mut step = hospital.walk(1);
        step.effects.retain(|effect| !matches!(effect, Effect::Alarm(_)));
        step.effects.extend((0..count).map(|number| {
            let id = AlarmId(u128::try_from(alarms + number).unwrap());
            Effect::Alarm(AlarmNotice { id, ..notice.clone() })
        }));
        alarms += count;
        writer.take(&step.entry, &step.effects, step.site.as_deref()).unwrap();
        let is_all = writer.written_through() == writer.taken_through();
        assert_eq!(is_all, is_written, "after {alarms}");
    }
}

fn written(store: &Store) -> u64 {
    HistoryWriter::open(store.clone()).unwrap().written_through()
}

#[test]
fn an_entry_that_is_missing_is_noticed() {
    let folder = folder();
    let mut writer = HistoryWriter::open(Store::open(folder.path()).unwrap()).unwrap();
    let mut hospital = Hospital::new(3, 2, 7);
    let (begin, _lost, later) = (hospital.begin(), hospital.walk(900), hospital.walk(900));
    writer.take(&begin.entry, &begin.effects, begin.site.as_deref()).unwrap();
    let gap = writer.take(&later.entry, &later.effects, later.site.as_deref());
    assert!(matches!(gap, Err(WriteError::Gap { expected: 2, got: 3 })), "{gap:?}");
}

/// A journal that was put back from a backup goes on with other entries under the same numbers.
#[test]
fn an_entry_that_is_another_one_is_noticed() {
    let folder = folder();
    let (mut one, mut other) = (Hospital::new(3, 2, 7), Hospital::new(3, 2, 8));
    let steps = [one.begin(), one.walk(900), one.walk(900)];
    let others = [other.begin(), other.walk(900), other.walk(900), other.walk(900)];
    {
        let mut writer = HistoryWriter::open(Store::open(folder.path()).unwrap()).unwrap();
        for step in &steps {
            writer.take(&step.entry, &step.effects, step.site.as_deref()).unwrap();
        }
        writer.flush().unwrap();
    }
    assert_eq!(steps[2].entry.at, others[2].entry.at, "the time alone would not tell");
    let take = |writer: &mut HistoryWriter, step: &Step| {
        writer.take(&step.entry, &step.effects, step.site.as_deref())
    };
    let opened = || HistoryWriter::open(Store::open(folder.path()).unwrap()).unwrap();
    {
        let mut writer = opened();
        take(&mut writer, &others[1]).unwrap();
        let another = take(&mut writer, &others[2]);
        assert!(matches!(another, Err(WriteError::Damaged { .. })), "{another:?}");
        assert!(matches!(take(&mut writer, &others[3]), Err(WriteError::Stopped)));
    }
    {
        let at = Timestamp(steps[2].entry.at.0 + 1);
        let another = opened().must_follow(3, at);
        assert!(matches!(another, Err(WriteError::Damaged { .. })), "{another:?}");
    }
    let mut writer = opened();
    writer.must_follow(3, steps[2].entry.at).unwrap();
    writer.must_follow(2, Timestamp(1)).unwrap();
    take(&mut writer, &steps[2]).unwrap();
}

/// What is read while it is written is one state of it.
#[test]
fn a_store_can_be_verified_while_it_is_written() {
    let folder = folder();
    let store = Store::open(folder.path()).unwrap();
    let mut writer = HistoryWriter::open(store.clone()).unwrap();
    let mut hospital = Hospital::new(12, 8, 9);
    let begin = hospital.begin();
    writer.take(&begin.entry, &begin.effects, begin.site.as_deref()).unwrap();
    writer.flush().unwrap();
    let steps: Vec<Step> = (0..600).map(|_| hospital.walk(900)).collect();
    let (done, is_done) = std::sync::mpsc::channel();
    std::thread::scope(|threads| {
        threads.spawn(move || {
            for step in steps {
                writer.take(&step.entry, &step.effects, step.site.as_deref()).unwrap();
                writer.flush().unwrap();
            }
            done.send(()).unwrap();
        });
        let mut sizes = std::collections::BTreeSet::new();
        while is_done.try_recv().is_err() {
            sizes.insert(store.verify().unwrap().pings);
        }
        assert!(sizes.len() > 3, "it was not written meanwhile: {sizes:?}");
    });
}

#[test]
fn two_processes_cannot_have_it() {
    let folder = folder();
    let store = Store::open(folder.path()).unwrap();
    let second = Store::open(folder.path());
    assert!(matches!(second, Err(ach_engine_store::OpenError::InUse)), "{second:?}");
    drop(store);
    Store::open(folder.path()).unwrap();
}

/// The journal lets go what a writer says is written.
#[test]
fn a_write_that_fails_covers_nothing() {
    let folder = folder();
    let mut writer = HistoryWriter::open(Store::open(folder.path()).unwrap()).unwrap();
    let mut hospital = Hospital::new(6, 3, 17);
    let mut steps = vec![hospital.begin()];
    steps.extend((0..40).map(|_| hospital.walk(900)));
    let take = |writer: &mut HistoryWriter, steps: &[Step]| {
        for step in steps {
            writer.take(&step.entry, &step.effects, step.site.as_deref()).unwrap();
        }
    };
    take(&mut writer, &steps[..20]);
    writer.flush().unwrap();
    take(&mut writer, &steps[20..]);
    // The disk refuses new tables of every keyspace.
    let mut broken = Vec::new();
    for keyspace in std::fs::read_dir(folder.path().join("keyspaces")).unwrap() {
        let tables = keyspace.unwrap().path().join("tables");
        let aside = tables.with_extension("aside");
        std::fs::rename(&tables, &aside).unwrap();
        std::fs::write(&tables, "no folder").unwrap();
        broken.push((tables, aside));
    }
    let failed = writer.flush();
    assert!(matches!(failed, Err(WriteError::Disk { .. })), "{failed:?}");
    assert_eq!((writer.written_through(), writer.taken_through()), (20, 41));
    drop(writer);
    for (tables, aside) in broken {
        std::fs::remove_file(&tables).unwrap();
        std::fs::rename(&aside, &tables).unwrap();
    }
    let mut writer = HistoryWriter::open(Store::open(folder.path()).unwrap()).unwrap();
    assert_eq!(writer.taken_through(), 20);
    take(&mut writer, &steps);
    writer.flush().unwrap();
    let mut oracle = Oracle::default();
    for step in &steps {
        oracle.take(step);
    }
    compare(writer.store(), &oracle, hospital.now_ns, 17);
}
