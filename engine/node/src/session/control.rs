//! The control stream: questions in, answers and acks out.

use std::rc::Rc;
use std::time::Duration;

use ach_actors_model::Name;
use ach_engine_audit::{Action, Outcome, Record};
use ach_engine_net::{FrameSink, FrameSource, Role};
use ach_engine_wire::limits::{COUNTERS_MAX, SUBSCRIPTIONS_MAX};
use ach_engine_wire::{
    ClockOffset, Code, Counter, Echo, EchoReply, Frame, Goodbye, Heartbeat, Intern, Refused,
    Status, Subscribe, Text,
};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use super::fault::{Fault, counter};
use super::flush::flush;
use super::subscription::Subscription;
use super::vendor::Vendor;
use super::{End, Open, Session, commands, door_orders, leave, offers, questions, selftests};
use crate::audit_words;
use crate::fan_out::encoded;
use crate::notes::cursor;
use crate::recent::NoticeAt;
use crate::sieve::Sieve;
use crate::sink::Sink;
use crate::status::counts;

/// Acks and refusals of pings are told at most this often: a packet costs more than a hundred pings. Those
/// of duress and doors go at once, and refusals before the acks that cover them: a vendor that knows the
/// ack alone would miss what was refused in a node that starts again.
const ACK_EVERY: Duration = Duration::from_millis(2);

/// A sign of life when nothing else was said for this long.
const HEARTBEAT_EVERY: Duration = Duration::from_secs(5);

/// Reads the control stream until the peer ends it or says goodbye.
///
/// # Errors
///
/// The peer broke the protocol or is gone.
pub(crate) async fn read(
    session: Rc<Session>,
    vendor: Option<Rc<Vendor>>,
    mut source: FrameSource,
    begun: mpsc::Sender<Subscription>,
) -> Result<End, Fault> {
    while let Some(raw) = source.next().await? {
        match Frame::decode(raw)? {
            Some(Frame::Intern(intern)) => take_names(&session, vendor.as_deref(), intern)?,
            Some(Frame::Subscribe(subscribe)) => {
                if let Some(subscription) = take_subscription(&session, subscribe)? {
                    // The session ends when this fails.
                    begun.send(subscription).await.map_err(|_| Fault::Gone)?;
                }
            }
            Some(Frame::Unsubscribe(unsubscribe)) => {
                let subscriptions = session.subscriptions.borrow();
                if let Some(open) = subscriptions.get(&unsubscribe.subscription) {
                    open.end.send_replace(true);
                }
            }
            Some(Frame::Echo(echo)) => take_echo(&session, &echo)?,
            Some(Frame::Command(command)) => commands::take(&session, command).await?,
            Some(Frame::StatusQuery(query)) => {
                if may(&session, &[Role::Operator])? {
                    session.answer(status(&session, query.query))?;
                }
            }
            Some(Frame::SiteQuery(query)) => offers::take_query(&session, &query)?,
            Some(Frame::SiteOffer(offer)) => offers::take_offer(&session, offer)?,
            Some(Frame::UnregisteredQuery(query)) => {
                if may(&session, &[Role::Operator])? {
                    questions::unregistered(&session, query.query)?;
                }
            }
            Some(Frame::AttentionQuery(query)) => {
                if may(&session, &[Role::Operator])? {
                    questions::attention(&session, query.query).await?;
                }
            }
            Some(Frame::DoorsQuery(query)) => {
                if may(&session, &[Role::Operator])? {
                    door_orders::answer(&session, query.query)?;
                }
            }
            Some(Frame::QuietQuery(query)) => {
                if may(&session, &[Role::Receiver, Role::Operator])? {
                    questions::quiet(&session, query.query)?;
                }
            }
            Some(Frame::LeaveQuery(query)) => {
                if may(&session, &[Role::Receiver, Role::Operator])? {
                    leave::answer(&session, query.query)?;
                }
            }
            Some(Frame::SelftestOrder(order)) => {
                if may(&session, &[Role::Operator])? {
                    selftests::take_order(&session, order);
                }
            }
            Some(Frame::Displayed(displayed)) => {
                if may(&session, &[Role::Receiver, Role::Operator])? {
                    questions::take_displayed(&session, &displayed);
                }
            }
            Some(Frame::SitePart(part)) => offers::take_part(&session, &part)?,
            Some(Frame::Heartbeat(_)) | None => {}
            Some(Frame::Goodbye(_)) => return Ok(End::Session),
            Some(_) => {
                let detail = "a frame that has no place on the control stream";
                return Err(Fault::peer(Code::UnexpectedFrame, detail));
            }
        }
    }
    Ok(End::Session)
}

/// Whether the peer's role may do this; if not, it is told and counted.
pub(super) fn may(session: &Session, roles: &[Role]) -> Result<bool, Fault> {
    if roles.contains(&session.identity.role) {
        return Ok(true);
    }
    refuse(session, Code::WrongRole, MAY_NOT)?;
    Ok(false)
}

/// What somebody is told who asks for what his role does not do.
pub(super) const MAY_NOT: &str = "the certificate's role may not do this";

fn refuse(session: &Session, code: Code, detail: &str) -> Result<(), Fault> {
    refuse_of(session, None, code, detail)
}

/// As [`refuse`], about a subscription.
fn refuse_of(
    session: &Session,
    subscription: Option<u32>,
    code: Code,
    detail: &str,
) -> Result<(), Fault> {
    let request = subscription.map(u64::from);
    let refused = session.rim.audit.record(&session.party, Action::RequestMade, Outcome::Refused);
    session.rim.audit.note(Record { code: Some(code.value()), request, ..refused });
    answer_refused(session, subscription, code, detail)
}

/// Refuses what the audit log has already.
pub(super) fn answer_refused(
    session: &Session,
    subscription: Option<u32>,
    code: Code,
    detail: &str,
) -> Result<(), Fault> {
    if let Some(counter) = counter(&session.rim.counters, code) {
        counter.count();
    }
    if session.out.is_first(code) && session.rim.may_log() {
        tracing::warn!(role = session.identity.role.word(), %code, "refused a request");
    }
    session.answer(Refused {
        code,
        lane: None,
        seq: None,
        detail: Text::new(detail),
        retry_after_ms: None,
        subscription,
    })
}

fn take_names(session: &Session, vendor: Option<&Vendor>, intern: Intern) -> Result<(), Fault> {
    let Some(vendor) = vendor else {
        return refuse(session, Code::WrongRole, "only a vendor names things");
    };
    let site = session.rim.site();
    let interned = vendor.handles.borrow_mut().intern(&site, vendor.source, intern)?;
    for refusal in &interned.refused {
        if let Some(counter) = counter(&session.rim.counters, refusal.code) {
            counter.count();
        }
        let handles = vendor.handles.borrow();
        let objects = handles.item(refusal.handle).and_then(|item| audit_words::named(item, &site));
        let named = session.rim.audit.record(&session.party, Action::ThingNamed, Outcome::Refused);
        let (objects, code) = (objects.into_iter().collect(), Some(refusal.code.value()));
        session.rim.audit.note(Record { objects, code, ..named });
        drop(handles);
        session.note_unregistered(vendor, refusal.handle);
    }
    session.answer(interned)
}

fn take_subscription(
    session: &Rc<Session>,
    request: Subscribe,
) -> Result<Option<Subscription>, Fault> {
    let of = Some(request.subscription);
    if !matches!(session.identity.role, Role::Receiver | Role::Operator) {
        refuse_of(session, of, Code::WrongRole, "the certificate's role may not follow a site")?;
        return Ok(None);
    }
    let mut subscriptions = session.subscriptions.borrow_mut();
    if subscriptions.len() >= SUBSCRIPTIONS_MAX {
        refuse_of(session, of, Code::TooMany, "too many subscriptions on one connection")?;
        return Ok(None);
    }
    if subscriptions.contains_key(&request.subscription) {
        return Err(Fault::peer(Code::Malformed, "the subscription's number is in use"));
    }
    let sieve = match Sieve::new(request.topic, request.filter.clone()) {
        Ok(sieve) => sieve,
        Err(wrong) => {
            refuse_of(session, of, Code::UnknownTopic, &wrong.to_string())?;
            return Ok(None);
        }
    };
    let sink = Rc::new(Sink::new(session.rim.limits.sink_bytes_max));
    let (end, ended) = watch::channel(false);
    subscriptions.insert(request.subscription, Open { sink: sink.clone(), end, key: None });
    drop(subscriptions);
    Ok(Some(Subscription::begin(session.clone(), request, sieve, sink, ended)))
}

fn take_echo(session: &Session, echo: &Echo) -> Result<(), Fault> {
    let mut padding = echo.padding;
    padding.bytes = echo.reply_bytes.min(ach_engine_wire::limits::ECHO_BYTES_MAX);
    let reply = EchoReply { nonce: echo.nonce, padding };
    session.rim.counters.echoes_answered.count();
    let Some(subscription) = echo.subscription else { return session.answer(reply) };
    let subscriptions = session.subscriptions.borrow();
    if let Some(open) = subscriptions.get(&subscription) {
        // The probe takes the alarms' way: same sink, same stream.
        open.sink.push(encoded(&reply.into()));
        return Ok(());
    }
    drop(subscriptions);
    refuse(session, Code::UnknownTopic, "no such subscription to answer a probe on")
}

fn status(session: &Session, query: u64) -> Status {
    let rim = &session.rim;
    let durable = NoticeAt { index: rim.mark.durable_index(), ordinal: 0 };
    let counters = counts(rim)
        .into_iter()
        .filter_map(|(name, count)| Some(Counter { name: Name::new(&name).ok()?, count }));
    Status {
        query,
        node: rim.node.clone(),
        site: rim.site().id().clone(),
        is_storing: rim.mark.is_storing(),
        cursor: (durable.index > 0).then(|| cursor(durable)),
        counters: counters.take(COUNTERS_MAX).collect(),
    }
}

/// Writes the control stream until it is told to end.
///
/// # Errors
///
/// The peer is gone.
pub(crate) async fn write(
    session: Rc<Session>,
    vendor: Option<Rc<Vendor>>,
    mut sink: FrameSink,
    mut ends: watch::Receiver<Option<Goodbye>>,
) -> Result<(), Fault> {
    let source = vendor.as_ref().map(|vendor| vendor.source);
    let mut progress =
        source.map(|source| session.rim.acks.borrow_mut().source(source).changed.subscribe());
    let doors = vendor.as_ref().map(|vendor| (vendor.source, vendor.orders_turn));
    let mut skew = session.rim.skew_ns.subscribe();
    let mut acked_at = Instant::now();
    let mut wake_at = acked_at + HEARTBEAT_EVERY;
    loop {
        let is_over = ends.borrow().is_some();
        let now = Instant::now();
        let are_pings_due = is_over || now >= acked_at + ACK_EVERY;
        let mut is_said = say(&session, &mut sink, are_pings_due)?;
        if let Some(doors) = doors {
            is_said |= door_orders::tell(&session, doors, &mut sink)?;
        }
        if let Some(vendor) = &vendor {
            for ack in vendor.acks(&session.rim, are_pings_due)? {
                sink.push(&ack.into())?;
                is_said = true;
            }
        }
        if are_pings_due {
            acked_at = now;
        }
        if let Some(goodbye) = ends.borrow().clone().filter(|_| is_over) {
            sink.push(&goodbye.into())?;
            break;
        }
        if !is_said && now >= wake_at {
            sink.push(&Heartbeat { sent_at: session.rim.clock.now() }.into())?;
            is_said = true;
        }
        flush(&mut sink, session.rim.limits.subscriber_stall_max).await?;
        if is_said {
            wake_at = Instant::now() + HEARTBEAT_EVERY;
        }
        // What was held back is said as soon as it may be.
        let is_held = !are_pings_due;
        let next_at = if is_held { acked_at + ACK_EVERY } else { wake_at };
        tokio::select! {
            // All but the clock is looked at above in any case, whatever woke this task. The clock
            // is first: it is rare, and a vendor at full speed makes progress without a pause.
            biased;
            // An error means that the node has ended, and with it this session.
            _ = skew.changed(), if vendor.is_some() => {
                let offset_ns = *skew.borrow_and_update();
                session.rim.counters.clock_offsets_told.count();
                session.answer(ClockOffset { offset_ns })?;
            }
            () = session.out.ready() => {}
            () = changed(progress.as_mut()) => {}
            () = sleep_until(next_at) => {}
            // An error means that the session is gone.
            _ = ends.changed() => {}
        }
    }
    sink.finish().await.map_err(Fault::from)
}

fn say(session: &Session, sink: &mut FrameSink, are_pings_due: bool) -> Result<bool, Fault> {
    let mut is_said = false;
    for frame in session.out.take() {
        sink.push(&frame)?;
        is_said = true;
    }
    for refusal in session.out.take_refusals(are_pings_due) {
        sink.push(&refusal.into())?;
        is_said = true;
    }
    Ok(is_said)
}

async fn changed(progress: Option<&mut watch::Receiver<()>>) {
    match progress {
        // An error means that the node has ended, and with it this session.
        Some(progress) => drop(progress.changed().await),
        None => std::future::pending().await,
    }
}
