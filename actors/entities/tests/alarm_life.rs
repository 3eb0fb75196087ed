//! Every state of an alarm with every input, against the tables of `docs/specs/alarm-life.md`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "everything here is a test, also what is not marked as one"
)]

use std::sync::Arc;

use ach_actors_entities::{
    ALARM_COMMENTS_MAX, Hand, act_on, call, hear_condition, next_call, quieten,
};
use ach_actors_model::{
    ActMark, AlarmAct, AlarmCause, AlarmId, AlarmKind, AlarmLife, AlarmNotice, AlarmPriority,
    AlarmState, AlarmTransition, AnswerConfig, Cause, Escalation, IncidentMark, NS_PER_S, Name,
    Place, Remark, StaysUntil, Timestamp, WishRefusal,
};

const SPEC: &str = include_str!("../../../docs/specs/alarm-life.md");

const RAISED_AT: Timestamp = Timestamp(1_000 * NS_PER_S);
const NOW: Timestamp = Timestamp(2_000 * NS_PER_S);
const UNTIL: Timestamp = Timestamp(3_000 * NS_PER_S);

const FLAGS: [(&str, AlarmState); 15] = [
    ("active", AlarmState::ACTIVE),
    ("latched", AlarmState::LATCHED),
    ("acknowledged", AlarmState::ACKNOWLEDGED),
    ("confirmed", AlarmState::CONFIRMED),
    ("closed", AlarmState::CLOSED),
    ("shelved", AlarmState::SHELVED),
    ("suppressed", AlarmState::SUPPRESSED),
    ("out of service", AlarmState::OUT_OF_SERVICE),
    ("retained", AlarmState::RETAINED),
    ("needs acknowledging", AlarmState::NEEDS_ACKNOWLEDGING),
    ("needs confirming", AlarmState::NEEDS_CONFIRMING),
    ("needs closing", AlarmState::NEEDS_CLOSING),
    ("latches", AlarmState::LATCHES),
    ("life safety", AlarmState::LIFE_SAFETY),
    ("chatters", AlarmState::CHATTERS),
];

fn flag(word: &str) -> AlarmState {
    match word {
        "quiet" => AlarmState::QUIET,
        _ => FLAGS.iter().find(|(name, _)| *name == word).unwrap_or_else(|| panic!("{word}")).1,
    }
}

/// The rows of the table under a heading, less its head.
fn table(heading: &str) -> Vec<Vec<&'static str>> {
    let (_, rest) = SPEC.split_once(&format!("\n## {heading}\n")).expect(heading);
    let rows = rest.lines().skip_while(|line| !line.starts_with('|'));
    let rows = rows.take_while(|line| line.starts_with('|')).skip(2);
    rows.map(|row| row.trim_matches('|').split('|').map(str::trim).collect()).collect()
}

fn words(cell: &'static str) -> impl Iterator<Item = &'static str> {
    cell.split(',').map(str::trim).filter(|word| !word.is_empty())
}

/// Whether what a table says is so of a state.
fn holds(word: &str, state: AlarmState) -> bool {
    match word.strip_prefix("not ") {
        Some(word) => !state.is_any(flag(word)),
        None => state.is_any(flag(word)),
    }
}

/// "An alarm is retained while ..."
fn is_retained(state: AlarmState) -> bool {
    let has = |word| state.is_any(flag(word));
    has("active")
        || has("latched")
        || (has("needs acknowledging") && !has("acknowledged"))
        || (has("needs confirming") && !has("confirmed"))
        || (has("needs closing") && !has("closed"))
}

fn settled(state: AlarmState) -> AlarmState {
    state.set(flag("retained"), is_retained(state))
}

/// Every state an alarm can have: it is not active and latched at once, and latches only if it may.
fn states() -> impl Iterator<Item = AlarmState> {
    (0..=AlarmState::ALL.0).map(AlarmState).filter(|&state| {
        let has = |word| state.is_any(flag(word));
        let are_apart = |one, other| !has(one) || !has(other);
        let comes_with = |one, other| !has(one) || has(other);
        are_apart("active", "latched")
            && comes_with("latched", "latches")
            && are_apart("life safety", "quiet")
            && are_apart("life safety", "chatters")
            && comes_with("needs confirming", "needs acknowledging")
            && comes_with("needs closing", "needs acknowledging")
            && are_apart("needs confirming", "needs closing")
            && settled(state) == state
    })
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn remark() -> Remark {
    Remark::new("as the table says").unwrap()
}

fn answer() -> AnswerConfig {
    let step = |after_s: u64, to: &str| Escalation { after_ns: after_s * NS_PER_S, to: name(to) };
    AnswerConfig {
        stays_until: StaysUntil::Closed,
        escalations: vec![step(60, "charge-nurse"), step(300, "security")],
        again_after_ns: Some(600 * NS_PER_S),
        ..AnswerConfig::default()
    }
}

/// An alarm in a state, as it would be kept.
fn open(state: AlarmState) -> AlarmNotice {
    let mark = |word| state.is_any(flag(word)).then(|| ActMark { by: name("anna"), at: RAISED_AT });
    let life = AlarmLife {
        acknowledged: mark("acknowledged"),
        confirmed: mark("confirmed"),
        closed: mark("closed"),
        cause: state.is_any(flag("closed")).then_some(AlarmCause::Real),
        quiet_until: state.is_quiet().then_some(UNTIL),
        ..AlarmLife::default()
    };
    AlarmNotice {
        id: AlarmId(7),
        transition: AlarmTransition::Raised,
        reason: None,
        kind: AlarmKind::Elopement,
        priority: AlarmPriority::High,
        rule: None,
        site_version: 1,
        episode: 1,
        subject: None,
        tag: None,
        place: Place::Site,
        is_tentative: false,
        is_late: false,
        is_drill: false,
        cause: Cause::SiteChange,
        observed_at: RAISED_AT,
        received_at: RAISED_AT,
        changed_at: RAISED_AT,
        position: None,
        accuracy_mm: 0,
        gates_passed: 0,
        state,
        life: Some(Arc::new(life)),
        incident: Some(IncidentMark { id: AlarmId(3), place: 2, is_raising: true }),
        door: None,
        response: None,
        certain_at: RAISED_AT,
    }
}

/// What an input does to an alarm: its next notice, nothing, or a refusal.
fn give(input: &str, open: &AlarmNotice) -> Result<Option<AlarmNotice>, WishRefusal> {
    let (by, remark) = (name("berta"), remark());
    let hand = Hand { by: Some(&by), remark: Some(&remark), now: NOW };
    let said = |transition| {
        let mut said = AlarmNotice { transition, state: AlarmState(0), life: None, ..open.clone() };
        // What an actor says knows of neither.
        said.incident = None;
        hear_condition(&mut said, Some(open), None, AlarmState(0));
        Ok(Some(said))
    };
    let act = |act| act_on(open, &act, hand);
    let quiet =
        |flag, is_to_be: bool| Ok(quieten(open, flag, is_to_be, is_to_be.then_some(UNTIL), hand));
    match input {
        "upheld" => said(AlarmTransition::Upheld),
        "cleared" => said(AlarmTransition::Cleared),
        "retracted" => said(AlarmTransition::Retracted),
        "acknowledge" => act(AlarmAct::Acknowledge),
        "confirm" => act(AlarmAct::Confirm),
        "assign" => act(AlarmAct::Assign { to: Some(name("carla")) }),
        "comment" => act(AlarmAct::Comment),
        "reset" => act(AlarmAct::Reset),
        "close" => act(AlarmAct::Close { cause: AlarmCause::Allowed }),
        "shelve" => quiet(AlarmState::SHELVED, true),
        "unshelve" => quiet(AlarmState::SHELVED, false),
        "mute" => quiet(AlarmState::SUPPRESSED, true),
        "unmute" => quiet(AlarmState::SUPPRESSED, false),
        "take out" => quiet(AlarmState::OUT_OF_SERVICE, true),
        "put back" => quiet(AlarmState::OUT_OF_SERVICE, false),
        // Which of the two it is, the state decides.
        "passed on" | "calls again" => Ok(call(open, Some(&answer()), NOW)),
        other => panic!("the spec has an input that is not tested: {other}"),
    }
}

/// Inputs that are the condition's, and come whatever the state.
const OF_THE_CONDITION: [&str; 3] = ["upheld", "cleared", "retracted"];

/// Inputs whose refusal is that nothing comes of them.
const SILENT: [&str; 8] =
    ["shelve", "unshelve", "mute", "unmute", "take out", "put back", "passed on", "calls again"];

/// What a timer is told as.
fn called(input: &str) -> Option<AlarmTransition> {
    match input {
        "passed on" => Some(AlarmTransition::Escalated),
        "calls again" => Some(AlarmTransition::Realarmed),
        _ => None,
    }
}

fn expected(row: &[&'static str], state: AlarmState) -> Option<AlarmState> {
    let [input, refused, sets, clears] = row[..] else { panic!("{row:?}") };
    let is_over = !is_retained(state) && !OF_THE_CONDITION.contains(&input);
    if is_over || words(refused).any(|word| holds(word, state)) {
        return None;
    }
    let mut next = state;
    for word in words(clears) {
        next = if word == "all" { AlarmState(0) } else { next.without(flag(word)) };
    }
    for word in words(sets) {
        let (word, needs) = word.split_once(" if ").unwrap_or((word, word));
        let is_so = word == needs || state.is_any(flag(needs));
        next = next.set(flag(word), is_so || next.is_any(flag(word)));
    }
    Some(settled(next))
}

#[test]
fn every_state_with_every_input_does_what_the_spec_says() {
    let rows = table("Inputs");
    assert_eq!(rows.len(), 17);
    let mut count = 0;
    for state in states() {
        for row in &rows {
            let open = open(state);
            let given = give(row[0], &open);
            let context = format!("{} in {state:?}: {given:?}", row[0]);
            count += 1;
            if !is_retained(state) && SILENT.contains(&row[0]) {
                // Nobody asks this of an alarm that is over: it is not kept.
                continue;
            }
            if let Some(called) = called(row[0]) {
                // Both timers are one: what it does says which of them ran.
                let told = given.unwrap().filter(|told| told.transition == called);
                let next = expected(row, state);
                assert_eq!(told.map(|told| told.state), next, "{context}");
                continue;
            }
            match (expected(row, state), given) {
                (Some(next), Ok(Some(told))) => {
                    assert_eq!(told.state, next, "{context}");
                    assert_eq!(told.incident, open.incident, "for ever: {context}");
                }
                (Some(next), Ok(None)) => {
                    assert_eq!(next, state, "nothing is told of what is so already: {context}");
                }
                (None, Ok(None)) => assert!(SILENT.contains(&row[0]), "{context}"),
                (None, Err(_)) => {}
                (expected, _) => panic!("{context}, and the spec says {expected:?}"),
            }
        }
    }
    assert!(count > 20_000, "{count} checked");
}

#[test]
fn every_state_has_the_name_the_spec_gives_it() {
    let rows = table("State by name");
    for state in states() {
        let fits = |row: &&Vec<&'static str>| {
            let flags = row[2].split(':').next().unwrap();
            words(flags).all(|word| holds(word, state))
        };
        let row = rows.iter().find(fits).expect("the last one fits all");
        let named = format!("{:?}", state.name());
        assert_eq!(snake(&named), row[0], "{state:?}");
    }
}

fn snake(word: &str) -> String {
    ach_actors_model::snake_case(word).replace('_', " ")
}

#[test]
fn the_flags_have_the_bits_the_spec_gives_them() {
    let rows = table("Flags");
    assert_eq!(rows.len(), FLAGS.len());
    for row in rows {
        assert_eq!(flag(row[0]).0.to_string(), row[1].replace(',', ""), "{}", row[0]);
    }
}

#[test]
fn refusals_say_what_is_to_be_done_first() {
    let check = |input: &str, flags: &[&str], expected: WishRefusal| {
        let state = flags.iter().fold(AlarmState(0), |state, word| state.with(flag(word)));
        assert_eq!(give(input, &open(settled(state))).unwrap_err(), expected, "{input} {flags:?}");
    };
    check("acknowledge", &[], WishRefusal::NotOpen);
    check("comment", &["acknowledged"], WishRefusal::NotOpen);
    check("confirm", &["active"], WishRefusal::NotAcknowledged);
    check("close", &["active"], WishRefusal::NotAcknowledged);
    check("reset", &["active"], WishRefusal::NotLatched);
    check("reset", &["active", "latches"], WishRefusal::StillActive);
    check("reset", &["latched", "latches"], WishRefusal::NotAcknowledged);
    let open = open(settled(AlarmState::ACTIVE.with(AlarmState::ACKNOWLEDGED)));
    let by = name("berta");
    let hand = Hand { by: Some(&by), remark: None, now: NOW };
    let wordless = |act| act_on(&open, &act, hand).unwrap_err();
    assert_eq!(wordless(AlarmAct::Comment), WishRefusal::NoRemark);
    assert_eq!(wordless(AlarmAct::Close { cause: AlarmCause::Other }), WishRefusal::NoRemark);
}

#[test]
fn comments_end_somewhere() {
    let mut open = open(settled(AlarmState::ACTIVE));
    for _ in 0..ALARM_COMMENTS_MAX {
        open = give("comment", &open).unwrap().unwrap();
    }
    assert_eq!(give("comment", &open).unwrap_err(), WishRefusal::TooManyComments);
}

#[test]
fn what_is_told_says_who_did_what_and_counts_up() {
    let raised = open(settled(AlarmState::ACTIVE));
    let acknowledged = give("acknowledge", &raised).unwrap().unwrap();
    let life = acknowledged.life.clone().unwrap();
    assert_eq!((life.revision, life.by.clone()), (1, Some(name("berta"))));
    assert_eq!(life.acknowledged, Some(ActMark { by: name("berta"), at: NOW }));
    let closed = give("close", &acknowledged).unwrap().unwrap();
    let life = closed.life.clone().unwrap();
    assert_eq!((life.revision, life.cause), (2, Some(AlarmCause::Allowed)));
    let by = name("berta");
    let again = |remark| {
        let hand = Hand { by: Some(&by), remark, now: NOW };
        act_on(&closed, &AlarmAct::Close { cause: AlarmCause::Allowed }, hand).unwrap()
    };
    assert_eq!(again(None), None, "the same cause again");
    let words = remark();
    assert_eq!(again(Some(&words)).unwrap().transition, AlarmTransition::Commented);
}

#[test]
fn an_alarm_is_passed_on_step_by_step_until_somebody_takes_notice() {
    let answer = answer();
    let mut alarm = open(settled(AlarmState::ACTIVE));
    let mut told = Vec::new();
    while let Some(due_at) = next_call(&alarm, Some(&answer)) {
        assert_eq!(call(&alarm, Some(&answer), Timestamp(due_at.0 - 1)), None, "not before");
        alarm = call(&alarm, Some(&answer), due_at).unwrap();
        let to = alarm.life.as_ref().unwrap().escalated_to.clone().unwrap();
        told.push((due_at.since_ns(RAISED_AT) / NS_PER_S, to.to_string()));
    }
    assert_eq!(told, [(60, "charge-nurse".to_owned()), (300, "security".to_owned())]);
    let (by, now) = (name("anna"), Timestamp(RAISED_AT.0 + 400 * NS_PER_S));
    let hand = Hand { by: Some(&by), remark: None, now };
    let alarm = act_on(&alarm, &AlarmAct::Acknowledge, hand).unwrap().unwrap();
    let again_at = next_call(&alarm, Some(&answer)).unwrap();
    assert_eq!(again_at.since_ns(now), 600 * NS_PER_S, "it still holds");
    let again = call(&alarm, Some(&answer), again_at).unwrap();
    assert_eq!(again.transition, AlarmTransition::Realarmed);
    assert!(!again.state.is_any(AlarmState::ACKNOWLEDGED));
    let due_at = next_call(&again, Some(&answer)).unwrap();
    assert_eq!(due_at.since_ns(again_at), 60 * NS_PER_S, "from the start");
}

#[test]
fn while_it_is_quiet_nobody_is_called_and_afterwards_it_counts_anew() {
    let answer = answer();
    let alarm = open(settled(AlarmState::ACTIVE));
    let shelved = give("shelve", &alarm).unwrap().unwrap();
    assert_eq!(next_call(&shelved, Some(&answer)), None);
    assert_eq!(shelved.life.as_ref().unwrap().quiet_until, Some(UNTIL));
    let loud = give("unshelve", &shelved).unwrap().unwrap();
    assert_eq!(loud.life.as_ref().unwrap().quiet_until, None);
    assert_eq!(next_call(&loud, Some(&answer)).unwrap().since_ns(NOW), 60 * NS_PER_S);
}
