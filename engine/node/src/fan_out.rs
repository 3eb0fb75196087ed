//! Tells subscribers: alarms at once and again when they are on disk, events and positions.
//!
//! One value on the rim's thread. It holds the open alarms as subscribers know them, and the latest
//! durable notices for those who come back. A notice is encoded once, whatever the number of
//! subscribers. Nothing here waits for anybody: notes go into bounded sinks.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::rc::Rc;
use std::sync::Arc;

use ach_actors_entities::Site;
use ach_actors_model::{AlarmId, AlarmNotice, AlarmTransition, Event, Fix};
use ach_engine_wire::{AlarmNote, Frame, OpenSetEnd, ProvisionalReason, Storage, Topic};
use bytes::Bytes;

use crate::counters::Counters;
use crate::notes::{alarm_note, cursor, event_note, settled};
use crate::planted::{PlantedBug, is_planted};
use crate::recent::NoticeAt;
use crate::sieve::Sieve;
use crate::sink::Sink;
use crate::told::{OpenAlarm, Told};

/// Notes of the open set, or of missed notices, encoded at a time: some 25 KiB, well within one
/// write.
pub(crate) const REPLAY_CHUNK: usize = 64;

/// A subscriber of a topic.
#[derive(Debug)]
struct Subscriber {
    sieve: Sieve,
    sink: Rc<Sink>,
}

/// Which subscriber.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SubscriberKey(u64);

/// The fan-out.
#[derive(Debug)]
pub(crate) struct FanOut {
    site: Arc<Site>,
    told: Told,
    is_storing: bool,
    alarms: BTreeMap<SubscriberKey, Subscriber>,
    events: BTreeMap<SubscriberKey, Subscriber>,
    positions: BTreeMap<SubscriberKey, Rc<Sink>>,
    next_key: u64,
    counters: Arc<Counters>,
}

impl FanOut {
    /// A fan-out without subscribers.
    pub(crate) fn new(site: Arc<Site>, told: Told, counters: Arc<Counters>) -> FanOut {
        counters.tally.set_open(told.open.len());
        FanOut {
            site,
            told,
            is_storing: true,
            alarms: BTreeMap::new(),
            events: BTreeMap::new(),
            positions: BTreeMap::new(),
            next_key: 0,
            counters,
        }
    }

    /// The site in force.
    pub(crate) fn site(&self) -> &Arc<Site> {
        &self.site
    }

    /// From here on refs mean this site. Refs are never given twice, so older notices stay right.
    pub(crate) fn set_site(&mut self, site: Arc<Site>) {
        self.site = site;
    }

    /// From now on nothing becomes durable any more.
    pub(crate) fn stop_storing(&mut self) {
        self.is_storing = false;
    }

    fn provisional(&self) -> Storage {
        Storage::Provisional(if self.is_storing {
            ProvisionalReason::None
        } else {
            ProvisionalReason::NoDisk
        })
    }

    /// Tells of an alarm before the disk has it. Returns how many subscribers it was put before.
    pub(crate) fn tell(&mut self, notice: &AlarmNotice, at: NoticeAt) -> usize {
        self.count(notice);
        let storage = self.provisional();
        self.told.keep_open(notice, storage, at);
        self.told.keep_unsettled(notice, at);
        self.note_open();
        self.send_alarm(notice, storage, None)
    }

    /// An alarm that was told is on disk now.
    pub(crate) fn settle(&mut self, notice: &AlarmNotice, at: NoticeAt) {
        self.told.keep_recent(notice, at);
        self.told.settle(notice.id, at);
        if self.alarms.is_empty() || is_planted(PlantedBug::DurableNotTold) {
            return;
        }
        let note = alarm_note(&self.site, notice, Storage::Durable, Some(at), false);
        let frame = encoded(&settled(notice, at).into());
        for subscriber in self.alarms.values().filter(|to| to.sieve.passes_alarm(&note)) {
            push(&self.counters, Topic::Alarms, &subscriber.sink, &frame);
        }
    }

    /// An alarm that was told will not be on disk.
    pub(crate) fn stays_provisional(&mut self, notice: &AlarmNotice) {
        let _ = self.send_alarm(notice, self.provisional(), None);
    }

    /// Tells of an alarm that waited for the disk, which has it now. Returns how many subscribers it was put
    /// before.
    pub(crate) fn tell_durable(&mut self, notice: &AlarmNotice, at: NoticeAt) -> usize {
        self.count(notice);
        self.told.keep_recent(notice, at);
        self.told.keep_open(notice, Storage::Durable, at);
        self.note_open();
        self.send_alarm(notice, Storage::Durable, Some(at))
    }

    fn send_alarm(&self, notice: &AlarmNotice, storage: Storage, at: Option<NoticeAt>) -> usize {
        if self.alarms.is_empty() {
            return 0;
        }
        let note = alarm_note(&self.site, notice, storage, at, false);
        let mut frame = None;
        let mut subscribers = 0;
        for subscriber in self.alarms.values().filter(|to| to.sieve.passes_alarm(&note)) {
            let frame = frame.get_or_insert_with(|| encoded(&note.clone().into()));
            push(&self.counters, Topic::Alarms, &subscriber.sink, frame);
            subscribers += 1;
        }
        subscribers
    }

    fn note_open(&self) {
        self.counters.tally.set_open(self.told.open.len());
    }

    fn note_subscribers(&self) {
        self.counters.tally.set_subscribers(self.subscriber_counts());
    }

    fn count(&self, notice: &AlarmNotice) {
        let counter = match notice.transition {
            AlarmTransition::Raised => {
                self.counters.tally.raise(notice.kind);
                &self.counters.alarms_raised
            }
            AlarmTransition::Upheld => &self.counters.alarms_upheld,
            AlarmTransition::Retracted => &self.counters.alarms_retracted,
            AlarmTransition::Cleared => &self.counters.alarms_cleared,
            AlarmTransition::Acknowledged => &self.counters.alarms_acknowledged,
            AlarmTransition::Escalated => &self.counters.alarms_escalated,
            AlarmTransition::Dropped => &self.counters.alarms_dropped,
            _ => &self.counters.alarms_acted_on,
        };
        counter.count();
    }

    /// Tells of an event.
    pub(crate) fn event(&mut self, event: &Event, at: NoticeAt) {
        self.counters.events_told.count();
        if self.events.is_empty() {
            return;
        }
        let note = event_note(&self.site, event, self.provisional(), at);
        let mut frame = None;
        for subscriber in self.events.values().filter(|to| to.sieve.passes_event(&note)) {
            let frame = frame.get_or_insert_with(|| encoded(&note.clone().into()));
            push(&self.counters, Topic::Events, &subscriber.sink, frame);
        }
    }

    /// Tells where tags are. Each subscriber's own writer filters and encodes. Returns how many
    /// positions were put before subscribers.
    pub(crate) fn fixes(&mut self, fixes: &[Fix]) -> usize {
        for sink in self.positions.values() {
            for fix in fixes {
                sink.put_fix(*fix);
            }
        }
        fixes.len().saturating_mul(self.positions.len())
    }

    fn key(&mut self) -> SubscriberKey {
        self.next_key = self.next_key.saturating_add(1);
        SubscriberKey(self.next_key)
    }

    /// From now on alarms go into the sink.
    pub(crate) fn add_alarms(&mut self, sieve: Sieve, sink: Rc<Sink>) -> SubscriberKey {
        let key = self.key();
        self.alarms.insert(key, Subscriber { sieve, sink });
        self.note_subscribers();
        key
    }

    /// From now on events go into the sink.
    pub(crate) fn add_events(&mut self, sieve: Sieve, sink: Rc<Sink>) -> SubscriberKey {
        let key = self.key();
        self.events.insert(key, Subscriber { sieve, sink });
        self.note_subscribers();
        key
    }

    /// From now on positions go into the sink.
    pub(crate) fn add_positions(&mut self, sink: Rc<Sink>) -> SubscriberKey {
        let key = self.key();
        self.positions.insert(key, sink);
        self.note_subscribers();
        key
    }

    /// No more for this one.
    pub(crate) fn remove(&mut self, key: SubscriberKey) {
        self.alarms.remove(&key);
        self.events.remove(&key);
        self.positions.remove(&key);
        self.note_subscribers();
    }

    /// Whether anybody wants positions.
    pub(crate) fn wants_positions(&self) -> bool {
        !self.positions.is_empty()
    }

    /// How many subscribers there are, by topic: alarms, events, positions.
    pub(crate) fn subscriber_counts(&self) -> [usize; 3] {
        [self.alarms.len(), self.events.len(), self.positions.len()]
    }

    /// How many alarms are open.
    pub(crate) fn open_count(&self) -> usize {
        self.told.open.len()
    }

    /// The open alarms, by id.
    pub(crate) fn open(&self) -> &BTreeMap<AlarmId, Box<OpenAlarm>> {
        &self.told.open
    }

    /// An open alarm as a note, by the site in force.
    pub(crate) fn note(&self, open: &OpenAlarm) -> AlarmNote {
        alarm_note(&self.site, &open.notice, open.storage, None, true)
    }

    /// The last notice that is known to be durable.
    pub(crate) fn durable_at(&self) -> NoticeAt {
        self.told.durable_at
    }

    /// Where who lost what was told to it goes on.
    pub(crate) fn lost_after(&self) -> NoticeAt {
        self.told.lost_after()
    }

    /// The last notice that was told.
    pub(crate) fn told_at(&self) -> NoticeAt {
        self.told.told_at()
    }

    /// Frames of the next open alarms after `after` that pass, and the last id looked at; no id
    /// when there are none left. Ids are in order, so the set may change between calls: what is
    /// raised or ends meanwhile waits in the subscriber's sink.
    pub(crate) fn open_chunk(
        &self,
        sieve: &Sieve,
        after: Option<AlarmId>,
    ) -> (Vec<Bytes>, Option<AlarmId>) {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut frames = Vec::new();
        let mut last = None;
        for (&id, open) in self.told.open.range((from, Bound::Unbounded)).take(REPLAY_CHUNK) {
            last = Some(id);
            let at = (open.storage == Storage::Durable).then_some(open.at);
            let storage = if at.is_some() { Storage::Durable } else { self.provisional() };
            let note = alarm_note(&self.site, &open.notice, storage, at, true);
            if sieve.passes_alarm(&note) {
                frames.push(encoded(&note.into()));
            }
        }
        if is_planted(PlantedBug::OpenSetCutShort) {
            frames.pop();
        }
        (frames, last)
    }

    /// The mark that ends an open set of `open_count` alarms. It has a cursor in any case: of a node
    /// that has nothing durable yet, the beginning. Or else who is cut off during the very first alarm,
    /// and comes back when that has ended, would never hear of it.
    pub(crate) fn open_set_end(&self, open_count: usize) -> Bytes {
        let end = OpenSetEnd {
            open_count: u32::try_from(open_count).unwrap_or(u32::MAX),
            cursor: Some(cursor(self.told.durable_at)),
        };
        encoded(&end.into())
    }

    /// Whether notices after `after` are no longer here, or `after` lies beyond all that are durable.
    pub(crate) fn is_gap(&self, after: NoticeAt) -> bool {
        self.told.is_gap(after)
    }

    /// Frames of the next notices after `after` and up to `through` that pass, and how far that got;
    /// nothing when there are none left. Those that are not on disk have no cursor.
    pub(crate) fn missed_chunk(
        &self,
        sieve: &Sieve,
        after: NoticeAt,
        through: NoticeAt,
    ) -> (Vec<Bytes>, Option<NoticeAt>) {
        let mut frames = Vec::new();
        let mut last = None;
        let missed = self.told.after(after).take_while(|(at, ..)| *at <= through);
        for (at, notice, is_durable) in missed.take(REPLAY_CHUNK) {
            last = Some(at);
            let storage = if is_durable { Storage::Durable } else { self.provisional() };
            let note = alarm_note(&self.site, notice, storage, is_durable.then_some(at), false);
            if sieve.passes_alarm(&note) {
                frames.push(encoded(&note.into()));
            }
        }
        (frames, last)
    }
}

fn push(counters: &Counters, topic: Topic, sink: &Sink, frame: &Bytes) {
    let thrown = sink.push(frame.clone());
    if thrown == 0 {
        counters.frames_fanned_out.count();
    } else {
        counters.frames_shed.add(thrown);
        counters.tally.thrown.of(topic).add(thrown);
    }
}

/// A frame's bytes. Notes are bounded far below the limit of a frame, so this cannot fail; if it
/// did, an empty frame would be written, which a subscriber skips over.
pub(crate) fn encoded(frame: &Frame) -> Bytes {
    let mut bytes = Vec::with_capacity(512);
    if let Err(error) = frame.encode(&mut bytes) {
        tracing::error!(%error, "a note could not be encoded; this is a bug, please report it");
    }
    Bytes::from(bytes)
}

#[cfg(test)]
mod tests;
