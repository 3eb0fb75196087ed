//! The hospital: everybody in it, what their tags say, and what is true.

use std::collections::BTreeMap;
use std::sync::Arc;

use ach_actors_model::{
    Condition, DoorRef, NS_PER_MS, NS_PER_S, ReportKind, SiteConfig, SubjectClass,
};

use crate::badge::badge_of;
use crate::chance::Chance;
use crate::incident::{Incident, Script};
use crate::observation::{Observation, Observed};
use crate::options::{Options, PERIOD_NS, STILL_PERIOD_NS};
use crate::permit::Permit;
use crate::plane::{TruePlace, depth_mm};
use crate::radio::Radio;
use crate::rule_book::Bounds;
use crate::truth::Truth;
use crate::walk_graph::door_between;
use crate::walker::{Mode, Walker};
use crate::world::World;

/// The truth is looked at this often: a fast walker moves 16 cm between two looks.
const LOOK_NS: u64 = 100 * NS_PER_MS;
/// Pings come this much off their beat, either way.
const BEAT_JITTER_NS: u64 = 20 * NS_PER_MS;
/// A grant or a request to exit is good for this long.
const GRANT_MS: u32 = 5_000;
/// A door is granted this long before somebody passes, opens later, and closes after.
const GRANT_AHEAD_NS: u64 = 1_400 * NS_PER_MS;
const OPEN_AHEAD_NS: u64 = 700 * NS_PER_MS;
const CLOSE_AFTER_NS: u64 = 1_800 * NS_PER_MS;
/// Doors' and buttons' reports take up to this long to be sent.
const REPORT_DELAY_NS: u64 = 30 * NS_PER_MS;
/// People fill a zone with a capacity to this share of it, in percent.
const FILL_PERCENT: usize = 70;
/// How often staff who leave a spot take along a thing that stands there.
const CARRY_SHARE: f64 = 0.15;

/// Numbers of streams of chance, far apart.
const WALKER_STREAM: u64 = 1 << 32;
const RADIO_STREAM: u64 = 2 << 32;
const SCRIPT_STREAM: u64 = 3 << 32;
const DOOR_STREAM: u64 = 4 << 32;

/// What happens next.
#[derive(Debug, Clone)]
pub(crate) enum Happening {
    /// A walker has rested.
    Wake(u32),
    /// A tag measures.
    Ping(u32),
    /// The truth is looked at.
    Look,
    /// A device reports.
    Report { source: u32, kind: ReportKind },
    /// A door says that it works, and will again.
    DoorBeat { door: u32, period_ns: u64 },
    /// A scripted subject sets out along these spots.
    SetOut { subject: u32, spots: Vec<u32>, speed_mm_s: f64 },
    /// A scripted subject is its own master again.
    Release { subject: u32 },
    /// It is time for another incident.
    Incident,
}

/// The simulator. Pure: the same world, seed and options give the same observations, however the
/// time is cut into calls of [`Hospital::advance`].
#[derive(Debug)]
pub struct Hospital {
    pub(crate) world: Arc<World>,
    pub(crate) options: Options,
    pub(crate) now_ns: u64,
    pub(crate) walkers: Vec<Walker>,
    pub(crate) tags_of: Vec<Vec<u32>>,
    pub(crate) door_free_ns: Vec<u64>,
    agenda: BTreeMap<(u64, u64), Happening>,
    outgoing: BTreeMap<(u64, u64), Observation>,
    ordinal: u64,
    radios: Vec<Radio>,
    next_ping_ns: Vec<u64>,
    door_chance: Chance,
    truth: Truth,
    script: Script,
}

impl Hospital {
    /// Puts everybody in their places and plans the opening incidents.
    pub fn new(world: Arc<World>, seed: u64, options: Options) -> Hospital {
        let config = &world.config;
        let mut tags_of = vec![Vec::new(); config.subjects.len()];
        for (index, tag) in (0_u32..).zip(&config.tags) {
            let of = tag.subject.and_then(|subject| usize::try_from(subject).ok());
            if let Some(tags) = of.and_then(|subject| tags_of.get_mut(subject)) {
                tags.push(index);
            }
        }
        let tag_numbers = (0_u32..).take(config.tags.len());
        let mut hospital = Hospital {
            walkers: walkers(&world, seed),
            tags_of,
            door_free_ns: vec![0; config.doors.len()],
            agenda: BTreeMap::new(),
            outgoing: BTreeMap::new(),
            ordinal: 0,
            radios: tag_numbers
                .map(|tag| Radio::new(tag, Chance::new(seed, RADIO_STREAM + u64::from(tag))))
                .collect(),
            next_ping_ns: vec![u64::MAX; config.tags.len()],
            door_chance: Chance::new(seed, DOOR_STREAM),
            truth: Truth::new(config, options.start_at),
            script: Script::new(Chance::new(seed, SCRIPT_STREAM)),
            now_ns: 0,
            options,
            world,
        };
        hospital.begin();
        hospital
    }

    /// Lives on until `to_ns` after the beginning and hands out what is to be sent by then, in
    /// order of sending.
    pub fn advance(&mut self, to_ns: u64) -> Vec<Observation> {
        while let Some(entry) = self.agenda.first_entry() {
            if entry.key().0 > to_ns {
                break;
            }
            let ((at_ns, _), happening) = entry.remove_entry();
            self.now_ns = at_ns;
            self.happen(happening);
        }
        self.now_ns = self.now_ns.max(to_ns);
        let later = self.outgoing.split_off(&(to_ns + 1, 0));
        std::mem::replace(&mut self.outgoing, later).into_values().collect()
    }

    /// What is true.
    pub fn truth(&self) -> &Truth {
        &self.truth
    }

    /// The incidents played or planned so far.
    pub fn incidents(&self) -> &[Incident] {
        self.script.incidents()
    }

    /// The world simulated.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// Where a subject really is.
    pub fn place_of(&self, subject: u32) -> Option<TruePlace> {
        self.walker(subject).map(|walker| walker.path.place_at(self.now_ns))
    }

    pub(crate) fn walker(&self, subject: u32) -> Option<&Walker> {
        usize::try_from(subject).ok().and_then(|subject| self.walkers.get(subject))
    }

    pub(crate) fn walker_mut(&mut self, subject: u32) -> Option<&mut Walker> {
        usize::try_from(subject).ok().and_then(|subject| self.walkers.get_mut(subject))
    }

    pub(crate) fn at(&mut self, at_ns: u64, happening: Happening) {
        self.ordinal += 1;
        self.agenda.insert((at_ns, self.ordinal), happening);
    }

    fn begin(&mut self) {
        if self.options.has_incidents {
            Script::open(self);
            self.plan_next_incident(12 * NS_PER_S);
        }
        for subject in (0_u32..).take(self.walkers.len()) {
            let Some(walker) = self.walker_mut(subject) else { continue };
            let pause_ns = walker.pause_ns();
            let first_ns = walker.chance.between_ns(0, pause_ns);
            if walker.class != SubjectClass::Asset {
                self.at(first_ns, Happening::Wake(subject));
            }
            for tag in self.tags_of.get(subject_index(subject)).cloned().unwrap_or_default() {
                self.beat(tag, self.period_ns(subject));
            }
        }
        for (at_ns, door, period_ns) in door_beats(&self.world.config) {
            self.at(at_ns, Happening::DoorBeat { door, period_ns });
        }
        self.at(0, Happening::Look);
    }

    /// Schedules a tag's next ping at a random point of its period.
    fn beat(&mut self, tag: u32, within_ns: u64) {
        let Some(radio) = usize::try_from(tag).ok().and_then(|tag| self.radios.get_mut(tag)) else {
            return;
        };
        let next_ns = self.now_ns + 1 + radio.chance().between_ns(0, within_ns);
        self.schedule_ping(tag, next_ns);
    }

    fn schedule_ping(&mut self, tag: u32, next_ns: u64) {
        if let Some(next) = self.next_ping_ns.get_mut(subject_index(tag)) {
            *next = next_ns;
        }
        self.at(next_ns, Happening::Ping(tag));
    }

    fn period_ns(&self, subject: u32) -> u64 {
        let Some(walker) = self.walker(subject) else { return PERIOD_NS };
        let is_at_rest = walker.class == SubjectClass::Asset
            && walker.mode == Mode::Free
            && !walker.path.is_moving_at(self.now_ns);
        if is_at_rest { STILL_PERIOD_NS } else { PERIOD_NS }
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Wake(subject) => self.wake(subject),
            Happening::Ping(tag) => self.ping(tag),
            Happening::Look => self.look(),
            Happening::Report { source, kind } => self.report(source, kind),
            Happening::DoorBeat { door, period_ns } => self.beat_door(door, period_ns),
            Happening::SetOut { subject, spots, speed_mm_s } => {
                self.set_out(subject, &spots, speed_mm_s);
            }
            Happening::Release { subject } => {
                if let Some(walker) = self.walker_mut(subject) {
                    walker.mode = Mode::Free;
                    self.at(self.now_ns + 1, Happening::Wake(subject));
                }
            }
            Happening::Incident => {
                Script::continue_with(self);
                self.plan_next_incident(self.options.incident_every_ns / 2);
            }
        }
    }

    fn plan_next_incident(&mut self, least_ns: u64) {
        let every_ns = self.options.incident_every_ns;
        if every_ns > 0 {
            let wait_ns = least_ns + self.script.chance().between_ns(0, every_ns);
            self.at(self.now_ns + wait_ns, Happening::Incident);
        }
    }

    fn wake(&mut self, subject: u32) {
        let world = Arc::clone(&self.world);
        let crowd = self.crowd();
        let has_room = |spot: u32| {
            world.graph.spot(spot).is_none_or(|spot| {
                spot.zones.iter().all(|zone| {
                    crowd.get(zone).is_none_or(|(bound, most)| bound * 100 < most * FILL_PERCENT)
                })
            })
        };
        let Some(walker) = self.walker_mut(subject) else { return };
        if walker.mode == Mode::Scripted {
            return;
        }
        let pause_ns = walker.pause_ns();
        if walker.class == SubjectClass::Asset {
            return;
        }
        let from = walker.at;
        let Some(spots) = walker.choose(&world.graph, has_room) else {
            self.at(self.now_ns + pause_ns, Happening::Wake(subject));
            return;
        };
        let speed_mm_s = walker.speed_mm_s();
        let takes_along = walker.class == SubjectClass::Staff && walker.chance.happens(CARRY_SHARE);
        self.set_out(subject, &spots, speed_mm_s);
        if takes_along && let Some(thing) = self.thing_at(from, &spots) {
            self.set_out(thing, &spots, speed_mm_s);
        }
        let arrives_ns = self.walker(subject).map_or(0, |walker| walker.path.ends_at_ns());
        self.at(arrives_ns + pause_ns, Happening::Wake(subject));
    }

    /// How many are in or bound for each zone that can be too full, and how many it may hold.
    fn crowd(&self) -> BTreeMap<u32, (usize, usize)> {
        let mut crowd = BTreeMap::new();
        for rule in &self.world.config.rules {
            let Condition::OverCapacity { zones } = &rule.condition else { continue };
            for &zone in zones {
                let of = usize::try_from(zone).ok().and_then(|it| self.world.config.zones.get(it));
                let most =
                    of.and_then(|zone| zone.capacity).and_then(|it| usize::try_from(it).ok());
                crowd.insert(zone, (0, most.unwrap_or(usize::MAX / 100)));
            }
        }
        if !crowd.is_empty() {
            for spot in self.walkers.iter().filter_map(|it| self.world.graph.spot(it.at)) {
                for zone in &spot.zones {
                    crowd.entry(*zone).and_modify(|(bound, _)| *bound += 1);
                }
            }
        }
        crowd
    }

    /// A thing at rest at the spot that may go all that way.
    fn thing_at(&self, from: u32, spots: &[u32]) -> Option<u32> {
        let may_go = |walker: &Walker| {
            walker.class == SubjectClass::Asset
                && walker.mode == Mode::Free
                && walker.at == from
                && !walker.path.is_moving_at(self.now_ns)
                && spots.last().is_some_and(|&end| walker.permit.may_pause(end))
                && spots.iter().zip(spots.iter().skip(1)).all(|(a, b)| walker.permit.allows(*a, *b))
        };
        (0_u32..).zip(&self.walkers).find(|(_, walker)| may_go(walker)).map(|(index, _)| index)
    }

    pub(crate) fn set_out(&mut self, subject: u32, spots: &[u32], speed_mm_s: f64) {
        let world = Arc::clone(&self.world);
        let now_ns = self.now_ns;
        let was_slow = self.period_ns(subject) > PERIOD_NS;
        let Some(walker) = self.walker_mut(subject) else { return };
        walker.set_out(&world.graph, now_ns, spots, speed_mm_s);
        let path = walker.path.clone();
        if was_slow {
            for tag in self.tags_of.get(subject_index(subject)).cloned().unwrap_or_default() {
                self.beat(tag, PERIOD_NS);
            }
        }
        for ((from_ns, from), (to_ns, to)) in path.ways() {
            if let Some((door, share)) = door_between(&world.config, from, to) {
                let pass_ns = from_ns
                    + crate::plane::round_ns(crate::plane::float_ns(to_ns - from_ns) * share);
                self.pass_door(subject, door, pass_ns);
            }
        }
    }

    /// Somebody goes through a wired door: it is granted, opens and closes. Who comes while it is
    /// still open slips through.
    fn pass_door(&mut self, subject: u32, door: u32, pass_ns: u64) {
        let grant_ns = pass_ns.saturating_sub(GRANT_AHEAD_NS).max(self.now_ns + 1);
        let open_ns = pass_ns.saturating_sub(OPEN_AHEAD_NS).max(grant_ns + 100 * NS_PER_MS);
        let close_ns = pass_ns.max(open_ns) + CLOSE_AFTER_NS;
        let source = self.world.config.doors.get(subject_index(door)).and_then(|door| door.source);
        let free_ns = self.door_free_ns.get_mut(subject_index(door));
        let (Some(source), Some(free_ns)) = (source, free_ns) else { return };
        if grant_ns < *free_ns {
            return;
        }
        *free_ns = close_ns + 200 * NS_PER_MS;
        let door = DoorRef(door);
        let grant = if self.door_chance.happens(0.6) {
            let badge = badge_of(&self.world.config, subject);
            ReportKind::AccessGranted { door, valid_ms: GRANT_MS, badge }
        } else {
            ReportKind::ExitRequested { door, valid_ms: GRANT_MS }
        };
        self.at(grant_ns, Happening::Report { source, kind: grant });
        self.at(open_ns, Happening::Report { source, kind: ReportKind::DoorOpened { door } });
        self.at(close_ns, Happening::Report { source, kind: ReportKind::DoorClosed { door } });
    }

    /// No chance is drawn for it, so that all else happens as it would without.
    fn beat_door(&mut self, door: u32, period_ns: u64) {
        let source = self.world.config.doors.get(subject_index(door)).and_then(|door| door.source);
        let Some(source) = source else { return };
        let alive = Observed::Report(ReportKind::DoorAlive { door: DoorRef(door) });
        self.send(source, self.now_ns, self.now_ns + REPORT_DELAY_NS, alive);
        self.at(self.now_ns + period_ns, Happening::DoorBeat { door, period_ns });
    }

    fn ping(&mut self, tag: u32) {
        let index = subject_index(tag);
        if self.next_ping_ns.get(index) != Some(&self.now_ns) {
            return;
        }
        let world = Arc::clone(&self.world);
        let Some((config, subject)) =
            world.config.tags.get(index).and_then(|tag| Some((tag, tag.subject?)))
        else {
            return;
        };
        let Some(walker) = self.walker(subject) else { return };
        let place = walker.path.place_at(self.now_ns);
        let wall_mm = walker
            .rooms
            .iter()
            .filter_map(|&room| world.config.zones.get(subject_index(room)))
            .map(|room| depth_mm(room, &place).abs())
            .fold(f64::INFINITY, f64::min);
        let period_ns = self.period_ns(subject);
        let (now_ns, noise) = (self.now_ns, self.options.noise);
        let Some(radio) = self.radios.get_mut(index) else { return };
        let sent = radio.ping(&noise, now_ns, &place, wall_mm);
        let off_beat_ns = radio.chance().between_ns(0, 2 * BEAT_JITTER_NS);
        for transmission in sent {
            self.send(config.source, now_ns, now_ns + transmission.delay_ns, transmission.what);
        }
        self.schedule_ping(tag, now_ns + period_ns - BEAT_JITTER_NS + off_beat_ns);
    }

    fn look(&mut self) {
        let world = Arc::clone(&self.world);
        let now_ns = self.now_ns;
        self.truth.begin_look(&world.config, now_ns);
        for (subject, walker) in (0_u32..).zip(&self.walkers) {
            let is_scripted = walker.mode == Mode::Scripted;
            let place = walker.path.place_at(now_ns);
            self.truth.look(&world.config, now_ns, subject, place, is_scripted);
        }
        self.truth.end_look(&world.config, now_ns);
        self.at(now_ns + LOOK_NS, Happening::Look);
    }

    fn report(&mut self, source: u32, kind: ReportKind) {
        let world = Arc::clone(&self.world);
        self.truth.report(&world.config, self.now_ns, &kind);
        let delay_ns = self.door_chance.between_ns(REPORT_DELAY_NS / 6, REPORT_DELAY_NS);
        self.send(source, self.now_ns, self.now_ns + delay_ns, Observed::Report(kind));
    }

    fn send(&mut self, source: u32, observed_ns: u64, send_ns: u64, what: Observed) {
        self.ordinal += 1;
        let start_at = self.options.start_at;
        let observation = Observation {
            send_at: start_at.plus_ns(send_ns),
            observed_at: start_at.plus_ns(observed_ns),
            source,
            what,
        };
        self.outgoing.insert((send_ns, self.ordinal), observation);
    }

    pub(crate) fn with_script<T>(
        &mut self,
        turn: impl FnOnce(&mut Hospital, &mut Script) -> T,
    ) -> T {
        let mut script = std::mem::replace(&mut self.script, Script::absent());
        let result = turn(self, &mut script);
        self.script = script;
        result
    }
}

/// Doors that are watched for silence, with when each first says that it works and how often: three times
/// in the time that it may be silent, spread evenly.
fn door_beats(config: &SiteConfig) -> Vec<(u64, u32, u64)> {
    let mut periods: BTreeMap<u32, u64> = BTreeMap::new();
    for rule in &config.rules {
        let Condition::DoorLost { doors, after_ns } = &rule.condition else { continue };
        for &door in doors {
            let period_ns = periods.entry(door).or_insert(u64::MAX);
            *period_ns = (*period_ns).min(*after_ns / 3);
        }
    }
    let count = u64::try_from(periods.len()).unwrap_or(u64::MAX);
    let spread = |(place, (door, period_ns)): (u64, (u32, u64))| {
        (period_ns / count * place, door, period_ns)
    };
    (0..).zip(periods).map(spread).collect()
}

/// As an index into a list.
fn subject_index(index: u32) -> usize {
    usize::try_from(index).unwrap_or(usize::MAX)
}

fn walkers(world: &World, seed: u64) -> Vec<Walker> {
    let mut permits: Vec<(SubjectClass, Bounds, Arc<Permit>)> = Vec::new();
    let mut walkers = Vec::new();
    for ((index, subject), residence) in
        (0_u32..).zip(&world.config.subjects).zip(&world.residences)
    {
        let home = world.graph.spot(residence.home).map(|spot| spot.place);
        let bounds = home.map(|home| Bounds::of(&world.config, index, &home)).unwrap_or_default();
        let known = permits.iter().find(|(class, it, _)| *class == subject.class && *it == bounds);
        let permit = if let Some((_, _, permit)) = known {
            Arc::clone(permit)
        } else {
            let class = Some(subject.class);
            let permit = Arc::new(Permit::new(&world.graph, &world.config, &bounds, class));
            permits.push((subject.class, bounds, Arc::clone(&permit)));
            permit
        };
        let chance = Chance::new(seed, WALKER_STREAM + u64::from(index));
        let targets = &residence.targets;
        walkers.push(Walker::new(
            &world.graph,
            subject.class,
            residence.home,
            targets,
            permit,
            chance,
        ));
    }
    walkers
}
