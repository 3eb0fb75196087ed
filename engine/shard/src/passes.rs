//! Who has leave: given and ended by command, kept by the subjects themselves. The shard only counts
//! them, and knows them for those who ask.

use std::collections::BTreeMap;
use std::sync::Arc;

use ach_actors_entities::{Effect, SubjectInput};
use ach_actors_model::{
    Cause, EntityRef, Escort, NS_PER_S, Name, Pass, PassNotice, PassWish, Place, SubjectRef,
    Timestamp, WishRefusal,
};

use crate::call::Call;
use crate::quarantine::Origin;
use crate::shard::Shard;
use crate::stage::Scene;

/// Longest leave: a day. Whoever is away for longer is discharged, or given leave anew by somebody who
/// has looked.
pub const PASS_MAX_NS: u64 = 24 * 3_600 * NS_PER_S;

/// Subjects that have leave at once: an eighth of the patients of the largest hospitals. At some 500
/// bytes each they are told at once in a checkpoint, so a slice's time bounds them.
const PASS_COUNT_MAX: usize = 1_024;

/// Places that leave may name: the wards and gardens of a house.
const PASS_PLACES_MAX: usize = 64;

/// How close an escort is: what a locating system can tell, to across a courtyard.
const WITHIN_MM: std::ops::RangeInclusive<u32> = 1_000..=100_000;

/// Subjects that one escort goes with at once: a group on an outing. Each position of the escort is told to every one of
/// them, so it bounds what one ping costs.
const WARDS_MAX: usize = 32;

/// For how long an escort may be missed: the pause between two pings, to a wait at the toilet's door.
const GAP_NS: std::ops::RangeInclusive<u64> = NS_PER_S..=600 * NS_PER_S;

/// Everybody who has leave, by what the subjects said.
#[derive(Debug)]
pub(crate) struct Passes {
    kept: BTreeMap<SubjectRef, Arc<Pass>>,
    /// Leave is refused to more.
    pub(crate) count_max: usize,
    /// Leave with one escort is refused to more.
    pub(crate) wards_max: usize,
}

impl Default for Passes {
    fn default() -> Passes {
        Passes { kept: BTreeMap::new(), count_max: PASS_COUNT_MAX, wards_max: WARDS_MAX }
    }
}

impl Passes {
    /// Takes over what a subject says of its leave.
    pub(crate) fn hear(&mut self, notice: &PassNotice) {
        let subject = notice.pass.subject;
        match notice.end {
            None => drop(self.kept.insert(subject, Arc::clone(&notice.pass))),
            Some(_) => drop(self.kept.remove(&subject)),
        }
    }

    /// Those of a checkpoint.
    pub(crate) fn restore(head: Vec<Arc<Pass>>) -> Passes {
        let kept = head.into_iter().map(|pass| (pass.subject, pass)).collect();
        Passes { kept, ..Passes::default() }
    }

    /// How many others may be out only with an escort.
    fn other_wards_of(&self, escort: SubjectRef, subject: SubjectRef) -> usize {
        let goes_along = |pass: &&Arc<Pass>| pass.escort.is_some_and(|it| it.subject == escort);
        self.all().filter(|pass| pass.subject != subject).filter(goes_along).count()
    }

    /// All of them, by subject.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<Pass>> {
        self.kept.values()
    }
}

impl Shard {
    /// Gives a subject leave, or ends it. What is so already changes nothing.
    pub(crate) fn pass(
        &mut self,
        by: &Name,
        wish: &PassWish,
        scene: Scene<'_>,
    ) -> Result<(), WishRefusal> {
        let subject = wish.subject;
        if !scene.site.has(EntityRef::Subject(subject)) {
            return Err(WishRefusal::NoSuchThing);
        }
        let Some(for_ns) = wish.for_ns else {
            return self.tell_of_pass(subject, SubjectInput::PassEnded, scene);
        };
        let pass = Arc::new(Pass {
            subject,
            places: places(wish, scene)?,
            given_at: scene.now,
            until: until(for_ns, scene.now)?,
            is_until_back: wish.is_until_back,
            escort: wish.escort.map(|escort| self.escort(subject, escort, scene)).transpose()?,
            by: wish.person.as_ref().unwrap_or(by).clone(),
            reason: wish.reason.clone().ok_or(WishRefusal::NoReason)?,
        });
        let is_new = !self.passes.kept.contains_key(&subject);
        if is_new && self.passes.kept.len() >= self.passes.count_max {
            return Err(WishRefusal::TooManyPasses);
        }
        self.tell_of_pass(subject, SubjectInput::PassGiven { pass: &pass }, scene)
    }

    fn escort(
        &mut self,
        subject: SubjectRef,
        escort: Escort,
        scene: Scene<'_>,
    ) -> Result<Escort, WishRefusal> {
        let entity = EntityRef::Subject(escort.subject);
        if !scene.site.has(entity) {
            return Err(WishRefusal::NoSuchThing);
        }
        let is_fit = escort.subject != subject
            && WITHIN_MM.contains(&escort.within_mm)
            && GAP_NS.contains(&escort.gap_ns);
        if !is_fit {
            return Err(WishRefusal::NoEscort);
        }
        if self.stage.actors.is_set_aside(entity) {
            return Err(WishRefusal::SetAside);
        }
        if self.passes.other_wards_of(escort.subject, subject) >= self.passes.wards_max {
            return Err(WishRefusal::TooManyWards);
        }
        Ok(escort)
    }

    fn tell_of_pass(
        &mut self,
        subject: SubjectRef,
        input: SubjectInput<'_>,
        scene: Scene<'_>,
    ) -> Result<(), WishRefusal> {
        let entity = EntityRef::Subject(subject);
        if self.stage.actors.is_set_aside(entity) {
            return Err(WishRefusal::SetAside);
        }
        let origin = Origin { cause: Cause::SiteChange, received_at: scene.now };
        self.play(scene, Call::Subject(subject, input), origin);
        // It may have failed just now.
        if self.stage.actors.is_set_aside(entity) { Err(WishRefusal::SetAside) } else { Ok(()) }
    }

    /// Everybody who has leave, by subject.
    pub fn passes(&self) -> impl Iterator<Item = &Arc<Pass>> {
        self.passes.all()
    }

    /// Takes over what was said of leave.
    pub(crate) fn hear_of_pass(&mut self, from: usize) {
        for effect in self.stage.out.effects.iter().skip(from) {
            if let Effect::Pass(notice) = effect {
                self.passes.hear(notice);
            }
        }
    }
}

/// When leave is over that is given for so long.
fn until(for_ns: u64, now: Timestamp) -> Result<Timestamp, WishRefusal> {
    if for_ns == 0 || for_ns > PASS_MAX_NS {
        return Err(WishRefusal::LeaveTooLong);
    }
    Ok(Timestamp(now.0.saturating_add(for_ns)))
}

/// The zones and lines that are named, ascending.
fn places(wish: &PassWish, scene: Scene<'_>) -> Result<Vec<Place>, WishRefusal> {
    let is_place = |place: &Place| {
        matches!(place, Place::Zone(_) | Place::Line(_)) && scene.site.has_place(*place)
    };
    if wish.places.len() > PASS_PLACES_MAX {
        return Err(WishRefusal::TooManyPlaces);
    }
    if !wish.places.iter().all(is_place) {
        return Err(WishRefusal::NoSuchThing);
    }
    let mut places = wish.places.clone();
    places.sort_unstable();
    places.dedup();
    Ok(places)
}
