//! A vendor's side of a session: its feed, its epoch, how far it has come.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use ach_actors_model::{Lane, SourceRef};
use ach_engine_shard::{Input, SEQUENCE_WINDOW};
use ach_engine_wire::{Ack, Code, Hello, LaneResume, LaneWelcome};
use tokio::time::timeout;

use super::fault::Fault;
use super::handles::Handles;
use super::vendor_clock::VendorClock;
use crate::ack_table::{SourceProgress, VENDOR_LANES};
use crate::ping_buffer::PingBuffer;
use crate::planted::{PlantedBug, is_planted};
use crate::rim::Rim;

/// How long to wait for the shard to decide on what an older session of the feed left. What it
/// refused altogether never counts as decided, so this only spares most of it from a new epoch.
const SETTLE_WITHIN: Duration = Duration::from_secs(1);

/// How long the shard and the disk may take to open an epoch. Longer means that the node is in
/// trouble, and the vendor tries again.
const OPEN_WITHIN: Duration = Duration::from_secs(10);

/// A vendor whose volatile epochs were lost with a disk may be ahead of us by this many; one that
/// claims more would use the epochs up.
const EPOCH_LEAD_MAX: u32 = 1_024;

/// A vendor at work.
#[derive(Debug)]
pub(crate) struct Vendor {
    pub source: SourceRef,
    pub epoch: u32,
    pub handles: RefCell<Handles>,
    pub pings: RefCell<PingBuffer>,
    starts: [u64; 2],
    known_at_start: [u64; 3],
    begun: Cell<[bool; 3]>,
    pub clock: VendorClock,
    /// What the orders of its doors are taken with.
    pub orders_turn: u64,
    acked: Cell<[Option<(u64, u64, u64)>; 3]>,
    claimed: RefCell<BTreeSet<Lane>>,
}

impl Vendor {
    /// Agrees with the vendor on an epoch: the one in force when it goes on with it, else a new
    /// one, which is on disk before this returns (or volatile, when nothing is).
    ///
    /// # Errors
    ///
    /// The node is too busy or ending, or another connection of the feed has begun meanwhile.
    pub(crate) async fn agree(
        rim: &Rim,
        source: SourceRef,
        hello: &Hello,
        (clock, orders_turn): (VendorClock, u64),
    ) -> Result<Vendor, Fault> {
        // Going on unsettled costs the vendor a few refused pings that it will send again.
        let _ = wait(rim, source, SETTLE_WITHIN, SourceProgress::is_settled).await;
        let resumed = resumable(rim, source, &hello.resume);
        let epoch = match resumed {
            Some(epoch) => epoch,
            None => open_epoch(rim, source, &hello.resume).await?,
        };
        let mut acks = rim.acks.borrow_mut();
        let progress = acks.source(source);
        if progress.epoch != epoch {
            let detail = "another connection of this vendor has begun an epoch";
            return Err(Fault::peer(Code::WrongEpoch, detail));
        }
        let after = |lane| progress.lane(lane).durable_through.saturating_add(1);
        // What was sent in another epoch says nothing of this one.
        let sent_through = |lane| match resumed {
            Some(_) => last_sent(&hello.resume, lane),
            None => 0,
        };
        let window = usize::try_from(rim.limits.ping_window).unwrap_or(usize::MAX);
        let resent_through = sent_through(Lane::Ping);
        let pings = PingBuffer::new(source, epoch, window, after(Lane::Ping), resent_through);
        Ok(Vendor {
            source,
            epoch,
            handles: RefCell::default(),
            pings: RefCell::new(pings),
            starts: [after(Lane::Duress), after(Lane::Door)],
            known_at_start: VENDOR_LANES
                .map(|lane| progress.lane(lane).accepted_through.max(sent_through(lane))),
            begun: Cell::default(),
            clock,
            orders_turn,
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
    /// `next_seq`. A vendor sends again what is not on disk; it may leave out what was decided before
    /// this session, for it could not keep all of it while nothing became durable, and what it has
    /// sent before, for a number that a session refused is durable to the vendor and in no journal.
    pub(crate) fn begin(&self, lane: Lane, next_seq: u64, first_seq: u64) -> u64 {
        let place = VENDOR_LANES.iter().position(|&vendor_lane| vendor_lane == lane);
        let mut begun = self.begun.get();
        let Some(has_begun) = place.and_then(|place| begun.get_mut(place)) else { return next_seq };
        let is_first = !std::mem::replace(has_begun, true);
        self.begun.set(begun);
        let known = place.and_then(|place| self.known_at_start.get(place)).unwrap_or(&0);
        let may_begin = next_seq..=known.saturating_add(1);
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

    /// Tells the shard what was found out about the vendor's clock, if anything was.
    ///
    /// # Errors
    ///
    /// The node is ending.
    pub(crate) async fn tell_clock(&self, rim: &Rim) -> Result<(), Fault> {
        let Some((offset_ns, received_at)) = self.clock.take_finding() else { return Ok(()) };
        let input = Input::ClockCompared { source: self.source, offset_ns, received_at };
        Ok(rim.lanes.send(Lane::Door, input).await?)
    }

    /// Acks that say more than the last ones; those of pings only if they may be told now.
    ///
    /// # Errors
    ///
    /// Another epoch is in force, so that nothing of this session is decided on any more.
    pub(crate) fn acks(&self, rim: &Rim, are_pings_due: bool) -> Result<Vec<Ack>, Fault> {
        let mut acks = rim.acks.borrow_mut();
        let progress = acks.source(self.source);
        if progress.epoch != self.epoch {
            return Err(Fault::peer(Code::WrongEpoch, "another epoch has come into force"));
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
            let durable_through = if is_planted(PlantedBug::AcceptedSaidDurable) {
                at.accepted_through
            } else {
                durable_through
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
        Ok(news)
    }
}

fn credit_through(rim: &Rim, lane: Lane, accepted_through: u64) -> u64 {
    let is_ping = lane == Lane::Ping;
    let window = if is_ping { rim.limits.ping_window } else { rim.limits.report_window };
    accepted_through.saturating_add(u64::from(window))
}

/// So far may what a vendor says it has sent be ahead of what was decided here, where a node lost what it
/// could not store. Half of the window that the shard lets a lane jump: what is sent within the credit
/// has room in the other half.
const AHEAD_MAX: u64 = SEQUENCE_WINDOW / 2;

/// The epoch in force, if the vendor may go on with it: it knows it, has forgotten nothing that we
/// decided, is not so far ahead that the shard would refuse all it sends, and no other connection of the feed
/// has asked for a later one.
fn resumable(rim: &Rim, source: SourceRef, resume: &[LaneResume]) -> Option<u32> {
    let mut acks = rim.acks.borrow_mut();
    let progress = acks.source(source);
    let is_known = |lane| {
        let accepted = progress.lane(lane).accepted_through;
        (accepted..=accepted.saturating_add(AHEAD_MAX)).contains(&last_sent(resume, lane))
    };
    let may_resume = progress.is_epoch_certain()
        && !resume.is_empty()
        && resume.iter().all(|resume| resume.epoch == progress.epoch)
        && VENDOR_LANES.into_iter().all(is_known);
    may_resume.then_some(progress.epoch)
}

/// The last number the vendor says it has sent on a lane.
fn last_sent(resume: &[LaneResume], lane: Lane) -> u64 {
    resume.iter().find(|resume| resume.lane == lane).map_or(0, |resume| resume.last_seq)
}

/// Opens an epoch that no connection of the feed has had or asked for. Two that begin at once get
/// one each: with the same they would take each other's inputs for repetitions.
async fn open_epoch(rim: &Rim, source: SourceRef, resume: &[LaneResume]) -> Result<u32, Fault> {
    let epoch = {
        let mut acks = rim.acks.borrow_mut();
        let progress = acks.source(source);
        let current = progress.epoch.max(progress.asked_epoch);
        let lead_max = current.saturating_add(EPOCH_LEAD_MAX);
        let claimed = resume.iter().map(|resume| resume.epoch);
        let claimed = claimed.filter(|&epoch| epoch <= lead_max).max().unwrap_or(0);
        let epoch = current.max(claimed).saturating_add(1);
        progress.asked_epoch = epoch;
        epoch
    };
    rim.lanes.send(Lane::Door, Input::OpenEpoch { source, epoch }).await?;
    wait(rim, source, OPEN_WITHIN, |progress| progress.epoch >= epoch).await?;
    Ok(epoch)
}

async fn wait(
    rim: &Rim,
    source: SourceRef,
    within: Duration,
    is_so: impl Fn(&SourceProgress) -> bool,
) -> Result<(), Fault> {
    let mut changed = rim.acks.borrow_mut().source(source).changed.subscribe();
    let until_so = async {
        loop {
            {
                let mut acks = rim.acks.borrow_mut();
                let progress = acks.source(source);
                if is_so(progress) {
                    return;
                }
                // No session acks for this one yet, so nobody else says that it was noted.
                progress.is_ping_noted = false;
            }
            if changed.changed().await.is_err() {
                return;
            }
        }
    };
    timeout(within, until_so)
        .await
        .map_err(|_| Fault::peer(Code::NotNow, "the node is busy, connect again"))
}

/// A vendor shared by the tasks of its session.
pub(crate) type SharedVendor = Rc<Vendor>;
