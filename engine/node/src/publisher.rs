//! Takes what leaves the shard and brings it where it belongs: at once, or when the disk has it.
//!
//! An actix actor on the rim's thread with one future. It never waits for a subscriber or a session. Where
//! the shard shares its thread, the shard has it bring an alarm at once, without a wake-up between.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use ach_actors_entities::{Accepted, Effect, Release};
use ach_actors_model::{
    AlarmKind, AlarmNotice, AlarmTransition, Cause, DoorStanding, Emergency, Lane, PassNotice,
    SourceRef, Timestamp, WishRefusal,
};
use ach_engine_audit::{Action, Object, ObjectKind, Outcome, Record};
use actix::prelude::*;

use crate::give_way::give_way;
use crate::outbox::Outbox;
use crate::outlet::Outbound;
use crate::recent::NoticeAt;
use crate::rim::{Rim, Settled};
use crate::selftest;

/// Things brought, and things released, a poll: some 100 µs, so that what was brought first is on its
/// way before the last of a flood is.
const THINGS_A_POLL_MAX: usize = 256;

/// Positions put before one subscriber that take as long as one thing.
const FIXES_A_THING: usize = 4;

/// What waits for the disk.
#[derive(Debug, Clone)]
enum Waiting {
    /// An alarm that was told and becomes durable.
    Settles(NoticeAt, AlarmNotice),
    /// An alarm that is told only then.
    Tells(NoticeAt, AlarmNotice),
    /// An ack, and when it was decided.
    Accepted(Accepted, Timestamp),
    Epoch(SourceRef, u32),
    Site(u32),
    /// How a door stands, and what it is told.
    Door(NoticeAt, DoorStanding),
    /// What is declared, and whether it runs.
    Emergency(Box<Emergency>, bool),
    /// Leave that was given, or is over.
    Pass(PassNotice),
    /// Who waits for an input, and why nothing came of it, if nothing did.
    Ticket(u64, Option<WishRefusal>),
}

/// The publisher.
#[derive(Debug)]
pub(crate) struct Publisher {
    rim: Rc<Rim>,
    outbox: Outbox<Waiting>,
    is_storing: bool,
    /// When this poll began.
    polled_at: Timestamp,
}

impl Publisher {
    /// A publisher for a rim.
    pub(crate) fn new(rim: Rc<Rim>) -> Publisher {
        let polled_at = rim.clock.now();
        Publisher { rim, outbox: Outbox::new(), is_storing: true, polled_at }
    }

    /// Brings what has come. Returns whether there may be more.
    pub(crate) fn work(&mut self) -> bool {
        self.notice_disk();
        self.polled_at = self.rim.clock.now();
        let mut brought = 0;
        while brought < THINGS_A_POLL_MAX
            && let Some(outbound) = self.rim.outlet.pop()
        {
            brought += self.bring(outbound);
        }
        let released = self.release();
        self.rim.note_waiting(self.outbox.len());
        brought >= THINGS_A_POLL_MAX || released == THINGS_A_POLL_MAX
    }

    /// Brings one thing. Returns how many things it was worth.
    fn bring(&mut self, outbound: Outbound) -> usize {
        match outbound {
            Outbound::Effect { index, ordinal, effect, .. } => {
                self.bring_effect(NoticeAt { index, ordinal }, effect);
            }
            Outbound::Stepped { index, ticket, refusal } => {
                self.outbox.keep(index, Waiting::Ticket(ticket, refusal));
            }
            Outbound::Site(site) => self.rim.set_site(site),
            Outbound::Fixes(fixes) => {
                let put = self.rim.fan_out.borrow_mut().fixes(&fixes);
                return put / FIXES_A_THING + 1;
            }
            Outbound::Quiet(things) => drop(self.rim.quiet.replace(things)),
            Outbound::Skewed(skew_ns) => drop(self.rim.skew_ns.send_replace(skew_ns)),
        }
        1
    }

    fn bring_effect(&mut self, at: NoticeAt, effect: Effect) {
        let release = effect.release();
        match effect {
            Effect::Alarm(notice) if release == Release::Now => {
                let subscribers = self.rim.fan_out.borrow_mut().tell(&notice, at);
                self.rim.note_alarm_told(subscribers);
                self.measure(&notice);
                if notice.kind == AlarmKind::SelfTest {
                    selftest::note_told(&self.rim, &notice, at);
                }
                self.outbox.keep(at.index, Waiting::Settles(at, notice));
            }
            Effect::Alarm(notice) => self.outbox.keep(at.index, Waiting::Tells(at, notice)),
            Effect::Event(event) => self.rim.fan_out.borrow_mut().event(&event, at),
            Effect::Accepted(accepted) => {
                self.count(&accepted);
                self.rim.acks.borrow_mut().accepted(&accepted);
                self.outbox.keep(at.index, Waiting::Accepted(accepted, self.polled_at));
            }
            Effect::SiteInForce { version } => self.outbox.keep(at.index, Waiting::Site(version)),
            Effect::SiteRefused { version } => {
                tracing::error!(version, "the new version of the site was refused");
                let id = self.rim.site().id().clone();
                let objects = vec![Object::versioned(ObjectKind::Site, id, version)];
                let refused = self.rim.audit.own(Action::SitePutInForce, Outcome::Refused);
                self.rim.audit.tell(Record { objects, entry: Some(at.index), ..refused });
            }
            Effect::EpochOpened { source, epoch } => {
                self.outbox.keep(at.index, Waiting::Epoch(source, epoch));
            }
            Effect::Door(standing) if release == Release::Now => self.rim.put_door(standing, at),
            Effect::Door(standing) => self.outbox.keep(at.index, Waiting::Door(at, standing)),
            Effect::Emergency { emergency, is_running } => {
                let waiting = Waiting::Emergency(Box::new(emergency), is_running);
                self.outbox.keep(at.index, waiting);
            }
            Effect::Pass(notice) => self.outbox.keep(at.index, Waiting::Pass(notice)),
            // Whoever waits for it is told with the ticket.
            Effect::WishRefused { .. } => {}
        }
    }

    /// How long an alarm took that is with its subscribers now.
    fn measure(&self, notice: &AlarmNotice) {
        let (now, tally) = (self.rim.clock.now(), &self.rim.counters.tally);
        tally.handover.record(now.since_ns(notice.changed_at));
        // What another alarm tells of did not come just now.
        if let Cause::Input { source, lane, seq, .. } = notice.cause
            && notice.transition == AlarmTransition::Raised
        {
            tally.residence.record(now.since_ns(notice.received_at));
            if let Some(spent_ns) = self.rim.residence.end(source, lane, seq) {
                tally.residence_cpu.record(lane, spent_ns);
            }
        }
    }

    fn count(&self, accepted: &Accepted) {
        let counters = &self.rim.counters;
        counters.tally.conflated.of(accepted.lane).add(accepted.conflated_count.into());
        let (new, duplicate, late, refused) = if accepted.lane == Lane::Ping {
            counters.pings_conflated.add(accepted.conflated_count.into());
            (
                &counters.pings_accepted,
                &counters.pings_duplicate,
                &counters.pings_late,
                &counters.pings_refused,
            )
        } else {
            (
                &counters.reports_accepted,
                &counters.reports_duplicate,
                &counters.reports_late,
                &counters.reports_refused,
            )
        };
        new.add(accepted.accepted_count.into());
        duplicate.add(accepted.duplicate_count.into());
        late.add(accepted.late_count.into());
        refused.add(accepted.refused_count.into());
    }

    /// Lets go what the disk has; without one what waits leaves as well, and says so. Returns how
    /// many left.
    fn release(&mut self) -> usize {
        let durable_index = self.rim.mark.durable_index();
        let through = if self.is_storing { durable_index } else { u64::MAX };
        let mut released = 0;
        while released < THINGS_A_POLL_MAX
            && let Some((index, waiting)) = self.outbox.release(through)
        {
            self.let_go(index, waiting, index <= durable_index);
            released += 1;
        }
        released
    }

    fn let_go(&self, index: u64, waiting: Waiting, is_durable: bool) {
        match waiting {
            Waiting::Settles(at, notice) if is_durable => {
                self.rim.fan_out.borrow_mut().settle(&notice, at);
            }
            Waiting::Settles(_, notice) => self.rim.fan_out.borrow_mut().stays_provisional(&notice),
            Waiting::Tells(at, notice) => {
                let mut fan_out = self.rim.fan_out.borrow_mut();
                let subscribers = if is_durable {
                    fan_out.tell_durable(&notice, at)
                } else {
                    fan_out.tell(&notice, at)
                };
                self.rim.note_alarm_told(subscribers);
            }
            Waiting::Accepted(accepted, decided_at) if is_durable => {
                let since_ns = self.polled_at.since_ns(decided_at);
                self.rim.counters.tally.ack.record(since_ns);
                self.rim.acks.borrow_mut().durable(&accepted);
            }
            Waiting::Accepted(..) => {}
            Waiting::Door(at, standing) => self.rim.put_door(standing, at),
            Waiting::Emergency(emergency, is_running) => {
                self.rim.doors.borrow_mut().declare(*emergency, is_running);
            }
            Waiting::Epoch(source, epoch) => {
                self.rim.acks.borrow_mut().open_epoch(source, epoch);
            }
            Waiting::Site(version) => {
                tracing::info!(version, is_durable, "a version of the site is in force");
                let id = self.rim.site().id().clone();
                let objects = vec![Object::versioned(ObjectKind::Site, id, version)];
                let entry = Some(index);
                let changed = self.rim.audit.own(Action::SitePutInForce, Outcome::Done);
                self.rim.audit.tell(Record { objects, entry, ..changed });
            }
            Waiting::Pass(notice) => self.rim.note_pass(notice),
            Waiting::Ticket(ticket, refusal) => {
                self.rim.settle(ticket, Settled { index, is_durable, refusal });
            }
        }
    }

    fn notice_disk(&mut self) {
        // What is durable is still let go as such. A group that was being flushed may become durable
        // after this: then more is kept than was said.
        if self.is_storing && !self.rim.mark.is_storing() {
            self.is_storing = false;
            self.rim.fan_out.borrow_mut().stop_storing();
            self.rim.storing_stopped.send_replace(true);
            self.rim.audit.tell(self.rim.audit.own(Action::StoringStopped, Outcome::Failed));
        }
    }
}

/// A publisher as the shard on the same thread has it too.
pub(crate) type SharedPublisher = Rc<RefCell<Publisher>>;

/// The future that is a publisher's life.
struct Publishing {
    rim: Rc<Rim>,
    publisher: SharedPublisher,
}

impl Future for Publishing {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.rim.outlet.register_publisher(cx.waker());
        self.rim.mark.register_publisher(cx.waker());
        if self.publisher.borrow_mut().work() {
            give_way(cx);
        }
        Poll::Pending
    }
}

impl Drop for Publishing {
    fn drop(&mut self) {
        if std::thread::panicking() {
            tracing::error!("the publisher has failed; the node stops and recovers");
            self.rim.failed.send_replace(true);
        }
    }
}

/// The actor that gives a publisher its life.
#[derive(Debug)]
pub(crate) struct PublisherActor {
    publisher: SharedPublisher,
}

impl PublisherActor {
    /// An actor for a publisher.
    pub(crate) fn new(publisher: SharedPublisher) -> PublisherActor {
        PublisherActor { publisher }
    }
}

impl Actor for PublisherActor {
    type Context = actix::Context<PublisherActor>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let publisher = self.publisher.clone();
        let rim = publisher.borrow().rim.clone();
        ctx.spawn(Publishing { rim, publisher }.into_actor(self));
    }
}
