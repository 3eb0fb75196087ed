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
}

impl PendingReport {
    pub(crate) fn wire(&self, seq: u64) -> WireReport {
        WireReport { seq, observed_at: self.observed_at, handle: self.handle, word: self.word }
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
                KeptRecord::Report { observed_at, word } => {
                    let pending = PendingReport { handle, observed_at, word };
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
        let mut taken = TakenPings::default();
        let before = self.ping.progress().gave_way_count;
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
        taken.has_conflated = self.ping.progress().gave_way_count > before;
        Ok(taken)
    }

    fn publish_ping(&mut self, ping: &Ping) -> Result<u64, PublishError> {
        self.check_open()?;
        let item = InternItem::Tag(ping.tag);
        if self.ping.room() == 0 {
            let full = PublishError::Full { capacity: self.ping.capacity() };
            return self.conflate(&item, ping).ok_or(full);
        }
        let handle = self.handles.handle(&item).ok_or(PublishError::TooManyThings)?;
        let wire = ping.wire(handle);
        let number = self.ping.push(wire).map_err(full)?;
        self.newest.note(handle, number);
        if let Some(spool) = &self.spool {
            spool.keep_ping(&item, &wire);
        }
        Ok(number)
    }

    /// Lets the older of two pings of a tag give way, the one that waits to be sent and the one that came.
    /// Gives the ticket that both have. What takes over is not kept on disk: while a node is away for hours
    /// that would be without end, and after a start the tag reports again.
    fn conflate(&mut self, item: &InternItem, ping: &Ping) -> Option<u64> {
        if !self.may_conflate {
            return None;
        }
        let handle = self.handles.known(item)?;
        let number = self.newest.of(handle)?;
        let waiting = self.ping.unsent(number)?;
        let is_older = waiting.reading().is_ok_and(|it| ping.observed_at < it.observed_at);
        let newer = if is_older { None } else { Some(ping.wire(handle)) };
        self.ping.give_way(number, newer).then_some(number)
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
        let pending = PendingReport { handle, observed_at: report.observed_at, word: report.word };
        let number = self.reports(lane).push(pending).map_err(full)?;
        if let Some(spool) = &self.spool {
            spool.keep_report(&report.thing, &pending.wire(1));
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
mod tests {
    use std::collections::BTreeMap;

    use ach_actors_model::TagId;
    use ach_engine_wire::{Code, LaneTotals};

    use super::*;

    fn ping(tag: u64, observed_at: u64) -> Ping {
        Ping::local(TagId(tag), Timestamp(observed_at), 1, 1)
    }

    fn welcome(credit_through: u64) -> LaneWelcome {
        let (accepted_through, durable_through) = (0, 0);
        LaneWelcome {
            lane: Lane::Ping,
            epoch: 1,
            accepted_through,
            durable_through,
            credit_through,
        }
    }

    fn outboxes(pings_max: usize) -> Outboxes {
        Outboxes::new(PublisherOptions { pings_max, ..PublisherOptions::default() }, None)
    }

    /// What is sent next, as tag and moment, with the first number.
    fn sent(outboxes: &mut Outboxes, count_max: usize) -> Option<(u64, Vec<(u32, u64)>)> {
        let mut batch = Vec::new();
        let first_seq = outboxes.ping.take(count_max, |_| true, &mut batch)?;
        let told = |ping: &WirePing| (ping.handle(), ping.reading().unwrap().observed_at.0);
        Some((first_seq, batch.iter().map(told).collect()))
    }

    #[test]
    fn without_room_a_tags_newest_ping_takes_the_place_of_its_unsent_one_and_never_of_a_sent_one() {
        let mut outboxes = outboxes(3);
        outboxes.ping.on_welcome(&welcome(2)).unwrap();
        let publish = |outboxes: &mut Outboxes, tag, at| {
            outboxes.publish_pings(&[ping(tag, at)]).map(|taken| taken.last_number)
        };
        assert_eq!(publish(&mut outboxes, 1, 10), Ok(1));
        assert_eq!(publish(&mut outboxes, 2, 10), Ok(2));
        assert_eq!(publish(&mut outboxes, 1, 11), Ok(3), "while there is room nothing gives way");
        assert_eq!(publish(&mut outboxes, 1, 12), Ok(3));
        assert_eq!(publish(&mut outboxes, 1, 5), Ok(3), "the older of the two gives way");
        assert_eq!(publish(&mut outboxes, 2, 11), Ok(2));
        assert_eq!(sent(&mut outboxes, 9), Some((1, vec![(0, 10), (1, 11)])));
        let full = Err(PublishError::Full { capacity: 3 });
        assert_eq!(publish(&mut outboxes, 2, 12), full, "it was sent");
        assert_eq!(publish(&mut outboxes, 3, 10), full, "a tag of which nothing waits");
        // A lost connection: what was sent is sent again, unchanged.
        outboxes.ping.on_welcome(&welcome(100)).unwrap();
        assert_eq!(publish(&mut outboxes, 2, 13), full);
        assert_eq!(sent(&mut outboxes, 9), Some((1, vec![(0, 10), (1, 11), (0, 12)])));
        let progress = outboxes.ping.progress();
        assert_eq!((progress.published_through, progress.gave_way_count), (3, 3));
    }

    #[test]
    fn where_every_position_counts_nothing_gives_way() {
        let options = PublisherOptions { pings_max: 2, ..PublisherOptions::default() };
        let mut outboxes = Outboxes::new(options.keeping_every_position(), None);
        let pings = [ping(1, 1), ping(1, 2), ping(1, 3)];
        let taken = TakenPings { count: 2, last_number: 2, has_conflated: false };
        assert_eq!(outboxes.publish_pings(&pings), Ok(taken));
        let full = Err(PublishError::Full { capacity: 2 });
        assert_eq!(outboxes.publish_pings(&pings[2..]), full);
    }

    /// A restarted vendor: what it kept may have been sent.
    #[test]
    fn what_an_earlier_life_kept_does_not_give_way() {
        let mut outboxes = outboxes(1);
        let handle = outboxes.handles.handle(&InternItem::Tag(TagId(1))).unwrap();
        outboxes.ping.restore(1, 0, 4, 5);
        outboxes.ping.push_kept(ping(1, 10).wire(handle));
        outboxes.newest.note(handle, 5);
        assert!(outboxes.publish_pings(&[ping(1, 11)]).is_err());
    }

    /// Of any tags at any pace: all that was handed over is counted once, each tag's pings go in order, and
    /// the newest of each that was taken goes last.
    #[test]
    fn under_a_flood_each_tags_newest_goes_last_and_everything_is_counted() {
        for seed in 0..40 {
            println!("seed {seed}");
            let mut chance = SplitMix64(seed);
            let mut outboxes = outboxes(usize::try_from(1 + chance.below(30)).unwrap());
            outboxes.ping.on_welcome(&welcome(0)).unwrap();
            let (mut newest, mut last_sent) = (BTreeMap::new(), BTreeMap::new());
            let (mut handed, mut turned_away, mut through) = (0, 0, 0);
            let mut send = |outboxes: &mut Outboxes, last_sent: &mut BTreeMap<u32, u64>| {
                while let Some((first_seq, batch)) = sent(outboxes, 7) {
                    assert_eq!(first_seq, through + 1, "without a gap");
                    through += u64::try_from(batch.len()).unwrap();
                    for (handle, at) in batch {
                        assert!(last_sent.insert(handle, at) < Some(at), "in order");
                    }
                }
                through
            };
            for at in 1..2_000 {
                let tag = chance.below(12);
                handed += 1;
                if outboxes.publish_pings(&[ping(tag, at)]).is_ok() {
                    newest.insert(outboxes.handles.known(&InternItem::Tag(TagId(tag))), at);
                } else {
                    turned_away += 1;
                }
                if chance.below(20) == 0 {
                    let through = send(&mut outboxes, &mut last_sent);
                    let credit_through = through + chance.below(20);
                    let durable_through = through.saturating_sub(chance.below(3));
                    outboxes.on_ack(&ack(through, durable_through, credit_through));
                }
            }
            outboxes.on_ack(&ack(0, 0, u64::MAX));
            send(&mut outboxes, &mut last_sent);
            let progress = outboxes.ping.progress();
            assert_eq!(progress.published_through + progress.gave_way_count + turned_away, handed);
            let newest: Vec<_> =
                newest.into_iter().map(|(handle, at)| (handle.unwrap(), at)).collect();
            assert_eq!(last_sent.into_iter().collect::<Vec<_>>(), newest);
        }
    }

    fn ack(accepted_through: u64, durable_through: u64, credit_through: u64) -> Ack {
        Ack {
            lane: Lane::Ping,
            epoch: 1,
            accepted_through,
            durable_through,
            credit_through,
            totals: LaneTotals::default(),
        }
    }

    /// Small and the same everywhere.
    struct SplitMix64(u64);

    impl SplitMix64 {
        fn below(&mut self, bound: u64) -> u64 {
            self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            ((mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB) >> 11) % bound
        }
    }

    /// Of 1 to 4, the second and the fourth were refused and told together; the node has 3.
    #[test]
    fn refusals_that_are_told_together_with_others_between_excuse_a_node_that_starts_again() {
        let mut outboxes = Outboxes::new(PublisherOptions::default(), None);
        let report = Report::tag(TagId(1), Timestamp(1), ReportWord::ButtonPressed);
        for number in 1..=4 {
            assert_eq!(outboxes.publish_report(&report), Ok(number));
        }
        let welcome = |durable_through| LaneWelcome {
            lane: Lane::Duress,
            epoch: 1,
            accepted_through: durable_through,
            durable_through,
            credit_through: 100,
        };
        outboxes.duress.on_welcome(&welcome(0)).unwrap();
        outboxes.duress.take(10, |_| true, &mut Vec::new());
        outboxes.on_refusal(&Refusal {
            lane: Lane::Duress,
            epoch: 1,
            first_seq: 2,
            last_seq: 4,
            count: 2,
            code: Code::UnknownThing,
            handle: None,
        });
        outboxes.on_ack(&Ack {
            lane: Lane::Duress,
            epoch: 1,
            accepted_through: 4,
            durable_through: 4,
            credit_through: 100,
            totals: LaneTotals::default(),
        });
        assert_eq!(outboxes.duress.on_welcome(&welcome(3)), Ok(()));
        assert_eq!(outboxes.duress.on_welcome(&welcome(0)), Err(OutboxError::NodeIsBehind));
    }
}
