//! Publishes a vendor's pings and reports, and keeps each until the node has it on disk.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ach_actors_model::{Lane, TagId};
use ach_engine_wire::{Code, Echo, Frame, InternItem, Padding, limits};
use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::{JoinHandle, yield_now};
use tokio::time::timeout;

use crate::client::Connector;
use crate::outboxes::{Outboxes, TakenPings};
use crate::publish_session::publish_forever;
use crate::session::Session;
use crate::shared::Shared;
use crate::spool::{Kept, Spool};
use crate::{
    ConnectError, DoorOrders, LaneProgress, Leftover, Ping, Progress, PublishError,
    PublisherNotice, Report, Ticket,
};

/// Control frames that wait to be sent.
const CONTROL_QUEUE_MAX: usize = 64;

/// Pings taken under one hold of the lock: 50 µs, for so long a report of another thread, or the session, may
/// have to wait, however many pings a call brings.
const HOLD_PINGS_MAX: usize = 1_024;

/// How long [`Publisher::close`] waits for the disk: a node that restarts is back within.
const CLOSE_WITHIN: Duration = Duration::from_secs(10);

/// How much a publisher keeps. What is kept is what survives a crash of the node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublisherOptions {
    /// Pings that may wait to become durable, one at least. The default, 262,144, is 13 MiB and a
    /// quarter of a second at a million a second.
    pub pings_max: usize,
    /// Reports that may wait on each of their two lanes, one at least; the default is 65,536.
    pub reports_max: usize,
    /// Whether, where there is no room for a ping, the newest position of its tag takes the place of the
    /// older one that was never sent. That is so unless it is turned off, as for a recording, of which
    /// every position counts.
    pub may_conflate: bool,
}

impl Default for PublisherOptions {
    fn default() -> PublisherOptions {
        PublisherOptions { pings_max: 262_144, reports_max: 65_536, may_conflate: true }
    }
}

impl PublisherOptions {
    /// The same, but no ping gives way to a newer one: what finds no room is refused, or waits for some.
    #[must_use]
    pub fn keeping_every_position(self) -> PublisherOptions {
        PublisherOptions { may_conflate: false, ..self }
    }
}

#[derive(Debug)]
struct Running {
    shared: Arc<Shared>,
    control: mpsc::Sender<Frame>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shared.refuse_more(PublishError::Closed);
        let mut task = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(task) = task.take() {
            task.abort();
        }
    }
}

/// Publishes a vendor's pings and reports.
///
/// What is published is sent at once when the line is free, and together with what has gathered
/// when it is not; no timer delays anything. Each input is kept until the node has it on disk, and
/// sent again under the same number when the connection breaks or the node restarts. Clones share
/// one connection; when the last is dropped, what is not durable is given up (or waits in its
/// directory, if the client was told to [keep](crate::ClientConfig::keeping_in) it): call
/// [`Publisher::close`] first.
#[derive(Debug, Clone)]
pub struct Publisher {
    running: Arc<Running>,
}

impl Publisher {
    pub(crate) fn start(
        connector: Connector,
        session: Session,
        options: PublisherOptions,
        kept: Option<(Spool, Kept)>,
    ) -> Result<Publisher, ConnectError> {
        if session.welcome.lanes.is_empty() {
            return Err(ConnectError::Refused {
                code: Code::WrongRole,
                detail: "the node gave no lanes, so this certificate is not a vendor's".to_owned(),
            });
        }
        let mut outboxes = Outboxes::new(options, kept);
        if outboxes.handles.set_max(session.welcome.handle_count_max).is_err() {
            let found = "room for fewer handles than what was kept needs";
            return Err(ConnectError::Protocol { found, wanted: "room for all of it" });
        }
        let shared = Arc::new(Shared::new(outboxes));
        let (control, control_queue) = mpsc::channel(CONTROL_QUEUE_MAX);
        let task =
            tokio::spawn(publish_forever(connector, session, Arc::clone(&shared), control_queue));
        let running = Running { shared, control, task: Mutex::new(Some(task)) };
        Ok(Publisher { running: Arc::new(running) })
    }

    /// Tells the node of tags ahead of their first ping, and waits for its answer. Not needed:
    /// a ping of a new tag does the same, but waits for the round trip itself. Gives the tags that
    /// the node refused.
    ///
    /// # Errors
    ///
    /// Too many different things, or the publisher is closed.
    pub async fn intern_tags(&self, tags: &[TagId]) -> Result<Vec<(TagId, Code)>, PublishError> {
        let shared = &self.running.shared;
        let mut last = None;
        {
            let mut outboxes = shared.lock();
            outboxes.check_open()?;
            for tag in tags {
                let handle = outboxes.handles.handle(&InternItem::Tag(*tag));
                last = last.max(Some(handle.ok_or(PublishError::TooManyThings)?));
            }
        }
        shared.handle_work.notify_one();
        let mut confirmed = shared.handles_confirmed.subscribe();
        tokio::select! {
            biased;
            // An error cannot come: the sender is in what this publisher holds.
            _ = confirmed.wait_for(|count| last.is_none_or(|last| last < *count)) => {}
            error = shared.ended() => return Err(error),
        }
        let outboxes = shared.lock();
        let refusal = |tag: &TagId| outboxes.handles.refusal(&InternItem::Tag(*tag));
        Ok(tags.iter().filter_map(|tag| Some((*tag, refusal(tag)?))).collect())
    }

    /// Publishes a ping; waits while as many as may are not durable yet, and none of the same tag is among
    /// them that it may take the place of.
    ///
    /// # Errors
    ///
    /// Too many different things, or the publisher is closed.
    pub async fn publish(&self, ping: Ping) -> Result<Ticket, PublishError> {
        self.publish_all(std::slice::from_ref(&ping)).await
    }

    /// Publishes a ping at once, or not at all. One that takes the place of an older one of its tag has its
    /// ticket too.
    ///
    /// # Errors
    ///
    /// No room, too many different things, or the publisher is closed.
    pub fn try_publish(&self, ping: Ping) -> Result<Ticket, PublishError> {
        let (_, ticket) = self.try_publish_all(std::slice::from_ref(&ping))?;
        Ok(ticket)
    }

    /// Publishes as many of these pings as there is room for; gives how many, and a ticket that is
    /// durable when all of them are. What follows them was not published. One call for many pings costs
    /// a fraction of many calls.
    ///
    /// # Errors
    ///
    /// None was published: no room, too many different things, or the publisher is closed.
    pub fn try_publish_all(&self, pings: &[Ping]) -> Result<(usize, Ticket), PublishError> {
        let taken = self.try_take(pings)?;
        Ok((taken.count, Ticket { lane: Lane::Ping, number: taken.last_number }))
    }

    fn try_take(&self, pings: &[Ping]) -> Result<TakenPings, PublishError> {
        let mut taken = TakenPings::default();
        let mut rest = pings;
        loop {
            let (part, after) = rest.split_at(rest.len().min(HOLD_PINGS_MAX));
            match self.take_part(part) {
                Ok(more) => taken.add(&more),
                // What was taken is told; the reason comes with the next call.
                Err(error) if taken.count == 0 => return Err(error),
                Err(_) => return Ok(taken),
            }
            rest = after;
            if rest.is_empty() || taken.count < pings.len() - rest.len() {
                return Ok(taken);
            }
        }
    }

    /// Takes what fits under one hold of the lock.
    fn take_part(&self, pings: &[Ping]) -> Result<TakenPings, PublishError> {
        let (taken, has_new_handles) = {
            let mut outboxes = self.running.shared.lock();
            (outboxes.publish_pings(pings)?, !outboxes.handles.is_all_confirmed())
        };
        self.published(Lane::Ping, has_new_handles, taken.has_work);
        Ok(taken)
    }

    /// Wakes the session for what was just published, if it can do something about it. What waits for credit or
    /// for its handle, the node's answer sends on its way.
    fn published(&self, lane: Lane, has_new_handles: bool, has_work: bool) {
        let shared = &self.running.shared;
        if has_new_handles {
            shared.handle_work.notify_one();
        }
        if has_work {
            shared.work(lane).notify_one();
        }
    }

    /// Publishes pings in order; waits while there is no room and none of them may take the place of an
    /// older one. Gives a ticket that is durable when all of them are.
    ///
    /// # Errors
    ///
    /// Too many different things, or the publisher is closed.
    pub async fn publish_all(&self, mut pings: &[Ping]) -> Result<Ticket, PublishError> {
        let mut last = Ticket { lane: Lane::Ping, number: 0 };
        while !pings.is_empty() {
            let taken = self.when_there_is_room(|| self.try_take(pings)).await?;
            last.number = last.number.max(taken.last_number);
            pings = pings.get(taken.count..).unwrap_or_default();
            if taken.has_conflated {
                // Or whoever publishes without a pause would never let the session send.
                yield_now().await;
            }
        }
        Ok(last)
    }

    /// Publishes what a door, button, band or anchor did; waits while there is no room.
    ///
    /// # Errors
    ///
    /// Too many different things, or the publisher is closed.
    pub async fn report(&self, report: Report) -> Result<Ticket, PublishError> {
        self.when_there_is_room(|| self.try_report(&report)).await
    }

    /// Publishes a report at once, or not at all.
    ///
    /// # Errors
    ///
    /// No room, too many different things, or the publisher is closed.
    pub fn try_report(&self, report: &Report) -> Result<Ticket, PublishError> {
        let lane = report.lane();
        let (number, has_new_handles) = {
            let mut outboxes = self.running.shared.lock();
            (outboxes.publish_report(report)?, !outboxes.handles.is_all_confirmed())
        };
        self.published(lane, has_new_handles, true);
        Ok(Ticket { lane, number })
    }

    async fn when_there_is_room<T>(
        &self,
        attempt: impl Fn() -> Result<T, PublishError>,
    ) -> Result<T, PublishError> {
        let room = &self.running.shared.room;
        loop {
            // Listen first, then try: room that is made in between is not missed.
            let mut has_room = std::pin::pin!(room.notified());
            has_room.as_mut().enable();
            match attempt() {
                Err(PublishError::Full { .. }) => has_room.await,
                other => return other,
            }
        }
    }

    /// How far the node has come; watch it for changes.
    pub fn progress(&self) -> watch::Receiver<Progress> {
        self.running.shared.progress.subscribe()
    }

    /// How many pings have given way here by now; see [`LaneProgress::gave_way_count`].
    pub fn gave_way_count(&self) -> u64 {
        self.running.shared.lock().ping.progress().gave_way_count
    }

    /// The last ping that is on disk, with all before it.
    pub fn durable_through(&self) -> u64 {
        self.running.shared.lock().ping.progress().durable_through
    }

    /// Waits until something published is on disk. A node that is away is waited for.
    ///
    /// # Errors
    ///
    /// The publisher is closed, or the node has decided on it and does not store.
    pub async fn wait_durable(&self, ticket: Ticket) -> Result<(), PublishError> {
        self.wait_stored(|progress| {
            let lane = progress.lane(ticket.lane);
            (lane.durable_through >= ticket.number, lane.accepted_through >= ticket.number)
        })
        .await
    }

    /// Waits until everything published so far is on disk. A node that is away is waited for: put a
    /// time-out around it, or use [`Publisher::drain_within`].
    ///
    /// # Errors
    ///
    /// The publisher is closed, or the node has decided on everything and does not store.
    pub async fn drain(&self) -> Result<(), PublishError> {
        let published = self.running.shared.lock().progress().map(|lane| lane.published_through);
        self.wait_stored(|progress| {
            let lanes = [&progress.duress, &progress.door, &progress.ping];
            let all = |through: fn(&LaneProgress) -> u64| {
                lanes.iter().zip(published).all(|(lane, published)| through(lane) >= published)
            };
            (all(|lane| lane.durable_through), all(|lane| lane.accepted_through))
        })
        .await
    }

    /// Waits until everything published so far is on disk, but no longer than this.
    ///
    /// # Errors
    ///
    /// It is not; [`PublishError::NotDurable`] says how much. Or the publisher is closed.
    pub async fn drain_within(&self, within: Duration) -> Result<(), PublishError> {
        match timeout(within, self.drain()).await {
            Ok(drained) => drained,
            Err(_) => Err(self.not_durable()),
        }
    }

    fn not_durable(&self) -> PublishError {
        PublishError::NotDurable { left: Leftover::of(&self.running.shared.progress.borrow()) }
    }

    /// Waits until `state` says that it is stored; ends early when it is decided on by a node that
    /// does not store, for then it may wait for ever.
    async fn wait_stored(
        &self,
        state: impl Fn(&Progress) -> (bool, bool),
    ) -> Result<(), PublishError> {
        let mut progress = self.progress();
        let is_settled = |progress: &Progress| {
            let (is_stored, is_decided) = state(progress);
            is_stored || (is_decided && progress.is_connected && !progress.is_storing)
        };
        let is_stored = tokio::select! {
            biased;
            // An error cannot come: the sender is in what this publisher holds.
            settled = progress.wait_for(is_settled) => settled.is_ok_and(|now| state(&now).0),
            error = self.running.shared.ended() => return Err(error),
        };
        if is_stored { Ok(()) } else { Err(self.not_durable()) }
    }

    /// Refusals, complaints, lost and new connections, from now on.
    pub fn notices(&self) -> broadcast::Receiver<PublisherNotice> {
        self.running.shared.notices.subscribe()
    }

    /// What the doors of this feed are told to do, those that stand first. Whoever moves doors reports
    /// [`ReportWord::OrderDone`](crate::ReportWord::OrderDone) or
    /// [`ReportWord::OrderRefused`](crate::ReportWord::OrderRefused) of each, and what the lock says.
    pub fn door_orders(&self) -> DoorOrders {
        let shared = Arc::clone(&self.running.shared);
        let news = shared.orders.news();
        DoorOrders { shared, news, seen: 0 }
    }

    /// Which ticket the sequence number of an alarm's cause stands for.
    pub fn ticket_of(&self, lane: Lane, epoch: u32, seq: u64) -> Option<Ticket> {
        let number = self.running.shared.lock().ticket_of(lane, epoch, seq)?;
        Some(Ticket { lane, number })
    }

    /// Sends a probe over the control stream; its answer is a [`PublisherNotice::EchoReply`].
    ///
    /// # Errors
    ///
    /// The publisher is closed.
    pub async fn echo(&self, nonce: u64, reply_bytes: u32) -> Result<(), PublishError> {
        let reply_bytes = reply_bytes.min(limits::ECHO_BYTES_MAX);
        let padding = Padding { bytes: 0 };
        let echo = Echo { nonce, subscription: None, reply_bytes, padding };
        self.running.control.send(Frame::Echo(echo)).await.map_err(|_| PublishError::Closed)
    }

    /// Waits up to ten seconds until everything is on disk, then says goodbye. Whatever is published
    /// meanwhile by a clone is refused.
    ///
    /// # Errors
    ///
    /// Not everything is on disk; [`PublishError::NotDurable`] says how much. Or the publisher was
    /// closed before. It is closed in any case.
    pub async fn close(self) -> Result<(), PublishError> {
        self.close_within(CLOSE_WITHIN).await
    }

    /// As [`Publisher::close`], but waits as long as is said. The goodbye itself may take some two
    /// seconds more.
    ///
    /// # Errors
    ///
    /// As [`Publisher::close`].
    pub async fn close_within(self, within: Duration) -> Result<(), PublishError> {
        let shared = &self.running.shared;
        shared.refuse_more(PublishError::Closed);
        let drained = self.drain_within(within).await;
        shared.leave();
        let task = {
            let mut task = self.running.task.lock().unwrap_or_else(PoisonError::into_inner);
            task.take()
        };
        if let Some(task) = task {
            // A task that failed has nothing left to close.
            let _ = task.await;
        }
        drained
    }
}
