//! Runs entries, and proves that they run the same again.

use std::collections::BTreeSet;

use ach_actors_entities::Effect;
use ach_actors_model::{AlarmNotice, AlarmTransition, Place};

use super::render;
use super::restored::check_restored;
use super::script::Script;
use crate::sweep::Pace;
use crate::{Entry, Shard};

/// What came of a run.
pub(crate) struct Played {
    pub(crate) shard: Shard,
    pub(crate) effects: Vec<Vec<Effect>>,
    pub(crate) hashes: Vec<u64>,
}

impl Played {
    /// All alarms in words.
    pub(crate) fn alarms(&self) -> Vec<String> {
        let site = self.shard.site().expect("a site");
        self.effects.iter().flat_map(|effects| render::alarms(effects, site)).collect()
    }
}

impl Played {
    /// All notices, in order.
    pub(crate) fn notices(&self) -> impl Iterator<Item = &AlarmNotice> {
        self.effects.iter().flatten().filter_map(|effect| match effect {
            Effect::Alarm(notice) => Some(notice),
            _ => None,
        })
    }

    /// What was raised of the site itself, by nobody's rule and about nobody: an id an episode.
    #[track_caller]
    pub(crate) fn raised_of_the_site(&self) -> Vec<&AlarmNotice> {
        let is_raised = |notice: &&AlarmNotice| notice.transition == AlarmTransition::Raised;
        let raised: Vec<_> = self.notices().filter(is_raised).collect();
        let ids: BTreeSet<_> = raised.iter().map(|notice| notice.id).collect();
        assert_eq!(ids.len(), raised.len(), "an id an episode");
        for notice in &raised {
            assert_eq!((notice.rule, notice.subject, notice.place), (None, None, Place::Site));
        }
        raised
    }
}

/// How a shard is set up before its first entry.
pub(super) type Setup = fn(&mut Shard);

/// Steps through entries on a shard of its own.
pub(crate) fn run(entries: &[Entry], setup: impl FnOnce(&mut Shard)) -> Played {
    let mut shard = Shard::new();
    setup(&mut shard);
    let mut played = Played { shard, effects: vec![], hashes: vec![] };
    for entry in entries {
        let mut effects = vec![];
        let hash = played.shard.step(entry, &mut effects);
        played.effects.push(effects);
        played.hashes.push(hash);
    }
    played
}

/// Runs entries, runs them again on a fresh shard, without compaction, with every actor compacted
/// whenever it can be, and with every message delivered the long way; all must agree in effects,
/// hashes and states.
#[track_caller]
pub(crate) fn play_with(entries: &[Entry], setup: Setup) -> Played {
    let first = run(entries, setup);
    let state = first.shard.state_text();
    let again = run(entries, setup);
    assert_eq!(again.effects, first.effects, "a replay has the same effects");
    assert_eq!(again.hashes, first.hashes, "a replay has the same hashes");
    check_same(&again.shard.state_text(), &state);
    let others = [(Pace::Never, false), (Pace::Always, false), (Pace::Never, true)];
    for (pace, is_never_quiet) in others {
        let mut shard = Shard::new();
        setup(&mut shard);
        shard.sweep.pace = pace;
        shard.stage.is_never_quiet = is_never_quiet;
        for (at, entry) in entries.iter().enumerate() {
            let mut effects = vec![];
            let hash = shard.step(entry, &mut effects);
            let way = format!("compaction {pace:?}, always the long way {is_never_quiet}");
            assert_eq!(effects, first.effects[at], "{way}: does not show in effects");
            assert_eq!(hash, first.hashes[at], "{way}");
        }
        check_same(&shard.state_text(), &state);
    }
    check_restored(entries, setup, &first.hashes, &state);
    first
}

/// States are long: tells the first line that differs.
#[track_caller]
pub(super) fn check_same(actual: &str, expected: &str) {
    for (actual, expected) in actual.lines().zip(expected.lines()) {
        assert_eq!(actual, expected, "the same entries end in the same state");
    }
    assert_eq!(actual.lines().count(), expected.lines().count());
}

/// As [`play_with`], on a plain shard.
#[track_caller]
pub(crate) fn play(entries: &[Entry]) -> Played {
    play_with(entries, |_| {})
}

/// Tells a story and compares the alarms it has.
#[track_caller]
pub(crate) fn check(story: &str, expected: &[&str]) -> Played {
    let played = play(&Script::told(story).entries);
    assert_eq!(played.alarms(), expected, "of the story{story}");
    played
}
