//! Names for the numbers a shard works with, and numbers for names, by the site in force.

use ach_actors_entities::Site;
use ach_actors_model::{
    AnchorRef, DoorRef, EntityRef, LineRef, Name, Place, RuleRef, SourceRef, SubjectRef, TagId,
    TagRef, ZoneRef,
};
use ach_engine_wire::Thing;

/// A site as the rim reads it. A number the site does not know reads as a name that says so; a site
/// never forgets a number, so that is a bug and still no reason to lose an alarm.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Names<'a>(pub &'a Site);

fn named(name: Option<&str>, kind: &str, number: u32) -> Name {
    name.and_then(|name| Name::new(name).ok())
        .or_else(|| Name::new(&format!("unknown-{kind}-{number}")).ok())
        .unwrap_or_else(unnamed)
}

#[expect(clippy::expect_used, reason = "a constant that a test below makes too")]
fn unnamed() -> Name {
    Name::new("unknown").expect("a constant name")
}

impl Names<'_> {
    pub(crate) fn zone(self, zone: ZoneRef) -> Name {
        named(self.0.zone_name(zone), "zone", zone.0)
    }

    pub(crate) fn door(self, door: DoorRef) -> Name {
        named(self.0.door_name(door), "door", door.0)
    }

    pub(crate) fn line(self, line: LineRef) -> Name {
        named(self.0.line_name(line), "line", line.0)
    }

    pub(crate) fn rule(self, rule: RuleRef) -> Name {
        named(self.0.rule_name(rule), "rule", rule.0)
    }

    pub(crate) fn subject(self, subject: SubjectRef) -> Name {
        named(self.0.subject_name(subject), "subject", subject.0)
    }

    pub(crate) fn source(self, source: SourceRef) -> Name {
        named(self.0.source_name(source), "feed", source.0)
    }

    pub(crate) fn anchor(self, anchor: AnchorRef) -> Name {
        named(self.0.anchor_name(anchor), "anchor", anchor.0)
    }

    pub(crate) fn tag(self, tag: TagRef) -> TagId {
        self.0.tag_id(tag).unwrap_or(TagId(0))
    }

    pub(crate) fn place(self, place: Place) -> Thing {
        match place {
            Place::Site => Thing::Site,
            Place::Zone(zone) => Thing::Zone(self.zone(zone)),
            Place::Door(door) => Thing::Door(self.door(door)),
            Place::Line(line) => Thing::Line(self.line(line)),
            Place::Tag(tag) => Thing::Tag(self.tag(tag)),
            Place::Source(source) => Thing::Source(self.source(source)),
            Place::Anchor(anchor) => Thing::Anchor(self.anchor(anchor)),
            Place::Subject(subject) => Thing::Subject(self.subject(subject)),
        }
    }

    /// The actor of a thing, if the site has it and it has one.
    pub(crate) fn entity(self, thing: &Thing) -> Option<EntityRef> {
        let site = self.0;
        match thing {
            Thing::Tag(id) => site.tag(*id).map(EntityRef::Tag),
            Thing::Subject(name) => site.subject(name.as_str()).map(EntityRef::Subject),
            Thing::Zone(name) => site.zone(name.as_str()).map(EntityRef::Zone),
            Thing::Door(name) => site.door(name.as_str()).map(EntityRef::Door),
            Thing::Source(name) => site.source(name.as_str()).map(EntityRef::Source),
            Thing::Site | Thing::Line(_) | Thing::Anchor(_) => None,
        }
    }

    /// The place of a thing, if the site has it and alarms can be about it as a place.
    pub(crate) fn place_of(self, thing: &Thing) -> Option<Place> {
        let site = self.0;
        match thing {
            Thing::Tag(id) => site.tag(*id).map(Place::Tag),
            Thing::Zone(name) => site.zone(name.as_str()).map(Place::Zone),
            Thing::Door(name) => site.door(name.as_str()).map(Place::Door),
            Thing::Line(name) => site.line(name.as_str()).map(Place::Line),
            Thing::Source(name) => site.source(name.as_str()).map(Place::Source),
            Thing::Anchor(name) => site.anchor(name.as_str()).map(Place::Anchor),
            // Nobody mutes a whole site.
            Thing::Site | Thing::Subject(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_nobody_knows_has_a_name_that_says_so() {
        assert_eq!(named(None, "door", 7).as_str(), "unknown-door-7");
        assert_eq!(named(Some("attic"), "door", 7).as_str(), "attic");
        assert_eq!(unnamed().as_str(), "unknown");
    }
}
