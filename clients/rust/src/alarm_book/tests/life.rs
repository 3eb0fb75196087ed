//! What people and timers do with alarms, as a receiver hears it.

use ach_engine_wire::LifeNote;

use super::*;

/// An act on alarm 1, the so many-th thing done with it.
fn act(transition: AlarmTransition, revision: u32, index: u64, is_over: bool) -> Frame {
    let Frame::AlarmNote(note) = note(1, transition, index, false) else { unreachable!() };
    let state = if is_over { AlarmState::default() } else { OPEN };
    Frame::AlarmNote(AlarmNote { state, life: Some(Box::new(life(revision))), ..note })
}

fn life(revision: u32) -> LifeNote {
    LifeNote {
        revision,
        by: None,
        remark: None,
        acknowledged: None,
        confirmed: None,
        closed: None,
        cause: None,
        assignee: None,
        quiet_until: None,
        level: 0,
        escalated_to: None,
        comment_count: 0,
    }
}

fn notes(news: &[AlarmUpdate]) -> Vec<(AlarmTransition, u32)> {
    let told = news.iter().filter_map(|update| match update {
        AlarmUpdate::Note(note) => {
            Some((note.transition, note.life.as_ref().map_or(0, |life| life.revision)))
        }
        _ => None,
    });
    told.collect()
}

#[test]
fn what_people_do_is_news_once_each_time() {
    use AlarmTransition::{Acknowledged, Commented};
    let mut book = AlarmBook::new();
    book.begin();
    book.take(raised(1, 1));
    let mut told = Vec::new();
    for frame in [
        act(Acknowledged, 1, 2, false),
        act(Commented, 2, 3, false),
        act(Commented, 3, 4, false),
        act(Commented, 3, 4, false),
        act(Acknowledged, 1, 2, false),
    ] {
        told.extend(notes(&book.take(frame)));
    }
    assert_eq!(told, [(Acknowledged, 1), (Commented, 2), (Commented, 3)]);
    assert_eq!(book.cursor(), at(4));
}

#[test]
fn what_was_done_while_the_receiver_was_away_is_on_the_open_alarm() {
    let mut book = AlarmBook::new();
    book.begin();
    book.take(raised(1, 1));
    book.take(end(1, 1));
    book.begin();
    let Frame::AlarmNote(open) = note(1, AlarmTransition::Raised, 1, true) else { unreachable!() };
    let acted_on = AlarmNote { life: Some(Box::new(life(2))), ..open };
    assert_eq!(
        notes(&book.take(Frame::AlarmNote(acted_on.clone()))),
        [(AlarmTransition::Raised, 2)]
    );
    assert_eq!(notes(&book.take(Frame::AlarmNote(acted_on))), []);
    assert!(!book.take(end(1, 9)).iter().any(|update| matches!(update, AlarmUpdate::Gone { .. })));
}

#[test]
fn an_alarm_that_waits_for_people_is_open_after_its_condition_ended() {
    let mut book = AlarmBook::new();
    book.begin();
    book.take(raised(1, 1));
    let Frame::AlarmNote(ended) = cleared(1, 2) else { unreachable!() };
    book.take(Frame::AlarmNote(AlarmNote {
        state: AlarmState::RETAINED.with(AlarmState::NEEDS_ACKNOWLEDGING),
        ..ended
    }));
    // Not among the open ones any more: somebody acknowledged it meanwhile.
    book.begin();
    let news = book.take(end(0, 9));
    assert!(news.iter().any(|update| matches!(update, AlarmUpdate::Gone { .. })), "{news:?}");
    // And one that was told to be over is not missed.
    let mut book = AlarmBook::new();
    book.begin();
    book.take(raised(1, 1));
    book.take(act(AlarmTransition::Closed, 1, 2, true));
    book.begin();
    let news = book.take(end(0, 9));
    assert!(!news.iter().any(|update| matches!(update, AlarmUpdate::Gone { .. })), "{news:?}");
}

/// Alarm 1 among the open ones, with so much done with it.
fn open_with(life: Option<LifeNote>) -> Frame {
    let Frame::AlarmNote(open) = open(1, 1) else { unreachable!() };
    Frame::AlarmNote(AlarmNote { life: life.map(Box::new), ..open })
}

/// A node that did not store has said "acknowledged", and ended: its successor knows nothing of it.
#[test]
fn acts_that_were_lost_are_taken_back_and_what_comes_then_is_news() {
    use AlarmTransition::{Acknowledged, Escalated, Raised};
    let mut book = AlarmBook::new();
    book.begin();
    book.take(raised(1, 1));
    book.take(end(1, 1));
    assert_eq!(notes(&book.take(act(Acknowledged, 1, 0, false))), [(Acknowledged, 1)]);
    book.begin();
    assert_eq!(notes(&book.take(open_with(None))), [(Raised, 0)], "nobody has acknowledged it");
    assert_eq!(
        notes(&book.take(act(Escalated, 1, 2, false))),
        [(Escalated, 1)],
        "and it is passed on"
    );
}

/// The act that ended it was lost: it is open, and missed when it is not told again.
#[test]
fn an_alarm_whose_ending_act_was_lost_is_open_again() {
    let mut book = AlarmBook::new();
    book.begin();
    book.take(raised(1, 1));
    book.take(end(1, 1));
    book.take(act(AlarmTransition::Closed, 1, 0, true));
    book.begin();
    book.take(open_with(None));
    book.take(end(1, 1));
    book.begin();
    let news = book.take(end(0, 1));
    assert!(news.iter().any(|update| matches!(update, AlarmUpdate::Gone { .. })), "{news:?}");
}

/// A node without a disk has said that it was cleared; that was lost, and somebody comments on it.
#[test]
fn what_is_done_with_an_alarm_does_not_show_that_its_condition_has_ended() {
    let mut book = AlarmBook::new();
    book.begin();
    book.take(raised(1, 0));
    book.take(cleared(1, 0));
    let news = book.take(act(AlarmTransition::Commented, 1, 2, false));
    let is_durable = |of: AlarmTransition| {
        news.iter()
            .any(|it| matches!(it, AlarmUpdate::Durable { transition, .. } if *transition == of))
    };
    assert!(is_durable(AlarmTransition::Raised), "{news:?}");
    assert!(!is_durable(AlarmTransition::Cleared), "{news:?}");
}

/// What was done comes together with the news that it is on disk.
#[test]
fn an_act_that_comes_with_durability_is_not_swallowed() {
    let mut book = AlarmBook::new();
    book.begin();
    book.take(raised(1, 0));
    let news = book.take(open_with(Some(life(1))));
    assert_eq!(notes(&news), [(AlarmTransition::Raised, 1)]);
    assert!(news.iter().any(|it| matches!(it, AlarmUpdate::Durable { .. })), "{news:?}");
}
