//! Ids of episodes, against values computed apart from this program: the bytes of
//! `docs/specs/identity.md` through the XXH3-128 of the C library.

use ach_actors_entities::{Health, Turn, ended, quarantine_notice};
use ach_actors_model::{
    AlarmKind, AlarmReason, AlarmTransition, Cause, Condition, EntityRef, SubjectClass,
};

use crate::hospital::{GARDEN, S, WARD, for_class, hospital, rule};
use crate::world::World;

#[test]
fn ids_are_those_of_the_spec() {
    let leaves = Condition::Leaves { zones: vec![WARD], lines: vec![0] };
    let forced = Condition::DoorForced { doors: vec![0] };
    let full = Condition::OverCapacity { zones: vec![GARDEN] };
    let mut config = hospital(vec![
        rule("duress", AlarmKind::Duress, Condition::ButtonPressed),
        for_class(SubjectClass::Patient, rule("elope", AlarmKind::Elopement, leaves)),
        rule("forced", AlarmKind::DoorForced, forced),
        rule("full", AlarmKind::OverCapacity, full),
    ]);
    config.sources[0].silence_ns = Some(100 * S);
    config.zones[2].capacity = Some(1);
    let mut world = World::new(&config);
    world.check(
        "
        1   press 3        | RAISED Duress s tag3
        2   reset 3        | CLEARED Duress s tag3: ConditionEnded
        3   press 3        | RAISED Duress s tag3
        4   press 6        | RAISED Duress - tag6
        5   ping 1 9,8     | +p ward 1
        6   ping 1 19,8    | RAISED Elopement p ward, -p ward 0, +p lobby 1
        7   ping 1 21,8    | RAISED Elopement p fence, -p lobby 0, +p garden 1
        8   ping 5 25,5    | +v garden 2, RAISED OverCapacity - garden
        9   open exit      | exit forced, RAISED DoorForced - exit
        10  lost a1        | RAISED ZoneBlind - a1, ward blind
        110 tick           | uwb silent, RAISED FeedSilent - uwb
        ",
    );
    let raised = world.notices.iter().filter(|one| one.transition == AlarmTransition::Raised);
    let ids: Vec<String> = raised.map(|notice| notice.id.to_string()).collect();
    assert_eq!(
        ids,
        [
            "f9a602484d3ca995c03fb82c8ee42597",
            "7f896d754546482def5aeebe8f8b6ffd",
            "0b8573ff46a0143e6ad9791fce4e59d4",
            "5277a27d2b1469473d9d246028ad072a",
            "94d8624217bd2e20141c0bb789c28998",
            "2cc908b7fa504ebb46f8510cd8d4b46e",
            "872207fa4ac16542e884e5a07ef5f17d",
            "f6d7ea243d0bfd9954528e9ad45eba39",
            "15d9948d4df3c49bb3323924b4aa99ea",
        ]
    );
}

#[test]
fn an_actor_set_aside_is_an_alarm_of_the_system() {
    let world = World::new(&hospital(vec![]));
    let health = Health::new();
    let turn = Turn { site: &world.site, health: &health, now: world.now };
    let patient = world.site.subject("p").expect("a subject");
    let actor = EntityRef::Subject(patient);
    let notice = quarantine_notice(actor, 1, Cause::SiteChange, world.now, &turn);
    assert_eq!(notice.id.to_string(), "03f456909c67f54717c0f9fdb07d3f05");
    assert_eq!((notice.kind, notice.subject), (AlarmKind::ActorQuarantined, Some(patient)));
    let over = ended(&notice, AlarmReason::Released, world.now.plus_ns(S));
    assert_eq!(
        (over.id, over.transition, over.reason, over.changed_at),
        (notice.id, AlarmTransition::Cleared, Some(AlarmReason::Released), world.now.plus_ns(S))
    );
}
