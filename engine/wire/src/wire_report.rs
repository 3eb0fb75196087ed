//! What doors, buttons, bands, anchors and detectors report: 32 bytes each.
//!
//! A frame is `u32 count, u32 0` and then
//!
//! ```text
//!  0 u64 seq
//!  8 u64 observed_at, ns UTC
//! 16 u32 handle      20 u8 kind     21 three zeros
//! 24 u64 valid_ms (grants and requests; of a grant the lower half alone, the upper is the handle of the
//!        badge and 1, or 0), percent (batteries), the number of an order, a mode (key switches; 0 is
//!        none), else zero
//! ```

use ach_actors_model::{DoorMode, Lane, Timestamp};
use zerocopy::little_endian::{U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::header::put_frame;
use crate::limits::BATCH_REPORTS_MAX;
use crate::{FrameType, WireError};

/// Bytes of a report.
pub const REPORT_BYTES: usize = 32;

const REPORTS_HEADER_BYTES: usize = 8;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReportWord {
    /// A duress button was pressed.
    ButtonPressed,
    /// A duress button was reset by its bearer.
    ButtonReset,
    /// A band was cut or a tag tampered with.
    BandCut,
    /// The band is whole again.
    BandWhole,
    /// The door's position switch opened.
    DoorOpened,
    /// The door's position switch closed.
    DoorClosed,
    /// The lock has thrown.
    DoorLocked,
    /// The lock has drawn back.
    DoorUnlocked,
    /// The reader granted access.
    AccessGranted {
        /// For how long, in milliseconds.
        valid_ms: u32,
    },
    /// Somebody asked to leave.
    ExitRequested {
        /// For how long, in milliseconds.
        valid_ms: u32,
    },
    /// An anchor works.
    AnchorAlive,
    /// An anchor is lost.
    AnchorLost,
    /// The door's housing, or that of its controller, was opened or torn off.
    DoorTampered,
    /// The door's housing is whole again.
    DoorUntampered,
    /// The door's reader was opened or torn off.
    ReaderTampered,
    /// The door's reader is whole again.
    ReaderUntampered,
    /// The door works and has nothing else to say.
    DoorAlive,
    /// The system of doors has lost the door.
    DoorLost,
    /// How full the door's battery is.
    DoorBattery {
        /// Percent.
        percent: u8,
    },
    /// The controller has done what it was told.
    OrderDone {
        /// The number of the order.
        number: u64,
    },
    /// The controller does not do what it was told, or cannot.
    OrderRefused {
        /// The number of the order.
        number: u64,
    },
    /// The fire input of the door's controller is on.
    FireOn,
    /// It is off again.
    FireOver,
    /// A key switch at the door has taken it over.
    LocalOverride {
        /// What the door does now; nothing if the switch has given it back.
        mode: Option<DoorMode>,
    },
    /// Something moves in the zone. Said again while it goes on.
    MotionSeen,
}

/// The kind of a grant.
const GRANT: u8 = 20;

/// A full battery.
const PERCENT_MAX: u64 = 100;

impl ReportWord {
    /// The lane that carries it.
    pub fn lane(self) -> Lane {
        match self {
            ReportWord::ButtonPressed
            | ReportWord::ButtonReset
            | ReportWord::BandCut
            | ReportWord::BandWhole => Lane::Duress,
            _ => Lane::Door,
        }
    }

    fn bytes(self) -> (u8, u64) {
        match self {
            ReportWord::ButtonPressed => (1, 0),
            ReportWord::ButtonReset => (2, 0),
            ReportWord::BandCut => (3, 0),
            ReportWord::BandWhole => (4, 0),
            ReportWord::DoorOpened => (16, 0),
            ReportWord::DoorClosed => (17, 0),
            ReportWord::DoorLocked => (18, 0),
            ReportWord::DoorUnlocked => (19, 0),
            ReportWord::AccessGranted { valid_ms } => (GRANT, u64::from(valid_ms)),
            ReportWord::ExitRequested { valid_ms } => (21, u64::from(valid_ms)),
            ReportWord::AnchorAlive => (32, 0),
            ReportWord::AnchorLost => (33, 0),
            ReportWord::DoorTampered => (22, 0),
            ReportWord::DoorUntampered => (23, 0),
            ReportWord::ReaderTampered => (24, 0),
            ReportWord::ReaderUntampered => (25, 0),
            ReportWord::DoorAlive => (26, 0),
            ReportWord::DoorLost => (27, 0),
            ReportWord::DoorBattery { percent } => (28, u64::from(percent)),
            ReportWord::OrderDone { number } => (29, number),
            ReportWord::OrderRefused { number } => (30, number),
            ReportWord::FireOn => (34, 0),
            ReportWord::FireOver => (35, 0),
            ReportWord::LocalOverride { mode } => (36, mode.map_or(0, mode_number)),
            ReportWord::MotionSeen => (40, 0),
        }
    }

    fn read(kind: u8, number: u64) -> Result<ReportWord, WireError> {
        if kind == GRANT {
            return Ok(ReportWord::AccessGranted { valid_ms: lower_half(number) });
        }
        let wrong_time = WireError::Value { part: "how long a door may be opened" };
        let word = match kind {
            1 => ReportWord::ButtonPressed,
            2 => ReportWord::ButtonReset,
            3 => ReportWord::BandCut,
            4 => ReportWord::BandWhole,
            16 => ReportWord::DoorOpened,
            17 => ReportWord::DoorClosed,
            18 => ReportWord::DoorLocked,
            19 => ReportWord::DoorUnlocked,
            21 => {
                let valid_ms = u32::try_from(number).map_err(|_| wrong_time)?;
                return Ok(ReportWord::ExitRequested { valid_ms });
            }
            22 => ReportWord::DoorTampered,
            23 => ReportWord::DoorUntampered,
            24 => ReportWord::ReaderTampered,
            25 => ReportWord::ReaderUntampered,
            26 => ReportWord::DoorAlive,
            27 => ReportWord::DoorLost,
            28 => {
                let percent = u8::try_from(number).ok().filter(|_| number <= PERCENT_MAX);
                let wrong = WireError::Value { part: "a battery's percent" };
                return percent.map(|percent| ReportWord::DoorBattery { percent }).ok_or(wrong);
            }
            29 | 30 if number == 0 => return Err(WireError::Value { part: "an order's number" }),
            29 => return Ok(ReportWord::OrderDone { number }),
            30 => return Ok(ReportWord::OrderRefused { number }),
            32 => ReportWord::AnchorAlive,
            33 => ReportWord::AnchorLost,
            34 => ReportWord::FireOn,
            35 => ReportWord::FireOver,
            36 => {
                let modes = [DoorMode::Unlocked, DoorMode::Locked, DoorMode::Blocked];
                let mode = modes.into_iter().find(|&mode| mode_number(mode) == number);
                let is_known = mode.is_some() || number == 0;
                let wrong = WireError::Value { part: "what a key switch does" };
                return is_known.then_some(ReportWord::LocalOverride { mode }).ok_or(wrong);
            }
            40 => ReportWord::MotionSeen,
            _ => return Err(WireError::Value { part: "a report's kind" }),
        };
        if number != 0 {
            return Err(WireError::ReservedNotZero { part: "a report" });
        }
        Ok(word)
    }

    /// Whether its number is one that a report of its kind may have.
    fn is_sound(self) -> bool {
        match self {
            ReportWord::DoorBattery { percent } => u64::from(percent) <= PERCENT_MAX,
            ReportWord::OrderDone { number } | ReportWord::OrderRefused { number } => number > 0,
            _ => true,
        }
    }
}

/// What the lower 32 bits say.
fn lower_half(number: u64) -> u32 {
    u32::try_from(number & u64::from(u32::MAX)).unwrap_or(u32::MAX)
}

/// A mode as a key switch tells it; the same numbers as everywhere.
fn mode_number(mode: DoorMode) -> u64 {
    match mode {
        DoorMode::Unlocked => 1,
        DoorMode::Locked => 2,
        DoorMode::Blocked => 3,
    }
}

/// One report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct WireReport {
    /// Its sequence number on the lane; numbers start at 1.
    pub seq: u64,
    /// When it happened, by the device's clock.
    pub observed_at: Timestamp,
    /// The tag, door, anchor or zone, by its handle on this connection.
    pub handle: u32,
    /// The badge that a grant was given to, by its handle.
    pub badge: Option<u32>,
    /// What happened.
    pub word: ReportWord,
}

impl WireReport {
    /// Whether it names a badge only where one may be named, and one that can be.
    fn has_sound_badge(&self) -> bool {
        let is_grant = matches!(self.word, ReportWord::AccessGranted { .. });
        self.badge.is_none_or(|badge| is_grant && badge < u32::MAX)
    }
}

#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct ReportBytes {
    seq: U64,
    observed_at: U64,
    handle: U32,
    kind: u8,
    zero: [u8; 3],
    number: U64,
}

const _: () = assert!(size_of::<ReportBytes>() == REPORT_BYTES);

/// Appends a frame of reports.
///
/// # Errors
///
/// None or more than [`BATCH_REPORTS_MAX`] reports.
pub fn encode_reports(reports: &[WireReport], out: &mut Vec<u8>) -> Result<(), WireError> {
    const PART: &str = "a report frame";
    if reports.len() > BATCH_REPORTS_MAX {
        return Err(WireError::TooMany { part: PART, max: BATCH_REPORTS_MAX });
    }
    let is_wrong = |report: &WireReport| {
        report.seq == 0 || !report.word.is_sound() || !report.has_sound_badge()
    };
    if reports.is_empty() || reports.iter().any(is_wrong) {
        return Err(WireError::Value { part: PART });
    }
    put_frame(FrameType::Reports.value(), out, |out| {
        let count = u32::try_from(reports.len()).unwrap_or(u32::MAX);
        out.extend_from_slice(&count.to_le_bytes());
        out.extend_from_slice(&[0; 4]);
        for report in reports {
            let (kind, number) = report.word.bytes();
            let badge = report.badge.map_or(0, |badge| u64::from(badge) + 1);
            let bytes = ReportBytes {
                seq: U64::new(report.seq),
                observed_at: U64::new(report.observed_at.0),
                handle: U32::new(report.handle),
                kind,
                zero: [0; 3],
                number: U64::new(number | (badge << 32)),
            };
            out.extend_from_slice(bytes.as_bytes());
        }
        Ok(())
    })
}

/// Reads the payload of a frame of reports.
///
/// # Errors
///
/// A count of none or too many, a length that does not fit the count, reserved bytes that are not
/// zero, an unknown kind.
pub fn decode_reports(payload: &[u8]) -> Result<Vec<WireReport>, WireError> {
    const PART: &str = "a report frame";
    let wrong_length = WireError::Length { part: PART, bytes: payload.len() };
    let Some((&[c0, c1, c2, c3, zero @ ..], records)) =
        payload.split_first_chunk::<REPORTS_HEADER_BYTES>()
    else {
        return Err(wrong_length);
    };
    if zero != [0; 4] {
        return Err(WireError::ReservedNotZero { part: PART });
    }
    let count = usize::try_from(u32::from_le_bytes([c0, c1, c2, c3])).unwrap_or(usize::MAX);
    if count > BATCH_REPORTS_MAX {
        return Err(WireError::TooMany { part: PART, max: BATCH_REPORTS_MAX });
    }
    let Ok(records) = <[ReportBytes]>::ref_from_bytes(records) else {
        return Err(wrong_length);
    };
    if records.len() != count || count == 0 {
        return Err(wrong_length);
    }
    records.iter().map(read_report).collect()
}

fn read_report(bytes: &ReportBytes) -> Result<WireReport, WireError> {
    if bytes.zero != [0; 3] {
        return Err(WireError::ReservedNotZero { part: "a report" });
    }
    if bytes.seq.get() == 0 {
        return Err(WireError::Value { part: "a report's sequence number" });
    }
    let of_grant = Some(bytes.number.get() >> 32).filter(|_| bytes.kind == GRANT);
    let badge = of_grant.and_then(|badge| u32::try_from(badge.checked_sub(1)?).ok());
    Ok(WireReport {
        seq: bytes.seq.get(),
        observed_at: Timestamp(bytes.observed_at.get()),
        handle: bytes.handle.get(),
        badge,
        word: ReportWord::read(bytes.kind, bytes.number.get())?,
    })
}
