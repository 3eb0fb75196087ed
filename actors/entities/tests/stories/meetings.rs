//! Who must be kept apart and is near the other.

use std::collections::{BTreeMap, BTreeSet};

use ach_actors_model::{
    AlarmKind, Condition, NS_PER_S, Name, RuleConfig, SiteConfig, SubjectClass, SubjectConfig,
    TagConfig, TagId, Who,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::hospital::{LOBBY, WARD, for_class, hospital, hours, name, rule};
use crate::world::World;

fn visitors() -> Who {
    Who { classes: vec![SubjectClass::Visitor], ..Who::default() }
}

/// Nobody may be within 2 m of the others for ten seconds. 2 m end it, and as each of two may be a metre off, where
/// nothing is said of that, they are seen 4 m apart.
fn apart(whom: Who) -> RuleConfig {
    let (within_mm, apart_mm) = (2_000, 2_000);
    let condition =
        Condition::Meets { zones: Vec::new(), whom, within_mm, apart_mm, after_ns: 10 * NS_PER_S };
    rule("apart", AlarmKind::ForbiddenMeeting, condition)
}

/// The patient and visitors are kept apart.
pub(crate) fn ward() -> SiteConfig {
    hospital(vec![for_class(SubjectClass::Patient, apart(visitors()))])
}

/// Of few and of many whom one may not meet: they are looked for in two ways.
#[track_caller]
fn check(config: &SiteConfig, story: &str) {
    for config in [config.clone(), with_many_unseen(config)] {
        World::restful(&config).check(story);
        World::new(&config).check(story);
    }
}

/// More whom nobody has seen, of either side, than are looked at one by one.
pub(crate) fn with_many_unseen(config: &SiteConfig) -> SiteConfig {
    let mut config = config.clone();
    for class in [SubjectClass::Patient, SubjectClass::Visitor] {
        let one = config.subjects.iter().find(|one| one.class == class).cloned();
        let one = one.expect("one of the class");
        for number in 0..300 {
            let id = name(&format!("{class:?}{number}"));
            config.subjects.push(SubjectConfig { id, ..one.clone() });
        }
    }
    config
}

#[test]
fn two_who_are_near_for_too_long_alarm_until_they_are_well_apart() {
    check(
        &ward(),
        "
        1     ping 1 5,5     | +p ward 1
        1     ping 5 9,5     | +v ward 2
        5     ping 5 6,5     |
        14    ping 1 5,5     |
        15    tick           | RAISED ForbiddenMeeting p v
        20    ping 5 8,5     |
        25    ping 5 6.5,5   |
        30    ping 5 8.9,5   |
        35    ping 5 9.1,5   | CLEARED ForbiddenMeeting p v: ConditionEnded
        39    ping 5 7,5     |
        49    tick           | RAISED ForbiddenMeeting p v
        ",
    );
}

#[test]
fn it_is_the_same_who_comes_and_who_goes() {
    check(
        &ward(),
        "
        1     ping 1 5,5     | +p ward 1
        1     ping 5 9,5     | +v ward 2
        5     ping 1 8,5     |
        15    tick           | RAISED ForbiddenMeeting p v
        20    ping 1 4,5     | CLEARED ForbiddenMeeting p v: ConditionEnded
        ",
    );
}

#[test]
fn a_short_meeting_is_none() {
    check(
        &ward(),
        "
        1     ping 1 5,5     | +p ward 1
        1     ping 5 9,5     | +v ward 2
        5     ping 5 6,5     |
        14    ping 5 9.5,5   |
        18    ping 5 6,5     |
        27    ping 1 5,5     |
        28    tick           | RAISED ForbiddenMeeting p v
        ",
    );
}

#[test]
fn a_pair_is_one_episode_and_its_kind_does_not_matter() {
    // Everybody is kept apart from everybody: the first of two has the episode, whoever comes.
    check(
        &hospital(vec![apart(Who::default())]),
        "
        1     ping 5 9,5     | +v ward 1
        2     ping 3 8,5     | +s ward 2
        3     ping 1 7,5     | +p ward 3
        12    ping 5 9,5     | RAISED ForbiddenMeeting s v
        13    tick           | RAISED ForbiddenMeeting p s, RAISED ForbiddenMeeting p v
        20    ping 1 3,5     | CLEARED ForbiddenMeeting p s: ConditionEnded, CLEARED ForbiddenMeeting p v: ConditionEnded
        ",
    );
}

#[test]
fn what_says_little_of_where_somebody_is_says_nothing_of_meetings() {
    let met = |first: &str, second: &str| {
        let story = |told: &str| {
            format!(
                "
        1     ping 1 5,5     | +p ward 1
        4     {first}
        5     {second}
        15    tick           | {told}
        "
            )
        };
        (story("RAISED ForbiddenMeeting p v"), story(""))
    };
    let (near, _) = met("ping 1 5,5 | ", "ping 5 6,5 acc=1999 | +v ward 2");
    check(&ward(), &near);
    // Coarser than what is near.
    let (_, none) = met("ping 1 5,5 | ", "ping 5 6,5 acc=2001 | +v ward 2");
    check(&ward(), &none);
    let (_, none) = met("ping 1 5,5 | ", "ping 5 6,5 f2 | +v attic 1");
    check(&ward(), &none);
    let (_, none) = met("ping 1 5,5 | ", "ping 5 16,5 | +v lobby 1");
    check(&ward(), &none);
}

/// What says nothing of how exact it is may be a metre off: coarser than what this rule calls near.
#[test]
fn a_position_of_unknown_accuracy_is_not_exact() {
    let mut config = ward();
    if let Condition::Meets { within_mm, .. } = &mut config.rules[0].condition {
        *within_mm = 900;
    }
    let story = |accuracy: &str, told: &str| {
        format!(
            "
        1     ping 1 5,5 acc=500          | +p ward 1
        2     ping 5 5.5,5 acc={accuracy} | +v ward 2
        12    tick                        | {told}
        "
        )
    };
    check(&config, &story("900", "RAISED ForbiddenMeeting p v"));
    check(&config, &story("0", ""));
}

#[test]
fn a_position_of_unknown_floor_replaces_the_one_before() {
    // The floor told last is believed for a minute. Of unknown floor nobody is near, but apart he may be.
    check(
        &ward(),
        "
        1     ping 1 5,5     | +p ward 1
        2     ping 5 9.5,5   | +v ward 2
        75    ping 5 6,5 f?  | +v attic 1
        76    ping 1 5,5     |
        86    tick           |
        87    ping 5 6,5     | -v attic 0
        97    tick           | RAISED ForbiddenMeeting p v
        ",
    );
    let story = |who: &str, goes: &str| {
        format!(
            "
        1     ping 1 5,5     | +p ward 1
        2     ping 5 6,5     | +v ward 2
        12    tick           | RAISED ForbiddenMeeting p v
        75    {goes} | +{who} attic 1
        76    {goes} |
        "
        )
    };
    check(&ward(), &story("v", "ping 5 8.9,5 f?"));
    let mut world = World::new(&ward());
    world.check(&story("v", "ping 5 8,5 f?"));
    world.check("77 ping 5 9.5,5 f? | CLEARED ForbiddenMeeting p v: ConditionEnded");
    // The other way round, by the one who judges.
    let mut world = World::new(&ward());
    world.check(&story("p", "ping 1 4,5 f?"));
    world.check("77 ping 1 1.5,5 f? | CLEARED ForbiddenMeeting p v: ConditionEnded");
}

#[test]
fn who_goes_from_one_who_lies_still_has_gone() {
    // Coarse, and the other one was not heard for minutes: at least 2 m are left of the distance only at the last.
    check(
        &ward(),
        "
        1     ping 1 2,5           | +p ward 1
        2     ping 5 3,5           | +v ward 2
        12    tick                 | RAISED ForbiddenMeeting p v
        300   ping 5 5,5 acc=3000  |
        301   ping 5 7.9,5 acc=3000 |
        303   ping 5 8.1,5 acc=3000 | CLEARED ForbiddenMeeting p v: ConditionEnded
        ",
    );
    // The one who lies still does not judge.
    check(
        &ward(),
        "
        1     ping 1 2,5     | +p ward 1
        2     ping 5 3,5     | +v ward 2
        12    tick           | RAISED ForbiddenMeeting p v
        300   ping 1 9,5     | CLEARED ForbiddenMeeting p v: ConditionEnded
        ",
    );
}

/// Neither floor nor place tell at first that he has gone, and when they do he is too far to be looked for.
#[test]
fn an_open_alarm_is_looked_at_each_minute() {
    let of_many = with_many_unseen(&ward());
    World::new(&of_many).check(
        "
        1     ping 1 5,5             | +p ward 1
        2     ping 5 6,5             | +v ward 2
        12    tick                   | RAISED ForbiddenMeeting p v
        20    ping 5 6,5 acc=60000   |
        21    ping 5 45,5 acc=50000  | v through exit, -v ward 1
        22    ping 5 45,5 acc=40000  |
        23    ping 5 45,5 acc=100    |
        72    tick                   | CLEARED ForbiddenMeeting p v: ConditionEnded
        ",
    );
    // Of few each is looked at, however far off a position may be.
    World::new(&ward()).check(
        "
        1     ping 1 5,5             | +p ward 1
        2     ping 5 6,5             | +v ward 2
        12    tick                   | RAISED ForbiddenMeeting p v
        20    ping 5 6,5 acc=60000   |
        21    ping 5 45,5 acc=50000  | v through exit, -v ward 1
        22    ping 5 45,5 acc=40000  |
        23    ping 5 45,5 acc=100    | CLEARED ForbiddenMeeting p v: ConditionEnded
        ",
    );
}

/// Forty who fell silent beside somebody hide nobody who comes.
#[test]
fn alarms_about_who_is_not_heard_leave_room_for_others() {
    let mut world = World::new(&crowd(40));
    world.play(&["1", "ping", "100", "5,5"]);
    for other in 1..=32 {
        world.play(&["1", "ping", &(100 + other).to_string(), "5.5,5"]);
    }
    world.play(&["11", "tick"]);
    let of_first = |world: &World| told_open(world).iter().filter(|pair| pair.0 == 0).count();
    assert_eq!(of_first(&world), 32);
    world.play(&["12", "ping", "133", "5,5.5"]);
    world.play(&["22", "tick"]);
    assert_eq!(of_first(&world), 32, "there is no room for more");
    world.play(&["200", "ping", "100", "5,5"]);
    world.play(&["201", "ping", "134", "5,5.5"]);
    world.play(&["211", "tick"]);
    assert!(told_open(&world).contains(&(0, 34)));
}

/// Three hundred tags within `apart_m`, of whom most fell silent, and one a metre away.
#[test]
fn a_hall_full_of_tags_hides_nobody_who_is_near() {
    let mut config = crowd(300);
    if let Condition::Meets { apart_mm, .. } = &mut config.rules[0].condition {
        *apart_mm = 50_000;
    }
    let mut world = World::new(&config);
    for other in 0..298 {
        let (column, row) = (other % 20, other / 20);
        let place = format!("{}.5,{}.5", column, row % 10);
        world.play(&["1", "ping", &(100 + other).to_string(), &place]);
    }
    world.play(&["100", "ping", "398", "5,5"]);
    world.play(&["101", "ping", "399", "5,6"]);
    world.play(&["112", "tick"]);
    assert!(told_open(&world).contains(&(298, 299)));
}

/// Ward and lobby lie beside each other; whoever met goes on to until they are apart.
#[test]
fn a_rule_about_rooms_leaves_walls_between_two_out() {
    let mut config = ward();
    if let Condition::Meets { zones, .. } = &mut config.rules[0].condition {
        *zones = vec![WARD, LOBBY];
    }
    check(
        &config,
        "
        1     ping 1 9.5,5   | +p ward 1
        2     ping 5 10.5,5  | +v lobby 1
        12    tick           |
        15    ping 5 9,5     | -v lobby 0, +v ward 2
        25    tick           | RAISED ForbiddenMeeting p v
        30    ping 5 10.5,5  | -v ward 1, +v lobby 1
        31    ping 1 6,5     | CLEARED ForbiddenMeeting p v: ConditionEnded
        ",
    );
}

#[test]
fn a_stale_position_meets_nobody_and_ends_nothing() {
    check(
        &ward(),
        "
        1     ping 1 5,5     | +p ward 1
        70    ping 5 6,5     | +v ward 2
        80    tick           |
        100   ping 1 5,5     |
        110   tick           | RAISED ForbiddenMeeting p v
        300   tick           |
        301   ping 5 25,5    | -v ward 1, +v garden 1, CLEARED ForbiddenMeeting p v: ConditionEnded
        ",
    );
    // Neither was seen for over a minute when the time was over.
    let mut config = ward();
    if let Condition::Meets { after_ns, .. } = &mut config.rules[0].condition {
        *after_ns = 300 * NS_PER_S;
    }
    check(
        &config,
        "
        1     ping 1 5,5     | +p ward 1
        2     ping 5 6,5     | +v ward 2
        302   tick           |
        400   ping 1 5,5     |
        401   ping 5 6,5     |
        701   tick           |
        ",
    );
}

#[test]
fn it_alarms_in_the_hours_of_its_rule() {
    let config = hospital(vec![hours(10, 18, for_class(SubjectClass::Patient, apart(visitors())))]);
    check(
        &config,
        "
        09:59:20  ping 1 5,5     | +p ward 1
        09:59:20  ping 5 6,5     | +v ward 2
        10:00     tick           | RAISED ForbiddenMeeting p v
        18:00     tick           | CLEARED ForbiddenMeeting p v: RuleRemoved
        ",
    );
    // Out of them who is not heard is forgotten, and begins anew.
    let config = hospital(vec![hours(10, 18, for_class(SubjectClass::Patient, apart(visitors())))]);
    check(
        &config,
        "
        09:30     ping 1 5,5     | +p ward 1
        09:30     ping 5 6,5     | +v ward 2
        09:40     ping 1 5,5     |
        09:59:55  ping 5 6,5     |
        09:59:56  ping 1 5,5     |
        10:00     tick           |
        10:00:06  tick           | RAISED ForbiddenMeeting p v
        ",
    );
}

#[test]
fn a_change_of_the_site_ends_what_it_says_no_more_and_finds_who_is_near() {
    let config = |version, rules| SiteConfig { version, ..hospital(rules) };
    let kept = || for_class(SubjectClass::Patient, apart(visitors()));
    let mut world = World::new(&config(1, vec![]));
    world.check("1 ping 1 5,5 | +p ward 1\n1 ping 5 6,5 | +v ward 2");
    assert!(world.change(&config(2, vec![kept()])).is_empty());
    world.check("10 ping 5 6,5 |\n20 tick | RAISED ForbiddenMeeting p v");
    let other =
        for_class(SubjectClass::Patient, apart(Who { subjects: vec![1], ..Who::default() }));
    let cleared = ["CLEARED ForbiddenMeeting p v: RuleRemoved"];
    assert_eq!(world.change(&config(3, vec![other])), cleared);
    world.change(&config(4, vec![kept()]));
    world.check("30 ping 1 5,5 |\n31 ping 5 6,5 |\n40 tick | RAISED ForbiddenMeeting p v");
    let mut bare = config(5, vec![kept()]);
    bare.tags.retain(|tag| tag.subject != Some(3));
    let told = world.change(&bare);
    assert_eq!(told, ["CLEARED ForbiddenMeeting p v: RuleRemoved", "-v ward 1"]);
    world.check("50 ping 1 5,5 |\n70 tick |");
    assert!(world.change(&config(6, vec![])).is_empty());
    world.check("80 ping 1 5,5 |");
}

/// Thirty who step about in two rooms, held against a look at all pairs after each position.
#[test]
fn pairs_are_found_as_by_a_look_at_all_of_them() {
    for seed in 0..3 {
        println!("seed {seed}");
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        // Of few each is looked at; of many those alone who lie near.
        let config = crowd(if seed == 0 { 300 } else { 30 });
        let mut world = World::new(&config);
        let mut places: BTreeMap<usize, (i32, i32)> = BTreeMap::new();
        let mut since: BTreeMap<(usize, usize), u64> = BTreeMap::new();
        let mut open: BTreeSet<(usize, usize)> = BTreeSet::new();
        let mut opened_count = 0;
        for step in 1..2_000_u64 {
            let now_ms = step * 200;
            let who = random.random_range(0..30_usize);
            let place = places.entry(who).or_insert((random.random_range(200..19_000), 5_000));
            place.0 = (place.0 + random.random_range(-450..=450)).clamp(100, 19_900);
            place.1 = (place.1 + random.random_range(-450..=450)).clamp(100, 9_900);
            let at = format!("{}.{:03}", now_ms / 1_000, now_ms % 1_000);
            let place = format!("{:.3},{:.3}", f64::from(place.0) / 1e3, f64::from(place.1) / 1e3);
            world.play(&[&at, "ping", &(100 + who).to_string(), &place]);
            for (&pair, &since_ms) in &since {
                if since_ms + 10_000 <= now_ms && open.insert(pair) {
                    opened_count += 1;
                }
            }
            for (&a, &from) in &places {
                for (&b, &to) in places.iter().filter(|&(&b, _)| b > a && kept_apart(a, b)) {
                    let square = (from.0 - to.0).pow(2) + (from.1 - to.1).pow(2);
                    if square > 4_000_i32.pow(2) {
                        since.remove(&(a, b));
                        open.remove(&(a, b));
                    } else if square <= 2_000_i32.pow(2) {
                        since.entry((a, b)).or_insert(now_ms);
                    }
                }
            }
            assert_eq!(told_open(&world), open, "seed {seed}, step {step}");
        }
        assert!(opened_count > 20, "{opened_count} alarms");
    }
}

/// Two of three are patients, who are kept apart from each other; the rest are visitors, kept apart from them.
fn kept_apart(a: usize, b: usize) -> bool {
    !(a % 3 == 2 && b % 3 == 2)
}

fn crowd(count: usize) -> SiteConfig {
    let everybody =
        Who { classes: vec![SubjectClass::Patient, SubjectClass::Visitor], ..Who::default() };
    let mut config = hospital(vec![for_class(SubjectClass::Patient, apart(everybody))]);
    let visitor = config.subjects[3].clone();
    config.subjects.clear();
    config.tags.clear();
    for number in 0..count {
        let mut subject = visitor.clone();
        subject.id = id(number);
        if number % 3 != 2 {
            subject.class = SubjectClass::Patient;
        }
        config.subjects.push(subject);
        let subject = Some(u32::try_from(number).expect("few"));
        let tag = TagId(100 + u64::try_from(number).expect("few"));
        config.tags.push(TagConfig { id: tag, source: 0, subject });
    }
    config
}

fn id(number: usize) -> Name {
    name(&format!("n{number}"))
}

/// The pairs of whom an alarm is open, the lower number first.
fn told_open(world: &World) -> BTreeSet<(usize, usize)> {
    let mut open = BTreeSet::new();
    for notice in &world.notices {
        let subject = notice.subject.expect("a subject");
        let ach_actors_model::Place::Subject(other) = notice.place else { panic!("a pair") };
        let number = |subject| -> usize {
            let name = world.site.subject_name(subject).expect("a subject");
            name.strip_prefix('n').expect("a number").parse().expect("a number")
        };
        let (a, b) = (number(subject), number(other));
        let pair = (a.min(b), a.max(b));
        if notice.reason.is_none() {
            assert!(open.insert(pair), "one episode a pair: {notice:?}");
        } else {
            assert!(open.remove(&pair), "{notice:?}");
        }
    }
    open
}
