//! Alarms that call somebody and that nobody has answered, counted by incident: what a further alarm of it could be
//! overlooked behind.

use std::collections::BTreeMap;

use ach_actors_model::{AlarmId, AlarmNotice, AlarmPriority, AlarmState, SubjectRef};

/// How many wait of each incident. It follows from the alarms that are open, so a checkpoint tells nothing of it, and
/// it is never larger than they are.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    by_priority: BTreeMap<(AlarmId, AlarmPriority), u32>,
    by_subject: BTreeMap<(AlarmId, SubjectRef), u32>,
}

impl Waiting {
    /// Counts an alarm that is put on the board.
    pub(crate) fn put(&mut self, notice: &AlarmNotice) {
        let Some(id) = incident_of(notice) else { return };
        *self.by_priority.entry((id, notice.priority)).or_insert(0) += 1;
        if let Some(subject) = notice.subject {
            *self.by_subject.entry((id, subject)).or_insert(0) += 1;
        }
    }

    /// Counts it no more: it is over, or becomes another.
    pub(crate) fn take(&mut self, notice: &AlarmNotice) {
        let Some(id) = incident_of(notice) else { return };
        take_one(&mut self.by_priority, &(id, notice.priority));
        if let Some(subject) = notice.subject {
            take_one(&mut self.by_subject, &(id, subject));
        }
    }

    /// Whether an alarm that joins an incident would be overlooked if it did not call anew: it is more urgent than all that
    /// wait, or about somebody about whom none of them is.
    pub(crate) fn is_raised_by(&self, id: AlarmId, notice: &AlarmNotice) -> bool {
        let all = self.by_priority.range((id, AlarmPriority::Low)..=(id, AlarmPriority::High));
        let highest = all.last().map(|(&(_, priority), _)| priority);
        let is_about_another = |subject| !self.by_subject.contains_key(&(id, subject));
        Some(notice.priority) > highest || notice.subject.is_some_and(is_about_another)
    }
}

/// The incident of an alarm that waits.
fn incident_of(notice: &AlarmNotice) -> Option<AlarmId> {
    let state = notice.state;
    let is_answered = state.is_any(AlarmState::ACKNOWLEDGED);
    let waits = state.is_retained() && !state.is_quiet() && !is_answered;
    notice.incident.filter(|_| waits).map(|mark| mark.id)
}

fn take_one<K: Ord>(counts: &mut BTreeMap<K, u32>, key: &K) {
    let Some(count) = counts.get_mut(key) else { return };
    *count = count.saturating_sub(1);
    if *count == 0 {
        counts.remove(key);
    }
}
