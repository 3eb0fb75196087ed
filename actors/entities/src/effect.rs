//! All that a decision can ask for.
//!
//! Commit is not an input: an effect is either [`Release::Now`] (it may leave before the disk
//! answers) or [`Release::OnCommit`] (it waits until its entry is durable). `docs/specs/entry.md`
//! has the table; [`Effect::release`] is that table.

use ach_actors_model::{
    AlarmNotice, AlarmTransition, DoorOrder, DoorStanding, Emergency, Event, EventKind, Lane,
    PassNotice, SourceRef, WishRefusal,
};

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Tell the subscribers what became of an alarm.
    Alarm(AlarmNotice),
    /// Tell the subscribers a fact.
    Event(Event),
    /// The source's inputs have been decided on.
    Accepted(Accepted),
    /// A new version of the site is in force; the rim takes its names from it.
    SiteInForce {
        /// The version.
        version: u32,
    },
    /// A new version of the site was refused; the one before stays in force.
    SiteRefused {
        /// The version that was refused.
        version: u32,
    },
    /// A new epoch of a source is in force.
    EpochOpened {
        /// The feed.
        source: SourceRef,
        /// The epoch.
        epoch: u32,
    },
    /// Nothing came of a command.
    WishRefused {
        /// Its place among the inputs of the entry, from 0.
        input: u32,
        /// Why.
        why: WishRefusal,
    },
    /// A door is otherwise than it was, or is told to be otherwise.
    Door(DoorStanding),
    /// A lockdown or an evacuation runs, or runs no more.
    Emergency {
        /// Which.
        emergency: Emergency,
        /// Whether it runs.
        is_running: bool,
    },
    /// Leave was given, or is over.
    Pass(PassNotice),
}

/// What became of one source's inputs on one lane in one entry.
///
/// `accepted + duplicate + late + refused + conflated` is the number of inputs it stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Accepted {
    /// The feed.
    pub source: SourceRef,
    /// The lane.
    pub lane: Lane,
    /// The epoch.
    pub epoch: u32,
    /// Every sequence number up to this one has been decided on.
    pub through_seq: u64,
    /// New inputs.
    pub accepted_count: u32,
    /// Inputs seen before.
    pub duplicate_count: u32,
    /// Inputs older than what was already known of their tag.
    pub late_count: u32,
    /// Inputs refused by the session or the shard.
    pub refused_count: u32,
    /// Inputs that gave way to newer ones.
    pub conflated_count: u32,
}

/// When an effect may leave the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Release {
    /// At once.
    Now,
    /// When its entry is durable.
    OnCommit,
}

impl Effect {
    /// When it may leave.
    pub fn release(&self) -> Release {
        match self {
            Effect::Alarm(notice) => match notice.transition {
                AlarmTransition::Raised | AlarmTransition::Upheld => Release::Now,
                // What ends an alarm, and what people and timers do to one.
                _ => Release::OnCommit,
            },
            // Nobody waits for a disk to get out. It may be told again, and is if it is lost.
            Effect::Door(DoorStanding { order: Some(order), .. })
                if DoorOrder::is_release(order) =>
            {
                Release::Now
            }
            // What is in force is in force when it is durable.
            Effect::Event(Event { kind: EventKind::SiteChanged { .. }, .. })
            | Effect::SiteInForce { .. }
            | Effect::EpochOpened { .. }
            | Effect::WishRefused { .. }
            | Effect::Door(_)
            | Effect::Emergency { .. }
            | Effect::Pass(_) => Release::OnCommit,
            Effect::Event(_) | Effect::Accepted(_) | Effect::SiteRefused { .. } => Release::Now,
        }
    }
}
