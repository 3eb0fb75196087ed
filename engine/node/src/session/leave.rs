//! Leave, and bands that come off: what an order means to the shard, and who has leave.

use ach_actors_entities::Site;
use ach_actors_model::{BandWish, Escort, NS_PER_S, Name, Pass, PassWish, Place};
use ach_engine_audit::{Action, Outcome, Record};
use ach_engine_wire::{BandOrder, Code, LeaveOrder, Leaves, Thing, WireLeave};

use super::Session;
use super::fault::Fault;
use crate::audit_words;
use crate::names::Names;

/// How close an escort is if nothing is said: within an arm's reach, twice the error of most locating
/// systems, and some steps.
const WITHIN_MM: u32 = 10_000;

/// For how long an escort may be missed if nothing is said: a door held open, and a ping or two.
const GAP_NS: u64 = 30 * NS_PER_S;

/// What an order means to the shard, or why it means nothing.
pub(super) fn pass_wish(site: &Site, order: &LeaveOrder) -> Result<PassWish, (Code, &'static str)> {
    let nobody = (Code::UnknownThing, "the site has no such subject");
    let subject = |name: &Name| site.subject(name.as_str()).ok_or(nobody);
    let nowhere = (Code::UnknownThing, "the site has no such place");
    let place = |thing: &Thing| Names(site).place_of(thing).ok_or(nowhere);
    let escort = order.escort.as_ref().map(|escort| {
        Ok(Escort {
            subject: subject(escort)?,
            within_mm: order.within_mm.unwrap_or(WITHIN_MM),
            gap_ns: order.gap_ns.unwrap_or(GAP_NS),
        })
    });
    Ok(PassWish {
        subject: subject(&order.subject)?,
        for_ns: order.for_ns,
        places: order.places.iter().map(place).collect::<Result<Vec<Place>, _>>()?,
        is_until_back: order.is_until_back,
        escort: escort.transpose()?,
        person: order.person.clone(),
        reason: order.reason.clone(),
    })
}

/// The same of an order about a band.
pub(super) fn band_wish(site: &Site, order: &BandOrder) -> Result<BandWish, (Code, &'static str)> {
    let nobody = (Code::UnknownThing, "the site has no such subject or tag");
    Ok(BandWish {
        subject: site.subject(order.subject.as_str()).ok_or(nobody)?,
        tag: site.tag(order.tag).ok_or(nobody)?,
        for_ns: order.for_ns,
        person: order.person.clone(),
        reason: order.reason.clone(),
    })
}

/// Answers with who has leave. Who asks learns about people, so it is recorded as a read.
pub(super) fn answer(session: &Session, query: u64) -> Result<(), Fault> {
    let audit = &session.rim.audit;
    let objects = audit_words::leaves().into_iter().collect();
    let record = audit.record(&session.party, Action::ReadBegun, Outcome::Done);
    audit.tell_metered(Record { objects, request: Some(query), ..record });
    let site = session.rim.site();
    let passes = session.rim.passes.borrow();
    let leaves: Vec<WireLeave> = passes.values().map(|pass| wire(&site, pass)).collect();
    let mut parts = leaves.chunks(WireLeave::A_FRAME_MAX).map(<[_]>::to_vec).peekable();
    loop {
        let leaves = parts.next().unwrap_or_default();
        let is_last = parts.peek().is_none();
        session.answer(Leaves { query, leaves, is_last })?;
        if is_last {
            return Ok(());
        }
    }
}

fn wire(site: &Site, pass: &Pass) -> WireLeave {
    let names = Names(site);
    WireLeave {
        subject: names.subject(pass.subject),
        given_at: pass.given_at,
        until: pass.until,
        places: pass.places.iter().map(|&place| names.place(place)).collect(),
        is_until_back: pass.is_until_back,
        escort: pass.escort.map(|escort| names.subject(escort.subject)),
        within_mm: pass.escort.map(|escort| escort.within_mm),
        gap_ns: pass.escort.map(|escort| escort.gap_ns),
        by: pass.by.clone(),
        reason: pass.reason.clone(),
    }
}
