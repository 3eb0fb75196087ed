//! Publishes a vendor's pings and reports, and keeps each until the node has it on disk.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ach_actors_model::{Lane, TagId, Timestamp};
use ach_engine_wire::{Code, Frame, InternItem, Padding, ReportWord, WirePing, WireReport, limits};
use tokio::sync::{Notify, broadcast, mpsc, watch};
use tokio::task::JoinHandle;

use crate::client::Connector;
use crate::publish_session::publish_forever;
use crate::session::Session;
use crate::{
    ConnectError, Handles, LaneOutbox, OutboxError, Ping, Progress, PublishError, PublisherNotice,
    Report, Ticket,
};

/// Notices kept for a reader that is behind; older ones are lost to it, and it is told so.
const NOTICES_MAX: usize = 1_024;

/// Control frames that wait to be sent.
const CONTROL_QUEUE_MAX: usize = 64;

/// How much a publisher keeps. What is kept is what survives a crash of the node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublisherOptions {
    /// Pings that may wait to become durable. The default, 262,144, is 13 MiB and a quarter of a
    /// second at a million a second.
    pub pings_max: usize,
    /// Reports that may wait on each of their two lanes; the default is 65,536.
    pub reports_max: usize,
}

impl Default for PublisherOptions {
    fn default() -> PublisherOptions {
        PublisherOptions { pings_max: 262_144, reports_max: 65_536 }
    }
}

/// A report that waits; it gets its sequence number when it is sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PendingReport {
    handle: u32,
    observed_at: Timestamp,
    word: ReportWord,
}

impl PendingReport {
    pub(crate) fn handle(&self) -> u32 {
        self.handle
    }

    pub(crate) fn wire(&self, seq: u64) -> WireReport {
        WireReport { seq, observed_at: self.observed_at, handle: self.handle, word: self.word }
    }
}

/// Everything that waits, by lane.
#[derive(Debug)]
pub(crate) struct Outboxes {
    pub(crate) duress: LaneOutbox<PendingReport>,
    pub(crate) door: LaneOutbox<PendingReport>,
    pub(crate) ping: LaneOutbox<WirePing>,
    pub(crate) handles: Handles,
    pub(crate) is_closed: bool,
}

/// What callers and the session share. The lock is held for tens of nanoseconds, never over a wait.
#[derive(Debug)]
pub(crate) struct Shared {
    outboxes: Mutex<Outboxes>,
    /// Something was put on the lane, or may be sent now.
    pub(crate) duress_work: Notify,
    pub(crate) door_work: Notify,
    pub(crate) ping_work: Notify,
    /// The node must be told of new handles.
    pub(crate) handle_work: Notify,
    /// Something became durable.
    pub(crate) room: Notify,
    pub(crate) progress: watch::Sender<Progress>,
    pub(crate) notices: broadcast::Sender<PublisherNotice>,
    pub(crate) handles_confirmed: watch::Sender<u32>,
}

impl Shared {
    /// A panic while it was held leaves no half-done change: each is one call.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Outboxes> {
        self.outboxes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whoever watches may have gone.
    pub(crate) fn tell(&self, notice: PublisherNotice) {
        let _ = self.notices.send(notice);
    }

    /// Publishes the outboxes' progress to those who watch.
    pub(crate) fn show_progress(&self, change: impl FnOnce(&mut Progress)) {
        let (duress, door, ping) = {
            let outboxes = self.lock();
            (outboxes.duress.progress(), outboxes.door.progress(), outboxes.ping.progress())
        };
        self.progress.send_modify(|progress| {
            progress.duress = duress;
            progress.door = door;
            progress.ping = ping;
            change(progress);
        });
    }

    pub(crate) fn work(&self, lane: Lane) -> &Notify {
        match lane {
            Lane::Duress => &self.duress_work,
            Lane::Door => &self.door_work,
            Lane::Ping | Lane::Audit | Lane::Console => &self.ping_work,
        }
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
        self.shared.lock().is_closed = true;
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
/// one connection; when the last is dropped, what is not durable is given up: call
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
    ) -> Result<Publisher, ConnectError> {
        if session.welcome.lanes.is_empty() {
            return Err(ConnectError::Refused {
                code: Code::WrongRole,
                detail: "the node gave no lanes, so this certificate is not a vendor's".to_owned(),
            });
        }
        let shared = Arc::new(Shared {
            outboxes: Mutex::new(Outboxes {
                duress: LaneOutbox::new(options.reports_max),
                door: LaneOutbox::new(options.reports_max),
                ping: LaneOutbox::new(options.pings_max),
                handles: Handles::default(),
                is_closed: false,
            }),
            duress_work: Notify::new(),
            door_work: Notify::new(),
            ping_work: Notify::new(),
            handle_work: Notify::new(),
            room: Notify::new(),
            progress: watch::Sender::new(Progress::default()),
            notices: broadcast::Sender::new(NOTICES_MAX),
            handles_confirmed: watch::Sender::new(0),
        });
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
            for tag in tags {
                let handle = outboxes.handles.handle(&InternItem::Tag(*tag));
                last = last.max(Some(handle.ok_or(PublishError::TooManyThings)?));
            }
        }
        shared.handle_work.notify_one();
        let mut confirmed = shared.handles_confirmed.subscribe();
        confirmed
            .wait_for(|count| last.is_none_or(|last| last < *count))
            .await
            .map_err(|_| PublishError::Closed)?;
        let outboxes = shared.lock();
        let refusal = |tag: &TagId| outboxes.handles.refusal(&InternItem::Tag(*tag));
        Ok(tags.iter().filter_map(|tag| Some((*tag, refusal(tag)?))).collect())
    }

    /// Publishes a ping; waits while as many as may are not durable yet.
    ///
    /// # Errors
    ///
    /// Too many different things, or the publisher is closed.
    pub async fn publish(&self, ping: Ping) -> Result<Ticket, PublishError> {
        self.when_there_is_room(|| self.try_publish(ping)).await
    }

    /// Publishes a ping at once, or not at all.
    ///
    /// # Errors
    ///
    /// No room, too many different things, or the publisher is closed.
    pub fn try_publish(&self, ping: Ping) -> Result<Ticket, PublishError> {
        let (published, ticket) = self.try_publish_all(std::slice::from_ref(&ping))?;
        match published {
            0 => Err(PublishError::Full { capacity: 0 }),
            _ => Ok(ticket),
        }
    }

    /// Publishes as many of these pings as there is room for; gives how many, and the ticket of
    /// the first. One call for many pings costs a fraction of many calls.
    ///
    /// # Errors
    ///
    /// No room for any, too many different things, or the publisher is closed.
    pub fn try_publish_all(&self, pings: &[Ping]) -> Result<(usize, Ticket), PublishError> {
        let shared = &self.running.shared;
        let mut published = 0;
        let mut first = None;
        let mut has_new_handles = false;
        {
            let mut outboxes = shared.lock();
            if outboxes.is_closed {
                return Err(PublishError::Closed);
            }
            for ping in pings {
                if outboxes.ping.room() == 0 {
                    break;
                }
                let handle = outboxes
                    .handles
                    .handle(&InternItem::Tag(ping.tag))
                    .ok_or(PublishError::TooManyThings)?;
                let number = outboxes.ping.push(ping.wire(handle)).map_err(full)?;
                first.get_or_insert(number);
                published += 1;
            }
            has_new_handles |= !outboxes.handles.is_all_confirmed();
            if first.is_none() && !pings.is_empty() {
                let waiting = outboxes.ping.progress();
                let capacity = waiting.published_through.saturating_sub(waiting.durable_through);
                let capacity = usize::try_from(capacity).unwrap_or(usize::MAX);
                return Err(PublishError::Full { capacity });
            }
        }
        if has_new_handles {
            shared.handle_work.notify_one();
        }
        shared.ping_work.notify_one();
        Ok((published, Ticket { lane: Lane::Ping, number: first.unwrap_or(0) }))
    }

    /// Publishes pings in order; waits while there is no room. Gives the last one's ticket.
    ///
    /// # Errors
    ///
    /// Too many different things, or the publisher is closed.
    pub async fn publish_all(&self, mut pings: &[Ping]) -> Result<Ticket, PublishError> {
        let mut last = Ticket { lane: Lane::Ping, number: 0 };
        while !pings.is_empty() {
            let (count, first) = self.when_there_is_room(|| self.try_publish_all(pings)).await?;
            let added = u64::try_from(count).unwrap_or(0);
            last.number = first.number.saturating_add(added).saturating_sub(1);
            pings = pings.get(count..).unwrap_or_default();
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
        let shared = &self.running.shared;
        let lane = report.lane();
        let (number, has_new_handles) = {
            let mut outboxes = shared.lock();
            if outboxes.is_closed {
                return Err(PublishError::Closed);
            }
            let handle =
                outboxes.handles.handle(&report.thing).ok_or(PublishError::TooManyThings)?;
            let pending =
                PendingReport { handle, observed_at: report.observed_at, word: report.word };
            let outbox =
                if lane == Lane::Duress { &mut outboxes.duress } else { &mut outboxes.door };
            let number = outbox.push(pending).map_err(full)?;
            (number, !outboxes.handles.is_all_confirmed())
        };
        if has_new_handles {
            shared.handle_work.notify_one();
        }
        shared.work(lane).notify_one();
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

    /// The last ping that is on disk, with all before it.
    pub fn durable_through(&self) -> u64 {
        self.running.shared.lock().ping.progress().durable_through
    }

    /// Waits until something published is on disk.
    ///
    /// # Errors
    ///
    /// The publisher is closed.
    pub async fn wait_durable(&self, ticket: Ticket) -> Result<(), PublishError> {
        self.wait_for(|progress| progress.lane(ticket.lane).durable_through >= ticket.number).await
    }

    /// Waits until everything published so far is on disk.
    ///
    /// # Errors
    ///
    /// The publisher is closed.
    pub async fn drain(&self) -> Result<(), PublishError> {
        let (duress, door, ping) = {
            let outboxes = self.running.shared.lock();
            let published = |progress: crate::LaneProgress| progress.published_through;
            (
                published(outboxes.duress.progress()),
                published(outboxes.door.progress()),
                published(outboxes.ping.progress()),
            )
        };
        self.wait_for(|progress| {
            progress.duress.durable_through >= duress
                && progress.door.durable_through >= door
                && progress.ping.durable_through >= ping
        })
        .await
    }

    async fn wait_for(&self, is_done: impl Fn(&Progress) -> bool) -> Result<(), PublishError> {
        let mut progress = self.progress();
        progress.wait_for(|progress| is_done(progress)).await.map_err(|_| PublishError::Closed)?;
        Ok(())
    }

    /// Refusals, complaints, lost and new connections, from now on.
    pub fn notices(&self) -> broadcast::Receiver<PublisherNotice> {
        self.running.shared.notices.subscribe()
    }

    /// Which ticket the sequence number of an alarm's cause stands for.
    pub fn ticket_of(&self, lane: Lane, epoch: u32, seq: u64) -> Option<Ticket> {
        let outboxes = self.running.shared.lock();
        let number = match lane {
            Lane::Duress => outboxes.duress.ticket_of(epoch, seq),
            Lane::Door => outboxes.door.ticket_of(epoch, seq),
            Lane::Ping => outboxes.ping.ticket_of(epoch, seq),
            Lane::Audit | Lane::Console => None,
        };
        Some(Ticket { lane, number: number? })
    }

    /// Sends a probe over the control stream; its answer is a [`PublisherNotice::EchoReply`].
    ///
    /// # Errors
    ///
    /// The publisher is closed.
    pub async fn echo(&self, nonce: u64, reply_bytes: u32) -> Result<(), PublishError> {
        let reply_bytes = reply_bytes.min(limits::ECHO_BYTES_MAX);
        let padding = Padding { bytes: 0 };
        let echo = ach_engine_wire::Echo { nonce, subscription: None, reply_bytes, padding };
        self.running.control.send(Frame::Echo(echo)).await.map_err(|_| PublishError::Closed)
    }

    /// Waits until everything is on disk, then says goodbye. Whatever is published meanwhile by a
    /// clone is refused. Put a time-out around it: it waits for as long as the node is away or
    /// does not store.
    ///
    /// # Errors
    ///
    /// The publisher was closed before.
    pub async fn close(self) -> Result<(), PublishError> {
        self.running.shared.lock().is_closed = true;
        self.drain().await?;
        let goodbye = ach_engine_wire::Goodbye { code: Code::Done, detail: "".into() };
        self.running
            .control
            .send(Frame::Goodbye(goodbye))
            .await
            .map_err(|_| PublishError::Closed)?;
        let task = {
            let mut task = self.running.task.lock().unwrap_or_else(PoisonError::into_inner);
            task.take()
        };
        if let Some(task) = task {
            // A task that failed has nothing left to close.
            let _ = task.await;
        }
        Ok(())
    }
}

fn full(error: OutboxError) -> PublishError {
    match error {
        OutboxError::Full { capacity } => PublishError::Full { capacity },
        OutboxError::NodeIsBehind => PublishError::Closed,
    }
}
