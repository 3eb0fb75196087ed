//! What operators ask about tags, receivers and what is quiet, and what receivers say to have displayed.

use ach_actors_entities::Site;
use ach_actors_model::QuietScope;
use ach_engine_net::Role;
use ach_engine_shard::QuietThing;
use ach_engine_wire::limits::LIST_ITEMS_MAX;
use ach_engine_wire::{Attention, Displayed, QuietList, Unregistered, UnregisteredTag, WireQuiet};

use super::Session;
use super::fault::Fault;
use crate::names::Names;

/// Quiet things in a part of the answer: with remarks and names of the longest some 45 KiB, which fit a frame.
const QUIET_A_PART: usize = 64;

/// Answers with the tags that the site does not have.
pub(super) fn unregistered(session: &Session, query: u64) -> Result<(), Fault> {
    let site = session.rim.site();
    let names = Names(&site);
    let list = session.rim.unregistered.borrow_mut().list(&site);
    let tags: Vec<UnregisteredTag> = list
        .into_iter()
        .map(|(source, named)| UnregisteredTag {
            feed: names.source(source),
            tag: named.tag,
            first_at: named.first_at,
            last_at: named.last_at,
            count: named.count,
        })
        .collect();
    let mut parts = tags.chunks(LIST_ITEMS_MAX).map(<[_]>::to_vec).peekable();
    loop {
        let tags = parts.next().unwrap_or_default();
        let is_last = parts.peek().is_none();
        session.answer(Unregistered { query, tags, is_last })?;
        if is_last {
            return Ok(());
        }
    }
}

/// Answers with who follows alarms, and how far they were displayed.
pub(super) async fn attention(session: &Session, query: u64) -> Result<(), Fault> {
    let rim = &session.rim;
    let unseen = rim.look_at_attention().await;
    let receivers = rim.attention.borrow().watchers(&rim.fan_out.borrow());
    let mut parts = receivers.chunks(LIST_ITEMS_MAX).map(<[_]>::to_vec).peekable();
    loop {
        let receivers = parts.next().unwrap_or_default();
        let is_last = parts.peek().is_none();
        session.answer(Attention {
            query,
            receivers,
            unseen_count: u32::try_from(unseen.count).unwrap_or(u32::MAX),
            unseen_since: unseen.since,
            is_last,
        })?;
        if is_last {
            return Ok(());
        }
    }
}

/// Answers with all that is quiet, and what waits for a second person.
pub(super) fn quiet(session: &Session, query: u64) -> Result<(), Fault> {
    let site = session.rim.site();
    let now = session.rim.clock.now();
    let things: Vec<WireQuiet> = {
        let things = session.rim.quiet.borrow();
        // What was asked for too long ago is forgotten only when something else is asked.
        things.iter().filter(|thing| thing.until > now).map(|thing| told(&site, thing)).collect()
    };
    let mut parts = things.chunks(QUIET_A_PART).map(<[_]>::to_vec).peekable();
    loop {
        let things = parts.next().unwrap_or_default();
        let is_last = parts.peek().is_none();
        session.answer(QuietList { query, things, is_last })?;
        if is_last {
            return Ok(());
        }
    }
}

fn told(site: &Site, thing: &QuietThing) -> WireQuiet {
    let names = Names(site);
    let (place, rule) = match thing.scope {
        QuietScope::Place(place) => (Some(names.place(place)), None),
        QuietScope::Rule(rule) => (None, Some(names.rule(rule))),
    };
    let (kind, of_rule, subject) = match thing.condition {
        Some((kind, rule, subject)) => (Some(kind), rule, subject),
        None => (None, None, None),
    };
    WireQuiet {
        way: thing.way,
        place,
        rule: rule.or_else(|| of_rule.map(|rule| names.rule(rule))),
        kind,
        subject: subject.map(|subject| names.subject(subject)),
        until: thing.until,
        waits_for_ns: thing.waits_for_ns,
        by: thing.by.clone(),
        asked_by: thing.asked_by.clone(),
        remark: thing.remark.clone(),
        alarm: thing.alarm,
    }
}

/// Takes what a receiver says people could see.
pub(super) fn take_displayed(session: &Session, displayed: &Displayed) {
    let subscriptions = session.subscriptions.borrow();
    let key = subscriptions.get(&displayed.subscription).and_then(|open| open.key);
    if let Some(key) = key {
        let now = session.rim.clock.now();
        let durable_at = session.rim.fan_out.borrow().durable_at();
        // A person who looks in at a terminal makes no screen that is to be there always.
        if session.identity.role == Role::Receiver {
            session.rim.expect_displays(now);
        }
        if session.rim.attention.borrow_mut().take(key, displayed, durable_at, now) {
            session.rim.selftest.changed.notify_one();
        }
    }
}
