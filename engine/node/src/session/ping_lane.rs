//! Reads a vendor's pings: checks each, keeps them in order, gives them to the shard in batches.
//!
//! What has come is taken a turn at a time, a large frame in pieces: a stream of single pings becomes batches
//! as soon as there is load, and no timer is needed. After each turn the shard decides on what was taken, before
//! more is decoded; after an alarm, and after a large turn, the connections come first. When the shard's
//! lane is full, pings gather in the session's buffer and are conflated there.

use std::ops::Range;
use std::rc::Rc;

use ach_actors_model::{Lane, NS_PER_MS, Ping, Timestamp};
use ach_engine_net::{FrameSource, StreamError};
use ach_engine_wire::{Code, Coordinates, Frame, PingReading, PingRun, RawFrame, WirePing};
use ach_geo::{Position, SiteFrame};
use tokio::task::yield_now;

use super::Session;
use super::fault::{Fault, counter};
use super::vendor::Vendor;
use crate::give_way::{rounds_for, step_behind};
use crate::ping_line::Place;

/// Pings taken in a turn before the shard decides on them: some 10 µs of work until the first's alarm is
/// with its subscribers, and 60 where nothing that a ping needs is in the core's cache. A turn costs 2 or 3 µs
/// beside; with 4 a turn that costs more than it gains.
const PINGS_A_TURN_MAX: usize = 8;

/// The same of a vendor who sends so many that what a turn costs beside counts: twice what the shard takes
/// in its turn, so that under pressure it is pings that wait here and give way, not packets in the socket.
/// Frames are taken whole then, and may hold twice as many each.
const PINGS_A_LONG_TURN_MAX: usize = 512;

/// Frames taken in a turn, should they hold few pings or none.
const FRAMES_A_TURN_MAX: usize = 1_024;

/// Over how long it is looked how many come. A vendor of 50,000 a second who was kept waiting for as long,
/// and sends all of it at once, still has short turns.
const PACE_NS: u64 = 256 * NS_PER_MS;

/// Reads the lane until the vendor ends it.
///
/// # Errors
///
/// The vendor broke the protocol or is gone, or the node is ending.
pub(crate) async fn read_pings(
    session: Rc<Session>,
    vendor: Rc<Vendor>,
    frames: FrameSource,
) -> Result<(), Fault> {
    let in_line = session.rim.ping_line.place();
    let mut intake = Intake { frames, next: None };
    let mut pace = Pace::default();
    let mut streams_told = session.rim.streams_told();
    let mut is_open = true;
    while is_open || !vendor.pings.borrow().is_empty() {
        let is_waiting = !vendor.pings.borrow().is_empty();
        let has_room = vendor.pings.borrow().room() > 0;
        let mut taken = Ok(0);
        tokio::select! {
            biased;
            room = in_line.room(), if is_waiting => room?,
            has_more = intake.has_more(), if is_open && has_room => if has_more? {
                taken = take_turn(&session, &vendor, &mut intake, &mut pace);
            } else {
                is_open = false;
            },
        }
        // What came before a fault is decided on as well.
        give(&session, &vendor, &in_line);
        let taken = taken?;
        // Who stands in line for one lane waits for no other; it is told with the next.
        if !session.rim.lanes.is_door_lane_full() {
            vendor.tell_clock(&session.rim).await?;
        }
        if taken == 0 {
            continue;
        }
        // The shard first, which has just been woken, and on the same thread tells its alarms at once.
        step_behind().await;
        let told = session.rim.streams_told();
        let has_long_turn = taken >= PINGS_A_LONG_TURN_MAX;
        let rounds = rounds_for(told.wrapping_sub(streams_told)).max(u32::from(has_long_turn));
        streams_told = told;
        for _ in 0..rounds {
            yield_now().await;
        }
    }
    Ok(())
}

/// What comes on the lane, a piece at a time.
#[derive(Debug)]
struct Intake {
    frames: FrameSource,
    next: Option<Next>,
}

/// What is taken next.
#[derive(Debug)]
enum Next {
    Frame(RawFrame),
    /// What is left of one.
    Rest(Rest),
}

/// A frame's pings, of which some were taken.
#[derive(Debug)]
struct Rest {
    run: PingRun,
    /// The first that was not.
    from: usize,
    /// When the frame was taken.
    received_at: Timestamp,
}

impl Intake {
    /// Waits until there is something to be taken; false when the vendor has ended the lane.
    async fn has_more(&mut self) -> Result<bool, StreamError> {
        if self.next.is_none() {
            self.next = self.frames.next().await?.map(Next::Frame);
        }
        Ok(self.next.is_some())
    }

    /// What has come already.
    fn take(&mut self) -> Result<Option<Next>, StreamError> {
        match self.next.take() {
            Some(next) => Ok(Some(next)),
            None => Ok(self.frames.ready()?.map(Next::Frame)),
        }
    }
}

/// How many pings a vendor sends, and therefore a turn takes.
#[derive(Debug, Clone, Copy, Default)]
struct Pace {
    since: Timestamp,
    pings: usize,
    is_long: bool,
}

impl Pace {
    /// Pings that a turn may take that begins now.
    fn turn_max(&mut self, now: Timestamp, long_turn_pings: usize) -> usize {
        if now.since_ns(self.since) >= PACE_NS {
            let is_long = self.pings >= long_turn_pings;
            *self = Pace { since: now, pings: 0, is_long };
        }
        if self.is_long { PINGS_A_LONG_TURN_MAX } else { PINGS_A_TURN_MAX }
    }

    /// A turn took so many.
    fn note(&mut self, pings: usize) {
        self.pings = self.pings.saturating_add(pings);
    }
}

/// Takes a turn's worth of what has come. Returns how many pings that was, and one at least if there was
/// a frame.
fn take_turn(
    session: &Session,
    vendor: &Vendor,
    intake: &mut Intake,
    pace: &mut Pace,
) -> Result<usize, Fault> {
    let now = session.rim.clock.now();
    let next_seq = vendor.pings.borrow().next_seq();
    session.rim.residence.begin(vendor.source, Lane::Ping, next_seq);
    vendor.handles.borrow_mut().refresh(&session.rim.site(), vendor.source);
    vendor.clock.compare_with(session.rim.has_certain_clock());
    let turn_max = pace.turn_max(now, session.rim.limits.long_turn_pings);
    let (mut taken, mut frame_count) = (0, 0);
    while taken < turn_max && frame_count < FRAMES_A_TURN_MAX && vendor.pings.borrow().room() > 0 {
        let Rest { run, from, received_at } = match intake.take()? {
            Some(Next::Rest(rest)) => rest,
            Some(Next::Frame(frame)) => {
                frame_count += 1;
                match Frame::decode(frame)? {
                    Some(Frame::Pings(run)) => Rest { run, from: 0, received_at: now },
                    None => continue,
                    Some(_) => {
                        let detail = "a ping lane carries pings alone";
                        return Err(Fault::peer(Code::UnexpectedFrame, detail));
                    }
                }
            }
            None => break,
        };
        let rest = run.pings().len().saturating_sub(from);
        let piece = if pace.is_long { rest } else { rest.min(turn_max.saturating_sub(taken)) };
        take_pings(session, vendor, &run, from..from.saturating_add(piece), received_at)?;
        taken = taken.saturating_add(piece);
        let through = from.saturating_add(piece);
        if through < run.pings().len() {
            intake.next = Some(Next::Rest(Rest { run, from: through, received_at }));
        }
    }
    pace.note(taken);
    Ok(taken.max(1))
}

/// Takes some of a frame's pings.
fn take_pings(
    session: &Session,
    vendor: &Vendor,
    run: &PingRun,
    which: Range<usize>,
    received_at: Timestamp,
) -> Result<(), Fault> {
    let taken_before = u64::try_from(which.start).unwrap_or(u64::MAX);
    let first_seq = run.first_seq().saturating_add(taken_before);
    let piece = run.pings().get(which).unwrap_or_default();
    let next_seq = vendor.pings.borrow().next_seq();
    let next_seq = session.begin_lane(vendor, Lane::Ping, next_seq, first_seq);
    vendor.pings.borrow_mut().begin_at(next_seq);
    if first_seq > next_seq {
        let detail = format!("expected number {next_seq}, got {first_seq}");
        return Err(Fault::peer(Code::SequenceGap, detail));
    }
    if run.last_seq() > vendor.credit(&session.rim, Lane::Ping) {
        return Err(Fault::peer(Code::BeyondCredit, "more pings than the credit allows"));
    }
    // What this session has had already is a duplicate whatever it says.
    let had = usize::try_from(next_seq.saturating_sub(first_seq)).unwrap_or(usize::MAX);
    let repeated = had.min(piece.len());
    if repeated > 0 {
        session.count_repeated(vendor, Lane::Ping, repeated);
    }
    let handles = vendor.handles.borrow();
    let mut pings = vendor.pings.borrow_mut();
    for wire_ping in piece.iter().skip(repeated) {
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
fn give(session: &Session, vendor: &Vendor, place: &Place) {
    if let Some(sent_through) = place.fill(&mut vendor.pings.borrow_mut()) {
        let mut acks = session.rim.acks.borrow_mut();
        acks.source(vendor.source).lane_mut(Lane::Ping).sent_through = sent_through;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use ach_actors_model::{NS_PER_S, SourceRef, TagRef};

    use super::*;
    use crate::lanes::Lanes;
    use crate::limits::NodeLimits;
    use crate::ping_buffer::{BATCH_PINGS_MAX, PingBuffer};
    use crate::ping_line::PingLine;

    #[test]
    fn turns_are_long_while_a_vendor_sends_more_than_a_hundred_thousand_a_second() {
        let long_turn_pings = NodeLimits::default().long_turn_pings;
        let mut pace = Pace::default();
        let mut at = Timestamp(NS_PER_S);
        let mut turns = |pings_a_ms: usize, length_ms: usize| {
            let mut longest = 0;
            for _ in 0..length_ms {
                at = at.plus_ns(NS_PER_MS);
                longest = longest.max(pace.turn_max(at, long_turn_pings));
                pace.note(pings_a_ms);
            }
            longest
        };
        assert_eq!(turns(50, 1_000), PINGS_A_TURN_MAX);
        assert_eq!(turns(250 * 50, 1), PINGS_A_TURN_MAX, "a quarter of a second's at once");
        assert_eq!(turns(50, 1_000), PINGS_A_TURN_MAX);
        assert_eq!(turns(110, 600), PINGS_A_LONG_TURN_MAX);
        turns(50, 600);
        assert_eq!(turns(50, 1_000), PINGS_A_TURN_MAX, "it sends less again");
    }

    /// LOAD-1 and LOAD-3: one vendor sends three times what the shard takes, within its credit, at the default limits.
    /// The unit of time is a ping.
    #[test]
    fn at_three_times_the_load_no_decision_is_older_than_the_credit_and_the_newest_get_through() {
        const TAGS: u64 = 20_000;
        const PINGS: u64 = 40 * TAGS;
        let limits = NodeLimits::default();
        let window = usize::try_from(limits.ping_window).unwrap();
        let lanes = Arc::new(Lanes::new(limits.ping_batches_max));
        let place = PingLine::new(lanes.clone()).place();
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
            place.fill(&mut buffer);
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
