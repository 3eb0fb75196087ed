//! Who was near a door when it was forced.

use ach_actors_entities::Site;
use ach_actors_model::{DoorRef, NS_PER_S, SubjectRef, Timestamp};

use crate::actors::Actors;

/// People in a room that are looked at: a full lecture hall. Each costs some 100 ns, or a microsecond if nobody has heard of
/// it for a while; a forced door must not wait for a crowd.
const LOOKED_AT_COUNT_MAX: usize = 256;

/// Bystanders that are told, the nearest: whom one asks what happened.
const TOLD_COUNT_MAX: usize = 8;

/// A position older than this says nothing of where somebody is: tags at rest tell theirs once in half a minute.
const POSITION_AGE_NS: u64 = 60 * NS_PER_S;

/// The subjects in the rooms on either side of a door that are within ten metres of it, the nearest first.
pub(crate) fn bystanders(
    actors: &Actors,
    site: &Site,
    door: DoorRef,
    now: Timestamp,
) -> Vec<SubjectRef> {
    let mut near: Vec<(u64, SubjectRef)> = Vec::new();
    for &zone in site.zones_beside(door) {
        let Some(zone) = actors.zones.get(zone.0) else { continue };
        for &subject in zone.state().occupants().iter().take(LOOKED_AT_COUNT_MAX) {
            let fixes = site
                .subject_tags(subject)
                .iter()
                .filter_map(|&tag| actors.tags.get(tag.0).and_then(|cell| cell.state().fix(tag)));
            let fresh = fixes.filter(|fix| now.since_ns(fix.observed_at) <= POSITION_AGE_NS);
            let distances = fresh.filter_map(|fix| site.distance_to_door_mm(door, &fix.position));
            near.extend(distances.min().map(|distance_mm| (distance_mm, subject)));
        }
    }
    near.sort_unstable();
    // Rooms may overlap.
    let mut told: Vec<SubjectRef> = Vec::new();
    for (_, subject) in near {
        if !told.contains(&subject) && told.len() < TOLD_COUNT_MAX {
            told.push(subject);
        }
    }
    told
}
