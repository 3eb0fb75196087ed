//! Who has been alone for too long.

use ach_actors_model::{
    AlarmKind, Condition, NS_PER_S, RuleConfig, SiteConfig, SubjectClass, TagConfig, TagId, Who,
};

use crate::hospital::{LOBBY, WARD, for_class, hospital, hours, name, rule};
use crate::world::World;

fn staff() -> Who {
    Who { classes: vec![SubjectClass::Staff], ..Who::default() }
}

fn guards() -> Who {
    Who { labels_any: vec![name("guard")], ..Who::default() }
}

/// Staff may be without company in the zones for ten minutes.
fn alone(zones: Vec<u32>, with: Who) -> RuleConfig {
    let condition = Condition::Alone { zones, with, after_ns: 600 * NS_PER_S };
    for_class(SubjectClass::Staff, rule("alone", AlarmKind::LoneWorker, condition))
}

/// Staff s (tag 3), t (7) and the guard g (8), patient p (1), visitor v (5).
fn ward(rules: Vec<RuleConfig>) -> SiteConfig {
    let mut config = hospital(rules);
    for (id, label, tag) in [("t", None, 7), ("g", Some("guard"), 8)] {
        let mut subject = config.subjects[1].clone();
        subject.id = name(id);
        subject.labels = label.map(name).into_iter().collect();
        config.subjects.push(subject);
        let subject = Some(u32::try_from(config.subjects.len() - 1).expect("few"));
        config.tags.push(TagConfig { id: TagId(tag), source: 0, subject });
    }
    config
}

#[track_caller]
fn check(config: &SiteConfig, story: &str) {
    World::restful(config).check(story);
    World::new(config).check(story);
}

#[test]
fn who_has_been_alone_for_too_long_alarms_until_company_comes() {
    check(
        &ward(vec![alone(vec![WARD], staff())]),
        "
        1     ping 3 5,5    | +s ward 1
        600   ping 3 5,5    |
        601   tick          | RAISED LoneWorker s ward
        700   ping 7 5,5    | +t ward 2, CLEARED LoneWorker s ward: ConditionEnded
        9000  tick          |
        ",
    );
}

#[test]
fn whose_company_leaves_is_alone_from_then_on() {
    check(
        &ward(vec![alone(vec![WARD], staff())]),
        "
        1     ping 3 5,5    | +s ward 1
        2     ping 7 5,5    | +t ward 2
        3     ping 8 5,5    | +g ward 3
        1000  ping 8 15,5   | -g ward 2, +g lobby 1
        2000  ping 7 15,5   | -t ward 1, +t lobby 2
        2599  tick          |
        2600  tick          | RAISED LoneWorker s ward
        2700  ping 3 15,5   | -s ward 0, CLEARED LoneWorker s ward: ConditionEnded, +s lobby 3
        9000  tick          |
        ",
    );
}

#[test]
fn patients_and_visitors_are_no_company_unless_the_rule_says_so() {
    let story = |raised: &str| {
        format!(
            "
        1     ping 3 5,5    | +s ward 1
        2     ping 1 5,5    | +p ward 2
        3     ping 5 5,5    | +v ward 3
        601   tick          | {raised}
        "
        )
    };
    let raised = "RAISED LoneWorker s ward";
    check(&ward(vec![alone(vec![WARD], staff())]), &story(raised));
    check(&ward(vec![alone(vec![WARD], Who::default())]), &story(""));
    let named = Who { subjects: vec![3], ..Who::default() };
    check(&ward(vec![alone(vec![WARD], named)]), &story(""));
    let named = Who { subjects: vec![2], ..Who::default() };
    check(&ward(vec![alone(vec![WARD], named)]), &story(raised));
}

#[test]
fn without_a_guard_everybody_is_alone_and_the_guard_himself_among_others_is_too() {
    check(
        &ward(vec![alone(vec![WARD], guards())]),
        "
        1     ping 3 5,5    | +s ward 1
        101   ping 7 5,5    | +t ward 2
        601   tick          | RAISED LoneWorker s ward
        701   tick          | RAISED LoneWorker t ward
        800   ping 8 5,5    | +g ward 3, CLEARED LoneWorker s ward: ConditionEnded, CLEARED LoneWorker t ward: ConditionEnded
        1400  tick          | RAISED LoneWorker g ward
        1500  ping 8 15,5   | -g ward 2, CLEARED LoneWorker g ward: ConditionEnded, +g lobby 1
        2100  tick          | RAISED LoneWorker s ward, RAISED LoneWorker t ward
        2200  ping 3 15,5   | -s ward 1, CLEARED LoneWorker s ward: ConditionEnded, +s lobby 2
        ",
    );
}

#[test]
fn each_zone_is_looked_at_on_its_own() {
    check(
        &ward(vec![alone(vec![WARD, LOBBY], staff())]),
        "
        1     ping 3 5,5    | +s ward 1
        2     ping 7 15,5   | +t lobby 1
        500   ping 3 15,5   | -s ward 0, +s lobby 2
        9000  tick          |
        9001  ping 7 5,5    | -t lobby 1, +t ward 1
        9601  tick          | RAISED LoneWorker s lobby, RAISED LoneWorker t ward
        ",
    );
}

#[test]
fn in_a_blind_zone_nobody_can_tell() {
    check(
        &ward(vec![alone(vec![WARD], staff())]),
        "
        1     ping 3 5,5    | +s ward 1
        500   lost a1       | RAISED ZoneBlind - a1, ward blind
        601   tick          |
        700   alive a1      | CLEARED ZoneBlind - a1: ConditionEnded, ward sighted
        759   tick          |
        760   tick          | RAISED LoneWorker s ward
        800   lost a1       | RAISED ZoneBlind - a1, ward blind
        900   tick          |
        ",
    );
}

#[test]
fn a_time_that_was_over_while_the_node_was_away_gives_tags_a_minute_to_tell() {
    check(
        &ward(vec![alone(vec![WARD], staff())]),
        "
        1     ping 3 5,5    | +s ward 1
        5000  away 200      |
        5059  tick          |
        5060  tick          | RAISED LoneWorker s ward
        ",
    );
    // Others who come and go meanwhile say nothing of him.
    check(
        &ward(vec![alone(vec![WARD], staff())]),
        "
        1     ping 3 5,5    | +s ward 1
        5000  away 200      |
        5010  ping 1 5,5    | +p ward 2
        5020  ping 1 15,5   | -p ward 1, +p lobby 1
        5059  tick          |
        5060  tick          | RAISED LoneWorker s ward
        ",
    );
    check(
        &ward(vec![alone(vec![WARD], staff())]),
        "
        1     ping 3 5,5    | +s ward 1
        5000  away 200      |
        5010  ping 1 5,5    | +p ward 2
        5030  ping 7 5,5    | +t ward 3
        5060  tick          |
        ",
    );
}

#[test]
fn it_alarms_in_the_hours_of_its_rule() {
    check(
        &ward(vec![hours(22, 6, alone(vec![WARD], staff()))]),
        "
        20:00     ping 3 5,5    | +s ward 1
        22:00     tick          | RAISED LoneWorker s ward
        30:00     tick          | CLEARED LoneWorker s ward: RuleRemoved
        45:55     ping 7 5,5    | +t ward 2
        46:00     tick          |
        46:05     ping 7 15,5   | -t ward 1, +t lobby 1
        46:15     tick          | RAISED LoneWorker s ward
        ",
    );
}

#[test]
fn a_change_of_the_site_finds_who_is_alone_by_it() {
    let config = |version, rules| SiteConfig { version, ..ward(rules) };
    let mut world = World::new(&config(1, vec![]));
    world.check("1 ping 3 5,5 | +s ward 1\n2 ping 7 5,5 | +t ward 2\n1000 tick |");
    assert!(world.change(&config(2, vec![alone(vec![WARD], guards())])).is_empty());
    world.check("1600 tick | RAISED LoneWorker s ward, RAISED LoneWorker t ward");
    let ended = world.change(&config(3, vec![alone(vec![WARD], staff())]));
    let both = ["s", "t"].map(|who| format!("CLEARED LoneWorker {who} ward: ConditionEnded"));
    assert_eq!(ended, both);
    world.change(&config(4, vec![alone(vec![WARD], guards())]));
    world.check("2200 tick | RAISED LoneWorker s ward, RAISED LoneWorker t ward");
    // The rule is about one of them alone, and gives more time.
    let named = Who { subjects: vec![1], ..Who::default() };
    let mut narrower = RuleConfig { who: named, ..alone(vec![WARD], guards()) };
    let told = world.change(&config(5, vec![narrower.clone()]));
    assert_eq!(told, ["CLEARED LoneWorker t ward: RuleRemoved"]);
    if let Condition::Alone { after_ns, .. } = &mut narrower.condition {
        *after_ns = 900 * NS_PER_S;
    }
    let told = world.change(&config(6, vec![narrower]));
    assert_eq!(told, ["CLEARED LoneWorker s ward: RuleRemoved"]);
    world.check("2500 tick | RAISED LoneWorker s ward");
    assert_eq!(world.change(&config(7, vec![])), ["CLEARED LoneWorker s ward: RuleRemoved"]);
}

/// Counted again by hand after each step of a crowd that comes and goes.
#[test]
fn a_crowd_is_counted_as_one_would_by_hand() {
    let mut world = World::new(&ward(vec![alone(vec![WARD], staff())]));
    let mut is_in = [false; 3];
    for step in 0..200_usize {
        let who = (step * step + step / 7) % 3;
        is_in[who] = !is_in[who];
        let tag = ["3", "7", "8"][who];
        let place = if is_in[who] { "5,5" } else { "15,5" };
        let second = 1 + step * 700;
        world.play(&[&second.to_string(), "ping", tag, place]);
        let told = world.play(&[&(second + 600).to_string(), "tick"]);
        let expected = is_in.iter().filter(|&&is_in| is_in).count() == 1;
        let open = world
            .notices
            .iter()
            .fold(0_i32, |open, notice| if notice.reason.is_some() { open - 1 } else { open + 1 });
        assert_eq!(open == 1, expected, "step {step}: {told:?}");
    }
}
