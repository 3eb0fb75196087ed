//! A site as its directory tells it: the value that is read, checked, written and compiled.

use std::path::Path;

use ach_actors_model::{Name, SiteConfig, SpeedLimit, SubjectClass, TagId};
use ach_geo::Gates;

use crate::control_plan::KEPT_IN_DRILLS;
use crate::{
    ControlPlan, Findings, FloorPlan, Georeference, HolidayPlan, NameBook, ResponsePlan, RulePlan,
    SiteReading, SubjectPlan, WriteError, check, compile, read, write,
};

/// Longest time between two fixes over which a crossing is believed, unless the site says so.
pub const LARGEST_GAP_NS_DEFAULT: u64 = 2_000_000_000;
/// Longest gap over which a path is taken for straight; in a minute anybody walks round a corner.
pub(crate) const LARGEST_GAP_NS_MAX: u64 = 60_000_000_000;

/// A whole site.
#[derive(Debug, Clone, PartialEq)]
pub struct SiteDirectory {
    /// The site's id.
    pub id: Name,
    /// What people call it.
    pub name: String,
    /// IANA name of its time zone.
    pub time_zone: String,
    /// Where its local frame lies on the globe.
    pub georeference: Georeference,
    /// Longest time between two fixes over which a crossing of a line or door is believed.
    pub largest_gap_ns: u64,
    /// Fastest plausible speed by class.
    pub speed_limits: Vec<SpeedLimit>,
    /// Gates of zones that have none of their own.
    pub gates: Gates,
    /// Vendors' feeds.
    pub feeds: Vec<FeedPlan>,
    /// Storeys, by file name.
    pub floors: Vec<FloorPlan>,
    /// Patients, staff and visitors.
    pub people: Vec<SubjectPlan>,
    /// Assets.
    pub equipment: Vec<SubjectPlan>,
    /// Rules.
    pub rules: Vec<RulePlan>,
    /// What happens at once when a rule that names it raises an alarm.
    pub responses: Vec<ResponsePlan>,
    /// Days that are no weekdays for the windows of rules.
    pub holidays: Vec<HolidayPlan>,
    /// How doors are moved.
    pub controls: Vec<ControlPlan>,
    /// Labels of zones whose doors stay as they are in a drill.
    pub kept_in_drills: Vec<Name>,
}

/// A vendor's feed.
#[derive(Debug, Clone, PartialEq)]
pub struct FeedPlan {
    /// Its id, as in the vendor's certificate.
    pub id: Name,
    /// What people call it.
    pub name: String,
    /// How long the whole feed may be silent once it has spoken.
    pub silence_ns: Option<u64>,
    /// The zones it sees; empty is every zone, for one that has tags.
    pub zones: Vec<Name>,
    /// Tags it may report that are on nobody.
    pub spare_tags: Vec<TagId>,
}

impl SiteDirectory {
    /// A site with nothing in it: the plain speed limits, no floors, no rules.
    pub fn new(id: Name, name: &str, time_zone: &str) -> SiteDirectory {
        SiteDirectory {
            id,
            name: name.to_owned(),
            time_zone: time_zone.to_owned(),
            georeference: Georeference::None,
            largest_gap_ns: LARGEST_GAP_NS_DEFAULT,
            speed_limits: speed_limits_default(),
            gates: Gates::default(),
            feeds: Vec::new(),
            floors: Vec::new(),
            people: Vec::new(),
            equipment: Vec::new(),
            rules: Vec::new(),
            responses: Vec::new(),
            holidays: Vec::new(),
            controls: Vec::new(),
            kept_in_drills: kept_in_drills_default(),
        }
    }

    /// Reads and checks a site directory.
    ///
    /// # Errors
    ///
    /// Everything that was found, warnings too, when one of them is an error.
    pub fn read(root: &Path) -> Result<SiteReading, Findings> {
        read::read(root)
    }

    /// Everything that does not fit in a site made in code; reading has done it already.
    pub fn check(&self) -> Findings {
        check::check(self)
    }

    /// Writes a site directory into a new or empty folder. It reads back as the same site when its
    /// floors are sorted by number and it has a speed limit for every class in order.
    ///
    /// # Errors
    ///
    /// The folder holds something already, or the disk refuses.
    pub fn write(&self, root: &Path) -> Result<(), WriteError> {
        write::write(self, root)
    }

    /// The site as it is journaled.
    ///
    /// # Errors
    ///
    /// The errors that [`SiteDirectory::check`] finds, with some of its warnings.
    pub fn config(&self, version: u32) -> Result<SiteConfig, Findings> {
        let findings = check::errors(self);
        if findings.has_errors() {
            return Err(findings);
        }
        Ok(compile::compile(self, version))
    }

    /// The names of things and people, for the rim.
    pub fn name_book(&self) -> NameBook {
        NameBook::new(self)
    }

    /// All subjects in the order of the site configuration: people, then equipment.
    pub fn subjects(&self) -> impl Iterator<Item = &SubjectPlan> {
        self.people.iter().chain(&self.equipment)
    }
}

/// See [`KEPT_IN_DRILLS`].
pub(crate) fn kept_in_drills_default() -> Vec<Name> {
    KEPT_IN_DRILLS.iter().filter_map(|label| Name::new(label).ok()).collect()
}

/// Fastest plausible speeds: a run for people on foot (4 m/s is a 100 m run in 25 s), a pushed bed
/// or chair for things, with room for 15 cm of noise at both ends of a second.
pub(crate) fn speed_limits_default() -> Vec<SpeedLimit> {
    let limit = |class, mm_per_s| SpeedLimit { class, mm_per_s };
    vec![
        limit(SubjectClass::Patient, 4_000),
        limit(SubjectClass::Staff, 7_000),
        limit(SubjectClass::Visitor, 5_000),
        limit(SubjectClass::Asset, 4_000),
    ]
}
