//! Site directories: reads, checks and writes them, and compiles them to a site configuration.
//!
//! The format is in `docs/specs/site.md`. [`SiteDirectory`] is the value between the files and the
//! [`SiteConfig`](ach_actors_model::SiteConfig) that is journaled. Names of people are here and at
//! the rim ([`NameBook`]) and nowhere else.

mod catalogue;
mod census;
mod check;
mod compile;
mod control_plan;
mod example;
mod explain;
mod feed_silence;
mod finding;
mod floor_plan;
mod georeference;
mod holiday_plan;
mod hours;
mod name_book;
mod read;
mod registration;
mod response_plan;
mod rule_book;
mod rule_plan;
mod sample;
mod schema;
mod site_directory;
mod subject_plan;
mod text;
mod utc_offsets;
mod walkway;
mod write;

pub use control_plan::ControlPlan;
pub use example::write_example;
pub use explain::{Explainer, Explanation};
pub use finding::{FINDINGS_MAX, Finding, FindingKind, Findings, Severity};
pub use floor_plan::{AnchorPlan, DoorPlan, FloorPlan, LinePlan, ZoneKind, ZonePlan};
pub use georeference::Georeference;
pub use holiday_plan::{HolidayDate, HolidayPlan};
pub use name_book::NameBook;
pub use read::SiteReading;
pub use registration::{Exchange, RegisterError, Registration, SiteEdit};
pub use response_plan::ResponsePlan;
pub use rule_book::RuleBook;
pub use rule_plan::{RulePlan, What, WherePlan, WhoPlan};
pub use sample::{Resident, SAMPLE_COUNT_MAX, SampleHospital, SampleOptions, sample_hospital};
pub use schema::rules_schema;
pub use site_directory::{FeedPlan, LARGEST_GAP_NS_DEFAULT, SiteDirectory};
pub use subject_plan::{PersonalName, SubjectPlan, TagPlan};
pub use walkway::{ClassSet, NodeKind, Passage, RoomUse, WalkEdge, WalkNode, Walkway};
pub use write::WriteError;
