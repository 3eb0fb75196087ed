//! Finds things by id and by label, as indexes into the site configuration.

use std::collections::BTreeMap;

use ach_actors_model::Name;

use crate::{DoorPlan, LinePlan, SiteDirectory, WherePlan, ZonePlan};

/// Things of one kind by id and by label.
#[derive(Debug, Default)]
pub(crate) struct Shelf<'a> {
    by_id: BTreeMap<&'a Name, u32>,
    by_label: BTreeMap<&'a Name, Vec<u32>>,
    count: u32,
}

impl<'a> Shelf<'a> {
    fn add(&mut self, id: &'a Name, labels: &'a [Name]) {
        // Of two things with one id the first counts; the checks refuse it anyway.
        self.by_id.entry(id).or_insert(self.count);
        for label in labels {
            self.by_label.entry(label).or_default().push(self.count);
        }
        self.count += 1;
    }

    /// The index of an id.
    pub(crate) fn index(&self, id: &Name) -> Option<u32> {
        self.by_id.get(id).copied()
    }

    /// All ids.
    pub(crate) fn ids(&self) -> impl Iterator<Item = &'a str> {
        self.by_id.keys().map(|id| id.as_str())
    }

    /// Whether something carries the label.
    pub(crate) fn has_label(&self, label: &Name) -> bool {
        self.by_label.contains_key(label)
    }

    /// All labels.
    pub(crate) fn labels(&self) -> impl Iterator<Item = &'a str> {
        self.by_label.keys().map(|label| label.as_str())
    }

    /// What is named or labelled, ascending, each once; unknown ids are left out.
    pub(crate) fn select(&self, ids: &[Name], labels: &[Name]) -> Vec<u32> {
        let named = ids.iter().filter_map(|id| self.index(id));
        let labelled = labels.iter().filter_map(|label| self.by_label.get(label)).flatten();
        let mut indexes: Vec<u32> = named.chain(labelled.copied()).collect();
        indexes.sort_unstable();
        indexes.dedup();
        indexes
    }
}

/// Everything rules and tags can point at.
#[derive(Debug, Default)]
pub(crate) struct Catalogue<'a> {
    pub(crate) feeds: Shelf<'a>,
    pub(crate) zones: Shelf<'a>,
    pub(crate) doors: Shelf<'a>,
    pub(crate) lines: Shelf<'a>,
    pub(crate) subjects: Shelf<'a>,
    zone_plans: Vec<&'a ZonePlan>,
    door_plans: Vec<&'a DoorPlan>,
    line_plans: Vec<&'a LinePlan>,
}

impl<'a> Catalogue<'a> {
    pub(crate) fn new(directory: &'a SiteDirectory) -> Catalogue<'a> {
        let mut catalogue = Catalogue::default();
        for feed in &directory.feeds {
            catalogue.feeds.add(&feed.id, &[]);
        }
        for plan in &directory.floors {
            for zone in &plan.zones {
                catalogue.zones.add(&zone.id, &zone.labels);
                catalogue.zone_plans.push(zone);
            }
            for door in &plan.doors {
                catalogue.doors.add(&door.id, &door.labels);
                catalogue.door_plans.push(door);
            }
            for line in &plan.lines {
                catalogue.lines.add(&line.id, &line.labels);
                catalogue.line_plans.push(line);
            }
        }
        for subject in directory.subjects() {
            catalogue.subjects.add(&subject.id, &subject.labels);
        }
        catalogue
    }

    pub(crate) fn zones_of(&self, place: &WherePlan) -> Vec<u32> {
        self.zones.select(&place.zones, &place.zones_labelled)
    }

    pub(crate) fn doors_of(&self, place: &WherePlan) -> Vec<u32> {
        self.doors.select(&place.doors, &place.doors_labelled)
    }

    pub(crate) fn lines_of(&self, place: &WherePlan) -> Vec<u32> {
        self.lines.select(&place.lines, &place.lines_labelled)
    }

    pub(crate) fn zone(&self, index: u32) -> Option<&'a ZonePlan> {
        self.zone_plans.get(usize::try_from(index).ok()?).copied()
    }

    pub(crate) fn door(&self, index: u32) -> Option<&'a DoorPlan> {
        self.door_plans.get(usize::try_from(index).ok()?).copied()
    }

    pub(crate) fn line(&self, index: u32) -> Option<&'a LinePlan> {
        self.line_plans.get(usize::try_from(index).ok()?).copied()
    }
}
