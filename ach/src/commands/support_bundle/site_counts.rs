//! A site as numbers: how many of everything, and nothing by name.

use std::collections::BTreeMap;

use ach_actors_model::SubjectClass;
use ach_engine_site::{FloorPlan, SiteDirectory};
use serde_json::{Value, json};

/// Counts what a site has.
pub(crate) fn of(site: &SiteDirectory, warnings: usize) -> Value {
    let on_floors = |count: fn(&FloorPlan) -> usize| site.floors.iter().map(count).sum::<usize>();
    let of_class = |class| site.subjects().filter(|subject: &&_| subject.class == class).count();
    let mut rules: BTreeMap<String, usize> = BTreeMap::new();
    for rule in &site.rules {
        *rules.entry(format!("{:?}", rule.alarm)).or_default() += 1;
    }
    json!({
        "warnings": warnings,
        "floors": site.floors.len(),
        "zones": on_floors(|floor| floor.zones.len()),
        "doors": on_floors(|floor| floor.doors.len()),
        "lines": on_floors(|floor| floor.lines.len()),
        "anchors": on_floors(|floor| floor.anchors.len()),
        "feeds": site.feeds.len(),
        "patients": of_class(SubjectClass::Patient),
        "staff": of_class(SubjectClass::Staff),
        "visitors": of_class(SubjectClass::Visitor),
        "assets": of_class(SubjectClass::Asset),
        "tags": site.subjects().map(|subject| subject.tags.len()).sum::<usize>(),
        "spare_tags": site.feeds.iter().map(|feed| feed.spare_tags.len()).sum::<usize>(),
        "rules_by_alarm": rules,
        "largest_gap_ns": site.largest_gap_ns,
    })
}
