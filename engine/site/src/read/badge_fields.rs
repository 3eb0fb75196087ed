//! Reads how far from a door somebody may seem to be whose badge was granted there.

use super::meeting_fields::WITHIN_M_MIN;
use crate::What;
use crate::text::Fields;

/// Furthest distance in metres, as a node takes: beyond, nothing in a building is elsewhere.
pub(crate) const BADGE_WITHIN_M_MAX: f64 = 200.0;

/// What is at a door, where the rule does not say: a reader beside it, a lobby, and who went on while his tag was
/// not heard.
pub(crate) const BADGE_WITHIN_MM: u32 = 10_000;

/// What a rule about badges elsewhere watches.
pub(super) fn read(fields: &Fields<'_>) -> What {
    let metres = fields.number_in("within_m", WITHIN_M_MIN..=BADGE_WITHIN_M_MAX, "m");
    let within_mm = metres.and_then(|_| fields.length("within_m"));
    What::BadgeElsewhere { within_mm: within_mm.unwrap_or(BADGE_WITHIN_MM) }
}
