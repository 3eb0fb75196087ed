//! One or more of every frame, with every field set at least once.

#![allow(dead_code, reason = "each test file uses its part of the samples")]

mod answers;
mod doors;
pub(crate) mod fields;
mod kinds;
mod service;

use ach_actors_model::{
    AlarmId, AlarmKind, AlarmPriority, AlarmReason, AlarmState, AlarmTransition, DoorMode, Lane,
    Name, Practice, TagId, Timestamp,
};
use ach_engine_wire::*;
use ach_geo::{Floor, Position};
use bytes::Bytes;
use kinds::KINDS;

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

/// 2026-11-22T03:00:00Z.
const AT: Timestamp = Timestamp(1_795_316_400_000_000_000);

pub(crate) fn reading() -> PingReading {
    PingReading {
        handle: 7,
        observed_at: AT,
        coordinates: Coordinates::Local { x_mm: 12_345, y_mm: -678 },
        z_mm: Some(1_100),
        floor: Some(Floor(-150)),
        accuracy_mm: Some(150),
        battery_percent: Some(88),
    }
}

pub(crate) fn run(first_seq: u64, pings: &[WirePing]) -> PingRun {
    let mut bytes = Vec::new();
    encode_pings(first_seq, pings, &mut bytes).unwrap();
    PingRun::read(Bytes::from(bytes).slice(8..)).unwrap()
}

fn session_frames() -> Vec<(&'static str, Frame)> {
    vec![
        (
            "hello of a vendor that goes on",
            Frame::Hello(Hello {
                versions: vec![1],
                client: "demo 0.1".into(),
                site: Some(name("st-anna")),
                resume: vec![
                    LaneResume { lane: Lane::Ping, epoch: 3, last_seq: 4_711 },
                    LaneResume { lane: Lane::Duress, epoch: 3, last_seq: 0 },
                ],
                persists: true,
                sent_at: AT,
            }),
        ),
        (
            "hello of a receiver",
            Frame::Hello(Hello {
                versions: vec![2, 1],
                client: Text::default(),
                site: None,
                resume: vec![],
                persists: false,
                sent_at: Timestamp(0),
            }),
        ),
        (
            "welcome of a vendor",
            Frame::Welcome(Welcome {
                version: 1,
                site: name("st-anna"),
                node: name("node-1"),
                lanes: vec![LaneWelcome {
                    lane: Lane::Ping,
                    epoch: 3,
                    accepted_through: 4_700,
                    durable_through: 4_600,
                    credit_through: 20_000,
                }],
                server_time: AT.plus_ns(1_000),
                hello_sent_at: AT,
                fencing_epoch: 2,
                payload_bytes_max: 65_536,
                batch_pings_max: 1_024,
                handle_count_max: 1_048_576,
                is_storing: true,
                site_version: 9,
            }),
        ),
        (
            "intern of a tag, a door and an anchor",
            Frame::Intern(Intern {
                first_handle: 6,
                items: vec![
                    InternItem::Tag(TagId(0x00A1)),
                    InternItem::Tag(TagId(0xDEAD_BEEF_0000_0001)),
                    InternItem::Door(name("exit-east")),
                    InternItem::Anchor(name("anchor-17")),
                ],
            }),
        ),
        (
            "interned, one refused",
            Frame::Interned(Interned {
                first_handle: 6,
                item_count: 4,
                refused: vec![InternRefusal { handle: 7, code: Code::ForeignThing }],
            }),
        ),
    ]
}

fn answer_frames() -> Vec<(&'static str, Frame)> {
    vec![
        (
            "ack",
            Frame::Ack(Ack {
                lane: Lane::Ping,
                epoch: 3,
                accepted_through: 4_711,
                durable_through: 4_700,
                credit_through: 21_095,
                totals: LaneTotals {
                    accepted: 4_000,
                    duplicate: 500,
                    late: 100,
                    refused: 11,
                    conflated: 100,
                },
            }),
        ),
        (
            "refusal of two pings",
            Frame::Refusal(Refusal {
                lane: Lane::Ping,
                epoch: 3,
                first_seq: 12,
                last_seq: 19,
                count: 2,
                code: Code::NotANumber,
                handle: Some(7),
            }),
        ),
        (
            "refused",
            Frame::Refused(Refused {
                code: Code::NotNow,
                lane: Some(Lane::Door),
                seq: Some(4),
                detail: "the node is starting".into(),
                retry_after_ms: Some(500),
                subscription: None,
            }),
        ),
        (
            "refused subscription",
            Frame::Refused(Refused {
                code: Code::UnknownTopic,
                lane: None,
                seq: None,
                detail: "positions cannot be filtered by zones, leave it out".into(),
                retry_after_ms: None,
                subscription: Some(3),
            }),
        ),
        (
            "goodbye",
            Frame::Goodbye(Goodbye { code: Code::ShuttingDown, detail: "restarting".into() }),
        ),
        ("heartbeat", Frame::Heartbeat(Heartbeat { sent_at: AT })),
        ("clock offset", Frame::ClockOffset(ClockOffset { offset_ns: -1_500_000_000 })),
    ]
}

fn operation_frames() -> Vec<(&'static str, Frame)> {
    let filter = Filter {
        kinds: KINDS.to_vec(),
        priorities: vec![AlarmPriority::High],
        zones: vec![name("ward-3")],
        subjects: vec![name("patient-8")],
        floors: vec![Floor(100)],
        tags: vec![TagId(0xA1)],
        events: vec![EventWord::ZoneEntered],
        doors: vec![name("exit-east")],
    };
    vec![
        (
            "subscribe to alarms after a cursor",
            Frame::Subscribe(Subscribe {
                subscription: 1,
                topic: Topic::Alarms,
                filter,
                resume_after: Some(Cursor { shard: 0, index: 99, ordinal: 2 }),
            }),
        ),
        (
            "subscribe to all alarms",
            Frame::Subscribe(Subscribe {
                subscription: u32::MAX,
                topic: Topic::Alarms,
                filter: Filter::default(),
                resume_after: None,
            }),
        ),
        ("unsubscribe", Frame::Unsubscribe(Unsubscribe { subscription: 1 })),
        (
            "echo",
            Frame::Echo(Echo {
                nonce: 42,
                subscription: Some(1),
                reply_bytes: 16,
                padding: Padding { bytes: 3 },
            }),
        ),
        ("echo reply", Frame::EchoReply(EchoReply { nonce: 42, padding: Padding { bytes: 16 } })),
        (
            "command",
            Frame::Command(WireCommand {
                command: 5,
                wish: Wish::ReleaseActor(Thing::Subject(name("patient-8"))),
            }),
        ),
        (
            "receipt",
            Frame::Receipt(Receipt {
                command: 5,
                code: Code::Done,
                detail: Text::default(),
                cursor: Some(Cursor { shard: 0, index: 100, ordinal: 0 }),
            }),
        ),
        ("status query", Frame::StatusQuery(StatusQuery { query: 6 })),
        (
            "status",
            Frame::Status(Status {
                query: 6,
                node: name("node-1"),
                site: name("st-anna"),
                is_storing: false,
                cursor: None,
                counters: vec![Counter { name: name("ping_accepted_total"), count: u64::MAX }],
            }),
        ),
    ]
}

/// The state of an alarm that holds and nobody has looked at.
const OPEN: AlarmState = AlarmState(AlarmState::ACTIVE.0 | AlarmState::RETAINED.0);

fn note_frames() -> Vec<(&'static str, Frame)> {
    let cursor = Cursor { shard: 1, index: 77, ordinal: 3 };
    let note = answers::raised();
    let silent = AlarmNote {
        transition: AlarmTransition::Cleared,
        reason: Some(AlarmReason::ConditionEnded),
        kind: AlarmKind::TagSilent,
        priority: AlarmPriority::Low,
        rule: None,
        subject: None,
        place: Thing::Tag(TagId(0xA1)),
        is_tentative: false,
        is_late: true,
        is_drill: true,
        cause: WireCause::Deadline { due_at: AT },
        position: None,
        storage: Storage::Durable,
        cursor: Some(cursor),
        is_resent: true,
        state: AlarmState::default(),
        ..note.clone()
    };
    let blind = AlarmNote {
        kind: AlarmKind::TagSilent,
        priority: AlarmPriority::Low,
        tag: None,
        place: Thing::Site,
        cause: WireCause::SiteChange,
        storage: Storage::Provisional(ProvisionalReason::NoDisk),
        ..note.clone()
    };
    let test = AlarmNote {
        kind: AlarmKind::SelfTest,
        rule: None,
        place: Thing::Site,
        cause: WireCause::Node,
        ..blind.clone()
    };
    vec![
        ("alarm note, provisional", Frame::AlarmNote(note.clone())),
        ("alarm note, durable", Frame::AlarmNote(silent)),
        ("alarm note of one that was answered", answers::answered(&note, cursor)),
        ("alarm note of a self-test", Frame::AlarmNote(test)),
        ("alarm note of a node without a disk", Frame::AlarmNote(blind)),
        (
            "alarm settled",
            Frame::AlarmSettled(AlarmSettled {
                id: note.id,
                transition: note.transition,
                storage: Storage::Durable,
                cursor: Some(cursor),
                fencing_epoch: 2,
            }),
        ),
        (
            "alarm withdrawn",
            Frame::AlarmSettled(AlarmSettled {
                id: note.id,
                transition: note.transition,
                storage: Storage::Withdrawn,
                cursor: None,
                fencing_epoch: 3,
            }),
        ),
        ("open set end", Frame::OpenSetEnd(OpenSetEnd { open_count: 2, cursor: Some(cursor) })),
        (
            "open set end, nothing stored yet",
            Frame::OpenSetEnd(OpenSetEnd { open_count: 0, cursor: None }),
        ),
    ]
}

fn event_frames() -> Vec<(&'static str, Frame)> {
    let cursor = Cursor { shard: 1, index: 77, ordinal: 3 };
    vec![
        (
            "event note",
            Frame::EventNote(EventNote {
                word: EventWord::ZoneEntered,
                at: AT,
                subject: Some(name("patient-8")),
                zone: Some(name("ward-3")),
                door: Some(name("exit-east")),
                tag: Some(TagId(0xA1)),
                source: Some(name("uwb")),
                anchor: Some(name("anchor-17")),
                occupant_count: Some(4),
                is_forced: Some(true),
                site_version: Some(9),
                storage: Storage::Provisional(ProvisionalReason::NoDisk),
                cursor,
                practice: Some(Practice::Drill),
            }),
        ),
        (
            "position note",
            Frame::PositionNote(PositionNote {
                tag: TagId(0xA1),
                subject: None,
                position: Position { x_mm: i32::MIN, y_mm: i32::MAX, z_mm: Some(-1), floor: None },
                accuracy_mm: 0,
                observed_at: AT,
                received_at: AT,
            }),
        ),
        (
            "gap",
            Frame::Gap(Gap { code: Code::TooSlow, missed_count: Some(12), cursor: Some(cursor) }),
        ),
    ]
}

fn lane_frames() -> Vec<(&'static str, Frame)> {
    let local = WirePing::new(&reading());
    let global = WirePing::new(&PingReading {
        coordinates: Coordinates::Wgs84 {
            lon_nano_deg: 13_377_704_123,
            lat_nano_deg: 52_516_275_000,
        },
        z_mm: None,
        floor: None,
        accuracy_mm: None,
        battery_percent: None,
        ..reading()
    });
    let words = [
        ReportWord::ButtonPressed,
        ReportWord::ButtonReset,
        ReportWord::BandCut,
        ReportWord::BandWhole,
        ReportWord::DoorOpened,
        ReportWord::DoorClosed,
        ReportWord::DoorLocked,
        ReportWord::DoorUnlocked,
        ReportWord::AccessGranted { valid_ms: 5_000 },
        ReportWord::ExitRequested { valid_ms: 8_000 },
        ReportWord::AnchorAlive,
        ReportWord::AnchorLost,
        ReportWord::DoorTampered,
        ReportWord::DoorUntampered,
        ReportWord::ReaderTampered,
        ReportWord::ReaderUntampered,
        ReportWord::DoorAlive,
        ReportWord::DoorLost,
        ReportWord::DoorBattery { percent: 100 },
        ReportWord::OrderDone { number: 1_795_316_400_000_000_007 },
        ReportWord::OrderRefused { number: 1 },
        ReportWord::FireOn,
        ReportWord::FireOver,
        ReportWord::LocalOverride { mode: Some(DoorMode::Locked) },
        ReportWord::LocalOverride { mode: None },
        ReportWord::MotionSeen,
    ];
    let reports = (1..).zip(words).map(|(seq, word)| WireReport {
        seq,
        observed_at: AT,
        handle: 8,
        badge: None,
        word,
    });
    let to_badges = [0, 10, u32::MAX - 1].into_iter().zip(1..).map(|(badge, seq)| WireReport {
        seq,
        observed_at: AT,
        handle: 8,
        badge: Some(badge),
        word: ReportWord::AccessGranted { valid_ms: 5_000 },
    });
    let badge = InternItem::Badge(name("card-4711"));
    let zone = InternItem::Zone(name("drug-store"));
    vec![
        ("a ping", Frame::Pings(run(1, &[local]))),
        ("two pings, one global", Frame::Pings(run(4_711, &[local, global]))),
        ("reports of every kind", Frame::Reports(reports.collect())),
        ("grants to badges", Frame::Reports(to_badges.collect())),
        ("intern of a badge", Frame::Intern(Intern { first_handle: 10, items: vec![badge] })),
        ("intern of a zone", Frame::Intern(Intern { first_handle: 11, items: vec![zone] })),
    ]
}

pub(crate) fn frames() -> Vec<(&'static str, Frame)> {
    [
        session_frames(),
        answer_frames(),
        operation_frames(),
        answers::commands(),
        answers::quiet(),
        note_frames(),
        event_frames(),
        lane_frames(),
        [service::frames(), doors::frames()].concat(),
    ]
    .concat()
}

pub(crate) fn encoded(frame: &Frame) -> Vec<u8> {
    let mut bytes = Vec::new();
    frame.encode(&mut bytes).unwrap();
    bytes
}

/// Reads one frame and nothing after it.
pub(crate) fn decoded(bytes: &[u8]) -> Result<Option<Frame>, WireError> {
    let mut reader = FrameReader::new();
    reader.push(Bytes::copy_from_slice(bytes));
    match reader.take()? {
        Some(raw) => {
            assert!(!reader.is_within_frame(), "one frame, no more");
            Frame::decode(raw)
        }
        None => Err(WireError::Length { part: "the test's bytes", bytes: bytes.len() }),
    }
}
