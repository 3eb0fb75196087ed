//! A hospital made by code: the same every time, and writable as a site directory.

mod answers;
mod building;
mod company_rules;
mod controls;
mod door_rules;
mod draft;
mod ground_plan;
mod hospital;
mod inhabitants;
mod passage_rules;
mod people_names;
mod responses;
mod rules;
mod seed;
mod storeys;
mod wings;

pub use hospital::{Resident, SAMPLE_COUNT_MAX, SampleHospital, SampleOptions, sample_hospital};

use ach_actors_model::Name;

/// The feed of tags.
const TAG_FEED: &str = "rtls";
/// The line round the building on the ground floor.
const PERIMETER: &str = "perimeter";

/// An id of the sample hospital.
#[expect(
    clippy::expect_used,
    reason = "ids come from the tables in this folder, tested as a whole"
)]
fn name(id: &str) -> Name {
    Name::new(id).expect("ids in the tables are plain")
}
