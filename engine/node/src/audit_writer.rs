//! The thread that owns the audit log: writes what has come as one group, signs a head every second,
//! takes in what others have laid down beside the log.
//!
//! Nothing waits for it but those who asked to be told. When it cannot write, alarms go on: those who
//! wait are told so, it is counted, logged and shown as trouble. After a failed write nothing is tried
//! again; for want of room, of the folder or of the key it is, every second.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use ach_engine_audit::{AppendError, CollectError, Collected, CommitError, Log, Record};
use ach_engine_journal::Disk;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, sleep_until};

use crate::audit_check::{Check, CheckPlan};
use crate::audit_opening::{NotOpened, OpenLog, Opening};
use crate::audit_state::{AuditState, AuditTrouble};
use crate::clock::ShardClock;
use crate::counters::Counters;

/// Records that may wait for the log. A common one has 200 bytes; one of a subscription with full
/// filters 70 KiB, and then they are 70 MiB.
pub(crate) const QUEUE_MAX: usize = 1_024;

/// Heads are signed, and what was laid down is taken in, this often.
const TICK: Duration = Duration::from_secs(1);

/// A command that enrols somebody holds the log for some milliseconds.
const IN_USE_PAUSE: Duration = Duration::from_millis(100);

/// After five seconds it is trouble that somebody else has the log.
const IN_USE_TRIES: u32 = 50;

/// What is asked of the thread.
#[derive(Debug)]
pub(crate) enum Order {
    /// To keep a record, and to say when it is on disk or will not be.
    Keep {
        /// The record.
        record: Box<Record>,
        /// Who wants to know whether it is on disk.
        told: Option<oneshot::Sender<bool>>,
    },
    /// A check of the whole log has found something.
    Found(Box<Record>, AuditTrouble),
    /// To end in good order.
    End(oneshot::Sender<()>),
}

/// What the thread needs.
pub(crate) struct AuditParts<D> {
    pub opening: Opening<D>,
    pub state: Arc<AuditState>,
    pub counters: Arc<Counters>,
    pub clock: Arc<ShardClock>,
    /// Makes the record of a damage that a check of the whole log has found.
    pub found: Arc<dyn Fn() -> Record + Send + Sync>,
}

/// Starts the thread. The receiver gets a word once it is known whether the log can be written.
pub(crate) fn start<D>(parts: AuditParts<D>) -> std::io::Result<(mpsc::Sender<Order>, Receiver<()>)>
where
    D: Disk + Clone + Send + 'static,
{
    let (sender, orders) = mpsc::channel(QUEUE_MAX);
    let (opened, is_opened) = channel();
    let checker = sender.downgrade();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    std::thread::Builder::new().name("ach-audit".to_owned()).spawn(move || {
        runtime.block_on(Writer::new(parts, checker, true).run(orders, opened));
    })?;
    Ok((sender, is_opened))
}

/// The same without a thread: the future is what it does, and checks the whole log itself.
pub(crate) fn start_here<D>(
    parts: AuditParts<D>,
) -> (mpsc::Sender<Order>, impl Future<Output = ()> + 'static)
where
    D: Disk + Clone + Send + 'static,
{
    let (sender, orders) = mpsc::channel(QUEUE_MAX);
    let checker = sender.downgrade();
    // Nobody waits to hear that it is open.
    let opened = channel().0;
    (sender, Writer::new(parts, checker, false).run(orders, opened))
}

/// The thread, or the task.
struct Writer<D: Disk> {
    /// How to open it; none once it was opened, or will not be by this process.
    opening: Option<Opening<D>>,
    log: Option<Log<D>>,
    check: Option<(CheckPlan, Check<D>)>,
    checker: mpsc::WeakSender<Order>,
    /// Whether there may be a thread to check the log.
    has_threads: bool,
    found: Arc<dyn Fn() -> Record + Send + Sync>,
    state: Arc<AuditState>,
    counters: Arc<Counters>,
    clock: Arc<ShardClock>,
    /// Who waits for the open group.
    waiting: Vec<oneshot::Sender<bool>>,
    /// Who wants to know when it has ended.
    ending: Option<oneshot::Sender<()>>,
}

impl<D: Disk + Clone + Send + 'static> Writer<D> {
    fn new(parts: AuditParts<D>, checker: mpsc::WeakSender<Order>, has_threads: bool) -> Writer<D> {
        Writer {
            opening: Some(parts.opening),
            log: None,
            check: None,
            checker,
            has_threads,
            found: parts.found,
            state: parts.state,
            counters: parts.counters,
            clock: parts.clock,
            waiting: Vec::new(),
            ending: None,
        }
    }

    async fn run(mut self, mut orders: mpsc::Receiver<Order>, opened: Sender<()>) {
        self.begin().await;
        // A start that did not wait so long finds out otherwise.
        let _ = opened.send(());
        let mut tick_at = Instant::now();
        let mut is_full = false;
        while self.ending.is_none() {
            tokio::select! {
                // The rare branch first: records without end must not keep heads from being signed.
                biased;
                () = sleep_until(tick_at) => {
                    tick_at = Instant::now() + TICK;
                    self.tick();
                    is_full = false;
                }
                order = orders.recv(), if !is_full => {
                    let Some(order) = order else { break };
                    is_full = !self.take(order);
                    while !is_full && let Ok(order) = orders.try_recv() {
                        is_full = !self.take(order);
                    }
                    is_full = !self.commit() && is_full;
                }
            }
        }
        // Nothing more comes; what came is kept, or counted as lost.
        orders.close();
        while let Ok(order) = orders.try_recv() {
            self.take(order);
        }
        self.end();
    }

    /// Opens the log for the first time. Somebody who has it for a moment is waited for.
    async fn begin(&mut self) {
        for _ in 1..IN_USE_TRIES {
            match self.try_open() {
                Err(NotOpened::InUse) => sleep(IN_USE_PAUSE).await,
                tried => return self.show(tried),
            }
        }
        self.open();
    }

    /// Opens the log if it is not open and may be, and shows why not.
    fn open(&mut self) {
        let tried = self.try_open();
        self.show(tried);
    }

    fn show(&mut self, tried: Result<(), NotOpened>) {
        if let Err(why) = tried
            && !why.show(&self.state)
        {
            self.opening = None;
        }
    }

    fn try_open(&mut self) -> Result<(), NotOpened> {
        let Some(opening) = &mut self.opening else { return Ok(()) };
        let OpenLog { log, disk, key } = opening.open(self.clock.utc())?;
        self.opening = None;
        self.state.open();
        self.state.set_size(log.size());
        let check = Check {
            disk,
            key: key.verifying(),
            found: self.found.clone(),
            state: self.state.clone(),
            clock: self.clock.clone(),
            orders: self.checker.clone(),
        };
        self.check = Some((CheckPlan::new(Instant::now()), check));
        self.log = Some(log);
        Ok(())
    }

    /// Writes the last head, or counts what cannot be written any more.
    fn end(&mut self) {
        self.commit();
        if let Some(log) = self.log.take() {
            let lost = log.unkept();
            self.counters.audit_records_lost.add(lost);
            if lost > 0 {
                tracing::error!(lost, "the audit log had no room for its last records");
            } else if let Err(error) = log.close(self.clock.utc()) {
                tracing::error!(%error, "the audit log was not closed in good order");
            }
        }
        if let Some(ending) = self.ending.take() {
            // Whoever asked may have given up.
            let _ = ending.send(());
        }
    }

    /// Takes an order. False when the open group has no room for it.
    fn take(&mut self, order: Order) -> bool {
        match order {
            Order::Keep { record, told } => self.keep(&record, told),
            Order::Found(record, trouble) => {
                self.counters.audit_damage_found.count();
                self.state.fail(trouble);
                self.keep(&record, None)
            }
            Order::End(ending) => {
                self.ending = Some(ending);
                true
            }
        }
    }

    fn keep(&mut self, record: &Record, told: Option<oneshot::Sender<bool>>) -> bool {
        let mut appended = self.append(record);
        if appended == Some(AppendError::GroupFull) {
            self.commit();
            appended = self.append(record);
        }
        match appended {
            None if self.log.is_some() => {
                self.waiting.extend(told);
                true
            }
            None => {
                self.lose(told);
                true
            }
            Some(AppendError::GroupFull) => {
                self.lose(told);
                false
            }
            Some(error) => {
                tracing::error!(%error, "a record of the audit log was not taken");
                self.lose(told);
                true
            }
        }
    }

    fn append(&mut self, record: &Record) -> Option<AppendError> {
        self.log.as_mut().and_then(|log| log.append(record).err())
    }

    /// A record will not be on disk.
    fn lose(&self, told: Option<oneshot::Sender<bool>>) {
        self.counters.audit_records_lost.count();
        if let Some(told) = told {
            // Whoever asked may have given up.
            let _ = told.send(false);
        }
    }

    /// Writes the open group and tells those who wait. False when it could not be written.
    fn commit(&mut self) -> bool {
        let Some(log) = &mut self.log else { return true };
        let before = log.size();
        let committed = log.commit(self.clock.utc());
        let (size, is_durable) = (log.size(), committed.is_ok());
        self.counters.audit_records_written.add(size.saturating_sub(before));
        self.state.set_size(size);
        match committed {
            Ok(_) => self.state.make_room(),
            Err(error) => self.fail(&error),
        }
        for told in self.waiting.drain(..) {
            // Whoever asked may have given up.
            let _ = told.send(is_durable);
        }
        is_durable
    }

    fn tick(&mut self) {
        self.open();
        self.begin_check();
        let at = self.clock.utc();
        let Some(log) = &mut self.log else { return };
        let before = log.size();
        let collected = match log.collect(at) {
            Ok(collected) => {
                show_collected(&self.state, &collected);
                Ok(())
            }
            Err(CollectError::List(error)) => {
                let detail = format!("the folder cannot be listed: {error}");
                self.state.fail(AuditTrouble::Left { detail });
                Ok(())
            }
            Err(CollectError::Commit(error)) => Err(error),
        };
        let signed = collected.and_then(|()| log.sign(at).map(|head| head.is_some()));
        let size = log.size();
        self.counters.audit_records_written.add(size.saturating_sub(before));
        self.state.set_size(size);
        match signed {
            Ok(is_signed) => {
                self.counters.audit_heads_signed.add(u64::from(is_signed));
                self.state.make_room();
            }
            Err(error) => self.fail(&error),
        }
    }

    fn begin_check(&mut self) {
        let Some((plan, check)) = self.check.as_mut().filter(|_| self.log.is_some()) else {
            return;
        };
        if self.has_threads {
            plan.begin_if_due(Instant::now(), check);
        } else if plan.take_due(Instant::now())
            && let Some(found) = check.run_here()
        {
            self.take(found);
        }
    }

    fn fail(&mut self, error: &CommitError) {
        let detail = error.to_string();
        match error {
            CommitError::Full { .. } => self.state.fail(AuditTrouble::Full { detail }),
            CommitError::Disk { .. } | CommitError::Dead { .. } => {
                self.state.fail(AuditTrouble::Failed { detail });
                if let Some(log) = self.log.take() {
                    // Whether they are on the disk will be known at the next start.
                    self.counters.audit_records_lost.add(log.unkept());
                }
            }
        }
    }
}

/// Tells of what lay beside the log and is not in it.
fn show_collected(state: &AuditState, collected: &Collected) {
    if collected.refused > 0 {
        tracing::warn!(count = collected.refused, "what lay beside the audit log is no record");
    }
    match &collected.why_left {
        Some(why) => {
            let detail = format!("{} of them: {why}", collected.left);
            state.fail(AuditTrouble::Left { detail });
        }
        None => state.take_all_in(),
    }
}

#[cfg(test)]
mod tests;
