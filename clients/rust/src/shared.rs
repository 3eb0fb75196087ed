//! What a publisher's callers and its session share.

use std::sync::{Mutex, MutexGuard, PoisonError};

use ach_actors_model::Lane;
use tokio::sync::{Notify, broadcast, watch};

use crate::door_orders::OrderBook;
use crate::outboxes::Outboxes;
use crate::{Progress, PublishError, PublisherNotice};

/// Notices kept for a reader that is behind; older ones are lost to it, and it is told so.
const NOTICES_MAX: usize = 1_024;

/// How a publisher lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// It connects whenever it is not connected.
    Open,
    /// It is to say goodbye and end, or just end when it is not connected.
    Leaving,
    /// Nothing more will happen.
    Ended,
}

/// What callers and the session share. The lock is held for some 50 µs at most, never over a wait.
#[derive(Debug)]
pub(crate) struct Shared {
    outboxes: Mutex<Outboxes>,
    /// Something was put on the lane, or may be sent now.
    duress_work: Notify,
    door_work: Notify,
    ping_work: Notify,
    /// The node must be told of new handles.
    pub(crate) handle_work: Notify,
    /// Something became durable, or nothing will any more.
    pub(crate) room: Notify,
    pub(crate) progress: watch::Sender<Progress>,
    pub(crate) notices: broadcast::Sender<PublisherNotice>,
    pub(crate) handles_confirmed: watch::Sender<u32>,
    /// What doors are told to do.
    pub(crate) orders: OrderBook,
    phase: watch::Sender<Phase>,
}

impl Shared {
    pub(crate) fn new(outboxes: Outboxes) -> Shared {
        let shared = Shared {
            outboxes: Mutex::new(outboxes),
            duress_work: Notify::new(),
            door_work: Notify::new(),
            ping_work: Notify::new(),
            handle_work: Notify::new(),
            room: Notify::new(),
            progress: watch::Sender::new(Progress::default()),
            notices: broadcast::Sender::new(NOTICES_MAX),
            handles_confirmed: watch::Sender::new(0),
            orders: OrderBook::new(),
            phase: watch::Sender::new(Phase::Open),
        };
        shared.show_progress(|_| {});
        shared
    }

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
        let [duress, door, ping] = self.lock().progress();
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

    /// Takes nothing more, for this reason or an earlier one; who waits for room is told.
    pub(crate) fn refuse_more(&self, why: PublishError) {
        self.lock().closed.get_or_insert(why);
        self.room.notify_waiters();
    }

    /// Asks the session to say goodbye.
    pub(crate) fn leave(&self) {
        self.phase.send_if_modified(|phase| {
            let is_open = *phase == Phase::Open;
            *phase = if is_open { Phase::Leaving } else { *phase };
            is_open
        });
    }

    /// Nothing more will happen; everybody who waits is told.
    pub(crate) fn end(&self, why: PublishError) {
        self.refuse_more(why);
        self.phase.send_replace(Phase::Ended);
    }

    /// Waits until the session is to end, or has.
    pub(crate) async fn leaving(&self) {
        let mut phase = self.phase.subscribe();
        // An error cannot come: this very value sends.
        let _ = phase.wait_for(|phase| *phase != Phase::Open).await;
    }

    /// Waits until nothing more will happen, and says why.
    pub(crate) async fn ended(&self) -> PublishError {
        let mut phase = self.phase.subscribe();
        // An error cannot come: this very value sends.
        let _ = phase.wait_for(|phase| *phase == Phase::Ended).await;
        self.lock().closed.unwrap_or(PublishError::Closed)
    }
}
