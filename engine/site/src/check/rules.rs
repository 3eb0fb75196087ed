//! Rules, feeds and anchors: what they point at must be there and must fit.

use ach_actors_model::{AlarmKind, Name, SubjectClass};
use ach_geo::Gates;

use super::{Check, Item, delays};
use crate::catalogue::{Catalogue, Shelf};
use crate::census::Census;
use crate::finding::FindingKind;
use crate::text::{Origin, nearest};
use crate::{RulePlan, What, WhoPlan, ZoneKind};

/// Most subjects on either side of a rule about meetings, as a node takes: `KEPT_APART_COUNT_MAX` of
/// ach-actors-entities.
const KEPT_APART_MAX: usize = 16_384;

pub(super) fn check(check: &Check<'_>, catalogue: &Catalogue<'_>, census: &Census<'_>) {
    for (floor, plan) in check.directory.floors.iter().enumerate() {
        for (number, anchor) in plan.anchors.iter().enumerate() {
            let origin = check.origin(Item::Anchor(floor, number));
            check_known(check, &origin, &ZONES, &catalogue.zones, &anchor.zones);
        }
    }
    for (number, feed) in check.directory.feeds.iter().enumerate() {
        let origin = check.origin(Item::Feed(number));
        check_known(check, &origin, &ZONES, &catalogue.zones, &feed.zones);
    }
    for (number, rule) in check.directory.rules.iter().enumerate() {
        let checked =
            Checked { check, catalogue, census, rule, origin: check.origin(Item::Rule(number)) };
        checked.references();
        checked.fitness();
        delays::check(check, rule, &checked.origin);
        checked.selection();
    }
}

/// What a list of ids points at.
pub(super) struct Target {
    kind: FindingKind,
    word: &'static str,
}

const ZONES: Target = Target { kind: FindingKind::UnknownZone, word: "zone" };
pub(super) const DOORS: Target = Target { kind: FindingKind::UnknownDoor, word: "door" };
const LINES: Target = Target { kind: FindingKind::UnknownLine, word: "line" };
const SUBJECTS: Target = Target { kind: FindingKind::UnknownSubject, word: "subject" };

pub(super) fn check_known(
    check: &Check<'_>,
    origin: &Origin,
    target: &Target,
    shelf: &Shelf<'_>,
    ids: &[Name],
) {
    for id in ids.iter().filter(|id| shelf.index(id).is_none()) {
        let problem = format!("there is no {} `{id}`", target.word);
        let remedy = match nearest(id.as_str(), shelf.ids()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("add the {} or remove its id here", target.word),
        };
        check.report.error(target.kind, origin, &problem, &remedy);
    }
}

struct Checked<'a> {
    check: &'a Check<'a>,
    catalogue: &'a Catalogue<'a>,
    census: &'a Census<'a>,
    rule: &'a RulePlan,
    origin: Origin,
}

impl Checked<'_> {
    fn error(&self, kind: FindingKind, problem: &str, remedy: &str) {
        self.check.report.error(kind, &self.origin, problem, remedy);
    }

    fn warning(&self, kind: FindingKind, problem: &str, remedy: &str) {
        self.check.report.warning(kind, &self.origin, problem, remedy);
    }

    fn references(&self) {
        let (catalogue, place, who) = (self.catalogue, &self.rule.place, &self.rule.who);
        let others = self.rule.others.as_ref();
        let (other_subjects, other_labels) =
            others.map_or((&[][..], &[][..]), |others| (&others.subjects[..], &others.labels[..]));
        for (target, shelf, ids) in [
            (&ZONES, &catalogue.zones, &place.zones[..]),
            (&DOORS, &catalogue.doors, &place.doors),
            (&LINES, &catalogue.lines, &place.lines),
            (&SUBJECTS, &catalogue.subjects, &who.subjects),
            (&SUBJECTS, &catalogue.subjects, other_subjects),
        ] {
            check_known(self.check, &self.origin, target, shelf, ids);
        }
        for (word, shelf, labels) in [
            ("zone", &catalogue.zones, &place.zones_labelled[..]),
            ("door", &catalogue.doors, &place.doors_labelled),
            ("line", &catalogue.lines, &place.lines_labelled),
            ("subject", &catalogue.subjects, &who.labels),
            ("subject", &catalogue.subjects, other_labels),
        ] {
            for label in labels.iter().filter(|label| !shelf.has_label(label)) {
                let problem = format!("no {word} carries the label `{label}`");
                let remedy = match nearest(label.as_str(), shelf.labels()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("label a {word} with it or remove it here"),
                };
                self.warning(FindingKind::EmptySelection, &problem, &remedy);
            }
        }
    }

    fn fitness(&self) {
        let rule = self.rule;
        if !rule.what.alarms().contains(&rule.alarm) {
            let words: Vec<&str> =
                rule.what.alarms().iter().map(|&alarm| crate::write::alarm_word(alarm)).collect();
            let problem = format!("it cannot raise `{}`", crate::write::alarm_word(rule.alarm));
            let remedy = format!("set `alarm` to {}", words.join(" or "));
            self.error(FindingKind::UnfitRule, &problem, &remedy);
        }
        let (zones, doors, lines) = match rule.what {
            What::Inside
            | What::Stays { .. }
            | What::OverCapacity
            | What::Away { .. }
            | What::Alone { .. }
            | What::Motion { .. }
            | What::Meets { .. } => (true, false, false),
            What::Leaves => (true, false, true),
            what if what.is_at_doors() => (false, true, false),
            _ => (false, false, false),
        };
        let place = &rule.place;
        for (word, fits, is_given) in [
            ("zones", zones, !(place.zones.is_empty() && place.zones_labelled.is_empty())),
            ("doors", doors, !(place.doors.is_empty() && place.doors_labelled.is_empty())),
            ("lines", lines, !(place.lines.is_empty() && place.lines_labelled.is_empty())),
        ] {
            if is_given && !fits {
                let problem = format!("it names {word}, which such a rule does not watch");
                self.error(FindingKind::UnfitRule, &problem, &format!("remove the {word}"));
            }
        }
        if !rule.what.has_gates() && (rule.gates.is_some() || rule.is_tentative) {
            let problem = "it has gates or is tentative, but such a rule fires on first evidence";
            self.error(FindingKind::UnfitRule, problem, "remove `gates` and `tentative`");
        }
        if let Some(gates) = &rule.gates {
            self.gates(gates);
        }
        if rule.what.is_about_nobody() && rule.who != WhoPlan::default() {
            let problem = match rule.what {
                What::Motion { .. } => {
                    "it selects people, but nobody knows who moves where nobody is seen"
                }
                What::DoorForced => "it selects people, but nobody knows who forces a door",
                _ => "it selects people, but it is about doors, whoever uses them",
            };
            self.error(FindingKind::UnfitRule, problem, "remove `who`");
        }
    }

    /// Things are pushed through a door by somebody, who counts.
    fn things(&self) {
        let is_about_things = self.rule.who.classes == [SubjectClass::Asset];
        if self.rule.what == What::Tailgating && is_about_things {
            let problem = "it selects equipment alone, which is nobody who goes through a door";
            self.error(FindingKind::UnfitRule, problem, "select people under `who`");
        }
    }

    fn gates(&self, gates: &Gates) {
        let confirm = gates.confirm;
        if !(1 <= confirm.needed && confirm.needed <= confirm.of && confirm.of <= 8) {
            let problem = format!("{} of {} positions cannot agree", confirm.needed, confirm.of);
            self.error(FindingKind::BadValue, &problem, "ask for example for 2 of 3, at most of 8");
        }
    }

    fn selection(&self) {
        let rule = self.rule;
        let zones = self.catalogue.zones_of(&rule.place);
        let doors = self.catalogue.doors_of(&rule.place);
        let lines = self.catalogue.lines_of(&rule.place);
        let is_empty = match rule.what {
            What::Inside
            | What::Stays { .. }
            | What::OverCapacity
            | What::Away { .. }
            | What::Alone { .. }
            | What::Motion { .. } => zones.is_empty(),
            What::Leaves => zones.is_empty() && lines.is_empty(),
            what if what.is_at_doors() => doors.is_empty(),
            _ => false,
        };
        // An id that is not known has been told, and is why nothing is watched.
        if is_empty && !self.has_unknown_place() {
            let remedy = match rule.what {
                what if what.is_at_doors() => "name doors under `where`, by id or by label",
                What::Leaves => "name zones or lines under `where`, by id or by label",
                _ => "name zones under `where`, by id or by label",
            };
            self.error(FindingKind::EmptySelection, "it watches nothing", remedy);
        }
        if !rule.what.is_about_nobody()
            && !self.has_unknown_who()
            && !self.census.is_empty()
            && self.census.count(&rule.who).all == 0
        {
            let remedy = "check `classes` and `labels`, or add people who carry them";
            self.warning(FindingKind::EmptySelection, "it is about nobody", remedy);
        }
        self.things();
        self.company();
        self.badges();
        self.capacity(&zones);
        self.detectors(&zones);
        self.perimeter(&zones, &lines);
        self.wiring(&doors);
    }

    fn has_unknown_place(&self) -> bool {
        let (catalogue, place) = (self.catalogue, &self.rule.place);
        let lacks =
            |shelf: &Shelf<'_>, ids: &[Name]| ids.iter().any(|id| shelf.index(id).is_none());
        lacks(&catalogue.zones, &place.zones)
            || lacks(&catalogue.doors, &place.doors)
            || lacks(&catalogue.lines, &place.lines)
    }

    fn has_unknown_who(&self) -> bool {
        Checked::has_unknown(&self.catalogue.subjects, &self.rule.who)
    }

    fn has_unknown(subjects: &Shelf<'_>, who: &WhoPlan) -> bool {
        who.subjects.iter().any(|id| subjects.index(id).is_none())
            || who.labels.iter().any(|label| !subjects.has_label(label))
    }

    /// Without anybody who could be company, everybody is alone all the time; without anybody to meet, nobody meets.
    fn company(&self) {
        let Some(others) = self.rule.others_meant() else {
            return;
        };
        let is_about_meetings = matches!(self.rule.what, What::Meets { .. });
        let count = self.census.count(&self.rule.who).all.max(self.census.count(&others).all);
        if is_about_meetings && count > KEPT_APART_MAX {
            let problem =
                format!("it keeps {count} apart from others, at most {KEPT_APART_MAX} can be");
            self.error(FindingKind::TooLarge, &problem, "select fewer, by label");
        }
        let is_known = !Checked::has_unknown(&self.catalogue.subjects, &others);
        if is_known && !self.census.is_empty() && self.census.count(&others).tagged == 0 {
            let (problem, remedy) = match self.rule.what {
                What::Meets { .. } => (
                    "nobody with a tag fits `whom`: there is nobody to meet",
                    "check `whom`, or add people who fit it and carry tags",
                ),
                What::Tailgating => (
                    "nobody with a tag fits `with`: nobody else is seen to make use of leave",
                    "check `with`, or add people who fit it and carry tags",
                ),
                What::Motion { .. } => (
                    "nobody with a tag fits `with`: whatever moves there is nobody's",
                    "check `with`, or add people who fit it and carry tags",
                ),
                _ => (
                    "nobody with a tag is company by `with`: whoever is there is always alone",
                    "check `with`, or add people who fit it and carry tags",
                ),
            };
            self.warning(FindingKind::EmptySelection, problem, remedy);
        }
    }

    /// Whoever has no badge is granted nothing by name, and of whom has no tag nobody knows where he is.
    fn badges(&self) {
        let is_about_badges = matches!(self.rule.what, What::BadgeElsewhere { .. });
        if !is_about_badges || self.has_unknown_who() || self.census.is_empty() {
            return;
        }
        // Whose tags are missing is told besides.
        let count = self.census.count(&self.rule.who);
        if count.badged == 0 && count.tagged > 0 {
            let problem = "nobody it is about has both a badge and a tag";
            let remedy = "add `badges` to people whose tags are heard, or check `who`";
            self.warning(FindingKind::EmptySelection, problem, remedy);
        }
    }

    fn capacity(&self, zones: &[u32]) {
        if self.rule.what != What::OverCapacity {
            return;
        }
        for zone in zones.iter().filter_map(|&zone| self.catalogue.zone(zone)) {
            if zone.capacity.is_none() {
                let problem = format!("zone `{}` has no capacity", zone.id);
                let remedy = "add \"capacity\" to the zone";
                self.error(FindingKind::NoCapacity, &problem, remedy);
            }
        }
    }

    fn detectors(&self, zones: &[u32]) {
        if !matches!(self.rule.what, What::Motion { .. }) {
            return;
        }
        for zone in zones.iter().filter_map(|&zone| self.catalogue.zone(zone)) {
            if zone.motion_feed.is_none() {
                let problem = format!("no feed tells what moves in zone `{}`", zone.id);
                let remedy = "add \"motion_feed\" to the zone, or leave it out of the rule";
                self.warning(FindingKind::UnwiredZone, &problem, remedy);
            }
        }
    }

    /// Leaving a building by its outline alone is noticed late: a perimeter line is crossed in one
    /// step, an outline must be left by its tolerance for as long as the gates want.
    fn perimeter(&self, zones: &[u32], lines: &[u32]) {
        let is_building = |&zone: &u32| {
            self.catalogue.zone(zone).is_some_and(|zone| zone.kind == ZoneKind::Building)
        };
        let is_exit_rule = self.rule.what == What::Leaves
            && self.rule.alarm == AlarmKind::Elopement
            && zones.iter().any(is_building);
        if is_exit_rule && lines.is_empty() {
            let problem = "it is about leaving a building, but watches no perimeter line";
            let remedy = "draw a feature of kind `line` round the exits and name it under `lines`";
            self.warning(FindingKind::NoPerimeter, problem, remedy);
        }
    }

    fn wiring(&self, doors: &[u32]) {
        if !self.rule.what.is_at_doors() {
            return;
        }
        for door in doors.iter().filter_map(|&door| self.catalogue.door(door)) {
            if door.feed.is_none() {
                let problem = format!("no feed reports door `{}`", door.id);
                let remedy = "add \"feed\" to the door, or leave it out of the rule";
                self.warning(FindingKind::UnwiredDoor, &problem, remedy);
            }
            let is_about_orders = matches!(self.rule.what, What::DoorNotFollowing { .. });
            if is_about_orders && door.control.is_none() {
                let problem = format!("door `{}` is told nothing: it names no `control`", door.id);
                let remedy = "add \"control\" to the door, or leave it out of the rule";
                self.warning(FindingKind::UnwiredDoor, &problem, remedy);
            }
        }
    }
}
