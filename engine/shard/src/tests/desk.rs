//! People at work with alarms, in stories.

use ach_actors_entities::Effect;
use ach_actors_model::{
    AlarmAct, AlarmCause, AlarmId, AlarmTransition, AlarmWish, AnswerConfig, Command, CommandKind,
    DoorRef, Escalation, NS_PER_S, Place, QuietKind, QuietScope, QuietWish, Remark, StaysUntil,
    ZoneRef,
};

use super::hospital::{DRUGS, hospital, name};
use super::play::{Played, play, run};
use super::render;
use super::script::{Script, tag_of};
use crate::Input;

/// What the rules ask here: `help` must be closed and latches, `cut` and `flat` be acknowledged; `cut` is
/// passed on after 20 s and 60 s and calls again after 100 s; a life hangs on `flat`, of all things.
pub(super) fn asking() -> ach_actors_model::SiteConfig {
    let mut config = hospital();
    for rule in &mut config.rules {
        let step =
            |after_s: u64, to: &str| Escalation { after_ns: after_s * NS_PER_S, to: name(to) };
        rule.answer = match rule.id.as_str() {
            "help" => AnswerConfig {
                stays_until: StaysUntil::Closed,
                latches: true,
                ..AnswerConfig::default()
            },
            "cut" => AnswerConfig {
                stays_until: StaysUntil::Acknowledged,
                escalations: vec![step(20, "charge-nurse"), step(60, "security")],
                again_after_ns: Some(100 * NS_PER_S),
                ..AnswerConfig::default()
            },
            "flat" => AnswerConfig {
                stays_until: StaysUntil::Acknowledged,
                is_life_safety: true,
                ..AnswerConfig::default()
            },
            _ => AnswerConfig::default(),
        };
    }
    config
}

/// Stories with further lines: `5 nora acks 1`, of the first alarm that was raised; confirms, resets,
/// unshelves; `shelves 1 for=60`, `assigns 1 to=bob`, `says 1 something`, `closes 1`; and
/// `mutes zone=drugs for=60`, `unmutes`, `takes-out`, `puts-back`; rule, zone, door or tag.
pub(super) fn told(lines: &str) -> Script {
    let mut script = Script::new(asking());
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let kind = match words[..] {
            [_, _, verb, which, ref more @ ..] => wished(&script, verb, which, more),
            _ => None,
        };
        match kind {
            None => script.tell(line),
            Some(kind) => {
                // The time, as the script reads it.
                script.tell(&format!("{} tick", words[0]));
                script.add(Input::Command(Command { by: name(words[1]), kind }));
            }
        }
    }
    script
}

fn seconds(more: &[&str]) -> u64 {
    let span = more.iter().find_map(|word| word.strip_prefix("for="));
    span.map_or(0, |span| span.parse::<u64>().expect("seconds") * NS_PER_S)
}

pub(super) fn wished(
    script: &Script,
    verb: &str,
    which: &str,
    more: &[&str],
) -> Option<CommandKind> {
    let to = || more.iter().find_map(|word| word.strip_prefix("to=")).map(name);
    let act = match verb {
        "acks" => AlarmAct::Acknowledge,
        "confirms" => AlarmAct::Confirm,
        "assigns" => AlarmAct::Assign { to: to() },
        "says" => AlarmAct::Comment,
        "shelves" => AlarmAct::Shelve { for_ns: seconds(more) },
        "unshelves" => AlarmAct::Unshelve,
        "resets" if !which.contains('=') => AlarmAct::Reset,
        "closes" => AlarmAct::Close { cause: AlarmCause::Allowed },
        _ => return quiet(verb, which, more).map(CommandKind::Quiet),
    };
    let alarm = raised(script, which.parse().ok()?);
    let remark = (verb == "says").then(|| Remark::new(&more.join(" ")).expect("words"));
    Some(CommandKind::Act(AlarmWish { alarm, act, person: None, remark }))
}

fn quiet(verb: &str, which: &str, more: &[&str]) -> Option<QuietWish> {
    let (kind, is_loud) = match verb {
        "mutes" => (QuietKind::Suppressed, false),
        "unmutes" => (QuietKind::Suppressed, true),
        "takes-out" => (QuietKind::OutOfService, false),
        "puts-back" => (QuietKind::OutOfService, true),
        _ => return None,
    };
    let scope = match which {
        "zone=drugs" => QuietScope::Place(Place::Zone(ZoneRef(DRUGS))),
        "door=exit" => QuietScope::Place(Place::Door(DoorRef(0))),
        "tag=sam" => QuietScope::Place(Place::Tag(tag_of("sam"))),
        rule => QuietScope::Rule(rule_of(rule.strip_prefix("rule=").expect("a scope"))),
    };
    let for_ns = if is_loud { 0 } else { seconds(more) };
    Some(QuietWish { scope, kind, for_ns, person: None, remark: None })
}

pub(super) fn rule_of(id: &str) -> ach_actors_model::RuleRef {
    let site = ach_actors_entities::Site::compile(None, &asking()).expect("sound");
    site.rule_named(id).expect("a rule")
}

/// The id of the alarm that was raised at this place among all.
pub(super) fn raised(script: &Script, place: usize) -> AlarmId {
    let played = run(&script.entries, |_| {});
    let is_raised =
        |notice: &&ach_actors_model::AlarmNotice| notice.transition == AlarmTransition::Raised;
    played.notices().filter(is_raised).nth(place - 1).map_or(AlarmId(99), |notice| notice.id)
}

/// Alarms and refusals in words.
pub(super) fn words(played: &Played) -> Vec<String> {
    let site = played.shard.site().expect("a site");
    let tell = |effect: &Effect| match effect {
        Effect::WishRefused { why, .. } => Some(format!("refused: {why:?}")),
        Effect::Alarm(notice) => {
            let mut text = render::alarm(notice, site);
            let Some(life) =
                notice.life.as_ref().filter(|_| !notice.transition.is_of_the_condition())
            else {
                let quiet = if notice.state.is_quiet() { " quietly" } else { "" };
                return Some(text + quiet);
            };
            text.extend(life.by.iter().map(|by| format!(" by {by}")));
            if notice.transition == AlarmTransition::Escalated {
                text.extend(life.escalated_to.iter().map(|to| format!(" to {to}")));
            }
            if !notice.state.is_retained() {
                text.push_str(" and is over");
            }
            Some(text)
        }
        _ => None,
    };
    let told = played.effects.iter().flatten().filter_map(tell);
    // Nobody walks about in these stories, and doors give no sign of life.
    told.filter(|words| !words.contains("Silent") && !words.contains("Lost")).collect()
}

#[track_caller]
pub(super) fn check(story: &str, expected: &[&str]) -> Played {
    let played = play(&told(story).entries);
    assert_eq!(words(&played), expected, "of the story{story}");
    played
}
