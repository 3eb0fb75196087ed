//! The identity of an alarm episode.
//!
//! The first 128 bits of the hash XXH3-128 (seed 0) over these bytes, numbers little-endian:
//!
//! ```text
//! "ach-alarm-1"
//! part of the site's id
//! 0, part of the rule's id                  of a rule
//! 1, kind u8                                of the system itself
//! 0                                         about nobody
//! 1, part of the subject's id               about a subject
//! 2, EUI-64 u64                             about a tag on nobody
//! place kind u8, part of the place's id     0 site (empty part), 1 zone, 2 door, 3 line,
//!                                           5 source, 6 anchor
//! 4, EUI-64 u64                             a tag as place
//! ordinal u32
//! ```
//!
//! A part is its length as u32 and its bytes, so that no two lists of parts look alike. Ids only:
//! refs, versions, times and causes may differ between nodes or runs that tell the same episode.

use ach_actors_model::{AlarmId, AlarmKind, Place, RuleRef, SubjectRef, TagRef};
use twox_hash::XxHash3_128;

use crate::Site;

/// What one episode is told apart by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    /// The rule, or `None` for the system itself.
    pub(crate) rule: Option<RuleRef>,
    /// Only looked at where there is no rule.
    pub(crate) kind: AlarmKind,
    pub(crate) subject: Option<SubjectRef>,
    pub(crate) place: Place,
    /// Counts the episodes of the same rule, subject and place from 1.
    pub(crate) ordinal: u32,
}

impl Identity {
    pub(crate) fn alarm_id(&self, site: &Site) -> AlarmId {
        let mut bytes = Vec::with_capacity(256);
        bytes.extend_from_slice(b"ach-alarm-1");
        part(&mut bytes, site.id().as_str());
        match self.rule {
            Some(rule) => {
                bytes.push(0);
                part(&mut bytes, site.rule_name(rule).unwrap_or(""));
            }
            None => bytes.extend_from_slice(&[1, system_kind(self.kind)]),
        }
        match (self.subject, self.place) {
            (Some(subject), _) => {
                bytes.push(1);
                part(&mut bytes, site.subject_name(subject).unwrap_or(""));
            }
            (None, Place::Tag(tag)) => {
                bytes.push(2);
                eui(&mut bytes, site, tag);
            }
            (None, _) => bytes.push(0),
        }
        self.place(site, &mut bytes);
        bytes.extend_from_slice(&self.ordinal.to_le_bytes());
        AlarmId(XxHash3_128::oneshot(&bytes))
    }

    fn place(&self, site: &Site, bytes: &mut Vec<u8>) {
        let (kind, name) = match self.place {
            Place::Site => (0, Some("")),
            Place::Zone(zone) => (1, site.zone_name(zone)),
            Place::Door(door) => (2, site.door_name(door)),
            Place::Line(line) => (3, site.line_name(line)),
            Place::Tag(tag) => {
                bytes.push(4);
                eui(bytes, site, tag);
                return;
            }
            Place::Source(source) => (5, site.source_name(source)),
            Place::Anchor(anchor) => (6, site.anchor_name(anchor)),
            Place::Subject(subject) => (7, site.subject_name(subject)),
        };
        bytes.push(kind);
        part(bytes, name.unwrap_or(""));
    }
}

/// Kinds the system itself raises; fixed numbers, because ids outlive the order of the enum.
fn system_kind(kind: AlarmKind) -> u8 {
    match kind {
        AlarmKind::FeedSilent => 1,
        AlarmKind::ZoneBlind => 2,
        AlarmKind::ActorQuarantined => 3,
        AlarmKind::ClockSkewed => 4,
        AlarmKind::SelfTest => 5,
        AlarmKind::AuditTrouble => 6,
        AlarmKind::NodeClockOff => 7,
        AlarmKind::SelftestFailed => 8,
        _ => 0,
    }
}

fn part(bytes: &mut Vec<u8>, text: &str) {
    let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(text.as_bytes());
}

fn eui(bytes: &mut Vec<u8>, site: &Site, tag: TagRef) {
    let id = site.tag_id(tag).map_or(0, |id| id.0);
    bytes.extend_from_slice(&id.to_le_bytes());
}
