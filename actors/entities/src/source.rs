//! A vendor's feed: heard or silent, its clock right or wrong.
//!
//! A feed that has spoken and then says nothing for longer than its limit is one alarm, whatever
//! the number of its tags: their silence is measured on the feed's listening clock
//! ([`Health`](crate::Health)), which stands still meanwhile. The zones it sees are blind if no other
//! feed that sees them is heard. Nobody tells them: who must know asks
//! ([`Turn::is_blind`](crate::Turn::is_blind)), so a feed's silence is a handful of effects however
//! large the site.

use ach_actors_model::{
    AlarmKind, AlarmPriority, AlarmReason, Cause, EntityRef, Event, EventKind, NS_PER_MS, Place,
    SourceRef, Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::episodes::{Episodes, Opening};
use crate::evidence::Evidence;
use crate::{Arrival, Deadline, DeadlineKind, Effect, HealthChange, Outbox, Turn};

/// A clock that differs by more than this is an alarm; less is the network's jitter.
const SKEW_MAX_NS: u64 = 500 * NS_PER_MS;
/// The alarm is over when the difference is no more than this: half, so that a clock near the limit
/// is one alarm.
const SKEW_OVER_NS: u64 = SKEW_MAX_NS / 2;

/// The state of one feed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Source {
    /// The node's own clock when it was last heard; `None` before it has spoken.
    heard_ns: Option<u64>,
    is_silent: bool,
    /// The deadline that is under way.
    silence_due: Option<Timestamp>,
    /// Of silence.
    episodes: Episodes,
    /// Of a clock that is off; apart, because they are about the same place.
    skews: Episodes,
}

/// What a feed can be told.
#[derive(Debug, Clone, Copy)]
pub enum SourceInput {
    /// Something came through it. Once for every batch and report, before what it brought.
    Heard {
        /// When, by shard time.
        received_at: Timestamp,
    },
    /// Its clock was compared with the node's.
    ClockCompared {
        /// Its clock less the node's.
        offset_ns: i64,
        /// When, by shard time.
        received_at: Timestamp,
    },
    /// One of its deadlines is due.
    Due {
        /// What for.
        kind: DeadlineKind,
        /// When it was due.
        due_at: Timestamp,
    },
    /// Another version of the site is in force: it is `turn.site`.
    SiteChanged,
}

impl Source {
    /// Takes one input.
    pub fn step(&mut self, me: SourceRef, input: SourceInput, turn: &Turn<'_>, out: &mut Outbox) {
        match input {
            SourceInput::Heard { received_at } => self.hear(me, received_at, turn, out),
            SourceInput::ClockCompared { offset_ns, received_at } => {
                self.compare_clock(me, offset_ns, received_at, turn, out);
            }
            SourceInput::Due { kind: DeadlineKind::Silence, due_at } => {
                if self.silence_due == Some(due_at) {
                    self.silence_due = None;
                    self.judge(me, due_at, turn, out);
                }
            }
            SourceInput::Due { .. } => {}
            SourceInput::SiteChanged => self.change_site(me, turn, out),
        }
    }

    /// Whether it is silent.
    pub fn is_silent(&self) -> bool {
        self.is_silent
    }

    fn hear(&mut self, me: SourceRef, at: Timestamp, turn: &Turn<'_>, out: &mut Outbox) {
        out.health.push(HealthChange::Heard { source: me, at });
        let is_new = self.heard_ns.replace(turn.health.attended_ns(at)).is_none();
        if self.is_silent {
            self.end(me, AlarmReason::ConditionEnded, turn, out);
        } else if is_new && turn.health.has_silent_sources() {
            tell_restored(me, turn, out);
        }
        self.arm(me, turn, out);
    }

    /// Orders the next look, if none is ordered: one deadline is under way at a time, and it looks
    /// how long the silence has been when it is due.
    fn arm(&mut self, me: SourceRef, turn: &Turn<'_>, out: &mut Outbox) {
        let Some(silence_ns) = limit_ns(me, turn) else { return };
        let Some(heard_ns) = self.heard_ns else { return };
        if self.is_silent || self.silence_due.is_some() {
            return;
        }
        let silent_ns = turn.health.attended_ns(turn.now).saturating_sub(heard_ns);
        let due_at = turn.now.plus_ns(silence_ns.saturating_sub(silent_ns));
        self.silence_due = Some(due_at);
        let (entity, kind) = (EntityRef::Source(me), DeadlineKind::Silence);
        out.deadlines.push(Deadline { due_at, entity, kind });
    }

    fn judge(&mut self, me: SourceRef, due_at: Timestamp, turn: &Turn<'_>, out: &mut Outbox) {
        let (Some(silence_ns), Some(heard_ns)) = (limit_ns(me, turn), self.heard_ns) else {
            return;
        };
        if turn.health.attended_ns(turn.now).saturating_sub(heard_ns) < silence_ns {
            self.arm(me, turn, out);
            return;
        }
        if self.is_silent {
            return;
        }
        self.is_silent = true;
        out.health.push(HealthChange::FellSilent { source: me });
        let kind = EventKind::FeedFellSilent { source: me };
        out.effects.push(Effect::Event(Event { at: turn.now, kind }));
        let (kind, priority) = (AlarmKind::FeedSilent, AlarmPriority::High);
        let opening = about(me, kind, priority, Evidence::of_deadline(due_at, turn));
        self.episodes.open(&opening, turn, out);
    }

    fn end(&mut self, me: SourceRef, reason: AlarmReason, turn: &Turn<'_>, out: &mut Outbox) {
        self.is_silent = false;
        self.episodes.end(None, Place::Source(me), reason, turn, out);
        tell_restored(me, turn, out);
    }

    /// A clock that is off is one alarm, until it is plainly right again.
    fn compare_clock(
        &mut self,
        me: SourceRef,
        offset_ns: i64,
        received_at: Timestamp,
        turn: &Turn<'_>,
        out: &mut Outbox,
    ) {
        if turn.site.source_plan(me).is_none() {
            return;
        }
        let off_ns = offset_ns.unsigned_abs();
        if off_ns > SKEW_MAX_NS {
            // Like a command it is no numbered input, and has the cause that those have.
            let (observed_at, cause) = (received_at, Cause::SiteChange);
            let evidence = Evidence::of_arrival(&Arrival { observed_at, received_at, cause });
            let (kind, priority) = (AlarmKind::ClockSkewed, AlarmPriority::Medium);
            self.skews.open(&about(me, kind, priority, evidence), turn, out);
        } else if off_ns <= SKEW_OVER_NS {
            let reason = AlarmReason::ConditionEnded;
            self.skews.end(None, Place::Source(me), reason, turn, out);
        }
    }

    fn change_site(&mut self, me: SourceRef, turn: &Turn<'_>, out: &mut Outbox) {
        if limit_ns(me, turn).is_some() {
            // Another limit counts from when the feed was last heard, as the former did; a look that
            // is ordered may come too late for it.
            self.silence_due = None;
            self.arm(me, turn, out);
            return;
        }
        if self.is_silent {
            out.health.push(HealthChange::Heard { source: me, at: turn.now });
            self.end(me, AlarmReason::RuleRemoved, turn, out);
        }
        self.silence_due = None;
        if turn.site.source_plan(me).is_none() {
            self.heard_ns = None;
            out.health.push(HealthChange::Forgotten { source: me });
            self.skews.end(None, Place::Source(me), AlarmReason::RuleRemoved, turn, out);
        }
    }
}

/// An alarm of the system itself about a feed.
fn about(me: SourceRef, kind: AlarmKind, priority: AlarmPriority, evidence: Evidence) -> Opening {
    let (subject, place) = (None, Place::Source(me));
    Opening {
        rule: None,
        kind,
        priority,
        subject,
        place,
        is_tentative: false,
        is_drill: false,
        evidence,
    }
}

fn tell_restored(me: SourceRef, turn: &Turn<'_>, out: &mut Outbox) {
    let kind = EventKind::FeedRestored { source: me };
    out.effects.push(Effect::Event(Event { at: turn.now, kind }));
}

/// How long the feed may be silent.
fn limit_ns(me: SourceRef, turn: &Turn<'_>) -> Option<u64> {
    turn.site.source_plan(me)?.silence_ns
}
