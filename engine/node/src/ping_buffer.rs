//! Pings of one session that the shard has not taken yet, conflated under pressure.
//!
//! While the ping lane has room everything goes straight through. When it is full, pings gather
//! here; over a quarter of the window, older pings give way to newer ones of the same tag. Each
//! sequence number keeps its place, so that every batch stands for consecutive numbers and the counts
//! add up (LOAD-1). What is sent again is never conflated (LOAD-2): the vendor was perhaps told nothing of it, and the
//! same inputs must make the same episodes.
//!
//! A ping that takes over waits at the end of the queue, so a tag that reports often would never be
//! decided on while the pressure lasts. Therefore each tag has its turn (LOAD-3): once the queue has come past
//! the first of its pings that waited, the one that waits now stays.

use std::collections::{HashMap, VecDeque};

use ach_actors_model::{Ping, PingBatch, SourceRef, TagRef, Timestamp};

/// Most pings in a batch. 256 pings are some 100 µs of work for a shard, so a duress report waits
/// no longer than that behind pings; larger batches gained less than 3 % in throughput.
pub(crate) const BATCH_PINGS_MAX: usize = 256;

/// Most runs remembered; further ones are joined to the last, which only delays an ack.
const HOLDS_MAX: usize = 1_024;

/// A buffer in sequence order.
#[derive(Debug)]
pub(crate) struct PingBuffer {
    source: SourceRef,
    epoch: u32,
    window: usize,
    /// Sequence number of the first slot.
    first_seq: u64,
    slots: VecDeque<Slot>,
    live_count: usize,
    /// Conflate while more live pings than this wait.
    conflate_above: usize,
    /// What waits of each tag, as far as it was looked at. A tag whose pings were all taken may still
    /// be in it until nothing waits: at most one a handle of the connection.
    waiting: HashMap<TagRef, Waiting>,
    /// The first number that was not looked at for a newer one of its tag.
    look_from_seq: u64,
    /// Numbers up to this one are sent again.
    resent_through: u64,
    /// Runs given to the shard whose last word is not yet on disk, by first number.
    holds: VecDeque<Hold>,
}

/// What became of one sequence number.
#[derive(Debug, Clone, Copy)]
enum Slot {
    Live { ping: Ping, received_at: Timestamp },
    Refused { received_at: Timestamp },
    Conflated { received_at: Timestamp, replaced_by: u64 },
}

/// The newest ping of a tag that waits.
#[derive(Debug, Clone, Copy)]
struct Waiting {
    /// As the shard will see it.
    observed_at: Timestamp,
    seq: u64,
    /// The number of the first ping that waited in its stead: the tag's turn.
    turn_seq: u64,
}

/// Pings from `from_seq` on gave way to newer ones, the last of which is `through_seq`. A ping that
/// gave way is durable only when its replacement is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Hold {
    from_seq: u64,
    through_seq: u64,
}

impl PingBuffer {
    /// A buffer for at most `window` sequence numbers that begins at `first_seq`. Numbers up to
    /// `resent_through` are known to be sent again.
    pub(crate) fn new(
        source: SourceRef,
        epoch: u32,
        window: usize,
        first_seq: u64,
        resent_through: u64,
    ) -> PingBuffer {
        PingBuffer {
            source,
            epoch,
            window,
            first_seq,
            slots: VecDeque::new(),
            live_count: 0,
            conflate_above: window / 4,
            waiting: HashMap::new(),
            look_from_seq: first_seq,
            resent_through,
            holds: VecDeque::new(),
        }
    }

    /// The sequence number the next slot has.
    pub(crate) fn next_seq(&self) -> u64 {
        self.first_seq.saturating_add(u64::try_from(self.slots.len()).unwrap_or(u64::MAX))
    }

    /// How many more sequence numbers fit.
    pub(crate) fn room(&self) -> usize {
        self.window.saturating_sub(self.slots.len())
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Begins at `seq` instead, when the vendor leaves out what was decided and is not on disk: it
    /// has not kept it.
    pub(crate) fn begin_at(&mut self, seq: u64) {
        if self.slots.is_empty() {
            self.first_seq = seq;
        }
    }

    /// Takes the next ping.
    pub(crate) fn push(&mut self, ping: Ping, received_at: Timestamp) {
        self.slots.push_back(Slot::Live { ping, received_at });
        self.live_count += 1;
    }

    /// Takes the next number, whose ping was refused.
    pub(crate) fn refuse(&mut self, received_at: Timestamp) {
        self.slots.push_back(Slot::Refused { received_at });
    }

    /// Lets older pings give way to newer ones of their tag if more than a quarter of the window
    /// waits. Looks at each ping once. Returns how many gave way.
    pub(crate) fn conflate(&mut self) -> u64 {
        if self.live_count <= self.conflate_above {
            return 0;
        }
        let from_seq = self.look_from_seq.max(self.first_seq);
        self.look_from_seq = self.next_seq();
        let gave_way = (from_seq..self.look_from_seq).filter(|&seq| self.look_at(seq)).count();
        u64::try_from(gave_way).unwrap_or(u64::MAX)
    }

    /// Sees whether a ping takes over from an older one of its tag, or gives way itself.
    fn look_at(&mut self, seq: u64) -> bool {
        let Some(&Slot::Live { ping, received_at }) = self.slot(seq) else { return false };
        // A clock that is ahead makes nothing newer.
        let observed_at = ping.observed_at.min(received_at);
        let begins = Waiting { observed_at, seq, turn_seq: seq };
        let older = self.waiting.get(&ping.tag).copied();
        let older = older.filter(|it| it.seq >= self.first_seq && it.seq > self.resent_through);
        let Some(older) = older else {
            self.waiting.insert(ping.tag, begins);
            return false;
        };
        if observed_at < older.observed_at {
            self.give_way(seq, older.seq);
            return true;
        }
        let is_its_turn = older.turn_seq < self.first_seq;
        let turn_seq = if is_its_turn { seq } else { older.turn_seq };
        self.waiting.insert(ping.tag, Waiting { turn_seq, ..begins });
        if !is_its_turn {
            self.give_way(older.seq, seq);
        }
        !is_its_turn
    }

    fn slot(&self, seq: u64) -> Option<&Slot> {
        self.slots.get(usize::try_from(seq.checked_sub(self.first_seq)?).ok()?)
    }

    fn give_way(&mut self, seq: u64, replaced_by: u64) {
        let place = seq.checked_sub(self.first_seq).and_then(|at| usize::try_from(at).ok());
        if let Some(slot) = place.and_then(|at| self.slots.get_mut(at))
            && let Slot::Live { received_at, .. } = *slot
        {
            *slot = Slot::Conflated { received_at, replaced_by };
            self.live_count -= 1;
        }
    }

    /// The next batch for the shard, if anything waits.
    pub(crate) fn take(&mut self) -> Option<PingBatch> {
        self.slots.front()?;
        let first_seq = self.first_seq;
        let mut batch = PingBatch {
            source: self.source,
            epoch: self.epoch,
            first_seq,
            last_seq: first_seq,
            received_at: Timestamp(0),
            conflated_count: 0,
            refused_count: 0,
            pings: Vec::with_capacity(self.live_count.min(BATCH_PINGS_MAX)),
        };
        let mut hold: Option<Hold> = None;
        while let Some(slot) = self.slots.front() {
            let seq = self.first_seq;
            let slot_received_at = match *slot {
                Slot::Live { mut ping, received_at } => {
                    if batch.pings.len() == BATCH_PINGS_MAX {
                        break;
                    }
                    let offset = seq.saturating_sub(first_seq);
                    ping.seq_offset = u32::try_from(offset).unwrap_or(u32::MAX);
                    batch.pings.push(ping);
                    self.live_count -= 1;
                    received_at
                }
                Slot::Refused { received_at } => {
                    batch.refused_count += 1;
                    received_at
                }
                Slot::Conflated { received_at, replaced_by } => {
                    batch.conflated_count += 1;
                    let hold = hold.get_or_insert(Hold { from_seq: seq, through_seq: seq });
                    hold.through_seq = hold.through_seq.max(replaced_by);
                    received_at
                }
            };
            batch.received_at = batch.received_at.max(slot_received_at);
            batch.last_seq = seq;
            self.slots.pop_front();
            self.first_seq = seq.saturating_add(1);
        }
        if self.slots.is_empty() {
            self.waiting.clear();
        }
        if let Some(hold) = hold {
            self.keep(hold);
        }
        Some(batch)
    }

    fn keep(&mut self, hold: Hold) {
        let is_full = self.holds.len() >= HOLDS_MAX;
        match self.holds.back_mut().filter(|_| is_full) {
            Some(last) => last.through_seq = last.through_seq.max(hold.through_seq),
            None => self.holds.push_back(hold),
        }
    }

    /// What may be told durable when everything up to `durable_through` is on disk.
    pub(crate) fn tellable(&mut self, durable_through: u64) -> u64 {
        // A replacement may itself have given way: its hold has a later first number, so going
        // from the last hold to the first follows every chain to its end.
        let tellable = self.holds.iter().rev().fold(durable_through, |tellable, hold| {
            let is_cut = hold.from_seq <= tellable && hold.through_seq > tellable;
            if is_cut { hold.from_seq.saturating_sub(1) } else { tellable }
        });
        while self.holds.front().is_some_and(|hold| hold.through_seq <= tellable) {
            self.holds.pop_front();
        }
        tellable
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_values::ping;

    const WINDOW: usize = 8;

    /// Fills a buffer that begins at number 1 with words `tag@observed_at` or `refused`.
    fn filled(words: &str, resent_through: u64) -> PingBuffer {
        let mut buffer = PingBuffer::new(SourceRef(0), 1, WINDOW, 1, resent_through);
        for word in words.split_whitespace() {
            match word.split_once('@') {
                Some((tag, at)) => {
                    let at: u64 = at.parse().unwrap();
                    buffer.push(ping(tag.parse().unwrap(), at), Timestamp(at));
                }
                None => buffer.refuse(Timestamp(0)),
            }
        }
        buffer
    }

    fn render(batch: &PingBatch) -> String {
        let pings: Vec<String> = batch
            .pings
            .iter()
            .map(|ping| {
                let seq = batch.first_seq + u64::from(ping.seq_offset);
                format!("{seq}:{}@{}", ping.tag.0, ping.observed_at.0)
            })
            .collect();
        let (first, last) = (batch.first_seq, batch.last_seq);
        let left_out =
            format!("refused {} conflated {}", batch.refused_count, batch.conflated_count);
        format!("{first}..{last} [{}] {left_out}", pings.join(" "))
    }

    #[track_caller]
    fn check(words: &str, resent_through: u64, expected: &str) {
        let mut buffer = filled(words, resent_through);
        let gave_way = buffer.conflate();
        let batch = buffer.take().unwrap();
        assert_eq!(render(&batch), expected);
        assert_eq!(gave_way, u64::from(batch.conflated_count));
        assert!(buffer.take().is_none());
        let stood_for = batch.last_seq - batch.first_seq + 1;
        let counted = u64::from(batch.refused_count) + u64::from(batch.conflated_count);
        assert_eq!(stood_for, counted + u64::try_from(batch.pings.len()).unwrap());
    }

    #[test]
    fn up_to_a_quarter_of_the_window_nothing_gives_way() {
        check("1@10 1@20", 0, "1..2 [1:1@10 2:1@20] refused 0 conflated 0");
        check("1@10 refused refused 1@20", 0, "1..4 [1:1@10 4:1@20] refused 2 conflated 0");
        check("1@10 1@20 2@30", 0, "1..3 [2:1@20 3:2@30] refused 0 conflated 1");
    }

    #[test]
    fn under_pressure_the_newest_of_each_tag_stays() {
        check("1@10 2@11 1@20 2@21 1@30", 0, "1..5 [4:2@21 5:1@30] refused 0 conflated 3");
    }

    #[test]
    fn newest_is_by_when_it_was_observed() {
        check("1@50 1@20 1@30 2@1 1@40", 0, "1..5 [1:1@50 4:2@1] refused 0 conflated 3");
    }

    #[test]
    fn a_clock_that_is_ahead_makes_no_ping_the_newest() {
        let mut buffer = PingBuffer::new(SourceRef(0), 1, WINDOW, 1, 0);
        buffer.push(ping(1, 3_600), Timestamp(10));
        for received_at in 20..25 {
            buffer.push(ping(1, received_at), Timestamp(received_at));
        }
        assert_eq!(buffer.conflate(), 5);
        assert_eq!(render(&buffer.take().unwrap()), "1..6 [6:1@24] refused 0 conflated 5");
    }

    /// LOAD-2.
    #[test]
    fn what_is_sent_again_never_gives_way() {
        check("1@10 1@20 1@30 1@40 1@50", 2, "1..5 [1:1@10 2:1@20 5:1@50] refused 0 conflated 2");
    }

    #[test]
    fn refused_numbers_keep_their_place() {
        check("refused 1@10 refused 2@11", 0, "1..4 [2:1@10 4:2@11] refused 2 conflated 0");
    }

    #[test]
    fn a_batch_without_a_ping_still_says_when_it_came() {
        let mut buffer = PingBuffer::new(SourceRef(0), 1, WINDOW, 1, 0);
        buffer.refuse(Timestamp(70));
        buffer.refuse(Timestamp(71));
        let batch = buffer.take().unwrap();
        assert_eq!((batch.pings.len(), batch.refused_count), (0, 2));
        assert_eq!(batch.received_at, Timestamp(71));
    }

    #[test]
    fn a_batch_never_grows_beyond_its_limit() {
        let mut buffer = PingBuffer::new(SourceRef(0), 1, 10_000, 1, 0);
        for number in 0..600 {
            buffer.push(ping(number, u64::from(number)), Timestamp(0));
        }
        let mut sizes = Vec::new();
        let mut next_seq = 1;
        while let Some(batch) = buffer.take() {
            assert_eq!(batch.first_seq, next_seq);
            next_seq = batch.last_seq + 1;
            sizes.push(batch.pings.len());
        }
        assert_eq!(sizes, [256, 256, 88]);
        assert_eq!(next_seq, 601);
    }

    #[test]
    fn a_ping_that_gave_way_is_durable_with_its_replacement() {
        let mut buffer = filled("1@10 2@11 1@20 2@21 1@30", 0);
        assert_eq!(buffer.conflate(), 3);
        buffer.take().unwrap();
        assert_eq!(buffer.tellable(0), 0);
        assert_eq!(buffer.tellable(4), 0, "number 5 replaces number 1 and is not on disk");
        assert_eq!(buffer.tellable(5), 5);
        assert_eq!(buffer.tellable(6), 6, "the run is over");
    }

    #[test]
    fn a_replacement_that_gave_way_itself_holds_what_it_replaced() {
        let mut buffer = PingBuffer::new(SourceRef(0), 1, WINDOW, 1, 0);
        let holds = [(1, 5), (5, 9), (12, 20)];
        for (from_seq, through_seq) in holds {
            buffer.keep(Hold { from_seq, through_seq });
        }
        assert_eq!(buffer.tellable(8), 0, "5 is replaced by 9, which is not on disk");
        assert_eq!(buffer.tellable(9), 9);
        assert_eq!(buffer.tellable(15), 11);
        assert_eq!(buffer.tellable(30), 30);
    }

    #[test]
    fn who_takes_over_is_found_without_looking_at_all_that_waits_again() {
        let mut buffer = filled("1@1 2@2 3@3 4@4 5@5", 0);
        assert_eq!(buffer.conflate(), 0);
        assert_eq!(buffer.look_from_seq, 6);
        buffer.push(ping(1, 9), Timestamp(9));
        assert_eq!(buffer.conflate(), 1);
        buffer.push(ping(2, 9), Timestamp(9));
        buffer.push(ping(1, 10), Timestamp(10));
        assert_eq!(buffer.conflate(), 2);
        assert_eq!(buffer.room(), 0);
        let expected = "1..8 [3:3@3 4:4@4 5:5@5 7:2@9 8:1@10] refused 0 conflated 3";
        assert_eq!(render(&buffer.take().unwrap()), expected);
        assert!(buffer.waiting.is_empty());
    }

    /// Tag 1 reports with each of the others; the shard takes batches, and more is always waiting.
    /// LOAD-3.
    #[test]
    fn a_tag_that_always_reports_again_before_its_turn_is_decided_on_all_the_same() {
        const OTHERS: u64 = 4_096;
        let mut buffer = PingBuffer::new(SourceRef(0), 1, 8_192, 1, 0);
        let (mut at, mut of_1, mut oldest, mut taken) = (0, 0, 0, 0);
        for _ in 0..40 {
            while buffer.room() > 1 && at < 100_000 {
                at += 1;
                let other = u32::try_from(2 + at % OTHERS).unwrap();
                buffer.push(ping(other, at), Timestamp(at));
                buffer.push(ping(1, at), Timestamp(at));
                buffer.conflate();
            }
            let batch = buffer.take().unwrap();
            taken += batch.last_seq + 1 - batch.first_seq;
            for ping in batch.pings.iter().filter(|ping| ping.tag == TagRef(1)) {
                of_1 += 1;
                oldest = oldest.max(at - ping.observed_at.0);
            }
        }
        let turns = taken / (2 * OTHERS);
        assert!(of_1 >= turns && turns > 1, "{of_1} times while {taken} numbers were taken");
        assert!(oldest <= OTHERS, "{oldest} reports old");
    }
}
