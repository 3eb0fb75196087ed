//! Gates in words, with their units.

use ach_geo::{Confirm, Gates};

use crate::text::{metres_text, span_text};

/// What an entry takes, to follow `is in the zone`; empty for the plain test.
pub(super) fn entry_words(gates: &Gates) -> String {
    let mut parts = Vec::new();
    if gates.entry_margin_mm > 0 {
        parts.push(format!("at least {} inside", metres(gates.entry_margin_mm)));
    }
    parts.extend(circle_words(gates));
    parts.extend(confirm_words(gates.confirm));
    led(&parts)
}

/// What an exit takes, to follow `leaves the zone`; empty for the plain test.
pub(super) fn exit_words(gates: &Gates) -> String {
    let mut parts = Vec::new();
    parts.extend(circle_words(gates));
    parts.extend(confirm_words(gates.confirm));
    if gates.exit_delay_ns > 0 {
        // Coming back within the tolerance begins it anew.
        let far = if gates.exit_tolerance_mm > 0 { "that far out" } else { "out" };
        parts.push(format!("and stays {far} for {}", span_text(gates.exit_delay_ns)));
    }
    if let Some(timeout_ns) = tolerance_ns(gates) {
        parts.push(format!("or is outside but nearer than that for {}", span_text(timeout_ns)));
    }
    let far = match gates.exit_tolerance_mm {
        0 => String::new(),
        // On another floor nobody is near.
        tolerance_mm => format!(" by more than {} or to another floor", metres(tolerance_mm)),
    };
    format!("{far}{}", led(&parts))
}

/// What else ends being in a zone, to follow `whoever leaves`; empty if nothing does.
pub(super) fn silence_words(gates: &Gates) -> String {
    match gates.fence_timeout_ns {
        Some(timeout_ns) => format!(" or is not heard for {}", span_text(timeout_ns)),
        None => String::new(),
    }
}

/// How long somebody may be outside within the tolerance before he has left. To leave, silence counts for nothing,
/// and a fence timeout as one of the tolerance.
pub(super) fn tolerance_ns(gates: &Gates) -> Option<u64> {
    let own = gates.tolerance_timeout_ns.filter(|&timeout_ns| timeout_ns > 0);
    own.or(gates.fence_timeout_ns).filter(|_| gates.exit_tolerance_mm > 0)
}

/// Whether an exit may be seen to begin before it is one.
pub(super) fn has_first_sign_of_exit(gates: &Gates) -> bool {
    gates.confirm.needed > 1 || gates.exit_delay_ns > 0 || tolerance_ns(gates).is_some()
}

pub(super) fn metres(mm: u32) -> String {
    format!("{} m", metres_text(i64::from(mm)))
}

fn circle_words(gates: &Gates) -> Option<String> {
    gates.error_circle.then(|| "with the whole circle of accuracy".to_owned())
}

fn confirm_words(confirm: Confirm) -> Option<String> {
    let Confirm { needed, of } = confirm;
    match (needed, of) {
        (0 | 1, _) => None,
        (needed, of) if needed == of => Some(format!("in {needed} positions in a row")),
        (needed, of) => Some(format!("in {needed} of the latest {of} positions")),
    }
}

fn led(parts: &[String]) -> String {
    parts.iter().flat_map(|part| [", ", part.as_str()]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gates_are_told_with_units() {
        let plain = Gates::default();
        let twice = Confirm { needed: 2, of: 3 };
        let second = 1_000_000_000;
        for (gates, entry, exit) in [
            (plain, "", ""),
            (
                Gates { entry_margin_mm: 300, exit_tolerance_mm: 1_000, confirm: twice, ..plain },
                ", at least 0.3 m inside, in 2 of the latest 3 positions",
                " by more than 1.0 m or to another floor, in 2 of the latest 3 positions",
            ),
            (
                Gates { confirm: Confirm { needed: 3, of: 3 }, ..plain },
                ", in 3 positions in a row",
                ", in 3 positions in a row",
            ),
            (
                Gates { exit_tolerance_mm: 800, tolerance_timeout_ns: Some(20 * second), ..plain },
                "",
                " by more than 0.8 m or to another floor, or is outside but nearer than that for 20 s",
            ),
            (
                Gates { exit_tolerance_mm: 800, fence_timeout_ns: Some(60 * second), ..plain },
                "",
                " by more than 0.8 m or to another floor, or is outside but nearer than that for 1 min",
            ),
            // Without a tolerance nobody is within it.
            (Gates { tolerance_timeout_ns: Some(20 * second), ..plain }, "", ""),
            (
                Gates { exit_delay_ns: 5 * second, error_circle: true, ..plain },
                ", with the whole circle of accuracy",
                ", with the whole circle of accuracy, and stays out for 5 s",
            ),
            (
                Gates { exit_delay_ns: 5 * second, exit_tolerance_mm: 800, ..plain },
                "",
                " by more than 0.8 m or to another floor, and stays that far out for 5 s",
            ),
        ] {
            assert_eq!(entry_words(&gates), entry, "{gates:?}");
            assert_eq!(exit_words(&gates), exit, "{gates:?}");
        }
    }
}
