//! A hospital whose doors are moved, and a language for stories about them.

use ach_actors_entities::{Effect, Release};
use ach_actors_model::{
    AlarmKind, Command, CommandKind, Condition, ControlConfig, DoorAct, DoorMode, DoorOrder,
    DoorRef, DoorScope, DoorWish, EmergencyKind, EmergencyWish, NS_PER_S, Practice, Remark,
    SiteConfig, Timestamp, Window, ZoneRef,
};

use super::hospital::{MONDAY, door_rule, hospital, name};
use super::play::{Played, Setup, play_with};
use super::render;
use super::script::Script;
use crate::{Entry, Input};

/// The exit rests locked and is unlocked from six in the morning to seven in the evening; the hatch to the
/// drugs is moved by nothing but people and fire.
pub(super) fn moved() -> SiteConfig {
    let mut config = hospital();
    let control = |zones: &[u32]| ControlConfig {
        rests: DoorMode::Locked,
        unlocked_when: vec![],
        on_lockdown: Some(DoorMode::Blocked),
        opens_on_evacuation: true,
        opens_on_fire: true,
        moves_in_drill: true,
        fire_area: None,
        interlock: None,
        zones: zones.to_vec(),
    };
    let day = Window { weekdays: 0x7F, from_s: 6 * 3_600, until_s: 19 * 3_600 };
    config.doors[0].control = Some(ControlConfig { unlocked_when: vec![day], ..control(&[0, 2]) });
    config.doors[0].labels = vec![name("front")];
    config.doors[1].control = Some(ControlConfig {
        on_lockdown: None,
        opens_on_evacuation: false,
        moves_in_drill: false,
        ..control(&[0, 1])
    });
    config
}

/// The same, and a rule tells when a door is not as it was told for 10 s.
pub(super) fn watched() -> SiteConfig {
    let mut config = moved();
    let watched = Condition::DoorNotFollowing { doors: vec![0, 1], after_ns: 10 * NS_PER_S };
    config.rules.push(door_rule("disobeys", AlarmKind::DoorNotFollowing, watched));
    config
}

/// Stories with further lines: `5 nora unlocks exit for=60`, locks, blocks, gives-back, lets-out, keeps-in, ends-fire;
/// `5 nora begins lockdown site for=60`, or evacuation, zone=drugs, label=front, drill, exercise; `ends`; each
/// with why=word, key=1, void=4.
pub(super) fn told(config: SiteConfig, lines: &str) -> Script {
    let mut script = Script::new(config);
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let kind = match words[..] {
            [_, _, verb, what, ref more @ ..] => wished(verb, what, more),
            _ => None,
        };
        match kind {
            None => script.tell(line),
            Some(kind) => {
                let by = name(words[1]);
                if words[0] != "&" {
                    script.tell(&format!("{} tick", words[0]));
                }
                script.add(Input::Command(Command { by, kind }));
            }
        }
    }
    script
}

fn option<'a>(more: &[&'a str], key: &str) -> Option<&'a str> {
    more.iter().find_map(|word| word.strip_prefix(key)?.strip_prefix('='))
}

fn number(more: &[&str], key: &str) -> Option<u64> {
    option(more, key).map(|text| text.parse().expect("a number"))
}

pub(super) fn wished(verb: &str, what: &str, more: &[&str]) -> Option<CommandKind> {
    let for_ns = number(more, "for").unwrap_or(0) * NS_PER_S;
    let moved = |mode| DoorAct::Move { mode, for_ns };
    let act = match verb {
        "unlocks" => moved(DoorMode::Unlocked),
        "locks" => moved(DoorMode::Locked),
        "blocks" => moved(DoorMode::Blocked),
        "gives-back" => DoorAct::GiveBack,
        "lets-out" => DoorAct::Release,
        "keeps-in" => DoorAct::EndRelease,
        "ends-fire" => DoorAct::EndFire,
        "begins" | "ends" => return Some(CommandKind::Declare(declared(verb, what, more))),
        _ => return None,
    };
    // What is told of a door itself is a line of its own.
    let door = match what {
        "exit" => DoorRef(0),
        "hatch" => DoorRef(1),
        "nothing" => DoorRef(9),
        _ => return None,
    };
    Some(CommandKind::MoveDoor(DoorWish {
        door,
        act,
        key: number(more, "key").map(u128::from),
        void_at: number(more, "void").map(|at| MONDAY.plus_ns(at * NS_PER_S)),
        person: None,
        remark: why(more),
    }))
}

fn why(more: &[&str]) -> Option<Remark> {
    let why = option(more, "why").unwrap_or("because");
    (why != "none").then(|| Remark::new(why).expect("a word"))
}

fn declared(verb: &str, what: &str, more: &[&str]) -> EmergencyWish {
    let scope = match (option(more, "zone"), option(more, "label")) {
        (Some("drugs"), _) => DoorScope::Zone(ZoneRef(1)),
        (Some(_), _) => DoorScope::Zone(ZoneRef(2)),
        (_, Some(label)) => DoorScope::Label(name(label)),
        _ => DoorScope::Site,
    };
    let practice = match () {
        () if more.contains(&"drill") => Practice::Drill,
        () if more.contains(&"exercise") => Practice::Exercise,
        () => Practice::Real,
    };
    let kind = match what {
        "lockdown" => EmergencyKind::Lockdown,
        _ => EmergencyKind::Evacuation,
    };
    let for_ns = if verb == "ends" { 0 } else { number(more, "for").unwrap_or(0) * NS_PER_S };
    EmergencyWish {
        kind,
        scope,
        practice,
        for_ns,
        key: number(more, "key").map(u128::from),
        void_at: None,
        person: None,
        remark: why(more),
    }
}

/// Orders, refusals, and alarms of doors that do not follow, in words: `10 exit unlocked Operator`, with `drill`
/// and `at-once` where it waits for no disk.
pub(super) fn words(played: &Played, entries: &[Entry]) -> Vec<String> {
    let site = played.shard.site().expect("a site");
    let mut last: [Option<u64>; 2] = [None, None];
    let mut told = Vec::new();
    for (entry, effects) in entries.iter().zip(&played.effects) {
        for effect in effects {
            match effect {
                Effect::Door(standing) => {
                    let place = usize::try_from(standing.door.0).expect("two doors");
                    let Some(order) = standing.order else { continue };
                    if last[place].replace(order.number) != Some(order.number) {
                        let door = site.door_name(standing.door).expect("a door");
                        let at_once = effect.release() == Release::Now;
                        told.push(order_words(entry.at, door, &order, at_once));
                    }
                }
                Effect::WishRefused { why, .. } => {
                    told.push(format!("{} refused: {why:?}", render::clock(entry.at)));
                }
                Effect::Alarm(notice) if notice.kind == AlarmKind::DoorNotFollowing => {
                    told.push(render::alarm(notice, site));
                }
                _ => {}
            }
        }
    }
    told
}

fn order_words(at: Timestamp, door: &str, order: &DoorOrder, at_once: bool) -> String {
    let slot = order.slot.map_or("rest".to_owned(), |slot| format!("{slot:?}"));
    let mode = format!("{:?}", order.mode).to_lowercase();
    let drill = if order.is_drill { " drill" } else { "" };
    let at_once = if at_once { " at-once" } else { "" };
    format!("{} {door} {mode} {slot}{drill}{at_once}", render::clock(at))
}

#[track_caller]
pub(super) fn check_with(
    config: SiteConfig,
    setup: Setup,
    story: &str,
    expected: &[&str],
) -> Played {
    let script = told(config, story);
    let played = play_with(&script.entries, setup);
    assert_eq!(words(&played, &script.entries), expected, "of the story{story}");
    played
}

/// What every story begins with: at midnight both doors rest.
pub(super) const AT_REST: [&str; 2] = ["0 exit locked rest", "0 hatch locked rest"];

#[track_caller]
pub(super) fn check(story: &str, expected: &[&str]) -> Played {
    check_with(moved(), |_| {}, story, &[&AT_REST[..], expected].concat())
}

#[track_caller]
pub(super) fn check_watched(story: &str, expected: &[&str]) {
    check_with(watched(), |_| {}, story, &[&AT_REST[..], expected].concat());
}
