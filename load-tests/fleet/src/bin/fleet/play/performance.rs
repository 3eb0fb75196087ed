//! Plays a use case: time goes from moment to moment, everybody does what is due, and what the node tells is
//! written down.
//!
//! A moment is over when all that was said in it is decided, stored and told. So the same file brings the same
//! story, however fast the machine is.

use std::collections::BTreeMap;

use ach_actors_model::{AlarmTransition, NS_PER_MS, NS_PER_S, Name, Timestamp};
use ach_clients_rust::{AlarmNote, Report, ReportWord, WireDoorOrder};
use ach_engine_site::SiteDirectory;
use ach_load_tests_fleet::World;

use super::acts;
use super::cast::{Cast, Passage};
use super::controllers::{Controllers, leave_word};
use super::hours::Hours;
use super::judgement::is_meant;
use super::stage::Stage;
use super::told::{Told, order_words, spaced};
use super::use_case::{Deed, Passing, ReaderAnswer, UseCase};
use crate::failure::Failure;

/// From moment to moment while something goes on: tags are heard once a second.
const STEP_NS: u64 = NS_PER_S;
/// While nothing does: half of what lets a feed of the sample hospital fall silent.
const QUIET_STEP_NS: u64 = 15 * NS_PER_S;
/// Something goes on from shortly before a step, so that those who stand are heard often enough to be believed to
/// walk, until alarms have been passed on twice.
const LIVELY_BEFORE_NS: u64 = 4 * NS_PER_S;
const LIVELY_AFTER_NS: u64 = 60 * NS_PER_S;
/// A controller does what it is told this much later.
const OBEYS_AFTER_NS: u64 = NS_PER_S;
/// A badge is held to a reader this long before somebody is at the sill, the door opens later, and closes after.
const BADGE_AHEAD_NS: u64 = 1_400 * NS_PER_MS;
const OPEN_AHEAD_NS: u64 = 700 * NS_PER_MS;
const CLOSE_AFTER_NS: u64 = 1_800 * NS_PER_MS;

/// What is still to happen.
#[derive(Debug, Clone)]
enum Happening {
    Step(Deed),
    /// Somebody passes a door on his way.
    Badge(Name),
    Ask(Name),
    Open(Name),
    Close(Name),
    Obey(Box<WireDoorOrder>),
}

/// A line of the story.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Line {
    /// Somebody did something.
    Step(String),
    /// An alarm changed.
    Alarm(Box<AlarmNote>),
    /// A door was told something: its place among all orders.
    Order(usize),
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Story {
    pub(crate) lines: Vec<(Timestamp, Line)>,
    pub(crate) told: Told,
    /// What could not be done, or went otherwise than the file says.
    pub(crate) differences: Vec<String>,
}

/// A use case under way.
struct Performance<'a> {
    case: &'a UseCase,
    hours: &'a Hours,
    stage: Stage,
    cast: Cast<'a>,
    controllers: Controllers,
    agenda: BTreeMap<(Timestamp, u64), Happening>,
    count: u64,
    lively_until: Timestamp,
    story: Story,
}

/// Plays it from beginning to end.
///
/// # Errors
///
/// It cannot be played.
pub(crate) async fn perform(
    case: &UseCase,
    hours: &Hours,
    directory: &SiteDirectory,
    world: &World,
) -> Result<Story, Failure> {
    let (begin, end) = (hours.begin()?, hours.at(case.end)?);
    let mut performance = Performance {
        case,
        hours,
        stage: Stage::open(directory, &world.config, begin).await?,
        cast: Cast::new(world),
        controllers: Controllers::of(&world.config),
        agenda: BTreeMap::new(),
        count: 0,
        lively_until: begin,
        story: Story { lines: Vec::new(), told: Told::default(), differences: Vec::new() },
    };
    performance.plan(begin, end)?;
    for saying in performance.controllers.begin(begin) {
        performance.stage.report(saying).await?;
    }
    let (mut before, mut now) = (begin, begin);
    loop {
        performance.moment(now, now.since_ns(before)).await?;
        if now >= end {
            break;
        }
        (before, now) = (now, performance.next(now).min(end));
    }
    let Performance { stage, story, .. } = performance;
    stage.close().await?;
    Ok(story)
}

impl Performance<'_> {
    fn plan(&mut self, begin: Timestamp, end: Timestamp) -> Result<(), Failure> {
        let mut last = begin;
        for step in &self.case.steps {
            let at = self.hours.at(step.at)?;
            if at < last || at > end {
                let text =
                    format!("the step at {} is before the one above it, or after the end", step.at);
                return Err(Failure::new(text));
            }
            last = at;
            self.at(at, Happening::Step(step.deed.clone()));
        }
        Ok(())
    }

    fn at(&mut self, at: Timestamp, happening: Happening) {
        self.count += 1;
        self.agenda.insert((at, self.count), happening);
    }

    /// What is due next, if anything is.
    fn due(&mut self, now: Timestamp) -> Option<Happening> {
        let entry = self.agenda.first_entry().filter(|entry| entry.key().0 <= now)?;
        Some(entry.remove())
    }

    /// The moment after this one.
    fn next(&self, now: Timestamp) -> Timestamp {
        let due = self.agenda.keys().next().map(|(at, _)| *at);
        let is_near = due.is_some_and(|due| due <= now.plus_ns(LIVELY_BEFORE_NS));
        let is_lively = is_near || now < self.lively_until || self.cast.is_moving(now);
        // On whole seconds and quarters of minutes, when most of what hours say falls due.
        let step_ns = if is_lively { STEP_NS } else { QUIET_STEP_NS };
        let by_beat = Timestamp((now.0 / step_ns + 1) * step_ns);
        // Whoever stands is heard often before he sets out.
        let soon =
            due.map(
                |due| {
                    if is_near { due } else { Timestamp(due.0.saturating_sub(LIVELY_BEFORE_NS)) }
                },
            );
        soon.filter(|soon| *soon > now).map_or(by_beat, |soon| by_beat.min(soon))
    }

    async fn moment(&mut self, now: Timestamp, since_last_ns: u64) -> Result<(), Failure> {
        self.stage.go_to(now).await?;
        let mut is_beaten = false;
        loop {
            // What was said before is decided before the next thing is done.
            while let Some(happening) = self.due(now) {
                self.happen(happening, now).await?;
                self.hear(now).await?;
            }
            if std::mem::replace(&mut is_beaten, true) {
                return Ok(());
            }
            let is_beat = now.0.is_multiple_of(STEP_NS);
            for (source, ping) in is_beat.then(|| self.cast.pings(now)).into_iter().flatten() {
                self.stage.ping(source, ping).await?;
            }
            // One at least: once it is stored, so is what the clock let fall due.
            for saying in self.controllers.beat(now, since_last_ns) {
                self.stage.report(saying).await?;
            }
            self.hear(now).await?;
        }
    }

    /// Takes what was told meanwhile.
    async fn hear(&mut self, now: Timestamp) -> Result<(), Failure> {
        let news = self.stage.settle().await?;
        for note in news.alarms {
            self.lively_until = self.lively_until.max(now.plus_ns(LIVELY_AFTER_NS));
            self.story.told.take(&note);
            self.story.lines.push((note.changed_at, Line::Alarm(Box::new(note))));
        }
        for order in news.orders {
            self.at(now.plus_ns(OBEYS_AFTER_NS), Happening::Obey(Box::new(order.clone())));
            self.story.lines.push((order.given_at, Line::Order(self.story.told.orders.len())));
            self.story.told.orders.push(order);
        }
        Ok(())
    }

    async fn happen(&mut self, happening: Happening, now: Timestamp) -> Result<(), Failure> {
        match happening {
            Happening::Step(deed) => {
                self.lively_until = self.lively_until.max(now.plus_ns(LIVELY_AFTER_NS));
                self.step(&deed, now).await
            }
            Happening::Badge(door) => {
                self.badge(&door, true, Some(ReaderAnswer::Granted), now).await
            }
            Happening::Ask(door) => self.door_says(&door, leave_word(false), now).await,
            Happening::Open(door) => self.door_says(&door, ReportWord::DoorOpened, now).await,
            Happening::Close(door) => self.door_says(&door, ReportWord::DoorClosed, now).await,
            Happening::Obey(order) => {
                for saying in self.controllers.obey(&order, now) {
                    self.stage.report(saying).await?;
                }
                Ok(())
            }
        }
    }

    async fn step(&mut self, deed: &Deed, now: Timestamp) -> Result<(), Failure> {
        match deed {
            Deed::Stands { subject, place } => {
                self.cast.stand(subject, place)?;
                self.say(now, format!("{subject} stands in {}", acts::spot_words(place)));
            }
            Deed::Walks { subject, to, metres_per_s, doors } => {
                let (passages, ends_at) = self.cast.walk(subject, to, (*metres_per_s, now))?;
                let to: Vec<String> = to.iter().map(acts::spot_words).collect();
                let until = self.hours.time_of(ends_at);
                self.say(now, format!("{subject} walks to {}, until {until}", to.join(", then ")));
                self.pass(&passages, *doors, now);
            }
            Deed::Badges { door, is_known, answer } => {
                self.known_door(door)?;
                self.badge(door, *is_known, *answer, now).await?;
            }
            Deed::Sticks { door } => {
                self.known_door(door)?;
                self.controllers.stick(door);
                self.say(now, format!("door {door} sticks: it does nothing that it is told"));
            }
            Deed::Works { door } => {
                self.known_door(door)?;
                self.say(now, format!("door {door} works again"));
                for saying in self.controllers.free(door, now) {
                    self.stage.report(saying).await?;
                }
            }
            Deed::AsksToLeave { door } => self.door(door, leave_word(false), now).await?,
            Deed::Opens { door } => self.door(door, ReportWord::DoorOpened, now).await?,
            Deed::Closes { door } => self.door(door, ReportWord::DoorClosed, now).await?,
            Deed::FireOn { door } => self.door(door, ReportWord::FireOn, now).await?,
            Deed::FireOff { door } => self.door(door, ReportWord::FireOver, now).await?,
            Deed::MovesIn { zone } => self.motion(zone, now).await?,
            Deed::PressesButton { subject } => {
                self.tag(subject, ReportWord::ButtonPressed, now).await?;
            }
            Deed::ResetsButton { subject } => {
                self.tag(subject, ReportWord::ButtonReset, now).await?;
            }
            Deed::CutsBand { subject } => self.tag(subject, ReportWord::BandCut, now).await?,
            Deed::MendsBand { subject } => self.tag(subject, ReportWord::BandWhole, now).await?,
            by_operator => self.operate(by_operator, now).await?,
        }
        Ok(())
    }

    async fn operate(&mut self, deed: &Deed, now: Timestamp) -> Result<(), Failure> {
        let alarm = match deed {
            Deed::Acknowledges { alarm, .. } | Deed::ClosesAlarm { alarm, .. } => {
                let expected = self.case.alarms.iter().find(|it| it.name == *alarm);
                let told = &self.story.told.alarms;
                let meant =
                    expected.and_then(|it| told.iter().rev().find(|told| is_meant(it, told)));
                let Some(meant) = meant else {
                    let at = self.hours.time_of(now);
                    let text =
                        format!("at {at} alarm {alarm} could not be answered: it was not raised");
                    self.differ(now, text);
                    return Ok(());
                };
                Some(meant.id)
            }
            _ => None,
        };
        self.say(now, format!("the desk {}", acts::words(deed)));
        if let Err(error) = acts::wish(&mut self.stage.operator, deed, alarm).await {
            let at = self.hours.time_of(now);
            self.differ(now, format!("at {at} the desk {}: {error}", acts::words(deed)));
        }
        Ok(())
    }

    /// What happens at the doors on a way.
    fn pass(&mut self, passages: &[Passage], doors: Passing, now: Timestamp) {
        for Passage { door, at } in passages {
            let leave = match doors {
                Passing::Unsaid => continue,
                Passing::Badge => Happening::Badge(door.clone()),
                Passing::Asks => Happening::Ask(door.clone()),
            };
            let ahead = |by_ns| Timestamp(at.0.saturating_sub(by_ns)).max(now);
            self.at(ahead(BADGE_AHEAD_NS), leave);
            self.at(ahead(OPEN_AHEAD_NS), Happening::Open(door.clone()));
            self.at(at.plus_ns(CLOSE_AFTER_NS), Happening::Close(door.clone()));
        }
    }

    async fn badge(
        &mut self,
        door: &Name,
        is_known: bool,
        expected: Option<ReaderAnswer>,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let is_granted = self.controllers.grants(door, is_known);
        let answer = if is_granted { ReaderAnswer::Granted } else { ReaderAnswer::Denied };
        let word = if is_granted { "granted" } else { "denied" };
        self.say(now, format!("a badge at door {door}: {word}"));
        if expected.is_some_and(|expected| expected != answer) {
            let at = self.hours.time_of(now);
            self.differ(
                now,
                format!("at {at} a badge at door {door} was {word}, expected otherwise"),
            );
        }
        if is_granted {
            self.door_says(door, leave_word(true), now).await?;
        }
        Ok(())
    }

    async fn door(&mut self, door: &Name, word: ReportWord, now: Timestamp) -> Result<(), Failure> {
        self.known_door(door)?;
        let what = match word {
            ReportWord::DoorOpened => "opens",
            ReportWord::DoorClosed => "closes",
            ReportWord::FireOn => "tells of a fire",
            ReportWord::FireOver => "tells that the fire is over",
            _ => "is asked to let somebody out",
        };
        self.say(now, format!("door {door} {what}"));
        self.door_says(door, word, now).await
    }

    async fn motion(&mut self, zone: &Name, now: Timestamp) -> Result<(), Failure> {
        let Some(saying) = self.controllers.see(zone, now) else {
            return Err(Failure::new(format!("the site has no zone {zone} with a motion_feed")));
        };
        self.say(now, format!("something moves in {zone}"));
        self.stage.report(saying).await
    }

    async fn door_says(
        &mut self,
        door: &Name,
        word: ReportWord,
        now: Timestamp,
    ) -> Result<(), Failure> {
        match self.controllers.say(door, now, word) {
            Some(saying) => self.stage.report(saying).await,
            None => Ok(()),
        }
    }

    async fn tag(
        &mut self,
        subject: &Name,
        word: ReportWord,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let (band, button) = self.cast.band_and_button(subject)?;
        let (of, what) = match word {
            ReportWord::ButtonPressed => (button, "presses the button"),
            ReportWord::ButtonReset => (button, "resets the button"),
            ReportWord::BandCut => (band, "loses the band: it is cut"),
            _ => (band, "wears the band again"),
        };
        self.say(now, format!("{subject} {what}"));
        let (source, tag) = of;
        self.stage.report((source, Report::tag(tag, now, word))).await
    }

    fn known_door(&self, door: &Name) -> Result<(), Failure> {
        if self.controllers.has(door) {
            return Ok(());
        }
        Err(Failure::new(format!("the site has no door {door} with a feed, so nobody hears of it")))
    }

    fn say(&mut self, now: Timestamp, text: String) {
        self.story.lines.push((now, Line::Step(text)));
    }

    fn differ(&mut self, now: Timestamp, text: String) {
        self.say(now, format!("NOT DONE: {text}"));
        self.story.differences.push(text);
    }
}

/// What became of an alarm, in a word or two.
pub(crate) fn change_words(note: &AlarmNote) -> String {
    let life = note.life.as_deref();
    match note.transition {
        AlarmTransition::Raised if note.is_tentative => "raised, tentative".to_owned(),
        AlarmTransition::Escalated => {
            let to = life.and_then(|life| life.escalated_to.as_ref());
            to.map_or_else(|| "passed on".to_owned(), |to| format!("passed on to {to}"))
        }
        AlarmTransition::Closed => {
            let cause = life.and_then(|life| life.cause);
            cause
                .map_or_else(|| "closed".to_owned(), |cause| format!("closed as {}", spaced(cause)))
        }
        other => spaced(other),
    }
}

/// Whether two orders say the same of two doors, at the same time.
pub(crate) fn is_alike(a: &WireDoorOrder, b: &WireDoorOrder) -> bool {
    a.given_at == b.given_at && order_words(a) == order_words(b)
}
