//! A walk already decided on: where a walker is at every moment until it stops.

use crate::plane::{TruePlace, float_ns, round_ns};

/// A lift or a flight of stairs takes this long a storey, with the way to it.
const STOREY_NS: u64 = 9_000_000_000;

/// Corners with the moment each is reached. Before the first moment the walker stands at the first
/// corner, after the last at the last. Never empty.
#[derive(Debug, Clone)]
pub struct Path {
    first: TruePlace,
    corners: Vec<(u64, TruePlace)>,
}

impl Path {
    /// Stands still.
    pub fn standing(at: TruePlace) -> Path {
        Path { first: at, corners: Vec::new() }
    }

    /// Walks through `places` from `start_ns` on at `speed_mm_s`.
    pub fn walking(start_ns: u64, from: TruePlace, places: &[TruePlace], speed_mm_s: f64) -> Path {
        let mut at_ns = start_ns;
        let mut at = from;
        let mut corners = vec![(start_ns, from)];
        for &place in places {
            at_ns += if place.floor == at.floor {
                round_ns(at.distance_mm(&place) / speed_mm_s * 1e9)
            } else {
                STOREY_NS
            };
            at = place;
            corners.push((at_ns, place));
        }
        Path { first: from, corners }
    }

    /// Where the walker is.
    pub fn place_at(&self, now_ns: u64) -> TruePlace {
        let next = self.corners.partition_point(|&(at_ns, _)| at_ns <= now_ns);
        let before = next.checked_sub(1).and_then(|index| self.corners.get(index));
        match (before, self.corners.get(next)) {
            (None, _) => self.first,
            (Some((_, place)), None) => *place,
            (Some((from_ns, from)), Some((to_ns, to))) => {
                let share = float_ns(now_ns - from_ns) / float_ns((to_ns - from_ns).max(1));
                from.toward(to, share)
            }
        }
    }

    /// When the walker comes to rest.
    pub fn ends_at_ns(&self) -> u64 {
        self.corners.last().map_or(0, |&(at_ns, _)| at_ns)
    }

    /// Whether the walker moves at that moment.
    pub fn is_moving_at(&self, now_ns: u64) -> bool {
        let starts_ns = self.corners.first().map_or(u64::MAX, |&(at_ns, _)| at_ns);
        starts_ns <= now_ns && now_ns < self.ends_at_ns()
    }

    /// The straight ways with the moments they begin and end.
    pub fn ways(&self) -> impl Iterator<Item = (&(u64, TruePlace), &(u64, TruePlace))> {
        self.corners.iter().zip(self.corners.iter().skip(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ach_geo::Floor;

    fn at(x_mm: f64, floor: i16) -> TruePlace {
        TruePlace { x_mm, y_mm: 0.0, floor: Floor(floor) }
    }

    #[track_caller]
    fn check(now_s: u64, x_mm: f64, floor: i16, is_moving: bool) {
        let places = [at(4_000.0, 0), at(4_000.0, 100), at(3_000.0, 100)];
        let path = Path::walking(10_000_000_000, at(0.0, 0), &places, 1_000.0);
        let place = path.place_at(now_s * 1_000_000_000);
        assert!((place.x_mm - x_mm).abs() < 0.001, "{place:?}");
        assert_eq!(place.floor, Floor(floor));
        assert_eq!(path.is_moving_at(now_s * 1_000_000_000), is_moving);
    }

    #[test]
    fn a_walk_waits_goes_climbs_and_stops() {
        check(0, 0.0, 0, false);
        check(12, 2_000.0, 0, true);
        check(15, 4_000.0, 0, true);
        check(19, 4_000.0, 100, true);
        check(24, 3_000.0, 100, false);
        check(99, 3_000.0, 100, false);
    }
}
