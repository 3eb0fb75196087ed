//! A stage as small as can be: machines, deadlines and messages in the shard's order, and a
//! language to tell stories in.

use std::collections::{BTreeMap, BTreeSet};

use ach_actors_entities::{
    Anchor, AnchorInput, Arrival, Deadline, DeadlineKind, Door, DoorInput, DoorPassage, Effect,
    Health, MessageBody, Outbox, Site, Source, SourceInput, Subject, SubjectInput, Tag, TagInput,
    Turn, Verdict, Zone, ZoneInput,
};
use ach_actors_model::{
    AlarmNotice, AnchorRef, BadgeRef, Cause, DoorRef, EntityRef, Lane, Ping, SiteConfig, SourceRef,
    SubjectRef, TagId, TagRef, Timestamp, ZoneRef,
};
use ach_geo::{Floor, Position};

use crate::sleep::sleep;
use crate::telling::tell;

/// Stories begin here, so that times are not 0: Monday 12 January 2026, 00:00 UTC.
pub(crate) const START_NS: u64 = 1_768_176_000_000_000_000;

/// All machines of a site.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) site: Site,
    pub(crate) health: Health,
    pub(crate) now: Timestamp,
    pub(crate) notices: Vec<AlarmNotice>,
    tags: BTreeMap<TagRef, Tag>,
    subjects: BTreeMap<SubjectRef, Subject>,
    zones: BTreeMap<ZoneRef, Zone>,
    doors: BTreeMap<DoorRef, Door>,
    sources: BTreeMap<SourceRef, Source>,
    anchors: BTreeMap<AnchorRef, Anchor>,
    deadlines: BTreeSet<Deadline>,
    seq: u64,
    /// Whether tags and subjects are put to rest before every line.
    is_restful: bool,
    pub(crate) rest_count: u32,
    /// How many of the rests were as bytes.
    pub(crate) packed_count: u32,
}

impl World {
    pub(crate) fn new(config: &SiteConfig) -> World {
        let site = Site::compile(None, config).unwrap_or_else(|error| panic!("{error}"));
        World {
            site,
            health: Health::new(),
            now: Timestamp(START_NS),
            notices: Vec::new(),
            tags: BTreeMap::new(),
            subjects: BTreeMap::new(),
            zones: BTreeMap::new(),
            doors: BTreeMap::new(),
            sources: BTreeMap::new(),
            anchors: BTreeMap::new(),
            deadlines: BTreeSet::new(),
            seq: 0,
            is_restful: false,
            rest_count: 0,
            packed_count: 0,
        }
    }

    pub(crate) fn restful(config: &SiteConfig) -> World {
        World { is_restful: true, ..World::new(config) }
    }

    /// Plays a story: on each line a time in seconds, what happens, and after a bar what is told.
    #[track_caller]
    pub(crate) fn check(&mut self, story: &str) {
        for line in story.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (told, expected) = self.play_line(line);
            assert_eq!(told, expected, "in the line: {line}");
        }
    }

    /// Plays one line and returns what was told and what was expected.
    fn play_line(&mut self, line: &str) -> (String, String) {
        let (input, expected) = line.split_once('|').expect("a bar");
        let words: Vec<&str> = input.split_whitespace().collect();
        let told = self.play(&words);
        let expected: Vec<&str> = expected.split(',').map(str::trim).collect();
        (told.join(", "), expected.join(", "))
    }

    pub(crate) fn play(&mut self, words: &[&str]) -> Vec<String> {
        if self.is_restful {
            self.rest();
        }
        self.now = at(words[0]);
        let mut out = Outbox::default();
        if words[1] == "away" {
            self.health.resume(at(words[2]), self.now);
        }
        // As after a return at which more is due than one entry fires.
        let is_behind = words.contains(&"behind");
        if !is_behind {
            self.fire_due(&mut out);
        }
        let verdict = self.hear(&words[1..], &mut out);
        if is_behind {
            self.fire_due(&mut out);
        }
        let mut told: Vec<String> = Vec::new();
        for effect in &out.effects {
            if let Effect::Alarm(notice) = effect {
                self.notices.push(notice.clone());
            }
            // How a door stands is told besides what happened; the shard's stories are about that.
            if !matches!(effect, Effect::Door(_)) {
                told.push(tell(effect, &self.site));
            }
        }
        match verdict {
            Verdict::Accepted => {}
            other => told.push(format!("{other:?}").to_lowercase()),
        }
        if words[1] == "look" {
            told.push(self.blind());
        }
        told
    }

    /// Plays a story of which alarms alone are told.
    #[track_caller]
    pub(crate) fn check_alarms(&mut self, story: &str) {
        for line in story.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (told, expected) = self.play_line(line);
            let is_alarm = |word: &&str| word.starts_with("RAISED") || word.starts_with("CLEARED");
            let told: Vec<&str> = told.split(", ").filter(is_alarm).collect();
            assert_eq!(told.join(", "), expected, "in the line: {line}");
        }
    }

    /// Which zones are blind.
    fn blind(&self) -> String {
        let turn = Turn { site: &self.site, health: &self.health, now: self.now };
        let zones = (0..).map(ZoneRef).take(self.site.zone_ref_count());
        let blind = zones.filter(|&zone| turn.is_blind(zone));
        let names = blind.map(|zone| self.site.zone_name(zone).expect("a zone"));
        ["blind:"].into_iter().chain(names).collect::<Vec<_>>().join(" ")
    }

    /// Puts another version of the site in force and returns what was told.
    pub(crate) fn change(&mut self, config: &SiteConfig) -> Vec<String> {
        let site = Site::compile(Some(&self.site), config).expect("a sound site");
        let old = std::mem::replace(&mut self.site, site);
        let mut out = Outbox::default();
        let tags: Vec<_> = self.tags.keys().copied().collect();
        for tag in tags {
            self.step(EntityRef::Tag(tag), Call::Site(&old), &mut out);
        }
        let subjects: Vec<_> = self.subjects.keys().copied().collect();
        for subject in subjects {
            self.step(EntityRef::Subject(subject), Call::Site(&old), &mut out);
        }
        let zones: Vec<_> = self.zones.keys().copied().collect();
        for zone in zones {
            self.step(EntityRef::Zone(zone), Call::Site(&old), &mut out);
        }
        let doors: Vec<_> = self.doors.keys().copied().collect();
        for door in doors {
            self.step(EntityRef::Door(door), Call::Site(&old), &mut out);
        }
        let sources: Vec<_> = self.sources.keys().copied().collect();
        for source in sources {
            self.step(EntityRef::Source(source), Call::Site(&old), &mut out);
        }
        let anchors: Vec<_> = self.anchors.keys().copied().collect();
        for anchor in anchors {
            self.step(EntityRef::Anchor(anchor), Call::Site(&old), &mut out);
        }
        for effect in &out.effects {
            if let Effect::Alarm(notice) = effect {
                self.notices.push(notice.clone());
            }
        }
        let told = out.effects.iter().filter(|effect| !matches!(effect, Effect::Door(_)));
        told.map(|effect| tell(effect, &self.site)).collect()
    }

    /// Puts every tag and subject that can rest to rest and wakes it again: as bytes if it can, as
    /// the slab does, else in its other compact form.
    fn rest(&mut self) {
        for tag in self.tags.values_mut() {
            if let Some(woken) = sleep::<Tag>(tag, &mut self.packed_count) {
                assert_eq!(*tag, woken, "a tag must wake as it went to rest");
                *tag = woken;
                self.rest_count += 1;
            }
        }
        for subject in self.subjects.values_mut() {
            if let Some(woken) = sleep::<Subject>(subject, &mut self.packed_count) {
                // A safe box is not kept, so states may differ; what they come to rest as must not.
                *subject = woken;
                self.rest_count += 1;
            }
        }
    }

    fn fire_due(&mut self, out: &mut Outbox) {
        while let Some(first) = self.deadlines.first().copied() {
            if first.due_at > self.now {
                return;
            }
            self.deadlines.remove(&first);
            self.step(first.entity, Call::Due(first.kind, first.due_at), out);
        }
    }

    fn hear(&mut self, words: &[&str], out: &mut Outbox) -> Verdict {
        self.seq += 1;
        let option = |key: &str| words.iter().find_map(|word| word.strip_prefix(key));
        let source = site_source(&self.site, option("by=").unwrap_or("uwb"));
        let epoch = option("epoch=").map_or(1, |text| text.parse().expect("an epoch"));
        let (lane, seq) = (Lane::Ping, self.seq);
        let cause = Cause::Input { source, lane, epoch, seq };
        let observed_at = option("obs=").map_or(self.now, at);
        let arrival = Arrival { observed_at, received_at: self.now, cause };
        if words[0] == "clock" {
            let ms: i64 = words[1].parse().expect("milliseconds");
            let (offset_ns, received_at) = (ms * 1_000_000, self.now);
            let told = Call::Source(SourceInput::ClockCompared { offset_ns, received_at });
            return self.step(EntityRef::Source(source), told, out);
        }
        if !matches!(words[0], "tick" | "away" | "look") {
            let heard = Call::Source(SourceInput::Heard { received_at: self.now });
            self.step(EntityRef::Source(source), heard, out);
        }
        let site = &self.site;
        let tag = || site.tag(TagId(words[1].parse().expect("a tag"))).unwrap_or(TagRef(999));
        let door = || site.door(words[1]).unwrap_or(DoorRef(999));
        let (to, call) = match words[0] {
            "tick" | "away" | "look" => return Verdict::Accepted,
            "ping" => {
                let ping = ping(tag(), words, observed_at);
                (EntityRef::Tag(ping.tag), Call::Ping(ping, cause))
            }
            "press" => (EntityRef::Tag(tag()), Call::Tag(TagInput::ButtonPressed(arrival))),
            "reset" => (EntityRef::Tag(tag()), Call::Tag(TagInput::ButtonReset(arrival))),
            "cut" => (EntityRef::Tag(tag()), Call::Tag(TagInput::BandCut(arrival))),
            "whole" => (EntityRef::Tag(tag()), Call::Tag(TagInput::BandWhole(arrival))),
            "alive" | "lost" => {
                let anchor = site.anchor(words[1]).unwrap_or(AnchorRef(999));
                let input = match words[0] {
                    "alive" => AnchorInput::Alive(arrival),
                    _ => AnchorInput::Lost(arrival),
                };
                (EntityRef::Anchor(anchor), Call::Anchor(input))
            }
            "moves" => {
                let zone = site.zone(words[1]).unwrap_or(ZoneRef(999));
                (EntityRef::Zone(zone), Call::Zone(ZoneInput::MotionSeen(arrival)))
            }
            _ => {
                let badge = option("badge=").and_then(|badge| site.badge(badge));
                (EntityRef::Door(door()), Call::Door(door_input(words, arrival, badge)))
            }
        };
        self.step(to, call, out)
    }

    /// One step and all the messages it causes.
    fn step(&mut self, to: EntityRef, call: Call<'_>, out: &mut Outbox) -> Verdict {
        let verdict = self.step_one(to, call, out);
        while let Some(message) = out.messages.pop_front() {
            let cause = message.cause;
            let call = match message.body {
                MessageBody::Fix { fix, is_jump_confirmed } => {
                    Call::Fix(fix, is_jump_confirmed, cause)
                }
                MessageBody::Entered { subject, tag, at } => {
                    Call::Zone(ZoneInput::Entered { subject, tag, at, cause })
                }
                MessageBody::Exited { subject, tag, at } => {
                    Call::Zone(ZoneInput::Exited { subject, tag, at, cause })
                }
                MessageBody::Moved { subject } => Call::Moved(subject, cause),
                MessageBody::BadgeGranted { door, observed_at, received_at } => {
                    Call::Badge(door, Arrival { observed_at, received_at, cause })
                }
                MessageBody::AnchorLost { anchor } => Call::Zone(ZoneInput::AnchorLost(anchor)),
                MessageBody::AnchorFound { anchor } => Call::Zone(ZoneInput::AnchorFound(anchor)),
                MessageBody::PassedDoor { subject, since, fix, is_leftward } => {
                    Call::Passed(subject, since, fix, is_leftward, cause)
                }
                MessageBody::Escort { .. } | MessageBody::EscortSeen { .. } => {
                    panic!("nobody has leave in these stories")
                }
            };
            self.step_one(message.to, call, out);
        }
        verdict
    }

    fn step_one(&mut self, to: EntityRef, call: Call<'_>, out: &mut Outbox) -> Verdict {
        let turn = Turn { site: &self.site, health: &self.health, now: self.now };
        let verdict = match to {
            EntityRef::Tag(me) => {
                let input = match &call {
                    Call::Ping(ping, cause) => {
                        TagInput::Ping { ping, received_at: self.now, cause: *cause }
                    }
                    Call::Tag(input) => *input,
                    Call::Due(kind, due_at) => TagInput::Due { kind: *kind, due_at: *due_at },
                    Call::Site(old) => TagInput::SiteChanged { old },
                    other => panic!("{other:?} is not for a tag"),
                };
                self.tags.entry(me).or_default().step(me, input, &turn, out)
            }
            EntityRef::Subject(me) => {
                let input = subject_input(&call);
                self.subjects.entry(me).or_default().step(me, input, &turn, out);
                Verdict::Accepted
            }
            EntityRef::Zone(me) => {
                let input = match call {
                    Call::Zone(input) => input,
                    Call::Due(kind, due_at) => ZoneInput::Due { kind, due_at },
                    _ => ZoneInput::SiteChanged,
                };
                self.zones.entry(me).or_default().step(me, input, &turn, out);
                Verdict::Accepted
            }
            EntityRef::Door(me) => {
                let input = match call {
                    Call::Door(input) => input,
                    Call::Passed(subject, since, ref fix, is_leftward, cause) => {
                        let passage = DoorPassage { subject, since, fix, is_leftward, cause };
                        DoorInput::Passed(passage)
                    }
                    Call::Due(kind, due_at) => DoorInput::Due { kind, due_at },
                    Call::Site(old) => DoorInput::SiteChanged { old },
                    other => panic!("{other:?} is not for a door"),
                };
                self.doors.entry(me).or_default().step(me, input, &turn, out)
            }
            EntityRef::Source(me) => {
                let input = match call {
                    Call::Source(input) => input,
                    Call::Due(kind, due_at) => SourceInput::Due { kind, due_at },
                    _ => SourceInput::SiteChanged,
                };
                self.sources.entry(me).or_default().step(me, input, &turn, out);
                Verdict::Accepted
            }
            EntityRef::Anchor(me) => {
                let input = match call {
                    Call::Anchor(input) => input,
                    Call::Due(kind, due_at) => AnchorInput::Due { kind, due_at },
                    Call::Site(old) => AnchorInput::SiteChanged { old },
                    other => panic!("{other:?} is not for an anchor"),
                };
                self.anchors.entry(me).or_default().step(me, input, &turn, out)
            }
        };
        for change in out.health.drain(..) {
            self.health.apply(change);
        }
        self.deadlines.extend(out.deadlines.drain(..));
        verdict
    }

    pub(crate) fn subject(&self, id: &str) -> &Subject {
        &self.subjects[&self.site.subject(id).expect("a subject")]
    }

    pub(crate) fn tag(&self, id: u64) -> &Tag {
        &self.tags[&self.site.tag(TagId(id)).expect("a tag")]
    }

    pub(crate) fn deadline_count(&self) -> usize {
        self.deadlines.len()
    }
}

fn subject_input<'a>(call: &'a Call<'_>) -> SubjectInput<'a> {
    match call {
        Call::Fix(fix, is_jump_confirmed, cause) => {
            SubjectInput::Fix { fix, is_jump_confirmed: *is_jump_confirmed, cause: *cause }
        }
        Call::Due(kind, due_at) => SubjectInput::Due { kind: *kind, due_at: *due_at },
        Call::Site(old) => SubjectInput::SiteChanged { old },
        Call::Moved(other, cause) => SubjectInput::Moved { other: *other, cause: *cause },
        Call::Badge(door, arrival) => SubjectInput::BadgeGranted { door: *door, arrival: *arrival },
        other => panic!("{other:?} is not for a subject"),
    }
}

fn site_source(site: &Site, id: &str) -> SourceRef {
    site.source(id).expect("a feed")
}

/// What a machine is called with.
#[derive(Debug, Clone, Copy)]
enum Call<'a> {
    Ping(Ping, Cause),
    Fix(ach_actors_model::Fix, bool, Cause),
    Moved(SubjectRef, Cause),
    Passed(SubjectRef, Timestamp, ach_actors_model::Fix, bool, Cause),
    Badge(DoorRef, Arrival),
    Tag(TagInput<'a>),
    Zone(ZoneInput),
    Door(DoorInput<'a>),
    Anchor(AnchorInput<'a>),
    Source(SourceInput),
    Due(DeadlineKind, Timestamp),
    Site(&'a Site),
}

/// What a door reports: of its position, lock and leave, `pry` and `mend` of its housing, `prise` and
/// `refit` of its reader, `up` and `down` of its controller, `charge` of its battery.
fn door_input(words: &[&str], arrival: Arrival, badge: Option<BadgeRef>) -> DoorInput<'static> {
    let valid_ms = || words[2].parse().expect("milliseconds");
    match words[0] {
        "open" => DoorInput::Opened(arrival),
        "close" => DoorInput::Closed(arrival),
        "lock" => DoorInput::Locked(arrival),
        "unlock" => DoorInput::Unlocked(arrival),
        "grant" => DoorInput::AccessGranted { arrival, valid_ms: valid_ms(), badge },
        "rex" => DoorInput::ExitRequested { arrival, valid_ms: valid_ms() },
        "fire" => DoorInput::Fire { arrival, is_on: true },
        "pry" => DoorInput::Tampered(arrival),
        "mend" => DoorInput::Untampered(arrival),
        "prise" => DoorInput::ReaderTampered(arrival),
        "refit" => DoorInput::ReaderUntampered(arrival),
        "up" => DoorInput::Alive(arrival),
        "down" => DoorInput::Lost(arrival),
        "charge" => DoorInput::Battery { arrival, percent: words[2].parse().expect("percent") },
        other => panic!("unknown word {other}"),
    }
}

/// A moment of a story, in seconds or as `hh:mm[:ss]` of its first day.
pub(crate) fn at(word: &str) -> Timestamp {
    let seconds = match word.split_once(':') {
        None => word.parse::<f64>().expect("seconds"),
        Some((hours, rest)) => {
            let (minutes, seconds) = rest.split_once(':').unwrap_or((rest, "0"));
            let number = |text: &str| text.parse::<f64>().expect("a number");
            number(hours) * 3_600.0 + number(minutes) * 60.0 + number(seconds)
        }
    };
    let ms = format!("{:.0}", seconds * 1_000.0).parse::<u64>().expect("milliseconds");
    Timestamp(START_NS + ms * 1_000_000)
}

/// `ping TAG X,Y [fFLOOR|f?] [acc=MM] [obs=T] [bat=P]`, metres and storeys; floor 1 unless told.
fn ping(tag: TagRef, words: &[&str], observed_at: Timestamp) -> Ping {
    let option = |key: &str| words.iter().find_map(|word| word.strip_prefix(key));
    let (x, y) = words[2].split_once(',').expect("x,y");
    let mm = |text: &str| {
        let metres = text.parse::<f64>().expect("metres");
        format!("{:.0}", metres * 1_000.0).parse::<i32>().expect("millimetres")
    };
    let floor = match words.iter().find(|word| word.starts_with('f')) {
        None => Some(Floor(100)),
        Some(&"f?") => None,
        Some(word) => Some(Floor(word[1..].parse::<i16>().expect("a storey") * 100)),
    };
    Ping {
        tag,
        seq_offset: 0,
        observed_at,
        position: Position { x_mm: mm(x), y_mm: mm(y), z_mm: None, floor },
        accuracy_mm: option("acc=").map_or(0, |text| text.parse().expect("mm")),
        battery_percent: option("bat=").map(|text| text.parse().expect("percent")),
    }
}
