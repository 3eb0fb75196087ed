//! The book against what a receiver may rely on.

mod life;

use ach_actors_model::{AlarmKind, AlarmPriority, AlarmReason, AlarmState, Timestamp};
use ach_engine_wire::{Code, ProvisionalReason, Thing, WireCause};

use super::*;

const PROVISIONAL: Storage = Storage::Provisional(ProvisionalReason::None);

fn at(index: u64) -> Option<Cursor> {
    (index > 0).then_some(Cursor { shard: 0, index, ordinal: 0 })
}

/// The state of an alarm that holds and nobody has looked at.
const OPEN: AlarmState = AlarmState(AlarmState::ACTIVE.0 | AlarmState::RETAINED.0);

/// A note; `index` 0 makes it provisional.
fn note(id: u128, transition: AlarmTransition, index: u64, is_resent: bool) -> Frame {
    let is_end = matches!(transition, AlarmTransition::Retracted | AlarmTransition::Cleared);
    Frame::AlarmNote(AlarmNote {
        id: AlarmId(id),
        transition,
        reason: (transition == AlarmTransition::Cleared).then_some(AlarmReason::ConditionEnded),
        kind: AlarmKind::Elopement,
        priority: AlarmPriority::High,
        rule: None,
        site_version: 1,
        episode: 1,
        subject: None,
        tag: None,
        place: Thing::Site,
        is_tentative: false,
        is_late: false,
        is_drill: false,
        cause: WireCause::SiteChange,
        observed_at: Timestamp(1),
        received_at: Timestamp(2),
        changed_at: Timestamp(3),
        position: None,
        accuracy_mm: 0,
        gates_passed: 0,
        storage: if index == 0 { PROVISIONAL } else { Storage::Durable },
        cursor: at(index),
        fencing_epoch: 1,
        is_resent,
        state: if is_end { AlarmState::default() } else { OPEN },
        life: None,
        incident: None,
        door: None,
        response: None,
    })
}

fn raised(id: u128, index: u64) -> Frame {
    note(id, AlarmTransition::Raised, index, false)
}

fn upheld(id: u128, index: u64) -> Frame {
    note(id, AlarmTransition::Upheld, index, false)
}

fn cleared(id: u128, index: u64) -> Frame {
    note(id, AlarmTransition::Cleared, index, false)
}

fn open(id: u128, index: u64) -> Frame {
    note(id, AlarmTransition::Raised, index, true)
}

fn settled(id: u128, storage: Storage, index: u64) -> Frame {
    Frame::AlarmSettled(AlarmSettled {
        id: AlarmId(id),
        transition: AlarmTransition::Raised,
        storage,
        cursor: at(index),
        fencing_epoch: 1,
    })
}

fn end(open_count: u32, index: u64) -> Frame {
    Frame::OpenSetEnd(OpenSetEnd { open_count, cursor: at(index) })
}

fn gap(code: Code) -> Frame {
    Frame::Gap(Gap { code, missed_count: None, cursor: None })
}

fn word(update: &AlarmUpdate) -> String {
    match update {
        AlarmUpdate::Note(note) => format!("{} {:?}", note.id.0, note.transition),
        AlarmUpdate::Durable { id, transition, .. } => format!("{} {transition:?} durable", id.0),
        AlarmUpdate::Withdrawn { id, transition } => format!("{} {transition:?} withdrawn", id.0),
        AlarmUpdate::StillProvisional { id, transition, reason } => {
            format!("{} {transition:?} still provisional: {reason:?}", id.0)
        }
        AlarmUpdate::Gone { id } => format!("{} gone", id.0),
        AlarmUpdate::Unreadable(error) => format!("unreadable: {error}"),
        AlarmUpdate::Gap(gap) => format!("gap {}", gap.code.value()),
        AlarmUpdate::OpenSetComplete { open_count } => format!("{open_count} open"),
        AlarmUpdate::EchoReply { nonce } => format!("echo {nonce}"),
        AlarmUpdate::Disconnected => "disconnected".to_owned(),
    }
}

/// Streams of frames, one for each connection, and the news they make.
#[track_caller]
fn check(streams: Vec<Vec<Frame>>, expected: &[&str]) {
    assert_eq!(news(streams), expected);
}

fn news(streams: Vec<Vec<Frame>>) -> Vec<String> {
    let mut book = AlarmBook::new();
    let mut news = Vec::new();
    for stream in streams {
        book.begin();
        for frame in stream {
            news.extend(book.take(frame).iter().map(word));
        }
    }
    news
}

#[test]
fn an_alarm_is_told_at_once_and_again_when_it_is_durable() {
    check(
        vec![vec![end(0, 0), raised(1, 0), settled(1, Storage::Durable, 5), cleared(1, 6)]],
        &["0 open", "1 Raised", "1 Raised durable", "1 Cleared"],
    );
}

#[test]
fn what_is_known_is_not_told_again() {
    check(
        vec![
            vec![end(0, 0), raised(1, 0), raised(1, 0), settled(1, Storage::Durable, 5)],
            vec![open(1, 5), end(1, 5), settled(1, Storage::Durable, 5), raised(1, 5)],
        ],
        &["0 open", "1 Raised", "1 Raised durable", "1 open"],
    );
}

#[test]
fn a_provisional_alarm_that_is_sent_again_as_open_lives_on() {
    check(
        vec![
            vec![end(0, 0), raised(1, 0), raised(2, 0)],
            vec![open(1, 0), open(2, 7), end(2, 7), settled(1, Storage::Durable, 8)],
        ],
        &["0 open", "1 Raised", "2 Raised", "2 Raised durable", "2 open", "1 Raised durable"],
    );
}

#[test]
fn a_provisional_alarm_that_is_gone_is_withdrawn_at_the_mark() {
    check(
        vec![vec![end(0, 1), raised(1, 0), raised(2, 0)], vec![open(2, 0), end(1, 1)]],
        &["0 open", "1 Raised", "2 Raised", "1 Raised withdrawn", "1 open"],
    );
}

#[test]
fn whether_a_provisional_alarm_was_withdrawn_is_not_said_when_not_all_was_told() {
    // It may have become durable, and ended: among the notes that were left out, among those that a
    // node no longer has, or before a stream that had nothing to resume after.
    let gaps = [
        vec![vec![end(0, 1), raised(1, 0), gap(Code::TooSlow), end(0, 9), end(0, 9)]],
        vec![
            vec![end(0, 1), raised(1, 0)],
            vec![gap(Code::CursorOutOfRange), end(0, 9), end(0, 9)],
        ],
        vec![vec![end(0, 0), raised(1, 0)], vec![end(0, 9), end(0, 9)]],
    ];
    for streams in gaps {
        let news = news(streams);
        let rest = ["1 gone", "0 open", "0 open"];
        assert!(news.starts_with(&["0 open".to_owned(), "1 Raised".to_owned()]), "{news:?}");
        assert!(news.ends_with(&rest.map(str::to_owned)), "{news:?}");
        assert!(!news.iter().any(|word| word.contains("withdrawn")), "{news:?}");
    }
}

#[test]
fn what_is_not_told_of_an_alarm_that_is_still_open_is_withdrawn_over_a_gap_too() {
    let first = vec![end(0, 1), raised(1, 3), cleared(1, 0), gap(Code::TooSlow)];
    let again = vec![open(1, 3), end(1, 9)];
    check(
        vec![[first, again].concat()],
        &["0 open", "1 Raised", "1 Cleared", "gap 82", "1 Cleared withdrawn", "1 open"],
    );
}

#[test]
fn one_that_became_durable_and_ended_meanwhile_is_not_withdrawn() {
    let news = &["0 open", "1 Raised", "1 Raised durable", "1 Cleared", "0 open"];
    check(vec![vec![end(0, 0), raised(1, 0)], vec![raised(1, 5), cleared(1, 6), end(0, 6)]], news);
    // The same when it happens while the open set is being written: it is told before the mark.
    let settled = settled(1, Storage::Durable, 5);
    let second = vec![open(2, 3), settled, cleared(1, 6), end(1, 6)];
    let news = &["0 open", "1 Raised", "2 Raised", "1 Raised durable", "1 Cleared", "1 open"];
    check(vec![vec![end(0, 0), raised(1, 0)], second], news);
}

#[test]
fn one_that_was_gone_and_is_told_as_open_again_is_news() {
    let streams = vec![
        vec![end(0, 0), raised(1, 5)],
        // A node that has lost its journal.
        vec![end(0, 0)],
        // The same with a backup put back.
        vec![open(1, 5), end(1, 5), cleared(1, 7)],
        vec![open(1, 5), end(1, 7)],
    ];
    let news =
        ["0 open", "1 Raised", "1 gone", "0 open", "1 Raised", "1 open", "1 Cleared", "1 open"];
    check(streams, &news);
}

#[test]
fn an_open_alarm_whose_end_was_left_out_is_said_to_be_gone_once() {
    // The node no longer remembers what was missed.
    let second = vec![gap(Code::CursorOutOfRange), open(2, 4), end(1, 9)];
    let news = &["0 open", "1 Raised", "2 Raised", "gap 81", "1 gone", "1 open", "1 open"];
    let first = vec![end(0, 0), raised(1, 3), raised(2, 4)];
    check(vec![first, second, vec![open(2, 4), end(1, 9)]], news);
    // The receiver read too slowly.
    let slow = vec![end(0, 0), raised(1, 3), gap(Code::TooSlow), end(0, 9), end(0, 9)];
    check(vec![slow], &["0 open", "1 Raised", "gap 82", "1 gone", "0 open", "0 open"]);
    // What has ended is not open, so it is not missed.
    let ended = vec![end(0, 0), raised(1, 3), cleared(1, 4)];
    let news = &["0 open", "1 Raised", "1 Cleared", "0 open"];
    check(vec![ended, vec![end(0, 4)]], news);
}

#[test]
fn an_alarm_that_will_not_be_stored_after_all_is_told_once() {
    let Frame::AlarmNote(note) = raised(1, 0) else { unreachable!() };
    let storage = Storage::Provisional(ProvisionalReason::NoDisk);
    let unstored = || Frame::AlarmNote(AlarmNote { storage, ..note.clone() });
    check(
        vec![vec![end(0, 0), raised(1, 0), unstored(), unstored()], vec![unstored(), end(1, 0)]],
        &["0 open", "1 Raised", "1 Raised still provisional: NoDisk", "1 open"],
    );
}

#[test]
fn a_later_change_bears_out_the_earlier_ones() {
    check(
        vec![vec![end(0, 0), raised(1, 0), upheld(1, 0)], vec![upheld(1, 9), end(1, 9)]],
        &["0 open", "1 Raised", "1 Upheld", "1 Upheld durable", "1 Raised durable", "1 open"],
    );
    check(
        vec![
            vec![end(0, 0), raised(1, 0), upheld(1, 0)],
            vec![note(1, AlarmTransition::Upheld, 0, true), end(1, 0)],
        ],
        &["0 open", "1 Raised", "1 Upheld", "1 open"],
    );
}

#[test]
fn a_node_can_say_that_an_alarm_is_withdrawn() {
    check(
        vec![vec![raised(1, 0), settled(1, Storage::Withdrawn, 0), raised(1, 0)]],
        &["1 Raised", "1 Raised withdrawn", "1 Raised"],
    );
    check(
        vec![vec![raised(1, 4), settled(1, Storage::Withdrawn, 0), settled(9, PROVISIONAL, 0)]],
        &["1 Raised"],
    );
}

#[test]
fn a_gap_is_told_and_the_set_after_it_counts_as_new() {
    check(
        vec![vec![end(0, 0), raised(1, 0), gap(Code::TooSlow), open(2, 0), end(1, 0)]],
        &["0 open", "1 Raised", "gap 82", "2 Raised", "1 gone", "1 open"],
    );
}

/// The open set comes by id. Were its notes to move the cursor, a stream that breaks within the set
/// would hide what became durable between them.
#[test]
fn the_cursor_follows_news_and_the_mark_and_not_the_open_set() {
    let mut book = AlarmBook::new();
    book.begin();
    for (frame, cursor) in [
        (open(3, 8), None),
        (end(1, 3), at(3)),
        (raised(1, 0), at(3)),
        (raised(2, 7), at(7)),
        (settled(1, Storage::Durable, 9), at(9)),
        (open(3, 12), at(9)),
        (settled(77, Storage::Durable, 10), at(10)),
        (raised(2, 7), at(10)),
    ] {
        book.take(frame);
        assert_eq!(book.cursor(), cursor);
    }
}

#[test]
fn ended_episodes_are_forgotten_in_the_end() {
    let mut book = AlarmBook::new();
    book.begin();
    for id in 0..70_000 {
        book.take(raised(id, 2 * u64::try_from(id).unwrap() + 1));
        book.take(cleared(id, 2 * u64::try_from(id).unwrap() + 2));
    }
    for id in 69_000..70_000 {
        // Told again, it stands in the list once all the same.
        book.take(cleared(id, 2 * u64::try_from(id).unwrap() + 2));
    }
    assert_eq!(book.episodes.len(), ENDED_REMEMBERED);
    assert_eq!(book.ended.len(), ENDED_REMEMBERED);
}

/// A node that was restored from a backup is behind what the receiver had. Notes that follow lie below
/// the cursor, which must not stay above them.
#[test]
fn a_cursor_that_the_node_refuses_is_forgotten_until_the_mark() {
    let mut book = AlarmBook::resumed_after(at(1_000));
    book.begin();
    book.take(gap(Code::CursorOutOfRange));
    assert_eq!(book.cursor(), None);
    book.take(end(0, 900));
    assert_eq!(book.cursor(), at(900));
    book.take(raised(1, 950));
    assert_eq!(book.cursor(), at(950));
}

#[test]
fn a_mark_after_a_note_that_could_not_be_read_takes_no_alarm_off() {
    let mut book = AlarmBook::new();
    book.begin();
    book.take(end(0, 1));
    book.take(raised(1, 2));
    book.take(raised(2, 0));
    book.begin();
    book.skip();
    let news: Vec<String> = book.take(end(1, 2)).iter().map(word).collect();
    assert_eq!(news, ["1 open"]);
    // The next mark that follows notes which all were read does.
    book.begin();
    let news: Vec<String> = book.take(end(0, 2)).iter().map(word).collect();
    assert_eq!(news, ["1 gone", "2 Raised withdrawn", "0 open"]);
}
