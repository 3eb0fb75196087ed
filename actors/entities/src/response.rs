//! What an alarm does at once: doors that it locks, and whom it is handed to.
//!
//! Both follow from the alarm as it is open and from its rule as it is in force, so whatever ends the one or
//! changes the other gives the doors back. `docs/specs/responses.md` says it in words.

use std::collections::BTreeMap;
use std::sync::Arc;

use ach_actors_model::{
    AlarmNotice, AlarmReason, AlarmResponse, AlarmState, AlarmTransition, DoorLease, DoorMode,
    DoorRef, Name, Timestamp,
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

/// Whether an alarm that is as `open`, and whose condition has ended for that reason if it has, calls for its rule's
/// responses: it is no mere suspicion, somebody is to hear of it, and it still holds or nobody has taken notice. Who has
/// given leave, or goes along, has.
fn calls_for_response(open: &AlarmNotice, reason: Option<AlarmReason>) -> bool {
    let state = open.state;
    let is_allowed = matches!(reason, Some(AlarmReason::Authorised | AlarmReason::Escorted));
    let is_seen = state.is_any(AlarmState::ACKNOWLEDGED) || is_allowed;
    let is_over =
        state.is_any(AlarmState::CLOSED) || (!state.is_any(AlarmState::ACTIVE) && is_seen);
    state.is_retained() && !open.is_tentative && !state.is_quiet() && !is_over
}

/// What an open alarm says to doors now, by its rule as it is in force.
pub fn door_words(open: &AlarmNotice, site: &Site, now: Timestamp) -> BTreeMap<DoorRef, DoorWord> {
    let mut words = BTreeMap::new();
    let Some(rule) = open.rule.filter(|_| calls_for_response(open, open.reason)) else {
        return words;
    };
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
    let rule = open.rule.filter(|_| open.response.is_none())?;
    if site.responses(rule).is_empty() || !calls_for_response(open, open.reason) {
        return None;
    }
    let hand = Hand { by: None, remark: None, now };
    Some(told(open, AlarmTransition::Responded, open.state, hand, |_| {}))
}

/// Puts into an alarm what its rule's responses come to, the first time that it calls for them. `reason` is why its
/// condition has ended, which an act does not say.
pub fn note_response(notice: &mut AlarmNotice, reason: Option<AlarmReason>, site: &Site) {
    let Some(rule) = notice.rule.filter(|_| notice.response.is_none()) else { return };
    let responses = site.responses(rule);
    if responses.is_empty() || !calls_for_response(notice, reason) {
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
