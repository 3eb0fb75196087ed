//! Alarms of a time, out of history.

use std::collections::BTreeMap;
use std::sync::Arc;

use ach_actors_model::{Place, RuleRef, SubjectRef, Timestamp};
use ach_engine_review::{AlarmLog, Episode};
use ach_engine_store::NameKind;

use crate::cli::alarms::AlarmsOf;
use crate::commands::history::Source;
use crate::exit::{Failure, Outcome};
use crate::moment::local;
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
    /// Reads every day that is remembered: what stands open may be old, and what became of an alarm may be told
    /// after the end of the time.
    pub(super) fn read(of: &AlarmsOf) -> Result<Past, Failure> {
        let source = Source::open(&of.data)?;
        let (known_from, span) = span(&source, of)?;
        let (from, until) = span;
        let mut log = AlarmLog::kept_from(from);
        let mut rules: BTreeMap<RuleRef, Arc<str>> = BTreeMap::new();
        for day in source.store.days() {
            for record in source.store.alarms_on(day)? {
                let notice = record?.notice;
                if notice.changed_at >= until && !log.knows(notice.id) {
                    continue;
                }
                let rule =
                    notice.rule.map(|rule| rule_id(&source, &mut rules, rule)).transpose()?;
                log.hear(&notice, rule)?;
            }
        }
        // One that was open, or waited for people, when something was not kept may have been over then.
        let mut episodes = log.finish();
        episodes.retain(|it| it.has_had_all() || it.raised_at >= known_from);
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
            Place::Subject(it) => named("subject", NameKind::Subject, it.0),
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

/// Since when all is known, and the time that is asked about, as far as history goes.
fn span(source: &Source, of: &AlarmsOf) -> Result<(Timestamp, (Timestamp, Timestamp)), Failure> {
    let Some((known_from, known_until)) = source.store.known()? else {
        return Err(Failure::new(
            "history has nothing yet; ask again when the node has stored something",
        ));
    };
    let from = of.from.unwrap_or(known_from);
    let until = of.to.unwrap_or(known_until).min(known_until);
    if from >= until {
        return Err(Failure::new(format!(
            "history goes from {} to {}; ask about a time within it",
            local(known_from),
            local(known_until)
        )));
    }
    source.store.must_keep(from, until)?;
    Ok((known_from, (from, until)))
}
