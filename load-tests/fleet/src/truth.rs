//! What was really the case: which rules were broken, by whom, where, from when until when.

use ach_actors_model::{Condition, ReportKind, SiteConfig, Timestamp};

use crate::door_truth::DoorTruth;
use crate::plane::{TruePlace, depth_mm, meets};
use crate::rule_book::{is_about, is_in_force};

/// A place that is this far past the gates' distances is past them for the noisiest tag as well:
/// four deviations of 150 mm and the greatest bias.
const CLEAR_MM: f64 = 900.0;
/// Records kept at most; a run of an hour with an incident every ten seconds makes a few hundred.
const RECORDS_MAX: usize = 100_000;

/// About what a rule was broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TrueWhere {
    /// A zone, by index.
    Zone(u32),
    /// A perimeter line.
    Line(u32),
    /// A door.
    Door(u32),
    /// A tag.
    Tag(u32),
}

/// A rule was really broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach {
    /// Index of the rule.
    pub rule: u32,
    /// Index of the subject, for rules about subjects.
    pub subject: Option<u32>,
    /// Where.
    pub place: TrueWhere,
    /// From when, since the run began.
    pub began_ns: u64,
    /// Until when; `None` is still.
    pub ended_ns: Option<u64>,
    /// The longest time without a break in which it was beyond doubt: past every gate's distance
    /// and the noise.
    pub clear_ns: u64,
    /// Whether the one who did it was following the script.
    pub is_scripted: bool,
}

/// One rule over one zone or line for one subject.
#[derive(Debug, Clone)]
struct Watch {
    rule: u32,
    what: Watched,
    was_in: bool,
    open: Option<usize>,
    clear_since_ns: Option<u64>,
    in_since_ns: Option<u64>,
    /// Depth and gate distances at the place last looked at.
    depth: Option<(f64, f64, f64)>,
}

/// A rule over how many may be in a zone.
#[derive(Debug)]
struct Crowd {
    rule: u32,
    zone: u32,
    /// Whom it counts.
    counted: Vec<usize>,
    open: Option<usize>,
}

#[derive(Debug, Clone, Copy)]
enum Watched {
    Inside(u32),
    LeavesZone(u32),
    LeavesLine(u32),
    Stays(u32, u64),
}

/// Follows every subject and door and writes down every breach. Reads the rules itself.
#[derive(Debug)]
pub struct Truth {
    start_at: Timestamp,
    watches: Vec<Vec<Watch>>,
    places: Vec<Option<TruePlace>>,
    crowds: Vec<Crowd>,
    doors: DoorTruth,
    in_force: Vec<bool>,
    breaches: Vec<Breach>,
    lost_count: u64,
}

impl Truth {
    /// Nothing has happened yet; the run begins at `start_at`.
    pub fn new(config: &SiteConfig, start_at: Timestamp) -> Truth {
        let count = u32::try_from(config.subjects.len()).unwrap_or(u32::MAX);
        let watches = (0..count).map(|subject| watches_of(config, subject)).collect();
        Truth {
            start_at,
            watches,
            places: vec![None; config.subjects.len()],
            crowds: crowds(config),
            doors: DoorTruth::default(),
            in_force: Vec::new(),
            breaches: Vec::new(),
            lost_count: 0,
        }
    }

    /// Every breach so far, by beginning.
    pub fn breaches(&self) -> &[Breach] {
        &self.breaches
    }

    /// When the run began.
    pub fn start_at(&self) -> Timestamp {
        self.start_at
    }

    /// Breaches there was no room for; nonzero spoils the judgement.
    pub fn lost_count(&self) -> u64 {
        self.lost_count
    }

    /// A new look at the whole site: which rules hold now.
    pub fn begin_look(&mut self, config: &SiteConfig, now_ns: u64) {
        let at = self.start_at.plus_ns(now_ns);
        self.in_force.clear();
        self.in_force.extend(config.rules.iter().map(|rule| is_in_force(rule, config, at)));
    }

    /// Looks at one subject.
    pub fn look(
        &mut self,
        config: &SiteConfig,
        now_ns: u64,
        subject: u32,
        place: TruePlace,
        is_scripted: bool,
    ) {
        let Ok(index) = usize::try_from(subject) else { return };
        let before = self.places.get_mut(index).and_then(|kept| kept.replace(place));
        let Some(watches) = self.watches.get_mut(index) else { return };
        let mut watches = std::mem::take(watches);
        for watch in &mut watches {
            let breach = Breach {
                rule: watch.rule,
                subject: Some(subject),
                place: watch.what.place(),
                began_ns: now_ns,
                ended_ns: None,
                clear_ns: 0,
                is_scripted,
            };
            let (holds, is_clear) = watch.judge(config, now_ns, before, place);
            let holds = holds && self.holds_now(watch.rule);
            self.note(&mut watch.open, holds, now_ns, breach);
            watch.clear_since_ns =
                (holds && is_clear).then(|| watch.clear_since_ns.unwrap_or(now_ns));
            let clear_ns = watch.clear_since_ns.map_or(0, |since_ns| now_ns - since_ns);
            let open = watch.open.and_then(|open| self.breaches.get_mut(open));
            if let Some(breach) = open {
                breach.clear_ns = breach.clear_ns.max(clear_ns);
            }
        }
        if let Some(kept) = self.watches.get_mut(index) {
            *kept = watches;
        }
    }

    /// Counts heads once everybody was looked at.
    pub fn end_look(&mut self, config: &SiteConfig, now_ns: u64) {
        let mut crowds = std::mem::take(&mut self.crowds);
        for crowd in &mut crowds {
            let area = usize::try_from(crowd.zone).ok().and_then(|zone| config.zones.get(zone));
            let Some(area) = area else { continue };
            let is_inside = |subject: &&usize| {
                let place = self.places.get(**subject).copied().flatten();
                place.is_some_and(|place| depth_mm(area, &place) > 0.0)
            };
            let inside = crowd.counted.iter().filter(is_inside).count();
            let capacity = area.capacity.and_then(|most| usize::try_from(most).ok());
            let holds = capacity.is_some_and(|most| inside > most) && self.holds_now(crowd.rule);
            let breach = Breach {
                rule: crowd.rule,
                subject: None,
                place: TrueWhere::Zone(crowd.zone),
                began_ns: now_ns,
                ended_ns: None,
                clear_ns: 0,
                is_scripted: false,
            };
            self.note(&mut crowd.open, holds, now_ns, breach);
        }
        self.crowds = crowds;
    }

    /// Takes note of what a button, band or door really did.
    pub fn report(&mut self, config: &SiteConfig, now_ns: u64, kind: &ReportKind) {
        let at = self.start_at.plus_ns(now_ns);
        let room = RECORDS_MAX.saturating_sub(self.breaches.len());
        self.lost_count += self.doors.report(config, at, now_ns, kind, &mut self.breaches, room);
    }

    fn holds_now(&self, rule: u32) -> bool {
        usize::try_from(rule).ok().and_then(|rule| self.in_force.get(rule)).copied().unwrap_or(true)
    }

    fn note(&mut self, open: &mut Option<usize>, holds: bool, now_ns: u64, breach: Breach) {
        match (*open, holds) {
            (None, true) if self.breaches.len() < RECORDS_MAX => {
                *open = Some(self.breaches.len());
                self.breaches.push(breach);
            }
            (None, true) => self.lost_count += 1,
            (Some(index), false) => {
                if let Some(breach) = self.breaches.get_mut(index) {
                    breach.ended_ns = Some(now_ns);
                }
                *open = None;
            }
            (None, false) | (Some(_), true) => {}
        }
    }
}

impl Watch {
    fn new(rule: u32, what: Watched) -> Watch {
        Watch {
            rule,
            what,
            was_in: false,
            open: None,
            clear_since_ns: None,
            in_since_ns: None,
            depth: None,
        }
    }

    /// Whether the rule is broken, and whether beyond doubt.
    fn judge(
        &mut self,
        config: &SiteConfig,
        now_ns: u64,
        before: Option<TruePlace>,
        place: TruePlace,
    ) -> (bool, bool) {
        if before != Some(place) {
            self.depth = None;
        }
        match self.what {
            Watched::Inside(zone) => {
                let (depth, enter_mm, _) = self.depth_and_gates(config, zone, &place);
                (depth > 0.0, depth > enter_mm + CLEAR_MM)
            }
            Watched::LeavesZone(zone) => {
                let (depth, _, leave_mm) = self.depth_and_gates(config, zone, &place);
                self.was_in |= depth > 0.0;
                (self.was_in && depth <= 0.0, depth < -(leave_mm + CLEAR_MM))
            }
            Watched::LeavesLine(line) => {
                if let Some(goes_out) = crossed(config, line, before, place) {
                    self.was_in = goes_out;
                }
                (self.was_in, self.was_in)
            }
            Watched::Stays(zone, after_ns) => {
                let (depth, enter_mm, _) = self.depth_and_gates(config, zone, &place);
                self.in_since_ns = (depth > 0.0).then(|| self.in_since_ns.unwrap_or(now_ns));
                let has_stayed =
                    self.in_since_ns.is_some_and(|since_ns| now_ns - since_ns >= after_ns);
                (has_stayed, has_stayed && depth > enter_mm + CLEAR_MM)
            }
        }
    }
}

impl Watch {
    /// Most subjects stand still at most looks.
    fn depth_and_gates(
        &mut self,
        config: &SiteConfig,
        zone: u32,
        place: &TruePlace,
    ) -> (f64, f64, f64) {
        *self.depth.get_or_insert_with(|| depth_and_gates(config, self.rule, zone, place))
    }
}

impl Watched {
    fn place(self) -> TrueWhere {
        match self {
            Watched::Inside(zone) | Watched::LeavesZone(zone) | Watched::Stays(zone, _) => {
                TrueWhere::Zone(zone)
            }
            Watched::LeavesLine(line) => TrueWhere::Line(line),
        }
    }
}

fn crowds(config: &SiteConfig) -> Vec<Crowd> {
    let mut crowds = Vec::new();
    for (index, rule) in (0..).zip(&config.rules) {
        let Condition::OverCapacity { zones } = &rule.condition else { continue };
        let counted: Vec<usize> = (0_u32..)
            .zip(0..config.subjects.len())
            .filter(|(subject, _)| is_about(rule, config, *subject))
            .map(|(_, index)| index)
            .collect();
        for &zone in zones {
            crowds.push(Crowd { rule: index, zone, counted: counted.clone(), open: None });
        }
    }
    crowds
}

fn watches_of(config: &SiteConfig, subject: u32) -> Vec<Watch> {
    let mut watches = Vec::new();
    for (index, rule) in (0..).zip(&config.rules) {
        if !is_about(rule, config, subject) {
            continue;
        }
        let mut add = |what| watches.push(Watch::new(index, what));
        match &rule.condition {
            Condition::Inside { zones } => zones.iter().copied().map(Watched::Inside).for_each(add),
            Condition::Leaves { zones, lines } => {
                zones.iter().copied().map(Watched::LeavesZone).for_each(&mut add);
                lines.iter().copied().map(Watched::LeavesLine).for_each(add);
            }
            Condition::Stays { zones, after_ns } => {
                zones.iter().map(|&zone| Watched::Stays(zone, *after_ns)).for_each(add);
            }
            _ => {}
        }
    }
    watches
}

fn depth_and_gates(
    config: &SiteConfig,
    rule: u32,
    zone: u32,
    place: &TruePlace,
) -> (f64, f64, f64) {
    let rule = usize::try_from(rule).ok().and_then(|rule| config.rules.get(rule));
    let zone = usize::try_from(zone).ok().and_then(|zone| config.zones.get(zone));
    let (Some(rule), Some(zone)) = (rule, zone) else { return (f64::NEG_INFINITY, 0.0, 0.0) };
    let gates = rule.gates.unwrap_or(zone.gates);
    let circle_mm = if gates.error_circle { CLEAR_MM } else { 0.0 };
    (
        depth_mm(zone, place),
        f64::from(gates.entry_margin_mm) + circle_mm,
        f64::from(gates.exit_tolerance_mm) + circle_mm,
    )
}

/// Whether the line was crossed, and outward (from its left to its right).
fn crossed(
    config: &SiteConfig,
    line: u32,
    before: Option<TruePlace>,
    place: TruePlace,
) -> Option<bool> {
    let before = before.filter(|before| before.floor == place.floor)?;
    let line = usize::try_from(line).ok().and_then(|line| config.lines.get(line))?;
    if line.floor != place.floor {
        return None;
    }
    line.points_mm
        .iter()
        .zip(line.points_mm.iter().skip(1))
        .filter_map(|(a, b)| meets(&before, &place, (*a, *b)))
        .next_back()
        .map(|(_, goes_out)| goes_out)
}
