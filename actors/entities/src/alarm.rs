//! One alarm from when it was raised until nobody need look at it any more.
//!
//! What the condition says comes from the actor that watches it; what people and timers do comes
//! here. Both meet in flags (`AlarmState`), of which the state that ISA-18.2 names follows. The table
//! of every state with every input is `docs/specs/alarm-life.md`; `tests/alarm_life.rs` holds both
//! against each other.

use std::sync::Arc;

use ach_actors_model::{
    ActMark, AlarmAct, AlarmLife, AlarmNotice, AlarmState, AlarmTransition, AnswerConfig, Name,
    Remark, StaysUntil, Timestamp, WishRefusal,
};

/// Comments one alarm may have: a shift's worth of talk about one thing. Beyond that a record of the
/// hospital's own is the place.
pub const ALARM_COMMENTS_MAX: u16 = 100;

/// Who does something to an alarm, with which words, and when.
#[derive(Debug, Clone, Copy)]
pub struct Hand<'a> {
    /// Who; nobody for a timer.
    pub by: Option<&'a Name>,
    /// What was said with it.
    pub remark: Option<&'a Remark>,
    /// Shard time.
    pub now: Timestamp,
}

/// Stamps what a condition says with the state its alarm has after it. `open` is the alarm as it was, if
/// it is known, `answer` what its rule says people owe it, and `quiet` the flags of what is quiet
/// about it now.
pub fn hear_condition(
    said: &mut AlarmNotice,
    open: Option<&AlarmNotice>,
    answer: Option<&AnswerConfig>,
    quiet: AlarmState,
) {
    let (before, life) = match open {
        Some(open) => (open.state, open.life.clone()),
        None => (begin(said, answer, quiet), None),
    };
    said.incident = open.and_then(|open| open.incident);
    if let Some(open) = open {
        said.door.clone_from(&open.door);
        said.response.clone_from(&open.response);
    }
    let state = match said.transition {
        AlarmTransition::Retracted => AlarmState(0),
        AlarmTransition::Cleared => {
            let latches = before.is_any(AlarmState::LATCHES);
            settle(before.without(AlarmState::ACTIVE).set(AlarmState::LATCHED, latches))
        }
        _ => settle(before.with(AlarmState::ACTIVE)),
    };
    (said.state, said.life) = (state, life);
}

/// The state of an alarm that nobody has looked at.
fn begin(said: &AlarmNotice, answer: Option<&AnswerConfig>, quiet: AlarmState) -> AlarmState {
    let default = AnswerConfig::default();
    let answer = answer.unwrap_or(&default);
    let stays_until = answer.stays_until;
    let is_life_safety = answer.is_life_safety || said.is_life_safety();
    AlarmState::ACTIVE
        .set(AlarmState::NEEDS_ACKNOWLEDGING, stays_until >= StaysUntil::Acknowledged)
        .set(AlarmState::NEEDS_CONFIRMING, stays_until == StaysUntil::Confirmed)
        .set(AlarmState::NEEDS_CLOSING, stays_until == StaysUntil::Closed)
        .set(AlarmState::LATCHES, answer.latches)
        .set(AlarmState::LIFE_SAFETY, is_life_safety)
        .with(if is_life_safety { AlarmState(0) } else { quiet })
}

/// Whether anything of it is still to be waited for.
fn settle(state: AlarmState) -> AlarmState {
    let owes = |need: AlarmState, done: AlarmState| state.is_any(need) && !state.is_any(done);
    let is_retained = state.is_any(AlarmState::ACTIVE.with(AlarmState::LATCHED))
        || owes(AlarmState::NEEDS_ACKNOWLEDGING, AlarmState::ACKNOWLEDGED)
        || owes(AlarmState::NEEDS_CONFIRMING, AlarmState::CONFIRMED)
        || owes(AlarmState::NEEDS_CLOSING, AlarmState::CLOSED);
    state.set(AlarmState::RETAINED, is_retained)
}

/// Does what a person wishes to an open alarm. Nothing comes of what is so already.
///
/// Shelving is the business of whoever knows the condition: see [`quieten`].
///
/// # Errors
///
/// Why it cannot be done.
pub fn act_on(
    open: &AlarmNotice,
    act: &AlarmAct,
    hand: Hand<'_>,
) -> Result<Option<AlarmNotice>, WishRefusal> {
    let (state, life) = (open.state, open.life.as_deref());
    if !state.is_retained() {
        return Err(WishRefusal::NotOpen);
    }
    let is_acknowledged = state.is_any(AlarmState::ACKNOWLEDGED);
    let must_be_acknowledged =
        if is_acknowledged { Ok(()) } else { Err(WishRefusal::NotAcknowledged) };
    let mark = hand.by.map(|by| ActMark { by: by.clone(), at: hand.now });
    match act {
        // Two may say so at once, each in his words.
        AlarmAct::Acknowledge if is_acknowledged => said_too(open, hand),
        AlarmAct::Acknowledge => {
            let state = state.with(AlarmState::ACKNOWLEDGED);
            Ok(Some(told(open, AlarmTransition::Acknowledged, state, hand, |life| {
                life.acknowledged = mark;
            })))
        }
        AlarmAct::Confirm => {
            must_be_acknowledged?;
            if state.is_any(AlarmState::CONFIRMED) {
                return said_too(open, hand);
            }
            let state = state.with(AlarmState::CONFIRMED);
            Ok(Some(told(open, AlarmTransition::Confirmed, state, hand, |life| {
                life.confirmed = mark;
            })))
        }
        AlarmAct::Assign { to } if life.and_then(|life| life.assignee.as_ref()) == to.as_ref() => {
            Ok(None)
        }
        AlarmAct::Assign { to } => {
            Ok(Some(told(open, AlarmTransition::Assigned, state, hand, |life| {
                life.assignee.clone_from(to);
            })))
        }
        AlarmAct::Comment => comment_on(open, hand).map(Some),
        AlarmAct::Reset => {
            if !state.is_any(AlarmState::LATCHES) {
                return Err(WishRefusal::NotLatched);
            }
            if state.is_any(AlarmState::ACTIVE) {
                return Err(WishRefusal::StillActive);
            }
            must_be_acknowledged?;
            if !state.is_any(AlarmState::LATCHED) {
                return Ok(None);
            }
            let state = state.without(AlarmState::LATCHED);
            Ok(Some(told(open, AlarmTransition::Reset, state, hand, |_| {})))
        }
        AlarmAct::Close { cause } => {
            must_be_acknowledged?;
            let is_said = state.is_any(AlarmState::CLOSED)
                && life.and_then(|life| life.cause) == Some(*cause);
            if is_said {
                return said_too(open, hand);
            }
            if *cause == ach_actors_model::AlarmCause::Other && hand.remark.is_none() {
                return Err(WishRefusal::NoRemark);
            }
            let state = state.with(AlarmState::CLOSED);
            Ok(Some(told(open, AlarmTransition::Closed, state, hand, |life| {
                (life.closed, life.cause) = (mark, Some(*cause));
            })))
        }
        AlarmAct::Shelve { .. } | AlarmAct::Unshelve => Ok(None),
    }
}

/// What is so already is not told again; words that came with it are, as a comment.
fn said_too(open: &AlarmNotice, hand: Hand<'_>) -> Result<Option<AlarmNotice>, WishRefusal> {
    hand.remark.map(|_| comment_on(open, hand)).transpose()
}

fn comment_on(open: &AlarmNotice, hand: Hand<'_>) -> Result<AlarmNotice, WishRefusal> {
    if hand.remark.is_none() {
        return Err(WishRefusal::NoRemark);
    }
    let count = open.life.as_ref().map_or(0, |life| life.comment_count);
    if count >= ALARM_COMMENTS_MAX {
        return Err(WishRefusal::TooManyComments);
    }
    Ok(told(open, AlarmTransition::Commented, open.state, hand, |life| {
        life.comment_count = count + 1;
    }))
}

/// Makes an open alarm quiet in one way, or no longer; `until` is when it will be loud again in every
/// way. Nothing comes of it if it is so until then, or if a life may hang on it.
pub fn quieten(
    open: &AlarmNotice,
    flag: AlarmState,
    is_to_be: bool,
    until: Option<Timestamp>,
    hand: Hand<'_>,
) -> Option<AlarmNotice> {
    let is_quiet = open.state.is_any(flag);
    let was_until = open.life.as_ref().and_then(|life| life.quiet_until);
    let is_to_be = is_to_be && !open.state.is_any(AlarmState::LIFE_SAFETY);
    if is_quiet == is_to_be && (!is_to_be || was_until == until) {
        return None;
    }
    let transition = match (flag, is_to_be) {
        (AlarmState::SHELVED, true) => AlarmTransition::Shelved,
        (AlarmState::SHELVED, false) => AlarmTransition::Unshelved,
        (AlarmState::SUPPRESSED, true) => AlarmTransition::Suppressed,
        (AlarmState::SUPPRESSED, false) => AlarmTransition::Unsuppressed,
        (_, true) => AlarmTransition::TakenOut,
        (_, false) => AlarmTransition::PutBack,
    };
    let state = open.state.set(flag, is_to_be);
    Some(told(open, transition, state, hand, |life| {
        life.quiet_until = until.filter(|_| state.is_quiet());
        if !state.is_quiet() && !state.is_any(AlarmState::ACKNOWLEDGED) {
            // Nobody could take notice while it was quiet.
            life.calls_since = Some(hand.now);
        }
    }))
}

/// Gives an alarm up whose condition has ended and that nobody has answered.
pub fn drop_unanswered(open: &AlarmNotice, now: Timestamp) -> AlarmNotice {
    let hand = Hand { by: None, remark: None, now };
    let mut told = told(open, AlarmTransition::Dropped, open.state, hand, |_| {});
    told.state = told.state.without(AlarmState::RETAINED);
    told
}

/// When a timer of an alarm is due next, if any runs.
pub fn next_call(open: &AlarmNotice, answer: Option<&AnswerConfig>) -> Option<Timestamp> {
    let (answer, state) = (answer?, open.state);
    if !state.is_retained() || state.is_quiet() {
        return None;
    }
    let life = open.life.as_deref();
    if !state.is_any(AlarmState::ACKNOWLEDGED) {
        let level = life.map_or(0, |life| usize::from(life.level));
        let step = answer.escalations.get(level)?;
        let since = life.and_then(|life| life.calls_since).unwrap_or(open.received_at);
        return Some(Timestamp(since.0.saturating_add(step.after_ns)));
    }
    let acknowledged_at = life.and_then(|life| life.acknowledged.as_ref())?.at;
    let again_after_ns = answer.again_after_ns.filter(|_| state.is_any(AlarmState::ACTIVE))?;
    Some(Timestamp(acknowledged_at.0.saturating_add(again_after_ns)))
}

/// What a timer that is due does to an alarm, by what its rule says now.
pub fn call(
    open: &AlarmNotice,
    answer: Option<&AnswerConfig>,
    now: Timestamp,
) -> Option<AlarmNotice> {
    if next_call(open, answer)? > now {
        return None;
    }
    let answer = answer?;
    let hand = Hand { by: None, remark: None, now };
    if open.state.is_any(AlarmState::ACKNOWLEDGED) {
        let state = open.state.without(AlarmState::ACKNOWLEDGED.with(AlarmState::CONFIRMED));
        return Some(told(open, AlarmTransition::Realarmed, state, hand, |life| {
            (life.acknowledged, life.confirmed) = (None, None);
            (life.level, life.escalated_to, life.calls_since) = (0, None, Some(now));
        }));
    }
    let level = open.life.as_ref().map_or(0, |life| life.level);
    let step = answer.escalations.get(usize::from(level))?;
    Some(told(open, AlarmTransition::Escalated, open.state, hand, |life| {
        life.level = level.saturating_add(1);
        life.escalated_to = Some(step.to.clone());
    }))
}

/// What is told of an act.
pub(crate) fn told(
    open: &AlarmNotice,
    transition: AlarmTransition,
    state: AlarmState,
    hand: Hand<'_>,
    change: impl FnOnce(&mut AlarmLife),
) -> AlarmNotice {
    let mut life = open.life.as_deref().cloned().unwrap_or_default();
    life.revision = life.revision.saturating_add(1);
    life.by = hand.by.cloned();
    life.remark = hand.remark.cloned();
    change(&mut life);
    AlarmNotice {
        transition,
        reason: None,
        changed_at: hand.now,
        state: settle(state),
        life: Some(Arc::new(life)),
        ..open.clone()
    }
}
