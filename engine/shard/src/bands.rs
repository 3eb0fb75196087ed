//! Bands that are off with somebody's knowledge: said by command, kept by the tags themselves.

use ach_actors_entities::TagInput;
use ach_actors_model::{BandWish, Cause, EntityRef, NS_PER_S, Timestamp, WishRefusal};

use crate::call::Call;
use crate::quarantine::Origin;
use crate::shard::Shard;
use crate::stage::Scene;

/// Longest time a band may be off: a bath, an operation's first hour. Longer than that a patient is to have
/// another one.
pub const BAND_OFF_MAX_NS: u64 = 3_600 * NS_PER_S;

impl Shard {
    /// Says that a band may be off for a time, or is on. There may be as many as there are tags, and each
    /// keeps its own.
    pub(crate) fn band(&mut self, wish: &BandWish, scene: Scene<'_>) -> Result<(), WishRefusal> {
        let (tag, entity) = (wish.tag, EntityRef::Tag(wish.tag));
        let is_there = scene.site.has(entity) && scene.site.has(EntityRef::Subject(wish.subject));
        if !is_there {
            return Err(WishRefusal::NoSuchThing);
        }
        if scene.site.tag_subject(tag) != Some(wish.subject) {
            return Err(WishRefusal::NotWorn);
        }
        let input = match wish.for_ns {
            None => TagInput::BandOn,
            Some(0) => return Err(WishRefusal::OffTooLong),
            Some(for_ns) if for_ns > BAND_OFF_MAX_NS => return Err(WishRefusal::OffTooLong),
            Some(_) if wish.reason.is_none() => return Err(WishRefusal::NoReason),
            Some(for_ns) => {
                TagInput::BandOff { until: Timestamp(scene.now.0.saturating_add(for_ns)) }
            }
        };
        if self.stage.actors.is_set_aside(entity) {
            return Err(WishRefusal::SetAside);
        }
        let origin = Origin { cause: Cause::SiteChange, received_at: scene.now };
        self.play(scene, Call::Tag(tag, input), origin);
        // It may have failed just now.
        if self.stage.actors.is_set_aside(entity) { Err(WishRefusal::SetAside) } else { Ok(()) }
    }
}
