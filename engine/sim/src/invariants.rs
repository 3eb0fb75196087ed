//! What must hold when a run is over: one file each.

mod acked_is_kept;
mod alarms_as_modelled;
mod alarms_do_not_wait;
mod audit_is_whole;
mod counts_add_up;
mod history_as_modelled;
mod journal_is_kept;
mod life_goes_on;
mod one_alarm_an_episode;
mod one_effect;
mod open_set_is_whole;
mod time_goes_on;
mod told_is_settled;

pub(crate) use self::alarms_do_not_wait::due_in_stalls;
use crate::model::Model;
use crate::past::Past;

/// An invariant that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which, as in [`invariants`].
    pub invariant: &'static str,
    /// What was found.
    pub detail: String,
}

type Check = fn(&Past, &Model) -> Result<(), String>;

const CHECKS: [(&str, Check); 13] = [
    ("life goes on", life_goes_on::check),
    ("acked is kept", acked_is_kept::check),
    ("time goes on", time_goes_on::check),
    ("one alarm an episode", one_alarm_an_episode::check),
    ("alarms as modelled", alarms_as_modelled::check),
    ("one effect", one_effect::check),
    ("told is settled", told_is_settled::check),
    ("open set is whole", open_set_is_whole::check),
    ("counts add up", counts_add_up::check),
    ("audit is whole", audit_is_whole::check),
    ("journal is kept", journal_is_kept::check),
    ("history as modelled", history_as_modelled::check),
    ("alarms do not wait", alarms_do_not_wait::check),
];

/// The names of all invariants.
pub fn invariants() -> impl Iterator<Item = &'static str> {
    CHECKS.into_iter().map(|(name, _)| name)
}

/// The first invariant that does not hold.
pub(crate) fn check(past: &Past, model: &Model) -> Option<Violation> {
    let failed = |(invariant, check): (&'static str, Check)| {
        check(past, model).err().map(|detail| Violation { invariant, detail })
    };
    CHECKS.into_iter().find_map(failed)
}
