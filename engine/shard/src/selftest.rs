//! The test alarm of a shard: raised and ended by command, one at a time.

use std::collections::BTreeMap;

use ach_actors_entities::{Effect, Turn, ended, selftest_notice};
use ach_actors_model::{AlarmId, AlarmKind, AlarmNotice, AlarmReason, AlarmTransition};

use crate::shard::Shard;
use crate::stage::Scene;

impl Shard {
    /// Raises a test alarm. One that a crash left open is ended first.
    pub(crate) fn begin_selftest(&mut self, scene: Scene<'_>) {
        self.end_selftest(scene);
        let earlier = self.board.raised_by_kind().get(&AlarmKind::SelfTest).copied().unwrap_or(0);
        let here = self.tests_told().filter(|told| told.transition == AlarmTransition::Raised);
        let ordinal = u32::try_from(here.count()).unwrap_or(u32::MAX).saturating_add(1);
        let ordinal = u32::try_from(earlier).unwrap_or(u32::MAX).saturating_add(ordinal);
        let turn = Turn { site: scene.site, health: &self.stage.health, now: scene.now };
        let notice = selftest_notice(ordinal, &turn);
        self.stage.tell(Effect::Alarm(notice));
    }

    /// Ends every test alarm that is open.
    pub(crate) fn end_selftest(&mut self, scene: Scene<'_>) {
        let open = self.board.open().map(|open| open.notice);
        let mut open: BTreeMap<AlarmId, AlarmNotice> = open
            .filter(|notice| notice.kind == AlarmKind::SelfTest)
            .map(|notice| (notice.id, notice))
            .collect();
        for told in self.tests_told() {
            if told.transition == AlarmTransition::Raised {
                open.insert(told.id, *told);
            } else {
                open.remove(&told.id);
            }
        }
        for notice in open.values() {
            let over = ended(notice, AlarmReason::ConditionEnded, scene.now);
            self.stage.tell(Effect::Alarm(over));
        }
    }

    /// What this entry has told of tests so far; the board follows only when it is decided.
    fn tests_told(&self) -> impl Iterator<Item = &AlarmNotice> {
        self.stage.out.effects.iter().filter_map(|effect| match effect {
            Effect::Alarm(notice) if notice.kind == AlarmKind::SelfTest => Some(notice),
            _ => None,
        })
    }
}
