//! Days on which other windows hold, as people write them.

use std::collections::BTreeSet;
use std::fmt;

use jiff::civil::Date;

/// Years for which holidays are written out, as the offsets from UTC are.
const FIRST_YEAR: i16 = 1970;
const LAST_YEAR: i16 = 2060;
/// Most holidays, those of every year written out, as a node takes: 45 a year for 91 years.
pub(crate) const HOLIDAYS_MAX: usize = 4_096;

/// A holiday.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HolidayPlan {
    /// When it is.
    pub date: HolidayDate,
    /// What people call it; may be empty.
    pub name: String,
}

/// A local day of one year, or of every year. Made by [`HolidayDate::parse`] alone, so there is such a
/// day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HolidayDate {
    year: Option<i16>,
    month: i8,
    day: i8,
}

impl HolidayDate {
    /// `2026-12-25`, or `12-25` for every year; `None` if there is no such day from 1970 to 2060.
    pub fn parse(text: &str) -> Option<HolidayDate> {
        let number = |text: &str, digits: usize| {
            let is_plain = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
            is_plain.then(|| text.parse::<i16>().ok()).flatten()
        };
        let parts: Vec<&str> = text.split('-').collect();
        let (year, month, day) = match parts.as_slice() {
            [year, month, day] => (Some(number(year, 4)?), month, day),
            [month, day] => (None, month, day),
            _ => return None,
        };
        let month = i8::try_from(number(month, 2)?).ok()?;
        let day = i8::try_from(number(day, 2)?).ok()?;
        let date = HolidayDate { year, month, day };
        date.days().next().map(|_| date)
    }

    /// Local days since 1970-01-01, ascending. 29 February is in leap years alone.
    pub(crate) fn days(self) -> impl Iterator<Item = u32> {
        let years = match self.year {
            Some(year) => year.max(FIRST_YEAR)..=year.min(LAST_YEAR),
            None => FIRST_YEAR..=LAST_YEAR,
        };
        years.filter_map(move |year| {
            let date = Date::new(year, self.month, self.day).ok()?;
            let epoch = Date::new(FIRST_YEAR, 1, 1).ok()?;
            u32::try_from(date.since(epoch).ok()?.get_days()).ok()
        })
    }
}

impl fmt::Display for HolidayDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(year) = self.year {
            write!(f, "{year:04}-")?;
        }
        write!(f, "{:02}-{:02}", self.month, self.day)
    }
}

/// The days of all of them, ascending.
pub(crate) fn days_of(holidays: &[HolidayPlan]) -> Vec<u32> {
    let days: BTreeSet<u32> = holidays.iter().flat_map(|holiday| holiday.date.days()).collect();
    days.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is written, how many days that is, and the first of them.
    #[track_caller]
    fn check(text: &str, expected: Option<(usize, u32)>) {
        let date = HolidayDate::parse(text);
        let days = date.and_then(|date| Some((date.days().count(), date.days().next()?)));
        assert_eq!(days, expected, "{text}");
        assert!(date.is_none_or(|date| date.to_string() == text), "{text}");
    }

    #[test]
    fn a_holiday_is_a_day_that_there_is() {
        check("1970-01-01", Some((1, 0)));
        check("2026-12-25", Some((1, 20_812)));
        check("2060-12-31", Some((1, 33_237)));
        check("12-25", Some((91, 358)));
        check("2028-02-29", Some((1, 21_243)));
        check("02-29", Some((23, 789)));
        for wrong in [
            "",
            "2026",
            "2026-02-29",
            "02-30",
            "13-01",
            "00-10",
            "1969-12-31",
            "2061-01-01",
            "2026-1-1",
            "1-1",
            "26-12-25",
            "2026-12-25-1",
            "2026-12-2a",
            "+2-25",
            "-12-25",
            "25.12.",
        ] {
            check(wrong, None);
        }
    }

    #[test]
    fn the_days_of_all_ascend_and_none_is_there_twice() {
        let plan = |text: &str| HolidayPlan {
            date: HolidayDate::parse(text).unwrap(),
            name: String::new(),
        };
        let days = days_of(&[plan("2026-12-25"), plan("2026-01-01"), plan("12-25")]);
        assert_eq!(days.len(), 92);
        assert!(days.is_sorted_by(|a, b| a < b));
    }
}
