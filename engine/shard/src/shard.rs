//! The shard: what it may be asked.

use std::sync::Arc;

use ach_actors_entities::{Deadline, Effect, Site};
use ach_actors_model::{
    AlarmNotice, Cause, Event, EventKind, Fix, Lane, SiteConfig, SourceRef, SubjectRef, TagRef,
    Timestamp, ZoneRef,
};

use crate::board::{Board, OpenNotice};
use crate::call::Call;
use crate::digest::Digest;
use crate::door_desk::DoorDesk;
use crate::lanes::{LaneState, Lanes};
use crate::passes::Passes;
use crate::quarantine::{Origin, Quarantine};
use crate::stage::{Scene, Stage};
use crate::status::{ShardStatus, Totals};
use crate::sweep::Sweep;
use crate::tally::Tally;
use crate::{Entry, Input};

/// The logic this build decides by.
pub const LOGIC_VERSION: u16 = 1;

/// Deadlines one entry fires, and messages they cause, together: about a millisecond of work, which
/// is what a duress call may have to wait for. After a change of the site, or an outage, those of
/// all tags are due at one moment; what is left over is due still, and fires with the next entry.
/// The last one that fires may cause more: a thousand messages, if it is an anchor's that is lost.
const FIRED_STEP_COUNT_MAX: u64 = 1_024;

/// A set of actors with one order.
///
/// A function of its entries: it reads no clock, draws no random number and does no I/O.
#[derive(Debug)]
pub struct Shard {
    pub(crate) site: Option<Arc<Site>>,
    pub(crate) stage: Stage,
    pub(crate) lanes: Lanes,
    pub(crate) quarantine: Quarantine,
    pub(crate) tally: Tally,
    pub(crate) set_aside_input_count: u64,
    pub(crate) board: Board,
    pub(crate) door_desk: DoorDesk,
    pub(crate) passes: Passes,
    pub(crate) totals: Totals,
    digest: Digest,
    pub(crate) sweep: Sweep,
    pub(crate) entry_index: u64,
    pub(crate) entry_at: Timestamp,
    pub(crate) logic_version: u16,
    pub(crate) is_in_checkpoint: bool,
}

impl Shard {
    /// A shard that has heard nothing.
    pub fn new() -> Shard {
        Shard {
            site: None,
            stage: Stage::new(),
            lanes: Lanes::default(),
            quarantine: Quarantine::default(),
            tally: Tally::default(),
            set_aside_input_count: 0,
            board: Board::default(),
            door_desk: DoorDesk::default(),
            passes: Passes::default(),
            totals: Totals::default(),
            digest: Digest::default(),
            sweep: Sweep::default(),
            entry_index: 0,
            entry_at: Timestamp(0),
            logic_version: 0,
            is_in_checkpoint: false,
        }
    }

    /// Decides one entry, appends its effects, and returns their hash.
    ///
    /// First an outage that the entry tells of is noted, then deadlines that are due by the
    /// entry's time fire, ordered by moment, entity and kind, then the inputs are decided in order.
    ///
    /// # Panics
    ///
    /// If the entry is not the next one: its index, time, site version or logic version do not
    /// follow. A shard that went on would differ from its replicas. A panic inside an actor is
    /// caught and sets that actor aside.
    pub fn step(&mut self, entry: &Entry, effects: &mut Vec<Effect>) -> u64 {
        let before = self.entry_at;
        self.begin(entry);
        let is_resumed = |input: &Input| match *input {
            Input::Resumed { away_since } => Some(away_since),
            _ => None,
        };
        if let Some(away_since) = entry.inputs.iter().find_map(is_resumed) {
            // Nobody was away before the last thing that was decided.
            self.stage.health.resume(away_since.max(before).min(entry.at), entry.at);
        }
        self.fire_due(entry.at);
        self.tend_doors(entry.at);
        self.take_in();
        self.call_anew(entry.at);
        for (place, input) in (0..).zip(&entry.inputs) {
            self.hear_input(place, input, entry.at);
            self.take_in();
        }
        self.tell_doors(entry.at);
        self.take_in();
        self.board.taken_count = 0;
        self.tally.finish(&mut self.stage.out.effects, &mut self.totals);
        let effects_hash = self.digest.of(&self.stage.out.effects);
        self.stage.finish(effects);
        self.sweep.step(&mut self.stage.actors, entry.at);
        effects_hash
    }

    fn begin(&mut self, entry: &Entry) {
        assert_eq!(entry.index, self.entry_index + 1, "entries follow each other without a gap");
        assert!(entry.at >= self.entry_at, "shard time never goes back");
        assert_eq!(entry.site_version, self.site_version(), "the entry was made under this site");
        assert!(
            (self.logic_version..=LOGIC_VERSION).contains(&entry.logic_version),
            "this build knows logic versions up to {LOGIC_VERSION}, and they never go back"
        );
        self.entry_index = entry.index;
        self.entry_at = entry.at;
        if entry.logic_version > self.logic_version {
            self.logic_version = entry.logic_version;
            if let Some(site) = self.site.clone() {
                self.release_all(Scene { site: &site, now: entry.at });
            }
        }
    }

    fn fire_due(&mut self, now: Timestamp) {
        let Some(site) = self.site.clone() else { return };
        let scene = Scene { site: &site, now };
        let delivered_before = self.stage.delivered_count;
        let mut fired_count = 0;
        while fired_count + (self.stage.delivered_count - delivered_before) < FIRED_STEP_COUNT_MAX {
            let Some((due_at, (entity, kind))) = self.stage.deadlines.pop_due(now.0) else {
                return;
            };
            fired_count += 1;
            self.fire(Deadline { due_at: Timestamp(due_at), entity, kind }, scene);
        }
    }

    fn fire(&mut self, deadline: Deadline, scene: Scene<'_>) {
        let due_at = deadline.due_at;
        if !self.stage.actors.is_set_aside(deadline.entity) {
            let origin = Origin { cause: Cause::Deadline { due_at }, received_at: due_at };
            self.play(scene, Call::due(deadline), origin);
        }
        // Set aside before, or in this very turn: it will be called once it is released.
        self.quarantine.hold(deadline);
    }

    fn hear_input(&mut self, place: u32, input: &Input, now: Timestamp) {
        match input {
            Input::Pings(batch) => self.pings(batch, now),
            Input::Report(report) => self.report(report, now),
            Input::Command(command) => {
                if let Some(site) = self.site.clone() {
                    self.obey(place, command, Scene { site: &site, now });
                }
            }
            Input::SiteChange(config) => self.change_site(config, now),
            Input::OpenEpoch { source, epoch } => {
                if self.lanes.open(*source, *epoch) {
                    let (source, epoch) = (*source, *epoch);
                    self.stage.tell(Effect::EpochOpened { source, epoch });
                }
            }
            &Input::ClockCompared { source, offset_ns, received_at } => {
                self.compare_clock(source, offset_ns, received_at, now);
            }
            Input::Resumed { .. } | Input::Tick => {}
        }
    }

    fn change_site(&mut self, config: &SiteConfig, now: Timestamp) {
        let old = self.site.clone();
        let is_newer = config.version > self.site_version();
        let compiled = if is_newer { Site::compile(old.as_deref(), config).ok() } else { None };
        let Some(site) = compiled.map(Arc::new) else {
            self.stage.tell(Effect::SiteRefused { version: config.version });
            return;
        };
        // Every actor is about to be touched: a copy of each would double the memory in one turn.
        self.end_checkpoint();
        self.stage.actors.seat(&site);
        self.lanes.seat((0..).map(SourceRef).take(site.source_ref_count()).map(|source| {
            let name = site.source_name(source);
            name.and_then(|name| site.source(name)) == Some(source)
        }));
        self.site = Some(Arc::clone(&site));
        let version = site.version();
        self.stage.tell(Effect::Event(Event { at: now, kind: EventKind::SiteChanged { version } }));
        if let Some(old) = old {
            let scene = Scene { site: &site, now };
            for actor in self.stage.actors.all() {
                self.tell_site_change(actor, &old, scene);
            }
            self.release_gone(scene);
            // Its rules may ask something else of people.
            self.board.quiets.look_again();
        }
        self.change_door_site(Scene { site: &site, now });
        self.stage.tell(Effect::SiteInForce { version });
    }

    pub(crate) fn site_version(&self) -> u32 {
        self.site.as_ref().map_or(0, |site| site.version())
    }

    /// When the next deadline is due, if any.
    pub fn next_due(&mut self) -> Option<Timestamp> {
        let of_actors = self.stage.deadlines.next_due().map(Timestamp);
        [of_actors, self.next_call(), self.next_door_due()].into_iter().flatten().min()
    }

    /// Whether a deadline is due by `now`: then an entry is to be made, if only of a tick.
    pub fn is_due(&mut self, now: Timestamp) -> bool {
        self.next_due().is_some_and(|due_at| due_at <= now)
    }

    /// The site in force.
    pub fn site(&self) -> Option<&Arc<Site>> {
        self.site.as_ref()
    }

    /// The logic that decided the last entry; 0 before the first.
    pub fn logic_version(&self) -> u16 {
        self.logic_version
    }

    /// Index of the last entry; 0 before the first.
    pub fn entry_index(&self) -> u64 {
        self.entry_index
    }

    /// Shard time of the last entry.
    pub fn entry_at(&self) -> Timestamp {
        self.entry_at
    }

    /// How far a source has come on a lane.
    pub fn lane_state(&self, source: SourceRef, lane: Lane) -> LaneState {
        self.lanes.state(source, lane)
    }

    /// The tag's latest fix.
    pub fn fix(&self, tag: TagRef) -> Option<Fix> {
        self.stage.actors.tags.get(tag.0)?.state().fix(tag)
    }

    /// Who is in a zone, ascending.
    pub fn occupants(&self, zone: ZoneRef) -> Vec<SubjectRef> {
        let zone = self.stage.actors.zones.get(zone.0).map(|zone| zone.state());
        zone.map(|zone| zone.occupants().to_vec()).unwrap_or_default()
    }

    /// Alarms of which something is still to be waited for, with their latest notice, by id.
    pub fn open_alarms(&self) -> Vec<AlarmNotice> {
        self.board.open().map(|open| open.notice.clone()).collect()
    }

    /// The same, with where each latest notice was told.
    pub fn open_notices(&self) -> impl Iterator<Item = &OpenNotice> {
        self.board.open()
    }

    /// What the shard has counted.
    pub fn status(&self) -> ShardStatus {
        let cells = self.stage.actors.counts();
        ShardStatus {
            entry_index: self.entry_index,
            entry_at: self.entry_at,
            site_version: self.site_version(),
            pings: self.totals.pings,
            reports: self.totals.reports,
            set_aside_input_count: self.set_aside_input_count,
            set_aside_message_count: self.stage.dropped_count,
            alarms_raised: self.board.raised_by_kind().clone(),
            alarm_open_count: self.board.open_count(),
            quiet_count: self.board.quiets.count(),
            emergency_count: self.door_desk.declared().count(),
            fire_count: self.door_desk.fire_count(),
            door_words_dropped_count: self.door_desk.responses.dropped_count,
            pass_count: self.passes().count(),
            quarantined: self.quarantine.actors().collect(),
            hot_cell_count: cells.hot,
            cold_cell_count: cells.cold,
            reserved_bytes: cells.reserved_bytes + self.stage.deadlines.reserved_bytes(),
            deadline_count: self.stage.deadlines.len(),
        }
    }
}

impl Default for Shard {
    fn default() -> Shard {
        Shard::new()
    }
}
