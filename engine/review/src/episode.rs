//! One alarm from when it was raised to when it ended.

use std::sync::Arc;

use ach_actors_model::{
    AlarmCause, AlarmId, AlarmKind, AlarmNotice, AlarmPriority, AlarmReason, AlarmTransition,
    Place, SubjectRef, TagRef, Timestamp,
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
    /// When such evidence was borne out.
    pub upheld_at: Option<Timestamp>,
    /// What became of it.
    pub fate: Fate,
    /// When somebody first took notice of it.
    pub acknowledged_at: Option<Timestamp>,
    /// When somebody said what it was.
    pub closed_at: Option<Timestamp>,
    /// What it was.
    pub cause: Option<AlarmCause>,
    /// How often it was passed on.
    pub escalated_count: u32,
    /// Whether nothing more was waited for.
    pub is_over: bool,
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
            upheld_at: None,
            fate: Fate::Open,
            acknowledged_at: None,
            closed_at: None,
            cause: None,
            escalated_count: 0,
            is_over: false,
        }
    }

    /// Takes what was said of it next.
    pub(crate) fn go_on(&mut self, notice: &AlarmNotice) {
        let (at, reason) = (notice.changed_at, notice.reason);
        match notice.transition {
            AlarmTransition::Raised => {}
            AlarmTransition::Upheld => self.upheld_at = Some(at),
            AlarmTransition::Retracted => self.fate = Fate::Retracted { at, reason },
            AlarmTransition::Cleared => self.fate = Fate::Cleared { at, reason },
            AlarmTransition::Acknowledged => {
                self.acknowledged_at.get_or_insert(at);
            }
            AlarmTransition::Closed => {
                self.closed_at = Some(at);
                self.cause = notice.life.as_ref().and_then(|life| life.cause);
            }
            AlarmTransition::Escalated => self.escalated_count += 1,
            _ => {}
        }
        self.is_over = !notice.state.is_retained();
    }

    /// Whether it has ended, and people have done with it what it asked of them.
    pub(crate) fn has_had_all(&self) -> bool {
        self.is_over && self.ended_at().is_some()
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
