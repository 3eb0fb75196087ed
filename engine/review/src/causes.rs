//! What alarms turned out to be, as those say who closed them.

use std::collections::BTreeMap;

use ach_actors_model::AlarmCause;

use crate::episode::Episode;

/// What a cause says of the alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Truth {
    /// Somebody had to come.
    Real,
    /// Nobody had to come: what it said was not so, or was allowed.
    False,
    /// Neither for nor against its rule.
    Neither,
}

impl Truth {
    /// What a cause says.
    pub fn of(cause: AlarmCause) -> Truth {
        match cause {
            AlarmCause::Real => Truth::Real,
            AlarmCause::Allowed
            | AlarmCause::WrongPosition
            | AlarmCause::DeviceFault
            | AlarmCause::RuleTooStrict => Truth::False,
            AlarmCause::Test | AlarmCause::Duplicate | AlarmCause::Other => Truth::Neither,
        }
    }
}

/// What some alarms turned out to be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Causes {
    /// How many alarms there were.
    pub alarm_count: usize,
    /// How many of them were closed, by cause.
    pub by_cause: BTreeMap<AlarmCause, usize>,
}

impl Causes {
    pub(crate) fn add(&mut self, episode: &Episode) {
        self.alarm_count += 1;
        if let Some(cause) = episode.cause {
            *self.by_cause.entry(cause).or_default() += 1;
        }
    }

    /// How many were closed.
    pub fn closed_count(&self) -> usize {
        self.by_cause.values().sum()
    }

    /// How many of them turned out to be real, false or neither.
    pub fn count(&self, truth: Truth) -> usize {
        let is_so = |(cause, _): &(&AlarmCause, &usize)| Truth::of(**cause) == truth;
        self.by_cause.iter().filter(is_so).map(|(_, count)| count).sum()
    }
}
