//! Every mistake a configuration can hold is found, and none of them stops the process.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "the helpers of tests are tests: they stop at the first surprise"
)]

#[path = "stories/hospital.rs"]
mod hospital;

use ach_actors_entities::{Site, SiteError};
use ach_actors_model::{
    AlarmKind, AlarmPriority, AnchorConfig, Condition, DelayConfig, Gate, LineConfig, RuleConfig,
    SiteConfig, SpeedLimit, SubjectClass, TagConfig, TagId, Timestamp, UtcOffset, Who, Window,
};
use ach_geo::{Confirm, Gates, Outline, gate};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng as Rng;

use hospital::{GARDEN, LOBBY, S, WARD, for_class, hours, name, rule, tentative, zone};

fn sound() -> SiteConfig {
    let inside = Condition::Inside { zones: vec![WARD, LOBBY, GARDEN] };
    let inside = rule("inside", AlarmKind::UnauthorisedEntry, inside);
    let patients = for_class(SubjectClass::Patient, inside.clone());
    let entry = tentative(Gates::default(), hours(8, 20, patients));
    hospital::hospital(vec![RuleConfig { id: name("entry"), ..entry }, inside])
}

/// Makes one mistake and reads what is said of it.
#[track_caller]
fn check(edit: impl FnOnce(&mut SiteConfig), expected: &str) {
    let mut config = sound();
    Site::compile(None, &config).expect("sound before the mistake");
    edit(&mut config);
    let error: SiteError = Site::compile(None, &config).expect_err("a mistake");
    let said: Vec<String> = error.listed.iter().map(ToString::to_string).collect();
    assert_eq!(said.join("\n"), expected);
    assert_eq!(error.count, said.len());
}

#[test]
fn references_lead_somewhere() {
    check(|config| config.tags[2].source = 7, "tags[2] names sources[7], which does not exist");
    check(
        |config| config.tags[2].subject = Some(4),
        "tags[2] names subjects[4], which does not exist",
    );
    check(
        |config| config.anchors[0].zones = vec![9],
        "anchors[0] names zones[9], which does not exist",
    );
    check(
        |config| config.doors[0].source = Some(u32::MAX),
        "doors[0] names sources[4294967295], which does not exist",
    );
    for condition in [
        Condition::Inside { zones: vec![4] },
        Condition::Leaves { zones: vec![4], lines: Vec::new() },
        Condition::Stays { zones: vec![4], after_ns: S },
        Condition::OverCapacity { zones: vec![4] },
    ] {
        check(
            |config| config.rules[1].condition = condition,
            "rules[1] names zones[4], which does not exist",
        );
    }
    check(
        |config| config.rules[1].condition = Condition::DoorForced { doors: vec![1] },
        "rules[1] names doors[1], which does not exist",
    );
    check(
        |config| {
            config.rules[1].condition = Condition::Leaves { zones: Vec::new(), lines: vec![1] };
        },
        "rules[1] names lines[1], which does not exist",
    );
    check(
        |config| config.rules[0].who = Who { subjects: vec![4], ..Who::default() },
        "rules[0] names subjects[4], which does not exist",
    );
}

#[test]
fn ids_are_given_once() {
    check(
        |config| config.zones[3].id = name("ward"),
        "zones[3] has the id of an earlier item; ids are unique in their list",
    );
    check(
        |config| config.tags[5].id = TagId(1),
        "tags[5] has the id of an earlier item; ids are unique in their list",
    );
    check(
        |config| config.rules[1].id = name("entry"),
        "rules[1] has the id of an earlier item; ids are unique in their list",
    );
}

#[test]
fn outlines_lines_and_gates_can_work() {
    check(
        |config| config.zones[1].outline = Outline::Circle { center_mm: (0, 0), radius_mm: 0 },
        "zones[1] has no usable outline: circle has radius 0, give a radius",
    );
    check(
        |config| config.doors[0].sill_mm.1 = config.doors[0].sill_mm.0,
        "doors[0] has no length; give it two different points",
    );
    check(
        |config| config.lines[0].points_mm.truncate(1),
        "lines[0] has no length; give it two different points",
    );
    check(
        |config| config.lines[0].points_mm[1] = (i32::MIN, 0),
        "lines[0] has a coordinate beyond 1,000 km; measure from the site's origin",
    );
    check(
        |config| config.zones[2].gates.confirm = Confirm { needed: 3, of: 2 },
        "zones[2] has gates that cannot work: confirm asks for 3 of 2; needed is 1 to of, and of \
         is at most 8",
    );
    check(
        |config| {
            let gates = Gates { exit_tolerance_mm: 1_000_001, ..Gates::default() };
            config.rules[0].gates = Some(gates);
        },
        "rules[0] has gates that cannot work: a margin or tolerance of 1000001 mm; at most 1 km",
    );
    check(
        |config| config.zones[0].gates.exit_delay_ns = u64::MAX,
        "zones[0] has gates that cannot work: a time of 18446744073709551615 ns; at most 366 days",
    );
}

#[test]
fn times_and_numbers_are_within_reason() {
    check(
        |config| config.sources[0].silence_ns = Some(0),
        "sources[0] has a time of 0 ns; it must be above 0 and at most 366 days",
    );
    check(
        |config| config.rules[1].condition = Condition::TagSilent { after_ns: 0 },
        "rules[1] has a time of 0 ns; it must be above 0 and at most 366 days",
    );
    check(
        |config| config.rules[1].condition = Condition::BatteryLow { percent: 100 },
        "rules[1] has a battery limit of 100 percent; it is 1 to 99",
    );
    check(
        |config| config.rules[1].alarm = AlarmKind::FeedSilent,
        "rules[1] raises a kind of alarm that only the system itself may raise",
    );
    for window in [
        Window { weekdays: 0, from_s: 0, until_s: 1 },
        Window { weekdays: 0, from_s: 0, until_s: 86_400 },
        Window { weekdays: 1, from_s: 86_400, until_s: 1 },
        Window { weekdays: 1, from_s: 0, until_s: 86_401 },
    ] {
        check(
            |config| config.rules[1].when = vec![window],
            "rules[1] has a window without days or beyond the day's 86,400 seconds",
        );
    }
    check(
        |config| {
            let limit = SpeedLimit { class: SubjectClass::Staff, mm_per_s: 9_000 };
            config.speed_limits = vec![limit, limit];
        },
        "speed_limits[1] is 0 or repeats a class; give each class one speed",
    );
    check(|config| config.utc_offsets.clear(), "utc_offsets is empty; give the offset from time 0");
    check(
        |config| {
            config.utc_offsets.push(UtcOffset { from: Timestamp(1), offset_s: 3_600 });
        },
        "utc_offsets[1] is out of order: the first is from time 0, each at least a day after the \
         one before, and within 18 hours",
    );
    for holidays in [vec![20_000, 20_812, 20_812], vec![1, 20_000, 3]] {
        check(
            |config| config.holidays = holidays,
            "holidays[2] is out of order; days ascend, and none is given twice",
        );
    }
    check(
        |config| config.holidays = (0..4_097).collect(),
        "holidays has 4097 items and may have 4096; split the site or shorten the list",
    );
}

#[test]
fn times_that_would_switch_the_watch_off_are_refused() {
    for ns in [0, 60 * S + 1, u64::MAX] {
        check(
            |config| config.largest_gap_ns = ns,
            &format!("largest_gap_ns is {ns} ns; it must be above 0 and at most a minute"),
        );
    }
    check(
        |config| config.zones[1].gates.fence_timeout_ns = Some(0),
        "zones[1] has gates that cannot work: a fence timeout of 0 ns; tags send about once a \
         second, so give at least 1 s",
    );
}

/// Every subject under other rules than all others: 17 rules that each name every second, fourth,
/// eighth ... in turn.
#[test]
fn only_what_lasts_can_wait() {
    let mistake = "rules[1] cannot wait so: on_delay and off_delay are 1 s to 1 h, of what lasts and has no time of its own, \
         of no life-safety rule, and on_delay of none that is tentative";
    let waits = |condition: Condition, on_ns: u64, off_ns: u64| {
        move |config: &mut SiteConfig| {
            let rule = &mut config.rules[1];
            rule.condition = condition;
            rule.answer.delays = DelayConfig { on_ns, off_ns };
        }
    };
    let inside = || Condition::Inside { zones: vec![0] };
    let stays = || Condition::Stays { zones: vec![0], after_ns: S };
    check(waits(inside(), S - 1, 0), mistake);
    check(waits(inside(), 3_600 * S + 1, 0), mistake);
    check(waits(inside(), 0, 3_600 * S + 1), mistake);
    check(waits(stays(), S, 0), mistake);
    check(waits(Condition::DoorTampered { doors: vec![0] }, S, 0), mistake);
    for moment in [
        Condition::ButtonPressed,
        Condition::BandCut,
        Condition::DoorForced { doors: vec![0] },
        Condition::TagsContradict,
        Condition::Tailgating { doors: vec![0], with: None },
        Condition::BadgeElsewhere { doors: vec![0], within_mm: 1_000 },
    ] {
        check(waits(moment.clone(), S, 0), mistake);
        check(waits(moment, 0, S), mistake);
    }
    let also = |edit: fn(&mut RuleConfig), on_ns, off_ns| {
        move |config: &mut SiteConfig| {
            waits(inside(), on_ns, off_ns)(config);
            edit(&mut config.rules[1]);
        }
    };
    check(also(|rule| rule.answer.is_life_safety = true, 0, S), mistake);
    check(also(|rule| rule.is_tentative = true, S, 0), mistake);
    let sound = |edit: &dyn Fn(&mut SiteConfig)| {
        let mut config = sound();
        edit(&mut config);
        Site::compile(None, &config).map(drop)
    };
    assert_eq!(sound(&|config| waits(inside(), S, 3_600 * S)(config)), Ok(()));
    assert_eq!(sound(&|config| waits(stays(), 0, S)(config)), Ok(()));
}

#[test]
fn sets_of_rules_have_a_limit() {
    let mut config = sound();
    let subject = config.subjects[1].clone();
    let id = |number: u32| name(&format!("n{number}"));
    config.subjects = (0..65_537)
        .map(|number| ach_actors_model::SubjectConfig { id: id(number), ..subject.clone() })
        .collect();
    config.rules = (0..17)
        .map(|bit| {
            let subjects = (0..65_537_u32).filter(|number| (number >> bit) & 1 == 1).collect();
            let who = Who { subjects, ..Who::default() };
            RuleConfig { id: id(bit), who, ..rule("x", AlarmKind::BandCut, Condition::BandCut) }
        })
        .collect();
    let error = Site::compile(None, &config).expect_err("too many sets");
    assert_eq!(
        error.first.to_string(),
        "sets of rules has 65537 items and may have 65536; split the site or shorten the list"
    );
    config.subjects.pop();
    config.rules.pop();
    Site::compile(None, &config).expect("as many as there may be");
}

#[test]
fn lists_have_limits() {
    check(
        |config| config.rules[0].when = vec![config.rules[0].when[0]; 33],
        "windows has 33 items and may have 32; split the site or shorten the list",
    );
    check(
        |config| config.subjects[0].labels = vec![name("x"); 65],
        "labels has 65 items and may have 64; split the site or shorten the list",
    );
    let anchor = |number: usize| AnchorConfig {
        id: name(&format!("a{number}")),
        source: 0,
        zones: Vec::new(),
        silence_ns: None,
    };
    check(
        |config| config.anchors = (0..100_001).map(anchor).collect(),
        "anchors has 100001 items and may have 100000; split the site or shorten the list",
    );
    check(
        |config| config.anchors[0].zones = vec![WARD; 1_025],
        "zones of an anchor has 1025 items and may have 1024; split the site or shorten the list",
    );
}

#[test]
fn a_thousand_mistakes_are_counted_and_a_hundred_listed() {
    let mut config = sound();
    let tag = |number: u64| TagConfig { id: TagId(1_000 + number), source: 9, subject: None };
    config.tags.extend((0..1_000).map(tag));
    let error = Site::compile(None, &config).expect_err("mistakes");
    assert_eq!((error.count, error.listed.len()), (1_000, 100));
    assert_eq!(
        error.to_string(),
        "refused a site configuration with 1000 mistakes, the first: tags[6] names sources[9], \
         which does not exist"
    );
}

#[test]
fn a_version_follows_and_the_site_stays_the_same() {
    let first = Site::compile(None, &sound()).expect("sound");
    let error = Site::compile(Some(&first), &sound()).expect_err("the same version");
    assert_eq!(error.first.to_string(), "version 1 does not follow version 1; count it up");
    let other = SiteConfig { site: name("st-berta"), version: 2, ..sound() };
    let error = Site::compile(Some(&first), &other).expect_err("another site");
    let expected = "the site in force is another one; a shard keeps the site it began with";
    assert_eq!(error.first.to_string(), expected);
}

#[test]
fn lookups_find_what_is_in_force_and_names_outlive_it() {
    let first = Site::compile(None, &sound()).expect("sound");
    let mut config = SiteConfig { version: 2, ..sound() };
    config.tags.remove(0);
    config.lines.clear();
    config.tags.push(TagConfig { id: TagId(7), source: 0, subject: Some(0) });
    let second = Site::compile(Some(&first), &config).expect("sound");
    let gone = first.tag(TagId(1)).expect("a tag");
    assert_eq!(second.tag(TagId(1)), None);
    assert_eq!((second.tag_id(gone), second.tag_source(gone)), (Some(TagId(1)), None));
    let fresh = second.tag(TagId(7)).expect("a tag");
    assert_eq!(usize::try_from(fresh.0).expect("small"), first.tag_ref_count());
    assert_eq!(second.tag(TagId(3)), first.tag(TagId(3)));
    let patient = second.subject("p").expect("a subject");
    let worn: Vec<TagId> =
        second.subject_tags(patient).iter().filter_map(|&tag| second.tag_id(tag)).collect();
    assert_eq!(worn, [TagId(2), TagId(7)]);
    assert_eq!(second.tag_subject(fresh), Some(patient));
    assert_eq!(second.subject_class(patient), Some(SubjectClass::Patient));
    let fence = first.line("fence").expect("a line");
    assert_eq!((second.line("fence"), second.line_name(fence)), (None, Some("fence")));
    let summary = second.summary();
    assert_eq!((summary.tag_count, summary.subject_count, summary.watch_count), (6, 4, 4));
    assert_eq!(
        summary.to_string(),
        "version 2: 6 tags on 4 subjects, 4 zones, 1 doors, 0 lines, 2 rules, 1 feeds, 1 anchors"
    );
}

#[test]
#[expect(clippy::as_conversions, reason = "the enum's values are the bits")]
fn gate_bits_of_geometry_are_those_of_alarms() {
    let pairs = [
        (gate::LINE, Gate::Line),
        (gate::ENTRY_MARGIN, Gate::EntryMargin),
        (gate::EXIT_TOLERANCE, Gate::ExitTolerance),
        (gate::TOLERANCE_TIMEOUT, Gate::ToleranceTimeout),
        (gate::EXIT_DELAY, Gate::ExitDelay),
        (gate::CONFIRM, Gate::Confirm),
        (gate::DWELL, Gate::Dwell),
        (gate::ERROR_CIRCLE, Gate::ErrorCircle),
        (gate::FENCE_TIMEOUT, Gate::FenceTimeout),
        (gate::CROSSED, Gate::Crossed),
        (gate::JUMP_CONFIRMED, Gate::JumpConfirmed),
        (gate::ON_DELAY, Gate::OnDelay),
    ];
    for (bit, gate) in pairs {
        assert_eq!(bit, gate as u16, "{gate:?}");
    }
}

/// Hostile numbers everywhere: the answer is a site or a list of mistakes.
#[test]
fn random_configurations_never_panic() {
    let seed = 20_261_122;
    println!("seed {seed}");
    let mut random = Rng::seed_from_u64(seed);
    let (mut sound_count, mut refused_count) = (0, 0);
    for _ in 0..2_000 {
        let mut config = sound();
        for _ in 0..random.random_range(0..4_u8) {
            spoil(&mut config, &mut random);
        }
        match Site::compile(None, &config) {
            Ok(site) => {
                sound_count += 1;
                let next = SiteConfig { version: 2, ..sound() };
                Site::compile(Some(&site), &next).expect("the sound one follows");
            }
            Err(_) => refused_count += 1,
        }
    }
    assert!(sound_count > 200 && refused_count > 200, "{sound_count} and {refused_count}");
}

fn spoil(config: &mut SiteConfig, random: &mut Rng) {
    let odd = [0, 1, 2, 3, 4, 5, 99, u32::MAX - 1, u32::MAX];
    let index = odd[random.random_range(0..odd.len())];
    let far = [i32::MIN, -1_000_000_001, -1_000_000_000, 0, 20_000, 1_000_000_000, i32::MAX];
    let mm = far[random.random_range(0..far.len())];
    match random.random_range(0..15_u8) {
        0 => config.tags[0].source = index,
        1 => config.tags[1].subject = Some(index),
        2 => config.anchors[0].zones.push(index),
        3 => {
            config.rules[0].condition =
                Condition::Stays { zones: vec![index], after_ns: index.into() }
        }
        4 => {
            config.rules[1].condition =
                Condition::Leaves { zones: vec![index; 3], lines: vec![index] }
        }
        5 => config.zones[1].outline = Outline::Circle { center_mm: (mm, mm), radius_mm: index },
        6 => config.lines[0].points_mm.push((mm, 0)),
        7 => config.doors[0].sill_mm.0.1 = mm,
        8 => config.utc_offsets.push(UtcOffset { from: Timestamp(index.into()), offset_s: mm }),
        9 => config.zones[0].gates.entry_margin_mm = index,
        10 => config.rules[0].when[0].until_s = index,
        11 => config.zones[2].id = name("ward"),
        13 => config.holidays.push(index),
        12 => config.lines.push(LineConfig {
            id: name("other"),
            labels: Vec::new(),
            floor: ach_geo::Floor(i16::MIN),
            points_mm: vec![(mm, mm), (0, 1), (0, 1)],
        }),
        _ => {
            config.zones.push(zone("new", 300, 0, 1));
            config.rules[1].priority = AlarmPriority::Low;
        }
    }
}
