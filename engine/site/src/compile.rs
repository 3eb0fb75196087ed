//! Turns a site directory into the configuration that is journaled: ids, indexes, geometry.

use ach_actors_model::{
    AnchorConfig, AnswerConfig, BadgeConfig, Condition, DoorConfig, LineConfig, RuleConfig,
    SiteConfig, SourceConfig, SubjectConfig, TagConfig, Who, ZoneConfig,
};

use crate::catalogue::Catalogue;
use crate::control_plan::Grounds;
use crate::{
    ResponsePlan, RulePlan, SiteDirectory, SubjectPlan, What, WhoPlan, control_plan, feed_silence,
    holiday_plan, response_plan, utc_offsets,
};

/// Compiles a site that has passed its check.
pub(crate) fn compile(directory: &SiteDirectory, version: u32) -> SiteConfig {
    let catalogue = Catalogue::new(directory);
    let floors = || directory.floors.iter();
    let subjects = || directory.subjects();
    let mut config = SiteConfig {
        site: directory.id.clone(),
        version,
        utc_offsets: utc_offsets::of(&directory.time_zone).unwrap_or_default(),
        speed_limits: directory.speed_limits.clone(),
        sources: sources(directory, &catalogue),
        anchors: anchors(directory, &catalogue),
        zones: zones(directory, &catalogue),
        doors: doors(directory, &catalogue),
        lines: floors()
            .flat_map(|plan| {
                plan.lines.iter().map(|line| LineConfig {
                    id: line.id.clone(),
                    labels: line.labels.clone(),
                    floor: plan.floor,
                    points_mm: line.points_mm.clone(),
                })
            })
            .collect(),
        subjects: subjects()
            .map(|subject| SubjectConfig {
                id: subject.id.clone(),
                class: subject.class,
                labels: subject.labels.clone(),
            })
            .collect(),
        tags: tags(directory, &catalogue),
        rules: compile_rules(directory, &catalogue),
        largest_gap_ns: directory.largest_gap_ns,
        holidays: holiday_plan::days_of(&directory.holidays),
        badges: badges(directory),
    };
    feed_silence::fill(&mut config);
    config
}

/// The rules of a site, by the places and people it has.
pub(crate) fn compile_rules(
    directory: &SiteDirectory,
    catalogue: &Catalogue<'_>,
) -> Vec<RuleConfig> {
    let rules = directory.rules.iter();
    rules.map(|rule| compile_rule(rule, &directory.responses, catalogue)).collect()
}

/// Feeds with the zones they name. That one which names none may see all is for the shard to know.
fn sources(directory: &SiteDirectory, catalogue: &Catalogue<'_>) -> Vec<SourceConfig> {
    let feeds = directory.feeds.iter();
    feeds
        .map(|feed| SourceConfig {
            id: feed.id.clone(),
            silence_ns: feed.silence_ns,
            zones: catalogue.zones.select(&feed.zones, &[]),
        })
        .collect()
}

fn zones(directory: &SiteDirectory, catalogue: &Catalogue<'_>) -> Vec<ZoneConfig> {
    let mut zones = Vec::new();
    for plan in &directory.floors {
        for zone in &plan.zones {
            zones.push(ZoneConfig {
                id: zone.id.clone(),
                labels: zone.labels.clone(),
                floor: (!zone.is_on_every_floor).then_some(plan.floor),
                outline: zone.outline.clone(),
                height: zone.height,
                capacity: zone.capacity,
                motion_source: zone.motion_feed.as_ref().and_then(|it| catalogue.feeds.index(it)),
                gates: zone.gates.unwrap_or(directory.gates),
            });
        }
    }
    zones
}

fn doors(directory: &SiteDirectory, catalogue: &Catalogue<'_>) -> Vec<DoorConfig> {
    let grounds = Grounds::new(directory);
    let mut doors = Vec::new();
    for plan in &directory.floors {
        for door in &plan.doors {
            doors.push(DoorConfig {
                id: door.id.clone(),
                labels: door.labels.clone(),
                source: door.feed.as_ref().and_then(|feed| catalogue.feeds.index(feed)),
                floor: plan.floor,
                sill_mm: door.sill_mm,
                control: control_plan::of_door(door, plan.floor, directory, &grounds),
            });
        }
    }
    doors
}

fn anchors(directory: &SiteDirectory, catalogue: &Catalogue<'_>) -> Vec<AnchorConfig> {
    let plans = directory.floors.iter().flat_map(|plan| &plan.anchors);
    plans
        .filter_map(|anchor| {
            Some(AnchorConfig {
                id: anchor.id.clone(),
                source: catalogue.feeds.index(&anchor.feed)?,
                zones: catalogue.zones.select(&anchor.zones, &[]),
                silence_ns: anchor.silence_ns,
            })
        })
        .collect()
}

/// Tags on subjects in the order of subjects, then spare ones in the order of feeds.
fn tags(directory: &SiteDirectory, catalogue: &Catalogue<'_>) -> Vec<TagConfig> {
    let on_subject = |(number, subject): (u32, &SubjectPlan)| -> Vec<TagConfig> {
        let tags = subject.tags.iter().filter_map(|tag| {
            let source = catalogue.feeds.index(&tag.feed)?;
            Some(TagConfig { id: tag.id, source, subject: Some(number) })
        });
        tags.collect()
    };
    let mut tags: Vec<TagConfig> = (0..).zip(directory.subjects()).flat_map(on_subject).collect();
    for (source, feed) in (0..).zip(&directory.feeds) {
        let spare = feed.spare_tags.iter();
        tags.extend(spare.map(|&id| TagConfig { id, source, subject: None }));
    }
    tags
}

/// Badges in the order of their holders.
fn badges(directory: &SiteDirectory) -> Vec<BadgeConfig> {
    let of_one = |(number, subject): (u32, &SubjectPlan)| -> Vec<BadgeConfig> {
        let badges = subject.badges.iter();
        badges.map(|badge| BadgeConfig { id: badge.clone(), subject: number }).collect()
    };
    (0..).zip(directory.subjects()).flat_map(of_one).collect()
}

fn compile_rule(
    rule: &RulePlan,
    responses: &[ResponsePlan],
    catalogue: &Catalogue<'_>,
) -> RuleConfig {
    let zones = catalogue.zones_of(&rule.place);
    let doors = || catalogue.doors_of(&rule.place);
    let others = || compile_who(&rule.others_meant().unwrap_or_default(), catalogue);
    let condition = match rule.what {
        What::Inside => Condition::Inside { zones },
        What::Leaves => Condition::Leaves { zones, lines: catalogue.lines_of(&rule.place) },
        What::Stays { after_ns } => Condition::Stays { zones, after_ns },
        What::TagSilent { after_ns } => Condition::TagSilent { after_ns },
        What::BatteryLow { percent } => Condition::BatteryLow { percent },
        What::BandCut => Condition::BandCut,
        What::TagsContradict => Condition::TagsContradict,
        What::ButtonPressed => Condition::ButtonPressed,
        What::OverCapacity => Condition::OverCapacity { zones },
        What::DoorForced => Condition::DoorForced { doors: doors() },
        What::DoorHeld { after_ns, also_unlocked } => {
            Condition::DoorHeld { doors: doors(), after_ns, also_unlocked }
        }
        What::DoorTampered => Condition::DoorTampered { doors: doors() },
        What::ReaderTampered => Condition::ReaderTampered { doors: doors() },
        What::DoorLost { after_ns } => Condition::DoorLost { doors: doors(), after_ns },
        What::DoorBatteryLow { percent } => Condition::DoorBatteryLow { doors: doors(), percent },
        What::DoorNotFollowing { after_ns } => {
            Condition::DoorNotFollowing { doors: doors(), after_ns }
        }
        What::Away { after_ns } => Condition::Away { zones, after_ns },
        What::Alone { after_ns } => Condition::Alone { zones, with: others(), after_ns },
        What::Meets { within_mm, apart_mm, after_ns } => {
            Condition::Meets { zones, whom: others(), within_mm, apart_mm, after_ns }
        }
        What::Tailgating => {
            let with = rule.others_meant().map(|with| compile_who(&with, catalogue));
            Condition::Tailgating { doors: doors(), with }
        }
        What::BadgeElsewhere { within_mm } => {
            Condition::BadgeElsewhere { doors: doors(), within_mm }
        }
        What::Motion { after_ns } => Condition::Motion { zones, with: others(), after_ns },
    };
    RuleConfig {
        id: rule.id.clone(),
        who: compile_who(&rule.who, catalogue),
        when: rule.when.clone(),
        condition,
        alarm: rule.alarm,
        priority: rule.priority,
        gates: rule.gates,
        is_tentative: rule.is_tentative,
        answer: AnswerConfig {
            responses: response_plan::compiled(&rule.responses, responses, catalogue),
            ..rule.answer.clone()
        },
    }
}

fn compile_who(who: &WhoPlan, catalogue: &Catalogue<'_>) -> Who {
    Who {
        classes: who.classes.clone(),
        labels_any: who.labels.clone(),
        labels_none: who.not_labels.clone(),
        subjects: catalogue.subjects.select(&who.subjects, &[]),
    }
}
