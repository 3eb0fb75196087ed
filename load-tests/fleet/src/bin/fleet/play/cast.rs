//! Who takes part in a use case, and where each of them is.

use std::collections::BTreeMap;

use ach_actors_model::{DoorConfig, Name, SiteConfig, TagId, Timestamp};
use ach_clients_rust::Ping;
use ach_geo::Floor;
use ach_load_tests_fleet::{Path, Permit, TruePlace, World, door_between};

use super::use_case::Spot;
use crate::failure::Failure;

/// Positions are told this exactly.
const ACCURACY_MM: u32 = 300;

/// A tag, with the feed that hears it.
type FedTag = (u32, TagId);

/// One who takes part.
#[derive(Debug, Clone)]
struct Actor {
    /// With the feed of each.
    tags: Vec<FedTag>,
    path: Path,
}

/// A wired door on somebody's way, and when he is at its sill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Passage {
    pub(crate) door: Name,
    pub(crate) at: Timestamp,
}

/// All who take part.
#[derive(Debug, Clone)]
pub(crate) struct Cast<'a> {
    world: &'a World,
    actors: BTreeMap<Name, Actor>,
}

impl<'a> Cast<'a> {
    /// Nobody yet.
    pub(crate) fn new(world: &'a World) -> Cast<'a> {
        Cast { world, actors: BTreeMap::new() }
    }

    fn config(&self) -> &'a SiteConfig {
        &self.world.config
    }

    /// Puts somebody somewhere.
    ///
    /// # Errors
    ///
    /// The site has no such subject or place, or nothing of the subject is heard.
    pub(crate) fn stand(&mut self, subject: &Name, spot: &Spot) -> Result<(), Failure> {
        let place = self.place(spot)?;
        let tags = self.tags(subject)?;
        let path = Path::standing(place);
        self.actors.insert(subject.clone(), Actor { tags, path });
        Ok(())
    }

    /// Lets somebody who stands there already set out; gives the wired doors on the way, and when the walk ends.
    ///
    /// # Errors
    ///
    /// Nobody stands there, or there is no way.
    pub(crate) fn walk(
        &mut self,
        subject: &Name,
        to: &[Spot],
        (metres_per_s, now): (f64, Timestamp),
    ) -> Result<(Vec<Passage>, Timestamp), Failure> {
        let mut at = self.actor(subject)?.path.place_at(now.0);
        let from = at;
        let mut places = Vec::new();
        for spot in to {
            if let Spot::Named(name) = spot {
                places.extend(self.way(&at, name)?);
            }
            places.push(self.place(spot)?);
            at = places.last().copied().unwrap_or(at);
        }
        let path = Path::walking(now.0, from, &places, metres_per_s * 1_000.0);
        let config = self.config();
        let passages = path.ways().filter_map(|((from_ns, from), (to_ns, to))| {
            let (door, share) = door_between(config, from, to)?;
            let door = config.doors.get(usize::try_from(door).ok()?)?.id.clone();
            Some(Passage { door, at: between(*from_ns, *to_ns, share) })
        });
        let (passages, ends_at) = (passages.collect(), Timestamp(path.ends_at_ns().max(now.0)));
        if let Some(actor) = self.actors.get_mut(subject) {
            actor.path = path;
        }
        Ok((passages, ends_at))
    }

    /// What the tags of all say now.
    pub(crate) fn pings(&self, now: Timestamp) -> Vec<(u32, Ping)> {
        let each = self.actors.values().flat_map(|actor| {
            let at = actor.path.place_at(now.0);
            let (x_mm, y_mm) = (whole_mm(at.x_mm), whole_mm(at.y_mm));
            actor.tags.iter().map(move |&(source, tag)| {
                let ping = Ping::local(tag, now, x_mm, y_mm);
                (source, ping.on_floor(at.floor).within_mm(ACCURACY_MM))
            })
        });
        each.collect()
    }

    /// Whether anybody walks.
    pub(crate) fn is_moving(&self, now: Timestamp) -> bool {
        self.actors.values().any(|actor| actor.path.is_moving_at(now.0))
    }

    /// Somebody's first and last tag: the band and the button, each with its feed.
    ///
    /// # Errors
    ///
    /// The site has no such subject, or nothing of it is heard.
    pub(crate) fn band_and_button(&self, subject: &Name) -> Result<(FedTag, FedTag), Failure> {
        let tags = self.tags(subject)?;
        let ends = tags.first().copied().zip(tags.last().copied());
        ends.ok_or_else(|| Failure::new(format!("{subject} has no tag")))
    }

    fn actor(&self, subject: &Name) -> Result<&Actor, Failure> {
        self.actors.get(subject).ok_or_else(|| {
            let text = format!("{subject} is nowhere yet; give it a step with does = \"stands\"");
            Failure::new(text)
        })
    }

    fn tags(&self, subject: &Name) -> Result<Vec<FedTag>, Failure> {
        let config = self.config();
        let index = config.subjects.iter().position(|it| it.id == *subject);
        let index = index.and_then(|index| u32::try_from(index).ok());
        let index = index.ok_or_else(|| no_such("subject", subject))?;
        let tags = config.tags.iter().filter(|tag| tag.subject == Some(index));
        let tags: Vec<_> = tags.map(|tag| (tag.source, tag.id)).collect();
        if tags.is_empty() {
            return Err(Failure::new(format!("{subject} has no tag, so nobody hears of it")));
        }
        Ok(tags)
    }

    fn place(&self, spot: &Spot) -> Result<TruePlace, Failure> {
        match spot {
            Spot::Point([x_m, y_m, storey]) => Ok(TruePlace {
                x_mm: x_m * 1_000.0,
                y_mm: y_m * 1_000.0,
                floor: Floor(i16::try_from(whole_mm(storey * 100.0)).unwrap_or(i16::MAX)),
            }),
            Spot::Named(name) => {
                let door = self.config().doors.iter().find(|door| door.id == *name);
                if let Some(door) = door {
                    return Ok(middle(door));
                }
                let spot = self.world.graph.spot(self.spot_of(name)?);
                spot.map(|spot| spot.place).ok_or_else(|| no_such("place", name))
            }
        }
    }

    /// The spot of the walkway in the middle of a zone: those in a room are put there first.
    fn spot_of(&self, zone: &Name) -> Result<u32, Failure> {
        let index = self.config().zones.iter().position(|it| it.id == *zone);
        let index = index.and_then(|index| u32::try_from(index).ok());
        let index = index.ok_or_else(|| no_such("zone or door", zone))?;
        let is_in = |spot: &ach_load_tests_fleet::Spot| spot.room == Some(index);
        let spots = self.world.graph.spots();
        let found = spots.iter().position(is_in).and_then(|spot| u32::try_from(spot).ok());
        found.ok_or_else(|| {
            let text = format!("nobody can walk in zone {zone} itself; name a room, or a point");
            Failure::new(text)
        })
    }

    /// The corners of the shortest way along the walkway to a zone or door, whoever may go it.
    fn way(&self, from: &TruePlace, to: &Name) -> Result<Vec<TruePlace>, Failure> {
        let graph = &self.world.graph;
        let door = self.config().doors.iter().find(|door| door.id == *to);
        let target = match door {
            Some(door) => self.nearest(&middle(door)),
            None => Some(self.spot_of(to)?),
        };
        let ends = self.nearest(from).zip(target);
        let route = ends.and_then(|(from, to)| graph.route(from, to, &Permit::everywhere()));
        let route = route.ok_or_else(|| Failure::new(format!("there is no way to {to}")))?;
        Ok(route.into_iter().filter_map(|spot| Some(graph.spot(spot)?.place)).collect())
    }

    fn nearest(&self, place: &TruePlace) -> Option<u32> {
        let spots = (0_u32..).zip(self.world.graph.spots());
        let here = spots.filter(|(_, spot)| spot.place.floor == place.floor);
        here.min_by(|(_, a), (_, b)| {
            a.place.distance_mm(place).total_cmp(&b.place.distance_mm(place))
        })
        .map(|(index, _)| index)
    }
}

fn no_such(what: &str, id: &Name) -> Failure {
    Failure::new(format!("the site has no {what} {id}; `ach site sample DIR` writes it down"))
}

fn middle(door: &DoorConfig) -> TruePlace {
    let ((ax, ay), (bx, by)) = door.sill_mm;
    TruePlace {
        x_mm: f64::midpoint(f64::from(ax), f64::from(bx)),
        y_mm: f64::midpoint(f64::from(ay), f64::from(by)),
        floor: door.floor,
    }
}

#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "places of a site are within kilometres of its origin"
)]
fn whole_mm(mm: f64) -> i32 {
    mm.round() as i32
}

#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a share of a walk, to a tenth of a second"
)]
fn between(from_ns: u64, to_ns: u64, share: f64) -> Timestamp {
    const TENTH_NS: u64 = 100_000_000;
    let on_ns = (to_ns.saturating_sub(from_ns) as f64 * share) as u64;
    Timestamp((from_ns + on_ns) / TENTH_NS * TENTH_NS)
}
