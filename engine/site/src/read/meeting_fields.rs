//! Reads how near two may not be to each other.

use crate::What;
use crate::text::Fields;

/// Nearness in metres. Below, no locating system tells; above, it is no meeting.
pub(crate) const WITHIN_M_MIN: f64 = 0.1;
pub(crate) const WITHIN_M_MAX: f64 = 20.0;

/// Furthest distance that ends a meeting, as a node takes.
pub(crate) const APART_M_MAX: f64 = 50.0;

/// How much further two must be apart than what is near, where the rule does not say: a metre, which is what
/// positions wander by, or half as much again.
const APART_MORE_MM: u32 = 1_000;

/// What a rule about meetings watches.
pub(super) fn read(fields: &Fields<'_>, after_ns: u64) -> What {
    let _ = fields.need("within_m", "within_m = 2.0");
    let within_mm = read_length(fields, "within_m", WITHIN_M_MAX).unwrap_or_default();
    let usual_mm = within_mm.saturating_add(APART_MORE_MM.max(within_mm / 2));
    let apart_mm = read_length(fields, "apart_m", APART_M_MAX).unwrap_or(usual_mm);
    if let Some(node) = fields.get("apart_m").filter(|_| apart_mm < within_mm) {
        let problem = "is less than `within_m`, so that a meeting would end while it goes on";
        fields.bad("apart_m", node, problem, "make it larger, or leave it out");
    }
    What::Meets { within_mm, apart_mm, after_ns }
}

fn read_length<'a>(fields: &Fields<'a>, key: &'a str, most_m: f64) -> Option<u32> {
    fields.number_in(key, WITHIN_M_MIN..=most_m, "m")?;
    fields.length(key)
}
