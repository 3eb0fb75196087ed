//! A vendor's side of a session: its feed, its epoch, how far it has come.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use ach_actors_model::{Lane, NS_PER_S, SourceRef, Timestamp};
use ach_engine_shard::Input;
use ach_engine_wire::{Ack, ClockOffset, Code, Hello, LaneResume, LaneWelcome};
use tokio::sync::watch;
use tokio::time::timeout;

use super::fault::Fault;
use super::handles::Handles;
use crate::ack_table::VENDOR_LANES;
use crate::ping_buffer::PingBuffer;
use crate::rim::Rim;

/// How long to wait for the shard to decide on what an older session of the feed left. What it
/// refused altogether never counts as decided, so this only spares most of it from a new epoch.
const SETTLE_WITHIN: Duration = Duration::from_secs(1);

/// How long the shard and the disk may take to open an epoch. Longer means that the node is in
/// trouble, and the vendor tries again.
const OPEN_WITHIN: Duration = Duration::from_secs(10);

/// How often a hello looks for itself whether what it waits for has come.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// A vendor whose volatile epochs were lost with a disk may be ahead of us by this many; one that
/// claims more would use the epochs up.
const EPOCH_LEAD_MAX: u32 = 1_024;

/// A device clock this far ahead is told to its vendor; below, it is the network's jitter.
const FUTURE_NS_MAX: u64 = NS_PER_S / 2;

/// A vendor is told of its clock at most this often.
const OFFSET_EVERY_NS: u64 = 10 * NS_PER_S;

/// A vendor at work.
#[derive(Debug)]
pub(crate) struct Vendor {
    pub source: SourceRef,
    pub epoch: u32,
    pub handles: RefCell<Handles>,
    pub pings: RefCell<PingBuffer>,
    starts: [u64; 2],
    accepted_at_start: [u64; 3],
    begun: Cell<[bool; 3]>,
    offset_told_at: Cell<Timestamp>,
    acked: Cell<[Option<(u64, u64, u64)>; 3]>,
    claimed: RefCell<BTreeSet<Lane>>,
}

impl Vendor {
    /// Agrees with the vendor on an epoch: the one in force when it goes on with it, else a new
    /// one, which is on disk before this returns (or volatile, when nothing is).
    ///
    /// # Errors
    ///
    /// The node is too busy or ending.
    pub(crate) async fn agree(
        rim: &Rim,
        source: SourceRef,
        hello: &Hello,
    ) -> Result<Vendor, Fault> {
        let changed = rim.acks.borrow_mut().source(source).changed.subscribe();
        let is_settled = || rim.acks.borrow_mut().source(source).is_settled();
        // Going on unsettled costs the vendor a few refused pings that it will send again.
        let _ = wait(SETTLE_WITHIN, changed.clone(), is_settled).await;
        if !may_resume(rim, source, &hello.resume) {
            let current = rim.acks.borrow_mut().source(source).epoch;
            let lead_max = current.saturating_add(EPOCH_LEAD_MAX);
            let claimed = hello.resume.iter().map(|resume| resume.epoch);
            let claimed = claimed.filter(|&epoch| epoch <= lead_max).max().unwrap_or(0);
            let epoch = current.max(claimed).saturating_add(1);
            rim.lanes.send(Lane::Door, Input::OpenEpoch { source, epoch }).await?;
            let is_open = || rim.acks.borrow_mut().source(source).epoch >= epoch;
            wait(OPEN_WITHIN, changed, is_open).await?;
        }
        let mut acks = rim.acks.borrow_mut();
        let progress = acks.source(source);
        let after = |lane| progress.lane(lane).durable_through.saturating_add(1);
        let last = |lane| {
            let is_lane = |resume: &&LaneResume| resume.lane == lane;
            hello.resume.iter().find(is_lane).map_or(0, |resume| resume.last_seq)
        };
        let window = usize::try_from(rim.limits.ping_window).unwrap_or(usize::MAX);
        let pings =
            PingBuffer::new(source, progress.epoch, window, after(Lane::Ping), last(Lane::Ping));
        Ok(Vendor {
            source,
            epoch: progress.epoch,
            handles: RefCell::default(),
            pings: RefCell::new(pings),
            starts: [after(Lane::Duress), after(Lane::Door)],
            accepted_at_start: VENDOR_LANES.map(|lane| progress.lane(lane).accepted_through),
            begun: Cell::default(),
            offset_told_at: Cell::default(),
            acked: Cell::new([None; 3]),
            claimed: RefCell::default(),
        })
    }

    /// Takes a lane for one stream. False if another has it.
    pub(crate) fn claim(&self, lane: Lane) -> bool {
        self.claimed.borrow_mut().insert(lane)
    }

    /// The next number on a lane of reports, at the start of the session.
    pub(crate) fn start(&self, lane: Lane) -> u64 {
        let [duress, door] = self.starts;
        if lane == Lane::Duress { duress } else { door }
    }

    /// Where a lane begins whose first input has number `first_seq` and was expected to have
    /// `next_seq`. A vendor sends again what is not on disk; one that could not keep all of it, for
    /// nothing becomes durable without a disk, may leave out what was decided before this session.
    pub(crate) fn begin(&self, lane: Lane, next_seq: u64, first_seq: u64) -> u64 {
        let place = VENDOR_LANES.iter().position(|&vendor_lane| vendor_lane == lane);
        let mut begun = self.begun.get();
        let Some(has_begun) = place.and_then(|place| begun.get_mut(place)) else { return next_seq };
        let is_first = !std::mem::replace(has_begun, true);
        self.begun.set(begun);
        let accepted = place.and_then(|place| self.accepted_at_start.get(place)).unwrap_or(&0);
        let may_begin = next_seq..=accepted.saturating_add(1);
        if is_first && may_begin.contains(&first_seq) { first_seq } else { next_seq }
    }

    /// The lanes as the welcome tells them.
    pub(crate) fn welcome(&self, rim: &Rim) -> Vec<LaneWelcome> {
        let mut acks = rim.acks.borrow_mut();
        let progress = acks.source(self.source);
        VENDOR_LANES
            .into_iter()
            .map(|lane| {
                let at = progress.lane(lane);
                LaneWelcome {
                    lane,
                    epoch: self.epoch,
                    accepted_through: at.accepted_through,
                    durable_through: at.durable_through,
                    credit_through: credit_through(rim, lane, at.accepted_through),
                }
            })
            .collect()
    }

    /// Numbers up to this one may be sent.
    pub(crate) fn credit(&self, rim: &Rim, lane: Lane) -> u64 {
        let mut acks = rim.acks.borrow_mut();
        credit_through(rim, lane, acks.source(self.source).lane(lane).accepted_through)
    }

    /// Acks that say more than the last ones; those of pings only if they may be told now.
    pub(crate) fn acks(&self, rim: &Rim, are_pings_due: bool) -> Vec<Ack> {
        let mut acks = rim.acks.borrow_mut();
        let progress = acks.source(self.source);
        if progress.epoch != self.epoch {
            return Vec::new();
        }
        progress.is_ping_noted &= !are_pings_due;
        let mut told = self.acked.get();
        let mut news = Vec::new();
        for (lane, told) in VENDOR_LANES.into_iter().zip(told.iter_mut()) {
            let at = progress.lane(lane);
            let durable_through = if lane == Lane::Ping {
                self.pings.borrow_mut().tellable(at.durable_through)
            } else {
                at.durable_through
            };
            let says = (at.accepted_through, durable_through, at.totals.sum());
            if *told == Some(says) || (lane == Lane::Ping && !are_pings_due) {
                continue;
            }
            *told = Some(says);
            news.push(Ack {
                lane,
                epoch: self.epoch,
                accepted_through: at.accepted_through,
                durable_through,
                credit_through: credit_through(rim, lane, at.accepted_through),
                totals: at.totals,
            });
        }
        self.acked.set(told);
        news
    }

    /// Notices a device clock that is ahead. Returns what to tell the vendor, now and then.
    pub(crate) fn notice_clock(
        &self,
        rim: &Rim,
        observed_at: Timestamp,
        received_at: Timestamp,
    ) -> Option<ClockOffset> {
        let ahead_ns = observed_at.since_ns(received_at);
        if ahead_ns <= FUTURE_NS_MAX {
            return None;
        }
        rim.counters.inputs_from_the_future.count();
        let told_at = self.offset_told_at.get();
        if told_at != Timestamp(0) && received_at.since_ns(told_at) < OFFSET_EVERY_NS {
            return None;
        }
        self.offset_told_at.set(received_at);
        Some(ClockOffset { offset_ns: i64::try_from(ahead_ns).unwrap_or(i64::MAX) })
    }
}

fn credit_through(rim: &Rim, lane: Lane, accepted_through: u64) -> u64 {
    let is_ping = lane == Lane::Ping;
    let window = if is_ping { rim.limits.ping_window } else { rim.limits.report_window };
    accepted_through.saturating_add(u64::from(window))
}

/// A vendor may go on when it knows the epoch in force and has forgotten nothing that we decided.
fn may_resume(rim: &Rim, source: SourceRef, resume: &[LaneResume]) -> bool {
    let mut acks = rim.acks.borrow_mut();
    let progress = acks.source(source);
    let is_known = |lane| {
        let last_seq = resume.iter().find(|resume| resume.lane == lane).map(|r| r.last_seq);
        last_seq.unwrap_or(0) >= progress.lane(lane).accepted_through
    };
    progress.epoch > 0
        && !resume.is_empty()
        && resume.iter().all(|resume| resume.epoch == progress.epoch)
        && VENDOR_LANES.into_iter().all(is_known)
}

async fn wait(
    within: Duration,
    mut changed: watch::Receiver<()>,
    mut is_so: impl FnMut() -> bool,
) -> Result<(), Fault> {
    let until_so = async {
        while !is_so() {
            // Changes of the ping lane wake nobody while no session acks them.
            let change = timeout(LOOK_EVERY, changed.changed()).await;
            if change.is_ok_and(|changed| changed.is_err()) {
                break;
            }
        }
    };
    timeout(within, until_so)
        .await
        .map_err(|_| Fault::peer(Code::NotNow, "the node is busy, connect again"))
}

/// A vendor shared by the tasks of its session.
pub(crate) type SharedVendor = Rc<Vendor>;
