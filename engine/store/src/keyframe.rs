//! Where everybody was at full minutes, floor by floor: what a time slider shows at once.

use std::collections::BTreeMap;

use ach_actors_model::{NS_PER_S, TagRef, Timestamp};
use ach_geo::Floor;

use crate::block::KeptPing;
use crate::coding::{put_varint, sealed, take_u32, take_varint};
use crate::key;
use crate::rice::{unzigzag, zigzag};
use crate::rows::Rows;

/// Keyframes are at least this far apart, and begin with a full minute.
const MINUTE_NS: u64 = 60 * NS_PER_S;

/// A floor on which anything was heard has one after this time.
const REST_NS: u64 = 15 * MINUTE_NS;

/// A tag that was not heard for this long is not shown.
pub(crate) const MEMORY_NS: u64 = 60 * MINUTE_NS;

/// A keyframe of so many tags is worth as many times this pings: at some 9 bytes a tag it adds less
/// than half a byte a ping.
const PINGS_A_TAG: u64 = 20;

/// One tag in a keyframe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The tag.
    pub tag: TagRef,
    /// Millimetres east of the site's origin.
    pub x_mm: i32,
    /// Millimetres north of it.
    pub y_mm: i32,
    /// When it was last heard before the keyframe, rounded up to whole seconds before it.
    pub age_s: u32,
}

/// Where everybody on a floor was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keyframe {
    /// The full minute.
    pub at: Timestamp,
    /// The floor; `None` is those whose floor was not known.
    pub floor: Option<Floor>,
    /// Tags that were heard within the hour before, ascending.
    pub places: Vec<Place>,
}

/// When which floor is due.
#[derive(Debug, Default)]
pub(crate) struct Keyframes {
    minute: u64,
    floors: BTreeMap<Option<Floor>, Due>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Due {
    pings: u64,
    last_at: Timestamp,
    /// Whether the last keyframe has anybody in it.
    shows_somebody: bool,
}

impl Keyframes {
    /// Counts pings.
    pub(crate) fn heard(&mut self, floors: BTreeMap<Option<Floor>, u64>) {
        for (floor, pings) in floors {
            self.floors.entry(floor).or_default().pings += pings;
        }
    }

    /// The full minute that has passed by `at`, if one has since the last call.
    pub(crate) fn minute(&mut self, at: Timestamp) -> Option<Timestamp> {
        let minute = at.0 / MINUTE_NS;
        let is_new = minute > self.minute;
        self.minute = self.minute.max(minute);
        is_new.then_some(Timestamp(minute.saturating_mul(MINUTE_NS)))
    }

    /// Writes what is due at a full minute; `last` are the pings before it.
    pub(crate) fn write<'a>(
        &mut self,
        at: Timestamp,
        last: impl Iterator<Item = (TagRef, &'a KeptPing)>,
        rows: &mut Rows,
    ) {
        if self.floors.values().all(|due| due.pings == 0 && !due.shows_somebody) {
            return;
        }
        let mut by_floor: BTreeMap<Option<Floor>, Vec<Place>> = BTreeMap::new();
        for (tag, ping) in last {
            let since_ns = at.since_ns(ping.observed_at);
            if since_ns < MEMORY_NS {
                let age_s = u32::try_from(since_ns.div_ceil(NS_PER_S)).unwrap_or(u32::MAX);
                let place =
                    Place { tag, x_mm: ping.position.x_mm, y_mm: ping.position.y_mm, age_s };
                by_floor.entry(ping.position.floor).or_default().push(place);
            }
        }
        for (&floor, due) in &mut self.floors {
            let places = by_floor.get(&floor).map_or(&[][..], Vec::as_slice);
            let worth = PINGS_A_TAG.saturating_mul(u64::try_from(places.len()).unwrap_or(0));
            let is_due = due.pings >= worth || at.since_ns(due.last_at) >= REST_NS;
            // A floor that everybody has left is shown empty at once, or they would stand there for ever.
            let is_left = due.shows_somebody && places.is_empty();
            if (due.pings > 0 && is_due) || is_left {
                let key = key::keyframe(floor, at);
                let value = sealed(&key, &listed(places));
                rows.insert(key, value);
                *due = Due { pings: 0, last_at: at, shows_somebody: !places.is_empty() };
            }
        }
    }
}

fn listed(places: &[Place]) -> Vec<u8> {
    let mut out = Vec::with_capacity(places.len().saturating_mul(9));
    let mut last = 0;
    for place in places {
        put_varint(u64::from(place.tag.0.wrapping_sub(last)), &mut out);
        put_varint(zigzag(place.x_mm.into()), &mut out);
        put_varint(zigzag(place.y_mm.into()), &mut out);
        put_varint(place.age_s.into(), &mut out);
        last = place.tag.0;
    }
    out
}

/// The other way. `None` if it is malformed.
pub(crate) fn unlisted(mut bytes: &[u8]) -> Option<Vec<Place>> {
    let mut places = Vec::new();
    let mut last = 0_u32;
    while !bytes.is_empty() {
        last = last.wrapping_add(take_u32(&mut bytes)?);
        let mut mm = || i32::try_from(unzigzag(take_varint(&mut bytes)?)).ok();
        let (x_mm, y_mm) = (mm()?, mm()?);
        places.push(Place { tag: TagRef(last), x_mm, y_mm, age_s: take_u32(&mut bytes)? });
    }
    Some(places)
}

#[cfg(test)]
mod tests {
    use ach_geo::Position;
    use proptest::prelude::*;

    use super::*;

    prop_compose! {
        fn any_place()(tag in any::<u32>(), x_mm in any::<i32>(), y_mm in any::<i32>(), age_s in any::<u32>()) -> Place {
            Place { tag: TagRef(tag), x_mm, y_mm, age_s }
        }
    }

    proptest! {
        #[test]
        fn places_come_back(mut places in prop::collection::vec(any_place(), 0..40)) {
            places.sort_by_key(|place| place.tag);
            prop_assert_eq!(unlisted(&listed(&places)), Some(places));
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let _ = unlisted(&bytes);
        }
    }

    fn ping(at_s: u64) -> KeptPing {
        let at = Timestamp(at_s * NS_PER_S);
        let position = Position { x_mm: 5, y_mm: -6, z_mm: None, floor: Some(Floor(100)) };
        KeptPing {
            observed_at: at,
            received_at: at,
            position,
            accuracy_mm: 0,
            battery_percent: None,
        }
    }

    #[test]
    fn a_floor_that_everybody_has_left_is_shown_empty() {
        let (mut keyframes, mut rows) = (Keyframes::default(), Rows::new());
        let mut last = ping(30);
        keyframes.heard([(Some(Floor(100)), 20)].into());
        keyframes.minute(Timestamp(60 * NS_PER_S));
        keyframes.write(Timestamp(60 * NS_PER_S), [(TagRef(1), &last)].into_iter(), &mut rows);
        last.position.floor = Some(Floor(200));
        last.observed_at = Timestamp(90 * NS_PER_S);
        keyframes.heard([(Some(Floor(200)), 60)].into());
        for minute in 2..5 {
            let at = Timestamp(minute * 60 * NS_PER_S);
            keyframes.write(at, [(TagRef(1), &last)].into_iter(), &mut rows);
        }
        let places = |floor, minute: u64| {
            let key = key::keyframe(Some(Floor(floor)), Timestamp(minute * 60 * NS_PER_S));
            let value = rows.get(&key)?;
            Some(unlisted(crate::coding::opened(&key, value).unwrap()).unwrap().len())
        };
        assert_eq!((places(100, 1), places(100, 2), places(100, 3)), (Some(1), Some(0), None));
        assert_eq!(places(200, 2), Some(1));
    }

    /// One tag that speaks once a minute has a keyframe every quarter of an hour, one that speaks
    /// every second has one a minute.
    #[test]
    fn a_keyframe_costs_a_fraction_of_the_pings_it_stands_for() {
        for (every_s, expected) in [(60, 240 / 15), (1, 240)] {
            let (mut keyframes, mut rows) = (Keyframes::default(), Rows::new());
            for second in (0..=240 * 60).step_by(every_s) {
                let at_s = u64::try_from(second).unwrap();
                let last = ping(at_s.saturating_sub(1));
                if let Some(minute) = keyframes.minute(Timestamp(at_s * NS_PER_S)) {
                    keyframes.write(minute, [(TagRef(1), &last)].into_iter(), &mut rows);
                }
                keyframes.heard([(Some(Floor(100)), 1)].into());
            }
            assert_eq!(rows.len(), expected, "a ping every {every_s} s");
        }
    }
}
