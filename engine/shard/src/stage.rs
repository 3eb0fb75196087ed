//! Where one input is played: it runs with all the messages it causes, and is kept or undone whole.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use ach_actors_entities::{
    ANCHOR_ZONE_COUNT_MAX, Deadline, DeadlineKind, Effect, Followed, Health, HealthWas, Message,
    MessageBody, Outbox, PlainPing, Site, Tag, TagInput, Turn, Verdict,
};
use ach_actors_model::{AnchorRef, Cause, EntityRef, Ping, SourceRef, Timestamp};
use ach_actors_runtime::{Deadlines, Runaway, Waves};

use crate::actors::Actors;
use crate::call::Call;

/// Waves of messages one input may cause. The longest chain of honest actors is tag, subject,
/// zone; five times that is a loop.
const WAVE_COUNT_MAX: u32 = 16;

/// Messages one input may cause. A tag tells its subject, a subject each zone it comes into or
/// leaves, an anchor each zone it covers; a feed tells nobody. A subject may be in as many zones as
/// lie over each other, and more than a million is more than any site has.
const MESSAGE_COUNT_MAX: usize = 1 << 20;
/// An anchor that is moved by a change of the site tells those it covered and those it covers.
const _: () = assert!(2 * ANCHOR_ZONE_COUNT_MAX <= MESSAGE_COUNT_MAX);

/// Deadlines one input may ask for. An actor asks for a handful in each step.
const DEADLINE_COUNT_MAX: usize = 1 << 20;

/// The site and the moment an input is decided by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scene<'a> {
    pub(crate) site: &'a Site,
    pub(crate) now: Timestamp,
}

/// An input that was undone, and whose fault it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Undone {
    pub(crate) actor: EntityRef,
}

/// All that inputs change.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) actors: Actors,
    pub(crate) health: Health,
    pub(crate) deadlines: Deadlines<(EntityRef, DeadlineKind)>,
    /// Its effects are those of the entry so far.
    pub(crate) out: Outbox,
    /// Messages that were not delivered, because their receiver is set aside.
    pub(crate) dropped_count: u64,
    /// Those among them that nothing else can tell the receiver later: what each anchor said last
    /// to each zone. Bounded by the anchors of the site and the zones they cover.
    missed: BTreeMap<(EntityRef, AnchorRef), Message>,
    /// What the input under way changed of `health` and `missed`, in order.
    health_before: Vec<HealthWas>,
    missed_before: Vec<((EntityRef, AnchorRef), Option<Message>)>,
    kept_effect_count: usize,
    kept_dropped_count: u64,
    /// Messages taken from the queue since the shard began to run, which the work of an entry is
    /// bounded by. Only differences are looked at: it is no state.
    pub(crate) delivered_count: u64,
    waves: Waves,
    /// Who is deciding just now.
    actor: EntityRef,
    /// Every message is delivered the long way: what the short one is tested against.
    #[cfg(test)]
    pub(crate) is_never_quiet: bool,
    /// Who fails on the short way.
    #[cfg(test)]
    pub(crate) quiet_bug: Option<EntityRef>,
}

impl Stage {
    pub(crate) fn new() -> Stage {
        Stage {
            actors: Actors::default(),
            health: Health::new(),
            deadlines: Deadlines::new(),
            out: Outbox::default(),
            dropped_count: 0,
            missed: BTreeMap::new(),
            health_before: Vec::new(),
            missed_before: Vec::new(),
            kept_effect_count: 0,
            kept_dropped_count: 0,
            delivered_count: 0,
            waves: Waves::new(WAVE_COUNT_MAX, MESSAGE_COUNT_MAX),
            actor: EntityRef::Source(SourceRef(0)),
            #[cfg(test)]
            is_never_quiet: false,
            #[cfg(test)]
            quiet_bug: None,
        }
    }

    /// Plays one input: `call` and every message it causes. Undone whole if an actor panics or the
    /// messages do not end; the caller sets the culprit aside.
    pub(crate) fn play(&mut self, scene: Scene<'_>, call: Call<'_>) -> Result<Verdict, Undone> {
        let outcome = self.guard(|stage| stage.run(scene, call));
        if outcome.is_err() {
            self.roll_back();
        }
        outcome
    }

    /// Runs `plays`, which may play several inputs one after the other, and catches a panic in
    /// them. After an error the input that was playing must be rolled back.
    pub(crate) fn guard<R>(
        &mut self,
        plays: impl FnOnce(&mut Stage) -> Result<R, Runaway>,
    ) -> Result<R, Undone> {
        match catch_unwind(AssertUnwindSafe(|| plays(self))) {
            Ok(Ok(result)) => Ok(result),
            Ok(Err(Runaway::Depth | Runaway::Count)) | Err(_) => Err(Undone { actor: self.actor }),
        }
    }

    /// Plays one input inside [`Stage::guard`] and keeps it.
    pub(crate) fn run(&mut self, scene: Scene<'_>, call: Call<'_>) -> Result<Verdict, Runaway> {
        let verdict = self.step(scene, call)?;
        if !self.out.messages.is_empty() {
            self.deliver(scene)?;
        }
        self.keep();
        Ok(verdict)
    }

    /// Plays one ping inside [`Stage::guard`] and keeps it, as [`Stage::run`] would, by a shorter
    /// way if it is a plain one.
    pub(crate) fn hear(
        &mut self,
        scene: Scene<'_>,
        ping: &Ping,
        received_at: Timestamp,
        cause: Cause,
    ) -> Result<Verdict, Runaway> {
        // Whoever fails on the short way is named too.
        self.actor = EntityRef::Tag(ping.tag);
        let call = Call::Tag(ping.tag, TagInput::Ping { ping, received_at, cause });
        let Some(plain) = self.foresee(scene, ping, received_at) else {
            return self.run(scene, call);
        };
        #[cfg(test)]
        if self.is_never_quiet || self.actors.has_bug(&call) {
            return self.run(scene, call);
        }
        if self.follow_quietly(scene, &plain, cause) {
            if let Some(tag) = self.actors.tags.touch_last(ping.tag.0) {
                tag.take(&plain);
            }
            return Ok(Verdict::Accepted);
        }
        if let Some(tag) = self.actors.tags.touch(ping.tag.0, Tag::default) {
            tag.take(&plain);
        }
        self.out.messages.push_back(plain.message(cause));
        self.deliver(scene)?;
        self.keep();
        Ok(Verdict::Accepted)
    }

    /// What a ping will come to, if it is plain.
    #[inline]
    fn foresee(&self, scene: Scene<'_>, ping: &Ping, received_at: Timestamp) -> Option<PlainPing> {
        #[cfg(test)]
        self.fail_quietly(EntityRef::Tag(ping.tag));
        let turn = Turn { site: scene.site, health: &self.health, now: scene.now };
        self.actors.tags.hot(ping.tag.0)?.foresee(ping.tag, ping, received_at, &turn)
    }

    /// Delivers what most pings end with: one fix, to a subject whose answers it does not change.
    /// False if nothing was done. Nothing follows that could fail, so nothing is kept to undo it.
    #[inline]
    fn follow_quietly(&mut self, scene: Scene<'_>, plain: &PlainPing, cause: Cause) -> bool {
        let me = plain.subject.0;
        if self.actors.subjects.is_set_aside(me) {
            return false;
        }
        #[cfg(test)]
        if Call::message(&plain.message(cause)).is_some_and(|call| self.actors.has_bug(&call)) {
            return false;
        }
        #[cfg(not(test))]
        let _ = cause;
        self.actor = EntityRef::Subject(plain.subject);
        #[cfg(test)]
        self.fail_quietly(self.actor);
        let Some(subject) = self.actors.subjects.touch_last(me) else { return false };
        let turn = Turn { site: scene.site, health: &self.health, now: scene.now };
        match subject.follow_quietly(plain, &turn) {
            Followed::Not => return false,
            Followed::Quietly => {}
            Followed::Seen(change) => self.health.apply(change),
        }
        true
    }

    #[cfg(test)]
    fn fail_quietly(&self, actor: EntityRef) {
        assert!(self.quiet_bug != Some(actor), "a bug planted on the short way");
    }

    fn step(&mut self, scene: Scene<'_>, call: Call<'_>) -> Result<Verdict, Runaway> {
        self.actor = call.to();
        let turn = Turn { site: scene.site, health: &self.health, now: scene.now };
        let verdict = self.actors.call(call, &turn, &mut self.out);
        if self.out.deadlines.len() > DEADLINE_COUNT_MAX {
            return Err(Runaway::Count);
        }
        if !self.out.health.is_empty() {
            self.apply_health();
        }
        Ok(verdict)
    }

    fn deliver(&mut self, scene: Scene<'_>) -> Result<(), Runaway> {
        self.waves.restart();
        loop {
            let queued = self.out.messages.len();
            let Some(message) = self.out.messages.pop_front() else { return Ok(()) };
            self.actor = message.to;
            self.waves.admit(queued)?;
            self.delivered_count += 1;
            if self.actors.is_set_aside(message.to) {
                self.drop_message(message);
            } else if let Some(call) = Call::message(&message) {
                self.step(scene, call)?;
            }
        }
    }

    #[cold]
    fn drop_message(&mut self, message: Message) {
        self.dropped_count += 1;
        let (MessageBody::AnchorLost { anchor } | MessageBody::AnchorFound { anchor }) =
            message.body
        else {
            return;
        };
        let key = (message.to, anchor);
        let before = self.missed.insert(key, message);
        self.missed_before.push((key, before));
    }

    fn apply_health(&mut self) {
        for change in self.out.health.drain(..) {
            self.health_before.push(self.health.before(change));
            self.health.apply(change);
        }
    }

    /// Keeps what was done since the last time.
    pub(crate) fn keep(&mut self) {
        self.actors.commit();
        self.health_before.clear();
        self.missed_before.clear();
        self.kept_effect_count = self.out.effects.len();
        self.kept_dropped_count = self.dropped_count;
        if !self.out.deadlines.is_empty() {
            for Deadline { due_at, entity, kind } in self.out.deadlines.drain(..) {
                self.deadlines.push(due_at.0, (entity, kind));
            }
        }
    }

    /// Adds an effect of the shard's own, between inputs.
    pub(crate) fn tell(&mut self, effect: Effect) {
        self.out.effects.push(effect);
        self.kept_effect_count = self.out.effects.len();
    }

    /// Gives the entry's effects away and is ready for the next.
    pub(crate) fn finish(&mut self, effects: &mut Vec<Effect>) {
        effects.append(&mut self.out.effects);
        self.kept_effect_count = 0;
    }

    /// What anchors said to actors that are set aside.
    pub(crate) fn missed(&self) -> impl Iterator<Item = (EntityRef, AnchorRef, Message)> {
        self.missed.iter().map(|(&(actor, anchor), &message)| (actor, anchor, message))
    }

    /// Takes over what a checkpoint told at once.
    pub(crate) fn restore(
        &mut self,
        health: Health,
        missed: Vec<(EntityRef, AnchorRef, Message)>,
        dropped_count: u64,
    ) {
        self.health = health;
        let missed = missed.into_iter();
        self.missed = missed.map(|(actor, anchor, message)| ((actor, anchor), message)).collect();
        self.dropped_count = dropped_count;
        self.kept_dropped_count = dropped_count;
    }

    /// Adds a deadline of a checkpoint.
    pub(crate) fn order(&mut self, deadline: Deadline) {
        let Deadline { due_at, entity, kind } = deadline;
        self.deadlines.push(due_at.0, (entity, kind));
    }

    /// Takes what anchors said to an actor while it was set aside, by anchor. Between inputs only.
    pub(crate) fn take_missed(&mut self, actor: EntityRef) -> Vec<Message> {
        let all = (actor, AnchorRef(u32::MIN))..=(actor, AnchorRef(u32::MAX));
        let keys: Vec<_> = self.missed.range(all).map(|(&key, _)| key).collect();
        keys.iter().filter_map(|key| self.missed.remove(key)).collect()
    }

    /// Undoes what was done since the last time something was kept.
    pub(crate) fn roll_back(&mut self) {
        self.actors.roll_back();
        while let Some(was) = self.health_before.pop() {
            self.health.put_back(was);
        }
        while let Some((key, before)) = self.missed_before.pop() {
            match before {
                Some(message) => self.missed.insert(key, message),
                None => self.missed.remove(&key),
            };
        }
        self.out.effects.truncate(self.kept_effect_count);
        self.dropped_count = self.kept_dropped_count;
        self.out.messages.clear();
        self.out.deadlines.clear();
        self.out.health.clear();
    }
}
