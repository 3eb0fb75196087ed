//! An anchor of a locating system: alive or lost.
//!
//! A lost anchor is one alarm about a blind spot, and blinds its zones, in which no tag falls
//! silent meanwhile. An anchor is lost when its locating system says so, or when it has given a
//! sign of life once and then none for too long. Its silence, like a tag's, is measured on the
//! listening clock of its feed.

use ach_actors_model::{
    AlarmKind, AlarmPriority, AlarmReason, AnchorRef, Cause, EntityRef, Place, Timestamp, ZoneRef,
};
use serde::{Deserialize, Serialize};

use crate::episodes::{Episodes, Opening};
use crate::evidence::Evidence;
use crate::{
    Arrival, Deadline, DeadlineKind, Message, MessageBody, Outbox, SILENCE_RECHECK_NS, Site, Turn,
    Verdict,
};

/// The state of one anchor.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Anchor {
    /// When its latest report happened.
    reported_at: Option<Timestamp>,
    /// Its feed's listening clock at its last sign of life; `None` before the first.
    heard_ns: Option<u64>,
    is_lost: bool,
    /// The zones that were told that it is lost.
    blinded: Vec<ZoneRef>,
    /// The deadline that is under way.
    silence_due: Option<Timestamp>,
    episodes: Episodes,
}

/// What an anchor can be told.
#[derive(Debug, Clone, Copy)]
pub enum AnchorInput<'a> {
    /// It gave a sign of life.
    Alive(Arrival),
    /// The locating system has lost it.
    Lost(Arrival),
    /// One of its deadlines is due.
    Due {
        /// What for.
        kind: DeadlineKind,
        /// When it was due.
        due_at: Timestamp,
    },
    /// Another version of the site is in force: it is `turn.site`.
    SiteChanged {
        /// The one before.
        old: &'a Site,
    },
}

impl Anchor {
    /// Takes one input.
    pub fn step(
        &mut self,
        me: AnchorRef,
        input: AnchorInput<'_>,
        turn: &Turn<'_>,
        out: &mut Outbox,
    ) -> Verdict {
        match input {
            AnchorInput::Alive(arrival) => self.report(me, &arrival, false, turn, out),
            AnchorInput::Lost(arrival) => self.report(me, &arrival, true, turn, out),
            AnchorInput::Due { kind: DeadlineKind::Silence, due_at } => {
                if self.silence_due == Some(due_at) {
                    self.silence_due = None;
                    self.judge(me, due_at, turn, out);
                }
                Verdict::Accepted
            }
            AnchorInput::Due { .. } => Verdict::Accepted,
            AnchorInput::SiteChanged { old } => {
                self.change_site(me, old, turn, out);
                Verdict::Accepted
            }
        }
    }

    /// Whether it is lost.
    pub fn is_lost(&self) -> bool {
        self.is_lost
    }

    fn report(
        &mut self,
        me: AnchorRef,
        arrival: &Arrival,
        is_lost: bool,
        turn: &Turn<'_>,
        out: &mut Outbox,
    ) -> Verdict {
        if turn.site.anchor_plan(me).is_none() {
            return Verdict::Refused;
        }
        let happened_at = arrival.happened_at();
        if let Some(reported_at) = self.reported_at
            && happened_at <= reported_at
        {
            let is_repeated = happened_at == reported_at && is_lost == self.is_lost;
            if is_repeated {
                return Verdict::Duplicate;
            }
            if !is_lost {
                self.hear_late(me, turn, out);
            }
            return Verdict::Late;
        }
        self.reported_at = Some(happened_at);
        if is_lost {
            self.lose(me, Evidence::of_arrival(arrival), turn, out);
        } else {
            self.heard_ns = listened_ns(me, turn);
            self.find(me, AlarmReason::ConditionEnded, turn, out);
            self.arm(me, 0, turn, out);
        }
        Verdict::Accepted
    }

    /// A sign of life that is older than the latest report, or is stamped by a clock that was set
    /// back: it ends a silence, but does not take back that the locating system has lost it.
    fn hear_late(&mut self, me: AnchorRef, turn: &Turn<'_>, out: &mut Outbox) {
        let notice = self.episodes.get(None, Place::Anchor(me));
        let is_silent = notice.is_some_and(|notice| matches!(notice.cause, Cause::Deadline { .. }));
        if self.is_lost && !is_silent {
            return;
        }
        self.heard_ns = listened_ns(me, turn);
        self.find(me, AlarmReason::ConditionEnded, turn, out);
        self.arm(me, 0, turn, out);
    }

    fn lose(&mut self, me: AnchorRef, evidence: Evidence, turn: &Turn<'_>, out: &mut Outbox) {
        if self.is_lost {
            return;
        }
        self.is_lost = true;
        let opening = Opening {
            rule: None,
            kind: AlarmKind::ZoneBlind,
            priority: AlarmPriority::High,
            subject: None,
            place: Place::Anchor(me),
            is_tentative: false,
            is_drill: false,
            evidence,
        };
        self.episodes.open(&opening, turn, out);
        self.blinded = turn.site.anchor_plan(me).map(|plan| plan.zones.clone()).unwrap_or_default();
        for &zone in &self.blinded {
            let (to, body) = (EntityRef::Zone(zone), MessageBody::AnchorLost { anchor: me });
            out.messages.push_back(Message { to, cause: evidence.cause, body });
        }
    }

    fn find(&mut self, me: AnchorRef, reason: AlarmReason, turn: &Turn<'_>, out: &mut Outbox) {
        if !self.is_lost {
            return;
        }
        let place = Place::Anchor(me);
        let notice = self.episodes.get(None, place);
        let cause = notice.map_or(Cause::SiteChange, |notice| notice.cause);
        self.is_lost = false;
        self.episodes.end(None, place, reason, turn, out);
        for zone in std::mem::take(&mut self.blinded) {
            let (to, body) = (EntityRef::Zone(zone), MessageBody::AnchorFound { anchor: me });
            out.messages.push_back(Message { to, cause, body });
        }
    }

    fn arm(&mut self, me: AnchorRef, least_ns: u64, turn: &Turn<'_>, out: &mut Outbox) {
        let Some(silence_ns) = limit_ns(me, turn) else { return };
        if self.is_lost || self.silence_due.is_some() {
            return;
        }
        let Some(silent_ns) = self.silent_ns(me, turn) else { return };
        let due_at = turn.now.plus_ns(silence_ns.saturating_sub(silent_ns).max(least_ns));
        self.silence_due = Some(due_at);
        let (entity, kind) = (EntityRef::Anchor(me), DeadlineKind::Silence);
        out.deadlines.push(Deadline { due_at, entity, kind });
    }

    fn silent_ns(&self, me: AnchorRef, turn: &Turn<'_>) -> Option<u64> {
        Some(listened_ns(me, turn)?.saturating_sub(self.heard_ns?))
    }

    fn judge(&mut self, me: AnchorRef, due_at: Timestamp, turn: &Turn<'_>, out: &mut Outbox) {
        let (Some(silence_ns), Some(silent_ns)) = (limit_ns(me, turn), self.silent_ns(me, turn))
        else {
            return;
        };
        if silent_ns < silence_ns {
            self.arm(me, SILENCE_RECHECK_NS, turn, out);
        } else {
            self.lose(me, Evidence::of_deadline(due_at, turn), turn, out);
        }
    }

    fn change_site(&mut self, me: AnchorRef, old: &Site, turn: &Turn<'_>, out: &mut Outbox) {
        let Some(plan) = turn.site.anchor_plan(me) else {
            self.silence_due = None;
            self.find(me, AlarmReason::RuleRemoved, turn, out);
            self.reported_at = None;
            self.heard_ns = None;
            return;
        };
        if self.is_lost {
            self.retarget(me, &plan.zones, out);
        }
        let is_watched = |site: &Site, source| {
            site.source_plan(source).map(|source| source.silence_ns.is_some())
        };
        let former = old.anchor_plan(me);
        let has_former_clock = former.is_some_and(|former| {
            former.source == plan.source
                && is_watched(old, former.source) == is_watched(turn.site, plan.source)
        });
        if !has_former_clock && self.heard_ns.is_some() {
            // The clock of another feed, or of one newly watched, cannot be compared with the old.
            self.heard_ns = listened_ns(me, turn);
        }
        let has_former_limit = former.is_some_and(|former| former.silence_ns == plan.silence_ns);
        if !(has_former_clock && has_former_limit) {
            // The look that is ordered may come too late.
            self.silence_due = None;
        }
        self.arm(me, 0, turn, out);
    }

    /// Blinds the zones it covers now and no others.
    fn retarget(&mut self, me: AnchorRef, zones: &[ZoneRef], out: &mut Outbox) {
        let cause = Cause::SiteChange;
        let former = std::mem::replace(&mut self.blinded, zones.to_vec());
        for &zone in former.iter().filter(|zone| !zones.contains(zone)) {
            let (to, body) = (EntityRef::Zone(zone), MessageBody::AnchorFound { anchor: me });
            out.messages.push_back(Message { to, cause, body });
        }
        for &zone in zones.iter().filter(|zone| !former.contains(zone)) {
            let (to, body) = (EntityRef::Zone(zone), MessageBody::AnchorLost { anchor: me });
            out.messages.push_back(Message { to, cause, body });
        }
    }
}

/// How long the anchor may give no sign of life.
fn limit_ns(me: AnchorRef, turn: &Turn<'_>) -> Option<u64> {
    turn.site.anchor_plan(me)?.silence_ns
}

/// The listening clock of its feed.
fn listened_ns(me: AnchorRef, turn: &Turn<'_>) -> Option<u64> {
    turn.listened_ns(turn.site.anchor_plan(me)?.source)
}
