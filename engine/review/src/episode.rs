//! One alarm from when it was raised to when it ended.

use std::sync::Arc;

use ach_actors_model::{
    AlarmCause, AlarmId, AlarmKind, AlarmLife, AlarmNotice, AlarmPriority, AlarmReason,
    AlarmTransition, IncidentMark, Name, Place, SubjectRef, TagRef, Timestamp,
};

/// What became of an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fate {
    /// It was still open at the end.
    Open,
    /// It was tentative and not borne out.
    Retracted {
        /// When.
        at: Timestamp,
        /// Why.
        reason: Option<AlarmReason>,
    },
    /// Its condition ended.
    Cleared {
        /// When.
        at: Timestamp,
        /// Why.
        reason: Option<AlarmReason>,
    },
}

/// One alarm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Episode {
    /// Its id.
    pub id: AlarmId,
    /// The rule's id; `None` for what the node raises of itself.
    pub rule: Option<Arc<str>>,
    /// What was wrong.
    pub kind: AlarmKind,
    /// How urgent it was.
    pub priority: AlarmPriority,
    /// Whom it was about.
    pub subject: Option<SubjectRef>,
    /// The tag the evidence came from.
    pub tag: Option<TagRef>,
    /// Where.
    pub place: Place,
    /// When it was raised, by shard time.
    pub raised_at: Timestamp,
    /// Whether it was raised on incomplete evidence.
    pub was_tentative: bool,
    /// Whether its condition was shelved, suppressed or out of service when it was raised: nobody was called.
    pub was_quiet: bool,
    /// Whether its door was told what to do for a drill when it was raised: people called each other for practice.
    pub was_drill: bool,
    /// When such evidence was borne out.
    pub upheld_at: Option<Timestamp>,
    /// What became of it.
    pub fate: Fate,
    /// When somebody first took notice of it.
    pub acknowledged_at: Option<Timestamp>,
    /// Who did.
    pub acknowledged_by: Option<Name>,
    /// When somebody first said what it was.
    pub closed_at: Option<Timestamp>,
    /// Who said so last: whoever corrects it does.
    pub closed_by: Option<Name>,
    /// What it was, as was said last.
    pub cause: Option<AlarmCause>,
    /// How often it was passed on.
    pub escalated_count: u32,
    /// When nothing more was waited for.
    pub over_at: Option<Timestamp>,
    /// The incident it belongs to; none of what older nodes recorded.
    pub incident: Option<IncidentMark>,
}

impl Episode {
    /// One that begins with what was said of it first.
    pub(crate) fn begin(notice: &AlarmNotice, rule: Option<Arc<str>>) -> Episode {
        Episode {
            id: notice.id,
            rule,
            kind: notice.kind,
            priority: notice.priority,
            subject: notice.subject,
            tag: notice.tag,
            place: notice.place,
            raised_at: notice.changed_at,
            was_tentative: notice.is_tentative,
            was_quiet: notice.transition == AlarmTransition::Raised && notice.state.is_quiet(),
            was_drill: notice.is_drill,
            upheld_at: None,
            fate: Fate::Open,
            acknowledged_at: None,
            acknowledged_by: None,
            closed_at: None,
            closed_by: None,
            cause: None,
            escalated_count: 0,
            over_at: None,
            incident: notice.incident,
        }
    }

    /// Takes what was said of it next.
    pub(crate) fn go_on(&mut self, notice: &AlarmNotice) {
        let (at, reason) = (notice.changed_at, notice.reason);
        match notice.transition {
            AlarmTransition::Upheld => self.upheld_at = Some(at),
            AlarmTransition::Retracted => self.fate = Fate::Retracted { at, reason },
            AlarmTransition::Cleared => self.fate = Fate::Cleared { at, reason },
            AlarmTransition::Escalated => self.escalated_count += 1,
            _ => {}
        }
        if let Some(life) = &notice.life {
            self.take(life);
        }
        if !notice.state.is_retained() {
            self.over_at.get_or_insert(at);
        }
    }

    /// Takes what was done with it. Each notice says all of it, so of an alarm that is heard of late what was
    /// done before is known too.
    fn take(&mut self, life: &AlarmLife) {
        if let Some(mark) = life.acknowledged.as_ref().filter(|_| self.acknowledged_at.is_none()) {
            (self.acknowledged_at, self.acknowledged_by) = (Some(mark.at), Some(mark.by.clone()));
        }
        if let Some(mark) = &life.closed {
            self.closed_at.get_or_insert(mark.at);
            self.closed_by = Some(mark.by.clone());
        }
        self.cause = life.cause;
        self.escalated_count = self.escalated_count.max(life.level.into());
    }

    /// The incident it belongs to: its own, where nothing else is known.
    pub fn incident_id(&self) -> AlarmId {
        self.incident.map_or(self.id, |mark| mark.id)
    }

    /// Whether it has ended, and people have done with it what it asked of them.
    pub fn has_had_all(&self) -> bool {
        self.over_at.is_some() && self.ended_at().is_some()
    }

    /// Whether its condition had ended before a moment, and people still owed it something then.
    pub fn is_unanswered(&self, at: Timestamp) -> bool {
        self.ended_at().is_some_and(|ended_at| ended_at < at)
            && self.over_at.is_none_or(|over_at| over_at >= at)
    }

    /// When it ended; `None` if it had not by the end.
    pub fn ended_at(&self) -> Option<Timestamp> {
        match self.fate {
            Fate::Open => None,
            Fate::Retracted { at, .. } | Fate::Cleared { at, .. } => Some(at),
        }
    }

    /// Whether it was taken back.
    pub fn was_retracted(&self) -> bool {
        matches!(self.fate, Fate::Retracted { .. })
    }

    /// How long it was open; `None` if it still was at the end.
    pub fn lasted_ns(&self) -> Option<u64> {
        self.ended_at().map(|at| at.since_ns(self.raised_at))
    }

    /// Whether it was open at any moment that another was open, too.
    pub fn overlaps(&self, other: &Episode) -> bool {
        let ends = |episode: &Episode| episode.ended_at().unwrap_or(Timestamp(u64::MAX));
        self.raised_at <= ends(other) && other.raised_at <= ends(self)
    }
}
