//! The thread that owns the audit log: writes what has come as one group, signs a head every second,
//! takes in what others have laid down beside the log.
//!
//! Nothing waits for it but those who asked to be told. When it cannot write, alarms go on: those who
//! wait are told so, it is counted, logged and shown as trouble. After a failed write nothing is tried
//! again; for a full disk it is, every second.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use ach_engine_audit::{
    AppendError, CommitError, Config, Log, LogName, OpenError, Record, SigningKey, Verifier,
};
use ach_engine_journal::Disk;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, sleep_until};

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

/// After five seconds somebody else has the log for good.
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
    /// The check of the whole log has found something.
    Found(Box<Record>, AuditTrouble),
    /// To end in good order.
    End(oneshot::Sender<()>),
}

/// What the thread needs.
#[derive(Debug)]
pub(crate) struct AuditParts<D> {
    pub disk: D,
    pub key: Result<SigningKey, AuditTrouble>,
    pub name: LogName,
    pub sizes: Config,
    pub state: Arc<AuditState>,
    pub counters: Arc<Counters>,
    pub clock: Arc<ShardClock>,
    /// Makes the record of a damage that the check of the whole log has found.
    pub found: Box<Record>,
}

/// Starts the thread. The receiver gets a word once it is known whether the log can be written.
pub(crate) fn start<D>(parts: AuditParts<D>) -> std::io::Result<(mpsc::Sender<Order>, Receiver<()>)>
where
    D: Disk + Clone + Send + 'static,
{
    let (sender, orders) = mpsc::channel(QUEUE_MAX);
    let (opened, is_opened) = channel();
    // A check that outlives the node finds nobody to tell, and a node does not wait for one.
    let checker = sender.downgrade();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    std::thread::Builder::new().name("ach-audit".to_owned()).spawn(move || {
        runtime.block_on(async move {
            let (writer, check) = Writer::open(parts).await;
            if let Some(check) = check {
                check.start(checker);
            }
            // A start that did not wait so long finds out otherwise.
            let _ = opened.send(());
            writer.run(orders).await;
        });
    })?;
    Ok((sender, is_opened))
}

/// The same without a thread: the future is what it does, and checks the whole log first.
pub(crate) fn start_here<D>(
    parts: AuditParts<D>,
) -> (mpsc::Sender<Order>, impl Future<Output = ()> + 'static)
where
    D: Disk + Clone + Send + 'static,
{
    let (sender, orders) = mpsc::channel(QUEUE_MAX);
    let writing = async move {
        let (mut writer, check) = Writer::open(parts).await;
        if let Some(found) = check.and_then(Check::run) {
            writer.take(found);
        }
        writer.run(orders).await;
    };
    (sender, writing)
}

async fn open<D: Disk + Clone>(
    disk: D,
    sizes: Config,
    (key, name): (SigningKey, LogName),
    state: &AuditState,
    clock: &ShardClock,
) -> Option<Log<D>> {
    for tries_left in (0..IN_USE_TRIES).rev() {
        match Log::open(disk.clone(), sizes, key.clone(), name.clone(), clock.now()) {
            Ok((log, opened)) => {
                if let Some(cut) = opened.cut {
                    tracing::warn!(?cut, "a tail of the audit log was cut that nobody relied on");
                }
                return Some(log);
            }
            Err(OpenError::InUse) if tries_left > 0 => sleep(IN_USE_PAUSE).await,
            Err(error) => {
                state.fail((&error).into());
                break;
            }
        }
    }
    None
}

/// Checks the whole log once, beside the work.
struct Check<D> {
    disk: D,
    key: ach_engine_audit::VerifyingKey,
    found: Box<Record>,
}

impl<D: Disk + Send + 'static> Check<D> {
    fn start(self, orders: mpsc::WeakSender<Order>) {
        let thread = std::thread::Builder::new().name("ach-audit-check".to_owned());
        let check = move || {
            if let (Some(found), Some(orders)) = (self.run(), orders.upgrade()) {
                drop(orders.blocking_send(found));
            }
        };
        if let Err(error) = thread.spawn(check) {
            tracing::warn!(%error, "no thread to check the audit log");
        }
    }

    /// What it finds wrong, if anything.
    fn run(self) -> Option<Order> {
        match Verifier::new(Some(self.key)).run(&self.disk, &mut |_| {}) {
            Ok(report) => {
                report.damage.map(|damage| Order::Found(self.found, AuditTrouble::damage(&damage)))
            }
            Err(error) => {
                tracing::warn!(%error, "the audit log could not be checked");
                None
            }
        }
    }
}

/// The thread, or the task.
struct Writer<D: Disk> {
    log: Option<Log<D>>,
    state: Arc<AuditState>,
    counters: Arc<Counters>,
    clock: Arc<ShardClock>,
    /// Who waits for the open group.
    waiting: Vec<oneshot::Sender<bool>>,
    /// Who wants to know when it has ended.
    ending: Option<oneshot::Sender<()>>,
}

impl<D: Disk + Clone> Writer<D> {
    /// Opens the log, if it can be opened; then it is to be checked.
    async fn open(parts: AuditParts<D>) -> (Writer<D>, Option<Check<D>>) {
        let AuditParts { disk, key, name, sizes, state, counters, clock, found } = parts;
        let (mut log, mut check) = (None, None);
        match key {
            Ok(key) => {
                let (beside, verifying) = (disk.clone(), key.verifying());
                log = open(disk, sizes, (key, name), &state, &clock).await;
                if let Some(log) = &log {
                    state.set_size(log.size());
                    check = Some(Check { disk: beside, key: verifying, found });
                }
            }
            Err(trouble) => state.fail(trouble),
        }
        (Writer { log, state, counters, clock, waiting: Vec::new(), ending: None }, check)
    }
}

impl<D: Disk> Writer<D> {
    async fn run(mut self, mut orders: mpsc::Receiver<Order>) {
        let mut tick_at = Instant::now();
        let mut is_full = false;
        while self.ending.is_none() {
            tokio::select! {
                // The tick first: it comes once a second, and a head is signed then however many
                // records come meanwhile.
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
        self.commit();
        let at = self.clock.now();
        if let Some(Err(error)) = self.log.take().map(|log| log.close(at)) {
            tracing::error!(%error, "the audit log was not closed in good order");
        }
        if let Some(ending) = self.ending {
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
        let committed = log.commit(self.clock.now());
        let is_durable = committed.is_ok();
        match committed {
            Ok(size) => {
                self.counters.audit_records_written.add(size.saturating_sub(before));
                self.state.set_size(size);
                self.state.recover();
            }
            Err(error) => self.fail(&error),
        }
        for told in self.waiting.drain(..) {
            // Whoever asked may have given up.
            let _ = told.send(is_durable);
        }
        is_durable
    }

    fn tick(&mut self) {
        let at = self.clock.now();
        let Some(log) = &mut self.log else { return };
        let before = log.size();
        let worked = log.collect(at).and_then(|collected| {
            if collected.refused > 0 {
                tracing::warn!(
                    count = collected.refused,
                    "what lay beside the audit log is no record"
                );
            }
            self.counters.audit_records_written.add(log.size().saturating_sub(before));
            log.sign(at).map(|head| head.is_some())
        });
        match worked {
            Ok(is_signed) => {
                self.counters.audit_heads_signed.add(u64::from(is_signed));
                self.state.set_size(log.size());
                self.state.recover();
            }
            Err(error) => self.fail(&error),
        }
    }

    fn fail(&mut self, error: &CommitError) {
        let detail = error.to_string();
        match error {
            CommitError::Full { .. } => self.state.fail(AuditTrouble::Full { detail }),
            CommitError::Disk { .. } | CommitError::Dead { .. } => {
                self.state.fail(AuditTrouble::Failed { detail });
                self.log = None;
            }
        }
    }
}
