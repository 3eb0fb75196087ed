//! The sample hospital as a whole.

use ach_actors_model::{SpeedLimit, SubjectClass};

use super::draft::DOOR_FEED;
use super::inhabitants::{self, Places};
use super::{TAG_FEED, building, controls, name, responses, rules};
use crate::walkway::Walkway;
use crate::{FeedPlan, FloorPlan, Georeference, SiteDirectory};

/// Most subjects of one class: together 80,000 tags and more, beyond which beds and corridors hold
/// unlikely crowds; larger loads are for synthetic sites.
pub const SAMPLE_COUNT_MAX: u32 = 20_000;

/// How many live in the sample hospital. Counts above [`SAMPLE_COUNT_MAX`] are cut to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SampleOptions {
    /// Patients.
    pub patient_count: u32,
    /// Staff.
    pub staff_count: u32,
    /// Visitors and contractors.
    pub visitor_count: u32,
    /// Things.
    pub asset_count: u32,
    /// Chooses the names.
    pub seed: u64,
}

impl Default for SampleOptions {
    fn default() -> SampleOptions {
        SampleOptions {
            patient_count: 220,
            staff_count: 180,
            visitor_count: 60,
            asset_count: 160,
            seed: 42,
        }
    }
}

/// Where a subject lives, works, visits or belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resident {
    /// The node of the walkway it starts at.
    pub home: usize,
    /// Index of its ward's zone in the site configuration; `None` has the run of the house.
    pub ward: Option<u32>,
}

/// A hospital with everything a simulator needs to let it live.
#[derive(Debug, Clone, PartialEq)]
pub struct SampleHospital {
    /// The site; passes its own check without a finding.
    pub directory: SiteDirectory,
    /// Where its inhabitants can walk.
    pub walkway: Walkway,
    /// For each subject of the site configuration, in its order.
    pub residents: Vec<Resident>,
}

/// The sample hospital of the demo.
pub fn sample_hospital() -> SampleHospital {
    SampleHospital::new(&SampleOptions::default())
}

impl SampleHospital {
    /// A hospital with as many inhabitants as wanted. The same options give the same hospital.
    pub fn new(options: &SampleOptions) -> SampleHospital {
        let options = SampleOptions {
            patient_count: options.patient_count.min(SAMPLE_COUNT_MAX),
            staff_count: options.staff_count.min(SAMPLE_COUNT_MAX),
            visitor_count: options.visitor_count.min(SAMPLE_COUNT_MAX),
            asset_count: options.asset_count.min(SAMPLE_COUNT_MAX),
            seed: options.seed,
        };
        let draft = building::draw();
        let (mut floors, walkway) = (draft.floors, draft.walkway);
        furnish(&mut floors);
        let zones = floors.iter().flat_map(|floor| &floor.zones).map(|zone| zone.id.clone());
        let places = Places { walkway: &walkway, zones: zones.collect() };
        let inhabitants = inhabitants::settle(&options, &places);
        let title = "St. Elisabeth Hospital, Freiburg";
        let directory = SiteDirectory {
            georeference: Georeference::Origin {
                lon_deg: 7.842_1,
                lat_deg: 47.995_9,
                rotation_deg: 12.0,
            },
            speed_limits: speed_limits(),
            gates: rules::zone_gates(),
            feeds: feeds(),
            floors,
            people: inhabitants.people,
            equipment: inhabitants.equipment,
            rules: rules::all(),
            responses: responses::all(),
            controls: controls::all(),
            ..SiteDirectory::new(name("st-elisabeth"), title, "Europe/Berlin")
        };
        SampleHospital { directory, walkway, residents: inhabitants.residents }
    }
}

/// A brisk walk for patients and things, a run for staff; a jump of several metres within a second
/// is beyond all but the last.
fn speed_limits() -> Vec<SpeedLimit> {
    let limit = |class, mm_per_s| SpeedLimit { class, mm_per_s };
    vec![
        limit(SubjectClass::Patient, 3_000),
        limit(SubjectClass::Staff, 6_000),
        limit(SubjectClass::Visitor, 3_000),
        limit(SubjectClass::Asset, 3_000),
    ]
}

fn feeds() -> Vec<FeedPlan> {
    const SILENCE_NS: u64 = 30_000_000_000;
    let feed = |id, title: &str, silence_ns| FeedPlan {
        id: name(id),
        name: title.to_owned(),
        silence_ns,
        zones: Vec::new(),
        spare_tags: Vec::new(),
    };
    vec![
        feed(TAG_FEED, "Locating system", Some(SILENCE_NS)),
        // Doors may be quiet for a night.
        feed(DOOR_FEED, "Door controllers", None),
    ]
}

/// What is not walls: capacities, and detectors.
fn furnish(floors: &mut [FloorPlan]) {
    const CAFETERIA_CAPACITY: u32 = 120;
    for zone in floors.iter_mut().flat_map(|floor| &mut floor.zones) {
        if zone.id.as_str() == "cafeteria" {
            zone.capacity = Some(CAFETERIA_CAPACITY);
        }
        if zone.id.as_str() == "drug-store" {
            zone.motion_feed = Some(name(DOOR_FEED));
        }
    }
}
