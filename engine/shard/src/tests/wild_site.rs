//! A site of which anything may be heard.

use ach_actors_model::{
    AlarmKind, AnswerConfig, BadgeConfig, Condition, DelayConfig, DoorMode, Escalation, NS_PER_S,
    ResponseConfig, RuleConfig, SiteConfig, TagConfig, TagId, Who,
};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::door_stories::moved;
use super::hospital::name;

/// A site with a rule of each kind that few have, whose doors are moved.
pub(super) fn wild_site(rng: &mut ChaCha8Rng) -> SiteConfig {
    let mut config = moved();
    config.sources[0].zones = vec![0, 1];
    config.badges = vec![BadgeConfig { id: name("card-1"), subject: 3 }];
    // Anna wears a second one.
    config.tags.push(TagConfig { id: TagId(0xA7), source: 0, subject: Some(0) });
    let (zones, after_ns) = (vec![0, 1, 2], 2 * NS_PER_S);
    let (within_mm, apart_mm, all) = (9_000, 12_000, Who::default);
    for (id, condition, alarm) in [
        ("apart", Condition::TagsContradict, AlarmKind::TagsContradict),
        ("away", Condition::Away { zones: vec![0], after_ns }, AlarmKind::AssetNotReturned),
        ("motion", motion(&mut config), AlarmKind::UnexplainedMotion),
        ("alone", Condition::Alone { zones, with: all(), after_ns }, AlarmKind::LoneWorker),
        (
            "meets",
            Condition::Meets { zones: Vec::new(), whom: all(), within_mm, apart_mm, after_ns },
            AlarmKind::ForbiddenMeeting,
        ),
        ("tail", Condition::Tailgating { doors: vec![0], with: None }, AlarmKind::Tailgating),
        ("badge", badge_elsewhere(), AlarmKind::BadgeElsewhere),
    ] {
        let rule = config.rules[0].clone();
        config.rules.push(RuleConfig { id: name(id), condition, alarm, who: all(), ..rule });
    }
    wild_answers(rng, &mut config.rules);
    config
}

/// Rules ask of people whatever a rule can ask.
fn wild_answers(rng: &mut ChaCha8Rng, rules: &mut [RuleConfig]) {
    use ach_actors_model::StaysUntil::{Acknowledged, Closed, ConditionEnds, Confirmed};
    for rule in rules {
        let step = |after_s: u64| Escalation { after_ns: after_s * NS_PER_S, to: name("desk") };
        rule.answer = AnswerConfig {
            stays_until: [ConditionEnds, Acknowledged, Confirmed, Closed][rng.random_range(0..4)],
            latches: rng.random_range(0..3) == 0,
            is_life_safety: rng.random_range(0..4) == 0,
            escalations: [20, 90].map(step).into_iter().take(rng.random_range(0..3)).collect(),
            again_after_ns: rng.random::<bool>().then_some(60 * NS_PER_S),
            responses: wild_responses(rng),
            delays: DelayConfig::default(),
        };
        let may_wait = !rule.answer.is_life_safety;
        let wait = |rng: &mut ChaCha8Rng, may: bool| {
            let ns = [0, 3, 20][rng.random_range(0..3)] * NS_PER_S;
            if may { ns } else { 0 }
        };
        let may_begin_late = may_wait && !rule.is_tentative && rule.condition.may_begin_late();
        rule.answer.delays = DelayConfig {
            on_ns: wait(rng, may_begin_late),
            off_ns: wait(rng, may_wait && rule.condition.may_end_late()),
        };
    }
}

fn badge_elsewhere() -> Condition {
    Condition::BadgeElsewhere { doors: vec![0, 1], within_mm: 1_000 }
}

/// The system of doors tells what moves in each zone.
fn motion(config: &mut SiteConfig) -> Condition {
    config.zones.iter_mut().for_each(|zone| zone.motion_source = Some(1));
    Condition::Motion { zones: vec![0, 1, 2], with: Who::default(), after_ns: 2 * NS_PER_S }
}

/// Doors that are moved are locked or blocked by one alarm in two.
fn wild_responses(rng: &mut ChaCha8Rng) -> Vec<ResponseConfig> {
    let mode = [DoorMode::Locked, DoorMode::Blocked][rng.random_range(0..2)];
    let doors = [vec![0], vec![0, 1]][rng.random_range(0..2)].clone();
    let (id, tell) = (name("holds"), vec![name("gate")]);
    let for_ns = [5, 60][rng.random_range(0..2)] * NS_PER_S;
    let response = ResponseConfig { id, doors, mode, for_ns, tell };
    Some(response).filter(|_| rng.random::<bool>()).into_iter().collect()
}
