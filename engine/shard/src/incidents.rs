//! Incidents: alarms of one cause, told to belong together. None is held back or changed by it.

use std::collections::{BTreeMap, BTreeSet};

use ach_actors_entities::{Clue, Clues, Site};
use ach_actors_model::{AlarmId, AlarmNotice, IncidentMark, NS_PER_S, Timestamp};
use serde::{Deserialize, Serialize};

use crate::waiting::Waiting;

/// How long an incident takes alarms: an hour after it began, whoever sees to it has found the cause, and what
/// comes then is to be looked at for itself.
const OPEN_NS: u64 = 3_600 * NS_PER_S;

/// Alarms an incident: a list that nobody reads to its end. The next begins another.
pub(crate) const INCIDENT_ALARMS_MAX: u32 = 1_000;

/// Clues an incident: who and where, of an event that has spread over a ward. It bounds how far one alarm leads
/// to the next, and to the one after that.
const CLUES_MAX: usize = 16;

/// Incidents that take alarms at once: one each seven seconds for an hour. With 16 clues of some 40 bytes each they are
/// 0.4 MB, told at once in a checkpoint.
const INCIDENTS_MAX: usize = 512;

/// An incident that takes alarms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Incident {
    began_at: Timestamp,
    alarm_count: u32,
    /// What it was left, each once.
    clues: Vec<Clue>,
}

/// Where a clue leads to, and when it was left last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Trace {
    incident: AlarmId,
    left_at: Timestamp,
}

/// All of them, as a checkpoint tells it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct IncidentsHead {
    open: Vec<(AlarmId, Incident)>,
    traces: Vec<(Clue, Trace)>,
}

/// The incidents that take alarms.
#[derive(Debug, Default)]
pub(crate) struct Incidents {
    open: BTreeMap<AlarmId, Incident>,
    /// The same by when they began.
    by_age: BTreeSet<(Timestamp, AlarmId)>,
    traces: BTreeMap<Clue, Trace>,
}

impl Incidents {
    /// What a checkpoint tells of them.
    pub(crate) fn head(&self) -> IncidentsHead {
        IncidentsHead {
            open: self.open.iter().map(|(&id, incident)| (id, incident.clone())).collect(),
            traces: self.traces.iter().map(|(&clue, &trace)| (clue, trace)).collect(),
        }
    }

    /// Those of a checkpoint.
    pub(crate) fn restore(head: IncidentsHead) -> Incidents {
        let by_age = head.open.iter().map(|(id, incident)| (incident.began_at, *id)).collect();
        let open = head.open.into_iter().collect();
        Incidents { open, by_age, traces: head.traces.into_iter().collect() }
    }

    /// The incident of an alarm that is raised, with the state it is raised in: one that it has a clue to, or
    /// its own. `waiting` is what waits of each, without this one.
    pub(crate) fn join(
        &mut self,
        notice: &AlarmNotice,
        waiting: &Waiting,
        site: &Site,
    ) -> IncidentMark {
        self.close_old(notice.changed_at);
        // What happened an hour ago and is told only now belongs to what happened then.
        let at = if notice.is_late { notice.observed_at } else { notice.changed_at };
        let clues = Clues::of(notice, site);
        let found = clues.joins_by.iter().find_map(|&clue| self.found_by(clue, at));
        if found.is_none() && clues.joined_by.is_empty() {
            // Nobody could join it, so nothing is kept of it.
            return IncidentMark { id: notice.id, place: 1, is_raising: false };
        }
        let id = found.unwrap_or_else(|| self.begin(notice));
        for &clue in &clues.joined_by {
            self.leave(clue, id, at);
        }
        let place = self.count(id);
        let is_aloud = place > 1 && !notice.state.is_quiet();
        IncidentMark { id, place, is_raising: is_aloud && waiting.is_raised_by(id, notice) }
    }

    fn found_by(&self, clue: Clue, at: Timestamp) -> Option<AlarmId> {
        let trace = self.traces.get(&clue)?;
        let apart_ns = at.since_ns(trace.left_at).max(trace.left_at.since_ns(at));
        let incident = self.open.get(&trace.incident)?;
        let takes_it = apart_ns <= clue.span_ns() && incident.alarm_count < INCIDENT_ALARMS_MAX;
        takes_it.then_some(trace.incident)
    }

    fn begin(&mut self, notice: &AlarmNotice) -> AlarmId {
        // An episode has one id, and is raised once; if it ever were twice, its incident would go on.
        if !self.open.contains_key(&notice.id) {
            if self.open.len() >= INCIDENTS_MAX
                && let Some(&(_, oldest)) = self.by_age.first()
            {
                self.close(oldest);
            }
            let (began_at, clues) = (notice.changed_at, Vec::new());
            let incident = Incident { began_at, alarm_count: 0, clues };
            self.by_age.insert((began_at, notice.id));
            self.open.insert(notice.id, incident);
        }
        notice.id
    }

    fn leave(&mut self, clue: Clue, id: AlarmId, at: Timestamp) {
        let Some(incident) = self.open.get_mut(&id) else { return };
        if !incident.clues.contains(&clue) {
            if incident.clues.len() >= CLUES_MAX {
                return;
            }
            incident.clues.push(clue);
        }
        // What is told late does not lead away from what has happened since.
        if self.traces.get(&clue).is_none_or(|known| known.left_at <= at) {
            self.traces.insert(clue, Trace { incident: id, left_at: at });
        }
    }

    /// Which alarm of an incident one more is.
    fn count(&mut self, id: AlarmId) -> u32 {
        let Some(incident) = self.open.get_mut(&id) else { return 1 };
        incident.alarm_count = incident.alarm_count.saturating_add(1);
        incident.alarm_count
    }

    fn close_old(&mut self, now: Timestamp) {
        while let Some(&(began_at, id)) = self.by_age.first()
            && now.since_ns(began_at) > OPEN_NS
        {
            self.close(id);
        }
    }

    fn close(&mut self, id: AlarmId) {
        let Some(incident) = self.open.remove(&id) else { return };
        self.by_age.remove(&(incident.began_at, id));
        for clue in &incident.clues {
            // Another one may have been left the same since.
            if self.traces.get(clue).is_some_and(|trace| trace.incident == id) {
                self.traces.remove(clue);
            }
        }
    }
}
