//! One suite for both kinds of tables, and what the simulated ones do on command.

use std::time::Duration;

use super::*;
use crate::{HistoryWriter, OpenError, Store};

fn rows(pairs: &[(&str, &str)]) -> Rows {
    pairs.iter().map(|(key, value)| (key.as_bytes().to_vec(), value.as_bytes().to_vec())).collect()
}

fn text(found: Iter) -> Vec<String> {
    let text = |bytes: &Slice| String::from_utf8(bytes.to_vec()).unwrap();
    let row = |found: fjall::Result<Found>| {
        let (key, value) = found.unwrap();
        format!("{}={}", text(&key), text(&value))
    };
    found.map(row).collect()
}

/// What is promised of tables.
fn keeps_its_promises(tables: &dyn Tables) {
    let day = tables.keyspace("day").unwrap();
    assert!(day.is_empty());
    assert_eq!(tables.names(), ["day"]);
    day.write(rows(&[("a1", "x"), ("a2", "x"), ("b", "x")])).unwrap();
    day.write(rows(&[("a2", "y"), ("c", "y")])).unwrap();
    // Another handle sees the same.
    let day = tables.keyspace("day").unwrap();
    assert!(!day.is_empty());
    assert_eq!(text(day.iter()), ["a1=x", "a2=y", "b=x", "c=y"]);
    assert_eq!(text(day.prefix("a")), ["a1=x", "a2=y"]);
    assert_eq!(text(day.range("a2".."c")), ["a2=y", "b=x"]);
    assert_eq!(text(day.range("a2"..="c")), ["a2=y", "b=x", "c=y"]);
    assert_eq!(text(Box::new(day.range("a".."b").rev())), ["a2=y", "a1=x"]);
    assert_eq!(text(day.range("c".."a")), Vec::<String>::new());
    assert_eq!(day.get("b").unwrap().as_deref(), Some(&b"x"[..]));
    assert_eq!(day.get("bb").unwrap().as_deref(), None);
    // What is read is of the moment at which it was asked for.
    let before = day.iter();
    day.write(rows(&[("d", "z")])).unwrap();
    assert_eq!(text(before).len(), 4);
    day.merge().unwrap();
    assert_eq!(text(day.iter()).len(), 5);
    tables.keyspace("other").unwrap();
    tables.remove("day").unwrap();
    tables.remove("day").unwrap();
    assert_eq!(tables.names(), ["other"]);
    assert!(tables.keyspace("day").unwrap().is_empty(), "begun anew");
}

#[test]
fn tables_of_both_kinds_keep_their_promises() {
    let folder = tempfile::tempdir().unwrap();
    keeps_its_promises(&open_lsm(folder.path()).unwrap());
    keeps_its_promises(&SimTables::default());
}

#[test]
fn a_prefix_ends_where_the_next_begins() {
    for (prefix, after) in [
        (&[1, 2][..], Some(vec![1, 3])),
        (&[1, 255], Some(vec![2])),
        (&[255, 255], None),
        (&[], None),
    ] {
        assert_eq!(after_all_of(prefix), after, "{prefix:?}");
    }
}

#[test]
fn a_writing_that_is_struck_is_whole_or_not_there() {
    for (fault, is_kept) in [
        (SimTablesFault::Fail { is_kept: false }, false),
        (SimTablesFault::Fail { is_kept: true }, true),
        (SimTablesFault::Die { is_kept: false }, false),
        (SimTablesFault::Die { is_kept: true }, true),
    ] {
        let tables = SimTables::default();
        let day = tables.keyspace("day").unwrap();
        day.write(rows(&[("a", "x")])).unwrap();
        tables.plan(1, fault);
        assert!(day.write(rows(&[("b", "x"), ("c", "x")])).is_err(), "{fault:?}");
        let is_dead = matches!(fault, SimTablesFault::Die { .. });
        assert_eq!((tables.is_dead(), day.get("a").is_err()), (is_dead, is_dead), "{fault:?}");
        tables.restart(false);
        assert_eq!(text(day.iter()).len(), if is_kept { 3 } else { 1 }, "{fault:?}");
    }
}

#[test]
fn a_writing_that_is_held_waits_and_readings_do_not() {
    let tables = SimTables::default();
    let day = tables.keyspace("day").unwrap();
    tables.hold_writings();
    assert!(!tables.wait_until_held(Duration::ZERO), "nobody writes");
    let writing = std::thread::spawn({
        let day = day.clone();
        move || day.write(rows(&[("a", "x")])).unwrap()
    });
    assert!(tables.wait_until_held(Duration::from_secs(30)));
    assert!(day.is_empty() && !writing.is_finished());
    tables.let_go();
    writing.join().unwrap();
    assert!(!day.is_empty());
}

#[test]
fn what_is_full_slow_or_damaged_says_so() {
    let tables = SimTables::default();
    let store = Store::open_simulated(&tables).unwrap();
    drop(HistoryWriter::open(store).unwrap());
    let day = tables.keyspace("day").unwrap();
    tables.set_room(SimRoom::Full);
    assert!(!tables.is_room_low() && day.write(rows(&[("a", "x")])).is_err());
    assert!(tables.keyspace("tomorrow").is_err());
    tables.set_room(SimRoom::Low);
    assert!(tables.is_room_low() && day.write(rows(&[("a", "x")])).is_ok());
    tables.plan(2, SimTablesFault::Stall { stall_ns: 7 });
    day.write(rows(&[("b", "x")])).unwrap();
    assert_eq!(tables.stalled_ns(), 0);
    day.write(rows(&[("c", "x")])).unwrap();
    assert_eq!((tables.stalled_ns(), tables.writing_count()), (7, 4));
    tables.damage();
    for tables in [tables.fork(), tables.clone()] {
        let opened = Store::open_simulated(&tables);
        assert!(matches!(opened, Err(OpenError::Damaged { .. })), "{opened:?}");
    }
    tables.lose();
    assert!(Store::open_simulated(&tables).is_ok_and(|store| store.days().is_empty()));
}
