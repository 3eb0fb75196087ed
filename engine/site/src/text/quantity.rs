//! Quantities as people write them.

use ach_geo::Confirm;
use jiff::SignedDuration;

/// Reads a span of time such as `500 ms`, `2 s`, `5 min` or `1 h 30 min`; `None` where it is none
/// or is negative.
pub(crate) fn parse_span(text: &str) -> Option<u64> {
    let span: SignedDuration = text.trim().parse().ok()?;
    u64::try_from(span.as_nanos()).ok()
}

/// Writes a span in its largest whole unit.
pub(crate) fn span_text(ns: u64) -> String {
    const UNITS: [(u64, &str); 6] = [
        (3_600_000_000_000, "h"),
        (60_000_000_000, "min"),
        (1_000_000_000, "s"),
        (1_000_000, "ms"),
        (1_000, "us"),
        (1, "ns"),
    ];
    let is_whole = |&&(unit, _): &&(u64, &str)| ns > 0 && ns.is_multiple_of(unit);
    match UNITS.iter().find(is_whole) {
        Some((unit, word)) => format!("{} {word}", ns / unit),
        None => "0 s".to_owned(),
    }
}

/// Reads a time of day, `22:00` or `22:00:30`, up to `24:00`, as seconds after midnight.
pub(crate) fn parse_clock(text: &str) -> Option<u32> {
    let mut parts = text.trim().split(':');
    let mut part = |limit: u32| {
        let digits = parts.next()?;
        let is_plain = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
        let number: u32 = digits.parse().ok().filter(|_| is_plain)?;
        (number <= limit).then_some(number)
    };
    let (hour, minute) = (part(24)?, part(59)?);
    let second = if text.trim().len() > 5 { part(59)? } else { 0 };
    if parts.next().is_some() {
        return None;
    }
    let seconds = hour * 3_600 + minute * 60 + second;
    (seconds <= 86_400).then_some(seconds)
}

/// Writes a time of day.
pub(crate) fn clock_text(seconds: u32) -> String {
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if second == 0 {
        format!("{hour:02}:{minute:02}")
    } else {
        format!("{hour:02}:{minute:02}:{second:02}")
    }
}

/// Reads `2 of 3`.
pub(crate) fn parse_confirm(text: &str) -> Option<Confirm> {
    let (needed, of) = text.split_once(" of ")?;
    let confirm = Confirm { needed: needed.trim().parse().ok()?, of: of.trim().parse().ok()? };
    (1 <= confirm.needed && confirm.needed <= confirm.of && confirm.of <= 8).then_some(confirm)
}

/// Writes millimetres as metres without a rounding.
pub(crate) fn metres_text(mm: i64) -> String {
    let sign = if mm < 0 { "-" } else { "" };
    let (whole, rest) = (mm.unsigned_abs() / 1_000, mm.unsigned_abs() % 1_000);
    let decimals = format!("{rest:03}");
    match decimals.trim_end_matches('0') {
        "" => format!("{sign}{whole}.0"),
        digits => format!("{sign}{whole}.{digits}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_as_people_write_them() {
        let check = |text, expected| assert_eq!(parse_span(text), expected, "{text}");
        check("2 s", Some(2_000_000_000));
        check("500ms", Some(500_000_000));
        check("5 min", Some(300_000_000_000));
        check("1 h 30 min", Some(5_400_000_000_000));
        check("0 s", Some(0));
        check("-2 s", None);
        check("2", None);
        check("", None);
        check("soon", None);
    }

    #[test]
    fn spans_survive_writing_and_reading() {
        for ns in [0, 1, 1_500, 2_000_000, 90_000_000_000, 3_600_000_000_000, 5_400_000_000_001] {
            assert_eq!(parse_span(&span_text(ns)), Some(ns), "{}", span_text(ns));
        }
    }

    #[test]
    fn times_of_day_go_to_midnight() {
        let check = |text, expected| assert_eq!(parse_clock(text), expected, "{text}");
        check("22:00", Some(79_200));
        check("06:30:15", Some(23_415));
        check("24:00", Some(86_400));
        check("24:01", None);
        check("7:00", None);
        check("07:60", None);
        check("07", None);
        check("07:00:00:00", None);
        check("+7:00", None);
        assert_eq!(clock_text(79_200), "22:00");
        assert_eq!(clock_text(23_415), "06:30:15");
    }

    #[test]
    fn votes_are_at_most_eight() {
        let check = |text, expected: Option<(u8, u8)>| {
            let confirm = parse_confirm(text).map(|confirm| (confirm.needed, confirm.of));
            assert_eq!(confirm, expected, "{text}");
        };
        check("2 of 3", Some((2, 3)));
        check("1 of 1", Some((1, 1)));
        check("8 of 8", Some((8, 8)));
        check("3 of 2", None);
        check("0 of 2", None);
        check("2 of 9", None);
        check("2/3", None);
    }

    #[test]
    fn metres_keep_every_millimetre() {
        let check = |mm, expected: &str| assert_eq!(metres_text(mm), expected);
        check(0, "0.0");
        check(1_000, "1.0");
        check(-1_050, "-1.05");
        check(7, "0.007");
        check(-7, "-0.007");
    }
}
