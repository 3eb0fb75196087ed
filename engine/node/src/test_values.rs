//! Values that several tests need.

use std::sync::Arc;

use ach_actors_entities::Site;
use ach_actors_model::{
    AlarmId, AlarmKind, AlarmNotice, AlarmPriority, AlarmState, Cause, Lane, Name, Ping,
    SiteConfig, SourceRef, TagRef, Timestamp, UtcOffset,
};
use ach_geo::Position;

use crate::recent::NOBODYS;

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
        holidays: Vec::new(),
        badges: Vec::new(),
    }
}

/// A raised alarm with this id.
pub(crate) fn notice(id: u128) -> AlarmNotice {
    AlarmNotice {
        id: AlarmId(id),
        kind: AlarmKind::Duress,
        priority: AlarmPriority::High,
        site_version: 1,
        cause: Cause::Input { source: SourceRef(0), lane: Lane::Duress, epoch: 1, seq: 1 },
        state: AlarmState::ACTIVE.with(AlarmState::RETAINED),
        ..NOBODYS
    }
}

/// A ping of a tag.
pub(crate) fn ping(tag: u32, observed_at: u64) -> Ping {
    Ping {
        tag: TagRef(tag),
        seq_offset: 0,
        observed_at: Timestamp(observed_at),
        position: Position { x_mm: 0, y_mm: 0, z_mm: None, floor: None },
        accuracy_mm: 0,
        battery_percent: None,
    }
}
