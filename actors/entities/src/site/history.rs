//! What the versions of a site leave to those after them: refs, which are never given twice.

use serde::{Deserialize, Serialize};

use super::Site;
use super::names::{Names, TagIds};
use super::plans::WatchPlan;

/// All that a version has of the former ones; with its configuration it makes the site again.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct SiteHistory {
    pub(super) tag_ids: TagIds,
    pub(super) subjects: Names,
    pub(super) zones: Names,
    pub(super) doors: Names,
    pub(super) lines: Names,
    pub(super) rules: Names,
    pub(super) sources: Names,
    pub(super) anchors: Names,
    pub(super) watches: Vec<WatchPlan>,
    pub(super) badges: Names,
}

/// The history of a site, to be stored: the same bytes as [`SiteHistory`], without a copy.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct HistoryRef<'a> {
    tag_ids: &'a TagIds,
    subjects: &'a Names,
    zones: &'a Names,
    doors: &'a Names,
    lines: &'a Names,
    rules: &'a Names,
    sources: &'a Names,
    anchors: &'a Names,
    watches: &'a [WatchPlan],
    badges: &'a Names,
}

impl Site {
    /// What it is made of beside its configuration.
    pub fn history(&self) -> HistoryRef<'_> {
        HistoryRef {
            tag_ids: &self.tag_ids,
            subjects: &self.subject_names,
            zones: &self.zone_names,
            doors: &self.door_names,
            lines: &self.line_names,
            rules: &self.rule_names,
            sources: &self.source_names,
            anchors: &self.anchor_names,
            watches: &self.watches,
            badges: &self.badge_names,
        }
    }
}

impl HistoryRef<'_> {
    pub(super) fn to_owned(self) -> SiteHistory {
        SiteHistory {
            tag_ids: self.tag_ids.clone(),
            subjects: self.subjects.clone(),
            zones: self.zones.clone(),
            doors: self.doors.clone(),
            lines: self.lines.clone(),
            rules: self.rules.clone(),
            sources: self.sources.clone(),
            anchors: self.anchors.clone(),
            watches: self.watches.to_vec(),
            badges: self.badges.clone(),
        }
    }
}

impl SiteHistory {
    /// Whether it is such as compiling leaves.
    pub(super) fn is_sound(&self) -> bool {
        let SiteHistory { tag_ids, subjects, zones, doors, lines, rules, .. } = self;
        let SiteHistory { sources, anchors, badges, .. } = self;
        let names = [subjects, zones, doors, lines, rules, sources, anchors, badges];
        tag_ids.is_sound() && names.iter().all(|names| names.is_sound())
    }
}
