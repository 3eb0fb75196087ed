//! Fills the sample hospital: patients, staff, visitors and equipment, each with tags and a home.

use ach_actors_model::{Name, SubjectClass, TagId};

use super::hospital::{Resident, SampleOptions};
use super::people_names;
use super::seed::Seed;
use super::{TAG_FEED, name};
use crate::walkway::{RoomUse, Walkway};
use crate::{PersonalName, SubjectPlan, TagPlan};

/// The first number of the sample's tags: locally administered, so no maker's.
const TAG_BASE: u64 = 0x0200_AC00_0000_0000;

/// Who lives where. A share of 0 takes what is left, in turns.
struct Cohort {
    stem: &'static str,
    class: SubjectClass,
    labels: &'static [&'static str],
    ward: &'static str,
    /// The room, where it is a certain one.
    room: Option<&'static str>,
    /// Of a thousand of the class.
    permille: u32,
    tag_count: u32,
}

const fn cohort(
    stem: &'static str,
    class: SubjectClass,
    labels: &'static [&'static str],
    ward: &'static str,
    permille: u32,
) -> Cohort {
    Cohort { stem, class, labels, ward, room: None, permille, tag_count: 1 }
}

use SubjectClass::{Asset, Patient, Staff, Visitor};

// Shares of 220 patients: 30 with dementia, 12 newborns, 15 in psychiatry and so on.
const PATIENTS: &[Cohort] = &[
    cohort("patient", Patient, &["dementia"], "dementia-ward", 137),
    Cohort {
        room: Some("nursery"),
        ..cohort("infant", Patient, &["newborn"], "maternity-ward", 55)
    },
    cohort("patient", Patient, &["psychiatric"], "psychiatric-ward", 69),
    cohort("patient", Patient, &["mother"], "maternity-ward", 55),
    cohort("patient", Patient, &["intensive"], "icu", 55),
    cohort("patient", Patient, &[], "internal-medicine", 137),
    cohort("patient", Patient, &[], "surgical-ward", 110),
    cohort("patient", Patient, &[], "orthopaedics", 110),
    cohort("patient", Patient, &[], "cardiology", 73),
    cohort("patient", Patient, &[], "rehabilitation", 64),
    cohort("patient", Patient, &["child"], "paediatrics", 55),
    cohort("patient", Patient, &[], "day-clinic", 41),
    cohort("patient", Patient, &["emergency"], "emergency-ward", 39),
];

// Those who may need help at once carry a second tag with a button.
const STAFF: &[Cohort] = &[
    Cohort { tag_count: 2, ..cohort("nurse", Staff, &["nurse"], "psychiatric-ward", 78) },
    Cohort { tag_count: 2, ..cohort("nurse", Staff, &["nurse"], "emergency-ward", 89) },
    Cohort { tag_count: 2, ..cohort("nurse", Staff, &["nurse"], "dementia-ward", 78) },
    Cohort { tag_count: 2, ..cohort("guard", Staff, &["security"], "", 44) },
    cohort("nurse", Staff, &["nurse"], "maternity-ward", 78),
    cohort("nurse", Staff, &["nurse"], "icu", 89),
    cohort("nurse", Staff, &["nurse"], "internal-medicine", 67),
    cohort("nurse", Staff, &["nurse"], "surgical-ward", 67),
    cohort("nurse", Staff, &["nurse"], "orthopaedics", 67),
    cohort("nurse", Staff, &["nurse"], "cardiology", 44),
    cohort("nurse", Staff, &["nurse"], "rehabilitation", 33),
    cohort("nurse", Staff, &["nurse"], "paediatrics", 33),
    cohort("doctor", Staff, &["doctor"], "surgery", 67),
    cohort("doctor", Staff, &["doctor"], "day-clinic", 33),
    cohort("doctor", Staff, &["doctor"], "radiology", 33),
    cohort("pharmacist", Staff, &["pharmacy"], "pharmacy", 33),
    cohort("porter", Staff, &["porter"], "logistics", 33),
    cohort("clerk", Staff, &["clerk"], "", 34),
];

const VISITORS: &[Cohort] = &[
    cohort("visitor", Visitor, &["family"], "maternity-ward", 150),
    cohort("visitor", Visitor, &[], "dementia-ward", 100),
    cohort("visitor", Visitor, &[], "internal-medicine", 150),
    cohort("visitor", Visitor, &[], "surgical-ward", 150),
    cohort("visitor", Visitor, &[], "orthopaedics", 130),
    cohort("visitor", Visitor, &[], "cardiology", 80),
    cohort("visitor", Visitor, &[], "paediatrics", 80),
    cohort("visitor", Visitor, &[], "", 100),
    cohort("contractor", Visitor, &["contractor"], "", 60),
];

const ASSETS: &[Cohort] = &[
    cohort("pump", Asset, &["pump", "icu-pump"], "icu", 125),
    cohort("pump", Asset, &["pump"], "internal-medicine", 63),
    cohort("pump", Asset, &["pump"], "surgical-ward", 62),
    Cohort {
        room: Some("equipment-store"),
        ..cohort("pump", Asset, &["pump", "stored"], "logistics", 63)
    },
    cohort("ventilator", Asset, &["ventilator"], "icu", 94),
    cohort("wheelchair", Asset, &["wheelchair"], "emergency-ward", 63),
    cohort("wheelchair", Asset, &["wheelchair"], "rehabilitation", 94),
    cohort("wheelchair", Asset, &["wheelchair"], "orthopaedics", 93),
    cohort("bed", Asset, &["bed"], "surgical-ward", 125),
    cohort("bed", Asset, &["bed"], "cardiology", 63),
    cohort("bed", Asset, &["bed"], "icu", 62),
    cohort("ultrasound", Asset, &["ultrasound"], "radiology", 31),
    cohort("defibrillator", Asset, &["defibrillator"], "emergency-ward", 62),
];

/// Ids of zones in the order of the site configuration.
pub(super) struct Places<'a> {
    pub(super) walkway: &'a Walkway,
    pub(super) zones: Vec<Name>,
}

impl Places<'_> {
    fn zone(&self, id: &str) -> Option<u32> {
        let index = self.zones.iter().position(|zone| zone.as_str() == id)?;
        u32::try_from(index).ok()
    }

    /// The nodes a cohort begins at: beds for patients, workplaces for staff, day rooms and the
    /// lobby for visitors, stores and rooms for things.
    fn homes(&self, cohort: &Cohort) -> Vec<usize> {
        let ward = self.zone(cohort.ward);
        let targets = self.walkway.targets(cohort.class, ward);
        let room = cohort.room.and_then(|room| self.zone(room));
        let is_home = |&node: &usize| {
            let Some(node) = self.walkway.nodes().get(node) else { return false };
            if let Some(room) = room {
                return node.zone == room;
            }
            let is_inside = ward.is_none() || node.ward == ward;
            let is_nursery = self.zone("nursery") == Some(node.zone);
            let fits = match cohort.class {
                Patient => node.room_use == RoomUse::Bed && !is_nursery,
                Staff => true,
                Visitor if ward.is_none() => self.zone("lobby") == Some(node.zone),
                Visitor => node.room_use == RoomUse::Lounge,
                Asset => !is_nursery,
            };
            is_inside && fits
        };
        targets.into_iter().filter(is_home).collect()
    }
}

/// The inhabitants: people, equipment, and where each of them lives, in that order.
pub(super) struct Inhabitants {
    pub(super) people: Vec<SubjectPlan>,
    pub(super) equipment: Vec<SubjectPlan>,
    pub(super) residents: Vec<Resident>,
}

/// Fills the hospital.
pub(super) fn settle(options: &SampleOptions, places: &Places<'_>) -> Inhabitants {
    let mut settling = Settling { seed: Seed(options.seed), tag_count: 0, residents: Vec::new() };
    let mut people = Vec::new();
    for (cohorts, count) in [
        (PATIENTS, options.patient_count),
        (STAFF, options.staff_count),
        (VISITORS, options.visitor_count),
    ] {
        people.extend(settling.class(cohorts, count, places));
    }
    let equipment = settling.class(ASSETS, options.asset_count, places);
    Inhabitants { people, equipment, residents: settling.residents }
}

struct Settling {
    seed: Seed,
    tag_count: u64,
    residents: Vec<Resident>,
}

impl Settling {
    fn class(&mut self, cohorts: &[Cohort], count: u32, places: &Places<'_>) -> Vec<SubjectPlan> {
        let mut subjects = Vec::new();
        let mut numbers = std::collections::BTreeMap::new();
        for (cohort, size) in cohorts.iter().zip(sizes(cohorts, count)) {
            let homes = places.homes(cohort);
            let number = numbers.entry(cohort.stem).or_insert(0_u32);
            for turn in 0..size {
                *number += 1;
                subjects.push(self.subject(cohort, *number));
                // Beds stand apart: a stride of 7 spreads neighbours over the ward's rooms.
                let home = usize::try_from(turn)
                    .ok()
                    .and_then(|turn| homes.get((turn * 7) % homes.len().max(1)).copied())
                    .unwrap_or_default();
                self.residents.push(Resident { home, ward: places.zone(cohort.ward) });
            }
        }
        subjects
    }

    fn subject(&mut self, cohort: &Cohort, number: u32) -> SubjectPlan {
        let id = format!("{}-{number:03}", cohort.stem);
        let title = match cohort.class {
            Asset => {
                let mut letters = cohort.stem.chars();
                let first = letters.next().map(|letter| letter.to_ascii_uppercase());
                let rest: String = letters.collect();
                format!("{}{rest} {number}", first.unwrap_or_default())
            }
            _ if cohort.stem == "infant" => {
                format!("Baby {}", people_names::pick_family(&mut self.seed))
            }
            _ => people_names::pick(&mut self.seed),
        };
        let tags = (0..cohort.tag_count).map(|_| self.tag()).collect();
        SubjectPlan {
            id: name(&id),
            name: PersonalName(title),
            class: cohort.class,
            labels: cohort.labels.iter().map(|label| name(label)).collect(),
            tags,
            badges: if cohort.class == Staff {
                vec![name(&format!("card-{id}"))]
            } else {
                Vec::new()
            },
        }
    }

    fn tag(&mut self) -> TagPlan {
        self.tag_count += 1;
        TagPlan { id: TagId(TAG_BASE + self.tag_count), feed: name(TAG_FEED) }
    }
}

/// Splits a count by shares; what rounding leaves goes to the cohorts in turn,
/// the last ones first: the first ones are those the rules are about.
fn sizes(cohorts: &[Cohort], count: u32) -> Vec<u32> {
    let mut sizes: Vec<u32> = cohorts
        .iter()
        .map(|cohort| {
            let share = u64::from(count) * u64::from(cohort.permille) / 1_000;
            u32::try_from(share).unwrap_or(u32::MAX)
        })
        .collect();
    let mut left = count.saturating_sub(sizes.iter().sum());
    while left > 0 && !sizes.is_empty() {
        for size in sizes.iter_mut().rev() {
            if left > 0 {
                *size += 1;
                left -= 1;
            }
        }
    }
    sizes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_whole() {
        for cohorts in [PATIENTS, STAFF, VISITORS, ASSETS] {
            assert_eq!(cohorts.iter().map(|cohort| cohort.permille).sum::<u32>(), 1_000);
            for count in [0, 1, 17, 220, 1_000, 9_999] {
                assert_eq!(sizes(cohorts, count).iter().sum::<u32>(), count);
            }
        }
    }
}
