//! A ping as nearly all are: new, near the one before, and with nothing to say of the tag itself.
//!
//! What it will do to its tag is known beforehand and cannot fail, so the tag need not be put back
//! if nothing that follows can fail either. Whatever is not plain goes the long way, through
//! [`Tag::step`]; both ways end in the same state.

use ach_actors_model::{Cause, EntityRef, Fix, Ping, SubjectRef, TagRef, Timestamp};

use crate::site::TagPlan;
use crate::tag::{NextPlace, Sight, digest};
use crate::tag_watch::{TagWatch, listened_ns};
use crate::{Message, MessageBody, Tag, Turn};

/// What a plain ping comes to.
#[derive(Debug, Clone, Copy)]
pub struct PlainPing {
    /// Who bears the tag.
    pub subject: SubjectRef,
    /// Where he is now.
    pub fix: Fix,
    /// The rules he is under, if any keeps him apart from others: these find him there.
    pub(crate) kept_apart_by: Option<u32>,
    digest: u16,
    floor_age_ms: u32,
    heard_ns: u64,
}

impl PlainPing {
    /// What the tag tells its subject.
    pub fn message(&self, cause: Cause) -> Message {
        let body = MessageBody::Fix { fix: self.fix, is_jump_confirmed: false };
        Message { to: EntityRef::Subject(self.subject), cause, body }
    }
}

impl Tag {
    /// What a ping will come to, if it is plain.
    #[inline]
    pub fn foresee(
        &self,
        me: TagRef,
        ping: &Ping,
        received_at: Timestamp,
        turn: &Turn<'_>,
    ) -> Option<PlainPing> {
        let plan = turn.site.tag_plan(me)?;
        let subject = plan.subject()?;
        let observed_at = ping.observed_at;
        // An earlier stamp ahead of its arrival makes the next one hard to place.
        let is_next = self.received_at.0 > 0
            && self.ahead_ms == 0
            && self.held.is_none()
            && self.observed_at < observed_at
            && observed_at <= received_at;
        if !is_next {
            return None;
        }
        let heard_ns = self.watch.heard_plainly(plan, ping.battery_percent, turn)?;
        let accuracy_mm = ping.accuracy_mm;
        let sight = Sight { position: &ping.position, accuracy_mm, observed_at };
        if !self.follows(&sight, plan.speed_limit_mm_per_s) {
            return None;
        }
        let NextPlace { position, floor_age_ms, .. } = self.next_place(&sight, received_at, turn);
        let fix = Fix { tag: me, position, accuracy_mm, observed_at, received_at };
        let rules = turn.site.rule_set(plan.rule_set)?;
        let kept_apart_by = rules.is_kept_apart().then_some(plan.rule_set);
        let digest = digest(ping);
        Some(PlainPing { subject, fix, kept_apart_by, digest, floor_age_ms, heard_ns })
    }

    /// Takes a ping that was foreseen, with nothing in between.
    #[inline]
    pub fn take(&mut self, plain: &PlainPing) {
        let Fix { position, accuracy_mm, observed_at, received_at, .. } = plain.fix;
        let floor_age_ms = plain.floor_age_ms;
        self.remember(plain.digest);
        self.watch.heard_ns = plain.heard_ns;
        self.be_at(&NextPlace { position, accuracy_mm, observed_at, received_at, floor_age_ms });
    }
}

impl TagWatch {
    /// The listening clock to note, if another ping has nothing to say of the tag but that it lives:
    /// no news of its battery, no alarm of its own open, a call for its silence under way.
    #[inline]
    fn heard_plainly(
        &self,
        plan: &TagPlan,
        battery_percent: Option<u8>,
        turn: &Turn<'_>,
    ) -> Option<u64> {
        let rules = turn.site.rule_set(plan.rule_set)?;
        let is_old =
            battery_percent.is_none_or(|percent| percent.min(100) + 1 == self.battery_mark);
        if !is_old || self.is_restless() {
            return None;
        }
        let Some(silence_ns) = rules.shortest_silence_ns else { return Some(self.heard_ns) };
        let listened_ns = listened_ns(plan, turn);
        let is_in_time = listened_ns.saturating_sub(self.heard_ns) < silence_ns;
        (is_in_time && self.silence_mark != 0).then_some(listened_ns)
    }
}
