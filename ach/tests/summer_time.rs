//! Rules with times of day across the changes to and from summer time: from the words of `rules.toml`
//! through the compiled site to the shard that raises and clears.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may stop at the first surprise"
)]

use std::fs;

use ach_actors_entities::Effect;
use ach_actors_model::{
    AlarmKind, AlarmTransition, Ping, PingBatch, SiteConfig, SourceRef, TagRef, Timestamp,
};
use ach_engine_shard::{Entry, Input, LOGIC_VERSION, Shard};
use ach_engine_site::{SiteDirectory, write_example};
use ach_geo::{Floor, Position};

/// Within the example's store.
const IN_STORE: Position =
    Position { x_mm: 15_000, y_mm: 2_500, z_mm: None, floor: Some(Floor(0)) };

/// The example, with its rule about the store at other times and without limits of silence.
fn site(time_zone: &str, when: &str) -> SiteConfig {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    write_example(root).unwrap();
    let edit = |file: &str, from: &str, to: &str| {
        let text = fs::read_to_string(root.join(file)).unwrap();
        assert!(text.contains(from), "{file} has no {from}");
        fs::write(root.join(file), text.replacen(from, to, 1)).unwrap();
    };
    edit("site.toml", "Europe/Berlin", time_zone);
    edit("site.toml", "silence = \"30 s\"", "");
    edit("floors/ground.geojson", ", \"silence\": \"1 min\"", "");
    edit("rules.toml", "{ from = \"20:00\", to = \"06:00\" }", when);
    let reading = SiteDirectory::read(root).unwrap_or_else(|findings| panic!("{findings}"));
    reading.directory.config(1).unwrap()
}

fn moment(utc: &str) -> Timestamp {
    let moment: jiff::Timestamp = format!("{utc}:00Z").parse().unwrap();
    Timestamp(u64::try_from(moment.as_nanosecond()).unwrap())
}

/// A shard that is stepped whenever something is due.
struct Clockwork {
    shard: Shard,
    told: Vec<String>,
}

impl Clockwork {
    fn step(&mut self, at: Timestamp, inputs: Vec<Input>) {
        let entry = Entry {
            index: self.shard.entry_index() + 1,
            at,
            site_version: self.shard.site().map_or(0, |site| site.version()),
            logic_version: LOGIC_VERSION,
            inputs,
            effects_hash: 0,
        };
        let mut effects = Vec::new();
        self.shard.step(&entry, &mut effects);
        for effect in effects {
            // The feed falls silent as well; what is asked here is the rule with the hours.
            let Effect::Alarm(notice) = effect else { continue };
            if notice.kind != AlarmKind::UnauthorisedEntry {
                continue;
            }
            let word = match notice.transition {
                AlarmTransition::Raised => "raised",
                AlarmTransition::Cleared => "cleared",
                other => panic!("{other:?}"),
            };
            let at = jiff::Timestamp::from_nanosecond(notice.changed_at.0.into()).unwrap();
            self.told.push(format!("{} {word}", at.strftime("%m-%d %H:%M")));
        }
    }

    fn until(&mut self, end: Timestamp) {
        while let Some(due) = self.shard.next_due().filter(|due| *due <= end) {
            self.step(due, vec![Input::Tick]);
        }
    }
}

/// A visitor stands in the store from `from` until `until` (UTC) without a further ping. Expects
/// when the alarm is raised and cleared, in UTC.
#[track_caller]
fn check(time_zone: &str, when: &str, (from, until): (&str, &str), expected: &[&str]) {
    let config = site(time_zone, when);
    let visitor = config.subjects.iter().position(|it| it.id.as_str() == "visitor-001").unwrap();
    let visitor = u32::try_from(visitor).unwrap();
    let tag_id = config.tags.iter().find(|tag| tag.subject == Some(visitor)).unwrap().id;
    let mut clockwork = Clockwork { shard: Shard::new(), told: Vec::new() };
    let from = moment(from);
    clockwork.step(from, vec![Input::SiteChange(Box::new(config))]);
    let site = clockwork.shard.site().unwrap().clone();
    let tag: TagRef = site.tag(tag_id).expect("the visitor's tag");
    let source: SourceRef = site.source("rtls").expect("the feed");
    clockwork.step(from, vec![Input::OpenEpoch { source, epoch: 1 }]);
    for number in 1..=3 {
        let at = from.plus_ns(number * 1_000_000_000);
        let ping = Ping {
            tag,
            seq_offset: 0,
            observed_at: at,
            position: IN_STORE,
            accuracy_mm: 100,
            battery_percent: None,
        };
        let batch = PingBatch {
            source,
            epoch: 1,
            first_seq: number,
            last_seq: number,
            received_at: at,
            conflated_count: 0,
            refused_count: 0,
            pings: vec![ping],
        };
        clockwork.step(at, vec![Input::Pings(batch)]);
    }
    clockwork.until(moment(until));
    assert_eq!(clockwork.told, expected, "{time_zone}, {when}");
}

const NIGHT: &str = "{ from = \"22:00\", to = \"05:00\" }";
const HALF_PAST_TWO: &str = "{ from = \"02:30\", to = \"02:45\" }";

/// Summer time begins on 29 March 2026 at 01:00 UTC: the night has six hours.
#[test]
fn the_night_to_summer_time_is_an_hour_short() {
    let expected = ["03-28 21:00 raised", "03-29 03:00 cleared", "03-29 20:00 raised"];
    check("Europe/Berlin", NIGHT, ("2026-03-28T12:00", "2026-03-29T23:00"), &expected);
}

/// It ends on 25 October 2026 at 01:00 UTC: the night has eight hours.
#[test]
fn the_night_to_winter_time_is_an_hour_long() {
    let expected = ["10-24 20:00 raised", "10-25 04:00 cleared", "10-25 21:00 raised"];
    check("Europe/Berlin", NIGHT, ("2026-10-24T12:00", "2026-10-25T23:00"), &expected);
}

/// On 29 March there is no half past two; the day before and after there is one.
#[test]
fn a_time_that_does_not_exist_raises_nothing() {
    let expected =
        ["03-28 01:30 raised", "03-28 01:45 cleared", "03-30 00:30 raised", "03-30 00:45 cleared"];
    check("Europe/Berlin", HALF_PAST_TWO, ("2026-03-28T00:00", "2026-03-30T12:00"), &expected);
}

/// On 25 October it comes twice, an hour apart.
#[test]
fn a_time_that_exists_twice_raises_twice() {
    let expected = [
        "10-25 00:30 raised",
        "10-25 00:45 cleared",
        "10-25 01:30 raised",
        "10-25 01:45 cleared",
        "10-26 01:30 raised",
        "10-26 01:45 cleared",
    ];
    check("Europe/Berlin", HALF_PAST_TWO, ("2026-10-24T12:00", "2026-10-26T12:00"), &expected);
}

/// Days are local days: Sunday begins in Auckland when it is Saturday noon in Greenwich, and on 5
/// April 2026 it has 25 hours there.
#[test]
fn a_day_of_the_week_is_a_local_day() {
    let expected = ["04-04 11:00 raised", "04-05 12:00 cleared"];
    let when = "{ days = [\"sun\"] }";
    check("Pacific/Auckland", when, ("2026-04-03T00:00", "2026-04-06T12:00"), &expected);
}
