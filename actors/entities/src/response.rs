//! What an alarm does at once: doors that it locks, and whom it is handed to.
//!
//! Both follow from the alarm as it is open and from its rule as it is in force, so whatever ends the one or
//! changes the other gives the doors back. `docs/specs/responses.md` says it in words.

use std::collections::BTreeMap;
use std::sync::Arc;

use ach_actors_model::{
    AlarmNotice, AlarmResponse, AlarmState, AlarmTransition, DoorLease, DoorMode, DoorRef, Name,
    Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::alarm::told;
use crate::{Hand, Site};

/// What one alarm says to one door. The greatest of several counts: whoever is more careful, then whoever is so for
/// longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DoorWord {
    /// What it is to do; never unlocked.
    pub mode: DoorMode,
    /// Until when at most.
    pub until: Timestamp,
    /// When what made the alarm certain was observed.
    pub since: Timestamp,
}

impl DoorWord {
    /// As a slot says it.
    pub fn lease(self) -> DoorLease {
        let DoorWord { mode, until, since } = self;
        DoorLease { mode, by: None, remark: None, since, until: Some(until), is_drill: false }
    }
}

/// Whether an alarm that is as `open` calls for its rule's responses: it is no mere suspicion, somebody is to hear of
/// it, and it still holds or nobody has taken notice.
pub fn calls_for_response(open: &AlarmNotice) -> bool {
    let state = open.state;
    let is_over = state.is_any(AlarmState::CLOSED)
        || (!state.is_any(AlarmState::ACTIVE) && state.is_any(AlarmState::ACKNOWLEDGED));
    state.is_retained() && !open.is_tentative && !state.is_quiet() && !is_over
}

/// What an open alarm says to doors now, by its rule as it is in force.
pub fn door_words(open: &AlarmNotice, site: &Site, now: Timestamp) -> BTreeMap<DoorRef, DoorWord> {
    let mut words = BTreeMap::new();
    let Some(rule) = open.rule.filter(|_| calls_for_response(open)) else { return words };
    for response in site.responses(rule) {
        let since = open.certain_at;
        let word = DoorWord { mode: response.mode, until: since.plus_ns(response.for_ns), since };
        if word.until <= now {
            continue;
        }
        for &door in &response.doors {
            let known = words.entry(door).or_insert(word);
            *known = word.max(*known);
        }
    }
    words
}

/// What is told of an open alarm whose rule got its responses only now; nothing if it calls for none, or has said what
/// they came to.
pub fn respond_at_last(open: &AlarmNotice, site: &Site, now: Timestamp) -> Option<AlarmNotice> {
    let rule = open.rule.filter(|_| open.response.is_none() && calls_for_response(open))?;
    if site.responses(rule).is_empty() {
        return None;
    }
    let hand = Hand { by: None, remark: None, now };
    Some(told(open, AlarmTransition::Responded, open.state, hand, |_| {}))
}

/// Puts into an alarm what its rule's responses come to, the first time that it calls for them.
pub fn note_response(notice: &mut AlarmNotice, site: &Site) {
    let Some(rule) = notice.rule.filter(|_| notice.response.is_none()) else { return };
    let responses = site.responses(rule);
    if responses.is_empty() || !calls_for_response(notice) {
        return;
    }
    let words = door_words(notice, site, notice.changed_at);
    let mut tell: Vec<Name> = Vec::new();
    for name in responses.iter().flat_map(|response| &response.tell) {
        if !tell.contains(name) {
            tell.push(name.clone());
        }
    }
    let until = words.values().map(|word| word.until).max().unwrap_or(Timestamp(0));
    let doors = words.into_keys().collect();
    notice.response = Some(Arc::new(AlarmResponse { tell, doors, until }));
}
