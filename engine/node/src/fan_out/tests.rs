//! What subscribers are told, in words.

use ach_engine_wire::{Filter, FrameReader};

use super::*;
use crate::test_values::{notice, site};

fn at(index: u64) -> NoticeAt {
    NoticeAt { index, ordinal: 0 }
}

fn fan_out() -> FanOut {
    FanOut::new(site(), Told::new(), Arc::default())
}

fn sieve() -> Sieve {
    Sieve::new(Topic::Alarms, Filter::default()).unwrap()
}

fn cleared(id: u128) -> AlarmNotice {
    AlarmNotice {
        transition: AlarmTransition::Cleared,
        state: ach_actors_model::AlarmState::default(),
        ..notice(id)
    }
}

/// What frames say, in short.
fn render(frames: impl IntoIterator<Item = Bytes>) -> Vec<String> {
    let mut reader = FrameReader::new();
    let mut said = Vec::new();
    for frame in frames {
        reader.push(frame);
        while let Some(raw) = reader.take().unwrap() {
            said.push(match Frame::decode(raw).unwrap().unwrap() {
                Frame::AlarmNote(note) => {
                    let again = if note.is_resent { " again" } else { "" };
                    format!("{:?} {} {:?}{again}", note.transition, note.id.0, note.storage)
                }
                Frame::AlarmSettled(settled) => {
                    format!("{:?} {} settled", settled.transition, settled.id.0)
                }
                Frame::OpenSetEnd(end) => {
                    format!("end of {} at {:?}", end.open_count, end.cursor.map(|it| it.index))
                }
                other => panic!("{other:?}"),
            });
        }
    }
    said
}

#[test]
fn an_alarm_is_told_at_once_and_settled_when_it_is_on_disk() {
    let mut fan_out = fan_out();
    let sink = Rc::new(Sink::new(10_000));
    fan_out.add_alarms(sieve(), sink.clone());
    fan_out.tell(&notice(7), at(1));
    assert_eq!(render(sink.take().frames), ["Raised 7 Provisional(None)"]);
    fan_out.settle(&notice(7), at(1));
    fan_out.tell_durable(&cleared(7), at(2));
    assert_eq!(render(sink.take().frames), ["Raised 7 settled", "Cleared 7 Durable"]);
}

#[test]
fn without_a_disk_alarms_go_on_and_say_why_they_are_provisional() {
    let mut fan_out = fan_out();
    let sink = Rc::new(Sink::new(10_000));
    fan_out.add_alarms(sieve(), sink.clone());
    fan_out.stop_storing();
    fan_out.tell(&notice(7), at(1));
    fan_out.tell(&cleared(7), at(2));
    assert_eq!(
        render(sink.take().frames),
        ["Raised 7 Provisional(NoDisk)", "Cleared 7 Provisional(NoDisk)"]
    );
    assert_eq!(fan_out.open_count(), 0);
}

#[test]
fn the_open_set_is_sent_in_pieces_and_ends_with_a_mark() {
    let mut fan_out = fan_out();
    for id in 0..100 {
        fan_out.tell(&notice(id), at(1));
    }
    fan_out.settle(&notice(99), at(1));
    fan_out.tell_durable(&cleared(3), at(2));
    let mut frames = Vec::new();
    let mut after = None;
    loop {
        let (chunk, last) = fan_out.open_chunk(&sieve(), after);
        frames.extend(chunk);
        if last.is_none() {
            break;
        }
        after = last;
    }
    frames.push(fan_out.open_set_end(frames.len()));
    let said = render(frames);
    assert_eq!(said.len(), 100);
    assert_eq!(said[0], "Raised 0 Provisional(None) again");
    assert!(!said.iter().any(|line| line.starts_with("Raised 3 ")));
    assert_eq!(said[98], "Raised 99 Durable again");
    assert_eq!(said[99], "end of 99 at Some(2)");
}

#[test]
fn the_mark_has_a_cursor_before_anything_is_durable_too() {
    let mut fan_out = fan_out();
    assert_eq!(render([fan_out.open_set_end(0)]), ["end of 0 at Some(0)"]);
    fan_out.told.recover(&notice(1), at(1));
    fan_out.told.recover(&cleared(1), at(2));
    assert_eq!(render([fan_out.open_set_end(0)]), ["end of 0 at Some(2)"]);
    // Whoever resumes after the first mark hears of the alarm that has ended meanwhile.
    let (frames, _) = fan_out.missed_chunk(&sieve(), NoticeAt::default(), at(2));
    assert_eq!(render(frames), ["Raised 1 Durable", "Cleared 1 Durable"]);
    assert!(!fan_out.is_gap(NoticeAt::default()));
}

#[test]
fn who_comes_back_hears_what_became_durable_meanwhile() {
    let mut fan_out = fan_out();
    fan_out.told.recover(&notice(1), at(1));
    fan_out.told.recover(&cleared(1), at(2));
    fan_out.told.recover(&notice(2), at(3));
    let (frames, last) = fan_out.missed_chunk(&sieve(), at(1), at(2));
    assert_eq!(render(frames), ["Cleared 1 Durable"]);
    assert_eq!(last, Some(at(2)));
    assert_eq!(fan_out.missed_chunk(&sieve(), at(3), at(3)), (Vec::new(), None));
    assert!(!fan_out.is_gap(at(1)));
    assert!(fan_out.is_gap(at(4)), "a cursor of another life of this node");
    assert_eq!(fan_out.open_count(), 1);
}

#[test]
fn who_comes_while_something_is_not_on_disk_hears_of_it_too() {
    let mut fan_out = fan_out();
    fan_out.tell(&notice(1), at(1));
    fan_out.settle(&notice(1), at(1));
    fan_out.stop_storing();
    fan_out.tell(&cleared(1), at(2));
    fan_out.tell(&notice(2), at(3));
    fan_out.tell(&cleared(2), at(4));
    let told_at = fan_out.told_at();
    assert_eq!((told_at, fan_out.durable_at()), (at(4), at(1)));
    let (frames, last) = fan_out.missed_chunk(&sieve(), fan_out.durable_at(), told_at);
    let without_a_disk = "Provisional(NoDisk)";
    let expected = [
        format!("Cleared 1 {without_a_disk}"),
        format!("Raised 2 {without_a_disk}"),
        format!("Cleared 2 {without_a_disk}"),
    ];
    assert_eq!((render(frames), last), (expected.to_vec(), Some(at(4))));
    assert_eq!(fan_out.missed_chunk(&sieve(), at(4), told_at), (Vec::new(), None));
}

/// A node gives up a disk that is too slow, and the group in flight becomes durable after all.
#[test]
fn what_was_given_up_and_overtaken_is_told_in_its_order() {
    let mut fan_out = fan_out();
    fan_out.tell(&notice(1), at(1));
    fan_out.tell(&cleared(1), at(2));
    fan_out.tell(&notice(2), at(3));
    fan_out.stop_storing();
    fan_out.settle(&notice(2), at(3));
    fan_out.tell(&notice(3), at(4));
    assert_eq!((fan_out.durable_at(), fan_out.told_at()), (at(3), at(4)));
    let without_a_disk = "Provisional(NoDisk)";
    let expected = [
        format!("Raised 1 {without_a_disk}"),
        format!("Cleared 1 {without_a_disk}"),
        "Raised 2 Durable".to_owned(),
        format!("Raised 3 {without_a_disk}"),
    ];
    for after in [NoticeAt::default(), fan_out.lost_after()] {
        let (frames, _) = fan_out.missed_chunk(&sieve(), after, fan_out.told_at());
        assert_eq!(render(frames), expected);
    }
}

#[test]
fn what_becomes_durable_while_it_is_told_is_told_once_and_nothing_is_passed_over() {
    let mut fan_out = fan_out();
    fan_out.tell(&notice(1), at(1));
    fan_out.tell(&notice(2), at(2));
    let through = fan_out.told_at();
    let after = fan_out.durable_at();
    fan_out.settle(&notice(1), at(1));
    let (frames, last) = fan_out.missed_chunk(&sieve(), after, through);
    assert_eq!(render(frames), ["Raised 1 Durable", "Raised 2 Provisional(None)"]);
    fan_out.settle(&notice(2), at(2));
    assert_eq!(fan_out.missed_chunk(&sieve(), last.unwrap(), through), (Vec::new(), None));
    assert_eq!(fan_out.told_at(), fan_out.durable_at());
}

#[test]
fn a_subscriber_that_does_not_read_disturbs_nobody() {
    let mut fan_out = fan_out();
    let (slow, quick) = (Rc::new(Sink::new(1_000)), Rc::new(Sink::new(1_000)));
    fan_out.add_alarms(sieve(), slow.clone());
    fan_out.add_alarms(sieve(), quick.clone());
    let mut told = 0;
    for id in 0..1_000 {
        fan_out.tell(&notice(id), at(1));
        told += quick.take().frames.len();
    }
    assert_eq!(told, 1_000);
    let taken = slow.take();
    assert_eq!((taken.frames.len(), taken.missed), (0, 1_000));
}
