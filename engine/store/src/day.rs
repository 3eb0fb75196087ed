//! Days, as keyspaces are named and dropped by them.

use std::fmt;
use std::str::FromStr;

use ach_actors_model::{NS_PER_S, Timestamp};
use serde::{Deserialize, Serialize};
use thiserror::Error;

const NS_PER_DAY: u64 = 86_400 * NS_PER_S;

/// A day of UTC, counted from 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Day(pub u32);

/// A text that is no day.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}` is no day; write it as 2026-11-22")]
pub struct NoDay {
    text: String,
}

impl Day {
    /// The day that holds a moment.
    pub fn of(at: Timestamp) -> Day {
        Day(u32::try_from(at.0 / NS_PER_DAY).unwrap_or(u32::MAX))
    }

    /// Its first moment.
    pub fn begins_at(self) -> Timestamp {
        Timestamp(u64::from(self.0).saturating_mul(NS_PER_DAY))
    }

    /// The first moment after it.
    pub fn ends_at(self) -> Timestamp {
        self.begins_at().plus_ns(NS_PER_DAY)
    }

    /// The day `days` earlier, at the earliest 1970-01-01.
    #[must_use]
    pub fn before(self, days: u32) -> Day {
        Day(self.0.saturating_sub(days))
    }

    /// Year, month and day of the Gregorian calendar (H. Hinnant, "chrono-Compatible Low-Level Date
    /// Algorithms", `civil_from_days`), for days after 1970.
    fn civil(self) -> (u32, u32, u32) {
        let shifted = self.0.saturating_add(719_468);
        let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
        let year = year_of_era + era * 400 + u32::from(month <= 2);
        (year, month, day)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.civil();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

impl FromStr for Day {
    type Err = NoDay;

    fn from_str(text: &str) -> Result<Day, NoDay> {
        let no_day = || NoDay { text: text.to_owned() };
        let mut parts = text.splitn(3, '-').map(str::parse::<u32>);
        let mut part = || parts.next().and_then(Result::ok).ok_or_else(no_day);
        let (year, month, day) = (part()?, part()?, part()?);
        if !(1970..=9_999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day)
        {
            return Err(no_day());
        }
        // `days_from_civil` of the same source.
        let shifted_year = year - u32::from(month <= 2);
        let (era, year_of_era) = (shifted_year / 400, shifted_year % 400);
        let month_from_march = if month > 2 { month - 3 } else { month + 9 };
        let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        let found = Day((era * 146_097 + day_of_era).saturating_sub(719_468));
        // The 31st of a month of 30 days is another month's first.
        if found.civil() == (year, month, day) { Ok(found) } else { Err(no_day()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_written_as_dates() {
        for (number, text) in
            [(0, "1970-01-01"), (59, "1970-03-01"), (11_016, "2000-02-29"), (20_779, "2026-11-22")]
        {
            assert_eq!(Day(number).to_string(), text);
            assert_eq!(text.parse(), Ok(Day(number)));
        }
        for number in 0..80_000 {
            assert_eq!(Day(number).to_string().parse(), Ok(Day(number)));
        }
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in ["", "2026", "2026-02-30", "2026-13-01", "1969-12-31", "2026-11-22-1", "x-1-1"]
        {
            assert!(text.parse::<Day>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_moment_lies_in_its_day() {
        let day = Day(20_779);
        assert_eq!(Day::of(day.begins_at()), day);
        assert_eq!(Day::of(Timestamp(day.ends_at().0 - 1)), day);
        assert_eq!(Day::of(day.ends_at()), Day(20_780));
    }
}
