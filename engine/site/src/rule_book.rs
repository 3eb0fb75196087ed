//! Rules by themselves, to be put in the place of those of a site that is journaled.

use std::path::Path;

use ach_actors_model::{
    BadgeConfig, DoorConfig, DoorMode, Name, RuleConfig, SiteConfig, SubjectConfig, TagConfig,
    ZoneConfig,
};
use ach_geo::Floor;

use crate::catalogue::Catalogue;
use crate::check::{Item, Origins, check_rules_into};
use crate::compile::compile_rules;
use crate::feed_silence;
use crate::read::read_rules;
use crate::text::Report;
use crate::{
    ControlPlan, DoorPlan, FeedPlan, Findings, FloorPlan, LinePlan, PersonalName, ResponsePlan,
    RulePlan, SiteDirectory, SubjectPlan, TagPlan, ZoneKind, ZonePlan,
};

/// The rules of one file.
#[derive(Debug)]
pub struct RuleBook {
    rules: Vec<RulePlan>,
    responses: Vec<ResponsePlan>,
    origins: Origins,
    warnings: Findings,
}

impl RuleBook {
    /// Reads a file like `rules.toml`, wherever it lies. What it points at is looked for when it is put into
    /// a site.
    ///
    /// # Errors
    ///
    /// Everything that was found, warnings too, when one of them is an error.
    pub fn read(file: &Path) -> Result<RuleBook, Findings> {
        let report = Report::default();
        let root = file.parent().unwrap_or(Path::new(""));
        let name = file.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
        let (mut rules, mut responses) = (Vec::new(), Vec::new());
        let mut origins = Origins::default();
        let file = read_rules(root, &name, &report);
        for (number, (rule, origin)) in file.rules.into_iter().enumerate() {
            origins.add(Item::Rule(number), origin);
            rules.push(rule);
        }
        for (number, (response, origin)) in file.responses.into_iter().enumerate() {
            origins.add(Item::Response(number), origin);
            responses.push(response);
        }
        let warnings = Findings::new(report.into_findings());
        if warnings.has_errors() {
            Err(warnings)
        } else {
            Ok(RuleBook { rules, responses, origins, warnings })
        }
    }

    /// What should be mended in the file all the same.
    pub fn warnings(&self) -> &Findings {
        &self.warnings
    }

    /// How many rules there are.
    pub fn rule_count(&self) -> usize {
        self.rules.len()
    }

    /// A site with these rules and no others, and what should be mended in them all the same. A feed that may be
    /// silent for as long as the site's own rules make it gets what these rules make of it.
    ///
    /// # Errors
    ///
    /// What the rules point at and the site does not have, with warnings.
    pub fn put_into(&self, site: &SiteConfig) -> Result<(SiteConfig, Findings), Findings> {
        let report = Report::default();
        let bones = SiteDirectory { responses: self.responses.clone(), ..bones(site, &self.rules) };
        check_rules_into(&bones, &self.origins, &report);
        let findings = Findings::new(report.into_findings());
        if findings.has_errors() {
            return Err(findings);
        }
        let mut rules = compile_rules(&bones, &Catalogue::new(&bones));
        keep_responses(&mut rules, &site.rules);
        let mut config = site.clone();
        feed_silence::forget_derived(&mut config);
        config.rules = rules;
        feed_silence::fill(&mut config);
        Ok((config, findings))
    }
}

/// What doors were recorded to do they did by the responses that were in force, so each rule keeps those; otherwise doors
/// would be found not to follow orders that nobody gave them.
fn keep_responses(rules: &mut [RuleConfig], in_force: &[RuleConfig]) {
    for rule in rules {
        let same = in_force.iter().find(|known| known.id == rule.id);
        rule.answer.responses =
            same.map(|known| known.answer.responses.clone()).unwrap_or_default();
    }
}

/// As much of a site directory as rules point at, each list in the order of the journaled one: on a single
/// floor, by ids alone.
fn bones(site: &SiteConfig, rules: &[RulePlan]) -> SiteDirectory {
    let mut bones = SiteDirectory::new(site.site.clone(), site.site.as_str(), "UTC");
    let feed = |source: u32| {
        let feed = usize::try_from(source).ok().and_then(|at| bones_feed(site, at));
        feed.cloned()
    };
    let floor = FloorPlan {
        id: site.site.clone(),
        name: String::new(),
        floor: Floor(0),
        zones: site.zones.iter().map(|zone| self::zone(zone, feed)).collect(),
        doors: site.doors.iter().map(|door| self::door(door, feed)).collect(),
        lines: site
            .lines
            .iter()
            .map(|line| LinePlan {
                id: line.id.clone(),
                name: String::new(),
                labels: line.labels.clone(),
                points_mm: line.points_mm.clone(),
            })
            .collect(),
        anchors: Vec::new(),
    };
    bones.floors.push(floor);
    bones.feeds = site
        .sources
        .iter()
        .map(|source| FeedPlan {
            id: source.id.clone(),
            name: String::new(),
            silence_ns: source.silence_ns,
            zones: Vec::new(),
            spare_tags: Vec::new(),
        })
        .collect();
    bones.controls.extend(Name::new(MOVED).ok().map(ControlPlan::new));
    bones.controls.extend(
        Name::new(OPENS)
            .ok()
            .map(|id| ControlPlan { rests: DoorMode::Unlocked, ..ControlPlan::new(id) }),
    );
    bones.people = people(&site.subjects, &site.tags, &site.badges, feed);
    bones.rules = rules.to_vec();
    bones
}

fn bones_feed(site: &SiteConfig, at: usize) -> Option<&Name> {
    site.sources.get(at).map(|source| &source.id)
}

fn zone(zone: &ZoneConfig, feed: impl Fn(u32) -> Option<Name>) -> ZonePlan {
    ZonePlan {
        id: zone.id.clone(),
        name: String::new(),
        // What it was drawn as is not journaled.
        kind: ZoneKind::Zone,
        labels: zone.labels.clone(),
        is_on_every_floor: zone.floor.is_none(),
        outline: zone.outline.clone(),
        height: zone.height,
        capacity: zone.capacity,
        motion_feed: zone.motion_source.and_then(feed),
        gates: Some(zone.gates),
    }
}

/// What every door is moved by whose way is not told.
const MOVED: &str = "moved";

/// What those are moved by that are unlocked at times.
const OPENS: &str = "opens";

fn door(door: &DoorConfig, feed: impl Fn(u32) -> Option<Name>) -> DoorPlan {
    DoorPlan {
        id: door.id.clone(),
        name: String::new(),
        labels: door.labels.clone(),
        feed: door.source.and_then(feed),
        control: door.control.as_ref().and_then(|control| {
            let opens = control.rests == DoorMode::Unlocked || !control.unlocked_when.is_empty();
            Name::new(if opens { OPENS } else { MOVED }).ok()
        }),
        sill_mm: door.sill_mm,
    }
}

fn people(
    subjects: &[SubjectConfig],
    tags: &[TagConfig],
    badges: &[BadgeConfig],
    feed: impl Fn(u32) -> Option<Name>,
) -> Vec<SubjectPlan> {
    let plan = |subject: &SubjectConfig| SubjectPlan {
        id: subject.id.clone(),
        name: PersonalName(String::new()),
        class: subject.class,
        labels: subject.labels.clone(),
        tags: Vec::new(),
        badges: Vec::new(),
    };
    let mut people: Vec<SubjectPlan> = subjects.iter().map(plan).collect();
    for tag in tags {
        let bearer = tag.subject.and_then(|subject| usize::try_from(subject).ok());
        let bearer = bearer.and_then(|subject| people.get_mut(subject));
        if let (Some(bearer), Some(feed)) = (bearer, feed(tag.source)) {
            bearer.tags.push(TagPlan { id: tag.id, feed });
        }
    }
    for badge in badges {
        let holder = usize::try_from(badge.subject).ok();
        if let Some(holder) = holder.and_then(|subject| people.get_mut(subject)) {
            holder.badges.push(badge.id.clone());
        }
    }
    people
}
