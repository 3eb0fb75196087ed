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

/// Frames taken before the shard gets them, so that a flood of tiny frames cannot keep this task
/// from giving others their turn: some 200 µs of work.
const FRAMES_A_TURN_MAX: usize = 1_024;

/// Pings taken before others get their turn: some 100 µs of work. Frames may hold as many each.
const PINGS_A_TURN_MAX: usize = 1_024;

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
    let mut pings = vendor.pings.borrow_mut();
    let lanes = &session.rim.lanes;
    while !lanes.is_ping_lane_full() {
        let Some(batch) = pings.take() else { return };
        let sent_through = batch.last_seq;
        // Only this thread puts batches on the lane, so there is still room.
        if lanes.offer_pings(batch).is_err() {
            tracing::error!("the ping lane was full after all; this is a bug, please report it");
            return;
        }
        let mut acks = session.rim.acks.borrow_mut();
        acks.source(vendor.source).lane_mut(Lane::Ping).sent_through = sent_through;
    }
    pings.conflate();
}
