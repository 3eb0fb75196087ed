//! The bytes of single values: integers, times, ids, words.

use ach_actors_model::{
    AlarmCause, AlarmId, AlarmKind, AlarmPriority, AlarmReason, AlarmState, AlarmTransition, Lane,
    Name, QuietKind, Remark, TagId, Timestamp,
};
use ach_geo::{Floor, Position};

use crate::limits::TEXT_BYTES_MAX;
use crate::tlv::Value;
use crate::{Code, WireError};

macro_rules! integers {
    ($($type:ty)*) => {$(
        impl Value for $type {
            fn put(&self, out: &mut Vec<u8>) -> Result<(), WireError> {
                out.extend_from_slice(&self.to_le_bytes());
                Ok(())
            }

            fn take(bytes: &[u8], part: &'static str) -> Result<Self, WireError> {
                let array = bytes
                    .try_into()
                    .map_err(|_| WireError::Length { part, bytes: bytes.len() })?;
                Ok(<$type>::from_le_bytes(array))
            }
        }
    )*};
}

integers! { u8 u16 u32 u64 u128 i16 i32 i64 }

macro_rules! newtypes {
    ($($type:ident($inner:ty))*) => {$(
        impl Value for $type {
            fn put(&self, out: &mut Vec<u8>) -> Result<(), WireError> {
                self.0.put(out)
            }

            fn take(bytes: &[u8], part: &'static str) -> Result<Self, WireError> {
                <$inner>::take(bytes, part).map($type)
            }
        }
    )*};
}

newtypes! { Timestamp(u64) TagId(u64) AlarmId(u128) Floor(i16) }

/// Gives each variant of an enum its byte.
macro_rules! words {
    ($type:ty { $($variant:ident = $byte:literal,)* }) => {
        impl $crate::tlv::Value for $type {
            fn put(&self, out: &mut Vec<u8>) -> Result<(), $crate::WireError> {
                out.push(match self {
                    $(<$type>::$variant => $byte,)*
                });
                Ok(())
            }

            fn take(bytes: &[u8], part: &'static str) -> Result<Self, $crate::WireError> {
                match bytes {
                    $([$byte] => Ok(<$type>::$variant),)*
                    [_] => Err($crate::WireError::Value { part }),
                    _ => Err($crate::WireError::Length { part, bytes: bytes.len() }),
                }
            }
        }
    };
}
pub(crate) use words;

words!(Lane { Duress = 0, Door = 1, Audit = 2, Ping = 3, Console = 4, });
words!(AlarmPriority { Low = 1, Medium = 2, High = 3, });
words!(AlarmKind {
    Elopement = 1,
    AssetTheft = 2,
    UnauthorisedEntry = 3,
    Loitering = 4,
    TagSilent = 5,
    FeedSilent = 6,
    ZoneBlind = 7,
    BatteryLow = 8,
    BandCut = 9,
    Duress = 10,
    OverCapacity = 11,
    DoorForced = 12,
    ActorQuarantined = 13,
    ClockSkewed = 14,
    TagsContradict = 15,
    SelfTest = 16,
    AuditTrouble = 17,
    NodeClockOff = 18,
    SelftestFailed = 19,
    DoorHeld = 20,
    DoorTampered = 21,
    ReaderTampered = 22,
    DoorLost = 23,
    DoorBatteryLow = 24,
    DoorNotFollowing = 25,
    AssetNotReturned = 28,
    LoneWorker = 29,
    ForbiddenMeeting = 30,
    BadgeElsewhere = 31,
    LeaveEndsSoon = 26,
    Tailgating = 33,
    UnexplainedMotion = 34,
});
words!(AlarmTransition {
    Raised = 1,
    Upheld = 2,
    Retracted = 3,
    Cleared = 4,
    Acknowledged = 5,
    Confirmed = 6,
    Assigned = 7,
    Commented = 8,
    Shelved = 9,
    Unshelved = 10,
    Suppressed = 11,
    Unsuppressed = 12,
    TakenOut = 13,
    PutBack = 14,
    Reset = 15,
    Closed = 16,
    Escalated = 17,
    Realarmed = 18,
    Dropped = 19,
    Responded = 20,
});
words!(AlarmCause {
    Real = 1,
    Allowed = 2,
    WrongPosition = 3,
    DeviceFault = 4,
    RuleTooStrict = 5,
    Test = 6,
    Duplicate = 7,
    Other = 8,
});
words!(QuietKind { Suppressed = 1, OutOfService = 2, });
words!(AlarmReason {
    CameBack = 1,
    ConditionEnded = 2,
    RuleRemoved = 3,
    TagRemoved = 4,
    Released = 5,
    Authorised = 6,
    Escorted = 7,
    LeaveOver = 8,
});

impl Value for bool {
    fn put(&self, out: &mut Vec<u8>) -> Result<(), WireError> {
        out.push(u8::from(*self));
        Ok(())
    }

    fn take(bytes: &[u8], part: &'static str) -> Result<bool, WireError> {
        match bytes {
            [0] => Ok(false),
            [1] => Ok(true),
            [_] => Err(WireError::Value { part }),
            _ => Err(WireError::Length { part, bytes: bytes.len() }),
        }
    }
}

impl Value for Code {
    fn put(&self, out: &mut Vec<u8>) -> Result<(), WireError> {
        self.value().put(out)
    }

    /// A code of a later version reads as [`Code::Internal`], so that codes can be added.
    fn take(bytes: &[u8], part: &'static str) -> Result<Code, WireError> {
        Ok(Code::from_value(u16::take(bytes, part)?).unwrap_or(Code::Internal))
    }
}

impl Value for Name {
    fn put(&self, out: &mut Vec<u8>) -> Result<(), WireError> {
        out.extend_from_slice(self.as_str().as_bytes());
        Ok(())
    }

    fn take(bytes: &[u8], part: &'static str) -> Result<Name, WireError> {
        let text = std::str::from_utf8(bytes).map_err(|_| WireError::Value { part })?;
        Name::new(text).map_err(|_| WireError::Value { part })
    }
}

/// A flag of a later version is kept: it is shown as none that is known here.
impl Value for AlarmState {
    fn put(&self, out: &mut Vec<u8>) -> Result<(), WireError> {
        self.0.put(out)
    }

    fn take(bytes: &[u8], part: &'static str) -> Result<AlarmState, WireError> {
        u16::take(bytes, part).map(AlarmState)
    }
}

impl Value for Remark {
    fn put(&self, out: &mut Vec<u8>) -> Result<(), WireError> {
        out.extend_from_slice(self.as_str().as_bytes());
        Ok(())
    }

    fn take(bytes: &[u8], part: &'static str) -> Result<Remark, WireError> {
        let text = std::str::from_utf8(bytes).map_err(|_| WireError::Value { part })?;
        // Spelt in one way only: what is trimmed or cut would read back as another.
        match Remark::new(text) {
            Ok(remark) if remark.as_str() == text => Ok(remark),
            _ => Err(WireError::Value { part }),
        }
    }
}

/// Free text of at most [`TEXT_BYTES_MAX`] bytes, for people. Longer text is cut. It is shown with
/// control characters escaped: what a peer sends must not steer a terminal or forge a line of a log.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Text(String);

impl Text {
    /// Keeps as much of a text as fits.
    pub fn new(text: &str) -> Text {
        let end = text.floor_char_boundary(TEXT_BYTES_MAX);
        Text(text.get(..end).unwrap_or_default().to_owned())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Text {
        Text::new(text)
    }
}

impl std::fmt::Display for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for piece in self.0.split_inclusive(char::is_control) {
            let (plain, control) = match piece.char_indices().next_back() {
                Some((at, last)) if last.is_control() => piece.split_at(at),
                _ => (piece, ""),
            };
            f.write_str(plain)?;
            write!(f, "{}", control.escape_default())?;
        }
        Ok(())
    }
}

impl Value for Text {
    fn put(&self, out: &mut Vec<u8>) -> Result<(), WireError> {
        out.extend_from_slice(self.0.as_bytes());
        Ok(())
    }

    fn take(bytes: &[u8], part: &'static str) -> Result<Text, WireError> {
        if bytes.len() > TEXT_BYTES_MAX {
            return Err(WireError::Length { part, bytes: bytes.len() });
        }
        let text = std::str::from_utf8(bytes).map_err(|_| WireError::Value { part })?;
        Ok(Text(text.to_owned()))
    }
}

const HAS_Z: u16 = 1;
const HAS_FLOOR: u16 = 2;

/// `i32 x_mm, i32 y_mm, i32 z_mm, i16 floor, u16 flags` (1 has z, 2 has floor), 16 bytes.
impl Value for Position {
    fn put(&self, out: &mut Vec<u8>) -> Result<(), WireError> {
        let flags = if self.z_mm.is_some() { HAS_Z } else { 0 }
            | if self.floor.is_some() { HAS_FLOOR } else { 0 };
        self.x_mm.put(out)?;
        self.y_mm.put(out)?;
        self.z_mm.unwrap_or_default().put(out)?;
        self.floor.unwrap_or_default().put(out)?;
        flags.put(out)
    }

    fn take(bytes: &[u8], part: &'static str) -> Result<Position, WireError> {
        let &[x0, x1, x2, x3, y0, y1, y2, y3, z0, z1, z2, z3, f0, f1, g0, g1] = bytes else {
            return Err(WireError::Length { part, bytes: bytes.len() });
        };
        let z_mm = i32::from_le_bytes([z0, z1, z2, z3]);
        let floor = Floor(i16::from_le_bytes([f0, f1]));
        let flags = u16::from_le_bytes([g0, g1]);
        let has = |flag| flags & flag != 0;
        let is_spelt_out_once = flags & !(HAS_Z | HAS_FLOOR) == 0
            && (has(HAS_Z) || z_mm == 0)
            && (has(HAS_FLOOR) || floor.0 == 0);
        if !is_spelt_out_once {
            return Err(WireError::ReservedNotZero { part });
        }
        Ok(Position {
            x_mm: i32::from_le_bytes([x0, x1, x2, x3]),
            y_mm: i32::from_le_bytes([y0, y1, y2, y3]),
            z_mm: has(HAS_Z).then_some(z_mm),
            floor: has(HAS_FLOOR).then_some(floor),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_shown_without_what_steers_a_terminal() {
        let check = |text: &str, shown: &str| assert_eq!(Text::new(text).to_string(), shown);
        check("Ward 3, Grüße", "Ward 3, Grüße");
        check("a\nERROR forged", "a\\nERROR forged");
        check("\u{1b}[31mred\u{7}", "\\u{1b}[31mred\\u{7}");
        check("\r\n", "\\r\\n");
        check("", "");
    }

    #[test]
    fn a_text_that_is_too_long_is_cut_between_characters() {
        let text = Text::new(&"ü".repeat(200));
        assert_eq!(text.as_str(), "ü".repeat(128));
        assert_eq!(Text::new(&format!("x{}", "ü".repeat(200))).as_str().len(), 255);
    }
}
