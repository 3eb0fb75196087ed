//! Planted walks: what each judge makes of a truth and of pings that a table tells.

use std::sync::Arc;

use ach_actors_model::{
    AlarmKind, AlarmPriority, AnswerConfig, Condition, NS_PER_S, Name, RuleConfig, SiteConfig,
    SourceConfig, SpeedLimit, SubjectClass, SubjectConfig, TagConfig, TagId, Timestamp, UtcOffset,
    Who, ZoneConfig,
};
use ach_geo::{Confirm, Floor, Gates, Outline, Position};

use crate::chance::Chance;
use crate::ground::{Ground, Side};
use crate::matching::{Report, matched};
use crate::omlox::{FenceJudge, OmloxFence};
use crate::product::{Product, Saying, Seen, Word};
use crate::round::BEGIN;
use crate::stay::{StayLog, second_ns};

/// The gates that the sample hospital has for leaving.
fn exit_gates() -> Gates {
    Gates {
        entry_margin_mm: 300,
        exit_tolerance_mm: 700,
        confirm: Confirm { needed: 2, of: 3 },
        ..Gates::default()
    }
}

/// A ward west of 0, and one patient who must not leave it.
fn ward() -> SiteConfig {
    let name = |text: &str| Name::new(text).unwrap();
    let outer_mm = vec![(-20_000, -9_000), (0, -9_000), (0, 9_000), (-20_000, 9_000)];
    let ward = ZoneConfig {
        id: name("ward"),
        labels: vec![],
        floor: Some(Floor(0)),
        outline: Outline::Polygon { outer_mm, holes_mm: vec![] },
        height: None,
        capacity: None,
        motion_source: None,
        gates: Gates { tolerance_timeout_ns: Some(20 * NS_PER_S), ..exit_gates() },
    };
    let leaving = RuleConfig {
        id: name("leaving"),
        who: Who::default(),
        when: vec![],
        condition: Condition::Leaves { zones: vec![0], lines: vec![] },
        alarm: AlarmKind::Elopement,
        priority: AlarmPriority::High,
        gates: Some(exit_gates()),
        is_tentative: true,
        answer: AnswerConfig::default(),
    };
    SiteConfig {
        site: name("planted"),
        version: 1,
        utc_offsets: vec![UtcOffset { from: Timestamp(0), offset_s: 0 }],
        speed_limits: vec![SpeedLimit { class: SubjectClass::Patient, mm_per_s: 3_000 }],
        sources: vec![SourceConfig { id: name("rtls"), silence_ns: None, zones: vec![] }],
        anchors: vec![],
        zones: vec![ward],
        doors: vec![],
        lines: vec![],
        subjects: vec![SubjectConfig {
            id: name("patient"),
            class: SubjectClass::Patient,
            labels: vec![],
        }],
        tags: vec![TagConfig { id: TagId(1), source: 0, subject: Some(0) }],
        rules: vec![leaving],
        largest_gap_ns: 2 * NS_PER_S,
        holidays: Vec::new(),
        badges: Vec::new(),
    }
}

/// What one second of a walk was: where he was, and where he was heard, if at all.
fn seconds(told: &str) -> Vec<(i32, Option<i32>)> {
    let decimetres = |word: &str| word.parse::<i32>().unwrap() * 100;
    let second = |word: &str| match word.split_once('>') {
        Some((truth, "-")) => (decimetres(truth), None),
        Some((truth, heard)) => (decimetres(truth), Some(decimetres(heard))),
        None => (decimetres(word), Some(decimetres(word))),
    };
    told.split_whitespace().map(second).collect()
}

/// False transitions of a walk, and delays in pings of what was found, by judge: the plain test, omlox, the
/// zone's gates, the rule in the end, and the rule's first words.
///
/// Told in decimetres east of the ward's wall, one a second: `5` where he is and is heard, `-5>30` where he is and
/// is heard elsewhere, `-5>-` where he is not heard. Ten seconds a metre inside come before, thirty
/// where the walk ends after.
#[track_caller]
fn check(told: &str, expected: [&str; 5]) {
    let config = ward();
    let zone = &config.zones[0];
    let ground: Arc<Ground> = Ground::new(zone, &[], Floor(0), &mut Chance::new(1, 1)).unwrap();
    let mut walk = vec![(-1_000, Some(-1_000)); 10];
    walk.extend(seconds(told));
    let last = walk.last().copied().unwrap();
    walk.extend([(last.0, Some(last.0)); 30]);
    let (mut truth, mut heard, mut words) = (StayLog::default(), 0, vec![]);
    let mut product = Product::new(&config, BEGIN).unwrap();
    let fences = [OmloxFence::PLAIN, OmloxFence::USUAL];
    let mut judges = fences.map(FenceJudge::new);
    let mut reports: [Vec<Report>; 3] = Default::default();
    let mut note = |words: &mut Vec<Word>, pings_before: u32| {
        for word in words.drain(..) {
            let report = Report { side: word.side, at_ns: word.at.since_ns(BEGIN), pings_before };
            match word.saying {
                Saying::Zone => reports[0].push(report),
                Saying::Tentative { .. } => reports[2].push(report),
                Saying::Rule { had_word, .. } => {
                    reports[1].push(report);
                    if report.side == Side::Out && !had_word {
                        reports[2].push(report);
                    }
                }
            }
        }
    };
    let mut second = 0;
    for (x_mm, seen_mm) in walk {
        let (at_ns, now) = (second_ns(second), BEGIN.plus_ns(second_ns(second)));
        product.wake_up(now, &mut words);
        note(&mut words, heard);
        truth.note(at_ns, (x_mm, 0), &ground, heard);
        if let Some(x_mm) = seen_mm {
            let position = Position { x_mm, y_mm: 0, z_mm: None, floor: Some(Floor(0)) };
            for judge in &mut judges {
                judge.hear(at_ns, (x_mm, 0), ground.region());
            }
            product.hear(now, &[Seen { tag: 0, position, accuracy_mm: 300 }], &mut words);
            note(&mut words, heard);
            heard += 1;
        }
        second += 1;
    }
    let stays = truth.finish(second_ns(second), 0);
    let [zone, last_words, first_words] = reports;
    let [plain, omlox] = judges.map(|judge| judge.finish(second_ns(second)));
    let found = [plain, omlox, zone, last_words, first_words].map(|reports| {
        let marks = matched(&stays, &reports);
        let delays = marks.found.iter().map(|found| match found {
            Some(delay) => format!(" {}", delay.pings),
            None => " missed".to_owned(),
        });
        format!("{} false{}", marks.false_count, delays.collect::<String>())
    });
    assert_eq!(found, expected, "{told}");
}

#[test]
fn one_who_goes_and_comes_back_is_found_by_all() {
    // Out for 14 seconds at a metre a second, and back in. First words are of alarms, and that is none.
    let out = "-8 -2 5 15 25 35 45 45 45 45 45 45 45 45 45 35 25 15 5 -5 -15 -25 -35";
    let [plain, omlox, zone, last, first] =
        ["0 0", "3 0", "2 1", "2 1", "1 missed"].map(|pings| format!("0 false {pings}"));
    check(out, [&plain, &omlox, &zone, &last, &first]);
}

#[test]
fn a_jump_out_and_back_of_one_ping_is_two_for_the_plain_test_and_none_for_us() {
    // Half a metre out, a metre and a half, and two and a half: what the rule says first is taken back.
    check("-5>5 -5 -5", ["2 false", "0 false", "0 false", "0 false", "0 false"]);
    check("-5>15 -5 -5", ["2 false", "0 false", "0 false", "0 false", "1 false"]);
    check("-5>25 -5 -5", ["2 false", "2 false", "0 false", "0 false", "1 false"]);
    // Eight metres nobody walks in a second: the tag itself waits for another ping.
    check("-5>80 -5 -5", ["2 false", "2 false", "0 false", "0 false", "0 false"]);
}

#[test]
fn a_jump_of_several_pings_is_believed_in_the_end() {
    check("-5>25 -5>25 -5 -5 -5", ["2 false", "2 false", "2 false", "2 false", "1 false"]);
}

#[test]
fn one_at_the_wall_flaps_for_the_plain_test_alone() {
    let wall = "-3>2 -3>-4 -3>1 -3 -3>-6 -3>3 -3>2 -3>-1 -3>4 -3>-3";
    check(wall, ["8 false", "0 false", "0 false", "0 false", "0 false"]);
}

#[test]
fn lost_pings_delay_everybody_and_count_for_nobody() {
    let out = "-10 -2>- 5>- 15>- 25 35 45 45 45 45 45 45 45 45 45";
    let [plain, omlox, rest] = ["0", "1", "1"].map(|pings| format!("0 false {pings}"));
    check(out, [&plain, &omlox, &rest, &rest, "0 false 0"]);
}
