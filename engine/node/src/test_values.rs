//! Values that several tests need.

use std::sync::Arc;

use ach_actors_entities::Site;
use ach_actors_model::{
    AlarmId, AlarmKind, AlarmNotice, AlarmPriority, AlarmTransition, Cause, Lane, Name, Place,
    SiteConfig, SourceRef, Timestamp, UtcOffset,
};

/// A site with nothing in it.
pub(crate) fn site() -> Arc<Site> {
    Arc::new(Site::compile(None, &empty_site("st-anna")).unwrap())
}

/// The configuration of a site with nothing in it.
pub(crate) fn empty_site(name: &str) -> SiteConfig {
    SiteConfig {
        site: Name::new(name).unwrap(),
        version: 1,
        utc_offsets: vec![UtcOffset { from: Timestamp(0), offset_s: 0 }],
        speed_limits: Vec::new(),
        sources: Vec::new(),
        anchors: Vec::new(),
        zones: Vec::new(),
        doors: Vec::new(),
        lines: Vec::new(),
        subjects: Vec::new(),
        tags: Vec::new(),
        rules: Vec::new(),
        largest_gap_ns: 2_000_000_000,
    }
}

/// A raised alarm with this id.
pub(crate) fn notice(id: u128) -> AlarmNotice {
    AlarmNotice {
        id: AlarmId(id),
        transition: AlarmTransition::Raised,
        reason: None,
        kind: AlarmKind::Duress,
        priority: AlarmPriority::High,
        rule: None,
        site_version: 1,
        episode: 0,
        subject: None,
        tag: None,
        place: Place::Site,
        is_tentative: false,
        is_late: false,
        cause: Cause::Input { source: SourceRef(0), lane: Lane::Duress, epoch: 1, seq: 1 },
        observed_at: Timestamp(0),
        received_at: Timestamp(0),
        changed_at: Timestamp(0),
        position: None,
        accuracy_mm: 0,
        gates_passed: 0,
    }
}
