//! What happens at once when a rule raises an alarm: doors that lock, and whom it is handed to.

use ach_actors_model::{DoorMode, Name, ResponseConfig};

use crate::catalogue::Catalogue;

/// Most responses of a site: one for each ward of the largest, and spare.
pub(crate) const RESPONSES_MAX: usize = 256;

/// Most responses of one rule, as a node takes: `RESPONSE_COUNT_MAX` of ach-actors-entities.
pub(crate) const RESPONSES_OF_RULE_MAX: usize = 4;

/// Most doors of one response, and of those of a rule together, as a node takes.
pub(crate) const LOCKED_DOORS_MAX: usize = 64;

/// Most names of one response to whom an alarm is handed, and of those of a rule together, as a node takes.
pub(crate) const TOLD_MAX: usize = 16;

/// Longest time a response keeps doors: a day, as long as an operator may.
pub(crate) const LEASE_MAX_NS: u64 = 24 * 3_600 * 1_000_000_000;

/// What happens at once when a rule raises an alarm. Rules name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResponsePlan {
    /// The name that rules give.
    pub id: Name,
    /// Doors it locks, by id.
    pub doors: Vec<Name>,
    /// Doors it locks, by label.
    pub doors_labelled: Vec<Name>,
    /// What they do: locked or blocked.
    pub mode: DoorMode,
    /// For how long at most.
    pub for_ns: u64,
    /// Whether it is meant to lock ways out, for those who come in.
    pub also_exits: bool,
    /// Roles, persons or devices that an alarm is handed to at once, by id.
    pub tell: Vec<Name>,
}

impl ResponsePlan {
    /// Locks nothing and tells nobody.
    pub fn new(id: Name) -> ResponsePlan {
        ResponsePlan {
            id,
            doors: Vec::new(),
            doors_labelled: Vec::new(),
            mode: DoorMode::Locked,
            for_ns: 0,
            also_exits: false,
            tell: Vec::new(),
        }
    }

    /// Whether it locks anything.
    pub fn locks(&self) -> bool {
        !(self.doors.is_empty() && self.doors_labelled.is_empty())
    }

    /// The doors it locks that are moved, ascending, as indexes into the site configuration.
    pub(crate) fn moved_doors(&self, catalogue: &Catalogue<'_>) -> Vec<u32> {
        let mut doors = catalogue.doors.select(&self.doors, &self.doors_labelled);
        doors.retain(|&door| catalogue.door(door).is_some_and(|door| door.control.is_some()));
        doors
    }
}

/// The responses of a rule as they are journaled.
pub(crate) fn compiled(
    named: &[Name],
    plans: &[ResponsePlan],
    catalogue: &Catalogue<'_>,
) -> Vec<ResponseConfig> {
    let plans = named.iter().filter_map(|id| plans.iter().find(|plan| plan.id == *id));
    let compile = |plan: &ResponsePlan| ResponseConfig {
        id: plan.id.clone(),
        doors: plan.moved_doors(catalogue),
        mode: plan.mode,
        for_ns: plan.for_ns,
        tell: plan.tell.clone(),
    };
    plans.map(compile).collect()
}
