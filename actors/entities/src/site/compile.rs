//! Makes a site of its configuration.

use std::sync::Arc;

use ach_actors_model::{
    AnchorRef, BadgeRef, DoorRef, LineRef, RuleRef, SiteConfig, SourceRef, SubjectRef, TagId,
    TagRef, ZoneRef,
};
use ach_geo::Region;

use super::build::{self, Watches, at};
use super::calendar::Calendar;
use super::check::{Mistakes, check};
use super::history::SiteHistory;
use super::mistake::{SiteError, SiteList, SiteMistake};
use super::names::narrow;
use super::partners::name_partners;
use super::plans::{SubjectPlan, TagPlan};
use super::rule_set::{RuleSet, Sorter};
use super::surroundings::Surroundings;
use super::{Site, limits};

/// A class without a limit, and a tag on nobody: faster than anyone runs, slower than a jump.
const SPEED_LIMIT_DEFAULT_MM_PER_S: u32 = 12_000;

/// Refs of a configuration's things, by their positions in its lists.
#[derive(Debug)]
pub(super) struct Refs {
    pub(super) tags: Vec<TagRef>,
    pub(super) subjects: Vec<SubjectRef>,
    pub(super) zones: Vec<ZoneRef>,
    pub(super) doors: Vec<DoorRef>,
    pub(super) lines: Vec<LineRef>,
    pub(super) rules: Vec<RuleRef>,
    pub(super) sources: Vec<SourceRef>,
    pub(super) anchors: Vec<AnchorRef>,
    pub(super) badges: Vec<BadgeRef>,
}

impl Site {
    /// Checks a configuration and compiles it, keeping the refs of the site in force.
    ///
    /// Takes about a microsecond a tag. Never panics, whatever the configuration holds.
    ///
    /// # Errors
    ///
    /// [`SiteError`] lists what is wrong with it, by list and position.
    pub fn compile(previous: Option<&Site>, config: &SiteConfig) -> Result<Site, SiteError> {
        let mut mistakes = Mistakes::default();
        if let Some(previous) = previous {
            succession(previous, config, &mut mistakes);
        }
        let history = previous.map(|site| site.history().to_owned()).unwrap_or_default();
        Site::compile_after(history, config, mistakes)
    }

    /// The site again, of its configuration and what its former versions left.
    ///
    /// # Errors
    ///
    /// As [`compile`](Site::compile), and when the history is not one.
    pub fn restore(history: SiteHistory, config: &SiteConfig) -> Result<Site, SiteError> {
        if !history.is_sound() {
            return Err(SiteError::of(SiteMistake::History));
        }
        Site::compile_after(history, config, Mistakes::default())
    }

    fn compile_after(
        mut history: SiteHistory,
        config: &SiteConfig,
        mut mistakes: Mistakes,
    ) -> Result<Site, SiteError> {
        check(config, &mut mistakes);
        let regions = regions(config, &mut mistakes);
        mistakes.into_result()?;

        let mut mistakes = Mistakes::default();
        let refs = history.intern(config, &mut mistakes);
        let mut watches = Watches::new(std::mem::take(&mut history.watches));
        let rules = build::rules(config, &refs, history.rules.len(), &mut watches);
        let zones = build::zones(config, &refs, &rules, history.zones.len(), &mut watches);
        mistakes.limit(SiteList::Watches, watches.plans.len(), limits::WATCH_COUNT_MAX);
        mistakes.into_result()?;
        let index = build::index(config, &refs, &watches.plans, &regions)
            .map_err(|reason| SiteError::of(SiteMistake::Index { reason }))?;

        let floors = config.zones.iter().filter_map(|zone| zone.floor);
        let floors = floors.chain(config.doors.iter().map(|door| door.floor));
        let floors = floors.chain(config.lines.iter().map(|line| line.floor));
        let (watch_rules_from, watch_rules) = build::watch_rules(&rules, watches.plans.len());
        let mut site = Site {
            id: config.site.clone(),
            version: config.version,
            largest_gap_ns: config.largest_gap_ns,
            calendar: Calendar::new(&config.utc_offsets, &config.holidays),
            only_floor: build::only_floor(floors),
            tags: vec![TagPlan::REMOVED; history.tag_ids.len()],
            tag_ids: history.tag_ids,
            subjects: Vec::new(),
            subject_tags: Vec::new(),
            zones,
            doors: build::doors(config, &refs, &rules, history.doors.len()),
            lines: build::lines(config, &refs, &rules, history.lines.len()),
            sources: build::sources(config, &refs, history.sources.len()),
            sources_of_all: build::sources_of_all(config, &refs),
            anchors: build::anchors(config, &refs, history.anchors.len()),
            rules,
            subject_names: history.subjects,
            zone_names: history.zones,
            door_names: history.doors,
            line_names: history.lines,
            rule_names: history.rules,
            source_names: history.sources,
            anchor_names: history.anchors,
            badges: build::badges(config, &refs, history.badges.len()),
            badge_names: history.badges,
            zone_watches: build::zone_watches(&watches.plans),
            watches: watches.plans,
            watch_rules_from,
            watch_rules,
            rule_sets: Vec::new(),
            index,
            surroundings: Surroundings::default(),
        };
        site.surroundings = Surroundings::of(&site, config, &refs);
        site.sort_subjects(config, &refs)?;
        site.hand_out_tags(config, &refs);
        Ok(site)
    }

    fn sort_subjects(&mut self, config: &SiteConfig, refs: &Refs) -> Result<(), SiteError> {
        let removed = SubjectPlan { class: None, rule_set: 0, tags_from: 0 };
        let mut subjects = vec![removed; self.subject_names.len()];
        let rules = refs.rules.iter().copied().zip(&config.rules);
        let mut sorter = Sorter::new(rules, &self.rules);
        for (at, (subject, config)) in refs.subjects.iter().zip(&config.subjects).enumerate() {
            let rule_set = sorter.sort(at, config);
            if let Some(plan) = subjects.get_mut(subject.index()) {
                *plan = SubjectPlan { class: Some(config.class), rule_set, tags_from: 0 };
            }
        }
        self.rule_sets = sorter.into_sets()?;
        name_partners(&mut self.rule_sets, &subjects);
        self.subjects = subjects;
        let is_kept_apart = |plan: &&SubjectPlan| {
            let rules = self.rule_set(plan.rule_set).filter(|_| plan.class.is_some());
            rules.is_some_and(RuleSet::is_kept_apart)
        };
        let count = self.subjects.iter().filter(is_kept_apart).count();
        let mut mistakes = Mistakes::default();
        mistakes.limit(SiteList::KeptApart, count, limits::KEPT_APART_COUNT_MAX);
        mistakes.into_result()?;
        Ok(())
    }

    fn hand_out_tags(&mut self, config: &SiteConfig, refs: &Refs) {
        let mut worn: Vec<(SubjectRef, TagRef)> = Vec::with_capacity(config.tags.len());
        for (&tag, given) in refs.tags.iter().zip(&config.tags) {
            let Some(source) = at(&refs.sources, given.source) else { continue };
            let subject = given.subject.and_then(|subject| at(&refs.subjects, subject));
            let mut plan = TagPlan::new(source, subject);
            let subject_plan = subject.and_then(|subject| self.subjects.get(subject.index()));
            plan.rule_set = subject_plan.map_or(0, |plan| plan.rule_set);
            plan.speed_limit_mm_per_s = subject_plan
                .and_then(|plan| plan.class)
                .and_then(|class| build::speed_limit(config, class))
                .unwrap_or(SPEED_LIMIT_DEFAULT_MM_PER_S);
            if let Some(slot) = self.tags.get_mut(tag.index()) {
                *slot = plan;
            }
            worn.extend(subject.map(|subject| (subject, tag)));
        }
        worn.sort_unstable();
        let mut from = 0;
        for (number, plan) in (0..).zip(&mut self.subjects) {
            plan.tags_from = narrow(from);
            let of_this = |&&(subject, _): &&(SubjectRef, TagRef)| subject == SubjectRef(number);
            from += worn.iter().skip(from).take_while(of_this).count();
        }
        self.subject_tags = worn.into_iter().map(|(_, tag)| tag).collect();
    }
}

impl SiteHistory {
    fn intern(&mut self, config: &SiteConfig, mistakes: &mut Mistakes) -> Refs {
        let tag_ids: Vec<TagId> = config.tags.iter().map(|tag| tag.id).collect();
        let tags = self.tag_ids.intern(&tag_ids);
        let subjects = self.subjects.intern(config.subjects.iter().map(|one| one.id.as_str()));
        let zones = self.zones.intern(config.zones.iter().map(|one| one.id.as_str()));
        let doors = self.doors.intern(config.doors.iter().map(|one| one.id.as_str()));
        let lines = self.lines.intern(config.lines.iter().map(|one| one.id.as_str()));
        let rules = self.rules.intern(config.rules.iter().map(|one| one.id.as_str()));
        let sources = self.sources.intern(config.sources.iter().map(|one| one.id.as_str()));
        let anchors = self.anchors.intern(config.anchors.iter().map(|one| one.id.as_str()));
        let badges = self.badges.intern(config.badges.iter().map(|one| one.id.as_str()));
        for (list, numbers, count, limit) in [
            (SiteList::Tags, &tags, self.tag_ids.len(), limits::TAG_COUNT_MAX),
            (SiteList::Subjects, &subjects, self.subjects.len(), limits::SUBJECT_COUNT_MAX),
            (SiteList::Zones, &zones, self.zones.len(), limits::ZONE_COUNT_MAX),
            (SiteList::Doors, &doors, self.doors.len(), limits::DOOR_COUNT_MAX),
            (SiteList::Lines, &lines, self.lines.len(), limits::LINE_COUNT_MAX),
            (SiteList::Rules, &rules, self.rules.len(), limits::RULE_COUNT_MAX),
            (SiteList::Sources, &sources, self.sources.len(), limits::SOURCE_COUNT_MAX),
            (SiteList::Anchors, &anchors, self.anchors.len(), limits::ANCHOR_COUNT_MAX),
            (SiteList::Badges, &badges, self.badges.len(), limits::BADGE_COUNT_MAX),
        ] {
            mistakes.limit(list, count, limit);
            repeated(list, numbers, count, mistakes);
        }
        Refs {
            tags: tags.into_iter().map(TagRef).collect(),
            subjects: subjects.into_iter().map(SubjectRef).collect(),
            zones: zones.into_iter().map(ZoneRef).collect(),
            doors: doors.into_iter().map(DoorRef).collect(),
            lines: lines.into_iter().map(LineRef).collect(),
            rules: rules.into_iter().map(RuleRef).collect(),
            sources: sources.into_iter().map(SourceRef).collect(),
            anchors: anchors.into_iter().map(AnchorRef).collect(),
            badges: badges.into_iter().map(BadgeRef).collect(),
        }
    }
}

/// Finds numbers that were given to two items of one list.
fn repeated(list: SiteList, numbers: &[u32], count: usize, mistakes: &mut Mistakes) {
    let mut is_taken = vec![false; count];
    for (at, &number) in numbers.iter().enumerate() {
        let slot = usize::try_from(number).ok().and_then(|number| is_taken.get_mut(number));
        match slot {
            Some(is_taken) if !*is_taken => *is_taken = true,
            _ => mistakes.add(SiteMistake::RepeatedId { list, at }),
        }
    }
}

fn succession(previous: &Site, config: &SiteConfig, mistakes: &mut Mistakes) {
    if previous.id != config.site {
        mistakes.add(SiteMistake::OtherSite);
    }
    if config.version <= previous.version {
        let (given, in_force) = (config.version, previous.version);
        mistakes.add(SiteMistake::Version { given, in_force });
    }
}

fn regions(config: &SiteConfig, mistakes: &mut Mistakes) -> Vec<Option<Arc<Region>>> {
    let mut regions = Vec::with_capacity(config.zones.len().min(limits::ZONE_COUNT_MAX));
    for (at, zone) in config.zones.iter().take(limits::ZONE_COUNT_MAX).enumerate() {
        let region = Region::new(zone.outline.clone(), zone.floor, zone.height);
        if let Err(reason) = region {
            mistakes.add(SiteMistake::Outline { at, reason });
        }
        regions.push(region.ok().map(Arc::new));
    }
    regions
}
