//! Holds a whole site against itself: what no single file can know.

mod badges;
mod delays;
mod outline_words;
mod outlines;
mod responses;
mod review;
mod rules;
mod things;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::SiteDirectory;
use crate::catalogue::Catalogue;
use crate::census::Census;
use crate::finding::Findings;
use crate::text::{Origin, Report};

/// Something that was said somewhere. Floors are numbered as in the directory, the rest within its
/// floor or file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Item {
    TimeZone,
    Holiday(usize),
    Georeference,
    Control(usize),
    Feed(usize),
    Floor(usize),
    Zone(usize, usize),
    Door(usize, usize),
    Line(usize, usize),
    Anchor(usize, usize),
    Person(usize),
    Equipment(usize),
    Rule(usize),
    Response(usize),
}

impl Item {
    /// The same thing on another floor.
    fn on_floor(self, floor: usize) -> Item {
        match self {
            Item::Floor(_) => Item::Floor(floor),
            Item::Zone(_, number) => Item::Zone(floor, number),
            Item::Door(_, number) => Item::Door(floor, number),
            Item::Line(_, number) => Item::Line(floor, number),
            Item::Anchor(_, number) => Item::Anchor(floor, number),
            other => other,
        }
    }
}

/// Where everything was said.
#[derive(Debug, Default)]
pub(crate) struct Origins {
    origins: BTreeMap<Item, Origin>,
}

impl Origins {
    pub(crate) fn add(&mut self, item: Item, origin: Origin) {
        self.origins.insert(item, origin);
    }

    /// Takes what was read of one floor as that of floor `number`.
    pub(crate) fn add_floor(&mut self, number: usize, floor: BTreeMap<Item, Origin>) {
        for (item, origin) in floor {
            self.origins.insert(item.on_floor(number), origin);
        }
    }

    /// Where a thing was said; for a site made in code, where it would be written.
    pub(crate) fn of(&self, item: Item, directory: &SiteDirectory) -> Origin {
        if let Some(origin) = self.origins.get(&item) {
            return origin.clone();
        }
        let floor_file = |floor: usize| {
            directory
                .floors
                .get(floor)
                .map_or_else(|| "floors".to_owned(), |plan| format!("floors/{}.geojson", plan.id))
        };
        let (file, place) = match item {
            Item::TimeZone => ("site.toml".to_owned(), String::new()),
            Item::Holiday(number) => ("site.toml".to_owned(), format!("holiday {}", number + 1)),
            Item::Georeference => ("site.toml".to_owned(), "origin".to_owned()),
            Item::Control(number) => {
                ("site.toml".to_owned(), format!("door_control {}", number + 1))
            }
            Item::Feed(number) => ("site.toml".to_owned(), format!("feed {}", number + 1)),
            Item::Floor(floor) => (floor_file(floor), String::new()),
            Item::Zone(floor, number) => (floor_file(floor), format!("zone {}", number + 1)),
            Item::Door(floor, number) => (floor_file(floor), format!("door {}", number + 1)),
            Item::Line(floor, number) => (floor_file(floor), format!("line {}", number + 1)),
            Item::Anchor(floor, number) => (floor_file(floor), format!("anchor {}", number + 1)),
            Item::Person(number) => ("people.toml".to_owned(), format!("subject {}", number + 1)),
            Item::Equipment(number) => {
                ("equipment.toml".to_owned(), format!("subject {}", number + 1))
            }
            Item::Rule(number) => ("rules.toml".to_owned(), format!("rule {}", number + 1)),
            Item::Response(number) => ("rules.toml".to_owned(), format!("response {}", number + 1)),
        };
        Origin::new(&Arc::from(file.as_str()), None, place)
    }
}

/// What a check needs at hand.
pub(crate) struct Check<'a> {
    directory: &'a SiteDirectory,
    origins: &'a Origins,
    report: &'a Report,
}

impl Check<'_> {
    fn origin(&self, item: Item) -> Origin {
        self.origins.of(item, self.directory)
    }
}

/// Reports everything that does not fit; what rules say together is looked at once each of them is sound.
pub(crate) fn check_into(directory: &SiteDirectory, origins: &Origins, report: &Report) {
    let check = Check { directory, origins, report };
    let catalogue = Catalogue::new(directory);
    let census = Census::new(directory);
    check_each(&check, &catalogue, &census);
    if !report.has_errors() {
        review::review(&check, &catalogue, &census);
    }
}

fn check_each(check: &Check<'_>, catalogue: &Catalogue<'_>, census: &Census<'_>) {
    things::check(check);
    outlines::check(check);
    if !check.report.is_torn() {
        rules::check(check, catalogue, census);
        responses::check(check, catalogue);
    }
}

/// Reports what does not fit of the rules alone, into a site that is otherwise taken as it is.
pub(crate) fn check_rules_into(directory: &SiteDirectory, origins: &Origins, report: &Report) {
    let check = Check { directory, origins, report };
    let ids = directory.rules.iter().enumerate();
    things::check_unique(&check, "rule", ids.map(|(number, rule)| (&rule.id, Item::Rule(number))));
    let catalogue = Catalogue::new(directory);
    rules::check(&check, &catalogue, &Census::new(directory));
    responses::check(&check, &catalogue);
}

/// Everything that does not fit in a site made in code.
pub(crate) fn check(directory: &SiteDirectory) -> Findings {
    let report = Report::default();
    check_into(directory, &Origins::default(), &report);
    Findings::new(report.into_findings())
}

/// What keeps a site made in code from being used; warnings are incomplete.
pub(crate) fn errors(directory: &SiteDirectory) -> Findings {
    let report = Report::default();
    let check = Check { directory, origins: &Origins::default(), report: &report };
    check_each(&check, &Catalogue::new(directory), &Census::new(directory));
    Findings::new(report.into_findings())
}
