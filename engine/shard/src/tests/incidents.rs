//! Which incident alarms belong to, in stories, at random, and in a storm.

use std::collections::{BTreeMap, BTreeSet};

use ach_actors_entities::{Clue, Clues, Site};
use ach_actors_model::{
    AlarmId, AlarmKind, AlarmNotice, AlarmPriority, AlarmState, AlarmTransition, Cause, DoorRef,
    IncidentMark, NS_PER_S, Place, SiteConfig, SubjectRef, TagRef, Timestamp, ZoneRef,
};
use ach_geo::{Floor, Position};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::desk;
use super::hospital::{MONDAY, hospital, name};
use super::play::{Played, play};
use super::render;
use super::script::Script;
use crate::incidents::{INCIDENT_ALARMS_MAX, Incidents};
use crate::waiting::Waiting;

/// Every alarm that was raised, with its incident: `A1` is the first alarm of the first, `A2!` one that joined it
/// and raised it.
fn words(played: &Played) -> Vec<String> {
    let site = played.shard.site().expect("a site");
    let mut names: BTreeMap<AlarmId, char> = BTreeMap::new();
    let mut told = Vec::new();
    for notice in played.notices() {
        let mark = notice.incident.expect("every alarm belongs to an incident");
        if notice.transition != AlarmTransition::Raised {
            continue;
        }
        assert_eq!(mark.is_first(), mark.id == notice.id, "the first gives its id");
        let next = ('A'..='Z').nth(names.len()).expect("few");
        let name = *names.entry(mark.id).or_insert(next);
        let raises = if mark.is_raising { "!" } else { "" };
        let text = render::alarm(notice, site);
        told.push(format!("{text} {name}{}{raises}", mark.place));
    }
    told
}

#[track_caller]
fn check_of(config: SiteConfig, story: &str, expected: &[&str]) -> Played {
    let mut script = Script::new(config);
    script.tell(story);
    let played = play(&script.entries);
    assert_eq!(words(&played), expected, "of the story{story}");
    played
}

#[track_caller]
fn check(story: &str, expected: &[&str]) -> Played {
    check_of(hospital(), story, expected)
}

#[test]
fn who_cuts_his_band_forces_a_door_and_leaves_is_one_incident() {
    check(
        "1 anna at 5,3
         2 anna is-cut
         4 door exit opens
         6 anna at 5,-2",
        &[
            "2 raised BandCut anna A1",
            "4 raised DoorForced - exit A2",
            "6 raised Elopement anna ward A3",
        ],
    );
    // The controller tells late what happened first.
    check(
        "1 anna at 5,3
         2 anna at 5,-2
         4 door exit opens",
        &["2 raised Elopement anna ward A1", "4 raised DoorForced - exit A2"],
    );
}

#[test]
fn what_happens_elsewhere_or_later_is_another_incident() {
    check(
        "1 anna at 5,3
         2 anna at 5,-2
         3 anchor a1 lost
         4 victor at 25,5
         24 tick
         305 door exit opens",
        &[
            "2 raised Elopement anna ward A1",
            "3 raised ZoneBlind - a1 B1",
            "4 raised UnauthorisedEntry victor drugs C1",
            // All are silent by then; five minutes after anna left nothing leads to her from the door.
            "24 raised FeedSilent - rtls D1",
            "305 raised DoorForced - exit E1",
        ],
    );
}

#[test]
fn doors_of_one_room_are_adjacent_for_five_minutes() {
    let mut config = hospital();
    config.rules.retain(|rule| rule.id.as_str() != "lost");
    check_of(
        config,
        "1 door exit opens
         2 door exit closes
         301 door hatch opens
         302 door hatch closes
         602 door exit opens",
        &[
            "1 raised DoorForced - exit A1",
            "301 raised DoorForced - hatch A2!",
            // Five minutes and a second after the last alarm at either door.
            "602 raised DoorForced - exit B1",
        ],
    );
}

#[test]
fn a_duress_call_is_in_no_line_with_anything_else() {
    check(
        "1 sam at 5,3
         2 sam is-cut
         3 sam presses
         4 door exit opens",
        &[
            "2 raised BandCut sam A1",
            "3 raised Duress sam B1",
            // Beside the band, not behind the call.
            "4 raised DoorForced - exit A2",
        ],
    );
    check(
        "1 sam at 5,3
         3 sam presses
         4 door exit opens
         5 sam is-cut",
        &["3 raised Duress sam A1", "4 raised DoorForced - exit B1", "5 raised BandCut sam B2!"],
    );
}

#[test]
fn an_alarm_of_a_rule_that_a_life_hangs_on_begins_its_own() {
    let mut config = hospital();
    for rule in &mut config.rules {
        rule.answer.is_life_safety = rule.id.as_str() == "wander";
    }
    check_of(
        config,
        "1 anna at 5,3
         2 anna is-cut
         3 anna at 5,-2
         4 door exit opens",
        &[
            "2 raised BandCut anna A1",
            "3 raised Elopement anna ward B1",
            "4 raised DoorForced - exit B2",
        ],
    );
}

#[test]
fn what_joins_with_a_higher_priority_raises_the_incident() {
    let mut config = hospital();
    for rule in &mut config.rules {
        rule.priority = match rule.id.as_str() {
            "cut" => AlarmPriority::Low,
            "forced" => AlarmPriority::Medium,
            _ => AlarmPriority::High,
        };
    }
    check_of(
        config,
        "1 anna at 5,3
         2 anna is-cut
         3 door hatch opens
         4 door exit opens
         5 anna at 5,-2
         6 door exit closes
         7 door exit opens",
        &[
            "2 raised BandCut anna A1",
            // Too far from anna, but of the same room as the exit.
            "3 raised DoorForced - hatch B1",
            "4 raised DoorForced - exit A2!",
            "5 raised Elopement anna ward A3!",
            "7 raised DoorForced - exit A4",
        ],
    );
}

#[test]
fn a_second_patient_is_never_behind_the_first() {
    let mut config = hospital();
    for subject in config.subjects.iter_mut().filter(|it| it.id.as_str() == "nora") {
        subject.labels = vec![name("dementia")];
    }
    check_of(
        config,
        "1 anna at 2,18
         & nora at 18,18
         2 anna at -3,18
         3 nora at 23,18
         4 anna is-cut
         5 nora is-cut
         6 door exit opens",
        &[
            "2 raised Elopement anna ward A1",
            // Of one zone and as urgent, but somebody else.
            "3 raised Elopement nora ward A2!",
            "4 raised BandCut anna A3",
            "5 raised BandCut nora A4",
            "6 raised DoorForced - exit A5",
        ],
    );
}

#[test]
fn what_waits_for_nobody_any_more_keeps_no_alarm_from_raising_the_incident() {
    let mut config = hospital();
    for rule in &mut config.rules {
        rule.is_tentative |= rule.id.as_str() == "wander";
    }
    check_of(
        config,
        "1 anna at 5,3
         2 anna at 5,-2
         3 anna at 5,3
         4 anna at 5,-2
         5 door exit opens",
        &[
            "2 raised Elopement anna ward A1",
            // The first was retracted, or is over.
            "4 raised Elopement anna ward A2!",
            "5 raised DoorForced - exit A3",
        ],
    );
    // Who has acknowledged one has not seen the next.
    let script = desk::told(
        "1 sam at 3,1
         2 sam is-cut
         3 door exit opens
         4 nora acks 1
         5 nora acks 2
         6 door hatch opens",
    );
    let told = words(&play(&script.entries));
    assert_eq!(
        told,
        [
            "2 raised BandCut sam A1",
            "3 raised DoorForced - exit A2",
            "6 raised DoorForced - hatch A3!"
        ]
    );
}

#[test]
fn what_is_raised_quietly_joins_and_raises_nothing() {
    let script = desk::told(
        "1 door exit opens
         2 nora shelves 1 for=200
         3 door exit closes
         4 door exit opens
         250 door exit closes
         251 door exit opens",
    );
    let played = play(&script.entries);
    let marks = played.notices().filter(|notice| notice.transition == AlarmTransition::Raised);
    let marks: Vec<_> = marks.map(|notice| notice.incident.expect("one")).collect();
    let places: Vec<_> = marks.iter().map(|mark| (mark.place, mark.is_raising)).collect();
    // The third is as loud as the first, which is over.
    assert_eq!(places, [(1, false), (2, false), (3, true)]);
    assert!(marks.iter().all(|mark| mark.id == marks[0].id));
}

#[test]
fn a_late_alarm_belongs_to_what_happened_then() {
    check(
        "1 door exit opens
         2 door exit closes
         700 door hatch opens
         701 door exit asks=1 seen=20
         702 door exit opens seen=30
         703 door exit opens seen=690",
        &[
            "1 raised DoorForced - exit A1",
            "700 raised DoorForced - hatch B1",
            // Told with the later one, it happened with the earlier, which is over; but its room leads to the later
            // by now.
            "702 raised DoorForced - exit late A2!",
            "703 raised DoorForced - exit late B2",
        ],
    );
}

#[test]
fn an_incident_takes_alarms_for_an_hour_and_no_more() {
    let mut script = Script::new(hospital());
    for minute in 0..=61 {
        script.tell(&format!("{} door exit opens", minute * 60 + 1));
        script.tell(&format!("{} door exit closes", minute * 60 + 2));
    }
    let told = words(&play(&script.entries));
    let of = |at: usize| told[at].rsplit(' ').next().expect("a mark").to_owned();
    assert_eq!((of(0), of(60)), ("A1".to_owned(), "A61!".to_owned()));
    assert_eq!(of(61), "B1", "an hour and a minute after it began");
}

/// An alarm about nothing.
fn bare(id: AlarmId, kind: AlarmKind, now: Timestamp) -> AlarmNotice {
    AlarmNotice {
        id,
        transition: AlarmTransition::Raised,
        reason: None,
        kind,
        priority: AlarmPriority::High,
        rule: None,
        site_version: 1,
        episode: 1,
        subject: None,
        tag: None,
        place: Place::Site,
        is_tentative: false,
        is_late: false,
        is_drill: false,
        cause: Cause::SiteChange,
        observed_at: now,
        received_at: now,
        changed_at: now,
        position: None,
        accuracy_mm: 0,
        gates_passed: 0,
        state: AlarmState::ACTIVE.with(AlarmState::RETAINED),
        life: None,
        incident: None,
        door: None,
        response: None,
        certain_at: now,
    }
}

/// An alarm at random: of few persons, doors and zones, so that clues meet.
fn wild_notice(rng: &mut ChaCha8Rng, id: u128, now: Timestamp) -> AlarmNotice {
    let kinds = [
        AlarmKind::Elopement,
        AlarmKind::DoorForced,
        AlarmKind::Duress,
        AlarmKind::OverCapacity,
        AlarmKind::TagSilent,
        AlarmKind::BatteryLow,
    ];
    let kind = kinds[rng.random_range(0..kinds.len())];
    let mut notice = bare(AlarmId(id), kind, now);
    let is_about_somebody = !matches!(kind, AlarmKind::DoorForced | AlarmKind::OverCapacity);
    notice.subject = is_about_somebody.then(|| SubjectRef(rng.random_range(0..4)));
    notice.place = match kind {
        AlarmKind::DoorForced => Place::Door(DoorRef(rng.random_range(0..2))),
        AlarmKind::TagSilent => Place::Tag(TagRef(rng.random_range(0..4))),
        _ => Place::Zone(ZoneRef(rng.random_range(0..5))),
    };
    notice.position = is_about_somebody.then(|| Position {
        x_mm: rng.random_range(0..30_000),
        y_mm: rng.random_range(-12_000..12_000),
        z_mm: None,
        floor: Some(Floor(0)),
    });
    notice.priority =
        [AlarmPriority::Low, AlarmPriority::Medium, AlarmPriority::High][rng.random_range(0..3)];
    if kind == AlarmKind::Duress {
        notice.state = notice.state.with(AlarmState::LIFE_SAFETY);
    } else if rng.random_range(0..8) == 0 {
        notice.state = notice.state.with(AlarmState::SHELVED);
    }
    if rng.random_range(0..10) == 0 {
        notice.is_late = true;
        notice.observed_at = Timestamp(now.0 - rng.random_range(0..1_200) * NS_PER_S);
    }
    notice
}

/// What the specification says, by going through all that was ever raised.
#[derive(Default)]
struct Oracle {
    /// Every clue that was left: for which incident, and when.
    left: Vec<(Clue, AlarmId, Timestamp)>,
    /// When each incident began, and how many alarms it has.
    incidents: BTreeMap<AlarmId, (Timestamp, u32)>,
    /// All that was raised aloud and nobody has answered, with its incident.
    waiting: Vec<AlarmNotice>,
}

impl Oracle {
    fn join(&mut self, notice: &AlarmNotice, site: &Site) -> IncidentMark {
        let now = notice.changed_at;
        let at = if notice.is_late { notice.observed_at } else { now };
        let clues = Clues::of(notice, site);
        let is_open = |id: &AlarmId| now.since_ns(self.incidents[id].0) <= 3_600 * NS_PER_S;
        self.left.retain(|(_, id, _)| is_open(id));
        let found = clues.joins_by.iter().find_map(|clue| {
            let of_it = self.left.iter().filter(|(left, ..)| left == clue);
            let &(_, id, last) = of_it.max_by_key(|(.., at)| *at)?;
            (at.0.abs_diff(last.0) <= clue.span_ns()).then_some(id)
        });
        let id = found.unwrap_or(notice.id);
        let (_, count) = self.incidents.entry(id).or_insert((now, 0));
        *count += 1;
        let place = *count;
        let of_it = |other: &&AlarmNotice| other.incident.expect("one").id == id;
        let mut before = self.waiting.iter().filter(of_it);
        let is_worse = before.clone().all(|other| notice.priority > other.priority);
        let is_of_another =
            notice.subject.is_some() && before.all(|other| other.subject != notice.subject);
        let is_raising = place > 1 && !notice.state.is_quiet() && (is_worse || is_of_another);
        for clue in clues.joined_by {
            let known = self.left.iter().filter(|(_, of, _)| *of == id);
            let known: BTreeSet<_> = known.map(|(clue, ..)| *clue).collect();
            if known.contains(&clue) || known.len() < 16 {
                self.left.push((clue, id, at));
            }
        }
        IncidentMark { id, place, is_raising }
    }
}

#[test]
fn alarms_at_random_are_joined_as_one_would_by_going_through_all() {
    let site = Site::compile(None, &hospital()).expect("sound");
    for seed in 0..200 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let (mut incidents, mut oracle) = (Incidents::default(), Oracle::default());
        let mut waiting = Waiting::default();
        let mut now = MONDAY.plus_ns(3_600 * NS_PER_S);
        for id in 1..=120 {
            now = now.plus_ns(rng.random_range(0..200) * NS_PER_S);
            let mut notice = wild_notice(&mut rng, id, now);
            let mark = incidents.join(&notice, &waiting, &site);
            assert_eq!(mark, oracle.join(&notice, &site), "seed {seed}, alarm {id}: {notice:?}");
            notice.incident = Some(mark);
            waiting.put(&notice);
            if !notice.state.is_quiet() {
                oracle.waiting.push(notice);
            }
            // Some are answered, and some are over.
            if rng.random_range(0..3) > 0 {
                let at = rng.random_range(0..=oracle.waiting.len());
                if at < oracle.waiting.len() {
                    let mut answered = oracle.waiting.remove(at);
                    waiting.take(&answered);
                    answered.state = answered.state.with(AlarmState::ACKNOWLEDGED);
                    waiting.put(&answered);
                }
            }
            if rng.random_range(0..10) == 0 {
                let head = incidents.head();
                incidents = Incidents::restore(head.clone());
                assert_eq!(incidents.head(), head, "seed {seed}");
            }
        }
    }
}

#[test]
fn a_full_incident_and_too_many_of_them_make_more_incidents_and_no_alarm_less() {
    let site = Site::compile(None, &hospital()).expect("sound");
    let forced = |id: u128| {
        let notice = bare(AlarmId(id), AlarmKind::DoorForced, MONDAY);
        AlarmNotice { place: Place::Door(DoorRef(0)), ..notice }
    };
    let waiting = Waiting::default();
    let mut incidents = Incidents::default();
    let max = u128::from(INCIDENT_ALARMS_MAX);
    let mut join = |id| incidents.join(&forced(id), &waiting, &site);
    let marks: Vec<_> = (1..=2 * max + 1).map(&mut join).collect();
    let ids: Vec<u128> = marks.iter().map(|mark| mark.id.0).collect();
    assert_eq!(ids, [vec![1; 1_000], vec![1_001; 1_000], vec![2_001]].concat());
    // A thousand persons, each of whom nobody else has to do with: the first is not known any more.
    let silent = |id: u32| {
        let notice = bare(AlarmId(u128::from(id)), AlarmKind::TagSilent, MONDAY);
        AlarmNotice { subject: Some(SubjectRef(id % 1_000)), ..notice }
    };
    let mut incidents = Incidents::default();
    for id in 0..1_000 {
        assert!(incidents.join(&silent(id), &waiting, &site).is_first());
    }
    let mut join = |id| incidents.join(&silent(id), &waiting, &site);
    assert!(join(1_000).is_first(), "given up to make room");
    assert_eq!(join(1_999).id, AlarmId(999), "the latest are known");
}
