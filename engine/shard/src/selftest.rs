//! The test alarm of a shard: raised and ended by command, one at a time.

use ach_actors_entities::{Effect, Turn, selftest_notice};
use ach_actors_model::AlarmKind;

use crate::shard::Shard;
use crate::stage::Scene;

impl Shard {
    /// Raises a test alarm. One that a crash left open is ended first.
    pub(crate) fn begin_selftest(&mut self, scene: Scene<'_>) {
        self.end_selftest(scene);
        let ordinal = self.next_episode_of(AlarmKind::SelfTest);
        let turn = Turn { site: scene.site, health: &self.stage.health, now: scene.now };
        let notice = selftest_notice(ordinal, &turn);
        self.stage.tell(Effect::Alarm(notice));
    }

    /// Ends every test alarm that is open.
    pub(crate) fn end_selftest(&mut self, scene: Scene<'_>) {
        self.end_own(AlarmKind::SelfTest, scene);
    }
}
