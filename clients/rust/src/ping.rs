//! What a vendor publishes.

use ach_actors_model::{Lane, Name, TagId, Timestamp};
use ach_engine_wire::{Coordinates, InternItem, PingReading, ReportWord, WirePing};
use ach_geo::Floor;

/// A position of a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ping {
    /// The tag.
    pub tag: TagId,
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

impl Ping {
    /// A position in millimetres of the site frame; fill in the rest as known.
    pub fn local(tag: TagId, observed_at: Timestamp, x_mm: i32, y_mm: i32) -> Ping {
        Ping::at(tag, observed_at, Coordinates::Local { x_mm, y_mm })
    }

    /// A position on the globe in degrees; `None` for what is not a number or not on the globe.
    pub fn wgs84(tag: TagId, observed_at: Timestamp, lon_deg: f64, lat_deg: f64) -> Option<Ping> {
        let lon_nano_deg = nano_degrees(lon_deg, 180.0)?;
        let lat_nano_deg = nano_degrees(lat_deg, 90.0)?;
        Some(Ping::at(tag, observed_at, Coordinates::Wgs84 { lon_nano_deg, lat_nano_deg }))
    }

    /// A ping with no more than it must have, in either kind of coordinates.
    pub fn at(tag: TagId, observed_at: Timestamp, coordinates: Coordinates) -> Ping {
        Ping {
            tag,
            observed_at,
            coordinates,
            z_mm: None,
            floor: None,
            accuracy_mm: None,
            battery_percent: None,
        }
    }

    /// The same on a floor, in hundredths.
    #[must_use]
    pub fn on_floor(self, floor: Floor) -> Ping {
        Ping { floor: Some(floor), ..self }
    }

    /// The same with an accuracy.
    #[must_use]
    pub fn within_mm(self, accuracy_mm: u32) -> Ping {
        Ping { accuracy_mm: Some(accuracy_mm), ..self }
    }

    pub(crate) fn wire(&self, handle: u32) -> WirePing {
        WirePing::new(&PingReading {
            handle,
            observed_at: self.observed_at,
            coordinates: self.coordinates,
            z_mm: self.z_mm,
            floor: self.floor,
            accuracy_mm: self.accuracy_mm,
            battery_percent: self.battery_percent,
        })
    }
}

#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "180 degrees are 1.8e11 billionths, which both types hold exactly"
)]
fn nano_degrees(degrees: f64, limit: f64) -> Option<i64> {
    (degrees.abs() <= limit).then(|| (degrees * 1e9).round() as i64)
}

/// What a door, button, band, anchor or motion detector did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Which.
    pub thing: InternItem,
    /// When, by its clock.
    pub observed_at: Timestamp,
    /// What.
    pub word: ReportWord,
    /// The badge that a grant was given to.
    pub badge: Option<Name>,
}

impl Report {
    /// Something a tag did: its button or band.
    pub fn tag(tag: TagId, observed_at: Timestamp, word: ReportWord) -> Report {
        Report { thing: InternItem::Tag(tag), observed_at, word, badge: None }
    }

    /// Something a door did.
    pub fn door(door: Name, observed_at: Timestamp, word: ReportWord) -> Report {
        Report { thing: InternItem::Door(door), observed_at, word, badge: None }
    }

    /// Something an anchor did.
    pub fn anchor(anchor: Name, observed_at: Timestamp, word: ReportWord) -> Report {
        Report { thing: InternItem::Anchor(anchor), observed_at, word, badge: None }
    }

    /// Something moves in a zone.
    pub fn motion(zone: Name, observed_at: Timestamp) -> Report {
        let word = ReportWord::MotionSeen;
        Report { thing: InternItem::Zone(zone), observed_at, word, badge: None }
    }

    /// The same, of a grant, with the badge it was given to. One that the site does not have does no harm: the grant
    /// counts. Of what is no grant a badge is not told.
    #[must_use]
    pub fn to_badge(self, badge: Name) -> Report {
        let is_grant = matches!(self.word, ReportWord::AccessGranted { .. });
        Report { badge: is_grant.then_some(badge), ..self }
    }

    /// The lane it travels on.
    pub fn lane(&self) -> Lane {
        self.word.lane()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn degrees_become_billionths_or_nothing() {
        let check = |lon, lat, expected: Option<(i64, i64)>| {
            let ping = Ping::wgs84(TagId(1), Timestamp(0), lon, lat).map(|ping| ping.coordinates);
            let expected = expected.map(|(lon_nano_deg, lat_nano_deg)| Coordinates::Wgs84 {
                lon_nano_deg,
                lat_nano_deg,
            });
            assert_eq!(ping, expected, "{lon} {lat}");
        };
        check(13.377_704_123, 52.516_275, Some((13_377_704_123, 52_516_275_000)));
        check(-180.0, 90.0, Some((-180_000_000_000, 90_000_000_000)));
        check(180.000_001, 0.0, None);
        check(0.0, -90.1, None);
        check(f64::NAN, 0.0, None);
        check(0.0, f64::INFINITY, None);
    }
}
