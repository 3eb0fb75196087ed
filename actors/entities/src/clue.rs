//! By what alarms are tied to an incident: what each looks for, and what it leaves for others.
//!
//! The tables are those of `docs/specs/incidents.md`; `tests/clues.rs` holds both against each other.

use ach_actors_model::{
    AlarmKind, AlarmNotice, AlarmState, DoorRef, NS_PER_S, Place, SourceRef, SubjectRef, ZoneRef,
};
use serde::{Deserialize, Serialize};

use crate::Site;

const MINUTE_NS: u64 = 60 * NS_PER_S;

/// Zones that a lost anchor is tied by. An anchor covers a few; one that covers a thousand would fill an
/// incident with clues.
const BLIND_ZONE_COUNT_MAX: usize = 8;

/// What two alarms have in common if they are of one cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Clue {
    /// Whom they are about.
    Subject(SubjectRef),
    /// A door they are about or near.
    Door(DoorRef),
    /// A zone they are about, or that a door leads into.
    Zone(ZoneRef),
    /// The feed that is silent, or that would tell.
    Source(SourceRef),
    /// A zone that nobody sees into.
    Blind(ZoneRef),
}

impl Clue {
    /// How long after an alarm left it another is tied by it. Whoever is followed through a house is followed for ten
    /// minutes; what happens to a door or in a room five minutes after the last thing there is another
    /// matter; a feed stays silent for as long as it takes to mend it.
    pub fn span_ns(self) -> u64 {
        match self {
            Clue::Subject(_) => 10 * MINUTE_NS,
            Clue::Door(_) | Clue::Zone(_) => 5 * MINUTE_NS,
            Clue::Source(_) | Clue::Blind(_) => 60 * MINUTE_NS,
        }
    }
}

/// The clues of an alarm.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Clues {
    /// What it joins by, the best first.
    pub joins_by: Vec<Clue>,
    /// What others join it by.
    pub joined_by: Vec<Clue>,
}

/// Kinds of clues, as the table of kinds names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tie {
    Subject,
    Door,
    DoorsNear,
    Zone,
    Feed,
    Blind,
}

impl Clues {
    /// The clues of an alarm that is raised, with the state it is raised in.
    pub fn of(notice: &AlarmNotice, site: &Site) -> Clues {
        let (joins_by, joined_by) = ties(notice.kind);
        let all = |ties: &[Tie]| ties.iter().flat_map(|&tie| clues(tie, notice, site)).collect();
        let begins_its_own = notice.state.is_any(AlarmState::LIFE_SAFETY);
        Clues {
            joins_by: if begins_its_own { Vec::new() } else { all(joins_by) },
            joined_by: all(joined_by),
        }
    }
}

/// What an alarm of a kind joins by, and is joined by.
fn ties(kind: AlarmKind) -> (&'static [Tie], &'static [Tie]) {
    const WHO_AND_WHERE: &[Tie] = &[Tie::Subject, Tie::DoorsNear, Tie::Zone];
    const WHO_AND_DOORS: &[Tie] = &[Tie::Subject, Tie::DoorsNear];
    const OF_A_DOOR: &[Tie] = &[Tie::Door, Tie::Zone];
    const ANY: &[Tie] = &[Tie::Subject, Tie::Door, Tie::Zone];
    match kind {
        AlarmKind::Elopement | AlarmKind::AssetTheft | AlarmKind::UnauthorisedEntry => {
            (WHO_AND_WHERE, WHO_AND_WHERE)
        }
        AlarmKind::BandCut => (WHO_AND_DOORS, WHO_AND_DOORS),
        AlarmKind::TagSilent => (&[Tie::Subject, Tie::Feed], &[Tie::Subject]),
        AlarmKind::DoorForced
        | AlarmKind::DoorHeld
        | AlarmKind::DoorTampered
        | AlarmKind::ReaderTampered => (OF_A_DOOR, OF_A_DOOR),
        AlarmKind::DoorLost => (&[Tie::Door, Tie::Feed, Tie::Zone], OF_A_DOOR),
        AlarmKind::FeedSilent => (&[Tie::Feed], &[Tie::Feed]),
        AlarmKind::ZoneBlind => (&[Tie::Feed, Tie::Blind], &[Tie::Blind]),
        // Whoever calls for help is alone in a line: nothing is ever shown in place of it, or behind it.
        AlarmKind::Duress
        | AlarmKind::BatteryLow
        | AlarmKind::DoorBatteryLow
        | AlarmKind::ClockSkewed
        | AlarmKind::SelfTest
        | AlarmKind::AuditTrouble
        | AlarmKind::NodeClockOff
        | AlarmKind::SelftestFailed
        | AlarmKind::ActorQuarantined => (&[], &[]),
        // Loitering, over capacity, tags that contradict, and whatever is added: whom and what it is about.
        _ => (ANY, ANY),
    }
}

fn clues(tie: Tie, notice: &AlarmNotice, site: &Site) -> Vec<Clue> {
    match (tie, notice.place) {
        (Tie::Subject, _) => notice.subject.map(Clue::Subject).into_iter().collect(),
        (Tie::Door, Place::Door(door)) => vec![Clue::Door(door)],
        (Tie::Zone, Place::Zone(zone)) => vec![Clue::Zone(zone)],
        (Tie::Zone, Place::Door(door)) => {
            site.zones_beside(door).iter().copied().map(Clue::Zone).collect()
        }
        (Tie::DoorsNear, _) => {
            let doors = notice.position.map(|position| site.doors_near(&position));
            doors.into_iter().flatten().map(Clue::Door).collect()
        }
        (Tie::Feed, place) => feed(place, notice, site).map(Clue::Source).into_iter().collect(),
        (Tie::Blind, Place::Anchor(anchor)) => {
            let zones = site.anchor_zones(anchor).iter().take(BLIND_ZONE_COUNT_MAX);
            zones.copied().map(Clue::Blind).collect()
        }
        (Tie::Door | Tie::Zone | Tie::Blind, _) => Vec::new(),
    }
}

/// The feed it is about, or that reports what it is about.
fn feed(place: Place, notice: &AlarmNotice, site: &Site) -> Option<SourceRef> {
    match place {
        Place::Source(source) => Some(source),
        Place::Door(door) => site.door_source(door),
        Place::Anchor(anchor) => site.anchor_source(anchor),
        Place::Tag(tag) => site.tag_source(tag),
        Place::Site | Place::Zone(_) | Place::Line(_) | Place::Subject(_) => {
            site.tag_source(notice.tag?)
        }
    }
}
