//! What people do with alarms, and what becomes of alarms that nobody answers.

use std::sync::Arc;

use ach_actors_entities::{
    Effect, Hand, Site, act_on, call, drop_unanswered, note_response, quieten, respond_at_last,
};
use ach_actors_model::{
    AlarmAct, AlarmId, AlarmNotice, AlarmState, AlarmTransition, AlarmWish, Name, Place, QuietKind,
    QuietScope, QuietWish, Timestamp, WishRefusal,
};

use crate::actors::Actors;
use crate::bystanders::bystanders;
use crate::quiet::{Asking, QUIET_FLAGS, Quiet, QuietKey, SHELVED_MAX_NS, SWEEP_ALARMS, limits_of};
use crate::shard::Shard;
use crate::stage::Scene;

/// Timers of alarms that fire in one entry: as many as an entry fires deadlines.
const CALL_COUNT_MAX: usize = 1_024;

impl Shard {
    /// Takes over what was said of alarms since the last time, and gives each its state.
    pub(crate) fn take_in(&mut self) {
        let Some(site) = &self.site else { return };
        let mut heard = Vec::new();
        let effects = &mut self.stage.out.effects;
        for (ordinal, effect) in (0..).zip(effects.iter_mut()).skip(self.board.taken_count) {
            if let Effect::Alarm(notice) = effect {
                look_round(notice, &self.stage.actors, site);
                self.board.hear(notice, (self.entry_index, ordinal), site);
                heard.push(notice.id);
            }
        }
        let taken_before = std::mem::replace(&mut self.board.taken_count, effects.len());
        self.hear_of_pass(taken_before);
        if !heard.is_empty()
            && let Some(site) = self.site.clone()
        {
            for alarm in heard {
                self.respond(alarm, &site);
            }
        }
        while self.board.ended_count() > self.board.ended_count_max
            && let Some(oldest) = self.board.oldest_ended()
        {
            self.tell_of(drop_unanswered(&oldest, self.entry_at));
        }
    }

    /// Tells what was done with an alarm.
    fn tell_of(&mut self, mut notice: AlarmNotice) {
        let site = self.site.clone();
        if let Some(site) = &site {
            // What was quiet and is loud again calls for responses now.
            let reason = self.board.notice(notice.id).and_then(|said| said.reason);
            note_response(&mut notice, reason, site);
        }
        let answer = site.as_ref().and_then(|site| site.answer_to(&notice));
        let ordinal = u32::try_from(self.stage.out.effects.len()).unwrap_or(u32::MAX);
        self.board.keep(&notice, (self.entry_index, ordinal), answer);
        let alarm = notice.id;
        self.stage.tell(Effect::Alarm(notice));
        self.board.taken_count = self.stage.out.effects.len();
        if let Some(site) = &site {
            self.respond(alarm, site);
        }
    }

    /// Ends what is quiet no longer, and passes on what nobody answered.
    pub(crate) fn call_anew(&mut self, now: Timestamp) {
        self.board.quiets.expire(now);
        self.sweep_open(now);
        // So it is with nearly every entry.
        if self.board.next_call_at().is_none_or(|at| at > now) {
            return;
        }
        let Some(site) = self.site.clone() else { return };
        for _ in 0..CALL_COUNT_MAX {
            let Some(open) = self.board.next_caller(now) else { return };
            let answer = site.answer_to(&open);
            match call(&open, answer, now) {
                Some(told) => self.tell_of(told),
                // Its rule says otherwise by now.
                None => self.board.call_later(open.id, answer),
            }
        }
    }

    /// Looks at the next open alarms for what is quiet about them, and what their rules ask, now.
    fn sweep_open(&mut self, now: Timestamp) {
        let Some(after) = self.board.quiets.sweep().map(|sweep| sweep.after) else { return };
        let Some(site) = self.site.clone() else { return };
        let ids = self.board.ids_after(after, SWEEP_ALARMS);
        for &id in &ids {
            self.restamp(id, now);
            if let Some(answer) = self.board.notice(id).map(|open| site.answer_to(open)) {
                self.board.call_later(id, answer);
            }
            // Its rule may have responses by now.
            let open = self.board.notice(id);
            match open.and_then(|open| respond_at_last(open, &site, now)) {
                Some(told) => self.tell_of(told),
                None => self.respond(id, &site),
            }
        }
        self.board.quiets.sweep_on(ids.last().copied(), ids.len() < SWEEP_ALARMS);
    }

    /// Gives an open alarm the flags of what is quiet about it now.
    fn restamp(&mut self, id: AlarmId, now: Timestamp) {
        for flag in QUIET_FLAGS {
            let Some(open) = self.board.notice(id) else { return };
            let quiets = &self.board.quiets;
            let (_, last) = quiets.flags(open);
            let until = last.map(|last| last.until);
            let told = match quiets.about(open, flag) {
                // Only what ends last says until when.
                Some(quiet) if open.state.is_any(flag) && Some(quiet.until) != until => None,
                Some(Quiet { by, remark, .. }) => {
                    let hand = Hand { by: Some(by), remark: remark.as_ref(), now };
                    quieten(open, flag, true, until, hand)
                }
                None => {
                    let hand = Hand { by: quiets.ended_by(open, flag), remark: None, now };
                    quieten(open, flag, false, until, hand)
                }
            };
            if let Some(told) = told {
                self.tell_of(told);
            }
        }
    }

    /// Does what somebody wishes with an alarm. Nothing is told of what is so already.
    pub(crate) fn act(
        &mut self,
        by: &Name,
        wish: &AlarmWish,
        scene: Scene<'_>,
    ) -> Result<(), WishRefusal> {
        let by = wish.person.as_ref().unwrap_or(by);
        if wish.act == AlarmAct::Unshelve
            && let Some(key) = self.board.quiets.shelved_by_way_of(wish.alarm)
        {
            // Also when the alarm is over: it is the condition that was shelved.
            self.board.quiets.end(key, AlarmState::SHELVED, by);
            self.restamp(wish.alarm, scene.now);
            return Ok(());
        }
        let open = self.board.notice(wish.alarm).ok_or(WishRefusal::NotOpen)?;
        let hand = Hand { by: Some(by), remark: wish.remark.as_ref(), now: scene.now };
        match wish.act {
            AlarmAct::Shelve { for_ns } => {
                if open.state.is_any(AlarmState::LIFE_SAFETY) {
                    return Err(WishRefusal::LifeSafety);
                }
                let until = until(for_ns, SHELVED_MAX_NS, scene.now)?;
                let alarm = Some(wish.alarm);
                let (by, remark) = (by.clone(), wish.remark.clone());
                let quiet = Quiet { until, by, asked_by: None, remark, alarm };
                let key = QuietKey::condition(open);
                self.board.quiets.set(key, AlarmState::SHELVED, quiet)?;
                self.restamp(wish.alarm, scene.now);
            }
            AlarmAct::Unshelve => {
                // It may have been shelved by way of another occurrence.
                let key = QuietKey::condition(open);
                self.board.quiets.end(key, AlarmState::SHELVED, by);
                self.restamp(wish.alarm, scene.now);
            }
            _ => {
                if let Some(told) = act_on(open, &wish.act, hand)? {
                    self.tell_of(told);
                }
            }
        }
        Ok(())
    }

    /// Mutes a place or rule, takes it out of service, or ends that.
    pub(crate) fn quieten(
        &mut self,
        by: &Name,
        wish: &QuietWish,
        scene: Scene<'_>,
    ) -> Result<(), WishRefusal> {
        let person = wish.person.as_ref().unwrap_or(by);
        let (flag, max_ns) = limits_of(wish.kind);
        let key = QuietKey::Scope(wish.scope);
        if wish.for_ns == 0 {
            self.board.quiets.end(key, flag, person);
            return Ok(());
        }
        // What takes many things out of sight takes two, whatever it is called.
        let mut takes_two = wish.kind == QuietKind::Suppressed;
        match wish.scope {
            QuietScope::Rule(rule) => {
                let answer = scene.site.answer(rule).ok_or(WishRefusal::NoSuchThing)?;
                if answer.is_life_safety {
                    return Err(WishRefusal::LifeSafety);
                }
                takes_two = true;
            }
            QuietScope::Place(place) if !scene.site.has_place(place) => {
                return Err(WishRefusal::NoSuchThing);
            }
            QuietScope::Place(place) => takes_two |= matches!(place, Place::Zone(_)),
        }
        let (mut for_ns, mut remark, mut asked_by) = (wish.for_ns, wish.remark.clone(), None);
        until(for_ns, max_ns, scene.now)?;
        if takes_two {
            // Two certificates: a program could name any person.
            let asking = Asking { by, person, remark: remark.as_ref(), for_ns };
            let ask = self.board.quiets.ask((wish.scope, flag), asking, scene.now)?;
            for_ns = ask.for_ns;
            // Who comes second need not say again what it is for.
            remark = remark.or(ask.remark);
            asked_by = Some(ask.person);
        }
        let until = until(for_ns, max_ns, scene.now)?;
        let quiet = Quiet { until, by: person.clone(), asked_by, remark, alarm: None };
        self.board.quiets.set(key, flag, quiet)
    }

    /// When the next timer of an alarm is due.
    pub(crate) fn next_call(&self) -> Option<Timestamp> {
        let is_sweeping = self.board.quiets.is_sweeping() && self.board.open_count() > 0;
        let sweep = is_sweeping.then_some(self.entry_at);
        let all = [self.board.next_call_at(), self.board.quiets.next_end(), sweep];
        all.into_iter().flatten().min()
    }
}

/// Adds who is near to what is known of a door that is being forced. Positions are of now, so of one that was forced
/// a while ago nothing is said: somebody else would be.
fn look_round(notice: &mut AlarmNotice, actors: &Actors, site: &Site) {
    let Place::Door(door) = notice.place else { return };
    let is_now = notice.transition == AlarmTransition::Raised && !notice.is_late;
    if let Some(known) = notice.door.as_mut().filter(|_| is_now) {
        let near = bystanders(actors, site, door, notice.changed_at);
        Arc::make_mut(known).near = near;
    }
}

/// When something ends that is wished for so long.
fn until(for_ns: u64, max_ns: u64, now: Timestamp) -> Result<Timestamp, WishRefusal> {
    if for_ns == 0 || for_ns > max_ns {
        return Err(WishRefusal::TooLong);
    }
    Ok(Timestamp(now.0.saturating_add(for_ns)))
}
