//! What a vendor's handles stand for on one connection.

use ach_actors_entities::Site;
use ach_actors_model::{AnchorRef, BadgeRef, DoorRef, SourceRef, TagRef, ZoneRef};
use ach_engine_wire::limits::HANDLE_COUNT_MAX;
use ach_engine_wire::{Code, Intern, InternItem, InternRefusal, Interned};

use super::fault::Fault;

/// What a handle stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Handle {
    /// A tag.
    Tag(TagRef),
    /// A door.
    Door(DoorRef),
    /// An anchor.
    Anchor(AnchorRef),
    /// A badge.
    Badge(BadgeRef),
    /// A zone in which detectors see what moves.
    Zone(ZoneRef),
    /// Nothing: it was refused with this code.
    Refused(Code),
}

/// All handles of a connection.
#[derive(Debug, Default)]
pub(crate) struct Handles {
    by_number: Vec<Handle>,
    site_version: u32,
    items: Vec<InternItem>,
}

impl Handles {
    /// Takes the vendor's next names.
    ///
    /// # Errors
    ///
    /// Handles that leave others out, or too many.
    pub(crate) fn intern(
        &mut self,
        site: &Site,
        source: SourceRef,
        intern: Intern,
    ) -> Result<Interned, Fault> {
        let next = u32::try_from(self.by_number.len()).unwrap_or(u32::MAX);
        let count = u32::try_from(intern.items.len()).unwrap_or(u32::MAX);
        if intern.first_handle != next {
            let detail = "handles count up from 0 without a gap";
            return Err(Fault::peer(Code::Malformed, detail));
        }
        if next.saturating_add(count) > HANDLE_COUNT_MAX {
            return Err(Fault::peer(Code::TooMany, "more handles than a connection may have"));
        }
        self.refresh(site, source);
        let mut refused = Vec::new();
        for (handle, item) in (next..).zip(intern.items) {
            let meaning = meaning(site, source, &item);
            if let Handle::Refused(code) = meaning {
                refused.push(InternRefusal { handle, code });
            }
            self.by_number.push(meaning);
            self.items.push(item);
        }
        Ok(Interned { first_handle: next, item_count: count, refused })
    }

    /// Looks all names up again when another version of the site is in force: tags come and go.
    pub(crate) fn refresh(&mut self, site: &Site, source: SourceRef) {
        if self.site_version == site.version() {
            return;
        }
        self.site_version = site.version();
        self.by_number = self.items.iter().map(|item| meaning(site, source, item)).collect();
    }

    /// What the vendor called a handle.
    pub(crate) fn item(&self, handle: u32) -> Option<&InternItem> {
        self.items.get(usize::try_from(handle).unwrap_or(usize::MAX))
    }

    /// What a handle stands for.
    pub(crate) fn get(&self, handle: u32) -> Handle {
        let index = usize::try_from(handle).unwrap_or(usize::MAX);
        self.by_number.get(index).copied().unwrap_or(Handle::Refused(Code::UnknownHandle))
    }

    /// The tag of a handle.
    pub(crate) fn tag(&self, handle: u32) -> Result<TagRef, Code> {
        match self.get(handle) {
            Handle::Tag(tag) => Ok(tag),
            Handle::Refused(code) => Err(code),
            Handle::Door(_) | Handle::Anchor(_) | Handle::Badge(_) | Handle::Zone(_) => {
                Err(Code::UnknownThing)
            }
        }
    }

    /// The badge of a grant, by its handle. One that the site does not have is nobody's, and the grant
    /// counts without it.
    pub(crate) fn badge(&self, handle: u32) -> Result<Option<BadgeRef>, Code> {
        match (self.get(handle), self.item(handle)) {
            (Handle::Badge(badge), _) => Ok(Some(badge)),
            (Handle::Refused(_), Some(InternItem::Badge(_))) => Ok(None),
            (Handle::Refused(code), _) => Err(code),
            _ => Err(Code::UnknownThing),
        }
    }
}

fn meaning(site: &Site, source: SourceRef, item: &InternItem) -> Handle {
    let (handle, owner) = match item {
        InternItem::Tag(id) => match site.tag(*id) {
            Some(tag) => (Handle::Tag(tag), site.tag_source(tag)),
            None => return Handle::Refused(Code::UnknownThing),
        },
        InternItem::Door(name) => match site.door(name.as_str()) {
            Some(door) => (Handle::Door(door), site.door_source(door)),
            None => return Handle::Refused(Code::UnknownThing),
        },
        InternItem::Anchor(name) => match site.anchor(name.as_str()) {
            Some(anchor) => (Handle::Anchor(anchor), site.anchor_source(anchor)),
            None => return Handle::Refused(Code::UnknownThing),
        },
        InternItem::Zone(name) => match site.zone(name.as_str()) {
            Some(zone) => (Handle::Zone(zone), site.motion_source(zone)),
            None => return Handle::Refused(Code::UnknownThing),
        },
        // Cards open doors of more than one system.
        InternItem::Badge(name) => match site.badge(name.as_str()) {
            Some(badge) => return Handle::Badge(badge),
            None => return Handle::Refused(Code::UnknownThing),
        },
    };
    if owner == Some(source) { handle } else { Handle::Refused(Code::ForeignThing) }
}
