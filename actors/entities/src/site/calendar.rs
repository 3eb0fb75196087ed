//! Local time, by the offsets and holidays the site was read with.

use ach_actors_model::{NS_PER_S, Timestamp, UtcOffset};

use super::day_windows::{DAY_S, DayKind, DayWindows, HOLIDAY};

/// 1970-01-01 was a Thursday; a week begins on Monday.
const EPOCH_WEEKDAY: i64 = 3;
const WEEK_DAYS: i64 = 7;

/// The site's offsets from UTC, and its holidays.
#[derive(Debug, Clone, Default)]
pub(crate) struct Calendar {
    /// Ascending, the first at time 0.
    offsets: Vec<(i64, i64)>,
    /// Local days since 1970-01-01, ascending.
    holidays: Vec<i64>,
}

/// A moment by the clock on the wall.
#[derive(Debug, Clone, Copy)]
struct Wall {
    /// Since 1970-01-01.
    day: i64,
    kind: DayKind,
    /// Since midnight, as the wall has it.
    second_s: i64,
}

impl Wall {
    fn is_open(self, windows: &DayWindows) -> bool {
        windows.is_open(self.kind, self.second_s)
    }
}

impl Calendar {
    pub(crate) fn new(offsets: &[UtcOffset], holidays: &[u32]) -> Calendar {
        let offsets = offsets
            .iter()
            .map(|offset| (seconds(offset.from), i64::from(offset.offset_s)))
            .collect();
        Calendar { offsets, holidays: holidays.iter().copied().map(i64::from).collect() }
    }

    /// Whether one of the windows is open; no window at all is always open.
    pub(crate) fn is_open(&self, windows: &DayWindows, at: Timestamp) -> bool {
        let at_s = seconds(at);
        windows.is_empty() || self.wall(self.place(at_s), at_s).is_open(windows)
    }

    /// When the windows next open, if closed, or close, if open; `None` if never.
    pub(crate) fn next_change(&self, windows: &DayWindows, at: Timestamp) -> Option<Timestamp> {
        if windows.is_empty() || windows.is_constant() {
            return None;
        }
        let mut now_s = seconds(at);
        let mut place = self.place(now_s);
        let mut wall = self.wall(place, now_s);
        let is_open = wall.is_open(windows);
        // From edge to edge, midnights and changes of the offset among them, until something is other
        // than now. Where weeks without holidays are all alike it goes from holiday to holiday; else
        // the first week without one has an edge. So it ends with the last offset and holiday.
        loop {
            let edge_s = now_s + self.until_edge_s(windows, wall)?;
            now_s = match self.offsets.get(place + 1) {
                Some(&(moved_s, _)) if moved_s <= edge_s => {
                    place += 1;
                    moved_s
                }
                _ => edge_s,
            };
            wall = self.wall(place, now_s);
            if wall.is_open(windows) != is_open {
                return moment(now_s);
            }
        }
    }

    /// How long until something may change, by a clock that nobody sets.
    fn until_edge_s(&self, windows: &DayWindows, wall: Wall) -> Option<i64> {
        if wall.kind.is_plain() && windows.is_week_constant() {
            let passed = self.holidays.partition_point(|&day| day <= wall.day);
            let &next = self.holidays.get(passed)?;
            return Some((next - wall.day) * DAY_S - wall.second_s);
        }
        Some(windows.edge_s(wall.kind, wall.second_s) - wall.second_s)
    }

    /// Local time in seconds since 1970.
    pub(crate) fn wall_s(&self, at: Timestamp) -> i64 {
        let at_s = seconds(at);
        at_s.saturating_add(self.offset_s(self.place(at_s)))
    }

    /// Which offset is in force.
    fn place(&self, at_s: i64) -> usize {
        self.offsets.partition_point(|&(from_s, _)| from_s <= at_s).saturating_sub(1)
    }

    fn offset_s(&self, place: usize) -> i64 {
        self.offsets.get(place).map_or(0, |&(_, offset_s)| offset_s)
    }

    fn wall(&self, place: usize, at_s: i64) -> Wall {
        let local_s = at_s.saturating_add(self.offset_s(place));
        let day = local_s.div_euclid(DAY_S);
        let kind = DayKind { before: self.kind(day - 1), this: self.kind(day) };
        Wall { day, kind, second_s: local_s.rem_euclid(DAY_S) }
    }

    fn kind(&self, day: i64) -> u8 {
        if self.holidays.binary_search(&day).is_ok() {
            return HOLIDAY;
        }
        u8::try_from((day + EPOCH_WEEKDAY).rem_euclid(WEEK_DAYS)).unwrap_or_default()
    }
}

fn moment(at_s: i64) -> Option<Timestamp> {
    Some(Timestamp(u64::try_from(at_s).ok()?.saturating_mul(NS_PER_S)))
}

fn seconds(at: Timestamp) -> i64 {
    i64::try_from(at.0 / NS_PER_S).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
