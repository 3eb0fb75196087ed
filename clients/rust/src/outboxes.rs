//! Everything a publisher keeps: its lanes' inputs, its handles, and what writes them to disk.

use ach_actors_model::{Lane, Timestamp};
use ach_engine_wire::{
    Ack, InternItem, LaneResume, LaneWelcome, Refusal, ReportWord, Welcome, WirePing, WireReport,
};

use crate::newest_pings::NewestPings;
use crate::spool::{Kept, KeptInput, KeptRecord, Spool};
use crate::{
    Handles, LaneOutbox, LaneProgress, OutboxError, Ping, PublishError, PublisherOptions, Report,
};

/// A report that waits; it gets its sequence number when it is sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PendingReport {
    pub(crate) handle: u32,
    pub(crate) observed_at: Timestamp,
    pub(crate) word: ReportWord,
    /// The badge of a grant.
    pub(crate) badge: Option<u32>,
}

impl PendingReport {
    pub(crate) fn wire(&self, seq: u64) -> WireReport {
        let PendingReport { handle, observed_at, word, badge } = *self;
        WireReport { seq, observed_at, handle, badge, word }
    }

    /// Whether the node knows all it names, of so many handles.
    pub(crate) fn is_known(&self, confirmed_count: u32) -> bool {
        self.handle < confirmed_count && self.badge.is_none_or(|badge| badge < confirmed_count)
    }
}

/// Why a connection cannot be begun with what the node says in its welcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BeginError {
    /// A node has forgotten what it had said was durable.
    NodeIsBehind {
        /// On this lane.
        lane: Lane,
    },
    /// More things have handles than the node takes.
    TooManyHandles,
}

/// What became of pings that were to be published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct TakenPings {
    /// How many of them, from the first on.
    pub(crate) count: usize,
    /// The greatest of their tickets.
    pub(crate) last_number: u64,
    /// Whether any of them, or what it was to take the place of, gave way.
    pub(crate) has_conflated: bool,
    /// Whether there is more to send than before, and the node takes it.
    pub(crate) has_work: bool,
}

impl TakenPings {
    /// And of those that follow.
    pub(crate) fn add(&mut self, more: &TakenPings) {
        self.count += more.count;
        self.last_number = self.last_number.max(more.last_number);
        self.has_conflated |= more.has_conflated;
        self.has_work |= more.has_work;
    }
}

/// Everything that waits, by lane.
#[derive(Debug)]
pub(crate) struct Outboxes {
    pub(crate) duress: LaneOutbox<PendingReport>,
    pub(crate) door: LaneOutbox<PendingReport>,
    pub(crate) ping: LaneOutbox<WirePing>,
    pub(crate) handles: Handles,
    newest: NewestPings,
    may_conflate: bool,
    /// Why nothing more is taken, if so.
    pub(crate) closed: Option<PublishError>,
    spool: Option<Spool>,
}

impl Outboxes {
    /// Outboxes with what was kept, if anything was.
    pub(crate) fn new(options: PublisherOptions, kept: Option<(Spool, Kept)>) -> Outboxes {
        let mut outboxes = Outboxes {
            duress: LaneOutbox::new(options.reports_max),
            door: LaneOutbox::new(options.reports_max),
            ping: LaneOutbox::new(options.pings_max),
            handles: Handles::default(),
            newest: NewestPings::default(),
            may_conflate: options.may_conflate,
            closed: None,
            spool: None,
        };
        if let Some((spool, kept)) = kept {
            outboxes.restore(kept);
            outboxes.spool = Some(spool);
        }
        outboxes
    }

    fn restore(&mut self, kept: Kept) {
        let [duress, door, ping] = &kept.lanes;
        self.duress.restore(kept.epoch, duress.base, duress.durable_through, duress.first);
        self.duress.restore_taken(duress.taken_through);
        self.door.restore(kept.epoch, door.base, door.durable_through, door.first);
        self.door.restore_taken(door.taken_through);
        self.ping.restore(kept.epoch, ping.base, ping.durable_through, ping.first);
        self.ping.restore_taken(ping.taken_through);
        let [duress, door, ping] = kept.lanes;
        for input in duress.inputs.into_iter().chain(door.inputs).chain(ping.inputs) {
            let KeptInput { item, record } = input;
            // No more things have been kept than could be named before.
            let Some(handle) = self.handles.handle(&item) else { continue };
            match record {
                KeptRecord::Ping(ping) => self.ping.push_kept(ping.with_handle(handle)),
                KeptRecord::Report { observed_at, word, badge } => {
                    let badge =
                        badge.and_then(|badge| self.handles.handle(&InternItem::Badge(badge)));
                    let pending = PendingReport { handle, observed_at, word, badge };
                    self.reports(word.lane()).push_kept(pending);
                }
            }
        }
    }

    fn reports(&mut self, lane: Lane) -> &mut LaneOutbox<PendingReport> {
        if lane == Lane::Duress { &mut self.duress } else { &mut self.door }
    }

    /// Takes as many pings as there is room for, or as may take the place of older ones.
    pub(crate) fn publish_pings(&mut self, pings: &[Ping]) -> Result<TakenPings, PublishError> {
        self.check_open()?;
        let mut taken = TakenPings::default();
        let before = self.ping.progress();
        for ping in pings {
            match self.publish_ping(ping) {
                Ok(number) => {
                    taken.last_number = taken.last_number.max(number);
                    taken.count += 1;
                }
                // What was taken is told; the reason comes with the next call.
                Err(error) if taken.count == 0 => return Err(error),
                Err(_) => break,
            }
        }
        let after = self.ping.progress();
        taken.has_conflated = after.gave_way_count > before.gave_way_count;
        let has_added = after.published_through > before.published_through;
        taken.has_work = has_added && self.ping.has_sendable();
        Ok(taken)
    }

    fn publish_ping(&mut self, ping: &Ping) -> Result<u64, PublishError> {
        if self.ping.room() == 0 {
            let full = PublishError::Full { capacity: self.ping.capacity() };
            return self.conflate(ping).ok_or(full);
        }
        let handle = self.handles.handle_of_tag(ping.tag).ok_or(PublishError::TooManyThings)?;
        let wire = ping.wire(handle);
        let number = self.ping.push(wire).map_err(full)?;
        if self.may_conflate {
            self.newest.keep_up(&self.ping);
        }
        if let Some(spool) = &self.spool {
            spool.keep_ping(&InternItem::Tag(ping.tag), &wire);
        }
        Ok(number)
    }

    /// Lets the older of two pings of a tag give way, the one that waits to be sent and the one that came.
    /// Gives the ticket that both have. What takes over is not kept on disk: while a node is away for hours
    /// that would be without end, and after a start the tag reports again.
    fn conflate(&mut self, ping: &Ping) -> Option<u64> {
        if !self.may_conflate {
            return None;
        }
        let wire = ping.wire(self.handles.known_of_tag(ping.tag)?);
        self.newest.give_way(&mut self.ping, &wire, ping.observed_at.0)
    }

    /// Takes a report and gives its number.
    pub(crate) fn publish_report(&mut self, report: &Report) -> Result<u64, PublishError> {
        self.check_open()?;
        let lane = report.lane();
        let capacity = self.reports(lane).capacity();
        if self.reports(lane).room() == 0 {
            return Err(PublishError::Full { capacity });
        }
        let handle = self.handles.handle(&report.thing).ok_or(PublishError::TooManyThings)?;
        let (observed_at, word) = (report.observed_at, report.word);
        // A grant counts without its badge, so one for which there is no handle left is left out.
        let item = report.badge.clone().map(InternItem::Badge);
        let badge = item.and_then(|item| self.handles.handle(&item));
        let pending = PendingReport { handle, observed_at, word, badge };
        let number = self.reports(lane).push(pending).map_err(full)?;
        if let Some(spool) = &self.spool {
            spool.keep_report(&report.thing, &pending.wire(1), report.badge.as_ref());
        }
        Ok(number)
    }

    pub(crate) fn check_open(&self) -> Result<(), PublishError> {
        self.closed.map_or(Ok(()), Err)
    }

    /// Why what is published is no longer kept on disk; told once.
    pub(crate) fn spool_failure(&mut self) -> Option<String> {
        let failure = self.spool.as_ref()?.failure()?;
        self.spool = None;
        Some(failure)
    }

    /// Lanes to go on with.
    pub(crate) fn resume(&self) -> Vec<LaneResume> {
        [
            (Lane::Duress, self.duress.resume()),
            (Lane::Door, self.door.resume()),
            (Lane::Ping, self.ping.resume()),
        ]
        .into_iter()
        .filter_map(|(lane, point)| {
            point.map(|(epoch, last_seq)| LaneResume { lane, epoch, last_seq })
        })
        .collect()
    }

    /// Begins a connection.
    pub(crate) fn on_welcome(&mut self, welcome: &Welcome) -> Result<(), BeginError> {
        self.handles.on_connected();
        if self.handles.set_max(welcome.handle_count_max).is_err() {
            return Err(BeginError::TooManyHandles);
        }
        self.duress.on_storing(welcome.is_storing);
        self.door.on_storing(welcome.is_storing);
        self.ping.on_storing(welcome.is_storing);
        for lane in &welcome.lanes {
            self.on_lane_welcome(lane).map_err(|_| BeginError::NodeIsBehind { lane: lane.lane })?;
        }
        if let (Some(spool), Some((epoch, ping))) = (&self.spool, self.ping.epoch_base()) {
            let base = |point: Option<(u32, u64)>| point.map_or(0, |(_, base)| base);
            let bases = [base(self.duress.epoch_base()), base(self.door.epoch_base()), ping];
            spool.begin_epoch(epoch, bases);
        }
        self.keep_durable();
        Ok(())
    }

    fn on_lane_welcome(&mut self, lane: &LaneWelcome) -> Result<(), OutboxError> {
        match lane.lane {
            Lane::Duress => self.duress.on_welcome(lane),
            Lane::Door => self.door.on_welcome(lane),
            Lane::Ping => self.ping.on_welcome(lane),
            Lane::Audit | Lane::Console => Ok(()),
        }
    }

    pub(crate) fn on_ack(&mut self, ack: &Ack) {
        match ack.lane {
            Lane::Duress => self.duress.on_ack(ack),
            Lane::Door => self.door.on_ack(ack),
            Lane::Ping => self.ping.on_ack(ack),
            Lane::Audit | Lane::Console => {}
        }
        self.keep_durable();
    }

    /// Notes what was refused. Of numbers among which others were taken it is not known which: then the node
    /// is not expected to know any of them after a start.
    pub(crate) fn on_refusal(&mut self, refusal: &Refusal) {
        let Refusal { lane, epoch, first_seq, last_seq, .. } = *refusal;
        let numbers = first_seq..=last_seq;
        match lane {
            Lane::Duress => self.duress.on_refused(epoch, numbers),
            Lane::Door => self.door.on_refused(epoch, numbers),
            Lane::Ping => self.ping.on_refused(epoch, numbers),
            Lane::Audit | Lane::Console => {}
        }
        self.keep_durable();
    }

    fn keep_durable(&self) {
        if let Some(spool) = &self.spool {
            let taken =
                [self.duress.taken_through(), self.door.taken_through(), self.ping.taken_through()];
            spool.forget_through(self.progress().map(|lane| lane.durable_through), taken);
        }
    }

    /// How far the lanes have come: duress, door, ping.
    pub(crate) fn progress(&self) -> [LaneProgress; 3] {
        [self.duress.progress(), self.door.progress(), self.ping.progress()]
    }

    /// Which ticket a sequence number stands for.
    pub(crate) fn ticket_of(&self, lane: Lane, epoch: u32, seq: u64) -> Option<u64> {
        match lane {
            Lane::Duress => self.duress.ticket_of(epoch, seq),
            Lane::Door => self.door.ticket_of(epoch, seq),
            Lane::Ping => self.ping.ticket_of(epoch, seq),
            Lane::Audit | Lane::Console => None,
        }
    }
}

fn full(error: OutboxError) -> PublishError {
    match error {
        OutboxError::Full { capacity } => PublishError::Full { capacity },
        OutboxError::NodeIsBehind => PublishError::Closed,
    }
}

#[cfg(test)]
mod tests;
