//! Alarms that no actor raises but the shard itself, by command: test alarms, and what is wrong with the
//! node. Their episodes are counted by what was raised of their kind, which a checkpoint keeps.

use std::collections::BTreeMap;

use ach_actors_entities::{Effect, Turn, ended, trouble_notice};
use ach_actors_model::{
    AlarmId, AlarmKind, AlarmNotice, AlarmReason, AlarmTransition, NodeTrouble,
};

use crate::shard::Shard;
use crate::stage::Scene;

impl Shard {
    /// Raises the alarm about a trouble of the node unless it is open, or ends it.
    pub(crate) fn set_node_trouble(&mut self, trouble: NodeTrouble, is_on: bool, scene: Scene<'_>) {
        let kind = trouble.alarm_kind();
        if !is_on {
            self.end_own(kind, scene);
        } else if self.open_of(kind).is_empty() {
            let ordinal = self.next_episode_of(kind);
            let turn = Turn { site: scene.site, health: &self.stage.health, now: scene.now };
            let notice = trouble_notice(trouble, ordinal, &turn);
            self.stage.tell(Effect::Alarm(notice));
        }
    }

    /// Ends every alarm of a kind that is open.
    pub(crate) fn end_own(&mut self, kind: AlarmKind, scene: Scene<'_>) {
        for notice in self.open_of(kind).values() {
            let over = ended(notice, AlarmReason::ConditionEnded, scene.now);
            self.stage.tell(Effect::Alarm(over));
        }
    }

    /// The ordinal of the next episode of a kind.
    pub(crate) fn next_episode_of(&self, kind: AlarmKind) -> u32 {
        let earlier = self.board.raised_by_kind().get(&kind).copied().unwrap_or(0);
        let raised = |told: &&AlarmNotice| told.transition == AlarmTransition::Raised;
        let here = self.told_of(kind).filter(raised).count();
        let ordinal = u32::try_from(here).unwrap_or(u32::MAX).saturating_add(1);
        u32::try_from(earlier).unwrap_or(u32::MAX).saturating_add(ordinal)
    }

    /// The alarms of a kind that are open, by id.
    fn open_of(&self, kind: AlarmKind) -> BTreeMap<AlarmId, AlarmNotice> {
        let open = self.board.open().filter(|open| open.notice.kind == kind);
        let mut open: BTreeMap<AlarmId, AlarmNotice> =
            open.map(|open| (open.notice.id, open.notice.clone())).collect();
        for told in self.told_of(kind) {
            if told.transition == AlarmTransition::Raised {
                open.insert(told.id, told.clone());
            } else {
                open.remove(&told.id);
            }
        }
        open
    }

    /// What this input has told of a kind so far; the board takes it over when the input is decided.
    fn told_of(&self, kind: AlarmKind) -> impl Iterator<Item = &AlarmNotice> {
        let told = self.stage.out.effects.iter().skip(self.board.taken_count);
        told.filter_map(move |effect| match effect {
            Effect::Alarm(notice) if notice.kind == kind => Some(notice),
            _ => None,
        })
    }
}
