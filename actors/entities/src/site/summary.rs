//! A site in a few numbers, for the log and for operators.

use std::fmt;

use ach_geo::WatchIndex;

use super::Site;

/// Counts of what is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SiteSummary {
    /// The version.
    pub version: u32,
    /// Tags.
    pub tag_count: usize,
    /// Subjects.
    pub subject_count: usize,
    /// Zones.
    pub zone_count: usize,
    /// Doors.
    pub door_count: usize,
    /// Perimeter lines.
    pub line_count: usize,
    /// Rules.
    pub rule_count: usize,
    /// Feeds.
    pub source_count: usize,
    /// Anchors.
    pub anchor_count: usize,
    /// Distinct pairs of zone and gates every mover is watched with.
    pub watch_count: usize,
    /// Distinct sets of rules that subjects are under.
    pub rule_set_count: usize,
    /// Memory of tags and subjects in tables and lookups, rounded up by their growth.
    pub tag_table_bytes: usize,
}

impl fmt::Display for SiteSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "version {}: {} tags on {} subjects, {} zones, {} doors, {} lines, {} rules, {} feeds, \
             {} anchors",
            self.version,
            self.tag_count,
            self.subject_count,
            self.zone_count,
            self.door_count,
            self.line_count,
            self.rule_count,
            self.source_count,
            self.anchor_count,
        )
    }
}

impl Site {
    /// The site in a few numbers.
    pub fn summary(&self) -> SiteSummary {
        fn present<T>(plans: &[Option<T>]) -> usize {
            plans.iter().flatten().count()
        }
        SiteSummary {
            version: self.version,
            tag_count: self.tags.iter().filter(|plan| plan.source().is_some()).count(),
            subject_count: self.subjects.iter().filter(|plan| plan.class.is_some()).count(),
            zone_count: present(&self.zones),
            door_count: present(&self.doors),
            line_count: present(&self.lines),
            rule_count: present(&self.rules),
            source_count: present(&self.sources),
            anchor_count: present(&self.anchors),
            watch_count: WatchIndex::watch_count(&self.index),
            rule_set_count: self.rule_sets.len(),
            tag_table_bytes: self.tag_ids.reserved_bytes()
                + self.subject_names.reserved_bytes()
                + size_of_val(self.tags.as_slice())
                + size_of_val(self.subjects.as_slice())
                + size_of_val(self.subject_tags.as_slice()),
        }
    }
}
