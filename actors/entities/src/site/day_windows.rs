//! The windows of a rule as they lie in a day, by what day it is.

use ach_actors_model::Window;

pub(super) const DAY_S: i64 = 86_400;
/// Monday to Sunday, and holidays.
const KIND_COUNT: usize = 8;
/// Of a holiday, whatever weekday it falls on.
pub(super) const HOLIDAY: u8 = 7;
const WEEK_DAYS: u8 = 7;

/// A local day as windows see it: what it is, and what the one before was, from which windows come
/// over midnight. 0 is Monday, 7 a holiday.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DayKind {
    pub(super) before: u8,
    pub(super) this: u8,
}

impl DayKind {
    /// A weekday after a weekday.
    fn in_week(day: u8) -> DayKind {
        DayKind { before: (day + WEEK_DAYS - 1) % WEEK_DAYS, this: day }
    }

    /// Whether neither is a holiday.
    pub(super) fn is_plain(self) -> bool {
        self.before != HOLIDAY && self.this != HOLIDAY
    }
}

/// What windows do on a kind of day, in seconds after its midnight.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct KindWindows {
    /// Until when each is open that begins on such a day, ascending; they do not touch.
    spans: Vec<(i64, i64)>,
    /// Until when in the next day one is open that begins on such a day.
    spill_s: i64,
}

/// Windows of local time by kind of day: what two windows share is open once, and windows that touch
/// are one. Asked on the way to an alarm, so it is laid out when the site is compiled.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct DayWindows {
    kinds: [KindWindows; KIND_COUNT],
    has_windows: bool,
    /// Whether every day is open, or every day closed, all day long.
    is_constant: bool,
    /// Whether that is so as long as no holiday comes.
    is_week_constant: bool,
}

impl DayWindows {
    pub(crate) fn new(windows: &[Window]) -> DayWindows {
        let mut days = DayWindows { has_windows: !windows.is_empty(), ..DayWindows::default() };
        for (kind, of_kind) in (0_u8..).zip(&mut days.kinds) {
            let mut spans: Vec<(i64, i64)> = Vec::new();
            for window in windows.iter().filter(|window| (window.weekdays >> kind) & 1 == 1) {
                let (from_s, until_s) = (i64::from(window.from_s), i64::from(window.until_s));
                if from_s < until_s {
                    spans.push((from_s, until_s));
                } else {
                    spans.push((from_s, DAY_S));
                    of_kind.spill_s = of_kind.spill_s.max(until_s);
                }
            }
            of_kind.spans = joined(spans);
        }
        let week = (0..WEEK_DAYS).map(DayKind::in_week);
        let round_holidays = (0..WEEK_DAYS).flat_map(|day| {
            [DayKind { before: HOLIDAY, this: day }, DayKind { before: day, this: HOLIDAY }]
        });
        let two_holidays = DayKind { before: HOLIDAY, this: HOLIDAY };
        let every = week.clone().chain(round_holidays).chain([two_holidays]);
        days.is_week_constant = days.are_alike(week);
        days.is_constant = days.are_alike(every);
        days
    }

    /// Whether there are no windows, which is always open.
    pub(crate) fn is_empty(&self) -> bool {
        !self.has_windows
    }

    /// Whether nothing ever changes, whatever day it is.
    pub(super) fn is_constant(&self) -> bool {
        self.is_constant
    }

    /// Whether nothing changes as long as no holiday comes.
    pub(super) fn is_week_constant(&self) -> bool {
        self.is_week_constant
    }

    pub(super) fn is_open(&self, day: DayKind, second_s: i64) -> bool {
        second_s < self.spill_s(day.before) || self.end_of_span(day.this, second_s).is_some()
    }

    /// When within the day it opens or closes after that second; the day's end if it does not. What
    /// it is in the next day is not looked at.
    pub(super) fn edge_s(&self, day: DayKind, second_s: i64) -> i64 {
        let spill_s = self.spill_s(day.before);
        if second_s < spill_s {
            return self.end_of_span(day.this, spill_s).unwrap_or(spill_s);
        }
        if let Some(end_s) = self.end_of_span(day.this, second_s) {
            return end_s;
        }
        let spans = self.spans(day.this);
        let passed = spans.partition_point(|&(from_s, _)| from_s <= second_s);
        spans.get(passed).map_or(DAY_S, |&(from_s, _)| from_s)
    }

    /// Whether all of these days are open all day long, or all closed.
    fn are_alike(&self, mut days: impl Iterator<Item = DayKind> + Clone) -> bool {
        let is_whole = |day: DayKind| self.edge_s(day, 0) == DAY_S;
        let Some(first) = days.clone().next() else { return true };
        let is_open = self.is_open(first, 0);
        days.all(|day| is_whole(day) && self.is_open(day, 0) == is_open)
    }

    /// Until when the span of such a day is open that holds this second.
    fn end_of_span(&self, kind: u8, second_s: i64) -> Option<i64> {
        let spans = self.spans(kind);
        let begun = spans.partition_point(|&(from_s, _)| from_s <= second_s);
        let &(_, until_s) = spans.get(begun.checked_sub(1)?)?;
        (second_s < until_s).then_some(until_s)
    }

    fn spans(&self, kind: u8) -> &[(i64, i64)] {
        self.kinds.get(usize::from(kind)).map_or(&[], |kind| &kind.spans)
    }

    fn spill_s(&self, kind: u8) -> i64 {
        self.kinds.get(usize::from(kind)).map_or(0, |kind| kind.spill_s)
    }
}

/// Spans that share something or touch are one.
fn joined(mut spans: Vec<(i64, i64)>) -> Vec<(i64, i64)> {
    spans.sort_unstable();
    let mut joined: Vec<(i64, i64)> = Vec::new();
    for (from_s, until_s) in spans {
        match joined.last_mut() {
            Some((_, last_s)) if from_s <= *last_s => *last_s = until_s.max(*last_s),
            _ => joined.push((from_s, until_s)),
        }
    }
    joined
}
