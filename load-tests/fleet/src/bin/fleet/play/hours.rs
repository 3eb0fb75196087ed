//! Times of day of a use case, as moments.

use std::fmt;

use ach_actors_model::Timestamp;
use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;
use serde::Deserialize;

use crate::failure::Failure;

/// A time of day, `14:02:30`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct TimeOfDay(Time);

impl TryFrom<String> for TimeOfDay {
    type Error = String;

    fn try_from(text: String) -> Result<TimeOfDay, String> {
        let time = text.parse();
        time.map(TimeOfDay).map_err(|_| format!("`{text}` is no time of day; write 14:02:30"))
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.strftime("%H:%M:%S"))
    }
}

/// The hours of one use case: less than a day from its beginning on.
#[derive(Debug, Clone)]
pub(crate) struct Hours {
    start: DateTime,
    zone: TimeZone,
}

impl Hours {
    /// Those from `start` on, in a time zone.
    ///
    /// # Errors
    ///
    /// Either is not understood.
    pub(crate) fn from(start: &str, zone: &str) -> Result<Hours, Failure> {
        let zone = TimeZone::get(zone)
            .map_err(|_| Failure::new(format!("`{zone}` is no time zone that is known here")))?;
        let start = start.parse().map_err(|_| {
            Failure::new(format!("`{start}` is no beginning; write `2026-11-24 14:00:00`"))
        })?;
        Ok(Hours { start, zone })
    }

    /// When it begins.
    ///
    /// # Errors
    ///
    /// That moment does not exist.
    pub(crate) fn begin(&self) -> Result<Timestamp, Failure> {
        self.moment(self.start)
    }

    /// The first moment from the beginning on at which it is that time of day.
    ///
    /// # Errors
    ///
    /// That moment does not exist.
    pub(crate) fn at(&self, time: TimeOfDay) -> Result<Timestamp, Failure> {
        let date = self.start.date();
        let is_next_day = time.0 < self.start.time();
        let date = if is_next_day { date.tomorrow().ok() } else { Some(date) };
        let date = date.ok_or_else(|| Failure::new("the next day is beyond the calendar"))?;
        self.moment(date.to_datetime(time.0))
    }

    /// The time of day of a moment, with tenths.
    pub(crate) fn time_of(&self, at: Timestamp) -> String {
        let moment = jiff::Timestamp::from_nanosecond(at.0.into()).ok();
        moment.map_or_else(
            || "?".to_owned(),
            |moment| moment.to_zoned(self.zone.clone()).strftime("%H:%M:%S%.1f").to_string(),
        )
    }

    /// How many seconds of its day have passed, at a moment that lies on a second.
    pub(crate) fn second_of_day(&self, at: Timestamp) -> Option<u32> {
        let moment = jiff::Timestamp::from_nanosecond(at.0.into()).ok()?;
        let time = moment.to_zoned(self.zone.clone()).time();
        let parts = [(time.hour(), 3_600), (time.minute(), 60), (time.second(), 1)];
        let seconds = parts.into_iter().map(|(part, s)| u32::try_from(part).ok().map(|it| it * s));
        (time.subsec_nanosecond() == 0).then(|| seconds.sum())?
    }

    fn moment(&self, at: DateTime) -> Result<Timestamp, Failure> {
        let zoned = at.to_zoned(self.zone.clone());
        let ns = zoned.ok().and_then(|at| u64::try_from(at.timestamp().as_nanosecond()).ok());
        ns.map(Timestamp).ok_or_else(|| Failure::new(format!("there is no moment {at} here")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> TimeOfDay {
        TimeOfDay::try_from(text.to_owned()).unwrap()
    }

    #[test]
    fn a_time_before_the_beginning_is_of_the_next_day() {
        let hours = Hours::from("2026-11-24 18:55:00", "Europe/Berlin").unwrap();
        let begin = hours.begin().unwrap();
        let after_s = |text| hours.at(time(text)).unwrap().since_ns(begin) / 1_000_000_000;
        assert_eq!(after_s("18:55:00"), 0);
        assert_eq!(after_s("19:00:30"), 330);
        assert_eq!(after_s("06:00:00"), 11 * 3_600 + 300);
        let at_six = hours.at(time("06:00:00")).unwrap();
        assert_eq!(hours.time_of(at_six), "06:00:00.0");
        assert_eq!(hours.second_of_day(at_six), Some(6 * 3_600));
        assert_eq!(hours.second_of_day(at_six.plus_ns(1)), None);
    }
}
