//! What people call things, for the rim. Never journaled.

use std::collections::BTreeMap;
use std::fmt;

use ach_actors_model::Name;

use crate::SiteDirectory;

/// Names for people by id. `Debug` shows counts alone, because subjects' names are personal.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct NameBook {
    site: String,
    zones: BTreeMap<Name, String>,
    doors: BTreeMap<Name, String>,
    lines: BTreeMap<Name, String>,
    anchors: BTreeMap<Name, String>,
    feeds: BTreeMap<Name, String>,
    subjects: BTreeMap<Name, String>,
    rules: BTreeMap<Name, String>,
}

impl NameBook {
    /// The names of a site.
    pub fn new(directory: &SiteDirectory) -> NameBook {
        let mut book = NameBook { site: directory.name.clone(), ..NameBook::default() };
        for plan in &directory.floors {
            book.zones.extend(plan.zones.iter().map(|zone| (zone.id.clone(), zone.name.clone())));
            book.doors.extend(plan.doors.iter().map(|door| (door.id.clone(), door.name.clone())));
            book.lines.extend(plan.lines.iter().map(|line| (line.id.clone(), line.name.clone())));
            let anchors = plan.anchors.iter();
            book.anchors.extend(anchors.map(|anchor| (anchor.id.clone(), anchor.name.clone())));
        }
        book.feeds =
            directory.feeds.iter().map(|feed| (feed.id.clone(), feed.name.clone())).collect();
        let subjects = directory.subjects();
        book.subjects =
            subjects.map(|subject| (subject.id.clone(), subject.name.0.clone())).collect();
        book.rules =
            directory.rules.iter().map(|rule| (rule.id.clone(), rule.name.clone())).collect();
        book
    }

    /// The site.
    pub fn site(&self) -> &str {
        &self.site
    }

    /// A zone; its id, where it has no name.
    pub fn zone<'a>(&'a self, id: &'a Name) -> &'a str {
        look_up(&self.zones, id)
    }

    /// A door; its id, where it has no name.
    pub fn door<'a>(&'a self, id: &'a Name) -> &'a str {
        look_up(&self.doors, id)
    }

    /// A perimeter line; its id, where it has no name.
    pub fn line<'a>(&'a self, id: &'a Name) -> &'a str {
        look_up(&self.lines, id)
    }

    /// An anchor; its id, where it has no name.
    pub fn anchor<'a>(&'a self, id: &'a Name) -> &'a str {
        look_up(&self.anchors, id)
    }

    /// A feed; its id, where it has no name.
    pub fn feed<'a>(&'a self, id: &'a Name) -> &'a str {
        look_up(&self.feeds, id)
    }

    /// A subject: personal. Its id, where it has no name.
    pub fn subject<'a>(&'a self, id: &'a Name) -> &'a str {
        look_up(&self.subjects, id)
    }

    /// A rule; its id, where it has no name.
    pub fn rule<'a>(&'a self, id: &'a Name) -> &'a str {
        look_up(&self.rules, id)
    }
}

fn look_up<'a>(names: &'a BTreeMap<Name, String>, id: &'a Name) -> &'a str {
    names.get(id).map_or_else(|| id.as_str(), String::as_str)
}

impl fmt::Debug for NameBook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NameBook")
            .field("site", &self.site)
            .field("zones", &self.zones.len())
            .field("doors", &self.doors.len())
            .field("subjects", &self.subjects.len())
            .finish_non_exhaustive()
    }
}
