//! The open block of every tag.

use std::collections::BTreeMap;

use ach_actors_model::{NS_PER_S, TagRef, Timestamp};
use ach_geo::Floor;

use crate::block::{BlockWriter, Codes, KeptPing, Unit};
use crate::key;
use crate::rows::Rows;

/// A block of at least so many pings is not written again: its header is then a tenth of a byte a
/// ping, and to write it again would cost more than that.
const SETTLED_PINGS: usize = 128;

/// No block spans more than this, however seldom its tag speaks.
const BLOCK_SPAN_NS: u64 = 3_600 * NS_PER_S;

/// One tag.
#[derive(Debug)]
struct Head {
    block: Option<BlockWriter>,
    /// Where the open block goes: the entry of its first ping, and which block of that entry.
    first_index: u64,
    part: u16,
    begun_at: Timestamp,
    /// The finest moment it ever told.
    coarsest: Unit,
    /// How its blocks begin.
    codes: Codes,
    last: KeptPing,
    /// Pings since the last full minute.
    heard: u32,
    is_changed: bool,
}

/// All tags.
#[derive(Debug, Default)]
pub(crate) struct Heads {
    heads: Vec<Option<Box<Head>>>,
    changed: Vec<TagRef>,
}

impl Heads {
    /// Takes a ping of the entry `index` made at `at`. A block that is full becomes a row.
    pub(crate) fn push(
        &mut self,
        tag: TagRef,
        ping: KeptPing,
        (index, at): (u64, Timestamp),
        rows: &mut Rows,
    ) {
        if self.heads.len() <= tag.index() {
            self.heads.resize_with(tag.index() + 1, || None);
        }
        let Some(place) = self.heads.get_mut(tag.index()) else { return };
        let head = place.get_or_insert_with(|| Box::new(Head::resting(ping)));
        if !head.is_changed {
            head.is_changed = true;
            self.changed.push(tag);
        }
        head.last = ping;
        head.heard = head.heard.saturating_add(1);
        if head.block.as_mut().is_some_and(|block| block.push(ping, index)) {
            return;
        }
        head.coarsest = head.coarsest.min(Unit::of(ping.observed_at.0));
        if let Some(full) = &head.block {
            head.codes = full.codes();
        }
        let next = BlockWriter::begin(ping, index, head.coarsest, head.codes);
        if let Some(full) = head.block.replace(next) {
            rows.insert(key::block(tag, head.first_index, head.part), full.to_bytes());
        }
        head.part = if head.first_index == index { head.part.saturating_add(1) } else { 0 };
        (head.first_index, head.begun_at) = (index, at);
    }

    /// Makes a row of every open block that has changed. Those that are nearly empty and young stay
    /// open, and take their row's place when they are written again.
    pub(crate) fn write(&mut self, at: Timestamp, is_last: bool, rows: &mut Rows) {
        for tag in self.changed.drain(..) {
            let Some(Some(head)) = self.heads.get_mut(tag.index()) else { continue };
            head.is_changed = false;
            let Some(block) = &head.block else { continue };
            rows.insert(key::block(tag, head.first_index, head.part), block.to_bytes());
            if is_last
                || block.count() >= SETTLED_PINGS
                || at.since_ns(head.begun_at) >= BLOCK_SPAN_NS
            {
                head.codes = block.codes();
                head.block = None;
            }
        }
        if is_last {
            // A block that has not changed since it was written is of this day too.
            for head in self.heads.iter_mut().flatten() {
                head.block = None;
            }
        }
    }

    /// Knows again where a tag was, after a restart.
    pub(crate) fn recall(&mut self, tag: TagRef, last: KeptPing) {
        if self.heads.len() <= tag.index() {
            self.heads.resize_with(tag.index() + 1, || None);
        }
        if let Some(place) = self.heads.get_mut(tag.index()) {
            *place = Some(Box::new(Head::resting(last)));
        }
    }

    /// How many pings came on each floor since this was last asked.
    pub(crate) fn take_heard(&mut self) -> BTreeMap<Option<Floor>, u64> {
        let mut floors = BTreeMap::new();
        for head in self.heads.iter_mut().flatten().filter(|head| head.heard > 0) {
            let heard = u64::from(std::mem::take(&mut head.heard));
            *floors.entry(head.last.position.floor).or_default() += heard;
        }
        floors
    }

    /// The last ping of every tag, by tag.
    pub(crate) fn last_pings(&self) -> impl Iterator<Item = (TagRef, &KeptPing)> {
        let numbered = (0..).map(TagRef).zip(&self.heads);
        numbered.filter_map(|(tag, head)| head.as_ref().map(|head| (tag, &head.last)))
    }
}

impl Head {
    fn resting(last: KeptPing) -> Head {
        Head {
            block: None,
            first_index: 0,
            part: 0,
            begun_at: Timestamp(0),
            coarsest: Unit::Ms,
            codes: Codes::UNKNOWN,
            last,
            heard: 0,
            is_changed: false,
        }
    }
}
