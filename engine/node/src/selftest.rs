//! The self-test: a test alarm that goes the whole way of a real one, timed at each hop.
//!
//! It waits in the lane of duress, is decided by the shard as an entry of its own, told to receivers,
//! stored by the journal, displayed, and ended. It is of a kind of its own, so nobody can take it for
//! an alarm, and a filter by place or priority does not keep it from anybody.

pub(crate) mod fault;
pub(crate) mod schedule;

use std::cell::{Cell, RefCell};
use std::time::Duration;

use ach_actors_model::{
    AlarmId, AlarmKind, AlarmNotice, AlarmTransition, Command, CommandKind, Lane, Name, Timestamp,
};
use ach_engine_audit::{Outcome, Reason, Record};
use ach_engine_shard::Input;
use ach_engine_wire::{SelftestReport, Storage};
use tokio::sync::{Notify, oneshot, watch};
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use self::fault::SelftestFault;
use crate::attention::Onlooker;
use crate::lanes::Ticketed;
use crate::memo::SCREENS_MAX;
use crate::notes::alarm_note;
use crate::recent::NoticeAt;
use crate::rim::{Rim, Settled};

/// How long its end may take: one flush of a disk.
const END_WITHIN: Duration = Duration::from_secs(2);

/// A place on the way of the test alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hop {
    /// The shard decided it.
    Decided,
    /// It is with the queues of all who follow alarms.
    Told,
    /// It is on disk.
    Durable,
    /// A receiver says that people could see it.
    Displayed,
    /// Its end is told.
    Ended,
}

impl Hop {
    /// Its word.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Hop::Decided => "decided",
            Hop::Told => "told",
            Hop::Durable => "durable",
            Hop::Displayed => "displayed",
            Hop::Ended => "ended",
        }
    }
}

/// What became of a self-test.
#[derive(Debug, Default)]
pub(crate) struct Tested {
    /// The test alarm, if one was raised.
    pub alarm: Option<AlarmId>,
    /// The hops it came to, each with the nanoseconds since the test began.
    pub hops: Vec<(Hop, u64)>,
    /// Who was told of it, with the nanoseconds until it was displayed there.
    pub receivers: Vec<(Onlooker, Option<u64>)>,
    /// What is wrong, the first hop first; nothing if it came all the way.
    pub faults: Vec<SelftestFault>,
    /// The entry that decided it.
    entry: Option<u64>,
}

/// Another test is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct UnderWay;

/// Where the test alarm of a test was told.
#[derive(Debug, Clone, Copy)]
struct ToldTest {
    alarm: AlarmId,
    index: u64,
    decided_at: Timestamp,
    told_at: Timestamp,
}

/// Who ordered a test: an operator, and its own number for it.
pub(crate) type OrderedBy = (Name, u64);

/// The report of a test, once it is over.
type Reported = watch::Receiver<Option<SelftestReport>>;

/// Where a test is followed.
#[derive(Debug, Default)]
pub(crate) struct SelftestDesk {
    is_under_way: Cell<bool>,
    /// The last test that an operator ordered.
    ordered: RefCell<Option<(OrderedBy, Reported)>>,
    told: RefCell<Option<ToldTest>>,
    /// Repeated orders that wait for the report.
    pub waiting: Cell<usize>,
    /// Something was told or displayed.
    pub changed: Notify,
}

impl SelftestDesk {
    /// Whether a test is under way.
    pub(crate) fn is_under_way(&self) -> bool {
        self.is_under_way.get()
    }

    /// Whoever repeats an order, for its connection broke, is answered with the test it ordered. Gives where
    /// its report is told.
    pub(crate) fn order(&self, by: OrderedBy) -> watch::Sender<Option<SelftestReport>> {
        let (tell, told) = watch::channel(None);
        *self.ordered.borrow_mut() = Some((by, told));
        tell
    }

    /// The test of an order that came before, if it was the last.
    pub(crate) fn ordered(&self, by: &OrderedBy) -> Option<Reported> {
        let ordered = self.ordered.borrow();
        ordered.as_ref().filter(|(before, _)| before == by).map(|(_, told)| told.clone())
    }
}

/// A test's turn; ends when it is dropped.
struct Turn<'a>(&'a Rim);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.selftest.is_under_way.set(false);
        self.0.attention.borrow_mut().end_test();
    }
}

/// A test alarm is with its subscribers' queues.
pub(crate) fn note_told(rim: &Rim, notice: &AlarmNotice, at: NoticeAt) {
    if notice.transition != AlarmTransition::Raised || !rim.selftest.is_under_way.get() {
        return;
    }
    let note = alarm_note(rim.fan_out.borrow().site(), notice, Storage::Durable, None, false);
    rim.attention.borrow_mut().begin_test(note, at, rim.memo.memo().screens);
    *rim.selftest.told.borrow_mut() = Some(ToldTest {
        alarm: notice.id,
        index: at.index,
        decided_at: notice.changed_at,
        told_at: rim.clock.now(),
    });
    rim.selftest.changed.notify_one();
}

/// Runs a test, one at a time. Whatever comes of it, its alarm is ended.
///
/// # Errors
///
/// Another one is under way.
pub(crate) async fn run(rim: &Rim, by: &Name) -> Result<Tested, UnderWay> {
    if rim.selftest.is_under_way.replace(true) {
        return Err(UnderWay);
    }
    let _turn = Turn(rim);
    rim.selftest.told.borrow_mut().take();
    let begun_at = rim.clock.now();
    let deadline = Instant::now() + rim.limits.selftest_within;
    let mut tested = Tested::default();
    match command(rim, by, CommandKind::BeginSelftest, deadline).await {
        Err(fault) => tested.faults.push(fault),
        Ok(mut ticket) => {
            let settled = follow(rim, &mut ticket, deadline).await;
            judge(rim, begun_at, settled, &mut tested);
            // Whoever has no answer of the shard has none of its end either.
            if let Some(ended_at) = end(rim, by).await {
                tested.hops.push((Hop::Ended, ended_at.since_ns(begun_at)));
            } else if tested.faults.is_empty() {
                tested.faults.push(SelftestFault::NotEnded);
            }
        }
    }
    if rim.lanes.is_closed() && !tested.faults.is_empty() {
        // What a node that ends did not do says nothing of the chain.
        tested.faults = vec![SelftestFault::Ending];
    }
    Ok(tested)
}

/// Sends a command on the lane of duress.
async fn command(
    rim: &Rim,
    by: &Name,
    kind: CommandKind,
    deadline: Instant,
) -> Result<oneshot::Receiver<Settled>, SelftestFault> {
    let (ticket, settled) = rim.ticket();
    let input = Input::Command(Command { by: by.clone(), kind });
    let sending = rim.lanes.send(Lane::Duress, Ticketed { input, ticket: Some(ticket) });
    match timeout_at(deadline, sending).await {
        Ok(Ok(())) => Ok(settled),
        Ok(Err(_)) => Err(SelftestFault::Ending),
        Err(_) => Err(SelftestFault::NotDecided),
    }
}

/// Waits until the alarm is stored and displayed by all who should, or for as long as it may take.
/// Gives what became of its entry, and when that was known.
async fn follow(
    rim: &Rim,
    ticket: &mut oneshot::Receiver<Settled>,
    deadline: Instant,
) -> Option<(Settled, Timestamp)> {
    let mut settled: Option<(Settled, Timestamp)> = None;
    loop {
        if settled.is_some() && rim.attention.borrow().is_test_displayed() {
            return settled;
        }
        tokio::select! {
            it = &mut *ticket, if settled.is_none() => match it {
                Ok(it) => settled = Some((it, rim.clock.now())),
                // The node is ending; what is known is judged.
                Err(_) => return None,
            },
            () = rim.selftest.changed.notified() => {}
            () = sleep_until(deadline) => return settled,
        }
    }
}

/// Tells the hops the alarm came to, and what is wrong.
fn judge(
    rim: &Rim,
    begun_at: Timestamp,
    settled: Option<(Settled, Timestamp)>,
    tested: &mut Tested,
) {
    let since = |at: Timestamp| at.since_ns(begun_at);
    let is_ours = |told: &ToldTest| settled.is_none_or(|(settled, _)| settled.index == told.index);
    let Some(told) = rim.selftest.told.borrow().filter(is_ours) else {
        let is_decided = settled.is_some();
        let fault = if is_decided { SelftestFault::NotRaised } else { SelftestFault::NotDecided };
        tested.faults.push(fault);
        return;
    };
    tested.alarm = Some(told.alarm);
    tested.entry = Some(told.index);
    tested.hops.push((Hop::Decided, since(told.decided_at)));
    tested.hops.push((Hop::Told, since(told.told_at)));
    match settled {
        None => tested.faults.push(SelftestFault::DiskSlow),
        Some((Settled { is_durable: false, .. }, _)) => {
            tested.faults.push(SelftestFault::NotStoring);
        }
        Some((_, durable_at)) => tested.hops.push((Hop::Durable, since(durable_at))),
    }
    judge_receivers(rim, begun_at, tested);
}

/// Tells who displayed the alarm, and who should have.
fn judge_receivers(rim: &Rim, begun_at: Timestamp, tested: &mut Tested) {
    let (mut first_at, mut has_receiver) = (None, false);
    let mut missing = Vec::new();
    let attention = rim.attention.borrow();
    for (onlooker, displayed_at) in attention.onlookers() {
        // A terminal that an operator has left open is nobody who comes.
        if !onlooker.is_operator {
            has_receiver = true;
            first_at = [first_at, displayed_at].into_iter().flatten().min();
        }
        let silent = SelftestFault::ReceiverSilent { name: onlooker.name.clone() };
        // One that has several connections is one screen.
        if displayed_at.is_none() && onlooker.is_expected && !missing.contains(&silent) {
            missing.push(silent);
        }
        tested.receivers.push((onlooker, displayed_at.map(|at| at.since_ns(begun_at))));
    }
    match first_at {
        Some(at) => tested.hops.push((Hop::Displayed, at.since_ns(begun_at))),
        None if !has_receiver => tested.faults.push(SelftestFault::NobodyFollows),
        None => tested.faults.push(SelftestFault::NotDisplayed),
    }
    let away = attention.screens_away().into_iter();
    missing.extend(away.map(|name| SelftestFault::ReceiverAway { name }));
    tested.faults.append(&mut missing);
}

/// Ends the test alarm, and says when its end was told.
async fn end(rim: &Rim, by: &Name) -> Option<Timestamp> {
    let deadline = Instant::now() + END_WITHIN;
    let ticket = command(rim, by, CommandKind::EndSelftest, deadline).await.ok()?;
    timeout_at(deadline, ticket).await.ok()?.ok()?;
    Some(rim.clock.now())
}

/// Counts, logs, remembers and records what became of a test.
pub(crate) fn conclude(rim: &Rim, tested: &Tested, record: Record) {
    let is_good = tested.faults.is_empty();
    // A test that the node's end cut short is due as before.
    if tested.faults != [SelftestFault::Ending] {
        note_result(rim, tested);
    }
    // Whose screen it is stands in the answer and in `ach attention`; the log names nobody.
    for alike in tested.faults.chunk_by(|one, next| one.in_short() == next.in_short()) {
        let Some(fault) = alike.first() else { continue };
        tracing::error!(
            fault = fault.in_short(),
            count = alike.len(),
            remedy = fault.remedy(),
            "the self-test found the way of an alarm broken"
        );
    }
    if is_good {
        let displayed = tested.hops.iter().find(|(hop, _)| *hop == Hop::Displayed);
        let after_ms = displayed.map_or(0, |(_, after_ns)| after_ns / 1_000_000);
        tracing::info!(after_ms, "a test alarm came all the way and was displayed");
    }
    let outcome = if is_good { Outcome::Done } else { Outcome::Failed };
    let why = tested.faults.first().map_or("", SelftestFault::in_short);
    let entry = tested.entry;
    rim.audit.tell(Record { outcome, reason: Reason::new(why), entry, ..record });
}

/// Counts a test, and remembers how it went and who displayed it.
fn note_result(rim: &Rim, tested: &Tested) {
    let (counters, is_good) = (&rim.counters, tested.faults.is_empty());
    let counter = if is_good { &counters.selftests_passed } else { &counters.selftests_failed };
    counter.count();
    let now = rim.clock.now();
    let mut memo = rim.memo.memo();
    memo.tested_at = now;
    if is_good {
        memo.test_good_at = now;
    }
    for (onlooker, displayed_ns) in &tested.receivers {
        if displayed_ns.is_some() && !onlooker.is_operator && !memo.add_screen(&onlooker.name) {
            tracing::warn!(
                max = SCREENS_MAX,
                "too many receivers display test alarms: one is not missed when it is away"
            );
        }
    }
    counters.tally.set_selftest(memo.tested_at, memo.test_good_at);
    rim.memo.keep(memo);
}

/// Receivers that are gone for good: none of them is expected to display a test alarm any more, until
/// it displays one. Gives those that were.
pub(crate) fn drop_screens(rim: &Rim, names: &[Name]) -> Vec<Name> {
    let mut memo = rim.memo.memo();
    let dropped: Vec<Name> =
        names.iter().filter(|name| memo.screens.remove(*name)).cloned().collect();
    if !dropped.is_empty() {
        rim.memo.keep(memo);
    }
    dropped
}

/// Ends a test alarm that an earlier life of the node left open.
pub(crate) async fn end_left_over(rim: &Rim) {
    let is_left = {
        let fan_out = rim.fan_out.borrow();
        fan_out.open().values().any(|open| open.notice.kind == AlarmKind::SelfTest)
    };
    if is_left {
        tracing::warn!("a test alarm was left open by a crash; it is ended");
        let kind = CommandKind::EndSelftest;
        let input = Input::Command(Command { by: rim.node.clone(), kind });
        let sending = rim.lanes.send(Lane::Duress, Ticketed { input, ticket: None });
        // One that is left open even so is ended by the next test.
        drop(timeout(END_WITHIN, sending).await);
    }
}
