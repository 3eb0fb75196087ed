//! What a frame says, as JSON that an author in any language can compare with.
//!
//! Numbers of 64 bits are decimal text, because not every language reads them from JSON exactly;
//! tags and alarm ids are hexadecimal text as people see them; words are their numbers on the wire.
//! A field that is left out is not there, a list always is.

mod answers;
mod doors;
mod service;
mod words;

use ach_actors_model::{AlarmId, Name, TagId};
use ach_engine_wire::*;
use ach_geo::Position;
use serde_json::{Map, Value, json};
use words::{lane, word};

/// The fields of a frame by the names in the spec.
pub(crate) fn fields(frame: &Frame) -> Value {
    let fields = match frame {
        Frame::Hello(it) => hello(it),
        Frame::Welcome(it) => welcome(it),
        Frame::Intern(it) => json!({
            "first_handle": it.first_handle,
            "items": it.items.iter().map(item).collect::<Vec<_>>(),
        }),
        Frame::Interned(it) => json!({
            "first_handle": it.first_handle,
            "item_count": it.item_count,
            "refused": it.refused.iter()
                .map(|refusal| json!({ "handle": refusal.handle, "code": refusal.code.value() }))
                .collect::<Vec<_>>(),
        }),
        Frame::Ack(it) => ack(it),
        Frame::Refusal(it) => refusal(it),
        Frame::Refused(it) => refused(it),
        Frame::Goodbye(it) => json!({ "code": it.code.value(), "detail": it.detail.as_str() }),
        Frame::Heartbeat(it) => json!({ "sent_at": text(it.sent_at.0) }),
        Frame::ClockOffset(it) => json!({ "offset_ns": it.offset_ns.to_string() }),
        Frame::Subscribe(it) => json!({
            "subscription": it.subscription,
            "topic": word(&it.topic),
            "filter": filter(&it.filter),
            "resume_after": it.resume_after.map(cursor),
        }),
        Frame::Unsubscribe(it) => json!({ "subscription": it.subscription }),
        Frame::Echo(it) => json!({
            "nonce": text(it.nonce),
            "subscription": it.subscription,
            "reply_bytes": it.reply_bytes,
            "padding": it.padding.bytes,
        }),
        Frame::EchoReply(it) => json!({ "nonce": text(it.nonce), "padding": it.padding.bytes }),
        Frame::Command(it) => {
            json!({ "command": text(it.command), "wish": answers::wish(&it.wish) })
        }
        Frame::Receipt(it) => receipt(it),
        Frame::StatusQuery(it) => json!({ "query": text(it.query) }),
        Frame::Status(it) => status(it),
        Frame::AlarmNote(it) => answers::alarm(it),
        Frame::AlarmSettled(it) => settled(it),
        Frame::OpenSetEnd(it) => {
            json!({ "open_count": it.open_count, "cursor": it.cursor.map(cursor) })
        }
        Frame::EventNote(it) => event(it),
        Frame::PositionNote(it) => position_note(it),
        Frame::Gap(it) => json!({
            "code": it.code.value(),
            "missed_count": it.missed_count.map(text),
            "cursor": it.cursor.map(cursor),
        }),
        Frame::Pings(run) => json!({
            "first_seq": text(run.first_seq()),
            "pings": run.pings().iter().map(|ping| reading(&ping.reading().unwrap()))
                .collect::<Vec<_>>(),
        }),
        Frame::Reports(reports) => json!({
            "reports": reports.iter().map(report).collect::<Vec<_>>(),
        }),
        service => service_fields(service),
    };
    said(fields)
}

/// Of frames that an older peer may not know.
fn service_fields(frame: &Frame) -> Value {
    match frame {
        Frame::SiteQuery(it) => json!({ "command": text(it.command) }),
        Frame::SiteOffer(it) => offer(it),
        Frame::SitePart(it) => {
            json!({ "command": text(it.command), "bytes": super::hex(it.bytes.as_slice()) })
        }
        Frame::SiteVerdict(it) => verdict(it),
        Frame::UnregisteredQuery(it) => json!({ "query": text(it.query) }),
        Frame::Unregistered(it) => unregistered(it),
        Frame::CertificateEnds(it) => json!({ "ends_at": text(it.ends_at.0) }),
        Frame::Displayed(it) => json!({
            "subscription": it.subscription,
            "through": it.through.map(cursor),
            "alarms": it.alarms.iter().map(|&id| alarm_id(id)).collect::<Vec<_>>(),
        }),
        Frame::LeaveQuery(it) => json!({ "query": text(it.query) }),
        Frame::Leaves(it) => answers::leaves(it),
        Frame::AttentionQuery(it) => json!({ "query": text(it.query) }),
        Frame::Attention(it) => service::attention(it),
        Frame::SelftestOrder(it) => {
            json!({ "command": text(it.command), "dropped": it.dropped })
        }
        Frame::SelftestReport(it) => service::selftest(it),
        Frame::DoorOrder(it) => doors::order(it),
        Frame::DoorsQuery(it) => json!({ "query": text(it.query) }),
        Frame::Doors(it) => doors::doors(it),
        Frame::QuietQuery(it) => json!({ "query": text(it.query) }),
        Frame::QuietList(it) => answers::quiet_list(it),
        other => panic!("{other:?} has no fields here yet"),
    }
}

fn offer(it: &SiteOffer) -> Value {
    json!({
        "command": text(it.command),
        "base_version": it.base_version,
        "base_digest": it.base_digest.map(|digest| digest.to_string()),
        "frame": it.frame.as_ref().map(|marks| json!({
            "origin_lon": marks.origin_lon.to_string(), "origin_lat": marks.origin_lat.to_string(),
            "x_lon": marks.x_lon.to_string(), "x_lat": marks.x_lat.to_string(),
            "y_lon": marks.y_lon.to_string(), "y_lat": marks.y_lat.to_string(),
        })),
        "total_bytes": it.total_bytes,
        "digest": it.digest.to_string(),
        "is_dry_run": it.is_dry_run,
        "may_strand": it.may_strand,
    })
}

fn verdict(it: &SiteVerdict) -> Value {
    json!({
        "command": text(it.command),
        "code": it.code.value(),
        "detail": it.detail.as_str(),
        "version": it.version,
        "digest": it.digest.map(|digest| digest.to_string()),
        "reasons": it.reasons.iter().map(Text::as_str).collect::<Vec<_>>(),
        "reason_count": it.reason_count,
        "cursor": it.cursor.map(cursor),
    })
}

fn unregistered(it: &Unregistered) -> Value {
    let one = |it: &UnregisteredTag| {
        json!({
            "feed": it.feed.as_str(), "tag": tag(it.tag), "count": text(it.count),
            "first_at": text(it.first_at.0), "last_at": text(it.last_at.0),
        })
    };
    let tags: Vec<_> = it.tags.iter().map(one).collect();
    json!({ "query": text(it.query), "tags": tags, "is_last": it.is_last })
}

fn receipt(it: &Receipt) -> Value {
    json!({
        "command": text(it.command),
        "code": it.code.value(),
        "detail": it.detail.as_str(),
        "cursor": it.cursor.map(cursor),
    })
}

fn position_note(it: &PositionNote) -> Value {
    json!({
        "tag": tag(it.tag),
        "subject": it.subject.as_ref().map(Name::as_str),
        "position": position(it.position),
        "accuracy_mm": it.accuracy_mm,
        "observed_at": text(it.observed_at.0),
        "received_at": text(it.received_at.0),
    })
}

fn refusal(it: &Refusal) -> Value {
    json!({
        "lane": lane(it.lane),
        "epoch": it.epoch,
        "first_seq": text(it.first_seq),
        "last_seq": text(it.last_seq),
        "count": text(it.count),
        "code": it.code.value(),
        "handle": it.handle,
    })
}

fn refused(it: &Refused) -> Value {
    json!({
        "code": it.code.value(),
        "lane": it.lane.map(lane),
        "seq": it.seq.map(text),
        "detail": it.detail.as_str(),
        "retry_after_ms": it.retry_after_ms,
        "subscription": it.subscription,
    })
}

fn settled(it: &AlarmSettled) -> Value {
    json!({
        "id": alarm_id(it.id),
        "transition": word(&it.transition),
        "storage": word(&it.storage),
        "cursor": it.cursor.map(cursor),
        "fencing_epoch": text(it.fencing_epoch),
    })
}

/// Without what is not there.
fn said(value: Value) -> Value {
    match value {
        Value::Object(fields) => Value::Object(
            fields
                .into_iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(name, value)| (name, said(value)))
                .collect::<Map<_, _>>(),
        ),
        Value::Array(items) => Value::Array(items.into_iter().map(said).collect()),
        other => other,
    }
}

fn text(number: u64) -> String {
    number.to_string()
}

fn tag(tag: TagId) -> String {
    format!("{:016X}", tag.0)
}

fn alarm_id(id: AlarmId) -> String {
    format!("{:032x}", id.0)
}

fn cursor(cursor: Cursor) -> Value {
    json!({ "shard": cursor.shard, "ordinal": cursor.ordinal, "index": text(cursor.index) })
}

fn position(position: Position) -> Value {
    json!({
        "x_mm": position.x_mm,
        "y_mm": position.y_mm,
        "z_mm": position.z_mm,
        "floor": position.floor.map(|floor| floor.0),
    })
}

fn thing(thing: &Thing) -> Value {
    match thing {
        Thing::Site => json!({ "kind": 0 }),
        Thing::Zone(name) => json!({ "kind": 1, "name": name.as_str() }),
        Thing::Door(name) => json!({ "kind": 2, "name": name.as_str() }),
        Thing::Line(name) => json!({ "kind": 3, "name": name.as_str() }),
        Thing::Tag(id) => json!({ "kind": 4, "tag": tag(*id) }),
        Thing::Source(name) => json!({ "kind": 5, "name": name.as_str() }),
        Thing::Anchor(name) => json!({ "kind": 6, "name": name.as_str() }),
        Thing::Subject(name) => json!({ "kind": 7, "name": name.as_str() }),
    }
}

fn item(item: &InternItem) -> Value {
    match item {
        InternItem::Tag(id) => json!({ "kind": 1, "tag": tag(*id) }),
        InternItem::Door(name) => json!({ "kind": 2, "name": name.as_str() }),
        InternItem::Anchor(name) => json!({ "kind": 3, "name": name.as_str() }),
        InternItem::Badge(name) => json!({ "kind": 4, "name": name.as_str() }),
        InternItem::Zone(name) => json!({ "kind": 5, "name": name.as_str() }),
    }
}

fn cause(cause: &WireCause) -> Value {
    match cause {
        WireCause::Input(input) => json!({ "kind": 1, "input": {
            "feed": input.source.as_str(),
            "lane": lane(input.lane),
            "epoch": input.epoch,
            "seq": text(input.seq),
        }}),
        WireCause::Deadline { due_at } => json!({ "kind": 2, "due": text(due_at.0) }),
        WireCause::SiteChange => json!({ "kind": 3 }),
        WireCause::Node => json!({ "kind": 4 }),
    }
}

fn hello(it: &Hello) -> Value {
    let resume = |resume: &LaneResume| {
        json!({
            "lane": lane(resume.lane),
            "epoch": resume.epoch,
            "last_seq": text(resume.last_seq),
        })
    };
    json!({
        "versions": it.versions,
        "client": it.client.as_str(),
        "site": it.site.as_ref().map(Name::as_str),
        "resume": it.resume.iter().map(resume).collect::<Vec<_>>(),
        "persists": it.persists,
        "sent_at": text(it.sent_at.0),
    })
}

fn welcome(it: &Welcome) -> Value {
    let at = |at: &LaneWelcome| {
        json!({
            "lane": lane(at.lane),
            "epoch": at.epoch,
            "accepted_through": text(at.accepted_through),
            "durable_through": text(at.durable_through),
            "credit_through": text(at.credit_through),
        })
    };
    json!({
        "version": it.version,
        "site": it.site.as_str(),
        "node": it.node.as_str(),
        "lanes": it.lanes.iter().map(at).collect::<Vec<_>>(),
        "server_time": text(it.server_time.0),
        "hello_sent_at": text(it.hello_sent_at.0),
        "fencing_epoch": text(it.fencing_epoch),
        "payload_bytes_max": it.payload_bytes_max,
        "batch_pings_max": it.batch_pings_max,
        "handle_count_max": it.handle_count_max,
        "is_storing": it.is_storing,
        "site_version": it.site_version,
    })
}

fn ack(it: &Ack) -> Value {
    json!({
        "lane": lane(it.lane),
        "epoch": it.epoch,
        "accepted_through": text(it.accepted_through),
        "durable_through": text(it.durable_through),
        "credit_through": text(it.credit_through),
        "totals": {
            "accepted": text(it.totals.accepted),
            "duplicate": text(it.totals.duplicate),
            "late": text(it.totals.late),
            "refused": text(it.totals.refused),
            "conflated": text(it.totals.conflated),
        },
    })
}

fn filter(it: &Filter) -> Value {
    let names =
        |names: &[Name]| names.iter().map(|name| name.as_str().to_owned()).collect::<Vec<_>>();
    json!({
        "kinds": it.kinds.iter().map(|kind| word(kind)).collect::<Vec<_>>(),
        "priorities": it.priorities.iter().map(|priority| word(priority)).collect::<Vec<_>>(),
        "zones": names(&it.zones),
        "subjects": names(&it.subjects),
        "floors": it.floors.iter().map(|floor| floor.0).collect::<Vec<_>>(),
        "tags": it.tags.iter().map(|id| tag(*id)).collect::<Vec<_>>(),
        "events": it.events.iter().map(|event| word(event)).collect::<Vec<_>>(),
        "doors": names(&it.doors),
    })
}

fn status(it: &Status) -> Value {
    let counter =
        |counter: &Counter| json!({ "name": counter.name.as_str(), "count": text(counter.count) });
    json!({
        "query": text(it.query),
        "node": it.node.as_str(),
        "site": it.site.as_str(),
        "is_storing": it.is_storing,
        "cursor": it.cursor.map(cursor),
        "counters": it.counters.iter().map(counter).collect::<Vec<_>>(),
    })
}

fn event(it: &EventNote) -> Value {
    json!({
        "word": word(&it.word),
        "at": text(it.at.0),
        "subject": it.subject.as_ref().map(Name::as_str),
        "zone": it.zone.as_ref().map(Name::as_str),
        "door": it.door.as_ref().map(Name::as_str),
        "tag": it.tag.map(tag),
        "source": it.source.as_ref().map(Name::as_str),
        "anchor": it.anchor.as_ref().map(Name::as_str),
        "occupant_count": it.occupant_count,
        "is_forced": it.is_forced,
        "site_version": it.site_version,
        "storage": word(&it.storage),
        "cursor": cursor(it.cursor),
        "practice": it.practice.map(doors::practice),
    })
}

/// What a ping says.
pub(crate) fn reading(it: &PingReading) -> Value {
    let coordinates = match it.coordinates {
        Coordinates::Local { x_mm, y_mm } => json!({ "x_mm": x_mm, "y_mm": y_mm }),
        Coordinates::Wgs84 { lon_nano_deg, lat_nano_deg } => json!({
            "longitude_nano_deg": lon_nano_deg.to_string(),
            "latitude_nano_deg": lat_nano_deg.to_string(),
        }),
    };
    let mut fields = json!({
        "handle": it.handle,
        "observed_at": text(it.observed_at.0),
        "z_mm": it.z_mm,
        "floor": it.floor.map(|floor| floor.0),
        "accuracy_mm": it.accuracy_mm,
        "battery_percent": it.battery_percent,
    });
    fields.as_object_mut().unwrap().extend(coordinates.as_object().unwrap().clone());
    said(fields)
}

fn report(it: &WireReport) -> Value {
    let (kind, valid_ms, percent) = match it.word {
        ReportWord::ButtonPressed => (1, None, None),
        ReportWord::ButtonReset => (2, None, None),
        ReportWord::BandCut => (3, None, None),
        ReportWord::BandWhole => (4, None, None),
        ReportWord::DoorOpened => (16, None, None),
        ReportWord::DoorClosed => (17, None, None),
        ReportWord::DoorLocked => (18, None, None),
        ReportWord::DoorUnlocked => (19, None, None),
        ReportWord::AccessGranted { valid_ms } => (20, Some(valid_ms), None),
        ReportWord::ExitRequested { valid_ms } => (21, Some(valid_ms), None),
        ReportWord::DoorTampered => (22, None, None),
        ReportWord::DoorUntampered => (23, None, None),
        ReportWord::ReaderTampered => (24, None, None),
        ReportWord::ReaderUntampered => (25, None, None),
        ReportWord::DoorAlive => (26, None, None),
        ReportWord::DoorLost => (27, None, None),
        ReportWord::DoorBattery { percent } => (28, None, Some(percent)),
        ReportWord::OrderDone { .. } => (29, None, None),
        ReportWord::OrderRefused { .. } => (30, None, None),
        ReportWord::FireOn => (34, None, None),
        ReportWord::FireOver => (35, None, None),
        ReportWord::LocalOverride { .. } => (36, None, None),
        ReportWord::MotionSeen => (40, None, None),
        ReportWord::AnchorAlive => (32, None, None),
        ReportWord::AnchorLost => (33, None, None),
    };
    let order = match it.word {
        ReportWord::OrderDone { number } | ReportWord::OrderRefused { number } => {
            Some(text(number))
        }
        _ => None,
    };
    let mode = match it.word {
        ReportWord::LocalOverride { mode } => Some(mode.map_or(0, doors::mode)),
        _ => None,
    };
    json!({
        "seq": text(it.seq),
        "observed_at": text(it.observed_at.0),
        "handle": it.handle,
        "kind": kind,
        "valid_ms": valid_ms,
        "percent": percent,
        "order": order,
        "mode": mode,
        "badge": it.badge,
    })
}
