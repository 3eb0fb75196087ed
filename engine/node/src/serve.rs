//! The rim's thread: the endpoint, its sessions, the publisher, and how they end.

use std::cell::RefCell;
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::sync::mpsc::Sender;
use std::time::Duration;

use ach_engine_audit::{Action, Object, ObjectKind, Outcome, Reason, Record};
use ach_engine_net::{Bundle, Handshake, HandshakeLimits, Listener, server_endpoint};
use ach_engine_wire::Code;
use actix::prelude::*;
use quinn::{Endpoint, VarInt};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet, yield_now};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::audit_words;
use crate::auditor::Party;
use crate::limits::NodeLimits;
use crate::node_trouble;
use crate::publisher::{Publisher, PublisherActor, SharedPublisher};
use crate::rim::{Rim, RimParts};
use crate::roster::Roster;
use crate::selftest;
use crate::session;
use crate::shard_actor::{ShardActor, ShardState};
use crate::shard_worker::ShardWorker;
use crate::start_error::StartError;
use crate::{Arrangement, pin};

/// From this many cores on a shard has one of its own. With fewer, a hop between two threads costs
/// more than sharing one: 30 against 37 µs from ping to alarm on two cores.
const CORES_FOR_TWO_THREADS: usize = 4;

/// Acts that were merged for the audit log are recorded, and alarms nobody displays looked for, this
/// often.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How long the audit log may take for its last records and head.
const AUDIT_END_WITHIN: Duration = Duration::from_secs(2);

/// What the rim's thread needs.
#[derive(Debug)]
pub(crate) struct Serving {
    pub door: FrontDoor,
    pub arrangement: Arrangement,
    pub worker: ShardWorker,
    pub rim: RimParts,
    pub state: watch::Sender<ShardState>,
    pub stop: watch::Receiver<bool>,
    /// Whoever waits for it to take connections.
    pub ready: Option<Sender<Result<SocketAddr, StartError>>>,
}

/// Where connections come from.
#[derive(Debug)]
pub(crate) enum FrontDoor {
    /// A socket that is yet to be opened at this address.
    Address(SocketAddr, Bundle),
    /// An endpoint that somebody has opened.
    Endpoint(Endpoint),
}

/// Whether the shard gets a thread of its own.
fn is_two_thread(arrangement: Arrangement) -> bool {
    match arrangement {
        Arrangement::OneThread => false,
        Arrangement::TwoThread => true,
        Arrangement::Auto => pin::core_count() >= CORES_FOR_TWO_THREADS,
    }
}

/// Serves until it is told to stop or the shard fails.
pub(crate) async fn serve(serving: Serving) {
    let Serving { door, arrangement, worker, rim, state, mut stop, ready } = serving;
    let (listener, address) = match listen_at(door, &rim.limits) {
        Ok(listening) => listening,
        Err(error) => {
            // Nobody waits for the answer only if the starter is gone.
            let _ = ready.map(|ready| ready.send(Err(error)));
            return;
        }
    };
    rim.counters.tally.set_handshakes(listener.counts());
    let rim = measured(rim, arrangement);
    let rim = Rc::new(Rim::new(rim, listener));
    // Only now: what a node tells of itself is known to the rim.
    let _ = ready.map(|ready| ready.send(Ok(address)));
    let mut shard_state = state.subscribe();
    let mut failed = rim.failed.subscribe();
    let publisher = Rc::new(RefCell::new(Publisher::new(rim.clone())));
    let arbiter = start_shard(arrangement, worker, &publisher, state.clone());
    PublisherActor::new(publisher).start();
    let roster = Roster::new(&rim.limits);
    tell_start(&rim);
    let flushing = tokio::task::spawn_local(look_after(rim.clone()));
    let mut sessions = JoinSet::new();
    loop {
        tokio::select! {
            // What ends the node first, and last what others can make come without end.
            biased;
            // An error means that whoever could stop the node is gone: then it stops.
            _ = stop.wait_for(|is_stopping| *is_stopping) => break,
            _ = shard_state.wait_for(|state| *state == ShardState::Failed) => break,
            _ = failed.wait_for(|is_failed| *is_failed) => break,
            Some(ended) = sessions.join_next() => count_panic(&rim, &ended),
            handshake = rim.listener.accept() => match handshake {
                Some(handshake) => {
                    take(&rim, &roster, handshake, &mut sessions);
                    // One handshake, then everybody else: signing takes a third of a millisecond,
                    // and a flood of them must not come between a ping and its alarm.
                    yield_now().await;
                }
                None => break,
            },
        }
    }
    end(&rim, &mut shard_state, sessions).await;
    flushing.abort();
    // A disk that does not answer is not waited for.
    let _ = timeout(AUDIT_END_WITHIN, rim.audit.end()).await;
    rim.memo.end();
    if *rim.failed.borrow() {
        state.send_replace(ShardState::Failed);
    }
    if let Some(arbiter) = arbiter {
        arbiter.stop();
    }
}

/// The clock of one thread tells nothing of two.
fn measured(mut rim: RimParts, arrangement: Arrangement) -> RimParts {
    rim.limits.is_residence_measured &= !is_two_thread(arrangement);
    rim
}

fn listen_at(door: FrontDoor, limits: &NodeLimits) -> Result<(Listener, SocketAddr), StartError> {
    let (wanted, endpoint) = match door {
        FrontDoor::Address(wanted, bundle) => (wanted, server_endpoint(wanted, &bundle)?),
        FrontDoor::Endpoint(endpoint) => ((Ipv4Addr::UNSPECIFIED, 0).into(), endpoint),
    };
    let address = endpoint.local_addr().map_err(|source| StartError::Address { wanted, source })?;
    let handshakes =
        HandshakeLimits { pending_max: limits.handshakes_max, ..HandshakeLimits::default() };
    Ok((Listener::with_limits(endpoint, handshakes), address))
}

fn start_shard(
    arrangement: Arrangement,
    worker: ShardWorker,
    publisher: &SharedPublisher,
    state: watch::Sender<ShardState>,
) -> Option<Arbiter> {
    let is_apart = is_two_thread(arrangement);
    let can_pin = pin::core_count() >= CORES_FOR_TWO_THREADS;
    tracing::info!(threads = if is_apart { 2 } else { 1 }, "the shard starts");
    if is_apart {
        let arbiter = Arbiter::new();
        arbiter.spawn_fn(move || {
            // The last core: interrupts tend to go to the first.
            let is_pinned = can_pin && pin::pin_thread(pin::core_count().saturating_sub(1));
            tracing::info!(is_pinned, "the shard has a thread of its own");
            ShardActor::new(worker, state).start();
        });
        Some(arbiter)
    } else {
        ShardActor::new(worker, state).beside(publisher.clone()).start();
        None
    }
}

/// Records that the node began, and with which version of the site.
fn tell_start(rim: &Rim) {
    let site = rim.site();
    let objects = vec![
        Object::new(ObjectKind::Node, rim.node.clone()),
        Object::versioned(ObjectKind::Site, site.id().clone(), site.version()),
    ];
    let started = rim.audit.own(Action::NodeStarted, Outcome::Done);
    rim.audit.tell(Record { objects, ..started });
}

/// Records what was merged, whenever it is due, looks which alarms nobody displays, whether a self-test is
/// due, and what is wrong with the node itself.
async fn look_after(rim: Rc<Rim>) {
    selftest::end_left_over(&rim).await;
    loop {
        sleep(LOOK_EVERY).await;
        rim.audit.flush();
        rim.look_at_attention().await;
        rim.remember_revocations();
        selftest::schedule::look(&rim);
        node_trouble::look(&rim);
    }
}

/// Records that somebody was not let in.
fn tell_refused(rim: &Rim, party: &Party, code: Option<Code>, reason: Reason) {
    let refused = rim.audit.record(party, Action::Connected, Outcome::Refused);
    rim.audit.note(Record { code: code.map(Code::value), reason, ..refused });
}

/// Takes a handshake, or refuses it at once when every seat is taken: existing sessions are not
/// disturbed by those who cannot come in.
fn take(rim: &Rc<Rim>, roster: &Rc<Roster>, handshake: Handshake, sessions: &mut JoinSet<()>) {
    rim.counters.connections_offered.count();
    if roster.is_full() {
        rim.counters.connections_refused_limit.count();
        let party = Party::stranger(handshake.remote());
        tell_refused(rim, &party, None, Reason::new("no seat is free"));
        drop(handshake);
    } else {
        sessions.spawn_local(welcome(rim.clone(), roster.clone(), handshake));
    }
}

fn count_panic(rim: &Rim, ended: &Result<(), JoinError>) {
    if ended.as_ref().is_err_and(JoinError::is_panic) {
        rim.counters.sessions_panicked.count();
        tracing::error!("a session failed; this is a bug, please report it");
    }
}

async fn welcome(rim: Rc<Rim>, roster: Rc<Roster>, handshake: Handshake) {
    let begun_at = rim.clock.now();
    let remote = handshake.remote();
    let peer = match handshake.finish().await {
        Ok(peer) => peer,
        Err(error) => {
            rim.counters.handshakes_failed.count();
            tracing::debug!(%error, "a handshake failed");
            let reason = audit_words::handshake(&error);
            tell_refused(&rim, &Party::stranger(remote), None, reason);
            return;
        }
    };
    if rim.revocations.borrow().is_void(&peer.identity, peer.valid_from) {
        rim.counters.certificates_revoked.count();
        let (party, code) = (Party::known(&peer.identity, remote), Code::CertificateRevoked);
        tell_refused(&rim, &party, Some(code), Reason::new("its certificate was revoked"));
        session::close(&peer.connection, code, "the certificate was revoked, renew it");
        return;
    }
    let Some(_seat) = roster.seat(&peer.identity) else {
        rim.counters.connections_refused_limit.count();
        let party = Party::known(&peer.identity, remote);
        let code = Code::TooManyConnections;
        tell_refused(&rim, &party, Some(code), Reason::new("no seat is free for it"));
        session::close(&peer.connection, Code::TooManyConnections, "close another one first");
        return;
    };
    session::serve(rim, peer, begun_at).await;
}

/// Ends in good order: nothing new comes in, what came in is decided and stored, what follows is
/// told, then everybody is told goodbye.
async fn end(rim: &Rim, shard_state: &mut watch::Receiver<ShardState>, mut sessions: JoinSet<()>) {
    let deadline = Instant::now() + rim.limits.drain_within;
    // A disk that does not answer must leave the sessions time for their goodbyes.
    let shard_deadline = deadline - rim.limits.drain_within / 4;
    let endpoint = rim.listener.endpoint();
    endpoint.set_server_config(None);
    rim.lanes.close();
    // A shard that has failed drains nothing, and who waits for it has nothing to wait for.
    let over = shard_state.wait_for(|state| *state != ShardState::Running);
    let is_over = timeout_at(shard_deadline, over).await;
    let is_drained = is_over.is_ok_and(|state| state.is_ok_and(|it| *it == ShardState::Drained));
    if is_drained && timeout_at(shard_deadline, rim.all_told()).await.is_err() {
        tracing::warn!("not everything could be told in time");
    }
    rim.goodbye.send_replace(true);
    let all_gone = async { while sessions.join_next().await.is_some() {} };
    if timeout_at(deadline, all_gone).await.is_err() {
        tracing::warn!("some sessions did not end in time and are cut");
    }
    let code = VarInt::from_u32(u32::from(Code::ShuttingDown.value()));
    endpoint.close(code, b"the node has ended");
    // Lets the peers know, unless they are gone themselves.
    let _ = timeout(Duration::from_secs(1), endpoint.wait_idle()).await;
}
