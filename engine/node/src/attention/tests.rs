//! What is seen by somebody, by nobody, and not in time.

use std::rc::Rc;
use std::sync::Arc;

use ach_actors_model::{AlarmKind, AlarmNotice, AlarmPriority, AlarmState, AlarmTransition};
use ach_engine_wire::{Cursor, Filter, Topic};

use super::*;
use crate::sink::Sink;
use crate::test_values::{notice, site};
use crate::told::Told;

const BEGUN: Timestamp = Timestamp(1_000 * NS_PER_S);

struct Desk {
    book: AttentionBook,
    fan_out: FanOut,
}

impl Desk {
    fn new() -> Desk {
        let fan_out = FanOut::new(site(), Told::new(), Arc::default());
        Desk { book: AttentionBook::begun_at(BEGUN), fan_out }
    }

    fn join(&mut self, filter: Filter) -> SubscriberKey {
        let sieve = Sieve::new(Topic::Alarms, filter).unwrap();
        let key = self.fan_out.add_alarms(sieve.clone(), Rc::new(Sink::new(10_000)));
        self.book.join(
            key,
            Watcher {
                name: Name::new("board").unwrap(),
                is_operator: false,
                subscription: 1,
                begun_at: BEGUN,
                sieve,
                displayed: None,
                displayed_at: None,
            },
        );
        key
    }

    fn raise(&mut self, id: u128, index: u64, after_s: u64) {
        let changed_at = BEGUN.plus_ns(after_s * NS_PER_S);
        let raised = AlarmNotice { changed_at, ..notice(id) };
        let at = NoticeAt { index, ordinal: 0 };
        self.fan_out.tell(&raised, at);
        self.fan_out.settle(&raised, at);
    }

    fn say(&mut self, key: SubscriberKey, through: Option<u64>, alarms: &[u128]) {
        let through = through.map(|index| Cursor { shard: SHARD, index, ordinal: 0 });
        let alarms = alarms.iter().map(|&id| AlarmId(id)).collect();
        let displayed = Displayed { subscription: 1, through, alarms };
        self.book.take(key, &displayed, self.fan_out.durable_at(), BEGUN);
    }

    /// A look from beginning to end.
    fn look(&mut self, after_s: u64, slice_alarms: usize) -> Unseen {
        let look = self.book.begin_look(BEGUN.plus_ns(after_s * NS_PER_S));
        let mut look = look.in_slices_of(slice_alarms);
        while !self.book.look_on(&mut look, &self.fan_out) {}
        look.unseen()
    }

    fn clear(&mut self, id: u128, index: u64) {
        let cleared = AlarmNotice {
            transition: AlarmTransition::Cleared,
            state: AlarmState::default(),
            ..notice(id)
        };
        self.fan_out.tell(&cleared, NoticeAt { index, ordinal: 0 });
    }

    /// Unseen, overdue, and newly so, so long after the beginning.
    fn unseen(&mut self, after_s: u64) -> (usize, usize, usize) {
        let unseen = self.look(after_s, 1);
        (unseen.count, unseen.overdue_count, unseen.new_count)
    }
}

#[test]
fn an_alarm_nobody_displays_is_overdue_once_and_until_somebody_does() {
    let mut desk = Desk::new();
    let board = desk.join(Filter::default());
    desk.raise(7, 5, 10);
    assert_eq!(desk.unseen(39), (1, 0, 0));
    assert_eq!(desk.unseen(40), (1, 1, 1));
    assert_eq!(desk.unseen(60), (1, 1, 0), "counted once");
    desk.say(board, Some(4), &[]);
    assert_eq!(desk.unseen(61), (1, 1, 0), "an earlier cursor shows nothing of it");
    desk.say(board, Some(5), &[]);
    assert_eq!(desk.unseen(62), (0, 0, 0));
}

#[test]
fn what_was_displayed_before_it_was_durable_is_seen_and_stays_so_when_the_board_is_gone() {
    let mut desk = Desk::new();
    let board = desk.join(Filter::default());
    desk.raise(7, 5, 0);
    desk.say(board, None, &[7]);
    desk.book.leave(board, &desk.fan_out);
    assert_eq!(desk.unseen(100), (0, 0, 0));
    desk.raise(7, 9, 100);
    assert_eq!(desk.unseen(129), (1, 0, 0), "upheld, say: another change");
    assert_eq!(desk.unseen(130), (1, 1, 1));
}

#[test]
fn a_cursor_stands_for_what_the_filter_lets_pass_alone() {
    let mut desk = Desk::new();
    let low = desk.join(Filter { priorities: vec![AlarmPriority::Low], ..Filter::default() });
    desk.raise(7, 5, 0);
    desk.say(low, Some(5), &[7]);
    assert_eq!(desk.unseen(100), (1, 1, 1), "nobody who may see it has");
    let duress = desk.join(Filter { kinds: vec![AlarmKind::Duress], ..Filter::default() });
    desk.say(duress, Some(5), &[]);
    assert_eq!(desk.unseen(101), (0, 0, 0));
}

#[test]
fn an_alarm_that_ended_waits_for_nobody_and_a_cursor_is_never_taken_back() {
    let mut desk = Desk::new();
    let board = desk.join(Filter::default());
    desk.raise(7, 5, 0);
    desk.raise(8, 6, 0);
    desk.say(board, Some(6), &[]);
    desk.say(board, Some(2), &[]);
    let watchers = desk.book.watchers(&desk.fan_out);
    assert_eq!(watchers[0].displayed.unwrap().index, 6);
    assert_eq!((watchers[0].waiting_count, watchers[0].waiting_since), (0, None));
    desk.raise(9, 7, 20);
    let watchers = desk.book.watchers(&desk.fan_out);
    let since = Some(BEGUN.plus_ns(20 * NS_PER_S));
    assert_eq!((watchers[0].waiting_count, watchers[0].waiting_since), (1, since));
    let cleared = AlarmNotice {
        transition: AlarmTransition::Cleared,
        state: AlarmState::default(),
        ..notice(9)
    };
    desk.fan_out.tell(&cleared, NoticeAt { index: 8, ordinal: 0 });
    assert_eq!(desk.unseen(100), (0, 0, 0));
    assert_eq!(desk.book.displaying_count(), 1);
}

/// A board that showed more than the node remembers, for it was restored from a backup.
#[test]
fn a_cursor_of_another_past_shows_nothing() {
    let mut desk = Desk::new();
    let board = desk.join(Filter::default());
    desk.raise(7, 5, 0);
    desk.say(board, Some(900), &[]);
    assert_eq!(desk.unseen(100), (1, 1, 1));
    desk.say(board, Some(5), &[]);
    assert_eq!(desk.unseen(101), (0, 0, 0));
}

/// Alarms of an earlier life are open as ever, and nobody can have displayed them since.
#[test]
fn after_a_start_the_time_counts_from_the_start() {
    let mut desk = Desk::new();
    let raised = AlarmNotice { changed_at: Timestamp(NS_PER_S), ..notice(7) };
    desk.fan_out.tell(&raised, NoticeAt { index: 1, ordinal: 0 });
    assert_eq!(desk.unseen(29), (1, 0, 0));
    assert_eq!(desk.unseen(30), (1, 1, 1));
}

#[test]
fn what_is_said_without_end_takes_no_room_without_end() {
    let mut desk = Desk::new();
    let board = desk.join(Filter::default());
    for id in 0..10_000 {
        desk.say(board, None, &[id]);
    }
    assert_eq!(desk.book.pending.len(), PENDING_MAX);
    desk.unseen(1);
    assert_eq!((desk.book.pending.len(), desk.book.seen.len()), (0, 0), "none of them is open");
}

/// Whoever goes costs nothing for what the others have said.
#[test]
fn who_goes_is_looked_at_alone() {
    let mut desk = Desk::new();
    let (board, silent) = (desk.join(Filter::default()), desk.join(Filter::default()));
    desk.raise(7, 5, 0);
    desk.raise(8, 6, 0);
    desk.say(board, None, &[7]);
    desk.book.leave(silent, &desk.fan_out);
    assert_eq!((desk.book.pending.len(), desk.book.seen.len()), (1, 0));
    desk.book.leave(board, &desk.fan_out);
    assert_eq!((desk.book.pending.len(), desk.book.seen.len()), (0, 1));
    assert_eq!(desk.unseen(1), (1, 0, 0));
}

/// Whatever the slices, a look finds what one that takes all at once finds, and forgets what has ended.
#[test]
fn a_look_finds_the_same_in_slices_of_any_size() {
    let found = |slice_alarms: usize| {
        let mut desk = Desk::new();
        let board = desk.join(Filter::default());
        for id in 0..40 {
            desk.raise(id, u64::try_from(id).unwrap() + 1, 0);
        }
        desk.say(board, Some(10), &[25, 31]);
        let mut looks = vec![desk.look(40, slice_alarms)];
        for id in (0..40).step_by(2) {
            desk.clear(id, 100 + u64::try_from(id).unwrap());
        }
        looks.push(desk.look(50, slice_alarms));
        let kept: Vec<_> = desk.book.seen.keys().chain(desk.book.overdue.keys()).copied().collect();
        (looks, kept)
    };
    let (looks, kept) = found(usize::MAX);
    let counts: Vec<_> =
        looks.iter().map(|it| (it.count, it.overdue_count, it.new_count)).collect();
    assert_eq!(counts, [(28, 28, 28), (13, 13, 0)]);
    assert_eq!(kept.len(), 20, "those that are open");
    for slice_alarms in [1, 2, 3, 7, 20, 39, 40, 41] {
        assert_eq!(found(slice_alarms), (looks.clone(), kept.clone()), "slices of {slice_alarms}");
    }
}

/// What a board says while a look is under way counts in the next one, if this one was past it.
#[test]
fn what_is_displayed_during_a_look_is_not_lost() {
    for said_after in 0..4 {
        let mut desk = Desk::new();
        let board = desk.join(Filter::default());
        for id in 1..4 {
            desk.raise(id, u64::try_from(id).unwrap(), 0);
        }
        let mut look = desk.book.begin_look(BEGUN.plus_ns(40 * NS_PER_S)).in_slices_of(1);
        for slice in 0.. {
            if slice == said_after {
                desk.say(board, None, &[1, 2, 3]);
            }
            if desk.book.look_on(&mut look, &desk.fan_out) {
                break;
            }
        }
        assert_eq!(desk.look(41, 1).count, 0, "said after {said_after} slices");
    }
}

/// Whoever asked for a look is gone before it has come to its end.
#[test]
fn what_a_look_found_that_was_given_up_is_told_by_the_next() {
    for slices in 0..5 {
        let mut desk = Desk::new();
        let board = desk.join(Filter::default());
        for id in 1..4 {
            desk.raise(id, u64::try_from(id).unwrap(), 0);
        }
        let mut look = desk.book.begin_look(BEGUN.plus_ns(40 * NS_PER_S)).in_slices_of(1);
        let mut is_told = false;
        for _ in 0..slices {
            is_told = desk.book.look_on(&mut look, &desk.fan_out);
        }
        assert_eq!(is_told, slices == 4, "a slice for each alarm, and one that finds no more");
        // Which was found already, in all but the first case.
        desk.say(board, None, &[1]);
        assert_eq!(desk.unseen(41), (2, 2, if is_told { 0 } else { 2 }), "{slices} slices");
        assert_eq!(desk.unseen(42), (2, 2, 0), "{slices} slices: told once");
    }
}

/// PATH-3: no slice looks at more than its share, though most of what was seen has ended at once.
#[test]
fn a_slice_takes_its_share_of_what_has_ended() {
    let mut desk = Desk::new();
    let board = desk.join(Filter::default());
    for id in 0..100 {
        desk.raise(id, u64::try_from(id).unwrap() + 1, 0);
    }
    desk.say(board, Some(100), &[]);
    assert_eq!(desk.look(1, 100).count, 0);
    for id in 0..99 {
        desk.clear(id, 200 + u64::try_from(id).unwrap());
    }
    let mut look = desk.book.begin_look(BEGUN.plus_ns(2 * NS_PER_S)).in_slices_of(10);
    let mut left = vec![desk.book.seen.len()];
    while !desk.book.look_on(&mut look, &desk.fan_out) {
        left.push(desk.book.seen.len());
    }
    assert_eq!(left, [100, 90, 80, 70, 60, 50, 40, 30, 20, 10, 1]);
}
