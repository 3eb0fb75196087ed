//! What is quiet, as it is told to people: everything at once.

use ach_actors_model::{
    AlarmId, AlarmKind, AlarmState, Name, QuietScope, Remark, RuleRef, SubjectRef, Timestamp,
};

use crate::quiet::{QuietKey, Quiets, SECOND_PERSON_NS};
use crate::shard::Shard;

/// Something that is quiet, or of which one person wishes that it were.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuietThing {
    /// The condition that is shelved: kind, rule and whom it is about. A muted place or rule is no condition.
    pub condition: Option<(AlarmKind, Option<RuleRef>, Option<SubjectRef>)>,
    /// The place or rule; of a condition the place.
    pub scope: QuietScope,
    /// In which way: one flag.
    pub way: AlarmState,
    /// Until when it is quiet; of what waits for a second person, until when it waits.
    pub until: Timestamp,
    /// For how long it was asked, if it waits for a second person.
    pub waits_for_ns: Option<u64>,
    /// By whom: of two, the second.
    pub by: Name,
    /// The first of two.
    pub asked_by: Option<Name>,
    /// In which words.
    pub remark: Option<Remark>,
    /// The alarm by way of which it was shelved.
    pub alarm: Option<AlarmId>,
}

impl Shard {
    /// Everything that is quiet, and what waits for a second person: places and rules after conditions, in an order of
    /// its own. What waits is told even when its time is over, until somebody asks for something else.
    pub fn quiet_things(&self) -> Vec<QuietThing> {
        self.board.quiets.things()
    }

    /// Goes up whenever something becomes quiet, ends, or is asked for.
    pub fn quiet_revision(&self) -> u64 {
        self.board.quiets.revision()
    }
}

impl Quiets {
    fn things(&self) -> Vec<QuietThing> {
        let kept = self.kept().map(|(key, way, quiet)| {
            let (condition, scope) = match key {
                QuietKey::Condition { rule, kind, subject, place } => {
                    (Some((kind, rule, subject)), QuietScope::Place(place))
                }
                QuietKey::Scope(scope) => (None, scope),
            };
            QuietThing {
                condition,
                scope,
                way,
                until: quiet.until,
                waits_for_ns: None,
                by: quiet.by.clone(),
                asked_by: quiet.asked_by.clone(),
                remark: quiet.remark.clone(),
                alarm: quiet.alarm,
            }
        });
        let asked = self.asks().map(|ask| QuietThing {
            condition: None,
            scope: ask.scope,
            way: ask.flag,
            until: ask.asked_at.plus_ns(SECOND_PERSON_NS),
            waits_for_ns: Some(ask.for_ns),
            by: ask.person.clone(),
            asked_by: None,
            remark: ask.remark.clone(),
            alarm: None,
        });
        kept.chain(asked).collect()
    }
}
