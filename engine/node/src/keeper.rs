//! Who writes checkpoints: a thread, or a task where nothing may run beside the caller.
//!
//! It takes what the shard tells in slices, seals it and writes it beside the journal, slowly enough
//! that the journal's own syncs wait milliseconds for it. A checkpoint gets its name only when the
//! entry it is of is on disk. Whatever goes wrong, the checkpoint is given up, and another one is
//! tried later; journal and alarms know nothing of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, TrySendError, sync_channel};
use std::task::{Context, Poll, Waker};
use std::thread::JoinHandle;
use std::time::Duration;

use ach_engine_checkpoint::{Seal, WriteError, hash};
use ach_engine_wire::{StateError, split_pieces};
use atomic_waker::AtomicWaker;
use tokio::time::sleep;

use crate::checkpoint_store::{CheckpointStore, FinishError};
use crate::coded_site::CodedSite;
use crate::commit_mark::{CommitMark, JournalTrouble};
use crate::counters::Counters;
use crate::entry_queue::Bell;
use crate::journal_floor::Pin;

/// What a section of a checkpoint holds.
pub(crate) mod kind {
    /// What the shard tells at once. The first section.
    pub(crate) const HEAD: u32 = 1;
    /// A part of a version of the site. Before any piece.
    pub(crate) const SITE: u32 = 2;
    /// Cells, deadlines, open alarms.
    pub(crate) const PIECES: u32 = 3;
    /// What the ledger tells at once. After all notices.
    pub(crate) const LEDGER: u32 = 4;
    /// Durable notices, in order.
    pub(crate) const NOTICES: u32 = 5;
}

/// Orders that may wait. With 64 KiB of pieces each they are 4 MiB; when they wait, the shard tells
/// no more until the disk has taken some.
const ORDERS_MAX: usize = 64;

/// How nice the thread is: to see whether a start could use a checkpoint takes a tenth of a second of a
/// large site, at its worst once a second. On a core that is full the thread gets one part in ten, so
/// checkpoints come every two seconds at least, and a start stays as short as it is to be.
const NICENESS: i32 = 10;

/// What the thread is asked.
#[derive(Debug)]
pub(crate) enum Order {
    /// Begin the checkpoint of an entry.
    Begin { index: u64 },
    /// A section of it.
    Section { kind: u32, body: Vec<u8> },
    /// A version of the site.
    Site(CodedSite),
    /// That was all.
    End,
}

/// What shard and thread share.
#[derive(Debug, Default)]
struct Shared {
    /// The entry whose checkpoint is being made; 0 if none is.
    busy_index: AtomicU64,
    /// The entry whose checkpoint the shard has given up.
    given_up_index: AtomicU64,
    /// The entry of the last whole checkpoint of this process.
    finished_index: AtomicU64,
    last_bytes: AtomicU64,
    is_closing: AtomicBool,
    is_over: AtomicBool,
    closing: AtomicWaker,
}

impl Shared {
    fn after(last_bytes: u64) -> Shared {
        Shared { last_bytes: AtomicU64::new(last_bytes), ..Shared::default() }
    }

    /// The checkpoint of that entry is over; another one may have begun since.
    fn is_free_of(&self, index: u64) {
        // An error says that this is so already.
        let _ = self.busy_index.compare_exchange(index, 0, Ordering::AcqRel, Ordering::Acquire);
    }
}

/// The shard's end of it.
#[derive(Debug)]
pub(crate) struct Keeper {
    orders: Option<SyncSender<Order>>,
    shared: Arc<Shared>,
    host: Host,
}

/// Who runs the writer.
#[derive(Debug)]
enum Host {
    /// A thread, which waits for orders by itself.
    Thread(JoinHandle<()>),
    /// A task, and what wakes it.
    Task(Waker),
    /// Nobody any more.
    Nobody,
}

impl Keeper {
    /// Starts the thread.
    ///
    /// # Errors
    ///
    /// When the system gives no thread.
    pub(crate) fn start(
        store: Box<dyn CheckpointStore>,
        pin: Arc<Pin>,
        mark: Arc<CommitMark>,
        counters: Arc<Counters>,
    ) -> std::io::Result<Keeper> {
        let (orders, taken) = sync_channel(ORDERS_MAX);
        let shared = Arc::new(Shared::after(store.last_bytes()));
        let mut writer = Writer { store, pin, mark, counters, shared: shared.clone(), open: None };
        let thread =
            std::thread::Builder::new().name("ach-checkpoint".to_owned()).spawn(move || {
                // Of the calling thread only. Where it is not allowed nothing is lost.
                let _ = rustix::process::setpriority_process(None, NICENESS);
                writer.run(&taken);
            })?;
        Ok(Keeper { orders: Some(orders), shared, host: Host::Thread(thread) })
    }

    /// A keeper without a thread: the future is its writer.
    pub(crate) fn start_here(
        store: Box<dyn CheckpointStore>,
        pin: Arc<Pin>,
        mark: Arc<CommitMark>,
        counters: Arc<Counters>,
    ) -> (Keeper, impl Future<Output = ()> + 'static) {
        let (orders, taken) = sync_channel(ORDERS_MAX);
        let shared = Arc::new(Shared::default());
        let mut writer = Writer { store, pin, mark, counters, shared: shared.clone(), open: None };
        let bell = Arc::new(Bell::default());
        let host = Host::Task(bell.clone().into());
        let keeper = Keeper { orders: Some(orders), shared, host };
        (keeper, async move { writer.run_here(&taken, &bell).await })
    }

    /// Whether a checkpoint is being made. One that was given up is not.
    pub(crate) fn is_busy(&self) -> bool {
        self.shared.busy_index.load(Ordering::Acquire) != 0
    }

    /// Begins the checkpoint of an entry. False if there is no room for the order.
    pub(crate) fn begin(&self, index: u64) -> bool {
        self.shared.busy_index.store(index, Ordering::Release);
        let is_taken = self.order(Order::Begin { index }).is_ok();
        if !is_taken {
            self.shared.busy_index.store(0, Ordering::Release);
        }
        is_taken
    }

    /// Gives up the checkpoint of an entry: what is still told of it goes nowhere.
    pub(crate) fn give_up(&self, index: u64) {
        self.shared.given_up_index.store(index, Ordering::Release);
        self.shared.is_free_of(index);
    }

    /// Whether that checkpoint, the last one that was begun, is whole and on disk.
    pub(crate) fn has_finished(&self, index: u64) -> bool {
        self.shared.finished_index.load(Ordering::Acquire) == index
    }

    /// Whether nobody writes any more, though nobody has closed it.
    pub(crate) fn is_lost(&self) -> bool {
        self.orders.is_some() && self.shared.is_over.load(Ordering::Acquire)
    }

    /// Bytes of the last whole checkpoint, of this process or the one before; 0 without any.
    pub(crate) fn last_bytes(&self) -> u64 {
        self.shared.last_bytes.load(Ordering::Acquire)
    }

    /// Gives an order, if there is room; else gives it back. After the thread has ended nothing is
    /// taken.
    pub(crate) fn order(&self, order: Order) -> Result<(), Order> {
        let Some(orders) = &self.orders else { return Err(order) };
        orders.try_send(order).map_err(|error| match error {
            TrySendError::Full(order) | TrySendError::Disconnected(order) => order,
        })?;
        self.wake();
        Ok(())
    }

    fn wake(&self) {
        if let Host::Task(waker) = &self.host {
            waker.wake_by_ref();
        }
    }

    /// Takes no more; what is unfinished is given up.
    pub(crate) fn begin_close(&mut self) {
        self.shared.is_closing.store(true, Ordering::Release);
        self.orders = None;
        self.wake();
    }

    /// Ready once the thread has ended after [`Keeper::begin_close`].
    pub(crate) fn poll_closed(&mut self, cx: &Context<'_>) -> Poll<()> {
        self.shared.closing.register(cx.waker());
        let is_started = !matches!(self.host, Host::Nobody);
        if is_started && !self.shared.is_over.load(Ordering::SeqCst) {
            return Poll::Pending;
        }
        if let Host::Thread(thread) = std::mem::replace(&mut self.host, Host::Nobody) {
            // It has ended; a panic in it was told when it happened.
            drop(thread.join());
        }
        Poll::Ready(())
    }
}

/// A checkpoint that is being written.
#[derive(Debug)]
struct Open {
    index: u64,
    state_hash: u128,
}

/// How often a task looks whether an entry has got to the disk: about as long as a group takes.
const LOOK_EVERY: Duration = Duration::from_millis(1);

/// The thread, or the task.
#[derive(Debug)]
struct Writer {
    store: Box<dyn CheckpointStore>,
    pin: Arc<Pin>,
    mark: Arc<CommitMark>,
    counters: Arc<Counters>,
    shared: Arc<Shared>,
    open: Option<Open>,
}

/// Says that the thread has ended, in good order or not.
struct End {
    shared: Arc<Shared>,
    mark: Arc<CommitMark>,
    counters: Arc<Counters>,
}

impl Drop for End {
    fn drop(&mut self) {
        if std::thread::panicking() {
            tracing::error!("the checkpointing thread failed; a start will take longer");
            self.counters.checkpoints_given_up.count();
            self.mark.trouble(JournalTrouble::NoCheckpoints);
        }
        // Nobody is to wait for it.
        self.shared.is_over.store(true, Ordering::SeqCst);
        self.shared.closing.wake();
    }
}

impl Writer {
    fn ending(&self) -> End {
        let (shared, mark) = (self.shared.clone(), self.mark.clone());
        End { shared, mark, counters: self.counters.clone() }
    }

    fn run(&mut self, orders: &Receiver<Order>) {
        let _end = self.ending();
        while let Ok(order) = orders.recv()
            && !self.is_closing()
        {
            self.obey(order);
        }
        self.give_up();
    }

    async fn run_here(&mut self, orders: &Receiver<Order>, bell: &Bell) {
        let _end = self.ending();
        while !self.is_closing() {
            match orders.try_recv() {
                Ok(order) => {
                    // A thread waits for it where it ends the checkpoint.
                    while matches!(order, Order::End) && self.is_pin_awaited() {
                        sleep(LOOK_EVERY).await;
                    }
                    self.obey(order);
                }
                Err(TryRecvError::Empty) => bell.rung().await,
                Err(TryRecvError::Disconnected) => break,
            }
        }
        self.give_up();
    }

    fn is_closing(&self) -> bool {
        self.shared.is_closing.load(Ordering::Acquire)
    }

    fn obey(&mut self, order: Order) {
        let given_up = self.shared.given_up_index.load(Ordering::Acquire);
        if self.open.as_ref().is_some_and(|open| open.index == given_up) {
            self.give_up();
        }
        if let Err(error) = self.take(order) {
            self.counters.checkpoints_given_up.count();
            tracing::warn!(%error, "a checkpoint is given up; another one is tried later");
            self.give_up();
        }
    }

    /// Whether the entry of the checkpoint is on its way to the disk and not there yet.
    fn is_pin_awaited(&self) -> bool {
        let is_on_disk = |open: &Open| self.pin.find(open.index).is_some();
        self.open.as_ref().is_some_and(|open| !is_on_disk(open)) && !self.is_hopeless()
    }

    /// Whether nothing more gets to the disk, or nobody waits for it.
    fn is_hopeless(&self) -> bool {
        !self.mark.is_storing() || self.is_closing()
    }

    fn take(&mut self, order: Order) -> Result<(), GivenUp> {
        match order {
            Order::Begin { index } => {
                self.give_up();
                self.open = Some(Open { index, state_hash: 0 });
                Ok(self.store.begin(index)?)
            }
            // What is left of one that was given up.
            Order::Section { .. } | Order::Site(_) | Order::End if self.open.is_none() => Ok(()),
            Order::Section { kind, body } => self.section(kind, body),
            Order::Site(site) => site.parts(&mut |part| self.section(kind::SITE, part)),
            Order::End => self.end(),
        }
    }

    fn section(&mut self, kind: u32, mut body: Vec<u8>) -> Result<(), GivenUp> {
        if let Some(open) = &mut self.open {
            open.state_hash = open.state_hash.wrapping_add(section_hash(kind, &body)?);
        }
        Ok(self.store.section(kind, &mut body)?)
    }

    fn end(&mut self) -> Result<(), GivenUp> {
        let Some(&Open { index, state_hash }) = self.open.as_ref() else { return Ok(()) };
        let position = self.pin.wait(index, || self.is_hopeless());
        let position = position.ok_or(GivenUp::NotStored { index })?;
        let seal = Seal {
            index,
            lsn: position.lsn,
            entry_hash: position.entry_hash,
            chain: position.chain,
            state_hash,
        };
        let bytes = self.store.finish(&seal)?;
        self.open = None;
        self.counters.checkpoints_taken.count();
        self.shared.last_bytes.store(bytes, Ordering::Release);
        self.shared.finished_index.store(index, Ordering::Release);
        self.shared.is_free_of(index);
        tracing::debug!(index, bytes, "a checkpoint is taken");
        Ok(())
    }

    fn give_up(&mut self) {
        if let Some(Open { index, .. }) = self.open.take() {
            self.store.give_up();
            self.shared.is_free_of(index);
        }
    }
}

/// Why a checkpoint was given up.
#[derive(Debug, thiserror::Error)]
enum GivenUp {
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error(transparent)]
    Finish(#[from] FinishError),
    #[error(transparent)]
    State(#[from] StateError),
    #[error("entry {index} did not get to the disk")]
    NotStored { index: u64 },
}

/// What a section adds to the hash of the state: that of its body or, where the order of its pieces
/// means nothing, the sum of theirs.
pub(crate) fn section_hash(kind: u32, body: &[u8]) -> Result<u128, StateError> {
    match kind {
        kind::HEAD | kind::SITE | kind::LEDGER => Ok(hash(body)),
        kind::PIECES => {
            let mut sum = 0_u128;
            split_pieces(body, &mut |piece| sum = sum.wrapping_add(hash(piece)))?;
            Ok(sum)
        }
        _ => Ok(0),
    }
}
