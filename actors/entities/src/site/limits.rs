//! How large a site may be. Every bound keeps a hostile configuration from exhausting the shard.

/// Tags and subjects, those of former versions included: twice the million a node is built for.
pub(crate) const TAG_COUNT_MAX: usize = 2 << 20;
/// As for tags: most who have a badge have one.
pub(crate) const BADGE_COUNT_MAX: usize = 2 << 20;
/// How far from a door whoever shows a badge there may seem to be: beyond that nothing is elsewhere.
pub(crate) const BADGE_DISTANCE_MAX_MM: u32 = 200_000;
/// As for tags.
pub(crate) const SUBJECT_COUNT_MAX: usize = 2 << 20;
/// Twice the 100,000 the zone index is measured with.
pub(crate) const ZONE_COUNT_MAX: usize = 200_000;
/// A large campus has some thousand doors; ten times that and spare.
pub(crate) const DOOR_COUNT_MAX: usize = 50_000;
/// As for doors.
pub(crate) const LINE_COUNT_MAX: usize = 50_000;
/// Points of one line, as of a zone's ring.
pub(crate) const LINE_POINT_COUNT_MAX: usize = 4_096;
/// Feeds; a hospital has a handful.
pub(crate) const SOURCE_COUNT_MAX: usize = 1_024;
/// Anchors; one for every 10 m² of a campus of a million square metres.
pub(crate) const ANCHOR_COUNT_MAX: usize = 100_000;
/// Rules; each is looked at when a subject's set is made.
pub(crate) const RULE_COUNT_MAX: usize = 4_096;
/// Labels of one thing or one selection.
pub(crate) const LABEL_COUNT_MAX: usize = 64;
/// Windows of one rule: four a day, and spare.
pub(crate) const WINDOW_COUNT_MAX: usize = 32;
/// Steps in which one rule's alarms are passed on: nurse, charge nurse, security, house supervisor,
/// police, and spare. An alarm counts them in a byte.
pub(crate) const ESCALATION_COUNT_MAX: usize = 16;
/// Responses of one rule: lock here, lock there, tell these, tell those.
pub(crate) const RESPONSE_COUNT_MAX: usize = 4;
/// Doors that the responses of one rule lock together: those of a ward on several storeys. More is a lockdown, which
/// somebody declares. They are told in the alarm's note, by their ids of at most 64 bytes.
pub(crate) const RESPONSE_DOOR_COUNT_MAX: usize = 64;
/// Whom one rule's alarms are handed to at once, all its responses together; they are told in the note, too.
pub(crate) const RESPONSE_TELL_COUNT_MAX: usize = 16;
/// How long a response keeps a door locked: a day, as long as an operator may. Beyond that somebody decides.
pub(crate) const RESPONSE_LEASE_MAX_NS: u64 = 24 * 3_600 * 1_000_000_000;
/// How long a rule waits before it tells, and before it says that it is over: not less than positions take to come once a
/// second, for what is shorter is what gates are for.
pub(crate) const DELAY_MIN_NS: u64 = 1_000_000_000;
/// An hour: what may go on for longer before anybody is told wants a rule that says for how long, and an alarm that
/// stands for longer than that after its end is about nothing any more.
pub(crate) const DELAY_MAX_NS: u64 = 3_600 * 1_000_000_000;
/// Places named by all rules together: 12 bytes each and once more in the index.
pub(crate) const RULE_PLACE_COUNT_MAX: usize = 4 << 20;
/// Zones named by all anchors together.
pub(crate) const ANCHORS_ZONE_COUNT_MAX: usize = 1 << 20;
/// Zones named by one anchor, which hears some tens of metres: the rooms round it, and spare. One that
/// is lost tells each of them within one input, which is then about a millisecond of work.
pub const ANCHOR_ZONE_COUNT_MAX: usize = 1_024;
/// Zones one door lies at: two rooms, their wards, floors and wings on either side, and spare.
pub(crate) const DOOR_ZONE_COUNT_MAX: usize = 256;
/// Zones named by all feeds together, 4 bytes each. A feed that sees all names none.
pub(crate) const SOURCE_ZONE_COUNT_MAX: usize = 1 << 20;
/// Distinct pairs of zone and gates.
pub(crate) const WATCH_COUNT_MAX: usize = 1 << 20;
/// Offsets from UTC: two a year for two centuries.
pub(crate) const UTC_OFFSET_COUNT_MAX: usize = 400;
/// Holidays: 45 a year from 1970 to 2060, 4 bytes each. Ten of the same date every year are 910 already.
/// Looking for the next change of a rule takes a few steps a holiday at worst.
pub(crate) const HOLIDAY_COUNT_MAX: usize = 4_096;
/// One a class.
pub(crate) const SPEED_LIMIT_COUNT_MAX: usize = 4;
/// Coordinates: 1,000 km each way, so that products of differences stay exact in 64 bits.
pub(crate) const COORDINATE_MAX_MM: u32 = 1_000_000_000;
/// Margins and tolerances: beyond 1 km a zone is no zone.
pub(crate) const GATE_DISTANCE_MAX_MM: u32 = 1_000_000;
/// Times of gates, silences and stays: a leap year.
pub(crate) const DURATION_MAX_NS: u64 = 366 * 86_400 * 1_000_000_000;
/// Time over which a path between two positions is believed: beyond a minute nobody walks straight.
pub(crate) const GAP_MAX_NS: u64 = 60 * 1_000_000_000;
/// Fence timeouts: tags send about once a second, and whoever is forgotten between two positions
/// leaves and enters with each.
pub(crate) const FENCE_TIMEOUT_MIN_NS: u64 = 1_000_000_000;
/// Distinct sets of rules: some ten thousand patients, each with a rule for himself, and spare.
pub(crate) const RULE_SET_COUNT_MAX: usize = 65_536;
/// Rules in all sets together, 4 bytes each and as much again for finding them.
pub(crate) const RULE_SET_RULE_COUNT_MAX: usize = 4 << 20;
/// Subjects named one by one by all rules together.
pub(crate) const RULE_SUBJECT_COUNT_MAX: usize = 4 << 20;
/// Distances of rules about meetings: beyond that nobody meets, and a look goes through some hundred squares.
pub(crate) const MEETING_DISTANCE_MAX_MM: u32 = 50_000;
/// Subjects that rules keep apart from others, both sides of them: where they are is kept in one table, which
/// a checkpoint tells at once, with 26 bytes each.
pub(crate) const KEPT_APART_COUNT_MAX: usize = 16_384;
