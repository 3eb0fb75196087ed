//! The script: who breaks which rule, and when.
//!
//! Five incidents open every run, raised within its first seconds: a protected patient leaves, a
//! thing leaves its place, a duress button is pressed, a visitor goes where he may not, a door is
//! forced. Their actors begin close to the boundary they will cross, because gates take time. More
//! follow at random. Everybody else keeps the rules; the truth looks at all of them alike.

use ach_actors_model::{
    AlarmKind, Condition, DoorRef, NS_PER_MS, NS_PER_S, ReportKind, RuleConfig, SiteConfig,
    SubjectClass, TagRef, Timestamp,
};

use crate::chance::Chance;
use crate::hospital::{Happening, Hospital};
use crate::rule_book::{is_about, is_in_force};
use crate::stage::{Staged, Violation};
use crate::walker::Mode;

/// The opening incidents begin in these windows. Crossings begin early, because the tag must walk
/// and the gates must count pings before the alarm.
const OPENING_NS: (u64, u64) = (NS_PER_S, 4_500 * NS_PER_MS);
const OPENING_LEAVE_NS: (u64, u64) = (1_800 * NS_PER_MS, 2_300 * NS_PER_MS);
const OPENING_ENTER_NS: (u64, u64) = (NS_PER_S, 1_600 * NS_PER_MS);
/// A forced door stands open this long; a pressed button is reset after this long.
const FORCED_NS: u64 = 6 * NS_PER_S;
const PRESSED_NS: u64 = 20 * NS_PER_S;
/// How long a scripted walker stays where it has no business before it is brought back.
const ASTRAY_NS: u64 = 20 * NS_PER_S;
/// How fast scripted walkers go: they know what they want.
const SPEED_MM_S: f64 = 1_250.0;
/// Casts tried for one incident.
const CASTS_MAX: usize = 40;
/// A door passed this recently by somebody with a grant is not forced now.
const QUIET_DOOR_NS: u64 = 2 * NS_PER_S;

/// One incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incident {
    /// What it should raise.
    pub kind: AlarmKind,
    /// Index of the rule that is broken.
    pub rule: u32,
    /// Index of the subject, if it is about one.
    pub subject: Option<u32>,
    /// Index of the door, if it is about one.
    pub door: Option<u32>,
    /// When it begins.
    pub starts_at: Timestamp,
    /// Whether it is one of the five that open the run.
    pub is_opening: bool,
}

/// Plans incidents and remembers them.
#[derive(Debug)]
pub(crate) struct Script {
    chance: Chance,
    incidents: Vec<Incident>,
}

/// One incident, cast but not yet played.
#[derive(Debug, Clone, Copy)]
struct Cast {
    rule: u32,
    subject: u32,
    zone: u32,
}

impl Script {
    pub(crate) fn new(chance: Chance) -> Script {
        Script { chance, incidents: Vec::new() }
    }

    /// Stands in while the real one is at work.
    pub(crate) fn absent() -> Script {
        Script::new(Chance::new(0, 0))
    }

    pub(crate) fn chance(&mut self) -> &mut Chance {
        &mut self.chance
    }

    pub(crate) fn incidents(&self) -> &[Incident] {
        &self.incidents
    }

    /// Plans the five opening incidents.
    pub(crate) fn open(hospital: &mut Hospital) {
        hospital.with_script(|hospital, script| {
            for kind in [
                AlarmKind::Elopement,
                AlarmKind::AssetTheft,
                AlarmKind::UnauthorisedEntry,
                AlarmKind::Duress,
                AlarmKind::DoorForced,
            ] {
                script.plan(hospital, kind, true);
            }
        });
    }

    /// Plans one more incident, beginning now.
    pub(crate) fn continue_with(hospital: &mut Hospital) {
        hospital.with_script(|hospital, script| {
            let kinds = [
                AlarmKind::Elopement,
                AlarmKind::AssetTheft,
                AlarmKind::UnauthorisedEntry,
                AlarmKind::Duress,
                AlarmKind::DoorForced,
                AlarmKind::BandCut,
            ];
            if let Some(&kind) = script.chance.pick(&kinds) {
                script.plan(hospital, kind, false);
            }
        });
    }

    fn plan(&mut self, hospital: &mut Hospital, kind: AlarmKind, is_opening: bool) {
        match kind {
            AlarmKind::Elopement | AlarmKind::AssetTheft | AlarmKind::UnauthorisedEntry => {
                self.plan_walk(hospital, kind, is_opening);
            }
            AlarmKind::DoorForced => self.plan_door(hospital, is_opening),
            _ => self.plan_tag(hospital, kind, is_opening),
        }
    }

    fn plan_walk(&mut self, hospital: &mut Hospital, kind: AlarmKind, is_opening: bool) {
        let casts = Script::casts(hospital, kind);
        for _ in 0..CASTS_MAX {
            let Some(&cast) = self.chance.pick(&casts) else { return };
            if self.is_engaged(cast.subject, hospital) {
                continue;
            }
            let violation = if kind == AlarmKind::UnauthorisedEntry {
                Violation::Enters(cast.zone)
            } else {
                Violation::Leaves(cast.zone)
            };
            let staged = if is_opening {
                Staged::near(hospital, cast.subject, cast.rule, violation)
            } else {
                Staged::from_here(hospital, cast.subject, cast.rule, violation)
            };
            let Some(staged) = staged else { continue };
            let wait_ns = match (is_opening, violation) {
                (false, _) => 1,
                (true, Violation::Leaves(_)) => self.between_ns(OPENING_LEAVE_NS),
                (true, Violation::Enters(_)) => self.between_ns(OPENING_ENTER_NS),
            };
            let starts_ns = hospital.now_ns + wait_ns;
            play_walk(hospital, cast.subject, &staged, starts_ns);
            self.record(hospital, kind, cast.rule, Some(cast.subject), None, starts_ns, is_opening);
            return;
        }
    }

    fn plan_tag(&mut self, hospital: &mut Hospital, kind: AlarmKind, is_opening: bool) {
        let config = &hospital.world.config;
        let wanted = |rule: &RuleConfig| match kind {
            AlarmKind::Duress => matches!(rule.condition, Condition::ButtonPressed),
            _ => matches!(rule.condition, Condition::BandCut),
        };
        let casts: Vec<(u32, u32, u32)> = rules(hospital, kind)
            .filter(|(_, rule)| wanted(rule))
            .flat_map(|(index, rule)| {
                (0_u32..)
                    .zip(&hospital.tags_of)
                    .filter(move |(subject, _)| is_about(rule, config, *subject))
                    .filter_map(move |(subject, tags)| Some((index, subject, *tags.last()?)))
            })
            .filter(|(_, subject, _)| {
                kind != AlarmKind::Duress || class_of(config, *subject) == Some(SubjectClass::Staff)
            })
            .collect();
        for _ in 0..CASTS_MAX {
            let Some(&(rule, subject, tag)) = self.chance.pick(&casts) else { return };
            if self.is_engaged(subject, hospital) {
                continue;
            }
            let source = usize::try_from(tag)
                .ok()
                .and_then(|tag| hospital.world.config.tags.get(tag))
                .map(|tag| tag.source);
            let Some(source) = source else { continue };
            let starts_ns = self.starts_ns(hospital, is_opening);
            let tag = TagRef(tag);
            let (begins, ends) = match kind {
                AlarmKind::Duress => {
                    (ReportKind::ButtonPressed { tag }, ReportKind::ButtonReset { tag })
                }
                _ => (ReportKind::BandCut { tag }, ReportKind::BandWhole { tag }),
            };
            hospital.at(starts_ns, Happening::Report { source, kind: begins });
            hospital.at(starts_ns + PRESSED_NS, Happening::Report { source, kind: ends });
            self.record(hospital, kind, rule, Some(subject), None, starts_ns, is_opening);
            return;
        }
    }

    fn plan_door(&mut self, hospital: &mut Hospital, is_opening: bool) {
        let starts_ns = self.starts_ns(hospital, is_opening);
        let casts: Vec<(u32, u32, u32)> = rules(hospital, AlarmKind::DoorForced)
            .filter_map(|(index, rule)| match &rule.condition {
                Condition::DoorForced { doors } => Some((index, doors)),
                _ => None,
            })
            .flat_map(|(index, doors)| doors.iter().map(move |&door| (index, door)))
            .filter_map(|(rule, door)| {
                let index = usize::try_from(door).ok()?;
                let free_ns = *hospital.door_free_ns.get(index)?;
                let is_quiet = is_opening || free_ns + QUIET_DOOR_NS <= hospital.now_ns;
                let source = hospital.world.config.doors.get(index)?.source?;
                is_quiet.then_some((rule, door, source))
            })
            .collect();
        let Some(&(rule, door, source)) = self.chance.pick(&casts) else { return };
        // Nobody passes with a grant until it is shut again, else this were no forced door.
        let free = usize::try_from(door).ok().and_then(|it| hospital.door_free_ns.get_mut(it));
        if let Some(free_ns) = free {
            *free_ns = starts_ns + FORCED_NS + NS_PER_S;
        }
        let door = DoorRef(door);
        let opened = ReportKind::DoorOpened { door };
        hospital.at(starts_ns, Happening::Report { source, kind: opened });
        let closed = ReportKind::DoorClosed { door };
        hospital.at(starts_ns + FORCED_NS, Happening::Report { source, kind: closed });
        let kind = AlarmKind::DoorForced;
        self.record(hospital, kind, rule, None, Some(door.0), starts_ns, is_opening);
    }

    /// Who could break a rule of that kind where: of the rules about dementia, pumps and psychiatric
    /// wards if the site has such, else of all.
    fn casts(hospital: &Hospital, kind: AlarmKind) -> Vec<Cast> {
        let config = &hospital.world.config;
        let mut casts = Vec::new();
        for (rule_index, rule) in rules(hospital, kind) {
            let zones = match &rule.condition {
                Condition::Inside { zones } if kind == AlarmKind::UnauthorisedEntry => zones,
                Condition::Leaves { zones, .. } => zones,
                _ => continue,
            };
            for subject in (0_u32..).take(config.subjects.len()) {
                let is_visitor = class_of(config, subject) == Some(SubjectClass::Visitor);
                if is_about(rule, config, subject)
                    && (is_visitor || kind != AlarmKind::UnauthorisedEntry)
                {
                    let cast = |&zone: &u32| Cast { rule: rule_index, subject, zone };
                    casts.extend(zones.iter().map(cast));
                }
            }
        }
        for word in preferred_words(kind) {
            let preferred: Vec<Cast> =
                casts.iter().copied().filter(|cast| speaks_of(config, cast, word)).collect();
            if !preferred.is_empty() {
                return preferred;
            }
        }
        casts
    }

    /// Whether the subject already has a part to play.
    fn is_engaged(&self, subject: u32, hospital: &Hospital) -> bool {
        let is_cast = self.incidents.iter().any(|incident| {
            incident.subject == Some(subject)
                && hospital.now_ns
                    < incident.starts_at.since_ns(hospital.options.start_at) + 2 * PRESSED_NS
        });
        is_cast || hospital.walker(subject).is_none_or(|walker| walker.mode == Mode::Scripted)
    }

    fn starts_ns(&mut self, hospital: &Hospital, is_opening: bool) -> u64 {
        hospital.now_ns + if is_opening { self.between_ns(OPENING_NS) } else { 1 }
    }

    fn between_ns(&mut self, window_ns: (u64, u64)) -> u64 {
        self.chance.between_ns(window_ns.0, window_ns.1)
    }

    #[expect(clippy::too_many_arguments, reason = "one for each field")]
    fn record(
        &mut self,
        hospital: &Hospital,
        kind: AlarmKind,
        rule: u32,
        subject: Option<u32>,
        door: Option<u32>,
        starts_ns: u64,
        is_opening: bool,
    ) {
        let starts_at = hospital.options.start_at.plus_ns(starts_ns);
        self.incidents.push(Incident { kind, rule, subject, door, starts_at, is_opening });
    }
}

/// Puts the walk on the agenda: there, a while astray, and back.
fn play_walk(hospital: &mut Hospital, subject: u32, staged: &Staged, starts_ns: u64) {
    let Some(walker) = hospital.walker_mut(subject) else { return };
    walker.mode = Mode::Scripted;
    if let Some(start) = staged.start {
        walker.path = crate::path::Path::standing(start);
    }
    let here = walker.path.place_at(starts_ns);
    let there = crate::path::Path::walking(starts_ns, here, &staged.places, SPEED_MM_S);
    let turns_ns = there.ends_at_ns() + ASTRAY_NS;
    let last = staged.places.last().copied().unwrap_or(here);
    let back = crate::path::Path::walking(turns_ns, last, &staged.places_back, SPEED_MM_S);
    let spots = staged.spots.clone();
    hospital.at(starts_ns, Happening::SetOut { subject, spots, speed_mm_s: SPEED_MM_S });
    let spots = staged.spots_back.clone();
    hospital.at(turns_ns, Happening::SetOut { subject, spots, speed_mm_s: SPEED_MM_S });
    hospital.at(back.ends_at_ns() + NS_PER_S, Happening::Release { subject });
}

/// Rules of that kind in force now.
fn rules(hospital: &Hospital, kind: AlarmKind) -> impl Iterator<Item = (u32, &RuleConfig)> {
    let config = &hospital.world.config;
    let now = hospital.options.start_at.plus_ns(hospital.now_ns);
    (0_u32..)
        .zip(&config.rules)
        .filter(move |(_, rule)| rule.alarm == kind && is_in_force(rule, config, now))
}

fn class_of(config: &SiteConfig, subject: u32) -> Option<SubjectClass> {
    let subject = usize::try_from(subject).ok()?;
    config.subjects.get(subject).map(|subject| subject.class)
}

/// What the rules are told by whose breaking is preferred for the script.
fn preferred_words(kind: AlarmKind) -> &'static [&'static str] {
    match kind {
        AlarmKind::Elopement => &["dementia"],
        AlarmKind::AssetTheft => &["pump"],
        AlarmKind::UnauthorisedEntry => &["psychiatric", "drug", "visitor"],
        _ => &[],
    }
}

/// Whether the cast's rule has the word in its id or in the labels it selects by.
fn speaks_of(config: &SiteConfig, cast: &Cast, word: &str) -> bool {
    let rule = usize::try_from(cast.rule).ok().and_then(|it| config.rules.get(it));
    rule.is_some_and(|rule| {
        rule.id.as_str().contains(word)
            || rule.who.labels_any.iter().any(|label| label.as_str().contains(word))
    })
}
