//! Stories, one happening a line, as entries.
//!
//! ```text
//! 12.5 anna at 3,4              a ping; further words: floor=1 floor=? acc=2 battery=15 seen=11
//! 13 anna presses               or resets, is-cut, is-whole
//! 14 door exit opens            or closes, locks, unlocks, grants=5, asks=5, burns, burns-no-more, key=unlocked,
//!                               does and refuses (what it was told last)
//! 15 anchor a1 lost             or alive
//! 15 zone lobby moves           a detector sees something
//! 16 tick
//! 17 clock ahead=600            the clock of feed rtls, in milliseconds; or behind
//! 90 away since=20              the node is back after an outage
//! 91 release tag=0              or hold; tag, subject, zone, door, source, anchor
//! 92 site no-wander             another version of the site, see `edit`
//! 93 epoch                      feed rtls begins a new epoch
//! ```
//!
//! Times are seconds since midnight, places metres, durations seconds. Lines that begin with `&`
//! belong to the entry of the line before and happen at its time.

use ach_actors_entities::Site;
use ach_actors_model::{
    AnchorRef, BadgeRef, Command, CommandKind, DoorMode, DoorRef, EntityRef, Lane, NS_PER_MS,
    NS_PER_S, NodeTrouble, Ping, PingBatch, Report, ReportKind, SiteConfig, SourceRef, SubjectRef,
    TagRef, Timestamp, ZoneRef,
};
use ach_geo::{Floor, Position};

use super::hospital::{DRUGS, MONDAY, SUBJECTS, hospital, name};
use super::play::run;
use crate::{Entry, Input, LOGIC_VERSION};

/// Which of the subjects sam is, in the config.
const SAM: u32 = 3;

/// A site numbers its things by their ids.
pub(crate) const DOORS: SourceRef = SourceRef(0);
pub(crate) const RTLS: SourceRef = SourceRef(1);

/// Makes entries of lines.
pub(crate) struct Script {
    pub(crate) entries: Vec<Entry>,
    config: SiteConfig,
    epoch: u32,
    ping_seq: u64,
    duress_seq: u64,
    door_seq: u64,
}

/// Seconds with up to three decimals, as nanoseconds since midnight.
fn moment(text: &str) -> Timestamp {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let whole: u64 = whole.parse().unwrap_or_else(|_| panic!("no time: {text}"));
    let ms: u64 = format!("{part:0<3}").parse().expect("three decimals");
    MONDAY.plus_ns(whole * NS_PER_S + ms * NS_PER_MS)
}

fn metres(text: &str) -> i32 {
    let metres: f64 = text.parse().expect("metres");
    format!("{:.0}", metres * 1_000.0).parse().expect("millimetres")
}

fn option<'a>(words: &[&'a str], key: &str) -> Option<&'a str> {
    words.iter().find_map(|word| word.strip_prefix(key)?.strip_prefix('='))
}

impl Script {
    /// A day that begins with the hospital's first version and both feeds in epoch 1.
    pub(crate) fn new(config: SiteConfig) -> Script {
        let mut script = Script {
            entries: vec![],
            config: config.clone(),
            epoch: 1,
            ping_seq: 0,
            duress_seq: 0,
            door_seq: 0,
        };
        script.push(MONDAY, Input::SiteChange(Box::new(config)));
        script.add(Input::OpenEpoch { source: RTLS, epoch: 1 });
        script.add(Input::OpenEpoch { source: DOORS, epoch: 1 });
        script
    }

    /// The hospital's day, as told.
    pub(crate) fn told(lines: &str) -> Script {
        let mut script = Script::new(hospital());
        script.tell(lines);
        script
    }

    pub(crate) fn tell(&mut self, lines: &str) {
        for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let mut words: Vec<&str> = line.split_whitespace().collect();
            let first = words.remove(0);
            let at = if first == "&" { self.now() } else { moment(first) };
            let input = self.input(at, &words);
            if first == "&" {
                self.add(input);
            } else {
                self.push(at, input);
            }
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.entries.last().expect("the first entry").at
    }

    /// Adds an input to the last entry.
    pub(crate) fn add(&mut self, input: Input) {
        self.entries.last_mut().expect("the first entry").inputs.push(input);
    }

    /// Adds an entry.
    pub(crate) fn push(&mut self, at: Timestamp, input: Input) {
        let index = self.entries.last().map_or(1, |entry| entry.index + 1);
        let site_version = if index == 1 { 0 } else { self.version_in_force() };
        let logic_version = LOGIC_VERSION;
        let inputs = vec![input];
        self.entries.push(Entry {
            index,
            at,
            site_version,
            logic_version,
            inputs,
            effects_hash: 0,
        });
    }

    /// Adds an entry with another version of the site, so many seconds after midnight.
    pub(crate) fn push_site(&mut self, second: u64, config: SiteConfig) {
        self.config = config.clone();
        self.push(MONDAY.plus_ns(second * NS_PER_S), Input::SiteChange(Box::new(config)));
    }

    /// A broken site does not come into force, so the next one takes its version.
    fn version_in_force(&self) -> u32 {
        let changes = self.entries.iter().flat_map(|entry| &entry.inputs);
        let mut versions = changes.rev().filter_map(|input| match input {
            Input::SiteChange(config) if Site::compile(None, config).is_ok() => {
                Some(config.version)
            }
            _ => None,
        });
        versions.next().unwrap_or(0)
    }

    fn input(&mut self, at: Timestamp, words: &[&str]) -> Input {
        match words {
            ["tick"] => Input::Tick,
            ["clock", offset] => {
                let (way, ms) = offset.split_once('=').expect("ahead or behind");
                let ns = ms.parse::<i64>().expect("milliseconds") * 1_000_000;
                let offset_ns = if way == "ahead" { ns } else { -ns };
                Input::ClockCompared { source: RTLS, offset_ns, received_at: at }
            }
            ["away", since] => {
                let since = since.strip_prefix("since=").expect("since");
                Input::Resumed { away_since: moment(since) }
            }
            ["epoch"] => {
                self.epoch += 1;
                (self.ping_seq, self.duress_seq) = (0, 0);
                Input::OpenEpoch { source: RTLS, epoch: self.epoch }
            }
            ["site", edit_name] => self.site_change(edit_name),
            ["selftest", verb] => {
                let kind = match *verb {
                    "begin" => CommandKind::BeginSelftest,
                    _ => CommandKind::EndSelftest,
                };
                Input::Command(Command { by: name("operator"), kind })
            }
            ["trouble", what, is_on] => {
                let trouble = match *what {
                    "audit" => NodeTrouble::AuditLog,
                    "clock" => NodeTrouble::Clock,
                    _ => NodeTrouble::Selftest,
                };
                let kind = CommandKind::NodeTrouble { trouble, is_on: *is_on == "on" };
                Input::Command(Command { by: name("node-1"), kind })
            }
            [verb @ ("release" | "hold"), actor] => {
                let actor = entity(actor);
                let kind = match *verb {
                    "release" => CommandKind::ReleaseActor(actor),
                    _ => CommandKind::QuarantineActor(actor),
                };
                Input::Command(Command { by: name("operator"), kind })
            }
            ["door", door, verb, more @ ..] => self.door(at, door, verb, more),
            ["anchor", _, verb, ..] => {
                let anchor = AnchorRef(0);
                let kind = match *verb {
                    "lost" => ReportKind::AnchorLost { anchor },
                    _ => ReportKind::AnchorAlive { anchor },
                };
                self.door_seq += 1;
                Input::Report(report(RTLS, Lane::Door, self.epoch, self.door_seq, at, kind))
            }
            ["zone", zone, "moves"] => {
                let mut ids: Vec<_> = self.config.zones.iter().map(|it| it.id.as_str()).collect();
                ids.sort_unstable();
                let place = ids.iter().position(|id| id == zone).expect("a zone");
                let zone = ZoneRef(u32::try_from(place).expect("few"));
                self.door_seq += 1;
                let kind = ReportKind::MotionSeen { zone };
                Input::Report(report(DOORS, Lane::Door, 1, self.door_seq, at, kind))
            }
            [who, "at", place, more @ ..] => self.ping(at, who, place, more),
            [who, verb, more @ ..] => self.button(at, who, verb, more),
            _ => panic!("no happening: {words:?}"),
        }
    }

    /// The next version of the site; a broken one is not built upon.
    pub(crate) fn site_change(&mut self, edit_name: &str) -> Input {
        let mut config = self.config.clone();
        edit(&mut config, edit_name);
        config.version += 1;
        if edit_name != "broken" {
            self.config = config.clone();
        }
        Input::SiteChange(Box::new(config))
    }

    fn ping(&mut self, at: Timestamp, who: &str, place: &str, more: &[&str]) -> Input {
        let (x, y) = place.split_once(',').expect("x,y");
        let floor = match option(more, "floor") {
            None => Some(Floor(0)),
            Some("?") => None,
            Some(floor) => Some(Floor(floor.parse::<i16>().expect("floor") * 100)),
        };
        self.ping_seq += 1;
        let ping = Ping {
            tag: tag_of(who),
            seq_offset: 0,
            observed_at: option(more, "seen").map_or(at, moment),
            position: Position { x_mm: metres(x), y_mm: metres(y), z_mm: None, floor },
            accuracy_mm: option(more, "acc").map_or(0, |acc| metres(acc).unsigned_abs()),
            battery_percent: option(more, "battery").map(|percent| percent.parse().expect("%")),
        };
        Input::Pings(batch(self.epoch, self.ping_seq, at, vec![ping]))
    }

    fn button(&mut self, at: Timestamp, who: &str, verb: &str, more: &[&str]) -> Input {
        let tag = tag_of(who);
        let kind = match verb {
            "presses" => ReportKind::ButtonPressed { tag },
            "resets" => ReportKind::ButtonReset { tag },
            "is-cut" => ReportKind::BandCut { tag },
            "is-whole" => ReportKind::BandWhole { tag },
            _ => panic!("no such verb: {verb}"),
        };
        self.duress_seq += 1;
        let mut report = report(RTLS, Lane::Duress, self.epoch, self.duress_seq, at, kind);
        report.observed_at = option(more, "seen").map_or(at, moment);
        Input::Report(report)
    }

    /// The press of a tag's button.
    pub(crate) fn button_of(&mut self, tag: TagRef, at: Timestamp) -> Input {
        self.duress_seq += 1;
        let kind = ReportKind::ButtonPressed { tag };
        Input::Report(report(RTLS, Lane::Duress, self.epoch, self.duress_seq, at, kind))
    }

    /// The number of what a door was told last.
    fn order_of(&self, door: DoorRef) -> u64 {
        let standings = run(&self.entries, |_| {}).shard.door_standings();
        let standing = standings.iter().find(|standing| standing.door == door);
        standing.and_then(|standing| standing.order).map_or(1, |order| order.number)
    }

    fn door(&mut self, at: Timestamp, door: &str, verb: &str, more: &[&str]) -> Input {
        let door = DoorRef(u32::from(door == "hatch"));
        let (verb, valid) = verb.split_once('=').unwrap_or((verb, "0"));
        let valid_ms = valid.parse::<u32>().unwrap_or_default() * 1_000;
        let kind = match verb {
            "opens" => ReportKind::DoorOpened { door },
            "closes" => ReportKind::DoorClosed { door },
            "locks" => ReportKind::DoorLocked { door },
            "unlocks" => ReportKind::DoorUnlocked { door },
            "grants" => {
                let badge = more.contains(&"card-1").then_some(BadgeRef(0));
                ReportKind::AccessGranted { door, valid_ms, badge }
            }
            "asks" => ReportKind::ExitRequested { door, valid_ms },
            "is-pried" => ReportKind::DoorTampered { door },
            "is-mended" => ReportKind::DoorUntampered { door },
            "lives" => ReportKind::DoorAlive { door },
            "is-lost" => ReportKind::DoorLost { door },
            "has" => ReportKind::DoorBattery { door, percent: valid.parse().expect("percent") },
            "burns" => ReportKind::FireOn { door },
            "burns-no-more" => ReportKind::FireOver { door },
            "key" => {
                let turned = match valid {
                    "unlocked" => Some(DoorMode::Unlocked),
                    "locked" => Some(DoorMode::Locked),
                    _ => None,
                };
                ReportKind::LocalOverride { door, mode: turned }
            }
            "does" if valid.starts_with("late") => ReportKind::OrderDone { door, number: at.0 + 9 },
            "does" => ReportKind::OrderDone { door, number: self.order_of(door) },
            "refuses" => ReportKind::OrderRefused { door, number: self.order_of(door) },
            _ => panic!("no such verb: {verb}"),
        };
        self.door_seq += 1;
        let mut report = report(DOORS, Lane::Door, 1, self.door_seq, at, kind);
        report.observed_at = option(more, "seen").map_or(at, moment);
        Input::Report(report)
    }
}

/// Consecutive pings of feed rtls, none refused or conflated.
pub(crate) fn batch(epoch: u32, first_seq: u64, at: Timestamp, pings: Vec<Ping>) -> PingBatch {
    let last_seq = first_seq - 1 + u64::try_from(pings.len()).expect("few");
    PingBatch {
        source: RTLS,
        epoch,
        first_seq,
        last_seq,
        received_at: at,
        conflated_count: 0,
        refused_count: 0,
        pings,
    }
}

pub(crate) fn report(
    source: SourceRef,
    lane: Lane,
    epoch: u32,
    seq: u64,
    at: Timestamp,
    kind: ReportKind,
) -> Report {
    Report { source, lane, epoch, seq, observed_at: at, received_at: at, kind }
}

pub(crate) fn tag_of(who: &str) -> TagRef {
    let at = SUBJECTS.iter().position(|&(id, ..)| id == who);
    TagRef(u32::try_from(at.unwrap_or_else(|| panic!("no such subject: {who}"))).expect("few"))
}

fn entity(text: &str) -> EntityRef {
    let (kind, number) = text.split_once('=').expect("kind=number");
    let number = number.parse().expect("a number");
    match kind {
        "tag" => EntityRef::Tag(TagRef(number)),
        "subject" => EntityRef::Subject(SubjectRef(number)),
        "zone" => EntityRef::Zone(ZoneRef(number)),
        "door" => EntityRef::Door(DoorRef(number)),
        "source" => EntityRef::Source(SourceRef(number)),
        "anchor" => EntityRef::Anchor(AnchorRef(number)),
        _ => panic!("no such actor: {text}"),
    }
}

/// Changes of the site that stories speak of.
fn edit(config: &mut SiteConfig, edit_name: &str) {
    match edit_name {
        "same" => {}
        "no-wander" => config.rules.retain(|rule| rule.id.as_str() != "wander"),
        "wander-low" => {
            for rule in &mut config.rules {
                if rule.id.as_str() == "wander" {
                    rule.priority = ach_actors_model::AlarmPriority::Low;
                }
            }
        }
        "rtls-sees-drugs" => config.sources[0].zones = vec![DRUGS],
        "no-anna-tag" => {
            config.tags.remove(0);
        }
        "no-sam-tag" => config.tags.retain(|tag| tag.subject != Some(SAM)),
        "anna-tag-on-sam" => config.tags[0].subject = Some(SAM),
        "tags-back" => config.tags = hospital().tags,
        "broken" => config.tags.push(config.tags[1].clone()),
        _ => panic!("no such edit: {edit_name}"),
    }
}
