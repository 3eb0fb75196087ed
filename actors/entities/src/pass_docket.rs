//! Leave given, ended and followed: what a subject does about its own, and about that of those whom
//! it escorts.

use std::sync::Arc;

use ach_actors_model::{
    AlarmReason, EntityRef, Fix, Pass, PassEnd, PassNotice, Place, SubjectRef, Timestamp,
};
use ach_geo::Occupancy;

use crate::docket::{Bench, Docket};
use crate::evidence::Evidence;
use crate::pass_case::PassCase;
use crate::{Effect, Message, MessageBody, Outbox, Subject, SubjectInput, Turn};

impl Docket {
    /// Leave was given. It takes the place of any that there was.
    pub(crate) fn give_pass(
        &mut self,
        pass: &Arc<Pass>,
        own: Option<&Fix>,
        occupancy: &Occupancy,
        bench: &Bench<'_>,
        out: &mut Outbox,
    ) {
        let cases = self.cases.get_or_insert_default();
        let mut new = Box::new(PassCase::new(Arc::clone(pass)));
        if !cases.excused.is_empty() {
            // Out with leave already: as long to be seen together as the escort may be missed.
            new.see_together(bench.turn.now);
        }
        if let Some(old) = cases.pass.replace(new) {
            ask_escort(&old.pass, false, bench, out);
        }
        ask_escort(pass, true, bench, out);
        cases.episodes.end(None, Place::Site, AlarmReason::Authorised, bench.turn, out);
        cases.weigh(bench, out);
        // What the one before covered, and this one does not.
        self.judge_whereabouts(occupancy, bench, out);
        tell(pass, None, bench, out);
        self.follow_pass(own, occupancy, bench, out);
    }

    /// Leave is over: what it held back is told.
    pub(crate) fn end_pass(
        &mut self,
        end: PassEnd,
        occupancy: &Occupancy,
        bench: &Bench<'_>,
        out: &mut Outbox,
    ) {
        let Some(cases) = &mut self.cases else { return };
        let Some(case) = cases.pass.take() else { return };
        ask_escort(&case.pass, false, bench, out);
        cases.episodes.end(None, Place::Site, AlarmReason::LeaveOver, bench.turn, out);
        cases.weigh(bench, out);
        self.judge_whereabouts(occupancy, bench, out);
        tell(&case.pass, Some(end), bench, out);
    }

    /// The call that leave ordered.
    pub(crate) fn call_pass(
        &mut self,
        due_at: Timestamp,
        own: Option<&Fix>,
        occupancy: &Occupancy,
        bench: &Bench<'_>,
        out: &mut Outbox,
    ) {
        let case = self.cases.as_mut().and_then(|cases| cases.pass.as_mut());
        let Some(case) = case else { return };
        if !case.take_call(due_at) {
            return;
        }
        if due_at < case.pass.until && case.pass.until <= bench.turn.now {
            // The node was away: that it ends soon is no news any more, and the end says when it was.
            return case.order_end(bench, out);
        }
        self.follow_pass(own, occupancy, bench, out);
    }

    /// Looks what became of leave, after whatever else happened.
    pub(crate) fn follow_pass(
        &mut self,
        own: Option<&Fix>,
        occupancy: &Occupancy,
        bench: &Bench<'_>,
        out: &mut Outbox,
    ) {
        if self.stirring().is_none_or(|cases| cases.pass.is_none()) {
            return;
        }
        let Some(cases) = self.cases.as_deref_mut() else { return };
        let Some(case) = &mut cases.pass else { return };
        if case.pass.escort.is_some() {
            case.look_for_escort(own);
            let is_accompanied = case.is_accompanied(bench.turn.now);
            cases.weigh(bench, out);
            if !is_accompanied {
                // Whoever is where leave let it be enters there no more, and is there all the same.
                self.judge_whereabouts(occupancy, bench, out);
            }
        }
        let Some(cases) = &mut self.cases else { return };
        if let Some(end) = cases.follow_pass(bench, out) {
            self.end_pass(end, occupancy, bench, out);
        }
    }

    /// Where somebody is who may be the escort. One who is not, as far as is known here, is told so: what
    /// was said when leave was over did not reach it.
    pub(crate) fn see_escort(
        &mut self,
        escort: SubjectRef,
        fix: &Fix,
        bench: &Bench<'_>,
        out: &mut Outbox,
    ) {
        let case = self.cases.as_mut().and_then(|cases| cases.pass.as_mut());
        let is_it = |case: &&mut Box<PassCase>| {
            case.pass.escort.is_some_and(|wanted| wanted.subject == escort)
        };
        match case.filter(is_it) {
            Some(case) => case.see_escort(fix),
            None => ask(escort, false, bench, out),
        }
    }

    /// Somebody whom this one escorts wants to know where it is, or no more.
    pub(crate) fn accompany(&mut self, ward: SubjectRef, is_wanted: bool) {
        if !is_wanted && self.cases.is_none() {
            return;
        }
        let wards = &mut self.cases.get_or_insert_default().wards;
        wards.retain(|known| *known != ward);
        if is_wanted {
            wards.push(ward);
        }
    }

    /// Tells those whom this one escorts where it is.
    pub(crate) fn tell_wards(&self, fix: &Fix, bench: &Bench<'_>, out: &mut Outbox) {
        let Some(cases) = self.stirring() else { return };
        for &ward in &cases.wards {
            tell_ward(ward, fix, bench, out);
        }
    }

    /// The subject is no more, or nobody can tell where it is.
    pub(crate) fn drop_pass(&mut self, bench: &Bench<'_>, out: &mut Outbox) {
        let case = self.cases.as_mut().and_then(|cases| cases.pass.take());
        if let Some(case) = case {
            ask_escort(&case.pass, false, bench, out);
            tell(&case.pass, Some(PassEnd::SubjectGone), bench, out);
        }
    }
}

impl Subject {
    /// Something became of its leave, or of whoever must be with it.
    pub(crate) fn follow_pass(
        &mut self,
        me: SubjectRef,
        input: SubjectInput<'_>,
        turn: &Turn<'_>,
        out: &mut Outbox,
    ) {
        let mut evidence = self.with_place(Evidence::of_site_change(turn));
        if let SubjectInput::EscortSeen { cause, .. } = input {
            evidence.cause = cause;
        }
        let bench = Bench { me, turn, judged_at: turn.now, evidence };
        let own = self.fix.as_ref();
        match input {
            SubjectInput::PassGiven { pass } => {
                self.docket.give_pass(pass, own, &self.occupancy, &bench, out);
            }
            SubjectInput::PassEnded => {
                self.docket.end_pass(PassEnd::Ended, &self.occupancy, &bench, out);
            }
            SubjectInput::Escort { ward, is_wanted } => {
                self.docket.accompany(ward, is_wanted);
                if let Some(fix) = self.fix.filter(|_| is_wanted) {
                    tell_ward(ward, &fix, &bench, out);
                }
            }
            SubjectInput::EscortSeen { escort, fix, .. } => {
                self.docket.see_escort(escort, fix, &bench, out);
                self.docket.follow_pass(own, &self.occupancy, &bench, out);
            }
            _ => {}
        }
    }
}

/// Asks whoever must go along to say where it is, or no more.
fn ask_escort(pass: &Pass, is_wanted: bool, bench: &Bench<'_>, out: &mut Outbox) {
    if let Some(escort) = pass.escort {
        ask(escort.subject, is_wanted, bench, out);
    }
}

fn ask(escort: SubjectRef, is_wanted: bool, bench: &Bench<'_>, out: &mut Outbox) {
    let (to, cause) = (EntityRef::Subject(escort), bench.evidence.cause);
    let body = MessageBody::Escort { ward: bench.me, is_wanted };
    out.messages.push_back(Message { to, cause, body });
}

fn tell_ward(ward: SubjectRef, fix: &Fix, bench: &Bench<'_>, out: &mut Outbox) {
    let (to, cause) = (EntityRef::Subject(ward), bench.evidence.cause);
    let body = MessageBody::EscortSeen { escort: bench.me, fix: *fix };
    out.messages.push_back(Message { to, cause, body });
}

fn tell(pass: &Arc<Pass>, end: Option<PassEnd>, bench: &Bench<'_>, out: &mut Outbox) {
    let (pass, changed_at) = (Arc::clone(pass), bench.turn.now);
    out.effects.push(Effect::Pass(PassNotice { pass, end, changed_at }));
}
