//! A ping on the wire: 48 bytes, read in place.
//!
//! ```text
//!  0 u32 handle       4 u16 flags      6 i16 floor, hundredths
//!  8 u64 observed_at, ns UTC
//! 16 i64 x mm | longitude in 1e-9 degrees; i64::MIN is not a number
//! 24 i64 y mm | latitude in 1e-9 degrees;  i64::MIN is not a number
//! 32 i32 z mm        36 u32 accuracy mm
//! 40 u8 battery %    41 seven zeros
//! ```

use ach_actors_model::Timestamp;
use ach_geo::Floor;
use zerocopy::little_endian::{I16, I32, I64, U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::Code;

/// Bytes of a ping.
pub const PING_BYTES: usize = 48;

const HAS_FLOOR: u16 = 1;
const HAS_Z: u16 = 2;
const IS_WGS84: u16 = 4;
const HAS_ACCURACY: u16 = 8;
const HAS_BATTERY: u16 = 16;
const KNOWN_FLAGS: u16 = HAS_FLOOR | HAS_Z | IS_WGS84 | HAS_ACCURACY | HAS_BATTERY;

/// Stands for a coordinate that is not a number.
pub const NOT_A_NUMBER: i64 = i64::MIN;

const LONGITUDE_NANO_DEG_MAX: i64 = 180_000_000_000;
const LATITUDE_NANO_DEG_MAX: i64 = 90_000_000_000;

/// A ping as its bytes. Nothing in it is checked before [`WirePing::reading`].
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Default,
    FromBytes,
    IntoBytes,
    KnownLayout,
    Immutable,
    Unaligned,
)]
#[repr(C)]
pub struct WirePing {
    handle: U32,
    flags: U16,
    floor: I16,
    observed_at: U64,
    x: I64,
    y: I64,
    z_mm: I32,
    accuracy_mm: U32,
    battery: u8,
    zero: [u8; 7],
}

const _: () = assert!(size_of::<WirePing>() == PING_BYTES);

/// Where a tag was, in one of two frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Coordinates {
    /// Millimetres in the site frame.
    Local {
        /// To the east.
        x_mm: i32,
        /// To the north.
        y_mm: i32,
    },
    /// WGS 84, in billionths of a degree (0.1 mm).
    Wgs84 {
        /// Longitude, at most ±180 degrees.
        lon_nano_deg: i64,
        /// Latitude, at most ±90 degrees.
        lat_nano_deg: i64,
    },
}

/// What a ping says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PingReading {
    /// The tag, by its handle on this connection.
    pub handle: u32,
    /// When it was measured, by the locating system's clock.
    pub observed_at: Timestamp,
    /// Where.
    pub coordinates: Coordinates,
    /// Height above the floor's slab in millimetres, if measured.
    pub z_mm: Option<i32>,
    /// The floor, if known.
    pub floor: Option<Floor>,
    /// Radius of the circle that holds the tag, in millimetres, if known.
    pub accuracy_mm: Option<u32>,
    /// Charge of the battery, 0 to 100, if known.
    pub battery_percent: Option<u8>,
}

impl WirePing {
    /// The bytes of a reading.
    pub fn new(reading: &PingReading) -> WirePing {
        let flag = |has: bool, flag: u16| if has { flag } else { 0 };
        let (x, y, is_wgs84) = match reading.coordinates {
            Coordinates::Local { x_mm, y_mm } => (i64::from(x_mm), i64::from(y_mm), false),
            Coordinates::Wgs84 { lon_nano_deg, lat_nano_deg } => (lon_nano_deg, lat_nano_deg, true),
        };
        let flags = flag(reading.floor.is_some(), HAS_FLOOR)
            | flag(reading.z_mm.is_some(), HAS_Z)
            | flag(is_wgs84, IS_WGS84)
            | flag(reading.accuracy_mm.is_some(), HAS_ACCURACY)
            | flag(reading.battery_percent.is_some(), HAS_BATTERY);
        WirePing {
            handle: U32::new(reading.handle),
            flags: U16::new(flags),
            floor: I16::new(reading.floor.map_or(0, |floor| floor.0)),
            observed_at: U64::new(reading.observed_at.0),
            x: I64::new(x),
            y: I64::new(y),
            z_mm: I32::new(reading.z_mm.unwrap_or(0)),
            accuracy_mm: U32::new(reading.accuracy_mm.unwrap_or(0)),
            battery: reading.battery_percent.unwrap_or(0),
            zero: [0; 7],
        }
    }

    /// A ping from its bytes as they are, right or wrong.
    pub fn from_bytes(bytes: [u8; PING_BYTES]) -> WirePing {
        zerocopy::transmute!(bytes)
    }

    /// The bytes.
    pub fn bytes(&self) -> [u8; PING_BYTES] {
        zerocopy::transmute!(*self)
    }

    /// The tag, by its handle on this connection.
    pub fn handle(&self) -> u32 {
        self.handle.get()
    }

    /// The same ping under another handle.
    #[must_use]
    pub fn with_handle(self, handle: u32) -> WirePing {
        WirePing { handle: U32::new(handle), ..self }
    }

    /// What the ping says, checked. Costs about 3 ns.
    ///
    /// # Errors
    ///
    /// The code with which this ping alone is refused.
    pub fn reading(&self) -> Result<PingReading, Code> {
        let flags = self.flags.get();
        let has = |flag: u16| flags & flag != 0;
        let is_zero_where_unsaid = flags & !KNOWN_FLAGS == 0
            && (has(HAS_FLOOR) || self.floor.get() == 0)
            && (has(HAS_Z) || self.z_mm.get() == 0)
            && (has(HAS_ACCURACY) || self.accuracy_mm.get() == 0)
            && (has(HAS_BATTERY) || self.battery == 0)
            && self.zero == [0; 7];
        if !is_zero_where_unsaid {
            return Err(Code::ReservedNotZero);
        }
        if self.battery > 100 {
            return Err(Code::OutOfRange);
        }
        Ok(PingReading {
            handle: self.handle.get(),
            observed_at: Timestamp(self.observed_at.get()),
            coordinates: self.coordinates(has(IS_WGS84))?,
            z_mm: has(HAS_Z).then(|| self.z_mm.get()),
            floor: has(HAS_FLOOR).then(|| Floor(self.floor.get())),
            accuracy_mm: has(HAS_ACCURACY).then(|| self.accuracy_mm.get()),
            battery_percent: has(HAS_BATTERY).then_some(self.battery),
        })
    }

    fn coordinates(&self, is_wgs84: bool) -> Result<Coordinates, Code> {
        let (x, y) = (self.x.get(), self.y.get());
        if x == NOT_A_NUMBER || y == NOT_A_NUMBER {
            return Err(Code::NotANumber);
        }
        if !is_wgs84 {
            let mm = |value| i32::try_from(value).map_err(|_| Code::OutOfRange);
            return Ok(Coordinates::Local { x_mm: mm(x)?, y_mm: mm(y)? });
        }
        let is_on_earth = (-LONGITUDE_NANO_DEG_MAX..=LONGITUDE_NANO_DEG_MAX).contains(&x)
            && (-LATITUDE_NANO_DEG_MAX..=LATITUDE_NANO_DEG_MAX).contains(&y);
        if !is_on_earth {
            return Err(Code::OutOfRange);
        }
        Ok(Coordinates::Wgs84 { lon_nano_deg: x, lat_nano_deg: y })
    }
}
