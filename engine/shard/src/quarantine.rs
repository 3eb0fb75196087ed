//! Actors that are set aside: who, since when, and what they missed.
//!
//! An actor that panics, or that messages run away through, is set aside by rule, so that every
//! replica does the same. Its state is that before the input. Its inputs are counted and dropped
//! until it is released by an operator or by a new logic version; its deadlines are held, and the
//! site it last saw is kept, so that a released actor goes on as if it had slept.

use std::collections::BTreeMap;
use std::sync::Arc;

use ach_actors_entities::{
    Deadline, Effect, Site, Turn, Verdict, ZoneInput, ended, quarantine_notice, unheard_notice,
};
use ach_actors_model::{
    AlarmNotice, AlarmReason, Cause, Command, CommandKind, EntityRef, Fix, Report, ReportKind,
    SourceRef, Timestamp, ZoneRef,
};

use crate::call::Call;
use crate::checkpoint::IdleHead;
use crate::restoration::RestoreError;
use crate::shard::Shard;
use crate::stage::Scene;

/// An actor that is set aside.
#[derive(Debug)]
pub(crate) struct Idle {
    /// The version of the site its state was made under.
    saw: Arc<Site>,
    /// Deadlines that fell due meanwhile.
    held: Vec<Deadline>,
    /// Of a feed: how its clock was last found, its offset in ns and when. A session says that once, not with every input.
    clock: Option<(i64, Timestamp)>,
    /// The alarm that says so, and one of each kind that its reports may have been.
    notices: Vec<AlarmNotice>,
}

/// All of them, and how often each actor was.
#[derive(Debug, Default)]
pub(crate) struct Quarantine {
    idle: BTreeMap<EntityRef, Idle>,
    episodes: BTreeMap<EntityRef, u32>,
}

impl Quarantine {
    /// Who is set aside, in order.
    pub(crate) fn actors(&self) -> impl Iterator<Item = EntityRef> {
        self.idle.keys().copied()
    }

    /// What a checkpoint tells of them.
    pub(crate) fn idle_heads(&self) -> Vec<IdleHead> {
        let head = |(&actor, idle): (&EntityRef, &Idle)| IdleHead {
            actor,
            saw_version: idle.saw.version(),
            held: idle.held.iter().map(|held| (held.due_at, held.kind)).collect(),
            clock: idle.clock,
            notices: idle.notices.clone(),
        };
        self.idle.iter().map(head).collect()
    }

    /// How often each actor had an alarm of its own.
    pub(crate) fn episodes(&self) -> &BTreeMap<EntityRef, u32> {
        &self.episodes
    }

    /// The versions of the site that the actors saw last.
    pub(crate) fn sites(&self) -> impl Iterator<Item = &Arc<Site>> {
        self.idle.values().map(|idle| &idle.saw)
    }

    /// Those of a checkpoint.
    pub(crate) fn restore(
        heads: Vec<IdleHead>,
        episodes: BTreeMap<EntityRef, u32>,
        site: &dyn Fn(u32) -> Result<Arc<Site>, RestoreError>,
    ) -> Result<Quarantine, RestoreError> {
        let mut idle = BTreeMap::new();
        for IdleHead { actor, saw_version, held, clock, notices } in heads {
            let held =
                held.into_iter().map(|(due_at, kind)| Deadline { due_at, entity: actor, kind });
            let saw = site(saw_version)?;
            idle.insert(actor, Idle { saw, held: held.collect(), clock, notices });
        }
        Ok(Quarantine { idle, episodes })
    }

    /// Keeps a deadline of an actor that is set aside. They are as many as the actor had in
    /// flight: while it is set aside it asks for no more.
    pub(crate) fn hold(&mut self, deadline: Deadline) {
        if let Some(idle) = self.idle.get_mut(&deadline.entity) {
            idle.held.push(deadline);
        }
    }

    /// Keeps the last comparison of a feed's clock, if the feed is set aside.
    pub(crate) fn hold_clock(&mut self, source: SourceRef, found: (i64, Timestamp)) {
        if let Some(idle) = self.idle.get_mut(&EntityRef::Source(source)) {
            idle.clock = Some(found);
        }
    }

    /// Counts one more alarm about an actor.
    fn next_ordinal(&mut self, actor: EntityRef) -> u32 {
        let ordinal = self.episodes.entry(actor).or_insert(0);
        *ordinal = ordinal.saturating_add(1);
        *ordinal
    }

    /// Whether an actor is set aside that last saw another version of the site.
    fn saw_another(&self, actor: EntityRef, site: &Site) -> bool {
        let idle = self.idle.get(&actor);
        idle.is_some_and(|idle| !std::ptr::eq(Arc::as_ptr(&idle.saw), site))
    }
}

/// What an input goes back to, for the alarm that may come of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin {
    pub(crate) cause: Cause,
    pub(crate) received_at: Timestamp,
}

impl Shard {
    /// Plays an input. Whoever fails in it is set aside, and the input is played again without
    /// him, so that one broken actor costs nobody else an alarm; if it was the one called, the
    /// input is dropped and counts as accepted. Ends, because each round sets one more aside.
    pub(crate) fn play(&mut self, scene: Scene<'_>, call: Call<'_>, origin: Origin) -> Verdict {
        while !self.stage.actors.is_set_aside(call.to()) {
            match self.stage.play(scene, call) {
                Ok(verdict) => return verdict,
                Err(undone) => self.set_aside(undone.actor, scene, origin),
            }
        }
        self.set_aside_input_count += 1;
        Verdict::Accepted
    }

    /// Sets an actor aside and says so.
    pub(crate) fn set_aside(&mut self, actor: EntityRef, scene: Scene<'_>, origin: Origin) {
        if let Some(site) = self.site.clone() {
            self.set_aside_seeing(actor, site, scene, origin);
        }
    }

    fn set_aside_seeing(
        &mut self,
        actor: EntityRef,
        saw: Arc<Site>,
        scene: Scene<'_>,
        origin: Origin,
    ) {
        // Or the input would be played for ever.
        assert!(!self.stage.actors.is_set_aside(actor), "who is set aside is not called");
        self.stage.actors.set_aside(actor, true);
        let ordinal = self.quarantine.next_ordinal(actor);
        let turn = Turn { site: scene.site, health: &self.stage.health, now: scene.now };
        let Origin { cause, received_at } = origin;
        let notice = quarantine_notice(actor, ordinal, cause, received_at, &turn);
        let idle = Idle { saw, held: Vec::new(), clock: None, notices: vec![notice.clone()] };
        self.quarantine.idle.insert(actor, idle);
        self.stage.tell(Effect::Alarm(notice));
    }

    /// A report came for an actor that is set aside. What may be somebody in need is an alarm all
    /// the same: once a kind, until the actor works again.
    pub(crate) fn raise_unheard(&mut self, report: &Report, scene: Scene<'_>, origin: Origin) {
        let Some(actor) = actor_of(report.kind) else { return };
        let ordinal = self.quarantine.episodes.get(&actor).map_or(1, |ordinal| ordinal + 1);
        let turn = Turn { site: scene.site, health: &self.stage.health, now: scene.now };
        let arrived = (origin.cause, origin.received_at);
        let Some(notice) = unheard_notice(report, ordinal, arrived, &turn) else { return };
        let Some(idle) = self.quarantine.idle.get_mut(&actor) else { return };
        if idle.notices.iter().all(|told| told.kind != notice.kind) {
            idle.notices.push(notice.clone());
            self.quarantine.next_ordinal(actor);
            self.stage.tell(Effect::Alarm(notice));
        }
    }

    /// Does what an operator wishes. A wish about an actor that does not exist, or is already so,
    /// changes nothing.
    ///
    /// Refused wishes are told by their place among the inputs of the entry.
    pub(crate) fn obey(&mut self, input: u32, command: &Command, scene: Scene<'_>) {
        let done = match &command.kind {
            CommandKind::Act(wish) => self.act(&command.by, wish, scene),
            CommandKind::Quiet(wish) => self.quieten(&command.by, wish, scene),
            wish @ (CommandKind::MoveDoor(_) | CommandKind::Declare(_)) => {
                self.command_doors(&command.by, wish, scene)
            }
            CommandKind::Pass(wish) => self.pass(&command.by, wish, scene),
            CommandKind::Band(wish) => self.band(wish, scene),
            other => {
                self.command(other, scene);
                Ok(())
            }
        };
        if let Err(why) = done {
            self.stage.tell(Effect::WishRefused { input, why });
        }
    }

    fn command(&mut self, kind: &CommandKind, scene: Scene<'_>) {
        match *kind {
            CommandKind::QuarantineActor(actor) => {
                let actors = &mut self.stage.actors;
                if actors.is_seated(actor) && !actors.is_set_aside(actor) {
                    let origin = Origin { cause: Cause::SiteChange, received_at: scene.now };
                    self.set_aside(actor, scene, origin);
                }
            }
            CommandKind::ReleaseActor(actor) => self.release(actor, scene),
            CommandKind::BeginSelftest => self.begin_selftest(scene),
            CommandKind::EndSelftest => self.end_selftest(scene),
            CommandKind::NodeTrouble { trouble, is_on } => {
                self.set_node_trouble(trouble, is_on, scene);
            }
            CommandKind::Act(_)
            | CommandKind::Quiet(_)
            | CommandKind::MoveDoor(_)
            | CommandKind::Declare(_)
            | CommandKind::Pass(_)
            | CommandKind::Band(_) => {}
        }
    }

    /// Lets an actor work again: it learns of the site in force and gets its deadlines back.
    pub(crate) fn release(&mut self, actor: EntityRef, scene: Scene<'_>) {
        let Some(idle) = self.quarantine.idle.remove(&actor) else { return };
        let Idle { saw, held, clock, notices } = idle;
        self.stage.actors.set_aside(actor, false);
        for notice in &notices {
            let notice = ended(notice, AlarmReason::Released, scene.now);
            self.stage.tell(Effect::Alarm(notice));
        }
        for Deadline { due_at, entity, kind } in held {
            self.stage.deadlines.push(due_at.0, (entity, kind));
        }
        if !std::ptr::eq(Arc::as_ptr(&saw), scene.site) {
            self.tell_site_change(actor, &saw, scene);
        }
        if let EntityRef::Zone(zone) = actor {
            self.catch_up(zone, scene);
        }
        if let EntityRef::Door(door) = actor {
            self.catch_up_door(door, scene);
        }
        if let (EntityRef::Source(source), Some(found)) = (actor, clock) {
            self.tell_clock(source, found, scene);
        }
    }

    /// Tells a released zone who came, who went, what its anchors said meanwhile, and to look after
    /// its feeds.
    fn catch_up(&mut self, zone: ZoneRef, scene: Scene<'_>) {
        let cause = Cause::SiteChange;
        let origin = Origin { cause, received_at: scene.now };
        for message in self.stage.take_missed(EntityRef::Zone(zone)) {
            if let Some(call) = Call::message(&message) {
                self.play(scene, call, origin);
            }
        }
        let was_in = self.occupants(zone);
        let (mut exits, mut entries) = (Vec::new(), Vec::new());
        for subject in self.stage.actors.subjects() {
            // The places of one that saw another site are numbered by that; its release tells.
            if self.quarantine.saw_another(EntityRef::Subject(subject), scene.site) {
                continue;
            }
            let Some(state) = self.stage.actors.subjects.get(subject.0) else { continue };
            let state = state.state();
            let Some(Fix { tag, received_at: at, .. }) = state.fix() else { continue };
            let is_in = state.zones(scene.site).any(|other| other == zone);
            match (was_in.binary_search(&subject).is_ok(), is_in) {
                (false, true) => entries.push(ZoneInput::Entered { subject, tag, at, cause }),
                (true, false) => exits.push(ZoneInput::Exited { subject, tag, at, cause }),
                _ => {}
            }
        }
        for call in exits.into_iter().chain(entries) {
            self.play(scene, Call::Zone(zone, call), origin);
        }
    }

    /// Tells an actor that another version than the one it saw is in force.
    pub(crate) fn tell_site_change(&mut self, actor: EntityRef, saw: &Arc<Site>, scene: Scene<'_>) {
        if !self.stage.actors.has(actor) {
            return;
        }
        let origin = Origin { cause: Cause::SiteChange, received_at: scene.now };
        while !self.stage.actors.is_set_aside(actor) {
            match self.stage.play(scene, Call::site_changed(actor, saw)) {
                Ok(_) => return,
                // The state of the one that was told is still that under the old site.
                Err(undone) if undone.actor == actor => {
                    self.set_aside_seeing(actor, Arc::clone(saw), scene, origin);
                }
                Err(undone) => self.set_aside(undone.actor, scene, origin),
            }
        }
    }

    /// Things that the site no longer has need no actor: they are released, and their alarms end.
    pub(crate) fn release_gone(&mut self, scene: Scene<'_>) {
        let is_gone = |actor: &EntityRef| !scene.site.has(*actor);
        let gone: Vec<EntityRef> = self.quarantine.actors().filter(is_gone).collect();
        for actor in gone {
            self.release(actor, scene);
        }
    }

    /// A new logic may have cured them: all work again.
    pub(crate) fn release_all(&mut self, scene: Scene<'_>) {
        let all: Vec<EntityRef> = self.quarantine.actors().collect();
        for actor in all {
            self.release(actor, scene);
        }
    }
}

/// The actor a report about somebody in need is for.
fn actor_of(kind: ReportKind) -> Option<EntityRef> {
    match kind {
        ReportKind::ButtonPressed { tag } | ReportKind::BandCut { tag } => {
            Some(EntityRef::Tag(tag))
        }
        ReportKind::DoorOpened { door } => Some(EntityRef::Door(door)),
        _ => None,
    }
}
