//! Refs by id and ids by ref, for the rim and for alarm ids.

use ach_actors_model::{
    AnchorRef, BadgeRef, DoorRef, EntityRef, LineRef, Name, RuleRef, SourceRef, SubjectClass,
    SubjectRef, TagId, TagRef, Timestamp, ZoneRef,
};

use super::Site;

/// A lookup by id finds only what is in force; a name by ref is told for removed things too, so
/// that alarms about them can be rendered.
impl Site {
    /// The site's id.
    pub fn id(&self) -> &Name {
        &self.id
    }

    /// The version.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// What the clocks on the site's walls show, in seconds since 1970.
    pub fn wall_s(&self, at: Timestamp) -> i64 {
        self.calendar.wall_s(at)
    }

    /// How many tag refs were ever given; each is below this.
    pub fn tag_ref_count(&self) -> usize {
        self.tags.len()
    }

    /// How many subject refs were ever given.
    pub fn subject_ref_count(&self) -> usize {
        self.subjects.len()
    }

    /// How many zone refs were ever given.
    pub fn zone_ref_count(&self) -> usize {
        self.zones.len()
    }

    /// How many door refs were ever given.
    pub fn door_ref_count(&self) -> usize {
        self.doors.len()
    }

    /// How many source refs were ever given.
    pub fn source_ref_count(&self) -> usize {
        self.sources.len()
    }

    /// How many anchor refs were ever given.
    pub fn anchor_ref_count(&self) -> usize {
        self.anchors.len()
    }

    /// Whether a thing is in force, and not merely was once.
    pub fn has(&self, entity: EntityRef) -> bool {
        match entity {
            EntityRef::Tag(tag) => self.tag_plan(tag).is_some(),
            EntityRef::Subject(subject) => self.subject_class(subject).is_some(),
            EntityRef::Zone(zone) => self.zone_plan(zone).is_some(),
            EntityRef::Door(door) => self.door_plan(door).is_some(),
            EntityRef::Source(source) => self.source_plan(source).is_some(),
            EntityRef::Anchor(anchor) => self.anchor_plan(anchor).is_some(),
        }
    }

    /// The tag with a factory number.
    pub fn tag(&self, id: TagId) -> Option<TagRef> {
        let tag = TagRef(self.tag_ids.get(id)?);
        self.tag_plan(tag).map(|_| tag)
    }

    /// A tag's factory number.
    pub fn tag_id(&self, tag: TagRef) -> Option<TagId> {
        self.tag_ids.id(tag.index())
    }

    /// The feed that may report a tag; `None` if it was removed.
    #[inline]
    pub fn tag_source(&self, tag: TagRef) -> Option<SourceRef> {
        self.tag_plan(tag)?.source()
    }

    /// The subject a tag is on.
    #[inline]
    pub fn tag_subject(&self, tag: TagRef) -> Option<SubjectRef> {
        self.tag_plan(tag)?.subject()
    }

    /// The subject with an id.
    pub fn subject(&self, id: &str) -> Option<SubjectRef> {
        let subject = SubjectRef(self.subject_names.get(id)?);
        self.subject_class(subject).map(|_| subject)
    }

    /// A subject's id.
    pub fn subject_name(&self, subject: SubjectRef) -> Option<&str> {
        self.subject_names.name(subject.0)
    }

    /// A subject's class; `None` if it was removed.
    pub fn subject_class(&self, subject: SubjectRef) -> Option<SubjectClass> {
        self.subjects.get(subject.index())?.class
    }

    /// The tags on a subject, ascending.
    pub fn subject_tags(&self, subject: SubjectRef) -> &[TagRef] {
        let from = |at: usize| {
            let plan = self.subjects.get(at)?;
            usize::try_from(plan.tags_from).ok()
        };
        let until = from(subject.index() + 1).unwrap_or(self.subject_tags.len());
        let bounds = from(subject.index()).map(|from| from..until);
        bounds.and_then(|bounds| self.subject_tags.get(bounds)).unwrap_or(&[])
    }

    /// The zone with an id.
    pub fn zone(&self, id: &str) -> Option<ZoneRef> {
        let zone = ZoneRef(self.zone_names.get(id)?);
        self.zone_plan(zone).map(|_| zone)
    }

    /// A zone's id.
    pub fn zone_name(&self, zone: ZoneRef) -> Option<&str> {
        self.zone_names.name(zone.0)
    }

    /// The door with an id.
    pub fn door(&self, id: &str) -> Option<DoorRef> {
        let door = DoorRef(self.door_names.get(id)?);
        self.door_plan(door).map(|_| door)
    }

    /// A door's id.
    pub fn door_name(&self, door: DoorRef) -> Option<&str> {
        self.door_names.name(door.0)
    }

    /// The feed that may report a door, if it is wired.
    pub fn door_source(&self, door: DoorRef) -> Option<SourceRef> {
        self.door_plan(door)?.source
    }

    /// The perimeter line with an id.
    pub fn line(&self, id: &str) -> Option<LineRef> {
        let line = LineRef(self.line_names.get(id)?);
        self.line_plan(line).map(|_| line)
    }

    /// A rule that is in force, by its id.
    pub fn rule_named(&self, id: &str) -> Option<RuleRef> {
        let rule = RuleRef(self.rule_names.get(id)?);
        self.rule(rule).map(|_| rule)
    }

    /// A perimeter line's id.
    pub fn line_name(&self, line: LineRef) -> Option<&str> {
        self.line_names.name(line.0)
    }

    /// A rule's id.
    pub fn rule_name(&self, rule: RuleRef) -> Option<&str> {
        self.rule_names.name(rule.0)
    }

    /// The feed with an id.
    pub fn source(&self, id: &str) -> Option<SourceRef> {
        let source = SourceRef(self.source_names.get(id)?);
        self.source_plan(source).map(|_| source)
    }

    /// A feed's id.
    pub fn source_name(&self, source: SourceRef) -> Option<&str> {
        self.source_names.name(source.0)
    }

    /// The anchor with an id.
    pub fn anchor(&self, id: &str) -> Option<AnchorRef> {
        let anchor = AnchorRef(self.anchor_names.get(id)?);
        self.anchor_plan(anchor).map(|_| anchor)
    }

    /// An anchor's id.
    pub fn anchor_name(&self, anchor: AnchorRef) -> Option<&str> {
        self.anchor_names.name(anchor.0)
    }

    /// The feed an anchor belongs to; `None` if it was removed.
    pub fn anchor_source(&self, anchor: AnchorRef) -> Option<SourceRef> {
        Some(self.anchor_plan(anchor)?.source)
    }

    /// The feed that tells what moves in a zone; `None` if none does.
    pub fn motion_source(&self, zone: ZoneRef) -> Option<SourceRef> {
        self.zone_plan(zone)?.motion_source
    }

    /// The zones an anchor covers, ascending; none if it was removed.
    pub fn anchor_zones(&self, anchor: AnchorRef) -> &[ZoneRef] {
        self.anchor_plan(anchor).map_or(&[], |plan| plan.zones.as_slice())
    }

    /// The badge with an id.
    pub fn badge(&self, id: &str) -> Option<BadgeRef> {
        let badge = BadgeRef(self.badge_names.get(id)?);
        self.badge_subject(badge).map(|_| badge)
    }

    /// A badge's id.
    pub fn badge_name(&self, badge: BadgeRef) -> Option<&str> {
        self.badge_names.name(badge.0)
    }

    /// Whose badge it is; `None` if it was removed.
    pub fn badge_subject(&self, badge: BadgeRef) -> Option<SubjectRef> {
        *self.badges.get(badge.index())?
    }

    /// All tags in force, ascending by ref.
    pub fn tags(&self) -> impl Iterator<Item = (TagRef, TagId)> {
        let numbered = (0..).map(TagRef).take(self.tags.len());
        numbered.filter(|&tag| self.tag_plan(tag).is_some()).filter_map(|tag| {
            let id = self.tag_id(tag)?;
            Some((tag, id))
        })
    }
}
