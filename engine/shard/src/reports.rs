//! Doors, buttons, bands, anchors and motion detectors: one report is one input.

use ach_actors_entities::{Arrival, SourceInput, Verdict};
use ach_actors_model::{Cause, EntityRef, Lane, Report, ReportKind, SourceRef, Timestamp};

use crate::call::Call;
use crate::lanes::Admission;
use crate::quarantine::Origin;
use crate::shard::Shard;
use crate::stage::Scene;
use crate::tally::count;

impl Shard {
    pub(crate) fn report(&mut self, report: &Report, now: Timestamp) {
        let Report { source, lane, epoch, seq, .. } = *report;
        let cause = Cause::Input { source, lane, epoch, seq };
        let origin = Origin { cause, received_at: report.received_at.min(now) };
        let admission = if lane == lane_of(report.kind) {
            self.lanes.admit(source, lane, epoch, (seq, seq))
        } else {
            Admission::Refused
        };
        let verdict = match (self.site.clone(), admission) {
            (Some(site), Admission::New { .. }) => {
                self.lanes.advance(source, lane, seq);
                self.hear(source, Scene { site: &site, now }, origin);
                self.decide_report(report, Scene { site: &site, now }, origin)
            }
            (Some(site), Admission::Seen) => {
                self.hear(source, Scene { site: &site, now }, origin);
                Verdict::Duplicate
            }
            (None, _) | (_, Admission::Refused) => Verdict::Refused,
        };
        let state = self.lanes.state(source, lane);
        let row = self.tally.row(source, lane, epoch);
        if state.epoch == epoch {
            row.through_seq = state.accepted_through;
        }
        count(row, verdict);
    }

    /// Tells a feed how far its clock is off. It has no number and is nobody's sign of life.
    pub(crate) fn compare_clock(
        &mut self,
        source: SourceRef,
        offset_ns: i64,
        received_at: Timestamp,
        now: Timestamp,
    ) {
        let Some(site) = self.site.clone() else { return };
        let received_at = received_at.min(now);
        self.tell_clock(source, (offset_ns, received_at), Scene { site: &site, now });
    }

    /// Tells a feed how its clock was found; one that is set aside, or fails in this, is told when
    /// it is released.
    pub(crate) fn tell_clock(
        &mut self,
        source: SourceRef,
        found: (i64, Timestamp),
        scene: Scene<'_>,
    ) {
        let (offset_ns, received_at) = found;
        let told = SourceInput::ClockCompared { offset_ns, received_at };
        let origin = Origin { cause: Cause::SiteChange, received_at: scene.now };
        self.play(scene, Call::Source(source, told), origin);
        self.quarantine.hold_clock(source, found);
    }

    fn decide_report(&mut self, report: &Report, scene: Scene<'_>, origin: Origin) -> Verdict {
        if owner_of(report.kind, scene) != Some(report.source) {
            return Verdict::Refused;
        }
        let Origin { cause, received_at } = origin;
        let arrival = Arrival { observed_at: report.observed_at, received_at, cause };
        let call = Call::report(report, arrival);
        let to = call.to();
        let verdict = self.play(scene, call, origin);
        match report.kind {
            ReportKind::FireOn { door } => self.hear_fire(door, true, arrival.happened_at(), scene),
            ReportKind::FireOver { door } => {
                self.hear_fire(door, false, arrival.happened_at(), scene);
            }
            _ => {}
        }
        if self.stage.actors.is_set_aside(to) {
            self.raise_unheard(report, scene, origin);
        }
        verdict
    }

    /// Tells a feed that it was heard: now, because shard time never goes back, while a batch that
    /// was journaled late may have been received before another.
    pub(crate) fn hear(&mut self, source: SourceRef, scene: Scene<'_>, origin: Origin) {
        if !self.stage.actors.is_set_aside(EntityRef::Source(source)) {
            let received_at = scene.now;
            self.play(scene, Call::Source(source, SourceInput::Heard { received_at }), origin);
        }
    }
}

/// The lane a kind of report belongs to.
fn lane_of(kind: ReportKind) -> Lane {
    match kind {
        ReportKind::ButtonPressed { .. }
        | ReportKind::ButtonReset { .. }
        | ReportKind::BandCut { .. }
        | ReportKind::BandWhole { .. } => Lane::Duress,
        ReportKind::DoorOpened { .. }
        | ReportKind::DoorClosed { .. }
        | ReportKind::DoorLocked { .. }
        | ReportKind::DoorUnlocked { .. }
        | ReportKind::AccessGranted { .. }
        | ReportKind::ExitRequested { .. }
        | ReportKind::AnchorAlive { .. }
        | ReportKind::AnchorLost { .. }
        | ReportKind::DoorTampered { .. }
        | ReportKind::DoorUntampered { .. }
        | ReportKind::ReaderTampered { .. }
        | ReportKind::ReaderUntampered { .. }
        | ReportKind::DoorAlive { .. }
        | ReportKind::DoorLost { .. }
        | ReportKind::DoorBattery { .. }
        | ReportKind::OrderDone { .. }
        | ReportKind::OrderRefused { .. }
        | ReportKind::FireOn { .. }
        | ReportKind::FireOver { .. }
        | ReportKind::LocalOverride { .. }
        | ReportKind::MotionSeen { .. } => Lane::Door,
    }
}

/// The feed that may report it.
fn owner_of(kind: ReportKind, scene: Scene<'_>) -> Option<SourceRef> {
    match kind {
        ReportKind::ButtonPressed { tag }
        | ReportKind::ButtonReset { tag }
        | ReportKind::BandCut { tag }
        | ReportKind::BandWhole { tag } => scene.site.tag_source(tag),
        ReportKind::DoorOpened { door }
        | ReportKind::DoorClosed { door }
        | ReportKind::DoorLocked { door }
        | ReportKind::DoorUnlocked { door }
        | ReportKind::AccessGranted { door, .. }
        | ReportKind::ExitRequested { door, .. }
        | ReportKind::DoorTampered { door }
        | ReportKind::DoorUntampered { door }
        | ReportKind::ReaderTampered { door }
        | ReportKind::ReaderUntampered { door }
        | ReportKind::DoorAlive { door }
        | ReportKind::DoorLost { door }
        | ReportKind::DoorBattery { door, .. }
        | ReportKind::OrderDone { door, .. }
        | ReportKind::OrderRefused { door, .. }
        | ReportKind::FireOn { door }
        | ReportKind::FireOver { door }
        | ReportKind::LocalOverride { door, .. } => scene.site.door_source(door),
        ReportKind::AnchorAlive { anchor } | ReportKind::AnchorLost { anchor } => {
            scene.site.anchor_source(anchor)
        }
        ReportKind::MotionSeen { zone } => scene.site.motion_source(zone),
    }
}
