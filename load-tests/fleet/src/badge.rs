//! The badge that somebody shows at doors.

use ach_actors_model::{BadgeRef, SiteConfig};

/// The first of a subject's badges, by its place in the site.
pub(crate) fn badge_of(config: &SiteConfig, subject: u32) -> Option<BadgeRef> {
    // They are in the order of their holders.
    let place = config.badges.partition_point(|badge| badge.subject < subject);
    let is_its = config.badges.get(place).is_some_and(|badge| badge.subject == subject);
    u32::try_from(place).ok().filter(|_| is_its).map(BadgeRef)
}
