//! What happened in a run, as the invariants look at it.

use std::collections::{BTreeMap, BTreeSet};

use ach_actors_model::{AlarmId, AlarmTransition, Lane, Timestamp};
use ach_clients_rust::{AlarmNote, AlarmUpdate, LaneProgress, WireCause};
use ach_engine_shard::Entry;
use ach_engine_store::Store;

use crate::journal_disk::GivenUp;
use crate::script::Deed;

/// Something that a vendor published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Published {
    /// In which life of the vendor; a life that went on from a spool is the same one.
    pub life: u32,
    pub lane: Lane,
    /// Its ticket.
    pub number: u64,
    pub deed: Deed,
    pub observed_at: Timestamp,
}

/// How far the node said that a vendor's life had come on a lane.
pub(crate) type Acked = BTreeMap<(u32, Lane), LaneProgress>;

/// One life of the node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NodeLife {
    /// The last entry that was on its disk when it began.
    pub begun_after: u64,
}

/// What the receiver was told and holds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Heard {
    /// Changes that were told, durable or not, each with what kind of alarm it is and whether it is
    /// durable by now.
    pub changes: BTreeMap<(AlarmId, AlarmTransition), Told>,
    /// Alarms the receiver holds for open.
    pub open: BTreeSet<AlarmId>,
    /// What each episode is one of: rule, subject, place and ordinal.
    pub episodes: BTreeMap<AlarmId, String>,
    /// What raised each.
    pub causes: BTreeMap<AlarmId, String>,
    /// When each change was told and when it was known to be durable.
    pub moments: BTreeMap<(AlarmId, AlarmTransition), Moments>,
    /// Open sets that were told to the end.
    pub open_sets: u32,
    /// Notes were left out, as the receiver was told.
    pub has_gap: bool,
    /// Alarms that are open no more, without a word how they ended or that words are missing.
    pub unsaid: Vec<AlarmId>,
    /// Something came that makes no sense.
    pub nonsense: Vec<String>,
}

/// When a change was heard.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Moments {
    pub told_at: Option<Timestamp>,
    pub durable_at: Option<Timestamp>,
}

/// How a change stands with the receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    /// Provisional, no reason given.
    Provisional,
    /// Provisional, for a reason.
    Reasoned,
    /// On disk.
    Durable,
    /// Said to be lost.
    Withdrawn,
    /// Over, unheard.
    Gone,
}

impl Heard {
    /// Takes news in, which are heard now.
    pub(crate) fn take(&mut self, update: &AlarmUpdate, now: Timestamp) {
        match update {
            AlarmUpdate::Note(note) => self.take_note(note, now),
            AlarmUpdate::Durable { id, transition, .. } => {
                self.stands(*id, *transition, Told::Durable);
                let moments = self.moments.entry((*id, *transition)).or_default();
                moments.durable_at.get_or_insert(now);
            }
            AlarmUpdate::StillProvisional { id, transition, .. } => {
                self.stands(*id, *transition, Told::Reasoned);
            }
            AlarmUpdate::Withdrawn { id, transition } => {
                self.stands(*id, *transition, Told::Withdrawn);
                let raised = self.changes.get(&(*id, AlarmTransition::Raised));
                // An end that is withdrawn leaves its alarm open.
                if raised.is_some_and(|told| *told != Told::Withdrawn) {
                    self.open.insert(*id);
                } else {
                    self.open.remove(id);
                }
            }
            AlarmUpdate::Gone { id } => {
                if !self.has_gap {
                    self.unsaid.push(*id);
                }
                self.open.remove(id);
                for (_, told) in self.changes.iter_mut().filter(|((of, _), _)| of == id) {
                    *told = Told::Gone;
                }
            }
            AlarmUpdate::Gap(_) => self.has_gap = true,
            AlarmUpdate::Unreadable(error) => self.nonsense.push(error.to_string()),
            AlarmUpdate::OpenSetComplete { .. } => {
                self.open_sets = self.open_sets.saturating_add(1);
            }
            AlarmUpdate::EchoReply { .. } | AlarmUpdate::Disconnected => {}
        }
    }

    fn take_note(&mut self, note: &AlarmNote, now: Timestamp) {
        use ach_engine_wire::{ProvisionalReason, Storage};
        let told = match note.storage {
            Storage::Durable => Told::Durable,
            Storage::Provisional(ProvisionalReason::None) => Told::Provisional,
            Storage::Provisional(_) => Told::Reasoned,
            Storage::Withdrawn => Told::Withdrawn,
        };
        let before = self.changes.insert((note.id, note.transition), told);
        let moments = self.moments.entry((note.id, note.transition)).or_default();
        moments.told_at.get_or_insert(now);
        if told == Told::Durable {
            moments.durable_at.get_or_insert(now);
        }
        if before.is_some_and(|it| !matches!(it, Told::Withdrawn | Told::Gone)) {
            self.nonsense.push(format!("{} {:?} told twice", note.id, note.transition));
        }
        let AlarmNote { rule, kind, subject, place, episode, .. } = note;
        let about = format!("{rule:?} {kind:?} {subject:?} {place:?}");
        self.episodes.insert(note.id, format!("{about} {episode}"));
        // A node that does not store may give the id to what comes next; when its backup is put back it
        // stands for what is on disk.
        if matches!(told, Told::Provisional | Told::Durable) {
            self.causes.insert(note.id, format!("{about} by {}", input_of(note)));
        }
        match note.transition {
            AlarmTransition::Raised | AlarmTransition::Upheld => {
                self.open.insert(note.id);
            }
            _ if note.state.is_retained() => {}
            _ => {
                self.open.remove(&note.id);
            }
        }
    }

    fn stands(&mut self, id: AlarmId, transition: AlarmTransition, told: Told) {
        if self.changes.insert((id, transition), told).is_none() {
            self.nonsense.push(format!("{id} {transition:?} settled and never told"));
        }
    }
}

/// A loss of history, with the last entry that one which is begun then may be without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loss {
    /// It is begun anew.
    Certain(u64),
    /// It may have to be: another journal is put in its place, or what it would be made of was harmed.
    Possible(u64),
}

/// Everything that is known of a run when it is over.
#[derive(Debug, Default)]
pub(crate) struct Past {
    pub published: Vec<Published>,
    pub acked: Acked,
    pub node_lives: Vec<NodeLife>,
    /// Starts that should have worked and did not.
    pub failed_starts: Vec<String>,
    /// Whether the last publisher got everything on disk in the end, and what it said if not.
    pub drained: Option<String>,
    /// The node ended in good order.
    pub has_ended_well: bool,
    /// Whether nothing ever cut node, vendor or connection, so that every count is exact. History may
    /// have had its faults.
    pub is_uncut: bool,
    /// Whether anything went wrong at all, but for a writing of history that took its time.
    pub has_faults: bool,
    /// From when until when writings of history were stalled, to a tenth of a second.
    pub stalls: Vec<(Timestamp, Timestamp)>,
    /// The journal, as it was read at the end.
    pub entries: Vec<Entry>,
    /// What was found wrong with the journal when it was read at the end.
    pub journal_fault: Option<String>,
    /// The same of the audit log.
    pub audit_fault: Option<String>,
    /// History, as it was found at the end.
    pub history: Option<Result<Store, String>>,
    /// How history was damaged, lost, or overtaken by a backup of the journal, in order.
    pub losses: Vec<Loss>,
    /// Where history went on at the latest when it was on again after it had been off: the oldest checkpoint
    /// of which the journal had all that follows. 0 if there was nothing between; anywhere when a bit of a
    /// checkpoint flipped, for it may be the one to go on from.
    pub skips_to_at_most: u64,
    /// Each time a segment of the journal was given up, with its last entry.
    pub given_up: Vec<(u64, GivenUp)>,
    pub heard: Heard,
    /// What a receiver is told that comes for the first time when all is over.
    pub newcomer: Heard,
}

impl Past {
    /// The last entry that history may be without in the end.
    pub(crate) fn history_may_lack(&self) -> u64 {
        self.losses.iter().fold(0, |before, loss| match *loss {
            Loss::Certain(latest) => latest,
            Loss::Possible(latest) => before.max(latest),
        })
    }
}

/// What raised an alarm: two of a kind have not one between them. A moment is an input's own unless it is that
/// of its arrival, as of a clock that is ahead: many arrive at once. What the node orders of itself has no
/// number, and comes once at a moment.
fn input_of(note: &AlarmNote) -> String {
    let has_number = !matches!(note.cause, WireCause::SiteChange | WireCause::Node);
    if note.observed_at < note.received_at || !has_number {
        format!("{:?}", note.observed_at)
    } else {
        format!("{:?}", note.cause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_excuses_no_more_than_what_was_gone_by_then() {
        use Loss::{Certain, Possible};
        for (losses, may_lack) in [
            (vec![], 0),
            (vec![Certain(7)], 7),
            (vec![Certain(7), Certain(0)], 0),
            (vec![Possible(3)], 3),
            (vec![Certain(7), Possible(3)], 7),
            (vec![Possible(9), Certain(4), Possible(6)], 6),
        ] {
            let past = Past { losses: losses.clone(), ..Past::default() };
            assert_eq!(past.history_may_lack(), may_lack, "{losses:?}");
        }
    }
}
