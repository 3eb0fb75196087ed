//! A vendor's feed: heard or silent.
//!
//! A feed that has spoken and then says nothing for longer than its limit is one alarm, whatever
//! the number of its tags: their silence is measured on the feed's listening clock
//! ([`Health`](crate::Health)), which stands still meanwhile.

use ach_actors_model::{
    AlarmKind, AlarmPriority, AlarmReason, EntityRef, Event, EventKind, Place, SourceRef, Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::episodes::{Episodes, Opening};
use crate::evidence::Evidence;
use crate::{Deadline, DeadlineKind, Effect, HealthChange, Outbox, Turn};

/// The state of one feed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Source {
    /// The node's own clock when it was last heard; `None` before it has spoken.
    heard_ns: Option<u64>,
    is_silent: bool,
    /// The deadline that is under way.
    silence_due: Option<Timestamp>,
    episodes: Episodes,
}

/// What a feed can be told.
#[derive(Debug, Clone, Copy)]
pub enum SourceInput {
    /// Something came through it. Once for every batch and report, before what it brought.
    Heard {
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
        self.heard_ns = Some(turn.health.attended_ns(at));
        if self.is_silent {
            self.end(me, AlarmReason::ConditionEnded, turn, out);
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
        let opening = Opening {
            rule: None,
            kind: AlarmKind::FeedSilent,
            priority: AlarmPriority::High,
            subject: None,
            place: Place::Source(me),
            is_tentative: false,
            evidence: Evidence::of_deadline(due_at, turn),
        };
        self.episodes.open(&opening, turn, out);
    }

    fn end(&mut self, me: SourceRef, reason: AlarmReason, turn: &Turn<'_>, out: &mut Outbox) {
        self.is_silent = false;
        self.episodes.end(None, Place::Source(me), reason, turn, out);
        let kind = EventKind::FeedRestored { source: me };
        out.effects.push(Effect::Event(Event { at: turn.now, kind }));
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
        }
    }
}

/// How long the feed may be silent.
fn limit_ns(me: SourceRef, turn: &Turn<'_>) -> Option<u64> {
    turn.site.source_plan(me)?.silence_ns
}
