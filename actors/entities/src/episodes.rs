//! The alarm episodes of one actor: which are open, and how many there have been.
//!
//! An episode belongs to a rule and a place. While it is open, repeated evidence changes nothing;
//! once it has ended, the next evidence opens another with the next ordinal. Ordinals are kept as
//! long as the actor is, so that an id is never given twice. Their number is bounded by the pairs
//! of rule and place the site has for the actor.

use ach_actors_model::{
    AlarmKind, AlarmNotice, AlarmPriority, AlarmReason, AlarmState, AlarmTransition, Place,
    RuleRef, SubjectRef, Timestamp,
};
use ach_geo::gate;
use serde::{Deserialize, Serialize};

use crate::alarm_id::Identity;
use crate::delays::{self, Delays, key_of};
use crate::evidence::Evidence;
use crate::site::RulePlan;
use crate::{Effect, Outbox, Turn};

/// Open episodes and ordinals. Most actors never have one, so owners keep it boxed or empty.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub(crate) struct Episodes {
    /// As they were last told; few, in the order they opened.
    open: Vec<AlarmNotice>,
    /// Ordinal of the latest episode by rule and place, ascending.
    ordinals: Vec<((Option<RuleRef>, Place), u32)>,
    /// What of it waits to be told, and what has ended and waits to be over.
    delays: Option<Box<Delays>>,
}

/// What an episode is to be opened with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Opening {
    pub(crate) rule: Option<RuleRef>,
    pub(crate) kind: AlarmKind,
    pub(crate) priority: AlarmPriority,
    pub(crate) subject: Option<SubjectRef>,
    pub(crate) place: Place,
    pub(crate) is_tentative: bool,
    pub(crate) is_drill: bool,
    pub(crate) evidence: Evidence,
}

impl Opening {
    /// By a rule, upheld from the start.
    pub(crate) fn by_rule(
        rule: RuleRef,
        plan: &RulePlan,
        subject: Option<SubjectRef>,
        place: Place,
        evidence: Evidence,
    ) -> Opening {
        Opening {
            rule: Some(rule),
            kind: plan.alarm,
            priority: plan.priority,
            subject,
            place,
            is_tentative: false,
            is_drill: false,
            evidence,
        }
    }
}

impl Opening {
    /// The same, of a door that may be told what to do for a drill.
    pub(crate) fn at_drill(self, is_drill: bool) -> Opening {
        Opening { is_drill, ..self }
    }
}

impl Episodes {
    pub(crate) fn is_empty(&self) -> bool {
        self.open.is_empty() && self.ordinals.is_empty() && self.delays.is_none()
    }

    /// Whether anything is open, or was and waits to be over.
    pub(crate) fn has_open(&self) -> bool {
        !self.open.is_empty() || self.delays.as_deref().is_some_and(Delays::has_any)
    }

    /// Those whose condition holds; those too that nobody was told of yet.
    pub(crate) fn open_notices(&self) -> &[AlarmNotice] {
        &self.open
    }

    pub(crate) fn get(&self, rule: Option<RuleRef>, place: Place) -> Option<&AlarmNotice> {
        self.open.iter().find(|notice| notice.rule == rule && notice.place == place)
    }

    /// As [`open`](Episodes::open), of an actor with episodes of several subjects by one rule at one place,
    /// which share the ordinals.
    pub(crate) fn open_about_one(&mut self, opening: &Opening, turn: &Turn<'_>, out: &mut Outbox) {
        let Opening { rule, place, subject, .. } = *opening;
        let is_same = |notice: &AlarmNotice| {
            notice.rule == rule && notice.place == place && notice.subject == subject
        };
        if !self.open.iter().any(is_same) {
            self.begin(opening, turn, out);
        }
    }

    /// Opens an episode, or upholds the open one if it is tentative and this is not.
    pub(crate) fn open(&mut self, opening: &Opening, turn: &Turn<'_>, out: &mut Outbox) {
        let Opening { rule, place, ref evidence, .. } = *opening;
        let same = |notice: &&mut AlarmNotice| notice.rule == rule && notice.place == place;
        if let Some(notice) = self.open.iter_mut().find(same) {
            if notice.is_tentative && !opening.is_tentative {
                notice.transition = AlarmTransition::Upheld;
                notice.is_tentative = false;
                notice.changed_at = turn.now;
                notice.certain_at = evidence.observed_at.max(notice.observed_at);
                notice.gates_passed |= evidence.gates_passed;
                if evidence.position.is_some() {
                    notice.position = evidence.position;
                    notice.accuracy_mm = evidence.accuracy_mm;
                }
                out.effects.push(Effect::Alarm(notice.clone()));
            }
            return;
        }
        self.begin(opening, turn, out);
    }

    /// The condition holds: at once an alarm, or when its rule has waited for long enough. One that was to end goes on.
    fn begin(&mut self, opening: &Opening, turn: &Turn<'_>, out: &mut Outbox) {
        let key = (opening.rule, opening.place, opening.subject);
        if opening.is_tentative && self.delays.as_deref().is_some_and(|it| it.is_ending(key)) {
            // What is suspected is told already.
            return;
        }
        let back = self.delays.as_deref_mut().and_then(|delays| delays.take_back(key, turn));
        self.close_delays();
        match back {
            Some((notice, false)) => {
                grow_by_one(&mut self.open);
                self.open.push(notice);
                return;
            }
            Some((notice, true)) => {
                let reason = AlarmReason::ConditionEnded;
                out.effects.push(Effect::Alarm(ended(&notice, reason, turn.now)));
            }
            None => {}
        }
        let on_ns = delays::on_ns(opening.rule, turn);
        if on_ns == 0 {
            return self.raise(opening, turn, out);
        }
        let since = opening.evidence.observed_at;
        if since.plus_ns(on_ns) <= turn.now {
            let gates_passed = opening.evidence.gates_passed | gate::ON_DELAY;
            let evidence = Evidence { gates_passed, ..opening.evidence };
            return self.raise(&Opening { evidence, ..*opening }, turn, out);
        }
        // It has no number before it is told.
        grow_by_one(&mut self.open);
        self.open.push(raised(opening, 0, turn));
        let delays = self.delays.get_or_insert_default();
        delays.begin(key, since);
        delays.order(turn, out);
    }

    /// Whether a drill moves the door of all that waits to be told: its word decides at the moment that it is.
    pub(crate) fn mark_waiting(&mut self, is_drill: bool) {
        let Some(delays) = self.delays.as_deref() else { return };
        for notice in self.open.iter_mut().filter(|it| delays.is_beginning(key_of(it))) {
            notice.is_drill = is_drill;
        }
    }

    /// The call for what waits.
    pub(crate) fn fall_due(
        &mut self,
        due_at: Timestamp,
        evidence: &Evidence,
        turn: &Turn<'_>,
        out: &mut Outbox,
    ) {
        if self.delays.as_deref_mut().is_some_and(|delays| delays.take_call(due_at)) {
            self.settle(due_at, evidence, turn, out);
        }
    }

    /// Tells what has waited for long enough: when it is due, and when another version of the site wants less.
    pub(crate) fn settle(
        &mut self,
        judged_at: Timestamp,
        evidence: &Evidence,
        turn: &Turn<'_>,
        out: &mut Outbox,
    ) {
        let Some(delays) = self.delays.as_deref_mut() else { return };
        let (begun, over) = delays.take_due(judged_at, turn);
        delays.order(turn, out);
        for key in begun {
            let waited = self.open.iter().position(|notice| key_of(notice) == key);
            let Some(waited) = waited.map(|at| self.open.remove(at)) else { continue };
            if let Some(plan) = waited.rule.and_then(|rule| turn.site.rule(rule)) {
                let opening = Opening { priority: plan.priority, ..borne_out(&waited, evidence) };
                self.raise(&opening, turn, out);
            }
        }
        for notice in over {
            let reason = AlarmReason::ConditionEnded;
            out.effects.push(Effect::Alarm(ended(&notice, reason, turn.now)));
        }
        self.close_delays();
    }

    /// Tells what had waited for long enough when something was seen, before that ends it: of an actor whose calls are
    /// late, as very many were due when the node came back, an input may be heard before them.
    pub(crate) fn catch_up(&mut self, seen_at: Timestamp, turn: &Turn<'_>, out: &mut Outbox) {
        while let Some(due_at) = self.delays.as_deref().and_then(|it| it.next_due(turn)) {
            if due_at > seen_at {
                return;
            }
            self.settle(due_at, &Evidence::of_deadline(due_at, turn), turn, out);
        }
    }

    fn close_delays(&mut self) {
        if self.delays.as_deref().is_some_and(Delays::is_empty) {
            self.delays = None;
        }
    }

    fn raise(&mut self, opening: &Opening, turn: &Turn<'_>, out: &mut Outbox) {
        let ordinal = self.next_ordinal(opening.rule, opening.place);
        let notice = raised(opening, ordinal, turn);
        grow_by_one(&mut self.open);
        self.open.push(notice.clone());
        out.effects.push(Effect::Alarm(notice));
    }

    /// Ends the episode of a rule and place, if one is open.
    pub(crate) fn end(
        &mut self,
        rule: Option<RuleRef>,
        place: Place,
        reason: AlarmReason,
        turn: &Turn<'_>,
        out: &mut Outbox,
    ) {
        let is_this = |notice: &AlarmNotice| notice.rule == rule && notice.place == place;
        self.end_where(|notice| is_this(notice).then_some(reason), turn, out);
    }

    /// Ends the episode of a rule and place now, whatever its rule waits for, as what holds from now on is another. One that
    /// nobody was told of goes on waiting.
    pub(crate) fn end_now(
        &mut self,
        rule: RuleRef,
        place: Place,
        turn: &Turn<'_>,
        out: &mut Outbox,
    ) {
        let delays = self.delays.as_deref();
        self.open.retain(|notice| {
            let is_waiting = || delays.is_some_and(|it| it.is_beginning(key_of(notice)));
            if (notice.rule, notice.place) != (Some(rule), place) || is_waiting() {
                return true;
            }
            let reason = AlarmReason::ConditionEnded;
            out.effects.push(Effect::Alarm(ended(notice, reason, turn.now)));
            false
        });
    }

    /// Nobody is to be told of an episode that nobody was told of yet; one that was goes on.
    pub(crate) fn give_up_waiting(&mut self, rule: RuleRef, place: Place) {
        let Some(delays) = self.delays.as_deref_mut() else { return };
        self.open.retain(|notice| {
            (notice.rule, notice.place) != (Some(rule), place) || !delays.give_up(notice)
        });
        self.close_delays();
    }

    /// Ends the open episode of a rule and place that does not hold yet, as the rule gave less time before.
    pub(crate) fn end_not_yet(
        &mut self,
        rule: RuleRef,
        place: Place,
        turn: &Turn<'_>,
        out: &mut Outbox,
    ) {
        let is_this = |notice: &AlarmNotice| (notice.rule, notice.place) == (Some(rule), place);
        let reason = |notice: &AlarmNotice| is_this(notice).then_some(AlarmReason::RuleRemoved);
        self.end_open_where(reason, turn, out);
    }

    /// Ends every episode for which there is a reason, also what was over already and waits to be told so.
    pub(crate) fn end_where(
        &mut self,
        mut reason: impl FnMut(&AlarmNotice) -> Option<AlarmReason>,
        turn: &Turn<'_>,
        out: &mut Outbox,
    ) {
        self.end_at_once(&mut reason, turn, out);
        self.end_open_where(reason, turn, out);
    }

    /// Ends every open episode for which there is a reason.
    pub(crate) fn end_open_where(
        &mut self,
        mut reason: impl FnMut(&AlarmNotice) -> Option<AlarmReason>,
        turn: &Turn<'_>,
        out: &mut Outbox,
    ) {
        let (delays, mut is_any_waiting) = (&mut self.delays, false);
        self.open.retain(|notice| {
            let Some(reason) = reason(notice) else { return true };
            if delays.as_deref_mut().is_some_and(|delays| delays.give_up(notice)) {
                return false;
            }
            let is_over = reason == AlarmReason::ConditionEnded && !notice.is_tentative;
            if is_over && delays::off_ns(notice.rule, turn) > 0 {
                let delays = delays.get_or_insert_default();
                delays.end(notice.clone(), turn.now);
                is_any_waiting = true;
            } else {
                out.effects.push(Effect::Alarm(ended(notice, reason, turn.now)));
            }
            false
        });
        if let Some(delays) = self.delays.as_deref_mut().filter(|_| is_any_waiting) {
            delays.order(turn, out);
        }
        self.close_delays();
    }

    /// Of what has ended already and waits to be over, that waits no longer for which there is another reason than that.
    fn end_at_once(
        &mut self,
        reason: &mut impl FnMut(&AlarmNotice) -> Option<AlarmReason>,
        turn: &Turn<'_>,
        out: &mut Outbox,
    ) {
        let Some(delays) = self.delays.as_deref_mut() else { return };
        delays.ending.retain(|(notice, _)| match reason(notice) {
            // Nor does it wait less for a suspicion that came to nothing.
            None | Some(AlarmReason::ConditionEnded | AlarmReason::CameBack) => true,
            Some(_) => {
                let reason = AlarmReason::ConditionEnded;
                out.effects.push(Effect::Alarm(ended(notice, reason, turn.now)));
                false
            }
        });
    }

    fn next_ordinal(&mut self, rule: Option<RuleRef>, place: Place) -> u32 {
        let key = (rule, place);
        match self.ordinals.binary_search_by_key(&key, |&(key, _)| key) {
            Ok(at) => self.ordinals.get_mut(at).map_or(1, |(_, ordinal)| {
                *ordinal = ordinal.saturating_add(1);
                *ordinal
            }),
            Err(at) => {
                grow_by_one(&mut self.ordinals);
                self.ordinals.insert(at, (key, 1));
                1
            }
        }
    }
}

/// What is told of a condition that held for as long as its rule wants: what is known now, and where there is nothing new
/// what was known then.
fn borne_out(waited: &AlarmNotice, evidence: &Evidence) -> Opening {
    let is_seen = evidence.position.is_some();
    let evidence = Evidence {
        tag: evidence.tag.or(waited.tag),
        position: evidence.position.or(waited.position),
        accuracy_mm: if is_seen { evidence.accuracy_mm } else { waited.accuracy_mm },
        gates_passed: evidence.gates_passed | waited.gates_passed | gate::ON_DELAY,
        is_late: evidence.is_late || waited.is_late,
        ..*evidence
    };
    let AlarmNotice { rule, kind, priority, subject, place, is_tentative, is_drill, .. } = *waited;
    Opening { rule, kind, priority, subject, place, is_tentative, is_drill, evidence }
}

/// The first notice of an episode.
pub(crate) fn raised(opening: &Opening, ordinal: u32, turn: &Turn<'_>) -> AlarmNotice {
    let Opening { rule, kind, priority, subject, place, is_tentative, is_drill, evidence } =
        *opening;
    let identity = Identity { rule, kind, subject, place, ordinal };
    AlarmNotice {
        id: identity.alarm_id(turn.site),
        transition: AlarmTransition::Raised,
        reason: None,
        kind,
        priority,
        rule,
        site_version: turn.site.version(),
        episode: ordinal,
        subject,
        tag: evidence.tag,
        place,
        is_tentative,
        is_late: evidence.is_late,
        is_drill,
        cause: evidence.cause,
        observed_at: evidence.observed_at,
        received_at: evidence.received_at,
        changed_at: turn.now,
        position: evidence.position,
        accuracy_mm: evidence.accuracy_mm,
        gates_passed: evidence.gates_passed,
        state: AlarmState::default(),
        life: None,
        incident: None,
        door: None,
        response: None,
        certain_at: evidence.observed_at,
    }
}

/// The last notice of an episode: a tentative one is retracted, any other cleared.
pub fn ended(notice: &AlarmNotice, reason: AlarmReason, now: Timestamp) -> AlarmNotice {
    let transition =
        if notice.is_tentative { AlarmTransition::Retracted } else { AlarmTransition::Cleared };
    AlarmNotice { transition, reason: Some(reason), changed_at: now, ..notice.clone() }
}

/// Makes room for one more. Of a hundred thousand alarms that stand nearly each is its thing's only one, and a list that
/// grows by itself begins with four places, of some 200 bytes each.
fn grow_by_one<T>(list: &mut Vec<T>) {
    if list.len() < 4 {
        list.reserve_exact(1);
    }
}
