//! Reads the whole audit log beside the work, at the start and each day: an edit long ago, or a bit that
//! flipped on the disk since, is found by nothing else.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use ach_engine_audit::{Record, Verifier, VerifyingKey};
use ach_engine_journal::Disk;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::audit_state::{AuditState, AuditTrouble};
use crate::audit_writer::Order;
use crate::clock::ShardClock;

/// How often all of it is read.
const CHECK_EVERY: Duration = Duration::from_hours(24);

/// After each segment of 4 MiB, which takes some 20 ms to read and hash: at most a sixth of a core, and
/// 40 MB/s of the disk that the journal may lie on.
const SEGMENT_PAUSE: Duration = Duration::from_millis(100);

/// How nice the thread is: under contention it gets a tenth of what the node's threads get.
const NICENESS: i32 = 10;

/// The check of one log.
pub(crate) struct Check<D> {
    pub disk: D,
    pub key: VerifyingKey,
    /// Makes the record of a damage.
    pub found: Arc<dyn Fn() -> Record + Send + Sync>,
    pub state: Arc<AuditState>,
    pub clock: Arc<ShardClock>,
    /// One that outlives the node finds nobody to tell, and a node does not wait for one.
    pub orders: mpsc::WeakSender<Order>,
}

/// When it is checked.
#[derive(Debug)]
pub(crate) struct CheckPlan {
    due_at: Instant,
    under_way: Option<JoinHandle<()>>,
}

impl CheckPlan {
    /// From now on.
    pub(crate) fn new(now: Instant) -> CheckPlan {
        CheckPlan { due_at: now, under_way: None }
    }

    /// Whether it is time for a check, which the caller then makes.
    pub(crate) fn take_due(&mut self, now: Instant) -> bool {
        let is_due = now >= self.due_at;
        if is_due {
            self.due_at = now + CHECK_EVERY;
        }
        is_due
    }

    /// Begins a check if it is time for one.
    pub(crate) fn begin_if_due<D>(&mut self, now: Instant, check: &Check<D>)
    where
        D: Disk + Clone + Send + 'static,
    {
        let is_under_way = self.under_way.as_ref().is_some_and(|thread| !thread.is_finished());
        if is_under_way || !self.take_due(now) {
            return;
        }
        let check = Check {
            disk: check.disk.clone(),
            key: check.key,
            found: check.found.clone(),
            state: check.state.clone(),
            clock: check.clock.clone(),
            orders: check.orders.clone(),
        };
        let thread = std::thread::Builder::new().name("ach-audit-check".to_owned());
        match thread.spawn(move || check.run()) {
            Ok(thread) => self.under_way = Some(thread),
            Err(error) => tracing::warn!(%error, "no thread to check the audit log"),
        }
    }
}

impl<D: Disk> Check<D> {
    /// Reads the log at once, on the caller's thread, and says what is wrong with it.
    pub(crate) fn run_here(&self) -> Option<Order> {
        self.look(&mut || true)
    }

    fn run(self) {
        // Only its own politeness fails with it. On Linux this is of the thread that asks.
        let _ = rustix::process::setpriority_process(None, NICENESS);
        let mut rest = || {
            let is_wanted = self.orders.upgrade().is_some();
            if is_wanted {
                std::thread::sleep(SEGMENT_PAUSE);
            }
            is_wanted
        };
        if let Some(found) = self.look(&mut rest)
            && let Some(orders) = self.orders.upgrade()
        {
            drop(orders.blocking_send(found));
        }
    }

    fn look(&self, rest: &mut dyn FnMut() -> bool) -> Option<Order> {
        let begun_at = self.clock.utc();
        match Verifier::new(Some(self.key)).run_gently(&self.disk, &mut |_| {}, rest) {
            Ok(None) => None,
            Ok(Some(report)) => {
                let Some(damage) = report.damage else {
                    self.state.set_checked(begun_at);
                    return None;
                };
                Some(Order::Found(Box::new((self.found)()), AuditTrouble::damage(&damage)))
            }
            Err(error) => {
                tracing::warn!(%error, "the audit log could not be checked");
                None
            }
        }
    }
}
