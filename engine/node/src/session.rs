//! One connected peer, from its hello to its goodbye.
//!
//! A session is a handful of tasks on the rim's thread: one reads the control stream, one writes it,
//! one reads each lane, one writes each subscription. A panic in one ends this session alone: tokio
//! catches it, it is counted, the connection is closed. What the peer may do follows from the role
//! in its certificate.

mod certificate;
mod commands;
mod control;
mod control_out;
mod door_orders;
mod fault;
mod flush;
mod handles;
mod lane_streams;
mod leave;
mod offers;
mod ping_lane;
mod questions;
mod receipts;
mod report_lane;
mod right;
mod selftests;
mod subscription;
mod vendor;
mod vendor_clock;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use ach_actors_model::{Lane, Name, Timestamp};
use ach_engine_audit::{Action, Outcome, Reason, Record};
use ach_engine_net::{FrameSink, FrameSource, Identity, Peer, Role};
use ach_engine_wire::limits::{HANDLE_COUNT_MAX, PAYLOAD_BYTES_MAX};
use ach_engine_wire::{
    Code, Frame, Goodbye, Hello, InternItem, PROTOCOL_VERSION, Text, Welcome, limits,
};
use quinn::{Connection, ConnectionError, VarInt};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

use control_out::ControlOut;
use fault::{Fault, counter};
use flush::flush;
use handles::Handle;
use lane_streams::LaneStreams;
use receipts::Receipts;
use subscription::Subscription;
use vendor::{SharedVendor, Vendor};
use vendor_clock::VendorClock;

use crate::audit_words;
use crate::auditor::Party;
use crate::fan_out::SubscriberKey;
use crate::notes::FENCING_EPOCH;
use crate::rim::Rim;
use crate::sink::Sink;

/// Subscriptions that wait to be begun; a client may have 16 in all.
const REQUESTS_MAX: usize = 16;

/// What the tasks of a session share.
#[derive(Debug)]
pub(crate) struct Session {
    pub rim: Rc<Rim>,
    pub connection: Connection,
    pub identity: Identity,
    /// The beginning of the peer's certificate.
    pub valid_from: Timestamp,
    /// The end of the peer's certificate.
    pub valid_until: Timestamp,
    pub party: Party,
    pub out: ControlOut,
    subscriptions: RefCell<BTreeMap<u32, Open>>,
    receipts: RefCell<Receipts>,
    coming: RefCell<Option<offers::Coming>>,
}

/// A subscription as the control stream knows it.
#[derive(Debug)]
struct Open {
    sink: Rc<Sink>,
    end: watch::Sender<bool>,
    /// Which subscriber of alarms it is, if it is one.
    key: Option<SubscriberKey>,
}

impl Session {
    /// A subscription to alarms has begun.
    fn watch_as(&self, subscription: u32, key: SubscriberKey) {
        if let Some(open) = self.subscriptions.borrow_mut().get_mut(&subscription) {
            open.key = Some(key);
        }
    }

    /// A ping or report is refused, alone.
    fn refuse(&self, vendor: &Vendor, lane: Lane, seq: u64, code: Code, handle: u32) {
        self.out.refuse(lane, vendor.epoch, seq, code, Some(handle));
        if code == Code::UnknownThing {
            self.note_unregistered(vendor, handle);
        }
        if !self.out.is_first(code) {
            return;
        }
        let refused = self.rim.audit.record(&self.party, Action::InputSent, Outcome::Refused);
        let objects = audit_words::lane(lane).into_iter().collect();
        self.rim.audit.note(Record { objects, code: Some(code.value()), ..refused });
        if self.rim.may_log() {
            tracing::warn!(role = self.identity.role.word(), ?lane, %code, "refused an input");
        }
    }

    /// Where a lane goes on, see [`Vendor::begin`]. What the vendor leaves out there is passed over.
    fn begin_lane(&self, vendor: &Vendor, lane: Lane, next_seq: u64, first_seq: u64) -> u64 {
        let begun_at = vendor.begin(lane, next_seq, first_seq);
        if begun_at > next_seq {
            let mut acks = self.rim.acks.borrow_mut();
            let progress = acks.source(vendor.source);
            // Another connection may have begun another epoch meanwhile.
            if progress.epoch == vendor.epoch {
                progress.lane_mut(lane).leave_out_before(begun_at);
            }
        }
        begun_at
    }

    /// A vendor named, or reported, what the site does not have; if it is a tag, it is kept to be listed.
    fn note_unregistered(&self, vendor: &Vendor, handle: u32) {
        let handles = vendor.handles.borrow();
        let (Some(InternItem::Tag(tag)), Handle::Refused(Code::UnknownThing)) =
            (handles.item(handle), handles.get(handle))
        else {
            return;
        };
        let mut book = self.rim.unregistered.borrow_mut();
        if book.note(vendor.source, *tag, self.rim.clock.now()) {
            self.rim.counters.tags_unregistered.count();
        }
    }

    /// The shard never sees a refused report, so its number is counted here.
    fn refuse_report(&self, vendor: &Vendor, lane: Lane, seq: u64) {
        self.rim.counters.reports_refused.count();
        let mut acks = self.rim.acks.borrow_mut();
        let progress = acks.source(vendor.source);
        progress.lane_mut(lane).refuse(seq);
        progress.changed.send_replace(());
    }

    /// The vendor sent numbers again that this very session has had.
    fn count_repeated(&self, vendor: &Vendor, lane: Lane, count: usize) {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        let counters = &self.rim.counters;
        let is_ping = lane == Lane::Ping;
        let counter = if is_ping { &counters.pings_duplicate } else { &counters.reports_duplicate };
        counter.add(count);
        let mut acks = self.rim.acks.borrow_mut();
        let progress = acks.source(vendor.source);
        let totals = &mut progress.lane_mut(lane).totals;
        totals.duplicate = totals.duplicate.saturating_add(count);
        progress.changed.send_replace(());
    }

    /// A device clock is ahead of ours: clamped by the shard, told to the vendor.
    fn notice_clock(
        &self,
        vendor: &Vendor,
        observed_at: Timestamp,
        received_at: Timestamp,
    ) -> Result<(), Fault> {
        let (is_ahead, told) = vendor.clock.see(observed_at, received_at);
        if is_ahead {
            self.rim.counters.inputs_from_the_future.count();
        }
        match told {
            Some(offset) => {
                self.rim.counters.clock_offsets_told.count();
                self.answer(offset)
            }
            None => Ok(()),
        }
    }

    /// Answers on the control stream.
    fn answer(&self, frame: impl Into<Frame>) -> Result<(), Fault> {
        self.out.push(frame).map_err(|_| Fault::peer(Code::TooSlow, "the peer reads no answers"))
    }

    /// A subscription has ended; another may take its number.
    fn forget_subscription(&self, subscription: u32, sink: &Rc<Sink>) {
        let mut subscriptions = self.subscriptions.borrow_mut();
        if subscriptions.get(&subscription).is_some_and(|open| Rc::ptr_eq(&open.sink, sink)) {
            subscriptions.remove(&subscription);
        }
    }
}

/// Serves a peer until it goes, breaks the protocol, or the node ends.
///
/// `begun_at` is when the peer asked to come in.
pub(crate) async fn serve(rim: Rc<Rim>, peer: Peer, begun_at: Timestamp) {
    rim.counters.sessions_begun.count();
    let connection = peer.connection.clone();
    let role = peer.identity.role;
    let mut party = Party::known(&peer.identity, connection.remote_address());
    rim.audit.number(&mut party);
    let is_let_in = Rc::new(Cell::new(false));
    let ended = Box::pin(run(rim.clone(), peer, begun_at, party.clone(), is_let_in.clone())).await;
    if matches!(connection.close_reason(), Some(ConnectionError::TransportError(_))) {
        rim.counters.transport_broken.count();
    }
    rim.counters.sessions_ended.count();
    tell_end(&rim, &party, is_let_in.get(), &ended);
    match ended {
        Ok(()) | Err(Fault::Gone | Fault::Stopped) => connection.close(VarInt::from_u32(0), b""),
        Err(Fault::Closed(_)) => close(&connection, Code::ShuttingDown, "the node is ending"),
        Err(Fault::Peer { code, detail }) => {
            if let Some(counter) = counter(&rim.counters, code) {
                counter.count();
            }
            rim.counters.sessions_broken.count();
            if rim.may_log() {
                tracing::warn!(role = role.word(), %code, detail, "closed a session");
            }
            close(&connection, code, &detail);
        }
    }
}

/// Records how a session ended, or why it never began.
fn tell_end(rim: &Rim, party: &Party, is_let_in: bool, ended: &Result<(), Fault>) {
    let code = match ended {
        Err(Fault::Peer { code, .. }) => Some(code.value()),
        Err(Fault::Closed(_)) => Some(Code::ShuttingDown.value()),
        Ok(()) | Err(Fault::Gone | Fault::Stopped) => None,
    };
    if is_let_in {
        let gone = rim.audit.record(party, Action::Disconnected, Outcome::Done);
        rim.audit.tell_metered(Record { code, ..gone });
    } else {
        let refused = rim.audit.record(party, Action::Connected, Outcome::Refused);
        let reason =
            Reason::new(if code.is_none() { "the peer left before it was let in" } else { "" });
        rim.audit.note(Record { code, reason, ..refused });
    }
}

/// Closes a connection with a code and a text.
pub(crate) fn close(connection: &Connection, code: Code, detail: &str) {
    let detail = Text::new(detail);
    connection.close(VarInt::from_u32(u32::from(code.value())), detail.as_str().as_bytes());
}

async fn run(
    rim: Rc<Rim>,
    peer: Peer,
    begun_at: Timestamp,
    party: Party,
    is_let_in: Rc<Cell<bool>>,
) -> Result<(), Fault> {
    let Peer { connection, identity, valid_from, valid_until } = peer;
    let within = rim.limits.hello_within;
    let opened = timeout(within, open_control(&connection, rim.limits.frame_within)).await;
    let (mut sink, source, hello) =
        opened.map_err(|_| Fault::peer(Code::FrameTimeout, "no hello in time"))??;
    let received_at = rim.clock.now();
    let site_name = check_hello(&rim, &identity, &hello)?;
    let (vendor, turn) = if identity.role == Role::Vendor {
        let source = rim.site().source(identity.name.as_str()).ok_or_else(|| {
            Fault::peer(Code::UnknownSource, "this vendor is not a feed of the site")
        })?;
        let turn = rim.take_over(source);
        let is_certain = rim.has_certain_clock();
        let clock = VendorClock::new(is_certain, hello.sent_at, begun_at, received_at);
        let agreed = tokio::select! {
            biased;
            () = given_way(Some(turn.gives_way())) => return Err(taken_over()),
            agreed = Vendor::agree(&rim, source, &hello, (clock, turn.orders_turn())) => agreed?,
        };
        (Some(Rc::new(agreed)), Some(turn))
    } else {
        (None, None)
    };
    let welcome = welcome(&rim, site_name, vendor.as_deref(), &hello);
    let offset = vendor.as_ref().and_then(|vendor| vendor.clock.at_hello());
    sink.push(&welcome.into())?;
    if let Some(offset) = offset {
        rim.counters.clock_offsets_told.count();
        sink.push(&offset.into())?;
    }
    if let Some(vendor) = &vendor {
        vendor.tell_clock(&rim).await?;
    }
    sink.set_priority(40);
    flush(&mut sink, rim.limits.subscriber_stall_max).await?;
    is_let_in.set(true);
    rim.audit.tell_metered(rim.audit.record(&party, Action::Connected, Outcome::Done));
    let session = Rc::new(Session {
        rim: rim.clone(),
        connection,
        identity,
        valid_from,
        valid_until,
        party,
        out: ControlOut::default(),
        subscriptions: RefCell::default(),
        receipts: RefCell::default(),
        coming: RefCell::default(),
    });
    let gives_way = turn.as_ref().map(crate::rim::VendorTurn::gives_way);
    work(session, vendor, sink, source, gives_way).await
}

async fn open_control(
    connection: &Connection,
    frame_within: Duration,
) -> Result<(FrameSink, FrameSource, Hello), Fault> {
    let (send, receive) = connection.accept_bi().await?;
    let mut source = FrameSource::within(receive, frame_within);
    let raw = source.next().await?.ok_or(Fault::Gone)?;
    match Frame::decode(raw)? {
        Some(Frame::Hello(hello)) => Ok((FrameSink::new(send), source, hello)),
        _ => Err(Fault::peer(Code::UnexpectedFrame, "the first frame must be a hello")),
    }
}

fn check_hello(rim: &Rim, identity: &Identity, hello: &Hello) -> Result<Name, Fault> {
    let site = rim.site();
    if !hello.versions.contains(&PROTOCOL_VERSION) {
        return Err(Fault::peer(Code::NoCommonVersion, "this node speaks version 1"));
    }
    if identity.site != *site.id() || hello.site.as_ref().is_some_and(|wanted| wanted != site.id())
    {
        return Err(Fault::peer(Code::WrongSite, "another site is served here"));
    }
    if identity.role == Role::Node {
        return Err(Fault::peer(Code::WrongRole, "a node has no business with a single node"));
    }
    Ok(site.id().clone())
}

fn welcome(rim: &Rim, site: Name, vendor: Option<&Vendor>, hello: &Hello) -> Welcome {
    Welcome {
        version: PROTOCOL_VERSION,
        site,
        node: rim.node.clone(),
        lanes: vendor.map(|vendor| vendor.welcome(rim)).unwrap_or_default(),
        server_time: rim.clock.now(),
        hello_sent_at: hello.sent_at,
        fencing_epoch: FENCING_EPOCH,
        payload_bytes_max: u32::try_from(PAYLOAD_BYTES_MAX).unwrap_or(u32::MAX),
        batch_pings_max: u32::try_from(limits::BATCH_PINGS_MAX).unwrap_or(u32::MAX),
        handle_count_max: HANDLE_COUNT_MAX,
        is_storing: rim.mark.is_storing(),
        site_version: rim.site().version(),
    }
}

/// Runs the session's tasks until one fails or the session is to end.
async fn work(
    session: Rc<Session>,
    vendor: Option<SharedVendor>,
    sink: FrameSink,
    source: FrameSource,
    gives_way: Option<watch::Receiver<bool>>,
) -> Result<(), Fault> {
    let (requests, mut begun) = mpsc::channel(REQUESTS_MAX);
    let mut goodbye = session.rim.goodbye.subscribe();
    let (end_writer, writer_ends) = watch::channel(None);
    let mut writer = Box::pin(control::write(session.clone(), vendor.clone(), sink, writer_ends));
    let mut tasks = JoinSet::new();
    tasks.spawn_local(control::read(session.clone(), vendor.clone(), source, requests));
    let mut lanes = LaneStreams::default();
    let gives_way = given_way(gives_way);
    tokio::pin!(gives_way);
    let stopped = storing_stopped(&session, vendor.is_some());
    tokio::pin!(stopped);
    let certificate = certificate::ended(&session);
    tokio::pin!(certificate);
    let right = right::lost(&session);
    tokio::pin!(right);
    loop {
        tokio::select! {
            // What ends the session first, and last what the peer can make come without end. Tasks
            // that are done cannot keep the rest away: there are no more of them than streams and
            // subscriptions that were taken in below.
            biased;
            Some(done) = tasks.join_next() => match done {
                Ok(Ok(End::Session)) => return leave(&session, end_writer, writer, None).await,
                // While the node drains, its lanes close before its sessions do.
                Ok(Ok(End::Stream) | Err(Fault::Closed(_))) => {}
                Ok(Err(fault)) => return Err(fault),
                Err(error) => return Err(failed(&session, &error)),
            },
            wrote = &mut writer => return wrote,
            () = &mut gives_way => return Err(taken_over()),
            () = &mut certificate => return Err(certificate::fault()),
            lost = &mut right => return Err(lost),
            () = &mut stopped => {
                let goodbye = Goodbye {
                    code: Code::NotNow,
                    detail: Text::new("storing has stopped; connect again to go on without it"),
                };
                return leave(&session, end_writer, writer, Some(goodbye)).await;
            }
            _ = goodbye.wait_for(|is_over| *is_over) => {
                drain_subscriptions(&session, &mut tasks).await;
                let goodbye = Goodbye {
                    code: Code::ShuttingDown,
                    detail: Text::new("the node is shutting down; connect again"),
                };
                return leave(&session, end_writer, writer, Some(goodbye)).await;
            }
            Some(subscription) = begun.recv() => {
                tasks.spawn_local(Subscription::write(subscription));
            }
            stream = session.connection.accept_uni() => {
                lanes.open(&session, vendor.as_ref(), stream?, &mut tasks)?;
            }
        }
    }
}

fn taken_over() -> Fault {
    Fault::peer(Code::TakenOver, "a newer connection of this vendor took over")
}

async fn given_way(gives_way: Option<watch::Receiver<bool>>) {
    match gives_way {
        // An error means that the turn is over, and with it this session.
        Some(mut gives_way) => drop(gives_way.wait_for(|gives_way| *gives_way).await),
        None => std::future::pending().await,
    }
}

/// Returns when storing stops in the middle of a vendor's session. The vendor connects again and is
/// told by the welcome that nothing becomes durable: else it would keep, and wait, for ever.
async fn storing_stopped(session: &Session, is_vendor: bool) {
    if !is_vendor || *session.rim.storing_stopped.borrow() {
        return std::future::pending().await;
    }
    let mut stopped = session.rim.storing_stopped.subscribe();
    // An error means that the node is gone, and with it this session.
    drop(stopped.wait_for(|is_stopped| *is_stopped).await);
}

/// What a task of a session came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// Its stream ended in good order.
    Stream,
    /// The peer said goodbye.
    Session,
}

/// Ends all subscriptions' streams, with everything that is in their sinks.
async fn drain_subscriptions(session: &Session, tasks: &mut JoinSet<Result<End, Fault>>) {
    for open in session.subscriptions.borrow().values() {
        open.end.send_replace(true);
    }
    let ended = async {
        while !session.subscriptions.borrow().is_empty() && tasks.join_next().await.is_some() {}
    };
    // One that does not read is cut with the connection.
    let _ = timeout(session.rim.limits.subscriber_stall_max, ended).await;
}

/// Writes the last acks and the goodbye, and waits until the peer has them.
async fn leave(
    session: &Session,
    end_writer: watch::Sender<Option<Goodbye>>,
    writer: impl Future<Output = Result<(), Fault>>,
    goodbye: Option<Goodbye>,
) -> Result<(), Fault> {
    let code = goodbye.as_ref().map_or(Code::Done, |goodbye| goodbye.code);
    end_writer.send_replace(Some(
        goodbye.unwrap_or(Goodbye { code: Code::Done, detail: Text::default() }),
    ));
    let wrote = timeout(session.rim.limits.subscriber_stall_max, writer).await;
    close(&session.connection, code, "");
    wrote.unwrap_or(Ok(()))
}

fn failed(session: &Session, error: &tokio::task::JoinError) -> Fault {
    if error.is_panic() {
        session.rim.counters.sessions_panicked.count();
        tracing::error!("a session failed; this is a bug, please report it");
    }
    Fault::peer(Code::Internal, "the session failed inside")
}
