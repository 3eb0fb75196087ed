//! Episodes and their ids, by `docs/specs/identity.md`.

use std::collections::{BTreeMap, BTreeSet};

use ach_actors_model::{AlarmId, AlarmTransition, Lane, NodeTrouble, Timestamp};
use twox_hash::XxHash3_128;

use super::Notice;
use crate::site::{SITE, VENDOR, ZONES, door_name, subject_name, tag_id};

/// Where an alarm is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    Zone(usize),
    Door(u32),
    Tag(u32),
}

/// What an alarm that a rule raised is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct About {
    pub rule: &'static str,
    pub who: Option<u32>,
    pub place: Place,
    pub ordinal: u32,
    /// What opened the episode: lane, epoch and number; none if something was due.
    pub input: Option<Cause>,
}

/// Lane, epoch and number of an input.
pub(crate) type Cause = (Lane, u32, u64);

/// The entry that changes an alarm, and since when there was reason to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    pub index: u64,
    pub since: Timestamp,
    /// What was heard, if anything was.
    pub input: Option<Cause>,
}

impl Moment {
    fn notice(self, id: AlarmId, transition: AlarmTransition, about: Option<About>) -> Notice {
        let Moment { index, since, .. } = self;
        Notice { id, transition, index, since, about }
    }
}

/// Rule, bearer of the tag, place.
type Key = (&'static str, Option<u32>, Place);

/// All episodes: how many there were, and the one that is open.
#[derive(Debug, Default)]
pub(super) struct Episodes {
    of_rules: BTreeMap<Key, (u32, Option<(AlarmId, About)>)>,
    /// By what is wrong with the node itself.
    of_node: BTreeMap<NodeTrouble, (u32, Option<AlarmId>)>,
}

impl Episodes {
    /// The condition holds. Nothing new if it did.
    pub(super) fn raise(
        &mut self,
        rule: &'static str,
        who: Option<u32>,
        place: Place,
        moment: Moment,
        notices: &mut Vec<Notice>,
    ) {
        let (ordinal, open) = self.of_rules.entry((rule, who, place)).or_default();
        if open.is_none() {
            *ordinal = ordinal.saturating_add(1);
            let id = rule_id(rule, who, place, *ordinal);
            let about = About { rule, who, place, ordinal: *ordinal, input: moment.input };
            *open = Some((id, about));
            notices.push(moment.notice(id, AlarmTransition::Raised, Some(about)));
        }
    }

    /// Whether the condition is known to hold.
    pub(super) fn is_open(&self, rule: &'static str, who: Option<u32>, place: Place) -> bool {
        self.of_rules.get(&(rule, who, place)).is_some_and(|(_, open)| open.is_some())
    }

    /// The condition holds no longer.
    pub(super) fn end(
        &mut self,
        rule: &'static str,
        who: Option<u32>,
        place: Place,
        moment: Moment,
        notices: &mut Vec<Notice>,
    ) {
        let open = self.of_rules.get_mut(&(rule, who, place)).and_then(|(_, open)| open.take());
        if let Some((id, about)) = open {
            notices.push(moment.notice(id, AlarmTransition::Cleared, Some(about)));
        }
    }

    /// The node says what is wrong with it, or no longer is. Nothing new if it was so.
    pub(super) fn set_trouble(
        &mut self,
        trouble: NodeTrouble,
        is_on: bool,
        moment: Moment,
        notices: &mut Vec<Notice>,
    ) {
        let (ordinal, open) = self.of_node.entry(trouble).or_default();
        match (is_on, *open) {
            (true, None) => {
                *ordinal = ordinal.saturating_add(1);
                let id = node_trouble_id(trouble, *ordinal);
                *open = Some(id);
                notices.push(moment.notice(id, AlarmTransition::Raised, None));
            }
            (false, Some(id)) => {
                *open = None;
                notices.push(moment.notice(id, AlarmTransition::Cleared, None));
            }
            _ => {}
        }
    }

    pub(super) fn open_ids(&self) -> BTreeSet<AlarmId> {
        let of_rules = self.of_rules.values().filter_map(|(_, open)| open.map(|(id, _)| id));
        of_rules.chain(self.of_node.values().filter_map(|(_, open)| *open)).collect()
    }
}

fn part(bytes: &mut Vec<u8>, text: &str) {
    let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(text.as_bytes());
}

/// The id of an episode that a rule raised.
pub(crate) fn rule_id(rule: &str, who: Option<u32>, place: Place, ordinal: u32) -> AlarmId {
    let mut bytes = b"ach-alarm-1".to_vec();
    part(&mut bytes, SITE);
    bytes.push(0);
    part(&mut bytes, rule);
    match who {
        Some(tag) => {
            bytes.push(1);
            part(&mut bytes, subject_name(tag).as_str());
        }
        None => bytes.push(0),
    }
    match place {
        Place::Zone(zone) => {
            bytes.push(1);
            part(&mut bytes, ZONES.get(zone).map_or("", |(id, _)| id));
        }
        Place::Door(door) => {
            bytes.push(2);
            part(&mut bytes, door_name(door).as_str());
        }
        Place::Tag(tag) => {
            bytes.push(4);
            bytes.extend_from_slice(&tag_id(tag).0.to_le_bytes());
        }
    }
    bytes.extend_from_slice(&ordinal.to_le_bytes());
    AlarmId(XxHash3_128::oneshot(&bytes))
}

/// The id of an alarm about the node itself.
fn node_trouble_id(trouble: NodeTrouble, ordinal: u32) -> AlarmId {
    let kind = match trouble {
        NodeTrouble::AuditLog => 6,
        NodeTrouble::Clock => 7,
        NodeTrouble::Selftest => 8,
    };
    let mut bytes = b"ach-alarm-1".to_vec();
    part(&mut bytes, SITE);
    bytes.extend_from_slice(&[1, kind, 0, 0]);
    part(&mut bytes, "");
    bytes.extend_from_slice(&ordinal.to_le_bytes());
    AlarmId(XxHash3_128::oneshot(&bytes))
}

/// The id of the feed's alarm about its clock.
pub(crate) fn clock_skew_id(ordinal: u32) -> AlarmId {
    let mut bytes = b"ach-alarm-1".to_vec();
    part(&mut bytes, SITE);
    bytes.extend_from_slice(&[1, 4, 0, 5]);
    part(&mut bytes, VENDOR);
    bytes.extend_from_slice(&ordinal.to_le_bytes());
    AlarmId(XxHash3_128::oneshot(&bytes))
}
