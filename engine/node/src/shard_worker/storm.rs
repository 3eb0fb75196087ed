//! Ten thousand alarms at once, and somebody who needs help in the middle of them.

use std::collections::{BTreeMap, BTreeSet};

use ach_actors_model::{
    AlarmId, AlarmKind, AlarmNotice, AlarmPriority, AlarmTransition, AnswerConfig, Condition,
    DoorConfig, DoorRef, Lane, Name, Report, ReportKind, RuleConfig, SiteConfig, SourceConfig,
    SourceRef, SubjectClass, SubjectConfig, TagConfig, TagId, TagRef, Who, ZoneConfig,
};
use ach_geo::{Floor, Gates, Outline};

use super::tests::{Rig, rig_of};
use super::*;
use crate::test_values::empty_site;

const ROOMS: u32 = 100;
const DOORS_A_ROOM: u32 = 100;
const DOORS: u32 = ROOMS * DOORS_A_ROOM;

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

/// A hundred rooms in a row, each 20 m wide, a hundred doors in each; every door may be forced, and a nurse has a button.
fn site() -> SiteConfig {
    let mut site = empty_site("st-anna");
    site.sources = vec![SourceConfig { id: name("uwb"), silence_ns: None, zones: vec![] }];
    site.subjects =
        vec![SubjectConfig { id: name("nurse"), class: SubjectClass::Staff, labels: Vec::new() }];
    site.tags = vec![TagConfig { id: TagId(1), source: 0, subject: Some(0) }];
    for room in 0..ROOMS {
        let west = i32::try_from(room).unwrap() * 30_000;
        site.zones.push(ZoneConfig {
            id: name(&format!("room-{room:03}")),
            labels: vec![],
            floor: Some(Floor(0)),
            outline: Outline::Polygon {
                outer_mm: vec![
                    (west, 0),
                    (west + 20_000, 0),
                    (west + 20_000, 200_000),
                    (west, 200_000),
                ],
                holes_mm: vec![],
            },
            height: None,
            capacity: None,
            motion_source: None,
            gates: Gates::default(),
        });
        for door in 0..DOORS_A_ROOM {
            let y_mm = 1_000 + i32::try_from(door).unwrap() * 1_500;
            site.doors.push(DoorConfig {
                id: name(&format!("door-{:05}", room * DOORS_A_ROOM + door)),
                labels: vec![],
                source: Some(0),
                floor: Floor(0),
                sill_mm: ((west + 10_000, y_mm), (west + 11_000, y_mm)),
                control: None,
            });
        }
    }
    let doors = (0..DOORS).collect();
    site.rules = vec![
        rule("forced", Condition::DoorForced { doors }, AlarmKind::DoorForced),
        rule("duress", Condition::ButtonPressed, AlarmKind::Duress),
    ];
    site
}

fn rule(id: &str, condition: Condition, alarm: AlarmKind) -> RuleConfig {
    RuleConfig {
        id: name(id),
        who: Who::default(),
        when: Vec::new(),
        condition,
        alarm,
        priority: AlarmPriority::High,
        gates: None,
        is_tentative: false,
        answer: AnswerConfig::default(),
    }
}

impl Rig {
    async fn force(&self, door: u32) {
        let now = self.clock.now();
        let report = Report {
            source: SourceRef(0),
            lane: Lane::Door,
            epoch: 1,
            seq: u64::from(door) + 1,
            observed_at: now,
            received_at: now,
            kind: ReportKind::DoorOpened { door: DoorRef(door) },
        };
        self.lanes.send(Lane::Door, Input::Report(report)).await.unwrap();
    }

    fn raised(&self) -> Vec<AlarmNotice> {
        let told = std::iter::from_fn(|| self.outlet.pop());
        let raised = told.filter_map(|outbound| match outbound {
            Outbound::Effect { effect: Effect::Alarm(notice), .. } => Some(notice),
            _ => None,
        });
        raised.filter(|notice| notice.transition == AlarmTransition::Raised).collect()
    }
}

/// All of it within one second of shard time.
#[tokio::test]
async fn a_storm_is_told_whole_in_incidents_and_a_duress_call_overtakes_what_waits() {
    let mut rig = rig_of(site());
    rig.open_epoch().await;
    let mut told: Vec<AlarmNotice> = Vec::new();
    let mut is_pressed = false;
    for door in 0..DOORS {
        while rig.lanes.is_door_lane_full() {
            rig.worker.turn();
            told.extend(rig.raised());
        }
        rig.force(door).await;
        if door >= DOORS / 2 && rig.lanes.is_door_lane_full() && !is_pressed {
            is_pressed = true;
            rig.press(1).await;
            let told_before = told.len();
            rig.worker.turn();
            let next = rig.raised();
            assert_eq!(next[0].kind, AlarmKind::Duress, "before every door that waits");
            assert!(told_before > 0 && !rig.lanes.is_empty(), "in the middle of the storm");
            told.extend(next);
        }
    }
    assert!(is_pressed, "the storm came faster than it was decided");
    while rig.worker.turn() != Turned::Idle {
        told.extend(rig.raised());
    }
    assert_eq!(told.len(), 10_001, "every one is raised and told");
    let ids: BTreeSet<AlarmId> = told.iter().map(|notice| notice.id).collect();
    assert_eq!(ids.len(), told.len(), "and is an alarm of its own");
    assert_eq!(rig.worker.shard().status().alarm_open_count, told.len(), "and open");
    let mut incidents: BTreeMap<AlarmId, u32> = BTreeMap::new();
    for notice in &told {
        let mark = notice.incident.unwrap();
        let count = incidents.entry(mark.id).or_default();
        *count += 1;
        assert_eq!(mark.place, *count, "counted in the order in which they are told");
        assert_eq!(notice.changed_at, told[0].changed_at, "in one moment");
    }
    // One a room, and the call for help by itself.
    assert_eq!(incidents.len(), 101, "{incidents:?}");
    let mut counts: Vec<u32> = incidents.into_values().collect();
    counts.sort_unstable();
    assert_eq!((counts[0], counts[1], counts[100]), (1, DOORS_A_ROOM, DOORS_A_ROOM));
    let call = told.iter().find(|notice| notice.kind == AlarmKind::Duress).unwrap();
    assert_eq!(call.tag, Some(TagRef(0)));
}
