//! Reads a vendor's pings: checks each, keeps them in order, gives them to the shard in batches.
//!
//! All that one wake-up brought is taken together, so a stream of single pings becomes batches as
//! soon as there is load, and no timer is needed. When the shard's lane is full, pings gather in
//! the session's buffer and are conflated there.

use std::rc::Rc;

use ach_actors_model::{Lane, Ping, Timestamp};
use ach_engine_net::FrameSource;
use ach_engine_wire::{Code, Coordinates, Frame, PingReading, PingRun, RawFrame, WirePing};
use ach_geo::{Position, SiteFrame};
use tokio::task::yield_now;

use super::Session;
use super::fault::{Fault, counter};
use super::vendor::Vendor;
use crate::lanes::Lanes;
use crate::ping_buffer::PingBuffer;

/// Frames taken before the shard gets them, so that a flood of tiny frames cannot keep this task
/// from giving others their turn: some 200 µs of work.
const FRAMES_A_TURN_MAX: usize = 1_024;

/// Pings taken before others get their turn: some 50 µs of work, and twice what the shard takes in its
/// turn, so that under pressure it is pings that wait here and give way, not packets in the socket.
/// Frames may hold twice as many each.
const PINGS_A_TURN_MAX: usize = 512;

/// Reads the lane until the vendor ends it.
///
/// # Errors
///
/// The vendor broke the protocol or is gone, or the node is ending.
pub(crate) async fn read_pings(
    session: Rc<Session>,
    vendor: Rc<Vendor>,
    mut frames: FrameSource,
) -> Result<(), Fault> {
    let lanes = session.rim.lanes.clone();
    let mut is_open = true;
    while is_open || !vendor.pings.borrow().is_empty() {
        let is_waiting = !vendor.pings.borrow().is_empty();
        let has_room = vendor.pings.borrow().room() > 0;
        let mut taken = 0;
        tokio::select! {
            biased;
            room = lanes.ping_room(), if is_waiting => room?,
            frame = frames.next(), if is_open && has_room => match frame? {
                Some(frame) => taken = take_frames(&session, &vendor, &mut frames, frame)?,
                None => is_open = false,
            },
        }
        give(&session, &vendor);
        vendor.tell_clock(&session.rim).await?;
        if taken >= PINGS_A_TURN_MAX {
            yield_now().await;
        }
    }
    Ok(())
}

fn take_frames(
    session: &Session,
    vendor: &Vendor,
    frames: &mut FrameSource,
    first: RawFrame,
) -> Result<usize, Fault> {
    let received_at = session.rim.clock.now();
    session.rim.residence.begin(received_at);
    vendor.handles.borrow_mut().refresh(&session.rim.site(), vendor.source);
    vendor.clock.compare_with(session.rim.has_certain_clock());
    let mut taken = take_frame(session, vendor, first, received_at)?;
    for _ in 1..FRAMES_A_TURN_MAX {
        if taken >= PINGS_A_TURN_MAX || vendor.pings.borrow().room() == 0 {
            break;
        }
        match frames.ready()? {
            Some(frame) => taken += take_frame(session, vendor, frame, received_at)?,
            None => break,
        }
    }
    Ok(taken)
}

fn take_frame(
    session: &Session,
    vendor: &Vendor,
    frame: RawFrame,
    received_at: Timestamp,
) -> Result<usize, Fault> {
    match Frame::decode(frame)? {
        Some(Frame::Pings(run)) => {
            take_run(session, vendor, &run, received_at)?;
            Ok(run.pings().len())
        }
        Some(_) => Err(Fault::peer(Code::UnexpectedFrame, "a ping lane carries pings alone")),
        None => Ok(0),
    }
}

fn take_run(
    session: &Session,
    vendor: &Vendor,
    run: &PingRun,
    received_at: Timestamp,
) -> Result<(), Fault> {
    let next_seq = vendor.pings.borrow().next_seq();
    let next_seq = session.begin_lane(vendor, Lane::Ping, next_seq, run.first_seq());
    vendor.pings.borrow_mut().begin_at(next_seq);
    if run.first_seq() > next_seq {
        let detail = format!("expected number {next_seq}, got {}", run.first_seq());
        return Err(Fault::peer(Code::SequenceGap, detail));
    }
    if run.last_seq() > vendor.credit(&session.rim, Lane::Ping) {
        return Err(Fault::peer(Code::BeyondCredit, "more pings than the credit allows"));
    }
    // What this session has had already is a duplicate whatever it says.
    let had = usize::try_from(next_seq.saturating_sub(run.first_seq())).unwrap_or(usize::MAX);
    let repeated = had.min(run.pings().len());
    if repeated > 0 {
        session.count_repeated(vendor, Lane::Ping, repeated);
    }
    let handles = vendor.handles.borrow();
    let mut pings = vendor.pings.borrow_mut();
    for wire_ping in run.pings().iter().skip(repeated) {
        let read = read_ping(wire_ping, session.rim.frame.as_ref());
        match read.and_then(|(reading, position)| {
            Ok(Ping {
                tag: handles.tag(reading.handle)?,
                seq_offset: 0,
                observed_at: reading.observed_at,
                position,
                accuracy_mm: reading.accuracy_mm.unwrap_or(0),
                battery_percent: reading.battery_percent,
            })
        }) {
            Ok(ping) => {
                session.notice_clock(vendor, ping.observed_at, received_at)?;
                pings.push(ping, received_at);
            }
            Err(code) => {
                refuse(session, vendor, pings.next_seq(), code, wire_ping.handle());
                pings.refuse(received_at);
            }
        }
    }
    Ok(())
}

fn refuse(session: &Session, vendor: &Vendor, seq: u64, code: Code, handle: u32) {
    if let Some(counter) = counter(&session.rim.counters, code) {
        counter.count();
    }
    session.refuse(vendor, Lane::Ping, seq, code, handle);
}

/// What a ping says, in the site's own frame.
fn read_ping(
    wire_ping: &WirePing,
    frame: Option<&SiteFrame>,
) -> Result<(PingReading, Position), Code> {
    let reading = wire_ping.reading()?;
    let (x_mm, y_mm) = match reading.coordinates {
        Coordinates::Local { x_mm, y_mm } => (x_mm, y_mm),
        Coordinates::Wgs84 { lon_nano_deg, lat_nano_deg } => {
            let frame = frame.ok_or(Code::NoGeoreference)?;
            frame
                .to_local_mm(degrees(lon_nano_deg), degrees(lat_nano_deg))
                .map_err(|_| Code::OutOfRange)?
        }
    };
    let position = Position { x_mm, y_mm, z_mm: reading.z_mm, floor: reading.floor };
    Ok((reading, position))
}

/// Degrees of billionths of a degree: 180 of them are exact in an `f64` to 1e-13 degrees.
#[expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "at most 180e9, far below 2^53; there is no `From`"
)]
fn degrees(nano_deg: i64) -> f64 {
    nano_deg as f64 / 1e9
}

/// Gives the shard what it has room for.
fn give(session: &Session, vendor: &Vendor) {
    let sent_through = fill(&session.rim.lanes, &mut vendor.pings.borrow_mut());
    if let Some(sent_through) = sent_through {
        let mut acks = session.rim.acks.borrow_mut();
        acks.source(vendor.source).lane_mut(Lane::Ping).sent_through = sent_through;
    }
}

/// Fills the ping lane from a session's buffer; what has no room there may give way to what is newer.
/// Says up to which number the shard was given pings.
fn fill(lanes: &Lanes, pings: &mut PingBuffer) -> Option<u64> {
    let mut sent_through = None;
    while !lanes.is_ping_lane_full() {
        let Some(batch) = pings.take() else { return sent_through };
        let last_seq = batch.last_seq;
        // Only this thread puts batches on the lane, so there is still room.
        if lanes.offer_pings(batch).is_err() {
            tracing::error!("the ping lane was full after all; this is a bug, please report it");
            return sent_through;
        }
        sent_through = Some(last_seq);
    }
    pings.conflate();
    sent_through
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use ach_actors_model::{SourceRef, TagRef};

    use super::*;
    use crate::limits::NodeLimits;
    use crate::ping_buffer::BATCH_PINGS_MAX;

    /// One vendor sends three times what the shard takes, within its credit, at the default limits.
    /// The unit of time is a ping.
    #[test]
    fn at_three_times_the_load_no_decision_is_older_than_the_credit_and_the_newest_get_through() {
        const TAGS: u64 = 20_000;
        const PINGS: u64 = 40 * TAGS;
        let limits = NodeLimits::default();
        let window = usize::try_from(limits.ping_window).unwrap();
        let lanes = Lanes::new(limits.ping_batches_max);
        let mut buffer = PingBuffer::new(SourceRef(0), 1, window, 1, 0);
        let (mut sent, mut accepted_through, mut stood_for) = (0, 0, 0);
        let (mut conflated, mut turns, mut stopped, mut oldest) = (0_u64, 0, 0, 0);
        let mut newest: BTreeMap<u32, u64> = BTreeMap::new();
        loop {
            turns += 1;
            for _ in 0..BATCH_PINGS_MAX * 3 {
                if sent == PINGS {
                    break;
                }
                if sent == accepted_through + u64::from(limits.ping_window) {
                    stopped += 1;
                    break;
                }
                sent += 1;
                let ping = Ping {
                    tag: TagRef(u32::try_from(sent % TAGS).unwrap()),
                    seq_offset: 0,
                    observed_at: Timestamp(sent),
                    position: Position { x_mm: 0, y_mm: 0, z_mm: None, floor: None },
                    accuracy_mm: 0,
                    battery_percent: None,
                };
                buffer.push(ping, Timestamp(sent));
            }
            fill(&lanes, &mut buffer);
            let Some(batch) = lanes.pop_pings() else { break };
            assert_eq!(batch.first_seq, accepted_through + 1);
            accepted_through = batch.last_seq;
            stood_for += u64::from(batch.conflated_count);
            stood_for += u64::try_from(batch.pings.len()).unwrap();
            conflated += u64::from(batch.conflated_count);
            for ping in &batch.pings {
                oldest = oldest.max(sent - ping.observed_at.0);
                newest.insert(ping.tag.0, ping.observed_at.0);
            }
        }
        assert_eq!((stood_for, accepted_through), (PINGS, PINGS), "every number is counted");
        assert!(stopped * 10 < turns, "the credit stopped the vendor {stopped} times of {turns}");
        assert!(conflated > PINGS / 3, "{conflated} of {PINGS}");
        assert!(oldest < u64::from(limits.ping_window), "{oldest} pings old");
        assert_eq!(newest.len(), usize::try_from(TAGS).unwrap());
        assert!(newest.values().all(|&at| at > PINGS - TAGS), "the newest of each tag");
    }
}
