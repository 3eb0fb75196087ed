//! Whatever is heard: no panic, the same again, and one id for one episode.

use std::collections::BTreeSet;

use ach_actors_model::{
    AlarmAct, AlarmCause, AlarmId, AlarmKind, AlarmTransition, AlarmWish, BadgeRef, BandWish,
    Command, CommandKind, DoorRef, EntityRef, Escort, Lane, NS_PER_S, NodeTrouble, PassWish, Ping,
    Place, QuietKind, QuietScope, QuietWish, Remark, ReportKind, RuleRef, SourceRef, SubjectRef,
    TagRef, Timestamp, ZoneRef,
};
use ach_geo::{Floor, Position};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::door_words::check_words;
use super::hospital::{MONDAY, hospital, name};
use super::play::{Played, play, run};
use super::script::{DOORS, RTLS, Script, batch, report};
use super::wild_site::wild_site;
use crate::{Entry, Input};

fn wild<T>(rng: &mut ChaCha8Rng, tame: T, extremes: &[T]) -> T
where
    T: Copy,
{
    match rng.random_range(0..20) {
        0 => extremes[rng.random_range(0..extremes.len())],
        _ => tame,
    }
}

fn wild_ping(rng: &mut ChaCha8Rng, seq_offset: u32, now: Timestamp) -> Ping {
    let tag = TagRef(rng.random_range(0..8));
    let observed_at = now.0 - rng.random_range(0..3 * NS_PER_S);
    let (x_mm, y_mm) = (rng.random_range(0..25_000), rng.random_range(-12_000..30_000));
    let floor = [Some(Floor(0)), Some(Floor(0)), Some(Floor(100)), None][rng.random_range(0..4)];
    let position = Position {
        x_mm: wild(rng, x_mm, &[i32::MIN, i32::MAX, 0]),
        y_mm: wild(rng, y_mm, &[i32::MIN, i32::MAX, 0]),
        z_mm: [None, Some(0), Some(i32::MAX), Some(i32::MIN)][rng.random_range(0..4)],
        floor: wild(rng, floor, &[Some(Floor(i16::MIN)), Some(Floor(i16::MAX))]),
    };
    Ping {
        tag: wild(rng, tag, &[TagRef(8), TagRef(u32::MAX)]),
        seq_offset,
        observed_at: Timestamp(wild(rng, observed_at, &[0, u64::MAX, now.0 + NS_PER_S])),
        position,
        accuracy_mm: [0, 100, 5_000, u32::MAX][rng.random_range(0..4)],
        battery_percent: [None, Some(5), Some(50), Some(255)][rng.random_range(0..4)],
    }
}

fn wild_pings(rng: &mut ChaCha8Rng, seq: &mut u64, now: Timestamp) -> Input {
    let count = rng.random_range(1..40);
    let pings = (0..count).map(|offset| wild_ping(rng, offset, now)).collect();
    let mut batch = batch(1, *seq + 1, now, pings);
    *seq = batch.last_seq;
    match rng.random_range(0..12) {
        0 => batch.source = SourceRef(u32::MAX),
        1 => batch.epoch = rng.random_range(0..3),
        2 => batch.first_seq = wild(rng, 0, &[u64::MAX, 1]),
        3 => batch.last_seq = wild(rng, 0, &[u64::MAX, 1]),
        4 => batch.refused_count = u32::MAX,
        5 => batch.received_at = Timestamp(wild(rng, 0, &[u64::MAX])),
        _ => {}
    }
    Input::Pings(batch)
}

fn wild_report(rng: &mut ChaCha8Rng, seq: &mut u64, now: Timestamp) -> Input {
    *seq += rng.random_range(0..2);
    let tag = TagRef(rng.random_range(0..9));
    let door = DoorRef(rng.random_range(0..3));
    let anchor = ach_actors_model::AnchorRef(rng.random_range(0..2));
    let valid_ms = [0, 5_000, u32::MAX][rng.random_range(0..3)];
    let percent = [0, 20, 100, u8::MAX][rng.random_range(0..4)];
    let badges = [None, Some(BadgeRef(0)), Some(BadgeRef(u32::MAX))];
    let kind = match rng.random_range(0..20) {
        0 => ReportKind::ButtonPressed { tag },
        1 => ReportKind::ButtonReset { tag },
        2 => ReportKind::BandCut { tag },
        3 => ReportKind::BandWhole { tag },
        4 => ReportKind::DoorOpened { door },
        5 => ReportKind::DoorClosed { door },
        6 => ReportKind::DoorLocked { door },
        7 => ReportKind::AccessGranted { door, valid_ms, badge: badges[rng.random_range(0..3)] },
        8 => ReportKind::ExitRequested { door, valid_ms },
        9 => ReportKind::AnchorAlive { anchor },
        10 => ReportKind::DoorUnlocked { door },
        11 => ReportKind::DoorTampered { door },
        12 => ReportKind::DoorUntampered { door },
        13 => ReportKind::ReaderTampered { door },
        14 => ReportKind::ReaderUntampered { door },
        15 => ReportKind::DoorAlive { door },
        16 => ReportKind::DoorLost { door },
        17 => ReportKind::DoorBattery { door, percent },
        18 => ReportKind::MotionSeen { zone: ZoneRef(rng.random_range(0..3)) },
        _ => ReportKind::AnchorLost { anchor },
    };
    let (source, lane) = match kind {
        ReportKind::AnchorAlive { .. } | ReportKind::AnchorLost { .. } => (RTLS, Lane::Door),
        ReportKind::ButtonPressed { .. }
        | ReportKind::ButtonReset { .. }
        | ReportKind::BandCut { .. }
        | ReportKind::BandWhole { .. } => (RTLS, Lane::Duress),
        _ => (DOORS, Lane::Door),
    };
    let mut report = report(source, lane, 1, *seq, now, kind);
    let observed = now.0 - rng.random_range(0..2 * NS_PER_S);
    report.observed_at = Timestamp(wild(rng, observed, &[0, u64::MAX]));
    Input::Report(report)
}

fn wild_actor(rng: &mut ChaCha8Rng) -> EntityRef {
    let number = wild(rng, 0, &[1, 2, 6, u32::MAX]);
    match rng.random_range(0..5) {
        0 => EntityRef::Tag(TagRef(number)),
        1 => EntityRef::Subject(SubjectRef(number)),
        2 => EntityRef::Zone(ZoneRef(number)),
        3 => EntityRef::Door(DoorRef(number)),
        _ => EntityRef::Source(SourceRef(number)),
    }
}

/// Something is done with an alarm that is open, or with none.
fn wild_answer(rng: &mut ChaCha8Rng, script: &Script) -> CommandKind {
    let open = run(&script.entries, |_| {}).shard.open_alarms();
    let known = open.get(rng.random_range(0..=open.len())).map(|notice| notice.id);
    let for_ns = [0, 30 * NS_PER_S, 3_600 * NS_PER_S, u64::MAX][rng.random_range(0..4)];
    let act = match rng.random_range(0..12) {
        0..3 => AlarmAct::Acknowledge,
        3 => AlarmAct::Confirm,
        4 => AlarmAct::Assign { to: rng.random::<bool>().then(|| name("nurse")) },
        5 => AlarmAct::Comment,
        6..8 => AlarmAct::Shelve { for_ns },
        8 => AlarmAct::Unshelve,
        9 => AlarmAct::Reset,
        _ => AlarmAct::Close { cause: AlarmCause::Allowed },
    };
    let remark = rng.random::<bool>().then(|| Remark::new("as it is").expect("plain"));
    let alarm = known.unwrap_or(AlarmId(9));
    CommandKind::Act(AlarmWish { alarm, act, person: None, remark })
}

/// Something becomes quiet or loud.
fn wild_quiet(rng: &mut ChaCha8Rng) -> CommandKind {
    let number = wild(rng, 0, &[1, 2, 6, u32::MAX]);
    let scope = match rng.random_range(0..3) {
        0 => QuietScope::Place(Place::Zone(ZoneRef(number))),
        1 => QuietScope::Place(Place::Tag(TagRef(number))),
        _ => QuietScope::Rule(RuleRef(number)),
    };
    let kind = [QuietKind::Suppressed, QuietKind::OutOfService][rng.random_range(0..2)];
    let for_ns = [0, 60 * NS_PER_S, 3_600 * NS_PER_S, u64::MAX][rng.random_range(0..4)];
    CommandKind::Quiet(QuietWish { scope, kind, for_ns, person: None, remark: None })
}

/// Somebody is given leave, or it ends.
fn wild_pass(rng: &mut ChaCha8Rng) -> CommandKind {
    let subject = SubjectRef(rng.random_range(0..8));
    let spans = [None, Some(0), Some(5 * NS_PER_S), Some(60 * NS_PER_S), Some(u64::MAX)];
    let place_count = rng.random_range(0..3);
    let places = (0..place_count).map(|_| Place::Zone(ZoneRef(rng.random_range(0..6))));
    let places: Vec<Place> = places.collect();
    let escort = Escort {
        subject: SubjectRef(rng.random_range(0..8)),
        within_mm: [1_000, 100_000, 0][rng.random_range(0..3)],
        gap_ns: [NS_PER_S, 20 * NS_PER_S][rng.random_range(0..2)],
    };
    CommandKind::Pass(PassWish {
        subject,
        for_ns: spans[rng.random_range(0..spans.len())],
        places,
        is_until_back: rng.random(),
        escort: rng.random::<bool>().then_some(escort),
        person: None,
        reason: Some(Remark::new("as it is").expect("plain")),
    })
}

/// A band is said to be off, or on: mostly the one that is on the subject.
fn wild_band(rng: &mut ChaCha8Rng) -> CommandKind {
    let tag = rng.random_range(0..8);
    let subject = if rng.random_range(0..4) == 0 { rng.random_range(0..8) } else { tag };
    let spans = [None, Some(0), Some(5 * NS_PER_S), Some(60 * NS_PER_S), Some(u64::MAX)];
    CommandKind::Band(BandWish {
        subject: SubjectRef(subject),
        tag: TagRef(tag),
        for_ns: spans[rng.random_range(0..spans.len())],
        person: None,
        reason: Some(Remark::new("as it is").expect("plain")),
    })
}

/// A day in which anything is heard, sites change and the node comes and goes.
fn wild_day(seed: u64) -> Vec<Entry> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let config = wild_site(&mut rng);
    let mut script = Script::new(config);
    let (mut ping_seq, mut report_seq) = (0, 0);
    for _ in 0..120 {
        let pause = [0, 1, NS_PER_S / 3, 2 * NS_PER_S, 40 * NS_PER_S, 3_600 * NS_PER_S];
        let before = script.now();
        let now = before.plus_ns(pause[rng.random_range(0..pause.len())]);
        script.push(now, Input::Tick);
        for _ in 0..rng.random_range(1..4) {
            let input = match rng.random_range(0..31) {
                0..14 => wild_pings(&mut rng, &mut ping_seq, now),
                14..26 => wild_report(&mut rng, &mut report_seq, now),
                26 => Input::Resumed { away_since: before },
                30 => {
                    let (offset_ns, received_at) =
                        (rng.random_range(-1_000_000_000..1_000_000_000), now);
                    let source = SourceRef(wild(&mut rng, 0, &[1, 2, u32::MAX]));
                    Input::ClockCompared { source, offset_ns, received_at }
                }
                27 => Input::OpenEpoch { source: RTLS, epoch: 1 },
                28 => {
                    let actor = wild_actor(&mut rng);
                    let trouble = NodeTrouble::ALL[rng.random_range(0..NodeTrouble::ALL.len())];
                    let is_on = rng.random();
                    let kind = match rng.random_range(0..22) {
                        8..14 => wild_answer(&mut rng, &script),
                        14..16 => wild_quiet(&mut rng),
                        16..20 => wild_pass(&mut rng),
                        20.. => wild_band(&mut rng),
                        0..2 => CommandKind::QuarantineActor(actor),
                        2..4 => CommandKind::ReleaseActor(actor),
                        4 => CommandKind::BeginSelftest,
                        5 | 6 => CommandKind::NodeTrouble { trouble, is_on },
                        _ => CommandKind::EndSelftest,
                    };
                    let by = name(["operator", "another"][rng.random_range(0..2)]);
                    Input::Command(Command { by, kind })
                }
                _ => {
                    let edits = ["same", "no-wander", "wander-low", "broken"];
                    script.site_change(edits[rng.random_range(0..edits.len())])
                }
            };
            script.add(input);
        }
    }
    script.entries
}

#[test]
fn nothing_heard_makes_it_panic_and_every_day_replays() {
    let (mut called_count, mut said_count) = (0, 0);
    for seed in 0..6 {
        println!("seed {seed}");
        let entries = wild_day(seed);
        let played = play(&entries);
        check_lives(&played);
        said_count += check_words(&entries);
        called_count += played.notices().filter(|notice| notice.response.is_some()).count();
        assert!(played.notices().count() > 5, "a day without alarms shows nothing");
        assert!(played.shard.status().quarantined.len() <= 10, "only by hand");
        let failed = played.notices().filter(|notice| {
            let by_hand = matches!(notice.cause, ach_actors_model::Cause::SiteChange);
            notice.kind == AlarmKind::ActorQuarantined && !by_hand
        });
        assert_eq!(failed.count(), 0, "no actor failed by itself");
    }
    assert!(called_count > 0 && said_count > 20, "days without responses show nothing of them");
}

/// Every alarm is raised once, upheld at most once, and ended at most once, in this order.
fn check_lives(played: &Played) {
    let (mut open, mut upheld, mut ever) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let mut retained = BTreeSet::new();
    for notice in played.notices() {
        if notice.state.is_retained() {
            retained.insert(notice.id);
        } else {
            retained.remove(&notice.id);
        }
        match notice.transition {
            AlarmTransition::Raised => {
                assert!(ever.insert(notice.id), "one id is one episode: {notice:?}");
                open.insert(notice.id);
            }
            AlarmTransition::Upheld => {
                assert!(open.contains(&notice.id), "upheld while open: {notice:?}");
                assert!(upheld.insert(notice.id), "upheld once: {notice:?}");
            }
            AlarmTransition::Retracted | AlarmTransition::Cleared => {
                assert!(open.remove(&notice.id), "ended once: {notice:?}");
                assert!(notice.reason.is_some(), "ended with a reason: {notice:?}");
            }
            // What people do has no order; after the end it goes on as long as it is retained.
            _ => assert!(ever.contains(&notice.id), "done with what was raised: {notice:?}"),
        }
    }
    let told: BTreeSet<AlarmId> = played.shard.open_alarms().iter().map(|open| open.id).collect();
    assert_eq!(told, retained, "open alarms are those of which something is waited for");
    assert!(open.is_subset(&told), "and those whose condition holds are among them");
}

/// What a subscriber hears, whenever it is said: each change of each alarm, by kind.
fn heard(played: &Played) -> BTreeSet<(AlarmKind, AlarmId, AlarmTransition)> {
    played.notices().map(|notice| (notice.kind, notice.id, notice.transition)).collect()
}

/// Compares what was heard, and tells only what differs.
#[track_caller]
fn check_heard(entries: &[Entry], expected: &BTreeSet<(AlarmKind, AlarmId, AlarmTransition)>) {
    let actual = heard(&play(entries));
    let missing: Vec<_> = expected.difference(&actual).collect();
    let invented: Vec<_> = actual.difference(expected).collect();
    assert!(missing.is_empty() && invented.is_empty(), "missing {missing:?} invented {invented:?}");
}

/// People who walk about, in and out of everything, one ping a second each.
pub(super) fn walks(seed: u64) -> Vec<Input> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut places: Vec<(i32, i32)> = vec![(10_000, 500); 7];
    let mut inputs = vec![];
    for second in 1..60_u32 {
        let now = MONDAY.plus_ns(u64::from(second) * NS_PER_S);
        let mut pings = vec![];
        for (tag, place) in (0..).zip(&mut places) {
            place.0 = (place.0 + rng.random_range(-900..900)).clamp(500, 29_000);
            place.1 = (place.1 + rng.random_range(-900..900)).clamp(-14_000, 19_000);
            // Odd, so that nobody ever stands exactly on a wall.
            let (x_mm, y_mm) = (place.0 | 1, place.1 | 1);
            let position = Position { x_mm, y_mm, z_mm: None, floor: Some(Floor(0)) };
            let observed_at = now.plus_ns(u64::from(tag));
            pings.push(Ping {
                tag: TagRef(tag),
                seq_offset: tag,
                observed_at,
                position,
                accuracy_mm: 0,
                battery_percent: None,
            });
        }
        let first = u64::from(second - 1) * 7 + 1;
        inputs.push(Input::Pings(batch(1, first, now.plus_ns(7), pings)));
    }
    inputs
}

pub(super) fn entries_of(inputs: &[(Timestamp, Input)]) -> Vec<Entry> {
    let mut script = Script::new(hospital());
    for (at, input) in inputs {
        script.push(*at, input.clone());
    }
    script.entries
}

pub(super) fn at_own_time(inputs: &[Input]) -> Vec<(Timestamp, Input)> {
    let time = |input: &Input| match input {
        Input::Pings(batch) => batch.received_at,
        _ => MONDAY,
    };
    inputs.iter().map(|input| (time(input), input.clone())).collect()
}

#[test]
fn what_is_sent_again_changes_no_alarm() {
    for seed in 0..6 {
        println!("seed {seed}");
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let plain = at_own_time(&walks(seed));
        let expected = heard(&play(&entries_of(&plain)));
        assert!(!expected.is_empty(), "a walk without alarms shows nothing");
        let mut repeated = vec![];
        for (at, (time, input)) in plain.iter().enumerate() {
            repeated.push((*time, input.clone()));
            for _ in 0..rng.random_range(0..3) {
                let (_, again) = &plain[rng.random_range(0..=at)];
                repeated.push((*time, again.clone()));
            }
        }
        check_heard(&entries_of(&repeated), &expected);
    }
}

#[test]
fn a_source_that_begins_anew_and_sends_its_last_second_again_changes_no_alarm() {
    for seed in 0..6 {
        println!("seed {seed}");
        let inputs = walks(seed);
        let expected = heard(&play(&entries_of(&at_own_time(&inputs))));
        let mut renewed = vec![];
        for (epoch, (at, input)) in (2..).zip(at_own_time(&inputs)) {
            renewed.push((at, in_epoch(&input, epoch - 1)));
            renewed.push((at, Input::OpenEpoch { source: RTLS, epoch }));
            renewed.push((at, in_epoch(&input, epoch)));
            renewed.push((at, in_epoch(&input, epoch - 1)));
        }
        check_heard(&entries_of(&renewed), &expected);
    }
}

/// The same pings, numbered after those of the epoch's first second.
fn in_epoch(input: &Input, epoch: u32) -> Input {
    let Input::Pings(batch) = input else { panic!("only pings") };
    let mut batch = batch.clone();
    (batch.epoch, batch.last_seq) = (epoch, batch.last_seq - batch.first_seq + 8);
    batch.first_seq = 8;
    Input::Pings(batch)
}

#[test]
fn how_inputs_are_cut_into_batches_and_entries_changes_no_alarm() {
    for seed in 0..6 {
        println!("seed {seed}");
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let inputs = walks(seed);
        let expected = heard(&play(&entries_of(&at_own_time(&inputs))));
        let mut cut = vec![];
        for input in &inputs {
            let Input::Pings(whole) = input else { continue };
            let (mut rest, mut first_seq) = (whole.pings.as_slice(), whole.first_seq);
            while !rest.is_empty() {
                let (part, more) = rest.split_at(rng.random_range(1..=rest.len()));
                let mut part = part.to_vec();
                for (ping, offset) in part.iter_mut().zip(0..) {
                    ping.seq_offset = offset;
                }
                let part = batch(1, first_seq, whole.received_at, part);
                first_seq = part.last_seq + 1;
                cut.push((whole.received_at, Input::Pings(part)));
                rest = more;
            }
        }
        check_heard(&entries_of(&cut), &expected);
    }
}
