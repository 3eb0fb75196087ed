//! What the rim tells the audit log: who, from where, did what, and how it went.
//!
//! Nothing here waits for the log but [`Auditor::ask`], which waits for a moment and no longer. When
//! the queue to the log is full, what finds no room is merged and recorded when there is.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ach_actors_model::{Name, Timestamp};
use ach_engine_audit::{
    Action, Agent, AgentRole, Object, ObjectKind, Origin, Outcome, Reason, Record,
};
use ach_engine_net::{Identity, Role};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

use crate::audit_state::{AuditState, AuditTrouble};
use crate::audit_tally::AuditTally;
use crate::audit_writer::Order;
use crate::clock::ShardClock;
use crate::counters::Counters;

/// How long a command waits to be in the audit log. A disk that takes longer is in trouble, and the
/// one who commands is told so.
const ASK_WITHIN: Duration = Duration::from_secs(2);

/// Somebody on a connection.
#[derive(Debug, Clone)]
pub(crate) struct Party {
    pub who: Agent,
    pub from: Origin,
    /// The connection's number; none before there is a session.
    pub session: Option<u64>,
}

impl Party {
    /// Somebody who has shown no certificate.
    pub(crate) fn stranger(remote: SocketAddr) -> Party {
        Party { who: Agent::unknown(), from: Origin::address(remote), session: None }
    }

    /// Somebody with a certificate.
    pub(crate) fn known(identity: &Identity, remote: SocketAddr) -> Party {
        let role = match identity.role {
            Role::Node => AgentRole::Node,
            Role::Vendor => AgentRole::Vendor,
            Role::Receiver => AgentRole::Receiver,
            Role::Operator => AgentRole::Operator,
        };
        let who = Agent::new(role, identity.name.clone());
        Party { who, from: Origin::address(remote), session: None }
    }
}

/// What the rim tells the log.
#[derive(Debug)]
pub(crate) struct Auditor {
    orders: mpsc::Sender<Order>,
    state: Arc<AuditState>,
    counters: Arc<Counters>,
    clock: Arc<ShardClock>,
    site: Name,
    node: Name,
    tally: RefCell<AuditTally>,
    sessions: Cell<u64>,
    is_ending: Cell<bool>,
}

impl Auditor {
    /// Of a node of a site.
    pub(crate) fn new(
        (site, node): (Name, Name),
        orders: mpsc::Sender<Order>,
        state: Arc<AuditState>,
        counters: Arc<Counters>,
        clock: Arc<ShardClock>,
    ) -> Auditor {
        let (tally, sessions, is_ending) = (RefCell::default(), Cell::new(0), Cell::new(false));
        Auditor { orders, state, counters, clock, site, node, tally, sessions, is_ending }
    }

    /// What is wrong with the log, the worst first.
    pub(crate) fn troubles(&self) -> Vec<AuditTrouble> {
        self.state.troubles().collect()
    }

    /// When the last check of the whole log began that found nothing wrong; 0 before there was one.
    pub(crate) fn checked_at(&self) -> Timestamp {
        self.state.checked_at()
    }

    /// How many records it has on disk.
    pub(crate) fn size(&self) -> u64 {
        self.state.size()
    }

    /// Gives a connection its number.
    pub(crate) fn number(&self, party: &mut Party) {
        let next = self.sessions.get().wrapping_add(1);
        self.sessions.set(next);
        party.session = Some(next);
    }

    /// A record of what somebody did, to be filled in.
    pub(crate) fn record(&self, party: &Party, action: Action, outcome: Outcome) -> Record {
        blank(self.clock.utc(), (&self.site, &self.node), party, action, outcome)
    }

    /// A record of what the node did by itself.
    pub(crate) fn own(&self, action: Action, outcome: Outcome) -> Record {
        self.record(&own_party(&self.node), action, outcome)
    }

    /// Keeps a record, at once or as soon as there is room.
    pub(crate) fn tell(&self, record: Record) {
        let order = Order::Keep { record: Box::new(record), told: None };
        match self.orders.try_send(order) {
            Ok(()) => {}
            Err(mpsc::error::TrySendError::Full(Order::Keep { record, .. })) => {
                self.counters.audit_acts_merged.count();
                self.tally.borrow_mut().merge(*record, self.clock.now());
            }
            // The order is always one to keep.
            Err(_) => self.lose(),
        }
    }

    /// Keeps a record of what may be done again and again: alike ones are merged.
    pub(crate) fn note(&self, record: Record) {
        let first = self.tally.borrow_mut().note(record, self.clock.now());
        self.tell_or_count(first);
    }

    /// Keeps a record of what is worth one each time it is done, unless it is done so often that it
    /// would fill the disk: then alike ones are merged.
    pub(crate) fn tell_metered(&self, record: Record) {
        let afforded = self.tally.borrow_mut().afford(record, self.clock.now());
        self.tell_or_count(afforded);
    }

    fn tell_or_count(&self, record: Option<Record>) {
        match record {
            Some(record) => self.tell(record),
            None => self.counters.audit_acts_merged.count(),
        }
    }

    /// A record finds nobody to take it: the thread has failed, for it ends with the node only.
    fn lose(&self) {
        self.counters.audit_records_lost.count();
        if !self.is_ending.get() {
            let detail = "its thread has ended; this is a bug, please report it".to_owned();
            self.state.fail(AuditTrouble::Failed { detail });
        }
    }

    /// Keeps a record and waits until it is on disk. False when it is not, or not in time.
    pub(crate) async fn ask(&self, record: Record) -> bool {
        self.ask_within(record, ASK_WITHIN).await
    }

    async fn ask_within(&self, record: Record, within: Duration) -> bool {
        let until = Instant::now() + within;
        let (told, is_told) = oneshot::channel();
        let order = Order::Keep { record: Box::new(record), told: Some(told) };
        match timeout_at(until, self.orders.send(order)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => {
                self.lose();
                return false;
            }
            Err(_) => {
                self.counters.audit_records_lost.count();
                return false;
            }
        }
        match timeout_at(until, is_told).await {
            Ok(Ok(is_durable)) => is_durable,
            Ok(Err(_)) => {
                self.lose();
                false
            }
            // It is in the queue, and counted there.
            Err(_) => false,
        }
    }

    /// Records what was merged and is due.
    pub(crate) fn flush(&self) {
        let due = self.tally.borrow_mut().take(self.clock.now(), false);
        for record in due {
            self.tell(record);
        }
    }

    /// Ends the log in good order: waits until it has room for what was merged, and for the word that
    /// the node has stopped.
    pub(crate) async fn end(&self) {
        let due = self.tally.borrow_mut().take(self.clock.now(), true);
        for record in due.into_iter().chain([self.own(Action::NodeStopped, Outcome::Done)]) {
            let order = Order::Keep { record: Box::new(record), told: None };
            if self.orders.send(order).await.is_err() {
                self.lose();
            }
        }
        self.is_ending.set(true);
        let (ending, has_ended) = oneshot::channel();
        if self.orders.send(Order::End(ending)).await.is_ok() {
            // An error means that the thread has ended otherwise.
            let _ = has_ended.await;
        }
    }
}

fn own_party(node: &Name) -> Party {
    let who = Agent::new(AgentRole::Node, node.clone());
    Party { who, from: Origin::Machine, session: None }
}

fn blank(
    at: Timestamp,
    (site, node): (&Name, &Name),
    party: &Party,
    action: Action,
    outcome: Outcome,
) -> Record {
    Record {
        at,
        site: site.clone(),
        node: node.clone(),
        who: party.who.clone(),
        from: party.from,
        action,
        objects: Vec::new(),
        outcome,
        code: None,
        reason: Reason::default(),
        repeated: None,
        session: party.session,
        request: None,
        entry: None,
    }
}

/// The record of a damage that the check of the whole log has found.
pub(crate) fn damage_record(at: Timestamp, site: &Name, node: &Name) -> Record {
    let action = Action::AuditFoundWrong;
    let objects = vec![Object::new(ObjectKind::AuditLog, node.clone())];
    let reason = Reason::new("a check of the whole log found it damaged");
    let record = blank(at, (site, node), &own_party(node), action, Outcome::Failed);
    Record { objects, reason, ..record }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SimClock;

    fn auditor(room: usize) -> (Auditor, mpsc::Receiver<Order>) {
        let (orders, taken) = mpsc::channel(room);
        let name = |text: &str| Name::new(text).unwrap();
        let clock = Arc::new(ShardClock::start(Arc::new(SimClock::at(Timestamp(1 << 60))), None));
        let names = (name("st-anna"), name("node-1"));
        (Auditor::new(names, orders, Arc::default(), Arc::default(), clock), taken)
    }

    fn kept(taken: &mut mpsc::Receiver<Order>) -> Vec<Record> {
        let mut kept = Vec::new();
        while let Ok(Order::Keep { record, .. }) = taken.try_recv() {
            kept.push(*record);
        }
        kept
    }

    #[tokio::test]
    async fn what_finds_the_queue_full_is_recorded_as_one_when_there_is_room() {
        let (auditor, mut taken) = auditor(2);
        let party = Party::stranger(([10, 0, 0, 9], 9).into());
        for _ in 0..10 {
            auditor.tell(auditor.record(&party, Action::Connected, Outcome::Done));
        }
        assert_eq!(kept(&mut taken).len(), 2);
        let ((), late) = tokio::join!(auditor.end(), async {
            let mut late = Vec::new();
            while let Some(Order::Keep { record, .. }) = taken.recv().await {
                late.push(*record);
            }
            late
        });
        assert_eq!(late.len(), 2);
        assert_eq!(late[1].action, Action::NodeStopped, "a stop is not merged away");
        assert_eq!(late[0].repeated.map(|repeated| repeated.count), Some(8), "none is lost");
        assert_eq!(auditor.counters.audit_acts_merged.get(), 8);
        assert_eq!(auditor.counters.audit_records_lost.get(), 0);
    }

    #[tokio::test]
    async fn who_asks_waits_for_a_moment_and_no_longer() {
        let (auditor, mut taken) = auditor(1);
        let record = auditor.own(Action::ActorReleased, Outcome::Begun);
        let moment = Duration::from_millis(1);
        assert!(!auditor.ask_within(record.clone(), moment).await, "nobody answers");
        assert!(!auditor.ask_within(record.clone(), moment).await, "there is no room");
        assert_eq!(auditor.counters.audit_records_lost.get(), 1, "that is in no log");
        let answers = async {
            // The first is of nobody any more.
            for is_durable in [true, true, false] {
                if let Some(Order::Keep { told, .. }) = taken.recv().await {
                    let _ = told.unwrap().send(is_durable);
                }
            }
        };
        let asks = async { (auditor.ask(record.clone()).await, auditor.ask(record).await) };
        assert_eq!(tokio::join!(asks, answers).0, (true, false));
        drop(taken);
        assert!(!auditor.ask(auditor.own(Action::ActorReleased, Outcome::Begun)).await, "gone");
    }

    #[tokio::test]
    async fn a_thread_that_is_gone_is_trouble() {
        let (told, taken) = auditor(1);
        drop(taken);
        told.tell(told.own(Action::NodeStarted, Outcome::Done));
        assert_eq!(told.state.trouble().map(|why| why.word()), Some("disk_failed"));
        assert_eq!(told.counters.audit_records_lost.get(), 1);
        let (asked, taken) = auditor(1);
        drop(taken);
        assert!(!asked.ask(asked.own(Action::ActorReleased, Outcome::Begun)).await);
        assert_eq!(asked.state.trouble().map(|why| why.word()), Some("disk_failed"));
    }

    /// As after the clock of the machine was an hour behind and was put right.
    #[test]
    fn records_have_the_time_of_the_machine_and_not_of_the_shard() {
        let sim = Arc::new(SimClock::at(Timestamp(1 << 60)));
        let clock = Arc::new(ShardClock::start(sim.clone(), None));
        let (orders, _taken) = mpsc::channel(1);
        let names = (Name::new("st-anna").unwrap(), Name::new("node-1").unwrap());
        let auditor = Auditor::new(names, orders, Arc::default(), Arc::default(), clock.clone());
        let right = Timestamp(1 << 60).plus_ns(3_600 * ach_actors_model::NS_PER_S);
        sim.set_utc(right);
        assert_ne!(clock.now(), right);
        assert_eq!(auditor.own(Action::NodeStarted, Outcome::Done).at, right);
    }
}
