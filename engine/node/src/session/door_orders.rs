//! Tells a vendor what its doors are to do, and an operator how doors stand.

use ach_actors_entities::Site;
use ach_actors_model::{DoorOrder, DoorRef, DoorScope, DoorStanding, Emergency, SourceRef};
use ach_engine_net::FrameSink;
use ach_engine_wire::{Doors, WireDoor, WireDoorOrder, WireEmergency};

use super::Session;
use super::fault::Fault;
use crate::names::Names;
use crate::notes::FENCING_EPOCH;

/// Doors in one part of an answer: some 200 bytes each.
const DOORS_A_PART: usize = 128;

/// Writes the orders that wait for a vendor. Returns whether there were any.
///
/// # Errors
///
/// The peer is gone.
pub(super) fn tell(
    session: &Session,
    (source, turn): (SourceRef, u64),
    sink: &mut FrameSink,
) -> Result<bool, Fault> {
    let rim = &session.rim;
    let (orders, has_more) = rim.doors.borrow_mut().take(source, turn);
    let site = rim.site();
    for (door, order) in &orders {
        sink.push(&wire_order(&site, *door, order).into())?;
        rim.counters.door_orders_told.count();
    }
    if has_more {
        rim.acks.borrow_mut().source(source).changed.send_replace(());
    }
    Ok(!orders.is_empty())
}

/// Answers with how doors stand, and what is declared.
///
/// # Errors
///
/// The peer reads no answers.
pub(super) fn answer(session: &Session, query: u64) -> Result<(), Fault> {
    let rim = &session.rim;
    let site = rim.site();
    let connected = rim.connected_feeds();
    let is_connected =
        |door: DoorRef| site.door_source(door).is_some_and(|source| connected.contains(&source));
    let table = rim.doors.borrow();
    // Those as well that have told nothing yet: whoever asks which doors there are must not miss the silent ones.
    let has_feed = |door: &DoorRef| site.door_source(*door).is_some();
    let doors = (0..).map(DoorRef).take(site.door_ref_count()).filter(has_feed);
    let silent = doors.filter(|door| !table.has(*door)).map(DoorStanding::unknown);
    let mut doors: Vec<WireDoor> = silent
        .chain(table.standings().copied())
        .map(|it| wire_door(&site, &it, is_connected(it.door)))
        .collect();
    doors.sort_by(|a, b| a.door.cmp(&b.door));
    let mut emergencies: Vec<WireEmergency> =
        table.emergencies().map(|it| wire_emergency(&site, it)).collect();
    let mut parts = doors.chunks(DOORS_A_PART).map(<[_]>::to_vec).peekable();
    loop {
        let doors = parts.next().unwrap_or_default();
        let is_last = parts.peek().is_none();
        let emergencies = std::mem::take(&mut emergencies);
        session.answer(Doors { query, doors, emergencies, is_last })?;
        if is_last {
            return Ok(());
        }
    }
}

fn wire_order(site: &Site, door: DoorRef, order: &DoorOrder) -> WireDoorOrder {
    WireDoorOrder {
        door: Names(site).door(door),
        number: order.number,
        mode: order.mode,
        slot: order.slot,
        given_at: order.given_at,
        until: order.until,
        is_drill: order.is_drill,
        fencing_epoch: FENCING_EPOCH,
    }
}

fn wire_door(site: &Site, standing: &DoorStanding, is_connected: bool) -> WireDoor {
    WireDoor {
        door: Names(site).door(standing.door),
        is_open: standing.is_open,
        is_locked: standing.is_locked,
        order: standing.order.map(|order| wire_order(site, standing.door, &order)),
        answer: standing.answer,
        is_connected,
        is_fire_told: standing.is_fire_told,
    }
}

fn wire_emergency(site: &Site, emergency: &Emergency) -> WireEmergency {
    let (zone, label) = match &emergency.scope {
        DoorScope::Site => (None, None),
        DoorScope::Zone(zone) => (Some(Names(site).zone(*zone)), None),
        DoorScope::Label(label) => (None, Some(label.clone())),
    };
    WireEmergency {
        kind: emergency.kind,
        zone,
        label,
        practice: emergency.practice,
        by: emergency.by.clone(),
        remark: emergency.remark.clone(),
        since: emergency.since,
        until: emergency.until,
        door_count: emergency.door_count,
    }
}
