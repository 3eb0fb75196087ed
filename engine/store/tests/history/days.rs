//! Days are dropped whole when their time is over, unless a hold protects them.

use ach_actors_model::{NS_PER_S, Name, TagRef, Timestamp, ZoneRef};
use ach_engine_store::{Day, HistoryWriter, Hold, Holds, OpenError, QueryError, Store};

use crate::hospital::{Hospital, START_NS, folder};
use crate::oracle::Oracle;
use crate::random::LIMIT;

/// Writes some days of one entry an hour.
fn some_days(store: &Store, days: u64) -> (Oracle, u64) {
    let mut writer = HistoryWriter::open(store.clone()).unwrap();
    let (mut hospital, mut oracle) = (Hospital::new(6, 8, 21), Oracle::default());
    let mut step = hospital.begin();
    for _ in 0..days * 24 {
        oracle.take(&step);
        writer.take(&step.entry, &step.effects, step.site.as_deref()).unwrap();
        step = hospital.walk(3_600_000);
    }
    writer.flush().unwrap();
    (oracle, hospital.now_ns)
}

fn hold(day: Day) -> Holds {
    let name = |text: &str| Name::new(text).unwrap();
    let mut holds = Holds::default();
    let hold = Hold {
        id: name("case-4"),
        from: day,
        through: Some(day),
        subject: None,
        reason: "court order".to_owned(),
        placed_by: name("desk"),
        placed_at: Timestamp(START_NS),
    };
    holds.place(hold).unwrap();
    holds
}

#[test]
fn a_day_goes_when_its_time_is_over_and_a_hold_keeps_it() {
    let folder = folder();
    let store = Store::open(folder.path()).unwrap();
    let (oracle, now_ns) = some_days(&store, 6);
    let first = Day::of(Timestamp(START_NS));
    let held = Day(first.0 + 1);
    assert_eq!(store.days().len(), 7, "six days from the evening on");
    let keep_from = Day(first.0 + 4);
    let dropped = store.drop_before(keep_from, &hold(held)).unwrap();
    assert_eq!(dropped, [first, Day(first.0 + 2), Day(first.0 + 3)]);
    assert_eq!(store.drop_before(keep_from, &hold(held)).unwrap(), [], "nothing twice");
    drop(store);

    let store = Store::open(folder.path()).unwrap();
    assert_eq!(store.days().first(), Some(&held), "a gap that was made is no damage");
    // Of a day that is kept everything is known, visits that began on a dropped day too.
    for day in [held, Day(first.0 + 4), Day(first.0 + 5)] {
        let (from, until) = (day.begins_at(), day.ends_at());
        for zone in (0..8).map(ZoneRef) {
            let visits = store.visits_of_zone(zone, (from, until), LIMIT).unwrap();
            let expected = oracle.in_zone(zone, from, until);
            assert_eq!(visits.len(), expected.len(), "{day} {zone:?}");
            for (visit, expected) in visits.iter().zip(&expected) {
                assert_eq!(
                    (visit.entered_at, visit.subject),
                    (expected.entered_at, expected.subject)
                );
                // The end of a visit that lies on a dropped day is not known, and said not to be.
                let is_known = expected.exited_at.is_none_or(|at| {
                    let day = Day::of(at);
                    day == held || day >= Day(first.0 + 4)
                });
                if is_known {
                    assert_eq!((visit.exited_at, visit.ended_before), (expected.exited_at, None));
                } else {
                    let next = Day(first.0 + 4).begins_at();
                    assert_eq!((visit.exited_at, visit.ended_before), (None, Some(next)));
                }
            }
        }
    }
    // All that is known without a break lies behind what was dropped, whatever a hold keeps before it.
    let (from, until) = store.known().unwrap().unwrap();
    let last = store.mark(*store.days().last().unwrap()).unwrap().unwrap();
    assert_eq!((from, until), (keep_from.begins_at(), last.through_at.plus_ns(1)));
    store.must_keep(from, until).unwrap();
    assert!(store.must_keep(Timestamp(from.0 - 1), until).is_err());
    // What was dropped has no answer, and no wrong one.
    let gone = Day(first.0 + 3);
    let asked = (gone.begins_at(), gone.ends_at());
    let answer = store.visits_of_zone(ZoneRef(0), asked, LIMIT);
    assert!(matches!(answer, Err(QueryError::Dropped { day }) if day == gone), "{answer:?}");
    let noon = Timestamp(gone.begins_at().0 + 43_200 * NS_PER_S);
    let answer = store.whereabouts(TagRef(0), noon);
    assert!(matches!(answer, Err(QueryError::Dropped { .. })), "{answer:?}");
    assert!(store.pings(TagRef(0), asked.0, asked.1).is_err());
    assert!(store.whereabouts(TagRef(0), Timestamp(now_ns)).unwrap().is_some());
    store.drop_before(keep_from, &Holds::default()).unwrap();
    assert_eq!(store.days().first(), Some(&keep_from));
    // The last day goes on being written, whatever is asked.
    store.drop_before(Day::of(Timestamp(now_ns)), &Holds::default()).unwrap();
    store.drop_before(Day(u32::MAX), &Holds::default()).unwrap();
    assert_eq!(store.days().len(), 1);
    HistoryWriter::open(store).unwrap();
}

#[test]
fn what_is_dropped_takes_no_room() {
    let folder = folder();
    let store = Store::open(folder.path()).unwrap();
    some_days(&store, 8);
    let before = store.disk_bytes();
    let last = *store.days().last().unwrap();
    store.drop_before(last, &Holds::default()).unwrap();
    assert!(store.disk_bytes() * 2 < before, "{} of {before}", store.disk_bytes());
}

/// A day that is lost, and not dropped, is not passed over.
#[test]
fn a_day_that_is_lost_is_damage() {
    let folder = folder();
    let root = folder.path().join("lsm");
    let store = Store::open(&root).unwrap();
    some_days(&store, 4);
    let lost = store.days()[2];
    drop(store);
    {
        let db = fjall::Database::builder(&root).open().unwrap();
        let day = db.keyspace(&format!("day-{lost}"), Default::default).unwrap();
        db.delete_keyspace(day).unwrap();
    }
    let opened = Store::open(&root);
    assert!(matches!(opened, Err(OpenError::Damaged { .. })), "{opened:?}");
    let opened = Store::open_or_set_aside(&root).unwrap();
    assert_eq!(opened.store.through().unwrap(), 0, "to be derived again");
    let (aside, detail) = opened.set_aside.unwrap();
    assert!(aside.exists() && detail.contains("missing"), "{detail}");
}

#[test]
fn a_held_day_that_is_lost_behind_days_that_were_dropped_is_damage() {
    let folder = folder();
    let root = folder.path().join("lsm");
    let store = Store::open(&root).unwrap();
    some_days(&store, 6);
    let (held, keep_from) = (store.days()[1], store.days()[4]);
    store.drop_before(keep_from, &hold(held)).unwrap();
    drop(store);
    assert!(Store::open(&root).is_ok());
    {
        let db = fjall::Database::builder(&root).open().unwrap();
        let day = db.keyspace(&format!("day-{held}"), Default::default).unwrap();
        db.delete_keyspace(day).unwrap();
    }
    let opened = Store::open(&root);
    assert!(matches!(opened, Err(OpenError::Damaged { .. })), "{opened:?}");
}

/// A day that was begun and never written does not save the last one that was from going.
#[test]
fn the_last_day_that_was_written_stays() {
    let folder = folder();
    let store = Store::open(folder.path()).unwrap();
    let mut writer = HistoryWriter::open(store.clone()).unwrap();
    let mut hospital = Hospital::new(3, 2, 22);
    let begin = hospital.begin();
    writer.take(&begin.entry, &begin.effects, begin.site.as_deref()).unwrap();
    writer.flush().unwrap();
    let later = hospital.walk(3_000_000_000);
    writer.take(&later.entry, &later.effects, later.site.as_deref()).unwrap();
    drop(writer);
    assert_eq!(store.days().len(), 2, "one of them is empty");
    store.drop_before(Day(u32::MAX), &Holds::default()).unwrap();
    assert_eq!(store.through().unwrap(), 1);
}

#[test]
fn a_store_whose_making_was_cut_short_is_made_and_one_that_is_written_is_in_use() {
    let folder = folder();
    let root = folder.path().join("lsm");
    std::fs::create_dir_all(root.join("keyspaces")).unwrap();
    std::fs::write(root.join("0.jnl"), "").unwrap();
    let store = Store::open(&root).unwrap();
    // It looks damaged to who looks while it is written; the lock says better.
    std::fs::write(root.join("keyspaces/0/current"), "x").unwrap();
    assert!(matches!(Store::open(&root), Err(OpenError::InUse)));
    assert!(matches!(Store::set_aside(&root), Err(OpenError::InUse)));
    drop(store);
}

/// History on another disk: a link in the data directory, to a folder there.
#[test]
fn a_damaged_store_behind_a_link_is_set_aside_and_begun_anew_behind_it() {
    let (data, elsewhere) = (folder(), folder());
    let (link, place) = (data.path().join("history"), elsewhere.path().join("history"));
    std::fs::create_dir(&place).unwrap();
    std::os::unix::fs::symlink(&place, &link).unwrap();
    drop(Store::open(&link).unwrap());
    let current = std::fs::read_dir(link.join("keyspaces")).unwrap().next().unwrap();
    std::fs::write(current.unwrap().path().join("current"), "nonsense").unwrap();
    let opened = Store::open_or_set_aside(&link).unwrap();
    let (aside, _) = opened.set_aside.expect("it was damaged");
    assert_eq!(aside, elsewhere.path().canonicalize().unwrap().join("history.damaged"));
    assert!(aside.join("keyspaces").exists() && place.join("keyspaces").exists());
    assert_eq!(std::fs::read_link(&link).unwrap(), place);
    drop(opened.store);
    // A crash in between leaves a link to nothing.
    std::fs::remove_dir_all(&place).unwrap();
    drop(Store::open(&link).unwrap());
    assert!(place.join("keyspaces").exists());
    // What was set aside first stays, whatever is damaged after it.
    std::fs::write(aside.join("first"), "").unwrap();
    for _ in 0..2 {
        let again = Store::set_aside(&link).unwrap();
        assert_eq!(again, elsewhere.path().canonicalize().unwrap().join("history.damaged-again"));
        assert!(aside.join("first").exists() && again.join("keyspaces").exists());
        drop(Store::open(&link).unwrap());
    }
}

#[test]
fn a_store_whose_disk_is_not_mounted_is_not_begun_anew() {
    let (data, elsewhere) = (folder(), folder());
    let (link, place) = (data.path().join("history"), elsewhere.path().join("history"));
    std::os::unix::fs::symlink(&place, &link).unwrap();
    let refused = Store::open(&link).unwrap_err();
    let OpenError::Disk { source, .. } = refused else { panic!("{refused}") };
    assert!(source.to_string().contains("is its disk mounted?"), "{source}");
    assert!(!place.exists());
    // Who moved it away and removed the link, as he is told to, begins a new one.
    let advice = format!("remove the link {} too", link.display());
    assert!(source.to_string().contains(&advice), "{source}");
    std::fs::remove_file(&link).unwrap();
    drop(Store::open(&link).unwrap());
}
