//! What can be wrong with a site configuration.

use std::fmt;

use ach_geo::{RegionError, WatchIndexError};
use thiserror::Error;

/// Mistakes listed at most; a hostile configuration could have millions.
pub(crate) const MISTAKE_COUNT_MAX: usize = 100;

/// A configuration that cannot be put in force. The one before stays.
#[derive(Debug, Clone, PartialEq, Error)]
#[error("refused a site configuration with {count} mistakes, the first: {first}")]
pub struct SiteError {
    /// How many mistakes were found.
    pub count: usize,
    /// The first.
    pub first: SiteMistake,
    /// The first hundred, that one included.
    pub listed: Vec<SiteMistake>,
}

impl SiteError {
    pub(crate) fn of(mistake: SiteMistake) -> SiteError {
        SiteError { count: 1, first: mistake.clone(), listed: vec![mistake] }
    }
}

/// The lists of a site configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SiteList {
    /// `sources`.
    Sources,
    /// `anchors`.
    Anchors,
    /// `zones`.
    Zones,
    /// `doors`.
    Doors,
    /// `lines`.
    Lines,
    /// `subjects`.
    Subjects,
    /// `tags`.
    Tags,
    /// `rules`.
    Rules,
    /// `utc_offsets`.
    UtcOffsets,
    /// `speed_limits`.
    SpeedLimits,
    /// Labels of one thing, or of one rule's selection.
    Labels,
    /// Points of one line.
    Points,
    /// Windows of one rule.
    Windows,
    /// Steps in which one rule's alarms are passed on.
    Escalations,
    /// Zones, doors and lines named by all rules together.
    RulePlaces,
    /// Zones named by all anchors together.
    AnchorZones,
    /// Zones named by one anchor.
    ZonesOfAnchor,
    /// Zones named by all feeds together.
    SourceZones,
    /// Distinct pairs of zone and gates, those of former versions included.
    Watches,
    /// Subjects named one by one by all rules together.
    RuleSubjects,
    /// Distinct sets of rules that subjects are under.
    RuleSets,
    /// Rules in all those sets together.
    RuleSetRules,
    /// `holidays`.
    Holidays,
    /// Zones one door lies at.
    ZonesOfDoor,
    /// Subjects that rules keep apart from others, both sides of them.
    KeptApart,
    /// `badges`.
    Badges,
    /// Responses of one rule.
    Responses,
    /// Doors that the responses of one rule lock.
    LockedDoors,
    /// Whom the alarms of one rule are handed to at once.
    ToldAtOnce,
}

impl fmt::Display for SiteList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SiteList::Sources => "sources",
            SiteList::Anchors => "anchors",
            SiteList::Zones => "zones",
            SiteList::Doors => "doors",
            SiteList::Lines => "lines",
            SiteList::Subjects => "subjects",
            SiteList::Tags => "tags",
            SiteList::Rules => "rules",
            SiteList::UtcOffsets => "utc_offsets",
            SiteList::SpeedLimits => "speed_limits",
            SiteList::Labels => "labels",
            SiteList::Points => "points",
            SiteList::Windows => "windows",
            SiteList::Escalations => "steps of passing on",
            SiteList::RulePlaces => "places of rules",
            SiteList::AnchorZones => "zones of anchors",
            SiteList::ZonesOfAnchor => "zones of an anchor",
            SiteList::SourceZones => "zones of feeds",
            SiteList::Watches => "watches",
            SiteList::RuleSubjects => "subjects named by rules",
            SiteList::RuleSets => "sets of rules",
            SiteList::RuleSetRules => "rules in sets",
            SiteList::Holidays => "holidays",
            SiteList::ZonesOfDoor => "zones of a door",
            SiteList::KeptApart => "subjects kept apart by rules",
            SiteList::Badges => "badges",
            SiteList::Responses => "responses of a rule",
            SiteList::LockedDoors => "doors locked by a rule",
            SiteList::ToldAtOnce => "names a rule tells at once",
        })
    }
}

/// One thing that is wrong, and where: `list` and `at`, the position in it.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum SiteMistake {
    /// Another site than the one in force.
    #[error("the site in force is another one; a shard keeps the site it began with")]
    OtherSite,
    /// What former versions left does not hold together.
    #[error("the names kept of former versions do not hold together; use another checkpoint")]
    History,
    /// Nearness must be above 0, not above the distance that ends it, and that within limits.
    #[error(
        "rules[{at}] must call near what is above 0 and at most the distance that ends a meeting, and that at most 50 m"
    )]
    MeetingDistance {
        /// Which.
        at: usize,
    },
    /// How far from a door a badge may seem to be must be above 0 and within limits.
    #[error("rules[{at}] must let a badge seem to be above 0 and at most 200 m from its door")]
    BadgeDistance {
        /// Which.
        at: usize,
    },
    /// A response opens doors, or keeps them for no time or for too long.
    #[error("rules[{at}] must have responses that lock, and for no longer than 24 h")]
    Response {
        /// Position in the list.
        at: usize,
    },
    /// A rule waits for what happens in a moment, where a life may hang on it, or for no time or too long.
    #[error(
        "rules[{at}] cannot wait so: on_delay and off_delay are 1 s to 1 h, of what lasts and has no time of its own, of \
         no life-safety rule, and on_delay of none that is tentative"
    )]
    Delay {
        /// Position.
        at: usize,
    },
    /// A rule passes its alarms on to somebody before it has to whom it comes first.
    #[error("rules[{at}] must pass its alarms on in the order of the times that takes")]
    EscalationOrder {
        /// Position.
        at: usize,
    },
    /// A door that cannot be moved so.
    #[error(
        "doors[{at}] cannot be moved so: it must have a feed, rest locked or unlocked, not be unlocked \
         by a lockdown, and have hours that exist"
    )]
    Control {
        /// Position.
        at: usize,
    },
    /// A version that does not follow.
    #[error("version {given} does not follow version {in_force}; count it up")]
    Version {
        /// Given.
        given: u32,
        /// In force.
        in_force: u32,
    },
    /// A list that is too long.
    #[error("{list} has {count} items and may have {limit}; split the site or shorten the list")]
    TooMany {
        /// The list.
        list: SiteList,
        /// Its length, ids of former versions included.
        count: usize,
        /// Its limit.
        limit: usize,
    },
    /// An id given twice.
    #[error("{list}[{at}] has the id of an earlier item; ids are unique in their list")]
    RepeatedId {
        /// The list.
        list: SiteList,
        /// The later item.
        at: usize,
    },
    /// A reference to nothing.
    #[error("{list}[{at}] names {target}[{index}], which does not exist")]
    Dangling {
        /// The list.
        list: SiteList,
        /// The item that refers.
        at: usize,
        /// The list it refers to.
        target: SiteList,
        /// Where it refers to.
        index: u32,
    },
    /// An outline that is no area.
    #[error("zones[{at}] has no usable outline: {reason}")]
    Outline {
        /// The zone.
        at: usize,
        /// What is wrong with it.
        reason: RegionError,
    },
    /// Zones and lines that cannot be indexed.
    #[error("zones and lines cannot be indexed: {reason}")]
    Index {
        /// What is wrong with them.
        reason: WatchIndexError,
    },
    /// A coordinate beyond what the plane holds.
    #[error("{list}[{at}] has a coordinate beyond 1,000 km; measure from the site's origin")]
    Coordinate {
        /// The list.
        list: SiteList,
        /// The item.
        at: usize,
    },
    /// A line or sill of fewer than two points.
    #[error("{list}[{at}] has no length; give it two different points")]
    NoLength {
        /// The list.
        list: SiteList,
        /// The item.
        at: usize,
    },
    /// Gates that cannot be met.
    #[error("{list}[{at}] has gates that cannot work: {reason}")]
    Gates {
        /// The list.
        list: SiteList,
        /// The item.
        at: usize,
        /// What is wrong with them.
        reason: GateMistake,
    },
    /// A time of 0 or beyond a year where one between is needed.
    #[error("{list}[{at}] has a time of {ns} ns; it must be above 0 and at most 366 days")]
    Duration {
        /// The list.
        list: SiteList,
        /// The item.
        at: usize,
        /// Given.
        ns: u64,
    },
    /// A gap of 0, over which no path leads, or one that is too long for a straight path.
    #[error("largest_gap_ns is {ns} ns; it must be above 0 and at most a minute")]
    LargestGap {
        /// Given.
        ns: u64,
    },
    /// A window that is none.
    #[error("rules[{at}] has a window without days or beyond the day's 86,400 seconds")]
    Window {
        /// The rule.
        at: usize,
    },
    /// An offset that is none.
    #[error(
        "utc_offsets[{at}] is out of order: the first is from time 0, each at least a day after \
         the one before, and within 18 hours"
    )]
    UtcOffset {
        /// The offset.
        at: usize,
    },
    /// No offset from UTC at all.
    #[error("utc_offsets is empty; give the offset from time 0")]
    NoUtcOffset,
    /// A holiday that does not come after the one before.
    #[error("holidays[{at}] is out of order; days ascend, and none is given twice")]
    Holiday {
        /// The holiday.
        at: usize,
    },
    /// A battery limit that is no percentage.
    #[error("rules[{at}] has a battery limit of {percent} percent; it is 1 to 99")]
    Percent {
        /// The rule.
        at: usize,
        /// Given.
        percent: u8,
    },
    /// A kind of alarm that only the system raises.
    #[error("rules[{at}] raises a kind of alarm that only the system itself may raise")]
    SystemAlarm {
        /// The rule.
        at: usize,
    },
    /// A speed limit of zero, or two of one class.
    #[error("speed_limits[{at}] is 0 or repeats a class; give each class one speed")]
    SpeedLimit {
        /// The limit.
        at: usize,
    },
}

/// What is wrong with gates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum GateMistake {
    /// N of M that cannot be.
    #[error("confirm asks for {needed} of {of}; needed is 1 to of, and of is at most 8")]
    Confirm {
        /// Needed.
        needed: u8,
        /// Among.
        of: u8,
    },
    /// A distance beyond reason.
    #[error("a margin or tolerance of {mm} mm; at most 1 km")]
    Distance {
        /// Given.
        mm: u32,
    },
    /// A fence timeout shorter than the time between two positions.
    #[error("a fence timeout of {ns} ns; tags send about once a second, so give at least 1 s")]
    FenceTimeout {
        /// Given.
        ns: u64,
    },
    /// A time beyond reason.
    #[error("a time of {ns} ns; at most 366 days")]
    Duration {
        /// Given.
        ns: u64,
    },
}
