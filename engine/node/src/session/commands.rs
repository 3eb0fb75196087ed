//! Wishes of people: each is put into the audit log, given to the shard, and answered once the disk has it.

use std::rc::Rc;

use ach_actors_entities::Site;
use ach_actors_model::{
    AlarmId, Command, CommandKind, DoorScope, DoorWish, EmergencyWish, Lane, QuietScope, QuietWish,
    WishRefusal,
};
use ach_engine_audit::{Action, Object, Outcome, Record};
use ach_engine_net::Role;
use ach_engine_shard::Input;
use ach_engine_wire::{
    ActWord, Code, QuietOrder, Receipt, Text, WireCommand, WireDoorWish, WireEmergencyWish, Wish,
};

use super::Session;
use super::control::{MAY_NOT, answer_refused};
use super::fault::Fault;
use super::leave::{band_wish, pass_wish};
use super::receipts::Known;
use crate::audit_words;
use crate::lanes::Ticketed;
use crate::names::Names;
use crate::notes::cursor;
use crate::recent::NoticeAt;
use crate::rim::Settled;

/// Takes a command.
///
/// # Errors
///
/// The node is ending.
pub(super) async fn take(session: &Rc<Session>, command: WireCommand) -> Result<(), Fault> {
    let (action, objects) = audit_words::wish(&command.wish, &session.rim.site());
    let act = Act { number: command.command, action, objects };
    if !roles(session, &command.wish).contains(&session.identity.role) {
        act.tell(session, Outcome::Refused, Some(Code::WrongRole));
        if session.identity.role == Role::Receiver {
            // One that may give some commands learns which of them it was.
            session.rim.counters.role_refused.count();
            return session.answer(act.receipt(Code::WrongRole, MAY_NOT));
        }
        return answer_refused(session, None, Code::WrongRole, MAY_NOT);
    }
    let kind = match command_kind(&session.rim.site(), &command.wish) {
        Ok(kind) => kind,
        Err((code, detail)) => {
            act.tell(session, Outcome::Refused, Some(code));
            return session.answer(act.receipt(code, detail));
        }
    };
    let known = session.receipts.borrow_mut().begin(command.command);
    match known {
        Known::New => {}
        Known::UnderWay => return Ok(()),
        Known::Done(receipt) => return session.answer(receipt),
        // Whoever lets people out waits for no other command.
        Known::TooMany if audit_words::waits_for_nothing(&kind) => {}
        Known::TooMany => {
            let detail = "too many commands wait for the disk, try again";
            act.tell(session, Outcome::Refused, Some(Code::TooMany));
            return session.answer(act.receipt(Code::TooMany, detail));
        }
    }
    // Nothing comes of a command before it is in the audit log, but of one that waits for nothing.
    let is_audited = if audit_words::waits_for_nothing(&kind) {
        session.rim.audit.tell(act.record(session, Outcome::Begun));
        true
    } else {
        session.rim.audit.ask(act.record(session, Outcome::Begun)).await
    };
    if !is_audited && audit_words::takes_protection_away(&kind) {
        let detail = "nothing was done: the audit log cannot be written";
        act.tell(session, Outcome::Refused, Some(Code::NotNow));
        let receipt = act.receipt(Code::NotNow, detail);
        session.receipts.borrow_mut().end(&receipt);
        return session.answer(receipt);
    }
    let by = session.identity.name.clone();
    let (ticket, settled) = session.rim.ticket();
    let input = Input::Command(Command { by, kind });
    session.rim.counters.commands_taken.count();
    session.rim.lanes.send(Lane::Door, Ticketed { input, ticket: Some(ticket) }).await?;
    let session = session.clone();
    // Answered whenever the disk has it; other questions are answered meanwhile.
    tokio::task::spawn_local(async move {
        let Ok(settled) = settled.await else { return };
        let receipt = answer(&session, &act, settled, is_audited).await;
        session.receipts.borrow_mut().end(&receipt);
        // A peer that reads no answers is noticed by the next question.
        let _ = session.answer(receipt);
    });
    Ok(())
}

/// What became of a command, once it is in the audit log.
async fn answer(session: &Session, act: &Act, settled: Settled, was_audited: bool) -> Receipt {
    let code = settled.refusal.map(code_of);
    let outcome = if code.is_some() { Outcome::Refused } else { Outcome::Done };
    let (entry, code) = (Some(settled.index), code.unwrap_or(Code::Done));
    let record = act.record(session, outcome);
    let value = (code != Code::Done).then(|| code.value());
    let is_audited = session.rim.audit.ask(Record { entry, code: value, ..record }).await;
    if let Some(refusal) = settled.refusal {
        return act.receipt(code, &refusal.to_string());
    }
    let detail = match (settled.is_durable, is_audited && was_audited) {
        (true, true) => "",
        (true, false) => "done, but not in the audit log",
        (false, true) => "done, but not stored: no disk",
        (false, false) => "done, but neither stored nor in the audit log: no disk",
    };
    let at = NoticeAt { index: settled.index, ordinal: 0 };
    let cursor = settled.is_durable.then(|| cursor(at));
    Receipt { cursor, ..act.receipt(code, detail) }
}

/// The code that says why nothing came of a wish.
fn code_of(refusal: WishRefusal) -> Code {
    match refusal {
        WishRefusal::NotOpen | WishRefusal::NoSuchThing => Code::UnknownThing,
        WishRefusal::NeedsSecondPerson | WishRefusal::SamePerson => Code::NeedsSecondPerson,
        WishRefusal::TooManyComments
        | WishRefusal::TooManyQuiet
        | WishRefusal::TooManyDeclared
        | WishRefusal::TooManyPasses
        | WishRefusal::TooManyWards
        | WishRefusal::TooManyPlaces => Code::TooMany,
        WishRefusal::TooLate => Code::TooLate,
        _ => Code::NotApplicable,
    }
}

/// Who may wish it. Who is shown alarms may answer them; what takes a place, or trouble of the system
/// itself, out of sight is an operator's.
fn roles(session: &Session, wish: &Wish) -> &'static [Role] {
    match wish {
        Wish::Act(it) if it.act == ActWord::Shelve && is_of_no_rule(session, it.alarm) => {
            &[Role::Operator]
        }
        Wish::Act(_) | Wish::Leave(_) | Wish::Band(_) => &[Role::Receiver, Role::Operator],
        Wish::ReleaseActor(_)
        | Wish::QuarantineActor(_)
        | Wish::Quiet(_)
        | Wish::MoveDoor(_)
        | Wish::Declare(_) => &[Role::Operator],
    }
}

/// Whether an open alarm is one of the system's own.
fn is_of_no_rule(session: &Session, alarm: AlarmId) -> bool {
    let fan_out = session.rim.fan_out.borrow();
    fan_out.open().get(&alarm).is_some_and(|open| open.notice.rule.is_none())
}

/// A command as the audit log has it.
struct Act {
    number: u64,
    action: Action,
    objects: Vec<Object>,
}

impl Act {
    fn record(&self, session: &Session, outcome: Outcome) -> Record {
        let record = session.rim.audit.record(&session.party, self.action, outcome);
        Record { objects: self.objects.clone(), request: Some(self.number), ..record }
    }

    /// Records that nothing came of it.
    fn tell(&self, session: &Session, outcome: Outcome, code: Option<Code>) {
        let code = code.map(Code::value);
        session.rim.audit.note(Record { code, ..self.record(session, outcome) });
    }

    fn receipt(&self, code: Code, detail: &str) -> Receipt {
        Receipt { command: self.number, code, detail: Text::new(detail), cursor: None }
    }
}

/// What a wish means to the shard, or why it means nothing.
fn command_kind(site: &Site, wish: &Wish) -> Result<CommandKind, (Code, &'static str)> {
    let nothing = (Code::UnknownThing, "the site has no such thing, or it has no actor");
    let entity = |thing| Names(site).entity(thing).ok_or(nothing);
    Ok(match wish {
        Wish::ReleaseActor(thing) => CommandKind::ReleaseActor(entity(thing)?),
        Wish::QuarantineActor(thing) => CommandKind::QuarantineActor(entity(thing)?),
        Wish::Act(wish) => {
            let incomplete = "shelving needs a time, and closing a cause";
            CommandKind::Act(wish.to_model().ok_or((Code::NotApplicable, incomplete))?)
        }
        Wish::Quiet(order) => CommandKind::Quiet(quiet_wish(site, order)?),
        Wish::MoveDoor(wish) => CommandKind::MoveDoor(door_wish(site, wish)?),
        Wish::Declare(wish) => CommandKind::Declare(emergency_wish(site, wish)?),
        Wish::Leave(order) => CommandKind::Pass(pass_wish(site, order)?),
        Wish::Band(order) => CommandKind::Band(band_wish(site, order)?),
    })
}

fn quiet_wish(site: &Site, order: &QuietOrder) -> Result<QuietWish, (Code, &'static str)> {
    let scope = match (&order.place, &order.rule) {
        (Some(place), None) => Names(site).place_of(place).map(QuietScope::Place),
        (None, Some(rule)) => site.rule_named(rule.as_str()).map(QuietScope::Rule),
        _ => return Err((Code::NotApplicable, "name one place or one rule, and not both")),
    };
    let scope = scope.ok_or((Code::UnknownThing, "the site has no such place or rule"))?;
    let (person, remark) = (order.person.clone(), order.remark.clone());
    Ok(QuietWish { scope, kind: order.kind, for_ns: order.for_ns, person, remark })
}

fn door_wish(site: &Site, wish: &WireDoorWish) -> Result<DoorWish, (Code, &'static str)> {
    let unknown = (Code::UnknownThing, "the site has no such door");
    let door = site.door(wish.door.as_str()).ok_or(unknown)?;
    let incomplete = (Code::NotApplicable, "to move a door takes a mode and a time");
    Ok(DoorWish {
        door,
        act: wish.to_act().ok_or(incomplete)?,
        key: wish.key,
        void_at: wish.void_at,
        person: wish.person.clone(),
        remark: wish.remark.clone(),
    })
}

fn emergency_wish(
    site: &Site,
    wish: &WireEmergencyWish,
) -> Result<EmergencyWish, (Code, &'static str)> {
    let unknown = (Code::UnknownThing, "the site has no such zone");
    let scope = match (&wish.zone, &wish.label) {
        (None, None) => DoorScope::Site,
        (Some(zone), None) => DoorScope::Zone(site.zone(zone.as_str()).ok_or(unknown)?),
        (None, Some(label)) if site.has_door_label(label) => DoorScope::Label(label.clone()),
        (None, Some(_)) => {
            return Err((Code::UnknownThing, "no door that is moved has such a label"));
        }
        (Some(_), Some(_)) => {
            return Err((Code::NotApplicable, "name one zone or one label, and not both"));
        }
    };
    Ok(EmergencyWish {
        kind: wish.kind,
        scope,
        practice: wish.practice,
        for_ns: wish.for_ns,
        key: wish.key,
        void_at: wish.void_at,
        person: wish.person.clone(),
        remark: wish.remark.clone(),
    })
}
