//! The alarms that the tag raised on a walk. Pure.

use ach_actors_model::{AlarmTransition, TagId};
use ach_clients_rust::{AlarmNote, AlarmUpdate};

/// Alarms that are kept for the protocol. Whoever walks causes a few; of the rest it says how many they are.
const LISTED_MAX: usize = 1_000;

/// Those of one tag.
#[derive(Debug)]
pub(super) struct Alarms {
    tag: TagId,
    pub(super) listed: Vec<AlarmNote>,
    /// How many came when the list was full.
    pub(super) left_out: u64,
    /// Some may have been missed.
    pub(super) has_gaps: bool,
    /// Those that stood when the walk began have been told: what is told again from now on was missed before.
    knows_open: bool,
}

impl Alarms {
    /// None yet.
    pub(super) fn new(tag: TagId) -> Alarms {
        Alarms { tag, listed: Vec::new(), left_out: 0, has_gaps: false, knows_open: false }
    }

    /// Takes what was told; gives the alarm if the tag raised one.
    pub(super) fn take<'a>(&mut self, update: &'a AlarmUpdate) -> Option<&'a AlarmNote> {
        match update {
            AlarmUpdate::Note(note) => return self.note(note),
            AlarmUpdate::Withdrawn { id, transition: AlarmTransition::Raised } => {
                self.listed.retain(|note| note.id != *id);
            }
            // How it ended was not told: perhaps it never was one.
            AlarmUpdate::Gone { .. }
            | AlarmUpdate::Gap(_)
            | AlarmUpdate::Unreadable(_)
            | AlarmUpdate::Disconnected => self.has_gaps = true,
            AlarmUpdate::OpenSetComplete { .. } => self.knows_open = true,
            AlarmUpdate::Withdrawn { .. }
            | AlarmUpdate::Durable { .. }
            | AlarmUpdate::StillProvisional { .. }
            | AlarmUpdate::EchoReply { .. } => {}
        }
        None
    }

    /// A test alarm comes to whoever follows alarms, whatever is asked for: it is of no tag.
    fn note<'a>(&mut self, note: &'a AlarmNote) -> Option<&'a AlarmNote> {
        let is_new = !note.is_resent || self.knows_open;
        let is_raised = note.transition == AlarmTransition::Raised && is_new;
        if !is_raised || note.tag != Some(self.tag) {
            return None;
        }
        if self.listed.len() < LISTED_MAX {
            self.listed.push(note.clone());
        } else {
            self.left_out = self.left_out.saturating_add(1);
        }
        Some(note)
    }
}

#[cfg(test)]
mod tests {
    use ach_actors_model::{AlarmId, AlarmKind, AlarmPriority, AlarmState, Timestamp};
    use ach_clients_rust::{Storage, Thing, WireCause};

    use super::*;

    const TAG: TagId = TagId(7);
    const GONE: AlarmUpdate = AlarmUpdate::Gone { id: AlarmId(9) };
    const ALL_OPEN_TOLD: AlarmUpdate = AlarmUpdate::OpenSetComplete { open_count: 0 };

    fn raised(id: u128, tag: Option<TagId>, is_resent: bool) -> AlarmUpdate {
        AlarmUpdate::Note(Box::new(AlarmNote {
            id: AlarmId(id),
            transition: AlarmTransition::Raised,
            reason: None,
            kind: AlarmKind::Elopement,
            priority: AlarmPriority::High,
            rule: None,
            site_version: 1,
            episode: 1,
            subject: None,
            tag,
            place: Thing::Site,
            is_tentative: false,
            is_late: false,
            is_drill: false,
            cause: WireCause::SiteChange,
            observed_at: Timestamp(1),
            received_at: Timestamp(2),
            changed_at: Timestamp(3),
            position: None,
            accuracy_mm: 0,
            gates_passed: 0,
            storage: Storage::Durable,
            cursor: None,
            fencing_epoch: 1,
            is_resent,
            state: AlarmState::default(),
            life: None,
            incident: None,
            door: None,
            response: None,
        }))
    }

    fn withdrawn(id: u128, transition: AlarmTransition) -> AlarmUpdate {
        AlarmUpdate::Withdrawn { id: AlarmId(id), transition }
    }

    /// What is told, and which alarms are listed by then, with whether some may be missing.
    #[track_caller]
    fn check(told: &[AlarmUpdate], listed: &[u128], has_gaps: bool) {
        let mut alarms = Alarms::new(TAG);
        for update in told {
            alarms.take(update);
        }
        let ids: Vec<u128> = alarms.listed.iter().map(|note| note.id.0).collect();
        assert_eq!((ids.as_slice(), alarms.has_gaps), (listed, has_gaps), "{told:?}");
    }

    #[test]
    fn alarms_are_listed_that_the_tag_raised_on_the_walk() {
        let ours = |id| raised(id, Some(TAG), false);
        check(&[ours(1), ours(2)], &[1, 2], false);
        check(&[raised(1, None, false)], &[], false);
        check(&[raised(1, Some(TagId(8)), false)], &[], false);
        check(&[ours(1), ours(2), withdrawn(1, AlarmTransition::Raised)], &[2], false);
        check(&[ours(1), withdrawn(1, AlarmTransition::Cleared)], &[1], false);
        check(&[ours(1), AlarmUpdate::Disconnected], &[1], true);
        check(&[GONE, ours(1)], &[1], true);
        let stood = raised(1, Some(TAG), true);
        check(&[stood.clone(), ALL_OPEN_TOLD, ours(2)], &[2], false);
        check(&[ALL_OPEN_TOLD, AlarmUpdate::Disconnected, stood], &[1], true);
    }

    #[test]
    fn of_too_many_it_is_said_how_many_are_left_out() {
        let mut alarms = Alarms::new(TAG);
        for id in 0..1_003 {
            let update = raised(id, Some(TAG), false);
            assert!(alarms.take(&update).is_some(), "shown all the same");
        }
        assert_eq!((alarms.listed.len(), alarms.left_out), (1_000, 3));
    }
}
