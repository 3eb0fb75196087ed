//! Takes a version of the site from an operator, has it judged, and puts it in force.
//!
//! Judging a large site takes a second and is done on a thread of its own: nothing on the way of an
//! alarm waits for it. What is fit goes to the shard as one input, so it comes into force between two
//! entries, and the operator is answered when it is on disk.

use std::rc::Rc;

use ach_actors_model::{AlarmState, Lane};
use ach_engine_audit::{Action, Object, ObjectKind, Outcome, Record};
use ach_engine_net::Role;
use ach_engine_shard::Input;
use ach_engine_wire::limits::INPUT_BYTES_MAX;
use ach_engine_wire::{Code, FrameMarks, SiteOffer, SitePart, SiteQuery, SiteVerdict, Text};
use tokio::time::Instant;

use super::Session;
use super::control::may;
use super::fault::Fault;
use crate::lanes::Ticketed;
use crate::names::Names;
use crate::notes::cursor;
use crate::recent::NoticeAt;
use crate::site_change::{Fit, InForce, Judged, Unfit, judge};
use crate::site_desk::DeskTurn;

/// A site that is on its way.
#[derive(Debug)]
pub(super) struct Coming {
    offer: SiteOffer,
    turn: DeskTurn,
}

/// Answers which version is in force.
pub(super) fn take_query(session: &Session, query: &SiteQuery) -> Result<(), Fault> {
    if may(session, &[Role::Operator])? {
        session.answer(verdict(session, query.command))?;
    }
    Ok(())
}

/// Takes an offer; its parts follow.
pub(super) fn take_offer(session: &Rc<Session>, offer: SiteOffer) -> Result<(), Fault> {
    if session.identity.role != Role::Operator {
        tell(session, &offer, Outcome::Refused, Some(Code::WrongRole));
    }
    if !may(session, &[Role::Operator])? {
        return Ok(());
    }
    let bytes_max = u32::try_from(INPUT_BYTES_MAX).unwrap_or(u32::MAX);
    let unfit = if offer.total_bytes == 0 || offer.total_bytes > bytes_max {
        Unfit::plain(Code::SiteUnsound, "a site has a byte at least and 64 MiB at most")
    } else {
        // The operator's own earlier offer gives way.
        session.coming.replace(None);
        match session.rim.site_desk.begin(Instant::now()) {
            Some(turn) => {
                session.coming.replace(Some(Coming { offer, turn }));
                return Ok(());
            }
            None => Unfit::plain(Code::NotNow, "another version of the site is on its way"),
        }
    };
    refuse(session, &offer, unfit)
}

/// Takes some of a site's bytes. What belongs to no offer is of one that was refused.
pub(super) fn take_part(session: &Rc<Session>, part: &SitePart) -> Result<(), Fault> {
    let mut coming = session.coming.borrow_mut();
    let Some(it) = coming.as_mut().filter(|it| it.offer.command == part.command) else {
        return Ok(());
    };
    let total = usize::try_from(it.offer.total_bytes).unwrap_or(usize::MAX);
    let bytes = it.turn.byte_count().saturating_add(part.bytes.as_slice().len());
    let is_due = bytes >= total;
    if bytes <= total && it.turn.is_its() {
        it.turn.add(part.bytes.as_slice());
        if !is_due {
            return Ok(());
        }
    }
    let Some(whole) = coming.take() else { return Ok(()) };
    drop(coming);
    if bytes > total {
        let unfit = Unfit::plain(Code::SiteUnsound, "more bytes came than were offered");
        return refuse(session, &whole.offer, unfit);
    }
    if !whole.turn.keep() {
        let unfit = Unfit::plain(Code::NotNow, "it did not come within a minute");
        return refuse(session, &whole.offer, unfit);
    }
    let session = session.clone();
    // Not of the session's own tasks: what was begun is ended, whether or not the operator waits.
    tokio::task::spawn_local(async move {
        let Coming { offer, turn } = whole;
        let answer = decide(&session, &offer, turn.take()).await;
        drop(turn);
        // A peer that reads no answers is noticed by the next question.
        let _ = match answer {
            Ok(verdict) => session.answer(verdict),
            Err(unfit) => refuse(&session, &offer, unfit),
        };
    });
    Ok(())
}

/// Has the site judged, and puts it in force if that is wished.
async fn decide(
    session: &Session,
    offer: &SiteOffer,
    bytes: Vec<u8>,
) -> Result<SiteVerdict, Unfit> {
    let in_force = in_force(session);
    let judging = {
        let offer = offer.clone();
        tokio::task::spawn_blocking(move || judge(&offer, &bytes, &in_force))
    };
    let failed = |_| Unfit::plain(Code::Internal, "judging it failed; please report it");
    let fit = match judging.await.map_err(failed)? {
        Judged::Unfit(unfit) => return Err(unfit),
        Judged::Same if !session.rim.mark.is_storing() => {
            let detail = "in force already, and the node does not store: a start may take it back";
            return Err(Unfit::plain(Code::NotNow, detail));
        }
        Judged::Same => {
            let detail = Text::new("it is in force already");
            return Ok(SiteVerdict { detail, ..verdict(session, offer.command) });
        }
        Judged::Fit(fit) => fit,
    };
    if offer.is_dry_run {
        tell(session, offer, Outcome::Done, None);
        let detail = Text::new("it would be taken");
        return Ok(SiteVerdict { detail, ..verdict(session, offer.command) });
    }
    put(session, offer, fit).await
}

fn in_force(session: &Session) -> InForce {
    let rim = &session.rim;
    let site = rim.site();
    let names = Names(&site);
    let fan_out = rim.fan_out.borrow();
    InForce {
        digest: rim.site_desk.digest(site.version()),
        frame: rim.frame.as_ref().and_then(FrameMarks::of),
        open: fan_out
            .open()
            .values()
            // What only waits for people ends by no change of the site.
            .filter(|open| open.notice.state.is_any(AlarmState::ACTIVE))
            .map(|open| (open.notice.clone(), fan_out.note(open)))
            .collect(),
        now: rim.clock.now(),
        feeds: rim.connected_feeds().into_iter().map(|feed| names.source(feed)).collect(),
        site: site.clone(),
    }
}

async fn put(session: &Session, offer: &SiteOffer, fit: Fit) -> Result<SiteVerdict, Unfit> {
    let rim = &session.rim;
    if !rim.mark.is_storing() {
        let detail = "the node does not store: a start would take the site back";
        return Err(Unfit::plain(Code::NotNow, detail));
    }
    let version = fit.config.version;
    // Nothing comes of a change before it is in the audit log: it may take protection away.
    if !rim.audit.ask(record(session, offer, Outcome::Begun)).await {
        let detail = "nothing was done: the audit log cannot be written";
        return Err(Unfit::plain(Code::NotNow, detail));
    }
    // Judging and writing take their time, and the session may have ended meanwhile: what was under way
    // goes on, but for somebody who was revoked.
    if rim.revocations.borrow().is_void(&session.identity, session.valid_from) {
        let detail = "nothing was done: the certificate was revoked";
        return Err(Unfit::plain(Code::CertificateRevoked, detail));
    }
    // Nor was an alarm known to the judge that opened meanwhile.
    fit.judge_again(offer, &in_force(session))?;
    let Fit { config, next } = fit;
    // Letting go of a large site takes milliseconds.
    drop(tokio::task::spawn_blocking(move || drop(next)));
    let (ticket, settled) = rim.ticket();
    let input = Input::SiteChange(config);
    rim.counters.commands_taken.count();
    let ending = || Unfit::plain(Code::ShuttingDown, "the node is shutting down; ask again");
    let sent = rim.lanes.send(Lane::Door, Ticketed { input, ticket: Some(ticket) }).await;
    sent.map_err(|_| ending())?;
    let settled = settled.await.map_err(|_| ending())?;
    if rim.site().version() != version {
        let detail = "another version came into force before it";
        return Err(Unfit::plain(Code::SiteStale, detail));
    }
    rim.site_desk.put(version, offer.digest);
    let entry = Some(settled.index);
    let is_audited = rim.audit.ask(Record { entry, ..record(session, offer, Outcome::Done) }).await;
    let detail = match (settled.is_durable, is_audited) {
        (true, true) => "",
        (true, false) => "in force, but not in the audit log",
        (false, true) => "in force, but not stored: a start takes it back",
        (false, false) => "in force, but neither stored nor in the audit log",
    };
    let at = NoticeAt { index: settled.index, ordinal: 0 };
    let cursor = settled.is_durable.then(|| cursor(at));
    let code = if settled.is_durable { Code::Done } else { Code::NotNow };
    Ok(SiteVerdict { code, detail: Text::new(detail), cursor, ..verdict(session, offer.command) })
}

/// A verdict that nothing is wrong, and which version is in force.
fn verdict(session: &Session, command: u64) -> SiteVerdict {
    let version = session.rim.site().version();
    SiteVerdict {
        command,
        code: Code::Done,
        detail: Text::default(),
        version,
        digest: session.rim.site_desk.digest(version),
        reasons: Vec::new(),
        reason_count: 0,
        cursor: None,
    }
}

fn refuse(session: &Session, offer: &SiteOffer, unfit: Unfit) -> Result<(), Fault> {
    tell(session, offer, Outcome::Refused, Some(unfit.code));
    if session.out.is_first(unfit.code) && session.rim.may_log() {
        tracing::warn!(code = %unfit.code, detail = unfit.detail, "refused a version of the site");
    }
    let refused = SiteVerdict {
        code: unfit.code,
        detail: Text::new(&unfit.detail),
        reasons: unfit.reasons,
        reason_count: u32::try_from(unfit.reason_count).unwrap_or(u32::MAX),
        ..verdict(session, offer.command)
    };
    session.answer(refused)
}

/// As the audit log has it: an offer that is only judged changes nothing, and is told apart.
fn record(session: &Session, offer: &SiteOffer, outcome: Outcome) -> Record {
    let rim = &session.rim;
    let action = if offer.is_dry_run { Action::SiteJudged } else { Action::SitePutInForce };
    let next = offer.base_version.saturating_add(1);
    let objects = vec![Object::versioned(ObjectKind::Site, rim.site().id().clone(), next)];
    let record = rim.audit.record(&session.party, action, outcome);
    Record { objects, request: Some(offer.command), ..record }
}

fn tell(session: &Session, offer: &SiteOffer, outcome: Outcome, code: Option<Code>) {
    let code = code.map(Code::value);
    session.rim.audit.note(Record { code, ..record(session, offer, outcome) });
}
