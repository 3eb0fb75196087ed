//! Alarms of a time, out of history.

use std::collections::BTreeMap;
use std::sync::Arc;

use ach_actors_model::{Place, RuleRef, SubjectRef, Timestamp};
use ach_engine_review::{AlarmLog, Episode};
use ach_engine_store::NameKind;

use crate::cli::alarms::AlarmsOf;
use crate::commands::history::Source;
use crate::exit::{Failure, Outcome};
use crate::notes::PlaceId;

/// Alarms, and names of what they are about.
pub(super) struct Past {
    source: Source,
    /// Those that had not ended when the time began, or were raised since, as they were raised.
    pub(super) episodes: Vec<Episode>,
    /// The time: of what was not asked for, what is there.
    pub(super) span: (Timestamp, Timestamp),
}

impl Past {
    /// Reads every day that is remembered up to the end of the time: what stands open may be old.
    pub(super) fn read(of: &AlarmsOf) -> Result<Past, Failure> {
        let source = Source::open(&of.data)?;
        let until = of.to.unwrap_or(Timestamp(u64::MAX));
        let mut log = AlarmLog::kept_from(of.from.unwrap_or_default());
        let mut rules: BTreeMap<RuleRef, Arc<str>> = BTreeMap::new();
        let mut last_at = Timestamp(0);
        'days: for day in source.store.days() {
            for record in source.store.alarms_on(day)? {
                let notice = record?.notice;
                if notice.changed_at >= until {
                    break 'days;
                }
                let rule =
                    notice.rule.map(|rule| rule_id(&source, &mut rules, rule)).transpose()?;
                log.hear(&notice, rule)?;
                last_at = last_at.max(notice.changed_at);
            }
        }
        let episodes = log.finish();
        let first_at = episodes.first().map_or(last_at, |first| first.raised_at);
        let span = (of.from.unwrap_or(first_at), of.to.unwrap_or(last_at.plus_ns(1)));
        Ok(Past { source, episodes, span })
    }

    /// The subject's id.
    pub(super) fn subject(&self, subject: Option<SubjectRef>) -> Result<Option<String>, Failure> {
        subject.map(|subject| self.source.name(NameKind::Subject, subject.0)).transpose()
    }

    /// What kind of place, and its id.
    pub(super) fn place(&self, place: Place) -> Result<PlaceId, Failure> {
        let named = |word, kind, number| Ok((word, Some(self.source.name(kind, number)?)));
        match place {
            Place::Site => Ok(("site", None)),
            Place::Zone(it) => named("zone", NameKind::Zone, it.0),
            Place::Door(it) => named("door", NameKind::Door, it.0),
            Place::Line(it) => named("line", NameKind::Line, it.0),
            Place::Tag(it) => named("tag", NameKind::Tag, it.0),
            Place::Source(it) => named("feed", NameKind::Source, it.0),
            Place::Anchor(it) => named("anchor", NameKind::Anchor, it.0),
        }
    }

    /// How the question ends.
    pub(super) fn outcome(&self) -> Outcome {
        self.source.outcome(Outcome::Done)
    }
}

/// A rule's id, each kept once.
fn rule_id(
    source: &Source,
    rules: &mut BTreeMap<RuleRef, Arc<str>>,
    rule: RuleRef,
) -> Result<Arc<str>, Failure> {
    if let Some(id) = rules.get(&rule) {
        return Ok(Arc::clone(id));
    }
    let id: Arc<str> = Arc::from(source.name(NameKind::Rule, rule.0)?);
    rules.insert(rule, Arc::clone(&id));
    Ok(id)
}
