//! What becomes of sequence numbers, epochs and foreign tags, and that every input is counted.

use ach_actors_entities::{Accepted, Effect};
use ach_actors_model::{Lane, Ping, PingBatch, ReportKind, SourceRef, TagRef, Timestamp};
use ach_geo::{Floor, Position};

use super::hospital::{MONDAY, hospital};
use super::play::{Played, play};
use super::script::{DOORS, RTLS, Script, batch, report};
use crate::{Input, LaneState, SEQUENCE_WINDOW};

/// Seconds after the story begins.
fn at(second: u64) -> Timestamp {
    MONDAY.plus_ns(second * ach_actors_model::NS_PER_S)
}

/// Tag `tag` at a place that is its own at each second, so that no two pings are alike.
fn ping(tag: u32, seq_offset: u32, second: u64) -> Ping {
    let x_mm = 2_000 + i32::try_from(second).expect("a short story");
    let position = Position { x_mm, y_mm: 5_000, z_mm: None, floor: Some(Floor(0)) };
    Ping {
        tag: TagRef(tag),
        seq_offset,
        observed_at: at(second),
        position,
        accuracy_mm: 0,
        battery_percent: None,
    }
}

/// Pings of consecutive tags, numbered from `first_seq`, at one second.
fn pings(epoch: u32, first_seq: u64, tags: &[u32], second: u64) -> PingBatch {
    let pings = tags.iter().zip(0..).map(|(&tag, offset)| ping(tag, offset, second)).collect();
    batch(epoch, first_seq, at(second), pings)
}

fn run(inputs: Vec<(u64, Vec<Input>)>) -> Played {
    let mut script = Script::new(hospital());
    for (second, inputs) in inputs {
        script.push(at(second), Input::Tick);
        for input in inputs {
            script.add(input);
        }
    }
    play(&script.entries)
}

/// `lane epoch through: accepted duplicate late refused conflated` of every `Accepted`.
fn counts(played: &Played) -> Vec<String> {
    let all = played.effects.iter().flatten();
    all.filter_map(|effect| match effect {
        Effect::Accepted(accepted) => {
            let Accepted { lane, epoch, through_seq, .. } = accepted;
            let verdicts = [
                accepted.accepted_count,
                accepted.duplicate_count,
                accepted.late_count,
                accepted.refused_count,
                accepted.conflated_count,
            ];
            Some(format!("{lane:?} {epoch} {through_seq}: {verdicts:?}"))
        }
        _ => None,
    })
    .collect()
}

#[track_caller]
fn check(inputs: Vec<(u64, Vec<Input>)>, expected: &[&str]) {
    assert_eq!(counts(&run(inputs)), expected);
}

#[test]
fn numbers_seen_before_are_duplicates_whole_or_in_part() {
    check(
        vec![
            (1, vec![Input::Pings(pings(1, 1, &[0, 1, 2], 1))]),
            (2, vec![Input::Pings(pings(1, 1, &[0, 1, 2], 1))]),
            (3, vec![Input::Pings(pings(1, 2, &[1, 2, 3, 4], 3))]),
            (4, vec![Input::Pings(pings(1, 10, &[0], 4))]),
            (5, vec![Input::Pings(pings(1, 7, &[1], 5))]),
        ],
        &[
            "Ping 1 3: [3, 0, 0, 0, 0]",
            "Ping 1 3: [0, 3, 0, 0, 0]",
            "Ping 1 5: [2, 2, 0, 0, 0]",
            "Ping 1 10: [1, 0, 0, 0, 0]",
            "Ping 1 10: [0, 1, 0, 0, 0]",
        ],
    );
}

#[test]
fn a_jump_beyond_the_window_is_refused_and_moves_nothing() {
    check(
        vec![
            (1, vec![Input::Pings(pings(1, SEQUENCE_WINDOW + 1, &[0], 1))]),
            (2, vec![Input::Pings(pings(1, u64::MAX, &[0], 2))]),
            (3, vec![Input::Pings(pings(1, 1, &[0], 3))]),
            (4, vec![Input::Pings(pings(1, SEQUENCE_WINDOW + 1, &[0], 4))]),
        ],
        &[
            "Ping 1 0: [0, 0, 0, 1, 0]",
            "Ping 1 0: [0, 0, 0, 1, 0]",
            "Ping 1 1: [1, 0, 0, 0, 0]",
            "Ping 1 1048577: [1, 0, 0, 0, 0]",
        ],
    );
}

#[test]
fn what_was_refused_or_conflated_before_is_counted_and_repeats_are_not_counted_twice() {
    let mut sparse = pings(1, 1, &[0, 1], 1);
    sparse.last_seq = 10;
    sparse.pings[1].seq_offset = 7;
    (sparse.refused_count, sparse.conflated_count) = (3, 5);
    let mut again = sparse.clone();
    (again.first_seq, again.last_seq) = (6, 15);
    check(
        vec![(1, vec![Input::Pings(sparse)]), (2, vec![Input::Pings(again)])],
        // The second stands for 6 to 15: five repeated numbers, of which one has a ping (6).
        &["Ping 1 10: [2, 0, 0, 3, 5]", "Ping 1 15: [0, 6, 0, 0, 4]"],
    );
}

#[test]
fn a_batch_that_is_not_what_it_says_is_refused() {
    let good = pings(1, 1, &[0, 1, 2], 1);
    let mut too_long = good.clone();
    too_long.last_seq = 9;
    let mut backwards = good.clone();
    backwards.pings.swap(0, 1);
    let mut beyond = good.clone();
    beyond.pings[2].seq_offset = 3;
    let mut reversed = good.clone();
    (reversed.first_seq, reversed.last_seq) = (9, 3);
    let mut endless = good;
    endless.last_seq = u64::MAX;
    check(
        vec![
            (1, vec![Input::Pings(too_long)]),
            (2, vec![Input::Pings(backwards)]),
            (3, vec![Input::Pings(beyond)]),
            (4, vec![Input::Pings(reversed)]),
            (5, vec![Input::Pings(endless)]),
        ],
        &[
            "Ping 1 0: [0, 0, 0, 9, 0]",
            "Ping 1 0: [0, 0, 0, 3, 0]",
            "Ping 1 0: [0, 0, 0, 3, 0]",
            "Ping 1 0: [0, 0, 0, 1, 0]",
            "Ping 1 0: [0, 0, 0, 4294967295, 0]",
        ],
    );
}

#[test]
fn unknown_and_foreign_tags_and_doors_are_refused() {
    let foreign = |kind| Input::Report(report(RTLS, Lane::Door, 1, 1, at(2), kind));
    let mut of_doors = pings(1, 1, &[0], 3);
    of_doors.source = DOORS;
    let unknown = ReportKind::ButtonPressed { tag: TagRef(99) };
    check(
        vec![
            (1, vec![Input::Pings(pings(1, 1, &[0, 99, u32::MAX], 1))]),
            (2, vec![foreign(ReportKind::DoorOpened { door: ach_actors_model::DoorRef(0) })]),
            (3, vec![Input::Pings(of_doors)]),
            (4, vec![Input::Report(report(RTLS, Lane::Duress, 1, 1, at(4), unknown))]),
        ],
        &[
            "Ping 1 3: [1, 0, 0, 2, 0]",
            "Door 1 1: [0, 0, 0, 1, 0]",
            "Ping 1 1: [0, 0, 0, 1, 0]",
            "Duress 1 1: [0, 0, 0, 1, 0]",
        ],
    );
}

#[test]
fn a_report_on_the_wrong_lane_or_of_an_unknown_source_is_refused() {
    let press = ReportKind::ButtonPressed { tag: TagRef(3) };
    let on = |source, lane, seq| Input::Report(report(source, lane, 1, seq, at(1), press));
    check(
        vec![
            (1, vec![on(RTLS, Lane::Door, 1), on(RTLS, Lane::Ping, 1), on(RTLS, Lane::Audit, 1)]),
            (2, vec![on(SourceRef(9), Lane::Duress, 1)]),
            (3, vec![on(RTLS, Lane::Duress, 1), on(RTLS, Lane::Duress, 1)]),
        ],
        &[
            "Door 1 0: [0, 0, 0, 1, 0]",
            "Audit 1 0: [0, 0, 0, 1, 0]",
            "Ping 1 0: [0, 0, 0, 1, 0]",
            "Duress 1 0: [0, 0, 0, 1, 0]",
            "Duress 1 1: [1, 1, 0, 0, 0]",
        ],
    );
}

#[test]
fn another_epoch_is_refused_and_a_new_one_counts_from_one() {
    let open = |epoch| Input::OpenEpoch { source: RTLS, epoch };
    let played = run(vec![
        (1, vec![Input::Pings(pings(1, 1, &[0, 1], 1))]),
        (2, vec![Input::Pings(pings(2, 1, &[0, 1], 2))]),
        (3, vec![open(1), open(0), open(5), open(4)]),
        (4, vec![Input::Pings(pings(1, 3, &[0], 4)), Input::Pings(pings(5, 1, &[1], 4))]),
    ]);
    assert_eq!(
        counts(&played),
        [
            "Ping 1 2: [2, 0, 0, 0, 0]",
            "Ping 2 0: [0, 0, 0, 2, 0]",
            "Ping 1 0: [0, 0, 0, 1, 0]",
            "Ping 5 1: [1, 0, 0, 0, 0]",
        ]
    );
    let opened = |effects: &[Effect]| {
        effects.iter().filter(|effect| matches!(effect, Effect::EpochOpened { .. })).count()
    };
    assert_eq!(opened(&played.effects[3]), 1, "only a greater epoch is opened");
    let state = played.shard.lane_state(RTLS, Lane::Ping);
    assert_eq!(state, LaneState { epoch: 5, accepted_through: 1 });
}

#[test]
fn a_source_that_forgot_its_numbers_is_deduplicated_by_content() {
    check(
        vec![
            (1, vec![Input::Pings(pings(1, 1, &[0, 1, 2], 1))]),
            (2, vec![Input::OpenEpoch { source: RTLS, epoch: 2 }]),
            (3, vec![Input::Pings(pings(2, 1, &[0, 1, 2], 1))]),
        ],
        &["Ping 1 3: [3, 0, 0, 0, 0]", "Ping 2 3: [0, 3, 0, 0, 0]"],
    );
}

#[test]
fn an_older_ping_is_late_and_moves_nothing_back() {
    let played = run(vec![
        (5, vec![Input::Pings(pings(1, 1, &[0], 5))]),
        (6, vec![Input::Pings(pings(1, 2, &[0], 3))]),
    ]);
    assert_eq!(counts(&played), ["Ping 1 1: [1, 0, 0, 0, 0]", "Ping 1 2: [0, 0, 1, 0, 0]"]);
    assert_eq!(played.shard.fix(TagRef(0)).expect("a fix").observed_at, at(5));
}

#[test]
fn a_time_in_the_future_is_now() {
    let mut early = pings(1, 1, &[0], 500);
    early.received_at = at(900);
    let played =
        run(vec![(5, vec![Input::Pings(early)]), (6, vec![Input::Pings(pings(1, 2, &[0], 6))])]);
    assert_eq!(counts(&played), ["Ping 1 1: [1, 0, 0, 0, 0]", "Ping 1 2: [1, 0, 0, 0, 0]"]);
    let fix = played.shard.fix(TagRef(0)).expect("a fix");
    assert_eq!((fix.observed_at, fix.received_at), (at(6), at(6)));
}

#[test]
fn nothing_is_decided_before_there_is_a_site() {
    let mut script = Script::new(hospital());
    script.entries.clear();
    script.push(at(0), Input::OpenEpoch { source: RTLS, epoch: 1 });
    script.add(Input::Pings(pings(1, 1, &[0, 1], 0)));
    let press = ReportKind::ButtonPressed { tag: TagRef(3) };
    script.add(Input::Report(report(RTLS, Lane::Duress, 1, 1, at(0), press)));
    script.push(at(1), Input::Tick);
    for entry in &mut script.entries {
        entry.site_version = 0;
    }
    let played = play(&script.entries);
    assert_eq!(counts(&played), ["Duress 1 0: [0, 0, 0, 1, 0]", "Ping 1 0: [0, 0, 0, 2, 0]"]);
    assert_eq!(played.effects.iter().map(Vec::len).sum::<usize>(), 2);
}

#[test]
fn counts_add_up_to_the_numbers_a_source_has_sent() {
    let played = run(vec![
        (1, vec![Input::Pings(pings(1, 1, &[0, 1, 99], 1))]),
        (2, vec![Input::Pings(pings(1, 2, &[1, 99, 0, 0], 2))]),
        (3, vec![Input::Pings(pings(7, 2, &[1, 99], 2))]),
    ]);
    let status = played.shard.status();
    assert_eq!(status.pings.sum(), 3 + 4 + 2);
    assert_eq!(status.entry_index, 4);
}
