//! Responses that lock what they cannot, that nobody names, and alarms that come back to themselves.

use ach_actors_model::{DoorMode, NS_PER_S, Name};
use ach_engine_site::{
    ControlPlan, ResponsePlan, RulePlan, Severity, SiteDirectory, What, WherePlan, sample_hospital,
};

use super::{Kind, check, error, warning};

fn name(id: &str) -> Name {
    Name::new(id).unwrap()
}

const NOT_FOLLOWING: What = What::DoorNotFollowing { after_ns: 10 * NS_PER_S };
const HELD: What = What::DoorHeld { after_ns: 60 * NS_PER_S, also_unlocked: false };
const PROPPED: What = What::DoorHeld { after_ns: 60 * NS_PER_S, also_unlocked: true };

/// A hospital with four doors that are moved and rules `watch>lock`, each with a response: doors a and b are unlocked by
/// day, c and d never.
fn linked(rules: &[(&str, What, &str, &str)]) -> SiteDirectory {
    let mut site = sample_hospital().directory;
    let (plain, rest) = (site.rules[0].clone(), WherePlan::default());
    let ground = &mut site.floors[0];
    let mut door = ground.doors.iter().find(|door| door.control.is_some()).unwrap().clone();
    (door.labels, door.control) = (Vec::new(), Some(name("ward")));
    for (at, id) in ["a", "b", "c", "d"].into_iter().enumerate() {
        door.id = name(id);
        door.control = Some(name(if at < 2 { "by-day" } else { "ward" }));
        ground.doors.push(door.clone());
    }
    let by_day = site.controls.iter().find(|way| !way.unlocked_when.is_empty()).unwrap().clone();
    site.controls.push(ControlPlan { id: name("by-day"), ..by_day });
    let doors = |text: &str| text.split_whitespace().map(name).collect::<Vec<Name>>();
    for &(id, what, watches, locks) in rules {
        let response = ResponsePlan {
            doors: doors(locks),
            for_ns: NS_PER_S,
            ..ResponsePlan::new(name(&format!("of-{id}")))
        };
        site.rules.push(RulePlan {
            id: name(id),
            who: ach_engine_site::WhoPlan::default(),
            place: WherePlan { doors: doors(watches), ..rest.clone() },
            what,
            alarm: what.alarms()[0],
            gates: None,
            is_tentative: false,
            responses: vec![response.id.clone()],
            ..plain.clone()
        });
        site.responses.push(response);
    }
    site
}

/// What is found of rounds: how bad, and the rules in their order.
fn rounds(rules: &[(&str, What, &str, &str)]) -> Vec<(Severity, String)> {
    let findings = linked(rules).check();
    let of_rounds = findings.iter().filter(|finding| finding.kind == Kind::ResponseCycle);
    let told = of_rounds.map(|finding| {
        let steps = finding.problem.split("; ").map(|step| {
            let words: Vec<&str> = step.split('`').collect();
            // `a` locks door `d`, at which `b` raises `door_held`
            format!("{}-{}", words[1], words[3])
        });
        (finding.severity, steps.collect::<Vec<String>>().join(" "))
    });
    told.collect()
}

#[test]
fn an_alarm_that_comes_back_to_itself_is_told_with_the_whole_round() {
    let nothing: [(Severity, String); 0] = [];
    let error = |round: &str| (Severity::Error, round.to_owned());
    let warning = |round: &str| (Severity::Warning, round.to_owned());
    assert_eq!(rounds(&[("one", NOT_FOLLOWING, "a", "b")]), nothing);
    assert_eq!(rounds(&[("one", NOT_FOLLOWING, "a", "a")]), [error("one-a")]);
    // An order is given anew to a door that is locked already, too.
    assert_eq!(rounds(&[("one", NOT_FOLLOWING, "c", "c")]), [error("one-c")]);
    assert_eq!(
        rounds(&[("one", NOT_FOLLOWING, "a", "b"), ("two", HELD, "b", "a")]),
        [error("one-b two-a")]
    );
    // Through three, and only those who are in the round.
    assert_eq!(
        rounds(&[
            ("zero", HELD, "d", "a"),
            ("one", HELD, "a", "b"),
            ("two", NOT_FOLLOWING, "b", "c d"),
            ("three", NOT_FOLLOWING, "c", "a"),
        ]),
        [error("one-b two-c three-a")]
    );
    // Somebody must push.
    assert_eq!(rounds(&[("one", What::DoorForced, "a", "a")]), [warning("one-a")]);
    assert_eq!(
        rounds(&[("one", What::DoorForced, "a", "b"), ("two", HELD, "b", "a")]),
        [warning("one-b two-a")]
    );
    // What is locked at all hours is not held or forced because it is locked.
    assert_eq!(rounds(&[("one", HELD, "c", "c"), ("two", What::DoorForced, "d", "d")]), nothing);
    // Locking a door has no say in these.
    assert_eq!(rounds(&[("one", PROPPED, "a", "a")]), nothing);
    assert_eq!(rounds(&[("one", What::DoorTampered, "a", "a")]), nothing);
    let lost = What::DoorLost { after_ns: NS_PER_S };
    assert_eq!(rounds(&[("one", lost, "a", "a")]), nothing);
}

#[test]
fn a_round_is_told_by_name_with_a_remedy() {
    let rules = [("one", NOT_FOLLOWING, "a", "b"), ("two", HELD, "b", "a")];
    let findings = linked(&rules).check();
    let told = findings.iter().find(|finding| finding.kind == Kind::ResponseCycle).unwrap();
    assert_eq!(
        told.problem,
        "its alarms come back to it with nobody there: `one` locks door `b`, at which `two` raises \
         `door_held`; `two` locks door `a`, at which `one` raises `door_not_following`"
    );
    assert_eq!(told.remedy, "take one of these doors out of the responses of `one`, `two`");
    assert!(linked(&rules).config(1).is_err(), "such a site is not used");
}

#[test]
fn doors_of_a_response_are_there_are_moved_and_are_no_exits_unless_that_is_said() {
    let found = |edit: fn(&mut ResponsePlan)| {
        let mut site = linked(&[("one", What::DoorTampered, "a", "b")]);
        let ground = &mut site.floors[0];
        for door in &mut ground.doors {
            match door.id.as_str() {
                "c" => door.labels = vec![name("fire-exit")],
                "d" => door.control = None,
                _ => {}
            }
        }
        edit(site.responses.last_mut().unwrap());
        let findings = site.check();
        let ours = findings.iter().filter(|finding| finding.file == "rules.toml");
        let ours = ours.filter(|finding| finding.place.starts_with("response"));
        ours.map(|finding| (finding.severity, finding.kind)).collect::<Vec<_>>()
    };
    let nothing: [(Severity, Kind); 0] = [];
    assert_eq!(found(|_| {}), nothing);
    assert_eq!(found(|plan| plan.doors[0] = name("c")), [(Severity::Warning, Kind::LockedExit)]);
    assert_eq!(
        found(|plan| (plan.doors[0], plan.also_exits) = (name("c"), true)),
        nothing,
        "it is meant"
    );
    assert_eq!(found(|plan| plan.doors[0] = name("d")), [(Severity::Warning, Kind::UnwiredDoor)]);
    assert_eq!(found(|plan| plan.doors[0] = name("x")), [(Severity::Error, Kind::UnknownDoor)]);
    assert_eq!(found(|plan| plan.doors.clear()), [(Severity::Error, Kind::EmptySelection)]);
    assert_eq!(
        found(|plan| (plan.doors, plan.tell) = (Vec::new(), vec![name("camera-1")])),
        nothing,
        "it tells somebody"
    );
    assert_eq!(
        found(|plan| plan.doors_labelled = vec![name("nowhere")]),
        [(Severity::Warning, Kind::EmptySelection)]
    );
    assert_eq!(
        found(|plan| plan.doors_labelled = vec![name("room-door"), name("ward-door")]).first(),
        Some(&(Severity::Error, Kind::BadValue)),
        "more doors than a response has"
    );
    assert_eq!(found(|plan| plan.mode = DoorMode::Blocked), nothing);
}

/// The last rule of the example, with more behind it.
fn with(more: &str, expected: &[super::Expected]) {
    let last = "percent = 10\npriority = \"low\"";
    check("rules.toml", last, &format!("{last}\n{more}"), expected);
}

#[test]
fn responses_are_read_with_every_mistake() {
    let tells = "[[response]]\nid = \"call\"\ntell = [\"gate\"]";
    with(&format!("responses = [\"call\"]\n{tells}"), &[]);
    with(
        tells,
        &[warning(Kind::UnusedResponse, "[[response]]", "response call", "responses = [\"call\"]")],
    );
    with(
        &format!(
            "responses = [\"cal\"]\n{tells}\n[[rule]]\nid = \"two\"\nwhat = \"band_cut\"\nwho = {{ classes = [\"staff\"] }}\npriority = \"low\"\nresponses = [\"call\"]"
        ),
        &[error(Kind::UnknownResponse, "", "rule battery", "did you mean `call`?")],
    );
    with(
        &format!("responses = [\"call\", \"call\"]\n{tells}"),
        &[error(Kind::BadValue, "", "rule battery", "remove one")],
    );
    with(
        &format!("responses = [\"call\"]\n{tells}\nfor = \"5 min\""),
        &[error(Kind::UnknownField, "for = \"5 min\"", "response call", "remove it")],
    );
    with(
        "responses = [\"hold\"]\n[[response]]\nid = \"hold\"\nlock = { doors = [\"entrance\"] }\nas = \"open\"",
        &[
            error(Kind::MissingField, "", "response hold", "for = \"15 min\""),
            warning(Kind::UnwiredDoor, "", "response hold", "add \"control\""),
            error(Kind::BadValue, "as = \"open\"", "response hold", "locked, blocked"),
        ],
    );
    with(
        "responses = [\"hold\"]\n[[response]]\nid = \"hold\"\nlock = { doors = [\"entrance\"] }\nfor = \"25 h\"",
        &[
            warning(Kind::UnwiredDoor, "", "response hold", "add \"control\""),
            error(Kind::BadValue, "for = \"25 h\"", "response hold", "24 h"),
        ],
    );
}
