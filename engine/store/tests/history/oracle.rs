//! History by brute force: lists in memory, searched from end to end.

use std::collections::BTreeMap;

use ach_actors_entities::Effect;
use ach_actors_model::{
    AlarmId, AlarmNotice, Cause, EntityRef, EventKind, Lane, SubjectRef, TagRef, Timestamp, ZoneRef,
};
use ach_engine_shard::Input;
use ach_engine_store::{AlarmInput, AlarmRecord, KeptPing, Visit};

use crate::hospital::Step;

/// Everything that was heard and decided.
#[derive(Debug, Default, Clone)]
pub(crate) struct Oracle {
    pub(crate) pings: BTreeMap<TagRef, Vec<KeptPing>>,
    pub(crate) visits: Vec<Visit>,
    pub(crate) alarms: Vec<AlarmRecord>,
    through_seq: u64,
    /// New and late pings as the shard counted them.
    pub(crate) decided_count: u64,
}

impl Oracle {
    pub(crate) fn take(&mut self, step: &Step) {
        for input in &step.entry.inputs {
            let Input::Pings(batch) = input else { continue };
            for ping in &batch.pings {
                let seq = batch.first_seq + u64::from(ping.seq_offset);
                if seq > self.through_seq {
                    self.through_seq = seq;
                    let kept = KeptPing::of(ping, batch.received_at);
                    self.pings.entry(ping.tag).or_default().push(kept);
                }
            }
        }
        for (ordinal, effect) in (0..).zip(&step.effects) {
            match effect {
                Effect::Accepted(accepted) if accepted.lane == Lane::Ping => {
                    self.decided_count += u64::from(accepted.accepted_count + accepted.late_count);
                }
                Effect::Alarm(notice) => self.alarms.push(AlarmRecord {
                    index: step.entry.index,
                    ordinal,
                    notice: notice.clone(),
                    clock_offset_ns: None,
                    input: heard(step, notice),
                }),
                Effect::Event(event) => self.event(event.kind, event.at),
                Effect::SiteInForce { .. } => self.end_gone(step),
                _ => {}
            }
        }
    }

    fn event(&mut self, kind: EventKind, at: Timestamp) {
        match kind {
            EventKind::ZoneEntered { subject, zone, .. } => {
                self.visits.push(Visit {
                    entered_at: at,
                    exited_at: None,
                    ended_before: None,
                    subject,
                    zone,
                });
            }
            EventKind::ZoneExited { subject, zone, .. } => {
                let open = self.visits.iter_mut().find(|visit| {
                    visit.exited_at.is_none() && visit.subject == subject && visit.zone == zone
                });
                open.unwrap().exited_at = Some(at);
            }
            _ => {}
        }
    }

    fn end_gone(&mut self, step: &Step) {
        let site = step.site.as_ref().unwrap();
        let open = self.visits.iter_mut().filter(|visit| visit.exited_at.is_none());
        for visit in open.filter(|visit| !site.has(EntityRef::Zone(visit.zone))) {
            visit.exited_at = Some(step.entry.at);
        }
    }

    pub(crate) fn whereabouts(&self, tag: TagRef, at: Timestamp) -> Option<KeptPing> {
        let pings = self.pings.get(&tag)?.iter().filter(|ping| ping.observed_at <= at);
        pings.max_by_key(|ping| ping.observed_at).copied()
    }

    pub(crate) fn walk(&self, tag: TagRef, from: Timestamp, until: Timestamp) -> Vec<KeptPing> {
        let asked = from..until;
        let pings = self.pings.get(&tag).into_iter().flatten();
        pings.filter(|ping| asked.contains(&ping.observed_at)).copied().collect()
    }

    fn visits(
        &self,
        from: Timestamp,
        until: Timestamp,
        is_asked: impl Fn(&Visit) -> bool,
    ) -> Vec<Visit> {
        let touches = |visit: &Visit| {
            let is_over = visit.exited_at.is_some_and(|exited| exited <= from);
            visit.entered_at < until && (visit.entered_at >= from || !is_over)
        };
        let found = self.visits.iter().filter(|visit| is_asked(visit) && touches(visit));
        let mut found: Vec<Visit> = found.copied().collect();
        found.sort_by_key(|visit| (visit.entered_at, visit.subject, visit.zone));
        found
    }

    pub(crate) fn in_zone(&self, zone: ZoneRef, from: Timestamp, until: Timestamp) -> Vec<Visit> {
        self.visits(from, until, |visit| visit.zone == zone)
    }

    pub(crate) fn of_subject(
        &self,
        who: SubjectRef,
        from: Timestamp,
        until: Timestamp,
    ) -> Vec<Visit> {
        self.visits(from, until, |visit| visit.subject == who)
    }

    pub(crate) fn alarm(&self, id: AlarmId) -> Vec<AlarmRecord> {
        self.alarms.iter().filter(|record| record.notice.id == id).cloned().collect()
    }
}

/// The ping that an alarm says it came from.
fn heard(step: &Step, notice: &AlarmNotice) -> Option<AlarmInput> {
    let Cause::Input { seq, .. } = notice.cause else { return None };
    let mut found = None;
    for input in &step.entry.inputs {
        let Input::Pings(batch) = input else { continue };
        for ping in &batch.pings {
            if batch.first_seq + u64::from(ping.seq_offset) == seq {
                let received_at = batch.received_at;
                found = Some(AlarmInput::Ping { ping: *ping, received_at });
            }
        }
    }
    found
}
