//! What waits to be told while the calls for it are late.

use ach_actors_model::{AlarmKind, Condition, DelayConfig, NS_PER_S, RuleConfig, SiteConfig};

use crate::hospital::{GARDEN, WARD, hospital, rule};
use crate::world::World;

/// Each of them waits for ten seconds.
fn config() -> SiteConfig {
    let (zones, lines) = (vec![WARD], Vec::new());
    let rules = vec![
        rule("out", AlarmKind::Elopement, Condition::Leaves { zones, lines }),
        rule("in", AlarmKind::UnauthorisedEntry, Condition::Inside { zones: vec![GARDEN] }),
        rule("full", AlarmKind::OverCapacity, Condition::OverCapacity { zones: vec![WARD] }),
        rule("flat", AlarmKind::BatteryLow, Condition::BatteryLow { percent: 20 }),
        rule(
            "weak",
            AlarmKind::DoorBatteryLow,
            Condition::DoorBatteryLow { doors: vec![0], percent: 20 },
        ),
    ];
    let delayed = |mut rule: RuleConfig| {
        rule.answer.delays = DelayConfig { on_ns: 10 * NS_PER_S, off_ns: 0 };
        rule
    };
    let mut config = hospital(rules.into_iter().map(delayed).collect());
    config.zones[0].capacity = Some(1);
    config
}

#[test]
fn what_is_heard_before_the_call_for_what_waits_ends_it_only_if_it_was_over_in_time() {
    let out = ["1 ping 1 5,5", "100 ping 1 15,5"];
    let inside = ["1 ping 3 15,5", "100 ping 3 25,5"];
    let full = ["1 ping 3 5,5", "100 ping 1 5,5"];
    let flat = ["1 ping 3 15,5 bat=50", "100 ping 3 15,5 bat=10"];
    let weak = ["1 charge exit 50", "100 charge exit 10"];
    for (begins, ends, kind) in [
        (out, "ping 1 5,5", "Elopement"),
        (inside, "ping 3 15,5", "UnauthorisedEntry"),
        (full, "ping 1 15,5", "OverCapacity"),
        (flat, "ping 3 15,5 bat=90", "BatteryLow"),
        (weak, "charge exit 90", "DoorBatteryLow"),
    ] {
        let told = |ends: &str| {
            let mut world = World::new(&config());
            for line in begins.into_iter().chain([ends, "900 tick"]) {
                world.play(&line.split_whitespace().collect::<Vec<_>>());
            }
            let of_kind = world.notices.iter().filter(|it| format!("{:?}", it.kind) == kind);
            of_kind.map(|it| format!("{:?} late={}", it.transition, it.is_late)).collect::<Vec<_>>()
        };
        let held = ["Raised late=true", "Cleared late=true"];
        assert_eq!(told(&format!("500 {ends} behind")), held, "{kind}, over now");
        assert_eq!(told(&format!("500 {ends} behind obs=110")), held, "{kind}, over in the end");
        let none: [&str; 0] = [];
        assert_eq!(told(&format!("500 {ends} behind obs=109")), none, "{kind}, over before");
        assert_eq!(told(&format!("109 {ends}")), none, "{kind}, over before, nothing late");
    }
}
