//! What the receiver has heard of alarms.

use std::collections::{BTreeMap, BTreeSet};

use ach_actors_model::{AlarmId, AlarmTransition};
use ach_clients_rust::{AlarmNote, AlarmUpdate, ProvisionalReason, Storage};

use crate::Episode;
use crate::journal::Journaled;

/// What stands of an alarm that was heard as raised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Provisional,
    Durable,
    Withdrawn,
}

/// The receiver's book.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    raised: BTreeMap<AlarmId, Standing>,
    cleared: BTreeMap<AlarmId, Standing>,
    ids: BTreeMap<Episode, AlarmId>,
    faults: Vec<String>,
    /// How many raised alarms were heard before they were on disk.
    pub(crate) provisional_count: u64,
    /// How many of those were withdrawn aloud.
    pub(crate) withdrawn_count: u64,
}

impl Heard {
    /// Takes news.
    pub(crate) fn take(&mut self, update: &AlarmUpdate) {
        match update {
            AlarmUpdate::Note(note) => self.take_note(note),
            AlarmUpdate::Durable { id, transition, .. } => {
                let before = self.change(*id, *transition, Standing::Durable);
                if before != Some(Standing::Provisional) {
                    self.fault(format!("{transition:?} {id} became durable and was {before:?}"));
                }
            }
            AlarmUpdate::Withdrawn { id, transition } => {
                let before = self.change(*id, *transition, Standing::Withdrawn);
                self.withdrawn_count += 1;
                if before != Some(Standing::Provisional) {
                    self.fault(format!("{transition:?} {id} was withdrawn and was {before:?}"));
                }
            }
            AlarmUpdate::Gone { id } => self.fault(format!("{id} ended and nobody said how")),
            AlarmUpdate::Unreadable(error) => self.fault(format!("a note cannot be read: {error}")),
            AlarmUpdate::Gap(gap) => self.fault(format!("notes were left out: {gap:?}")),
            // The disk is taken away in some lives: what is not stored is withdrawn or stored in a
            // later one.
            AlarmUpdate::StillProvisional { reason: ProvisionalReason::NoDisk, .. }
            | AlarmUpdate::OpenSetComplete { .. }
            | AlarmUpdate::EchoReply { .. }
            | AlarmUpdate::Disconnected => {}
            AlarmUpdate::StillProvisional { id, reason, .. } => {
                self.fault(format!("{id} was not stored: {reason:?}"));
            }
        }
    }

    fn take_note(&mut self, note: &AlarmNote) {
        let episode = episode(note);
        let id = *self.ids.entry(episode.clone()).or_insert(note.id);
        if id != note.id {
            self.fault(format!("{episode:?} came as {id} and as {}", note.id));
        }
        let standing = match note.storage {
            Storage::Durable => Standing::Durable,
            Storage::Provisional(_) => Standing::Provisional,
            Storage::Withdrawn => Standing::Withdrawn,
        };
        let is_raised = note.transition == AlarmTransition::Raised;
        self.provisional_count += u64::from(is_raised && standing == Standing::Provisional);
        let before = self.change(note.id, note.transition, standing);
        if before.is_some_and(|before| before != Standing::Withdrawn) {
            self.fault(format!("{:?} {episode:?} was told twice", note.transition));
        }
    }

    fn change(
        &mut self,
        id: AlarmId,
        transition: AlarmTransition,
        to: Standing,
    ) -> Option<Standing> {
        match transition {
            AlarmTransition::Raised => self.raised.insert(id, to),
            AlarmTransition::Cleared => self.cleared.insert(id, to),
            _ => {
                self.fault(format!(
                    "{id} was {transition:?}, and no rule is tentative and nobody does anything"
                ));
                None
            }
        }
    }

    fn fault(&mut self, fault: String) {
        self.faults.push(fault);
    }

    /// How many episodes it knows to have ended for good.
    pub(crate) fn ended_count(&self) -> usize {
        let is_durable = |id: &AlarmId| self.raised.get(id) == Some(&Standing::Durable);
        self.cleared.iter().filter(|(id, at)| **at == Standing::Durable && is_durable(id)).count()
    }

    /// It heard each expected episode and no other, under one id, and knows that it is durable.
    pub(crate) fn check_all(&self, expected: &BTreeSet<Episode>) {
        assert!(self.faults.is_empty(), "the receiver was told nonsense: {:#?}", self.faults);
        let heard: BTreeSet<Episode> = self.ids.keys().cloned().collect();
        let missing: Vec<_> = expected.difference(&heard).collect();
        let extra: Vec<_> = heard.difference(expected).collect();
        assert!(
            missing.is_empty() && extra.is_empty(),
            "never heard: {missing:#?}; heard without reason: {extra:#?}"
        );
        let is_durable = |id: &AlarmId| {
            [&self.raised, &self.cleared]
                .iter()
                .all(|heard| heard.get(id) == Some(&Standing::Durable))
        };
        let doubtful: Vec<_> = self.ids.iter().filter(|(_, id)| !is_durable(id)).collect();
        assert!(doubtful.is_empty(), "not durable at both ends: {doubtful:#?}");
        let ids: BTreeSet<_> = self.ids.values().collect();
        assert_eq!(ids.len(), self.raised.len(), "an alarm was raised under a second id");
    }

    /// It heard all that is in the journal, nothing else, and knows that it is durable.
    pub(crate) fn check(&self, journaled: &Journaled) {
        assert!(self.faults.is_empty(), "the receiver was told nonsense: {:#?}", self.faults);
        for (word, heard) in [("raised", &self.raised), ("cleared", &self.cleared)] {
            let missing: Vec<_> =
                journaled.episodes.iter().filter(|(id, _)| !heard.contains_key(id)).collect();
            assert!(missing.is_empty(), "in the journal, never heard as {word}: {missing:#?}");
            let doubtful: Vec<_> = heard
                .iter()
                .filter(|(id, standing)| {
                    let expected = if journaled.episodes.contains_key(id) {
                        Standing::Durable
                    } else {
                        Standing::Withdrawn
                    };
                    **standing != expected
                })
                .map(|(id, standing)| (id, standing, journaled.episodes.get(id)))
                .collect();
            assert!(
                doubtful.is_empty(),
                "heard as {word}, and neither durable nor withdrawn as the journal has it: \
                 {doubtful:#?}"
            );
        }
        for (episode, id) in &self.ids {
            let kept = journaled.episodes.get(id);
            assert!(
                kept.is_none_or(|kept| kept == episode),
                "{id} is {episode:?} to the receiver and {kept:?} in the journal"
            );
        }
    }
}

fn episode(note: &AlarmNote) -> Episode {
    let text =
        |name: Option<&ach_actors_model::Name>| name.map_or_else(String::new, ToString::to_string);
    (text(note.rule.as_ref()), text(note.subject.as_ref()), note.episode)
}
