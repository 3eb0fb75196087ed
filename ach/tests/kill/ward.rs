//! The site: a corridor that ends in a vault where visitors may not be, and nurses with buttons.
//!
//! Millimetres: the corridor is 0..20,000 by 0..50,000, the vault 20,000..40,000 by 0..50,000.

use ach_actors_model::{
    AlarmKind, AlarmPriority, AnswerConfig, Name, SpeedLimit, SubjectClass, TagId,
};
use ach_engine_site::{
    FeedPlan, FloorPlan, PersonalName, RulePlan, SiteDirectory, SubjectPlan, TagPlan, What,
    WherePlan, WhoPlan, ZoneKind, ZonePlan,
};
use ach_geo::{Floor, Gates, Outline};

/// The one feed.
pub(crate) const FEED: &str = "uwb";
/// The one storey.
pub(crate) const FLOOR: Floor = Floor(0);
/// Who walks.
pub(crate) const WALKERS: u32 = 40;
/// Who has a button.
pub(crate) const NURSES: u32 = 6;
/// Whoever is east of this is in the vault.
pub(crate) const VAULT_WEST_MM: i32 = 20_000;
/// The rule against entering the vault.
pub(crate) const NO_ENTRY: &str = "no-entry";
/// The rule of the buttons.
pub(crate) const DURESS: &str = "duress";

/// What walks and buttons are called.
pub(crate) fn walker(number: u32) -> String {
    format!("walker-{number:02}")
}

pub(crate) fn nurse(number: u32) -> String {
    format!("nurse-{number:02}")
}

pub(crate) fn walker_tag(number: u32) -> TagId {
    TagId(0x1000 + u64::from(number))
}

pub(crate) fn nurse_tag(number: u32) -> TagId {
    TagId(0x2000 + u64::from(number))
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn zone(id: &str, kind: ZoneKind, west_mm: i32, east_mm: i32) -> ZonePlan {
    ZonePlan {
        id: name(id),
        name: id.to_owned(),
        kind,
        labels: Vec::new(),
        is_on_every_floor: false,
        outline: Outline::Polygon {
            outer_mm: vec![(west_mm, 0), (east_mm, 0), (east_mm, 50_000), (west_mm, 50_000)],
            holes_mm: Vec::new(),
        },
        height: None,
        capacity: None,
        motion_feed: None,
        gates: Some(Gates::default()),
    }
}

fn subject(id: &str, class: SubjectClass, tag: TagId) -> SubjectPlan {
    SubjectPlan {
        id: name(id),
        name: PersonalName(id.to_owned()),
        class,
        labels: Vec::new(),
        tags: vec![TagPlan { id: tag, feed: name(FEED) }],
        badges: Vec::new(),
    }
}

fn rule(id: &str, class: SubjectClass, place: WherePlan, what: What) -> RulePlan {
    let alarm = match what {
        What::ButtonPressed => AlarmKind::Duress,
        _ => AlarmKind::UnauthorisedEntry,
    };
    RulePlan {
        id: name(id),
        name: id.to_owned(),
        who: WhoPlan { classes: vec![class], ..WhoPlan::default() },
        place,
        when: Vec::new(),
        what,
        alarm,
        priority: AlarmPriority::High,
        gates: None,
        is_tentative: false,
        answer: AnswerConfig::default(),
        others: None,
        responses: Vec::new(),
    }
}

/// The site directory.
pub(crate) fn directory() -> SiteDirectory {
    let mut site = SiteDirectory::new(name("st-anna"), "St Anna", "UTC");
    // A walk is quick, so that there are many episodes: no step of it must look like a jump.
    let classes =
        [SubjectClass::Patient, SubjectClass::Staff, SubjectClass::Visitor, SubjectClass::Asset];
    site.speed_limits = classes.map(|class| SpeedLimit { class, mm_per_s: 100_000 }).to_vec();
    site.feeds.push(FeedPlan {
        id: name(FEED),
        name: FEED.to_owned(),
        silence_ns: None,
        zones: Vec::new(),
        spare_tags: Vec::new(),
    });
    site.floors.push(FloorPlan {
        id: name("ground"),
        name: "Ground".to_owned(),
        floor: FLOOR,
        zones: vec![
            zone("corridor", ZoneKind::Corridor, 0, VAULT_WEST_MM),
            zone("vault", ZoneKind::Room, VAULT_WEST_MM, 40_000),
        ],
        doors: Vec::new(),
        lines: Vec::new(),
        anchors: Vec::new(),
    });
    let walkers = (0..WALKERS)
        .map(|number| subject(&walker(number), SubjectClass::Visitor, walker_tag(number)));
    let nurses =
        (0..NURSES).map(|number| subject(&nurse(number), SubjectClass::Staff, nurse_tag(number)));
    site.people = walkers.chain(nurses).collect();
    let vault = WherePlan { zones: vec![name("vault")], ..WherePlan::default() };
    site.rules = vec![
        rule(NO_ENTRY, SubjectClass::Visitor, vault, What::Inside),
        rule(DURESS, SubjectClass::Staff, WherePlan::default(), What::ButtonPressed),
    ];
    let findings = site.check();
    assert!(!findings.has_errors(), "{findings}");
    site
}
